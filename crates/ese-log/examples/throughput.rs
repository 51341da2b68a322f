//! Durable commits per second of one and of eight threads, beside the disk's own limit: plain
//! `pwrite` and `fdatasync` on a file that was written before.
//!
//! `cargo run --release -p ese-log --example throughput [folder] [seconds per run]`

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program")]

use std::{
    path::{Path, PathBuf},
    sync::{
        Barrier, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use ese_base::{DbTime, Dbid, Iline, LgPos, LogTime, ObjId, Pgno, ProcId, RceId, Signature, TrxId};
use ese_log::{
    Log, LogConfig, LogObserver, Record,
    records::{Begin0, Commit0, Insert, NodeHead, PageHead, RecordFlags, begin_levels},
};
use ese_os::{Env, OpenMode};

const DATA: [u8; 200] = [0x5a; 200];

struct Nobody(Mutex<LgPos>);

impl LogObserver for Nobody {
    fn attachments(&self) -> Vec<ese_log::Attachment> {
        Vec::new()
    }
    fn checkpoint(&self) -> LgPos {
        *self.0.lock().unwrap()
    }
    fn rolled(&self, generation: ese_base::Generation, _: LogTime) -> ese_base::Result<()> {
        // As a checkpoint that is always near: old generations are used again.
        *self.0.lock().unwrap() = LgPos { generation, isec: 1, ib: 0 };
        Ok(())
    }
}

/// A transaction of one insertion: about 300 bytes.
fn commit(log: &Log, procid: ProcId, number: u32) -> LgPos {
    let page = PageHead {
        procid,
        dbid: Dbid(1),
        pgno: Pgno(number % 1000 + 5),
        dbtime: DbTime(u64::from(number) + 1),
        dbtime_before: DbTime(u64::from(number)),
        trx_begin0: TrxId(number),
        level: 1,
        iline: Iline(3),
        flags: RecordFlags::VERSIONED | RecordFlags::UNIQUE,
    };
    let node = NodeHead { page, rceid: RceId(number), pgno_fdp: Pgno(4), objid_fdp: ObjId(2) };
    let key = number.to_be_bytes();
    let levels = begin_levels(0, 1);
    log.append(&Record::Begin0(Begin0 { procid, levels, trx_begin0: TrxId(number) })).unwrap();
    log.append(&Record::Insert(Insert { node, suffix: &key, prefix: &[], data: &DATA })).unwrap();
    let commit = Commit0 { procid, level_to: 0, trx_commit0: TrxId(number) };
    log.append(&Record::Commit0(commit)).unwrap().end
}

struct Figures {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    max: Duration,
}

/// Runs `body(thread)` on so many threads for a while and counts.
fn measure(env: &Env, threads: usize, run: Duration, body: impl Fn(usize) + Sync) -> Figures {
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Barrier::new(threads + 1);
    let times = Mutex::new(Vec::new());
    let elapsed = std::thread::scope(|scope| {
        for thread in 0..threads {
            let (stop, count, start, times, body) = (&stop, &count, &start, &times, &body);
            scope.spawn(move || {
                let mut mine = Vec::with_capacity(1 << 20);
                start.wait();
                while !stop.load(Ordering::Relaxed) {
                    let before = env.clock.monotonic();
                    body(thread);
                    mine.push(env.clock.monotonic() - before);
                    count.fetch_add(1, Ordering::Relaxed);
                }
                times.lock().unwrap().extend(mine);
            });
        }
        start.wait();
        let before = env.clock.monotonic();
        env.clock.sleep(run);
        stop.store(true, Ordering::Relaxed);
        env.clock.monotonic() - before
    });
    let mut times = times.into_inner().unwrap();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    Figures {
        per_second: count.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64(),
        p50: at(50),
        p99: at(99),
        max: times.last().copied().unwrap_or_default(),
    }
}

fn print(what: &str, figures: &Figures) {
    println!(
        "{what:<28} {:>9.0}/s   p50 {:>8.1?}  p99 {:>8.1?}  max {:>8.1?}",
        figures.per_second, figures.p50, figures.p99, figures.max
    );
}

/// Rewrites block after block of a file that was written before, `per_block` times each.
fn raw(env: &Env, dir: &Path, run: Duration, per_block: u64) -> Figures {
    let path = dir.join("raw.bin");
    let file = env.fs.open(&path, OpenMode::CreateOrTruncate).unwrap();
    let blocks = 4096;
    for block in 0..blocks {
        file.write_at(&[1; 4096], block * 4096).unwrap();
    }
    file.sync().unwrap();
    let next = AtomicU64::new(0);
    let figures = measure(env, 1, run, |_| {
        let n = next.fetch_add(1, Ordering::Relaxed);
        file.write_at(&[2; 4096], n / per_block % blocks * 4096).unwrap();
        file.sync().unwrap();
    });
    env.fs.remove_file(&path).unwrap();
    figures
}

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map_or_else(|| PathBuf::from("."), PathBuf::from);
    let seconds = args.next().and_then(|s| s.parse().ok()).unwrap_or(4);
    let run = Duration::from_secs(seconds);
    let env = Env::real();
    let dir = tempfile::Builder::new().prefix("ese-log-").tempdir_in(folder).unwrap();

    let raw_shared = raw(&env, dir.path(), run, 13);
    print("raw, block rewritten 13x", &raw_shared);
    print("raw, new block each time", &raw(&env, dir.path(), run, 1));
    for threads in [1, 2, 4, 8] {
        let logs = dir.path().join(format!("logs{threads}"));
        env.fs.create_dir_all(&logs).unwrap();
        let config = LogConfig { circular: true, ..LogConfig::new(&logs, "edb") };
        let log = Log::create(&env, &config, Signature::new(1, env.clock.log_time())).unwrap();
        log.set_observer(std::sync::Arc::new(Nobody(Mutex::new(LgPos::new(1, 1, 0)))));
        let next = AtomicU64::new(1);
        let figures = measure(&env, threads, run, |thread| {
            let number = u32::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
            let procid = ProcId(u16::try_from(thread).unwrap());
            let end = commit(&log, procid, number);
            log.flush(end).unwrap();
        });
        print(&format!("log, {threads} thread(s)"), &figures);
        println!(
            "    {:.2} of raw; log volume {} KiB, records {} KiB; {:?}",
            figures.per_second / raw_shared.per_second,
            u64::from(log.tip().generation.0 - 1) * log.file_len() / 1024
                + u64::from(log.tip().isec) * 4,
            next.load(Ordering::Relaxed) * 272 / 1024,
            log.statistics(),
        );
    }
}
