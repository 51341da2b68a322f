//! What this engine must reach, computed from figures of the same run.

use std::collections::BTreeMap;

use crate::{
    child::MACHINE,
    engines::file,
    metrics::{self, Metric, Unit},
    tables::median,
};

/// The engine that the floors are about.
pub(crate) const OURS: &str = "ese";

/// Every figure of a run: engine and id to one value per repetition.
#[derive(Default)]
pub(crate) struct Results(BTreeMap<(String, String), Vec<f64>>);

impl Results {
    pub(crate) fn add(&mut self, engine: &str, id: &str, value: f64) {
        self.0.entry((engine.to_string(), id.to_string())).or_default().push(value);
    }

    /// All repetitions.
    pub(crate) fn runs(&self, engine: &str, id: &str) -> &[f64] {
        self.0.get(&(engine.to_string(), id.to_string())).map_or(&[], Vec::as_slice)
    }

    /// The figure: the median of the repetitions.
    pub(crate) fn of(&self, engine: &str, id: &str) -> Option<f64> {
        median(self.runs(engine, id))
    }

    /// The quickest way this machine makes a log record durable.
    fn sync_limit(&self) -> Option<f64> {
        ["sync_append", "sync_append_4k", "sync_preallocated", "sync_prewritten"]
            .iter()
            .filter_map(|id| self.of(MACHINE, id))
            .reduce(f64::max)
    }
}

/// One floor (or ceiling).
pub(crate) struct Floor {
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    /// Is `bound` the most that is allowed, instead of the least?
    at_most: bool,
    got: fn(&Results) -> Option<f64>,
    bound: fn(&Results) -> Option<f64>,
}

/// A floor with its figures; `None` where one was not measured.
pub(crate) struct Verdict {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    at_most: bool,
    pub(crate) got: Option<f64>,
    pub(crate) bound: Option<f64>,
}

impl Verdict {
    /// Was it kept? `None` without figures.
    pub(crate) fn passed(&self) -> Option<bool> {
        let (got, bound) = (self.got?, self.bound?);
        Some(if self.at_most { got <= bound } else { got >= bound })
    }

    pub(crate) fn word(&self) -> &'static str {
        match self.passed() {
            Some(true) => "PASS",
            Some(false) => "FAIL",
            None => "not measured",
        }
    }

    /// What the bound means.
    pub(crate) fn relation(&self) -> &'static str {
        if self.at_most { "at most" } else { "at least" }
    }
}

/// All floors against a run.
pub(crate) fn judge(results: &Results) -> Vec<Verdict> {
    let verdict = |floor: &Floor| Verdict {
        title: floor.title.to_owned(),
        unit: floor.unit,
        at_most: floor.at_most,
        got: (floor.got)(results),
        bound: (floor.bound)(results),
    };
    let better = metrics::INDEXED.iter().chain(metrics::VALUES);
    let better = better.map(|metric| row_floor(metric, results));
    let of_file = metrics::VALUES.iter().map(|metric| file_floor(metric, results));
    FLOORS.iter().map(verdict).chain(better).chain(of_file).collect()
}

/// Every row of long values: at least 60 % of what a plain file does.
fn file_floor(metric: &Metric, results: &Results) -> Verdict {
    Verdict {
        title: format!("{}: 60 % of the plain file", metric.title),
        unit: metric.unit,
        at_most: false,
        got: results.of(OURS, metric.id),
        bound: results.of(file::NAME, metric.id).map(|rate| 0.6 * rate),
    }
}

/// Every row of the table with an index, and of long values: better than SQLite and redb.
fn row_floor(metric: &Metric, results: &Results) -> Verdict {
    let at_most = metric.unit == Unit::Mebibytes;
    let better = if at_most { f64::min } else { f64::max };
    let peers = ["sqlite", "redb"].iter().filter_map(|peer| results.of(peer, metric.id));
    Verdict {
        title: format!("{}: SQLite and redb", metric.title),
        unit: metric.unit,
        at_most,
        got: results.of(OURS, metric.id),
        bound: peers.reduce(better),
    }
}

const fn at_least(
    title: &'static str,
    unit: Unit,
    got: fn(&Results) -> Option<f64>,
    bound: fn(&Results) -> Option<f64>,
) -> Floor {
    Floor { title, unit, at_most: false, got, bound }
}

