//! The catalog of an attached database: reading the tables it describes, and creating new ones.
//!
//! A row of the catalog lives in up to four trees (MSysObjects, its shadow, and the two indexes of
//! MSysObjects); all four change in the same statement. MSysObjids has one row more per object.

use std::{ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, ObjId, Pgno, Result};
use ese_pages::NodeFlags;

use crate::{
    database::Database,
    instance::Attached,
    locales,
    schema::{
        self, CatalogEntry, CatalogLoader, Index, MSYS_LOCALES, MSYS_LOCALES_FDP, MSYS_OBJECTS,
        MSYS_OBJECTS_FDP, MSYS_OBJECTS_NAME, MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_ROOT,
        MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_SHADOW, MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJIDS,
        MSYS_OBJIDS_FDP, RowKind, TableDef, TableSchema,
    },
    session::{SchemaChange, SchemaStep, Session},
    space,
    table::Table,
    tree::{self, Direction, Position, Start, TreeHandle, TreeKind, Writer},
};

/// The trees of the catalog.
pub(crate) struct CatalogTrees {
    objects: Arc<TreeHandle>,
    /// Not where the header says that there is no shadow catalog.
    shadow: Option<Arc<TreeHandle>>,
    names: Arc<TreeHandle>,
    roots: Arc<TreeHandle>,
    /// MSysObjids.
    objids: Option<Arc<TreeHandle>>,
}

impl CatalogTrees {
    pub(crate) fn of(db: &Database) -> CatalogTrees {
        let (table, index) = (TreeKind::TABLE, TreeKind::UNIQUE_INDEX);
        let shadow = || db.tree(MSYS_OBJECTS_SHADOW_FDP, MSYS_OBJECTS_SHADOW, table);
        CatalogTrees {
            objects: db.tree(MSYS_OBJECTS_FDP, MSYS_OBJECTS, table),
            shadow: db.file.header().has_shadow_catalog().then(shadow),
            names: db.tree(MSYS_OBJECTS_NAME_FDP, MSYS_OBJECTS_NAME, index),
            roots: db.tree(MSYS_OBJECTS_ROOT_FDP, MSYS_OBJECTS_ROOT, index),
            objids: db.objids().cloned(),
        }
    }

    /// Removes one row from everywhere.
    pub(crate) fn delete(
        &self,
        session: &mut Session,
        db: &Arc<Database>,
        row: &CatalogEntry,
    ) -> Result<()> {
        let at = || Position::default();
        session.delete(db, &self.objects, &mut at(), &row.key, &[])?;
        if let Some(root_key) = &row.root_key {
            session.delete(db, &self.roots, &mut at(), root_key, &[])?;
        }
        session.delete(db, &self.names, &mut at(), &row.name_key, &[])?;
        match &self.shadow {
            Some(shadow) => session.delete(db, shadow, &mut at(), &row.key, &[]),
            None => Ok(()),
        }
    }

    /// Puts a row in the place of another one with the same key.
    pub(crate) fn replace(
        &self,
        session: &mut Session,
        db: &Arc<Database>,
        (old, new): (&CatalogEntry, &CatalogEntry),
    ) -> Result<()> {
        if old == new {
            return Ok(());
        }
        let at = || Position::default();
        session.replace(db, &self.objects, &mut at(), &new.key, &new.data)?;
        if let (Some(old_key), Some(new_key)) = (&old.root_key, &new.root_key)
            && old_key != new_key
        {
            session.delete(db, &self.roots, &mut at(), old_key, &[])?;
            session.insert(db, &self.roots, &mut at(), new_key, &new.key)?;
        }
        if old.name_key != new.name_key {
            session.delete(db, &self.names, &mut at(), &old.name_key, &[])?;
            session.insert(db, &self.names, &mut at(), &new.name_key, &new.key)?;
        }
        match &self.shadow {
            Some(shadow) => session.replace(db, shadow, &mut at(), &new.key, &new.data),
            None => Ok(()),
        }
    }

    /// Inserts one row everywhere it belongs.
    pub(crate) fn insert(
        &self,
        session: &mut Session,
        db: &Arc<Database>,
        row: &CatalogEntry,
    ) -> Result<()> {
        let at = || Position::default();
        session.insert(db, &self.objects, &mut at(), &row.key, &row.data)?;
        if let Some(root_key) = &row.root_key {
            session.insert(db, &self.roots, &mut at(), root_key, &row.key)?;
        }
        session.insert(db, &self.names, &mut at(), &row.name_key, &row.key)?;
        match &self.shadow {
            Some(shadow) => session.insert(db, shadow, &mut at(), &row.key, &row.data),
            None => Ok(()),
        }
    }

