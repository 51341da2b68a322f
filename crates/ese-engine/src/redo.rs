//! Redo: log records applied to pages that may or may not hold their changes already.
//!
//! A page tells by its dbtime what it holds (backup-log-recovery 1.6, rule 5): at or past the
//! record's it is left alone; before it, it must stand exactly where the record found it. Pages
//! that a record creates are not asked what they were: whatever lies there is older than the
//! record, or was written after it. Even a page that cannot be read is simply made again, since
//! everything it should hold was logged after its creation.
//!
//! A page that should be changed and is blank, or behind the end of the file, may have been cut off
//! or trimmed later, when nobody needed it any more: then a later record says so, or creates the
//! page anew. It is passed over and noted; if it is still missing when the log ends, that is
//! an error.
//!
//! The changes themselves are those of [`crate::op`], the same as at run time.

pub(crate) mod base;
mod group;

#[cfg(test)]
mod tests;

use ese_base::{DbTime, Error, ErrorKind, JetErr, LgPos, ObjId, Pgno, Result};
use ese_log::records::{
    ConvertFdp, CreateMultipleExtentFdp, CreateSingleExtentFdp, EmptyTree, Merge, PageHead,
    PageMove, Record, Scrub, Split,
};
use ese_pages::{PageMut, WriteGuard, cache::RdwGuard};

pub use group::redo_macro;

use crate::{
    database::Database,
    op::{
        self, Undone,
        fdp::{self, FdpPages},
        group::GroupPages,
        merge, moves, scrub,
    },
};
use group::Judged;

/// What a record came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// At least one page was changed.
    Applied,
    /// Every page held the change.
    Skipped,
    /// The record changes no page.
    NoPage,
}

impl Outcome {
    fn of(applied: bool) -> Outcome {
        if applied { Outcome::Applied } else { Outcome::Skipped }
    }
}

/// Redoes a record that stands alone (not in a macro group). `pos` and `end` are its place in the
/// log; `undone` is what an undo puts back, from the session's replayed changes.
///
/// # Errors
/// `JET_errDbTimeTooOld` (-566), `JET_errDbTimeTooNew` (-567), `JET_errInvalidLoggedOperation`
/// (-500) where record and page do not fit each other; the page cache's.
pub fn redo_page_record(
    db: &Database,
    record: &Record<'_>,
    pos: LgPos,
    end: LgPos,
    undone: Undone<'_>,
) -> Result<Outcome> {
    let at = Place { db, pos, end };
    match record {
        Record::CreateSingleExtentFdp(r) => at.create_single(r),
        Record::CreateMultipleExtentFdp(r) => at.create_multiple(r),
        Record::ConvertFdp(r) => at.convert(r),
        // A later record fills the page and does not look at what this one would leave; and
        // undo information belongs to the session, not to the page.
        Record::NewPage(_) | Record::UndoInfo(_) => Ok(Outcome::NoPage),
        Record::Split(Split { page, .. }) | Record::Merge(Merge { page, .. }) => {
            at.rest_of_group(page, record)
        }
        Record::EmptyTree(r) => at.empty_tree(r),
        Record::Scrub(r) => at.scrub(r),
        Record::PageMove(r) => at.page_move(r),
        other => match other.page_head() {
            Some(head) => at.node(head, record, undone),
            None => Ok(Outcome::NoPage),
        },
    }
}

/// What the node that a record changes was before, if the page still needs the record: key, data.
/// At run time the version store kept it; redo of a log that does not say it takes it from the
/// page, as ESE does.
///
/// # Errors
/// The page cache's.
pub fn node_before(db: &Database, head: &PageHead) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let page = match db.cache.read(head.pgno) {
        Ok(page) => page,
        Err(error) if error.kind() == ErrorKind::Io => return Err(error),
        // What is wrong with it is said when the record is applied.
        Err(_) => return Ok(None),
    };
    let iline = usize::from(head.iline.0);
    if page.page().dbtime() >= head.dbtime || iline >= page.page().node_count() {
        return Ok(None);
    }
    let node = page.page().node(iline);
    Ok(Some((node.key_to_vec(), node.data.to_vec())))
}

/// Does the page that a record names still need it? Told from its dbtime alone.
#[must_use]
pub fn needs(db: &Database, head: &PageHead) -> Outcome {
    let found = db.cache.read(head.pgno).map(|page| page.page().dbtime());
    Outcome::of(found.is_ok_and(|found| found < head.dbtime))
}

/// Where a record stands and what it is applied to.
#[derive(Clone, Copy)]
struct Place<'a> {
    db: &'a Database,
    pos: LgPos,
    end: LgPos,
}

