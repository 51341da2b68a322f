//! Changing one entry.
//!
//! Each operation latches the leaf for writing and looks whether the change fits. If it does, the
//! change is made there and then; if not, the leaf is let go and [`super::smo`] makes room.

use ese_base::{DbTime, Error, Iline, JetErr, LgPos, Pgno, RceId, Result, plant};
use ese_log::records::{
    Delete, Delta, Delta64, FlagDelete, FlagInsertAndReplaceData, Insert, NodeHead, Oper, PageHead,
    Record, Replace, Undo as UndoRecord, UndoInfo,
};
use ese_pages::{PageMut, PageRef, cache::WriteGuard};
use smallvec::SmallVec;

use super::{
    Position, Target, TreeHandle, TreeView, VersionGate, Writer,
    descend::{Place, place_on},
    leaf_for_write, plan, record_flags,
    smo::{
        self, PageSource, TreePages,
        merge::{JOINED_PCT, is_sparse, join_leaf, remove_with_leaf},
    },
};
use crate::{
    database::Database,
    op::{self, Undone},
    version::Addition,
};

/// Who changes what, and who must agree.
#[derive(Clone, Copy)]
pub(crate) struct Op<'a> {
    pub(crate) db: &'a Database,
    /// The object; its space trees have it too.
    pub(crate) tree: &'a TreeHandle,
    /// The tree that is changed.
    pub(crate) view: TreeView,
    pub(crate) writer: Writer,
    pub(crate) gate: &'a dyn VersionGate,
}

/// Did the change fit?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Yes, and it is done; the place of the entry.
    Done(Position),
    /// No: a new line does not fit.
    NoLine,
    /// No: an existing line cannot grow by that many bytes.
    NoGrowth(usize),
}

/// A node and the part of its data that orders it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bookmark<'a> {
    pub(crate) key: &'a [u8],
    /// Empty in trees with unique keys.
    pub(crate) data: &'a [u8],
}

