//! Asking the foreign readers: Python scripts of `tests/peers` that print JSON lines.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{skip, workspace_root};

/// The Python environment that `cargo xtask peers` makes.
#[derive(Clone, Debug)]
pub struct Peers {
    python: PathBuf,
}

/// One of the three foreign readers of databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// libesedb (what `esedbexport` uses), through pyesedb.
    Pyesedb,
    /// dissect.esedb.
    Dissect,
    /// impacket's reader.
    Impacket,
}

/// A row as a foreign reader sees it: column name and value (forms: `tests/peers/read_all.py`).
pub type Row = serde_json::Map<String, Value>;

impl Reader {
    /// All of them.
    pub const ALL: [Reader; 3] = [Reader::Pyesedb, Reader::Dissect, Reader::Impacket];

    /// Its name on the scripts' command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Reader::Pyesedb => "pyesedb",
            Reader::Dissect => "dissect",
            Reader::Impacket => "impacket",
        }
    }

    /// Does this reader print the stored filler (zero in files of ours) of a fixed column that is
    /// NULL, instead of null?
    #[must_use]
    pub fn shows_null_as_filler(self) -> bool {
        matches!(self, Reader::Pyesedb | Reader::Impacket)
    }
}

/// The environment, or `None` (after saying so) where it was not set up.
#[must_use]
pub fn peers(test: &str) -> Option<Peers> {
    let python = workspace_root().join("target/peers/venv/bin/python");
    if python.exists() {
        return Some(Peers { python });
    }
    skip(test, "the foreign readers: run `cargo xtask peers`");
    None
}

impl Peers {
    /// A command that runs a script of `tests/peers`.
    #[must_use]
    pub fn script(&self, name: &str) -> Command {
        self.run(&workspace_root().join("tests/peers").join(name))
    }

    /// A command that runs a Python file.
    pub(crate) fn run(&self, file: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(file).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Runs a script and hands every printed line to `each`.
    ///
    /// # Panics
    /// If a line is no JSON, or the script fails; its own words are in the message.
    pub fn json_lines(
        &self,
        script: &str,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        mut each: impl FnMut(Value),
    ) {
        let mut command = self.script(script);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("python can be started");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        for line in lines {
            let line = line.expect("the script prints text");
            each(serde_json::from_str(&line).unwrap_or_else(|e| panic!("{script}: {e}: {line}")));
        }
        let out = child.wait_with_output().expect("the script ends");
        let words = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{script} ({}): {}", out.status, words.trim());
    }

    /// Every row of a table as a reader sees it, in its order.
    ///
    /// # Panics
    /// If the reader fails, or its output is cut short.
    #[must_use]
    pub fn rows(&self, reader: Reader, file: &Path, table: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        self.each_row(reader, file, table, |row| rows.push(row));
        rows
    }

    /// As [`Peers::rows`], for tables that are better not held in memory: one row after the other.
    ///
    /// # Panics
    /// As [`Peers::rows`].
    pub fn each_row(&self, reader: Reader, file: &Path, table: &str, mut each: impl FnMut(Row)) {
        let args = ["--reader", reader.name(), "--table", table].map(OsStr::new);
        let mut count: u64 = 0;
        let mut told = None;
        self.json_lines(
            "read_all.py",
            args.into_iter().chain([file.as_os_str()]),
            |line| match line {
                Value::Object(mut object) => match object.remove("row") {
                    Some(Value::Object(row)) => {
                        count += 1;
                        each(row);
                    }
                    _ => told = object.get("rows").and_then(Value::as_u64),
                },
                other => panic!("not an object: {other}"),
            },
        );
        assert_eq!(told, Some(count), "{} was cut short", reader.name());
    }
}
