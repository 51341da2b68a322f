//! Offline compaction: every table of a clean database, rebuilt in an empty one.
//!
//! Trees are copied entry by entry in the order of their keys, so that pages come out as full as
//! their densities say; records, long values and index entries keep their bytes: an index of a
//! collation that is not at hand stays as good as it was. What changes are object ids and root
//! pages, which only the catalog and MSysObjids hold. Catalog rows are copied, too, with new
//! numbers in their fixed columns.
//!
//! A copy that looks sound must be sound, because the original may go: a value that cannot be read
//! ends the compaction. Long values get the number of references that the rows have, and those that
//! no row refers to stay behind.
//!
//! Tables of the system are not copied: the target has its own. The rows of MSysLocales, which say
//! what the sort orders of indexes are, come along.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
    sync::Arc,
};

use ese_base::{Error, JetErr, ObjId, Pgno, Result, StopToken};
use ese_pages::{DbHeader, fence::NoLog};

use crate::{
    database::Database,
    instance::{Attached, Instance},
    longvalue::{Root, lid_of_key, lid_of_root},
    reader::{CatalogSource, OfflineDatabase, check_row, nodes_from, unreadable_row},
    record::{Lid, RecordView},
    schema::{
        self, DATABASE_ROOT, MSYS_OBJECTS, MSYS_OBJECTS_FDP, MSYS_OBJECTS_NAME,
        MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_ROOT, MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_SHADOW,
        MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJIDS, MSYS_OBJIDS_FDP, RowKind, TableFlags, TableSchema,
        TreeRole,
    },
    space,
    space::check::{check as check_space, trees_of},
    tree::{self, Position, TreeHandle, TreeKind, TreeView, Unversioned, Writer},
};

/// Entries between two reports.
const REPORT_EVERY: u64 = 512;

/// How far a compaction has come, in bytes of the source; an estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactProgress {
    /// Copied.
    pub bytes_done: u64,
    /// Of everything.
    pub bytes_total: u64,
}

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactReport {
    /// Tables.
    pub tables: u64,
    /// Their trees: rows, long values, secondary indexes.
    pub trees: u64,
    /// Entries of these trees.
    pub entries: u64,
    /// By table: what each tree held, in the order in which the catalog lists them.
    sums: Vec<(String, Vec<Sum>)>,
}

/// Count and hash of a tree's entries in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    entries: u64,
    hash: u32,
}

impl Sum {
    fn add(&mut self, key: &[u8], data: &[u8]) {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.hash);
        hasher.update(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_le_bytes());
        hasher.update(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
        hasher.update(key);
        hasher.update(data);
        self.hash = hasher.finalize();
        self.entries += 1;
    }
}

/// A row of the source's catalog with its keys in the three trees that it stands in.
struct CatalogNode {
    data: Vec<u8>,
    name_key: Vec<u8>,
    root_key: Option<Vec<u8>>,
}

/// Copies all tables into a database that has none but the system's.
///
/// # Errors
/// `JET_errInvalidDatabaseVersion` (-1209) for a format newer than those that are changed,
/// `JET_errPageSizeMismatch` (-1213), `JET_errCatalogCorrupted` (-1220) if only the shadow of the
/// catalog is left or the two contradict each other; `JET_errLVCorrupted` (-1526),
/// `JET_errDecompressionFailed` (-1620) and `JET_errDatabaseCorrupted` (-1206) for values that
/// cannot be read; what the source's pages say; what the token says when it is stopped; those of
/// writing; `progress`'s own.
pub fn compact(
    source: &OfflineDatabase,
    instance: &Arc<Instance>,
    target: &Arc<Attached>,
    progress: &mut dyn FnMut(CompactProgress) -> Result<()>,
    stop: &StopToken,
) -> Result<CompactReport> {
    check_source(source, &target.db, stop)?;
    keep_format(&source.header(), &target.db)?;
    instance.system_work(|procid| {
        let file = source.cache().file();
        let bytes_total = u64::from(file.page_count()) * file.page_size().bytes_u64();
        let mut copy = Copy {
            source,
            db: &target.db,
            writer: Writer::system(procid),
            progress,
            stop,
            so_far: CompactProgress { bytes_done: 0, bytes_total },
            report: CompactReport::default(),
        };
        copy.all()?;
        Ok(copy.report)
    })
}

