//! An incremental backup into the folder of the set that it goes on with.
//!
//! A set that is complete stays so at every moment. The new logs are written as `<name>.adding`;
//! with the mark of the unfinished set beside the manifest only what the manifest lists counts, so
//! the logs can get their names in any order before the new manifest replaces the old one. A set
//! of another program has no manifest: its logs get their names one after the other, each durably.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, Generation, JetErr, Result, StopToken};
use ese_os::{Env, OpenMode};

use super::refuse_live_folder;
use crate::{
    files::remove_if_there,
    restore::{PlannedLog, logs_of_set, read_log_header},
    session::{BackupContext, LogInfo},
    stream::{
        BackupReport, BackupStream, INCOMPLETE_NAME, LogEntry, Manifest, Phase, Progress, Rests,
        Sink, hex32, signature_to_hex,
    },
};

/// Adds the logs since the last full or incremental backup to a set, and truncates the log. An
/// empty folder becomes a set of logs that can be restored on top of another one.
///
/// # Errors
/// `JET_errMissingFullBackup` (-560) and the others of [`BackupContext::begin`];
/// `JET_errFileAccessDenied` (-1032) for a folder in which the instance keeps files;
/// `JET_errInvalidLogSequence` (-515) if the logs do not go on where the set ends; what is wrong
/// with the set; `JET_errBackupAbortByServer` (-801) after a stop; those of reading and writing.
/// The set is as it was then, except after an error of writing the headers: it is complete then.
pub fn add_increment(
    context: &Arc<BackupContext>,
    env: &Env,
    dir: &Path,
    progress: &mut dyn FnMut(&Progress),
    stop: &StopToken,
) -> Result<BackupReport> {
    context.watch(Some(stop.clone()));
    let mut stream = BackupStream::begin(context, true).inspect_err(|_| context.watch(None))?;
    let added = Adding::begin(context, env, dir).and_then(|mut adding| {
        let added = adding.run(&mut stream, progress, stop);
        added.inspect_err(|_| adding.undo())
    });
    context.watch(None);
    let (manifest, bytes) = added?;
    // From here on the set is complete and stays.
    let truncation = match stream.truncate() {
        Ok(()) => None,
        Err(error) if error.code() == JetErr::BackupAbortByServer => return Err(error),
        Err(error) => Some(error),
    };
    let recorded = stream.finish()?;
    Ok(BackupReport { manifest, bytes, recorded, truncation, taken_over: 0 })
}

struct Adding<'a> {
    env: &'a Env,
    dir: &'a Path,
    /// Logs that the set has.
    have: Vec<PlannedLog>,
    /// With a set of another program there is none.
    manifest: Option<Manifest>,
    /// Files that go away again if nothing comes of it.
    written: Vec<PathBuf>,
    complete: bool,
    rests: Rests,
}

/// A log of the instance that the set does not have.
struct New {
    path: PathBuf,
    name: String,
    generation: Generation,
}

