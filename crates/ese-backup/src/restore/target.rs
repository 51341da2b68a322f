//! Where the files of a set go, and what must not stand there.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use ese_base::{Error, JetErr, Result};
use ese_os::Env;

use super::{
    place::{TEMPORARY, UNFINISHED_NAME, temporary},
    plan::{PlannedDatabase, RestorePlan},
    until::RestoreUntil,
};
use crate::files::check_plain_name;

/// Endings of the files that an instance keeps beside its logs.
const OF_LOGS: [&str; 9] = ["log", "jtx", "chk", "jcp", "jrs", "jsl", "lck", "status", "new"];

/// Where a set is restored to.
///
/// ```
/// use ese_backup::restore::RestoreTarget;
/// let target = RestoreTarget::in_dir("/data".as_ref())
///     .logs_in("/logs".as_ref())
///     .with_place("a.edb".as_ref(), "/fast/a.edb".as_ref())
///     .rolling_forward();
/// // As it was at a quarter past three.
/// use ese_backup::restore::RestoreUntil;
/// let moment = ese_base::LogTime::parse("2026-01-31T15:15Z").unwrap();
/// let target = RestoreTarget::in_dir("/data".as_ref()).until(RestoreUntil::Time(moment));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreTarget {
    /// For the databases, under their names in the set; for the mark of the unfinished restore.
    pub database_dir: PathBuf,
    /// For the logs.
    pub log_dir: PathBuf,
    /// Where the checkpoint of the instance will be; an old one is in the way.
    pub system_dir: PathBuf,
    /// Databases that go elsewhere: their names in the set or their paths when they were copied,
    /// and their new paths (relative ones in the directory for databases).
    pub places: Vec<(PathBuf, PathBuf)>,
    /// Databases without a place of their own go back to where they were when they were copied.
    pub to_sources: bool,
    /// Logs of the same instance that are in the log directory stay: they must go on where the set
    /// ends, and are replayed after it.
    pub roll_forward: bool,
    /// Not everything that was logged is replayed. The databases then belong to no log any more:
    /// the next instance begins a new one, which nobody can take for the old.
    pub until: Option<RestoreUntil>,
    /// Where logs behind the end of the copies are damaged or missing, what lies before them is
    /// restored, as with [`RestoreTarget::until`].
    pub allow_loss: bool,
}

impl RestoreTarget {
    /// Everything in one directory.
    #[must_use]
    pub fn in_dir(dir: &Path) -> RestoreTarget {
        let dir = dir.to_path_buf();
        RestoreTarget {
            database_dir: dir.clone(),
            log_dir: dir.clone(),
            system_dir: dir,
            places: Vec::new(),
            to_sources: false,
            roll_forward: false,
            until: None,
            allow_loss: false,
        }
    }

    /// With the logs elsewhere.
    #[must_use]
    pub fn logs_in(mut self, dir: &Path) -> RestoreTarget {
        self.log_dir = dir.to_path_buf();
        self
    }

    /// With the checkpoint elsewhere.
    #[must_use]
    pub fn system_in(mut self, dir: &Path) -> RestoreTarget {
        self.system_dir = dir.to_path_buf();
        self
    }

    /// With one database elsewhere: [`RestoreTarget::places`].
    #[must_use]
    pub fn with_place(mut self, database: &Path, path: &Path) -> RestoreTarget {
        self.places.push((database.to_path_buf(), path.to_path_buf()));
        self
    }

    /// With databases where they were when they were copied: [`RestoreTarget::to_sources`].
    #[must_use]
    pub fn at_sources(mut self) -> RestoreTarget {
        self.to_sources = true;
        self
    }

    /// With the replay of the logs that are there: [`RestoreTarget::roll_forward`].
    #[must_use]
    pub fn rolling_forward(mut self) -> RestoreTarget {
        self.roll_forward = true;
        self
    }

    /// As the databases were at some moment: [`RestoreTarget::until`].
    #[must_use]
    pub fn until(mut self, until: RestoreUntil) -> RestoreTarget {
        self.until = Some(until);
        self
    }

    /// Where a database goes.
    ///
    /// # Errors
    /// `JET_errInvalidPath` (-1023) for a place with a step back in it, that is no path of a file,
    /// or that nobody knows. The directory itself may be named as its owner likes.
    pub fn place_of(&self, database: &PlannedDatabase) -> Result<PathBuf> {
        let means = |from: &Path| {
            from == Path::new(&database.name) || database.source.as_deref() == Some(from)
        };
        let place = match (self.places.iter().find(|(from, _)| means(from)), &database.source) {
            (Some((_, to)), _) => to.as_path(),
            (None, _) if !self.to_sources => Path::new(&database.name),
            (None, Some(source)) if source.is_absolute() => source,
            (None, _) => {
                return Err(Error::new(
                    JetErr::InvalidPath,
                    "the set does not say where on this machine the database was",
                )
                .at_path(&database.path)
                .advise("name a directory for the databases"));
            }
        };
        let path = self.database_dir.join(place);
        if place.components().any(|part| matches!(part, Component::ParentDir)) {
            let what = "the way to a restored database has a step back (\"..\") in it";
            return Err(Error::new(JetErr::InvalidPath, what).at_path(path));
        }
        check_path(&path)?;
        Ok(path)
    }

