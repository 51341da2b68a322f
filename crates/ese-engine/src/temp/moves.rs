//! Moving, seeking and reading, in all states of a temporary table.

use ese_base::{Error, JetErr, Result};

use super::{Phase, TempTable, sorted::illegal};
use crate::{
    cursor::{KeyOptions, RangeOptions, SearchKey, Seek, Sought},
    schema::{Column, Index},
    session::Session,
};

impl TempTable {
    /// Moves to the first row.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603) where there is none; those of
    /// [`TempTable::end_insertion`].
    pub fn first(&mut self, session: &Session) -> Result<()> {
        self.end_insertion(session)?;
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.first(session),
            _ => self.sorted_mut("moving")?.first(),
        }
    }

    /// Moves to the last row. One that is read forward only is read to its end, twice.
    ///
    /// # Errors
    /// As [`TempTable::first`].
    pub fn last(&mut self, session: &Session) -> Result<()> {
        self.end_insertion(session)?;
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.last(session),
            _ => self.sorted_mut("moving")?.last(),
        }
    }

    /// Moves by a number of rows; `distinct` counts in trees only. The first move after the
    /// insertion begins before the first row.
    ///
    /// # Errors
    /// As [`TempTable::first`]; `JET_errIllegalOperation` (-1312) for moves back in a sort that is
    /// neither scrollable nor indexed.
    pub fn move_by(&mut self, session: &Session, rows: i32, distinct: bool) -> Result<()> {
        let ending = self.is_inserting();
        self.end_insertion(session)?;
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.move_by(session, rows, distinct),
            _ => {
                let cursor = self.sorted_mut("moving")?;
                if ending {
                    // Sorting has moved it to the first row already.
                    cursor.row()?;
                }
                cursor.move_by(if ending && rows > 0 { rows - 1 } else { rows })
            }
        }
    }

    fn index(&self) -> Result<&Index> {
        self.schema.primary().ok_or_else(|| {
            Error::new(JetErr::NoCurrentIndex, "the temporary table has no key columns")
        })
    }

    /// The column of the segment that comes next in the search key.
    ///
    /// # Errors
    /// `JET_errNoCurrentIndex` (-1519).
    pub fn next_key_column(&self, new_key: bool) -> Result<Option<&Column>> {
        self.search.next_column(&self.schema, self.index()?, new_key)
    }

    /// Adds a segment to the search key; `None` is NULL.
    ///
    /// # Errors
    /// As [`Cursor::make_key`](crate::cursor::Cursor::make_key).
    pub fn make_key(&mut self, value: Option<&[u8]>, options: KeyOptions) -> Result<()> {
        self.search = self.search.with(&self.schema, self.index()?, value, options)?;
        Ok(())
    }

    /// Takes a whole key as it is.
    ///
    /// # Errors
    /// `JET_errInvalidParameter` (-1003) for one that is too long.
    pub fn set_key(&mut self, key: &[u8]) -> Result<()> {
        self.search = SearchKey::whole(key, self.schema.key_len_max())?;
        Ok(())
    }

    /// The search key.
    ///
    /// # Errors
    /// `JET_errKeyNotMade` (-1608).
    pub fn search_key(&self) -> Result<&[u8]> {
        self.search.bytes()
    }

    /// The key for the cursor of a tree.
    fn hand_over_key(&mut self) -> Result<()> {
        let key = self.search.take()?;
        if let Phase::Tree(tree) = &mut self.phase {
            tree.checked()?.set_key(&key)?;
        }
        Ok(())
    }

    /// Moves to the row that the search key and the relation name; the key is used up. In a sort
    /// `alone` and `range` do not count, and a neighbour is as good as the row.
    ///
    /// # Errors
    /// `JET_errKeyNotMade` (-1608), `JET_errRecordNotFound` (-1601), `JET_errIllegalOperation`
    /// (-1312) for a sort that is neither scrollable nor indexed; as [`TempTable::first`].
    pub fn seek(
        &mut self,
        session: &Session,
        relation: Seek,
        alone: bool,
        range: bool,
    ) -> Result<Sought> {
        self.end_insertion(session)?;
        if let Phase::Tree(_) = self.phase {
            self.hand_over_key()?;
        }
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.seek(session, relation, alone, range),
            Phase::Sorted(cursor) => {
                cursor.check_seekable()?;
                let key = self.search.take()?;
                cursor.seek(key, relation)?;
                Ok(Sought { exact: true, alone: false })
            }
            other => Err(other.refuse("seeking")),
        }
    }

    /// Limits moves by the search key, which is used up.
    ///
    /// # Errors
    /// As [`Cursor::set_range`](crate::cursor::Cursor::set_range); `JET_errIllegalOperation`
    /// (-1312) while rows are inserted, and for a sort that is neither scrollable nor indexed.
    pub fn set_range(&mut self, session: &Session, options: RangeOptions) -> Result<()> {
        if let Phase::Tree(_) = self.phase {
            self.hand_over_key()?;
        }
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.set_range(session, options),
            Phase::Sorted(cursor) => {
                cursor.check_seekable()?;
                let key = self.search.take()?;
                cursor.set_range(key, options)
            }
            other => Err(other.refuse("limiting moves")),
        }
    }

    /// Removes the limit of moves.
    ///
    /// # Errors
    /// `JET_errInvalidOperation` (-1906) where there is none; as [`TempTable::set_range`].
    pub fn remove_range(&mut self) -> Result<()> {
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.remove_range(),
            _ => self.sorted_mut("limiting moves")?.remove_range(),
        }
    }

    /// Reads the record of the current row. The visitor may run under a page latch: it must be
    /// short and must not use the engine.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted` (-1017), `JET_errIllegalOperation`
    /// (-1312) while rows are inserted into a sort; those of reading.
    pub fn read<T>(&mut self, session: &Session, visit: impl FnOnce(&[u8]) -> T) -> Result<T> {
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.read(session, visit),
            _ => Ok(visit(self.sorted("reading")?.row()?.record)),
        }
    }

    /// The key of the current row.
    ///
    /// # Errors
    /// As [`TempTable::read`].
    pub fn current_key(&mut self, session: &Session) -> Result<&[u8]> {
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.current_key(session),
            Phase::Sorted(cursor) => Ok(cursor.row()?.key),
            other => Err(other.refuse("reading a key")),
        }
    }

    /// What names the current row: its key in a tree, its number in a sort.
    ///
    /// # Errors
    /// As [`TempTable::read`]; `JET_errIllegalOperation` (-1312) for a sort that did not fit into
    /// memory.
    pub fn bookmark(&mut self, session: &Session) -> Result<Vec<u8>> {
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.bookmark(session).map(<[u8]>::to_vec),
            _ => Ok(self.sorted("a bookmark")?.bookmark()?.to_vec()),
        }
    }

    /// Goes to the row with this bookmark.
    ///
    /// # Errors
    /// `JET_errInvalidBookmark` (-1045), `JET_errRecordDeleted` (-1017); as
    /// [`TempTable::bookmark`].
    pub fn go_to(&mut self, session: &Session, bookmark: &[u8]) -> Result<()> {
        match &mut self.phase {
            Phase::Tree(tree) => tree.checked()?.go_to(session, bookmark),
            _ => self.sorted_mut("going to a bookmark")?.go_to(bookmark),
        }
    }

    /// The same error as for a call that is not for temporary tables.
    #[must_use]
    pub fn refused(what: &str) -> Error {
        illegal(format!("{what} in a temporary table"))
    }
}
