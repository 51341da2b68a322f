//! The header of a log file: its first 4096 bytes, written once (backup-log-recovery 1A.1).

use std::fmt;

use bitflags::bitflags;
use ese_base::{Error, Generation, JetErr, LeLgPos, LgPos, LogTime, PageSize, Result, Signature};
use ese_os::File;
use ese_pages::checksum::{stamp_header, verify_header};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U16, U32, U64},
};

use super::{Attachment, DbmsParam, SEGMENT_LEN, attachment::ATTACHMENTS_LEN};

/// Bytes of a log header.
pub const LOG_HEADER_LEN: usize = 4096;
/// File type of a log.
const FILE_TYPE_LOG: u32 = 3;
/// The format is told by this "build number".
const MINOR_SEGMENTS: u32 = 4000;
/// Logs of Windows 7 and Server 2008.
const MINOR_RANGES: u32 = 3704;
/// From this update-minor on a header holds the checksum of the generation before.
const UPDATE_MINOR_WITH_CHECKSUM: u32 = 13;

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Raw {
    checksum: U32,
    l_generation: U32,
    cb_sec: U16,
    csec_header: U16,
    csec_lg_file: U16,
    cb_page_size: U16,
    tm_create: LogTime,
    tm_prev_gen: LogTime,
    major: U32,
    minor: U32,
    update_major: U32,
    sign_log: Signature,
    dbms_param: DbmsParam,
    flags: u8,
    lgpos_checkpoint: LeLgPos,
    update_minor: U32,
    sector_size_mismatch: u8,
    prev_segments_checksum: U64,
    engine_format_version: U32,
    reserved: [u8; 2],
    file_type: U32,
    attachments: [u8; ATTACHMENTS_LEN],
    filler: [u8; 1377],
}

const _: () = {
    assert!(size_of::<Raw>() == LOG_HEADER_LEN);
    assert!(std::mem::offset_of!(Raw, tm_create) == 16);
    assert!(std::mem::offset_of!(Raw, major) == 32);
    assert!(std::mem::offset_of!(Raw, sign_log) == 44);
    assert!(std::mem::offset_of!(Raw, dbms_param) == 72);
    assert!(std::mem::offset_of!(Raw, flags) == 639);
    assert!(std::mem::offset_of!(Raw, lgpos_checkpoint) == 640);
    assert!(std::mem::offset_of!(Raw, update_minor) == 648);
    assert!(std::mem::offset_of!(Raw, prev_segments_checksum) == 653);
    assert!(std::mem::offset_of!(Raw, engine_format_version) == 661);
    assert!(std::mem::offset_of!(Raw, file_type) == 667);
    assert!(std::mem::offset_of!(Raw, attachments) == 671);
};

/// Version of the log format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogVersion {
    /// 8, or 7 for the old framing.
    pub major: u32,
    /// 4000, or 3704.
    pub minor: u32,
    /// Update-major.
    pub update_major: u32,
    /// Update-minor.
    pub update_minor: u32,
}

impl LogVersion {
    /// The version that we write: Windows 10's, whose rules this crate follows wholly (ExtendDB
    /// records, checksum of the previous generation, no NewPage records needed).
    pub const OURS: LogVersion =
        LogVersion { major: 8, minor: MINOR_SEGMENTS, update_major: 5, update_minor: 16 };
    /// The engine format version that engine stamps beside it.
    pub(crate) const OUR_ENGINE_FORMAT: u32 = 9100;

    /// Is it a format from before segments (7.3704)? Its logs do not describe how a database
    /// begins, and they are only read.
    #[must_use]
    pub fn is_early(self) -> bool {
        self.major < Self::OURS.major
    }

    /// Does the header of such a log hold the checksum of the generation before?
    #[must_use]
    pub fn has_previous_checksum(self) -> bool {
        self.major >= 8 && self.update_minor >= UPDATE_MINOR_WITH_CHECKSUM
    }
}

impl fmt::Display for LogVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.major, self.minor, self.update_major, self.update_minor)
    }
}

impl fmt::Debug for LogVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogVersion({self})")
    }
}

/// How records lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// 8.4000: segments of 4 KiB with their own header and checksum, records cut at their borders.
    Segments,
    /// 7.3704: one byte stream over sectors, guarded by range-checksum records.
    Ranges,
}

