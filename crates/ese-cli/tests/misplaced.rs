//! Pages that are whole and of another place: a write that was lost, or one that went elsewhere.
//! No row is told twice or left out without a word.

#![allow(clippy::unwrap_used, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{fs, path::Path};

use ese_api::PageSize;
use ese_base::Pgno;
use ese_pages::checksum::stamp;
use serde_json::Value as Json;
use support::{Ran, a_leaf, clean, ese, untouched};

const PAGE: usize = 4096;
const ROWS: i64 = 5000;
/// Offsets of the links in a page.
const PREV: usize = 16;
const NEXT: usize = 20;

fn word(file: &[u8], pgno: usize, at: usize) -> usize {
    let at = (pgno + 1) * PAGE + at;
    usize::try_from(u32::from_le_bytes(file[at..at + 4].try_into().unwrap())).unwrap()
}

fn seal(file: &mut [u8], pgno: usize) {
    let page = &mut file[(pgno + 1) * PAGE..][..PAGE];
    stamp(page, Pgno(u32::try_from(pgno).unwrap()));
}

/// The leaves of the table `t`, in order.
fn leaves(path: &Path) -> Vec<usize> {
    let mut leaf = a_leaf(path, PAGE) / PAGE - 1;
    let file = fs::read(path).unwrap();
    while word(&file, leaf, PREV) != 0 {
        leaf = word(&file, leaf, PREV);
    }
    let mut all = vec![leaf];
    while word(&file, leaf, NEXT) != 0 {
        leaf = word(&file, leaf, NEXT);
        all.push(leaf);
    }
    all
}

/// The root of the table `t`.
fn root(dir: &Path) -> usize {
    let table = ese(dir, &["tables", "a.edb", "t", "--json"]).fine();
    let table: Json = serde_json::from_str(&table).unwrap();
    usize::try_from(table["root_page"].as_u64().unwrap()).unwrap()
}

/// Puts page `from` where page `to` is, as if it belonged there.
fn misplace(file: &mut [u8], from: usize, to: usize) {
    file.copy_within((from + 1) * PAGE..(from + 2) * PAGE, (to + 1) * PAGE);
    seal(file, to);
}

fn ids(ran: &Ran) -> Vec<i64> {
    let row = |line: &str| serde_json::from_str::<Json>(line).unwrap()["id"].as_i64().unwrap();
    ran.stdout.lines().map(row).collect()
}

/// What the tool says of the file with these changes: the rows that `export` gives, its words, and
/// that `rows` stops.
fn exported(dir: &Path, change: impl FnOnce(&mut [u8])) -> (Vec<i64>, String) {
    let path = dir.join("a.edb");
    let sound = fs::read(&path).unwrap();
    let mut file = sound.clone();
    change(&mut file);
    fs::write(&path, &file).unwrap();
    for threads in ["1", "4"] {
        let args = ["export", "a.edb", "t", "--json", "--threads", threads];
        assert_eq!(untouched(dir, || ese(dir, &args)).code, Some(1));
    }
    assert_eq!(ese(dir, &["rows", "a.edb", "t", "--json"]).code, Some(1));
    assert_eq!(ese(dir, &["verify", "a.edb"]).code, Some(1));
    let json = ese(dir, &["export", "a.edb", "t", "--json"]);
    let plain = ese(dir, &["export", "a.edb", "t"]);
    assert_eq!(plain.code, Some(1));
    fs::write(dir.join("damaged.edb"), file).unwrap();
    fs::write(&path, sound).unwrap();
    (ids(&json), plain.stderr)
}

#[test]
fn a_leaf_in_the_place_of_another_is_lost_and_its_rows_come_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, i32::try_from(ROWS).unwrap());
    let leaves = leaves(&dir.join("a.edb"));
    let (last, middle) = (leaves.len() - 1, leaves.len() / 2);
    for (from, to) in [(middle + 3, middle), (middle, middle + 1), (last, 0), (0, last)] {
        let (from, to) = (leaves[from], leaves[to]);
        let (found, told) = exported(dir, |file| misplace(file, from, to));
        let lost = (0..ROWS).filter(|id| found.binary_search(id).is_err()).count();
        assert!(found.is_sorted_by(|one, next| one < next), "{from} over {to}: a row came twice");
        assert!((1..60).contains(&lost), "{from} over {to}: {lost} rows lost");
        assert!(told.contains(&format!("LOST page {to} of table \"t\"")), "{told}");
        let listed =
            told.lines().filter(|line| line.starts_with("LOST") || line.starts_with("DOUBT"));
        assert_eq!(listed.count(), 1, "only the one page is wrong: {told}");
        // No row counts as new, and those that cannot be compared are told.
        let ran = ese(dir, &["diff", "a.edb", "damaged.edb", "--json", "--summary"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let summary: Json = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
        let summary = &summary["summary"];
        assert_eq!((&summary["added"], &summary["lost"]), (&0.into(), &1.into()), "{summary}");
        assert_eq!(summary["removed"], lost, "{summary}");
    }
}

#[test]
fn a_leaf_in_the_place_of_the_root_costs_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, i32::try_from(ROWS).unwrap());
    let (leaves, root) = (leaves(&dir.join("a.edb")), root(dir));
    // From the last leaf no link leads on, so that its rows alone would look like all of them.
    for leaf in [leaves[leaves.len() / 2], leaves[leaves.len() - 1]] {
        let (found, told) = exported(dir, |file| misplace(file, leaf, root));
        assert_eq!(found, (0..ROWS).collect::<Vec<i64>>(), "leaf {leaf}");
        assert!(told.contains(&format!("LOST page {root} of table \"t\"")), "{told}");
    }
}

#[test]
fn a_leaf_with_old_links_is_given_and_in_doubt() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, i32::try_from(ROWS).unwrap());
    let leaves = leaves(&dir.join("a.edb"));
    let at = leaves.len() / 2;
    // The last write of a page is lost: it still says that it is the last one, or leads past a page
    // that came in between later. And the first leaf leads to one before it.
    for (leaf, link, old) in [
        (at, NEXT, 0),
        (at, NEXT, leaves[at + 2]),
        (at, PREV, leaves[at - 2]),
        (0, PREV, leaves[at]),
    ] {
        let leaf = leaves[leaf];
        let (found, told) = exported(dir, |file| {
            let place = (leaf + 1) * PAGE + link;
            file[place..place + 4].copy_from_slice(&u32::try_from(old).unwrap().to_le_bytes());
            seal(file, leaf);
        });
        assert_eq!(found, (0..ROWS).collect::<Vec<i64>>(), "leaf {leaf}");
        assert!(told.contains(&format!("DOUBT page {leaf} of table \"t\"")), "{told}");
        assert!(!told.contains("LOST") && told.contains("in doubt"), "{told}");
    }
}

#[test]
fn the_root_of_a_tree_that_lacks_its_flag_is_told_as_that() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    clean(dir, PageSize::K4, 500);
    let (path, root) = (dir.join("a.edb"), root(dir));
    let mut file = fs::read(&path).unwrap();
    // The flags of a page lie at 36, that of a root is the lowest.
    file[(root + 1) * PAGE + 36] &= !1;
    seal(&mut file, root);
    fs::write(&path, file).unwrap();
    let told = ese(dir, &["verify", "a.edb"]);
    let words = [format!("page {root}: flags "), " lack that of a root".to_owned()];
    let named = |line: &str| words.iter().all(|word| line.contains(word.as_str()));
    assert!(told.code == Some(1) && told.stdout.lines().any(named), "{told:?}");
}
