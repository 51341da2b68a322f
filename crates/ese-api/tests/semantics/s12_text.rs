//! Section 12.13, and what it means for 7: keys of UTF-16 text.

use crate::{jet_setup::set, pets::*};

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A table of numbers and UTF-16 text with these indexes.
struct Words {
    live: Live,
    cur: JET_TABLEID,
    id: u32,
    text: u32,
}

fn index(name: &str, grbit: u32, order: Option<(Option<&str>, u32)>) -> JET_INDEXCREATE {
    JET_INDEXCREATE {
        szIndexName: name.into(),
        szKey: "+text\0\0".into(),
        grbit: grbit | if order.is_some() { JET_bitIndexUnicode } else { 0 },
        pidxunicode: order.map(|(locale, flags)| JET_UNICODEINDEX2 {
            szLocaleName: locale.map(str::to_owned),
            dwMapFlags: flags,
        }),
        ..JET_INDEXCREATE::default()
    }
}

fn words(configure: impl FnOnce(JET_INSTANCE)) -> Words {
    let live = Live::with(configure);
    let column = |name: &str, coltyp, cp| JET_COLUMNCREATE {
        szColumnName: name.into(),
        coltyp,
        cp,
        ..JET_COLUMNCREATE::default()
    };
    let mut table = JET_TABLECREATE {
        szTableName: "words".into(),
        rgcolumncreate: vec![column("id", JET_coltypLong, 0), column("text", JET_coltypText, 1200)],
        rgindexcreate: vec![index("plain", 0, None)],
        ..JET_TABLECREATE::default()
    };
    JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
    let ids: Vec<u32> = table.rgcolumncreate.iter().map(|column| column.columnid).collect();
    Words { cur: table.tableid, id: ids[0], text: ids[1], live }
}

impl Words {
    fn insert(&self, id: i32, text: &str) -> Result<Vec<u8>> {
        let (ses, cur) = (self.live.sesid, self.cur);
        JetPrepareUpdate(ses, cur, JET_prepInsert)?;
        JetSetColumn(ses, cur, self.id, Some(&id.to_le_bytes()), 0, None)?;
        JetSetColumn(ses, cur, self.text, Some(&utf16(text)), 0, None)?;
        JetUpdate(ses, cur)
    }

    fn create(&self, index: JET_INDEXCREATE) -> Result<()> {
        JetCreateIndex2(self.live.sesid, self.cur, &mut [index])
    }

    fn info(&self, name: &str) -> JET_INDEXINFO {
        JetGetTableIndexInfo(self.live.sesid, self.cur, Some(name)).unwrap().remove(0)
    }

    fn key(&self, text: &str, grbit: u32) {
        JetMakeKey(self.live.sesid, self.cur, Some(&utf16(text)), JET_bitNewKey | grbit).unwrap();
    }

    fn at(&self) -> Result<i32> {
        id_at(self.live.sesid, self.cur, self.id)
    }

    /// The ids from the current row on.
    fn rest(&self) -> Vec<i32> {
        let mut ids = Vec::new();
        while let Ok(id) = self.at() {
            ids.push(id);
            if JetMove(self.live.sesid, self.cur, JET_MoveNext, 0).is_err() {
                break;
            }
        }
        ids
    }

    fn by(&self, index: &str) -> Vec<i32> {
        JetSetCurrentIndex(self.live.sesid, self.cur, Some(index)).unwrap();
        self.rest()
    }
}

