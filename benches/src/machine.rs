//! The machine's own limits: how often a log could be made durable, how fast memory is.

use std::{
    fs::{File, OpenOptions},
    hint::black_box,
    os::unix::fs::FileExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::store::Result;

/// Length of the file that stands for a log which was reserved or written before.
const LOG_LEN: u64 = 64 << 20;

/// A figure of the machine and its value.
pub(crate) type Figure = (&'static str, f64);

/// Measures every limit, each for about this long.
pub(crate) fn measure(folder: &Path, each: Duration) -> Result<Vec<Figure>> {
    let log = |name: &str| {
        OpenOptions::new().read(true).write(true).create_new(true).open(folder.join(name))
    };
    let append = syncs_per_second(&log("append")?, 256, u64::MAX, each)?;
    let append_4k = syncs_per_second(&log("append-4k")?, 4096, u64::MAX, each)?;
    let reserved = log("reserved")?;
    reserve(&folder.join("reserved"))?;
    let preallocated = syncs_per_second(&reserved, 4096, LOG_LEN, each)?;
    let written = log("written")?;
    let zeros = vec![0; 1 << 20];
    for at in (0..LOG_LEN).step_by(zeros.len()) {
        written.write_all_at(&zeros, at)?;
    }
    written.sync_all()?;
    let prewritten = syncs_per_second(&written, 4096, LOG_LEN, each)?;
    Ok(vec![
        ("sync_append", append),
        ("sync_append_4k", append_4k),
        ("sync_preallocated", preallocated),
        ("sync_prewritten", prewritten),
        ("memcpy", memcpy_rate(each)),
        ("crc32", crc32_rate(each)),
    ])
}

/// Writes blocks one behind the other (from the start again behind `wrap`), each made durable.
fn syncs_per_second(file: &File, block: usize, wrap: u64, each: Duration) -> Result<f64> {
    let bytes = vec![0x5a; block];
    let step = u64::try_from(block)?;
    file.sync_all()?;
    let start = Instant::now();
    let (mut count, mut at) = (0_u32, 0);
    while start.elapsed() < each {
        file.write_all_at(&bytes, at)?;
        file.sync_data()?;
        count += 1;
        at = (at + step) % wrap;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// Reserves disk space without writing it (the program of util-linux calls `fallocate`).
fn reserve(path: &Path) -> Result<()> {
    let status = Command::new("fallocate").args(["-l", &LOG_LEN.to_string()]).arg(path).status()?;
    if status.success() { Ok(()) } else { Err(format!("fallocate: {status}").into()) }
}

/// Bytes copied per second, in millions; source and target together exceed the caches.
fn memcpy_rate(each: Duration) -> f64 {
    let source = vec![1_u8; 64 << 20];
    let mut target = vec![2_u8; 64 << 20];
    rate(each, || {
        for (to, from) in target.chunks_mut(1 << 20).zip(source.chunks(1 << 20)) {
            to.copy_from_slice(black_box(from));
        }
        black_box(&target).len()
    })
}

fn crc32_rate(each: Duration) -> f64 {
    let pages = vec![3_u8; 64 << 20];
    rate(each, || {
        for page in pages.chunks(16 << 10) {
            black_box(crc32fast::hash(black_box(page)));
        }
        pages.len()
    })
}

/// Millions of bytes per second of a step that says how many bytes it took.
fn rate(each: Duration, mut step: impl FnMut() -> usize) -> f64 {
    step();
    let start = Instant::now();
    let mut bytes = 0;
    while start.elapsed() < each {
        bytes += step();
    }
    bytes as f64 / 1e6 / start.elapsed().as_secs_f64()
}
