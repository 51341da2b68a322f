//! What a table is: its columns, its indexes, and how the catalog describes them (edb-format
//! section 6).
//!
//! [`TableSchema`] is a table; [`TableDef`] is the wish for one, checked by [`TableDef::build`].
//! [`table_rows`] turns a table into catalog rows, [`CatalogLoader`] turns catalog rows into
//! tables. [`base_catalog`] and its neighbours are the rows of a new database, byte for byte those
//! that Windows writes.

mod base;
mod catalog;
mod column;
mod column_list;
mod define;
mod define_table;
mod hints;
mod load;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod trees;
mod tuple;

pub(crate) use base::early_catalog;
pub use base::{
    DATABASE_ROOT, FIRST_USER_OBJID, MSYS_LOCALES, MSYS_LOCALES_FDP, MSYS_OBJECTS,
    MSYS_OBJECTS_FDP, MSYS_OBJECTS_NAME, MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_PAGES,
    MSYS_OBJECTS_ROOT, MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_SHADOW, MSYS_OBJECTS_SHADOW_FDP,
    MSYS_OBJECTS_SHADOW_PAGES, MSYS_OBJIDS, MSYS_OBJIDS_FDP, base_catalog, base_locales,
    base_objids, base_tables, objects_table,
};
pub use catalog::{CatalogRow, RowKind, root_name_key, row_key, table_key_prefix};
pub(crate) use column::RECORD_HEADER_LEN;
pub use column::{
    CODE_PAGE_UNICODE, CODE_PAGE_WESTERN, ColType, Column, ColumnCallback, ColumnFlags, ColumnId,
    Columns, Origin,
};
pub(crate) use define::check_limits;
pub use define::{
    ColumnDef, ConditionDef, IndexDef, IndexOptions, KeyPart, Placement, add_column, add_index,
    check_name, default_value,
};
pub(crate) use define_table::refuse_where_tagged_only;
pub use define_table::{TableDef, TableType};
pub use hints::{Growth, SpaceHints};
pub use load::CatalogLoader;
pub(crate) use rows::is_catalog;
pub use rows::{
    CatalogEntry, callback_row, column_row, index_row, long_value_row, objects_of, objids_row,
    objids_rows, table_row, table_rows,
};
pub use table::{
    Condition, DENSITY_DEFAULT, Index, IndexFlags, LongValueTree, Segment, TableCallback,
    TableFlags, TableSchema, record_len_max,
};
pub use text::{decode_text, encode_text};
pub use trees::{TreeInfo, TreeRole};
pub use tuple::TupleLimits;

pub use crate::key::{LCMAP_FLAGS_DEFAULT, LOCALE_DEFAULT, UnicodeIndex};
