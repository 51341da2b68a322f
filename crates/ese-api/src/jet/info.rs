//! What is known of tables, columns and indexes (api-semantics 13.11). Where the C interface gives
//! a temporary table, here is a list.

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    catalog,
    key::locale_number,
    longvalue::chunk_len,
    schema::{Column, Index, IndexFlags, SpaceHints, TableFlags, TupleLimits, check_name},
    session::Session,
    table::Table,
    temp::TempTable,
};

use super::{
    JET_COLUMNDEF, JET_COLUMNID, JET_CONDITIONALCOLUMN, JET_GRBIT, JET_INDEXCREATE, JET_INDEXID,
    JET_SPACEHINTS, JET_TUPLELIMITS, JET_UNICODEINDEX2, JET_bitIndexColumnMustBeNonNull,
    JET_bitIndexColumnMustBeNull, JET_bitIndexCrossProduct, JET_bitIndexDisallowNull,
    JET_bitIndexDisallowTruncation, JET_bitIndexDotNetGuid, JET_bitIndexIgnoreAnyNull,
    JET_bitIndexIgnoreFirstNull, JET_bitIndexIgnoreNull, JET_bitIndexKeyMost,
    JET_bitIndexNestedTable, JET_bitIndexPrimary, JET_bitIndexSortNullsHigh,
    JET_bitIndexTupleLimits, JET_bitIndexTuples, JET_bitIndexUnicode, JET_bitIndexUnique,
    database::open_database_of,
    gate::Purpose,
    handles::{JET_DBID, JET_SESID, JET_TABLEID},
    session::find_session,
    table::{column_of, columnid_of, with_cursor, with_cursor_in_callback},
};

/// Which columns are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JET_COLUMNCHOICE<'n> {
    /// All (`JET_ColInfoList`).
    #[default]
    All,
    /// All but those of the template table (`JET_ColInfoGrbitNonDerivedColumnsOnly`).
    Own,
    /// The one with this name (`JET_ColInfo`, `JET_ColInfoBase`).
    Name(&'n str),
    /// The one with this id (`JET_ColInfoByColid`, `JET_ColInfoBaseByColid`).
    Id(JET_COLUMNID),
}

impl<'n> From<Option<&'n str>> for JET_COLUMNCHOICE<'n> {
    fn from(name: Option<&'n str>) -> JET_COLUMNCHOICE<'n> {
        name.filter(|name| !name.is_empty()).map_or_else(Default::default, JET_COLUMNCHOICE::Name)
    }
}

impl From<JET_COLUMNID> for JET_COLUMNCHOICE<'_> {
    fn from(id: JET_COLUMNID) -> Self {
        JET_COLUMNCHOICE::Id(id)
    }
}

/// A column, and which table it comes from: the template, or its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JET_COLUMNBASE {
    /// The column.
    pub def: JET_COLUMNDEF,
    /// Its name.
    pub szColumnName: String,
    /// The table that defines it.
    pub szBaseTableName: String,
    /// Its name there.
    pub szBaseColumnName: String,
    /// Its default.
    pub pvDefault: Vec<u8>,
    /// Language of the instance's order of text.
    pub langid: u16,
}

/// The country of every column and index: there is no other.
pub const COUNTRY_DEFAULT: u16 = 1;

/// Columns of a cursor's table, by id: all of them, or the one with this name or id.
///
/// # Errors
/// The cursor's; `JET_errInvalidName` (-1002), `JET_errColumnNotFound` (-1507),
/// `JET_errBadColumnId` (-1517).
pub fn JetGetTableColumnInfo<'n>(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    which: impl Into<JET_COLUMNCHOICE<'n>>,
) -> Result<Vec<JET_COLUMNBASE>> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        let langid = langid(&state.engine);
        let open = cursor.open(state)?;
        columns(open.table(), (!open.is_read_only(), langid), which.into())
    })
}

