//! The length of database files.

use ese_base::{Pgno, Result};

use super::{Attached, Instance, ShrinkMode};
use crate::{
    space::{self, FileSize},
    tree::Writer,
};

/// Fewer free pages at the end than this are left where they are while others work.
const WORTH_CUTTING: u32 = 256;

impl Instance {
    /// Makes a database own at least `pages` pages. Gives the number that it owns.
    ///
    /// # Errors
    /// `JET_errDatabaseFileReadOnly` (-1008), and as [`space::grow_file`].
    pub fn grow_database(&self, attached: &Attached, pages: u32) -> Result<u32> {
        self.check()?;
        attached.db.file.check_writable()?;
        self.system_work(|procid| space::grow_file(&attached.db, Writer::system(procid), pages))
    }

    /// Cuts free pages at the end of a database file off, but leaves `least` pages. Gives the
    /// number of pages that the database owns now. While a backup is in progress nothing happens.
    ///
    /// # Errors
    /// `JET_errDatabaseFileReadOnly` (-1008), and as [`space::shrink_file`].
    pub fn shrink_database(&self, attached: &Attached, least: u32) -> Result<u32> {
        self.check()?;
        attached.db.file.check_writable()?;
        self.cut_off(attached, least)
    }

    fn cut_off(&self, attached: &Attached, least: u32) -> Result<u32> {
        let db = &attached.db;
        let before = db.file.page_count();
        let shrunk =
            self.system_work(|procid| space::shrink_file(db, Writer::system(procid), least));
        let pages = shrunk.inspect_err(|error| {
            // A device that fails here leaves a file of unknown length.
            if db.file.check_writable().is_err() {
                self.poison(error);
            }
        })?;
        if db.file.page_count() < before {
            let now = self.env.clock.log_time();
            db.file.update_header(|header| {
                header.shrink_count = header.shrink_count.get().saturating_add(1).into();
                header.logtime_last_shrink = now;
            })?;
        }
        Ok(pages)
    }

    /// Before a database becomes clean.
    pub(super) fn shrink_at_detach(&self, attached: &Attached) -> Result<()> {
        if self.config.shrink < ShrinkMode::AtDetach || attached.is_read_only() {
            return Ok(());
        }
        self.cut_off(attached, 0).map(|_| ())
    }

    /// Cuts off what came free since the last time, where that is worth it.
    pub(super) fn shrink_behind(&self) -> Result<()> {
        if self.config.shrink < ShrinkMode::Always {
            return Ok(());
        }
        for attached in self.databases() {
            if !attached.db.take_root_freed() {
                continue;
            }
            let size = |procid| space::file_size(&attached.db, Writer::system(procid));
            let FileSize { last: Pgno(last), used: Pgno(used) } = self.system_work(size)?;
            // Some stays, so that the file does not go to and fro.
            let spare = last / 16;
            let free = (last - used).saturating_sub(spare);
            if free >= WORTH_CUTTING.max(last / 8) {
                self.cut_off(&attached, used.saturating_add(spare))?;
            }
        }
        Ok(())
    }
}
