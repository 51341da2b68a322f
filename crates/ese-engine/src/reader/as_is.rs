//! Reading on where something is damaged: pages and rows that cannot be read are noted, and the
//! others are given.

use std::{collections::BTreeMap, ops::ControlFlow};

use ese_base::{Error, ObjId, Pgno, Result};
use ese_pages::PageCache;

use super::{LeafPage, LeafReader, Leaves, LostPage, OfflineDatabase, orphaned, unreadable_row};
use crate::{
    record::RecordView,
    schema::{
        CatalogLoader, CatalogRow, MSYS_OBJECTS, MSYS_OBJECTS_FDP, MSYS_OBJECTS_SHADOW,
        MSYS_OBJECTS_SHADOW_FDP, TableSchema,
    },
    tree::{TreeKind, TreeView},
};

/// Leaves that are looked at between two looks at the tree's inside.
const BATCH: usize = 256;

/// What could not be read of a table.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    /// Pages, also those whose rows were given and are in doubt.
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
        Ok(Leaves::new(&self.cache, table.tree().view()))
    }

    /// Reads leaves of a table past the cache.
    #[must_use]
    pub fn leaf_reader(&self, table: &TableSchema) -> LeafReader<'_> {
        LeafReader::new(&self.cache, table.tree().view())
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
        let mut rows = Vec::new();
        let pages = self.each_row_as_is(table, |key, _, record| match record {
            Ok(record) => each(key, &record),
            Err(error) => {
                rows.push(error);
                Ok(ControlFlow::Continue(()))
            }
        })?;
        Ok(Losses { pages, rows })
    }

    /// The rows of all pages that can be read: key, page, and record, or why it is none. Gives the
    /// other pages.
    pub(super) fn each_row_as_is(
        &self,
        table: &TableSchema,
        mut each: impl FnMut(&[u8], Pgno, Result<RecordView<'_>>) -> Result<ControlFlow<()>>,
    ) -> Result<Vec<LostPage>> {
        let (mut leaves, mut lost) = (self.leaves(table)?, Vec::new());
        let (mut reader, long_values) = (self.leaf_reader(table), self.long_values(table));
        let mut key = Vec::new();
        'walk: loop {
            let batch = leaves.next(BATCH)?;
            if batch.is_empty() {
                break;
            }
            for leaf in batch {
                let pgno = leaf.pgno();
                let page = match reader.read(&leaf) {
                    Ok(LeafPage { page, doubt }) => {
                        lost.extend(doubt);
                        page
                    }
                    Err(page) => {
                        lost.push(page);
                        continue;
                    }
                };
                for node in page.nodes().filter(|node| !node.is_deleted()) {
                    key.clear();
                    node.append_key(&mut key);
                    let record = RecordView::new(node.data, table.page_size)
                        .map(|record| record.with_long_values(&long_values))
                        .map_err(|error| unreadable_row(error, table, &key).at_page(pgno));
                    if each(&key, pgno, record)?.is_break() {
                        break 'walk;
                    }
                }
            }
        }
        lost.append(&mut leaves.into_lost());
        Ok(lost)
    }
}

/// What both catalogs together still tell, where neither can be read as a whole.
pub(super) struct Pieces {
    /// The tables that can be put together.
    pub(super) tables: Vec<TableSchema>,
    /// What neither has.
    pub(super) damage: CatalogDamage,
}

