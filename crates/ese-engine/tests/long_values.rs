//! Long values in their own tree: kept, shared, changed, taken back, and counted exactly.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

mod values;

use std::{collections::BTreeMap, sync::Arc};

use ese_base::{JetErr, PageSize};
use ese_engine::{
    catalog,
    cursor::{Cursor, LongEdit, LongStorage, Prepare},
    ddl,
    longvalue::{SIZE_MAX, chunk_len},
    record::{RecordView, Value},
    schema::{ColumnId, IndexDef, TableDef},
    session::{Durability, Session},
    table::{Sharing, Table},
    tree::Position,
};
use values::{ID, Numbers, Store, bytes, column, def, insert, key_of, read, set};

#[test]
fn values_of_every_length_come_back_at_every_page_size() {
    for page_size in PageSize::EVER {
        let mut store = Store::new(page_size);
        let lens = [0, 1, 1022, 1023, 1024, 4013, 4014, 4015, 8110, 8150, 8151, 30_000, 200_000];
        {
            let mut session = store.session();
            let table = store.table(&session);
            let (plain, packed) = (column(&table, "plain"), column(&table, "packed"));
            session.begin().unwrap();
            for (id, len) in (0..).zip(lens) {
                let text = b"compress me ".repeat(len / 12 + 1);
                let values = [(plain, &bytes(len, len)[..]), (packed, &text[..len])];
                insert(&mut session, &table, id, &values).unwrap();
            }
            session.commit(Durability::Durable).unwrap();
        }
        for clean in [None, Some(true), Some(false)] {
            if let Some(clean) = clean {
                store = store.reopen(clean);
            }
            let session = store.session();
            let table = store.table(&session);
            for (id, len) in (0..).zip(lens) {
                let text = b"compress me ".repeat(len / 12 + 1);
                let plain = read(&session, &table, id, column(&table, "plain"));
                assert_eq!(plain, Some(vec![bytes(len, len)]), "{len} bytes");
                let packed = read(&session, &table, id, column(&table, "packed"));
                assert_eq!(packed, Some(vec![text[..len].to_vec()]), "{len} bytes");
            }
            store.check();
        }
    }
}

#[test]
fn a_row_too_long_for_its_page_puts_its_longest_values_outside() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let many = column(&table, "many");
    session.begin().unwrap();
    // Ten values of 900 bytes: each would stay in the row, all of them cannot.
    let values: Vec<Vec<u8>> = (0..10).map(|n| bytes(n, 900 + n)).collect();
    let slices: Vec<(ColumnId, &[u8])> = values.iter().map(|v| (many, v.as_slice())).collect();
    insert(&mut session, &table, 1, &slices).unwrap();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, many), Some(values));
    let inside = table.get(&session, &key_of(1), <[u8]>::len).unwrap().unwrap();
    assert!(inside < 4000 && inside > 1000, "{inside} bytes");
    store.check();
}

#[test]
fn others_see_the_value_of_their_snapshot_until_they_end() {
    let store = Store::new(PageSize::K4);
    let (mut old, mut session) = (store.session(), store.session());
    let table = store.table(&session);
    let plain = column(&table, "plain");
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 20_000))]).unwrap();
    insert(&mut session, &table, 2, &[(plain, &bytes(2, 20_000))]).unwrap();
    session.commit(Durability::Lazy).unwrap();
    old.begin().unwrap();
    session.begin().unwrap();
    let (mut hint, mut record) = (Position::default(), Vec::new());
    let before = table.get(&session, &key_of(1), <[u8]>::to_vec).unwrap().unwrap();
    let new = bytes(3, 9000);
    let change = [(plain, Some(&new[..]))];
    let row = (&key_of(1)[..], &before[..]);
    table.replace_values(&mut session, &mut hint, row, &change, &mut record).unwrap();
    table.delete(&mut session, &mut hint, &key_of(2)).unwrap();
    session.commit(Durability::Lazy).unwrap();
    store.instance.background_step().unwrap();
    assert_eq!(read(&old, &table, 1, plain), Some(vec![bytes(1, 20_000)]));
    assert_eq!(read(&old, &table, 2, plain), Some(vec![bytes(2, 20_000)]));
    assert_eq!(read(&session, &table, 1, plain), Some(vec![new]));
    assert_eq!(read(&session, &table, 2, plain), None);
    old.commit(Durability::Lazy).unwrap();
    store.check();
}

