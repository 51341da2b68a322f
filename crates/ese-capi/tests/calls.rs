//! Random calls of all functions through the library, from threads that share handles: nothing may
//! crash, hang or break the engine, and the database stays whole. `tests/c/calls.c` makes the
//! calls, of the declarations that this test reads from the header.
//!
//! `ESE_CALLS` is how many calls are made in all, else a few; `ESE_CALLS_SEED` is the first seed.
#![allow(clippy::disallowed_methods, reason = "the files of a test")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "a test says how much it did")]

mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use ese_api::{StopToken, VerifyOptions, verify_database};
use ese_os::Env;
use support::{compiler, libraries, needs, package, run};

/// Calls when nothing else is asked for: seconds.
const FEW: u64 = 60_000;
/// Calls of one process.
const AT_ONCE: u64 = 20_000;
/// Threads of one process; a single one makes the same calls again.
const THREADS: [&str; 3] = ["4", "1", "2"];

/// A line for each declaration: its name and its arguments.
fn declarations() -> String {
    let header = fs::read_to_string(package().join("include/esent.h")).unwrap();
    let mut table = String::new();
    for text in header.split("JET_ERR JET_API ").skip(1) {
        let text = text.split(';').next().unwrap();
        let (name, arguments) = text.split_once('(').unwrap();
        let arguments = arguments.trim_end().trim_end_matches(')');
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        table += &format!("FUNCTION({name}, \"{}\")\n", arguments.join(" "));
    }
    table
}

/// The program that calls.
fn program(dir: &Path) -> PathBuf {
    fs::write(dir.join("calls_table.h"), declarations()).unwrap();
    let exe = dir.join("calls");
    let source = package().join("tests/c/calls.c");
    let mut command = compiler("cc");
    command.args(["-std=c11", "-g", "-O1", "-pthread", "-I"]).arg(dir).arg(source);
    run(command.arg("-o").arg(&exe).arg("-L").arg(libraries()).arg("-lesent"));
    exe
}

fn number(name: &str) -> Option<u64> {
    Some(env::var(name).ok()?.parse().unwrap())
}

/// One process makes calls, another one uses what it left, then the file is verified. The value is
/// how many calls were made and how many of them succeeded.
fn sequence(exe: &Path, dir: &Path, seed: u64) -> (u64, u64) {
    let threads = THREADS[usize::try_from(seed).unwrap() % THREADS.len()];
    let words = [&seed.to_string(), &AT_ONCE.to_string(), threads];
    let mut command = Command::new(exe);
    let command = command.current_dir(dir).env("LD_LIBRARY_PATH", libraries());
    let out = command.arg("make").args(words).output().unwrap();
    let (said, errors) =
        (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let found = !out.status.success() || errors.contains("panicked");
    assert!(!found, "calls make {}: {}\n{errors}", words.join(" "), out.status);
    let mut check = Command::new(exe);
    let check = check.current_dir(dir).env("LD_LIBRARY_PATH", libraries()).arg("check");
    let left = run(check);
    assert!(left.ends_with("done\n"), "seed {seed}: {left}");
    let file = dir.join("main.edb");
    let mut quiet = |_: &ese_api::VerifyProgress| ();
    let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
    let report = verify_database(&Env::real(), &file, &mut options).unwrap();
    assert!(report.is_sound(), "seed {seed}: {:?}", report.problems);
    let mut numbers = said.split_whitespace().map(|word| word.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn random_calls_of_all_functions_neither_break_the_engine_nor_its_database() {
    if !needs("cc") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let exe = program(dir.path());
    let (wanted, first) = (number("ESE_CALLS").unwrap_or(FEW), number("ESE_CALLS_SEED"));
    let (mut calls, mut succeeded) = (0, 0);
    for seed in first.unwrap_or(1).. {
        let folder = dir.path().join("run");
        fs::create_dir(&folder).unwrap();
        let (more, good) = sequence(&exe, &folder, seed);
        fs::remove_dir_all(&folder).unwrap();
        (calls, succeeded) = (calls + more, succeeded + good);
        if calls >= wanted {
            println!("{calls} calls, {succeeded} of which succeeded; the last seed was {seed}");
            break;
        }
    }
    assert!(succeeded * 20 > calls, "only {succeeded} of {calls} calls succeeded");
}
