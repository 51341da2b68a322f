//! Tables from catalog rows.

use ese_base::{Error, JetErr, ObjId, PageSize, Result};

use super::{
    CODE_PAGE_UNICODE, CODE_PAGE_WESTERN, CatalogRow, ColType, Column, ColumnCallback, ColumnFlags,
    ColumnId, Columns, Condition, Index, IndexFlags, LongValueTree, Origin, RowKind, Segment,
    TableCallback, TableFlags, TableSchema, column::RECORD_HEADER_LEN, decode_text,
    rows::is_catalog,
};

/// Puts tables together from catalog rows given in key order, as a scan of the catalog delivers
/// them: each table's own row comes first, its other rows follow.
#[derive(Debug)]
pub struct CatalogLoader {
    page_size: PageSize,
    tables: Vec<TableSchema>,
    /// Columns of the last table, until its rows end.
    columns: Vec<Column>,
}

impl CatalogLoader {
    /// For a database with this page size.
    #[must_use]
    pub fn new(page_size: PageSize) -> CatalogLoader {
        CatalogLoader { page_size, tables: Vec::new(), columns: Vec::new() }
    }

    /// Takes the data of the next catalog node.
    ///
    /// # Errors
    /// `JET_errCatalogCorrupted` for a malformed row and for one that does not follow its table's
    /// row.
    pub fn row(&mut self, data: &[u8]) -> Result<()> {
        let row = CatalogRow::decode(data, self.page_size)?;
        if row.kind == RowKind::Table {
            self.finish_table()?;
            self.tables.push(table(&row, self.page_size)?);
            return Ok(());
        }
        let Some(table) = self.tables.last_mut().filter(|table| table.objid == row.objid_table)
        else {
            return Err(corrupted(&row, "does not follow the row of its table"));
        };
        match row.kind {
            RowKind::Column => self.columns.push(column(&row)?),
            RowKind::Index => table.indexes.push(index(&row)?),
            RowKind::LongValue => table.lv = Some(long_value(&row)),
            RowKind::Callback | RowKind::Table => table.callbacks.push(TableCallback {
                events: row.flags,
                name: row.template_or_callback.map(western).unwrap_or_default(),
            }),
        }
        Ok(())
    }

    /// The tables, in the order of their object ids.
    ///
    /// # Errors
    /// `JET_errCatalogCorrupted`, as [`Columns::new`].
    pub fn finish(mut self) -> Result<Vec<TableSchema>> {
        self.finish_table()?;
        inherit(&mut self.tables)?;
        Ok(self.tables)
    }

    fn finish_table(&mut self) -> Result<()> {
        let mut columns = std::mem::take(&mut self.columns);
        let Some(table) = self.tables.last_mut() else { return Ok(()) };
        if is_catalog(table.objid) {
            pack(&mut columns);
        }
        table.columns = Columns::new(columns).map_err(|error| {
            Error::new(JetErr::CatalogCorrupted, format!("table \"{}\": {error}", table.name))
                .caused_by(error)
        })?;
        Ok(())
    }
}

/// Tables that derive from another one get its columns.
fn inherit(tables: &mut [TableSchema]) -> Result<()> {
    let templates: Vec<TableSchema> =
        tables.iter().filter(|table| table.flags.contains(TableFlags::TEMPLATE)).cloned().collect();
    for table in tables.iter_mut() {
        let Some(name) = table.template.as_deref() else { continue };
        // Without its template the table cannot be read; the others can.
        if let Some(template) = templates.iter().find(|t| t.name.eq_ignore_ascii_case(name)) {
            table.inherit(template)?;
        }
    }
    Ok(())
}

/// The catalog's own column rows all say offset 4; its columns are packed in the order of their
/// ids.
fn pack(columns: &mut [Column]) {
    let mut offset = RECORD_HEADER_LEN;
    columns.sort_by_key(|column| column.id);
    for column in columns.iter_mut().filter(|column| column.id.is_fixed()) {
        column.record_offset = offset;
        offset = offset.saturating_add(u16::try_from(column.fixed_len()).unwrap_or(u16::MAX));
    }
}

fn table(row: &CatalogRow<'_>, page_size: PageSize) -> Result<TableSchema> {
    if row.objid_table != ObjId(row.id) || row.fdp().is_null() {
        return Err(corrupted(row, "names another table or no root page"));
    }
    Ok(TableSchema {
        objid: row.objid_table,
        fdp: row.fdp(),
        flags: TableFlags::from_bits_retain(row.flags),
        density: row.space_usage,
        pages: row.pages_or_locale,
        template: row.template_or_callback.map(western),
        lv_chunk_max: row.lv_chunk_max,
        separate_lv: boxed(row.separate_lv),
        space_hints: boxed(row.space_hints),
        deferred_lv_hints: boxed(row.deferred_lv_hints),
        fdp_set_time: row.fdp_set_time,
        ..TableSchema::new(&western(row.name), page_size, Columns::default())
    })
}

