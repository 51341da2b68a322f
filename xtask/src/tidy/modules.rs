//! Every module opens with `//!`: what a reader must know first.

use super::{Findings, Source};

pub(crate) fn check(source: &Source, findings: &mut Findings) {
    if !source.is("rs") || source.path.ends_with("/tests.rs") {
        return;
    }
    let first = source.text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with("#!"));
    if !first.is_some_and(|line| line.starts_with("//! ")) {
        findings.add(&source.path, 1, "no module head (//! what a reader must know first)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        let mut findings = Findings::default();
        check(&Source { path: path.to_string(), text: text.to_string() }, &mut findings);
        findings.0.len()
    }

    #[test]
    fn a_module_without_a_head_is_found() {
        assert_eq!(count("crates/a/src/b.rs", "//! Head.\nuse x;\n"), 0);
        assert_eq!(count("crates/a/src/b.rs", "#![no_main]\n//! Head.\n"), 0);
        assert_eq!(count("crates/a/src/b.rs", "use x;\n"), 1);
        assert_eq!(count("crates/a/src/b/tests.rs", "use x;\n"), 0);
    }
}
