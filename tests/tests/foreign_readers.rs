//! The test support itself: the three foreign readers agree on databases that Windows wrote, and
//! the independent checkers accept a good file and refuse a damaged one. So a disagreement about a
//! file of ours is about that file.

#![allow(clippy::disallowed_methods, reason = "the test damages a copy of a file")]

use ese_tests::{Reader, checkers, peers, real_data, scratch};

#[test]
fn the_three_readers_agree_on_a_table_that_windows_wrote() {
    let test = "the_three_readers_agree_on_a_table_that_windows_wrote";
    let (Some(data), Some(peers)) = (real_data(test), peers(test)) else { return };
    let file = data.join("databases/basic.edb");
    let rows = Reader::ALL.map(|reader| peers.rows(reader, &file, "basic"));
    assert_eq!(rows[0].len(), 2);
    assert_eq!(rows[0][0]["Currency"], 1_337_133_713_371_337_i64);
    assert_eq!(rows[0][0]["GUID"], "f10a363f6667dc469af20dacf295c2a1");
    assert_eq!(rows[0], rows[1], "pyesedb and dissect");
    assert_eq!(rows[1], rows[2], "dissect and impacket");
}

#[test]
fn the_independent_checkers_find_one_flipped_byte() {
    let test = "the_independent_checkers_find_one_flipped_byte";
    let (Some(data), Some(checkers)) = (real_data(test), checkers(test)) else { return };
    let folder = scratch();
    let copy = folder.path().join("copy.edb");
    let mut bytes = std::fs::read(data.join("databases/basic.edb")).unwrap();
    std::fs::write(&copy, &bytes).unwrap();
    assert_eq!(checkers.check(&copy), Ok(()));
    bytes[5 * 4096 + 100] ^= 0x5a; // page 4, the root of the catalog
    std::fs::write(&copy, &bytes).unwrap();
    let findings = checkers.check(&copy).unwrap_err();
    assert!(findings.contains("check_pages.py"), "{findings}");
}
