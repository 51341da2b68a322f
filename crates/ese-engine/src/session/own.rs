//! Long values that the transaction itself makes.
//!
//! Nobody else can come by such a value: its root has a version that hides it, and the row that
//! refers to it is not there yet. So its chunks need no versions. What remains to be remembered is
//! how to take them back: a run of chunks behind each other takes one change and a number a chunk,
//! and what a node was before it was written over matters only until the statement has come
//! to its end, because who takes more than a statement back gives the value up.
//!
//! In the log chunks are versioned like all insertions; what is written over them later is not:
//! recovery takes the chunks back whole.

use std::{cell::RefCell, sync::Arc};

use ese_base::{Error, RceId, Result};

use super::{Change, ChangeKind, Session, gate::Gate, not_in_transaction, remove_deleted_node};
use crate::{
    database::Database,
    tree::{self, InsertVersion, TreeHandle, Undo, UndoOper, Unversioned, VersionGate, Writer},
    version::{Author, KeyBytes},
};

/// Chunks behind each other that a long value got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Offset of the first one.
    first: u32,
    /// From one to the next.
    step: u32,
    /// The numbers of their insertions in the log.
    rceids: Vec<RceId>,
}

impl Run {
    /// Offset of the chunk that would follow; none if it cannot be said.
    fn end(&self) -> Option<u32> {
        let count = u32::try_from(self.rceids.len()).ok()?;
        self.first.checked_add(self.step.checked_mul(count)?)
    }
}

/// A chunk of a value: where the value's root is, its offset, and the way to the next one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkPlace<'a> {
    pub(crate) root: &'a [u8],
    pub(crate) offset: u32,
    pub(crate) step: u32,
}

impl ChunkPlace<'_> {
    fn key(self) -> KeyBytes {
        let mut key = KeyBytes::from_slice(self.root);
        key.extend_from_slice(&self.offset.to_be_bytes());
        key
    }
}

impl Session {
    /// Inserts a chunk into a value that this transaction makes.
    pub(crate) fn insert_own_chunk(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        hint: &mut tree::Position,
        place: ChunkPlace<'_>,
        data: &[u8],
    ) -> Result<()> {
        let (writer, key) = (self.begin_change(db)?, place.key());
        let before = self.changes.len();
        let Session { instance, trx: Some(trx), changes, .. } = self else {
            return Err(not_in_transaction());
        };
        let (versions, changes) = (&instance.versions, RefCell::new(changes));
        let inner = Gate { versions, author: Author::Own(trx), db, tree, changes };
        let gate = NewChunk { inner, rceid: RefCell::default() };
        let result = tree::insert(db, tree, writer, &gate, hint, &key, data);
        let rceid = gate.rceid.into_inner();
        result.map_err(|error| self.drop_made(before, error))?;
        if let Some(rceid) = rceid {
            self.note_chunk(db, tree, place, rceid);
        }
        Ok(())
    }

    fn note_chunk(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        place: ChunkPlace<'_>,
        rceid: RceId,
    ) {
        let ChunkPlace { root, offset, step } = place;
        let (fixed, count) = (self.fixed_changes(), self.changes.len());
        if let Some(last) = self.changes.last_mut().filter(|_| count > fixed)
            && let ChangeKind::Grown(run) = &mut last.kind
            && Arc::ptr_eq(&last.tree, tree)
            && last.key.as_slice() == root
            && run.step == step
            && run.end() == Some(offset)
        {
            run.rceids.push(rceid);
            return;
        }
        self.unsettled = true;
        self.changes.push(Change {
            db: Arc::clone(db),
            tree: Arc::clone(tree),
            rceid,
            kind: ChangeKind::Grown(Box::new(Run { first: offset, step, rceids: vec![rceid] })),
            key: KeyBytes::from_slice(root),
            bm_data: KeyBytes::new(),
        });
    }

    /// Gives a node of a value that this transaction makes new data.
    pub(crate) fn rewrite_own(
        &mut self,
        db: &Arc<Database>,
        tree: &Arc<TreeHandle>,
        hint: &mut tree::Position,
        key: &[u8],
        data: &[u8],
    ) -> Result<()> {
        let writer = self.begin_change(db)?;
        let gate = Rewrite::default();
        tree::replace(db, tree, writer, &gate, hint, key, &[], data)?;
        if let Some(before) = gate.before.into_inner() {
            self.unsettled = true;
            self.changes.push(Change {
                db: Arc::clone(db),
                tree: Arc::clone(tree),
                rceid: RceId::default(),
                kind: ChangeKind::Rewritten(before),
                key: KeyBytes::from_slice(key),
                bm_data: KeyBytes::new(),
            });
        }
        Ok(())
    }

