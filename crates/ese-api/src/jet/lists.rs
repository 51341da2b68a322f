//! Lists as the C interface gives them: temporary tables (api-semantics 13.11).
//!
//! The info calls here give vectors. Who needs the table instead, with its cursor and the ids of
//! its columns, makes it of what they gave. It is filled, stands on the first row, and is the
//! caller's to close; all but the list of bookmarks can be moved in and sought in. Names are
//! UTF-16, or 8-bit text for callers that have no other.

use ese_base::{JetErr, Result};
use ese_engine::{record::ColumnValue, temp::TempTable};

use super::{
    COUNTRY_DEFAULT, JET_COLUMNBASE, JET_COLUMNDEF, JET_COLUMNID, JET_GRBIT, JET_INDEXINFO,
    JET_OBJECTINFO, JET_bitColumnFixed, JET_bitColumnTTKey, JET_bitKeyAscending,
    JET_bitKeyDescending, JET_bitTTForwardOnly, JET_bitTTIndexed, JET_bitTTIntrinsicLVsOnly,
    JET_bitTTScrollable, JET_coltypDateTime, JET_coltypLong, JET_coltypLongBinary, JET_coltypShort,
    JET_coltypText,
    gate::Purpose,
    handles::{JET_SESID, JET_TABLEID},
    session::find_session,
    table::{What, new_cursor},
    temp::definition,
};

const fn column(coltyp: u32, grbit: JET_GRBIT) -> JET_COLUMNDEF {
    JET_COLUMNDEF { columnid: 0, coltyp, cp: 0, cbMax: 0, grbit }
}

const fn text(grbit: JET_GRBIT) -> JET_COLUMNDEF {
    JET_COLUMNDEF { columnid: 0, coltyp: JET_coltypText, cp: 1200, cbMax: 0, grbit }
}

/// The text of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JET_LISTTEXT {
    /// UTF-16, in columns of code page 1200.
    #[default]
    Utf16,
    /// UTF-8, in columns of code page 1252.
    Ansi,
}

impl JET_LISTTEXT {
    /// A column of a list, whose text is UTF-16 so far.
    fn column(self, column: JET_COLUMNDEF) -> JET_COLUMNDEF {
        let cp = if self == JET_LISTTEXT::Ansi && column.cp == 1200 { 1252 } else { column.cp };
        JET_COLUMNDEF { cp, ..column }
    }

    /// A value of such a column.
    fn cell(self, column: &JET_COLUMNDEF, cell: &mut Cell) {
        let text = cell.as_mut().filter(|_| self == JET_LISTTEXT::Ansi && column.cp == 1200);
        if let Some(bytes) = text {
            let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
            let units: Vec<u16> = units.collect();
            *bytes = String::from_utf16_lossy(&units).into_bytes();
        }
    }
}

const KEY: JET_GRBIT = JET_bitColumnTTKey;
const LONG: JET_COLUMNDEF = column(JET_coltypLong, JET_bitColumnFixed);
const LONG_KEY: JET_COLUMNDEF = column(JET_coltypLong, JET_bitColumnFixed | KEY);
const SHORT: JET_COLUMNDEF = column(JET_coltypShort, JET_bitColumnFixed);
const DATE: JET_COLUMNDEF = column(JET_coltypDateTime, JET_bitColumnFixed);

/// Cursors go anywhere.
const ANYWHERE: JET_GRBIT = JET_bitTTScrollable | JET_bitTTIndexed;

type Cell = Option<Vec<u8>>;

fn long(number: u64) -> Cell {
    Some(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes().to_vec())
}

fn short(number: u16) -> Cell {
    Some(number.to_le_bytes().to_vec())
}

/// Short text: what is longer is cut.
fn name(name: &str) -> Cell {
    let units = name.encode_utf16().take(127);
    Some(units.flat_map(u16::to_le_bytes).collect())
}

