//! Databases of a session (api-semantics 14).

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, Result};
use ese_engine::{catalog, ddl, instance::AttachMode, schema::TableFlags};
use ese_os::{Env, OpenMode, parent_of};
use ese_pages::{DbHeader, header::read_header};

use super::{
    JET_GRBIT, JET_bitDbDeleteCorruptIndexes, JET_bitDbDeleteUnicodeIndexes,
    JET_bitDbEnableBackgroundMaintenance, JET_bitDbExclusive, JET_bitDbOverwriteExisting,
    JET_bitDbPurgeCacheOnAttach, JET_bitDbReadOnly, JET_bitDbRecoveryOff, JET_bitDbShadowingOff,
    JET_bitDbUpgrade, JET_bitDbVersioningOff, JET_bitForceCloseAndDetach,
    gate::Purpose,
    handles::{JET_DBID, JET_SESID},
    invalid_grbit,
    params::JET_paramCreatePathIfNotExist,
    process::PROCESS,
    session::{Own, Ses, find_session},
    table::cursors_in,
    unavailable,
};
use crate::{
    session::Durability,
    shared::{Alone, OpenDatabase},
};

/// The path of a database.
pub const JET_DbInfoFilename: u32 = 0;
/// Deepest nesting of transactions.
pub const JET_DbInfoTransactions: u32 = 7;
/// Length of the file: bytes, by path; pages, by number.
pub const JET_DbInfoFilesize: u32 = 10;
/// The header.
pub const JET_DbInfoMisc: u32 = 14;
/// Has somebody the file open?
pub const JET_DbInfoDBInUse: u32 = 15;
/// Page size.
pub const JET_DbInfoPageSize: u32 = 17;
/// Locale number of text without one.
pub const JET_DbInfoLCID: u32 = 3;
/// Code page of text without one.
pub const JET_DbInfoCp: u32 = 4;
/// Flags of the opening: [`JET_bitDbExclusive`] if the session has it alone.
pub const JET_DbInfoOptions: u32 = 6;
/// Format version.
pub const JET_DbInfoVersion: u32 = 8;
/// Pages owned.
pub const JET_DbInfoSpaceOwned: u32 = 11;
/// Pages owned and not given to any table.
pub const JET_DbInfoSpaceAvailable: u32 = 12;
/// What kind of file it is: 1 for a database.
pub const JET_DbInfoFileType: u32 = 19;
/// Which engine has it: not told.
pub const JET_DbInfoIsam: u32 = 9;
/// May stand in the level of a fact about an open database, and changes nothing.
pub const JET_DbInfoUseCachedResult: u32 = 0x4000_0000;

/// Flags of [`JetAttachDatabase`] that mean something, or that may be there.
const ATTACH_KNOWN: JET_GRBIT = JET_bitDbReadOnly
    | JET_bitDbRecoveryOff
    | JET_bitDbExclusive
    | JET_bitDbUpgrade
    | JET_bitDbPurgeCacheOnAttach
    | JET_bitDbEnableBackgroundMaintenance;

/// US English.
const LCID_DEFAULT: u64 = 0x409;
const CODE_PAGE_DEFAULT: u64 = 1252;
/// JET_filetypeDatabase.
const FILE_TYPE_DATABASE: u64 = 1;

/// A fact about a database.
#[derive(Clone, Debug)]
pub enum JET_DBINFO {
    /// A path.
    Path(PathBuf),
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// The header with all its fields (JET_DBINFOMISC has a part of them).
    Misc(Box<DbHeader>),
}

/// A database that a session has open.
#[derive(Debug)]
pub(super) struct Opened {
    database: Arc<OpenDatabase>,
    /// So many times.
    times: u32,
    /// Each time for reading only.
    read_only: bool,
    /// Nobody else has it open, or can open it.
    alone: Option<Alone>,
}

impl Opened {
    /// Can the session change nothing in it?
    fn is_read_only(&self) -> bool {
        self.read_only || self.database.attached.is_read_only()
    }
}

fn opened(own: &Own, dbid: JET_DBID) -> Result<&Opened> {
    own.databases.get(&dbid).ok_or_else(|| {
        Error::new(
            JetErr::InvalidDatabaseId,
            format!("the session has no database with number {dbid} open"),
        )
    })
}

