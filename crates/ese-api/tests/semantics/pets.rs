//! A table with an index of every kind that the statements need, and short names for the calls.

pub(crate) use ese_api::{JetErr, Result, jet::*};

pub(crate) use crate::jet_setup::{Live, code, multi};

/// A table `pets` with a primary key `id`, a name, an age and a list, and indexes over them: `name`
/// (not unique), `age` (unique, rows without age left out), `down` (name descending, then id).
pub(crate) struct Pets {
    pub(crate) live: Live,
    pub(crate) ses: JET_SESID,
    pub(crate) cur: JET_TABLEID,
    pub(crate) id: u32,
    pub(crate) age: u32,
    pub(crate) name: u32,
    pub(crate) data: u32,
}

pub(crate) const ROWS: [(i32, &str, Option<i32>); 6] = [
    (1, "ant", Some(60)),
    (2, "bee", Some(50)),
    (3, "cat", None),
    (5, "bee", Some(30)),
    (6, "dog", Some(20)),
    (8, "bee", Some(10)),
];

pub(crate) fn pets() -> Pets {
    pets_in(Live::new())
}

pub(crate) fn pets_in(live: Live) -> Pets {
    let pets = empty_in(live);
    for (id, name, age) in ROWS {
        pets.insert(id, name, age).unwrap();
    }
    let cur = pets.reopen();
    Pets { cur, ..pets }
}

pub(crate) fn empty() -> Pets {
    empty_in(Live::new())
}

fn empty_in(live: Live) -> Pets {
    let column = |name: &str, coltyp, grbit| JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp,
        grbit,
        ..JET_COLUMNCREATE::default()
    };
    let index = |name: &str, key: &str, grbit| JET_INDEXCREATE {
        szIndexName: name.into(),
        szKey: key.into(),
        grbit,
        ..JET_INDEXCREATE::default()
    };
    let mut table = JET_TABLECREATE {
        szTableName: "pets".into(),
        rgcolumncreate: vec![
            column("id", JET_coltypLong, JET_bitColumnNotNULL),
            column("age", JET_coltypLong, 0),
            column("name", JET_coltypText, 0),
            column("data", JET_coltypLongBinary, 0),
        ],
        rgindexcreate: vec![
            index("pk", "+id\0\0", JET_bitIndexPrimary),
            index("name", "+name\0\0", 0),
            index("age", "+age\0\0", JET_bitIndexUnique | JET_bitIndexIgnoreNull),
            index("down", "-name\0+id\0\0", 0),
        ],
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
    JetCloseTable(live.sesid, table.tableid).unwrap();
    let (ses, dbid) = (live.sesid, live.dbid);
    let ids: Vec<u32> = table.rgcolumncreate.iter().map(|column| column.columnid).collect();
    let cur = JetOpenTable(ses, dbid, "pets", 0).unwrap();
    Pets { live, ses, cur, id: ids[0], age: ids[1], name: ids[2], data: ids[3] }
}

impl Pets {
    /// A new cursor, which nobody has moved yet; the old one stays open.
    pub(crate) fn reopen(&self) -> JET_TABLEID {
        JetOpenTable(self.ses, self.live.dbid, "pets", 0).unwrap()
    }

    /// Another session with a cursor on the same table.
    pub(crate) fn other(&self) -> (JET_SESID, JET_TABLEID) {
        let ses = JetDupSession(self.ses).unwrap();
        let dbid = JetOpenDatabase(ses, self.live.path().to_str().unwrap(), 0).unwrap().1;
        (ses, JetOpenTable(ses, dbid, "pets", 0).unwrap())
    }

    pub(crate) fn fill(&self, id: i32, name: &str, age: Option<i32>) -> Result<()> {
        self.set(self.id, &id.to_le_bytes())?;
        self.set(self.name, name.as_bytes())?;
        if let Some(age) = age {
            self.set(self.age, &age.to_le_bytes())?;
        }
        Ok(())
    }

    pub(crate) fn insert(&self, id: i32, name: &str, age: Option<i32>) -> Result<Vec<u8>> {
        self.prepare(JET_prepInsert)?;
        self.fill(id, name, age)?;
        JetUpdate(self.ses, self.cur)
    }

    pub(crate) fn prepare(&self, prep: u32) -> Result<()> {
        JetPrepareUpdate(self.ses, self.cur, prep)
    }

    pub(crate) fn update(&self) -> Result<Vec<u8>> {
        JetUpdate(self.ses, self.cur)
    }

    pub(crate) fn set(&self, column: u32, value: &[u8]) -> Result<JetErr> {
        JetSetColumn(self.ses, self.cur, column, Some(value), 0, None)
    }

    pub(crate) fn get(&self, column: u32, grbit: u32) -> Result<Option<Vec<u8>>> {
        JetRetrieveColumn(self.ses, self.cur, column, grbit, None)
    }

    /// The id of the current row.
    pub(crate) fn at(&self) -> Result<i32> {
        id_at(self.ses, self.cur, self.id)
    }

    pub(crate) fn go(&self, rows: i32) -> Result<()> {
        JetMove(self.ses, self.cur, rows, 0)
    }

    /// The id of the row that a move leads to, or the code.
    pub(crate) fn to(&self, rows: i32) -> std::result::Result<i32, JetErr> {
        self.go(rows).and_then(|()| self.at()).map_err(|error| error.code())
    }

    pub(crate) fn index(&self, name: &str) {
        JetSetCurrentIndex(self.ses, self.cur, Some(name)).unwrap();
    }

    pub(crate) fn key(&self, value: &[u8], grbit: u32) -> Result<()> {
        JetMakeKey(self.ses, self.cur, Some(value), grbit)
    }

    pub(crate) fn seek(&self, value: &[u8], grbit: u32) -> Result<JetErr> {
        self.key(value, JET_bitNewKey)?;
        JetSeek(self.ses, self.cur, grbit)
    }

    pub(crate) fn seek_id(&self, id: i32, grbit: u32) -> Result<JetErr> {
        self.seek(&id.to_le_bytes(), grbit)
    }

    pub(crate) fn range(&self, grbit: u32) -> Result<()> {
        JetSetIndexRange(self.ses, self.cur, grbit)
    }

    /// The ids from the current row to the end of what moves reach.
    pub(crate) fn rest(&self) -> Vec<i32> {
        let mut ids = Vec::new();
        while let Ok(id) = self.at() {
            ids.push(id);
            if self.go(JET_MoveNext).is_err() {
                break;
            }
        }
        ids
    }
}

pub(crate) fn id_at(ses: JET_SESID, cur: JET_TABLEID, column: u32) -> Result<i32> {
    let bytes = JetRetrieveColumn(ses, cur, column, 0, None)?.unwrap();
    Ok(i32::from_le_bytes(bytes.try_into().unwrap()))
}
