//! Archives: read back, cut off, altered, stopped, cut by power.

use std::path::Path;

use ese_base::{BkInfo, JetErr, PageSize, Result, StopReason, StopToken};
use ese_os::{Env, OpenMode};
use ese_sim::{SimDisk, SimEnv, StateOptions};

use super::*;
use crate::{
    session::State,
    stream::{
        BackupReport, CopyJob, CopyOptions, Destination, MANIFEST_NAME, Manifest, Progress,
        backup_to_dir, copy_set,
    },
    testing::Setup,
};

const NAME: &str = "/sets/a.esebak";
type File = (FileHead, Vec<u8>);

fn write(setup: &Setup, to: Destination<'_>, options: CopyOptions) -> Result<BackupReport> {
    let mut quiet = |_: &Progress| ();
    let job = CopyJob { options, ..CopyJob::new(&mut quiet, &StopToken::new()) };
    copy_set(&setup.context, &setup.instance.env, to, job)
}

fn archive_of(setup: &Setup) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(setup, Destination::Writer(&mut bytes), CopyOptions::default()).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<(Vec<File>, Manifest)> {
    let mut reader = ArchiveReader::new(bytes, Path::new("x.esebak"));
    let mut buffer = vec![0; FRAME_DATA_LEN];
    let mut files: Vec<File> = Vec::new();
    let mut end = None;
    while let Some(part) = reader.next(&mut buffer)? {
        assert!(end.is_none(), "nothing comes behind the manifest");
        match part {
            ArchivePart::Start(start) => assert_eq!(start.log_base, "edb"),
            ArchivePart::File(head) => files.push((head, Vec::new())),
            ArchivePart::Data(len) => files.last_mut().unwrap().1.extend(&buffer[..len]),
            ArchivePart::Manifest(manifest) => end = Some(*manifest),
        }
    }
    Ok((files, end.expect("an archive without a manifest is an error")))
}

/// The frames of an archive.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = bytes;
    let mut frames = Vec::new();
    while let Some(head) = rest.first_chunk::<HEAD_LEN>() {
        let len = HEAD_LEN + usize::try_from(FrameHead::decode(head).unwrap().len).unwrap();
        frames.push(rest[..len].to_vec());
        rest = &rest[len..];
    }
    assert!(rest.is_empty());
    frames
}

