//! Changing the schema of tables that others use (api-semantics 12 and 13).
//!
//! A change belongs to the session's transaction, or is one of its own: others see it when that has
//! committed, and it is taken back like a change of rows. Two transactions that do not see each
//! other cannot both change one table.
//!
//! While a change is made, changes of the table's rows wait; readers do not.

mod build;
mod follow;
#[cfg(test)]
mod foreign_tests;

use std::{ops::ControlFlow, sync::Arc};

use ese_base::{Error, JetErr, Result};

use crate::{
    catalog::{self, CatalogTrees, check_free_name, place_index},
    instance::Attached,
    locales,
    schema::{
        self, CatalogEntry, ColType, Column, ColumnDef, ColumnFlags, ColumnId, Columns, IndexDef,
        IndexFlags, RowKind, TableFlags, TableSchema, check_name,
    },
    session::{SchemaChange, SchemaStep, Session, TreeDrop},
    table::{RowRef, Table},
    tree::{Direction, Position, Start},
};

pub use build::BuildProgress;

/// What a change does to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing: something comes.
    Addition,
    /// What nobody has asked for by name; a fixed schema does not stand in its way.
    Upkeep,
    Other,
}

/// What a change of a table leaves behind.
#[derive(Default)]
struct Edited {
    schema: Option<TableSchema>,
    made: Vec<TreeDrop>,
    given_up: Vec<TreeDrop>,
}

impl Edited {
    fn of(schema: TableSchema) -> Edited {
        Edited { schema: Some(schema), ..Edited::default() }
    }
}

/// Changes a table in one statement: `edit` gets the version to be changed, writes the catalog and
/// says what came of it. Without a schema the table ends.
fn alter(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    kind: Kind,
    edit: impl FnOnce(&mut Session, &Arc<Table>) -> Result<Edited>,
) -> Result<Option<Arc<Table>>> {
    session.statement(|session| {
        session.check_writable_in(&table.db)?;
        let core = Arc::clone(&table.core);
        let mut live = core.live.write();
        let objid = table.schema.objid;
        let current = session.read(|snapshot| attached.tables.changeable(objid, snapshot))?;
        core.check_unlocked(session.procid(), &current.schema.name)?;
        let additions = kind == Kind::Addition
            && core.permits_ddl(session.procid())
            && !attached.tables.has_derived(&current.schema);
        check_open_to_change(&current.schema, additions || kind == Kind::Upkeep)?;
        let Edited { schema, made, given_up } = edit(session, &current)?;
        if schema.as_ref() == Some(&*current.schema) {
            // The name it had, for example: nothing is written that could be taken back.
            return Ok(Some(current));
        }
        let Some(trx) = session.transaction() else {
            return Err(Error::code_only(JetErr::NotInTransaction));
        };
        let newest = schema.map(|schema| Arc::new(current.with_schema(schema, &trx)));
        match &newest {
            Some(newest) => live.follow(newest, Some(&trx)),
            None => live.end(&trx),
        }
        attached.tables.change(objid, newest.clone(), &trx);
        session.note_schema_change(SchemaChange {
            attached: Arc::clone(attached),
            table: newest.clone().unwrap_or(current),
            step: SchemaStep::Changed,
            made,
            given_up,
        });
        Ok(newest)
    })
}

/// As [`alter`], for changes that leave a table.
fn alter_table(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    edit: impl FnOnce(&mut Session, &Arc<Table>) -> Result<Edited>,
) -> Result<Arc<Table>> {
    let newest = alter(session, attached, table, Kind::Other, edit)?;
    newest.ok_or_else(|| Error::code_only(JetErr::InternalError))
}

/// As [`alter_table`], for a new column or index: who has a fixed table alone and asked for it may
/// add (JET_bitTablePermitDDL); to a template, until tables derive from it.
fn add_to_table(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    edit: impl FnOnce(&mut Session, &Arc<Table>) -> Result<Edited>,
) -> Result<Arc<Table>> {
    let newest = alter(session, attached, table, Kind::Addition, edit)?;
    newest.ok_or_else(|| Error::code_only(JetErr::InternalError))
}

