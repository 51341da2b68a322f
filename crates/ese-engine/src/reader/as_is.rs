//! Reading on where something is damaged: pages and rows that cannot be read are noted, and the
//! others are given.

use std::{collections::BTreeMap, ops::ControlFlow};

use ese_base::{Error, ObjId, Result};
use ese_pages::PageCache;

use super::{LeafReader, Leaves, LostPage, OfflineDatabase, named, orphaned, table_tree};
use crate::{
    record::RecordView,
    schema::{
        CatalogLoader, CatalogRow, MSYS_OBJECTS, MSYS_OBJECTS_FDP, MSYS_OBJECTS_SHADOW,
        MSYS_OBJECTS_SHADOW_FDP, TableSchema,
    },
};

/// Leaves that are looked at between two looks at the tree's inside.
const BATCH: usize = 256;

/// What could not be read of a table.
#[derive(Debug, Default)]
pub struct Losses {
    /// Pages.
    pub pages: Vec<LostPage>,
    /// Rows of readable pages, and single values of them.
    pub rows: Vec<Error>,
}

impl Losses {
    /// Was everything read?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.rows.is_empty()
    }

    /// Adds what another part of the table has lost.
    pub fn append(&mut self, mut other: Losses) {
        self.pages.append(&mut other.pages);
        self.rows.append(&mut other.rows);
    }
}

impl OfflineDatabase {
    /// The leaves of a table's tree, as far as they can be found.
    ///
    /// # Errors
    /// `JET_errObjectNotFound` (-1305) for a table whose template is missing: nobody knows its
    /// columns.
    pub fn leaves(&self, table: &TableSchema) -> Result<Leaves<'_>> {
        if table.is_orphan() {
            return Err(orphaned(table).at_path(self.cache.file().path()));
        }
        Ok(Leaves::new(&self.cache, table_tree(table.fdp, table.objid)))
    }

    /// Reads leaves of a table past the cache.
    #[must_use]
    pub fn leaf_reader(&self, table: &TableSchema) -> LeafReader<'_> {
        LeafReader::new(self.cache.file(), table_tree(table.fdp, table.objid))
    }

    /// As [`OfflineDatabase::rows`], but goes on behind what cannot be read, and says what that
    /// was. Rows below a damaged inner page come last.
    ///
    /// # Errors
    /// As [`OfflineDatabase::leaves`]; what the visitor answers. No damage.
    pub fn rows_as_is(
        &self,
        table: &TableSchema,
        mut each: impl FnMut(&[u8], &RecordView<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<Losses> {
        let (mut leaves, mut losses) = (self.leaves(table)?, Losses::default());
        let (mut reader, long_values) = (self.leaf_reader(table), self.long_values(table));
        let mut key = Vec::new();
        'walk: loop {
            let batch = leaves.next(BATCH)?;
            if batch.is_empty() {
                break;
            }
            for pgno in batch {
                let page = match reader.read(pgno) {
                    Ok(page) => page,
                    Err(lost) => {
                        losses.pages.push(lost);
                        continue;
                    }
                };
                for node in page.nodes().filter(|node| !node.is_deleted()) {
                    key.clear();
                    node.append_key(&mut key);
                    let record = match RecordView::new(node.data, table.page_size) {
                        Ok(record) => record,
                        Err(error) => {
                            let place = format!("table \"{}\"", table.name);
                            losses.rows.push(named(error, &place, &key).at_page(pgno));
                            continue;
                        }
                    };
                    if each(&key, &record.with_long_values(&long_values))?.is_break() {
                        break 'walk;
                    }
                }
            }
        }
        losses.pages.append(&mut leaves.into_lost());
        Ok(losses)
    }
}

/// The tables of which either catalog has all rows that a table needs, where both are damaged.
pub(super) fn load_pieces(cache: &PageCache) -> Result<Vec<TableSchema>> {
    let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for (objid, fdp) in
        [(MSYS_OBJECTS, MSYS_OBJECTS_FDP), (MSYS_OBJECTS_SHADOW, MSYS_OBJECTS_SHADOW_FDP)]
    {
        let tree = table_tree(fdp, objid);
        let (mut leaves, mut reader) =
            (Leaves::new(cache, tree), LeafReader::new(cache.file(), tree));
        loop {
            let batch = leaves.next(BATCH)?;
            if batch.is_empty() {
                break;
            }
            for pgno in batch {
                let Ok(page) = reader.read(pgno) else { continue };
                for node in page.nodes().filter(|node| !node.is_deleted()) {
                    rows.entry(node.key_to_vec()).or_insert_with(|| node.data.to_vec());
                }
            }
        }
    }
    let mut tables: BTreeMap<ObjId, Vec<Vec<u8>>> = BTreeMap::new();
    for row in rows.into_values() {
        let table = CatalogRow::decode(&row, cache.page_size()).map(|row| row.objid_table);
        if let Ok(table) = table {
            tables.entry(table).or_default().push(row);
        }
    }
    // A table that cannot be put together must not take the others with it.
    tables.retain(|_, rows| load(cache, rows.iter()).is_ok());
    load(cache, tables.values().flatten())
}

fn load<'r>(
    cache: &PageCache,
    rows: impl Iterator<Item = &'r Vec<u8>>,
) -> Result<Vec<TableSchema>> {
    let mut loader = CatalogLoader::new(cache.page_size());
    for row in rows {
        loader.row(row)?;
    }
    loader.finish()
}
