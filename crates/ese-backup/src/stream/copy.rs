//! A whole backup: into a directory, into a file, or into somebody's stream.
//!
//! The set is flat: each database under its own name with its trailer, the logs under theirs, and
//! the manifest. Everything is durable before a log of the instance is deleted, and the mark of the
//! unfinished set goes away before the backup is recorded in any header. Whatever ends the copy
//! early (the stop, an error) removes what the copy has written; of a stream it leaves one without
//! its last frame, which nobody takes for complete.

use std::{fmt, io::Write, path::Path, sync::Arc};

use ese_base::{Error, Generation, JetErr, Result, StopToken};
use ese_os::Env;

use super::{
    BackupStream, BaseEntry, DatabaseEntry, LogEntry, Manifest,
    archive::{ArchiveOutput, ArchiveStart, FRAME_DATA_LEN, FileHead, FileKind},
    keeping::Keeping,
    kept::{Kept, KeptFile},
    manifest::{hex32, signature_to_hex},
    names::{self, SetNames},
    output::{DirOutput, SetOutput, hold_mark},
    rest::Rests,
    sink::CHUNK_LEN,
    throttle::{Pacer, Throttle},
};
use crate::{
    session::{BackupContext, LogInfo},
    source::BackupSource,
};

/// How a copy is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Delete the instance's logs that the set makes superfluous.
    pub truncate: bool,
}

/// Where a set goes.
pub enum Destination<'a> {
    /// A directory, which must be empty or not exist yet.
    Dir(&'a Path),
    /// An archive with this name, which must not exist yet. Until it is whole and durable it is
    /// called `NAME.incomplete`.
    Archive(&'a Path),
    /// A stream that takes an archive. What becomes of it is the caller's business, so no log can
    /// be deleted ([`CopyOptions::truncate`]).
    Writer(&'a mut dyn Write),
}

impl fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Dir(path) => f.debug_tuple("Dir").field(path).finish(),
            Destination::Archive(path) => f.debug_tuple("Archive").field(path).finish(),
            Destination::Writer(_) => f.debug_tuple("Writer").finish_non_exhaustive(),
        }
    }
}

/// A copy that is to be made.
pub struct CopyJob<'a> {
    /// How.
    pub options: CopyOptions,
    /// An incremental one (logs only) that builds on this set; a full one without.
    pub base: Option<BaseEntry>,
    /// How fast; can be changed while the copy runs.
    pub throttle: Throttle,
    /// Called between pieces of at most 1 MiB, and while a limited copy pauses, on the copying
    /// thread.
    pub progress: &'a mut dyn FnMut(&Progress),
    /// Looked at there, and while a damaged page is read again; does the same as
    /// [`BackupContext::stop`].
    pub stop: StopToken,
    /// What becomes of it if it does not come to its end.
    pub resume: Resume,
}

/// What becomes of a copy that does not come to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// Nothing of it is left.
    #[default]
    Never,
    /// It stays as an unfinished set, and another copy with this wish into the same directory goes
    /// on with it: of the databases, what was read and verified is not read again; what lies there
    /// is compared with its sums first. For full copies into a directory.
    Continue,
    /// The same, but what lies there is removed first.
    Anew,
}

impl fmt::Debug for CopyJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyJob")
            .field("options", &self.options)
            .field("base", &self.base)
            .field("throttle", &self.throttle)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}

impl<'a> CopyJob<'a> {
    /// A full copy without a limit.
    #[must_use]
    pub fn new(progress: &'a mut dyn FnMut(&Progress), stop: &StopToken) -> CopyJob<'a> {
        let (options, throttle) = (CopyOptions::default(), Throttle::default());
        let (stop, resume) = (stop.clone(), Resume::Never);
        CopyJob { options, base: None, throttle, progress, stop, resume }
    }
}

/// What a copy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// What a stopped copy has left is compared with its sums.
    Comparing,
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
    /// Bytes that an earlier copy had read before it was stopped ([`Resume::Continue`]).
    pub taken_over: u64,
}

