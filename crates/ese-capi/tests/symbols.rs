//! The library exports the functions of the interface, all of them and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use std::{fs, process::Command};

use support::{libraries, needs, package, run};

#[test]
fn everything_that_managed_layers_import_is_in_the_inventory() {
    let read = |name: &str| fs::read_to_string(package().join("tests").join(name)).unwrap();
    let (exports, wanted) = (read("exports.txt"), read("managed.txt"));
    let exports: Vec<&str> = exports.lines().collect();
    let missing: Vec<&str> = wanted.lines().filter(|name| !exports.contains(name)).collect();
    assert!(missing.is_empty(), "missing {missing:?}");
    assert_eq!(wanted.lines().count(), 185);
    let header = read("../include/esent.h");
    let declared = |name: &&str| {
        header.contains(&format!(" {name}(")) || header.contains(&format!("#define {name} {name}A"))
    };
    let not_declared: Vec<&str> = wanted.lines().filter(|name| !declared(name)).collect();
    assert!(not_declared.is_empty(), "not in the header: {not_declared:?}");
}

#[test]
fn exported_names_are_those_of_the_inventory() {
    if !needs("nm") {
        return;
    }
    let list = run(Command::new("nm")
        .args(["--dynamic", "--defined-only", "--format=posix"])
        .arg(libraries().join("libesent.so")));
    let mut exported: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    exported.sort_unstable();
    let wanted = fs::read_to_string(package().join("tests/exports.txt")).unwrap();
    let wanted: Vec<&str> = wanted.lines().collect();
    let missing: Vec<_> = wanted.iter().filter(|name| !exported.contains(name)).collect();
    let more: Vec<_> = exported.iter().filter(|name| !wanted.contains(name)).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing {missing:?}, too many {more:?}");
    assert_eq!(exported.len(), 379);
}
