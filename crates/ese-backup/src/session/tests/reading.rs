//! What the reading calls deliver, and how they meet damage.

use std::{sync::Arc, time::Duration};

use ese_base::{BkInfo, Generation, PageSize, Pgno};
use ese_os::{Env, OpenMode};
use ese_pages::{DbHeader, DbState, checksum, header::BackupTrailer};
use parking_lot::Mutex;

use super::*;
use crate::{
    session::{END_ABORT, PauseBy, State},
    source::BackupSource,
    testing::{Setup, TestClock, leaf},
};

fn page(bytes: &[u8], size: PageSize, index: usize) -> &[u8] {
    &bytes[index * size.bytes()..(index + 1) * size.bytes()]
}

#[test]
fn a_database_is_its_header_twice_its_pages_and_a_trailer_at_every_page_size() {
    for size in PageSize::ALL {
        let setup = Setup::new(size, 70);
        setup.context.begin(0).unwrap();
        let bytes = copy_file(&setup.context, &setup.database_path()).unwrap();
        assert_eq!(bytes.len(), 73 * size.bytes());
        let header = DbHeader::decode(page(&bytes, size, 0)).unwrap();
        assert_eq!(page(&bytes, size, 0), page(&bytes, size, 1));
        assert_eq!(header.state(), DbState::DirtyShutdown);
        assert_eq!(header.bkinfo_full_cur.gen_low.get(), 3);
        assert_eq!(header.bkinfo_full_cur.gen_high.get(), 0);
        for pgno in 1..=70 {
            assert_eq!(page(&bytes, size, pgno as usize + 1), leaf(size, Pgno(pgno)), "{pgno}");
        }
        let trailer = BackupTrailer::decode(page(&bytes, size, 72)).unwrap();
        assert_eq!(trailer.sign_db, header.sign_db);
        assert_eq!(trailer.sign_log, setup.instance.signature);
        let expected = BkInfo { gen_high: 5.into(), ..header.bkinfo_full_cur };
        assert_eq!(trailer.bkinfo, expected);
        assert_eq!(setup.instance.header(0).bkinfo_full_cur, BkInfo::default());
    }
}

#[test]
fn the_trailer_names_the_generation_that_is_current_after_the_last_page_was_read() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    let file = setup.context.open_file(&setup.database_path()).unwrap();
    let size = PageSize::K4;
    let mut bytes = AlignedBuffer::new(3 * size.bytes()).unwrap();
    setup.context.read_file(file.handle, bytes.as_mut_slice()).unwrap();
    setup.instance.new_generation();
    setup.instance.new_generation();
    let rest = read_all(&setup.context, file.handle).unwrap();
    let trailer = BackupTrailer::decode(&rest[rest.len() - size.bytes()..]).unwrap();
    assert_eq!(trailer.bkinfo.gen_high.get(), 7);
}

#[test]
fn a_read_that_ends_before_the_trailer_leaves_it_for_the_next_one() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    let file = setup.context.open_file(&setup.database_path()).unwrap();
    let page = PageSize::K4.bytes();
    let mut bytes = AlignedBuffer::new(9 * page).unwrap();
    let read = |bytes: &mut AlignedBuffer, pages: usize| {
        setup.context.read_file(file.handle, &mut bytes.as_mut_slice()[..pages * page]).unwrap()
    };
    assert_eq!(read(&mut bytes, 9), 9 * page, "header, shadow, 7 pages");
    assert_eq!(read(&mut bytes, 1), page);
    BackupTrailer::decode(&bytes.as_slice()[..page]).unwrap();
    assert_eq!(read(&mut bytes, 1), 0);
    assert_eq!(read(&mut bytes, 1), 0);
    setup.context.close_file(file.handle).unwrap();
}

#[test]
fn blank_pages_are_delivered_as_they_are() {
    let setup = Setup::small();
    let path = setup.database_path();
    let file = setup.instance.env.fs.open(&path, OpenMode::ReadWrite).unwrap();
    file.write_at(&[0; 4096], PageSize::K4.offset_of(Pgno(4))).unwrap();
    setup.context.begin(0).unwrap();
    let bytes = copy_file(&setup.context, &path).unwrap();
    assert!(page(&bytes, PageSize::K4, 5).iter().all(|&byte| byte == 0));
}

#[test]
fn a_flipped_bit_is_corrected_in_the_copy_alone() {
    let setup = Setup::small();
    let path = setup.database_path();
    let at = PageSize::K4.offset_of(Pgno(4)) + 1000;
    setup.instance.poke(&path, at, |byte| *byte ^= 4);
    setup.context.begin(0).unwrap();
    let bytes = copy_file(&setup.context, &path).unwrap();
    assert_eq!(page(&bytes, PageSize::K4, 5), leaf(PageSize::K4, Pgno(4)));
    let mut on_disk = vec![0; 4096];
    setup.instance.databases()[0].file.read_page_raw(Pgno(4), &mut on_disk).unwrap();
    assert!(checksum::verify(&on_disk, Pgno(4)).is_err(), "the database itself is not touched");
}

