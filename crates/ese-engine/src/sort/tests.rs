//! Sorting against `Vec::sort`, with and without files.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by ending")]

use std::path::{Path, PathBuf};

use ese_base::JetErr;
use ese_os::Env;
use ese_sim::{Fault, OpKind, SimEnv};
use proptest::prelude::*;

use super::{BLOCK_LEN, SortOptions, Sorted, Sorter};

type Row = (Vec<u8>, Vec<u8>);

fn options(dir: &Path, memory: u64, distinct: bool) -> SortOptions {
    SortOptions { distinct, memory, path: dir.join("runs") }
}

fn sorted(options: SortOptions, rows: &[Row]) -> Sorted {
    let mut sorter = Sorter::new(&Env::real(), options);
    for (key, record) in rows {
        sorter.insert(key, record).unwrap();
    }
    sorter.finish().unwrap()
}

fn all(sorted: &Sorted) -> Vec<Row> {
    let (mut reader, mut rows) = (sorted.read().unwrap(), Vec::new());
    while reader.step().unwrap() {
        let row = reader.row().unwrap();
        rows.push((row.key.to_vec(), row.record.to_vec()));
    }
    assert!(!reader.step().unwrap(), "the end stays the end");
    rows
}

/// What comes of it: rows of one key stay in the order of their coming.
fn expected(rows: &[Row], distinct: bool) -> Vec<Row> {
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    if distinct {
        rows.dedup_by(|b, a| a.0 == b.0);
    }
    rows
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = Env::real().fs.list(dir).unwrap();
    entries.into_iter().map(|entry| dir.join(entry.name)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_come_in_the_order_of_their_keys(
        rows in prop::collection::vec(
            (prop::collection::vec(0_u8..4, 1..12), prop::collection::vec(any::<u8>(), 0..40)),
            0..400,
        ),
        distinct in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let sorted = sorted(options(dir.path(), 1 << 20, distinct), &rows);
        let expected = expected(&rows, distinct);
        prop_assert_eq!(sorted.rows(), expected.len() as u64);
        for (number, (key, record)) in expected.iter().enumerate() {
            let row = sorted.row(number).unwrap();
            prop_assert_eq!((row.key, row.record), (key.as_slice(), record.as_slice()));
            let first = expected.iter().position(|row| row.0 == *key).unwrap();
            prop_assert_eq!(sorted.lower_bound(key), first);
        }
        prop_assert_eq!(all(&sorted), expected);
        prop_assert!(files(dir.path()).is_empty(), "there was room");
    }
}

/// Rows of all lengths, many with equal keys.
fn many(count: u32) -> Vec<Row> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let row = |number: u32| {
        let key = format!("all keys begin so {}", next() % 3000);
        let mut record = number.to_le_bytes().to_vec();
        record.resize(4 + (next() % 300) as usize, 0xee);
        (key.into_bytes(), record)
    };
    (0..count).map(row).collect()
}

#[test]
fn rows_beyond_the_memory_go_through_a_file_that_goes_with_the_sort() {
    let rows = many(20_000);
    for distinct in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let sorted = sorted(options(dir.path(), 512 << 10, distinct), &rows);
        assert!(sorted.is_spilled());
        assert_eq!(files(dir.path()).len(), 1, "one file for all runs");
        let expected = expected(&rows, distinct);
        assert!(all(&sorted) == expected);
        assert!(all(&sorted) == expected, "it can be read again");
        drop(sorted);
        assert!(files(dir.path()).is_empty());
    }
}

#[test]
fn more_runs_than_one_merge_reads_are_merged_before() {
    let rows = many(20_000);
    for distinct in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        // Two blocks: four runs at once, some twenty in all.
        let memory = 3 * BLOCK_LEN as u64;
        let sorted = sorted(options(dir.path(), memory, distinct), &rows);
        assert!(sorted.runs.len() <= 4, "{}", sorted.runs.len());
        assert!(all(&sorted) == expected(&rows, distinct));
    }
}

