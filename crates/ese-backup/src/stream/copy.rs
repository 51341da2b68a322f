//! A whole backup into a directory.
//!
//! The set is flat: each database under its own name with its trailer, the logs under theirs,
//! and the manifest. Everything is durable before a log of the instance is deleted, and the
//! mark of the unfinished set goes away before the backup is recorded in any header. Whatever
//! ends the copy early (the stop, an error) removes what the copy has written.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ese_base::{Error, JetErr, LgPos, Result, StopToken};
use ese_os::{Env, OpenMode};

use super::{
    BackupStream, DatabaseEntry, INCOMPLETE_NAME, LogEntry, MANIFEST_NAME, Manifest, Sink,
    file_crc::FileCrc,
    manifest::{NEW_NAME, hex32, signature_to_hex},
    sink::CHUNK_LEN,
};
use crate::{
    files::{MadeDirs, remove_if_there},
    session::{BackupContext, LogInfo},
};

/// How a copy is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Delete the instance's logs that the set makes superfluous.
    pub truncate: bool,
}

/// What a copy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Databases are read and written.
    Databases,
    /// Logs are read and written.
    Logs,
    /// The set is being made durable and complete.
    Finishing,
}

/// How far a copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Bytes read and verified so far. Never less than before.
    pub bytes_done: u64,
    /// Bytes of the set as far as they are known; the logs count from their phase on.
    pub bytes_total: u64,
}

/// What a finished copy was.
#[derive(Debug)]
pub struct BackupReport {
    /// Its contents.
    pub manifest: Manifest,
    /// Bytes of all databases and logs.
    pub bytes: u64,
    /// Databases whose headers remember the backup. 0 after a stop that came too late to prevent
    /// the copy.
    pub recorded: u32,
    /// Why the instance's logs could not all be deleted. The set is complete all the same.
    pub truncation: Option<Error>,
}

/// Makes a full backup of the instance into `dir`, which must be empty or not exist yet.
///
/// `progress` is called between pieces of 1 MiB, on this thread. `stop` is looked at there too, and
/// while a damaged page is read again, and does the same as [`BackupContext::stop`].
///
/// # Errors
/// `JET_errBackupDirectoryNotEmpty` (-504); `JET_errBackupAbortByServer` (-801) if the backup was
/// stopped; those of beginning, reading and writing. Then nothing of the set is left, except when
/// writing the databases' headers failed after logs had been deleted: the set is complete then.
pub fn backup_to_dir(
    context: &Arc<BackupContext>,
    env: &Env,
    dir: &Path,
    options: CopyOptions,
    progress: &mut dyn FnMut(&Progress),
    stop: &StopToken,
) -> Result<BackupReport> {
    let made = prepare_dir(env, dir)?;
    let mut copy = Copy {
        env,
        dir,
        stop,
        progress,
        so_far: Progress { phase: Phase::Databases, bytes_done: 0, bytes_total: 0 },
        written: Vec::new(),
        irreplaceable: false,
        others: Others::default(),
        sums: Vec::new(),
        names: BTreeSet::from([MANIFEST_NAME.to_owned(), INCOMPLETE_NAME.to_owned()]),
    };
    context.watch(Some(stop.clone()));
    let result = copy.run(context, options);
    context.watch(None);
    if result.is_err() && !copy.irreplaceable {
        copy.remove_all(&made);
    }
    result
}

fn prepare_dir(env: &Env, dir: &Path) -> Result<MadeDirs> {
    let mut made = MadeDirs::default();
    made.make(env, dir)?;
    if let Some(entry) = env.fs.list(dir)?.first() {
        return Err(Error::new(
            JetErr::BackupDirectoryNotEmpty,
            format!("the directory for the backup holds \"{}\"", entry.name),
        )
        .at_path(dir)
        .advise("choose an empty or new directory"));
    }
    Ok(made)
}

/// Does somebody else write the log, and so wait for the device?
#[derive(Default)]
struct Others {
    seen: LgPos,
    busy_until: Duration,
}

impl Others {
    /// How long they count as busy after each record.
    const LINGER: Duration = Duration::from_millis(200);

    /// The backup itself has written records up to here.
    fn skip_to(&mut self, tip: LgPos) {
        self.seen = tip;
    }