bitflags! {
    /// Flags of a log header.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct HeaderFlags: u8 {
        /// Made from a reserve log when the disk was full.
        const RESERVE = 1;
        /// Circular logging is on.
        const CIRCULAR = 2;
        /// Circular logging has been on in this stream: an incremental backup may lack logs.
        const CIRCULAR_HISTORY = 4;
        const _ = !0;
    }
}

/// What a log header says.
#[derive(Clone, Debug)]
pub struct LogHeader {
    /// The generation.
    pub generation: Generation,
    /// Bytes of a sector or segment.
    pub sector_len: u16,
    /// Sectors before the first data.
    pub header_sectors: u16,
    /// Sectors of the file.
    pub sectors: u16,
    /// Page size of the databases.
    pub page_size: PageSize,
    /// When the generation was begun.
    pub created: LogTime,
    /// When the generation before was begun; null in generation 1.
    pub previous_created: LogTime,
    /// Format.
    pub version: LogVersion,
    /// The stream.
    pub signature: Signature,
    /// The instance's parameters.
    pub params: DbmsParam,
    /// Flags.
    pub flags: HeaderFlags,
    /// The checkpoint when the generation was begun.
    pub checkpoint: LgPos,
    /// XOR of the checksums of all segments of the generation before; 0 where there is none or
    /// the version does not store it.
    pub previous_checksum: u64,
    /// Engine format version of the writer.
    pub engine_format: u32,
    /// The databases attached when the generation was begun.
    pub attachments: Vec<Attachment>,
}

/// Which log a file is: names and generations come again in every stream, and in a stream that was
/// put back and has gone another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogId {
    /// Its stream.
    pub signature: Signature,
    /// Its generation.
    pub generation: Generation,
    /// When it was begun.
    pub created: LogTime,
}

impl LogHeader {
    /// Reads the header of a log file.
    ///
    /// # Errors
    /// As [`LogHeader::decode`]; `JET_errLogFileCorrupt` (-501) also for a file that is shorter
    /// than a header; when the file cannot be read.
    pub fn read(file: &dyn File) -> Result<LogHeader> {
        let mut bytes = Box::new([0; LOG_HEADER_LEN]);
        match file.read_at(bytes.as_mut_slice(), 0) {
            Ok(()) => LogHeader::decode(&bytes),
            Err(error) if error.code() == JetErr::FileIOBeyondEOF => {
                let what = format!("the file has {} bytes, shorter than a log header", file.len()?);
                Err(Error::new(JetErr::LogFileCorrupt, what))
            }
            Err(error) => Err(error),
        }
    }

    /// Which log it is.
    #[must_use]
    pub fn id(&self) -> LogId {
        LogId { signature: self.signature, generation: self.generation, created: self.created }
    }

    /// Is this the generation that was begun after `before` in the same stream?
    #[must_use]
    pub fn follows(&self, before: LogId) -> bool {
        self.signature == before.signature
            && self.generation == before.generation.next()
            && self.previous_created == before.created
    }

    /// Reads a header.
    ///
    /// # Errors
    /// `JET_errLogFileCorrupt` (-501): wrong checksum or an impossible field.
    /// `JET_errFileInvalidType` (-1812): not a log. `JET_errBadLogVersion` (-514): a format that
    /// nobody here knows. `JET_errPageSizeMismatch` (-1213): an impossible page size.
    pub fn decode(bytes: &[u8; LOG_HEADER_LEN]) -> Result<LogHeader> {
        // A blank header has the checksum of its seed nowhere, so this refuses it too.
        if !verify_header(bytes) {
            return Err(Error::new(
                JetErr::LogFileCorrupt,
                "the checksum of the log header does not match",
            ));
        }
        let raw =
            Raw::ref_from_bytes(bytes).map_err(|_| Error::code_only(JetErr::LogFileCorrupt))?;
        let version = LogVersion {
            major: raw.major.get(),
            minor: raw.minor.get(),
            update_major: raw.update_major.get(),
            update_minor: raw.update_minor.get(),
        };
        let header = LogHeader {
            generation: Generation(raw.l_generation.get()),
            sector_len: raw.cb_sec.get(),
            header_sectors: raw.csec_header.get(),
            sectors: raw.csec_lg_file.get(),
            page_size: PageSize::from_bytes(u32::from(raw.cb_page_size.get()))?,
            created: raw.tm_create,
            previous_created: raw.tm_prev_gen,
            version,
            signature: raw.sign_log,
            params: raw.dbms_param,
            flags: HeaderFlags::from_bits_retain(raw.flags),
            checkpoint: raw.lgpos_checkpoint.get(),
            previous_checksum: if version.has_previous_checksum() {
                raw.prev_segments_checksum.get()
            } else {
                0
            },
            engine_format: raw.engine_format_version.get(),
            attachments: Attachment::decode_list(&raw.attachments),
        };
        header.check(raw.file_type.get())?;
        Ok(header)
    }

