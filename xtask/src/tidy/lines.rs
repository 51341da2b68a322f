//! Rules for single lines and file lengths: width, ASCII, words that must not stay.

use super::{Findings, Source};

/// Columns of a line; tables, descriptions of packages and lines that hold a URL may be longer.
const COLUMNS_MAX: usize = 100;

/// Columns of prose in pages.
const PROSE_COLUMNS_MAX: usize = 160;

/// Columns of a Rust line that holds a message: breaking it would hide it from a search.
const MESSAGE_COLUMNS_MAX: usize = 120;

/// Rust files that are one table, a row a line.
const TABLES: [&str; 2] =
    ["crates/ese-base/src/codes.rs", "crates/ese-backup/src/session/table.rs"];

/// Lines of a Rust file; a longer one holds two ideas.
const FILE_LINES_MAX: usize = 900;

/// Unfinished work belongs into an issue. Written in halves so that this file passes.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Names of one machine or registry; a clone elsewhere has others.
const MACHINE_WORDS: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("crates", ".io"),
    concat!("py", "pi.org"),
    concat!("python", "hosted"),
    concat!("np", "mjs"),
];

pub(crate) fn check(source: &Source, findings: &mut Findings) {
    let path = &source.path;
    let licence = path.starts_with("LICENSE");
    let markdown = source.is("md");
    for (number, line) in (1_usize..).zip(source.text.lines()) {
        let may_be_long = licence
            || line.contains("://")
            || (markdown && line.trim_start().starts_with('|'))
            || line.starts_with("description = ")
            || TABLES.contains(&path.as_str());
        let columns_max = match (markdown, line.contains('"')) {
            (true, _) => PROSE_COLUMNS_MAX,
            (false, true) => MESSAGE_COLUMNS_MAX,
            (false, false) => COLUMNS_MAX,
        };
        if !may_be_long && line.chars().count() > columns_max {
            findings.add(path, number, format!("longer than {columns_max} columns"));
        }
        if !line.is_ascii() {
            findings.add(path, number, "not ASCII");
        }
        if line.ends_with([' ', '\t']) {
            findings.add(path, number, "space at the end of the line");
        }
        if !licence && line.contains('\t') {
            findings.add(path, number, "tab");
        }
        if let Some(word) = UNFINISHED.iter().find(|w| has_word(line, w)) {
            findings.add(path, number, format!("{word}: open an issue instead"));
        }
        if let Some(word) = MACHINE_WORDS.iter().find(|w| line.contains(**w)) {
            findings.add(path, number, format!("{word} exists on one machine only"));
        }
    }
    let count = source.text.lines().count();
    if source.is("rs") && count > FILE_LINES_MAX {
        findings.add(path, count, format!("longer than {FILE_LINES_MAX} lines: split by idea"));
    }
    if !source.text.is_empty() && !source.text.ends_with('\n') {
        findings.add(path, count, "no line end at the end of the file");
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !is_part(line[..at].chars().next_back()) && !is_part(line[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check(&Source { path: path.to_string(), text: text.to_string() }, &mut findings);
        findings.0
    }

    #[test]
    fn wide_lines_foreign_letters_and_open_ends_are_found() {
        assert_eq!(findings("a.rs", &format!("{}\n", "x".repeat(100))), [""; 0]);
        assert_eq!(findings("a.rs", &format!("{}\n", "x".repeat(101))).len(), 1);
        assert_eq!(findings("a.rs", &format!("// {}\n", UNFINISHED[0])).len(), 1);
        assert_eq!(findings("a.rs", &format!("let {}S = 1;\n", UNFINISHED[0])).len(), 0);
        assert_eq!(findings("a.md", "na\u{ef}ve\n").len(), 1);
        assert_eq!(findings("a.md", &format!("see {}x\n", MACHINE_WORDS[0])).len(), 1);
        assert_eq!(findings("a.rs", "fn a() {} \nfn b() {}").len(), 2);
    }

    #[test]
    fn tables_and_urls_may_be_wide() {
        let wide = "x".repeat(120);
        assert_eq!(findings("a.md", &format!("| {wide} |\n")), [""; 0]);
        assert_eq!(findings("a.rs", &format!("// https://{wide}\n")), [""; 0]);
        assert_eq!(findings("a.rs", &"\n".repeat(FILE_LINES_MAX + 1)).len(), 1);
    }
}
