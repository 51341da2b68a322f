//! A table as catalog rows: what creating it writes into MSysObjects (and, identical, into the
//! shadow), into the two indexes of MSysObjects, and into MSysObjids.

use ese_base::{Error, JetErr, ObjId, PageSize, Result};

use super::{
    CODE_PAGE_UNICODE, CODE_PAGE_WESTERN, CatalogRow, Column, Condition, Index, LongValueTree,
    RowKind, Segment, TableCallback, TableSchema, encode_text,
};
use crate::record::encode_row;

/// One row of the catalog, ready to be inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogEntry {
    /// Key in MSysObjects and its shadow, and data of the index entries.
    pub key: Vec<u8>,
    /// Data in MSysObjects and its shadow.
    pub data: Vec<u8>,
    /// Key in the index `Name`.
    pub name_key: Vec<u8>,
    /// Key in the index `RootObjects`, for table rows.
    pub root_key: Option<Vec<u8>>,
}

impl CatalogEntry {
    fn new(row: &CatalogRow<'_>, page_size: PageSize) -> Result<CatalogEntry> {
        Ok(CatalogEntry {
            key: row.key(),
            data: row.encode(page_size)?,
            name_key: row.name_key(),
            root_key: row.root_key(),
        })
    }
}

/// The catalog's own tables: their column rows say offset 4 and code page 1252 throughout, because
/// the engine knows better.
pub(crate) fn is_catalog(objid: ObjId) -> bool {
    objid == super::base::MSYS_OBJECTS || objid == super::base::MSYS_OBJECTS_SHADOW
}

/// All rows of a table, in key order: the table, its columns, its indexes, its long-value tree, its
/// callbacks.
///
/// # Errors
/// `JET_errInvalidName` for a name that code page 1252 cannot hold, and as [`CatalogRow::encode`].
pub fn table_rows(table: &TableSchema) -> Result<Vec<CatalogEntry>> {
    let mut rows = vec![table_row(table)?];
    for column in table.columns.all().filter(|column| !column.origin.inherited) {
        rows.push(column_row(table, column)?);
    }
    for index in &table.indexes {
        rows.push(index_row(table, index)?);
    }
    if let Some(lv) = &table.lv {
        rows.push(long_value_row(table, lv)?);
    }
    for callback in &table.callbacks {
        rows.push(callback_row(table, callback)?);
    }
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(rows)
}

/// The row of the table itself.
///
/// # Errors
/// As [`table_rows`].
pub fn table_row(table: &TableSchema) -> Result<CatalogEntry> {
    let name = name_bytes(&table.name)?;
    let template = table.template.as_deref().map(name_bytes).transpose()?;
    let row = CatalogRow {
        coltyp_or_fdp: table.fdp.0,
        space_usage: table.density,
        flags: table.flags.bits(),
        pages_or_locale: table.pages,
        root: true,
        lv_chunk_max: table.lv_chunk_max,
        fdp_set_time: table.fdp_set_time,
        template_or_callback: template.as_deref(),
        separate_lv: table.separate_lv.as_deref(),
        space_hints: table.space_hints.as_deref(),
        deferred_lv_hints: table.deferred_lv_hints.as_deref(),
        ..CatalogRow::new(table.objid, RowKind::Table, table.objid.0, &name)
    };
    CatalogEntry::new(&row, table.page_size)
}

/// The row of one column.
///
/// # Errors
/// As [`table_rows`].
pub fn column_row(table: &TableSchema, column: &Column) -> Result<CatalogEntry> {
    let name = name_bytes(&column.name)?;
    let callback = column.callback.as_deref();
    let callback_name = callback.map(|callback| name_bytes(&callback.name)).transpose()?;
    let (offset, code_page) = if is_catalog(table.objid) {
        (super::column::RECORD_HEADER_LEN, CODE_PAGE_WESTERN)
    } else {
        (column.record_offset, column.code_page)
    };
    let row = CatalogRow {
        coltyp_or_fdp: column.ty.jet(),
        space_usage: column.max_len,
        flags: column.flags.bits(),
        pages_or_locale: u32::from(code_page),
        record_offset: column.id.is_fixed().then_some(offset),
        default_value: column.default.as_deref(),
        template_or_callback: callback_name.as_deref(),
        callback_data: callback.and_then(|callback| callback.data.as_deref()),
        callback_dependencies: callback.and_then(|callback| callback.dependencies.as_deref()),
        ..CatalogRow::new(table.objid, RowKind::Column, u32::from(column.stored_id().0), &name)
    };
    CatalogEntry::new(&row, table.page_size)
}

