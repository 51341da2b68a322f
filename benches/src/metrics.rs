//! The figures: one line each, in the order of the tables.

/// How a figure is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Operations or rows per second.
    PerSecond,
    /// Millions of bytes per second.
    MegabytesPerSecond,
    /// Milliseconds; less is better.
    Milliseconds,
    /// Microseconds; less is better.
    Microseconds,
    /// Nanoseconds; less is better.
    Nanoseconds,
    /// 2^20 bytes; less is better.
    Mebibytes,
    /// Percent of something that the title names.
    Percent,
    /// A plain number.
    Count,
}

/// One figure.
pub(crate) struct Metric {
    /// Its name in JSON and in the code.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
}

const fn metric(id: &'static str, title: &'static str, unit: Unit) -> Metric {
    Metric { id, title, unit }
}

/// Figures of an engine.
pub(crate) const ENGINE: &[Metric] = &[
    metric("commit_1", "durable commits, one row each, 1 thread", Unit::PerSecond),
    metric("commit_1_p50", "- half of them faster than", Unit::Microseconds),
    metric("commit_1_p99", "- 99 of 100 faster than", Unit::Microseconds),
    metric("commit_8", "durable commits, one row each, 8 threads", Unit::PerSecond),
    metric("commit_8_p99", "- 99 of 100 faster than", Unit::Microseconds),
    metric("batch", "rows in durable batches of 1000, random keys", Unit::PerSecond),
    metric("load_sorted", "rows of a load in key order", Unit::PerSecond),
    metric("get", "random point reads, hot, 1 thread", Unit::PerSecond),
    metric("scan", "rows of a full scan, hot, 1 thread", Unit::PerSecond),
    metric("memory", "peak of private memory", Unit::Mebibytes),
    metric("cache", "- of it allowed as cache", Unit::Mebibytes),
    metric("disk", "files after the sorted load", Unit::Mebibytes),
    metric("others", "processor used by others meanwhile", Unit::Percent),
];

/// Figures of the backup.
pub(crate) const BACKUP: &[Metric] = &[
    metric("backup", "full online backup, idle", Unit::MegabytesPerSecond),
    metric("backup_stream", "- as a stream, not durable", Unit::MegabytesPerSecond),
    metric("backup_memory", "- private memory of both", Unit::Mebibytes),
    metric("cp", "cp of the same files, not durable", Unit::MegabytesPerSecond),
    metric("cp_durable", "cp of the same files, then synced", Unit::MegabytesPerSecond),
    metric("backup_busy", "full online backup beside a writer", Unit::MegabytesPerSecond),
    metric("commits_kept", "- commits of the writer meanwhile, of those before", Unit::Percent),
    metric("stall_before", "- longest commit of the writer before", Unit::Milliseconds),
    metric("stall_during", "- longest commit of the writer during", Unit::Milliseconds),
    metric("stall_added", "- longest stall that the backup adds", Unit::Milliseconds),
    metric("backup_disk", "files that are backed up", Unit::Mebibytes),
    metric("backup_others", "processor used by others meanwhile", Unit::Percent),
];

/// Figures of the machine itself.
pub(crate) const MACHINE: &[Metric] = &[
    metric("sync_append", "fdatasync after appending 256 bytes", Unit::PerSecond),
    metric("sync_append_4k", "fdatasync after appending 4 KiB", Unit::PerSecond),
    metric("sync_preallocated", "fdatasync after 4 KiB, preallocated", Unit::PerSecond),
    metric("sync_prewritten", "fdatasync after 4 KiB, written before", Unit::PerSecond),
    metric("memcpy", "memcpy, 1 MiB at a time", Unit::MegabytesPerSecond),
    metric("crc32", "crc32 of 16 KiB pages", Unit::MegabytesPerSecond),
    metric("others", "processor used by others meanwhile", Unit::Percent),
];

/// Figures of the table with an index: "better than SQLite and redb in every row".
pub(crate) const INDEXED: &[Metric] = &[
    metric("update_1", "durable updates, one row each, 1 thread", Unit::PerSecond),
    metric("update_2", "durable updates, one row each, 2 threads", Unit::PerSecond),
    metric("update_8", "durable updates, one row each, 8 threads", Unit::PerSecond),
    metric("mix_95", "95 % reads, 5 % durable updates, 4 threads", Unit::PerSecond),
    metric("mix_50", "50 % reads, 50 % durable updates, 4 threads", Unit::PerSecond),
    metric("read_1", "random reads, 1 thread", Unit::PerSecond),
    metric("read_2", "random reads, 2 threads", Unit::PerSecond),
    metric("read_4", "random reads, 4 threads", Unit::PerSecond),
    metric("scan_100", "rows of scans of 100 rows, 1 thread", Unit::PerSecond),
    metric("index_update", "updates of the indexed column, 1000 a commit", Unit::PerSecond),
    metric("delete_half", "deletes of half the rows, 1000 a commit", Unit::PerSecond),
    metric("insert_half", "inserts of as many, 1000 a commit", Unit::PerSecond),
    metric("data_after", "data files after both", Unit::Mebibytes),
];

