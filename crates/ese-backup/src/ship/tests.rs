//! Shipping a log that is being written.

use std::sync::atomic::{AtomicU64, Ordering};

use ese_base::{LgPos, LogTime, ProcId};
use ese_log::{
    Log, LogConfig, LogFile, LogName, LogNames, LogStream, Record, StreamReader, records::Trace,
};
use ese_sim::{SimDisk, SimEnv, StateOptions};

use super::*;

fn config(dir: &Path) -> LogConfig {
    LogConfig { file_len: 64 << 10, reserves: 0, ..LogConfig::new(dir.to_path_buf(), "edb") }
}

fn new_log(env: &Env, dir: &Path, number: u32) -> Log {
    env.fs.create_dir_all(dir).unwrap();
    let signature = Signature::new(number, LogTime::from_unix_ms(1));
    Log::create(env, &config(dir), signature).unwrap()
}

/// Appends a record with a number in it, of a length that differs, and makes it durable.
fn write(log: &Log, number: u64) {
    let text = format!("{number} {}", "x".repeat(usize::try_from(number * 37 % 900).unwrap()));
    let trace = Trace { procid: ProcId(1), text: text.as_bytes(), rollover: false };
    let appended = log.append(&Record::Trace(trace)).unwrap();
    log.flush(appended.end).unwrap();
}

fn shipper(env: &Env, from: &Path, to: &Path) -> Shipper {
    let to = DirDestination::open(env, to).unwrap();
    Shipper::new(env, from, "edb", Box::new(to)).unwrap()
}

/// How many records are in what was shipped; they are the first ones without a hole.
fn shipped(env: &Env, to: &Path) -> u64 {
    let mut count = 0;
    for entry in env.fs.list(to).unwrap() {
        if LogName::archive(&entry.name).is_none() {
            continue;
        }
        let file = LogFile::read(env, to.join(&entry.name)).unwrap();
        let mut reader = StreamReader::of_file(env, &file);
        while let Some(entry) = reader.next().unwrap() {
            if let Record::Trace(trace) = entry.record {
                let text = String::from_utf8(trace.text.to_vec()).unwrap();
                let number = text.split(' ').next().unwrap();
                assert_eq!(number, count.to_string(), "a record is missing or there twice");
                count += 1;
            }
        }
    }
    count
}

#[test]
fn each_step_ships_what_was_durable_before_it() {
    let (env, _disk) = SimEnv::new(1);
    let (from, to) = (Path::new("/log"), Path::new("/shipped"));
    let log = new_log(&env, from, 7);
    let mut ship = shipper(&env, from, to);
    for number in 0..400 {
        write(&log, number);
        if number % 7 == 0 {
            let step = ship.step().unwrap();
            assert!(step.open.is_some() || !step.finished.is_empty());
            assert_eq!(shipped(&env, to), number + 1);
            assert_eq!(ship.step().unwrap(), Shipped::default(), "there is nothing new");
        }
        if number % 100 == 50 {
            log.roll().unwrap();
        }
        if number % 150 == 70 {
            // Another process goes on.
            drop(ship);
            ship = shipper(&env, from, to);
        }
    }
    ship.step().unwrap();
    let state = ship.state().unwrap();
    assert!(state.gen_low == 1 && state.gen_finished >= 4);
    assert_eq!(state.gen_open, state.gen_finished + 1);
}

#[test]
fn what_is_shipped_while_others_write_is_always_a_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::real();
    let (from, to) = (dir.path().join("log"), dir.path().join("shipped"));
    let log = new_log(&env, &from, 7);
    let durable = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..3000 {
                write(&log, number);
                durable.store(number + 1, Ordering::Release);
            }
        });
        let mut ship = shipper(&env, &from, &to);
        let (mut steps, mut last) = (0, 0);
        while last < 3000 {
            let before = durable.load(Ordering::Acquire);
            ship.step().unwrap();
            last = shipped(&env, &to);
            assert!(last >= before, "{last} records were shipped, {before} were durable");
            steps += 1;
        }
        assert!(steps > 3, "{steps}");
    });
}

