//! Reading a database file that nobody has attached: no log, no lock but a shared one, nothing
//! written.
//!
//! For files that Windows wrote and for our own. The database must be clean: pages of a dirty one
//! are only whole together with its logs. [`OfflineDatabase::open_as_is`] reads a dirty one
//! as it stands, for those who only have the file and know what that means.

mod as_is;
mod catalogs;
mod deleted;
mod indexes;
mod leaves;
mod long_values;
mod system_tables;
#[cfg(test)]
mod tests;
mod values;

use std::{fmt, ops::ControlFlow, path::Path, sync::Arc};

use ese_base::{DbTime, Error, ErrorKind, Hex, JetErr, ObjId, PageSize, Pgno, Result};
use ese_os::Env;
use ese_pages::{
    Access, CacheMode, CacheOptions, DbFile, DbHeader, DbState, Node, PageCache, PageFlags,
    cache::ReadGuard,
};

use self::as_is::{CatalogDamage, Pieces};
pub(crate) use self::values::check_row;
pub use self::{
    as_is::Losses,
    deleted::{DeletedRow, Evidence},
    leaves::{Leaf, LeafPage, LeafReader, Leaves, LostPage},
    long_values::LongValueFindings,
    values::unreadable_value,
};
pub use crate::{
    longvalue::OfflineLongValues,
    record::{Guid, Value},
};
use crate::{
    record::RecordView,
    schema::{
        CatalogLoader, Index, MSYS_OBJECTS, MSYS_OBJECTS_FDP, MSYS_OBJECTS_SHADOW,
        MSYS_OBJECTS_SHADOW_FDP, TableSchema,
    },
    space::check::last_owned_in,
    tree::{Direction, Position, Start, Target, TreeKind, TreeView, leaf_for_read, scan},
};

/// Memory for frames.
const CACHE_BYTES: usize = 16 << 20;

/// Which catalog the tables were read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogSource {
    /// MSysObjects.
    Main,
    /// MSysObjectsShadow, because MSysObjects is damaged.
    Shadow,
    /// What is left of both, because both are damaged: tables may be missing. Only for those who
    /// read a database as it stands.
    Pieces,
}

/// A database file, open for reading. Its catalog was read when it was opened.
pub struct OfflineDatabase {
    cache: PageCache,
    tables: Vec<TableSchema>,
    source: CatalogSource,
    damage: CatalogDamage,
}

impl fmt::Debug for OfflineDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfflineDatabase")
            .field("file", self.cache.file())
            .field("tables", &self.tables.len())
            .field("source", &self.source)
            .finish()
    }
}

impl OfflineDatabase {
    /// Opens a clean database.
    ///
    /// # Errors
    /// `JET_errDatabaseDirtyShutdown` (-550), naming the generations it needs; what
    /// [`DbFile::open`] says of the file; `JET_errCatalogCorrupted` and the errors of damaged
    /// pages.
    pub fn open(env: &Env, path: &Path) -> Result<OfflineDatabase> {
        let file = DbFile::open(env, path, Access::ReadOnly)?;
        check_clean(&file.header()).map_err(|error| error.at_path(path))?;
        OfflineDatabase::read(file, false)
    }

    /// Opens a database as it stands, dirty or not. Rows of unfinished transactions may appear, and
    /// damage may be reported that recovery would heal. If both catalogs are damaged, the tables
    /// are those that can be put together from what is left of them.
    ///
    /// # Errors
    /// As [`OfflineDatabase::open`], but for the state: -550 only for a temporary database, of
    /// which no catalog tells anything.
    pub fn open_as_is(env: &Env, path: &Path) -> Result<OfflineDatabase> {
        let file = DbFile::open(env, path, Access::ReadOnly)?;
        if file.header().is_temporary() {
            return Err(is_temporary().at_path(path));
        }
        OfflineDatabase::read(file, true)
    }

