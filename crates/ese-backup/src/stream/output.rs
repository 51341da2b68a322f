//! Where a copy goes: a directory, or a stream of frames.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, Result};
use ese_os::{Env, File, LockMode, OpenMode, parent_of};

use super::{
    INCOMPLETE_NAME, MANIFEST_NAME, Manifest, NEW_NAME, Output, Sink,
    archive::{ArchiveStart, FileHead},
    file_crc::FileCrc,
    hex32,
    kept::{KEPT_NAME, Kept},
};
use crate::{
    AlignedBuffer,
    files::{MadeDirs, remove_if_there},
    source::BackupSource,
};

/// The receiving end of a copy. Files come one after the other, each from its beginning to its end
/// in pieces of [`SetOutput::piece_len`], the last one shorter.
pub(super) trait SetOutput {
    /// A set begins; what is there from now on shows that it is not complete.
    fn begin(&mut self, start: &ArchiveStart) -> Result<()>;
    /// A file begins.
    fn create(&mut self, head: &FileHead) -> Result<()>;
    /// A buffer to be filled with the next piece.
    fn buffer(&mut self) -> Result<AlignedBuffer>;
    /// The next piece: the first `len` bytes.
    fn write(&mut self, buffer: AlignedBuffer, len: usize) -> Result<()>;
    /// The file was written to its end.
    fn finish_file(&mut self) -> Result<()>;
    /// Bytes of the next piece: few if the device is to be left to others soon, else a whole
    /// buffer.
    fn piece_len(&self, gentle: bool) -> usize;
    /// Waits until the pieces are written, though not durable.
    fn wait(&mut self) -> Result<()>;
    /// All files are there: makes them durable where that is possible, and gives their sums.
    fn settle(&mut self) -> Result<Vec<u32>>;
    /// Adds the manifest; the set is complete, and durable where that is possible.
    fn complete(&mut self, manifest: &mut Manifest) -> Result<()>;
    /// Is what [`SetOutput::complete`] has made there to stay, whatever comes after it?
    fn stays(&self) -> bool;
    /// Removes what was written, so far as that is possible.
    fn abort(&mut self);
    /// A file goes on behind its first `done` bytes, which have this sum.
    fn go_on(&mut self, head: &FileHead, done: u64, sum: u32) -> Result<()>;
    /// Makes everything durable so far, and what is known of it, so that another copy can go on.
    fn keep(&mut self, kept: &mut Kept, source: &dyn BackupSource) -> Result<()>;
    /// Leaves everything as it is.
    fn leave(&mut self);
}

/// A set in a directory.
pub(super) struct DirOutput<'a> {
    env: &'a Env,
    dir: &'a Path,
    made: MadeDirs,
    sink: Option<Sink>,
    /// The file that is being written, and how much of it was.
    file: Option<(Output, u64)>,
    /// The mark, held against others for as long as the set is being written.
    mark: Option<Arc<dyn File>>,
    /// Files of the set, in the order of their creation; the first is the mark.
    written: Vec<PathBuf>,
    /// Sum and length of each file.
    sums: Vec<(Arc<FileCrc>, u64)>,
    /// Puts an empty `.pat` beside each database.
    markers: bool,
    /// What the directory is called once the set is complete.
    name: Option<&'a Path>,
    renamed: bool,
    /// Is it a copy that can be gone on with?
    keeps: bool,
    /// Does it go on where another one was stopped?
    goes_on: bool,
    /// Are the lengths of files true that are said beforehand?
    believes: bool,
    /// Up to where the open file has its room.
    room: u64,
}

