//! Measures this engine and its peers side by side: `cargo xtask bench`.
//!
//! `report` runs every engine several times in turn, each time in a process of its own (`child`),
//! takes medians, compares with the floors, prints tables, writes `target/bench/report.json` and
//! the generated part of `docs/benchmarks.md`. A new engine is a file in `engines/` and a line in
//! `engines/mod.rs`; a new figure is a line in `metrics.rs` and a place in `child.rs`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measuring program: it works on the machine itself, beside the engine"
)]

mod boundary;
mod child;
mod conditions;
mod engines;
mod floors;
mod indexed;
mod latency;
mod machine;
mod metrics;
mod old_reader;
mod report;
mod rows;
mod sort;
mod stop;
mod store;
mod tables;
mod tools;
mod values;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["report", options @ ..] => report::main(options),
        ["child", engine, folder, scale, part] => child::main(engine, folder, scale, part),
        _ => Err("usage: report [--quick] [--check] [--only ENGINE]... [--part PART]...".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ese-benches: {error}");
            ExitCode::FAILURE
        }
    }
}
