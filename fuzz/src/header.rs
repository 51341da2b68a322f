//! Arbitrary bytes as a database file: finding the header never panics, reads nothing beyond the
//! end, and what it accepts can be written and read again.
//!
//! Input: options, then the file.

use ese_base::{PageSize, Result};
use ese_pages::{
    DbHeader,
    checksum::stamp_header,
    header::{BackupTrailer, locate},
};

use crate::input::Input;

/// Option bit: give the first copy a right checksum (over the page size in the low bits above).
pub const STAMP_PRIMARY: u8 = 1;
/// Option bit: give the second copy a right checksum.
pub const STAMP_SHADOW: u8 = 2;

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let options = input.byte();
    let size = PageSize::ALL[usize::from(options >> 2) % PageSize::ALL.len()].bytes();
    let mut file = input.rest().to_vec();
    for (option, at) in [(STAMP_PRIMARY, 0), (STAMP_SHADOW, size)] {
        if let Some(copy) = file.get_mut(at..at + size).filter(|_| options & option != 0) {
            stamp_header(copy);
        }
    }
    let len = u64::try_from(file.len()).expect("a length");
    let read = |offset: u64, buf: &mut [u8]| -> Result<()> {
        let at = usize::try_from(offset).expect("an offset");
        buf.copy_from_slice(file.get(at..at + buf.len()).expect("never asks beyond the end"));
        Ok(())
    };
    match locate(read, len) {
        Ok(found) => {
            let page = found.header.encode().expect("what was accepted can be written");
            assert_eq!(page.len(), found.page_size.bytes());
            let mut again = DbHeader::decode(&page).expect("and read again");
            // It may differ only by what the copy held behind the fields.
            again.checksum = found.header.checksum;
            assert!(again == found.header, "{:?} became {again:?}", found.header);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    for page in [&file[..], file.get(..size).unwrap_or_default()] {
        if let Ok(header) = DbHeader::decode(page) {
            assert_eq!(header.page_size().expect("was checked").bytes(), page.len());
        }
        let _ = (DbHeader::from_page(page), BackupTrailer::decode(page));
    }
}
