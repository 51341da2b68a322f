//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};
use ese_api::{LgPos, LogTime};

use crate::text;

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
    /// Show the main job on real records: load, back up, stop, restore, compare
    Demo(Demo),
    /// Show what the header of a database, log or checkpoint says
    Info(Info),
    /// Show what a running instance says: oldest transaction, versions, memory
    Status(Status),
    /// List the tables of a database, or the columns of one table
    Tables(Tables),
    /// Print the rows of a table
    Rows(Rows),
    /// Write tables as CSV, JSON lines or a file of SQLite; also what is left of deleted rows
    Export(Export),
    /// Show the logs of a directory, what follows what, and what their records say
    Log(Log),
    /// Show who owns which pages of a database
    Space(Space),
    /// Compare two databases by table and key
    Diff(Diff),
    /// Verify a database file, or everything in a directory or backup set
    Verify(Verify),
    /// Say whether backup sets can be restored, and up to when, by doing it
    VerifyBackup(VerifyBackup),
    /// Load the records of a .jsonl or .csv file into a table
    Import(Import),
    /// Back up all databases of a directory into a directory, archive or pipe; Ctrl-C stops it
    /// cleanly
    Backup(Backup),
    /// Make databases of a backup set again: verify, copy, replay the logs
    Restore(Restore),
    /// Remove old backup sets by whole chains
    Prune(Prune),
    /// Copy the log of a running instance to another place as it grows
    Ship(Ship),
    /// Recover databases that did not end properly, into copies or in place
    Recover(Recover),
    /// Rebuild a clean database in a new, dense file
    Compact(Compact),
}

// A comment, because what is documented here would be said of the verbs.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct AsIs {
    /// Read a database that is not clean as it stands, and go on behind what cannot be read
    #[arg(long, alias = "unrecovered")]
    pub(crate) as_is: bool,
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
    /// Note every transaction in this new file once it is durable, a line with its number each: for
    /// whoever kills the program and looks what is there
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) acknowledge: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Info {
    /// A database, or another file of the engine: a log, a checkpoint, a flush map
    pub(crate) file: PathBuf,
    /// Nothing else is ever done: for those who give it to every verb
    #[arg(long, alias = "unrecovered", hide = true)]
    pub(crate) as_is: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated values with a heading
    Csv,
    /// A JSON object a line
    #[value(alias = "json")]
    Jsonl,
    /// A file of SQLite
    Sqlite,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// A database file; it is only read
    pub(crate) file: PathBuf,
    /// The tables; without any, all that are not the system's
    #[arg(value_name = "TABLE")]
    pub(crate) tables: Vec<String>,
    /// A new or empty directory for a file of each table, or the file of SQLite; without it one
    /// table goes to standard output
    #[arg(long, short, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// The form; otherwise CSV, JSON lines with --json, SQLite if PATH ends in .sqlite or .db
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// The tables of the system (MSys...), too
    #[arg(long, short)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) as_is: AsIs,
    /// What is left of deleted rows, instead of the living ones: each says where it was found
    #[arg(long)]
    pub(crate) deleted: bool,
    /// Dates as their eight bytes read as a signed number
    #[arg(long)]
    pub(crate) raw_dates: bool,
    /// JSON objects without the columns that are NULL
    #[arg(long)]
    pub(crate) omit_nulls: bool,
    /// Threads; otherwise as many as there are processors
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) threads: usize,
    /// At most so many rows, of `ese rows --deleted`
    #[arg(skip)]
    pub(crate) limit: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Log {
    /// A directory of logs, or one log file
    pub(crate) path: PathBuf,
    /// Print every record
    #[arg(long)]
    pub(crate) records: bool,
    /// Print the records that are about this page (0x1f or 31)
    #[arg(long, value_name = "PAGE", value_parser = page)]
    pub(crate) page: Option<u32>,
    /// The number of the database, where several have such a page
    #[arg(long, value_name = "N", requires = "page")]
    pub(crate) dbid: Option<u8>,
    /// Read every record and see whether it would be written as it lies there, byte for byte
    #[arg(long)]
    pub(crate) check_roundtrip: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Space {
    /// A database file; it is only read
    pub(crate) file: PathBuf,
    /// Draw a picture of all pages into this new file
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) as_is: AsIs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The database before
    #[arg(value_name = "A")]
    pub(crate) before: PathBuf,
    /// The database after
    #[arg(value_name = "B")]
    pub(crate) after: PathBuf,
    /// Compare only this table
    #[arg(long = "table", value_name = "TABLE")]
    pub(crate) tables: Vec<String>,
    /// The tables of the system (MSys...), too
    #[arg(long, short)]
    pub(crate) all: bool,
    /// Only say how many differences there are
    #[arg(long)]
    pub(crate) summary: bool,
    #[command(flatten)]
    pub(crate) as_is: AsIs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// The directory of its logs
    pub(crate) dir: PathBuf,
    /// The base name of its logs
    #[arg(long, value_name = "NAME", default_value = "edb")]
    pub(crate) base: String,
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
    #[command(flatten)]
    pub(crate) as_is: AsIs,
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
    /// Leave a column out, for instance one with a value that cannot be read
    #[arg(long, value_name = "COLUMN")]
    pub(crate) without: Vec<String>,
    /// Print at most this many rows
    #[arg(long, short = 'n', value_name = "ROWS")]
    pub(crate) limit: Option<u64>,
    #[command(flatten)]
    pub(crate) as_is: AsIs,
    /// What is left of deleted rows, instead of the living ones, as JSON lines or CSV
    #[arg(long, conflicts_with = "without")]
    pub(crate) deleted: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// A database, log or checkpoint, the directory of a stopped instance, or a backup set
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) as_is: AsIs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyBackup {
    /// Backup sets: directories, archives, or - for an archive on standard input
    #[arg(value_name = "SET", required = true)]
    pub(crate) sets: Vec<PathBuf>,
    /// A directory with logs that go on where the sets end, for instance shipped ones
    #[arg(long, value_name = "DIR")]
    pub(crate) logs: Option<PathBuf>,
    /// Restore inside this directory for the time of the check; otherwise that for temporary files
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("where").required(true).multiple(true)
    .args(["out", "in_place", "dry_run"])))]
