//! Every call in every state, stopped and not: first the table against the published one, then
//! the calls against the table.

use std::time::Duration;

use ese_base::{Generation, JetErr, StopToken};

use super::*;
use crate::{
    session::{
        BEGIN_INCREMENTAL, END_ABORT, Freeze,
        table::{Api, Reply, State, reply},
    },
    source::BackupSource,
    stream::{CopyOptions, backup_to_dir},
    testing::Setup,
};

/// Section 4.2 of the specification, its states and words. The last column is the one for
/// "any with the stop flag" ("=": as before the stop).
const PUBLISHED: &str = include_str!("../published_table.txt");

fn published_word(word: &str) -> Reply {
    if let Some(state) = State::ALL.into_iter().find(|state| state.column() == word) {
        return Reply::To(state);
    }
    if word == "SEQ!" {
        return Reply::Cancel(JetErr::InvalidBackupSequence);
    }
    let code = match word {
        "NB" => -520,
        "BIP" => -505,
        "SBIP" => -617,
        "SEQ" => -521,
        "ABS" => -801,
        "IP" => -1003,
        "OOM" => -1011,
        "DNF" => -1203,
        "SNA" => -2403,
        other => panic!("unknown word {other}"),
    };
    Reply::Refuse(JetErr::from_code(code).unwrap())
}

#[test]
fn the_table_is_the_published_one() {
    let mut lines = PUBLISHED.trim().lines();
    let columns: Vec<State> = lines
        .next()
        .unwrap()
        .split_whitespace()
        .skip(1)
        .filter_map(|column| State::ALL.into_iter().find(|state| state.column() == column))
        .collect();
    assert_eq!(columns.len(), 11);
    for (line, api) in lines.zip(Api::ALL) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[0], format!("{api:?}"));
        for (state, word) in columns.iter().zip(&words[1..]) {
            let expected = published_word(word);
            assert_eq!(reply(api, *state, false), expected, "{api:?} in {}", state.column());
            let stopped = match words[12] {
                "=" => expected,
                word if state.is_local() => published_word(word),
                _ => expected,
            };
            assert_eq!(reply(api, *state, true), stopped, "{api:?} in {} stopped", state.column());
        }
    }
}

/// Brings a fresh instance's backup into a state; gives the open handle, or a wrong one.
fn bring_to(setup: &Setup, state: State) -> FileHandle {
    let context = &setup.context;
    let log = setup.instance.archive(3);
    let open = |path: &Path| context.open_file(path).unwrap().handle;
    let none = FileHandle(1);
    let full = |truncate: bool| {
        context.begin(0).unwrap();
        copy_databases(context);
        copy_logs(context);
        if truncate {
            context.truncate_log().unwrap();
        }
    };
    let incremental = |with_logs: bool, truncate: bool| {
        full_backup(context);
        context.begin(BEGIN_INCREMENTAL).unwrap();
        if with_logs {
            copy_logs(context);
        }
        if truncate {
            context.truncate_log().unwrap();
        }
    };
    // The incremental truncation deletes below the checkpoint, so this log stays.
    match state {
        State::None => return none,
        State::FullDatabases => context.begin(0).unwrap(),
        State::FullDatabasesOpen => {
            context.begin(0).unwrap();
            return open(&setup.database_path());
        }
        State::FullLogs => full(false),
        State::FullLogsOpen => {
            full(false);
            return open(&log);
        }
        State::FullTruncated => full(true),
        State::FullTruncatedOpen => {
            full(true);
            return open(&log);
        }
        State::Incremental => incremental(false, false),
        State::IncrementalOpen => {
            incremental(false, false);
            return open(&log);
        }
        State::IncrementalLogs => incremental(true, false),
        State::IncrementalLogsOpen => {
            incremental(true, false);
            return open(&log);
        }
        State::IncrementalTruncated => incremental(true, true),
        State::IncrementalTruncatedOpen => {
            incremental(true, true);
            return open(&log);
        }
        State::Surrogate => begin_surrogate(context).unwrap(),
        State::Snapshot => {
            freeze(setup).unwrap();
        }
    }
    none
}

