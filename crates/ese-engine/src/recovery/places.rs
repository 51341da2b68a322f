//! Where the databases lie that the log names.
//!
//! A log names them by path, and every run of an instance says at its beginning which directories
//! are its own. Records of a run whose directories are those of today are right, and name no other
//! file than they say. If the directories
//! are others now, they were moved or copied since, perhaps more than once, and what the
//! run calls a file may be another instance's: a database is then looked for in today's directories
//! first, under its name and by its signature. Databases that never lay in them keep their path.

use std::path::{Component, Path, PathBuf};

use ese_base::{DbTime, Dbid, LgPos, ObjId, Result, Signature};
use ese_log::{Attachment, DbmsParam};
use ese_os::{Env, OpenMode, is_link};
use ese_pages::{DbHeader, header::read_header};

use super::options::{MappedDatabase, RecoveryFlags, RecoveryOptions, WhenMissing};
use crate::instance::{InstanceConfig, lasting};

/// Endings of files that are never databases; there may be very many logs.
const NO_DATABASES: [&str; 6] = ["log", "jtx", "chk", "jcp", "jrs", "lck"];

/// By whose word a database is looked for at its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// The log's.
    AsLogged,
    /// The caller's, who knows it by its signature.
    Moved,
    /// That of the caller's map.
    Mapped { when_missing: WhenMissing, overwrite_on_create: bool },
    /// The caller's map does not know it.
    Unmapped,
    /// In one of the directories to which the replay is confined, and not named by the caller.
    Inside,
    /// The replay is confined, and it lies elsewhere.
    Outside,
}

impl Placed {
    /// Has the caller named this very database?
    pub(super) fn is_named(self) -> bool {
        matches!(self, Placed::Moved | Placed::Mapped { .. })
    }
}

/// What an attach record or an attachment list says of a database.
#[derive(Clone, Debug)]
pub(super) struct AttachInfo {
    pub(super) dbid: Dbid,
    pub(super) sign_db: Signature,
    pub(super) path: PathBuf,
    /// What `path` leads to. The same file may be called by a caller's path and by the log's, so
    /// whatever is remembered of a file is remembered by this.
    pub(super) leads_to: PathBuf,
    /// Its clock and its last object id then: replay may begin behind the records that moved them,
    /// and the header is older.
    pub(super) counters: (DbTime, ObjId),
    /// Where it was clean before it was attached.
    pub(super) consistent: LgPos,
    /// The record that attached or created it.
    pub(super) attached: LgPos,
    pub(super) placed: Placed,
}

impl AttachInfo {
    /// Of a record at `attached`, which knows nothing of counters.
    pub(super) fn of_record(
        dbid: Dbid,
        sign_db: Signature,
        path: &str,
        [consistent, attached]: [LgPos; 2],
    ) -> AttachInfo {
        let (path, counters) = (PathBuf::from(path), Default::default());
        let (leads_to, placed) = (path.clone(), Placed::AsLogged);
        AttachInfo { dbid, sign_db, path, leads_to, counters, consistent, attached, placed }
    }
}

impl From<&Attachment> for AttachInfo {
    fn from(attachment: &Attachment) -> AttachInfo {
        AttachInfo {
            dbid: attachment.dbid,
            sign_db: attachment.sign_db,
            path: PathBuf::from(&attachment.path),
            leads_to: PathBuf::from(&attachment.path),
            counters: (attachment.dbtime, attachment.objid_last),
            consistent: attachment.lgpos_consistent,
            attached: attachment.lgpos_attach,
            placed: Placed::AsLogged,
        }
    }
}

/// The directories of today and of the run whose records are being replayed.
#[derive(Debug)]
pub(super) struct Places {
    env: Env,
    /// By the caller's word.
    moved: Vec<(Signature, PathBuf)>,
    /// By the caller's word, too.
    map: Vec<MappedDatabase>,
    /// Databases that the map does not name are where the log says.
    unmapped_in_place: bool,
    /// What is neither in the map nor in today's directories is left alone.
    confined: bool,
    /// The one directory in which databases are looked for, if there is one.
    alternate: Option<PathBuf>,
    /// Of the system and of the log, today.
    dirs: [PathBuf; 2],
    /// The same as a run would write them.
    now: [String; 2],
    /// As the run wrote them.
    wrote: [String; 2],
    /// The databases in today's directories, once somebody has asked.
    own: Option<Vec<(Signature, PathBuf)>>,
}

