"""Values, structures and functions of `esent.h`. Made by generate.py, not edited."""

# fmt: off
from ctypes import (CFUNCTYPE, POINTER, Structure, Union, c_char, c_double, c_float, c_int, c_int8,
                    c_int16, c_int32, c_int64, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64,
                    c_void_p)

JET_VERSION = 2560
JET_cbtypNull = 0
JET_cbtypFinalize = 1
JET_cbtypBeforeInsert = 2
JET_cbtypAfterInsert = 4
JET_cbtypBeforeReplace = 8
JET_cbtypAfterReplace = 16
JET_cbtypBeforeDelete = 32
JET_cbtypAfterDelete = 64
JET_cbtypUserDefinedDefaultValue = 128
JET_cbtypOnlineDefragCompleted = 256
JET_cbtypFreeCursorLS = 512
JET_cbtypFreeTableLS = 1024
cObjectInfoCols = 9
cColumnInfoCols = 14
cIndexInfoCols = 15
JET_MAX_COMPUTERNAME_LENGTH = 15
JET_instanceNil = 18446744073709551615
JET_sesidNil = 18446744073709551615
JET_tableidNil = 18446744073709551615
JET_dbidNil = 4294967295
JET_LSNil = 18446744073709551615
JET_BASE_NAME_LENGTH = 3
JET_OpenLogForRecoveryCheckingAndPatching = 1
JET_OpenLogForRedo = 2
JET_OpenLogForUndo = 3
JET_OpenLogForDo = 4
JET_MissingLogMustFail = 1
JET_MissingLogContinueToRedo = 2
JET_MissingLogContinueTryCurrentLog = 3
JET_MissingLogContinueToUndo = 4
JET_MissingLogCreateNewLogStream = 5
JET_cbBookmarkMost = 256
JET_cbBookmarkMostMost = 2000
JET_cbNameMost = 64
JET_cbFullNameMost = 255
JET_cbColumnLVPageOverhead = 82
JET_cbLVDefaultValueMost = 255
JET_cbColumnMost = 255
JET_cbLVColumnMost = 2147483647
JET_cbKeyMostMost = 2000
JET_cbKeyMost32KBytePage = 2000
JET_cbKeyMost16KBytePage = 2000
JET_cbKeyMost8KBytePage = 2000
JET_cbKeyMost4KBytePage = 1000
JET_cbKeyMost2KBytePage = 500
JET_cbKeyMostMin = 255
JET_cbKeyMost = 255
JET_cbLimitKeyMost = 256
JET_cbPrimaryKeyMost = 255
JET_cbSecondaryKeyMost = 255
JET_ccolKeyMost = 16
JET_ccolMost = 65248
JET_ccolFixedMost = 127
JET_ccolVarMost = 128
JET_ccolTaggedMost = 64993
JET_EventLoggingDisable = 0
JET_EventLoggingLevelMin = 1
JET_EventLoggingLevelLow = 25
JET_EventLoggingLevelMedium = 50
JET_EventLoggingLevelHigh = 75
JET_EventLoggingLevelMax = 100
JET_IOPriorityNormal = 0
JET_IOPriorityLow = 1
JET_configDefault = 1
JET_configRemoveQuotas = 2
JET_configLowDiskFootprint = 4
JET_configMediumDiskFootprint = 8
JET_configLowMemory = 16
JET_configDynamicMediumMemory = 32
JET_configLowPower = 64
JET_configSSDProfileIO = 128
JET_configRunSilent = 256
JET_configUnthrottledMemory = 512
JET_configHighConcurrencyScaling = 1024
JET_MoveFirst = -2147483648
JET_MovePrevious = -1
JET_MoveNext = 1
JET_MoveLast = 2147483647
JET_prepInsert = 0
JET_prepReplace = 2
JET_prepCancel = 3
JET_prepReplaceNoLock = 4
JET_prepInsertCopy = 5
JET_prepInsertCopyDeleteOriginal = 7
JET_prepInsertCopyReplaceOriginal = 9
JET_sqmDisable = 0
JET_sqmEnable = 1
JET_sqmFromCEIP = 2
JET_DbInfoFilename = 0
JET_DbInfoConnect = 1
JET_DbInfoCountry = 2
JET_DbInfoLCID = 3
JET_DbInfoLangid = 3
JET_DbInfoCp = 4
JET_DbInfoCollate = 5
JET_DbInfoOptions = 6
JET_DbInfoTransactions = 7
JET_DbInfoVersion = 8
JET_DbInfoIsam = 9
JET_DbInfoFilesize = 10
JET_DbInfoSpaceOwned = 11
JET_DbInfoSpaceAvailable = 12
JET_DbInfoUpgrade = 13
JET_DbInfoMisc = 14
JET_DbInfoDBInUse = 15
JET_DbInfoPageSize = 17
JET_DbInfoFileType = 19
JET_DbInfoFilesizeOnDisk = 21
JET_LogInfoMisc = 0
JET_LogInfoMisc2 = 1
JET_LogInfoMisc3 = 2
JET_dbstateJustCreated = 1
JET_dbstateDirtyShutdown = 2
JET_dbstateCleanShutdown = 3
JET_dbstateBeingConverted = 4
JET_dbstateForceDetach = 5
JET_filetypeUnknown = 0
JET_filetypeDatabase = 1
JET_filetypeLog = 3
JET_filetypeCheckpoint = 4
JET_filetypeTempDatabase = 5
JET_filetypeFlushMap = 7
JET_coltypNil = 0
JET_coltypBit = 1
JET_coltypUnsignedByte = 2
JET_coltypShort = 3
JET_coltypLong = 4
JET_coltypCurrency = 5
JET_coltypIEEESingle = 6
JET_coltypIEEEDouble = 7
JET_coltypDateTime = 8
JET_coltypBinary = 9
JET_coltypText = 10
JET_coltypLongBinary = 11
JET_coltypLongText = 12
JET_coltypMax = 19
JET_coltypSLV = 13
JET_coltypUnsignedLong = 14
JET_coltypLongLong = 15
JET_coltypGUID = 16
JET_coltypUnsignedShort = 17
JET_coltypUnsignedLongLong = 18
JET_ObjInfo = 0
JET_ObjInfoListNoStats = 1
JET_ObjInfoList = 2
JET_ObjInfoSysTabCursor = 3
JET_ObjInfoListACM = 4
JET_ObjInfoNoStats = 5
JET_ObjInfoSysTabReadOnly = 6
JET_ObjInfoRulesLoaded = 7
JET_ObjInfoMax = 8
JET_TblInfo = 0
JET_TblInfoName = 1
JET_TblInfoDbid = 2
JET_TblInfoMostMany = 3
JET_TblInfoRvt = 4
JET_TblInfoOLC = 5
JET_TblInfoResetOLC = 6
JET_TblInfoSpaceUsage = 7
JET_TblInfoDumpTable = 8
JET_TblInfoSpaceAlloc = 9
JET_TblInfoSpaceOwned = 10
JET_TblInfoSpaceAvailable = 11
JET_TblInfoTemplateTableName = 12
JET_TblInfoLVChunkMax = 13
JET_TblInfoSpaceOwnedLV = 17
JET_TblInfoSpaceAvailableLV = 18
JET_TblInfoObjectId = 19
JET_IdxInfo = 0
JET_IdxInfoList = 1
JET_IdxInfoSysTabCursor = 2
JET_IdxInfoOLC = 3
JET_IdxInfoResetOLC = 4
JET_IdxInfoSpaceAlloc = 5
JET_IdxInfoLCID = 6
JET_IdxInfoLangid = 6
JET_IdxInfoCount = 7
JET_IdxInfoVarSegMac = 8
JET_IdxInfoIndexId = 9
JET_IdxInfoKeyMost = 10
JET_IdxInfoCreateIndex = 11
JET_IdxInfoCreateIndex2 = 12
JET_IdxInfoCreateIndex3 = 13
JET_IdxInfoLocaleName = 14
JET_IdxInfoSpaceOwned = 18
JET_IdxInfoSpaceAvailable = 19
JET_ColInfo = 0
JET_ColInfoList = 1
JET_ColInfoSysTabCursor = 3
JET_ColInfoBase = 4
JET_ColInfoListCompact = 5
JET_ColInfoByColid = 6
JET_ColInfoListSortColumnid = 7
JET_ColInfoBaseByColid = 8
JET_ColInfoGrbitNonDerivedColumnsOnly = 2147483648
JET_ColInfoGrbitMinimalInfo = 1073741824
JET_ColInfoGrbitSortByColumnid = 536870912
JET_InstanceMiscInfoLogSignature = 0
JET_InstanceMiscInfoRBS = 2
JET_objtypNil = 0
JET_objtypTable = 1
JET_snpRepair = 2
JET_snpCompact = 4
JET_snpRestore = 8
JET_snpBackup = 9
JET_snpUpgrade = 10
JET_snpScrub = 11
JET_snpUpgradeRecordFormat = 12
JET_snpRecoveryControl = 18
JET_sntBegin = 5
JET_sntRequirements = 7
JET_sntProgress = 0
JET_sntComplete = 6
JET_sntFail = 3
JET_sntOpenLog = 1001
JET_sntOpenCheckpoint = 1002
JET_sntMissingLog = 1004
JET_sntBeginUndo = 1005
JET_sntNotificationEvent = 1006
JET_sntSignalErrorCondition = 1007
JET_sntAttachedDb = 1008
JET_sntDetachingDb = 1009
JET_sntCommitCtx = 1010
JET_ExceptionMsgBox = 1
JET_ExceptionNone = 2
JET_ExceptionFailFast = 4
JET_OnlineDefragDisable = 0
JET_OnlineDefragAllOBSOLETE = 1
JET_OnlineDefragDatabases = 2
JET_OnlineDefragSpaceTrees = 4
JET_OnlineDefragAll = 65535
JET_ErrorInfoSpecificErr = 1
JET_paramSystemPath = 0
JET_paramTempPath = 1
JET_paramLogFilePath = 2
JET_paramBaseName = 3
JET_paramEventSource = 4
JET_paramMaxSessions = 5
JET_paramMaxOpenTables = 6
JET_paramPreferredMaxOpenTables = 7
JET_paramMaxCursors = 8
JET_paramMaxVerPages = 9
JET_paramMaxTemporaryTables = 10
JET_paramLogFileSize = 11
JET_paramLogBuffers = 12
JET_paramWaitLogFlush = 13
JET_paramLogCheckpointPeriod = 14
JET_paramLogWaitingUserMax = 15
JET_paramCommitDefault = 16
JET_paramCircularLog = 17
JET_paramDbExtensionSize = 18
JET_paramPageTempDBMin = 19
JET_paramPageFragment = 20
JET_paramBatchIOBufferMax = 22
JET_paramCacheSizeMax = 23
JET_paramCheckpointDepthMax = 24
JET_paramLRUKCorrInterval = 25
JET_paramLRUKHistoryMax = 26
JET_paramLRUKPolicy = 27
JET_paramLRUKTimeout = 28
JET_paramLRUKTrxCorrInterval = 29
JET_paramOutstandingIOMax = 30
JET_paramStartFlushThreshold = 31
JET_paramStopFlushThreshold = 32
JET_paramRecovery = 34
JET_paramEnableOnlineDefrag = 35
JET_paramPrintFunction = 37
JET_paramCacheSize = 41
JET_paramCheckFormatWhenOpenFail = 44
JET_paramEnableIndexChecking = 45
JET_paramEnableTempTableVersioning = 46
JET_paramIgnoreLogVersion = 47
JET_paramDeleteOldLogs = 48
JET_paramEventSourceKey = 49
JET_paramNoInformationEvent = 50
JET_paramEventLoggingLevel = 51
JET_paramDeleteOutOfRangeLogs = 52
JET_paramAccessDeniedRetryPeriod = 53
JET_paramEnableIndexCleanup = 54
JET_paramCacheSizeMin = 60
JET_paramPreferredVerPages = 63
JET_paramDatabasePageSize = 64
JET_paramDisableCallbacks = 65
JET_paramLogFileCreateAsynch = 69
JET_paramErrorToString = 70
JET_paramZeroDatabaseDuringBackup = 71
JET_paramUnicodeIndexDefault = 72
JET_paramRuntimeCallback = 73
JET_paramCleanupMismatchedLogFiles = 77
JET_paramRecordUpgradeDirtyLevel = 78
JET_paramGlobalMinVerPages = 81
JET_paramOSSnapshotTimeout = 82
JET_paramExceptionAction = 98
JET_paramEventLogCache = 99
JET_paramCreatePathIfNotExist = 100
JET_paramPageHintCacheSize = 101
JET_paramOneDatabasePerSession = 102
JET_paramMaxInstances = 104
JET_paramVersionStoreTaskQueueMax = 105
JET_paramDisablePerfmon = 107
JET_paramIndexTuplesLengthMin = 110
JET_paramIndexTuplesLengthMax = 111
JET_paramIndexTuplesToIndexMax = 112
JET_paramAlternateDatabaseRecoveryPath = 113
JET_paramCachedClosedTables = 125
JET_paramEnableFileCache = 126
JET_paramEnableViewCache = 127
JET_paramVerPageSize = 128
JET_paramConfiguration = 129
JET_paramEnableAdvanced = 130
JET_paramMaxColtyp = 131
JET_paramIndexTupleIncrement = 132
JET_paramIndexTupleStart = 133
JET_paramKeyMost = 134
JET_paramCheckpointIOMax = 135
JET_paramLegacyFileNames = 136
JET_paramTableClass1Name = 137
JET_paramTableClass2Name = 138
JET_paramTableClass3Name = 139
JET_paramTableClass4Name = 140
JET_paramTableClass5Name = 141
JET_paramTableClass6Name = 142
JET_paramTableClass7Name = 143
JET_paramTableClass8Name = 144
JET_paramTableClass9Name = 145
JET_paramTableClass10Name = 146
JET_paramTableClass11Name = 147
JET_paramTableClass12Name = 148
JET_paramTableClass13Name = 149
JET_paramTableClass14Name = 150
JET_paramTableClass15Name = 151
JET_paramIOPriority = 152
JET_paramWaypointLatency = 153
JET_paramEnablePersistedCallbacks = 156
JET_paramDefragmentSequentialBTrees = 160
JET_paramDefragmentSequentialBTreesDensityCheckFrequency = 161
JET_paramIOThrottlingTimeQuanta = 162
JET_paramLVChunkSizeMost = 163
JET_paramMaxCoalesceReadSize = 164
JET_paramMaxCoalesceWriteSize = 165
JET_paramMaxCoalesceReadGapSize = 166
JET_paramMaxCoalesceWriteGapSize = 167
JET_paramEnableDBScanInRecovery = 169
JET_paramDbScanThrottle = 170
JET_paramDbScanIntervalMinSec = 171
JET_paramDbScanIntervalMaxSec = 172
JET_paramCachePriority = 177
JET_paramMaxTransactionSize = 178
JET_paramPrereadIOMax = 179
JET_paramEnableDBScanSerialization = 180
JET_paramHungIOThreshold = 181
JET_paramHungIOActions = 182
JET_paramMinDataForXpress = 183
JET_paramEnableShrinkDatabase = 184
JET_paramProcessFriendlyName = 186
JET_paramDurableCommitCallback = 187
JET_paramEnableSqm = 188
JET_paramConfigStoreSpec = 189
JET_paramRecordSizeMost = 213
JET_paramUseFlushForWriteDurability = 214
JET_paramEnableRBS = 215
JET_paramRBSFilePath = 216
JET_paramPerfmonRefreshInterval = 217
JET_paramEnableBlockCache = 218
JET_paramEnableBlockCacheDetach = 220
JET_paramMaxValueInvalid = 221
JET_sesparamCommitDefault = 4097
JET_sesparamTransactionLevel = 4099
JET_sesparamOperationContext = 4100
JET_sesparamCorrelationID = 4101
JET_sesparamMaxValueInvalid = 4111
JET_dbparamDbSizeMaxPages = 8193
JET_dbparamCachePriority = 8194
JET_dbparamShrinkDatabaseOptions = 8195
JET_dbparamShrinkDatabaseTimeQuota = 8196
JET_dbparamShrinkDatabaseSizeLimit = 8197
JET_dbparamLeakReclaimerEnabled = 8198
JET_dbparamLeakReclaimerTimeQuota = 8199
JET_dbparamMaintainExtentPageCountCache = 8200
JET_dbparamFlight_SelfAllocSpBufReservationEnabled = 8201
JET_dbparamMaxValueInvalid = 8202
JET_bitConfigStoreReadControlInhibitRead = 1
JET_bitConfigStoreReadControlDisableAll = 2
JET_bitConfigStoreReadControlDefault = 0
JET_bitDefragmentBatchStart = 1
JET_bitDefragmentBatchStop = 2
JET_bitDefragmentAvailSpaceTreesOnly = 64
JET_bitDefragmentNoPartialMerges = 128
JET_bitDefragmentBTree = 256
JET_bitDefragmentBTreeBatch = 512
JET_bitTableInfoUpdatable = 1
JET_bitTableInfoBookmark = 2
JET_bitTableInfoRollback = 4
JET_bitObjectSystem = 2147483648
JET_bitObjectTableFixedDDL = 1073741824
JET_bitObjectTableTemplate = 536870912
JET_bitObjectTableDerived = 268435456
JET_bitObjectTableNoFixedVarColumnsInDerivedTables = 67108864
JET_bitDurableCommitCallbackLogUnavailable = 1
JET_bitNil = 0
JET_bitESE98FileNames = 1
JET_bitEightDotThreeSoftCompat = 2
JET_bitHungIOEvent = 1
JET_bitShrinkDatabaseOff = 0
JET_bitShrinkDatabaseOn = 1
JET_bitShrinkDatabaseRealtime = 2
JET_bitShrinkDatabaseTrim = 1
JET_bitReplayIgnoreMissingDB = 4
JET_bitRecoveryWithoutUndo = 8
JET_bitTruncateLogsAfterRecovery = 16
JET_bitLogStreamMustExist = 64
JET_bitReplayIgnoreLostLogs = 128
JET_bitAllowMissingCurrentLog = 256
JET_bitAllowSoftRecoveryOnBackup = 512
JET_bitSkipLostLogsEvent = 1024
JET_bitKeepDbAttachedAtEndOfRecovery = 4096
JET_bitReplayIgnoreLogRecordsBeforeMinRequiredLog = 8192
JET_bitReplayMissingMapEntryDB = 32
JET_bitExternalRecoveryControl = 2048
JET_bitReplayInferCheckpointFromRstmapDbs = 16384
JET_bitRestoreMapIgnoreWhenMissing = 1
JET_bitRestoreMapFailWhenMissing = 2
JET_bitRestoreMapOverwriteOnCreate = 4
JET_bitTermComplete = 1
JET_bitTermAbrupt = 2
JET_bitTermStopBackup = 4
JET_bitTermDirty = 8
JET_bitIdleFlushBuffers = 1
JET_bitIdleCompact = 2
JET_bitIdleStatus = 4
JET_bitDbReadOnly = 1
JET_bitDbExclusive = 2
JET_bitDbDeleteCorruptIndexes = 16
JET_bitDbDeleteUnicodeIndexes = 1024
JET_bitDbUpgrade = 512
JET_bitDbPurgeCacheOnAttach = 4096
JET_bitDbEnableBackgroundMaintenance = 2048
JET_bitForceDetach = 1
JET_bitForceCloseAndDetach = 3
JET_bitDbRecoveryOff = 8
JET_bitDbShadowingOff = 128
JET_bitDbOverwriteExisting = 512
JET_bitBackupIncremental = 1
JET_bitBackupAtomic = 4
JET_bitBackupSnapshot = 16
JET_bitBackupSurrogate = 32
JET_bitBackupEndNormal = 1
JET_bitBackupEndAbort = 2
JET_bitBackupTruncateDone = 256
JET_bitBackupNoDbHeaderUpdate = 512
JET_bitTableCreateFixedDDL = 1
JET_bitTableCreateTemplateTable = 2
JET_bitTableCreateNoFixedVarColumnsInDerivedTables = 4
JET_bitTableCreateImmutableStructure = 8
JET_bitColumnFixed = 1
JET_bitColumnTagged = 2
JET_bitColumnNotNULL = 4
JET_bitColumnVersion = 8
JET_bitColumnAutoincrement = 16
JET_bitColumnMultiValued = 1024
JET_bitColumnEscrowUpdate = 2048
JET_bitColumnFinalize = 16384
JET_bitColumnUserDefinedDefault = 32768
JET_bitColumnDeleteOnZero = 131072
JET_bitColumnCompressed = 524288
JET_bitColumnUpdatable = 32
JET_bitColumnMaybeNull = 8192
JET_bitColumnTTKey = 64
JET_bitColumnTTDescending = 128
JET_bitTTIndexed = 1
JET_bitTTUnique = 2
JET_bitTTUpdatable = 4
JET_bitTTScrollable = 8
JET_bitTTSortNullsHigh = 16
JET_bitTTForceMaterialization = 32
JET_bitTTErrorOnDuplicateInsertion = 32
JET_bitTTForwardOnly = 64
JET_bitTTIntrinsicLVsOnly = 128
JET_bitTTDotNetGuid = 256
JET_bitColumnUnversioned = 4096
JET_bitDeleteColumnIgnoreTemplateColumns = 1
JET_bitMoveFirst = 0
JET_bitMoveBeforeFirst = 1
JET_bitNoMove = 2
JET_bitNewKey = 1
JET_bitStrLimit = 2
JET_bitSubStrLimit = 4
JET_bitNormalizedKey = 8
JET_bitKeyDataZeroLength = 16
JET_bitFullColumnStartLimit = 256
JET_bitFullColumnEndLimit = 512
JET_bitPartialColumnStartLimit = 1024
JET_bitPartialColumnEndLimit = 2048
JET_bitRangeInclusive = 1
JET_bitRangeUpperLimit = 2
JET_bitRangeInstantDuration = 4
JET_bitRangeRemove = 8
JET_bitReadLock = 1
JET_bitWriteLock = 2
JET_bitMoveKeyNE = 1
JET_bitSeekEQ = 1
JET_bitSeekLT = 2
JET_bitSeekLE = 4
JET_bitSeekGE = 8
JET_bitSeekGT = 16
JET_bitSetIndexRange = 32
JET_bitCheckUniqueness = 64
JET_bitBookmarkPermitVirtualCurrency = 1
JET_bitIndexColumnMustBeNull = 1
JET_bitIndexColumnMustBeNonNull = 2
JET_bitRecordInIndex = 1
JET_bitRecordNotInIndex = 2
JET_bitIndexUnique = 1
JET_bitIndexPrimary = 2
JET_bitIndexDisallowNull = 4
JET_bitIndexIgnoreNull = 8
JET_bitIndexIgnoreAnyNull = 32
JET_bitIndexIgnoreFirstNull = 64
JET_bitIndexLazyFlush = 128
JET_bitIndexEmpty = 256
JET_bitIndexUnversioned = 512
JET_bitIndexSortNullsHigh = 1024
JET_bitIndexUnicode = 2048
JET_bitIndexTuples = 4096
JET_bitIndexTupleLimits = 8192
JET_bitIndexCrossProduct = 16384
JET_bitIndexKeyMost = 32768
JET_bitIndexDisallowTruncation = 65536
JET_bitIndexNestedTable = 131072
JET_bitIndexDotNetGuid = 262144
JET_bitIndexImmutableStructure = 524288
JET_bitKeyAscending = 0
JET_bitKeyDescending = 1
JET_bitTableDenyWrite = 1
JET_bitTableDenyRead = 2
JET_bitTableReadOnly = 4
JET_bitTableUpdatable = 8
JET_bitTablePermitDDL = 16
JET_bitTableNoCache = 32
JET_bitTablePreread = 64
JET_bitTableOpportuneRead = 128
JET_bitTableSequential = 32768
JET_bitTableClassMask = 2031616
JET_bitTableClassNone = 0
JET_bitTableClass1 = 65536
JET_bitTableClass2 = 131072
JET_bitTableClass3 = 196608
JET_bitTableClass4 = 262144
JET_bitTableClass5 = 327680
JET_bitTableClass6 = 393216
JET_bitTableClass7 = 458752
JET_bitTableClass8 = 524288
JET_bitTableClass9 = 589824
JET_bitTableClass10 = 655360
JET_bitTableClass11 = 720896
JET_bitTableClass12 = 786432
JET_bitTableClass13 = 851968
JET_bitTableClass14 = 917504
JET_bitTableClass15 = 983040
JET_bitLSReset = 1
JET_bitLSCursor = 2
JET_bitLSTable = 4
JET_bitPrereadForward = 1
JET_bitPrereadBackward = 2
JET_bitPrereadFirstPage = 4
JET_bitPrereadNormalizedKey = 8
JET_bitSetAppendLV = 1
JET_bitSetOverwriteLV = 4
JET_bitSetSizeLV = 8
JET_bitSetZeroLength = 32
JET_bitSetSeparateLV = 64
JET_bitSetUniqueMultiValues = 128
JET_bitSetUniqueNormalizedMultiValues = 256
JET_bitSetRevertToDefaultValue = 512
JET_bitSetIntrinsicLV = 1024
JET_bitSetUncompressed = 65536
JET_bitSetCompressed = 131072
JET_bitSetContiguousLV = 262144
JET_bitSpaceHintsUtilizeParentSpace = 1
JET_bitCreateHintAppendSequential = 2
JET_bitCreateHintHotpointSequential = 4
JET_bitRetrieveHintReserve1 = 8
JET_bitRetrieveHintTableScanForward = 16
JET_bitRetrieveHintTableScanBackward = 32
JET_bitRetrieveHintReserve2 = 64
JET_bitRetrieveHintReserve3 = 128
JET_bitDeleteHintTableSequential = 256
JET_bitUpdateCheckESE97Compatibility = 1
JET_bitEscrowNoRollback = 1
JET_bitRetrieveCopy = 1
JET_bitRetrieveFromIndex = 2
JET_bitRetrieveFromPrimaryBookmark = 4
JET_bitRetrieveTag = 8
JET_bitRetrieveNull = 16
JET_bitRetrieveIgnoreDefault = 32
JET_bitRetrieveTuple = 2048
JET_bitZeroLength = 1
JET_bitEnumerateCopy = 1
JET_bitEnumerateIgnoreDefault = 32
JET_bitEnumeratePresenceOnly = 131072
JET_bitEnumerateTaggedOnly = 262144
JET_bitEnumerateCompressOutput = 524288
JET_bitEnumerateIgnoreUserDefinedDefault = 1048576
JET_bitEnumerateInRecordOnly = 2097152
JET_bitRecordSizeInCopyBuffer = 1
JET_bitRecordSizeRunningTotal = 2
JET_bitRecordSizeLocal = 4
JET_bitRecordSizeIntrinsicPhysicalOnly = 32
JET_bitRecordSizeExtrinsicLogicalOnly = 64
JET_bitTransactionReadOnly = 1
JET_bitCommitLazyFlush = 1
JET_bitWaitLastLevel0Commit = 2
JET_bitWaitAllLevel0Commit = 8
JET_bitForceNewLog = 16
JET_bitRollbackAll = 1
JET_bitIncrementalSnapshot = 1
JET_bitCopySnapshot = 2
JET_bitContinueAfterThaw = 4
JET_bitExplicitPrepare = 8
JET_bitAllDatabasesSnapshot = 1
JET_bitAbortSnapshot = 1
JET_bitCompactStats = 32
JET_bitCompactRepair = 64
JET_bitResizeDatabaseOnlyGrow = 1
JET_bitResizeDatabaseOnlyShrink = 2
JET_bitStopServiceAll = 0
JET_bitStopServiceBackgroundUserTasks = 2
JET_bitStopServiceQuiesceCaches = 4
JET_bitStopServiceResume = 2147483648
JET_bitStopServiceStopAndEmitLog = 8
JET_bitDumpMinimum = 1
JET_bitDumpMaximum = 2
JET_bitDumpCacheMinimum = 4
JET_bitDumpCacheMaximum = 8
JET_bitDumpCacheIncludeDirtyPages = 16
JET_bitDumpCacheIncludeCachedPages = 32
JET_bitDumpCacheIncludeCorruptedPages = 64
JET_bitDumpCacheNoDecommit = 128
JET_errSuccess = 0
JET_wrnNyi = -1
JET_errRfsFailure = -100
JET_errRfsNotArmed = -101
JET_errFileClose = -102
JET_errOutOfThreads = -103
JET_errTooManyIO = -105
JET_errTaskDropped = -106
JET_errInternalError = -107
JET_errDisabledFunctionality = -112
JET_errUnloadableOSFunctionality = -113
JET_errDatabaseBufferDependenciesCorrupted = -255
JET_wrnRemainingVersions = 321
JET_errPreviousVersion = -322
JET_errPageBoundary = -323
JET_errKeyBoundary = -324
JET_errBadPageLink = -327
JET_errBadBookmark = -328
JET_errNTSystemCallFailed = -334
JET_errBadParentPageLink = -338
JET_errSPAvailExtCacheOutOfSync = -340
JET_errSPAvailExtCorrupted = -341
JET_errSPAvailExtCacheOutOfMemory = -342
JET_errSPOwnExtCorrupted = -343
JET_errDbTimeCorrupted = -344
JET_wrnUniqueKey = 345
JET_errKeyTruncated = -346
JET_errDatabaseLeakInSpace = -348
JET_errBadEmptyPage = -351
JET_errBadLineCount = -354
JET_errPageTagCorrupted = -357
JET_errNodeCorrupted = -358
JET_wrnSeparateLongValue = 406
JET_wrnRecordFoundGreater = 1039
JET_wrnRecordFoundLess = 1039
JET_errColumnIllegalNull = -1504
JET_errKeyTooBig = -408
JET_errCannotSeparateIntrinsicLV = -416
JET_errSeparatedLongValue = -421
JET_errMustBeSeparateLongValue = -423
JET_errInvalidPreread = -424
JET_errInvalidLoggedOperation = -500
JET_errLogFileCorrupt = -501
JET_errNoBackupDirectory = -503
JET_errBackupDirectoryNotEmpty = -504
JET_errBackupInProgress = -505
JET_errRestoreInProgress = -506
JET_errMissingPreviousLogFile = -509
JET_errLogWriteFail = -510
JET_errLogDisabledDueToRecoveryFailure = -511
JET_errCannotLogDuringRecoveryRedo = -512
JET_errLogGenerationMismatch = -513
JET_errBadLogVersion = -514
JET_errInvalidLogSequence = -515
JET_errLoggingDisabled = -516
JET_errLogBufferTooSmall = -517
JET_errLogSequenceEnd = -519
JET_errNoBackup = -520
JET_errInvalidBackupSequence = -521
JET_errBackupNotAllowedYet = -523
JET_errDeleteBackupFileFail = -524
JET_errMakeBackupDirectoryFail = -525
JET_errInvalidBackup = -526
JET_errRecoveredWithErrors = -527
JET_errMissingLogFile = -528
JET_errLogDiskFull = -529
JET_errBadLogSignature = -530
JET_errBadDbSignature = -531
JET_errBadCheckpointSignature = -532
JET_errCheckpointCorrupt = -533
JET_errMissingPatchPage = -534
JET_errBadPatchPage = -535
JET_errRedoAbruptEnded = -536
JET_errPatchFileMissing = -538
JET_errDatabaseLogSetMismatch = -539
JET_errDatabaseStreamingFileMismatch = -540
JET_errLogFileSizeMismatch = -541
JET_errCheckpointFileNotFound = -542
JET_errRequiredLogFilesMissing = -543
JET_errSoftRecoveryOnBackupDatabase = -544
JET_errLogFileSizeMismatchDatabasesConsistent = -545
JET_errLogSectorSizeMismatch = -546
JET_errLogSectorSizeMismatchDatabasesConsistent = -547
JET_errLogSequenceEndDatabasesConsistent = -548
JET_errStreamingDataNotLogged = -549
JET_errDatabaseDirtyShutdown = -550
JET_errDatabaseInconsistent = -550
JET_errConsistentTimeMismatch = -551
JET_errDatabasePatchFileMismatch = -552
JET_errEndingRestoreLogTooLow = -553
JET_errStartingRestoreLogTooHigh = -554
JET_errGivenLogFileHasBadSignature = -555
JET_errGivenLogFileIsNotContiguous = -556
JET_errMissingRestoreLogFiles = -557
JET_wrnExistingLogFileHasBadSignature = 558
JET_wrnExistingLogFileIsNotContiguous = 559
JET_errMissingFullBackup = -560
JET_errBadBackupDatabaseSize = -561
JET_errDatabaseAlreadyUpgraded = -562
JET_errDatabaseIncompleteUpgrade = -563
JET_wrnSkipThisRecord = 564
JET_errMissingCurrentLogFiles = -565
JET_errDbTimeTooOld = -566
JET_errDbTimeTooNew = -567
JET_errMissingFileToBackup = -569
JET_errLogTornWriteDuringHardRestore = -570
JET_errLogTornWriteDuringHardRecovery = -571
JET_errLogCorruptDuringHardRestore = -573
JET_errLogCorruptDuringHardRecovery = -574
JET_errMustDisableLoggingForDbUpgrade = -575
JET_errBadRestoreTargetInstance = -577
JET_wrnTargetInstanceRunning = 578
JET_errRecoveredWithoutUndo = -579
JET_errDatabasesNotFromSameSnapshot = -580
JET_errSoftRecoveryOnSnapshot = -581
JET_errCommittedLogFilesMissing = -582
JET_errSectorSizeNotSupported = -583
JET_errRecoveredWithoutUndoDatabasesConsistent = -584
JET_wrnCommittedLogFilesLost = 585
JET_errCommittedLogFileCorrupt = -586
JET_wrnCommittedLogFilesRemoved = 587
JET_wrnFinishWithUndo = 588
JET_errLogSequenceChecksumMismatch = -590
JET_wrnDatabaseRepaired = 595
JET_errPageInitializedMismatch = -596
JET_errUnicodeTranslationBufferTooSmall = -601
JET_errUnicodeTranslationFail = -602
JET_errUnicodeNormalizationNotSupported = -603
JET_errUnicodeLanguageValidationFailure = -604
JET_errExistingLogFileHasBadSignature = -610
JET_errExistingLogFileIsNotContiguous = -611
JET_errLogReadVerifyFailure = -612
JET_errCheckpointDepthTooDeep = -614
JET_errRestoreOfNonBackupDatabase = -615
JET_errLogFileNotCopied = -616
JET_errTransactionTooLong = -618
JET_errEngineFormatVersionNoLongerSupportedTooLow = -619
JET_errEngineFormatVersionNotYetImplementedTooHigh = -620
JET_errEngineFormatVersionParamTooLowForRequestedFeature = -621
JET_errEngineFormatVersionSpecifiedTooLowForLogVersion = -622
JET_errEngineFormatVersionSpecifiedTooLowForDatabaseVersion = -623
JET_errDbTimeBeyondMaxRequired = -625
JET_errLogOperationInconsistentWithDatabase = -626
JET_errBackupAbortByServer = -801
JET_errInvalidGrbit = -900
JET_errTermInProgress = -1000
JET_errFeatureNotAvailable = -1001
JET_errInvalidName = -1002
JET_errInvalidParameter = -1003
JET_wrnColumnNull = 1004
JET_wrnBufferTruncated = 1006
JET_wrnDatabaseAttached = 1007
JET_errDatabaseFileReadOnly = -1008
JET_wrnSortOverflow = 1009
JET_errInvalidDatabaseId = -1010
JET_errOutOfMemory = -1011
JET_errOutOfDatabaseSpace = -1012
JET_errOutOfCursors = -1013
JET_errOutOfBuffers = -1014
JET_errTooManyIndexes = -1015
JET_errTooManyKeys = -1016
JET_errRecordDeleted = -1017
JET_errReadVerifyFailure = -1018
JET_errPageNotInitialized = -1019
JET_errOutOfFileHandles = -1020
JET_errDiskReadVerificationFailure = -1021
JET_errDiskIO = -1022
JET_errInvalidPath = -1023
JET_errInvalidSystemPath = -1024
JET_errInvalidLogDirectory = -1025
JET_errRecordTooBig = -1026
JET_errTooManyOpenDatabases = -1027
JET_errInvalidDatabase = -1028
JET_errNotInitialized = -1029
JET_errAlreadyInitialized = -1030
JET_errInitInProgress = -1031
JET_errFileAccessDenied = -1032
JET_errBufferTooSmall = -1038
JET_wrnSeekNotEqual = 1039
JET_errTooManyColumns = -1040
JET_errContainerNotEmpty = -1043
JET_errInvalidFilename = -1044
JET_errInvalidBookmark = -1045
JET_errColumnInUse = -1046
JET_errInvalidBufferSize = -1047
JET_errColumnNotUpdatable = -1048
JET_errIndexInUse = -1051
JET_errLinkNotSupported = -1052
JET_errNullKeyDisallowed = -1053
JET_errNotInTransaction = -1054
JET_wrnNoErrorInfo = 1055
JET_errMustRollback = -1057
JET_wrnNoIdleActivity = 1058
JET_errTooManyActiveUsers = -1059
JET_errInvalidCountry = -1061
JET_errInvalidLanguageId = -1062
JET_errInvalidCodePage = -1063
JET_errInvalidLCMapStringFlags = -1064
JET_errVersionStoreEntryTooBig = -1065
JET_errVersionStoreOutOfMemoryAndCleanupTimedOut = -1066
JET_wrnNoWriteLock = 1067
JET_wrnColumnSetNull = 1068
JET_errVersionStoreOutOfMemory = -1069
JET_errCannotIndex = -1071
JET_errRecordNotDeleted = -1072
JET_errTooManyMempoolEntries = -1073
JET_errOutOfObjectIDs = -1074
JET_errOutOfLongValueIDs = -1075
JET_errOutOfAutoincrementValues = -1076
JET_errOutOfDbtimeValues = -1077
JET_errOutOfSequentialIndexValues = -1078
JET_errRunningInOneInstanceMode = -1080
JET_errRunningInMultiInstanceMode = -1081
JET_errSystemParamsAlreadySet = -1082
JET_errSystemPathInUse = -1083
JET_errLogFilePathInUse = -1084
JET_errTempPathInUse = -1085
JET_errInstanceNameInUse = -1086
JET_errSystemParameterConflict = -1087
JET_errInstanceUnavailable = -1090
JET_errDatabaseUnavailable = -1091
JET_errInstanceUnavailableDueToFatalLogDiskFull = -1092
JET_errInvalidSesparamId = -1093
JET_errTooManyRecords = -1094
JET_errInvalidDbparamId = -1095
JET_errOutOfSessions = -1101
JET_errWriteConflict = -1102
JET_errTransTooDeep = -1103
JET_errInvalidSesid = -1104
JET_errWriteConflictPrimaryIndex = -1105
JET_errInTransaction = -1108
JET_errRollbackRequired = -1109
JET_errTransReadOnly = -1110
JET_errSessionWriteConflict = -1111
JET_errRecordTooBigForBackwardCompatibility = -1112
JET_errCannotMaterializeForwardOnlySort = -1113
JET_errSesidTableIdMismatch = -1114
JET_errInvalidInstance = -1115
JET_errDirtyShutdown = -1116
JET_errReadPgnoVerifyFailure = -1118
JET_errReadLostFlushVerifyFailure = -1119
JET_errFileSystemCorruption = -1121
JET_wrnShrinkNotPossible = 1122
JET_errRecoveryVerifyFailure = -1123
JET_errFilteredMoveNotSupported = -1124
JET_errDatabaseDuplicate = -1201
JET_errDatabaseInUse = -1202
JET_errDatabaseNotFound = -1203
JET_errDatabaseInvalidName = -1204
JET_errDatabaseInvalidPages = -1205
JET_errDatabaseCorrupted = -1206
JET_errDatabaseLocked = -1207
JET_errCannotDisableVersioning = -1208
JET_errInvalidDatabaseVersion = -1209
JET_errDatabase200Format = -1210
JET_errDatabase400Format = -1211
JET_errDatabase500Format = -1212
JET_errPageSizeMismatch = -1213
JET_errTooManyInstances = -1214
JET_errDatabaseSharingViolation = -1215
JET_errAttachedDatabaseMismatch = -1216
JET_errDatabaseInvalidPath = -1217
JET_errDatabaseIdInUse = -1218
JET_errForceDetachNotAllowed = -1219
JET_errCatalogCorrupted = -1220
JET_errPartiallyAttachedDB = -1221
JET_errDatabaseSignInUse = -1222
JET_errDatabaseCorruptedNoRepair = -1224
JET_errInvalidCreateDbVersion = -1225
JET_errDatabaseNotReady = -1230
JET_errDatabaseAttachedForRecovery = -1231
JET_errTransactionsNotReadyDuringRecovery = -1232
JET_wrnTableEmpty = 1301
JET_errTableLocked = -1302
JET_errTableDuplicate = -1303
JET_errTableInUse = -1304
JET_errObjectNotFound = -1305
JET_errDensityInvalid = -1307
JET_errTableNotEmpty = -1308
JET_errInvalidTableId = -1310
JET_errTooManyOpenTables = -1311
JET_errIllegalOperation = -1312
JET_errTooManyOpenTablesAndCleanupTimedOut = -1313
JET_errObjectDuplicate = -1314
JET_errInvalidObject = -1316
JET_errCannotDeleteTempTable = -1317
JET_errCannotDeleteSystemTable = -1318
JET_errCannotDeleteTemplateTable = -1319
JET_errExclusiveTableLockRequired = -1322
JET_errFixedDDL = -1323
JET_errFixedInheritedDDL = -1324
JET_errCannotNestDDL = -1325
JET_errDDLNotInheritable = -1326
JET_wrnTableInUseBySystem = 1327
JET_errInvalidSettings = -1328
JET_errClientRequestToStopJetService = -1329
JET_errCannotAddFixedVarColumnToDerivedTable = -1330
JET_errIndexCantBuild = -1401
JET_errIndexHasPrimary = -1402
JET_errIndexDuplicate = -1403
JET_errIndexNotFound = -1404
JET_errIndexMustStay = -1405
JET_errIndexInvalidDef = -1406
JET_errInvalidCreateIndex = -1409
JET_errTooManyOpenIndexes = -1410
JET_errMultiValuedIndexViolation = -1411
JET_errIndexBuildCorrupted = -1412
JET_errPrimaryIndexCorrupted = -1413
JET_errSecondaryIndexCorrupted = -1414
JET_wrnCorruptIndexDeleted = 1415
JET_errInvalidIndexId = -1416
JET_wrnPrimaryIndexOutOfDate = 1417
JET_wrnSecondaryIndexOutOfDate = 1418
JET_errIndexTuplesSecondaryIndexOnly = -1430
JET_errIndexTuplesTooManyColumns = -1431
JET_errIndexTuplesOneColumnOnly = -1431
JET_errIndexTuplesNonUniqueOnly = -1432
JET_errIndexTuplesTextBinaryColumnsOnly = -1433
JET_errIndexTuplesTextColumnsOnly = -1433
JET_errIndexTuplesVarSegMacNotAllowed = -1434
JET_errIndexTuplesInvalidLimits = -1435
JET_errIndexTuplesCannotRetrieveFromIndex = -1436
JET_errIndexTuplesKeyTooSmall = -1437
JET_errInvalidLVChunkSize = -1438
JET_errColumnCannotBeEncrypted = -1439
JET_errCannotIndexOnEncryptedColumn = -1440
JET_errColumnLong = -1501
JET_errColumnNoChunk = -1502
JET_errColumnDoesNotFit = -1503
JET_errNullInvalid = -1504
JET_errColumnIndexed = -1505
JET_errColumnTooBig = -1506
JET_errColumnNotFound = -1507
JET_errColumnDuplicate = -1508
JET_errMultiValuedColumnMustBeTagged = -1509
JET_errColumnRedundant = -1510
JET_errInvalidColumnType = -1511
JET_wrnColumnMaxTruncated = 1512
JET_errTaggedNotNULL = -1514
JET_errNoCurrentIndex = -1515
JET_errKeyIsMade = -1516
JET_errBadColumnId = -1517
JET_errBadItagSequence = -1518
JET_errColumnInRelationship = -1519
JET_wrnCopyLongValue = 1520
JET_errCannotBeTagged = -1521
JET_errDefaultValueTooBig = -1524
JET_errMultiValuedDuplicate = -1525
JET_errLVCorrupted = -1526
JET_errMultiValuedDuplicateAfterTruncation = -1528
JET_errDerivedColumnCorruption = -1529
JET_errInvalidPlaceholderColumn = -1530
JET_wrnColumnSkipped = 1531
JET_wrnColumnNotLocal = 1532
JET_wrnColumnMoreTags = 1533
JET_wrnColumnTruncated = 1534
JET_wrnColumnPresent = 1535
JET_wrnColumnSingleValue = 1536
JET_wrnColumnDefault = 1537
JET_errColumnCannotBeCompressed = -1538
JET_wrnColumnNotInRecord = 1539
JET_errColumnNoEncryptionKey = -1540
JET_wrnColumnReference = 1541
JET_errRecordNotFound = -1601
JET_errRecordNoCopy = -1602
JET_errNoCurrentRecord = -1603
JET_errRecordPrimaryChanged = -1604
JET_errKeyDuplicate = -1605
JET_errAlreadyPrepared = -1607
JET_errKeyNotMade = -1608
JET_errUpdateNotPrepared = -1609
JET_wrnDataHasChanged = 1610
JET_errDataHasChanged = -1611
JET_wrnKeyChanged = 1618
JET_errLanguageNotSupported = -1619
JET_errDecompressionFailed = -1620
JET_errUpdateMustVersion = -1621
JET_errDecryptionFailed = -1622
JET_errEncryptionBadItag = -1623
JET_errSetAutoIncrementTooHigh = -1624
JET_errAutoIncrementNotSet = -1625
JET_errTooManySorts = -1701
JET_errInvalidOnSort = -1702
JET_errTempFileOpenError = -1803
JET_errTooManyAttachedDatabases = -1805
JET_errDiskFull = -1808
JET_errPermissionDenied = -1809
JET_errFileNotFound = -1811
JET_errFileInvalidType = -1812
JET_wrnFileOpenReadOnly = 1813
JET_errFileAlreadyExists = -1814
JET_errAfterInitialization = -1850
JET_errLogCorrupted = -1852
JET_errInvalidOperation = -1906
JET_errAccessDenied = -1907
JET_wrnIdleFull = 1908
JET_errTooManySplits = -1909
JET_errSessionSharingViolation = -1910
JET_errEntryPointNotFound = -1911
JET_errSessionContextAlreadySet = -1912
JET_errSessionContextNotSetByThisThread = -1913
JET_errSessionInUse = -1914
JET_errRecordFormatConversionFailed = -1915
JET_errOneDatabasePerSession = -1916
JET_errRollbackError = -1917
JET_errFlushMapVersionUnsupported = -1918
JET_errFlushMapDatabaseMismatch = -1919
JET_errFlushMapUnrecoverable = -1920
JET_wrnDefragAlreadyRunning = 2000
JET_wrnDefragNotRunning = 2001
JET_errDatabaseAlreadyRunningMaintenance = -2004
JET_wrnCallbackNotRegistered = 2100
JET_errCallbackFailed = -2101
JET_errCallbackNotResolved = -2102
JET_errSpaceHintsInvalid = -2103
JET_errOSSnapshotInvalidSequence = -2401
JET_errOSSnapshotTimeOut = -2402
JET_errOSSnapshotNotAllowed = -2403
JET_errOSSnapshotInvalidSnapId = -2404
JET_errLSCallbackNotSpecified = -3000
JET_errLSAlreadySet = -3001
JET_errLSNotSet = -3002
JET_errFileIOSparse = -4000
JET_errFileIOBeyondEOF = -4001
JET_errFileIOAbort = -4002
JET_errFileIORetry = -4003
JET_errFileIOFail = -4004
JET_errFileCompressed = -4005
JET_errClientSpaceBegin = -10000
JET_errClientSpaceEnd = -11999
JET_relopEquals = 0
JET_relopPrefixEquals = 1
JET_relopNotEquals = 2
JET_relopLessThanOrEqual = 3
JET_relopLessThan = 4
JET_relopGreaterThanOrEqual = 5
JET_relopGreaterThan = 6
JET_relopBitmaskEqualsZero = 7
JET_relopBitmaskNotEqualsZero = 8
JET_errcatUnknown = 0
JET_errcatError = 1
JET_errcatOperation = 2
JET_errcatFatal = 3
JET_errcatIO = 4
JET_errcatResource = 5
JET_errcatMemory = 6
JET_errcatQuota = 7
JET_errcatDisk = 8
JET_errcatData = 9
JET_errcatCorruption = 10
JET_errcatInconsistent = 11
JET_errcatFragmentation = 12
JET_errcatApi = 13
JET_errcatUsage = 14
JET_errcatState = 15
JET_errcatObsolete = 16
JET_errcatMax = 17
JET_IndexCheckingOff = 0
JET_IndexCheckingOn = 1
JET_IndexCheckingDeferToOpenTable = 2
JET_IndexCheckingMax = 3

