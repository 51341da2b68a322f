//! Log records behind the log of a database that a crash left: whatever well-formed records say,
//! recovery ends, with a clean database or with an error; and what it calls clean can be read.
//!
//! Input: options, then records, each with its length (two bytes) in front. What is no record is
//! left out; the log itself is sound, so that everything gets to the pages.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use ese_api::{CopyRequest, Offline, RecoveryFlags, StopToken, recover_into, recover_with};
use ese_base::{LgPos, Result};
use ese_engine::space::check;
use ese_log::{Log, LogConfig, LogStream, Record};
use ese_os::Env;
use ese_pages::{DbState, header::read_header};
use ese_sim::{SimDisk, SimEnv};

use crate::{input::Input, stage};

/// Option bit: recover in place, which writes to the log, too; else into a copy.
pub const IN_PLACE: u8 = 1;
/// Option bit: begin with an empty disk and build the database from the log.
pub const FROM_LOGS: u8 = 2;
/// Option bit: recover once more, which must find nothing to do.
pub const AGAIN: u8 = 4;

/// Records of one input at most: more only make it slow.
const RECORDS_MAX: usize = 500;

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let options = input.byte();
    let disk = SimDisk::from_image(&stage::stage().early);
    disk.set_free_space(Some(stage::FREE));
    let env = SimEnv::on(&disk, 1);
    append(&env, &mut input).expect("a log that works takes records");
    let recovered = match options & IN_PLACE != 0 {
        true => in_place(&env),
        false => into_copy(&env, options & FROM_LOGS != 0),
    };
    match recovered {
        Ok(path) => {
            look(&env, &path);
            if options & (AGAIN | IN_PLACE) == AGAIN | IN_PLACE {
                in_place(&env).expect("what was recovered can be recovered again");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Records with their lengths in front.
pub fn pack<'a>(options: u8, records: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut packed = vec![options];
    for record in records {
        let Ok(len) = u16::try_from(record.len()) else { continue };
        packed.extend_from_slice(&len.to_le_bytes());
        packed.extend_from_slice(record);
    }
    packed
}

/// The options with all records, with the first of them, and with some left out.
pub fn seeds() -> Vec<Vec<u8>> {
    let records = &stage::stage().records;
    let mut seeds = Vec::new();
    for options in [0, IN_PLACE | AGAIN, FROM_LOGS] {
        for count in [500, 150, 40, 12] {
            seeds.push(pack(options, &records[..count.min(records.len())]));
        }
        for left_out in [3, 11] {
            let some = records.iter().enumerate().filter(|(at, _)| at % left_out != 1);
            seeds.push(pack(options, some.map(|(_, record)| record)));
        }
    }
    seeds
}

fn append(env: &Env, input: &mut Input<'_>) -> Result<()> {
    let config = LogConfig {
        file_len: 64 << 10,
        reserves: 0,
        ..LogConfig::new(PathBuf::from(stage::DIR), "edb")
    };
    let stream = LogStream::scan(env, &config.names)?;
    let from = LgPos::new(stream.oldest()?.0, 0, 0);
    let log = Log::resume(env, &config, &stream.reader(from)?.end()?)?;
    for _ in 0..RECORDS_MAX {
        if input.is_empty() {
            break;
        }
        let len = usize::from(input.word());
        let bytes = input.bytes(len);
        if let Ok(record) = Record::decode(bytes) {
            log.append(&record)?;
        }
    }
    log.flush_all()
}

fn in_place(env: &Env) -> Result<PathBuf> {
    recover_with(env, Path::new(stage::DIR), StopToken::new())?;
    Ok(stage::database())
}

fn into_copy(env: &Env, from_logs: bool) -> Result<PathBuf> {
    let request = CopyRequest {
        logs: vec![PathBuf::from(stage::DIR)],
        out: PathBuf::from("/out"),
        from_logs,
        flags: RecoveryFlags::empty(),
        ..CopyRequest::default()
    };
    let done = recover_into(env, &request, &mut |_| (), &StopToken::new())?;
    let mut path = PathBuf::new();
    for database in done.databases {
        database.outcome?;
        path = database.target;
    }
    Ok(path)
}

/// Reads everything of a database; what is wrong with it must be an error.
fn look(env: &Env, path: &Path) {
    // Records may have detached it and made others.
    let Ok(file) = env.fs.open(path, ese_os::OpenMode::Read) else { return };
    let Ok(found) = read_header(file.as_ref()) else { return };
    if found.header.state() != DbState::CleanShutdown {
        return;
    }
    drop(file);
    let Ok(database) = Offline::open(env, path) else { return };
    for table in database.tables() {
        let each = |_: &[u8], _: &ese_engine::record::RecordView<'_>| Ok(ControlFlow::Continue(()));
        if let Err(error) = database.rows(table, each) {
            assert!(!error.to_string().is_empty());
        }
    }
    let trees = check::trees_of(database.tables());
    drop(check::check(database.cache(), &trees, database.header().dbtime()));
}
