//! Finding the header of a file whose page size is not known (edb-format 1.1).

use ese_base::{Error, Hex, JetErr, PageSize, Result};
use ese_os::File;

use super::DbHeader;
use crate::checksum::verify_header;

/// Which copy of the header was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderCopy {
    /// The one at offset 0, and the shadow is equal.
    Both,
    /// The one at offset 0; the shadow is damaged or older and should be rewritten.
    Primary,
    /// The shadow, at the second page; the one at offset 0 is damaged and should be rewritten.
    Shadow,
}

/// A header that was found.
#[derive(Clone, Copy, Debug)]
pub struct Located {
    /// The header.
    pub header: DbHeader,
    /// The page size of the file.
    pub page_size: PageSize,
    /// Where it stood.
    pub copy: HeaderCopy,
}

/// Finds the page size and the header of a database, from either copy.
///
/// `read` fills a buffer from an offset of the file; it is only asked for bytes below `file_len`.
///
/// # Errors
/// Errors of `read`; what [`DbHeader::check`] says; and
/// * `JET_errDatabaseCorrupted`: the file is empty, too short, or something else altogether;
/// * `JET_errFileInvalidType`: it is a log, a checkpoint or a flush map;
/// * `JET_errReadVerifyFailure`: it is a database, but both copies are damaged.
pub fn locate(
    mut read: impl FnMut(u64, &mut [u8]) -> Result<()>,
    file_len: u64,
) -> Result<Located> {
    let smallest = PageSize::K2;
    if file_len < smallest.bytes_u64() {
        return Err(not_a_database(&format!(
            "it has {file_len} bytes, less than a header of {smallest}"
        )));
    }
    let mut page = vec![0; PageSize::K32.bytes()];
    let mut copy_at = |offset: u64, size: PageSize| -> Result<Option<DbHeader>> {
        let Some(page) = page.get_mut(..size.bytes()) else { return Ok(None) };
        if offset.saturating_add(size.bytes_u64()) > file_len {
            return Ok(None);
        }
        read(offset, page)?;
        let header = DbHeader::from_page(page)?;
        let right = header.magic.get() == DbHeader::MAGIC
            && header.page_size().is_ok_and(|own| own == size)
            && verify_header(page);
        Ok(right.then_some(header))
    };
    for page_size in PageSize::EVER {
        if let Some(header) = copy_at(0, page_size)? {
            header.check()?;
            let shadow = copy_at(page_size.bytes_u64(), page_size)?;
            let copy = if shadow == Some(header) { HeaderCopy::Both } else { HeaderCopy::Primary };
            return Ok(Located { header, page_size, copy });
        }
    }
    for page_size in PageSize::EVER {
        if let Some(header) = copy_at(page_size.bytes_u64(), page_size)? {
            header.check()?;
            return Ok(Located { header, page_size, copy: HeaderCopy::Shadow });
        }
    }
    diagnose(read, file_len)
}

/// [`locate`] in an open file; errors name it.
///
/// # Errors
/// As [`locate`].
pub fn read_header(file: &dyn File) -> Result<Located> {
    let found = match file.len() {
        Ok(file_len) => locate(|offset, buf| file.read_at(buf, offset), file_len),
        Err(error) => Err(error),
    };
    found.map_err(|error| error.at_path(file.path()))
}

/// In what the second copy of a header contradicts the one that was taken, where both are whole:
/// then it is no older state of this database. `None`: it is damaged, missing, or agrees.
///
/// # Errors
/// The file's.
pub fn contradiction(file: &dyn File, located: &Located) -> Result<Option<String>> {
    let (mut page, file_len) = (vec![0; PageSize::K32.bytes()], file.len()?);
    if located.copy != HeaderCopy::Primary {
        return Ok(None);
    }
    let offset = located.page_size.bytes_u64();
    for size in PageSize::EVER {
        let Some(page) = page.get_mut(..size.bytes()) else { continue };
        if offset.saturating_add(size.bytes_u64()) > file_len {
            continue;
        }
        file.read_at(page, offset)?;
        let second = DbHeader::from_page(page)?;
        let whole = second.magic.get() == DbHeader::MAGIC
            && second.page_size().is_ok_and(|own| own == size)
            && verify_header(page);
        if whole {
            return Ok(contradicts(located, &second, size));
        }
    }
    Ok(None)
}

