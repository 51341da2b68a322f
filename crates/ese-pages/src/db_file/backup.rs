//! Reading pages for a backup: from the file, under the range lock, each one verified.

use std::fmt;

use ese_base::{Error, JetErr, Pgno, Result};

use super::DbFile;
use crate::{
    checksum::{self, Verdict},
    page::PageRef,
    validate::{Validate, validate},
};

/// A page that did not verify.
#[derive(Debug)]
pub struct PageFault<'a> {
    /// The page.
    pub pgno: Pgno,
    /// How often it was read so far, from 1.
    pub attempt: u32,
    /// What is wrong.
    pub error: &'a Error,
    /// Flipped bits could be put right, and the structure is sound then.
    pub correctable: bool,
}

/// What to do with a page that did not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFault {
    /// Read it again. The caller has waited as long as it finds right; nothing was locked.
    Retry,
    /// Take the corrected page, if it could be corrected, else give up.
    TakeCorrected,
    /// Give up with the page's error.
    GiveUp,
}

impl fmt::Display for PageFault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {}, attempt {}: {}", self.pgno, self.attempt, self.error)
    }
}

impl DbFile {
    /// Reads consecutive pages from `first` on, as many as `pages` holds, and verifies each
    /// (checksum, page number, structure; blank pages are allowed). The flusher keeps off the
    /// pages while they are read, so none is half written. The cache is not looked at: what it has
    /// and the file has not, the log has.
    ///
    /// `on_fault` is asked about every page that does not verify, as often as it does not; the
    /// range is not locked then. Its own error ends the reading (a stop, for instance). Gives the
    /// number of corrected pages.
    ///
    /// # Errors
    /// `JET_errFileIOBeyondEOF` (-4001), `JET_errDiskIO` (-1022), those of a page given up, those
    /// of `on_fault`; `JET_errInvalidParameter` (-1003) if `pages` is not a number of whole pages.
    pub fn read_for_backup(
        &self,
        first: Pgno,
        pages: &mut [u8],
        on_fault: &mut dyn FnMut(&PageFault<'_>) -> Result<AfterFault>,
    ) -> Result<u32> {
        let page_len = self.page_size().bytes();
        let count = u32::try_from(pages.len() / page_len).unwrap_or(u32::MAX);
        if count == 0 || !pages.len().is_multiple_of(page_len) {
            return Err(Error::new(
                JetErr::InvalidParameter,
                format!("a buffer of {} bytes does not hold whole pages", pages.len()),
            ));
        }
        self.check_in_file(first)?;
        let last = Pgno(first.0.saturating_add(count - 1));
        self.check_in_file(last)?;
        // An unreadable page makes the read of the whole range fail: then each is read alone.
        let together = self.read_held(first, last, pages);
        let mut corrected = 0;
        for (page, pgno) in pages.chunks_exact_mut(page_len).zip(first.0..) {
            let read = match &together {
                Ok(()) => Ok(()),
                Err(_) => self.read_held(Pgno(pgno), Pgno(pgno), page),
            };
            corrected += self.settle_page(Pgno(pgno), page, read, on_fault)?;
        }
        Ok(corrected)
    }

    /// Says that `count` pages from `first` on will be read soon. Only a hint.
    pub fn read_ahead(&self, first: Pgno, count: u32) {
        if count > 0 {
            let len = u64::from(count) * self.page_size().bytes_u64();
            self.file().will_need(self.page_size().offset_of(first), len);
        }
    }

    fn read_held(&self, first: Pgno, last: Pgno, pages: &mut [u8]) -> Result<()> {
        let _hold = self.ranges().hold(first, last);
        self.file()
            .read_at(pages, self.page_size().offset_of(first))
            .map_err(|error| error.at_path(self.path()).at_page(first))
    }

    /// Repeats until the page verifies or is given up; 1 if it was corrected.
    fn settle_page(
        &self,
        pgno: Pgno,
        page: &mut [u8],
        mut read: Result<()>,
        on_fault: &mut dyn FnMut(&PageFault<'_>) -> Result<AfterFault>,
    ) -> Result<u32> {
        let mut attempt = 1;
        loop {
            let (error, repaired) = match read.and_then(|()| self.inspect(pgno, page)) {
                Ok(None) => return Ok(0),
                Ok(Some((error, repaired))) => (error, Some(repaired)),
                Err(error) => (error, None),
            };
            let correctable = repaired.is_some();
            match on_fault(&PageFault { pgno, attempt, error: &error, correctable })? {
                AfterFault::Retry => {}
                AfterFault::TakeCorrected => {
                    let Some(repaired) = repaired else { return Err(error) };
                    tracing::warn!(%error, "a corrected page goes into the backup");
                    page.copy_from_slice(&repaired);
                    return Ok(1);
                }
                AfterFault::GiveUp => return Err(error),
            }
            attempt += 1;
            read = self.read_held(pgno, pgno, page);
        }
    }

    /// `Ok(None)`: sound. `Ok(Some)`: a repair would make it sound, here it is.
    fn inspect(&self, pgno: Pgno, page: &[u8]) -> Result<Option<(Error, Vec<u8>)>> {
        let judge = |bytes: &[u8]| {
            validate(PageRef::new(bytes, self.page_size()), pgno, Validate::Backup)
                .map_err(|error| error.at_path(self.path()))
        };
        match checksum::check(page, pgno) {
            Verdict::Blank => Ok(None),
            Verdict::Good => judge(page).map(|()| None),
            verdict => {
                let error = checksum::verdict_error(verdict, pgno).at_path(self.path());
                let mut repaired = page.to_vec();
                match checksum::repair(&mut repaired, pgno) {
                    Ok(_) if judge(&repaired).is_ok() => Ok(Some((error, repaired))),
                    // No set is made of a file with such a page, whatever the page is.
                    _ => Err(error.advise(
                        "restore the database from a backup; if `ese verify` says that no tree \
                         uses the page, `ese compact` makes a sound copy",
                    )),
                }
            }
        }
    }
}
