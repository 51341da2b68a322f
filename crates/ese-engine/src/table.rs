//! A table as sessions use it: rows with their primary key, through the eyes of a snapshot.
//!
//! Every change of a row keeps the secondary indexes up, in the same statement: the row first, so
//! that a conflict shows before anything else happens, then the entries of its keys.

mod check;
mod compose;
mod counters;
mod edits;
mod escrow;
pub(crate) mod live;
mod long;
mod secondary;
mod stats;

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ese_base::{Error, JetErr, ObjId, Result};
use ese_pages::{Node, NodeFlags};

use crate::{
    database::Database,
    key,
    record::RecordView,
    schema::{Index, SpaceHints, TableSchema, is_catalog},
    session::Session,
    tree::{self, Direction, Position, Start, TreeHandle, TreeKind},
    version::{KeyBytes, Lock, Seen, Snapshot, Trx, VersionStore},
};

pub use check::IndexMismatch;
pub(crate) use compose::{Composer, MadeLids, Stored};
pub use escrow::OnRollback;
pub(crate) use live::Core;
pub use live::{IndexHold, Sharing, TableUse};
pub use long::SessionLongValues;
pub(crate) use long::visit_seen;
pub use secondary::{EntryRef, SecondaryIndex};
pub(crate) use secondary::{Keys, duplicate_key};
pub use stats::IndexStats;

use self::{
    live::Live,
    long::LongState,
    secondary::{delete_entries, insert_entries, reaches, replace_entries},
};

/// A table of an attached database, as one version of its schema describes it. Versions share the
/// rows; `catalog::open_table` gives the one that a session sees, `catalog::current` the one that
/// it sees by now.
#[derive(Debug)]
pub struct Table {
    /// Its database.
    pub db: Arc<Database>,
    /// Columns and indexes.
    pub schema: Arc<TableSchema>,
    pub(crate) tree: Arc<TreeHandle>,
    pub(crate) core: Arc<Core>,
    secondary: Vec<Arc<SecondaryIndex>>,
    /// The transaction that makes this version; others see it when that has committed.
    creator: Option<Arc<Trx>>,
    /// There is a newer version, or the table is being deleted.
    pub(crate) superseded: AtomicBool,
}

/// A row under the latch of its page: valid only inside the visitor that gets it.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    prefix: &'a [u8],
    suffix: &'a [u8],
    /// The record.
    pub record: &'a [u8],
}

impl RowRef<'_> {
    /// Appends the row's key (its bookmark).
    pub fn append_key(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix);
        out.extend_from_slice(self.suffix);
    }
}

impl Table {
    pub(crate) fn new(db: &Arc<Database>, schema: TableSchema, creator: Option<Arc<Trx>>) -> Table {
        let density_pct = u8::try_from(schema.density).unwrap_or(TreeKind::TABLE.density_pct);
        let kind = TreeKind { density_pct, ..TreeKind::TABLE };
        let tree = db.tree(schema.fdp, schema.objid, kind);
        tree.set_growth(SpaceHints::of_table(&schema).growth(schema.page_size));
        let schema = Arc::new(schema);
        let secondary = secondary_of(db, &schema, &[]);
        let live = Live::new(&schema, &secondary);
        let core = Core::new(live, LongState::of(db, &schema), creator.clone());
        let superseded = AtomicBool::new(false);
        Table { db: Arc::clone(db), schema, tree, core, secondary, creator, superseded }
    }

    /// The same table with another schema.
    pub(crate) fn with_schema(&self, schema: TableSchema, creator: &Arc<Trx>) -> Table {
        let schema = Arc::new(schema);
        Table {
            db: Arc::clone(&self.db),
            tree: Arc::clone(&self.tree),
            core: Arc::clone(&self.core),
            secondary: secondary_of(&self.db, &schema, &self.secondary),
            creator: Some(Arc::clone(creator)),
            superseded: AtomicBool::new(false),
            schema,
        }
    }

