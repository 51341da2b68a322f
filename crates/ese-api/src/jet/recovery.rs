//! What JetInit2, JetInit3 and JetInit4 are told about recovery, and tell of it
//! (backup-log-recovery 3.5 to 3.8).

use std::path::{Path, PathBuf};

use ese_base::{Error, JetErr, LgPos, LogTime, Result};
use ese_engine::recovery::{
    Answer, LogPlace, MappedDatabase, NextAction, OpenReason, RecoveryEvent, RecoveryFlags,
    RecoveryOptions, RedoEnd, WhenMissing,
};
use ese_pages::DbHeader;

use super::{
    JET_GRBIT,
    handles::JET_INSTANCE,
    instance::JET_RSTMAP,
    invalid_grbit,
    params::{JET_paramDeleteOldLogs, JET_paramDeleteOutOfRangeLogs, Params},
};

/// A database that the log needs and that is missing is left out.
pub const JET_bitReplayIgnoreMissingDB: JET_GRBIT = 0x4;
/// Redo only: the databases stay dirty, no instance runs.
pub const JET_bitRecoveryWithoutUndo: JET_GRBIT = 0x8;
/// Finished logs are removed after a recovery that has succeeded.
pub const JET_bitTruncateLogsAfterRecovery: JET_GRBIT = 0x10;
/// Databases that the map does not name are where the log says.
pub const JET_bitReplayMissingMapEntryDB: JET_GRBIT = 0x20;
/// Where there is no log, no new one is begun.
pub const JET_bitLogStreamMustExist: JET_GRBIT = 0x40;
/// Logs at the end may be lost that no database needs to be whole.
pub const JET_bitReplayIgnoreLostLogs: JET_GRBIT = 0x80;
/// The current log may be absent.
pub const JET_bitAllowMissingCurrentLog: JET_GRBIT = 0x100;
/// A database out of a backup may be recovered like any other.
pub const JET_bitAllowSoftRecoveryOnBackup: JET_GRBIT = 0x200;
/// Nothing is written to the trace about lost logs.
pub const JET_bitSkipLostLogsEvent: JET_GRBIT = 0x400;
/// The callback decides each step.
pub const JET_bitExternalRecoveryControl: JET_GRBIT = 0x800;
/// Databases that recovery finds attached are so at its end: each can be attached at once, and not
/// be opened before (`JET_errDatabaseAttachedForRecovery`, -1231).
pub const JET_bitKeepDbAttachedAtEndOfRecovery: JET_GRBIT = 0x1000;
/// Page changes of logs that a database does not need any more are not looked at.
pub const JET_bitReplayIgnoreLogRecordsBeforeMinRequiredLog: JET_GRBIT = 0x2000;
/// Redo begins no later than the databases of the map need.
pub const JET_bitReplayInferCheckpointFromRstmapDbs: JET_GRBIT = 0x4000;

/// In a [`JET_RSTMAP2`]: the database is left out if its file is missing.
pub const JET_bitRestoreMapIgnoreWhenMissing: JET_GRBIT = 0x1;
/// In a [`JET_RSTMAP2`]: recovery fails if its file is missing.
pub const JET_bitRestoreMapFailWhenMissing: JET_GRBIT = 0x2;
/// In a [`JET_RSTMAP2`]: the replay of its creation replaces a file that is there.
pub const JET_bitRestoreMapOverwriteOnCreate: JET_GRBIT = 0x4;

/// What a status callback is about.
pub type JET_SNP = u32;
/// Which step of it.
pub type JET_SNT = u32;

/// Recovery or restore.
pub const JET_snpRestore: JET_SNP = 8;
/// The decisions of a recovery ([`JET_bitExternalRecoveryControl`]).
pub const JET_snpRecoveryControl: JET_SNP = 18;
/// A part is done: [`JET_SNPROG`].
pub const JET_sntProgress: JET_SNT = 0;
/// It has failed.
pub const JET_sntFail: JET_SNT = 3;
/// It begins.
pub const JET_sntBegin: JET_SNT = 5;
/// It has succeeded.
pub const JET_sntComplete: JET_SNT = 6;
/// A log is opened.
pub const JET_sntOpenLog: JET_SNT = 1001;
/// The checkpoint file is opened.
pub const JET_sntOpenCheckpoint: JET_SNT = 1002;
/// A log is missing.
pub const JET_sntMissingLog: JET_SNT = 1004;
/// Undo is about to begin.
pub const JET_sntBeginUndo: JET_SNT = 1005;
/// What the event log of Windows would get.
pub const JET_sntNotificationEvent: JET_SNT = 1006;
/// An error that can be passed over.
pub const JET_sntSignalErrorCondition: JET_SNT = 1007;
/// A database takes part from here on.
pub const JET_sntAttachedDb: JET_SNT = 1008;
/// A database is about to be let go.
pub const JET_sntDetachingDb: JET_SNT = 1009;
/// What a program has put into the log at a commit.
pub const JET_sntCommitCtx: JET_SNT = 1010;