    /// Notes in MSysObjids what an object is, and of which table.
    pub(crate) fn insert_objid(
        &self,
        session: &mut Session,
        db: &Arc<Database>,
        (objid, table, kind): (ObjId, ObjId, RowKind),
    ) -> Result<()> {
        let Some(objids) = &self.objids else { return Ok(()) };
        let (key, data) = schema::objids_row(db.page_size(), objid, table, kind)?;
        session.insert(db, objids, &mut Position::default(), &key, &data)
    }

    /// Takes an object out of MSysObjids. Older engines have not noted all.
    pub(crate) fn delete_objid(
        &self,
        session: &mut Session,
        db: &Arc<Database>,
        (objid, table, kind): (ObjId, ObjId, RowKind),
    ) -> Result<()> {
        let Some(objids) = &self.objids else { return Ok(()) };
        let (key, _) = schema::objids_row(db.page_size(), objid, table, kind)?;
        match session.delete(db, objids, &mut Position::default(), &key, &[]) {
            Err(error) if error.code() == JetErr::RecordNotFound => Ok(()),
            done => done,
        }
    }
}

/// Reads all tables that the catalog describes.
pub(crate) fn load(attached: &Attached) -> Result<()> {
    let db = &attached.db;
    let schemas = read_schemas(db)?;
    db.set_objids(&schemas);
    for schema in schemas {
        warn_of_foreign_indexes(db, &schema);
        attached.tables.add(Arc::new(Table::new(db, schema, None)));
    }
    Ok(())
}

/// Whoever changes a row later gets a code without a name.
fn warn_of_foreign_indexes(db: &Database, table: &TableSchema) {
    for index in table.indexes.iter().filter(|index| index.is_foreign()) {
        tracing::warn!(
            path = %db.file.path().display(),
            table = table.name,
            index = index.name,
            "text in this index was sorted by another engine: rows of the table can be read, and \
             changed in other columns, not inserted or deleted (-1413, -1414) until the index is \
             deleted and made anew"
        );
    }
}

/// Does any table derive from this template?
#[must_use]
pub fn has_derived(attached: &Attached, template: &TableSchema) -> bool {
    attached.tables.has_derived(template)
}

