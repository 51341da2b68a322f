//! Layout goldens, changes against a model, and accessors on arbitrary bytes.

use std::cmp::Ordering;

use ese_base::{DbTime, ObjId, PageSize, Pgno};

use super::*;
use crate::{Validate, checksum, test_rng::Rng, validate};

const LEAF: PageFlags = PageFlags::LEAF;
const ROOT_LEAF: PageFlags = PageFlags::ROOT.union(PageFlags::LEAF);

fn new_page(size: PageSize, flags: PageFlags) -> Vec<u8> {
    let mut bytes = vec![0xEE; size.bytes()];
    PageMut::new(&mut bytes, size).init(Pgno(9), ObjId(8), flags, DbTime(0x46));
    bytes
}

fn sound(page: PageRef<'_>) {
    if let Err(error) = validate(page, Pgno(9), Validate::Verify) {
        panic!("{error}\n{}", crate::dump::page_text(page, Pgno(9), Default::default()));
    }
}

/// Inserts an entry where it belongs, compressed as the page wants it.
fn insert(page: &mut PageMut<'_>, key: &[u8], data: &[u8]) {
    let iline = page.as_ref().search(key, data, true).unwrap_err();
    let cb_prefix = page.as_ref().compress_len(key);
    page.insert_node(iline, cb_prefix, &key[cb_prefix..], data, NodeFlags::empty()).unwrap();
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|digit| char::from(digit).to_digit(16).unwrap().to_le_bytes()[0])
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[test]
fn the_database_root_that_windows_wrote_comes_out_byte_for_byte() {
    // edb-format 2.1 and 13.1: page 1 of basic.edb, whose other bytes are zero.
    let mut bytes = vec![0; 4096];
    let mut page = PageMut::new(&mut bytes, PageSize::K4);
    let flags = ROOT_LEAF | PageFlags::from_bits_retain(0x8000);
    page.init(Pgno(1), ObjId(1), flags, DbTime(0x46));
    page.set_external_header(&hex("fe000000 00000000 01000000 02000000")).unwrap();
    checksum::stamp(&mut bytes, Pgno(1));
    let expected =
        hex("7ca70100 df7fdf7f 4600000000000000 00000000 00000000 01000000 c40f 0000 1000 0100 \
         03a80000 fe000000 00000000 01000000 02000000");
    assert_eq!(bytes[..56], expected);
    assert_eq!(bytes[4092..], hex("10000000"));
    assert!(bytes[56..4092].iter().all(|&byte| byte == 0));
}

#[test]
fn the_extent_trees_that_windows_wrote_come_out_byte_for_byte() {
    // Page 2 of basic.edb: owned extents, one node, split buffer as external header.
    let mut bytes = vec![0; 4096];
    let mut page = PageMut::new(&mut bytes, PageSize::K4);
    let flags = ROOT_LEAF | PageFlags::SPACE_TREE | PageFlags::from_bits_retain(0x8000);
    page.init(Pgno(2), ObjId(1), flags, DbTime(0x46));
    page.set_external_header(&[0; 16]).unwrap();
    insert(&mut page, &hex("000000fe"), &hex("fe000000"));
    checksum::stamp(&mut bytes, Pgno(2));
    assert_eq!(
        bytes[..66],
        hex("d459ec00920192014600000000000000 0000000000000000 01000000 b60f 0000 1a00 0200 \
             23a80000 00000000000000000000000000000000 0400 000000fe fe000000")
    );
    assert_eq!(bytes[4088..], hex("0a001000 10000000"));
    sound(PageRef::new(&bytes, PageSize::K4));

    // Page 2 of a database with 32 KiB pages (edb-format 13.6).
    let mut bytes = vec![0; 32768];
    let mut page = PageMut::new(&mut bytes, PageSize::K32);
    page.init(Pgno(2), ObjId(1), ROOT_LEAF | PageFlags::SPACE_TREE, DbTime(0x1ee58));
    page.set_flags(PageFlags::from_bits_retain(0x1_2823));
    page.set_external_header(&[0; 16]).unwrap();
    insert(&mut page, &hex("000000fe"), &hex("fe000000"));
    insert(&mut page, &hex("000001fe"), &hex("00010000"));
    checksum::stamp(&mut bytes, Pgno(2));
    // Its first checksum also covers old bytes of the free space, which the document leaves out.
    assert_eq!(
        bytes[8..80],
        hex("58ee010000000000 00000000 00000000 01000000 807f 0000 2400 0300 23280100 \
             0200000000000000 0200000000000000 12000a0086ff7900 02000000 000000000000000000000000")
    );
    assert_eq!(
        bytes[80..116],
        hex("00000000000000000000000000000000 0400 000000fe fe000000 0400 000001fe 00010000")
    );
    assert_eq!(bytes[32756..], hex("0a001a00 0a001000 10000000"));
}

