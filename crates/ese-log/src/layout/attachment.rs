//! The attachment list of log headers and checkpoints (backup-log-recovery 1A.5): which databases
//! were attached when the generation began, so that recovery can start without reading what came
//! before.

use ese_base::{DbTime, Dbid, Error, JetErr, LeLgPos, LgPos, ObjId, Result, Signature};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U16, U32, U64},
};

/// Bytes of the list in both files.
pub(crate) const ATTACHMENTS_LEN: usize = 2048;

/// The names are UTF-16.
const WIDE_NAMES: u8 = 0x20;
/// The file is sparse.
const SPARSE: u8 = 0x40;

/// An attached database as headers list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its number in the instance.
    pub dbid: Dbid,
    /// Its dbtime when the header was made.
    pub dbtime: DbTime,
    /// Its highest object id then.
    pub objid_last: ObjId,
    /// Largest number of pages; 0 is no limit.
    pub pages_max: u32,
    /// Position of its AttachDB or CreateDB record.
    pub lgpos_attach: LgPos,
    /// Its last consistent position before that.
    pub lgpos_consistent: LgPos,
    /// Its signature.
    pub sign_db: Signature,
    /// Is the file sparse?
    pub sparse: bool,
    /// Its file.
    pub path: String,
}

/// The fixed part of an entry.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Entry {
    dbid: u8,
    flags: u8,
    cb_names: U16,
    dbtime: U64,
    objid_last: U32,
    cpg_max: U32,
    lgpos_attach: LeLgPos,
    lgpos_consistent: LeLgPos,
    sign_db: Signature,
}

const _: () = assert!(size_of::<Entry>() == 64);

impl Attachment {
    /// Writes a list of `ATTACHMENTS_LEN` bytes. An entry with a zero dbid ends it.
    ///
    /// # Errors
    /// `JET_errInvalidPath` (-1023): the paths are too long for all databases together.
    pub fn encode_list(list: &[Attachment]) -> Result<[u8; ATTACHMENTS_LEN]> {
        let mut bytes = Vec::with_capacity(ATTACHMENTS_LEN);
        for attachment in list {
            let names: Vec<u8> =
                attachment.path.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
            let entry = Entry {
                dbid: attachment.dbid.0,
                flags: WIDE_NAMES | if attachment.sparse { SPARSE } else { 0 },
                cb_names: u16::try_from(names.len()).map_err(|_| too_long(list))?.into(),
                dbtime: attachment.dbtime.0.into(),
                objid_last: attachment.objid_last.0.into(),
                cpg_max: attachment.pages_max.into(),
                lgpos_attach: attachment.lgpos_attach.into(),
                lgpos_consistent: attachment.lgpos_consistent.into(),
                sign_db: attachment.sign_db,
            };
            bytes.extend_from_slice(entry.as_bytes());
            bytes.extend_from_slice(&names);
        }
        // One byte is left for the end mark.
        if bytes.len() >= ATTACHMENTS_LEN {
            return Err(too_long(list));
        }
        bytes.resize(ATTACHMENTS_LEN, 0);
        bytes.try_into().map_err(|_| too_long(list))
    }

    /// Reads a list. What does not fit any more ends it.
    #[must_use]
    pub fn decode_list(mut bytes: &[u8]) -> Vec<Attachment> {
        let mut list = Vec::new();
        while let Ok((entry, rest)) = Entry::read_from_prefix(bytes) {
            let Some((names, rest)) = rest.split_at_checked(usize::from(entry.cb_names.get()))
            else {
                break;
            };
            if entry.dbid == 0 {
                break;
            }
            bytes = rest;
            list.push(Attachment {
                dbid: Dbid(entry.dbid),
                dbtime: DbTime(entry.dbtime.get()),
                objid_last: ObjId(entry.objid_last.get()),
                pages_max: entry.cpg_max.get(),
                lgpos_attach: entry.lgpos_attach.get(),
                lgpos_consistent: entry.lgpos_consistent.get(),
                sign_db: entry.sign_db,
                sparse: entry.flags & SPARSE != 0,
                path: crate::records::LoggedPath {
                    bytes: names,
                    wide: entry.flags & WIDE_NAMES != 0,
                }
                .text(),
            });
        }
        list
    }
}

fn too_long(list: &[Attachment]) -> Error {
    Error::new(
        JetErr::InvalidPath,
        format!(
            "the paths of {} attached databases do not fit into {ATTACHMENTS_LEN} bytes of a log \
             header",
            list.len()
        ),
    )
}

#[cfg(test)]
mod tests {
    use ese_base::LogTime;

    use super::*;

    fn attachment(path: &str) -> Attachment {
        Attachment {
            dbid: Dbid(1),
            dbtime: DbTime(0x6254),
            objid_last: ObjId(0x20),
            pages_max: 7,
            lgpos_attach: LgPos::new(0x4e, 4, 0x268),
            lgpos_consistent: LgPos::new(0x4e, 2, 0),
            sign_db: Signature::new(0x0a78_abf2, LogTime::NULL),
            sparse: false,
            path: path.to_owned(),
        }
    }

    #[test]
    fn an_entry_lies_as_a_real_header_has_it() {
        let bytes = Attachment::encode_list(&[attachment("C:\\a")]).unwrap();
        // Offsets of section 1A.5.
        assert_eq!(bytes[..4], [1, 0x20, 10, 0]);
        assert_eq!(bytes[4..12], [0x54, 0x62, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[12..20], [0x20, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(bytes[20..28], [0x68, 2, 4, 0, 0x4e, 0, 0, 0]);
        assert_eq!(bytes[28..36], [0, 0, 2, 0, 0x4e, 0, 0, 0]);
        assert_eq!(bytes[36..40], [0xf2, 0xab, 0x78, 0x0a]);
        assert_eq!(bytes[64..74], *b"C\0:\0\\\0a\0\0\0");
        assert!(bytes[74..].iter().all(|&b| b == 0));
    }

    #[test]
    fn a_list_comes_back_and_one_that_is_too_long_is_refused() {
        let six: Vec<_> =
            (1..=6).map(|n| Attachment { dbid: Dbid(n), ..attachment(&"x".repeat(100)) }).collect();
        let bytes = Attachment::encode_list(&six).unwrap();
        assert_eq!(Attachment::decode_list(&bytes), six);
        let long = [attachment(&"x".repeat(1000))];
        assert_eq!(Attachment::encode_list(&long).unwrap_err().jet_code(), -1023);
    }

    #[test]
    fn a_damaged_list_ends_where_it_does_not_fit() {
        assert_eq!(Attachment::decode_list(&[]), []);
        assert_eq!(Attachment::decode_list(&[0xff; 2048]), []);
        let bytes = Attachment::encode_list(&[attachment("a"), attachment("b")]).unwrap();
        assert_eq!(Attachment::decode_list(&bytes[..100]), [attachment("a")]);
    }
}
