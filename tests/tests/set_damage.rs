//! Damage anywhere in a backup set: a verification or a restore names the file, and the page or the
//! generation, or what is restored is what was backed up. Nothing else may come of it: no panic, no
//! silent loss.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what was tried is part of the result; a failing step fails the test"
)]

use std::path::{Path, PathBuf};

use ese_api::{
    ColType, CopyOptions, Error, Instance, PauseBy, RestoreOptions, RestorePlan, RestoreTarget,
    StopToken, TableBuilder, Value, row, verify_set,
};
use ese_os::Env;
use ese_sim::{Image, SimDisk, SimEnv};

const PAGE: usize = 4096;
const MANIFEST: &str = "ese-backup.json";

/// A set, as files of a simulated disk.
struct Set {
    image: Image,
    rows: Vec<(i32, Vec<u8>)>,
    files: Vec<(String, u64)>,
}

fn start(env: &Env, dir: &str) -> Instance {
    let builder = Instance::builder(dir).env(env.clone(), PauseBy::Clock);
    builder.log_file_size(64 << 10).start().unwrap()
}

fn rows_of(env: &Env, dir: &str) -> Vec<(i32, Vec<u8>)> {
    let instance = start(env, dir);
    let database = instance.open_database(Path::new(dir).join("a.edb")).unwrap();
    let session = instance.session().unwrap();
    let table = database.table(&session, "t").unwrap();
    let rows = table.rows(&session).map(|row| match row.unwrap().into_values().as_slice() {
        [Value::I32(id), Value::Binary(value)] => (*id, value.clone()),
        other => panic!("{other:?}"),
    });
    let rows = rows.collect();
    drop((table, session, database));
    instance.stop().unwrap();
    rows
}

impl Set {
    fn new(seed: u64) -> Set {
        let (env, disk) = SimEnv::new(seed);
        env.fs.create_dir_all(Path::new("/store")).unwrap();
        let instance = start(&env, "/store");
        let database = instance.open_or_create_database("/store/a.edb").unwrap();
        let mut session = instance.session().unwrap();
        let table = TableBuilder::new("t")
            .column("id", ColType::Long)
            .column("value", ColType::Binary)
            .primary(&["id"]);
        let table = database.create_table(&mut session, table).unwrap();
        for from in [0, 200, 400] {
            let mut transaction = session.begin().unwrap();
            for id in from..from + 200 {
                let value = vec![u8::try_from(id % 251).unwrap(); 180];
                table.insert(&mut transaction, &row! { "id" => id, "value" => value }).unwrap();
            }
            transaction.commit().unwrap();
        }
        let (options, stop) = (CopyOptions::default(), StopToken::new());
        instance.backup_to_dir_with("/set", options, &mut |_| (), &stop).unwrap();
        drop((table, session, database));
        instance.stop().unwrap();
        let (all, mut image, mut files) = (disk.image(), Image::empty(), Vec::new());
        for (path, len) in all.files().filter(|(path, _)| path.starts_with("/set")) {
            image.insert(path, &all.read(path).unwrap());
            files.push((path.file_name().unwrap().to_str().unwrap().to_owned(), len));
        }
        Set { image, rows: rows_of(&env, "/store"), files }
    }

    fn without_manifest(mut self) -> Set {
        assert!(self.image.remove(&at(MANIFEST)));
        self.files.retain(|(name, _)| name != MANIFEST);
        self
    }

    fn has_manifest(&self) -> bool {
        self.files.iter().any(|(name, _)| name == MANIFEST)
    }

    fn logs(&self) -> Vec<String> {
        let names = self.files.iter().map(|(name, _)| name.clone());
        names.filter(|name| name.ends_with(".log")).collect()
    }

    fn flipped(&self, name: &str, offset: usize) -> Image {
        let mut image = self.image.clone();
        let bit = 1 << (offset % 8);
        assert!(image.damage(&at(name), offset as u64, 1, |bytes| bytes[0] ^= bit));
        image
    }

