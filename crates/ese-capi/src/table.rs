//! Tables and cursors: opening, making, changing and closing them.

use ese_api::jet::{self, JET_COLUMNDEF as Column};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, cursor, exports, handle, session, text_exports},
    ptr::{Bytes, Ptr, Str, size},
    types::JET_COLUMNDEF,
};

text_exports! {
    fn JetOpenTable JetOpenTableA | JetOpenTableW(
        sesid: usize, dbid: u32, szTableName: Str<C>, pvParameters: Bytes, cbParameters: u32,
        grbit: u32, ptableid: Ptr<usize>
    ) about About::Session(sesid) => {
        // There are no parameters.
        let (to, _, _) = (ptableid.required()?, pvParameters, cbParameters);
        let name = szTableName.name()?;
        // Nobody must take a cursor of an earlier call for one that this call did not open.
        to.write(usize::MAX);
        let opened = jet::JetOpenTable(session(sesid), dbid, &name, grbit)?;
        to.write(handle(opened.0));
        Ok(())
    }

    fn JetCreateTable JetCreateTableA | JetCreateTableW(
        sesid: usize, dbid: u32, szTableName: Str<C>, lPages: u32, lDensity: u32,
        ptableid: Ptr<usize>
    ) about About::Session(sesid) => {
        let (to, name) = (ptableid.required()?, szTableName.name()?);
        to.write(handle(jet::JetCreateTable(session(sesid), dbid, &name, lPages, lDensity)?.0));
        Ok(())
    }

    fn JetDeleteTable JetDeleteTableA | JetDeleteTableW(
        sesid: usize, dbid: u32, szTableName: Str<C>
    ) about About::Session(sesid) => {
        jet::JetDeleteTable(session(sesid), dbid, &szTableName.name()?)
    }

    // Its flags are about revert snapshots, of which there are none.
    fn JetDeleteTable2 JetDeleteTable2A | JetDeleteTable2W(
        sesid: usize, dbid: u32, szTableName: Str<C>, grbit: u32
    ) about About::Session(sesid) => {
        if grbit != 0 {
            let what = format!("JetDeleteTable2: flags {grbit:#x}");
            return Err(Error::new(JetErr::InvalidGrbit, what));
        }
        jet::JetDeleteTable(session(sesid), dbid, &szTableName.name()?)
    }

    fn JetRenameTable JetRenameTableA | JetRenameTableW(
        sesid: usize, dbid: u32, szName: Str<C>, szNameNew: Str<C>
    ) about About::Session(sesid) => {
        jet::JetRenameTable(session(sesid), dbid, &szName.name()?, &szNameNew.name()?)
    }

    fn JetAddColumn JetAddColumnA | JetAddColumnW(
        sesid: usize, tableid: usize, szColumnName: Str<C>, pcolumndef: Ptr<JET_COLUMNDEF>,
        pvDefault: Bytes, cbDefault: u32, pcolumnid: Ptr<u32>
    ) about About::Cursor(sesid, tableid) => {
        let def = definition(pcolumndef.get()?)?;
        let default =
            crate::define::default_of::<C>(def.grbit, pvDefault, cbDefault)?;
        let (sesid, tableid) = (session(sesid), cursor(tableid));
        let name = szColumnName.name()?;
        pcolumnid.write(jet::JetAddColumn(sesid, tableid, &name, &def, &default)?);
        let cut = def.is_max_truncated();
        Ok(if cut { JetErr::WrnColumnMaxTruncated } else { JetErr::Success })
    }

    fn JetDeleteColumn JetDeleteColumnA | JetDeleteColumnW(
        sesid: usize, tableid: usize, szColumnName: Str<C>
    ) about About::Cursor(sesid, tableid) => {
        jet::JetDeleteColumn(session(sesid), cursor(tableid), &szColumnName.name()?)
    }

    fn JetDeleteColumn2 JetDeleteColumn2A | JetDeleteColumn2W(
        sesid: usize, tableid: usize, szColumnName: Str<C>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        jet::JetDeleteColumn2(session(sesid), cursor(tableid), &szColumnName.name()?, grbit)
    }

    fn JetRenameColumn JetRenameColumnA | JetRenameColumnW(
        sesid: usize, tableid: usize, szName: Str<C>, szNameNew: Str<C>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let (name, new) = (szName.name()?, szNameNew.name()?);
        jet::JetRenameColumn(session(sesid), cursor(tableid), &name, &new, grbit)
    }

    fn JetSetColumnDefaultValue JetSetColumnDefaultValueA | JetSetColumnDefaultValueW(
        sesid: usize, dbid: u32, szTableName: Str<C>, szColumnName: Str<C>, pvData: Bytes,
        cbData: u32, grbit: u32
    ) about About::Session(sesid) => {
        let (table, column) = (szTableName.name()?, szColumnName.name()?);
        let default = pvData.slice(cbData).unwrap_or_default();
        jet::JetSetColumnDefaultValue(session(sesid), dbid, &table, &column, default, grbit)
    }

    fn JetDeleteIndex JetDeleteIndexA | JetDeleteIndexW(
        sesid: usize, tableid: usize, szIndexName: Str<C>
    ) about About::Cursor(sesid, tableid) => {
        jet::JetDeleteIndex(session(sesid), cursor(tableid), &szIndexName.name()?)
    }
}

