//! Offline compaction of a database into a new file.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, Result, StopToken};
use ese_engine::{
    compact::{CompactProgress, CompactReport, check_copy, compact as copy_tables},
    instance::{Instance, InstanceConfig, TermMode},
    reader::OfflineDatabase,
};
use ese_os::{Env, LockMode, OpenMode, parent_of};

/// What the name of a file ends with that is not finished.
const UNFINISHED: &str = ".compacting";

/// What a compaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Tables copied; those of the system are made anew.
    pub tables: u64,
    /// Trees of these tables.
    pub trees: u64,
    /// Entries of these trees.
    pub entries: u64,
    /// Pages of the source.
    pub pages_before: u32,
    /// Pages of the new file.
    pub pages: u32,
}

/// Rebuilds every table of a clean database in a new file, dense and in the order of keys. Nothing
/// is written to the source. The new file is checked against it, and appears under its name when
/// all is well; otherwise nothing of it stays.
///
/// # Errors
/// `JET_errDatabaseDuplicate` (-1201) if the target exists, `JET_errDatabaseDirtyShutdown` (-550),
/// `JET_errFileAccessDenied` (-1032) while somebody has the source attached,
/// `JET_errInvalidDatabaseVersion` (-1209) for a format newer than the one that is written; what
/// the source's pages say; `JET_errLVCorrupted` (-1526), `JET_errDecompressionFailed` (-1620) and
/// `JET_errDatabaseCorrupted` (-1206) for a value that cannot be read,
/// `JET_errCatalogCorrupted` (-1220) for a catalog that its shadow contradicts: a copy would take
/// the place of the original without being better; what the token says when it is stopped; those
/// of writing.
pub fn compact(
    env: &Env,
    source: &Path,
    target: &Path,
    progress: &mut dyn FnMut(CompactProgress),
    stop: &StopToken,
) -> Result<Compacted> {
    refuse_existing(env, target)?;
    let database = OfflineDatabase::open(env, source)?;
    let unfinished = unfinished_name(target);
    remove_unfinished(env, &unfinished)?;
    let mut watched = |so_far: CompactProgress| {
        progress(so_far);
        stop.check()
    };
    let done = build(env, &database, &unfinished, &mut watched, stop).and_then(|report| {
        let copy = OfflineDatabase::open(env, &unfinished)?;
        check_copy(&report, &copy)?;
        stop.check()?;
        refuse_existing(env, target)?;
        let pages = copy.cache().file().page_count();
        drop(copy);
        env.fs.rename(&unfinished, target)?;
        env.fs.sync_dir(parent_of(target))?;
        Ok(Compacted {
            tables: report.tables,
            trees: report.trees,
            entries: report.entries,
            pages_before: database.cache().file().page_count(),
            pages,
        })
    });
    done.inspect_err(|_| {
        // What matters is the first error; the name says what the rest is.
        drop(env.fs.remove_file(&unfinished));
    })
}

fn refuse_existing(env: &Env, target: &Path) -> Result<()> {
    if env.fs.exists(target)? {
        return Err(Error::new(JetErr::DatabaseDuplicate, "the file exists already")
            .at_path(target)
            .advise("choose another name, or move it away"));
    }
    Ok(())
}

fn unfinished_name(target: &Path) -> PathBuf {
    let mut name = target.file_name().map_or_else(OsString::new, OsString::from);
    name.push(UNFINISHED);
    target.with_file_name(name)
}

/// What a compaction left that was cut off; not one that is at work.
fn remove_unfinished(env: &Env, path: &Path) -> Result<()> {
    if !env.fs.exists(path)? {
        return Ok(());
    }
    let file = env.fs.open(path, OpenMode::ReadWrite)?;
    file.lock(LockMode::Exclusive)?;
    env.fs.remove_file(path)
}

/// An instance without a log, for one database that nobody knows of.
fn build(
    env: &Env,
    source: &OfflineDatabase,
    target: &Path,
    progress: &mut dyn FnMut(CompactProgress) -> Result<()>,
    stop: &StopToken,
) -> Result<CompactReport> {
    let mut config = InstanceConfig::new(parent_of(target));
    config.page_size = source.page_size();
    (config.recovery, config.double_write) = (false, false);
    let instance = Instance::start(env, config)?;
    let built = fill(source, &instance, target, progress, stop);
    match built {
        Ok(report) => instance.terminate(TermMode::Clean).map(|()| report),
        Err(error) => {
            instance.abandon();
            Err(error)
        }
    }
}

fn fill(
    source: &OfflineDatabase,
    instance: &Arc<Instance>,
    target: &Path,
    progress: &mut dyn FnMut(CompactProgress) -> Result<()>,
    stop: &StopToken,
) -> Result<CompactReport> {
    let attached = instance.create_database(target)?;
    let report = copy_tables(source, instance, &attached, progress, stop)?;
    instance.shrink_database(&attached, 0)?;
    instance.detach(&attached)?;
    Ok(report)
}
