//! The table of 4.2, cell by cell, through the Jet functions: generated from the engine's own
//! table, which is compared with the published one first.

use std::{collections::BTreeSet, path::PathBuf};

use ese_api::{JetErr, Result, jet::*};
use ese_backup::{
    AlignedBuffer, State,
    session::table::{Api, Reply, reply},
};

use crate::jet_setup::{Live, multi};

/// An instance, and what its calls need in the state that it is in.
struct Bench {
    live: Live,
    /// The open file of the backup, or what is none.
    file: JET_HANDLE,
    /// A finished log that no truncation of this test deletes.
    log: PathBuf,
    snapshot: std::cell::Cell<Option<JET_OSSNAPID>>,
    set: tempfile::TempDir,
}

type JetCall = fn(&Bench) -> Result<()>;

/// The functions that a row of the table is about.
const CALLS: &[(&str, Api, JetCall)] = &[
    ("JetBeginExternalBackupInstance(0)", Api::BeginFull, |on| {
        JetBeginExternalBackupInstance(on.live.inst, 0)
    }),
    ("JetBeginExternalBackupInstance(InternalCopy)", Api::BeginFull, |on| {
        JetBeginExternalBackupInstance(on.live.inst, JET_bitBackupInternalCopy)
    }),
    ("JetBeginExternalBackupInstance(Incremental)", Api::BeginIncremental, |on| {
        JetBeginExternalBackupInstance(on.live.inst, JET_bitBackupIncremental)
    }),
    ("JetGetAttachInfoInstance", Api::AttachInfo, |on| {
        JetGetAttachInfoInstance(on.live.inst, None).map(drop)
    }),
    ("JetOpenFileInstance(database)", Api::OpenDatabase, |on| {
        JetOpenFileInstance(on.live.inst, Some(&on.live.path())).map(drop)
    }),
    ("JetOpenFileInstance(log)", Api::OpenOther, |on| {
        JetOpenFileInstance(on.live.inst, Some(&on.log)).map(drop)
    }),
    ("JetReadFileInstance", Api::Read, |on| {
        let mut buffer = AlignedBuffer::new(64 << 10).unwrap();
        JetReadFileInstance(on.live.inst, on.file, buffer.as_mut_slice()).map(drop)
    }),
    ("JetCloseFileInstance", Api::Close, |on| JetCloseFileInstance(on.live.inst, on.file)),
    ("JetGetLogInfoInstance", Api::LogInfo, |on| {
        JetGetLogInfoInstance(on.live.inst, None).map(drop)
    }),
    ("JetGetLogInfoInstance2", Api::LogInfo, |on| {
        let mut info = JET_LOGINFO::new();
        JetGetLogInfoInstance2(on.live.inst, None, Some(&mut info)).map(drop)
    }),
    ("JetGetTruncateLogInfoInstance", Api::TruncateLogInfo, |on| {
        JetGetTruncateLogInfoInstance(on.live.inst, None).map(drop)
    }),
    ("JetTruncateLogInstance", Api::TruncateLog, |on| JetTruncateLogInstance(on.live.inst)),
    ("JetEndExternalBackupInstance", Api::EndNormal, |on| {
        JetEndExternalBackupInstance(on.live.inst)
    }),
    ("JetEndExternalBackupInstance2(Normal)", Api::EndNormal, |on| {
        JetEndExternalBackupInstance2(on.live.inst, JET_bitBackupEndNormal)
    }),
    ("JetEndExternalBackupInstance2(Abort)", Api::EndAbort, |on| {
        JetEndExternalBackupInstance2(on.live.inst, JET_bitBackupEndAbort)
    }),
    ("JetEndExternalBackupInstance2(0)", Api::EndNeither, |on| {
        JetEndExternalBackupInstance2(on.live.inst, 0)
    }),
    ("JetEndExternalBackupInstance2(both)", Api::EndNeither, |on| {
        JetEndExternalBackupInstance2(on.live.inst, JET_bitBackupEndNormal | JET_bitBackupEndAbort)
    }),
    ("JetBeginSurrogateBackup", Api::BeginSurrogate, |on| {
        JetBeginSurrogateBackup(on.live.inst, 1, 1, 0)
    }),
    ("JetEndSurrogateBackup(Normal)", Api::EndSurrogate, |on| {
        JetEndSurrogateBackup(on.live.inst, JET_bitBackupEndNormal)
    }),
    ("JetEndSurrogateBackup(Abort)", Api::EndSurrogate, |on| {
        JetEndSurrogateBackup(on.live.inst, JET_bitBackupEndAbort)
    }),
    ("JetEndSurrogateBackup(0)", Api::EndNeither, |on| JetEndSurrogateBackup(on.live.inst, 0)),
    ("JetBackupInstance", Api::BackUp, |on| {
        let set = tempfile::tempdir_in(on.set.path()).unwrap();
        JetBackupInstance(on.live.inst, set.path(), 0, None)
    }),
    ("JetOSSnapshotFreeze", Api::Freeze, |on| {
        let flags = JET_bitExplicitPrepare | JET_bitContinueAfterThaw;
        let id = JetOSSnapshotPrepare(flags)?;
        let frozen = JetOSSnapshotPrepareInstance(id, on.live.inst, 0)
            .and_then(|()| JetOSSnapshotFreeze(id, 0))
            .and_then(|_| JetOSSnapshotThaw(id, 0));
        match frozen {
            Ok(()) => on.snapshot.set(Some(id)),
            Err(_) => JetOSSnapshotAbort(id, 0).unwrap(),
        }
        frozen
    }),
    ("JetStopBackupInstance", Api::Stop, |on| JetStopBackupInstance(on.live.inst)),
    ("JetTerm2(Complete)", Api::TermComplete, |on| JetTerm2(on.live.inst, JET_bitTermComplete)),
];

