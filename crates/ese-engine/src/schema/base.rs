//! The tables that every database has, and their rows in a new one (edb-format 5.6, 6.9, 12).

use ese_base::{ObjId, PageSize, Pgno, Result};

use super::{
    CODE_PAGE_UNICODE, CatalogEntry, ColType, Column, ColumnFlags, ColumnId, Columns,
    DENSITY_DEFAULT, Index, IndexFlags, LCMAP_FLAGS_DEFAULT, LOCALE_DEFAULT, Origin, Segment,
    TableFlags, TableSchema, catalog::catalog_columns, encode_text, objids_rows, table_rows,
};
use crate::{
    key,
    record::{RecordView, encode_row},
};

/// The tree of the database root.
pub const DATABASE_ROOT: ObjId = ObjId(1);
/// The catalog.
pub const MSYS_OBJECTS: ObjId = ObjId(2);
/// Its copy.
pub const MSYS_OBJECTS_SHADOW: ObjId = ObjId(3);
/// The catalog's index by table, type and name.
pub const MSYS_OBJECTS_NAME: ObjId = ObjId(4);
/// The catalog's index of tables by name.
pub const MSYS_OBJECTS_ROOT: ObjId = ObjId(5);
/// The table of object ids.
pub const MSYS_OBJIDS: ObjId = ObjId(6);
/// The table of locales.
pub const MSYS_LOCALES: ObjId = ObjId(7);
/// The first object id that a new database gives to user tables.
pub const FIRST_USER_OBJID: ObjId = ObjId(8);

/// Root page of MSysObjects.
pub const MSYS_OBJECTS_FDP: Pgno = Pgno(4);
/// Root page of its index `Name`.
pub const MSYS_OBJECTS_NAME_FDP: Pgno = Pgno(7);
/// Root page of its index `RootObjects`.
pub const MSYS_OBJECTS_ROOT_FDP: Pgno = Pgno(10);
/// Root page of MSysObjectsShadow.
pub const MSYS_OBJECTS_SHADOW_FDP: Pgno = Pgno(24);
/// Root page of MSysObjids in a new database.
pub const MSYS_OBJIDS_FDP: Pgno = Pgno(29);
/// Root page of MSysLocales in a new database.
pub const MSYS_LOCALES_FDP: Pgno = Pgno(30);

/// Initial pages of MSysObjects, its two indexes included.
pub const MSYS_OBJECTS_PAGES: u32 = 20;
/// Initial pages of MSysObjectsShadow.
pub const MSYS_OBJECTS_SHADOW_PAGES: u32 = 5;

/// The same in a database of [`early_catalog`].
const EARLY_SHADOW_PAGES: u32 = 9;
/// English of the United States.
const EARLY_LCID: u32 = 1033;

pub(super) const OBJIDS_COLUMNS: [ColumnId; 3] = [ColumnId(256), ColumnId(257), ColumnId(258)];

/// The four tables of a new database, at their fixed places.
///
/// # Errors
/// None for these fixed definitions; the signature follows the checks that they pass.
pub fn base_tables(page_size: PageSize) -> Result<[TableSchema; 4]> {
    Ok([
        objects_table(page_size)?,
        shadow_table(page_size)?,
        objids_table(page_size)?,
        locales_table(page_size)?,
    ])
}

/// The 72 catalog rows of a new database, in key order.
///
/// # Errors
/// As [`base_tables`].
pub fn base_catalog(page_size: PageSize) -> Result<Vec<CatalogEntry>> {
    let mut rows = Vec::with_capacity(72);
    for table in base_tables(page_size)? {
        rows.extend(table_rows(&table)?);
    }
    Ok(rows)
}

/// The 56 catalog rows of a database that an engine of log format 7.3704 has created, in key order
/// (log-records 4): three columns fewer, an LCID instead of a locale's name, a larger shadow.
///
/// # Errors
/// As [`base_tables`].
pub(crate) fn early_catalog(page_size: PageSize) -> Result<Vec<CatalogEntry>> {
    const LATER_COLUMNS: [ColumnId; 3] = [ColumnId(12), ColumnId(137), ColumnId(261)];
    let mut rows = Vec::with_capacity(56);
    for mut table in [objects_table(page_size)?, shadow_table(page_size)?] {
        let mut columns = catalog_columns(false);
        columns.retain(|column| !LATER_COLUMNS.contains(&column.id));
        table.columns = Columns::new(columns)?;
        if table.objid == MSYS_OBJECTS_SHADOW {
            table.pages = EARLY_SHADOW_PAGES;
        }
        for index in &mut table.indexes {
            index.locale = None;
            index.lcid = EARLY_LCID;
        }
        rows.extend(table_rows(&table)?);
    }
    Ok(rows)
}