/// A database that the session has open.
///
/// # Errors
/// `JET_errInvalidDatabaseId` (-1010).
pub(super) fn open_database_of(own: &Own, dbid: JET_DBID) -> Result<Arc<OpenDatabase>> {
    opened(own, dbid).map(|opened| Arc::clone(&opened.database))
}

/// As [`open_database_of`], and whether the session can only read it.
///
/// # Errors
/// As there.
pub(super) fn open_database_to_read(
    own: &Own,
    dbid: JET_DBID,
) -> Result<(Arc<OpenDatabase>, bool)> {
    opened(own, dbid).map(|opened| (Arc::clone(&opened.database), opened.is_read_only()))
}

/// As [`open_database_of`], for what changes its tables.
///
/// # Errors
/// As there; `JET_errPermissionDenied` (-1809) for one that is attached, or was opened, for reading
/// only. (As the published source answers at the making of tables.)
pub(super) fn open_database_to_change(own: &Own, dbid: JET_DBID) -> Result<Arc<OpenDatabase>> {
    let opened = opened(own, dbid)?;
    if opened.is_read_only() {
        let how = if opened.read_only { "opened" } else { "attached" };
        let what = format!("the database is {how} for reading only");
        return Err(Error::new(JetErr::PermissionDenied, what)
            .at_path(&opened.database.attached.path)
            .advise("attach and open it without JET_bitDbReadOnly"));
    }
    Ok(Arc::clone(&opened.database))
}

fn note_open(
    own: &mut Own,
    database: Arc<OpenDatabase>,
    read_only: bool,
    alone: Option<Alone>,
) -> JET_DBID {
    let dbid = u32::from(database.attached.db.dbid.0);
    let none = Opened { database, times: 0, read_only: true, alone: None };
    let opened = own.databases.entry(dbid).or_insert(none);
    opened.times += 1;
    opened.read_only &= read_only;
    opened.alone = alone.or(opened.alone.take());
    dbid
}

/// The file system's own name of a database; no other instance of the process has it.
pub(super) fn own_path(session: &Ses, name: &str) -> Result<PathBuf> {
    if name.is_empty() {
        let what = "a database has a path";
        return Err(Error::new(JetErr::DatabaseInvalidPath, what));
    }
    let path = session.shared.engine.env.fs.canonicalize(Path::new(name))?;
    let others = PROCESS.lock().others(&session.inst);
    let elsewhere = others.iter().filter_map(|other| other.shared()).any(|shared| {
        shared.attached_databases().iter().any(|database| database.attached.path == path)
    });
    if elsewhere {
        return Err(Error::new(
            JetErr::DatabaseSharingViolation,
            "another instance of this process has the database attached",
        )
        .at_path(path));
    }
    Ok(path)
}

/// Creates a database, attaches and opens it; with `JET_paramCreatePathIfNotExist` its folder, too.
/// With [`JET_bitDbRecoveryOff`] the log says nothing of
/// it, as at [`JetAttachDatabase`].
///
/// # Errors
/// The session's; `JET_errInTransaction` (-1108), `JET_errDatabaseInvalidPath` (-1217) for no name,
/// `JET_errDatabaseDuplicate` (-1201), `JET_errBackupInProgress` (-505),
/// `JET_errTooManyAttachedDatabases` (-1805), those of writing;
/// for a file that is to be replaced `JET_errDatabaseInUse` (-1202) and `JET_errFileAccessDenied`
/// (-1032); `JET_errCannotDisableVersioning` (-1208) for [`JET_bitDbVersioningOff`] without
/// [`JET_bitDbRecoveryOff`]; with it there are versions all the same.
/// `JET_errFeatureNotAvailable` (-1001) for other flags than these and
/// [`JET_bitDbOverwriteExisting`]; [`JET_bitDbEnableBackgroundMaintenance`] and
/// [`JET_bitDbShadowingOff`] change nothing.
pub fn JetCreateDatabase(sesid: JET_SESID, szFilename: &str, grbit: JET_GRBIT) -> Result<JET_DBID> {
    let session = find_session(sesid)?;
    session.call_at_level_0(Purpose::Work, |own| {
        check_versioning(grbit)?;
        let unlogged = JET_bitDbRecoveryOff | JET_bitDbVersioningOff;
        let idle = JET_bitDbEnableBackgroundMaintenance | JET_bitDbShadowingOff;
        if grbit & !(JET_bitDbOverwriteExisting | unlogged | idle) != 0 {
            return Err(unavailable("a flag of JetCreateDatabase"));
        }
        if session.inst.params.lock().int(JET_paramCreatePathIfNotExist) != 0 {
            let fs = &session.shared.engine.env.fs;
            fs.create_dir_all(parent_of(Path::new(szFilename)))?;
        }
        let path = own_path(&session, szFilename)?;
        let mode = AttachMode { unlogged: grbit & unlogged != 0, read_only: false };
        let database = if grbit & JET_bitDbOverwriteExisting != 0 {
            session.shared.replace_database(&path, mode)?
        } else {
            session.shared.create_database(&path, mode)?
        };
        Ok(note_open(own, database, false, None))
    })
}

