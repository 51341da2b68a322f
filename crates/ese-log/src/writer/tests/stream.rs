//! What is appended comes back; generations, deletion, failures.

use std::{sync::Arc, time::Duration};

use ese_base::{
    DbTime, Dbid, Generation, JetErr, LgPos, LogTime, ObjId, ProcId, Result, Signature, TrxId,
};
use ese_os::{Clock, Env, OpenMode};
use ese_sim::{Fault, OpKind, Random};

use crate::{
    layout::SegmentHead,
    records::{Begin0, Record, begin_levels},
    testing::*,
    *,
};

#[test]
fn records_of_all_lengths_come_back_in_order_over_generations() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    let mut random = Random::new(7);
    let mut places = Vec::new();
    for number in 0..3000 {
        let len = match number % 50 {
            0 => random.below(40_000),
            1..=4 => random.below(6000),
            _ => random.below(300),
        };
        let appended = append(&log, number, usize::try_from(len).unwrap()).unwrap();
        places.push((appended.start, appended.end));
        if random.below(5) == 0 {
            log.flush(appended.end).unwrap();
            assert!(log.durable() >= appended.end);
        }
    }
    log.flush_all().unwrap();
    assert_eq!(log.durable(), log.tip());
    let contents = read(&env).unwrap().unwrap();
    assert_eq!(contents.numbers, (0..3000).collect::<Vec<_>>());
    assert_eq!(contents.places, places);
    assert!(contents.end.generation() > Generation(10));
    assert!(!contents.end.is_torn());
}

#[test]
fn segments_in_memory_that_served_before_leave_nothing_behind_the_records_of_others() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    let mut random = Random::new(8);
    for number in 0..2000 {
        let len = usize::try_from(random.below(700)).unwrap();
        let appended = append(&log, number, len).unwrap();
        match random.below(8) {
            0 => log.flush(appended.end).unwrap(),
            1 => log.background_step().unwrap(),
            _ => {}
        }
    }
    log.flush_all().unwrap();
    let mut looked_at = 0;
    for (generation, path) in log.generations() {
        let file = env.fs.open(&path, OpenMode::Read).unwrap();
        for isec in 1..16 {
            let mut segment = [0; 4096];
            file.read_at(&mut segment, isec * 4096).unwrap();
            let Some(head) = SegmentHead::of(&segment, generation) else { continue };
            let rest = &segment[head.end..];
            assert!(rest.iter().all(|byte| *byte == 0), "{}, segment {isec}", path.display());
            looked_at += usize::from(!rest.is_empty());
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}

#[test]
fn positions_follow_the_segments() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    // 5 bytes of head each.
    let first = append(&log, 1, 95).unwrap();
    assert_eq!((first.start, first.end), (LgPos::new(1, 1, 0), LgPos::new(1, 1, 140)));
    let second = append(&log, 2, 95).unwrap();
    assert_eq!((second.start, second.end), (LgPos::new(1, 1, 140), LgPos::new(1, 1, 240)));
    // Fills the segment to its last byte.
    let third = append(&log, 3, 4096 - 240 - 5).unwrap();
    assert_eq!(third.end, LgPos::new(1, 2, 0));
    // Cut: 4056 - 7 bytes in the first segment, 4053 in the next.
    let cut = append(&log, 4, 5000 - 5).unwrap();
    assert_eq!(cut.start, LgPos::new(1, 2, 0));
    assert_eq!(cut.end, LgPos::new(1, 3, u16::try_from(40 + 3 + 5000 - 4049).unwrap()));
}