    /// Opens a database that has to be clean unless somebody wants it as it stands.
    ///
    /// # Errors
    /// As [`OfflineDatabase::open`] or [`OfflineDatabase::open_as_is`].
    pub fn open_for(env: &Env, path: &Path, as_is: bool) -> Result<OfflineDatabase> {
        if as_is {
            OfflineDatabase::open_as_is(env, path)
        } else {
            OfflineDatabase::open(env, path)
        }
    }

    fn read(file: DbFile, as_is: bool) -> Result<OfflineDatabase> {
        let mut options = CacheOptions::for_memory(CACHE_BYTES, file.page_size());
        // The lock keeps engines out and nobody else. A map of a file that somebody cuts
        // while it is read would end the program; a read is an error.
        options.mode = CacheMode::Copy;
        let cache = PageCache::new(Arc::new(file), options)?;
        let main = load_catalog(&cache, MSYS_OBJECTS, MSYS_OBJECTS_FDP);
        let (tables, source, damage) = match main {
            Ok(tables) => (tables, CatalogSource::Main, CatalogDamage::default()),
            Err(error) => match load_shadow(&cache, &error) {
                Some(tables) => {
                    let made_up = vec![error.at_path(cache.file().path()).within("MSysObjects")];
                    let damage = CatalogDamage { made_up, ..CatalogDamage::default() };
                    (tables, CatalogSource::Shadow, damage)
                }
                None if as_is && error.kind() == ErrorKind::Corruption => {
                    let Pieces { tables, damage } = as_is::load_pieces(&cache)?;
                    if tables.is_empty() {
                        return Err(error.at_path(cache.file().path()));
                    }
                    (tables, CatalogSource::Pieces, damage)
                }
                None => return Err(error.at_path(cache.file().path())),
            },
        };
        Ok(OfflineDatabase { cache, tables, source, damage })
    }

    /// The file's header.
    #[must_use]
    pub fn header(&self) -> DbHeader {
        self.cache.file().header()
    }

    /// Up to which time its pages can have been changed. The header of a database that is not clean
    /// is behind its pages, and does not say.
    #[must_use]
    pub fn clock_max(&self) -> DbTime {
        let header = self.header();
        match header.state() {
            DbState::CleanShutdown => header.dbtime(),
            _ => DbTime::NOT_CHECKED,
        }
    }

    /// Page size.
    #[must_use]
    pub fn page_size(&self) -> PageSize {
        self.cache.page_size()
    }

    /// The pages, for those who look at trees themselves.
    #[must_use]
    pub fn cache(&self) -> &PageCache {
        &self.cache
    }

    /// All tables, those of the system included, by object id.
    #[must_use]
    pub fn tables(&self) -> &[TableSchema] {
        &self.tables
    }

    /// Where the tables were read from.
    #[must_use]
    pub fn catalog_source(&self) -> CatalogSource {
        self.source
    }

    /// What was lost of the catalog, by catalog table: tables and columns that were described there
    /// are not among [`OfflineDatabase::tables`]. Nothing unless the source is
    /// [`CatalogSource::Pieces`].
    pub fn catalog_losses(&self) -> impl Iterator<Item = (&'static str, &Losses)> {
        self.damage.lost.iter().map(|(name, losses)| (*name, losses))
    }

    /// Damage of one of the catalogs that cost nothing: what was there is in the other.
    #[must_use]
    pub fn catalog_made_up(&self) -> &[Error] {
        &self.damage.made_up
    }

    /// Pages that were read so far with flipped bits put right, by number. What is on them is most
    /// likely right: damage of several bits can look like one flipped bit.
    #[must_use]
    pub fn corrected_pages(&self) -> Vec<Pgno> {
        self.cache.corrected_pages()
    }

    /// The last page that the database owns, if the file ends before it. Damage that keeps this
    /// from being known is met where it matters.
    #[must_use]
    pub fn cut_off(&self) -> Option<Pgno> {
        match last_owned_in(&self.cache) {
            Ok(last) => (last.0 > self.cache.file().page_count()).then_some(last),
            // What would tell it lies behind the end itself.
            Err(error) if error.code() == JetErr::FileIOBeyondEOF => error.pgno(),
            Err(_) => None,
        }
    }

