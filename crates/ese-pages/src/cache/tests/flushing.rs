//! What is written, in which order, and what stays dirty.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use ese_base::{Error, JetErr, LgPos, LogTime, PageSize, Pgno, Result};
use ese_sim::{Action, AfterFailedSync, Fault, OpKind};
use parking_lot::Mutex;

use crate::{
    CacheMode, CacheOptions, FlushGoal, FlushStats, LogFence, NoLog, PageCache,
    test_db::{MODES, TestDb, cache, change, create, end, flush_all, options, read, start},
};

/// A fence that calls a function.
struct Fence<F: Fn(LgPos) -> Result<()>>(F);

impl<F: Fn(LgPos) -> Result<()> + Send + Sync> LogFence for Fence<F> {
    fn ensure_durable(&self, end: LgPos) -> Result<()> {
        (self.0)(end)
    }
}

#[test]
pub(crate) fn a_batch_goes_to_the_log_fence_the_side_file_and_the_database_in_this_order() {
    let (db, file) = TestDb::simulated(PageSize::K4, 20);
    let cache = cache(&file, CacheMode::Copy);
    for pgno in [2, 3, 4, 9, 10, 17] {
        create(&cache, pgno, u64::from(pgno));
    }
    db.sim().record(true);
    let fence = Fence(|end| {
        // A call that the trace shows.
        let name = format!("/db/fence-{end}").replace(',', ".");
        db.env.fs.open(Path::new(&name), ese_os::OpenMode::CreateNew).map(drop)
    });
    let stats = cache.flush(FlushGoal::All, &fence).unwrap();
    assert_eq!(stats, FlushStats { pages: 6, batches: 2, writes: 4, changed_again: 0 });
    let lines: Vec<String> = db.sim().recording().trace().lines().map(str::to_string).collect();
    let wanted = [
        ("create", "test.edb.dwb"),
        ("allocate", "test.edb.dwb"),
        ("sync", "test.edb.dwb"),
        ("syncdir", "/db"),
        ("create", "fence-000001.0009.0020"),
        ("write", "test.edb.dwb"),
        ("sync", "test.edb.dwb"),
        ("write", "test.edb"),
        ("write", "test.edb"),
        ("sync", "test.edb"),
        ("create", "fence-000001.0011.0020"),
        ("write", "test.edb.dwb"),
        ("sync", "test.edb.dwb"),
        ("write", "test.edb"),
        ("write", "test.edb"),
        ("sync", "test.edb"),
    ];
    assert_eq!(lines.len(), wanted.len(), "{lines:#?}");
    for (line, (kind, path)) in lines.iter().zip(wanted) {
        let plain = line.to_lowercase().replace([' ', '_'], "");
        assert!(plain.contains(kind) && line.contains(path), "{line} should be {kind} of {path}");
        assert_eq!(line.contains(".dwb"), path.contains(".dwb"), "{line}");
    }
}

#[test]
fn without_the_side_file_all_batches_share_one_sync() {
    let (db, file) = TestDb::simulated(PageSize::K4, 40);
    let mut options = options(CacheMode::Copy);
    options.double_write = false;
    let cache = PageCache::new(file, options).unwrap();
    for pgno in 1..=40 {
        create(&cache, pgno, 1);
    }
    let before = db.sim().counts();
    cache.flush(FlushGoal::All, &NoLog).unwrap();
    let after = db.sim().counts();
    assert_eq!(after.of(OpKind::Sync) - before.of(OpKind::Sync), 1);
    assert_eq!(after.of(OpKind::Write) - before.of(OpKind::Write), 10);
    assert!(!db.env.fs.exists(&db.dwb()).unwrap());
    assert_eq!(cache.dirty_count(), 0);
}