/// Makes a full backup of the instance into `dir`, which must be empty or not exist yet.
///
/// `progress` is called between pieces of at most 1 MiB, on this thread. `stop` is looked at there
/// too, and while a damaged page is read again, and does the same as [`BackupContext::stop`].
///
/// # Errors
/// As [`copy_set`].
pub fn backup_to_dir(
    context: &Arc<BackupContext>,
    env: &Env,
    dir: &Path,
    options: CopyOptions,
    progress: &mut dyn FnMut(&Progress),
    stop: &StopToken,
) -> Result<BackupReport> {
    let job = CopyJob { options, ..CopyJob::new(progress, stop) };
    copy_set(context, env, Destination::Dir(dir), job)
}

/// Makes a backup of the instance.
///
/// # Errors
/// `JET_errBackupDirectoryNotEmpty` (-504) or `JET_errFileAlreadyExists` (-1814) for a destination
/// that is taken; `JET_errInvalidParameter` (-1003) for a stream with truncation;
/// `JET_errMissingFileToBackup` (-569) if the logs do not continue the base;
/// `JET_errGivenLogFileHasBadSignature` (-555) if the base is of another instance,
/// `JET_errGivenLogFileIsNotContiguous` (-556) if the log has gone another way since;
/// `JET_errBackupAbortByServer` (-801) if the backup was stopped; those of beginning, reading and
/// writing. Then nothing of the set is left, except when writing the databases' headers failed
/// after logs had been deleted: the set is complete then. With [`Resume::Continue`] everything
/// stays; a stopped copy that cannot be gone on with is refused: `JET_errMissingFileToBackup`
/// (-569) if a log since its begin is gone, `JET_errGivenLogFileHasBadSignature` (-555),
/// `JET_errAttachedDatabaseMismatch` (-1216), `JET_errGivenLogFileIsNotContiguous` (-556),
/// `JET_errFileInvalidType` (-1812), `JET_errFileIOBeyondEOF` (-4001).
pub fn copy_set(
    context: &Arc<BackupContext>,
    env: &Env,
    to: Destination<'_>,
    job: CopyJob<'_>,
) -> Result<BackupReport> {
    if job.resume != Resume::Never {
        return match to {
            Destination::Dir(dir) if job.base.is_none() => copy_keeping(context, env, dir, job),
            _ => Err(Error::new(
                JetErr::InvalidParameter,
                "only a full backup into a directory can be gone on with",
            )
            .advise("back up into a directory, or do without")),
        };
    }
    match to {
        Destination::Dir(dir) => copy_into(context, env, &mut DirOutput::prepare(env, dir)?, job),
        Destination::Archive(path) => {
            copy_into(context, env, &mut ArchiveOutput::to_file(env, path)?, job)
        }
        Destination::Writer(_) if job.options.truncate => Err(Error::new(
            JetErr::InvalidParameter,
            "nobody knows whether what was given to a stream is safe, so no log may be deleted",
        )
        .advise("back up into a directory or a file to truncate the logs")),
        Destination::Writer(out) => {
            copy_into(context, env, &mut ArchiveOutput::to_writer(env, out), job)
        }
    }
}

/// Makes a full backup into an empty directory of the built-in backup; `name` is what the directory
/// is called once the set is complete.
pub(crate) fn copy_to_folder(
    context: &Arc<BackupContext>,
    env: &Env,
    dir: &Path,
    name: Option<&Path>,
    job: CopyJob<'_>,
) -> Result<BackupReport> {
    copy_into(context, env, &mut DirOutput::prepare(env, dir)?.of_folder(name), job)
}

