//! Running programs: every command is shown before it runs, and a failure says which one it was.

use std::{
    io::{BufRead, BufReader, Read},
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use serde_json::Value as Json;

/// Errors of this tool are messages for the person at the terminal.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// The `cargo` that runs this program.
pub(crate) fn cargo(words: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(words).current_dir(crate::paths::root());
    command
}

/// Shows and runs a command; its output goes to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", describe(command));
    let status = command.status().map_err(|e| cannot_start(command, &e))?;
    if status.success() { Ok(()) } else { Err(format!("{} ({status})", describe(command))) }
}

/// Runs a command quietly and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = command.stderr(Stdio::piped()).output().map_err(|e| cannot_start(command, &e))?;
    if !out.status.success() {
        let words = String::from_utf8_lossy(&out.stderr);
        return Err(format!("{} ({}): {}", describe(command), out.status, words.trim()));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// What a run of tests said about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Counts {
    /// Reads one line of output: a closing line of the test runner, or a test's own loud
    /// "SKIPPED: reason" (such a test counts as passed for the runner, so it is moved here).
    fn take_line(&mut self, line: &str) {
        if line.starts_with("SKIPPED:") {
            self.skipped += 1;
            return;
        }
        let Some(rest) = line.strip_prefix("test result: ") else { return };
        let mut words = rest.split([' ', ';', '.']).filter(|w| !w.is_empty()).peekable();
        while let Some(word) = words.next() {
            let Ok(number) = word.parse::<u64>() else { continue };
            match words.peek() {
                Some(&"passed") => self.passed += number,
                Some(&"failed") => self.failed += number,
                Some(&"ignored") => self.skipped += number,
                _ => {}
            }
        }
    }
}

/// A program full of tests, as cargo has built it.
pub(crate) struct TestProgram {
    path: PathBuf,
    /// The folder of its package, in which its tests expect to run.
    package: PathBuf,
}

/// Builds the test programs that a `cargo test` names, and runs none.
pub(crate) fn build_tests(command: &mut Command) -> Result<Vec<TestProgram>> {
    command.args(["--no-run", "--message-format", "json-render-diagnostics"]);
    println!("$ {}", describe(command));
    let out = command.stderr(Stdio::inherit()).output().map_err(|e| cannot_start(command, &e))?;
    if !out.status.success() {
        return Err(format!("{} ({})", describe(command), out.status));
    }
    let messages = String::from_utf8_lossy(&out.stdout);
    Ok(messages.lines().filter_map(test_program).collect())
}

/// The program that a message of cargo is about, if it is about one with tests.
fn test_program(message: &str) -> Option<TestProgram> {
    let message: Json = serde_json::from_str(message).ok()?;
    let is_test = message["profile"]["test"].as_bool()?;
    let path = PathBuf::from(message["executable"].as_str().filter(|_| is_test)?);
    let package = Path::new(message["manifest_path"].as_str()?).parent()?.to_path_buf();
    Some(TestProgram { path, package })
}

/// Runs test programs, as many side by side as there are processors: many wait for the disk, and
/// for themselves. What a program prints is shown when it has ended. One that fails ends no other.
pub(crate) fn run_side_by_side(programs: &[TestProgram]) -> (Counts, Result<()>) {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((Counts::default(), Vec::new()));
    let work = || {
        while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (counts, result) = program.run();
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.0 += counts;
            done.1.extend(result.err());
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    let (counts, failed) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (programs.is_empty(), failed.is_empty()) {
        (true, _) => (counts, Err("there was no program with tests".to_owned())),
        (_, true) => (counts, Ok(())),
        _ => (counts, Err(failed.join("; "))),
    }
}

impl TestProgram {
    fn run(&self) -> (Counts, Result<()>) {
        let name = self.path.file_name().unwrap_or_default().display();
        let mut command = Command::new(&self.path);
        command.current_dir(&self.package).env("CARGO_MANIFEST_DIR", &self.package);
        let start = Instant::now();
        let out = match command.output() {
            Ok(out) => out,
            Err(error) => return (Counts::default(), Err(cannot_start(&command, &error))),
        };
        let mut counts = Counts::default();
        let told = [&out.stdout, &out.stderr].map(|text| String::from_utf8_lossy(text));
        let lines = || told.iter().flat_map(|text| text.lines());
        lines().for_each(|line| counts.take_line(line));
        let seconds = start.elapsed().as_secs_f64();
        // In one piece, so that two programs do not mix their lines.
        println!("\n     Ran {name} in {seconds:.1} s\n{}{}", told[0], told[1]);
        counts.passed = counts.passed.saturating_sub(counts.skipped);
        let closed = lines().any(|line| line.starts_with("test result: "));
        let result = match (out.status.success(), closed) {
            (true, true) => Ok(()),
            (true, false) => Err(format!("{name} ended without a result")),
            _ => Err(format!("{name} ({})", out.status)),
        };
        (counts, result)
    }
}

/// Shows and runs a command that runs tests; its output goes to the terminal and is counted.
pub(crate) fn run_tests(command: &mut Command) -> (Counts, Result<()>) {
    println!("$ {}", describe(command));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return (Counts::default(), Err(cannot_start(command, &e))),
    };
    let mut counts = Counts::default();
    let mut closing_lines = 0_u32;
    let stderr = child.stderr.take();
    let stderr_reader = thread::Builder::new().spawn(move || {
        let mut counts = Counts::default();
        for_each_line(stderr, |line| {
            eprintln!("{line}");
            counts.take_line(line);
        });
        counts
    });
    for_each_line(child.stdout.take(), |line| {
        println!("{line}");
        counts.take_line(line);
        closing_lines += u32::from(line.starts_with("test result: "));
    });
    match stderr_reader.map(thread::JoinHandle::join) {
        Ok(Ok(more)) => counts += more,
        _ => return (counts, Err("the reader of the tests' messages failed".to_string())),
    }
    counts.passed = counts.passed.saturating_sub(counts.skipped);
    let result = match child.wait() {
        Ok(status) if !status.success() => Err(format!("{} ({status})", describe(command))),
        Ok(_) if closing_lines == 0 => Err(format!("{} ran no test", describe(command))),
        Ok(_) => Ok(()),
        Err(e) => Err(cannot_start(command, &e)),
    };
    (counts, result)
}

