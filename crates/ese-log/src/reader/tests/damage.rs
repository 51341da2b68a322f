//! Damage that no power cut can have made is an error that names its place; a torn tail is none.

use std::path::PathBuf;

use ese_base::{Generation, LgPos};
use ese_os::{Env, OpenMode};

use crate::{testing::*, *};

const SEGMENT: u64 = 4096;

/// A stream of two generations; the second has batches of several segments and small commits.
/// Gives the numbers of records that are durable after each flush, with the tip.
fn stream(env: &Env) -> Vec<(u64, LgPos)> {
    let log = Log::create(env, &config(), signature()).unwrap();
    let mut flushed = Vec::new();
    let mut number = 0;
    let mut flush = |log: &Log, count: u64, len: usize| {
        for _ in 0..count {
            append(log, number, len).unwrap();
            number += 1;
        }
        log.flush_all().unwrap();
        flushed.push((number, log.durable()));
    };
    flush(&log, 3, 9000);
    log.roll().unwrap();
    flush(&log, 4, 3000);
    flush(&log, 1, 700);
    flush(&log, 1, 700);
    flush(&log, 3, 5000);
    flush(&log, 1, 300);
    flushed
}

fn current(env: &Env) -> PathBuf {
    LogStream::scan(env, &config().names).unwrap().current().unwrap().path.clone()
}

fn damage(env: &Env, path: &std::path::Path, offset: u64) {
    let file = env.fs.open(path, OpenMode::ReadWrite).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, offset).unwrap();
    file.write_at(&[byte[0] ^ 0x10], offset).unwrap();
}

/// The segments of the current file that hold data.
fn last_segment(flushed: &[(u64, LgPos)]) -> u64 {
    let (_, end) = flushed[flushed.len() - 1];
    u64::from(if end.ib == 0 { end.isec - 1 } else { end.isec })
}

#[test]
pub(crate) fn damage_before_durable_data_is_told_with_generation_and_position() {
    let (env, _) = machine(1);
    let flushed = stream(&env);
    let last = last_segment(&flushed);
    assert!(last >= 9, "{flushed:?}");
    // The last batch alone could have been torn.
    let (_, before_last) = flushed[flushed.len() - 2];
    for isec in 1..u64::from(before_last.isec) {
        let (env, _) = machine(1);
        stream(&env);
        damage(&env, &current(&env), isec * SEGMENT + 100);
        let error = read(&env).unwrap_err();
        assert_eq!(error.jet_code(), -501, "segment {isec}");
        assert_eq!(error.generation(), Some(Generation(2)));
        let place = LgPos::new(2, u16::try_from(isec).unwrap(), 0).to_string();
        assert!(error.message().contains(&place), "{error}");
    }
}

#[test]
fn lost_segments_before_durable_data_are_told_too() {
    for isec in 1..4 {
        let (env, _) = machine(1);
        stream(&env);
        let file = env.fs.open(&current(&env), OpenMode::ReadWrite).unwrap();
        file.write_at(&[0; 4096], isec * SEGMENT).unwrap();
        assert_eq!(read(&env).unwrap_err().jet_code(), -501, "segment {isec}");
    }
}

#[test]
fn a_torn_last_batch_ends_the_log_silently() {
    let (env, _) = machine(1);
    let flushed = stream(&env);
    let last = last_segment(&flushed);
    // Both places of the last segment.
    damage(&env, &current(&env), last * SEGMENT + 100);
    damage(&env, &current(&env), (last + 1) * SEGMENT + 100);
    let contents = read(&env).unwrap().unwrap();
    let (kept, _) = flushed[flushed.len() - 2];
    assert_eq!(contents.numbers, (0..kept).collect::<Vec<_>>());
    assert!(contents.end.is_torn());
}

#[test]
fn one_damaged_place_of_the_tail_is_made_good_by_the_other() {
    for place in [0, 1] {
        let (env, _) = machine(1);
        let flushed = stream(&env);
        let (all, _) = flushed[flushed.len() - 1];
        damage(&env, &current(&env), (last_segment(&flushed) + place) * SEGMENT + 100);
        let contents = read(&env).unwrap().unwrap();
        assert_eq!(contents.numbers, (0..all).collect::<Vec<_>>());
        let log = Log::resume(&env, &config(), &contents.end).unwrap();
        append(&log, all, 10).unwrap();
        log.flush_all().unwrap();
        assert_eq!(read(&env).unwrap().unwrap().numbers, (0..=all).collect::<Vec<_>>());
    }
}

