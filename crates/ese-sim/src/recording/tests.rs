use std::collections::HashSet;

use ese_os::{Fs, OpenMode};

use super::*;
use crate::{Random, SimDisk};

/// A little life: two files, syncs, a rename, marks.
fn life(seed: u64) -> SimDisk {
    let disk = SimDisk::new();
    let mut random = Random::new(seed);
    disk.create_dir_all(Path::new("/d")).unwrap();
    let log = disk.open(Path::new("/d/log"), OpenMode::CreateNew).unwrap();
    let tmp = disk.open(Path::new("/d/tmp"), OpenMode::CreateNew).unwrap();
    let mut end = 0;
    for step in 1..20 {
        let len = random.between(1, 3000);
        let data = random.bytes(len);
        log.write_at(&data, end).unwrap();
        end += data.len() as u64;
        if random.chance(1, 3) {
            log.sync().unwrap();
            disk.mark(step);
        }
        tmp.write_at(&random.bytes(600), step * 512).unwrap();
    }
    disk.rename(Path::new("/d/tmp"), Path::new("/d/final")).unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    disk
}

fn options(seed: u64, budget: usize) -> StateOptions {
    StateOptions { seed, budget, garbage: true, from_op: 0 }
}

#[test]
fn the_same_seed_makes_the_same_log_and_the_same_states() {
    let (one, two) = (life(5).recording(), life(5).recording());
    assert_eq!(one.hash(), two.hash());
    assert_eq!(one.trace(), two.trace());
    assert_ne!(one.hash(), life(6).recording().hash());
    let hashes = |rec: &Recording, seed| {
        rec.states(options(seed, 500)).map(|state| state.hash).collect::<Vec<_>>()
    };
    assert_eq!(hashes(&one, 1), hashes(&two, 1));
    assert_ne!(hashes(&one, 1), hashes(&one, 2));
}

#[test]
fn states_are_unique_and_reach_every_point_in_one_pass() {
    let recording = life(7).recording();
    let points = recording.points(0).len();
    let states: Vec<_> = recording.states(options(1, 2000)).collect();
    assert_eq!(states.len(), 2000);
    let unique: HashSet<_> = states.iter().map(|state| (state.hash, state.mark)).collect();
    assert_eq!(unique.len(), states.len());
    let hit: HashSet<_> = states.iter().map(|state| state.id.point).collect();
    assert!(hit.len() + 2 >= points, "{} of {points} points", hit.len());
    let few: HashSet<_> = recording.states(options(1, 12)).map(|s| s.id.point).collect();
    assert!(few.len() >= 10, "a small budget is spread over the workload: {few:?}");
}

#[test]
fn states_can_be_limited_to_the_end_of_a_recording() {
    let recording = life(7).recording();
    let from_op = recording.log.last().unwrap().op - 3;
    let late: Vec<_> =
        recording.states(StateOptions { from_op, ..options(1, 50) }).map(|s| s.op).collect();
    assert!(late.len() > 5 && late.iter().all(|op| *op >= from_op), "{late:?}");
}

#[test]
fn a_state_is_made_again_from_its_id() {
    let recording = life(8).recording();
    for state in recording.states(options(3, 300)).step_by(17) {
        let again = recording.state(state.id).unwrap();
        assert_eq!((again.hash, again.mark), (state.hash, state.mark));
        assert_eq!(again.description, state.description);
    }
    let nowhere = StateId { seed: 3, point: 1_000_000, plan: 0, garbage: false };
    assert!(recording.state(nowhere).is_none());
}

#[test]
fn marks_grow_with_the_point_of_the_cut_and_synced_bytes_are_there() {
    let disk = life(9);
    let recording = disk.recording();
    let full = disk.image().read(Path::new("/d/log")).unwrap();
    let mut synced = Vec::new();
    let mut len = 0;
    for entry in &recording.log {
        match &entry.effect {
            Effect::Change(change) if entry.path.ends_with("log") => {
                if let Change::Write { offset, data, .. } = &**change {
                    len = crate::index(*offset) + data.len();
                }
            }
            Effect::Mark(mark) => synced.push((*mark, len)),
            _ => {}
        }
    }
    for state in recording.states(options(1, 1500)) {
        let Some((_, must)) = synced.iter().rfind(|(mark, _)| *mark <= state.mark) else {
            continue;
        };
        // The name itself was only synced at the end.
        if let Some(log) = state.image.read(Path::new("/d/log")) {
            assert!(log.len() >= *must, "{}", state.description);
            assert_eq!(log[..*must], full[..*must], "{}", state.description);
        }
    }
}

#[test]
fn extended_ranges_without_their_data_are_zero_or_stale() {
    let disk = SimDisk::new();
    let file = disk.open(Path::new("/a"), OpenMode::CreateNew).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    file.write_at(&[0x55; 4096], 0).unwrap();
    let (mut zeros, mut stale) = (0, 0);
    for state in disk.crash_states(options(1, 200)) {
        let bytes = state.image.read(Path::new("/a")).unwrap();
        for sector in bytes.chunks(512) {
            match sector {
                same if same.iter().all(|byte| *byte == 0x55) => {}
                zero if zero.iter().all(|byte| *byte == 0) => zeros += 1,
                _ => stale += 1,
            }
        }
    }
    assert!(zeros > 10 && stale > 10, "{zeros} {stale}");
    let clean = StateOptions { garbage: false, ..options(1, 200) };
    for state in disk.crash_states(clean) {
        let bytes = state.image.read(Path::new("/a")).unwrap();
        assert!(bytes.iter().all(|byte| [0, 0x55].contains(byte)), "{}", state.description);
    }
}

#[test]
fn the_trace_reads_as_the_order_of_things() {
    let disk = SimDisk::new();
    let file = disk.open(Path::new("/a"), OpenMode::CreateNew).unwrap();
    file.write_at(b"text", 8).unwrap();
    file.len().unwrap();
    file.sync().unwrap();
    disk.rename(Path::new("/a"), Path::new("/b")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let expected = "create /a\nwrite /a 8+4\nsync /a\nrename /a to /b\nsync directory /\n";
    assert_eq!(disk.recording().trace(), expected);
}

#[test]
fn a_recording_can_start_in_the_middle() {
    let disk = SimDisk::new();
    let file = disk.open(Path::new("/a"), OpenMode::CreateNew).unwrap();
    file.write_at(&[1; 1024], 0).unwrap();
    disk.record(false);
    disk.sync_dir(Path::new("/")).unwrap();
    disk.record(true);
    disk.mark(3);
    let states: Vec<_> = disk.recording().states(options(1, 50)).collect();
    assert!(states.len() > 3, "what was pending before is still pending");
    assert!(states.iter().all(|state| state.mark == 3));
    assert!(states.iter().any(|s| s.image.read(Path::new("/a")).unwrap().is_empty()));
}

#[test]
fn a_second_cut_during_recovery_is_a_recording_of_its_own() {
    let first = life(10);
    let image = first.recording().snapshot_at(first.next_op() - 1, Plan::All).unwrap();
    let disk = SimDisk::from_image(&image);
    disk.mark(7);
    let log = disk.open(Path::new("/d/log"), OpenMode::CreateOrTruncate).unwrap();
    log.write_at(&[3; 2000], 0).unwrap();
    log.sync().unwrap();
    let states: Vec<_> = disk.recording().states(options(2, 100)).collect();
    assert!(states.len() > 10, "{}", states.len());
    let whole = |state: &CrashState| state.image.read(Path::new("/d/log")) == Some(vec![3; 2000]);
    assert!(states.iter().any(whole));
    assert!(states.iter().all(|state| state.mark == 7));
}
