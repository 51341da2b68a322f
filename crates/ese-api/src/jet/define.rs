//! Making tables (api-semantics 13).
//!
//! [`JetCreateTable`] makes a table without columns and gives a cursor on it that nobody else can
//! have: its session goes on to define it with [`JetAddColumn`] and [`JetCreateIndex`]. The primary
//! index must come before the first row.

use std::{collections::HashMap, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    catalog, ddl,
    instance::Attached,
    schema::{
        ColType, Column, ColumnDef, ColumnFlags, ColumnId, ConditionDef, IndexDef, IndexOptions,
        KeyPart, Placement, SpaceHints, TableDef, TableType, TupleLimits,
    },
    session::Session,
    table::Table,
};

use super::{
    JET_COLUMNDEF, JET_COLUMNID, JET_GRBIT, JET_UNICODEINDEX2, JET_bitColumnFixed,
    JET_bitColumnMaybeNull, JET_bitColumnMultiValued, JET_bitColumnNotNULL, JET_bitColumnTagged,
    JET_bitColumnUnversioned, JET_bitColumnUpdatable, JET_bitColumnUserDefinedDefault,
    JET_bitIndexColumnMustBeNonNull, JET_bitIndexColumnMustBeNull, JET_bitIndexEmpty,
    JET_bitIndexImmutableStructure, JET_bitIndexKeyMost, JET_bitIndexLazyFlush,
    JET_bitIndexTupleLimits, JET_bitIndexTuples, JET_bitIndexUnicode, JET_bitIndexUnversioned,
    JET_bitTableCreateFixedDDL, JET_bitTableCreateImmutableStructure,
    JET_bitTableCreateNoFixedVarColumnsInDerivedTables, JET_bitTableCreateTemplateTable,
    JET_cbColumnMost, JET_paramIndexTupleIncrement, JET_paramIndexTupleStart,
    JET_paramIndexTuplesLengthMax, JET_paramIndexTuplesLengthMin, JET_paramIndexTuplesToIndexMax,
    computed::{check_resolved, with_callback},
    database::{open_database_of, open_database_to_change},
    gate::Purpose,
    handles::{JET_DBID, JET_SESID, JET_TABLEID},
    invalid_grbit,
    session::find_session,
    table::{COLUMN_KINDS, Cursor, What, columnid_of, is_max_truncated, new_cursor, with_cursor},
    unavailable,
    unicode::index_order,
};
use crate::session::SessionState;

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
    /// Default in record encoding; empty = none. With [`JET_bitColumnUserDefinedDefault`] what
    /// [`JET_USERDEFINEDDEFAULT::pvDefault`](super::JET_USERDEFINEDDEFAULT::pvDefault) gives.
    pub pvDefault: Vec<u8>,
    /// Code page of text; 0 = 1252.
    pub cp: u16,
    /// Its id, when it was made.
    pub columnid: JET_COLUMNID,
}

impl JET_COLUMNCREATE {
    /// As [`JET_COLUMNDEF::is_max_truncated`].
    #[must_use]
    pub fn is_max_truncated(&self) -> bool {
        is_max_truncated(self.coltyp, self.cbMax)
    }
}

/// A condition for a row to have an entry.
#[derive(Clone, Debug, Default)]
pub struct JET_CONDITIONALCOLUMN {
    /// The column.
    pub szColumnName: String,
    /// [`JET_bitIndexColumnMustBeNull`] or [`JET_bitIndexColumnMustBeNonNull`].
    pub grbit: JET_GRBIT,
}

/// Which pieces of a text have entries.
#[derive(Clone, Copy, Debug)]
pub struct JET_TUPLELIMITS {
    /// Shortest piece; 0 = 3.
    pub chLengthMin: u32,
    /// Longest piece; 0 = 10.
    pub chLengthMax: u32,
    /// Most pieces of one text; 0 = 32767.
    pub chToIndexMax: u32,
    /// From one piece's beginning to the next one's.
    pub cchIncrement: u32,
    /// Where the first piece begins; 0xFFFF_FFFF = 0.
    pub ichStart: u32,
}

