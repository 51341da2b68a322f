//! Space hints: wishes for the space of a tree (edb-format 6.2, SpaceHints and
//! SpaceDeferredLVHints). They are kept with the tree and can be read back; the density, the
//! initial size and the sizes of extents are also followed.

use ese_base::{Error, JetErr, PageSize, Result};

/// Flags that are known (JET_bitSpaceHints..., JET_bitCreateHint..., JET_bitRetrieveHint...,
/// JET_bitDeleteHint...).
const GRBIT_KNOWN: u32 = 0x1ff;
/// JET_bitRetrieveHintTableScanForward and -Backward.
const SCAN_BOTH_WAYS: u32 = 0x30;
/// Growth is below this.
const GROWTH_END: u32 = 50_000;

/// Wishes for the space of a tree (JET_SPACEHINTS). 0 is "no wish" throughout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceHints {
    /// Per cent to which a load in order fills pages.
    pub density: u32,
    /// Bytes to begin with.
    pub initial: u32,
    /// Flags of JET_SPACEHINTS.
    pub grbit: u32,
    /// Per cent to be kept while the tree lives.
    pub maintained_density: u32,
    /// Per cent of an extent that the next one has.
    pub growth: u32,
    /// Smallest extent in bytes.
    pub extent_min: u32,
    /// Largest extent in bytes.
    pub extent_max: u32,
}

impl SpaceHints {
    /// The wishes with sizes in whole pages, if they fit together.
    ///
    /// # Errors
    /// `JET_errDensityInvalid` (-1307), `JET_errInvalidGrbit` (-900), `JET_errSpaceHintsInvalid`
    /// (-2103).
    pub fn checked(self, page_size: PageSize) -> Result<SpaceHints> {
        for density in [self.density, self.maintained_density] {
            if density != 0 && !(20..=100).contains(&density) {
                let what = format!("a density of {density} per cent; 20 to 100 are possible");
                return Err(Error::new(JetErr::DensityInvalid, what));
            }
        }
        if self.grbit & !GRBIT_KNOWN != 0 {
            let what = format!("space hints with flags {:#x}", self.grbit);
            return Err(Error::new(JetErr::InvalidGrbit, what));
        }
        let page = u32::try_from(page_size.bytes()).unwrap_or(u32::MAX);
        let whole = |bytes: u32| bytes.checked_next_multiple_of(page).unwrap_or(bytes);
        let hints = SpaceHints {
            initial: whole(self.initial),
            extent_min: whole(self.extent_min),
            extent_max: whole(self.extent_max),
            ..self
        };
        let what = if hints.grbit & SCAN_BOTH_WAYS == SCAN_BOTH_WAYS {
            "scans go forward and backward"
        } else if hints.extent_min > hints.extent_max {
            "the smallest extent is larger than the largest"
        } else if hints.growth != 0 && !(100..GROWTH_END).contains(&hints.growth) {
            "growth is 100 to 49999 per cent"
        } else {
            return Ok(hints);
        };
        Err(Error::new(JetErr::SpaceHintsInvalid, format!("space hints: {what}")))
    }

    /// Pages to begin with.
    #[must_use]
    pub fn initial_pages(&self, page_size: PageSize) -> u32 {
        u32::try_from(u64::from(self.initial) / page_size.bytes_u64()).unwrap_or(0)
    }

    /// How the tree is to grow, if there is a wish: sizes of extents.
    #[must_use]
    pub fn growth(&self, page_size: PageSize) -> Option<Growth> {
        let pages = |bytes: u32| {
            u32::try_from(u64::from(bytes) / page_size.bytes_u64()).unwrap_or(u32::MAX)
        };
        let (least, most) = (pages(self.extent_min).max(1), pages(self.extent_max));
        if self.growth == 0 && self.extent_min == 0 && most == 0 {
            return None;
        }
        let most = if most == 0 { u32::MAX } else { most.max(least) };
        Some(Growth { percent: self.growth.max(100), least, most })
    }

    fn members(&self) -> [u32; 7] {
        [
            self.density,
            self.initial,
            self.grbit,
            self.maintained_density,
            self.growth,
            self.extent_min,
            self.extent_max,
        ]
    }

    fn of_members(first: usize, bytes: Option<&[u8]>) -> Option<SpaceHints> {
        let (version, rest) = bytes?.split_first()?;
        let (stored, rest) = rest.as_chunks::<4>();
        if *version != VERSION || !rest.is_empty() {
            return None;
        }
        let mut all = [0; 7];
        for (member, bytes) in all.iter_mut().skip(first).zip(stored) {
            *member = u32::from_le_bytes(*bytes);
        }
        let [density, initial, grbit, maintained_density, growth, extent_min, extent_max] = all;
        Some(SpaceHints {
            density,
            initial,
            grbit,
            maintained_density,
            growth,
            extent_min,
            extent_max,
        })
    }

    /// From a member on; zeros at the end are left out. `None`: there is nothing to say.
    fn encode(&self, first: usize) -> Option<Box<[u8]>> {
        let members = self.members();
        let end = members.iter().rposition(|member| *member != 0)? + 1;
        let stored = members.get(first..end).filter(|stored| !stored.is_empty())?;
        let mut bytes = vec![VERSION];
        stored.iter().for_each(|member| bytes.extend_from_slice(&member.to_le_bytes()));
        Some(bytes.into_boxed_slice())
    }

