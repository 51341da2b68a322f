//! Inputs to start from, made by the code under test itself: one for each interesting shape.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use ese_base::{DbTime, ObjId, PageSize, Pgno, ProcId, Signature};
use ese_engine::{
    record::encode_row,
    schema::{ColumnId, base_catalog},
};
use ese_log::{Log, Record, records::Trace};
use ese_pages::{DbHeader, NodeFlags, PageFlags, PageMut, header::NewHeader};

use ese_sim::SimEnv;

use crate::{
    archive, compressed, header, keys, log, long_values, page, record, recover, replay, tagged,
};

/// The seeds of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "archive" => archive::seeds(),
        "compressed" => compressed::seeds(),
        "header" => headers(),
        "keys" => keys::seeds(),
        "log" => logs(),
        "log_record" => log_records(),
        "long_values" => long_values::seeds(),
        "page" => pages(),
        "page_edit" => scripts(),
        "record" => records(),
        "recover" => recover::seeds(),
        "replay" => replay::seeds(),
        "tagged" => tagged::seeds(),
        other => panic!("no seeds for {other}"),
    }
}

/// Writes the seeds of a target into the folder that `ESE_SEEDS` names, if it does. A fuzzer does
/// so before it reads that folder: a program of its own would be a second build of everything.
pub fn write(target: &str) {
    let Some(folder) = env::var_os("ESE_SEEDS").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).expect("a folder for the seeds");
    for (number, seed) in of(target).iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:03}")), seed).expect("a seed is written");
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

/// Rows of the table of all types and of the catalog, for each page size.
fn records() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for size in PageSize::ALL {
        let head = [choice(size), 3, 0, 4, 1, 2, 3, 4];
        let table = record::schema(size);
        let values: Vec<(ColumnId, Vec<u8>)> = table
            .columns
            .iter()
            .map(|column| (column.id, vec![0xff; column.ty.fixed_len().unwrap_or(9)]))
            .collect();
        for step in [1, 2, 5] {
            let some: Vec<(ColumnId, Option<&[u8]>)> =
                values.iter().step_by(step).map(|(id, v)| (*id, Some(v.as_slice()))).collect();
            let mut row = Vec::new();
            encode_row(table, &some, &mut row).expect("values of the right lengths");
            seeds.push([&head, row.as_slice()].concat());
        }
        for entry in base_catalog(size).expect("a catalog").iter().step_by(7) {
            seeds.push([&head, entry.data.as_slice()].concat());
        }
    }
    seeds
}

/// Streams of a few records, of a roll, and of records longer than a segment; as they are, and with
/// each way of stamping.
fn logs() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (count, len) in [(0, 0), (3, 20), (300, 100), (40, 3000)] {
        let (env, disk) = SimEnv::new(1);
        env.fs.create_dir_all(Path::new(log::DIR)).expect("an empty disk");
        let stream = Log::create(&env, &log::config(), Signature::default()).expect("a log");
        let text = vec![b'x'; len];
        for _ in 0..count {
            let trace = Trace { procid: ProcId(1), text: &text, rollover: false };
            stream.append(&Record::Trace(trace)).expect("room");
        }
        stream.flush_all().expect("a disk that works");
        drop(stream);
        let image = disk.image();
        for (path, _) in image.files() {
            let bytes = image.read(path).unwrap_or_default();
            let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
            let stamped = log::STAMP_HEADER | log::STAMP_SEGMENTS;
            for options in [log::GO_ON, stamped, stamped | log::GO_ON, log::ARCHIVE] {
                seeds.push([&[options], &bytes[..used]].concat());
            }
        }
    }
    seeds
}

/// For each type number that has a decoder: zeros, which are a record of each fixed layout.
fn log_records() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for number in 0..=u8::MAX {
        let mut bytes = vec![0; 256];
        bytes[0] = number;
        if let Ok((_, len)) = Record::decode_prefix(&bytes) {
            bytes.truncate(len);
            seeds.push(bytes);
        }
    }
    let all_in_a_row = seeds.concat();
    seeds.push(all_in_a_row);
    seeds
}
