//! The difference between old and new data in a [`super::ReplaceD`] record (log-records 2.6).
//!
//! A difference is a sequence of items with ascending offsets into the *old* data; each replaces
//! some old bytes by some new ones. Narrow items (offsets below 8192) start with 16 bits that
//! hold offset and flags, wide ones with a 16-bit offset and a flag byte.

use ese_base::{Error, JetErr, Result};

/// The lengths are equal: only one is stored.
const SAME_LEN: u8 = 0x20;
/// Nothing old is replaced: only the new length is stored.
const INSERTION: u8 = 0x40;
/// Lengths are stored in 16 bits instead of 8.
const LONG_LEN: u8 = 0x80;
/// Narrow offsets have 13 bits.
const NARROW_OFFSET: u16 = 0x1fff;

/// One replaced stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Where, in the old data.
    pub offset: usize,
    /// How many old bytes go.
    pub old_len: usize,
    /// What comes instead.
    pub new: &'a [u8],
}

/// The items of a difference.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a [u8],
    wide: bool,
}

/// Reads a difference item by item.
#[must_use]
pub fn items(diff: &[u8], wide: bool) -> Items<'_> {
    Items { rest: diff, wide }
}

impl<'a> Items<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| {
            Error::new(
                JetErr::LogFileCorrupt,
                format!("a difference needs {len} more bytes where {} are left", self.rest.len()),
            )
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.take(2)?.try_into().unwrap_or_default()))
    }

    fn item(&mut self) -> Result<Item<'a>> {
        let word = self.u16()?;
        let (offset, flags) = if self.wide {
            (word, self.u8()?)
        } else {
            (word & NARROW_OFFSET, word.to_le_bytes()[1])
        };
        let long = flags & LONG_LEN != 0;
        let mut len = || -> Result<usize> {
            Ok(if long { usize::from(self.u16()?) } else { usize::from(self.u8()?) })
        };
        let new_len = len()?;
        let old_len = match flags & (SAME_LEN | INSERTION) {
            0 => len()?,
            INSERTION => 0,
            _ => new_len,
        };
        Ok(Item { offset: usize::from(offset), old_len, new: self.take(new_len)? })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>>;

    fn next(&mut self) -> Option<Result<Item<'a>>> {
        if self.rest.is_empty() {
            return None;
        }
        let item = self.item();
        if item.is_err() {
            self.rest = &[];
        }
        Some(item)
    }
}

/// Appends the new data, made of the old data and the difference, to `new`.
///
/// # Errors
/// `JET_errLogFileCorrupt` (-501): the difference does not fit the old data.
pub fn apply(old: &[u8], diff: &[u8], wide: bool, new: &mut Vec<u8>) -> Result<()> {
    let misfit = |offset: usize| {
        Error::new(
            JetErr::LogFileCorrupt,
            format!("a difference at offset {offset} does not fit data of {} bytes", old.len()),
        )
    };
    let mut done = 0;
    for item in items(diff, wide) {
        let item = item?;
        let kept = old.get(done..item.offset).ok_or_else(|| misfit(item.offset))?;
        new.extend_from_slice(kept);
        new.extend_from_slice(item.new);
        done = item.offset + item.old_len;
    }
    new.extend_from_slice(old.get(done..).ok_or_else(|| misfit(done))?);
    Ok(())
}

/// Writes the difference from `old` to `new` as one item (nothing if they are equal): what both
/// begin and end with is left out. Returns whether the wide form was needed, or `None` if the
/// data is too long for any form.
pub fn encode(old: &[u8], new: &[u8], diff: &mut Vec<u8>) -> Option<bool> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    if start == old.len() && start == new.len() {
        return Some(false);
    }
    let (old_rest, new_rest) = (old.get(start..)?, new.get(start..)?);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let replaced = old_rest.get(..old_rest.len() - end)?;
    let inserted = new_rest.get(..new_rest.len() - end)?;

    let offset = u16::try_from(start).ok()?;
    let old_len = u16::try_from(replaced.len()).ok()?;
    let new_len = u16::try_from(inserted.len()).ok()?;
    let mut flags = 0;
    if old_len == new_len {
        flags |= SAME_LEN;
    } else if old_len == 0 {
        flags |= INSERTION;
    }
    if old_len > 0xff || new_len > 0xff {
        flags |= LONG_LEN;
    }
    let wide = offset > NARROW_OFFSET;
    if wide {
        diff.extend_from_slice(&offset.to_le_bytes());
        diff.push(flags);
    } else {
        diff.extend_from_slice(&(offset | u16::from(flags) << 8).to_le_bytes());
    }
    let mut put_len = |len: u16| {
        let bytes = len.to_le_bytes();
        diff.extend_from_slice(if flags & LONG_LEN != 0 { &bytes } else { &bytes[..1] });
    };
    put_len(new_len);
    if flags & (SAME_LEN | INSERTION) == 0 {
        put_len(old_len);
    }
    diff.extend_from_slice(inserted);
    Some(wide)
}