/// As [`JetGetTableColumnInfo`], by the table's name. There is no cursor that could write, so no
/// column has `JET_bitColumnUpdatable`.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errInvalidName` (-1002),
/// `JET_errObjectNotFound` (-1305), `JET_errColumnNotFound` (-1507), `JET_errBadColumnId` (-1517).
pub fn JetGetColumnInfo<'n>(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: &str,
    which: impl Into<JET_COLUMNCHOICE<'n>>,
) -> Result<Vec<JET_COLUMNBASE>> {
    let (table, langid) = named(sesid, dbid, szTableName)?;
    columns(&table, (false, langid), which.into())
}

/// The language of the instance's order of text: the low half of the locale's number.
fn langid(session: &Session) -> u16 {
    u16::try_from(locale_number(&session.instance().config.unicode.locale) & 0xffff).unwrap_or(0)
}

fn columns(
    table: &Table,
    (updatable, langid): (bool, u16),
    which: JET_COLUMNCHOICE<'_>,
) -> Result<Vec<JET_COLUMNBASE>> {
    let schema = &table.schema;
    let describe = |column: &Column| JET_COLUMNBASE {
        langid,
        def: JET_COLUMNDEF::of(schema, column, updatable),
        szColumnName: column.name.clone(),
        szBaseTableName: schema.name.clone(),
        szBaseColumnName: column.name.clone(),
        pvDefault: column.default.as_deref().unwrap_or_default().to_vec(),
    };
    let own = |column: &&Column| !column.origin.inherited;
    Ok(match which {
        JET_COLUMNCHOICE::All => schema.columns.iter().map(describe).collect(),
        JET_COLUMNCHOICE::Own => schema.columns.iter().filter(own).map(describe).collect(),
        JET_COLUMNCHOICE::Name(name) => {
            if !name.is_empty() {
                check_name(name)?;
            }
            vec![describe(schema.column(name)?)]
        }
        JET_COLUMNCHOICE::Id(id) => vec![describe(column_of(schema, id)?)],
    })
}

/// The table with this name, and the language of its instance.
fn named(sesid: JET_SESID, dbid: JET_DBID, name: &str) -> Result<(Arc<Table>, u16)> {
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let database = open_database_of(own, dbid)?;
        check_name(name)?;
        let table = catalog::open_table(&state.engine, &database.attached, name)?;
        Ok((table, langid(&state.engine)))
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
    /// Locale of text, where one is stored (`JET_IdxInfoLocaleName`).
    pub szLocaleName: Option<String>,
    /// Number of the locale (`JET_IdxInfoLCID`); 0x1000 where it has none.
    pub lcid: u32,
    /// Flags of LCMapString.
    pub dwMapFlags: u32,
    /// Identity of the collation weights of UTF-16 text (`JET_IdxInfoSortId`).
    pub sortid: Option<Vec<u8>>,
    /// Their version (`JET_IdxInfoSortVersion`).
    pub qwSortVersion: Option<u64>,
    /// Another engine, or another version, made the keys: rows can be read in their order, but not
    /// sought by them, and rows cannot be inserted, deleted or changed in its columns until the
    /// index was made anew.
    pub fForeignOrder: bool,
    /// Names the index in [`JetSetCurrentIndex4`](super::JetSetCurrentIndex4).
    pub indexid: JET_INDEXID,
    /// Different keys, entries and pages at the last [`JetComputeStats`]; 0 before one.
    pub cKey: u64,
    /// Entries.
    pub cEntry: u64,
    /// Pages.
    pub cPage: u64,
    /// Pages that it owns; those of the primary index are the table's.
    pub cSpaceOwned: u64,
    /// Pages of them that are free.
    pub cSpaceAvailable: u64,
    /// What makes such an index again (`JET_IdxInfoCreateIndex` and its followers), its space hints
    /// included.
    pub create: JET_INDEXCREATE,
}

