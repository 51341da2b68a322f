//! What the version store learns of a change before its page shows it.

use std::{cell::RefCell, sync::Arc};

use ese_base::{Error, JetErr, RceId, Result};

use super::{Change, ChangeKind};
use crate::{
    database::Database,
    tree::{InsertVersion, TreeHandle, VersionGate},
    version::{Addition, Author, KeyBytes, VersionStore, Was},
};

/// The version store as an operation on one tree sees it.
pub(super) struct Gate<'a> {
    pub(super) versions: &'a VersionStore,
    pub(super) author: Author<'a>,
    pub(super) db: &'a Arc<Database>,
    pub(super) tree: &'a Arc<TreeHandle>,
    /// Where changes are noted. What the gate adds goes again if the operation fails.
    pub(super) changes: RefCell<&'a mut Vec<Change>>,
}

impl Gate<'_> {
    fn note(&self, rceid: RceId, kind: ChangeKind, key: &[u8], bm_data: &[u8]) {
        self.changes.borrow_mut().push(Change {
            db: Arc::clone(self.db),
            tree: Arc::clone(self.tree),
            rceid,
            kind,
            key: KeyBytes::from_slice(key),
            bm_data: KeyBytes::from_slice(bm_data),
        });
    }
}

impl VersionGate for Gate<'_> {
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
        let bm_data = if tree.kind.unique { &[] } else { data };
        let duplicate = JetErr::KeyDuplicate;
        match existing {
            None => {
                let [rceid] = self.versions.record(
                    tree,
                    key,
                    bm_data,
                    self.author,
                    duplicate,
                    [Was::Absent],
                )?;
                self.note(rceid, ChangeKind::Inserted, key, bm_data);
                Ok(InsertVersion { rceid, replace_rceid: RceId(0) })
            }
            Some(old) => {
                // The old data stays readable for snapshots that still see the deleted row.
                let steps = [Was::Data(old.into()), Was::Absent];
                let [replace_rceid, rceid] =
                    self.versions.record(tree, key, bm_data, self.author, duplicate, steps)?;
                self.note(replace_rceid, ChangeKind::RevivedOver, key, bm_data);
                self.note(rceid, ChangeKind::Inserted, key, bm_data);
                Ok(InsertVersion { rceid, replace_rceid })
            }
        }
    }

    fn replace(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8], old: &[u8]) -> Result<RceId> {
        let was = [Was::Data(old.into())];
        let conflict = JetErr::WriteConflict;
        let [rceid] = self.versions.record(tree, key, bm_data, self.author, conflict, was)?;
        self.note(rceid, ChangeKind::Replaced, key, bm_data);
        Ok(rceid)
    }

    fn delete(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Result<RceId> {
        let conflict = JetErr::WriteConflict;
        let [rceid] =
            self.versions.record(tree, key, bm_data, self.author, conflict, [Was::Present])?;
        self.note(rceid, ChangeKind::Deleted, key, bm_data);
        Ok(rceid)
    }

    fn add(&self, tree: &TreeHandle, key: &[u8], added: Addition) -> Result<RceId> {
        let conflict = JetErr::WriteConflict;
        let [rceid] =
            self.versions.record(tree, key, &[], self.author, conflict, [Was::Less(added)])?;
        self.note(rceid, ChangeKind::Added(added), key, &[]);
        Ok(rceid)
    }

    fn duplicate(&self, _tree: &TreeHandle, _key: &[u8], _bm_data: &[u8]) -> Error {
        Error::new(JetErr::KeyDuplicate, "a row with this key exists")
            .advise("replace that row, or give this one another key")
    }
}
