//! Inputs to start from, made by the code under test itself: one for each interesting shape.

use ese_base::{DbTime, ObjId, PageSize, Pgno, Signature};
use ese_pages::{DbHeader, NodeFlags, PageFlags, PageMut, header::NewHeader};

use crate::{header, page};

/// The seeds of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "header" => headers(),
        "log_record" => log_records(),
        "page" => pages(),
        "page_edit" => scripts(),
        other => panic!("no seeds for {other}"),
    }
}

/// The number of a page size in an input.
fn choice(size: PageSize) -> u8 {
    let at = PageSize::ALL.iter().position(|s| *s == size).expect("one of four");
    u8::try_from(at).expect("one of four")
}

fn headers() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for size in PageSize::ALL {
        let new = NewHeader {
            page_size: size,
            sign_db: Signature::default(),
            sign_log: Signature::default(),
        };
        let page = DbHeader::new(new).encode().expect("a new header");
        let both = [page.clone(), page].concat();
        for stamp in [0, header::STAMP_PRIMARY, header::STAMP_SHADOW] {
            let options = choice(size) << 2 | stamp;
            seeds.push([&[options], both.as_slice()].concat());
        }
        let mut shadow_only = both;
        shadow_only[..8].fill(0xff);
        seeds.push([&[0], shadow_only.as_slice()].concat());
    }
    seeds
}

fn pages() -> Vec<Vec<u8>> {
    let kinds = [
        PageFlags::LEAF,
        PageFlags::ROOT | PageFlags::LEAF,
        PageFlags::PARENT_OF_LEAF,
        PageFlags::LEAF | PageFlags::INDEX | PageFlags::NON_UNIQUE,
    ];
    let mut seeds = Vec::new();
    for size in PageSize::ALL {
        for flags in kinds {
            let pgno = Pgno(4);
            let mut image = vec![0; size.bytes()];
            let mut page = PageMut::new(&mut image, size);
            page.init(pgno, ObjId(5), flags, DbTime(64));
            page.set_external_header(b"prefix of the keys").expect("room");
            for n in 0..40_u8 {
                let key = [b"prefix of ".as_slice(), &[b'a' + n / 8, n]].concat();
                let cut = page.as_ref().compress_len(&key);
                let at = page.as_ref().node_count();
                page.insert_node(at, cut, &key[cut..], &[n, 0, 0, 0], NodeFlags::empty())
                    .expect("room");
            }
            for options in [page::OWN_NUMBER, page::OWN_NUMBER | page::CHECKSUM | page::DUMP] {
                let head = [choice(size), options, 3, 0x10, 0x27];
                seeds.push([&head, image.as_slice()].concat());
            }
        }
    }
    seeds
}

fn scripts() -> Vec<Vec<u8>> {
    let script = |size: u8, step: u8| {
        let mut bytes = vec![size, 6];
        bytes.extend_from_slice(b"prefix");
        bytes.extend((0..600_u32).map(|n| (n.wrapping_mul(u32::from(step)) >> 2) as u8));
        bytes
    };
    (0..4).flat_map(|size| [3, 7, 61].map(|step| script(size, step))).collect()
}

/// For each type number that has a decoder: zeros, which are a record of each fixed layout.
fn log_records() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for number in 0..=u8::MAX {
        let mut bytes = vec![0; 256];
        bytes[0] = number;
        if let Ok((_, len)) = ese_log::Record::decode_prefix(&bytes) {
            bytes.truncate(len);
            seeds.push(bytes);
        }
    }
    let all_in_a_row = seeds.concat();
    seeds.push(all_in_a_row);
    seeds
}
