//! Counting what a table and its indexes hold, and how much space they take.
//!
//! Counts are kept until the database is detached; they are as old as the last counting.

use std::ops::ControlFlow;

use ese_base::{Error, JetErr, ObjId, Result};

use super::Table;
use crate::{
    schema::Index,
    session::Session,
    space::check::{SpaceUsage, usage},
    tree::{Direction, Position, Start, TreeHandle},
};

/// What was counted of an index, or of the rows themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexStats {
    /// Entries.
    pub entries: u64,
    /// Different keys.
    pub keys: u64,
    /// Pages in use.
    pub pages: u64,
}

impl Table {
    /// Counts rows, entries and keys that the session sees, and pages.
    ///
    /// # Errors
    /// Those of reading.
    pub fn compute_stats(&self, session: &Session) -> Result<()> {
        let (end, forward) = (Start::End, Direction::Forward);
        let mut rows = IndexStats::default();
        let mut at = Position::default();
        self.scan(session, end, forward, &mut at, |_| {
            rows.entries += 1;
            ControlFlow::Continue(())
        })?;
        let mut counted = Vec::new();
        for index in self.secondary_indexes() {
            let (mut stats, mut key, mut last) = (IndexStats::default(), Vec::new(), None);
            self.scan_index(session, index, end, forward, &mut Position::default(), |entry| {
                key.clear();
                entry.append_key(&mut key);
                stats.entries += 1;
                if last.as_ref() != Some(&key) {
                    stats.keys += 1;
                    last.get_or_insert_with(Vec::new).clone_from(&key);
                }
                ControlFlow::Continue(())
            })?;
            stats.pages = used_pages(&self.space_of(&index.tree)?);
            counted.push((index.schema.objid, stats));
        }
        rows.keys = rows.entries;
        // The table's tree owns the pages of those inside it.
        let inner: u64 = self.inner_usages()?.iter().map(SpaceUsage::owned_pages).sum();
        rows.pages = used_pages(&self.space_of(&self.tree)?).saturating_sub(inner);
        counted.push((self.schema.objid, rows));
        self.core.stats.lock().extend(counted);
        Ok(())
    }

    /// What was counted of the tree with this object id, the table's own or an index's.
    #[must_use]
    pub fn stats(&self, objid: ObjId) -> Option<IndexStats> {
        self.core.stats.lock().get(&objid).copied()
    }

    /// What the table owns with its indexes and long values, and what of that is free.
    ///
    /// # Errors
    /// As [`usage`].
    pub fn space(&self) -> Result<SpaceUsage> {
        let mut whole = self.space_of(&self.tree)?;
        for inner in self.inner_usages()? {
            whole.available.extend(inner.available);
        }
        Ok(whole)
    }

    /// What an index owns; the primary index has the table's own space.
    ///
    /// # Errors
    /// `JET_errIndexNotFound` (-1404), and as [`usage`].
    pub fn index_space(&self, index: &Index) -> Result<SpaceUsage> {
        if index.is_primary() {
            return self.space_of(&self.tree);
        }
        let found = self.secondary_indexes().iter().find(|i| i.schema.objid == index.objid);
        let found = found.ok_or_else(|| Error::code_only(JetErr::IndexNotFound))?;
        self.space_of(&found.tree)
    }

    /// What the long values own; nothing where there are none.
    ///
    /// # Errors
    /// As [`usage`].
    pub fn long_value_space(&self) -> Result<SpaceUsage> {
        match &self.schema.lv {
            Some(lv) => usage(&self.db.cache, &lv.tree().view()),
            None => Ok(SpaceUsage::default()),
        }
    }

    fn inner_usages(&self) -> Result<Vec<SpaceUsage>> {
        let mut inner = vec![self.long_value_space()?];
        for index in self.secondary_indexes() {
            inner.push(self.space_of(&index.tree)?);
        }
        Ok(inner)
    }

    fn space_of(&self, tree: &TreeHandle) -> Result<SpaceUsage> {
        usage(&self.db.cache, &tree.view())
    }
}

fn used_pages(usage: &SpaceUsage) -> u64 {
    usage.owned_pages().saturating_sub(usage.available_pages())
}
