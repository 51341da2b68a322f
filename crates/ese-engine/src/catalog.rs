//! The catalog of an attached database: reading the tables it describes, and creating new ones.
//!
//! A row of the catalog lives in up to four trees (MSysObjects, its shadow, and the two indexes of
//! MSysObjects); all four change in the same statement. MSysObjids has one row more per object.

use std::{ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, ObjId, Pgno, Result};
use ese_pages::{NodeFlags, PageFlags};

use crate::{
    database::Database,
    instance::Attached,
    schema::{
        self, CatalogEntry, CatalogLoader, Index, MSYS_LOCALES, MSYS_LOCALES_FDP, MSYS_OBJECTS,
        MSYS_OBJECTS_FDP, MSYS_OBJECTS_NAME, MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_ROOT,
        MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_SHADOW, MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJIDS,
        MSYS_OBJIDS_FDP, TableDef, TableSchema,
    },
    session::Session,
    space,
    table::Table,
    tree::{self, Direction, Position, Start, TreeHandle, TreeKind},
};

/// The trees of the catalog.
struct CatalogTrees {
    objects: Arc<TreeHandle>,
    shadow: Arc<TreeHandle>,
    names: Arc<TreeHandle>,
    roots: Arc<TreeHandle>,
}

const INDEX: TreeKind = TreeKind { unique: true, page_flags: PageFlags::INDEX, density_pct: 80 };

impl CatalogTrees {
    fn of(db: &Database) -> CatalogTrees {
        let table = TreeKind::TABLE;
        CatalogTrees {
            objects: db.tree(MSYS_OBJECTS_FDP, MSYS_OBJECTS, table),
            shadow: db.tree(MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJECTS_SHADOW, table),
            names: db.tree(MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_NAME, INDEX),
            roots: db.tree(MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_ROOT, INDEX),
        }
    }

    /// Inserts one row everywhere it belongs.
    fn insert(&self, session: &mut Session, db: &Arc<Database>, row: &CatalogEntry) -> Result<()> {
        let at = &mut Position::default();
        session.insert(db, &self.objects, at, &row.key, &row.data)?;
        if let Some(root_key) = &row.root_key {
            session.insert(db, &self.roots, &mut Position::default(), root_key, &row.key)?;
        }
        session.insert(db, &self.names, &mut Position::default(), &row.name_key, &row.key)?;
        session.insert(db, &self.shadow, &mut Position::default(), &row.key, &row.data)
    }
}

/// Reads all tables that the catalog describes.
pub(crate) fn load(attached: &Attached) -> Result<()> {
    let db = &attached.db;
    let schemas = read_schemas(db)?;
    let mut tables = attached.tables.write();
    for schema in schemas {
        tables.insert(name_of(&schema.name), Arc::new(Table::new(db, schema, None)));
    }
    Ok(())
}

