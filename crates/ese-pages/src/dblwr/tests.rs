use ese_base::{LgPos, LogTime};
use ese_sim::{Recording, StateOptions};

use super::*;
use crate::{
    Access, CacheMode, CacheOptions, DbState, FlushGoal, NoLog, PageCache,
    test_db::{TestDb, cache, change, create, flush_all, options, read, signature, value_of},
};

const PAGE: u64 = 4096;

/// Pages 1 to 6 hold 1; then pages 2, 3 and 5 hold 2, which was the last batch. The database was
/// not closed.
fn crashed() -> TestDb {
    let (db, file) = TestDb::real(PageSize::K4, 8);
    let cache = cache(&file, CacheMode::Mapped);
    for pgno in 1..=6 {
        create(&cache, pgno, 1);
    }
    flush_all(&cache);
    for pgno in [2, 3, 5] {
        change(&cache, pgno, 2).unwrap();
    }
    flush_all(&cache);
    db
}

fn tear(db: &TestDb, pgno: u32) {
    db.overwrite(&db.path, PageSize::K4.offset_of(Pgno(pgno)) + 1024, &[0x5a; 3072]);
}

fn values(db: &TestDb) -> Vec<Option<u64>> {
    let file = db.open();
    let cache = cache(&file, CacheMode::Copy);
    (1..=6)
        .map(|pgno| cache.read(Pgno(pgno)).ok().map(|page| value_of(page.page(), Pgno(pgno))))
        .collect()
}

const WHOLE: [Option<u64>; 6] = [Some(1), Some(2), Some(2), Some(1), Some(2), Some(1)];

#[test]
fn torn_pages_of_the_last_batch_are_restored_at_open() {
    let db = crashed();
    tear(&db, 2);
    tear(&db, 5);
    // The header of page 3 is gone, not all of it: that is no blank page.
    db.overwrite(&db.path, PageSize::K4.offset_of(Pgno(3)), &[0; 512]);
    let file = db.open();
    assert_eq!(file.restored_pages(), [Pgno(2), Pgno(3), Pgno(5)]);
    drop(file);
    assert_eq!(values(&db), WHOLE);
    assert_eq!(db.open().restored_pages(), [], "they are in the file now");
}

#[test]
fn a_newer_page_is_left_alone_and_an_older_or_blank_one_gets_its_copy() {
    let db = crashed();
    let mut other = vec![0; 4096];
    db.open().read_page_raw(Pgno(1), &mut other).unwrap();
    // Whole, with another content: a checksum does not tell a torn page of regular content.
    checksum::stamp(&mut other, Pgno(2));
    db.overwrite(&db.path, PageSize::K4.offset_of(Pgno(2)), &other);
    db.overwrite(&db.path, PageSize::K4.offset_of(Pgno(3)), &[0; 4096]);
    crate::PageMut::new(&mut other, PageSize::K4).set_dbtime(ese_base::DbTime(1 << 40));
    checksum::stamp(&mut other, Pgno(5));
    db.overwrite(&db.path, PageSize::K4.offset_of(Pgno(5)), &other);
    assert_eq!(db.open().restored_pages(), [Pgno(2), Pgno(3)]);
}

#[test]
fn pages_of_earlier_batches_cannot_be_restored() {
    let db = crashed();
    tear(&db, 6);
    assert_eq!(values(&db), [Some(1), Some(2), Some(2), Some(1), Some(2), None]);
}

#[test]
fn a_torn_side_file_is_ignored_wherever_it_is_torn() {
    for offset in [0, 8, 12, 24, 28, 32, 64, 80] {
        let db = crashed();
        tear(&db, 2);
        db.overwrite(&db.dwb(), offset, &[0xc3; 4]);
        assert_eq!(db.open().restored_pages(), [], "offset {offset}");
        assert_eq!(values(&db)[1], None);
    }
    for len in [0, 63, 4095, 4096 + 100] {
        let db = crashed();
        tear(&db, 2);
        db.env.fs.open(&db.dwb(), OpenMode::ReadWrite).unwrap().set_len(len).unwrap();
        assert_eq!(db.open().restored_pages(), [], "length {len}");
    }
    // One image is torn: the others serve.
    let db = crashed();
    tear(&db, 2);
    tear(&db, 3);
    db.overwrite(&db.dwb(), PAGE + 700, &[0xc3; 4]);
    assert_eq!(db.open().restored_pages(), [Pgno(3)]);
}