#[test]
fn a_compressed_node_lies_on_small_and_large_pages_as_the_format_says() {
    for (size, slot, line) in [
        // Small: the flags are in the slot's offset. Large: in the first word of the line.
        (PageSize::K8, "0900 0780", "0400 0100 05 01020304"),
        (PageSize::K16, "0900 0700", "0480 0100 05 01020304"),
    ] {
        let mut bytes = new_page(size, LEAF);
        let mut page = PageMut::new(&mut bytes, size);
        page.set_external_header(b"abcdefg").unwrap();
        insert(&mut page, b"abcd\x05", &[1, 2, 3, 4]);
        assert_eq!(page.as_ref().node(0).key_to_vec(), b"abcd\x05");
        assert_eq!(page.as_ref().node(0).prefix, b"abcd");
        let at = size.header_len() + 7;
        assert_eq!(bytes[at..at + 9], hex(line), "{size}");
        assert_eq!(bytes[size.bytes() - 8..size.bytes() - 4], hex(slot), "{size}");
        let mut page = PageMut::new(&mut bytes, size);
        page.set_node_flags(0, NodeFlags::DELETED | NodeFlags::VERSIONED).unwrap();
        assert_eq!(page.as_ref().node(0).flags.bits(), 7);
        page.set_node_flags(0, NodeFlags::empty()).unwrap();
        assert_eq!(page.as_ref().node(0).flags, NodeFlags::COMPRESSED);
        sound(page.as_ref());
    }
}

#[test]
fn keys_are_compressed_only_where_it_pays_and_never_on_a_root() {
    let mut bytes = new_page(PageSize::K4, LEAF);
    let mut page = PageMut::new(&mut bytes, PageSize::K4);
    page.set_external_header(b"abcdef").unwrap();
    assert_eq!(page.as_ref().compress_len(b"ab"), 0);
    assert_eq!(page.as_ref().compress_len(b"abx"), 0);
    assert_eq!(page.as_ref().compress_len(b"abcx"), 3);
    assert_eq!(page.as_ref().compress_len(b"abcdefgh"), 6);
    page.set_flags(ROOT_LEAF);
    assert_eq!(page.as_ref().compress_len(b"abcdef"), 0);
}

#[test]
fn a_page_holds_one_node_of_the_largest_size() {
    for (size, largest) in PageSize::EVER.into_iter().zip([2000, 4048, 8144, 16296, 32680]) {
        let mut bytes = new_page(size, LEAF);
        let mut page = PageMut::new(&mut bytes, size);
        let data = vec![7; largest - 3];
        assert!(page.fits(largest) && !page.fits(largest + 1));
        assert!(page.insert_node(0, 0, b"k", &[7; 40000], NodeFlags::empty()).is_err());
        page.insert_node(0, 0, b"k", &data, NodeFlags::empty()).unwrap();
        assert_eq!(page.as_ref().free_bytes(), 0);
        assert_eq!(page.as_ref().node(0).data, data);
        assert_eq!(page.as_ref().line_len(0), largest);
        sound(page.as_ref());
        assert!(page.insert_node(0, 0, b"a", b"", NodeFlags::empty()).is_err());
        page.delete_node(0).unwrap();
        sound(page.as_ref());
        assert_eq!((page.as_ref().ib_mic_free(), page.as_ref().node_count()), (0, 0));
    }
}