    fn are_busy(&mut self, tip: LgPos, now: Duration) -> bool {
        if tip != self.seen {
            self.seen = tip;
            self.busy_until = now + Others::LINGER;
        }
        now < self.busy_until
    }
}

struct Copy<'a> {
    env: &'a Env,
    dir: &'a Path,
    stop: &'a StopToken,
    progress: &'a mut dyn FnMut(&Progress),
    so_far: Progress,
    /// Files of the set, in the order of their creation; the first is the mark.
    written: Vec<PathBuf>,
    /// Logs of the instance may be gone: the complete set is all that is left of them.
    irreplaceable: bool,
    others: Others,
    /// Sum and length of each file, in the order of the manifest.
    sums: Vec<(Arc<FileCrc>, u64)>,
    /// Names that are taken.
    names: BTreeSet<String>,
}

/// A file of the set.
struct Copied {
    name: String,
    len: u64,
    corrected: u64,
}

impl Copy<'_> {
    fn run(&mut self, context: &Arc<BackupContext>, options: CopyOptions) -> Result<BackupReport> {
        let mut stream = BackupStream::begin(context, false)?;
        let source = Arc::clone(context.source());
        self.others.skip_to(source.tip());
        self.mark_incomplete()?;
        let mut manifest = Manifest::new(
            "full",
            self.env.clock.log_time().to_string(),
            source.page_size().bytes_u32(),
            source.log_base(),
        );
        let mut sink = Sink::new(self.env)?;
        self.databases(&mut stream, &mut sink, &mut manifest)?;
        let logs = stream.logs()?;
        manifest.log_signature = signature_to_hex(&source.log_signature());
        self.others.skip_to(source.tip());
        self.logs(&mut stream, &mut sink, &logs, &mut manifest)?;
        self.so_far.phase = Phase::Finishing;
        self.report();
        sink.drain()?;
        drop(sink);
        self.enter_sums(&mut manifest)?;
        self.env.fs.sync_dir(self.dir)?;
        self.check_stop(&stream)?;
        self.written.extend([NEW_NAME, MANIFEST_NAME].map(|name| self.dir.join(name)));
        manifest.write(self.env, self.dir)?;
        let truncation = if options.truncate { self.truncate(&mut stream)? } else { None };
        if !self.irreplaceable {
            self.check_stop(&stream)?;
        }
        let recorded = stream.finish()?;
        self.report();
        Ok(BackupReport { manifest, bytes: self.so_far.bytes_done, recorded, truncation })
    }

    /// A refused truncation ends the backup; one that failed half way does not take the complete
    /// set away, because some of the logs before it are gone.
    fn truncate(&mut self, stream: &mut BackupStream) -> Result<Option<Error>> {
        self.check_stop(stream)?;
        match stream.truncate() {
            Ok(()) => {
                self.irreplaceable = true;
                Ok(None)
            }
            Err(error) if error.code() == JetErr::BackupAbortByServer => Err(error),
            Err(error) => {
                self.irreplaceable = true;
                tracing::error!(%error, "the backup is complete, but logs could not be deleted");
                Ok(Some(error))
            }
        }
    }

    fn check_stop(&self, stream: &BackupStream) -> Result<()> {
        if self.stop.reason().is_some() {
            stream.context().stop();
        }
        if stream.context().is_stopped() {
            return Err(Error::new(JetErr::BackupAbortByServer, "the backup was stopped"));
        }
        Ok(())
    }

    fn mark_incomplete(&mut self) -> Result<()> {
        let path = self.dir.join(INCOMPLETE_NAME);
        self.written.push(path.clone());
        self.env.fs.open(&path, OpenMode::CreateNew)?.sync()?;
        self.env.fs.sync_dir(self.dir)
    }

    fn databases(
        &mut self,
        stream: &mut BackupStream,
        sink: &mut Sink,
        manifest: &mut Manifest,
    ) -> Result<()> {
        let source = Arc::clone(stream.context().source());
        let attached = source.databases();
        for database in &attached {
            let pages = u64::from(source.last_page(database)?.0) + 3;
            self.so_far.bytes_total += pages * source.page_size().bytes_u64();
        }
        for path in stream.databases()? {
            let name = self.free_name(&path);
            let copied = self.file(stream, sink, &path, name)?;
            let signature = attached.iter().find(|database| database.path == path);
            let signature = signature.map(|database| database.file.header().sign_db);
            manifest.databases.push(DatabaseEntry {
                name: copied.name,
                source: path.to_string_lossy().into_owned(),
                len: copied.len,
                crc32: String::new(),
                signature: signature_to_hex(&signature.unwrap_or_default()),
                corrected_pages: copied.corrected,
            });
        }
        Ok(())
    }

    fn logs(
        &mut self,
        stream: &mut BackupStream,
        sink: &mut Sink,
        logs: &LogInfo,
        manifest: &mut Manifest,
    ) -> Result<()> {
        self.so_far.phase = Phase::Logs;
        (manifest.gen_low, manifest.gen_high) = (logs.gen_low.0, logs.gen_high.0);
        for (path, generation) in logs.files.iter().zip(logs.gen_low.0..) {
            let name = self.free_name(path);
            let copied = self.file(stream, sink, path, name)?;
            let Copied { name, len, .. } = copied;
            manifest.logs.push(LogEntry { name, generation, len, crc32: String::new() });
        }
        Ok(())
    }

    /// Two databases may have the same name in different directories.
    fn free_name(&mut self, path: &Path) -> String {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) => (stem.to_owned(), format!(".{extension}")),
            None => (name.clone(), String::new()),
        };
        let numbered = (2u32..).map(|number| format!("{stem}-{number}{extension}"));
        let mut candidates = std::iter::once(name).chain(numbered);
        candidates.find(|name| self.names.insert(name.clone())).unwrap_or_default()
    }

    fn file(
        &mut self,
        stream: &mut BackupStream,
        sink: &mut Sink,
        from: &Path,
        name: String,
    ) -> Result<Copied> {
        let path = self.dir.join(&name);
        let source = Arc::clone(stream.context().source());
        let mut reader = stream.open(from)?;
        let len = reader.len();
        self.so_far.bytes_total = self.so_far.bytes_total.max(self.so_far.bytes_done + len);
        self.written.push(path.clone());
        let mut file = Sink::create(self.env, &path, len)?;
        self.sums.push((file.summed(), len));
        let mut at = 0;
        while at < len {
            self.report();
            if self.stop.reason().is_some() {
                reader.stop();
            }
            sink.set_gentle(self.others.are_busy(source.tip(), self.env.clock.monotonic()));
            let mut buffer = sink.buffer()?;
            let count = reader.read_aligned(buffer.as_mut_slice())?;
            if count == 0 {
                return Err(Error::new(
                    JetErr::FileIOBeyondEOF,
                    format!("{len} bytes were announced, the file ended after {at}"),
                )
                .at_path(from));
            }
            sink.write(&file, buffer, count, at)?;
            at += count as u64;
            self.so_far.bytes_done += count as u64;
        }
        let corrected = reader.close()?;
        sink.finish(file)?;
        Ok(Copied { name, len, corrected })
    }

    /// Enters the files' sums, which are whole now that everything is written.
    fn enter_sums(&self, manifest: &mut Manifest) -> Result<()> {
        let databases = manifest.databases.iter_mut().map(|entry| &mut entry.crc32);
        let logs = manifest.logs.iter_mut().map(|entry| &mut entry.crc32);
        for (to, (crc, len)) in databases.chain(logs).zip(&self.sums) {
            let sum = crc.of_all(*len).ok_or_else(|| {
                Error::new(JetErr::InternalError, "a piece of the copy was not written")
            })?;
            *to = hex32(sum);
        }
        Ok(())
    }

    fn report(&mut self) {
        let so_far = &mut self.so_far;
        so_far.bytes_total = so_far.bytes_total.max(so_far.bytes_done);
        (self.progress)(so_far);
    }

    /// Removes what was written: the manifest first, the mark of the unfinished set last and only
    /// when the others are durably gone, so that no power cut leaves a set that looks complete;
    /// then the directories that were made. Failures are reported and passed over: the mark stays.
    fn remove_all(&self, made: &MadeDirs) {
        let mut left = Vec::new();
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
            left.extend(made.remove(self.env));
        }
        for error in left {
            tracing::warn!(%error, "something of the aborted backup is left behind");
        }
    }
}

// `CHUNK_LEN` is a multiple of every page size, so each read fills its buffer.
const _: () = assert!(CHUNK_LEN.is_multiple_of(32 * 1024) && CHUNK_LEN >= 3 * 32 * 1024);
