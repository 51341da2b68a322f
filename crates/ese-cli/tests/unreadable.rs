//! Values that cannot be read, and descriptions that contradict each other, in databases that
//! Windows wrote: `verify` names what `export` and `rows` meet, and `compact` does not pass it on.

#![allow(clippy::unwrap_used, reason = "a failing step fails the test")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{fs, path::Path};

use ese_base::Pgno;
use ese_pages::checksum::stamp;
use support::{Ran, ese, untouched};

/// A database of the public set, to be changed.
struct Forged {
    dir: tempfile::TempDir,
    page_len: usize,
    whole: Vec<u8>,
}

impl Forged {
    fn new(test: &str, name: &str, page_len: usize) -> Option<Forged> {
        let whole = fs::read(ese_tests::real_data(test)?.join("databases").join(name)).unwrap();
        Some(Forged { dir: tempfile::tempdir().unwrap(), page_len, whole })
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes `a.edb` as it was but for one page, whose checksum is right.
    fn write(&self, pgno: usize, change: impl FnOnce(&mut [u8])) {
        let mut bytes = self.whole.clone();
        let page = &mut bytes[(pgno + 1) * self.page_len..][..self.page_len];
        change(page);
        stamp(page, Pgno(u32::try_from(pgno).unwrap()));
        fs::write(self.dir().join("a.edb"), bytes).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        untouched(self.dir(), || ese(self.dir(), args))
    }

    /// The compaction refuses with this code and leaves nothing.
    fn not_compacted(&self, code: &str) {
        let ran = self.run(&["compact", "a.edb", "dense.edb"]);
        ran.refused(1, &["a.edb", code]);
    }
}

/// Where the place of a tag, which has its flags in the three highest bits, stands in a small page.
fn place_of(page: &[u8], tag: usize) -> usize {
    page.len() - 4 * (tag + 1) + 2
}

/// Begin and end of a node's bytes, by its tag.
fn node(page: &[u8], tag: usize) -> (usize, usize) {
    let word = |at: usize| usize::from(u16::from_le_bytes([page[at], page[at + 1]]) & 0x1fff);
    let place = place_of(page, tag);
    let begin = 40 + word(place);
    (begin, begin + word(place - 2))
}

fn mark_deleted(page: &mut [u8], tag: usize) {
    let place = place_of(page, tag);
    page[place + 1] |= 0x40;
}

#[test]
fn a_long_value_of_another_length_than_its_root_says_is_told_by_all() {
    let test = "a_long_value_of_another_length_than_its_root_says_is_told_by_all";
    let Some(forged) = Forged::new(test, "text.edb", 4096) else { return };
    // Long value 1 has 1040 bytes in one chunk.
    for (len, what) in [
        (0_u32, "it has a chunk at 0, behind its 0 bytes"),
        (1, "its chunk at 0 has 1040 bytes, 1 belong there"),
        (1039, "its chunk at 0 has 1040 bytes, 1039 belong there"),
        (1041, "its chunk at 0 has 1040 bytes for 1041"),
        (5000, "its chunk at 0 has 1040 bytes for 4014"),
        (u32::MAX, "its chunk at 0 has 1040 bytes for 4014"),
    ] {
        forged.write(43, |page| {
            let (_, end) = node(page, 1);
            assert_eq!(page[end - 4..end], 1040_u32.to_le_bytes());
            page[end - 4..end].copy_from_slice(&len.to_le_bytes());
        });
        let verified = forged.run(&["verify", "a.edb"]);
        assert_eq!(verified.code, Some(1), "{len}: {verified:?}");
        let found: Vec<&str> =
            verified.stdout.lines().filter(|line| line.starts_with("PROBLEM")).collect();
        assert_eq!(found.len(), 1, "{len}: {verified:?}");
        let named = format!("table \"text\", long value 1: {what}");
        assert!(found[0].contains(&named) && found[0].contains("`ese export`"), "{found:?}");
        let exported = forged.run(&["export", "a.edb", "text"]);
        assert_eq!(exported.code, Some(1), "{len}: {exported:?}");
        assert_eq!(exported.stderr.matches("LOST").count(), 1, "{len}: {exported:?}");
        assert!(exported.stderr.contains(&format!("long value 1: {what}")), "{exported:?}");
        forged.run(&["rows", "a.edb", "text", "--csv"]).refused(1, &[what, "--without"]);
        forged.not_compacted(if len <= 1039 { "-1526" } else { "-1620" });
    }
}

/// One byte of a record after the other.
#[test]
fn what_export_cannot_read_of_a_record_verify_names() {
    let test = "what_export_cannot_read_of_a_record_verify_names";
    let Some(forged) = Forged::new(test, "decompress_test.edb", 8192) else { return };
    let (mut lost, mut random) = (0, 0x2545_f491_u32);
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        usize::try_from(random).unwrap()
    };
    for _ in 0..150 {
        let (tag, at, byte) = (next(), next(), next());
        forged.write(31, |page| {
            let tags = usize::from(u16::from_le_bytes([page[34], page[35]]) & 0xfff);
            let (begin, end) = node(page, 1 + tag % (tags - 1));
            let at = begin + 20 + at % (end - begin - 20);
            page[at] = [0, 255, page[at] ^ (1 << (byte % 8))][byte % 3];
        });
        let exported = forged.run(&["export", "a.edb", "test_table"]);
        if exported.code == Some(0) {
            continue;
        }
        lost += 1;
        assert_eq!(exported.code, Some(1), "{exported:?}");
        let verified = forged.run(&["verify", "a.edb"]);
        assert_eq!(verified.code, Some(1), "{exported:?}{verified:?}");
        for line in exported.stderr.lines().filter_map(|line| line.strip_prefix("LOST ")) {
            let what = line.split(" (JET_err").next().unwrap();
            let what = what.strip_prefix("page 31: ").unwrap_or(what);
            assert!(verified.stdout.contains(what), "{what}\n{}", verified.stdout);
        }
        let ran = forged.run(&["compact", "a.edb", "dense.edb"]);
        ran.refused(1, &["a.edb", "(JET_err"]);
    }
    assert!(lost >= 3, "{lost}");
}

