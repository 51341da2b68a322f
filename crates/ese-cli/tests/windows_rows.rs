//! Databases that Windows wrote: the rows that `ese rows --json` prints are those that
//! dissect.esedb returns.

#![allow(clippy::unwrap_used, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "the support looks at files")]

mod support;

use std::{collections::BTreeMap, path::Path};

use ese_tests::{
    Row, peers,
    windows::{DATABASES, DIRTY, databases, dissect_rows},
};
use serde_json::Value;
use support::ese;

#[test]
fn the_printed_rows_are_those_that_dissect_returns() {
    let test = "the_printed_rows_are_those_that_dissect_returns";
    let (Some(folder), Some(peers)) = (databases(test), peers(test)) else { return };
    let mut values = 0;
    for name in DATABASES {
        let as_it_stands = (name == DIRTY).then_some("--unrecovered");
        let types = column_types(&folder, name, as_it_stands);
        let theirs = dissect_rows(&peers, &folder.join(name));
        assert_eq!(types.len(), theirs.len(), "{name}: tables");
        for (table, theirs) in &theirs {
            let place = format!("{name}, table {table}");
            let args = ["rows", name, table, "--json"].into_iter().chain(as_it_stands);
            let printed = ese(&folder, &args.collect::<Vec<_>>()).fine();
            assert_eq!(printed.lines().count(), theirs.len(), "{place}: rows");
            for (line, their) in printed.lines().zip(theirs) {
                let row: Row = serde_json::from_str(line).unwrap();
                let their = their["row"].as_object().unwrap();
                assert_eq!(row.len(), their.len(), "{place}: columns");
                for (column, value) in row {
                    let value = canonical(value, &types[table][&column]);
                    assert_eq!(value, their[&column], "{place}, {column} of {line}");
                    values += 1;
                }
            }
        }
    }
    assert!(values > 150_000, "only {values} values were compared");
}

/// The type of every column of every table, as `ese tables` names it.
fn column_types(
    folder: &Path,
    name: &str,
    more: Option<&str>,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let args = ["tables", name, "--all", "--json"].into_iter().chain(more);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let table = |line: &str| {
        let table: Value = serde_json::from_str(line).unwrap();
        let columns = table["columns"].as_array().unwrap().iter();
        (text(&table["name"]), columns.map(|c| (text(&c["name"]), text(&c["type"]))).collect())
    };
    ese(folder, &args.collect::<Vec<_>>()).fine().lines().map(table).collect()
}

/// A printed value in the form of the scripts, which differ for GUIDs and for what is no number.
fn canonical(value: Value, ty: &str) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(|value| canonical(value, ty)).collect(),
        Value::String(text) if ty == "guid" => stored(&text).into(),
        Value::String(text) if matches!(ty, "single" | "double") => text.to_lowercase().into(),
        other => other,
    }
}

/// The stored bytes of a GUID: its first three groups are numbers, lowest byte first.
fn stored(guid: &str) -> String {
    let reversed = |group: &str| {
        let bytes = group.as_bytes().rchunks(2);
        bytes.map(|digits| std::str::from_utf8(digits).unwrap()).collect::<String>()
    };
    let groups: Vec<&str> = guid.split('-').collect();
    let (numbers, bytes) = groups.split_at(3);
    numbers.iter().map(|group| reversed(group)).chain(bytes.iter().map(|b| b.to_string())).collect()
}