    /// Examines a set, and goes on as far as it is to while nothing is found.
    fn check(&self, image: &Image, depth: Depth) -> Result<(), Error> {
        let disk = SimDisk::from_image(image);
        let env = SimEnv::on(&disk, 1);
        let stop = StopToken::new();
        let plan = RestorePlan::examine(&env, Path::new("/set"))?;
        if depth > Depth::Examine {
            verify_set(&env, &plan, &mut |_| (), &stop)?;
        }
        if depth == Depth::Restore {
            let target = RestoreTarget::in_dir(Path::new("/there"));
            let (force, keep_damaged, progress) = (false, false, &mut |_: &_| ());
            let mut options = RestoreOptions { force, keep_damaged, progress, stop };
            ese_api::restore_with(&env, Path::new("/set"), &target, &mut options)?;
            assert!(rows_of(&env, "/there") == self.rows, "other rows were restored");
        }
        Ok(())
    }
}

/// How far a set is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Examine,
    Verify,
    Restore,
}

impl Depth {
    /// One of so many is restored.
    fn restore_one_of(every: usize, count: usize) -> Depth {
        if count.is_multiple_of(every) { Depth::Restore } else { Depth::Verify }
    }
}

fn at(name: &str) -> PathBuf {
    Path::new("/set").join(name)
}

/// The error names the file, and where in it.
fn names(error: &Error, file: &str, what: &str) {
    let path = error.path().and_then(|path| path.file_name()).unwrap_or_default();
    assert_eq!(path.to_str(), Some(file), "{what}: {error}");
    let place = error.pgno().is_some() || error.generation().is_some();
    // Headers and trailers have no number, and a sum is that of a whole file.
    let whole = file == MANIFEST || file.ends_with(".edb");
    assert!(place || whole, "{what}: {error}");
}

#[derive(Default)]
struct Tally {
    found: usize,
    harmless: usize,
}

impl Tally {
    fn flip(&mut self, set: &Set, name: &str, offset: usize, depth: Depth) {
        let what = format!("{name}, byte {offset}, manifest {}", set.has_manifest());
        match set.check(&set.flipped(name, offset), depth) {
            Err(error) => {
                names(&error, name, &what);
                self.found += 1;
            }
            Ok(()) => {
                assert!(!set.has_manifest(), "{what}: not noticed");
                self.harmless += 1;
            }
        }
    }
}

fn both() -> [Set; 2] {
    [Set::new(1), Set::new(1).without_manifest()]
}

#[test]
fn every_byte_of_headers_and_trailers() {
    headers_and_trailers(&Set::new(1));
}

#[test]
fn every_byte_of_headers_and_trailers_without_a_manifest() {
    headers_and_trailers(&Set::new(1).without_manifest());
}

fn headers_and_trailers(set: &Set) {
    let (mut tally, mut log) = (Tally::default(), Tally::default());
    let len = usize::try_from(set.files.iter().find(|(name, _)| name == "a.edb").unwrap().1);
    let trailer = len.unwrap() - PAGE;
    for offset in (0..2 * PAGE).chain(trailer..trailer + PAGE) {
        let depth = match Depth::restore_one_of(397, offset) {
            // Without a manifest one copy of the header is as good as the other.
            Depth::Verify if !set.has_manifest() && offset % 16 != 0 => Depth::Examine,
            depth => depth,
        };
        tally.flip(set, "a.edb", offset, depth);
    }
    for name in set.logs().iter().take(2) {
        for offset in 0..PAGE {
            log.flip(set, name, offset, Depth::restore_one_of(397, offset));
        }
    }
    println!(
        "manifest {}: database {} found, {} harmless; log {} found, {} harmless",
        set.has_manifest(),
        tally.found,
        tally.harmless,
        log.found,
        log.harmless
    );
    // The other copy of a header is enough, but not of a log's.
    assert_eq!(log.harmless, 0);
    assert!(tally.found >= PAGE && tally.harmless <= 2 * PAGE);
}

