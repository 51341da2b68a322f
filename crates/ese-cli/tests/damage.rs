//! Files that are cut or damaged at any place: what is whole is read, everything else is one clear
//! error, and whatever happens nothing is written to the input.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::Path,
    time::{Duration, Instant},
};

use ese_api::{ColType, Env, PageSize, TableBuilder, row};
use support::{Ran, clean, contents, damage, ese, start, untouched};

/// A page, and a segment of a log.
const UNIT: usize = 4096;
/// Where the fields of a log's header begin.
const LOG_FIELDS: [usize; 22] =
    [0, 4, 8, 10, 12, 14, 16, 24, 32, 36, 40, 44, 72, 639, 640, 648, 652, 653, 661, 665, 667, 671];
/// The log file that is being written.
const CURRENT: &str = "edb.log";
/// Transactions of [`committed`], and rows of each.
const COMMITS: usize = 30;
const ROWS: usize = 100;

/// Lengths below `len`: those of `fields`, some at random, and every so many units with a byte less
/// and more.
fn lengths(len: usize, fields: impl Iterator<Item = usize>, units: usize) -> BTreeSet<usize> {
    let seed = Env::real().rng.next_u32();
    println!("seed {seed}");
    let random = (0..20).map(|n| {
        let mut state = seed ^ (n << 16);
        for _ in 0..3 {
            state = (state ^ (state >> 15)).wrapping_mul(0x9e37_79b9);
        }
        usize::try_from(state).unwrap() % len
    });
    let units =
        (1..=len / UNIT).step_by(units).flat_map(|n| [n * UNIT - 1, n * UNIT, n * UNIT + 1]);
    fields.chain(units).chain(random).chain([len - 1]).filter(|at| *at < len).collect()
}

fn cut(path: &Path, len: usize) {
    let len = u64::try_from(len).unwrap();
    File::options().write(true).open(path).unwrap().set_len(len).unwrap();
}

/// Found damaged: by one line on standard error, or by problems on standard output.
fn found_damaged(ran: &Ran, place: &str) {
    assert_eq!(ran.code, Some(1), "{place}: {ran:?}");
    if ran.stdout.contains("PROBLEM") {
        assert!(ran.stdout.contains("JET_err") && ran.stderr.is_empty(), "{place}: {ran:?}");
    } else {
        ran.refused(1, &["(JET_err", "a.edb"]);
    }
}

#[test]
fn a_database_of_any_other_length_is_found_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 1000);
    // Without the remark that it was cut off.
    let args = ["rows", "a.edb", "t", "--csv", "--quiet"];
    let rows = ese(dir, &args).fine();
    let (mut readable, mut refused) = (0, 0);
    let whole = fs::read(dir.join("a.edb")).unwrap();
    // The fields of the header begin at multiples of four.
    for len in lengths(whole.len(), (0..720).step_by(4), 6) {
        fs::write(dir.join("a.edb"), &whole[..len]).unwrap();
        let place = format!("{len} bytes");
        found_damaged(&untouched(dir, || ese(dir, &["verify", "a.edb"])), &place);
        let ran = untouched(dir, || ese(dir, &args));
        if ran.code == Some(0) {
            // Nothing but free pages is missing.
            assert!(ran.stdout == rows, "{place}");
            readable += 1;
        } else {
            assert!(matches!(ran.code, Some(1 | 3)), "{place}: {ran:?}");
            ran.refused(ran.code.unwrap(), &["a.edb", "(JET_err"]);
            refused += 1;
        }
    }
    println!("{readable} times all rows, {refused} times refused");
    assert!(readable > 10 && refused > 200, "{readable}, {refused}");
}

