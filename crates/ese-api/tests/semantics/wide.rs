//! A table with a column of every kind that setting and retrieving tell apart.

use std::collections::BTreeMap;

use crate::pets::*;

pub(crate) struct Wide {
    live: Live,
    pub(crate) ses: JET_SESID,
    pub(crate) cur: JET_TABLEID,
    ids: BTreeMap<&'static str, u32>,
}

/// Name, type, longest value, flags and default.
type Kind = (&'static str, u32, u32, u32, &'static [u8]);

const COLUMNS: [Kind; 14] = [
    ("long", JET_coltypLong, 0, 0, &[]),
    ("bit", JET_coltypBit, 0, 0, &[]),
    ("fixed binary", JET_coltypBinary, 4, JET_bitColumnFixed, &[]),
    ("fixed text", JET_coltypText, 4, JET_bitColumnFixed, &[]),
    ("default", JET_coltypLong, 0, 0, &[5, 0, 0, 0]),
    ("text", JET_coltypText, 10, 0, &[]),
    ("binary", JET_coltypBinary, 10, 0, &[]),
    ("tagged text", JET_coltypText, 10, JET_bitColumnTagged, &[]),
    ("list", JET_coltypText, 0, JET_bitColumnTagged | JET_bitColumnMultiValued, &[]),
    ("tagged default", JET_coltypText, 0, JET_bitColumnTagged, b"dflt"),
    ("memo", JET_coltypLongText, 0, 0, &[]),
    ("small memo", JET_coltypLongBinary, 2000, 0, &[]),
    ("memos", JET_coltypLongBinary, 0, JET_bitColumnMultiValued, &[]),
    ("packed", JET_coltypLongText, 0, JET_bitColumnCompressed, &[]),
];

/// The table, empty, and a cursor on it.
pub(crate) fn wide() -> Wide {
    let live = Live::new();
    let column = |&(name, coltyp, longest, grbit, default): &Kind| JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp,
        cbMax: longest,
        grbit,
        pvDefault: default.into(),
        ..JET_COLUMNCREATE::default()
    };
    let mut table = JET_TABLECREATE {
        szTableName: "wide".into(),
        rgcolumncreate: COLUMNS.iter().map(column).collect(),
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
    JetCloseTable(live.sesid, table.tableid).unwrap();
    let (ses, cur) = (live.sesid, JetOpenTable(live.sesid, live.dbid, "wide", 0).unwrap());
    let made = COLUMNS.iter().zip(&table.rgcolumncreate);
    let ids = made.map(|(kind, column)| (kind.0, column.columnid)).collect();
    Wide { live, ses, cur, ids }
}

impl Wide {
    pub(crate) fn dbid(&self) -> JET_DBID {
        self.live.dbid
    }

    pub(crate) fn id(&self, name: &str) -> u32 {
        self.ids[name]
    }

    pub(crate) fn prepare(&self, prep: u32) {
        JetPrepareUpdate(self.ses, self.cur, prep).unwrap();
    }

    /// Begins a transaction and a new row.
    pub(crate) fn new_row(&self) {
        JetBeginTransaction(self.ses).unwrap();
        self.prepare(JET_prepInsert);
    }

    /// Writes the row, stands on it, and commits.
    pub(crate) fn keep(&self) {
        let bookmark = JetUpdate(self.ses, self.cur).unwrap();
        JetGotoBookmark(self.ses, self.cur, &bookmark).unwrap();
        JetCommitTransaction(self.ses, 0).unwrap();
    }

    pub(crate) fn set(&self, name: &str, data: Option<&[u8]>, grbit: u32) -> Result<JetErr> {
        self.set_part(name, data, grbit, JET_SETINFO::default())
    }

    pub(crate) fn set_part(
        &self,
        name: &str,
        data: Option<&[u8]>,
        grbit: u32,
        info: JET_SETINFO,
    ) -> Result<JetErr> {
        JetSetColumn(self.ses, self.cur, self.id(name), data, grbit, Some(&info))
    }

    pub(crate) fn set_nth(&self, name: &str, itag: usize, data: Option<&[u8]>) -> Result<JetErr> {
        let info = JET_SETINFO { itagSequence: itag, ..JET_SETINFO::default() };
        self.set_part(name, data, 0, info)
    }

    /// A value as the prepared row has it.
    pub(crate) fn copy(&self, name: &str) -> Option<Vec<u8>> {
        self.nth(name, 1, JET_bitRetrieveCopy)
    }

    /// A value of the current row.
    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.nth(name, 1, 0)
    }

    pub(crate) fn nth(&self, name: &str, itag: usize, grbit: u32) -> Option<Vec<u8>> {
        let mut info = JET_RETINFO { itagSequence: itag, ..JET_RETINFO::default() };
        JetRetrieveColumn(self.ses, self.cur, self.id(name), grbit, Some(&mut info)).unwrap()
    }

    /// All values of the column in the prepared row.
    pub(crate) fn all(&self, name: &str) -> Vec<Vec<u8>> {
        (1..).map_while(|itag| self.nth(name, itag, JET_bitRetrieveCopy)).collect()
    }
}
