//! What clients do with the library: the examples in C and C++ run, and the suite in Python calls
//! every function of the first phases through `libesent.so` alone, with good and bad arguments.
#![allow(clippy::disallowed_methods, reason = "the files of a test")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use std::{path::Path, process::Command};

use support::{compiler, libraries, needs, package, run};

/// Makes an example and runs it in a folder of its own; it says `done` when all went well.
fn example(name: &str) {
    if !needs("cc") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let source = package().join("examples").join(format!("{name}.c"));
    let exe = dir.path().join("program");
    let link = |command: &mut Command, out: &Path| {
        command.arg("-pthread").arg("-o").arg(out).arg(&source);
        run(command.arg("-L").arg(libraries()).arg("-lesent"));
    };
    link(compiler("cc").arg("-std=c99"), &exe);
    if needs("c++") {
        // Its sources are C++ as well.
        link(compiler("c++").args(["-std=c++17", "-x", "c++"]), &dir.path().join("other"));
    }
    let mut command = Command::new(&exe);
    let said = run(command.current_dir(dir.path()).env("LD_LIBRARY_PATH", libraries()));
    assert_eq!(said.lines().last(), Some("done"), "{said}");
}

#[test]
fn the_bookstore_in_c_sells_and_refuses() {
    example("bookstore");
}

#[test]
fn the_backup_agent_in_c_is_stopped_by_a_signal_and_copies_everything_after_that() {
    example("backup_agent");
}

#[test]
fn the_event_log_in_c_commits_lazily_and_waits_once() {
    example("event_log");
}

#[test]
fn a_program_for_dotnet_fills_seeks_backs_up_stops_and_restores() {
    // On Debian: apt install mono-mcs mono-runtime.
    if !needs("mcs") || !needs("mono") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (source, run_dir) = (package().join("tests/csharp"), dir.path().join("run"));
    let exe = dir.path().join("client.exe");
    let out = format!("-out:{}", exe.display());
    let mut compile = Command::new("mcs");
    run(compile.args(["-unsafe", "-warnaserror", &out]).arg(source.join("client.cs")));
    std::fs::copy(source.join("client.exe.config"), dir.path().join("client.exe.config")).unwrap();
    std::fs::create_dir(&run_dir).unwrap();
    let mut command = Command::new("mono");
    let said = run(command.arg(exe).current_dir(run_dir).env("LD_LIBRARY_PATH", libraries()));
    assert_eq!(said.trim(), "done");
}

/// A file of the suite in Python, in a process of its own.
fn suite(name: &str) {
    if !needs("python3") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let tests = package().join("../../bindings/python/tests");
    let mut command = Command::new("python3");
    command.args(["-B", "-X", "faulthandler", "-m", "unittest", name]).current_dir(tests);
    command.env("ESENT_LIBRARY", libraries().join("libesent.so")).env("TMPDIR", dir.path());
    run(&mut command);
}

#[test]
fn every_function_is_called_from_python_with_good_and_with_bad_arguments() {
    suite("test_arguments");
}

#[test]
fn a_backup_is_stopped_from_python_in_every_state_and_mode() {
    suite("test_stop");
}

#[test]
fn buffers_warnings_and_positions_are_those_of_the_pages() {
    suite("test_semantics");
}

#[test]
fn forks_threads_and_unloading_leave_the_library_whole() {
    suite("test_process");
}

#[test]
fn the_package_for_python_knows_the_header_and_its_examples_run() {
    suite("test_package");
}
