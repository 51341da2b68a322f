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
