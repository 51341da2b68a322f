//! Backups and compactions of a store under test, and what must come of them.

use std::path::Path;

use ese_api::{CopyOptions, Instance, RestoreOptions, RestoreTarget, StopReason, StopToken};
use ese_base::{Error, JetErr, Result};
use ese_engine::session::Session;
use ese_os::{Env, OpenMode};
use ese_pages::{
    DbState,
    cache::FlushGoal,
    header::{Located, read_header},
};
use ese_sim::{SimEnv, check::Store as _, model::Model};

use super::store::EngineStore;

impl EngineStore {
    /// A backup into a directory of its own: whole with truncation, whole without, or stopped. With
    /// sets to be restored, files are cut off before it and shall be in the middle of it, and what
    /// a whole set restores to is what there is.
    pub(super) fn backup(&mut self) -> Result<()> {
        let number = self.backups;
        self.backups += 1;
        let set = Path::new(Self::DIR).with_file_name(format!("set-{number}"));
        if self.env.fs.exists(&set)? {
            // A crash came between: take another name.
            return self.backup();
        }
        let restores = self.settings.restore_sets;
        if restores && number.is_multiple_of(2) {
            // Its record lies behind the checkpoint: the restored file is cut again.
            self.shrink()?;
        }
        let token = StopToken::new();
        let (mut calls, stop) = (0, token.clone());
        let mut cut = Ok(());
        let mut progress = |_: &ese_api::BackupProgress| {
            calls += 1;
            if number % 3 == 2 && calls > 2 {
                stop.stop(StopReason::Requested);
            }
            if restores && calls == 2 {
                cut = self.shrink_in_vain();
            }
        };
        let options = CopyOptions { truncate: number % 3 != 1 };
        let done = self.running()?.backup_to_dir_with(&set, options, &mut progress, &token);
        cut?;
        match done {
            Ok(_) if restores => self.check_set(&set),
            Ok(_) => Ok(()),
            Err(error) if error.code() == JetErr::BackupAbortByServer => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn shrink(&self) -> Result<()> {
        let engine = self.running()?.engine();
        let cut = |attached| engine.shrink_database(attached, 0).map(drop);
        self.databases.iter().map(|attached| &**attached).try_for_each(cut)
    }

    /// While a backup reads the files, they keep their length; pages go on being written.
    fn shrink_in_vain(&self) -> Result<()> {
        let lengths = || -> Vec<u32> {
            self.databases.iter().map(|attached| attached.db.file.page_count()).collect()
        };
        let before = lengths();
        self.shrink()?;
        self.flush(|_| FlushGoal::All)?;
        if lengths() == before {
            return Ok(());
        }
        let what = "a file was cut off while a backup was reading it";
        Err(Error::new(JetErr::DatabaseCorrupted, what))
    }

    /// What is committed, in all databases.
    pub(super) fn committed(&self) -> Result<Model> {
        let session = Session::begin_session(self.running()?.engine())?;
        let mut model = Model::default();
        for attached in &self.databases {
            self.rows_of(&session, attached, &mut model)?;
        }
        Ok(model)
    }

    /// Restores a set on a machine of its own and compares all rows.
    fn check_set(&self, set: &Path) -> Result<()> {
        let found = restored_elsewhere(&self.env, set, &self.settings)?;
        let expected = self.committed()?;
        let (differences, _) = found.differences(&expected, 4);
        if differences.is_empty() {
            return Ok(());
        }
        let what = format!("the restored set differs: {}", differences.join("; "));
        Err(Error::new(JetErr::DatabaseCorrupted, what).at_path(set))
    }

    /// Puts dense files in the place of those that an instance has left.
    pub(super) fn compact(env: &Env, two_databases: bool) -> Result<()> {
        let stop = StopToken::new();
        for number in 0..1 + usize::from(two_databases) {
            let path = EngineStore::path(number);
            let dense = path.with_extension("dense");
            if env.fs.exists(&dense)? {
                // A crash came before it took its place.
                env.fs.remove_file(&dense)?;
            }
            ese_api::compact(env, &path, &dense, &mut |_| (), &stop)?;
            env.fs.rename(&dense, &path)?;
        }
        env.fs.sync_dir(Path::new(Self::DIR))
    }

    /// Ends the instance in order.
    pub(super) fn end(instance: Instance, settings: &super::Settings, env: &Env) -> Result<()> {
        if settings.detach {
            for database in instance.databases() {
                database.detach()?;
            }
        }
        instance.stop()?;
        if settings.put_back {
            EngineStore::put_back(env, settings)?;
        }
        if settings.compact { EngineStore::compact(env, settings.two_databases) } else { Ok(()) }
    }

    /// Lets the databases go on for a while, and puts what they were before in their place.
    fn put_back(env: &Env, settings: &super::Settings) -> Result<()> {
        let paths = (0..1 + usize::from(settings.two_databases)).map(EngineStore::path);
        let before = paths.map(|path| Ok((read_whole(env, &path)?, path)));
        let before: Vec<_> = before.collect::<Result<_>>()?;
        let mut store =
            EngineStore::open(env, &super::Settings { put_back: false, ..settings.clone() })?;
        store.change_in_vain()?;
        store.close()?;
        for (bytes, path) in before {
            let copy = path.with_extension("old");
            let file = env.fs.open(&copy, OpenMode::CreateOrTruncate)?;
            file.write_at(&bytes, 0)?;
            file.sync()?;
            drop(file);
            env.fs.rename(&copy, &path)?;
        }
        env.fs.sync_dir(Path::new(Self::DIR))
    }

    /// Removes the checkpoint, unless a database is clean: the log says how such a one goes on,
    /// and nobody but the checkpoint which of two ways it is.
    pub(super) fn lose_checkpoint(env: &Env) -> Result<()> {
        let checkpoint = Path::new(Self::DIR).join("edb.chk");
        for number in 0..2 {
            let path = EngineStore::path(number);
            if !env.fs.exists(&path)? {
                return Ok(());
            }
            let file = env.fs.open(&path, OpenMode::Read)?;
            let dirty = |located: Located| located.header.state() == DbState::DirtyShutdown;
            if !read_header(file.as_ref()).is_ok_and(dirty) {
                return Ok(());
            }
        }
        if env.fs.exists(&checkpoint)? {
            env.fs.remove_file(&checkpoint)?;
            env.fs.sync_dir(Path::new(Self::DIR))?;
        }
        Ok(())
    }
}

/// Restores a set on a machine of its own; its content, every page and tree of it verified.
pub(super) fn restored_elsewhere(
    from: &Env,
    set: &Path,
    settings: &super::Settings,
) -> Result<Model> {
    let (env, _disk) = SimEnv::new(1);
    copy_dir(from, &env, set)?;
    let target = RestoreTarget::in_dir(Path::new(EngineStore::DIR));
    let (keep_damaged, stop) = (false, StopToken::new());
    let mut options = RestoreOptions { force: false, keep_damaged, progress: &mut |_| (), stop };
    drop(ese_api::restore_with(&env, set, &target, &mut options)?);
    let settings = super::Settings { put_back: false, ..settings.clone() };
    let mut restored = EngineStore::open(&env, &settings)?;
    let found = restored.content()?;
    restored.close()?;
    Ok(found)
}

fn copy_dir(from: &Env, to: &Env, dir: &Path) -> Result<()> {
    to.fs.create_dir_all(dir)?;
    for entry in from.fs.list(dir)?.into_iter().filter(|entry| !entry.is_dir) {
        let path = dir.join(&entry.name);
        let bytes = read_whole(from, &path)?;
        to.fs.open(&path, OpenMode::CreateNew)?.write_at(&bytes, 0)?;
    }
    Ok(())
}

fn read_whole(env: &Env, path: &Path) -> Result<Vec<u8>> {
    let file = env.fs.open(path, OpenMode::Read)?;
    let mut bytes = vec![0; usize::try_from(file.len()?).unwrap_or(0)];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}