/// What is wrong with the catalog that the tables were read from.
#[derive(Clone, Debug, Default)]
pub(super) struct CatalogDamage {
    /// By catalog table: what could not be read of it and is not in its copy.
    pub(super) lost: Vec<(&'static str, Losses)>,
    /// What could not be read of one, and was found in the other.
    pub(super) made_up: Vec<Error>,
}

/// Keys between which rows are missing, both excluded; `None`: to the end.
type Gap = (Vec<u8>, Option<Vec<u8>>);

/// What can be read of one of the catalogs.
struct CatalogCopy {
    name: &'static str,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Each with its gap.
    lost: Vec<(LostPage, Gap)>,
}

impl CatalogCopy {
    fn read(
        cache: &PageCache,
        name: &'static str,
        (objid, fdp): (ObjId, Pgno),
    ) -> Result<CatalogCopy> {
        let tree = TreeView::new(fdp, objid, TreeKind::TABLE);
        let (mut leaves, mut reader) = (Leaves::new(cache, tree), LeafReader::new(cache, tree));
        let mut copy = CatalogCopy { name, rows: BTreeMap::new(), lost: Vec::new() };
        let (mut last, mut open_from, mut doubts) = (Vec::new(), 0, Vec::new());
        loop {
            let batch = leaves.next(BATCH)?;
            if batch.is_empty() {
                break;
            }
            for leaf in batch {
                let page = match reader.read(&leaf) {
                    Ok(LeafPage { page, doubt }) => {
                        doubts.extend(doubt);
                        page
                    }
                    Err(lost) => {
                        copy.lost.push((lost, (last.clone(), None)));
                        continue;
                    }
                };
                for node in page.nodes() {
                    last = node.key_to_vec();
                    for (_, (_, end)) in copy.lost.iter_mut().skip(open_from) {
                        *end = Some(last.clone());
                    }
                    open_from = copy.lost.len();
                    if !node.is_deleted() {
                        copy.rows.entry(last.clone()).or_insert_with(|| node.data.to_vec());
                    }
                }
            }
        }
        let inner = leaves.into_lost();
        if inner.iter().any(|lost| lost.inner) {
            // Leaves were found out of order, and perhaps not all.
            copy.lost.iter_mut().for_each(|(_, gap)| *gap = (Vec::new(), None));
        }
        copy.lost.extend(inner.into_iter().map(|lost| (lost, (Vec::new(), None))));
        // Their rows are there: nothing lies between these keys.
        copy.lost.extend(doubts.into_iter().map(|doubt| (doubt, (Vec::new(), Some(Vec::new())))));
        Ok(copy)
    }

    /// Does another copy have what was on a page that this one has lost? It does if it has lost
    /// nothing there itself, or has as many rows there as the page had.
    fn has_lost(&self, (lost, gap): &(LostPage, Gap), other: &CatalogCopy) -> bool {
        if !other.lost.iter().any(|(_, hole)| overlap(gap, hole)) {
            return false;
        }
        let there = other.rows.keys().filter(|key| within(key, gap)).count();
        lost.inner || lost.rows.is_none_or(|rows| usize::try_from(rows).is_ok_and(|n| there < n))
    }
}

fn within(key: &[u8], (from, to): &Gap) -> bool {
    key > from.as_slice() && to.as_ref().is_none_or(|to| key < to.as_slice())
}

fn overlap((from, to): &Gap, (other_from, other_to): &Gap) -> bool {
    let before = |from: &Vec<u8>, to: &Option<Vec<u8>>| to.as_ref().is_none_or(|to| from < to);
    before(from, other_to) && before(other_from, to)
}

/// The tables of which either catalog has all rows that a table needs, where both are damaged.
pub(super) fn load_pieces(cache: &PageCache) -> Result<Pieces> {
    let main = (MSYS_OBJECTS, MSYS_OBJECTS_FDP);
    let shadow = (MSYS_OBJECTS_SHADOW, MSYS_OBJECTS_SHADOW_FDP);
    let main = CatalogCopy::read(cache, "MSysObjects", main)?;
    let shadow = CatalogCopy::read(cache, "MSysObjectsShadow", shadow)?;
    let mut damage = CatalogDamage::default();
    for (copy, other) in [(&main, &shadow), (&shadow, &main)] {
        let mut losses = Losses::default();
        for lost in &copy.lost {
            match copy.has_lost(lost, other) {
                true => losses.pages.push(lost.0.clone()),
                false => damage.made_up.push(lost.0.error.clone().within(copy.name)),
            }
        }
        if !losses.is_empty() {
            damage.lost.push((copy.name, losses));
        }
    }
    let mut rows = main.rows;
    for (key, row) in shadow.rows {
        rows.entry(key).or_insert(row);
    }
    let mut broken = Losses::default();
    let mut tables: BTreeMap<ObjId, Vec<Vec<u8>>> = BTreeMap::new();
    for row in rows.into_values() {
        match CatalogRow::decode(&row, cache.page_size()).map(|row| row.objid_table) {
            Ok(table) => tables.entry(table).or_default().push(row),
            Err(error) => broken.rows.push(error.within("MSysObjects")),
        }
    }
    // A table that cannot be put together must not take the others with it.
    tables.retain(|objid, rows| {
        let loaded = load(cache, rows.iter());
        let error = loaded.err().map(|error| {
            let place = format!("the table with object id {objid} cannot be put together");
            error.within(&place)
        });
        let whole = error.is_none();
        broken.rows.extend(error);
        whole
    });
    if !broken.is_empty() {
        damage.lost.push(("MSysObjects", broken));
    }
    let tables = load(cache, tables.values().flatten())?;
    Ok(Pieces { tables, damage })
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