exports! {
    fn JetDupCursor(sesid: usize, tableid: usize, ptableid: Ptr<usize>, grbit: u32)
    about About::Cursor(sesid, tableid) => {
        let to = ptableid.required()?;
        to.write(handle(jet::JetDupCursor(session(sesid), cursor(tableid), grbit)?.0));
        Ok(())
    }

    fn JetCloseTable(sesid: usize, tableid: usize) about About::Cursor(sesid, tableid) => {
        jet::JetCloseTable(session(sesid), cursor(tableid))
    }

    fn JetComputeStats(sesid: usize, tableid: usize) about About::Cursor(sesid, tableid) => {
        jet::JetComputeStats(session(sesid), cursor(tableid))
    }

    fn JetSetTableSequential(sesid: usize, tableid: usize, grbit: u32)
    about About::Cursor(sesid, tableid) => {
        jet::JetSetTableSequential(session(sesid), cursor(tableid), grbit)
    }

    fn JetResetTableSequential(sesid: usize, tableid: usize, grbit: u32)
    about About::Cursor(sesid, tableid) => {
        jet::JetResetTableSequential(session(sesid), cursor(tableid), grbit)
    }
}

/// A structure has not the length that callers of this version give it.
#[track_caller]
pub(crate) fn wrong_struct(name: &str, cb: u32, wanted: u32) -> Error {
    let what = format!("{name} of {cb} bytes, expected {wanted}");
    Error::new(JetErr::InvalidParameter, what)
}

/// A definition of a column.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for a structure of another length.
pub(crate) fn definition(def: JET_COLUMNDEF) -> Result<Column> {
    if def.cbStruct != size::<JET_COLUMNDEF>() {
        return Err(wrong_struct("JET_COLUMNDEF", def.cbStruct, size::<JET_COLUMNDEF>()));
    }
    Ok(column(&def))
}

/// What a structure defines, whatever it says of its length.
pub(crate) fn column(def: &JET_COLUMNDEF) -> Column {
    Column {
        columnid: def.columnid,
        coltyp: def.coltyp,
        cp: def.cp,
        cbMax: def.cbMax,
        grbit: def.grbit,
    }
}

/// A definition for a caller.
pub(crate) fn told(column: &jet::JET_COLUMNBASE) -> JET_COLUMNDEF {
    let def = &column.def;
    JET_COLUMNDEF {
        cbStruct: size::<JET_COLUMNDEF>(),
        columnid: def.columnid,
        coltyp: def.coltyp,
        wCountry: jet::COUNTRY_DEFAULT,
        langid: column.langid,
        cp: def.cp,
        wCollate: 0,
        cbMax: def.cbMax,
        grbit: def.grbit,
    }
}
