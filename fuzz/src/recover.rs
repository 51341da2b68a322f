//! Directories that somebody made up: files with any name, cut off, damaged, of other moments,
//! twice, missing. Looking at them, planning and recovering ends, with copies or with errors; and
//! nothing but the copies was written.
//!
//! Input: options, then the files, each with a name, what it is made of, and what is wrong with it.

use std::path::{Path, PathBuf};

use ese_api::{
    CopyRequest, LgPos, RecoveryFlags, RecoveryOptions, RedoEnd, Result, StopToken, look_at_logs,
    plan_recovery, recover_by, recover_into,
};
use ese_base::Pgno;
use ese_pages::checksum::{stamp, stamp_header};
use ese_sim::{Image, SimDisk, SimEnv};

use crate::{input::Input, log, stage};

/// Option bit: build the databases from the logs.
pub const FROM_LOGS: u8 = 1;
/// Option bit: pass over logs that are missing or damaged.
pub const LOST_LOGS: u8 = 2;
/// Option bit: end in the second generation.
pub const EARLIER: u8 = 4;
/// Option bit: at last recover in place.
pub const IN_PLACE: u8 = 8;
/// Option bit: name the database to be rolled forward.
pub const ROLL_FORWARD: u8 = 16;

/// Files of one directory at most.
const FILES_MAX: usize = 12;
/// Changes of one file at most.
const CHANGES_MAX: usize = 8;
/// Bytes of a page of the databases.
const PAGE_LEN: usize = 4096;

/// Names that mean something to somebody; `%` stands for a generation.
const NAMES: [&str; 16] = [
    "edb.log",
    "edb0000%.log",
    "a.edb",
    "edb.chk",
    "edbtmp.log",
    "edb0000000%.log",
    "edb.jtx",
    "edb0000%.jtx",
    "edb.jcp",
    "copy of edb0000%.log",
    "EDB0000%.LOG",
    "SRU.log",
    "b.edb",
    "edbres0000%.jrs",
    "a.edb.dblwr",
    "x",
];

/// What is done to a file that was put together.
const CUT: u8 = 1;
const LENGTHEN: u8 = 2;
const STAMP: u8 = 4;

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let options = input.byte();
    let mut image = Image::empty();
    for _ in 0..FILES_MAX {
        if input.is_empty() {
            break;
        }
        let (name, bytes) = file(&mut input);
        image.insert(&Path::new(stage::DIR).join(name), &bytes);
    }
    if image.files().next().is_none() {
        return;
    }
    let said = |result: Result<()>| {
        if let Err(error) = result {
            assert!(!error.to_string().is_empty());
        }
    };
    unchanged(&image, |env| {
        said(look_at_logs(env, Path::new(stage::DIR)).map(drop));
        said(plan_recovery(env, &request(options), &StopToken::new()).map(drop));
        said(recover_into(env, &request(options), &mut |_| (), &StopToken::new()).map(drop));
    });
    if options & IN_PLACE != 0 {
        let mut recovery = RecoveryOptions::default();
        recovery.flags.set(RecoveryFlags::IGNORE_LOST_LOGS, options & LOST_LOGS != 0);
        said(recover_by(&stage::env_of(&image), Path::new(stage::DIR), recovery).map(drop));
    }
}

fn request(options: u8) -> CopyRequest {
    let mut flags = RecoveryFlags::empty();
    flags.set(RecoveryFlags::IGNORE_LOST_LOGS, options & LOST_LOGS != 0);
    let until = (options & EARLIER != 0).then(|| RedoEnd::CutAt(LgPos::new(2, 5, 0)));
    let databases = if options & ROLL_FORWARD != 0 { vec![stage::database()] } else { Vec::new() };
    CopyRequest {
        logs: vec![PathBuf::from(stage::DIR)],
        databases,
        out: PathBuf::from("/out"),
        from_logs: options & FROM_LOGS != 0,
        flags,
        until,
    }
}

/// Does something, and sees to it that every file is as it was.
fn unchanged(image: &Image, work: impl FnOnce(&ese_os::Env)) {
    let disk = SimDisk::from_image(image);
    disk.set_free_space(Some(stage::FREE));
    work(&SimEnv::on(&disk, 1));
    let after = disk.image();
    let of_dir = |image: &Image| {
        let files = image.files().filter(|(path, _)| path.starts_with(stage::DIR));
        files.map(|(path, len)| (path.to_path_buf(), len)).collect::<Vec<_>>()
    };
    assert_eq!(of_dir(image), of_dir(&after), "files came or went");
    for (path, _) in image.files() {
        assert!(image.read(path) == after.read(path), "{} was changed", path.display());
    }
}