/// Nothing can be taken back without versions: only of what no recovery takes back.
fn check_versioning(grbit: JET_GRBIT) -> Result<()> {
    if grbit & JET_bitDbVersioningOff != 0 && grbit & JET_bitDbRecoveryOff == 0 {
        let what = "JET_bitDbVersioningOff goes with JET_bitDbRecoveryOff alone";
        return Err(Error::new(JetErr::CannotDisableVersioning, what));
    }
    Ok(())
}

/// As [`JetCreateDatabase`], with a limit in pages: the database does not grow beyond it
/// (`JET_errOutOfDatabaseSpace`, -1012). 0: no limit.
///
/// # Errors
/// As [`JetCreateDatabase`].
pub fn JetCreateDatabase2(
    sesid: JET_SESID,
    szFilename: &str,
    cpgDatabaseSizeMax: u32,
    grbit: JET_GRBIT,
) -> Result<JET_DBID> {
    let dbid = JetCreateDatabase(sesid, szFilename, grbit)?;
    find_session(sesid)?.call(Purpose::Work, |_, own| {
        open_database_of(own, dbid)?.attached.db.set_pages_max(cpgDatabaseSizeMax);
        Ok(dbid)
    })
}

/// Attaches a database. `JET_wrnDatabaseAttached` (1007): it was attached before.
///
/// [`JET_bitDbReadOnly`]: nothing of the file is written, its header neither; the log says nothing
/// of it, backups and recovery leave it alone, and other processes may attach it in this way at the
/// same time. It need not be writable. [`JET_bitDbRecoveryOff`]: the log says nothing of it;
/// after a crash it is of no use any more (`JET_errDatabaseDirtyShutdown`), and for older logs
/// and backups it is another database from now on.
///
/// [`JET_bitDbDeleteUnicodeIndexes`] removes all secondary indexes over UTF-16 text,
/// [`JET_bitDbDeleteCorruptIndexes`] those that another engine filled; `JET_wrnCorruptIndexDeleted`
/// (1415): there were some.
///
/// # Errors
/// The session's; `JET_errInTransaction` (-1108), `JET_errCannotDisableVersioning` (-1208) for
/// [`JET_bitDbVersioningOff`], `JET_errDatabaseInvalidPath` (-1217) for no name,
/// `JET_errInvalidGrbit` (-900) for the removal of indexes from what is not changed,
/// `JET_errBackupInProgress` (-505), `JET_errDatabaseSharingViolation` (-1215) while another
/// instance of the process has it, in whatever way, `JET_errFileNotFound` (-1811),
/// `JET_errDatabaseFileReadOnly` (-1008) for changes of a file that cannot be written, or that
/// is attached for reading only, `JET_errFileAccessDenied` (-1032) while another process has it,
/// `JET_errDatabaseDirtyShutdown` (-550), `JET_errPrimaryIndexCorrupted` (-1413) where an index
/// that should be removed is a table's own order: the database is not attached then;
/// `JET_errFeatureNotAvailable` (-1001) for other flags. [`JET_bitDbUpgrade`],
/// [`JET_bitDbExclusive`], [`JET_bitDbPurgeCacheOnAttach`] and
/// [`JET_bitDbEnableBackgroundMaintenance`] change nothing.
pub fn JetAttachDatabase(sesid: JET_SESID, szFilename: &str, grbit: JET_GRBIT) -> Result<JetErr> {
    let session = find_session(sesid)?;
    let upkeep = JET_bitDbDeleteCorruptIndexes | JET_bitDbDeleteUnicodeIndexes;
    let (database, before) = session.call_at_level_0(Purpose::Work, |_| {
        if grbit & JET_bitDbVersioningOff != 0 {
            let what = "JET_bitDbVersioningOff is for new databases";
            return Err(Error::new(JetErr::CannotDisableVersioning, what));
        }
        if grbit & !(upkeep | ATTACH_KNOWN) != 0 {
            return Err(unavailable("a flag of JetAttachDatabase"));
        }
        let path = own_path(&session, szFilename)?;
        let mode = AttachMode {
            read_only: grbit & JET_bitDbReadOnly != 0,
            unlogged: grbit & JET_bitDbRecoveryOff != 0,
        };
        if mode.read_only && grbit & JET_bitDbDeleteUnicodeIndexes != 0 {
            return Err(invalid_grbit("JetAttachDatabase", grbit));
        }
        // Attaching is refused during a backup even where there would be nothing to do.
        session.shared.backup.refuse_if_in_progress()?;
        session.shared.attach(&path, mode)
    })?;
    if before {
        return Ok(JetErr::WrnDatabaseAttached);
    }
    if grbit & upkeep == 0 || database.attached.is_read_only() {
        return Ok(JetErr::Success);
    }
    let foreign_only = grbit & JET_bitDbDeleteUnicodeIndexes == 0;
    match delete_text_indexes(&session, &database, foreign_only) {
        Ok(0) => Ok(JetErr::Success),
        Ok(_) => Ok(JetErr::WrnCorruptIndexDeleted),
        Err(error) => {
            session.shared.detach(database)?;
            Err(error)
        }
    }
}

