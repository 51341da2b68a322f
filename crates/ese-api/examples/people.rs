//! A table, rows, and columns of known types.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use ese_api::{ColType, Instance, Result, TableBuilder, Values, row};

fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("a folder for the example");
    let instance = Instance::builder(dir.path().join("data")).start()?;
    let database = instance.create_database("people.edb")?;
    let mut session = instance.session()?;

    // Everything in the closure happens, or nothing.
    let people = session.transact(|transaction| {
        let table = TableBuilder::new("people").column("id", ColType::Long).text("name");
        let people = database.create_table(transaction, table.primary(&["id"]))?;
        people.insert(transaction, &row! { "id" => 1, "name" => "Ada" })?;
        people.insert(transaction, &row! { "id" => 2, "name" => "Grace" })?;
        Ok(people)
    })?;

    // A column with its type: a wrong one is an error here, not when a row is read.
    let (id, name) = (people.typed::<i32>("id")?, people.typed::<String>("name")?);
    let barbara = Values::new().with(id, 3).with(name, "Barbara".to_owned());
    people.insert(&mut session, &barbara)?;
    people.update(&mut session, 1, &row! { "name" => "Ada Lovelace" })?;
    people.delete(&mut session, 2)?;

    for row in people.rows(&session) {
        let row = row?;
        println!("{:?}: {:?}", row.of(&id)?, row.of(&name)?);
    }
    assert_eq!(people.rows(&session).count(), 2);
    drop((people, database, session));
    instance.stop()
}
