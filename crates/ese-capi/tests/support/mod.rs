//! What the tests of the library share: where it lies, and how C programs are made and run.
#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::disallowed_methods, reason = "the folder of a test")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The package.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder that this build has put the libraries into.
pub(crate) fn libraries() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let dir = exe.parent().unwrap().to_path_buf();
    assert!(dir.join("libesent.so").exists(), "no libesent.so in {}", dir.display());
    dir
}

/// Runs a command, which must succeed.
pub(crate) fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{command:?}: {status}\n{}{}", text(&stdout), text(&stderr));
    text(&stdout)
}

/// Is there such a program?
fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// As [`exists`], and says what the test of this thread cannot do without it.
///
/// # Panics
/// With `CI=true`, where everything must be there.
pub(crate) fn needs(program: &str) -> bool {
    let there = exists(program);
    if !there {
        skip(&format!("{program} is not installed"));
    }
    there
}

fn skip(reason: &str) {
    let thread = std::thread::current();
    ese_tests::skip(thread.name().unwrap_or_default(), reason);
}

/// A C compiler that sees the header and says everything about it.
pub(crate) fn compiler(program: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["-Wall", "-Wextra", "-Werror", "-I"]).arg(package().join("include"));
    command
}

/// clang: the machine's, else the one inside the package `ziglang` that `cargo xtask peers` has put
/// under `target/`. `None` where that was not done, which is said.
pub(crate) fn clang(dir: &Path) -> Option<Command> {
    if exists("clang") {
        return Some(compiler("clang"));
    }
    let python = package().join("../../target/peers/venv/bin/python");
    let find = "import os, ziglang; print(os.path.dirname(ziglang.__file__))";
    let found = Command::new(python).args(["-c", find]).output();
    let Some(found) = found.ok().filter(|found| found.status.success()) else {
        skip("there is no clang; cargo xtask peers brings one");
        return None;
    };
    let folder = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
    let mut command = Command::new(folder.join("zig"));
    command.arg("clang").args(["-Wall", "-Wextra", "-Werror", "-nostdinc", "-isystem"]);
    command.arg(folder.join("lib/include"));
    // C's own headers are the machine's.
    let machine = run(Command::new("cc").arg("-print-multiarch"));
    for include in [Path::new("/usr/include").join(machine.trim()), "/usr/include".into()] {
        command.arg("-isystem").arg(include);
    }
    // It keeps what it has made here, and would else in the home of whoever calls.
    command.env("ZIG_GLOBAL_CACHE_DIR", dir).env("ZIG_LOCAL_CACHE_DIR", dir);
    command.arg("-I").arg(package().join("include"));
    Some(command)
}

/// Makes a program of a file in `tests/c`, linked with the library, and runs it in a folder.
pub(crate) fn program(name: &str, dir: &Path) -> String {
    let (exe, run_dir) = (dir.join(name), dir.join("run"));
    std::fs::create_dir_all(&run_dir).unwrap();
    let source = package().join("tests/c").join(format!("{name}.c"));
    run(compiler("cc")
        .args(["-std=c11", "-g", "-pthread", "-o"])
        .arg(&exe)
        .arg(source)
        .arg("-L")
        .arg(libraries())
        .arg("-lesent"));
    run(Command::new(&exe).current_dir(run_dir).env("LD_LIBRARY_PATH", libraries()))
}
