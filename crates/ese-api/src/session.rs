//! Sessions and transactions.

use std::{marker::PhantomData, panic::Location, sync::Arc, time::Duration};

use ese_base::{Dbid, Error, JetErr, Pgno, Result};
use ese_engine::{instance::Instance, session as engine, tree::Position};
use parking_lot::{Condvar, Mutex};

pub use ese_engine::session::Durability;

use crate::{
    shared::{Shared, ended},
    temp::{TempTable, TempTableBuilder},
};

/// The engine's session with what repeated calls reuse.
#[derive(Debug)]
pub(crate) struct SessionState {
    pub(crate) engine: engine::Session,
    pub(crate) key: Vec<u8>,
    pub(crate) record: Vec<u8>,
    /// Where the last change of this table went.
    hint: (Dbid, Pgno, Position),
    /// Last, so that it goes when everything else of the session has ended.
    _life: Life,
}

/// How many sessions of an instance have not ended wholly: one that nobody can find any more may
/// still be rolling back.
#[derive(Debug, Default)]
pub(crate) struct Living {
    count: Mutex<usize>,
    none: Condvar,
}

impl Living {
    /// Waits until there is none. The caller sees to it that none begins, and that all end.
    pub(crate) fn wait_for_none(&self) {
        let mut count = self.count.lock();
        while *count > 0 {
            self.none.wait(&mut count);
        }
    }
}

/// One session's part in [`Living`].
#[derive(Debug)]
struct Life(Arc<Living>);

impl Life {
    fn of(living: &Arc<Living>) -> Life {
        *living.count.lock() += 1;
        Life(Arc::clone(living))
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let mut count = self.0.count.lock();
        *count -= 1;
        if *count == 0 {
            self.0.none.notify_all();
        }
    }
}

impl SessionState {
    /// The remembered place in a tree, if the last change was in it.
    pub(crate) fn hint(&self, dbid: Dbid, fdp: Pgno) -> Position {
        if (self.hint.0, self.hint.1) == (dbid, fdp) { self.hint.2 } else { Position::default() }
    }

    pub(crate) fn set_hint(&mut self, dbid: Dbid, fdp: Pgno, position: Position) {
        self.hint = (dbid, fdp, position);
    }
}

/// One session. Whoever ends the instance empties it.
#[doc(hidden)]
#[derive(Debug)]
pub struct SessionCell(Mutex<Option<SessionState>>);

impl SessionCell {
    pub(crate) fn begin(instance: &Arc<Instance>, living: &Arc<Living>) -> Result<SessionCell> {
        Ok(SessionCell(Mutex::new(Some(SessionState {
            engine: engine::Session::begin_session(instance)?,
            key: Vec::new(),
            record: Vec::new(),
            hint: (Dbid(0), Pgno::NULL, Position::default()),
            _life: Life::of(living),
        }))))
    }

    /// Runs a call of the session; waits for another thread's.
    pub(crate) fn with<T>(&self, body: impl FnOnce(&mut SessionState) -> Result<T>) -> Result<T> {
        body(self.0.lock().as_mut().ok_or_else(ended)?)
    }

    /// Runs a call of the session unless another thread is in one.
    pub(crate) fn try_with<T>(
        &self,
        body: impl FnOnce(&mut SessionState) -> Result<T>,
    ) -> Result<T> {
        let mut state = self.0.try_lock().ok_or_else(|| {
            Error::new(JetErr::SessionSharingViolation, "another thread is using the session")
        })?;
        body(state.as_mut().ok_or_else(ended)?)
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        self.0.lock().as_ref().is_some_and(|state| state.engine.level() > 0)
    }

    /// Ends the session; an open transaction is rolled back.
    pub(crate) fn end(&self) {
        let state = self.0.lock().take();
        drop(state);
    }
}

/// How often [`Session::transact`] tries.
pub const TRIES_MAX: u32 = 100;

/// A session: the transactions of one user, one after the other.
///
/// It may move between threads, and be shared for reading; its calls come one after the other.
/// Reads outside a transaction see the newest committed state, each call its own.
#[derive(Debug)]
pub struct Session {
    cell: Arc<SessionCell>,
}

impl Session {
    pub(crate) fn new(shared: &Shared) -> Result<Session> {
        Ok(Session { cell: shared.begin_session()? })
    }

