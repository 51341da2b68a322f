//! Who is told of a recovery, and asked (3.8).

use std::fs;

use ese_api::{JetErr, jet::*};

use crate::{
    jet_setup::multi,
    left::{Left, Try},
};

/// Runs a recovery and gives what the callback was told; `decide` answers.
fn watched(
    left: &Left,
    grbit: JET_GRBIT,
    mut decide: impl FnMut(JET_SNT, &JET_INITSTATUS<'_>) -> Option<JetErr> + Send,
) -> (ese_api::Result<JetErr>, Vec<(JET_SNP, JET_SNT, String)>) {
    let mut told = Vec::new();
    let callback = |snp: JET_SNP, snt: JET_SNT, status: &JET_INITSTATUS<'_>| {
        let default = match status {
            JET_INITSTATUS::Control(control) => control.errDefault,
            _ => JetErr::Success,
        };
        told.push((snp, snt, text(status)));
        decide(snt, status).unwrap_or(default)
    };
    let info = JET_RSTINFO { pfnStatus: Some(Box::new(callback)), ..JET_RSTINFO::default() };
    let result = Try { grbit, info: Some(info), ..Try::default() }.run(left.path());
    (result, told)
}

fn text(status: &JET_INITSTATUS<'_>) -> String {
    let log = |log: &JET_RECOVERYLOG<'_>| {
        let place = if log.fCurrentLog { "current" } else { "archive" };
        format!("{} {} {place}", log.eReason, log.lGen)
    };
    match status {
        JET_INITSTATUS::None => String::new(),
        JET_INITSTATUS::Progress(progress) => {
            assert_eq!(progress.cunitTotal, 100);
            progress.cunitDone.to_string()
        }
        JET_INITSTATUS::Control(control) => match control.step {
            JET_RECOVERYSTEP::OpenLog(of) => format!("open {}", log(&of)),
            JET_RECOVERYSTEP::MissingLog(of) => format!("missing {}", log(&of)),
            JET_RECOVERYSTEP::OpenCheckpoint(_) => "checkpoint".into(),
            JET_RECOVERYSTEP::BeginUndo(headers) => format!("undo of {}", headers.len()),
            JET_RECOVERYSTEP::NotificationEvent(event) => format!("event {event}"),
            JET_RECOVERYSTEP::SignalErrorCondition => format!("{:?}", control.errDefault),
            JET_RECOVERYSTEP::AttachedDb(_) => "attached".into(),
            JET_RECOVERYSTEP::DetachingDb(_) => "detaching".into(),
            JET_RECOVERYSTEP::CommitCtx(bytes) => format!("{bytes:?}"),
        },
    }
}

/// The steps of control, without the events of the trace.
fn steps(told: &[(JET_SNP, JET_SNT, String)]) -> Vec<&str> {
    let of_control = told.iter().filter(|(snp, ..)| *snp == JET_snpRecoveryControl);
    of_control.map(|(.., text)| text.as_str()).filter(|text| !text.starts_with("event")).collect()
}

#[test]
fn progress_goes_from_begin_to_complete() {
    let _mode = multi();
    let left = Left::with_rows(900);
    let (result, told) = watched(&left, 0, |_, _| None);
    assert_eq!(result.unwrap(), JetErr::Success);
    assert!(told.iter().all(|(snp, ..)| *snp == JET_snpRestore));
    let snts: Vec<_> = told.iter().map(|(_, snt, _)| *snt).collect();
    assert_eq!((snts[0], snts[snts.len() - 1]), (JET_sntBegin, JET_sntComplete));
    let inner = &told[1..told.len() - 1];
    assert!(inner.iter().all(|(_, snt, _)| *snt == JET_sntProgress));
    let parts: Vec<u32> = inner.iter().map(|(.., text)| text.parse().unwrap()).collect();
    assert!(parts.len() > 10 && parts.is_sorted(), "{parts:?}");
    assert_eq!(parts.last(), Some(&100));
}

