//! The clock of transactions and the register of sessions: who began when, and which commits
//! everybody can see.
//!
//! A commit takes its number, appends its record and becomes visible under one short lock, so
//! the order of numbers, of log positions and of visibility is the same. Taking a snapshot takes no
//! lock: it reads the number of the newest visible commit.

use std::{
    collections::BTreeMap,
    fmt,
    panic::Location,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use ese_base::{Error, JetErr, LgPos, ProcId, Result, TrxId};
use parking_lot::{Mutex, RwLock};

/// Session numbers that users do not get: the engine's own work needs a session now and then, also
/// when users have as many as they can.
const SYSTEM_SESSIONS: usize = 256;

/// What others must know of a session: its snapshot and where its transaction began in the log.
#[derive(Debug)]
pub struct Slot {
    /// Number of the session in log records.
    pub procid: ProcId,
    /// Is it the engine's own?
    system: bool,
    /// Snapshot of its transaction, plus one; 0 while it has none.
    snapshot: AtomicU32,
    /// Position of its `Begin0` record, packed so that it orders like `LgPos`; 0 = none.
    begin0: AtomicU64,
    /// Open levels of its transaction.
    level: AtomicU8,
    /// Since when, and from where in the program, its transaction is open.
    origin: Mutex<Option<(Duration, &'static Location<'static>)>>,
}

/// An open transaction, as others may know it.
#[derive(Clone, Debug)]
pub struct OpenTransaction {
    /// Its session.
    pub session: ProcId,
    /// Commits up to this one are part of its snapshot.
    pub snapshot: TrxId,
    /// Open levels; 0 for a single read.
    pub level: u8,
    /// How long it is open.
    pub age: Duration,
    /// Its first record in the log, if it has changed anything.
    pub log_position: Option<LgPos>,
    /// The call that began it.
    pub began_at: Option<&'static Location<'static>>,
}

impl fmt::Display for OpenTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OpenTransaction { session, level, age, log_position, began_at, .. } = self;
        write!(f, "session {session}, level {level}, open for {} ms", age.as_millis())?;
        if let Some(place) = began_at {
            write!(f, ", begun at {}:{}", place.file(), place.line())?;
        }
        match log_position {
            Some(position) => write!(f, ", log position {position}"),
            None => f.write_str(", has changed nothing"),
        }
    }
}

impl Slot {
    /// Notes where the transaction's first record stands; the checkpoint may not pass it.
    pub(crate) fn set_begin0(&self, pos: LgPos) {
        self.begin0.store(pos.to_u64(), Ordering::SeqCst);
    }

    /// Where its transaction's first record stands at the earliest; [`LgPos::MAX`] without one.
    pub(crate) fn begin0(&self) -> LgPos {
        match self.begin0.load(Ordering::SeqCst) {
            0 => LgPos::MAX,
            packed => LgPos::from_u64(packed),
        }
    }

    /// Notes since when the transaction is open, by the clock of the instance.
    pub(crate) fn set_origin(&self, now: Duration, place: &'static Location<'static>) {
        *self.origin.lock() = Some((now, place));
    }

    /// Notes how many levels are open.
    pub(crate) fn set_level(&self, level: u8) {
        self.level.store(level, Ordering::Relaxed);
    }

    /// The transaction ended.
    pub(crate) fn clear(&self) {
        if self.level.swap(0, Ordering::Relaxed) > 0 {
            *self.origin.lock() = None;
        }
        self.snapshot.store(0, Ordering::SeqCst);
        self.begin0.store(0, Ordering::SeqCst);
    }
}

/// Numbers of transactions and the sessions of an instance.
#[derive(Debug)]
pub struct TrxClock {
    /// The last number given to a begin or a commit.
    last: AtomicU32,
    /// The newest commit that a new snapshot contains.
    visible: AtomicU32,
    /// Held from taking a commit number until the commit is visible.
    commit: Mutex<()>,
    slots: RwLock<BTreeMap<u16, Arc<Slot>>>,
    next_procid: AtomicU32,
}

impl Default for TrxClock {
    fn default() -> TrxClock {
        TrxClock::starting_after(TrxId(0))
    }
}

impl TrxClock {
    /// A clock whose first number follows `last` (recovery has seen that number in the log).
    #[must_use]
    pub fn starting_after(last: TrxId) -> TrxClock {
        // Number 0 means "none" everywhere, and the first snapshot must contain recovery's work.
        let last = last.0.max(1);
        TrxClock {
            last: AtomicU32::new(last),
            visible: AtomicU32::new(last),
            commit: Mutex::new(()),
            slots: RwLock::default(),
            next_procid: AtomicU32::new(1),
        }
    }