/// The rows of MSysObjids in a new database: (key, data), ascending.
///
/// # Errors
/// As [`base_tables`].
pub fn base_objids(page_size: PageSize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut rows = Vec::new();
    for table in base_tables(page_size)? {
        rows.extend(objids_rows(&table)?);
    }
    rows.sort();
    Ok(rows)
}

/// The rows of MSysLocales in a new database: (key, data), ascending.
///
/// # Errors
/// As [`base_tables`].
pub fn base_locales(page_size: PageSize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let table = locales_table(page_size)?;
    let mut rows = Vec::new();
    for (ty, value, name) in [
        (1_u8, 1_i32, ".Schema\\External\\Major"),
        (1, 0, ".Schema\\External\\Minor"),
        (1, 0, ".Schema\\External\\Update"),
        (1, 1, ".Schema\\Internal\\Major"),
        (1, 0, ".Schema\\Internal\\Minor"),
        (1, 0, ".Schema\\Internal\\Update"),
        (2, 1, "MSysLocalesConsistent"),
    ] {
        let mut name = encode_text(name, CODE_PAGE_UNICODE).unwrap_or_default();
        // Keys are stored with their terminator.
        name.extend_from_slice(&[0, 0]);
        let value = value.to_le_bytes();
        let values: [(_, Option<&[u8]>); 3] =
            [(ColumnId(1), Some(&[ty])), (ColumnId(2), Some(&value)), (ColumnId(128), Some(&name))];
        let mut data = Vec::new();
        encode_row(&table, &values, &mut data)?;
        rows.push(keyed(&table, data)?);
    }
    rows.sort();
    Ok(rows)
}

/// A row with its primary key in front.
pub(super) fn keyed(table: &TableSchema, data: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut row_key = Vec::new();
    key::primary_key(table, &RecordView::new(&data, table.page_size)?, &mut row_key)?;
    Ok((row_key, data))
}

/// MSysObjects, with the columns that formats below update 230 have.
///
/// # Errors
/// As [`base_tables`].
pub fn objects_table(page_size: PageSize) -> Result<TableSchema> {
    let unique = IndexFlags::UNIQUE | IndexFlags::NO_NULL_SEGMENT;
    let id = index("Id", MSYS_OBJECTS, MSYS_OBJECTS_FDP, unique | IndexFlags::PRIMARY, &[1, 2, 3]);
    let name = index("Name", MSYS_OBJECTS_NAME, MSYS_OBJECTS_NAME_FDP, unique, &[1, 2, 128]);
    let root = index(
        "RootObjects",
        MSYS_OBJECTS_ROOT,
        MSYS_OBJECTS_ROOT_FDP,
        IndexFlags::UNIQUE | IndexFlags::ALLOW_SOME_NULLS,
        &[8, 128],
    );
    Ok(TableSchema {
        objid: MSYS_OBJECTS,
        fdp: MSYS_OBJECTS_FDP,
        flags: TableFlags::SYSTEM | TableFlags::FIXED_DDL,
        pages: MSYS_OBJECTS_PAGES,
        indexes: vec![id, name, root],
        ..TableSchema::new("MSysObjects", page_size, Columns::new(catalog_columns(false))?)
    })
}

fn shadow_table(page_size: PageSize) -> Result<TableSchema> {
    let id = index(
        "Id",
        MSYS_OBJECTS_SHADOW,
        MSYS_OBJECTS_SHADOW_FDP,
        IndexFlags::UNIQUE | IndexFlags::NO_NULL_SEGMENT | IndexFlags::PRIMARY,
        &[1, 2, 3],
    );
    Ok(TableSchema {
        objid: MSYS_OBJECTS_SHADOW,
        fdp: MSYS_OBJECTS_SHADOW_FDP,
        flags: TableFlags::SYSTEM | TableFlags::FIXED_DDL,
        pages: MSYS_OBJECTS_SHADOW_PAGES,
        indexes: vec![id],
        ..TableSchema::new("MSysObjectsShadow", page_size, Columns::new(catalog_columns(false))?)
    })
}

