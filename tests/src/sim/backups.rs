//! Power cuts at every call of backups, truncations, ends and restores.
//!
//! [`cut_backups`] runs a workload with all kinds of backups between its steps and looks, after
//! every cut, at the places where their sets are: a set that can be restored holds exactly what was
//! committed when its last backup began, a set that was reported done is there, and what the header
//! of the database says of backups is true. [`cut_restores`] cuts restores: what is not marked as
//! unfinished is whole, and everything else can be restored again.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use ese_api::{
    BackupDestination, BackupJob, BackupResume, CopyOptions, FolderOptions, Instance,
    RestoreOptions, RestorePlan, RestoreSource, RestoreTarget, RestoreUntil, SetInput, StopReason,
    StopToken,
};
use ese_backup::{
    restore::{ExternalDatabases, UNFINISHED_NAME, place_external},
    stream::KEPT_NAME,
};
use ese_base::{Error, JetErr, LgPos, Result};
use ese_engine::{
    instance::{InstanceConfig, recover},
    recovery::RecoveryOptions,
};
use ese_os::{Env, OpenMode};
use ese_pages::header::read_header;
use ese_sim::{
    CrashState, Image, SimDisk, SimEnv, StateOptions,
    check::{Report, Store as _},
    model::Model,
    workload::{Step, Workload},
};

use super::{EngineStore, Settings, sets::restored_elsewhere};

/// Failures after which a check ends.
const FAILURES_MAX: usize = 5;
/// One of so many states has its instance recovered, too.
const RECOVER_ONE_OF: u64 = 24;

/// A backup that was reported done.
struct Done {
    /// Where a restore finds it.
    dir: &'static str,
    /// How many backups had been tried then.
    number: u64,
    gen_high: u32,
    model: Model,
}

