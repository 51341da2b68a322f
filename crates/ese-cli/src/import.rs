//! `ese import DIR --table T FILE`: records of a text file into a table.
//!
//! The instance in DIR is started, which recovers it if it did not end properly; directory,
//! database and table are created if they are missing. Rows are committed in batches, durably;
//! Ctrl-C takes back the batch that is being filled and keeps those before.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use ese_api::{
    Column, Database, Env, Error, ErrorKind, IndexDef, IndexOptions, Inserter, Instance, JetErr,
    Offline, PageSize, Session, Table, TableBuilder, databases_in, find_base,
};
use ese_backup::{is_name_for_sets, restore::is_of_instance};
use ese_engine::schema::check_name;
use serde_json::json;

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome},
    ingest::{self, Format, Record, Shape},
    interrupt::Interrupt,
    output::Output,
    progress::Progress,
    text,
};

/// The longest key that pages of every size can have.
const KEY_MOST: u16 = 1000;

/// The base name of a new log.
const BASE: &str = "edb";
/// Database for a directory that has none.
const DATABASE: &str = "data.edb";

pub(crate) fn run(context: &Context, args: &args::Import) -> Outcome {
    let format = Format::require(&args.file)?;
    check_names(args)?;
    let interrupt = context.interrupt();
    let shape = look_through(context, args, format, &interrupt)?;
    let database = database_path(&context.env, args)?;
    refuse_name_of_instance(&database, base_of(&context.env, &args.dir)?.as_deref())?;
    if let Some(page_size) = page_size_of_new_table(&context.env, args, &database)? {
        let table = new_table(args, &shape).into_def().build(page_size);
        table.map_err(|error| error.at_path(&args.file))?;
    }
    let instance = start(&context.env, args)?;
    let database = instance.open_or_create_database(database)?;
    let mut session = instance.session()?;
    let table = open_table(&database, &mut session, args, &shape)?;
    let mut import = Import {
        names: shape.names(),
        columns: columns(&table, shape.names())?,
        inserter: inserter(&table, shape.names())?,
        args,
        rows: 0,
        interrupt,
        progress: context.progress("import"),
    };
    let imported = import.all(&context.env, &mut session, format);
    let rows = import.rows;
    drop((import, table, session, database));
    // Also after a failure: what was committed stays, and the next start has nothing to recover.
    let stopped = instance.stop();
    imported?;
    stopped?;
    tell(context, args, rows)
}

fn tell(context: &Context, args: &args::Import, rows: u64) -> Outcome {
    let mut output = Output::new();
    if context.json {
        output.json(&json!({ "table": args.table, "rows": rows }))?;
    } else {
        output.line(&format!("{} into table \"{}\"", text::counted(rows, "row"), args.table))?;
    }
    Ok(output.flush()?)
}

/// What can be refused before anything is read.
fn check_names(args: &args::Import) -> Outcome {
    let named = |error: Error| match error.advice() {
        Some(_) => error,
        None => error.advise("give --table another name"),
    };
    check_name(&args.table).map_err(named)?;
    if args.table.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("MSys")) {
        let what = format!("\"{}\" is a table of the system", args.table);
        let error = Error::new(JetErr::PermissionDenied, what);
        return Err(error.advise("names that begin with MSys are not for users' tables").into());
    }
    if let Some(name) = &args.database
        && name.file_name() != Some(name.as_os_str())
    {
        let what = "a database lies in the directory of its instance, under a name without a path";
        return Err(Failure::unsuited(name, what, "give --database the name of a file in DIR"));
    }
    if let Some(name) = &args.database
        && !name.to_str().is_some_and(is_name_for_sets)
    {
        let what = "no backup could be made of a database with this name";
        let advice = "choose one without control characters and backslashes, up to 244 bytes";
        return Err(Failure::unsuited(name, what, advice));
    }
    Ok(())
}

