//! Wrong bytes in the file.

use ese_base::{JetErr, PageSize, Pgno};

use crate::{
    CacheMode, checksum,
    test_db::{MODES, TestDb, cache, change, create, flush_all, read, value_of},
};

/// A database with pages 1 to 5 of value 1, closed.
fn written(page_size: PageSize) -> TestDb {
    let (db, file) = TestDb::real(page_size, 5);
    let cache = cache(&file, CacheMode::Mapped);
    for pgno in 1..=5 {
        create(&cache, pgno, 1);
    }
    flush_all(&cache);
    // Without it, the next open would restore what the tests damage.
    file.remove_double_write().unwrap();
    db
}

fn page_bytes(db: &TestDb, page_size: PageSize, pgno: u32) -> Vec<u8> {
    let mut page = vec![0; page_size.bytes()];
    let file = db.env.fs.open(&db.path, ese_os::OpenMode::Read).unwrap();
    file.read_at(&mut page, page_size.offset_of(Pgno(pgno))).unwrap();
    page
}

#[test]
fn one_flipped_bit_is_corrected_reported_and_gone_after_the_next_write() {
    for page_size in PageSize::ALL {
        for mode in MODES {
            let db = written(page_size);
            let good = page_bytes(&db, page_size, 3);
            let mut bad = good.clone();
            bad[page_size.bytes() / 2 + 5] ^= 0x10;
            db.overwrite(&db.path, page_size.offset_of(Pgno(3)), &bad);
            let file = db.open();
            let cache = cache(&file, mode);
            assert_eq!((read(&cache, 3), cache.stats().corrected), (1, 1));
            assert_eq!((read(&cache, 3), cache.stats().corrected), (1, 1), "once");
            assert_eq!(cache.dirty_count(), 0, "correcting is not a change");
            drop(cache.write(Pgno(3)).unwrap());
            assert_eq!(read(&cache, 3), 1, "the corrected frame stays");
            assert_eq!(page_bytes(&db, page_size, 3), bad);
            change(&cache, 3, 2).unwrap();
            flush_all(&cache);
            assert_eq!(read(&cache, 3), 2);
            if mode == CacheMode::Mapped {
                assert_eq!(cache.stats().frames, 0, "the map is good again");
            }
            assert_eq!(
                checksum::check(&page_bytes(&db, page_size, 3), Pgno(3)),
                checksum::Verdict::Good
            );
        }
    }
}

#[test]
fn damaged_pages_are_errors_every_time_and_others_are_not_touched() {
    for mode in MODES {
        let page_size = PageSize::K8;
        let db = written(page_size);
        let mut torn = page_bytes(&db, page_size, 2);
        torn[4096..].fill(0xab);
        db.overwrite(&db.path, page_size.offset_of(Pgno(2)), &torn);
        // Page 4 where page 3 should be; its checksum is right for page 4.
        let other = page_bytes(&db, page_size, 4);
        db.overwrite(&db.path, page_size.offset_of(Pgno(3)), &other);
        // A structure that no checksum guards: the count of lines, stamped over.
        let mut wrong = page_bytes(&db, page_size, 5);
        wrong[34..36].copy_from_slice(&900_u16.to_le_bytes());
        checksum::stamp(&mut wrong, Pgno(5));
        db.overwrite(&db.path, page_size.offset_of(Pgno(5)), &wrong);

        let file = db.open();
        let cache = cache(&file, mode);
        for _ in 0..2 {
            for (pgno, code) in [
                (2, JetErr::ReadVerifyFailure),
                (3, JetErr::ReadVerifyFailure),
                (5, JetErr::PageTagCorrupted),
            ] {
                let error = cache.read(Pgno(pgno)).unwrap_err();
                assert_eq!((error.code(), error.pgno()), (code, Some(Pgno(pgno))), "{error}");
            }
            let error = cache.read(Pgno(3)).unwrap_err().to_string();
            assert!(error.contains("right for page 4"), "{error}");
        }
        assert_eq!((read(&cache, 1), read(&cache, 4)), (1, 1));
        // A damaged page can be created anew.
        create(&cache, 2, 9);
        flush_all(&cache);
        assert_eq!(read(&cache, 2), 9);
    }
}

#[test]
fn a_page_that_the_device_cannot_read_is_an_error_with_its_number() {
    let (db, file) = TestDb::simulated(PageSize::K4, 5);
    let cache = cache(&file, CacheMode::Copy);
    create(&cache, 1, 1);
    create(&cache, 2, 1);
    flush_all(&cache);
    drop(cache);
    assert!(db.sim().make_unreadable(&db.path, PageSize::K4.offset_of(Pgno(2)), 4096));
    let cache = crate::test_db::cache(&file, CacheMode::Copy);
    let error = cache.read(Pgno(2)).unwrap_err();
    assert_eq!((error.code(), error.pgno()), (JetErr::DiskIO, Some(Pgno(2))));
    let guard = cache.read(Pgno(1)).unwrap();
    assert_eq!(value_of(guard.page(), Pgno(1)), 1);
    assert!(!file.poison().is_set(), "a failed read is no failed write");
}