/// What is done between the steps of the workload.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// The built-in backup: folder, incremental, atomic.
    Folder(&'static str, bool, bool),
    /// The same, stopped in its middle.
    Stopped(&'static str, bool),
    /// A copy that leaves the logs alone.
    Copy(&'static str),
    /// A part of a copy that is stopped and gone on with; true: the last one.
    Part(&'static str, bool),
}

const ACTIONS: [Action; 13] = [
    Action::Folder("/plain", false, false),
    Action::Folder("/plain", true, false),
    Action::Stopped("/plain", true),
    Action::Folder("/plain", true, false),
    Action::Folder("/atomic", false, true),
    Action::Stopped("/atomic", false),
    Action::Folder("/atomic", true, true),
    Action::Copy("/copy"),
    Action::Part(PARTS, false),
    Action::Part(PARTS, false),
    Action::Part(PARTS, true),
    Action::Folder("/atomic", false, true),
    Action::Folder("/atomic", false, true),
];

const DIRS: [&str; 4] = ["/plain", "/atomic", "/copy", PARTS];
/// Where a copy in parts is made.
const PARTS: &str = "/parts";

impl Action {
    fn dir(self) -> &'static str {
        match self {
            Action::Folder(dir, ..)
            | Action::Stopped(dir, _)
            | Action::Copy(dir)
            | Action::Part(dir, _) => dir,
        }
    }

    /// Makes the backup; true if there is a set afterwards that was not there before.
    fn run(self, store: &EngineStore) -> Result<bool> {
        let instance = store.running()?;
        let stop = StopToken::new();
        match self {
            Action::Copy(dir) => {
                let options = CopyOptions { truncate: false };
                instance.backup_to_dir_with(dir, options, &mut |_| (), &stop)?;
                Ok(true)
            }
            Action::Part(dir, last) => match part(instance, dir, last) {
                Ok(()) => Ok(true),
                Err(error) if !last && error.code() == JetErr::BackupAbortByServer => Ok(false),
                Err(error) => Err(error),
            },
            Action::Folder(dir, incremental, atomic) => {
                let options = FolderOptions { incremental, atomic, create_dir: true };
                instance.backup_to_folder(dir, options, &mut |_| (), &stop)?;
                Ok(true)
            }
            Action::Stopped(dir, incremental) => {
                let atomic = !incremental;
                let options = FolderOptions { incremental, atomic, create_dir: true };
                let (token, mut calls) = (stop.clone(), 0);
                let mut progress = |_: &ese_api::BackupProgress| {
                    calls += 1;
                    if calls == 3 {
                        token.stop(StopReason::Requested);
                    }
                };
                match instance.backup_to_folder(dir, options, &mut progress, &stop) {
                    Err(error) if error.code() == JetErr::BackupAbortByServer => Ok(false),
                    Err(error) => Err(error),
                    Ok(()) => Err(wrong("a stopped backup was reported done")),
                }
            }
        }
    }
}

/// A part of a copy; all but the last one are stopped after some pieces more.
fn part(instance: &Instance, dir: &str, last: bool) -> Result<()> {
    let stop = StopToken::new();
    let (token, mut calls) = (stop.clone(), 0);
    let mut progress = |_: &ese_api::BackupProgress| {
        calls += 1;
        if calls == 2 && !last {
            token.stop(StopReason::Requested);
        }
    };
    let resume = BackupResume::Continue;
    let job = BackupJob { resume, ..BackupJob::new(&mut progress, &stop) };
    instance.back_up(BackupDestination::Dir(dir.as_ref()), job).map(drop)
}

fn wrong(what: impl Into<String>) -> Error {
    Error::new(JetErr::DatabaseCorrupted, what.into())
}

/// A workload with backups between its steps: what they were, the disk, and the first call of the
/// first backup.
struct Ran {
    done: Vec<Done>,
    disk: std::sync::Arc<SimDisk>,
    first_op: u64,
    last: Model,
}

fn run(settings: &Settings, workload: &Workload, seed: u64) -> Result<Ran> {
    let (env, disk) = SimEnv::new(seed);
    let mut store = EngineStore::open(&env, settings)?;
    let steps: Vec<&Step> = workload
        .steps
        .iter()
        .filter(|step| !matches!(step, Step::Restart | Step::Backup))
        .collect();
    let part = steps.len().div_ceil(ACTIONS.len() + 1);
    let (mut done, mut first_op) = (Vec::new(), 0);
    for (number, action) in (1..).zip(ACTIONS) {
        let from = (usize::try_from(number).unwrap_or(1) - 1) * part;
        for step in steps.iter().skip(from).take(part) {
            store.step(step)?;
        }
        if number == 1 {
            first_op = disk.next_op();
        }
        let model = store.committed()?;
        if action.run(&store)? {
            let gen_high = RestorePlan::examine(&env, Path::new(action.dir()))?.gen_high.0;
            done.push(Done { dir: action.dir(), number, gen_high, model });
        }
        disk.mark(number);
    }
    for step in steps.iter().skip(part * ACTIONS.len()) {
        store.step(step)?;
    }
    // Whatever was committed is durable then.
    store.step(&Step::RollLog)?;
    let last = store.committed()?;
    // The program dies; its logs are what is left.
    drop(store);
    Ok(Ran { done, disk, first_op, last })
}

/// Runs everything with the power on; a failure of that is one of the report.
fn run_whole(settings: &Settings, workload: &Workload, report: &mut Report) -> Option<Ran> {
    let ran = run(settings, workload, workload.seed);
    ran.inspect_err(|error| report.failures.push(format!("without a cut: {error}"))).ok()
}

/// Cuts the power at the calls of backups.
#[must_use]
pub fn cut_backups(settings: &Settings, workload: &Workload, states: usize) -> Report {
    let mut report = Report::default();
    let Some(ran) = run_whole(settings, workload, &mut report) else { return report };
    let mut check = Sets { settings, done: &ran.done, whole: HashMap::new(), recoveries: 0 };
    let options =
        StateOptions { seed: workload.seed, budget: states, garbage: true, from_op: ran.first_op };
    for state in ran.disk.recording().states(options) {
        report.states += 1;
        report.distinct.insert(state.hash ^ state.mark.rotate_left(17));
        if let Err(error) = check.state(&state) {
            report.failures.push(format!("{}: {error}", state.description));
            if report.failures.len() >= FAILURES_MAX {
                break;
            }
        }
    }
    report.recoveries = check.recoveries;
    report
}

struct Sets<'a> {
    settings: &'a Settings,
    done: &'a [Done],
    /// Sets that were restored, by their bytes: up to which generation.
    whole: HashMap<u64, u32>,
    recoveries: usize,
}

impl Sets<'_> {
    fn state(&mut self, state: &CrashState) -> Result<()> {
        let disk = SimDisk::from_image(&state.image);
        let env = SimEnv::on(&disk, state.hash);
        let mut reach = HashMap::new();
        for dir in DIRS {
            reach.insert(dir, self.set(&env, &state.image, dir, state.mark)?);
        }
        self.marks(&env, &reach)?;
        if state.hash.is_multiple_of(RECOVER_ONE_OF) {
            self.recoveries += 1;
            let mut store = EngineStore::open(&env, self.settings)?;
            store.content()?;
            if env.fs.exists(&Path::new(PARTS).join(KEPT_NAME))? {
                self.go_on(&env, &store)?;
            }
        }
        Ok(())
    }

    /// A copy in parts goes on after the cut, or says why it cannot.
    fn go_on(&self, env: &Env, store: &EngineStore) -> Result<()> {
        let expected = store.committed()?;
        match part(store.running()?, PARTS, true) {
            Ok(()) => {
                let found = restored_elsewhere(env, Path::new(PARTS), self.settings)?;
                compare(&expected, &found)
            }
            // The set was complete; or logs were truncated since.
            Err(error) => match error.code() {
                JetErr::BackupDirectoryNotEmpty | JetErr::MissingFileToBackup => Ok(()),
                _ => Err(wrong(format!("the stopped backup does not go on: {error}"))),
            },
        }
    }

    /// The set in a place: the last generation of what can be restored of it.
    fn set(&mut self, env: &Env, image: &Image, dir: &str, mark: u64) -> Result<Option<u32>> {
        let done = self.done.iter().filter(|done| done.dir == dir && done.number <= mark);
        let promised = done.map(|done| done.gen_high).max();
        let missing = |error: Error| match promised {
            None => Ok(None),
            Some(high) => Err(wrong(format!("{dir}: done up to {high:#x}, and now: {error}"))),
        };
        if !env.fs.exists(Path::new(dir))? {
            return missing(wrong("it is not there"));
        }
        let plan = match RestorePlan::examine(env, Path::new(dir)) {
            Ok(plan) => plan,
            Err(error) => return missing(error),
        };
        let high = plan.gen_high.0;
        if promised.is_some_and(|promised| promised > high) {
            return missing(wrong(format!("it ends with {high:#x}")));
        }
        let Some(expected) = self.done.iter().find(|done| done.gen_high == high) else {
            return Err(wrong(format!("{dir}: no backup ended with generation {high:#x}")));
        };
        let sum = sum_of(image, &plan);
        if self.whole.get(&sum) != Some(&high) {
            self.recoveries += 1;
            let found = restored_elsewhere(env, &plan.dir, self.settings)
                .map_err(|error| wrong(format!("{dir} seems complete, but: {error}")))?;
            compare(&expected.model, &found)?;
            self.whole.insert(sum, high);
        }
        Ok(Some(high))
    }

    /// What the header remembers of backups can be restored.
    fn marks(&self, env: &Env, reach: &HashMap<&str, Option<u32>>) -> Result<()> {
        let Ok(file) = env.fs.open(&EngineStore::path(0), OpenMode::Read) else { return Ok(()) };
        let Ok(located) = read_header(file.as_ref()) else { return Ok(()) };
        let header = located.header;
        for info in [header.bkinfo_full_prev, header.bkinfo_inc_prev, header.bkinfo_copy_prev] {
            let high = info.gen_high.get();
            if high == 0 {
                continue;
            }
            let Some(done) = self.done.iter().find(|done| done.gen_high == high) else {
                return Err(wrong(format!("the header remembers a backup up to {high:#x}")));
            };
            let there = reach.get(done.dir).copied().flatten();
            if there.is_none_or(|there| there < high) {
                let what = format!("the header remembers {high:#x}, {} has {there:?}", done.dir);
                return Err(wrong(what));
            }
        }
        Ok(())
    }
}

