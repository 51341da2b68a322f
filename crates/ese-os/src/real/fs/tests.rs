use std::os::unix::fs::PermissionsExt;

use super::*;

fn code(result: Result<Arc<dyn File>>) -> i32 {
    result.map_or_else(|error| error.jet_code(), |_| 0)
}

#[test]
fn opening_tells_a_missing_file_from_a_missing_directory() {
    let dir = tempfile::tempdir().unwrap();
    let fs = RealFs;
    assert_eq!(code(fs.open(&dir.path().join("a"), OpenMode::Read)), -1811);
    assert_eq!(code(fs.open(&dir.path().join("a"), OpenMode::ReadWrite)), -1811);
    assert_eq!(code(fs.open(&dir.path().join("no/a"), OpenMode::Read)), -1023);
    assert_eq!(code(fs.open(&dir.path().join("no/a"), OpenMode::CreateNew)), -1023);
    fs.open(&dir.path().join("a"), OpenMode::CreateNew).unwrap();
    assert_eq!(code(fs.open(&dir.path().join("a/b"), OpenMode::Read)), -1023);
    assert_eq!(code(fs.open(&dir.path().join("a"), OpenMode::CreateNew)), -1814);
    assert_eq!(code(fs.open(&dir.path().join("a"), OpenMode::CreateNewDirect)), -1814);
    assert_eq!(code(fs.open(Path::new("a\0b"), OpenMode::Read)), -1023);
}

#[test]
fn only_regular_files_are_opened_and_nothing_waits_for_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(code(RealFs.open(dir.path(), OpenMode::Read)), -1032);
    assert_eq!(code(RealFs.open(dir.path(), OpenMode::ReadWrite)), -1032);
    let pipe = std::ffi::CString::new(dir.path().join("pipe").to_str().unwrap()).unwrap();
    // SAFETY: the pointer is to `pipe`, which lives through the call.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    assert_eq!(code(RealFs.open(&dir.path().join("pipe"), OpenMode::Read)), -1032);
    let program = std::env::current_exe().unwrap();
    assert_eq!(code(RealFs.open(&program, OpenMode::ReadWrite)), -1032, "it is running");
}

#[test]
fn files_are_written_through_the_cache_where_the_file_system_wants_it_so() {
    /// Refuses O_DIRECT, after it has done what older kernels have done by then.
    fn refuse(
        options: &mut fs::OpenOptions,
        flags: libc::c_int,
        path: &Path,
    ) -> io::Result<fs::File> {
        let opened = open_as_asked(options, flags & !libc::O_DIRECT, path)?;
        let wrong = flags & libc::O_DIRECT != 0;
        if wrong { Err(io::Error::from_raw_os_error(libc::EINVAL)) } else { Ok(opened) }
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let blocks = [7; 3 * 4096];
    let (mut whole, mut at) = (Vec::new(), 0);
    for mode in [OpenMode::CreateNewDirect, OpenMode::ReadWriteDirect] {
        let (file, direct) = open_with(&path, mode, true, &refuse).unwrap();
        assert!(!direct);
        let file = RealFile::new(&path, file, mode, direct);
        for piece in [&blocks[..], &blocks[..100]] {
            file.write_at(piece, at).unwrap();
            whole.extend_from_slice(piece);
            at += piece.len() as u64;
        }
        file.sync().unwrap();
    }
    assert_eq!(fs::read(&path).unwrap(), whole);
    let again = open_with(&path, OpenMode::CreateNewDirect, true, &refuse).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), whole, "what was there is still there");
}

#[test]
fn created_files_are_private_and_never_behind_a_link() {
    let dir = tempfile::tempdir().unwrap();
    RealFs.open(&dir.path().join("a"), OpenMode::CreateNew).unwrap();
    let mode = fs::metadata(dir.path().join("a")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::os::unix::fs::symlink(dir.path().join("a"), dir.path().join("link")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("gone"), dir.path().join("dangling")).unwrap();
    assert_eq!(code(RealFs.open(&dir.path().join("link"), OpenMode::CreateOrTruncate)), -1032);
    assert_eq!(code(RealFs.open(&dir.path().join("dangling"), OpenMode::CreateNew)), -1814);
    assert!(!RealFs.exists(&dir.path().join("gone")).unwrap());
    assert!(RealFs.exists(&dir.path().join("dangling")).unwrap());
}

#[test]
fn create_or_truncate_empties_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    RealFs.open(&path, OpenMode::CreateOrTruncate).unwrap().write_at(b"abc", 0).unwrap();
    let file = RealFs.open(&path, OpenMode::CreateOrTruncate).unwrap();
    assert_eq!(file.len().unwrap(), 0);
}

