//! What all versions of a table share beside its tree: its counters, its users, and the indexes
//! that every change of a row must keep up, whoever sees them.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ese_base::{Error, JetErr, ObjId, ProcId, Result};
use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;

use super::{IndexStats, SecondaryIndex, counters::Numbers, long::LongState};
use crate::{schema::TableSchema, session::Session, version::Trx};

/// The parts of a table that its versions have in common.
#[derive(Debug)]
pub(crate) struct Core {
    /// The next sequential key, once the highest one is known (tables without a primary index).
    pub(super) next_key: Mutex<Option<u32>>,
    /// The numbers that rows get, once the highest one is known.
    pub(super) numbers: Mutex<Option<Numbers>>,
    /// Held for reading by every change of a row, for writing by changes of the list. Comes before
    /// all locks of trees.
    pub(crate) live: RwLock<Live>,
    users: Mutex<Vec<User>>,
    /// The transaction that deletes the table, from its look for users on. Locked after the users.
    deleter: Mutex<Option<Arc<Trx>>>,
    /// So many of them deny others something.
    denying: AtomicUsize,
    /// Indexes that somebody keeps without being a user, each as often as that.
    held: Mutex<Vec<ObjId>>,
    /// What was counted of each tree, by object id.
    pub(super) stats: Mutex<HashMap<ObjId, IndexStats>>,
    /// Its long values. Their lock comes before those of trees and of the catalog.
    pub(crate) long: LongState,
    /// The transaction that creates the table.
    pub(super) creator: Option<Arc<Trx>>,
}

/// The indexes to be kept up, and the columns that their keys are made of.
#[derive(Debug)]
pub(crate) struct Live {
    /// The newest version, committed or not.
    pub(crate) schema: Arc<TableSchema>,
    pub(crate) indexes: Vec<LiveIndex>,
    /// The transaction that deletes the table.
    remover: Option<Arc<Trx>>,
}

/// An index that rows are entered in.
#[derive(Clone, Debug)]
pub(crate) struct LiveIndex {
    pub(crate) index: Arc<SecondaryIndex>,
    /// The transaction that deletes it. Those who do not see that go on using it.
    pub(crate) remover: Option<Arc<Trx>>,
}

impl LiveIndex {
    fn new(index: &Arc<SecondaryIndex>) -> LiveIndex {
        LiveIndex { index: Arc::clone(index), remover: None }
    }
}

impl Live {
    pub(super) fn new(schema: &Arc<TableSchema>, indexes: &[Arc<SecondaryIndex>]) -> Live {
        let indexes = indexes.iter().map(LiveIndex::new).collect();
        Live { schema: Arc::clone(schema), indexes, remover: None }
    }

    /// The indexes that a session's transaction has to keep up.
    pub(super) fn kept_by(&self, session: &Session) -> Result<SmallVec<[&SecondaryIndex; 8]>> {
        if let Some(remover) = &self.remover {
            let name = &self.schema.name;
            if session.sees(remover) {
                return Err(Error::new(
                    JetErr::ObjectNotFound,
                    format!("table {name} was deleted"),
                ));
            }
            // The session still reads the table. What it wrote would be gone with the table.
            let what = format!("another transaction deletes table {name}");
            return Err(Error::new(JetErr::WriteConflict, what).advise("begin again"));
        }
        let mut kept = SmallVec::new();
        for LiveIndex { index, remover } in &self.indexes {
            if let Some(remover) = remover {
                if session.sees(remover) {
                    continue;
                }
                self.check_columns_of(index)?;
            }
            kept.push(index.as_ref());
        }
        Ok(kept)
    }

    /// The transaction that deletes an index may have deleted its columns too. Who still sees the
    /// index cannot make its keys then.
    fn check_columns_of(&self, index: &SecondaryIndex) -> Result<()> {
        for column in index.schema.columns() {
            if self.schema.columns.require(column).is_err() {
                let what = format!(
                    "another transaction deletes index \"{}\" and a column of it",
                    index.schema.name
                );
                return Err(Error::new(JetErr::WriteConflict, what).advise("begin again"));
            }
        }
        Ok(())
    }
}

/// What a user of a table lets others do (JET_bitTableDenyRead, JET_bitTableDenyWrite).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Nobody else may open it.
    pub deny_read: bool,
    /// Nobody else may open it for changes.
    pub deny_write: bool,
    /// The user itself does not change it.
    pub read_only: bool,
    /// The user may add to a fixed schema, if nobody else may open the table.
    pub permit_ddl: bool,
}

