//! Filling new indexes from the rows of their table.
//!
//! The rows are those that the transaction sees which makes the indexes; what others have under way
//! comes afterwards (`follow`). Nobody else can see the indexes, so the entries need no versions:
//! if the creation is taken back, the trees go as a whole. Entries are sorted, as many at a time as
//! memory allows, and inserted in order.

use std::{ops::ControlFlow, sync::Arc};

use crate::{
    session::Session,
    table::{RowRef, SecondaryIndex, Table, duplicate_key},
    tree::{self, Direction, Position, Start, Unversioned, Writer},
};
use ese_base::{JetErr, ObjId, Result};

/// How far the creation of indexes has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildProgress {
    /// Rows read.
    pub rows: u64,
    /// Entries made.
    pub entries: u64,
}

/// Bytes of rows that are taken from the pages at a time.
const BATCH_BYTES: usize = 64 << 10;
/// Bytes of entries, of all indexes together, that are sorted at a time.
const SORT_BYTES: usize = 32 << 20;

/// Rows as they are copied out of the pages.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Ends of key and record.
    rows: Vec<(usize, usize)>,
}

impl Batch {
    fn push(&mut self, row: RowRef<'_>) {
        row.append_key(&mut self.bytes);
        let key = self.bytes.len();
        self.bytes.extend_from_slice(row.record);
        self.rows.push((key, self.bytes.len()));
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut begin = 0;
        self.rows.iter().filter_map(move |&(key, end)| {
            let row = self.bytes.get(begin..end)?;
            let row = row.split_at_checked(key - begin);
            begin = end;
            row
        })
    }
}

/// One index and its entries that wait to be inserted.
struct Run<'t> {
    index: &'t Arc<SecondaryIndex>,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Enters every row into the indexes with these object ids.
pub(super) fn fill(
    session: &mut Session,
    table: &Table,
    objids: &[ObjId],
    progress: &mut dyn FnMut(BuildProgress) -> Result<()>,
) -> Result<()> {
    let writer = session.writer(&table.db)?;
    let indexes = table.secondary_indexes().iter();
    let mut runs: Vec<Run<'_>> = indexes
        .filter(|index| objids.contains(&index.schema.objid))
        .map(|index| Run { index, entries: Vec::new() })
        .collect();
    let (mut last, mut position) = (Vec::new(), Position::default());
    let (mut pending, mut done) = (0, BuildProgress { rows: 0, entries: 0 });
    loop {
        let batch = next_batch(session, table, &last, &mut position)?;
        for (bookmark, record) in batch.iter() {
            for run in &mut runs {
                for key in run.index.keys_of(table, &table.schema, session, record)? {
                    pending += key.len() + bookmark.len();
                    done.entries += 1;
                    run.entries.push((key, bookmark.to_vec()));
                }
            }
        }
        let ends = batch.rows.is_empty();
        if ends || pending > SORT_BYTES {
            for run in &mut runs {
                insert_run(session, table, writer, run)?;
            }
            pending = 0;
        }
        if ends {
            return Ok(());
        }
        done.rows += batch.rows.len() as u64;
        if let Some((bookmark, _)) = batch.iter().last() {
            last = bookmark.to_vec();
        }
        progress(done)?;
        session.instance().check()?;
    }
}

/// The rows behind `last`.
fn next_batch(
    session: &Session,
    table: &Table,
    last: &[u8],
    position: &mut Position,
) -> Result<Batch> {
    let mut batch = Batch::default();
    let beyond = Start::Beyond { key: last, data: &[] };
    let start = if last.is_empty() { Start::End } else { beyond };
    table.scan(session, start, Direction::Forward, position, |row| {
        batch.push(row);
        if batch.bytes.len() < BATCH_BYTES {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(batch)
}

fn insert_run(session: &Session, table: &Table, writer: Writer, run: &mut Run<'_>) -> Result<()> {
    run.entries.sort_unstable();
    let (db, index) = (&table.db, run.index);
    let mut position = Position::default();
    for (key, bookmark) in run.entries.drain(..) {
        db.cache.throttle(session.instance().fence(db))?;
        tree::insert(db, &index.tree, writer, &Unversioned, &mut position, &key, &bookmark)
            .map_err(|error| match error.code() {
                JetErr::KeyDuplicate => duplicate_key(&index.schema),
                _ => error,
            })?;
    }
    Ok(())
}
