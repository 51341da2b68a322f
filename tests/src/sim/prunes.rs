//! Power cuts at every call of a pruning of real sets.
//!
//! Whatever is left: a set that stays can be restored and holds what was committed when it was
//! made; so does every other set that still passes for complete; and the next pruning removes the
//! rest.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use ese_api::{
    BackupDestination, BackupJob, CopyOptions, RestoreOptions, RestoreTarget, SetInput, StopToken,
};
use ese_backup::sets::{PrunePlan, Shelf};
use ese_base::{Error, JetErr, Result};
use ese_os::Env;
use ese_sim::{
    CrashState, Image, SimDisk, SimEnv, StateOptions,
    check::{Report, Store as _},
    model::Model,
    workload::{Step, Workload},
};

use super::{EngineStore, Settings, backups::compare};

/// Where the sets lie.
const SETS: &str = "/sets";
/// What the sets are called, in the order in which they are made, and whether each builds on the
/// one before. The last full one stays, with what builds on it.
const MADE: [(&str, bool); 6] = [
    ("one", false),
    ("one-a", true),
    ("one-b.esebak", true),
    ("two.esebak", false),
    ("three", false),
    ("three-a", true),
];
/// As many of the last ones stay.
const KEPT: usize = 2;
/// Failures after which a check ends.
const FAILURES_MAX: usize = 5;

struct Made {
    path: PathBuf,
    model: Model,
}

/// Cuts the power at the calls of a pruning.
#[must_use]
pub fn cut_prunes(settings: &Settings, workload: &Workload, states: usize) -> Report {
    let mut report = Report::default();
    if let Err(error) = cut(settings, workload, states, &mut report) {
        report.failures.push(format!("without a cut: {error}"));
    }
    report
}

fn cut(settings: &Settings, workload: &Workload, states: usize, report: &mut Report) -> Result<()> {
    let (made, image) = make(settings, workload)?;
    let disk = SimDisk::from_image(&image);
    let env = SimEnv::on(&disk, 1);
    prune(&env)?;
    disk.mark(1);
    let options = StateOptions { seed: workload.seed, budget: states, garbage: true, from_op: 0 };
    let mut check = Check { settings, made: &made, whole: HashSet::new(), restored: 0 };
    for state in disk.recording().states(options) {
        report.states += 1;
        report.distinct.insert(state.hash ^ 0x0070_7275_6e65 ^ state.mark.rotate_left(17));
        if let Err(error) = check.state(&state) {
            report.failures.push(format!("{}: {error}", state.description));
            if report.failures.len() >= FAILURES_MAX {
                break;
            }
        }
    }
    report.recoveries = check.restored;
    Ok(())
}

/// Does the workload, with a backup after each part of it. The image holds the sets alone.
fn make(settings: &Settings, workload: &Workload) -> Result<(Vec<Made>, Image)> {
    let (env, disk) = SimEnv::new(workload.seed);
    env.fs.create_dir_all(Path::new(SETS))?;
    let mut store = EngineStore::open(&env, settings)?;
    let steps = workload.steps.iter().filter(|it| !matches!(it, Step::Restart | Step::Backup));
    let steps: Vec<&Step> = steps.collect();
    let mut made = Vec::new();
    let mut parts = steps.chunks(steps.len().div_ceil(MADE.len()).max(1));
    for (name, builds_on) in MADE {
        for step in parts.next().unwrap_or_default() {
            store.step(step)?;
        }
        let (path, model) = (Path::new(SETS).join(name), store.committed()?);
        let to = match path.extension() {
            Some(_) => BackupDestination::Archive(&path),
            None => BackupDestination::Dir(&path),
        };
        let instance = store.running()?;
        let base = builds_on.then(|| instance.backup_base(SETS)).transpose()?;
        let (mut progress, stop) = (|_: &ese_api::BackupProgress| (), StopToken::new());
        let options = CopyOptions { truncate: true };
        let job = BackupJob { base, options, ..BackupJob::new(&mut progress, &stop) };
        instance.back_up(to, job)?;
        made.push(Made { path, model });
    }
    drop(store);
    let (all, mut sets) = (disk.image(), Image::empty());
    for (path, _) in all.files().filter(|(path, _)| path.starts_with(SETS)) {
        sets.insert(path, &all.read(path).unwrap_or_default());
    }
    Ok((made, sets))
}

fn prune(env: &Env) -> Result<()> {
    let plan = PrunePlan::new(env, Shelf::look(env, Path::new(SETS))?, 1)?;
    plan.check_kept(env)?;
    plan.run(env, &mut |_| ())
}

struct Check<'a> {
    settings: &'a Settings,
    made: &'a [Made],
    /// Chains that were restored, by their bytes.
    whole: HashSet<u64>,
    restored: usize,
}

impl Check<'_> {
    fn state(&mut self, state: &CrashState) -> Result<()> {
        let env = SimEnv::on(&SimDisk::from_image(&state.image), 1);
        self.shelf(&env, &state.image)?;
        prune(&env).map_err(|error| wrong(format!("the next pruning: {error}")))?;
        let shelf = Shelf::look(&env, Path::new(SETS))?;
        if shelf.sets.len() == KEPT && shelf.half_pruned.is_empty() {
            return Ok(());
        }
        Err(wrong(format!("the next pruning leaves {} sets", shelf.sets.len())))
    }

    fn shelf(&mut self, env: &Env, image: &Image) -> Result<()> {
        let shelf = Shelf::look(env, Path::new(SETS))?;
        if let Some(error) = shelf.unreadable.into_iter().next() {
            return Err(error);
        }
        let shelf = Shelf { unreadable: Vec::new(), ..shelf };
        for (number, made) in self.made.iter().enumerate() {
            let Some(set) = shelf.sets.iter().find(|set| set.path == made.path) else {
                if number + KEPT < self.made.len() {
                    continue;
                }
                return Err(wrong(format!("{} is gone", made.path.display())));
            };
            let chain = shelf.chain(set)?;
            let sum = sum_of(image, chain.iter().map(|link| link.path.as_path()));
            if self.whole.contains(&sum) {
                continue;
            }
            let place = |error| wrong(format!("{} seems complete, but: {error}", set.name));
            let found = self.restore(image, &made.path).map_err(place)?;
            compare(&made.model, &found).map_err(place)?;
            self.whole.insert(sum);
        }
        Ok(())
    }

    fn restore(&mut self, image: &Image, set: &Path) -> Result<Model> {
        self.restored += 1;
        let env = SimEnv::on(&SimDisk::from_image(image), 2);
        let target = RestoreTarget::in_dir(Path::new(EngineStore::DIR));
        let (force, keep_damaged, stop) = (false, false, StopToken::new());
        let mut options = RestoreOptions { force, keep_damaged, progress: &mut |_| (), stop };
        ese_api::restore_set(&env, SetInput::Path(set), None, &target, &mut options)?;
        let mut store = EngineStore::open(&env, self.settings)?;
        let found = store.content()?;
        store.close()?;
        Ok(found)
    }
}

fn wrong(what: String) -> Error {
    Error::new(JetErr::DatabaseCorrupted, what)
}

/// A sum over all files of some sets.
fn sum_of<'a>(image: &Image, sets: impl Iterator<Item = &'a Path>) -> u64 {
    let mut sum = DefaultHasher::new();
    for set in sets {
        for (path, _) in image.files().filter(|(path, _)| path.starts_with(set)) {
            path.hash(&mut sum);
            image.read(path).hash(&mut sum);
        }
    }
    sum.finish()
}
