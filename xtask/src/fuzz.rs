//! `cargo xtask fuzz`: every target of `fuzz/` for a while, with the stable toolchain.
//!
//! `RUSTC_BOOTSTRAP=1` unlocks the coverage instrumentation that libFuzzer needs. Each target makes
//! its seeds by code (`fuzz/src/seeds.rs`) when it starts; findings land in `fuzz/artifacts`. As
//! many run beside each other as there are cores.

use std::{
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
};

use crate::{
    args::Args,
    install::host,
    paths,
    run::{Result, cargo, describe, output, run},
};

/// Memory one input may cost, in MiB; a decoder that needs more trusts a length it should check.
const MEMORY_LIMIT_MIB: u32 = 1024;

/// What is shown of a finding: the panic, else the end; a dump of values may be wide.
const FINDING_LINES: usize = 60;
const FINDING_COLUMNS: usize = 400;

/// Seconds one input may take.
const TIME_LIMIT_S: u32 = 10;

/// What is read from foreign files first, and runs for all of `--seconds`.
const THOROUGH: [&str; 3] = ["header", "log", "page"];

/// Seconds that the others run at most, unless they are named.
const BRIEF_S: u32 = 10;

pub(crate) fn main(args: &mut Args) -> Result<()> {
    let seconds = args.value("--seconds")?.unwrap_or_else(|| "60".to_string());
    // 0 would be no limit at all.
    let seconds: NonZeroU32 = seconds.parse().map_err(|e| format!("--seconds {seconds}: {e}"))?;
    let seconds = seconds.get();
    let mut names = args.words()?;
    let brief = if names.is_empty() { seconds.min(BRIEF_S) } else { seconds };
    if names.is_empty() {
        names = targets()?;
    }
    install()?;
    let mut build = cargo(&["fuzz", "build", "--sanitizer", "address"]);
    run(build.args(single(&names)).env("RUSTC_BOOTSTRAP", "1"))?;
    let programs = program_folder()?;
    let time = |name: &str| if THOROUGH.contains(&name) { seconds } else { brief };
    // The last ones are taken first.
    names.sort_by_key(|name| time(name));
    let (left, failed) = (Mutex::new(names.clone()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(name) = pop(&left) {
                    if let Err(error) = fuzz_one(&programs, &name, time(&name)) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !failed.is_empty() {
        return Err(failed.join("\n"));
    }
    let times: Vec<String> = names.iter().map(|n| format!("{n} {} s", time(n))).collect();
    println!("fuzz: no finding in {}", times.join(", "));
    Ok(())
}

fn pop(left: &Mutex<Vec<String>>) -> Option<String> {
    left.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// The targets: one file each.
fn targets() -> Result<Vec<String>> {
    let folder = paths::root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_string()))
        .collect();
    names.sort();
    if names.is_empty() { Err(format!("{}: no targets", folder.display())) } else { Ok(names) }
}

/// Runs a target; shows its figures, or after a finding the end of what it said.
fn fuzz_one(programs: &Path, name: &str, seconds: u32) -> Result<()> {
    let folder = paths::root().join("fuzz");
    let (corpus, artifacts) =
        (folder.join("corpus").join(name), folder.join("artifacts").join(name));
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    // Built by cargo-fuzz, run here: its own `run` prints a failing input byte by byte.
    let mut fuzz = Command::new(programs.join(name));
    fuzz.arg(&corpus)
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MEMORY_LIMIT_MIB}"))
        .arg(format!("-timeout={TIME_LIMIT_S}"))
        .args(["-print_final_stats=1", "-verbosity=0"])
        .env("RUST_BACKTRACE", "0")
        .env("ESE_SEEDS", &corpus);
    println!("$ {}", describe(&fuzz));
    let out = fuzz.output().map_err(|e| format!("{}: {e}", describe(&fuzz)))?;
    let words = String::from_utf8_lossy(&out.stderr);
    let lines: Vec<&str> = words.lines().collect();
    if out.status.success() {
        let figures = lines.iter().filter_map(|line| line.strip_prefix("stat::"));
        figures.for_each(|figure| println!("{name}: {figure}"));
        return Ok(());
    }
    let end = lines.len().saturating_sub(FINDING_LINES);
    let panic = lines.iter().position(|line| line.contains("panicked at"));
    for line in lines.iter().skip(panic.unwrap_or(end)).take(FINDING_LINES) {
        println!("{}", line.chars().take(FINDING_COLUMNS).collect::<String>());
    }
    Err(format!(
        "{} ({})\nthe input lies in {}; repeat with cargo fuzz run {name} INPUT",
        describe(&fuzz),
        out.status,
        artifacts.display()
    ))
}

/// `cargo fuzz build` builds one target by name, or all.
fn single(names: &[String]) -> Option<&String> {
    if names.len() == 1 { names.first() } else { None }
}

/// Where cargo-fuzz puts the programs: it always names the machine's own triple.
fn program_folder() -> Result<PathBuf> {
    let host = host()?;
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| paths::root().join("fuzz/target"), PathBuf::from);
    Ok(target.join(host).join("release"))
}

fn install() -> Result<()> {
    if output(Command::new("cargo").args(["fuzz", "--version"])).is_ok() {
        return Ok(());
    }
    println!("cargo-fuzz is missing and will be installed (about a minute)");
    run(&mut cargo(&["install", "cargo-fuzz", "--locked"]))
}
