//! Secondary indexes of a table: their entries, and keeping them equal to the rows.
//!
//! An entry's key is a key of the row, its data the row's bookmark (edb-format 8.6). In an index
//! whose keys are not unique both together identify it. Entries are versioned like rows, so that
//! a snapshot that sees a row sees its entries too.

use std::{
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering},
};

use ese_base::{Error, JetErr, Result};
use ese_pages::Node;
use smallvec::SmallVec;

use super::{Table, see, see_versions};
use crate::{
    database::Database,
    key,
    record::RecordView,
    schema::{Index, SpaceHints, TableSchema},
    session::Session,
    tree::{self, Direction, Position, Start, TreeHandle},
    version::Seen,
};

/// The keys of one row in one index: usually one.
pub(crate) type Keys = SmallVec<[Vec<u8>; 1]>;

/// A secondary index of a table: what the catalog says of it, and its tree.
#[derive(Debug)]
pub struct SecondaryIndex {
    /// Definition.
    pub schema: Index,
    pub(crate) tree: Arc<TreeHandle>,
    /// Why its keys cannot be made, if they cannot.
    obstacle: Option<Error>,
}

impl SecondaryIndex {
    pub(crate) fn new(db: &Database, table: &TableSchema, index: &Index) -> SecondaryIndex {
        let tree = db.tree_of(&index.tree());
        tree.set_growth(SpaceHints::of_index(index).growth(table.page_size));
        SecondaryIndex {
            schema: index.clone(),
            tree,
            obstacle: key::check_supported(table, index).err(),
        }
    }

    /// Refuses changes of its entries, where their keys cannot be made.
    pub(crate) fn check_changeable(&self) -> Result<()> {
        match &self.obstacle {
            None => Ok(()),
            Some(error) => Err(error.clone().within("its entries can be read, not changed")),
        }
    }
}

/// An index entry under the latch of its page: valid only inside the visitor that gets it.
#[derive(Clone, Copy, Debug)]
pub struct EntryRef<'a> {
    prefix: &'a [u8],
    suffix: &'a [u8],
    /// Bookmark of the row.
    pub bookmark: &'a [u8],
}

impl EntryRef<'_> {
    /// Appends the entry's key.
    pub fn append_key(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix);
        out.extend_from_slice(self.suffix);
    }
}

impl Table {
    /// Visits the entries of an index that the session sees, in key order (entries of equal keys in
    /// the order of their rows), until the visitor breaks. Returns whether it did. `position`
    /// speeds up a scan that goes on where the last one broke. The data of `start` are a bookmark.
    ///
    /// The visitor runs under a page latch: it must be short and must not use the engine.
    ///
    /// # Errors
    /// Those of reading.
    pub fn scan_index(
        &self,
        session: &Session,
        index: &SecondaryIndex,
        start: Start<'_>,
        direction: Direction,
        position: &mut Position,
        mut visit: impl FnMut(EntryRef<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        let (versions, handle) = (&session.instance().versions, &index.tree);
        session.read(|snapshot| {
            let view = handle.view();
            let guide = (&**handle, usize::from(session.procid().0));
            // Nobody sees the index yet for whom that changes under the scan.
            let see = if handle.unmarked.load(Ordering::Acquire) == 0 { see } else { see_versions };
            tree::scan_guided(&self.db.cache, guide, start, direction, position, |node| {
                let Node { prefix, suffix, data, .. } = node;
                let order = view.order_data(data);
                match see(versions, handle, snapshot, &node, None, order) {
                    Seen::Absent => ControlFlow::Continue(()),
                    Seen::AsOnPage => visit(EntryRef { prefix, suffix, bookmark: data }),
                    Seen::Before(data) => visit(EntryRef { prefix, suffix, bookmark: &data }),
                }
            })
        })
    }
}

impl SecondaryIndex {
    /// The keys of a record in this index.
    pub(crate) fn keys_of(
        &self,
        table: &Table,
        schema: &TableSchema,
        session: &Session,
        record: &[u8],
    ) -> Result<Keys> {
        let (mut keys, mut scratch) = (Keys::new(), Vec::new());
        let long_values = table.long_values(session);
        let view = RecordView::new(record, table.db.page_size())?.with_long_values(&long_values);
        key::for_each_key(schema, &self.schema, &view, &mut scratch, |key| {
            keys.push(key.to_vec());
            Ok(())
        })?;
        Ok(keys)
    }