/// Removes indexes over UTF-16 text from all tables, in one transaction.
fn delete_text_indexes(
    session: &Ses,
    database: &OpenDatabase,
    foreign_only: bool,
) -> Result<usize> {
    let attached = &database.attached;
    session.call(Purpose::Work, |state, _| {
        let engine = &mut state.engine;
        engine.begin()?;
        let done = catalog::tables(engine, attached).and_then(|tables| {
            let ours = tables.iter().filter(|t| !t.schema.flags.contains(TableFlags::SYSTEM));
            ours.map(|table| ddl::delete_text_indexes(engine, attached, table, foreign_only)).sum()
        });
        match done {
            Ok(count) => engine.commit(Durability::Durable).map(|()| count),
            Err(error) => {
                engine.rollback()?;
                Err(error)
            }
        }
    })
}

/// As [`JetAttachDatabase`], with a limit in pages as [`JetCreateDatabase2`] has one. A database
/// that is attached keeps the limit it has.
///
/// # Errors
/// As [`JetAttachDatabase`].
pub fn JetAttachDatabase2(
    sesid: JET_SESID,
    szFilename: &str,
    cpgDatabaseSizeMax: u32,
    grbit: JET_GRBIT,
) -> Result<JetErr> {
    let attached = JetAttachDatabase(sesid, szFilename, grbit)?;
    let session = find_session(sesid)?;
    if attached != JetErr::WrnDatabaseAttached
        && let Some(database) = session.shared.find_database(Path::new(szFilename))?
    {
        database.attached.db.set_pages_max(cpgDatabaseSizeMax);
    }
    Ok(attached)
}

/// As [`JetDetachDatabase`]. Nobody is forced to give a database back.
///
/// # Errors
/// As [`JetDetachDatabase`]; `JET_errInvalidGrbit` (-900), `JET_errForceDetachNotAllowed` (-1219)
/// for [`JET_bitForceDetach`](super::JET_bitForceDetach).
pub fn JetDetachDatabase2(sesid: JET_SESID, szFilename: &str, grbit: JET_GRBIT) -> Result<()> {
    if grbit == 0 {
        return JetDetachDatabase(sesid, szFilename);
    }
    find_session(sesid)?.call_at_level_0(Purpose::CleanUp, |_| {
        if grbit & !JET_bitForceCloseAndDetach != 0 {
            return Err(invalid_grbit("JetDetachDatabase2", grbit));
        }
        let what = "no database is detached while it is in use";
        Err(Error::new(JetErr::ForceDetachNotAllowed, what))
    })
}

