//! Two databases, table by table and key by key.
//!
//! Both are read in the order of their keys at the same time, one leaf of each in memory. Tables
//! and columns are told by their names; what is behind a name (object ids, pages, the order of
//! columns) does not count. Keys are compared as bytes, so tables whose primary keys are made
//! differently have only their schemas compared. Values count, not how they are stored.

use std::{cmp::Ordering, path::Path, vec};

use ese_base::{Error, Pgno, Result, StopToken};
use ese_engine::{
    reader::{Leaf, LeafPage, LeafReader, Leaves, Losses, OfflineDatabase},
    record::{RecordView, Value},
    schema::{Column, Index, TableFlags, TableSchema},
};
use ese_os::Env;
use ese_pages::PageRef;

/// Leaves that are named at a time.
const BATCH: usize = 64;

/// A difference.
#[derive(Debug)]
pub enum Difference<'d> {
    /// A table that only the first database has.
    TableRemoved,
    /// A table that only the second one has.
    TableAdded,
    /// The schemas differ; in words.
    Schema(String),
    /// A row that only the second database has: its values.
    RowAdded(&'d [u8], &'d [(&'d str, Value)]),
    /// A row that only the first database has.
    RowRemoved(&'d [u8], &'d [(&'d str, Value)]),
    /// A row that both have, with other values: name, before, after.
    RowChanged(&'d [u8], &'d [(&'d str, Value, Value)]),
    /// The rows were not compared, and why.
    NotCompared(String),
}

/// How many differences there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffCounts {
    /// Tables that one database lacks, and differences of schemas.
    pub schema: u64,
    /// Rows that only the second one has.
    pub added: u64,
    /// Rows that only the first one has.
    pub removed: u64,
    /// Rows with other values.
    pub changed: u64,
    /// Rows that are the same.
    pub same: u64,
    /// Tables whose rows could not be compared, pages and rows that could not be read.
    pub lost: u64,
}

impl DiffCounts {
    /// Are the databases equal, as far as anybody can tell?
    #[must_use]
    pub fn is_equal(&self) -> bool {
        DiffCounts { same: 0, ..*self } == DiffCounts::default()
    }
}

/// What is compared.
#[derive(Clone, Debug, Default)]
pub struct DiffOptions {
    /// Only these tables; all that are not the system's if empty.
    pub tables: Vec<String>,
    /// The tables of the system, too.
    pub all: bool,
    /// Ends the comparison.
    pub stop: StopToken,
}

/// Visits the differences of two databases: the table's name, and what differs. What could not be
/// read of a table of either goes to `lost`: pages, rows, and values, which count as NULL.
///
/// # Errors
/// `JET_errObjectNotFound` (-1305) for a table that neither has;
/// `JET_errClientRequestToStopJetService` (-1329) if stopped; what the visitor answers; those of
/// reading.
pub fn diff_databases(
    (first, second): (&OfflineDatabase, &OfflineDatabase),
    options: &DiffOptions,
    each: &mut dyn FnMut(&str, Difference<'_>) -> Result<()>,
    lost: &mut dyn FnMut(&Path, &str, Losses),
) -> Result<DiffCounts> {
    let names = names(first, second, options)?;
    let (before, after) = (first.cache().file().path(), second.cache().file().path());
    let mut counts = DiffCounts::default();
    for (path, database) in [(before, first), (after, second)] {
        for (name, losses) in database.catalog_losses() {
            counts.lost += (losses.pages.len() + losses.rows.len()) as u64;
            lost(path, name, losses.clone());
        }
    }
    for name in names {
        match (first.table(&name).ok(), second.table(&name).ok()) {
            (Some(one), Some(other)) => {
                schemas(&name, one, other, &mut counts, each)?;
                if let Err(why) = comparable(one, other) {
                    counts.lost += 1;
                    each(&name, Difference::NotCompared(why))?;
                    continue;
                }
                let mut pair = (Rows::new(first, one)?, Rows::new(second, other)?);
                rows(&name, (one, other), &mut pair, options, &mut counts, each)?;
                for (path, rows) in [(before, pair.0), (after, pair.1)] {
                    let losses = rows.finish();
                    counts.lost += (losses.pages.len() + losses.rows.len()) as u64;
                    if !losses.is_empty() {
                        lost(path, &name, losses);
                    }
                }
            }
            (one, _) if is_cut(if one.is_some() { second } else { first }) => {
                counts.lost += 1;
                let side = if one.is_some() { after } else { before };
                let why =
                    format!("{} does not have it in what is left of its catalog", side.display());
                each(&name, Difference::NotCompared(why))?;
            }
            (one, _) => {
                counts.schema += 1;
                let (only, path, change) = match one {
                    Some(_) => (first, before, Difference::TableRemoved),
                    None => (second, after, Difference::TableAdded),
                };
                each(&name, change)?;
                let losses = rows_of_one(&name, only, one.is_some(), options, &mut counts, each)?;
                counts.lost += (losses.pages.len() + losses.rows.len()) as u64;
                if !losses.is_empty() {
                    lost(path, &name, losses);
                }
            }
        }
    }
    Ok(counts)
}

/// Every row of a table that one database lacks. Of a table without its template nobody knows the
/// columns, and so no row.
fn rows_of_one(
    name: &str,
    database: &OfflineDatabase,
    removed: bool,
    options: &DiffOptions,
    counts: &mut DiffCounts,
    each: &mut dyn FnMut(&str, Difference<'_>) -> Result<()>,
) -> Result<Losses> {
    let table = database.table(name)?;
    if table.is_orphan() {
        counts.lost += 1;
        each(name, Difference::NotCompared("its template is missing".to_owned()))?;
        return Ok(Losses::default());
    }
    let mut rows = Rows::new(database, table)?;
    rows.step()?;
    for step in 0_u64.. {
        if step.is_multiple_of(1024) {
            options.stop.check()?;
        }
        if rows.key().is_none() {
            break;
        }
        let values = rows.values();
        let key = rows.key().unwrap_or_default();
        if removed {
            counts.removed += 1;
            each(name, Difference::RowRemoved(key, &values))?;
        } else {
            counts.added += 1;
            each(name, Difference::RowAdded(key, &values))?;
        }
        rows.step()?;
    }
    Ok(rows.finish())
}

/// May it have had tables that its catalog does not tell any more?
fn is_cut(database: &OfflineDatabase) -> bool {
    database.catalog_losses().next().is_some()
}

/// How many rows of a table differ between two states of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDifference {
    /// The table.
    pub name: String,
    /// Its rows; their values count, not what happened to them in between.
    pub rows: DiffCounts,
}

/// What became of the rows of a database from one state to another: of the tables that were
/// touched, and of those that only one of the states has. `before` is read as it stands; `None`:
/// there was nothing.
///
/// # Errors
/// As [`OfflineDatabase::open`]; `JET_errClientRequestToStopJetService` (-1329) if stopped.
pub(crate) fn differences(
    env: &Env,
    (before, after): (Option<&Path>, &Path),
    touched: &[String],
    options: &DiffOptions,
) -> Result<Vec<TableDifference>> {
    let first = before.map(|path| OfflineDatabase::open_as_is(env, path)).transpose()?;
    let second = OfflineDatabase::open(env, after)?;
    let mut found = Vec::new();
    for table in second.tables() {
        let old = first.as_ref().and_then(|first| Some((first, first.table(&table.name).ok()?)));
        if old.is_some() && !touched.contains(&table.name) {
            continue;
        }
        let mut counts = DiffCounts::default();
        match old {
            Some((first, one)) if comparable(one, table).is_ok() => {
                let mut pair = (Rows::new(first, one)?, Rows::new(&second, table)?);
                let name = table.name.as_str();
                rows(name, (one, table), &mut pair, options, &mut counts, &mut |_, _| Ok(()))?;
                for rows in [pair.0, pair.1] {
                    let losses = rows.finish();
                    counts.lost += (losses.pages.len() + losses.rows.len()) as u64;
                }
            }
            // Its rows are found by other keys: none is what it was.
            Some((first, one)) => {
                counts.removed = count(first, one, options, &mut counts.lost)?;
                counts.added = count(&second, table, options, &mut counts.lost)?;
            }
            None => counts.added = count(&second, table, options, &mut counts.lost)?,
        }
        found.push(TableDifference { name: table.name.clone(), rows: counts });
    }
    if let Some(first) = &first {
        for table in first.tables().iter().filter(|table| second.table(&table.name).is_err()) {
            let mut counts = DiffCounts::default();
            counts.removed = count(first, table, options, &mut counts.lost)?;
            found.push(TableDifference { name: table.name.clone(), rows: counts });
        }
    }
    Ok(found)
}

/// The rows of a table.
fn count(
    database: &OfflineDatabase,
    table: &TableSchema,
    options: &DiffOptions,
    lost: &mut u64,
) -> Result<u64> {
    let (mut rows, mut counted) = (Rows::new(database, table)?, 0_u64);
    rows.step()?;
    while rows.key().is_some() {
        counted += 1;
        if counted.is_multiple_of(1024) {
            options.stop.check()?;
        }
        rows.step()?;
    }
    *lost += rows.finish().pages.len() as u64;
    Ok(counted)
}

/// The tables of both, sorted by name.
fn names(
    first: &OfflineDatabase,
    second: &OfflineDatabase,
    options: &DiffOptions,
) -> Result<Vec<String>> {
    if !options.tables.is_empty() {
        for name in &options.tables {
            first.table(name).or_else(|error| second.table(name).map_err(|_| error))?;
        }
        return Ok(options.tables.clone());
    }
    let wanted = |t: &&TableSchema| options.all || !t.flags.contains(TableFlags::SYSTEM);
    let both = first.tables().iter().chain(second.tables()).filter(wanted);
    let mut names: Vec<String> = both.map(|table| table.name.clone()).collect();
    names.sort_by_key(|name| name.to_ascii_lowercase());
    names.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    Ok(names)
}

/// Can rows be found by their keys?
fn comparable(one: &TableSchema, other: &TableSchema) -> std::result::Result<(), String> {
    if one.is_orphan() || other.is_orphan() {
        return Err("its template is missing".to_owned());
    }
    let key = |table: &TableSchema| {
        let index = table.primary()?;
        let text = (index.locale.clone(), index.sort_version.clone(), index.sort_id.clone());
        Some((key_of(table, index), index.key_most, index.var_seg_mac, text))
    };
    if key(one) == key(other) {
        return Ok(());
    }
    Err("the two have other primary keys, or sort text in other ways".to_owned())
}

/// `+name -born`.
fn key_of(table: &TableSchema, index: &Index) -> String {
    let segments = index.segments.iter().map(|segment| {
        let sign = if segment.descending { '-' } else { '+' };
        let column = table.columns.by_id(segment.column);
        format!("{sign}{}", column.map_or("?", |column| column.name.as_str()).to_ascii_lowercase())
    });
    segments.collect::<Vec<String>>().join(" ")
}

fn schemas(
    name: &str,
    one: &TableSchema,
    other: &TableSchema,
    counts: &mut DiffCounts,
    each: &mut dyn FnMut(&str, Difference<'_>) -> Result<()>,
) -> Result<()> {
    let mut words = Vec::new();
    let shape = |c: &Column| (c.ty, c.code_page, c.max_len, c.flags.bits());
    for column in one.columns.iter() {
        match other.columns.by_name(&column.name) {
            None => words.push(format!("column \"{}\" is gone", column.name)),
            Some(new) if shape(new) != shape(column) => {
                words.push(format!("column \"{}\" is defined otherwise", column.name));
            }
            Some(_) => {}
        }
    }
    let new = other.columns.iter().filter(|column| one.columns.by_name(&column.name).is_none());
    words.extend(new.map(|column| format!("column \"{}\" is new", column.name)));
    for index in &one.indexes {
        match other.index(&index.name) {
            None => words.push(format!("index \"{}\" is gone", index.name)),
            Some(new) => {
                let same = key_of(one, index) == key_of(other, new) && index.flags == new.flags;
                if !same {
                    words.push(format!("index \"{}\" is defined otherwise", index.name));
                }
            }
        }
    }
    let new = other.indexes.iter().filter(|index| one.index(&index.name).is_none());
    words.extend(new.map(|index| format!("index \"{}\" is new", index.name)));
    for what in words {
        counts.schema += 1;
        each(name, Difference::Schema(what))?;
    }
    Ok(())
}

fn rows(
    name: &str,
    (one, other): (&TableSchema, &TableSchema),
    (before, after): &mut (Rows<'_>, Rows<'_>),
    options: &DiffOptions,
    counts: &mut DiffCounts,
    each: &mut dyn FnMut(&str, Difference<'_>) -> Result<()>,
) -> Result<()> {
    let shared = shared_columns(one, other);
    let same_layout = before.database.page_size() == after.database.page_size()
        && one.columns.all().eq(other.columns.all());
    before.step()?;
    after.step()?;
    for step in 0_u64.. {
        if step.is_multiple_of(1024) {
            options.stop.check()?;
        }
        let order = match (before.key(), after.key()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.cmp(other),
        };
        match order {
            Ordering::Less => {
                counts.removed += 1;
                let values = before.values();
                each(name, Difference::RowRemoved(before.key().unwrap_or_default(), &values))?;
                before.step()?;
            }
            Ordering::Greater => {
                counts.added += 1;
                let values = after.values();
                each(name, Difference::RowAdded(after.key().unwrap_or_default(), &values))?;
                after.step()?;
            }
            Ordering::Equal => {
                let changes = changes(before, after, &shared, same_layout);
                if changes.is_empty() {
                    counts.same += 1;
                } else {
                    counts.changed += 1;
                    each(name, Difference::RowChanged(before.key().unwrap_or_default(), &changes))?;
                }
                before.step()?;
                after.step()?;
            }
        }
    }
    Ok(())
}

/// Columns that both have, and those that one has: these count as NULL in the other.
fn shared_columns<'s>(
    one: &'s TableSchema,
    other: &'s TableSchema,
) -> Vec<(&'s str, Option<&'s Column>, Option<&'s Column>)> {
    let of_one = one
        .columns
        .iter()
        .map(|column| (column.name.as_str(), Some(column), other.columns.by_name(&column.name)));
    let new = other.columns.iter().filter(|column| one.columns.by_name(&column.name).is_none());
    of_one.chain(new.map(|column| (column.name.as_str(), None, Some(column)))).collect()
}

fn changes<'s>(
    before: &mut Rows<'_>,
    after: &mut Rows<'_>,
    columns: &[(&'s str, Option<&'s Column>, Option<&'s Column>)],
    same_layout: bool,
) -> Vec<(&'s str, Value, Value)> {
    // Equal bytes are equal rows, unless they point at values elsewhere.
    if same_layout && before.data() == after.data() && !before.has_values_elsewhere() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, one, other) in columns {
        let (old, new) = (one.map(|one| before.value(one)), other.map(|other| after.value(other)));
        let (old, new) = (old.unwrap_or(Value::Null), new.unwrap_or(Value::Null));
        if !alike(&old, &new) {
            found.push((*name, old, new));
        }
    }
    found
}

/// Equal, also for floats that are no numbers.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::F32(one), Value::F32(other)) => one.to_bits() == other.to_bits(),
        (Value::F64(one), Value::F64(other)) => one.to_bits() == other.to_bits(),
        (Value::Multi(one), Value::Multi(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| alike(a, b))
        }
        _ => one == other,
    }
}

/// The rows of a table, one at a time.
struct Rows<'a> {
    database: &'a OfflineDatabase,
    table: &'a TableSchema,
    leaves: Leaves<'a>,
    reader: LeafReader<'a>,
    named: vec::IntoIter<Leaf>,
    /// A copy of the leaf, its number, and the place of the row on it.
    leaf: Vec<u8>,
    pgno: Pgno,
    line: Option<usize>,
    key: Vec<u8>,
    losses: Losses,
}

impl<'a> Rows<'a> {
    fn new(database: &'a OfflineDatabase, table: &'a TableSchema) -> Result<Rows<'a>> {
        Ok(Rows {
            database,
            table,
            leaves: database.leaves(table)?,
            reader: database.leaf_reader(table),
            named: Vec::new().into_iter(),
            leaf: Vec::new(),
            pgno: Pgno::NULL,
            line: None,
            key: Vec::new(),
            losses: Losses::default(),
        })
    }

    /// Goes to the next row.
    fn step(&mut self) -> Result<()> {
        let mut from = self.line.take().map_or(0, |line| line + 1);
        loop {
            let page = PageRef::new(&self.leaf, self.database.page_size());
            if let Some(line) =
                (from..page.node_count()).find(|line| !page.node(*line).is_deleted())
            {
                self.key.clear();
                page.node(line).append_key(&mut self.key);
                self.line = Some(line);
                return Ok(());
            }
            from = 0;
            let Some(leaf) = self.next_leaf()? else { return Ok(()) };
            self.pgno = leaf.pgno();
            match self.reader.read(&leaf) {
                Ok(LeafPage { page, doubt }) => {
                    self.losses.pages.extend(doubt);
                    self.leaf.clear();
                    self.leaf.extend_from_slice(page.bytes());
                }
                Err(lost) => {
                    self.leaf.clear();
                    self.losses.pages.push(lost);
                }
            }
        }
    }

    fn next_leaf(&mut self) -> Result<Option<Leaf>> {
        if let Some(leaf) = self.named.next() {
            return Ok(Some(leaf));
        }
        self.named = self.leaves.next(BATCH)?.into_iter();
        Ok(self.named.next())
    }

    /// The key; `None` behind the last row.
    fn key(&self) -> Option<&[u8]> {
        self.line.map(|_| self.key.as_slice())
    }

    fn data(&self) -> &[u8] {
        let page = PageRef::new(&self.leaf, self.database.page_size());
        self.line.map(|line| page.node(line).data).unwrap_or_default()
    }

    fn has_values_elsewhere(&self) -> bool {
        let lids = RecordView::new(self.data(), self.table.page_size).and_then(|view| view.lids());
        lids.is_ok_and(|lids| !lids.is_empty())
    }

    /// The value of a column; one that cannot be read is NULL, and noted.
    fn value(&mut self, column: &Column) -> Value {
        let long_values = self.database.long_values(self.table);
        let read = RecordView::new(self.data(), self.table.page_size)
            .and_then(|view| Value::read(column, &view.with_long_values(&long_values)));
        read.unwrap_or_else(|error| {
            self.lose(error);
            Value::Null
        })
    }

    fn values(&mut self) -> Vec<(&'a str, Value)> {
        let table = self.table;
        table.columns.iter().map(|column| (column.name.as_str(), self.value(column))).collect()
    }

    fn lose(&mut self, error: Error) {
        self.losses.rows.push(error.at_page(self.pgno));
    }

    fn finish(self) -> Losses {
        let mut losses = self.losses;
        losses.pages.append(&mut self.leaves.into_lost());
        losses
    }
}
