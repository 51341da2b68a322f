//! Every page of the databases that Windows wrote: header, checksum, structure, and what our own
//! encoder makes of what our own decoder read.

#![allow(clippy::disallowed_methods, reason = "the tests read real files, as they are")]

use std::{fs, path::PathBuf};

use ese_base::{PageSize, Pgno};
use ese_pages::{
    PageFlags, PageMut, PageRef, Validate,
    checksum::{self, Verdict},
    header::{DbHeader, HeaderCopy, Located, locate},
    validate,
};

/// A database of the test data: page size, last page that its root owns (behind it a file may hold
/// anything), and how many of those pages were ever written.
struct Database {
    name: &'static str,
    size: PageSize,
    end: u32,
    used: u32,
}

const fn database(name: &'static str, size: PageSize, end: u32, used: u32) -> Database {
    Database { name, size, end, used }
}

const DATABASES: [Database; 9] = [
    database("databases/basic.edb", PageSize::K4, 254, 23),
    database("databases/binary.edb", PageSize::K4, 254, 25),
    database("databases/default.edb", PageSize::K4, 254, 23),
    database("databases/index.edb", PageSize::K4, 254, 47),
    database("databases/text.edb", PageSize::K4, 254, 32),
    // Copied while open.
    database("databases/Catalog1.edb", PageSize::K4, 512, 209),
    database("databases/decompress_test.edb", PageSize::K8, 254, 18),
    database("databases/srum-win10-clean.dat", PageSize::K4, 782, 663),
    // Dirty, format update 300, reserved slots.
    database("databases/qmgr-16k-dirty.db", PageSize::K16, 78, 43),
];

fn open(path: &PathBuf) -> (Vec<u8>, Located) {
    let file = fs::read(path).expect("the test data is complete");
    let read = |offset: u64, buf: &mut [u8]| {
        let offset = usize::try_from(offset).expect("small files");
        buf.copy_from_slice(&file[offset..offset + buf.len()]);
        Ok(())
    };
    let located = locate(read, file.len() as u64).expect("a database");
    (file, located)
}

fn page(file: &[u8], size: PageSize, pgno: Pgno) -> Option<&[u8]> {
    let at = usize::try_from(size.offset_of(pgno)).expect("small files");
    file.get(at..at + size.bytes())
}

/// Last page of the highest extent in the database root's tree of owned extents (page 2).
fn owned_end(file: &[u8], size: PageSize) -> u32 {
    let root = PageRef::new(page(file, size, Pgno(2)).expect("page 2"), size);
    assert!(root.is_leaf(), "the owned extents fit on one page");
    let last = root.node(root.node_count() - 1).key_to_vec();
    u32::from_be_bytes(last.try_into().expect("keys of extents have 4 bytes"))
}

#[test]
fn every_page_that_windows_wrote_verifies_and_is_sound() {
    let Some(data) = ese_tests::real_data("every_page_that_windows_wrote_verifies_and_is_sound")
    else {
        return;
    };
    for Database { name, size, end, used: expected } in DATABASES {
        let (file, located) = open(&data.join(name));
        assert_eq!((located.page_size, located.copy), (size, HeaderCopy::Both), "{name}");
        assert_eq!(owned_end(&file, size), end, "{name}");
        let mut used = 0;
        for pgno in (1..=end).map(Pgno) {
            let Some(bytes) = page(&file, size, pgno) else { break };
            match checksum::check(bytes, pgno) {
                Verdict::Blank => {}
                Verdict::Good => used += 1,
                bad => panic!("{name}: page {pgno}: {bad:?}"),
            }
            let page = PageRef::new(bytes, size);
            if let Err(error) = validate(page, pgno, Validate::Verify) {
                panic!(
                    "{name}: {error}\n{}",
                    ese_pages::dump::page_text(page, pgno, Default::default())
                );
            }
        }
        assert_eq!(used, expected, "{name}");
    }
}

#[test]
fn a_header_that_windows_wrote_is_encoded_to_the_same_bytes() {
    let Some(data) =
        ese_tests::real_data("a_header_that_windows_wrote_is_encoded_to_the_same_bytes")
    else {
        return;
    };
    for Database { name, .. } in DATABASES {
        let (file, located) = open(&data.join(name));
        let page = &file[..located.page_size.bytes()];
        assert_eq!(DbHeader::decode(page).unwrap(), located.header);
        assert!(located.header.encode().unwrap() == page, "{name}");
    }
}

#[test]
fn pages_stamped_by_us_carry_the_checksums_that_windows_wrote() {
    let Some(data) =
        ese_tests::real_data("pages_stamped_by_us_carry_the_checksums_that_windows_wrote")
    else {
        return;
    };
    for Database { name, .. } in DATABASES {
        let (file, located) = open(&data.join(name));
        let size = located.page_size;
        for pgno in (1..=owned_end(&file, size)).map(Pgno) {
            let Some(bytes) = page(&file, size, pgno) else { break };
            if PageRef::new(bytes, size).is_blank() {
                continue;
            }
            let mut copy = bytes.to_vec();
            copy[..8].fill(0);
            if !size.is_small() {
                copy[40..64].fill(0);
            }
            checksum::stamp(&mut copy, pgno);
            assert!(copy == bytes, "{name}: page {pgno}");
        }
    }
}

#[test]
fn reorganising_a_page_that_windows_wrote_keeps_its_nodes() {
    let Some(data) = ese_tests::real_data("reorganising_a_page_that_windows_wrote_keeps_its_nodes")
    else {
        return;
    };
    for Database { name, .. } in DATABASES {
        let (file, located) = open(&data.join(name));
        let size = located.page_size;
        for pgno in (1..=owned_end(&file, size)).map(Pgno) {
            let Some(bytes) = page(&file, size, pgno) else { break };
            let before = PageRef::new(bytes, size);
            if before.is_blank()
                || before.flags().intersects(PageFlags::EMPTY | PageFlags::PRE_INIT)
            {
                continue;
            }
            let mut copy = bytes.to_vec();
            PageMut::new(&mut copy, size).reorganise();
            let after = PageRef::new(&copy, size);
            validate(after, pgno, Validate::Verify).unwrap();
            assert_eq!(before.node_count(), after.node_count());
            assert_eq!(before.external_header(), after.external_header());
            for (iline, (old, new)) in before.nodes().zip(after.nodes()).enumerate() {
                assert_eq!(
                    (old.key_to_vec(), old.data, old.flags),
                    (new.key_to_vec(), new.data, new.flags),
                    "{name}: page {pgno} line {iline}"
                );
                // What is found by its key is found where it lies.
                let unique = !before.flags().contains(PageFlags::NON_UNIQUE);
                if before.is_leaf() {
                    let key = old.key_to_vec();
                    assert_eq!(before.search(&key, old.data, unique), Ok(iline), "{name} {pgno}");
                }
            }
        }
    }
}
