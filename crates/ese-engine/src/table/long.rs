//! The long values of a table: where its rows keep what is too long for them.
//!
//! The tree is made when the first value needs it, in a transaction of its own, because others may
//! need it before the one at work has ended. Only for a table that nobody else sees yet it belongs
//! to the session's transaction, like the table. Rows change references to values; [`Table`] sees
//! to it that each value counts them.

use std::{cell::Cell, ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, Result, activity};
use parking_lot::Mutex;

use super::{Table, see};
use crate::{
    catalog::CatalogTrees,
    database::Database,
    longvalue::{self, Changed, LongTree, Nodes, Packing, Visit, Waiting, chunk_len},
    record::{Lid, LongValues, RecordView},
    schema::{Column, ColumnFlags, LongValueTree, RowKind, TableSchema, long_value_row},
    session::{Durability, SchemaChange, SchemaStep, Session, TreeDrop},
    space,
    tree::{self, Direction, Position, Start, TreeHandle, TreeKind, Writer},
    version::{KeyBytes, Seen},
};

/// Ids of 32 bits go up to here (edb-format 9.2).
const SHORT_MAX: u64 = 0x7fff_feff;
/// The first id of 64 bits.
const WIDE_FIRST: u64 = 0x8000_0000_8000_0001;
/// The last one: the first byte stays as it is.
const WIDE_MAX: u64 = 0x80ff_ffff_ffff_ffff;
/// The update of the format that ids of 64 bits came with (edb-format 10).
const WIDE_SINCE: u32 = 70;

/// What the versions of a table know of its long values.
#[derive(Debug, Default)]
pub(crate) struct LongState(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// What the catalog says of the tree, and the tree.
    tree: Option<(LongValueTree, Arc<TreeHandle>)>,
    /// The highest id, once it is known. Ids of values that were taken back are not used again
    /// while the table is open.
    last: Option<Lid>,
    /// Does the format have ids of 64 bits?
    wide: Option<bool>,
}

impl LongState {
    pub(super) fn of(db: &Database, schema: &TableSchema) -> LongState {
        let tree = schema.lv.as_ref().map(|lv| (lv.clone(), db.tree_of(&lv.tree())));
        LongState(Mutex::new(Known { tree, ..Known::default() }))
    }

    /// The tree was taken back.
    pub(crate) fn forget(&self) {
        *self.0.lock() = Known::default();
    }
}

impl Table {
    /// What the catalog says of the table, its long-value tree included.
    #[must_use]
    pub fn schema_with_long_values(&self) -> TableSchema {
        let lv = self.core.long.0.lock().tree.as_ref().map(|(lv, _)| lv.clone());
        TableSchema { lv, ..TableSchema::clone(&self.schema) }
    }

    /// The table's long values, if any was ever made.
    pub(crate) fn long_tree(&self) -> Option<LongTree> {
        let tree = self.core.long.0.lock().tree.as_ref().map(|(_, tree)| Arc::clone(tree))?;
        Some(LongTree { db: Arc::clone(&self.db), tree, chunk: chunk_len(&self.schema) })
    }

    /// The table's long values, of which there is at least one.
    pub(crate) fn require_long_tree(&self) -> Result<LongTree> {
        self.long_tree().ok_or_else(|| {
            let what = format!("table {} has no long values", self.schema.name);
            Error::new(JetErr::LVCorrupted, what).at_path(self.db.file.path())
        })
    }