impl Bench {
    fn new() -> Bench {
        let live = Live::new();
        live.load(0..300);
        // Incremental backups need a full one to build on.
        live.begin();
        live.copy(&live.path());
        for log in live.log_list() {
            live.copy(&log);
        }
        JetTruncateLogInstance(live.inst).unwrap();
        live.end(JET_bitBackupEndNormal);
        live.load(300..310);
        let set = tempfile::tempdir().unwrap();
        let (log, file) = (PathBuf::new(), JET_HANDLE(1));
        Bench { live, file, log, snapshot: std::cell::Cell::new(None), set }
    }

    /// The newest finished log.
    fn newest_log(&self) -> PathBuf {
        let dir = std::fs::read_dir(self.live.dir.path()).unwrap();
        let logs = dir.map(|entry| entry.unwrap().path()).filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.len() == "edb00001.log".len() && name.starts_with("edb0") && name.ends_with(".log")
        });
        logs.max().unwrap()
    }

    /// From whatever state to this one.
    fn bring_to(&mut self, state: State) {
        if let Some(id) = self.snapshot.take() {
            JetOSSnapshotAbort(id, 0).unwrap();
        }
        let ended = JetEndExternalBackupInstance2(self.live.inst, JET_bitBackupEndAbort);
        assert!(ended.leaves_no_backup());
        let live = &self.live;
        let begin = |incremental: bool| {
            let flags = if incremental { JET_bitBackupIncremental } else { 0 };
            JetBeginExternalBackupInstance(live.inst, flags).unwrap();
        };
        let logs = || {
            for log in live.log_list() {
                live.copy(&log);
            }
        };
        let truncate = || JetTruncateLogInstance(live.inst).unwrap();
        use State::*;
        match state {
            None => {}
            FullDatabases | FullDatabasesOpen => begin(false),
            FullLogs | FullLogsOpen | FullTruncated | FullTruncatedOpen => {
                begin(false);
                live.copy(&live.path());
                logs();
            }
            Incremental | IncrementalOpen => begin(true),
            IncrementalLogs
            | IncrementalLogsOpen
            | IncrementalTruncated
            | IncrementalTruncatedOpen => {
                begin(true);
                logs();
            }
            Surrogate => JetBeginSurrogateBackup(live.inst, 1, 1, 0).unwrap(),
            Snapshot => {
                CALLS.iter().find(|(_, api, _)| *api == Api::Freeze).unwrap().2(self).unwrap();
            }
        }
        if matches!(
            state,
            FullTruncated | FullTruncatedOpen | IncrementalTruncated | IncrementalTruncatedOpen
        ) {
            truncate();
        }
        self.log = self.newest_log();
        self.file = match state {
            FullDatabasesOpen => self.live.open(&self.live.path()),
            FullLogsOpen
            | FullTruncatedOpen
            | IncrementalOpen
            | IncrementalLogsOpen
            | IncrementalTruncatedOpen => self.live.open(&self.log),
            _ => JET_HANDLE(1),
        };
        assert_eq!(backup_state(self.live.inst).unwrap(), (state, false));
    }
}

