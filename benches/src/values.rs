//! Long values: each written in a durable transaction of its own, then all read in random order.

use std::{path::Path, time::Instant};

use crate::{
    child::{Figures, Scale, settle},
    engines,
    rows::{Digest, Key, Rows, key, random_keys},
    store::Result,
    tables::median,
};

/// Length of the values, their number at full scale, and the figures.
const KINDS: [(usize, u64, [&str; 2]); 2] = [
    (64 << 10, 4096, ["value_64k_write", "value_64k_read"]),
    (1 << 20, 512, ["value_1m_write", "value_1m_read"]),
];

/// How often all values are read; the median counts.
const READS: usize = 5;

pub(crate) fn measure(engine: &str, folder: &Path, scale: Scale) -> Result<Figures> {
    let rows = Rows::new();
    let mut figures = Figures::new();
    for (len, count, [write, read]) in KINDS {
        let count = (count * scale.rows / 1_000_000).max(64);
        let megabytes = len as f64 * count as f64 / 1e6;
        let home = folder.join(read);
        std::fs::create_dir(&home)?;
        let store = engines::open_values(engine, &home)?;
        settle(folder)?;
        let mut writer = store.writer()?;
        let start = Instant::now();
        for n in 0..count {
            writer.commit(&[rows.long_row(n, len)])?;
        }
        figures.insert(write, megabytes / start.elapsed().as_secs_f64());
        drop(writer);
        let keys = random_keys(count, count);
        let expected = digest(&rows, &keys, count, len);
        let mut rates = Vec::new();
        // The first time warms up.
        for time in 0..=READS {
            let start = Instant::now();
            let found = store.get_all(&keys)?;
            let rate = megabytes / start.elapsed().as_secs_f64();
            if found != expected {
                return Err(format!("{found:?} was read instead of {expected:?}").into());
            }
            rates.extend((time > 0).then_some(rate));
        }
        figures.insert(read, median(&rates).unwrap_or(0.0));
        drop(store);
        std::fs::remove_dir_all(&home)?;
    }
    Ok(figures)
}

/// What reading these keys must give.
fn digest(rows: &Rows, keys: &[Key], count: u64, len: usize) -> Digest {
    let numbers: std::collections::HashMap<Key, u64> = (0..count).map(|n| (key(n), n)).collect();
    let mut digest = Digest::default();
    for n in keys.iter().filter_map(|key| numbers.get(key)) {
        digest.add(rows.long_row(*n, len).value);
    }
    digest
}