JET_PFNSTATUS = CFUNCTYPE(c_int32, c_size_t, c_uint32, c_uint32, c_void_p)
JET_CALLBACK = CFUNCTYPE(c_int32, c_size_t, c_uint32, c_size_t, c_uint32, c_void_p, c_void_p,
    c_void_p, c_size_t)
JET_PFNREALLOC = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_uint32)
JET_PFNINITCALLBACK = CFUNCTYPE(c_int32, c_uint32, c_uint32, c_void_p, c_void_p)
JET_PFNDURABLECOMMITCALLBACK = CFUNCTYPE(c_int32, c_size_t, c_void_p, c_uint32)


class JET_INDEXID(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("rgbIndexId", c_uint8 * 16),
    ]


class JET_RSTMAP_A(Structure):
    _fields_ = [
        ("szDatabaseName", c_void_p),
        ("szNewDatabaseName", c_void_p),
    ]


class JET_RSTMAP_W(Structure):
    _fields_ = [
        ("szDatabaseName", c_void_p),
        ("szNewDatabaseName", c_void_p),
    ]


class JET_CONVERT_A_1_1(Structure):
    _fields_ = [
        ("fSchemaChangesOnly", c_uint32, 1),
    ]


class JET_CONVERT_A_1(Union):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("fFlags", c_uint32),
        ("_1", JET_CONVERT_A_1_1),
    ]