/// Detaches a database, or all with an empty name: the file is clean afterwards.
///
/// # Errors
/// The session's; `JET_errInTransaction` (-1108), `JET_errBackupInProgress` (-505),
/// `JET_errDatabaseNotFound` (-1203), `JET_errDatabaseInUse` (-1202) while a session has it open.
pub fn JetDetachDatabase(sesid: JET_SESID, szFilename: &str) -> Result<()> {
    let session = find_session(sesid)?;
    session.call_at_level_0(Purpose::CleanUp, |_| {
        session.shared.backup.refuse_if_in_progress()?;
        if szFilename.is_empty() {
            for database in session.shared.attached_databases() {
                session.shared.detach(database)?;
            }
            return Ok(());
        }
        match session.shared.find_database(Path::new(szFilename))? {
            Some(database) => session.shared.detach(database),
            None => Err(not_attached(szFilename)),
        }
    })
}

#[track_caller]
fn not_attached(name: &str) -> Error {
    Error::new(JetErr::DatabaseNotFound, "the database is not attached").at_path(name)
}

/// Opens an attached database for the session; every opening has its closing.
/// `JET_wrnFileOpenReadOnly` (1813): it is attached for reading only, and that was not asked for.
///
/// [`JET_bitDbReadOnly`]: as long as the session has it open in no other way, its cursors cannot
/// change it. (The published source does not look at the flag, the page promises this.)
/// [`JET_bitDbExclusive`]: no other session can open it, until this one closes it for the first
/// time.
///
/// # Errors
/// The session's; `JET_errDatabaseInvalidPath` (-1217) for no name, `JET_errDatabaseNotFound`
/// (-1203), `JET_errDatabaseAttachedForRecovery` (-1231) if only recovery has attached it,
/// `JET_errDatabaseLocked` (-1207) while another session has it alone, `JET_errDatabaseInUse`
/// (-1202) if any session has it open that is to be had alone, this one included;
/// `JET_errFeatureNotAvailable` (-1001) for other flags; [`JET_bitDbRecoveryOff`] is one of the
/// attach and changes nothing.
pub fn JetOpenDatabase(
    sesid: JET_SESID,
    szFilename: &str,
    grbit: JET_GRBIT,
) -> Result<(JetErr, JET_DBID)> {
    let session = find_session(sesid)?;
    session.call(Purpose::Work, |_, own| {
        if grbit & !(JET_bitDbReadOnly | JET_bitDbExclusive | JET_bitDbRecoveryOff) != 0 {
            return Err(unavailable("a flag of JetOpenDatabase"));
        }
        if szFilename.is_empty() {
            return Err(Error::new(JetErr::DatabaseInvalidPath, "a database has a path"));
        }
        let Some(database) = session.shared.find_database(Path::new(szFilename))? else {
            return Err(not_attached(szFilename));
        };
        let dbid = u32::from(database.attached.db.dbid.0);
        database.admit(own.databases.get(&dbid).and_then(|opened| opened.alone.as_ref()))?;
        let alone = match grbit & JET_bitDbExclusive {
            0 => None,
            _ => Some(database.claim()?),
        };
        let read_only = grbit & JET_bitDbReadOnly != 0;
        let unexpected = database.attached.is_read_only() && !read_only;
        let code = if unexpected { JetErr::WrnFileOpenReadOnly } else { JetErr::Success };
        Ok((code, note_open(own, database, read_only, alone)))
    })
}

/// The limit of a database in pages; 0 is none.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errInvalidGrbit` (-900) for flags.
pub fn JetGetMaxDatabaseSize(sesid: JET_SESID, dbid: JET_DBID, grbit: JET_GRBIT) -> Result<u32> {
    find_session(sesid)?.call(Purpose::Work, |_, own| {
        let database = open_database_of(own, dbid)?;
        if grbit != 0 {
            return Err(invalid_grbit("JetGetMaxDatabaseSize", grbit));
        }
        Ok(database.attached.db.pages_max())
    })
}

/// Sets the limit of a database in pages, as [`JetCreateDatabase2`] has one. A database that is
/// larger stays as it is, and does not grow.
///
/// # Errors
/// As [`JetGetMaxDatabaseSize`].
pub fn JetSetMaxDatabaseSize(
    sesid: JET_SESID,
    dbid: JET_DBID,
    cpg: u32,
    grbit: JET_GRBIT,
) -> Result<()> {
    find_session(sesid)?.call(Purpose::Work, |_, own| {
        let database = open_database_of(own, dbid)?;
        if grbit != 0 {
            return Err(invalid_grbit("JetSetMaxDatabaseSize", grbit));
        }
        database.attached.db.set_pages_max(cpg);
        Ok(())
    })
}