#[test]
fn the_goals_take_the_pages_that_they_name() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K4, 20);
        let cache = cache(&file, mode);
        for pgno in 1..=10 {
            create(&cache, pgno, u64::from(20 - pgno));
        }
        let stats = cache.flush(FlushGoal::OlderThan(start(13)), &NoLog).unwrap();
        assert_eq!((stats.pages, cache.oldest_dirty()), (3, Some(start(13)))); // values 10 to 12
        let stats = cache.flush(FlushGoal::DownTo(5), &NoLog).unwrap();
        assert_eq!((stats.pages, cache.oldest_dirty()), (2, Some(start(15))));
        assert_eq!(cache.flush(FlushGoal::DownTo(5), &NoLog).unwrap(), FlushStats::default());
        assert_eq!(cache.flush(FlushGoal::OlderThan(start(15)), &NoLog).unwrap().pages, 0);
        assert_eq!(cache.flush(FlushGoal::All, &NoLog).unwrap().pages, 5);
        assert_eq!(cache.flush(FlushGoal::All, &NoLog).unwrap().batches, 0);
    }
}

#[test]
pub(crate) fn a_page_changed_while_it_is_flushed_stays_dirty_from_that_change_on() {
    for mode in MODES {
        let (db, file) = TestDb::real(PageSize::K4, 20);
        let cache = cache(&file, mode);
        for pgno in 1..=3 {
            create(&cache, pgno, u64::from(pgno));
        }
        change(&cache, 2, 10).unwrap();
        // The fence is asked after the copy was made and before anything is written.
        let changed = AtomicU32::new(0);
        let fence = Fence(|asked| {
            if changed.fetch_add(1, Ordering::Relaxed) == 0 {
                assert_eq!(asked, end(10));
                change(&cache, 2, 11)?;
                change(&cache, 2, 12)?;
            }
            Ok(())
        });
        let stats = cache.flush(FlushGoal::All, &fence).unwrap();
        assert_eq!((stats.pages, stats.changed_again), (3, 1));
        assert_eq!((cache.dirty_count(), cache.oldest_dirty()), (1, Some(start(11))));
        assert_eq!(read(&cache, 2), 12);
        let mut page = vec![0; 4096];
        file.read_page_raw(Pgno(2), &mut page).unwrap();
        let in_file = crate::PageRef::new(&page, PageSize::K4).dbtime().0;
        assert_eq!(in_file, 10, "the file has the copy");
        flush_all(&cache);
        drop((cache, file));
        let file = db.open();
        assert_eq!(read(&crate::test_db::cache(&file, mode), 2), 12);
    }
}

#[test]
fn a_failing_fence_writes_nothing_and_may_be_tried_again() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K4, 20);
        let cache = cache(&file, mode);
        for pgno in 1..=6 {
            create(&cache, pgno, u64::from(pgno));
        }
        let fence = Fence(|_| Err(Error::new(JetErr::LogWriteFail, "the log is gone")));
        let error = cache.flush(FlushGoal::All, &fence).unwrap_err();
        assert_eq!(error.code(), JetErr::LogWriteFail);
        assert_eq!((cache.dirty_count(), cache.oldest_dirty()), (6, Some(start(1))));
        let mut page = vec![0; 4096];
        file.read_page_raw(Pgno(1), &mut page).unwrap();
        assert!(page.iter().all(|&byte| byte == 0), "the page was not written");
        change(&cache, 6, 7).unwrap();
        assert!(!file.poison().is_set());
        flush_all(&cache);
        assert_eq!((read(&cache, 1), read(&cache, 6)), (1, 7));
    }
}

