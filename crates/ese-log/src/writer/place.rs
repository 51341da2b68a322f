//! Writing segments so that nothing acknowledged can be torn.
//!
//! A power cut may tear every write that was not synced, sector by sector. A segment that has been
//! acknowledged while it was not full must be written again, longer; if that happened in place,
//! the cut could destroy what had been acknowledged. So an open segment `k` has two places: its
//! own, and the next one ("shadow"), and at each moment one of them is the *holder* of the last
//! acknowledged version: durable, and not being written.
//!
//! * First version: written to both places at once and synced. Nothing in it was acknowledged
//!   before. Afterwards both are holders.
//! * A longer version goes to a place that is not the only holder, is synced (that place is the
//!   holder now) and is then mirrored to the other place without a sync. So after a mere kill of
//!   the process both places have the newest version.
//! * Before segment `k + 1` is written, which overwrites the shadow, the own place must be a
//!   holder of the final version: one more sync, if the shadow is the only holder.
//!
//! A segment that is closed at once is written to both places, too. It needs no second holder, but
//! as long as it is the last one, the copy makes good whatever damages either place later.
//!
//! A shadow that is the only holder costs a sync that acknowledges nothing.
//! [`Writer::keep_open`] avoids it: it foresees how many more versions will fit, closes a segment
//! early if the last one would end on the shadow, and closes it at once if batches are large.
//!
//! Segments that were never written are written together in one write, whatever their number. They
//! may wait for their sync: a segment says how far everything was durable when it was written, so a
//! reader takes those that a power cut kept behind one that it lost for what they are, the remains
//! of an end that nobody was promised.

use std::sync::Arc;

use ese_base::{Error, Generation, JetErr, LogTime, Result, plant};
use ese_os::File;

use crate::{
    buffer::{TailView, Taken},
    layout::{SEGMENT_LEN, Stamp, seal_as, stored_checksum},
};

/// Where the last acknowledged version of the open segment is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Own,
    Shadow,
    Both,
}

/// The last segment, if it was written while not full.
#[derive(Clone, Copy, Debug)]
struct Tail {
    isec: u16,
    holder: Holder,
    /// Checksum of its newest version.
    checksum: u64,
}

/// Writes the segments of one generation after the other. Used by one thread at a time.
#[derive(Debug)]
pub(crate) struct Writer {
    /// `None` until the first roll of a stream that has no current file.
    file: Option<Arc<dyn File>>,
    pub(crate) generation: Generation,
    /// When this generation was begun.
    pub(crate) created: LogTime,
    tail: Option<Tail>,
    /// Where [`Writer::keep_open`] wants the next version of the tail.
    wanted: Holder,
    /// The first segment that was written since the last sync; `None`: all are durable. Those from
    /// it on are never rewritten before a sync, because a tail that stays open is made durable at
    /// once ([`Writer::write`]).
    unsynced: Option<u16>,
    /// A place was written after the last sync that no round has to wait for: the mirror of a
    /// segment that is durable at its other place.
    mirrored: bool,
    /// XOR of the checksums of the finished segments.
    sum: u64,
    /// What goes out in one write.
    scratch: Vec<u8>,
    /// Syncs of log data so far.
    pub(crate) syncs: u64,
}

impl Writer {
    /// A writer that goes on in a generation whose finished segments are durable at their own
    /// places and whose checksums XOR to `sum`.
    pub(crate) fn new(
        file: Option<Arc<dyn File>>,
        generation: Generation,
        created: LogTime,
        sum: u64,
    ) -> Writer {
        Writer {
            file,
            generation,
            created,
            tail: None,
            wanted: Holder::Own,
            unsynced: None,
            mirrored: false,
            sum,
            scratch: Vec::new(),
            syncs: 0,
        }
    }

    /// Goes over to a new generation. Everything of the last one is durable.
    pub(crate) fn enter(&mut self, file: Arc<dyn File>, generation: Generation, created: LogTime) {
        self.file = Some(file);
        self.generation = generation;
        self.created = created;
        self.tail = None;
        self.sum = 0;
    }

