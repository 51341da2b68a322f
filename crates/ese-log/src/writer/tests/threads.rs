//! Many threads on the real file system.

use std::{
    path::Path,
    sync::{Arc, Barrier},
};

use ese_base::{Generation, JetErr, LgPos, ProcId, Result};
use ese_os::Env;

use crate::{records::Trace, testing::signature, *};

fn config(dir: &Path) -> LogConfig {
    LogConfig { file_len: 256 << 10, reserves: 1, ..LogConfig::new(dir, "edb") }
}

fn append(log: &Log, thread: u16, number: u64, len: usize) -> Result<Appended> {
    let mut text = format!("{thread} {number} ").into_bytes();
    text.resize(text.len() + len, b'.');
    log.append(&Record::Trace(Trace { procid: ProcId(thread), text: &text, rollover: false }))
}

/// Thread and number of each record, in the order of the log.
fn read(env: &Env, dir: &Path) -> Vec<(u16, u64, LgPos)> {
    let stream = LogStream::scan(env, &config(dir).names).unwrap();
    let from = LgPos { generation: stream.oldest().unwrap(), isec: 0, ib: 0 };
    let mut reader = stream.reader(from).unwrap();
    let mut found = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        let Record::Trace(trace) = entry.record else { panic!("{entry:?}") };
        let text = std::str::from_utf8(trace.text).unwrap();
        let mut words = text.split(' ');
        let mut number = || words.next().unwrap().parse::<u64>().unwrap();
        found.push((u16::try_from(number()).unwrap(), number(), entry.end));
    }
    found
}

/// An instance that is broken.
struct Panicking;

impl LogObserver for Panicking {
    fn attachments(&self) -> Vec<Attachment> {
        Vec::new()
    }
    fn checkpoint(&self) -> LgPos {
        LgPos::MIN
    }
    fn rolled(&self, _: Generation, _: ese_base::LogTime) -> Result<()> {
        panic!("as planned")
    }
}

#[test]
fn nobody_waits_for_a_leader_that_panics() {
    let env = Env::real();
    let dir = tempfile::tempdir().unwrap();
    let log = Log::create(&env, &config(dir.path()), signature()).unwrap();
    log.set_observer(Arc::new(Panicking));
    std::thread::scope(|scope| assert!(scope.spawn(|| log.roll()).join().is_err()));
    // Without an answer these would wait for ever.
    let refused = log.flush(LgPos::MAX).unwrap_err();
    assert_eq!(refused.code(), JetErr::LogWriteFail, "{refused}");
    assert_eq!(append(&log, 0, 0, 10).unwrap_err().code(), JetErr::LogWriteFail);
}

#[test]
fn all_threads_get_what_they_were_promised() {
    const THREADS: u16 = 8;
    const COMMITS: u64 = 150;
    let env = Env::real();
    let dir = tempfile::tempdir().unwrap();
    let log = Log::create(&env, &config(dir.path()), signature()).unwrap();
    let start = Barrier::new(usize::from(THREADS) + 1);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (log, start) = (&log, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..COMMITS {
                    let len = usize::try_from(number * u64::from(thread) % 700).unwrap();
                    let appended = append(log, thread, number, len).unwrap();
                    // One in four does not wait.
                    if number % 4 != 3 {
                        log.flush(appended.end).unwrap();
                        assert!(log.durable() >= appended.end);
                    }
                }
                log.flush_all().unwrap();
            });
        }
        let (log, start) = (&log, &start);
        scope.spawn(move || {
            start.wait();
            for _ in 0..20 {
                log.roll().unwrap();
                std::thread::yield_now();
            }
        });
    });
    let statistics = log.statistics();
    assert!(statistics.rounds <= u64::from(THREADS) * COMMITS + 50, "{statistics:?}");
    drop(log);
    let found = read(&env, dir.path());
    assert_eq!(found.len(), usize::from(THREADS) * usize::try_from(COMMITS).unwrap());
    // Each thread's records are there once and in order.
    for thread in 0..THREADS {
        let own: Vec<u64> = found.iter().filter(|f| f.0 == thread).map(|f| f.1).collect();
        assert_eq!(own, (0..COMMITS).collect::<Vec<_>>());
    }
    assert!(found.is_sorted_by_key(|f| f.2));
}

#[test]
fn appenders_wait_for_room_and_lose_nothing() {
    let env = Env::real();
    let dir = tempfile::tempdir().unwrap();
    // The smallest buffer: 128 KiB.
    let config = LogConfig { buffer_len: 0, circular: false, ..config(dir.path()) };
    let log = Log::create(&env, &config, signature()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = &log;
            scope.spawn(move || {
                for number in 0..400 {
                    append(log, thread, number, 3000).unwrap();
                }
            });
        }
    });
    // Nobody asked for durability, but the buffer cannot hold it all.
    assert!(log.durable() > LgPos::new(2, 1, 0));
    log.flush_all().unwrap();
    drop(log);
    assert_eq!(read(&env, dir.path()).len(), 1600);
}

#[test]
fn a_stream_on_the_real_file_system_goes_on_after_each_run() {
    let env = Env::real();
    let dir = tempfile::tempdir().unwrap();
    let log = Log::create(&env, &config(dir.path()), signature()).unwrap();
    assert_eq!(
        LogLock::acquire(&env, &config(dir.path()).names).unwrap_err().code(),
        JetErr::LogFilePathInUse
    );
    append(&log, 0, 0, 10).unwrap();
    log.roll().unwrap();
    append(&log, 0, 1, 10).unwrap();
    log.flush_all().unwrap();
    drop(log);
    for run in 2..6 {
        let stream = LogStream::scan(&env, &config(dir.path()).names).unwrap();
        let end = stream.reader(LgPos::new(1, 0, 0)).unwrap().end().unwrap();
        assert_eq!(end.generation(), Generation(2));
        let log = Log::resume(&env, &config(dir.path()), &end).unwrap();
        append(&log, 0, run, 10).unwrap();
        log.flush_all().unwrap();
    }
    let numbers: Vec<u64> = read(&env, dir.path()).iter().map(|f| f.1).collect();
    assert_eq!(numbers, (0..6).collect::<Vec<_>>());
}

#[test]
fn an_observer_may_look_at_the_log() {
    struct Nosy(std::sync::Weak<Log>);
    impl LogObserver for Nosy {
        fn attachments(&self) -> Vec<Attachment> {
            Vec::new()
        }
        fn checkpoint(&self) -> LgPos {
            self.0.upgrade().map_or(LgPos::MIN, |log| log.durable())
        }
        fn rolled(&self, generation: Generation, created: ese_base::LogTime) -> Result<()> {
            let log = self.0.upgrade().unwrap();
            assert_eq!(log.written_generation(), (generation, created));
            assert!(log.durable() < LgPos { generation, isec: 1, ib: 0 });
            assert!(log.tip() >= log.durable() && log.current_generation() >= generation);
            Ok(())
        }
    }
    let env = Env::real();
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(Log::create(&env, &config(dir.path()), signature()).unwrap());
    log.set_observer(Arc::new(Nosy(Arc::downgrade(&log))));
    for _ in 0..5 {
        log.roll().unwrap();
    }
    log.clear_observer();
}
