//! `cargo xtask`: everything that is done to this repository, as a program.
//!
//! Nothing here needs more than Rust, a C compiler and Python 3; every command can be repeated and
//! does only what is missing. [`COMMANDS`] is the list that `cargo xtask help` prints.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a build tool: it talks on the terminal and works on files of the repository"
)]

mod args;
mod bench;
mod doc;
mod fuzz;
mod install;
mod paths;
mod peers;
mod run;
mod sanitize;
mod test;
mod tidy;

use std::process::ExitCode;

use args::Args;
use run::Result;

/// One command: its name, what it does, and the function.
struct CommandEntry {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    body: fn(&mut Args) -> Result<()>,
}

const COMMANDS: &[CommandEntry] = &[
    CommandEntry {
        name: "test",
        usage: "[--only STEP]... [--skip STEP]... [--list]",
        about: "set up the peers, then every check and every test",
        body: test::main,
    },
    CommandEntry {
        name: "peers",
        usage: "[--force]",
        about: "install libesedb, dissect.esedb and impacket under target/peers",
        body: peers::main,
    },
    CommandEntry {
        name: "tidy",
        usage: "",
        about: "layout rules that compilers do not check (lines, heads, layers, unsafe)",
        body: tidy::main,
    },
    CommandEntry {
        name: "bench",
        usage: "[--quick] [--check] [--only ENGINE]...",
        about: "measure against LMDB, redb and SQLite; writes docs/benchmarks.md",
        body: bench::main,
    },
    CommandEntry {
        name: "fuzz",
        usage: "[--seconds N] [TARGET]...",
        about: "run the fuzz targets, 60 seconds each unless told otherwise",
        body: fuzz::main,
    },
    CommandEntry {
        name: "sanitize",
        usage: "[--calls N] [address|valgrind]...",
        about: "C programs and random calls under AddressSanitizer and valgrind",
        body: sanitize::main,
    },
    CommandEntry {
        name: "install",
        usage: "[--prefix DIR]",
        about: "libesent, esent.h and esent.pc below /usr/local or DIR; DESTDIR is honoured",
        body: install::main,
    },
    CommandEntry {
        name: "doc",
        usage: "[--open]",
        about: "the API documentation; warnings are errors",
        body: doc::main,
    },
];

fn main() -> ExitCode {
    let mut args = Args::from_env();
    let name = args.next_word();
    let entry = name.as_deref().and_then(|n| COMMANDS.iter().find(|c| c.name == n));
    let Some(entry) = entry else {
        let asked_for_help = matches!(name.as_deref(), Some("help" | "--help" | "-h"));
        print_help(name.as_deref().filter(|_| !asked_for_help));
        return if asked_for_help { ExitCode::SUCCESS } else { ExitCode::from(2) };
    };
    match (entry.body)(&mut args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask {}: {message}", entry.name);
            ExitCode::FAILURE
        }
    }
}

fn print_help(unknown: Option<&str>) {
    if let Some(name) = unknown {
        eprintln!("xtask: no command {name:?}");
    }
    println!("usage: cargo xtask COMMAND\n");
    for command in COMMANDS {
        println!("  {:<8} {}\n           {}", command.name, command.usage, command.about);
    }
}
