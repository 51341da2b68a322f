//! `esent.h` stands alone in C and C++, lays structures out as callers expect, and has the numbers
//! that the engine has.
#![allow(clippy::disallowed_methods, reason = "the files of the source and of a test")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use std::{collections::BTreeMap, fs};

use ese_base::JetErr;
use support::{compiler, exists, package, run};

#[test]
fn the_header_compiles_alone_in_every_standard_of_c_and_cpp() {
    let dir = tempfile::tempdir().unwrap();
    let compilers = [
        ("gcc", "c", ["c99", "c11", "c17", "c2x"]),
        ("clang", "c", ["c99", "c11", "c17", "c2x"]),
        ("g++", "cpp", ["c++98", "c++11", "c++17", "c++20"]),
        ("clang++", "cpp", ["c++98", "c++11", "c++17", "c++20"]),
    ];
    for (program, ending, standards) in compilers {
        if !exists(program) {
            println!("SKIPPED: {program} is not installed");
            continue;
        }
        let source = dir.path().join(format!("alone.{ending}"));
        fs::write(&source, "#include \"esent.h\"\n").unwrap();
        for standard in standards {
            for more in [&[][..], &["-DJET_UNICODE"], &["-fshort-wchar", "-pedantic"]] {
                let mut command = compiler(program);
                command.arg(format!("-std={standard}")).args(more).arg("-fsyntax-only");
                // C++ before 2011 has no `long long`, which C's <stdint.h> is full of.
                if standard == "c++98" {
                    command.arg("-Wno-long-long");
                }
                run(command.arg(&source));
            }
        }
    }
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

/// Of the engine alone: no page describes it.
const NOT_THERE: &str = "JET_bitBackupInternalCopy";

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
            if name == NOT_THERE {
                continue;
            }
            let known = header.get(&name).unwrap_or_else(|| panic!("{name} is not in the header"));
            assert_eq!(*known, value, "{name}");
            found += 1;
        }
    }
    assert!(found > 250, "only {found} constants of the engine were read");
}