#[test]
fn a_damaged_file_is_an_error_and_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let sorted = sorted(options(dir.path(), 512 << 10, false), &many(20_000));
    let env = Env::real();
    let path = files(dir.path()).remove(0);
    let file = env.fs.open(&path, ese_os::OpenMode::ReadWrite).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, BLOCK_LEN as u64 + 1000).unwrap();
    file.write_at(&[!byte[0]], BLOCK_LEN as u64 + 1000).unwrap();
    let read = sorted.read().and_then(|mut reader| {
        while reader.step()? {}
        Ok(())
    });
    assert_eq!(read.unwrap_err().code(), ese_base::JetErr::ReadVerifyFailure);
}

#[test]
fn a_read_that_failed_once_fails_again_and_is_not_the_end_of_the_rows() {
    let (env, disk) = SimEnv::new(1);
    env.fs.create_dir_all(Path::new("/sort")).unwrap();
    let rows = many(20_000);
    for skip in 0..40 {
        let mut sorter = Sorter::new(&env, options(Path::new("/sort"), 512 << 10, false));
        rows.iter().for_each(|(key, record)| sorter.insert(key, record).unwrap());
        let sorted = sorter.finish().unwrap();
        let mut reader = sorted.read().unwrap();
        disk.add_fault(Fault::nth(OpKind::Read, skip, JetErr::DiskIO).on("runs"));
        let failed = loop {
            match reader.step() {
                Ok(more) => assert!(more, "{skip}"),
                Err(error) => break error,
            }
        };
        assert_eq!(failed.code(), JetErr::DiskIO);
        for _ in 0..3 {
            assert_eq!(reader.step().unwrap_err().code(), JetErr::DiskIO);
            assert_eq!(reader.row(), None);
        }
        // The fault hit once: who begins again has all rows.
        assert!(all(&sorted) == expected(&rows, false));
    }
}

#[test]
fn a_file_that_cannot_be_locked_does_not_stay() {
    let (env, disk) = SimEnv::new(1);
    let dir = Path::new("/sort");
    env.fs.create_dir_all(dir).unwrap();
    disk.add_fault(Fault::nth(OpKind::Lock, 0, JetErr::DiskIO).on("runs"));
    let mut sorter = Sorter::new(&env, options(dir, 512 << 10, false));
    let rows = many(20_000);
    let failed = rows.iter().find_map(|(key, record)| sorter.insert(key, record).err());
    assert_eq!(failed.unwrap().code(), JetErr::DiskIO);
    assert!(env.fs.list(dir).unwrap().is_empty());
    sorter.insert(b"key", b"and it goes on").unwrap();
}

#[test]
fn the_runs_and_what_is_still_in_memory_share_the_memory_when_they_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let (memory, rows) = (16 * BLOCK_LEN as u64, many(90_000));
    for count in (10_000..=90_000).step_by(3_500) {
        let sorted = sorted(options(dir.path(), memory, false), &rows[..count]);
        let blocks = sorted.runs.len() + sorted.pile.blocks();
        assert!(blocks <= 16, "{count} rows: {blocks} blocks");
    }
    let sorted = sorted(options(dir.path(), memory, false), &rows);
    assert!(all(&sorted) == expected(&rows, false));
}

#[test]
fn without_memory_a_run_still_has_many_rows() {
    let dir = tempfile::tempdir().unwrap();
    let rows = &many(2_000);
    let sorted = sorted(options(dir.path(), 0, false), rows);
    let len: u64 = Env::real()
        .fs
        .list(dir.path())
        .unwrap()
        .iter()
        .map(|file| {
            let path = dir.path().join(&file.name);
            Env::real().fs.open(&path, ese_os::OpenMode::Read).unwrap().len().unwrap()
        })
        .sum();
    assert!(len < 30 * BLOCK_LEN as u64, "{len} bytes");
    assert!(all(&sorted) == expected(rows, false));
}

#[test]
fn the_longest_row_is_sorted_and_a_longer_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut sorter = Sorter::new(&Env::real(), options(dir.path(), 0, false));
    let long = vec![1; super::ROW_LEN_MAX - 1];
    for key in [3, 1, 2_u8] {
        sorter.insert(&[key], &long).unwrap();
    }
    let refused = sorter.insert(&[0, 0], &long).unwrap_err();
    assert_eq!(refused.code(), ese_base::JetErr::RecordTooBig);
    let rows = all(&sorter.finish().unwrap());
    assert_eq!(rows.iter().map(|row| row.0[0]).collect::<Vec<_>>(), [1, 2, 3]);
}
