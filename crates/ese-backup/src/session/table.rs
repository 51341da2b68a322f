//! Which call is legal in which state: the one table that decides (backup-log-recovery 4.2).
//!
//! A backup is in exactly one [`State`]. A call looks up its row; the cell says the state after
//! success, or the code of the refusal. What a call does besides changing the state stands in
//! the module `context`; nothing there decides by the state.
//!
//! Columns that the published table leaves out are here: a log handle may also be open after
//! truncation (`FT+h`, `IT+h`) and in an incremental backup before its log list was asked for
//! (`I+h`); their cells follow from the rule of the neighbouring column with an open handle. `V` is
//! a snapshot of the volume (4.12), of which the calls of a sequence are no part.

use ese_base::JetErr;

/// Where a backup stands. The short name is the one of the published table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// `N`: no backup in progress.
    None,
    /// `FD`: full backup, databases are being read, no handle open.
    FullDatabases,
    /// `FD+h`: the same with an open handle.
    FullDatabasesOpen,
    /// `FL`: full backup, the log list was given out.
    FullLogs,
    /// `FL+h`: the same with an open handle.
    FullLogsOpen,
    /// `FT`: full backup after the truncation.
    FullTruncated,
    /// `FT+h`: the same with an open handle.
    FullTruncatedOpen,
    /// `I`: incremental backup before the log list was asked for.
    Incremental,
    /// `I+h`: the same with an open handle.
    IncrementalOpen,
    /// `IL`: incremental backup, the log list was given out.
    IncrementalLogs,
    /// `IL+h`: the same with an open handle.
    IncrementalLogsOpen,
    /// `IT`: incremental backup after the truncation.
    IncrementalTruncated,
    /// `IT+h`: the same with an open handle.
    IncrementalTruncatedOpen,
    /// `S`: a surrogate backup: some other program copies the files.
    Surrogate,
    /// `V`: a snapshot of the volume, from its freeze to its end.
    Snapshot,
}

impl State {
    /// Every state, in the order of the table's columns.
    pub const ALL: [State; 15] = [
        State::None,
        State::FullDatabases,
        State::FullDatabasesOpen,
        State::FullLogs,
        State::FullLogsOpen,
        State::FullTruncated,
        State::FullTruncatedOpen,
        State::Incremental,
        State::IncrementalOpen,
        State::IncrementalLogs,
        State::IncrementalLogsOpen,
        State::IncrementalTruncated,
        State::IncrementalTruncatedOpen,
        State::Surrogate,
        State::Snapshot,
    ];

    /// The name of the state's column.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            State::None => "N",
            State::FullDatabases => "FD",
            State::FullDatabasesOpen => "FD+h",
            State::FullLogs => "FL",
            State::FullLogsOpen => "FL+h",
            State::FullTruncated => "FT",
            State::FullTruncatedOpen => "FT+h",
            State::Incremental => "I",
            State::IncrementalOpen => "I+h",
            State::IncrementalLogs => "IL",
            State::IncrementalLogsOpen => "IL+h",
            State::IncrementalTruncated => "IT",
            State::IncrementalTruncatedOpen => "IT+h",
            State::Surrogate => "S",
            State::Snapshot => "V",
        }
    }

    /// Is a backup in progress whose files this engine hands out?
    #[must_use]
    pub fn is_local(self) -> bool {
        !matches!(self, State::None | State::Surrogate | State::Snapshot)
    }
}

/// A call of the backup sequence, as far as the state decides about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// `JetBeginExternalBackupInstance(0)`; the built-in backup begins the same way.
    BeginFull,
    /// `JetBeginExternalBackupInstance(JET_bitBackupIncremental)`.
    BeginIncremental,
    /// `JetGetAttachInfoInstance`.
    AttachInfo,
    /// `JetOpenFileInstance` with the path of an attached database.
    OpenDatabase,
    /// `JetOpenFileInstance` with any other path.
    OpenOther,
    /// `JetReadFileInstance` with the open handle.
    Read,
    /// `JetCloseFileInstance` with the open handle.
    Close,
    /// `JetGetLogInfoInstance`, `JetGetLogInfoInstance2`.
    LogInfo,
    /// `JetGetTruncateLogInfoInstance`.
    TruncateLogInfo,
    /// `JetTruncateLogInstance`.
    TruncateLog,
    /// `JetEndExternalBackupInstance2(JET_bitBackupEndNormal)`.
    EndNormal,
    /// `JetEndExternalBackupInstance2(JET_bitBackupEndAbort)`.
    EndAbort,
    /// `JetEndExternalBackupInstance2` with neither or both of these bits.
    EndNeither,
    /// `JetBeginSurrogateBackup`.
    BeginSurrogate,
    /// `JetEndSurrogateBackup`.
    EndSurrogate,
    /// `JetBackupInstance`, which begins, runs and ends.
    BackUp,
    /// The freeze of a snapshot.
    Freeze,
    /// `JetStopBackupInstance`.
    Stop,
    /// `JetTerm2(JET_bitTermComplete)` without `JET_bitTermStopBackup`.
    TermComplete,
}