#[test]
fn a_side_file_that_cannot_be_read_does_not_keep_the_database_shut() {
    let (db, file) = TestDb::simulated(PageSize::K4, 8);
    let writer = cache(&file, CacheMode::Copy);
    create(&writer, 1, 1);
    flush_all(&writer);
    drop((writer, file));
    assert!(db.sim().make_unreadable(&db.dwb(), 0, 100));
    assert_eq!(db.open().restored_pages(), []);
}

#[test]
fn pages_are_not_restored_under_a_cache() {
    let db = crashed();
    let file = db.open();
    let cache = cache(&file, CacheMode::Mapped);
    assert_eq!(recover_double_write(&file).unwrap_err().code(), JetErr::InternalError);
    drop(cache);
    recover_double_write(&file).unwrap();
}

#[test]
fn the_side_file_of_another_database_is_ignored() {
    let db = crashed();
    tear(&db, 2);
    let file = db.open();
    assert_eq!(file.restored_pages(), [Pgno(2)]);
    file.update_header(|header| header.sign_db = signature(8)).unwrap();
    drop(file);
    tear(&db, 2);
    assert_eq!(db.open().restored_pages(), []);
}

#[test]
fn a_clean_database_needs_no_side_file() {
    let db = crashed();
    let file = db.open();
    file.update_header(|header| header.set_clean(LgPos::MIN, LogTime::NULL)).unwrap();
    drop(file);
    tear(&db, 2);
    let file = db.open();
    assert_eq!(file.restored_pages(), [], "a clean database has no torn pages: this is damage");
    file.remove_double_write().unwrap();
    file.remove_double_write().unwrap();
    assert!(!db.env.fs.exists(&db.dwb()).unwrap());
}

#[test]
fn nothing_is_restored_in_a_database_opened_for_reading() {
    let db = crashed();
    tear(&db, 2);
    let file = DbFile::open(&db.env, &db.path, Access::ReadOnly).unwrap();
    assert_eq!(file.restored_pages(), []);
    drop(file);
    assert_eq!(values(&db), WHOLE);
}

#[test]
fn a_batch_of_any_size_fits_its_file() {
    for pages in [1, 2, 500, 504, 505, 1024] {
        assert!(images_at(pages) >= 64 + 8 * pages && images_at(pages).is_multiple_of(4096));
        let (db, file) = TestDb::real(PageSize::K4, 1100);
        let options = CacheOptions {
            batch_pages: pages,
            dirty_pages_max: 2000,
            ..options(CacheMode::Mapped)
        };
        let cache = PageCache::new(file, options).unwrap();
        for pgno in 1..=1100 {
            create(&cache, pgno, 1);
        }
        if pages < 3 {
            continue; // the sizes are what is tested; a thousand syncs are not
        }
        let stats = cache.flush(FlushGoal::All, &NoLog).unwrap();
        assert_eq!((stats.pages, stats.batches), (1100, 1100_usize.div_ceil(pages)));
        drop(cache);
        tear(&db, 1100);
        assert_eq!(db.open().restored_pages(), [Pgno(1100)]);
    }
}

#[test]
fn on_a_nearly_full_disk_batches_are_as_large_as_what_fits() {
    let (db, file) = TestDb::simulated(PageSize::K4, 40);
    let options = CacheOptions {
        batch_pages: 32,
        dirty_pages_max: 100,
        pages_max: 100,
        ..options(CacheMode::Copy)
    };
    let cache = PageCache::new(file, options).unwrap();
    for pgno in 1..=40 {
        create(&cache, pgno, 1);
    }
    let front = images_at(32) as u64;
    db.sim().set_free_space(Some(front + PAGE - 1));
    let full = cache.flush(FlushGoal::All, &NoLog).unwrap_err();
    assert_eq!(full.code(), JetErr::DiskFull, "not a single page fits");
    // Half of a batch is more than there is, a quarter is not.
    db.sim().set_free_space(Some(front + 15 * PAGE));
    let stats = cache.flush(FlushGoal::All, &NoLog).unwrap();
    assert_eq!((stats.pages, stats.batches), (40, 5));
    assert_eq!(db.sim().free_space(), Some(7 * PAGE));
    drop(cache);
    tear(&db, 40);
    assert_eq!(db.open().restored_pages(), [Pgno(40)]);
}