    /// The table's long values as a session sees them. To be used in a transaction: two reads
    /// outside one may see different moments.
    #[must_use]
    pub fn long_values<'a>(&self, session: &'a Session) -> SessionLongValues<'a> {
        SessionLongValues {
            tree: self.long_tree(),
            session,
            waiting: None,
            position: Cell::default(),
        }
    }

    /// The same, with changes of a prepared update.
    pub(crate) fn long_values_with<'a>(
        &self,
        session: &'a Session,
        waiting: &'a Waiting,
    ) -> SessionLongValues<'a> {
        let waiting = Some(waiting).filter(|waiting| !waiting.is_empty());
        SessionLongValues { waiting, ..self.long_values(session) }
    }

    /// May rows have values outside of them?
    #[must_use]
    pub fn has_long_values(&self) -> bool {
        self.core.long.0.lock().tree.is_some()
    }

    /// Makes a value, and the tree if it is the first one.
    pub(crate) fn create_long(
        &self,
        session: &mut Session,
        value: &[u8],
        packing: Packing,
    ) -> Result<Lid> {
        session.all_or_nothing(|session| {
            let (tree, lid) = self.new_lid(session)?;
            tree.create(session, lid, value, packing)?;
            Ok(lid)
        })
    }

    /// A new id, and the tree for it.
    pub(crate) fn new_lid(&self, session: &mut Session) -> Result<(LongTree, Lid)> {
        session.check_writable_in(&self.db)?;
        let mut known = self.core.long.0.lock();
        let tree = match &known.tree {
            Some((_, tree)) => Arc::clone(tree),
            None => {
                let (lv, tree) = self.make_tree(session)?;
                known.tree = Some((lv, Arc::clone(&tree)));
                tree
            }
        };
        let last = match known.last {
            Some(last) => last,
            None => last_lid(&self.db, &tree)?,
        };
        // A copy of the header is too much for each value.
        let file = &self.db.file;
        let wide =
            *known.wide.get_or_insert_with(|| file.header().update_major.get() >= WIDE_SINCE);
        let Some(lid) = lid_after(last, wide) else {
            let what = format!("the ids of long values of table {} are used up", self.schema.name);
            return Err(Error::new(JetErr::OutOfLongValueIDs, what)
                .at_path(self.db.file.path())
                .advise("copy the rows into a new table"));
        };
        known.last = Some(lid);
        let tree = LongTree { db: Arc::clone(&self.db), tree, chunk: chunk_len(&self.schema) };
        Ok((tree, lid))
    }

    fn make_tree(&self, session: &mut Session) -> Result<(LongValueTree, Arc<TreeHandle>)> {
        if self.db.is_temporary() {
            // It goes with the table, whatever becomes of the transaction.
            return self.place_in_space(Writer::system(session.procid()));
        }
        let creator = self.core.creator.as_ref();
        if creator.is_none_or(|creator| creator.committed().is_some()) {
            let mut own = Session::begin_session(session.instance())?;
            own.begin()?;
            let made = self.place_tree(&mut own)?;
            own.commit(Durability::Lazy)?;
            return Ok(made);
        }
        let made = session.all_or_nothing(|session| self.place_tree(session))?;
        let attached = session.instance().database(self.db.dbid)?;
        let table =
            session.read(|snapshot| Ok(attached.tables.version(self.schema.objid, snapshot)))?;
        let drop = TreeDrop {
            db: Arc::clone(&self.db),
            core: Arc::clone(&self.core),
            tree: Arc::clone(&made.1),
            inner: Vec::new(),
        };
        if let Some(table) = table {
            session.note_schema_change(SchemaChange {
                attached,
                table,
                step: SchemaStep::LongValues,
                made: vec![drop],
                given_up: Vec::new(),
            });
        }
        Ok(made)
    }

    /// Gives the tree its place in the table's space and its rows in the catalog.
    fn place_tree(&self, session: &mut Session) -> Result<(LongValueTree, Arc<TreeHandle>)> {
        let writer = session.writer(&self.db)?;
        let (lv, tree) = self.place_in_space(writer)?;
        if let Err(error) = self.insert_tree_rows(session, &lv) {
            space::free_fdp(&self.db, &tree, writer)?;
            return Err(error);
        }
        Ok((lv, tree))
    }

    fn place_in_space(&self, writer: Writer) -> Result<(LongValueTree, Arc<TreeHandle>)> {
        let db = &self.db;
        let objid = db.next_objid()?;
        let fdp = space::create_single(db, &self.tree, writer, objid, TreeKind::LONG_VALUES, 1)?;
        let lv = LongValueTree {
            objid,
            fdp,
            density: u32::from(TreeKind::LONG_VALUES.density_pct),
            flags: 0,
            pages: 1,
            space_hints: None,
            fdp_set_time: None,
        };
        let tree = db.tree_of(&lv.tree());
        Ok((lv, tree))
    }

    fn insert_tree_rows(&self, session: &mut Session, lv: &LongValueTree) -> Result<()> {
        let db = &self.db;
        let trees = CatalogTrees::of(db);
        trees.insert(session, db, &long_value_row(&self.schema, lv)?)?;
        trees.insert_objid(session, db, (lv.objid, self.schema.objid, RowKind::LongValue))
    }

    /// How values of a column are to be stored.
    pub(crate) fn packing(column: &Column) -> Packing {
        if column.flags.contains(ColumnFlags::COMPRESSED) {
            Packing::Compressed
        } else {
            Packing::Plain
        }
    }

    /// A row went, or has other values now: values that it no longer refers to lose a reference.
    pub(crate) fn release_lids(
        &self,
        session: &mut Session,
        old: &[u8],
        new: Option<&[u8]>,
    ) -> Result<()> {
        let Some(tree) = self.long_tree() else { return Ok(()) };
        let mut gone = RecordView::new(old, self.db.page_size())?.lids()?;
        if let Some(new) = new {
            for lid in RecordView::new(new, self.db.page_size())?.lids()? {
                if let Some(at) = gone.iter().position(|other| *other == lid) {
                    gone.swap_remove(at);
                }
            }
        }
        gone.into_iter().try_for_each(|lid| tree.release(session, lid))
    }
}

