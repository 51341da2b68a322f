//! Creating a database. The log describes all of it, so a crash at any moment leaves either the
//! whole database or nothing: recovery removes a file whose `CreateDbFinish` is not in the log.

use std::{path::Path, sync::Arc};

use ese_base::{DbTime, Dbid, Error, JetErr, LgPos, ObjId, Pgno, Result, Signature};
use ese_log::{
    Attachment,
    records::{CreateDb, CreateDbFinish, LoggedPath, Record},
};
use ese_os::parent_of;
use ese_pages::{DbHeader, cache::FlushGoal, db_file::DbFile, dblwr, header::NewHeader};

use super::{AttachMode, Attached, Instance, checkpoint::Creating};
use crate::{
    catalog,
    session::{Durability, Session},
};

/// Data pages of a new file: 256 pages less the two headers, as ESE makes it.
pub(crate) const INITIAL_PAGES: Pgno = Pgno(254);

/// What a new database is to be.
#[derive(Clone, Copy)]
struct NewDatabase<'a> {
    dbid: Dbid,
    path: &'a Path,
    sign_db: Signature,
    /// Position of the record that creates it.
    created: LgPos,
    mode: AttachMode,
}

impl Instance {
    /// Creates a database and attaches it.
    ///
    /// # Errors
    /// `JET_errDatabaseDuplicate` (-1201) if the file exists, `JET_errTooManyAttachedDatabases`,
    /// `JET_errInvalidPath` (-1023) if there is no such folder, those of writing. Nothing of the
    /// file remains after an error, unless that stops the instance: then recovery decides.
    pub fn create_database(self: &Arc<Instance>, path: &Path) -> Result<Arc<Attached>> {
        self.create_database_as(path, AttachMode::default())
    }

    /// Creates a database and attaches it in a way of its own, which is not for reading only.
    ///
    /// # Errors
    /// As [`Instance::create_database`]; `JET_errInvalidParameter` (-1003) for reading only.
    pub fn create_database_as(
        self: &Arc<Instance>,
        path: &Path,
        mode: AttachMode,
    ) -> Result<Arc<Attached>> {
        self.check()?;
        if mode.read_only {
            let what = "a new database is made to be filled, not to be read only";
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        let path = self.env.fs.canonicalize(path)?;
        self.check_path(&path, mode)?;
        if self.env.fs.exists(&path)? {
            return Err(Error::new(JetErr::DatabaseDuplicate, "the file exists already")
                .at_path(&path)
                .advise("attach it, or choose another name"));
        }
        // Where no file can be, nothing is logged: what fails is undone there, too.
        self.env.fs.sync_dir(parent_of(&path))?;
        let mut session = Session::begin_session(self)?;
        let dbid = self.free_dbid()?;
        let sign_db = Signature::new(self.env.rng.next_u32(), self.env.clock.log_time());
        // The checkpoint stays before the creation until the header says that it is complete, or
        // until the file is gone for good: up to then recovery starts over with the record of the
        // creation.
        let _checkpoint = self.bounds.writing.lock();
        let log = self.log.as_ref().filter(|_| mode.is_logged());
        let creating =
            log.map(|log| self.bounds.creating(new_attachment(dbid, &path, sign_db, log.tip())));
        let created = match &creating {
            Some(creating) => self.log_create(&session, dbid, &path, sign_db, creating)?,
            None => LgPos::MIN,
        };
        let new = NewDatabase { dbid, path: &path, sign_db, created, mode };
        let attached =
            self.fill(&mut session, new).or_else(|error| self.forget_creation(&path, error))?;
        self.finish_creation(&session, &attached).inspect_err(|error| {
            self.bounds.attached.write().retain(|other| !Arc::ptr_eq(other, &attached));
            // The log says that the database exists, the file does not: recovery must look at it.
            self.poison(error);
        })?;
        Ok(attached)
    }

    /// Removes what a failed creation left. The log still says that creation began; recovery
    /// finds no file and no finish.
    fn forget_creation<T>(&self, path: &Path, cause: Error) -> Result<T> {
        let fs = &self.env.fs;
        let removed = fs
            .exists(path)
            .and_then(|is_there| if is_there { fs.remove_file(path) } else { Ok(()) })
            .and_then(|()| dblwr::remove(&self.env, path))
            .and_then(|()| fs.sync_dir(parent_of(path)));
        if let Err(error) = removed {
            self.poison(&error);
        }
        Err(cause)
    }

    fn log_create(
        &self,
        session: &Session,
        dbid: Dbid,
        path: &Path,
        sign_db: Signature,
        creating: &Creating<'_>,
    ) -> Result<LgPos> {
        let Some(log) = &self.log else { return Ok(LgPos::MIN) };
        let bytes = LoggedPath::encode(&path.to_string_lossy());
        let appended = log.append(&Record::CreateDb(CreateDb {
            procid: session.procid(),
            dbid,
            grbit: 0,
            pages_max: 0,
            sign_db,
            flags: 0,
            version: Some((2, 0)),
            path: LoggedPath::wide(&bytes),
        }))?;
        creating.logged_at(appended.start);
        log.flush(appended.end)?;
        Ok(appended.start)
    }

    /// Everything up to the finished database, in the log and in memory.
    fn fill(
        self: &Arc<Instance>,
        session: &mut Session,
        new: NewDatabase<'_>,
    ) -> Result<Arc<Attached>> {
        let NewDatabase { dbid, path, sign_db, created, mode } = new;
        let log = self.log.as_ref().filter(|_| mode.is_logged());
        let sign_log = log.map_or(Signature::NULL, |log| log.signature());
        let header =
            DbHeader::new(NewHeader { page_size: self.config.page_size, sign_db, sign_log });
        let file = DbFile::create(&self.env, path, header, INITIAL_PAGES)?;
        let attached = Arc::new(self.join(dbid, file, path, created, LgPos::MIN, mode)?);
        session.begin()?;
        match catalog::create_base(session, &attached.db, INITIAL_PAGES.0) {
            Ok(()) => session.commit(Durability::Lazy)?,
            Err(error) => {
                session.rollback()?;
                return Err(error);
            }
        }
        Ok(attached)
    }

    /// The log says that the database is complete, then the file does.
    fn finish_creation(&self, session: &Session, attached: &Arc<Attached>) -> Result<()> {
        let db = &attached.db;
        if let Some(log) = db.log() {
            let finish = CreateDbFinish { procid: session.procid(), dbid: db.dbid };
            let appended = log.append(&Record::CreateDbFinish(finish))?;
            log.flush(appended.end)?;
        }
        // From here on recovery keeps the file. Its pages are written before the header stops
        // saying "just created", so that a header that promises a database finds one.
        db.cache.flush(FlushGoal::All, self.fence(db))?;
        self.bounds.attached.write().push(Arc::clone(attached));
        self.mark_dirty(attached)?;
        catalog::load(attached)
    }
}

/// What the log says of a database whose creation is logged at or behind `pos`.
fn new_attachment(dbid: Dbid, path: &Path, sign_db: Signature, pos: LgPos) -> Attachment {
    Attachment {
        dbid,
        dbtime: DbTime(0),
        objid_last: ObjId(0),
        pages_max: 0,
        sparse: false,
        lgpos_attach: pos,
        lgpos_consistent: LgPos::MIN,
        sign_db,
        path: path.to_string_lossy().into_owned(),
    }
}