/// The next file: its name and its bytes.
fn file(input: &mut Input<'_>) -> (String, Vec<u8>) {
    let (name, generation) = (input.byte(), input.byte() % 10);
    let name = NAMES[usize::from(name) % NAMES.len()].replace('%', &generation.to_string());
    let (moment, source) = (input.byte(), input.byte());
    let mut bytes = source_file(moment, source);
    let what = input.byte();
    for _ in 0..usize::from(input.byte()) % CHANGES_MAX {
        // A place in the file, wherever it ends.
        let (part, byte, value) = (usize::from(input.word()), input.byte(), input.byte());
        let at = (bytes.len() * part >> 16) + usize::from(byte);
        if let Some(place) = bytes.get_mut(at) {
            *place = value;
        }
    }
    if what & STAMP != 0 {
        restamp(&mut bytes, source_name(source).ends_with("edb"));
    }
    if what & CUT != 0 {
        bytes.truncate(bytes.len() * usize::from(input.word()) >> 16);
    }
    if what & LENGTHEN != 0 {
        let len = bytes.len() + usize::from(input.byte()) * 512;
        bytes.resize(len, what);
    }
    (name, bytes)
}

/// Files of the stage, by number.
const SOURCES: [&str; 8] = [
    "a.edb",
    "edb.log",
    "edb00001.log",
    "edb00002.log",
    "edb00003.log",
    "edb00004.log",
    "edb.chk",
    "",
];

fn source_name(source: u8) -> &'static str {
    SOURCES[usize::from(source) % SOURCES.len()]
}

fn source_file(moment: u8, source: u8) -> Vec<u8> {
    let stage = stage::stage();
    let image = [&stage.early, &stage.late, &stage.clean][usize::from(moment) % 3];
    image.read(&Path::new(stage::DIR).join(source_name(source))).unwrap_or_default()
}

/// Makes checksums right, so that the damage is believed.
fn restamp(bytes: &mut [u8], database: bool) {
    if !database {
        return log::stamp(bytes, log::STAMP_HEADER | log::STAMP_SEGMENTS);
    }
    for (page, number) in bytes.chunks_exact_mut(PAGE_LEN).zip(0_u32..) {
        match number {
            0 | 1 => stamp_header(page),
            _ if page.iter().all(|byte| *byte == 0) => {}
            _ => stamp(page, Pgno(number - 1)),
        }
    }
}

/// A whole directory of each moment, one of mixed moments, one without a generation, one with
/// files that are there twice; some with damage that is believed.
pub fn seeds() -> Vec<Vec<u8>> {
    let entry =
        |name: u8, generation: u8, moment: u8, source: u8| [name, generation, moment, source];
    let of_moment = |moment: u8| {
        let mut files =
            vec![entry(2, 0, moment, 0), entry(0, 0, moment, 1), entry(3, 0, moment, 6)];
        for generation in 1..=4 {
            if !source_file(moment, generation + 1).is_empty() {
                files.push(entry(1, generation, moment, generation + 1));
            }
        }
        files
    };
    let mut directories: Vec<Vec<[u8; 4]>> = (0..3).map(of_moment).collect();
    let [early, late, _] = &directories[..] else { return Vec::new() };
    let mixed = [&early[..1], &late[1..]].concat();
    let gap = late.iter().copied().filter(|file| file[1] != 1).collect();
    let twice = [&late[..], &[entry(9, 1, 1, 2), entry(10, 2, 2, 3)]].concat();
    let only_logs = late[1..].to_vec();
    directories.extend([mixed, gap, twice, only_logs]);
    let mut seeds = Vec::new();
    for options in [0, FROM_LOGS, LOST_LOGS | IN_PLACE, EARLIER, ROLL_FORWARD | IN_PLACE] {
        for files in &directories {
            let damages = [(0, &[][..]), (STAMP, &[0x34, 0x12, 77, 3][..]), (CUT, &[])];
            for (what, changes) in damages.into_iter().filter(|(what, _)| options < 2 || *what == 0)
            {
                let mut seed = vec![options];
                for (at, file) in files.iter().enumerate() {
                    // One of them is damaged.
                    let damaged = at == 1;
                    seed.extend_from_slice(file);
                    seed.push(if damaged { what } else { 0 });
                    seed.push(u8::from(damaged && !changes.is_empty()));
                    if damaged {
                        seed.extend_from_slice(changes);
                    }
                    if damaged && what & CUT != 0 {
                        seed.extend_from_slice(&[0, 0x80]);
                    }
                }
                seeds.push(seed);
            }
        }
    }
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_seed_is_a_directory_that_can_be_recovered() {
        let seed = &seeds()[0];
        let mut input = Input::new(&seed[1..]);
        let mut image = Image::empty();
        while !input.is_empty() {
            let (name, bytes) = file(&mut input);
            image.insert(&Path::new(stage::DIR).join(name), &bytes);
        }
        let env = stage::env_of(&image);
        let done = recover_into(&env, &request(0), &mut |_| (), &StopToken::new());
        let [only] = &done.expect("a database with its log").databases[..] else {
            panic!("one database")
        };
        assert!(only.outcome.is_ok(), "{:?}", only.outcome);
    }
}
