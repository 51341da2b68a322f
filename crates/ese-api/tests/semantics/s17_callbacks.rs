//! Section 17: callbacks and local storage; and what a callback may do (1.7).

use std::sync::{Arc, Mutex};

use ese_api::Error;

use crate::{jet_setup::alone, pets::*};

/// Notes what it is told.
fn noting() -> (JET_CALLBACK, Arc<Mutex<Vec<JET_CALLBACKINFO>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&notes);
    let callback = JET_CALLBACK::new(move |info| {
        to.lock().unwrap().push(*info);
        Ok(())
    });
    (callback, notes)
}

fn reasons(notes: &Mutex<Vec<JET_CALLBACKINFO>>) -> Vec<u32> {
    notes.lock().unwrap().drain(..).map(|info| info.cbtyp).collect()
}

const ALL: u32 = 0x7f;

/// Two statements of the reference pages differ from the list: a callback belongs to the table,
/// not to the cursor, and lasts as long as the instance has the table. The engine's source keeps
/// the newest first, does not version them, ignores what a callback after a change answers, and
/// takes a whole registration away whatever reasons are named.
#[test]
fn s17_01_callbacks_are_told_of_changes_and_can_refuse_them() {
    let _mode = multi();
    let pets = pets();
    let (ses, dbid) = (pets.ses, pets.live.dbid);
    let (callback, notes) = noting();
    let none = JetRegisterCallback(ses, pets.cur, 0, &callback);
    assert_eq!(code(none), JetErr::InvalidParameter);
    let handle = JetRegisterCallback(ses, pets.cur, ALL, &callback).unwrap();

    pets.insert(4, "eel", None).unwrap();
    let info = notes.lock().unwrap()[0];
    assert_eq!((info.sesid, info.dbid, info.tableid), (ses, dbid, pets.cur));
    assert_eq!(reasons(&notes), [JET_cbtypBeforeInsert, JET_cbtypAfterInsert]);
    pets.seek_id(4, JET_bitSeekEQ).unwrap();
    for prep in [JET_prepReplace, JET_prepReplaceNoLock] {
        pets.prepare(prep).unwrap();
        pets.set(pets.name, b"emu").unwrap();
        pets.update().unwrap();
        assert_eq!(reasons(&notes), [JET_cbtypBeforeReplace, JET_cbtypAfterReplace]);
    }
    JetBeginTransaction(ses).unwrap();
    pets.prepare(JET_prepInsertCopyDeleteOriginal).unwrap();
    pets.set(pets.id, &7_i32.to_le_bytes()).unwrap();
    pets.update().unwrap();
    let (before, after) = (
        [JET_cbtypBeforeDelete, JET_cbtypBeforeInsert],
        [JET_cbtypAfterDelete, JET_cbtypAfterInsert],
    );
    assert_eq!(reasons(&notes), [before, after].concat());
    JetCommitTransaction(ses, 0).unwrap();
    pets.seek_id(7, JET_bitSeekEQ).unwrap();
    JetDelete(ses, pets.cur).unwrap();
    assert_eq!(reasons(&notes), [JET_cbtypBeforeDelete, JET_cbtypAfterDelete]);
    assert_eq!(code(pets.update()), JetErr::UpdateNotPrepared);
    assert_eq!(reasons(&notes), [0_u32; 0], "nothing was to be changed");

    // Other sessions' changes are told too; a registration outlives its cursor.
    let (other, theirs) = pets.other();
    JetCloseTable(ses, pets.cur).unwrap();
    JetMove(other, theirs, JET_MoveLast, 0).unwrap();
    JetDelete(other, theirs).unwrap();
    assert_eq!(reasons(&notes), [JET_cbtypBeforeDelete, JET_cbtypAfterDelete]);
    JetUnregisterCallback(other, theirs, JET_cbtypAfterDelete, handle).unwrap();
    let again = JetUnregisterCallback(other, theirs, ALL, handle);
    assert_eq!(code(again), JetErr::InvalidParameter);
    JetMove(other, theirs, JET_MoveFirst, 0).unwrap();
    JetDelete(other, theirs).unwrap();
    assert_eq!(reasons(&notes), [0_u32; 0]);
}