impl<'a> Adding<'a> {
    fn begin(context: &BackupContext, env: &'a Env, dir: &'a Path) -> Result<Adding<'a>> {
        refuse_live_folder(context, env, dir, JetErr::FileAccessDenied)?;
        let empty = match env.fs.exists(dir)? {
            true => env.fs.list(dir)?.is_empty(),
            false => {
                env.fs.create_dir_all(dir)?;
                true
            }
        };
        let source = context.source();
        let (have, manifest) = match empty {
            false => logs_of_set(env, dir)?,
            true => {
                let created = env.clock.log_time().to_string();
                let (page, base) = (source.page_size().bytes_u32(), source.log_base());
                let mut manifest = Manifest::new("incremental", created, page, base);
                manifest.log_signature = signature_to_hex(&source.log_signature());
                (Vec::new(), Some(manifest))
            }
        };
        let (written, rests) = (Vec::new(), Rests::default());
        Ok(Adding { env, dir, have, manifest, written, complete: false, rests })
    }

    fn run(
        &mut self,
        stream: &mut BackupStream,
        progress: &mut dyn FnMut(&Progress),
        stop: &StopToken,
    ) -> Result<(Manifest, u64)> {
        let logs = stream.logs()?;
        let new = self.choose(&logs)?;
        if self.manifest.is_some() {
            let mark = self.dir.join(INCOMPLETE_NAME);
            self.env.fs.open(&mark, OpenMode::CreateOrTruncate)?.sync()?;
            self.env.fs.sync_dir(self.dir)?;
        }
        let mut so_far = Progress { phase: Phase::Logs, bytes_done: 0, bytes_total: 0 };
        let mut sink = Sink::new(self.env)?;
        self.rests.skip(&**stream.context().source());
        let mut entries = Vec::new();
        for path in &logs.files {
            let own = new.iter().find(|log| log.path == *path);
            let to = own.map(|log| self.dir.join(format!("{}.adding", log.name)));
            if let Some(to) = &to {
                remove_if_there(self.env, to)?;
                self.written.push(to.clone());
            }
            let (len, sum) = self.copy(stream, &mut sink, path, to, &mut so_far, progress, stop)?;
            if let Some(New { name, generation, .. }) = own {
                let (name, generation) = (name.clone(), generation.0);
                entries.push(LogEntry { name, generation, len, crc32: hex32(sum) });
            }
        }
        sink.drain()?;
        so_far.phase = Phase::Finishing;
        progress(&so_far);
        if stream.context().is_stopped() {
            return Err(Error::new(JetErr::BackupAbortByServer, "the backup was stopped"));
        }
        let manifest = self.complete(&logs, entries)?;
        Ok((manifest, so_far.bytes_done))
    }

    /// The logs that the set lacks. They go on where it ends, and what both have is the same.
    fn choose(&self, logs: &LogInfo) -> Result<Vec<New>> {
        let mut last = self.have.last().map(PlannedLog::id);
        let mut new = Vec::new();
        for (path, generation) in logs.files.iter().zip((logs.gen_low.0..).map(Generation)) {
            let header = read_log_header(self.env, path)?;
            let other = |what: &str| {
                Error::new(JetErr::InvalidLogSequence, what.to_owned())
                    .at_path(path)
                    .at_generation(generation)
                    .advise("make the backup into the folder of the last one, or a full one")
            };
            if let Some(own) = self.have.iter().find(|log| log.generation == generation) {
                if own.id() != header.id() {
                    return Err(other("the set has another log of this generation"));
                }
                continue;
            }
            if let Some(last) = last.filter(|last| !header.follows(*last)) {
                let what = format!("the set ends with generation {:#x}", last.generation.0);
                return Err(other(&what));
            }
            last = Some(header.id());
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            new.push(New { path: path.clone(), name, generation });
        }
        Ok(new)
    }

    /// Reads a log to its end, which is what makes it a copied one, and writes it if it is new.
    #[expect(clippy::too_many_arguments, reason = "they are what a copy consists of")]
    fn copy(
        &mut self,
        stream: &mut BackupStream,
        sink: &mut Sink,
        from: &Path,
        to: Option<PathBuf>,
        so_far: &mut Progress,
        progress: &mut dyn FnMut(&Progress),
        stop: &StopToken,
    ) -> Result<(u64, u32)> {
        let source = Arc::clone(stream.context().source());
        let mut reader = stream.open(from)?;
        let len = reader.len();
        so_far.bytes_total = so_far.bytes_total.max(so_far.bytes_done + len);
        let out = to.map(|to| Sink::create(self.env, &to, len)).transpose()?;
        let mut sum = crc32fast::Hasher::new();
        let mut at = 0;
        loop {
            progress(so_far);
            if stop.reason().is_some() {
                reader.stop();
            }
            let gentle = self.rests.others_commit(&*source);
            let mut buffer = sink.buffer()?;
            let piece = buffer.as_mut_slice().get_mut(..Sink::piece_len(gentle));
            let count = reader.read_aligned(piece.unwrap_or_default())?;
            sum.update(buffer.as_slice().get(..count).unwrap_or_default());
            match &out {
                Some(out) if count > 0 => sink.write(out, buffer, count, at)?,
                _ => sink.give_back(buffer),
            }
            at += count as u64;
            so_far.bytes_done += count as u64;
            if count == 0 {
                break;
            }
            if gentle {
                sink.settle()?;
            }
            let context = reader.context();
            self.rests.rest(&*source, &|| stop.reason().is_none() && !context.is_stopped());
        }
        reader.close()?;
        if at != len {
            let what = format!("{at} bytes of the log were read, it has {len}");
            return Err(Error::new(JetErr::LogReadVerifyFailure, what).at_path(from));
        }
        if let Some(out) = out {
            sink.finish(out)?;
        }
        Ok((len, sum.finalize()))
    }

    /// Gives the logs their names, and lists them.
    fn complete(&mut self, logs: &LogInfo, entries: Vec<LogEntry>) -> Result<Manifest> {
        let one_by_one = self.manifest.is_none();
        for entry in &entries {
            let path = self.dir.join(&entry.name);
            self.env.fs.rename(&self.dir.join(format!("{}.adding", entry.name)), &path)?;
            self.written.push(path);
            if one_by_one {
                self.env.fs.sync_dir(self.dir)?;
            }
        }
        self.env.fs.sync_dir(self.dir)?;
        let Some(mut manifest) = self.manifest.take() else {
            self.complete = true;
            let base = logs.base.clone();
            let mut told = Manifest::new("incremental", String::new(), 0, base);
            (told.gen_low, told.gen_high) = (logs.gen_low.0, logs.gen_high.0);
            told.logs = entries;
            return Ok(told);
        };
        if manifest.logs.is_empty() {
            manifest.gen_low = logs.gen_low.0;
        }
        manifest.gen_high = logs.gen_high.0;
        manifest.logs.extend(entries);
        // Whether a manifest that could not be written is there is not known: its logs stay.
        self.complete = true;
        manifest.write(self.env, self.dir)?;
        Ok(manifest)
    }

    /// Takes away what was written; the mark last.
    fn undo(&self) {
        if self.complete {
            return;
        }
        let mut left = Vec::new();
        for path in self.written.iter().rev() {
            left.extend(remove_if_there(self.env, path).err());
        }
        left.extend(self.env.fs.sync_dir(self.dir).err());
        if left.is_empty() && self.manifest.is_some() {
            left.extend(remove_if_there(self.env, &self.dir.join(INCOMPLETE_NAME)).err());
        }
        for error in left {
            tracing::warn!(%error, "something of the aborted backup is left behind");
        }
    }
}