class JET_CONVERT_A(Structure):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("szOldDll", c_void_p),
        ("_1", JET_CONVERT_A_1),
    ]


class JET_CONVERT_W_1_1(Structure):
    _fields_ = [
        ("fSchemaChangesOnly", c_uint32, 1),
    ]


class JET_CONVERT_W_1(Union):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("fFlags", c_uint32),
        ("_1", JET_CONVERT_W_1_1),
    ]


class JET_CONVERT_W(Structure):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("szOldDll", c_void_p),
        ("_1", JET_CONVERT_W_1),
    ]


class JET_SNPROG(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("cunitDone", c_uint32),
        ("cunitTotal", c_uint32),
    ]


class JET_DBINFOUPGRADE_1_1(Structure):
    _fields_ = [
        ("fUpgradable", c_uint32, 1),
        ("fAlreadyUpgraded", c_uint32, 1),
    ]


class JET_DBINFOUPGRADE_1(Union):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("ulFlags", c_uint32),
        ("_1", JET_DBINFOUPGRADE_1_1),
    ]


class JET_DBINFOUPGRADE(Structure):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("cbStruct", c_uint32),
        ("cbFilesizeLow", c_uint32),
        ("cbFilesizeHigh", c_uint32),
        ("cbFreeSpaceRequiredLow", c_uint32),
        ("cbFreeSpaceRequiredHigh", c_uint32),
        ("csecToUpgrade", c_uint32),
        ("_1", JET_DBINFOUPGRADE_1),
    ]