#[test]
fn what_a_page_cannot_do_it_refuses_without_a_change() {
    let mut bytes = new_page(PageSize::K4, LEAF);
    let mut page = PageMut::new(&mut bytes, PageSize::K4);
    page.set_external_header(b"prefix").unwrap();
    insert(&mut page, b"prefix-a", b"1");
    let before = page.bytes().to_vec();
    assert!(page.insert_node(2, 0, b"x", b"1", NodeFlags::empty()).is_err());
    assert!(page.insert_node(1, 7, b"x", b"1", NodeFlags::empty()).is_err());
    assert!(page.replace_data(1, b"2").is_err());
    assert!(page.replace_data(0, &[0; 5000]).is_err());
    assert!(page.delete_node(1).is_err());
    assert!(page.set_node_flags(1, NodeFlags::DELETED).is_err());
    assert!(page.set_external_header(b"other").is_err());
    assert!(page.set_external_header(b"pref").is_err());
    assert!(page.set_external_header(&[0; 5000]).is_err());
    assert!(page.bytes() == before);
    // Bytes that no node uses may change.
    page.set_external_header(b"prefixes").unwrap();
    assert_eq!(page.as_ref().node(0).key_to_vec(), b"prefix-a");
    sound(page.as_ref());
}

#[test]
fn a_value_grows_in_place_then_behind_the_others_then_after_reorganisation() {
    for size in PageSize::EVER {
        let mut bytes = new_page(size, LEAF);
        let mut page = PageMut::new(&mut bytes, size);
        let quarter = size.bytes() / 4 - 40;
        for key in [b"a", b"b", b"c"] {
            insert(&mut page, key, &vec![key[0]; quarter]);
        }
        page.replace_data(2, &vec![b'C'; quarter + 10]).unwrap();
        page.replace_data(0, &vec![b'A'; quarter + 10]).unwrap();
        page.replace_data(1, b"B").unwrap();
        let grown = page.as_ref().free_bytes() + 1;
        page.replace_data(1, &vec![b'B'; grown]).unwrap();
        assert_eq!(page.as_ref().free_bytes(), 0);
        sound(page.as_ref());
        for (iline, (byte, len)) in
            [(b'A', quarter + 10), (b'B', grown), (b'C', quarter + 10)].into_iter().enumerate()
        {
            assert_eq!(page.as_ref().node(iline).data, vec![byte; len], "{size} {iline}");
        }
        assert!(page.replace_data(1, &vec![b'B'; grown + 1]).is_err());
    }
}

/// One entry of the model.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    key: Vec<u8>,
    data: Vec<u8>,
    flags: u8,
}

fn assert_same(page: PageRef<'_>, model: &[Entry]) {
    let found: Vec<Entry> = page
        .nodes()
        .map(|node| Entry {
            key: node.key_to_vec(),
            data: node.data.to_vec(),
            flags: (node.flags - NodeFlags::COMPRESSED).bits(),
        })
        .collect();
    assert_eq!(found, model);
}

fn random_key(rng: &mut Rng) -> Vec<u8> {
    // Many keys share a beginning with the prefix key, some are prefixes of others.
    let stem = &b"\x7f\x80\x00\x00prefix"[..rng.below(11)];
    let mut key = stem.to_vec();
    for _ in 0..=rng.below(4) {
        key.push(rng.byte() % 5);
    }
    key
}

