//! `ese export FILE [TABLE]...`: rows for other programs, as CSV, JSON lines or a file of SQLite.

use std::{collections::BTreeSet, io::Write as _, path::PathBuf, sync::Arc};

use ese_api::{
    Error, ExportFormat, ExportOptions, ExportedTable, JetErr, Offline, Result, SqliteFile,
    StopToken, TableSchema, csv_heading, export_table,
};
use ese_engine::schema::TableFlags;
use ese_os::{File, OpenMode};
use serde_json::json;

use crate::{
    args::{self, Format},
    context::Context,
    failure::{Failure, Outcome, error_json, with_advice},
    files::is_pipe,
    output::Output,
    tables, text,
};

pub(crate) fn run(context: &Context, args: &args::Export) -> Outcome {
    let database = Arc::new(tables::open(context, &args.file, args.as_is)?);
    let chosen = chosen(&database, args)?;
    let format = format_of(context, args);
    let mut target = Target::new(context, args, format, &chosen)?;
    let left = || "what was written so far is incomplete".to_owned();
    let exported = context
        .interrupt()
        .stoppable(left, |stop| each(context, args, &database, &chosen, format, &mut target, stop));
    let (rows, lost) = match exported {
        Ok(exported) => exported,
        Err(failure) => {
            target.give_up(context);
            return Err(failure);
        }
    };
    target.finish()?;
    let losses: Losses = tables::catalog_losses(&database).chain(lost).collect();
    context.remark(&format!(
        "{}, {}",
        text::counted(chosen.len() as u64, "table"),
        text::counted(rows, if args.deleted { "deleted row" } else { "row" })
    ));
    tables::remark_corrected(context, &database);
    if losses.is_empty() { Ok(()) } else { incomplete(context, &losses) }
}

/// `ese rows FILE TABLE --deleted`.
pub(crate) fn deleted_rows(context: &Context, args: &args::Rows) -> Outcome {
    run(
        context,
        &args::Export {
            file: args.file.clone(),
            tables: vec![args.table.clone()],
            out: None,
            format: args.csv.then_some(Format::Csv),
            all: false,
            as_is: args.as_is,
            deleted: true,
            raw_dates: true,
            omit_nulls: false,
            threads: 0,
            limit: args.limit,
        },
    )
}

/// The tables that are wanted.
fn chosen(database: &Offline, args: &args::Export) -> Outcome<Vec<TableSchema>> {
    if !args.tables.is_empty() {
        let mut chosen: Vec<TableSchema> = Vec::new();
        for name in &args.tables {
            let table = database.table(name)?;
            // One that is named twice is wanted once.
            if chosen.iter().all(|other| other.objid != table.objid) {
                chosen.push(table.clone());
            }
        }
        return Ok(chosen);
    }
    let wanted = |table: &&TableSchema| args.all || !table.flags.contains(TableFlags::SYSTEM);
    let mut tables: Vec<TableSchema> = database.tables().iter().filter(wanted).cloned().collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tables)
}

fn format_of(context: &Context, args: &args::Export) -> ExportFormat {
    let by_name = || {
        let ending = args.out.as_ref()?.extension()?.to_str()?.to_ascii_lowercase();
        matches!(ending.as_str(), "sqlite" | "sqlite3" | "db").then_some(Format::Sqlite)
    };
    let by_flag = || context.json.then_some(Format::Jsonl);
    match args.format.or_else(by_flag).or_else(by_name).unwrap_or(Format::Csv) {
        Format::Csv => ExportFormat::Csv,
        Format::Jsonl => ExportFormat::Json,
        Format::Sqlite => ExportFormat::Sqlite,
    }
}

/// What was lost of each table.
type Losses = Vec<(String, ExportedTable)>;

fn each(
    context: &Context,
    args: &args::Export,
    database: &Arc<Offline>,
    tables: &[TableSchema],
    format: ExportFormat,
    target: &mut Target,
    stop: &StopToken,
) -> Outcome<(u64, Losses)> {
    let (mut rows, mut losses) = (0, Losses::new());
    for table in tables {
        if table.is_orphan() {
            // Its columns are those of a template that is not there; the others can be had.
            let error = database.leaves(table).err();
            let lost = ExportedTable {
                lost: error.into_iter().collect(),
                lost_count: 1,
                ..ExportedTable::default()
            };
            losses.push((table.name.clone(), lost));
            continue;
        }
        let mut progress = context.progress("export");
        let mut report = |done: u64, all: u64| progress.set(done, all);
        let mut options = ExportOptions::new(format, &mut report, stop.clone());
        (options.deleted, options.raw_dates) = (args.deleted, args.raw_dates);
        (options.omit_nulls, options.threads) = (args.omit_nulls, args.threads);
        options.limit = args.limit;
        target.begin(context, table, format, args.deleted)?;
        let sink = &mut |bytes: &[u8]| target.write(bytes);
        let told = export_table(&context.env, database, &table.name, &mut options, sink);
        drop(progress);
        let told = told.map_err(|error| target.broken().unwrap_or_else(|| error.into()))?;
        rows += told.rows;
        if !told.is_whole() {
            losses.push((table.name.clone(), told));
        }
    }
    Ok((rows, losses))
}