class JET_OBJECTINFO(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("objtyp", c_uint32),
        ("dtCreate", c_double),
        ("dtUpdate", c_double),
        ("grbit", c_uint32),
        ("flags", c_uint32),
        ("cRecord", c_uint32),
        ("cPage", c_uint32),
    ]


class JET_OBJECTLIST(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("tableid", c_size_t),
        ("cRecord", c_uint32),
        ("columnidcontainername", c_uint32),
        ("columnidobjectname", c_uint32),
        ("columnidobjtyp", c_uint32),
        ("columniddtCreate", c_uint32),
        ("columniddtUpdate", c_uint32),
        ("columnidgrbit", c_uint32),
        ("columnidflags", c_uint32),
        ("columnidcRecord", c_uint32),
        ("columnidcPage", c_uint32),
    ]


class JET_COLUMNLIST(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("tableid", c_size_t),
        ("cRecord", c_uint32),
        ("columnidPresentationOrder", c_uint32),
        ("columnidcolumnname", c_uint32),
        ("columnidcolumnid", c_uint32),
        ("columnidcoltyp", c_uint32),
        ("columnidCountry", c_uint32),
        ("columnidLangid", c_uint32),
        ("columnidCp", c_uint32),
        ("columnidCollate", c_uint32),
        ("columnidcbMax", c_uint32),
        ("columnidgrbit", c_uint32),
        ("columnidDefault", c_uint32),
        ("columnidBaseTableName", c_uint32),
        ("columnidBaseColumnName", c_uint32),
        ("columnidDefinitionName", c_uint32),
    ]


class JET_COLUMNDEF(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("columnid", c_uint32),
        ("coltyp", c_uint32),
        ("wCountry", c_uint16),
        ("langid", c_uint16),
        ("cp", c_uint16),
        ("wCollate", c_uint16),
        ("cbMax", c_uint32),
        ("grbit", c_uint32),
    ]


class JET_COLUMNBASE_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("columnid", c_uint32),
        ("coltyp", c_uint32),
        ("wCountry", c_uint16),
        ("langid", c_uint16),
        ("cp", c_uint16),
        ("wFiller", c_uint16),
        ("cbMax", c_uint32),
        ("grbit", c_uint32),
        ("szBaseTableName", c_char * 256),
        ("szBaseColumnName", c_char * 256),
    ]


class JET_COLUMNBASE_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("columnid", c_uint32),
        ("coltyp", c_uint32),
        ("wCountry", c_uint16),
        ("langid", c_uint16),
        ("cp", c_uint16),
        ("wFiller", c_uint16),
        ("cbMax", c_uint32),
        ("grbit", c_uint32),
        ("szBaseTableName", c_uint16 * 256),
        ("szBaseColumnName", c_uint16 * 256),
    ]


class JET_INDEXLIST(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("tableid", c_size_t),
        ("cRecord", c_uint32),
        ("columnidindexname", c_uint32),
        ("columnidgrbitIndex", c_uint32),
        ("columnidcKey", c_uint32),
        ("columnidcEntry", c_uint32),
        ("columnidcPage", c_uint32),
        ("columnidcColumn", c_uint32),
        ("columnidiColumn", c_uint32),
        ("columnidcolumnid", c_uint32),
        ("columnidcoltyp", c_uint32),
        ("columnidCountry", c_uint32),
        ("columnidLangid", c_uint32),
        ("columnidCp", c_uint32),
        ("columnidCollate", c_uint32),
        ("columnidgrbitColumn", c_uint32),
        ("columnidcolumnname", c_uint32),
        ("columnidLCMapFlags", c_uint32),
    ]


class JET_COLUMNCREATE_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szColumnName", c_void_p),
        ("coltyp", c_uint32),
        ("cbMax", c_uint32),
        ("grbit", c_uint32),
        ("pvDefault", c_void_p),
        ("cbDefault", c_uint32),
        ("cp", c_uint32),
        ("columnid", c_uint32),
        ("err", c_int32),
    ]


class JET_COLUMNCREATE_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szColumnName", c_void_p),
        ("coltyp", c_uint32),
        ("cbMax", c_uint32),
        ("grbit", c_uint32),
        ("pvDefault", c_void_p),
        ("cbDefault", c_uint32),
        ("cp", c_uint32),
        ("columnid", c_uint32),
        ("err", c_int32),
    ]


class JET_USERDEFINEDDEFAULT_A(Structure):
    _fields_ = [
        ("szCallback", c_void_p),
        ("pbUserData", c_void_p),
        ("cbUserData", c_uint32),
        ("szDependantColumns", c_void_p),
    ]


class JET_USERDEFINEDDEFAULT_W(Structure):
    _fields_ = [
        ("szCallback", c_void_p),
        ("pbUserData", c_void_p),
        ("cbUserData", c_uint32),
        ("szDependantColumns", c_void_p),
    ]


class JET_CONDITIONALCOLUMN_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szColumnName", c_void_p),
        ("grbit", c_uint32),
    ]


class JET_CONDITIONALCOLUMN_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szColumnName", c_void_p),
        ("grbit", c_uint32),
    ]


class JET_UNICODEINDEX(Structure):
    _fields_ = [
        ("lcid", c_uint32),
        ("dwMapFlags", c_uint32),
    ]


class JET_UNICODEINDEX2(Structure):
    _fields_ = [
        ("szLocaleName", c_void_p),
        ("dwMapFlags", c_uint32),
    ]


class JET_TUPLELIMITS(Structure):
    _fields_ = [
        ("chLengthMin", c_uint32),
        ("chLengthMax", c_uint32),
        ("chToIndexMax", c_uint32),
        ("cchIncrement", c_uint32),
        ("ichStart", c_uint32),
    ]


class JET_SPACEHINTS(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("ulInitialDensity", c_uint32),
        ("cbInitial", c_uint32),
        ("grbit", c_uint32),
        ("ulMaintDensity", c_uint32),
        ("ulGrowth", c_uint32),
        ("cbMinExtent", c_uint32),
        ("cbMaxExtent", c_uint32),
    ]


class JET_INDEXCREATE_A_1(Union):
    _fields_ = [
        ("lcid", c_uint32),
        ("pidxunicode", c_void_p),
    ]


class JET_INDEXCREATE_A_2(Union):
    _fields_ = [
        ("cbVarSegMac", c_uint32),
        ("ptuplelimits", c_void_p),
    ]


class JET_INDEXCREATE_A(Structure):
    _anonymous_ = ('_1', '_2')
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szIndexName", c_void_p),
        ("szKey", c_void_p),
        ("cbKey", c_uint32),
        ("grbit", c_uint32),
        ("ulDensity", c_uint32),
        ("_1", JET_INDEXCREATE_A_1),
        ("_2", JET_INDEXCREATE_A_2),
        ("rgconditionalcolumn", c_void_p),
        ("cConditionalColumn", c_uint32),
        ("err", c_int32),
        ("cbKeyMost", c_uint32),
    ]


class JET_INDEXCREATE_W_1(Union):
    _fields_ = [
        ("lcid", c_uint32),
        ("pidxunicode", c_void_p),
    ]


class JET_INDEXCREATE_W_2(Union):
    _fields_ = [
        ("cbVarSegMac", c_uint32),
        ("ptuplelimits", c_void_p),
    ]


class JET_INDEXCREATE_W(Structure):
    _anonymous_ = ('_1', '_2')
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szIndexName", c_void_p),
        ("szKey", c_void_p),
        ("cbKey", c_uint32),
        ("grbit", c_uint32),
        ("ulDensity", c_uint32),
        ("_1", JET_INDEXCREATE_W_1),
        ("_2", JET_INDEXCREATE_W_2),
        ("rgconditionalcolumn", c_void_p),
        ("cConditionalColumn", c_uint32),
        ("err", c_int32),
        ("cbKeyMost", c_uint32),
    ]


class JET_INDEXCREATE2_A_1(Union):
    _fields_ = [
        ("lcid", c_uint32),
        ("pidxunicode", c_void_p),
    ]


class JET_INDEXCREATE2_A_2(Union):
    _fields_ = [
        ("cbVarSegMac", c_uint32),
        ("ptuplelimits", c_void_p),
    ]


class JET_INDEXCREATE2_A(Structure):
    _anonymous_ = ('_1', '_2')
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szIndexName", c_void_p),
        ("szKey", c_void_p),
        ("cbKey", c_uint32),
        ("grbit", c_uint32),
        ("ulDensity", c_uint32),
        ("_1", JET_INDEXCREATE2_A_1),
        ("_2", JET_INDEXCREATE2_A_2),
        ("rgconditionalcolumn", c_void_p),
        ("cConditionalColumn", c_uint32),
        ("err", c_int32),
        ("cbKeyMost", c_uint32),
        ("pSpacehints", c_void_p),
    ]


class JET_INDEXCREATE2_W_1(Union):
    _fields_ = [
        ("lcid", c_uint32),
        ("pidxunicode", c_void_p),
    ]


class JET_INDEXCREATE2_W_2(Union):
    _fields_ = [
        ("cbVarSegMac", c_uint32),
        ("ptuplelimits", c_void_p),
    ]


class JET_INDEXCREATE2_W(Structure):
    _anonymous_ = ('_1', '_2')
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szIndexName", c_void_p),
        ("szKey", c_void_p),
        ("cbKey", c_uint32),
        ("grbit", c_uint32),
        ("ulDensity", c_uint32),
        ("_1", JET_INDEXCREATE2_W_1),
        ("_2", JET_INDEXCREATE2_W_2),
        ("rgconditionalcolumn", c_void_p),
        ("cConditionalColumn", c_uint32),
        ("err", c_int32),
        ("cbKeyMost", c_uint32),
        ("pSpacehints", c_void_p),
    ]


class JET_INDEXCREATE3_A_1(Union):
    _fields_ = [
        ("cbVarSegMac", c_uint32),
        ("ptuplelimits", c_void_p),
    ]


class JET_INDEXCREATE3_A(Structure):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szIndexName", c_void_p),
        ("szKey", c_void_p),
        ("cbKey", c_uint32),
        ("grbit", c_uint32),
        ("ulDensity", c_uint32),
        ("pidxunicode", c_void_p),
        ("_1", JET_INDEXCREATE3_A_1),
        ("rgconditionalcolumn", c_void_p),
        ("cConditionalColumn", c_uint32),
        ("err", c_int32),
        ("cbKeyMost", c_uint32),
        ("pSpacehints", c_void_p),
    ]


class JET_INDEXCREATE3_W_1(Union):
    _fields_ = [
        ("cbVarSegMac", c_uint32),
        ("ptuplelimits", c_void_p),
    ]


class JET_INDEXCREATE3_W(Structure):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szIndexName", c_void_p),
        ("szKey", c_void_p),
        ("cbKey", c_uint32),
        ("grbit", c_uint32),
        ("ulDensity", c_uint32),
        ("pidxunicode", c_void_p),
        ("_1", JET_INDEXCREATE3_W_1),
        ("rgconditionalcolumn", c_void_p),
        ("cConditionalColumn", c_uint32),
        ("err", c_int32),
        ("cbKeyMost", c_uint32),
        ("pSpacehints", c_void_p),
    ]