fn bytes_of(env: &Env, path: &Path) -> Vec<u8> {
    let file = env.fs.open(path, OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn an_archive_holds_the_same_files_as_a_directory() {
    let setup = Setup::with_env(Env::real(), PageSize::K8, &[("a.edb", 300), ("b.dit", 3)]);
    let (env, root) = (&setup.instance.env, &setup.instance.root);
    let dir = root.join("set");
    let options = CopyOptions::default();
    let in_dir =
        backup_to_dir(&setup.context, env, &dir, options, &mut |_| (), &StopToken::new()).unwrap();
    let path = root.join("set.esebak");
    let report = write(&setup, Destination::Archive(&path), options).unwrap();
    let bytes = bytes_of(env, &path);
    let (files, manifest) = read(&bytes).unwrap();
    assert_eq!(manifest, report.manifest);
    assert_eq!(read_archive_manifest(env, &path).unwrap(), manifest);
    let names = |manifest: &Manifest| {
        let databases = manifest.databases.iter().map(|it| it.name.clone());
        databases.chain(manifest.logs.iter().map(|it| it.name.clone())).collect::<Vec<_>>()
    };
    assert!(names(&manifest).starts_with(&["a.edb".into(), "b.dit".into()]));
    assert!(names(&manifest).starts_with(&names(&in_dir.manifest)), "a later one has more logs");
    for ((head, content), name) in files.iter().zip(names(&manifest)) {
        assert_eq!((&head.name, head.len), (&name, content.len() as u64));
        let log = setup.instance.root.join(&name);
        let whole = if head.kind == FileKind::Log { bytes_of(env, &log) } else { content.clone() };
        assert!(*content == whole, "{name}");
        if head.kind == FileKind::Database {
            // The marks of the backups differ, the pages do not.
            let copied = bytes_of(env, &dir.join(&name));
            assert!(
                content[2 * 8192..content.len() - 8192] == copied[2 * 8192..copied.len() - 8192]
            );
        }
    }
    let error = write(&setup, Destination::Archive(&path), options).unwrap_err();
    assert_eq!(error.code(), JetErr::FileAlreadyExists);
}

#[test]
fn an_archive_that_is_cut_off_anywhere_is_not_taken_for_complete() {
    let bytes = archive_of(&Setup::new(PageSize::K4, 300));
    let mut cuts = vec![0];
    for frame in frames(&bytes) {
        let at = *cuts.last().unwrap();
        let len = frame.len();
        cuts.extend([1, 4, 31, 32, 33, len / 2, len - 1, len].map(|within| at + within));
    }
    assert_eq!(cuts.pop(), Some(bytes.len()));
    read(&bytes).unwrap();
    for cut in cuts {
        let error = read(&bytes[..cut.min(bytes.len() - 1)]).unwrap_err();
        let codes = [JetErr::FileIOBeyondEOF, JetErr::FileInvalidType];
        assert!(codes.contains(&error.code()), "cut at {cut}: {error}");
        assert_eq!(error.path(), Some(Path::new("x.esebak")));
        assert!(error.code() == codes[1] || error.to_string().contains("frame "), "{error}");
    }
}

#[test]
fn an_altered_byte_is_noticed_wherever_it_is() {
    let mut bytes = archive_of(&Setup::new(PageSize::K4, 5));
    let mut at = 0;
    let mut places = Vec::new();
    for frame in frames(&bytes) {
        let head = FrameHead::decode(frame.first_chunk().unwrap()).unwrap();
        let step = if head.kind == Kind::Data { 211 } else { 1 };
        places.extend((at..at + HEAD_LEN).chain((at + HEAD_LEN..at + frame.len()).step_by(step)));
        at += frame.len();
    }
    for place in places {
        bytes[place] ^= 0x10;
        let error = read(&bytes).unwrap_err();
        assert!(error.path().is_some(), "{error}");
        bytes[place] ^= 0x10;
    }
    bytes.push(0);
    assert_eq!(read(&bytes).unwrap_err().code(), JetErr::ReadVerifyFailure);
}

#[test]
fn frames_that_are_missing_repeated_swapped_or_of_another_archive_are_noticed() {
    let setup = Setup::new(PageSize::K4, 600);
    let (one, other) = (frames(&archive_of(&setup)), frames(&archive_of(&setup)));
    for at in 0..one.len() {
        let mut without = one.clone();
        without.remove(at);
        let mut twice = one.clone();
        twice.insert(at, one[at].clone());
        let mut foreign = one.clone();
        foreign[at] = other[at].clone();
        let mut swapped = one.clone();
        swapped.swap(at, (at + 1) % one.len());
        for (altered, what) in
            [(without, "missing"), (twice, "twice"), (foreign, "foreign"), (swapped, "swapped")]
        {
            assert!(read(&altered.concat()).is_err(), "frame {at} {what}");
        }
    }
}

#[test]
fn a_name_that_leads_elsewhere_and_a_length_that_cannot_be_are_refused() {
    let names = ["../a.edb", "/a.edb", "a/b", "..", ".", "", "a\u{0}b", "a\nb", MANIFEST_NAME];
    let long = [("a.edb", 1 << 63), ("a.edb", u64::MAX)];
    for (name, len) in names.map(|name| (name, 1)).into_iter().chain(long) {
        let head = FileHead { kind: FileKind::Log, name: name.to_owned(), len };
        let start = ArchiveStart::new("full", String::new(), 4096, "edb".into(), 0);
        let contents = [(Kind::Start, to_text(&start)), (Kind::File, to_text(&head))];
        let frames = (0..).zip(contents).map(|(number, (kind, content))| {
            let content = content.unwrap();
            let len = u32::try_from(content.len()).unwrap();
            let crc = crc32fast::hash(&content);
            let head = FrameHead { kind, number, len, crc, archive: 7 };
            [head.encode().to_vec(), content].concat()
        });
        let error = read(&frames.collect::<Vec<_>>().concat()).unwrap_err();
        assert_eq!(error.code(), JetErr::ReadVerifyFailure, "{name:?}: {error}");
    }
}

/// Stops a copy at a call of its progress function; gives the archive if that came too late.
fn stopped_at(moment: u32, into_file: bool) -> Option<Vec<u8>> {
    let setup = Setup::new(PageSize::K4, 600);
    let (env, root) = (&setup.instance.env, &setup.instance.root);
    let path = root.join("set.esebak");
    let mut bytes = Vec::new();
    let to = if into_file { Destination::Archive(&path) } else { Destination::Writer(&mut bytes) };
    let token = StopToken::new();
    let mut calls = 0;
    let mut progress = |_: &Progress| {
        if calls == moment {
            token.stop(StopReason::Requested);
        }
        calls += 1;
    };
    let done = copy_set(&setup.context, env, to, CopyJob::new(&mut progress, &token));
    assert_eq!(setup.context.state(), State::None);
    match done {
        Ok(_) if into_file => Some(bytes_of(env, &path)),
        Ok(_) => Some(bytes),
        Err(error) => {
            assert_eq!(error.jet_code(), -801, "{error}");
            assert_eq!(read(&bytes).unwrap_err().code(), JetErr::FileIOBeyondEOF);
            let left = env.fs.list(root).unwrap();
            assert!(left.iter().all(|entry| !entry.name.contains("esebak")), "{left:?}");
            assert_eq!(setup.instance.header(0).bkinfo_copy_prev, BkInfo::default());
            None
        }
    }
}

#[test]
fn a_stopped_archive_is_gone_or_never_ends() {
    for into_file in [true, false] {
        let late = (0..).find_map(|moment| Some((moment, stopped_at(moment, into_file)?)));
        let (moment, whole) = late.unwrap();
        assert!(moment > 5, "{moment}");
        read(&whole).unwrap();
    }
}

#[test]
fn a_power_cut_leaves_a_whole_archive_or_none_and_no_log_is_gone_without_one() {
    let (setup, disk) = Setup::on_sim(&[("a.edb", 40)]);
    setup.instance.env.fs.create_dir_all(Path::new("/sets")).unwrap();
    disk.record(true);
    let options = CopyOptions { truncate: true };
    write(&setup, Destination::Archive(Path::new(NAME)), options).unwrap();
    let recording = disk.recording();
    let (mut complete, mut none) = (0, 0);
    for state in recording.states(StateOptions { seed: 7, budget: 600, garbage: true, from_op: 0 })
    {
        let env = SimEnv::on(&SimDisk::from_image(&state.image), 1);
        if env.fs.exists(Path::new(NAME)).unwrap() {
            let bytes = bytes_of(&env, Path::new(NAME));
            read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", state.description));
            complete += 1;
        } else {
            assert!(env.fs.exists(&setup.instance.archive(1)).unwrap(), "{}", state.description);
            none += 1;
        }
    }
    assert!(complete > 10 && none > 50, "{complete} complete, {none} not there");
}

#[test]
fn a_stream_cannot_truncate_the_log() {
    let setup = Setup::small();
    let mut bytes = Vec::new();
    let options = CopyOptions { truncate: true };
    let error = write(&setup, Destination::Writer(&mut bytes), options).unwrap_err();
    assert_eq!(error.code(), JetErr::InvalidParameter);
    assert!(bytes.is_empty());
}

#[test]
fn the_file_of_another_copy_is_left_alone() {
    let (setup, _disk) = Setup::on_sim(&[("a.edb", 40)]);
    let env = &setup.instance.env;
    env.fs.create_dir_all(Path::new("/sets")).unwrap();
    let other = Path::new("/sets/a.esebak.incomplete");
    let running = env.fs.open(other, OpenMode::CreateNew).unwrap();
    running.lock(ese_os::LockMode::Exclusive).unwrap();
    let archive = || write(&setup, Destination::Archive(Path::new(NAME)), CopyOptions::default());
    assert_eq!(archive().unwrap_err().code(), JetErr::FileAccessDenied);
    assert!(env.fs.exists(other).unwrap(), "it is being written");
    // A copy that may not even begin takes nothing away.
    setup.context.begin(0).unwrap();
    assert_eq!(archive().unwrap_err().code(), JetErr::BackupInProgress);
    assert!(env.fs.exists(other).unwrap());
    setup.context.end(crate::session::END_ABORT).unwrap();
    drop(running);
    archive().unwrap();
    assert!(!env.fs.exists(other).unwrap(), "what a crash has left goes");
    // One that became whole meanwhile is not replaced.
    assert_eq!(archive().unwrap_err().code(), JetErr::FileAlreadyExists);
    read(&bytes_of(env, Path::new(NAME))).unwrap();
}
