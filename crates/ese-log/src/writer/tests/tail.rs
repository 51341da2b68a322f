//! The protocol of the growing tail, tried exhaustively: every moment of a run, and every subset
//! of the sectors that were not synced at that moment.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use ese_base::{Generation, JetErr, LgPos, LogTime, ProcId, Result};
use ese_os::{File, LockMode, PageMap};
use ese_sim::Random;

use super::super::place::Writer;
use crate::{
    Record,
    buffer::Buffer,
    layout::{SEGMENT_HEADER_LEN, SEGMENT_LEN, SegmentBytes},
    records::Trace,
    testing::text,
};

const SECTOR: usize = 512;
/// Places of the file; the header's is not used.
const SECTORS: u16 = 16;
/// Subsets looked at per moment. Where there are more, sectors are torn in larger units.
const SUBSETS_MAX: usize = 4096;

/// What happened to the file, in order.
#[derive(Clone, Debug)]
enum Op {
    Write {
        offset: usize,
        data: Vec<u8>,
    },
    Sync,
    /// Everything up to here was acknowledged.
    Acknowledge(LgPos),
}

#[derive(Debug, Default)]
struct Recorder {
    ops: Mutex<Vec<Op>>,
}

/// Bytes for a reader.
#[derive(Debug)]
struct Bytes(Vec<u8>);

macro_rules! file_without_the_rest {
    () => {
        fn path(&self) -> &Path {
            Path::new("tail")
        }
        fn start_writeback(&self, _: u64, _: u64) {}
        fn will_need(&self, _: u64, _: u64) {}
        fn len(&self) -> Result<u64> {
            Ok(u64::from(SECTORS) * 4096)
        }
        fn set_len(&self, _: u64) -> Result<()> {
            Ok(())
        }
        fn allocate(&self, _: u64, _: u64) -> Result<()> {
            Ok(())
        }
        fn lock(&self, _: LockMode) -> Result<()> {
            Ok(())
        }
        fn unlock(&self) -> Result<()> {
            Ok(())
        }
        fn is_at(&self, path: &Path) -> Result<bool> {
            Ok(path == self.path())
        }
        fn map(&self) -> Result<Option<Arc<dyn PageMap>>> {
            Ok(None)
        }
    };
}

impl File for Recorder {
    file_without_the_rest!();
    fn read_at(&self, _: &mut [u8], _: u64) -> Result<()> {
        Err(ese_base::Error::code_only(JetErr::DiskIO))
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.ops.lock().unwrap().push(Op::Write { offset, data: buf.to_vec() });
        Ok(())
    }
    fn sync(&self) -> Result<()> {
        self.ops.lock().unwrap().push(Op::Sync);
        Ok(())
    }
}

impl File for Bytes {
    file_without_the_rest!();
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let offset = usize::try_from(offset).unwrap();
        buf.copy_from_slice(&self.0[offset..offset + buf.len()]);
        Ok(())
    }
    fn write_at(&self, _: &[u8], _: u64) -> Result<()> {
        Err(ese_base::Error::code_only(JetErr::DiskIO))
    }
    fn sync(&self) -> Result<()> {
        Ok(())
    }
}

/// What a run did, and what its segments finally held.
struct Run {
    ops: Vec<Op>,
    segments: Vec<Box<SegmentBytes>>,
}

