//! What is known of databases, in callers' buffers. A buffer must have the length of what is asked
//! for, else `JET_errInvalidBufferSize` (-1047); of text `JET_errBufferTooSmall` (-1038). What is
//! known of other things has codes of its own where that is said.

use ese_api::jet::{self, JET_DBINFO};
use ese_base::{Error, JetErr, Result};

use crate::{
    misc,
    ptr::{Bytes, bytes},
    text::{Unit, put_whole},
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
/// JET_DbInfoFilesizeOnDisk: files are not sparse.
const FILESIZE_ON_DISK: u32 = 21;

/// Gives a fact about a database. By path the length of the file is in bytes, a number of 64 bits.
pub(crate) fn database<C: Unit>(
    to: Bytes,
    cb: u32,
    level: u32,
    by_path: bool,
    fact: impl FnOnce(u32) -> Result<JET_DBINFO>,
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