    /// Registers a use of the table; it lasts until the answer is dropped. While there is one, the
    /// table cannot be deleted.
    ///
    /// # Errors
    /// `JET_errTableLocked` (-1302) if another session denies this use or deletes the table,
    /// `JET_errTableInUse` (-1304) if this use denies what another session does already.
    pub fn enter(&self, session: &Session, sharing: Sharing) -> Result<TableUse> {
        self.core.enter(session.procid(), sharing, &self.schema.name)
    }

    /// Keeps one of its indexes from being deleted, until the answer is dropped.
    #[must_use]
    pub fn hold_index(&self, index: &SecondaryIndex) -> IndexHold {
        IndexHold::new(&self.core, index)
    }

    /// Is this the newest version of the table? (It may be one that is not committed.)
    #[must_use]
    pub fn is_newest(&self) -> bool {
        !self.superseded.load(Ordering::Acquire)
    }

    /// Does this version have the index with that object id?
    pub(crate) fn has_index(&self, objid: ObjId) -> bool {
        self.secondary.iter().any(|index| index.schema.objid == objid)
    }

    /// The secondary indexes, in the order of their object ids.
    #[must_use]
    pub fn secondary_indexes(&self) -> &[Arc<SecondaryIndex>] {
        &self.secondary
    }

    /// The secondary index with this name; ASCII case does not matter. The primary index is the
    /// table itself.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&Arc<SecondaryIndex>> {
        self.secondary.iter().find(|index| index.schema.name.eq_ignore_ascii_case(name))
    }

    /// Has its tree no node at all, neither one that was deleted nor one that nobody sees yet?
    pub(crate) fn is_blank(&self) -> Result<bool> {
        let mut blank = true;
        let (view, at) = (self.tree.view(), &mut Position::default());
        tree::scan(&self.db.cache, &view, Start::End, Direction::Forward, at, |_| {
            blank = false;
            ControlFlow::Break(())
        })?;
        Ok(blank)
    }

    /// Does a session with this snapshot see the table?
    pub(crate) fn seen_by(&self, snapshot: Snapshot<'_>) -> bool {
        self.creator.as_ref().is_none_or(|creator| snapshot.sees(creator))
    }

    /// May a session read the table, or change it (`changes`)? Not what another one denies it that
    /// has opened the table.
    ///
    /// # Errors
    /// `JET_errTableLocked` (-1302).
    #[inline]
    pub fn admit(&self, session: &Session, changes: bool) -> Result<()> {
        if !self.core.is_denied() {
            return Ok(());
        }
        self.core.check_admitted(session.procid(), changes, &self.schema.name)
    }

    /// Refuses changes that another session denies, and changes to tables with features that
    /// changes cannot keep up.
    fn check_changeable(&self, session: &Session) -> Result<()> {
        self.admit(session, true)?;
        if is_catalog(self.schema.objid) {
            let what =
                format!("table {} is the catalog; schema changes write it", self.schema.name);
            return Err(Error::new(JetErr::PermissionDenied, what).at_path(self.db.file.path()));
        }
        let obstacle = if self.schema.is_orphan() {
            "a template that is missing"
        } else if !self.schema.callbacks.is_empty() {
            "callbacks"
        } else {
            return Ok(());
        };
        Err(Error::new(
            JetErr::FeatureNotAvailable,
            format!("table {} has {obstacle}; its rows can be read, not changed", self.schema.name),
        )
        .at_path(self.db.file.path()))
    }

    /// Inserts a row and its index entries; gives its key. `hint` is where the caller's last row
    /// went.
    ///
    /// # Errors
    /// `JET_errKeyDuplicate` (-1605), also for a key of a unique secondary index and for rows that
    /// this transaction does not see; `JET_errMultiValuedIndexViolation` (-1411),
    /// `JET_errNullKeyDisallowed`, those of the session and of writing. Nothing is left of the row
    /// then.
    pub fn insert(
        &self,
        session: &mut Session,
        hint: &mut Position,
        record: &[u8],
        key: &mut Vec<u8>,
    ) -> Result<()> {
        self.check_changeable(session)?;
        self.new_key(session, record, key)?;
        let live = self.core.live.read();
        let indexes = live.kept_by(session)?;
        indexes.iter().try_for_each(|index| index.check_changeable())?;
        self.check_numbered(&live)?;
        if indexes.is_empty() {
            return session.insert(&self.db, &self.tree, hint, key, record);
        }
        session.all_or_nothing(|session| {
            session.insert(&self.db, &self.tree, hint, key, record)?;
            insert_entries(self, &live.schema, &indexes, session, key, record)
        })
    }

    /// A row of who does not see yet that rows get numbers would be without one; of who does not
    /// see yet that they have a key it would have another one.
    fn check_numbered(&self, live: &Live) -> Result<()> {
        if live.schema.primary().is_some() != self.schema.primary().is_some() {
            let name = &self.schema.name;
            let what = format!("another transaction changes the order of the rows of table {name}");
            return Err(Error::new(JetErr::WriteConflict, what).advise("begin again"));
        }
        let number = |schema: &TableSchema| schema.columns.autoincrement().map(|column| column.id);
        if number(&live.schema) == number(&self.schema) {
            return Ok(());
        }
        let name = &self.schema.name;
        let what = format!("another transaction changes how the rows of table {name} are numbered");
        Err(Error::new(JetErr::WriteConflict, what).advise("begin again"))
    }

    /// The key of a new row.
    fn new_key(&self, session: &Session, record: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        if self.schema.primary().is_some() {
            return self.primary_key(session, record, out);
        }
        let mut next = self.core.next_key.lock();
        let number = match *next {
            Some(number) => number,
            None => self.last_sequential_key(session)? + 1,
        };
        *next = Some(number.checked_add(1).ok_or_else(|| {
            Error::new(JetErr::OutOfSequentialIndexValues, "the table's row numbers are used up")
                .advise("copy the rows into a new table")
        })?);
        out.extend_from_slice(&key::sequential(number));
        Ok(())
    }

    /// The key of a row, also where a value of its key lies outside of it.
    fn primary_key(&self, session: &Session, record: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let view = RecordView::new(record, self.db.page_size())?;
        let columns = self.schema.primary().map_or(&[][..], |index| &index.segments);
        let is_long = |id| self.schema.columns.by_id(id).is_some_and(|column| column.ty.is_long());
        if columns.iter().any(|segment| is_long(segment.column)) {
            let long_values = self.long_values(session);
            return key::primary_key(&self.schema, &view.with_long_values(&long_values), out);
        }
        key::primary_key(&self.schema, &view, out)
    }

    /// The highest sequential key that any row has or had.
    fn last_sequential_key(&self, _session: &Session) -> Result<u32> {
        let mut last = 0;
        let (view, mut position) = (self.tree.view(), Position::default());
        let cache = &self.db.cache;
        tree::scan(cache, &view, Start::End, Direction::Backward, &mut position, |node| {
            last = key::sequential_number(&node.key_to_vec()).unwrap_or(0);
            ControlFlow::Break(())
        })?;
        Ok(last)
    }

    /// Replaces the record of the row with this key, and the index entries whose keys change. The
    /// key of the new record must be the same.
    ///
    /// # Errors
    /// `JET_errWriteConflict` (-1102), `JET_errRecordDeleted` (-1017),
    /// `JET_errRecordPrimaryChanged` when the record has another key, as [`Table::insert`] where an
    /// index refuses. The row is as it was then.
    pub fn replace(
        &self,
        session: &mut Session,
        hint: &mut Position,
        key: &[u8],
        record: &[u8],
    ) -> Result<()> {
        self.check_changeable(session)?;
        self.replace_under(&self.core.live.read(), session, hint, key, record)
    }

    /// Replaces under the lock of the indexes that must be kept up.
    fn replace_under(
        &self,
        live: &Live,
        session: &mut Session,
        hint: &mut Position,
        key: &[u8],
        record: &[u8],
    ) -> Result<()> {
        self.check_same_key(session, key, record)?;
        let indexes = live.kept_by(session)?;
        if indexes.is_empty() && !self.has_long_values() {
            return self.replace_row(session, hint, key, record);
        }
        session.all_or_nothing(|session| {
            // What is seen now is what the change replaces: otherwise it is a conflict.
            let old = self.get(session, key, <[u8]>::to_vec)?;
            self.replace_row(session, hint, key, record)?;
            let old = old.unwrap_or_default();
            replace_entries(self, &live.schema, &indexes, session, key, (&old, record))?;
            self.release_lids(session, &old, Some(record))
        })
    }

    /// The key of a new record must be that of its row.
    fn check_same_key(&self, session: &Session, key: &[u8], record: &[u8]) -> Result<()> {
        let Some(primary) = self.schema.primary() else { return Ok(()) };
        let mut new_key = Vec::with_capacity(key.len());
        match self.primary_key(session, record, &mut new_key) {
            // Another engine made the key. It stays what it is if its columns do.
            Err(error) if error.code() == JetErr::PrimaryIndexCorrupted => {
                let Some(old) = self.get(session, key, <[u8]>::to_vec)? else { return Ok(()) };
                let page_size = self.db.page_size();
                let old = RecordView::new(&old, page_size)?;
                let new = RecordView::new(record, page_size)?;
                let changed = reaches(primary, &self.schema, &old, &new)?;
                return if changed { Err(error) } else { Ok(()) };
            }
            made => made?,
        }
        if new_key == key {
            return Ok(());
        }
        let what = "the new record has another primary key";
        Err(Error::new(JetErr::RecordPrimaryChanged, what)
            .advise("delete the row and insert it anew"))
    }

    /// Locks the row with this key until the transaction ends. False: there is no such row.
    ///
    /// # Errors
    /// `JET_errNotInTransaction` (-1054), `JET_errTransReadOnly` (-1110), `JET_errWriteConflict`
    /// (-1102), `JET_errVersionStoreOutOfMemory` (-1069), those of reading.
    pub fn lock(&self, session: &mut Session, key: &[u8], lock: Lock) -> Result<bool> {
        if self.get(session, key, |_| ())?.is_none() {
            return Ok(false);
        }
        session.lock(&self.db, &self.tree, key, lock).map(|()| true)
    }

    fn replace_row(
        &self,
        session: &mut Session,
        hint: &mut Position,
        key: &[u8],
        record: &[u8],
    ) -> Result<()> {
        let replaced = session.replace(&self.db, &self.tree, hint, key, record);
        replaced.map_err(|error| self.as_conflict(session, key, error))
    }

    /// Deletes the row with this key, and its index entries.
    ///
    /// # Errors
    /// As [`Table::replace`].
    pub fn delete(&self, session: &mut Session, hint: &mut Position, key: &[u8]) -> Result<()> {
        self.check_changeable(session)?;
        let live = self.core.live.read();
        let indexes = live.kept_by(session)?;
        indexes.iter().try_for_each(|index| index.check_changeable())?;
        if indexes.is_empty() && !self.has_long_values() {
            return self.delete_row(session, hint, key);
        }
        session.all_or_nothing(|session| {
            let old = self.get(session, key, <[u8]>::to_vec)?;
            self.delete_row(session, hint, key)?;
            let old = old.unwrap_or_default();
            delete_entries(self, &live.schema, &indexes, session, key, &old)?;
            self.release_lids(session, &old, None)
        })
    }

    fn delete_row(&self, session: &mut Session, hint: &mut Position, key: &[u8]) -> Result<()> {
        let deleted = session.delete(&self.db, &self.tree, hint, key, &[]);
        deleted.map_err(|error| self.as_conflict(session, key, error))
    }

    /// A row that is deleted on its page and yet seen by the session was deleted by somebody whose
    /// deletion the session does not see: that one was first.
    fn as_conflict(&self, session: &Session, key: &[u8], error: Error) -> Error {
        let deleted = error.code() == JetErr::RecordDeleted;
        if deleted && matches!(self.get(session, key, |_| ()), Ok(Some(()))) {
            let what =
                format!("table {}: another transaction has deleted the row", self.schema.name);
            return Error::new(JetErr::WriteConflict, what).advise("roll back and try again");
        }
        error
    }

    /// Reads the row with this key, if the session sees one. The visitor runs under the page's
    /// latch.
    ///
    /// # Errors
    /// Those of reading.
    pub fn get<T>(
        &self,
        session: &Session,
        key: &[u8],
        visit: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>> {
        session.read(|snapshot| {
            let seat = usize::from(session.procid().0);
            let found = tree::seek_guided(&self.db.cache, &self.tree, seat, key, &[])?;
            let Ok(line) = found.line else { return Ok(None) };
            let node = found.leaf.page().node(line);
            let versions = &session.instance().versions;
            Ok(match see(versions, &self.tree, snapshot, &node, Some(key), &[]) {
                Seen::Absent => None,
                Seen::AsOnPage => Some(visit(node.data)),
                Seen::Before(data) => Some(visit(&data)),
            })
        })
    }

    /// Visits the rows that the session sees, in key order, until the visitor breaks. Returns
    /// whether it did. `position` speeds up a scan that goes on where the last one broke.
    ///
    /// The visitor runs under a page latch: it must be short and must not use the engine.
    ///
    /// # Errors
    /// Those of reading.
    pub fn scan(
        &self,
        session: &Session,
        start: Start<'_>,
        direction: Direction,
        position: &mut Position,
        mut visit: impl FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        let versions = &session.instance().versions;
        session.read(|snapshot| {
            let guide = (&*self.tree, usize::from(session.procid().0));
            tree::scan_guided(&self.db.cache, guide, start, direction, position, |node| {
                let Node { prefix, suffix, data, .. } = node;
                match see(versions, &self.tree, snapshot, &node, None, &[]) {
                    Seen::Absent => ControlFlow::Continue(()),
                    Seen::AsOnPage => visit(RowRef { prefix, suffix, record: data }),
                    Seen::Before(data) => visit(RowRef { prefix, suffix, record: &data }),
                }
            })
        })
    }
}