fn check_open_to_change(schema: &TableSchema, additions: bool) -> Result<()> {
    let (code, what) = if schema.flags.contains(TableFlags::SYSTEM) {
        (JetErr::PermissionDenied, "is a system table")
    } else if schema.flags.intersects(TableFlags::FIXED_DDL | TableFlags::TEMPLATE) && !additions {
        (JetErr::FixedDDL, "has a fixed schema")
    } else if schema.is_orphan() {
        (JetErr::ObjectNotFound, "derives from a template that is missing")
    } else {
        return Ok(());
    };
    Err(Error::new(code, format!("table {} {what}", schema.name)))
}

/// Adds a column at the end of its range. Rows that exist show its default; a column that numbers
/// rows numbers them, in the order of their keys.
///
/// # Errors
/// As [`schema::add_column`]; `JET_errWriteConflict` (-1102), `JET_errTableLocked` (-1302),
/// `JET_errFixedDDL` (-1323), those of writing.
pub fn add_column(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    def: &ColumnDef,
) -> Result<(Arc<Table>, ColumnId)> {
    session.statement(|session| {
        let (table, id) = add_column_row(session, attached, table, def)?;
        if def.flags.contains(ColumnFlags::AUTOINCREMENT) {
            table.number_rows(session)?;
        }
        Ok((table, id))
    })
}

fn add_column_row(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    def: &ColumnDef,
) -> Result<(Arc<Table>, ColumnId)> {
    let mut id = ColumnId(0);
    let table = add_to_table(session, attached, table, |session, current| {
        let mut schema = TableSchema::clone(&current.schema);
        let column = schema::add_column(&schema.columns, def)?;
        if let Some(name) = &schema.template {
            let template = catalog::open_table(session, attached, name)?;
            schema::refuse_where_tagged_only(&column, Some(&template.schema))?;
        }
        if column.flags.contains(ColumnFlags::ESCROW_UPDATE) && !is_empty(session, current)? {
            // An addition needs a number in the record.
            let what = format!("column \"{}\" is added to and comes before all rows", def.name);
            return Err(Error::new(JetErr::TableNotEmpty, what));
        }
        id = column.id;
        let row = schema::column_row(&schema, &column)?;
        schema.columns = std::mem::take(&mut schema.columns).with(column)?;
        check_record(&schema)?;
        let db = &current.db;
        CatalogTrees::of(db).insert(session, db, &row)?;
        Ok(Edited::of(schema))
    })?;
    Ok((table, id))
}

fn is_empty(session: &Session, table: &Table) -> Result<bool> {
    let (end, forward) = (Start::End, Direction::Forward);
    let stop = |_: RowRef<'_>| ControlFlow::Break(());
    Ok(!table.scan(session, end, forward, &mut Position::default(), stop)?)
}

/// The fixed part must leave room for the rest.
fn check_record(schema: &TableSchema) -> Result<()> {
    let fixed = crate::record::minimal_len(&schema.columns);
    if fixed <= schema.record_len_max() {
        return Ok(());
    }
    let most = schema.record_len_max();
    let what = format!("the fixed columns would take {fixed} bytes, a record at most {most}");
    Err(Error::new(JetErr::RecordTooBig, what))
}

fn with_columns(schema: &TableSchema, edit: impl FnOnce(&mut Vec<Column>)) -> Result<Columns> {
    let mut list: Vec<Column> = schema.columns.all().cloned().collect();
    edit(&mut list);
    Columns::new(list)
}

/// Deletes a column. Its values stay in the rows, unreachable; its id is not used again.
///
/// # Errors
/// `JET_errColumnNotFound` (-1507), `JET_errColumnInUse` (-1046) for a column of an index, and as
/// [`add_column`].
pub fn delete_column(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    name: &str,
) -> Result<Arc<Table>> {
    alter_table(session, attached, table, |session, current| {
        let mut schema = TableSchema::clone(&current.schema);
        let column = schema.column(name)?.clone();
        refuse_inherited(column.origin.inherited, "column", name)?;
        refuse_indexed(&schema, &column)?;
        let old = schema::column_row(&schema, &column)?;
        let (db, trees) = (&current.db, CatalogTrees::of(&current.db));
        let last = schema.columns.all().map(|other| other.id);
        let last = last.filter(|id| range(*id) == range(column.id)).max() == Some(column.id);
        if last {
            // Its id must not be given out again: a place holder keeps it.
            let stub = stub_of(&schema, &column);
            let new = schema::column_row(&schema, &stub)?;
            trees.replace(session, db, (&old, &new))?;
            schema.columns = with_columns(&schema, |list| {
                list.retain(|other| other.id != stub.id);
                list.push(stub);
            })?;
        } else {
            trees.delete(session, db, &old)?;
            schema.columns =
                with_columns(&schema, |list| list.retain(|other| other.id != column.id))?;
        }
        Ok(Edited::of(schema))
    })
}