/// What is copied keeps its bytes, which may be of a newer format than the one that new databases
/// have (ids of 64 bits, for instance): the copy has the newer one's number, too.
fn keep_format(source: &DbHeader, target: &Database) -> Result<()> {
    if source.update_major.get() <= DbHeader::UPDATE_MAJOR {
        return Ok(());
    }
    target.file.update_header(|header| {
        header.update_major = source.update_major;
        header.update_minor = source.update_minor;
    })
}

fn check_source(source: &OfflineDatabase, target: &Database, stop: &StopToken) -> Result<()> {
    let header = source.header();
    let refuse = |code: JetErr, what: String| {
        Err(Error::new(code, what).at_path(source.cache().file().path()))
    };
    if header.update_major.get() > DbHeader::UPDATE_MAJOR_CHANGED {
        let (major, minor) = (header.update_major, header.update_minor);
        let newest = DbHeader::UPDATE_MAJOR_CHANGED;
        let what = format!("format update {major}.{minor} is newer than {newest}");
        return refuse(JetErr::InvalidDatabaseVersion, what)
            .map_err(|error: Error| error.advise("read it with `ese rows` and import the rows"));
    }
    if source.page_size() != target.page_size() {
        let what = format!("pages of {} bytes", source.page_size());
        return refuse(JetErr::PageSizeMismatch, what);
    }
    if source.catalog_source() != CatalogSource::Main {
        let what = "the catalog is damaged".to_owned();
        return refuse(JetErr::CatalogCorrupted, what).map_err(|error: Error| {
            error.advise("verify it, which names the pages; then restore it")
        });
    }
    // A shadow that cannot be read is made anew. One that contradicts the catalog is not: that
    // would take away what may be right.
    match source.catalog_contradictions(stop) {
        Err(error) if error.code() == JetErr::ClientRequestToStopJetService => Err(error),
        Err(_) => Ok(()),
        Ok(found) => found.into_iter().next().map_or(Ok(()), Err),
    }
    .map_err(|error| error.at_path(source.cache().file().path()))
}

/// Why a compaction ends at a value that cannot be read.
fn not_copied(error: Error) -> Error {
    error.advise(
        "such a value is not copied: `ese verify` names all of them, `ese export` gives the others; \
         restore the database from a backup",
    )
}

fn is_copied(table: &TableSchema) -> bool {
    !table.flags.contains(TableFlags::SYSTEM)
}

/// A compaction under way.
struct Copy<'a> {
    source: &'a OfflineDatabase,
    db: &'a Arc<Database>,
    writer: Writer,
    progress: &'a mut dyn FnMut(CompactProgress) -> Result<()>,
    stop: &'a StopToken,
    so_far: CompactProgress,
    report: CompactReport,
}