class JET_TABLECREATE_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("grbit", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_TABLECREATE_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("grbit", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_TABLECREATE2_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("szCallback", c_void_p),
        ("cbtyp", c_uint32),
        ("grbit", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_TABLECREATE2_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("szCallback", c_void_p),
        ("cbtyp", c_uint32),
        ("grbit", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_TABLECREATE3_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("szCallback", c_void_p),
        ("cbtyp", c_uint32),
        ("grbit", c_uint32),
        ("pSeqSpacehints", c_void_p),
        ("pLVSpacehints", c_void_p),
        ("cbSeparateLV", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_TABLECREATE3_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("szCallback", c_void_p),
        ("cbtyp", c_uint32),
        ("grbit", c_uint32),
        ("pSeqSpacehints", c_void_p),
        ("pLVSpacehints", c_void_p),
        ("cbSeparateLV", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_TABLECREATE4_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("szCallback", c_void_p),
        ("cbtyp", c_uint32),
        ("grbit", c_uint32),
        ("pSeqSpacehints", c_void_p),
        ("pLVSpacehints", c_void_p),
        ("cbSeparateLV", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_TABLECREATE4_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("szCallback", c_void_p),
        ("cbtyp", c_uint32),
        ("grbit", c_uint32),
        ("pSeqSpacehints", c_void_p),
        ("pLVSpacehints", c_void_p),
        ("cbSeparateLV", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_OPENTEMPORARYTABLE(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("prgcolumndef", c_void_p),
        ("ccolumn", c_uint32),
        ("pidxunicode", c_void_p),
        ("grbit", c_uint32),
        ("prgcolumnid", c_void_p),
        ("cbKeyMost", c_uint32),
        ("cbVarSegMac", c_uint32),
        ("tableid", c_size_t),
    ]


class JET_OPENTEMPORARYTABLE2(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("prgcolumndef", c_void_p),
        ("ccolumn", c_uint32),
        ("pidxunicode", c_void_p),
        ("grbit", c_uint32),
        ("prgcolumnid", c_void_p),
        ("cbKeyMost", c_uint32),
        ("cbVarSegMac", c_uint32),
        ("tableid", c_size_t),
    ]


class JET_RETINFO(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("ibLongValue", c_uint32),
        ("itagSequence", c_uint32),
        ("columnidNextTagged", c_uint32),
    ]


class JET_SETINFO(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("ibLongValue", c_uint32),
        ("itagSequence", c_uint32),
    ]


class JET_RECPOS(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("centriesLT", c_uint32),
        ("centriesInRange", c_uint32),
        ("centriesTotal", c_uint32),
    ]


class JET_RECPOS2(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("centriesLTDeprecated", c_uint32),
        ("centriesInRangeDeprecated", c_uint32),
        ("centriesTotalDeprecated", c_uint32),
        ("centriesLT", c_uint64),
        ("centriesTotal", c_uint64),
    ]


class JET_RECORDLIST(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("tableid", c_size_t),
        ("cRecord", c_uint32),
        ("columnidBookmark", c_uint32),
    ]


class JET_INDEXRANGE(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("tableid", c_size_t),
        ("grbit", c_uint32),
    ]


class JET_INDEX_COLUMN(Structure):
    _fields_ = [
        ("columnid", c_uint32),
        ("relop", c_int),
        ("pv", c_void_p),
        ("cb", c_uint32),
        ("grbit", c_uint32),
    ]


class JET_INDEX_RANGE(Structure):
    _fields_ = [
        ("rgStartColumns", c_void_p),
        ("cStartColumns", c_uint32),
        ("rgEndColumns", c_void_p),
        ("cEndColumns", c_uint32),
    ]


class JET_LOGTIME_1_1(Structure):
    _fields_ = [
        ("fTimeIsUTC", c_uint8, 1),
        ("bMillisecondsLow", c_uint8, 7),
    ]


class JET_LOGTIME_1(Union):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("bFiller1", c_char),
        ("_1", JET_LOGTIME_1_1),
    ]


class JET_LOGTIME_2_1(Structure):
    _fields_ = [
        ("fReserved", c_uint8, 1),
        ("bMillisecondsHigh", c_uint8, 3),
        ("fUnused", c_uint8, 4),
    ]


class JET_LOGTIME_2(Union):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("bFiller2", c_char),
        ("_1", JET_LOGTIME_2_1),
    ]


class JET_LOGTIME(Structure):
    _anonymous_ = ('_1', '_2')
    _fields_ = [
        ("bSeconds", c_char),
        ("bMinutes", c_char),
        ("bHours", c_char),
        ("bDay", c_char),
        ("bMonth", c_char),
        ("bYear", c_char),
        ("_1", JET_LOGTIME_1),
        ("_2", JET_LOGTIME_2),
    ]


class JET_BKLOGTIME_1_1(Structure):
    _fields_ = [
        ("fTimeIsUTC", c_uint8, 1),
        ("bMillisecondsLow", c_uint8, 7),
    ]


class JET_BKLOGTIME_1(Union):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("bFiller1", c_char),
        ("_1", JET_BKLOGTIME_1_1),
    ]


class JET_BKLOGTIME_2_1(Structure):
    _fields_ = [
        ("fOSSnapshot", c_uint8, 1),
        ("bMillisecondsHigh", c_uint8, 3),
        ("fReserved", c_uint8, 4),
    ]


class JET_BKLOGTIME_2(Union):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("bFiller2", c_char),
        ("_1", JET_BKLOGTIME_2_1),
    ]


class JET_BKLOGTIME(Structure):
    _anonymous_ = ('_1', '_2')
    _fields_ = [
        ("bSeconds", c_char),
        ("bMinutes", c_char),
        ("bHours", c_char),
        ("bDay", c_char),
        ("bMonth", c_char),
        ("bYear", c_char),
        ("_1", JET_BKLOGTIME_1),
        ("_2", JET_BKLOGTIME_2),
    ]


class JET_LGPOS(Structure):
    _fields_ = [
        ("ib", c_uint16),
        ("isec", c_uint16),
        ("lGeneration", c_int32),
    ]


class JET_SIGNATURE(Structure):
    _fields_ = [
        ("ulRandom", c_uint32),
        ("logtimeCreate", JET_LOGTIME),
        ("szComputerName", c_char * 16),
    ]


class JET_BKINFO_1(Union):
    _fields_ = [
        ("logtimeMark", JET_LOGTIME),
        ("bklogtimeMark", JET_BKLOGTIME),
    ]


class JET_BKINFO(Structure):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("lgposMark", JET_LGPOS),
        ("_1", JET_BKINFO_1),
        ("genLow", c_uint32),
        ("genHigh", c_uint32),
    ]


class JET_DBINFOMISC(Structure):
    _fields_ = [
        ("ulVersion", c_uint32),
        ("ulUpdate", c_uint32),
        ("signDb", JET_SIGNATURE),
        ("dbstate", c_uint32),
        ("lgposConsistent", JET_LGPOS),
        ("logtimeConsistent", JET_LOGTIME),
        ("logtimeAttach", JET_LOGTIME),
        ("lgposAttach", JET_LGPOS),
        ("logtimeDetach", JET_LOGTIME),
        ("lgposDetach", JET_LGPOS),
        ("signLog", JET_SIGNATURE),
        ("bkinfoFullPrev", JET_BKINFO),
        ("bkinfoIncPrev", JET_BKINFO),
        ("bkinfoFullCur", JET_BKINFO),
        ("fShadowingDisabled", c_uint32),
        ("fUpgradeDb", c_uint32),
        ("dwMajorVersion", c_uint32),
        ("dwMinorVersion", c_uint32),
        ("dwBuildNumber", c_uint32),
        ("lSPNumber", c_int32),
        ("cbPageSize", c_uint32),
    ]


class JET_DBINFOMISC2(Structure):
    _fields_ = [
        ("ulVersion", c_uint32),
        ("ulUpdate", c_uint32),
        ("signDb", JET_SIGNATURE),
        ("dbstate", c_uint32),
        ("lgposConsistent", JET_LGPOS),
        ("logtimeConsistent", JET_LOGTIME),
        ("logtimeAttach", JET_LOGTIME),
        ("lgposAttach", JET_LGPOS),
        ("logtimeDetach", JET_LOGTIME),
        ("lgposDetach", JET_LGPOS),
        ("signLog", JET_SIGNATURE),
        ("bkinfoFullPrev", JET_BKINFO),
        ("bkinfoIncPrev", JET_BKINFO),
        ("bkinfoFullCur", JET_BKINFO),
        ("fShadowingDisabled", c_uint32),
        ("fUpgradeDb", c_uint32),
        ("dwMajorVersion", c_uint32),
        ("dwMinorVersion", c_uint32),
        ("dwBuildNumber", c_uint32),
        ("lSPNumber", c_int32),
        ("cbPageSize", c_uint32),
        ("genMinRequired", c_uint32),
        ("genMaxRequired", c_uint32),
        ("logtimeGenMaxCreate", JET_LOGTIME),
        ("ulRepairCount", c_uint32),
        ("logtimeRepair", JET_LOGTIME),
        ("ulRepairCountOld", c_uint32),
        ("ulECCFixSuccess", c_uint32),
        ("logtimeECCFixSuccess", JET_LOGTIME),
        ("ulECCFixSuccessOld", c_uint32),
        ("ulECCFixFail", c_uint32),
        ("logtimeECCFixFail", JET_LOGTIME),
        ("ulECCFixFailOld", c_uint32),
        ("ulBadChecksum", c_uint32),
        ("logtimeBadChecksum", JET_LOGTIME),
        ("ulBadChecksumOld", c_uint32),
    ]


class JET_DBINFOMISC3(Structure):
    _fields_ = [
        ("ulVersion", c_uint32),
        ("ulUpdate", c_uint32),
        ("signDb", JET_SIGNATURE),
        ("dbstate", c_uint32),
        ("lgposConsistent", JET_LGPOS),
        ("logtimeConsistent", JET_LOGTIME),
        ("logtimeAttach", JET_LOGTIME),
        ("lgposAttach", JET_LGPOS),
        ("logtimeDetach", JET_LOGTIME),
        ("lgposDetach", JET_LGPOS),
        ("signLog", JET_SIGNATURE),
        ("bkinfoFullPrev", JET_BKINFO),
        ("bkinfoIncPrev", JET_BKINFO),
        ("bkinfoFullCur", JET_BKINFO),
        ("fShadowingDisabled", c_uint32),
        ("fUpgradeDb", c_uint32),
        ("dwMajorVersion", c_uint32),
        ("dwMinorVersion", c_uint32),
        ("dwBuildNumber", c_uint32),
        ("lSPNumber", c_int32),
        ("cbPageSize", c_uint32),
        ("genMinRequired", c_uint32),
        ("genMaxRequired", c_uint32),
        ("logtimeGenMaxCreate", JET_LOGTIME),
        ("ulRepairCount", c_uint32),
        ("logtimeRepair", JET_LOGTIME),
        ("ulRepairCountOld", c_uint32),
        ("ulECCFixSuccess", c_uint32),
        ("logtimeECCFixSuccess", JET_LOGTIME),
        ("ulECCFixSuccessOld", c_uint32),
        ("ulECCFixFail", c_uint32),
        ("logtimeECCFixFail", JET_LOGTIME),
        ("ulECCFixFailOld", c_uint32),
        ("ulBadChecksum", c_uint32),
        ("logtimeBadChecksum", JET_LOGTIME),
        ("ulBadChecksumOld", c_uint32),
        ("genCommitted", c_uint32),
    ]


class JET_DBINFOMISC4(Structure):
    _fields_ = [
        ("ulVersion", c_uint32),
        ("ulUpdate", c_uint32),
        ("signDb", JET_SIGNATURE),
        ("dbstate", c_uint32),
        ("lgposConsistent", JET_LGPOS),
        ("logtimeConsistent", JET_LOGTIME),
        ("logtimeAttach", JET_LOGTIME),
        ("lgposAttach", JET_LGPOS),
        ("logtimeDetach", JET_LOGTIME),
        ("lgposDetach", JET_LGPOS),
        ("signLog", JET_SIGNATURE),
        ("bkinfoFullPrev", JET_BKINFO),
        ("bkinfoIncPrev", JET_BKINFO),
        ("bkinfoFullCur", JET_BKINFO),
        ("fShadowingDisabled", c_uint32),
        ("fUpgradeDb", c_uint32),
        ("dwMajorVersion", c_uint32),
        ("dwMinorVersion", c_uint32),
        ("dwBuildNumber", c_uint32),
        ("lSPNumber", c_int32),
        ("cbPageSize", c_uint32),
        ("genMinRequired", c_uint32),
        ("genMaxRequired", c_uint32),
        ("logtimeGenMaxCreate", JET_LOGTIME),
        ("ulRepairCount", c_uint32),
        ("logtimeRepair", JET_LOGTIME),
        ("ulRepairCountOld", c_uint32),
        ("ulECCFixSuccess", c_uint32),
        ("logtimeECCFixSuccess", JET_LOGTIME),
        ("ulECCFixSuccessOld", c_uint32),
        ("ulECCFixFail", c_uint32),
        ("logtimeECCFixFail", JET_LOGTIME),
        ("ulECCFixFailOld", c_uint32),
        ("ulBadChecksum", c_uint32),
        ("logtimeBadChecksum", JET_LOGTIME),
        ("ulBadChecksumOld", c_uint32),
        ("genCommitted", c_uint32),
        ("bkinfoCopyPrev", JET_BKINFO),
        ("bkinfoDiffPrev", JET_BKINFO),
    ]


class JET_RSTINFO_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("rgrstmap", c_void_p),
        ("crstmap", c_int32),
        ("lgposStop", JET_LGPOS),
        ("logtimeStop", JET_LOGTIME),
        ("pfnStatus", JET_PFNSTATUS),
    ]


class JET_RSTINFO_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("rgrstmap", c_void_p),
        ("crstmap", c_int32),
        ("lgposStop", JET_LGPOS),
        ("logtimeStop", JET_LOGTIME),
        ("pfnStatus", JET_PFNSTATUS),
    ]


class JET_ERRINFOBASIC_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("errValue", c_int32),
        ("errcatMostSpecific", c_int),
        ("rgCategoricalHierarchy", c_uint8 * 8),
        ("lSourceLine", c_uint32),
        ("rgszSourceFile", c_uint16 * 64),
    ]


class JET_COMMIT_ID(Structure):
    _fields_ = [
        ("signLog", JET_SIGNATURE),
        ("reserved", c_int32),
        ("commitId", c_int64),
    ]


class JET_OPERATIONCONTEXT(Structure):
    _fields_ = [
        ("ulUserID", c_uint32),
        ("nOperationID", c_uint8),
        ("nOperationType", c_uint8),
        ("nClientType", c_uint8),
        ("fFlags", c_uint8),
    ]


class JET_SETCOLUMN(Structure):
    _fields_ = [
        ("columnid", c_uint32),
        ("pvData", c_void_p),
        ("cbData", c_uint32),
        ("grbit", c_uint32),
        ("ibLongValue", c_uint32),
        ("itagSequence", c_uint32),
        ("err", c_int32),
    ]


class JET_SETSYSPARAM_A(Structure):
    _fields_ = [
        ("paramid", c_uint32),
        ("lParam", c_size_t),
        ("sz", c_void_p),
        ("err", c_int32),
    ]


class JET_SETSYSPARAM_W(Structure):
    _fields_ = [
        ("paramid", c_uint32),
        ("lParam", c_size_t),
        ("sz", c_void_p),
        ("err", c_int32),
    ]


class JET_RETRIEVECOLUMN(Structure):
    _fields_ = [
        ("columnid", c_uint32),
        ("pvData", c_void_p),
        ("cbData", c_uint32),
        ("cbActual", c_uint32),
        ("grbit", c_uint32),
        ("ibLongValue", c_uint32),
        ("itagSequence", c_uint32),
        ("columnidNextTagged", c_uint32),
        ("err", c_int32),
    ]


class JET_ENUMCOLUMNID(Structure):
    _fields_ = [
        ("columnid", c_uint32),
        ("ctagSequence", c_uint32),
        ("rgtagSequence", c_void_p),
    ]


class JET_ENUMCOLUMNVALUE(Structure):
    _fields_ = [
        ("itagSequence", c_uint32),
        ("err", c_int32),
        ("cbData", c_uint32),
        ("pvData", c_void_p),
    ]


class JET_ENUMCOLUMN_1_1(Structure):
    _fields_ = [
        ("cEnumColumnValue", c_uint32),
        ("rgEnumColumnValue", c_void_p),
    ]


class JET_ENUMCOLUMN_1_2(Structure):
    _fields_ = [
        ("cbData", c_uint32),
        ("pvData", c_void_p),
    ]


class JET_ENUMCOLUMN_1(Union):
    _anonymous_ = ('_1', '_2')
    _fields_ = [
        ("_1", JET_ENUMCOLUMN_1_1),
        ("_2", JET_ENUMCOLUMN_1_2),
    ]


class JET_ENUMCOLUMN(Structure):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("columnid", c_uint32),
        ("err", c_int32),
        ("_1", JET_ENUMCOLUMN_1),
    ]


class JET_RECSIZE(Structure):
    _fields_ = [
        ("cbData", c_uint64),
        ("cbLongValueData", c_uint64),
        ("cbOverhead", c_uint64),
        ("cbLongValueOverhead", c_uint64),
        ("cNonTaggedColumns", c_uint64),
        ("cTaggedColumns", c_uint64),
        ("cLongValues", c_uint64),
        ("cMultiValues", c_uint64),
    ]


class JET_RECSIZE2(Structure):
    _fields_ = [
        ("cbData", c_uint64),
        ("cbLongValueData", c_uint64),
        ("cbOverhead", c_uint64),
        ("cbLongValueOverhead", c_uint64),
        ("cNonTaggedColumns", c_uint64),
        ("cTaggedColumns", c_uint64),
        ("cLongValues", c_uint64),
        ("cMultiValues", c_uint64),
        ("cCompressedColumns", c_uint64),
        ("cbDataCompressed", c_uint64),
        ("cbLongValueDataCompressed", c_uint64),
    ]


class JET_RECSIZE3(Structure):
    _fields_ = [
        ("cbData", c_uint64),
        ("cbLongValueData", c_uint64),
        ("cbOverhead", c_uint64),
        ("cbLongValueOverhead", c_uint64),
        ("cNonTaggedColumns", c_uint64),
        ("cTaggedColumns", c_uint64),
        ("cLongValues", c_uint64),
        ("cMultiValues", c_uint64),
        ("cCompressedColumns", c_uint64),
        ("cbDataCompressed", c_uint64),
        ("cbLongValueDataCompressed", c_uint64),
        ("cbIntrinsicLongValueData", c_uint64),
        ("cbIntrinsicLongValueDataCompressed", c_uint64),
        ("cIntrinsicLongValues", c_uint64),
        ("cbKey", c_uint64),
    ]


class JET_LOGINFO_A(Structure):
    _fields_ = [
        ("cbSize", c_uint32),
        ("ulGenLow", c_uint32),
        ("ulGenHigh", c_uint32),
        ("szBaseName", c_char * 4),
    ]


class JET_LOGINFO_W(Structure):
    _fields_ = [
        ("cbSize", c_uint32),
        ("ulGenLow", c_uint32),
        ("ulGenHigh", c_uint32),
        ("szBaseName", c_uint16 * 4),
    ]


class JET_INSTANCE_INFO_A(Structure):
    _fields_ = [
        ("hInstanceId", c_size_t),
        ("szInstanceName", c_void_p),
        ("cDatabases", c_size_t),
        ("szDatabaseFileName", c_void_p),
        ("szDatabaseDisplayName", c_void_p),
        ("szDatabaseSLVFileName_Obsolete", c_void_p),
    ]


class JET_INSTANCE_INFO_W(Structure):
    _fields_ = [
        ("hInstanceId", c_size_t),
        ("szInstanceName", c_void_p),
        ("cDatabases", c_size_t),
        ("szDatabaseFileName", c_void_p),
        ("szDatabaseDisplayName", c_void_p),
        ("szDatabaseSLVFileName_Obsolete", c_void_p),
    ]


class JET_THREADSTATS(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("cPageReferenced", c_uint32),
        ("cPageRead", c_uint32),
        ("cPagePreread", c_uint32),
        ("cPageDirtied", c_uint32),
        ("cPageRedirtied", c_uint32),
        ("cLogRecord", c_uint32),
        ("cbLogRecord", c_uint32),
    ]