#[test]
fn what_is_taken_back_leaves_no_value_behind() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    // The first value makes the tree, which stays; the value does not.
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 5000))]).unwrap();
    session.rollback().unwrap();
    store.check();
    // A refused row takes its values with it.
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 5000))]).unwrap();
    let twice = insert(&mut session, &table, 1, &[(plain, &bytes(2, 5000))]).unwrap_err();
    assert_eq!(twice.code(), JetErr::KeyDuplicate);
    session.begin().unwrap();
    table.delete(&mut session, &mut Position::default(), &key_of(1)).unwrap();
    insert(&mut session, &table, 2, &[(plain, &bytes(3, 50_000))]).unwrap();
    session.rollback().unwrap();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![bytes(1, 5000)]));
    assert_eq!(read(&session, &table, 2, plain), None);
    store.check();
}

#[test]
fn a_new_table_and_its_values_are_taken_back_together() {
    let mut store = Store::new(PageSize::K4);
    let mut session = store.session();
    for level in [1, 2] {
        session.begin().unwrap();
        let new = TableDef { name: "new".to_owned(), ..def() };
        let table = catalog::create_table(&mut session, &store.attached, &new).unwrap();
        let plain = column(&table, "plain");
        (1..level).for_each(|_| session.begin().unwrap());
        insert(&mut session, &table, 1, &[(plain, &bytes(1, 5000))]).unwrap();
        assert_eq!(read(&session, &table, 1, plain), Some(vec![bytes(1, 5000)]));
        session.rollback().unwrap();
        if level == 2 {
            // The table is still there, its tree of long values is made anew.
            assert_eq!(read(&session, &table, 1, plain), None);
            insert(&mut session, &table, 2, &[(plain, &bytes(2, 6000))]).unwrap();
            session.commit(Durability::Durable).unwrap();
            assert_eq!(read(&session, &table, 2, plain), Some(vec![bytes(2, 6000)]));
        }
        store.instance.background_step().unwrap();
        store.check();
    }
    drop(session);
    store = store.reopen(false);
    store.check();
    let mut session = store.session();
    ddl::delete_table(&mut session, &store.attached, "new").unwrap();
    store.check();
    drop(session);
    store.reopen(true).check();
}

#[test]
fn a_dropped_update_leaves_no_value_and_changes_none() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 20_000))]).unwrap();
    session.commit(Durability::Lazy).unwrap();
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    session.begin().unwrap();
    cursor.first(&session).unwrap();
    cursor.prepare(&mut session, Prepare::Replace).unwrap();
    set(&mut cursor, &mut session, plain, LongEdit::Append(&bytes(2, 10_000))).unwrap();
    cursor.cancel();
    cursor.prepare(&mut session, Prepare::Insert).unwrap();
    set(&mut cursor, &mut session, plain, LongEdit::Set(Some(&bytes(3, 10_000)))).unwrap();
    cursor.cancel();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![bytes(1, 20_000)]));
    store.check();
}

#[test]
fn a_row_keeps_no_value_that_a_later_step_of_its_update_replaced() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let (plain, many) = (column(&table, "plain"), column(&table, "many"));
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    // Somewhere here the second value has no room that the first one had: the first goes outside,
    // and then it is replaced.
    for (id, len) in (0..).zip((500..1000).step_by(7)) {
        session.begin().unwrap();
        cursor.prepare(&mut session, Prepare::Insert).unwrap();
        let record = cursor.copy().unwrap();
        record.set(&table.schema, ID, Some(&i32::to_le_bytes(id))).unwrap();
        for (itag, len) in [(1, 1000), (2, 1000), (3, len)] {
            let edit = LongEdit::Set(Some(&bytes(1, 1023)[..len]));
            let storage = LongStorage::default();
            cursor.set_long(&mut session, many, itag, edit, storage).unwrap();
        }
        set(&mut cursor, &mut session, plain, LongEdit::Set(Some(&bytes(2, 1010)))).unwrap();
        set(&mut cursor, &mut session, plain, LongEdit::Set(Some(&bytes(3, 1023)))).unwrap();
        cursor.update(&mut session).unwrap();
        session.commit(Durability::Lazy).unwrap();
        assert_eq!(read(&session, &table, id, plain), Some(vec![bytes(3, 1023)]));
    }
    store.check();
}

