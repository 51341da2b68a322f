//! A database as a stream of bytes (backup-log-recovery 4.5, 4.6): the saved header twice, every
//! page up to the last one at the time of opening, and one trailer page.
//!
//! Pages come from the *file*, by plain reads of up to 256 KiB straight into the caller's buffer.
//! While a piece is read, the range lock keeps the flusher off these pages alone, so no page is
//! torn by our own writes; nobody but the flusher waits. A page that changes after it was read
//! reaches the restored copy from the log. Every page is verified before it leaves; one that is
//! wrong is read again with growing pauses, without the lock, until the stop is given.

use std::{path::Path, time::Duration};

use ese_base::{BkInfo, Error, Generation, JetErr, PageSize, Pgno, Result};
use ese_pages::{
    DbHeader,
    db_file::{AfterFault, PageFault},
    header::BackupTrailer,
};

use super::{
    pieces::{PIECE_LEN, read_ahead},
    stop::{PauseBy, Sleeper, StopSwitch},
};
use crate::source::{AttachedDatabase, BackupSource};

/// Attempts after the first one at a page that is wrong.
const RETRIES: u32 = 16;
/// The pause before attempt `n` is `n` times this.
const PAUSE_STEP: Duration = Duration::from_millis(100);
/// Pages of a stream before page 1: header and shadow.
const HEADER_PAGES: u64 = 2;

/// What a reading call brings along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadContext<'a> {
    pub(crate) source: &'a dyn BackupSource,
    pub(crate) stop: &'a StopSwitch,
    pub(crate) sleeper: &'a Sleeper,
    pub(crate) pauses: PauseBy,
}

impl ReadContext<'_> {
    /// True: the stop was given.
    fn pause(&self, time: Duration) -> bool {
        let clock = self.source.env().clock.as_ref();
        self.stop.pause(self.sleeper, clock, self.pauses, time)
    }
}

/// A database being read.
#[derive(Debug)]
pub(crate) struct DatabaseReader {
    database: AttachedDatabase,
    page_size: PageSize,
    /// One header page with the mark of this backup in it.
    header_page: Vec<u8>,
    last: Pgno,
    /// Mark and first generation of the backup.
    info: BkInfo,
    /// Next page of the stream: 0 and 1 are the header, `n + 1` is page `n`.
    next: u64,
    corrected: u64,
}

impl DatabaseReader {
    /// Saves the header; then asks for the last page (in this order: the header's
    /// generations cover every page that the size does not show yet).
    pub(crate) fn open(
        database: AttachedDatabase,
        info: BkInfo,
        source: &dyn BackupSource,
    ) -> Result<DatabaseReader> {
        let mut header = database.file.header();
        header.bkinfo_full_cur = BkInfo { gen_high: 0.into(), ..info };
        let header_page = header.encode()?;
        let last = source.last_page(&database)?;
        let page_size = database.file.page_size();
        Ok(DatabaseReader { database, page_size, header_page, last, info, next: 0, corrected: 0 })
    }

    /// Passes over the first bytes, which were copied before: whole pages, the header among them.
    /// The value is what was passed over; nothing if the file is shorter by now.
    pub(crate) fn skip(&mut self, bytes: u64) -> u64 {
        let page = self.page_size.bytes_u64();
        let pages = bytes / page;
        let whole = bytes.is_multiple_of(page);
        if !whole || pages < HEADER_PAGES || pages >= self.pages() {
            return 0;
        }
        self.next = pages;
        pages * page
    }

    pub(crate) fn database(&self) -> &AttachedDatabase {
        &self.database
    }

    /// Bytes of the whole stream.
    pub(crate) fn len(&self) -> u64 {
        self.pages() * self.page_size.bytes_u64()
    }

    /// Was everything delivered?
    pub(crate) fn is_complete(&self) -> bool {
        self.next == self.pages()
    }

    /// Pages whose checksum was right only after bits were flipped back.
    pub(crate) fn corrected(&self) -> u64 {
        self.corrected
    }

    /// Header, shadow, pages, trailer.
    fn pages(&self) -> u64 {
        u64::from(self.last.0) + HEADER_PAGES + 1
    }

    /// The shortest legal read and the unit of all (section 9, D28).
    pub(crate) fn check_len(&self, len: usize) -> Result<()> {
        let page = self.page_size.bytes();
        let least = if self.next == 0 { 3 } else { 1 };
        if len.is_multiple_of(page) && len >= least * page {
            return Ok(());
        }
        Err(Error::new(
            JetErr::InvalidParameter,
            format!(
                "a read of {len} bytes: expected a multiple of the page size {page}, at least \
                 {least} page(s)"
            ),
        ))
    }