fn begin_surrogate(context: &BackupContext) -> Result<()> {
    context.begin_surrogate(Generation(2), Generation(4), 0)
}

/// Freezes, and thaws at once: what follows is the same, and can write.
fn freeze(setup: &Setup) -> Result<u64> {
    let how = Freeze { incremental: false, timeout: Duration::from_secs(600) };
    let serial = setup.context.freeze(how)?;
    assert!(setup.context.thaw(serial));
    Ok(serial)
}

/// Makes the call.
fn call(setup: &Setup, api: Api, handle: FileHandle) -> Result<()> {
    let context = &setup.context;
    let mut bytes = buffer();
    match api {
        Api::BeginFull => context.begin(0),
        Api::BeginIncremental => context.begin(BEGIN_INCREMENTAL),
        Api::AttachInfo => context.attach_info().map(drop),
        Api::OpenDatabase => context.open_file(&setup.database_path()).map(drop),
        Api::OpenOther => context.open_file(&setup.instance.archive(3)).map(drop),
        Api::Read => context.read_file(handle, bytes.as_mut_slice()).map(drop),
        Api::Close => context.close_file(handle),
        Api::LogInfo => context.log_info().map(drop),
        Api::TruncateLogInfo => context.truncate_log_info().map(drop),
        Api::TruncateLog => context.truncate_log(),
        Api::EndNormal => context.end(END_NORMAL),
        Api::EndAbort => context.end(END_ABORT),
        Api::Stop => {
            context.stop();
            Ok(())
        }
        Api::TermComplete => context.term_complete(),
        Api::BeginSurrogate => begin_surrogate(context),
        Api::EndSurrogate => context.end_surrogate(END_NORMAL),
        Api::EndNeither => context.end(0).and(context.end(END_NORMAL | END_ABORT)),
        Api::BackUp => {
            let env = setup.instance.env();
            let dir = setup.instance.root.join("set");
            let never = StopToken::new();
            let options = CopyOptions::default();
            backup_to_dir(context, env, &dir, options, &mut |_| (), &never).map(drop)
        }
        Api::Freeze => freeze(setup).map(drop),
    }
}

#[test]
fn every_call_in_every_state_answers_by_the_table() {
    let mut cells = 0;
    for stopped in [false, true] {
        println!("\n{}", if stopped { "after a stop" } else { "no stop" });
        println!("{:17}{}", "", State::ALL.map(|state| format!("{:>7}", state.column())).concat());
        for api in Api::ALL {
            let mut line = format!("{:17}", format!("{api:?}"));
            for state in State::ALL {
                let setup = Setup::small();
                let handle = bring_to(&setup, state);
                assert_eq!(setup.context.state(), state);
                // Without an earlier full backup an incremental one is refused; give it one.
                if api == Api::BeginIncremental && state == State::None {
                    full_backup(&setup.context);
                }
                if stopped {
                    setup.context.stop();
                }
                let answer = call(&setup, api, handle);
                let (code, next) = match reply(api, state, stopped) {
                    Reply::To(next) => (0, next),
                    Reply::Refuse(code) => (code as i32, state),
                    Reply::Cancel(code) => (code as i32, State::None),
                };
                let place = format!("{api:?} in {}, stopped: {stopped}", state.column());
                let found = answer.as_ref().map_or_else(ese_base::Error::jet_code, |()| 0);
                assert_eq!(found, code, "{place}: {answer:?}");
                assert_eq!(setup.context.state(), next, "{place}");
                // Only what begins or ends a backup takes the stop back.
                let cleared = next == State::None && state != State::None
                    || state == State::None && (next != State::None || api.ends())
                    || (api, state) == (Api::BackUp, State::None);
                let flag = stopped && !cleared || api == Api::Stop;
                assert_eq!(setup.context.is_stopped(), flag, "{place}");
                line += &match code {
                    0 => format!("{:>7}", next.column()),
                    code => format!("{code:>7}"),
                };
                cells += 1;
            }
            println!("{line}");
        }
    }
    println!("{cells} cells");
    assert_eq!(cells, 2 * Api::ALL.len() * State::ALL.len());
}
