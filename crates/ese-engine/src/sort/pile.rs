//! Rows in memory, in the order of their coming until they are sorted.
//!
//! A row lies in one piece in a block of 64 KiB: length of the key, length of the record, key,
//! record. Blocks are filled one after the other, so a row that came later has the greater place.
//! Sorting makes one entry for each row: a few bytes of its key and its place. The bytes begin
//! behind those that all keys share, so that they tell most rows apart without a look at the rows.

use super::{BLOCK_LEN, RowRef};

/// Bytes of the two lengths before each row.
pub(super) const ROW_HEAD: usize = 4;

/// A row in the order of the keys.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The next eight bytes of the key as a big-endian number, in two halves: eight bytes in one
    /// would make the entry a third longer.
    high: u32,
    low: u32,
    /// Block and offset.
    place: u32,
}

impl Entry {
    fn prefix(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }
}

/// What an entry takes.
pub(super) const ENTRY_LEN: usize = size_of::<Entry>();

/// Rows that come in any order.
#[derive(Debug, Default)]
pub(super) struct Pile {
    blocks: Vec<Box<[u8]>>,
    /// Bytes of the last block that are in use.
    used: usize,
    rows: usize,
}

/// Rows in the order of their keys; rows of one key in the order of their coming.
#[derive(Debug, Default)]
pub(super) struct SortedPile {
    blocks: Vec<Box<[u8]>>,
    entries: Vec<Entry>,
    /// Bytes of the last block that are in use, and all rows, equal ones included.
    used: usize,
    rows: usize,
}

/// Most blocks: a place has 16 bits for each half.
const BLOCKS_MAX: usize = 1 << 16;

impl Pile {
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Memory that it takes when a row of this length has come, sorted.
    pub(super) fn memory_with(&self, row_len: usize) -> u64 {
        let blocks = self.blocks.len() + usize::from(!self.fits(row_len));
        (blocks * BLOCK_LEN + (self.rows + 1) * ENTRY_LEN) as u64
    }

    /// Memory that it takes when it is sorted.
    pub(super) fn memory(&self) -> u64 {
        (self.blocks.len() * BLOCK_LEN + self.rows * ENTRY_LEN) as u64
    }

    /// Can it take one row more at all?
    pub(super) fn has_place(&self) -> bool {
        self.blocks.len() < BLOCKS_MAX
    }

    fn fits(&self, row_len: usize) -> bool {
        !self.blocks.is_empty() && self.used + ROW_HEAD + row_len <= BLOCK_LEN
    }

    /// Takes a row that is not longer than a block.
    pub(super) fn push(&mut self, key: &[u8], record: &[u8]) {
        if !self.fits(key.len() + record.len()) {
            self.blocks.push(vec![0; BLOCK_LEN].into_boxed_slice());
            self.used = 0;
        }
        if let Some(rest) = self.blocks.last_mut().and_then(|block| block.get_mut(self.used..)) {
            self.used += put_row(rest, key, record);
            self.rows += 1;
        }
    }

    /// Sorts the rows. With `distinct` of the rows of one key only the first one stays.
    pub(super) fn sort(self, distinct: bool) -> SortedPile {
        let shared = self.shared_len();
        let mut entries = Vec::with_capacity(self.rows);
        self.for_each(|place, row| {
            let (high, low) = halves(row.key.get(shared..).unwrap_or_default());
            entries.push(Entry { high, low, place });
        });
        let Pile { blocks, used, rows } = self;
        entries.sort_unstable_by(|a, b| {
            a.prefix().cmp(&b.prefix()).then_with(|| {
                row_at(&blocks, a.place)
                    .key
                    .cmp(row_at(&blocks, b.place).key)
                    .then(a.place.cmp(&b.place))
            })
        });
        if distinct {
            entries.dedup_by(|b, a| {
                a.prefix() == b.prefix()
                    && row_at(&blocks, a.place).key == row_at(&blocks, b.place).key
            });
        }
        SortedPile { blocks, entries, used, rows }
    }