/// Which of the three ranges an id lies in.
fn range(id: ColumnId) -> u8 {
    if id.is_fixed() { 0 } else { 1 + u8::from(id.is_tagged()) }
}

fn stub_of(schema: &TableSchema, column: &Column) -> Column {
    Column {
        name: format!("JetStub_{}_{}", schema.objid, column.id),
        ty: ColType::Nil,
        flags: ColumnFlags::empty(),
        default: None,
        callback: None,
        ..column.clone()
    }
}

/// What a table inherits stays as the template has it.
fn refuse_inherited(inherited: bool, what: &str, name: &str) -> Result<()> {
    if !inherited {
        return Ok(());
    }
    Err(Error::new(JetErr::FixedInheritedDDL, format!("{what} \"{name}\" is the template's")))
}

fn refuse_indexed(schema: &TableSchema, column: &Column) -> Result<()> {
    let has = |index: &&schema::Index| index.columns().any(|id| id == column.id);
    let index = schema.indexes.iter().find(has);
    let Some(index) = index else { return Ok(()) };
    let what = format!("column \"{}\" is part of index \"{}\"", column.name, index.name);
    Err(Error::new(JetErr::ColumnInUse, what).advise("delete the index first"))
}

/// Gives a column another name.
///
/// # Errors
/// `JET_errColumnNotFound`, `JET_errColumnDuplicate` (-1508), `JET_errInvalidName` (-1002), and as
/// [`add_column`].
pub fn rename_column(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    (from, to): (&str, &str),
) -> Result<Arc<Table>> {
    check_name(to)?;
    alter_table(session, attached, table, |session, current| {
        let column = current.schema.column(from)?;
        refuse_inherited(column.origin.inherited, "column", from)?;
        if current.schema.columns.by_name(to).is_some_and(|other| other.id != column.id) {
            let what = format!("the table has a column \"{to}\" already");
            return Err(Error::new(JetErr::ColumnDuplicate, what));
        }
        change_column(session, current, &Column { name: to.to_owned(), ..column.clone() })
    })
}

/// Gives a column another default, in record encoding. Rows that do not store the column show it.
///
/// # Errors
/// `JET_errColumnNotFound`, `JET_errColumnInUse` (-1046) for a column of an index,
/// `JET_errNullInvalid` (-1504) for an empty default, `JET_errDefaultValueTooBig` (-1524), and as
/// [`add_column`].
pub fn set_column_default(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    name: &str,
    default: &[u8],
) -> Result<Arc<Table>> {
    alter_table(session, attached, table, |session, current| {
        let column = current.schema.column(name)?;
        refuse_inherited(column.origin.inherited, "column", name)?;
        refuse_indexed(&current.schema, column)?;
        if default.is_empty() {
            let what = format!("column \"{name}\" cannot have an empty default");
            return Err(Error::new(JetErr::ColumnIllegalNull, what));
        }
        let default = schema::default_value(column, default)?;
        let flags = column.flags | ColumnFlags::DEFAULT;
        change_column(session, current, &Column { default: Some(default), flags, ..column.clone() })
    })
}

/// Writes another row for a column.
fn change_column(session: &mut Session, current: &Table, new: &Column) -> Result<Edited> {
    let mut schema = TableSchema::clone(&current.schema);
    let old = schema.columns.require(new.id)?;
    let rows = (schema::column_row(&schema, old)?, schema::column_row(&schema, new)?);
    CatalogTrees::of(&current.db).replace(session, &current.db, (&rows.0, &rows.1))?;
    schema.columns = with_columns(&schema, |list| {
        list.iter_mut().filter(|column| column.id == new.id).for_each(|c| *c = new.clone());
    })?;
    Ok(Edited::of(schema))
}