#[test]
fn a_header_damaged_anywhere_is_taken_from_its_other_copy_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 100);
    let (file, args) = (dir.join("a.edb"), ["rows", "a.edb", "t", "--csv"]);
    let whole = fs::read(&file).unwrap();
    for at in (0..720).step_by(12).chain((720..4090).step_by(481)) {
        fs::write(&file, &whole).unwrap();
        damage(&file, at);
        let rows = untouched(dir, || ese(dir, &args)).fine();
        assert_eq!(rows.lines().count(), 101, "{at}");
        assert!(ese(dir, &["info", "a.edb"]).fine().contains("first copy"), "{at}");
        let ran = untouched(dir, || ese(dir, &["verify", "a.edb"]));
        assert_eq!(ran.code, Some(1), "{at}: {ran:?}");
        assert!(ran.stdout.contains("primary copy"), "{at}: {ran:?}");
        damage(&file, 4096 + at);
        for args in [&args[..], &["info", "a.edb"], &["tables", "a.edb"]] {
            let ran = untouched(dir, || ese(dir, args));
            ran.refused(1, &["a.edb", "(JET_err"]);
        }
        let ran = untouched(dir, || ese(dir, &["verify", "a.edb"]));
        found_damaged(&ran, "both copies");
        assert!(ran.stdout.contains("[fatal]"), "{at}: {ran:?}");
    }
}

/// Of a file that is all but empty only what was written is read.
#[test]
fn a_database_with_a_huge_hole_is_soon_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 100);
    cut(&dir.join("a.edb"), 200 << 30);
    let begun = Instant::now();
    assert!(ese(dir, &["verify", "a.edb"]).fine().ends_with("sound\n"));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

/// What a killed process leaves: a dirty database and a log of several generations, with
/// [`COMMITS`] durable transactions.
fn committed(dir: &Path) {
    let instance = start(dir, PageSize::K4);
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = TableBuilder::new("t")
        .column("id", ColType::Long)
        .column("value", ColType::Binary)
        .primary(&["id"]);
    let table = database.create_table(&mut transaction, table).unwrap();
    transaction.commit().unwrap();
    for number in 0..COMMITS {
        let mut transaction = session.begin().unwrap();
        for id in number * ROWS..(number + 1) * ROWS {
            let value = vec![u8::try_from(id % 251).unwrap(); 150];
            let row = row! { "id" => i32::try_from(id).unwrap(), "value" => value };
            table.insert(&mut transaction, &row).unwrap();
        }
        transaction.commit().unwrap();
    }
    drop((table, session, database));
    instance.abandon();
}

/// A directory that is spoilt and recovered again and again.
struct Trial {
    whole: BTreeMap<String, Vec<u8>>,
    dir: tempfile::TempDir,
    /// How often so many transactions came out of it.
    recovered: BTreeMap<usize, usize>,
    refused: usize,
}

impl Trial {
    fn new() -> Trial {
        let dir = tempfile::tempdir().unwrap();
        committed(&dir.path().join("data"));
        let whole = contents(&dir.path().join("data")).into_iter();
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        // The status file, which a running instance writes now and then, is no part of the data.
        let whole = whole
            .map(|(path, bytes)| (name(&path), bytes.unwrap()))
            .filter(|(name, _)| name != "edb.status")
            .collect();
        Trial { whole, dir, recovered: BTreeMap::new(), refused: 0 }
    }

    /// A generation in the middle, the last whole one, and the current one.
    fn logs(&self) -> [String; 3] {
        let logs = self.whole.keys().filter(|name| name.ends_with(".log"));
        let whole: Vec<&String> = logs.filter(|name| name.len() > "edbtmp.log".len()).collect();
        assert!(whole.len() > 2, "{:?}", self.whole.keys());
        let [middle, last] = [whole.len() / 2, whole.len() - 1];
        [whole[middle].clone(), whole[last].clone(), CURRENT.to_owned()]
    }

