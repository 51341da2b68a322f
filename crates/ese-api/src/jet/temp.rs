//! Temporary tables (api-semantics 15).

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    key::UnicodeIndex,
    schema::{ColType, ColumnDef, ColumnFlags, Placement},
    temp::{KeyOrder, TempColumn, TempOptions, TempTable, TempTableDef},
};

use super::{
    JET_COLUMNDEF, JET_COLUMNID, JET_GRBIT, JET_UNICODEINDEX, JET_UNICODEINDEX2,
    JET_bitColumnFixed, JET_bitColumnMultiValued, JET_bitColumnTTDescending, JET_bitColumnTTKey,
    JET_bitColumnTagged,
    gate::Purpose,
    handles::{JET_DBID, JET_SESID, JET_TABLEID},
    session::find_session,
    table::{What, new_cursor},
};

/// The database of temporary tables, which nobody opens.
pub(super) const DBID_OF_TEMPORARY: JET_DBID = 0;

/// A temporary table to be opened, with all that can be said of one, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct JET_OPENTEMPORARYTABLE2 {
    /// Its columns. Those with [`JET_bitColumnTTKey`] are the key, in this order.
    pub rgcolumndef: Vec<JET_COLUMNDEF>,
    /// The order of UTF-16 text in the key; `None`: the instance's.
    pub pidxunicode: Option<JET_UNICODEINDEX2>,
    /// `JET_bitTT...`.
    pub grbit: JET_GRBIT,
    /// Longest key in bytes; 0 = 255.
    pub cbKeyMost: u32,
    /// Longest part of the key that a value of variable length makes; 0 = no limit.
    pub cbVarSegMac: u32,
    /// The ids of the columns, in the order of the definitions.
    pub rgcolumnid: Vec<JET_COLUMNID>,
    /// The cursor.
    pub tableid: JET_TABLEID,
}

/// As [`JET_OPENTEMPORARYTABLE2`], with the number of a locale instead of its name.
#[derive(Clone, Debug, Default)]
pub struct JET_OPENTEMPORARYTABLE {
    /// See [`JET_OPENTEMPORARYTABLE2::rgcolumndef`].
    pub rgcolumndef: Vec<JET_COLUMNDEF>,
    /// See [`JET_OPENTEMPORARYTABLE2::pidxunicode`].
    pub pidxunicode: Option<JET_UNICODEINDEX>,
    /// `JET_bitTT...`.
    pub grbit: JET_GRBIT,
    /// See [`JET_OPENTEMPORARYTABLE2::cbKeyMost`].
    pub cbKeyMost: u32,
    /// See [`JET_OPENTEMPORARYTABLE2::cbVarSegMac`].
    pub cbVarSegMac: u32,
    /// The ids of the columns.
    pub rgcolumnid: Vec<JET_COLUMNID>,
    /// The cursor.
    pub tableid: JET_TABLEID,
}

/// Opens a temporary table; gives its cursor and the ids of its columns. It takes rows until the
/// first move or seek, which sorts them. It goes when its last cursor is closed.
///
/// # Errors
/// The session's; `JET_errTooManySorts` (-1701) beyond `JET_paramMaxTemporaryTables`,
/// `JET_errCannotMaterializeForwardOnlySort` (-1113), `JET_errInvalidColumnType` (-1511),
/// `JET_errInvalidCodePage` (-1063), `JET_errTooManyColumns` (-1040), `JET_errRecordTooBig`
/// (-1026).
pub fn JetOpenTempTable(
    sesid: JET_SESID,
    rgcolumndef: &[JET_COLUMNDEF],
    grbit: JET_GRBIT,
) -> Result<(JET_TABLEID, Vec<JET_COLUMNID>)> {
    JetOpenTempTable3(sesid, rgcolumndef, None, grbit)
}

/// As [`JetOpenTempTable`]; UTF-16 text sorts by the locale with this number, 0 = the instance's.
///
/// # Errors
/// As [`JetOpenTempTable`]; `JET_errInvalidLanguageId` (-1062).
pub fn JetOpenTempTable2(
    sesid: JET_SESID,
    rgcolumndef: &[JET_COLUMNDEF],
    lcid: u32,
    grbit: JET_GRBIT,
) -> Result<(JET_TABLEID, Vec<JET_COLUMNID>)> {
    let dwMapFlags = UnicodeIndex::default().map_flags;
    let unicode = (lcid != 0).then_some(JET_UNICODEINDEX { lcid, dwMapFlags });
    JetOpenTempTable3(sesid, rgcolumndef, unicode.as_ref(), grbit)
}

