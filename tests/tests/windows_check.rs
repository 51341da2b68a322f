//! Our checker of trees and space on databases that Windows wrote: nothing to object to, no page
//! without a use.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test of real files"
)]

use std::fs;

use ese_engine::{reader::OfflineDatabase, space::check};
use ese_os::Env;

#[test]
fn every_page_of_a_database_from_windows_has_one_use() {
    let Some(data) = ese_tests::real_data("windows_check") else { return };
    let mut checked = 0;
    let mut paths: Vec<_> =
        fs::read_dir(data.join("databases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let database = match OfflineDatabase::open(&Env::real(), &path) {
            Ok(database) => database,
            Err(error) => {
                // One of them was copied dirty.
                assert!(name.contains("dirty"), "{name}: {error}");
                continue;
            }
        };
        let trees = check::trees_of(database.tables());
        let report = check::check(database.cache(), &trees, database.header().dbtime());
        assert!(trees.len() > 7 && report.trees.iter().any(|tree| tree.entries > 50), "{name}");
        if name == "Catalog1.edb" {
            // Copied while it was open: some pages are newer than the header (edb-format 14).
            continue;
        }
        assert!(report.problems.is_empty(), "{name}: {:#?}", report.problems);
        assert!(report.leaked.is_empty(), "{name}: leaked {:?}", report.leaked);
        checked += 1;
    }
    assert!(checked >= 5, "{checked} databases checked");
}