/// The indexes of a cursor's table: the one with this name, or all of them. Their number is
/// `JET_IdxInfoCount`.
///
/// # Errors
/// The cursor's; `JET_errInvalidName` (-1002), `JET_errIndexNotFound` (-1404).
pub fn JetGetTableIndexInfo(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szIndexName: Option<&str>,
) -> Result<Vec<JET_INDEXINFO>> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        indexes(&*cursor.table(state)?, szIndexName)
    })
}

/// As [`JetGetTableIndexInfo`], by the table's name.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errInvalidName` (-1002),
/// `JET_errObjectNotFound` (-1305), `JET_errIndexNotFound` (-1404).
pub fn JetGetIndexInfo(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: &str,
    szIndexName: Option<&str>,
) -> Result<Vec<JET_INDEXINFO>> {
    indexes(&named(sesid, dbid, szTableName)?.0, szIndexName)
}

fn indexes(table: &Table, name: Option<&str>) -> Result<Vec<JET_INDEXINFO>> {
    match name.filter(|name| !name.is_empty()) {
        None => table.schema.indexes.iter().map(|index| index_info(table, index)).collect(),
        Some(name) => {
            check_name(name)?;
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
        rgcolumn.push((
            columnid_of(&table.schema, column),
            column.name.clone(),
            segment.descending,
        ));
    }
    let key_most = index.key_len_max();
    let stats = table.stats(index.objid).unwrap_or_default();
    let space = table.index_space(index)?;
    let version = index.sort_version.as_deref().and_then(|bytes| bytes.try_into().ok());
    let unicode = index.unicode()?;
    Ok(JET_INDEXINFO {
        szIndexName: index.name.clone(),
        grbit: index_grbit(index),
        rgcolumn,
        ulDensity: index.density,
        cbVarSegMac: index.var_seg_mac.map_or(u32::try_from(key_most).unwrap_or(0), u32::from),
        cbKeyMost: u32::try_from(key_most).unwrap_or(0),
        szLocaleName: index.locale.clone(),
        lcid: if index.lcid != 0 { index.lcid } else { locale_number(&unicode.locale) },
        dwMapFlags: unicode.map_flags,
        sortid: index.sort_id.as_deref().map(<[u8]>::to_vec),
        qwSortVersion: version.map(u64::from_le_bytes),
        fForeignOrder: index.is_foreign(),
        indexid: JET_INDEXID(index.objid),
        cKey: stats.keys,
        cEntry: stats.entries,
        cPage: stats.pages,
        cSpaceOwned: space.owned_pages(),
        cSpaceAvailable: space.available_pages(),
        create: create_of(table, index)?,
    })
}

/// What makes such an index again.
fn create_of(table: &Table, index: &Index) -> Result<JET_INDEXCREATE> {
    let columns = &table.schema.columns;
    let mut key = String::new();
    for segment in &index.segments {
        key.push(if segment.descending { '-' } else { '+' });
        key.push_str(&columns.require(segment.column)?.name);
        key.push('\0');
    }
    key.push('\0');
    let mut conditions = Vec::new();
    for condition in &index.conditions {
        let grbit = match condition.must_be_null {
            true => JET_bitIndexColumnMustBeNull,
            false => JET_bitIndexColumnMustBeNonNull,
        };
        let szColumnName = columns.require(condition.column)?.name.clone();
        conditions.push(JET_CONDITIONALCOLUMN { szColumnName, grbit });
    }
    let key_most = u16::try_from(index.key_len_max()).unwrap_or(u16::MAX);
    let tuples = index.tuple_limits.as_deref().and_then(TupleLimits::decode);
    // Where no text is in the key, the order of text is passed over when the index is made.
    let grbit = index_grbit(index)
        | JET_bitIndexUnicode
        | if index.key_most.is_some() { JET_bitIndexKeyMost } else { 0 }
        | if tuples.is_some() { JET_bitIndexTuples | JET_bitIndexTupleLimits } else { 0 };
    Ok(JET_INDEXCREATE {
        szIndexName: index.name.clone(),
        szKey: key,
        grbit,
        ulDensity: index.density,
        // Tuples have their own limits, and no such one.
        cbVarSegMac: index.var_seg_mac.unwrap_or(if tuples.is_some() { 0 } else { key_most }),
        cbKeyMost: key_most,
        rgconditionalcolumn: conditions,
        ptuplelimits: tuples.map(|limits| JET_TUPLELIMITS {
            chLengthMin: limits.length_min,
            chLengthMax: limits.length_max,
            chToIndexMax: limits.count,
            cchIncrement: limits.increment,
            ichStart: limits.start,
        }),
        pSpacehints: Some(JET_SPACEHINTS::of(SpaceHints::of_index(index))),
        lcid: 0,
        pidxunicode: Some(JET_UNICODEINDEX2::of(&index.unicode()?)),
        err: None,
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
        (has(IndexFlags::CROSS_PRODUCT), JET_bitIndexCrossProduct),
        (has(IndexFlags::NESTED_TABLE), JET_bitIndexNestedTable),
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

/// An object of a database. Times are not kept; the C structure has zeros there.
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
    /// Rows at the last [`JetComputeStats`]; 0 before one.
    pub cRecord: u64,
    /// Pages at that time.
    pub cPage: u64,
}

impl JET_OBJECTINFO {
    fn of(table: &Table, updatable: bool) -> JET_OBJECTINFO {
        let known =
            TableFlags::SYSTEM | TableFlags::FIXED_DDL | TableFlags::TEMPLATE | TableFlags::DERIVED;
        let stats = table.stats(table.schema.objid).unwrap_or_default();
        JET_OBJECTINFO {
            cRecord: stats.entries,
            cPage: stats.pages,
            szName: table.schema.name.clone(),
            objtyp: JET_objtypTable,
            grbit: JET_bitTableInfoBookmark
                | JET_bitTableInfoRollback
                | if updatable { JET_bitTableInfoUpdatable } else { 0 },
            flags: (table.schema.flags & known).bits(),
        }
    }
}

/// The tables of a database: the one with this name, or all of them, by name.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errInvalidName` (-1002),
/// `JET_errObjectNotFound` (-1305).
pub fn JetGetObjectInfo(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szObjectName: Option<&str>,
) -> Result<Vec<JET_OBJECTINFO>> {
    if let Some(name) = szObjectName.filter(|name| !name.is_empty()) {
        let (table, _) = named(sesid, dbid, name)?;
        return Ok(vec![JET_OBJECTINFO::of(&table, !table.db.is_read_only())]);
    }
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let database = open_database_of(own, dbid)?;
        let tables = catalog::tables(&state.engine, &database.attached)?;
        let of = |table: &Arc<Table>| JET_OBJECTINFO::of(table, !table.db.is_read_only());
        Ok(tables.iter().map(of).collect())
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
/// Pages owned and free, and the extents.
pub const JET_TblInfoSpaceUsage: u32 = 7;
/// Pages owned, indexes and long values included.
pub const JET_TblInfoSpaceOwned: u32 = 10;
/// Free pages, indexes and long values included.
pub const JET_TblInfoSpaceAvailable: u32 = 11;
/// The table it derives from.
pub const JET_TblInfoTemplateTableName: u32 = 12;
/// Chunk size of long values.
pub const JET_TblInfoLVChunkMax: u32 = 13;
/// Pages that the long values own.
pub const JET_TblInfoSpaceOwnedLV: u32 = 17;
/// Free pages of the long values.
pub const JET_TblInfoSpaceAvailableLV: u32 = 18;
/// The object id.
pub const JET_TblInfoObjectId: u32 = 19;

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
    /// A number.
    Number(u64),
    /// Pages owned and free, then each extent: first page, number of pages.
    SpaceUsage(u64, u64, Vec<(u32, u32)>),
}

/// A fact about a cursor's table.
///
/// # Errors
/// The cursor's; `JET_errInvalidParameter` (-1003) for an unknown level; of a temporary table
/// `JET_errInvalidOperation` (-1906) for all but [`JET_TblInfo`], `JET_errObjectNotFound` (-1305)
/// for that of a tree, `JET_errIllegalOperation` (-1312) while rows are inserted into a sort.
pub fn JetGetTableInfo(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    InfoLevel: u32,
) -> Result<JET_TBLINFO> {
    with_cursor_in_callback(sesid, tableid, |state, cursor| {
        if let Some(temp) = cursor.temp() {
            return of_temporary(temp, InfoLevel);
        }
        let open = cursor.open(state)?;
        let (table, updatable) = (Arc::clone(open.table()), !open.is_read_only());
        let schema = &table.schema;
        Ok(match InfoLevel {
            JET_TblInfo => JET_TBLINFO::Object(JET_OBJECTINFO::of(&table, updatable)),
            JET_TblInfoName => JET_TBLINFO::Name(schema.name.clone()),
            JET_TblInfoDbid => JET_TBLINFO::Dbid(u32::from(table.db.dbid.0)),
            JET_TblInfoSpaceAlloc => JET_TBLINFO::SpaceAlloc(schema.pages, schema.density),
            JET_TblInfoTemplateTableName => {
                JET_TBLINFO::Name(schema.template.clone().unwrap_or_default())
            }
            JET_TblInfoSpaceUsage => {
                let space = table.space()?;
                let extents = space.owned.iter().map(|extent| (extent.first.0, extent.pages));
                let (owned, free) = (space.owned_pages(), space.available_pages());
                JET_TBLINFO::SpaceUsage(owned, free, extents.collect())
            }
            JET_TblInfoSpaceOwned => JET_TBLINFO::Number(table.space()?.owned_pages()),
            JET_TblInfoSpaceAvailable => JET_TBLINFO::Number(table.space()?.available_pages()),
            JET_TblInfoSpaceOwnedLV => JET_TBLINFO::Number(table.long_value_space()?.owned_pages()),
            JET_TblInfoSpaceAvailableLV => {
                JET_TBLINFO::Number(table.long_value_space()?.available_pages())
            }
            JET_TblInfoLVChunkMax => JET_TBLINFO::Number(u64::from(chunk_len(schema))),
            JET_TblInfoObjectId => JET_TBLINFO::Number(u64::from(schema.objid.0)),
            other => {
                let what = format!("{other} is no level of information");
                return Err(Error::new(JetErr::FeatureNotAvailable, what));
            }
        })
    })
}

/// A sort has rows and nothing else that could be told; a temporary tree is no object.
fn of_temporary(temp: &mut TempTable, level: u32) -> Result<JET_TBLINFO> {
    if level != JET_TblInfo {
        let what = format!("fact {level} of a temporary table");
        return Err(Error::new(JetErr::InvalidOperation, what));
    }
    if temp.tree()?.is_some() {
        let what = "a temporary table is no object of a database";
        return Err(Error::new(JetErr::ObjectNotFound, what));
    }
    Ok(JET_TBLINFO::Object(JET_OBJECTINFO {
        szName: String::new(),
        objtyp: JET_objtypTable,
        grbit: 0,
        flags: 0,
        cRecord: temp.row_count()?,
        cPage: 0,
    }))
}

/// Counts what a cursor's table and its indexes hold, for the info calls.
///
/// # Errors
/// The cursor's; `JET_errTransReadOnly` (-1110); those of reading.
pub fn JetComputeStats(sesid: JET_SESID, tableid: JET_TABLEID) -> Result<()> {
    with_cursor(sesid, tableid, |state, cursor| {
        state.engine.check_writable()?;
        cursor.table(state)?.compute_stats(&state.engine)
    })
}