impl JET_TUPLELIMITS {
    /// Those of tuple indexes that bring none: the instance's parameters.
    ///
    /// # Errors
    /// `JET_errInvalidSesid` (-1104).
    pub(super) fn of_instance(sesid: JET_SESID) -> Result<JET_TUPLELIMITS> {
        let session = find_session(sesid)?;
        let params = session.inst.params.lock();
        let of = |id| u32::try_from(params.int(id)).unwrap_or(u32::MAX);
        Ok(JET_TUPLELIMITS {
            chLengthMin: of(JET_paramIndexTuplesLengthMin),
            chLengthMax: of(JET_paramIndexTuplesLengthMax),
            chToIndexMax: of(JET_paramIndexTuplesToIndexMax),
            // Here, too, 0 is no wish.
            cchIncrement: of(JET_paramIndexTupleIncrement).max(1),
            ichStart: of(JET_paramIndexTupleStart),
        })
    }

    fn engine(self) -> TupleLimits {
        let default = TupleLimits::default();
        let or = |wish: u32, otherwise| if wish == 0 { otherwise } else { wish };
        TupleLimits {
            length_min: or(self.chLengthMin, default.length_min),
            length_max: or(self.chLengthMax, default.length_max),
            count: or(self.chToIndexMax, default.count),
            increment: self.cchIncrement,
            start: if self.ichStart == u32::MAX { default.start } else { self.ichStart },
        }
    }
}

/// Wishes for the space of a tree; 0 is no wish. Kept with it, and followed as to density and
/// initial size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_SPACEHINTS {
    /// Per cent to which a load in order fills pages.
    pub ulInitialDensity: u32,
    /// Bytes to begin with.
    pub cbInitial: u32,
    /// Bits of the reference page of JET_SPACEHINTS; kept, not followed.
    pub grbit: JET_GRBIT,
    /// Per cent to be kept.
    pub ulMaintDensity: u32,
    /// Per cent of an extent that the next one has.
    pub ulGrowth: u32,
    /// Smallest extent in bytes.
    pub cbMinExtent: u32,
    /// Largest extent in bytes.
    pub cbMaxExtent: u32,
}

impl JET_SPACEHINTS {
    fn wish(self) -> SpaceHints {
        SpaceHints {
            density: self.ulInitialDensity,
            initial: self.cbInitial,
            grbit: self.grbit,
            maintained_density: self.ulMaintDensity,
            growth: self.ulGrowth,
            extent_min: self.cbMinExtent,
            extent_max: self.cbMaxExtent,
        }
    }

    pub(super) fn of(hints: SpaceHints) -> JET_SPACEHINTS {
        JET_SPACEHINTS {
            ulInitialDensity: hints.density,
            cbInitial: hints.initial,
            grbit: hints.grbit,
            ulMaintDensity: hints.maintained_density,
            ulGrowth: hints.growth,
            cbMinExtent: hints.extent_min,
            cbMaxExtent: hints.extent_max,
        }
    }
}

/// An index to be made.
#[derive(Clone, Debug, Default)]
pub struct JET_INDEXCREATE {
    /// Name.
    pub szIndexName: String,
    /// `+column` or `-column`, each with a NUL behind it, and another NUL at the end. Behind the
    /// first a column without a sign is ascending. One may be there several times.
    pub szKey: String,
    /// `JET_bitIndex...`.
    pub grbit: JET_GRBIT,
    /// Per cent; 0 = the table's.
    pub ulDensity: u32,
    /// Longest segment of a column of variable length; 0 = no limit but the key's.
    pub cbVarSegMac: u16,
    /// Longest key, with [`JET_bitIndexKeyMost`]; otherwise 255.
    pub cbKeyMost: u16,
    /// Only rows that meet all of these have an entry; at most 16.
    pub rgconditionalcolumn: Vec<JET_CONDITIONALCOLUMN>,
    /// Which pieces of the first column have entries, with [`JET_bitIndexTupleLimits`].
    pub ptuplelimits: Option<JET_TUPLELIMITS>,
    /// Wishes for its space.
    pub pSpacehints: Option<JET_SPACEHINTS>,
    /// Locale of UTF-16 text by number, without [`JET_bitIndexUnicode`]; 0 = the instance's.
    pub lcid: u32,
    /// Order of UTF-16 text, with [`JET_bitIndexUnicode`].
    pub pidxunicode: Option<JET_UNICODEINDEX2>,
    /// What became of it, once somebody tried.
    pub err: Option<JetErr>,
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
    /// Table, columns and indexes that were made; after an error those before the first that is
    /// wrong, in this order, of which nothing remains.
    pub cCreated: u32,
    /// `JET_bitTableCreate...`.
    pub grbit: JET_GRBIT,
    /// The template table that it derives from.
    pub szTemplateTableName: Option<String>,
    /// A callback, `module!function`; this version has none.
    pub szCallback: Option<String>,
    /// Wishes for its space.
    pub pSeqSpacehints: Option<JET_SPACEHINTS>,
    /// Wishes for the space of its long values.
    pub pLVSpacehints: Option<JET_SPACEHINTS>,
    /// From which length on long values leave the record; 0 = the engine's choice.
    pub cbSeparateLV: u32,
}

