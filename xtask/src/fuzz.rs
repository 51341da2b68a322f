//! `cargo xtask fuzz`: every target of `fuzz/` for a while, with the stable toolchain.
//!
//! `RUSTC_BOOTSTRAP=1` unlocks the coverage instrumentation that libFuzzer needs. Seeds are made by
//! code (`fuzz/examples/seeds.rs`) before each run; findings land in `fuzz/artifacts`.

use std::{fs, process::Command};

use crate::{
    args::Args,
    paths,
    run::{Result, cargo, output, run},
};

/// Memory one input may cost, in MiB; a decoder that needs more trusts a length it should check.
const MEMORY_LIMIT_MIB: u32 = 1024;

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
    let manifest = paths::root().join("fuzz/Cargo.toml");
    let seeds = ["run", "--quiet", "--release", "--example", "seeds", "--manifest-path"];
    run(cargo(&seeds).arg(&manifest).arg("--").arg(paths::root().join("fuzz/corpus")))?;
    for name in &names {
        let mut fuzz = cargo(&["fuzz", "run", "--sanitizer", "address", name, "--"]);
        fuzz.arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MEMORY_LIMIT_MIB}"))
            .arg(format!("-timeout={TIME_LIMIT_S}"))
            .args(["-print_final_stats=1", "-verbosity=0"])
            .env("RUSTC_BOOTSTRAP", "1");
        run(&mut fuzz).map_err(|e| format!("{e}\nthe input lies in fuzz/artifacts/{name}"))?;
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

fn install() -> Result<()> {
    if output(Command::new("cargo").args(["fuzz", "--version"])).is_ok() {
        return Ok(());
    }
    println!("cargo-fuzz is missing and will be installed (about a minute)");
    run(&mut cargo(&["install", "cargo-fuzz", "--locked"]))
}
