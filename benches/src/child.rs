//! One engine, one pass, in a process of its own: so memory is its own and nothing is left over.
//!
//! The order matters: the read figures are taken on the freshly loaded database, the write figures
//! after them on the same one. Of a backup the figures beside a writer come last.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    boundary,
    conditions::{MemoryWatch, ProcessorTime},
    engines,
    indexed::workload,
    latency::Latencies,
    machine, old_reader,
    rows::{Key, Row, Rows, random_keys},
    sort, stop,
    store::{Result, Store},
    tools, values,
};

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    /// Its name on the command line and in reports.
    pub(crate) name: &'static str,
    /// Rows of the load.
    pub(crate) rows: u64,
    /// Length of each timed write workload; those of the table with an index take half.
    pub(crate) seconds: f64,
    /// Updates beside a reader that stays open.
    pub(crate) old_reader_updates: u64,
    /// Rows that go through a temporary table.
    pub(crate) sorted_rows: u64,
    /// Rows that are read through the C interface.
    pub(crate) boundary_rows: u32,
    /// Rows of the table that is exported.
    pub(crate) exported_rows: u64,
}

/// The full measurement and the quick look.
pub(crate) const SCALES: [Scale; 2] = [
    Scale {
        name: "full",
        rows: 1_000_000,
        seconds: 2.0,
        old_reader_updates: 10_000_000,
        sorted_rows: 5_000_000,
        boundary_rows: 1_000_000,
        exported_rows: 10_000_000,
    },
    Scale {
        name: "quick",
        rows: 100_000,
        seconds: 1.0,
        old_reader_updates: 500_000,
        sorted_rows: 500_000,
        boundary_rows: 1_000_000,
        exported_rows: 1_000_000,
    },
];

/// Rows of a batch.
const BATCH: usize = 1000;

/// The database that is backed up has so many times as many rows: about 1 GiB at full scale.
pub(crate) const BACKUP_ROWS: u64 = 4;

/// Repetitions inside a pass of what is over in a moment; the median counts.
const REPEATS: usize = 3;

/// Name under which the machine's own limits are measured like an engine.
pub(crate) const MACHINE: &str = "machine";

/// The figures of a pass by their ids.
pub(crate) type Figures = BTreeMap<&'static str, f64>;

/// What a pass is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// One table without further indexes.
    Plain,
    /// The online backup of such a table.
    Backup,
    /// A table with a secondary index.
    Indexed,
    /// A reader that stays open.
    OldReader,
    /// A temporary table beside `sort -n`.
    Sort,
    /// Long values.
    Values,
    /// Stops of backups.
    Stop,
    /// Calls through the C interface.
    Boundary,
    /// What the program `ese` does with files, and recovery.
    Tools,
}

impl Part {
    pub(crate) const ALL: [Part; 9] = [
        Part::Plain,
        Part::Backup,
        Part::Indexed,
        Part::OldReader,
        Part::Sort,
        Part::Values,
        Part::Stop,
        Part::Boundary,
        Part::Tools,
    ];

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Plain => "plain",
            Part::Backup => "backup",
            Part::Indexed => "indexed",
            Part::OldReader => "old-reader",
            Part::Sort => "sort",
            Part::Values => "values",
            Part::Stop => "stop",
            Part::Boundary => "boundary",
            Part::Tools => "tools",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.name() == name)
    }
}