impl Copy<'_> {
    fn all(&mut self) -> Result<()> {
        let mut rows = self.catalog_nodes()?;
        self.locales()?;
        for table in self.source.tables().iter().filter(|table| is_copied(table)) {
            let nodes = rows.remove(&table.objid).unwrap_or_default();
            self.table(table, nodes)?;
        }
        Ok(())
    }

    fn entry(&self, tree: &TreeHandle, at: &mut Position, key: &[u8], data: &[u8]) -> Result<()> {
        self.db.cache.throttle(&NoLog)?;
        tree::insert(self.db, tree, self.writer, &Unversioned, at, key, data)
    }

    /// All rows of the catalog, by table.
    fn catalog_nodes(&self) -> Result<HashMap<ObjId, Vec<CatalogNode>>> {
        let by_row = |fdp, objid| -> Result<HashMap<Vec<u8>, Vec<u8>>> {
            let mut keys = HashMap::new();
            nodes_from(
                self.source.cache(),
                &TreeView::new(fdp, objid, TreeKind::UNIQUE_INDEX),
                None,
                |key, data| {
                    keys.insert(data.to_vec(), key.to_vec());
                    Ok(ControlFlow::Continue(()))
                },
            )?;
            Ok(keys)
        };
        let mut names = by_row(MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_NAME)?;
        let mut roots = by_row(MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_ROOT)?;
        let mut nodes: HashMap<ObjId, Vec<CatalogNode>> = HashMap::new();
        let objects = TreeView::new(MSYS_OBJECTS_FDP, MSYS_OBJECTS, TreeKind::TABLE);
        nodes_from(self.source.cache(), &objects, None, |key, data| {
            let Some(name_key) = names.remove(key) else {
                let what = "a row of the catalog is missing in its index of names";
                return Err(Error::new(JetErr::CatalogCorrupted, what));
            };
            let node = CatalogNode { data: data.to_vec(), name_key, root_key: roots.remove(key) };
            nodes.entry(Fixed::of(data)?.table).or_default().push(node);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(nodes)
    }

    /// The rows of MSysLocales, in the place of those that a new database has.
    fn locales(&mut self) -> Result<()> {
        let Ok(table) = self.source.table("MSysLocales") else { return Ok(()) };
        let (fdp, objid) = (schema::MSYS_LOCALES_FDP, schema::MSYS_LOCALES);
        let own = self.db.tree(fdp, objid, TreeKind::TABLE);
        let mut rows = BTreeMap::new();
        nodes_from(self.source.cache(), &table.tree().view(), None, |key, data| {
            rows.insert(key.to_vec(), data.to_vec());
            Ok(ControlFlow::Continue(()))
        })?;
        for (key, data) in rows {
            let found = tree::seek(&self.db.cache, &own.view(), &key, &[])?.line.is_ok();
            if found {
                let at = &mut Position::default();
                tree::replace(self.db, &own, self.writer, &Unversioned, at, &key, &[], &data)?;
            } else {
                self.entry(&own, &mut Position::default(), &key, &data)?;
            }
        }
        Ok(())
    }

    fn table(&mut self, table: &TableSchema, nodes: Vec<CatalogNode>) -> Result<()> {
        let root = self.db.tree(Pgno::DATABASE_ROOT, DATABASE_ROOT, TreeKind::TABLE);
        let mut parent = root;
        let mut copies = Vec::new();
        let mut numbers = HashMap::new();
        for from in table.trees() {
            let pages = if copies.is_empty() { table.pages.max(1) } else { 1 };
            let new = self.db.next_objid()?;
            let place = space::create_single(self.db, &parent, self.writer, new, from.kind, pages)?;
            let tree = self.db.tree(place, new, from.kind);
            if copies.is_empty() {
                parent = Arc::clone(&tree);
            }
            numbers.insert(from.objid, (new, place));
            copies.push((from.role, from.view(), tree));
        }
        self.describe(table, nodes, &numbers)?;
        let mut sums = Vec::new();
        for (role, from, to) in copies {
            let sum = match role {
                TreeRole::Table => self.rows(table, &from, &to)?,
                TreeRole::LongValues => self.long_values(table, &from, &to)?,
                _ => self.tree(&from, &to, &mut |_, data| Ok(Some(Cow::Borrowed(data))))?,
            };
            self.report.trees += 1;
            self.report.entries += sum.entries;
            sums.push(sum);
        }
        self.report.tables += 1;
        self.report.sums.push((table.name.clone(), sums));
        Ok(())
    }

    /// Writes what the catalog says of a table.
    fn describe(
        &self,
        table: &TableSchema,
        nodes: Vec<CatalogNode>,
        numbers: &HashMap<ObjId, (ObjId, Pgno)>,
    ) -> Result<()> {
        let tree = |fdp, objid| self.db.tree(fdp, objid, TreeKind::TABLE);
        let index = TreeKind::UNIQUE_INDEX;
        let objects = tree(MSYS_OBJECTS_FDP, MSYS_OBJECTS);
        let shadow = tree(MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJECTS_SHADOW);
        let names = self.db.tree(MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_NAME, index);
        let roots = self.db.tree(MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_ROOT, index);
        let at = || Position::default();
        for mut node in nodes {
            let mut fixed = Fixed::of(&node.data)?;
            fixed.renumber(numbers)?;
            fixed.store(&mut node.data);
            let key = fixed.key();
            // The index of names begins with the table's number, too.
            if let (Some(to), Some(from)) = (node.name_key.get_mut(..5), key.get(..5)) {
                to.copy_from_slice(from);
            }
            self.entry(&objects, &mut at(), &key, &node.data)?;
            self.entry(&names, &mut at(), &node.name_key, &key)?;
            if let Some(root_key) = &node.root_key {
                self.entry(&roots, &mut at(), root_key, &key)?;
            }
            self.entry(&shadow, &mut at(), &key, &node.data)?;
        }
        let objids = tree(MSYS_OBJIDS_FDP, MSYS_OBJIDS);
        let owner = numbers.get(&table.objid).map_or(ObjId(0), |own| own.0);
        for tree in table.trees() {
            let Some(&(new, _)) = numbers.get(&tree.objid) else { continue };
            let kind = RowKind::of_tree(tree.role);
            let (key, data) = schema::objids_row(table.page_size, new, owner, kind)?;
            self.entry(&objids, &mut at(), &key, &data)?;
        }
        Ok(())
    }

    /// Copies the rows of a table, each with values that can be read.
    fn rows(&mut self, table: &TableSchema, from: &TreeView, to: &TreeHandle) -> Result<Sum> {
        // Of a table whose template is missing nobody knows the columns.
        let known = !table.is_orphan();
        self.tree(from, to, &mut |key, data| {
            if known {
                let mut wrong = Ok(());
                match RecordView::new(data, table.page_size) {
                    Ok(record) => check_row(table, key, &record, &mut |error| wrong = Err(error)),
                    Err(error) => wrong = Err(unreadable_row(error, table, key)),
                }
                wrong.map_err(not_copied)?;
            }
            Ok(Some(Cow::Borrowed(data)))
        })
    }

    /// Copies the long values of a table that are needed, with as many references as the rows have.
    fn long_values(
        &mut self,
        table: &TableSchema,
        from: &TreeView,
        to: &TreeHandle,
    ) -> Result<Sum> {
        let found = self.source.count_long_values(table, self.stop)?;
        if let Some(damage) = found.damage {
            return Err(not_copied(damage).at_path(self.source.cache().file().path()));
        }
        let counts = found.counts.unwrap_or_default();
        let mut copied = None;
        self.tree(from, to, &mut |key, data| {
            let Some(lid) = lid_of_root(key) else {
                // Chunks follow their root; those without one stay behind.
                let own = lid_of_key(key).is_some_and(|lid| copied == Some(lid));
                return Ok(own.then_some(Cow::Borrowed(data)));
            };
            let node = recounted(lid, data, &counts);
            copied = node.is_some().then_some(lid);
            Ok(node)
        })
    }

    /// Copies the live entries of a tree, with the data that `change` gives for each; `None` leaves
    /// it out. The source stands still, so its latch may be held.
    fn tree(&mut self, from: &TreeView, to: &TreeHandle, change: Change<'_>) -> Result<Sum> {
        let (mut sum, mut at) = (Sum::default(), Position::default());
        let cache = self.source.cache();
        nodes_from(cache, from, None, |key, data| {
            self.so_far.bytes_done += (key.len() + data.len()) as u64;
            let Some(data) = change(key, data)? else { return Ok(ControlFlow::Continue(())) };
            self.entry(to, &mut at, key, &data)?;
            sum.add(key, &data);
            if sum.entries % REPORT_EVERY == 0 {
                self.report()?;
            }
            Ok(ControlFlow::Continue(()))
        })
        .map_err(|error| error.at_path(cache.file().path()))?;
        self.report()?;
        Ok(sum)
    }

    fn report(&mut self) -> Result<()> {
        self.so_far.bytes_total = self.so_far.bytes_total.max(self.so_far.bytes_done);
        (self.progress)(self.so_far)
    }
}

/// The root of a long value with the references that rows have, where it counts others; `None` if
/// they have none.
fn recounted<'d>(lid: Lid, data: &'d [u8], counts: &[(Lid, u32)]) -> Option<Cow<'d, [u8]>> {
    let counted = counts.binary_search_by_key(&lid, |(lid, _)| *lid);
    let Some((_, references)) = counted.ok().and_then(|at| counts.get(at)) else {
        return Some(Cow::Borrowed(data));
    };
    let root = Root { references: *references, ..Root::parse(data)? };
    let mut changed = data.to_vec();
    if let Some(begin) = changed.first_chunk_mut() {
        *begin = root.to_bytes();
    }
    (root.references > 0).then_some(Cow::Owned(changed))
}

