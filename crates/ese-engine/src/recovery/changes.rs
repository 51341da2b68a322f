//! What a recovery did to the rows of each table: the operations of the log that the pages did not
//! hold yet, and those that were taken back again.

use std::collections::BTreeMap;

use ese_base::{Dbid, ObjId};
use ese_log::records::{Oper, Record, RecordFlags};

use super::sessions::{ReplayedChange, ReplayedKind};
use crate::redo::Outcome;

/// What became of the nodes of one tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeChanges {
    /// Nodes that came, or came back.
    pub added: u64,
    /// Nodes whose data was replaced.
    pub changed: u64,
    /// Nodes that were deleted.
    pub removed: u64,
}

impl TreeChanges {
    fn add(&mut self, more: TreeChanges) {
        self.added += more.added;
        self.changed += more.changed;
        self.removed += more.removed;
    }
}

/// What became of the trees of all databases.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    trees: BTreeMap<(Dbid, ObjId), TreeChanges>,
    /// Of the tree that was changed last, which mostly is changed next: not yet in `trees`.
    last: ((Dbid, ObjId), TreeChanges),
}

impl Changes {
    /// A record was replayed.
    pub(super) fn saw(&mut self, record: &Record<'_>, outcome: Outcome) {
        if outcome != Outcome::Applied {
            return;
        }
        let Some(node) = record.node_head() else { return };
        if node.page.flags.contains(RecordFlags::SPACE) {
            return;
        }
        let (mut added, mut changed, mut removed) = (0, 0, 0);
        let count = match record {
            Record::Insert(_) | Record::FlagInsert(_) | Record::FlagInsertAndReplaceData(_) => {
                &mut added
            }
            Record::Replace(_) | Record::ReplaceD(_) | Record::Delta(_) | Record::Delta64(_) => {
                &mut changed
            }
            Record::FlagDelete(_) => &mut removed,
            Record::Undo(undo) => match undo.oper {
                Oper::Insert => &mut removed,
                Oper::FlagDelete => &mut added,
                Oper::Replace | Oper::Delta | Oper::Delta64 => &mut changed,
            },
            // A physical deletion is the end of a node that was deleted before.
            _ => return,
        };
        *count = 1;
        let tree = self.tree((node.page.dbid, node.objid_fdp));
        tree.added += added;
        tree.changed += changed;
        tree.removed += removed;
    }

    /// A change was taken back at the end.
    pub(super) fn took_back(&mut self, change: &ReplayedChange) {
        let tree = self.tree((change.dbid, change.objid));
        match change.kind {
            ReplayedKind::Inserted => tree.removed += 1,
            ReplayedKind::Deleted => tree.added += 1,
            ReplayedKind::Replaced | ReplayedKind::Added(_) => tree.changed += 1,
        }
    }

    /// What happened to a tree since it was changed last.
    fn tree(&mut self, tree: (Dbid, ObjId)) -> &mut TreeChanges {
        if self.last.0 != tree {
            let (before, changes) =
                std::mem::replace(&mut self.last, (tree, TreeChanges::default()));
            self.trees.entry(before).or_default().add(changes);
        }
        &mut self.last.1
    }

    /// The trees of all databases, by object id.
    pub(super) fn into_trees(mut self) -> BTreeMap<ObjId, TreeChanges> {
        let (tree, changes) = self.last;
        self.trees.entry(tree).or_default().add(changes);
        let mut all: BTreeMap<ObjId, TreeChanges> = BTreeMap::new();
        for ((_, objid), changes) in self.trees {
            if changes != TreeChanges::default() {
                all.entry(objid).or_default().add(changes);
            }
        }
        all
    }
}
