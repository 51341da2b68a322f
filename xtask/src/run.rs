//! Running programs: every command is shown before it runs, and a failure says which one it was.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
    thread,
};

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