fn column(row: &CatalogRow<'_>) -> Result<Column> {
    let id = u16::try_from(row.id).map_err(|_| corrupted(row, "has an impossible column id"))?;
    let ty = ColType::from_jet(row.coltyp_or_fdp)
        .ok_or_else(|| corrupted(row, "has an unknown column type"))?;
    let callback = row.template_or_callback.map(|name| {
        Box::new(ColumnCallback {
            name: western(name),
            data: boxed(row.callback_data),
            dependencies: boxed(row.callback_dependencies),
        })
    });
    Ok(Column {
        id: ColumnId(id),
        origin: Origin::default(),
        name: western(row.name),
        ty,
        flags: ColumnFlags::from_bits_retain(row.flags),
        max_len: row.space_usage,
        code_page: u16::try_from(row.pages_or_locale).unwrap_or(0),
        record_offset: row.record_offset.unwrap_or(0),
        default: boxed(row.default_value),
        callback,
    })
}

fn index(row: &CatalogRow<'_>) -> Result<Index> {
    let flags = IndexFlags::from_bits_retain(row.flags);
    let wide = flags.contains(IndexFlags::WIDE_SEGMENTS);
    let fields = |bytes: Option<&[u8]>| {
        stored_columns(bytes.unwrap_or_default(), wide)
            .ok_or_else(|| corrupted(row, "has a malformed list of columns"))
    };
    let segments: Vec<Segment> = fields(row.key_fields)?
        .into_iter()
        .map(|(flags, column)| Segment {
            column,
            descending: flags & 0x40 != 0,
            of_template: flags & 0x80 != 0,
        })
        .collect();
    let conditions = fields(row.conditions)?
        .into_iter()
        .map(|(flags, column)| Condition {
            column,
            must_be_null: flags & 0x20 != 0,
            of_template: flags & 0x80 != 0,
        })
        .collect();
    if segments.is_empty() {
        return Err(corrupted(row, "is an index without columns"));
    }
    let var_seg_mac = row.var_seg_mac.and_then(|bytes| bytes.try_into().ok());
    let mut index = Index {
        name: western(row.name),
        objid: ObjId(row.id),
        fdp: row.fdp(),
        density: row.space_usage,
        flags,
        segments,
        conditions,
        key_most: row.key_most,
        var_seg_mac: var_seg_mac.map(u16::from_le_bytes),
        lcid: row.pages_or_locale,
        lcmap_flags: row.lcmap_flags,
        locale: row.locale_name.map(|name| decode_text(name, CODE_PAGE_UNICODE)),
        sort_version: boxed(row.version),
        sort_id: boxed(row.sort_id),
        collation: None,
        tuple_limits: boxed(row.tuple_limits),
        space_hints: boxed(row.space_hints),
        fdp_set_time: row.fdp_set_time,
    };
    index.find_collation();
    Ok(index)
}

/// Columns of an index: four bytes each, or two before format update 7 (negative = descending).
fn stored_columns(bytes: &[u8], wide: bool) -> Option<Vec<(u8, ColumnId)>> {
    if !bytes.len().is_multiple_of(if wide { 4 } else { 2 }) {
        return None;
    }
    let column = |bytes: &[u8]| match *bytes {
        [flags, _, low, high] => (flags, ColumnId(u16::from_le_bytes([low, high]))),
        [low, high] => {
            let id = i16::from_le_bytes([low, high]);
            (if id < 0 { 0x40 } else { 0 }, ColumnId(id.unsigned_abs()))
        }
        _ => (0, ColumnId(0)),
    };
    Some(bytes.chunks(if wide { 4 } else { 2 }).map(column).collect())
}

fn long_value(row: &CatalogRow<'_>) -> LongValueTree {
    LongValueTree {
        objid: ObjId(row.id),
        fdp: row.fdp(),
        density: row.space_usage,
        flags: row.flags,
        pages: row.pages_or_locale,
        space_hints: boxed(row.space_hints),
        fdp_set_time: row.fdp_set_time,
    }
}

fn western(bytes: &[u8]) -> String {
    decode_text(bytes, CODE_PAGE_WESTERN)
}

fn boxed(bytes: Option<&[u8]>) -> Option<Box<[u8]>> {
    bytes.map(Box::from)
}

#[track_caller]
fn corrupted(row: &CatalogRow<'_>, what: &str) -> Error {
    Error::new(
        JetErr::CatalogCorrupted,
        format!(
            "catalog row ({}, {:?}, {}) \"{}\" {what}",
            row.objid_table,
            row.kind,
            row.id,
            western(row.name)
        ),
    )
}