    /// How many bytes all keys begin with in common.
    fn shared_len(&self) -> usize {
        let Some(first) = self.blocks.first() else { return 0 };
        let first = row_in(first).key;
        let mut shared = first.len();
        self.for_each(|_, row| {
            let same = |(a, b): &(&u8, &u8)| a == b;
            let begin = first.get(..shared).unwrap_or_default();
            shared = begin.iter().zip(row.key).take_while(same).count();
        });
        shared
    }

    fn for_each(&self, mut each: impl FnMut(u32, RowRef<'_>)) {
        let mut left = self.rows;
        for (block, number) in self.blocks.iter().zip(0_u32..) {
            let mut at = 0;
            // The next block begins where a row did not fit; what is left of this one is zeros.
            while left > 0
                && let Some(row) = block.get(at..).and_then(read_row)
                && !(row.key.is_empty() && row.record.is_empty())
            {
                each(number << 16 | u32::try_from(at).unwrap_or(0), row);
                at += ROW_HEAD + row.key.len() + row.record.len();
                left -= 1;
            }
        }
    }
}

impl SortedPile {
    /// The rows as they came.
    pub(super) fn unsorted(self) -> Pile {
        Pile { blocks: self.blocks, used: self.used, rows: self.rows }
    }

    /// Blocks that it takes.
    #[cfg(test)]
    pub(super) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The row with this number.
    pub(super) fn row(&self, number: usize) -> Option<RowRef<'_>> {
        self.entries.get(number).map(|entry| row_at(&self.blocks, entry.place))
    }

    /// The number of the first row whose key is not smaller.
    pub(super) fn lower_bound(&self, key: &[u8]) -> usize {
        self.entries.partition_point(|entry| row_at(&self.blocks, entry.place).key < key)
    }
}

fn halves(key: &[u8]) -> (u32, u32) {
    let half = |at: usize| {
        let mut bytes = [0; 4];
        for (byte, from) in bytes.iter_mut().zip(key.get(at..).unwrap_or_default()) {
            *byte = *from;
        }
        u32::from_be_bytes(bytes)
    };
    match key.first_chunk::<8>() {
        Some(bytes) => {
            let whole = u64::from_be_bytes(*bytes);
            (
                u32::try_from(whole >> 32).unwrap_or(0),
                u32::try_from(whole & 0xffff_ffff).unwrap_or(0),
            )
        }
        None => (half(0), half(4)),
    }
}

fn row_at(blocks: &[Box<[u8]>], place: u32) -> RowRef<'_> {
    let (block, at) = ((place >> 16) as usize, (place & 0xffff) as usize);
    blocks.get(block).and_then(|block| block.get(at..)).and_then(read_row).unwrap_or_default()
}

fn row_in(block: &[u8]) -> RowRef<'_> {
    read_row(block).unwrap_or_default()
}

/// Writes a row; gives its length, or 0 where it does not fit.
pub(super) fn put_row(out: &mut [u8], key: &[u8], record: &[u8]) -> usize {
    let len = ROW_HEAD + key.len() + record.len();
    let (Ok(key_len), Ok(record_len)) = (u16::try_from(key.len()), u16::try_from(record.len()))
    else {
        return 0;
    };
    let Some(out) = out.get_mut(..len) else { return 0 };
    let (head, rest) = out.split_at_mut(ROW_HEAD);
    let lengths = u32::from(key_len) | u32::from(record_len) << 16;
    head.copy_from_slice(&lengths.to_le_bytes());
    let (to_key, to_record) = rest.split_at_mut(key.len());
    to_key.copy_from_slice(key);
    to_record.copy_from_slice(record);
    len
}

/// The row at the beginning of some bytes.
#[inline]
pub(super) fn read_row(bytes: &[u8]) -> Option<RowRef<'_>> {
    let (head, rest) = bytes.split_first_chunk::<ROW_HEAD>()?;
    let lengths = u32::from_le_bytes(*head);
    let (key_len, record_len) = ((lengths & 0xffff) as usize, (lengths >> 16) as usize);
    let row = rest.get(..key_len + record_len)?;
    let (key, record) = row.split_at(key_len);
    Some(RowRef { key, record })
}
