//! Arbitrary bytes as a row and as a catalog row: reading every column never panics; a changed
//! column reads as what it was set to, and all others as before. Rows that are built read as what
//! went in.
//!
//! Input: page size, column to change, its length, its bytes, then the row.

use std::sync::OnceLock;

use ese_base::PageSize;
use ese_engine::{
    key::primary_key,
    record::{ColumnData, RecordView, Value, encode_row, replace_columns},
    schema::{
        CatalogLoader, CatalogRow, ColType, Column, ColumnDef, ColumnFlags, ColumnId, IndexDef,
        Placement, TableDef, TableSchema,
    },
};

use crate::input::Input;

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let schema = schema(input.page_size());
    let columns = schema.columns.all();
    let changed = &columns[input.below(columns.len())];
    let len = usize::from(input.byte());
    let value = input.bytes(len);
    let row = input.rest();
    as_catalog_row(row, schema.page_size);
    as_values(row, schema);
    let Ok(view) = RecordView::new(row, schema.page_size) else { return };
    drop(view.tagged_ids());
    drop(primary_key(schema, &view, &mut Vec::new()));
    let before: Vec<_> = columns.iter().map(|column| read(&view, column)).collect();
    let mut new = Vec::new();
    if replace_columns(schema, &view, &[(changed.id, Some(value))], &mut new).is_ok() {
        let view = RecordView::new(&new, schema.page_size).expect("what we wrote can be read");
        for (column, before) in columns.iter().zip(before) {
            let after = read(&view, column);
            if column.id == changed.id {
                assert_eq!(after, Some(Some(vec![stored(column, value)])), "{}", column.name);
            } else if before.is_some() {
                assert_eq!(after, before, "{} after setting {}", column.name, changed.name);
            }
        }
    }
}

/// A table with every type at every place that it can have.
pub fn schema(page_size: PageSize) -> &'static TableSchema {
    static SCHEMAS: [OnceLock<TableSchema>; 4] = [const { OnceLock::new() }; 4];
    let at = PageSize::ALL.iter().position(|size| *size == page_size).unwrap_or(0);
    SCHEMAS[at].get_or_init(|| {
        let mut columns = Vec::new();
        for ty in ColType::ALL.into_iter().filter(|ty| *ty != ColType::Nil) {
            for placement in [Placement::Auto, Placement::Fixed, Placement::Tagged] {
                let name = format!("{ty:?} {placement:?}");
                let mut column = ColumnDef::new(&name, ty).placed(placement);
                if matches!(placement, Placement::Fixed)
                    && matches!(ty, ColType::Binary | ColType::Text)
                {
                    column = column.max_len(9);
                }
                if matches!(placement, Placement::Tagged) {
                    column = column.with(ColumnFlags::MULTI_VALUED);
                }
                // Some places are not for every type: those columns are left out.
                if TableDef::new("t", vec![column.clone()]).build(page_size).is_ok() {
                    columns.push(column);
                }
            }
        }
        let table = TableDef::new("t", columns);
        table.index(IndexDef::primary("p", &["Long Auto"])).build(page_size).expect("a table")
    })
}

/// The values of a column: outer `None` if they cannot be read, inner if it is NULL.
fn read(view: &RecordView<'_>, column: &Column) -> Option<Option<Vec<Vec<u8>>>> {
    drop(Value::read(column, view));
    Some(match view.data(column).ok()? {
        ColumnData::Null | ColumnData::Computed => None,
        ColumnData::Default(bytes) => Some(vec![bytes.to_vec()]),
        ColumnData::One(instance) => Some(vec![instance.plain(column).ok()?.to_vec()]),
        ColumnData::Many(list) => Some(
            list.iter()
                .map(|instance| Some(instance.ok()?.plain(column).ok()?.to_vec()))
                .collect::<Option<Vec<_>>>()?,
        ),
    })
}

/// What a value becomes in the row: a bit is stored as 0x00 or 0xFF, short values of fixed columns
/// are filled up.
fn stored(column: &Column, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    match column.ty {
        ColType::Bit => value.iter_mut().for_each(|byte| *byte = u8::from(*byte != 0) * 0xff),
        ColType::Binary if column.id.is_fixed() => value.resize(column.fixed_len(), 0),
        ColType::Text if column.id.is_fixed() => value.resize(column.fixed_len(), b' '),
        _ => {}
    }
    value
}

fn as_catalog_row(bytes: &[u8], page_size: PageSize) {
    if let Ok(row) = CatalogRow::decode(bytes, page_size) {
        let _ = (row.key(), row.name_key(), row.root_key(), row.fdp());
        if let Ok(again) = row.encode(page_size) {
            assert!(CatalogRow::decode(&again, page_size).is_ok(), "what we wrote can be read");
        }
    }
    let mut loader = CatalogLoader::new(page_size);
    if loader.row(bytes).is_ok() {
        drop(loader.finish());
    }
}

/// Takes the bytes as column numbers and values, and builds a row of them.
fn as_values(bytes: &[u8], schema: &TableSchema) {
    let mut input = Input::new(bytes);
    let columns = schema.columns.all();
    let mut values: Vec<(ColumnId, Option<&[u8]>)> = Vec::new();
    while !input.is_empty() && values.len() < columns.len() {
        let column = &columns[usize::from(input.byte()) % columns.len()];
        if values.iter().any(|(id, _)| *id == column.id) {
            continue;
        }
        let choice = input.byte();
        let fixed = column.id.is_fixed() || column.ty.fixed_len().is_some();
        let len = if fixed { column.fixed_len() } else { usize::from(choice) };
        let value = input.bytes(len);
        values.push((column.id, (choice != 0).then_some(value)));
    }
    let mut row = Vec::new();
    if encode_row(schema, &values, &mut row).is_err() {
        return;
    }
    let view = RecordView::new(&row, schema.page_size).expect("what we built can be read");
    for column in columns {
        let given = values.iter().find(|(id, _)| *id == column.id).and_then(|(_, value)| *value);
        let expected = given.map(|value| vec![stored(column, value)]);
        assert_eq!(read(&view, column), Some(expected), "{}", column.name);
    }
}
