//! Gates of additions that leave no version: those that are taken back, and those that stay.

use std::sync::Arc;

use ese_base::{Error, JetErr, RceId, Result};

use crate::{
    tree::{InsertVersion, TreeHandle, Unversioned, VersionGate},
    version::{Addition, Snapshot, Trx, VersionStore},
};

/// The gate of an addition that is taken back: page and version change under the same latch, so
/// that no reader takes the sum back twice.
pub(super) struct DropUnderLatch<'a> {
    pub(super) versions: &'a VersionStore,
    pub(super) rceid: RceId,
}

/// The gate of an addition that stays even if its transaction is taken back.
pub(super) struct ForGood<'a> {
    pub(super) versions: &'a VersionStore,
    pub(super) trx: &'a Arc<Trx>,
}

/// All but additions as if there were no versions: nothing else comes through these gates.
macro_rules! only_additions {
    () => {
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

        fn replace(
            &self,
            tree: &TreeHandle,
            key: &[u8],
            bm_data: &[u8],
            old: &[u8],
        ) -> Result<RceId> {
            Unversioned.replace(tree, key, bm_data, old)
        }

        fn delete(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Result<RceId> {
            Unversioned.delete(tree, key, bm_data)
        }

        fn duplicate(&self, tree: &TreeHandle, key: &[u8], bm_data: &[u8]) -> Error {
            Unversioned.duplicate(tree, key, bm_data)
        }
    };
}

impl VersionGate for DropUnderLatch<'_> {
    only_additions!();

    fn add(&self, tree: &TreeHandle, key: &[u8], _added: Addition) -> Result<RceId> {
        self.versions.drop_version(tree, key, &[], self.rceid);
        Ok(self.rceid)
    }
}

impl VersionGate for ForGood<'_> {
    only_additions!();

    fn add(&self, tree: &TreeHandle, key: &[u8], _added: Addition) -> Result<RceId> {
        let snapshot = Snapshot { upto: self.trx.snapshot, own: Some(self.trx) };
        match self.versions.could_add(tree, key, snapshot) {
            true => Ok(RceId(0)),
            false => Err(Error::code_only(JetErr::WriteConflict)),
        }
    }
}