    /// Decides, when a batch is taken, whether more may be added to its last segment later.
    ///
    /// The next batches are expected to be as large as this one. A segment that has no room for
    /// two more of them is closed: the second would have to be split between it and the next, and
    /// then costs a sync of its own. While a segment is open its versions alternate between the
    /// two places, so the number of versions to come decides where to begin.
    pub(crate) fn keep_open(&mut self, tail: TailView) -> bool {
        let fitting = tail.room / tail.grown.max(1);
        let holder = match self.tail {
            Some(own) if tail.rewritten && own.isec == tail.isec => own.holder,
            // A first version goes to both places.
            _ => return fitting >= 2,
        };
        // Versions that come after this one, if all goes on as it does.
        let to_come = fitting.saturating_sub(1);
        match holder {
            Holder::Both => {
                let own_last = to_come.is_multiple_of(2);
                self.wanted = if own_last { Holder::Own } else { Holder::Shadow };
                fitting >= 2
            }
            // This version goes to its own place. If just one more came, that one would end on
            // the shadow: better to close the segment now.
            Holder::Shadow => fitting >= 2 && to_come != 1,
            // This version goes to the shadow, so it should not be the last.
            Holder::Own => fitting >= 1,
        }
    }

    /// Writes segments of this generation, durably once [`Writer::make_durable`] has returned.
    /// They follow each other; the first may be a longer version of the tail. `last_open`: the last
    /// one will get longer; then `make_durable` must come before the next call.
    ///
    /// # Errors
    /// `JET_errLogWriteFail` (-510); what is on the disk is unknown then.
    pub(crate) fn write(&mut self, segments: &mut [Taken], last_open: bool) -> Result<()> {
        match segments {
            [] => Ok(()),
            [first] if first.rewritten => self.rewrite(first, last_open),
            [first, fresh @ ..] if first.rewritten => {
                self.finish(first)?;
                self.write_fresh(fresh, last_open)
            }
            fresh => {
                self.settle()?;
                self.write_fresh(fresh, last_open)
            }
        }
    }

    /// A longer version of the tail, alone.
    fn rewrite(&mut self, segment: &mut Taken, open: bool) -> Result<()> {
        debug_assert_eq!(self.unsynced, None, "a tail was made durable when it was left open");
        let holder = self.tail.map_or(Holder::Both, |tail| tail.holder);
        let target = match (holder, open) {
            (Holder::Own, _) => Holder::Shadow,
            (Holder::Shadow, _) | (Holder::Both, false) => Holder::Own,
            (Holder::Both, true) => self.wanted,
        };
        let target = if plant!("log-rewrite-in-place") { Holder::Own } else { target };
        let checksum = seal(segment, segment.isec);
        self.put(segment, target)?;
        self.sync()?;
        self.mirrored = true;
        match target {
            // The own place has to follow, for readers that look at the shadow only if the
            // segment is torn, and because the shadow's place is needed some day.
            Holder::Shadow if plant!("log-skip-mirror") => {}
            Holder::Shadow => self.put(segment, Holder::Own)?,
            _ => self.put(segment, Holder::Shadow)?,
        }
        self.tail = Some(Tail { isec: segment.isec, holder: target, checksum });
        Ok(())
    }

    /// The final version of the tail, before the shadow's place is used for the next segment.
    fn finish(&mut self, segment: &mut Taken) -> Result<()> {
        let only_own = self.tail.is_some_and(|tail| tail.holder == Holder::Own);
        if only_own && !plant!("log-finish-over-the-holder") {
            // The mirror of the acknowledged version becomes a holder as well.
            self.sync()?;
        }
        let checksum = seal(segment, segment.isec);
        self.put(segment, Holder::Own)?;
        self.sync()?;
        self.tail = None;
        self.sum ^= checksum;
        Ok(())
    }

