//! A row as bytes: the data of a leaf node in a table's tree (edb-format section 7).
//!
//! ```text
//! +0  u8  highest fixed column present, 0 = none
//! +1  u8  highest variable column present, 127 = none
//! +2  u16 end of the fixed part, its NULL bitmap included
//! +4  fixed columns at the offsets that the catalog gives them, then the bitmap (1 = NULL)
//!     u16 end of each variable column, relative to the first variable byte; bit 15 = NULL
//!     variable columns
//!     TAGFLD array and tagged columns, to the end of the record
//! ```
//!
//! A column above the highest one present (or not among the tagged ones) has its default, or is
//! NULL if it has none: adding a column rewrites no rows. [`RecordView`] cuts a record without
//! copying, [`encode_row`] builds one, [`RecordBuilder`] changes one column at a time, as an update
//! does.
//!
//! Reading trusts nothing: every offset is checked, damage is `JET_errDatabaseCorrupted`. Values
//! outside the record are fetched through [`LongValues`]; encrypted values are recognised, asking
//! for their bytes gives an error that names the column.

mod build;
mod edit;
mod encode;
mod size;
mod tagged;
#[cfg(test)]
mod tests;
mod value;
mod view;

pub use build::RecordBuilder;
pub use edit::replace_columns;
pub use encode::{ColumnValue, encode_row};
pub(crate) use encode::{RowShape, check_value_len, column_value, encode_columns, minimal_len};
pub use size::RecordSize;
pub use value::{Guid, Value};
pub use view::{ColumnData, Instance, Instances, Lid, LongValues, RecordView};

/// Little-endian `u16` at an offset.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes)
}
