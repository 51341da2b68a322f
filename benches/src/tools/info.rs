//! How long `ese info` takes to say what a file is, from the start of the program to its end.

use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::ese;
use crate::{child::Figures, latency::Latencies, store::Result};

/// Calls for each file; the median counts.
const CALLS: usize = 21;

/// Of a large database, and of every file that a crash left.
pub(super) fn measure(database: &Path, crashed: &Path, figures: &mut Figures) -> Result<()> {
    let of_database = time_of(database)?;
    let mut slowest = of_database;
    for entry in fs::read_dir(crashed)? {
        let file = entry?.path();
        // The lock is empty, and the status is text for `ese status`.
        let other = |ending: &OsStr| ending == "lck" || ending == "status";
        if !file.extension().is_none_or(other) {
            slowest = slowest.max(time_of(&file)?);
        }
    }
    figures.insert("info_database", of_database.as_secs_f64() * 1e3);
    figures.insert("info_slowest", slowest.as_secs_f64() * 1e3);
    Ok(())
}

fn time_of(file: &Path) -> Result<Duration> {
    let mut times = Latencies::default();
    for _ in 0..CALLS {
        let begin = Instant::now();
        let status = Command::new(ese()?).arg("info").arg(file).stdout(Stdio::null()).status()?;
        times.add(begin.elapsed());
        if !status.success() {
            return Err(format!("ese info {}: {status}", file.display()).into());
        }
    }
    Ok(times.quantile(500))
}