/// The reference page of JET_INDEXCREATE has the instance's default for an index without a locale.
/// The engine's source writes the version of the sort order with the index and the locale table,
/// and an index of another version is not used before it is rebuilt or deleted: our versions are
/// our own.
#[test]
fn s12_13_text_sorts_by_the_locale_of_its_index_or_the_default_of_the_instance() {
    let _mode = multi();
    let words = words(|inst| {
        let put = |flags, locale| {
            let id = JET_paramUnicodeIndexDefault;
            JetSetSystemParameter(Some(inst), JET_SESID::NIL, id, flags, Some(locale))
        };
        assert_eq!(code(put(0, "tlh-QO")), JetErr::InvalidLanguageId);
        assert_eq!(code(put(0x40_0400, "sv-SE")), JetErr::InvalidLCMapStringFlags);
        put(0, "SV-se").unwrap();
        let got = JetGetSystemParameter(Some(inst), JET_SESID::NIL, JET_paramUnicodeIndexDefault);
        let swedish = Some("SV-se".to_owned());
        let swedish = JET_UNICODEINDEX2 { szLocaleName: swedish, dwMapFlags: 0x3_0401 };
        assert_eq!(swedish.lcid(), 0x41d);
        assert_eq!(got.unwrap(), JET_PARAM::Unicode(swedish));
        set(inst, JET_paramLogFileSize, 64);
    });
    for (id, text) in [(1, "zebra"), (2, "\u{f6}l"), (3, "ofen"), (4, "Ofen"), (5, "apfel")] {
        words.insert(id, text).unwrap();
    }
    words.create(index("german", 0, Some((Some("de-DE"), 0)))).unwrap();
    words.create(index("own flags", 0, Some((None, 0x1)))).unwrap();
    words.create(JET_INDEXCREATE { lcid: 0x409, ..index("number", 0, None) }).unwrap();
    let order = JET_UNICODEINDEX { lcid: 0x7f, dwMapFlags: 0x400 }.named().unwrap();
    assert_eq!(order.szLocaleName.as_deref(), Some(""));
    words
        .create(JET_INDEXCREATE {
            pidxunicode: Some(order),
            ..index("invariant", JET_bitIndexUnique, Some((None, 0)))
        })
        .unwrap();
    assert_eq!(words.by("plain"), [5, 3, 4, 1, 2]);
    assert_eq!(words.by("german"), [5, 3, 4, 2, 1]);
    assert_eq!(words.by("own flags"), [5, 3, 4, 1, 2]);
    assert_eq!(words.by("number"), [5, 3, 4, 2, 1]);
    assert_eq!(words.by("invariant"), [5, 3, 4, 2, 1]);
    for (name, locale, lcid, flags) in [
        ("plain", "SV-se", 0x41d, 0x3_0401),
        ("german", "de-DE", 0x407, 0x3_0401),
        ("own flags", "SV-se", 0x41d, 0x401),
        ("number", "en-US", 0x409, 0x3_0401),
        ("invariant", "", 0x7f, 0x400),
    ] {
        let info = words.info(name);
        let named = (info.szLocaleName.as_deref(), info.lcid, info.dwMapFlags);
        assert_eq!(named, (Some(locale), lcid, flags), "{name}");
        assert_eq!(info.grbit & JET_bitIndexUnicode, 0, "{name}");
        // What makes it again says the order in any case.
        let made = (info.create.grbit & JET_bitIndexUnicode, info.create.pidxunicode.unwrap());
        assert_eq!(made.0, JET_bitIndexUnicode, "{name}");
        assert_eq!((made.1.szLocaleName.as_deref(), made.1.dwMapFlags), (Some(locale), flags));
        // Windows must not take our keys for its own.
        assert_eq!((info.sortid.unwrap().len(), info.qwSortVersion), (16, Some(1)));
        assert!(!info.fForeignOrder);
    }
}

#[test]
fn s12_13_an_order_that_there_is_not_is_refused_and_leaves_no_trace() {
    let _mode = multi();
    let words = words(|_| ());
    for (order, expected) in [
        ((Some("xx-XX"), 0), JetErr::InvalidLanguageId),
        ((Some("en-US"), 0x100), JetErr::InvalidLCMapStringFlags),
        ((None, 0x8000_0000), JetErr::InvalidLCMapStringFlags),
    ] {
        assert_eq!(code(words.create(index("new", 0, Some(order)))), expected, "{order:?}");
    }
    let unknown = JET_INDEXCREATE { lcid: 0xfffe, ..index("new", 0, None) };
    assert_eq!(code(words.create(unknown)), JetErr::InvalidLanguageId);
    let nothing = JET_INDEXCREATE { pidxunicode: None, ..index("new", 0, Some((None, 0))) };
    assert_eq!(code(words.create(nothing)), JetErr::InvalidParameter);
    assert_eq!(JetGetTableIndexInfo(words.live.sesid, words.cur, None).unwrap().len(), 1);
}

