//! A file tree: every directory, and every file with its length and a hash of its contents.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use ese_api::{ColType, Env, Result, TableBuilder};

use super::records::{Dataset, TableSpec, Unit, content_hash, long, long_long, utf16};
use crate::{files, interrupt::Interrupt, progress::Progress};

/// Files that are taken at most, so that the demo ends soon anywhere: every file is a row that is
/// loaded, backed up, restored and compared twice.
const FILES_MAX: usize = 60_000;
/// Bytes that are read and hashed at most.
const BYTES_MAX: u64 = 1 << 30;
/// Time after which no further directory is looked into, and no further file is read.
const TIME_MAX: Duration = Duration::from_secs(6);
/// Longer files are listed without a hash.
const HASHED_MAX: u64 = 64 << 20;
/// Deeper directories are left out.
const DEPTH_MAX: usize = 40;
/// What builds and version control leave behind is no record of anything.
const SKIPPED: [&str; 3] = [".git", "target", "node_modules"];

const DIRECTORIES: usize = 0;
const FILES: usize = 1;

/// Whoever interrupts it gets what was read up to then.
pub(super) fn read(
    env: &Env,
    root: &Path,
    interrupt: &Interrupt,
    progress: &mut Progress,
) -> Result<Dataset> {
    let root = &env.fs.canonicalize(root)?;
    let end = env.clock.monotonic() + TIME_MAX;
    let mut walk = Walk {
        env,
        interrupt,
        end,
        units: Vec::new(),
        files: 0,
        bytes: 0,
        left_out: 0,
        late: false,
    };
    let mut waiting = vec![(root.clone(), 0)];
    // Links can lead to a directory by any number of ways.
    let mut known = HashSet::from([root.clone()]);
    while let Some((dir, depth)) = waiting.pop() {
        if walk.is_late() {
            break;
        }
        progress.say(&format!("{} files read", walk.files));
        progress.set(walk.part_of_time(), 1000);
        for inner in walk.directory(&dir)? {
            let real = env.fs.canonicalize(&inner);
            if depth < DEPTH_MAX && real.is_ok_and(|real| known.insert(real)) {
                waiting.push((inner, depth + 1));
            }
        }
    }
    let remark = match (walk.late, walk.left_out) {
        (true, _) => Some("what was not read by then was left out, to end soon".to_owned()),
        (false, 0) => None,
        (false, n) => Some(format!("{n} more files were left out, or not hashed, to end soon")),
    };
    Ok(Dataset {
        origin: format!("the file tree {}", root.display()),
        remark,
        tables: tables(),
        units: walk.units,
        unit_name: "directory",
    })
}

fn tables() -> Vec<TableSpec> {
    let names = |columns: &[&str]| columns.iter().map(|column| (*column).to_owned()).collect();
    vec![
        TableSpec {
            name: "directories",
            row_name: "directory",
            columns: names(&["id", "path"]),
            table: TableBuilder::new("directories")
                .required("id", ColType::Long)
                .text("path")
                .primary(&["id"]),
        },
        TableSpec {
            name: "files",
            row_name: "file",
            columns: names(&["directory", "number", "name", "len", "hash"]),
            table: TableBuilder::new("files")
                .required("directory", ColType::Long)
                .required("number", ColType::Long)
                .text("name")
                .column("len", ColType::LongLong)
                .column("hash", ColType::Guid)
                .primary(&["directory", "number"]),
        },
    ]
}

struct Walk<'a> {
    env: &'a Env,
    interrupt: &'a Interrupt,
    /// When there is no more time, by the clock.
    end: Duration,
    units: Vec<Unit>,
    files: usize,
    bytes: u64,
    left_out: u64,
    late: bool,
}