#[test]
fn bytes_of_pages_and_segments() {
    pages_and_segments(&Set::new(1));
}

#[test]
fn bytes_of_pages_and_segments_without_a_manifest() {
    pages_and_segments(&Set::new(1).without_manifest());
}

fn pages_and_segments(set: &Set) {
    let mut tally = Tally::default();
    for (name, len) in set.files.iter().filter(|(name, _)| name != MANIFEST) {
        let len = usize::try_from(*len).unwrap();
        for (count, offset) in (2 * PAGE..len).step_by(611).enumerate() {
            tally.flip(set, name, offset, Depth::restore_one_of(23, count));
        }
        // More than one bit of a page or a segment.
        for index in 2..len / PAGE {
            let mut image = set.image.clone();
            let offset = (index * PAGE + 40) as u64;
            image.damage(&at(name), offset, 600, |bytes| {
                for (number, byte) in (0_u8..=u8::MAX).cycle().zip(bytes) {
                    *byte = byte.wrapping_mul(3).wrapping_add(number | 1);
                }
            });
            let what = format!("{name}, page {index}, manifest {}", set.has_manifest());
            match set.check(&image, Depth::Restore) {
                Err(error) => names(&error, name, &what),
                Ok(()) => assert!(!set.has_manifest(), "{what}: not noticed"),
            }
        }
    }
    println!("manifest {}: {} found, {} harmless", set.has_manifest(), tally.found, tally.harmless);
    assert!(tally.found > 300);
}

#[test]
fn every_byte_of_the_manifest() {
    let set = Set::new(1);
    let len = set.files.iter().find(|(name, _)| name == MANIFEST).unwrap().1;
    let mut tally = Tally::default();
    for offset in 0..usize::try_from(len).unwrap() {
        tally.flip(&set, MANIFEST, offset, Depth::Verify);
    }
    println!("{} found", tally.found);
}

#[test]
fn files_that_are_cut_missing_or_longer() {
    for set in both() {
        for (name, len) in &set.files {
            let bytes = set.image.read(&at(name)).unwrap();
            let len = usize::try_from(*len).unwrap();
            for new in [0, 1, 100, PAGE, len / 2, len - PAGE.min(len), len - 1, len + 1, len + PAGE]
            {
                let mut image = set.image.clone();
                image.remove(&at(name));
                let mut bytes = bytes.clone();
                bytes.resize(new, 0);
                image.insert(&at(name), &bytes);
                let error = set.check(&image, Depth::Restore).unwrap_err();
                let path = error.path().unwrap();
                assert!(path == at(name), "{name} of {new} bytes: {error}");
            }
            let mut image = set.image.clone();
            image.remove(&at(name));
            match set.check(&image, Depth::Restore) {
                // The last log of the set, say: the message says which are needed.
                Err(error) => assert!(error.path().is_some(), "{name} missing: {error}"),
                Ok(()) => assert_eq!(name, MANIFEST, "nobody missed {name}"),
            }
        }
    }
}

#[test]
fn files_of_two_sets_that_changed_places() {
    for (set, other) in both().into_iter().zip([Set::new(2), Set::new(2).without_manifest()]) {
        for (name, _) in &set.files {
            let Some(bytes) = other.image.read(&at(name)) else { continue };
            let mut image = set.image.clone();
            image.remove(&at(name));
            image.insert(&at(name), &bytes);
            let error = set.check(&image, Depth::Restore).unwrap_err();
            assert!(error.path().is_some(), "{name}: {error}");
        }
        // Two logs of one set.
        let logs = set.logs();
        let mut image = set.image.clone();
        for (to, from) in [(&logs[0], &logs[1]), (&logs[1], &logs[0])] {
            image.remove(&at(to));
            image.insert(&at(to), &set.image.read(&at(from)).unwrap());
        }
        let error = set.check(&image, Depth::Restore).unwrap_err();
        assert!(error.path().is_some(), "{error}");
    }
}