pub(crate) struct Recover {
    /// The directory of logs and databases; a checkpoint is needed for --in-place alone
    pub(crate) dir: PathBuf,
    /// Leave everything as it is and recover copies: into this directory, or, of one database, into
    /// this new file
    #[arg(long, value_name = "COPY")]
    pub(crate) out: Option<PathBuf>,
    /// Recover the databases where they lie, and write on their log: what the next start of their
    /// instance would do
    #[arg(long, conflicts_with_all = ["out", "dry_run"])]
    pub(crate) in_place: bool,
    /// Say which logs are needed and whether they are there and whole, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Build the databases from their logs alone, which must go back to their creation
    #[arg(long, conflicts_with_all = ["in_place", "roll_forward"])]
    pub(crate) from_logs: bool,
    /// Take this database instead of those in DIR, and replay the logs of DIR onto its copy
    #[arg(long, value_name = "DB", conflicts_with = "in_place")]
    pub(crate) roll_forward: Option<PathBuf>,
    /// End with this generation (0x51 or 81), as if the log ended there; what is unfinished then is
    /// taken back
    #[arg(long, value_name = "GENERATION", value_parser = generation, conflicts_with = "to_position")]
    pub(crate) to_generation: Option<ese_api::Generation>,
    /// End before this position of the log: generation, sector and byte in hexadecimal, as records
    /// are listed (000051,0003,0028)
    #[arg(long, value_name = "POSITION", value_parser = text::log_position)]
    pub(crate) to_position: Option<ese_api::LgPos>,
    /// Go on without logs at the end that are missing or damaged, where no database needs them to
    /// be whole: the commits in them are lost. In place, damaged logs are removed
    #[arg(long, alias = "lose-logs")]
    pub(crate) allow_lost_logs: bool,
    /// In place: redo only, undo nothing, leave the databases dirty; more logs can be added
    #[arg(long, requires = "in_place", conflicts_with_all = ["out", "dry_run"])]
    pub(crate) redo_only: bool,
    /// In place: go on without databases that the log needs and that are missing
    #[arg(long, requires = "in_place", conflicts_with_all = ["out", "dry_run"])]
    pub(crate) ignore_missing: bool,
    /// Write what was done into this file, as JSON
    #[arg(long, value_name = "FILE.json")]
    pub(crate) report: Option<PathBuf>,
}

fn generation(text: &str) -> Result<ese_api::Generation, String> {
    let wanted = || "a generation is a number from 1 on, such as 0x51 or 81".to_owned();
    number(text).map(ese_api::Generation).ok_or_else(wanted)
}

fn page(text: &str) -> Result<u32, String> {
    number(text).ok_or_else(|| "a page is a number from 1 on, such as 0x1f or 31".to_owned())
}