#[test]
fn a_generation_that_went_too_early_and_another_log_are_refused() {
    let (env, _disk) = SimEnv::new(1);
    let (from, to) = (Path::new("/log"), Path::new("/shipped"));
    let log = new_log(&env, from, 7);
    let mut ship = shipper(&env, from, to);
    write(&log, 0);
    ship.step().unwrap();
    for _ in 0..3 {
        log.roll().unwrap();
    }
    env.fs.remove_file(&from.join("edb00001.log")).unwrap();
    let error = ship.step().unwrap_err();
    assert_eq!((error.code(), error.generation()), (JetErr::MissingLogFile, Some(Generation(1))));
    drop((log, ship));
    let log = new_log(&env, Path::new("/other"), 8);
    write(&log, 0);
    let error = shipper(&env, Path::new("/other"), to).step().unwrap_err();
    assert_eq!(error.code(), JetErr::BadLogSignature);
    // An older copy of the same instance.
    let log = new_log(&env, Path::new("/copy"), 7);
    write(&log, 0);
    let (copy, to) = (Path::new("/copy"), Path::new("/shipped2"));
    let mut ship = shipper(&env, copy, to);
    log.roll().unwrap();
    ship.step().unwrap();
    drop((log, ship));
    let older = new_log(&env, Path::new("/older"), 7);
    write(&older, 0);
    let error = shipper(&env, Path::new("/older"), to).step().unwrap_err();
    assert_eq!(error.code(), JetErr::LogGenerationMismatch);
}

#[test]
fn a_power_cut_of_the_destination_leaves_whole_files_and_the_next_step_goes_on() {
    let (env, disk) = SimEnv::new(1);
    let (from, to) = (Path::new("/log"), Path::new("/shipped"));
    let log = new_log(&env, from, 7);
    disk.record(true);
    let mut ship = shipper(&env, from, to);
    for number in 0..60 {
        write(&log, number);
        if number % 20 == 0 {
            ship.step().unwrap();
            log.roll().unwrap();
        }
    }
    ship.step().unwrap();
    drop(log);
    let mut states = 0;
    let options = StateOptions { seed: 3, budget: 300, garbage: true, from_op: 0 };
    for state in disk.recording().states(options) {
        let env = SimEnv::on(&SimDisk::from_image(&state.image), 1);
        if !env.fs.exists(to).unwrap() {
            continue;
        }
        let count = shipped(&env, to);
        assert!(count <= 60, "{}", state.description);
        states += 1;
    }
    assert!(states > 50, "{states}");
}

#[test]
fn nobody_ships_into_the_directory_of_an_instance_or_beside_another() {
    let (env, _disk) = SimEnv::new(1);
    let (from, to) = (Path::new("/log"), Path::new("/shipped"));
    let log = new_log(&env, from, 7);
    write(&log, 0);
    log.roll().unwrap();
    let into = |dir: &Path| {
        let to = DirDestination::open(&env, dir)?;
        Shipper::new(&env, from, "edb", Box::new(to))
    };
    assert_eq!(into(from).unwrap_err().code(), JetErr::BackupDirectoryNotEmpty);
    let mut ship = into(to).unwrap();
    assert_eq!(into(to).unwrap_err().code(), JetErr::FileAccessDenied);
    ship.step().unwrap();
    drop(ship);
    into(to).unwrap().step().unwrap();
    assert_eq!(shipped(&env, to), 1);
}