/// A filled table: cursor, ids of the columns, rows.
fn list_table<const N: usize>(
    sesid: JET_SESID,
    (columns, grbit, kind): ([JET_COLUMNDEF; N], JET_GRBIT, JET_LISTTEXT),
    rows: impl IntoIterator<Item = [Cell; N]>,
) -> Result<(JET_TABLEID, [JET_COLUMNID; N], u32)> {
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        // Long columns hold nothing long here.
        let told = columns.map(|column| kind.column(column));
        let def = definition(&told, grbit | JET_bitTTIntrinsicLVsOnly)?;
        let mut table = TempTable::open(&state.engine, &def)?;
        let ids = table.columns().to_vec();
        let (mut count, mut record) = (0, Vec::new());
        for mut row in rows {
            row.iter_mut().zip(&columns).for_each(|(cell, column)| kind.cell(column, cell));
            let values = ids.iter().copied().zip(row.iter().map(Option::as_deref));
            let values: Vec<ColumnValue<'_>> = values.collect();
            table.insert(&mut state.engine, &values, &mut record)?;
            count += 1;
        }
        match table.first(&state.engine) {
            Err(error) if error.code() != JetErr::NoCurrentRecord => return Err(error),
            _ => {}
        }
        let mut columnids = [0; N];
        for (to, id) in columnids.iter_mut().zip(&ids) {
            *to = JET_COLUMNID::from(id.0);
        }
        let level = state.engine.level();
        let tableid = new_cursor(own, sesid, None, What::Temp(Box::new(table)), level)?;
        Ok((tableid, columnids, count))
    })
}

/// A list of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_OBJECTLIST {
    /// The table.
    pub tableid: JET_TABLEID,
    /// Its rows.
    pub cRecord: u32,
    /// "Tables".
    pub columnidcontainername: JET_COLUMNID,
    /// Name.
    pub columnidobjectname: JET_COLUMNID,
    /// See [`JET_OBJECTINFO::objtyp`].
    pub columnidobjtyp: JET_COLUMNID,
    /// Always NULL.
    pub columniddtCreate: JET_COLUMNID,
    /// Always NULL.
    pub columniddtUpdate: JET_COLUMNID,
    /// See [`JET_OBJECTINFO::grbit`].
    pub columnidgrbit: JET_COLUMNID,
    /// See [`JET_OBJECTINFO::flags`].
    pub columnidflags: JET_COLUMNID,
    /// Rows at the last counting.
    pub columnidcRecord: JET_COLUMNID,
    /// Pages at that time.
    pub columnidcPage: JET_COLUMNID,
}

impl JET_OBJECTLIST {
    /// Makes the table.
    ///
    /// # Errors
    /// The session's; `JET_errTooManySorts` (-1701).
    pub fn open(sesid: JET_SESID, objects: &[JET_OBJECTINFO]) -> Result<JET_OBJECTLIST> {
        JET_OBJECTLIST::open_as(JET_LISTTEXT::Utf16, sesid, objects)
    }

    /// As [`JET_OBJECTLIST::open`], with text of this kind.
    ///
    /// # Errors
    /// As there.
    pub fn open_as(
        kind: JET_LISTTEXT,
        sesid: JET_SESID,
        objects: &[JET_OBJECTINFO],
    ) -> Result<JET_OBJECTLIST> {
        let rows = objects.iter().map(|object| {
            [
                name("Tables"),
                name(&object.szName),
                long(u64::from(object.objtyp)),
                None,
                None,
                long(object.cRecord),
                long(object.cPage),
                long(u64::from(object.grbit)),
                long(u64::from(object.flags)),
            ]
        });
        let columns = [text(KEY), text(KEY), LONG, DATE, DATE, LONG, LONG, LONG, LONG];
        let (tableid, ids, cRecord) = list_table(sesid, (columns, ANYWHERE, kind), rows)?;
        let [container, object, objtyp, create, update, records, pages, grbit, flags] = ids;
        Ok(JET_OBJECTLIST {
            tableid,
            cRecord,
            columnidcontainername: container,
            columnidobjectname: object,
            columnidobjtyp: objtyp,
            columniddtCreate: create,
            columniddtUpdate: update,
            columnidgrbit: grbit,
            columnidflags: flags,
            columnidcRecord: records,
            columnidcPage: pages,
        })
    }
}

