//! Changes and reads of rows.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use ese_base::{JetErr, Result};
use ese_engine::{
    catalog, key,
    record::{ColumnData, RecordView, encode_row},
    schema::{ColumnId, TableSchema},
    session::Session,
    table::Table,
    tree::{Direction, Position, Start},
};
use ese_sim::Random;

use super::{
    machine::{Checked, Hindrance, Machine, in_words},
    state::{Content, KEY, Key, Kind, Row, TableModel, Touch},
};

/// Keys of a table; few, so that transactions meet.
const KEYS: u64 = 48;

/// A key; some are long, so that leaves are many and separators long.
fn some_key(random: &mut Random) -> Key {
    let number = random.below(KEYS);
    let mut key = vec![b'k'; usize::try_from(number % 7).unwrap_or(0) * 20];
    key.extend(number.to_be_bytes());
    key
}

fn small(random: &mut Random, bound: u8) -> u8 {
    u8::try_from(random.below(u64::from(bound))).unwrap_or(0)
}

fn some_value(random: &mut Random, kind: Kind) -> Vec<Vec<u8>> {
    match kind {
        Kind::Long => vec![i32::from(small(random, 30)).to_le_bytes().to_vec()],
        Kind::Short => {
            let len = random.between(0, 12);
            vec![vec![b'a' + small(random, 4); len]]
        }
        Kind::Blob => {
            let len =
                if random.chance(1, 4) { random.between(0, 700) } else { random.between(0, 40) };
            vec![random.bytes(len)]
        }
        Kind::Many => {
            let count = 1 + small(random, 4);
            (0..count).map(|n| vec![n + small(random, 3), 7]).collect()
        }
    }
}

fn some_row(random: &mut Random, table: &TableModel) -> Row {
    let mut row = Row::new();
    for (number, column) in &table.columns {
        if random.chance(3, 4) {
            row.insert(*number, some_value(random, column.kind));
        }
    }
    row
}

/// The record of a row.
fn encode(schema: &TableSchema, table: &TableModel, key: &Key, row: &Row) -> Result<Vec<u8>> {
    let mut values: Vec<(ColumnId, Option<&[u8]>)> = vec![(schema.column(KEY)?.id, Some(key))];
    for (number, column) in &table.columns {
        let id = schema.column(&column.name)?.id;
        for value in row.get(number).into_iter().flatten() {
            values.push((id, Some(value.as_slice())));
        }
    }
    let mut record = Vec::new();
    encode_row(schema, &values, &mut record)?;
    Ok(record)
}

fn normal_key(table: &Table, key: &Key) -> Result<Vec<u8>> {
    let (mut record, mut normal) = (Vec::new(), Vec::new());
    encode_row(&table.schema, &[(table.schema.column(KEY)?.id, Some(key))], &mut record)?;
    let view = RecordView::new(&record, table.db.page_size())?;
    key::primary_key(&table.schema, &view, &mut normal)?;
    Ok(normal)
}

/// Values of a row by the column's name.
type Named = BTreeMap<String, Vec<Vec<u8>>>;

/// Key and named values of a record.
fn decode(table: &Table, record: &[u8]) -> Result<(Key, Named)> {
    let view = RecordView::new(record, table.db.page_size())?;
    let (mut key, mut row) = (Key::new(), BTreeMap::new());
    for column in table.schema.columns.iter() {
        let mut values = Vec::new();
        match view.data(column)? {
            ColumnData::Null => continue,
            ColumnData::Many(list) => {
                for value in list.iter() {
                    values.push(value?.plain(column)?.to_vec());
                }
            }
            one => values.extend(one.first(column)?.map(<[u8]>::to_vec)),
        }
        if column.name == KEY {
            key = values.pop().unwrap_or_default();
        } else {
            row.insert(column.name.clone(), values);
        }
    }
    Ok((key, row))
}