/// Makes a table without columns, and gives a cursor on it; nobody else can open the table until
/// that is closed.
///
/// # Errors
/// The session's; `JET_errInvalidDatabaseId` (-1010), `JET_errPermissionDenied` (-1809) in a
/// database for reading only, `JET_errTransReadOnly` (-1110), `JET_errInvalidName` (-1002),
/// `JET_errDensityInvalid` (-1307), `JET_errTableDuplicate` (-1303), `JET_errDiskFull` (-1808),
/// `JET_errOutOfDatabaseSpace` (-1012).
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
        let database = open_database_to_change(own, dbid)?;
        let table = catalog::create_table(&mut state.engine, &database.attached, &def)?;
        let what = What::made(state, table)?;
        let level = state.engine.level();
        new_cursor(own, sesid, Some(&database), what, level)
    })
}

/// Makes a table with its columns and indexes, and gives a cursor on it in `tableid`, unless the
/// structure is to stay as it is ([`JET_bitTableCreateImmutableStructure`]).
///
/// # Errors
/// As [`JetCreateTable`]; what is wrong with a column or index; `JET_errInvalidGrbit` (-900),
/// `JET_errObjectNotFound` (-1305) for its template, `JET_errCannotNestDDL` (-1325) for a template
/// that has one, `JET_errDDLNotInheritable` (-1326) for one that is none,
/// `JET_errSpaceHintsInvalid` (-2103); `JET_errFeatureNotAvailable` (-1001) for keys that this
/// version cannot make. Nothing of it remains then.
pub fn JetCreateTableColumnIndex(
    sesid: JET_SESID,
    dbid: JET_DBID,
    ptablecreate: &mut JET_TABLECREATE,
) -> Result<()> {
    let immutable = ptablecreate.grbit & JET_bitTableCreateImmutableStructure != 0;
    let limits = JET_TUPLELIMITS::of_instance(sesid)?;
    let done = create_table(sesid, dbid, ptablecreate, &limits);
    if done.is_err() && !immutable {
        let session = find_session(sesid);
        let right = session.and_then(|session| {
            session.call(Purpose::Work, |state, own| {
                let attached = &open_database_of(own, dbid)?.attached;
                let builds =
                    |def: &TableDef| catalog::build_table(&state.engine, attached, def).is_ok();
                Ok(right_before_wrong(ptablecreate, &limits, builds))
            })
        });
        // The first error is the call's.
        ptablecreate.cCreated = right.unwrap_or(0);
    }
    done
}

