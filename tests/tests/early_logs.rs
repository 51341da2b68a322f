//! Logs of format 7.3704: the records of a stream that Windows wrote in the newer format, laid down
//! in the older one, are read as they were; damage is told from a torn end.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test of real files"
)]

use std::{fs, path::Path};

use ese_api::{CopyRequest, StopToken, recover_into};
use ese_base::{
    DbTime, Dbid, Generation, Iline, JetErr, LgPos, LogTime, ObjId, PageSize, Pgno, ProcId, RceId,
    Signature, TrxId,
};
use ese_engine::reader::OfflineDatabase;
use ese_log::{
    DbmsParam, LogFile, LogHeader, LogNames, LogStream, LogVersion, StreamReader,
    layout::HeaderFlags,
    records::{
        CreateDb, CreateSingleExtentFdp, Init2, LoggedPath, MacroAbort, NodeHead, PageHead, Record,
        RecordFlags, Replace, RunEnd, ShutDownMark, Term2, Trace,
    },
};
use ese_os::Env;
use ese_tests::early::EarlyLog;

fn header(generation: u32) -> LogHeader {
    LogHeader {
        generation: Generation(generation),
        sector_len: 512,
        header_sectors: 8,
        sectors: 128,
        page_size: PageSize::K4,
        created: LogTime::from_unix_ms(1000 * u64::from(generation)),
        previous_created: LogTime::from_unix_ms(1000 * u64::from(generation - 1)),
        version: LogVersion { major: 7, minor: 3704, update_major: 15, update_minor: 0 },
        signature: Signature::new(7, LogTime::from_unix_ms(5)),
        params: DbmsParam::zeroed(),
        flags: HeaderFlags::empty(),
        checkpoint: LgPos::MIN,
        previous_checksum: 0,
        engine_format: 0,
        attachments: Vec::new(),
    }
}

/// All records of a file, as the log holds them.
fn records(path: &Path) -> ese_base::Result<Vec<Vec<u8>>> {
    let env = Env::real();
    let file = LogFile::read(&env, path.to_path_buf())?;
    let mut reader = StreamReader::of_file(&env, &file);
    let mut all = Vec::new();
    while let Some(entry) = reader.next()? {
        let mut bytes = Vec::new();
        entry.record.encode(&mut bytes)?;
        all.push(bytes);
    }
    Ok(all)
}

fn trace(number: u32, len: usize) -> Vec<u8> {
    let mut text = format!("{number}:").into_bytes();
    text.resize(text.len() + len, b'x');
    let mut bytes = Vec::new();
    Record::Trace(Trace { procid: ProcId(1), text: &text, rollover: false })
        .encode(&mut bytes)
        .unwrap();
    bytes
}

#[test]
fn records_of_windows_are_read_from_the_older_framing_as_they_were() {
    let test = "records_of_windows_are_read_from_the_older_framing_as_they_were";
    let Some(data) = ese_tests::real_data(test) else { return };
    let scratch = ese_tests::scratch();
    for sector in [512, 4096] {
        for name in ["SRU00001.log", "SRU00002.log", "SRU00004.log", "SRU.log"] {
            let newer = data.join("recovery/srum-server2022/merged").join(name);
            let expected = records(&newer).unwrap();
            let like = LogFile::read(&Env::real(), newer).unwrap().header().unwrap().clone();
            let len: usize = expected.iter().map(|record| record.len() + 22).sum();
            let sectors = u16::try_from(len / usize::from(sector) + 40).unwrap();
            let mut log = EarlyLog::new(&like, sector, sectors);
            for (number, record) in expected.iter().enumerate() {
                log.raw(record);
                // Ranges of all lengths, each as soon as it can end.
                if log.may_end_range() && number % 7 < 3 {
                    log.end_range();
                }
            }
            let path = scratch.path().join(format!("{sector}-{name}"));
            fs::write(&path, log.finish()).unwrap();
            let read = records(&path).unwrap();
            assert_eq!(read.len(), expected.len(), "{name}");
            assert_eq!(read, expected, "{name}");
        }
    }
}

/// A file of some records in several ranges; the last one lies in one sector.
fn some_ranges() -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut log = EarlyLog::new(&header(3), 512, 128);
    let all: Vec<_> = (0..60).map(|number| trace(number, 70 + number as usize)).collect();
    for record in &all {
        if log.may_end_range() {
            log.end_range();
        }
        log.raw(record);
    }
    if log.may_end_range() {
        log.end_range();
    }
    log.raw(&trace(60, 5));
    let all = all.into_iter().chain([trace(60, 5)]).collect();
    (all, log.finish())
}