/// Makes a full backup that can be gone on with, or goes on with one.
fn copy_keeping(
    context: &Arc<BackupContext>,
    env: &Env,
    dir: &Path,
    job: CopyJob<'_>,
) -> Result<BackupReport> {
    let mut mark = hold_mark(env, dir)?;
    if job.resume == Resume::Anew && Kept::discard(env, dir, &**context.source())? {
        mark = None;
    }
    let mut earlier = Kept::look(env, dir)?;
    if let Some(earlier) = &mut earlier {
        earlier.check(dir, &**context.source())?;
        let so_far = Progress { phase: Phase::Comparing, bytes_done: 0, bytes_total: 0 };
        let lost = earlier.compare(env, dir, &mut || {
            (job.progress)(&so_far);
            match job.stop.reason() {
                None => Ok(()),
                Some(_) => Err(Error::new(JetErr::BackupAbortByServer, "the backup was stopped")),
            }
        })?;
        if lost {
            earlier.write(dir, &**context.source())?;
        }
    }
    let mut out = DirOutput::keeping(env, dir, earlier.is_some(), mark)?;
    copy_with(context, env, &mut out, job, Some(Keeping::new(earlier)))
}

fn copy_into(
    context: &Arc<BackupContext>,
    env: &Env,
    out: &mut dyn SetOutput,
    job: CopyJob<'_>,
) -> Result<BackupReport> {
    copy_with(context, env, out, job, None)
}

fn copy_with(
    context: &Arc<BackupContext>,
    env: &Env,
    out: &mut dyn SetOutput,
    job: CopyJob<'_>,
    keeping: Option<Keeping>,
) -> Result<BackupReport> {
    context.watch(Some(job.stop.clone()));
    let mut copy = Copy {
        env,
        pacer: Pacer::new(&job.throttle),
        options: job.options,
        base: job.base,
        stop: job.stop,
        progress: job.progress,
        so_far: Progress { phase: Phase::Databases, bytes_done: 0, bytes_total: 0 },
        irreplaceable: false,
        keeping,
        rests: Rests::default(),
        names: SetNames::default(),
    };
    let result = copy.run(context, out);
    context.watch(None);
    if result.is_err() && !copy.irreplaceable && !copy.leave(&**context.source(), out) {
        out.abort();
    }
    result
}

pub(super) struct Copy<'a> {
    env: &'a Env,
    options: CopyOptions,
    base: Option<BaseEntry>,
    pacer: Pacer,
    stop: StopToken,
    progress: &'a mut dyn FnMut(&Progress),
    pub(super) so_far: Progress,
    /// Logs of the instance may be gone: the complete set is all that is left of them.
    irreplaceable: bool,
    pub(super) keeping: Option<Keeping>,
    rests: Rests,
    /// Names that are taken.
    pub(super) names: SetNames,
}

