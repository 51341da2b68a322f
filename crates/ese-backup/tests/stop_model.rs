//! Every interleaving of a stop, a call that reads, a close, an end and a termination.
//!
//! The files of the machine, the stop and the table are compiled here once more, as they are, with
//! locks and flags whose schedule the model chooses; it tries all of them. A wake-up that gets lost
//! would leave a pause asleep for ever: its clock stands still, and the model reports the deadlock.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a part of the crate's files is used; a failing step fails the test"
)]

#[path = "../src/session/machine.rs"]
mod machine;
#[path = "../src/session/stop.rs"]
mod stop;
#[path = "../src/session/table.rs"]
mod table;

/// What the files take their locks from.
mod sync {
    use std::{
        ops::{Deref, DerefMut},
        time::Duration,
    };

    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, Ordering};

    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    pub(crate) struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

    #[derive(Debug)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Mutex<T> {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().unwrap()))
        }

        pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_ref().unwrap()
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().unwrap()
        }
    }

    impl Condvar {
        pub(crate) fn new() -> Condvar {
            Condvar(loom::sync::Condvar::new())
        }

        /// Nobody comes in time: only a notification ends the wait.
        pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _time: Duration) {
            let held = guard.0.take().unwrap();
            guard.0 = Some(self.0.wait(held).unwrap());
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }
}

use std::time::Duration;

use ese_base::JetErr;
use ese_os::Clock;
use loom::{model::Builder, sync::Arc, thread};
use machine::{Machine, Progress, Who};
use stop::{PauseBy, Sleeper};
use table::{Api, Reply, State};

/// The backup of the model: where it stands, and what its end left behind.
struct Backup {
    state: State,
    serial: u64,
    sleeper: Sleeper,
    open: bool,
    recorded: u32,
    aborted: u32,
}

impl Progress for Backup {
    fn state(&self) -> State {
        self.state
    }

    fn set_state(&mut self, state: State) {
        self.state = state;
    }

    fn serial(&self) -> u64 {
        self.serial
    }

    fn count(&mut self) {
        self.serial += 1;
    }
}

/// A clock that stands still.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn unix_ms(&self) -> u64 {
        0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {}
}

type Shared = Arc<Machine<Backup>>;

/// An instance that may back up.
fn machine() -> Shared {
    let machine = Machine::new(|sleeper| Backup {
        state: State::None,
        serial: 0,
        sleeper,
        open: false,
        recorded: 0,
        aborted: 0,
    });
    machine.allow();
    Arc::new(machine)
}

/// In a backup with an open file.
fn opened() -> Shared {
    let machine = machine();
    begin(&machine).unwrap();
    open(&machine).unwrap();
    machine
}

/// A thread that stops the backup.
fn stopper(machine: &Shared) -> thread::JoinHandle<()> {
    let machine = Arc::clone(machine);
    thread::spawn(move || machine.switch().stop())
}

/// The calls, as the context makes them, without the files.
fn begin(machine: &Shared) -> Result<u64, JetErr> {
    let mut backup = machine.lock();
    if !machine.is_allowed() {
        return Err(JetErr::BackupNotAllowedYet);
    }
    match machine.reply(Api::BeginFull, &backup) {
        Reply::To(next) => machine.begin(&mut backup, next),
        Reply::Refuse(code) | Reply::Cancel(code) => return Err(code),
    }
    Ok(backup.serial)
}

fn call(machine: &Shared, api: Api, work: impl FnOnce(&mut Backup)) -> Result<(), JetErr> {
    let mut backup = machine.gate(api, Who::Anyone).map_err(|error| error.code())?;
    let next = match machine.reply(api, &backup) {
        Reply::To(next) => next,
        Reply::Refuse(code) | Reply::Cancel(code) => return Err(code),
    };
    work(&mut backup);
    machine.set_state(&mut backup, next);
    Ok(())
}

fn open(machine: &Shared) -> Result<(), JetErr> {
    call(machine, Api::OpenDatabase, |backup| backup.open = true)
}

fn read(machine: &Shared) -> Result<(), JetErr> {
    call(machine, Api::Read, |_| ())
}

fn close(machine: &Shared) -> Result<(), JetErr> {
    call(machine, Api::Close, |backup| backup.open = false)
}

/// A read that waits before it looks at a damaged page again. True: the stop ended the wait.
fn read_damaged(machine: &Shared) -> Result<bool, JetErr> {
    let mut stopped = false;
    call(machine, Api::Read, |backup| {
        let time = Duration::from_secs(1);
        stopped = machine.switch().pause(&backup.sleeper, &Still, PauseBy::Waiting, time);
    })?;
    Ok(stopped)
}

fn clean_up(machine: &Machine<Backup>, backup: &mut Backup, recorded: bool) {
    if recorded {
        backup.recorded += 1;
    } else {
        backup.aborted += 1;
    }
    backup.open = false;
    machine.finish(backup);
}

fn end(machine: &Shared) -> Result<(), JetErr> {
    let mut backup = machine.gate(Api::EndNormal, Who::Anyone).map_err(|error| error.code())?;
    match machine.reply(Api::EndNormal, &backup) {
        Reply::To(State::None) => {}
        other => panic!("{other:?}"),
    }
    let recorded = !machine.switch().is_stopped();
    clean_up(machine, &mut backup, recorded);
    Ok(())
}

fn terminate(machine: &Shared) {
    machine.abort(|backup| clean_up(machine, backup, false));
}

