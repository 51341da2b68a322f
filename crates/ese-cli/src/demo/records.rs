//! The records of the demo: tables, and units of rows that are committed together.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use ese_api::{Guid, TableBuilder};

/// A value in record encoding; `None` for NULL.
pub(super) type Field = Option<Vec<u8>>;

/// Everything that is to be loaded.
#[derive(Debug)]
pub(super) struct Dataset {
    /// Where the records come from, in plain words.
    pub(super) origin: String,
    /// Remarks about what was left out.
    pub(super) remark: Option<String>,
    pub(super) tables: Vec<TableSpec>,
    pub(super) units: Vec<Unit>,
    /// What a unit is: `package`, `directory`.
    pub(super) unit_name: &'static str,
}

/// A table of the dataset. Its first columns are its key.
#[derive(Debug)]
pub(super) struct TableSpec {
    pub(super) name: &'static str,
    /// One row: `file`.
    pub(super) row_name: &'static str,
    pub(super) columns: Vec<String>,
    pub(super) table: TableBuilder,
}

/// Rows that one transaction inserts.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// Number of the table, and one field per column.
    pub(super) rows: Vec<(usize, Vec<Field>)>,
}

impl Dataset {
    pub(super) fn rows(&self) -> u64 {
        self.units.iter().map(Unit::len).sum()
    }

    /// How many of the first units have at least so many rows, and how many rows that is.
    pub(super) fn units_with(&self, rows: u64) -> (usize, u64) {
        let mut sum = 0;
        for (at, unit) in self.units.iter().enumerate() {
            sum += unit.len();
            if sum >= rows {
                return (at + 1, sum);
            }
        }
        (self.units.len(), sum)
    }

    /// What each table must hold.
    pub(super) fn sums(&self) -> Vec<Sum> {
        let mut sums = vec![Sum::default(); self.tables.len()];
        for (table, row) in self.units.iter().flat_map(|unit| &unit.rows) {
            if let Some(sum) = sums.get_mut(*table) {
                sum.add(row.iter().map(Option::as_deref));
            }
        }
        sums
    }
}

impl Unit {
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn push(&mut self, table: usize, row: Vec<Field>) {
        self.rows.push((table, row));
    }
}

/// Rows by count and hash; in whatever order they come, equal rows give an equal sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    pub(super) hash: u64,
}

impl Sum {
    /// One row more: the stored bytes of its columns.
    pub(super) fn add<'a>(&mut self, row: impl Iterator<Item = Option<&'a [u8]>>) {
        let mut hasher = DefaultHasher::new();
        for field in row {
            field.hash(&mut hasher);
        }
        self.rows += 1;
        self.hash = self.hash.wrapping_add(hasher.finish());
    }
}

/// A number of an integer column.
pub(super) fn long(number: usize) -> Field {
    i32::try_from(number).ok().map(|number| number.to_le_bytes().to_vec())
}

/// A length in bytes.
pub(super) fn long_long(number: u64) -> Field {
    i64::try_from(number).ok().map(|number| number.to_le_bytes().to_vec())
}

/// Text of a UTF-16 column; none for the empty text.
pub(super) fn utf16(text: &str) -> Field {
    (!text.is_empty()).then(|| text.encode_utf16().flat_map(u16::to_le_bytes).collect())
}

/// A hash of bytes, twice 64 bits, as GUID columns hold it.
pub(super) fn content_hash(bytes: &[u8]) -> Guid {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(bytes);
        hasher.finish().to_le_bytes()
    };
    let mut both = [0; 16];
    let (low, high) = both.split_at_mut(8);
    low.copy_from_slice(&half(0));
    high.copy_from_slice(&half(1));
    Guid(both)
}