/// A table as a session sees it.
pub(super) fn content_of(session: &Session, table: &Table) -> Result<Content> {
    let (mut rows, mut failed) = (BTreeMap::new(), None);
    let (start, to) = (Start::End, Direction::Forward);
    table.scan(session, start, to, &mut Position::default(), |row| {
        match decode(table, row.record) {
            Ok((key, row)) => drop(rows.insert(key, row)),
            Err(error) => failed = Some(error),
        }
        if failed.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let columns = table.schema.columns.iter().map(|column| column.name.clone());
    let indexes = table.schema.indexes.iter().filter(|index| !index.is_primary());
    Ok(Content {
        columns: columns.filter(|name| name != KEY).collect(),
        indexes: indexes.map(|index| index.name.clone()).collect(),
        rows,
    })
}

impl Machine {
    /// A table that the session sees.
    pub(super) fn some_table(&mut self, at: usize) -> Option<(u32, Arc<TableModel>)> {
        let now = &self.actors[at].now;
        let nth = self.random.index(now.len().max(1));
        now.iter().nth(nth).map(|(number, table)| (*number, Arc::clone(table)))
    }

    pub(super) fn open(&self, at: usize, name: &str) -> Checked<Arc<Table>> {
        let attached = self.attached()?;
        catalog::open_table(&self.actors[at].session, &attached, name).map_err(in_words)
    }

    /// Inserts, replaces or deletes a row.
    pub(super) fn change_row(&mut self, at: usize) -> Checked {
        let Some((number, table)) = self.some_table(at) else { return self.change_schema(at) };
        let key = some_key(&mut self.random);
        let old = table.rows.get(&key).cloned();
        let row = some_row(&mut self.random, &table);
        let deletes = old.is_some() && self.random.chance(2, 5);
        // Now and then a row is inserted where one is.
        let inserts = old.is_none() || self.random.chance(1, 12);
        let verb = if inserts {
            "inserts"
        } else if deletes {
            "deletes"
        } else {
            "replaces"
        };
        let lengths: BTreeMap<_, Vec<_>> =
            row.iter().map(|(id, values)| (id, values.iter().map(Vec::len).collect())).collect();
        let short = key.last();
        self.note(format!("{at} {verb} {short:?} of {}, lengths {lengths:?}", table.name));

        let new = if deletes && !inserts { None } else { Some(&row) };
        let taken = inserts && old.is_some();
        let duplicate = new.is_some_and(|row| self.is_duplicate(&table, &key, row));
        let own = (taken || duplicate).then_some(JetErr::KeyDuplicate);
        let hindrance = self.row_hindrance(at, number, &key, new);

        let engine = self.open(at, &table.name)?;
        let outcome = self.apply(at, &engine, &table, &key, new, inserts);
        if !self.judge(outcome, own, hindrance)? {
            return Ok(());
        }
        self.tally.changes += 1;
        let rows = [old.as_deref(), new].into_iter().flatten();
        let values = rows.flatten().flat_map(|(column, values)| {
            let touch = |value: &Vec<u8>| Touch::Value(number, *column, value.clone());
            values.iter().map(touch).collect::<Vec<_>>()
        });
        let touched: Vec<_> = values.chain([Touch::Row(number, key.clone())]).collect();
        self.actors[at].touched.extend(touched);
        let new = new.map(|row| Arc::new(row.clone()));
        if let Some(rows) = self.own_rows(at, number) {
            match new {
                Some(row) => drop(rows.insert(key, row)),
                None => drop(rows.remove(&key)),
            }
        }
        Ok(())
    }

    fn apply(
        &mut self,
        at: usize,
        engine: &Table,
        table: &TableModel,
        key: &Key,
        new: Option<&Row>,
        inserts: bool,
    ) -> Result<()> {
        let session = &mut self.actors[at].session;
        let (mut position, mut normal) = (Position::default(), normal_key(engine, key)?);
        let Some(row) = new else { return engine.delete(session, &mut position, &normal) };
        let record = encode(&engine.schema, table, key, row)?;
        if inserts {
            engine.insert(session, &mut position, &record, &mut normal)
        } else {
            engine.replace(session, &mut position, &normal, &record)
        }
    }

    fn is_duplicate(&self, table: &TableModel, key: &Key, row: &Row) -> bool {
        let unique = table.indexes.values().filter_map(|index| index.unique.as_ref());
        unique.into_iter().any(|columns| table.duplicates(columns, key, row))
    }

    fn row_hindrance(&self, at: usize, number: u32, key: &Key, new: Option<&Row>) -> Hindrance {
        if self.hindrance(at, &Touch::Row(number, key.clone())) == Hindrance::Must {
            return Hindrance::Must;
        }
        let taken = |(column, values): (&u32, &Vec<Vec<u8>>)| {
            let touched =
                |value: &Vec<u8>| self.hindrance(at, &Touch::Value(number, *column, value.clone()));
            values.iter().any(|value| touched(value) != Hindrance::None)
        };
        let unsettled = self.hindrance(at, &Touch::Schema(number)) != Hindrance::None;
        if unsettled || new.is_some_and(|row| row.iter().any(taken)) {
            return Hindrance::May;
        }
        Hindrance::None
    }

    /// Reads a row.
    pub(super) fn read(&mut self, at: usize) -> Checked {
        let Some((_, table)) = self.some_table(at) else { return Ok(()) };
        let key = some_key(&mut self.random);
        let expected = table.rows.get(&key).map(|row| table.seen(row));
        let engine = self.open(at, &table.name)?;
        let session = &self.actors[at].session;
        let found = normal_key(&engine, &key)
            .and_then(|normal| engine.get(session, &normal, <[u8]>::to_vec))
            .and_then(|record| record.map(|record| decode(&engine, &record)).transpose())
            .map_err(in_words)?;
        match found.map(|(_, row)| row) {
            found if found == expected => Ok(()),
            found => {
                Err(format!("{at} reads {key:?} of {}: {found:?}, not {expected:?}", table.name))
            }
        }
    }

    /// Reads a whole table, and compares its indexes with it.
    pub(super) fn look_over(&mut self, at: usize) -> Checked {
        let Some((number, table)) = self.some_table(at) else { return Ok(()) };
        self.note(format!("{at} looks over {}", table.name));
        let engine = self.open(at, &table.name)?;
        let session = &self.actors[at].session;
        let found = content_of(session, &engine).map_err(in_words)?;
        let one = super::state::State::from([(number, Arc::clone(&table))]);
        let expected = super::state::contents(&one).remove(&table.name);
        if expected.as_ref() != Some(&found) {
            return Err(format!("{at} sees {found:?}, not {expected:?}"));
        }
        let mismatches = engine.check_indexes(session).map_err(in_words)?;
        match mismatches.first() {
            None => Ok(()),
            Some(mismatch) => Err(format!("{at} sees: {mismatch}")),
        }
    }
}