    fn insert_entry(
        &self,
        db: &Arc<Database>,
        session: &mut Session,
        key: &[u8],
        bookmark: &[u8],
    ) -> Result<()> {
        let inserted = session.insert(db, &self.tree, &mut Position::default(), key, bookmark);
        inserted.map_err(|error| match error.code() {
            JetErr::KeyDuplicate => duplicate_key(&self.schema),
            _ => error,
        })
    }

    fn delete_entry(
        &self,
        db: &Arc<Database>,
        session: &mut Session,
        key: &[u8],
        bookmark: &[u8],
    ) -> Result<()> {
        let order = if self.tree.kind.unique { &[] } else { bookmark };
        let deleted = session.delete(db, &self.tree, &mut Position::default(), key, order);
        deleted.map_err(|error| match error.code() {
            // The row could be changed, so nobody else has changed its entries.
            JetErr::RecordDeleted | JetErr::RecordNotFound => Error::new(
                JetErr::SecondaryIndexCorrupted,
                format!("index \"{}\" lacks the entry of a row", self.schema.name),
            )
            .at_path(db.file.path())
            .advise("delete the index and create it anew"),
            _ => error,
        })
    }
}

pub(crate) fn duplicate_key(index: &Index) -> Error {
    let what = format!("index \"{}\" has an entry with this key", index.name);
    Error::new(JetErr::KeyDuplicate, what)
        .advise("its keys are unique: change this row, or the one that the index leads to")
}

/// The entries of a new row.
pub(super) fn insert_entries(
    table: &Table,
    schema: &TableSchema,
    indexes: &[&SecondaryIndex],
    session: &mut Session,
    bookmark: &[u8],
    record: &[u8],
) -> Result<()> {
    for index in indexes {
        for key in index.keys_of(table, schema, session, record)? {
            index.insert_entry(&table.db, session, &key, bookmark)?;
        }
    }
    Ok(())
}

/// The entries of a row that is gone.
pub(super) fn delete_entries(
    table: &Table,
    schema: &TableSchema,
    indexes: &[&SecondaryIndex],
    session: &mut Session,
    bookmark: &[u8],
    record: &[u8],
) -> Result<()> {
    for index in indexes {
        for key in index.keys_of(table, schema, session, record)? {
            index.delete_entry(&table.db, session, &key, bookmark)?;
        }
    }
    Ok(())
}

/// Does a change of a row reach a column that the keys of an index are made of, or depend on?
pub(super) fn reaches(
    index: &Index,
    schema: &TableSchema,
    old: &RecordView<'_>,
    new: &RecordView<'_>,
) -> Result<bool> {
    for id in index.columns() {
        let column = schema.columns.require(id)?;
        if !old.data(column)?.is_stored_as(new.data(column)?)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The entries of a row that has changed: only keys that come or go are touched, and an index that
/// the change does not reach is not looked at. What goes goes first, so that a row may take over a
/// unique key from itself.
pub(super) fn replace_entries(
    table: &Table,
    schema: &TableSchema,
    indexes: &[&SecondaryIndex],
    session: &mut Session,
    bookmark: &[u8],
    (old, new): (&[u8], &[u8]),
) -> Result<()> {
    let page_size = table.db.page_size();
    let views = (RecordView::new(old, page_size)?, RecordView::new(new, page_size)?);
    for index in indexes {
        if !reaches(&index.schema, schema, &views.0, &views.1)? {
            continue;
        }
        index.check_changeable()?;
        let mut before = index.keys_of(table, schema, session, old)?;
        let mut after = index.keys_of(table, schema, session, new)?;
        before.sort_unstable();
        after.sort_unstable();
        for key in before.iter().filter(|key| after.binary_search(key).is_err()) {
            index.delete_entry(&table.db, session, key, bookmark)?;
        }
        for key in after.iter().filter(|key| before.binary_search(key).is_err()) {
            index.insert_entry(&table.db, session, key, bookmark)?;
        }
    }
    Ok(())
}