impl Copy<'_> {
    fn run(
        &mut self,
        context: &Arc<BackupContext>,
        out: &mut dyn SetOutput,
    ) -> Result<BackupReport> {
        let source = Arc::clone(context.source());
        self.check_base(&*source)?;
        if self.base.is_none() {
            names::check(&*source)?;
        }
        let mut stream = match self.earlier() {
            Some(earlier) => BackupStream::again(context, earlier.point()?)?,
            None => BackupStream::begin(context, self.base.is_some())?,
        };
        self.rests.skip(&*source);
        let mut manifest = self.begin(&*source, out)?;
        self.begin_keeping(&stream, out, &manifest)?;
        if self.base.is_none() {
            self.databases(&mut stream, out, &mut manifest)?;
        }
        let logs = stream.logs()?;
        self.check_continues(&logs)?;
        self.rests.skip(&*source);
        self.logs(&mut stream, out, &logs, &mut manifest)?;
        self.so_far.phase = Phase::Finishing;
        self.report();
        enter_sums(&mut manifest, &out.settle()?);
        self.check_stop(&stream)?;
        out.complete(&mut manifest)?;
        self.keeping.iter_mut().for_each(|keeping| keeping.complete = true);
        let truncation = if self.options.truncate { self.truncate(&mut stream)? } else { None };
        if !self.irreplaceable && !out.stays() {
            self.check_stop(&stream)?;
        }
        let recorded = stream.finish()?;
        self.report();
        let bytes = self.so_far.bytes_done;
        let taken_over = self.keeping.as_ref().map_or(0, |keeping| keeping.taken_over);
        Ok(BackupReport { manifest, bytes, recorded, truncation, taken_over })
    }

    fn check_base(&self, source: &dyn BackupSource) -> Result<()> {
        let Some(base) = &self.base else { return Ok(()) };
        if base.log_signature != signature_to_hex(&source.log_signature()) {
            return Err(Error::new(
                JetErr::GivenLogFileHasBadSignature,
                format!("the set {:?} is of another instance, or of an earlier log", base.name),
            )
            .advise("name a set of this instance, or make a full backup"));
        }
        if base.is_continued_by(source)? {
            return Ok(());
        }
        let what = format!(
            "the set {:?} was made before the instance was restored from an older one: its last log \
             is not the one of this instance",
            base.name
        );
        Err(Error::new(JetErr::GivenLogFileIsNotContiguous, what)
            .at_generation(Generation(base.gen_high))
            .advise("name the set that was restored, or make a full backup"))
    }

    /// No log may lie between the base's last one and this backup's first one.
    fn check_continues(&self, logs: &LogInfo) -> Result<()> {
        let Some(base) = self.base.as_ref().filter(|it| logs.gen_low.0 > it.gen_high + 1) else {
            return Ok(());
        };
        Err(Error::new(
            JetErr::MissingFileToBackup,
            format!(
                "the set {:?} ends with log generation {:#x}, the logs on disk begin with {:#x}",
                base.name, base.gen_high, logs.gen_low.0
            ),
        )
        .at_generation(Generation(base.gen_high + 1))
        .advise("build on a later set, or make a full backup"))
    }

    fn begin(&mut self, source: &dyn BackupSource, out: &mut dyn SetOutput) -> Result<Manifest> {
        let kind = if self.base.is_some() { "incremental" } else { "full" };
        let page_size = source.page_size();
        if self.base.is_none() {
            for database in source.databases() {
                let pages = u64::from(source.last_page(&database)?.0) + 3;
                self.so_far.bytes_total += pages * page_size.bytes_u64();
            }
        }
        let now = self.env.clock.log_time().to_string();
        let created = self.earlier().map_or(now, |earlier| earlier.created.clone());
        let (size, base) = (page_size.bytes_u32(), source.log_base());
        let total = self.so_far.bytes_total;
        out.begin(&ArchiveStart::new(kind, created.clone(), size, base.clone(), total))?;
        let mut manifest = Manifest::new(kind, created, size, base);
        manifest.log_signature = signature_to_hex(&source.log_signature());
        manifest.base.clone_from(&self.base);
        Ok(manifest)
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

    fn databases(
        &mut self,
        stream: &mut BackupStream,
        out: &mut dyn SetOutput,
        manifest: &mut Manifest,
    ) -> Result<()> {
        let attached = stream.context().source().databases();
        for path in stream.databases()? {
            let (name, len, corrected_pages) = self.file(stream, out, &path, FileKind::Database)?;
            let signature = attached.iter().find(|database| database.path == path);
            let signature = signature.map(|database| database.file.header().sign_db);
            manifest.databases.push(DatabaseEntry {
                name,
                source: path.to_string_lossy().into_owned(),
                len,
                crc32: String::new(),
                signature: signature_to_hex(&signature.unwrap_or_default()),
                corrected_pages,
            });
        }
        Ok(())
    }

    fn logs(
        &mut self,
        stream: &mut BackupStream,
        out: &mut dyn SetOutput,
        logs: &LogInfo,
        manifest: &mut Manifest,
    ) -> Result<()> {
        self.so_far.phase = Phase::Logs;
        (manifest.gen_low, manifest.gen_high) = (logs.gen_low.0, logs.gen_high.0);
        for (path, generation) in logs.files.iter().zip(logs.gen_low.0..) {
            let (name, len, _) = self.file(stream, out, path, FileKind::Log)?;
            manifest.logs.push(LogEntry { name, generation, len, crc32: String::new() });
        }
        Ok(())
    }

    /// Copies a file; gives its name in the set, its length and the number of its corrected pages.
    fn file(
        &mut self,
        stream: &mut BackupStream,
        out: &mut dyn SetOutput,
        from: &Path,
        kind: FileKind,
    ) -> Result<(String, u64, u64)> {
        let source = Arc::clone(stream.context().source());
        let earlier = self.earlier().and_then(|earlier| earlier.file(kind, from)).cloned();
        let name = match &earlier {
            Some(file) => file.name.clone(),
            None => self.names.free(from, kind),
        };
        if let Some(file) = earlier.as_ref().filter(|file| file.is_whole()) {
            let head = FileHead { kind, name: name.clone(), len: file.len };
            self.take_over(file.clone());
            out.go_on(&head, file.len, file.sum())?;
            out.finish_file()?;
            stream.count_as_copied(from)?;
            return Ok((name, file.len, file.corrected_pages));
        }
        let done = earlier.as_ref().map_or(0, |file| file.done);
        let (mut reader, mut at) = stream.open_from(from, done)?;
        let len = reader.len();
        let left = len.saturating_sub(at);
        self.so_far.bytes_total = self.so_far.bytes_total.max(self.so_far.bytes_done + left);
        let head = FileHead { kind, name: name.clone(), len };
        let goes_on = earlier.filter(|_| at > 0);
        let before = goes_on.as_ref().map_or(0, |file| file.corrected_pages);
        match goes_on {
            Some(file) => {
                self.take_over(KeptFile { len, ..file.clone() });
                out.go_on(&head, at, file.sum())?;
            }
            None => {
                self.take_over(KeptFile::new(kind, &name, from, len));
                if done > 0 {
                    // Nobody may count on what is removed now.
                    self.keep(&*source, out)?;
                }
                out.create(&head)?;
            }
        }
        while at < len {
            self.report();
            if self.stop.reason().is_some() {
                reader.stop();
            }
            let gentle = self.rests.others_commit(&*source);
            let mut buffer = out.buffer()?;
            let piece = buffer.as_mut_slice().get_mut(..out.piece_len(gentle)).unwrap_or_default();
            let count = reader.read_aligned(piece)?;
            if count == 0 {
                return Err(Error::new(
                    JetErr::FileIOBeyondEOF,
                    format!("{len} bytes were announced, the file ended after {at}"),
                )
                .at_path(from));
            }
            out.write(buffer, count)?;
            if gentle {
                out.wait()?;
            }
            at += count as u64;
            self.so_far.bytes_done += count as u64;
            let corrected = before + reader.context().corrected_so_far();
            self.keep_now_and_then(&*source, out, count as u64, corrected)?;
            self.pause(count as u64, reader.context());
        }
        let corrected = before + reader.close()?;
        out.finish_file()?;
        Ok((name, len, corrected))
    }

    /// Leaves the device to those who commit, and keeps the copy under its limit.
    fn pause(&mut self, bytes: u64, context: &BackupContext) {
        let (env, stop, so_far) = (self.env, &self.stop, &self.so_far);
        let goes_on = || stop.reason().is_none() && !context.is_stopped();
        self.rests.rest(&**context.source(), &goes_on);
        let progress = &mut self.progress;
        self.pacer.wait(env, bytes, &mut || {
            progress(so_far);
            goes_on()
        });
    }

    fn report(&mut self) {
        let so_far = &mut self.so_far;
        so_far.bytes_total = so_far.bytes_total.max(so_far.bytes_done);
        (self.progress)(so_far);
    }
}

/// Enters the files' sums, in the order of the manifest.
fn enter_sums(manifest: &mut Manifest, sums: &[u32]) {
    let databases = manifest.databases.iter_mut().map(|entry| &mut entry.crc32);
    let logs = manifest.logs.iter_mut().map(|entry| &mut entry.crc32);
    for (to, sum) in databases.chain(logs).zip(sums) {
        *to = hex32(*sum);
    }
}

const _: () = assert!(CHUNK_LEN == FRAME_DATA_LEN);