    /// Fills `buf` with the next pages; less only at the end.
    ///
    /// After an error the position is that of the call's begin, but the database counts as
    /// failed; only a stop leaves it as it was.
    pub(crate) fn read(&mut self, context: ReadContext<'_>, buf: &mut [u8]) -> Result<usize> {
        let page = self.page_size.bytes();
        let mut next = self.next;
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| rest.len() >= page) {
            if next == self.pages() {
                break;
            }
            let took = if next < HEADER_PAGES {
                copy_page(rest, &self.header_page)
            } else if next + 1 == self.pages() {
                let trailer = self.trailer(context.source.current_generation());
                copy_page(rest, &trailer.encode(self.page_size))
            } else {
                self.read_piece(context, next, rest)?
            };
            next += (took / page) as u64;
            filled += took;
        }
        self.next = next;
        Ok(filled)
    }

    /// Reads and verifies pages from `next` on, as many as fit into `rest` and into one piece.
    fn read_piece(
        &mut self,
        context: ReadContext<'_>,
        next: u64,
        rest: &mut [u8],
    ) -> Result<usize> {
        let page = self.page_size.bytes();
        let first = pgno_at(next)?;
        let wanted = u64::from(self.last.0 - first.0) + 1;
        let room = rest.len().min(PIECE_LEN) / page;
        let count = usize::try_from(wanted).unwrap_or(usize::MAX).min(room);
        let piece = rest.get_mut(..count * page).unwrap_or_default();
        // The device fetches the next piece while this one is verified and written.
        let page_len = page as u64;
        let end = next + count as u64;
        if let Some((offset, len)) = read_ahead(next * page_len, end * page_len) {
            let behind = pgno_at(offset / page_len)?;
            let left = u64::from((self.last.0 + 1).saturating_sub(behind.0));
            let pages = u32::try_from(left.min(len / page_len)).unwrap_or(0);
            self.database.file.read_ahead(behind, pages);
        }
        let path = &self.database.path;
        let mut on_fault = |fault: &PageFault<'_>| settle(context, path, fault);
        let corrected = self.database.file.read_for_backup(first, piece, &mut on_fault)?;
        self.corrected += u64::from(corrected);
        Ok(count * page)
    }

    /// Ties the copy to the log range that makes it consistent. Made after the last page was
    /// read: every change in a page that was read is in a generation up to `current`.
    fn trailer(&self, current: Generation) -> BackupTrailer {
        let header: DbHeader = self.database.file.header();
        let high = current.0.max(header.gen_max_committed.get());
        BackupTrailer {
            bkinfo: BkInfo { gen_high: high.into(), ..self.info },
            sign_db: header.sign_db,
            sign_log: header.sign_log,
            gen_min_required: header.gen_min_required,
            gen_max_required: header.gen_max_required,
            gen_max_committed: header.gen_max_committed,
            logtime_gen_max_required: header.logtime_gen_max_required,
            logtime_gen_max_committed: header.logtime_gen_max_create,
            ..BackupTrailer::default()
        }
    }
}

fn pgno_at(stream_page: u64) -> Result<Pgno> {
    u32::try_from(stream_page - 1).map(Pgno).map_err(|_| {
        Error::new(JetErr::InternalError, format!("page {stream_page} of a database stream"))
    })
}

fn copy_page(to: &mut [u8], page: &[u8]) -> usize {
    match to.get_mut(..page.len()) {
        Some(to) => {
            to.copy_from_slice(page);
            page.len()
        }
        None => 0,
    }
}

/// What to do about a page that is wrong: look again, at once the first time if one bit is
/// flipped, else after growing pauses; then take what could be corrected, or give up.
fn settle(context: ReadContext<'_>, path: &Path, fault: &PageFault<'_>) -> Result<AfterFault> {
    tracing::warn!(%fault, "a page is wrong in the file");
    if fault.correctable {
        let again = fault.attempt == 1;
        return Ok(if again { AfterFault::Retry } else { AfterFault::TakeCorrected });
    }
    // A page whose checksum is right was written as it is.
    let may_change = matches!(
        fault.error.code(),
        JetErr::ReadVerifyFailure | JetErr::PageNotInitialized | JetErr::DiskIO
    );
    if fault.attempt > RETRIES || !may_change {
        return Ok(AfterFault::GiveUp);
    }
    if context.pause(PAUSE_STEP * fault.attempt) {
        return Err(Error::new(
            JetErr::BackupAbortByServer,
            format!("the backup was stopped while a damaged page was read again: {}", fault.error),
        )
        .at_path(path)
        .at_page(fault.pgno));
    }
    Ok(AfterFault::Retry)
}
