//! Kill -9 while the demo loads: every transaction that it had acknowledged is there after
//! recovery, of every other one all rows or none, and of those at most one a thread.
//!
//! Each kill waits for a number of acknowledgements and then for a moment, so that kills are spread
//! over the whole loading however fast the machine is. `ESE_SEED` gives the seed (moments depend on
//! the machine all the same).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "the test starts and kills a program")]

mod support;

use std::{
    env, fs,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use ese_api::Env;
use support::{
    demo::{LOADERS, acknowledged, committed, write_records},
    ese, finish, program, spawn,
};

const KILLS: usize = 200;
/// So many run beside each other.
const WORKERS: usize = 2;
/// Transactions of the input.
const UNITS: usize = 60;
/// One of so many results is verified page by page.
const VERIFIED: usize = 8;

#[test]
fn a_kill_at_any_moment_of_the_demos_loading_leaves_what_was_acknowledged() {
    let begun = Instant::now();
    let seed = env::var("ESE_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| Env::real().rng.next_u32());
    println!("seed {seed}");
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("records.jsonl");
    write_records(&input, UNITS);
    let killed: Vec<Killed> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (dir, input) = (dir.path().join(worker.to_string()), &input);
                fs::create_dir(&dir).unwrap();
                let numbers = (worker..KILLS).step_by(WORKERS);
                let kill = move |number| kill_once(&dir, input, seed, number);
                scope.spawn(move || numbers.map(kill).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let count = |which: fn(&Killed) -> bool| killed.iter().filter(|killed| which(killed)).count();
    let none = count(|killed| killed.found == 0);
    let partly = count(|killed| (1..UNITS).contains(&killed.found));
    let unsaid = count(|killed| killed.found > killed.acknowledged);
    let seconds = begun.elapsed().as_secs_f64();
    println!("{none} before a commit, {partly} amid them, {unsaid} between a commit and its note");
    println!("{KILLS} kills in {seconds:.1} s");
    assert!(partly > KILLS / 2, "seed {seed}: {partly}");
}

/// Transactions.
#[derive(Debug)]
struct Killed {
    acknowledged: usize,
    found: usize,
}

fn kill_once(dir: &Path, input: &Path, seed: u32, number: usize) -> Killed {
    let place = format!("seed {seed}, kill {number}");
    let (demo, notes) = (dir.join("demo"), dir.join("notes"));
    let mut child = spawn(
        program()
            .args(["demo", "--quiet", "--dir", "demo", "--acknowledge", "notes", "--input"])
            .arg(input)
            .current_dir(dir),
    );
    // Every number of acknowledgements has its turn, the moment after it is anyone.
    let wanted = number * UNITS / KILLS;
    let there = || match wanted {
        0 => demo.join("live").exists(),
        _ => acknowledged(&notes).len() >= wanted,
    };
    while !there() {
        if child.try_wait().unwrap().is_some() {
            let ran = finish(child);
            unreachable!("{place}: it ended before {wanted} acknowledgements: {ran:?}");
        }
        thread::sleep(Duration::from_micros(200));
    }
    let wait = random(seed, number) % if wanted == 0 { 30_000 } else { 1500 };
    thread::sleep(Duration::from_micros(wait.into()));
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(9), "{place}: it ended by itself: {status}");
    let acknowledged = acknowledged(&notes);
    let found = committed(dir, "demo/live", &place, acknowledged.is_empty());
    assert!(found.is_superset(&acknowledged), "{place}: {acknowledged:?}, {found:?}");
    let more = found.len() - acknowledged.len();
    assert!(more <= LOADERS, "{place}: {acknowledged:?}, {found:?}");
    if number.is_multiple_of(VERIFIED) && !found.is_empty() {
        assert!(ese(dir, &["verify", "demo/live"]).fine().ends_with("sound\n"), "{place}");
    }
    fs::remove_dir_all(demo).unwrap();
    drop(fs::remove_file(notes));
    Killed { acknowledged: acknowledged.len(), found: found.len() }
}

/// Any number.
fn random(seed: u32, number: usize) -> u32 {
    let mut state = seed ^ u32::try_from(number).unwrap().wrapping_mul(0x9e37_79b9);
    for shift in [16, 15, 16] {
        state = (state ^ (state >> shift)).wrapping_mul(0x85eb_ca6b);
    }
    state
}