/// A number from 1 on, decimal or with 0x in front.
fn number(text: &str) -> Option<u32> {
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.ok().filter(|number| *number > 0)
}

#[derive(Debug, clap::Args)]
pub(crate) struct Compact {
    /// A clean database that nobody has attached; it is only read
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    /// The new file
    #[arg(value_name = "DST")]
    pub(crate) target: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The directory of an instance that is not running; made if it is missing
    pub(crate) dir: PathBuf,
    /// The table; made for the records if it is missing
    #[arg(long, value_name = "TABLE")]
    pub(crate) table: String,
    /// The records, one JSON object a line, or CSV with a heading
    #[arg(value_name = "FILE.{jsonl,csv}")]
    pub(crate) file: PathBuf,
    /// The database in DIR, if it has several or shall get another; data.edb if it has none
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<PathBuf>,
    /// A column of the primary key of a new table; several in this order
    #[arg(long, value_name = "COLUMN")]
    pub(crate) key: Vec<String>,
    /// Bytes of a page, for a directory without a log
    #[arg(long, value_name = "BYTES")]
    pub(crate) page_size: Option<u32>,
    /// Rows of a transaction
    #[arg(long, value_name = "ROWS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The directory of an instance that is not running; it is started for the backup
    pub(crate) dir: PathBuf,
    /// A new or empty directory for the set; the name of an archive (*.esebak); or - for an archive
    /// to standard output
    pub(crate) out: PathBuf,
    /// OUT is an archive, whatever its name ends with
    #[arg(long)]
    pub(crate) archive: bool,
    /// Delete the logs that nobody needs any more once the set is complete
    #[arg(long)]
    pub(crate) truncate: bool,
    /// Only the logs since the last full or incremental backup that truncated them
    #[arg(long)]
    pub(crate) incremental: bool,
    /// The set that an incremental one builds on; otherwise the newest one beside OUT
    #[arg(long, value_name = "SET", requires = "incremental")]
    pub(crate) base: Option<PathBuf>,
    /// A backup that is stopped stays in OUT, and the next one with this option goes on with it:
    /// what was read is not read again. For full backups into a directory
    #[arg(long, conflicts_with_all = ["incremental", "archive"])]
    pub(crate) resume: bool,
    /// Remove what a stopped backup has left in OUT, and begin again
    #[arg(long, requires = "resume")]
    pub(crate) anew: bool,
    /// Read at most so many million bytes a second
    #[arg(long, value_name = "MB/s", value_parser = text::megabytes)]
    pub(crate) throttle: Option<u64>,
    /// Look once a second for the limit in this file: a number of MB/s, 0 for none
    #[arg(long, value_name = "FILE")]
    pub(crate) throttle_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The backup set: a directory, an archive, or - for an archive from standard input
    #[arg(value_name = "SET")]
    pub(crate) set: PathBuf,
    /// Where the databases, and the log that was replayed, will be
    pub(crate) dir: PathBuf,
    /// Replace files that are in the way
    #[arg(long)]
    pub(crate) force: bool,
    /// A directory with logs that go on where the set ends, for instance shipped ones
    #[arg(long, value_name = "DIR")]
    pub(crate) logs: Option<PathBuf>,
    /// As it was then: 2026-01-31T15:15:00.250Z, UTC if no zone is named; nothing that was begun
    /// later in the log is replayed
    #[arg(long, value_name = "TIME", value_parser = text::log_time, conflicts_with = "to_position")]
    pub(crate) to_time: Option<LogTime>,
    /// Replay the log up to this position: three hexadecimal numbers as `ese verify-backup` prints
    /// them
    #[arg(long, value_name = "GEN:SEC:OFF", value_parser = text::log_position)]
    pub(crate) to_position: Option<LgPos>,
    /// Where logs behind the end of the backup are damaged or missing, restore what lies before
    /// them
    #[arg(long)]
    pub(crate) allow_loss: bool,
    /// Say what would be restored from what, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Prune {
    /// The directory that holds the sets of one instance, each in a directory or an archive
    pub(crate) dir: PathBuf,
    /// So many of the newest full sets stay, with all that builds on them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: u32,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Ship {
    /// The directory of the instance's log; the instance may run
    pub(crate) dir: PathBuf,
    /// The directory for the copies; made if it is missing
    pub(crate) dest: PathBuf,
    /// Between two looks at the log
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = text::seconds)]
    pub(crate) interval: Duration,
    /// Ship what is there and end
    #[arg(long)]
    pub(crate) once: bool,
}
