use std::io::{BufRead, BufReader, Write};

use super::*;
use crate::{
    Env, Fs,
    real::{child, fs::RealFs},
};

fn new_file(dir: &tempfile::TempDir, name: &str) -> Arc<dyn File> {
    RealFs.open(&dir.path().join(name), OpenMode::CreateNew).unwrap()
}

#[test]
fn what_is_written_is_read_and_the_file_grows() {
    let dir = tempfile::tempdir().unwrap();
    let file = new_file(&dir, "a");
    assert!(file.is_empty().unwrap());
    file.write_at(b"world", 6).unwrap();
    file.write_at(b"hello ", 0).unwrap();
    assert_eq!(file.len().unwrap(), 11);
    let mut buf = [0u8; 11];
    file.read_at(&mut buf, 0).unwrap();
    assert_eq!(&buf, b"hello world");
    file.start_writeback(0, 11);
    file.will_need(0, 11);
    file.sync().unwrap();
    file.set_len(5).unwrap();
    file.set_len(8).unwrap();
    let mut buf = [9u8; 8];
    file.read_at(&mut buf, 0).unwrap();
    assert_eq!(&buf, b"hello\0\0\0");
}

#[test]
fn a_read_past_the_end_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = new_file(&dir, "a");
    file.write_at(&[1; 10], 0).unwrap();
    let error = file.read_at(&mut [0; 4], 8).unwrap_err();
    assert_eq!(error.code(), JetErr::FileIOBeyondEOF);
    assert_eq!(error.path(), Some(dir.path().join("a").as_path()));
    file.read_at(&mut [], 100).unwrap();
}

#[test]
fn a_read_only_handle_refuses_writes() {
    let dir = tempfile::tempdir().unwrap();
    new_file(&dir, "a").write_at(b"x", 0).unwrap();
    let file = RealFs.open(&dir.path().join("a"), OpenMode::Read).unwrap();
    assert_eq!(file.write_at(b"y", 0).unwrap_err().code(), JetErr::DiskIO);
    let mut buf = [0];
    file.read_at(&mut buf, 0).unwrap();
    assert_eq!(buf, *b"x");
}

#[test]
fn allocation_extends_with_zeros_and_keeps_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = new_file(&dir, "a");
    file.write_at(b"keep", 0).unwrap();
    file.allocate(0, 100_000).unwrap();
    assert_eq!(file.len().unwrap(), 100_000);
    file.allocate(0, 10).unwrap();
    file.allocate(0, 0).unwrap();
    assert_eq!(file.len().unwrap(), 100_000, "allocation never shortens");
    let mut buf = vec![1u8; 100_000];
    file.read_at(&mut buf, 0).unwrap();
    assert_eq!(&buf[..4], b"keep");
    assert!(buf[4..].iter().all(|byte| *byte == 0));
    let error = file.allocate(u64::MAX, 1).unwrap_err();
    assert_eq!(error.code(), JetErr::DiskFull);
}

#[test]
fn direct_output_takes_aligned_blocks_and_an_odd_tail() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("direct");
    let file = RealFs.open(&path, OpenMode::CreateNewDirect).unwrap();
    let space: Vec<u8> = (0..4 * DIRECT_ALIGN).map(|at| at.to_le_bytes()[0] | 1).collect();
    let start = space.as_ptr().align_offset(DIRECT_ALIGN);
    let block = &space[start..start + 2 * DIRECT_ALIGN];
    file.write_at(block, 0).unwrap();
    file.write_at(&block[1..100], 2 * DIRECT_ALIGN as u64).unwrap();
    file.write_at(block, 0).unwrap();
    file.sync().unwrap();
    let mut buf = vec![0u8; 2 * DIRECT_ALIGN + 99];
    RealFs.open(&path, OpenMode::Read).unwrap().read_at(&mut buf, 0).unwrap();
    assert_eq!(&buf[..2 * DIRECT_ALIGN], block);
    assert_eq!(&buf[2 * DIRECT_ALIGN..], &block[1..100]);
}

#[test]
fn locks_exclude_other_handles_until_these_are_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let first = new_file(&dir, "a");
    let second = RealFs.open(&path, OpenMode::ReadWrite).unwrap();
    first.lock(LockMode::Exclusive).unwrap();
    for mode in [LockMode::Shared, LockMode::Exclusive] {
        assert_eq!(second.lock(mode).unwrap_err().code(), JetErr::FileAccessDenied);
    }
    // Closing another handle of the same file must not take the lock away.
    drop(RealFs.open(&path, OpenMode::Read).unwrap());
    assert!(second.lock(LockMode::Shared).is_err());
    first.lock(LockMode::Shared).unwrap();
    second.lock(LockMode::Shared).unwrap();
    assert!(second.lock(LockMode::Exclusive).is_err());
    drop(first);
    second.lock(LockMode::Exclusive).unwrap();
}

#[test]
fn a_hard_link_is_no_way_round_a_lock() {
    let dir = tempfile::tempdir().unwrap();
    let file = new_file(&dir, "a");
    std::fs::hard_link(dir.path().join("a"), dir.path().join("b")).unwrap();
    file.lock(LockMode::Exclusive).unwrap();
    let alias = RealFs.open(&dir.path().join("b"), OpenMode::ReadWrite).unwrap();
    assert_eq!(alias.lock(LockMode::Shared).unwrap_err().code(), JetErr::FileAccessDenied);
}

#[test]
fn a_map_keeps_the_lock_of_its_handle() {
    let dir = tempfile::tempdir().unwrap();
    let file = new_file(&dir, "a");
    file.lock(LockMode::Exclusive).unwrap();
    let map = file.map().unwrap().expect("temporary directories are on a local file system");
    drop(file);
    let other = RealFs.open(&dir.path().join("a"), OpenMode::ReadWrite).unwrap();
    assert!(other.lock(LockMode::Exclusive).is_err());
    drop(map);
    other.lock(LockMode::Exclusive).unwrap();
}

