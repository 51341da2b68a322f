//! `cargo xtask bench`: builds the measuring program with its peers and runs it.
//!
//! The peers' C libraries are compiled here and for `cargo xtask test`, which lints and tests their
//! adapters (feature `peers` of `ese-benches`).

use std::process::Command;

use crate::{
    args::Args,
    paths, peers,
    run::{Result, cargo, run},
};

pub(crate) fn main(args: &mut Args) -> Result<()> {
    let quick = args.flag("--quick");
    let check = args.flag("--check");
    let only = args.values("--only")?;
    let parts = args.values("--part")?;
    args.finish()?;
    if parts.is_empty() || parts.iter().any(|part| part == "tools") {
        peers::ensure(false)?;
    }
    let mut build =
        cargo(&["build", "--release", "--package", "ese-benches", "--features", "peers"]);
    // One of its parts runs a C program with the library, another the program.
    run(build.args(["--package", "ese-capi", "--package", "ese-cli"]))?;
    // Not through cargo, which would build this package alone with other features of the engine.
    let mut report = Command::new(paths::target().join("release/ese-benches"));
    report.arg("report");
    if quick {
        report.arg("--quick");
    }
    if check {
        report.arg("--check");
    }
    for engine in &only {
        report.args(["--only", engine]);
    }
    for part in &parts {
        report.args(["--part", part]);
    }
    run(&mut report)
}