#[test]
fn s17_01_an_error_before_a_change_refuses_it_and_one_after_it_does_not() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur) = (pets.ses, pets.cur);
    let say = |code: JetErr| {
        let name = pets.name;
        JET_CALLBACK::new(move |info| {
            let value = Some(&b"told"[..]);
            JetSetColumn(info.sesid, info.tableid, name, value, 0, None)?;
            Err(Error::new(code, "no"))
        })
    };
    let handle =
        JetRegisterCallback(ses, cur, JET_cbtypBeforeInsert, &say(JetErr::DisabledFunctionality))
            .unwrap();
    let (older, notes) = (handle, noting());
    pets.prepare(JET_prepInsert).unwrap();
    pets.fill(4, "eel", None).unwrap();
    assert_eq!(code(pets.update()), JetErr::DisabledFunctionality);
    assert_eq!(pets.get(pets.id, JET_bitRetrieveCopy).unwrap(), Some(vec![4, 0, 0, 0]), "stays");
    JetUnregisterCallback(ses, cur, JET_cbtypBeforeInsert, older).unwrap();
    let panics = JET_CALLBACK::new(|_| panic!("a bug of the caller's"));
    let handle = JetRegisterCallback(ses, cur, JET_cbtypBeforeInsert, &panics).unwrap();
    assert_eq!(code(pets.update()), JetErr::CallbackFailed);
    JetUnregisterCallback(ses, cur, JET_cbtypBeforeInsert, handle).unwrap();
    JetRegisterCallback(ses, cur, JET_cbtypAfterInsert, &notes.0).unwrap();
    let after = JET_CALLBACK::new(|_| Err(Error::new(JetErr::DisabledFunctionality, "too late")));
    JetRegisterCallback(ses, cur, JET_cbtypAfterInsert, &after).unwrap();
    let bookmark = pets.update().unwrap();
    JetGotoBookmark(ses, cur, &bookmark).unwrap();
    assert_eq!(pets.get(pets.name, 0).unwrap(), Some(b"told".to_vec()), "a callback set it");
    assert_eq!(reasons(&notes.1), [0_u32; 0], "the newest first, up to one that fails");
}

/// What a callback does belongs to the change: where that fails, all of it is taken back.
#[test]
fn s17_01_a_callback_that_changes_what_it_watches_is_ended() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur, dbid) = (pets.ses, pets.cur, pets.live.dbid);
    let id = pets.id;
    let again = JET_CALLBACK::new(move |info| {
        let table = JetOpenTable(info.sesid, dbid, "pets", 0)?;
        JetPrepareUpdate(info.sesid, table, JET_prepInsert)?;
        JetSetColumn(info.sesid, table, id, Some(&99_i32.to_le_bytes()), 0, None)?;
        let done = JetUpdate(info.sesid, table).map(|_| ());
        JetCloseTable(info.sesid, table)?;
        done
    });
    JetRegisterCallback(ses, cur, JET_cbtypBeforeInsert, &again).unwrap();
    assert_eq!(code(pets.insert(4, "eel", None)), JetErr::CallbackFailed);
    assert_eq!(code(pets.seek_id(99, JET_bitSeekEQ)), JetErr::RecordNotFound);
}

#[test]
fn s17_01_what_a_callback_writes_is_kept_or_lost_with_the_change() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur) = (pets.ses, pets.cur);
    let (table, id) = {
        let table = JetCreateTable(ses, pets.live.dbid, "notes", 0, 0).unwrap();
        let def = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
        (table, JetAddColumn(ses, table, "of", &def, &[]).unwrap())
    };
    let pet = pets.id;
    let noting = JET_CALLBACK::new(move |info| {
        let (sesid, copy) = (info.sesid, JET_bitRetrieveCopy);
        let of = JetRetrieveColumn(sesid, info.tableid, pet, copy, None)?.unwrap();
        JetPrepareUpdate(sesid, table, JET_prepInsert)?;
        JetSetColumn(sesid, table, id, Some(&of), 0, None)?;
        JetUpdate(sesid, table).map(|_| ())
    });
    JetRegisterCallback(ses, cur, JET_cbtypBeforeInsert | JET_cbtypAfterInsert, &noting).unwrap();
    let noted = || {
        let first = JetMove(ses, table, JET_MoveFirst, 0);
        first.map_or(0, |()| JetIndexRecordCount(ses, table, 0).unwrap())
    };
    pets.insert(4, "eel", None).unwrap();
    assert_eq!(noted(), 2);
    assert_eq!(code(pets.insert(4, "eel", None)), JetErr::KeyDuplicate);
    assert_eq!(noted(), 2, "taken back");
    pets.prepare(JET_prepCancel).unwrap();
    for _ in 0..7 {
        JetBeginTransaction(ses).unwrap();
    }
    pets.insert(9, "owl", None).unwrap();
    JetRollback(ses, JET_bitRollbackAll).unwrap();
    assert_eq!(noted(), 2);
    let leaves = JET_CALLBACK::new(|info| JetBeginTransaction(info.sesid));
    let handle = JetRegisterCallback(ses, cur, JET_cbtypBeforeInsert, &leaves).unwrap();
    assert_eq!(code(pets.insert(9, "owl", None)), JetErr::CallbackFailed);
    let outside = JetCommitTransaction(ses, 0);
    assert_eq!(code(outside), JetErr::NotInTransaction, "the level it left is taken back");
    JetUnregisterCallback(ses, cur, JET_cbtypBeforeInsert, handle).unwrap();
    pets.update().unwrap();
    assert_eq!(noted(), 4);
}