/// Not compared: how quiet the machine was.
pub(crate) const INDEXED_OTHERS: Metric =
    metric("indexed_others", "processor used by others meanwhile", Unit::Percent);

/// Figures of long values, of engines and of the plain file.
pub(crate) const VALUES: &[Metric] = &[
    metric("value_64k_write", "values of 64 KiB, one a durable commit", Unit::MegabytesPerSecond),
    metric("value_64k_read", "- read in random order", Unit::MegabytesPerSecond),
    metric("value_1m_write", "values of 1 MiB, one a durable commit", Unit::MegabytesPerSecond),
    metric("value_1m_read", "- read in random order", Unit::MegabytesPerSecond),
];

/// Not compared: how quiet the machine was.
pub(crate) const VALUES_OTHERS: Metric =
    metric("values_others", "processor used by others meanwhile", Unit::Percent);

/// Figures of the reader that stays open.
pub(crate) const OLD_READER: &[Metric] = &[
    metric("old_reader_rate", "updates, 10 a transaction, tried", Unit::PerSecond),
    metric("old_reader_done", "- of them done", Unit::Count),
    metric("old_reader_refused", "- of them refused: the version store was full", Unit::Count),
    metric("old_reader_versions", "most memory of the versions", Unit::Mebibytes),
    metric("old_reader_limit", "- allowed", Unit::Mebibytes),
    metric("old_reader_memory", "peak of private memory", Unit::Mebibytes),
    metric("old_reader_allowed", "- of it allowed as cache and versions", Unit::Mebibytes),
    metric("old_reader_others", "processor used by others meanwhile", Unit::Percent),
];

/// Figures of the temporary table.
pub(crate) const SORT: &[Metric] = &[
    metric("sort_temp", "rows sorted through a temporary table", Unit::PerSecond),
    metric("sort_n", "- by sort -n from the same file", Unit::PerSecond),
    metric("sort_memory", "peak of private memory", Unit::Mebibytes),
    metric("sort_others", "processor used by others meanwhile", Unit::Percent),
];

/// Figures of calls through the C interface.
pub(crate) const BOUNDARY: &[Metric] = &[
    metric("boundary_c", "a call from C, JetMove and JetRetrieveColumn in turn", Unit::Nanoseconds),
    metric("boundary_rust", "- of the Rust functions of these names", Unit::Nanoseconds),
    metric("boundary_cost", "- what the boundary costs", Unit::Nanoseconds),
    metric("boundary_others", "processor used by others meanwhile", Unit::Percent),
];

/// Figures of the tools and of recovery.
pub(crate) const TOOLS: &[Metric] = &[
    metric("export_file", "size of the database that is exported", Unit::Mebibytes),
    metric("export_rows", "rows written as CSV by ese export", Unit::PerSecond),
    metric("export_libesedb", "- by libesedb, the first rows only", Unit::PerSecond),
    metric("export_dissect", "- by dissect.esedb, the first rows only", Unit::PerSecond),
    metric("export_memory", "peak of the memory of ese export", Unit::Mebibytes),
    metric("info_database", "ese info on that database", Unit::Milliseconds),
    metric("info_slowest", "- on the slowest of all files that a crash left", Unit::Milliseconds),
    metric("replay_log", "log that a crash left to be replayed", Unit::Mebibytes),
    metric("replay_rate", "- replayed until the database is clean", Unit::MegabytesPerSecond),
    metric("tools_others", "processor used by others meanwhile", Unit::Percent),
];

/// Figures of backups that are stopped while eight threads commit.
pub(crate) const STOP: &[Metric] = &[
    metric("stop_call_p50", "the stop call: half of them faster than", Unit::Microseconds),
    metric("stop_call_p99", "- 99 of 100 faster than", Unit::Microseconds),
    metric("stop_call_max", "- longest", Unit::Microseconds),
    metric("stop_read_p50", "from the stop to -801, reads of 64 KiB: half", Unit::Microseconds),
    metric("stop_read_p99", "- 99 of 100 faster than", Unit::Microseconds),
    metric("stop_read_max", "- longest", Unit::Microseconds),
    metric("stop_built_in_p50", "to the end of a built-in backup: half", Unit::Microseconds),
    metric("stop_built_in_p99", "- 99 of 100 faster than", Unit::Microseconds),
    metric("stop_built_in_max", "- longest", Unit::Microseconds),
    metric("stop_others", "processor used by others meanwhile", Unit::Percent),
];