impl Api {
    /// Every call, in the order of the table's rows.
    pub const ALL: [Api; 19] = [
        Api::BeginFull,
        Api::BeginIncremental,
        Api::AttachInfo,
        Api::OpenDatabase,
        Api::OpenOther,
        Api::Read,
        Api::Close,
        Api::LogInfo,
        Api::TruncateLogInfo,
        Api::TruncateLog,
        Api::EndNormal,
        Api::EndAbort,
        Api::EndNeither,
        Api::BeginSurrogate,
        Api::EndSurrogate,
        Api::BackUp,
        Api::Freeze,
        Api::Stop,
        Api::TermComplete,
    ];

    /// Does it end a backup, whatever became of that?
    #[must_use]
    pub fn ends(self) -> bool {
        matches!(self, Api::EndNormal | Api::EndAbort | Api::EndSurrogate)
    }
}

/// What the table says about a call in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Legal. After success the backup is in this state.
    To(State),
    /// Refused with this code; nothing changes.
    Refuse(JetErr),
    /// Refused with this code, and the whole backup is cleaned up: the state is [`State::None`].
    Cancel(JetErr),
}

/// What becomes of a call once the stop was given: the table's last column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// `JET_errBackupAbortByServer`; the backup stays in progress.
    Aborted,
    /// The same as without the stop: what ends a backup is always allowed.
    AsBefore,
}

use Stopped::{Aborted, AsBefore};

// The table's words. A state's name as a cell means: legal, this is the state afterwards.
const N: Reply = Reply::To(State::None);
const FD: Reply = Reply::To(State::FullDatabases);
const FDH: Reply = Reply::To(State::FullDatabasesOpen);
const FL: Reply = Reply::To(State::FullLogs);
const FLH: Reply = Reply::To(State::FullLogsOpen);
const FT: Reply = Reply::To(State::FullTruncated);
const FTH: Reply = Reply::To(State::FullTruncatedOpen);
const I: Reply = Reply::To(State::Incremental);
const IH: Reply = Reply::To(State::IncrementalOpen);
const IL: Reply = Reply::To(State::IncrementalLogs);
const ILH: Reply = Reply::To(State::IncrementalLogsOpen);
const IT: Reply = Reply::To(State::IncrementalTruncated);
const ITH: Reply = Reply::To(State::IncrementalTruncatedOpen);
const S: Reply = Reply::To(State::Surrogate);
const V: Reply = Reply::To(State::Snapshot);
const SNA: Reply = Reply::Refuse(JetErr::OSSnapshotNotAllowed);
const NB: Reply = Reply::Refuse(JetErr::NoBackup);
const BIP: Reply = Reply::Refuse(JetErr::BackupInProgress);
const SBI: Reply = Reply::Refuse(JetErr::SurrogateBackupInProgress);
const SEQ: Reply = Reply::Refuse(JetErr::InvalidBackupSequence);
const SEX: Reply = Reply::Cancel(JetErr::InvalidBackupSequence);
const IP: Reply = Reply::Refuse(JetErr::InvalidParameter);
const OOM: Reply = Reply::Refuse(JetErr::OutOfMemory);
const DNF: Reply = Reply::Refuse(JetErr::DatabaseNotFound);

