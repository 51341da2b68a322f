//! A cursor: a place in an order of a table's rows, and the row that is being changed there.
//!
//! The order is the table's own or that of a secondary index. The cursor remembers the entry it
//! stands on, not what the row holds: every read looks the row up again, so what is read is what
//! the session's snapshot sees at that moment. It also remembers the leaf of its last step, and
//! goes on there without a search while the leaf is unchanged.
//!
//! * `walk` goes from entry to entry, `moves`, `seek` and `range` are made of it.
//! * `keys` makes search keys, `place` knows bookmarks and switches orders.
//! * `ahead` has entries read ahead, `count` counts and estimates, `filter` leaves rows out, `meet`
//!   intersects ranges.
//! * `entry` reads columns out of the entry itself.
//! * `update` is the copy buffer with its rules.
//!
//! What a call answers where, and what it leaves behind, follows api-semantics 6 to 8.

mod ahead;
mod count;
mod entry;
mod filter;
mod keys;
mod long;
mod meet;
mod moves;
mod place;
mod range;
mod seek;
mod unique;
mod update;
mod walk;

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};

pub use count::RecordPosition;
pub use entry::{EntryPart, FromEntry};
pub use filter::{Filter, Relation};
pub use keys::{KeyOptions, Limit};
pub(crate) use long::DroppedValue;
pub use long::{LongEdit, LongStorage};
pub use meet::intersect;
pub use place::{MoveOnSwitch, SecondaryBookmark};
pub use range::RangeOptions;
pub use seek::{Seek, Sought};
pub use unique::Sameness;
pub use update::Prepare;

use crate::{
    session::Session,
    table::{Sharing, Table, TableUse},
    tree::Position,
};
use filter::passes;
pub(crate) use keys::SearchKey;
use range::Range;
use update::Update;
use walk::{Entry, Order};

/// Where a cursor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the first entry, which nobody has looked for yet.
    First,
    /// Before the first entry.
    Before,
    /// Behind the last entry.
    After,
    /// On an entry, or at the gap that it left.
    Row,
    /// Between entries, where a key that was sought would be.
    Gap,
}

/// A cursor (ESE: FUCB) of one session.
#[derive(Debug)]
pub struct Cursor {
    table: Arc<Table>,
    order: Order,
    place: Place,
    /// The entry of [`Place::Row`]; the key of [`Place::Gap`].
    here: Entry,
    /// Buffers for the next entry.
    next: Entry,
    /// Leaf of the last step.
    position: Position,
    /// Leaf of the last change.
    changed: Position,
    search: SearchKey,
    range: Option<Range>,
    filters: Vec<Filter>,
    update: Option<Update>,
    read_only: bool,
    /// Pages behind the current one are read ahead.
    sequential: bool,
    /// Says to others that the table, and its current index, are in use.
    in_use: Option<TableUse>,
    sharing: Sharing,
}

impl Cursor {
    /// A cursor on the table's own order. It stands on the first row, which is not looked for yet.
    #[must_use]
    pub fn new(table: Arc<Table>) -> Cursor {
        Cursor {
            table,
            order: Order::Primary,
            place: Place::First,
            here: Entry::default(),
            next: Entry::default(),
            position: Position::default(),
            changed: Position::default(),
            search: SearchKey::default(),
            range: None,
            filters: Vec::new(),
            update: None,
            read_only: false,
            sequential: false,
            in_use: None,
            sharing: Sharing::default(),
        }
    }

    /// The cursor, standing before the first row.
    pub(crate) fn before_first(mut self) -> Cursor {
        self.place = Place::Before;
        self
    }

    /// A cursor that is known to others: as long as it is there, they can neither delete the table
    /// nor what `sharing` denies them.
    ///
    /// # Errors
    /// As [`Table::enter`].
    pub fn open(session: &Session, table: Arc<Table>, sharing: Sharing) -> Result<Cursor> {
        let in_use = Some(table.enter(session, sharing)?);
        let read_only = sharing.read_only;
        Ok(Cursor { in_use, sharing, read_only, ..Cursor::new(table) })
    }

    /// Another cursor on the table: in its own order, on the first row, with nothing prepared.
    ///
    /// # Errors
    /// As [`Cursor::open`].
    pub fn duplicate(&self, session: &Session) -> Result<Cursor> {
        let sharing = Sharing { read_only: self.read_only, ..Sharing::default() };
        Cursor::open(session, Arc::clone(&self.table), sharing)
    }