/// `child ENGINE FOLDER SCALE PART`: prints the figures as one JSON object.
pub(crate) fn main(engine: &str, folder: &str, scale: &str, part: &str) -> Result<()> {
    let scale = *SCALES.iter().find(|s| s.name == scale).ok_or("no such scale")?;
    let part = Part::named(part).ok_or("no such part")?;
    let folder = PathBuf::from(folder);
    let before = ProcessorTime::now();
    let mut figures: Figures = if engine == MACHINE {
        machine::measure(&folder, Duration::from_secs_f64(scale.seconds / 3.0))?
            .into_iter()
            .collect()
    } else {
        match part {
            Part::Plain => measure(engine, &folder, scale)?,
            Part::Backup => measure_backup(engine, &folder, scale)?,
            Part::Indexed => workload::measure(engine, &folder, scale)?,
            Part::OldReader => old_reader::measure(&folder, scale)?,
            Part::Sort => sort::measure(&folder, scale)?,
            Part::Values => values::measure(engine, &folder, scale)?,
            Part::Stop => stop::measure(&folder, scale)?,
            Part::Boundary => boundary::measure(&folder, scale)?,
            Part::Tools => tools::measure(&folder, scale)?,
        }
    };
    let others = match part {
        Part::Plain => "others",
        Part::Backup => "backup_others",
        Part::Indexed => "indexed_others",
        Part::OldReader => "old_reader_others",
        Part::Sort => "sort_others",
        Part::Values => "values_others",
        Part::Stop => "stop_others",
        Part::Boundary => "boundary_others",
        Part::Tools => "tools_others",
    };
    figures.insert(others, before.others_percent_since());
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

/// Everything a pass needs.
struct Pass<'a> {
    store: &'a dyn Store,
    rows: &'a Rows,
    folder: &'a Path,
    duration: Duration,
    /// Number of the next row that was not written yet.
    next: AtomicU64,
    figures: Figures,
}

fn measure(engine: &str, folder: &Path, scale: Scale) -> Result<Figures> {
    let rows = Rows::new();
    let sorted = sorted_rows(&rows, scale.rows);
    let reads = random_keys(scale.rows, scale.rows);
    let home = folder.join("db");
    fs::create_dir(&home)?;

    let memory = MemoryWatch::start()?;
    let store = engines::open(engine, &home)?;
    let mut pass = Pass {
        store: store.as_ref(),
        rows: &rows,
        folder,
        duration: Duration::from_secs_f64(scale.seconds),
        next: AtomicU64::new(scale.rows),
        figures: Figures::new(),
    };
    pass.load(&sorted)?;
    pass.scan(scale.rows)?;
    pass.get(&reads)?;
    pass.commits("commit_1", 1)?;
    pass.commits("commit_8", 8)?;
    pass.batches()?;
    pass.check()?;
    let Pass { mut figures, .. } = pass;
    figures.insert("memory", mebibytes(memory.peak()));
    figures.insert("cache", mebibytes(store.cache_bytes()));
    Ok(figures)
}

/// The backup of a database that is larger than what a device or a cache takes at once.
fn measure_backup(engine: &str, folder: &Path, scale: Scale) -> Result<Figures> {
    let rows = Rows::new();
    let count = scale.rows * BACKUP_ROWS;
    let home = folder.join("db");
    fs::create_dir(&home)?;
    let store = engines::open(engine, &home)?;
    let mut pass = Pass {
        store: store.as_ref(),
        rows: &rows,
        folder,
        duration: Duration::from_secs_f64(scale.seconds),
        next: AtomicU64::new(count),
        figures: Figures::new(),
    };
    pass.load(&sorted_rows(&rows, count))?;
    pass.idle_backup()?;
    pass.busy_backup()?;
    pass.check()?;
    let Pass { mut figures, .. } = pass;
    // Those of the load are of the plain part.
    figures.remove("load_sorted");
    if let Some(disk) = figures.remove("disk") {
        figures.insert("backup_disk", disk);
    }
    Ok(figures)
}

/// Keys in their order, each with its number.
fn sorted_rows(rows: &Rows, count: u64) -> Vec<(Key, u64)> {
    let mut sorted: Vec<(Key, u64)> = (0..count).map(|n| (rows.row(n).key, n)).collect();
    sorted.sort_unstable();
    sorted
}