/// Appends records of these lengths and makes the log durable after each batch, until the file is
/// full.
fn run(batches: &[Vec<usize>]) -> Run {
    let recorder = Arc::new(Recorder::default());
    let file: Arc<dyn File> = Arc::clone(&recorder) as Arc<dyn File>;
    let generation = Generation(1);
    let mut writer = Writer::new(Some(file), generation, LogTime::NULL, 0);
    let start = LgPos { generation, isec: 1, ib: 0 };
    let mut buffer = Buffer::new(start, SECTORS - 2, 64);
    let mut segments = vec![Box::new([0; SEGMENT_LEN]); usize::from(SECTORS)];
    let mut number = 0;
    'run: for batch in batches {
        for len in batch {
            let text = text(number, *len);
            number += 1;
            let trace = Trace { procid: ProcId(1), text: &text, rollover: false };
            let record = Record::Trace(trace);
            let appended =
                buffer.append(&record.parts().unwrap(), false, || LogTime::NULL).unwrap();
            if appended.unwrap().end.generation != generation {
                // The file is full.
                break 'run;
            }
        }
        let mut batch = buffer.take(|tail| writer.keep_open(tail));
        writer.write(&mut batch.segments, batch.last_open).unwrap();
        writer.make_durable().unwrap();
        for taken in batch.segments {
            segments[usize::from(taken.isec)] = taken.bytes;
        }
        recorder.ops.lock().unwrap().push(Op::Acknowledge(batch.tip));
    }
    let ops = std::mem::take(&mut *recorder.ops.lock().unwrap());
    Run { ops, segments }
}

/// What a unit of the file can hold after a power cut: first what is durable, then what was
/// written since.
type Possible = Vec<Vec<u8>>;

/// All possible contents of the units that are not certain, at one moment.
fn uncertain(durable: &[u8], pending: &[(usize, Vec<u8>)], unit: usize) -> Vec<(usize, Possible)> {
    let mut units = Vec::new();
    for at in (0..durable.len()).step_by(unit) {
        // The unit after each write to it; parts that a write does not touch stay.
        let mut versions: Possible = vec![durable[at..at + unit].to_vec()];
        for (offset, data) in pending {
            let (from, to) = ((*offset).max(at), (offset + data.len()).min(at + unit));
            if from < to {
                let mut version = versions.last().unwrap().clone();
                version[from - at..to - at].copy_from_slice(&data[from - offset..to - offset]);
                if !versions.contains(&version) {
                    versions.push(version);
                }
            }
        }
        if versions.len() > 1 {
            units.push((at, versions));
        }
    }
    units
}

/// Every state of a moment, or every state with larger units where there are too many.
fn each_state(durable: &[u8], pending: &[(usize, Vec<u8>)], mut check: impl FnMut(Vec<u8>)) {
    let mut unit = SECTOR;
    let units = loop {
        let units = uncertain(durable, pending, unit);
        let count = units.iter().fold(1_usize, |n, (_, v)| n.saturating_mul(v.len()));
        if count <= SUBSETS_MAX || unit == SEGMENT_LEN {
            break units;
        }
        unit *= 2;
    };
    let mut choice = vec![0; units.len()];
    loop {
        let mut state = durable.to_vec();
        for ((at, versions), &chosen) in units.iter().zip(&choice) {
            state[*at..at + unit].copy_from_slice(&versions[chosen]);
        }
        check(state);
        // The next choice, as an odometer turns.
        let Some(turn) = (0..units.len()).find(|&i| choice[i] + 1 < units[i].1.len()) else {
            return;
        };
        choice[turn] += 1;
        choice[..turn].fill(0);
    }
}

/// A state must hold everything acknowledged, as it was written, and be readable without error.
fn check_state(run: &Run, state: Vec<u8>, acknowledged: LgPos) {
    use crate::reader::segments_for_tests::{Role, Segments, used_len};
    let file = Arc::new(Bytes(state));
    let mut segments = Segments::over(file, Generation(1), SECTORS, Role::Last);
    let mut segment = Box::new([0; SEGMENT_LEN]);
    let mut end = LgPos::new(1, 1, 0);
    while let Some(isec) = segments.next(&mut segment).unwrap() {
        let used = used_len(&segment);
        let written = &run.segments[usize::from(isec)];
        assert_eq!(
            segment[SEGMENT_HEADER_LEN..used],
            written[SEGMENT_HEADER_LEN..used],
            "segment {isec} is not what was written"
        );
        assert!(
            end.ib == 0 || used_len(&run.segments[usize::from(isec) - 1]) == usize::from(end.ib)
        );
        end = match u16::try_from(used) {
            Ok(ib) if used < SEGMENT_LEN => LgPos { isec, ib, ..end },
            _ => LgPos { isec: isec + 1, ib: 0, ..end },
        };
    }
    segments.end().unwrap();
    assert!(end >= acknowledged, "acknowledged up to {acknowledged}, found up to {end}");
}

