//! Every rule is broken once, and the message names what was expected and found.

use ese_base::{DbTime, ObjId};

use super::*;
use crate::page::{PageMut, layout::LARGE_PGNO_AT};

fn leaf(size: PageSize) -> Vec<u8> {
    page_of(size, PageFlags::LEAF)
}

fn page_of(size: PageSize, flags: PageFlags) -> Vec<u8> {
    let mut bytes = vec![0; size.bytes()];
    let mut page = PageMut::new(&mut bytes, size);
    page.init(Pgno(7), ObjId(8), flags, DbTime(0x50));
    page.set_external_header(b"key-prefix").unwrap();
    for (iline, key) in [&b"key-a"[..], b"key-b", b"key-c"].into_iter().enumerate() {
        let cb_prefix = page.as_ref().compress_len(key);
        page.insert_node(iline, cb_prefix, &key[cb_prefix..], &[5, 0, 0, 0], NodeFlags::empty())
            .unwrap();
    }
    bytes
}

fn fault(bytes: &[u8], size: PageSize) -> (i32, String) {
    let error = validate(PageRef::new(bytes, size), Pgno(7), Validate::Read).unwrap_err();
    assert_eq!(error.pgno(), Some(Pgno(7)));
    (error.jet_code(), error.to_string())
}

fn slot_at(size: PageSize, itag: usize) -> usize {
    size.bytes() - SLOT_LEN * (itag + 1)
}

#[test]
fn sound_pages_of_every_kind_pass() {
    for size in PageSize::EVER {
        for flags in [PageFlags::LEAF, PageFlags::PARENT_OF_LEAF, PageFlags::empty()] {
            for why in [Validate::Read, Validate::Backup, Validate::Verify] {
                let bytes = page_of(size, flags);
                validate(PageRef::new(&bytes, size), Pgno(7), why).unwrap();
            }
        }
    }
}

#[test]
fn a_blank_page_is_judged_by_who_asks() {
    let bytes = [0; 4096];
    let page = PageRef::new(&bytes, PageSize::K4);
    assert_eq!(validate(page, Pgno(7), Validate::Read).unwrap_err().jet_code(), -1019);
    validate(page, Pgno(7), Validate::Backup).unwrap();
    validate(page, Pgno(7), Validate::Verify).unwrap();
}

#[test]
fn a_large_page_of_another_number_is_named() {
    let mut bytes = leaf(PageSize::K16);
    bytes[LARGE_PGNO_AT] = 9;
    let (code, text) = fault(&bytes, PageSize::K16);
    assert_eq!(code, -1118);
    assert!(text.contains("expected page 7, the page says it is 9 (reading)"), "{text}");
}

#[test]
fn flags_that_exclude_each_other_are_refused() {
    for flags in [0x0010, 0x2_0008, 0x00c0, 0x0006] {
        let mut bytes = leaf(PageSize::K4);
        let flags = 0x2800_u32 | flags;
        bytes[36..40].copy_from_slice(&flags.to_le_bytes());
        assert_eq!(fault(&bytes, PageSize::K4).0, -1206, "{flags:#x}");
    }
}

#[test]
fn wrong_free_space_bookkeeping_is_found_to_the_byte() {
    for size in PageSize::EVER {
        for (at, what) in [(28, "cbFree is"), (30, "cbUncommittedFree"), (32, "ibMicFree")] {
            for value in [0x7fff_u16, 1] {
                if at == 30 && value == 1 {
                    continue;
                }
                let mut bytes = leaf(size);
                bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
                let (code, text) = fault(&bytes, size);
                assert_eq!(code, -357);
                assert!(text.contains(what), "{text}");
            }
        }
        for tags in [0_u16, 0x0fff] {
            let mut bytes = leaf(size);
            bytes[34..36].copy_from_slice(&tags.to_le_bytes());
            assert_eq!(fault(&bytes, size).0, -357);
        }
    }
}

#[test]
fn lines_that_leave_the_data_area_or_overlap_are_found() {
    for size in PageSize::EVER {
        let mut bytes = leaf(size);
        let at = slot_at(size, 2);
        bytes[at + 2] = 0xff;
        bytes[at + 3] |= 0x0f;
        assert!(fault(&bytes, size).1.contains("slot 2: line of 9 bytes"));
        // Slot 3 onto the place of slot 1.
        let mut bytes = leaf(size);
        let (from, to) = (slot_at(size, 1), slot_at(size, 3));
        bytes.copy_within(from..from + 4, to);
        let (code, text) = fault(&bytes, size);
        assert_eq!(code, -357);
        assert!(text.contains("slot 3: line of 9 bytes at 10 overlaps another"), "{text}");
    }
}

#[test]
fn a_line_of_no_length_may_be_anywhere_but_no_node_is_one() {
    for size in PageSize::EVER {
        // As Windows leaves a page behind whose last node and prefix key are gone.
        let mut bytes = vec![0; size.bytes()];
        let mut page = PageMut::new(&mut bytes, size);
        page.init(Pgno(7), ObjId(8), PageFlags::LEAF, DbTime(0x50));
        let at = slot_at(size, 0);
        bytes[at + 2..at + 4].copy_from_slice(&3346_u16.to_le_bytes());
        validate(PageRef::new(&bytes, size), Pgno(7), Validate::Read).unwrap();
        let mut page = PageMut::new(&mut bytes, size);
        page.set_external_header(b"prefix").unwrap();
        page.insert_node(0, 6, b"", b"data", NodeFlags::empty()).unwrap();
        validate(page.as_ref(), Pgno(7), Validate::Read).unwrap();

        let mut bytes = leaf(size);
        let at = slot_at(size, 3);
        bytes[at..at + 2].copy_from_slice(&[0, 0]);
        let free = PageRef::new(&bytes, size).free_bytes() + 9;
        bytes[28..30].copy_from_slice(&u16::try_from(free).unwrap().to_le_bytes());
        let (code, text) = fault(&bytes, size);
        assert_eq!(code, -358);
        assert!(text.contains("slot 3: line of 0 bytes"), "{text}");
    }
}

