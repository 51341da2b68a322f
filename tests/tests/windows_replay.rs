//! Windows' own logs, replayed by our redo, give the pages that Windows wrote.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test of real files"
)]

use std::{collections::HashMap, path::Path, sync::Arc};

use ese_base::{DbTime, Dbid, LgPos, LogTime, ObjId, PageSize, Pgno, Signature};
use ese_engine::{
    database::Database,
    op::Undone,
    redo::{redo_macro, redo_page_record},
};
use ese_log::{LogNames, LogStream, Record};
use ese_os::{Env, OpenMode};
use ese_pages::{
    Access, CacheOptions, DbFile, DbHeader, PageCache, PageRef, checksum, header::NewHeader,
};
use ese_tests::windows::{page_meaning, pages_of};

const SIZE: PageSize = PageSize::K4;

/// A database of these pages, as a crash could have left it.
fn database(path: &Path, pages: &[Option<Vec<u8>>]) -> Database {
    let env = Env::real();
    let sign_db = Signature::new(1, LogTime::from_unix_ms(0));
    let header = DbHeader::new(NewHeader { page_size: SIZE, sign_db, sign_log: Signature::NULL });
    let last = Pgno(u32::try_from(pages.len()).expect("a small file"));
    drop(DbFile::create(&env, path, header, last).expect("the target folder can be written"));
    let file = env.fs.open(path, OpenMode::ReadWrite).expect("it was just made");
    for (page, pgno) in pages.iter().zip(1..) {
        if let Some(page) = page {
            let mut page = page.clone();
            checksum::stamp(&mut page, Pgno(pgno));
            file.write_at(&page, SIZE.offset_of(Pgno(pgno))).expect("it can be written");
        }
    }
    drop(file);
    let file = DbFile::open(&env, path, Access::ReadWrite).expect("it was just made");
    let file = Arc::new(file);
    let options = CacheOptions::for_memory(64 << 20, SIZE);
    let cache = PageCache::new(Arc::clone(&file), options).expect("it can be mapped");
    Database::new(Dbid(1), file, cache, None, DbTime::FIRST, ObjId(0))
}

/// Replays a folder's logs from their first generation on; gives the number of split groups.
fn replay(db: &Database, logs: &Path) -> usize {
    let stream = LogStream::scan(&Env::real(), &LogNames::new(logs, "SRU")).expect("real logs");
    let oldest = stream.oldest().expect("real logs");
    let mut reader = stream.reader(LgPos::new(oldest.0, 0, 0)).expect("real logs");
    let mut open: HashMap<u16, Vec<(LgPos, LgPos, Vec<u8>)>> = HashMap::new();
    let mut before: HashMap<u32, Vec<u8>> = HashMap::new();
    let mut groups = 0;
    while let Some(entry) = reader.next().expect("real logs") {
        let (pos, end) = (entry.pos, entry.end);
        match entry.record {
            Record::MacroBegin(r) => drop(open.insert(r.procid.0, Vec::new())),
            Record::MacroAbort(r) => drop(open.remove(&r.procid.0)),
            Record::MacroCommit(r) => {
                let group = open.remove(&r.procid.0).expect("a group begins before it commits");
                let group: Vec<_> = group
                    .iter()
                    .map(|(pos, end, bytes)| (*pos, *end, Record::decode(bytes).expect("encoded")))
                    .collect();
                redo_macro(db, &group).expect("the group applies");
                groups += 1;
            }
            Record::ExtendDb(r) => db.file.grow(r.last).expect("the file can grow"),
            Record::UndoInfo(r) => drop(before.insert(r.node.rceid.0, r.data.to_vec())),
            record => {
                let Some(head) = record.page_head() else { continue };
                if let Some(group) = open.get_mut(&head.procid.0) {
                    let mut bytes = Vec::new();
                    record.encode(&mut bytes).expect("a decoded record can be encoded");
                    group.push((pos, end, bytes));
                    continue;
                }
                let image = match record {
                    Record::Undo(r) => {
                        before.get(&r.node.rceid.0).map(|image| Undone::Before(image))
                    }
                    _ => None,
                };
                let image = image.unwrap_or(Undone::Nothing);
                let done = redo_page_record(db, &record, pos, end, image);
                done.unwrap_or_else(|error| panic!("{pos} {}: {error:?}", record.describe()));
            }
        }
    }
    groups
}

fn compare(db: &Database, windows: &[Option<Vec<u8>>], what: &str) {
    for (page, pgno) in windows.iter().zip(1..) {
        match (db.cache.read(Pgno(pgno)), page) {
            (Ok(ours), Some(page)) => {
                let theirs = page_meaning(PageRef::new(page, SIZE));
                assert_eq!(page_meaning(ours.page()), theirs, "{what}: page {pgno}");
            }
            (Err(_), None) => {}
            (ours, _) => panic!("{what}: page {pgno}: {:?}", ours.map(|guard| guard.pgno())),
        }
    }
}

/// The logs of a whole life, beside the database that Windows left.
fn history(test: &str) -> Option<(tempfile::TempDir, Vec<Option<Vec<u8>>>)> {
    let from = ese_tests::real_data(test)?.join("recovery/srum-server2022/merged");
    let scratch = ese_tests::scratch();
    for entry in std::fs::read_dir(&from).expect("the real folder can be read") {
        let path = entry.expect("the real folder can be read").path();
        let name = path.file_name().expect("a file");
        if path.extension().is_some_and(|ending| ending == "log") {
            std::fs::copy(&path, scratch.path().join(name)).expect("it can be copied");
        }
    }
    Some((scratch, pages_of(&from.join("SRUDB.dat"), SIZE)))
}

#[test]
fn the_logs_of_a_whole_life_give_every_page_that_windows_left() {
    let Some((scratch, windows)) = history("windows_replay") else { return };
    let db = database(&scratch.path().join("ours.edb"), &vec![None; 30]);
    let groups = replay(&db, scratch.path());
    assert!(groups >= 20, "{groups} split groups");
    compare(&db, &windows, "from nothing");
}

#[test]
fn pages_that_windows_wrote_early_are_taken_up_by_replay() {
    let Some((scratch, windows)) = history("windows_replay") else { return };
    // Any page may have been written at the end or never: new pages of splits must then come from
    // Windows' compressed images.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..40 {
        let pages: Vec<_> = windows
            .iter()
            .map(|page| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                page.clone().filter(|_| random >> 40 & 1 == 0)
            })
            .collect();
        let db = database(&scratch.path().join(format!("mixture{round}.edb")), &pages);
        replay(&db, scratch.path());
        compare(&db, &windows, &format!("mixture {round}"));
    }
}
