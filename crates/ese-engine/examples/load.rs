//! Loads rows into a new database and prints how long each step took: `load DIR ROWS PAGE_SIZE`.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example measures and prints"
)]

use std::{error::Error, ops::ControlFlow, path::Path, time::Instant};

use ese_base::PageSize;
use ese_engine::{
    catalog,
    instance::{Instance, InstanceConfig, TermMode},
    record::encode_row,
    schema::{ColType, ColumnDef, ColumnId, IndexDef, Placement, TableDef},
    session::{Durability, Session},
    tree::{Direction, Position, Start},
};
use ese_os::Env;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let dir = Path::new(args.get(1).map_or("load-out", String::as_str));
    let count: u64 = args.get(2).map_or(Ok(100_000), |n| n.parse())?;
    let page: u32 = args.get(3).map_or(Ok(4096), |n| n.parse())?;
    let sorted = args.get(4).is_none_or(|how| how == "sorted");
    let env = Env::real();
    env.fs.create_dir_all(dir)?;
    let mut config = InstanceConfig::new(dir);
    config.page_size = PageSize::from_bytes(page)?;
    config.cache_size = 512 << 20;
    config.checkpoint_depth = 512 << 20;
    config.log_file_size = 32 << 20;
    let instance = Instance::start(&env, config)?;
    let attached = instance.create_database(&dir.join("load.edb"))?;
    let mut session = Session::begin_session(&instance)?;
    let columns = vec![
        ColumnDef::new("key", ColType::Binary).max_len(24).placed(Placement::Fixed),
        ColumnDef::new("value", ColType::Binary),
    ];
    let def = TableDef::new("rows", columns).index(IndexDef::primary("pk", &["key"]));
    let table = catalog::create_table(&mut session, &attached, &def)?;

    let value = [0x5a; 150];
    let mut keys = Vec::new();
    let (mut record, mut key, mut at) = (Vec::new(), Vec::new(), Position::default());
    let started = Instant::now();
    for n in 0..count {
        if n % 10_000 == 0 {
            if n > 0 {
                session.commit(Durability::Lazy)?;
            }
            session.begin()?;
        }
        let number = if sorted { n } else { n.wrapping_mul(0x9e37_79b9_7f4a_7c15) };
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        record.clear();
        let row = [(ColumnId(1), Some(&bytes[..])), (ColumnId(128), Some(&value[..]))];
        encode_row(&table.schema, &row, &mut record)?;
        table.insert(&mut session, &mut at, &record, &mut key)?;
        if n % 10 == 0 {
            keys.push(key.clone());
        }
    }
    session.commit(Durability::Durable)?;
    let rate = |what: &str, n: u64, since: Instant| {
        let seconds = since.elapsed().as_secs_f64();
        println!("{what:12} {:9.0} rows/s", n as f64 / seconds);
    };
    rate("load", count, started);

    for pass in ["get cold", "get"] {
        let started = Instant::now();
        let mut sum = 0_usize;
        session.begin_read_only()?;
        for key in &keys {
            sum += table.get(&session, key, <[u8]>::len)?.unwrap_or(0);
        }
        session.commit(Durability::Lazy)?;
        rate(pass, keys.len() as u64, started);
        assert!(sum > 0);
    }
    let started = Instant::now();
    let (mut rows, mut bytes) = (0_u64, 0_usize);
    table.scan(&session, Start::End, Direction::Forward, &mut Position::default(), |row| {
        rows += 1;
        bytes += row.record.len();
        ControlFlow::Continue(())
    })?;
    rate("scan", rows, started);
    assert_eq!(rows, count, "{bytes} bytes");
    let started = Instant::now();
    for n in 0..2_000_u64 {
        let mut bytes = [0xff; 24];
        bytes[8..16].copy_from_slice(&n.to_be_bytes());
        record.clear();
        let row = [(ColumnId(1), Some(&bytes[..])), (ColumnId(128), Some(&value[..]))];
        encode_row(&table.schema, &row, &mut record)?;
        session.begin()?;
        table.insert(&mut session, &mut at, &record, &mut key)?;
        session.commit(Durability::Durable)?;
    }
    rate("commit", 2_000, started);
    drop(session);
    let started = Instant::now();
    instance.terminate(TermMode::Clean)?;
    println!("terminate    {:9.3} s", started.elapsed().as_secs_f64());
    Ok(())
}
