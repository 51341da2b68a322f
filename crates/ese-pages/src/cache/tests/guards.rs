//! Latched pages: what they show, and what is left when they are dropped.

use std::sync::Arc;

use ese_base::{JetErr, LgPos, PageSize, Pgno};

use crate::{
    Access, CacheMode, DbFile, FlushGoal, NoLog, PageCache,
    test_db::{
        MODES, TestDb, cache, change, create, end, fill, fill_new, flush_all, options, read, start,
        value_of,
    },
};

#[test]
fn pages_written_by_one_cache_are_read_by_the_next() {
    for page_size in PageSize::ALL {
        for mode in MODES {
            let (db, file) = TestDb::real(page_size, 40);
            let first = cache(&file, mode);
            for pgno in 1..=40 {
                create(&first, pgno, u64::from(pgno) + 100);
            }
            for pgno in 1..=40 {
                assert_eq!(read(&first, pgno), u64::from(pgno) + 100);
            }
            flush_all(&first);
            for pgno in 1..=40 {
                assert_eq!(read(&first, pgno), u64::from(pgno) + 100, "after the flush");
            }
            drop((first, file));
            let file = db.open();
            let second = cache(&file, mode);
            for pgno in (1..=40).rev() {
                assert_eq!(read(&second, pgno), u64::from(pgno) + 100);
            }
            assert!(second.stats().loaded >= 40);
        }
    }
}

#[test]
fn pages_that_cannot_be_read_are_errors_that_name_them() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K4, 10);
        let cache = cache(&file, mode);
        create(&cache, 3, 1);
        for (pgno, code) in [
            (1, JetErr::PageNotInitialized),
            (10, JetErr::PageNotInitialized),
            (0, JetErr::FileIOBeyondEOF),
            (11, JetErr::FileIOBeyondEOF),
            (0x7fef_ffff, JetErr::FileIOBeyondEOF),
            (u32::MAX, JetErr::FileIOBeyondEOF),
        ] {
            let errors = [
                cache.read(Pgno(pgno)).unwrap_err(),
                cache.rdw(Pgno(pgno)).unwrap_err(),
                cache.write(Pgno(pgno)).unwrap_err(),
            ];
            for error in errors {
                assert_eq!((error.code(), error.pgno()), (code, Some(Pgno(pgno))), "{error}");
                assert_eq!(error.path(), Some(file.path()));
            }
        }
        assert_eq!(cache.write_new(Pgno(11)).unwrap_err().code(), JetErr::FileIOBeyondEOF);
        file.grow(Pgno(2000)).unwrap();
        create(&cache, 2000, 5);
        flush_all(&cache);
        assert_eq!((read(&cache, 2000), read(&cache, 3)), (5, 1));
    }
}

#[test]
fn a_write_guard_without_a_mark_leaves_the_page_as_it_was() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K8, 10);
        let cache = cache(&file, mode);
        create(&cache, 1, 1);
        flush_all(&cache);
        let frames = cache.stats().frames;

        drop(cache.write(Pgno(1)).unwrap());
        drop(cache.rdw(Pgno(1)).unwrap().upgrade().unwrap());
        drop(cache.rdw(Pgno(1)).unwrap());
        let mut clean = cache.write_new(Pgno(1)).unwrap();
        assert!(clean.page().is_blank());
        fill_new(&mut clean, 9);
        drop(clean);
        assert_eq!((read(&cache, 1), cache.dirty_count()), (1, 0));
        assert_eq!((cache.oldest_dirty(), cache.stats().frames), (None, frames));

        change(&cache, 1, 2).unwrap();
        let mut dirty = cache.write_new(Pgno(1)).unwrap();
        fill_new(&mut dirty, 9);
        drop(dirty);
        assert_eq!((read(&cache, 1), cache.oldest_dirty()), (2, Some(start(2))));

        let mut never_loaded = cache.write_new(Pgno(5)).unwrap();
        fill_new(&mut never_loaded, 9);
        drop(never_loaded);
        assert_eq!(cache.read(Pgno(5)).unwrap_err().code(), JetErr::PageNotInitialized);
        flush_all(&cache);
        assert_eq!(read(&cache, 1), 2);
        assert_eq!(cache.read(Pgno(5)).unwrap_err().code(), JetErr::PageNotInitialized);
    }
}

