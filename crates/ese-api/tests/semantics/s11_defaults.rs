//! Section 11: defaults, given or computed by a callback.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use ese_api::Error;

use crate::pets::*;

const PERSISTED: u32 = JET_paramEnablePersistedCallbacks;

/// A table with the columns `a` (Long), `sum` and `long` (computed), and a row in which `a` is 5.
struct Sums {
    live: Live,
    cur: JET_TABLEID,
    ids: Vec<u32>,
    /// What the callback was told.
    told: Arc<Mutex<Vec<JET_DEFAULTINFO>>>,
    name: String,
}

fn column(name: &str, coltyp: u32, grbit: u32, default: &[u8]) -> JET_COLUMNCREATE {
    JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp,
        grbit,
        pvDefault: default.into(),
        ..JET_COLUMNCREATE::default()
    }
}

fn computed(name: &str, data: &[u8]) -> Vec<u8> {
    let default = JET_USERDEFINEDDEFAULT {
        szCallback: name.into(),
        pbUserData: data.into(),
        szDependantColumns: None,
    };
    default.pvDefault()
}

const COMPUTED: u32 = JET_bitColumnUserDefinedDefault;
const TAGGED: u32 = JET_bitColumnTagged;

/// A name that no other test uses.
fn new_name() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("Module{}!add", LAST.fetch_add(1, Ordering::Relaxed))
}

fn live() -> Live {
    Live::with(|inst| {
        JetSetSystemParameter(Some(inst), JET_SESID::NIL, PERSISTED, 1, None).unwrap();
    })
}

/// Reads column 1, `a`, and adds the byte that the column keeps; NULL where `a` is.
fn adding(told: &Arc<Mutex<Vec<JET_DEFAULTINFO>>>) -> JET_DEFAULTCALLBACK {
    let told = Arc::clone(told);
    JET_DEFAULTCALLBACK::new(move |info| {
        told.lock().unwrap().push(info.clone());
        let a = JetRetrieveColumn(info.sesid, info.tableid, 1, 0, None)?;
        Ok(a.map(|a| vec![a[0] + info.pbUserData.first().copied().unwrap_or(0), 0, 0, 0]))
    })
}

