//! Defragmentation, compaction, and the size of database files (api-semantics 14 and 18).

use std::{path::Path, sync::Arc, time::Duration};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    catalog,
    compact::CompactProgress,
    instance::{AttachMode, ShrinkMode},
};

use super::{
    JET_GRBIT, JET_PFNSTATUS, JET_bitCompactRepair, JET_bitCompactStats,
    JET_bitDefragmentAvailSpaceTreesOnly, JET_bitDefragmentBTree, JET_bitDefragmentBTreeBatch,
    JET_bitDefragmentBatchStart, JET_bitDefragmentBatchStop, JET_bitDefragmentNoPartialMerges,
    JET_bitIdleCompact, JET_bitIdleStatus, JET_bitResizeDatabaseOnlyGrow,
    JET_bitResizeDatabaseOnlyShrink,
    database::{open_database_of, own_path},
    gate::Purpose,
    handles::{JET_DBID, JET_SESID},
    invalid_grbit,
    params::{JET_paramDbExtensionSize, JET_paramEnableOnlineDefrag},
    progress::{JET_snpCompact, Teller},
    session::{Ses, find_session},
    unavailable,
};
use crate::{defrag::BackgroundOptions, shared::OpenDatabase};

/// Told at the end of a defragmentation, on a thread of the engine, with the session and database
/// it was started for.
pub type JET_PFNDEFRAG = Box<dyn FnOnce(JET_SESID, JET_DBID) + Send>;

/// As [`JetDefragment2`] without a callback.
///
/// # Errors
/// As [`JetDefragment2`].
pub fn JetDefragment(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: Option<&str>,
    pcPasses: Option<&mut u32>,
    pcSeconds: Option<&mut u32>,
    grbit: JET_GRBIT,
) -> Result<JetErr> {
    JetDefragment2(sesid, dbid, szTableName, pcPasses, pcSeconds, None, grbit)
}