#[test]
fn a_record_that_fits_no_generation_is_refused() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    // 14 segments: 4049 + 13 * 4053 bytes.
    let longest = 4049 + 13 * 4053;
    let text = |len: usize| vec![b'x'; len - 5];
    let append = |len: usize| {
        let text = text(len);
        log.append(&Record::Trace(records::Trace {
            procid: ProcId(1),
            text: &text,
            rollover: false,
        }))
    };
    assert_eq!(append(longest + 1).unwrap_err().jet_code(), -517);
    let appended = append(longest).unwrap();
    assert_eq!(appended.start, LgPos::new(1, 1, 0));
    assert_eq!(appended.end, LgPos::new(1, 15, 0));
    assert_eq!(append(100).unwrap().start, LgPos::new(2, 1, 0));
}

/// An instance that takes its time when a generation ends.
struct Slow(Arc<dyn Clock>);

impl LogObserver for Slow {
    fn attachments(&self) -> Vec<Attachment> {
        Vec::new()
    }
    fn checkpoint(&self) -> LgPos {
        LgPos::MIN
    }
    fn rolled(&self, _: Generation, _: LogTime) -> Result<()> {
        self.0.sleep(Duration::from_millis(3));
        Ok(())
    }
}

#[test]
fn rounds_are_timed_if_somebody_waits_for_them() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    log.set_observer(Arc::new(Slow(Arc::clone(&env.clock))));
    // The first generation was begun.
    assert_eq!(log.round_times(), RoundTimes { ended: 1, ..RoundTimes::default() });
    let appended = append(&log, 1, 10).unwrap();
    log.flush(appended.end).unwrap();
    log.flush(appended.end).unwrap();
    append(&log, 2, 10).unwrap();
    // Makes room in the buffer; nobody waits for it.
    log.background_step().unwrap();
    let times = log.round_times();
    assert_eq!((times.ended, times.took, times.running_since), (2, Duration::ZERO, None));
    log.roll().unwrap();
    let times = log.round_times();
    assert_eq!((times.ended, times.took), (3, Duration::from_millis(3)));
    assert_eq!(times.running_since, None);
}

#[test]
pub(crate) fn a_roll_ends_the_generation_and_tells_the_observer_before_anything_is_durable() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    let witness = std::sync::Arc::new(Witness::default());
    log.set_observer(witness.clone());
    let attachment = |lgpos_attach| Attachment {
        dbid: Dbid(1),
        dbtime: DbTime(9),
        objid_last: ObjId(8),
        pages_max: 0,
        lgpos_attach,
        lgpos_consistent: LgPos::MIN,
        sign_db: Signature::new(1, LogTime::NULL),
        sparse: false,
        path: "/db/a.edb".to_owned(),
    };
    // The second was attached by a record of the generation that begins.
    *witness.attachments.lock() =
        vec![attachment(LgPos::new(1, 1, 0)), attachment(LgPos::new(2, 1, 0))];
    *witness.checkpoint.lock() = LgPos::new(1, 1, 0x77);
    append(&log, 1, 100).unwrap();
    assert_eq!(log.roll().unwrap(), Generation(2));
    assert_eq!(log.durable(), LgPos::new(2, 1, 0));
    assert_eq!(*witness.rolled.lock(), [Generation(2)]);
    assert_eq!(append(&log, 2, 100).unwrap().start, LgPos::new(2, 1, 0));
    log.flush_all().unwrap();
    let stream = LogStream::scan(&env, log.names()).unwrap();
    let (one, two) = (stream.header_of(Generation(1)).unwrap(), stream.newest_header().unwrap());
    assert_eq!(two.attachments, [attachment(LgPos::new(1, 1, 0))]);
    assert_eq!(two.checkpoint, LgPos::new(1, 1, 0x77));
    assert_eq!(two.previous_created, one.created);
    assert!(one.previous_created.is_null() && one.previous_checksum == 0);
    assert_ne!(two.previous_checksum, 0);
    assert_eq!(one.params.csec_lg_file.get(), 16);
    assert_eq!(read(&env).unwrap().unwrap().numbers, [1, 2]);
    // An empty generation can be ended too.
    assert_eq!(log.roll().unwrap(), Generation(3));
    assert_eq!(log.roll().unwrap(), Generation(4));
    assert_eq!(log.written_generation().0, Generation(4));
    assert_eq!(read(&env).unwrap().unwrap().numbers, [1, 2]);
}

