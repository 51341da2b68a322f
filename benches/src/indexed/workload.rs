//! What is measured on the table with an index, in this order: reads on the fresh table, changes
//! in place, and last what moves rows.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{Change, Entry, IndexedStore, zipf::Zipf};
use crate::{
    child::{Figures, Scale, mebibytes, per_second, settle},
    engines,
    rows::{Key, Rows, key, mix},
    store::Result,
};

/// Keys of one read transaction.
const READS: usize = 1000;
/// Scans of one read transaction, and rows of each.
const SCANS: usize = 10;
const SCAN_ROWS: usize = 100;
/// Changes of a transaction where rows move.
const BATCH: usize = 1000;
/// Threads of the mixes.
const MIX_THREADS: usize = 4;

struct Pass<'a> {
    store: &'a dyn IndexedStore,
    rows: &'a Rows,
    count: u64,
    folder: &'a Path,
    each: Duration,
    /// Numbers the draws, so that no two threads or parts draw the same.
    draws: AtomicU64,
    figures: Figures,
}

pub(crate) fn measure(engine: &str, folder: &Path, scale: Scale) -> Result<Figures> {
    let rows = Rows::new();
    let home = folder.join("db");
    std::fs::create_dir(&home)?;
    let store = engines::open_indexed(engine, &home)?;
    let mut sorted: Vec<(Key, u64)> = (0..scale.rows).map(|n| (key(n), n)).collect();
    sorted.sort_unstable();
    store.load(&mut sorted.iter().map(|&(_, n)| entry(&rows, n)))?;
    drop(sorted);
    let mut pass = Pass {
        store: store.as_ref(),
        rows: &rows,
        count: scale.rows,
        folder,
        each: Duration::from_secs_f64(scale.seconds / 2.0),
        draws: AtomicU64::new(1),
        figures: Figures::new(),
    };
    pass.check(scale.rows)?;
    for (id, threads) in [("read_1", 1), ("read_2", 2), ("read_4", 4)] {
        pass.reads(id, threads)?;
    }
    pass.scans()?;
    for (id, threads) in [("update_1", 1), ("update_2", 2), ("update_8", 8)] {
        pass.updates(id, threads)?;
    }
    pass.mix("mix_95", 95)?;
    pass.mix("mix_50", 50)?;
    pass.index_updates()?;
    pass.halves()?;
    pass.check(scale.rows)?;
    Ok(pass.figures)
}

/// Row number `n` with its tag.
fn entry(rows: &Rows, n: u64) -> Entry<'_> {
    Entry { key: key(n), tag: tag(n), value: rows.row(n).value }
}

fn tag(n: u64) -> u64 {
    mix(n ^ 0x7a6_0000)
}