/// An instance whose clock only moves by sleeping, and damages or mends a page then.
fn with_clock(on_sleep: impl Fn(Duration) + Send + Sync + 'static) -> (Setup, Arc<TestClock>) {
    let clock = TestClock::new(on_sleep);
    let env = Env { clock: clock.clone(), ..Env::real() };
    let setup = Setup::with_pauses(env, PageSize::K4, &[("a.edb", 7)], PauseBy::Clock);
    (setup, clock)
}

#[test]
fn a_page_that_is_torn_while_it_is_read_is_read_again_until_it_is_whole() {
    type Mend = Box<dyn Fn() + Send>;
    let mend: Arc<Mutex<Option<Mend>>> = Arc::default();
    let (setup, clock) = with_clock({
        let mend = Arc::clone(&mend);
        move |slept| {
            if slept >= Duration::from_millis(600)
                && let Some(mend) = mend.lock().take()
            {
                mend();
            }
        }
    });
    let path = setup.database_path();
    let file = setup.instance.env.fs.open(&path, OpenMode::ReadWrite).unwrap();
    let at = PageSize::K4.offset_of(Pgno(4)) + 512;
    let whole = leaf(PageSize::K4, Pgno(4))[512..1024].to_vec();
    file.write_at(&[0xee; 512], at).unwrap();
    *mend.lock() = Some(Box::new(move || file.write_at(&whole, at).unwrap()));
    setup.context.begin(0).unwrap();
    let bytes = copy_file(&setup.context, &path).unwrap();
    assert_eq!(page(&bytes, PageSize::K4, 5), leaf(PageSize::K4, Pgno(4)));
    assert_eq!(clock.slept(), Duration::from_millis(600), "pauses of 100, 200 and 300 ms");
}

fn tear(setup: &Setup, pgno: u32) {
    let file = setup.instance.env.fs.open(&setup.database_path(), OpenMode::ReadWrite).unwrap();
    file.write_at(&[0xee; 512], PageSize::K4.offset_of(Pgno(pgno)) + 512).unwrap();
}

#[test]
fn a_page_that_stays_wrong_costs_sixteen_pauses_and_only_its_database() {
    let (setup, clock) = with_clock(|_| ());
    setup.instance.attach("b.edb", 3);
    tear(&setup, 4);
    setup.context.begin(0).unwrap();
    let file = setup.context.open_file(&setup.database_path()).unwrap();
    let mut bytes = buffer();
    let error = setup.context.read_file(file.handle, bytes.as_mut_slice()).unwrap_err();
    assert_eq!(error.jet_code(), -1018, "{error}");
    assert_eq!(error.pgno(), Some(Pgno(4)));
    assert_eq!(clock.slept(), Duration::from_millis(13_600));
    assert_eq!(setup.context.state(), State::FullDatabases, "the backup goes on");
    assert_eq!(code(setup.context.read_file(file.handle, bytes.as_mut_slice())), -1003);
    assert_eq!(code(setup.context.close_file(file.handle)), -1003);
    copy_file(&setup.context, &setup.instance.root.join("b.edb")).unwrap();
    copy_logs(&setup.context);
    setup.context.end(END_NORMAL).unwrap();
    assert_eq!(setup.instance.header(0).bkinfo_copy_prev, BkInfo::default());
    assert_ne!(setup.instance.header(1).bkinfo_copy_prev, BkInfo::default());
}

#[test]
fn a_stop_in_a_pause_ends_the_read_and_keeps_the_backup() {
    let context: Arc<Mutex<Option<Arc<BackupContext>>>> = Arc::default();
    let (setup, clock) = with_clock({
        let context = Arc::clone(&context);
        move |slept| {
            if slept == Duration::from_millis(150) {
                context.lock().as_ref().unwrap().stop();
            }
        }
    });
    *context.lock() = Some(Arc::clone(&setup.context));
    tear(&setup, 4);
    setup.context.begin(0).unwrap();
    let file = setup.context.open_file(&setup.database_path()).unwrap();
    let mut bytes = buffer();
    assert_eq!(code(setup.context.read_file(file.handle, bytes.as_mut_slice())), -801);
    assert_eq!(clock.slept(), Duration::from_millis(150));
    assert_eq!(setup.context.state(), State::FullDatabasesOpen);
    assert_eq!(code(setup.context.close_file(file.handle)), 0);
    setup.context.end(END_ABORT).unwrap();
    context.lock().take();
}

#[test]
fn a_page_in_the_place_of_another_is_noticed() {
    let (setup, _) = with_clock(|_| ());
    let file = setup.instance.env.fs.open(&setup.database_path(), OpenMode::ReadWrite).unwrap();
    file.write_at(&leaf(PageSize::K4, Pgno(2)), PageSize::K4.offset_of(Pgno(4))).unwrap();
    setup.context.begin(0).unwrap();
    let error = copy_file(&setup.context, &setup.database_path()).unwrap_err();
    assert_eq!((error.jet_code(), error.pgno()), (-1018, Some(Pgno(4))), "{error}");
    assert!(error.to_string().contains("right for page 2"), "{error}");
}

