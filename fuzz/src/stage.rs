//! The small world in which log records and directories are tried: a database with rows, an index,
//! long values and structure changes, as a crash leaves it, and what was logged after that.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use ese_api::{
    ColType, Database, Instance, PageSize, PauseBy, Result, Session, Table, TableBuilder, row,
};
use ese_base::{LgPos, Signature};
use ese_log::{LogPool, LogStream, Wanted};
use ese_os::Env;
use ese_sim::{Image, SimEnv};

/// Where logs and database lie.
pub const DIR: &str = "/db";
/// Bytes by which files may grow while one input is tried: what asks for more gets an error.
pub const FREE: u64 = 8 << 20;
/// Bytes of a log file.
const LOG_FILE_LEN: u64 = 64 << 10;

/// What a crash left, and what was logged later.
#[derive(Debug)]
pub struct Stage {
    /// All files at a moment at which the database was in use.
    pub early: Image,
    /// All files at a later one.
    pub late: Image,
    /// All files after the end of the instance.
    pub clean: Image,
    /// The records between the first two, as the log holds them.
    pub records: Vec<Vec<u8>>,
}

/// The one that all inputs are tried on.
pub fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| make().expect("a small database on a disk that works"))
}

/// The database's file.
pub fn database() -> PathBuf {
    Path::new(DIR).join("a.edb")
}

fn make() -> Result<Stage> {
    let (env, disk) = SimEnv::new(7);
    let instance = Instance::builder(DIR)
        .page_size(PageSize::K4)
        .log_file_size(LOG_FILE_LEN)
        .cache_size(4 << 20)
        .env(env, PauseBy::Clock)
        .start()?;
    let database = instance.create_database(database())?;
    let mut session = instance.session()?;
    let table = create(&database, &mut session)?;
    insert(&mut session, &table, 0..60)?;
    let early = disk.image();
    let end = end_of(&early)?;
    change(&database, &mut session, &table)?;
    // What did not commit is there as well.
    let mut open = session.begin()?;
    table.insert(&mut open, &row! { "id" => 5000, "name" => "open", "data" => vec![3_u8; 40] })?;
    table.delete(&mut open, 7)?;
    let mut other = instance.session()?;
    insert(&mut other, &table, 6000..6002)?;
    let late = disk.image();
    open.rollback()?;
    drop((session, other, table, database));
    instance.stop()?;
    Ok(Stage { records: records_from(&late, end)?, early, late, clean: disk.image() })
}

fn create(database: &Database, session: &mut Session) -> Result<Table> {
    let mut transaction = session.begin()?;
    let builder = TableBuilder::new("things")
        .column("id", ColType::Long)
        .text("name")
        .column("data", ColType::LongBinary)
        .primary(&["id"])
        .secondary("by name", &["name"]);
    let table = database.create_table(&mut transaction, builder)?;
    transaction.commit()?;
    Ok(table)
}

fn insert(session: &mut Session, table: &Table, ids: std::ops::Range<i32>) -> Result<()> {
    for id in ids {
        let mut transaction = session.begin()?;
        let len = usize::try_from(id % 7 * 60).unwrap_or(0);
        let data = vec![u8::try_from(id % 200).unwrap_or(0); if id % 19 == 5 { 9000 } else { len }];
        let row = row! { "id" => id, "name" => format!("name {}", id % 23), "data" => data };
        table.insert(&mut transaction, &row)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Something of every kind that the log describes: splits, replaces, deletions and what is removed
/// after them, merges, a tree that comes and one that goes, a longer file.
fn change(database: &Database, session: &mut Session, table: &Table) -> Result<()> {
    insert(session, table, 100..130)?;
    for id in 0..20 {
        let mut transaction = session.begin()?;
        table.delete(&mut transaction, id)?;
        let row = row! { "name" => "another", "data" => vec![9_u8; 30] };
        table.update(&mut transaction, id + 30, &row)?;
        match id % 5 {
            0 => transaction.rollback()?,
            _ => transaction.commit()?,
        }
    }
    let mut transaction = session.begin()?;
    let builder = TableBuilder::new("more").column("id", ColType::Long).primary(&["id"]);
    let more = database.create_table(&mut transaction, builder)?;
    more.insert(&mut transaction, &row! { "id" => 1 })?;
    transaction.commit()?;
    database.grow(400)?;
    Ok(())
}

/// Where the log of a disk ends.
fn end_of(image: &Image) -> Result<LgPos> {
    let env = env_of(image);
    let stream = stream_of(&env)?;
    let mut reader = stream.reader(LgPos::new(stream.oldest()?.0, 0, 0))?;
    while reader.next()?.is_some() {}
    Ok(reader.position())
}

fn records_from(image: &Image, from: LgPos) -> Result<Vec<Vec<u8>>> {
    let env = env_of(image);
    let stream = stream_of(&env)?;
    let mut reader = stream.reader(LgPos::new(stream.oldest()?.0, 0, 0))?;
    let mut records = Vec::new();
    while let Some(entry) = reader.next()? {
        if entry.pos >= from {
            records.push(entry.bytes.to_vec());
        }
    }
    Ok(records)
}

fn stream_of(env: &Env) -> Result<LogStream> {
    let pool = LogPool::gather(env, &[PathBuf::from(DIR)])?;
    let signature = pool.signatures().first().copied().unwrap_or(Signature::NULL);
    Ok(pool.stream(&Wanted { signature, known: None })?.0)
}

/// A machine with this disk, on which not much more has room.
pub fn env_of(image: &Image) -> Env {
    let disk = ese_sim::SimDisk::from_image(image);
    disk.set_free_space(Some(FREE));
    SimEnv::on(&disk, 1)
}