impl<'a> Op<'a> {
    pub(crate) fn new(
        db: &'a Database,
        tree: &'a TreeHandle,
        writer: Writer,
        gate: &'a dyn VersionGate,
    ) -> Op<'a> {
        Op { db, tree, view: tree.view(), writer, gate }
    }

    pub(crate) fn bookmark<'b>(&self, key: &'b [u8], data: &'b [u8]) -> Bookmark<'b> {
        Bookmark { key, data: self.view.order_data(data) }
    }

    /// The page part of a record.
    pub(crate) fn page_head(
        &self,
        pgno: Pgno,
        iline: usize,
        dbtime: DbTime,
        before: DbTime,
        versioned: bool,
    ) -> PageHead {
        PageHead {
            procid: self.writer.procid,
            dbid: self.tree.dbid,
            pgno,
            dbtime,
            dbtime_before: before,
            trx_begin0: self.writer.trx,
            level: self.writer.level,
            // A page has fewer than 4096 lines.
            iline: Iline(u16::try_from(iline).unwrap_or(u16::MAX)),
            flags: record_flags(&self.view, versioned),
        }
    }

    pub(crate) fn node_head(&self, page: PageHead, rceid: RceId) -> NodeHead {
        NodeHead { page, rceid, pgno_fdp: self.view.fdp, objid_fdp: self.view.objid }
    }

    /// The head of a change of one line of a latched page, with the next dbtime.
    fn head(&self, leaf: &WriteGuard<'_>, iline: usize, rceid: RceId) -> NodeHead {
        let (dbtime, before) = (self.db.next_dbtime(), leaf.page().dbtime());
        let versioned = self.gate.versioned();
        self.node_head(self.page_head(leaf.pgno(), iline, dbtime, before, versioned), rceid)
    }

    fn seek_leaf(&self, at: Bookmark<'_>) -> Result<WriteGuard<'a>> {
        let target = Target::Entry { key: at.key, data: at.data };
        leaf_for_write(&self.db.cache, &self.view, &target)
    }

    /// As [`Op::seek_leaf`], by a short way if there is one.
    fn seek_leaf_near(&self, at: Bookmark<'_>, position: &Position) -> Result<WriteGuard<'a>> {
        match near_leaf(self, at, position) {
            Some((leaf, _)) => Ok(leaf),
            None => self.seek_leaf(at),
        }
    }

    pub(crate) fn search(
        &self,
        page: PageRef<'_>,
        at: Bookmark<'_>,
    ) -> std::result::Result<usize, usize> {
        page.search(at.key, at.data, self.view.unique)
    }
}

/// Appends a record and applies it to the page it names, which the caller has latched and in which
/// it has made sure of room. An error after the append means that log and page disagree: nothing of
/// this database may be written any more.
pub(crate) fn log_and_apply(
    db: &Database,
    page: &mut WriteGuard<'_>,
    record: &Record<'_>,
    dbtime: DbTime,
    undone: Undone<'_>,
) -> Result<()> {
    let (start, end) = db.append(record)?;
    let mut image = page.page_mut();
    if let Err(error) = op::apply(record, &mut image, undone) {
        return Err(db.broken(error.at_page(page.pgno())));
    }
    image.set_dbtime(dbtime);
    page.mark_dirty(start, end);
    Ok(())
}

fn place(leaf: &WriteGuard<'_>, iline: usize) -> Position {
    Position { leaf: leaf.pgno(), dbtime: leaf.page().dbtime(), iline }
}

/// Inserts an entry, or brings a flag-deleted one back with new data.
///
/// `position` may remember the leaf of an earlier change nearby; it is left at the new entry.
///
/// # Errors
/// What the gate says: `JET_errKeyDuplicate` (-1605), `JET_errWriteConflict` (-1102) and others;
/// `JET_errRecordTooBig` (-1026) for an entry that fits no page; `JET_errDiskFull` (-1808) and the
/// page cache's. The tree is unchanged then.
pub fn insert(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    gate: &dyn VersionGate,
    position: &mut Position,
    key: &[u8],
    data: &[u8],
) -> Result<()> {
    let op = Op::new(db, tree, writer, gate);
    check_size(&op, key, data)?;
    let at = op.bookmark(key, data);
    let pages = &mut TreePages::new(db, tree, writer);
    let Some((mut leaf, place)) = near_leaf(&op, at, position) else {
        return change_leaf(&op, key, data, position, pages);
    };
    let line = match place {
        Place::Behind => Err(leaf.page().node_count()),
        Place::Within => op.search(leaf.page(), at),
    };
    let room = insert_at(&op, &mut leaf, line, key, data)?;
    drop(leaf);
    *position = match room {
        Room::Done(place) => place,
        Room::NoLine | Room::NoGrowth(_) => smo::insert(&op, key, data, *position, pages)?,
    };
    Ok(())
}

/// The leaf of an entry without a search from the root: the one of the last change, or the one that
/// the tree's guide names. Not for space trees, of which there are no guides.
fn near_leaf<'a>(
    op: &Op<'a>,
    at: Bookmark<'_>,
    position: &Position,
) -> Option<(WriteGuard<'a>, Place)> {
    debug_assert!(!op.view.is_space(), "guides are of trees of entries");
    leaf_if_certain(op, at, position.leaf).or_else(|| {
        let seat = usize::from(op.writer.procid.0);
        let leaf = op.tree.guide.leaf(seat, at.key, at.data)?;
        if leaf == position.leaf { None } else { leaf_if_certain(op, at, leaf) }
    })
}

/// A leaf, if the entry certainly belongs there.
fn leaf_if_certain<'a>(
    op: &Op<'a>,
    at: Bookmark<'_>,
    leaf: Pgno,
) -> Option<(WriteGuard<'a>, Place)> {
    if leaf.is_null() {
        return None;
    }
    // Any trouble with the page will show again on the way from the root, if it is on that way.
    let leaf = op.db.cache.write(leaf).ok()?;
    place_on(&op.view, leaf.page(), at.key, at.data).map(|place| (leaf, place))
}

