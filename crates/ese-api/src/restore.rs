//! From a backup set, or from what a crash has left, to clean databases.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use ese_backup::restore::{self as set, ExternalDatabases, Placed, TEMPORARY};
use ese_base::{Error, Generation, JetErr, Result, Signature, StopToken};
use ese_engine::{
    instance::{InstanceConfig, recover as engine_recover, recover_telling},
    recovery::{MappedDatabase, RecoveryFlags, RecoveryOptions, RecoveryReport, RedoEnd},
};
use ese_log::{LogName, LogNames, LogStream, NameKind, Situation};
use ese_os::{Env, File, OpenMode};
use ese_pages::{DbHeader, header::read_header};

pub use ese_backup::restore::{
    PlannedEnd, RestoreOptions, RestorePlan, RestoreProgress, RestoreSource, RestoreTarget,
    RestoreUntil, SetReport, verify_set,
};

/// A set that was restored.
#[derive(Debug)]
pub struct Restored {
    /// The databases, clean: those of the set, then those that the log has created inside the
    /// target.
    pub databases: Vec<PathBuf>,
    /// Databases that the log knows and the set does not have, where they were. They were not
    /// touched.
    pub left_out: Vec<PathBuf>,
    /// What was verified on the way.
    pub set: SetReport,
    /// What the replay did.
    pub recovery: RecoveryReport,
    /// Where it ended, if that was asked for ([`RestoreTarget::until`]).
    pub end: Option<PlannedEnd>,
    /// Why everything behind that end is lost ([`RestoreTarget::allow_loss`]).
    pub loss: Option<Error>,
}

/// Restores a backup set into a directory: verifies and copies its files, replays its logs.
/// Afterwards an instance can be started there.
///
/// # Errors
/// See [`restore_with`].
pub fn restore(set: impl AsRef<Path>, dir: impl AsRef<Path>) -> Result<Restored> {
    let mut options = RestoreOptions {
        force: false,
        keep_damaged: false,
        progress: &mut |_| (),
        stop: StopToken::new(),
    };
    let target = RestoreTarget::in_dir(dir.as_ref());
    restore_with(&Env::real(), set.as_ref(), &target, &mut options)
}

