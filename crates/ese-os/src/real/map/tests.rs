use std::{fs, sync::Barrier};

use super::*;
use crate::{File, Fs, OpenMode, real::fs::RealFs};

fn mapped(len: u64) -> (tempfile::TempDir, Arc<dyn File>, Arc<dyn PageMap>) {
    let dir = tempfile::tempdir().unwrap();
    let file = RealFs.open(&dir.path().join("a"), OpenMode::CreateNew).unwrap();
    file.set_len(len).unwrap();
    let map = file.map().unwrap().expect("temporary directories are on a local file system");
    (dir, file, map)
}

fn copy(map: &dyn PageMap, offset: u64, len: usize) -> Vec<u8> {
    map.populate(offset, len).unwrap();
    // SAFETY: just populated, and the test that calls writes nothing while the slice lives.
    let bytes = unsafe { map.bytes(offset, len) };
    bytes.to_vec()
}

#[test]
fn the_map_shows_writes_also_those_that_grow_the_file() {
    let (_dir, file, map) = mapped(0);
    file.write_at(&[1; 8192], 0).unwrap();
    assert_eq!(copy(&*map, 4096, 4096), [1; 4096]);
    file.write_at(&[2; 8192], 4096).unwrap();
    assert_eq!(copy(&*map, 4096, 8192), [2; 8192]);
}

#[test]
fn the_first_bytes_keep_their_address_when_windows_are_added() {
    let (_dir, file, map) = mapped(MAP_WINDOW * 3);
    file.write_at(b"first", 0).unwrap();
    file.write_at(b"last.", MAP_WINDOW * 3 - 5).unwrap();
    map.populate(0, 5).unwrap();
    // SAFETY: populated, and these bytes are not written again.
    let before = unsafe { map.bytes(0, 5) };
    assert_eq!(copy(&*map, MAP_WINDOW * 3 - 5, 5), b"last.");
    // SAFETY: as above.
    let after = unsafe { map.bytes(0, 5) };
    assert_eq!((before.as_ptr(), before), (after.as_ptr(), b"first".as_slice()));
}

#[test]
fn a_range_across_windows_can_be_populated_but_not_borrowed() {
    let (_dir, file, map) = mapped(MAP_WINDOW + 4096);
    file.write_at(&[3; 8192], MAP_WINDOW - 4096).unwrap();
    map.populate(MAP_WINDOW - 4096, 8192).unwrap();
    // SAFETY: the file has these bytes and nobody writes them.
    assert!(unsafe { map.bytes(MAP_WINDOW - 4096, 8192) }.is_empty());
    assert_eq!(copy(&*map, MAP_WINDOW - 4096, 4096), [3; 4096]);
    assert_eq!(copy(&*map, MAP_WINDOW, 4096), [3; 4096]);
}

#[test]
fn a_range_behind_the_end_is_an_error_with_its_code() {
    let (dir, file, map) = mapped(5000);
    map.populate(0, 5000).unwrap();
    for (offset, len) in [(4999, 2), (5000, 1), (8192, 1), (MAP_WINDOW * 2, 1), (u64::MAX, 10)] {
        let error = map.populate(offset, len).unwrap_err();
        assert_eq!(error.code(), JetErr::FileIOBeyondEOF, "{offset} {len}");
        assert_eq!(error.path(), Some(dir.path().join("a").as_path()));
    }
    file.set_len(9000).unwrap();
    map.populate(8192, 808).unwrap();
}

/// Somebody cuts the file behind our back: an error, not a signal.
#[test]
fn a_file_that_was_cut_gives_an_error_and_no_sigbus() {
    let (dir, _file, map) = mapped(1 << 20);
    map.populate(0, 1 << 20).unwrap();
    let rude = fs::OpenOptions::new().write(true).open(dir.path().join("a")).unwrap();
    rude.set_len(4096).unwrap();
    let error = map.populate(1 << 19, 4096).unwrap_err();
    assert_eq!(error.code(), JetErr::FileIOBeyondEOF, "{error}");
    map.populate(0, 4096).unwrap();
}

#[test]
fn the_way_for_old_kernels_reads_the_range_and_reports_its_end() {
    let (_dir, file, _) = mapped(0);
    file.write_at(&[5; 10_000], 0).unwrap();
    let plain = Arc::new(Descriptor::new(fs::File::open(file.path()).unwrap()));
    let map = WindowMap::new(file.path(), plain).unwrap();
    map.no_populate.store(true, Ordering::Relaxed);
    assert_eq!(copy(&map, 100, 9900), vec![5; 9900]);
    file.set_len(5000).unwrap();
    assert_eq!(map.populate(0, 10_000).unwrap_err().code(), JetErr::FileIOBeyondEOF);
}

#[test]
fn threads_that_need_a_new_window_get_the_same_one() {
    let (_dir, file, map) = mapped(MAP_WINDOW * 2);
    file.write_at(&[6; 4096], MAP_WINDOW).unwrap();
    let start = Barrier::new(4);
    let addresses: Vec<usize> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    map.populate(MAP_WINDOW, 4096).unwrap();
                    // SAFETY: populated, and nobody writes these bytes any more.
                    let bytes = unsafe { map.bytes(MAP_WINDOW, 4096) };
                    assert_eq!(bytes, [6; 4096]);
                    bytes.as_ptr().addr()
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(addresses.iter().all(|address| *address == addresses[0]));
}

#[test]
fn a_read_only_handle_is_mapped_too() {
    let (_dir, file, _) = mapped(0);
    file.write_at(b"abc", 0).unwrap();
    let reader = RealFs.open(file.path(), OpenMode::Read).unwrap();
    assert_eq!(copy(&*reader.map().unwrap().unwrap(), 0, 3), b"abc");
}
