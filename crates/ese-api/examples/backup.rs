//! A backup while somebody writes, and a database made of it.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example shows what it does, with a thread of its own"
)]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use ese_api::{ColType, Instance, Result, TableBuilder, row};

fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("a folder for the example");
    let (set, elsewhere) = (dir.path().join("set"), dir.path().join("elsewhere"));
    let instance = Instance::builder(dir.path().join("data")).start()?;
    let database = instance.create_database("events.edb")?;
    let mut session = instance.session()?;
    let events = TableBuilder::new("events").column("id", ColType::Long).primary(&["id"]);
    let events = database.create_table(&mut session, events)?;
    events.insert(&mut session, &row! { "id" => 0 })?;

    let done = AtomicBool::new(false);
    thread::scope(|scope| -> Result<()> {
        let writer = scope.spawn(|| -> Result<i32> {
            let mut session = instance.session()?;
            let mut id = 0;
            while !done.load(Ordering::Relaxed) {
                id += 1;
                events.insert(&mut session, &row! { "id" => id })?;
            }
            Ok(id)
        });
        let report = instance.backup_to_dir(&set);
        done.store(true, Ordering::Relaxed);
        let written = writer.join().expect("the writer does not panic")?;
        println!("{written} rows were written meanwhile; {:?}", report?);
        Ok(())
    })?;
    drop((events, database, session));
    instance.stop()?;

    ese_api::restore(&set, &elsewhere)?;
    let instance = Instance::builder(&elsewhere).start()?;
    let database = instance.open_database("events.edb")?;
    let session = instance.session()?;
    let rows = database.table(&session, "events")?.rows(&session).count();
    println!("{rows} rows were restored");
    assert!(rows >= 1);
    drop((database, session));
    instance.stop()
}
