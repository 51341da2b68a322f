//! A C program that was written for the interface runs with the library.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use support::{needs, program};

#[test]
fn a_program_in_c_makes_fills_asks_backs_up_and_stops() {
    if !needs("cc") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(program("smoke", dir.path()).trim(), "done");
}

#[test]
fn functions_of_a_program_in_c_are_called_back_and_its_forked_child_is_refused() {
    if !needs("cc") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(program("callbacks", dir.path()).trim(), "done");
}

#[test]
fn the_wide_and_the_later_functions_serve_a_program_in_c() {
    if !needs("cc") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(program("wide", dir.path()).trim(), "done");
}