/// A sum over all files that a plan means.
fn sum_of(image: &Image, plan: &RestorePlan) -> u64 {
    let databases = plan.databases.iter().map(|database| database.path.as_path());
    let files = databases.chain(plan.logs.iter().map(|log| log.path.as_path()));
    let manifest = plan.dir.join("ese-backup.json");
    let mut sum = DefaultHasher::new();
    for path in files.chain([manifest.as_path()]) {
        path.hash(&mut sum);
        image.read(path).hash(&mut sum);
    }
    sum.finish()
}

pub(super) fn compare(expected: &Model, found: &Model) -> Result<()> {
    let (differences, _) = found.differences(expected, 4);
    if differences.is_empty() {
        return Ok(());
    }
    Err(wrong(format!("what was restored differs: {}", differences.join("; "))))
}

/// A way to restore.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// A set into an empty directory.
    Fresh,
    /// Over what the lost instance left: its logs are replayed, too.
    Forward,
    /// Databases that somebody has copied, in place, beside their logs.
    External,
    /// A set in an archive.
    Archive,
    /// A set and logs that go on, up to somewhere in these.
    Moment,
}

impl Way {
    const ALL: [Way; 5] = [Way::Fresh, Way::Forward, Way::External, Way::Archive, Way::Moment];
}

