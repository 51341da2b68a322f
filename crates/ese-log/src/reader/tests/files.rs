//! Which files make a stream, and what is said when they do not.

use ese_base::{Generation, LgPos, LogTime, Signature};
use ese_os::{Env, OpenMode};
use ese_pages::checksum::stamp_header;

use crate::{testing::*, *};

/// Five generations with two records each.
fn stream(env: &Env) {
    let log = Log::create(env, &config(), signature()).unwrap();
    for generation in 0..5 {
        for number in 0..2 {
            append(&log, generation * 2 + number, 200).unwrap();
        }
        if generation < 4 {
            log.roll().unwrap();
        }
    }
    log.flush_all().unwrap();
}

fn scan(env: &Env) -> LogStream {
    LogStream::scan(env, &config().names).unwrap()
}

fn archive(generation: u32) -> std::path::PathBuf {
    config().names.archive(Generation(generation))
}

/// The code that reading everything from the oldest file by number ends with; 0 if all is well.
fn code_from(env: &Env, from: u32) -> i32 {
    let stream = scan(env);
    let mut reader = match stream.reader(LgPos::new(from, 0, 0)) {
        Ok(reader) => reader,
        Err(e) => return e.jet_code(),
    };
    loop {
        match reader.next() {
            Ok(None) => return 0,
            Ok(Some(_)) => {}
            Err(e) => return e.jet_code(),
        }
    }
}

/// Changes a header and gives it a right checksum again.
fn edit_header(env: &Env, path: &std::path::Path, edit: impl FnOnce(&mut [u8])) {
    let file = env.fs.open(path, OpenMode::ReadWrite).unwrap();
    let mut header = vec![0; 4096];
    file.read_at(&mut header, 0).unwrap();
    edit(&mut header);
    stamp_header(&mut header);
    file.write_at(&header, 0).unwrap();
}

#[test]
fn an_empty_directory_is_no_stream_and_neither_is_a_temporary_file() {
    let (env, _) = machine(1);
    assert_eq!(scan(&env).situation(), Situation::Empty);
    assert_eq!(scan(&env).newest_header().unwrap_err().jet_code(), -528);
    stream(&env);
    env.fs.rename(&config().names.current(), &config().names.temporary()).unwrap();
    for generation in 1..5 {
        env.fs.remove_file(&archive(generation)).unwrap();
    }
    assert_eq!(scan(&env).situation(), Situation::Empty);
}

#[test]
fn a_missing_generation_is_told_but_not_below_the_start() {
    let (env, _) = machine(1);
    stream(&env);
    assert_eq!(code_from(&env, 1), 0);
    env.fs.remove_file(&archive(2)).unwrap();
    assert_eq!(code_from(&env, 1), -528);
    assert_eq!(code_from(&env, 2), -528);
    assert_eq!(code_from(&env, 3), 0);
    assert_eq!(code_from(&env, 6), -528);
    assert_eq!(code_from(&env, 0), -528);
    assert_eq!(scan(&env).oldest().unwrap(), Generation(3));
    assert_eq!(read(&env).unwrap().unwrap().numbers, [4, 5, 6, 7, 8, 9]);
}

#[test]
fn reading_starts_at_a_position() {
    let (env, _) = machine(1);
    stream(&env);
    let contents = read(&env).unwrap().unwrap();
    let stream = scan(&env);
    for (at, (pos, _)) in contents.places.iter().enumerate() {
        let mut reader = stream.reader(*pos).unwrap();
        let entry = reader.next().unwrap().unwrap();
        assert_eq!(entry.pos, *pos);
        assert_eq!(number_of(&entry.record), Some(at as u64));
    }
    let (_, end) = contents.places[9];
    assert!(stream.reader(end).unwrap().next().unwrap().is_none());
}

#[test]
fn a_current_log_that_is_missing_is_told_apart_from_an_unfinished_roll() {
    let (env, _) = machine(1);
    stream(&env);
    let names = config().names;
    env.fs.rename(&names.current(), &names.temporary()).unwrap();
    assert_eq!(scan(&env).situation(), Situation::UnfinishedRoll);
    let contents = read(&env).unwrap().unwrap();
    assert_eq!(contents.numbers, (0..10).collect::<Vec<_>>());
    let log = Log::resume(&env, &config(), &contents.end).unwrap();
    append(&log, 10, 10).unwrap();
    log.flush_all().unwrap();
    assert_eq!(log.written_generation().0, Generation(5));
    assert_eq!(read(&env).unwrap().unwrap().numbers, (0..11).collect::<Vec<_>>());
    drop(log);

    // A temporary file that does not follow the newest archive is none of the stream.
    env.fs.rename(&names.current(), &names.temporary()).unwrap();
    edit_header(&env, &names.temporary(), |header| header[16] ^= 1);
    edit_header(&env, &names.temporary(), |header| header[24] ^= 1);
    assert_eq!(scan(&env).situation(), Situation::CurrentMissing);
    // Whoever accepts the loss goes on behind the newest archive.
    let stream = scan(&env);
    let mut reader = stream.reader(LgPos::new(1, 0, 0)).unwrap();
    let mut count = 0;
    while reader.next().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 8);
    let log = Log::resume(&env, &config(), &reader.end().unwrap()).unwrap();
    append(&log, 8, 10).unwrap();
    log.flush_all().unwrap();
    assert_eq!(log.written_generation().0, Generation(5));
    assert_eq!(read(&env).unwrap().unwrap().numbers, (0..9).collect::<Vec<_>>());
}