#[test]
fn a_page_created_again_keeps_its_oldest_missing_change() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K8, 10);
        let cache = cache(&file, mode);
        create(&cache, 1, 1);
        create(&cache, 1, 7);
        assert_eq!((cache.oldest_dirty(), cache.dirty_count()), (Some(start(1)), 1));
        assert_eq!(cache.stats().frames, 1, "the first frame was given back");
        flush_all(&cache);
        create(&cache, 1, 8);
        assert_eq!((read(&cache, 1), cache.oldest_dirty()), (8, Some(start(8))));
        flush_all(&cache);
        assert_eq!(read(&cache, 1), 8);
    }
}

#[test]
pub(crate) fn a_page_latched_for_writing_holds_the_checkpoint_before_its_record() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K8, 10);
        let cache = cache(&file, mode);
        create(&cache, 1, 1);
        create(&cache, 2, 2);
        flush_all(&cache);
        // The record of 3 may be in the log already, though the page is not marked yet.
        let mut guard = cache.write(Pgno(1)).unwrap();
        assert_eq!(cache.oldest_dirty(), Some(end(2)));
        fill(&mut guard, 3);
        guard.mark_dirty(start(3), end(3));
        assert_eq!(cache.oldest_dirty(), Some(start(3)));
        drop(guard);
        let other = cache.rdw(Pgno(2)).unwrap();
        assert_eq!(cache.oldest_dirty(), Some(start(3)), "reading announces nothing");
        drop(other.upgrade().unwrap());
        assert_eq!(cache.oldest_dirty(), Some(start(3)));
    }
}

#[test]
fn a_change_that_begins_before_the_first_one_comes_first() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K8, 10);
        let cache = cache(&file, mode);
        create(&cache, 1, 20);
        create(&cache, 2, 15);
        let mut guard = cache.write(Pgno(1)).unwrap();
        fill(&mut guard, 30);
        guard.mark_dirty(start(10), end(30)); // a macro group that began at 10
        drop(guard);
        assert_eq!((cache.oldest_dirty(), cache.dirty_count()), (Some(start(10)), 2));
        let mut again = cache.write_new(Pgno(1)).unwrap();
        fill_new(&mut again, 31);
        again.mark_dirty(start(5), end(31));
        drop(again);
        assert_eq!((cache.oldest_dirty(), cache.dirty_count()), (Some(start(5)), 2));
        assert_eq!(cache.flush(FlushGoal::OlderThan(start(6)), &NoLog).unwrap().pages, 1);
        assert_eq!(cache.oldest_dirty(), Some(start(15)));
        flush_all(&cache);
    }
}

#[test]
fn a_panic_in_the_middle_of_a_change_is_never_written() {
    for mode in MODES {
        let (db, file) = TestDb::real(PageSize::K8, 10);
        let cache = cache(&file, mode);
        create(&cache, 1, 1);
        flush_all(&cache);
        create(&cache, 1, 2);
        let panicked = std::thread::scope(|scope| {
            let half_done = || {
                let mut guard = cache.write(Pgno(1)).unwrap();
                guard.page_mut().set_dbtime(ese_base::DbTime(3));
                panic!("on purpose");
            };
            scope.spawn(half_done).join().is_err()
        });
        assert!(panicked);
        let error = cache.flush(FlushGoal::All, &NoLog).unwrap_err();
        assert_eq!(error.code(), JetErr::InstanceUnavailable);
        assert!(error.to_string().contains("panic") && error.to_string().contains("page 1"));
        drop((cache, file));
        assert_eq!(read(&crate::test_db::cache(&db.open(), mode), 1), 1);
    }
}

#[test]
fn a_file_has_one_cache_at_a_time() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K8, 10);
        let first = cache(&file, mode);
        let second = PageCache::new(Arc::clone(&file), options(mode));
        assert_eq!(second.unwrap_err().code(), JetErr::InternalError);
        drop(first);
        cache(&file, mode);
    }
}

#[test]
fn readers_stand_beside_an_rdw_guard_and_it_can_become_one() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K8, 10);
        let cache = cache(&file, mode);
        create(&cache, 1, 1);
        let rdw = cache.rdw(Pgno(1)).unwrap();
        let read = cache.read(Pgno(1)).unwrap();
        assert_eq!(value_of(rdw.page(), Pgno(1)), value_of(read.page(), Pgno(1)));
        let second = rdw.downgrade();
        let rdw = cache.rdw(Pgno(1)).unwrap();
        drop((read, second));
        let mut write = rdw.upgrade().unwrap();
        fill(&mut write, 4);
        assert_eq!(value_of(write.page(), Pgno(1)), 4);
        write.mark_dirty(start(4), end(4));
        drop(write);
        assert_eq!(cache.read(Pgno(1)).unwrap().pgno(), Pgno(1));
    }
}

