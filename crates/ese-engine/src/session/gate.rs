//! What the version store learns of a change before its page shows it.

use std::{cell::RefCell, sync::Arc};

use ese_base::{Error, JetErr, RceId, Result};
use smallvec::SmallVec;

use super::ChangeKind;
use crate::{
    tree::{InsertVersion, TreeHandle, VersionGate},
    version::{Addition, KeyBytes, Trx, VersionStore, Was},
};

#[derive(Debug)]
pub(super) struct Made {
    pub(super) rceid: RceId,
    pub(super) kind: ChangeKind,
    pub(super) key: KeyBytes,
    pub(super) bm_data: KeyBytes,
}

/// The version store as a tree operation sees it.
pub(super) struct Gate<'a> {
    pub(super) versions: &'a VersionStore,
    pub(super) trx: &'a Arc<Trx>,
    pub(super) made: RefCell<SmallVec<[Made; 2]>>,
}

impl Gate<'_> {
    fn note(&self, rceid: RceId, kind: ChangeKind, key: &[u8], bm_data: &[u8]) {
        let (key, bm_data) = (KeyBytes::from_slice(key), KeyBytes::from_slice(bm_data));
        self.made.borrow_mut().push(Made { rceid, kind, key, bm_data });
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
                let [rceid] =
                    self.versions.record(tree, key, bm_data, self.trx, duplicate, [Was::Absent])?;
                self.note(rceid, ChangeKind::Inserted, key, bm_data);
                Ok(InsertVersion { rceid, replace_rceid: RceId(0) })
            }
            Some(old) => {
                // The old data stays readable for snapshots that still see the deleted row.
                let steps = [Was::Data(old.into()), Was::Absent];
                let [replace_rceid, rceid] =
                    self.versions.record(tree, key, bm_data, self.trx, duplicate, steps)?;
                self.note(replace_rceid, ChangeKind::RevivedOver, key, bm_data);
                self.note(rceid, ChangeKind::Inserted, key, bm_data);
                Ok(InsertVersion { rceid, replace_rceid })
            }
        }
    }

    fn replace(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8], old: &[u8]) -> Result<RceId> {
        let was = [Was::Data(old.into())];
        let conflict = JetErr::WriteConflict;
        let [rceid] = self.versions.record(tree, key, bm_data, self.trx, conflict, was)?;
        self.note(rceid, ChangeKind::Replaced, key, bm_data);
        Ok(rceid)
    }

    fn delete(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Result<RceId> {
        let conflict = JetErr::WriteConflict;
        let [rceid] =
            self.versions.record(tree, key, bm_data, self.trx, conflict, [Was::Present])?;
        self.note(rceid, ChangeKind::Deleted, key, bm_data);
        Ok(rceid)
    }

    fn add(&self, tree: &TreeHandle, key: &[u8], added: Addition) -> Result<RceId> {
        let conflict = JetErr::WriteConflict;
        let [rceid] =
            self.versions.record(tree, key, &[], self.trx, conflict, [Was::Less(added)])?;
        self.note(rceid, ChangeKind::Added(added), key, &[]);
        Ok(rceid)
    }

    fn duplicate(&self, _tree: &TreeHandle, _key: &[u8], _bm_data: &[u8]) -> Error {
        Error::new(JetErr::KeyDuplicate, "a row with this key exists")
            .advise("replace that row, or give this one another key")
    }
}
