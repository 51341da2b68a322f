//! Counting rows without reading them, and rows that several ranges have in common.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc, vec};

use ese_base::{Error, JetErr, Result};

use crate::{
    row::Row,
    rows::{Entry, Rows},
    session::SessionCell,
    table::Table,
};

impl<'r> Rows<'r> {
    /// How many rows are left. By an index these are its entries: a row with several entries counts
    /// several times, and no row is read.
    ///
    /// # Errors
    /// Those of reading.
    pub fn count_rows(self) -> Result<u64> {
        let mut count = 0;
        self.each_bookmark(|_| count += 1)?;
        Ok(count)
    }

    /// The rows that these and all of `others` have, each once, in the table's own order. Only
    /// entries of the indexes are read and kept in memory (their bookmarks) until it is known which
    /// rows these are.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for rows of another table or session; those of reading.
    pub fn in_common_with(self, others: impl IntoIterator<Item = Rows<'r>>) -> Result<Common<'r>> {
        let (table, cell) = (self.table(), self.cell());
        let mut common = self.bookmarks()?;
        for rows in others {
            if !rows.table().is_same(&table) || !Arc::ptr_eq(rows.cell(), cell) {
                return Err(Error::new(
                    JetErr::InvalidParameter,
                    "rows of another table, or seen by another session, have nothing in common",
                ));
            }
            let these = rows.bookmarks()?;
            common.retain(|bookmark| these.contains(bookmark));
        }
        let bookmarks: Vec<Vec<u8>> = common.into_iter().collect();
        Ok(Common { table, cell, bookmarks: bookmarks.into_iter() })
    }

    fn bookmarks(self) -> Result<BTreeSet<Vec<u8>>> {
        let mut bookmarks = BTreeSet::new();
        self.each_bookmark(|bookmark| {
            bookmarks.insert(bookmark.to_vec());
        })?;
        Ok(bookmarks)
    }

    /// The bookmarks of all rows that are left; none of the rows is read.
    fn each_bookmark(mut self, mut each: impl FnMut(&[u8])) -> Result<()> {
        self.follow()?;
        self.take_ready(&mut each)?;
        let cell = self.cell();
        let Some(index) = self.secondary() else {
            let mut key = Vec::new();
            let walked = cell.with(|state| {
                self.walk(state, |row| {
                    key.clear();
                    row.append_key(&mut key);
                    each(&key);
                    ControlFlow::Continue(())
                })
            });
            return walked.map(drop);
        };
        while !self.is_done() {
            for Entry { bookmark, .. } in cell.with(|state| self.entries(state, &index))? {
                each(&bookmark);
            }
        }
        Ok(())
    }
}

/// The rows that several ranges have in common; see [`Rows::in_common_with`].
#[derive(Debug)]
pub struct Common<'r> {
    table: Table,
    cell: &'r Arc<SessionCell>,
    bookmarks: vec::IntoIter<Vec<u8>>,
}

impl Iterator for Common<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        // Outside a transaction others may have deleted some meanwhile.
        self.bookmarks.find_map(|bookmark| {
            let found = self.cell.with(|state| {
                let engine = &state.engine;
                let table = self.table.current(engine)?;
                table.get(engine, &bookmark, |record| {
                    Row::read(&table, engine, bookmark.clone(), record)
                })
            });
            found.and_then(Option::transpose).transpose()
        })
    }
}