fn create_table(
    sesid: JET_SESID,
    dbid: JET_DBID,
    ptablecreate: &mut JET_TABLECREATE,
    limits: &JET_TUPLELIMITS,
) -> Result<()> {
    let immutable = ptablecreate.grbit & JET_bitTableCreateImmutableStructure != 0;
    let def = table_def(ptablecreate, limits)?;
    check_resolved(sesid, &def.columns)?;
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let database = open_database_to_change(own, dbid)?;
        let table = catalog::create_table(&mut state.engine, &database.attached, &def)?;
        if immutable {
            return Ok(());
        }
        let what = What::made(state, Arc::clone(&table))?;
        let made = table.schema.columns.iter();
        let made: HashMap<&str, &Column> = made.map(|one| (one.name.as_str(), one)).collect();
        for column in &mut ptablecreate.rgcolumncreate {
            if let Some(made) = made.get(column.szColumnName.as_str()) {
                column.columnid = columnid_of(&table.schema, made);
            }
        }
        let made = 1 + def.columns.len() + def.indexes.len();
        ptablecreate.cCreated = u32::try_from(made).unwrap_or(u32::MAX);
        let level = state.engine.level();
        ptablecreate.tableid = new_cursor(own, sesid, Some(&database), what, level)?;
        Ok(())
    })
}

/// Of a definition that is wrong: how much of it is right, in the order of making: the table, its
/// columns, its indexes. 0: the table itself cannot be made.
fn right_before_wrong(
    create: &JET_TABLECREATE,
    limits: &JET_TUPLELIMITS,
    builds: impl Fn(&TableDef) -> bool,
) -> u32 {
    let columns = create.rgcolumncreate.len();
    let all = columns + create.rgindexcreate.len();
    let first = |count: usize| JET_TABLECREATE {
        rgcolumncreate: create.rgcolumncreate.iter().take(count).cloned().collect(),
        rgindexcreate: create
            .rgindexcreate
            .iter()
            .take(count.saturating_sub(columns))
            .cloned()
            .collect(),
        ..create.clone()
    };
    let is_right = |count: usize| table_def(&first(count), limits).is_ok_and(|def| builds(&def));
    // Right up to somewhere, and wrong from there on.
    let (mut right, mut wrong) = (0, all);
    if is_right(all) || !is_right(0) {
        return 0;
    }
    while wrong - right > 1 {
        let middle = right.midpoint(wrong);
        if is_right(middle) { right = middle } else { wrong = middle }
    }
    u32::try_from(right + 1).unwrap_or(u32::MAX)
}

/// Flags of a table that are refused; those that nobody knows mean nothing.
const TABLES_REFUSED: JET_GRBIT =
    JET_bitTableCreateNoFixedVarColumnsInDerivedTables | BIT_TABLE_CREATE_SYSTEM_TABLE;
/// JET_bitTableCreateSystemTable, which no caller may use.
const BIT_TABLE_CREATE_SYSTEM_TABLE: JET_GRBIT = 0x8000_0000;
/// JET_bitColumnEncrypted: what is not encrypted must not be taken for it.
const BIT_COLUMN_ENCRYPTED: JET_GRBIT = 0x10_0000;
/// JET_bitIndexDeferredPopulateCreate, JET_bitIndexDeferredPopulateProcess and
/// JET_bitIndexOptionallyUnique: indexes that are more than a tree with all keys.
const INDEXES_UNAVAILABLE: JET_GRBIT = 0x70_0000;

fn table_def(create: &JET_TABLECREATE, limits: &JET_TUPLELIMITS) -> Result<TableDef> {
    let mut def = TableDef::new(&create.szTableName, Vec::new());
    def.kind = if create.grbit & JET_bitTableCreateTemplateTable != 0 {
        TableType::Template
    } else if create.grbit & JET_bitTableCreateFixedDDL != 0 {
        TableType::Fixed
    } else {
        TableType::Ordinary
    };
    if def.kind == TableType::Template && create.szTemplateTableName.is_some() {
        let what = format!("template \"{}\" cannot derive from a template", create.szTableName);
        return Err(Error::new(JetErr::CannotNestDDL, what));
    }
    // The engine that this follows refuses JET_bitTableCreateNoFixedVarColumnsInDerivedTables, too.
    if create.grbit & TABLES_REFUSED != 0 {
        return Err(invalid_grbit("JetCreateTableColumnIndex", create.grbit));
    }
    if create.szCallback.is_some() {
        return Err(unavailable("a callback of a table"));
    }
    def.pages = create.ulPages;
    def.density = create.ulDensity;
    def.template.clone_from(&create.szTemplateTableName);
    def.space_hints = create.pSeqSpacehints.map(JET_SPACEHINTS::wish);
    def.lv_space_hints = create.pLVSpacehints.map(JET_SPACEHINTS::wish);
    def.separate_lv = create.cbSeparateLV;
    for column in &create.rgcolumncreate {
        def.columns.push(column_def(column)?);
    }
    for index in &create.rgindexcreate {
        def.indexes.push(index_def(index, limits)?);
    }
    Ok(def)
}