/// The secondary indexes of a schema; those that are known already are shared.
fn secondary_of(
    db: &Database,
    schema: &Arc<TableSchema>,
    known: &[Arc<SecondaryIndex>],
) -> Vec<Arc<SecondaryIndex>> {
    let index = |index: &Index| match known.iter().find(|known| known.schema == *index) {
        Some(known) => Arc::clone(known),
        None => Arc::new(SecondaryIndex::new(db, schema, index)),
    };
    schema.secondary().map(index).collect()
}

/// What the snapshot sees of a node. Nodes that were never versioned cost one test. `key` saves
/// putting the key together; `data` is the second half of the bookmark in trees whose keys are not
/// unique.
#[inline]
fn see(
    versions: &VersionStore,
    tree: &TreeHandle,
    snapshot: Snapshot<'_>,
    node: &Node<'_>,
    key: Option<&[u8]>,
    data: &[u8],
) -> Seen {
    if !node.flags.contains(NodeFlags::VERSIONED) || tree.versions.load(Ordering::Acquire) == 0 {
        return if node.is_deleted() { Seen::Absent } else { Seen::AsOnPage };
    }
    see_versions(versions, tree, snapshot, node, key, data)
}

/// As [`see`], also of a node that does not say that it has versions.
fn see_versions(
    versions: &VersionStore,
    tree: &TreeHandle,
    snapshot: Snapshot<'_>,
    node: &Node<'_>,
    key: Option<&[u8]>,
    data: &[u8],
) -> Seen {
    let deleted = node.is_deleted();
    match key {
        Some(key) => versions.resolve(tree, key, data, (node.data, deleted), snapshot),
        None => {
            let mut key = KeyBytes::from_slice(node.prefix);
            key.extend_from_slice(node.suffix);
            versions.resolve(tree, &key, data, (node.data, deleted), snapshot)
        }
    }
}