    /// Recovers a directory of which one file was spoilt. Gives the transactions that are there, or
    /// `None` after a refusal that has changed nothing.
    fn run(&mut self, name: &str, spoil: impl Fn(&Path), place: &str) -> Option<usize> {
        let (dir, data) = (self.dir.path(), self.dir.path().join("data"));
        fs::remove_dir_all(&data).unwrap();
        fs::create_dir(&data).unwrap();
        for (name, bytes) in &self.whole {
            fs::write(data.join(name), bytes).unwrap();
        }
        spoil(&data.join(name));
        let place = format!("{name}, {place}");
        let mut before = contents(&data);
        let ran = ese(dir, &["recover", "data", "--in-place"]);
        if ran.code != Some(0) {
            assert!(matches!(ran.code, Some(1 | 3)), "{place}: {ran:?}");
            ran.refused(ran.code.unwrap(), &["(JET_err"]);
            assert!(ran.stderr.contains(name) || ran.stderr.contains("generation"), "{ran:?}");
            let after = contents(&data);
            // One that a killed instance has left may go, none is made.
            let lock = data.join("edb.lck");
            if !after.contains_key(&lock) {
                before.remove(&lock);
            }
            assert!(after == before, "{place}: it was written to");
            self.refused += 1;
            return None;
        }
        assert!(ese(dir, &["verify", "data"]).fine().ends_with("sound\n"), "{place}");
        let rows = ese(dir, &["rows", "data/a.edb", "t", "--csv"]).fine();
        let found = rows.lines().count() - 1;
        assert!(found.is_multiple_of(ROWS), "{place}: {found} rows");
        for (id, row) in rows.lines().skip(1).enumerate() {
            assert!(row.starts_with(&format!("{id},")), "{place}: {row}");
        }
        *self.recovered.entry(found / ROWS).or_default() += 1;
        Some(found / ROWS)
    }

    fn report(&self) {
        println!("transactions: times {:?}; refused: {}", self.recovered, self.refused);
    }
}

#[test]
fn a_log_of_any_other_length_is_refused() {
    let mut trial = Trial::new();
    for name in trial.logs() {
        for len in lengths(trial.whole[&name].len(), LOG_FIELDS.into_iter(), 4) {
            let found = trial.run(&name, |path| cut(path, len), &format!("{len} bytes"));
            assert_eq!(found, None, "{name}, {len} bytes");
        }
    }
    trial.report();
}

#[test]
fn a_log_damaged_anywhere_is_refused_or_recovered_from() {
    let mut trial = Trial::new();
    for name in trial.logs() {
        let len = trial.whole[&name].len();
        for at in LOG_FIELDS.into_iter().chain((720..len - 5).step_by(5479)) {
            let found = trial.run(&name, |path| damage(path, at), &format!("damaged at {at}"));
            // Damage at the end of the current generation is what a power cut leaves of the last
            // write, which then was not acknowledged. Behind the end is what is free.
            let least = if name == CURRENT && at >= UNIT { COMMITS - 1 } else { COMMITS };
            let fine = found.is_none_or(|found| found >= least);
            assert!(fine, "{name}, damaged at {at}: {found:?} transactions");
        }
    }
    trial.report();
    assert!(trial.refused > 100, "{}", trial.refused);
}

#[test]
fn a_directory_in_which_a_file_is_none_is_refused_or_recovered() {
    let mut trial = Trial::new();
    type Spoil = fn(&Path);
    let spoils: [(&str, Spoil); 3] = [
        ("missing", |path| fs::remove_file(path).unwrap()),
        ("empty", |path| cut(path, 0)),
        ("a directory", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for name in trial.whole.keys().cloned().collect::<Vec<_>>() {
        for (what, spoil) in spoils {
            let found = trial.run(&name, spoil, what);
            // The database is made again from the log, which is all there.
            let needed = name.ends_with(".log") && name != "edbtmp.log" || what == "a directory";
            assert_eq!(found, (!needed).then_some(COMMITS), "{name}, {what}");
        }
    }
}

#[test]
fn a_checkpoint_damaged_anywhere_is_recovered_from() {
    let mut trial = Trial::new();
    let name = "edb.chk";
    let len = trial.whole[name].len();
    for at in (0..len - 5).step_by(293) {
        let found = trial.run(name, |path| damage(path, at), &format!("damaged at {at}"));
        assert_eq!(found, Some(COMMITS), "damaged at {at}");
    }
}