#[test]
fn s7_04_beginnings_of_text_end_before_the_end_of_the_sort_key() {
    let _mode = multi();
    let words = words(|_| ());
    let texts =
        ["car", "Cart", "c\u{e2}rte", "CAR\u{42f}", "cat", "ca", "carz\u{ffff}", "\u{4e2d}"];
    for (id, text) in (1..).zip(texts) {
        words.insert(id, text).unwrap();
    }
    let (ses, cur) = (words.live.sesid, words.cur);
    JetSetCurrentIndex(ses, cur, Some("plain")).unwrap();
    for (start, end) in
        [(JET_bitPartialColumnStartLimit, JET_bitPartialColumnEndLimit), (0, JET_bitSubStrLimit)]
    {
        words.key("car", start);
        JetSeek(ses, cur, JET_bitSeekGE).unwrap();
        words.key("car", end);
        JetSetIndexRange(ses, cur, JET_bitRangeUpperLimit).unwrap();
        assert_eq!(words.rest(), [1, 2, 3, 7, 4], "{start:#x}");
    }
    words.key("CART", 0);
    JetSeek(ses, cur, JET_bitSeekEQ).unwrap();
    assert_eq!(words.at().unwrap(), 2);
    words.key("carts", 0);
    assert_eq!(JetSeek(ses, cur, JET_bitSeekGE).unwrap(), JetErr::WrnSeekNotEqual);
}

#[test]
fn s12_13_a_unique_index_takes_what_its_order_ignores_for_equal() {
    let _mode = multi();
    let words = words(|_| ());
    let unique = JET_bitIndexUnique;
    words.create(index("case", unique, Some((None, 0x3_0401)))).unwrap();
    words.insert(1, "stra\u{df}e").unwrap();
    assert_eq!(code(words.insert(2, "Stra\u{df}E")), JetErr::KeyDuplicate);
    JetPrepareUpdate(words.live.sesid, words.cur, JET_prepCancel).unwrap();
    JetDeleteIndex(words.live.sesid, words.cur, "case").unwrap();
    words.create(index("case", unique, Some((None, 0x400)))).unwrap();
    words.insert(2, "Stra\u{df}E").unwrap();
    let accents = index("accents", unique, Some((None, 0x3_0403)));
    words.insert(3, "Stra\u{df}\u{e9}").unwrap();
    assert_eq!(code(words.create(accents)), JetErr::KeyDuplicate);
}

/// The reference page of JetAttachDatabase: an index over Unicode text is removed whatever its
/// state is, or because its keys are another version's; a table's own order cannot be.
#[test]
fn s12_13_indexes_over_text_are_removed_when_the_database_is_attached() {
    let _mode = multi();
    let words = words(|_| ());
    words.insert(1, "one").unwrap();
    let (ses, dbid, path) = (words.live.sesid, words.live.dbid, words.live.path());
    let path = path.to_str().unwrap();
    JetCreateIndex(ses, words.cur, "id", 0, "+id\0\0", 0).unwrap();
    let mut own = JET_TABLECREATE {
        szTableName: "own order".into(),
        rgcolumncreate: vec![JET_COLUMNCREATE {
            szColumnName: "text".into(),
            coltyp: JET_coltypText,
            cp: 1200,
            ..JET_COLUMNCREATE::default()
        }],
        rgindexcreate: vec![index("pk", JET_bitIndexPrimary, None)],
        ..JET_TABLECREATE::default()
    };
    let again = |grbit| {
        JetCloseTable(ses, words.live.tableid).ok();
        JetCloseDatabase(ses, dbid, 0).ok();
        JetDetachDatabase(ses, path).ok();
        JetAttachDatabase(ses, path, grbit)
    };
    let names = || {
        JetOpenDatabase(ses, path, 0).unwrap();
        let indexes = JetGetIndexInfo(ses, dbid, "words", None).unwrap();
        indexes.into_iter().map(|index| index.szIndexName).collect::<Vec<_>>()
    };
    JetCloseTable(ses, words.cur).unwrap();
    assert_eq!(again(JET_bitDbDeleteCorruptIndexes).unwrap(), JetErr::Success);
    assert_eq!(names(), ["plain", "id"], "ours are not another version's");
    JetCreateTableColumnIndex(ses, dbid, &mut own).unwrap();
    JetCloseTable(ses, own.tableid).unwrap();
    let refused = again(JET_bitDbDeleteUnicodeIndexes);
    assert_eq!(code(refused), JetErr::PrimaryIndexCorrupted);
    assert_eq!(code(JetOpenDatabase(ses, path, 0)), JetErr::DatabaseNotFound, "not attached");
    assert_eq!(again(0).unwrap(), JetErr::Success);
    assert_eq!(names(), ["plain", "id"], "nothing was removed");
    JetDeleteTable(ses, dbid, "own order").unwrap();
    let removed = again(JET_bitDbDeleteUnicodeIndexes).unwrap();
    assert_eq!(removed, JetErr::WrnCorruptIndexDeleted);
    assert_eq!(names(), ["id"]);
    assert_eq!(again(JET_bitDbDeleteUnicodeIndexes).unwrap(), JetErr::Success, "none is left");
}
