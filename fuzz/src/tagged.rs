//! Arbitrary bytes as the tagged part of a row, small and large pages: reading, measuring and
//! changing never panic; a changed value reads as what it was set to, as often as one changes.
//!
//! Input: page size, number of changes, for each a column, an ordinal, a length and bytes; then the
//! tagged part.

use ese_base::PageSize;
use ese_engine::{
    compress::compress,
    record::{Instance, Lid, RecordBuilder, RecordView},
    schema::{ColType, Column, ColumnFlags, ColumnId, TableSchema},
};

use crate::{input::Input, record::schema};

/// A row that has nothing but tagged columns (edb-format 7.1).
const HEAD: [u8; 4] = [0, 0x7f, 4, 0];

/// See the head of this module.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let schema = schema(input.page_size());
    let count = usize::from(input.byte() % 8);
    let changes: Vec<_> = (0..count).map(|_| change(&mut input, schema)).collect();
    let row = [&HEAD, input.rest()].concat();
    let Ok(view) = RecordView::new(&row, schema.page_size) else { return };
    look(&view, schema);
    let mut record = RecordBuilder::new();
    if record.edit(schema, &row).is_err() {
        return;
    }
    for (id, itag, value) in &changes {
        let instance = value.as_ref().map(|value| value.instance());
        if record.put_instance(schema, *id, *itag, instance).is_err() {
            continue;
        }
        let view = record.view(schema).expect("what we wrote can be read");
        look(&view, schema);
        let column = schema.columns.require(*id).expect("a column of the table");
        let data = view.data(column).expect("a column that we wrote");
        // A bit is stored as 0x00 or 0xff.
        if let Some(value) = value.as_ref().filter(|_| column.ty != ColType::Bit) {
            // Behind the last one means behind it.
            let at = if *itag == 0 { data.len() } else { (*itag).min(data.len()) };
            let found = data.nth(at).expect("a value that we wrote").expect("it is there");
            assert_eq!(format!("{found:?}"), format!("{:?}", value.instance()), "{}", column.name);
        }
    }
}

/// A value to be put into a row.
enum Value {
    Plain(Vec<u8>),
    Packed(Vec<u8>),
    Outside(u64),
}

impl Value {
    fn instance(&self) -> Instance<'_> {
        match self {
            Value::Plain(bytes) => Instance::Plain(bytes),
            Value::Packed(bytes) => Instance::Compressed(bytes),
            Value::Outside(lid) => Instance::Separated(Lid(*lid)),
        }
    }
}

fn change(input: &mut Input<'_>, schema: &TableSchema) -> (ColumnId, usize, Option<Value>) {
    let tagged: Vec<&Column> = schema.columns.iter().filter(|c| c.id.is_tagged()).collect();
    let column = tagged[input.below(tagged.len())];
    let (itag, kind) = (usize::from(input.byte() % 6), input.byte() % 8);
    let len = column.ty.fixed_len().unwrap_or_else(|| usize::from(input.byte()));
    let mut bytes = input.bytes(len).to_vec();
    bytes.resize(len, 0);
    let value = match kind {
        0 => None,
        1 if column.ty.is_long() => Some(Value::Outside(u64::from(input.word()) + 1)),
        2 if column.ty.is_long() => Some(Value::Outside(u64::from(input.word()) | 1 << 63)),
        3 if column.ty.is_long() && itag == 1 => compress(&bytes).map(Value::Packed),
        _ => Some(Value::Plain(bytes)),
    };
    (column.id, itag, value)
}

fn look(view: &RecordView<'_>, schema: &TableSchema) {
    drop(view.tagged_ids());
    drop(view.size(&schema.columns));
    if let Ok(lids) = view.lids() {
        assert!(lids.len() * 4 <= view.bytes().len(), "an id takes four bytes");
    }
    for column in schema.columns.iter() {
        let Ok(data) = view.data(column) else { continue };
        for itag in 0..=data.len() + 1 {
            let Ok(Some(instance)) = data.nth(itag) else { continue };
            for (offset, most) in [(0, usize::MAX), (3, 2)] {
                if let Ok(bytes) = view.bytes_from(column, instance, offset, most) {
                    assert!(bytes.len() <= most);
                }
            }
        }
    }
}

/// Rows with one value, two and more of several columns, some of them outside.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (size, at) in PageSize::ALL.into_iter().zip(0_u8..) {
        let schema = schema(size);
        for values in 1..5_usize {
            let mut record = RecordBuilder::new();
            record.edit(schema, &HEAD).expect("a row of nothing");
            for column in schema.columns.iter().filter(|column| column.id.is_tagged()) {
                let many = column.flags.contains(ColumnFlags::MULTI_VALUED);
                for itag in 1..=if many { values } else { 1 } {
                    let len = column.ty.fixed_len().unwrap_or(3 + itag);
                    let bytes = vec![0xff; len];
                    let instance = if column.ty.is_long() && itag % 2 == 0 {
                        Instance::Separated(Lid(itag as u64))
                    } else {
                        Instance::Plain(&bytes)
                    };
                    record
                        .put_instance(schema, column.id, itag, Some(instance))
                        .expect("a row with room");
                }
            }
            let tagged = record.bytes().get(HEAD.len()..).expect("a row has a head");
            seeds.push([&[at, 0], tagged].concat());
            let changes = [at, 2, 1, 0, 1, 4, 5, 1, 2, 3, 4, 5, 9, 0, 0, 1, 7, 0];
            seeds.push([&changes, tagged].concat());
        }
    }
    seeds
}