/// Starts or stops the defragmentation of a database in the background. At the start `pcPasses` and
/// `pcSeconds` say how far it may go, 0 or `None`: until it is stopped. At the stop they get what
/// it did. The name of a table counts only with [`JET_bitDefragmentBTree`]. While
/// `JET_paramEnableOnlineDefrag` is 0 nothing happens.
///
/// `JET_wrnDefragAlreadyRunning` (2000), `JET_wrnDefragNotRunning` (2001).
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errInvalidGrbit` (-900),
/// `JET_errInvalidParameter` (-1003) and `JET_errInvalidName` (-1002) for what does not go with the
/// flags, `JET_errObjectNotFound` (-1305), `JET_errDatabaseFileReadOnly` (-1008) for a database
/// that is attached for reading only, unless `JET_paramEnableOnlineDefrag` is 0.
pub fn JetDefragment2(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: Option<&str>,
    pcPasses: Option<&mut u32>,
    pcSeconds: Option<&mut u32>,
    callback: Option<JET_PFNDEFRAG>,
    grbit: JET_GRBIT,
) -> Result<JetErr> {
    let session = find_session(sesid)?;
    session.call(Purpose::Work, |state, own| {
        let database = open_database_of(own, dbid)?;
        if grbit & JET_bitDefragmentBTreeBatch != 0 {
            let limits = pcPasses.is_some() || pcSeconds.is_some();
            return check_batch(limits, callback.is_some(), szTableName, grbit);
        }
        if grbit & JET_bitDefragmentBTree != 0 {
            tell(pcPasses, 0);
            tell(pcSeconds, 0);
            let name = check_one_table(szTableName, callback.is_some(), grbit)?;
            database.attached.db.file.check_writable()?;
            let table = catalog::open_table(&state.engine, &database.attached, name)?;
            let options =
                BackgroundOptions { table: Some(table), passes: Some(1), ..Default::default() };
            // Passes over everything that are under way come by the table as well.
            return start(&session, &database, options, Box::new(|| ())).map(|_| JetErr::Success);
        }
        if session.inst.params.lock().int(JET_paramEnableOnlineDefrag) == 0 {
            return Ok(JetErr::Success);
        }
        database.attached.db.file.check_writable()?;
        // Space trees are always dense.
        let variants = JET_bitDefragmentAvailSpaceTreesOnly | JET_bitDefragmentNoPartialMerges;
        match grbit & !variants {
            JET_bitDefragmentBatchStart => {
                let limit = |value: Option<&mut u32>| value.map(|v| *v).filter(|v| *v > 0);
                let time = limit(pcSeconds).map(|seconds| Duration::from_secs(seconds.into()));
                let whole_only = grbit & JET_bitDefragmentNoPartialMerges != 0;
                let passes = limit(pcPasses);
                let options = BackgroundOptions { table: None, whole_only, passes, time };
                let done = move || {
                    if let Some(callback) = callback {
                        callback(sesid, dbid);
                    }
                };
                start(&session, &database, options, Box::new(done))
            }
            JET_bitDefragmentBatchStop => {
                let stopped = session.shared.stop_defragmentation(&database.attached);
                let (passes, time) = stopped.map_or((0, Duration::ZERO), |s| (s.passes, s.time));
                let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
                tell(pcPasses, passes);
                tell(pcSeconds, seconds);
                Ok(stopped.map_or(JetErr::WrnDefragNotRunning, |_| JetErr::Success))
            }
            _ => Err(invalid_grbit("JetDefragment", grbit)),
        }
    })
}

/// Cleans the version store up and says `JET_wrnNoIdleActivity` (1058), as ESE does whatever there
/// was to do; or with [`JET_bitIdleStatus`] says whether it is more than half full:
/// `JET_wrnRemainingVersions` (321).
///
/// # Errors
/// The session's; `JET_errInvalidGrbit` (-900) for other flags than that and
/// [`JET_bitIdleCompact`]: [`JET_bitIdleFlushBuffers`](super::JET_bitIdleFlushBuffers) is reserved.
pub fn JetIdle(sesid: JET_SESID, grbit: JET_GRBIT) -> Result<JetErr> {
    let session = find_session(sesid)?;
    session.call(Purpose::Work, |_, _| {
        let engine = &session.shared.engine;
        match grbit {
            // To be told comes before cleaning up.
            flags if flags & !JET_bitIdleCompact == JET_bitIdleStatus => {
                let info = engine.version_info();
                let full = info.bytes > info.bytes_max / 2;
                Ok(if full { JetErr::WrnRemainingVersions } else { JetErr::Success })
            }
            0 | JET_bitIdleCompact => {
                engine.clean_up_versions();
                Ok(JetErr::WrnNoIdleActivity)
            }
            other => Err(invalid_grbit("JetIdle", other)),
        }
    })
}

/// Makes the file of a database have at least `cpg` pages: [`JetResizeDatabase`] with
/// [`JET_bitResizeDatabaseOnlyGrow`]. Gives the number that it has then.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errDiskFull` (-1808),
/// `JET_errOutOfDatabaseSpace` (-1012).
pub fn JetGrowDatabase(sesid: JET_SESID, dbid: JET_DBID, cpg: u32) -> Result<u32> {
    JetResizeDatabase(sesid, dbid, cpg, JET_bitResizeDatabaseOnlyGrow).map(|(_, pages)| pages)
}

/// Pages of a file that no database owns.
const HEADER_PAGES: u32 = 2;

/// Makes a database that owns `now` pages own `target`, or more: what it grows by is a multiple of
/// [`JET_paramDbExtensionSize`]. Gives the number that it owns.
fn grow(session: &Ses, database: &OpenDatabase, now: u32, target: u32) -> Result<u32> {
    let step = session.inst.params.lock().int(JET_paramDbExtensionSize);
    let step = u32::try_from(step).unwrap_or(u32::MAX).max(1);
    let more = target.saturating_sub(now).div_ceil(step).saturating_mul(step);
    let engine = &session.shared.engine;
    match engine.grow_database(&database.attached, now.saturating_add(more)) {
        // The largest size that the database may have can lie within the last extension.
        Err(error) if error.code() == JetErr::OutOfDatabaseSpace => {
            engine.grow_database(&database.attached, target)
        }
        grown => grown,
    }
}

