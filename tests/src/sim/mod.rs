//! The engine under the simulated disk: a store that [`ese_sim::check`] can drive, what must hold
//! of its files after every recovery, families of workloads, and a runner that spreads them over
//! the processors.

mod backups;
mod family;
mod prunes;
mod run;
mod sets;
mod store;
mod verify;

pub use backups::{cut_backups, cut_restores};
pub use family::{Family, families};
pub use prunes::cut_prunes;
pub use run::{Job, Outcome, jobs_of, number, run_all, seeds, states_or};
pub use store::{EngineStore, Settings};
pub use verify::Findings;
pub(crate) use verify::verify;
