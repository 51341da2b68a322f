//! The demo's loading on records of ours, what it acknowledged, and what is there afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::ese;

/// Threads of the demo that load.
pub(crate) const LOADERS: usize = 4;
/// Records of a transaction of the demo.
const UNIT: usize = 100;

/// Writes the records of so many transactions.
pub(crate) fn write_records(input: &Path, units: usize) {
    let record = |n| format!("{{\"n\": {n}, \"text\": \"{}\"}}\n", text(n));
    fs::write(input, (0..units * UNIT).map(record).collect::<String>()).unwrap();
}

fn text(n: usize) -> String {
    format!("{n:0150}")
}

/// The transactions that `ese demo --acknowledge` noted as durable.
pub(crate) fn acknowledged(notes: &Path) -> BTreeSet<usize> {
    let notes = fs::read_to_string(notes).unwrap_or_default();
    // A line without its end may lack digits.
    let lines = notes.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    lines.map(|line| line.parse().unwrap()).collect()
}

/// The transactions that are there once the instance in `live` is recovered, each of them whole.
/// There may be no instance, no database or no table yet, but only with `nothing_said`.
pub(crate) fn committed(
    dir: &Path,
    live: &str,
    place: &str,
    nothing_said: bool,
) -> BTreeSet<usize> {
    let ran = ese(dir, &["recover", live, "--in-place"]);
    if nothing_said && ran.code != Some(0) {
        ran.refused(1, &["JET_errMissingLogFile -528"]);
        return BTreeSet::new();
    }
    assert_eq!(ran.code, Some(0), "{place}: {ran:?}");
    let database = format!("{live}/demo.edb");
    let rows = ese(dir, &["rows", &database, "records", "--csv"]);
    if nothing_said && rows.code != Some(0) {
        assert!(matches!(rows.code, Some(2 | 3)), "{place}: {rows:?}");
        return BTreeSet::new();
    }
    let mut units = BTreeMap::<usize, usize>::new();
    for row in rows.fine().lines().skip(1) {
        let n: usize = row.split(',').next().unwrap().parse().unwrap();
        assert_eq!(row, format!("{n},{n},{}", text(n)), "{place}");
        *units.entry(n / UNIT).or_default() += 1;
    }
    assert!(units.values().all(|rows| *rows == UNIT), "{place}: a part of one: {units:?}");
    units.into_keys().collect()
}