    /// Where all databases of a plan go, in its order.
    ///
    /// # Errors
    /// As [`RestoreTarget::place_of`]; `JET_errInvalidPath` (-1023) also for two databases at one
    /// place, for a place that no database of the set has, and for the name of another file of the
    /// instance.
    pub fn places_of(&self, plan: &RestorePlan) -> Result<Vec<PathBuf>> {
        for (from, _) in &self.places {
            let means = |database: &PlannedDatabase| {
                from == Path::new(&database.name) || database.source.as_ref() == Some(from)
            };
            if !plan.databases.iter().any(means) {
                let what = "no database of the set has this name or came from this place";
                return Err(Error::new(JetErr::InvalidPath, what).at_path(from));
            }
        }
        let mut places = Vec::new();
        for database in &plan.databases {
            let path = self.place_of(database)?;
            if places.contains(&path) {
                let what = "two databases of the set would go to the same place";
                return Err(Error::new(JetErr::InvalidPath, what)
                    .at_path(path)
                    .advise("give each database a place of its own"));
            }
            self.refuse_own_name(plan, &path)?;
            places.push(path);
        }
        Ok(places)
    }

    /// A database under a name that the restore or the instance uses itself would be replaced.
    fn refuse_own_name(&self, plan: &RestorePlan, path: &Path) -> Result<()> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let dirs = [&self.database_dir, &self.log_dir, &self.system_dir];
        let taken = is_mark(name) || is_of_instance(name, &plan.log_base);
        if !taken || !dirs.iter().any(|dir| Some(dir.as_path()) == path.parent()) {
            return Ok(());
        }
        let what =
            "a database cannot have this name: a file of the instance or of the restore has it";
        Err(Error::new(JetErr::InvalidPath, what).at_path(path).advise(
            "give the database another place; if a set calls it so, somebody has made it up",
        ))
    }
}

/// Is this the path of a file, without what no name may hold?
fn check_path(path: &Path) -> Result<()> {
    let refuse = |what: &str| Err(Error::new(JetErr::InvalidPath, what.to_owned()).at_path(path));
    if path.as_os_str().as_encoded_bytes().iter().any(u8::is_ascii_control) {
        return refuse("the path of a restored database has a control character in it");
    }
    // `Path` takes "a/." and "a/" for "a".
    let text = path.as_os_str().as_encoded_bytes();
    let name = path.file_name().and_then(|name| name.to_str());
    match name.filter(|name| text.ends_with(name.as_bytes())) {
        Some(name) => check_plain_name(name).map_err(|error| error.at_path(path)),
        None => refuse("this is not the path of a file"),
    }
}

/// Refuses links, directories, pipes and devices under names that the restore or the replay will
/// write: what they lead to is none of the target.
pub(super) fn refuse_strange(
    env: &Env,
    plan: &RestorePlan,
    target: &RestoreTarget,
    places: &[PathBuf],
) -> Result<()> {
    let mut dirs: BTreeSet<&Path> =
        [&target.database_dir, &target.log_dir, &target.system_dir].map(PathBuf::as_path).into();
    dirs.extend(places.iter().filter_map(|path| path.parent()));
    for dir in dirs {
        if !env.fs.exists(dir)? {
            continue;
        }
        for entry in env.fs.list(dir)?.into_iter().filter(|entry| !entry.is_plain) {
            let path = dir.join(&entry.name);
            if is_ours(&path, &entry.name, plan, places) {
                return Err(Error::new(
                    JetErr::FileAccessDenied,
                    "a link, directory, pipe or device stands where a file will be written",
                )
                .at_path(path)
                .advise("remove it, or restore into another directory"));
            }
        }
    }
    Ok(())
}

fn is_ours(path: &Path, name: &str, plan: &RestorePlan, places: &[PathBuf]) -> bool {
    if is_mark(name) || is_of_instance(name, &plan.log_base) {
        return true;
    }
    let beside = |place: &PathBuf| {
        let side = [place.clone(), temporary(place), place.with_extension("jfm"), double(place)];
        side.iter().any(|own| own == path)
    };
    places.iter().any(beside)
}

/// The mark of an unfinished restore, or what it is called until it is durable?
fn is_mark(name: &str) -> bool {
    let marks = [Path::new(UNFINISHED_NAME), &Path::new(UNFINISHED_NAME).with_extension(TEMPORARY)];
    marks.contains(&Path::new(name))
}

/// Is this the name of a file that an instance with that base name keeps beside its logs?
#[must_use]
pub fn is_of_instance(name: &str, base: &str) -> bool {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    stem.get(..base.len()).is_some_and(|head| head.eq_ignore_ascii_case(base))
        && (OF_LOGS.iter().any(|own| ending.eq_ignore_ascii_case(own)) || ending == TEMPORARY)
}

/// The double-write file of a database.
fn double(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".dwb");
    PathBuf::from(name)
}
