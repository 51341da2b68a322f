//! Every JET error and warning code, its name, meaning and category.
//!
//! The values are the interface's own: they may be added to, never changed. The table
//! below is the one place where a number is tied to a name; `JetErr::info` reads it.

/// Category of an error as `JetGetErrorInfoW` reports it (JET_ERRCAT).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrCat {
    /// JET_errcatCorruption.
    Corruption,
    /// JET_errcatDisk.
    Disk,
    /// JET_errcatFatal.
    Fatal,
    /// JET_errcatFragmentation.
    Fragmentation,
    /// JET_errcatIO.
    IO,
    /// JET_errcatInconsistent.
    Inconsistent,
    /// JET_errcatMemory.
    Memory,
    /// JET_errcatOperation.
    Operation,
    /// JET_errcatQuota.
    Quota,
    /// JET_errcatResource.
    Resource,
    /// JET_errcatState.
    State,
    /// JET_errcatUnknown.
    Unknown,
    /// JET_errcatUsage.
    Usage,
}

macro_rules! jet_codes {
    ($($variant:ident = $value:literal, $name:literal, $cat:ident, $text:literal;)*) => {
        /// A JET error (negative) or warning (positive), or success (0).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum JetErr {
            $(#[doc = concat!($name, " (", stringify!($value), "): ", $text)] $variant = $value,)*
        }

        impl JetErr {
            /// Every code, in the order of the table.
            pub const ALL: &'static [JetErr] = &[$(JetErr::$variant,)*];

            /// The code with this value, if it is one.
            #[must_use]
            pub fn from_code(code: i32) -> Option<JetErr> {
                match code { $($value => Some(JetErr::$variant),)* _ => None }
            }

            /// Name, meaning and category of the code.
            #[must_use]
            pub fn info(self) -> CodeInfo {
                match self {
                    $(JetErr::$variant => CodeInfo {
                        name: $name, text: $text, category: ErrCat::$cat,
                    },)*
                }
            }
        }
    };
}

/// What is known of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeInfo {
    /// The name in the C header, with its `JET_err` or `JET_wrn` prefix.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub text: &'static str,
    /// Its category.
    pub category: ErrCat,
}