/// The tables as the catalog's pages have them, whoever wrote them.
pub(crate) fn read_schemas(db: &Database) -> Result<Vec<TableSchema>> {
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

/// Creates a table. It belongs to the session's transaction: others see it when that has committed.
///
/// # Errors
/// `JET_errTableDuplicate` (-1303), what [`TableDef::build_from`] says, `JET_errObjectNotFound`
/// (-1305) for its template, `JET_errTableLocked` (-1302) and `JET_errWriteConflict` (-1102) where
/// somebody adds to that, those of writing.
pub fn create_table(
    session: &mut Session,
    attached: &Arc<Attached>,
    def: &TableDef,
) -> Result<Arc<Table>> {
    session.check_writable_in(&attached.db)?;
    let mut schema = build_table(session, attached, def)?;
    session.statement(|session| {
        check_free_name(session, attached, &schema.name)?;
        let db = &attached.db;
        let root = db.tree(Pgno::DATABASE_ROOT, schema::DATABASE_ROOT, TreeKind::TABLE);
        let objid = db.next_objid()?;
        let writer = session.writer(db)?;
        let kind = schema.tree().kind;
        let fdp = space::create_single(db, &root, writer, objid, kind, schema.pages.max(1))?;
        schema.place(objid, fdp);
        let tree = db.tree(fdp, objid, kind);
        for index in schema.indexes.iter_mut().filter(|index| !index.is_primary()) {
            place_index(db, &tree, writer, index)?;
        }
        let written = locales::count_creations(session, attached, &schema.indexes)
            .and_then(|()| insert_rows(session, db, &schema));
        if let Err(error) = written {
            space::free_fdp(db, &tree, writer)?;
            return Err(match error.code() {
                JetErr::KeyDuplicate => taken(attached, &schema.name),
                _ => error,
            });
        }
        let table = Arc::new(Table::new(db, schema, session.transaction()));
        attached.tables.add(Arc::clone(&table));
        session.note_schema_change(SchemaChange {
            attached: Arc::clone(attached),
            table: Arc::clone(&table),
            step: SchemaStep::Created,
            made: Vec::new(),
            given_up: Vec::new(),
        });
        Ok(table)
    })
}

/// What a definition would make, with what the table has of its template; nothing is made.
///
/// # Errors
/// As [`create_table`], of the definition and of the template.
pub fn build_table(session: &Session, attached: &Attached, def: &TableDef) -> Result<TableSchema> {
    let unicode = &session.instance().config.unicode;
    let template = def.template.as_deref().map(|name| open_table(session, attached, name));
    let template = template.transpose()?;
    if let Some(template) = &template {
        // What is being added to a template is not there yet, and from now on nothing can be.
        template.core.check_unlocked(session.procid(), &template.schema.name)?;
        let objid = template.schema.objid;
        session.read(|snapshot| attached.tables.changeable(objid, snapshot))?;
    }
    let template = template.as_ref().map(|template| &*template.schema);
    def.build_from(attached.db.page_size(), template, unicode)
}

/// Is a name free for a new table?
///
/// # Errors
/// `JET_errTableDuplicate` (-1303).
pub(crate) fn check_free_name(session: &Session, attached: &Attached, name: &str) -> Result<()> {
    let found = session.read(|snapshot| Ok(attached.tables.is_taken(name, snapshot)))?;
    if found { Err(taken(attached, name)) } else { Ok(()) }
}

fn taken(attached: &Attached, name: &str) -> Error {
    Error::new(JetErr::TableDuplicate, format!("the database has a table {name} already"))
        .at_path(&attached.path)
}

/// Gives a secondary index a tree in its table's space.
pub(crate) fn place_index(
    db: &Database,
    table: &TreeHandle,
    writer: Writer,
    index: &mut Index,
) -> Result<()> {
    index.objid = db.next_objid()?;
    index.fdp = space::create_single(db, table, writer, index.objid, index.tree().kind, 1)?;
    Ok(())
}

/// Writes what the catalog and MSysObjids say of a table.
fn insert_rows(session: &mut Session, db: &Arc<Database>, schema: &TableSchema) -> Result<()> {
    let trees = CatalogTrees::of(db);
    for row in schema::table_rows(schema)? {
        trees.insert(session, db, &row)?;
    }
    for object in schema::objects_of(schema) {
        trees.insert_objid(session, db, object)?;
    }
    Ok(())
}

/// Opens a table that the session sees.
///
/// # Errors
/// `JET_errObjectNotFound` (-1305).
pub fn open_table(session: &Session, attached: &Attached, name: &str) -> Result<Arc<Table>> {
    let seen = session.read(|snapshot| Ok(attached.tables.find(name, snapshot)))?;
    seen.ok_or_else(|| {
        Error::new(JetErr::ObjectNotFound, format!("the database has no table {name}"))
            .at_path(&attached.path)
    })
}

/// The version of a table that the session sees by now: schema changes make new ones. Cheap while
/// there was none.
///
/// # Errors
/// `JET_errObjectNotFound` (-1305) if the table was deleted.
pub fn current(session: &Session, attached: &Attached, table: &Arc<Table>) -> Result<Arc<Table>> {
    if table.is_newest() {
        return Ok(Arc::clone(table));
    }
    let objid = table.schema.objid;
    let seen = session.read(|snapshot| Ok(attached.tables.version(objid, snapshot)))?;
    seen.ok_or_else(|| {
        let what = format!("table {} was deleted", table.schema.name);
        Error::new(JetErr::ObjectNotFound, what).at_path(&attached.path)
    })
}

/// The tables that the session sees, system tables included, by name.
///
/// # Errors
/// Those of the session.
pub fn tables(session: &Session, attached: &Attached) -> Result<Vec<Arc<Table>>> {
    let mut tables = session.read(|snapshot| Ok(attached.tables.all(snapshot)))?;
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
    let (table, index) = (TreeKind::TABLE, TreeKind::UNIQUE_INDEX);
    own(&root, MSYS_OBJECTS, table, schema::MSYS_OBJECTS_PAGES, MSYS_OBJECTS_FDP)?;
    let shadow_pages = schema::MSYS_OBJECTS_SHADOW_PAGES;
    own(&root, MSYS_OBJECTS_SHADOW, table, shadow_pages, MSYS_OBJECTS_SHADOW_FDP)?;
    let objects = db.tree(MSYS_OBJECTS_FDP, MSYS_OBJECTS, table);
    own(&objects, MSYS_OBJECTS_NAME, index, 3, MSYS_OBJECTS_NAME_FDP)?;
    own(&objects, MSYS_OBJECTS_ROOT, index, 3, MSYS_OBJECTS_ROOT_FDP)?;
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