#[test]
fn generations_that_do_not_chain_are_told() {
    type Edit = fn(&mut [u8]);
    let cases: [(u32, Edit, i32); 9] = [
        (3, |h| h[44] ^= 1, -530),  // signature
        (3, |h| h[24] ^= 1, -515),  // creation time of the one before
        (3, |h| h[653] ^= 1, -501), // checksum of the one before, which is not full
        (3, |h| h[4] = 9, -513),    // another generation than the name says
        (3, |h| h[12] = 32, -541),  // size
        (3, |h| h[32] = 9, -514),   // unknown version
        (3, |h| h[15] = 0x21, -1213),
        (3, |h| h[667] = 1, -1812),
        // The older format, with segments where its ranges must be.
        (
            1,
            |h| {
                h[32] = 7;
                h[36..38].copy_from_slice(&3704_u16.to_le_bytes());
            },
            -501,
        ),
    ];
    for (generation, edit, code) in cases {
        let (env, _) = machine(1);
        stream(&env);
        edit_header(&env, &archive(generation), edit);
        assert_eq!(code_from(&env, 1), code);
        // It does not matter for what starts behind it.
        assert_eq!(code_from(&env, 4), 0);
    }
    let (env, _) = machine(1);
    stream(&env);
    let file = env.fs.open(&archive(2), OpenMode::ReadWrite).unwrap();
    file.write_at(&[7; 100], 50).unwrap();
    assert_eq!(code_from(&env, 1), -501);
    file.set_len(1000).unwrap();
    assert_eq!(code_from(&env, 1), -501);
}

#[test]
fn a_full_generation_with_other_segments_than_its_successor_says_is_told() {
    let (env, _) = machine(1);
    let log = Log::create(&env, &config(), signature()).unwrap();
    for number in 0..20 {
        append(&log, number, 4000).unwrap();
    }
    log.flush_all().unwrap();
    assert_eq!(code_from(&env, 1), 0);
    edit_header(&env, &config().names.current(), |h| h[653] ^= 1);
    assert_eq!(code_from(&env, 1), -590);
}

#[test]
fn files_are_found_in_any_case_and_with_either_ending() {
    let (env, _) = machine(1);
    stream(&env);
    let dir = config().names.dir().to_path_buf();
    env.fs.rename(&archive(2), &dir.join("EDB00002.LOG")).unwrap();
    env.fs.rename(&archive(3), &dir.join("edb00000003.log")).unwrap();
    env.fs.rename(&config().names.current(), &dir.join("Edb.Log")).unwrap();
    let contents = read(&env).unwrap().unwrap();
    assert_eq!(contents.numbers, (0..10).collect::<Vec<_>>());
    // Going on gives the current log its usual name.
    let log = Log::resume(&env, &config(), &contents.end).unwrap();
    append(&log, 10, 10).unwrap();
    log.flush_all().unwrap();
    assert!(env.fs.exists(&config().names.current()).unwrap());
    assert_eq!(read(&env).unwrap().unwrap().numbers, (0..11).collect::<Vec<_>>());

    let (env, _) = machine(1);
    let names = config().names.with_extension(Extension::Jet).with_long_numbers(true);
    let log = Log::create(&env, &LogConfig { names, ..config() }, signature()).unwrap();
    append(&log, 0, 10).unwrap();
    log.roll().unwrap();
    append(&log, 1, 10).unwrap();
    log.flush_all().unwrap();
    assert!(env.fs.exists(&dir.join("edb00000001.jtx")).unwrap());
    drop(log);
    let contents = read(&env).unwrap().unwrap();
    assert_eq!(contents.numbers, [0, 1]);
    let log = Log::resume(&env, &config(), &contents.end).unwrap();
    log.roll().unwrap();
    assert!(env.fs.exists(&dir.join("edb00000002.jtx")).unwrap());
}

#[test]
fn a_stream_of_another_format_version_goes_on_in_a_new_generation() {
    let (env, _) = machine(1);
    stream(&env);
    edit_header(&env, &config().names.current(), |h| h[648] = 140);
    let contents = read(&env).unwrap().unwrap();
    let log = Log::resume(&env, &config(), &contents.end).unwrap();
    assert_eq!(append(&log, 10, 10).unwrap().start, LgPos::new(6, 1, 0));
    log.flush_all().unwrap();
    assert_eq!(read(&env).unwrap().unwrap().numbers, (0..11).collect::<Vec<_>>());
}

#[test]
fn another_page_size_is_refused() {
    let (env, _) = machine(1);
    stream(&env);
    let end = read(&env).unwrap().unwrap().end;
    let config = LogConfig { page_size: ese_base::PageSize::K8, ..config() };
    assert_eq!(Log::resume(&env, &config, &end).unwrap_err().jet_code(), -1213);
}

#[test]
fn a_new_stream_does_not_take_over_an_old_temporary_file() {
    let (env, _) = machine(1);
    let other = Signature::new(9, LogTime::NULL);
    let log = Log::create(&env, &config(), other).unwrap();
    for number in 100..120 {
        append(&log, number, 1000).unwrap();
    }
    log.roll().unwrap();
    for number in 200..220 {
        append(&log, number, 1000).unwrap();
    }
    log.flush_all().unwrap();
    drop(log);
    env.fs.rename(&config().names.current(), &config().names.temporary()).unwrap();
    env.fs.remove_file(&archive(1)).unwrap();
    let log = Log::create(&env, &config(), signature()).unwrap();
    append(&log, 0, 10).unwrap();
    log.roll().unwrap();
    append(&log, 1, 10).unwrap();
    log.flush_all().unwrap();
    assert_eq!(read(&env).unwrap().unwrap().numbers, [0, 1]);
}