/// As [`JetCreateTableColumnIndex`].
///
/// # Errors
/// As there.
pub fn JetCreateTableColumnIndex2(
    sesid: JET_SESID,
    dbid: JET_DBID,
    ptablecreate: &mut JET_TABLECREATE,
) -> Result<()> {
    JetCreateTableColumnIndex(sesid, dbid, ptablecreate)
}

/// As [`JetCreateTableColumnIndex`].
///
/// # Errors
/// As there.
pub fn JetCreateTableColumnIndex3(
    sesid: JET_SESID,
    dbid: JET_DBID,
    ptablecreate: &mut JET_TABLECREATE,
) -> Result<()> {
    JetCreateTableColumnIndex(sesid, dbid, ptablecreate)
}

/// As [`JetCreateTableColumnIndex`].
///
/// # Errors
/// As there.
pub fn JetCreateTableColumnIndex4(
    sesid: JET_SESID,
    dbid: JET_DBID,
    ptablecreate: &mut JET_TABLECREATE,
) -> Result<()> {
    JetCreateTableColumnIndex(sesid, dbid, ptablecreate)
}

/// Adds a column. Rows that exist show its default. With [`JET_bitColumnUserDefinedDefault`] the
/// default is what
/// [`JET_USERDEFINEDDEFAULT::pvDefault`](super::JET_USERDEFINEDDEFAULT::pvDefault) gives.
///
/// # Errors
/// The cursor's; `JET_errCallbackNotResolved` (-2102); what is wrong with the column
/// (`JET_errColumnDuplicate` -1508, `JET_errInvalidColumnType` -1511, ...); those of the schema
/// change.
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
    check_resolved(sesid, [&column])?;
    with_cursor(sesid, tableid, |state, cursor| {
        if pcolumndef.grbit & JET_bitColumnUnversioned != 0 {
            check_unversioned(state, cursor, "column")?;
        }
        let counts = ColumnFlags::ESCROW_UPDATE | ColumnFlags::AUTOINCREMENT;
        if column.flags.intersects(counts) && !cursor.open(state)?.is_exclusive(&state.engine) {
            let what = format!("column \"{szColumnName}\" is added with an exclusive cursor");
            return Err(Error::new(JetErr::ExclusiveTableLockRequired, what));
        }
        let mut id = ColumnId(0);
        alter(state, cursor, |session, attached, table| {
            let (table, added) = ddl::add_column(session, attached, table, &column)?;
            id = added;
            Ok(table)
        })?;
        let table = cursor.table(state)?;
        Ok(columnid_of(&table.schema, table.schema.columns.require(id)?))
    })
}

/// Adds an index. The primary one only before the first row, while nobody else can open the table.
///
/// # Errors
/// The cursor's; what is wrong with the index (`JET_errIndexHasPrimary` -1402,
/// `JET_errIndexInvalidDef` -1406, `JET_errColumnNotFound` -1507, ...);
/// `JET_errTableNotEmpty` (-1308) and `JET_errExclusiveTableLockRequired` (-1322) for a primary
/// one, `JET_errFixedDDL` (-1323).
pub fn JetCreateIndex(
    sesid: JET_SESID,
    tableid: JET_TABLEID,
    szIndexName: &str,
    grbit: JET_GRBIT,
    szKey: &str,
    lDensity: u32,
) -> Result<()> {
    let index = JET_INDEXCREATE {
        szIndexName: szIndexName.to_owned(),
        szKey: szKey.to_owned(),
        grbit,
        ulDensity: lDensity,
        // With JET_bitIndexKeyMost, for which the call has no number.
        cbKeyMost: 255,
        ..JET_INDEXCREATE::default()
    };
    let index = index_def(&index, &JET_TUPLELIMITS::of_instance(sesid)?)?;
    with_cursor(sesid, tableid, |state, cursor| {
        if grbit & JET_bitIndexUnversioned != 0 {
            check_unversioned(state, cursor, "index")?;
        }
        create_indexes(state, cursor, &[index])
    })
}