#[test]
fn a_flipped_bit_never_gives_other_records() {
    let (expected, bytes) = some_ranges();
    let scratch = ese_tests::scratch();
    let path = scratch.path().join("edb00003.log");
    fs::write(&path, &bytes).unwrap();
    assert_eq!(records(&path).unwrap(), expected);
    let (mut refused, mut short) = (0, 0);
    for bit in (4096 * 8..bytes.len() * 8).step_by(211) {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &damaged).unwrap();
        match records(&path) {
            Ok(read) => {
                assert!(expected.starts_with(&read), "bit {bit}");
                short += usize::from(read.len() < expected.len());
            }
            Err(error) => {
                assert_eq!(error.code(), JetErr::LogFileCorrupt, "bit {bit}: {error}");
                assert_eq!(error.generation(), Some(Generation(3)), "bit {bit}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 30, "{refused} refused, {short} short");
}

#[test]
fn a_torn_last_range_is_read_from_its_second_copy() {
    let (expected, mut bytes) = some_ranges();
    let scratch = ese_tests::scratch();
    let path = scratch.path().join("edb.log");
    // The last range's record says that nothing follows.
    let last = (4096..bytes.len() - 22)
        .filter(|&at| bytes[at] == 42 && bytes[at + 9..at + 13] == [0; 4] && bytes[at + 21] == 0xd1)
        .min()
        .unwrap();
    bytes[last + 22] ^= 0xff;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(records(&path).unwrap(), expected);
}

#[test]
fn what_a_crash_left_unfinished_is_passed_over() {
    let mut log = EarlyLog::new(&header(1), 512, 64);
    let begun: Vec<_> = (0..8).map(|number| trace(number, 100)).collect();
    for record in &begun {
        log.raw(record);
    }
    // The last of them runs over the border, and its end was never written.
    assert!(log.position().1 > 30);
    log.crash_and_go_on(30);
    let abort = Record::MacroAbort(MacroAbort { procid: ProcId(2), dbtime: DbTime(9) });
    log.record(&abort);
    let scratch = ese_tests::scratch();
    let path = scratch.path().join("edb.log");
    fs::write(&path, log.finish()).unwrap();
    let read = records(&path).unwrap();
    let mut last = Vec::new();
    abort.encode(&mut last).unwrap();
    assert_eq!(read.last(), Some(&last));
    let before = &read[..read.len() - 1];
    assert!(begun.starts_with(before) && before.len() < begun.len(), "{}", before.len());
}

#[test]
fn a_finished_generation_must_be_whole_and_the_last_one_may_be_torn() {
    let scratch = ese_tests::scratch();
    let (records, mut bytes) = some_ranges();
    fs::write(scratch.path().join("edb00003.log"), &bytes).unwrap();
    let mut last = EarlyLog::new(&header(4), 512, 128);
    last.raw(&trace(99, 3));
    fs::write(scratch.path().join("edb.log"), last.finish()).unwrap();
    let read = |dir: &Path| -> ese_base::Result<usize> {
        let stream = LogStream::scan(&Env::real(), &LogNames::new(dir, "edb"))?;
        let mut reader = stream.reader(LgPos::new(3, 0, 0))?;
        let mut count = 0;
        while reader.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    };
    assert_eq!(read(scratch.path()).unwrap(), records.len() + 1);
    let middle = 4096 + 5 * 512 + 200;
    bytes[middle] ^= 1;
    fs::write(scratch.path().join("edb00003.log"), &bytes).unwrap();
    let error = read(scratch.path()).unwrap_err();
    assert_eq!(error.code(), JetErr::LogFileCorrupt);
    assert_eq!(error.generation(), Some(Generation(3)));
}

/// What a page record starts with.
fn head(pgno: u32, dbtime: u64, dbtime_before: DbTime, flags: RecordFlags) -> PageHead {
    PageHead {
        procid: ProcId(1),
        dbid: Dbid(1),
        pgno: Pgno(pgno),
        dbtime: DbTime(dbtime),
        dbtime_before,
        trx_begin0: TrxId(0),
        level: 0,
        iline: Iline(0),
        flags,
    }
}

/// The beginning of a life, as log-records 4 tells it: the pages that no record describes, then the
/// first two that one does.
fn first_log(path: &str) -> Vec<u8> {
    let mut header = header(1);
    header.previous_created = LogTime::NULL;
    let mut log = EarlyLog::new(&header, 512, 128);
    let (params, time) = (DbmsParam::zeroed(), Some(LogTime::from_unix_ms(1)));
    log.record(&Record::Init2(Init2 { params: &params, time }));
    let path = LoggedPath::encode(path);
    log.record(&Record::CreateDb(CreateDb {
        procid: ProcId(1),
        dbid: Dbid(1),
        grbit: 0,
        pages_max: 0,
        sign_db: Signature::new(99, LogTime::from_unix_ms(7)),
        flags: 0,
        version: Some((1, 0)),
        path: LoggedPath::wide(&path),
    }));
    let page = head(3, 205, DbTime(14), RecordFlags::UNIQUE | RecordFlags::SPACE);
    let node = NodeHead { page, rceid: RceId(0), pgno_fdp: Pgno(1), objid_fdp: ObjId(1) };
    let data = &222_u32.to_le_bytes();
    log.record(&Record::Replace(Replace { node, old_len: 4, data }));
    log.record(&Record::CreateSingleExtentFdp(CreateSingleExtentFdp {
        page: head(33, 207, DbTime::NOT_CHECKED, RecordFlags::UNIQUE),
        objid: ObjId(6),
        pgno_fdp_parent: Pgno(1),
        primary_pages: 2,
        page_flags: 0,
    }));
    log.record(&Record::ShutDownMark(ShutDownMark {}));
    let (started, redo_from) = (LgPos::new(1, 8, 22), LgPos::MIN);
    log.record(&Record::Term2(Term2(RunEnd { started, redo_from, hard: 0, time })));
    log.finish()
}

#[test]
fn a_database_that_an_early_log_creates_begins_as_its_engine_made_it() {
    let scratch = ese_tests::scratch();
    let (logs, out) = (scratch.path().join("logs"), scratch.path().join("out"));
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("edb.log"), first_log("C:\\data\\early.edb")).unwrap();
    let request =
        CopyRequest { logs: vec![logs.clone()], out, from_logs: true, ..CopyRequest::default() };
    let env = Env::real();
    let done = recover_into(&env, &request, &mut |_| (), &StopToken::new()).unwrap().databases;
    let report = done[0].outcome.as_ref().unwrap();
    assert_eq!(report.recovery.applied, 2, "{report:?}");
    assert!(done[0].target.ends_with("early.edb"));
    let database = OfflineDatabase::open(&env, &done[0].target).unwrap();
    assert_is_the_early_base(&database);
    // Recovery in place would write on this log: it is refused, and nothing is changed.
    fs::write(logs.join("early.edb"), fs::read(&done[0].target).unwrap()).unwrap();
    let refused = ese_api::recover(&logs).unwrap_err();
    assert_eq!(refused.code(), JetErr::BadLogVersion);
    assert!(refused.advice().unwrap().contains("--out"), "{refused}");
}

/// The state that log-records 4 gives, and what the first two records did to it.
fn assert_is_the_early_base(database: &OfflineDatabase) {
    let header = database.header();
    assert_eq!((header.update_major.get(), header.create_update_major.get()), (0x11, 0x11));
    assert_eq!(header.sort_version.get(), 0x0006_0101_0006_0101);
    for (pgno, dbtime) in [
        (1, 6),
        (2, 6),
        (3, 205),
        (4, 202),
        (5, 13),
        (6, 28),
        (7, 203),
        (8, 27),
        (9, 27),
        (10, 115),
        (11, 34),
        (12, 34),
        (24, 204),
        (25, 20),
        (26, 20),
        (33, 207),
    ] {
        let page = database.cache().read(Pgno(pgno)).unwrap();
        assert_eq!(page.page().dbtime(), DbTime(dbtime), "page {pgno}");
    }
    let extent = |pgno: u32| {
        let page = database.cache().read(Pgno(pgno)).unwrap();
        let node = page.page().node(0);
        let number = |bytes: &[u8]| bytes.try_into().unwrap_or([0xff; 4]);
        (u32::from_be_bytes(number(&node.key_to_vec())), u32::from_le_bytes(number(node.data)))
    };
    for (pgno, last, count) in [
        (2, 256, 256),
        (3, 256, 222),
        (5, 23, 20),
        (6, 23, 11),
        (8, 9, 3),
        (11, 12, 3),
        (25, 32, 9),
        (26, 32, 6),
    ] {
        assert_eq!(extent(pgno), (last, count), "page {pgno}");
    }
    let names: Vec<_> = database.tables().iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["MSysObjects", "MSysObjectsShadow"]);
    let nodes = |pgno: u32| database.cache().read(Pgno(pgno)).unwrap().page().node_count();
    assert_eq!([4, 24, 7, 10].map(nodes), [56, 56, 56, 2]);
    let example = "0a842700020000000300020000000400000050000000310001000904000000";
    let catalog = database.cache().read(Pgno(4)).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let begin = &example[..60];
    let found = catalog.page().nodes().filter(|node| hex(node.data).starts_with(begin)).count();
    assert!(found >= 1, "no row of the index Id of MSysObjects");
}
