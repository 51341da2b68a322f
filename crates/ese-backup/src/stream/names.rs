//! What the files of a set are called.

use std::{collections::BTreeSet, path::Path};

use ese_base::{Error, JetErr, Result};
use ese_log::LogName;

use super::{
    INCOMPLETE_NAME, KEPT_NAME, KEPT_NEW_NAME, MANIFEST_NAME, NEW_NAME, archive::FileKind,
};
use crate::{files::is_name_for_sets, restore::TEMPORARY, sets::PRUNED_NAME, source::BackupSource};

/// A set that cannot be restored is none: said before the first byte is copied.
///
/// # Errors
/// `JET_errInvalidPath` (-1023) for a database whose name no file of a set can have.
pub(super) fn check(source: &dyn BackupSource) -> Result<()> {
    let suits =
        |path: &Path| path.file_name().is_some_and(|it| is_name_for_sets(&it.to_string_lossy()));
    match source.databases().into_iter().find(|database| !suits(&database.path)) {
        None => Ok(()),
        Some(database) => Err(Error::new(
            JetErr::InvalidPath,
            format!("no file of a backup set can have the name of {:?}", database.path),
        )
        .advise("rename the database: no control characters, no backslash, up to 244 bytes")),
    }
}

/// The names that are taken.
pub(super) struct SetNames(BTreeSet<String>);

impl Default for SetNames {
    fn default() -> SetNames {
        let ours =
            [MANIFEST_NAME, NEW_NAME, PRUNED_NAME, INCOMPLETE_NAME, KEPT_NAME, KEPT_NEW_NAME];
        SetNames(ours.map(str::to_owned).into())
    }
}

impl SetNames {
    /// A name that an earlier copy has given to a file.
    pub(super) fn take(&mut self, name: &str) {
        self.0.insert(name.to_owned());
    }

    /// A name for a file. Two databases may have the same one in different directories; and none
    /// may be taken for a log, or for a file that a restore has not finished.
    pub(super) fn free(&mut self, path: &Path, kind: FileKind) -> String {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) => (stem.to_owned(), format!(".{extension}")),
            None => (name.clone(), String::new()),
        };
        let mistaken = kind == FileKind::Database
            && (LogName::archive(&name).is_some() || extension == format!(".{TEMPORARY}"));
        let (name, stem, extension) = match mistaken {
            true => (format!("{name}.edb"), name, ".edb".to_owned()),
            false => (name, stem, extension),
        };
        let numbered = (2u32..).map(|number| format!("{stem}-{number}{extension}"));
        let mut candidates = std::iter::once(name).chain(numbered);
        candidates.find(|name| self.0.insert(name.clone())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_set_has_a_name_that_a_restore_understands() {
        let mut names = SetNames::default();
        let mut free = |name: &str| names.free(Path::new(name), FileKind::Database);
        assert_eq!(free("/a/x.edb"), "x.edb");
        assert_eq!(free("/b/x.edb"), "x-2.edb");
        assert_eq!(free("/b/x"), "x");
        assert_eq!(free("edb00077.log"), "edb00077.log.edb");
        assert_eq!(free("x.edb.restoring"), "x.edb.restoring.edb");
        assert_eq!(free("ese-backup.json"), "ese-backup-2.json");
        assert_eq!(free("ese-backup.pruned.json"), "ese-backup.pruned-2.json");
        assert_eq!(names.free(Path::new("edb00077.log"), FileKind::Log), "edb00077.log");
    }
}