/// What is made without a version shows at once: outside a transaction, or where nobody else can
/// look. Here it shows with its commit, which is at once in both cases.
pub(super) fn check_unversioned(
    state: &mut SessionState,
    cursor: &mut Cursor,
    what: &str,
) -> Result<()> {
    if state.engine.level() == 0 || cursor.open(state)?.is_exclusive(&state.engine) {
        return Ok(());
    }
    let what = format!("a {what} without version is made outside a transaction");
    Err(Error::new(JetErr::InTransaction, what).advise("commit first, or open the table alone"))
}

/// Changes a table; the cursor goes on with the new version.
pub(super) fn alter(
    state: &mut SessionState,
    cursor: &mut Cursor,
    change: impl FnOnce(&mut Session, &Arc<Attached>, &Table) -> Result<Arc<Table>>,
) -> Result<()> {
    cursor.open(state)?.check_updatable(&state.engine)?;
    let table = cursor.table(state)?;
    let attached = Arc::clone(&cursor.database()?.attached);
    let table = change(&mut state.engine, &attached, &table)?;
    cursor.open(state)?.follow(table);
    Ok(())
}

/// Adds indexes, all in one scan of the rows.
pub(super) fn create_indexes(
    state: &mut SessionState,
    cursor: &mut Cursor,
    defs: &[IndexDef],
) -> Result<()> {
    alter(state, cursor, |session, attached, table| {
        ddl::create_indexes(session, attached, table, defs, &mut |_| Ok(()))
    })
}

fn column_def(column: &JET_COLUMNCREATE) -> Result<ColumnDef> {
    let name = &column.szColumnName;
    let ty = ColType::from_jet(column.coltyp).ok_or_else(|| {
        Error::new(
            JetErr::InvalidColumnType,
            format!("column \"{name}\": {} is no type", column.coltyp),
        )
    })?;
    // What column info says beyond these, and flags that nobody knows, mean nothing.
    if column.grbit & BIT_COLUMN_ENCRYPTED != 0 {
        return Err(unavailable(&format!("encryption of column \"{name}\"")));
    }
    let len = if column.is_max_truncated() { JET_cbColumnMost } else { column.cbMax };
    let mut def = ColumnDef::new(name, ty).max_len(len);
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
        if column.grbit & JET_bitColumnTagged != 0 || ty.is_long() {
            return Err(Error::new(
                JetErr::TaggedNotNULL,
                format!("column \"{name}\" is tagged and cannot refuse NULL"),
            ));
        }
        def = def.with(ColumnFlags::NOT_NULL);
    }
    let tagged = column.grbit & JET_bitColumnTagged != 0 || ty.is_long();
    if column.grbit & JET_bitColumnMultiValued != 0 && !tagged {
        return Err(Error::new(
            JetErr::MultiValuedColumnMustBeTagged,
            format!("column \"{name}\" has several values and must be tagged"),
        ));
    }
    for (flag, bit) in COLUMN_KINDS {
        if column.grbit & bit != 0 {
            def = def.with(flag);
        }
    }
    if column.grbit & JET_bitColumnUserDefinedDefault != 0 {
        if column.grbit & (JET_bitColumnUpdatable | JET_bitColumnMaybeNull) != 0 {
            return Err(invalid_grbit("a computed column", column.grbit));
        }
        return with_callback(def, &column.pvDefault);
    }
    if !column.pvDefault.is_empty() {
        def = def.with_default(&column.pvDefault);
    }
    Ok(def)
}

