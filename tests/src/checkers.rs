//! The independent checkers of structure and checksums (Python, outside the repository).

use std::{fmt::Write, path::Path, path::PathBuf};

use crate::{Peers, paths::beside, peers, skip};

/// `edbcheck`: reads a closed database from its format description alone.
#[derive(Clone, Debug)]
pub struct Checkers {
    folder: PathBuf,
    peers: Peers,
}

/// The checkers, or `None` (after saying so) where they are absent.
#[must_use]
pub fn checkers(test: &str) -> Option<Checkers> {
    let folder = beside("tools/edbcheck");
    if folder.is_dir() {
        return peers(test).map(|peers| Checkers { folder, peers });
    }
    skip(test, &format!("no independent checkers in {}", folder.display()));
    None
}

impl Checkers {
    /// Checks the checksums of all pages, then the structure of all trees, the space, the catalog
    /// and the records of a closed database.
    ///
    /// # Errors
    /// What the checkers found, in their words.
    pub fn check(&self, file: &Path) -> Result<(), String> {
        let mut findings = String::new();
        // Each prints one line a file; the second one exits with 0 whatever it finds.
        for (script, clean) in [("check_pages.py", "BAD=0"), ("verify_all.py", "FAILED=0 ")] {
            let mut command = self.peers.run(&self.folder.join(script));
            let out = command.arg(file).current_dir(&self.folder).output();
            let out = out.map_err(|e| format!("{script}: {e}"))?;
            let text = String::from_utf8_lossy(&out.stdout);
            if !out.status.success() || !text.contains(clean) {
                let words = String::from_utf8_lossy(&out.stderr);
                write!(findings, "{script}: {text}{words}").map_err(|e| e.to_string())?;
            }
        }
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }
}
