//! Tuple indexes: entries for pieces of a text, so that a search finds what stands inside of it.

use ese_base::{Error, JetErr, Result};

/// Which pieces have an entry (JET_TUPLELIMITS). Lengths and places are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TupleLimits {
    /// Shortest piece: 2 to 255.
    pub length_min: u32,
    /// Longest piece: 2 to 255.
    pub length_max: u32,
    /// Most pieces of one text: up to 32767.
    pub count: u32,
    /// From one piece's beginning to the next one's.
    pub increment: u32,
    /// Where the first piece begins.
    pub start: u32,
}

impl Default for TupleLimits {
    fn default() -> TupleLimits {
        TupleLimits { length_min: 3, length_max: 10, count: 32_767, increment: 1, start: 0 }
    }
}

impl TupleLimits {
    /// From the catalog: five numbers, or the first three in older rows.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<TupleLimits> {
        let mut numbers =
            bytes.chunks_exact(4).filter_map(|n| n.try_into().ok().map(u32::from_le_bytes));
        let (length_min, length_max, count) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let (increment, start) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(0));
        Some(TupleLimits { length_min, length_max, count, increment, start })
    }

    /// As the catalog holds them.
    #[must_use]
    pub fn encode(&self) -> Box<[u8]> {
        let numbers = [self.length_min, self.length_max, self.count, self.increment, self.start];
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// Are these limits possible?
    ///
    /// # Errors
    /// `JET_errIndexTuplesInvalidLimits` (-1435).
    pub fn check(&self) -> Result<()> {
        let lengths = 2..=255;
        let possible = lengths.contains(&self.length_min)
            && lengths.contains(&self.length_max)
            && self.length_min <= self.length_max
            && (1..=32_767).contains(&self.count)
            && (1..=65_535).contains(&self.increment)
            && self.start <= 65_535;
        if possible {
            return Ok(());
        }
        let what = format!("{self:?}: lengths are 2 to 255, counts 1 to 32767, steps at least 1");
        Err(Error::new(JetErr::IndexTuplesInvalidLimits, what))
    }

    /// Where piece `number`, counted from 0, begins.
    pub(crate) fn place(&self, number: u32) -> usize {
        let place = u64::from(self.start) + u64::from(number) * u64::from(self.increment);
        usize::try_from(place).unwrap_or(usize::MAX)
    }

    /// The piece of a text that begins at a place; `None` if too little is left there.
    pub(crate) fn cut<'t>(&self, text: &'t [u8], place: usize, wide: bool) -> Option<&'t [u8]> {
        let size = if wide { 2 } else { 1 };
        let least = usize::try_from(self.length_min).ok()?.checked_mul(size)?;
        let most = usize::try_from(self.length_max).ok()?.checked_mul(size)?;
        let rest = text.get(place.checked_mul(size)?..)?;
        if rest.len() < least { None } else { rest.get(..most.min(rest.len())) }
    }
}
