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
    /// 2^20 bytes; less is better.
    Mebibytes,
    /// Percent of all processors.
    Percent,
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
    metric("backup", "full online backup, idle", Unit::MegabytesPerSecond),
    metric("cp", "cp of the same files", Unit::MegabytesPerSecond),
    metric("backup_busy", "full online backup beside a writer", Unit::MegabytesPerSecond),
    metric("stall_before", "- longest commit of the writer before", Unit::Milliseconds),
    metric("stall_during", "- longest commit of the writer during", Unit::Milliseconds),
    metric("stall_added", "- longest stall that the backup adds", Unit::Milliseconds),
    metric("memory", "peak of private memory", Unit::Mebibytes),
    metric("cache", "- of it allowed as cache", Unit::Mebibytes),
    metric("disk", "files after the sorted load", Unit::Mebibytes),
    metric("others", "processor used by others meanwhile", Unit::Percent),
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