/// The reference page of JET_CALLBACK lists what may be done with the cursor; the rest is
/// JET_errIllegalOperation in the engine's source. Reading from the index in a callback for a
/// default value has no test: such defaults are not there yet.
#[test]
fn s1_07_a_callback_may_look_at_its_cursor_and_not_move_it() {
    let _mode = multi();
    let pets = pets();
    let (ses, cur, name) = (pets.ses, pets.cur, pets.name);
    let illegal = move |info: &JET_CALLBACKINFO| -> Result<()> {
        let (s, c) = (info.sesid, info.tableid);
        let refused = [
            code(JetMove(s, c, 0, 0)),
            code(JetSeek(s, c, JET_bitSeekEQ)),
            code(JetMakeKey(s, c, None, JET_bitNewKey)),
            code(JetUpdate(s, c)),
            code(JetDelete(s, c)),
            code(JetPrepareUpdate(s, c, JET_prepInsert)),
            code(JetCloseTable(s, c)),
            code(JetGetLock(s, c, JET_bitWriteLock)),
            code(JetSetCurrentIndex(s, c, Some("name"))),
            code(JetIndexRecordCount(s, c, 0)),
            code(JetDeleteColumn(s, c, "data")),
            code(JetGotoBookmark(s, c, &[1])),
            code(JetEndSession(s, 0)),
        ];
        assert_eq!(refused, [JetErr::IllegalOperation; 13]);
        JetGetBookmark(s, c)?;
        JetGetCurrentIndex(s, c)?;
        JetGetRecordPosition(s, c, 0)?;
        JetRetrieveKey(s, c, 0)?;
        JetGetTableColumnInfo(s, c, None)?;
        JetGetTableIndexInfo(s, c, None)?;
        JetGetTableInfo(s, c, JET_TblInfoName)?;
        assert_eq!(JetRetrieveColumn(s, c, name, 0, None)?, Some(b"ant".to_vec()));
        let own = JetDupCursor(s, c, 0)?;
        JetMove(s, own, JET_MoveLast, 0)?;
        JetCloseTable(s, own)?;
        // The session is this thread's as long as it is in the call.
        let foreign =
            std::thread::scope(|scope| scope.spawn(|| JetGetBookmark(s, c)).join().unwrap());
        assert_eq!(code(foreign), JetErr::SessionSharingViolation);
        Ok(())
    };
    let asked = JET_cbtypBeforeReplace | JET_cbtypAfterReplace;
    let handle = JetRegisterCallback(ses, cur, asked, &JET_CALLBACK::new(illegal)).unwrap();
    pets.prepare(JET_prepReplace).unwrap();
    pets.set(pets.age, &1_i32.to_le_bytes()).unwrap();
    pets.update().unwrap();
    JetUnregisterCallback(ses, cur, asked, handle).unwrap();
    pets.go(1).unwrap();
}

#[test]
fn s17_02_local_storage_is_given_back_when_its_owner_goes() {
    let _alone = alone();
    let (callback, notes) = noting();
    let plain = pets();
    let unset = JetSetLS(plain.ses, plain.cur, 5, JET_bitLSTable | JET_bitLSCursor);
    assert_eq!(code(unset), JetErr::LSCallbackNotSpecified, "first of all");
    let late = set_runtime_callback(Some(plain.live.inst), Some(&callback));
    assert_eq!(code(late), JetErr::AlreadyInitialized);
    drop(plain);

    set_runtime_callback(None, Some(&callback)).unwrap();
    let pets = pets();
    set_runtime_callback(None, None).unwrap();
    let (ses, cur) = (pets.ses, pets.cur);
    let set = |cur, ls, grbit| JetSetLS(ses, cur, ls, grbit);
    let get = |cur, grbit| JetGetLS(ses, cur, grbit);
    let both = JET_bitLSTable | JET_bitLSCursor;
    assert_eq!(code(set(cur, 5, both)), JetErr::InvalidGrbit);
    assert_eq!(code(get(cur, both)), JetErr::InvalidGrbit);
    for (place, reset) in [(0, JET_bitLSReset), (JET_bitLSTable, JET_bitLSTable | JET_bitLSReset)] {
        assert_eq!(code(get(cur, place)), JetErr::LSNotSet);
        assert_eq!(get(cur, reset).unwrap(), JET_LSNil);
        set(cur, 5, place).unwrap();
        assert_eq!(code(set(cur, 6, place)), JetErr::LSAlreadySet);
        assert_eq!((get(cur, place).unwrap(), get(cur, reset).unwrap()), (5, 5));
        set(cur, 6, place).unwrap();
        set(cur, 0, reset).unwrap();
        assert_eq!(code(get(cur, place)), JetErr::LSNotSet);
    }
    assert_eq!(reasons(&notes), [0_u32; 0], "taken away by the caller");
    let second = pets.reopen();
    set(second, 11, JET_bitLSCursor).unwrap();
    set(cur, 12, JET_bitLSTable).unwrap();
    assert_eq!(code(get(cur, 0)), JetErr::LSNotSet, "each cursor has its own");
    assert_eq!(get(second, JET_bitLSTable).unwrap(), 12, "a table has one");
    JetCloseTable(ses, second).unwrap();
    let told = notes.lock().unwrap().pop().unwrap();
    assert_eq!((told.cbtyp, told.ls), (JET_cbtypFreeCursorLS, 11));
    assert_eq!((told.sesid, told.tableid), (JET_SESID::NIL, JET_TABLEID::NIL));
    pets.live.term(0).unwrap();
    let told = notes.lock().unwrap().pop().unwrap();
    assert_eq!((told.cbtyp, told.ls), (JET_cbtypFreeTableLS, 12));
}