impl Places {
    /// With the parameters of the run that wrote the attachments with which replay begins.
    pub(super) fn new(
        env: &Env,
        config: &InstanceConfig,
        options: &RecoveryOptions<'_>,
        wrote: &DbmsParam,
    ) -> Places {
        let (system, log) = config.resolved_dirs();
        Places {
            env: env.clone(),
            moved: options.moved.clone(),
            map: options.map.clone(),
            unmapped_in_place: options.flags.contains(RecoveryFlags::UNMAPPED_IN_PLACE),
            confined: options.confined,
            alternate: config.recovery_dir.clone(),
            dirs: [system.to_path_buf(), log.to_path_buf()],
            now: texts(&config.log_params()),
            wrote: texts(wrote),
            own: None,
        }
    }

    /// Here the records of another run begin.
    pub(super) fn run_begins(&mut self, params: &DbmsParam) {
        self.wrote = texts(params);
    }

    /// Where the database lies now.
    ///
    /// # Errors
    /// The file system's, of listing a directory.
    pub(super) fn locate(&mut self, info: AttachInfo) -> Result<AttachInfo> {
        let mut info = self.place(info)?;
        // A file that is not there yet has a place all the same.
        let to = self.env.fs.canonicalize(&info.path);
        info.leads_to = to.unwrap_or_else(|_| lasting(&self.env, info.path.clone()));
        Ok(info)
    }

    fn place(&mut self, mut info: AttachInfo) -> Result<AttachInfo> {
        if let Some((_, path)) = self.moved.iter().find(|(sign, _)| *sign == info.sign_db) {
            info.path.clone_from(path);
            info.placed = Placed::Moved;
            return Ok(info);
        }
        if let Some(entry) = self.entry(&info) {
            let (when_missing, overwrite_on_create) =
                (entry.when_missing, entry.overwrite_on_create);
            info.path.clone_from(&entry.now);
            info.placed = Placed::Mapped { when_missing, overwrite_on_create };
            return Ok(info);
        }
        if !self.map.is_empty() && !self.unmapped_in_place {
            info.placed = Placed::Unmapped;
            return Ok(info);
        }
        if let Some(dir) = &self.alternate {
            info.path = dir.join(file_name(&info.path));
            return Ok(info);
        }
        let relocated = self.relocated(&info.path);
        if self.confined {
            return self.confine(info, relocated);
        }
        if self.now == self.wrote {
            // A database that is not there is lost: a copy of it under another name is no database
            // of this log, and whoever keeps it wants it unchanged.
            return Ok(info);
        }
        let is_it = |path: &PathBuf| self.signature_of(path) == Some(info.sign_db);
        let own = match relocated.as_ref().is_some_and(is_it) {
            true => None,
            false => self.own(info.sign_db)?,
        };
        if let Some(path) = own.or(relocated) {
            info.path = path;
        }
        Ok(info)
    }

    /// Where the database lies inside today's directories, or that it does not.
    fn confine(&self, mut info: AttachInfo, relocated: Option<PathBuf>) -> Result<AttachInfo> {
        let path = relocated.unwrap_or_else(|| info.path.clone());
        info.placed = match self.is_inside(&path)? {
            true => Placed::Inside,
            false => Placed::Outside,
        };
        info.path = path;
        Ok(info)
    }

