//! A log file of a finished generation as a stream of bytes (backup-log-recovery 4.5, 4.6).
//!
//! The file no longer changes, so a wrong checksum is damage, not a write under way: there is no
//! second attempt, and the whole backup is cancelled, because a set with a hole is no set.

use std::sync::Arc;

use ese_base::{Error, Generation, JetErr, Result, Signature, limits::LOG_SEGMENT_LEN};
use ese_log::layout::LogHeader;
use ese_os::{Env, File, OpenMode};
use ese_pages::checksum::{segment_checksum, stored_segment_checksum};

use super::pieces::{PIECE_LEN, read_ahead};
use crate::source::ArchivedLog;

/// A log file being read.
#[derive(Debug)]
pub(crate) struct LogReader {
    log: ArchivedLog,
    file: Arc<dyn File>,
    len: u64,
    position: u64,
    page_len: usize,
    signature: Signature,
}

impl LogReader {
    /// Opens the file; its contents are verified as they are read.
    pub(crate) fn open(
        env: &Env,
        log: ArchivedLog,
        page_len: usize,
        signature: Signature,
    ) -> Result<LogReader> {
        let file = env.fs.open(&log.path, OpenMode::Read)?;
        let len = file.len()?;
        Ok(LogReader { log, file, len, position: 0, page_len, signature })
    }

    pub(crate) fn generation(&self) -> Generation {
        self.log.generation
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn is_complete(&self) -> bool {
        // Checks run on what is read: an empty file would pass them all.
        self.position == self.len && self.len > 0
    }

    /// The shortest legal read and the unit of all (section 9, D28).
    pub(crate) fn check_len(&self, len: usize) -> Result<()> {
        let least = if self.position == 0 { 2 } else { 1 };
        if len.is_multiple_of(self.page_len) && len >= least * self.page_len {
            return Ok(());
        }
        Err(Error::new(
            JetErr::InvalidParameter,
            format!(
                "a read of {len} bytes of a log: expected a multiple of the page size {}, at \
                 least {least} page(s)",
                self.page_len
            ),
        ))
    }

    /// Fills `buf` with the next bytes; less only at the end.
    ///
    /// # Errors
    /// `JET_errLogReadVerifyFailure` (-612), and the file system's.
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        if self.len < LOG_SEGMENT_LEN as u64 {
            let len = self.len;
            return Err(self.damaged(format!("a log of {len} bytes, shorter than its header")));
        }
        let mut filled = 0;
        while filled < buf.len() && self.position < self.len {
            let left = usize::try_from(self.len - self.position).unwrap_or(usize::MAX);
            let count = left.min(buf.len() - filled).min(PIECE_LEN);
            let piece = buf.get_mut(filled..filled + count).unwrap_or_default();
            self.file.read_at(piece, self.position)?;
            if let Some((offset, len)) = read_ahead(self.position, self.position + count as u64) {
                self.file.will_need(offset, len);
            }
            self.verify(piece)?;
            self.position += count as u64;
            filled += count;
        }
        Ok(filled)
    }

    /// `piece` is what stands at the present position.
    fn verify(&self, piece: &[u8]) -> Result<()> {
        for (index, segment) in piece.chunks(LOG_SEGMENT_LEN).enumerate() {
            let isec = self.position / LOG_SEGMENT_LEN as u64 + index as u64;
            let verified = if isec == 0 {
                verify_header(segment, self)
            } else {
                verify_segment(segment, isec)
            };
            if let Err(what) = verified {
                return Err(self.damaged(what));
            }
        }
        Ok(())
    }

    #[track_caller]
    fn damaged(&self, what: String) -> Error {
        Error::new(JetErr::LogReadVerifyFailure, what)
            .at_path(&self.log.path)
            .at_generation(self.log.generation)
            .advise("the log is damaged: make a full backup after a clean shutdown")
    }
}

/// The first block of a log: its header, of this generation, stream and length.
fn verify_header(block: &[u8], log: &LogReader) -> Result<(), String> {
    let block = block
        .try_into()
        .map_err(|_| format!("the header has {} bytes, expected 4096", block.len()))?;
    let header = LogHeader::decode(block).map_err(|error| error.to_string())?;
    if header.generation != log.log.generation {
        return Err(format!(
            "the header says generation {:#x}, the name {:#x}",
            header.generation.0, log.log.generation.0
        ));
    }
    if header.signature != log.signature {
        return Err(format!(
            "log signature {}, expected {}: a log of another stream",
            header.signature, log.signature
        ));
    }
    if header.file_len() != log.len {
        return Err(format!("{} bytes, the header says {}", log.len, header.file_len()));
    }
    Ok(())
}

/// A segment is blank, or right for its place, or the shadow of the one before it (1A.2).
pub(crate) fn verify_segment(segment: &[u8], isec: u64) -> Result<(), String> {
    static BLANK: [u8; LOG_SEGMENT_LEN] = [0; LOG_SEGMENT_LEN];
    let segment: &[u8; LOG_SEGMENT_LEN] = segment
        .try_into()
        .map_err(|_| format!("segment {isec} has {} bytes, expected 4096", segment.len()))?;
    let number =
        u32::try_from(isec).map_err(|_| format!("segment {isec} is beyond the largest log"))?;
    let stored = stored_segment_checksum(segment);
    if stored == segment_checksum(segment, number) {
        return Ok(());
    }
    // A blank segment is checked second: it is rare, except behind the end of a short log.
    if segment == &BLANK || is_shadow(segment, isec) {
        return Ok(());
    }
    Err(format!("the checksum of segment {isec} is wrong: stored {stored:016x}"))
}

/// Is it the shadow of the segment before it? Where that one is damaged, a write was torn.
pub(crate) fn is_shadow(segment: &[u8], isec: u64) -> bool {
    let before = isec.checked_sub(1).and_then(|before| u32::try_from(before).ok());
    let segment: Option<&[u8; LOG_SEGMENT_LEN]> = segment.try_into().ok();
    segment.zip(before).is_some_and(|(segment, before)| {
        stored_segment_checksum(segment) == segment_checksum(segment, before)
    })
}
