//! Can a backup be restored? The answer comes from doing it, in a place that is removed again.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use ese_backup::{
    restore::{
        RestoreOptions, RestorePlan, RestoreProgress, RestoreSource, RestoreTarget, SetReport,
    },
    sets::BackupSet,
    stream::{Manifest, Staging},
};
use ese_base::{Error, Generation, JetErr, LgPos, LogTime, Result, StopToken};
use ese_engine::recovery::RecoveryReport;
use ese_log::layout::{SEGMENT_LEN, SegmentHead};
use ese_os::{Env, FileStream, OpenMode, parent_of, remove_tree};

use super::{
    Chain, Gap, SetInput, Unpacked, chain_before, chain_of, source, unpack_one, unpack_pipe,
};
use crate::{
    restore::{leave_out, restore_from},
    verify::{Severity, VerifyOptions, VerifyProgress, verify_database},
};

/// The three answers.
#[derive(Debug)]
pub enum Restorable {
    /// All of it.
    Yes,
    /// Up to somewhere before its end: the first thing that is wrong behind that.
    WithLoss(Error),
    /// Nothing of it, and why.
    No(Error),
}

/// What the check of a backup found.
#[derive(Debug)]
pub struct BackupCheck {
    /// The sets of the chain, the full one first; none of a pipe.
    pub chain: Vec<PathBuf>,
    /// The answer.
    pub answer: Restorable,
    /// How far it can be restored.
    pub reached: Option<LgPos>,
    /// When what lies there was logged, as exactly as the log tells: the time at which the log
    /// segment of that position was begun.
    pub reached_time: Option<LogTime>,
    /// The last generation that should be there; later ones than those of `reached` are the loss.
    pub last: Option<Generation>,
    /// What was read and verified.
    pub set: Option<SetReport>,
    /// What the replay did.
    pub recovery: Option<RecoveryReport>,
    /// What is wrong with the databases that come out, though every page of the set is as it was
    /// read: what was backed up had it, and a restore gives it back.
    pub problems: Vec<(Severity, Error)>,
}

/// Restores a set, with all that it builds on and with the logs of a further directory, into a
/// directory inside `scratch`, and verifies what comes out, tree by tree. The directory is removed
/// at the end; it needs room for the databases and logs, and for archives as much again. Memory is
/// that of a restore.
///
/// Where something is wrong behind the end of the full set, the check is repeated with what comes
/// before it.
///
/// # Errors
/// `JET_errClientRequestToStopJetService` (-1329) if stopped; the file system's for `scratch`
/// (`JET_errDiskFull`, -1808), and for `set` and `logs` where they are not there
/// (`JET_errFileNotFound`, -1811) or one of their files must not be read
/// (`JET_errFileAccessDenied`, -1032). Everything else is a finding.
pub fn check_backup(
    env: &Env,
    set: SetInput<'_>,
    logs: Option<&Path>,
    scratch: &Path,
    options: &mut VerifyOptions<'_>,
) -> Result<BackupCheck> {
    // What is not there, or not to be read, says nothing about a backup.
    if let SetInput::Path(set) = &set
        && env.fs.list(set).is_err()
    {
        env.fs.open(set, OpenMode::Read)?;
    }
    if let Some(logs) = logs {
        env.fs.list(logs)?;
    }
    let place = scratch.join(format!("ese-verify-backup-{:08x}", env.rng.next_u32()));
    env.fs.create_dir_all(&place)?;
    let mut check = Check { env, place: &place, options, found: empty() };
    let done = check.run(set, logs);
    let found = check.found;
    let removed = remove_tree(&*env.fs, &place);
    done?;
    removed?;
    Ok(found)
}

fn empty() -> BackupCheck {
    BackupCheck {
        chain: Vec::new(),
        answer: Restorable::Yes,
        reached: None,
        reached_time: None,
        last: None,
        set: None,
        recovery: None,
        problems: Vec::new(),
    }
}

struct Check<'a, 'b> {
    env: &'a Env,
    place: &'a Path,
    options: &'a mut VerifyOptions<'b>,
    found: BackupCheck,
}