/// Between fork and exec a child process has all files open.
#[test]
fn a_lock_ends_with_its_handle_though_a_forked_child_still_has_the_file_open() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    drop(new_file(&dir, "a"));
    let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    let in_child = file.try_clone().unwrap();
    let holder = RealFile::new(&path, file, OpenMode::ReadWrite, false);
    holder.lock(LockMode::Exclusive).unwrap();
    let other = RealFs.open(&path, OpenMode::ReadWrite).unwrap();
    assert!(other.lock(LockMode::Exclusive).is_err());
    drop(holder);
    other.lock(LockMode::Exclusive).unwrap();
    drop(in_child);
}

#[test]
fn an_exclusive_lock_needs_a_writing_handle() {
    let dir = tempfile::tempdir().unwrap();
    drop(new_file(&dir, "a"));
    let file = RealFs.open(&dir.path().join("a"), OpenMode::Read).unwrap();
    assert_eq!(file.lock(LockMode::Exclusive).unwrap_err().code(), JetErr::FileAccessDenied);
    file.lock(LockMode::Shared).unwrap();
}

#[test]
fn a_lock_excludes_another_process_and_ends_when_it_is_killed() {
    if let Some(path) = child::argument() {
        let file = RealFs.open(Path::new(&path), OpenMode::ReadWrite).unwrap();
        file.lock(LockMode::Exclusive).unwrap();
        println!("\nLOCKED");
        std::io::stdout().flush().unwrap();
        Env::real().clock.sleep(std::time::Duration::from_secs(60));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let file = new_file(&dir, "a");
    let mut holder = child::start(
        "real::file::tests::a_lock_excludes_another_process_and_ends_when_it_is_killed",
        path.to_str().unwrap(),
    );
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "LOCKED"), "the child never got the lock");
    let refused = file.lock(LockMode::Shared);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(refused.unwrap_err().code(), JetErr::FileAccessDenied);
    file.lock(LockMode::Exclusive).unwrap();
}

/// RLIMIT_FSIZE makes the system accept part of a write and refuse the rest.
#[test]
fn a_write_goes_on_after_a_short_one_and_then_reports_the_full_disk() {
    const LIMIT: usize = 8192;
    let Some(path) = child::argument() else {
        let dir = tempfile::tempdir().unwrap();
        child::run(
            "real::file::tests::a_write_goes_on_after_a_short_one_and_then_reports_the_full_disk",
            dir.path().join("a").to_str().unwrap(),
        );
        return;
    };
    // SAFETY: ignoring a signal installs no code; this process runs nothing else.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let limit = libc::rlimit { rlim_cur: LIMIT as u64, rlim_max: LIMIT as u64 };
    // SAFETY: the pointer is to `limit`, which lives through the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) }, 0);
    let file = RealFs.open(Path::new(&path), OpenMode::CreateNew).unwrap();
    file.write_at(&[7; LIMIT], 0).unwrap();
    let error = file.write_at(&[8; 1000], LIMIT as u64 - 10).unwrap_err();
    assert_eq!(error.code(), JetErr::DiskFull, "{error}");
    let mut tail = [0; 10];
    file.read_at(&mut tail, LIMIT as u64 - 10).unwrap();
    assert_eq!(tail, [8; 10], "the part that fitted was written");
    assert_eq!(file.allocate(0, 2 * LIMIT as u64).unwrap_err().code(), JetErr::DiskFull);
    assert_eq!(file.set_len(2 * LIMIT as u64).unwrap_err().code(), JetErr::DiskFull);
}

/// A tiny tmpfs of our own, in a mount namespace that ends with the child process.
#[test]
fn a_full_file_system_is_disk_full_for_writes_and_allocations() {
    let Some(path) = child::argument() else {
        let dir = tempfile::tempdir().unwrap();
        let text = child::run(
            "real::file::tests::a_full_file_system_is_disk_full_for_writes_and_allocations",
            dir.path().to_str().unwrap(),
        );
        if text.contains("SKIPPED") {
            println!("SKIPPED: a tmpfs of our own needs root");
        }
        return;
    };
    let target = std::ffi::CString::new(path.clone()).unwrap();
    // SAFETY: takes a number; the namespace is this short-lived process's own.
    let unshared = unsafe { libc::unshare(libc::CLONE_NEWNS) };
    if unshared != 0 {
        println!("SKIPPED");
        return;
    }
    // Without this the mount would show in the namespace that we came from.
    // SAFETY: the pointer is to a constant C string, the others are null where that is allowed.
    let private = unsafe {
        libc::mount(
            std::ptr::null(),
            c"/".as_ptr(),
            std::ptr::null(),
            libc::MS_REC | libc::MS_PRIVATE,
            std::ptr::null(),
        )
    };
    assert_eq!(private, 0, "{}", io::Error::last_os_error());
    // SAFETY: the pointers are to constant C strings and to `target`; none is kept.
    let mounted = unsafe {
        libc::mount(
            c"tmpfs".as_ptr(),
            target.as_ptr(),
            c"tmpfs".as_ptr(),
            0,
            c"size=64k".as_ptr().cast(),
        )
    };
    if mounted != 0 {
        println!("SKIPPED");
        return;
    }
    let file = RealFs.open(&Path::new(&path).join("a"), OpenMode::CreateNew).unwrap();
    assert_eq!(file.allocate(0, 1 << 20).unwrap_err().code(), JetErr::DiskFull);
    assert_eq!(file.write_at(&[1; 1 << 20], 0).unwrap_err().code(), JetErr::DiskFull);
}
