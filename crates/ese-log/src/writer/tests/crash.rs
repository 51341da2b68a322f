//! Every power cut keeps what was acknowledged, and the stream goes on after it.

use ese_sim::{CrashState, Image, Random, StateOptions};

use crate::{testing::*, *};

/// A run of appends, flushes and rolls. Record numbers go on from `first`; the disk is marked with
/// the number of records that are acknowledged.
fn workload(log: &Log, disk: &ese_sim::SimDisk, seed: u64, first: u64, steps: u64) -> u64 {
    let mut random = Random::new(seed);
    let shape = random.below(4);
    let mut number = first;
    for _ in 0..steps {
        for _ in 0..=random.below(4) {
            let len = match shape {
                // Small commits that share segments.
                0 => 80 + random.below(20),
                // A few to a segment, so that both places take turns.
                1 => 500 + random.below(900),
                2 => random.below(6000),
                _ if random.below(8) == 0 => random.below(30_000),
                _ => random.below(400),
            };
            append(log, number, usize::try_from(len).unwrap()).unwrap();
            number += 1;
        }
        if random.below(3) > 0 {
            log.flush_all().unwrap();
            disk.mark(number);
        }
        if random.below(25) == 0 {
            log.roll().unwrap();
            disk.mark(number);
        }
        if random.below(10) == 0 {
            log.background_step().unwrap();
        }
    }
    number
}

/// What a state must hold, then that the stream goes on from it. Returns the records found.
fn check(image: &Image, acknowledged: u64, what: &str) -> Vec<u64> {
    let (env, _) = boot(image);
    let contents = read(&env).unwrap_or_else(|e| panic!("{what}: {e}"));
    let Some(contents) = contents else {
        assert_eq!(acknowledged, 0, "{what}: the stream is gone");
        return Vec::new();
    };
    let found = contents.numbers;
    let first = found.first().copied().unwrap_or(0);
    let expected: Vec<u64> = (first..first + found.len() as u64).collect();
    assert_eq!(found, expected, "{what}: not a prefix");
    let end = first + found.len() as u64;
    assert!(end >= acknowledged, "{what}: {acknowledged} acknowledged, {end} found");
    found
}

/// Goes on from a state: resumes, appends, and reads everything again.
fn go_on(image: &Image, found: &[u64], what: &str) {
    let (env, disk) = boot(image);
    let Some(contents) = read(&env).unwrap() else {
        Log::create(&env, &config(), signature()).unwrap();
        return;
    };
    let log = Log::resume(&env, &config(), &contents.end).unwrap_or_else(|e| panic!("{what}: {e}"));
    let next = found.last().map_or(0, |n| n + 1);
    let after = workload(&log, &disk, 5, next, 6);
    log.flush_all().unwrap();
    let all = read(&env).unwrap_or_else(|e| panic!("{what}: {e}")).unwrap().numbers;
    let first = all.first().copied().unwrap_or(0);
    assert_eq!(all, (first..after).collect::<Vec<_>>(), "{what}: after going on");
}

fn options(seed: u64, budget: usize) -> StateOptions {
    StateOptions { seed, budget, garbage: true, from_op: 0 }
}

/// How much longer than usual to look: `ESE_TEST_SCALE`.
fn scale() -> u64 {
    std::env::var("ESE_TEST_SCALE").ok().and_then(|s| s.parse().ok()).unwrap_or(1)
}

/// Cuts the power at all moments of a run, and again while some of the states are resumed.
fn cut(seed: u64, steps: u64, budget: usize, circular: bool) {
    let config = LogConfig { circular, ..config() };
    let (env, disk) = machine(seed);
    let log = Log::create(&env, &config, signature()).unwrap();
    let witness = std::sync::Arc::new(Witness::default());
    if circular {
        log.set_observer(witness.clone());
    }
    let mut number = 0;
    for part in 0..4 {
        number = workload(&log, &disk, seed + part, number, steps / 4);
        *witness.checkpoint.lock() = log.durable();
    }
    let recording = disk.recording();
    for (at, state) in recording.states(options(seed, budget)).enumerate() {
        let CrashState { image, mark, description, .. } = state;
        let found = check(&image, mark, &description);
        go_on(&image, &found, &description);
        if at % 25 == 0 {
            cut_resume(&image, &found, &description, seed);
        }
    }
}