/// The row of one index, primary or secondary.
///
/// # Errors
/// As [`table_rows`].
pub fn index_row(table: &TableSchema, index: &Index) -> Result<CatalogEntry> {
    let name = name_bytes(&index.name)?;
    let stored = |id| table.columns.require(id).map_or(id, Column::stored_id);
    let segments = index.segments.iter().map(|s| Segment { column: stored(s.column), ..*s });
    let key_fields: Vec<u8> = segments.flat_map(|segment| segment_bytes(&segment)).collect();
    let conditions = index.conditions.iter().map(|c| Condition { column: stored(c.column), ..*c });
    let conditions: Vec<u8> = conditions.flat_map(|c| condition_bytes(&c)).collect();
    let var_seg_mac = index.var_seg_mac.map(u16::to_le_bytes);
    let locale = index.locale.as_deref().and_then(|name| encode_text(name, CODE_PAGE_UNICODE));
    let row = CatalogRow {
        coltyp_or_fdp: index.fdp.0,
        space_usage: index.density,
        flags: index.flags.bits(),
        pages_or_locale: index.lcid,
        lcmap_flags: index.lcmap_flags,
        key_most: index.key_most,
        fdp_set_time: index.fdp_set_time,
        key_fields: Some(&key_fields),
        var_seg_mac: var_seg_mac.as_ref().map(<[u8; 2]>::as_slice),
        conditions: (!conditions.is_empty()).then_some(&conditions),
        tuple_limits: index.tuple_limits.as_deref(),
        version: index.sort_version.as_deref(),
        sort_id: index.sort_id.as_deref(),
        space_hints: index.space_hints.as_deref(),
        locale_name: locale.as_deref(),
        ..CatalogRow::new(table.objid, RowKind::Index, index.objid.0, &name)
    };
    CatalogEntry::new(&row, table.page_size)
}

/// The row of a table's long-value tree.
///
/// # Errors
/// As [`table_rows`].
pub fn long_value_row(table: &TableSchema, lv: &LongValueTree) -> Result<CatalogEntry> {
    let row = CatalogRow {
        coltyp_or_fdp: lv.fdp.0,
        space_usage: lv.density,
        flags: lv.flags,
        pages_or_locale: lv.pages,
        fdp_set_time: lv.fdp_set_time,
        space_hints: lv.space_hints.as_deref(),
        ..CatalogRow::new(table.objid, RowKind::LongValue, lv.objid.0, b"LV")
    };
    CatalogEntry::new(&row, table.page_size)
}

/// The row of a callback.
///
/// # Errors
/// As [`table_rows`].
pub fn callback_row(table: &TableSchema, callback: &TableCallback) -> Result<CatalogEntry> {
    let name = name_bytes(&callback.name)?;
    let row = CatalogRow {
        flags: callback.events,
        template_or_callback: Some(&name),
        ..CatalogRow::new(table.objid, RowKind::Callback, 5, b"CB")
    };
    CatalogEntry::new(&row, table.page_size)
}

/// What MSysObjids notes of a table: each of its objects with the table's own and what it is,
/// ascending.
#[must_use]
pub fn objects_of(table: &TableSchema) -> Vec<(ObjId, ObjId, RowKind)> {
    let mut objects: Vec<_> =
        table.trees().map(|tree| (tree.objid, table.objid, RowKind::of_tree(tree.role))).collect();
    objects.sort_by_key(|(objid, ..)| *objid);
    objects
}

/// Rows of MSysObjids for a table: (key, data) of each of its objects, ascending.
///
/// # Errors
/// As [`table_rows`].
pub fn objids_rows(table: &TableSchema) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let row = |(objid, owner, kind)| objids_row(table.page_size, objid, owner, kind);
    objects_of(table).into_iter().map(row).collect()
}

/// One row of MSysObjids.
///
/// # Errors
/// None for the fixed shape of that table; the signature follows the encoder.
pub fn objids_row(
    page_size: PageSize,
    objid: ObjId,
    objid_table: ObjId,
    kind: RowKind,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let table = super::base::objids_table(page_size)?;
    let (objid, owner) = (objid.0.to_le_bytes(), objid_table.0.to_le_bytes());
    let kind = kind.stored().to_le_bytes();
    let mut data = Vec::new();
    let [first, second, third] = super::base::OBJIDS_COLUMNS;
    let values: [(_, Option<&[u8]>); 3] =
        [(first, Some(&objid)), (second, Some(&owner)), (third, Some(&kind))];
    encode_row(&table, &values, &mut data)?;
    super::base::keyed(&table, data)
}

fn segment_bytes(segment: &Segment) -> [u8; 4] {
    let flags = if segment.descending { 0x40 } else { 0 };
    stored_column(flags, segment.of_template, segment.column.0)
}

fn condition_bytes(condition: &Condition) -> [u8; 4] {
    let flags = if condition.must_be_null { 0x20 } else { 0 };
    stored_column(flags, condition.of_template, condition.column.0)
}

fn stored_column(flags: u8, of_template: bool, column: u16) -> [u8; 4] {
    let [low, high] = column.to_le_bytes();
    [if of_template { flags | 0x80 } else { flags }, 0, low, high]
}

/// A name in the encoding of the catalog.
pub(super) fn name_bytes(name: &str) -> Result<Vec<u8>> {
    encode_text(name, CODE_PAGE_WESTERN).ok_or_else(|| {
        Error::new(
            JetErr::InvalidName,
            format!("the name \"{name}\" has a character that code page 1252 lacks"),
        )
    })
}
