//! Making tables (api-semantics 13).
//!
//! [`JetCreateTable`] gives a cursor on a table that its session goes on to define with
//! [`JetAddColumn`] and [`JetCreateIndex`]. The table is written with the first other use of the
//! cursor, with its closing, or with the commit; nobody else could see it before that. A table that
//! has been written cannot be changed in this version.

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    catalog,
    schema::{
        ColType, ColumnDef, ColumnFlags, IndexDef, IndexOptions, KeyPart, Placement, TableDef,
        TableSchema,
    },
};

use super::{
    JET_COLUMNDEF, JET_COLUMNID, JET_GRBIT, JET_bitColumnFixed, JET_bitColumnMultiValued,
    JET_bitColumnNotNULL, JET_bitColumnTagged,
    database::open_database_of,
    gate::Purpose,
    handles::{JET_DBID, JET_SESID, JET_TABLEID},
    session::find_session,
    table::{Cursor, What, new_cursor, with_cursor},
    unavailable,
};
/// A column to be made with its table.
#[derive(Clone, Debug, Default)]
pub struct JET_COLUMNCREATE {
    /// Name.
    pub szColumnName: String,
    /// Type.
    pub coltyp: u32,
    /// Longest value in bytes; 0 = the type's own.
    pub cbMax: u32,
    /// `JET_bitColumn...`.
    pub grbit: JET_GRBIT,
    /// Default in record encoding; empty = none.
    pub pvDefault: Vec<u8>,
    /// Code page of text; 0 = 1252.
    pub cp: u16,
    /// Its id, when it was made.
    pub columnid: JET_COLUMNID,
}

/// An index to be made.
#[derive(Clone, Debug, Default)]
pub struct JET_INDEXCREATE {
    /// Name.
    pub szIndexName: String,
    /// `+column` or `-column`, each with a NUL behind it, and another NUL at the end.
    pub szKey: String,
    /// `JET_bitIndex...`.
    pub grbit: JET_GRBIT,
    /// Per cent; 0 = the table's.
    pub ulDensity: u32,
}

/// A table to be made.
#[derive(Clone, Debug, Default)]
pub struct JET_TABLECREATE {
    /// Name.
    pub szTableName: String,
    /// Initial pages.
    pub ulPages: u32,
    /// Per cent; 0 = 80.
    pub ulDensity: u32,
    /// Columns; their ids are set.
    pub rgcolumncreate: Vec<JET_COLUMNCREATE>,
    /// Indexes.
    pub rgindexcreate: Vec<JET_INDEXCREATE>,
    /// The cursor, when it was made.
    pub tableid: JET_TABLEID,
    /// Table, columns and indexes that were made.
    pub cCreated: u32,
}

/// Begins to define a table, and gives a cursor on it.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errTableDuplicate` (-1303),
/// `JET_errInvalidName` (-1002), `JET_errDensityInvalid` (-1307), `JET_errTransReadOnly` (-1110).
pub fn JetCreateTable(
    sesid: JET_SESID,
    dbid: JET_DBID,
    szTableName: &str,
    lPages: u32,
    lDensity: u32,
) -> Result<JET_TABLEID> {
    let mut def = TableDef::new(szTableName, Vec::new());
    def.pages = lPages;
    def.density = lDensity;
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let database = open_database_of(own, dbid)?;
        def.build(database.attached.db.page_size())?;
        match catalog::open_table(&state.engine, &database.attached, szTableName) {
            Err(error) if error.code() == JetErr::ObjectNotFound => {}
            Err(error) => return Err(error),
            Ok(_) => {
                return Err(Error::new(
                    JetErr::TableDuplicate,
                    format!("there is a table {szTableName} already"),
                ));
            }
        }
        let level = state.engine.level();
        new_cursor(own, sesid, &database, What::Defining(Box::new(def)), level)
    })
}

/// Makes a table with its columns and indexes, and gives a cursor on it in `tableid`.
///
/// # Errors
/// As [`JetCreateTable`]; what is wrong with a column or index; `JET_errFeatureNotAvailable`
/// (-1001) for keys that this version cannot make. Nothing of it remains then.
pub fn JetCreateTableColumnIndex(
    sesid: JET_SESID,
    dbid: JET_DBID,
    ptablecreate: &mut JET_TABLECREATE,
) -> Result<()> {
    let mut def = TableDef::new(&ptablecreate.szTableName, Vec::new());
    def.pages = ptablecreate.ulPages;
    def.density = ptablecreate.ulDensity;
    for column in &ptablecreate.rgcolumncreate {
        def.columns.push(column_def(column)?);
    }
    for index in &ptablecreate.rgindexcreate {
        def.indexes.push(index_def(index)?);
    }
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let database = open_database_of(own, dbid)?;
        let table = catalog::create_table(&mut state.engine, &database.attached, &def)?;
        for column in &mut ptablecreate.rgcolumncreate {
            column.columnid = u32::from(table.schema.column(&column.szColumnName)?.id.0);
        }
        let made = 1 + def.columns.len() + def.indexes.len();
        ptablecreate.cCreated = u32::try_from(made).unwrap_or(u32::MAX);
        let level = state.engine.level();
        ptablecreate.tableid = new_cursor(own, sesid, &database, What::table(table), level)?;
        Ok(())
    })
}

