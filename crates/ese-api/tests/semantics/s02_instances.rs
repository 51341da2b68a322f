//! Section 2: instances, modes, lifetime.

use std::{path::Path, sync::Arc, time::Duration};

use crate::{jet_setup::*, pets::*};

/// The process's own folders, which its one instance takes.
fn process_folders(dir: &str) {
    for id in [JET_paramSystemPath, JET_paramLogFilePath] {
        JetSetSystemParameter(None, JET_SESID::NIL, id, 0, Some(dir)).unwrap();
    }
}

#[test]
fn s2_01_the_process_has_one_instance_or_several_until_the_last_one_goes() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    process_folders(dir.path().to_str().unwrap());
    let mut handle = JET_INSTANCE::NIL;
    JetInit(Some(&mut handle)).unwrap();
    assert_eq!(code(JetCreateInstance("x")), JetErr::RunningInOneInstanceMode);
    assert_eq!(code(JetInit(None)), JetErr::AlreadyInitialized);
    let lock = dir.path().join("edb.lck");
    assert!(lock.exists());
    JetTerm(handle).unwrap();
    assert!(!lock.exists(), "it goes with the instance");
    process_folders("./");
    let made = JetCreateInstance("x").unwrap();
    assert_eq!(code(JetInit(None)), JetErr::RunningInMultiInstanceMode);
    JetTerm(made).unwrap();
    let size = JET_paramDatabasePageSize;
    for bytes in [8192, 4096] {
        JetSetSystemParameter(None, JET_SESID::NIL, size, bytes, None).unwrap();
    }
}

#[test]
fn s2_02_names_are_unique_and_one_instance_can_do_without() {
    let _mode = multi();
    let made: Vec<JET_INSTANCE> =
        ["s2_02", ""].iter().map(|name| JetCreateInstance(name).unwrap()).collect();
    for name in ["s2_02", ""] {
        assert_eq!(code(JetCreateInstance(name)), JetErr::InstanceNameInUse, "{name:?}");
    }
    made.into_iter().for_each(|instance| JetTerm(instance).unwrap());
}

#[test]
fn s2_03_terminating_rolls_back_and_leaves_databases_clean_unless_dirt_is_asked_for() {
    let _mode = multi();
    for (grbit, clean) in [(JET_bitTermAbrupt, true), (JET_bitTermDirty, false)] {
        let live = Live::new();
        JetBeginTransaction(live.sesid).unwrap();
        let complete = JetTerm2(live.inst, JET_bitTermComplete);
        assert_eq!(code(complete), JetErr::TooManyActiveUsers);
        let (path, dir) = (live.path(), live.dir.clone());
        let ended = live.term(grbit);
        match clean {
            true => ended.unwrap(),
            false => assert_eq!(code(ended), JetErr::DirtyShutdown, "the instance is gone"),
        }
        let info = JetGetDatabaseFileInfo(path.to_str().unwrap(), JET_DbInfoMisc).unwrap();
        let JET_DBINFO::Misc(header) = info else { panic!("no header") };
        assert_eq!(header.state() == ese_pages::DbState::CleanShutdown, clean);
        drop(dir);
    }
}

