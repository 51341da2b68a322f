//! The databases of an instance that do not lie in its directory.

use std::path::{Path, PathBuf};

use ese_base::{Result, Signature};
use ese_log::{LogNames, LogStream};
use ese_os::{Env, OpenMode, is_link};
use ese_pages::{DbHeader, header::read_header};

use crate::restore::{databases_in, find_base};

/// Directories below one another that are looked through.
const DEPTH_MAX: u32 = 16;

/// The databases of an instance that do not lie in its directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// In directories below it.
    pub below: Vec<PathBuf>,
    /// Anywhere else: where the headers of the log say that they were attached, and still are.
    pub outside: Vec<PathBuf>,
}

/// Looks for databases that belong to the log in `dir` and do not lie in it. Below it every file is
/// looked at, but for directories that have a log of their own; of those outside only the log can
/// tell, by what its headers list as attached.
///
/// # Errors
/// The file system's, of reading `dir` and its log; as [`databases_in`].
pub fn databases_elsewhere(env: &Env, dir: &Path) -> Result<Elsewhere> {
    let mut found = Elsewhere::default();
    let Some(base) = find_base(env, dir)? else { return Ok(found) };
    let stream = LogStream::scan(env, &LogNames::new(dir, &base))?;
    let sign_log = stream.readable_header()?.signature;
    let mut seen: Vec<Signature> = Vec::new();
    for path in databases_in(env, dir)? {
        seen.extend(header_of(env, &path).map(|header| header.sign_db));
    }
    walk(env, dir, 0, &mut |path| {
        let ours = belongs(env, &path, sign_log);
        if ours.is_some_and(|signature| insert(&mut seen, signature)) {
            found.below.push(path);
        }
    })?;
    let files = stream.archives().map(|(_, file)| file).chain(stream.current());
    for attachment in files.filter_map(|file| file.header().ok()).flat_map(|it| &it.attachments) {
        let path = PathBuf::from(&attachment.path);
        let there = path.is_absolute() && belongs(env, &path, sign_log) == Some(attachment.sign_db);
        if there && insert(&mut seen, attachment.sign_db) {
            found.outside.push(path);
        }
    }
    Ok(found)
}

/// False: it was seen before.
fn insert(seen: &mut Vec<Signature>, signature: Signature) -> bool {
    let new = !seen.contains(&signature);
    seen.extend(new.then_some(signature));
    new
}

fn header_of(env: &Env, path: &Path) -> Option<DbHeader> {
    let file = env.fs.open(path, OpenMode::Read).ok()?;
    read_header(file.as_ref()).ok().map(|located| located.header)
}

/// The signature of a database that this log was the last to change, and that is no backup's copy.
fn belongs(env: &Env, path: &Path, sign_log: Signature) -> Option<Signature> {
    let header = header_of(env, path)?;
    (header.sign_log == sign_log && !header.is_backup_copy()).then_some(header.sign_db)
}

/// The files in the directories below one.
fn walk(env: &Env, dir: &Path, depth: u32, see: &mut dyn FnMut(PathBuf)) -> Result<()> {
    for entry in env.fs.list(dir)? {
        let path = dir.join(&entry.name);
        if entry.is_plain && depth > 0 {
            see(path);
        } else if entry.is_dir && depth < DEPTH_MAX && !is_link(&*env.fs, &path)? {
            // What cannot be looked into was none of the instance's either.
            if matches!(find_base(env, &path), Ok(None)) {
                walk(env, &path, depth + 1, see)?;
            }
        }
    }
    Ok(())
}