impl Pass<'_> {
    /// A random number; never the same twice.
    fn draw(&self) -> u64 {
        mix(self.draws.fetch_add(1, Ordering::Relaxed) ^ 0xd1ce)
    }

    fn random_key(&self) -> Key {
        key(self.draw() % self.count)
    }

    /// Runs `body` on some threads until the time is over; the sum of what they counted.
    fn timed(
        &mut self,
        id: &'static str,
        threads: usize,
        body: impl Fn(&Pass<'_>, &AtomicBool) -> Result<usize> + Sync,
    ) -> Result<()> {
        settle(self.folder)?;
        let stop = AtomicBool::new(false);
        let (this, body, stop) = (&*self, &body, &stop);
        let start = Instant::now();
        let count = thread::scope(|scope| -> Result<usize> {
            let workers: Vec<_> =
                (0..threads).map(|_| scope.spawn(move || body(this, stop))).collect();
            thread::sleep(this.each);
            stop.store(true, Ordering::Relaxed);
            let mut sum = 0;
            for worker in workers {
                sum += worker.join().map_err(|_| "a worker panicked")??;
            }
            Ok(sum)
        })?;
        let rate = per_second(count, start.elapsed());
        self.figures.insert(id, rate);
        Ok(())
    }

    fn reads(&mut self, id: &'static str, threads: usize) -> Result<()> {
        self.timed(id, threads, |pass, stop| {
            let mut reader = pass.store.reader()?;
            let mut keys = Vec::with_capacity(READS);
            let mut done = 0;
            while !stop.load(Ordering::Relaxed) {
                keys.clear();
                keys.extend((0..READS).map(|_| pass.random_key()));
                reader.get(&keys)?;
                done += READS;
            }
            Ok(done)
        })
    }

    fn scans(&mut self) -> Result<()> {
        self.timed("scan_100", 1, |pass, stop| {
            let mut reader = pass.store.reader()?;
            let mut done = 0;
            while !stop.load(Ordering::Relaxed) {
                let from: [Key; SCANS] = std::array::from_fn(|_| pass.random_key());
                done += usize::try_from(reader.scan(&from, SCAN_ROWS)?.rows)?;
            }
            Ok(done)
        })
    }

    fn updates(&mut self, id: &'static str, threads: usize) -> Result<()> {
        self.timed(id, threads, |pass, stop| {
            let mut writer = pass.store.writer()?;
            let mut done = 0;
            while !stop.load(Ordering::Relaxed) {
                let value = pass.rows.row(pass.draw()).value;
                writer.commit(&[Change::SetValue(pass.random_key(), value)])?;
                done += 1;
            }
            Ok(done)
        })
    }

    /// Each operation is a transaction: a read, or a durable update.
    fn mix(&mut self, id: &'static str, percent_reads: u64) -> Result<()> {
        let zipf = Zipf::new(self.count);
        self.timed(id, MIX_THREADS, |pass, stop| {
            let (mut reader, mut writer) = (pass.store.reader()?, pass.store.writer()?);
            let mut done = 0;
            while !stop.load(Ordering::Relaxed) {
                let key = key(zipf.draw(pass.draw()));
                let random = pass.draw();
                if random % 100 < percent_reads {
                    reader.get(&[key])?;
                } else {
                    writer.commit(&[Change::SetValue(key, pass.rows.row(random).value)])?;
                }
                done += 1;
            }
            Ok(done)
        })
    }

    fn index_updates(&mut self) -> Result<()> {
        self.timed("index_update", 1, |pass, stop| {
            let mut writer = pass.store.writer()?;
            let mut changes = Vec::with_capacity(BATCH);
            let mut done = 0;
            while !stop.load(Ordering::Relaxed) {
                // Each row once, so that an engine may look at the state before the transaction.
                let mut rows: Vec<u64> = (0..BATCH).map(|_| pass.draw() % pass.count).collect();
                rows.sort_unstable();
                rows.dedup();
                rows.sort_unstable_by_key(|row| mix(*row));
                changes.clear();
                changes.extend(rows.iter().map(|row| Change::SetTag(key(*row), pass.draw())));
                writer.commit(&changes)?;
                done += changes.len();
            }
            Ok(done)
        })
    }

    /// Every second row goes, as many new ones come.
    fn halves(&mut self) -> Result<()> {
        let half = self.count / 2;
        let rows = self.rows;
        let gone = (0..half).map(|n| Change::Delete(key(2 * n)));
        self.batches("delete_half", gone)?;
        self.check(self.count - half)?;
        let new = (self.count..self.count + half).map(|n| Change::Insert(entry(rows, n)));
        self.batches("insert_half", new)?;
        settle(self.folder)?;
        self.figures.insert("data_after", mebibytes(self.store.data_bytes()?));
        Ok(())
    }

    fn batches<'r>(
        &mut self,
        id: &'static str,
        changes: impl Iterator<Item = Change<'r>>,
    ) -> Result<()> {
        let all: Vec<Change<'_>> = changes.collect();
        settle(self.folder)?;
        let mut writer = self.store.writer()?;
        let start = Instant::now();
        for batch in all.chunks(BATCH) {
            writer.commit(batch)?;
        }
        self.figures.insert(id, per_second(all.len(), start.elapsed()));
        Ok(())
    }

    /// Table and index hold as many rows as they should.
    fn check(&self, rows: u64) -> Result<()> {
        let found = self.store.count()?;
        if found == (rows, rows) {
            return Ok(());
        }
        Err(format!("{found:?} rows and index entries, expected {rows} of each").into())
    }
}