impl<'a> Place<'a> {
    fn node(self, head: &PageHead, record: &Record<'_>, undone: Undone<'_>) -> Result<Outcome> {
        self.db.advance_dbtime(head.dbtime);
        let Some(mut guard) = self.existing(head.pgno, head.dbtime, head.dbtime_before)? else {
            return Ok(Outcome::Skipped);
        };
        let mut page = guard.page_mut();
        op::apply(record, &mut page, undone).map_err(|error| error.at_page(head.pgno))?;
        self.stamp(&mut guard, head.dbtime);
        Ok(Outcome::Applied)
    }

    /// A structure change without the beginning of its group. The replay of a backup set, and one
    /// without a checkpoint, begin with a generation, perhaps in the middle of a group. The
    /// checkpoint of that generation was behind the group's beginning, so its pages were written.
    fn rest_of_group(self, head: &PageHead, record: &Record<'_>) -> Result<Outcome> {
        self.db.advance_dbtime(head.dbtime);
        let found = self.dbtime_of(head.pgno)?;
        if found >= head.dbtime {
            return Ok(Outcome::Skipped);
        }
        Err(Error::new(
            JetErr::LogFileCorrupt,
            format!("a {} record outside a macro group", record.name()),
        )
        .at_page(head.pgno))
    }

    fn stamp(&self, guard: &mut WriteGuard<'_>, dbtime: DbTime) {
        guard.page_mut().set_dbtime(dbtime);
        guard.mark_dirty(self.pos, self.end);
    }

    /// Content that nobody needs was overwritten.
    fn scrub(self, r: &Scrub<'_>) -> Result<Outcome> {
        let PageHead { pgno, dbtime, dbtime_before, .. } = r.node.page;
        self.db.advance_dbtime(dbtime);
        // An unused page may never have been written, or have been cut off since.
        if scrub::is_of_unused_page(r) && self.dbtime_of(pgno)? == DbTime(0) {
            return Ok(Outcome::Skipped);
        }
        let Some(mut guard) = self.existing(pgno, dbtime, dbtime_before)? else {
            return Ok(Outcome::Skipped);
        };
        scrub::apply(r, &mut guard.page_mut())?;
        self.stamp(&mut guard, dbtime);
        Ok(Outcome::Applied)
    }

    fn page_move(self, r: &PageMove<'_>) -> Result<Outcome> {
        let dbtime = r.page.dbtime;
        self.db.advance_dbtime(dbtime);
        let mut pages = GroupPages::new();
        let mut judged = Judged::new(self, dbtime, &mut pages);
        judged.moved(r)?;
        let applied = judged.outcomes().contains(&Outcome::Applied);
        moves::apply(r, &mut pages, self.db.page_size())?;
        pages.stamp(dbtime, self.pos, self.end);
        Ok(Outcome::of(applied))
    }

