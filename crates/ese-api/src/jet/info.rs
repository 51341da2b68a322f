//! What is known of tables, columns and indexes (api-semantics 13.11). Where the C interface gives
//! a temporary table, here is a list.

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    catalog,
    schema::{Column, Index, IndexFlags, TableFlags},
    table::Table,
};

use super::{
    JET_COLUMNDEF, JET_COLUMNID, JET_GRBIT, JET_INDEXID, JET_bitIndexDisallowNull,
    JET_bitIndexDisallowTruncation, JET_bitIndexDotNetGuid, JET_bitIndexIgnoreAnyNull,
    JET_bitIndexIgnoreFirstNull, JET_bitIndexIgnoreNull, JET_bitIndexPrimary,
    JET_bitIndexSortNullsHigh, JET_bitIndexUnique,
    database::open_database_of,
    gate::Purpose,
    handles::{JET_DBID, JET_SESID, JET_TABLEID},
    session::find_session,
    table::with_cursor,
};

/// The columns of a cursor's table: the one with this name, or all of them.
///
/// # Errors
/// The cursor's; `JET_errColumnNotFound` (-1507).
pub fn JetGetTableColumnInfo(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szColumnName: Option<&str>,
) -> Result<Vec<(String, JET_COLUMNDEF)>> {
    with_cursor(sesid, tableid, |state, cursor| columns(&*cursor.table(state)?, szColumnName))
}

/// As [`JetGetTableColumnInfo`], by the table's name.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errObjectNotFound` (-1305),
/// `JET_errColumnNotFound` (-1507).
pub fn JetGetColumnInfo(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: &str,
    szColumnName: Option<&str>,
) -> Result<Vec<(String, JET_COLUMNDEF)>> {
    columns(&*named(sesid, dbid, szTableName)?, szColumnName)
}

fn columns(table: &Table, name: Option<&str>) -> Result<Vec<(String, JET_COLUMNDEF)>> {
    let describe = |column: &Column| (column.name.clone(), JET_COLUMNDEF::of(column));
    match name.filter(|name| !name.is_empty()) {
        Some(name) => Ok(vec![describe(table.schema.column(name)?)]),
        None => Ok(table.schema.columns.iter().map(describe).collect()),
    }
}

fn named(sesid: JET_SESID, dbid: JET_DBID, name: &str) -> Result<Arc<Table>> {
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let database = open_database_of(own, dbid)?;
        catalog::open_table(&state.engine, &database.attached, name)
    })
}

/// An index of a table.
#[derive(Clone, Debug)]
pub struct JET_INDEXINFO {
    /// Name.
    pub szIndexName: String,
    /// `JET_bitIndex...`.
    pub grbit: JET_GRBIT,
    /// Its key: id and name of each column, and whether it is descending.
    pub rgcolumn: Vec<(JET_COLUMNID, String, bool)>,
    /// Per cent.
    pub ulDensity: u32,
    /// Longest segment of a column of variable length.
    pub cbVarSegMac: u32,
    /// Longest key.
    pub cbKeyMost: u32,
    /// Locale of text, where one is stored.
    pub szLocaleName: Option<String>,
    /// Names the index in [`JetSetCurrentIndex4`](super::JetSetCurrentIndex4).
    pub indexid: JET_INDEXID,
}

/// The indexes of a cursor's table: the one with this name, or all of them. Their number is
/// `JET_IdxInfoCount`.
///
/// # Errors
/// The cursor's; `JET_errIndexNotFound` (-1404).
pub fn JetGetTableIndexInfo(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szIndexName: Option<&str>,
) -> Result<Vec<JET_INDEXINFO>> {
    with_cursor(sesid, tableid, |state, cursor| indexes(&*cursor.table(state)?, szIndexName))
}

/// As [`JetGetTableIndexInfo`], by the table's name.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errObjectNotFound` (-1305),
/// `JET_errIndexNotFound` (-1404).
pub fn JetGetIndexInfo(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: &str,
    szIndexName: Option<&str>,
) -> Result<Vec<JET_INDEXINFO>> {
    indexes(&*named(sesid, dbid, szTableName)?, szIndexName)
}

fn indexes(table: &Table, name: Option<&str>) -> Result<Vec<JET_INDEXINFO>> {
    match name.filter(|name| !name.is_empty()) {
        None => table.schema.indexes.iter().map(|index| index_info(table, index)).collect(),
        Some(name) => {
            let index = table.schema.index(name).ok_or_else(|| {
                let what = format!("table \"{}\" has no index \"{name}\"", table.schema.name);
                Error::new(JetErr::IndexNotFound, what)
            })?;
            Ok(vec![index_info(table, index)?])
        }
    }
}

fn index_info(table: &Table, index: &Index) -> Result<JET_INDEXINFO> {
    let mut rgcolumn = Vec::with_capacity(index.segments.len());
    for segment in &index.segments {
        let column = table.schema.columns.require(segment.column)?;
        rgcolumn.push((u32::from(column.id.0), column.name.clone(), segment.descending));
    }
    let key_most = index.key_len_max();
    Ok(JET_INDEXINFO {
        szIndexName: index.name.clone(),
        grbit: index_grbit(index),
        rgcolumn,
        ulDensity: index.density,
        cbVarSegMac: index.var_seg_mac.map_or(u32::try_from(key_most).unwrap_or(0), u32::from),
        cbKeyMost: u32::try_from(key_most).unwrap_or(0),
        szLocaleName: index.locale.clone(),
        indexid: JET_INDEXID(index.objid),
    })
}

