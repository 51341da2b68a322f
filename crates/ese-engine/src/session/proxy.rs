//! Entries of an index in the making for rows that the session that makes it does not see as they
//! are: those that open transactions have changed, and those that others have committed since it
//! began.
//!
//! An entry that follows an open transaction's change of a row is changed in the name of that
//! transaction: the log and the version store have it as that one's own, and it is taken back just
//! before the change of the row is. What follows a committed transaction is for good like the
//! entries of all other rows, and only its version says whose it is: the maker of the index must
//! not see it, and is the only one who sees the index before it commits. Such a node does not say
//! on its page that it has a version, as nobody would take it back after a crash.
//!
//! Whatever a transaction does with such entries, its changes of the row stand in the way of others
//! first.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use ese_base::{Error, LgPos, RceId, Result};
use smallvec::SmallVec;

use super::{Change, ChangeKind, Session, gate::Gate};
use crate::{
    database::Database,
    tree::{self, InsertVersion, Position, TreeHandle, VersionGate, Writer},
    version::{Author, UnseenChange, VersionStore},
};

/// What others have done in the name of an open transaction, and what they must know for that.
#[derive(Debug, Default)]
pub(crate) struct Proxied {
    /// For each open level but the outermost, the last number of a change before it began.
    begun: SmallVec<[Option<RceId>; 2]>,
    /// Changes of entries, by the number of the change of a row that they follow.
    changes: BTreeMap<RceId, Vec<Change>>,
}

impl Proxied {
    /// Another level begins; `last` is the number of the last change before it.
    pub(super) fn level_begins(&mut self, last: Option<RceId>) {
        self.begun.push(last);
    }

    /// The innermost level, which is not the outermost one, commits or was taken back.
    pub(super) fn level_ends(&mut self) {
        self.begun.pop();
    }

    /// The level that a change belongs to.
    fn level_of(&self, rceid: RceId, versions: &VersionStore) -> u8 {
        let after = |last: &&Option<RceId>| last.is_none_or(|last| versions.is_newer(rceid, last));
        // There are seven levels at the most.
        1 + u8::try_from(self.begun.iter().filter(after).count()).unwrap_or(u8::MAX - 1)
    }

    /// The changes that follow one of a row, the oldest first.
    fn take(&mut self, rceid: RceId) -> Vec<Change> {
        self.changes.remove(&rceid).unwrap_or_default()
    }

    /// All changes.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Change> + use<> {
        std::mem::take(&mut self.changes).into_values().flatten()
    }
}

/// An entry that comes to an index or goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryChange<'a> {
    pub(crate) tree: &'a Arc<TreeHandle>,
    pub(crate) key: &'a [u8],
    pub(crate) bookmark: &'a [u8],
    pub(crate) comes: bool,
}

impl EntryChange<'_> {
    fn make(self, db: &Database, writer: Writer, gate: &dyn VersionGate) -> Result<()> {
        let EntryChange { tree, key, bookmark, comes } = self;
        let at = &mut Position::default();
        if comes {
            return tree::insert(db, tree, writer, gate, at, key, bookmark);
        }
        let order = if tree.kind.unique { &[] } else { bookmark };
        tree::flag_delete(db, tree, writer, gate, at, key, order)
    }
}

impl Session {
    /// Changes an entry of an index that this session makes, as follows from a change of a row that
    /// it does not see. `proxied` is what others have done in the name of who made that.
    ///
    /// # Errors
    /// `JET_errKeyDuplicate` (-1605), `JET_errVersionStoreOutOfMemory` (-1069), those of writing.
    pub(crate) fn follow_in(
        &mut self,
        db: &Arc<Database>,
        followed: &UnseenChange,
        proxied: &mut Proxied,
        entry: EntryChange<'_>,
    ) -> Result<()> {
        let own = self.begin_change(db)?;
        let (versions, tree) = (&self.instance.versions, entry.tree);
        let (trx, mut made) = (&followed.trx, Vec::new());
        let changes = RefCell::new(&mut made);
        let gate = Gate { versions, author: Author::Proxy(trx), db, tree, changes };
        let settled = trx.committed().is_some();
        let done = if settled {
            entry.make(db, own, &Settled(gate))
        } else {
            let level = proxied.level_of(followed.rceid, versions);
            // Where it begins matters to who takes something back.
            let (procid, begin) = (trx.procid, LgPos::MAX);
            entry.make(db, Writer { procid, trx: trx.begin0, level, begin }, &gate)
        };
        if let Err(error) = done {
            for Change { tree, key, bm_data, rceid, .. } in &made {
                versions.drop_version(tree, key, bm_data, *rceid);
            }
            return Err(self.instance.explain(error));
        }
        if settled {
            tree.unmarked.fetch_add(made.len() as u64, Ordering::AcqRel);
            self.changes.extend(made.into_iter().map(Change::settled));
        } else {
            proxied.changes.entry(followed.rceid).or_default().append(&mut made);
        }
        Ok(())
    }

    /// Takes a change of this session back, and before that what follows it.
    pub(super) fn undo_with_proxied(&self, change: &Change, writer: Writer) -> Result<()> {
        let Some(trx) = &self.trx else { return self.undo_one(change, writer) };
        // Nobody enters the row anywhere in between.
        let mut proxied = trx.proxied();
        for entry in proxied.take(change.rceid).iter().rev() {
            self.undo_one(entry, writer)?;
        }
        self.undo_one(change, writer)
    }
}

impl Change {
    fn settled(self) -> Change {
        let deleted = self.kind == ChangeKind::Deleted;
        Change { kind: ChangeKind::Settled { deleted }, ..self }
    }
}

/// Versions of these changes were dropped.
pub(super) fn count_settled_off(changes: &[Change]) {
    for change in changes {
        if let ChangeKind::Settled { .. } = change.kind {
            change.tree.unmarked.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// The gate of changes in the name of a committed transaction: they get versions, and the log does
/// not know.
struct Settled<'a>(Gate<'a>);

impl VersionGate for Settled<'_> {
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
        self.0.insert(tree, key, data, existing).map(|_| InsertVersion::default())
    }

    fn replace(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8], old: &[u8]) -> Result<RceId> {
        self.0.replace(tree, key, bm_data, old).map(|_| RceId::default())
    }

    fn delete(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Result<RceId> {
        self.0.delete(tree, key, bm_data).map(|_| RceId::default())
    }

    fn duplicate(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Error {
        self.0.duplicate(tree, key, bm_data)
    }
}