#[test]
fn lines_in_any_physical_order_are_no_overlap() {
    for size in PageSize::EVER {
        let mut bytes = leaf(size);
        let mut page = PageMut::new(&mut bytes, size);
        for round in 0..90_u8 {
            let key = [b'k', b'a', 200 - round];
            page.insert_node(0, 0, &key, &[round; 9], NodeFlags::empty()).unwrap();
        }
        validate(page.as_ref(), Pgno(7), Validate::Read).unwrap();
    }
}

#[test]
fn nodes_that_do_not_fit_their_lines_are_explained() {
    for size in PageSize::EVER {
        let line = size.header_len() + 10;
        // The suffix is longer than the line.
        let mut bytes = leaf(size);
        bytes[line + 2] = 200;
        let (code, text) = fault(&bytes, size);
        assert_eq!(code, -358);
        assert!(text.contains("slot 1: line of 9 bytes"), "{text}");
        // The prefix is longer than the page's prefix key.
        let mut bytes = leaf(size);
        bytes[line] = 11;
        assert!(fault(&bytes, size).1.contains("the prefix key has 10 bytes"));
        // A prefix of one byte is never written.
        let mut bytes = leaf(size);
        bytes[line] = 1;
        assert!(fault(&bytes, size).1.contains("wrongly compressed key: prefix of 1 bytes"));
        // No data.
        let mut bytes = leaf(size);
        bytes[line + 2] = 5;
        assert!(fault(&bytes, size).1.contains("data of 0 bytes"));
    }
}

#[test]
fn roots_do_not_compress_and_internal_pages_hold_page_numbers() {
    let size = PageSize::K4;
    let mut bytes = leaf(size);
    let flags = (PageFlags::ROOT | PageFlags::LEAF | PageFlags::FORMAT).bits();
    bytes[36..40].copy_from_slice(&flags.to_le_bytes());
    assert_eq!(fault(&bytes, size).0, -358);

    let mut bytes = page_of(size, PageFlags::PARENT_OF_LEAF);
    PageMut::new(&mut bytes, size).replace_data(1, b"12345").unwrap();
    assert!(fault(&bytes, size).1.contains("slot 2: expected a page number (4 bytes), found 5"));
    let mut bytes = page_of(size, PageFlags::PARENT_OF_LEAF);
    PageMut::new(&mut bytes, size).set_node_flags(1, NodeFlags::DELETED).unwrap();
    assert!(fault(&bytes, size).1.contains("on an internal page"));
    let mut bytes = page_of(size, PageFlags::PARENT_OF_LEAF);
    let mut page = PageMut::new(&mut bytes, size);
    for _ in 0..3 {
        page.delete_node(0).unwrap();
    }
    assert_eq!(fault(&bytes, size).0, -351);
}

#[test]
fn keys_out_of_order_are_found_and_only_the_last_separator_may_be_empty() {
    let size = PageSize::K8;
    let mut bytes = leaf(size);
    let mut page = PageMut::new(&mut bytes, size);
    page.insert_node(3, 4, b"b", b"data", NodeFlags::empty()).unwrap();
    assert!(fault(&bytes, size).1.contains("slot 4: its key is not greater"));

    let mut bytes = page_of(size, PageFlags::PARENT_OF_LEAF);
    let mut page = PageMut::new(&mut bytes, size);
    page.insert_node(3, 0, b"", &[1, 0, 0, 0], NodeFlags::empty()).unwrap();
    validate(page.as_ref(), Pgno(7), Validate::Read).unwrap();
    page.delete_node(3).unwrap();
    page.insert_node(0, 0, b"", &[1, 0, 0, 0], NodeFlags::empty()).unwrap();
    assert_eq!(fault(&bytes, size).0, -358);

    // Equal keys are in order where data decide, and only there.
    for (flags, expected) in
        [(PageFlags::LEAF, false), (PageFlags::LEAF | PageFlags::NON_UNIQUE, true)]
    {
        let mut bytes = vec![0; size.bytes()];
        let mut page = PageMut::new(&mut bytes, size);
        page.init(Pgno(7), ObjId(8), flags, DbTime(0x50));
        page.insert_node(0, 0, b"same", b"1", NodeFlags::empty()).unwrap();
        page.insert_node(1, 0, b"same", b"2", NodeFlags::empty()).unwrap();
        assert_eq!(validate(page.as_ref(), Pgno(7), Validate::Read).is_ok(), expected);
        page.insert_node(2, 0, b"same1", b"9", NodeFlags::empty()).unwrap();
        assert!(validate(page.as_ref(), Pgno(7), Validate::Read).is_err());
    }
}

#[test]
fn an_emptied_page_means_nothing() {
    let size = PageSize::K4;
    let mut bytes = page_of(size, PageFlags::LEAF);
    bytes[34..36].copy_from_slice(&[0, 0]);
    let flags = (PageFlags::EMPTY | PageFlags::FORMAT).bits();
    bytes[36..40].copy_from_slice(&flags.to_le_bytes());
    validate(PageRef::new(&bytes, size), Pgno(7), Validate::Read).unwrap();
}
