//! Where a stream ended: what [`crate::Log::resume`] needs to go on there.

use std::{collections::BTreeMap, path::PathBuf};

use ese_base::{Generation, LgPos, LogTime, PageSize, Signature};

use super::{
    segments::FileEnd,
    stream::{LogStream, Situation},
};
use crate::{
    LogNames,
    layout::{HeaderFlags, LogHeader, LogVersion, SegmentBytes},
};

/// The end of a stream that was read to its end.
#[derive(Clone, Debug)]
pub struct StreamEnd {
    pub(crate) names: LogNames,
    /// The newest file.
    pub(crate) path: PathBuf,
    pub(crate) situation: Situation,
    pub(crate) archives: BTreeMap<Generation, PathBuf>,
    pub(crate) signature: Signature,
    pub(crate) generation: Generation,
    pub(crate) created: LogTime,
    pub(crate) version: LogVersion,
    pub(crate) page_size: PageSize,
    pub(crate) sectors: u16,
    pub(crate) circular_history: bool,
    pub(crate) file: FileEnd,
    /// The last segment as it was read, perhaps from its shadow.
    pub(crate) last_segment: Option<Box<SegmentBytes>>,
    /// A record that began here in the last file has no end.
    pub(crate) unfinished: Option<LgPos>,
    last_record: Option<(LgPos, u8)>,
}

impl StreamEnd {
    pub(super) fn new(
        stream: &LogStream,
        header: &LogHeader,
        file: FileEnd,
        last_segment: Option<Box<SegmentBytes>>,
        unfinished: Option<LgPos>,
        last_record: Option<(LgPos, u8)>,
    ) -> StreamEnd {
        let circular = HeaderFlags::CIRCULAR | HeaderFlags::CIRCULAR_HISTORY;
        StreamEnd {
            names: stream.names().clone(),
            path: stream.newest_path(),
            situation: stream.situation(),
            archives: stream.archives().map(|(n, file)| (n, file.path.clone())).collect(),
            signature: header.signature,
            generation: header.generation,
            created: header.created,
            version: header.version,
            page_size: header.page_size,
            sectors: header.sectors,
            circular_history: header.flags.intersects(circular),
            file,
            last_segment,
            unfinished,
            last_record,
        }
    }

    /// The same end, but before the record that begins at `pos`, which is in the last file: that
    /// one and all behind it are removed when the log is resumed here.
    #[must_use]
    pub fn cut_at(mut self, pos: LgPos) -> StreamEnd {
        let inside = pos.generation == self.generation && pos.isec <= self.file.last;
        let earlier = self.unfinished.is_none_or(|unfinished| pos < unfinished);
        if inside && earlier {
            self.unfinished = Some(pos);
        }
        self
    }

    /// The newest generation.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// When it was begun.
    #[must_use]
    pub fn created(&self) -> LogTime {
        self.created
    }

    /// The stream's signature.
    #[must_use]
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Bytes of a log file of this stream.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        u64::from(self.sectors) * 4096
    }

    /// Page size that the headers name.
    #[must_use]
    pub fn page_size(&self) -> PageSize {
        self.page_size
    }

    /// The last record: its position and type. `None` if nothing was read.
    #[must_use]
    pub fn last_record(&self) -> Option<(LgPos, u8)> {
        self.last_record
    }

    /// Did the last run end cleanly: is the last record a Term or the end of a recovery?
    #[must_use]
    pub fn ended_cleanly(&self) -> bool {
        // Term, Term2, RecoveryQuit, RecoveryQuit2 and RecoveryQuitKeepAttachments, by number:
        // those of old logs have no fields that anybody reads.
        matches!(self.last_record, Some((_, 2 | 18 | 50 | 52 | 80)))
    }

    /// Was the tail torn, so that resuming has to repair it?
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.file.repair || !self.file.remains.is_empty() || self.unfinished.is_some()
    }
}