#[test]
fn an_error_of_the_callback_ends_recovery() {
    let _mode = multi();
    let left = Left::with_rows(900);
    let (result, told) = watched(&left, 0, |_, status| match status {
        JET_INITSTATUS::Progress(progress) if progress.cunitDone > 40 => Some(JetErr::DiskIO),
        _ => None,
    });
    assert_eq!(result.unwrap_err().code(), JetErr::DiskIO);
    assert_eq!(told.last().unwrap().1, JET_sntFail);
    left.is_complete();
}

#[test]
fn the_steps_of_a_crashed_log_come_in_order() {
    let _mode = multi();
    let left = Left::with_rows(200);
    assert_eq!(left.current(), 3);
    let (result, told) = watched(&left, JET_bitExternalRecoveryControl, |_, _| None);
    assert_eq!(result.unwrap(), JetErr::Success);
    assert_eq!(
        steps(&told),
        [
            "open 1 0 current",
            "checkpoint",
            "open 2 1 archive",
            "attached",
            "open 2 2 archive",
            "open 2 3 archive",
            "missing 3 3 archive",
            "open 2 3 current",
            "undo of 1",
            "open 3 3 current",
            "detaching",
        ]
    );
    left.is_complete();
}

#[test]
fn the_steps_without_a_current_log_and_without_any() {
    let _mode = multi();
    let left = Left::with_rows(200);
    fs::remove_file(left.file("edb.log")).unwrap();
    left.require_only(2);
    let (result, told) = watched(&left, JET_bitExternalRecoveryControl, |_, _| None);
    assert_eq!(result.unwrap_err().code(), JetErr::MissingLogFile);
    let begin = ["open 1 0 current", "open 1 2 archive", "missing 2 3 current"];
    assert_eq!(steps(&told), begin);
    // Success goes on with what there is, here only redo.
    let grbit = JET_bitExternalRecoveryControl | JET_bitReplayIgnoreLostLogs;
    let (result, told) = watched(&left, grbit, |snt, _| match snt {
        snt if snt == JET_sntMissingLog => Some(JetErr::Success),
        snt if snt == JET_sntBeginUndo => Some(JetErr::RecoveredWithoutUndo),
        _ => None,
    });
    assert_eq!(result.unwrap_err().code(), JetErr::RecoveredWithoutUndo);
    let rest = [
        "checkpoint",
        "open 2 1 archive",
        "CommittedLogFilesMissing",
        "attached",
        "open 2 2 archive",
        "open 2 3 archive",
        "missing 3 3 archive",
        "open 2 3 current",
        "missing 4 3 current",
        "undo of 1",
        "detaching",
    ];
    assert_eq!(steps(&told)[3..], rest);
    let dir = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let empty = Left { dir, rows: 0 };
    let (result, told) = watched(&empty, JET_bitExternalRecoveryControl, |_, _| None);
    assert_eq!(result.unwrap(), JetErr::Success);
    let new = ["open 1 0 current", "missing 2 0 current", "missing 5 0 archive"];
    assert_eq!(steps(&told), new);
}

#[test]
fn undo_can_be_refused_at_the_last_moment() {
    let _mode = multi();
    let left = Left::with_rows(100);
    let (result, _) = watched(&left, JET_bitExternalRecoveryControl, |snt, _| {
        (snt == JET_sntBeginUndo).then_some(JetErr::RecoveredWithoutUndo)
    });
    assert_eq!(result.unwrap_err().code(), JetErr::RecoveredWithoutUndo);
    assert_eq!(left.header().state(), ese_pages::DbState::DirtyShutdown);
    left.is_complete();
}

#[test]
fn a_gap_in_the_log_is_told_of_and_stays_an_error() {
    let _mode = multi();
    let left = Left::with_rows(900);
    fs::remove_file(left.archive(2)).unwrap();
    let (result, told) = watched(&left, JET_bitExternalRecoveryControl, |snt, _| {
        (snt == JET_sntMissingLog).then_some(JetErr::Success)
    });
    assert_eq!(result.unwrap_err().code(), JetErr::MissingLogFile);
    assert_eq!(steps(&told).last(), Some(&"missing 1 2 archive"));
}