impl Check<'_, '_> {
    fn run(&mut self, set: SetInput<'_>, logs: Option<&Path>) -> Result<()> {
        let (chain, pipe) = match set {
            SetInput::Path(set) => match self.chain(set) {
                Ok(chain) => (chain, None),
                Err(error) => return self.no(error),
            },
            SetInput::Stream(pipe) => (Chain::default(), Some(pipe)),
        };
        let logs = logs.filter(|_| !matches!(chain.gap, Some(Gap::Lost(_))));
        if let Some(Gap::Lost(gone) | Gap::Filled(gone)) = &chain.gap {
            self.found.answer = Restorable::WithLoss(gone.clone());
        }
        self.found.chain = chain.paths();
        let mut staging = Staging::begin(self.env, &self.place.join("archives"))?;
        let (dirs, problem) = self.unpack(&mut staging, &chain, pipe)?;
        let done = match problem {
            Some(error) if dirs.is_empty() => self.no(error),
            Some(error) => {
                self.found.answer = Restorable::WithLoss(error);
                self.attempts(source(dirs, None))
            }
            None => self.attempts(source(dirs, logs)),
        };
        staging.end()?;
        done?;
        self.judge_gap(chain.gap);
        Ok(())
    }

    /// The chain of a set, or what of it is there.
    fn chain(&mut self, set: &Path) -> Result<Chain> {
        let chain = chain_of(self.env, set).or_else(|gone| chain_before(self.env, set, gone))?;
        if matches!(chain.gap, Some(Gap::Lost(_))) {
            let last = BackupSet::read(self.env, set)?;
            self.found.last = Some(Generation(last.manifest.gen_high));
        }
        Ok(chain)
    }

    /// A set that is gone is no loss where another one has led to the end.
    fn judge_gap(&mut self, gap: Option<Gap>) {
        let reached = self.found.recovery.as_ref().map(|recovery| recovery.to.generation);
        if let (Some(Gap::Filled(gone)), Some(report)) = (gap, &mut self.found.set)
            && reached >= self.found.last
        {
            report.damaged.push(gone);
            self.found.answer = Restorable::Yes;
        }
    }

    /// The directories of the chain, or of the pipe, up to the first archive that cannot be
    /// unpacked.
    fn unpack(
        &mut self,
        staging: &mut Staging,
        chain: &Chain,
        pipe: Option<&mut dyn Read>,
    ) -> Result<(Vec<PathBuf>, Option<Error>)> {
        let env = self.env;
        let mut unpacked = Unpacked { dirs: Vec::new(), bytes: 0 };
        let mut progress = |done: &RestoreProgress| (self.options.progress)(&of_restore(done));
        let stop = self.options.stop.clone();
        let (force, keep_damaged) = (false, false);
        let mut options = RestoreOptions { force, keep_damaged, progress: &mut progress, stop };
        if let Some(pipe) = pipe
            && let Err(error) = unpack_pipe(env, staging, pipe, &mut unpacked, &mut options)
        {
            return fatal(env, error).map(|error| (Vec::new(), Some(error)));
        }
        for link in &chain.links {
            if !link.is_archive {
                unpacked.dirs.push(link.path.clone());
                continue;
            }
            let done = FileStream::open(env, &link.path).and_then(|mut file| {
                unpack_one(staging, &mut file, &link.path, &mut unpacked, &mut options)
            });
            if let Err(error) = done {
                return fatal(env, error).map(|error| (unpacked.dirs, Some(error)));
            }
        }
        Ok((unpacked.dirs, None))
    }

    /// Restores as much as can be.
    fn attempts(&mut self, mut source: RestoreSource) -> Result<()> {
        self.found.last = last_generation(self.env, &source).max(self.found.last);
        let mut set = RestoreSource { increments: Vec::new(), ..source.clone() };
        let mut first = None;
        // With all links, one of which may have what another has lost.
        let whole = RestorePlan::examine_source(self.env, &source).ok();
        let needed = loop {
            if let Some(plan) = whole {
                break plan.databases;
            }
            let error = match RestorePlan::examine_source(self.env, &set) {
                Ok(plan) => break plan.databases,
                Err(error) => fatal(self.env, error)?,
            };
            if !leave_out(&mut set, &error) {
                return self.no(first.unwrap_or(error));
            }
            first.get_or_insert(error);
        };
        let needed = needed.iter().map(|it| it.trailer.bkinfo.gen_high.get()).max().unwrap_or(0);
        loop {
            let error = match self.attempt(&source) {
                Ok(()) => return Ok(()),
                Err(error) => fatal(self.env, error)?,
            };
            let bad = error.generation().map_or(0, |generation| generation.0);
            let left_out = bad > needed && leave_out(&mut source, &error);
            if !left_out && (bad > 0 || source.increments.pop().is_none()) {
                return self.no(error);
            }
            if matches!(self.found.answer, Restorable::Yes) {
                self.found.answer = Restorable::WithLoss(error);
            }
        }
    }

