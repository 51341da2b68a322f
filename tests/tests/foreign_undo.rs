//! What did not commit is taken back on a copy, also where the log does not say what was before:
//! other engines log that only before they write the page.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test of real files"
)]

use std::{fs, path::Path};

use ese_api::{
    ColType, CopyRequest, Instance, Offline, StopToken, TableBuilder, recover_into, row,
};
use ese_base::{LgPos, PageSize};
use ese_engine::space::check;
use ese_log::{Log, LogConfig, LogNames, LogPool, LogStream, Record, Wanted};
use ese_os::Env;

const ROWS: i32 = 120;

/// A database with committed rows, and a transaction that has inserted, changed and deleted some
/// when the process was killed.
fn killed(dir: &Path) {
    fs::create_dir(dir).unwrap();
    let instance =
        Instance::builder(dir).page_size(PageSize::K4).log_file_size(256 << 10).start().unwrap();
    let database = instance.open_or_create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = TableBuilder::new("t")
        .column("id", ColType::Long)
        .column("value", ColType::Binary)
        .text("name")
        .primary(&["id"])
        .secondary("by_name", &["name"]);
    let table = database.create_table(&mut transaction, table).unwrap();
    for id in 0..ROWS {
        let value = vec![1_u8; 100];
        let row = row! { "id" => id, "value" => value, "name" => format!("row {id}") };
        table.insert(&mut transaction, &row).unwrap();
    }
    transaction.commit().unwrap();
    let mut open = instance.session().unwrap();
    let mut unfinished = open.begin().unwrap();
    for id in (0..ROWS).step_by(3) {
        // Longer than before: pages split.
        let longer = row! { "value" => vec![2_u8; 250], "name" => format!("changed {id}") };
        assert!(table.update(&mut unfinished, id, &longer).unwrap());
        assert!(table.update(&mut unfinished, id, &row! { "value" => vec![3_u8; 9] }).unwrap());
        assert!(table.delete(&mut unfinished, id + 1).unwrap());
        let row = row! { "id" => ROWS + id, "value" => vec![4_u8; 50], "name" => "new" };
        table.insert(&mut unfinished, &row).unwrap();
        // Deleted and there again.
        if id % 2 == 0 {
            let row = row! { "id" => id + 1, "value" => vec![5_u8; 70], "name" => "again" };
            table.insert(&mut unfinished, &row).unwrap();
        }
    }
    // A durable commit behind: everything before it is in the log.
    let mut transaction = session.begin().unwrap();
    let last = row! { "id" => -1, "value" => vec![6_u8; 5], "name" => "last" };
    table.insert(&mut transaction, &last).unwrap();
    transaction.commit().unwrap();
    instance.abandon();
    drop(unfinished);
}

/// The same log without what says what was before a change; gives the number of such records.
fn without_undo_info(from: &Path, to: &Path) -> usize {
    fs::create_dir(to).unwrap();
    let env = Env::real();
    let stream = LogStream::scan(&env, &LogNames::new(from, "edb")).unwrap();
    let header = stream.newest_header().unwrap();
    let config =
        LogConfig { page_size: header.page_size, file_len: 1 << 20, ..LogConfig::new(to, "edb") };
    let log = Log::create(&env, &config, header.signature).unwrap();
    let mut reader = stream.reader(LgPos::new(1, 0, 0)).unwrap();
    let mut left_out = 0;
    while let Some(entry) = reader.next().unwrap() {
        match entry.record {
            Record::UndoInfo(_) => left_out += 1,
            record => drop(log.append(&record).unwrap()),
        }
    }
    log.flush_all().unwrap();
    left_out
}

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn recovered(logs: &Path, out: &Path, from_logs: bool) -> (Rows, Rows, u64) {
    let request = CopyRequest {
        logs: vec![logs.to_path_buf()],
        out: out.to_path_buf(),
        from_logs,
        ..CopyRequest::default()
    };
    let env = Env::real();
    let mut done = recover_into(&env, &request, &mut |_| (), &StopToken::new()).unwrap().databases;
    let done = done.pop().unwrap();
    let report = done.outcome.unwrap();
    let database = Offline::open(&env, &done.target).unwrap();
    let table = database.table("t").unwrap();
    let (mut rows, mut entries) = (Rows::new(), Rows::new());
    let go_on = std::ops::ControlFlow::Continue(());
    let each = |key: &[u8], row: &ese_engine::record::RecordView<'_>| {
        rows.push((key.to_vec(), row.bytes().to_vec()));
        Ok(go_on)
    };
    database.rows(table, each).unwrap();
    let by_name = table.indexes.iter().find(|index| index.name == "by_name").unwrap();
    let each = |key: &[u8], row: &[u8]| {
        entries.push((key.to_vec(), row.to_vec()));
        Ok(go_on)
    };
    database.entries(by_name, each).unwrap();
    let trees = check::trees_of(database.tables());
    let report_of_trees = check::check(database.cache(), &trees, database.header().dbtime());
    assert!(report_of_trees.problems.is_empty(), "{:?}", report_of_trees.problems);
    (rows, entries, report.recovery.rolled_back)
}

#[test]
fn an_open_transaction_is_taken_back_with_and_without_undo_information() {
    let scratch = ese_tests::scratch();
    let root = scratch.path();
    killed(&root.join("data"));
    let usual = recovered(&root.join("data"), &root.join("usual"), false);
    assert_eq!(usual.2, 1);
    assert_eq!(usual.0.len(), usize::try_from(ROWS).unwrap() + 1);
    assert_eq!(usual.1.len(), usual.0.len());
    assert_eq!(recovered(&root.join("data"), &root.join("built"), true), usual);
    let left_out = without_undo_info(&root.join("data"), &root.join("silent"));
    assert!(left_out > 60, "{left_out}");
    assert_eq!(recovered(&root.join("silent"), &root.join("from silence"), true), usual);
    // The committed rows are those that were there before the transaction.
    ese_api::recover(root.join("data")).unwrap();
    let database = Offline::open(&Env::real(), &root.join("data/a.edb")).unwrap();
    let mut in_place = Rows::new();
    let table = database.table("t").unwrap();
    let each = |key: &[u8], row: &ese_engine::record::RecordView<'_>| {
        in_place.push((key.to_vec(), row.bytes().to_vec()));
        Ok(std::ops::ControlFlow::Continue(()))
    };
    database.rows(table, each).unwrap();
    assert_eq!(in_place, usual.0);
}

#[test]
fn a_pool_tells_streams_apart() {
    let scratch = ese_tests::scratch();
    let root = scratch.path();
    killed(&root.join("one"));
    killed(&root.join("two"));
    let places = [root.join("one"), root.join("two")];
    let pool = LogPool::gather(&Env::real(), &places).unwrap();
    let signatures = pool.signatures();
    assert_eq!(signatures.len(), 2);
    for signature in signatures {
        let (stream, aside) = pool.stream(&Wanted { signature, known: None }).unwrap();
        assert_eq!(stream.signature().unwrap(), signature);
        assert!(aside.iter().all(|file| file.why.contains("another stream")));
    }
    let none = Wanted { signature: ese_base::Signature::NULL, known: None };
    assert_eq!(pool.stream(&none).unwrap_err().code(), ese_base::JetErr::BadLogSignature);
}
