use std::collections::BTreeMap;

use ese_base::JetErr;
use serde::{Deserialize, Serialize};

use crate::{ColType, ColumnDef, ColumnFlags, Instance, Placement, TableBuilder, Values};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Colour {
    Red,
    Blue,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Thing {
    id: i32,
    name: String,
    weight: Option<f64>,
    colour: Colour,
    data: Vec<u8>,
    tags: Vec<i32>,
    small: u8,
    ready: bool,
}

fn thing(id: i32) -> Thing {
    Thing {
        id,
        name: format!("thing {id}"),
        weight: (id % 2 == 0).then_some(0.5),
        colour: if id % 2 == 0 { Colour::Red } else { Colour::Blue },
        data: vec![1, 2, 3],
        tags: vec![7, 8, 9],
        small: 200,
        ready: true,
    }
}

#[test]
fn structs_become_rows_and_rows_structs() {
    let dir = tempfile::tempdir().unwrap();
    let instance = Instance::builder(dir.path().join("data")).start().unwrap();
    let database = instance.create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let tags = ColumnDef::new("tags", ColType::Long)
        .placed(Placement::Tagged)
        .with(ColumnFlags::MULTI_VALUED);
    let table = TableBuilder::new("things")
        .column("id", ColType::Long)
        .text("name")
        .column("weight", ColType::IeeeDouble)
        .text("colour")
        .column("data", ColType::LongBinary)
        .define(tags)
        .column("small", ColType::UnsignedByte)
        .column("ready", ColType::Bit)
        .primary(&["id"]);
    let table = database.create_table(&mut session, table).unwrap();
    for id in 1..=2 {
        table.insert_struct(&mut session, &thing(id)).unwrap();
    }
    let read: Vec<Thing> = table.rows(&session).map(|row| row.unwrap().to().unwrap()).collect();
    assert_eq!(read, [thing(1), thing(2)]);

    #[derive(Serialize, Deserialize)]
    struct Part {
        name: String,
    }
    let changed = table.update_struct(&mut session, 2, &Part { name: "new".into() }).unwrap();
    let row = table.get(&session, 2).unwrap().unwrap();
    assert!(changed);
    assert_eq!(row.to::<Part>().unwrap().name, "new", "other columns are left out");
    assert_eq!(row.to::<Thing>().unwrap().tags, [7, 8, 9], "and kept");
    let map = BTreeMap::from([("id", 3), ("small", 4)]);
    table.insert_struct(&mut session, &map).unwrap();
    assert!(table.get(&session, 3).unwrap().unwrap().to::<Thing>().is_err(), "NULL is no text");

    for not_a_row in [Values::of(&7), Values::of(&"text"), Values::of(&[1, 2])] {
        assert_eq!(not_a_row.unwrap_err().code(), JetErr::InvalidParameter);
    }
    let nested = BTreeMap::from([("id", BTreeMap::from([("a", 1)]))]);
    let error = Values::of(&nested).unwrap_err();
    assert!(error.to_string().contains("\"id\""), "{error}");
}
