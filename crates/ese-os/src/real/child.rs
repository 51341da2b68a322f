//! Running one test a second time in a process of its own, for tests that need another process or
//! would change this one.

use std::process::{Child, Command, Stdio};

const VARIABLE: &str = "ESE_OS_TEST_CHILD";

/// What the parent passed, if this is the child.
pub(crate) fn argument() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// Starts this test binary for one test (its full name), with an argument.
pub(crate) fn start(test: &str, argument: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the child to its end; it must succeed. Gives what it printed.
pub(crate) fn run(test: &str, argument: &str) -> String {
    let output = start(test, argument).wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{:?}: {text}", output.status);
    assert!(text.contains("1 passed"), "the child did not run its test: {text}");
    text
}