jet_codes! {
    Success = 0, "JET_errSuccess", State, "Call completed with nothing to report.";
    WrnNyi = -1, "JET_wrnNyi", Usage, "Placeholder for an unimplemented routine; negative value in spite of the wrn prefix.";
    RfsFailure = -100, "JET_errRfsFailure", Unknown, "Fault-injection simulator forced this failure (obsolete).";
    RfsNotArmed = -101, "JET_errRfsNotArmed", Unknown, "Fault-injection simulator was used before being armed (obsolete).";
    FileClose = -102, "JET_errFileClose", Unknown, "Closing a file handle failed (obsolete).";
    OutOfThreads = -103, "JET_errOutOfThreads", Memory, "No worker thread could be created.";
    TooManyIO = -105, "JET_errTooManyIO", Resource, "I/O queue saturated; try later.";
    TaskDropped = -106, "JET_errTaskDropped", Resource, "An asynchronous work item was discarded instead of run.";
    InternalError = -107, "JET_errInternalError", Operation, "Engine invariant broken; treat as a bug.";
    DisabledFunctionality = -112, "JET_errDisabledFunctionality", Usage, "Build was compiled without this feature.";
    UnloadableOSFunctionality = -113, "JET_errUnloadableOSFunctionality", Fatal, "Needed OS routine could not be loaded.";
    DeviceMissing = -114, "JET_errDeviceMissing", Fatal, "Required hardware accelerator not present.";
    DeviceMisconfigured = -115, "JET_errDeviceMisconfigured", Fatal, "Required hardware accelerator set up wrongly.";
    DeviceTimeout = -116, "JET_errDeviceTimeout", Operation, "Hardware accelerator did not answer in time.";
    DeviceFailure = -118, "JET_errDeviceFailure", Operation, "Hardware accelerator returned a bad result.";
    DatabaseBufferDependenciesCorrupted = -255, "JET_errDatabaseBufferDependenciesCorrupted", Corruption, "Page flush ordering information is inconsistent during recovery.";
    WrnRemainingVersions = 321, "JET_wrnRemainingVersions", State, "Version store still holds entries that could not be cleaned.";
    PreviousVersion = -322, "JET_errPreviousVersion", Corruption, "An older row version already exists; seen when redo fails.";
    PageBoundary = -323, "JET_errPageBoundary", Unknown, "Internal scan signal: end of page reached.";
    KeyBoundary = -324, "JET_errKeyBoundary", Unknown, "Internal scan signal: key changed.";
    BadPageLink = -327, "JET_errBadPageLink", Corruption, "Sibling page pointers disagree; B-tree corrupt.";
    BadBookmark = -328, "JET_errBadBookmark", Unknown, "Bookmark does not resolve to a node.";
    NTSystemCallFailed = -334, "JET_errNTSystemCallFailed", Operation, "Unclassified operating system failure.";
    BadParentPageLink = -338, "JET_errBadParentPageLink", Corruption, "Child is not referenced properly by its parent page.";
    SPAvailExtCacheOutOfSync = -340, "JET_errSPAvailExtCacheOutOfSync", Unknown, "In-memory free-extent cache differs from the available-extent tree.";
    SPAvailExtCorrupted = -341, "JET_errSPAvailExtCorrupted", Corruption, "Available-extent space tree is damaged.";
    SPAvailExtCacheOutOfMemory = -342, "JET_errSPAvailExtCacheOutOfMemory", Unknown, "No memory for a free-extent cache node.";
    SPOwnExtCorrupted = -343, "JET_errSPOwnExtCorrupted", Corruption, "Owned-extent space tree is damaged.";
    DbTimeCorrupted = -344, "JET_errDbTimeCorrupted", Corruption, "A page carries a dbtime beyond the database dbtime.";
    WrnUniqueKey = 345, "JET_wrnUniqueKey", State, "Equal seek with uniqueness check landed on a key having no duplicates.";
    KeyTruncated = -346, "JET_errKeyTruncated", State, "Normalized key exceeded its limit on an index created to reject truncation.";
    DatabaseLeakInSpace = -348, "JET_errDatabaseLeakInSpace", State, "Pages became unreachable from the space trees.";
    BadEmptyPage = -351, "JET_errBadEmptyPage", Corruption, "A page that must hold nodes was empty.";
    BadLineCount = -354, "JET_errBadLineCount", Corruption, "Page has fewer tags than the operation expects.";
    PageTagCorrupted = -357, "JET_errPageTagCorrupted", Corruption, "Page tag array entry is out of bounds or miscounted.";
    NodeCorrupted = -358, "JET_errNodeCorrupted", Corruption, "Node key prefix or suffix sizes do not fit the line.";
    WrnSeparateLongValue = 406, "JET_wrnSeparateLongValue", State, "The returned value lives in the long-value tree.";
    WrnSeekNotEqual = 1039, "JET_wrnSeekNotEqual", State, "The seek found a neighbour of the key, not the key itself.";
    ColumnIllegalNull = -1504, "JET_errColumnIllegalNull", Usage, "Alias of JET_errNullInvalid.";
    KeyTooBig = -408, "JET_errKeyTooBig", Unknown, "Key being built exceeds the engine key size.";
    CannotSeparateIntrinsicLV = -416, "JET_errCannotSeparateIntrinsicLV", Usage, "Caller asked to keep a long value in-record but it cannot fit.";
    SeparatedLongValue = -421, "JET_errSeparatedLongValue", State, "Operation needs an in-record value but the value is in the LV tree.";
    MustBeSeparateLongValue = -423, "JET_errMustBeSeparateLongValue", Usage, "Preread requested for a column that can never be stored separately.";
    InvalidPreread = -424, "JET_errInvalidPreread", Usage, "Long-value preread is refused while a secondary index is current.";
    InvalidColumnReference = -426, "JET_errInvalidColumnReference", State, "Column reference blob is malformed.";
    StaleColumnReference = -427, "JET_errStaleColumnReference", State, "Column reference blob points to data that changed since.";
    WrnNoMoreRecords = 428, "JET_wrnNoMoreRecords", State, "Record stream exhausted.";
    CompressionIntegrityCheckFailed = -431, "JET_errCompressionIntegrityCheckFailed", Corruption, "Round trip check of compressed data failed.";
    WrnIndexDeferredPopulateIncomplete = 432, "JET_wrnIndexDeferredPopulateIncomplete", State, "Deferred index build has more rows to process.";
    WrnIndexDeferredPopulateHalted = 433, "JET_wrnIndexDeferredPopulateHalted", State, "Deferred index build stopped early.";
    IndexDeferredPopulateCurrentlyUnavailable = -434, "JET_errIndexDeferredPopulateCurrentlyUnavailable", State, "Deferred index build may not run now.";
    InvalidLoggedOperation = -500, "JET_errInvalidLoggedOperation", Unknown, "A log record cannot be replayed.";
    LogFileCorrupt = -501, "JET_errLogFileCorrupt", Corruption, "Log file contents are invalid.";
    NoBackupDirectory = -503, "JET_errNoBackupDirectory", Usage, "Backup or restore path was not supplied.";
    BackupDirectoryNotEmpty = -504, "JET_errBackupDirectoryNotEmpty", Usage, "Destination folder already holds files.";
    BackupInProgress = -505, "JET_errBackupInProgress", State, "A backup is already active for the instance.";
    RestoreInProgress = -506, "JET_errRestoreInProgress", State, "A restore is already active.";
    MissingPreviousLogFile = -509, "JET_errMissingPreviousLogFile", Corruption, "A log older than the current one is needed and absent.";
    LogWriteFail = -510, "JET_errLogWriteFail", IO, "Writing the log failed; the instance becomes unusable.";
    LogDisabledDueToRecoveryFailure = -511, "JET_errLogDisabledDueToRecoveryFailure", Fatal, "Logging was turned off after recovery failed.";
    CannotLogDuringRecoveryRedo = -512, "JET_errCannotLogDuringRecoveryRedo", State, "An update was attempted while replaying.";
    LogGenerationMismatch = -513, "JET_errLogGenerationMismatch", Inconsistent, "File name and generation in the log header differ.";
    BadLogVersion = -514, "JET_errBadLogVersion", Inconsistent, "Log format version not understood.";
    InvalidLogSequence = -515, "JET_errInvalidLogSequence", Corruption, "Creation time chain between consecutive logs is broken.";
    LoggingDisabled = -516, "JET_errLoggingDisabled", Usage, "Operation needs logging, which is off.";
    LogBufferTooSmall = -517, "JET_errLogBufferTooSmall", Usage, "One log record does not fit the log buffer or file.";
    LogSequenceEnd = -519, "JET_errLogSequenceEnd", Fragmentation, "No generation number left.";
    NoBackup = -520, "JET_errNoBackup", State, "No backup is active.";
    InvalidBackupSequence = -521, "JET_errInvalidBackupSequence", Usage, "Backup calls issued in the wrong order.";
    BackupNotAllowedYet = -523, "JET_errBackupNotAllowedYet", State, "Backup cannot start yet, for example during recovery.";
    DeleteBackupFileFail = -524, "JET_errDeleteBackupFileFail", IO, "Removing an old backup file failed.";
    MakeBackupDirectoryFail = -525, "JET_errMakeBackupDirectoryFail", IO, "Creating the temporary backup folder failed.";
    InvalidBackup = -526, "JET_errInvalidBackup", Usage, "Incremental backup refused because circular logging is on.";
    RecoveredWithErrors = -527, "JET_errRecoveredWithErrors", State, "Restore finished but with problems.";
    MissingLogFile = -528, "JET_errMissingLogFile", Corruption, "A log file needed is not on disk.";
    LogDiskFull = -529, "JET_errLogDiskFull", Disk, "Log volume has no space.";
    BadLogSignature = -530, "JET_errBadLogSignature", Inconsistent, "Log stream signature mismatch.";
    BadDbSignature = -531, "JET_errBadDbSignature", Unknown, "Database signature mismatch.";
    BadCheckpointSignature = -532, "JET_errBadCheckpointSignature", Inconsistent, "Checkpoint signature mismatch.";
    CheckpointCorrupt = -533, "JET_errCheckpointCorrupt", Corruption, "Checkpoint file unreadable.";
    MissingPatchPage = -534, "JET_errMissingPatchPage", Unknown, "Patch page required by restore is missing.";
    BadPatchPage = -535, "JET_errBadPatchPage", Inconsistent, "Patch page is damaged.";
    RedoAbruptEnded = -536, "JET_errRedoAbruptEnded", Corruption, "Replay stopped because a log could not be read.";
    PatchFileMissing = -538, "JET_errPatchFileMissing", Unknown, "Backup set lacks its patch file.";
    DatabaseLogSetMismatch = -539, "JET_errDatabaseLogSetMismatch", Inconsistent, "Database belongs to a different log stream.";
    DatabaseStreamingFileMismatch = -540, "JET_errDatabaseStreamingFileMismatch", Unknown, "Database and its (obsolete) streaming file disagree.";
    LogFileSizeMismatch = -541, "JET_errLogFileSizeMismatch", Usage, "Existing log size differs from the configured size.";
    CheckpointFileNotFound = -542, "JET_errCheckpointFileNotFound", Inconsistent, "Checkpoint file not found.";
    RequiredLogFilesMissing = -543, "JET_errRequiredLogFilesMissing", Inconsistent, "Logs mandatory for consistency are absent.";
    SoftRecoveryOnBackupDatabase = -544, "JET_errSoftRecoveryOnBackupDatabase", Usage, "A backup copy needs restore rather than plain recovery.";
    LogFileSizeMismatchDatabasesConsistent = -545, "JET_errLogFileSizeMismatchDatabasesConsistent", State, "Recovery succeeded but logs have another size than configured; remove them.";
    LogSectorSizeMismatch = -546, "JET_errLogSectorSizeMismatch", Fragmentation, "Log sector size differs from the volume.";
    LogSectorSizeMismatchDatabasesConsistent = -547, "JET_errLogSectorSizeMismatchDatabasesConsistent", State, "Recovery succeeded but log sector size differs from the volume.";
    LogSequenceEndDatabasesConsistent = -548, "JET_errLogSequenceEndDatabasesConsistent", Fragmentation, "Recovery succeeded but all generation numbers are used up.";
    StreamingDataNotLogged = -549, "JET_errStreamingDataNotLogged", Unknown, "Replay hit unlogged streaming-file data.";
    DatabaseDirtyShutdown = -550, "JET_errDatabaseDirtyShutdown", Inconsistent, "Database file is not clean; replay logs first.";
    ConsistentTimeMismatch = -551, "JET_errConsistentTimeMismatch", Inconsistent, "Last-consistent time recorded in log and database differ.";
    DatabasePatchFileMismatch = -552, "JET_errDatabasePatchFileMismatch", Unknown, "Patch file belongs to another backup.";
    EndingRestoreLogTooLow = -553, "JET_errEndingRestoreLogTooLow", Inconsistent, "Given restore range ends too early.";
    StartingRestoreLogTooHigh = -554, "JET_errStartingRestoreLogTooHigh", Inconsistent, "Given restore range starts too late.";
    GivenLogFileHasBadSignature = -555, "JET_errGivenLogFileHasBadSignature", Inconsistent, "A log in the restore set has the wrong signature.";
    GivenLogFileIsNotContiguous = -556, "JET_errGivenLogFileIsNotContiguous", Inconsistent, "Logs in the restore set leave a gap.";
    MissingRestoreLogFiles = -557, "JET_errMissingRestoreLogFiles", Inconsistent, "Restore set lacks some logs.";
    WrnExistingLogFileHasBadSignature = 558, "JET_wrnExistingLogFileHasBadSignature", Unknown, "A log already on disk has the wrong signature.";
    WrnExistingLogFileIsNotContiguous = 559, "JET_wrnExistingLogFileIsNotContiguous", Unknown, "Logs already on disk leave a gap.";
    MissingFullBackup = -560, "JET_errMissingFullBackup", State, "Incremental backup without a preceding full one.";
    BadBackupDatabaseSize = -561, "JET_errBadBackupDatabaseSize", Unknown, "Backup file length is not a page multiple.";
    DatabaseAlreadyUpgraded = -562, "JET_errDatabaseAlreadyUpgraded", State, "Database is already at the current format.";
    DatabaseIncompleteUpgrade = -563, "JET_errDatabaseIncompleteUpgrade", State, "Format upgrade was interrupted; restore needed.";
    WrnSkipThisRecord = 564, "JET_wrnSkipThisRecord", Unknown, "Internal control flow code.";
    MissingCurrentLogFiles = -565, "JET_errMissingCurrentLogFiles", Inconsistent, "Current logs needed to continue a restore are absent.";
    DbTimeTooOld = -566, "JET_errDbTimeTooOld", Corruption, "Page is older than the redo record expects (lost write).";
    DbTimeTooNew = -567, "JET_errDbTimeTooNew", Corruption, "Page is newer than the redo record expects.";
    MissingFileToBackup = -569, "JET_errMissingFileToBackup", Inconsistent, "A log or patch file vanished while backing up.";
    LogTornWriteDuringHardRestore = -570, "JET_errLogTornWriteDuringHardRestore", Corruption, "Partial log write found inside a backup set.";
    LogTornWriteDuringHardRecovery = -571, "JET_errLogTornWriteDuringHardRecovery", Corruption, "Partial log write found while rolling forward past the backup set.";
    LogCorruptDuringHardRestore = -573, "JET_errLogCorruptDuringHardRestore", Corruption, "Damaged log inside a backup set.";
    LogCorruptDuringHardRecovery = -574, "JET_errLogCorruptDuringHardRecovery", Corruption, "Damaged log while rolling forward past the backup set.";
    MustDisableLoggingForDbUpgrade = -575, "JET_errMustDisableLoggingForDbUpgrade", Unknown, "Upgrade requires logging off.";
    BadRestoreTargetInstance = -577, "JET_errBadRestoreTargetInstance", Usage, "Restore target instance unknown or its logs do not match.";
    WrnTargetInstanceRunning = 578, "JET_wrnTargetInstanceRunning", State, "Restore target instance is live.";
    RecoveredWithoutUndo = -579, "JET_errRecoveredWithoutUndo", State, "Replay finished and undo was skipped on request.";
    DatabasesNotFromSameSnapshot = -580, "JET_errDatabasesNotFromSameSnapshot", Unknown, "Databases come from different shadow copies.";
    SoftRecoveryOnSnapshot = -581, "JET_errSoftRecoveryOnSnapshot", Unknown, "Plain recovery attempted on a shadow-copy backup.";
    CommittedLogFilesMissing = -582, "JET_errCommittedLogFilesMissing", Corruption, "Logs holding committed work are absent; data loss unless ignored by flag.";
    SectorSizeNotSupported = -583, "JET_errSectorSizeNotSupported", Fatal, "Disk sector size is not usable for this file kind.";
    RecoveredWithoutUndoDatabasesConsistent = -584, "JET_errRecoveredWithoutUndoDatabasesConsistent", State, "Undo was to be skipped but there was nothing to undo.";
    WrnCommittedLogFilesLost = 585, "JET_wrnCommittedLogFilesLost", State, "Recovery succeeded while dropping committed logs by request.";
    CommittedLogFileCorrupt = -586, "JET_errCommittedLogFileCorrupt", Corruption, "Log with committed work is damaged; data loss unless ignored by flag.";
    WrnCommittedLogFilesRemoved = 587, "JET_wrnCommittedLogFilesRemoved", State, "Recovery succeeded and damaged committed logs were deleted.";
    WrnFinishWithUndo = 588, "JET_wrnFinishWithUndo", State, "Callback return meaning recovery should run undo.";
    LogSequenceChecksumMismatch = -590, "JET_errLogSequenceChecksumMismatch", Corruption, "Running segment checksum does not match the following log.";
    WrnDatabaseRepaired = 595, "JET_wrnDatabaseRepaired", State, "Repair changed the database.";
    PageInitializedMismatch = -596, "JET_errPageInitializedMismatch", Corruption, "Passive copy divergence: page blank on one side only.";
    UnicodeTranslationBufferTooSmall = -601, "JET_errUnicodeTranslationBufferTooSmall", State, "Collation key buffer too small.";
    UnicodeTranslationFail = -602, "JET_errUnicodeTranslationFail", Operation, "Producing a collation key failed.";
    UnicodeNormalizationNotSupported = -603, "JET_errUnicodeNormalizationNotSupported", Usage, "Platform offers no Unicode normalization.";
    UnicodeLanguageValidationFailure = -604, "JET_errUnicodeLanguageValidationFailure", Operation, "Locale could not be validated.";
    ExistingLogFileHasBadSignature = -610, "JET_errExistingLogFileHasBadSignature", Inconsistent, "A log already on disk has the wrong signature (error form).";
    ExistingLogFileIsNotContiguous = -611, "JET_errExistingLogFileIsNotContiguous", Inconsistent, "Logs already on disk leave a gap (error form).";
    LogReadVerifyFailure = -612, "JET_errLogReadVerifyFailure", Corruption, "Log checksum failed while copying it to a backup.";
    CheckpointDepthTooDeep = -614, "JET_errCheckpointDepthTooDeep", Quota, "Checkpoint lags too many generations behind; updates are refused.";
    RestoreOfNonBackupDatabase = -615, "JET_errRestoreOfNonBackupDatabase", Usage, "Hard restore attempted on a non-backup file.";
    LogFileNotCopied = -616, "JET_errLogFileNotCopied", Usage, "Truncation refused: needed logs have not been copied.";
    SurrogateBackupInProgress = -617, "JET_errSurrogateBackupInProgress", State, "A surrogate backup is active.";
    TransactionTooLong = -618, "JET_errTransactionTooLong", Quota, "Transaction spans too many log generations.";
    EngineFormatVersionNoLongerSupportedTooLow = -619, "JET_errEngineFormatVersionNoLongerSupportedTooLow", Usage, "Requested engine format version is too old.";
    EngineFormatVersionNotYetImplementedTooHigh = -620, "JET_errEngineFormatVersionNotYetImplementedTooHigh", Usage, "Requested engine format version is unknown to this engine.";
    EngineFormatVersionParamTooLowForRequestedFeature = -621, "JET_errEngineFormatVersionParamTooLowForRequestedFeature", Usage, "Feature needs a higher engine format version than configured.";
    EngineFormatVersionSpecifiedTooLowForLogVersion = -622, "JET_errEngineFormatVersionSpecifiedTooLowForLogVersion", State, "Logs are already newer than the configured format version.";
    EngineFormatVersionSpecifiedTooLowForDatabaseVersion = -623, "JET_errEngineFormatVersionSpecifiedTooLowForDatabaseVersion", State, "Database is already newer than the configured format version.";
    DbTimeBeyondMaxRequired = -625, "JET_errDbTimeBeyondMaxRequired", Corruption, "Page is newer than the record and the record lies outside the required range.";
    LogOperationInconsistentWithDatabase = -626, "JET_errLogOperationInconsistentWithDatabase", Corruption, "Log record cannot apply to the present database state.";
    BackupAbortByServer = -801, "JET_errBackupAbortByServer", Operation, "Backup was cancelled by stop-backup or by shutdown.";
    InvalidGrbit = -900, "JET_errInvalidGrbit", Usage, "Unknown or contradictory flag bits.";
    TermInProgress = -1000, "JET_errTermInProgress", Operation, "Instance is shutting down.";
    FeatureNotAvailable = -1001, "JET_errFeatureNotAvailable", Usage, "Call exists but is not supported here.";
    InvalidName = -1002, "JET_errInvalidName", Usage, "Object name breaks the naming rules.";
    InvalidParameter = -1003, "JET_errInvalidParameter", Usage, "Bad argument.";
    WrnColumnNull = 1004, "JET_wrnColumnNull", State, "Requested column instance is NULL.";
    WrnBufferTruncated = 1006, "JET_wrnBufferTruncated", State, "Output buffer was too small; partial data returned.";
    WrnDatabaseAttached = 1007, "JET_wrnDatabaseAttached", State, "Database was attached already; call is a no-op.";
    DatabaseFileReadOnly = -1008, "JET_errDatabaseFileReadOnly", Usage, "Write attach or open on a read-only file or read-only attachment.";
    WrnSortOverflow = 1009, "JET_wrnSortOverflow", Memory, "Sort spilled to disk.";
    InvalidDatabaseId = -1010, "JET_errInvalidDatabaseId", Usage, "dbid not open in this session.";
    OutOfMemory = -1011, "JET_errOutOfMemory", Memory, "Allocation failed.";
    OutOfDatabaseSpace = -1012, "JET_errOutOfDatabaseSpace", Quota, "Database hit its maximum size.";
    OutOfCursors = -1013, "JET_errOutOfCursors", Memory, "Cursor quota exhausted.";
    OutOfBuffers = -1014, "JET_errOutOfBuffers", Memory, "Page cache has no free buffer.";
    TooManyIndexes = -1015, "JET_errTooManyIndexes", Usage, "Index count limit of the table reached.";
    TooManyKeys = -1016, "JET_errTooManyKeys", Usage, "Index definition lists too many columns.";
    RecordDeleted = -1017, "JET_errRecordDeleted", State, "Row under the cursor or bookmark no longer exists.";
    ReadVerifyFailure = -1018, "JET_errReadVerifyFailure", Corruption, "Page checksum mismatch.";
    PageNotInitialized = -1019, "JET_errPageNotInitialized", Corruption, "A page read is all zero.";
    OutOfFileHandles = -1020, "JET_errOutOfFileHandles", Memory, "OS handle limit reached.";
    DiskReadVerificationFailure = -1021, "JET_errDiskReadVerificationFailure", Corruption, "Drive reported a CRC error.";
    DiskIO = -1022, "JET_errDiskIO", IO, "Generic I/O failure.";
    InvalidPath = -1023, "JET_errInvalidPath", Usage, "Path does not exist or is malformed.";
    InvalidSystemPath = -1024, "JET_errInvalidSystemPath", Usage, "Checkpoint folder unusable.";
    InvalidLogDirectory = -1025, "JET_errInvalidLogDirectory", Usage, "Log folder unusable.";
    RecordTooBig = -1026, "JET_errRecordTooBig", State, "Row exceeds the page-size-based limit.";
    TooManyOpenDatabases = -1027, "JET_errTooManyOpenDatabases", Unknown, "Database open limit reached.";
    InvalidDatabase = -1028, "JET_errInvalidDatabase", Usage, "File is not an ESE database (obsolete).";
    NotInitialized = -1029, "JET_errNotInitialized", Usage, "Instance not initialized.";
    AlreadyInitialized = -1030, "JET_errAlreadyInitialized", Usage, "Instance already initialized, or a setting came too late.";
    InitInProgress = -1031, "JET_errInitInProgress", Operation, "Instance initialization is under way.";
    FileAccessDenied = -1032, "JET_errFileAccessDenied", IO, "OS denied access, commonly a sharing conflict.";
    QueryNotSupported = -1034, "JET_errQueryNotSupported", Usage, "Legacy query feature missing.";
    SQLLinkNotSupported = -1035, "JET_errSQLLinkNotSupported", Unknown, "Legacy linked-table feature missing.";
    BufferTooSmall = -1038, "JET_errBufferTooSmall", State, "Output buffer too small and nothing useful was returned.";
    TooManyColumns = -1040, "JET_errTooManyColumns", Usage, "Column count limit reached.";
    ContainerNotEmpty = -1043, "JET_errContainerNotEmpty", Unknown, "Legacy container still has objects.";
    InvalidFilename = -1044, "JET_errInvalidFilename", Unknown, "File name malformed.";
    InvalidBookmark = -1045, "JET_errInvalidBookmark", Usage, "Bookmark argument is empty or malformed.";
    ColumnInUse = -1046, "JET_errColumnInUse", Usage, "Column takes part in an index.";
    InvalidBufferSize = -1047, "JET_errInvalidBufferSize", State, "Data length does not equal the fixed column size.";
    ColumnNotUpdatable = -1048, "JET_errColumnNotUpdatable", Usage, "Engine-owned column cannot be written.";
    IndexInUse = -1051, "JET_errIndexInUse", State, "Index has open users, so it cannot be dropped.";
    LinkNotSupported = -1052, "JET_errLinkNotSupported", Unknown, "Legacy link feature missing.";
    NullKeyDisallowed = -1053, "JET_errNullKeyDisallowed", Usage, "Key is NULL on an index that forbids NULL.";
    NotInTransaction = -1054, "JET_errNotInTransaction", Usage, "Call requires an open transaction.";
    WrnNoErrorInfo = 1055, "JET_wrnNoErrorInfo", Unknown, "No extended error data.";
    MustRollback = -1057, "JET_errMustRollback", Usage, "Only rollback is possible after this unversioned failure.";
    WrnNoIdleActivity = 1058, "JET_wrnNoIdleActivity", Usage, "Nothing to do during idle processing.";
    TooManyActiveUsers = -1059, "JET_errTooManyActiveUsers", Usage, "Legacy user limit.";
    InvalidCountry = -1061, "JET_errInvalidCountry", Unknown, "Country code rejected.";
    InvalidLanguageId = -1062, "JET_errInvalidLanguageId", Usage, "LCID or locale name rejected.";
    InvalidCodePage = -1063, "JET_errInvalidCodePage", Usage, "Text column code page is neither 1252 nor 1200.";
    InvalidLCMapStringFlags = -1064, "JET_errInvalidLCMapStringFlags", Usage, "Collation mapping flags rejected.";
    VersionStoreEntryTooBig = -1065, "JET_errVersionStoreEntryTooBig", Usage, "A version entry does not fit a version bucket.";
    VersionStoreOutOfMemoryAndCleanupTimedOut = -1066, "JET_errVersionStoreOutOfMemoryAndCleanupTimedOut", Usage, "Version store full and cleanup did not finish.";
    WrnNoWriteLock = 1067, "JET_wrnNoWriteLock", Unknown, "Write lock asked for outside a transaction; lock not held.";
    WrnColumnSetNull = 1068, "JET_wrnColumnSetNull", State, "Value was stored as NULL.";
    VersionStoreOutOfMemory = -1069, "JET_errVersionStoreOutOfMemory", Quota, "Version store full, usually a long transaction.";
    CurrencyStackOutOfMemory = -1070, "JET_errCurrencyStackOutOfMemory", Unknown, "Unused.";
    CannotIndex = -1071, "JET_errCannotIndex", Usage, "Escrow column cannot be indexed.";
    RecordNotDeleted = -1072, "JET_errRecordNotDeleted", Operation, "Row unexpectedly still exists.";
    TooManyMempoolEntries = -1073, "JET_errTooManyMempoolEntries", Memory, "Definition has too many variable parts.";
    OutOfObjectIDs = -1074, "JET_errOutOfObjectIDs", Fragmentation, "Object id space of the database exhausted.";
    OutOfLongValueIDs = -1075, "JET_errOutOfLongValueIDs", Fragmentation, "Long-value id counter of the table exhausted.";
    OutOfAutoincrementValues = -1076, "JET_errOutOfAutoincrementValues", Fragmentation, "Auto-increment counter exhausted.";
    OutOfDbtimeValues = -1077, "JET_errOutOfDbtimeValues", Fragmentation, "dbtime counter exhausted.";
    OutOfSequentialIndexValues = -1078, "JET_errOutOfSequentialIndexValues", Fragmentation, "Implicit primary key counter exhausted.";
    RunningInOneInstanceMode = -1080, "JET_errRunningInOneInstanceMode", Usage, "Multi-instance call while in single-instance mode.";
    RunningInMultiInstanceMode = -1081, "JET_errRunningInMultiInstanceMode", Usage, "Single-instance call while in multi-instance mode.";
    SystemParamsAlreadySet = -1082, "JET_errSystemParamsAlreadySet", State, "Global parameters were fixed already.";
    SystemPathInUse = -1083, "JET_errSystemPathInUse", Usage, "System folder used by another instance.";
    LogFilePathInUse = -1084, "JET_errLogFilePathInUse", Usage, "Log folder used by another instance.";
    TempPathInUse = -1085, "JET_errTempPathInUse", Usage, "Temporary database path used by another instance.";
    InstanceNameInUse = -1086, "JET_errInstanceNameInUse", Usage, "Instance name taken.";
    SystemParameterConflict = -1087, "JET_errSystemParameterConflict", Usage, "Global parameters were fixed with different values.";
    InstanceUnavailable = -1090, "JET_errInstanceUnavailable", Fatal, "Instance is dead after a fatal error; terminate it.";
    DatabaseUnavailable = -1091, "JET_errDatabaseUnavailable", Unknown, "Database is dead after a fatal error.";
    InstanceUnavailableDueToFatalLogDiskFull = -1092, "JET_errInstanceUnavailableDueToFatalLogDiskFull", Fatal, "Instance is dead because logging ran out of disk at a point that must not fail.";
    InvalidSesparamId = -1093, "JET_errInvalidSesparamId", Usage, "Unknown session parameter id.";
    TooManyRecords = -1094, "JET_errTooManyRecords", State, "Count needs the 64-bit API.";
    InvalidDbparamId = -1095, "JET_errInvalidDbparamId", Usage, "Unknown database parameter id.";
    OutOfSessions = -1101, "JET_errOutOfSessions", Memory, "Session quota exhausted.";
    WriteConflict = -1102, "JET_errWriteConflict", State, "Row is modified or locked by a concurrent transaction, or changed after the snapshot.";
    TransTooDeep = -1103, "JET_errTransTooDeep", Usage, "Nesting level limit (7) exceeded.";
    InvalidSesid = -1104, "JET_errInvalidSesid", Usage, "Bad session handle.";
    WriteConflictPrimaryIndex = -1105, "JET_errWriteConflictPrimaryIndex", State, "Update while another session builds the primary index.";
    InTransaction = -1108, "JET_errInTransaction", Usage, "Call is not allowed inside a transaction.";
    RollbackRequired = -1109, "JET_errRollbackRequired", Unknown, "Session may only roll back.";
    TransReadOnly = -1110, "JET_errTransReadOnly", Usage, "Update inside a read-only transaction.";
    SessionWriteConflict = -1111, "JET_errSessionWriteConflict", Usage, "Two cursors of one session are replacing the same row.";
    RecordTooBigForBackwardCompatibility = -1112, "JET_errRecordTooBigForBackwardCompatibility", State, "Row would not fit the ESE97 layout.";
    CannotMaterializeForwardOnlySort = -1113, "JET_errCannotMaterializeForwardOnlySort", Usage, "Forward-only temp table options require a B-tree.";
    SesidTableIdMismatch = -1114, "JET_errSesidTableIdMismatch", Usage, "Cursor belongs to another session.";
    InvalidInstance = -1115, "JET_errInvalidInstance", Usage, "Bad instance handle.";
    DirtyShutdown = -1116, "JET_errDirtyShutdown", State, "Shutdown done, databases deliberately left dirty.";
    ReadPgnoVerifyFailure = -1118, "JET_errReadPgnoVerifyFailure", Corruption, "Page read carries another page number.";
    ReadLostFlushVerifyFailure = -1119, "JET_errReadLostFlushVerifyFailure", Corruption, "Page read is an old image; an earlier write was lost.";
    FileSystemCorruption = -1121, "JET_errFileSystemCorruption", Corruption, "File system reports damage.";
    WrnShrinkNotPossible = 1122, "JET_wrnShrinkNotPossible", State, "File could not be shrunk.";
    RecoveryVerifyFailure = -1123, "JET_errRecoveryVerifyFailure", Corruption, "Pages read in recovery are not in the expected state.";
    FilteredMoveNotSupported = -1124, "JET_errFilteredMoveNotSupported", Usage, "Cursor filter combined with something it does not support.";
    MustCommitDistributedTransactionToLevel0 = -1150, "JET_errMustCommitDistributedTransactionToLevel0", Unknown, "Two-phase prepare at a nested level.";
    DistributedTransactionAlreadyPreparedToCommit = -1151, "JET_errDistributedTransactionAlreadyPreparedToCommit", Unknown, "Update after two-phase prepare.";
    NotInDistributedTransaction = -1152, "JET_errNotInDistributedTransaction", Unknown, "Prepare on an ordinary transaction.";
    DistributedTransactionNotYetPreparedToCommit = -1153, "JET_errDistributedTransactionNotYetPreparedToCommit", Unknown, "Commit before prepare.";
    CannotNestDistributedTransactions = -1154, "JET_errCannotNestDistributedTransactions", Unknown, "Distributed begin above level 0.";
    DTCMissingCallback = -1160, "JET_errDTCMissingCallback", Unknown, "No coordinator callback configured.";
    DTCMissingCallbackOnRecovery = -1161, "JET_errDTCMissingCallbackOnRecovery", Unknown, "No coordinator callback configured for replay.";
    DTCCallbackUnexpectedError = -1162, "JET_errDTCCallbackUnexpectedError", Unknown, "Coordinator callback misbehaved.";
    WrnDTCCommitTransaction = 1163, "JET_wrnDTCCommitTransaction", Unknown, "Coordinator answer: commit.";
    WrnDTCRollbackTransaction = 1164, "JET_wrnDTCRollbackTransaction", Unknown, "Coordinator answer: roll back.";
    DatabaseDuplicate = -1201, "JET_errDatabaseDuplicate", Usage, "Database file exists already.";
    DatabaseInUse = -1202, "JET_errDatabaseInUse", Usage, "Database is open, so the operation cannot proceed.";
    DatabaseNotFound = -1203, "JET_errDatabaseNotFound", Usage, "Database is not attached.";
    DatabaseInvalidName = -1204, "JET_errDatabaseInvalidName", Usage, "Database name rejected.";
    DatabaseInvalidPages = -1205, "JET_errDatabaseInvalidPages", Usage, "Page count rejected.";
    DatabaseCorrupted = -1206, "JET_errDatabaseCorrupted", Corruption, "File is damaged or not a database.";
    DatabaseLocked = -1207, "JET_errDatabaseLocked", Usage, "Another user holds the database exclusively.";
    CannotDisableVersioning = -1208, "JET_errCannotDisableVersioning", Usage, "Versioning cannot be turned off here.";
    InvalidDatabaseVersion = -1209, "JET_errInvalidDatabaseVersion", Inconsistent, "Database format not supported by this engine.";
    Database200Format = -1210, "JET_errDatabase200Format", Unknown, "Very old (200) format.";
    Database400Format = -1211, "JET_errDatabase400Format", Unknown, "Very old (400) format.";
    Database500Format = -1212, "JET_errDatabase500Format", Unknown, "Very old (500) format.";
    PageSizeMismatch = -1213, "JET_errPageSizeMismatch", Inconsistent, "Database page size differs from the configured one.";
    TooManyInstances = -1214, "JET_errTooManyInstances", Quota, "Instance limit reached.";
    DatabaseSharingViolation = -1215, "JET_errDatabaseSharingViolation", Usage, "Database is in use by another instance.";
    AttachedDatabaseMismatch = -1216, "JET_errAttachedDatabaseMismatch", Inconsistent, "Database file does not match the attachment recorded in the log.";
    DatabaseInvalidPath = -1217, "JET_errDatabaseInvalidPath", Usage, "Database path illegal.";
    DatabaseIdInUse = -1218, "JET_errDatabaseIdInUse", Unknown, "Database id already assigned.";
    ForceDetachNotAllowed = -1219, "JET_errForceDetachNotAllowed", Usage, "Forced detach permitted only after a failed plain detach.";
    CatalogCorrupted = -1220, "JET_errCatalogCorrupted", Corruption, "System catalog damaged.";
    PartiallyAttachedDB = -1221, "JET_errPartiallyAttachedDB", Usage, "Earlier attach failed half way.";
    DatabaseSignInUse = -1222, "JET_errDatabaseSignInUse", Usage, "Another attached database has the same signature.";
    DatabaseCorruptedNoRepair = -1224, "JET_errDatabaseCorruptedNoRepair", Usage, "Damaged, and repair is disallowed.";
    InvalidCreateDbVersion = -1225, "JET_errInvalidCreateDbVersion", Inconsistent, "Replayed create used an incompatible version.";
    DatabaseIncompleteIncrementalReseed = -1226, "JET_errDatabaseIncompleteIncrementalReseed", Inconsistent, "Database is mid incremental reseed.";
    DatabaseInvalidIncrementalReseed = -1227, "JET_errDatabaseInvalidIncrementalReseed", Usage, "State does not permit incremental reseed.";
    DatabaseFailedIncrementalReseed = -1228, "JET_errDatabaseFailedIncrementalReseed", State, "Incremental reseed failed; full reseed needed.";
    NoAttachmentsFailedIncrementalReseed = -1229, "JET_errNoAttachmentsFailedIncrementalReseed", State, "Required log lacks attachment info; full reseed needed.";
    DatabaseNotReady = -1230, "JET_errDatabaseNotReady", Usage, "Recovery has not progressed far enough.";
    DatabaseAttachedForRecovery = -1231, "JET_errDatabaseAttachedForRecovery", Usage, "Attached only by recovery; attach explicitly first.";
    TransactionsNotReadyDuringRecovery = -1232, "JET_errTransactionsNotReadyDuringRecovery", State, "Replay has not yet established transaction ids.";
    WrnTableEmpty = 1301, "JET_wrnTableEmpty", Unknown, "Table opened and holds no rows (only when that report was requested).";
    TableLocked = -1302, "JET_errTableLocked", Usage, "Another cursor holds the table in an incompatible mode.";
    TableDuplicate = -1303, "JET_errTableDuplicate", State, "Table name already exists.";
    TableInUse = -1304, "JET_errTableInUse", State, "Table has other users.";
    ObjectNotFound = -1305, "JET_errObjectNotFound", State, "No such table or object.";
    DensityInvalid = -1307, "JET_errDensityInvalid", Usage, "Fill density out of range.";
    TableNotEmpty = -1308, "JET_errTableNotEmpty", Usage, "Table must be empty.";
    InvalidTableId = -1310, "JET_errInvalidTableId", Usage, "Bad cursor handle.";
    TooManyOpenTables = -1311, "JET_errTooManyOpenTables", Quota, "Table descriptor quota exhausted.";
    IllegalOperation = -1312, "JET_errIllegalOperation", Usage, "Operation not applicable to this kind of cursor.";
    TooManyOpenTablesAndCleanupTimedOut = -1313, "JET_errTooManyOpenTablesAndCleanupTimedOut", Usage, "Table descriptor quota exhausted and cleanup lagged.";
    ObjectDuplicate = -1314, "JET_errObjectDuplicate", Unknown, "Object name already exists.";
    InvalidObject = -1316, "JET_errInvalidObject", Unknown, "Object unsuitable for the operation.";
    CannotDeleteTempTable = -1317, "JET_errCannotDeleteTempTable", Usage, "Temporary tables are dropped by closing.";
    CannotDeleteSystemTable = -1318, "JET_errCannotDeleteSystemTable", Usage, "Catalog tables cannot be dropped.";
    CannotDeleteTemplateTable = -1319, "JET_errCannotDeleteTemplateTable", Usage, "Template tables cannot be dropped.";
    ExclusiveTableLockRequired = -1322, "JET_errExclusiveTableLockRequired", Usage, "Cursor must have been opened with deny-read.";
    FixedDDL = -1323, "JET_errFixedDDL", Usage, "Schema of this table is frozen.";
    FixedInheritedDDL = -1324, "JET_errFixedInheritedDDL", Usage, "Inherited schema of a derived table is frozen.";
    CannotNestDDL = -1325, "JET_errCannotNestDDL", Usage, "A derived table cannot itself be a template.";
    DDLNotInheritable = -1326, "JET_errDDLNotInheritable", Usage, "Base table is not a template.";
    WrnTableInUseBySystem = 1327, "JET_wrnTableInUseBySystem", State, "Background cleanup holds the table.";
    InvalidSettings = -1328, "JET_errInvalidSettings", Usage, "Parameter combination invalid.";
    ClientRequestToStopJetService = -1329, "JET_errClientRequestToStopJetService", Operation, "Service stopped by client request.";
    CannotAddFixedVarColumnToDerivedTable = -1330, "JET_errCannotAddFixedVarColumnToDerivedTable", Unknown, "Template reserves fixed/variable columns to itself.";
    IndexCantBuild = -1401, "JET_errIndexCantBuild", Unknown, "Index could not be built (obsolete).";
    IndexHasPrimary = -1402, "JET_errIndexHasPrimary", Usage, "Table already has a primary index.";
    IndexDuplicate = -1403, "JET_errIndexDuplicate", Usage, "Index name exists already.";
    IndexNotFound = -1404, "JET_errIndexNotFound", State, "No such index.";
    IndexMustStay = -1405, "JET_errIndexMustStay", Usage, "Primary index cannot be dropped.";
    IndexInvalidDef = -1406, "JET_errIndexInvalidDef", Usage, "Index definition contradictory or malformed.";
    InvalidCreateIndex = -1409, "JET_errInvalidCreateIndex", Usage, "Create-index argument structure malformed.";
    TooManyOpenIndexes = -1410, "JET_errTooManyOpenIndexes", Memory, "Index descriptor quota exhausted.";
    MultiValuedIndexViolation = -1411, "JET_errMultiValuedIndexViolation", Usage, "One row yields duplicate entries in a unique multi-valued index.";
    IndexBuildCorrupted = -1412, "JET_errIndexBuildCorrupted", Corruption, "Built secondary index does not match the primary.";
    PrimaryIndexCorrupted = -1413, "JET_errPrimaryIndexCorrupted", Corruption, "Primary index unusable, possibly only a collation version change.";
    SecondaryIndexCorrupted = -1414, "JET_errSecondaryIndexCorrupted", Corruption, "Secondary index unusable, possibly only a collation version change.";
    WrnCorruptIndexDeleted = 1415, "JET_wrnCorruptIndexDeleted", State, "Outdated index was dropped at attach.";
    InvalidIndexId = -1416, "JET_errInvalidIndexId", Usage, "Index id stale or malformed.";
    WrnPrimaryIndexOutOfDate = 1417, "JET_wrnPrimaryIndexOutOfDate", Corruption, "Primary index uses an old sort version.";
    WrnSecondaryIndexOutOfDate = 1418, "JET_wrnSecondaryIndexOutOfDate", Corruption, "A secondary index uses an old sort version.";
    CantUseDeferredPopulateIndex = -1419, "JET_errCantUseDeferredPopulateIndex", Usage, "Deferred index is not completely built.";
    IndexTuplesSecondaryIndexOnly = -1430, "JET_errIndexTuplesSecondaryIndexOnly", Usage, "Tuple index cannot be primary.";
    IndexTuplesTooManyColumns = -1431, "JET_errIndexTuplesTooManyColumns", Usage, "Tuple index has too many columns.";
    IndexTuplesNonUniqueOnly = -1432, "JET_errIndexTuplesNonUniqueOnly", Usage, "Tuple index cannot be unique.";
    IndexTuplesTextBinaryColumnsOnly = -1433, "JET_errIndexTuplesTextBinaryColumnsOnly", Usage, "Tuple index first column must be text or binary.";
    IndexTuplesVarSegMacNotAllowed = -1434, "JET_errIndexTuplesVarSegMacNotAllowed", Usage, "Tuple index cannot set a segment cap.";
    IndexTuplesInvalidLimits = -1435, "JET_errIndexTuplesInvalidLimits", Usage, "Tuple length settings invalid.";
    IndexTuplesCannotRetrieveFromIndex = -1436, "JET_errIndexTuplesCannotRetrieveFromIndex", Usage, "Full column cannot be rebuilt from a tuple index.";
    IndexTuplesKeyTooSmall = -1437, "JET_errIndexTuplesKeyTooSmall", Usage, "Search string shorter than the minimum tuple.";
    InvalidLVChunkSize = -1438, "JET_errInvalidLVChunkSize", Usage, "Long-value chunk size not supported.";
    ColumnCannotBeEncrypted = -1439, "JET_errColumnCannotBeEncrypted", Usage, "Column type or default forbids encryption.";
    CannotIndexOnEncryptedColumn = -1440, "JET_errCannotIndexOnEncryptedColumn", Usage, "Encrypted column cannot be indexed.";
    ColumnLong = -1501, "JET_errColumnLong", Unknown, "Column is a long value (obsolete).";
    ColumnNoChunk = -1502, "JET_errColumnNoChunk", Usage, "Long-value chunk missing (obsolete).";
    ColumnDoesNotFit = -1503, "JET_errColumnDoesNotFit", Usage, "Value does not fit the record.";
    ColumnIndexed = -1505, "JET_errColumnIndexed", Unknown, "Column is indexed and cannot be dropped (obsolete).";
    ColumnTooBig = -1506, "JET_errColumnTooBig", Usage, "Value longer than the column maximum.";
    ColumnNotFound = -1507, "JET_errColumnNotFound", Usage, "No such column.";
    ColumnDuplicate = -1508, "JET_errColumnDuplicate", Usage, "Column name exists already.";
    MultiValuedColumnMustBeTagged = -1509, "JET_errMultiValuedColumnMustBeTagged", Usage, "Multi-valued flag needs a tagged column.";
    ColumnRedundant = -1510, "JET_errColumnRedundant", Usage, "Second auto-increment or version column.";
    InvalidColumnType = -1511, "JET_errInvalidColumnType", Usage, "Type not valid here.";
    WrnColumnMaxTruncated = 1512, "JET_wrnColumnMaxTruncated", Usage, "Requested maximum was lowered to the type limit.";
    TaggedNotNULL = -1514, "JET_errTaggedNotNULL", Unknown, "Tagged columns cannot be not-null.";
    NoCurrentIndex = -1515, "JET_errNoCurrentIndex", Usage, "Operation needs an index and the cursor has none.";
    KeyIsMade = -1516, "JET_errKeyIsMade", Usage, "Key is already complete; no more segments accepted.";
    BadColumnId = -1517, "JET_errBadColumnId", Usage, "Column id malformed.";
    BadItagSequence = -1518, "JET_errBadItagSequence", State, "Value ordinal invalid for the column.";
    ColumnInRelationship = -1519, "JET_errColumnInRelationship", Unknown, "Legacy relationship prevents drop.";
    WrnCopyLongValue = 1520, "JET_wrnCopyLongValue", State, "Internal signal: value was burst to the LV tree.";
    CannotBeTagged = -1521, "JET_errCannotBeTagged", Usage, "Auto-increment or version column cannot be tagged.";
    WrnTaggedColumnsRemaining = 1523, "JET_wrnTaggedColumnsRemaining", Unknown, "Buffer ended before all tagged columns were listed.";
    DefaultValueTooBig = -1524, "JET_errDefaultValueTooBig", Usage, "Default value exceeds the limit.";
    MultiValuedDuplicate = -1525, "JET_errMultiValuedDuplicate", State, "Value already present in the unique multi-valued column.";
    LVCorrupted = -1526, "JET_errLVCorrupted", Corruption, "Long-value tree damaged.";
    MultiValuedDuplicateAfterTruncation = -1528, "JET_errMultiValuedDuplicateAfterTruncation", State, "Values equal once normalized and truncated.";
    DerivedColumnCorruption = -1529, "JET_errDerivedColumnCorruption", Corruption, "Derived table refers to a bad column.";
    InvalidPlaceholderColumn = -1530, "JET_errInvalidPlaceholderColumn", Usage, "Column cannot become a primary-key placeholder.";
    WrnColumnSkipped = 1531, "JET_wrnColumnSkipped", State, "Enumeration entry was zero, so skipped.";
    WrnColumnNotLocal = 1532, "JET_wrnColumnNotLocal", State, "Value not on the record page and not fetched.";
    WrnColumnMoreTags = 1533, "JET_wrnColumnMoreTags", State, "More values exist than were asked for.";
    WrnColumnTruncated = 1534, "JET_wrnColumnTruncated", State, "Enumerated value cut at the size cap.";
    WrnColumnPresent = 1535, "JET_wrnColumnPresent", State, "Value exists; presence-only request returned no data.";
    WrnColumnSingleValue = 1536, "JET_wrnColumnSingleValue", State, "Union holds one inline value.";
    WrnColumnDefault = 1537, "JET_wrnColumnDefault", State, "Value equals default and was suppressed.";
    ColumnCannotBeCompressed = -1538, "JET_errColumnCannotBeCompressed", Usage, "Compression allowed only on long text and long binary.";
    WrnColumnNotInRecord = 1539, "JET_wrnColumnNotInRecord", State, "Value lives outside the record and was not fetched.";
    ColumnNoEncryptionKey = -1540, "JET_errColumnNoEncryptionKey", Usage, "Session key for encrypted column missing.";
    WrnColumnReference = 1541, "JET_wrnColumnReference", State, "A reference blob was returned instead of data.";
    RecordNotFound = -1601, "JET_errRecordNotFound", State, "No entry satisfies the seek, range or goto.";
    RecordNoCopy = -1602, "JET_errRecordNoCopy", Usage, "No copy buffer available.";
    NoCurrentRecord = -1603, "JET_errNoCurrentRecord", State, "Cursor is not on a row.";
    RecordPrimaryChanged = -1604, "JET_errRecordPrimaryChanged", Usage, "Replace may not alter primary key columns.";
    KeyDuplicate = -1605, "JET_errKeyDuplicate", State, "Unique index already has this key.";
    AlreadyPrepared = -1607, "JET_errAlreadyPrepared", Usage, "An update is already open on the cursor.";
    KeyNotMade = -1608, "JET_errKeyNotMade", Usage, "No search key has been built.";
    UpdateNotPrepared = -1609, "JET_errUpdateNotPrepared", Usage, "No update is open on the cursor.";
    WrnDataHasChanged = 1610, "JET_wrnDataHasChanged", Unknown, "Row changed underneath (warning form).";
    DataHasChanged = -1611, "JET_errDataHasChanged", Unknown, "Row changed underneath an unlocked replace.";
    WrnKeyChanged = 1618, "JET_wrnKeyChanged", Unknown, "Cursor moved on to a different key.";
    LanguageNotSupported = -1619, "JET_errLanguageNotSupported", Unknown, "Locale not installed.";
    DecompressionFailed = -1620, "JET_errDecompressionFailed", Corruption, "Stored compressed data cannot be expanded.";
    UpdateMustVersion = -1621, "JET_errUpdateMustVersion", Usage, "Unversioned update allowed only on a table created in the same transaction.";
    DecryptionFailed = -1622, "JET_errDecryptionFailed", Corruption, "Stored encrypted data cannot be decoded.";
    EncryptionBadItag = -1623, "JET_errEncryptionBadItag", Usage, "Only the first value of a column may be encrypted.";
    SetAutoIncrementTooHigh = -1624, "JET_errSetAutoIncrementTooHigh", Usage, "Explicit auto-increment value too large.";
    AutoIncrementNotSet = -1625, "JET_errAutoIncrementNotSet", Usage, "Explicit auto-increment value is mandatory here.";
    TooManySorts = -1701, "JET_errTooManySorts", Memory, "Sort quota exhausted.";
    InvalidOnSort = -1702, "JET_errInvalidOnSort", Unknown, "Operation not possible on an unmaterialized sort.";
    TempFileOpenError = -1803, "JET_errTempFileOpenError", Unknown, "Temporary file cannot be opened.";
    TooManyAttachedDatabases = -1805, "JET_errTooManyAttachedDatabases", Usage, "Attachment limit per instance reached.";
    DiskFull = -1808, "JET_errDiskFull", Disk, "Volume full.";
    PermissionDenied = -1809, "JET_errPermissionDenied", Usage, "OS refused permission.";
    FileNotFound = -1811, "JET_errFileNotFound", State, "File missing.";
    FileInvalidType = -1812, "JET_errFileInvalidType", Inconsistent, "File kind not as expected.";
    WrnFileOpenReadOnly = 1813, "JET_wrnFileOpenReadOnly", State, "File is read-only and was attached that way.";
    FileAlreadyExists = -1814, "JET_errFileAlreadyExists", Inconsistent, "File exists already.";
    AfterInitialization = -1850, "JET_errAfterInitialization", Usage, "Restore attempted after init.";
    LogCorrupted = -1852, "JET_errLogCorrupted", Corruption, "Logs cannot be interpreted.";
    InvalidOperation = -1906, "JET_errInvalidOperation", Usage, "Operation not valid in this state.";
    AccessDenied = -1907, "JET_errAccessDenied", Unknown, "Access refused.";
    WrnIdleFull = 1908, "JET_wrnIdleFull", Quota, "Idle queue full.";
    TooManySplits = -1909, "JET_errTooManySplits", Unknown, "Page split did not converge.";
    SessionSharingViolation = -1910, "JET_errSessionSharingViolation", Usage, "Session used by another thread inside a transaction.";
    EntryPointNotFound = -1911, "JET_errEntryPointNotFound", Usage, "Symbol missing in a loaded library.";
    SessionContextAlreadySet = -1912, "JET_errSessionContextAlreadySet", Usage, "Session already bound to a context.";
    SessionContextNotSetByThisThread = -1913, "JET_errSessionContextNotSetByThisThread", Usage, "Context must be reset by the thread that set it.";
    SessionInUse = -1914, "JET_errSessionInUse", Usage, "Session is in a call on another thread.";
    RecordFormatConversionFailed = -1915, "JET_errRecordFormatConversionFailed", Corruption, "Old record layout could not be converted.";
    OneDatabasePerSession = -1916, "JET_errOneDatabasePerSession", Usage, "Second database open refused by parameter.";
    RollbackError = -1917, "JET_errRollbackError", Fatal, "Rollback failed; instance becomes unusable.";
    FlushMapVersionUnsupported = -1918, "JET_errFlushMapVersionUnsupported", Usage, "Flush-map file version unknown.";
    FlushMapDatabaseMismatch = -1919, "JET_errFlushMapDatabaseMismatch", Usage, "Flush-map file belongs to another database.";
    FlushMapUnrecoverable = -1920, "JET_errFlushMapUnrecoverable", State, "Flush-map file cannot be rebuilt.";
    RBSFileCorrupt = -1921, "JET_errRBSFileCorrupt", Corruption, "Revert snapshot damaged.";
    RBSHeaderCorrupt = -1922, "JET_errRBSHeaderCorrupt", Corruption, "Revert snapshot header damaged.";
    RBSDbMismatch = -1923, "JET_errRBSDbMismatch", Inconsistent, "Revert snapshot does not match the database.";
    BadRBSVersion = -1925, "JET_errBadRBSVersion", State, "Revert snapshot version unknown.";
    OutOfRBSSpace = -1926, "JET_errOutOfRBSSpace", Fragmentation, "Revert snapshot reached its maximum size.";
    RBSInvalidSign = -1927, "JET_errRBSInvalidSign", State, "Revert snapshot lacks a signature.";
    RBSInvalidRecord = -1928, "JET_errRBSInvalidRecord", State, "Revert snapshot contains a bad record.";
    RBSRCInvalidRBS = -1929, "JET_errRBSRCInvalidRBS", State, "Snapshots needed for the revert are invalid.";
    RBSRCNoRBSFound = -1930, "JET_errRBSRCNoRBSFound", State, "No snapshot covers the revert time.";
    RBSRCBadDbState = -1931, "JET_errRBSRCBadDbState", State, "Database state prevents revert.";
    RBSMissingReqLogs = -1932, "JET_errRBSMissingReqLogs", State, "Logs required by the snapshot are missing.";
    RBSLogDivergenceFailed = -1933, "JET_errRBSLogDivergenceFailed", State, "Snapshot logs diverge from those on disk.";
    RBSRCCopyLogsRevertState = -1934, "JET_errRBSRCCopyLogsRevertState", State, "An earlier revert is still copying logs.";
    DatabaseIncompleteRevert = -1935, "JET_errDatabaseIncompleteRevert", State, "Database is mid revert.";
    RBSRCRevertCancelled = -1936, "JET_errRBSRCRevertCancelled", State, "Revert was cancelled.";
    RBSRCInvalidDbFormatVersion = -1937, "JET_errRBSRCInvalidDbFormatVersion", State, "Database format too old for revert.";
    RBSCannotDetermineDivergence = -1938, "JET_errRBSCannotDetermineDivergence", State, "Divergence cannot be decided because logs are missing.";
    RBSDeleteTableTooBig = -1941, "JET_errRBSDeleteTableTooBig", State, "Table too large for a delete covered by the snapshot.";
    RBSDeleteTableTooSoon = -1942, "JET_errRBSDeleteTableTooSoon", State, "Table too recent for a non-revertable delete.";
    RBSFDPToBeDeleted = -1943, "JET_errRBSFDPToBeDeleted", State, "Table root is scheduled for deletion after a revert.";
    RBSRevertableDeleteNotPossible = -1944, "JET_errRBSRevertableDeleteNotPossible", State, "Table cannot be deleted revertably any more.";
    RBSRedeleteFDPUnexpected = -1947, "JET_errRBSRedeleteFDPUnexpected", Corruption, "Reverted table with a delete mark was not expected.";
    RBSRCPageFDPDeleteFileCorrupt = -1948, "JET_errRBSRCPageFDPDeleteFileCorrupt", Corruption, "Helper file for root page replay is damaged.";
    WrnDefragAlreadyRunning = 2000, "JET_wrnDefragAlreadyRunning", State, "Online defragmentation already active.";
    WrnDefragNotRunning = 2001, "JET_wrnDefragNotRunning", State, "Online defragmentation is not active.";
    WrnDatabaseScanAlreadyRunning = 2002, "JET_wrnDatabaseScanAlreadyRunning", State, "Database scan already active.";
    WrnDatabaseScanNotRunning = 2003, "JET_wrnDatabaseScanNotRunning", State, "Database scan is not active.";
    DatabaseAlreadyRunningMaintenance = -2004, "JET_errDatabaseAlreadyRunningMaintenance", Usage, "Database maintenance already active.";
    RootSpaceLeakEstimationAlreadyRunning = -2006, "JET_errRootSpaceLeakEstimationAlreadyRunning", Usage, "Leak estimation already active.";
    WrnCallbackNotRegistered = 2100, "JET_wrnCallbackNotRegistered", State, "Callback to remove was not registered.";
    CallbackFailed = -2101, "JET_errCallbackFailed", State, "Callback returned failure.";
    CallbackNotResolved = -2102, "JET_errCallbackNotResolved", Usage, "Named callback could not be found.";
    SpaceHintsInvalid = -2103, "JET_errSpaceHintsInvalid", Usage, "Space hints structure rejected.";
    OSSnapshotInvalidSequence = -2401, "JET_errOSSnapshotInvalidSequence", Usage, "Snapshot calls in the wrong order.";
    OSSnapshotTimeOut = -2402, "JET_errOSSnapshotTimeOut", Operation, "Freeze exceeded its time limit and was thawed.";
    OSSnapshotNotAllowed = -2403, "JET_errOSSnapshotNotAllowed", State, "Snapshot refused because backup or recovery is active.";
    OSSnapshotInvalidSnapId = -2404, "JET_errOSSnapshotInvalidSnapId", Usage, "Unknown snapshot id.";
    TooManyTestInjections = -2501, "JET_errTooManyTestInjections", Usage, "Injection table full.";
    TestInjectionNotSupported = -2502, "JET_errTestInjectionNotSupported", State, "Injection not compiled in.";
    InvalidLogDataSequence = -2601, "JET_errInvalidLogDataSequence", State, "Shipped log data out of order.";
    WrnPreviousLogFileIncomplete = 2602, "JET_wrnPreviousLogFileIncomplete", State, "Shipped log data skipped; partial log discarded.";
    LSCallbackNotSpecified = -3000, "JET_errLSCallbackNotSpecified", Usage, "Local storage requires a runtime callback.";
    LSAlreadySet = -3001, "JET_errLSAlreadySet", Usage, "Local storage already has a value.";
    LSNotSet = -3002, "JET_errLSNotSet", State, "Local storage has no value.";
    FileIOSparse = -4000, "JET_errFileIOSparse", Unknown, "I/O on an unallocated file range.";
    FileIOBeyondEOF = -4001, "JET_errFileIOBeyondEOF", Corruption, "Read past the end of file.";
    FileIOAbort = -4002, "JET_errFileIOAbort", Unknown, "I/O callback decision: abort.";
    FileIORetry = -4003, "JET_errFileIORetry", Unknown, "I/O callback decision: retry.";
    FileIOFail = -4004, "JET_errFileIOFail", Unknown, "I/O callback decision: fail.";
    FileCompressed = -4005, "JET_errFileCompressed", Usage, "Compressed files are not supported.";
    ClientSpaceBegin = -10000, "JET_errClientSpaceBegin", Usage, "First code reserved for applications.";
    ClientSpaceEnd = -11999, "JET_errClientSpaceEnd", Usage, "Last code reserved for applications.";
}