/// No lock of the session is held when its callers are told.
#[test]
fn s17_02_who_is_told_may_use_the_session_that_closes_the_cursor() {
    let _alone = alone();
    let session = Arc::new(Mutex::new(None));
    let told = Arc::new(Mutex::new(Vec::new()));
    let (ses_of, to) = (Arc::clone(&session), Arc::clone(&told));
    let callback = JET_CALLBACK::new(move |info| {
        let ses = ses_of.lock().unwrap().unwrap();
        let used = JetBeginTransaction(ses).and_then(|()| JetCommitTransaction(ses, 0));
        to.lock().unwrap().push((info.ls, used.map_err(|error| error.code())));
        Ok(())
    });
    set_runtime_callback(None, Some(&callback)).unwrap();
    let pets = pets();
    set_runtime_callback(None, None).unwrap();
    let (ses, _) = pets.other();
    *session.lock().unwrap() = Some(ses);
    let path = pets.live.path();
    let dbid = JetOpenDatabase(ses, path.to_str().unwrap(), 0).unwrap().1;
    let with_storage = |ls| {
        let cur = JetOpenTable(ses, dbid, "pets", 0).unwrap();
        JetSetLS(ses, cur, ls, 0).unwrap();
        cur
    };
    JetCloseTable(ses, with_storage(1)).unwrap();
    JetBeginTransaction(ses).unwrap();
    with_storage(2);
    JetRollback(ses, 0).unwrap();
    with_storage(3);
    JetEndSession(ses, 0).unwrap();
    assert_eq!(*told.lock().unwrap(), [(1, Ok(())), (2, Ok(())), (3, Ok(()))]);
}

#[test]
fn s17_02_what_was_attached_to_a_table_goes_with_it_when_that_is_sure() {
    let _alone = alone();
    let (callback, notes) = noting();
    set_runtime_callback(None, Some(&callback)).unwrap();
    let pets = empty();
    set_runtime_callback(None, None).unwrap();
    let ses = pets.ses;
    let watched = Arc::new(());
    let held = Arc::clone(&watched);
    let holding = JET_CALLBACK::new(move |_| {
        assert!(Arc::strong_count(&held) > 0);
        Ok(())
    });
    JetSetLS(ses, pets.cur, 21, JET_bitLSTable).unwrap();
    JetRegisterCallback(ses, pets.cur, JET_cbtypBeforeInsert, &holding).unwrap();
    drop(holding);
    JetCloseTable(ses, pets.cur).unwrap();
    let delete = || JetDeleteTable(ses, pets.live.dbid, "pets");
    JetBeginTransaction(ses).unwrap();
    JetBeginTransaction(ses).unwrap();
    delete().unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    JetRollback(ses, 0).unwrap();
    assert_eq!((reasons(&notes), Arc::strong_count(&watched)), (vec![], 2), "it is there again");
    let cur = pets.reopen();
    assert_eq!(JetGetLS(ses, cur, JET_bitLSTable).unwrap(), 21);
    JetCloseTable(ses, cur).unwrap();
    JetBeginTransaction(ses).unwrap();
    delete().unwrap();
    assert_eq!(reasons(&notes), [0_u32; 0], "not before the commit");
    JetCommitTransaction(ses, 0).unwrap();
    assert_eq!(reasons(&notes), [JET_cbtypFreeTableLS]);
    assert_eq!(Arc::strong_count(&watched), 1, "the callback is let go of");
}
