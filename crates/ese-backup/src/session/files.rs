//! The calls that hand out files (backup-log-recovery 4.4, 4.5, 4.6, 4.9).

use std::path::{Path, PathBuf};

use ese_base::{Error, JetErr, Result};
use ese_pages::aligned::is_aligned;

use super::{
    context::{Backup, BackupContext, Cause, FileHandle, OpenFile, OpenedFile, Part, ResumePoint},
    machine::Who,
    read_database::{DatabaseReader, ReadContext},
    read_log::LogReader,
    table::{Api, Reply, reply},
};
use crate::source::AttachedDatabase;

impl BackupContext {
    /// `JetGetAttachInfoInstance` (4.4): the attached, logged databases.
    ///
    /// # Errors
    /// By the table.
    pub fn attach_info(&self) -> Result<Vec<PathBuf>> {
        self.attach_info_as(Who::Anyone)
    }

    pub(crate) fn attach_info_as(&self, who: Who) -> Result<Vec<PathBuf>> {
        let _backup = self.enter(Api::AttachInfo, who)?;
        Ok(self.source.databases().into_iter().map(|database| database.path).collect())
    }

    /// `JetOpenFileInstance` (4.5): an attached database, or a log file of the list.
    ///
    /// # Errors
    /// By the table; `JET_errInvalidParameter` (-1003) for an empty path;
    /// `JET_errMissingFileToBackup` (-569), which cancels the backup, for anything that is not an
    /// existing log file of this stream and a finished generation.
    pub fn open_file(&self, path: &Path) -> Result<OpenedFile> {
        self.open_file_as(Who::Anyone, path)
    }

    pub(crate) fn open_file_as(&self, who: Who, path: &Path) -> Result<OpenedFile> {
        self.open_file_from(who, path, 0).map(|(file, _)| file)
    }

    /// Where the backup of the owner began.
    pub(crate) fn point(&self, who: Who) -> Result<ResumePoint> {
        Ok(self.gate(Api::AttachInfo, who)?.point())
    }

    /// Corrected pages of the database that is open, so far.
    pub(crate) fn corrected_so_far(&self) -> u64 {
        match &self.machine.lock().open {
            Some((_, _, OpenFile::Database(reader))) => reader.corrected(),
            _ => 0,
        }
    }

    /// A file that an earlier part of this backup has copied to its end: it counts as if it had
    /// been read now.
    pub(crate) fn count_as_copied(&self, who: Who, path: &Path) -> Result<()> {
        let mut backup = self.gate(Api::OpenOther, who)?;
        let database = self.attached_at(path);
        let api = if database.is_some() { Api::OpenDatabase } else { Api::OpenOther };
        self.decide(api, &mut backup)?;
        match database {
            Some(database) => {
                backup.parts.retain(|part| part.database.dbid != database.dbid);
                backup.parts.push(Part { database, copied: true });
            }
            None => {
                let log = self.open_log(path)?;
                backup.copied.insert(log.generation());
            }
        }
        Ok(())
    }

    /// As [`BackupContext::open_file`]; of a database without its first `done` bytes, which an
    /// earlier part of this backup has copied. The second value is where the reading begins: 0 if
    /// the database is shorter than that by now.
    pub(crate) fn open_file_from(
        &self,
        who: Who,
        path: &Path,
        done: u64,
    ) -> Result<(OpenedFile, u64)> {
        let mut backup = self.gate(Api::OpenOther, who)?;
        if path.as_os_str().is_empty() {
            return Err(Error::new(JetErr::InvalidParameter, "the path is empty"));
        }
        let database = self.attached_at(path);
        let api = if database.is_some() { Api::OpenDatabase } else { Api::OpenOther };
        let next = self.decide(api, &mut backup)?;
        let mut from = 0;
        let file = match database {
            Some(database) => {
                let mut reader =
                    DatabaseReader::open(database.clone(), backup.info(), self.source.as_ref())?;
                from = reader.skip(done);
                backup.parts.retain(|part| part.database.dbid != database.dbid);
                backup.parts.push(Part { database, copied: false });
                OpenFile::Database(reader)
            }
            None => match self.open_log(path) {
                Ok(reader) => OpenFile::Log(reader),
                Err(error) => {
                    self.clean_up(&mut backup, Some(Cause::Error(error.code())));
                    return Err(error);
                }
            },
        };
        let len = match &file {
            OpenFile::Database(reader) => reader.len(),
            OpenFile::Log(reader) => reader.len(),
        };
        let handle = backup.new_handle();
        backup.open = Some((handle, who, file));
        self.set_state(&mut backup, next);
        Ok((OpenedFile { handle, len }, from))
    }

    /// The attached database that a path means, byte by byte after links are resolved.
    fn attached_at(&self, path: &Path) -> Option<AttachedDatabase> {
        let fs = self.source.env().fs.as_ref();
        let resolved = fs.canonicalize(path);
        self.source.databases().into_iter().find(|database| {
            database.path == path
                || matches!(
                    (&resolved, fs.canonicalize(&database.path)),
                    (Ok(asked), Ok(attached)) if *asked == attached
                )
        })
    }

