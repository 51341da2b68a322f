//! A plain file: values behind each other, each durable before the next. What a store for values
//! can hardly beat; it could find nothing again after a restart.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Mutex,
};

use crate::{
    rows::{Digest, Key, Row},
    store::{Result, Store, Writer},
};

/// Its name among the engines.
pub(crate) const NAME: &str = "file";

struct Plain {
    path: PathBuf,
    file: File,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    /// Offset and length of each value.
    of: HashMap<Key, (u64, usize)>,
    /// Length of the file.
    end: u64,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn Store>> {
    let path = folder.join("values");
    let file = OpenOptions::new().create_new(true).read(true).append(true).open(&path)?;
    Ok(Box::new(Plain { path, file, places: Mutex::default() }))
}

impl Plain {
    fn write(&self, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()> {
        let mut places = self.places.lock().map_err(|_| "a writer panicked")?;
        for row in rows {
            (&self.file).write_all(row.value)?;
            let at = places.end;
            places.of.insert(row.key, (at, row.value.len()));
            places.end = at + u64::try_from(row.value.len())?;
        }
        Ok(self.file.sync_data()?)
    }

    fn digest(&self, keys: &mut dyn Iterator<Item = &Key>) -> Result<Digest> {
        let places = self.places.lock().map_err(|_| "a writer panicked")?;
        let (mut digest, mut value) = (Digest::default(), Vec::new());
        for key in keys {
            let (at, len) = *places.of.get(key).ok_or("no such key")?;
            value.resize(len, 0);
            self.file.read_exact_at(&mut value, at)?;
            digest.add(&value);
        }
        Ok(digest)
    }
}

impl Store for Plain {
    fn cache_bytes(&self) -> u64 {
        0
    }

    fn load_sorted(&self, rows: &mut dyn Iterator<Item = Row<'_>>) -> Result<()> {
        self.write(rows)
    }

    fn writer(&self) -> Result<Box<dyn Writer + '_>> {
        Ok(Box::new(PlainWriter(self)))
    }

    fn get_all(&self, keys: &[Key]) -> Result<Digest> {
        self.digest(&mut keys.iter())
    }

    fn scan(&self) -> Result<Digest> {
        let places = self.places.lock().map_err(|_| "a writer panicked")?;
        let mut keys: Vec<Key> = places.of.keys().copied().collect();
        drop(places);
        keys.sort_unstable();
        self.digest(&mut keys.iter())
    }

    fn backup(&self, _into: &Path) -> Result<bool> {
        Ok(false)
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }
}

struct PlainWriter<'a>(&'a Plain);

impl Writer for PlainWriter<'_> {
    fn commit(&mut self, rows: &[Row<'_>]) -> Result<()> {
        self.0.write(&mut rows.iter().copied())
    }
}
