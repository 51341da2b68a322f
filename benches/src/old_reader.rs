//! One reader that stays open while rows are changed millions of times: what the versions that are
//! kept for it cost, and that it still sees its own state at the end.
//!
//! When the version store is full an update is refused at once (-1069) and taken back; it counts
//! as an attempt. The reader must see its row as it was however many updates got through.

use std::{path::Path, time::Instant};

use ese_api::{JetErr, RowView, Table, Transaction, Values};

use crate::{
    child::{Figures, Scale, mebibytes, per_second},
    conditions::MemoryWatch,
    engines::{
        ese::{CACHE_BYTES, start},
        indexed::ese::definition,
    },
    rows::{Rows, key, mix},
    store::Result,
};

/// Rows of the table.
const ROWS: u64 = 10_000;
/// Updates of one transaction.
const SMALL: u64 = 10;

pub(crate) fn measure(folder: &Path, scale: Scale) -> Result<Figures> {
    let rows = Rows::new();
    let home = folder.join("db");
    std::fs::create_dir(&home)?;
    let memory = MemoryWatch::start()?;
    let instance = start(&home)?;
    let database = instance.create_database(home.join("bench.edb"))?;
    let mut session = instance.session()?;
    let mut trx = session.begin()?;
    let table = database.create_table(&mut trx, definition())?;
    let mut inserter = table.inserter(&["key", "tag", "value"])?;
    for n in 0..ROWS {
        let (key, value) = (key(n), rows.row(n).value);
        inserter.insert(&mut trx, &[Some(&key), Some(&n.to_le_bytes()), Some(value)])?;
    }
    trx.commit()?;

    let mut other = instance.session()?;
    let mut reader = other.begin_read_only()?;
    check(&table, &mut reader, &rows)?;
    let value = table.column("value")?;
    let (mut done, mut refused, mut bytes_max) = (0_u64, 0_u64, 0);
    let begin = Instant::now();
    for first in (0..scale.old_reader_updates).step_by(usize::try_from(SMALL)?) {
        let mut trx = session.begin()?;
        let changed = (first..first + SMALL).try_for_each(|n| {
            let values = Values::new().set(value, rows.row(mix(n)).value);
            table.update(&mut trx, key(mix(n ^ 0x01d) % ROWS).as_slice(), &values).map(|_| ())
        });
        match changed {
            Ok(()) => {
                trx.commit_lazy()?;
                done += SMALL;
            }
            Err(error) if error.code() == JetErr::VersionStoreOutOfMemory => {
                trx.rollback()?;
                refused += SMALL;
            }
            Err(error) => return Err(error.into()),
        }
        if first % 1000 == 0 {
            bytes_max = bytes_max.max(instance.engine().version_info().bytes);
        }
    }
    let rate = per_second(usize::try_from(done + refused)?, begin.elapsed());
    check(&table, &mut reader, &rows)?;
    let limit = instance.engine().version_info().bytes_max;
    Ok(Figures::from([
        ("old_reader_rate", rate),
        ("old_reader_done", done as f64),
        ("old_reader_refused", refused as f64),
        ("old_reader_versions", mebibytes(bytes_max)),
        ("old_reader_limit", mebibytes(limit)),
        ("old_reader_memory", mebibytes(memory.peak())),
        ("old_reader_allowed", mebibytes(CACHE_BYTES + limit)),
    ]))
}

/// The reader sees every row as it was loaded.
fn check(table: &Table, reader: &mut Transaction<'_>, rows: &Rows) -> Result<()> {
    let value = table.column("value")?;
    for n in 0..ROWS {
        let expected = rows.row(n).value;
        let same = |row: RowView<'_>| row.bytes(value).map(|found| found == Some(expected));
        if !table.get_with(reader, &[&key(n)], same)?.ok_or("no such key")?? {
            return Err(format!("the old reader sees a later state of row {n}").into());
        }
    }
    Ok(())
}