#[test]
fn random_changes_give_what_a_model_gives_and_the_page_stays_sound() {
    for (seed, size) in PageSize::EVER.into_iter().cycle().take(12).enumerate() {
        let mut rng = Rng::new(seed as u64 + 100);
        let root = seed % 3 == 0;
        let by_data = seed % 2 == 0;
        let mut flags = if root { ROOT_LEAF } else { LEAF };
        flags.set(PageFlags::NON_UNIQUE, by_data);
        let mut bytes = new_page(size, flags);
        let mut page = PageMut::new(&mut bytes, size);
        page.set_external_header(b"\x7f\x80\x00\x00prefix key").unwrap();
        let mut model: Vec<Entry> = Vec::new();
        let data_max = size.bytes() / (4 << (seed % 4));
        for _ in 0..1500 {
            let data = vec![rng.byte(); 1 + rng.below(data_max)];
            let any = if model.is_empty() { 0 } else { rng.below(model.len()) };
            match rng.below(10) {
                0..=4 => {
                    let key = random_key(&mut rng);
                    let expected = model.binary_search_by(|entry| {
                        if by_data {
                            [&entry.key[..], &entry.data].concat().cmp(&[&key[..], &data].concat())
                        } else {
                            entry.key.cmp(&key)
                        }
                    });
                    let found = page.as_ref().search(&key, &data, !by_data);
                    assert_eq!(found, expected);
                    let Err(iline) = found else { continue };
                    let cb_prefix = page.as_ref().compress_len(&key);
                    let suffix = &key[cb_prefix..];
                    let len = PageMut::node_len(cb_prefix, suffix.len(), data.len());
                    let inserted =
                        page.insert_node(iline, cb_prefix, suffix, &data, NodeFlags::VERSIONED);
                    if inserted.is_ok() {
                        model.insert(iline, Entry { key, data, flags: 1 });
                        assert_eq!(page.as_ref().line_len(iline), len);
                    } else {
                        assert!(!page.fits(len));
                    }
                }
                5..=6 if !model.is_empty() && !by_data => {
                    let old = model[any].data.len();
                    let room = page.as_ref().free_bytes();
                    let replaced = page.replace_data(any, &data);
                    assert_eq!(replaced.is_ok(), data.len() <= old + room);
                    if replaced.is_ok() {
                        model[any].data = data;
                    }
                }
                7 if !model.is_empty() => {
                    page.delete_node(any).unwrap();
                    model.remove(any);
                }
                8 if !model.is_empty() => {
                    let flags = NodeFlags::from_bits_truncate(rng.byte() & 3);
                    page.set_node_flags(any, flags).unwrap();
                    model[any].flags = flags.bits();
                }
                9 if rng.below(20) == 0 => page.reorganise(),
                _ => {}
            }
            sound(page.as_ref());
            assert_same(page.as_ref(), &model);
        }
        while !model.is_empty() {
            page.delete_node(model.len() - 1).unwrap();
            model.pop();
            sound(page.as_ref());
        }
    }
}

#[test]
fn ascending_inserts_never_move_a_line() {
    let mut bytes = new_page(PageSize::K8, LEAF);
    let mut page = PageMut::new(&mut bytes, PageSize::K8);
    for number in 0..200_u32 {
        let at = page.as_ref().ib_mic_free();
        insert(&mut page, &number.to_be_bytes(), b"0123456789");
        assert_eq!(page.as_ref().slot(number as usize + 1).ib, at);
    }
    sound(page.as_ref());
}

#[test]
fn an_internal_page_leads_to_the_first_separator_above_the_entry() {
    for size in PageSize::EVER {
        for prefix in [&b""[..], b"\x7f\x80\x00\x00\x00\x20"] {
            let mut bytes = new_page(size, PageFlags::PARENT_OF_LEAF);
            let mut page = PageMut::new(&mut bytes, size);
            page.set_external_header(prefix).unwrap();
            let mut separators = Vec::new();
            for number in (0..60_u32).map(|n| 3 * n + 5) {
                let key = [&[0x7f_u8, 0x80, 0][..], &number.to_be_bytes()[1..]].concat();
                let iline = page.as_ref().node_count();
                let cb_prefix = page.as_ref().compress_len(&key);
                let data = (100 + number).to_le_bytes();
                page.insert_node(iline, cb_prefix, &key[cb_prefix..], &data, NodeFlags::empty())
                    .unwrap();
                separators.push(key);
            }
            sound(page.as_ref());
            for infinite in [false, true] {
                if infinite {
                    let iline = page.as_ref().node_count();
                    page.insert_node(iline, 0, b"", &[9, 0, 0, 0], NodeFlags::empty()).unwrap();
                    sound(page.as_ref());
                }
                for number in 0..200_u32 {
                    let key = [&[0x7f_u8, 0x80, 0][..], &number.to_be_bytes()[1..]].concat();
                    for split in [3, 5, 6] {
                        let (head, tail) = key.split_at(split);
                        let expected = separators.partition_point(|separator| separator <= &key);
                        let iline = page.as_ref().child_index(head, tail);
                        assert_eq!(iline, expected);
                        let child = match separators.get(expected) {
                            Some(_) => Pgno(100 + 3 * u32::try_from(expected).unwrap() + 5),
                            None if infinite => Pgno(9),
                            None => Pgno::NULL,
                        };
                        assert_eq!(page.as_ref().child(iline), child);
                    }
                }
                assert_eq!(page.as_ref().child_index(b"", b""), 0);
            }
        }
    }
}

