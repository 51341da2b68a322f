//! Damage in the pages of a tree of long values: reading the values of a file is right, or an
//! error, and no value comes out longer than its root says.
//!
//! Input: page size, then patches: page of the tree, offset, length, bytes. The pages get right
//! checksums, so that the damage reaches whoever reads them.

use std::{ops::ControlFlow, path::Path, sync::OnceLock};

use ese_base::{PageSize, Pgno};
use ese_engine::{
    catalog,
    instance::{Instance, InstanceConfig, TermMode},
    reader::OfflineDatabase,
    record::{ColumnData, LongValues},
    schema::{ColType, ColumnDef, ColumnFlags, ColumnId, IndexDef, TableDef},
    session::{Durability, Session},
    tree::Position,
};
use ese_pages::{CacheMode, PageFlags, PageRef, checksum::stamp};
use ese_sim::{Image, SimDisk, SimEnv};

use crate::input::Input;

const FILE: &str = "/db/a.edb";

/// One of small pages and one of large ones: what else differs is the length of chunks.
const SIZES: [PageSize; 2] = [PageSize::K4, PageSize::K16];

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let at = usize::from(input.byte()) % SIZES.len();
    let (size, base) = (SIZES[at].bytes(), base(at));
    let mut file = base.file.clone();
    while !input.is_empty() {
        let pgno = base.pages[usize::from(input.byte()) % base.pages.len()];
        let (offset, len) = (input.below(size), usize::from(input.byte() % 32));
        let bytes = input.bytes(len);
        // Behind the two pages of the header.
        let begin = (pgno.0 as usize + 1) * size;
        let page = &mut file[begin..begin + size];
        for (to, from) in page[offset..].iter_mut().zip(bytes) {
            *to = *from;
        }
        stamp(page, pgno);
    }
    let mut image = Image::empty();
    image.insert(Path::new(FILE), &file);
    let env = SimEnv::on(&SimDisk::from_image(&image), 1);
    let database = OfflineDatabase::open(&env, Path::new(FILE)).expect("the catalog is whole");
    let table = database.table("t").expect("the table is whole");
    let long_values = database.long_values(table);
    let rows = database.rows(table, |_, row| {
        for lid in row.lids().expect("the rows are whole") {
            let len = long_values.len_of(lid);
            let whole = long_values.read_at(lid, 0, usize::MAX);
            match (len, whole) {
                (Ok(len), Ok(whole)) => assert_eq!(whole.len(), len as usize, "{lid:?}"),
                (Err(_), Ok(_)) => panic!("{lid:?} is read and has no length"),
                (_, Err(error)) => assert!(!error.to_string().is_empty()),
            }
            for (offset, most) in [(0, 1), (4013, 3), (u32::MAX, 5), (9000, 5000)] {
                if let Ok(part) = long_values.read_at(lid, offset, most) {
                    assert!(part.len() <= most);
                }
            }
        }
        for column in table.columns.iter() {
            if let Ok(ColumnData::One(instance)) = row.data(column) {
                drop(row.bytes_of(column, instance, usize::MAX));
            }
        }
        Ok(ControlFlow::Continue(()))
    });
    rows.expect("the rows are whole");
}

/// A clean database with long values, and which of its pages hold them.
struct Base {
    file: Vec<u8>,
    pages: Vec<Pgno>,
}

fn base(at: usize) -> &'static Base {
    static BASES: [OnceLock<Base>; SIZES.len()] = [const { OnceLock::new() }; SIZES.len()];
    BASES[at].get_or_init(|| make_base(SIZES[at]))
}

fn make_base(size: PageSize) -> Base {
    let (env, disk) = SimEnv::new(1);
    env.fs.create_dir_all(Path::new("/db")).expect("an empty disk");
    let mut config = InstanceConfig::new("/db");
    config.page_size = size;
    config.cache_mode = Some(CacheMode::Copy);
    let instance = Instance::start(&env, config).expect("an instance");
    let attached = instance.create_database(Path::new(FILE)).expect("a database");
    let mut session = Session::begin_session(&instance).expect("a session");
    let columns = vec![
        ColumnDef::new("id", ColType::Long),
        ColumnDef::new("plain", ColType::LongBinary),
        ColumnDef::new("packed", ColType::LongText).with(ColumnFlags::COMPRESSED),
    ];
    let def = TableDef::new("t", columns).index(IndexDef::primary("pk", &["id"]));
    let table = catalog::create_table(&mut session, &attached, &def).expect("a table");
    session.begin().expect("a transaction");
    for n in 0..6_i32 {
        // On larger pages longer, so that the tree has more than its root.
        let len = [1200, 4014, 4015, 9000, 20_000, 50_000][n as usize] * (size.bytes() / 4096);
        let plain: Vec<u8> = (0..=250_u8).cycle().step_by(7).take(len).collect();
        let text = b"text that compresses ".repeat(len / 20);
        let id = n.to_le_bytes();
        let values: [(ColumnId, Option<&[u8]>); 3] = [
            (ColumnId(1), Some(&id)),
            (table.schema.column("plain").expect("a column").id, Some(&plain)),
            (table.schema.column("packed").expect("a column").id, Some(&text)),
        ];
        let (mut record, mut key) = (Vec::new(), Vec::new());
        table
            .insert_values(&mut session, &mut Position::default(), &values, &mut record, &mut key)
            .expect("a row");
    }
    session.commit(Durability::Durable).expect("a commit");
    drop((session, table, attached));
    instance.terminate(TermMode::Clean).expect("an orderly end");
    let file = disk.image().read(Path::new(FILE)).expect("the database");
    let is_long = |page: &[u8]| {
        let flags = PageRef::new(page, size).flags();
        flags.contains(PageFlags::LONG_VALUE) && !flags.contains(PageFlags::SPACE_TREE)
    };
    let pages = file.chunks_exact(size.bytes()).skip(2).zip(1..);
    let pages: Vec<Pgno> = pages.filter(|(page, _)| is_long(page)).map(|(_, n)| Pgno(n)).collect();
    assert!(pages.len() > 8, "the tree has internal pages, not {} pages", pages.len());
    Base { file, pages }
}

/// The file as it is; damage in every part of a page, at its counts and at roots of values.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![0], vec![1]];
    for size in 0..2 {
        for (page, offset) in [(0, 0), (0, 8), (1, 16), (2, 24), (3, 32), (1, 48), (4, 4090)] {
            let [low, high] = u16::to_le_bytes(offset);
            seeds.push(vec![size, page, low, high, 8, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1]);
            seeds.push(vec![size, page, low, high, 2, 3, 0, page + 1, low, high, 1, 0x18]);
        }
    }
    seeds
}