/// A list of columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_COLUMNLIST {
    /// The table.
    pub tableid: JET_TABLEID,
    /// Its rows.
    pub cRecord: u32,
    /// 0 in all rows.
    pub columnidPresentationOrder: JET_COLUMNID,
    /// Name.
    pub columnidcolumnname: JET_COLUMNID,
    /// Id.
    pub columnidcolumnid: JET_COLUMNID,
    /// Type.
    pub columnidcoltyp: JET_COLUMNID,
    /// Country; 1.
    pub columnidCountry: JET_COLUMNID,
    /// Language of the instance's order of text.
    pub columnidLangid: JET_COLUMNID,
    /// Code page.
    pub columnidCp: JET_COLUMNID,
    /// 0.
    pub columnidCollate: JET_COLUMNID,
    /// Longest value.
    pub columnidcbMax: JET_COLUMNID,
    /// `JET_bitColumn...`.
    pub columnidgrbit: JET_COLUMNID,
    /// Default.
    pub columnidDefault: JET_COLUMNID,
    /// The table that defines it.
    pub columnidBaseTableName: JET_COLUMNID,
    /// Its name there.
    pub columnidBaseColumnName: JET_COLUMNID,
    /// The column of the names, again.
    pub columnidDefinitionName: JET_COLUMNID,
}

impl JET_COLUMNLIST {
    /// Makes the table.
    ///
    /// # Errors
    /// As [`JET_OBJECTLIST::open`].
    pub fn open(sesid: JET_SESID, list: &[JET_COLUMNBASE]) -> Result<JET_COLUMNLIST> {
        JET_COLUMNLIST::open_as(JET_LISTTEXT::Utf16, sesid, list)
    }

    /// As [`JET_COLUMNLIST::open`], with text of this kind.
    ///
    /// # Errors
    /// As there.
    pub fn open_as(
        kind: JET_LISTTEXT,
        sesid: JET_SESID,
        list: &[JET_COLUMNBASE],
    ) -> Result<JET_COLUMNLIST> {
        let rows = list.iter().map(|column| {
            [
                long(0),
                name(&column.szColumnName),
                long(u64::from(column.def.columnid)),
                long(u64::from(column.def.coltyp)),
                short(COUNTRY_DEFAULT),
                short(column.langid),
                short(column.def.cp),
                short(0),
                long(u64::from(column.def.cbMax)),
                long(u64::from(column.def.grbit)),
                Some(column.pvDefault.clone()).filter(|default| !default.is_empty()),
                name(&column.szBaseTableName),
                name(&column.szBaseColumnName),
            ]
        });
        let default = column(JET_coltypLongBinary, 0);
        #[rustfmt::skip]
        let columns = [
            LONG_KEY, text(KEY), LONG, LONG, SHORT, SHORT, SHORT, SHORT, LONG, LONG, default,
            text(0), text(0),
        ];
        let (tableid, ids, cRecord) = list_table(sesid, (columns, ANYWHERE, kind), rows)?;
        #[rustfmt::skip]
        let [
            order, name, id, coltyp, country, language, cp, collate, most, grbit, default, table,
            base,
        ] = ids;
        Ok(JET_COLUMNLIST {
            tableid,
            cRecord,
            columnidPresentationOrder: order,
            columnidcolumnname: name,
            columnidcolumnid: id,
            columnidcoltyp: coltyp,
            columnidCountry: country,
            columnidLangid: language,
            columnidCp: cp,
            columnidCollate: collate,
            columnidcbMax: most,
            columnidgrbit: grbit,
            columnidDefault: default,
            columnidBaseTableName: table,
            columnidBaseColumnName: base,
            columnidDefinitionName: name,
        })
    }
}

/// A list of indexes: a row for each column of each key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_INDEXLIST {
    /// The table.
    pub tableid: JET_TABLEID,
    /// Its rows.
    pub cRecord: u32,
    /// Name.
    pub columnidindexname: JET_COLUMNID,
    /// `JET_bitIndex...`.
    pub columnidgrbitIndex: JET_COLUMNID,
    /// Keys at the last counting.
    pub columnidcKey: JET_COLUMNID,
    /// Entries at that time.
    pub columnidcEntry: JET_COLUMNID,
    /// Pages at that time.
    pub columnidcPage: JET_COLUMNID,
    /// Columns of the key.
    pub columnidcColumn: JET_COLUMNID,
    /// Which of them this row is about, from 0.
    pub columnidiColumn: JET_COLUMNID,
    /// Its id.
    pub columnidcolumnid: JET_COLUMNID,
    /// Its type.
    pub columnidcoltyp: JET_COLUMNID,
    /// Country; 1.
    pub columnidCountry: JET_COLUMNID,
    /// The locale's number, its low half.
    pub columnidLangid: JET_COLUMNID,
    /// Code page.
    pub columnidCp: JET_COLUMNID,
    /// 0.
    pub columnidCollate: JET_COLUMNID,
    /// Ascending or descending.
    pub columnidgrbitColumn: JET_COLUMNID,
    /// The name of the column.
    pub columnidcolumnname: JET_COLUMNID,
    /// Flags of LCMapString.
    pub columnidLCMapFlags: JET_COLUMNID,
}

