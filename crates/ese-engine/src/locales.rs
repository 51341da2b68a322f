//! MSysLocales: how many indexes were created for each locale and maker of keys (edb-format 6.9).
//!
//! Windows compares these rows with its own weights when it attaches a database, so that it finds
//! out-of-date indexes without looking at each. The numbers count creations and are never lowered,
//! as Windows has it. They are counted in transactions of their own: sessions that create indexes
//! at the same time have nothing to do with each other.

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};

use crate::{
    catalog,
    instance::Attached,
    key,
    record::{ColumnData, RecordView, encode_row, replace_columns},
    schema::{CODE_PAGE_UNICODE, ColumnId, Index, encode_text},
    session::{Durability, Session},
    table::Table,
    tree::Position,
};

/// The columns of MSysLocales.
const TYPE: ColumnId = ColumnId(1);
const VALUE: ColumnId = ColumnId(2);
const KEY: ColumnId = ColumnId(128);
/// Type of the rows that count.
const COUNTER: u8 = 2;

/// Counts the creation of those indexes that sort UTF-16 text. The commit is durable before any
/// later one. The caller must not hold the lock of a table: a commit may free trees of any.
pub(crate) fn count_creations(
    session: &Session,
    attached: &Arc<Attached>,
    indexes: &[Index],
) -> Result<()> {
    let mut rows: Vec<String> = indexes.iter().filter_map(Index::locale_row).collect();
    rows.sort_unstable();
    if rows.is_empty() {
        return Ok(());
    }
    let _only = attached.locales.lock();
    let mut own = Session::begin_session(session.instance())?;
    own.begin()?;
    let table = match catalog::open_table(&own, attached, "MSysLocales") {
        // Databases of old engines have none.
        Err(error) if error.code() == JetErr::ObjectNotFound => return own.rollback(),
        table => table?,
    };
    for group in rows.chunk_by(|a, b| a == b) {
        if let Some(name) = group.first() {
            add(&mut own, &table, name, i32::try_from(group.len()).unwrap_or(i32::MAX))?;
        }
    }
    own.commit(Durability::Lazy)
}

fn add(session: &mut Session, table: &Table, name: &str, creations: i32) -> Result<()> {
    let schema = &table.schema;
    // Keys are stored with their terminator.
    let name = encode_text(&format!("{name}\0"), CODE_PAGE_UNICODE).unwrap_or_default();
    let row = |value: i32, out: &mut Vec<u8>| {
        let value = value.to_le_bytes();
        encode_row(
            schema,
            &[(TYPE, Some(&[COUNTER])), (VALUE, Some(&value)), (KEY, Some(&name))],
            out,
        )
    };
    let (mut record, mut bookmark) = (Vec::new(), Vec::new());
    row(creations, &mut record)?;
    let page_size = schema.page_size;
    key::primary_key(schema, &RecordView::new(&record, page_size)?, &mut bookmark)?;
    let at = &mut Position::default();
    let Some(old) = table.get(session, &bookmark, <[u8]>::to_vec)? else {
        return session.insert(&table.db, &table.tree, at, &bookmark, &record);
    };
    let old = RecordView::new(&old, page_size)?;
    let value = match old.column(&schema.columns, VALUE)? {
        ColumnData::One(instance) => {
            instance.plain(schema.columns.require(VALUE)?)?.try_into().ok()
        }
        _ => None,
    };
    let value = value.map(i32::from_le_bytes).ok_or_else(|| {
        Error::new(JetErr::CatalogCorrupted, "a row of MSysLocales has no number")
            .at_path(table.db.file.path())
    })?;
    let value = value.saturating_add(creations).to_le_bytes();
    replace_columns(schema, &old, &[(VALUE, Some(&value))], &mut record)?;
    session.replace(&table.db, &table.tree, at, &bookmark, &record)
}