/// Looks at every moment of a run; the value is the number of states.
fn look_at(batches: &[Vec<usize>]) -> u64 {
    let run = run(batches);
    let mut durable = vec![0; usize::from(SECTORS) * SEGMENT_LEN];
    let mut pending: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut acknowledged = LgPos::new(1, 1, 0);
    let mut states = 0;
    for op in &run.ops {
        match op {
            Op::Write { offset, data } => pending.push((*offset, data.clone())),
            Op::Sync => {
                for (offset, data) in pending.drain(..) {
                    durable[offset..offset + data.len()].copy_from_slice(&data);
                }
            }
            Op::Acknowledge(pos) => acknowledged = *pos,
        }
        each_state(&durable, &pending, |state| {
            states += 1;
            check_state(&run, state, acknowledged);
        });
    }
    states
}

#[test]
pub(crate) fn no_subset_of_sectors_loses_an_acknowledged_record() {
    let mut states = 0;
    // Commits of one size, from many to a segment to several segments each.
    for len in [60, 250, 400, 700, 1000, 1200, 1340, 1700, 2100, 3000, 4051, 4052, 5000, 9000] {
        states += look_at(&vec![vec![len]; 24]);
    }
    // A growing tail that the next batch runs out of.
    for (small, large) in [(300, 3900), (500, 3700), (900, 5000), (1000, 9000)] {
        for smalls in 1..5 {
            let mut batches = vec![vec![small]; smalls];
            let mut without = batches.clone();
            batches.extend([vec![small, large], vec![small], vec![small]]);
            states += look_at(&batches);
            // The same without growth before the next segment.
            without.extend([vec![large], vec![small], vec![small]]);
            states += look_at(&without);
        }
    }
    assert!(states > 20_000, "{states} states");
}

#[test]
fn no_subset_of_sectors_loses_an_acknowledged_record_of_mixed_batches() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut left = 40_000_usize;
        let mut batches = Vec::new();
        while left > 8000 && batches.len() < 20 {
            let batch: Vec<usize> = (0..=random.below(3))
                .map(|_| {
                    let longest = 1 << random.below(12);
                    usize::try_from(10 + random.below(longest)).unwrap()
                })
                .collect();
            left = left.saturating_sub(batch.iter().map(|len| len + 40).sum());
            batches.push(batch);
        }
        look_at(&batches);
    }
}

#[test]
fn commits_of_one_size_cost_one_sync_each() {
    for len in [60, 250, 400, 700, 1000, 1200, 1340, 2000, 3000, 5000] {
        let run = run(&vec![vec![len]; 60]);
        let count = |wanted: fn(&Op) -> bool| run.ops.iter().filter(|op| wanted(op)).count();
        let commits = count(|op| matches!(op, Op::Acknowledge(_)));
        assert!(commits >= 7);
        assert_eq!(count(|op| matches!(op, Op::Sync)), commits, "commits of {len} bytes");
    }
}

#[test]
fn a_commit_begins_a_segment_when_the_open_one_is_old() {
    let start = LgPos { generation: Generation(1), isec: 1, ib: 0 };
    let mut buffer = Buffer::new(start, SECTORS - 2, 64);
    let mut append = |ms: u64, is_commit: bool| {
        let trace = Trace { procid: ProcId(1), text: b"x", rollover: false };
        let (record, now) = (Record::Trace(trace), || LogTime::from_unix_ms(ms));
        let appended = buffer.append(&record.parts().unwrap(), is_commit, now).unwrap().unwrap();
        (appended.start.isec, appended.start.ib == 0)
    };
    assert_eq!(append(10_000, true), (1, true));
    assert_eq!(append(10_499, true), (1, false));
    assert_eq!(append(99_000, false), (1, false), "what is no commit stands anywhere");
    assert_eq!(append(99_001, true), (2, true));
    assert_eq!(append(99_400, true), (2, false));
    assert_eq!(append(20_000, true), (3, true), "the clock was set back");
    assert_eq!(append(20_001, true), (3, false));
}