/// Cuts the power at the calls of restores.
#[must_use]
pub fn cut_restores(settings: &Settings, workload: &Workload, states: usize) -> Report {
    let mut report = Report::default();
    let Some(ran) = run_whole(settings, workload, &mut report) else { return report };
    let image = ran.disk.image();
    for way in Way::ALL {
        if let Err(error) = cut_restore(settings, &ran, &image, way, states / 4, &mut report) {
            report.failures.push(format!("{way:?} without a cut: {error}"));
        }
    }
    report
}

fn cut_restore(
    settings: &Settings,
    ran: &Ran,
    image: &Image,
    way: Way,
    states: usize,
    report: &mut Report,
) -> Result<()> {
    let set = "/atomic/new";
    let of_set = ran.done.iter().rfind(|done| done.dir == "/atomic");
    let of_set = of_set.ok_or_else(|| wrong("no set in /atomic"))?;
    let mut expected = match way {
        Way::Forward | Way::Archive => ran.last.clone(),
        _ => of_set.model.clone(),
    };
    let mut start = Image::empty();
    let store = Path::new(EngineStore::DIR);
    start.insert(&store.join("here"), b"");
    for (path, _) in image.files() {
        let bytes = image.read(path).unwrap_or_default();
        let name = path.file_name().unwrap_or_default();
        let is_log = path.extension().is_some_and(|ending| ending == "log");
        let is_database = path.extension().is_some_and(|ending| ending == "edb");
        let of_set = path.starts_with(set);
        match way {
            Way::Fresh if of_set => start.insert(path, &bytes),
            Way::Forward if of_set || (path.starts_with(store) && is_log) => {
                start.insert(path, &bytes);
            }
            Way::External if of_set && (is_log || is_database) => {
                start.insert(&store.join(name), &bytes);
            }
            Way::Moment if of_set => start.insert(path, &bytes),
            Way::Moment if path.starts_with(store) && is_log && name.len() > "edb.log".len() => {
                start.insert(&Path::new(LOGS).join(name), &bytes);
            }
            _ => {}
        }
    }
    if matches!(way, Way::Archive) {
        start.insert(Path::new(ARCHIVE), &archive_of(settings, image)?);
    }
    let disk = SimDisk::from_image(&start);
    let env = SimEnv::on(&disk, 1);
    restore(&env, Path::new(set), way)?;
    disk.mark(1);
    if matches!(way, Way::Moment) {
        // Nobody but a restore without cuts knows what there was at that position.
        let disk = SimDisk::from_image(&disk.image());
        let mut store = EngineStore::open(&SimEnv::on(&disk, 1), settings)?;
        expected = store.content()?;
        store.close()?;
    }
    let options = StateOptions { seed: 1, budget: states, garbage: true, from_op: 0 };
    let mut seen = HashSet::new();
    for state in disk.recording().states(options) {
        report.states += 1;
        report.distinct.insert(state.hash ^ 0x0072_6573_746f_7265 ^ state.mark.rotate_left(17));
        if !seen.insert((state.hash, state.mark)) {
            continue;
        }
        report.recoveries += 1;
        if let Err(error) = after_cut(settings, &state, Path::new(set), way, &expected) {
            report.failures.push(format!("{way:?}, {}: {error}", state.description));
            if report.failures.len() >= FAILURES_MAX {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Where an archive, and where further logs lie.
const ARCHIVE: &str = "/sets/a.esebak";
const LOGS: &str = "/logs";

/// An archive of what the instance of an image has.
fn archive_of(settings: &Settings, image: &Image) -> Result<Vec<u8>> {
    let disk = SimDisk::from_image(image);
    let env = SimEnv::on(&disk, 1);
    let store = EngineStore::open(&env, settings)?;
    env.fs.create_dir_all(Path::new("/sets"))?;
    let (mut progress, stop) = (|_: &ese_api::BackupProgress| (), StopToken::new());
    let job = BackupJob::new(&mut progress, &stop);
    store.running()?.back_up(BackupDestination::Archive(ARCHIVE.as_ref()), job)?;
    disk.image().read(Path::new(ARCHIVE)).ok_or_else(|| wrong("the archive is not there"))
}

fn restore(env: &Env, set: &Path, way: Way) -> Result<()> {
    let dir = Path::new(EngineStore::DIR);
    let (keep_damaged, stop) = (false, StopToken::new());
    let force = matches!(way, Way::Forward);
    let mut options = RestoreOptions { force, keep_damaged, progress: &mut |_| (), stop };
    let target = RestoreTarget::in_dir(dir);
    match way {
        Way::Fresh => ese_api::restore_with(env, set, &target, &mut options).map(drop),
        Way::Forward => {
            let source = RestoreSource::new(set);
            let target = target.rolling_forward();
            ese_api::restore_from(env, &source, &target, &mut options).map(drop)
        }
        Way::Archive => {
            let input = SetInput::Path(ARCHIVE.as_ref());
            ese_api::restore_set(env, input, None, &target, &mut options).map(drop)
        }
        Way::Moment => {
            let source = RestoreSource::new(set).with_increment(LOGS.as_ref());
            let behind = RestorePlan::examine(env, set)?.gen_high.0 + 1;
            let until = RestoreUntil::Position(LgPos::new(behind, 2, 0));
            ese_api::restore_from(env, &source, &target.until(until), &mut options).map(drop)
        }
        Way::External => {
            let copies = [dir.join("a.edb")];
            let external = ExternalDatabases::examine(env, &copies, &RestoreSource::new(dir))?;
            let placed = place_external(env, &external, &target, &mut options)?;
            let mut config = InstanceConfig::new(dir);
            let databases = placed.databases.iter();
            if let Some(database) = external.plan.databases.first() {
                config.page_size = database.page_size;
            }
            let moved: Vec<(_, PathBuf)> =
                databases.map(|database| (database.signature, database.path.clone())).collect();
            let (lock, first) = (Some(placed.lock), Some(placed.gen_low));
            let options = RecoveryOptions { lock, first, ..RecoveryOptions::restoring(moved) };
            recover(env, config, options).map(drop)
        }
    }
}

fn after_cut(
    settings: &Settings,
    state: &CrashState,
    set: &Path,
    way: Way,
    expected: &Model,
) -> Result<()> {
    let disk = SimDisk::from_image(&state.image);
    let env = SimEnv::on(&disk, 2);
    let dir = Path::new(EngineStore::DIR);
    let database = dir.join("a.edb");
    let marked = env.fs.exists(&dir.join(UNFINISHED_NAME))?;
    let there = env.fs.exists(&database)?;
    let copy = there && {
        let file = env.fs.open(&database, OpenMode::Read)?;
        read_header(file.as_ref()).map_or(true, |located| located.header.is_backup_copy())
    };
    let unfinished = marked || !there || copy;
    if unfinished && state.mark == 1 {
        return Err(wrong("the restore was reported done, and is not"));
    }
    if unfinished {
        if copy && !marked {
            refuses(settings, &state.image)?;
        }
        restore(&env, set, way).map_err(|error| wrong(format!("not restored again: {error}")))?;
    }
    let mut store = EngineStore::open(&env, settings)?;
    let found = store.content()?;
    store.close()?;
    compare(expected, &found)
}

/// An instance that is started over a copy does not take it for a database.
fn refuses(settings: &Settings, image: &Image) -> Result<()> {
    let disk = SimDisk::from_image(image);
    match EngineStore::open(&SimEnv::on(&disk, 3), settings) {
        Err(_) => Ok(()),
        Ok(_) => Err(wrong("an instance took a copy that was not restored for a database")),
    }
}