pub(super) fn objids_table(page_size: PageSize) -> Result<TableSchema> {
    let [objid, objid_table, ty] = OBJIDS_COLUMNS;
    let columns = vec![
        column("objid", objid, ColType::Long, 4),
        column("objidTable", objid_table, ColType::Long, 4),
        column("type", ty, ColType::Short, 2),
    ];
    let mut primary = index("primary", MSYS_OBJIDS, MSYS_OBJIDS_FDP, PRIMARY_DEFAULT, &[objid.0]);
    primary.density = 100;
    Ok(TableSchema {
        objid: MSYS_OBJIDS,
        fdp: MSYS_OBJIDS_FDP,
        flags: TableFlags::SYSTEM | TableFlags::FIXED_DDL | TableFlags::DYNAMIC_SYSTEM,
        density: 100,
        pages: 0,
        indexes: vec![primary],
        ..TableSchema::new("MSysObjids", page_size, Columns::new(columns)?)
    })
}

fn locales_table(page_size: PageSize) -> Result<TableSchema> {
    let mut ty = column("Type", ColumnId(1), ColType::UnsignedByte, 1);
    ty.flags = ColumnFlags::NOT_NULL;
    ty.record_offset = 4;
    let mut value = column("iValue", ColumnId(2), ColType::Long, 4);
    value.flags = ColumnFlags::DEFAULT | ColumnFlags::ESCROW_UPDATE;
    value.record_offset = 5;
    value.default = Some(Box::new([0; 4]));
    let columns = vec![ty, value, column("Key", ColumnId(128), ColType::Binary, 255)];
    let flags = PRIMARY_DEFAULT | IndexFlags::DISALLOW_TRUNCATION;
    let mut primary = index("KeyPrimary", MSYS_LOCALES, MSYS_LOCALES_FDP, flags, &[128]);
    primary.density = 92;
    Ok(TableSchema {
        objid: MSYS_LOCALES,
        fdp: MSYS_LOCALES_FDP,
        flags: TableFlags::SYSTEM | TableFlags::DYNAMIC_SYSTEM,
        density: 92,
        pages: 0,
        indexes: vec![primary],
        ..TableSchema::new("MSysLocales", page_size, Columns::new(columns)?)
    })
}

/// Flags of a primary index that has no option (edb-format 6.7).
const PRIMARY_DEFAULT: IndexFlags = IndexFlags::PRIMARY
    .union(IndexFlags::UNIQUE)
    .union(IndexFlags::ALLOW_ALL_NULLS)
    .union(IndexFlags::ALLOW_FIRST_NULL)
    .union(IndexFlags::ALLOW_SOME_NULLS);

fn column(name: &str, id: ColumnId, ty: ColType, max_len: u32) -> Column {
    Column {
        id,
        origin: Origin::default(),
        name: name.to_owned(),
        ty,
        flags: ColumnFlags::empty(),
        max_len,
        code_page: 0,
        record_offset: 0,
        default: None,
        callback: None,
    }
}

fn index(name: &str, objid: ObjId, fdp: Pgno, flags: IndexFlags, columns: &[u16]) -> Index {
    Index {
        name: name.to_owned(),
        objid,
        fdp,
        density: DENSITY_DEFAULT,
        flags: flags | IndexFlags::WIDE_SEGMENTS,
        segments: columns.iter().map(|id| Segment::ascending(ColumnId(*id))).collect(),
        conditions: Vec::new(),
        key_most: None,
        var_seg_mac: None,
        lcid: 0,
        lcmap_flags: Some(LCMAP_FLAGS_DEFAULT),
        locale: Some(LOCALE_DEFAULT.to_owned()),
        sort_version: None,
        sort_id: None,
        collation: None,
        tuple_limits: None,
        space_hints: None,
        fdp_set_time: None,
    }
}
