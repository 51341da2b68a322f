//! Segments as other engines write them, without our stamp.

use ese_base::{LgPos, LogTime, ProcId};
use ese_os::{Env, OpenMode};
use ese_pages::checksum::stamp_segment;

use crate::{
    layout::{SEGMENT_HEADER_LEN, SegmentBytes, put_position, zeroed_segment},
    records::{Record, RecoveryUndo2, ShutDownMark, Trace, framing},
    testing::*,
    *,
};

/// A stream of one empty generation.
fn empty(env: &Env) {
    Log::create(env, &config(), signature()).unwrap();
}

/// A segment with these bytes of records.
fn segment(isec: u16, records: &[u8]) -> Box<SegmentBytes> {
    let mut segment = zeroed_segment();
    put_position(&mut segment, LgPos::new(1, isec, 0), LogTime::NULL);
    segment[SEGMENT_HEADER_LEN..SEGMENT_HEADER_LEN + records.len()].copy_from_slice(records);
    stamp_segment(&mut segment, u32::from(isec));
    segment
}

fn put(env: &Env, place: u16, segment: &SegmentBytes) {
    let file = env.fs.open(&config().names.current(), OpenMode::ReadWrite).unwrap();
    file.write_at(segment.as_slice(), u64::from(place) * 4096).unwrap();
}

fn record(number: u64, len: usize) -> Vec<u8> {
    let text = text(number, len);
    let mut bytes = Vec::new();
    let trace = Trace { procid: ProcId(1), text: &text, rollover: false };
    Record::Trace(trace).encode(&mut bytes).unwrap();
    bytes
}

fn numbers(env: &Env) -> Vec<u64> {
    read(env).unwrap().unwrap().numbers
}

fn code(env: &Env) -> i32 {
    read(env).unwrap_err().jet_code()
}

#[test]
fn a_torn_segment_is_read_from_its_shadow_and_repaired() {
    let (env, _) = machine(1);
    empty(&env);
    put(&env, 1, &segment(1, &record(0, 10)));
    let tail = segment(2, &record(1, 10));
    put(&env, 2, &[0xaa; 4096]);
    put(&env, 3, &tail);
    let contents = read(&env).unwrap().unwrap();
    assert_eq!(contents.numbers, [0, 1]);
    assert!(contents.end.is_torn());
    Log::resume(&env, &config(), &contents.end).unwrap();
    let contents = read(&env).unwrap().unwrap();
    assert_eq!(contents.numbers, [0, 1]);
    assert!(!contents.end.is_torn());
}

#[test]
fn a_torn_segment_without_a_shadow_ends_the_log_but_not_before_other_segments() {
    let (env, _) = machine(1);
    empty(&env);
    put(&env, 1, &segment(1, &record(0, 10)));
    put(&env, 2, &[0xaa; 4096]);
    assert_eq!(numbers(&env), [0]);
    put(&env, 4, &segment(4, &record(3, 10)));
    assert_eq!(code(&env), -501);
}