/// Cuts the power while a stream is resumed and goes on, starting from a crash state.
fn cut_resume(image: &Image, found: &[u64], what: &str, seed: u64) {
    let (env, disk) = boot(image);
    let Some(contents) = read(&env).unwrap() else { return };
    let next = found.last().map_or(0, |n| n + 1);
    // Whatever was found has been seen, so it must never be lost again.
    disk.mark(next);
    let log = Log::resume(&env, &config(), &contents.end).unwrap();
    workload(&log, &disk, seed + 2, next, 3);
    for state in disk.recording().states(options(seed, 30)) {
        let what = format!("{what}; then {}", state.description);
        let found = check(&state.image, state.mark, &what);
        go_on(&state.image, &found, &what);
    }
}

#[test]
pub(crate) fn no_power_cut_loses_an_acknowledged_record() {
    for seed in 0..8 * scale() {
        cut(seed, 40, 150, false);
    }
}

#[test]
fn no_power_cut_loses_an_acknowledged_record_in_circular_mode() {
    for seed in 100..100 + 4 * scale() {
        cut(seed, 60, 150, true);
    }
}

#[test]
pub(crate) fn no_power_cut_mixes_up_generations_whose_files_are_used_again() {
    let (env, disk) = machine(1);
    let config = LogConfig { circular: true, ..config() };
    let log = Log::create(&env, &config, signature()).unwrap();
    let witness = std::sync::Arc::new(Witness::default());
    log.set_observer(witness.clone());
    for number in 0..9 {
        append(&log, number, 3000).unwrap();
        log.flush_all().unwrap();
        disk.mark(number + 1);
        *witness.checkpoint.lock() = log.durable();
        if number % 2 == 0 {
            log.background_step().unwrap();
        }
        log.roll().unwrap();
    }
    for state in disk.recording().states(options(1, 1200)) {
        let found = check(&state.image, state.mark, &state.description);
        go_on(&state.image, &found, &state.description);
    }
}

#[test]
pub(crate) fn a_kill_and_then_a_power_cut_lose_nothing_acknowledged() {
    for kill in 0..60 {
        let (env, disk) = machine(kill);
        let log = Log::create(&env, &config(), signature()).unwrap();
        disk.power_off_at(Some(disk.next_op() + 20 + kill));
        // Commits of which several share a segment, until the process is killed.
        let mut number = 0;
        while append(&log, number, 700).and_then(|a| log.flush(a.end)).is_ok() {
            number += 1;
            disk.mark(number);
            if number % 7 == 0 && log.roll().is_err() {
                break;
            }
        }
        drop(log);
        // The next process runs on the same machine: the cache is still there.
        disk.power_off_at(None);
        let killed_at = disk.next_op();
        let contents = read(&env).unwrap().unwrap();
        let next = contents.numbers.last().map_or(0, |n| n + 1);
        assert!(next >= number);
        let log = Log::resume(&env, &config(), &contents.end).unwrap();
        workload(&log, &disk, kill, next, 2);
        let options = StateOptions { from_op: killed_at, ..options(kill, 120) };
        for state in disk.recording().states(options) {
            let found = check(&state.image, state.mark, &state.description);
            go_on(&state.image, &found, &state.description);
        }
    }
}

#[test]
pub(crate) fn a_killed_process_finds_everything_that_was_written() {
    // A kill leaves what the system's cache holds: no write is lost, synced or not.
    for seed in 0..20 {
        let (env, disk) = machine(seed);
        let log = Log::create(&env, &config(), signature()).unwrap();
        let mut number = 0;
        for round in 0..30 {
            number = workload(&log, &disk, seed * 100 + round, number, 2);
            log.flush_all().unwrap();
            let image = disk.image();
            let found = check(&image, number, "kill");
            assert_eq!(found.last().map_or(0, |n| n + 1), number);
            // And it is at its own place, where readers look first.
            let (env, _) = boot(&image);
            assert!(!read(&env).unwrap().unwrap().end.is_torn());
        }
    }
}
