//! `ese status`: what a running instance says, and what one said that was killed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]
#![allow(clippy::disallowed_methods, reason = "tests look at files from outside the engine")]

mod support;

use std::{path::Path, time::Duration};

use ese_api::PageSize;
use serde_json::Value;
use support::{ese, start};

fn status(dir: &Path) -> Value {
    serde_json::from_str(&ese(dir, &["status", "data", "--json"]).fine()).unwrap()
}

/// Asks until the answer is as it should be; an instance speaks once a second.
fn until(dir: &Path, what: &str, right: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let said = status(dir);
        if right(&said) {
            return said;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what}: {}", status(dir));
}

#[test]
fn a_running_instance_tells_its_oldest_transaction_and_its_versions() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let instance = start(&dir.join("data"), PageSize::K4);
    let database = support::fill(&instance, 10);
    let said = until(dir, "it runs", |said| !said["status"].is_null());
    assert_eq!(said["running"], true);
    assert_eq!(said["status"]["process"], std::process::id());
    let mut session = instance.session().unwrap();
    let reader = session.begin().unwrap();
    let mut writer = instance.session().unwrap();
    writer
        .transact(|transaction| {
            let table = database.table(transaction, "t")?;
            table.delete(transaction, 3).map(|_| ())
        })
        .unwrap();
    let said = until(dir, "a reader holds versions", |said| {
        said["status"]["versions"].as_u64() > Some(0) && !said["status"]["oldest"].is_null()
    });
    let (oldest, place) = (&said["status"]["oldest"], file!());
    assert_eq!((&oldest["level"], &oldest["log_position"]), (&1.into(), &Value::Null));
    assert!(oldest["began_at"].as_str().unwrap().starts_with(place), "{oldest}");
    let text = ese(dir, &["status", "data"]).fine();
    for word in ["running, process", "oldest transaction", "has changed nothing", place] {
        assert!(text.contains(word), "{word}: {text}");
    }
    drop(reader);
    until(dir, "nothing holds versions", |said| {
        said["status"]["versions"] == 0 && said["status"]["oldest"].is_null()
    });
    drop((session, writer, database));
    instance.stop().unwrap();
    let said = status(dir);
    assert_eq!((&said["running"], &said["status"]), (&false.into(), &Value::Null));
    assert!(ese(dir, &["status", "data"]).fine().contains("no instance is running here"));
    assert!(!dir.join("data/edb.status").exists());
}

#[test]
fn what_a_killed_instance_has_said_is_told_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let instance = start(&dir.join("data"), PageSize::K4);
    until(dir, "it runs", |said| !said["status"].is_null());
    instance.abandon();
    let said = status(dir);
    assert_eq!((&said["running"], said["status"].is_null()), (&false.into(), false));
    let text = ese(dir, &["status", "data"]).fine();
    assert!(text.contains("ended without an end"), "{text}");
    // Neither verification nor recovery minds the file.
    ese(dir, &["recover", "data", "--in-place"]).fine();
    assert_eq!(status(dir)["status"], Value::Null);
    std::fs::write(dir.join("data/edb.status"), "something else\n").unwrap();
    ese(dir, &["status", "data"]).refused(1, &["edb.status"]);
    ese(dir, &["status", "none"]).refused(3, &["none"]);
}