const fn at_most(
    title: &'static str,
    unit: Unit,
    got: fn(&Results) -> Option<f64>,
    bound: fn(&Results) -> Option<f64>,
) -> Floor {
    Floor { title, unit, at_most: true, got, bound }
}

const FLOORS: &[Floor] = &[
    at_least(
        "durable single commits: twice LMDB's",
        Unit::PerSecond,
        |r| r.of(OURS, "commit_1"),
        |r| Some(2.0 * r.of("lmdb", "commit_1")?),
    ),
    at_least(
        "durable single commits: half of the sync limit",
        Unit::PerSecond,
        |r| r.of(OURS, "commit_1"),
        |r| Some(0.5 * r.sync_limit()?),
    ),
    at_least(
        "commits of 8 threads: twice those of one",
        Unit::PerSecond,
        |r| r.of(OURS, "commit_8"),
        |r| Some(2.0 * r.of(OURS, "commit_1")?),
    ),
    at_least(
        "batches of 1000: three times SQLite's",
        Unit::PerSecond,
        |r| r.of(OURS, "batch"),
        |r| Some(3.0 * r.of("sqlite", "batch")?),
    ),
    at_least(
        "sorted load: redb's",
        Unit::PerSecond,
        |r| r.of(OURS, "load_sorted"),
        |r| r.of("redb", "load_sorted"),
    ),
    at_least(
        "point reads: half of LMDB's",
        Unit::PerSecond,
        |r| r.of(OURS, "get"),
        |r| Some(0.5 * r.of("lmdb", "get")?),
    ),
    at_least(
        "full scan: half of LMDB's",
        Unit::PerSecond,
        |r| r.of(OURS, "scan"),
        |r| Some(0.5 * r.of("lmdb", "scan")?),
    ),
    at_least(
        "backup as a stream, every page verified: 85 % of cp",
        Unit::MegabytesPerSecond,
        |r| r.of(OURS, "backup_stream"),
        |r| Some(0.85 * r.of(OURS, "cp")?),
    ),
    at_least(
        "durable backup, every page verified: 85 % of cp and sync",
        Unit::MegabytesPerSecond,
        |r| r.of(OURS, "backup"),
        |r| Some(0.85 * r.of(OURS, "cp_durable")?),
    ),
    at_least(
        "backup as a stream: faster than the copies of LMDB and SQLite",
        Unit::MegabytesPerSecond,
        |r| r.of(OURS, "backup_stream"),
        |r| Some(r.of("lmdb", "backup")?.max(r.of("sqlite", "backup")?)),
    ),
    at_most(
        "longest stall that a backup adds to a writer",
        Unit::Milliseconds,
        |r| r.of(OURS, "stall_added"),
        |_| Some(20.0),
    ),
    at_least(
        "commits of a writer beside a backup: 80 %",
        Unit::Percent,
        |r| r.of(OURS, "commits_kept"),
        |_| Some(80.0),
    ),
    at_most(
        "memory of a backup beside the open database",
        Unit::Mebibytes,
        |r| r.of(OURS, "backup_memory"),
        |_| Some(8.0),
    ),
    at_most(
        "private memory: cache setting + 64 MiB",
        Unit::Mebibytes,
        |r| r.of(OURS, "memory"),
        |r| Some(64.0 + r.of(OURS, "cache")?),
    ),
    at_least(
        "commits of 8 threads: fjall's",
        Unit::PerSecond,
        |r| r.of(OURS, "commit_8"),
        |r| r.of("fjall", "commit_8"),
    ),
    at_least(
        "batches of 1000: half of fjall's",
        Unit::PerSecond,
        |r| r.of(OURS, "batch"),
        |r| Some(0.5 * r.of("fjall", "batch")?),
    ),
    at_least(
        "updates of 8 threads: fjall's",
        Unit::PerSecond,
        |r| r.of(OURS, "update_8"),
        |r| r.of("fjall", "update_8"),
    ),
    at_least(
        "random reads, 1 thread: 0.7 of LMDB's",
        Unit::PerSecond,
        |r| r.of(OURS, "read_1"),
        |r| Some(0.7 * r.of("lmdb", "read_1")?),
    ),
    at_least(
        "random reads, 2 threads: 0.7 of LMDB's",
        Unit::PerSecond,
        |r| r.of(OURS, "read_2"),
        |r| Some(0.7 * r.of("lmdb", "read_2")?),
    ),
    at_least(
        "random reads, 4 threads: 0.7 of LMDB's",
        Unit::PerSecond,
        |r| r.of(OURS, "read_4"),
        |r| Some(0.7 * r.of("lmdb", "read_4")?),
    ),
    at_most(
        "versions for an old reader: the store's limit",
        Unit::Mebibytes,
        |r| r.of(OURS, "old_reader_versions"),
        |r| r.of(OURS, "old_reader_limit"),
    ),
    at_most(
        "memory beside an old reader: cache + versions + 64 MiB",
        Unit::Mebibytes,
        |r| r.of(OURS, "old_reader_memory"),
        |r| Some(64.0 + r.of(OURS, "old_reader_allowed")?),
    ),
    at_least(
        "rows sorted by a temporary table: half of sort -n",
        Unit::PerSecond,
        |r| r.of(OURS, "sort_temp"),
        |r| Some(0.5 * r.of(OURS, "sort_n")?),
    ),
    at_most(
        "stop of a backup: 99 of 100 calls within 1 ms",
        Unit::Microseconds,
        |r| r.of(OURS, "stop_call_p99"),
        |_| Some(1000.0),
    ),
    at_most(
        "from the stop to the refusal, reads of 64 KiB: 99 of 100 within 5 ms",
        Unit::Microseconds,
        |r| r.of(OURS, "stop_read_p99"),
        |_| Some(5000.0),
    ),
    at_most(
        "what the C boundary adds to a call: 40 ns",
        Unit::Nanoseconds,
        |r| r.of(OURS, "boundary_cost"),
        |_| Some(40.0),
    ),
    at_most("memory of that sort", Unit::Mebibytes, |r| r.of(OURS, "sort_memory"), |_| Some(256.0)),
    at_least(
        "export: ten times the rows of libesedb",
        Unit::PerSecond,
        |r| r.of(OURS, "export_rows"),
        |r| Some(10.0 * r.of(OURS, "export_libesedb")?),
    ),
    at_least(
        "export: ten times the rows of dissect.esedb",
        Unit::PerSecond,
        |r| r.of(OURS, "export_rows"),
        |r| Some(10.0 * r.of(OURS, "export_dissect")?),
    ),
    at_most(
        "memory of that export",
        Unit::Mebibytes,
        |r| r.of(OURS, "export_memory"),
        |_| Some(256.0),
    ),
    at_most(
        "ese info on any file: 20 ms",
        Unit::Milliseconds,
        |r| r.of(OURS, "info_slowest"),
        |_| Some(20.0),
    ),
    at_least(
        "replay of a crash out of the page cache: 150 MB of log a second",
        Unit::MegabytesPerSecond,
        |r| r.of(OURS, "replay_rate"),
        |_| Some(150.0),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(title: &str, results: &Results) -> Option<bool> {
        judge(results).iter().find(|v| v.title.starts_with(title)).unwrap().passed()
    }

    #[test]
    fn a_floor_compares_medians_of_the_same_run() {
        let mut results = Results::default();
        assert_eq!(of("durable single commits: twice", &results), None);
        for (ours, lmdb) in [(1.0, 1.0), (20.0, 10.0), (21.0, 10.0)] {
            results.add(OURS, "commit_1", ours);
            results.add("lmdb", "commit_1", lmdb);
        }
        assert_eq!(of("durable single commits: twice", &results), Some(true));
        results.add(MACHINE, "sync_append", 10.0);
        results.add(MACHINE, "sync_prewritten", 41.0);
        assert_eq!(of("durable single commits: half", &results), Some(false));
    }

    #[test]
    fn a_ceiling_fails_from_above() {
        let mut results = Results::default();
        results.add(OURS, "cache", 100.0);
        results.add(OURS, "memory", 164.0);
        assert_eq!(of("private memory", &results), Some(true));
        for (engine, mebibytes) in [(OURS, 200.0), ("sqlite", 250.0), ("redb", 190.0)] {
            results.add(engine, "data_after", mebibytes);
        }
        assert_eq!(of("data files", &results), Some(false), "not smaller than redb's");
        results.add(OURS, "stall_added", 20.1);
        assert_eq!(of("longest stall", &results), Some(false));
        results.add(OURS, "backup_memory", 8.1);
        assert_eq!(of("memory of a backup", &results), Some(false));
        results.add(OURS, "commits_kept", 79.0);
        assert_eq!(of("commits of a writer", &results), Some(false));
    }
}