/// Three rounds of changes, each flushed and then marked. Pages 7 and 8 only come with growth.
fn workload(double_write: bool) -> Recording {
    let (db, file) = TestDb::simulated(PageSize::K4, 6);
    let options = CacheOptions { double_write, ..options(CacheMode::Copy) };
    let cache = PageCache::new(Arc::clone(&file), options).unwrap();
    file.update_header(|header| header.set_state(DbState::DirtyShutdown)).unwrap();
    for pgno in 1..=6 {
        create(&cache, pgno, 1);
    }
    flush_all(&cache);
    db.sim().mark(1);
    db.sim().record(true);
    for round in 2..=4 {
        for pgno in 1..=6 {
            if u64::from(pgno) % round != 0 {
                change(&cache, pgno, round).unwrap();
            }
        }
        if round == 3 {
            file.grow(Pgno(8)).unwrap();
            create(&cache, 7, round);
            create(&cache, 8, round);
        }
        cache.flush(FlushGoal::DownTo(2), &NoLog).unwrap();
        flush_all(&cache);
        db.sim().mark(round);
    }
    db.sim().recording()
}

/// The value that a page has when all rounds up to this one are done.
fn value_after(pgno: u32, rounds: u64) -> u64 {
    let changed = |round: u64| match pgno {
        7.. => round == 3,
        _ => round == 1 || !u64::from(pgno).is_multiple_of(round),
    };
    (1..=rounds).rev().find(|round| changed(*round)).unwrap_or(0)
}

/// Does every page hold what it must hold, at least? Some page is damaged: its number.
fn check_state(db: &TestDb, mark: u64, what: &str) -> Option<u32> {
    let file = db.open();
    let cache = cache(&file, CacheMode::Copy);
    for pgno in 1..=8 {
        let least = value_after(pgno, mark);
        match cache.read(Pgno(pgno)) {
            Ok(page) => {
                let value = value_of(page.page(), Pgno(pgno));
                assert!(value >= least && value <= mark + 1, "page {pgno}: {value}, {what}");
            }
            // Not written before the cut: absent, blank, or stale bytes of the disk.
            Err(_) if least == 0 => {}
            Err(error) if error.code() == JetErr::ReadVerifyFailure => return Some(pgno),
            Err(error) => panic!("page {pgno}: {error}, {what}"),
        }
    }
    None
}

const STATES: StateOptions = StateOptions { seed: 5, budget: 4000, garbage: true, from_op: 0 };

#[test]
pub(crate) fn no_power_cut_tears_a_page() {
    let mut restored = 0;
    for state in workload(true).states(STATES) {
        let db = TestDb::booted(&state.image);
        restored += db.open().restored_pages().len();
        assert_eq!(check_state(&db, state.mark, &state.description), None, "{}", state.description);
    }
    assert!(restored > 100, "only {restored} pages were torn: the test tests nothing");
}

#[test]
fn without_the_side_file_power_cuts_tear_pages() {
    let torn = workload(false).states(STATES).any(|state| {
        check_state(&TestDb::booted(&state.image), state.mark, &state.description).is_some()
    });
    assert!(torn, "the simulated disk tears nothing");
}

#[test]
fn a_power_cut_while_pages_are_restored_is_no_worse() {
    let mut nested = 0;
    for state in workload(true).states(StateOptions { budget: 1500, ..STATES }) {
        let db = TestDb::booted(&state.image);
        if db.open().restored_pages().is_empty() {
            continue;
        }
        for second in db.sim().recording().states(StateOptions { budget: 40, ..STATES }) {
            nested += 1;
            let what = format!("{} then {}", state.description, second.description);
            let db = TestDb::booted(&second.image);
            assert_eq!(check_state(&db, state.mark, &what), None, "{what}");
        }
    }
    assert!(nested > 200, "{nested}");
}

#[test]
fn the_side_file_is_read_by_its_documented_layout() {
    let db = crashed();
    let file = db.env.fs.open(&db.dwb(), OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(&bytes[..8], b"ESEDBLW1");
    assert_eq!((word(12), word(16), word(24), word(28)), (4096, 3, 3, 4096));
    assert_eq!(bytes[32..60], *signature(7).as_bytes());
    assert_eq!([word(64), word(72), word(80)], [2, 3, 5]);
    assert_eq!(word(68), crc32fast::hash(&bytes[4096..8192]));
    let mut front = bytes[..64 + 24].to_vec();
    front[8..12].fill(0);
    assert_eq!(word(8), crc32fast::hash(&front));
    assert_eq!(read(&cache(&db.open(), CacheMode::Copy), 3), 2);
}