trait Ended {
    fn leaves_no_backup(&self) -> bool;
}

impl Ended for Result<()> {
    /// Ended, or there was nothing to be ended.
    fn leaves_no_backup(&self) -> bool {
        self.as_ref().map_or_else(|error| error.code() == JetErr::NoBackup, |()| true)
    }
}

fn expected(api: Api, state: State, stopped: bool) -> (i32, State) {
    match reply(api, state, stopped) {
        Reply::To(next) => (0, next),
        Reply::Refuse(code) => (code as i32, state),
        Reply::Cancel(code) => (code as i32, State::None),
    }
}

#[test]
fn every_jet_function_in_every_state_answers_by_the_table() {
    let _mode = multi();
    for api in Api::ALL {
        assert!(CALLS.iter().any(|(_, row, _)| *row == api), "{api:?} has no function");
    }
    let mut answers = vec![[const { (0, State::None) }; 30]; CALLS.len()];
    let mut bench = Bench::new();
    for (column, state) in State::ALL.into_iter().enumerate() {
        for (half, stopped) in [(0, false), (15, true)] {
            // Refusals leave the state as it is: it is made again only where a call changes it.
            let mut ready = false;
            for (row, (name, api, call)) in CALLS.iter().enumerate() {
                let place = format!("{name} in {}, stopped: {stopped}", state.column());
                if !ready {
                    bench.bring_to(state);
                    if stopped {
                        bench.live.stop();
                    }
                }
                let answer = call(&bench);
                let code = answer.as_ref().map_or_else(ese_api::Error::jet_code, |()| 0);
                let (expected, next) = expected(*api, state, stopped);
                assert_eq!(code, expected, "{place}: {answer:?}");
                answers[row][column + half] = (code, next);
                if *api == Api::TermComplete {
                    // It is gone, or refuses every backup from now on.
                    bench.live.ended = code == 0;
                    if let Some(id) = bench.snapshot.take() {
                        JetOSSnapshotAbort(id, 0).unwrap();
                    }
                    bench = Bench::new();
                    ready = false;
                    continue;
                }
                let none = State::None;
                let cleared = next == none && state != none
                    || state == none && (next != none || api.ends() || *api == Api::BackUp);
                let flag = stopped && !cleared || *api == Api::Stop;
                assert_eq!(backup_state(bench.live.inst).unwrap(), (next, flag), "{place}");
                ready = next == state && flag == stopped;
            }
        }
    }
    print_table(&answers);
}

/// The table as it was found: the state after success, or the code.
fn print_table(answers: &[[(i32, State); 30]]) {
    for (half, title) in [(0, "no stop"), (15, "after a stop")] {
        let columns = State::ALL.map(|state| format!("{:>6}", state.column())).concat();
        println!("\n{title:46}{columns}");
        for ((name, ..), row) in CALLS.iter().zip(answers) {
            let cells = row[half..half + 15].iter().map(|(code, next)| match code {
                0 => format!("{:>6}", next.column()),
                code => format!("{code:>6}"),
            });
            println!("{name:46}{}", cells.collect::<String>());
        }
    }
    let codes: BTreeSet<i32> = answers.iter().flatten().map(|(code, _)| *code).collect();
    println!("\n{} cells; codes {codes:?}", answers.len() * 30);
}
