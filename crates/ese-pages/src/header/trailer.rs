//! The trailer of a streaming backup.

use ese_base::{Error, JetErr, PageSize, Result};
use zerocopy::{FromBytes, IntoBytes};

use super::BackupTrailer;
use crate::checksum::{header_xor, stamp_header, stored_header_xor, verify_header};

impl BackupTrailer {
    /// The trailer as one page: fields, zeros, checksum.
    #[must_use]
    pub fn encode(&self, size: PageSize) -> Vec<u8> {
        let mut page = vec![0; size.bytes()];
        if let Some(to) = page.get_mut(..size_of::<BackupTrailer>()) {
            to.copy_from_slice(self.as_bytes());
        }
        stamp_header(&mut page);
        page
    }

    /// Reads a trailer. `page` is exactly one page.
    ///
    /// # Errors
    /// `JET_errReadVerifyFailure` for a wrong checksum; `JET_errDatabasePatchFileMismatch` if it
    /// is some other page.
    pub fn decode(page: &[u8]) -> Result<BackupTrailer> {
        if !verify_header(page) {
            return Err(Error::new(
                JetErr::ReadVerifyFailure,
                format!(
                    "checksum of the backup trailer: stored {:08x}, computed {:08x}",
                    stored_header_xor(page),
                    header_xor(page)
                ),
            ));
        }
        match BackupTrailer::read_from_prefix(page) {
            Ok((trailer, _)) if trailer.zero.iter().all(|word| word.get() == 0) => Ok(trailer),
            _ => Err(Error::new(
                JetErr::DatabasePatchFileMismatch,
                "the page behind the last page is not a backup trailer",
            )),
        }
    }
}