#[test]
fn logs_of_another_stream_are_not_written_over_where_the_state_is_lost() {
    let (env, _disk) = SimEnv::new(1);
    let (from, other, to) = (Path::new("/log"), Path::new("/other"), Path::new("/shipped"));
    for (dir, random) in [(from, 7), (other, 8)] {
        let log = new_log(&env, dir, random);
        write(&log, 0);
        log.roll().unwrap();
    }
    shipper(&env, other, to).step().unwrap();
    env.fs.remove_file(&to.join(STATE_NAME)).unwrap();
    let refused = shipper(&env, from, to).step().unwrap_err();
    assert_eq!(refused.code(), JetErr::BadLogSignature);
    assert_eq!(refused.path(), Some(to.join("edb00001.log").as_path()));
    shipper(&env, other, to).step().unwrap();
}

#[test]
fn a_generation_is_whole_only_when_the_next_one_has_its_name() {
    let (env, _disk) = SimEnv::new(1);
    let (from, to) = (Path::new("/log"), Path::new("/shipped"));
    let log = new_log(&env, from, 7);
    write(&log, 0);
    drop(log);
    // As in the middle of a roll: the finished file has its name, the next one not yet.
    env.fs.rename(&from.join("edb.log"), &from.join("edb00001.log")).unwrap();
    let mut ship = shipper(&env, from, to);
    assert_eq!(ship.step().unwrap_err().code(), JetErr::MissingLogFile);
    assert!(ship.state().is_none(), "a power cut could give it its old name back");
}

#[test]
fn a_log_that_was_put_back_and_went_another_way_is_not_joined_to_what_was_shipped() {
    let (env, disk) = SimEnv::new(1);
    let (from, to) = (Path::new("/log"), Path::new("/shipped"));
    let go_on = |env: &Env, log: &Log, generations: u64| {
        for number in 0..generations {
            write(log, number);
            env.clock.sleep(std::time::Duration::from_secs(1 + generations));
            log.roll().unwrap();
        }
    };
    let log = new_log(&env, from, 7);
    go_on(&env, &log, 2);
    let mut image = disk.image();
    go_on(&env, &log, 3);
    shipper(&env, from, to).step().unwrap();
    drop(log);
    for (path, _) in disk.image().files().filter(|(path, _)| path.starts_with(to)) {
        image.insert(path, &disk.image().read(path).unwrap());
    }
    let env = SimEnv::on(&SimDisk::from_image(&image), 2);
    let stream = LogStream::scan(&env, &LogNames::new(from, "edb")).unwrap();
    let last = LgPos { generation: stream.newest().unwrap(), isec: 0, ib: 0 };
    let end = stream.reader(last).unwrap().end().unwrap();
    let log = Log::resume(&env, &config(from), &end).unwrap();
    go_on(&env, &log, 4);
    let error = shipper(&env, from, to).step().unwrap_err();
    assert_eq!(error.code(), JetErr::GivenLogFileIsNotContiguous, "{error}");
}

