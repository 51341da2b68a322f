//! Writing an archive.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crc32fast::Hasher;
use ese_base::{Error, JetErr, Result};
use ese_os::{Env, File, LockMode, OpenMode, parent_of};

use super::{ArchiveStart, FRAME_DATA_LEN, FileHead, FrameHead, Kind, from_io, to_text};
use crate::{
    AlignedBuffer,
    files::{check_plain_name, remove_if_there},
    source::BackupSource,
    stream::{
        Manifest,
        kept::Kept,
        output::{SetOutput, not_begun},
    },
};

/// A set that is written as a stream of frames.
pub(crate) struct ArchiveOutput<'a> {
    env: &'a Env,
    to: To<'a>,
    archive: u32,
    number: u64,
    /// The one buffer, unless it is being filled.
    buffer: Option<AlignedBuffer>,
    /// Sums of the files so far; the last one is being written.
    sums: Vec<Hasher>,
}

enum To<'a> {
    /// Somebody else's, for instance a pipe.
    Writer(&'a mut dyn Write),
    /// A file with this name, which it gets when it is whole. `made` is what this copy has made so
    /// far, and may take away.
    File { path: PathBuf, new: PathBuf, file: Option<FileEnd>, made: Option<PathBuf> },
}

/// The end of a file as a stream.
struct FileEnd {
    file: Arc<dyn File>,
    at: u64,
}

impl Write for FileEnd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(bytes, self.at).map_err(io::Error::other)?;
        let len = bytes.len() as u64;
        if bytes.len() >= FRAME_DATA_LEN {
            // Dirty pages that pile up would delay the syncs of whoever commits meanwhile.
            self.file.start_writeback(self.at, len);
        }
        self.at += len;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> ArchiveOutput<'a> {
    pub(crate) fn to_writer(env: &'a Env, out: &'a mut dyn Write) -> ArchiveOutput<'a> {
        ArchiveOutput::new(env, To::Writer(out))
    }

    /// The name must be free.
    pub(crate) fn to_file(env: &'a Env, path: &Path) -> Result<ArchiveOutput<'a>> {
        check_free(env, path)?;
        let mut new = path.as_os_str().to_owned();
        new.push(".incomplete");
        let (path, new) = (path.to_path_buf(), PathBuf::from(new));
        let to = To::File { path, new, file: None, made: None };
        Ok(ArchiveOutput::new(env, to))
    }

    fn new(env: &'a Env, to: To<'a>) -> ArchiveOutput<'a> {
        let archive = env.rng.next_u32();
        ArchiveOutput { env, to, archive, number: 0, buffer: None, sums: Vec::new() }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match &mut self.to {
            To::Writer(out) => out.write_all(bytes),
            To::File { file: Some(file), .. } => file.write_all(bytes),
            To::File { .. } => return Err(not_begun()),
        };
        written.map_err(|error| from_io(error, "write the archive"))
    }

    fn frame(&mut self, kind: Kind, content: &[u8], crc: u32) -> Result<()> {
        let len = u32::try_from(content.len())
            .map_err(|_| Error::new(JetErr::InternalError, "a frame of 4 GiB"))?;
        let head = FrameHead { kind, number: self.number, len, crc, archive: self.archive };
        self.number += 1;
        self.put(&head.encode())?;
        self.put(content)
    }

    fn text(&mut self, kind: Kind, content: &[u8]) -> Result<()> {
        self.frame(kind, content, crc32fast::hash(content))
    }
}