/// Runs a model through all its interleavings; says how many there were.
fn every_interleaving(name: &str, model: impl Fn() + Sync + Send + 'static) {
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let count = std::sync::Arc::clone(&runs);
    Builder::new().check(move || {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    let runs = runs.load(std::sync::atomic::Ordering::Relaxed);
    assert!(runs > 1, "{name}: one interleaving is none");
    #[allow(clippy::print_stdout, reason = "how much was tried is the result")]
    {
        println!("{name}: {runs} interleavings");
    }
}

fn allowed(answer: Result<(), JetErr>, codes: &[JetErr]) {
    if let Err(code) = answer {
        assert!(codes.contains(&code), "{code:?}");
    }
}

const ABORTED: JetErr = JetErr::BackupAbortByServer;

#[test]
fn a_call_that_begins_after_the_stop_has_returned_is_refused() {
    every_interleaving("stop beside reads", || {
        let machine = opened();
        let stopped = Arc::new(loom::sync::atomic::AtomicBool::new(false));
        let stopper = {
            let (machine, stopped) = (Arc::clone(&machine), Arc::clone(&stopped));
            thread::spawn(move || {
                machine.switch().stop();
                stopped.store(true, loom::sync::atomic::Ordering::SeqCst);
            })
        };
        for _ in 0..2 {
            let before = stopped.load(loom::sync::atomic::Ordering::SeqCst);
            let answer = read(&machine);
            assert!(!before || answer == Err(ABORTED), "{answer:?}");
            allowed(answer, &[ABORTED]);
        }
        close(&machine).unwrap();
        stopper.join().unwrap();
        assert_eq!(read(&machine), Err(ABORTED), "it lasts until the end");
        end(&machine).unwrap();
        let backup = machine.lock();
        assert_eq!((backup.recorded, backup.aborted), (0, 1));
        assert!(!machine.switch().is_stopped());
    });
}

#[test]
fn a_stop_ends_every_pause() {
    every_interleaving("stop beside a pause", || {
        let machine = opened();
        let stopper = stopper(&machine);
        match read_damaged(&machine) {
            Ok(stopped) => assert!(stopped, "nothing but the stop ends it"),
            Err(code) => assert_eq!(code, ABORTED),
        }
        stopper.join().unwrap();
        end(&machine).unwrap();
    });
}

#[test]
fn a_stop_beside_an_end_is_seen_by_it_or_forgotten() {
    every_interleaving("stop, close and end", || {
        let machine = opened();
        let stopper = stopper(&machine);
        let closer = {
            let machine = Arc::clone(&machine);
            thread::spawn(move || close(&machine))
        };
        end(&machine).unwrap();
        allowed(closer.join().unwrap(), &[JetErr::NoBackup]);
        stopper.join().unwrap();
        assert_eq!(machine.in_progress(), None);
        {
            let backup = machine.lock();
            assert_eq!(backup.recorded + backup.aborted, 1, "it ended once");
            assert!(!backup.open);
        }
        // What came too late does not concern the next one.
        assert_eq!(begin(&machine), Ok(2));
        assert_eq!(open(&machine), Ok(()));
        end(&machine).unwrap();
    });
}

#[test]
fn a_termination_finds_the_backup_or_the_backup_finds_it() {
    every_interleaving("begin, read and termination", || {
        let machine = machine();
        let beginner = {
            let machine = Arc::clone(&machine);
            thread::spawn(move || match begin(&machine) {
                Ok(_) => open(&machine).and_then(|()| read(&machine)),
                Err(code) => {
                    assert_eq!(code, JetErr::BackupNotAllowedYet);
                    Ok(())
                }
            })
        };
        terminate(&machine);
        allowed(beginner.join().unwrap(), &[ABORTED, JetErr::NoBackup]);
        assert_eq!(machine.in_progress(), None, "nothing is left");
        assert_eq!(begin(&machine), Err(JetErr::BackupNotAllowedYet));
    });
}

#[test]
fn a_stop_beside_a_termination_leaves_nothing_in_progress() {
    every_interleaving("stop, begin and termination", || {
        let machine = machine();
        let stopper = stopper(&machine);
        let beginner = {
            let machine = Arc::clone(&machine);
            thread::spawn(move || begin(&machine))
        };
        terminate(&machine);
        if let Err(code) = beginner.join().unwrap() {
            assert_eq!(code, JetErr::BackupNotAllowedYet);
        }
        stopper.join().unwrap();
        assert_eq!(machine.in_progress(), None, "nothing is left");
    });
}

#[test]
fn a_termination_ends_a_pause_and_the_backup_once() {
    every_interleaving("pause, end and termination", || {
        let machine = opened();
        let worker = {
            let machine = Arc::clone(&machine);
            thread::spawn(move || {
                let read = read_damaged(&machine).map(|stopped| assert!(stopped));
                allowed(read, &[ABORTED, JetErr::NoBackup]);
                allowed(end(&machine), &[JetErr::NoBackup]);
            })
        };
        terminate(&machine);
        worker.join().unwrap();
        let backup = machine.lock();
        assert_eq!((backup.recorded, backup.aborted), (0, 1));
    });
}

#[test]
fn the_owner_of_a_backup_does_not_stray_into_the_next_one() {
    every_interleaving("owner beside end and begin", || {
        let machine = machine();
        let mine = begin(&machine).unwrap();
        let other = {
            let machine = Arc::clone(&machine);
            thread::spawn(move || {
                end(&machine).unwrap();
                begin(&machine).unwrap()
            })
        };
        let answer = machine.gate(Api::AttachInfo, Who::Owner(mine)).map(|backup| backup.serial);
        match answer {
            Ok(serial) => assert_eq!(serial, mine),
            Err(error) => assert_eq!(error.code(), ABORTED),
        }
        assert_eq!(other.join().unwrap(), mine + 1);
    });
}
