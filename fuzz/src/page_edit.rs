//! A script of changes on one leaf page beside a plain list: after every change the page is sound
//! and holds what the list holds; what does not fit is refused and changes nothing.
//!
//! Input: page size, length and bytes of the prefix key, then the script.

use ese_base::{DbTime, ObjId, PageSize, Pgno};
use ese_pages::{NodeFlags, PageFlags, PageMut, PageRef, Validate, validate};

use crate::input::Input;

const PGNO: Pgno = Pgno(9);

/// Changes of one script at most: more only makes it slow.
const STEPS_MAX: usize = 400;

/// Key, data, flags: what a node should be.
type Entry = (Vec<u8>, Vec<u8>, NodeFlags);

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let size = input.page_size();
    let mut image = vec![0xa5; size.bytes()];
    let mut page = PageMut::new(&mut image, size);
    page.init(PGNO, ObjId(7), PageFlags::LEAF, DbTime(64));
    let len = usize::from(input.byte()) % 64;
    let prefix = input.bytes(len);
    page.set_external_header(prefix).expect("an empty page takes a prefix key");
    let mut model: Vec<Entry> = Vec::new();
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        step(&mut input, &mut page, &mut model, prefix);
        compare(page.as_ref(), &model);
    }
}

fn step(input: &mut Input<'_>, page: &mut PageMut<'_>, model: &mut Vec<Entry>, prefix: &[u8]) {
    match (input.byte() % 8, model.len()) {
        (0..=2, _) | (_, 0) => insert(input, page, model, prefix),
        (3 | 4, count) => {
            let at = input.below(count);
            let data = value(input, page.as_ref().size());
            let old = page.as_ref().node(at).data.len();
            let fits = data.len() <= old || data.len() - old <= page.as_ref().free_bytes();
            assert_eq!(page.replace_data(at, &data).is_ok(), fits);
            if fits {
                model[at].1 = data;
            }
        }
        (5, count) => {
            let at = input.below(count);
            page.delete_node(at).expect("a node that is there");
            model.remove(at);
        }
        (6, count) => {
            let at = input.below(count);
            let flags = NodeFlags::from_bits_truncate(input.byte())
                & (NodeFlags::VERSIONED | NodeFlags::DELETED);
            page.set_node_flags(at, flags).expect("a node that is there");
            model[at].2 = flags;
        }
        (_, count) => {
            page.reorganise();
            assert!(page.delete_node(count).is_err(), "there is no such node");
        }
    }
}

fn insert(input: &mut Input<'_>, page: &mut PageMut<'_>, model: &mut Vec<Entry>, prefix: &[u8]) {
    let shared = input.below(prefix.len() + 1);
    let mut key = prefix[..shared].to_vec();
    let len = usize::from(input.byte()) % 40;
    key.extend_from_slice(input.bytes(len));
    if key.is_empty() {
        key.push(input.byte());
    }
    let data = value(input, page.as_ref().size());
    let Err(at) = page.as_ref().search(&key, &data, true) else { return };
    let compressed = page.as_ref().compress_len(&key);
    let suffix = &key[compressed..];
    let fits = page.fits(PageMut::node_len(compressed, suffix.len(), data.len()));
    let done = page.insert_node(at, compressed, suffix, &data, NodeFlags::empty());
    assert_eq!(done.is_ok(), fits);
    if fits {
        model.insert(at, (key, data, NodeFlags::empty()));
    }
}

/// Mostly short values, at times one of up to half a page.
fn value(input: &mut Input<'_>, size: PageSize) -> Vec<u8> {
    let choice = input.byte();
    let len = if choice < 8 { input.below(size.bytes() / 2) } else { usize::from(choice) / 4 };
    vec![input.byte(); len.max(1)]
}

fn compare(page: PageRef<'_>, model: &[Entry]) {
    validate(page, PGNO, Validate::Read).expect("the page is sound after every change");
    assert_eq!(page.node_count(), model.len());
    for (node, (key, data, flags)) in page.nodes().zip(model) {
        assert_eq!(&node.key_to_vec(), key);
        assert_eq!(node.data, data);
        assert_eq!(node.flags - NodeFlags::COMPRESSED, *flags);
    }
}