impl Walk<'_> {
    fn is_late(&mut self) -> bool {
        self.late |= self.env.clock.monotonic() >= self.end;
        self.late
    }

    /// In thousandths.
    fn part_of_time(&self) -> u64 {
        let left = self.end.saturating_sub(self.env.clock.monotonic());
        let passed = TIME_MAX.saturating_sub(left).as_millis() * 1000 / TIME_MAX.as_millis();
        u64::try_from(passed).unwrap_or(1000)
    }

    /// Takes a directory and its files; gives the directories inside.
    fn directory(&mut self, dir: &Path) -> Result<Vec<PathBuf>> {
        if self.interrupt.pressed() {
            return Ok(Vec::new());
        }
        let id = self.units.len();
        let entries = match self.env.fs.list(dir) {
            Ok(entries) => entries,
            // Somebody may remove it under our eyes, or not let us in. The root has to be there.
            Err(error) if id == 0 => return Err(error),
            Err(_) => return Ok(Vec::new()),
        };
        let (mut unit, mut inner) = (Unit::default(), Vec::new());
        unit.push(DIRECTORIES, vec![long(id), utf16(&dir.to_string_lossy())]);
        for (number, entry) in entries.into_iter().enumerate() {
            let path = dir.join(&entry.name);
            if self.interrupt.pressed() || self.is_late() && !self.units.is_empty() {
                break;
            }
            if entry.is_dir {
                if !SKIPPED.contains(&entry.name.as_str()) {
                    inner.push(path);
                }
            } else if self.files < FILES_MAX {
                self.files += 1;
                let hash = self.hash(&path, entry.len);
                unit.push(
                    FILES,
                    vec![long(id), long(number), utf16(&entry.name), long_long(entry.len), hash],
                );
            } else {
                self.left_out += 1;
            }
        }
        self.units.push(unit);
        Ok(inner)
    }

    /// NULL for what cannot be read: sockets, files of others, files that change.
    fn hash(&mut self, path: &Path, len: u64) -> Option<Vec<u8>> {
        if len > HASHED_MAX || self.bytes.saturating_add(len) > BYTES_MAX {
            self.left_out += 1;
            return None;
        }
        self.bytes += len;
        let bytes = files::read(self.env, path, HASHED_MAX).ok()?;
        Some(content_hash(&bytes).0.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_progress() -> Progress {
        Progress::silent("", Env::real())
    }

    #[test]
    #[cfg(unix)]
    #[allow(clippy::disallowed_methods, reason = "no engine file; the trait makes no links")]
    fn a_directory_is_taken_once_however_many_links_lead_to_it() {
        let root = tempfile::tempdir().unwrap();
        // Each of 20 directories has two links to the next: a million ways to the last one.
        for number in 0..20 {
            let dir = root.path().join(format!("d{number}"));
            std::fs::create_dir(&dir).unwrap();
            for link in ["a", "b"] {
                let next = root.path().join(format!("d{}", number + 1));
                std::os::unix::fs::symlink(next, dir.join(link)).unwrap();
            }
        }
        let last = root.path().join("d20");
        std::fs::create_dir(&last).unwrap();
        std::fs::write(last.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(root.path(), last.join("back")).unwrap();
        let found =
            read(&Env::real(), root.path(), &Interrupt::default(), &mut no_progress()).unwrap();
        assert_eq!(found.units.len(), 22);
        let interrupt = Interrupt::default();
        interrupt.press();
        let found = read(&Env::real(), root.path(), &interrupt, &mut no_progress()).unwrap();
        assert_eq!(found.units.len(), 0);
    }

    /// A clock on which every look takes a second.
    #[derive(Debug)]
    struct Slow(std::sync::atomic::AtomicU64);

    impl ese_os::Clock for Slow {
        fn unix_ms(&self) -> u64 {
            0
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        }

        fn sleep(&self, _time: Duration) {}
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "no engine file")]
    fn a_tree_that_takes_too_long_is_read_in_part() {
        let root = tempfile::tempdir().unwrap();
        for number in 0..100 {
            let dir = root.path().join(format!("d{number}"));
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join("file"), "x").unwrap();
        }
        let env = Env { clock: std::sync::Arc::new(Slow(0.into())), ..Env::real() };
        let found = read(&env, root.path(), &Interrupt::default(), &mut no_progress());
        let found = found.unwrap();
        assert!((1..10).contains(&found.units.len()), "{}", found.units.len());
        assert!(found.remark.unwrap().contains("left out"));
    }
}
