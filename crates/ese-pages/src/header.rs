//! The database header (edb-format 1) and the trailer of a streaming backup (1.6).
//!
//! The header stands twice: in the file's first page and in its second, the *shadow*. Whoever
//! rewrites it writes one copy, syncs, then the other, so that one of them is whole at any moment.
//! The page size is only known from the header itself, so [`locate`] tries all.

mod backups;
mod fields;
mod locate;
#[cfg(test)]
mod tests;
mod trailer;

use std::fmt;

use ese_base::{
    BkInfo, DbTime, Error, Generation, JetErr, LgPos, LogTime, ObjId, PageSize, Result, Signature,
};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use crate::checksum::{header_xor, stamp_header, stored_header_xor, verify_header};

pub use backups::{BackupScope, kind_of_header, remember_backup};
pub use fields::{BackupTrailer, DbHeader, EventCount};
pub use locate::{HeaderCopy, Located, contradiction, locate, read_header};

/// State of a database (edb-format 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DbState {
    /// Creation not finished.
    JustCreated,
    /// In use, or not closed properly: its logs are needed.
    DirtyShutdown,
    /// Whole without logs.
    CleanShutdown,
    /// Being converted.
    BeingConverted,
    /// Detached by force; old.
    ForceDetach,
    /// Reseed from another copy in progress.
    IncrementalReseed,
    /// Dirty, and pages were patched from another copy.
    DirtyAndPatched,
    /// Revert to a snapshot in progress.
    RevertInProgress,
    /// A number that no engine is known to write.
    Unknown(u32),
}

impl DbState {
    /// The state with that number.
    #[must_use]
    pub fn from_u32(value: u32) -> DbState {
        match value {
            1 => DbState::JustCreated,
            2 => DbState::DirtyShutdown,
            3 => DbState::CleanShutdown,
            4 => DbState::BeingConverted,
            5 => DbState::ForceDetach,
            6 => DbState::IncrementalReseed,
            7 => DbState::DirtyAndPatched,
            8 => DbState::RevertInProgress,
            other => DbState::Unknown(other),
        }
    }

    /// The number of the state.
    #[must_use]
    pub fn to_u32(self) -> u32 {
        match self {
            DbState::JustCreated => 1,
            DbState::DirtyShutdown => 2,
            DbState::CleanShutdown => 3,
            DbState::BeingConverted => 4,
            DbState::ForceDetach => 5,
            DbState::IncrementalReseed => 6,
            DbState::DirtyAndPatched => 7,
            DbState::RevertInProgress => 8,
            DbState::Unknown(other) => other,
        }
    }
}

impl fmt::Display for DbState {
    /// The words that `esentutl /mh` prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DbState::JustCreated => "Just Created",
            DbState::DirtyShutdown => "Dirty Shutdown",
            DbState::CleanShutdown => "Clean Shutdown",
            DbState::BeingConverted => "Being Converted",
            DbState::ForceDetach => "Force Detach",
            DbState::IncrementalReseed => "Incremental Reseed In Progress",
            DbState::DirtyAndPatched => "Dirty and Patched Shutdown",
            DbState::RevertInProgress => "Revert In Progress",
            DbState::Unknown(value) => return write!(f, "Unknown ({value})"),
        })
    }
}

/// What a new database is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewHeader {
    /// Page size.
    pub page_size: PageSize,
    /// Identity of the database; must be unique.
    pub sign_db: Signature,
    /// Identity of the log stream; null without logging.
    pub sign_log: Signature,
}

impl DbHeader {
    /// The number that all databases (and no logs) carry.
    pub const MAGIC: u32 = 0x89AB_CDEF;
    /// The format version that we write and read.
    pub const VERSION: u32 = 0x620;
    /// The format update that we write.
    pub const UPDATE_MAJOR: u32 = 20;
    /// The newest format update whose databases we change. What came up to it is understood:
    /// numbers of rows that a root keeps (30), additions of 64 bits (60), long value ids of 64
    /// bits (70), the position of the last change of length (110), pages behind the end (120),
    /// creation times (150). Update 200 keeps the page counts of trees in a table of their own,
    /// later ones give catalog and pages other shapes: those are only read (edb-format 10).
    pub const UPDATE_MAJOR_CHANGED: u32 = 190;
    /// From this update on the header has the position of the last change of the file's length.
    pub const UPDATE_MAJOR_LAST_RESIZE: u32 = 110;
    /// The newest format update that we read (edb-format 10).
    pub const UPDATE_MAJOR_NEWEST: u32 = 300;
    /// The oldest format update that we read: error-correcting checksums.
    pub const UPDATE_MAJOR_OLDEST: u32 = 11;
    /// The first update with pages of 16 and 32 KiB.
    pub const UPDATE_MAJOR_LARGE_PAGES: u32 = 17;
    /// File type of a database.
    pub const FILETYPE_DATABASE: u32 = 1;
    /// The table of locales is authoritative.
    pub const SORT_VERSION_IN_TABLE: u64 = u64::MAX;