#[test]
fn what_lies_before_the_next_data_is_a_hole() {
    let dir = tempfile::tempdir().unwrap();
    let file = RealFs.open(&dir.path().join("a"), OpenMode::CreateNew).unwrap();
    let place = 64 << 20;
    file.write_at(&[1; 8192], place).unwrap();
    file.set_len(2 * place).unwrap();
    // A file system may know nothing of holes; none may hide data.
    assert!(file.next_data(0) <= place);
    assert_eq!(file.next_data(place), place);
    assert_eq!(file.next_data(place + 5000), place + 5000);
    assert_eq!(file.next_data(2 * place), u64::MAX);
}

#[test]
fn directories_are_created_listed_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("x/y/z");
    RealFs.create_dir_all(&deep).unwrap();
    RealFs.create_dir_all(&deep).unwrap();
    RealFs.open(&deep.join("b"), OpenMode::CreateNew).unwrap().write_at(&[0; 7], 0).unwrap();
    RealFs.open(&deep.join("a"), OpenMode::CreateNew).unwrap();
    RealFs.create_dir_all(&deep.join("c")).unwrap();
    RealFs.sync_dir(&deep).unwrap();
    let names = RealFs.list(&deep).unwrap();
    let seen: Vec<_> = names.iter().map(|e| (e.name.as_str(), e.is_dir)).collect();
    assert_eq!(seen, [("a", false), ("b", false), ("c", true)]);
    assert_eq!(names[1].len, 7);
    assert!(RealFs.remove_dir(&deep).is_err(), "not empty");
    RealFs.remove_file(&deep.join("a")).unwrap();
    assert_eq!(RealFs.remove_file(&deep.join("a")).unwrap_err().jet_code(), -1811);
    RealFs.remove_dir(&deep.join("c")).unwrap();
    assert_eq!(RealFs.list(&deep.join("c")).unwrap_err().jet_code(), -1023);
    assert_eq!(RealFs.sync_dir(&deep.join("c")).unwrap_err().jet_code(), -1023);
    assert_eq!(RealFs.create_dir_all(&deep.join("b")).unwrap_err().jet_code(), -1814);
}

#[test]
fn a_rename_replaces_its_target() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    RealFs.open(&from, OpenMode::CreateNew).unwrap().write_at(b"new", 0).unwrap();
    RealFs.open(&to, OpenMode::CreateNew).unwrap().write_at(b"older", 0).unwrap();
    RealFs.rename(&from, &to).unwrap();
    assert!(!RealFs.exists(&from).unwrap());
    let file = RealFs.open(&to, OpenMode::Read).unwrap();
    assert_eq!(file.len().unwrap(), 3);
    assert_eq!(RealFs.rename(&from, &to).unwrap_err().jet_code(), -1811);
}

#[test]
fn canonical_paths_resolve_links_and_allow_a_new_name() {
    let dir = tempfile::tempdir().unwrap();
    let real = fs::canonicalize(dir.path()).unwrap();
    fs::create_dir(real.join("d")).unwrap();
    std::os::unix::fs::symlink(real.join("d"), real.join("l")).unwrap();
    assert_eq!(RealFs.canonicalize(&real.join("l/new")).unwrap(), real.join("d/new"));
    assert_eq!(RealFs.canonicalize(&real.join("d/../l")).unwrap(), real.join("d"));
    assert_eq!(RealFs.canonicalize(&real.join("no/new")).unwrap_err().jet_code(), -1023);
    assert!(RealFs.canonicalize(Path::new("new")).unwrap().is_absolute());
}
