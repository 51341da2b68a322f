//! A temporary path that is relative to the current directory. A process of its own, with one
//! test: it changes that directory.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test says what is wrong by ending, and looks at the directories from outside"
)]

use std::{path::Path, sync::Arc};

use ese_engine::{
    instance::{Instance, InstanceConfig, TermMode},
    schema::{ColType, ColumnDef},
    session::Session,
    temp::{TempColumn, TempTable, TempTableDef},
};
use ese_os::Env;

fn start(dir: &Path) -> Arc<Instance> {
    let mut config = InstanceConfig::new(dir);
    config.temp_path = Some("tmp.edb".into());
    Instance::start(&Env::real(), config).unwrap()
}

#[test]
fn a_name_without_a_directory_means_the_directory_of_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let (data, here, there) =
        (dir.path().join("data"), dir.path().join("here"), dir.path().join("there"));
    for dir in [&data, &here, &there] {
        std::fs::create_dir(dir).unwrap();
    }
    let file = here.join("tmp.edb");
    let column = TempColumn { def: ColumnDef::new("n", ColType::Long), key: None };
    let heap = TempTableDef { columns: vec![column], ..TempTableDef::default() };

    std::env::set_current_dir(&here).unwrap();
    let instance = start(&data);
    std::env::set_current_dir(&there).unwrap();
    let session = Session::begin_session(&instance).unwrap();
    let table = TempTable::open(&session, &heap).unwrap();
    assert!(file.exists(), "made after the process has gone elsewhere");
    assert!(!there.join("tmp.edb").exists());
    // A killed process runs no destructors.
    let (kept, run) = (dir.path().join("kept"), here.join("tmp.edb.run-0000beef"));
    std::fs::copy(&file, &kept).unwrap();
    drop((table, session));
    instance.terminate(TermMode::Clean).unwrap();
    drop(instance);
    assert!(!file.exists());
    std::fs::rename(&kept, &file).unwrap();
    std::fs::write(&run, "rows").unwrap();

    std::env::set_current_dir(&here).unwrap();
    let instance = start(&data);
    assert!(!file.exists(), "removed at the next start");
    assert!(!run.exists(), "removed at the next start");
    instance.terminate(TermMode::Clean).unwrap();
    std::env::set_current_dir("/").unwrap();
}