    /// The header of a database whose creation has begun.
    #[must_use]
    pub fn new(new: NewHeader) -> DbHeader {
        let mut header = DbHeader::new_zeroed();
        header.magic = Self::MAGIC.into();
        header.version = Self::VERSION.into();
        header.dbtime_dirtied = DbTime::FIRST.0.into();
        header.sign_db = new.sign_db;
        header.sign_log = new.sign_log;
        header.dbstate = DbState::JustCreated.to_u32().into();
        header.dbid = 1.into();
        header.update_major = Self::UPDATE_MAJOR.into();
        header.cb_page_size = new.page_size.bytes_u32().into();
        header.create_version = Self::VERSION.into();
        header.create_update_major = Self::UPDATE_MAJOR.into();
        header.sort_version = Self::SORT_VERSION_IN_TABLE.into();
        header.filetype = Self::FILETYPE_DATABASE.into();
        header
    }

    /// The header as one page of the file: fields, zeros, checksum.
    ///
    /// # Errors
    /// `JET_errPageSizeMismatch` if the field is no page size.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut page = vec![0; self.page_size()?.bytes()];
        // Page sizes begin at 4096, the header has 748 bytes.
        if let Some(to) = page.get_mut(..size_of::<DbHeader>()) {
            to.copy_from_slice(self.as_bytes());
        }
        stamp_header(&mut page);
        Ok(page)
    }

    /// Reads one copy and checks what [`locate`] says. `page` is exactly one page.
    ///
    /// # Errors
    /// `JET_errReadVerifyFailure` for a wrong checksum, else as [`DbHeader::check`].
    pub fn decode(page: &[u8]) -> Result<DbHeader> {
        let header = Self::from_page(page)?;
        if !verify_header(page) {
            return Err(Error::new(
                JetErr::ReadVerifyFailure,
                format!(
                    "checksum of the database header: stored {:08x}, computed {:08x}",
                    stored_header_xor(page),
                    header_xor(page)
                ),
            ));
        }
        header.check()?;
        let size = header.page_size()?;
        if size.bytes() != page.len() {
            return Err(Error::new(
                JetErr::PageSizeMismatch,
                format!("the header says pages of {size} bytes and was read as {}", page.len()),
            ));
        }
        Ok(header)
    }

    /// The fields of a copy, unchecked: for showing what is there.
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted` if there are less than 748 bytes.
    pub fn from_page(page: &[u8]) -> Result<DbHeader> {
        match DbHeader::read_from_prefix(page) {
            Ok((header, _)) => Ok(header),
            Err(_) => Err(Error::new(
                JetErr::DatabaseCorrupted,
                format!("a database header has 748 bytes, {} were found", page.len()),
            )),
        }
    }

    /// Is this a header that the engine can work with?
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted`: not a database; `JET_errFileInvalidType`: another file of the
    /// engine; `JET_errInvalidDatabaseVersion`: a format too old or too new;
    /// `JET_errPageSizeMismatch`: an impossible page size.
    pub fn check(&self) -> Result<()> {
        if self.magic.get() != Self::MAGIC {
            return Err(Error::new(
                JetErr::DatabaseCorrupted,
                format!(
                    "not an ESE database: magic number {:08x}, expected {:08x}",
                    self.magic,
                    Self::MAGIC
                ),
            ));
        }
        let version = (self.version.get(), self.update_major.get());
        let ((ours, newest), oldest) =
            ((Self::VERSION, Self::UPDATE_MAJOR_NEWEST), Self::UPDATE_MAJOR_OLDEST);
        if version.0 > ours || version.1 > newest {
            return Err(Error::new(
                JetErr::InvalidDatabaseVersion,
                format!(
                    "database format {:#x}.{} is newer than {ours:#x}.{newest}, the newest known",
                    version.0, version.1
                ),
            )
            .advise("use a newer version of this software"));
        }
        if version.0 < ours || version.1 < oldest {
            return Err(Error::new(
                JetErr::InvalidDatabaseVersion,
                format!(
                    "database format {:#x}.{} is older than {ours:#x}.{oldest}, the oldest known",
                    version.0, version.1
                ),
            )
            .advise("convert it on Windows, for example with esentutl /d"));
        }
        if !matches!(self.filetype.get(), 0 | 1 | 5) || self.attrib.get() != 0 {
            return Err(Error::new(
                JetErr::FileInvalidType,
                format!(
                    "not a database: file type {}, attribute {} (expected type 1, attribute 0)",
                    self.filetype, self.attrib
                ),
            ));
        }
        let size = self.page_size()?;
        if !size.is_small() && version.1 < Self::UPDATE_MAJOR_LARGE_PAGES {
            return Err(Error::new(
                JetErr::InvalidDatabaseVersion,
                format!("pages of {size} bytes do not exist in format update {}", version.1),
            ));
        }
        Ok(())
    }

    /// Page size; 0 in the field means 4096.
    ///
    /// # Errors
    /// `JET_errPageSizeMismatch` for a number that is no page size.
    pub fn page_size(&self) -> Result<PageSize> {
        PageSize::from_bytes(self.cb_page_size.get())
    }

    /// State.
    #[must_use]
    pub fn state(&self) -> DbState {
        DbState::from_u32(self.dbstate.get())
    }

    /// Sets the state alone; see [`DbHeader::set_clean`].
    pub fn set_state(&mut self, state: DbState) {
        self.dbstate = state.to_u32().into();
    }

    /// Highest database time given out.
    #[must_use]
    pub fn dbtime(&self) -> DbTime {
        DbTime(self.dbtime_dirtied.get())
    }

    /// Sets the highest database time given out.
    pub fn set_dbtime(&mut self, dbtime: DbTime) {
        self.dbtime_dirtied = dbtime.0.into();
    }

    /// Can the database's clock be counted on?
    ///
    /// # Errors
    /// `JET_errDbTimeCorrupted` (-344) for a time that no database comes to.
    pub fn check_clock(&self) -> Result<()> {
        if self.dbtime() < DbTime::LIMIT {
            return Ok(());
        }
        let what =
            format!("the database's clock is at {}, which no database comes to", self.dbtime());
        Err(Error::new(JetErr::DbTimeCorrupted, what)
            .advise("the header is damaged: restore the file from a backup, or compact it"))
    }

    /// Highest object id given out.
    #[must_use]
    pub fn last_objid(&self) -> ObjId {
        ObjId(self.objid_last.get())
    }

    /// Sets the highest object id given out.
    pub fn set_last_objid(&mut self, objid: ObjId) {
        self.objid_last = objid.0.into();
    }

    /// The generations that recovery needs, first and last; both 0 when clean.
    #[must_use]
    pub fn required(&self) -> (Generation, Generation) {
        (Generation(self.gen_min_required.get()), Generation(self.gen_max_required.get()))
    }

    /// The last generation that may hold changes of this database; 0 when clean.
    #[must_use]
    pub fn committed(&self) -> Generation {
        Generation(self.gen_max_committed.get())
    }

    /// Turns the header of a database in use into that of a closed one: state, positions, and
    /// everything that names needed logs (edb-format 1.4). The page images are on disk already.
    pub fn set_clean(&mut self, at: LgPos, time: LogTime) {
        self.set_state(DbState::CleanShutdown);
        self.lgpos_consistent = at.into();
        self.logtime_consistent = time;
        self.set_last_resize(at);
        self.lgpos_detach = at.into();
        self.logtime_detach = time;
        self.gen_min_required = 0.into();
        self.gen_max_required = 0.into();
        self.gen_max_committed = 0.into();
        self.gen_min_consistent = 0.into();
        self.gen_pre_redo_min_consistent = 0.into();
        self.gen_pre_redo_min_required = 0.into();
        self.logtime_gen_max_create = LogTime::NULL;
        self.logtime_gen_max_required = LogTime::NULL;
        // A copy that was made consistent is a database like any other.
        self.bkinfo_full_cur = BkInfo::default();
        self.bkinfo_snapshot_cur = BkInfo::default();
    }

    /// The file has its length since this position at the latest. Databases of earlier updates keep
    /// no such position.
    pub fn set_last_resize(&mut self, at: LgPos) {
        if self.update_major.get() >= Self::UPDATE_MAJOR_LAST_RESIZE {
            self.lgpos_last_resize = at.into();
        }
    }

    /// Parts the file from its flush map and its revert snapshot, which know nothing of what we
    /// write: their owner sees by these signatures that they are of an older state, and makes
    /// them anew. Else it would take our pages for writes that were lost.
    pub(crate) fn part_from_companions(&mut self) {
        self.sign_db_hdr_flush = Signature::NULL;
        self.sign_flush_map_hdr_flush = Signature::NULL;
        self.sign_rbs_hdr_flush = Signature::NULL;
    }

    /// Does the database keep a second copy of its catalog? Bit 0 of the flags says that it does
    /// not (edb-format 1.1).
    #[must_use]
    pub fn has_shadow_catalog(&self) -> bool {
        self.db_flags.get() & 1 == 0
    }

    /// Is it a temporary database, for sorts and temporary tables? No database that can be attached
    /// looks like this. No log ever knew it, its pages have no checksums, and it has no catalog.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.dbid.get() == 0 && self.state() == DbState::JustCreated
    }

    /// Is this the header of a backup copy that has not been restored?
    #[must_use]
    pub fn is_backup_copy(&self) -> bool {
        self.bkinfo_full_cur != BkInfo::default() && self.state() != DbState::CleanShutdown
    }
}
