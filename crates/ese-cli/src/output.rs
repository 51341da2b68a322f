//! Standard output, buffered. A reader that goes away is an error here, never a panic.

use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write};

use serde_json::Value;

use crate::text;

#[derive(Debug)]
pub(crate) struct Output(BufWriter<StdoutLock<'static>>);

impl Output {
    pub(crate) fn new() -> Output {
        Output(BufWriter::with_capacity(64 << 10, io::stdout().lock()))
    }

    /// A line for people; names and messages out of a file steer no terminal.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text::printable(text).as_bytes())?;
        self.0.write_all(b"\n")
    }

    /// A value on one line.
    pub(crate) fn json(&mut self, value: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, value)?;
        self.0.write_all(b"\n")
    }

    pub(crate) fn raw(&mut self) -> &mut impl Write {
        &mut self.0
    }

    /// Writes what is buffered.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Columns of the terminal, if standard output is one.
pub(crate) fn terminal_width() -> Option<usize> {
    let terminal = console::Term::stdout();
    let size = terminal.is_term().then(|| terminal.size_checked()).flatten();
    size.map(|(_, columns)| usize::from(columns))
}

/// May standard output be coloured?
pub(crate) fn colours() -> bool {
    io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
