//! Section 5: what of transactions cursors show.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
        mpsc::channel,
    },
    time::Duration,
};

use crate::pets::*;

#[test]
fn s5_04_conflicts_show_at_once_and_inserts_call_them_duplicates() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    JetBeginTransaction(pets.ses).unwrap();
    JetBeginTransaction(other).unwrap();
    pets.seek_id(3, JET_bitSeekEQ).unwrap();
    JetDelete(pets.ses, pets.cur).unwrap();
    JetMove(other, theirs, 2, 0).unwrap();
    assert_eq!(id_at(other, theirs, pets.id).unwrap(), 3);
    assert_eq!(code(JetDelete(other, theirs)), JetErr::WriteConflict);
    pets.insert(4, "eel", Some(99)).unwrap();
    let insert = |id: i32, age: i32| {
        JetPrepareUpdate(other, theirs, JET_prepInsert).unwrap();
        JetSetColumn(other, theirs, pets.id, Some(&id.to_le_bytes()), 0, None).unwrap();
        JetSetColumn(other, theirs, pets.age, Some(&age.to_le_bytes()), 0, None).unwrap();
        let updated = JetUpdate(other, theirs);
        if updated.is_err() {
            JetPrepareUpdate(other, theirs, JET_prepCancel).unwrap();
        }
        updated
    };
    for id in [3, 4] {
        assert_eq!(code(insert(id, 1)), JetErr::KeyDuplicate, "{id}: a row it cannot see");
    }
    assert_eq!(code(insert(7, 99)), JetErr::KeyDuplicate, "an entry it cannot see");
    insert(7, 98).unwrap();
    JetCommitTransaction(pets.ses, 0).unwrap();
    assert_eq!(code(insert(4, 1)), JetErr::KeyDuplicate, "committed behind the snapshot");
    JetRollback(other, 0).unwrap();
}

#[test]
fn s5_05_a_conflict_leaves_the_transaction_usable() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    JetBeginTransaction(pets.ses).unwrap();
    JetDelete(pets.ses, pets.cur).unwrap();
    JetBeginTransaction(other).unwrap();
    assert_eq!(code(JetDelete(other, theirs)), JetErr::WriteConflict);
    JetMove(other, theirs, 1, 0).unwrap();
    JetDelete(other, theirs).unwrap();
    JetCommitTransaction(other, 0).unwrap();
    JetCommitTransaction(pets.ses, 0).unwrap();
    pets.go(JET_MoveFirst).unwrap();
    assert_eq!(pets.rest(), [3, 5, 6, 8]);
}

#[test]
fn s5_06_a_prepared_update_survives_the_commit() {
    let _mode = multi();
    let pets = pets();
    JetBeginTransaction(pets.ses).unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.name, b"asp").unwrap();
    JetCommitTransaction(pets.ses, 0).unwrap();
    pets.update().unwrap();
    assert_eq!(pets.get(pets.name, 0).unwrap(), Some(b"asp".to_vec()));
}

#[test]
fn s5_06_a_prepared_update_with_values_outside_of_its_row_ends_before_the_commit() {
    let _mode = multi();
    let row = crate::wide::wide();
    row.new_row();
    row.set("memo", Some(&[7; 50_000]), 0).unwrap();
    assert_eq!(code(JetCommitTransaction(row.ses, 0)), JetErr::AlreadyPrepared);
    assert_eq!(row.copy("memo").unwrap().len(), 50_000, "nothing has ended");
    row.keep();
    assert_eq!(row.get("memo").unwrap(), [7; 50_000]);
}

/// The reference page of JetRollback has the closing of cursors and nothing of currency; in the
/// engine's source a rollback touches only cursors that were opened in the level, so others stand
/// where they stood. What auto-increments have given out stays given out (11.1).
#[test]
fn s5_07_a_rollback_cancels_closes_and_leaves_other_cursors_where_they_are() {
    let _mode = multi();
    let pets = pets();
    JetBeginTransaction(pets.ses).unwrap();
    let inner = pets.reopen();
    let bookmark = pets.insert(4, "eel", None).unwrap();
    JetGotoBookmark(pets.ses, pets.cur, &bookmark).unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    JetRollback(pets.ses, 0).unwrap();
    assert_eq!(code(JetMove(pets.ses, inner, 0, 0)), JetErr::InvalidTableId);
    assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared);
    assert_eq!(code(pets.at()), JetErr::RecordDeleted, "on a row that has vanished");
    assert_eq!(pets.to(JET_MoveNext), Ok(5));
}