    /// Makes the tail durable at its own place; nothing more will be added to it.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub(crate) fn settle(&mut self) -> Result<()> {
        if let Some(tail) = self.tail {
            if tail.holder == Holder::Shadow && !plant!("log-skip-settling-sync") {
                // The newest version has been mirrored there already.
                self.sync()?;
            }
            self.tail = None;
            self.sum ^= tail.checksum;
        }
        Ok(())
    }

    /// Ends a file: everything that was written to it is durable, mirrors too. Nobody looks for a
    /// torn tail in a file that has a successor.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub(crate) fn end_file(&mut self) -> Result<()> {
        self.settle()?;
        if self.mirrored || self.unsynced.is_some() { self.sync() } else { Ok(()) }
    }

    /// Makes durable what was written.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub(crate) fn make_durable(&mut self) -> Result<()> {
        if self.unsynced.is_some() { self.sync() } else { Ok(()) }
    }

    /// Segments that were never written.
    fn write_fresh(&mut self, segments: &mut [Taken], last_open: bool) -> Result<()> {
        let Some(first) = segments.first().map(|segment| segment.isec) else { return Ok(()) };
        let settled = match self.unsynced {
            Some(unsynced) if !plant!("log-settle-unsynced") => unsynced,
            _ => first,
        };
        self.scratch.clear();
        let mut checksum = 0;
        for segment in segments.iter_mut() {
            checksum = seal(segment, settled);
            self.sum ^= checksum;
            self.scratch.extend_from_slice(segment.bytes.as_slice());
        }
        if let Some(last) = segments.last() {
            self.scratch.extend_from_slice(last.bytes.as_slice());
            if last_open {
                // Not final yet.
                self.sum ^= checksum;
                self.tail = Some(Tail { isec: last.isec, holder: Holder::Both, checksum });
            }
        }
        self.file()?.write_at(&self.scratch, offset_of(first)).map_err(failed)?;
        self.unsynced = Some(settled);
        Ok(())
    }

    /// Tells the device to begin with segments that were written: whoever ends the generation then
    /// does not wait for all of it. Only a hint.
    pub(crate) fn start_writeback(&self, segments: &[Taken]) {
        if let (Some(file), Some(first)) = (&self.file, segments.first()) {
            file.start_writeback(offset_of(first.isec), (segments.len() * SEGMENT_LEN) as u64);
        }
    }

    fn put(&self, segment: &Taken, place: Holder) -> Result<()> {
        let at = match place {
            Holder::Shadow => segment.isec + 1,
            Holder::Own | Holder::Both => segment.isec,
        };
        self.file()?.write_at(segment.bytes.as_slice(), offset_of(at)).map_err(failed)
    }

    fn sync(&mut self) -> Result<()> {
        self.syncs += 1;
        if !plant!("log-skip-sync") {
            self.file()?.sync().map_err(failed)?;
        }
        self.unsynced = None;
        self.mirrored = false;
        Ok(())
    }

    fn file(&self) -> Result<&dyn File> {
        self.file.as_deref().ok_or_else(|| {
            Error::new(JetErr::InternalError, "records of a generation that was not begun")
        })
    }

    /// Is there a current file that a roll has to rename?
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// XOR of the checksums of all segments. The tail must be settled.
    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }
}

/// Whatever the file says, the log could not be written.
fn failed(cause: Error) -> Error {
    Error::new(JetErr::LogWriteFail, format!("writing the log failed: {cause}")).caused_by(cause)
}

/// Stamps and checksums a segment; the value is its checksum.
fn seal(segment: &mut Taken, settled: u16) -> u64 {
    let end = u16::try_from(segment.end).unwrap_or_default();
    seal_as(&mut segment.bytes, segment.isec, Stamp { settled, end });
    stored_checksum(&segment.bytes)
}

/// File offset of a place.
pub(crate) fn offset_of(isec: u16) -> u64 {
    const SEGMENT_LEN_U64: u64 = 4096;
    const { assert!(SEGMENT_LEN == 4096) };
    u64::from(isec) * SEGMENT_LEN_U64
}
