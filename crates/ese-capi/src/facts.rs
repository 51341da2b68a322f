//! What is known of databases, in callers' buffers. A buffer must have the length of what is asked
//! for, else `JET_errInvalidBufferSize` (-1047); of text `JET_errBufferTooSmall` (-1038). What is
//! known of other things has codes of its own where that is said.

use ese_api::jet::{self, JET_DBINFO};
use ese_base::{Error, JetErr, Result};

use crate::{
    misc,
    ptr::{Bytes, bytes, size},
    table::wrong_struct,
    text::{Unit, put_whole},
    types::JET_DBINFOUPGRADE,
};

#[track_caller]
pub(crate) fn wrong_size(cb: u32, wanted: &str) -> Error {
    Error::new(JetErr::InvalidBufferSize, format!("a buffer of {cb} bytes, expected {wanted}"))
}

/// Writes a number of 32 bits into a buffer of that length.
pub(crate) fn put_number(to: Bytes, cb: u32, number: u64) -> Result<()> {
    if bytes(cb) != size_of::<u32>() {
        return Err(wrong_size(cb, "4"));
    }
    to.cast::<u32>().write(u32::try_from(number).unwrap_or(u32::MAX));
    Ok(())
}

/// Old facts that are the same of every database: country and collation.
fn constant(level: u32) -> Option<u64> {
    const COUNTRY: u32 = 2;
    const COLLATE: u32 = 5;
    match level {
        COUNTRY => Some(1),
        COLLATE => Some(0),
        _ => None,
    }
}

/// JET_DbInfoConnect: always empty.
const CONNECT: u32 = 1;
/// JET_DbInfoUpgrade: would an upgrade change the file, and what would it take?
const UPGRADE: u32 = 13;
/// JET_DbInfoFilesizeOnDisk: files are not sparse.
const FILESIZE_ON_DISK: u32 = 21;

/// Gives a fact about a database. By path the length of the file is in bytes, a number of 64 bits.
pub(crate) fn database<C: Unit>(
    to: Bytes,
    cb: u32,
    level: u32,
    by_path: bool,
    fact: impl Fn(u32) -> Result<JET_DBINFO>,
) -> Result<()> {
    let level = if by_path { level } else { level & !jet::JET_DbInfoUseCachedResult };
    // Country, code page and their like are read with 16 bits too, as their type once was.
    let old = |number: u64| {
        if bytes(cb) == size_of::<u16>() {
            to.cast::<u16>().write(u16::try_from(number).unwrap_or(u16::MAX));
            return Ok(());
        }
        put_number(to, cb, number)
    };
    if level == UPGRADE && by_path {
        return upgrade(to, cb, fact);
    }
    if level == CONNECT && !by_path {
        fact(jet::JET_DbInfoTransactions)?;
        return put_whole::<C>(to.cast(), cb, "");
    }
    if let Some(number) = constant(level).filter(|_| !by_path) {
        fact(jet::JET_DbInfoTransactions)?;
        return old(number);
    }
    let asked = if level == FILESIZE_ON_DISK { jet::JET_DbInfoFilesize } else { level };
    match fact(asked)? {
        JET_DBINFO::Path(path) => put_whole::<C>(to.cast(), cb, &path.to_string_lossy()),
        JET_DBINFO::Number(number) => match level {
            jet::JET_DbInfoFilesize | FILESIZE_ON_DISK if by_path => {
                if bytes(cb) != size_of::<u64>() {
                    return Err(wrong_size(cb, "8"));
                }
                to.cast::<u64>().write(number);
                Ok(())
            }
            jet::JET_DbInfoCp | jet::JET_DbInfoLCID => old(number),
            jet::JET_DbInfoPageSize if !by_path => {
                put_number(to, cb, number).map_err(|error| error.with_code(JetErr::BufferTooSmall))
            }
            _ => put_number(to, cb, number),
        },
        JET_DBINFO::Flag(flag) => put_number(to, cb, u64::from(flag)),
        JET_DBINFO::Misc(header) => {
            if !misc::SIZES.contains(&cb) {
                return Err(wrong_size(cb, "that of a JET_DBINFOMISC"));
            }
            to.cast().write_part(misc::of(&header), cb);
            Ok(())
        }
    }
}

/// The version of the format that databases have, since long.
const FORMAT_VERSION: u32 = 0x620;
/// JET_DBINFOUPGRADE: the file has that version.
const ALREADY_UPGRADED: u32 = 2;

/// Tells of a file that nobody would have to upgrade; estimates are those of ESE: an hour for a
/// GiB, and 10/64 of the file. What is no database has no flag.
fn upgrade(to: Bytes, cb: u32, fact: impl Fn(u32) -> Result<JET_DBINFO>) -> Result<()> {
    let wanted = size::<JET_DBINFOUPGRADE>();
    let bytes = match fact(jet::JET_DbInfoFilesize)? {
        JET_DBINFO::Number(bytes) => bytes,
        _ => 0,
    };
    if cb != wanted {
        return Err(wrong_size(cb, "that of a JET_DBINFOUPGRADE"));
    }
    let to = to.cast::<JET_DBINFOUPGRADE>();
    let told = to.get()?.cbStruct;
    if told != wanted {
        return Err(wrong_struct("JET_DBINFOUPGRADE", told, wanted));
    }
    let upgraded = match fact(jet::JET_DbInfoMisc) {
        Ok(JET_DBINFO::Misc(header)) => misc::of(&header).ulVersion == FORMAT_VERSION,
        _ => false,
    };
    let halves = |number: u64| {
        let half = |number: u64| u32::try_from(number & 0xffff_ffff).unwrap_or(0);
        (half(number), half(number >> 32))
    };
    let (cbFilesizeLow, cbFilesizeHigh) = halves(bytes);
    let (cbFreeSpaceRequiredLow, cbFreeSpaceRequiredHigh) = halves(bytes.saturating_mul(10) >> 6);
    to.write(JET_DBINFOUPGRADE {
        cbStruct: wanted,
        cbFilesizeLow,
        cbFilesizeHigh,
        cbFreeSpaceRequiredLow,
        cbFreeSpaceRequiredHigh,
        csecToUpgrade: u32::try_from(bytes.saturating_mul(3600) >> 30).unwrap_or(u32::MAX),
        ulFlags: if upgraded { ALREADY_UPGRADED } else { 0 },
    });
    Ok(())
}