/// Says what was lost; that is never a remark that can be left out.
pub(crate) fn incomplete(context: &Context, losses: &[(String, ExportedTable)]) -> Outcome {
    let mut stderr = std::io::stderr().lock();
    let (mut pages, mut doubts, mut rows, mut others, mut kept) = (0, 0, 0, 0, 0);
    for (table, lost) in losses {
        let given = lost.lost_pages.iter().filter(|page| page.given).count() as u64;
        pages += lost.lost_pages.len() as u64 - given;
        doubts += given;
        rows += lost.lost_rows();
        others += lost.lost_count;
        kept += lost.lost.len() as u64;
        for page in &lost.lost_pages {
            let count = page.rows.map(u64::from);
            let line = if context.json {
                let error = error_json(&page.error);
                let kind = if page.given { "doubt" } else { "lost" };
                json!({ kind: { "table": table, "page": page.pgno.0, "rows": count, "error": error } })
                    .to_string()
            } else {
                let kind = if page.given { "DOUBT" } else { "LOST" };
                let count =
                    count.map_or_else(String::new, |n| format!(", {}", text::counted(n, "row")));
                let line = format!(
                    "{kind} page {} of table \"{table}\"{count}: {}",
                    page.pgno, page.error
                );
                text::printable(&line).into_owned()
            };
            // Nothing depends on it being seen; the exit code says it, too.
            drop(writeln!(stderr, "{line}"));
        }
        for error in &lost.lost {
            let line = match context.json {
                true => {
                    json!({ "lost": { "table": table, "error": error_json(error) } }).to_string()
                }
                false => format!("LOST {}", text::printable(&with_advice(error))),
            };
            drop(writeln!(stderr, "{line}"));
        }
    }
    if !context.json {
        // Of each table the first thousand are kept.
        if others > kept {
            drop(writeln!(stderr, "LOST ... and {} more", values_or_rows(others - kept)));
        }
        let mut what = format!(
            "ese: incomplete: {} could not be read, with at least {}; {} besides",
            text::counted(pages, "page"),
            text::counted(rows, "row"),
            values_or_rows(others)
        );
        if doubts > 0 {
            let doubts = text::counted(doubts, "page");
            what += &format!("; the rows of {doubts} were given, but are in doubt");
        }
        drop(writeln!(stderr, "{what}"));
    }
    Err(Failure::Problems)
}

fn values_or_rows(count: u64) -> String {
    match count {
        1 => "1 value or row".to_owned(),
        _ => format!("{} values or rows", text::count(count)),
    }
}

/// Where the rows go.
enum Target {
    Stdout(Output, Option<Failure>),
    Files { dir: PathBuf, names: BTreeSet<String>, open: Option<Writer> },
    Sqlite { path: PathBuf, file: Option<Box<SqliteFile>> },
}

/// A file that is written from beginning to end.
struct Writer {
    file: Arc<dyn File>,
    at: u64,
}

impl Target {
    fn new(
        context: &Context,
        args: &args::Export,
        format: ExportFormat,
        tables: &[TableSchema],
    ) -> Outcome<Target> {
        let (env, usage) = (&context.env, |what: &str| Err(Failure::Usage(what.to_owned())));
        // Standard output has that name wherever one is asked for.
        match (args.out.as_ref().filter(|path| !is_pipe(path)), format) {
            (None, ExportFormat::Sqlite) => usage("a file of SQLite needs a name: --out FILE"),
            (None, _) if tables.len() != 1 => {
                usage("name one table for standard output, or a directory with --out DIR")
            }
            (None, _) => Ok(Target::Stdout(Output::new(), None)),
            (Some(path), ExportFormat::Sqlite) => {
                let file = Some(Box::new(SqliteFile::create(env, path)?));
                Ok(Target::Sqlite { path: path.clone(), file })
            }
            (Some(dir), _) => {
                if env.fs.exists(dir)? && !env.fs.list(dir)?.is_empty() {
                    return usage(&format!("{}: the directory is not empty", dir.display()));
                }
                env.fs.create_dir_all(dir)?;
                Ok(Target::Files { dir: dir.clone(), names: BTreeSet::new(), open: None })
            }
        }
    }

