//! Long values that lose their last reference.
//!
//! References are counted by additions that commute: two rows that share a value can be copied and
//! deleted at the same time. So nobody can say at his deletion whether it is the last one. That
//! shows when no one needs the versions of the addition any more: if the count is zero then, no row
//! refers to the value and none can come to, and the value is removed. Until that is done
//! the checkpoint stays before the transaction, so that recovery comes by the additions and
//! removes what is left.

use std::sync::Arc;

use ese_base::{Dbid, Result};

use super::{Change, ChangeKind};
use crate::{
    database::Database,
    instance::{CheckpointHold, Instance},
    longvalue,
    tree::{TreeHandle, Writer},
    version::{Addition, KeyBytes},
};

/// A long value that may have no reference any more.
#[derive(Debug)]
pub(crate) struct Unreferenced {
    db: Arc<Database>,
    tree: Arc<TreeHandle>,
    root: KeyBytes,
    _until_removed: Option<Arc<CheckpointHold>>,
}

impl Unreferenced {
    pub(crate) fn dbid(&self) -> Dbid {
        self.db.dbid
    }

    /// Is it the value with this root?
    pub(crate) fn is(&self, tree: &Arc<TreeHandle>, root: &[u8]) -> bool {
        Arc::ptr_eq(&self.tree, tree) && self.root.as_slice() == root
    }
}

/// Notes the values that these changes have let go.
pub(super) fn note(instance: &Instance, changes: &[Change], hold: Option<&Arc<CheckpointHold>>) {
    let let_go = |change: &&Change| {
        let last = matches!(change.kind, ChangeKind::Added(Addition { ends_row: true, .. }));
        last && change.tree.kind.is_of_long_values()
    };
    for change in changes.iter().filter(let_go) {
        instance.unreferenced.lock().push(Unreferenced {
            db: Arc::clone(&change.db),
            tree: Arc::clone(&change.tree),
            root: change.key.clone(),
            _until_removed: hold.cloned(),
        });
    }
}

/// Removes the values that were noted and have no reference. One whose count others are at work on
/// is looked at again the next time.
pub(crate) fn remove_unreferenced(instance: &Instance) -> Result<()> {
    let noted = std::mem::take(&mut *instance.unreferenced.lock());
    for value in noted {
        if instance.versions.has_versions(&value.tree, &value.root, &[]) {
            instance.unreferenced.lock().push(value);
            continue;
        }
        match remove(instance, &value) {
            Err(error) if value.db.is_temporary() => {
                tracing::debug!(%error, "a long value of a temporary table stays until that goes");
            }
            removed => removed?,
        }
    }
    Ok(())
}

/// A few chunks at a time, so that nobody who drops the tree, and no checkpoint, waits long.
fn remove(instance: &Instance, value: &Unreferenced) -> Result<()> {
    let Unreferenced { db, tree, root, .. } = value;
    let mut goes_on = true;
    while goes_on {
        let gone = tree.gone.read();
        if *gone {
            return Ok(());
        }
        goes_on = instance.system_work(|procid| {
            let fence = instance.fence(db);
            longvalue::remove_some(db, tree, Writer::system(procid), root, fence)
        })?;
    }
    Ok(())
}