/// As [`restore`], with all options.
///
/// # Errors
/// A set that is incomplete, damaged or mixed: see [`RestorePlan::examine`]. Files in the way:
/// `JET_errFileAlreadyExists` (-1814), -610, -611. `JET_errLogFilePathInUse` (-1084) or
/// `JET_errFileAccessDenied` (-1032) while an instance runs in the directory, also when forced:
/// then nothing has been changed. `JET_errClientRequestToStopJetService` (-1329)
/// if stopped. After any error the same call can be made again.
pub fn restore_with(
    env: &Env,
    set: &Path,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Restored> {
    restore_from(env, &RestoreSource::new(set), target, options)
}

/// As [`restore_with`], from a set with incremental ones on top, or from some of its generations.
///
/// ```no_run
/// use ese_api::{Env, RestoreOptions, RestoreSource, RestoreTarget, StopToken, restore_from};
/// # fn main() -> ese_api::Result<()> {
/// let source = RestoreSource::new("/backups/sunday".as_ref())
///     .with_increment("/backups/monday".as_ref())
///     .with_increment("/backups/tuesday".as_ref());
/// // The databases on a disk of their own; the logs that the disaster has left are replayed, too.
/// let target = RestoreTarget::in_dir("/data".as_ref())
///     .with_place("a.edb".as_ref(), "/fast/a.edb".as_ref())
///     .rolling_forward();
/// let (force, keep_damaged) = (true, false);
/// let (progress, stop) = (&mut |_: &ese_api::RestoreProgress| (), StopToken::new());
/// let mut options = RestoreOptions { force, keep_damaged, progress, stop };
/// restore_from(&Env::real(), &source, &target, &mut options)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`restore_with`]; `JET_errMissingRestoreLogFiles` (-557) and
/// `JET_errGivenLogFileIsNotContiguous` (-556) where an incremental set does not go on where the
/// one before ends. With [`RestoreTarget::roll_forward`] also `JET_errMissingCurrentLogFiles`
/// (-565), `JET_errLogCorruptDuringHardRecovery` (-574) and
/// `JET_errLogTornWriteDuringHardRecovery` (-571) for the logs at the target. With
/// [`RestoreTarget::until`] those of [`RestorePlan::end`], and `JET_errInvalidParameter` (-1003)
/// together with [`RestoreTarget::roll_forward`]: logs at the target would be lost.
pub fn restore_from(
    env: &Env,
    source: &RestoreSource,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
) -> Result<Restored> {
    let mut source = source.clone();
    let mut loss = None;
    loop {
        let attempt = examine_until(env, &source, target.until).and_then(|plan| {
            restore_plan(env, &plan, target, options, InstanceConfig::new(&target.system_dir))
        });
        match attempt {
            Ok(restored) => return Ok(Restored { loss, ..restored }),
            Err(error) if target.allow_loss && leave_out(&mut source, &error) => {
                loss.get_or_insert(error);
            }
            // What was wrong first tells more than what was tried then.
            Err(error) => return Err(loss.unwrap_or(error)),
        }
    }
}

/// As [`RestorePlan::examine_source`] for a restore that does not go to the end: what is wrong
/// behind its end is of no importance.
///
/// # Errors
/// As [`RestorePlan::examine_source`] and [`RestorePlan::end`].
pub(crate) fn examine_until(
    env: &Env,
    source: &RestoreSource,
    until: Option<RestoreUntil>,
) -> Result<RestorePlan> {
    let mut source = source.clone();
    let mut wrong = None;
    let mut plan = loop {
        match RestorePlan::examine_source(env, &source) {
            Ok(plan) => break plan,
            Err(error) if until.is_some() && leave_out(&mut source, &error) => {
                wrong.get_or_insert(error);
            }
            Err(error) => return Err(wrong.unwrap_or(error)),
        }
    };
    if until.is_none() {
        return Ok(plan);
    }
    let end = plan.end(env, until);
    // Whether the end lies before what is wrong must be certain; a position says it.
    let end = match (end, wrong, until) {
        (end, None, _) => end?,
        (Ok(end), Some(_), Some(RestoreUntil::Position(_))) => end,
        (Ok(end), Some(_), _) if end.position < plan.end(env, None)?.position => end,
        (_, Some(wrong), _) => return Err(wrong),
    };
    // Of a generation before whose first record the end lies nothing is read.
    let whole = u32::from(end.position.isec == 0);
    plan.leave_out_behind(Generation(end.position.generation.0.saturating_sub(whole)));
    Ok(plan)
}

/// Takes the damaged or missing generation that an error names, and those behind it, out of a
/// source. False: it names none, or it is no matter of logs.
pub(crate) fn leave_out(source: &mut RestoreSource, error: &Error) -> bool {
    let of_logs = !matches!(
        error.code(),
        JetErr::ClientRequestToStopJetService
            | JetErr::DiskFull
            | JetErr::OutOfMemory
            | JetErr::EndingRestoreLogTooLow
    );
    let generation = error.generation().filter(|it| of_logs && it.0 > 1);
    let Some(last) = generation.map(Generation::before) else { return false };
    let shorter = source.up_to.is_none_or(|before| last < before);
    if shorter {
        source.up_to = Some(last);
    }
    shorter
}

/// Places the files of a plan and replays them with the settings of an instance.
pub(crate) fn restore_plan(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
    config: InstanceConfig,
) -> Result<Restored> {
    let end = planned_end(env, plan, target)?;
    let cut = end.filter(|end| end.leaves_out).map(|end| RedoEnd::CutAt(end.position));
    let mut recovery = RecoveryReport::default();
    let placed = set::restore(env, plan, target, options, |placed, options| {
        let how = RecoveryOptions { until: cut, ..RecoveryOptions::default() };
        recovery = replay(env, placed, target, config, how, options)?;
        // Without a log nothing is left that could be taken for the future that was left out.
        if cut.is_some() { placed.forget_logs(env) } else { Ok(()) }
    })?;
    let mut databases: Vec<_> =
        placed.databases.into_iter().map(|database| database.path).collect();
    let (created, left_out) = beside_the_set(env, plan, target);
    databases.extend(created);
    Ok(Restored { databases, left_out, set: placed.report, recovery, end, loss: None })
}

/// Databases that the headers of the logs name and the set does not have: those that the replay has
/// made inside the target, and the logged paths of the others.
fn beside_the_set(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let mut seen: Vec<Signature> =
        plan.databases.iter().map(|database| database.header.sign_db).collect();
    let (mut created, mut left_out) = (Vec::new(), Vec::new());
    for (signature, logged) in plan.logs.iter().rev().flat_map(|log| &log.attachments) {
        if seen.contains(signature) {
            continue;
        }
        seen.push(*signature);
        // The end of its path, below the directory where the instance's files go.
        let names = logged.components().rev();
        let names = names.take_while(|part| matches!(part, Component::Normal(_)));
        let names: Vec<_> = names.collect();
        let mut ends = (1..=names.len()).map(|count| {
            let end = names.iter().take(count).rev();
            end.fold(target.system_dir.clone(), |dir, name| dir.join(name))
        });
        let is_it = |place: &PathBuf| {
            let file = env.fs.open(place, OpenMode::Read).ok()?;
            Some(read_header(file.as_ref()).ok()?.header.sign_db == *signature)
        };
        match ends.find(|place| is_it(place) == Some(true)) {
            Some(place) => created.push(place),
            None => left_out.push(logged.clone()),
        }
    }
    (created, left_out)
}

/// Looked for before anything is written.
fn planned_end(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
) -> Result<Option<PlannedEnd>> {
    if target.until.is_none() && !plan.cut {
        return Ok(None);
    }
    if target.roll_forward {
        let what = "with an end before that of the log, logs at the target would be removed";
        return Err(Error::new(JetErr::InvalidParameter, what)
            .at_path(&target.log_dir)
            .advise("give them as further logs, and restore into another directory"));
    }
    plan.end(env, target.until).map(Some)
}

/// Makes databases ready where they lie, and replays them; databases that the logs know beside
/// them are left alone.
pub(crate) fn restore_external(
    env: &Env,
    external: &ExternalDatabases,
    target: &RestoreTarget,
    options: &mut RestoreOptions<'_>,
    config: InstanceConfig,
) -> Result<Restored> {
    let placed = set::place_external(env, external, target, options)?;
    // What a map does not name is missing, and what is missing is left out.
    let named = placed.databases.iter();
    let map = named.map(|database| MappedDatabase::new(&database.path, &database.path)).collect();
    let flags = RecoveryFlags::IGNORE_MISSING_DATABASES;
    let how = RecoveryOptions { map, flags, ..RecoveryOptions::default() };
    let recovery = replay(env, &placed, target, config, how, options)?;
    let databases = placed.databases.into_iter().map(|database| database.path).collect();
    let left_out = Vec::new();
    let (end, loss) = (None, None);
    Ok(Restored { databases, left_out, set: placed.report, recovery, end, loss })
}

fn replay(
    env: &Env,
    placed: &Placed,
    target: &RestoreTarget,
    mut config: InstanceConfig,
    how: RecoveryOptions<'_>,
    options: &mut RestoreOptions<'_>,
) -> Result<RecoveryReport> {
    config.recovery = true;
    config.system_dir.clone_from(&target.system_dir);
    config.log_dir.clone_from(&placed.log_dir);
    config.base_name.clone_from(&placed.log_base);
    if let Some(database) = placed.databases.first() {
        config.page_size = database.page_size;
    }
    // The set's log goes on as it is, whatever size somebody wishes for.
    let stream = LogStream::scan(env, &LogNames::new(&placed.log_dir, &placed.log_base))?;
    config.log_file_size = stream.readable_header()?.file_len();
    let databases = placed.databases.iter();
    let moved = databases.map(|database| (database.signature, database.path.clone())).collect();
    let (lock, first) = (Some(Arc::clone(&placed.lock)), Some(placed.gen_low));
    // A database that the logs know and the set does not have lies where somebody uses it.
    let (confined, hard, stop) = (true, true, options.stop.clone());
    let how = RecoveryOptions { lock, first, moved, confined, hard, stop, ..how };
    let bytes = placed.report.bytes;
    let mut progress = |percent| {
        let replayed = Some(percent);
        (options.progress)(&RestoreProgress { bytes_done: bytes, bytes_total: bytes, replayed });
    };
    recover_telling(env, config, how, &mut progress)
        .map_err(|error| of_hard_recovery(error, placed))
}

/// Damage to a log has a name of its own in a restore: of the set, and behind it
/// (backup-log-recovery 3.5).
fn of_hard_recovery(error: Error, placed: &Placed) -> Error {
    let code = match (error.code(), error.generation()) {
        (JetErr::LogFileCorrupt | JetErr::LogCorrupted, Some(generation)) => {
            if generation <= placed.gen_high {
                JetErr::LogCorruptDuringHardRestore
            } else {
                JetErr::LogCorruptDuringHardRecovery
            }
        }
        (JetErr::LogTornWriteDuringHardRecovery, Some(generation))
            if generation <= placed.gen_high =>
        {
            JetErr::LogTornWriteDuringHardRestore
        }
        (JetErr::LogTornWriteDuringHardRecovery, _) => JetErr::LogTornWriteDuringHardRecovery,
        _ => return error,
    };
    error.with_code(code).advise("restore without the damaged log and those behind it")
}

/// Recovers the databases of an instance that did not end properly, in place. A database that lies
/// in the directory is found there, wherever it was before.
///
/// # Errors
/// `JET_errMissingLogFile` (-528) if there is no log, `JET_errLogFilePathInUse` (-1084) if the
/// instance runs; what the engine finds wrong with logs and databases.
pub fn recover(dir: impl AsRef<Path>) -> Result<RecoveryReport> {
    recover_with(&Env::real(), dir.as_ref(), StopToken::new())
}

/// As [`recover`], on another machine, until somebody stops it: the next recovery then begins anew.
///
/// # Errors
/// As [`recover`]; `JET_errClientRequestToStopJetService` (-1329) when it was stopped.
pub fn recover_with(env: &Env, dir: &Path, stop: StopToken) -> Result<RecoveryReport> {
    recover_by(env, dir, RecoveryOptions { stop, ..RecoveryOptions::default() })
}

/// As [`recover`], with all options. Where redo was to be all
/// ([`RecoveryFlags::WITHOUT_UNDO`](ese_engine::recovery::RecoveryFlags::WITHOUT_UNDO),
/// [`RedoEnd::Pause`](ese_engine::recovery::RedoEnd::Pause)) its report says so.
///
/// # Errors
/// As [`recover`], those that the options name, and those of whoever watches.
pub fn recover_by(env: &Env, dir: &Path, options: RecoveryOptions<'_>) -> Result<RecoveryReport> {
    let base = find_base(env, dir)?.ok_or_else(|| {
        Error::new(JetErr::MissingLogFile, "there is no log to recover from")
            .at_path(dir)
            .advise("name the directory that holds the log files")
    })?;
    let stream = LogStream::scan(env, &LogNames::new(dir, &base))?;
    let mut config = InstanceConfig::new(dir);
    config.base_name = base;
    if stream.situation() != Situation::Empty {
        config.page_size = stream.readable_header()?.page_size;
    }
    engine_recover(env, config, options)
}

/// The base name of the log in a directory; `None` if there is no log.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) if there are logs of several instances; the file system's.
pub fn find_base(env: &Env, dir: &Path) -> Result<Option<String>> {
    let mut found: Option<String> = None;
    for entry in env.fs.list(dir)? {
        let Some(base) = base_of(&entry.name).filter(|_| !entry.is_dir) else { continue };
        match &found {
            None => found = Some(base.to_owned()),
            Some(other) if other.eq_ignore_ascii_case(base) => {}
            Some(other) => {
                return Err(Error::new(
                    JetErr::InvalidParameter,
                    format!("logs of two instances are here: \"{other}\" and \"{base}\""),
                )
                .at_path(dir)
                .advise("move one of them into a directory of its own"));
            }
        }
    }
    Ok(found)
}

/// The base name of a log that is part of a stream.
fn base_of(name: &str) -> Option<&str> {
    let part =
        |name: &LogName<'_>| matches!(name.kind, NameKind::Current | NameKind::Archive { .. });
    LogName::parse(name).filter(part).map(|name| name.base)
}

/// What a directory holds.
#[derive(Debug, Default)]
pub struct FoundDatabases {
    /// The files whose header is a database's, by name.
    pub databases: Vec<PathBuf>,
    /// Why a file is none that is called `.edb`, or that the headers of the log name: what one
    /// takes for a database must not be passed over in silence.
    pub unreadable: Vec<Error>,
    /// The same of other files that begin like one. It may be a stray copy, which need not keep
    /// anybody from a backup.
    pub alike: Vec<Error>,
}

/// The databases of a directory, and what should be one and is not.
///
/// # Errors
/// The file system's, of listing the directory; `JET_errFileAccessDenied` (-1032) for a file called
/// `.edb` that may not be read.
pub fn look_for_databases(env: &Env, dir: &Path) -> Result<FoundDatabases> {
    let named = named_by_headers(env, dir);
    let mut found = FoundDatabases::default();
    for entry in env.fs.list(dir)?.into_iter().filter(|entry| !entry.is_dir) {
        let path = dir.join(&entry.name);
        let by_ending = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("edb"));
        let meant = by_ending || named.contains(&entry.name);
        match env.fs.open(&path, OpenMode::Read) {
            Err(error) if meant => return Err(error),
            Err(_) => {}
            Ok(file) => match read_header(file.as_ref()) {
                // A restore that was cut off has copied so much of it.
                Ok(located)
                    if located.header.is_backup_copy() && entry.name.ends_with(TEMPORARY) => {}
                Ok(_) => found.databases.push(path),
                Err(error) if meant => found.unreadable.push(error),
                Err(error) if begins_like_one(file.as_ref()) => found.alike.push(error),
                Err(_) => {}
            },
        }
    }
    for path in env.fs.oddly_named(dir)? {
        let Ok(file) = env.fs.open(&path, OpenMode::Read) else { continue };
        if read_header(file.as_ref()).is_ok() {
            found.databases.push(path);
        }
    }
    Ok(found)
}

