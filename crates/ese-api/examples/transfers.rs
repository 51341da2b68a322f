//! Several threads that change the same rows: the first writer wins, the other tries again.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example shows what it does, with threads of its own"
)]

use std::thread;

use ese_api::{ColType, Database, Instance, Result, Session, TableBuilder, row};

const ACCOUNTS: i32 = 4;

fn transfer(database: &Database, session: &mut Session, from: i32, to: i32) -> Result<()> {
    session.transact(|transaction| {
        let accounts = database.table(transaction, "accounts")?;
        let balance = accounts.typed::<i64>("balance")?;
        for (account, change) in [(from, -10), (to, 10)] {
            let row = accounts.get(transaction, account)?;
            let now = row.map_or(Ok(None), |row| row.of(&balance))?.unwrap_or(0);
            accounts.update(transaction, account, &row! { "balance" => now + change })?;
        }
        Ok(())
    })
}

fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("a folder for the example");
    let instance = Instance::builder(dir.path().join("data")).start()?;
    let database = instance.create_database("bank.edb")?;
    let mut session = instance.session()?;
    session.transact(|transaction| {
        let table = TableBuilder::new("accounts").column("id", ColType::Long);
        let table = table.column("balance", ColType::LongLong).primary(&["id"]);
        let accounts = database.create_table(transaction, table)?;
        for id in 0..ACCOUNTS {
            accounts.insert(transaction, &row! { "id" => id, "balance" => 100_i64 })?;
        }
        Ok(())
    })?;

    thread::scope(|scope| -> Result<()> {
        let mut workers = Vec::new();
        for worker in 0..4 {
            let (instance, database) = (&instance, &database);
            workers.push(scope.spawn(move || -> Result<()> {
                let mut session = instance.session()?;
                for step in 0..50 {
                    let from = (worker + step) % ACCOUNTS;
                    transfer(database, &mut session, from, (from + 1) % ACCOUNTS)?;
                }
                Ok(())
            }));
        }
        workers.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })?;

    // One state of the database, whatever others do meanwhile.
    let sum = session.look(|transaction| {
        let accounts = database.table(transaction, "accounts")?;
        let balance = accounts.typed::<i64>("balance")?;
        let balances = accounts.rows(transaction).map(|row| row?.of(&balance));
        balances.map(|balance| Ok(balance?.unwrap_or(0))).sum::<Result<i64>>()
    })?;
    println!("the sum of all balances is {sum}");
    assert_eq!(sum, 100 * i64::from(ACCOUNTS));
    drop((database, session));
    instance.stop()
}