#[test]
fn a_stream_goes_on_where_it_was_read_to_its_end() {
    let (env, _) = machine(1);
    let mut next = 0;
    for run in 0..20 {
        let log = match read(&env).unwrap() {
            None => Log::create(&env, &config(), signature()).unwrap(),
            Some(contents) => {
                assert_eq!(contents.numbers, (0..next).collect::<Vec<_>>());
                Log::resume(&env, &config(), &contents.end).unwrap()
            }
        };
        assert_eq!(log.signature(), signature());
        for _ in 0..(run * 7) % 40 {
            append(&log, next, 50 * usize::try_from(next % 97).unwrap()).unwrap();
            next += 1;
        }
        log.flush_all().unwrap();
    }
    assert_eq!(read(&env).unwrap().unwrap().numbers, (0..next).collect::<Vec<_>>());
}

#[test]
fn a_second_instance_is_refused_until_the_first_ends() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    let end = read(&env).unwrap().unwrap().end;
    assert_eq!(Log::resume(&env, &config(), &end).unwrap_err().jet_code(), -1084);
    assert_eq!(Log::create(&env, &config(), signature()).unwrap_err().jet_code(), -1084);
    drop(log);
    assert_eq!(Log::create(&env, &config(), signature()).unwrap_err().jet_code(), -1814);
    let lock = LogLock::acquire(&env, &config().names).unwrap();
    let with_lock = LogConfig { lock: Some(lock), ..config() };
    Log::resume(&env, &with_lock, &end).unwrap();
}

#[test]
pub(crate) fn circular_logging_keeps_what_checkpoint_and_pins_need_and_two_more() {
    let (env, _) = machine(1);
    let config = LogConfig { circular: true, ..config() };
    let log = Log::create(&env, &config, signature()).unwrap();
    let witness = std::sync::Arc::new(Witness::default());
    log.set_observer(witness.clone());
    let on_disk = || log.generations().iter().map(|(g, _)| g.0).collect::<Vec<_>>();
    for _ in 0..9 {
        log.roll().unwrap();
    }
    // No checkpoint yet: everything is needed.
    assert_eq!(on_disk(), (1..10).collect::<Vec<_>>());
    *witness.checkpoint.lock() = LgPos::new(8, 1, 0);
    let pin = log.pin_generations(Generation(5));
    log.roll().unwrap();
    assert_eq!(on_disk(), (3..11).collect::<Vec<_>>());
    drop(pin);
    log.roll().unwrap();
    assert_eq!(on_disk(), (6..12).collect::<Vec<_>>());
    // What is gone in the list is gone from the disk; the oldest became the next file.
    let stream = LogStream::scan(&env, log.names()).unwrap();
    assert_eq!(stream.archives().map(|(g, _)| g.0).collect::<Vec<_>>(), on_disk());
    append(&log, 1, 100).unwrap();
    log.flush_all().unwrap();
    assert_eq!(read(&env).unwrap().unwrap().numbers, [1]);
    assert!(log.circular_history());
}

#[test]
fn circular_logging_goes_on_when_somebody_removed_the_oldest_files() {
    let (env, _) = machine(1);
    let config = LogConfig { circular: true, ..config() };
    let log = Log::create(&env, &config, signature()).unwrap();
    let witness = std::sync::Arc::new(Witness::default());
    log.set_observer(witness.clone());
    for _ in 0..9 {
        log.roll().unwrap();
    }
    for (_, path) in log.generations().iter().take(2) {
        env.fs.remove_file(path).unwrap();
    }
    *witness.checkpoint.lock() = LgPos::new(8, 1, 0);
    for _ in 0..3 {
        log.roll().unwrap();
    }
    append(&log, 1, 100).unwrap();
    log.flush_all().unwrap();
    assert_eq!(read(&env).unwrap().unwrap().numbers, [1]);
}

