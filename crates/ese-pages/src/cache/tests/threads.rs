//! Many threads on few pages: nobody ever sees half a change.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ese_base::{PageSize, Pgno};

use crate::{
    CacheMode, FlushGoal, NoLog,
    test_db::{MODES, TestDb, cache, create, end, fill, flush_all, options, read, start, value_of},
    test_rng::Rng,
};

const PAGES: usize = 24;

/// Writers count pages up, readers look, one thread flushes all the time. Copy mode has fewer
/// frames than pages, so pages come and go.
fn stress(mode: CacheMode, page_size: PageSize, rounds: u64) {
    let (db, file) = TestDb::real(page_size, 40);
    let cache = cache(&file, mode);
    let written: Vec<AtomicU64> = (0..=PAGES).map(|_| AtomicU64::new(0)).collect();
    for pgno in 1..=PAGES {
        create(&cache, u32::try_from(pgno).unwrap(), 0);
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (cache, written, done) = (&cache, &written, &done);
        let pick = |rng: &mut Rng| 1 + rng.below(PAGES);
        let writers: Vec<_> = (0..3)
            .map(|seed| {
                scope.spawn(move || {
                    let mut rng = Rng::new(seed);
                    for round in 0..rounds {
                        let at = pick(&mut rng);
                        let pgno = Pgno(u32::try_from(at).unwrap());
                        let mut guard = if round % 2 == 0 {
                            cache.write(pgno).unwrap()
                        } else {
                            let rdw = cache.rdw(pgno).unwrap();
                            let seen = value_of(rdw.page(), pgno);
                            let guard = rdw.upgrade().unwrap();
                            assert_eq!(value_of(guard.page(), pgno), seen);
                            guard
                        };
                        let value = value_of(guard.page(), pgno) + 1;
                        if rng.below(8) > 0 {
                            fill(&mut guard, value);
                            guard.mark_dirty(start(value), end(value));
                            written[at].fetch_add(1, Ordering::Relaxed);
                        }
                        drop(guard);
                        cache.throttle(&NoLog).unwrap();
                    }
                })
            })
            .collect();
        for seed in 10..12 {
            scope.spawn(move || {
                let mut rng = Rng::new(seed);
                let mut last = [0; PAGES + 1];
                while !done.load(Ordering::Relaxed) {
                    let at = pick(&mut rng);
                    let pgno = Pgno(u32::try_from(at).unwrap());
                    let guard = cache.read(pgno).unwrap();
                    let value = value_of(guard.page(), pgno);
                    assert!(value >= last[at], "page {pgno} went back");
                    last[at] = value;
                }
            });
        }
        scope.spawn(move || {
            let mut rng = Rng::new(99);
            while !done.load(Ordering::Relaxed) {
                let goal = match rng.below(3) {
                    0 => FlushGoal::All,
                    1 => FlushGoal::DownTo(2),
                    _ => FlushGoal::OlderThan(start(rng.below(400) as u64)),
                };
                cache.flush(goal, &NoLog).unwrap();
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    flush_all(&cache);
    let frames = cache.stats().frames;
    assert!(frames <= options(mode).pages_max as u64, "{frames} frames");
    drop((cache, file));
    let file = db.open();
    let cache = crate::test_db::cache(&file, mode);
    for (pgno, count) in written.iter().enumerate().skip(1) {
        assert_eq!(read(&cache, u32::try_from(pgno).unwrap()), count.load(Ordering::Relaxed));
    }
}

#[test]
fn readers_writers_and_the_flusher_see_only_whole_pages() {
    for mode in MODES {
        stress(mode, PageSize::K4, 800);
    }
}

#[test]
fn readers_writers_and_the_flusher_see_only_whole_large_pages() {
    for mode in MODES {
        stress(mode, PageSize::K32, 200);
    }
}

#[test]
fn a_page_that_many_want_first_is_loaded_once() {
    for mode in MODES {
        let (db, file) = TestDb::real(PageSize::K8, 10);
        let writer = cache(&file, mode);
        for pgno in 1..=10 {
            create(&writer, pgno, 1);
        }
        flush_all(&writer);
        drop((writer, file));
        let file = db.open();
        let cache = cache(&file, mode);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for pgno in 1..=10 {
                        assert_eq!(read(&cache, pgno), 1);
                    }
                });
            }
        });
        assert_eq!(cache.stats().loaded, 10);
    }
}
