//! Arbitrary bytes as a page image: no accessor panics, and a page that passes `validate` answers
//! searches for its own nodes; a checksum finds and mends one wrong bit.
//!
//! Input: page size, options, page number, bit to flip (2 bytes), then the image.

use ese_base::{PageSize, Pgno};
use ese_pages::{
    PageFlags, PageRef, Validate,
    checksum::{self, repair, stamp},
    dump::{DumpOptions, page_text},
    validate,
};

use crate::input::Input;

/// Option bit: give large pages their right number, so that the checks behind it are reached.
pub const OWN_NUMBER: u8 = 1;
/// Option bit: try the checksum (slow).
pub const CHECKSUM: u8 = 2;
/// Option bit: print the page (slow).
pub const DUMP: u8 = 4;

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let size = input.page_size();
    let options = input.byte();
    let pgno = Pgno(1 + u32::from(input.byte()));
    let bit = usize::from(input.word());
    let mut image = vec![0; size.bytes()];
    let bytes = input.rest();
    let len = bytes.len().min(image.len());
    image[..len].copy_from_slice(&bytes[..len]);
    if options & OWN_NUMBER != 0 && !size.is_small() {
        image[64..68].copy_from_slice(&pgno.0.to_le_bytes());
    }
    if options & CHECKSUM != 0 {
        // The verdict on arbitrary bytes says something, whatever it is.
        let verdict = checksum::verify(&image, pgno);
        assert!(verdict.is_ok() || !verdict.unwrap_err().to_string().is_empty());
        one_wrong_bit_is_mended(&mut image, pgno, size, bit);
    }
    look_at_everything(PageRef::new(&image, size), &image[..len.min(64)]);
    if options & DUMP != 0 {
        let text = page_text(PageRef::new(&image, size), pgno, DumpOptions::default());
        assert!(!text.is_empty());
    }
    if validate(PageRef::new(&image, size), pgno, Validate::Read).is_ok() {
        a_sound_page_finds_its_nodes(PageRef::new(&image, size));
    }
    // A short image is refused, not read beyond its end.
    let short = PageRef::new(&image[..len.min(size.bytes() - 1)], size);
    look_at_everything(short, b"key");
    assert!(validate(short, pgno, Validate::Verify).is_err());
}

fn one_wrong_bit_is_mended(image: &mut [u8], pgno: Pgno, size: PageSize, bit: usize) {
    // Pages of the oldest format have another checksum, which mends nothing.
    let flags = PageRef::new(image, size).flags() | PageFlags::NEW_CHECKSUM;
    image[36..40].copy_from_slice(&flags.bits().to_le_bytes());
    stamp(image, pgno);
    assert!(checksum::verify(image, pgno).is_ok());
    let right = image.to_vec();
    // Behind the header, which holds the checksums themselves.
    let bit = size.header_len() * 8 + bit % ((size.bytes() - size.header_len()) * 8);
    image[bit / 8] ^= 1 << (bit % 8);
    assert!(checksum::verify(image, pgno).is_err(), "bit {bit}");
    assert!(repair(image, pgno).is_ok_and(|mended| mended.is_some()), "bit {bit}");
    assert!(image == right, "bit {bit} was mended wrongly");
}

fn look_at_everything(page: PageRef<'_>, key: &[u8]) {
    let count = page.node_count();
    for iline in [0, 1, count / 2, count.saturating_sub(1), count, count + 1, usize::MAX / 2] {
        let node = page.node(iline);
        assert_eq!(node.key_to_vec().len(), node.key_len());
        let _ = (node.cmp_key(key), node.cmp_key_data(key, b"data"), page.line_len(iline));
        let _ = page.child(iline);
    }
    let total: usize = page.nodes().map(|node| node.suffix.len() + node.data.len()).sum();
    // Lines of a damaged page may overlap, but each lies inside the page.
    assert!(total <= count * page.size().bytes());
    for unique in [true, false] {
        let (Ok(at) | Err(at)) = page.search(key, b"data", unique);
        assert!(at <= count);
    }
    let _ = (page.child_index(key, b"data"), page.prefix(), page.external_header());
    let _ = (page.prev(), page.next(), page.objid(), page.dbtime(), page.is_blank());
    let _ = (page.free_bytes(), page.uncommitted_free(), page.compress_len(key));
}

fn a_sound_page_finds_its_nodes(page: PageRef<'_>) {
    let by_data = page.flags().contains(PageFlags::NON_UNIQUE);
    for (iline, node) in page.nodes().enumerate() {
        let key = node.key_to_vec();
        if page.is_leaf() {
            assert_eq!(page.search(&key, node.data, !by_data), Ok(iline));
        } else if node.key_len() > 0 {
            // What equals a separator lies to the right of it.
            assert_eq!(page.child_index(&key, b""), iline + 1);
        }
    }
}