fn read_schemas(db: &Database) -> Result<Vec<TableSchema>> {
    let trees = CatalogTrees::of(db);
    let mut loader = CatalogLoader::new(db.page_size());
    let mut failed = Ok(());
    let view = trees.objects.view();
    let mut at = Position::default();
    tree::scan(&db.cache, &view, Start::End, Direction::Forward, &mut at, |node| {
        if node.flags.contains(NodeFlags::DELETED) {
            return ControlFlow::Continue(());
        }
        failed = loader.row(node.data);
        if failed.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    failed.map_err(|error| error.at_path(db.file.path()))?;
    loader.finish().map_err(|error| error.at_path(db.file.path()))
}

/// How names are compared: without case in ASCII, as the index `Name` orders them.
fn name_of(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// Creates a table. It belongs to the session's transaction: others see it when that has committed.
///
/// # Errors
/// `JET_errTableDuplicate` (-1303), what [`TableDef::build`] says, those of writing.
pub fn create_table(
    session: &mut Session,
    attached: &Arc<Attached>,
    def: &TableDef,
) -> Result<Arc<Table>> {
    let mut schema = def.build(attached.db.page_size())?;
    if attached.tables.read().contains_key(&name_of(&schema.name)) {
        return Err(Error::new(
            JetErr::TableDuplicate,
            format!("the database has a table {} already", schema.name),
        )
        .at_path(&attached.path));
    }
    session.statement(|session| {
        let db = &attached.db;
        let root = db.tree(Pgno::DATABASE_ROOT, schema::DATABASE_ROOT, TreeKind::TABLE);
        let objid = db.next_objid()?;
        let writer = session.writer(db)?;
        let kind = kind_of(&schema);
        let fdp = space::create_single(db, &root, writer, objid, kind, schema.pages.max(1))?;
        schema.place(objid, fdp);
        let tree = db.tree(fdp, objid, kind);
        for index in schema.indexes.iter_mut().filter(|index| !index.is_primary()) {
            index.objid = db.next_objid()?;
            let kind = index_kind(index);
            index.fdp = space::create_single(db, &tree, writer, index.objid, kind, 1)?;
        }
        insert_rows(session, db, &schema)
    })?;
    let table = Arc::new(Table::new(&attached.db, schema, session.transaction()));
    let mut tables = attached.tables.write();
    let name = name_of(&table.schema.name);
    tables.insert(name.clone(), Arc::clone(&table));
    session.on_rollback_forget(attached, name);
    Ok(table)
}

fn kind_of(schema: &TableSchema) -> TreeKind {
    let density_pct = u8::try_from(schema.density).unwrap_or(TreeKind::TABLE.density_pct);
    TreeKind { density_pct, ..TreeKind::TABLE }
}

/// The kind of a secondary index's tree.
pub(crate) fn index_kind(index: &Index) -> TreeKind {
    let density_pct = u8::try_from(index.density).unwrap_or(TreeKind::TABLE.density_pct);
    TreeKind { unique: index.is_unique(), page_flags: PageFlags::INDEX, density_pct }
}

/// Writes what the catalog and MSysObjids say of a table.
fn insert_rows(session: &mut Session, db: &Arc<Database>, schema: &TableSchema) -> Result<()> {
    let trees = CatalogTrees::of(db);
    for row in schema::table_rows(schema)? {
        trees.insert(session, db, &row)?;
    }
    let objids = db.tree(MSYS_OBJIDS_FDP, MSYS_OBJIDS, TreeKind::TABLE);
    for (key, data) in schema::objids_rows(schema)? {
        session.insert(db, &objids, &mut Position::default(), &key, &data)?;
    }
    Ok(())
}

/// Opens a table that the session sees.
///
/// # Errors
/// `JET_errObjectNotFound` (-1305).
pub fn open_table(session: &Session, attached: &Attached, name: &str) -> Result<Arc<Table>> {
    let found = attached.tables.read().get(&name_of(name)).cloned();
    let seen = session.read(|snapshot| Ok(found.filter(|table| table.seen_by(snapshot))))?;
    seen.ok_or_else(|| {
        Error::new(JetErr::ObjectNotFound, format!("the database has no table {name}"))
            .at_path(&attached.path)
    })
}

/// The tables that the session sees, system tables included, by name.
///
/// # Errors
/// Those of the session.
pub fn tables(session: &Session, attached: &Attached) -> Result<Vec<Arc<Table>>> {
    let mut tables: Vec<_> = session.read(|snapshot| {
        let all = attached.tables.read();
        Ok(all.values().filter(|table| table.seen_by(snapshot)).cloned().collect())
    })?;
    tables.sort_by(|a, b| a.schema.name.cmp(&b.schema.name));
    Ok(tables)
}

/// Fills a file that has nothing but headers with what every database has (edb-format 5.6, 12).
pub(crate) fn create_base(session: &mut Session, db: &Arc<Database>, pages: u32) -> Result<()> {
    let writer = session.writer(db)?;
    let root = db.tree(Pgno::DATABASE_ROOT, schema::DATABASE_ROOT, TreeKind::TABLE);
    space::create_database_root(db, &root, writer, pages)?;
    let own = |parent: &TreeHandle, objid, kind, pages, expected: Pgno| {
        place(space::create_multiple(db, parent, writer, objid, kind, pages)?, expected)
    };
    let table = TreeKind::TABLE;
    own(&root, MSYS_OBJECTS, table, schema::MSYS_OBJECTS_PAGES, MSYS_OBJECTS_FDP)?;
    let shadow_pages = schema::MSYS_OBJECTS_SHADOW_PAGES;
    own(&root, MSYS_OBJECTS_SHADOW, table, shadow_pages, MSYS_OBJECTS_SHADOW_FDP)?;
    let objects = db.tree(MSYS_OBJECTS_FDP, MSYS_OBJECTS, table);
    own(&objects, MSYS_OBJECTS_NAME, INDEX, 3, MSYS_OBJECTS_NAME_FDP)?;
    own(&objects, MSYS_OBJECTS_ROOT, INDEX, 3, MSYS_OBJECTS_ROOT_FDP)?;
    let one_page = |objid: ObjId, expected: Pgno| {
        place(space::create_single(db, &root, writer, objid, table, 1)?, expected)
    };
    one_page(MSYS_OBJIDS, MSYS_OBJIDS_FDP)?;
    one_page(MSYS_LOCALES, MSYS_LOCALES_FDP)?;
    db.advance_objid(MSYS_LOCALES);
    let trees = CatalogTrees::of(db);
    let page_size = db.page_size();
    for row in schema::base_catalog(page_size)? {
        trees.insert(session, db, &row)?;
    }
    let objids = db.tree(MSYS_OBJIDS_FDP, MSYS_OBJIDS, table);
    for (key, data) in schema::base_objids(page_size)? {
        session.insert(db, &objids, &mut Position::default(), &key, &data)?;
    }
    let locales = db.tree(MSYS_LOCALES_FDP, MSYS_LOCALES, table);
    for (key, data) in schema::base_locales(page_size)? {
        session.insert(db, &locales, &mut Position::default(), &key, &data)?;
    }
    Ok(())
}

/// The base tables have fixed places; a new file hands pages out in order.
fn place(fdp: Pgno, expected: Pgno) -> Result<()> {
    if fdp == expected {
        return Ok(());
    }
    Err(Error::new(
        JetErr::InternalError,
        format!("a base table was placed at page {fdp} instead of {expected}"),
    ))
}