impl Pass<'_> {
    fn load(&mut self, sorted: &[(Key, u64)]) -> Result<()> {
        settle(self.folder)?;
        let start = Instant::now();
        let mut rows = sorted.iter().map(|&(key, n)| Row { key, value: self.rows.row(n).value });
        self.store.load_sorted(&mut rows)?;
        self.figures.insert("load_sorted", per_second(sorted.len(), start.elapsed()));
        self.figures.insert("disk", mebibytes(folder_len(&self.folder.join("db"))?));
        Ok(())
    }

    fn scan(&mut self, count: u64) -> Result<()> {
        let expected = self.rows.digest(count);
        let warm_up = self.store.scan()?;
        if warm_up != expected {
            return Err(format!("the scan gave {warm_up:?} instead of {expected:?}").into());
        }
        let mut times = Latencies::default();
        for _ in 0..REPEATS {
            let start = Instant::now();
            self.store.scan()?;
            times.add(start.elapsed());
        }
        let rate = per_second(usize::try_from(count)?, times.quantile(500));
        self.figures.insert("scan", rate);
        Ok(())
    }

    fn get(&mut self, keys: &[Key]) -> Result<()> {
        let warm_up = keys.len() / 10;
        self.store.get_all(&keys[..warm_up])?;
        let start = Instant::now();
        let digest = self.store.get_all(keys)?;
        self.figures.insert("get", per_second(keys.len(), start.elapsed()));
        if digest.rows != u64::try_from(keys.len())? {
            return Err(format!("{} of {} keys were found", digest.rows, keys.len()).into());
        }
        Ok(())
    }

    /// The engine's own backup and a plain copy of the same files in turn, nobody writing.
    fn idle_backup(&mut self) -> Result<()> {
        let (mut own, mut streams) = (Vec::new(), Vec::new());
        let (mut cp, mut durable) = (Vec::new(), Vec::new());
        let mut memory = 0;
        for _ in 0..REPEATS {
            let watch = MemoryWatch::start()?;
            streams.extend(self.timed_copy("copy", true, |into| self.store.backup_stream(into))?);
            own.extend(self.timed_copy("copy", true, |into| self.store.backup(into))?);
            memory = memory.max(watch.peak());
            // After the backup, so that both take the same files, out of the same page cache.
            let files = self.store.files();
            cp.extend(self.timed_copy("cp", true, |into| copy_files(&files, into))?);
            durable.extend(self.timed_copy("cp", true, |into| {
                copy_files(&files, into)?;
                settle(into).map(|()| true)
            })?);
        }
        if !own.is_empty() {
            self.figures.insert("backup_memory", mebibytes(memory));
        }
        self.insert_median("backup", own);
        self.insert_median("backup_stream", streams);
        self.insert_median("cp", cp);
        self.insert_median("cp_durable", durable);
        Ok(())
    }

    /// Runs a copy into a new folder: millions of bytes per second, `None` without such a call.
    fn timed_copy(
        &self,
        name: &str,
        alone: bool,
        copy: impl FnOnce(&Path) -> Result<bool>,
    ) -> Result<Option<f64>> {
        let into = self.folder.join(name);
        fs::create_dir(&into)?;
        if alone {
            settle(self.folder)?;
        }
        let start = Instant::now();
        let exists = copy(&into)?;
        let seconds = start.elapsed().as_secs_f64();
        let bytes = folder_len(&into)?;
        if alone {
            fs::remove_dir_all(&into)?;
        }
        Ok(exists.then(|| bytes as f64 / 1e6 / seconds))
    }

    /// One row per durable transaction from some threads.
    fn commits(&mut self, id: &'static str, threads: usize) -> Result<()> {
        settle(self.folder)?;
        let stop = AtomicBool::new(false);
        let start = Instant::now();
        let mut times = thread::scope(|scope| -> Result<Latencies> {
            let writers: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| self.write_until(&stop))).collect();
            thread::sleep(self.duration);
            stop.store(true, Ordering::Relaxed);
            let mut all = Latencies::default();
            for writer in writers {
                all.append(writer.join().map_err(|_| "a writer panicked")??);
            }
            Ok(all)
        })?;
        self.figures.insert(id, per_second(times.len(), start.elapsed()));
        let (p50, p99) = (micros(times.quantile(500)), micros(times.quantile(990)));
        if threads == 1 {
            self.figures.insert("commit_1_p50", p50);
            self.figures.insert("commit_1_p99", p99);
        } else {
            self.figures.insert("commit_8_p99", p99);
        }
        Ok(())
    }

    /// Commits new rows one by one until told to stop.
    fn write_until(&self, stop: &AtomicBool) -> Result<Latencies> {
        let mut writer = self.store.writer()?;
        let mut times = Latencies::with_capacity(1 << 18);
        while !stop.load(Ordering::Relaxed) {
            let row = self.rows.row(self.next.fetch_add(1, Ordering::Relaxed));
            let start = Instant::now();
            writer.commit(&[row])?;
            times.add(start.elapsed());
        }
        Ok(times)
    }

    fn batches(&mut self) -> Result<()> {
        settle(self.folder)?;
        let mut writer = self.store.writer()?;
        let mut batch = Vec::with_capacity(BATCH);
        let mut written = 0;
        let start = Instant::now();
        while start.elapsed() < self.duration {
            batch.clear();
            let first = self.next.fetch_add(u64::try_from(BATCH)?, Ordering::Relaxed);
            batch.extend((first..).take(BATCH).map(|n| self.rows.row(n)));
            writer.commit(&batch)?;
            written += BATCH;
        }
        self.figures.insert("batch", per_second(written, start.elapsed()));
        Ok(())
    }

    /// A backup beside a writer; its commits and the longest of them before and
    /// meanwhile.
    fn busy_backup(&mut self) -> Result<()> {
        settle(self.folder)?;
        let stop = AtomicBool::new(false);
        let start = Instant::now();
        let before = thread::scope(|scope| -> Result<Latencies> {
            let writer = scope.spawn(|| self.write_until(&stop));
            thread::sleep(self.duration);
            stop.store(true, Ordering::Relaxed);
            writer.join().map_err(|_| "the writer panicked")?
        })?;
        let rate_before = per_second(before.len(), start.elapsed());
        settle(self.folder)?;
        stop.store(false, Ordering::Relaxed);
        // One is enough: it takes its time, for the sake of the writer.
        let name = "busy";
        let start = Instant::now();
        let (rate, during) = thread::scope(|scope| {
            let writer = scope.spawn(|| self.write_until(&stop));
            let rate = self.timed_copy(name, false, |into| self.store.backup(into));
            stop.store(true, Ordering::Relaxed);
            (rate, writer.join())
        });
        let rate = rate?;
        let during = during.map_err(|_| "the writer panicked")??;
        let rate_during = per_second(during.len(), start.elapsed());
        // After the writer has ended: removing large files stalls it by itself.
        fs::remove_dir_all(self.folder.join(name))?;
        if rate.is_some() {
            let added = during.max().saturating_sub(before.max());
            self.figures.insert("commits_kept", 100.0 * rate_during / rate_before);
            self.figures.insert("stall_before", millis(before.max()));
            self.figures.insert("stall_during", millis(during.max()));
            self.figures.insert("stall_added", millis(added));
        }
        self.insert_median("backup_busy", rate.into_iter().collect());
        Ok(())
    }

    /// Everything that was acknowledged is there.
    fn check(&self) -> Result<()> {
        let expected = self.rows.digest(self.next.load(Ordering::Relaxed));
        let found = self.store.scan()?;
        if found == expected {
            return Ok(());
        }
        Err(format!("at the end {found:?} instead of {expected:?}").into())
    }

    fn insert_median(&mut self, id: &'static str, values: Vec<f64>) {
        if let Some(value) = crate::tables::median(&values) {
            self.figures.insert(id, value);
        }
    }
}

/// A plain copy by the system's own program.
fn copy_files(files: &[PathBuf], into: &Path) -> Result<bool> {
    let status = Command::new("cp").arg("-r").args(files).arg(into).status()?;
    if status.success() { Ok(true) } else { Err(format!("cp: {status}").into()) }
}

/// Lets the file system write out what earlier workloads left, so that nobody pays for others.
pub(crate) fn settle(folder: &Path) -> Result<()> {
    let status = Command::new("sync").arg("-f").arg(folder).status()?;
    if status.success() { Ok(()) } else { Err(format!("sync: {status}").into()) }
}

fn folder_len(folder: &Path) -> Result<u64> {
    let mut len = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        len += if meta.is_dir() { folder_len(&entry.path())? } else { meta.len() };
    }
    Ok(len)
}

pub(crate) fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
