//! Streams and the copy into a directory: whole, stopped, failing, cut by power.

use std::{
    io::{BufRead, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use ese_base::{BkInfo, JetErr, PageSize, Pgno, Result, StopReason, StopToken};
use ese_os::{Env, OpenMode};
use ese_pages::checksum::stamp;
use ese_sim::{Fault, OpKind, SimEnv, StateOptions};

use super::{
    BackupReport, BackupStream, CopyOptions, INCOMPLETE_NAME, MANIFEST_NAME, Manifest, Phase,
    Progress, backup_to_dir, jet_error,
};
use crate::{
    AlignedBuffer,
    restore::{RestorePlan, verify_set},
    session::{END_ABORT, FileHandle, State},
    testing::{Committer, Setup, Step, leaf, without_threads},
};

const TRUNCATE: CopyOptions = CopyOptions { truncate: true };

fn copy(setup: &Setup, dir: &Path, options: CopyOptions) -> Result<BackupReport> {
    copy_watched(setup, dir, options, &mut |_| ())
}

fn copy_watched(
    setup: &Setup,
    dir: &Path,
    options: CopyOptions,
    progress: &mut dyn FnMut(&Progress),
) -> Result<BackupReport> {
    let env = &setup.instance.env;
    backup_to_dir(&setup.context, env, dir, options, progress, &StopToken::new())
}

fn names(env: &Env, dir: &Path) -> Vec<String> {
    match env.fs.list(dir) {
        Ok(entries) => entries.into_iter().map(|entry| entry.name).collect(),
        Err(error) => {
            assert_eq!(error.code(), JetErr::InvalidPath, "{error}");
            Vec::new()
        }
    }
}

fn read_file(env: &Env, path: &Path) -> Vec<u8> {
    let file = env.fs.open(path, OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

/// Reads and verifies a whole set.
fn check_set(env: &Env, dir: &Path) -> Result<RestorePlan> {
    let plan = RestorePlan::examine(env, dir)?;
    verify_set(env, &plan, &mut |_| (), &StopToken::new())?;
    Ok(plan)
}

#[test]
fn a_stream_delivers_the_same_bytes_in_reads_of_any_size() {
    let setup = Setup::new(PageSize::K8, 150);
    let mut all = Vec::new();
    for chunk in [1, 4096, 70_000, 5 << 20] {
        let mut stream = BackupStream::begin(&setup.context, false).unwrap();
        let path = stream.databases().unwrap().remove(0);
        let mut reader = stream.open(&path).unwrap();
        assert_eq!(reader.len(), 153 * 8192);
        let mut bytes = Vec::new();
        let mut buffer = vec![0; chunk];
        loop {
            match reader.read(&mut buffer).unwrap() {
                0 => break,
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        }
        assert_eq!(bytes.len() as u64, reader.len());
        assert_eq!(reader.close().unwrap(), 0);
        drop(stream);
        assert_eq!(setup.context.state(), State::None, "a dropped stream aborts its backup");
        // The marks of the backups differ, the pages do not.
        all.push(bytes[2 * 8192..152 * 8192].to_vec());
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Handles are numbers that can be guessed, or that a client still has of a backup of its own.
#[test]
fn what_the_owner_of_a_backup_has_opened_is_nobody_elses_to_read() {
    let setup = Setup::new(PageSize::K4, 150);
    let mut stream = BackupStream::begin(&setup.context, false).unwrap();
    let path = stream.databases().unwrap().remove(0);
    let mut reader = stream.open(&path).unwrap();
    let mut buffer = AlignedBuffer::new(1 << 16).unwrap();
    for number in (0..=0x1000).step_by(0x100).map(FileHandle) {
        let read = setup.context.read_file(number, buffer.as_mut_slice()).unwrap_err();
        assert_eq!(read.code(), JetErr::InvalidParameter);
        let closed = setup.context.close_file(number).unwrap_err();
        assert_eq!(closed.code(), JetErr::InvalidParameter);
    }
    let (mut bytes, mut buffer) = (0, vec![0; 70_000]);
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => break,
            count => bytes += count as u64,
        }
    }
    assert_eq!(bytes, reader.len());
    reader.close().unwrap();
}

/// Enough pages for some buffers to be read ahead.
const SOME_BUFFERS: u32 = 1200;

#[test]
fn what_is_read_ahead_is_what_is_read_without_threads() {
    let real = Env::real();
    let read = |env: &Env, chunk: usize| {
        let setup = Setup::with_env(env.clone(), PageSize::K4, &[("a.edb", SOME_BUFFERS)]);
        let mut stream = BackupStream::begin(&setup.context, false).unwrap();
        let path = stream.databases().unwrap().remove(0);
        let mut reader = stream.open(&path).unwrap();
        let mut bytes = Vec::new();
        loop {
            let shown = reader.fill_buf().unwrap();
            let count = shown.len().min(chunk);
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&shown[..count]);
            reader.consume(count);
        }
        assert!(reader.fill_buf().unwrap().is_empty(), "the end stays the end");
        reader.close().unwrap();
        drop(stream.logs().unwrap());
        stream.finish().unwrap();
        let marked = setup.instance.header(0).bkinfo_copy_prev;
        assert_ne!(marked, BkInfo::default(), "a file that was read to its end counts");
        bytes[2 * 4096..(2 + SOME_BUFFERS as usize) * 4096].to_vec()
    };
    let expected: Vec<u8> =
        (1..=SOME_BUFFERS).flat_map(|pgno| leaf(PageSize::K4, Pgno(pgno))).collect();
    for env in [without_threads(&real), real] {
        for chunk in [1000, 1 << 20, usize::MAX] {
            assert!(read(&env, chunk) == expected, "{chunk}");
        }
    }
}

#[test]
fn a_file_that_was_read_ahead_but_not_taken_does_not_count_as_copied() {
    // Into the last buffer, and into the one before it.
    for (bytes, copied) in [(4 * (1 << 20) + 1, true), (4 * (1 << 20), false), (1, false)] {
        let setup = Setup::new(PageSize::K4, SOME_BUFFERS);
        let mut stream = BackupStream::begin(&setup.context, false).unwrap();
        let path = stream.databases().unwrap().remove(0);
        let mut reader = stream.open(&path).unwrap();
        reader.read_exact(&mut vec![0; bytes]).unwrap();
        reader.close().unwrap();
        drop(stream.logs().unwrap());
        stream.finish().unwrap();
        let marked = setup.instance.header(0).bkinfo_copy_prev;
        assert_eq!(marked != BkInfo::default(), copied, "after {bytes} bytes");
    }
}

/// Makes a page unsound whose checksum is right all the same: such a page is not read again.
fn spoil(setup: &Setup, pgno: u32) {
    let file = setup.instance.env.fs.open(&setup.database_path(), OpenMode::ReadWrite).unwrap();
    let mut page = leaf(PageSize::K4, Pgno(pgno));
    // Its first slot reaches behind its lines.
    page[4092..4094].fill(0xff);
    stamp(&mut page, Pgno(pgno));
    file.write_at(&page, PageSize::K4.offset_of(Pgno(pgno))).unwrap();
}

#[test]
fn a_page_that_cannot_be_read_shows_at_its_place_or_when_the_file_is_closed() {
    let code = |error: &std::io::Error| jet_error(error).unwrap().code();
    for taken in [3 << 20, 1 << 20] {
        let setup = Setup::new(PageSize::K4, SOME_BUFFERS);
        spoil(&setup, 900);
        let mut stream = BackupStream::begin(&setup.context, false).unwrap();
        let path = stream.databases().unwrap().remove(0);
        let mut reader = stream.open(&path).unwrap();
        let mut bytes = vec![0; taken];
        reader.read_exact(&mut bytes).unwrap();
        if taken == 3 << 20 {
            assert_eq!(code(&reader.read(&mut bytes).unwrap_err()), JetErr::PageTagCorrupted);
            assert_eq!(code(&reader.read(&mut bytes).unwrap_err()), JetErr::InvalidParameter);
            drop(reader);
        } else {
            // Two buffers are read ahead, then the thread comes to the page.
            assert_eq!(reader.fill_buf().unwrap().len(), 1 << 20);
            assert_eq!(reader.close().unwrap_err().code(), JetErr::PageTagCorrupted);
        }
        assert_eq!(setup.context.state(), State::FullDatabases, "the backup goes on");
    }
}

#[test]
fn a_stop_reaches_the_reader_as_an_error_of_its_next_read() {
    let setup = Setup::new(PageSize::K4, 600);
    let mut stream = BackupStream::begin(&setup.context, false).unwrap();
    let path = stream.databases().unwrap().remove(0);
    let mut reader = stream.open(&path).unwrap();
    let mut bytes = vec![0; 1 << 20];
    assert_eq!(reader.read(&mut bytes).unwrap(), 1 << 20);
    setup.context.stop();
    let error = reader.read(&mut bytes).unwrap_err();
    assert_eq!(jet_error(&error).map(ese_base::Error::jet_code), Some(-801));
    reader.close().unwrap();
    assert_eq!(stream.finish().unwrap(), 0, "nothing is recorded");
    assert_eq!(setup.instance.header(0).bkinfo_copy_prev, BkInfo::default());
}

#[test]
fn a_stream_never_strays_into_the_backup_of_somebody_else() {
    let setup = Setup::small();
    let mut stream = BackupStream::begin(&setup.context, false).unwrap();
    setup.context.end(END_ABORT).unwrap();
    assert_eq!(stream.databases().unwrap_err().code(), JetErr::BackupAbortByServer);
    setup.context.begin(0).unwrap();
    assert_eq!(stream.logs().unwrap_err().code(), JetErr::BackupAbortByServer);
    drop(stream);
    assert_eq!(setup.context.state(), State::FullDatabases, "the other backup goes on");
}

#[test]
fn a_copy_is_complete_durable_and_recorded() {
    let real = Env::real();
    for env in [without_threads(&real), real] {
        let databases = [("a.edb", 700), ("b.dit", 3)];
        let setup = Setup::with_env(env, PageSize::K8, &databases);
        let env = &setup.instance.env;
        let dir = setup.instance.root.join("sets/one");
        let mut seen: Vec<Progress> = Vec::new();
        let report =
            copy_watched(&setup, &dir, TRUNCATE, &mut |progress| seen.push(*progress)).unwrap();
        assert_eq!(report.recorded, 2);
        assert!(report.truncation.is_none());
        assert_eq!(setup.instance.on_disk(), [3, 4, 5]);
        assert_ne!(setup.instance.header(0).bkinfo_full_prev, BkInfo::default());
        let logs = [3, 4, 5].map(|generation| setup.instance.archive(generation));
        let log_names = logs.clone().map(|log| log.file_name().unwrap().to_str().unwrap().into());
        let mut expected = vec![String::from("a.edb"), "b.dit".into(), MANIFEST_NAME.into()];
        expected.extend(log_names);
        expected.sort();
        assert_eq!(names(env, &dir), expected);
        for log in &logs {
            assert_eq!(read_file(env, &dir.join(log.file_name().unwrap())), read_file(env, log));
        }
        let manifest = Manifest::read(env, &dir).unwrap().unwrap();
        assert_eq!(manifest, report.manifest);
        assert_eq!((manifest.gen_low, manifest.gen_high), (3, 5));
        assert_eq!(manifest.databases[0].len, 703 * 8192);
        let plan = check_set(env, &dir).unwrap();
        assert_eq!(plan.bytes(), report.bytes);
        // Progress only ever grows, and ends at the total.
        for pair in seen.windows(2) {
            assert!(pair[0].bytes_done <= pair[1].bytes_done, "{pair:?}");
            assert!(pair[0].bytes_total <= pair[1].bytes_total, "{pair:?}");
        }
        let last = seen.last().unwrap();
        assert_eq!((last.phase, last.bytes_done), (Phase::Finishing, last.bytes_total));
        assert_eq!(last.bytes_done, report.bytes);
    }
}

#[test]
fn beside_somebody_who_commits_a_copy_goes_in_small_pieces_and_rests_until_it_is_stopped() {
    const MS: Duration = Duration::from_millis(1);
    for stopped in [false, true] {
        let (setup, _) = Setup::on_sim(&[("a.edb", 700)]);
        let (instance, clock) = (&setup.instance, &setup.instance.env.clock);
        let begun = clock.monotonic();
        let stop = StopToken::new();
        let mut committer = Committer::new(MS / 5, begun);
        committer.stops = stopped.then(|| (begun + 30 * MS, stop.clone()));
        *instance.committer.lock() = Some(committer);
        let mut seen = Vec::new();
        let mut work = |progress: &Progress| {
            seen.push(progress.bytes_done);
            clock.sleep(MS);
            instance.committer.lock().as_mut().unwrap().delay(MS);
        };
        let options = CopyOptions::default();
        let dir = instance.root.join("set");
        let made = backup_to_dir(&setup.context, &instance.env, &dir, options, &mut work, &stop);
        let took = clock.monotonic() - begun;
        assert!(seen.windows(2).all(|pair| pair[1] - pair[0] <= 512 << 10), "{seen:?}");
        if stopped {
            assert_eq!(made.unwrap_err().code(), JetErr::BackupAbortByServer);
            assert!(took >= 30 * MS && took <= 33 * MS, "{took:?}");
        } else {
            made.unwrap();
            check_set(&instance.env, &dir).unwrap();
            let pieces = u32::try_from(seen.len()).unwrap();
            assert!(pieces > 6 && took > 5 * pieces * MS, "{pieces} pieces, {took:?}");
        }
    }
}

#[test]
fn a_directory_that_holds_something_is_left_alone() {
    let setup = Setup::small();
    let dir = setup.instance.root.join("set");
    setup.instance.env.fs.create_dir_all(&dir).unwrap();
    setup.instance.env.fs.open(&dir.join("note.txt"), OpenMode::CreateNew).unwrap();
    let error = copy(&setup, &dir, TRUNCATE).unwrap_err();
    assert_eq!(error.jet_code(), -504, "{error}");
    assert_eq!(names(&setup.instance.env, &dir), ["note.txt"]);
    assert_eq!(setup.context.state(), State::None, "no backup was begun");
    assert!(setup.instance.records.lock().is_empty());
}

#[test]
fn databases_of_one_name_get_names_of_their_own_in_the_set() {
    let setup = Setup::small();
    setup.instance.env.fs.create_dir_all(&setup.instance.root.join("sub")).unwrap();
    setup.instance.attach("sub/a.edb", 3);
    let dir = setup.instance.root.join("set");
    let report = copy(&setup, &dir, CopyOptions::default()).unwrap();
    let entries: Vec<(String, PathBuf)> = report
        .manifest
        .databases
        .iter()
        .map(|entry| (entry.name.clone(), PathBuf::from(&entry.source)))
        .collect();
    let root = &setup.instance.root;
    let expected =
        [("a.edb".to_owned(), root.join("a.edb")), ("a-2.edb".to_owned(), root.join("sub/a.edb"))];
    assert_eq!(entries, expected);
    check_set(&setup.instance.env, &dir).unwrap();
}

/// How a test stops a copy at a call of its progress function.
type StopBy = fn(&Setup, &StopToken);

#[test]
fn a_stop_at_any_moment_leaves_nothing_and_the_next_copy_is_complete() {
    let by: [StopBy; 2] =
        [|setup, _| setup.context.stop(), |_, token| token.stop(StopReason::Requested)];
    for stop in by {
        for existed in [true, false] {
            for moment in 0.. {
                let setup = Setup::new(PageSize::K4, 600);
                let env = &setup.instance.env;
                let dir = setup.instance.root.join("set");
                if existed {
                    env.fs.create_dir_all(&dir).unwrap();
                }
                let token = StopToken::new();
                let mut calls = 0;
                let mut stopped = false;
                let mut progress = |_: &Progress| {
                    if calls == moment {
                        stop(&setup, &token);
                        stopped = true;
                    }
                    calls += 1;
                };
                let options = CopyOptions::default();
                let result =
                    backup_to_dir(&setup.context, env, &dir, options, &mut progress, &token);
                if !stopped {
                    result.unwrap();
                    assert!(moment >= 8, "the copy made {moment} calls only");
                    break;
                }
                // The last call tells of the end: a stop then comes too late.
                let Err(error) = result else { continue };
                assert_eq!(error.jet_code(), -801, "moment {moment}: {error}");
                assert_eq!(names(env, &dir), [""; 0]);
                assert_eq!(env.fs.exists(&dir).unwrap(), existed);
                assert_eq!(setup.instance.on_disk().first(), Some(&1), "no log was deleted");
                assert_eq!(setup.instance.header(0).bkinfo_copy_prev, BkInfo::default());
                copy(&setup, &dir, TRUNCATE).unwrap();
                check_set(env, &dir).unwrap();
            }
        }
    }
}

#[test]
fn a_stop_after_the_truncation_keeps_the_set() {
    let setup = Setup::small();
    let dir = setup.instance.root.join("set");
    let held = setup.instance.hold(Step::Delete);
    let report = std::thread::scope(|scope| {
        let running = scope.spawn(|| copy(&setup, &dir, TRUNCATE));
        held.reached.recv().unwrap();
        setup.context.stop();
        held.go_on.send(()).unwrap();
        running.join().unwrap().unwrap()
    });
    assert_eq!(report.recorded, 0, "a stopped backup leaves no mark in a header");
    assert_eq!(setup.instance.on_disk(), [3, 4, 5]);
    check_set(&setup.instance.env, &dir).unwrap();
}

#[test]
fn a_termination_in_the_middle_of_a_copy_ends_it() {
    let setup = Setup::new(PageSize::K4, 600);
    let dir = setup.instance.root.join("set");
    let mut calls = 0;
    let error = copy_watched(&setup, &dir, TRUNCATE, &mut |_| {
        calls += 1;
        if calls == 2 {
            setup.context.abort_for_term();
        }
    })
    .unwrap_err();
    assert_eq!(error.jet_code(), -801);
    assert!(!setup.instance.env.fs.exists(&dir).unwrap());
}

#[test]
fn a_failure_of_any_call_to_the_output_leaves_nothing() {
    let mut failed = 0;
    for nth in 0.. {
        let (setup, disk) = Setup::on_sim(&[("a.edb", 300)]);
        let env = &setup.instance.env;
        disk.add_fault(Fault::nth_of_all(nth, JetErr::DiskIO).on("/set"));
        let result = copy(&setup, Path::new("/set"), CopyOptions::default());
        if disk.faults_hit() == 0 {
            result.unwrap();
            break;
        }
        failed += 1;
        let error = result.unwrap_err();
        assert_eq!(error.code(), JetErr::DiskIO, "call {nth}");
        disk.heal();
        assert_eq!(names(env, Path::new("/set")), [""; 0], "call {nth}");
        assert_eq!(setup.context.state(), State::None);
        assert_eq!(setup.instance.header(0).bkinfo_copy_prev, BkInfo::default());
        copy(&setup, Path::new("/set2"), TRUNCATE).unwrap();
        check_set(env, Path::new("/set2")).unwrap();
    }
    assert!(failed >= 30, "only {failed} calls could fail");
}

#[test]
fn a_full_disk_is_found_before_anything_is_read() {
    let (setup, disk) = Setup::on_sim(&[("a.edb", 600)]);
    disk.set_free_space(Some(1 << 20));
    let mut read = 0;
    let error = copy_watched(&setup, Path::new("/set"), TRUNCATE, &mut |progress| {
        read = read.max(progress.bytes_done);
    })
    .unwrap_err();
    assert_eq!((error.jet_code(), read), (-1808, 0));
    assert!(!setup.instance.env.fs.exists(Path::new("/set")).unwrap());
    assert_eq!(disk.free_space(), Some(1 << 20), "all space was given back");
}

#[test]
fn a_disk_that_fills_up_while_it_is_written_ends_the_copy_and_no_log_is_gone() {
    let mut failed = 0;
    for nth in 0.. {
        let (setup, disk) = Setup::on_sim(&[("a.edb", 600)]);
        let logs = setup.instance.on_disk();
        disk.add_fault(Fault::nth(OpKind::Write, nth, JetErr::DiskFull).on("/set").forever());
        let result = copy(&setup, Path::new("/set"), TRUNCATE);
        if disk.faults_hit() == 0 {
            result.unwrap();
            break;
        }
        failed += 1;
        assert_eq!(result.unwrap_err().jet_code(), -1808, "write {nth}");
        disk.heal();
        assert!(logs.iter().all(|log| setup.instance.on_disk().contains(log)), "write {nth}");
        assert!(!setup.instance.env.fs.exists(Path::new("/set")).unwrap());
        assert_eq!(setup.context.state(), State::None, "the backup has ended");
        copy(&setup, Path::new("/set"), TRUNCATE).unwrap();
        check_set(&setup.instance.env, Path::new("/set")).unwrap();
    }
    assert!(failed >= 5, "only {failed} writes");
}

#[test]
fn logs_that_cannot_be_deleted_do_not_take_the_complete_set_away() {
    let (setup, disk) = Setup::on_sim(&[("a.edb", 7)]);
    disk.add_fault(Fault::nth(OpKind::Remove, 1, JetErr::FileAccessDenied).on("/inst/edb"));
    let report = copy(&setup, Path::new("/set"), TRUNCATE).unwrap();
    assert_eq!(report.truncation.unwrap().code(), JetErr::FileAccessDenied);
    assert_eq!(setup.instance.on_disk(), [2, 3, 4, 5]);
    check_set(&setup.instance.env, Path::new("/set")).unwrap();
}

#[test]
fn a_power_cut_at_any_moment_leaves_a_complete_set_or_one_that_is_known_as_incomplete() {
    let (setup, disk) = Setup::on_sim(&[("a.edb", 40)]);
    disk.record(true);
    let mut finishing_from = 0;
    copy_watched(&setup, Path::new("/set"), TRUNCATE, &mut |progress| {
        if progress.phase == Phase::Finishing && finishing_from == 0 {
            finishing_from = disk.next_op();
        }
    })
    .unwrap();
    let recording = disk.recording();
    let (mut complete, mut incomplete) = (0, 0);
    for (from_op, budget) in [(0, 700), (finishing_from, 700)] {
        let options = StateOptions { seed: 7, budget, garbage: true, from_op };
        for state in recording.states(options) {
            let disk = ese_sim::SimDisk::from_image(&state.image);
            let env = SimEnv::on(&disk, 1);
            if is_complete(&env, &state.description, &setup.instance.archive(1)) {
                complete += 1;
            } else {
                incomplete += 1;
            }
        }
    }
    assert!(complete > 10 && incomplete > 100, "{complete} complete, {incomplete} not");
}

/// Is the set in `/set` complete? Checks that it is what it says. `old_log` is one that the backup
/// deletes when its set is safe.
fn is_complete(env: &Env, description: &str, old_log: &Path) -> bool {
    let dir = Path::new("/set");
    match Manifest::read(env, dir) {
        Ok(Some(_)) => {
            check_set(env, dir).unwrap_or_else(|error| panic!("{description}: {error}"));
            true
        }
        Ok(None) => {
            assert!(env.fs.exists(old_log).unwrap(), "{description}: logs went too early");
            let marked = env.fs.exists(&dir.join(INCOMPLETE_NAME)).unwrap();
            assert!(marked || names(env, dir).is_empty(), "{description}: {:?}", names(env, dir));
            assert!(RestorePlan::examine(env, dir).is_err(), "{description}");
            false
        }
        Err(error) => panic!("{description}: {error}"),
    }
}

#[test]
fn a_power_cut_while_a_stopped_copy_is_removed_never_leaves_a_complete_set() {
    let (setup, disk) = Setup::on_sim(&[("a.edb", 40)]);
    disk.record(true);
    let error = copy_watched(&setup, Path::new("/set"), TRUNCATE, &mut |progress| {
        if progress.phase == Phase::Finishing {
            setup.context.stop();
        }
    })
    .unwrap_err();
    assert_eq!(error.jet_code(), -801);
    let recording = disk.recording();
    let options = StateOptions { seed: 11, budget: 800, garbage: true, from_op: 0 };
    for state in recording.states(options) {
        let disk = ese_sim::SimDisk::from_image(&state.image);
        let env = SimEnv::on(&disk, 1);
        let left = names(&env, Path::new("/set"));
        let marked = left.iter().any(|name| name == INCOMPLETE_NAME);
        assert!(marked || left.is_empty(), "{}: {left:?}", state.description);
    }
}

#[test]
fn a_power_cut_while_a_complete_set_is_taken_back_never_leaves_a_part_of_it() {
    let (setup, disk) = Setup::on_sim(&[("a.edb", 40), ("b.edb", 40)]);
    disk.add_fault(Fault::nth(OpKind::Write, 0, JetErr::DiskIO).on("/inst/a.edb"));
    disk.record(true);
    let error = copy(&setup, Path::new("/set"), CopyOptions::default()).unwrap_err();
    assert_eq!(error.code(), JetErr::DiskIO, "the header comes after the manifest");
    let recording = disk.recording();
    let mut complete = 0;
    for state in recording.states(StateOptions { seed: 3, budget: 800, garbage: true, from_op: 0 })
    {
        let env = SimEnv::on(&ese_sim::SimDisk::from_image(&state.image), 1);
        let marked = env.fs.exists(&Path::new("/set").join(INCOMPLETE_NAME)).unwrap();
        complete +=
            u32::from(!marked && is_complete(&env, &state.description, &setup.instance.archive(1)));
    }
    assert!(complete > 0, "the cuts reach the moment in which the set was complete");
}

#[test]
fn a_header_that_cannot_be_written_does_not_take_the_only_copy_of_deleted_logs_away() {
    let (setup, disk) = Setup::on_sim(&[("a.edb", 7)]);
    disk.add_fault(Fault::nth(OpKind::Write, 0, JetErr::DiskIO).on("/inst/a.edb"));
    let error = copy(&setup, Path::new("/set"), TRUNCATE).unwrap_err();
    assert_eq!(error.code(), JetErr::DiskIO);
    assert_eq!(setup.instance.on_disk(), [3, 4, 5]);
    assert_eq!(setup.context.state(), State::None);
    check_set(&setup.instance.env, Path::new("/set")).unwrap();
}

#[test]
fn a_failure_of_any_call_to_the_instance_leaves_nothing_or_a_complete_set() {
    let mut failed = 0;
    for nth in 0.. {
        let (setup, disk) = Setup::on_sim(&[("a.edb", 300)]);
        let env = &setup.instance.env;
        disk.add_fault(Fault::nth_of_all(nth, JetErr::DiskIO).on("/inst"));
        let result = copy(&setup, Path::new("/set"), CopyOptions::default());
        if disk.faults_hit() == 0 {
            result.unwrap();
            break;
        }
        disk.heal();
        assert_eq!(setup.context.state(), State::None, "call {nth}");
        match result {
            Ok(_) => {
                check_set(env, Path::new("/set")).unwrap();
            }
            Err(error) => {
                failed += 1;
                assert!(!env.fs.exists(Path::new("/set")).unwrap(), "call {nth}: {error}");
            }
        }
    }
    assert!(failed >= 5, "only {failed} calls could fail");
}

#[test]
fn the_manifest_counts_corrected_pages() {
    let setup = Setup::small();
    let path = setup.database_path();
    setup.instance.poke(&path, PageSize::K4.offset_of(ese_base::Pgno(3)) + 77, |byte| *byte ^= 1);
    let dir = setup.instance.root.join("set");
    let report = copy(&setup, &dir, CopyOptions::default()).unwrap();
    assert_eq!(report.manifest.databases[0].corrected_pages, 1);
    check_set(&setup.instance.env, &dir).unwrap();
}

#[test]
fn a_copy_that_may_not_begin_leaves_the_directory_as_it_was() {
    let setup = Setup::small();
    let env = &setup.instance.env;
    let _other = BackupStream::begin(&setup.context, false).unwrap();
    for existed in [false, true] {
        let above = setup.instance.root.join("sets");
        let dir = above.join("set");
        if existed {
            env.fs.create_dir_all(&dir).unwrap();
        }
        let refused = copy(&setup, &dir, CopyOptions::default()).unwrap_err();
        assert_eq!(refused.code(), JetErr::BackupInProgress);
        assert_eq!(env.fs.exists(&dir).unwrap(), existed);
        assert_eq!(env.fs.exists(&above).unwrap(), existed);
    }
}

/// Reading again helps only against what reading did wrong.
#[test]
fn a_page_whose_checksum_is_right_is_not_read_again() {
    use std::time::Duration;
    let mut damaged = leaf(PageSize::K4, Pgno(5));
    damaged[1000..1100].fill(0xee);
    let mut written_so = leaf(PageSize::K4, Pgno(5));
    // More nodes than there is room for, under a checksum that is right.
    written_so[34..36].fill(0xff);
    ese_pages::checksum::stamp(&mut written_so, Pgno(5));
    for (page, is_read_again) in [(written_so, false), (damaged, true)] {
        let (setup, _disk) = Setup::on_sim(&[("a.edb", 20)]);
        let env = setup.instance.env.clone();
        let file = env.fs.open(&setup.database_path(), OpenMode::ReadWrite).unwrap();
        file.write_at(&page, 6 * 4096).unwrap();
        let begun = env.clock.monotonic();
        let (options, stop) = (CopyOptions::default(), StopToken::new());
        let set = Path::new("/set");
        let error = backup_to_dir(&setup.context, &env, set, options, &mut |_| (), &stop);
        assert_eq!(error.unwrap_err().pgno(), Some(Pgno(5)));
        let took = env.clock.monotonic() - begun;
        assert_eq!(took > Duration::from_secs(10), is_read_again, "{took:?}");
    }
}