/// [`JET_sntOpenLog`]: to see whether recovery is needed.
pub const JET_OpenLogForRecoveryCheckingAndPatching: u8 = 1;
/// [`JET_sntOpenLog`]: for redo.
pub const JET_OpenLogForRedo: u8 = 2;
/// [`JET_sntOpenLog`]: for undo.
pub const JET_OpenLogForUndo: u8 = 3;
/// [`JET_sntOpenLog`]: recovery is over.
pub const JET_OpenLogForDo: u8 = 4;
/// [`JET_sntMissingLog`]: there is no way to go on.
pub const JET_MissingLogMustFail: u8 = 1;
/// [`JET_sntMissingLog`]: success goes on to redo.
pub const JET_MissingLogContinueToRedo: u8 = 2;
/// [`JET_sntMissingLog`]: success tries the current log.
pub const JET_MissingLogContinueTryCurrentLog: u8 = 3;
/// [`JET_sntMissingLog`]: success goes on to undo.
pub const JET_MissingLogContinueToUndo: u8 = 4;
/// [`JET_sntMissingLog`]: success begins a new log.
pub const JET_MissingLogCreateNewLogStream: u8 = 5;

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_SNPROG {
    /// Parts that are done.
    pub cunitDone: u32,
    /// All parts.
    pub cunitTotal: u32,
}

/// What is told of a log in a [`JET_RECOVERYCONTROL`].
#[derive(Clone, Copy, Debug)]
pub struct JET_RECOVERYLOG<'a> {
    /// Its generation; 0 if nobody knows it.
    pub lGen: u32,
    /// Is it the current one, or one with its number in its name?
    pub fCurrentLog: bool,
    /// Why it is opened, or what success means: `JET_OpenLog...`, `JET_MissingLog...`.
    pub eReason: u8,
    /// Its file.
    pub szLogFile: &'a std::path::Path,
    /// Headers of the databases that are being recovered.
    pub rgdbinfomisc: &'a [DbHeader],
}