#[test]
fn a_row_keeps_no_value_that_was_put_outside_before_it_was_replaced() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let [plain, many, short] = ["plain", "many", "short"].map(|name| column(&table, name));
    let filler = bytes(1, 1000);
    session.begin().unwrap();
    let values: [(ColumnId, &[u8]); 4] =
        [(plain, &bytes(2, 1010)), (many, &filler), (many, &filler), (many, &filler[..650])];
    insert(&mut session, &table, 1, &values).unwrap();
    let old = table.get(&session, &key_of(1), <[u8]>::to_vec).unwrap().unwrap();
    // The first makes the row too long, which puts the old value of the second outside. The third
    // is packed, which a row in one piece cannot have.
    let packed = column(&table, "packed");
    let values = [(short, 200), (plain, 5), (packed, 5)].map(|(id, len)| (id, filler.get(..len)));
    let (key, mut record) = (key_of(1), Vec::new());
    let hint = &mut Position::default();
    table.replace_values(&mut session, hint, (&key, &old), &values, &mut record).unwrap();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![filler[..5].to_vec()]));
    store.check();
}

#[test]
fn an_update_goes_with_the_level_that_changed_its_values() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    let edits = [LongEdit::Append(b"more"), LongEdit::Resize(6000), LongEdit::Set(None)];
    for (id, edit) in (0..).zip(edits) {
        session.begin().unwrap();
        cursor.prepare(&mut session, Prepare::Insert).unwrap();
        let record = cursor.copy().unwrap();
        record.set(&table.schema, ID, Some(&i32::to_le_bytes(id))).unwrap();
        set(&mut cursor, &mut session, plain, LongEdit::Set(Some(&bytes(1, 5000)))).unwrap();
        session.begin().unwrap();
        set(&mut cursor, &mut session, plain, edit).unwrap();
        session.rollback().unwrap();
        cursor.levels_rolled_back(1);
        // NULL changes the row only, which is in memory: the value is there until the update ends.
        let stays = matches!(edit, LongEdit::Set(None));
        assert_eq!(cursor.is_prepared(), stays, "{edit:?}");
        if stays {
            cursor.update(&mut session).unwrap();
        }
        session.commit(Durability::Lazy).unwrap();
        store.check();
    }
}

#[test]
fn a_value_goes_with_the_level_in_which_its_row_was_written() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    // How many levels the row is written below the value, and how many of them commit before the
    // others are taken back.
    for (id, (deeper, committed)) in (0..).zip([(1, 0), (2, 1), (2, 2), (1, 1), (0, 0)]) {
        session.begin().unwrap();
        cursor.prepare(&mut session, Prepare::Insert).unwrap();
        let record = cursor.copy().unwrap();
        record.set(&table.schema, ID, Some(&i32::to_le_bytes(id))).unwrap();
        for len in [5000, 6000] {
            let edit = LongEdit::Set(Some(&bytes(1, 6000)[..len]));
            set(&mut cursor, &mut session, plain, edit).unwrap();
        }
        (0..deeper).for_each(|_| session.begin().unwrap());
        cursor.update(&mut session).unwrap();
        (0..committed).for_each(|_| session.commit(Durability::Lazy).unwrap());
        let stays = committed == deeper;
        (committed..deeper).for_each(|_| session.rollback().unwrap());
        session.commit(Durability::Lazy).unwrap();
        let there = table.get(&session, &key_of(id), |_| ()).unwrap().is_some();
        assert_eq!(there, stays, "{deeper} levels, {committed} committed");
        store.check();
    }
}

#[test]
fn copies_of_a_row_share_its_values_until_one_changes() {
    let store = Store::new(PageSize::K4);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    session.begin().unwrap();
    insert(&mut session, &table, 1, &[(plain, &bytes(1, 20_000))]).unwrap();
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    for id in 2..6_i32 {
        cursor.first(&session).unwrap();
        cursor.prepare(&mut session, Prepare::InsertCopy).unwrap();
        let record = cursor.copy().unwrap();
        record.set(&table.schema, ID, Some(&id.to_le_bytes())).unwrap();
        cursor.update(&mut session).unwrap();
    }
    session.commit(Durability::Lazy).unwrap();
    store.check();
    session.begin().unwrap();
    cursor.first(&session).unwrap();
    cursor.prepare(&mut session, Prepare::Replace).unwrap();
    let edit = LongEdit::Overwrite { offset: 7, bytes: b"changed", cut: false };
    set(&mut cursor, &mut session, plain, edit).unwrap();
    cursor.update(&mut session).unwrap();
    session.commit(Durability::Lazy).unwrap();
    store.check();
    let mut changed = bytes(1, 20_000);
    changed[7..14].copy_from_slice(b"changed");
    assert_eq!(read(&session, &table, 1, plain), Some(vec![changed]));
    for id in 2..6 {
        assert_eq!(read(&session, &table, id, plain), Some(vec![bytes(1, 20_000)]));
        session.begin().unwrap();
        table.delete(&mut session, &mut Position::default(), &key_of(id)).unwrap();
        session.commit(Durability::Lazy).unwrap();
        store.check();
    }
}