    /// Checks what does not depend on other files.
    fn check(&self, file_type: u32) -> Result<()> {
        let generation = self.generation;
        let corrupt =
            |what: String| Err(Error::new(JetErr::LogFileCorrupt, what).at_generation(generation));
        match self.framing()? {
            Framing::Segments => {
                if file_type != FILE_TYPE_LOG {
                    return Err(Error::new(
                        JetErr::FileInvalidType,
                        format!("file type {file_type} where a log has {FILE_TYPE_LOG}"),
                    ));
                }
                if usize::from(self.sector_len) != SEGMENT_LEN || self.header_sectors != 1 {
                    return corrupt(format!(
                        "segments of {} bytes behind {} header segments",
                        self.sector_len, self.header_sectors
                    ));
                }
                // The header, one data segment and the place of its shadow.
                if self.sectors < 3 {
                    return corrupt(format!("a log file of {} segments", self.sectors));
                }
            }
            Framing::Ranges => {
                let header_len = u32::from(self.sector_len) * u32::from(self.header_sectors);
                if !matches!(self.sector_len, 512 | 4096) || header_len != 4096 {
                    return corrupt(format!(
                        "sectors of {} bytes behind {} header sectors",
                        self.sector_len, self.header_sectors
                    ));
                }
            }
        }
        if self.generation.0 == 0 || self.generation > Generation(0x7fff_ffff) {
            return corrupt(format!("generation {:#x}", self.generation.0));
        }
        Ok(())
    }

    /// How records lie in the file.
    ///
    /// # Errors
    /// `JET_errBadLogVersion` (-514) for a version that is neither 8.4000 nor 7.3704.
    pub fn framing(&self) -> Result<Framing> {
        match (self.version.major, self.version.minor) {
            (8, MINOR_SEGMENTS) => Ok(Framing::Segments),
            (7, MINOR_RANGES) => Ok(Framing::Ranges),
            _ => Err(Error::new(
                JetErr::BadLogVersion,
                format!("log format {} is none of 8.4000 and 7.3704", self.version),
            )
            .at_generation(self.generation)),
        }
    }

    /// Bytes that the file must have.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        u64::from(self.sectors) * u64::from(self.sector_len)
    }

    /// Writes a header, checksum included.
    ///
    /// # Errors
    /// `JET_errInvalidPath` (-1023): the attachments do not fit, see [`Attachment::encode_list`].
    pub fn encode(&self) -> Result<Box<[u8; LOG_HEADER_LEN]>> {
        let raw = Raw {
            checksum: 0.into(),
            l_generation: self.generation.0.into(),
            cb_sec: self.sector_len.into(),
            csec_header: self.header_sectors.into(),
            csec_lg_file: self.sectors.into(),
            cb_page_size: page_size_field(self.page_size),
            tm_create: self.created,
            tm_prev_gen: self.previous_created,
            major: self.version.major.into(),
            minor: self.version.minor.into(),
            update_major: self.version.update_major.into(),
            sign_log: self.signature,
            dbms_param: self.params,
            flags: self.flags.bits(),
            lgpos_checkpoint: self.checkpoint.into(),
            update_minor: self.version.update_minor.into(),
            sector_size_mismatch: 0,
            prev_segments_checksum: self.previous_checksum.into(),
            engine_format_version: self.engine_format.into(),
            reserved: [0; 2],
            file_type: FILE_TYPE_LOG.into(),
            attachments: Attachment::encode_list(&self.attachments)?,
            filler: [0; 1377],
        };
        let mut bytes = Box::new([0; LOG_HEADER_LEN]);
        bytes.copy_from_slice(raw.as_bytes());
        stamp_header(bytes.as_mut_slice());
        Ok(bytes)
    }
}