impl<'a> DirOutput<'a> {
    /// Makes the directory, or makes sure that it is empty.
    pub(super) fn prepare(env: &'a Env, dir: &'a Path) -> Result<DirOutput<'a>> {
        let mut made = MadeDirs::default();
        made.make(env, dir)?;
        let entries = env.fs.list(dir)?;
        if entries.iter().any(|entry| entry.name == KEPT_NAME) {
            let what = "a backup that was stopped lies in the directory for the backup";
            return Err(Error::new(JetErr::BackupDirectoryNotEmpty, what)
                .at_path(dir)
                .advise("go on with it (--resume), or choose an empty or new directory"));
        }
        if let Some(entry) = entries.first() {
            return Err(not_empty(dir, &entry.name));
        }
        Ok(DirOutput { made, ..DirOutput::new(env, dir) })
    }

    fn new(env: &'a Env, dir: &'a Path) -> DirOutput<'a> {
        DirOutput {
            env,
            dir,
            made: MadeDirs::default(),
            sink: None,
            file: None,
            mark: None,
            written: Vec::new(),
            sums: Vec::new(),
            markers: false,
            name: None,
            renamed: false,
            keeps: false,
            goes_on: false,
            believes: true,
            room: 0,
        }
    }

    /// Nobody vouches for the lengths of the files: room is taken as their bytes come.
    pub(super) fn of_hearsay(mut self) -> DirOutput<'a> {
        self.believes = false;
        self
    }

    /// A directory in which a copy that can be gone on with begins, or, if `goes_on`, was begun.
    /// `mark` is then that of the earlier copy, as [`hold_mark`] gave it.
    pub(super) fn keeping(
        env: &'a Env,
        dir: &'a Path,
        goes_on: bool,
        mark: Option<Arc<dyn File>>,
    ) -> Result<DirOutput<'a>> {
        let out = if goes_on { DirOutput::new(env, dir) } else { DirOutput::prepare(env, dir)? };
        Ok(DirOutput { keeps: true, goes_on, mark, ..out })
    }

    /// A set of the built-in backup: with the markers that other programs look for, and another
    /// name of the directory from the moment on when the set is complete, before the instance's
    /// logs are truncated or a header remembers the backup.
    pub(super) fn of_folder(mut self, name: Option<&'a Path>) -> DirOutput<'a> {
        (self.markers, self.name) = (true, name);
        self
    }

    fn add_markers(&mut self, manifest: &Manifest) -> Result<()> {
        for database in &manifest.databases {
            let marker = self.dir.join(&database.name).with_extension("pat");
            if !self.env.fs.exists(&marker)? {
                self.written.push(marker.clone());
                self.env.fs.open(&marker, OpenMode::CreateNew)?.sync()?;
            }
        }
        Ok(())
    }

    /// A buffer comes back unused.
    pub(super) fn give_back(&mut self, buffer: Option<AlignedBuffer>) {
        if let (Some(sink), Some(buffer)) = (&mut self.sink, buffer) {
            sink.give_back(buffer);
        }
    }

    /// A complete set becomes one that is known as unfinished again.
    fn take_back(&mut self) -> Result<()> {
        let fs = &self.env.fs;
        if let Some(name) = self.name.filter(|_| self.renamed) {
            fs.rename(name, self.dir)?;
            self.renamed = false;
        }
        match self.written.first() {
            Some(mark) if fs.exists(&self.dir.join(MANIFEST_NAME))? && !fs.exists(mark)? => {
                fs.open(mark, OpenMode::CreateNew)?.sync()?;
                fs.sync_dir(self.dir)
            }
            _ => Ok(()),
        }
    }

    fn sink(&mut self) -> Result<&mut Sink> {
        self.sink.as_mut().ok_or_else(not_begun)
    }
}