/// The data of a node in the copy, by its key and data in the source.
type Change<'c> = &'c mut dyn for<'d> FnMut(&[u8], &'d [u8]) -> Result<Option<Cow<'d, [u8]>>>;

/// The fixed columns of a catalog row that hold numbers of objects (edb-format 6.1).
struct Fixed {
    table: ObjId,
    kind: u16,
    id: u32,
    fdp: u32,
}

impl Fixed {
    fn of(data: &[u8]) -> Result<Fixed> {
        let short = || Error::new(JetErr::CatalogCorrupted, "a row of the catalog is too short");
        let word = |at: usize| {
            let bytes = data.get(at..).and_then(<[u8]>::first_chunk::<4>);
            bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or_else(short)
        };
        let kind = data.get(8..).and_then(<[u8]>::first_chunk::<2>).ok_or_else(short)?;
        let kind = u16::from_le_bytes(*kind);
        Ok(Fixed { table: ObjId(word(4)?), kind, id: word(10)?, fdp: word(14)? })
    }

    fn renumber(&mut self, numbers: &HashMap<ObjId, (ObjId, Pgno)>) -> Result<()> {
        let missing = |objid: ObjId| {
            let what = format!("the catalog names object {objid}, which no table has");
            Error::new(JetErr::CatalogCorrupted, what)
        };
        let of = |objid: ObjId| numbers.get(&objid).copied().ok_or_else(|| missing(objid));
        let named = [RowKind::Table, RowKind::Index, RowKind::LongValue];
        if named.iter().any(|kind| kind.stored() == self.kind) {
            let (objid, fdp) = of(ObjId(self.id))?;
            (self.id, self.fdp) = (objid.0, fdp.0);
        }
        self.table = of(self.table)?.0;
        Ok(())
    }