    /// A number for a transaction that begins.
    pub(crate) fn next(&self) -> TrxId {
        TrxId(self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Takes a snapshot and announces it in the session's slot, so that clean-up spares what it
    /// sees.
    pub(crate) fn begin(&self, slot: &Slot) -> TrxId {
        loop {
            let visible = self.visible.load(Ordering::SeqCst);
            slot.snapshot.store(visible + 1, Ordering::SeqCst);
            // A commit that became visible in between may already have cleaned up what only older
            // snapshots see; seeing no newer commit proves that clean-up saw this slot.
            if self.visible.load(Ordering::SeqCst) == visible {
                return TrxId(visible);
            }
        }
    }

    /// Numbers a commit, lets `append` write its record and `publish` make it visible, in one step.
    pub(crate) fn commit<T>(
        &self,
        append: impl FnOnce(TrxId) -> Result<T>,
        publish: impl FnOnce(TrxId),
    ) -> Result<T> {
        let _order = self.commit.lock();
        let number = self.next();
        let appended = append(number)?;
        publish(number);
        self.visible.store(number.0, Ordering::SeqCst);
        Ok(appended)
    }

    /// Can every present and future snapshot see this commit?
    pub(crate) fn seen_by_all(&self, commit: TrxId) -> bool {
        self.slots.read().values().all(|slot| match slot.snapshot.load(Ordering::SeqCst) {
            0 => true,
            snapshot => snapshot > commit.0,
        })
    }

    /// Where the oldest open transaction that changed something began in the log.
    pub(crate) fn oldest_begin0(&self) -> Option<LgPos> {
        let slots = self.slots.read();
        let begun = slots.values().map(|slot| slot.begin0.load(Ordering::SeqCst));
        begun.filter(|&packed| packed != 0).min().map(LgPos::from_u64)
    }

    /// The transaction with the oldest snapshot: clean-up waits for it.
    pub(crate) fn oldest(&self, now: Duration) -> Option<OpenTransaction> {
        let slots = self.slots.read();
        let open = slots.values().map(|slot| (slot.snapshot.load(Ordering::SeqCst), slot));
        let (snapshot, slot) = open.filter(|(snapshot, _)| *snapshot != 0).min_by_key(|o| o.0)?;
        let origin = *slot.origin.lock();
        Some(OpenTransaction {
            session: slot.procid,
            snapshot: TrxId(snapshot - 1),
            level: slot.level.load(Ordering::Relaxed),
            age: origin.map_or(Duration::ZERO, |(since, _)| now.saturating_sub(since)),
            log_position: Some(slot.begin0()).filter(|position| *position != LgPos::MAX),
            began_at: origin.map(|(_, place)| place),
        })
    }

    /// Registers a session.
    ///
    /// # Errors
    /// `JET_errOutOfSessions` when every session number that users can have is in use.
    pub(crate) fn register(&self) -> Result<Arc<Slot>> {
        self.add_slot(false)
    }

    /// Adds a session of the engine itself, which [`TrxClock::sessions`] does not count.
    ///
    /// # Errors
    /// As [`TrxClock::register`].
    pub(crate) fn register_system(&self) -> Result<Arc<Slot>> {
        self.add_slot(true)
    }

    fn add_slot(&self, system: bool) -> Result<Arc<Slot>> {
        let mut slots = self.slots.write();
        let most = usize::from(u16::MAX) - if system { 0 } else { SYSTEM_SESSIONS };
        if slots.len() >= most {
            return Err(Error::new(
                JetErr::OutOfSessions,
                format!("{} sessions are in use; there can be {most}", slots.len()),
            )
            .advise("end sessions that are no longer needed"));
        }
        // Ends: not all numbers are in use.
        let number = loop {
            let [low, high, ..] = self.next_procid.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            let number = u16::from_le_bytes([low, high]);
            if number != 0 && !slots.contains_key(&number) {
                break number;
            }
        };
        let slot = Arc::new(Slot {
            procid: ProcId(number),
            system,
            snapshot: AtomicU32::new(0),
            begin0: AtomicU64::new(0),
            level: AtomicU8::new(0),
            origin: Mutex::new(None),
        });
        slots.insert(number, Arc::clone(&slot));
        Ok(slot)
    }

    /// Forgets a session.
    pub(crate) fn unregister(&self, slot: &Arc<Slot>) {
        let mut slots = self.slots.write();
        if slots.get(&slot.procid.0).is_some_and(|other| Arc::ptr_eq(other, slot)) {
            slots.remove(&slot.procid.0);
        }
    }

    /// Number of sessions that users have begun and not ended.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.slots.read().values().filter(|slot| !slot.system).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_holds_clean_up_back_until_it_ends() {
        let clock = TrxClock::default();
        let reader = clock.register().unwrap();
        let snapshot = clock.begin(&reader);
        let mut number = TrxId(0);
        let append = |n| {
            number = n;
            Ok(())
        };
        clock.commit(append, |_| ()).unwrap();
        assert!(number > snapshot);
        assert!(!clock.seen_by_all(number));
        reader.clear();
        assert!(clock.seen_by_all(number));
        let later = clock.begin(&reader);
        assert!(later >= number && clock.seen_by_all(number));
    }

    #[test]
    fn users_leave_session_numbers_for_the_engine_and_get_ended_ones_again() {
        let clock = TrxClock::default();
        let mut users = Vec::new();
        let refused = loop {
            match clock.register() {
                Ok(slot) => users.push(slot),
                Err(error) => break error,
            }
        };
        assert_eq!((refused.code(), users.len()), (JetErr::OutOfSessions, 65_535 - 256));
        let own: Vec<_> = (0..256).map(|_| clock.register_system().unwrap()).collect();
        assert!(own.iter().all(|slot| slot.procid.0 != 0));
        assert_eq!(clock.register_system().unwrap_err().code(), JetErr::OutOfSessions);
        own.iter().for_each(|slot| clock.unregister(slot));
        assert_eq!(clock.register().unwrap_err().code(), JetErr::OutOfSessions);
        clock.unregister(&users[1000]);
        clock.unregister(&users[1001]);
        assert!([1000, 1001].map(|n| users[n].procid).contains(&clock.register().unwrap().procid));
    }

    #[test]
    fn the_oldest_begin_bounds_the_checkpoint() {
        let clock = TrxClock::default();
        let (a, b) = (clock.register().unwrap(), clock.register().unwrap());
        assert_eq!(clock.oldest_begin0(), None);
        a.set_begin0(LgPos::new(2, 1, 40));
        b.set_begin0(LgPos::new(1, 9, 100));
        assert_eq!(clock.oldest_begin0(), Some(LgPos::new(1, 9, 100)));
        clock.unregister(&b);
        assert_eq!(clock.oldest_begin0(), Some(LgPos::new(2, 1, 40)));
    }
}
