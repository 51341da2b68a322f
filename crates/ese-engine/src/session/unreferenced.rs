//! Long values that lose their last reference.
//!
//! References are counted by additions that commute: two rows that share a value can be copied and
//! deleted at the same time. So nobody can say at his deletion whether it is the last one. That
//! shows when no one needs the versions of the addition any more: if the count is zero then, no row
//! refers to the value and none can come to, and the value is removed. Until that is done
//! the checkpoint stays before the transaction, so that recovery comes by the additions and
//! removes what is left.

use std::{collections::VecDeque, sync::Arc};

use ese_base::{Dbid, Error, ErrorKind, Result};
use parking_lot::Mutex;

use super::{Change, ChangeKind, Pins};
use crate::{
    database::Database,
    instance::{CheckpointHold, Instance},
    longvalue,
    tree::{TreeHandle, Writer},
    version::{Addition, KeyBytes},
};

/// So many values wait before the background is woken for them.
const LONG: usize = 256;
/// So many wait before whoever lets go of one removes some himself.
const TOO_LONG: usize = 4096;
/// How often he removes a few nodes then: one value may be too long for him.
const STEPS: usize = 64;

/// A long value that may have no reference any more.
#[derive(Debug)]
struct Waiting {
    db: Arc<Database>,
    tree: Arc<TreeHandle>,
    root: KeyBytes,
    _until_removed: Option<Arc<CheckpointHold>>,
}

/// The long values that may have no reference any more. One stays here until it is removed.
#[derive(Debug, Default)]
pub(crate) struct Unreferenced {
    waiting: Mutex<VecDeque<Arc<Waiting>>>,
    /// Held by the one that removes them, who alone takes any out.
    remover: Mutex<()>,
    /// Values that must not go yet.
    pub(crate) pins: Arc<Pins>,
}

impl Unreferenced {
    /// Is one of this database there?
    pub(crate) fn has_any_of(&self, dbid: Dbid) -> bool {
        self.waiting.lock().iter().any(|value| value.db.dbid == dbid)
    }

    /// Is the value with this root there?
    pub(crate) fn has(&self, tree: &Arc<TreeHandle>, root: &[u8]) -> bool {
        let waiting = self.waiting.lock();
        waiting.iter().any(|value| Arc::ptr_eq(&value.tree, tree) && *value.root == *root)
    }

    /// Is there something to do for the background?
    pub(crate) fn is_long(&self) -> bool {
        self.waiting.lock().len() >= LONG
    }

    /// Is there more than the background gets done?
    pub(crate) fn is_too_long(&self) -> bool {
        self.waiting.lock().len() >= TOO_LONG
    }
}

/// Notes the values that these changes have let go.
pub(super) fn note(instance: &Instance, changes: &[Change], hold: Option<&Arc<CheckpointHold>>) {
    let let_go = |change: &&Change| {
        let last = matches!(change.kind, ChangeKind::Added(Addition { ends_row: true, .. }));
        last && change.tree.kind.is_of_long_values()
    };
    for change in changes.iter().filter(let_go) {
        instance.unreferenced.waiting.lock().push_back(Arc::new(Waiting {
            db: Arc::clone(&change.db),
            tree: Arc::clone(&change.tree),
            root: change.key.clone(),
            _until_removed: hold.cloned(),
        }));
    }
}

/// Removes the values that were noted and have no reference. One whose count others are at work on
/// is looked at again the next time.
pub(crate) fn remove_unreferenced(instance: &Instance) -> Result<()> {
    let _remover = instance.unreferenced.remover.lock();
    remove_waiting(instance, usize::MAX)
}

/// As [`remove_unreferenced`], as much as whoever commits can be made to wait for, and nothing if
/// another is at it.
pub(crate) fn remove_some_unreferenced(instance: &Instance) -> Result<()> {
    match instance.unreferenced.remover.try_lock() {
        Some(_remover) => remove_waiting(instance, STEPS),
        None => Ok(()),
    }
}

/// To be called by the remover. On an error, and if the steps do not suffice, the value at work and
/// those behind it wait on.
fn remove_waiting(instance: &Instance, mut steps: usize) -> Result<()> {
    let waiting = &instance.unreferenced.waiting;
    let mut count = waiting.lock().len();
    while count > 0 && steps > 0 {
        let Some(value) = waiting.lock().front().cloned() else { break };
        let pinned = longvalue::lid_of_root(&value.root)
            .is_some_and(|lid| instance.unreferenced.pins.count(&value.tree, lid) > 0);
        if pinned || instance.versions.has_versions(&value.tree, &value.root, &[]) {
            waiting.lock().rotate_left(1);
            (count, steps) = (count - 1, steps - 1);
            continue;
        }
        let removed = remove(instance, &value, &mut steps).or_else(|error| stays(&value, error));
        if removed? {
            waiting.lock().pop_front();
            count -= 1;
        }
    }
    Ok(())
}

/// A value that cannot be removed is no loss where it goes with its table, and where its tree is
/// damaged only room that stays taken.
fn stays(value: &Waiting, error: Error) -> Result<bool> {
    if value.db.is_temporary() {
        tracing::debug!(%error, "a long value of a temporary table stays until that goes");
        return Ok(true);
    }
    if is_damage(&error) {
        let path = value.db.file.path().display();
        tracing::warn!(%error, %path, "a long value without references stays: it is damaged");
        return Ok(true);
    }
    Err(error)
}

/// Does the error say what is wrong with some bytes, and no more?
pub(crate) fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Inconsistent)
}

/// A few chunks at a time, so that nobody who drops the tree, and no checkpoint, waits long. Says
/// whether the value is gone.
fn remove(instance: &Instance, value: &Waiting, steps: &mut usize) -> Result<bool> {
    let Waiting { db, tree, root, .. } = value;
    while *steps > 0 {
        *steps -= 1;
        // Writing pages takes its time: before the tree is held.
        db.cache.throttle(instance.fence(db))?;
        let gone = tree.gone.read();
        let goes_on = !*gone
            && instance.system_work(|procid| {
                longvalue::remove_some(db, tree, Writer::system(procid), root)
            })?;
        if !goes_on {
            return Ok(true);
        }
    }
    Ok(false)
}
