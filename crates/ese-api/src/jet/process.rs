//! Instances and modes of the process (api-semantics 2, backup-log-recovery 5.5).

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use ese_backup::PauseBy;
use ese_base::{Error, JetErr, LgPos, Result};
use ese_os::Env;
use parking_lot::{Mutex, RwLock};

use super::{
    durable::Teller,
    handles::{HandleTable, JET_INSTANCE, Kind},
    params::{JET_paramMaxInstances, Params},
};
use crate::shared::Shared;

/// How the process uses the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// No instance exists.
    None,
    /// One instance that nobody needs to name.
    One,
    /// Named instances.
    Multi,
}

/// Everything that is one for the process. Locked for look-ups and short changes, never while an
/// instance works.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) mode: Mode,
    instances: HandleTable<Inst>,
    /// Global parameters, and the defaults of instances made later.
    pub(super) params: Params,
}

pub(super) static PROCESS: Mutex<Process> = Mutex::new(Process {
    mode: Mode::None,
    instances: HandleTable::new(Kind::Instance),
    params: Params::new(),
});

/// Where an instance is in its life.
#[derive(Clone, Debug)]
pub(super) enum Life {
    /// Made; parameters can be set.
    Created,
    /// JetInit is running.
    Starting,
    /// A restore is running.
    Restoring,
    /// Can be used.
    Running(Arc<Shared>),
    /// JetTerm is running.
    Ending(Arc<Shared>),
}

/// An instance of the process.
#[derive(Debug)]
pub(super) struct Inst {
    pub(super) handle: JET_INSTANCE,
    pub(super) name: String,
    pub(super) params: Mutex<Params>,
    pub(super) life: RwLock<Life>,
    /// Services that were stopped: bits of JetStopServiceInstance2.
    pub(super) stopped: AtomicU32,
    /// A restore goes on with its logs.
    pub(super) restoring: AtomicBool,
    /// Held while services are stopped or resumed; never while anything is waited for.
    pub(super) stopping: Mutex<()>,
    /// Held by who terminates it, from the first check to the last.
    pub(super) terminating: Mutex<()>,
    /// Tells the program of durable commits.
    pub(super) durable: Mutex<Option<Teller>>,
    /// The machine it will run on.
    pub(super) machine: Mutex<(Env, PauseBy)>,
}

impl Inst {
    /// Has JetInit begun?
    pub(super) fn is_past_creation(&self) -> bool {
        !matches!(&*self.life.read(), Life::Created)
    }

    /// The running instance, whatever was stopped; for calls that are always allowed.
    pub(super) fn shared(&self) -> Option<Arc<Shared>> {
        match &*self.life.read() {
            Life::Running(shared) | Life::Ending(shared) => Some(Arc::clone(shared)),
            Life::Created | Life::Starting | Life::Restoring => None,
        }
    }

    /// Returns when the program has been told of what is durable before a position, if it wants to
    /// be told.
    pub(super) fn wait_told(&self, durable: LgPos) {
        let notes = self.durable.lock().as_ref().map(Teller::notes);
        if let Some(notes) = notes {
            notes.wait_told(durable);
        }
    }

    pub(super) fn stopped_services(&self) -> u32 {
        self.stopped.load(Ordering::SeqCst)
    }
}

impl Process {
    /// The instance that calls without a handle mean.
    pub(super) fn single(&self) -> Option<Arc<Inst>> {
        match self.mode {
            Mode::One => self.instances.values().next().cloned(),
            _ => None,
        }
    }

    pub(super) fn instances(&self) -> impl Iterator<Item = &Arc<Inst>> {
        self.instances.values()
    }

    pub(super) fn has_instances(&self) -> bool {
        self.instances.values().next().is_some()
    }

    /// The instance with this handle; in one-instance mode the one there is.
    ///
    /// # Errors
    /// `JET_errInvalidInstance` (-1115).
    pub(super) fn instance(&self, handle: JET_INSTANCE) -> Result<Arc<Inst>> {
        let found = match self.mode {
            Mode::One => self.single(),
            _ => self.instances.find(handle.0),
        };
        found.ok_or_else(|| {
            Error::new(JetErr::InvalidInstance, format!("{handle:?} is not an instance"))
        })
    }

    /// Makes an instance.
    pub(super) fn create(&mut self, name: &str, mode: Mode) -> Result<Arc<Inst>> {
        if self.instances.values().any(|other| other.name == name) {
            return Err(Error::new(
                JetErr::InstanceNameInUse,
                format!("an instance with the name \"{name}\" exists"),
            ));
        }
        let most = self.params.int(JET_paramMaxInstances);
        if self.instances.values().count() as u64 >= most {
            let what = format!("{most} instances exist (JET_paramMaxInstances)");
            return Err(Error::new(JetErr::TooManyInstances, what));
        }
        let params = self.params.clone();
        let made = self.instances.insert(|handle| {
            Arc::new(Inst {
                handle: JET_INSTANCE(handle),
                name: name.to_owned(),
                params: Mutex::new(params),
                life: RwLock::new(Life::Created),
                stopped: AtomicU32::new(0),
                restoring: AtomicBool::new(false),
                stopping: Mutex::default(),
                terminating: Mutex::default(),
                durable: Mutex::default(),
                machine: Mutex::new((Env::real(), PauseBy::Waiting)),
            })
        });
        self.mode = mode;
        made.ok_or_else(|| Error::new(JetErr::TooManyInstances, "too many instances exist"))
    }

    /// Forgets an instance; with the last one the mode ends.
    pub(super) fn free(&mut self, handle: JET_INSTANCE) {
        self.instances.remove(handle.0);
        if !self.has_instances() {
            self.mode = Mode::None;
        }
    }

    /// The instances but this one.
    pub(super) fn others(&self, own: &Inst) -> Vec<Arc<Inst>> {
        let all = self.instances.values();
        all.filter(|other| other.handle != own.handle).cloned().collect()
    }
}
