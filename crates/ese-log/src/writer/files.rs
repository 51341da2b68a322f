//! The generations on disk: which there are, who still needs them, how they go.

use std::{collections::BTreeMap, ops::Range, path::PathBuf, sync::Arc};

use ese_base::{Generation, JetErr, LgPos, Result, plant};
use ese_os::Env;
use parking_lot::Mutex;

use crate::LogNames;

/// Archives that circular logging keeps although nobody needs them.
const SPARE: u32 = 2;

/// Finished generations, and the guards that hold some of them.
#[derive(Debug)]
pub(crate) struct Archives {
    env: Env,
    pub(crate) names: LogNames,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    on_disk: BTreeMap<Generation, PathBuf>,
    /// First generation that a guard needs, with the number of such guards.
    pins: BTreeMap<Generation, u32>,
}

/// Keeps circular logging from deleting generations. See [`crate::Log::pin_generations`].
#[derive(Debug)]
pub struct GenerationPin {
    archives: Arc<Archives>,
    from: Generation,
}

impl GenerationPin {
    /// The first generation that is kept.
    #[must_use]
    pub fn from(&self) -> Generation {
        self.from
    }
}

impl Drop for GenerationPin {
    fn drop(&mut self) {
        let mut state = self.archives.state.lock();
        if let Some(count) = state.pins.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                state.pins.remove(&self.from);
            }
        }
    }
}

impl Archives {
    pub(crate) fn new(
        env: Env,
        names: LogNames,
        on_disk: BTreeMap<Generation, PathBuf>,
    ) -> Arc<Archives> {
        let state = Mutex::new(State { on_disk, pins: BTreeMap::new() });
        Arc::new(Archives { env, names, state })
    }

    pub(crate) fn pin(self: &Arc<Archives>, from: Generation) -> GenerationPin {
        *self.state.lock().pins.entry(from).or_insert(0) += 1;
        GenerationPin { archives: Arc::clone(self), from }
    }

    /// Does anybody need generations to stay?
    pub(crate) fn is_pinned(&self) -> bool {
        !self.state.lock().pins.is_empty()
    }

    pub(crate) fn list(&self) -> Vec<(Generation, PathBuf)> {
        self.state.lock().on_disk.iter().map(|(n, path)| (*n, path.clone())).collect()
    }

    pub(crate) fn add(&self, generation: Generation, path: PathBuf) {
        self.state.lock().on_disk.insert(generation, path);
    }

    /// Removes the archives of a range from the disk, oldest first, and makes that durable.
    /// The value is what was removed. On an error the rest is still there.
    pub(crate) fn delete(&self, range: Range<Generation>) -> Result<Vec<Generation>> {
        let mut gone = Vec::new();
        let doomed: Vec<(Generation, PathBuf)> =
            self.state.lock().on_disk.range(range).map(|(n, path)| (*n, path.clone())).collect();
        let mut result = Ok(());
        for (generation, path) in doomed {
            match self.env.fs.remove_file(&path) {
                Ok(()) => {}
                // Somebody else removed it: as wished.
                Err(e) if e.code() == JetErr::FileNotFound => {}
                Err(e) => {
                    result = Err(e.at_generation(generation));
                    break;
                }
            }
            self.state.lock().on_disk.remove(&generation);
            gone.push(generation);
        }
        if !gone.is_empty() {
            self.env.fs.sync_dir(self.names.dir())?;
        }
        result.map(|()| gone)
    }

    /// Circular logging: the archives that neither the checkpoint nor a pin needs, but two.
    pub(crate) fn retirable(&self, checkpoint: LgPos) -> Option<Range<Generation>> {
        let state = self.state.lock();
        let pinned = state.pins.keys().next().copied().unwrap_or(Generation(u32::MAX));
        let pinned = if plant!("log-ignore-pins") { Generation(u32::MAX) } else { pinned };
        let needed = checkpoint.generation.min(pinned);
        let limit = Generation(needed.0.saturating_sub(SPARE));
        let first = *state.on_disk.keys().next()?;
        (first < limit).then_some(first..limit)
    }

    /// The file of an archive.
    pub(crate) fn path(&self, generation: Generation) -> Option<PathBuf> {
        self.state.lock().on_disk.get(&generation).cloned()
    }

    /// The archive's file has become something else.
    pub(crate) fn forget(&self, generation: Generation) {
        self.state.lock().on_disk.remove(&generation);
    }
}