fn for_each_line(stream: Option<impl Read>, mut f: impl FnMut(&str)) {
    let Some(stream) = stream else { return };
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    // By bytes: a test may print what is not UTF-8, and that must not end the reading.
    while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        f(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}

/// The command as one would type it, with the variables it sets.
pub(crate) fn describe(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(k, v)| Some(format!("{}={}", k.display(), quoted(&v?.to_string_lossy()))))
        .collect();
    let program = Path::new(command.get_program());
    words.push(program.file_name().unwrap_or(command.get_program()).display().to_string());
    words.extend(command.get_args().map(|a| quoted(&a.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("'{word}'") } else { word.to_string() }
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("cannot run {}: {error}", describe(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_the_test_runner_are_counted() {
        let mut counts = Counts::default();
        counts.take_line("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered");
        counts.take_line("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured");
        counts.take_line("SKIPPED: no real data");
        counts.take_line("test a_name ... ok");
        assert_eq!(counts, Counts { passed: 13, failed: 2, skipped: 2 });
    }

    #[test]
    fn test_programs_are_known_by_the_messages_of_cargo() {
        let message = |test, executable| {
            format!(
                r#"{{"manifest_path":"/a/b/Cargo.toml","profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        let program = test_program(&message(true, r#""/t/x""#)).unwrap();
        assert_eq!((program.path, program.package), ("/t/x".into(), "/a/b".into()));
        assert!(test_program(&message(false, r#""/t/x""#)).is_none());
        assert!(test_program(&message(true, "null")).is_none());
        assert!(test_program("no message").is_none());
    }

    #[test]
    fn a_program_without_a_result_fails_and_the_others_run() {
        let shell = |script: &str| {
            let dir =
                std::env::temp_dir().join(format!("xtask-{}-{}", std::process::id(), script.len()));
            std::fs::create_dir_all(&dir).unwrap();
            let path = dir.join("program");
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            run(Command::new("chmod").arg("700").arg(&path)).unwrap();
            TestProgram { path, package: dir }
        };
        let fine = "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'";
        let failed = "echo 'test result: FAILED. 1 passed; 1 failed; 0 ignored'; exit 101";
        let programs = [shell(fine), shell("exit 0"), shell(failed)];
        let (counts, result) = run_side_by_side(&programs);
        assert_eq!(counts, Counts { passed: 3, failed: 1, skipped: 0 });
        let told = result.unwrap_err();
        assert!(told.contains("without a result") && told.contains("101"), "{told}");
        programs.iter().for_each(|program| std::fs::remove_dir_all(&program.package).unwrap());
        assert!(run_side_by_side(&[]).1.is_err());
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/env");
        command.args(["a", "b c"]).env("KEY", "x y");
        assert_eq!(describe(&command), "KEY='x y' env a 'b c'");
    }

    #[test]
    fn a_failing_program_is_an_error_with_its_own_words() {
        let error = output(Command::new("sh").args(["-c", "echo no room >&2; exit 3"]));
        assert!(error.unwrap_err().contains("no room"));
        assert!(run(&mut Command::new("/no/such/program")).is_err());
    }
}