    /// As a table's row holds them: density and initial pages have columns of their own there.
    #[must_use]
    pub fn encode_for_table(&self) -> Option<Box<[u8]>> {
        self.encode(2)
    }

    /// As an index's row holds them.
    #[must_use]
    pub fn encode_for_index(&self) -> Option<Box<[u8]>> {
        self.encode(1)
    }

    /// As a table's row holds those of a long-value tree to come.
    #[must_use]
    pub fn encode_for_long_values(&self) -> Option<Box<[u8]>> {
        self.encode(0)
    }

    /// What a table's row says, with its density and initial pages.
    #[must_use]
    pub fn of_table(table: &super::TableSchema) -> SpaceHints {
        let stored = SpaceHints::of_members(2, table.space_hints.as_deref()).unwrap_or_default();
        let page = u32::try_from(table.page_size.bytes()).unwrap_or(0);
        let initial = table.pages.saturating_mul(page);
        SpaceHints { density: table.density, initial, ..stored }
    }

    /// What an index's row says, with its density.
    #[must_use]
    pub fn of_index(index: &super::Index) -> SpaceHints {
        let stored = SpaceHints::of_members(1, index.space_hints.as_deref()).unwrap_or_default();
        SpaceHints { density: index.density, ..stored }
    }

    /// What a table's row says of a long-value tree to come.
    #[must_use]
    pub fn of_long_values(table: &super::TableSchema) -> Option<SpaceHints> {
        SpaceHints::of_members(0, table.deferred_lv_hints.as_deref())
    }
}

/// Sizes of the extents that a tree takes one after the other, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Per cent of an extent that the next one has; at least 100.
    pub percent: u32,
    /// The smallest extent.
    pub least: u32,
    /// The largest.
    pub most: u32,
}

impl Growth {
    /// The extent to come after one of `last` pages.
    #[must_use]
    pub fn next(&self, last: u32) -> u32 {
        let next = u64::from(last) * u64::from(self.percent) / 100;
        u32::try_from(next).unwrap_or(u32::MAX).clamp(self.least, self.most)
    }
}

/// First byte of what is stored.
const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_come_back_from_each_kind_of_row() {
        let hints = SpaceHints {
            density: 90,
            initial: 5000,
            grbit: 2,
            growth: 150,
            extent_max: 65536,
            ..SpaceHints::default()
        };
        let hints = hints.checked(PageSize::K4).unwrap();
        assert_eq!(hints.initial, 8192, "whole pages");
        let bytes = hints.encode_for_index().unwrap();
        assert_eq!(bytes[..5], [1, 0, 0x20, 0, 0], "version, then the initial size");
        let back = SpaceHints::of_members(1, Some(&bytes)).unwrap();
        assert_eq!(back, SpaceHints { density: 0, ..hints });
        let bytes = hints.encode_for_long_values().unwrap();
        assert_eq!(SpaceHints::of_members(0, Some(&bytes)), Some(hints));
        let only_growth = SpaceHints { growth: 150, ..SpaceHints::default() };
        assert_eq!(only_growth.encode_for_table().unwrap().len(), 1 + 3 * 4, "no zeros at the end");
        assert_eq!(SpaceHints { density: 80, ..SpaceHints::default() }.encode_for_table(), None);
    }

    #[test]
    fn extents_grow_from_the_smallest_to_the_largest() {
        let no = SpaceHints::default();
        assert_eq!(no.growth(PageSize::K4), None);
        assert_eq!(SpaceHints { density: 90, initial: 8192, ..no }.growth(PageSize::K4), None);
        let hints = SpaceHints { growth: 150, extent_min: 8192, extent_max: 1 << 16, ..no };
        let growth = hints.growth(PageSize::K4).unwrap();
        let sizes = std::iter::successors(Some(1), |last| Some(growth.next(*last)));
        assert_eq!(sizes.skip(1).take(8).collect::<Vec<_>>(), [2, 3, 4, 6, 9, 13, 16, 16]);
        let steady = SpaceHints { extent_min: 8192, ..no }.growth(PageSize::K4).unwrap();
        assert_eq!((steady.next(1), steady.next(2), steady.next(40)), (2, 2, 40));
    }

    #[test]
    fn hints_that_contradict_each_other_are_refused() {
        let code = |hints: SpaceHints| hints.checked(PageSize::K4).unwrap_err().code();
        let no = SpaceHints::default();
        assert_eq!(code(SpaceHints { density: 10, ..no }), JetErr::DensityInvalid);
        assert_eq!(code(SpaceHints { grbit: 0x8000, ..no }), JetErr::InvalidGrbit);
        assert_eq!(code(SpaceHints { grbit: 0x30, ..no }), JetErr::SpaceHintsInvalid);
        assert_eq!(code(SpaceHints { growth: 50, ..no }), JetErr::SpaceHintsInvalid);
        let crossed = SpaceHints { extent_min: 8192, extent_max: 4096, ..no };
        assert_eq!(code(crossed), JetErr::SpaceHintsInvalid);
    }
}