/// Inserts by a search from the root; splits if there is no room.
pub(crate) fn change_leaf(
    op: &Op<'_>,
    key: &[u8],
    data: &[u8],
    position: &mut Position,
    pages: &mut dyn PageSource,
) -> Result<()> {
    let at = op.bookmark(key, data);
    let mut leaf = op.seek_leaf(at)?;
    let room = insert_on(op, &mut leaf, key, data)?;
    drop(leaf);
    *position = match room {
        Room::Done(place) => place,
        Room::NoLine | Room::NoGrowth(_) => smo::insert(op, key, data, *position, pages)?,
    };
    Ok(())
}

fn check_size(op: &Op<'_>, key: &[u8], data: &[u8]) -> Result<()> {
    let most = plan::capacity(op.db.page_size()) - 4;
    if key.is_empty() || data.is_empty() {
        return Err(Error::new(
            JetErr::InternalError,
            format!("an entry with {} bytes of key and {} of data", key.len(), data.len()),
        ));
    }
    if 2 + key.len() + data.len() > most {
        return Err(Error::new(
            JetErr::RecordTooBig,
            format!(
                "an entry of {} bytes of key and {} of data; a page takes {} together",
                key.len(),
                data.len(),
                most - 2
            ),
        ));
    }
    Ok(())
}

/// Inserts on a latched leaf that the entry belongs to.
pub(crate) fn insert_on(
    op: &Op<'_>,
    leaf: &mut WriteGuard<'_>,
    key: &[u8],
    data: &[u8],
) -> Result<Room> {
    let line = search_from_end(op, leaf.page(), op.bookmark(key, data));
    insert_at(op, leaf, line, key, data)
}

/// As [`insert_on`], where the search for the entry has ended.
fn insert_at(
    op: &Op<'_>,
    leaf: &mut WriteGuard<'_>,
    line: std::result::Result<usize, usize>,
    key: &[u8],
    data: &[u8],
) -> Result<Room> {
    let iline = match line {
        Ok(iline) => return revive_on(op, leaf, iline, key, data),
        Err(iline) => iline,
    };
    let page = leaf.page();
    let common = page.compress_len(key);
    let (prefix, suffix) = key.split_at(common);
    let len = PageMut::node_len(common, suffix.len(), data.len());
    let appends = iline == page.node_count() && page.next().is_null() && iline > 0;
    let reserve = if appends { op.view.reserve(page.size()) } else { 0 };
    if !page.fits(len + reserve) {
        return Ok(Room::NoLine);
    }
    let version = op.gate.insert(op.tree, key, data, None)?;
    let node = op.head(leaf, iline, version.rceid);
    let record = Record::Insert(Insert { node, suffix, prefix, data });
    log_and_apply(op.db, leaf, &record, node.page.dbtime, Undone::Nothing)?;
    Ok(Room::Done(place(leaf, iline)))
}

/// A search that first looks behind the last entry, where entries that arrive in order go.
#[inline]
fn search_from_end(
    op: &Op<'_>,
    page: PageRef<'_>,
    at: Bookmark<'_>,
) -> std::result::Result<usize, usize> {
    let count = page.node_count();
    if let Some(last) = count.checked_sub(1) {
        let node = page.node(last);
        let order =
            if op.view.unique { node.cmp_key(at.key) } else { node.cmp_key_data(at.key, at.data) };
        if order.is_lt() {
            return Err(count);
        }
    }
    op.search(page, at)
}