class JET_THREADSTATS2(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("cPageReferenced", c_uint32),
        ("cPageRead", c_uint32),
        ("cPagePreread", c_uint32),
        ("cPageDirtied", c_uint32),
        ("cPageRedirtied", c_uint32),
        ("cLogRecord", c_uint32),
        ("cbLogRecord", c_uint32),
        ("cusecPageCacheMiss", c_uint64),
        ("cPageCacheMiss", c_uint32),
    ]


class JET_THREADSTATS3(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("cPageReferenced", c_uint32),
        ("cPageRead", c_uint32),
        ("cPagePreread", c_uint32),
        ("cPageDirtied", c_uint32),
        ("cPageRedirtied", c_uint32),
        ("cLogRecord", c_uint32),
        ("cbLogRecord", c_uint32),
        ("cusecPageCacheMiss", c_uint64),
        ("cPageCacheMiss", c_uint32),
        ("cSeparatedLongValueRead", c_uint32),
        ("cusecLongValuePageCacheMiss", c_uint64),
        ("cLongValuePageCacheMiss", c_uint32),
    ]


class JET_SETDBPARAM(Structure):
    _fields_ = [
        ("dbparamid", c_uint32),
        ("pvParam", c_void_p),
        ("cbParam", c_uint32),
    ]


class JET_RSTMAP2_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szDatabaseName", c_void_p),
        ("szNewDatabaseName", c_void_p),
        ("rgsetdbparam", c_void_p),
        ("csetdbparam", c_uint32),
        ("grbit", c_uint32),
    ]


class JET_RSTMAP2_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szDatabaseName", c_void_p),
        ("szNewDatabaseName", c_void_p),
        ("rgsetdbparam", c_void_p),
        ("csetdbparam", c_uint32),
        ("grbit", c_uint32),
    ]


class JET_RSTINFO2_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("rgrstmap", c_void_p),
        ("crstmap", c_int32),
        ("lgposStop", JET_LGPOS),
        ("logtimeStop", JET_LOGTIME),
        ("pfnCallback", JET_PFNINITCALLBACK),
        ("pvCallbackContext", c_void_p),
    ]


class JET_RSTINFO2_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("rgrstmap", c_void_p),
        ("crstmap", c_int32),
        ("lgposStop", JET_LGPOS),
        ("logtimeStop", JET_LOGTIME),
        ("pfnCallback", JET_PFNINITCALLBACK),
        ("pvCallbackContext", c_void_p),
    ]