/// Behind the checksum stands what marks a database, whatever has become of the rest.
fn begins_like_one(file: &dyn File) -> bool {
    let mut magic = [0; 4];
    file.read_at(&mut magic, 4).is_ok() && u32::from_le_bytes(magic) == DbHeader::MAGIC
}

/// Is this a backup set that has lost its manifest, or never had one? Its databases are copies, and
/// of its log there are only finished generations. An instance looks so only when its newest log is
/// lost, and then its databases are no copies.
///
/// # Errors
/// As [`look_for_databases`].
pub fn looks_like_backup_set(env: &Env, dir: &Path) -> Result<bool> {
    let Some(base) = find_base(env, dir)? else { return Ok(false) };
    let names = LogNames::new(dir, &base);
    // What cannot be read is told by whoever looks at the logs.
    let Ok(stream) = LogStream::scan(env, &names) else { return Ok(false) };
    if stream.situation() != Situation::CurrentMissing {
        return Ok(false);
    }
    let databases = look_for_databases(env, dir)?.databases;
    let is_copy = |path: &PathBuf| {
        let file = env.fs.open(path, OpenMode::Read).ok()?;
        Some(read_header(file.as_ref()).ok()?.header.is_backup_copy())
    };
    Ok(!databases.is_empty() && databases.iter().all(|path| is_copy(path) == Some(true)))
}