/// A node stands where the new one is to go: it comes back if it is flag-deleted.
fn revive_on(
    op: &Op<'_>,
    leaf: &mut WriteGuard<'_>,
    iline: usize,
    key: &[u8],
    data: &[u8],
) -> Result<Room> {
    let at = op.bookmark(key, data);
    let page = leaf.page();
    let node = page.node(iline);
    if !node.is_deleted() {
        return Err(op.gate.duplicate(op.tree, at.key, at.data));
    }
    let growth = data.len().saturating_sub(node.data.len());
    if growth > page.free_bytes() {
        return Ok(Room::NoGrowth(growth));
    }
    let version = op.gate.insert(op.tree, key, data, Some(node.data))?;
    if op.gate.versioned() {
        // Two versions: the insertion, and the replacement of data that older snapshots read and
        // that the transaction's own deletion before may have to bring back.
        let (rceid, new_len) = (version.replace_rceid, data.len());
        log_undo_info(op, leaf, Oper::Replace, rceid, at, node.data, new_len)?;
    }
    let head = op.head(leaf, iline, version.rceid);
    let record = Record::FlagInsertAndReplaceData(FlagInsertAndReplaceData {
        node: head,
        key,
        data,
        rceid_replace: version.replace_rceid,
    });
    log_and_apply(op.db, leaf, &record, head.page.dbtime, Undone::Nothing)?;
    Ok(Room::Done(place(leaf, iline)))
}

/// Finds a live node for a change.
fn live_line(op: &Op<'_>, page: PageRef<'_>, at: Bookmark<'_>) -> Result<usize> {
    match op.search(page, at) {
        Ok(iline) if page.node(iline).is_deleted() => Err(Error::new(
            JetErr::RecordDeleted,
            format!("the entry of the tree with root {} was deleted", op.view.fdp),
        )),
        Ok(iline) => Ok(iline),
        Err(_) => Err(not_there(op)),
    }
}

#[cold]
fn not_there(op: &Op<'_>) -> Error {
    Error::new(
        JetErr::RecordNotFound,
        format!("the entry is not in the tree with root {}", op.view.fdp),
    )
}

/// Gives an entry new data.
///
/// # Errors
/// `JET_errRecordNotFound` (-1601), `JET_errRecordDeleted` (-1017), `JET_errRecordTooBig` (-1026),
/// what the gate says, `JET_errDiskFull`, the page cache's. The tree is unchanged then.
#[expect(clippy::too_many_arguments, reason = "who, where, which entry, what: each its own type")]
pub fn replace(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    gate: &dyn VersionGate,
    position: &mut Position,
    key: &[u8],
    bm_data: &[u8],
    new: &[u8],
) -> Result<()> {
    replace_with(db, tree, writer, gate, position, key, bm_data, &mut |_old, to| {
        to.extend_from_slice(new);
        Ok(())
    })
}

/// Makes new data, appended to the second argument, from old ones.
pub type MakeData<'m> = dyn FnMut(&[u8], &mut SmallVec<[u8; 256]>) -> Result<()> + 'm;

/// Gives an entry new data that are made from the old ones under the latch. `make` may be called
/// more than once (each time with what the entry holds then) and must not touch the tree.
///
/// # Errors
/// As [`replace`], and those of `make`.
#[expect(clippy::too_many_arguments, reason = "who, where, which entry, what: each its own type")]
pub fn replace_with(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    gate: &dyn VersionGate,
    position: &mut Position,
    key: &[u8],
    bm_data: &[u8],
    make: &mut MakeData<'_>,
) -> Result<()> {
    let op = Op::new(db, tree, writer, gate);
    let at = op.bookmark(key, bm_data);
    let mut new = SmallVec::new();
    loop {
        let mut leaf = op.seek_leaf_near(at, position)?;
        let page = leaf.page();
        let iline = live_line(&op, page, at)?;
        let old = page.node(iline).data;
        new.clear();
        make(old, &mut new)?;
        check_size(&op, key, &new)?;
        let growth = new.len().saturating_sub(old.len());
        if growth > page.free_bytes() {
            drop(leaf);
            smo::make_room(&op, at, growth, &mut TreePages::new(db, tree, writer))?;
            continue;
        }
        replace_on(&op, &mut leaf, iline, at, &new)?;
        *position = place(&leaf, iline);
        return Ok(());
    }
}