/// A session that another thread is ending, with rows to roll back, is on no list any more.
#[test]
fn s2_03_terminating_waits_for_sessions_that_are_just_ending() {
    let _mode = multi();
    let dir = Arc::clone(&Live::new().dir);
    for round in 0..24 {
        let live = Live::again(&dir);
        let (inst, path) = (live.inst, live.path());
        let work = move || {
            while let Ok(sesid) = JetBeginSession(inst) {
                // Whatever is refused meanwhile: the session is ended with what it did.
                drop(insert_until_refused(sesid, &path, 200));
                drop(JetEndSession(sesid, 0));
            }
        };
        let threads: Vec<_> = (0..3).map(|_| std::thread::spawn(work.clone())).collect();
        std::thread::sleep(Duration::from_millis(10 + round));
        live.term(JET_bitTermAbrupt).unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

fn insert_until_refused(sesid: JET_SESID, path: &Path, count: i32) -> ese_api::Result<()> {
    let (_, dbid) = JetOpenDatabase(sesid, path.to_str().unwrap(), 0)?;
    let tableid = JetOpenTable(sesid, dbid, "t", 0)?;
    JetBeginTransaction(sesid)?;
    let id = JetGetTableColumnInfo(sesid, tableid, Some("id"))?.remove(0).def.columnid;
    for n in 0..count {
        JetPrepareUpdate(sesid, tableid, JET_prepInsert)?;
        let unique = n << 16 | i32::try_from(sesid.0 & 0xffff).unwrap();
        JetSetColumn(sesid, tableid, id, Some(&unique.to_le_bytes()), 0, None)?;
        JetUpdate(sesid, tableid)?;
    }
    Ok(())
}

#[test]
fn s2_04_an_instance_that_never_began_is_freed() {
    let _mode = multi();
    let instance = JetCreateInstance("s2_04").unwrap();
    JetTerm(instance).unwrap();
    assert_eq!(code(JetTerm(instance)), JetErr::InvalidInstance);
    let live = Live::new();
    let handle = live.inst;
    live.term(0).unwrap();
    assert_eq!(code(JetTerm(handle)), JetErr::InvalidInstance);
}

/// The source of the engine frees the instance when the initialisation fails; the reference page
/// of JetInit says nothing of the handle.
#[test]
fn s2_05_an_initialisation_that_fails_frees_the_instance() {
    let _mode = multi();
    let dir = tempfile::tempdir().unwrap();
    let mut instance = JetCreateInstance("s2_05").unwrap();
    set_path(instance, JET_paramLogFilePath, &dir.path().join("missing"));
    set_path(instance, JET_paramSystemPath, &dir.path().join("missing"));
    assert_eq!(code(JetInit(Some(&mut instance))), JetErr::InvalidPath);
    assert_eq!(code(JetTerm(instance)), JetErr::InvalidInstance);
    JetTerm(JetCreateInstance("s2_05").unwrap()).unwrap();
}

#[test]
fn s2_06_without_recovery_and_temporary_tables_no_file_is_left() {
    let _mode = multi();
    let dir = tempfile::tempdir().unwrap();
    let mut instance = JetCreateInstance("s2_06").unwrap();
    set_path(instance, JET_paramLogFilePath, dir.path());
    set_path(instance, JET_paramSystemPath, dir.path());
    JetSetSystemParameter(Some(instance), JET_SESID::NIL, JET_paramRecovery, 0, Some("Off"))
        .unwrap();
    // JET_paramMaxTemporaryTables
    set(instance, 10, 0);
    JetInit(Some(&mut instance)).unwrap();
    let session = JetBeginSession(instance).unwrap();
    JetEndSession(session, 0).unwrap();
    JetTerm(instance).unwrap();
    let left: Vec<_> = dir.path().read_dir().unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn s2_07_selected_services_are_stopped_and_resumed_and_a_stop_of_all_is_for_good() {
    let _mode = multi();
    let pets = pets();
    let instance = pets.live.inst;
    let (caches, resume) = (JET_bitStopServiceQuiesceCaches, JET_bitStopServiceResume);
    JetStopServiceInstance2(instance, caches).unwrap();
    pets.go(1).unwrap();
    JetStopServiceInstance2(instance, resume | caches).unwrap();
    pets.go(1).unwrap();
    let stopped = JetErr::ClientRequestToStopJetService;
    JetStopServiceInstance(instance).unwrap();
    assert_eq!(code(pets.go(1)), stopped);
    assert_eq!(code(JetBeginSession(instance)), stopped);
    assert_eq!(code(JetStopServiceInstance2(instance, resume)), stopped);
}

#[test]
fn s2_02_instances_are_listed_with_their_databases() {
    let _mode = multi();
    let live = crate::jet_setup::Live::new();
    let idle = JetCreateInstance("s2_02 not begun").unwrap();
    let all = JetGetInstanceInfo().unwrap();
    let begun = |info: &&JET_INSTANCE_INFO| info.hInstanceId == idle;
    assert!(all.iter().find(begun).unwrap().szDatabaseFileName.is_empty());
    let own = all.iter().find(|info| info.hInstanceId == live.inst).unwrap();
    assert_eq!(own.szInstanceName, live.dir.path().display().to_string());
    assert_eq!(own.szDatabaseFileName, [live.path().canonicalize().unwrap()]);
    let signature = JetGetInstanceMiscInfo(live.inst, JET_InstanceMiscInfoLogSignature).unwrap();
    assert_eq!(signature, Some(live.header().sign_log));
    assert_eq!(code(JetGetInstanceMiscInfo(live.inst, 9)), JetErr::InvalidParameter);
    assert_eq!(code(JetGetInstanceMiscInfo(idle, 9)), JetErr::NotInitialized);
    JetTerm(idle).unwrap();
}

/// Statement 18.2, which the version store belongs to. The reference page of JetIdle refuses
/// JET_bitIdleFlushBuffers. In the engine's source the warning is the answer whether versions were
/// cleaned up or not, and who asks for the status as well gets that alone.
#[test]
fn an_idle_call_cleans_versions_up_and_says_no_more_than_that() {
    let _mode = multi();
    let pets = pets();
    let idle = |grbit| JetIdle(pets.ses, grbit);
    for wrong in [JET_bitIdleFlushBuffers, 0x40, JET_bitIdleFlushBuffers | JET_bitIdleStatus] {
        assert_eq!(code(idle(wrong)), JetErr::InvalidGrbit, "{wrong}");
    }
    for status in [JET_bitIdleStatus, JET_bitIdleCompact | JET_bitIdleStatus] {
        assert_eq!(idle(status).unwrap(), JetErr::Success);
    }
    // Rows of the session have versions by now: something is there to be cleaned up.
    for grbit in [JET_bitIdleCompact, 0] {
        JetDelete(pets.ses, pets.cur).unwrap();
        assert_eq!(idle(grbit).unwrap(), JetErr::WrnNoIdleActivity);
        pets.go(1).unwrap();
    }
}