/// All page sizes fit into 16 bits.
fn page_size_field(size: PageSize) -> U16 {
    u16::try_from(size.bytes_u32()).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> LogHeader {
        LogHeader {
            generation: Generation(0x4f),
            sector_len: 4096,
            header_sectors: 1,
            sectors: 16,
            page_size: PageSize::K8,
            created: LogTime::from_unix_ms(1_612_986_962_998),
            previous_created: LogTime::from_unix_ms(1_612_986_640_248),
            version: LogVersion::OURS,
            signature: Signature::new(0xa3dd_42de, LogTime::from_unix_ms(1_596_318_490_509)),
            params: DbmsParam::zeroed(),
            flags: HeaderFlags::CIRCULAR | HeaderFlags::CIRCULAR_HISTORY,
            checkpoint: LgPos::new(0x4e, 3, 0),
            previous_checksum: 0x71ee_0e11_0908_2881,
            engine_format: LogVersion::OUR_ENGINE_FORMAT,
            attachments: Vec::new(),
        }
    }

    #[test]
    fn a_header_lies_as_a_real_one_does() {
        // The bytes are those of a real 8.4000.5.16 log with these values.
        let bytes = header().encode().unwrap();
        assert_eq!(
            bytes[4..72],
            [
                0x4f, 0, 0, 0, 0, 0x10, 1, 0, 0x10, 0, 0, 0x20, 2, 0x38, 0x13, 0x0a, 2, 0x79, 0xcd,
                0x0e, 0x28, 0x32, 0x13, 0x0a, 2, 0x79, 0xf1, 2, 8, 0, 0, 0, 0xa0, 0x0f, 0, 0, 5, 0,
                0, 0, 0xde, 0x42, 0xdd, 0xa3, 0x0a, 0x30, 0x15, 1, 8, 0x78, 0xfb, 6, 0, 0, 0, 0, 0,
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
            ]
        );
        assert_eq!(
            bytes[639..672],
            [
                6, 0, 0, 3, 0, 0x4e, 0, 0, 0, 0x10, 0, 0, 0, 0, 0x81, 0x28, 8, 9, 0x11, 0x0e, 0xee,
                0x71, 0x8c, 0x23, 0, 0, 0, 0, 3, 0, 0, 0, 0
            ]
        );
        let back = LogHeader::decode(&bytes).unwrap();
        assert_eq!(format!("{back:?}"), format!("{:?}", header()));
    }

    #[test]
    fn wrong_headers_are_refused_with_the_code_of_their_fault() {
        let code = |change: &dyn Fn(&mut [u8]), stamp: bool| {
            let mut bytes = header().encode().unwrap();
            change(bytes.as_mut_slice());
            if stamp {
                stamp_header(bytes.as_mut_slice());
            }
            LogHeader::decode(&bytes).unwrap_err().jet_code()
        };
        assert_eq!(code(&|b| b[100] ^= 1, false), -501);
        assert_eq!(code(&|b| b.fill(0), false), -501);
        assert_eq!(code(&|b| b[667] = 1, true), -1812);
        assert_eq!(code(&|b| b[32] = 9, true), -514);
        assert_eq!(code(&|b| b[9] = 2, true), -501);
        assert_eq!(code(&|b| b[12] = 2, true), -501);
        assert_eq!(code(&|b| b[15] = 0x21, true), -1213);
        assert_eq!(code(&|b| b[4..8].fill(0), true), -501);
    }

    #[test]
    fn a_header_of_the_old_framing_is_told_apart() {
        let mut bytes = header().encode().unwrap();
        bytes[32] = 7;
        bytes[36..38].copy_from_slice(&3704u16.to_le_bytes());
        stamp_header(bytes.as_mut_slice());
        assert_eq!(LogHeader::decode(&bytes).unwrap().framing().unwrap(), Framing::Ranges);
    }
}
