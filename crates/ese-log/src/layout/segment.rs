//! Segments: 4096 bytes with a header of 40, guarded by a checksum (backup-log-recovery 1A.2).
//!
//! A segment is held in two places while it is not full: at its own place and, numbered as itself,
//! at the next ("shadow"). The number goes into the checksum, so the two can be told apart.
//!
//! The 12 reserved bytes of the header, which readers of the genuine engine ignore, hold our
//! [`Stamp`]: a CRC-32, because the segment checksum does not notice every mixture of old and new
//! sectors (two equal words with an even number of bits cancel out), and the first segment that
//! was *not* durable when this one was written. The latter tells a torn tail from damage: what
//! lies before a durable segment cannot have been torn by the last power cut.

use ese_base::{Generation, LeLgPos, LgPos, LogTime, limits, plant};
use ese_pages::checksum::{segment_checksum, stamp_segment, stored_segment_checksum};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U16, U32},
};

/// Bytes of a segment.
pub const SEGMENT_LEN: usize = limits::LOG_SEGMENT_LEN;
/// Bytes of its header.
pub const SEGMENT_HEADER_LEN: usize = 40;
/// One segment.
pub type SegmentBytes = [u8; SEGMENT_LEN];

/// "Page flags" of every segment: the checksum is of the ECC form.
const FLAGS: u32 = 0x2000;
/// Marks a stamp of ours.
const STAMP_MARK: u16 = 0xe5e1;

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Header {
    checksum: [u8; 8],
    lgpos: LeLgPos,
    time: LogTime,
    stamp: RawStamp,
    flags: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawStamp {
    mark: U16,
    settled: U16,
    end: U16,
    reserved: U16,
    crc: U32,
}

const _: () = {
    assert!(size_of::<Header>() == SEGMENT_HEADER_LEN);
    assert!(std::mem::offset_of!(Header, lgpos) == 8);
    assert!(std::mem::offset_of!(Header, time) == 16);
    assert!(std::mem::offset_of!(Header, stamp) == 24);
    assert!(std::mem::offset_of!(Header, flags) == 36);
};

/// What our writer adds to a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Segments below this one were durable when this one was written.
    pub settled: u16,
    /// First byte behind the records.
    pub end: u16,
}

/// An empty segment on the heap.
pub(crate) fn zeroed_segment() -> Box<SegmentBytes> {
    Box::new([0; SEGMENT_LEN])
}

/// Starts a segment: its position and the time.
pub(crate) fn put_position(segment: &mut SegmentBytes, pos: LgPos, time: LogTime) {
    if let Ok((header, _)) = Header::mut_from_prefix(segment.as_mut_slice()) {
        header.lgpos = LgPos { ib: 0, ..pos }.into();
        header.time = time;
        header.flags = FLAGS.into();
    }
}

/// Finishes a segment for writing: stamp and checksum. The result may be written at its own place
/// and, unchanged, at the next.
pub(crate) fn seal_as(segment: &mut SegmentBytes, isec: u16, stamp: Stamp) {
    if let Ok((header, _)) = Header::mut_from_prefix(segment.as_mut_slice()) {
        header.checksum = [0; 8];
        header.stamp = RawStamp {
            mark: STAMP_MARK.into(),
            settled: stamp.settled.into(),
            end: stamp.end.into(),
            reserved: 0.into(),
            crc: 0.into(),
        };
    }
    let crc = crc_of(segment);
    if let Ok((header, _)) = Header::mut_from_prefix(segment.as_mut_slice()) {
        header.stamp.crc = crc.into();
    }
    stamp_segment(segment, u32::from(isec));
}

/// CRC-32 of everything but the checksum and the CRC itself.
fn crc_of(segment: &SegmentBytes) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(segment.get(8..32).unwrap_or_default());
    crc.update(segment.get(36..).unwrap_or_default());
    crc.finalize()
}

/// When a segment was begun.
pub(crate) fn segment_time(segment: &SegmentBytes) -> LogTime {
    Header::ref_from_prefix(segment).map_or(LogTime::NULL, |(header, _)| header.time)
}

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHead {
    /// Its number. At the place behind its own lies its shadow.
    pub isec: u16,
    /// When it was begun.
    pub begun: LogTime,
    /// The first byte behind its records.
    pub end: usize,
}

impl SegmentHead {
    /// Of a segment of this generation; `None` if there is none of it here. Nothing is verified.
    #[must_use]
    pub fn of(segment: &SegmentBytes, generation: Generation) -> Option<SegmentHead> {
        let (header, _) = Header::ref_from_prefix(segment.as_slice()).ok()?;
        let position = header.lgpos.get();
        let ours = position.generation == generation && !header.time.is_null();
        let head = SegmentHead { isec: position.isec, begun: header.time, end: used_len(segment) };
        ours.then_some(head)
    }
}

/// The checksum as stored.
pub(crate) fn stored_checksum(segment: &SegmentBytes) -> u64 {
    stored_segment_checksum(segment)
}

/// First byte behind the records: what our stamp says, else behind the last byte that is not 0.
pub(crate) fn used_len(segment: &SegmentBytes) -> usize {
    match Header::ref_from_prefix(segment) {
        Ok((header, _)) if header.stamp.mark == STAMP_MARK => {
            usize::from(header.stamp.end.get()).clamp(SEGMENT_HEADER_LEN, SEGMENT_LEN)
        }
        _ => segment
            .iter()
            .rposition(|&b| b != 0)
            .map_or(SEGMENT_HEADER_LEN, |last| (last + 1).max(SEGMENT_HEADER_LEN)),
    }
}

