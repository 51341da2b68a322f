//! The rows of the threads in a database: written twice, in order of slots and in no order.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ese_api::{
    ColType, Database, Error, Instance, JetErr, PageSize, Result, Row, Session, Table,
    TableBuilder, Transaction, Value, row,
};

use super::{Books, Change, Plan, RowId, Thread};

/// The database's file name.
pub(super) const DATABASE: &str = "load.edb";

/// The two tables: `journal`, by slot, thread and line, and `scatter`, by a random number.
pub(super) struct Tables {
    journal: Table,
    scatter: Table,
}

/// Starts an instance with small log files and few pages in memory, so that everything happens
/// often. With a log that is there it recovers.
///
/// # Errors
/// Those of starting.
pub fn start(dir: &Path, page_size: PageSize) -> Result<Instance> {
    Instance::builder(dir)
        .page_size(page_size)
        .log_file_size(64 << 10)
        .checkpoint_depth(192 << 10)
        .cache_size(64 * page_size.bytes_u64())
        .start()
}

impl Tables {
    /// Opens the tables; makes them in one transaction if they are not there.
    pub(super) fn open(database: &Database, session: &mut Session) -> Result<Tables> {
        let missing = |error: &Error| error.code() == JetErr::ObjectNotFound;
        match Tables::existing(database, session) {
            Err(error) if missing(&error) => {
                let mut transaction = session.begin()?;
                let journal = database.create_table(
                    &mut transaction,
                    columns(TableBuilder::new("journal")).primary(&["slot", "thread", "line"]),
                )?;
                let scatter = columns(TableBuilder::new("scatter"));
                let scatter = scatter.column("key", ColType::LongLong).primary(&["key"]);
                let scatter = database.create_table(&mut transaction, scatter)?;
                transaction.commit()?;
                Ok(Tables { journal, scatter })
            }
            opened => opened,
        }
    }

    fn existing(database: &Database, session: &Session) -> Result<Tables> {
        let open = |name| database.table(session, name);
        Ok(Tables { journal: open("journal")?, scatter: open("scatter")? })
    }

    /// Makes the changes of transaction `number`.
    pub(super) fn change(
        &self,
        transaction: &mut Transaction<'_>,
        thread: &Thread,
        number: u64,
        plan: &Plan,
    ) -> Result<()> {
        for change in &plan.changes {
            let (slot, line) = change.row();
            let key = (slot, thread.number, line);
            let scattered = thread.scattered((slot, line));
            let found = match change {
                Change::Insert(row) => {
                    let values = row! {
                        "slot" => slot, "thread" => thread.number, "line" => line,
                        "number" => number, "content" => thread.content(*row, number),
                    };
                    self.journal.insert(transaction, &values)?;
                    self.scatter.insert(transaction, &values.set("key", scattered))?;
                    true
                }
                Change::Replace(row) => {
                    let content = thread.content(*row, number);
                    let values = row! { "number" => number, "content" => content };
                    self.journal.update(transaction, key, &values)?
                        && self.scatter.update(transaction, scattered, &values)?
                }
                Change::Delete(_) => {
                    self.journal.delete(transaction, key)?
                        && self.scatter.delete(transaction, scattered)?
                }
            };
            if !found {
                let what = format!("transaction {number} of {thread:?}, {change:?}: no such row");
                return Err(Error::new(JetErr::RecordNotFound, what));
            }
        }
        Ok(())
    }
}

fn columns(table: TableBuilder) -> TableBuilder {
    table
        .column("slot", ColType::UnsignedLong)
        .column("thread", ColType::Short)
        .column("line", ColType::UnsignedByte)
        .column("number", ColType::UnsignedLongLong)
        .column("content", ColType::LongBinary)
}

/// What all threads have committed, read from both tables of the database of an instance. `None` if
/// the tables do not exist (yet).
///
/// # Errors
/// Those of reading; rows that no transaction wrote, or that differ between the tables.
pub fn read_all(instance: &Instance, threads: &[Thread]) -> Result<Option<Vec<Books>>> {
    let path: PathBuf = instance.dir().join(DATABASE);
    if !instance.engine().env.fs.exists(&path)? {
        return Ok(None);
    }
    let database = instance.open_database(path)?;
    let mut session = instance.session()?;
    let tables = match Tables::existing(&database, &session) {
        Err(error) if error.code() == JetErr::ObjectNotFound => return Ok(None),
        opened => opened?,
    };
    let transaction = session.begin_read_only()?;
    let read = |table: &Table| -> Result<Vec<BTreeMap<RowId, u64>>> {
        let mut all = vec![BTreeMap::new(); threads.len()];
        for row in table.rows(&transaction) {
            let (at, id, number) = examine(&row?, threads)?;
            all[at].insert(id, number);
        }
        Ok(all)
    };
    let (journal, scatter) = (read(&tables.journal)?, read(&tables.scatter)?);
    if journal != scatter {
        return Err(wrong(format!("the tables differ: {journal:?} and {scatter:?}")));
    }
    Ok(Some(journal.into_iter().map(Books::new).collect()))
}

/// The row's thread, its place and the number of the transaction that wrote it, if its content is
/// what that wrote.
fn examine(row: &Row, threads: &[Thread]) -> Result<(usize, RowId, u64)> {
    let (Value::U32(slot), Value::I16(thread), Value::U8(line), Value::U64(number)) =
        (&row["slot"], &row["thread"], &row["line"], &row["number"])
    else {
        return Err(wrong(format!("a row of other types: {row:?}")));
    };
    let id = (*slot, *line);
    let at = threads.iter().position(|other| other.number == *thread);
    let at = at.ok_or_else(|| wrong(format!("a row of an unknown thread: {row:?}")))?;
    let key = row.get("key").cloned();
    let content = row["content"] == Value::Binary(threads[at].content(id, *number));
    if !content || key.is_some_and(|key| key != Value::I64(threads[at].scattered(id))) {
        return Err(wrong(format!("no transaction wrote {row:?}")));
    }
    Ok((at, id, *number))
}

fn wrong(what: String) -> Error {
    Error::new(JetErr::DatabaseCorrupted, what)
}