fn contradicts(located: &Located, second: &DbHeader, size: PageSize) -> Option<String> {
    let first = &located.header;
    if size != located.page_size {
        return Some(format!("pages of {} and of {size}", located.page_size));
    }
    if first.sign_db != second.sign_db {
        return Some(format!("database signature {} and {}", first.sign_db, second.sign_db));
    }
    // A database gets its first log when it is attached, one copy after the other.
    let logs = [first.sign_log, second.sign_log];
    (logs[0] != logs[1] && logs.iter().all(|sign| !sign.is_null()))
        .then(|| format!("log signature {} and {}", logs[0], logs[1]))
}

/// No copy is right: says what the file looks like.
fn diagnose(mut read: impl FnMut(u64, &mut [u8]) -> Result<()>, file_len: u64) -> Result<Located> {
    let mut first = vec![0; PageSize::K4.bytes()];
    let there = usize::try_from(file_len).unwrap_or(usize::MAX).min(first.len());
    read(0, first.get_mut(..there).unwrap_or_default())?;
    let header = DbHeader::from_page(&first)?;
    if header.magic.get() != DbHeader::MAGIC {
        if let Some(kind) = other_kind(&header).filter(|_| verify_header(&first)) {
            return Err(Error::new(
                JetErr::FileInvalidType,
                format!("this is a {kind}, not a database"),
            )
            .advise("name the database file (.edb)"));
        }
        if let Some(size) = shadow_with_magic(&mut read, file_len)? {
            return Err(both_damaged(&format!("the shadow is one of pages of {size} bytes")));
        }
        if first.iter().all(|&byte| byte == 0) {
            return Err(not_a_database("its first 4096 bytes are zero"));
        }
        return Err(not_a_database(&format!("it begins with {:.16}", Hex(&first))));
    }
    let size = header.cb_page_size.get();
    if u64::from(size) > file_len && header.page_size().is_ok() {
        return Err(Error::new(
            JetErr::DatabaseCorrupted,
            format!("truncated: {file_len} bytes, less than its header of {size}"),
        )
        .advise("restore the database from a backup"));
    }
    Err(both_damaged(&format!("the first says pages of {size} bytes")))
}

/// Where a damaged shadow still has the magic number of a database.
fn shadow_with_magic(
    read: &mut impl FnMut(u64, &mut [u8]) -> Result<()>,
    file_len: u64,
) -> Result<Option<PageSize>> {
    for size in PageSize::EVER {
        let mut start = [0; 8];
        if size.bytes_u64() + 8 <= file_len {
            read(size.bytes_u64(), &mut start)?;
            if start.ends_with(&DbHeader::MAGIC.to_le_bytes()) {
                return Ok(Some(size));
            }
        }
    }
    Ok(None)
}

/// Headers of the engine's other files have the same checksum over their first 4096 bytes, and
/// their file type at the same offset (backup-log-recovery 1A.1, 1A.6).
fn other_kind(header: &DbHeader) -> Option<&'static str> {
    match header.filetype.get() {
        3 => Some("log file"),
        4 => Some("checkpoint file"),
        7 => Some("flush map"),
        _ => None,
    }
}

#[track_caller]
fn both_damaged(found: &str) -> Error {
    Error::new(
        JetErr::ReadVerifyFailure,
        format!("both copies of the database header are damaged ({found})"),
    )
    .advise("restore the database from a backup")
}

#[track_caller]
fn not_a_database(found: &str) -> Error {
    Error::new(JetErr::DatabaseCorrupted, format!("not an ESE database: {found}"))
        .advise("name a database file (.edb)")
}
