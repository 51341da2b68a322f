//! `ese`: databases of the Extensible Storage Engine from the command line.
//!
//! One file per verb. Data goes to standard output; progress, warnings and errors go to standard
//! error; the exit codes are in [`failure`]. docs/cli.md describes every verb.

#![forbid(unsafe_code)]

mod args;
mod backup;
mod compact;
mod context;
mod demo;
mod diff;
mod export;
mod failure;
mod files;
mod import;
mod info;
mod info_other;
mod info_terms;
mod ingest;
mod interrupt;
mod log;
mod output;
mod progress;
mod prune;
mod recover;
mod restore;
mod rows;
mod ship;
mod space;
mod status;
mod tables;
mod text;
mod verify;
mod verify_backup;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    args::{Args, Verb},
    context::Context,
    failure::{Failure, Outcome},
};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to standard output with code 0, wrong usage to standard error.
            return match error.print() {
                Ok(()) => u8::try_from(error.exit_code()).map_or(ExitCode::from(2), ExitCode::from),
                Err(_) => ExitCode::from(3),
            };
        }
    };
    interrupt::survive_file_limits();
    let context = Context::new(args.common);
    match run(&context, args.verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell(&context);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(context: &Context, verb: Verb) -> Outcome {
    match verb {
        Verb::Demo(args) => demo::run(context, &args).map_err(Failure::of_work),
        Verb::Info(args) => info::run(context, &args),
        Verb::Status(args) => status::run(context, &args),
        Verb::Tables(args) => tables::run(context, &args),
        Verb::Rows(args) => rows::run(context, &args),
        Verb::Export(args) => export::run(context, &args),
        Verb::Log(args) => log::run(context, &args),
        Verb::Space(args) => space::run(context, &args),
        Verb::Diff(args) => diff::run(context, &args),
        Verb::Verify(args) => verify::run(context, &args),
        Verb::VerifyBackup(args) => verify_backup::run(context, &args),
        Verb::Import(args) => import::run(context, &args),
        Verb::Backup(args) => backup::run(context, &args),
        Verb::Restore(args) => restore::run(context, &args),
        Verb::Prune(args) => prune::run(context, &args),
        Verb::Ship(args) => ship::run(context, &args),
        Verb::Recover(args) => recover::run(context, &args),
        Verb::Compact(args) => compact::run(context, &args),
    }
}