fn sums() -> Sums {
    let live = live();
    let (told, name) = (Arc::default(), new_name());
    provide_callback(&name, Some(adding(&told))).unwrap();
    let mut table = JET_TABLECREATE {
        szTableName: "sums".into(),
        rgcolumncreate: vec![
            column("a", JET_coltypLong, 0, &[]),
            column("sum", JET_coltypLong, TAGGED | COMPUTED, &computed(&name, &[7])),
            column("long", JET_coltypLongBinary, COMPUTED, &computed(&name, &[])),
        ],
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
    JetCloseTable(live.sesid, table.tableid).unwrap();
    let cur = JetOpenTable(live.sesid, live.dbid, "sums", 0).unwrap();
    let ids = table.rgcolumncreate.iter().map(|column| column.columnid).collect();
    let sums = Sums { live, cur, ids, told, name };
    sums.insert(Some(5));
    sums
}

impl Sums {
    fn insert(&self, a: Option<u8>) {
        let ses = self.live.sesid;
        JetPrepareUpdate(ses, self.cur, JET_prepInsert).unwrap();
        if let Some(a) = a {
            self.set(0, Some(&[a, 0, 0, 0]));
        }
        let bookmark = JetUpdate(ses, self.cur).unwrap();
        JetGotoBookmark(ses, self.cur, &bookmark).unwrap();
    }

    fn set(&self, at: usize, value: Option<&[u8]>) {
        JetSetColumn(self.live.sesid, self.cur, self.ids[at], value, 0, None).unwrap();
    }

    fn read(&self, at: usize, grbit: u32) -> Result<Option<Vec<u8>>> {
        JetRetrieveColumn(self.live.sesid, self.cur, self.ids[at], grbit, None)
    }

    /// First byte of a column, if it is not NULL.
    fn get(&self, at: usize, grbit: u32) -> Option<u8> {
        self.read(at, grbit).unwrap().map(|value| value[0])
    }
}

#[test]
fn s11_04_a_callback_computes_the_default_of_the_row_that_is_asked_for() {
    let _mode = multi();
    let sums = sums();
    let (ses, cur) = (sums.live.sesid, sums.cur);
    assert_eq!((sums.get(1, 0), sums.get(2, 0)), (Some(12), Some(5)));
    let first = sums.told.lock().unwrap()[0].clone();
    assert_eq!((first.sesid, first.tableid, first.columnid), (ses, cur, sums.ids[1]));
    assert_eq!((first.dbid, first.pbUserData), (sums.live.dbid, vec![7]));
    assert_eq!(sums.get(1, JET_bitRetrieveIgnoreDefault), None);
    // The copy that is being changed has its own, whatever flags the callback uses.
    JetBeginTransaction(ses).unwrap();
    JetPrepareUpdate(ses, cur, JET_prepReplace).unwrap();
    sums.set(0, Some(&[20, 0, 0, 0]));
    assert_eq!((sums.get(1, 0), sums.get(1, JET_bitRetrieveCopy)), (Some(12), Some(27)));
    // What is set counts; NULL hides the default; taken back, it shows again.
    sums.set(1, Some(&[99, 0, 0, 0]));
    assert_eq!(sums.get(1, JET_bitRetrieveCopy), Some(99));
    sums.set(1, None);
    assert_eq!(sums.get(1, JET_bitRetrieveCopy), None);
    let revert = JET_bitSetRevertToDefaultValue;
    JetSetColumn(ses, cur, sums.ids[1], None, revert, None).unwrap();
    assert_eq!(sums.get(1, JET_bitRetrieveCopy), Some(27));
    sums.set(2, Some(b"set"));
    JetSetColumn(ses, cur, sums.ids[2], Some(b"!"), JET_bitSetAppendLV, None).unwrap();
    JetUpdate(ses, cur).unwrap();
    JetCommitTransaction(ses, 0).unwrap();
    assert_eq!(sums.read(2, 0).unwrap().unwrap(), b"set!");
    // A callback may say NULL.
    sums.insert(None);
    assert_eq!((sums.get(1, 0), sums.get(2, 0)), (None, None));
    // The column keeps it all in the catalog.
    let def = JetGetTableColumnInfo(ses, cur, Some("sum")).unwrap()[0].def;
    assert_eq!(def.grbit, TAGGED | COMPUTED | JET_bitColumnUpdatable);
    let dir = Arc::clone(&sums.live.dir);
    let (ids, told, name) = (sums.ids.clone(), Arc::clone(&sums.told), sums.name.clone());
    drop(sums);
    let live = Live::again(&dir);
    let cur = JetOpenTable(live.sesid, live.dbid, "sums", 0).unwrap();
    let sums = Sums { live, cur, ids, told, name };
    JetMove(sums.live.sesid, cur, JET_MoveFirst, 0).unwrap();
    assert_eq!(code(sums.read(1, 0)), JetErr::CallbackFailed, "not enabled here");
    assert_eq!(sums.read(2, 0).unwrap().unwrap(), b"set!");
}

#[test]
fn s11_04_computed_defaults_are_listed_and_enumerated() {
    let _mode = multi();
    let sums = sums();
    let (ses, cur) = (sums.live.sesid, sums.cur);
    let mut list: Vec<_> = sums.ids.iter().map(|id| JET_RETRIEVECOLUMN::new(*id)).collect();
    list.push(JET_RETRIEVECOLUMN { itagSequence: 0, ..JET_RETRIEVECOLUMN::new(sums.ids[1]) });
    list.push(JET_RETRIEVECOLUMN { itagSequence: 2, ..JET_RETRIEVECOLUMN::new(0) });
    JetRetrieveColumns(ses, cur, &mut list).unwrap();
    let firsts: Vec<_> = list.iter().map(|one| one.data.as_ref().map(|data| data[0])).collect();
    assert_eq!(firsts, [Some(5), Some(12), Some(5), None, Some(5)]);
    assert_eq!((list[3].itagSequence, list[4].columnidNextTagged), (1, sums.ids[2]));
    let enumerate = |wanted: &[JET_ENUMCOLUMNID], grbit| {
        let mut found = Vec::new();
        JetEnumerateColumns(ses, cur, wanted, &mut found, u32::MAX, grbit).unwrap();
        found
    };
    let codes = |found: &[JET_ENUMCOLUMN]| found.iter().map(|one| one.err).collect::<Vec<_>>();
    let all = enumerate(&[], 0);
    assert_eq!(all.len(), 3);
    assert_eq!(all[1].rgEnumColumnValue[0].pvData, [12, 0, 0, 0]);
    let all = enumerate(&[], JET_bitEnumerateCompressOutput);
    assert_eq!((all[2].err, all[2].pvData[0]), (JetErr::WrnColumnSingleValue, 5));
    let calls = sums.told.lock().unwrap().len();
    for without in [JET_bitEnumerateIgnoreDefault, JET_bitEnumerateIgnoreUserDefinedDefault] {
        assert_eq!(enumerate(&[], without).len(), 1);
        let one = JET_ENUMCOLUMNID { columnid: sums.ids[1], rgtagSequence: Vec::new() };
        assert_eq!(codes(&enumerate(&[one], without)), [JetErr::WrnColumnDefault]);
    }
    let there = enumerate(&[], JET_bitEnumeratePresenceOnly);
    assert_eq!(codes(&there), [JetErr::WrnColumnPresent; 3]);
    assert_eq!(sums.told.lock().unwrap().len(), calls, "nobody was asked");
    sums.insert(None);
    let all = enumerate(&[], JET_bitEnumerateCompressOutput);
    assert_eq!(codes(&all), [JetErr::WrnColumnNull; 2]);
}

#[test]
fn s11_04_a_column_is_refused_whose_callback_is_not_known() {
    let _mode = multi();
    let sums = sums();
    let (ses, dbid, name) = (sums.live.sesid, sums.live.dbid, sums.name.as_str());
    let good = computed(name, &[1]);
    let (fixed, not_null) = (JET_bitColumnFixed, JET_bitColumnNotNULL);
    for (coltyp, grbit, default, expected) in [
        (JET_coltypLong, TAGGED, computed("none!none", &[]), JetErr::CallbackNotResolved),
        (JET_coltypLong, TAGGED, computed("none", &[]), JetErr::InvalidParameter),
        (JET_coltypLong, TAGGED, b"no NUL".to_vec(), JetErr::InvalidParameter),
        (JET_coltypLong, TAGGED, Vec::new(), JetErr::InvalidParameter),
        (JET_coltypLong, 0, good.clone(), JetErr::InvalidGrbit),
        (JET_coltypText, 0, good.clone(), JetErr::InvalidGrbit),
        (JET_coltypLong, fixed, good.clone(), JetErr::InvalidGrbit),
        (JET_coltypText, not_null, good.clone(), JetErr::InvalidGrbit),
        (JET_coltypLong, JET_bitColumnVersion, good.clone(), JetErr::InvalidGrbit),
        (JET_coltypLong, JET_bitColumnAutoincrement, good, JetErr::InvalidGrbit),
    ] {
        let mut table = JET_TABLECREATE {
            szTableName: "refused".into(),
            rgcolumncreate: vec![column("x", coltyp, grbit | COMPUTED, &default)],
            ..JET_TABLECREATE::default()
        };
        let made = JetCreateTableColumnIndex(ses, dbid, &mut table);
        assert_eq!(code(made), expected, "{coltyp} {grbit:#x}");
        let opened = JetOpenTable(ses, dbid, "refused", 0);
        assert_eq!(code(opened), JetErr::ObjectNotFound);
    }
    // Added later, it shows in rows that are there; the case of the module does not matter.
    let name = name.replace("Module", "MODULE");
    let def =
        JET_COLUMNDEF { coltyp: JET_coltypLong, grbit: TAGGED | COMPUTED, ..Default::default() };
    let late = JetAddColumn(ses, sums.cur, "late", &def, &computed(&name, &[100])).unwrap();
    let read = JetRetrieveColumn(ses, sums.cur, late, 0, None).unwrap();
    assert_eq!(read.unwrap()[0], 105);
    let unknown = JetAddColumn(ses, sums.cur, "x", &def, &computed("Module!none", &[]));
    assert_eq!(code(unknown), JetErr::CallbackNotResolved);
    // Its entries could not be made.
    let indexed = JetCreateIndex(ses, sums.cur, "i", 0, "+sum\0\0", 0);
    assert_eq!(code(indexed), JetErr::FeatureNotAvailable);
    JetDeleteColumn(ses, sums.cur, "late").unwrap();
    provide_callback(&sums.name, None).unwrap();
    assert_eq!(code(sums.read(1, 0)), JetErr::CallbackNotResolved);
    assert_eq!(code(provide_callback("nothing", None)), JetErr::InvalidParameter);
}

#[test]
fn s11_04_a_callback_that_fails_changes_nothing() {
    let _mode = multi();
    let sums = sums();
    let (ses, cur, sum) = (sums.live.sesid, sums.cur, sums.ids[1]);
    type Does = fn(&JET_DEFAULTINFO) -> Result<Option<Vec<u8>>>;
    let cases: [(Does, JetErr); 9] = [
        (|_| Err(Error::new(JetErr::DisabledFunctionality, "no")), JetErr::DisabledFunctionality),
        (|_| panic!("a bug of the caller's"), JetErr::CallbackFailed),
        (|_| Ok(Some(vec![1, 2, 3])), JetErr::CallbackFailed),
        (|_| Ok(Some(vec![1; 5])), JetErr::CallbackFailed),
        (|info| JetBeginTransaction(info.sesid).map(|()| None), JetErr::CallbackFailed),
        (|info| JetRollback(info.sesid, 0).map(|()| None), JetErr::CallbackFailed),
        (
            |info| JetRetrieveColumn(info.sesid, info.tableid, info.columnid, 0, None),
            JetErr::CallbackFailed,
        ),
        (
            |info| {
                let from = JET_bitRetrieveFromIndex;
                JetRetrieveColumn(info.sesid, info.tableid, 1, from, None)
            },
            JetErr::InvalidGrbit,
        ),
        (|info| JetMove(info.sesid, info.tableid, 1, 0).map(|()| None), JetErr::IllegalOperation),
    ];
    for level in 0..2 {
        for (does, expected) in &cases {
            provide_callback(&sums.name, Some(JET_DEFAULTCALLBACK::new(*does))).unwrap();
            if level > 0 {
                JetBeginTransaction(ses).unwrap();
            }
            let read = JetRetrieveColumn(ses, cur, sum, 0, None);
            assert_eq!(code(read), *expected, "at level {level}");
            // Neither a transaction nor a hold on the cursor is left, but one that was ended.
            let ended = JetRollback(ses, 0);
            if level == 0 {
                assert_eq!(code(ended), JetErr::NotInTransaction);
            }
            JetMove(ses, cur, JET_MoveFirst, 0).unwrap();
        }
    }
    provide_callback(&sums.name, Some(adding(&sums.told))).unwrap();
    assert_eq!(sums.get(1, 0), Some(12));
}

/// Default of every type in record encoding.
const DEFAULTS: [(u32, u32, &[u8]); 20] = [
    (JET_coltypBit, 0, &[0xff]),
    (JET_coltypUnsignedByte, 0, &[1]),
    (JET_coltypShort, 0, &[1, 2]),
    (JET_coltypLong, 0, &[1, 2, 3, 4]),
    (JET_coltypCurrency, 0, &[1, 2, 3, 4, 5, 6, 7, 8]),
    (JET_coltypIEEESingle, 0, &[0, 0, 0x80, 0x3f]),
    (JET_coltypIEEEDouble, 0, &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
    (JET_coltypDateTime, 0, &[8, 7, 6, 5, 4, 3, 2, 1]),
    (JET_coltypBinary, 0, b"binary"),
    (JET_coltypText, 0, b"text"),
    (JET_coltypLongBinary, 0, b"long binary"),
    (JET_coltypLongText, 0, b"long text"),
    (JET_coltypUnsignedLong, 0, &[9, 8, 7, 6]),
    (JET_coltypLongLong, 0, &[8; 8]),
    (JET_coltypGUID, 0, &[3; 16]),
    (JET_coltypUnsignedShort, 0, &[5, 6]),
    (JET_coltypUnsignedLongLong, 0, &[4; 8]),
    (JET_coltypLong, TAGGED, &[1, 2, 3, 4]),
    (JET_coltypText, TAGGED, b"tagged"),
    (JET_coltypText, JET_bitColumnFixed, b"fixed"),
];

#[test]
fn s11_05_columns_of_every_type_have_defaults_in_new_rows_and_old() {
    let _mode = multi();
    let live = Live::new();
    let mut table = JET_TABLECREATE {
        szTableName: "defaults".into(),
        rgcolumncreate: vec![column("id", JET_coltypLong, 0, &[])],
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
    JetCloseTable(live.sesid, table.tableid).unwrap();
    let (ses, cur) = (live.sesid, JetOpenTable(live.sesid, live.dbid, "defaults", 0).unwrap());
    let insert = || {
        JetPrepareUpdate(ses, cur, JET_prepInsert).unwrap();
        JetUpdate(ses, cur).unwrap();
    };
    insert();
    let add = |at: usize, (coltyp, grbit, default): (u32, u32, &[u8])| {
        let most = if grbit == JET_bitColumnFixed { 5 } else { 0 };
        let def = JET_COLUMNDEF { coltyp, grbit, cbMax: most, ..JET_COLUMNDEF::default() };
        JetAddColumn(ses, cur, &format!("c{at}"), &def, default)
    };
    let ids: Vec<u32> =
        DEFAULTS.iter().enumerate().map(|(at, kind)| add(at, *kind).unwrap()).collect();
    insert();
    let mut rows = 0;
    let mut at = JetMove(ses, cur, JET_MoveFirst, 0);
    while at.is_ok() {
        for (id, (coltyp, _, default)) in ids.iter().zip(DEFAULTS) {
            let read = JetRetrieveColumn(ses, cur, *id, 0, None).unwrap();
            assert_eq!(read.as_deref(), Some(default), "type {coltyp} in row {rows}");
        }
        rows += 1;
        at = JetMove(ses, cur, JET_MoveNext, 0);
    }
    assert_eq!(rows, 2);
}

#[test]
fn s11_05_a_default_that_is_too_long_is_refused() {
    let _mode = multi();
    let live = Live::new();
    let cur = JetOpenTable(live.sesid, live.dbid, "t", 0).unwrap();
    let too_big = JetErr::DefaultValueTooBig;
    for (coltyp, grbit, most, len, expected) in [
        (JET_coltypText, 0, 10, 11, too_big),
        (JET_coltypText, TAGGED, 10, 11, too_big),
        (JET_coltypBinary, 0, 0, 256, too_big),
        (JET_coltypLongBinary, 0, 0, 256, too_big),
        (JET_coltypLongText, 0, 20, 21, too_big),
        (JET_coltypLong, 0, 0, 5, too_big),
        (JET_coltypBinary, JET_bitColumnFixed, 4, 5, too_big),
        (JET_coltypLong, 0, 0, 3, JetErr::InvalidBufferSize),
        (JET_coltypLong, TAGGED, 0, 3, JetErr::InvalidBufferSize),
        (JET_coltypGUID, 0, 0, 15, JetErr::InvalidBufferSize),
    ] {
        let def = JET_COLUMNDEF { coltyp, grbit, cbMax: most, ..JET_COLUMNDEF::default() };
        let added = JetAddColumn(live.sesid, cur, "x", &def, &vec![b'x'; len]);
        assert_eq!(code(added), expected, "{coltyp} {grbit:#x} {most} {len}");
    }
    let def = JET_COLUMNDEF { coltyp: JET_coltypText, cbMax: 10, ..JET_COLUMNDEF::default() };
    JetAddColumn(live.sesid, cur, "x", &def, b"0123456789").unwrap();
    let set = |len| {
        let value = vec![b'y'; len];
        JetSetColumnDefaultValue(live.sesid, live.dbid, "t", "x", &value, 0)
    };
    assert_eq!(code(set(11)), too_big);
    set(10).unwrap();
}
