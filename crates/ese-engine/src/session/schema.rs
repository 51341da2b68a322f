//! What a session remembers of the schema changes of its transaction: how to take them back, and
//! which trees nobody needs once they hold or are taken back.
//!
//! A tree that others may have changed goes when every transaction has ended that was open when it
//! was given up: until then it may hold changes that are to be taken back.

use std::sync::Arc;

use ese_base::{LgPos, ObjId, Pgno, Result, plant};

use super::Session;
use crate::{
    database::Database,
    instance::{Attached, CheckpointHold, Instance},
    space,
    table::{Core, Table},
    tree::{TreeHandle, Writer},
};

/// A tree whose space is to be given back.
#[derive(Debug)]
pub(crate) struct Drop {
    pub(crate) db: Arc<Database>,
    /// The table it belongs to, or is.
    pub(crate) core: Arc<Core>,
    pub(crate) tree: Arc<TreeHandle>,
    /// Root pages of the trees inside it.
    pub(crate) inner: Vec<Pgno>,
}

impl Drop {
    /// Gives the pages back. Nobody may have the tree in use.
    pub(crate) fn perform(&self, writer: Writer) -> Result<()> {
        self.core.live.write().forget(self.tree.objid);
        self.give_back(writer)
    }

    /// As [`Drop::perform`], for a tree that no change of rows was told of.
    pub(crate) fn give_back(&self, writer: Writer) -> Result<()> {
        *self.tree.gone.write() = true;
        for inner in &self.inner {
            space::note_freed(&self.db, *inner, writer)?;
            if let Some(tree) = self.db.forget_tree(*inner) {
                *tree.gone.write() = true;
            }
        }
        // What its inner trees own comes out of its own space.
        space::free_fdp(&self.db, &self.tree, writer)?;
        self.db.forget_tree(self.tree.fdp);
        Ok(())
    }
}

/// What a schema change did to the list of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaStep {
    /// A new table.
    Created,
    /// A new version of a table, or its end.
    Changed,
    /// The tree of a table's long values.
    LongValues,
    /// Trees that were to become a table's, and will not.
    Abandoned,
}

/// One schema change of the open transaction.
#[derive(Debug)]
pub(crate) struct SchemaChange {
    pub(crate) attached: Arc<Attached>,
    /// The newest version of the table.
    pub(crate) table: Arc<Table>,
    pub(crate) step: SchemaStep,
    /// Trees that go if the change is taken back.
    pub(crate) made: Vec<Drop>,
    /// Trees that go if it holds.
    pub(crate) given_up: Vec<Drop>,
}

/// Trees to be dropped after something was taken back.
#[derive(Debug, Default)]
pub(super) struct TakenBack {
    tables: Vec<Arc<Table>>,
    made: Vec<Drop>,
}

impl Session {
    /// Notes a schema change whose catalog rows are written.
    pub(crate) fn note_schema_change(&mut self, change: SchemaChange) {
        self.schema_changes.push((self.changes.len(), change));
    }

    /// Notes trees of a table that the statement at work has made and gives up; others have done
    /// something there. The statement fails, so they go as if it were taken back after all else.
    pub(crate) fn abandon_trees(
        &mut self,
        attached: &Arc<Attached>,
        table: &Arc<Table>,
        made: Vec<Drop>,
    ) {
        let change = SchemaChange {
            attached: Arc::clone(attached),
            table: Arc::clone(table),
            step: SchemaStep::Abandoned,
            made,
            given_up: Vec::new(),
        };
        // As if it had made a change more: the statement itself may not have made any.
        self.schema_changes.push((self.changes.len() + 1, change));
    }

    /// A statement is done: what it changed of a table is taken back together with what the
    /// statement before it changed of the same one in the same level, so the version between the
    /// two is not needed any more. A table whose columns are added one by one would leave one of
    /// each length.
    pub(super) fn join_schema_changes(&mut self) {
        let level_began = self.savepoints.last().copied().unwrap_or(0);
        let [.., (first, before), (_, last)] = &*self.schema_changes else { return };
        let joins = *first > level_began
            && before.step != SchemaStep::LongValues
            && last.step == SchemaStep::Changed
            && Arc::ptr_eq(&before.table.core, &last.table.core)
            && last.attached.tables.forget_between(&before.table);
        if joins
            && let Some((count, last)) = self.schema_changes.pop()
            && let Some((first, before)) = self.schema_changes.last_mut()
        {
            *first = count;
            before.table = last.table;
            before.made.extend(last.made);
            before.given_up.extend(last.given_up);
        }
    }