/// The part of a [`JET_RECOVERYCONTROL`] that its step says.
#[derive(Clone, Copy, Debug)]
pub enum JET_RECOVERYSTEP<'a> {
    /// Of [`JET_sntOpenLog`].
    OpenLog(JET_RECOVERYLOG<'a>),
    /// Of [`JET_sntOpenCheckpoint`]: the file.
    OpenCheckpoint(&'a std::path::Path),
    /// Of [`JET_sntMissingLog`].
    MissingLog(JET_RECOVERYLOG<'a>),
    /// Of [`JET_sntBeginUndo`]: headers of the databases.
    BeginUndo(&'a [DbHeader]),
    /// Of [`JET_sntNotificationEvent`]: its number.
    NotificationEvent(u32),
    /// Of [`JET_sntSignalErrorCondition`].
    SignalErrorCondition,
    /// Of [`JET_sntAttachedDb`]: its file.
    AttachedDb(&'a std::path::Path),
    /// Of [`JET_sntDetachingDb`]: its file.
    DetachingDb(&'a std::path::Path),
    /// Of [`JET_sntCommitCtx`]: the bytes.
    CommitCtx(&'a [u8]),
}

/// A step of a recovery that the callback decides.
#[derive(Clone, Copy, Debug)]
pub struct JET_RECOVERYCONTROL<'a> {
    /// To be given back by whoever has no other wish.
    pub errDefault: JetErr,
    /// The instance that is initialised.
    pub instance: JET_INSTANCE,
    /// What it is about.
    pub step: JET_RECOVERYSTEP<'a>,
}

/// The third argument of a status callback.
#[derive(Clone, Copy, Debug)]
pub enum JET_INITSTATUS<'a> {
    /// Begin, end and failure have none.
    None,
    /// Of [`JET_sntProgress`].
    Progress(JET_SNPROG),
    /// Of [`JET_snpRecoveryControl`].
    Control(JET_RECOVERYCONTROL<'a>),
}

/// Told how far recovery is, and with [`JET_bitExternalRecoveryControl`] asked. An error ends
/// recovery and is JetInit3's.
pub type JET_PFNINITCALLBACK<'a> =
    Box<dyn FnMut(JET_SNP, JET_SNT, &JET_INITSTATUS<'_>) -> JetErr + Send + 'a>;

/// As [`JET_RSTMAP`], with flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_RSTMAP2 {
    /// The path that the log knows.
    pub szDatabaseName: PathBuf,
    /// The path now.
    pub szNewDatabaseName: PathBuf,
    /// `JET_bitRestoreMap...`.
    pub grbit: JET_GRBIT,
}

impl From<&JET_RSTMAP> for JET_RSTMAP2 {
    fn from(map: &JET_RSTMAP) -> JET_RSTMAP2 {
        JET_RSTMAP2 {
            szDatabaseName: map.szDatabaseName.clone(),
            szNewDatabaseName: map.szNewDatabaseName.clone(),
            grbit: 0,
        }
    }
}

/// What JetInit3 is told about recovery.
#[derive(Default)]
pub struct JET_RSTINFO<'a> {
    /// Where databases lie now.
    pub rgrstmap: Vec<JET_RSTMAP>,
    /// Redo ends before this position; the lowest and the highest one: where the log does.
    pub lgposStop: LgPos,
    /// Must not be set.
    pub logtimeStop: LogTime,
    /// Told how far recovery is.
    pub pfnStatus: Option<JET_PFNINITCALLBACK<'a>>,
}

/// What JetInit4 is told about recovery.
#[derive(Default)]
pub struct JET_RSTINFO2<'a> {
    /// Where databases lie now.
    pub rgrstmap: Vec<JET_RSTMAP2>,
    /// As in [`JET_RSTINFO`].
    pub lgposStop: LgPos,
    /// As in [`JET_RSTINFO`].
    pub logtimeStop: LogTime,
    /// Told how far recovery is, or asked.
    pub pfnCallback: Option<JET_PFNINITCALLBACK<'a>>,
}

impl std::fmt::Debug for JET_RSTINFO<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JET_RSTINFO")
            .field("rgrstmap", &self.rgrstmap)
            .field("lgposStop", &self.lgposStop)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for JET_RSTINFO2<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JET_RSTINFO2")
            .field("rgrstmap", &self.rgrstmap)
            .field("lgposStop", &self.lgposStop)
            .finish_non_exhaustive()
    }
}

impl<'a> From<JET_RSTINFO<'a>> for JET_RSTINFO2<'a> {
    fn from(info: JET_RSTINFO<'a>) -> JET_RSTINFO2<'a> {
        JET_RSTINFO2 {
            rgrstmap: info.rgrstmap.iter().map(JET_RSTMAP2::from).collect(),
            lgposStop: info.lgposStop,
            logtimeStop: info.logtimeStop,
            pfnCallback: info.pfnStatus,
        }
    }
}

/// The flags of a call.
///
/// # Errors
/// `JET_errInvalidGrbit` (-900).
pub(super) fn flags_of(function: &str, grbit: JET_GRBIT) -> Result<RecoveryFlags> {
    RecoveryFlags::from_bits(grbit).ok_or_else(|| invalid_grbit(function, grbit))
}

/// What a call says, in the engine's words.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003): a time to stop at; a position to stop at with parameters that
/// need the end of the log. `JET_errInvalidGrbit` (-900) in the map.
pub(super) fn options_of<'a>(
    instance: JET_INSTANCE,
    info: JET_RSTINFO2<'a>,
    flags: RecoveryFlags,
    params: &Params,
) -> Result<RecoveryOptions<'a>> {
    let refuse = |what| Err(Error::new(JetErr::InvalidParameter, what));
    if !info.logtimeStop.is_null() {
        return refuse("recovery cannot stop at a time; give a position");
    }
    let until = match info.lgposStop {
        LgPos::MIN | LgPos::MAX => None,
        pos => {
            let end_needed = [JET_paramDeleteOldLogs, JET_paramDeleteOutOfRangeLogs];
            if end_needed.iter().any(|id| params.int(*id) != 0) {
                return refuse("logs cannot be removed where recovery stops early");
            }
            Some(RedoEnd::Pause(pos))
        }
    };
    let map = info.rgrstmap.iter().map(entry_of).collect::<Result<_>>()?;
    let watcher = info.pfnCallback.map(|mut callback| {
        let watcher = move |event: &RecoveryEvent<'_>, usual: Answer| {
            let default = usual.err().unwrap_or(JetErr::Success);
            let code = tell(&mut callback, instance, event, default);
            if (code as i32) < 0 { Err(code) } else { Ok(()) }
        };
        Box::new(watcher) as ese_engine::recovery::Watcher<'a>
    });
    Ok(RecoveryOptions { map, flags, until, watcher, ..RecoveryOptions::default() })
}

/// The log has absolute paths without links, so a relative one is completed to such a one.
fn complete(path: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.to_path_buf();
    }
    let dir = std::fs::canonicalize(ese_os::parent_of(path));
    dir.map_or_else(|_| path.to_path_buf(), |dir| dir.join(path.file_name().unwrap_or_default()))
}

