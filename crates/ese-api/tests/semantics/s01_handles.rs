//! Section 1: handles, and which check comes first.

use crate::pets::*;

#[test]
fn s1_01_the_session_is_looked_at_before_the_cursor_and_both_before_their_match() {
    let _mode = multi();
    let pets = pets();
    let (other, theirs) = pets.other();
    let go = |ses, cur| code(JetGetLock(ses, cur, 0x80));
    for bad in [0, u64::MAX, 77] {
        let bad_cursor = JET_TABLEID(bad);
        assert_eq!(go(JET_SESID(bad), bad_cursor), JetErr::InvalidSesid);
        assert_eq!(go(pets.ses, bad_cursor), JetErr::InvalidTableId);
    }
    assert_eq!(go(pets.ses, theirs), JetErr::SesidTableIdMismatch);
    assert_eq!(go(other, theirs), JetErr::InvalidGrbit, "flags come last");
}

#[test]
fn s1_03_flags_are_looked_at_before_the_state_and_a_seek_wants_its_direction_first() {
    let _mode = multi();
    let pets = pets();
    pets.go(-1).unwrap_err();
    let (ses, cur) = (pets.ses, pets.cur);
    assert_eq!(code(JetSeek(ses, cur, 0)), JetErr::InvalidParameter, "no key is made either");
    assert_eq!(code(JetGetLock(ses, cur, 0)), JetErr::InvalidGrbit);
    assert_eq!(code(JetSetIndexRange(ses, cur, 0x40)), JetErr::InvalidGrbit);
}

#[test]
fn s1_08_what_flags_are_refused_and_what_are_ignored() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur) = (pets.ses, pets.cur);
    JetBeginTransaction(ses).unwrap();
    for lock in [0, JET_bitReadLock | JET_bitWriteLock] {
        assert_eq!(code(JetGetLock(ses, cur, lock)), JetErr::InvalidGrbit);
    }
    // The lock of a key is one of something else.
    assert_eq!(code(JetGetLock(ses, cur, JET_bitReadLock | 0x4)), JetErr::InvalidGrbit);
    JetGetLock(ses, cur, JET_bitReadLock | 0x100).unwrap();
    JetRollback(ses, 0x10).unwrap();
    assert_eq!(code(JetPrereadKeys(ses, cur, &[], 0)), JetErr::InvalidGrbit);
    JetBeginTransaction2(ses, 0xfff0).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    JetDupCursor(ses, cur, 0xffff).unwrap();
    JetOpenTable(ses, pets.live.dbid, "pets", JET_bitTablePreread | JET_bitTableNoCache).unwrap();
    // Where a call knows few flags, the others have no meaning.
    JetMove(ses, cur, JET_MoveFirst, 0xff00).unwrap();
    JetMakeKey(ses, cur, Some(&1_i32.to_le_bytes()), JET_bitNewKey | 0x8000).unwrap();
    JetSeek(ses, cur, JET_bitSeekEQ | 0x800).unwrap();
    JetRetrieveKey(ses, cur, 0x40).unwrap();
    JetGetRecordPosition(ses, cur, 1).unwrap();
    let read = |grbit| JetRetrieveColumn(ses, cur, pets.name, grbit, None);
    assert_eq!(read(0x0f00_0000).unwrap(), read(0).unwrap());
    JetBeginTransaction(ses).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
    JetSetColumn(ses, cur, pets.name, Some(b"Rex"), 0x0080_0000, None).unwrap();
    for internal in [0x1000_0000, 0x8000_0000] {
        assert_eq!(code(read(internal)), JetErr::InvalidGrbit);
        let set = JetSetColumn(ses, cur, pets.name, Some(b"Rex"), internal, None);
        assert_eq!(code(set), JetErr::InvalidGrbit);
    }
    JetRollback(ses, 0).unwrap();
}

#[test]
fn s1_02_the_gate_names_the_stop_before_the_state_of_the_instance() {
    let _mode = multi();
    let pets = pets();
    let (ses, instance) = (pets.ses, pets.live.inst);
    JetBeginTransaction(ses).unwrap();
    let foreign = std::thread::scope(|scope| scope.spawn(|| pets.go(0)).join().unwrap());
    assert_eq!(code(foreign), JetErr::SessionSharingViolation);
    JetStopServiceInstance(instance).unwrap();
    let foreign = std::thread::scope(|scope| scope.spawn(|| pets.go(0)).join().unwrap());
    assert_eq!(code(foreign), JetErr::ClientRequestToStopJetService, "before the session");
    assert_eq!(code(JetMove(JET_SESID(77), pets.cur, 0, 0)), JetErr::InvalidSesid, "handles first");
    JetRollback(ses, 0).unwrap();
    let made = JetCreateInstance("s1_02").unwrap();
    assert_eq!(code(JetBeginSession(made)), JetErr::NotInitialized);
    JetTerm(made).unwrap();
}

#[test]
fn s1_06_a_warning_is_part_of_a_success() {
    let _mode = multi();
    let pets = pets();
    let path = pets.live.path();
    let path = path.to_str().unwrap();
    assert_eq!(JetAttachDatabase(pets.ses, path, 0).unwrap(), JetErr::WrnDatabaseAttached);
    pets.prepare(JET_prepInsert).unwrap();
    let long = pets.set(pets.name, &[b'x'; 300]).unwrap();
    assert_eq!(long, JetErr::WrnColumnMaxTruncated);
    pets.prepare(JET_prepCancel).unwrap();
    let near = pets.seek_id(4, JET_bitSeekGE).unwrap();
    assert_eq!((near, pets.at().unwrap()), (JetErr::WrnSeekNotEqual, 5));
}
