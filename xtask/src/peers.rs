//! `cargo xtask peers`: the foreign readers, pinned, in a Python environment of their own.
//!
//! Idempotent: a stamp file holds the requirement lists it was built from; another list, another
//! interpreter or `--force` rebuilds. Nothing outside `target/peers` is changed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::{
    args::Args,
    paths,
    run::{Result, output, run},
};

/// What Debian and its relatives call the missing pieces.
const INSTALL_HINT: &str = "on Debian or Ubuntu: apt install python3 python3-venv python3-dev gcc";

/// A package of each peer, imported to see that the environment works.
const MODULES: &str = "import pyesedb, dissect.esedb, impacket.ese, ziglang";

pub(crate) fn main(args: &mut Args) -> Result<()> {
    let force = args.flag("--force");
    args.finish()?;
    ensure(force)
}

/// Makes sure that the environment exists and works. Of two threads one makes it, and the other
/// waits for that.
pub(crate) fn ensure(force: bool) -> Result<()> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let venv = paths::peers().join("venv");
    let stamp_file = paths::peers().join("stamp");
    let lists = requirement_lists();
    let python = system_python()?;
    let stamp = stamp_text(&python, &lists)?;
    if !force && fs::read_to_string(&stamp_file).is_ok_and(|s| s == stamp) && works(&venv) {
        println!("peers: {} is up to date", venv.display());
        return Ok(());
    }
    let start = Instant::now();
    c_compiler()?;
    if venv.exists() {
        fs::remove_dir_all(&venv).map_err(|e| format!("{}: {e}", venv.display()))?;
    }
    fs::create_dir_all(paths::peers()).map_err(|e| format!("{}: {e}", paths::peers().display()))?;
    run(Command::new(&python).args(["-m", "venv"]).arg(&venv))
        .map_err(|e| format!("{e}; Python's venv module is needed, {INSTALL_HINT}"))?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    for list in &lists {
        pip.arg("-r").arg(list);
    }
    run(&mut pip).map_err(|e| {
        format!(
            "{e}; the packages come from PyPI, and libesedb is compiled, which needs a C compiler \
             and Python's headers ({INSTALL_HINT})"
        )
    })?;
    if !works(&venv) {
        return Err(format!("{} was set up, but {MODULES:?} fails in it", venv.display()));
    }
    fs::write(&stamp_file, stamp).map_err(|e| format!("{}: {e}", stamp_file.display()))?;
    println!("peers: ready in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// The pinned packages; those of the independent checkers only where the checkers are.
fn requirement_lists() -> Vec<PathBuf> {
    let folder = paths::root().join("tests/peers");
    let mut lists = vec![folder.join("requirements.txt")];
    if paths::shared().is_some_and(|s| s.join("tools").is_dir()) {
        lists.push(folder.join("requirements-checkers.txt"));
    }
    lists
}

fn stamp_text(python: &Path, lists: &[PathBuf]) -> Result<String> {
    let mut text = output(Command::new(python).arg("--version"))?;
    for list in lists {
        text += &fs::read_to_string(list).map_err(|e| format!("{}: {e}", list.display()))?;
    }
    Ok(text)
}

fn works(venv: &Path) -> bool {
    output(Command::new(venv.join("bin/python")).args(["-c", MODULES])).is_ok()
}

fn system_python() -> Result<PathBuf> {
    let version_check = "import sys; sys.exit(sys.version_info < (3, 10))";
    for name in ["python3", "python"] {
        if output(Command::new(name).args(["-c", version_check])).is_ok() {
            return Ok(PathBuf::from(name));
        }
    }
    Err(format!("Python 3.10 or newer was not found as python3; {INSTALL_HINT}"))
}

fn c_compiler() -> Result<()> {
    let names = ["cc", "gcc", "clang"];
    let found = names.iter().any(|n| output(Command::new(n).arg("--version")).is_ok());
    if found { Ok(()) } else { Err(format!("no C compiler ({names:?}); {INSTALL_HINT}")) }
}
