//! Names and directories of the simulated disk.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, Result};
use ese_os::{DirEntry, File, Fs, OpenMode};

use crate::{
    disk::{SimDisk, State, simulated},
    fault::{Action, OpKind},
    file::SimFile,
    recording::{Effect, normal},
    track::{Change, FileId, Node},
};

#[track_caller]
fn absent(path: &Path) -> Error {
    Error::new(JetErr::FileNotFound, "no such file").at_path(path)
}

fn shared(path: &Path) -> Arc<Path> {
    Arc::from(normal(path))
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

impl SimDisk {
    fn create(&self, state: &mut State, path: &Arc<Path>) -> Result<FileId> {
        let call = state.begin(OpKind::Create, path)?;
        let checked = state.need_dir(parent(path));
        if checked.is_err() {
            state.end(&call, 0, 0, Effect::None);
        }
        checked?;
        let file = state.new_file();
        state.end_with(&call, Change::Create { path: Arc::clone(path), file });
        Ok(file)
    }

    fn open_existing(
        &self,
        state: &mut State,
        path: &Arc<Path>,
        file: FileId,
        cut: bool,
    ) -> Result<FileId> {
        let call = state.begin(OpKind::Open, path)?;
        let len = state.files.get(&file).map_or(0, |inode| inode.content.len());
        if !cut || len == 0 {
            state.end(&call, 0, 0, Effect::None);
            return Ok(file);
        }
        if let Some(inode) = state.files.get_mut(&file) {
            inode.content.set_len(0);
        }
        state.give_space(len);
        let change = Change::SetLen { file, len: 0, shortens: true };
        state.end(&call, 0, 0, Effect::Change(Arc::new(change)));
        Ok(file)
    }
}

impl Fs for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>> {
        let path = shared(path);
        let mut state = self.lock();
        let creates =
            !matches!(mode, OpenMode::Read | OpenMode::ReadWrite | OpenMode::ReadWriteDirect);
        let file = match (state.node(&path), mode) {
            (Some(Node::Dir), _) => {
                let call = state.begin(OpKind::Open, &path)?;
                state.end(&call, 0, 0, Effect::None);
                let message = "expected a regular file, found a directory";
                return Err(Error::new(JetErr::FileAccessDenied, message).at_path(&path));
            }
            (Some(Node::File(_)), OpenMode::CreateNew | OpenMode::CreateNewDirect) => {
                let call = state.begin(OpKind::Create, &path)?;
                state.end(&call, 0, 0, Effect::None);
                return Err(Error::new(JetErr::FileAlreadyExists, "the name exists").at_path(&path));
            }
            (Some(Node::File(file)), _) => {
                self.open_existing(&mut state, &path, file, mode == OpenMode::CreateOrTruncate)?
            }
            (None, _) if creates => self.create(&mut state, &path)?,
            (None, _) => {
                let call = state.begin(OpKind::Open, &path)?;
                state.end(&call, 0, 0, Effect::None);
                state.need_dir(parent(&path))?;
                return Err(absent(&path));
            }
        };
        let handle = state.new_handle(file);
        drop(state);
        Ok(Arc::new(SimFile::new(self.clone(), path, file, handle, mode)))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        let path = shared(path);
        let mut state = self.lock();
        let call = state.begin(OpKind::Query, &path)?;
        state.end(&call, 0, 0, Effect::None);
        Ok(state.node(&path).is_some())
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>> {
        let dir = shared(dir);
        let mut state = self.lock();
        let call = state.begin(OpKind::Query, &dir)?;
        state.end(&call, 0, 0, Effect::None);
        state.need_dir(&dir)?;
        let entry = |(path, node): (&Path, Node)| DirEntry {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            is_dir: node == Node::Dir,
            is_plain: node != Node::Dir,
            len: match node {
                Node::Dir => 0,
                Node::File(file) => state.files.get(&file).map_or(0, |inode| inode.content.len()),
            },
        };
        let mut names: Vec<DirEntry> = state.children(&dir).map(entry).collect();
        names.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(names)
    }

    fn create_dir_all(&self, dir: &Path) -> Result<()> {
        let dir = shared(dir);
        let (missing, present) = {
            let state = self.lock();
            let absent = |at: &&Path| state.node(at) != Some(Node::Dir);
            let missing: Vec<Arc<Path>> =
                dir.ancestors().take_while(absent).map(Arc::from).collect();
            let present = dir.ancestors().nth(missing.len()).map(Path::to_path_buf);
            (missing, present)
        };
        // An earlier call may have ended between creating this one and syncing its name.
        if let Some(above) = present.as_deref().and_then(Path::parent) {
            self.sync_dir(above)?;
        }
        for dir in missing.into_iter().rev() {
            let mut state = self.lock();
            let call = state.begin(OpKind::CreateDir, &dir)?;
            if state.node(&dir).is_some() {
                state.end(&call, 0, 0, Effect::None);
                let message = "expected a directory, found a file";
                return Err(Error::new(JetErr::FileAlreadyExists, message).at_path(&dir));
            }
            state.end_with(&call, Change::CreateDir { path: Arc::clone(&dir) });
            drop(state);
            self.sync_dir(parent(&dir))?;
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        let path = shared(path);
        let mut state = self.lock();
        let call = state.begin(OpKind::Remove, &path)?;
        match state.node(&path) {
            Some(Node::File(file)) => {
                state.end_with(&call, Change::Remove { path });
                state.unlink(file);
                Ok(())
            }
            other => {
                state.end(&call, 0, 0, Effect::None);
                state.need_dir(parent(&path))?;
                Err(match other {
                    None => absent(&path),
                    _ => Error::new(JetErr::FileAccessDenied, "is a directory").at_path(&path),
                })
            }
        }
    }

    fn remove_dir(&self, dir: &Path) -> Result<()> {
        let dir = shared(dir);
        let mut state = self.lock();
        let call = state.begin(OpKind::Remove, &dir)?;
        let problem = match state.node(&dir) {
            Some(Node::Dir) if state.children(&dir).next().is_none() => {
                state.end_with(&call, Change::Remove { path: dir });
                return Ok(());
            }
            Some(Node::Dir) => Error::new(JetErr::DiskIO, "the directory is not empty"),
            Some(Node::File(_)) => Error::new(JetErr::InvalidPath, "is not a directory"),
            None => absent(&dir),
        };
        state.end(&call, 0, 0, Effect::None);
        Err(problem.at_path(&dir))
    }

    /// Directories are not renamed here: `JET_errFileAccessDenied`.
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let (from, to) = (shared(from), shared(to));
        let mut state = self.lock();
        let call = state.begin(OpKind::Rename, &from)?;
        let target = state.node(&to);
        let problem = match (state.node(&from), target) {
            (None, _) => Some(state.need_dir(parent(&from)).err().unwrap_or_else(|| absent(&from))),
            (Some(Node::Dir), None) if !to.starts_with(&*from) => {
                if let Err(error) = state.need_dir(parent(&to)) {
                    state.end(&call, 0, 0, Effect::None);
                    return Err(error);
                }
                state.end_with(&call, Change::RenameDir { from, to });
                return Ok(());
            }
            (Some(Node::Dir), _) | (_, Some(Node::Dir)) => {
                let what = "a directory takes no other's place, nor one inside itself";
                Some(Error::new(JetErr::FileAccessDenied, what).at_path(&from))
            }
            (Some(Node::File(_)), _) => state.need_dir(parent(&to)).err(),
        };
        let (Some(Node::File(file)), None) = (state.node(&from), problem.as_ref()) else {
            state.end(&call, 0, 0, Effect::None);
            return Err(problem.unwrap_or_else(|| absent(&from)));
        };
        if from == to {
            state.end(&call, 0, 0, Effect::None);
            return Ok(());
        }
        state.end_with(&call, Change::Rename { from, to, file });
        if let Some(Node::File(replaced)) = target {
            state.unlink(replaced);
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        let dir = shared(dir);
        let mut state = self.lock();
        let call = state.begin(OpKind::SyncDir, &dir)?;
        if let Err(error) = state.need_dir(&dir) {
            state.end(&call, 0, 0, Effect::None);
            return Err(error);
        }
        match call.action {
            Some(Action::Lose) => state.end(&call, 0, 0, Effect::None),
            Some(Action::FailSync(code, _)) => {
                state.end(&call, 0, 0, Effect::None);
                return Err(simulated(code, &call, "a fault was set"));
            }
            _ => state.end(&call, 0, 0, Effect::SyncDir),
        }
        Ok(())
    }

    fn canonicalize(&self, path: &Path) -> Result<PathBuf> {
        let path = shared(path);
        let mut state = self.lock();
        let call = state.begin(OpKind::Query, &path)?;
        state.end(&call, 0, 0, Effect::None);
        state.need_dir(parent(&path))?;
        Ok(path.to_path_buf())
    }
}
