//! Where things are, and the rule for what is not there.

use std::{
    env,
    io::{Write, stderr},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// The folder with the root `Cargo.toml`.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// Databases and logs that Windows wrote: `ESE_TESTDATA`, or `../shared/data` from the workspace
/// root. `None` (after saying so) where they are absent; see the crate's head for the rule.
#[must_use]
pub fn real_data(test: &str) -> Option<PathBuf> {
    let folder = match env::var_os("ESE_TESTDATA") {
        Some(folder) => PathBuf::from(folder),
        None => beside("data"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    skip(test, &format!("no real data in {} (ESE_TESTDATA)", folder.display()));
    None
}

/// A folder of what lies beside the repository on development machines.
pub(crate) fn beside(name: &str) -> PathBuf {
    let root = workspace_root();
    root.parent().unwrap_or(&root).join("shared").join(name)
}

/// Says on the terminal that a test could not run.
///
/// # Panics
/// With `CI=true`: there everything must be present.
pub fn skip(test: &str, reason: &str) {
    assert!(env::var("CI").as_deref() != Ok("true"), "{test} needs: {reason}");
    // Straight to the stream: the test runner captures only the print macros. If even this fails,
    // there is nobody to tell.
    drop(writeln!(stderr(), "SKIPPED: {test}: {reason}"));
}

/// A new empty folder on the disk that holds the build (a real file system, unlike many `/tmp`),
/// removed when dropped.
///
/// # Panics
/// If it cannot be created.
#[must_use]
pub fn scratch() -> TempDir {
    let parent = target_folder().join("test-scratch");
    std::fs::create_dir_all(&parent).expect("the target folder can be written");
    tempfile::Builder::new().tempdir_in(parent).expect("the target folder can be written")
}

/// Three levels above the running test program.
fn target_folder() -> PathBuf {
    let program = env::current_exe().expect("the running program has a path");
    program.ancestors().nth(3).expect("test programs lie in target/PROFILE/deps").to_path_buf()
}