    /// Does this transaction make the value whose root this is? Nobody else has seen it then.
    pub(crate) fn is_own(&self, tree: &TreeHandle, root: &[u8]) -> bool {
        let versions = &self.instance.versions;
        self.trx.as_ref().is_some_and(|trx| versions.is_new(tree, root, trx))
    }

    /// Changes that must stay as they are: something may be taken back to behind them.
    fn fixed_changes(&self) -> usize {
        let level = self.savepoints.last().copied().unwrap_or(0);
        self.statement_began.map_or(level, |began| began.max(level))
    }

    /// A statement has come to its end: what it did to values of the transaction takes less to be
    /// remembered.
    pub(super) fn settle(&mut self, began: usize) {
        if self.statement_began.is_none() {
            // Only what is behind its beginning is looked at: a transaction may have many
            // statements.
            let mut own = self.changes.split_off(began.min(self.changes.len()));
            own.retain(|change| !matches!(change.kind, ChangeKind::Rewritten(_)));
            self.changes.append(&mut own);
            self.unsettled = false;
        }
        let keep = began.saturating_sub(1).max(self.fixed_changes());
        if keep >= self.changes.len() {
            return;
        }
        for change in self.changes.split_off(keep) {
            let room = self.changes.len() > keep;
            match (self.changes.last_mut().filter(|_| room), change) {
                (Some(last), change) if continues(last, &change) => join(last, change),
                (_, change) => self.changes.push(change),
            }
        }
    }

    /// Takes the chunks of a run back, the last one first.
    pub(super) fn take_run_back(&self, change: &Change, run: &Run, writer: Writer) -> Result<()> {
        let Change { db, tree, key: root, .. } = change;
        let mut offset = run.end().unwrap_or(u32::MAX);
        for rceid in run.rceids.iter().rev() {
            offset = offset.saturating_sub(run.step);
            let key = ChunkPlace { root, offset, step: run.step }.key();
            db.cache.throttle(self.instance.fence(db))?;
            let undo = Undo { oper: UndoOper::Insert, rceid: *rceid, key: &key, bm_data: &[] };
            tree::undo(db, tree, writer, &undo)?;
            remove_deleted_node(&self.instance.versions, change, &key, writer)?;
        }
        Ok(())
    }
}

fn continues(last: &Change, next: &Change) -> bool {
    let (ChangeKind::Grown(run), ChangeKind::Grown(more)) = (&last.kind, &next.kind) else {
        return false;
    };
    Arc::ptr_eq(&last.tree, &next.tree)
        && last.key == next.key
        && run.step == more.step
        && run.end() == Some(more.first)
}

fn join(last: &mut Change, next: Change) {
    if let (ChangeKind::Grown(run), ChangeKind::Grown(more)) = (&mut last.kind, next.kind) {
        run.rceids.extend(more.rceids);
    }
}

/// The gate of a chunk that only its maker can come by.
struct NewChunk<'a> {
    inner: Gate<'a>,
    rceid: RefCell<Option<RceId>>,
}

impl VersionGate for NewChunk<'_> {
    fn versioned(&self) -> bool {
        true
    }

    fn insert(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        data: &[u8],
        existing: Option<&[u8]>,
    ) -> Result<InsertVersion> {
        if existing.is_some() {
            // A chunk that was cut off before: its undo may have to bring those data back.
            return self.inner.insert(tree, key, data, existing);
        }
        let rceid = self.inner.versions.rceid();
        *self.rceid.borrow_mut() = Some(rceid);
        Ok(InsertVersion { rceid, replace_rceid: RceId::default() })
    }

    fn replace(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8], old: &[u8]) -> Result<RceId> {
        self.inner.replace(tree, key, bm_data, old)
    }

    fn delete(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Result<RceId> {
        self.inner.delete(tree, key, bm_data)
    }

    fn duplicate(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Error {
        self.inner.duplicate(tree, key, bm_data)
    }
}

/// The gate of new data for a node that only its maker can come by: keeps the old ones.
#[derive(Default)]
struct Rewrite {
    before: RefCell<Option<Box<[u8]>>>,
}

impl VersionGate for Rewrite {
    fn versioned(&self) -> bool {
        false
    }

    fn insert(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        data: &[u8],
        existing: Option<&[u8]>,
    ) -> Result<InsertVersion> {
        Unversioned.insert(tree, key, data, existing)
    }

    fn replace(&self, _: &TreeHandle, _: &[u8], _: &[u8], old: &[u8]) -> Result<RceId> {
        *self.before.borrow_mut() = Some(old.into());
        Ok(RceId::default())
    }

    fn delete(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Result<RceId> {
        Unversioned.delete(tree, key, bm_data)
    }

    fn duplicate(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Error {
        Unversioned.duplicate(tree, key, bm_data)
    }
}
