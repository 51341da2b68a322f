//! A table of about 2 GB as CSV: all of it with `ese export`, the first rows with dissect.esedb,
//! which would take hours for the whole, and with libesedb (through pyesedb, its Python module).
//! That one refuses tables of more than 16,384 leaves, so it gets the first rows as a table of
//! their own.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ese_api::{ColType, Database, Inserter, Instance, TableBuilder, Transaction};
use serde_json::Value;

use super::ese;
use crate::{
    child::{Figures, Scale, mebibytes, per_second, settle},
    engines::ese::{LOAD_BATCH, start},
    rows::mix,
    store::Result,
    tables::median,
};

const TABLE: &str = "visits";
/// The first rows of the table again.
const BEGINNING: &str = "first visits";
/// Rows of the table to one of these: some 9,000 leaves.
const TIMES: u64 = 32;
/// Exports of the whole table; the median counts.
const ROUNDS: usize = 3;
/// How often the memory of an export is looked at.
const SAMPLE_EVERY: Duration = Duration::from_millis(2);

/// Makes the database, takes the figures, and gives the file.
pub(super) fn measure(folder: &Path, scale: Scale, figures: &mut Figures) -> Result<PathBuf> {
    let home = folder.join("export");
    fs::create_dir(&home)?;
    let file = home.join("visits.edb");
    make(&home, &file, scale.exported_rows)?;
    settle(folder)?;
    let (mut rates, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let out = folder.join("csv");
        let begin = Instant::now();
        let mut export = Command::new(ese()?)
            .args(["export", "--quiet", "--format", "csv", "--out"])
            .args([&out, &file])
            .arg(TABLE)
            .spawn()?;
        peaks.push(mebibytes(peak_of(&mut export)?));
        rates.push(per_second(usize::try_from(scale.exported_rows)?, begin.elapsed()));
        let lines = lines_of(&out.join(format!("{TABLE}.csv")))?;
        fs::remove_dir_all(&out)?;
        if lines != scale.exported_rows + 1 {
            return Err(format!("{lines} lines of {} rows", scale.exported_rows).into());
        }
    }
    figures.insert("export_file", mebibytes(fs::metadata(&file)?.len()));
    figures.insert("export_rows", median(&rates).unwrap_or_default());
    figures.insert("export_memory", peaks.into_iter().fold(0.0, f64::max));
    for (id, reader, table) in
        [("export_libesedb", "pyesedb", BEGINNING), ("export_dissect", "dissect", TABLE)]
    {
        if let Some(rate) = foreign(&file, table, folder, scale.seconds * 5.0, reader)? {
            figures.insert(id, rate);
        }
    }
    Ok(file)
}

/// A database with the two tables.
fn make(home: &Path, file: &Path, rows: u64) -> Result<()> {
    let instance = start(home)?;
    let database = instance.create_database(file)?;
    fill(&instance, &database, TABLE, rows)?;
    fill(&instance, &database, BEGINNING, rows / TIMES)?;
    drop(database);
    Ok(instance.stop()?)
}

/// A table with a column of most types, about 200 bytes a row.
fn fill(instance: &Instance, database: &Database, name: &str, rows: u64) -> Result<()> {
    let table = TableBuilder::new(name)
        .required("id", ColType::LongLong)
        .column("at", ColType::DateTime)
        .column("user", ColType::Long)
        .column("status", ColType::UnsignedByte)
        .column("score", ColType::IeeeDouble)
        .column("hash", ColType::Binary)
        .text("host")
        .text("page")
        .primary(&["id"])
        .density(100);
    let mut session = instance.session()?;
    let table = database.create_table(&mut session, table)?;
    let names = ["id", "at", "user", "status", "score", "hash", "host", "page"];
    let mut inserter = table.inserter(&names)?;
    for first in (0..rows).step_by(LOAD_BATCH) {
        let mut trx = session.begin()?;
        for n in first..rows.min(first + LOAD_BATCH as u64) {
            insert(&mut trx, &mut inserter, n)?;
        }
        trx.commit_lazy()?;
    }
    Ok(())
}

fn insert(trx: &mut Transaction<'_>, inserter: &mut Inserter, n: u64) -> Result<()> {
    let random = mix(n);
    let at = 45_000.0 + n as f64 / 86_400.0;
    let score = (random >> 40) as f64 / 1000.0;
    let hash = [random, mix(random), mix(!random)].map(u64::to_le_bytes);
    let host = utf16(&format!("host-{:04}.example.org", random % 5000));
    let page = utf16(&format!("/shop/{:06}/page-{n}", (random >> 20) % 1_000_000));
    inserter.insert(
        trx,
        &[
            Some(&n.to_le_bytes()),
            Some(&at.to_le_bytes()),
            Some(&random.to_le_bytes()[..4]),
            Some(&random.to_le_bytes()[7..]),
            Some(&score.to_le_bytes()),
            Some(hash.as_flattened()),
            Some(&host),
            Some(&page),
        ],
    )?;
    Ok(())
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Waits for a process; the value is the most memory that it ever had, mapped files included.
fn peak_of(child: &mut Child) -> Result<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kib = line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        match child.try_wait()? {
            None => thread::sleep(SAMPLE_EVERY),
            Some(status) if status.success() => return Ok(peak),
            Some(status) => return Err(format!("ese: {status}").into()),
        }
    }
}

fn lines_of(path: &Path) -> Result<u64> {
    let (mut file, mut buffer, mut lines) = (File::open(path)?, vec![0; 1 << 20], 0);
    loop {
        let len = file.read(&mut buffer)?;
        if len == 0 {
            return Ok(lines);
        }
        let read = buffer.get(..len).unwrap_or_default();
        lines += read.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}

/// Rows a second of a foreign reader; `None` where `cargo xtask peers` has not set it up.
fn foreign(
    file: &Path,
    table: &str,
    folder: &Path,
    seconds: f64,
    reader: &str,
) -> Result<Option<f64>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = package.with_file_name("target").join("peers/venv/bin/python");
    if !python.is_file() {
        return Ok(None);
    }
    let out = Command::new(python)
        .arg(package.join("src/tools/export.py"))
        .args([file.as_os_str(), table.as_ref(), folder.join("foreign.csv").as_os_str()])
        .args([&seconds.to_string(), reader])
        .stderr(Stdio::inherit())
        .output()?;
    if !out.status.success() {
        return Err(format!("{reader}: {}", out.status).into());
    }
    let told: Value = serde_json::from_slice(&out.stdout)?;
    let figure = |name: &str| told[name].as_f64().ok_or_else(|| format!("{reader}: no {name}"));
    Ok(Some(figure("rows")? / figure("seconds")?))
}