/// Replaces on a latched leaf; there is room. The before-image goes to the log first, under the
/// same latch, so that the page may be written as soon as the log is.
fn replace_on(
    op: &Op<'_>,
    leaf: &mut WriteGuard<'_>,
    iline: usize,
    at: Bookmark<'_>,
    new: &[u8],
) -> Result<()> {
    let old = leaf.page().node(iline).data;
    let rceid = op.gate.replace(op.tree, at.key, at.data, old)?;
    if op.gate.versioned() {
        log_undo_info(op, leaf, Oper::Replace, rceid, at, old, new.len())?;
    }
    // Longer data were refused, so a page's size bounds it.
    let old_len = u16::try_from(old.len()).unwrap_or(u16::MAX);
    let node = op.head(leaf, iline, rceid);
    let record = Record::Replace(Replace { node, old_len, data: new });
    log_and_apply(op.db, leaf, &record, node.page.dbtime, Undone::Nothing)
}

fn log_undo_info(
    op: &Op<'_>,
    leaf: &WriteGuard<'_>,
    oper: Oper,
    rceid: RceId,
    at: Bookmark<'_>,
    old: &[u8],
    new_len: usize,
) -> Result<()> {
    // The record's page part names the page; its line and dbtimes mean nothing.
    let none = DbTime::NOT_CHECKED;
    let page = op.page_head(leaf.pgno(), 0, none, none, true);
    let len = |len: usize| i16::try_from(len).unwrap_or(i16::MAX);
    let replaces = oper == Oper::Replace;
    let record = Record::UndoInfo(UndoInfo {
        node: op.node_head(page, rceid),
        key: at.key,
        bm_data: at.data,
        oper,
        max_len: if replaces { len(old.len().max(new_len)) } else { 0 },
        delta_len: if replaces { len(new_len).saturating_sub(len(old.len())) } else { 0 },
        data: if replaces { old } else { &[] },
    });
    op.db.append(&record).map(|_: (LgPos, LgPos)| ())
}

/// Adds to a number in the data of an entry of a tree with unique keys. Its record holds all that
/// taking it back needs: the undo of an addition is the inverse one, with the number of its version
/// in `undoes`.
///
/// # Errors
/// As [`replace`]; `JET_errInternalError` where the data hold no such number.
#[expect(clippy::too_many_arguments, reason = "who, where, which entry, what: each its own type")]
pub fn add(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    gate: &dyn VersionGate,
    position: &mut Position,
    key: &[u8],
    added: Addition,
    undoes: Option<RceId>,
) -> Result<()> {
    let op = Op::new(db, tree, writer, gate);
    let at = op.bookmark(key, &[]);
    let mut leaf = op.seek_leaf_near(at, position)?;
    let iline = live_line(&op, leaf.page(), at)?;
    let width = if added.wide { 8 } else { 4 };
    if usize::from(added.offset) + width > leaf.page().node(iline).data.len() {
        let what = "an addition outside of the entry's data";
        return Err(Error::new(JetErr::InternalError, what).at_page(leaf.pgno()));
    }
    let rceid = op.gate.add(op.tree, key, added)?;
    let node = op.head(&leaf, iline, undoes.unwrap_or(rceid));
    let (bm_data, delta, offset) = (at.data, added.delta, added.offset);
    let record = if added.wide {
        Record::Delta64(Delta64 { node, key, bm_data, delta, offset })
    } else {
        Record::Delta(Delta { node, key, bm_data, delta: added.narrow(), offset })
    };
    log_and_apply(db, &mut leaf, &record, node.page.dbtime, Undone::Nothing)?;
    *position = place(&leaf, iline);
    Ok(())
}

