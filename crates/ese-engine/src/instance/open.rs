//! The log of an instance that starts: a new stream, or recovery of the one that is there.
//!
//! This is the decision table of backup-log-recovery 3.2. Nothing of the log is changed before undo
//! begins: whatever is refused before can be tried again.

use std::sync::Arc;

use ese_base::{Error, ErrorKind, Generation, JetErr, LgPos, Result, Signature, TrxId};
use ese_log::{
    Checkpoint, Log, LogConfig, LogLock, LogObserver, LogStream, Situation, StreamEnd,
    make_current, read_checkpoint, remove_all, remove_from,
};
use ese_os::{Env, OpenMode};

use super::{Attached, InstanceConfig, beyond, checkpoint::Bounds};
use crate::recovery::{
    self, Limit, LogPlace, NextAction, OpenReason, Ranges, RecoveryEvent, RecoveryFlags,
    RecoveryOptions, RecoveryReport, RedoEnd, Redone, ReplayStart, Watch, missing_current,
    needed_before_checkpoint,
};

/// A log that can be written, and what recovery found.
pub(super) struct Opened {
    pub(super) log: Arc<Log>,
    pub(super) last_trx: TrxId,
    pub(super) report: Option<RecoveryReport>,
}

/// What there is afterwards.
pub(super) enum Opening {
    Running(Opened),
    /// Recovery was to end before undo; true: there was nothing to undo.
    RedoOnly {
        report: RecoveryReport,
        consistent: bool,
    },
}

/// Opens the log, or makes one.
///
/// # Errors
/// See [`super::Instance::start_with`].
pub(super) fn open_log(
    env: &Env,
    config: &InstanceConfig,
    bounds: &Arc<Bounds>,
    mut options: RecoveryOptions<'_>,
    mut watch: Watch<'_>,
) -> Result<Opening> {
    check_settings(config, &options)?;
    let opened = watch.begin().and_then(|()| {
        let mut log_config = config.log_config();
        let lock = match options.lock.take() {
            Some(lock) => lock,
            None => LogLock::acquire(env, &log_config.names)?,
        };
        log_config.lock = Some(Arc::clone(&lock));
        let open = Open { env, config, log_config, bounds };
        let opened = open.decide(options, &mut watch);
        if !matches!(opened, Ok(Opening::Running(_))) {
            // Nobody goes on with the stream.
            lock.end_in_order();
        }
        opened
    });
    watch.end(opened.is_ok());
    opened
}

/// Settings that contradict each other.
fn check_settings(config: &InstanceConfig, options: &RecoveryOptions<'_>) -> Result<()> {
    let keeps = options.flags.contains(RecoveryFlags::KEEP_ATTACHED);
    if config.clean_up_mismatched_logs && (!config.circular_log || keeps) {
        let what = "logs of another size can be removed only with circular logging, and where no \
                    database stays attached";
        return Err(Error::new(JetErr::InvalidSettings, what));
    }
    if let Some(RedoEnd::Pause(pos) | RedoEnd::CutAt(pos)) = options.until {
        let refused = match () {
            () if pos.generation == Generation(0) => "the position to stop at has no generation",
            () if config.delete_out_of_range_logs => {
                "logs cannot be removed where redo is to stop early"
            }
            () => return Ok(()),
        };
        return Err(Error::new(JetErr::InvalidParameter, refused));
    }
    Ok(())
}

/// A start in progress.
struct Open<'s> {
    env: &'s Env,
    config: &'s InstanceConfig,
    log_config: LogConfig,
    bounds: &'s Arc<Bounds>,
}

/// What is to be done to the log before it is written.
#[derive(Clone, Copy, Debug, Default)]
struct Cut {
    /// Generations from here on are removed.
    from: Option<Generation>,
    /// So is what is from here on in the last one that stays.
    at: Option<LgPos>,
    /// They do not fit, or are damaged.
    is_loss: bool,
}

