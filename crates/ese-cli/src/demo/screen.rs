//! What the demo prints: steps with aligned labels, or one JSON object per step.

use std::io;

use serde_json::Value;

use crate::output::{Output, colours};

/// Characters of the labels.
const LABEL: usize = 8;

/// A line of a step: something that is told, or something that was checked.
#[derive(Clone, Debug)]
pub(super) enum Line {
    Told(String),
    Checked(bool, String),
}

#[derive(Debug)]
pub(super) struct Screen {
    json: bool,
    quiet: bool,
    colours: bool,
}

impl Screen {
    /// A quiet one shows what did not hold, and the last word.
    pub(super) fn new(json: bool, quiet: bool) -> Screen {
        Screen { json, quiet, colours: colours() }
    }

    /// A heading above everything.
    pub(super) fn heading(&self, text: &str) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        self.print(&[String::new(), format!("  {}", self.paint("1", text)), String::new()])
    }

    /// A step that is done: its label beside its lines.
    pub(super) fn step(&self, label: &str, lines: &[Line]) -> io::Result<()> {
        let mut label = format!("{label:<LABEL$}");
        let mut all = Vec::with_capacity(lines.len());
        let shown = |line: &&Line| !self.quiet || matches!(line, Line::Checked(false, _));
        for line in lines.iter().filter(shown) {
            let (mark, text) = match line {
                Line::Told(text) => ("  ".to_owned(), text),
                Line::Checked(true, text) => (self.paint("32", "ok"), text),
                Line::Checked(false, text) => (self.paint("1;31", "!!"), text),
            };
            all.push(format!("  {}  {mark}  {text}", self.paint("1;36", &label)));
            label = " ".repeat(LABEL);
        }
        self.print(&all)
    }

    /// The last word, after an empty line.
    pub(super) fn end(&self, held: bool, lines: &[String]) -> io::Result<()> {
        let colour = if held { "1;32" } else { "1;31" };
        let mut all = if self.quiet { Vec::new() } else { vec![String::new()] };
        let lines = if self.quiet { lines.get(..1).unwrap_or_default() } else { lines };
        let painted = lines.iter().enumerate().map(|(at, line)| {
            if at == 0 { format!("  {}", self.paint(colour, line)) } else { format!("  {line}") }
        });
        all.extend(painted);
        if !self.quiet {
            all.push(String::new());
        }
        self.print(&all)
    }

    /// The same step for programs.
    pub(super) fn json(&self, step: &Value) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        let mut output = Output::new();
        output.json(step)?;
        output.flush()
    }

    fn print(&self, lines: &[String]) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        let mut output = Output::new();
        for line in lines {
            output.line(line.trim_end())?;
        }
        output.flush()
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