#[test]
fn recycled_files_with_old_records_do_not_confuse_the_reader() {
    let (env, _) = machine(1);
    let config = LogConfig { circular: true, ..config() };
    let log = Log::create(&env, &config, signature()).unwrap();
    let witness = std::sync::Arc::new(Witness::default());
    log.set_observer(witness.clone());
    for number in 0..2000 {
        *witness.checkpoint.lock() = log.durable();
        append(&log, number, 300).unwrap();
        if number % 3 == 0 {
            log.flush_all().unwrap();
        }
    }
    log.flush_all().unwrap();
    assert!(log.generations().len() <= 3);
    let contents = read(&env).unwrap().unwrap();
    let first = contents.numbers[0];
    assert!(first > 1500);
    assert_eq!(contents.numbers, (first..2000).collect::<Vec<_>>());
}

#[test]
fn generations_are_deleted_on_demand_but_not_past_the_checkpoint() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    let witness = std::sync::Arc::new(Witness::default());
    log.set_observer(witness.clone());
    for _ in 0..5 {
        log.roll().unwrap();
    }
    let all = Generation(1)..Generation(100);
    assert_eq!(log.delete_generations(all.clone()).unwrap(), []);
    *witness.checkpoint.lock() = LgPos::new(3, 1, 0);
    assert_eq!(log.delete_generations(Generation(2)..Generation(2)).unwrap(), []);
    assert_eq!(log.delete_generations(all).unwrap(), [Generation(1), Generation(2)]);
    let stream = LogStream::scan(&env, log.names()).unwrap();
    assert_eq!(stream.oldest().unwrap(), Generation(3));
}

#[test]
pub(crate) fn after_a_failed_write_or_sync_nothing_is_acknowledged_any_more() {
    for kind in [OpKind::Write, OpKind::Sync] {
        let (env, disk) = machine(1);
        let log = Log::create(&env, &config(), signature()).unwrap();
        let early = append(&log, 1, 100).unwrap();
        log.flush(early.end).unwrap();
        disk.add_fault(Fault::nth(kind, 0, JetErr::DiskIO));
        let late = append(&log, 2, 100).unwrap();
        let error = log.flush(late.end).unwrap_err();
        for error in [
            error,
            log.flush(late.end).unwrap_err(),
            append(&log, 3, 100).unwrap_err(),
            log.roll().unwrap_err(),
        ] {
            assert_eq!(error.jet_code(), -510);
            assert!(error.message().contains("JET_errDiskIO"), "{error}");
        }
        // What was durable stays so.
        log.flush(early.end).unwrap();
    }
}

#[test]
fn a_full_disk_uses_the_reserves_and_refuses_new_transactions() {
    let (env, disk) = machine(1);
    let config = LogConfig { reserves: 2, ..config() };
    let log = Log::create(&env, &config, signature()).unwrap();
    disk.set_free_space(Some(10_000));
    let begin = Record::Begin0(records::Begin0 {
        procid: ProcId(1),
        levels: records::begin_levels(0, 1),
        trx_begin0: TrxId(1),
    });
    log.append(&begin).unwrap();
    assert_eq!(log.roll().unwrap(), Generation(2));
    assert!(log.is_disk_full());
    assert_eq!(log.append(&begin).unwrap_err().jet_code(), -529);
    // What runs can end.
    let commit =
        Record::Commit0(records::Commit0 { procid: ProcId(1), level_to: 0, trx_commit0: TrxId(2) });
    let end = log.append(&commit).unwrap().end;
    log.flush(end).unwrap();
    assert_eq!(log.roll().unwrap(), Generation(3));
    assert_eq!(log.roll().unwrap_err().jet_code(), -529);
    assert_eq!(log.append(&commit).unwrap_err().jet_code(), -529);
    drop(log);
    // With space again, the next start makes new reserves.
    disk.set_free_space(None);
    let stream = LogStream::scan(&env, &config.names).unwrap();
    let from = LgPos { generation: stream.oldest().unwrap(), isec: 0, ib: 0 };
    let mut reader = stream.reader(from).unwrap();
    let mut count = 0;
    while reader.next().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2);
    assert!(stream.newest_header().unwrap().flags.contains(layout::HeaderFlags::RESERVE));
    let log = Log::resume(&env, &config, &reader.end().unwrap()).unwrap();
    log.append(&begin).unwrap();
    for number in [1, 2] {
        let file = env.fs.open(&config.names.reserve(number), OpenMode::Read).unwrap();
        assert_eq!(file.len().unwrap(), 64 << 10);
    }
}