    /// First half of taking changes back: nobody finds what they made any more.
    pub(super) fn take_back_schema(&mut self, keep: usize) -> TakenBack {
        let mut back = TakenBack::default();
        while let Some((_, change)) = self.schema_changes.pop_if(|(count, _)| *count > keep) {
            let SchemaChange { attached, table, step, made, .. } = change;
            let objid = table.schema.objid;
            if step == SchemaStep::LongValues || step == SchemaStep::Abandoned {
                if step == SchemaStep::LongValues {
                    table.core.long.forget();
                }
                back.made.extend(made);
                continue;
            }
            attached.tables.take_back(objid);
            if step == SchemaStep::Created {
                back.made.retain(|drop| !Arc::ptr_eq(&drop.core, &table.core));
                back.tables.push(table);
                continue;
            }
            if let Some(newest) = attached.tables.newest(objid) {
                let mut live = newest.core.live.write();
                live.follow(&newest, None);
                // An index that the same transaction has made and deleted: it is being deleted for
                // nobody any more, and nobody ever sees it.
                made.iter().for_each(|drop| live.forget(drop.tree.objid));
                newest.core.end_deletion();
            }
            back.made.extend(made);
        }
        back
    }

    /// Second half, when the changes of rows are taken back: the trees go. Nobody else could see a
    /// new table; an index of an old one may have been kept up by others.
    pub(super) fn drop_taken_back(&mut self, back: TakenBack) -> Result<()> {
        for table in back.tables {
            let drop = table.as_drop();
            let writer = self.writer(&table.db)?;
            drop.perform(writer)?;
        }
        if !back.made.is_empty() {
            // A number of its own: transactions that are open now are before it.
            let mut number = ese_base::TrxId(0);
            let note = |own| {
                number = own;
                Ok(())
            };
            self.instance.clock.commit(note, |_| ())?;
            let hold = self.hold_for(&back.made);
            self.instance.retire(number, Vec::new(), (back.made, hold));
        }
        Ok(())
    }

    /// Keeps the checkpoint before this transaction until trees are dropped and long values are
    /// removed: recovery finds them by its changes of the catalog, or the records that made them,
    /// and by the references that were given up.
    pub(super) fn hold_for(&self, drops: &[Drop]) -> Option<Arc<CheckpointHold>> {
        let begin = self.slot.begin0();
        let let_go = self.let_go && !plant!("engine-forget-released-values");
        let needed = (!drops.is_empty() || let_go) && begin != LgPos::MAX;
        needed.then(|| Arc::new(self.instance.hold_checkpoint(begin)))
    }

    /// What the schema changes of the transaction give up, now that it has committed.
    pub(super) fn given_up(&mut self) -> Vec<Drop> {
        let mut drops = Vec::new();
        for (_, change) in std::mem::take(&mut self.schema_changes) {
            drops.extend(change.given_up);
            change.attached.tables.clean_up(&self.instance.clock);
        }
        // A table takes its indexes with it.
        let inner: Vec<Pgno> = drops.iter().flat_map(|drop| drop.inner.iter().copied()).collect();
        drops.retain(|drop| !inner.contains(&drop.tree.fdp));
        drops
    }
}

impl Table {
    /// The table with all it has, to be dropped.
    pub(crate) fn as_drop(&self) -> Drop {
        let lv = self.long_tree().map(|long| long.tree.fdp);
        let indexes = self.secondary_indexes().iter().map(|index| index.schema.fdp);
        Drop {
            db: Arc::clone(&self.db),
            core: Arc::clone(&self.core),
            tree: Arc::clone(&self.tree),
            inner: indexes.chain(lv).collect(),
        }
    }

    /// One of its indexes, to be dropped.
    pub(crate) fn index_as_drop(&self, objid: ObjId) -> Option<Drop> {
        let index = self.secondary_indexes().iter().find(|index| index.schema.objid == objid)?;
        Some(Drop {
            db: Arc::clone(&self.db),
            core: Arc::clone(&self.core),
            tree: Arc::clone(&index.tree),
            inner: Vec::new(),
        })
    }
}

/// Drops trees whose time has come.
pub(crate) fn perform_drops(instance: &Instance, drops: &[Drop]) -> Result<()> {
    instance.system_work(|procid| {
        drops.iter().try_for_each(|drop| drop.perform(Writer::system(procid)))
    })
}
