//! `cargo xtask test`: the whole gate, step by step.
//!
//! A step that fails does not hide the others: all run, the table at the end names what failed, and
//! the last line is `N passed, N failed, N skipped`. A step whose tests are missing fails.

use std::{path::Path, process::Command, thread, time::Instant};

use crate::{
    args::Args,
    doc, paths, peers,
    run::{Counts, Result, build_tests, cargo, run, run_side_by_side, run_tests},
    tidy,
};

/// Features of `ese-tests` that switch on the tests which want an optimised build of their own.
const HEAVY_TESTS: &str = "ese-tests/simulator,ese-tests/faults,ese-tests/model,ese-tests/planted";

/// What is optional of the API. Every step that builds in the ordinary profile names the same, so
/// that everything is built once.
pub(crate) const OPTIONAL: &str = "ese-api/serde";

/// The adapters of the benchmark's peers are looked at, and not built: that takes minutes.
const PEERS: &str = "ese-benches/peers";

/// One step: its name, what it shows, and the function.
struct Step {
    name: &'static str,
    about: &'static str,
    body: fn(&mut Counts) -> Result<()>,
}

/// In this order; a new kind of check is added here.
const STEPS: &[Step] = &[
    Step { name: "fmt", about: "rustfmt has nothing to change", body: fmt },
    Step { name: "tidy", about: "layout rules and layers", body: |_| tidy::check() },
    Step { name: "clippy", about: "no warning in any target", body: clippy },
    Step { name: "peers", about: "foreign readers are installed", body: |_| peers::ensure(false) },
    Step { name: "unit", about: "unit and integration tests", body: unit },
    Step { name: "doctest", about: "examples in the documentation", body: doctest },
    Step { name: "examples", about: "the example programs run", body: examples },
    Step {
        name: "doc",
        about: "documentation builds without warning",
        body: |_| doc::build(false),
    },
    Step { name: "sim", about: "power cuts, simulated", body: simulator },
    Step { name: "faults", about: "failing disks, simulated", body: faults },
    Step { name: "model", about: "random operations against a model", body: model },
    Step { name: "plant", about: "the simulator catches planted bugs", body: planted },
];

pub(crate) fn main(args: &mut Args) -> Result<()> {
    let only = args.values("--only")?;
    let skip = args.values("--skip")?;
    let list = args.flag("--list");
    args.finish()?;
    if list {
        STEPS.iter().for_each(|s| println!("{:<8} {}", s.name, s.about));
        return Ok(());
    }
    if let Some(name) = only.iter().chain(&skip).find(|n| STEPS.iter().all(|s| s.name != **n)) {
        return Err(format!("no step {name:?}; see cargo xtask test --list"));
    }
    let is_chosen = |name: &str| {
        let wanted = only.iter().any(|n| n == name);
        (wanted || only.is_empty()) && skip.iter().all(|n| n != name)
    };
    if is_chosen("peers") {
        // They come over the network: begun now, awaited by their step.
        thread::spawn(|| peers::ensure(false));
    }
    let chosen = STEPS.iter().filter(|s| is_chosen(s.name));
    let mut done = Vec::new();
    for step in chosen {
        println!("\n== {}: {}", step.name, step.about);
        let start = Instant::now();
        let mut counts = Counts::default();
        let result = (step.body)(&mut counts);
        done.push((step.name, counts, result, start.elapsed().as_secs_f64()));
    }
    summary(&done)
}

fn summary(done: &[(&str, Counts, Result<()>, f64)]) -> Result<()> {
    let mut total = Counts::default();
    let mut broken = Vec::new();
    println!("\n{:<10}{:<10}{:>9}  tests", "step", "result", "seconds");
    for (name, counts, result, seconds) in done {
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        let tests = match counts {
            Counts { passed: 0, failed: 0, skipped: 0 } => String::new(),
            c => format!("{} passed, {} failed, {} skipped", c.passed, c.failed, c.skipped),
        };
        println!("{name:<10}{word:<10}{seconds:>9.1}  {tests}");
        total += *counts;
        if let Err(message) = result {
            broken.push(format!("{name}: {message}"));
            // A check that is no test (fmt, clippy, ...) and a step that ran none count as one.
            total.failed += u64::from(counts.failed == 0);
        }
    }
    println!("\n{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
    if broken.is_empty() { Ok(()) } else { Err(format!("failed:\n  {}", broken.join("\n  "))) }
}

fn fmt(_: &mut Counts) -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    let fuzz = paths::root().join("fuzz/Cargo.toml");
    run(cargo(&["fmt", "--all", "--check", "--manifest-path"]).arg(fuzz))
}

fn clippy(_: &mut Counts) -> Result<()> {
    let mut command = cargo(&["clippy", "--workspace", "--all-targets"]);
    command.args(["--features", HEAVY_TESTS, "--features", OPTIONAL, "--features", PEERS]);
    // Two peers are C libraries, which nobody runs here.
    command.env("CFLAGS", "-O0");
    run(command.args(["--", "-D", "warnings"]))
}

fn unit(counts: &mut Counts) -> Result<()> {
    let all = ["test", "--workspace", "--lib", "--bins", "--tests", "--features", OPTIONAL];
    let (more, result) = run_side_by_side(&build_tests(&mut cargo(&all))?);
    *counts += more;
    result
}

fn doctest(counts: &mut Counts) -> Result<()> {
    let all = ["test", "--workspace", "--doc", "--no-fail-fast", "--features", OPTIONAL];
    tests(counts, cargo(&all))
}

/// Runs every example of the Rust API; each asserts what it shows.
fn examples(counts: &mut Counts) -> Result<()> {
    let dir = paths::root().join("crates/ese-api/examples");
    let entries = std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    // Of one package alone, cargo would build all crates with other features.
    let mut build = cargo(&["build", "--workspace", "--features", OPTIONAL]);
    run(build.args(names.iter().flat_map(|name| ["--example", name])))?;
    for name in names {
        let ran = run(&mut Command::new(paths::target().join("debug/examples").join(name)));
        counts.passed += u64::from(ran.is_ok());
        ran?;
    }
    Ok(())
}

fn simulator(counts: &mut Counts) -> Result<()> {
    optimised(counts, "simulator")
}

fn faults(counts: &mut Counts) -> Result<()> {
    optimised(counts, "faults")
}

fn model(counts: &mut Counts) -> Result<()> {
    optimised(counts, "model")
}

/// The same simulator over an engine that has bugs switched on by name, one at a time.
fn planted(counts: &mut Counts) -> Result<()> {
    optimised(counts, "planted")
}

/// Runs a test file of `ese-tests` that is behind the feature of its own name. All are built with
/// the planted bugs, none of which is on unless chosen, so that one optimised build serves all; in
/// a target folder of its own, because `--cfg` flags would rebuild everything back and forth.
fn optimised(counts: &mut Counts, name: &str) -> Result<()> {
    present(&format!("tests/tests/{name}.rs"))?;
    let mut command =
        cargo(&["test", "--profile", "sim", "--package", "ese-tests", "--test", name]);
    command.args(["--features", HEAVY_TESTS, "--", "--nocapture"]);
    command.env("RUSTFLAGS", "--cfg plant").env("CARGO_TARGET_DIR", paths::target().join("plant"));
    tests(counts, command)
}

fn present(path: &str) -> Result<()> {
    let file = paths::root().join(path);
    if Path::exists(&file) { Ok(()) } else { Err(format!("{path} is missing")) }
}

fn tests(counts: &mut Counts, mut command: Command) -> Result<()> {
    let (more, result) = run_tests(&mut command);
    *counts += more;
    result
}
