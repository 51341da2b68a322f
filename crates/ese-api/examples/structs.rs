//! Rows as structs, with the feature `serde`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use ese_api::{ColType, Instance, Result, TableBuilder};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Open,
    Done,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Task {
    id: i32,
    title: String,
    state: State,
    estimate_hours: Option<f64>,
}

fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("a folder for the example");
    let instance = Instance::builder(dir.path().join("data")).start()?;
    let database = instance.create_database("tasks.edb")?;
    let mut session = instance.session()?;
    let table = TableBuilder::new("tasks")
        .column("id", ColType::Long)
        .text("title")
        .column("state", ColType::Text)
        .column("estimate_hours", ColType::IeeeDouble)
        .primary(&["id"])
        .secondary("by state", &["state"]);
    let tasks = database.create_table(&mut session, table)?;
    let write = Task { id: 1, title: "write".into(), state: State::Done, estimate_hours: None };
    let read = Task { id: 2, title: "read".into(), state: State::Open, estimate_hours: Some(1.5) };
    session.transact(|transaction| {
        tasks.insert_struct(transaction, &write)?;
        tasks.insert_struct(transaction, &read)
    })?;
    let open: Vec<Task> = tasks
        .index("by state")?
        .prefix(&session, "Open")?
        .map(|row| row?.to())
        .collect::<Result<_>>()?;
    println!("{open:#?}");
    assert_eq!(open, [read]);
    drop((tasks, database, session));
    instance.stop()
}