#[test]
fn what_was_lost_or_damaged_at_the_destination_is_shipped_again_or_told() {
    let (env, _disk) = SimEnv::new(1);
    let (from, to) = (Path::new("/log"), Path::new("/shipped"));
    let log = new_log(&env, from, 7);
    for number in 0..6 {
        write(&log, number);
        log.roll().unwrap();
    }
    write(&log, 6);
    let at = |dir: &Path, generation: u32| dir.join(format!("edb{generation:05X}.log"));
    let damage = |generation: u32| {
        let file = env.fs.open(&at(to, generation), OpenMode::ReadWrite).unwrap();
        file.write_at(b"damaged", 5000).unwrap();
    };
    let mut ship = shipper(&env, from, to);
    assert!(ship.step().unwrap().again.is_empty());
    drop(ship);
    // The first of all, one in the middle, one that is damaged, one that is cut off, the open one.
    for generation in [1, 3, 7] {
        env.fs.remove_file(&at(to, generation)).unwrap();
    }
    damage(4);
    env.fs.open(&at(to, 5), OpenMode::ReadWrite).unwrap().set_len(5000).unwrap();
    let mut ship = shipper(&env, from, to);
    let step = ship.step().unwrap();
    assert_eq!(step.again, [1, 3, 4, 5].map(Generation));
    assert_eq!((step.open, step.begins), (Some(Generation(7)), None));
    assert_eq!(shipped(&env, to), 7);
    assert_eq!(ship.step().unwrap(), Shipped::default());
    // While it runs, too; with its state.
    env.fs.remove_file(&at(to, 2)).unwrap();
    env.fs.remove_file(&to.join(STATE_NAME)).unwrap();
    assert_eq!(ship.step().unwrap().again, [Generation(2)]);
    env.fs.remove_file(&at(to, 6)).unwrap();
    write(&log, 7);
    log.roll().unwrap();
    write(&log, 8);
    assert_eq!(ship.step().unwrap().again, [Generation(6)]);
    assert_eq!(shipped(&env, to), 9);
    drop(ship);
    // What the instance has not, either: the oldest may go, a hole may not be.
    for generation in [1, 2, 4] {
        env.fs.remove_file(&at(from, generation)).unwrap();
    }
    for generation in [1, 2] {
        env.fs.remove_file(&at(to, generation)).unwrap();
    }
    let mut ship = shipper(&env, from, to);
    let step = ship.step().unwrap();
    assert_eq!((step.begins, step.again.len()), (Some(Generation(3)), 0));
    assert_eq!(ship.state().unwrap().gen_low, 3);
    drop(ship);
    env.fs.remove_file(&at(to, 4)).unwrap();
    let refused = shipper(&env, from, to).step().unwrap_err();
    assert_eq!(
        (refused.code(), refused.generation()),
        (JetErr::MissingLogFile, Some(Generation(4)))
    );
    assert_eq!(refused.path(), Some(at(to, 4).as_path()));
}

#[test]
fn what_is_damaged_is_found_a_few_generations_at_a_time() {
    let (env, _disk) = SimEnv::new(1);
    let (from, to) = (Path::new("/log"), Path::new("/shipped"));
    let log = new_log(&env, from, 7);
    for number in 0..20 {
        write(&log, number);
        log.roll().unwrap();
    }
    shipper(&env, from, to).step().unwrap();
    for restarted in [false, true] {
        let bad = to.join("edb00013.log");
        env.fs.open(&bad, OpenMode::ReadWrite).unwrap().write_at(b"damaged", 5000).unwrap();
        let mut ship = shipper(&env, from, to);
        let mut found = Vec::new();
        for _ in 0..20_usize.div_ceil(COMPARED_A_STEP) {
            found.extend(ship.step().unwrap().again);
            if restarted {
                drop(ship);
                ship = shipper(&env, from, to);
            }
        }
        assert_eq!(found, [Generation(0x13)], "restarted: {restarted}");
        assert_eq!(ship.step().unwrap().again, []);
    }
    assert_eq!(shipped(&env, to), 20);
}

#[test]
fn a_generation_of_another_way_is_not_taken_for_a_damaged_one() {
    let (env, _disk) = SimEnv::new(1);
    let (from, other, to) = (Path::new("/log"), Path::new("/other"), Path::new("/shipped"));
    for dir in [from, other] {
        let log = new_log(&env, dir, 7);
        for number in 0..3 {
            write(&log, number);
            env.clock.sleep(std::time::Duration::from_secs(2));
            log.roll().unwrap();
        }
    }
    shipper(&env, from, to).step().unwrap();
    let before = env.fs.open(&to.join("edb00002.log"), OpenMode::Read).unwrap();
    let mut bytes = vec![0; 64 << 10];
    before.read_at(&mut bytes, 0).unwrap();
    assert!(shipper(&env, other, to).step().is_err());
    let mut after = vec![0; 64 << 10];
    let file = env.fs.open(&to.join("edb00002.log"), OpenMode::Read).unwrap();
    file.read_at(&mut after, 0).unwrap();
    assert!(before.len().unwrap() == file.len().unwrap() && bytes == after);
}
