//! `cargo xtask fuzz`: every target of `fuzz/` for a while, with the stable toolchain.
//!
//! `RUSTC_BOOTSTRAP=1` unlocks the coverage instrumentation that libFuzzer needs. Seeds are made by
//! code (`fuzz/examples/seeds.rs`) before each run; findings land in `fuzz/artifacts`.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    args::Args,
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

pub(crate) fn main(args: &mut Args) -> Result<()> {
    let seconds = args.value("--seconds")?.unwrap_or_else(|| "60".to_string());
    let seconds: u32 = seconds.parse().map_err(|e| format!("--seconds {seconds}: {e}"))?;
    let mut names = args.words()?;
    if names.is_empty() {
        names = targets()?;
    }
    install()?;
    let folder = paths::root().join("fuzz");
    let corpus = folder.join("corpus");
    let seeds = ["run", "--quiet", "--example", "seeds", "--manifest-path"];
    run(cargo(&seeds).arg(folder.join("Cargo.toml")).arg("--").arg(&corpus))?;
    // Built by cargo-fuzz, run here: its own `run` prints a failing input byte by byte.
    let mut build = cargo(&["fuzz", "build", "--sanitizer", "address"]);
    run(build.args(single(&names)).env("RUSTC_BOOTSTRAP", "1"))?;
    let programs = program_folder()?;
    for name in &names {
        let artifacts = folder.join("artifacts").join(name);
        fs::create_dir_all(&artifacts).map_err(|e| format!("{}: {e}", artifacts.display()))?;
        let mut fuzz = Command::new(programs.join(name));
        fuzz.arg(corpus.join(name))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MEMORY_LIMIT_MIB}"))
            .arg(format!("-timeout={TIME_LIMIT_S}"))
            .args(["-print_final_stats=1", "-verbosity=0"])
            .env("RUST_BACKTRACE", "0");
        fuzz_one(&mut fuzz).map_err(|e| {
            let where_to = artifacts.display();
            format!("{e}\nthe input lies in {where_to}; repeat with cargo fuzz run {name} INPUT")
        })?;
    }
    println!("fuzz: {} targets, {seconds} s each, no finding", names.len());
    Ok(())
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
fn fuzz_one(fuzz: &mut Command) -> Result<()> {
    println!("$ {}", describe(fuzz));
    let out = fuzz.output().map_err(|e| format!("{}: {e}", describe(fuzz)))?;
    let words = String::from_utf8_lossy(&out.stderr);
    let lines: Vec<&str> = words.lines().collect();
    if out.status.success() {
        lines.iter().filter(|l| l.starts_with("stat::")).for_each(|l| println!("{l}"));
        return Ok(());
    }
    let end = lines.len().saturating_sub(FINDING_LINES);
    let panic = lines.iter().position(|line| line.contains("panicked at"));
    for line in lines.iter().skip(panic.unwrap_or(end)).take(FINDING_LINES) {
        println!("{}", line.chars().take(FINDING_COLUMNS).collect::<String>());
    }
    Err(format!("{} ({})", describe(fuzz), out.status))
}

/// `cargo fuzz build` builds one target by name, or all.
fn single(names: &[String]) -> Option<&String> {
    if names.len() == 1 { names.first() } else { None }
}

/// Where cargo-fuzz puts the programs: it always names the machine's own triple.
fn program_folder() -> Result<PathBuf> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc -vV does not name the host")?;
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