/// The row of a call: its fate after a stop, and one cell per state.
#[rustfmt::skip]
const fn row(api: Api) -> (Stopped, [Reply; 15]) {
    match api {
        //                              N    FD   FD+h FL   FL+h FT   FT+h I    I+h  IL   IL+h IT   IT+h S    V
        Api::BeginFull       => (AsBefore, [FD,  BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, SBI, BIP]),
        Api::BeginIncremental=> (AsBefore, [I,   BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, SBI, BIP]),
        Api::AttachInfo      => (Aborted,  [NB,  FD,  FDH, FL,  FLH, FT,  FTH, SEQ, SEQ, SEQ, SEQ, SEQ, SEQ, NB,  NB ]),
        Api::OpenDatabase    => (Aborted,  [NB,  FDH, OOM, SEX, OOM, SEX, OOM, SEX, OOM, SEX, OOM, SEX, OOM, NB,  NB ]),
        Api::OpenOther       => (Aborted,  [NB,  DNF, OOM, FLH, OOM, FTH, OOM, IH,  OOM, ILH, OOM, ITH, OOM, NB,  NB ]),
        Api::Read            => (Aborted,  [NB,  IP,  FDH, IP,  FLH, IP,  FTH, IP,  IH,  IP,  ILH, IP,  ITH, NB,  NB ]),
        Api::Close           => (AsBefore, [NB,  IP,  FD,  IP,  FL,  IP,  FT,  IP,  I,   IP,  IL,  IP,  IT,  NB,  NB ]),
        Api::LogInfo         => (Aborted,  [NB,  FL,  SEQ, FL,  SEQ, FT,  SEQ, IL,  SEQ, IL,  SEQ, IT,  SEQ, NB,  NB ]),
        Api::TruncateLogInfo => (Aborted,  [NB,  FL,  SEQ, FL,  SEQ, FT,  SEQ, IL,  SEQ, IL,  SEQ, IT,  SEQ, NB,  NB ]),
        Api::TruncateLog     => (Aborted,  [NB,  SEQ, SEQ, FT,  SEQ, FT,  SEQ, SEQ, SEQ, IT,  SEQ, IT,  SEQ, NB,  NB ]),
        Api::EndNormal       => (AsBefore, [NB,  N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   NB ]),
        Api::EndAbort        => (AsBefore, [NB,  N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   NB ]),
        Api::EndNeither      => (AsBefore, [IP,  IP,  IP,  IP,  IP,  IP,  IP,  IP,  IP,  IP,  IP,  IP,  IP,  IP,  IP ]),
        Api::BeginSurrogate  => (AsBefore, [S,   BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, SBI, BIP]),
        Api::EndSurrogate    => (AsBefore, [NB,  N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   N,   NB ]),
        Api::BackUp          => (AsBefore, [N,   BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, SBI, BIP]),
        Api::Freeze          => (AsBefore, [V,   SNA, SNA, SNA, SNA, SNA, SNA, SNA, SNA, SNA, SNA, SNA, SNA, SNA, SNA]),
        Api::Stop            => (AsBefore, [N,   FD,  FDH, FL,  FLH, FT,  FTH, I,   IH,  IL,  ILH, IT,  ITH, S,   V  ]),
        Api::TermComplete    => (AsBefore, [N,   BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, BIP, SBI, BIP]),
    }
}

/// The table's answer. `stopped` is the stop flag; it has no meaning without a local backup, so
/// that "no backup" is answered before "stopped".
#[must_use]
pub fn reply(api: Api, state: State, stopped: bool) -> Reply {
    let (after_stop, cells) = row(api);
    if stopped && state.is_local() && after_stop == Aborted {
        return Reply::Refuse(JetErr::BackupAbortByServer);
    }
    cells[state as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_in_the_order_of_the_states() {
        for (index, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, index, "{state:?}");
        }
    }

    #[test]
    fn a_stop_never_changes_what_ends_a_backup_and_aborts_what_makes_progress() {
        use Api::*;
        for api in Api::ALL {
            let ends = matches!(
                api,
                Close
                    | EndNormal
                    | EndAbort
                    | EndNeither
                    | EndSurrogate
                    | BackUp
                    | Freeze
                    | Stop
                    | TermComplete
                    | BeginFull
                    | BeginIncremental
                    | BeginSurrogate
            );
            for state in State::ALL {
                let (before, after) = (reply(api, state, false), reply(api, state, true));
                if ends || !state.is_local() {
                    assert_eq!(before, after, "{api:?} in {}", state.column());
                } else {
                    assert_eq!(
                        after,
                        Reply::Refuse(JetErr::BackupAbortByServer),
                        "{api:?} in {}",
                        state.column()
                    );
                }
            }
        }
    }

    #[test]
    fn every_state_is_left_by_an_end_and_reached_by_some_path() {
        let mut reached = vec![State::None];
        while let Some((from, to)) = reached.iter().find_map(|&from| {
            Api::ALL.into_iter().find_map(|api| match reply(api, from, false) {
                Reply::To(to) if !reached.contains(&to) => Some((from, to)),
                _ => None,
            })
        }) {
            println!("{} -> {}", from.column(), to.column());
            reached.push(to);
        }
        assert_eq!(reached.len(), State::ALL.len());
        // A snapshot is ended by its owner, through no call of a sequence.
        let ended = State::ALL.into_iter().filter(|state| *state != State::Snapshot).skip(1);
        for state in ended {
            assert_eq!(reply(Api::EndAbort, state, false), N, "{}", state.column());
        }
    }
}