    /// The table with this name; ASCII case does not matter.
    ///
    /// # Errors
    /// `JET_errObjectNotFound` (-1305); `JET_errCatalogCorrupted` (-1220) if it may have been in
    /// what is lost of the catalog.
    pub fn table(&self, name: &str) -> Result<&TableSchema> {
        let found = self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            if !self.damage.lost.is_empty() {
                let what = format!("there is no table \"{name}\" in what is left of the catalog");
                return Error::new(JetErr::CatalogCorrupted, what)
                    .at_path(self.cache.file().path());
            }
            Error::new(JetErr::ObjectNotFound, format!("there is no table \"{name}\""))
                .at_path(self.cache.file().path())
        })
    }

    /// Visits the rows of a table in the order of their keys: key and record of each. Nodes that
    /// are only marked as deleted are left out.
    ///
    /// # Errors
    /// Damaged pages and rows, with their page; `JET_errObjectNotFound` for a table whose
    /// template is missing; what the visitor answers.
    pub fn rows(
        &self,
        table: &TableSchema,
        mut each: impl FnMut(&[u8], &RecordView<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        if table.is_orphan() {
            return Err(orphaned(table).at_path(self.cache.file().path()));
        }
        let long_values = self.long_values(table);
        self.nodes(&table.tree().view(), |key, data| {
            let view = RecordView::new(data, table.page_size)
                .map_err(|error| unreadable_row(error, table, key))?;
            each(key, &view.with_long_values(&long_values))
        })
    }

    /// The long values of a table: what its rows have outside of them.
    #[must_use]
    pub fn long_values(&self, table: &TableSchema) -> OfflineLongValues<'_> {
        OfflineLongValues::new(&self.cache, table)
    }

    /// Visits the entries of a secondary index: its key, and the key of the row it belongs to.
    ///
    /// # Errors
    /// Damaged pages; what the visitor answers.
    pub fn entries(
        &self,
        index: &Index,
        each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        self.nodes(&index.tree().view(), each)
    }

    /// Visits the live nodes of a tree in order: key and data.
    fn nodes(
        &self,
        tree: &TreeView,
        each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        nodes(&self.cache, tree, each).map_err(|error| error.at_path(self.cache.file().path()))
    }
}

/// Nobody knows the columns of such a table.
fn orphaned(table: &TableSchema) -> Error {
    let what =
        format!("table \"{}\" derives from a template that the database does not have", table.name);
    Error::new(JetErr::ObjectNotFound, what)
}

/// A dirty database needs its logs before anybody reads it.
fn check_clean(header: &DbHeader) -> Result<()> {
    let state = header.state();
    if state == DbState::CleanShutdown {
        return Ok(());
    }
    if header.is_temporary() {
        return Err(is_temporary());
    }
    let (first, last) = header.required();
    let error = Error::new(
        JetErr::DatabaseDirtyShutdown,
        format!(
            "the database is not clean (state: {state}) and must be recovered before it is read"
        ),
    );
    Err(if header.is_backup_copy() {
        error.advise("it is a backup copy: restore it with `ese restore`")
    } else if first.0 == 0 {
        error.advise("put it beside its logs and run `ese recover`")
    } else {
        error.advise(format!(
            "put it beside its log generations {:#x} to {:#x} and run `ese recover`",
            first.0, last.0
        ))
    })
}

/// Why a temporary database ([`DbHeader::is_temporary`]) is of no use to anybody.
#[cold]
#[track_caller]
pub fn is_temporary() -> Error {
    let what = "this is a temporary database: no catalog says what is in it, and no log or backup \
                ever had it";
    Error::new(JetErr::DatabaseDirtyShutdown, what)
        .advise("leave it aside; it was of use to a program that ran")
}

/// The shadow catalog, if the main one is damaged and the shadow can be read and has anything.
fn load_shadow(cache: &PageCache, error: &Error) -> Option<Vec<TableSchema>> {
    if error.kind() != ErrorKind::Corruption {
        return None;
    }
    let tables = load_catalog(cache, MSYS_OBJECTS_SHADOW, MSYS_OBJECTS_SHADOW_FDP).ok()?;
    if tables.is_empty() {
        return None;
    }
    tracing::warn!(
        path = %cache.file().path().display(),
        %error,
        "MSysObjects is damaged; its shadow is used"
    );
    Some(tables)
}