#[test]
fn the_first_failed_write_or_sync_refuses_all_that_come_later() {
    let kinds = [(OpKind::Write, 1), (OpKind::Write, 0), (OpKind::Sync, 1), (OpKind::Sync, 0)];
    for (kind, nth) in kinds {
        for after in [
            AfterFailedSync::StaysDirty,
            AfterFailedSync::CleanAndNew,
            AfterFailedSync::CleanAndOld,
        ] {
            let (db, file) = TestDb::simulated(PageSize::K4, 20);
            let cache = cache(&file, CacheMode::Copy);
            for pgno in 1..=6 {
                create(&cache, pgno, 1);
            }
            flush_all(&cache);
            for pgno in 1..=6 {
                change(&cache, pgno, 2).unwrap();
            }
            let action = if kind == OpKind::Sync {
                Action::FailSync(JetErr::DiskIO, after)
            } else {
                Action::FailShort(JetErr::DiskIO)
            };
            db.sim().add_fault(Fault::nth(kind, nth, JetErr::DiskIO).act(action));
            let error = cache.flush(FlushGoal::All, &NoLog).unwrap_err();
            assert_eq!(error.code(), JetErr::DiskIO, "{error}");
            assert_eq!(db.sim().faults_hit(), 1);
            let writes = db.sim().counts().of(OpKind::Write);

            let refused = [
                cache.flush(FlushGoal::All, &NoLog).map(drop).unwrap_err(),
                cache.write(Pgno(1)).map(drop).unwrap_err(),
                cache.write_new(Pgno(9)).map(drop).unwrap_err(),
                cache.rdw(Pgno(1)).unwrap().upgrade().map(drop).unwrap_err(),
                file.update_header(|_| ()).unwrap_err(),
                file.grow(Pgno(99)).unwrap_err(),
                file.sync().unwrap_err(),
            ];
            for error in refused {
                assert_eq!(error.code(), JetErr::InstanceUnavailable, "{error}");
                assert!(error.to_string().contains("JET_errDiskIO"), "the first cause: {error}");
            }
            assert_eq!(db.sim().counts().of(OpKind::Write), writes, "nothing was tried again");
            assert_eq!(cache.dirty_count(), 6, "no page became clean");
            assert_eq!(read(&cache, 3), 2, "reading goes on");
        }
    }
}

#[test]
fn no_room_for_the_side_file_is_an_answer_and_not_the_end() {
    let (db, file) = TestDb::simulated(PageSize::K4, 20);
    let cache = cache(&file, CacheMode::Copy);
    create(&cache, 1, 1);
    db.sim().set_free_space(Some(100));
    assert_eq!(cache.flush(FlushGoal::All, &NoLog).unwrap_err().code(), JetErr::DiskFull);
    assert_eq!(file.grow(Pgno(4000)).unwrap_err().code(), JetErr::DiskFull);
    assert_eq!((file.page_count(), cache.dirty_count()), (20, 1));
    db.sim().set_free_space(None);
    file.grow(Pgno(4000)).unwrap();
    flush_all(&cache);
}

#[test]
fn what_is_written_carries_a_right_checksum_and_no_flush_type() {
    for page_size in PageSize::ALL {
        let (_db, file) = TestDb::real(page_size, 20);
        let cache = cache(&file, CacheMode::Mapped);
        create(&cache, 7, 1);
        let mut guard = cache.write(Pgno(7)).unwrap();
        let flags = guard.page().flags();
        guard.page_mut().set_flags(flags | crate::PageFlags::FLUSH_TYPE);
        guard.mark_dirty(start(2), end(2));
        drop(guard);
        flush_all(&cache);
        let mut page = vec![0; page_size.bytes()];
        file.read_page_raw(Pgno(7), &mut page).unwrap();
        assert_eq!(crate::checksum::check(&page, Pgno(7)), crate::checksum::Verdict::Good);
        assert_eq!(crate::PageRef::new(&page, page_size).flags(), flags);
    }
}

#[test]
fn pages_are_not_written_under_a_header_that_says_clean() {
    let (_db, file) = TestDb::real(PageSize::K4, 20);
    let cache = cache(&file, CacheMode::Mapped);
    create(&cache, 1, 1);
    file.update_header(|header| header.set_clean(LgPos::MIN, LogTime::NULL)).unwrap();
    assert_eq!(cache.flush(FlushGoal::All, &NoLog).unwrap_err().code(), JetErr::InternalError);
    file.update_header(|header| header.set_state(crate::DbState::DirtyShutdown)).unwrap();
    flush_all(&cache);
}

