//! Bookmarks of both kinds, and switching to another order (api-semantics 6.8 to 6.11).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};

use super::{
    Cursor, Place,
    moves::filtered,
    no_current_record, record_deleted,
    walk::{Entry, Order, Steps},
};
use crate::{
    key,
    record::RecordView,
    session::Session,
    tree::{Direction, Start},
};

/// Where a cursor stands after its order was switched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MoveOnSwitch {
    /// On the first entry, once somebody looks.
    #[default]
    First,
    /// Before the first entry.
    BeforeFirst,
    /// On the entry of the same row: of its value with this number, from 1.
    Stay(u32),
}

/// The bookmark of an index entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecondaryBookmark {
    /// The entry's key.
    pub key: Vec<u8>,
    /// The bookmark of its row.
    pub primary: Vec<u8>,
}

impl Cursor {
    /// Name of the current index; empty in the order of a table without primary index.
    #[must_use]
    pub fn current_index(&self) -> &str {
        self.order.index(&self.table.schema).map_or("", |index| &index.name)
    }

    /// Goes to the row with this bookmark; in a secondary index to the row's first entry there.
    /// Range, search key and prepared update are forgotten.
    ///
    /// # Errors
    /// `JET_errInvalidBookmark` (-1045) for no bytes, `JET_errRecordDeleted` (-1017) where there is
    /// no such row, `JET_errNoCurrentRecord` (-1603) when the row has no entry in the current
    /// index; those of reading.
    pub fn go_to(&mut self, session: &Session, bookmark: &[u8]) -> Result<()> {
        if bookmark.is_empty() {
            return Err(Error::new(JetErr::InvalidBookmark, "the bookmark is empty"));
        }
        self.forget();
        self.place_on_row(session, bookmark, 1)
    }

    /// Stands on the entry of a row in the current order.
    fn place_on_row(&mut self, session: &Session, bookmark: &[u8], itag: u32) -> Result<()> {
        let table = Arc::clone(&self.table);
        let Some(index) = self.order.secondary() else {
            table.get(session, bookmark, |_| ())?.ok_or_else(record_deleted)?;
            self.here = Entry { key: bookmark.to_vec(), row: Vec::new() };
            self.place = Place::Row;
            return Ok(());
        };
        let (mut keys, mut scratch) = (Vec::new(), Vec::new());
        let made = table.get(session, bookmark, |record| {
            let long_values = table.long_values(session);
            let view = RecordView::new(record, table.schema.page_size)?;
            let view = view.with_long_values(&long_values);
            key::for_each_key(&table.schema, &index.schema, &view, &mut scratch, |key| {
                keys.push(key.to_vec());
                Ok(())
            })
        })?;
        made.ok_or_else(record_deleted)??;
        let nth = usize::try_from(itag).unwrap_or(usize::MAX).saturating_sub(1);
        if nth > 0 && nth >= keys.len() && !keys.is_empty() {
            let what = format!("the row has {} entries in the index", keys.len());
            return Err(Error::new(JetErr::BadItagSequence, what));
        }
        self.place = Place::Before;
        let key = keys.into_iter().nth(nth).ok_or_else(no_current_record)?;
        self.here = Entry { key, row: bookmark.to_vec() };
        self.place = Place::Row;
        Ok(())
    }

    /// The bookmark of the current index entry.
    ///
    /// # Errors
    /// `JET_errNoCurrentIndex` (-1519) in the table's own order, `JET_errNoCurrentRecord` (-1603)
    /// off an entry; those of reading.
    pub fn secondary_bookmark(&mut self, session: &Session) -> Result<SecondaryBookmark> {
        self.need_secondary()?;
        let entry = self.entry(session)?.clone();
        Ok(SecondaryBookmark { key: entry.key, primary: entry.row })
    }

    fn need_secondary(&self) -> Result<()> {
        if self.order.is_primary() {
            return Err(Error::new(JetErr::NoCurrentIndex, "no secondary index is current"));
        }
        Ok(())
    }

    /// Goes to an index entry. Range, search key and prepared update are forgotten. With `between`
    /// a missing entry leaves the cursor where it would be.
    ///
    /// # Errors
    /// `JET_errNoCurrentIndex` (-1519) in the table's own order, `JET_errInvalidBookmark` (-1045)
    /// for an empty key, or no row where keys are not distinct; `JET_errRecordDeleted` (-1017) for
    /// a missing entry, and for one that belongs to another row, on which the cursor then stands.
    pub fn go_to_secondary(
        &mut self,
        session: &Session,
        bookmark: &SecondaryBookmark,
        between: bool,
    ) -> Result<()> {
        self.need_secondary()?;
        let SecondaryBookmark { key, primary } = bookmark;
        let unique = self.order.is_unique();
        if key.is_empty() || (!unique && primary.is_empty()) {
            return Err(Error::new(JetErr::InvalidBookmark, "a part of the bookmark is empty"));
        }
        self.forget();
        let data: &[u8] = if unique { &[] } else { primary };
        let start = Start::At { key, data };
        let found = self.walk(session, start, Direction::Forward, Steps::ONE)?
            && self.next.key == *key
            && (unique || self.next.row == *primary);
        if found {
            self.land();
            let other = !primary.is_empty() && self.here.row != *primary;
            return if other { Err(record_deleted()) } else { Ok(()) };
        }
        self.place = Place::Before;
        if between {
            self.here = Entry { key: key.clone(), row: data.to_vec() };
            self.place = Place::Gap;
        }
        Err(record_deleted())
    }

    /// Switches to another order: `None` and no name stand for the table's own. Range, search key
    /// and prepared update are forgotten.
    ///
    /// # Errors
    /// `JET_errFilteredMoveNotSupported` (-1124), `JET_errIndexNotFound` (-1404); for
    /// [`MoveOnSwitch::Stay`] `JET_errNoCurrentRecord` (-1603) where there is no current row or the
    /// row has no entry in that index, `JET_errRecordDeleted` (-1017), `JET_errBadItagSequence`
    /// (-1518). The order is as before then.
    pub fn set_index(
        &mut self,
        session: &Session,
        name: Option<&str>,
        then: MoveOnSwitch,
    ) -> Result<()> {
        if self.is_filtered() {
            return Err(filtered("switching to another index"));
        }
        let order = Order::named(&self.table, name.unwrap_or_default())?;
        let MoveOnSwitch::Stay(itag) = then else {
            self.forget();
            self.switch(order);
            self.place = match then {
                MoveOnSwitch::BeforeFirst => Place::Before,
                _ => Place::First,
            };
            return Ok(());
        };
        let row = self.bookmark(session)?.to_vec();
        let before = (self.order.clone(), self.here.clone());
        self.switch(order);
        if let Err(error) = self.place_on_row(session, &row, itag) {
            let (order, here) = before;
            self.switch(order);
            self.here = here;
            self.place = Place::Row;
            return Err(error);
        }
        self.forget();
        Ok(())
    }

    fn switch(&mut self, order: Order) {
        if let Some(in_use) = &self.in_use {
            in_use.set_index(order.secondary().as_deref());
        }
        self.order = order;
        self.position = crate::tree::Position::default();
    }
}