#[test]
fn s5_07_a_rollback_leaves_nothing_of_an_index_that_was_made_and_deleted() {
    let _mode = multi();
    let pets = pets();
    let (other, _) = pets.other();
    // As long as it reads, nothing of the past is cleaned up.
    JetBeginTransaction(other).unwrap();
    JetBeginTransaction(pets.ses).unwrap();
    pets.seek_id(3, JET_bitSeekEQ).unwrap();
    JetDelete(pets.ses, pets.cur).unwrap();
    JetCreateIndex(pets.ses, pets.cur, "x", 0, "+data\0\0", 80).unwrap();
    JetDeleteIndex(pets.ses, pets.cur, "x").unwrap();
    JetRollback(pets.ses, 0).unwrap();
    pets.seek_id(3, JET_bitSeekEQ).unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.name, b"now").unwrap();
    pets.update().unwrap();
    pets.seek_id(3, JET_bitSeekEQ).unwrap();
    JetDelete(pets.ses, pets.cur).unwrap();
    JetCommitTransaction(other, 0).unwrap();
}

#[test]
fn s5_09_a_read_only_transaction_refuses_changes() {
    let _mode = multi();
    let pets = pets();
    JetBeginTransaction2(pets.ses, JET_bitTransactionReadOnly).unwrap();
    assert_eq!(code(pets.prepare(JET_prepReplace)), JetErr::TransReadOnly);
    assert_eq!(code(JetDelete(pets.ses, pets.cur)), JetErr::TransReadOnly);
    let locked = JetGetLock(pets.ses, pets.cur, JET_bitWriteLock);
    assert_eq!(code(locked), JetErr::TransReadOnly);
    assert_eq!(pets.at().unwrap(), 1);
    JetCommitTransaction(pets.ses, 0).unwrap();
}

#[test]
fn s5_11_locks_hold_until_the_transaction_ends() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    let lock = |grbit| JetGetLock(pets.ses, pets.cur, grbit);
    let their_lock = |grbit| JetGetLock(other, theirs, grbit);
    assert_eq!(code(lock(JET_bitWriteLock)), JetErr::NotInTransaction);
    for (mine, reading) in [(JET_bitReadLock, true), (JET_bitWriteLock, false)] {
        JetBeginTransaction(pets.ses).unwrap();
        JetBeginTransaction(other).unwrap();
        lock(mine).unwrap();
        lock(mine).unwrap();
        assert_eq!(their_lock(JET_bitReadLock).is_ok(), reading, "readers share");
        assert_eq!(code(their_lock(JET_bitWriteLock)), JetErr::WriteConflict);
        assert_eq!(code(JetDelete(other, theirs)), JetErr::WriteConflict);
        assert_eq!(id_at(other, theirs, pets.id).unwrap(), 1, "reading needs no lock");
        if reading {
            assert_eq!(code(lock(JET_bitWriteLock)), JetErr::WriteConflict, "theirs holds too");
        }
        JetRollback(other, 0).unwrap();
        // A level that is taken back gives its locks up.
        JetBeginTransaction(pets.ses).unwrap();
        lock(JET_bitWriteLock).unwrap();
        JetRollback(pets.ses, 0).unwrap();
        JetCommitTransaction(pets.ses, 0).unwrap();
        JetBeginTransaction(other).unwrap();
        their_lock(JET_bitWriteLock).unwrap();
        JetRollback(other, 0).unwrap();
    }
    pets.go(-1).unwrap_err();
    JetBeginTransaction(pets.ses).unwrap();
    assert_eq!(code(lock(JET_bitReadLock)), JetErr::NoCurrentRecord);
    JetRollback(pets.ses, 0).unwrap();
}

/// Two transactions that each read what the other changes: with read locks one of them fails.
#[test]
fn s5_11_read_locks_prevent_write_skew() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    JetBeginTransaction(pets.ses).unwrap();
    JetBeginTransaction(other).unwrap();
    JetGetLock(pets.ses, pets.cur, JET_bitReadLock).unwrap();
    JetMove(other, theirs, 1, 0).unwrap();
    JetGetLock(other, theirs, JET_bitReadLock).unwrap();
    pets.go(1).unwrap();
    assert_eq!(code(JetDelete(pets.ses, pets.cur)), JetErr::WriteConflict);
    JetMove(other, theirs, -1, 0).unwrap();
    assert_eq!(code(JetDelete(other, theirs)), JetErr::WriteConflict);
    JetRollback(pets.ses, 0).unwrap();
    JetDelete(other, theirs).unwrap();
    JetCommitTransaction(other, 0).unwrap();
}