impl SetOutput for DirOutput<'_> {
    fn begin(&mut self, _start: &ArchiveStart) -> Result<()> {
        let path = self.dir.join(INCOMPLETE_NAME);
        if self.goes_on {
            self.written.push(path);
        } else {
            let mark = self.env.fs.open(&path, OpenMode::CreateNew)?;
            // From here on the mark is ours, and so is whatever comes beside it.
            self.written.push(path);
            lock_mark(&mark)?;
            mark.sync()?;
            self.mark = Some(mark);
            self.env.fs.sync_dir(self.dir)?;
            let mut others = self.env.fs.list(self.dir)?;
            others.retain(|entry| entry.name != INCOMPLETE_NAME);
            if let Some(entry) = others.first() {
                return Err(not_empty(self.dir, &entry.name));
            }
        }
        self.sink = Some(Sink::new(self.env)?);
        Ok(())
    }

    fn create(&mut self, head: &FileHead) -> Result<()> {
        let path = self.dir.join(&head.name);
        self.written.push(path.clone());
        if self.goes_on {
            // Begun by the copy that was stopped, and not worth keeping.
            remove_if_there(self.env, &path)?;
        }
        let mut file = match self.believes {
            true => Sink::create(self.env, &path, head.len)?,
            false => Sink::create_growing(self.env, &path)?,
        };
        self.sums.push((file.summed(), head.len));
        self.room = if self.believes { head.len } else { 0 };
        self.file = Some((file, 0));
        Ok(())
    }

    fn buffer(&mut self) -> Result<AlignedBuffer> {
        self.sink()?.buffer()
    }

    fn write(&mut self, buffer: AlignedBuffer, len: usize) -> Result<()> {
        let (Some(sink), Some((file, at))) = (&mut self.sink, &mut self.file) else {
            return Err(not_begun());
        };
        let end = *at + len as u64;
        if end > self.room {
            // No more than as much again as has come.
            let whole = self.sums.last().map_or(end, |(_, len)| *len);
            let room = end.saturating_mul(2).min(whole).max(end);
            file.reserve(self.room, room)?;
            self.room = room;
        }
        sink.write(file, buffer, len, *at)?;
        *at = end;
        Ok(())
    }

    fn finish_file(&mut self) -> Result<()> {
        match self.file.take() {
            Some((file, _)) => self.sink()?.finish(file),
            None => Ok(()),
        }
    }

    fn piece_len(&self, gentle: bool) -> usize {
        Sink::piece_len(gentle)
    }

    fn wait(&mut self) -> Result<()> {
        self.sink()?.settle()
    }

    fn settle(&mut self) -> Result<Vec<u32>> {
        self.sink()?.drain()?;
        self.sink = None;
        let sums = self.sums.iter().map(|(crc, len)| {
            crc.of_all(*len).ok_or_else(|| {
                Error::new(JetErr::InternalError, "a piece of the copy was not written")
            })
        });
        let sums = sums.collect::<Result<Vec<u32>>>()?;
        self.env.fs.sync_dir(self.dir)?;
        Ok(sums)
    }

    fn complete(&mut self, manifest: &mut Manifest) -> Result<()> {
        if self.markers {
            self.add_markers(manifest)?;
        }
        self.written.extend([NEW_NAME, MANIFEST_NAME].map(|name| self.dir.join(name)));
        manifest.write(self.env, self.dir)?;
        let Some(name) = self.name else { return Ok(()) };
        self.env.fs.rename(self.dir, name)?;
        self.renamed = true;
        self.env.fs.sync_dir(parent_of(name))
    }

    fn stays(&self) -> bool {
        self.keeps
    }

    fn go_on(&mut self, head: &FileHead, done: u64, sum: u32) -> Result<()> {
        let path = self.dir.join(&head.name);
        self.written.push(path.clone());
        let mut file = Sink::reopen(self.env, &path, head.len, done, sum)?;
        self.room = head.len;
        self.sums.push((file.summed(), head.len));
        self.file = Some((file, done));
        Ok(())
    }

    fn keep(&mut self, kept: &mut Kept, source: &dyn BackupSource) -> Result<()> {
        let file = &self.file;
        // Once everything is settled there is nothing to wait for.
        if let Some(sink) = &mut self.sink {
            sink.sync(file.as_ref().map(|(file, _)| file))?;
        }
        // Names of files that were created since.
        self.env.fs.sync_dir(self.dir)?;
        let open = file.as_ref().map(|(_, at)| *at);
        let last = self.sums.len().saturating_sub(1);
        for (at, (file, (crc, len))) in kept.files.iter_mut().zip(&self.sums).enumerate() {
            let done = open.filter(|_| at == last).unwrap_or(*len);
            let sum = crc.of_all(done).ok_or_else(|| {
                Error::new(JetErr::InternalError, "a piece of the copy was not written")
            })?;
            (file.done, file.crc32) = (done, hex32(sum));
        }
        kept.write(self.dir, source)
    }

    fn leave(&mut self) {
        (self.sink, self.file) = (None, None);
    }

    /// The manifest goes first, the mark of the unfinished set last and only when the others are
    /// durably gone, so that no power cut leaves a set that looks complete; then the directories
    /// that were made. A set that is complete gets its mark back before; where that fails it stays.
    /// Other failures are reported and passed over: the mark stays.
    fn abort(&mut self) {
        (self.sink, self.file) = (None, None);
        let mut left = Vec::new();
        if let Err(error) = self.take_back() {
            tracing::warn!(%error, "the aborted backup is complete and stays");
            return;
        }
        if let Some((mark, files)) = self.written.split_first() {
            for path in files.iter().rev() {
                left.extend(remove_if_there(self.env, path).err());
            }
            left.extend(self.env.fs.sync_dir(self.dir).err());
            if left.is_empty() {
                left.extend(remove_if_there(self.env, mark).err());
            }
        }
        if left.is_empty() {
            left.extend(self.made.remove(self.env));
        }
        for error in left {
            tracing::warn!(%error, "something of the aborted backup is left behind");
        }
    }
}

fn not_empty(dir: &Path, name: &str) -> Error {
    let what = format!("the directory for the backup holds \"{name}\"");
    Error::new(JetErr::BackupDirectoryNotEmpty, what)
        .at_path(dir)
        .advise("choose an empty or new directory")
}

/// Holds the mark of an unfinished set, so that nobody else goes on with it or removes it; `None`
/// if there is none.
///
/// # Errors
/// `JET_errFileAccessDenied` (-1032) while another backup writes the set.
pub(super) fn hold_mark(env: &Env, dir: &Path) -> Result<Option<Arc<dyn File>>> {
    let path = dir.join(INCOMPLETE_NAME);
    if !env.fs.exists(&path)? {
        return Ok(None);
    }
    let mark = env.fs.open(&path, OpenMode::ReadWrite)?;
    lock_mark(&mark)?;
    Ok(Some(mark))
}

fn lock_mark(mark: &Arc<dyn File>) -> Result<()> {
    mark.lock(LockMode::Exclusive).map_err(|error| match error.code() {
        JetErr::FileAccessDenied => {
            Error::new(JetErr::FileAccessDenied, "another backup is writing this set")
                .at_path(mark.path())
                .advise("wait for its end, or choose another directory")
        }
        _ => error,
    })
}

/// Somebody writes to a set before its beginning.
pub(super) fn not_begun() -> Error {
    Error::new(JetErr::InternalError, "the set was not begun")
}