    /// Begins a transaction: from now on reads through it see the state of this moment, and its own
    /// changes. Dropped without commit it is rolled back.
    ///
    /// # Errors
    /// `JET_errInstanceUnavailable` (-1090) after a failed write, `JET_errTermInProgress` (-1000),
    /// `JET_errNotInitialized` (-1029).
    #[track_caller]
    pub fn begin(&mut self) -> Result<Transaction<'_>> {
        Transaction::begin(&self.cell, 0, false)
    }

    /// Begins a transaction that refuses changes (`JET_errTransReadOnly`, -1110).
    ///
    /// # Errors
    /// As [`Session::begin`].
    #[track_caller]
    pub fn begin_read_only(&mut self) -> Result<Transaction<'_>> {
        Transaction::begin(&self.cell, 0, true)
    }

    /// Runs `body` in a transaction and commits it. Where another transaction was first
    /// (`JET_errWriteConflict`, -1102), everything is taken back and `body` runs again on the newer
    /// state, after a pause that grows; so it should change nothing but the database.
    ///
    /// ```
    /// # fn main() -> ese_api::Result<()> {
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let instance = ese_api::Instance::builder(dir.path().join("data")).start()?;
    /// # let database = instance.create_database("a.edb")?;
    /// # let mut session = instance.session()?;
    /// use ese_api::{ColType, TableBuilder, row};
    ///
    /// let counters = session.transact(|transaction| {
    ///     let counters = TableBuilder::new("counters").text("name").column("n", ColType::Long);
    ///     let counters = database.create_table(transaction, counters)?;
    ///     counters.insert(transaction, &row! { "name" => "visits", "n" => 0 })?;
    ///     Ok(counters)
    /// })?;
    /// let now = session.transact(|transaction| {
    ///     let n = counters.typed::<i32>("n")?;
    ///     let now = counters.get(transaction, 1)?.unwrap().of(&n)?.unwrap_or(0) + 1;
    ///     counters.update(transaction, 1, &ese_api::Values::new().with(n, now))?;
    ///     Ok(now)
    /// })?;
    /// assert_eq!(now, 1);
    /// # drop((counters, database, session));
    /// # instance.stop()
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `body`, which is taken back then, and of committing; `JET_errWriteConflict` when it
    /// has not got through after [`TRIES_MAX`] tries.
    #[track_caller]
    pub fn transact<T>(
        &mut self,
        mut body: impl FnMut(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut tries = 0;
        loop {
            let mut transaction = self.begin()?;
            let done = match body(&mut transaction) {
                Ok(value) => transaction.commit().map(|()| value),
                Err(error) => {
                    transaction.rollback()?;
                    Err(error)
                }
            };
            tries += 1;
            match done {
                Err(error) if error.code() == JetErr::WriteConflict && tries < TRIES_MAX => {
                    self.pause(tries)?;
                }
                done => return done,
            }
        }
    }

    /// Waits a random part of a time that doubles with each try, so that rivals drift apart.
    fn pause(&self, tries: u32) -> Result<()> {
        let env = self.cell.with(|state| Ok(state.engine.instance().env.clone()))?;
        let most_us = 20_u32 << tries.min(10);
        let us = env.rng.next_u32() % most_us;
        env.clock.sleep(Duration::from_micros(u64::from(us)));
        Ok(())
    }

    /// Runs `body` on one unchanging state of the database.
    ///
    /// # Errors
    /// Those of `body` and of beginning.
    #[track_caller]
    pub fn look<T>(&mut self, body: impl FnOnce(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut transaction = self.begin_read_only()?;
        let seen = body(&mut transaction)?;
        transaction.commit()?;
        Ok(seen)
    }

    /// Opens a temporary table: rows that this session sorts. It lasts until it is dropped, inside
    /// and outside of transactions.
    ///
    /// # Errors
    /// `JET_errColumnDuplicate` (-1508), `JET_errInvalidName` (-1002), `JET_errTooManyColumns`
    /// (-1040), `JET_errCannotMaterializeForwardOnlySort` (-1113) for wishes that exclude each
    /// other; those of the temporary database for a tree.
    pub fn temp_table(&self, table: TempTableBuilder) -> Result<TempTable> {
        TempTable::open(&self.cell, &table)
    }

    /// Waits until the last commit of this session, which may have been a lazy one, is durable.
    ///
    /// # Errors
    /// `JET_errLogWriteFail` (-510).
    pub fn wait_durable(&self) -> Result<()> {
        self.cell.with(|state| state.engine.wait_last_commit())
    }
}

/// An open transaction, or a level of one.
///
/// The first writer of a row wins: changing a row that another transaction has changed and that
/// this one cannot see is `JET_errWriteConflict` (-1102) at once. The transaction stays usable.
#[derive(Debug)]
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction<'s> {
    cell: &'s Arc<SessionCell>,
    /// Its level, from 1; 0 once it has ended.
    level: u8,
    _exclusive: PhantomData<&'s mut Session>,
}