impl SetOutput for ArchiveOutput<'_> {
    fn begin(&mut self, start: &ArchiveStart) -> Result<()> {
        if let To::File { new, file, made, .. } = &mut self.to {
            remove_left_over(self.env, new)?;
            let created = self.env.fs.open(new, OpenMode::CreateNew)?;
            *made = Some(new.clone());
            // As long as this copy runs nobody else takes the file for a left-over.
            created.lock(LockMode::Exclusive)?;
            *file = Some(FileEnd { file: created, at: 0 });
        }
        self.text(Kind::Start, &to_text(start)?)
    }

    fn create(&mut self, head: &FileHead) -> Result<()> {
        check_plain_name(&head.name)?;
        self.sums.push(Hasher::new());
        self.text(Kind::File, &to_text(head)?)
    }

    fn buffer(&mut self) -> Result<AlignedBuffer> {
        self.buffer.take().map_or_else(|| AlignedBuffer::new(FRAME_DATA_LEN), Ok)
    }

    fn write(&mut self, buffer: AlignedBuffer, len: usize) -> Result<()> {
        let bytes = buffer.as_slice().get(..len).unwrap_or_default();
        let mut sum = Hasher::new();
        sum.update(bytes);
        if let Some(all) = self.sums.last_mut() {
            all.combine(&sum);
        }
        self.frame(Kind::Data, bytes, sum.finalize())?;
        self.buffer = Some(buffer);
        Ok(())
    }

    fn finish_file(&mut self) -> Result<()> {
        Ok(())
    }

    /// All frames but the last of a file have one length.
    fn piece_len(&self, _gentle: bool) -> usize {
        FRAME_DATA_LEN
    }

    fn wait(&mut self) -> Result<()> {
        Ok(())
    }

    fn settle(&mut self) -> Result<Vec<u32>> {
        Ok(self.sums.iter().map(|sum| sum.clone().finalize()).collect())
    }

    fn complete(&mut self, manifest: &mut Manifest) -> Result<()> {
        let text = manifest.seal()?;
        self.text(Kind::Manifest, text.as_bytes())?;
        match &mut self.to {
            To::Writer(out) => out.flush().map_err(|error| from_io(error, "write the archive")),
            To::File { path, new, file, made } => {
                file.as_ref().ok_or_else(not_begun)?.file.sync()?;
                check_free(self.env, path)?;
                self.env.fs.rename(new, path)?;
                *made = Some(path.clone());
                self.env.fs.sync_dir(parent_of(path))
            }
        }
    }

    /// Nobody knows what became of what was given to a stream.
    fn stays(&self) -> bool {
        matches!(self.to, To::Writer(_))
    }

    fn go_on(&mut self, _head: &FileHead, _done: u64, _sum: u32) -> Result<()> {
        Err(not_kept())
    }

    fn keep(&mut self, _kept: &mut Kept, _source: &dyn BackupSource) -> Result<()> {
        Err(not_kept())
    }

    fn leave(&mut self) {}

    fn abort(&mut self) {
        let To::File { path, file, made, .. } = &mut self.to else { return };
        let Some(made) = made.take() else { return };
        if let Err(error) = remove_if_there(self.env, &made) {
            tracing::warn!(%error, "something of the aborted backup is left behind");
        }
        // Only now: until here the lock says whose the file is.
        *file = None;
        if let Err(error) = self.env.fs.sync_dir(parent_of(path)) {
            tracing::warn!(%error, "something of the aborted backup may come back");
        }
    }
}

fn check_free(env: &Env, path: &Path) -> Result<()> {
    if env.fs.exists(path)? {
        return Err(Error::new(JetErr::FileAlreadyExists, "the archive exists")
            .at_path(path)
            .advise("choose another name, or remove it"));
    }
    Ok(())
}

/// Removes what a copy has left that a crash ended; a copy that still runs has its file locked.
fn remove_left_over(env: &Env, new: &Path) -> Result<()> {
    if !env.fs.exists(new)? {
        return Ok(());
    }
    let left = env.fs.open(new, OpenMode::ReadWrite)?;
    left.lock(LockMode::Exclusive).map_err(|error| {
        Error::new(JetErr::FileAccessDenied, "another backup is writing this archive")
            .at_path(new)
            .advise("choose another name, or wait until it has ended")
            .caused_by(error)
    })?;
    remove_if_there(env, new)
}

fn not_kept() -> Error {
    Error::new(JetErr::InternalError, "an archive cannot be gone on with")
}