/// Marks an entry as deleted. It stays on its page until [`delete_node`].
///
/// # Errors
/// `JET_errRecordNotFound` (-1601), `JET_errRecordDeleted` (-1017), what the gate says, the page
/// cache's. The tree is unchanged then.
pub fn flag_delete(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    gate: &dyn VersionGate,
    position: &mut Position,
    key: &[u8],
    bm_data: &[u8],
) -> Result<()> {
    let op = Op::new(db, tree, writer, gate);
    let at = op.bookmark(key, bm_data);
    let mut leaf = op.seek_leaf_near(at, position)?;
    let iline = live_line(&op, leaf.page(), at)?;
    let rceid = op.gate.delete(op.tree, at.key, at.data)?;
    if op.gate.versioned() {
        log_undo_info(&op, &leaf, Oper::FlagDelete, rceid, at, &[], 0)?;
    }
    let node = op.head(&leaf, iline, rceid);
    let record = Record::FlagDelete(FlagDelete { node });
    log_and_apply(db, &mut leaf, &record, node.page.dbtime, Undone::Nothing)?;
    *position = place(&leaf, iline);
    Ok(())
}

/// Removes a flag-deleted entry from its page, so that its space can be used again. A leaf that
/// becomes empty goes, one that becomes sparse joins a neighbour. `false`: the entry is not there,
/// is live again, or is needed.
///
/// `unneeded` is asked under the latch: does nobody need the entry, has it no versions?
///
/// # Errors
/// The page cache's and the log's.
pub fn delete_node(
    db: &Database,
    tree: &TreeHandle,
    writer: Writer,
    key: &[u8],
    bm_data: &[u8],
    unneeded: &dyn Fn() -> bool,
) -> Result<bool> {
    let op = Op::new(db, tree, writer, &super::Unversioned);
    delete_entry(&op, op.bookmark(key, bm_data), unneeded, &mut TreePages::new(db, tree, writer))
}

/// [`delete_node`] on any tree; the pages that go are given back to `pages`.
pub(crate) fn delete_entry(
    op: &Op<'_>,
    at: Bookmark<'_>,
    unneeded: &dyn Fn() -> bool,
    pages: &mut dyn PageSource,
) -> Result<bool> {
    for _ in 0..TRIES_MAX {
        let mut leaf = op.seek_leaf(at)?;
        let iline = match op.search(leaf.page(), at) {
            Ok(iline) if leaf.page().node(iline).is_deleted() && unneeded() => iline,
            _ => return Ok(false),
        };
        if leaf.page().node_count() > 1 || leaf.page().is_root() {
            delete_line(op, &mut leaf, iline)?;
            let sparse = is_sparse(leaf.page());
            drop(leaf);
            if sparse {
                join_leaf(op, at, JOINED_PCT, pages)?;
            }
            return Ok(true);
        }
        drop(leaf);
        if remove_with_leaf(op, at, unneeded, pages)? {
            return Ok(true);
        }
        // Somebody changed the leaf in between, or its place in the tree: look again.
    }
    // No page above has room for the key that it would take over. The leaf stays with an entry
    // that nobody sees.
    Ok(false)
}

/// How often the removal of a leaf is tried.
const TRIES_MAX: usize = 3;

/// Removes a line.
pub(crate) fn delete_line(op: &Op<'_>, leaf: &mut WriteGuard<'_>, iline: usize) -> Result<()> {
    let node = op.head(leaf, iline, RceId::default());
    let record = Record::Delete(Delete { node });
    log_and_apply(op.db, leaf, &record, node.page.dbtime, Undone::Nothing)
}

/// Gives an entry new data of the same length, without a transaction.
pub(crate) fn set_data(op: &Op<'_>, key: &[u8], new: &[u8]) -> Result<()> {
    let at = op.bookmark(key, &[]);
    let mut leaf = op.seek_leaf(at)?;
    let iline = live_line(op, leaf.page(), at)?;
    replace_on(op, &mut leaf, iline, at, new)
}

