//! Runs of pages, as the space trees hold them (edb-format 5.3).

use ese_base::{Error, JetErr, Pgno, Result};
use ese_pages::Node;

use super::header::SINGLE_EXTENT_BITS;

/// A run of pages; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its first page.
    pub first: Pgno,
    /// Number of pages, at least 1.
    pub pages: u32,
}

/// A key that names an extent by its last page.
pub(crate) fn extent_key(last: Pgno) -> [u8; 4] {
    last.0.to_be_bytes()
}

impl Extent {
    /// The extent of `pages` pages from `first`; `None` if it is empty or leaves the legal page
    /// numbers.
    #[must_use]
    pub fn new(first: Pgno, pages: u32) -> Option<Extent> {
        let last = first.0.checked_add(pages.checked_sub(1)?)?;
        (!first.is_null() && last <= Pgno::MAX.0).then_some(Extent { first, pages })
    }

    /// Its last page.
    #[must_use]
    pub fn last(&self) -> Pgno {
        // `new` has checked the sum.
        Pgno(self.first.0 + (self.pages - 1))
    }

    /// Does it contain the page?
    #[must_use]
    pub fn contains(&self, pgno: Pgno) -> bool {
        self.first <= pgno && pgno <= self.last()
    }

    /// Its key in a space tree: the last page, big-endian.
    #[must_use]
    pub fn key(&self) -> [u8; 4] {
        extent_key(self.last())
    }

    /// Its data in a space tree: the number of pages, little-endian.
    #[must_use]
    pub fn data(&self) -> [u8; 4] {
        self.pages.to_le_bytes()
    }

    /// What is left after `count` pages were taken from the front.
    #[must_use]
    pub fn without_front(&self, count: u32) -> Option<Extent> {
        let pages = self.pages.checked_sub(count)?;
        (pages > 0).then_some(Extent { first: Pgno(self.first.0 + count), pages })
    }

    /// The first `count` pages, or all.
    #[must_use]
    pub fn front(&self, count: u32) -> Extent {
        Extent { first: self.first, pages: self.pages.min(count.max(1)) }
    }

    /// Reads a node of a space tree. `None`: not an ordinary extent (another pool, or empty).
    ///
    /// # Errors
    /// `JET_errSPOwnExtCorrupted` (-343) for a key or data of another shape.
    pub fn decode(node: &Node<'_>, page: Pgno) -> Result<Option<Extent>> {
        let found = Extent::decode_any_pool(node, page)?;
        Ok(found.filter(|(general, _)| *general).map(|(_, extent)| extent))
    }

    /// Reads a node of a space tree: is it of the general pool, whose pages are for us, and which
    /// extent is it. `None`: it is empty.
    ///
    /// # Errors
    /// `JET_errSPOwnExtCorrupted` (-343) for a key or data of another shape.
    pub fn decode_any_pool(node: &Node<'_>, page: Pgno) -> Result<Option<(bool, Extent)>> {
        // Keys of one page share a prefix, so the key may lie in two pieces.
        let mut key = [0; 5];
        let len = node.key_len();
        let shape = |what: &str| {
            Error::new(JetErr::SPOwnExtCorrupted, format!("extent node: {what}")).at_page(page)
        };
        let Some(joined) = key.get_mut(..len) else {
            return Err(shape(&format!("key of {len} bytes")));
        };
        let (head, tail) = joined.split_at_mut(node.prefix.len());
        head.copy_from_slice(node.prefix);
        tail.copy_from_slice(node.suffix);
        let Ok(count) = <[u8; 4]>::try_from(node.data) else {
            return Err(shape(&format!("data of {} bytes", node.data.len())));
        };
        let count = u32::from_le_bytes(count);
        // Five bytes: a pool that is not the general one, with its number first.
        let (general, last) = match (len, key) {
            (4, [a, b, c, d, _]) => (true, [a, b, c, d]),
            (5, [_, a, b, c, d]) => (false, [a, b, c, d]),
            _ => return Err(shape(&format!("key of {len} bytes"))),
        };
        if count == 0 {
            return Ok(None);
        }
        let last = u32::from_be_bytes(last);
        let first = last.checked_sub(count - 1);
        let extent = first.and_then(|first| Extent::new(Pgno(first), count));
        let extent = extent.ok_or_else(|| shape(&format!("{count} pages up to {last}")))?;
        Ok(Some((general, extent)))
    }

    /// The free pages of a tree that lives in this one extent, as runs. Bit `i` of the bitmap
    /// stands for page `first + 1 + i`; pages behind the bitmap are free (edb-format 5.2).
    #[must_use]
    pub fn free_runs(&self, bits: u32) -> Vec<Extent> {
        let mut runs: Vec<Extent> = Vec::new();
        let mut add = |first: Pgno, pages: u32| match runs.last_mut() {
            Some(run) if run.last().0 + 1 == first.0 => run.pages += pages,
            _ => runs.push(Extent { first, pages }),
        };
        let in_bitmap = self.pages.min(SINGLE_EXTENT_BITS + 1);
        for index in (1..in_bitmap).filter(|index| bits >> (index - 1) & 1 != 0) {
            add(Pgno(self.first.0 + index), 1);
        }
        // A damaged header may speak of any number of pages: they are one run.
        if self.pages > in_bitmap {
            add(Pgno(self.first.0 + in_bitmap), self.pages - in_bitmap);
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(first: u32, pages: u32) -> Extent {
        Extent::new(Pgno(first), pages).unwrap()
    }

    #[test]
    fn an_extent_is_named_by_its_last_page_and_consumed_from_the_front() {
        let whole = extent(4, 251);
        assert_eq!(whole.key(), [0, 0, 0, 0xfe]);
        assert_eq!(whole.data(), [251, 0, 0, 0]);
        assert_eq!(whole.without_front(34), Some(extent(38, 217)));
        assert_eq!(whole.without_front(251), None);
        assert_eq!(Extent::new(Pgno(4), 0), None);
        assert_eq!(Extent::new(Pgno::MAX, 2), None);
        assert!(whole.contains(Pgno(254)) && !whole.contains(Pgno(255)));
    }

    #[test]
    fn the_bitmap_of_a_single_extent_lists_free_runs() {
        assert_eq!(extent(31, 4).free_runs(0b111), vec![extent(32, 3)]);
        assert_eq!(extent(31, 4).free_runs(0b101), vec![extent(32, 1), extent(34, 1)]);
        // Pages behind the 32 bits are free without a bit.
        assert_eq!(extent(100, 40).free_runs(0), vec![extent(133, 7)]);
        assert_eq!(extent(100, 40).free_runs(1 << 31), vec![extent(132, 8)]);
        let damaged = extent(4, 0x6e6d_6c6b);
        assert_eq!(damaged.free_runs(0), vec![extent(37, 0x6e6d_6c6b - 33)]);
    }
}
