//! The space header in slot 0 of a root (edb-format 5.1).

use bitflags::bitflags;
use ese_base::{Error, JetErr, Pgno, Result};

/// Bits of the bitmap of a tree in one extent.
pub(crate) const SINGLE_EXTENT_BITS: u32 = 32;
/// Bytes of a space header.
const LEN: usize = 16;

bitflags! {
    /// Flags of a space header.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct SpaceFlags: u32 {
        /// The tree has trees of owned and available extents.
        const MULTIPLE = 1;
        /// The tree orders by key and data.
        const NON_UNIQUE = 2;
        /// `pages` holds the size of the last extent taken instead of the first one's.
        const LAST_ALLOC = 4;
        const _ = !0;
    }
}

/// What a tree owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceHeader {
    /// Pages of the first extent, which starts at the root; with [`SpaceFlags::LAST_ALLOC`] those
    /// of the last extent taken.
    pub pages: u32,
    /// Root of the tree that gave the space; [`Pgno::NULL`] for the database root.
    pub parent: Pgno,
    /// Flags.
    pub flags: SpaceFlags,
    /// With [`SpaceFlags::MULTIPLE`] the root of the owned extents, else the bitmap of free pages.
    pub last: u32,
}

/// Where the 16 bytes start in an external header: files of update 30 and later may put a flag
/// byte first (bit 0: a space header follows) and an autoincrement value behind.
fn offset_in(external: &[u8]) -> Option<usize> {
    match external.len() {
        LEN => Some(0),
        len if len > LEN && external.first().is_some_and(|flags| flags & 1 != 0) => Some(1),
        _ => None,
    }
}

/// Where the number stands that no row's is above, if the external header holds one: 8 bytes
/// behind the other fields, announced by bit 1 of the flag byte.
fn number_in(external: &[u8]) -> Option<usize> {
    let flags = *external.first()?;
    let at = if flags & 1 == 0 { 1 } else { 1 + LEN };
    (external.len() != LEN && flags & 2 != 0).then_some(at)
}

/// The number that no row's automatic number is above, where a root keeps it.
#[must_use]
pub fn highest_number(external: &[u8]) -> Option<u64> {
    let bytes = external.get(number_in(external)?..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

/// Changes that number; false where the root keeps none.
pub fn set_highest_number(external: &mut [u8], number: u64) -> bool {
    let place = number_in(external).and_then(|at| external.get_mut(at..)?.first_chunk_mut());
    place.map(|bytes: &mut [u8; 8]| *bytes = number.to_le_bytes()).is_some()
}

impl SpaceHeader {
    /// Reads the space header out of a root's external header.
    ///
    /// # Errors
    /// `JET_errSPOwnExtCorrupted` (-343) if there is none.
    pub fn decode(external: &[u8], fdp: Pgno) -> Result<SpaceHeader> {
        let bytes = offset_in(external)
            .and_then(|at| external.get(at..)?.first_chunk::<LEN>())
            .ok_or_else(|| missing(external, fdp))?;
        let word = |at: usize| {
            bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).map_or(0, |w| u32::from_le_bytes(*w))
        };
        Ok(SpaceHeader {
            pages: word(0),
            parent: Pgno(word(4)),
            flags: SpaceFlags::from_bits_retain(word(8)),
            last: word(12),
        })
    }

    /// The 16 bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let words = [self.pages, self.parent.0, self.flags.bits(), self.last];
        for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Puts the 16 bytes into an external header, whatever else that holds.
    ///
    /// # Errors
    /// `JET_errSPOwnExtCorrupted` (-343) if it holds no space header.
    pub fn store(&self, external: &mut [u8], fdp: Pgno) -> Result<()> {
        let place = offset_in(external).and_then(|at| external.get_mut(at..at + LEN));
        match place {
            Some(bytes) => {
                bytes.copy_from_slice(&self.encode());
                Ok(())
            }
            None => Err(missing(external, fdp)),
        }
    }

    /// Does the tree have space trees?
    #[must_use]
    pub fn is_multiple(&self) -> bool {
        self.flags.contains(SpaceFlags::MULTIPLE)
    }

    /// Root of the owned extents; [`Pgno::NULL`] for a tree in one extent.
    #[must_use]
    pub fn pgno_oe(&self) -> Pgno {
        if self.is_multiple() { Pgno(self.last) } else { Pgno::NULL }
    }

    /// Root of the available extents: always the page behind that of the owned ones.
    #[must_use]
    pub fn pgno_ae(&self) -> Pgno {
        if self.is_multiple() { Pgno(self.last.wrapping_add(1)) } else { Pgno::NULL }
    }
}

#[cold]
fn missing(external: &[u8], fdp: Pgno) -> Error {
    Error::new(
        JetErr::SPOwnExtCorrupted,
        format!("the root's external header of {} bytes holds no space header", external.len()),
    )
    .at_page(fdp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_header_reads_as_windows_wrote_it() {
        // Page 31 of basic.edb (edb-format 5.1).
        let bytes = [4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0];
        let header = SpaceHeader::decode(&bytes, Pgno(31)).unwrap();
        assert_eq!((header.pages, header.parent, header.last), (4, Pgno(1), 7));
        assert!(!header.is_multiple() && header.pgno_oe().is_null());
        assert_eq!(header.encode(), bytes);
    }

    #[test]
    fn a_flagged_external_header_keeps_its_other_fields() {
        let mut external = vec![3];
        external.extend([4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0]);
        external.extend([5; 8]);
        let mut header = SpaceHeader::decode(&external, Pgno(31)).unwrap();
        assert_eq!((header.pgno_oe(), header.pgno_ae()), (Pgno(9), Pgno(10)));
        header.pages = 77;
        header.store(&mut external, Pgno(31)).unwrap();
        assert_eq!(SpaceHeader::decode(&external, Pgno(31)).unwrap().pages, 77);
        assert_eq!((external[0], &external[17..]), (3, &[5; 8][..]));
        assert!(SpaceHeader::decode(&[0; 15], Pgno(31)).is_err());
    }
}
