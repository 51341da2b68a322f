//! How soon a backup is stopped while eight threads commit: the call itself, and what the backup's
//! own thread sees of it, with reads of 64 KiB and in the built-in backup.

use std::{
    convert::Infallible,
    path::Path,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    thread,
    time::{Duration, Instant},
};

use ese_api::{ColType, CopyOptions, Database, Instance, StopToken, Table, TableBuilder, row};
use ese_backup::AlignedBuffer;

use crate::{
    child::{Figures, Scale, settle},
    engines::ese::start_with,
    latency::Latencies,
    rows::mix,
    store::Result,
};

/// Backups of each kind that are stopped, at full scale.
const STOPS: u64 = 500;
const WRITERS: usize = 8;
/// Bytes of a read.
const READ_LEN: usize = 64 << 10;

/// What the stops of one kind took.
#[derive(Default)]
struct Times {
    /// The call.
    call: Latencies,
    /// From the call to the refusal that the backup's thread gets.
    heard: Latencies,
}

pub(crate) fn measure(folder: &Path, scale: Scale) -> Result<Figures> {
    let home = folder.join("db");
    std::fs::create_dir(&home)?;
    let instance = start_with(&home, |_| ())?;
    let rows = scale.rows / 4;
    let (database, table) = load(&instance, rows)?;
    settle(folder)?;
    let stops = (STOPS * scale.rows / 1_000_000).max(50);
    let (over, next) = (AtomicBool::new(false), AtomicI64::new(1 << 40));
    let (streams, built_in) = thread::scope(|scope| -> Result<_> {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| scope.spawn(|| write_until(&instance, &table, &over, &next)))
            .collect();
        let streams = stop_all(&instance, stops, rows / 100, &stream);
        let built_in = stop_all(&instance, stops, rows / 100, &|instance| {
            let (options, never) = (CopyOptions::default(), StopToken::new());
            let into = folder.join("set");
            match instance.backup_to_dir_with(&into, options, &mut |_| (), &never) {
                Err(error) if error.jet_code() == -801 => Ok(()),
                Err(error) => Err(error.into()),
                Ok(_) => {
                    std::fs::remove_dir_all(&into)?;
                    Err("a backup ended before it was stopped".into())
                }
            }
        });
        over.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.join().map_err(|_| "a writer panicked")??;
        }
        Ok((streams?, built_in?))
    })?;
    drop((database, table));
    let mut figures = Figures::new();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    for (ids, mut times) in [
        (["stop_call_p50", "stop_call_p99", "stop_call_max"], streams.call),
        (["stop_read_p50", "stop_read_p99", "stop_read_max"], streams.heard),
        (["stop_built_in_p50", "stop_built_in_p99", "stop_built_in_max"], built_in.heard),
    ] {
        let max = times.max();
        let all = [times.quantile(500), times.quantile(990), max];
        figures.extend(ids.into_iter().zip(all.map(micros)));
    }
    Ok(figures)
}

fn load(instance: &Instance, rows: u64) -> Result<(Database, Table)> {
    let database = instance.create_database("bench.edb")?;
    let mut session = instance.session()?;
    let table = TableBuilder::new("rows").required("key", ColType::Currency);
    let table = table.column("value", ColType::LongBinary).primary(&["key"]);
    let table = database.create_table(&mut session, table)?;
    let mut trx = session.begin()?;
    for n in 0..rows {
        table.insert(
            &mut trx,
            &row! { "key" => i64::try_from(n)?, "value" => vec![mix(n).to_le_bytes()[0]; 150] },
        )?;
        if n % 1000 == 999 {
            trx.commit_lazy()?;
            trx = session.begin()?;
        }
    }
    trx.commit()?;
    Ok((database, table))
}

fn write_until(
    instance: &Instance,
    table: &Table,
    over: &AtomicBool,
    next: &AtomicI64,
) -> ese_api::Result<()> {
    let mut session = instance.session()?;
    while !over.load(Ordering::Relaxed) {
        let mut trx = session.begin()?;
        let key = next.fetch_add(1, Ordering::Relaxed);
        table.insert(&mut trx, &row! { "key" => key, "value" => vec![7_u8; 150] })?;
        trx.commit()?;
    }
    Ok(())
}

type BackUp<'a> = dyn Fn(&Instance) -> Result<()> + Sync + 'a;

/// Begins backups one after the other; each is stopped at some moment of its first `window`
/// microseconds, in which none ends.
fn stop_all(instance: &Instance, stops: u64, window: u64, back_up: &BackUp<'_>) -> Result<Times> {
    let mut times = Times::default();
    let stopper = instance.backup_stopper();
    for round in 0..stops {
        thread::scope(|scope| -> Result<()> {
            let backup = scope.spawn(|| -> std::result::Result<Instant, String> {
                back_up(instance).map_err(|error| error.to_string())?;
                Ok(Instant::now())
            });
            // A stop before the begin would be one of nothing.
            while !instance.is_backing_up() && !backup.is_finished() {
                thread::yield_now();
            }
            thread::sleep(Duration::from_micros(mix(round) % window));
            let called = Instant::now();
            stopper.stop();
            times.call.add(called.elapsed());
            let heard = backup.join().map_err(|_| "a backup panicked")??;
            times.heard.add(heard.saturating_duration_since(called));
            Ok(())
        })?;
    }
    Ok(times)
}

/// Reads the database again and again; the stop may meet any call of it.
fn stream(instance: &Instance) -> Result<()> {
    match read_for_ever(instance) {
        Err(error) if error.jet_code() == -801 => Ok(()),
        Err(error) => Err(error.into()),
        Ok(never) => match never {},
    }
}

fn read_for_ever(instance: &Instance) -> ese_api::Result<Infallible> {
    let mut backup = instance.begin_backup()?;
    let mut buffer = AlignedBuffer::new(READ_LEN)?;
    let database = backup.databases()?.remove(0);
    loop {
        let mut file = backup.open(&database)?;
        while file.read_aligned(buffer.as_mut_slice())? > 0 {}
        file.close()?;
    }
}
