//! Secondary indexes: rows in other orders, forward and backward, over ranges.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use ese_api::{ColType, Instance, JetErr, Result, TableBuilder, row};

fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("a folder for the example");
    let instance = Instance::builder(dir.path().join("data")).start()?;
    let database = instance.create_database("cities.edb")?;
    let mut session = instance.session()?;
    let cities = session.transact(|transaction| {
        let cities = TableBuilder::new("cities")
            .column("id", ColType::Long)
            .column("country", ColType::Text)
            .column("name", ColType::Text)
            .column("people", ColType::Long)
            .primary(&["id"])
            .secondary("by size", &["people"])
            .unique("by name", &["country", "name"]);
        let cities = database.create_table(transaction, cities)?;
        for (id, (country, name, people)) in [
            ("FR", "Paris", 2_100_000),
            ("FR", "Lyon", 520_000),
            ("DE", "Berlin", 3_700_000),
            ("DE", "Bonn", 330_000),
            ("IT", "Rome", 2_700_000),
        ]
        .into_iter()
        .enumerate()
        {
            let id = i32::try_from(id).unwrap_or(i32::MAX);
            let row = row! { "id" => id, "country" => country, "name" => name, "people" => people };
            cities.insert(transaction, &row)?;
        }
        Ok(cities)
    })?;

    let by_size = cities.index("by size")?;
    let names = |rows: ese_api::Rows<'_>| -> Result<Vec<String>> {
        let name = cities.typed::<String>("name")?;
        rows.map(|row| Ok(row?.of(&name)?.unwrap_or_default())).collect()
    };
    let large = names(by_size.range(&session, 1_000_000..)?.rev())?;
    println!("a million and more, the largest first: {large:?}");
    assert_eq!(large, ["Berlin", "Rome", "Paris"]);

    // The first columns of a key stand for all keys that begin so.
    let by_name = cities.index("by name")?;
    let german = names(by_name.prefix(&session, "DE")?)?;
    assert_eq!(german, ["Berlin", "Bonn"]);
    let lyon = by_name.get(&session, ("FR", "Lyon"))?;
    println!("Germany: {german:?}; {lyon:?}");

    // A unique index refuses a second row of the same values.
    let twice = row! { "id" => 9, "country" => "FR", "name" => "Lyon" };
    let refused = cities.insert(&mut session, &twice).map_err(|error| error.code());
    assert_eq!(refused, Err(JetErr::KeyDuplicate));
    drop((cities, by_size, by_name, database, session));
    instance.stop()
}
