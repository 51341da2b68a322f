//! Compaction of databases that Windows wrote: the copy holds the same, and the foreign readers and
//! independent checkers take it for a database.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test of real files"
)]

use std::{fs, ops::ControlFlow, path::Path};

use ese_api::{Env, JetErr, Offline, StopToken, VerifyOptions, compact, verify_database};
use ese_engine::schema::{TableFlags, TableSchema};
use ese_tests::{Reader, checkers, peers, real_data, scratch};

/// The tables that are no system's.
fn tables(database: &Offline) -> Vec<&TableSchema> {
    let own = |table: &&TableSchema| !table.flags.contains(TableFlags::SYSTEM);
    database.tables().iter().filter(own).collect()
}

/// All entries of a secondary index.
fn entries(database: &Offline, table: &TableSchema) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    for index in table.secondary() {
        database
            .entries(index, |key, row| {
                entries.push((key.to_vec(), row.to_vec()));
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
    }
    entries
}

fn assert_same(source: &Path, target: &Path) {
    let env = Env::real();
    let (from, to) = (Offline::open(&env, source).unwrap(), Offline::open(&env, target).unwrap());
    let (old, new) = (tables(&from), tables(&to));
    assert_eq!(old.len(), new.len());
    for (old, new) in old.into_iter().zip(new) {
        assert_eq!((&old.name, &old.template), (&new.name, &new.template));
        assert_eq!(format!("{:?}", old.columns), format!("{:?}", new.columns), "{}", old.name);
        let names = |table: &TableSchema| -> Vec<_> {
            table.indexes.iter().map(|index| (index.name.clone(), index.flags)).collect()
        };
        assert_eq!(names(old), names(new));
        assert_eq!(entries(&from, old), entries(&to, new), "indexes of {}", old.name);
    }
}

#[test]
fn databases_of_windows_are_rebuilt_with_everything_in_them() {
    let test = "databases_of_windows_are_rebuilt_with_everything_in_them";
    let Some(data) = real_data(test) else { return };
    let (folder, env) = (scratch(), Env::real());
    let mut paths: Vec<_> =
        fs::read_dir(data.join("databases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut compacted, mut entries) = (0, 0);
    for source in paths {
        let name = source.file_name().unwrap().to_string_lossy().into_owned();
        let target = folder.path().join(&name);
        let before = fs::read(&source).unwrap();
        let done = compact(&env, &source, &target, &mut |_| (), &StopToken::new());
        assert!(fs::read(&source).unwrap() == before, "{name} was written");
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                // One was copied dirty; others may have a newer format.
                let expected = [JetErr::DatabaseDirtyShutdown, JetErr::InvalidDatabaseVersion];
                assert!(expected.contains(&error.code()), "{name}: {error}");
                assert_eq!(fs::read_dir(folder.path()).unwrap().count(), compacted, "{name}");
                println!("{name}: {error}");
                continue;
            }
        };
        println!("{name}: {done:?}");
        let mut quiet = |_: &ese_api::VerifyProgress| ();
        let mut options = VerifyOptions::new(&mut quiet, StopToken::new());
        let report = verify_database(&env, &target, &mut options).unwrap();
        // That one was copied while it was open: an index entry of it leads nowhere.
        let known = match name.as_str() {
            "Catalog1.edb" => vec![JetErr::SecondaryIndexCorrupted],
            _ => vec![],
        };
        let found = report.problems.iter().map(ese_api::Error::code);
        assert!(found.eq(known) && report.leaked_pages == 0, "{name}: {:#?}", report.problems);
        assert_same(&source, &target);
        if let Some(checkers) = checkers(test).filter(|_| name != "Catalog1.edb") {
            assert_eq!(checkers.check(&target), Ok(()), "{name}");
        }
        (compacted, entries) = (compacted + 1, entries + done.entries);
    }
    assert!(compacted >= 6 && entries > 1000, "{compacted} databases, {entries} entries");
}

#[test]
fn foreign_readers_see_the_same_rows_in_the_copy() {
    let test = "foreign_readers_see_the_same_rows_in_the_copy";
    let (Some(data), Some(peers)) = (real_data(test), peers(test)) else { return };
    let (folder, env) = (scratch(), Env::real());
    for (name, table) in [("basic.edb", "basic"), ("binary.edb", "binary"), ("text.edb", "text")] {
        let (source, target) = (data.join("databases").join(name), folder.path().join(name));
        compact(&env, &source, &target, &mut |_| (), &StopToken::new()).unwrap();
        let offline = Offline::open(&env, &source).unwrap();
        let table = offline.table(table).map_or_else(
            |_| tables(&offline).first().map(|table| table.name.clone()).unwrap(),
            |table| table.name.clone(),
        );
        drop(offline);
        for reader in Reader::ALL {
            let (old, new) =
                (peers.rows(reader, &source, &table), peers.rows(reader, &target, &table));
            assert!(!old.is_empty(), "{name}, {table}");
            assert_eq!(old, new, "{name}, {}", reader.name());
        }
    }
}