/// Closes a database for the session; it stays attached. Others may open it from now on that the
/// session had alone. With the last closing the session's cursors in it are closed. (As the
/// published source does.)
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010).
pub fn JetCloseDatabase(sesid: JET_SESID, dbid: JET_DBID, _grbit: JET_GRBIT) -> Result<()> {
    find_session(sesid)?.call(Purpose::CleanUp, |_, own| {
        open_database_of(own, dbid)?;
        let Some(opened) = own.databases.get_mut(&dbid) else { return Ok(()) };
        opened.alone = None;
        opened.times -= 1;
        if opened.times == 0
            && let Some(Opened { database, .. }) = own.databases.remove(&dbid)
        {
            let cursors = cursors_in(own, &database);
            own.cursors.retain(|cursor| !cursors.contains(cursor));
            cursors.into_iter().for_each(|cursor| own.close(cursor));
        }
        Ok(())
    })
}

/// A fact about a database that the session has open.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errInvalidParameter` (-1003) for an
/// unknown level.
pub fn JetGetDatabaseInfo(sesid: JET_SESID, dbid: JET_DBID, InfoLevel: u32) -> Result<JET_DBINFO> {
    find_session(sesid)?.call(Purpose::Work, |_, own| {
        let database = open_database_of(own, dbid)?;
        let file = &database.attached.db.file;
        Ok(match InfoLevel & !JET_DbInfoUseCachedResult {
            JET_DbInfoFilename => JET_DBINFO::Path(database.attached.path.clone()),
            JET_DbInfoTransactions => JET_DBINFO::Number(7),
            JET_DbInfoFilesize => JET_DBINFO::Number(u64::from(file.page_count()) + 2),
            JET_DbInfoMisc => JET_DBINFO::Misc(Box::new(file.header())),
            JET_DbInfoPageSize => JET_DBINFO::Number(file.page_size().bytes_u64()),
            JET_DbInfoLCID => JET_DBINFO::Number(LCID_DEFAULT),
            JET_DbInfoCp => JET_DBINFO::Number(CODE_PAGE_DEFAULT),
            JET_DbInfoOptions => JET_DBINFO::Number(match opened(own, dbid)?.alone {
                Some(_) => u64::from(JET_bitDbExclusive),
                None => 0,
            }),
            JET_DbInfoVersion => JET_DBINFO::Number(u64::from(file.header().version.get())),
            JET_DbInfoSpaceOwned => JET_DBINFO::Number(database.attached.space()?.owned_pages()),
            JET_DbInfoSpaceAvailable => {
                JET_DBINFO::Number(database.attached.space()?.available_pages())
            }
            JET_DbInfoFileType => JET_DBINFO::Number(FILE_TYPE_DATABASE),
            JET_DbInfoIsam => return Err(unavailable("JET_DbInfoIsam")),
            other => return Err(unknown_level(other)),
        })
    })
}

#[track_caller]
fn unknown_level(level: u32) -> Error {
    Error::new(JetErr::InvalidParameter, format!("{level} is no level of information"))
}

/// A fact about a database file, attached or not; no instance is needed.
///
/// # Errors
/// `JET_errFileNotFound` (-1811), why the file is no database, `JET_errInvalidParameter` (-1003)
/// for an unknown level.
pub fn JetGetDatabaseFileInfo(szDatabaseName: &str, InfoLevel: u32) -> Result<JET_DBINFO> {
    let env = Env::real();
    let path = Path::new(szDatabaseName);
    let file = env.fs.open(path, OpenMode::Read)?;
    let located = || read_header(file.as_ref()).map_err(|error| error.at_path(path));
    Ok(match InfoLevel {
        JET_DbInfoFilename => JET_DBINFO::Path(env.fs.canonicalize(path)?),
        JET_DbInfoFilesize => JET_DBINFO::Number(file.len()?),
        JET_DbInfoMisc => JET_DBINFO::Misc(Box::new(located()?.header)),
        JET_DbInfoPageSize => JET_DBINFO::Number(located()?.page_size.bytes_u64()),
        JET_DbInfoFileType => located().map(|_| JET_DBINFO::Number(FILE_TYPE_DATABASE))?,
        JET_DbInfoDBInUse => {
            let other = env.fs.open(path, OpenMode::ReadWrite)?;
            JET_DBINFO::Flag(other.lock(ese_os::LockMode::Exclusive).is_err())
        }
        other => return Err(unknown_level(other)),
    })
}