#[test]
fn s5_01_seven_levels_are_for_callers() {
    let _mode = multi();
    let pets = pets();
    for _ in 0..7 {
        JetBeginTransaction(pets.ses).unwrap();
    }
    assert_eq!(code(JetBeginTransaction(pets.ses)), JetErr::TransTooDeep);
    pets.insert(20, "inside", None).unwrap();
    JetDelete(pets.ses, pets.cur).unwrap();
    let deepest = JetGetDatabaseInfo(pets.ses, pets.live.dbid, JET_DbInfoTransactions);
    assert!(matches!(deepest, Ok(JET_DBINFO::Number(7))));
    JetRollback(pets.ses, JET_bitRollbackAll).unwrap();
    assert_eq!(code(JetRollback(pets.ses, 0)), JetErr::NotInTransaction);
}

/// The reference page of JetBeginTransaction has the snapshot at the start of the transaction; the
/// engine's source takes its number at the outermost begin, not at the first use, and inner levels
/// keep it.
#[test]
fn s5_02_all_levels_share_the_snapshot_and_the_outermost_commit_shows() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    JetBeginTransaction(other).unwrap();
    JetBeginTransaction(pets.ses).unwrap();
    JetBeginTransaction(pets.ses).unwrap();
    pets.insert(4, "eel", None).unwrap();
    JetCommitTransaction(pets.ses, 0).unwrap();
    let theirs_see = |id: i32| {
        JetMakeKey(other, theirs, Some(&id.to_le_bytes()), JET_bitNewKey).unwrap();
        JetSeek(other, theirs, JET_bitSeekEQ).is_ok()
    };
    assert!(!theirs_see(4));
    JetCommitTransaction(pets.ses, 0).unwrap();
    JetBeginTransaction(other).unwrap();
    assert!(!theirs_see(4), "an inner level has the old snapshot");
    JetRollback(other, JET_bitRollbackAll).unwrap();
    assert!(theirs_see(4));
    // The begin alone counts: nobody has looked yet when the row comes.
    JetBeginTransaction(other).unwrap();
    pets.insert(7, "fox", None).unwrap();
    assert!(!theirs_see(7));
    JetRollback(other, 0).unwrap();
}

#[test]
fn s5_03_outside_a_transaction_each_call_sees_what_there_is_by_then() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    pets.go(1).unwrap();
    assert_eq!(pets.at().unwrap(), 2);
    JetMove(other, theirs, 1, 0).unwrap();
    JetDelete(other, theirs).unwrap();
    assert_eq!(code(pets.at()), JetErr::RecordDeleted);
}

#[test]
fn s5_08_waiting_is_legal_in_a_transaction_and_outside_and_leaves_its_level() {
    let _mode = multi();
    let pets = pets();
    assert_eq!(code(JetCommitTransaction(pets.ses, 0)), JetErr::NotInTransaction);
    JetCommitTransaction(pets.ses, JET_bitWaitLastLevel0Commit).unwrap();
    JetCommitTransaction(pets.ses, JET_bitWaitAllLevel0Commit).unwrap();
    JetBeginTransaction(pets.ses).unwrap();
    // The reference page lets both be used at any level, alone.
    for wait in [JET_bitWaitLastLevel0Commit, JET_bitWaitAllLevel0Commit] {
        JetCommitTransaction(pets.ses, wait).unwrap();
        let both = JetCommitTransaction(pets.ses, wait | JET_bitCommitLazyFlush);
        assert_eq!(code(both), JetErr::InvalidGrbit);
    }
    JetCommitTransaction(pets.ses, JET_bitCommitLazyFlush).unwrap();
    assert_eq!(code(JetCommitTransaction(pets.ses, 0)), JetErr::NotInTransaction);
}

#[test]
fn s5_08_a_new_log_is_begun_and_nothing_committed() {
    let _mode = multi();
    let pets = pets();
    let generations = || {
        let names =
            std::fs::read_dir(pets.live.dir.path()).unwrap().map(|e| e.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("edb000")).count()
    };
    let before = generations();
    JetCommitTransaction(pets.ses, JET_bitForceNewLog).unwrap();
    assert_eq!(generations(), before + 1, "outside a transaction");
    JetBeginTransaction(pets.ses).unwrap();
    JetCommitTransaction(pets.ses, JET_bitForceNewLog).unwrap();
    assert_eq!(generations(), before + 2);
    let more = JetCommitTransaction(pets.ses, JET_bitForceNewLog | JET_bitCommitLazyFlush);
    assert_eq!(code(more), JetErr::InvalidGrbit);
    JetRollback(pets.ses, 0).unwrap();
    assert_eq!(code(JetRollback(pets.ses, 0)), JetErr::NotInTransaction, "one level was open");
}