impl<'s> Transaction<'s> {
    /// Begins the level above `outer`.
    #[track_caller]
    fn begin(cell: &'s Arc<SessionCell>, outer: u8, read_only: bool) -> Result<Transaction<'s>> {
        let place = Location::caller();
        let level = cell.with(|state| {
            end_forgotten(state, outer)?;
            state.engine.begin_from(read_only, place)?;
            Ok(state.engine.level())
        })?;
        Ok(Transaction { cell, level, _exclusive: PhantomData })
    }

    /// Begins a level inside this one. It can be rolled back alone; its commit merges it into this
    /// one.
    ///
    /// # Errors
    /// `JET_errTransTooDeep` (-1103) beyond seven levels; as [`Session::begin`].
    #[track_caller]
    pub fn begin_nested(&mut self) -> Result<Transaction<'_>> {
        Transaction::begin(self.cell, self.level, false)
    }

    /// Commits. All changes become visible at once; on return of the outermost level they are
    /// durable.
    ///
    /// # Errors
    /// `JET_errLogWriteFail` (-510): the instance is unusable then, and recovery decides whether
    /// the commit happened. Otherwise the transaction is rolled back.
    pub fn commit(self) -> Result<()> {
        self.commit_as(Durability::Durable)
    }

    /// Commits without waiting for the disk. After a crash the commits of an instance survive up to
    /// some moment, never one without those before it.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn commit_lazy(self) -> Result<()> {
        self.commit_as(Durability::Lazy)
    }

    fn commit_as(mut self, durability: Durability) -> Result<()> {
        self.cell.with(|state| {
            end_forgotten(state, self.level)?;
            state.engine.commit(durability)
        })?;
        self.level = 0;
        Ok(())
    }

    /// Takes all changes of this level back.
    ///
    /// # Errors
    /// `JET_errRollbackError` (-1917): the instance is unusable until it is started again.
    pub fn rollback(mut self) -> Result<()> {
        let level = std::mem::take(&mut self.level);
        roll_back(self.cell, level)
    }
}

/// Rolls back the levels above this one. Nobody has them: who begins, commits or ends a level has
/// the session to itself, so their guards were forgotten ([`std::mem::forget`]) without an end.
fn end_forgotten(state: &mut SessionState, level: u8) -> Result<()> {
    while state.engine.level() > level {
        state.engine.rollback()?;
    }
    Ok(())
}

/// Rolls a level back if it is still open.
fn roll_back(cell: &SessionCell, level: u8) -> Result<()> {
    cell.with(|state| {
        if level > 0 {
            end_forgotten(state, level)?;
        }
        // A failed commit may have closed it already.
        if level == 0 || state.engine.level() != level { Ok(()) } else { state.engine.rollback() }
    })
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.level == 0 {
            return;
        }
        match roll_back(self.cell, self.level) {
            Err(error) if error.code() != JetErr::NotInitialized => {
                tracing::error!(%error, "a dropped transaction could not be rolled back");
            }
            _ => {}
        }
    }
}

/// What has a session. Only this crate implements it.
#[doc(hidden)]
pub trait View {
    /// The session's cell.
    fn cell(&self) -> &Arc<SessionCell>;
}

/// Something to read through: a [`Session`] or a [`Transaction`].
pub trait Reader: View {}

/// Something to change through. Changes through a [`Session`] are a durable transaction each.
pub trait Writer: Reader {
    /// Runs changes as one: all or none.
    #[doc(hidden)]
    fn change<T>(&mut self, body: impl FnOnce(&mut ChangeState<'_>) -> Result<T>) -> Result<T>;
}

/// What a change works with.
#[doc(hidden)]
#[derive(Debug)]
pub struct ChangeState<'a>(pub(crate) &'a mut SessionState);

impl View for Session {
    fn cell(&self) -> &Arc<SessionCell> {
        &self.cell
    }
}

impl View for Transaction<'_> {
    fn cell(&self) -> &Arc<SessionCell> {
        self.cell
    }
}

impl Reader for Session {}
impl Reader for Transaction<'_> {}

impl Writer for Transaction<'_> {
    fn change<T>(&mut self, body: impl FnOnce(&mut ChangeState<'_>) -> Result<T>) -> Result<T> {
        self.cell.with(|state| {
            end_forgotten(state, self.level)?;
            body(&mut ChangeState(state))
        })
    }
}

impl Writer for Session {
    fn change<T>(&mut self, body: impl FnOnce(&mut ChangeState<'_>) -> Result<T>) -> Result<T> {
        self.cell.with(|state| {
            end_forgotten(state, 0)?;
            state.engine.begin()?;
            let changed = body(&mut ChangeState(state)).and_then(|value| {
                state.engine.commit(Durability::Durable)?;
                Ok(value)
            });
            // A commit that failed may have ended the transaction or not.
            if changed.is_err() && state.engine.level() > 0 {
                state.engine.rollback()?;
            }
            changed
        })
    }
}