#[test]
fn a_database_opened_for_reading_refuses_changes_and_writes_nothing() {
    for mode in MODES {
        let (db, file) = TestDb::real(PageSize::K8, 3);
        let writer = cache(&file, mode);
        create(&writer, 1, 1);
        flush_all(&writer);
        drop((writer, file));
        let len = db.env.fs.open(&db.path, ese_os::OpenMode::Read).unwrap().len().unwrap();

        let file = Arc::new(DbFile::open(&db.env, &db.path, Access::ReadOnly).unwrap());
        let cache = PageCache::new(Arc::clone(&file), options(mode)).unwrap();
        assert_eq!(read(&cache, 1), 1);
        let refused = JetErr::DatabaseFileReadOnly;
        assert_eq!(cache.write(Pgno(1)).unwrap_err().code(), refused);
        assert_eq!(cache.write_new(Pgno(1)).unwrap_err().code(), refused);
        assert_eq!(cache.rdw(Pgno(1)).unwrap().upgrade().unwrap_err().code(), refused);
        assert_eq!(file.update_header(|_| ()).unwrap_err().code(), refused);
        assert_eq!(file.grow(Pgno(9)).unwrap_err().code(), refused);
        cache.throttle(&NoLog).unwrap();
        assert_eq!(file.file().len().unwrap(), len);
        assert_eq!(read(&cache, 1), 1, "a refused upgrade has released its latch");
    }
}

#[test]
fn copy_mode_stays_within_its_frames() {
    let (_db, file) = TestDb::real(PageSize::K4, 400);
    let cache = cache(&file, CacheMode::Copy);
    for pgno in 1..=400 {
        create(&cache, pgno, u64::from(pgno));
        cache.throttle(&NoLog).unwrap();
        assert!(cache.dirty_count() <= options(CacheMode::Copy).dirty_pages_max);
        assert!(cache.stats().frames <= 16, "{:?}", cache.stats());
    }
    for round in 0..3 {
        for pgno in 1..=400 {
            assert_eq!(read(&cache, pgno), u64::from(pgno), "round {round}");
        }
    }
    assert!(cache.stats().frames <= 16 && cache.stats().evicted >= 3 * 380, "{:?}", cache.stats());
    // A page that is used all the time stays, but for a round or two of the hand.
    let loaded = cache.stats().loaded;
    for pgno in 2..=200 {
        read(&cache, 1);
        read(&cache, pgno);
    }
    let loaded = cache.stats().loaded - loaded;
    assert!(loaded <= 202, "page 1 was loaded again and again: {loaded} instead of 199");
}

#[test]
fn copy_mode_grows_while_everything_is_latched() {
    let (_db, file) = TestDb::real(PageSize::K4, 40);
    let cache = cache(&file, CacheMode::Copy);
    for pgno in 1..=40 {
        create(&cache, pgno, u64::from(pgno));
    }
    flush_all(&cache);
    let guards: Vec<_> = (1..=40).map(|pgno| cache.read(Pgno(pgno)).unwrap()).collect();
    for (guard, pgno) in guards.iter().zip(1..) {
        assert_eq!(value_of(guard.page(), Pgno(pgno)), u64::from(pgno));
    }
    drop(guards);
    assert!(cache.stats().frames > 16, "{:?}", cache.stats());
    flush_all(&cache);
    assert!(cache.stats().frames <= 16, "nothing was dirty: {:?}", cache.stats());
    for pgno in 1..=40 {
        assert_eq!(read(&cache, pgno), u64::from(pgno));
    }
}

#[test]
fn clean_pages_need_no_frames_in_mapped_mode() {
    let (_db, file) = TestDb::real(PageSize::K4, 100);
    let cache = cache(&file, CacheMode::Mapped);
    for pgno in 1..=100 {
        create(&cache, pgno, 1);
    }
    assert_eq!(cache.stats().frames, 100);
    flush_all(&cache);
    assert_eq!(cache.stats().frames, 0);
    for pgno in 1..=100 {
        assert_eq!(read(&cache, pgno), 1);
    }
    assert_eq!(cache.stats().frames, 0);
    drop(cache.write(Pgno(1)).unwrap());
    assert_eq!(cache.stats().frames, 0);
}

#[test]
fn changes_without_a_log_are_older_than_everything() {
    let (_db, file) = TestDb::real(PageSize::K4, 4);
    let cache = cache(&file, CacheMode::Mapped);
    let mut guard = cache.write_new(Pgno(1)).unwrap();
    fill_new(&mut guard, 3);
    guard.mark_dirty(LgPos::MIN, LgPos::MIN);
    drop(guard);
    assert_eq!(cache.oldest_dirty(), Some(LgPos::MIN));
    flush_all(&cache);
}