/// Makes the file of a database have `cpgTarget` pages, more or fewer than it has: those that it
/// owns, and the two of its header. It grows by a multiple of [`JET_paramDbExtensionSize`]. Gives
/// the number that it has then. `JET_wrnShrinkNotPossible` (1122): it cannot be made so small,
/// because pages in use lie at the end, or a backup is in progress.
///
/// # Errors
/// As [`JetGrowDatabase`]; `JET_errInvalidGrbit` (-900) for other flags than
/// [`JET_bitResizeDatabaseOnlyGrow`] or [`JET_bitResizeDatabaseOnlyShrink`], and for both;
/// `JET_errFeatureNotAvailable` (-1001) where it would have to shrink and
/// [`JET_paramEnableShrinkDatabase`](super::JET_paramEnableShrinkDatabase) does not allow it.
pub fn JetResizeDatabase(
    sesid: JET_SESID,
    dbid: JET_DBID,
    cpgTarget: u32,
    grbit: JET_GRBIT,
) -> Result<(JetErr, u32)> {
    let session = find_session(sesid)?;
    session.call(Purpose::Work, |_, own| {
        let database = open_database_of(own, dbid)?;
        let (may_grow, may_shrink) = match grbit {
            0 => (true, true),
            JET_bitResizeDatabaseOnlyGrow => (true, false),
            JET_bitResizeDatabaseOnlyShrink => (false, true),
            _ => return Err(invalid_grbit("JetResizeDatabase", grbit)),
        };
        let engine = &session.shared.engine;
        let target = cpgTarget.saturating_sub(HEADER_PAGES);
        // Asked for no page, it tells how many there are.
        let now = engine.grow_database(&database.attached, 0)?;
        if now < target && may_grow {
            let grown = grow(&session, &database, now, target)?;
            return Ok((JetErr::Success, grown + HEADER_PAGES));
        }
        if now <= target || !may_shrink {
            return Ok((JetErr::Success, now + HEADER_PAGES));
        }
        if engine.config.shrink == ShrinkMode::Never {
            let what = "JET_paramEnableShrinkDatabase does not allow databases to shrink";
            return Err(Error::new(JetErr::FeatureNotAvailable, what));
        }
        let now = engine.shrink_database(&database.attached, target)?;
        let done = if now > target { JetErr::WrnShrinkNotPossible } else { JetErr::Success };
        Ok((done, now + HEADER_PAGES))
    })
}

/// Pages that a database has at least, whatever their size.
const SIZE_MIN: u32 = 32;