#[test]
fn s5_08_sessions_begin_with_the_default_of_their_instance() {
    let _mode = multi();
    let pets = pets();
    let inst = pets.live.inst;
    let lazily = |sesid| {
        JetBeginTransaction(sesid).unwrap();
        // Only lazy commits have a delay.
        let done = JetCommitTransaction2(sesid, 0, 1000);
        if done.is_err() {
            JetRollback(sesid, 0).unwrap();
        }
        done.map(drop)
    };
    let before = JetBeginSession(inst).unwrap();
    let lazy = u64::from(JET_bitCommitLazyFlush);
    JetSetSystemParameter(Some(inst), JET_SESID::NIL, JET_paramCommitDefault, lazy, None).unwrap();
    let after = JetBeginSession(inst).unwrap();
    assert_eq!(code(lazily(before)), JetErr::InvalidParameter);
    lazily(after).unwrap();
}

#[test]
fn s5_10_commit_ids_rise_and_name_the_log() {
    let _mode = multi();
    let (tell, told) = channel();
    let callback = JET_DURABLECOMMIT::new(0, move |_, id| tell.send(*id).unwrap_or_default());
    let live = Live::with(|inst| {
        set_durable_commit_callback(Some(inst), JET_SESID::NIL, Some(callback)).unwrap();
    });
    let pets = pets_in(live);
    let commit = |delay| {
        JetBeginTransaction(pets.ses).unwrap();
        pets.prepare(JET_prepReplace).unwrap();
        pets.set(pets.name, b"x").unwrap();
        pets.update().unwrap();
        let grbit = if delay > 0 { JET_bitCommitLazyFlush } else { 0 };
        JetCommitTransaction2(pets.ses, grbit, delay).unwrap()
    };
    let (first, second) = (commit(0), commit(1000));
    assert_eq!(first.signLog, second.signLog);
    assert!(first.commitId < second.commitId, "{first:?} {second:?}");
    // Nobody waits for the second one and nothing comes behind it: it is told all the same.
    let far = |told: JET_COMMIT_ID| told.commitId > second.commitId;
    while !told.recv_timeout(Duration::from_secs(60)).is_ok_and(far) {}
    JetBeginTransaction2(pets.ses, JET_bitTransactionReadOnly).unwrap();
    let reading = JetCommitTransaction2(pets.ses, 0, 0);
    assert_eq!(code(reading), JetErr::FeatureNotAvailable);
    JetRollback(pets.ses, 0).unwrap();
}

/// In ESE the function is called before those are woken who wait for the log, so a program may look
/// at what it was told as soon as its commit has returned.
#[test]
fn s5_10_the_program_is_told_of_a_commit_before_it_returns() {
    let _mode = multi();
    let told = Arc::new(AtomicI64::new(0));
    let callback = {
        let told = Arc::clone(&told);
        JET_DURABLECOMMIT::new(0, move |_, id| {
            std::thread::park_timeout(Duration::from_millis(30));
            told.store(id.commitId, Ordering::SeqCst);
        })
    };
    let live = Live::with(|inst| {
        set_durable_commit_callback(Some(inst), JET_SESID::NIL, Some(callback)).unwrap();
    });
    let pets = pets_in(live);
    for waits in [0, JET_bitWaitLastLevel0Commit, JET_bitWaitAllLevel0Commit] {
        JetBeginTransaction(pets.ses).unwrap();
        pets.prepare(JET_prepReplace).unwrap();
        pets.set(pets.name, b"x").unwrap();
        pets.update().unwrap();
        let lazy = if waits == 0 { 0 } else { JET_bitCommitLazyFlush };
        let id = JetCommitTransaction2(pets.ses, lazy, 0).unwrap();
        if waits != 0 {
            JetCommitTransaction(pets.ses, waits).unwrap();
        }
        assert!(id.commitId < told.load(Ordering::SeqCst), "{waits:#x}");
    }
}

#[test]
fn s5_10_who_is_told_of_commits_may_commit() {
    let _mode = multi();
    let (tell, told) = channel();
    // Once: each of its commits is one that it is told of.
    let first = AtomicBool::new(true);
    let callback = JET_DURABLECOMMIT::new(0, move |inst, _| {
        if !first.swap(false, Ordering::SeqCst) {
            return;
        }
        let ses = JetBeginSession(inst).unwrap();
        JetBeginTransaction(ses).unwrap();
        JetCommitTransaction(ses, 0).unwrap();
        JetCommitTransaction(ses, JET_bitForceNewLog).unwrap();
        JetEndSession(ses, 0).unwrap();
        tell.send(()).unwrap();
    });
    let live = Live::with(|inst| {
        set_durable_commit_callback(Some(inst), JET_SESID::NIL, Some(callback)).unwrap();
    });
    let pets = pets_in(live);
    JetBeginTransaction(pets.ses).unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.name, b"x").unwrap();
    pets.update().unwrap();
    JetCommitTransaction(pets.ses, 0).unwrap();
    told.recv_timeout(Duration::from_secs(60)).unwrap();
}
