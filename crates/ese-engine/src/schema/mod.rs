//! What a table is: its columns, its indexes, and how the catalog describes them (edb-format section 6).

mod column;
mod table;

pub use column::{
    CODE_PAGE_UNICODE, CODE_PAGE_WESTERN, ColType, Column, ColumnCallback, ColumnFlags, ColumnId,
    Columns,
};
pub use table::{
    Condition, DENSITY_DEFAULT, Index, IndexFlags, LCMAP_FLAGS_DEFAULT, LOCALE_DEFAULT,
    LongValueTree, Segment, TableCallback, TableFlags, TableSchema, record_len_max,
};
