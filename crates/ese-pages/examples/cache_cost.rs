//! What a hit in the page cache costs: `cargo run --release -p ese-pages --example cache_cost`.
//!
//! Prints nanoseconds for one read latch and its release, and for one write latch with a mark on a
//! page that is dirty already. Goals: below 25 ns and below 40 ns on one thread. Then the first
//! touch of a page that the operating system has in memory, and a flush with everything it syncs.

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

use std::{error::Error, hint::black_box, sync::Arc};

use ese_base::{DbTime, LgPos, LogTime, ObjId, PageSize, Pgno, Signature};
use ese_os::Env;
use ese_pages::{
    CacheMode, CacheOptions, DbFile, DbHeader, FlushGoal, NoLog, PageCache, PageFlags,
    header::NewHeader,
};

const PAGES: u32 = 4096;
/// Short, and the best of many: other programs share the machine.
const ROUNDS: u32 = 50_000;
const REPEATS: u32 = 400;

fn main() -> Result<(), Box<dyn Error>> {
    let env = Env::real();
    for mode in [CacheMode::Mapped, CacheMode::Copy] {
        let dir = tempfile::tempdir()?;
        let header = DbHeader::new(NewHeader {
            page_size: PageSize::K8,
            sign_db: Signature::new(1, LogTime::NULL),
            sign_log: Signature::NULL,
        });
        let file =
            Arc::new(DbFile::create(&env, &dir.path().join("cost.edb"), header, Pgno(PAGES))?);
        let options =
            CacheOptions { mode, ..CacheOptions::for_memory(256 << 20, file.page_size()) };
        let cache = PageCache::new(file, options)?;
        for pgno in 1..=PAGES {
            let mut guard = cache.write_new(Pgno(pgno))?;
            guard.page_mut().init(Pgno(pgno), ObjId(2), PageFlags::LEAF, DbTime(1));
            guard.mark_dirty(LgPos::new(1, 1, 16), LgPos::new(1, 1, 32));
        }
        measure_writes(&env, &cache, mode)?;
        let begin = env.clock.monotonic();
        let stats = cache.flush(FlushGoal::All, &NoLog)?;
        let seconds = (env.clock.monotonic() - begin).as_secs_f64();
        let mib = f64::from(PAGES) * 8.0 / 1024.0;
        println!("{:6.0} MiB/s  {mode:?} flush in {} batches", mib / seconds, stats.batches);
        measure_reads(&env, &cache, mode)?;
        let (file, options) = (Arc::clone(cache.file()), cache.options().clone());
        drop(cache);
        let cache = PageCache::new(file, options)?;
        let begin = env.clock.monotonic();
        for pgno in 1..=PAGES {
            black_box(cache.read(Pgno(pgno))?.page().dbtime());
        }
        let nanos = (env.clock.monotonic() - begin).as_secs_f64() * 1e9;
        println!("{:6.0} ns  {mode:?} first touch", nanos / f64::from(PAGES));
    }
    Ok(())
}

/// Walks through the pages in an order that no prefetcher guesses.
fn next(pgno: u32) -> u32 {
    pgno.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
}

fn measure_reads(env: &Env, cache: &PageCache, mode: CacheMode) -> Result<(), Box<dyn Error>> {
    for (what, mask) in [("one page", 0), ("64 pages", 63), ("4096 pages", PAGES - 1)] {
        let mut at = 1;
        report(env, &format!("{mode:?} read, {what}"), || {
            at = next(at);
            let guard = cache.read(Pgno(1 + (at >> 16 & mask)))?;
            black_box(guard.page().size());
            Ok(())
        })?;
    }
    let mut at = 1;
    report(env, &format!("{mode:?} read, 4096 pages, header touched"), || {
        at = next(at);
        let guard = cache.read(Pgno(1 + (at >> 16 & (PAGES - 1))))?;
        black_box(guard.page().dbtime());
        Ok(())
    })
}

fn measure_writes(env: &Env, cache: &PageCache, mode: CacheMode) -> Result<(), Box<dyn Error>> {
    for (what, mask) in [("one page", 0), ("64 pages", 63), ("4096 pages", PAGES - 1)] {
        let mut at = 1;
        report(env, &format!("{mode:?} write of dirty, {what}"), || {
            at = next(at);
            let mut guard = cache.write(Pgno(1 + (at >> 16 & mask)))?;
            black_box(guard.page_mut());
            guard.mark_dirty(LgPos::new(1, 2, 16), LgPos::new(1, 2, 32));
            Ok(())
        })?;
    }
    Ok(())
}

fn report(
    env: &Env,
    what: &str,
    mut once: impl FnMut() -> ese_base::Result<()>,
) -> Result<(), Box<dyn Error>> {
    let mut best = f64::MAX;
    for _ in 0..REPEATS {
        let begin = env.clock.monotonic();
        for _ in 0..ROUNDS {
            once()?;
        }
        let taken = env.clock.monotonic() - begin;
        best = best.min(taken.as_secs_f64() * 1e9 / f64::from(ROUNDS));
    }
    println!("{best:6.1} ns  {what}");
    Ok(())
}
