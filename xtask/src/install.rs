//! `cargo xtask install`: libesent where C compilers and programs look for it: the libraries, the
//! header, and `esent.pc`, which tells pkg-config of them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    args::Args,
    paths,
    run::{Result, cargo, output, run},
};

/// Where programs that are built on a machine go, unless told otherwise.
const PREFIX: &str = "/usr/local";

pub(crate) fn main(args: &mut Args) -> Result<()> {
    let prefix = PathBuf::from(args.value("--prefix")?.unwrap_or_else(|| PREFIX.to_owned()));
    args.finish()?;
    // Names in esent.pc must hold from everywhere.
    let prefix = std::path::absolute(&prefix).map_err(|e| format!("{}: {e}", prefix.display()))?;
    run(&mut cargo(&["build", "--release", "--package", "ese-capi", "--lib"]))?;
    // Packagers put the files elsewhere than where they will be.
    let stage = std::env::var_os("DESTDIR").map(PathBuf::from);
    install(&paths::target().join("release"), &prefix, stage.as_deref())?;
    println!("install: libesent is in {}; pkg-config names it esent", prefix.display());
    println!("a program finds it at run time when {}/lib is known to ldconfig", prefix.display());
    Ok(())
}

/// Puts the files of a build below `prefix`, or below `stage` as if that were the root.
fn install(built: &Path, prefix: &Path, stage: Option<&Path>) -> Result<()> {
    let root = match stage {
        Some(stage) => stage.join(prefix.strip_prefix("/").unwrap_or(prefix)),
        None => prefix.to_path_buf(),
    };
    let package = paths::root().join("crates/ese-capi");
    let (lib, include) = (root.join("lib"), root.join("include"));
    let pkgconfig = lib.join("pkgconfig");
    for folder in [&include, &pkgconfig] {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    for name in ["libesent.so", "libesent.a"] {
        copy(&built.join(name), &lib.join(name))?;
    }
    copy(&package.join("include/esent.h"), &include.join("esent.h"))?;
    let template = package.join("esent.pc.in");
    let text = fs::read_to_string(&template).map_err(|e| format!("{}: {e}", template.display()))?;
    let text = text.replace("@prefix@", &prefix.display().to_string());
    let text = text.replace("@version@", env!("CARGO_PKG_VERSION"));
    let file = pkgconfig.join("esent.pc");
    fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))
}

/// A library that programs have loaded must not change below them: it is replaced as a whole.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let new = to.with_extension("new");
    fs::copy(from, &new).map_err(|e| format!("{}: {e}", from.display()))?;
    fs::rename(&new, to).map_err(|e| format!("{}: {e}", to.display()))
}

/// The host's triple, as Cargo names folders of builds for it.
pub(crate) fn host() -> Result<String> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc -vV does not name the host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_below_the_stage_and_names_the_prefix() {
        let folder = std::env::temp_dir().join(format!("ese-install-{}", std::process::id()));
        let (built, stage) = (folder.join("built"), folder.join("stage"));
        fs::create_dir_all(&built).unwrap();
        for name in ["libesent.so", "libesent.a"] {
            fs::write(built.join(name), name).unwrap();
        }
        install(&built, Path::new("/opt/ese"), Some(&stage)).unwrap();
        install(&built, Path::new("/opt/ese"), Some(&stage)).unwrap();
        let root = stage.join("opt/ese");
        assert_eq!(fs::read_to_string(root.join("lib/libesent.so")).unwrap(), "libesent.so");
        assert!(root.join("lib/libesent.a").exists() && root.join("include/esent.h").exists());
        let told = fs::read_to_string(root.join("lib/pkgconfig/esent.pc")).unwrap();
        assert!(told.contains("prefix=/opt/ese\n") && !told.contains('@'), "{told}");
        assert!(told.contains(&format!("Version: {}", env!("CARGO_PKG_VERSION"))), "{told}");
        fs::remove_dir_all(folder).unwrap();
    }
}