/// As [`look_for_databases`], where everything has to be readable.
///
/// # Errors
/// As there; the first of what should be a database and is not.
pub fn databases_in(env: &Env, dir: &Path) -> Result<Vec<PathBuf>> {
    let found = look_for_databases(env, dir)?;
    match found.unreadable.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(found.databases),
    }
}

/// Names of the files that the headers of a log say to be attached databases. What cannot be read
/// names none: others report it.
fn named_by_headers(env: &Env, dir: &Path) -> BTreeSet<String> {
    let Ok(Some(base)) = find_base(env, dir) else { return BTreeSet::new() };
    let Ok(stream) = LogStream::scan(env, &LogNames::new(dir, &base)) else {
        return BTreeSet::new();
    };
    let files = stream.archives().map(|(_, file)| file).chain(stream.current());
    let attached = files.filter_map(|file| file.header().ok()).flat_map(|it| &it.attachments);
    attached.filter_map(|attachment| file_name(&attachment.path)).collect()
}

/// The name in a path as Linux or Windows writes it.
pub(crate) fn file_name(path: &str) -> Option<String> {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_names_are_read_from_logs_only() {
        for (name, base) in [
            ("edb.log", Some("edb")),
            ("EDB0001A.LOG", Some("EDB")),
            ("edb0000001a.jtx", Some("edb")),
            ("edbtmp.log", None),
            ("edb.chk", None),
            ("boot.log", None),
            ("notes.txt", None),
            ("\u{e9}.log", None),
        ] {
            assert_eq!(base_of(name), base, "{name}");
        }
    }
}
