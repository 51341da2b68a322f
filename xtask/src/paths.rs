//! Where things are in the repository.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The workspace root: the parent of this package's folder.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// The folder with the peers' Python environment; always under the workspace, whatever
/// `CARGO_TARGET_DIR` says, so that tests find it.
pub(crate) fn peers() -> PathBuf {
    root().join("target/peers")
}

/// Cargo's target folder of the running build.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Real data and independent checkers that are not part of the repository. `None` in an ordinary
/// clone.
pub(crate) fn shared() -> Option<PathBuf> {
    let beside = root().parent()?.join("shared");
    beside.is_dir().then_some(beside)
}
