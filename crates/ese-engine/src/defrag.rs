//! Online defragmentation of a whole database: tree after tree, a few leaves at a time, while
//! others read and write.
//!
//! Nothing is held between two steps, and what a step does is whole and logged when it returns: so
//! it can be stopped, or cut off by a crash, at any place. Leaves that are gone become free space
//! of their tree; extents that are free as a whole go back to where they came from.

use std::{collections::VecDeque, sync::Arc};

use ese_base::{Result, StopToken};

use crate::{
    database::Database,
    instance::{Attached, Instance},
    table::Table,
    tree::{self, DefragPlace, DefragRules, TreeHandle, Writer},
};

/// Leaves between two looks at whether the tree is still there.
const LEAVES_AT_A_TIME: u64 = 8;

/// What a defragmentation has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefragReport {
    /// Trees that were gone through.
    pub trees: u64,
    /// Leaves that were looked at.
    pub leaves: u64,
    /// Leaves that were joined with others, and whose pages are free.
    pub joined: u64,
    /// Leaves that got entries from their right neighbours.
    pub filled: u64,
    /// Deleted entries of earlier times that were removed.
    pub removed: u64,
}

impl DefragReport {
    fn add(&mut self, place: &DefragPlace) {
        self.leaves += place.visited;
        self.joined += place.joined;
        self.filled += place.filled;
        self.removed += place.removed;
    }
}

/// One pass over all trees of a database.
#[derive(Debug)]
pub struct Defragmentation {
    attached: Arc<Attached>,
    tables: VecDeque<Arc<Table>>,
    trees: VecDeque<Arc<TreeHandle>>,
    place: DefragPlace,
    done: DefragReport,
    /// May entries move between leaves that both stay?
    pub fill: bool,
}

impl Defragmentation {
    /// A pass over the trees that there are now.
    #[must_use]
    pub fn new(attached: &Arc<Attached>) -> Defragmentation {
        Defragmentation {
            attached: Arc::clone(attached),
            tables: attached.tables.all_newest().into(),
            trees: VecDeque::new(),
            place: DefragPlace::default(),
            done: DefragReport::default(),
            fill: true,
        }
    }

    /// A pass over the trees of one table.
    #[must_use]
    pub fn of_table(attached: &Arc<Attached>, table: &Arc<Table>) -> Defragmentation {
        let tables = VecDeque::from([Arc::clone(table)]);
        Defragmentation { tables, ..Defragmentation::new(attached) }
    }

    /// What it has done so far.
    #[must_use]
    pub fn report(&self) -> DefragReport {
        let mut report = self.done;
        report.add(&self.place);
        report
    }

    /// Goes on by a few leaves. `false`: the pass is over.
    ///
    /// # Errors
    /// What the token says when it is stopped; the instance's, the page cache's and the log's.
    /// Everything is whole whenever this returns, and it can be called again.
    pub fn step(&mut self, instance: &Instance, stop: &StopToken) -> Result<bool> {
        instance.check()?;
        stop.check()?;
        let db = Arc::clone(&self.attached.db);
        let Some(tree) = self.trees.front().map(Arc::clone) else {
            let Some(table) = self.tables.pop_front() else { return Ok(false) };
            self.trees.extend(trees_of(&db, &table));
            return Ok(true);
        };
        db.cache.throttle(instance.fence(&db))?;
        let unneeded = |key: &[u8], data: &[u8]| !instance.versions.has_versions(&tree, key, data);
        let (place, fill) = (&mut self.place, self.fill);
        let ended = instance.system_work(|procid| {
            // Whoever drops the tree waits for this, so it is short.
            let gone = tree.gone.read();
            if !*gone {
                let writer = Writer::system(procid);
                let rules = DefragRules { fill, unneeded: &unneeded };
                tree::defragment(&db, &tree, writer, place, LEAVES_AT_A_TIME, rules, stop)?;
            }
            Ok(*gone || place.done)
        })?;
        if ended {
            self.done.trees += 1;
            self.done.add(&std::mem::take(&mut self.place));
            self.trees.pop_front();
        }
        Ok(true)
    }
}

/// The trees of a table, unless it is gone.
fn trees_of(db: &Database, table: &Table) -> Vec<Arc<TreeHandle>> {
    // As long as the table is there, its inner trees are what the schema says, or marked as gone.
    let gone = table.tree.gone.read();
    if *gone {
        return Vec::new();
    }
    let mut trees = vec![Arc::clone(&table.tree)];
    trees.extend(table.secondary_indexes().iter().map(|index| Arc::clone(&index.tree)));
    trees.extend(table.schema.lv.iter().map(|lv| db.tree_of(&lv.tree())));
    trees
}