/// The id after this one: of 32 bits as long as there are any, then, if the format has them, of 64.
/// `None`: all are used up.
fn lid_after(last: Lid, wide: bool) -> Option<Lid> {
    match last.0 {
        short @ ..SHORT_MAX => Some(Lid(short + 1)),
        ..WIDE_FIRST => wide.then_some(Lid(WIDE_FIRST)),
        last => (wide && last < WIDE_MAX).then(|| Lid(last + 1)),
    }
}

/// The highest id that any value has or had; 0 where there is none. Ids of 64 bits lie behind all
/// others.
fn last_lid(db: &Database, tree: &TreeHandle) -> Result<Lid> {
    let (mut last, mut at) = (Lid(0), Position::default());
    tree::scan(&db.cache, &tree.view(), Start::End, Direction::Backward, &mut at, |node| {
        last = longvalue::lid_of_key(&node.key_to_vec()).unwrap_or(Lid(0));
        ControlFlow::Break(())
    })?;
    Ok(last)
}

/// Visits the nodes that a session sees in a tree with unique keys, from a key on. `position` as in
/// [`tree::scan`].
pub(crate) fn visit_seen(
    db: &Database,
    handle: &TreeHandle,
    session: &Session,
    (from, position): (&[u8], &mut Position),
    each: &mut Visit<'_>,
) -> Result<()> {
    let versions = &session.instance().versions;
    let mut failed = Ok(());
    session.read(|snapshot| {
        let start = Start::At { key: from, data: &[] };
        let guide = (handle, usize::from(session.procid().0));
        tree::scan_guided(&db.cache, guide, start, Direction::Forward, position, |node| {
            let mut key = KeyBytes::from_slice(node.prefix);
            key.extend_from_slice(node.suffix);
            let seen = match see(versions, handle, snapshot, &node, Some(&key), &[]) {
                Seen::Absent => return ControlFlow::Continue(()),
                Seen::AsOnPage => each(&key, node.data),
                Seen::Before(data) => each(&key, &data),
            };
            seen.unwrap_or_else(|error| {
                failed = Err(error);
                ControlFlow::Break(())
            })
        })
    })?;
    failed.map_err(|error: Error| error.at_path(db.file.path()))
}

/// The long values of a table through the eyes of a session.
#[derive(Debug)]
pub struct SessionLongValues<'a> {
    tree: Option<LongTree>,
    session: &'a Session,
    /// What an update has changed and not written yet.
    waiting: Option<&'a Waiting>,
    /// Where the last reading ended; whoever goes on there need not search.
    position: Cell<Position>,
}