impl Open<'_> {
    fn decide(&self, options: RecoveryOptions<'_>, watch: &mut Watch<'_>) -> Result<Opening> {
        let names = &self.log_config.names;
        let current = names.current();
        let unknown = LogPlace { generation: Generation(0), current: true, path: &current };
        open_for(watch, unknown, OpenReason::Check)?;
        let stream = LogStream::scan(self.env, names)?;
        let flags = options.flags;
        let mut missing_current_allowed = options.hard;
        match stream.situation() {
            Situation::Empty => return self.new_stream(flags, watch).map(Opening::Running),
            Situation::Current => {}
            Situation::UnfinishedRoll => {
                missing(watch, &stream, Ok(()))?;
            }
            Situation::CurrentMissing => {
                let leave = RecoveryFlags::IGNORE_LOST_LOGS
                    | RecoveryFlags::ALLOW_MISSING_CURRENT
                    | RecoveryFlags::WITHOUT_UNDO;
                missing_current_allowed |= flags.intersects(leave) || options.until.is_some();
                let answer = match missing_current_allowed {
                    true => Ok(()),
                    false => Err(missing_current(stream.names())),
                };
                missing(watch, &stream, answer)?;
            }
        }
        refuse_early(&stream)?;
        sync_current(self.env, &stream)?;
        let limit = Limit::new(options.until);
        let (stream, out_of_range) = beyond::leave_out(stream, self.config, &options)?;
        let (stream, mut cut) = self.without_loss(stream, &options, limit, watch)?;
        missing_current_allowed |= cut.from.is_some();
        let start = self.replay_start(&stream, &options, limit, missing_current_allowed)?;
        let mut reader = match stream.reader(start.pos) {
            Ok(reader) => reader,
            Err(error) => return Err(must_fail(watch, &stream, error)),
        };
        if options.hard && !flags.contains(RecoveryFlags::IGNORE_LOST_LOGS) {
            reader.refuse_torn();
        }
        let mut redone =
            recovery::redo_all(self.env, self.config, options, watch, &start, &mut reader)?;
        if limit.is_pause() {
            return Ok(Opening::RedoOnly { report: redone.leave()?, consistent: false });
        }
        redone.check_complete()?;
        cut.at = redone.stopped();
        if let Some(at) = cut.at {
            cut.from.get_or_insert(at.generation.next());
        }
        let without_undo = flags.contains(RecoveryFlags::WITHOUT_UNDO);
        let answer = redone.ask_undo(if without_undo { Err(no_undo()) } else { Ok(()) });
        match answer {
            Ok(()) => {}
            Err(error) if error.code() != JetErr::RecoveredWithoutUndo => return Err(error),
            Err(_) if redone.needs_undo() => {
                return Ok(Opening::RedoOnly { report: redone.leave()?, consistent: false });
            }
            Err(_) => {}
        }
        // Where undo is left out and nothing was to be undone, nothing of the log is removed.
        let redo_is_all = without_undo && !redone.needs_undo();
        let end = match cut.from.filter(|_| !redo_is_all) {
            None => reader.end()?,
            Some(_) => {
                drop(reader);
                self.end_of_cut(&cut, &mut redone)?
            }
        };
        if !without_undo {
            beyond::remove(self.env, names.dir(), &out_of_range)?;
        }
        self.take_over(&end, &start, redone, without_undo)
    }

    /// Undo, where it is needed, on the log as it ends now.
    fn take_over(
        &self,
        end: &StreamEnd,
        start: &ReplayStart,
        mut redone: Redone<'_, '_>,
        without_undo: bool,
    ) -> Result<Opening> {
        let path = start.names.current();
        let log_place = LogPlace { generation: end.generation(), current: true, path: &path };
        let event = |reason| RecoveryEvent::OpenLog { log: log_place, reason, headers: &[] };
        if !redone.needs_undo() {
            // With undo left out on request this is the last moment to go no further.
            let answer = if without_undo { Err(nothing_to_undo()) } else { Ok(()) };
            match redone.ask(&event(OpenReason::Do), answer) {
                Ok(()) => {}
                Err(error) if error.code() != nothing_to_undo().code() => return Err(error),
                Err(_) => {
                    let mut report = redone.report()?;
                    report.without_undo = true;
                    return Ok(Opening::RedoOnly { report, consistent: true });
                }
            }
            let log = Arc::new(Log::resume(self.env, &self.log_config, end)?);
            redone.ask(&RecoveryEvent::Notification { event: 302 }, Ok(()))?;
            return self.with_right_size(log, redone.report()?);
        }
        redone.ask(&event(OpenReason::Undo), Ok(()))?;
        let log = Arc::new(Log::resume(self.env, &self.log_config, end)?);
        // While undo writes, rolling the log has to keep the headers of these databases in step.
        let open = redone.open_databases();
        *self.bounds.attached.write() = open.into_iter().map(Attached::replayed).collect();
        self.bounds.set_checkpoint(start.pos);
        log.set_observer(Arc::clone(self.bounds) as Arc<dyn LogObserver>);
        // A cut between the steps of a roll may have left headers that do not name it yet.
        let (generation, created) = log.written_generation();
        let report =
            self.bounds.rolled(generation, created).and_then(|()| redone.finish(self.env, &log));
        // On failure, too: the log knows the observer, which knows the databases, which know the
        // log, and together they would hold its lock for ever.
        self.bounds.attached.write().clear();
        self.with_right_size(log, report?)
    }

    /// A log that has no generation left, or whose files have another size than they must have,
    /// ends here; one of another size may be replaced.
    fn with_right_size(&self, log: Arc<Log>, report: RecoveryReport) -> Result<Opening> {
        if log.is_at_sequence_end() {
            log.clear_observer();
            log.let_go(true);
            return Err(super::term::at_sequence_end(&log));
        }
        let last_trx = report.last_trx;
        let (has, wanted) = (log.file_len(), self.config.log_file_size);
        if has == wanted || !self.config.log_size_must_match {
            return Ok(Opening::Running(Opened { log, last_trx, report: Some(report) }));
        }
        if !self.config.clean_up_mismatched_logs {
            return Err(Error::new(
                JetErr::LogFileSizeMismatchDatabasesConsistent,
                format!("the log files have {has} bytes, not {wanted}; all databases are clean"),
            )
            .at_path(self.log_config.names.dir())
            .advise("set the size that they have, or remove the logs and the checkpoint"));
        }
        log.clear_observer();
        drop(log);
        let stream = LogStream::scan(self.env, &self.log_config.names)?;
        // The checkpoint first: without it a new start reads what is left of the logs.
        self.remove_checkpoint()?;
        remove_all(self.env, &stream)?;
        let log = self.create()?;
        Ok(Opening::Running(Opened { log, last_trx, report: Some(report) }))
    }

    fn new_stream(&self, flags: RecoveryFlags, watch: &mut Watch<'_>) -> Result<Opened> {
        let path = self.log_config.names.current();
        let log = LogPlace { generation: Generation(0), current: true, path: &path };
        let next = NextAction::Redo;
        watch.tell(&RecoveryEvent::MissingLog { log, next, headers: &[] })?;
        let answer = match flags.contains(RecoveryFlags::LOG_MUST_EXIST) {
            false => Ok(()),
            true => {
                Err(Error::new(JetErr::MissingLogFile, "there is no log, and there must be one")
                    .at_path(self.log_config.names.dir()))
            }
        };
        let (log, next) = (LogPlace { current: false, ..log }, NextAction::NewStream);
        watch.ask(&RecoveryEvent::MissingLog { log, next, headers: &[] }, answer)?;
        self.remove_checkpoint()?;
        let log = self.create()?;
        Ok(Opened { log, last_trx: TrxId(0), report: None })
    }

    fn create(&self) -> Result<Arc<Log>> {
        let now = self.env.clock.log_time();
        let signature = Signature::new(self.env.rng.next_u32(), now);
        Log::create(self.env, &self.log_config, signature).map(Arc::new)
    }

    fn remove_checkpoint(&self) -> Result<()> {
        let stale = self.config.checkpoint_path();
        if self.env.fs.exists(&stale)? {
            self.env.fs.remove_file(&stale)?;
            self.env.fs.sync_dir(&self.config.system_dir)?;
        }
        Ok(())
    }

    /// Leaves out what may be lost, and what redo does not go to.
    fn without_loss(
        &self,
        stream: LogStream,
        options: &RecoveryOptions<'_>,
        limit: Limit,
        watch: &mut Watch<'_>,
    ) -> Result<(LogStream, Cut)> {
        let path = self.config.checkpoint_path();
        watch.tell(&RecoveryEvent::OpenCheckpoint { path: &path })?;
        if let Some(last) = limit.generation()
            && stream.last_present()? > last
        {
            let cut = Cut { from: Some(last.next()), ..Cut::default() };
            return Ok((stream.without_from(last.next()), cut));
        }
        let whole = Cut::default();
        if !options.flags.contains(RecoveryFlags::IGNORE_LOST_LOGS) {
            return Ok((stream, whole));
        }
        let from = match self.checkpoint(None, options.hard) {
            Ok(Some(checkpoint)) => checkpoint.checkpoint.generation,
            _ => match stream.archives().next() {
                Some((oldest, _)) => oldest.max(options.first.unwrap_or_default()),
                None => stream.newest()?,
            },
        };
        let Some((trouble, error)) = stream.first_trouble(from)? else {
            return Ok((stream, whole));
        };
        // What does not fit may be another stream's: it goes only by a word of its own.
        let damaged = error.kind() == ErrorKind::Corruption
            && !matches!(error.code(), JetErr::MissingLogFile | JetErr::InvalidLogSequence);
        if trouble <= from || !damaged && !self.config.delete_out_of_range_logs {
            return Ok((stream, whole));
        }
        tracing::warn!(%error, "the log is read only up to here");
        let cut = Cut { from: Some(trouble), at: None, is_loss: true };
        Ok((stream.without_from(trouble), cut))
    }

    /// Makes the log end where it is to end. The last moment to refuse was before.
    fn end_of_cut(&self, cut: &Cut, redone: &mut Redone<'_, '_>) -> Result<StreamEnd> {
        let names = &self.log_config.names;
        let mut stream = LogStream::scan(self.env, names)?;
        if let Some(from) = cut.from {
            let removed = remove_from(self.env, &stream, from)?;
            if cut.is_loss {
                redone.removed(removed);
            }
            stream = LogStream::scan(self.env, names)?;
        }
        if cut.at.is_some() {
            make_current(self.env, &stream)?;
            stream = LogStream::scan(self.env, names)?;
        }
        let last = LgPos { generation: stream.newest()?, isec: 0, ib: 0 };
        let end = stream.reader(last)?.end()?;
        Ok(match cut.at {
            Some(at) => end.cut_at(at),
            None => end,
        })
    }

    fn checkpoint(&self, signature: Option<Signature>, hard: bool) -> Result<Option<Checkpoint>> {
        if hard {
            return Ok(None);
        }
        match read_checkpoint(self.env, &self.config.checkpoint_path(), signature) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(error) => match error.code() {
                JetErr::CheckpointFileNotFound | JetErr::CheckpointCorrupt => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Does the log reach the position of the checkpoint? One that lies behind the end was left
    /// where it was when databases and logs were put back, and tells nothing of these. A log that
    /// cannot be read is the replay's to tell.
    fn reaches(&self, stream: &LogStream, checkpoint: &Checkpoint) -> bool {
        let (Some(current), pos) = (stream.current(), checkpoint.checkpoint) else { return true };
        let Ok(header) = current.header() else { return true };
        if pos.generation != header.generation {
            return pos.generation < header.generation;
        }
        current.reaches(self.env, pos).unwrap_or(true)
    }

    /// Where redo has to begin: at the checkpoint, or before that where a database is in an older
    /// state; at the oldest generation if there is none.
    fn replay_start(
        &self,
        stream: &LogStream,
        options: &RecoveryOptions<'_>,
        limit: Limit,
        missing_current_allowed: bool,
    ) -> Result<ReplayStart> {
        let newest = stream.newest_header()?;
        let (sign_log, last) = (newest.signature, newest.generation);
        let first = stream.oldest()?.max(options.first.unwrap_or_default());
        let checkpoint = self.checkpoint(Some(sign_log), options.hard)?;
        let checkpoint = checkpoint.filter(|checkpoint| self.reaches(stream, checkpoint));
        let at_mapped = options.flags.contains(RecoveryFlags::START_AT_MAPPED);
        let mapped = at_mapped.then(|| self.needed_by_map(options)).flatten();
        let at_header = |generation: Generation| -> Result<_> {
            let pos = LgPos { generation, isec: 0, ib: 0 };
            let header = stream.header_of(generation)?;
            Ok((pos, header.attachments.clone(), header.params))
        };
        let older = checkpoint.as_ref().map(|checkpoint| {
            needed_before_checkpoint(self.env, self.config, options, checkpoint, first)
        });
        let older = older.transpose()?.flatten();
        let (pos, attachments, params) = match (checkpoint, mapped) {
            (Some(checkpoint), mapped)
                if mapped.is_none_or(|needed| checkpoint.checkpoint.generation <= needed) =>
            {
                match older.filter(|older| *older >= first) {
                    Some(older) => at_header(older)?,
                    None => (checkpoint.checkpoint, checkpoint.attachments, checkpoint.params),
                }
            }
            (_, Some(needed)) => at_header(needed)?,
            (_, None) => at_header(first)?,
        };
        let oldest_file = stream.archives().next().map_or(last, |(oldest, _)| oldest.min(last));
        if pos.generation < oldest_file {
            let what = "redo begins with a log older than all that are there";
            return Err(Error::new(JetErr::MissingPreviousLogFile, what)
                .at_path(stream.names().dir())
                .at_generation(pos.generation)
                .advise("bring the older logs back"));
        }
        let headers = stream.archives().map(|(_, file)| file).chain(stream.current());
        let headers = headers.filter_map(|file| file.header().ok());
        let created = headers.map(|header| (header.generation, header.created)).collect();
        let ranges = Ranges {
            sign_log,
            first,
            last,
            created,
            flags: options.flags,
            hard: options.hard,
            pausing: limit.is_pause(),
        };
        let current = stream.current().map(|_| last);
        let (names, sectors) = (stream.names().clone(), newest.sectors);
        Ok(ReplayStart {
            pos,
            attachments,
            params,
            ranges,
            limit,
            names,
            current,
            missing_current_allowed,
            sectors,
            early: newest.version.is_early(),
        })
    }

    /// The oldest generation that a dirty database of the map needs. Whatever cannot be read says
    /// nothing here: it is refused when it is attached.
    fn needed_by_map(&self, options: &RecoveryOptions<'_>) -> Option<Generation> {
        let needed = options.map.iter().filter_map(|entry| {
            let file = self.env.fs.open(&entry.now, OpenMode::Read).ok()?;
            let header = ese_pages::header::read_header(file.as_ref()).ok()?.header;
            let dirty = header.state() == ese_pages::DbState::DirtyShutdown;
            dirty.then(|| Generation(header.gen_min_required.get()))
        });
        needed.min()
    }
}

fn open_for(watch: &mut Watch<'_>, log: LogPlace<'_>, reason: OpenReason) -> Result<()> {
    watch.tell(&RecoveryEvent::OpenLog { log, reason, headers: &[] })
}

/// There are finished logs and no current one.
fn missing(watch: &mut Watch<'_>, stream: &LogStream, answer: Result<()>) -> Result<()> {
    let Some(highest) = stream.newest_archive() else { return answer };
    let path = stream.names().archive(highest);
    let archive = LogPlace { generation: highest, current: false, path: &path };
    open_for(watch, archive, OpenReason::Check)?;
    let (path, generation) = (stream.names().current(), highest.next());
    let log = LogPlace { generation, current: true, path: &path };
    watch.ask(&RecoveryEvent::MissingLog { log, next: NextAction::Redo, headers: &[] }, answer)
}

/// A log is missing without which nothing can be done; the error stays what it is.
fn must_fail(watch: &mut Watch<'_>, stream: &LogStream, error: Error) -> Error {
    let generation = error.generation().unwrap_or(Generation(0));
    let path = stream.names().archive(generation);
    let log = LogPlace { generation, current: false, path: &path };
    let event = RecoveryEvent::MissingLog { log, next: NextAction::MustFail, headers: &[] };
    let code = error.code();
    match watch.ask(&event, Err(error)) {
        Ok(()) => Error::new(code, "a log is missing, and nothing can be done without it")
            .at_generation(generation),
        Err(error) => error,
    }
}

/// A log that could be replayed, and not written on. Said before any database is changed.
fn refuse_early(stream: &LogStream) -> Result<()> {
    let Ok(newest) = stream.newest_header() else { return Ok(()) };
    if !newest.version.is_early() {
        return Ok(());
    }
    let what = format!("logs of format {} are only read", newest.version);
    Err(Error::new(JetErr::BadLogVersion, what)
        .at_path(stream.names().dir())
        .at_generation(newest.generation)
        .advise("recover into a copy (ese recover DIR --out COPY)"))
}

fn no_undo() -> Error {
    Error::new(JetErr::RecoveredWithoutUndo, "undo was not to begin")
}

fn nothing_to_undo() -> Error {
    let what = "nothing was to be undone";
    Error::new(JetErr::RecoveredWithoutUndoDatabasesConsistent, what)
}

/// Makes durable what the log's last writer left behind. A killed process may have written records
/// that only the operating system holds; pages and later records must not be durable before them.
fn sync_current(env: &Env, stream: &LogStream) -> Result<()> {
    let Some(current) = stream.current() else { return Ok(()) };
    env.fs.open(&current.path, OpenMode::ReadWrite)?.sync()?;
    env.fs.sync_dir(stream.names().dir())
}
