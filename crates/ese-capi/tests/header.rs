//! `esent.h` stands alone in C and C++, lays structures out as callers expect, and has the numbers
//! that the engine has.
#![allow(clippy::disallowed_methods, reason = "the files of the source and of a test")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use ese_base::JetErr;
use support::{clang, compiler, needs, package, run};

const C: [&str; 5] = ["c99", "c11", "c17", "c2x", "gnu17"];
const CPP: [&str; 6] = ["c++98", "c++11", "c++17", "c++20", "c++23", "gnu++17"];

/// Compilers of C and C++: each is made anew for every file.
fn each_compiler(dir: &Path, compile: impl Fn(&dyn Fn() -> Option<Command>, &str)) {
    for (program, language) in [("gcc", "c"), ("g++", "c++")] {
        if needs(program) {
            compile(&|| Some(compiler(program)), language);
        }
    }
    if clang(dir).is_some() {
        compile(&|| clang(dir), "c");
        compile(&|| clang(dir), "c++");
    }
}

fn check(mut command: Command, language: &str, standard: &str, more: &[&str], source: &Path) {
    command.args(["-x", language]).arg(format!("-std={standard}")).args(more);
    // C++ before 2011 has no `long long`, which C's <stdint.h> is full of.
    if standard == "c++98" {
        command.arg("-Wno-long-long");
    }
    run(command.arg("-fsyntax-only").arg(source));
}

#[test]
fn the_header_compiles_alone_in_every_standard_of_c_and_cpp() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("alone");
    fs::write(&source, "#include \"esent.h\"\n").unwrap();
    each_compiler(dir.path(), |made, language| {
        let standards = if language == "c" { &C[..] } else { &CPP };
        for standard in standards {
            for more in [&[][..], &["-DJET_UNICODE"], &["-fshort-wchar", "-pedantic"]] {
                check(made().unwrap(), language, standard, more, &source);
            }
        }
    });
}

#[test]
fn a_file_that_was_written_for_windows_compiles_with_the_header() {
    let dir = tempfile::tempdir().unwrap();
    let source = package().join("tests/c/windows.c");
    each_compiler(dir.path(), |made, language| {
        let standards = if language == "c" { &C[..] } else { &CPP[1..] };
        for standard in standards {
            for more in [&[][..], &["-DJET_UNICODE", "-fshort-wchar"]] {
                check(made().unwrap(), language, standard, more, &source);
            }
        }
    });
}

#[test]
fn structures_have_the_sizes_and_offsets_that_callers_expect() {
    run(compiler("cc").args(["-std=c11", "-fsyntax-only"]).arg(package().join("tests/c/layout.c")));
}

/// Names and values of a header's numbers.
fn numbers() -> BTreeMap<String, i64> {
    let header = fs::read_to_string(package().join("include/esent.h")).unwrap();
    let defines = header.lines().filter_map(|line| line.strip_prefix("#define "));
    let enumerators = header.lines().filter_map(|line| line.strip_prefix("    JET_"));
    let pairs = defines.filter_map(|line| line.split_once(' '));
    let more = enumerators.filter_map(|line| line.trim_end_matches(',').split_once(" = "));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    let pairs = pairs.chain(more.map(|(name, value)| (format!("JET_{name}"), value)));
    pairs.filter_map(|(name, value)| Some((name, number(value)?))).collect()
}

fn number(text: &str) -> Option<i64> {
    let text = text.trim_matches(['(', ')']).replace('_', "");
    match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[test]
fn errors_have_the_numbers_of_the_engine() {
    let header = numbers();
    let mut found = 0;
    for code in JetErr::ALL {
        if let Some(value) = header.get(code.info().name) {
            assert_eq!(*value, i64::from(*code as i32), "{}", code.info().name);
            found += 1;
        }
    }
    assert!(found > 400, "only {found} errors are in the header");
}

/// Of the engine alone: no page describes them.
const NOT_THERE: [&str; 3] =
    ["JET_bitBackupInternalCopy", "JET_bitDbVersioningOff", "JET_DbInfoUseCachedResult"];

#[test]
fn flags_and_levels_have_the_numbers_of_the_engine() {
    let header = numbers();
    let sources = package().parent().unwrap().join("ese-api/src/jet");
    let mut found = 0;
    for file in fs::read_dir(sources).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("pub const JET_")) {
            let Some((name, rest)) = line.split_once(':') else { continue };
            let Some((_, value)) = rest.split_once(" = ") else { continue };
            let Some(value) = number(value.trim_end_matches(';')) else { continue };
            let name = format!("JET_{name}");
            if NOT_THERE.contains(&name.as_str()) {
                continue;
            }
            let known = header.get(&name).unwrap_or_else(|| panic!("{name} is not in the header"));
            assert_eq!(*known, value, "{name}");
            found += 1;
        }
    }
    assert!(found > 250, "only {found} constants of the engine were read");
}