/// Makes a database that is not attached own at least `cpg` pages. Gives the number that it owns.
///
/// # Errors
/// The session's; `JET_errInTransaction` (-1108), `JET_errInvalidParameter` (-1003) for fewer than
/// 32 pages, `JET_errDatabaseInUse` (-1202) if it is attached,
/// `JET_errDatabaseNotFound` (-1203), those of attaching, and as [`JetGrowDatabase`].
pub fn JetSetDatabaseSize(sesid: JET_SESID, szDatabaseName: &str, cpg: u32) -> Result<u32> {
    let session = find_session(sesid)?;
    session.call_at_level_0(Purpose::Work, |_| {
        let path = own_path(&session, szDatabaseName)?;
        if cpg < SIZE_MIN {
            let what = format!("a database of {cpg} pages, fewer than {SIZE_MIN}");
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        let shared = &session.shared;
        if shared.find_database(&path)?.is_some() {
            return Err(Error::new(JetErr::DatabaseInUse, "the database is attached").at_path(path));
        }
        if !shared.engine.env.fs.exists(&path)? {
            return Err(Error::new(JetErr::DatabaseNotFound, "no such database").at_path(path));
        }
        let (database, _) = shared.attach(&path, AttachMode::default())?;
        let grown = shared.engine.grow_database(&database.attached, cpg);
        shared.detach(database)?;
        grown
    })
}

/// Copies an attached database that nobody has open into a new file, dense, and attaches the source
/// again. `pfnStatus` is told how much of a hundred is done ([`JET_snpCompact`]), at first before
/// anything is looked at. The argument of
/// the C interface that asks for a conversion must be NULL there, and has no counterpart.
///
/// # Errors
/// The session's; `JET_errInTransaction` (-1108), `JET_errInvalidGrbit` (-900) for other flags than
/// [`JET_bitCompactStats`], which changes nothing; `JET_errFeatureNotAvailable` (-1001) for
/// [`JET_bitCompactRepair`]; `JET_errDatabaseNotFound` (-1203) if the source is not attached,
/// `JET_errDatabaseDuplicate` (-1201) if the target exists, `JET_errDatabaseInUse` (-1202) while a
/// session has the source open, and as [`crate::compact`].
pub fn JetCompact(
    sesid: JET_SESID,
    szDatabaseSrc: &str,
    szDatabaseDest: &str,
    pfnStatus: Option<JET_PFNSTATUS<'_>>,
    grbit: JET_GRBIT,
) -> Result<()> {
    let session = find_session(sesid)?;
    session.call_at_level_0(Purpose::Work, |_| {
        if grbit & !(JET_bitCompactStats | JET_bitCompactRepair) != 0 {
            return Err(invalid_grbit("JetCompact", grbit));
        }
        if grbit & JET_bitCompactRepair != 0 {
            return Err(unavailable("JET_bitCompactRepair"));
        }
        let mut teller = Teller::new(JET_snpCompact, pfnStatus);
        // Before the names are looked at.
        teller.begin();
        let done = compact(&session, szDatabaseSrc, Path::new(szDatabaseDest), &mut teller);
        teller.end(done)
    })
}

fn compact(session: &Ses, source: &str, target: &Path, teller: &mut Teller<'_>) -> Result<()> {
    let stop = teller.stop.clone();
    stop.check()?;
    let (shared, env) = (&session.shared, &session.shared.engine.env);
    let source = own_path(session, source)?;
    let Some(database) = shared.find_database(&source)? else {
        return Err(
            Error::new(JetErr::DatabaseNotFound, "the database is not attached").at_path(source)
        );
    };
    if env.fs.exists(target)? {
        let what = "the file exists already";
        return Err(Error::new(JetErr::DatabaseDuplicate, what).at_path(target));
    }
    let mode = database.attached.mode();
    // Detached, the file is clean and nobody changes it.
    shared.detach(database)?;
    let mut progress = |so_far: CompactProgress| {
        teller.progress(so_far.bytes_done, so_far.bytes_total, 99);
    };
    let done = crate::compact(env, &source, target, &mut progress, &stop);
    shared.attach(&source, mode)?;
    done.map(|_| ())
}

fn tell(to: Option<&mut u32>, value: u32) {
    if let Some(to) = to {
        *to = value;
    }
}

fn start(
    session: &Ses,
    database: &Arc<OpenDatabase>,
    options: BackgroundOptions,
    done: Box<dyn FnOnce() + Send>,
) -> Result<JetErr> {
    let started = session.shared.start_defragmentation(&database.attached, options, done)?;
    Ok(if started { JetErr::Success } else { JetErr::WrnDefragAlreadyRunning })
}

/// The queue of single trees: what is to be done is begun when it is asked for, so nothing waits
/// in it.
fn check_batch(
    limits: bool,
    callback: bool,
    table: Option<&str>,
    grbit: JET_GRBIT,
) -> Result<JetErr> {
    if limits {
        return Err(not_with("limits", "JET_bitDefragmentBTreeBatch"));
    }
    if grbit & !JET_bitDefragmentBTreeBatch != JET_bitDefragmentBatchStart {
        return Err(invalid_grbit("JetDefragment", grbit));
    }
    if callback || table.is_some() {
        return Err(not_with("a callback or a table", "JET_bitDefragmentBTreeBatch"));
    }
    Ok(JetErr::Success)
}

fn check_one_table(table: Option<&str>, callback: bool, grbit: JET_GRBIT) -> Result<&str> {
    if grbit != JET_bitDefragmentBTree {
        return Err(invalid_grbit("JetDefragment", grbit));
    }
    if callback {
        return Err(not_with("a callback", "JET_bitDefragmentBTree"));
    }
    table.ok_or_else(|| {
        Error::new(JetErr::InvalidName, "JET_bitDefragmentBTree needs the name of a table")
    })
}

#[track_caller]
fn not_with(what: &str, flag: &str) -> Error {
    Error::new(JetErr::InvalidParameter, format!("{what} cannot be given with {flag}"))
}