    fn store(&self, data: &mut [u8]) {
        for (at, value) in [(4, self.table.0), (10, self.id), (14, self.fdp)] {
            if let Some(place) = data.get_mut(at..at + 4) {
                place.copy_from_slice(&value.to_le_bytes());
            }
        }
    }

    /// The row's key: table, kind and number, normalised.
    fn key(&self) -> Vec<u8> {
        let long = |value: u32| (value ^ 0x8000_0000).to_be_bytes();
        let mut key = vec![0x7f];
        key.extend_from_slice(&long(self.table.0));
        key.push(0x7f);
        key.extend_from_slice(&(self.kind ^ 0x8000).to_be_bytes());
        key.push(0x7f);
        key.extend_from_slice(&long(self.id));
        key
    }
}

/// Checks a finished copy, read anew from its file: it holds the entries that were read from the
/// source, and every page has one use.
///
/// # Errors
/// `JET_errDatabaseCorrupted` (-1206) with what differs, and what the pages say.
pub fn check_copy(report: &CompactReport, target: &OfflineDatabase) -> Result<()> {
    let differs = |what: String| {
        let error = Error::new(JetErr::DatabaseCorrupted, what);
        Err(error.at_path(target.cache().file().path()))
    };
    for (name, expected) in &report.sums {
        let table = target.table(name)?;
        let mut found = Vec::new();
        for from in table.trees() {
            let mut sum = Sum::default();
            nodes_from(target.cache(), &from.view(), None, |key, data| {
                sum.add(key, data);
                Ok(ControlFlow::Continue(()))
            })?;
            found.push(sum);
        }
        if found != *expected {
            return differs(format!("table {name} was not copied as it is: {found:?}"));
        }
    }
    let clock = target.header().dbtime();
    let space = check_space(target.cache(), &trees_of(target.tables()), clock);
    if let Some(problem) = space.problems.into_iter().next() {
        return Err(problem.at_path(target.cache().file().path()));
    }
    match space.leaked.first() {
        None => Ok(()),
        Some(lost) => differs(format!("page {} is lost", lost.first)),
    }
}