impl SessionLongValues<'_> {
    /// Where the last reading ended.
    pub fn position(&self) -> Position {
        self.position.get()
    }

    /// The same, for who has read before: where that ended is looked at first.
    #[must_use]
    pub fn going_on_at(self, position: Position) -> Self {
        self.position.set(position);
        self
    }

    fn changed(&self, lid: Lid) -> Option<&Changed> {
        self.waiting.and_then(|waiting| waiting.of(lid))
    }

    /// Chunk length of the tree.
    pub(crate) fn chunk(&self) -> u32 {
        self.tree.as_ref().map_or(1, |tree| tree.chunk)
    }

    /// The length of a value in bytes.
    ///
    /// # Errors
    /// `JET_errLVCorrupted` (-1526) if there is no such value.
    pub fn size(&self, lid: Lid) -> Result<u32> {
        self.changed(lid).map_or_else(|| longvalue::size(self, lid), |value| Ok(value.size()))
    }

    /// The length of a value that can be read.
    ///
    /// # Errors
    /// As [`longvalue::readable_size`].
    pub fn readable_size(&self, lid: Lid) -> Result<u32> {
        longvalue::readable_size(self, lid)
    }

    /// Fills `buf` with a value's bytes from `offset` on; `size` is [`Self::readable_size`], as the
    /// same transaction sees it.
    ///
    /// # Errors
    /// As [`longvalue::read_into`].
    pub fn read_into(&self, lid: Lid, size: u32, offset: u32, buf: &mut [u8]) -> Result<usize> {
        activity::long_value_read();
        longvalue::read_into(self, lid, (self.chunk(), size), offset, buf)
    }

    /// Gives a value's bytes from `offset` on in parts, without copying them, until the visitor
    /// breaks; `size` as in [`Self::read_into`].
    ///
    /// # Errors
    /// As [`longvalue::each_part`].
    pub fn each_part(
        &self,
        lid: Lid,
        size: u32,
        offset: u32,
        each: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<()> {
        activity::long_value_read();
        let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        longvalue::each_part(self, lid, (self.chunk(), size), offset, left, each)
    }

    /// What a value takes in the tree. One that an update changes counts as if nothing of it were
    /// compressed; without `chunks` each value counts so, and with its root alone.
    ///
    /// # Errors
    /// As [`SessionLongValues::size`].
    pub fn stored(&self, lid: Lid, chunks: bool) -> Result<longvalue::StoredSize> {
        match self.changed(lid) {
            Some(value) => Ok(value.stored_size(chunks)),
            None => longvalue::stored_size(self, lid, chunks),
        }
    }
}

impl Nodes for SessionLongValues<'_> {
    fn visit(&self, from: &[u8], each: &mut Visit<'_>) -> Result<()> {
        match &self.tree {
            Some(LongTree { db, tree, .. }) => {
                let mut position = self.position.get();
                let visited = visit_seen(db, tree, self.session, (from, &mut position), each);
                self.position.set(position);
                visited
            }
            None => Ok(()),
        }
    }
}

impl LongValues for SessionLongValues<'_> {
    fn read_at(&self, lid: Lid, offset: u32, most: usize) -> Result<Vec<u8>> {
        activity::long_value_read();
        match self.changed(lid) {
            Some(value) => value.read(self, offset, most),
            None => longvalue::read(self, lid, self.chunk(), offset, most),
        }
    }

    fn len_of(&self, lid: Lid) -> Result<u32> {
        self.size(lid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::longvalue::{chunk_key, lid_of_key, root_key};

    #[test]
    fn ids_of_32_bits_are_used_up_before_those_of_64_where_the_format_has_them() {
        for wide in [false, true] {
            assert_eq!(lid_after(Lid(0), wide), Some(Lid(1)));
            assert_eq!(lid_after(Lid(SHORT_MAX - 1), wide), Some(Lid(SHORT_MAX)));
            let next = wide.then_some(Lid(WIDE_FIRST));
            assert_eq!(lid_after(Lid(SHORT_MAX), wide), next);
            // What no engine gives out, but a damaged file may hold.
            assert_eq!(lid_after(Lid(SHORT_MAX + 1), wide), next);
            assert_eq!(lid_after(Lid(WIDE_FIRST), wide), wide.then_some(Lid(WIDE_FIRST + 1)));
            assert_eq!(lid_after(Lid(WIDE_MAX), wide), None);
            assert_eq!(lid_after(Lid(u64::MAX), wide), None);
        }
    }

    #[test]
    fn keys_of_both_widths_tell_their_ids_and_lie_in_their_order() {
        let lids = [1, 2, SHORT_MAX, WIDE_FIRST, WIDE_FIRST + 1, WIDE_MAX].map(Lid);
        let mut keys = Vec::new();
        for lid in lids {
            keys.push(root_key(lid));
            keys.extend([0, 4014, 0x7fff_ff00].map(|offset| chunk_key(lid, offset)));
        }
        for (key, at) in keys.iter().zip(0..) {
            assert_eq!(lid_of_key(key), Some(lids[at / 4]), "{key:02x?}");
        }
        assert!(keys.is_sorted());
        for len in [0, 3, 5, 7, 9, 11, 13] {
            assert_eq!(lid_of_key(&vec![0x80; len]), None);
        }
    }
}