/// Gives an index another name.
///
/// # Errors
/// `JET_errIndexNotFound` (-1404), `JET_errIndexDuplicate` (-1403), `JET_errInvalidName`, and as
/// [`add_column`].
pub fn rename_index(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    (from, to): (&str, &str),
) -> Result<Arc<Table>> {
    check_name(to)?;
    alter_table(session, attached, table, |session, current| {
        let mut schema = TableSchema::clone(&current.schema);
        let old = schema.index(from).ok_or_else(|| no_index(&schema, from))?.clone();
        refuse_inherited(old.flags.contains(IndexFlags::DERIVED), "index", from)?;
        if schema.index(to).is_some_and(|other| other.objid != old.objid) {
            let what = format!("the table has an index \"{to}\" already");
            return Err(Error::new(JetErr::IndexDuplicate, what));
        }
        let new = schema::Index { name: to.to_owned(), ..old.clone() };
        let rows = (schema::index_row(&schema, &old)?, schema::index_row(&schema, &new)?);
        CatalogTrees::of(&current.db).replace(session, &current.db, (&rows.0, &rows.1))?;
        schema.indexes.iter_mut().filter(|index| **index == old).for_each(|i| *i = new.clone());
        Ok(Edited::of(schema))
    })
}

fn no_index(schema: &TableSchema, name: &str) -> Error {
    let what = format!("table {} has no index \"{name}\"", schema.name);
    Error::new(JetErr::IndexNotFound, what)
}

/// Gives a table another name.
///
/// # Errors
/// `JET_errObjectNotFound` (-1305), `JET_errTableDuplicate` (-1303), `JET_errInvalidName`, and as
/// [`add_column`].
pub fn rename_table(
    session: &mut Session,
    attached: &Arc<Attached>,
    from: &str,
    to: &str,
) -> Result<Arc<Table>> {
    check_name(to)?;
    let table = catalog::open_table(session, attached, from)?;
    alter_table(session, attached, &table, |session, current| {
        let mut schema = TableSchema::clone(&current.schema);
        if !schema.name.eq_ignore_ascii_case(to) {
            check_free_name(session, attached, to)?;
        }
        let old = schema::table_row(&schema)?;
        to.clone_into(&mut schema.name);
        let new = schema::table_row(&schema)?;
        CatalogTrees::of(&current.db).replace(session, &current.db, (&old, &new))?;
        Ok(Edited::of(schema))
    })
}

/// Deletes a table. Its space is free when the deletion is committed and nobody sees the table any
/// more.
///
/// # Errors
/// `JET_errObjectNotFound` (-1305), `JET_errTableInUse` (-1304) while anybody has it open,
/// `JET_errCannotDeleteSystemTable` (-1318), `JET_errCannotDeleteTemplateTable` (-1319),
/// `JET_errWriteConflict` (-1102) if another transaction has changed rows that is open, or that was
/// committed after this one began; and as [`add_column`].
pub fn delete_table(session: &mut Session, attached: &Arc<Attached>, name: &str) -> Result<()> {
    let table = catalog::open_table(session, attached, name)?;
    if table.schema.flags.contains(TableFlags::SYSTEM) {
        let what = format!("table {name} is a system table");
        return Err(Error::new(JetErr::CannotDeleteSystemTable, what));
    }
    if table.schema.flags.contains(TableFlags::TEMPLATE) {
        let what = format!("table {name} is a template, from which others may derive");
        return Err(Error::new(JetErr::CannotDeleteTemplateTable, what));
    }
    alter(session, attached, &table, Kind::Other, |session, current| {
        current.core.begin_deletion(session, &current.schema.name)?;
        delete_rows_of(session, current).inspect_err(|_| current.core.end_deletion())?;
        Ok(Edited { given_up: vec![current.as_drop()], ..Edited::default() })
    })
    .map(|_| ())
}

/// Deletes what the catalog says of a table.
fn delete_rows_of(session: &mut Session, table: &Table) -> Result<()> {
    refuse_others_at_work(session, table)?;
    let (db, trees) = (&table.db, CatalogTrees::of(&table.db));
    let schema = table.schema_with_long_values();
    for row in schema::table_rows(&schema)? {
        trees.delete(session, db, &row)?;
    }
    for object in schema::objects_of(&schema) {
        trees.delete_objid(session, db, object)?;
    }
    Ok(())
}

