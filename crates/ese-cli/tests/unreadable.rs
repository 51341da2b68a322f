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