    /// Is this the path of a database in one of today's directories, without a step back, a link
    /// or the name of a log on the way?
    fn is_inside(&self, path: &Path) -> Result<bool> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let text = path.to_str().filter(|text| !text.contains(char::is_control));
        if text.is_none() || ending.is_some_and(|it| NO_DATABASES.contains(&it.as_str())) {
            return Ok(false);
        }
        for dir in &self.dirs {
            if let Ok(inner) = path.strip_prefix(dir)
                && self.is_plain_way(dir, inner)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Every step is a name, and what is there of them is no link.
    fn is_plain_way(&self, dir: &Path, inner: &Path) -> Result<bool> {
        let (mut above, mut there) = (dir.to_path_buf(), self.env.fs.exists(dir)?);
        for step in inner.components() {
            let Component::Normal(name) = step else { return Ok(false) };
            let Some(name) = name.to_str().filter(|name| !name.contains('\\')) else {
                return Ok(false);
            };
            let below = above.join(name);
            // Below what does not exist there are no links.
            let entries = if there { self.env.fs.list(&above)? } else { Vec::new() };
            let entry = entries.into_iter().find(|entry| entry.name == name);
            there = match &entry {
                Some(entry) if entry.is_dir => !is_link(&*self.env.fs, &below)?,
                Some(entry) if !entry.is_plain => return Ok(false),
                _ => false,
            };
            if entry.is_some_and(|entry| entry.is_dir) && !there {
                return Ok(false);
            }
            above = below;
        }
        Ok(inner.file_name().is_some())
    }

    /// The map's entry for a database: by the path that the log knows, else by what the file is,
    /// for whoever has written the path in another way.
    fn entry(&self, info: &AttachInfo) -> Option<&MappedDatabase> {
        let by_path = self.map.iter().find(|entry| same_path(&entry.logged, &info.path));
        by_path.or_else(|| {
            let others = |entry: &&MappedDatabase| {
                file_name(&entry.logged).eq_ignore_ascii_case(file_name(&info.path))
                    && self.signature_of(&entry.now) == Some(info.sign_db)
            };
            self.map.iter().find(others)
        })
    }

    /// The path inside today's directories, if it was inside one of the run's that has moved.
    fn relocated(&self, path: &Path) -> Option<PathBuf> {
        let pairs = self.wrote.iter().zip(&self.now).zip(&self.dirs);
        let others = pairs.filter(|((wrote, now), _)| wrote != now);
        let mut inside = others.filter_map(|((wrote, _), dir)| {
            let wrote = Path::new(wrote);
            let inner = path.strip_prefix(wrote).ok().filter(|_| wrote.is_absolute())?;
            Some(dir.join(inner))
        });
        inside.next()
    }

    /// The database of today's directories with this signature. Of several nobody could say which
    /// is meant.
    fn own(&mut self, sign_db: Signature) -> Result<Option<PathBuf>> {
        if self.own.is_none() {
            self.own = Some(self.scan()?);
        }
        let mut found = self.own.iter().flatten().filter(|(sign, _)| *sign == sign_db);
        let (first, second) = (found.next(), found.next());
        Ok(first.filter(|_| second.is_none()).map(|(_, path)| path.clone()))
    }

    fn scan(&self) -> Result<Vec<(Signature, PathBuf)>> {
        let [system, log] = &self.dirs;
        let mut found = Vec::new();
        for dir in [system, log].into_iter().take(if system == log { 1 } else { 2 }) {
            for entry in self.env.fs.list(dir)?.into_iter().filter(|entry| !entry.is_dir) {
                let path = dir.join(&entry.name);
                let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
                if ending.is_some_and(|ending| NO_DATABASES.contains(&ending.as_str())) {
                    continue;
                }
                found.extend(self.signature_of(&path).map(|signature| (signature, path)));
            }
        }
        Ok(found)
    }

    fn signature_of(&self, path: &Path) -> Option<Signature> {
        self.header_of(path).map(|header| header.sign_db)
    }

    /// `None` for what is no database, or cannot be read: then it cannot be recovered either.
    pub(super) fn header_of(&self, path: &Path) -> Option<DbHeader> {
        let file = self.env.fs.open(path, OpenMode::Read).ok()?;
        Some(read_header(file.as_ref()).ok()?.header)
    }
}

/// As written, or, of paths of Windows, in another case.
fn same_path(one: &Path, other: &Path) -> bool {
    one == other
        || one.to_string_lossy().contains('\\')
            && one.as_os_str().eq_ignore_ascii_case(other.as_os_str())
}

/// The name in a path as Linux or Windows writes it.
fn file_name(path: &Path) -> &str {
    let text = path.to_str().unwrap_or_default();
    text.rsplit(['/', '\\']).next().unwrap_or_default()
}

fn texts(params: &DbmsParam) -> [String; 2] {
    [params.system_path_text(), params.log_path_text()]
}
