//! What the demo prints: steps with aligned labels, lines broken between words where a terminal is
//! narrow, or one JSON object per step.

use std::io::{self, Write as _};

use serde_json::Value;

use crate::output::{Output, colours, terminal_width};

/// Characters of the labels.
const LABEL: usize = 8;
/// Characters of a step's lines before their text: margin, label, mark, and spaces between.
const BEFORE: usize = LABEL + 8;
/// No line of text is made narrower than this.
const NARROWEST: usize = 24;

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
    /// Of the terminal, if it is one.
    width: Option<usize>,
}

impl Screen {
    /// A quiet one shows what did not hold, and the last word.
    pub(super) fn new(json: bool, quiet: bool) -> Screen {
        Screen { json, quiet, colours: colours(), width: terminal_width() }
    }

    /// A heading above everything.
    pub(super) fn heading(&self, text: &str) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        let mut all = vec![String::new()];
        all.extend(self.wrap(text, 2).iter().map(|text| format!("  {}", self.paint("1", text))));
        all.push(String::new());
        self.print(&all)
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
            let mut mark = mark;
            for text in self.wrap(text, BEFORE) {
                all.push(format!("  {}  {mark}  {text}", self.paint("1;36", &label)));
                (label, mark) = (" ".repeat(LABEL), "  ".to_owned());
            }
        }
        self.print(&all)
    }

    /// The last word, after an empty line.
    pub(super) fn end(&self, held: bool, lines: &[String]) -> io::Result<()> {
        let colour = if held { "1;32" } else { "1;31" };
        let mut all = if self.quiet { Vec::new() } else { vec![String::new()] };
        let lines = if self.quiet { lines.get(..1).unwrap_or_default() } else { lines };
        for (at, line) in lines.iter().enumerate() {
            let painted = |text: &String| match at {
                0 => format!("  {}", self.paint(colour, text)),
                _ => format!("  {text}"),
            };
            all.extend(self.wrap(line, 2).iter().map(painted));
        }
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
            // With colours; every name in it is the demo's own.
            writeln!(output.raw(), "{}", line.trim_end())?;
        }
        output.flush()
    }

    fn wrap(&self, text: &str, before: usize) -> Vec<String> {
        match self.width {
            Some(width) => wrap(text, width.saturating_sub(before).max(NARROWEST)),
            None => vec![text.to_owned()],
        }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Lines of whole words, each up to `width` characters; a longer word has a line of its own. Spaces
/// within a line stay as they are.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + word.trim_end().chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_only() {
        assert_eq!(wrap("the reader got 2 of 9 MiB", 14), ["the reader got", "2 of 9 MiB"]);
        assert_eq!(wrap("/a/long/path/of/a/file, pages", 10), ["/a/long/path/of/a/file,", "pages"]);
        assert_eq!(wrap("files   60,000", 40), ["files   60,000"]);
        assert_eq!(wrap("", 40), [""]);
    }
}