    fn open_log(&self, path: &Path) -> Result<LogReader> {
        let env = self.source.env();
        let missing = |what: &str| {
            Error::new(JetErr::MissingFileToBackup, what.to_owned())
                .at_path(path)
                .advise("open only the files that the log list names")
        };
        let resolved = env.fs.canonicalize(path).ok();
        let log = self.source.archived_logs()?.into_iter().find(|log| {
            log.path == path
                || resolved.is_some() && env.fs.canonicalize(&log.path).ok() == resolved
        });
        let Some(log) = log else {
            return Err(missing("not a finished log file of this instance"));
        };
        let page_len = self.source.page_size().bytes();
        LogReader::open(env, log, page_len, self.source.log_signature())
            .map_err(|error| missing("the log file cannot be opened").caused_by(error))
    }

    /// `JetReadFileInstance` (4.6): the next bytes of an open file; 0 at its end, any number of
    /// times. Every page and log segment was verified.
    ///
    /// `buf` begins at a multiple of 4096 bytes in memory (see [`crate::AlignedBuffer`]) and is
    /// whole pages long: at least 3 in the first read of a database, 2 in that of a log.
    ///
    /// # Errors
    /// By the table; `JET_errInvalidParameter` (-1003) for a wrong handle or buffer. A database
    /// that cannot be read drops out, its handle is closed, the backup goes on: -1018, -1118,
    /// -1019, -1022. A log that cannot be read cancels the backup: -612.
    pub fn read_file(&self, handle: FileHandle, buf: &mut [u8]) -> Result<usize> {
        self.read_file_as(Who::Anyone, handle, buf)
    }

    pub(crate) fn read_file_as(
        &self,
        who: Who,
        handle: FileHandle,
        buf: &mut [u8],
    ) -> Result<usize> {
        let mut guard = self.gate(Api::Read, who)?;
        let backup = &mut *guard;
        if !is_aligned(buf) {
            return Err(Error::new(
                JetErr::InvalidParameter,
                "the buffer does not begin at a multiple of 4096 bytes",
            ));
        }
        check_handle(backup, who, handle)?;
        let next = self.decide(Api::Read, backup)?;
        let context = ReadContext {
            source: self.source.as_ref(),
            stop: self.machine.switch(),
            sleeper: &backup.sleeper,
            pauses: self.pauses,
        };
        let read = match backup.open.as_mut().map(|(_, _, file)| file) {
            Some(OpenFile::Database(reader)) => {
                reader.check_len(buf.len())?;
                reader.read(context, buf)
            }
            Some(OpenFile::Log(reader)) => {
                reader.check_len(buf.len())?;
                reader.read(buf)
            }
            None => return Err(bad_handle(handle)),
        };
        match read {
            Ok(count) => {
                self.set_state(backup, next);
                Ok(count)
            }
            // Stopped in a pause between two attempts: as if refused on entry.
            Err(error) if error.code() == JetErr::BackupAbortByServer => Err(error),
            Err(error) => {
                self.drop_out(backup, &error);
                Err(error)
            }
        }
    }

    /// A file cannot be read: a database drops out, a log ends the backup.
    fn drop_out(&self, backup: &mut Backup, error: &Error) {
        tracing::error!(%error, "a file could not be read for the backup");
        match backup.open.take() {
            Some((_, _, OpenFile::Database(_))) => {
                if let Reply::To(closed) = reply(Api::Close, backup.state, false) {
                    self.set_state(backup, closed);
                }
            }
            _ => self.clean_up(backup, Some(Cause::Error(error.code()))),
        }
    }

    /// `JetCloseFileInstance` (4.9). Only a file that was read to its end counts as copied.
    ///
    /// # Errors
    /// `JET_errNoBackup` (-520), `JET_errInvalidParameter` (-1003) for a handle that is not open.
    pub fn close_file(&self, handle: FileHandle) -> Result<()> {
        self.close_file_as(Who::Anyone, handle).map(|_| ())
    }

    /// As [`BackupContext::close_file`]; gives the number of corrected pages of a database.
    pub(crate) fn close_file_as(&self, who: Who, handle: FileHandle) -> Result<u64> {
        let mut backup = self.gate(Api::Close, who)?;
        check_handle(&backup, who, handle)?;
        let next = self.decide(Api::Close, &mut backup)?;
        let Some((_, _, file)) = backup.open.take() else { return Err(bad_handle(handle)) };
        if !backup.count_copied(&file) {
            tracing::info!("a file of the backup was closed before it was read to its end");
        }
        self.set_state(&mut backup, next);
        Ok(match file {
            OpenFile::Database(reader) => reader.corrected(),
            OpenFile::Log(_) => 0,
        })
    }
}

fn check_handle(backup: &Backup, who: Who, handle: FileHandle) -> Result<()> {
    if backup.is_open(who, handle) { Ok(()) } else { Err(bad_handle(handle)) }
}

#[track_caller]
fn bad_handle(handle: FileHandle) -> Error {
    Error::new(JetErr::InvalidParameter, format!("handle {:#x} is not open", handle.0))
}