#[test]
fn reserves_that_do_not_fit_are_told_at_the_start() {
    let (env, disk) = machine(1);
    disk.set_free_space(Some(100_000));
    let config = LogConfig { reserves: 2, ..config() };
    assert_eq!(Log::create(&env, &config, signature()).unwrap_err().jet_code(), -529);
}

#[test]
fn a_roll_onto_a_taken_archive_name_is_refused() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    env.fs.open(&log.names().archive(Generation(1)), OpenMode::CreateNew).unwrap();
    assert_eq!(log.roll().unwrap_err().jet_code(), -1032);
}

#[test]
fn sizes_that_are_not_allowed_are_refused() {
    let (env, _) = machine(1);
    for file_len in [0, 4096, (64 << 10) + 1, (64 << 10) + 4096, (32 << 20) + (64 << 10)] {
        let config = LogConfig { file_len, ..config() };
        assert_eq!(Log::create(&env, &config, signature()).unwrap_err().jet_code(), -1003);
    }
}

/// A log of which nothing is left but what lies in this generation.
fn at(env: &Env, generation: Generation) -> Log {
    let config = LogConfig { first_generation: generation, ..config() };
    let log = Log::create(env, &config, signature()).unwrap();
    log.leave_reserve();
    log
}

#[test]
fn nothing_begins_in_the_last_generation_and_what_is_open_goes_on() {
    let (env, _) = machine(1);
    let log = at(&env, Generation::LAST.before());
    let begin = || {
        let (procid, levels, trx_begin0) = (ProcId(1), begin_levels(0, 1), TrxId(4));
        log.append(&Record::Begin0(Begin0 { procid, levels, trx_begin0 }))
    };
    assert!(!log.is_at_sequence_end());
    begin().unwrap();
    assert_eq!(log.roll().unwrap(), Generation::LAST);
    assert!(log.is_at_sequence_end());
    assert_eq!(begin().unwrap_err().jet_code(), -519);
    assert_eq!(log.roll().unwrap_err().jet_code(), -519);
    append(&log, 2, 56_000).unwrap();
    append(&log, 3, 56_000).unwrap();
    assert_eq!(log.current_generation(), Generation::LAST.next());
    log.flush_all().unwrap();
}

#[test]
fn the_generations_behind_those_of_a_run_are_kept_for_recovery() {
    let (env, _) = machine(1);
    let log = at(&env, Generation::LAST_OF_RUN);
    append(&log, 1, 56_000).unwrap();
    assert_eq!(append(&log, 2, 56_000).unwrap_err().jet_code(), -519);
    append(&log, 3, 10).unwrap();
    log.flush_all().unwrap();
    drop(log);
    let end = read(&env).unwrap().unwrap().end;
    assert_eq!(end.generation, Generation::LAST_OF_RUN);
    let log = Log::resume(&env, &config(), &end).unwrap();
    let mut last = Generation::LAST_OF_RUN;
    let refused = (4..).find_map(|number| match append(&log, number, 56_000) {
        Ok(_) => {
            last = log.current_generation();
            log.flush_all().unwrap();
            None
        }
        Err(error) => Some(error),
    });
    assert_eq!((refused.unwrap().jet_code(), last), (-519, Generation::LAST_OF_ALL));
}