    fn attempt(&mut self, source: &RestoreSource) -> Result<()> {
        let dir = self.place.join("restored");
        if self.env.fs.exists(&dir)? {
            remove_tree(&*self.env.fs, &dir)?;
        }
        let options = &mut *self.options;
        let stop = options.stop.clone();
        let restored = {
            let mut progress = |done: &RestoreProgress| (options.progress)(&of_restore(done));
            let (force, keep_damaged) = (false, false);
            let mut restoring =
                RestoreOptions { force, keep_damaged, progress: &mut progress, stop: stop.clone() };
            restore_from(self.env, source, &RestoreTarget::in_dir(&dir), &mut restoring)?
        };
        let mut problems = Vec::new();
        for database in &restored.databases {
            problems.extend(self.problems_of(database, stop.clone())?);
        }
        self.found.problems = problems;
        self.found.reached = Some(restored.recovery.to);
        self.found.reached_time = time_of(self.env, source, restored.recovery.to);
        self.found.set = Some(restored.set);
        self.found.recovery = Some(restored.recovery);
        Ok(())
    }

    /// # Errors
    /// What leaves nothing in a database that can be used; the check's own.
    fn problems_of(&self, database: &Path, stop: StopToken) -> Result<Vec<(Severity, Error)>> {
        let mut quiet = |_: &VerifyProgress| ();
        let mut verifying = VerifyOptions::new(&mut quiet, stop);
        let report = verify_database(self.env, database, &mut verifying)?;
        // Where it was restored for this is gone afterwards.
        let name = database.file_name().unwrap_or_default();
        let mut problems = Vec::new();
        for (severity, problem) in report.findings() {
            let problem = problem.clone().with_path(name);
            if severity == Severity::Fatal {
                return Err(problem);
            }
            problems.push((severity, problem));
        }
        Ok(problems)
    }

    fn no(&mut self, error: Error) -> Result<()> {
        self.found.answer = Restorable::No(fatal(self.env, error)?);
        Ok(())
    }
}

/// Not a finding: the check itself cannot go on.
fn fatal(env: &Env, error: Error) -> Result<Error> {
    match error.code() {
        JetErr::ClientRequestToStopJetService | JetErr::DiskFull | JetErr::OutOfMemory => {
            Err(error)
        }
        JetErr::FileAccessDenied if error.path().is_some_and(|path| is_closed(env, path)) => {
            Err(error)
        }
        _ => Ok(error),
    }
}

/// Is this a file that must not be read? A link or a pipe in the place of one is something else.
fn is_closed(env: &Env, path: &Path) -> bool {
    let Ok(entries) = env.fs.list(parent_of(path)) else { return true };
    let name = path.file_name().unwrap_or_default();
    entries.iter().any(|entry| entry.is_plain && name == entry.name.as_str())
}

fn of_restore(done: &RestoreProgress) -> VerifyProgress {
    let RestoreProgress { bytes_done, bytes_total, replayed } = *done;
    VerifyProgress { bytes_done, bytes_total, replayed }
}

/// By the names of the logs, also if they cannot be read, and by the manifests, also if they are
/// not there.
fn last_generation(env: &Env, source: &RestoreSource) -> Option<Generation> {
    let dirs = std::iter::once(&source.dir).chain(&source.increments);
    let entries = dirs.filter_map(|dir| env.fs.list(dir).ok()).flatten();
    let generations = entries.filter_map(|entry| {
        ese_log::LogName::archive(&entry.name).map(|(_, generation)| generation)
    });
    let dirs = std::iter::once(&source.dir).chain(&source.increments);
    let manifests = dirs.filter_map(|dir| Manifest::read(env, dir).ok().flatten());
    generations.chain(manifests.map(|manifest| Generation(manifest.gen_high))).max()
}

/// When the segment of a position was begun; that of the one before if it was not.
fn time_of(env: &Env, source: &RestoreSource, at: LgPos) -> Option<LogTime> {
    let dirs = std::iter::once(&source.dir).chain(&source.increments);
    for dir in dirs {
        for entry in env.fs.list(dir).ok()? {
            let named = ese_log::LogName::archive(&entry.name);
            if named.is_none_or(|(_, generation)| generation != at.generation) {
                continue;
            }
            let file = env.fs.open(&dir.join(&entry.name), OpenMode::Read).ok()?;
            let mut segment = [0; SEGMENT_LEN];
            for isec in (1..=u64::from(at.isec)).rev() {
                file.read_at(&mut segment, isec * SEGMENT_LEN as u64).ok()?;
                if let Some(head) = SegmentHead::of(&segment, at.generation) {
                    return Some(head.begun);
                }
            }
        }
    }
    None
}
