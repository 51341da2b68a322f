use std::{path::Path, sync::Arc};

use ese_base::{Error, JetErr, PageSize, Pgno};
use ese_os::OpenMode;
use ese_sim::{Fault, OpKind, StateOptions};

use super::*;
use crate::{
    CacheMode, checksum,
    test_db::{TestDb, cache, create, flush_all, new_header},
};

fn file_bytes(db: &TestDb) -> Vec<u8> {
    let file = db.env.fs.open(&db.path, OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn a_new_file_has_two_equal_headers_and_blank_pages() {
    for page_size in PageSize::EVER {
        let (db, file) = TestDb::real(page_size, 9);
        assert_eq!((file.page_count(), file.page_size()), (9, page_size));
        drop(file);
        let bytes = file_bytes(&db);
        let page = page_size.bytes();
        assert_eq!(bytes.len(), 11 * page);
        assert_eq!(bytes[..page], bytes[page..2 * page]);
        assert!(bytes[2 * page..].iter().all(|&byte| byte == 0));
        let file = db.open();
        assert_eq!((file.page_count(), file.page_size()), (9, page_size));
        assert_eq!(file.header().state(), DbState::JustCreated);
        assert_eq!(file.header().sign_db, new_header(page_size).sign_db);
        assert_eq!(file.restored_pages(), []);
    }
}

#[test]
fn creation_is_durable_or_leaves_nothing_behind() {
    let (env, disk) = ese_sim::SimEnv::new(1);
    env.fs.create_dir_all(Path::new("/db")).unwrap();
    let path = Path::new("/db/test.edb");
    let header = new_header(PageSize::K4);
    for kind in [OpKind::Write, OpKind::Sync, OpKind::Allocate, OpKind::SyncDir, OpKind::Lock] {
        disk.add_fault(Fault::nth(kind, 0, JetErr::DiskFull));
        let error = DbFile::create(&env, path, header, Pgno(4)).unwrap_err();
        assert_eq!(error.code(), JetErr::DiskFull, "{kind:?}");
        assert!(!env.fs.exists(path).unwrap(), "{kind:?}");
    }
    drop(DbFile::create(&env, path, header, Pgno(4)).unwrap());
    let again = DbFile::create(&env, path, header, Pgno(4)).unwrap_err();
    assert_eq!(again.code(), JetErr::FileAlreadyExists);
    assert!(env.fs.exists(path).unwrap(), "the old file is not touched");
    for state in disk.crash_states(StateOptions { seed: 1, budget: 50, garbage: true, from_op: 0 })
    {
        let booted = TestDb::booted(&state.image);
        assert_eq!(booted.open().page_count(), 4, "{}", state.description);
    }
}

#[test]
fn one_engine_writes_and_many_read_but_not_together() {
    let (db, file) = TestDb::real(PageSize::K4, 2);
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let error = DbFile::open(&db.env, &db.path, access).unwrap_err();
        assert_eq!(error.code(), JetErr::FileAccessDenied, "{error}");
        assert!(error.to_string().contains("; "), "there is advice: {error}");
    }
    drop(file);
    let one = DbFile::open(&db.env, &db.path, Access::ReadOnly).unwrap();
    let two = DbFile::open(&db.env, &db.path, Access::ReadOnly).unwrap();
    assert!(DbFile::open(&db.env, &db.path, Access::ReadWrite).is_err());
    drop((one, two));
    db.open();
}

#[test]
fn either_copy_of_the_header_is_enough() {
    for damaged in [0, 4096] {
        let (db, file) = TestDb::real(PageSize::K4, 2);
        file.update_header(|header| header.set_last_objid(ese_base::ObjId(11))).unwrap();
        drop(file);
        db.overwrite(&db.path, damaged + 300, b"torn");
        let file = db.open();
        assert_eq!(file.header().last_objid().0, 11);
        file.update_header(|header| header.set_last_objid(ese_base::ObjId(12))).unwrap();
        drop(file);
        let bytes = file_bytes(&db);
        assert_eq!(bytes[..4096], bytes[4096..8192], "both are whole again");
        assert_eq!(db.open().header().last_objid().0, 12);
    }
    let (db, file) = TestDb::real(PageSize::K4, 2);
    drop(file);
    db.overwrite(&db.path, 300, b"torn");
    db.overwrite(&db.path, 4396, b"torn");
    let error = DbFile::open(&db.env, &db.path, Access::ReadWrite).unwrap_err();
    assert_eq!((error.code(), error.path()), (JetErr::ReadVerifyFailure, Some(&*db.path)));
}

#[test]
fn a_copy_of_the_header_that_the_device_cannot_read_counts_as_damaged() {
    for unreadable in [0, 4096] {
        let (db, file) = TestDb::simulated(PageSize::K4, 2);
        drop(file);
        assert!(db.sim().make_unreadable(&db.path, unreadable, 512));
        let file = db.open();
        file.update_header(|_| ()).unwrap();
        drop(file);
        let bytes = file_bytes(&db);
        assert_eq!(bytes[..4096], bytes[4096..8192]);
    }
    let (db, file) = TestDb::simulated(PageSize::K4, 2);
    drop(file);
    assert!(db.sim().make_unreadable(&db.path, 0, 8192));
    let error = DbFile::open(&db.env, &db.path, Access::ReadWrite).unwrap_err();
    assert_eq!(error.code(), JetErr::DiskIO);
}

/// Cuts the power everywhere in two header updates, the first copy being damaged or not.
#[test]
pub(crate) fn a_power_cut_in_a_header_update_leaves_the_old_or_the_new_header() {
    for damage_first in [None, Some(0), Some(4096)] {
        let (db, file) = TestDb::simulated(PageSize::K4, 2);
        drop(file);
        if let Some(offset) = damage_first {
            db.overwrite(&db.path, offset + 300, b"torn");
        }
        let file = db.open();
        db.sim().record(true);
        for objid in [1, 2] {
            // Fields in different sectors, so that a copy can be torn.
            file.update_header(|header| {
                header.set_last_objid(ese_base::ObjId(objid));
                header.extend_count = objid.into();
            })
            .unwrap();
            db.sim().mark(u64::from(objid));
        }
        let (mut seen, mut torn) = ([0; 3], 0);
        for state in db.sim().recording().states(StateOptions {
            seed: 3,
            budget: 400,
            garbage: false,
            from_op: 0,
        }) {
            let booted = TestDb::booted(&state.image);
            let file = booted.open();
            let objid = u64::from(file.header().last_objid().0);
            assert!(
                (state.mark..=state.mark + 1).contains(&objid),
                "header {objid}: {}",
                state.description
            );
            assert_eq!(u64::from(file.header().extend_count.get()), objid);
            seen[usize::try_from(objid).unwrap()] += 1;
            torn += u32::from(file.header_writer.lock().primary_is_bad);
            file.update_header(|_| ()).unwrap();
        }
        assert!(seen.iter().all(|&count| count > 2) && torn > 1, "{seen:?}, {torn} torn");
    }
}

/// A torn copy has the first sector of the header before. If what is written next has the other
/// sectors of that header too, a second tear must not bring it back.
#[test]
fn a_copy_of_the_header_that_is_torn_twice_does_not_come_back_from_long_ago() {
    let options = |seed| StateOptions { seed, budget: 400, garbage: false, from_op: 0 };
    let (db, file) = TestDb::simulated(PageSize::K4, 2);
    db.sim().record(true);
    let update = |file: &DbFile, objid: u32, extends: u32| {
        file.update_header(|header| {
            header.set_last_objid(ese_base::ObjId(objid));
            header.extend_count = extends.into();
        })
        .unwrap();
    };
    update(&file, 1, 1);
    let mut torn = 0;
    for first in db.sim().recording().states(options(1)) {
        let once = TestDb::booted(&first.image);
        let file = once.open();
        if !file.header_writer.lock().primary_is_bad {
            continue;
        }
        torn += 1;
        once.sim().record(true);
        update(&file, 2, 0);
        for second in once.sim().recording().states(options(2)) {
            let header = TestDb::booted(&second.image).open().header();
            assert!(
                [(1, 1), (2, 0)].contains(&(header.last_objid().0, header.extend_count.get())),
                "header {}: {}; then {}",
                header.last_objid(),
                first.description,
                second.description
            );
        }
    }
    assert!(torn > 0, "{torn} torn");
}

#[test]
fn a_failed_header_update_changes_nothing_in_memory_and_is_the_last() {
    for (kind, nth) in
        [(OpKind::Write, 0), (OpKind::Sync, 0), (OpKind::Write, 1), (OpKind::Sync, 1)]
    {
        let (db, file) = TestDb::simulated(PageSize::K4, 2);
        db.sim().add_fault(Fault::nth(kind, nth, JetErr::DiskIO));
        let update = || file.update_header(|header| header.set_last_objid(ese_base::ObjId(9)));
        assert_eq!(update().unwrap_err().code(), JetErr::DiskIO);
        assert_eq!(file.header().last_objid().0, 0);
        assert_eq!(update().unwrap_err().code(), JetErr::InstanceUnavailable);
        assert!(file.poison().cause().is_some());
    }
}

#[test]
fn a_file_grows_once_and_never_shrinks() {
    let (db, file) = TestDb::simulated(PageSize::K4, 2);
    file.grow(Pgno(10)).unwrap();
    file.grow(Pgno(5)).unwrap();
    assert_eq!((file.page_count(), file.file().len().unwrap()), (10, 12 * 4096));
    let error = file.grow(Pgno(Pgno::MAX.0 + 1)).unwrap_err();
    assert_eq!(error.code(), JetErr::OutOfDatabaseSpace);
    db.sim().add_fault(Fault::nth(OpKind::Allocate, 0, JetErr::DiskFull));
    assert_eq!(file.grow(Pgno(11)).unwrap_err().code(), JetErr::DiskFull);
    file.grow(Pgno(11)).unwrap();
    db.sim().add_fault(Fault::nth(OpKind::Allocate, 0, JetErr::DiskIO));
    assert_eq!(file.grow(Pgno(12)).unwrap_err().code(), JetErr::DiskIO);
    assert_eq!(file.grow(Pgno(12)).unwrap_err().code(), JetErr::InstanceUnavailable);
}

#[test]
fn half_a_page_at_the_end_is_no_page() {
    let (db, file) = TestDb::real(PageSize::K4, 2);
    drop(file);
    db.overwrite(&db.path, 4 * 4096, &[1; 100]);
    let file = db.open();
    assert_eq!(file.page_count(), 2);
    file.grow(Pgno(3)).unwrap();
    assert_eq!(file.page_count(), 3);
}

/// Pages 1 to 4 hold values, page 5 is blank.
fn for_backup(sim: bool) -> (TestDb, Arc<DbFile>) {
    let (db, file) =
        if sim { TestDb::simulated(PageSize::K4, 5) } else { TestDb::real(PageSize::K4, 5) };
    let cache = cache(&file, CacheMode::Copy);
    for pgno in 1..=4 {
        create(&cache, pgno, 1);
    }
    flush_all(&cache);
    (db, file)
}

fn never(fault: &PageFault<'_>) -> Result<AfterFault> {
    panic!("{fault}")
}

#[test]
fn a_backup_reads_verified_pages_and_blank_ones() {
    let (db, file) = for_backup(false);
    let mut pages = vec![1; 5 * 4096];
    assert_eq!(file.read_for_backup(Pgno(1), &mut pages, &mut never).unwrap(), 0);
    assert_eq!(pages, file_bytes(&db)[2 * 4096..]);
    let mut one = vec![1; 4096];
    file.read_for_backup(Pgno(3), &mut one, &mut never).unwrap();
    assert_eq!(one, pages[2 * 4096..3 * 4096]);
    for (first, len, code) in [
        (1, 4097, JetErr::InvalidParameter),
        (1, 0, JetErr::InvalidParameter),
        (5, 8192, JetErr::FileIOBeyondEOF),
        (0, 4096, JetErr::FileIOBeyondEOF),
    ] {
        let error = file.read_for_backup(Pgno(first), &mut vec![0; len], &mut never).unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[test]
fn a_backup_asks_again_about_a_damaged_page_while_it_holds_nothing() {
    let (db, file) = for_backup(false);
    let good = file_bytes(&db);
    let at = PageSize::K4.offset_of(Pgno(3));
    db.overwrite(&db.path, at + 2000, &[0xee; 700]);
    let mut pages = vec![0; 5 * 4096];
    let mut attempts = Vec::new();
    let corrected = file
        .read_for_backup(Pgno(1), &mut pages, &mut |fault| {
            assert_eq!(fault.error.code(), JetErr::ReadVerifyFailure);
            assert!(!fault.correctable);
            assert!(file.ranges().try_begin_write(Pgno(1), Pgno(5)).is_some());
            attempts.push((fault.pgno.0, fault.attempt));
            if fault.attempt == 3 {
                let offset = usize::try_from(at).unwrap();
                db.overwrite(&db.path, at, &good[offset..offset + 4096]);
            }
            Ok(AfterFault::Retry)
        })
        .unwrap();
    assert_eq!((corrected, attempts), (0, vec![(3, 1), (3, 2), (3, 3)]));
    assert_eq!(pages, good[2 * 4096..]);
}

#[test]
fn a_backup_takes_a_corrected_page_only_when_told_to() {
    let (db, file) = for_backup(false);
    let good = file_bytes(&db);
    let at = usize::try_from(PageSize::K4.offset_of(Pgno(2))).unwrap() + 1000;
    db.overwrite(&db.path, at as u64, &[good[at] ^ 4]);
    let mut pages = vec![0; 4 * 4096];
    let give_up = file.read_for_backup(Pgno(1), &mut pages, &mut |fault| {
        assert!(fault.correctable);
        Ok(AfterFault::GiveUp)
    });
    assert_eq!(give_up.unwrap_err().pgno(), Some(Pgno(2)));
    let mut take = |_: &PageFault<'_>| Ok(AfterFault::TakeCorrected);
    assert_eq!(file.read_for_backup(Pgno(1), &mut pages, &mut take).unwrap(), 1);
    assert_eq!(pages, good[2 * 4096..6 * 4096]);
    assert!(
        pages.chunks(4096).zip(1..).all(|(page, pgno)| checksum::verify(page, Pgno(pgno)).is_ok())
    );

    db.overwrite(&db.path, at as u64, &[good[at] ^ 5]);
    let error = file.read_for_backup(Pgno(1), &mut pages, &mut take).unwrap_err();
    assert_eq!((error.code(), error.pgno()), (JetErr::ReadVerifyFailure, Some(Pgno(2))));
    let stop = |_: &PageFault<'_>| Err(Error::code_only(JetErr::BackupAbortByServer));
    let error = file.read_for_backup(Pgno(1), &mut pages, &mut { stop }).unwrap_err();
    assert_eq!(error.code(), JetErr::BackupAbortByServer);
}

#[test]
fn a_page_that_the_device_cannot_read_does_not_spoil_its_neighbours() {
    let (db, file) = for_backup(true);
    assert!(db.sim().make_unreadable(&db.path, PageSize::K4.offset_of(Pgno(3)), 4096));
    let mut pages = vec![0; 5 * 4096];
    let mut faults = Vec::new();
    let read = file.read_for_backup(Pgno(1), &mut pages, &mut |fault| {
        faults.push((fault.pgno.0, fault.error.code()));
        if fault.attempt == 2 {
            db.sim().heal();
        }
        Ok(AfterFault::Retry)
    });
    assert_eq!(read.unwrap(), 0);
    assert_eq!(faults, [(3, JetErr::DiskIO), (3, JetErr::DiskIO)]);
    assert_eq!(pages, file_bytes(&db)[2 * 4096..]);
}
