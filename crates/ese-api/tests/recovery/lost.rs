//! Lost and damaged logs (3.5).

use std::fs;

use ese_api::{JetErr, jet::*};

use crate::{
    jet_setup::multi,
    left::{Left, Try, damage, edit_log},
};

/// Logs above the second hold nothing but commits.
fn with_spare_logs() -> Left {
    let left = Left::with_rows(1500);
    assert!(left.current() > 5);
    left.require_only(2);
    left
}

fn lose() -> Try<'static> {
    Try::flags(JET_bitReplayIgnoreLostLogs)
}

fn lose_out_of_range() -> Try<'static> {
    lose().with(JET_paramDeleteOutOfRangeLogs, 1)
}

#[test]
fn commits_behind_the_end_of_the_log_are_lost_only_with_leave() {
    let _mode = multi();
    let left = Left::with_rows(20);
    let last = left.current();
    left.edit_header(|header| header.gen_max_committed = (last + 1).into());
    assert_eq!(Try::default().refused(left.path()), JetErr::CommittedLogFilesMissing);
    let quiet = Try::flags(JET_bitReplayIgnoreLostLogs | JET_bitSkipLostLogsEvent);
    assert_eq!(quiet.run(left.path()).unwrap(), JetErr::WrnCommittedLogFilesLost);
    assert_eq!(lose().run(left.path()).unwrap(), JetErr::Success, "nothing more is lost");
    left.is_complete();
}

#[test]
fn a_damaged_log_of_commits_alone() {
    let _mode = multi();
    let left = with_spare_logs();
    let whole = left.fork();
    damage(&left.archive(4), 5);
    assert_eq!(Try::default().refused(left.path()), JetErr::CommittedLogFileCorrupt);
    let also_header = left.fork();
    damage(&also_header.archive(4), 0);
    for left in [left, also_header] {
        assert_eq!(lose().run(left.path()).unwrap(), JetErr::WrnCommittedLogFilesRemoved);
        // It is where the log goes on.
        assert_eq!(left.current(), 4);
        assert!(!left.archive(5).exists());
        left.is_a_prefix();
    }
    assert_eq!(lose().run(whole.path()).unwrap(), JetErr::Success);
    whole.is_complete();
}

#[test]
fn the_current_log_may_be_the_damaged_one() {
    let _mode = multi();
    let left = with_spare_logs();
    let last = left.current();
    damage(&left.file("edb.log"), 0);
    assert_eq!(lose().run(left.path()).unwrap(), JetErr::WrnCommittedLogFilesRemoved);
    assert_eq!(left.current(), last);
    left.is_a_prefix();
}

#[test]
fn what_is_required_is_never_lost() {
    let _mode = multi();
    let left = with_spare_logs();
    damage(&left.archive(2), 5);
    assert_eq!(lose_out_of_range().refused(left.path()), JetErr::RequiredLogFilesMissing);
    assert!(left.archive(3).exists() && left.archive(2).exists());
}

#[test]
fn logs_behind_a_gap_or_out_of_sequence_go_only_by_a_parameter() {
    let _mode = multi();
    let gap = with_spare_logs();
    let (sequence, other) = (gap.fork(), gap.fork());
    fs::remove_file(gap.archive(4)).unwrap();
    edit_log(&sequence.archive(4), |header| header.previous_created.minute ^= 1);
    fs::copy(Left::with_rows(1500).archive(4), other.archive(4)).unwrap();
    for (left, refusal) in [
        (gap, JetErr::MissingLogFile),
        (sequence, JetErr::InvalidLogSequence),
        (other, JetErr::BadLogSignature),
    ] {
        assert_eq!(lose().refused(left.path()), refusal);
        let removed = lose_out_of_range().run(left.path()).unwrap();
        assert_eq!(removed, JetErr::WrnCommittedLogFilesRemoved);
        assert_eq!(left.current(), 4);
        left.is_a_prefix();
    }
}

/// A finished log with the number of the current one, or a later one: the first roll would meet it.
#[test]
fn logs_with_numbers_to_come_are_refused_or_removed() {
    let _mode = multi();
    let left = Left::with_rows(500);
    let last = left.current();
    for (from, to) in [(left.archive(2), last), (left.file("edb.log"), last), (left.archive(2), 90)]
    {
        let left = left.fork();
        let stray = left.archive(to);
        fs::copy(left.file(from.file_name().unwrap().to_str().unwrap()), &stray).unwrap();
        edit_log(&stray, |header| header.generation = ese_api::Generation(to));
        for refused in [Try::default(), lose(), lose_out_of_range()] {
            assert_eq!(refused.refused(left.path()), JetErr::InvalidLogSequence, "{to}");
        }
        assert!(stray.exists());
        let allowed = Try::default().with(JET_paramDeleteOutOfRangeLogs, 1);
        assert_eq!(allowed.run(left.path()).unwrap(), JetErr::Success);
        assert!(!stray.exists());
        left.is_complete();
    }
    // Of another stream it stays.
    let stray = left.archive(90);
    fs::copy(Left::with_rows(500).archive(2), &stray).unwrap();
    edit_log(&stray, |header| header.generation = ese_api::Generation(90));
    let allowed = || Try::default().with(JET_paramDeleteOutOfRangeLogs, 1);
    assert_eq!(allowed().refused(left.path()), JetErr::BadLogSignature);
    assert!(stray.exists());
    // What a database needs is not removed: here the current log is an older one.
    fs::remove_file(&stray).unwrap();
    fs::copy(left.archive(1), left.file("edb.log")).unwrap();
    assert_eq!(allowed().refused(left.path()), JetErr::RequiredLogFilesMissing);
    assert!(left.archive(2).exists());
}
