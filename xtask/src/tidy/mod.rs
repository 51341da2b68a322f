//! `cargo xtask tidy`: rules of the house that compilers do not check.
//!
//! Every rule looks at the text of the files that git would commit and answers with lines
//! `path:line: what is wrong`. Function length, unwraps, casts and the like are clippy's
//! (`Cargo.toml`, `clippy.toml`).

mod layers;
mod lines;
mod modules;
mod rust_text;
mod unsafe_code;

use std::{fs, path::PathBuf, process::Command};

use crate::{
    args::Args,
    paths,
    run::{Result, output},
};

pub(crate) fn main(args: &mut Args) -> Result<()> {
    args.finish()?;
    check()
}

/// One text file of the repository.
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Does the name end in this extension?
    fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, e)| e == extension)
    }
}

/// What is wrong, one line each.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn add(&mut self, path: &str, line: usize, what: impl AsRef<str>) {
        self.0.push(format!("{path}:{line}: {}", what.as_ref()));
    }
}

/// Runs every rule over every file.
pub(crate) fn check() -> Result<()> {
    let sources = sources()?;
    let mut findings = Findings::default();
    for source in &sources {
        lines::check(source, &mut findings);
        modules::check(source, &mut findings);
    }
    unsafe_code::check(&sources, &mut findings);
    layers::check(&sources, &mut findings);
    findings.0.iter().for_each(|line| println!("{line}"));
    println!("tidy: {} files, {} findings", sources.len(), findings.0.len());
    if findings.0.is_empty() { Ok(()) } else { Err("the lines above are not tidy".to_string()) }
}

/// What git tracks or would track, text files only.
fn sources() -> Result<Vec<Source>> {
    let root = paths::root();
    let mut list = Command::new("git");
    list.current_dir(&root).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let mut sources = Vec::new();
    for path in output(&mut list)?.lines() {
        if path.ends_with("Cargo.lock") {
            continue; // written by cargo
        }
        let file: PathBuf = root.join(path);
        let Ok(bytes) = fs::read(&file) else { continue }; // removed, not yet committed
        let text = String::from_utf8(bytes).map_err(|_| format!("{path}: is not text"))?;
        sources.push(Source { path: path.to_string(), text });
    }
    Ok(sources)
}