class JET_TABLECREATE5_A(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("szCallback", c_void_p),
        ("cbtyp", c_uint32),
        ("grbit", c_uint32),
        ("pSeqSpacehints", c_void_p),
        ("pLVSpacehints", c_void_p),
        ("cbSeparateLV", c_uint32),
        ("cbLVChunkMax", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_TABLECREATE5_W(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("szTableName", c_void_p),
        ("szTemplateTableName", c_void_p),
        ("ulPages", c_uint32),
        ("ulDensity", c_uint32),
        ("rgcolumncreate", c_void_p),
        ("cColumns", c_uint32),
        ("rgindexcreate", c_void_p),
        ("cIndexes", c_uint32),
        ("szCallback", c_void_p),
        ("cbtyp", c_uint32),
        ("grbit", c_uint32),
        ("pSeqSpacehints", c_void_p),
        ("pLVSpacehints", c_void_p),
        ("cbSeparateLV", c_uint32),
        ("cbLVChunkMax", c_uint32),
        ("tableid", c_size_t),
        ("cCreated", c_uint32),
    ]


class JET_DBINFOMISC5(Structure):
    _fields_ = [
        ("ulVersion", c_uint32),
        ("ulUpdate", c_uint32),
        ("signDb", JET_SIGNATURE),
        ("dbstate", c_uint32),
        ("lgposConsistent", JET_LGPOS),
        ("logtimeConsistent", JET_LOGTIME),
        ("logtimeAttach", JET_LOGTIME),
        ("lgposAttach", JET_LGPOS),
        ("logtimeDetach", JET_LOGTIME),
        ("lgposDetach", JET_LGPOS),
        ("signLog", JET_SIGNATURE),
        ("bkinfoFullPrev", JET_BKINFO),
        ("bkinfoIncPrev", JET_BKINFO),
        ("bkinfoFullCur", JET_BKINFO),
        ("fShadowingDisabled", c_uint32),
        ("fUpgradeDb", c_uint32),
        ("dwMajorVersion", c_uint32),
        ("dwMinorVersion", c_uint32),
        ("dwBuildNumber", c_uint32),
        ("lSPNumber", c_int32),
        ("cbPageSize", c_uint32),
        ("genMinRequired", c_uint32),
        ("genMaxRequired", c_uint32),
        ("logtimeGenMaxCreate", JET_LOGTIME),
        ("ulRepairCount", c_uint32),
        ("logtimeRepair", JET_LOGTIME),
        ("ulRepairCountOld", c_uint32),
        ("ulECCFixSuccess", c_uint32),
        ("logtimeECCFixSuccess", JET_LOGTIME),
        ("ulECCFixSuccessOld", c_uint32),
        ("ulECCFixFail", c_uint32),
        ("logtimeECCFixFail", JET_LOGTIME),
        ("ulECCFixFailOld", c_uint32),
        ("ulBadChecksum", c_uint32),
        ("logtimeBadChecksum", JET_LOGTIME),
        ("ulBadChecksumOld", c_uint32),
        ("genCommitted", c_uint32),
        ("bkinfoCopyPrev", JET_BKINFO),
        ("bkinfoDiffPrev", JET_BKINFO),
        ("ulIncrementalReseedCount", c_uint32),
        ("logtimeIncrementalReseed", JET_LOGTIME),
        ("ulIncrementalReseedCountOld", c_uint32),
        ("ulPagePatchCount", c_uint32),
        ("logtimePagePatch", JET_LOGTIME),
        ("ulPagePatchCountOld", c_uint32),
    ]


class JET_DBINFOMISC6(Structure):
    _fields_ = [
        ("ulVersion", c_uint32),
        ("ulUpdate", c_uint32),
        ("signDb", JET_SIGNATURE),
        ("dbstate", c_uint32),
        ("lgposConsistent", JET_LGPOS),
        ("logtimeConsistent", JET_LOGTIME),
        ("logtimeAttach", JET_LOGTIME),
        ("lgposAttach", JET_LGPOS),
        ("logtimeDetach", JET_LOGTIME),
        ("lgposDetach", JET_LGPOS),
        ("signLog", JET_SIGNATURE),
        ("bkinfoFullPrev", JET_BKINFO),
        ("bkinfoIncPrev", JET_BKINFO),
        ("bkinfoFullCur", JET_BKINFO),
        ("fShadowingDisabled", c_uint32),
        ("fUpgradeDb", c_uint32),
        ("dwMajorVersion", c_uint32),
        ("dwMinorVersion", c_uint32),
        ("dwBuildNumber", c_uint32),
        ("lSPNumber", c_int32),
        ("cbPageSize", c_uint32),
        ("genMinRequired", c_uint32),
        ("genMaxRequired", c_uint32),
        ("logtimeGenMaxCreate", JET_LOGTIME),
        ("ulRepairCount", c_uint32),
        ("logtimeRepair", JET_LOGTIME),
        ("ulRepairCountOld", c_uint32),
        ("ulECCFixSuccess", c_uint32),
        ("logtimeECCFixSuccess", JET_LOGTIME),
        ("ulECCFixSuccessOld", c_uint32),
        ("ulECCFixFail", c_uint32),
        ("logtimeECCFixFail", JET_LOGTIME),
        ("ulECCFixFailOld", c_uint32),
        ("ulBadChecksum", c_uint32),
        ("logtimeBadChecksum", JET_LOGTIME),
        ("ulBadChecksumOld", c_uint32),
        ("genCommitted", c_uint32),
        ("bkinfoCopyPrev", JET_BKINFO),
        ("bkinfoDiffPrev", JET_BKINFO),
        ("ulIncrementalReseedCount", c_uint32),
        ("logtimeIncrementalReseed", JET_LOGTIME),
        ("ulIncrementalReseedCountOld", c_uint32),
        ("ulPagePatchCount", c_uint32),
        ("logtimePagePatch", JET_LOGTIME),
        ("ulPagePatchCountOld", c_uint32),
        ("logtimeChecksumPrev", JET_LOGTIME),
        ("logtimeChecksumStart", JET_LOGTIME),
        ("cpgDatabaseChecked", c_uint32),
    ]


class JET_DBINFOMISC7(Structure):
    _fields_ = [
        ("ulVersion", c_uint32),
        ("ulUpdate", c_uint32),
        ("signDb", JET_SIGNATURE),
        ("dbstate", c_uint32),
        ("lgposConsistent", JET_LGPOS),
        ("logtimeConsistent", JET_LOGTIME),
        ("logtimeAttach", JET_LOGTIME),
        ("lgposAttach", JET_LGPOS),
        ("logtimeDetach", JET_LOGTIME),
        ("lgposDetach", JET_LGPOS),
        ("signLog", JET_SIGNATURE),
        ("bkinfoFullPrev", JET_BKINFO),
        ("bkinfoIncPrev", JET_BKINFO),
        ("bkinfoFullCur", JET_BKINFO),
        ("fShadowingDisabled", c_uint32),
        ("fUpgradeDb", c_uint32),
        ("dwMajorVersion", c_uint32),
        ("dwMinorVersion", c_uint32),
        ("dwBuildNumber", c_uint32),
        ("lSPNumber", c_int32),
        ("cbPageSize", c_uint32),
        ("genMinRequired", c_uint32),
        ("genMaxRequired", c_uint32),
        ("logtimeGenMaxCreate", JET_LOGTIME),
        ("ulRepairCount", c_uint32),
        ("logtimeRepair", JET_LOGTIME),
        ("ulRepairCountOld", c_uint32),
        ("ulECCFixSuccess", c_uint32),
        ("logtimeECCFixSuccess", JET_LOGTIME),
        ("ulECCFixSuccessOld", c_uint32),
        ("ulECCFixFail", c_uint32),
        ("logtimeECCFixFail", JET_LOGTIME),
        ("ulECCFixFailOld", c_uint32),
        ("ulBadChecksum", c_uint32),
        ("logtimeBadChecksum", JET_LOGTIME),
        ("ulBadChecksumOld", c_uint32),
        ("genCommitted", c_uint32),
        ("bkinfoCopyPrev", JET_BKINFO),
        ("bkinfoDiffPrev", JET_BKINFO),
        ("ulIncrementalReseedCount", c_uint32),
        ("logtimeIncrementalReseed", JET_LOGTIME),
        ("ulIncrementalReseedCountOld", c_uint32),
        ("ulPagePatchCount", c_uint32),
        ("logtimePagePatch", JET_LOGTIME),
        ("ulPagePatchCountOld", c_uint32),
        ("logtimeChecksumPrev", JET_LOGTIME),
        ("logtimeChecksumStart", JET_LOGTIME),
        ("cpgDatabaseChecked", c_uint32),
        ("logtimeLastReAttach", JET_LOGTIME),
        ("lgposLastReAttach", JET_LGPOS),
    ]


class JET_LOGINFOMISC(Structure):
    _fields_ = [
        ("ulGeneration", c_uint32),
        ("signLog", JET_SIGNATURE),
        ("logtimeCreate", JET_LOGTIME),
        ("logtimePreviousGeneration", JET_LOGTIME),
        ("ulFlags", c_uint32),
        ("ulVersionMajor", c_uint32),
        ("ulVersionMinor", c_uint32),
        ("ulVersionUpdate", c_uint32),
        ("cbSectorSize", c_uint32),
        ("cbHeader", c_uint32),
        ("cbFile", c_uint32),
        ("cbDatabasePageSize", c_uint32),
    ]


class JET_LOGINFOMISC2(Structure):
    _fields_ = [
        ("ulGeneration", c_uint32),
        ("signLog", JET_SIGNATURE),
        ("logtimeCreate", JET_LOGTIME),
        ("logtimePreviousGeneration", JET_LOGTIME),
        ("ulFlags", c_uint32),
        ("ulVersionMajor", c_uint32),
        ("ulVersionMinor", c_uint32),
        ("ulVersionUpdate", c_uint32),
        ("cbSectorSize", c_uint32),
        ("cbHeader", c_uint32),
        ("cbFile", c_uint32),
        ("cbDatabasePageSize", c_uint32),
        ("lgposCheckpoint", JET_LGPOS),
    ]


class JET_LOGINFOMISC3(Structure):
    _fields_ = [
        ("ulGeneration", c_uint32),
        ("signLog", JET_SIGNATURE),
        ("logtimeCreate", JET_LOGTIME),
        ("logtimePreviousGeneration", JET_LOGTIME),
        ("ulFlags", c_uint32),
        ("ulVersionMajor", c_uint32),
        ("ulVersionUpdateMajor", c_uint32),
        ("ulVersionUpdateMinor", c_uint32),
        ("cbSectorSize", c_uint32),
        ("cbHeader", c_uint32),
        ("cbFile", c_uint32),
        ("cbDatabasePageSize", c_uint32),
        ("lgposCheckpoint", JET_LGPOS),
        ("ulVersionMinorDeprecated", c_uint32),
        ("checksumPrevLogAllSegments", c_uint64),
    ]


class JET_RECOVERYCONTROL_1_1(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("lGenNext", c_uint32),
        ("fCurrentLog", c_uint8, 1),
        ("eReason", c_uint8),
        ("rgbReserved", c_uint8 * 6),
        ("wszLogFile", c_void_p),
        ("cdbinfomisc", c_uint32),
        ("rgdbinfomisc", c_void_p),
    ]


class JET_RECOVERYCONTROL_1_1(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("wszCheckpoint", c_void_p),
    ]


class JET_RECOVERYCONTROL_1_1(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("lGenMissing", c_uint32),
        ("fCurrentLog", c_uint8, 1),
        ("eNextAction", c_uint8),
        ("rgbReserved", c_uint8 * 6),
        ("wszLogFile", c_void_p),
        ("cdbinfomisc", c_uint32),
        ("rgdbinfomisc", c_void_p),
    ]


class JET_RECOVERYCONTROL_1_1(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("cdbinfomisc", c_uint32),
        ("rgdbinfomisc", c_void_p),
    ]


class JET_RECOVERYCONTROL_1_1(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("EventID", c_uint32),
    ]


class JET_RECOVERYCONTROL_1_1(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
    ]


class JET_RECOVERYCONTROL_1_1(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("wszDbPath", c_void_p),
    ]


class JET_RECOVERYCONTROL_1_1(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("wszDbPath", c_void_p),
    ]


class JET_RECOVERYCONTROL_1_1(Structure):
    _fields_ = [
        ("cbStruct", c_uint32),
        ("pbCommitCtx", c_void_p),
        ("cbCommitCtx", c_uint32),
        ("fCallbackType", c_uint32),
    ]


class JET_RECOVERYCONTROL_1(Union):
    _fields_ = [
        ("OpenLog", JET_RECOVERYCONTROL_1_1),
        ("OpenCheckpoint", JET_RECOVERYCONTROL_1_1),
        ("MissingLog", JET_RECOVERYCONTROL_1_1),
        ("BeginUndo", JET_RECOVERYCONTROL_1_1),
        ("NotificationEvent", JET_RECOVERYCONTROL_1_1),
        ("SignalErrorCondition", JET_RECOVERYCONTROL_1_1),
        ("AttachedDb", JET_RECOVERYCONTROL_1_1),
        ("DetachingDb", JET_RECOVERYCONTROL_1_1),
        ("CommitCtx", JET_RECOVERYCONTROL_1_1),
    ]


class JET_RECOVERYCONTROL(Structure):
    _anonymous_ = ('_1',)
    _fields_ = [
        ("cbStruct", c_uint32),
        ("errDefault", c_int32),
        ("instance", c_size_t),
        ("sntUnion", c_uint32),
        ("_1", JET_RECOVERYCONTROL_1),
    ]


# By name: the parameters in their order. All give a JET_ERR.
FUNCTIONS = {
    "JetAddColumnA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szColumnName", c_void_p),
        ("pcolumndef", c_void_p), ("pvDefault", c_void_p), ("cbDefault", c_uint32),
        ("pcolumnid", c_void_p)
    ],
    "JetAddColumnW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szColumnName", c_void_p),
        ("pcolumndef", c_void_p), ("pvDefault", c_void_p), ("cbDefault", c_uint32),
        ("pcolumnid", c_void_p)
    ],
    "JetAttachDatabaseA": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("grbit", c_uint32)
    ],
    "JetAttachDatabaseW": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("grbit", c_uint32)
    ],
    "JetAttachDatabase2A": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("cpgDatabaseSizeMax", c_uint32),
        ("grbit", c_uint32)
    ],
    "JetAttachDatabase2W": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("cpgDatabaseSizeMax", c_uint32),
        ("grbit", c_uint32)
    ],
    "JetAttachDatabase3A": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("rgsetdbparam", c_void_p),
        ("csetdbparam", c_uint32), ("grbit", c_uint32)
    ],
    "JetAttachDatabase3W": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("rgsetdbparam", c_void_p),
        ("csetdbparam", c_uint32), ("grbit", c_uint32)
    ],
    "JetBackupA": [
        ("szBackupPath", c_void_p), ("grbit", c_uint32), ("pfnStatus", c_void_p)
    ],
    "JetBackupW": [
        ("szBackupPath", c_void_p), ("grbit", c_uint32), ("pfnStatus", c_void_p)
    ],
    "JetBackupInstanceA": [
        ("instance", c_size_t), ("szBackupPath", c_void_p), ("grbit", c_uint32),
        ("pfnStatus", c_void_p)
    ],
    "JetBackupInstanceW": [
        ("instance", c_size_t), ("szBackupPath", c_void_p), ("grbit", c_uint32),
        ("pfnStatus", c_void_p)
    ],
    "JetBeginExternalBackup": [
        ("grbit", c_uint32)
    ],
    "JetBeginExternalBackupInstance": [
        ("instance", c_size_t), ("grbit", c_uint32)
    ],
    "JetBeginSessionA": [
        ("instance", c_size_t), ("psesid", c_void_p), ("szUserName", c_void_p),
        ("szPassword", c_void_p)
    ],
    "JetBeginSessionW": [
        ("instance", c_size_t), ("psesid", c_void_p), ("szUserName", c_void_p),
        ("szPassword", c_void_p)
    ],
    "JetBeginSurrogateBackup": [
        ("instance", c_size_t), ("lgenFirst", c_uint32), ("lgenLast", c_uint32),
        ("grbit", c_uint32)
    ],
    "JetBeginTransaction": [
        ("sesid", c_size_t)
    ],
    "JetBeginTransaction2": [
        ("sesid", c_size_t), ("grbit", c_uint32)
    ],
    "JetBeginTransaction3": [
        ("sesid", c_size_t), ("trxid", c_int64), ("grbit", c_uint32)
    ],
    "JetCloseDatabase": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("grbit", c_uint32)
    ],
    "JetCloseFile": [
        ("hfFile", c_size_t)
    ],
    "JetCloseFileInstance": [
        ("instance", c_size_t), ("hfFile", c_size_t)
    ],
    "JetCloseTable": [
        ("sesid", c_size_t), ("tableid", c_size_t)
    ],
    "JetCommitTransaction": [
        ("sesid", c_size_t), ("grbit", c_uint32)
    ],
    "JetCommitTransaction2": [
        ("sesid", c_size_t), ("grbit", c_uint32), ("cmsecDurableCommit", c_uint32),
        ("pCommitId", c_void_p)
    ],
    "JetCompactA": [
        ("sesid", c_size_t), ("szDatabaseSrc", c_void_p), ("szDatabaseDest", c_void_p),
        ("pfnStatus", c_void_p), ("pconvert", c_void_p), ("grbit", c_uint32)
    ],
    "JetCompactW": [
        ("sesid", c_size_t), ("szDatabaseSrc", c_void_p), ("szDatabaseDest", c_void_p),
        ("pfnStatus", c_void_p), ("pconvert", c_void_p), ("grbit", c_uint32)
    ],
    "JetComputeStats": [
        ("sesid", c_size_t), ("tableid", c_size_t)
    ],
    "JetConfigureProcessForCrashDump": [
        ("grbit", c_uint32)
    ],
    "JetCreateDatabaseA": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("szConnect", c_void_p),
        ("pdbid", c_void_p), ("grbit", c_uint32)
    ],
    "JetCreateDatabaseW": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("szConnect", c_void_p),
        ("pdbid", c_void_p), ("grbit", c_uint32)
    ],
    "JetCreateDatabase2A": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("cpgDatabaseSizeMax", c_uint32),
        ("pdbid", c_void_p), ("grbit", c_uint32)
    ],
    "JetCreateDatabase2W": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("cpgDatabaseSizeMax", c_uint32),
        ("pdbid", c_void_p), ("grbit", c_uint32)
    ],
    "JetCreateDatabase3A": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("pdbid", c_void_p),
        ("rgsetdbparam", c_void_p), ("csetdbparam", c_uint32), ("grbit", c_uint32)
    ],
    "JetCreateDatabase3W": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("pdbid", c_void_p),
        ("rgsetdbparam", c_void_p), ("csetdbparam", c_uint32), ("grbit", c_uint32)
    ],
    "JetCreateIndexA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("grbit", c_uint32), ("szKey", c_void_p), ("cbKey", c_uint32), ("lDensity", c_uint32)
    ],
    "JetCreateIndexW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("grbit", c_uint32), ("szKey", c_void_p), ("cbKey", c_uint32), ("lDensity", c_uint32)
    ],
    "JetCreateIndex2A": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pindexcreate", c_void_p),
        ("cIndexCreate", c_uint32)
    ],
    "JetCreateIndex2W": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pindexcreate", c_void_p),
        ("cIndexCreate", c_uint32)
    ],
    "JetCreateIndex3A": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pindexcreate", c_void_p),
        ("cIndexCreate", c_uint32)
    ],
    "JetCreateIndex3W": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pindexcreate", c_void_p),
        ("cIndexCreate", c_uint32)
    ],
    "JetCreateIndex4A": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pindexcreate", c_void_p),
        ("cIndexCreate", c_uint32)
    ],
    "JetCreateIndex4W": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pindexcreate", c_void_p),
        ("cIndexCreate", c_uint32)
    ],
    "JetCreateInstanceA": [
        ("pinstance", c_void_p), ("szInstanceName", c_void_p)
    ],
    "JetCreateInstanceW": [
        ("pinstance", c_void_p), ("szInstanceName", c_void_p)
    ],
    "JetCreateInstance2A": [
        ("pinstance", c_void_p), ("szInstanceName", c_void_p), ("szDisplayName", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetCreateInstance2W": [
        ("pinstance", c_void_p), ("szInstanceName", c_void_p), ("szDisplayName", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetCreateTableA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("lPages", c_uint32), ("lDensity", c_uint32), ("ptableid", c_void_p)
    ],
    "JetCreateTableW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("lPages", c_uint32), ("lDensity", c_uint32), ("ptableid", c_void_p)
    ],
    "JetCreateTableColumnIndexA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetCreateTableColumnIndexW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetCreateTableColumnIndex2A": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetCreateTableColumnIndex2W": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetCreateTableColumnIndex3A": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetCreateTableColumnIndex3W": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetCreateTableColumnIndex4A": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetCreateTableColumnIndex4W": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetCreateTableColumnIndex5A": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetCreateTableColumnIndex5W": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("ptablecreate", c_void_p)
    ],
    "JetDefragmentA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("pcPasses", c_void_p), ("pcSeconds", c_void_p), ("grbit", c_uint32)
    ],
    "JetDefragmentW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("pcPasses", c_void_p), ("pcSeconds", c_void_p), ("grbit", c_uint32)
    ],
    "JetDefragment2A": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("pcPasses", c_void_p), ("pcSeconds", c_void_p), ("callback", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetDefragment2W": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("pcPasses", c_void_p), ("pcSeconds", c_void_p), ("callback", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetDefragment3A": [
        ("sesid", c_size_t), ("szDatabaseName", c_void_p), ("szTableName", c_void_p),
        ("pcPasses", c_void_p), ("pcSeconds", c_void_p), ("callback", c_void_p),
        ("pvContext", c_void_p), ("grbit", c_uint32)
    ],
    "JetDefragment3W": [
        ("sesid", c_size_t), ("szDatabaseName", c_void_p), ("szTableName", c_void_p),
        ("pcPasses", c_void_p), ("pcSeconds", c_void_p), ("callback", c_void_p),
        ("pvContext", c_void_p), ("grbit", c_uint32)
    ],
    "JetDelete": [
        ("sesid", c_size_t), ("tableid", c_size_t)
    ],
    "JetDeleteColumnA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szColumnName", c_void_p)
    ],
    "JetDeleteColumnW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szColumnName", c_void_p)
    ],
    "JetDeleteColumn2A": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szColumnName", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetDeleteColumn2W": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szColumnName", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetDeleteIndexA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p)
    ],
    "JetDeleteIndexW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p)
    ],
    "JetDeleteTableA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p)
    ],
    "JetDeleteTableW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p)
    ],
    "JetDeleteTable2A": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p), ("grbit", c_uint32)
    ],
    "JetDeleteTable2W": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("wszTableName", c_void_p), ("grbit", c_uint32)
    ],
    "JetDetachDatabaseA": [
        ("sesid", c_size_t), ("szFilename", c_void_p)
    ],
    "JetDetachDatabaseW": [
        ("sesid", c_size_t), ("szFilename", c_void_p)
    ],
    "JetDetachDatabase2A": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("grbit", c_uint32)
    ],
    "JetDetachDatabase2W": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("grbit", c_uint32)
    ],
    "JetDupCursor": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("ptableid", c_void_p), ("grbit", c_uint32)
    ],
    "JetDupSession": [
        ("sesid", c_size_t), ("psesid", c_void_p)
    ],
    "JetEnableMultiInstanceA": [
        ("psetsysparam", c_void_p), ("csetsysparam", c_uint32), ("pcsetsucceed", c_void_p)
    ],
    "JetEnableMultiInstanceW": [
        ("psetsysparam", c_void_p), ("csetsysparam", c_uint32), ("pcsetsucceed", c_void_p)
    ],
    "JetEndExternalBackup": [
    ],
    "JetEndExternalBackupInstance": [
        ("instance", c_size_t)
    ],
    "JetEndExternalBackupInstance2": [
        ("instance", c_size_t), ("grbit", c_uint32)
    ],
    "JetEndSession": [
        ("sesid", c_size_t), ("grbit", c_uint32)
    ],
    "JetEndSurrogateBackup": [
        ("instance", c_size_t), ("grbit", c_uint32)
    ],
    "JetEnumerateColumns": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("cEnumColumnId", c_uint32),
        ("rgEnumColumnId", c_void_p), ("pcEnumColumn", c_void_p), ("prgEnumColumn", c_void_p),
        ("pfnRealloc", c_void_p), ("pvReallocContext", c_void_p), ("cbDataMost", c_uint32),
        ("grbit", c_uint32)
    ],
    "JetEscrowUpdate": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("columnid", c_uint32), ("pv", c_void_p),
        ("cbMax", c_uint32), ("pvOld", c_void_p), ("cbOldMax", c_uint32),
        ("pcbOldActual", c_void_p), ("grbit", c_uint32)
    ],
    "JetExternalRestoreA": [
        ("szCheckpointFilePath", c_void_p), ("szLogPath", c_void_p), ("rgrstmap", c_void_p),
        ("crstfilemap", c_int32), ("szBackupLogPath", c_void_p), ("genLow", c_int32),
        ("genHigh", c_int32), ("pfn", c_void_p)
    ],
    "JetExternalRestoreW": [
        ("szCheckpointFilePath", c_void_p), ("szLogPath", c_void_p), ("rgrstmap", c_void_p),
        ("crstfilemap", c_int32), ("szBackupLogPath", c_void_p), ("genLow", c_int32),
        ("genHigh", c_int32), ("pfn", c_void_p)
    ],
    "JetExternalRestore2A": [
        ("szCheckpointFilePath", c_void_p), ("szLogPath", c_void_p), ("rgrstmap", c_void_p),
        ("crstfilemap", c_int32), ("szBackupLogPath", c_void_p), ("pLogInfo", c_void_p),
        ("szTargetInstanceName", c_void_p), ("szTargetInstanceLogPath", c_void_p),
        ("szTargetInstanceCheckpointPath", c_void_p), ("pfn", c_void_p)
    ],
    "JetExternalRestore2W": [
        ("szCheckpointFilePath", c_void_p), ("szLogPath", c_void_p), ("rgrstmap", c_void_p),
        ("crstfilemap", c_int32), ("szBackupLogPath", c_void_p), ("pLogInfo", c_void_p),
        ("szTargetInstanceName", c_void_p), ("szTargetInstanceLogPath", c_void_p),
        ("szTargetInstanceCheckpointPath", c_void_p), ("pfn", c_void_p)
    ],
    "JetFreeBuffer": [
        ("pbBuf", c_void_p)
    ],
    "JetGetAttachInfoA": [
        ("szzDatabases", c_void_p), ("cbMax", c_uint32), ("pcbActual", c_void_p)
    ],
    "JetGetAttachInfoW": [
        ("wszzDatabases", c_void_p), ("cbMax", c_uint32), ("pcbActual", c_void_p)
    ],
    "JetGetAttachInfoInstanceA": [
        ("instance", c_size_t), ("szzDatabases", c_void_p), ("cbMax", c_uint32),
        ("pcbActual", c_void_p)
    ],
    "JetGetAttachInfoInstanceW": [
        ("instance", c_size_t), ("szzDatabases", c_void_p), ("cbMax", c_uint32),
        ("pcbActual", c_void_p)
    ],
    "JetGetBookmark": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvBookmark", c_void_p),
        ("cbMax", c_uint32), ("pcbActual", c_void_p)
    ],
    "JetGetColumnInfoA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("pwColumnNameOrId", c_void_p), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetColumnInfoW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("pwColumnNameOrId", c_void_p), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetCurrentIndexA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("cbIndexName", c_uint32)
    ],
    "JetGetCurrentIndexW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("cbIndexName", c_uint32)
    ],
    "JetGetCursorInfo": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetDatabaseFileInfoA": [
        ("szDatabaseName", c_void_p), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetDatabaseFileInfoW": [
        ("szDatabaseName", c_void_p), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetDatabaseInfoA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetDatabaseInfoW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetErrorInfoW": [
        ("pvContext", c_void_p), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32), ("grbit", c_uint32)
    ],
    "JetGetIndexInfoA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("szIndexName", c_void_p), ("pvResult", c_void_p), ("cbResult", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetIndexInfoW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("szIndexName", c_void_p), ("pvResult", c_void_p), ("cbResult", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetInstanceInfoA": [
        ("pcInstanceInfo", c_void_p), ("paInstanceInfo", c_void_p)
    ],
    "JetGetInstanceInfoW": [
        ("pcInstanceInfo", c_void_p), ("paInstanceInfo", c_void_p)
    ],
    "JetGetInstanceMiscInfo": [
        ("instance", c_size_t), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetLS": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pls", c_void_p), ("grbit", c_uint32)
    ],
    "JetGetLock": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("grbit", c_uint32)
    ],
    "JetGetLogFileInfoA": [
        ("szLog", c_void_p), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetLogFileInfoW": [
        ("szLog", c_void_p), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetLogInfoA": [
        ("szzLogs", c_void_p), ("cbMax", c_uint32), ("pcbActual", c_void_p)
    ],
    "JetGetLogInfoW": [
        ("szzLogs", c_void_p), ("cbMax", c_uint32), ("pcbActual", c_void_p)
    ],
    "JetGetLogInfoInstanceA": [
        ("instance", c_size_t), ("szzLogs", c_void_p), ("cbMax", c_uint32),
        ("pcbActual", c_void_p)
    ],
    "JetGetLogInfoInstanceW": [
        ("instance", c_size_t), ("wszzLogs", c_void_p), ("cbMax", c_uint32),
        ("pcbActual", c_void_p)
    ],
    "JetGetLogInfoInstance2A": [
        ("instance", c_size_t), ("szzLogs", c_void_p), ("cbMax", c_uint32),
        ("pcbActual", c_void_p), ("pLogInfo", c_void_p)
    ],
    "JetGetLogInfoInstance2W": [
        ("instance", c_size_t), ("wszzLogs", c_void_p), ("cbMax", c_uint32),
        ("pcbActual", c_void_p), ("pLogInfo", c_void_p)
    ],
    "JetGetMaxDatabaseSize": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("pcpg", c_void_p), ("grbit", c_uint32)
    ],
    "JetGetObjectInfoA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("objtyp", c_uint32),
        ("szContainerName", c_void_p), ("szObjectName", c_void_p), ("pvResult", c_void_p),
        ("cbMax", c_uint32), ("InfoLevel", c_uint32)
    ],
    "JetGetObjectInfoW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("objtyp", c_uint32),
        ("szContainerName", c_void_p), ("szObjectName", c_void_p), ("pvResult", c_void_p),
        ("cbMax", c_uint32), ("InfoLevel", c_uint32)
    ],
    "JetGetRecordPosition": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("precpos", c_void_p),
        ("cbRecpos", c_uint32)
    ],
    "JetGetRecordSize": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("precsize", c_void_p), ("grbit", c_uint32)
    ],
    "JetGetRecordSize2": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("precsize", c_void_p), ("grbit", c_uint32)
    ],
    "JetGetRecordSize3": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("precsize", c_void_p), ("grbit", c_uint32)
    ],
    "JetGetSecondaryIndexBookmark": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvSecondaryKey", c_void_p),
        ("cbSecondaryKeyMax", c_uint32), ("pcbSecondaryKeyActual", c_void_p),
        ("pvPrimaryBookmark", c_void_p), ("cbPrimaryBookmarkMax", c_uint32),
        ("pcbPrimaryBookmarkActual", c_void_p), ("grbit", c_uint32)
    ],
    "JetGetSessionParameter": [
        ("sesid", c_size_t), ("sesparamid", c_uint32), ("pvParam", c_void_p),
        ("cbParamMax", c_uint32), ("pcbParamActual", c_void_p)
    ],
    "JetGetSystemParameterA": [
        ("instance", c_size_t), ("sesid", c_size_t), ("paramid", c_uint32),
        ("plParam", c_void_p), ("szParam", c_void_p), ("cbMax", c_uint32)
    ],
    "JetGetSystemParameterW": [
        ("instance", c_size_t), ("sesid", c_size_t), ("paramid", c_uint32),
        ("plParam", c_void_p), ("szParam", c_void_p), ("cbMax", c_uint32)
    ],
    "JetGetTableColumnInfoA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szColumnName", c_void_p),
        ("pvResult", c_void_p), ("cbMax", c_uint32), ("InfoLevel", c_uint32)
    ],
    "JetGetTableColumnInfoW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szColumnName", c_void_p),
        ("pvResult", c_void_p), ("cbMax", c_uint32), ("InfoLevel", c_uint32)
    ],
    "JetGetTableIndexInfoA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("pvResult", c_void_p), ("cbResult", c_uint32), ("InfoLevel", c_uint32)
    ],
    "JetGetTableIndexInfoW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("pvResult", c_void_p), ("cbResult", c_uint32), ("InfoLevel", c_uint32)
    ],
    "JetGetTableInfoA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetTableInfoW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvResult", c_void_p), ("cbMax", c_uint32),
        ("InfoLevel", c_uint32)
    ],
    "JetGetThreadStats": [
        ("pvResult", c_void_p), ("cbMax", c_uint32)
    ],
    "JetGetTruncateLogInfoInstanceA": [
        ("instance", c_size_t), ("szzLogs", c_void_p), ("cbMax", c_uint32),
        ("pcbActual", c_void_p)
    ],
    "JetGetTruncateLogInfoInstanceW": [
        ("instance", c_size_t), ("wszzLogs", c_void_p), ("cbMax", c_uint32),
        ("pcbActual", c_void_p)
    ],
    "JetGetVersion": [
        ("sesid", c_size_t), ("pwVersion", c_void_p)
    ],
    "JetGotoBookmark": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvBookmark", c_void_p),
        ("cbBookmark", c_uint32)
    ],
    "JetGotoPosition": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("precpos", c_void_p)
    ],
    "JetGotoSecondaryIndexBookmark": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvSecondaryKey", c_void_p),
        ("cbSecondaryKey", c_uint32), ("pvPrimaryBookmark", c_void_p),
        ("cbPrimaryBookmark", c_uint32), ("grbit", c_uint32)
    ],
    "JetGrowDatabase": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("cpg", c_uint32), ("pcpgReal", c_void_p)
    ],
    "JetIdle": [
        ("sesid", c_size_t), ("grbit", c_uint32)
    ],
    "JetIndexRecordCount": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pcrec", c_void_p), ("crecMax", c_uint32)
    ],
    "JetIndexRecordCount2": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pcrec", c_void_p), ("crecMax", c_uint64)
    ],
    "JetInit": [
        ("pinstance", c_void_p)
    ],
    "JetInit2": [
        ("pinstance", c_void_p), ("grbit", c_uint32)
    ],
    "JetInit3A": [
        ("pinstance", c_void_p), ("prstInfo", c_void_p), ("grbit", c_uint32)
    ],
    "JetInit3W": [
        ("pinstance", c_void_p), ("prstInfo", c_void_p), ("grbit", c_uint32)
    ],
    "JetInit4A": [
        ("pinstance", c_void_p), ("prstInfo", c_void_p), ("grbit", c_uint32)
    ],
    "JetInit4W": [
        ("pinstance", c_void_p), ("prstInfo", c_void_p), ("grbit", c_uint32)
    ],
    "JetIntersectIndexes": [
        ("sesid", c_size_t), ("rgindexrange", c_void_p), ("cindexrange", c_uint32),
        ("precordlist", c_void_p), ("grbit", c_uint32)
    ],
    "JetMakeKey": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvData", c_void_p), ("cbData", c_uint32),
        ("grbit", c_uint32)
    ],
    "JetMove": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("cRow", c_int32), ("grbit", c_uint32)
    ],
    "JetOSSnapshotAbort": [
        ("snapId", c_size_t), ("grbit", c_uint32)
    ],
    "JetOSSnapshotEnd": [
        ("snapId", c_size_t), ("grbit", c_uint32)
    ],
    "JetOSSnapshotFreezeA": [
        ("snapId", c_size_t), ("pcInstanceInfo", c_void_p), ("paInstanceInfo", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetOSSnapshotFreezeW": [
        ("snapId", c_size_t), ("pcInstanceInfo", c_void_p), ("paInstanceInfo", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetOSSnapshotGetFreezeInfoA": [
        ("snapId", c_size_t), ("pcInstanceInfo", c_void_p), ("paInstanceInfo", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetOSSnapshotGetFreezeInfoW": [
        ("snapId", c_size_t), ("pcInstanceInfo", c_void_p), ("paInstanceInfo", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetOSSnapshotPrepare": [
        ("psnapId", c_void_p), ("grbit", c_uint32)
    ],
    "JetOSSnapshotPrepareInstance": [
        ("snapId", c_size_t), ("instance", c_size_t), ("grbit", c_uint32)
    ],
    "JetOSSnapshotThaw": [
        ("snapId", c_size_t), ("grbit", c_uint32)
    ],
    "JetOSSnapshotTruncateLog": [
        ("snapId", c_size_t), ("grbit", c_uint32)
    ],
    "JetOSSnapshotTruncateLogInstance": [
        ("snapId", c_size_t), ("instance", c_size_t), ("grbit", c_uint32)
    ],
    "JetOpenDatabaseA": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("szConnect", c_void_p),
        ("pdbid", c_void_p), ("grbit", c_uint32)
    ],
    "JetOpenDatabaseW": [
        ("sesid", c_size_t), ("szFilename", c_void_p), ("szConnect", c_void_p),
        ("pdbid", c_void_p), ("grbit", c_uint32)
    ],
    "JetOpenFileA": [
        ("szFileName", c_void_p), ("phfFile", c_void_p), ("pulFileSizeLow", c_void_p),
        ("pulFileSizeHigh", c_void_p)
    ],
    "JetOpenFileW": [
        ("szFileName", c_void_p), ("phfFile", c_void_p), ("pulFileSizeLow", c_void_p),
        ("pulFileSizeHigh", c_void_p)
    ],
    "JetOpenFileInstanceA": [
        ("instance", c_size_t), ("szFileName", c_void_p), ("phfFile", c_void_p),
        ("pulFileSizeLow", c_void_p), ("pulFileSizeHigh", c_void_p)
    ],
    "JetOpenFileInstanceW": [
        ("instance", c_size_t), ("szFileName", c_void_p), ("phfFile", c_void_p),
        ("pulFileSizeLow", c_void_p), ("pulFileSizeHigh", c_void_p)
    ],
    "JetOpenTableA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("pvParameters", c_void_p), ("cbParameters", c_uint32), ("grbit", c_uint32),
        ("ptableid", c_void_p)
    ],
    "JetOpenTableW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("pvParameters", c_void_p), ("cbParameters", c_uint32), ("grbit", c_uint32),
        ("ptableid", c_void_p)
    ],
    "JetOpenTempTable": [
        ("sesid", c_size_t), ("prgcolumndef", c_void_p), ("ccolumn", c_uint32),
        ("grbit", c_uint32), ("ptableid", c_void_p), ("prgcolumnid", c_void_p)
    ],
    "JetOpenTempTable2": [
        ("sesid", c_size_t), ("prgcolumndef", c_void_p), ("ccolumn", c_uint32),
        ("lcid", c_uint32), ("grbit", c_uint32), ("ptableid", c_void_p),
        ("prgcolumnid", c_void_p)
    ],
    "JetOpenTempTable3": [
        ("sesid", c_size_t), ("prgcolumndef", c_void_p), ("ccolumn", c_uint32),
        ("pidxunicode", c_void_p), ("grbit", c_uint32), ("ptableid", c_void_p),
        ("prgcolumnid", c_void_p)
    ],
    "JetOpenTemporaryTable": [
        ("sesid", c_size_t), ("popentemporarytable", c_void_p)
    ],
    "JetOpenTemporaryTable2": [
        ("sesid", c_size_t), ("popentemporarytable", c_void_p)
    ],
    "JetPrepareUpdate": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("prep", c_uint32)
    ],
    "JetPrereadIndexRanges": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("rgIndexRanges", c_void_p),
        ("cIndexRanges", c_uint32), ("pcRangesPreread", c_void_p),
        ("rgcolumnidPreread", c_void_p), ("ccolumnidPreread", c_uint32), ("grbit", c_uint32)
    ],
    "JetPrereadKeys": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("rgpvKeys", c_void_p),
        ("rgcbKeys", c_void_p), ("ckeys", c_int32), ("pckeysPreread", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetReadFile": [
        ("hfFile", c_size_t), ("pv", c_void_p), ("cb", c_uint32), ("pcbActual", c_void_p)
    ],
    "JetReadFileInstance": [
        ("instance", c_size_t), ("hfFile", c_size_t), ("pv", c_void_p), ("cb", c_uint32),
        ("pcbActual", c_void_p)
    ],
    "JetRegisterCallback": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("cbtyp", c_uint32),
        ("pCallback", c_void_p), ("pvContext", c_void_p), ("phCallbackId", c_void_p)
    ],
    "JetRenameColumnA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szName", c_void_p),
        ("szNameNew", c_void_p), ("grbit", c_uint32)
    ],
    "JetRenameColumnW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szName", c_void_p),
        ("szNameNew", c_void_p), ("grbit", c_uint32)
    ],
    "JetRenameTableA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szName", c_void_p), ("szNameNew", c_void_p)
    ],
    "JetRenameTableW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szName", c_void_p), ("szNameNew", c_void_p)
    ],
    "JetResetSessionContext": [
        ("sesid", c_size_t)
    ],
    "JetResetTableSequential": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("grbit", c_uint32)
    ],
    "JetResizeDatabase": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("cpgTarget", c_uint32),
        ("pcpgActual", c_void_p), ("grbit", c_uint32)
    ],
    "JetRestoreA": [
        ("szSource", c_void_p), ("pfn", c_void_p)
    ],
    "JetRestoreW": [
        ("szSource", c_void_p), ("pfn", c_void_p)
    ],
    "JetRestore2A": [
        ("sz", c_void_p), ("szDest", c_void_p), ("pfn", c_void_p)
    ],
    "JetRestore2W": [
        ("sz", c_void_p), ("szDest", c_void_p), ("pfn", c_void_p)
    ],
    "JetRestoreInstanceA": [
        ("instance", c_size_t), ("sz", c_void_p), ("szDest", c_void_p), ("pfn", c_void_p)
    ],
    "JetRestoreInstanceW": [
        ("instance", c_size_t), ("sz", c_void_p), ("szDest", c_void_p), ("pfn", c_void_p)
    ],
    "JetRetrieveColumn": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("columnid", c_uint32),
        ("pvData", c_void_p), ("cbData", c_uint32), ("pcbActual", c_void_p),
        ("grbit", c_uint32), ("pretinfo", c_void_p)
    ],
    "JetRetrieveColumns": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pretrievecolumn", c_void_p),
        ("cretrievecolumn", c_uint32)
    ],
    "JetRetrieveKey": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvKey", c_void_p), ("cbMax", c_uint32),
        ("pcbActual", c_void_p), ("grbit", c_uint32)
    ],
    "JetRollback": [
        ("sesid", c_size_t), ("grbit", c_uint32)
    ],
    "JetSeek": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("grbit", c_uint32)
    ],
    "JetSetColumn": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("columnid", c_uint32),
        ("pvData", c_void_p), ("cbData", c_uint32), ("grbit", c_uint32), ("psetinfo", c_void_p)
    ],
    "JetSetColumnDefaultValueA": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("szColumnName", c_void_p), ("pvData", c_void_p), ("cbData", c_uint32),
        ("grbit", c_uint32)
    ],
    "JetSetColumnDefaultValueW": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("szTableName", c_void_p),
        ("szColumnName", c_void_p), ("pvData", c_void_p), ("cbData", c_uint32),
        ("grbit", c_uint32)
    ],
    "JetSetColumns": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("psetcolumn", c_void_p),
        ("csetcolumn", c_uint32)
    ],
    "JetSetCurrentIndexA": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p)
    ],
    "JetSetCurrentIndexW": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p)
    ],
    "JetSetCurrentIndex2A": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetSetCurrentIndex2W": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("grbit", c_uint32)
    ],
    "JetSetCurrentIndex3A": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("grbit", c_uint32), ("itagSequence", c_uint32)
    ],
    "JetSetCurrentIndex3W": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("grbit", c_uint32), ("itagSequence", c_uint32)
    ],
    "JetSetCurrentIndex4A": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("pindexid", c_void_p), ("grbit", c_uint32), ("itagSequence", c_uint32)
    ],
    "JetSetCurrentIndex4W": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("szIndexName", c_void_p),
        ("pindexid", c_void_p), ("grbit", c_uint32), ("itagSequence", c_uint32)
    ],
    "JetSetCursorFilter": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("rgColumnFilters", c_void_p),
        ("cColumnFilters", c_uint32), ("grbit", c_uint32)
    ],
    "JetSetDatabaseSizeA": [
        ("sesid", c_size_t), ("szDatabaseName", c_void_p), ("cpg", c_uint32),
        ("pcpgReal", c_void_p)
    ],
    "JetSetDatabaseSizeW": [
        ("sesid", c_size_t), ("szDatabaseName", c_void_p), ("cpg", c_uint32),
        ("pcpgReal", c_void_p)
    ],
    "JetSetIndexRange": [
        ("sesid", c_size_t), ("tableidSrc", c_size_t), ("grbit", c_uint32)
    ],
    "JetSetLS": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("ls", c_size_t), ("grbit", c_uint32)
    ],
    "JetSetMaxDatabaseSize": [
        ("sesid", c_size_t), ("dbid", c_uint32), ("cpg", c_uint32), ("grbit", c_uint32)
    ],
    "JetSetSessionContext": [
        ("sesid", c_size_t), ("ulContext", c_size_t)
    ],
    "JetSetSessionParameter": [
        ("sesid", c_size_t), ("sesparamid", c_uint32), ("pvParam", c_void_p),
        ("cbParam", c_uint32)
    ],
    "JetSetSystemParameterA": [
        ("pinstance", c_void_p), ("sesid", c_size_t), ("paramid", c_uint32),
        ("lParam", c_size_t), ("szParam", c_void_p)
    ],
    "JetSetSystemParameterW": [
        ("pinstance", c_void_p), ("sesid", c_size_t), ("paramid", c_uint32),
        ("lParam", c_size_t), ("szParam", c_void_p)
    ],
    "JetSetTableSequential": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("grbit", c_uint32)
    ],
    "JetStopBackup": [
    ],
    "JetStopBackupInstance": [
        ("instance", c_size_t)
    ],
    "JetStopService": [
    ],
    "JetStopServiceInstance": [
        ("instance", c_size_t)
    ],
    "JetStopServiceInstance2": [
        ("instance", c_size_t), ("grbit", c_uint32)
    ],
    "JetTerm": [
        ("instance", c_size_t)
    ],
    "JetTerm2": [
        ("instance", c_size_t), ("grbit", c_uint32)
    ],
    "JetTruncateLog": [
    ],
    "JetTruncateLogInstance": [
        ("instance", c_size_t)
    ],
    "JetUnregisterCallback": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("cbtyp", c_uint32),
        ("hCallbackId", c_size_t)
    ],
    "JetUpdate": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvBookmark", c_void_p),
        ("cbBookmark", c_uint32), ("pcbActual", c_void_p)
    ],
    "JetUpdate2": [
        ("sesid", c_size_t), ("tableid", c_size_t), ("pvBookmark", c_void_p),
        ("cbBookmark", c_uint32), ("pcbActual", c_void_p), ("grbit", c_uint32)
    ],
}
