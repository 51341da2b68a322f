//! `unsafe` stands only where design says so, each with its argument, all counted in
//! `docs/unsafe.md`.

use super::{Findings, Source, rust_text::code_only};

/// Folders that may hold `unsafe`, and single files with the reason.
const ALLOWED: &[&str] = &[
    "crates/ese-os/src/",
    "crates/ese-pages/src/",
    // Pointers and functions that callers of the C interface give.
    "crates/ese-capi/src/calls.rs",
    "crates/ese-capi/src/ptr.rs",
    "crates/ese-capi/src/types/mod.rs",
    // Opening LMDB is an unsafe call of its binding (the map must not be changed by others).
    "benches/src/engines/lmdb.rs",
];

/// The page that lists each file with its number of `unsafe` and the argument.
const PAGE: &str = "docs/unsafe.md";

/// Lines above an `unsafe` that may hold its argument.
const REACH: usize = 12;

pub(crate) fn check(sources: &[Source], findings: &mut Findings) {
    let page = sources.iter().find(|s| s.path == PAGE).map_or("", |s| s.text.as_str());
    for source in sources.iter().filter(|s| s.is("rs")) {
        let lines = unsafe_lines(&source.text);
        let Some(&first) = lines.first() else {
            if page.contains(&row_start(&source.path)) {
                findings.add(PAGE, 1, format!("{} has no unsafe any more", source.path));
            }
            continue;
        };
        if !ALLOWED.iter().any(|a| source.path.starts_with(a)) {
            findings.add(&source.path, first, "unsafe is not allowed in this crate");
        }
        let text: Vec<&str> = source.text.lines().collect();
        for &line in lines.iter().filter(|&&line| !has_argument(&text, line)) {
            findings.add(&source.path, line, "unsafe without a SAFETY comment right above");
        }
        if !source.path.ends_with("/tests.rs")
            && !page.contains(&format!("{} {} |", row_start(&source.path), lines.len()))
        {
            findings.add(
                PAGE,
                1,
                format!("wants the row `{} {} | ... |`", row_start(&source.path), lines.len()),
            );
        }
    }
}

fn row_start(path: &str) -> String {
    format!("| `{path}` |")
}

/// Numbers of the lines that open an unsafe block, function, trait or implementation.
fn unsafe_lines(text: &str) -> Vec<usize> {
    let code = code_only(text);
    let is_unsafe = |line: &str| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
            // Attributes such as #[unsafe(no_mangle)] and lint names are not blocks.
            && !line.trim_start().starts_with("#")
    };
    (1..).zip(code.lines()).filter(|(_, line)| is_unsafe(line)).map(|(n, _)| n).collect()
}

/// Is there a SAFETY comment (or a `# Safety` section) above, with only comments, attributes and
/// the start of the same statement between?
fn has_argument(text: &[&str], line: usize) -> bool {
    let argues = |l: &str| l.contains("SAFETY:") || l.contains("# Safety");
    let above = text[..line].iter().rev().take(REACH);
    above.take_while(|l| !l.trim().is_empty()).any(|l| argues(l))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str, page: &str) -> Vec<String> {
        let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
        let mut findings = Findings::default();
        check(&[source(path, text), source(PAGE, page)], &mut findings);
        findings.0
    }

    const ARGUED: &str = "fn a() {\n    // SAFETY: one\n    unsafe { b() }\n}\n";

    #[test]
    fn unsafe_in_the_wrong_crate_is_found() {
        let page = "| `crates/ese-log/src/a.rs` | 1 | why |";
        assert_eq!(findings("crates/ese-log/src/a.rs", ARGUED, page).len(), 1);
    }

    #[test]
    fn unsafe_without_its_argument_or_its_row_is_found() {
        let path = "crates/ese-os/src/a.rs";
        let page = format!("{} 1 | why |", row_start(path));
        assert_eq!(findings(path, ARGUED, &page), [""; 0]);
        assert_eq!(findings(path, ARGUED, "").len(), 1);
        assert_eq!(findings(path, "fn a() {\n    unsafe { b() }\n}\n", &page).len(), 1);
        assert_eq!(findings(path, "// unsafe is a word here\n", &page).len(), 1, "stale row");
    }
}