fn index_grbit(index: &Index) -> JET_GRBIT {
    let has = |flag| index.flags.contains(flag);
    let nulls = !has(IndexFlags::NO_NULL_SEGMENT);
    let mut grbit = 0;
    for (on, bit) in [
        (has(IndexFlags::UNIQUE), JET_bitIndexUnique),
        (has(IndexFlags::PRIMARY), JET_bitIndexPrimary),
        (!nulls, JET_bitIndexDisallowNull),
        (nulls && !has(IndexFlags::ALLOW_ALL_NULLS), JET_bitIndexIgnoreNull),
        (nulls && !has(IndexFlags::ALLOW_SOME_NULLS), JET_bitIndexIgnoreAnyNull),
        (nulls && !has(IndexFlags::ALLOW_FIRST_NULL), JET_bitIndexIgnoreFirstNull),
        (has(IndexFlags::NULLS_HIGH), JET_bitIndexSortNullsHigh),
        (has(IndexFlags::DISALLOW_TRUNCATION), JET_bitIndexDisallowTruncation),
        (has(IndexFlags::DOT_NET_GUID), JET_bitIndexDotNetGuid),
    ] {
        grbit |= if on { bit } else { 0 };
    }
    grbit
}

/// A table.
pub const JET_objtypTable: u32 = 1;
/// Rows can be changed.
pub const JET_bitTableInfoUpdatable: JET_GRBIT = 0x1;
/// Rows have bookmarks.
pub const JET_bitTableInfoBookmark: JET_GRBIT = 0x2;
/// Changes can be rolled back.
pub const JET_bitTableInfoRollback: JET_GRBIT = 0x4;
/// A system table.
pub const JET_bitObjectSystem: JET_GRBIT = 0x8000_0000;
/// The schema cannot be changed.
pub const JET_bitObjectTableFixedDDL: JET_GRBIT = 0x4000_0000;
/// Others can derive from it.
pub const JET_bitObjectTableTemplate: JET_GRBIT = 0x2000_0000;
/// It derives from another.
pub const JET_bitObjectTableDerived: JET_GRBIT = 0x1000_0000;

/// An object of a database. Times and counts are not kept; the C structure has zeros there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_OBJECTINFO {
    /// Name.
    pub szName: String,
    /// [`JET_objtypTable`].
    pub objtyp: u32,
    /// `JET_bitTableInfo...`.
    pub grbit: JET_GRBIT,
    /// `JET_bitObject...`.
    pub flags: JET_GRBIT,
}

impl JET_OBJECTINFO {
    fn of(table: &Table) -> JET_OBJECTINFO {
        let known =
            TableFlags::SYSTEM | TableFlags::FIXED_DDL | TableFlags::TEMPLATE | TableFlags::DERIVED;
        JET_OBJECTINFO {
            szName: table.schema.name.clone(),
            objtyp: JET_objtypTable,
            grbit: JET_bitTableInfoUpdatable | JET_bitTableInfoBookmark | JET_bitTableInfoRollback,
            flags: (table.schema.flags & known).bits(),
        }
    }
}

/// The tables of a database: the one with this name, or all of them, by name.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errObjectNotFound` (-1305).
pub fn JetGetObjectInfo(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szObjectName: Option<&str>,
) -> Result<Vec<JET_OBJECTINFO>> {
    if let Some(name) = szObjectName.filter(|name| !name.is_empty()) {
        return Ok(vec![JET_OBJECTINFO::of(&*named(sesid, dbid, name)?)]);
    }
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let database = open_database_of(own, dbid)?;
        let tables = catalog::tables(&state.engine, &database.attached)?;
        Ok(tables.iter().map(|table| JET_OBJECTINFO::of(table)).collect())
    })
}

/// What kind of table it is.
pub const JET_TblInfo: u32 = 0;
/// The name.
pub const JET_TblInfoName: u32 = 1;
/// The database.
pub const JET_TblInfoDbid: u32 = 2;
/// Initial pages and density.
pub const JET_TblInfoSpaceAlloc: u32 = 9;
/// The table it derives from.
pub const JET_TblInfoTemplateTableName: u32 = 12;

/// A fact about a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JET_TBLINFO {
    /// What kind of table it is.
    Object(JET_OBJECTINFO),
    /// A name; empty where there is none.
    Name(String),
    /// The database.
    Dbid(JET_DBID),
    /// Initial pages, and density in per cent.
    SpaceAlloc(u32, u32),
}

/// A fact about a cursor's table.
///
/// # Errors
/// The cursor's; `JET_errInvalidParameter` (-1003) for an unknown level.
pub fn JetGetTableInfo(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    InfoLevel: u32,
) -> Result<JET_TBLINFO> {
    with_cursor(sesid, tableid, |state, cursor| {
        let table = cursor.table(state)?;
        let schema = &table.schema;
        Ok(match InfoLevel {
            JET_TblInfo => JET_TBLINFO::Object(JET_OBJECTINFO::of(&table)),
            JET_TblInfoName => JET_TBLINFO::Name(schema.name.clone()),
            JET_TblInfoDbid => JET_TBLINFO::Dbid(u32::from(table.db.dbid.0)),
            JET_TblInfoSpaceAlloc => JET_TBLINFO::SpaceAlloc(schema.pages, schema.density),
            JET_TblInfoTemplateTableName => {
                JET_TBLINFO::Name(schema.template.clone().unwrap_or_default())
            }
            other => {
                let what = format!("{other} is no level of information");
                return Err(Error::new(JetErr::InvalidParameter, what));
            }
        })
    })
}