#[test]
fn one_damaged_place_of_a_last_segment_that_was_closed_at_once_is_made_good_too() {
    // Lengths that leave room for no second batch, in the first segment or in a later one.
    for len in (2100..4000).step_by(100).chain((6000..8000).step_by(100)) {
        for place in [0, 1] {
            let (env, _) = machine(1);
            let log = Log::create(&env, &config(), signature()).unwrap();
            for number in 0..3 {
                append(&log, number, len).unwrap();
                log.flush_all().unwrap();
            }
            let tip = log.durable();
            let last = u64::from(if tip.ib == 0 { tip.isec - 1 } else { tip.isec });
            damage(&env, &current(&env), (last + place) * SEGMENT + 100);
            assert_eq!(read(&env).unwrap().unwrap().numbers, [0, 1, 2], "{len}, place {place}");
        }
    }
}

#[test]
fn damage_in_a_finished_generation_is_told() {
    let archive = config().names.archive(Generation(1));
    // The last of its seven segments has a copy.
    for isec in 1..=6 {
        let (env, _) = machine(1);
        stream(&env);
        damage(&env, &archive, isec * SEGMENT + 4000);
        let error = read(&env).unwrap_err();
        assert_eq!((error.jet_code(), error.generation()), (-501, Some(Generation(1))));
    }
    // A finished generation from another run of the same length: all whole, but not this one.
    let (env, _) = machine(1);
    stream(&env);
    let (other, _) = machine(1);
    let log = Log::create(&other, &config(), signature()).unwrap();
    for number in 5..8 {
        append(&log, number, 9000).unwrap();
    }
    log.roll().unwrap();
    let mut bytes = vec![0; 64 << 10];
    other.fs.open(&archive, OpenMode::Read).unwrap().read_at(&mut bytes, 0).unwrap();
    env.fs.open(&archive, OpenMode::ReadWrite).unwrap().write_at(&bytes, 0).unwrap();
    assert_eq!(read(&env).unwrap_err().jet_code(), -501);
}

#[test]
fn a_segment_of_a_later_generation_is_told() {
    let (env, _) = machine(1);
    stream(&env);
    let mut segment = crate::layout::zeroed_segment();
    crate::layout::put_position(&mut segment, LgPos::new(9, 13, 0), ese_base::LogTime::NULL);
    crate::layout::seal_as(&mut segment, 13, layout::Stamp { settled: 1, end: 40 });
    let file = env.fs.open(&current(&env), OpenMode::ReadWrite).unwrap();
    file.write_at(segment.as_slice(), 13 * SEGMENT).unwrap();
    let error = read(&env).unwrap_err();
    assert_eq!(error.jet_code(), -501);
    assert!(error.message().contains("000009,000D,0000"), "{error}");
}

#[test]
fn a_disk_that_cannot_be_read_is_told() {
    let (env, disk) = machine(1);
    stream(&env);
    let path = current(&env);
    assert!(disk.make_unreadable(&path, 3 * SEGMENT, 512));
    assert_eq!(read(&env).unwrap_err().jet_code(), -1022);
}

#[test]
fn no_damaged_byte_makes_the_reader_panic_or_invent_records() {
    let mut random = ese_sim::Random::new(11);
    for _ in 0..300 {
        let (env, _) = machine(1);
        let flushed = stream(&env);
        let (all, _) = flushed[flushed.len() - 1];
        let path = match random.below(3) {
            0 => config().names.archive(Generation(1)),
            _ => current(&env),
        };
        for _ in 0..=random.below(3) {
            damage(&env, &path, random.below(64 << 10));
        }
        match read(&env) {
            Ok(contents) => {
                let numbers = contents.unwrap().numbers;
                assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
                assert!(numbers.len() as u64 <= all);
            }
            Err(error) => assert!(error.jet_code() < 0),
        }
    }
}
