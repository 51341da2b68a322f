//! The tables of an attached database, in every version that somebody may still see.
//!
//! A schema change makes a new [`Table`] that shares its tree and its locks with the old one. The
//! new version is seen by those who see the transaction that made it, the old one by the others.
//! Two transactions that do not see each other cannot both change one table: the second one gets a
//! write conflict, as with rows.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use ese_base::{Error, JetErr, ObjId, Result};
use parking_lot::RwLock;
use smallvec::SmallVec;

use crate::{
    schema::{TableFlags, TableSchema},
    table::Table,
    trx::TrxClock,
    version::{Snapshot, Trx},
};

/// One version of a table.
#[derive(Debug)]
struct Version {
    table: Arc<Table>,
    /// The transaction that replaced or deleted it.
    remover: Option<Arc<Trx>>,
}

impl Version {
    fn seen_by(&self, snapshot: Snapshot<'_>) -> bool {
        self.table.seen_by(snapshot) && !self.removed_for(snapshot)
    }

    fn removed_for(&self, snapshot: Snapshot<'_>) -> bool {
        self.remover.as_ref().is_some_and(|remover| snapshot.sees(remover))
    }
}

#[derive(Debug, Default)]
struct Inner {
    /// Versions of each table, the oldest first.
    by_objid: HashMap<ObjId, SmallVec<[Version; 1]>>,
    /// Which tables have or had a name (in upper case, as the catalog's index orders them).
    by_name: HashMap<String, SmallVec<[ObjId; 1]>>,
}

/// All tables of a database.
#[derive(Debug, Default)]
pub(crate) struct Tables(RwLock<Inner>);

/// How names are compared: without case in ASCII, as the index `Name` orders them.
fn fold(name: &str) -> String {
    name.to_ascii_uppercase()
}

impl Tables {
    /// Adds a table: the first version of it.
    pub(crate) fn add(&self, table: Arc<Table>) {
        self.0.write().push(table);
    }

    /// The table with this name that a snapshot sees.
    pub(crate) fn find(&self, name: &str, snapshot: Snapshot<'_>) -> Option<Arc<Table>> {
        let inner = self.0.read();
        let objids = inner.by_name.get(&fold(name))?;
        objids.iter().find_map(|objid| {
            let table = inner.seen(*objid, snapshot)?;
            table.schema.name.eq_ignore_ascii_case(name).then(|| Arc::clone(table))
        })
    }

    /// The version of a table that a snapshot sees.
    pub(crate) fn version(&self, objid: ObjId, snapshot: Snapshot<'_>) -> Option<Arc<Table>> {
        self.0.read().seen(objid, snapshot).cloned()
    }

    /// The newest version of a table, whoever made it.
    pub(crate) fn newest(&self, objid: ObjId) -> Option<Arc<Table>> {
        let inner = self.0.read();
        let newest = inner.by_objid.get(&objid).and_then(|versions| versions.last());
        newest.map(|newest| Arc::clone(&newest.table))
    }

    /// Does any table derive from this one, whoever sees that?
    pub(crate) fn has_derived(&self, template: &TableSchema) -> bool {
        template.flags.contains(TableFlags::TEMPLATE)
            && self.all_newest().iter().any(|table| {
                let of = table.schema.template.as_deref();
                of.is_some_and(|name| name.eq_ignore_ascii_case(&template.name))
            })
    }

    /// The newest version of every table, whoever made it, in the order of their object ids.
    pub(crate) fn all_newest(&self) -> Vec<Arc<Table>> {
        let inner = self.0.read();
        let newest = inner.by_objid.values().filter_map(|versions| versions.last());
        let mut tables: Vec<_> = newest.map(|newest| Arc::clone(&newest.table)).collect();
        tables.sort_by_key(|table| table.schema.objid);
        tables
    }

    /// Has a table this name for anybody but those who see that it was given up?
    pub(crate) fn is_taken(&self, name: &str, snapshot: Snapshot<'_>) -> bool {
        let inner = self.0.read();
        let objids = inner.by_name.get(&fold(name));
        objids.into_iter().flatten().any(|objid| {
            let versions = inner.by_objid.get(objid);
            versions.into_iter().flatten().any(|version| {
                !version.removed_for(snapshot)
                    && version.table.schema.name.eq_ignore_ascii_case(name)
            })
        })
    }

    /// All tables that a snapshot sees, in no order.
    pub(crate) fn all(&self, snapshot: Snapshot<'_>) -> Vec<Arc<Table>> {
        let inner = self.0.read();
        let objids = inner.by_objid.keys();
        objids.filter_map(|objid| inner.seen(*objid, snapshot).cloned()).collect()
    }