/// Another open transaction's changes of rows would be lost with the table; and what was committed
/// since this one began is not what it wants to delete.
fn refuse_others_at_work(session: &Session, table: &Table) -> Result<()> {
    let own = session.transaction();
    let versions = &session.instance().versions;
    if own.is_some_and(|own| versions.others_at_work(&table.tree, &own)) {
        let what = format!("another transaction has changed rows of table {}", table.schema.name);
        return Err(Error::new(JetErr::WriteConflict, what).advise("try again when it has ended"));
    }
    Ok(())
}

/// Deletes a secondary index. Its space is free when the deletion is committed and nobody uses the
/// index any more.
///
/// # Errors
/// `JET_errIndexNotFound` (-1404), `JET_errIndexMustStay` (-1405) for the primary index,
/// `JET_errIndexInUse` (-1051) while a cursor stands on it, and as [`add_column`].
pub fn delete_index(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    name: &str,
) -> Result<Arc<Table>> {
    alter_table(session, attached, table, |session, current| {
        let mut schema = TableSchema::clone(&current.schema);
        let index = schema.index(name).ok_or_else(|| no_index(&schema, name))?.clone();
        refuse_inherited(index.flags.contains(IndexFlags::DERIVED), "index", name)?;
        if index.is_primary() {
            let what = format!("index \"{name}\" is the order of the table itself");
            return Err(Error::new(JetErr::IndexMustStay, what));
        }
        let given_up = drop_index(session, current, &mut schema, &index)?;
        Ok(Edited {
            schema: Some(schema),
            given_up: given_up.into_iter().collect(),
            ..Edited::default()
        })
    })
}

/// Removes the secondary indexes of a table over UTF-16 text, also inherited ones and those of a
/// fixed schema: all of them, or those that another engine filled. Gives their number.
///
/// # Errors
/// `JET_errPrimaryIndexCorrupted` (-1413) where the table's own order is such an index, which
/// cannot be removed; otherwise as [`delete_index`]. Nothing of the table has changed then.
pub fn delete_text_indexes(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    foreign_only: bool,
) -> Result<usize> {
    let meant = |index: &schema::Index| {
        index.flags.contains(IndexFlags::LOCALISED_TEXT) && (!foreign_only || index.is_foreign())
    };
    if let Some(primary) = table.schema.primary().filter(|primary| meant(primary)) {
        let what = format!(
            "the order of table \"{}\" is index \"{}\" over UTF-16 text, which cannot be removed",
            table.schema.name, primary.name
        );
        return Err(Error::new(JetErr::PrimaryIndexCorrupted, what)
            .advise("copy the rows into a new table"));
    }
    if !table.schema.secondary().any(meant) {
        return Ok(0);
    }
    let mut count = 0;
    alter(session, attached, table, Kind::Upkeep, |session, current| {
        let mut schema = TableSchema::clone(&current.schema);
        let indexes: Vec<_> = schema.secondary().filter(|index| meant(index)).cloned().collect();
        count = indexes.len();
        let mut given_up = Vec::new();
        for index in &indexes {
            given_up.extend(drop_index(session, current, &mut schema, index)?);
        }
        Ok(Edited { schema: Some(schema), given_up, ..Edited::default() })
    })?;
    Ok(count)
}

/// Takes a secondary index out of the catalog and of a schema; its tree remains to be freed.
fn drop_index(
    session: &mut Session,
    current: &Table,
    schema: &mut TableSchema,
    index: &schema::Index,
) -> Result<Option<TreeDrop>> {
    let live = current.index(&index.name).ok_or_else(|| no_index(schema, &index.name))?;
    current.core.check_index_unused(live)?;
    let (db, trees) = (&current.db, CatalogTrees::of(&current.db));
    trees.delete(session, db, &schema::index_row(schema, index)?)?;
    trees.delete_objid(session, db, (index.objid, schema.objid, RowKind::Index))?;
    schema.indexes.retain(|other| other.objid != index.objid);
    Ok(current.index_as_drop(index.objid))
}

