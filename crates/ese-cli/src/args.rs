//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes: 0 fine; 1 a problem was found (damaged, dirty, different); 2 wrong usage; 3 could not
read or write; 4 stopped by Ctrl-C, everything consistent; 130 interrupted at once.";

/// Look into, verify, fill, back up, restore and recover ESE databases (.edb).
#[derive(Debug, Parser)]
#[command(name = "ese", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What every verb understands.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Common {
    /// Print JSON (JSON lines where there are many)
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No progress and no remarks on standard error
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the main job on real records: load, back up meanwhile, stop a backup, restore, compare
    Demo(Demo),
    /// Show what a database's header says
    Info(Info),
    /// List the tables of a database, or the columns of one table
    Tables(Tables),
    /// Print the rows of a table
    Rows(Rows),
    /// Verify a database file, or everything in a directory or backup set
    Verify(Verify),
    /// Recover the databases of an instance that did not end properly, in place
    Recover(Recover),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Records to load: a .jsonl or .csv file, or a directory whose files are listed and hashed.
    /// Without it the package database of this system, or the file tree it stands in
    #[arg(long, value_name = "PATH")]
    pub(crate) input: Option<PathBuf>,
    /// Work in this new or empty directory and keep everything; otherwise a temporary one
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Info {
    /// A database file
    pub(crate) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Tables {
    /// A database file
    pub(crate) file: PathBuf,
    /// List the columns and indexes of this table
    pub(crate) table: Option<String>,
    /// List the tables of the system (MSys...), too
    #[arg(long, short)]
    pub(crate) all: bool,
    /// Read a database that is not clean as it stands
    #[arg(long)]
    pub(crate) unrecovered: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rows {
    /// A database file
    pub(crate) file: PathBuf,
    /// The table
    pub(crate) table: String,
    /// Print CSV with a heading
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// Print at most this many rows
    #[arg(long, short = 'n', value_name = "ROWS")]
    pub(crate) limit: Option<u64>,
    /// Read a database that is not clean as it stands
    #[arg(long)]
    pub(crate) unrecovered: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// A database file, the directory of a stopped instance, or a backup set
    pub(crate) path: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Recover {
    /// The directory of logs, checkpoint and databases
    pub(crate) dir: PathBuf,
}