    fn begin(
        &mut self,
        context: &Context,
        table: &TableSchema,
        format: ExportFormat,
        deleted: bool,
    ) -> Outcome {
        match self {
            Target::Stdout(..) => {}
            Target::Sqlite { path, file } => {
                let Some(file) = file else { return Ok(()) };
                for (name, given) in file.begin_table(table, deleted)? {
                    let place = format!("in {} (table {:?})", path.display(), table.name);
                    context.remark(&format!("{name:?} is called {given:?} {place}"));
                }
                return Ok(());
            }
            Target::Files { dir, names, open } => {
                let ending = if format == ExportFormat::Csv { "csv" } else { "jsonl" };
                let name = file_name(names, &table.name, deleted, ending);
                let path = dir.join(&name);
                if !name.starts_with(&format!("{}.", table.name)) {
                    context.remark(&format!("table {:?} is in {}", table.name, path.display()));
                }
                let file = context.env.fs.open(&path, OpenMode::CreateNew)?;
                *open = Some(Writer { file, at: 0 });
            }
        }
        if format == ExportFormat::Csv {
            let written = self.write(&csv_heading(table, deleted));
            written.map_err(|error| self.broken().unwrap_or_else(|| error.into()))?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Target::Stdout(output, broken) => output.raw().write_all(bytes).map_err(|error| {
                *broken = Some(error.into());
                // Ends the export; what is told is the failure that was kept.
                Error::new(JetErr::DiskIO, "standard output cannot be written")
            }),
            Target::Sqlite { file, .. } => file.as_mut().map_or(Ok(()), |file| file.rows(bytes)),
            Target::Files { open, .. } => open.as_mut().map_or(Ok(()), |open| {
                open.file.write_at(bytes, open.at)?;
                open.at += bytes.len() as u64;
                Ok(())
            }),
        }
    }

    /// Why standard output could not be written.
    fn broken(&mut self) -> Option<Failure> {
        match self {
            Target::Stdout(_, broken) => broken.take(),
            _ => None,
        }
    }

    fn finish(self) -> Outcome {
        match self {
            Target::Stdout(mut output, _) => output.flush()?,
            Target::Sqlite { file, .. } => file.map_or(Ok(()), |file| file.finish())?,
            Target::Files { .. } => {}
        }
        Ok(())
    }

    /// What is half written is removed, where it would be taken for whole.
    fn give_up(self, context: &Context) {
        match self {
            Target::Stdout(mut output, _) => drop(output.flush()),
            Target::Sqlite { path, file } => {
                drop(file);
                drop(context.env.fs.remove_file(&path));
            }
            Target::Files { open, .. } => {
                if let Some(Writer { file, .. }) = open {
                    drop(context.env.fs.remove_file(file.path()));
                }
            }
        }
    }
}

/// Is it what Windows calls a device, whatever ending a file has?
fn is_device(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let ports = |port: &str| {
        let number = name.strip_prefix(port).filter(|number| number.len() == 1);
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&name.as_str()) || ports("COM") || ports("LPT")
}

/// A name that every file system takes and no other table has.
fn file_name(taken: &mut BTreeSet<String>, table: &str, deleted: bool, ending: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_{}() ".contains(c) { c } else { '_' };
    let mut stem: String = table.chars().map(plain).collect();
    if is_device(&stem) || stem.starts_with('-') {
        // Windows would open the device, and programs take the other for an option.
        stem.insert(0, '_');
    }
    let stem = if deleted { format!("{stem}.deleted") } else { stem };
    let mut name = stem.clone();
    for number in 2.. {
        if taken.insert(name.to_lowercase()) {
            break;
        }
        name = format!("{stem} ({number})");
    }
    format!("{name}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_become_names_of_files() {
        let mut taken = BTreeSet::new();
        let mut name = |table| file_name(&mut taken, table, false, "csv");
        assert_eq!(name("{D10CA2FE}"), "{D10CA2FE}.csv");
        assert_eq!(name("a/b"), "a_b.csv");
        assert_eq!(name("A\\B"), "A_B (2).csv");
        assert_eq!(file_name(&mut BTreeSet::new(), "t", true, "jsonl"), "t.deleted.jsonl");
        assert_eq!(name(".."), "__.csv");
        assert_eq!([name("CON"), name("nul"), name("lpt1")], ["_CON.csv", "_nul.csv", "_lpt1.csv"]);
        assert_eq!(
            [name("-x"), name("console"), name("COM12")].map(|n| n.replace(".csv", "")),
            ["_-x", "console", "COM12"]
        );
        assert_eq!(file_name(&mut BTreeSet::new(), "aux", true, "csv"), "_aux.deleted.csv");
    }
}