/// What a place of a log file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Only zero bytes: never written.
    Zero,
    /// The segment of this place. The stamp is `None` if another engine wrote it.
    Own(Option<Stamp>),
    /// A copy of the segment before.
    Shadow(Option<Stamp>),
    /// A segment of an older generation: the file was used before.
    Old,
    /// A sound segment with a position that this file cannot have reached.
    Future(LgPos),
    /// Anything else: torn or damaged.
    Bad,
}

/// Tells what the place `at` holds, in a file of `at.generation`.
pub(crate) fn classify(segment: &SegmentBytes, at: LgPos) -> Found {
    let Ok((header, _)) = Header::ref_from_prefix(segment) else {
        return Found::Bad;
    };
    let pos = header.lgpos.get();
    let stored = stored_checksum(segment);
    if stored == 0 && pos.is_null() && segment.iter().all(|&b| b == 0) {
        return Found::Zero;
    }
    let own = LgPos { ib: 0, ..at };
    // The number in the checksum must be that of the stored position.
    let is_shadow = pos.isec.checked_add(1) == Some(at.isec);
    if (pos.isec != at.isec && !is_shadow)
        || pos.ib != 0
        || stored != segment_checksum(segment, u32::from(pos.isec))
    {
        return Found::Bad;
    }
    let stamp = match header.stamp {
        stamp if stamp.mark != STAMP_MARK => None,
        stamp if stamp.crc.get() != crc_of(segment) && !plant!("log-trust-checksum-alone") => {
            return Found::Bad;
        }
        stamp => Some(Stamp { settled: stamp.settled.get(), end: stamp.end.get() }),
    };
    match pos {
        pos if pos == own => Found::Own(stamp),
        pos if pos.generation == at.generation => Found::Shadow(stamp),
        pos if pos.generation < at.generation => Found::Old,
        pos => Found::Future(pos),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn segment(pos: LgPos, settled: u16) -> Box<SegmentBytes> {
        let mut segment = zeroed_segment();
        put_position(&mut segment, pos, LogTime::from_unix_ms(1));
        segment[40..44].copy_from_slice(b"data");
        seal_as(&mut segment, pos.isec, Stamp { settled, end: 44 });
        segment
    }

    #[test]
    fn a_segment_is_known_by_its_place() {
        let stamp = Some(Stamp { settled: 3, end: 44 });
        let bytes = segment(LgPos::new(7, 5, 0), 3);
        assert_eq!(classify(&bytes, LgPos::new(7, 5, 0)), Found::Own(stamp));
        assert_eq!(classify(&bytes, LgPos::new(7, 6, 0)), Found::Shadow(stamp));
        assert_eq!(classify(&bytes, LgPos::new(7, 7, 0)), Found::Bad);
        assert_eq!(classify(&bytes, LgPos::new(7, 4, 0)), Found::Bad);
        assert_eq!(classify(&bytes, LgPos::new(8, 5, 0)), Found::Old);
        assert_eq!(classify(&bytes, LgPos::new(8, 6, 0)), Found::Old);
        assert_eq!(classify(&bytes, LgPos::new(6, 5, 0)), Found::Future(LgPos::new(7, 5, 0)));
        assert_eq!(classify(&zeroed_segment(), LgPos::new(7, 5, 0)), Found::Zero);
        assert_eq!(used_len(&bytes), 44);
    }

    #[test]
    fn the_header_lies_as_a_real_one_does() {
        let bytes = segment(LgPos::new(0x4f, 2, 0), 1);
        assert_eq!(bytes[8..16], [0, 0, 2, 0, 0x4f, 0, 0, 0]);
        assert_eq!(bytes[36..40], [0, 0x20, 0, 0]);
        assert_eq!(bytes[16..24], LogTime::from_unix_ms(1).as_bytes()[..]);
    }

    #[test]
    fn every_flipped_bit_and_torn_sector_is_noticed() {
        let old = segment(LgPos::new(7, 5, 0), 3);
        for bit in 0..SEGMENT_LEN * 8 {
            let mut bytes = old.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(classify(&bytes, LgPos::new(7, 5, 0)), Found::Bad, "bit {bit}");
        }
    }

    #[test]
    pub(crate) fn a_mixture_that_the_segment_checksum_alone_would_accept_is_noticed() {
        // Two equal words with an even number of bits, 512 bytes apart: nothing changes in the
        // XOR, and every position bit is toggled an even number of times.
        let at = LgPos::new(7, 5, 0);
        let mut bytes = segment(at, 3);
        for offset in [1024, 1536] {
            bytes[offset..offset + 4].copy_from_slice(&0x0300_0003_u32.to_le_bytes());
        }
        assert_eq!(stored_checksum(&bytes), segment_checksum(&bytes, 5));
        assert_eq!(classify(&bytes, at), Found::Bad);
    }

    #[test]
    fn a_foreign_segment_has_no_stamp_and_ends_behind_its_last_byte() {
        let mut bytes = segment(LgPos::new(7, 5, 0), 3);
        bytes[24..36].fill(0);
        stamp_segment(&mut bytes, 5);
        assert_eq!(classify(&bytes, LgPos::new(7, 5, 0)), Found::Own(None));
        assert_eq!(used_len(&bytes), 44);
    }
}