impl Sharing {
    pub(crate) fn denies(self) -> bool {
        self.deny_read || self.deny_write
    }
}

#[derive(Debug)]
struct User {
    number: u64,
    session: ProcId,
    sharing: Sharing,
    /// Object id of its current index.
    index: Option<ObjId>,
    /// The cursor is closed; what it denies others lasts until the session's transaction ends.
    closed: bool,
}

/// One open use of a table, until it is dropped.
#[derive(Debug)]
pub struct TableUse {
    core: Arc<Core>,
    number: u64,
}

impl TableUse {
    /// Notes which secondary index the user stands on; `None` for the primary order. Such an index
    /// cannot be deleted.
    pub fn set_index(&self, index: Option<&SecondaryIndex>) {
        let mut users = self.core.users.lock();
        if let Some(user) = users.iter_mut().find(|user| user.number == self.number) {
            user.index = index.map(|index| index.schema.objid);
        }
    }

    /// Its cursor is closed. From now on it is in nobody's way but those whom it denies something.
    pub(crate) fn close(&self) {
        let mut users = self.core.users.lock();
        if let Some(user) = users.iter_mut().find(|user| user.number == self.number) {
            (user.closed, user.index) = (true, None);
        }
    }
}

impl Drop for TableUse {
    fn drop(&mut self) {
        let mut users = self.core.users.lock();
        let Some(at) = users.iter().position(|user| user.number == self.number) else { return };
        if users.remove(at).sharing.denies() {
            self.core.denying.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Keeps an index from being deleted until it is dropped. The table itself may be deleted.
#[derive(Debug)]
pub struct IndexHold {
    core: Arc<Core>,
    objid: ObjId,
}

impl IndexHold {
    pub(super) fn new(core: &Arc<Core>, index: &SecondaryIndex) -> IndexHold {
        let objid = index.schema.objid;
        core.held.lock().push(objid);
        IndexHold { core: Arc::clone(core), objid }
    }
}

impl Drop for IndexHold {
    fn drop(&mut self) {
        let mut held = self.core.held.lock();
        if let Some(at) = held.iter().position(|objid| *objid == self.objid) {
            held.swap_remove(at);
        }
    }
}

impl Core {
    pub(super) fn new(live: Live, long: LongState, creator: Option<Arc<Trx>>) -> Arc<Core> {
        Arc::new(Core {
            next_key: Mutex::new(None),
            numbers: Mutex::new(None),
            live: RwLock::new(live),
            users: Mutex::new(Vec::new()),
            deleter: Mutex::new(None),
            denying: AtomicUsize::new(0),
            held: Mutex::new(Vec::new()),
            stats: Mutex::default(),
            long,
            creator,
        })
    }

    /// Registers a use, if the others allow it (api-semantics 13.3).
    pub(super) fn enter(
        self: &Arc<Core>,
        session: ProcId,
        sharing: Sharing,
        name: &str,
    ) -> Result<TableUse> {
        let mut users = self.users.lock();
        // What is deleted is one session's own until that is committed or taken back. Later it is
        // found only by who began before.
        if self.deleter.lock().as_ref().is_some_and(|trx| trx.committed().is_none()) {
            let what = format!("another session deletes table \"{name}\"");
            return Err(Error::new(JetErr::TableLocked, what)
                .advise("try again when its transaction has ended"));
        }
        for other in users.iter().filter(|user| user.session != session) {
            let theirs = other.sharing;
            if theirs.deny_read || theirs.deny_write && !sharing.read_only {
                return Err(locked(name));
            }
            if sharing.deny_read || sharing.deny_write && !theirs.read_only {
                return Err(in_use(name));
            }
        }
        // The right to deny others their changes is given once, even to one session.
        if sharing.deny_write && users.iter().any(|user| user.sharing.deny_write) {
            return Err(in_use(name));
        }
        let number = users.last().map_or(0, |user| user.number) + 1;
        users.push(User { number, session, sharing, index: None, closed: false });
        if sharing.denies() {
            self.denying.fetch_add(1, Ordering::Release);
        }
        Ok(TableUse { core: Arc::clone(self), number })
    }

    /// Does any user deny others something?
    #[inline]
    pub(super) fn is_denied(&self) -> bool {
        self.denying.load(Ordering::Acquire) > 0
    }

    /// May a session read rows, or change them, that has not registered a use of the table?
    pub(super) fn check_admitted(&self, session: ProcId, changes: bool, name: &str) -> Result<()> {
        let users = self.users.lock();
        let mut others = users.iter().filter(|user| user.session != session);
        match others.any(|user| user.sharing.deny_read || changes && user.sharing.deny_write) {
            true => Err(locked(name)),
            false => Ok(()),
        }
    }

    /// May a session change the definition? Not while another one has the table for itself.
    pub(crate) fn check_unlocked(&self, session: ProcId, name: &str) -> Result<()> {
        let users = self.users.lock();
        let mut others = users.iter().filter(|user| user.session != session);
        match others.any(|other| other.sharing.deny_read || other.sharing.deny_write) {
            true => Err(locked(name)),
            false => Ok(()),
        }
    }

    /// Has a session the table for itself?
    pub(crate) fn is_alone(&self, session: ProcId) -> bool {
        let users = self.users.lock();
        users.iter().any(|user| user.session == session && user.sharing.deny_read)
    }

    /// Does a session's open transaction make the table, so that nobody else sees it?
    pub(crate) fn is_made_by(&self, session: &Session) -> bool {
        let own = session.transaction();
        matches!((&self.creator, own), (Some(by), Some(own)) if Arc::ptr_eq(by, &own))
    }

    /// Has a session the table for itself, to add to its fixed schema?
    pub(crate) fn permits_ddl(&self, session: ProcId) -> bool {
        let users = self.users.lock();
        users.iter().any(|user| {
            user.session == session && user.sharing.permit_ddl && user.sharing.deny_read
        })
    }

    /// The session's transaction deletes the table, if nobody uses it; nobody can from now on.
    pub(crate) fn begin_deletion(&self, session: &Session, name: &str) -> Result<()> {
        let users = self.users.lock();
        if users.iter().any(|user| !user.closed || user.session != session.procid()) {
            return Err(in_use(name));
        }
        *self.deleter.lock() = session.transaction();
        Ok(())
    }

    /// The deletion failed or was taken back.
    pub(crate) fn end_deletion(&self) {
        *self.deleter.lock() = None;
    }

    /// Does nobody stand on this index?
    pub(crate) fn check_index_unused(&self, index: &SecondaryIndex) -> Result<()> {
        let objid = index.schema.objid;
        let stood_on = self.users.lock().iter().any(|user| user.index == Some(objid));
        if !stood_on && !self.held.lock().contains(&objid) {
            return Ok(());
        }
        let what = format!("a cursor stands on index \"{}\", or has it", index.schema.name);
        Err(Error::new(JetErr::IndexInUse, what)
            .advise("close the cursor or give it another index; drop handles of the index"))
    }
}

fn locked(name: &str) -> Error {
    let what = format!("another session has opened table \"{name}\" for itself");
    Error::new(JetErr::TableLocked, what).advise("try again when its cursor is closed")
}

fn in_use(name: &str) -> Error {
    Error::new(JetErr::TableInUse, format!("table \"{name}\" is open"))
        .advise("close the cursors on it first")
}

impl Live {
    /// Follows the newest version of the table: what it lacks is being deleted by `trx`, what it
    /// has is kept up from now on.
    pub(crate) fn follow(&mut self, newest: &super::Table, trx: Option<&Arc<Trx>>) {
        self.schema = Arc::clone(&newest.schema);
        self.remover = None;
        for live in &mut self.indexes {
            if newest.has_index(live.index.schema.objid) {
                live.remover = None;
            } else if live.remover.is_none() {
                live.remover = trx.cloned();
            }
        }
        // Without a transaction a change was taken back: what it had added is gone.
        self.indexes
            .retain(|live| live.remover.is_some() || newest.has_index(live.index.schema.objid));
        for index in &newest.secondary {
            match self.indexes.iter_mut().find(|l| l.index.schema.objid == index.schema.objid) {
                Some(live) => live.index = Arc::clone(index),
                None => {
                    self.indexes.push(LiveIndex::new(index));
                }
            }
        }
    }

    /// The table is being deleted.
    pub(crate) fn end(&mut self, trx: &Arc<Trx>) {
        self.remover = Some(Arc::clone(trx));
    }

    /// An index is gone for good.
    pub(crate) fn forget(&mut self, objid: ObjId) {
        self.indexes.retain(|live| live.index.schema.objid != objid);
    }
}
