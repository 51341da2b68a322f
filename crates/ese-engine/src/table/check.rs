//! Does every secondary index hold exactly the entries of the rows?

use std::{collections::BTreeSet, fmt, ops::ControlFlow};

use ese_base::Result;

use super::{SecondaryIndex, Table};
use crate::{
    session::Session,
    tree::{Direction, Position, Start},
};

/// An index that is not the projection of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexMismatch {
    /// Name of the table.
    pub table: String,
    /// Name of the index.
    pub index: String,
    /// Entries that rows should have and the index lacks.
    pub missing: u64,
    /// Entries that no row should have.
    pub extra: u64,
    /// Entries that come before their predecessor, or twice.
    pub misplaced: u64,
}

impl fmt::Display for IndexMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IndexMismatch { table, index, missing, extra, misplaced } = self;
        write!(
            f,
            "index \"{index}\" of table \"{table}\": {missing} entries are missing, {extra} belong \
             to no row, {misplaced} are out of order"
        )
    }
}

impl Table {
    /// Compares each secondary index with what the rows say it should hold, as the session sees
    /// both. Indexes whose keys this version cannot make are left out. Holds the entries of one
    /// index in memory.
    ///
    /// # Errors
    /// Those of reading, and of making keys.
    pub fn check_indexes(&self, session: &Session) -> Result<Vec<IndexMismatch>> {
        let mut mismatches = Vec::new();
        let possible = self.secondary.iter().filter(|index| index.check_changeable().is_ok());
        for index in possible {
            mismatches.extend(self.check_index(session, index)?);
        }
        Ok(mismatches)
    }

    fn check_index(
        &self,
        session: &Session,
        index: &SecondaryIndex,
    ) -> Result<Option<IndexMismatch>> {
        let mut expected = self.expected_entries(session, index)?;
        let (mut extra, mut misplaced) = (0, 0);
        let (mut last, mut at) = ((Vec::new(), Vec::new()), Position::default());
        let to = Direction::Forward;
        self.scan_index(session, index, Start::End, to, &mut at, |entry| {
            let mut this = (Vec::new(), entry.bookmark.to_vec());
            entry.append_key(&mut this.0);
            misplaced += u64::from(this <= last);
            extra += u64::from(!expected.remove(&this));
            last = this;
            ControlFlow::Continue(())
        })?;
        if expected.is_empty() && extra == 0 && misplaced == 0 {
            return Ok(None);
        }
        Ok(Some(IndexMismatch {
            table: self.schema.name.clone(),
            index: index.schema.name.clone(),
            missing: expected.len() as u64,
            extra,
            misplaced,
        }))
    }

    fn expected_entries(
        &self,
        session: &Session,
        index: &SecondaryIndex,
    ) -> Result<BTreeSet<(Vec<u8>, Vec<u8>)>> {
        let (mut expected, mut made) = (BTreeSet::new(), Ok(()));
        let mut at = Position::default();
        self.scan(session, Start::End, Direction::Forward, &mut at, |row| {
            let mut bookmark = Vec::new();
            row.append_key(&mut bookmark);
            match index.keys_of(&self.db, &self.schema, row.record) {
                Ok(keys) => {
                    expected.extend(keys.into_iter().map(|key| (key, bookmark.clone())));
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    made = Err(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        made.map(|()| expected)
    }
}