/// As [`JetOpenTempTable`]; UTF-16 text sorts by a locale and flags.
///
/// # Errors
/// As [`JetOpenTempTable2`]; `JET_errInvalidLCMapStringFlags` (-1064).
pub fn JetOpenTempTable3(
    sesid: JET_SESID,
    rgcolumndef: &[JET_COLUMNDEF],
    pidxunicode: Option<&JET_UNICODEINDEX>,
    grbit: JET_GRBIT,
) -> Result<(JET_TABLEID, Vec<JET_COLUMNID>)> {
    let mut table = JET_OPENTEMPORARYTABLE {
        rgcolumndef: rgcolumndef.to_vec(),
        pidxunicode: pidxunicode.copied(),
        grbit,
        ..JET_OPENTEMPORARYTABLE::default()
    };
    JetOpenTemporaryTable(sesid, &mut table)?;
    Ok((table.tableid, table.rgcolumnid))
}

/// As [`JetOpenTempTable3`], with limits of the key.
///
/// # Errors
/// As [`JetOpenTempTable3`]; `JET_errInvalidParameter` (-1003) for limits that cannot be.
pub fn JetOpenTemporaryTable(
    sesid: JET_SESID,
    popentemporarytable: &mut JET_OPENTEMPORARYTABLE,
) -> Result<()> {
    let table = popentemporarytable;
    let pidxunicode = table.pidxunicode.as_ref().map(JET_UNICODEINDEX::named).transpose();
    let mut named = JET_OPENTEMPORARYTABLE2 {
        rgcolumndef: table.rgcolumndef.clone(),
        // The session comes first.
        pidxunicode: pidxunicode.or_else(|error| find_session(sesid).and(Err(error)))?,
        grbit: table.grbit,
        cbKeyMost: table.cbKeyMost,
        cbVarSegMac: table.cbVarSegMac,
        ..JET_OPENTEMPORARYTABLE2::default()
    };
    JetOpenTemporaryTable2(sesid, &mut named)?;
    (table.rgcolumnid, table.tableid) = (named.rgcolumnid, named.tableid);
    Ok(())
}

/// As [`JetOpenTemporaryTable`], with the name of a locale.
///
/// # Errors
/// As [`JetOpenTemporaryTable`].
pub fn JetOpenTemporaryTable2(
    sesid: JET_SESID,
    popentemporarytable: &mut JET_OPENTEMPORARYTABLE2,
) -> Result<()> {
    let table = popentemporarytable;
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let def = TempTableDef {
            unicode: table.pidxunicode.as_ref().map(JET_UNICODEINDEX2::engine),
            key_most: table.cbKeyMost,
            var_seg_mac: table.cbVarSegMac,
            ..definition(&table.rgcolumndef, table.grbit)?
        };
        let open = TempTable::open(&state.engine, &def)?;
        let ids = open.columns().iter().map(|id| JET_COLUMNID::from(id.0)).collect();
        let level = state.engine.level();
        table.tableid = new_cursor(own, sesid, None, What::Temp(Box::new(open)), level)?;
        table.rgcolumnid = ids;
        Ok(())
    })
}

/// A temporary table of these columns, with what else can be said of one left open. Flags that
/// there are none of are not looked at.
pub(super) fn definition(columns: &[JET_COLUMNDEF], grbit: JET_GRBIT) -> Result<TempTableDef> {
    let options = TempOptions::from_bits_truncate(grbit);
    let columns = columns.iter().map(column_of_temporary).collect::<Result<_>>()?;
    Ok(TempTableDef { columns, options, ..TempTableDef::default() })
}

/// Of the flags only place, key and several values count, as the engine's source has it.
fn column_of_temporary(column: &JET_COLUMNDEF) -> Result<TempColumn> {
    let ty = ColType::from_jet(column.coltyp).ok_or_else(|| {
        let what = format!("a column of type {}, which there is not", column.coltyp);
        Error::new(JetErr::InvalidColumnType, what)
    })?;
    let has = |bit| column.grbit & bit != 0;
    let mut def = ColumnDef::new("", ty);
    def.max_len = if ty.is_long() { column.cbMax } else { column.cbMax.min(SHORT_LEN_MAX) };
    def.code_page = column.cp;
    def.placement = if has(JET_bitColumnTagged) || ty.is_long() {
        Placement::Tagged
    } else if has(JET_bitColumnFixed) {
        Placement::Fixed
    } else {
        Placement::Auto
    };
    if has(JET_bitColumnMultiValued) && def.placement == Placement::Tagged {
        def = def.with(ColumnFlags::MULTI_VALUED);
    }
    let order = match has(JET_bitColumnTTDescending) {
        true => KeyOrder::Descending,
        false => KeyOrder::Ascending,
    };
    Ok(TempColumn { def, key: has(JET_bitColumnTTKey).then_some(order) })
}

/// Longest value of a short column; a greater wish is cut to this.
const SHORT_LEN_MAX: u32 = 255;