/// All tables that one of the two catalogs describes.
fn load_catalog(cache: &PageCache, objid: ObjId, fdp: Pgno) -> Result<Vec<TableSchema>> {
    let mut loader = CatalogLoader::new(cache.page_size());
    nodes(cache, &TreeView::new(fdp, objid, TreeKind::TABLE), |_, data| {
        loader.row(data)?;
        Ok(ControlFlow::Continue(()))
    })?;
    loader.finish()
}

/// Visits live nodes. Entries must rise from each to the next: that is what a tree is, and it keeps
/// a damaged chain of leaves from leading in a circle.
fn nodes(
    cache: &PageCache,
    tree: &TreeView,
    each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>>,
) -> Result<()> {
    nodes_from(cache, tree, None, each)
}

/// As [`nodes`], from a key on.
pub(crate) fn nodes_from(
    cache: &PageCache,
    tree: &TreeView,
    from: Option<&[u8]>,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>>,
) -> Result<()> {
    check_root(cache, tree)?;
    if from.is_none() {
        let first = leaf_for_read(cache, tree, &Target::First)?;
        check_end(&first, first.page().prev())?;
    }
    let (mut last, mut entry) = (Vec::new(), Vec::new());
    let mut visit = |node: Node<'_>| {
        std::mem::swap(&mut last, &mut entry);
        entry.clear();
        node.append_key(&mut entry);
        let key_len = entry.len();
        if !tree.unique {
            entry.extend_from_slice(node.data);
        }
        if entry <= last {
            return Err(Error::new(
                JetErr::BadPageLink,
                format!("the entries of the tree with root {} do not rise", tree.root),
            )
            .advise("the file is damaged: restore it from a backup"));
        }
        if node.is_deleted() {
            return Ok(ControlFlow::Continue(()));
        }
        each(entry.get(..key_len).unwrap_or_default(), node.data)
    };
    let mut failed = None;
    let start = from.map_or(Start::End, |key| Start::At { key, data: &[] });
    let mut end = Position::default();
    let broken = scan(cache, tree, start, Direction::Forward, &mut end, |node| {
        visit(node).unwrap_or_else(|error| {
            failed = Some(error);
            ControlFlow::Break(())
        })
    })?;
    if !broken {
        let last = leaf_for_read(cache, tree, &Target::Last)?;
        let before = if last.pgno() == end.leaf { Pgno::NULL } else { end.leaf };
        check_end(&last, before)?;
        check_end(&last, last.page().next())?;
    }
    failed.map_or(Ok(()), Err)
}

/// The outermost leaves lead nowhere, and a row of leaves ends with the last one that the tree has.
fn check_end(leaf: &ReadGuard<'_>, leads_to: Pgno) -> Result<()> {
    if leads_to.is_null() {
        return Ok(());
    }
    let what =
        format!("the outermost leaf of the tree, but the row of leaves says page {leads_to}");
    Err(Error::new(JetErr::BadPageLink, what)
        .at_page(leaf.pgno())
        .advise("run a verification of the database; restore it from a backup"))
}

/// Is the root the root? Records from before format update 9 are laid out in another way.
fn check_root(cache: &PageCache, tree: &TreeView) -> Result<()> {
    let root = cache.read(tree.root)?;
    tree.expect_own(root.page(), tree.root)?;
    tree.expect_root_flag(root.page(), tree.root)?;
    if root.page().flags().contains(PageFlags::NEW_RECORD_FORMAT) {
        return Ok(());
    }
    Err(Error::new(
        JetErr::FeatureNotAvailable,
        "records in the format before update 9 cannot be read by this version",
    )
    .at_page(tree.root))
}

/// Says which row it is.
pub(crate) fn unreadable_row(error: Error, table: &TableSchema, key: &[u8]) -> Error {
    error.within(&format!("table \"{}\", row {}", table.name, Hex(key)))
}
