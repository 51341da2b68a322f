//! What kind an error is, and what a thread has done.

use crate::pets::*;

/// The engine's source: the widest kind first, the rest unknown; whatever is wrong is a parameter.
#[test]
fn an_error_has_a_kind_that_is_one_of_wider_kinds() {
    let level = JET_ErrorInfoSpecificErr;
    let kinds = |error: JetErr| {
        let info = JetGetErrorInfoW(Some(error as i32), level, 0).unwrap();
        assert_eq!(info.errValue, error as i32);
        let kinds = info.rgCategoricalHierarchy;
        let len = kinds.iter().position(|kind| *kind == JET_errcatUnknown).unwrap();
        assert_eq!(kinds[..len].last(), Some(&info.errcatMostSpecific));
        kinds[..len].to_vec()
    };
    let [error, api] = [JET_errcatError, JET_errcatApi];
    assert_eq!(kinds(JetErr::KeyDuplicate), [error, api, JET_errcatState]);
    assert_eq!(kinds(JetErr::InvalidGrbit), [error, api, JET_errcatUsage]);
    let full = [error, JET_errcatOperation, JET_errcatResource, JET_errcatDisk];
    assert_eq!(kinds(JetErr::DiskFull), full);
    let damage = [error, JET_errcatData, JET_errcatCorruption];
    assert_eq!(kinds(JetErr::ReadVerifyFailure), damage);
    for (context, level, grbit) in [
        (None, level, 0),
        (Some(-1605), 0, 0),
        (Some(-1605), 2, 0),
        (Some(-1605), level, 1),
        (Some(-9_999_999), level, 0),
    ] {
        let refused = JetGetErrorInfoW(context, level, grbit);
        assert_eq!(code(refused), JetErr::InvalidParameter, "{context:?} {level} {grbit}");
    }
}

#[test]
fn a_thread_is_told_what_its_calls_have_cost() {
    let _mode = multi();
    let pets = pets();
    let before = JetGetThreadStats();
    pets.insert(40, "owl", None).unwrap();
    let after = JetGetThreadStats();
    assert!(after.cLogRecord > before.cLogRecord + 2, "begin, insert, entries, commit");
    assert!(after.cbLogRecord > before.cbLogRecord + 50);
    assert!(after.cPageReferenced > before.cPageReferenced);
    let changed = |stats: JET_THREADSTATS| stats.cPageDirtied + stats.cPageRedirtied;
    assert!(changed(after) > changed(before));
    pets.seek_id(40, JET_bitSeekEQ).unwrap();
    let read = JetGetThreadStats();
    assert!(read.cPageReferenced > after.cPageReferenced);
    assert_eq!((read.cLogRecord, changed(read)), (after.cLogRecord, changed(after)));
    let elsewhere = std::thread::scope(|scope| scope.spawn(JetGetThreadStats).join().unwrap());
    assert_eq!(elsewhere, JET_THREADSTATS::default());
}