#[test]
fn a_record_with_padding_of_both_kinds_around_it_is_read() {
    let (env, _) = machine(1);
    empty(&env);
    let mut records = record(0, 10);
    records.extend([framing::NOP2, 9, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    records.extend(record(1, 20));
    put(&env, 1, &segment(1, &records));
    put(&env, 2, &segment(2, &record(2, 10)));
    let contents = read(&env).unwrap().unwrap();
    assert_eq!(contents.numbers, [0, 1, 2]);
    assert_eq!(contents.places[1].0, LgPos::new(1, 1, u16::try_from(40 + 15 + 14).unwrap()));
    assert_eq!(contents.places[2].0, LgPos::new(1, 2, 0));
}

#[test]
fn records_that_cannot_be_are_told_with_their_position() {
    let piece = |len: u16| [&[framing::FRAGMENT][..], &len.to_le_bytes(), &[0; 9]].concat();
    let first = |total: u32, len: u16| {
        [&[framing::FRAGMENT_BEGIN][..], &total.to_le_bytes(), &len.to_le_bytes()].concat()
    };
    for (records, what) in [
        (vec![200, 1, 2], "an unknown type"),
        (vec![framing::CHECKSUM; 30], "a record of the old framing"),
        (vec![0, 0, 0, 5], "data behind padding"),
        (vec![framing::NOP2, 0xff, 0xff, 0, 0], "padding beyond the segment"),
        (vec![framing::NOP2, 0xff, 0xff, 0xff, 0xff], "padding beyond everything"),
        (vec![22, 0, 0, 0xff, 0xff], "a record beyond the segment"),
        (piece(3), "a piece without a beginning"),
        (first(100, 0xffff), "a first piece beyond the segment"),
        (first(3, 3), "a first piece as long as its record"),
    ] {
        let (env, _) = machine(1);
        empty(&env);
        let mut bytes = record(0, 10);
        let at = SEGMENT_HEADER_LEN + bytes.len();
        bytes.extend(records);
        put(&env, 1, &segment(1, &bytes));
        let error = read(&env).unwrap_err();
        assert_eq!(error.jet_code(), -501, "{what}");
        let pos = LgPos::new(1, 1, u16::try_from(at).unwrap()).to_string();
        assert!(error.message().contains(&pos), "{what}: {error}");
    }
}

/// The bytes of record 1, its first piece filling segment 1 behind record 0, and the rest.
fn cut_record() -> (Vec<u8>, Vec<u8>) {
    let whole = record(1, 6000);
    let mut first = record(0, 10);
    let room = 4056 - first.len() - 7;
    first.push(framing::FRAGMENT_BEGIN);
    first.extend(u32::try_from(whole.len()).unwrap().to_le_bytes());
    first.extend(u16::try_from(room).unwrap().to_le_bytes());
    first.extend(&whole[..room]);
    let rest = &whole[room..];
    let mut second = vec![framing::FRAGMENT];
    second.extend(u16::try_from(rest.len()).unwrap().to_le_bytes());
    second.extend(rest);
    (first, second)
}

#[test]
fn pieces_are_put_together_and_their_rules_kept() {
    let (first, second) = cut_record();
    let (env, _) = machine(1);
    empty(&env);
    put(&env, 1, &segment(1, &first));
    put(&env, 2, &segment(2, &second));
    assert_eq!(numbers(&env), [0, 1]);

    // Too long, too short, and inside a segment.
    let mut long = second.clone();
    let len = u16::try_from(long.len() - 3 + 1).unwrap();
    long[1..3].copy_from_slice(&len.to_le_bytes());
    put(&env, 2, &segment(2, &long));
    assert_eq!(code(&env), -501);
    let mut inside = record(2, 5);
    inside.extend(&second);
    put(&env, 2, &segment(2, &inside));
    assert_eq!(code(&env), -501);
    // Whole, but its own length says something else.
    let mut other = first;
    let total = u32::from_le_bytes(other[16..20].try_into().unwrap());
    assert_eq!(other[15], framing::FRAGMENT_BEGIN);
    other[16..20].copy_from_slice(&(total - 1).to_le_bytes());
    put(&env, 1, &segment(1, &other));
    let mut short = second;
    short[1..3].copy_from_slice(&(len - 2).to_le_bytes());
    put(&env, 2, &segment(2, &short));
    assert_eq!(code(&env), -501);
}

#[test]
fn an_unfinished_record_is_dropped_at_the_end_and_before_a_recovery_only() {
    let (first, _) = cut_record();
    let (env, _) = machine(1);
    empty(&env);
    put(&env, 1, &segment(1, &first));
    let contents = read(&env).unwrap().unwrap();
    assert_eq!(contents.numbers, [0]);
    assert!(contents.end.is_torn());

    let bytes = |record: Record<'_>| {
        let mut bytes = Vec::new();
        record.encode(&mut bytes).unwrap();
        bytes
    };
    let undo = bytes(Record::RecoveryUndo2(RecoveryUndo2 { time: Some(LogTime::NULL) }));
    put(&env, 2, &segment(2, &undo));
    let stream = LogStream::scan(&env, &config().names).unwrap();
    let mut reader = stream.reader(LgPos::new(1, 0, 0)).unwrap();
    assert_eq!(number_of(&reader.next().unwrap().unwrap().record), Some(0));
    assert!(matches!(reader.next().unwrap().unwrap().record, Record::RecoveryUndo2(_)));

    let mark = bytes(Record::ShutDownMark(ShutDownMark {}));
    put(&env, 2, &segment(2, &mark));
    assert_eq!(code(&env), -501);
    put(&env, 2, &segment(2, &[mark, undo].concat()));
    assert_eq!(code(&env), -501);
}

#[test]
pub(crate) fn going_on_after_an_unfinished_record_removes_its_pieces() {
    let (mut first, _) = cut_record();
    // The record has three pieces; the third is missing.
    first[16..20].copy_from_slice(&12_000_u32.to_le_bytes());
    let mut second = vec![framing::FRAGMENT];
    second.extend(4053_u16.to_le_bytes());
    second.extend([7; 4053]);
    let (env, _) = machine(1);
    empty(&env);
    put(&env, 1, &segment(1, &first));
    put(&env, 2, &segment(2, &second));
    let contents = read(&env).unwrap().unwrap();
    assert_eq!(contents.numbers, [0]);
    let log = Log::resume(&env, &config(), &contents.end).unwrap();
    // Not what a recovery would log first: there must be nothing left to continue.
    assert_eq!(append(&log, 1, 100).unwrap().start, LgPos::new(1, 2, 0));
    log.flush_all().unwrap();
    assert_eq!(numbers(&env), [0, 1]);
}