#[test]
fn the_flusher_leaves_held_pages_to_the_end_and_waits_for_them_alone() {
    let (_db, file) = TestDb::real(PageSize::K4, 40);
    let cache = Arc::new(cache(&file, CacheMode::Mapped));
    for pgno in [1, 2, 20, 21, 39] {
        create(&cache, pgno, 1);
    }
    let written = |pgno: u32| {
        let mut page = vec![0; 4096];
        file.read_page_raw(Pgno(pgno), &mut page).unwrap();
        page.iter().any(|&byte| byte != 0)
    };
    let hold = file.ranges().hold(Pgno(1), Pgno(20));
    std::thread::scope(|scope| {
        let flushing = scope.spawn(|| {
            let goal = FlushGoal::All;
            PageCache::flush(&cache, goal, &NoLog).unwrap()
        });
        // 39 is in the second batch of four, behind the held pages of the first.
        #[allow(clippy::disallowed_methods, reason = "the test waits for another thread")]
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(5));
            assert!(!written(1) && !written(20) && !written(21) && !written(39));
        }
        drop(hold);
        assert_eq!(flushing.join().unwrap().pages, 5);
    });
    for pgno in [1, 2, 20, 21, 39] {
        assert!(written(pgno) && read(&cache, pgno) == 1);
    }
}

#[test]
fn writers_that_throttle_share_one_flush() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K4, 400);
        let cache = cache(&file, mode);
        let limit = options(mode).dirty_pages_max;
        let highest = Mutex::new(0);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (cache, highest) = (&cache, &highest);
                scope.spawn(move || {
                    for n in 0..100 {
                        create(cache, 1 + thread * 100 + n, 1);
                        let dirty = cache.dirty_count();
                        let mut highest = highest.lock();
                        *highest = dirty.max(*highest);
                        drop(highest);
                        cache.throttle(&NoLog).unwrap();
                    }
                });
            }
        });
        assert!(*highest.lock() <= limit + 4, "one page for each thread beyond the limit");
        flush_all(&cache);
        for pgno in 1..=400 {
            assert_eq!(read(&cache, pgno), 1);
        }
    }
}

#[test]
fn a_writer_at_the_limit_writes_a_batch_alone_and_a_background_thread_keeps_it_away() {
    let (_db, file) = TestDb::real(PageSize::K4, 400);
    let options = CacheOptions { dirty_pages_max: 64, ..options(CacheMode::Mapped) };
    let cache = PageCache::new(Arc::clone(&file), options.clone()).unwrap();
    let dirty = |upto: u32| (1..=upto).for_each(|pgno| create(&cache, pgno, 1));
    dirty(56);
    assert_eq!(cache.flush_ahead(&NoLog).unwrap().pages, 0, "an eighth is still free");
    dirty(57);
    assert_eq!(cache.flush_ahead(&NoLog).unwrap().pages, 9);
    assert_eq!(cache.dirty_count(), 48);
    dirty(65);
    cache.throttle(&NoLog).unwrap();
    assert_eq!(cache.dirty_count(), options.dirty_pages_max + 1 - options.batch_pages);
}

#[test]
fn nobody_waits_for_a_flush_that_panics() {
    for mode in MODES {
        let (_db, file) = TestDb::real(PageSize::K4, 400);
        let cache = cache(&file, mode);
        for pgno in 1..=u32::try_from(options(mode).dirty_pages_max).unwrap() + 1 {
            create(&cache, pgno, 1);
        }
        let broken = Fence(|_| panic!("as planned"));
        std::thread::scope(|scope| {
            assert!(scope.spawn(|| cache.flush(FlushGoal::All, &broken)).join().is_err());
        });
        // Without an answer this would wait for ever.
        assert_eq!(cache.throttle(&NoLog).unwrap_err().code(), JetErr::InstanceUnavailable);
    }
}
