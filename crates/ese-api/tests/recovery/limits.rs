//! Stopping early (3.6), and what is removed after a recovery.

use std::fs;

use ese_api::{Env, JetErr, LgPos, LogTime, RecoveryOptions, RedoEnd, jet::*, recover_by};
use ese_base::Generation;

use crate::{
    jet_setup::multi,
    left::{Left, Try},
};

fn stop(pos: LgPos) -> Try<'static> {
    let info = JET_RSTINFO { lgposStop: pos, ..JET_RSTINFO::default() };
    Try { info: Some(info), ..Try::default() }
}

fn at(generation: u32, isec: u16) -> LgPos {
    LgPos { generation: Generation(generation), isec, ib: 0 }
}

#[test]
fn redo_stops_before_a_position_and_goes_on_later() {
    let _mode = multi();
    let left = Left::with_rows(1500);
    let last = left.current();
    assert!(last > 4);
    let log = fs::read(left.file("edb.log")).unwrap();
    for pos in [at(2, 3), at(2, 9), at(3, 1), at(4, 7), at(last, 2), at(last + 3, 1)] {
        assert_eq!(stop(pos).refused(left.path()), JetErr::RecoveredWithoutUndo, "{pos}");
        assert_eq!(left.header().state(), ese_pages::DbState::DirtyShutdown);
    }
    assert_eq!(fs::read(left.file("edb.log")).unwrap(), log, "the rest of the log stays");
    // Logs that it does not come to may be missing, or be there by half.
    let part = left.fork();
    fs::remove_file(part.file("edb.log")).unwrap();
    fs::write(part.archive(4), b"being copied").unwrap();
    assert_eq!(stop(at(3, 5)).refused(part.path()), JetErr::RecoveredWithoutUndo);
    // The highest position stops nothing, as no position does.
    assert_eq!(stop(LgPos::MAX).run(left.path()).unwrap(), JetErr::Success);
    left.is_complete();
}

#[test]
fn what_cannot_be_stopped_at() {
    let _mode = multi();
    let left = Left::with_rows(20);
    assert_eq!(stop(at(0, 5)).refused(left.path()), JetErr::InvalidParameter);
    for id in [JET_paramDeleteOldLogs, JET_paramDeleteOutOfRangeLogs] {
        let refused = stop(at(1, 5)).with(id, 1).refused(left.path());
        assert_eq!(refused, JetErr::InvalidParameter);
    }
    let time = LogTime::from_unix_ms(1_000_000_000_000);
    let info = Some(JET_RSTINFO { logtimeStop: time, ..JET_RSTINFO::default() });
    let refused = Try { info, ..Try::default() }.refused(left.path());
    assert_eq!(refused, JetErr::InvalidParameter);
    left.is_complete();
}

#[test]
fn a_log_can_be_cut_where_no_database_holds_more() {
    let _mode = multi();
    let left = Left::with_rows(1500);
    let cut = |left: &Left, end| {
        let options = RecoveryOptions { until: Some(end), ..RecoveryOptions::default() };
        recover_by(&Env::real(), left.path(), options)
    };
    let refused = cut(&left, RedoEnd::CutAt(at(3, 5))).unwrap_err();
    assert_eq!(refused.code(), JetErr::RequiredLogFilesMissing, "{refused}");
    let last = left.current();
    // As a copy from before those logs would be.
    left.require_only(2);
    left.edit_header(|header| header.gen_max_committed = 2.into());
    let mut found = 0;
    for pos in [at(3, 1), at(3, 5), at(4, 2), at(last, 2)] {
        let left = left.fork();
        fs::remove_file(left.file("a.edb.dbl")).ok();
        let report = cut(&left, RedoEnd::CutAt(pos)).unwrap();
        assert!(report.to >= pos && report.removed_logs == 0, "{report:?}");
        assert_eq!(left.header().state(), ese_pages::DbState::CleanShutdown);
        assert!(left.current() <= pos.generation.0 + 1);
        left.is_a_prefix();
        let rows = left.rows_now().len();
        assert!(rows > found, "{pos}: {rows} after {found}");
        found = rows;
    }
    let times = left.fork();
    cut(&times, RedoEnd::CutAfter(LogTime::from_unix_ms(4_000_000_000_000))).unwrap();
    times.is_complete();
}

#[test]
fn finished_logs_are_removed_after_a_recovery_on_request() {
    let _mode = multi();
    let left = Left::with_rows(900);
    let truncate = JET_bitTruncateLogsAfterRecovery;
    let redo_only = Try::flags(truncate | JET_bitRecoveryWithoutUndo);
    assert_eq!(redo_only.refused(left.path()), JetErr::RecoveredWithoutUndo);
    assert!(left.archive(1).exists(), "they are needed still");
    assert_eq!(Try::flags(truncate).run(left.path()).unwrap(), JetErr::Success);
    let current = left.current();
    assert!((1..current).all(|generation| !left.archive(generation).exists()));
    left.is_complete();
}