/// The instance has files of its own beside its databases.
fn refuse_name_of_instance(database: &Path, base: Option<&str>) -> Outcome {
    let name = database.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !is_of_instance(name, base.unwrap_or(BASE)) {
        return Ok(());
    }
    let what = "a database cannot have this name: a file of the instance has it";
    Err(Failure::unsuited(database, what, "give --database another name"))
}

/// Reads the whole file once, so that nothing is created for one that is wrong.
fn look_through(
    context: &Context,
    args: &args::Import,
    format: Format,
    interrupt: &Interrupt,
) -> Outcome<Shape> {
    let mut progress = context.progress("look");
    let mut shape = Shape::default();
    ingest::each_record(&context.env, &args.file, format, |record, len| {
        progress.set(record.bytes, len);
        shape.see(&record.fields);
        if interrupt.pressed() {
            return Err(Failure::Stopped("nothing was imported".to_owned()));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if shape.records == 0 {
        return Err(Failure::unsuited(&args.file, "there are no records", "name another file"));
    }
    for key in &args.key {
        if !shape.names().contains(key) {
            let what = format!("no record has the key column \"{key}\"");
            return Err(Failure::unsuited(&args.file, what, "name a column that is there"));
        }
    }
    Ok(shape)
}

/// The named database, the only one that is there, or a new one.
fn database_path(env: &Env, args: &args::Import) -> Outcome<PathBuf> {
    if let Some(name) = &args.database {
        return Ok(name.clone());
    }
    if !env.fs.exists(&args.dir)? {
        return Ok(DATABASE.into());
    }
    let mut found = databases_in(env, &args.dir)?.into_iter();
    match (found.next(), found.next()) {
        (None, _) => Ok(DATABASE.into()),
        (Some(only), None) => Ok(env.fs.canonicalize(&only)?),
        (Some(_), Some(_)) => Err(Failure::unsuited(
            &args.dir,
            "there are several databases",
            "name one with --database",
        )),
    }
}

/// The size of the pages that a new table will have; `None` for one that exists, and where only the
/// engine can tell: in a database that has to be recovered.
fn page_size_of_new_table(
    env: &Env,
    args: &args::Import,
    database: &Path,
) -> Outcome<Option<PageSize>> {
    let path = args.dir.join(database);
    if !env.fs.exists(&path)? {
        return args.page_size.map_or(Ok(PageSize::K4), page_size).map(Some);
    }
    let Ok(found) = Offline::open(env, &path) else { return Ok(None) };
    Ok(found.table(&args.table).is_err().then(|| found.page_size()))
}

/// The base name of the log that is there.
fn base_of(env: &Env, dir: &Path) -> Outcome<Option<String>> {
    Ok(if env.fs.exists(dir)? { find_base(env, dir)? } else { None })
}

fn start(env: &Env, args: &args::Import) -> Outcome<Instance> {
    let dir = if env.fs.exists(&args.dir)? {
        env.fs.canonicalize(&args.dir)?
    } else {
        env.fs.create_dir_all(&args.dir)?;
        env.fs.canonicalize(&args.dir)?
    };
    let mut builder = Instance::builder(&dir);
    if let Some(base) = base_of(env, &dir)? {
        builder = builder.base_name(&base);
    }
    if let Some(size) = args.page_size {
        builder = builder.page_size(page_size(size)?);
    }
    Ok(builder.start()?)
}

fn page_size(bytes: u32) -> Outcome<PageSize> {
    let size = PageSize::ALL.into_iter().find(|size| size.bytes_u32() == bytes);
    size.ok_or_else(|| {
        Failure::Usage(format!("pages have 4096, 8192, 16384 or 32768 bytes, not {bytes}"))
    })
}

/// The table, made for the records if it is missing.
fn open_table(
    database: &Database,
    session: &mut Session,
    args: &args::Import,
    shape: &Shape,
) -> Outcome<Table> {
    match database.table(session, &args.table) {
        Err(error) if error.code() == JetErr::ObjectNotFound => {}
        found => return Ok(found?),
    }
    let created = database.create_table(session, new_table(args, shape));
    Ok(created.map_err(|error| error.at_path(&args.file))?)
}

fn new_table(args: &args::Import, shape: &Shape) -> TableBuilder {
    let mut builder = TableBuilder::new(&args.table);
    for column in shape.columns() {
        builder = builder.define(column);
    }
    if args.key.is_empty() {
        return builder;
    }
    // Texts that differ in anything are different keys, and none is cut.
    let columns: Vec<&str> = args.key.iter().map(String::as_str).collect();
    let mut index = IndexDef::primary("primary", &columns).unicode("", 0);
    index.options |= IndexOptions::DISALLOW_TRUNCATION;
    index.key_most = Some(KEY_MOST);
    builder.index(index)
}

/// The columns with these names.
fn columns(table: &Table, names: &[String]) -> Outcome<Vec<Column>> {
    let columns = names.iter().map(|name| table.schema().column(name).cloned());
    Ok(columns.collect::<ese_api::Result<_>>()?)
}

fn inserter(table: &Table, names: &[String]) -> Outcome<Inserter> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(table.inserter(&names)?)
}

struct Import<'a> {
    args: &'a args::Import,
    /// As the records have them; the columns may differ in case.
    names: &'a [String],
    columns: Vec<Column>,
    inserter: Inserter,
    /// Committed rows.
    rows: u64,
    interrupt: Interrupt,
    progress: Progress,
}

impl Import<'_> {
    fn all(&mut self, env: &Env, session: &mut Session, format: Format) -> Outcome {
        let mut batch: Vec<Record> = Vec::new();
        let size = usize::try_from(self.args.batch.max(1)).unwrap_or(usize::MAX);
        ingest::each_record(env, &self.args.file, format, |record, len| {
            self.progress.set(record.bytes, len);
            batch.push(record);
            if batch.len() >= size {
                self.commit(session, &mut batch)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.commit(session, &mut batch)
    }

    /// All rows of the batch or none.
    fn commit(&mut self, session: &mut Session, batch: &mut Vec<Record>) -> Outcome {
        let mut transaction = session.begin()?;
        for record in batch.iter() {
            if self.interrupt.pressed() {
                return Err(Failure::Stopped(format!(
                    "{} are committed, nothing of the batch after them",
                    text::counted(self.rows, "row")
                )));
            }
            let fields = self.fields(record)?;
            let slices: Vec<Option<&[u8]>> = fields.iter().map(Option::as_deref).collect();
            self.inserter
                .insert(&mut transaction, &slices)
                .map_err(|error| self.at(record, error))?;
        }
        transaction.commit()?;
        self.rows += u64::try_from(batch.len()).unwrap_or(0);
        batch.clear();
        Ok(())
    }

    fn fields(&self, record: &Record) -> Outcome<Vec<Option<Vec<u8>>>> {
        let wrong = |error| Failure::in_line(&self.args.file, record.line, error);
        let null = serde_json::Value::Null;
        self.columns
            .iter()
            .zip(self.names)
            .map(|(column, name)| {
                ingest::encode(column, record.fields.get(name).unwrap_or(&null)).map_err(wrong)
            })
            .collect()
    }

    /// Says which record the engine does not take.
    fn at(&self, record: &Record, error: Error) -> Failure {
        let error = match error.code() {
            JetErr::VersionStoreOutOfMemory => {
                error.advise("load fewer rows in a transaction: give --batch a smaller number")
            }
            JetErr::KeyTruncated => error.advise("give --key columns with shorter values"),
            _ => error,
        };
        match error.kind() {
            ErrorKind::Misuse | ErrorKind::Outcome => {
                Failure::in_line(&self.args.file, record.line, error)
            }
            _ => error.into(),
        }
    }
}