/// `limits` are those of tuple indexes that bring none.
pub(super) fn index_def(index: &JET_INDEXCREATE, limits: &JET_TUPLELIMITS) -> Result<IndexDef> {
    let name = &index.szIndexName;
    let key_most = index.grbit & JET_bitIndexKeyMost != 0;
    let own = JET_bitIndexKeyMost
        | JET_bitIndexUnicode
        | JET_bitIndexTuples
        | JET_bitIndexTupleLimits
        | JET_bitIndexLazyFlush
        | JET_bitIndexUnversioned
        | JET_bitIndexImmutableStructure
        | JET_bitIndexEmpty;
    if index.grbit & INDEXES_UNAVAILABLE != 0 {
        return Err(unavailable(&format!("a flag of index \"{name}\"")));
    }
    // Flags that nobody knows mean nothing.
    let mut options = IndexOptions::from_bits_truncate(index.grbit & !own);
    options.set(IndexOptions::EMPTY, index.grbit & JET_bitIndexEmpty != 0);
    // A primary index is unique whether that is said or not.
    let implied = match options.contains(IndexOptions::PRIMARY) {
        true => IndexOptions::UNIQUE,
        false => IndexOptions::empty(),
    };
    let (locale, map_flags) = index_order(index)?;
    Ok(IndexDef {
        parts: key_parts(index)?,
        options: options - implied,
        density: index.ulDensity,
        key_most: key_most.then_some(index.cbKeyMost),
        locale,
        map_flags,
        // Where there are limits of tuples, the structure for C has no room for it.
        var_seg_mac: (index.cbVarSegMac != 0 && index.grbit & JET_bitIndexTupleLimits == 0)
            .then_some(index.cbVarSegMac),
        conditions: conditions(index)?,
        tuples: tuples(index, limits)?,
        space_hints: index.pSpacehints.map(JET_SPACEHINTS::wish),
        ..IndexDef::new(name, &[])
    })
}

fn key_parts(index: &JET_INDEXCREATE) -> Result<Vec<KeyPart>> {
    let wrong = |code, what: &str| {
        Error::new(code, format!("index \"{}\": the key {what}", index.szIndexName))
    };
    let invalid = |what: &str| wrong(JetErr::IndexInvalidDef, what);
    if index.szKey.is_empty() {
        return Err(wrong(JetErr::InvalidParameter, "is empty"));
    }
    if !index.szKey.starts_with(['+', '-']) {
        return Err(invalid("does not begin with + or -"));
    }
    let list = index.szKey.strip_suffix("\0\0");
    let list = list.ok_or_else(|| invalid("does not end with two NULs"))?;
    let part = |part: &str| match (part.strip_prefix('+'), part.strip_prefix('-')) {
        (Some(column), _) => Ok(KeyPart::ascending(column)),
        (None, Some(column)) => Ok(KeyPart::descending(column)),
        // The key would have ended there.
        (None, None) if part.is_empty() => Err(invalid("has two NULs before its end")),
        (None, None) => Ok(KeyPart::ascending(part)),
    };
    list.split('\0').map(part).collect()
}

fn conditions(index: &JET_INDEXCREATE) -> Result<Vec<ConditionDef>> {
    let condition = |column: &JET_CONDITIONALCOLUMN| {
        let must_be_null = match column.grbit {
            JET_bitIndexColumnMustBeNull => true,
            JET_bitIndexColumnMustBeNonNull => false,
            other => return Err(invalid_grbit("JET_CONDITIONALCOLUMN", other)),
        };
        Ok(ConditionDef { column: column.szColumnName.clone(), must_be_null })
    };
    index.rgconditionalcolumn.iter().map(condition).collect()
}

fn tuples(index: &JET_INDEXCREATE, limits: &JET_TUPLELIMITS) -> Result<Option<TupleLimits>> {
    if index.grbit & JET_bitIndexTupleLimits != 0 {
        let own = index.ptuplelimits.ok_or_else(|| {
            let what = format!("index \"{}\" announces tuple limits", index.szIndexName);
            Error::new(JetErr::IndexInvalidDef, what + " and has none")
        })?;
        return Ok(Some(own.engine()));
    }
    Ok((index.grbit & JET_bitIndexTuples != 0).then(|| limits.engine()))
}