fn entry_of(map: &JET_RSTMAP2) -> Result<MappedDatabase> {
    let known = JET_bitRestoreMapIgnoreWhenMissing
        | JET_bitRestoreMapFailWhenMissing
        | JET_bitRestoreMapOverwriteOnCreate;
    let when_missing = JET_bitRestoreMapIgnoreWhenMissing | JET_bitRestoreMapFailWhenMissing;
    if map.grbit & !known != 0 || map.grbit & when_missing == when_missing {
        return Err(invalid_grbit("JET_RSTMAP2", map.grbit));
    }
    Ok(MappedDatabase {
        logged: complete(&map.szDatabaseName),
        now: complete(&map.szNewDatabaseName),
        when_missing: match map.grbit & when_missing {
            JET_bitRestoreMapIgnoreWhenMissing => WhenMissing::Ignore,
            JET_bitRestoreMapFailWhenMissing => WhenMissing::Fail,
            _ => WhenMissing::AsFlagged,
        },
        overwrite_on_create: map.grbit & JET_bitRestoreMapOverwriteOnCreate != 0,
    })
}

fn tell(
    callback: &mut JET_PFNINITCALLBACK<'_>,
    instance: JET_INSTANCE,
    event: &RecoveryEvent<'_>,
    errDefault: JetErr,
) -> JetErr {
    let (snt, step) = match event {
        RecoveryEvent::Begin => {
            return callback(JET_snpRestore, JET_sntBegin, &JET_INITSTATUS::None);
        }
        RecoveryEvent::Complete => {
            return callback(JET_snpRestore, JET_sntComplete, &JET_INITSTATUS::None);
        }
        RecoveryEvent::Fail => {
            return callback(JET_snpRestore, JET_sntFail, &JET_INITSTATUS::None);
        }
        RecoveryEvent::Progress { percent } => {
            let progress = JET_SNPROG { cunitDone: *percent, cunitTotal: 100 };
            let status = JET_INITSTATUS::Progress(progress);
            return callback(JET_snpRestore, JET_sntProgress, &status);
        }
        RecoveryEvent::OpenLog { log: place, reason, headers } => {
            let reason = match reason {
                OpenReason::Check => JET_OpenLogForRecoveryCheckingAndPatching,
                OpenReason::Redo => JET_OpenLogForRedo,
                OpenReason::Undo => JET_OpenLogForUndo,
                OpenReason::Do => JET_OpenLogForDo,
            };
            let log = log_of(place, reason, headers);
            (JET_sntOpenLog, JET_RECOVERYSTEP::OpenLog(log))
        }
        RecoveryEvent::MissingLog { log: place, next, headers } => {
            let next = match next {
                NextAction::MustFail => JET_MissingLogMustFail,
                NextAction::Redo => JET_MissingLogContinueToRedo,
                NextAction::TryCurrent => JET_MissingLogContinueTryCurrentLog,
                NextAction::Undo => JET_MissingLogContinueToUndo,
                NextAction::NewStream => JET_MissingLogCreateNewLogStream,
            };
            let log = log_of(place, next, headers);
            (JET_sntMissingLog, JET_RECOVERYSTEP::MissingLog(log))
        }
        RecoveryEvent::OpenCheckpoint { path } => {
            (JET_sntOpenCheckpoint, JET_RECOVERYSTEP::OpenCheckpoint(path))
        }
        RecoveryEvent::BeginUndo { headers } => {
            (JET_sntBeginUndo, JET_RECOVERYSTEP::BeginUndo(headers))
        }
        RecoveryEvent::Notification { event } => {
            (JET_sntNotificationEvent, JET_RECOVERYSTEP::NotificationEvent(*event))
        }
        RecoveryEvent::Condition => {
            (JET_sntSignalErrorCondition, JET_RECOVERYSTEP::SignalErrorCondition)
        }
        RecoveryEvent::Attached { path } => (JET_sntAttachedDb, JET_RECOVERYSTEP::AttachedDb(path)),
        RecoveryEvent::Detaching { path } => {
            (JET_sntDetachingDb, JET_RECOVERYSTEP::DetachingDb(path))
        }
        RecoveryEvent::CommitContext { context } => {
            (JET_sntCommitCtx, JET_RECOVERYSTEP::CommitCtx(context))
        }
    };
    let control = JET_RECOVERYCONTROL { errDefault, instance, step };
    callback(JET_snpRecoveryControl, snt, &JET_INITSTATUS::Control(control))
}

fn log_of<'a>(
    place: &LogPlace<'a>,
    eReason: u8,
    rgdbinfomisc: &'a [DbHeader],
) -> JET_RECOVERYLOG<'a> {
    JET_RECOVERYLOG {
        lGen: place.generation.0,
        fCurrentLog: place.current,
        eReason,
        szLogFile: place.path,
        rgdbinfomisc,
    }
}