#[test]
fn nodes_compare_as_if_key_and_data_were_one_string() {
    let node = Node { prefix: b"ab", suffix: b"cd", data: b"ef", flags: NodeFlags::empty() };
    for (key, data) in
        [("abcd", "ef"), ("abcde", "f"), ("a", "bcdef"), ("", "abcdef"), ("abcdef", "")]
    {
        assert_eq!(node.cmp_key_data(key.as_bytes(), data.as_bytes()), Ordering::Equal);
    }
    for (key, data, order) in [
        ("abcd", "e", Ordering::Greater),
        ("abcd", "efg", Ordering::Less),
        ("abce", "", Ordering::Less),
        ("abcd", "ee", Ordering::Greater),
        ("a", "", Ordering::Greater),
        ("b", "", Ordering::Less),
        ("", "", Ordering::Greater),
    ] {
        assert_eq!(node.cmp_key_data(key.as_bytes(), data.as_bytes()), order, "{key} {data}");
    }
    assert_eq!(node.cmp_key(b"abcd"), Ordering::Equal);
    assert_eq!(node.cmp_key(b"a"), Ordering::Greater);
    assert_eq!(node.cmp_key(b"abc"), Ordering::Greater);
    assert_eq!(node.cmp_key(b"abcde"), Ordering::Less);
    assert_eq!(node.cmp_key(b"ac"), Ordering::Less);
    assert_eq!(node.cmp_separator(b"ab", b"cd"), Ordering::Equal);
    assert_eq!(node.cmp_separator(b"ab", b"ce"), Ordering::Less);
}

/// Calls every accessor and every change.
fn touch_everything(bytes: &mut [u8], size: PageSize, rng: &mut Rng) {
    let page = PageRef::new(bytes, size);
    let _verdict = validate(page, Pgno(9), Validate::Backup).is_ok();
    let _text = crate::dump::page_text(page, Pgno(9), crate::dump::DumpOptions::default());
    let key = random_key(rng);
    let _found = page.search(&key, b"data", rng.below(2) == 0);
    let _child = page.child(page.child_index(&key, b""));
    let _facts = (page.stored_pgno(), page.is_blank(), page.compress_len(&key), page.fits(100));
    for iline in [0, 1, page.node_count(), page.node_count() + 1, 4094, 4095, 4096, 70000] {
        let node = page.node(iline);
        let _orders = (node.cmp_key(&key), node.cmp_key_data(&key, b"x"), page.line_len(iline));
    }
    let mut page = PageMut::new(bytes, size);
    let any = rng.below(page.as_ref().node_count() + 2);
    let bits = rng.below(12);
    let data = vec![1; rng.below(1 << bits)];
    let _results = match rng.below(6) {
        0 => page.insert_node(any, rng.below(5), &key, &data, NodeFlags::all()),
        1 => page.replace_data(any, &data),
        2 => page.delete_node(any),
        3 => page.set_node_flags(any, NodeFlags::DELETED),
        4 => page.set_external_header(&data),
        _ => {
            page.reorganise();
            Ok(())
        }
    }
    .is_ok();
}

#[test]
fn no_bytes_make_an_accessor_or_a_change_panic() {
    let mut rng = Rng::new(50);
    for size in PageSize::EVER {
        for _ in 0..100 {
            let mut bytes = rng.bytes(size.bytes());
            for _ in 0..4 {
                touch_everything(&mut bytes, size, &mut rng);
            }
        }
        // Sound pages with a few bytes changed reach deeper than noise.
        for _ in 0..600 {
            let flags = PageFlags::from_bits_retain(u32::from(rng.byte() & 0x07));
            let mut bytes = new_page(size, flags | PageFlags::LEAF);
            let mut page = PageMut::new(&mut bytes, size);
            page.set_external_header(b"\x7f\x80\x00\x00prefix key").unwrap();
            for _ in 0..rng.below(40) {
                let key = random_key(&mut rng);
                if page.as_ref().search(&key, b"", true).is_err() {
                    insert(&mut page, &key, b"some data");
                }
            }
            for _ in 0..=rng.below(6) {
                let at = match rng.below(3) {
                    0 => 28 + rng.below(12),
                    1 => size.bytes() - 1 - rng.below(160),
                    _ => rng.below(size.bytes()),
                };
                bytes[at] = rng.byte();
            }
            for _ in 0..6 {
                touch_everything(&mut bytes, size, &mut rng);
            }
        }
        for len in [0, 1, 39, 40, 79, 80, size.bytes() - 1] {
            touch_everything(&mut rng.bytes(len), size, &mut rng);
        }
    }
}