    /// Has no other session the table open, and can none open it? It makes no difference by which
    /// cursor of the session that is so, nor whether that is closed and its hold lasts until the
    /// transaction ends.
    #[must_use]
    pub fn is_exclusive(&self, session: &Session) -> bool {
        self.table.core.is_alone(session.procid())
    }

    /// Gives up the table before the cursor is dropped, which was opened at this transaction level.
    /// What it denies others of a table that the open transaction has changed stays denied until
    /// that ends.
    pub fn leave(&mut self, session: &mut Session, level: u8) {
        if let Some(held) = self.in_use.take().filter(|_| self.sharing.denies()) {
            session.keep_use(held, &self.table, level);
        }
    }

    /// Goes on with a newer, or older, version of the same table.
    pub fn follow(&mut self, table: Arc<Table>) {
        if let Order::Secondary(index) = &self.order {
            // An index that a cursor is in is not deleted.
            let objid = index.schema.objid;
            let same = table.secondary_indexes().iter().find(|other| other.schema.objid == objid);
            self.order = same.map_or(Order::Primary, |same| Order::Secondary(Arc::clone(same)));
        }
        self.table = table;
    }

    /// Are both on the same table?
    #[must_use]
    pub fn shares_table(&self, other: &Cursor) -> bool {
        let of = |cursor: &Cursor| (cursor.table.db.dbid, cursor.table.schema.objid);
        of(self) == of(other)
    }

    /// Its table.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Is a secondary index current?
    #[must_use]
    pub fn is_on_secondary(&self) -> bool {
        !self.order.is_primary()
    }

    /// Whether it will go over the table in order, so that pages are read ahead.
    pub fn set_sequential(&mut self, sequential: bool) {
        self.sequential = sequential;
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Finds the first entry for a cursor that nobody has moved yet. It stays undecided where there
    /// is none.
    pub(super) fn resolve(&mut self, session: &Session) -> Result<()> {
        if self.place == Place::First {
            self.find_first(session)?;
        }
        Ok(())
    }

    /// The entry it stands on, which need not exist any more.
    fn entry(&mut self, session: &Session) -> Result<&Entry> {
        self.resolve(session)?;
        match self.place {
            Place::Row => Ok(&self.here),
            _ => Err(no_current_record()),
        }
    }

    /// The bookmark of the current row: its key in the table's own order. The row need not exist
    /// any more.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603) off a row; those of reading.
    pub fn bookmark(&mut self, session: &Session) -> Result<&[u8]> {
        let primary = self.order.is_primary();
        let entry = self.entry(session)?;
        Ok(if primary { &entry.key } else { &entry.row })
    }

    /// The key of the current entry in the current order.
    ///
    /// # Errors
    /// As [`Cursor::bookmark`], and `JET_errRecordDeleted` (-1017) when the entry is gone.
    pub fn current_key(&mut self, session: &Session) -> Result<&[u8]> {
        self.entry(session)?;
        if !self.order.has(&self.table, session, &self.here)? {
            return Err(record_deleted());
        }
        Ok(&self.here.key)
    }

    /// Reads the record it stands on. The visitor runs under a page latch: it must be short and
    /// must not use the engine.
    ///
    /// # Errors
    /// `JET_errNoCurrentRecord` (-1603), `JET_errRecordDeleted` (-1017), those of reading.
    pub fn read<T>(&mut self, session: &Session, visit: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let table = Arc::clone(&self.table);
        let key = self.bookmark(session)?;
        table.get(session, key, visit)?.ok_or_else(record_deleted)
    }

    /// Says whether other sessions have changed the current row since the snapshot was taken.
    ///
    /// # Errors
    /// `JET_errWriteConflict` (-1102) if so; as [`Cursor::read`].
    pub fn check_unchanged(&mut self, session: &Session) -> Result<()> {
        self.read(session, |_| ())?;
        let table = Arc::clone(&self.table);
        let key = self.bookmark(session)?;
        session.check_no_conflict(&table.tree, key)
    }

    /// Moving anywhere but by rows forgets range and search key, and drops what was prepared.
    fn forget(&mut self) {
        self.range = None;
        self.search = SearchKey::default();
        self.update = None;
    }
}

#[track_caller]
fn no_current_record() -> Error {
    Error::new(JetErr::NoCurrentRecord, "the cursor is on no row")
}

#[track_caller]
fn record_deleted() -> Error {
    Error::new(JetErr::RecordDeleted, "the row was deleted")
}