/// Counts are no damage: the copy has them right, and leaves behind what nobody refers to.
#[test]
fn a_compaction_counts_the_references_to_long_values_anew() {
    let test = "a_compaction_counts_the_references_to_long_values_anew";
    let Some(forged) = Forged::new(test, "binary.edb", 4096) else { return };
    let dense = |remark: &str| {
        ese(forged.dir(), &["compact", "a.edb", "dense.edb"]).fine();
        let verified = ese(forged.dir(), &["verify", "dense.edb"]).fine();
        assert!(!verified.contains("wasted") && verified.ends_with("sound\n"), "{remark}");
        ese(forged.dir(), &["diff", "a.edb", "dense.edb"]).fine();
        fs::remove_file(forged.dir().join("dense.edb")).unwrap();
    };
    forged.write(32, |page| {
        let (begin, _) = node(page, 1);
        assert_eq!(page[begin + 6..begin + 10], 1_u32.to_le_bytes());
        page[begin + 6] = 5;
    });
    let verified = forged.run(&["verify", "a.edb"]);
    assert_eq!(verified.code, Some(1), "{verified:?}");
    assert!(verified.stdout.contains("it counts 5 references, the rows have 1"), "{verified:?}");
    assert!(verified.stdout.contains("compact the database"), "{verified:?}");
    dense("a wrong count");
    forged.write(33, |page| mark_deleted(page, 1));
    let verified = forged.run(&["verify", "a.edb"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(verified.stdout.contains("no row refers to it"), "{verified:?}");
    dense("a value that nobody refers to");
}

/// Both catalogs can be read, and each has another type for a column.
#[test]
fn catalogs_that_contradict_each_other_are_told_with_what_each_says() {
    let test = "catalogs_that_contradict_each_other_are_told_with_what_each_says";
    let Some(forged) = Forged::new(test, "basic.edb", 4096) else { return };
    forged.write(14, |page| {
        let tags = usize::from(u16::from_le_bytes([page[34], page[35]]) & 0xfff);
        let own = |tag: &usize| {
            let (begin, end) = node(page, *tag);
            page[begin..end].ends_with(b"UnsignedShort")
        };
        let (begin, end) = node(page, (1..tags).find(own).unwrap());
        // Kind 2, a column, some id, type 17.
        let head = |at: &usize| {
            page[*at..*at + 2] == [2, 0] && page[*at + 6..*at + 10] == 17_u32.to_le_bytes()
        };
        let at = (begin..end - 10).find(head).unwrap();
        page[at + 6] = 3;
    });
    let column = "column \"UnsignedShort\" of table \"basic\": type Short in MSysObjects, \
                  UnsignedShort in MSysObjectsShadow";
    let verified = forged.run(&["verify", "a.edb"]);
    assert_eq!(verified.code, Some(1), "{verified:?}");
    let found = verified.stdout.lines().find(|line| line.contains(column)).unwrap();
    assert!(found.ends_with("[error]") && found.contains("which of the two is right"), "{found}");
    for args in [
        &["tables", "a.edb"][..],
        &["rows", "a.edb", "basic", "--json"],
        &["export", "a.edb", "basic", "--json"],
    ] {
        let ran = forged.run(args);
        assert!(ran.code == Some(0) && ran.stderr.contains(column), "{ran:?}");
    }
    forged.not_compacted("-1220");
}

#[test]
fn a_row_that_a_system_table_lacks_is_named() {
    let test = "a_row_that_a_system_table_lacks_is_named";
    let Some(forged) = Forged::new(test, "text.edb", 4096) else { return };
    for (page, tag, what) in [
        (29, 4, "MSysObjids lacks object 5 of table 2"),
        (29, 7, "MSysObjids lacks object 8 of table 8"),
        (30, 7, "MSysLocales lacks the row \"MSysLocalesConsistent\""),
        (30, 1, "MSysLocales lacks the row \".Schema\\External\\Major\""),
    ] {
        forged.write(page, |page| mark_deleted(page, tag));
        let verified = forged.run(&["verify", "a.edb"]);
        assert_eq!(verified.code, Some(1), "{what}: {verified:?}");
        let found: Vec<&str> =
            verified.stdout.lines().filter(|line| line.starts_with("PROBLEM")).collect();
        assert!(found.len() == 1 && found[0].contains(what), "{what}: {found:?}");
        assert!(found[0].ends_with("[warning]"), "{found:?}");
        ese(forged.dir(), &["compact", "a.edb", "dense.edb"]).fine();
        assert!(ese(forged.dir(), &["verify", "dense.edb"]).fine().ends_with("sound\n"), "{what}");
        fs::remove_file(forged.dir().join("dense.edb")).unwrap();
    }
}

/// Whoever meets -1414 learns here which indexes are to be made anew.
#[test]
fn indexes_whose_text_another_engine_has_sorted_are_named_with_what_that_means() {
    let test = "indexes_whose_text_another_engine_has_sorted_are_named_with_what_that_means";
    let Some(forged) = Forged::new(test, "index.edb", 4096) else { return };
    forged.write(31, |_| ());
    let told = forged.run(&["tables", "a.edb", "index"]).fine();
    let line = told.lines().find(|line| line.contains("-1414")).unwrap();
    let sorted = told.lines().filter(|line| line.ends_with("text sorted by another engine"));
    let names: Vec<&str> = sorted.map(|line| line.split(' ').nth(2).unwrap()).collect();
    assert!(!names.is_empty() && line.ends_with(&names.join(", ")), "{told}");
}