    /// The version of a table that a transaction may change: the newest, if it sees that.
    ///
    /// # Errors
    /// `JET_errWriteConflict` (-1102); `JET_errObjectNotFound` (-1305) if it sees none.
    pub(crate) fn changeable(&self, objid: ObjId, snapshot: Snapshot<'_>) -> Result<Arc<Table>> {
        let inner = self.0.read();
        let newest = inner.by_objid.get(&objid).and_then(|versions| versions.last());
        match newest {
            Some(newest) if newest.seen_by(snapshot) && newest.remover.is_none() => {
                Ok(Arc::clone(&newest.table))
            }
            Some(newest) if newest.removed_for(snapshot) => {
                Err(Error::new(JetErr::ObjectNotFound, "the table was deleted"))
            }
            Some(_) => Err(Error::new(
                JetErr::WriteConflict,
                "another transaction has changed the definition of the table",
            )),
            None => Err(Error::new(JetErr::ObjectNotFound, "the table does not exist")),
        }
    }

    /// Makes `table` the newest version, or (`None`) the end of its table, in the name of `trx`.
    pub(crate) fn change(&self, objid: ObjId, table: Option<Arc<Table>>, trx: &Arc<Trx>) {
        let mut inner = self.0.write();
        if let Some(newest) = inner.by_objid.get_mut(&objid).and_then(|list| list.last_mut()) {
            newest.remover = Some(Arc::clone(trx));
            newest.table.superseded.store(true, Ordering::Release);
        }
        if let Some(table) = table {
            inner.push(table);
        }
    }

    /// Forgets the version before the newest, which one transaction has made and replaced. False:
    /// that is another one, or the newest is no version but the end.
    pub(crate) fn forget_between(&self, version: &Arc<Table>) -> bool {
        let mut inner = self.0.write();
        let Some(versions) = inner.by_objid.get_mut(&version.schema.objid) else { return false };
        let Some(at) = versions.len().checked_sub(2) else { return false };
        let found = versions.get(at).is_some_and(|found| Arc::ptr_eq(&found.table, version));
        let same_name = versions.last().is_some_and(|newest| {
            newest.remover.is_none() && newest.table.schema.name == version.schema.name
        });
        if found && same_name {
            versions.remove(at);
        }
        found && same_name
    }

    /// Takes the newest change of a table back.
    pub(crate) fn take_back(&self, objid: ObjId) {
        let mut inner = self.0.write();
        let Some(versions) = inner.by_objid.get_mut(&objid) else { return };
        if versions.last().is_some_and(|newest| newest.remover.is_none())
            && let Some(gone) = versions.pop()
        {
            gone.table.superseded.store(true, Ordering::Release);
        }
        match versions.last_mut() {
            Some(newest) => {
                newest.remover = None;
                newest.table.superseded.store(false, Ordering::Release);
            }
            None => _ = inner.by_objid.remove(&objid),
        }
        inner.forget_names();
    }

    /// Forgets versions that nobody can see any more.
    pub(crate) fn clean_up(&self, clock: &TrxClock) {
        let mut inner = self.0.write();
        for versions in inner.by_objid.values_mut() {
            versions.retain(|version| {
                let removed = version.remover.as_ref().and_then(|remover| remover.committed());
                removed.is_none_or(|number| !clock.seen_by_all(number))
            });
        }
        inner.by_objid.retain(|_, versions| !versions.is_empty());
        inner.forget_names();
    }
}

impl Inner {
    fn push(&mut self, table: Arc<Table>) {
        let objid = table.schema.objid;
        let named = self.by_name.entry(fold(&table.schema.name)).or_default();
        if !named.contains(&objid) {
            named.push(objid);
        }
        self.by_objid.entry(objid).or_default().push(Version { table, remover: None });
    }

    fn seen(&self, objid: ObjId, snapshot: Snapshot<'_>) -> Option<&Arc<Table>> {
        let versions = self.by_objid.get(&objid)?;
        versions.iter().rev().find(|version| version.seen_by(snapshot)).map(|seen| &seen.table)
    }

    /// Names that no version has any more.
    fn forget_names(&mut self) {
        let Inner { by_objid, by_name } = self;
        by_name.retain(|name, objids| {
            objids.retain(|objid| {
                let versions = by_objid.get(objid);
                versions.into_iter().flatten().any(|v| fold(&v.table.schema.name) == *name)
            });
            !objids.is_empty()
        });
    }
}