#[test]
fn random_edits_equal_those_of_a_vector() {
    for (seed, page_size) in (1..).zip(PageSize::EVER) {
        let mut store = Store::new(page_size);
        let mut numbers = Numbers(seed);
        let mut model: BTreeMap<(i32, &str), Option<Vec<u8>>> = BTreeMap::new();
        for round in 0..6 {
            let mut session = store.session();
            let table = store.table(&session);
            let mut cursor =
                Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
            for _ in 0..20 {
                step(&mut session, &table, &mut cursor, &mut numbers, &mut model);
            }
            for ((id, name), value) in &model {
                if let Some(value) = value {
                    read_parts(&session, &table, (*id, name), value, &mut numbers);
                }
                let ours = read(&session, &table, *id, column(&table, name)).unwrap();
                assert_eq!(ours, Vec::from_iter(value.clone()), "{id}, {name}");
            }
            drop((cursor, table, session));
            store.check();
            if round % 2 == 1 {
                store = store.reopen(round % 4 == 1);
                store.check();
            }
        }
    }
}

/// Parts of a value, of any length, from any place, are those of the vector.
fn read_parts(
    session: &Session,
    table: &Table,
    (id, name): (i32, &str),
    value: &[u8],
    numbers: &mut Numbers,
) {
    let chunk = usize::try_from(chunk_len(&table.schema)).unwrap();
    let schema_column = table.schema.columns.require(column(table, name)).unwrap();
    let row = table.get(session, &key_of(id), <[u8]>::to_vec).unwrap().unwrap();
    let long_values = table.long_values(session);
    let view = RecordView::new(&row, table.schema.page_size).unwrap();
    let view = view.with_long_values(&long_values);
    let stored = view.data(schema_column).unwrap().nth(1).unwrap().unwrap();
    for _ in 0..5 {
        let bound = numbers.below(value.len() / chunk + 2) * chunk;
        let offsets = [0, value.len(), value.len() + 1, bound, numbers.below(value.len() + 1)];
        let offset = offsets[numbers.below(offsets.len())];
        let most = [0, 1, chunk - 1, chunk, chunk + 1, usize::MAX][numbers.below(6)];
        let ours = view.bytes_from(schema_column, stored, offset, most).unwrap();
        let rest = value.get(offset..).unwrap_or_default();
        assert_eq!(&ours[..], &rest[..rest.len().min(most)], "{name}: {most} from {offset}");
    }
}

#[test]
fn lengths_past_two_gigabytes_and_places_past_the_end_are_refused() {
    let store = Store::new(PageSize::K32);
    let mut session = store.session();
    let table = store.table(&session);
    let plain = column(&table, "plain");
    let mut cursor = Cursor::open(&session, Arc::clone(&table), Sharing::default()).unwrap();
    session.begin().unwrap();
    cursor.prepare(&mut session, Prepare::Insert).unwrap();
    cursor.copy().unwrap().set(&table.schema, ID, Some(&1_i32.to_le_bytes())).unwrap();
    let value = bytes(1, 20_000);
    set(&mut cursor, &mut session, plain, LongEdit::Set(Some(&value))).unwrap();
    let most = usize::try_from(SIZE_MAX).unwrap();
    let at = |offset| LongEdit::Overwrite { offset, bytes: b"x", cut: false };
    for (edit, code) in [
        (LongEdit::Resize(most + 1), JetErr::ColumnTooBig),
        (LongEdit::Resize(usize::MAX), JetErr::ColumnTooBig),
        (at(most), JetErr::ColumnNoChunk),
        (at(usize::MAX), JetErr::ColumnNoChunk),
        (at(value.len() + 1), JetErr::ColumnNoChunk),
    ] {
        let refused = set(&mut cursor, &mut session, plain, edit).unwrap_err();
        assert_eq!(refused.code(), code, "{edit:?}");
    }
    cursor.update(&mut session).unwrap();
    session.commit(Durability::Lazy).unwrap();
    assert_eq!(read(&session, &table, 1, plain), Some(vec![value]));
    store.check();
}