/// Creates secondary indexes over the rows that exist, all in one scan. Changes of rows that others
/// have under way are followed in them, and taken back in them. `progress` is told now and
/// then and may stop the work with an error; it must not change rows of the table.
///
/// # Errors
/// As [`schema::add_index`]; `JET_errKeyDuplicate` (-1605), `JET_errNullKeyDisallowed` and others
/// for rows that an index refuses, also as another transaction has them that this one does not see;
/// for a primary index `JET_errTableNotEmpty` (-1308) where there are or were rows,
/// `JET_errExclusiveTableLockRequired` (-1322) where others may insert some;
/// `JET_errWriteConflict` (-1102) for keys of long columns while another open transaction has
/// changed values outside of their rows; the progress function's; as [`add_column`]. Nothing of the
/// indexes is left then.
pub fn create_indexes(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    defs: &[IndexDef],
    progress: &mut dyn FnMut(BuildProgress) -> Result<()>,
) -> Result<Arc<Table>> {
    let wished = |def| schema::add_index(&table.schema, def, &session.instance().config.unicode);
    let wished: Result<Vec<_>> = defs.iter().map(wished).collect();
    count_wishes(session, attached, &wished?)?;
    add_to_table(session, attached, table, |session, current| {
        let mut schema = TableSchema::clone(&current.schema);
        let (mut primary, mut secondary) = (Vec::new(), Vec::new());
        for def in defs {
            let index = schema::add_index(&schema, def, &session.instance().config.unicode)?;
            // So that the next one is compared with it.
            schema.indexes.push(index.clone());
            if index.is_primary() { primary.push(index) } else { secondary.push(index) }
        }
        schema.indexes.clone_from(&current.schema.indexes);
        if let Some(index) = primary.pop() {
            order_rows(session, current, &mut schema, index)?;
        }
        if secondary.is_empty() {
            return Ok(Edited::of(schema));
        }
        let known = schema.indexes.len();
        schema.indexes.extend(secondary);
        build_indexes(session, (attached, current), (schema, known), progress)
    })
}

/// Gives a table that has never had a row its own order. Its tree stays: the entries of the primary
/// index are the rows.
fn order_rows(
    session: &mut Session,
    current: &Arc<Table>,
    schema: &mut TableSchema,
    mut index: schema::Index,
) -> Result<()> {
    let refused = |code, what: &str| {
        Err(Error::new(code, format!("index \"{}\" is the order of rows: {what}", index.name)))
    };
    let makes = current.core.is_made_by(session);
    if !makes && !current.core.is_alone(session.procid()) {
        return refused(JetErr::ExclusiveTableLockRequired, "others may insert some now");
    }
    if !current.is_blank()? {
        return refused(JetErr::TableNotEmpty, "there are some already");
    }
    (index.objid, index.fdp) = (schema.objid, schema.fdp);
    let row = schema::index_row(schema, &index)?;
    let db = &current.db;
    CatalogTrees::of(db).insert(session, db, &row)?;
    schema.indexes.insert(0, index);
    Ok(())
}

/// Counts the indexes to be made in MSysLocales: before the table is locked, because a commit may
/// free trees of any table, and before there is an index that is not counted.
fn count_wishes(
    session: &Session,
    attached: &Arc<Attached>,
    indexes: &[schema::Index],
) -> Result<()> {
    session.check_writable_in(&attached.db)?;
    locales::count_creations(session, attached, indexes)
}