/// Removes an entry for good, without a transaction. With `pages` the leaf that it empties goes,
/// and one that it leaves sparse joins a neighbour; the pages that are freed are given back there.
/// Without, a lone entry is only flagged.
pub(crate) fn remove(op: &Op<'_>, key: &[u8], pages: Option<&mut dyn PageSource>) -> Result<()> {
    let at = op.bookmark(key, &[]);
    let mut leaf = op.seek_leaf(at)?;
    let iline = live_line(op, leaf.page(), at)?;
    if leaf.page().node_count() > 1 || leaf.page().is_root() {
        delete_line(op, &mut leaf, iline)?;
        let sparse = is_sparse(leaf.page());
        drop(leaf);
        return match pages {
            Some(pages) if sparse => join_leaf(op, at, JOINED_PCT, pages).map(|_| ()),
            _ => Ok(()),
        };
    }
    let node = op.head(&leaf, iline, RceId::default());
    let record = Record::FlagDelete(FlagDelete { node });
    log_and_apply(op.db, &mut leaf, &record, node.page.dbtime, Undone::Nothing)?;
    drop(leaf);
    match pages {
        Some(pages) => remove_with_leaf(op, at, &|| true, pages).map(|_| ()),
        None => Ok(()),
    }
}

/// What to take back.
#[derive(Clone, Copy, Debug)]
pub enum UndoOper<'a> {
    /// An insertion: the entry becomes flag-deleted.
    Insert,
    /// A replacement: the entry gets its data from before.
    Replace {
        /// Those data.
        before: &'a [u8],
    },
    /// A flag deletion: the entry is live again.
    FlagDelete,
}

/// One operation of a transaction that rolls back.
#[derive(Clone, Copy, Debug)]
pub struct Undo<'a> {
    /// What to take back.
    pub oper: UndoOper<'a>,
    /// Its version.
    pub rceid: RceId,
    /// Key of the entry.
    pub key: &'a [u8],
    /// Data part of its bookmark (trees whose keys are not unique).
    pub bm_data: &'a [u8],
}

/// Takes an operation back, with a compensation record.
///
/// # Errors
/// `JET_errRecordNotFound` (-1601) if the entry is gone; `JET_errDiskFull` if a longer before-image
/// needs a page and there is none; the page cache's and the log's.
pub fn undo(db: &Database, tree: &TreeHandle, writer: Writer, what: &Undo<'_>) -> Result<()> {
    let op = Op::new(db, tree, writer, &super::Unversioned);
    let at = op.bookmark(what.key, what.bm_data);
    let (oper, undone) = match what.oper {
        UndoOper::Insert => (Oper::Insert, Undone::Nothing),
        UndoOper::Replace { before } => (Oper::Replace, Undone::Before(before)),
        UndoOper::FlagDelete => (Oper::FlagDelete, Undone::Nothing),
    };
    loop {
        let mut leaf = op.seek_leaf(at)?;
        let page = leaf.page();
        let iline = op.search(page, at).map_err(|_| not_there(&op))?;
        if let Undone::Before(before) = undone {
            let growth = before.len().saturating_sub(page.node(iline).data.len());
            if growth > page.free_bytes() {
                drop(leaf);
                smo::make_room(&op, at, growth, &mut TreePages::new(db, tree, writer))?;
                continue;
            }
        }
        let node = op.head(&leaf, iline, what.rceid);
        let record = Record::Undo(UndoRecord {
            node,
            key: at.key,
            bm_data: at.data,
            oper,
            level_undone: writer.level,
        });
        log_and_apply(db, &mut leaf, &record, node.page.dbtime, undone)?;
        // The record does not hold the data from before: to redo it takes the record that announced
        // them. So the checkpoint stays before the whole transaction until the page is written.
        if !plant!("engine-undo-from-its-record") {
            leaf.mark_dirty(writer.begin, LgPos::MIN);
        }
        return Ok(());
    }
}
