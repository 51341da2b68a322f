//! Long values that prepared updates show: they stay, whoever gives them up meanwhile.
//!
//! An update outside a transaction has no snapshot, and reads its row's values when it is asked
//! for them. A copy of a row even comes to refer to them when it is written. ESE counts a
//! reference for it at once, which a crash leaves behind; here it is a note in memory: a value is
//! not removed while it is noted, and not changed in place by anyone else.

use std::{collections::HashMap, sync::Arc};

use ese_base::{Dbid, Error, JetErr, Pgno, Result};
use parking_lot::Mutex;

use super::Session;
use crate::{
    longvalue::{LongTree, root_key},
    record::Lid,
    tree::TreeHandle,
};

type Name = (Dbid, Pgno, Lid);

/// Which values are kept, and by how many.
#[derive(Debug, Default)]
pub(crate) struct Pins(Mutex<HashMap<Name, usize>>);

/// Values that are kept until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Pinned {
    pins: Arc<Pins>,
    names: Vec<Name>,
}

fn name_of(tree: &TreeHandle, lid: Lid) -> Name {
    (tree.dbid, tree.fdp, lid)
}

impl Pins {
    /// How many keep this value?
    pub(crate) fn count(&self, tree: &TreeHandle, lid: Lid) -> usize {
        self.0.lock().get(&name_of(tree, lid)).copied().unwrap_or(0)
    }

    /// The instance ends: whoever is left has no use for them.
    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }
}

impl Session {
    /// Keeps the values of a row that the session sees. To be called inside the read that finds the
    /// row, so that none can have gone yet. `copies`: a new row will come to refer to them.
    ///
    /// # Errors
    /// `JET_errWriteConflict` (-1102): somebody changes a value that is to be in a new row.
    pub(crate) fn pin(&self, tree: &LongTree, lids: Vec<Lid>, copies: bool) -> Result<Pinned> {
        let mut lids = lids;
        lids.sort_unstable();
        lids.dedup();
        let pins = Arc::clone(&self.instance.unreferenced.pins);
        let names: Vec<Name> = lids.iter().map(|lid| name_of(&tree.tree, *lid)).collect();
        let mut counts = pins.0.lock();
        names.iter().for_each(|name| *counts.entry(*name).or_default() += 1);
        drop(counts);
        let pinned = Pinned { pins, names };
        // After it is noted: who changes a value locks it and looks at the notes then.
        let versions = &self.instance.versions;
        for lid in lids.into_iter().filter(|_| copies) {
            let key = root_key(lid);
            if !self.read(|snapshot| Ok(versions.could_add(&tree.tree, &key, snapshot)))? {
                let what = "another transaction changes a long value of the row";
                return Err(Error::new(JetErr::WriteConflict, what).advise("try again"));
            }
        }
        Ok(pinned)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut counts = self.pins.0.lock();
        for name in &self.names {
            if let Some(count) = counts.get_mut(name) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    counts.remove(name);
                }
            }
        }
    }
}
