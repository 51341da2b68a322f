//! `cargo xtask sanitize`: the engine under tools that see wrong memory and races.
//!
//! * `address`: AddressSanitizer in the library, in the C programs and under random calls; the two
//!   sides share one runtime.
//! * `thread`: ThreadSanitizer under what many threads do at once, with a standard library that is
//!   built along, because a race is only told from order by one who sees all of both sides; only
//!   where it is named: that library's source has to be there (`rustup` brings it).
//! * `valgrind`: the C examples with the ordinary library.
//!
//! `RUSTC_BOOTSTRAP=1` unlocks the instrumentation in the stable compiler. Builds are kept below
//! `target/sanitize`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    args::Args,
    install::host,
    paths,
    run::{Result, cargo, run},
};

/// Calls of the call-sequence test.
const CALLS: u64 = 100_000;
const AT_ONCE: u64 = 10_000;

/// Test programs of `ese-api` in which threads share everything.
const THREADED: [&str; 3] = ["threads", "stop", "promises"];

const EXAMPLES: [&str; 3] = ["bookstore", "backup_agent", "event_log"];
const PROGRAMS: [&str; 3] = ["smoke", "callbacks", "wide"];

pub(crate) fn main(args: &mut Args) -> Result<()> {
    let calls = args.value("--calls")?.unwrap_or_else(|| CALLS.to_string());
    let calls: u64 = calls.parse().map_err(|e| format!("--calls {calls}: {e}"))?;
    let mut tools = args.words()?;
    if tools.is_empty() {
        tools = ["address", "valgrind"].map(str::to_owned).to_vec();
    }
    for tool in &tools {
        match tool.as_str() {
            "address" => address(calls)?,
            "thread" => thread()?,
            "valgrind" => valgrind()?,
            _ => return Err(format!("no tool {tool:?}: address, thread or valgrind")),
        }
    }
    println!("sanitize: no report of {}", tools.join(", "));
    Ok(())
}

fn capi() -> PathBuf {
    paths::root().join("crates/ese-capi")
}

/// An empty folder.
fn empty(folder: PathBuf) -> Result<PathBuf> {
    let failed = |e| format!("{}: {e}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    Ok(folder)
}

/// Compiles a C program against a build of the library.
fn compile(source: &Path, exe: &Path, library: &Path, flags: &[&str]) -> Result<()> {
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-g", "-O1", "-pthread"]).args(flags);
    cc.arg("-I").arg(capi().join("include"));
    if let Some(folder) = exe.parent() {
        cc.arg("-I").arg(folder);
    }
    run(cc.arg("-o").arg(exe).arg(source).arg("-L").arg(library).arg("-lesent"))
}

/// Every C program with a library and a program that are both instrumented.
fn address(calls: u64) -> Result<()> {
    let home = paths::target().join("sanitize/address");
    let host = host()?;
    let build = cargo(&["build", "--release", "--package", "ese-capi", "--lib"]);
    // The standard library is not instrumented; for this sanitizer that costs findings, not truth.
    run(&mut instrumented(build, "address", &home, &host))?;
    let library = home.join(host).join("release");
    let folder = empty(home.join("programs"))?;
    let flag = "-fsanitize=address";
    let under = |exe: &Path, dir: &Path, words: &[&str]| {
        let mut command = Command::new(exe);
        command.args(words).current_dir(dir).env("LD_LIBRARY_PATH", &library);
        run(command.env("ASAN_OPTIONS", "detect_leaks=1:exitcode=9"))
    };
    let examples = EXAMPLES.map(|name| capi().join("examples").join(format!("{name}.c")));
    let programs = PROGRAMS.map(|name| capi().join("tests/c").join(format!("{name}.c")));
    for source in examples.iter().chain(&programs) {
        let name = source.file_stem().unwrap_or_default();
        let exe = folder.join(name);
        compile(source, &exe, &library, &[flag])?;
        under(&exe, &empty(folder.join("run"))?, &[])?;
    }
    let exe = folder.join("calls");
    let table = folder.join("calls_table.h");
    fs::write(&table, declarations()?).map_err(|e| format!("{}: {e}", table.display()))?;
    compile(&capi().join("tests/c/calls.c"), &exe, &library, &[flag])?;
    for seed in 1..=calls.div_ceil(AT_ONCE) {
        let dir = empty(folder.join("run"))?;
        under(&exe, &dir, &["make", &seed.to_string(), &AT_ONCE.to_string(), "4"])?;
        under(&exe, &dir, &["check"])?;
    }
    Ok(())
}

/// Has a command of cargo's instrument what it builds.
fn instrumented(mut build: Command, sanitizer: &str, home: &Path, host: &str) -> Command {
    // Named target: build scripts and macros run without the sanitizer.
    build.args(["--target", host]).env("CARGO_TARGET_DIR", home).env("RUSTC_BOOTSTRAP", "1");
    let flags = format!(
        "-Zsanitizer={sanitizer} -Cunsafe-allow-abi-mismatch=sanitizer -Cdebuginfo=1 \
         -Copt-level=1"
    );
    build.env("RUSTFLAGS", flags);
    build
}

/// Tests in which threads share everything, without a race.
fn thread() -> Result<()> {
    let home = paths::target().join("sanitize/thread");
    run(Command::new("rustup").args(["component", "add", "rust-src"]))?;
    let mut tests = cargo(&["test", "--release", "--package", "ese-api", "-Zbuild-std"]);
    tests.args(THREADED.iter().flat_map(|name| ["--test", name]));
    let mut tests = instrumented(tests, "thread", &home, &host()?);
    run(tests.env("TSAN_OPTIONS", "exitcode=9 halt_on_error=0"))
}

/// A line for each declaration of the header, as `tests/c/calls.c` reads them.
fn declarations() -> Result<String> {
    let file = capi().join("include/esent.h");
    let header = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut table = String::new();
    for text in header.split("JET_ERR JET_API ").skip(1) {
        let text = text.split(';').next().unwrap_or_default();
        let Some((name, arguments)) = text.split_once('(') else { continue };
        let arguments: Vec<&str> =
            arguments.trim_end().trim_end_matches(')').split_whitespace().collect();
        table += &format!("FUNCTION({name}, \"{}\")\n", arguments.join(" "));
    }
    Ok(table)
}

/// The examples under valgrind: no wrong access, nothing lost for good.
fn valgrind() -> Result<()> {
    run(&mut cargo(&["build", "--package", "ese-capi", "--lib"]))?;
    let library = paths::target().join("debug");
    let folder = empty(paths::target().join("sanitize/valgrind"))?;
    for name in EXAMPLES {
        let source = capi().join("examples").join(format!("{name}.c"));
        let exe = folder.join(name);
        compile(&source, &exe, &library, &[])?;
        let mut command = Command::new("valgrind");
        command.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
        command.args(["--errors-for-leak-kinds=definite", "--fair-sched=yes"]);
        command.arg(format!("--suppressions={}", capi().join("tests/c/valgrind.supp").display()));
        let dir = empty(folder.join("run"))?;
        run(command.arg(&exe).current_dir(dir).env("LD_LIBRARY_PATH", &library))?;
    }
    Ok(())
}