/// Makes a secondary index anew from the rows, with keys of this version. What it is for: an index
/// over UTF-16 text that another engine filled ([`schema::Index::is_foreign`]).
///
/// # Errors
/// `JET_errIndexNotFound` (-1404), `JET_errFeatureNotAvailable` (-1001) for the primary index,
/// `JET_errIndexInUse` (-1051) while a cursor stands on it, `JET_errKeyDuplicate` (-1605) for rows
/// that differed in the old order and do not in ours, and as [`create_indexes`]. The index is as it
/// was then.
pub fn rebuild_index(
    session: &mut Session,
    attached: &Arc<Attached>,
    table: &Table,
    name: &str,
    progress: &mut dyn FnMut(BuildProgress) -> Result<()>,
) -> Result<Arc<Table>> {
    let renewed = |schema: &TableSchema| {
        let mut new = schema.index(name).ok_or_else(|| no_index(schema, name))?.clone();
        if new.is_primary() {
            let what = format!("index \"{name}\" is the order of the table itself");
            return Err(Error::new(JetErr::FeatureNotAvailable, what)
                .advise("copy the rows into a new table"));
        }
        if new.flags.contains(schema::IndexFlags::LOCALISED_TEXT) {
            new.stamp()?;
        }
        crate::key::check_supported(schema, &new)?;
        Ok(new)
    };
    count_wishes(session, attached, &[renewed(&table.schema)?])?;
    alter_table(session, attached, table, |session, current| {
        let mut schema = TableSchema::clone(&current.schema);
        let new = renewed(&schema)?;
        let old = schema.index(name).ok_or_else(|| no_index(&schema, name))?.clone();
        let given_up = drop_index(session, current, &mut schema, &old)?;
        let known = schema.indexes.len();
        schema.indexes.push(new);
        let edited = build_indexes(session, (attached, current), (schema, known), progress)?;
        Ok(Edited { given_up: given_up.into_iter().collect(), ..edited })
    })
}

/// A value outside of its row may change while the row's record stays the same: keys made of such
/// values could not be followed through another transaction's changes.
fn refuse_values_at_work(session: &Session, table: &Table, new: &[schema::Index]) -> Result<()> {
    let columns = new.iter().flat_map(|index| &index.segments).map(|segment| segment.column);
    let is_long = |id| table.schema.columns.by_id(id).is_some_and(|column| column.ty.is_long());
    let (Some(long), Some(own)) = (table.long_tree(), session.transaction()) else {
        return Ok(());
    };
    let versions = &session.instance().versions;
    if !columns.into_iter().any(is_long) || !versions.others_at_work(&long.tree, &own) {
        return Ok(());
    }
    let name = &table.schema.name;
    let what = format!("another transaction has changed long values of table {name}");
    Err(Error::new(JetErr::WriteConflict, what).advise("try again when it has ended"))
}

/// Fills the indexes of a schema from number `known` on, and enters them in the catalog.
fn build_indexes(
    session: &mut Session,
    (attached, current): (&Arc<Attached>, &Arc<Table>),
    (mut schema, known): (TableSchema, usize),
    progress: &mut dyn FnMut(BuildProgress) -> Result<()>,
) -> Result<Edited> {
    let wished = schema.indexes.get(known..).unwrap_or_default();
    refuse_values_at_work(session, current, wished)?;
    let writer = session.writer(&current.db)?;
    for index in schema.indexes.iter_mut().skip(known) {
        place_index(&current.db, &current.tree, writer, index)?;
    }
    let Some(trx) = session.transaction() else {
        return Err(Error::code_only(JetErr::NotInTransaction));
    };
    let newest = Arc::new(current.with_schema(schema, &trx));
    // No change comes to these while rows cannot be changed.
    let unseen = session.instance().versions.unseen(&current.tree, &trx);
    let new: Vec<_> = newest.schema.indexes.iter().skip(known).cloned().collect();
    let objids: Vec<_> = new.iter().map(|index| index.objid).collect();
    let made = || objids.iter().filter_map(|objid| newest.index_as_drop(*objid)).collect();
    let filled = build::fill(session, &newest, &objids, progress)
        .and_then(|()| follow::follow(session, &newest, &objids, &unseen))
        .and_then(|()| insert_index_rows(session, &newest, &new));
    if let Err(error) = filled {
        let drops: Vec<TreeDrop> = made();
        if unseen.is_empty() {
            drops.iter().try_for_each(|drop| drop.give_back(writer))?;
        } else {
            // Others may have to take something back there.
            session.abandon_trees(attached, &newest, drops);
        }
        return Err(error);
    }
    let schema = TableSchema::clone(&newest.schema);
    Ok(Edited { schema: Some(schema), made: made(), given_up: Vec::new() })
}

fn insert_index_rows(
    session: &mut Session,
    table: &Table,
    indexes: &[schema::Index],
) -> Result<()> {
    let (db, trees) = (&table.db, CatalogTrees::of(&table.db));
    for index in indexes {
        let row: CatalogEntry = schema::index_row(&table.schema, index)?;
        trees.insert(session, db, &row)?;
        trees.insert_objid(session, db, (index.objid, table.schema.objid, RowKind::Index))?;
    }
    Ok(())
}