/// One transaction of random edits of a row, kept or taken back.
fn step(
    session: &mut Session,
    table: &Arc<Table>,
    cursor: &mut Cursor,
    numbers: &mut Numbers,
    model: &mut BTreeMap<(i32, &'static str), Option<Vec<u8>>>,
) {
    let id = i32::try_from(numbers.below(8)).unwrap();
    let names = ["plain", "packed"];
    let before = model.clone();
    session.begin().unwrap();
    if model.contains_key(&(id, "plain")) {
        cursor.go_to(session, &key_of(id)).unwrap();
        cursor.prepare(session, Prepare::Replace).unwrap();
    } else {
        cursor.prepare(session, Prepare::Insert).unwrap();
        let copy = cursor.copy().unwrap();
        copy.set(&table.schema, ID, Some(&id.to_le_bytes())).unwrap();
        model.extend(names.map(|name| ((id, name), None)));
    }
    for _ in 0..=numbers.below(4) {
        let name = names[numbers.below(2)];
        let value = model.get_mut(&(id, name)).unwrap();
        let had = value.as_ref().map_or(0, Vec::len);
        let chunk = usize::try_from(chunk_len(&table.schema)).unwrap();
        let lens = [0, 3, 900, 1100, 5000, 30_000, chunk - 1, chunk, chunk + 1, 3 * chunk];
        let len = lens[numbers.below(lens.len())];
        let data = match numbers.below(2) {
            0 => bytes(numbers.below(1000), len),
            _ => b"words that compress ".iter().copied().cycle().take(len).collect(),
        };
        let edit = match numbers.below(6) {
            0 => LongEdit::Set(None),
            1 => LongEdit::Set(Some(&data)),
            2 => LongEdit::Append(&data),
            3 => LongEdit::Resize(len),
            kind => {
                // Now and then on the bound of a chunk.
                let offset = match numbers.below(3) {
                    0 => had / chunk * chunk,
                    _ => numbers.below(had + 1),
                };
                LongEdit::Overwrite { offset, bytes: &data, cut: kind == 5 }
            }
        };
        set(cursor, session, column(table, name), edit)
            .unwrap_or_else(|error| panic!("{name}, {had} bytes, {edit:?}: {error}"));
        let mut new = value.take().unwrap_or_default();
        *value = match edit {
            LongEdit::Set(bytes) => bytes.map(<[u8]>::to_vec),
            LongEdit::Append(bytes) => Some([&new, bytes].concat()),
            LongEdit::Resize(len) => {
                new.resize(len, 0);
                Some(new)
            }
            LongEdit::Overwrite { offset, bytes, cut } => {
                let end = offset + bytes.len();
                new.resize(if cut { end } else { end.max(had) }, 0);
                new[offset..end].copy_from_slice(bytes);
                Some(new)
            }
        };
    }
    match numbers.below(4) {
        0 => {
            cursor.cancel();
            session.commit(Durability::Durable).unwrap();
            *model = before;
        }
        1 => {
            cursor.update(session).unwrap();
            session.rollback().unwrap();
            cursor.levels_rolled_back(0);
            *model = before;
        }
        _ => {
            cursor.update(session).unwrap();
            if numbers.below(5) == 0 {
                table.delete(session, &mut Position::default(), &key_of(id)).unwrap();
                model.retain(|(other, _), _| *other != id);
            }
            session.commit(Durability::Durable).unwrap();
        }
    }
}

#[test]
fn an_index_over_long_values_follows_them() {
    let store = Store::new(PageSize::K8);
    let mut session = store.session();
    let mut with_index = def().index(IndexDef::new("by_plain", &["plain"]));
    with_index.name = "indexed".to_owned();
    let table = catalog::create_table(&mut session, &store.attached, &with_index).unwrap();
    let plain = column(&table, "plain");
    session.begin().unwrap();
    for id in 0..50 {
        let len = usize::try_from(id).unwrap() * 150;
        insert(&mut session, &table, id, &[(plain, &bytes(len, len))]).unwrap();
    }
    session.commit(Durability::Durable).unwrap();
    assert_eq!(table.check_indexes(&session).unwrap(), []);
    session.begin().unwrap();
    for id in 0..25 {
        table.delete(&mut session, &mut Position::default(), &key_of(id)).unwrap();
    }
    session.commit(Durability::Durable).unwrap();
    assert_eq!(table.check_indexes(&session).unwrap(), []);
    let value = Value::read(
        table.schema.columns.require(ID).unwrap(),
        &RecordView::new(
            &table.get(&session, &key_of(30), <[u8]>::to_vec).unwrap().unwrap(),
            table.schema.page_size,
        )
        .unwrap(),
    );
    assert_eq!(value.unwrap(), Value::I32(30));
    store.check();
}