/// Adds a column to a table that is being defined.
///
/// # Errors
/// The cursor's; what is wrong with the column (`JET_errColumnDuplicate` -1508,
/// `JET_errInvalidColumnType` -1511, ...); `JET_errFeatureNotAvailable` (-1001) once the table was
/// written.
pub fn JetAddColumn(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szColumnName: &str,
    pcolumndef: &JET_COLUMNDEF,
    pvDefault: &[u8],
) -> Result<JET_COLUMNID> {
    let column = column_def(&JET_COLUMNCREATE {
        szColumnName: szColumnName.to_owned(),
        coltyp: pcolumndef.coltyp,
        cbMax: pcolumndef.cbMax,
        grbit: pcolumndef.grbit,
        pvDefault: pvDefault.to_vec(),
        cp: pcolumndef.cp,
        columnid: 0,
    })?;
    with_cursor(sesid, tableid, |_, cursor| {
        let schema = redefine(cursor, |def| def.columns.push(column))?;
        Ok(u32::from(schema.column(szColumnName)?.id.0))
    })
}

/// Adds an index to a table that is being defined.
///
/// # Errors
/// The cursor's; what is wrong with the index (`JET_errIndexHasPrimary` -1402,
/// `JET_errIndexInvalidDef` -1406, `JET_errColumnNotFound` -1507, ...);
/// `JET_errFeatureNotAvailable` (-1001) once the table was written.
pub fn JetCreateIndex(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szIndexName: &str,
    grbit: JET_GRBIT,
    szKey: &str,
    lDensity: u32,
) -> Result<()> {
    let index = index_def(&JET_INDEXCREATE {
        szIndexName: szIndexName.to_owned(),
        szKey: szKey.to_owned(),
        grbit,
        ulDensity: lDensity,
    })?;
    with_cursor(sesid, tableid, |_, cursor| redefine(cursor, |def| def.indexes.push(index)))?;
    Ok(())
}

/// Changes a definition; one that cannot be built stays as it was.
fn redefine(cursor: &mut Cursor, change: impl FnOnce(&mut TableDef)) -> Result<TableSchema> {
    let page_size = cursor.database.attached.db.page_size();
    let What::Defining(def) = &mut cursor.what else {
        return Err(unavailable("changing a table that was written"));
    };
    let mut new = def.clone();
    change(&mut new);
    let schema = new.build(page_size)?;
    *def = new;
    Ok(schema)
}

fn column_def(column: &JET_COLUMNCREATE) -> Result<ColumnDef> {
    let name = &column.szColumnName;
    let ty = ColType::from_jet(column.coltyp).ok_or_else(|| {
        Error::new(
            JetErr::InvalidColumnType,
            format!("column \"{name}\": {} is no type", column.coltyp),
        )
    })?;
    let known =
        JET_bitColumnFixed | JET_bitColumnTagged | JET_bitColumnNotNULL | JET_bitColumnMultiValued;
    if column.grbit & !known != 0 {
        let bits = column.grbit & !known;
        return Err(unavailable(&format!("flag {bits:#x} of column \"{name}\"")));
    }
    let mut def = ColumnDef::new(name, ty).max_len(column.cbMax);
    def.code_page = column.cp;
    def.placement = match column.grbit & (JET_bitColumnFixed | JET_bitColumnTagged) {
        0 => Placement::Auto,
        JET_bitColumnFixed => Placement::Fixed,
        JET_bitColumnTagged => Placement::Tagged,
        _ => {
            return Err(Error::new(
                JetErr::InvalidGrbit,
                format!("column \"{name}\" cannot be both fixed and tagged"),
            ));
        }
    };
    if column.grbit & JET_bitColumnNotNULL != 0 {
        def = def.with(ColumnFlags::NOT_NULL);
    }
    if column.grbit & JET_bitColumnMultiValued != 0 {
        def = def.with(ColumnFlags::MULTI_VALUED);
    }
    if !column.pvDefault.is_empty() {
        def = def.with_default(&column.pvDefault);
    }
    Ok(def)
}

fn index_def(index: &JET_INDEXCREATE) -> Result<IndexDef> {
    let name = &index.szIndexName;
    let options = IndexOptions::from_bits(index.grbit);
    let options = options.ok_or_else(|| unavailable(&format!("a flag of index \"{name}\"")))?;
    let invalid = |what: &str| {
        Error::new(JetErr::IndexInvalidDef, format!("index \"{name}\": the key {what}"))
    };
    let list = index.szKey.strip_suffix("\0\0");
    let list = list.ok_or_else(|| invalid("does not end with two NULs"))?;
    let mut parts = Vec::new();
    for part in list.split('\0') {
        parts.push(match (part.strip_prefix('+'), part.strip_prefix('-')) {
            (Some(column), _) => KeyPart::ascending(column),
            (None, Some(column)) => KeyPart::descending(column),
            (None, None) => return Err(invalid("has a part without + or -")),
        });
    }
    // A primary index is unique whether that is said or not.
    let implied = match options.contains(IndexOptions::PRIMARY) {
        true => IndexOptions::UNIQUE,
        false => IndexOptions::empty(),
    };
    Ok(IndexDef {
        parts,
        options: options - implied,
        density: index.ulDensity,
        ..IndexDef::new(name, &[])
    })
}