    /// A page that exists and needs the change; `None` if it has it.
    fn existing(
        &self,
        pgno: Pgno,
        dbtime: DbTime,
        before: DbTime,
    ) -> Result<Option<WriteGuard<'a>>> {
        // Most pages of a log that ends in a crash hold nearly all of it: look before latching for
        // writing, which would give the page a frame.
        let page = match self.db.cache.rdw(pgno) {
            Ok(page) => Some(page),
            Err(error) if is_blank(&error) => None,
            Err(error) => return Err(error),
        };
        let found = page.as_ref().map_or(DbTime(0), |page| page.page().dbtime());
        if found >= dbtime {
            return Ok(None);
        }
        if found == DbTime(0) {
            self.db.note_missing(pgno, wrong_time(pgno, found, before, dbtime));
            return Ok(None);
        }
        if before != DbTime::NOT_CHECKED && found != before {
            return Err(wrong_time(pgno, found, before, dbtime));
        }
        page.map(RdwGuard::upgrade).transpose()
    }

    /// What a page says; 0 for one that was never written, or is not in the file.
    fn dbtime_of(&self, pgno: Pgno) -> Result<DbTime> {
        match self.db.cache.read(pgno) {
            Ok(guard) => Ok(guard.page().dbtime()),
            Err(error) if is_blank(&error) => Ok(DbTime(0)),
            Err(error) => Err(error),
        }
    }

    /// A page that the record creates; `None` if it was created and written before.
    fn created(&self, pgno: Pgno, dbtime: DbTime) -> Result<Option<WriteGuard<'a>>> {
        self.db.forget_missing(pgno..=pgno);
        // Logs of the first 8.4000 versions do not tell of the file's growth.
        if self.db.file.page_count() < pgno.0 {
            self.db.file.grow(pgno)?;
        }
        // Nothing was there before redo began; what redo has put there since is in memory, or older
        // than the record that it has come to now.
        if !self.db.was_in_file(pgno) {
            let loaded = self.db.cache.read_loaded(pgno);
            if loaded.is_some_and(|guard| guard.page().dbtime() >= dbtime) {
                return Ok(None);
            }
            return self.db.cache.write_new(pgno).map(Some);
        }
        match self.db.cache.read(pgno) {
            Ok(guard) if guard.page().dbtime() >= dbtime => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Io => return Err(error),
            Ok(_) | Err(_) => {}
        }
        self.db.cache.write_new(pgno).map(Some)
    }

    fn create_single(self, r: &CreateSingleExtentFdp) -> Result<Outcome> {
        self.saw(r.page.dbtime, r.objid);
        let Some(mut fdp) = self.created(r.page.pgno, r.page.dbtime)? else {
            return Ok(Outcome::Skipped);
        };
        fdp::create_single(r, &mut fdp.page_mut())?;
        self.stamp(&mut fdp, r.page.dbtime);
        Ok(Outcome::Applied)
    }

    fn create_multiple(self, r: &CreateMultipleExtentFdp) -> Result<Outcome> {
        let dbtime = r.page.dbtime;
        self.saw(dbtime, r.objid);
        let mut three = [
            self.created(r.page.pgno, dbtime)?,
            self.created(r.pgno_oe, dbtime)?,
            self.created(r.pgno_ae, dbtime)?,
        ];
        fdp::create_multiple(r, &mut pages_of(&mut three))?;
        Ok(self.stamp_all(&mut three, dbtime))
    }

    fn convert(self, r: &ConvertFdp) -> Result<Outcome> {
        let dbtime = r.page.dbtime;
        self.saw(dbtime, r.objid);
        let mut three = [
            self.existing(r.page.pgno, dbtime, r.page.dbtime_before)?,
            self.created(r.pgno_oe, dbtime)?,
            self.created(r.pgno_ae, dbtime)?,
        ];
        fdp::convert(r, &mut pages_of(&mut three))?;
        Ok(self.stamp_all(&mut three, dbtime))
    }

    fn empty_tree(self, r: &EmptyTree<'_>) -> Result<Outcome> {
        let PageHead { pgno, dbtime, dbtime_before, .. } = r.node.page;
        self.db.advance_dbtime(dbtime);
        let mut guards = vec![self.existing(pgno, dbtime, dbtime_before)?];
        if let Some(Some(root)) = guards.first_mut() {
            merge::empty_root(r, &mut root.page_mut())?;
        }
        for page in r.pages() {
            let mut guard = self.existing(page.pgno, dbtime, page.dbtime_before)?;
            if let Some(guard) = &mut guard {
                merge::empty_page_of_tree(r, page.pgno, &mut guard.page_mut());
            }
            guards.push(guard);
        }
        Ok(self.stamp_all(&mut guards, dbtime))
    }

    fn saw(&self, dbtime: DbTime, objid: ObjId) {
        self.db.advance_dbtime(dbtime);
        self.db.advance_objid(objid);
    }

    fn stamp_all(&self, guards: &mut [Option<WriteGuard<'_>>], dbtime: DbTime) -> Outcome {
        let mut applied = false;
        for guard in guards.iter_mut().flatten() {
            self.stamp(guard, dbtime);
            applied = true;
        }
        Outcome::of(applied)
    }
}

/// Says the error that the page was never written, or is not in the file?
fn is_blank(error: &Error) -> bool {
    matches!(error.code(), JetErr::PageNotInitialized | JetErr::FileIOBeyondEOF)
}

fn pages_of<'p>(guards: &'p mut [Option<WriteGuard<'_>>; 3]) -> FdpPages<'p> {
    let [fdp, oe, ae] = guards.each_mut().map(|guard| guard.as_mut().map(page_mut));
    FdpPages { fdp, oe, ae }
}

fn page_mut<'p>(guard: &'p mut WriteGuard<'_>) -> PageMut<'p> {
    guard.page_mut()
}

#[cold]
fn wrong_time(pgno: Pgno, found: DbTime, before: DbTime, dbtime: DbTime) -> Error {
    let (code, what) = if found < before || before == DbTime::NOT_CHECKED {
        (JetErr::DbTimeTooOld, "an earlier write of the page was lost")
    } else {
        (JetErr::DbTimeTooNew, "the page belongs to another history than this log")
    };
    Error::new(
        code,
        format!(
            "the page has dbtime {found}, the log changes it from {before} to {dbtime}: {what}"
        ),
    )
    .at_page(pgno)
    .advise("restore the database from a backup and replay all logs since then")
}