#[test]
fn pages_that_the_database_gets_after_opening_are_left_to_the_log() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    let file = setup.context.open_file(&setup.database_path()).unwrap();
    setup.instance.databases()[0].file.grow(Pgno(300)).unwrap();
    assert_eq!(read_all(&setup.context, file.handle).unwrap().len() as u64, file.len);
}

#[test]
fn case_108_a_read_waits_for_nobody_but_keeps_the_flusher_off_its_pages() {
    let setup = Setup::small();
    let database = setup.instance.databases().remove(0);
    setup.context.begin(0).unwrap();
    // A hold of the same pages by another reader does not delay the backup.
    let hold = database.file.ranges().hold(Pgno(1), Pgno(7));
    copy_file(&setup.context, &setup.database_path()).unwrap();
    drop(hold);
    setup.context.end(END_ABORT).unwrap();
}

#[test]
fn case_101_a_wrong_byte_in_a_log_cancels_the_backup() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    copy_databases(&setup.context);
    let log = setup.context.log_info().unwrap().files.remove(1);
    setup.instance.poke(&log, 2 * 4096 + 150, |byte| *byte ^= 0xff);
    let error = copy_file(&setup.context, &log).unwrap_err();
    assert_eq!((error.jet_code(), error.generation()), (-612, Some(Generation(4))), "{error}");
    assert_eq!(setup.context.state(), State::None);
    assert_eq!(code(setup.context.end(END_NORMAL)), -520);
    assert_eq!(setup.instance.header(0).bkinfo_copy_prev, BkInfo::default());
}

#[test]
fn a_log_with_a_damaged_or_foreign_header_is_refused() {
    for at in [4, 44, 100] {
        let setup = Setup::small();
        setup.context.begin(0).unwrap();
        let log = setup.context.log_info().unwrap().files.remove(0);
        setup.instance.poke(&log, at, |byte| *byte ^= 1);
        assert_eq!(code(copy_file(&setup.context, &log)), -612, "byte {at}");
    }
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    let logs = setup.context.log_info().unwrap().files;
    setup.instance.env.fs.rename(&logs[1], &logs[0]).unwrap();
    let error = copy_file(&setup.context, &logs[0]).unwrap_err();
    assert_eq!(error.jet_code(), -612, "a log under another's name: {error}");
}

#[test]
fn a_log_that_was_cut_to_nothing_is_refused() {
    for len in [0, 4095] {
        let setup = Setup::small();
        setup.context.begin(0).unwrap();
        let log = setup.context.log_info().unwrap().files.remove(0);
        setup.instance.env.fs.open(&log, OpenMode::ReadWrite).unwrap().set_len(len).unwrap();
        assert_eq!(code(copy_file(&setup.context, &log)), -612, "{len} bytes");
    }
}

#[test]
fn the_shadow_of_the_last_segment_is_no_damage() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    let log = setup.context.log_info().unwrap().files.remove(0);
    let file = setup.instance.env.fs.open(&log, OpenMode::ReadWrite).unwrap();
    let mut segment = [0; 4096];
    file.read_at(&mut segment, 8 * 4096).unwrap();
    file.write_at(&segment, 9 * 4096).unwrap();
    copy_file(&setup.context, &log).unwrap();
    file.write_at(&segment, 11 * 4096).unwrap();
    assert_eq!(code(copy_file(&setup.context, &log)), -612);
}

#[test]
fn case_097_the_first_read_of_a_database_is_three_pages_and_of_a_log_two() {
    let setup = Setup::small();
    let context = &setup.context;
    let page = PageSize::K4.bytes();
    let mut bytes = buffer();
    let mut read = |handle, len: usize| {
        context
            .read_file(handle, &mut bytes.as_mut_slice()[..len])
            .map_or_else(|error| error.jet_code(), |count| i32::try_from(count / page).unwrap())
    };
    context.begin(0).unwrap();
    let database = context.open_file(&setup.database_path()).unwrap().handle;
    for bad in [0, page, 2 * page, 3 * page + 1, 3 * page + 512] {
        assert_eq!(read(database, bad), -1003, "{bad}");
    }
    assert_eq!(read(database, 3 * page), 3);
    assert_eq!(read(database, page), 1);
    assert_eq!(read(database, 0), -1003);
    context.close_file(database).unwrap();
    let log = context.log_info().unwrap().files.remove(0);
    let log = context.open_file(&log).unwrap().handle;
    assert_eq!(read(log, page), -1003);
    assert_eq!(read(log, 2 * page), 2);
    assert_eq!(read(log, page), 1);
}

#[test]
fn a_buffer_that_is_not_aligned_is_refused() {
    let setup = Setup::small();
    setup.context.begin(0).unwrap();
    let file = setup.context.open_file(&setup.database_path()).unwrap();
    let mut bytes = buffer();
    let crooked = &mut bytes.as_mut_slice()[8..8 + 3 * 4096];
    assert_eq!(code(setup.context.read_file(file.handle, crooked)), -1003);
    assert_eq!(setup.context.state(), State::FullDatabasesOpen);
}