impl JET_INDEXLIST {
    /// Makes the table; `columns` are those of the same table.
    ///
    /// # Errors
    /// As [`JET_OBJECTLIST::open`].
    pub fn open(
        sesid: JET_SESID,
        list: &[JET_INDEXINFO],
        columns: &[JET_COLUMNBASE],
    ) -> Result<JET_INDEXLIST> {
        JET_INDEXLIST::open_as(JET_LISTTEXT::Utf16, sesid, list, columns)
    }

    /// As [`JET_INDEXLIST::open`], with text of this kind.
    ///
    /// # Errors
    /// As there.
    pub fn open_as(
        kind: JET_LISTTEXT,
        sesid: JET_SESID,
        list: &[JET_INDEXINFO],
        columns: &[JET_COLUMNBASE],
    ) -> Result<JET_INDEXLIST> {
        let row = |index: &JET_INDEXINFO, at: usize| {
            let (id, column, descending) = index.rgcolumn.get(at).cloned().unwrap_or_default();
            let def = columns.iter().find(|other| other.def.columnid == id);
            let def = def.map_or(JET_COLUMNDEF::default(), |column| column.def);
            let order = if descending { JET_bitKeyDescending } else { JET_bitKeyAscending };
            [
                name(&index.szIndexName),
                long(u64::from(index.grbit)),
                long(index.cKey),
                long(index.cEntry),
                long(index.cPage),
                long(index.rgcolumn.len() as u64),
                long(at as u64),
                long(u64::from(id)),
                long(u64::from(def.coltyp)),
                short(COUNTRY_DEFAULT),
                short(u16::try_from(index.lcid & 0xffff).unwrap_or(0)),
                short(def.cp),
                short(0),
                long(u64::from(order)),
                name(&column),
                long(u64::from(index.dwMapFlags)),
            ]
        };
        let rows =
            list.iter().flat_map(|index| (0..index.rgcolumn.len()).map(move |at| (index, at)));
        #[rustfmt::skip]
        let table = [
            text(KEY), LONG, LONG, LONG, LONG, LONG, LONG_KEY, LONG, LONG, SHORT, SHORT, SHORT,
            SHORT, LONG, text(0), LONG,
        ];
        let rows = rows.map(|(index, at)| row(index, at));
        let (tableid, ids, cRecord) = list_table(sesid, (table, ANYWHERE, kind), rows)?;
        #[rustfmt::skip]
        let [
            name, grbit, keys, entries, pages, columns, at, id, coltyp, country, language, cp,
            collate, order, column, flags,
        ] = ids;
        Ok(JET_INDEXLIST {
            tableid,
            cRecord,
            columnidindexname: name,
            columnidgrbitIndex: grbit,
            columnidcKey: keys,
            columnidcEntry: entries,
            columnidcPage: pages,
            columnidcColumn: columns,
            columnidiColumn: at,
            columnidcolumnid: id,
            columnidcoltyp: coltyp,
            columnidCountry: country,
            columnidLangid: language,
            columnidCp: cp,
            columnidCollate: collate,
            columnidgrbitColumn: order,
            columnidcolumnname: column,
            columnidLCMapFlags: flags,
        })
    }
}

/// A list of bookmarks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_RECORDLIST {
    /// The table.
    pub tableid: JET_TABLEID,
    /// Its rows.
    pub cRecord: u32,
    /// The bookmark.
    pub columnidBookmark: JET_COLUMNID,
}

impl JET_RECORDLIST {
    /// Makes the table of what [`JetIntersectIndexes`](super::JetIntersectIndexes) gave.
    ///
    /// # Errors
    /// As [`JET_OBJECTLIST::open`].
    pub fn open(sesid: JET_SESID, bookmarks: &[Vec<u8>]) -> Result<JET_RECORDLIST> {
        let rows = bookmarks.iter().map(|bookmark| [Some(bookmark.clone())]);
        // A key may be cut; what comes in order stays in order.
        let table =
            ([column(JET_coltypLongBinary, KEY)], JET_bitTTForwardOnly, JET_LISTTEXT::Utf16);
        let (tableid, [id], cRecord) = list_table(sesid, table, rows)?;
        Ok(JET_RECORDLIST { tableid, cRecord, columnidBookmark: id })
    }
}
