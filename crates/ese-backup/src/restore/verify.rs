//! Reading the files of a set from end to end: every page, every log segment, every file's CRC.
//!
//! [`pump`] is the one loop; restoring is the same loop with an output.

use std::path::Path;

use ese_base::{Error, JetErr, PageSize, Pgno, Result, StopToken, limits::LOG_SEGMENT_LEN};
use ese_log::layout::Framing;
use ese_os::{Env, OpenMode};
use ese_pages::{
    PageRef, Validate,
    checksum::{self, Verdict, verify_header},
    validate,
};

use super::{
    RestoreProgress,
    plan::{LogCopy, PlannedDatabase, PlannedLog, RestorePlan},
};
use crate::{
    session::{is_shadow, verify_segment},
    stream::{Output, Sink, hex32},
};

/// What was found in a set.
#[derive(Clone, Debug, Default)]
pub struct SetReport {
    /// Database pages, blank ones included.
    pub pages: u64,
    /// Pages whose checksum was right only after a flipped bit was corrected.
    pub corrected_pages: u64,
    /// Log segments.
    pub log_segments: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong with logs of which another directory holds a sound copy: that one serves.
    pub damaged: Vec<Error>,
}

/// Is it the log that is damaged, whatever else is right?
fn is_damage(error: &Error) -> bool {
    use JetErr::{LogCorruptDuringHardRestore, LogTornWriteDuringHardRestore};
    matches!(error.code(), LogCorruptDuringHardRestore | LogTornWriteDuringHardRestore)
}

/// Reads and verifies every file of a set. Nothing is written.
///
/// # Errors
/// `JET_errReadVerifyFailure` (-1018) and its kin for a page, `JET_errLogCorruptDuringHardRestore`
/// (-573) for a log, `JET_errLogTornWriteDuringHardRestore` (-570) where only the shadow of its
/// last write is whole (backup-log-recovery 3.5), each with file and page or generation;
/// `JET_errClientRequestToStopJetService` (-1329) if stopped.
pub fn verify_set(
    env: &Env,
    plan: &RestorePlan,
    progress: &mut dyn FnMut(&RestoreProgress),
    stop: &StopToken,
) -> Result<SetReport> {
    let mut sink = Sink::for_reading()?;
    let mut run = Run::new(plan, progress, stop, false);
    for database in &plan.databases {
        run.database(env, database, &mut sink, None)?;
    }
    for log in &plan.logs {
        run.log(env, log, &mut sink, None)?;
    }
    Ok(run.report)
}

/// Where a copied database goes, and the header it gets.
pub(super) struct DatabaseOut<'a> {
    pub(super) file: &'a Output,
    pub(super) header_page: &'a [u8],
}

/// One pass over the files of a set.
pub(super) struct Run<'a> {
    progress: &'a mut dyn FnMut(&RestoreProgress),
    stop: &'a StopToken,
    /// Damaged pages are copied as they are.
    keep_damaged: bool,
    so_far: RestoreProgress,
    pub(super) report: SetReport,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        plan: &'a RestorePlan,
        progress: &'a mut dyn FnMut(&RestoreProgress),
        stop: &'a StopToken,
        keep_damaged: bool,
    ) -> Run<'a> {
        Run {
            progress,
            stop,
            keep_damaged,
            so_far: RestoreProgress { bytes_done: 0, bytes_total: plan.bytes(), replayed: None },
            report: SetReport { damaged: plan.damaged.clone(), ..SetReport::default() },
        }
    }

    /// Verifies a database; copies it without its trailer.
    pub(super) fn database(
        &mut self,
        env: &Env,
        database: &PlannedDatabase,
        sink: &mut Sink,
        out: Option<DatabaseOut<'_>>,
    ) -> Result<()> {
        let page = database.page_size.bytes();
        let body = database.len - database.page_size.bytes_u64();
        let keep_damaged = self.keep_damaged;
        let (mut pages, mut corrected_pages) = (0, 0);
        // What a sum of the whole file does not tell.
        let (mut bad_header, mut corrected_page) = (None, None);
        let crc = self.pump(
            env,
            &database.path,
            database.len,
            sink,
            out.as_ref().map(|out| (out.file, body)),
            &mut |bytes, offset| {
                let first = offset / page as u64;
                for (image, index) in bytes.chunks_mut(page).zip(first..) {
                    if index < 2 {
                        if !is_good_header_copy(image, index) {
                            bad_header = bad_header.or(Some(index));
                        }
                        if let Some(out) = &out {
                            image.copy_from_slice(out.header_page);
                        }
                    } else if index * (page as u64) < body {
                        let pgno = pgno_at(index)?;
                        pages += 1;
                        match verify_image(image, pgno, database.page_size) {
                            Ok(corrected) => {
                                corrected_pages += u64::from(corrected);
                                corrected_page = corrected_page.or(corrected.then_some(pgno));
                            }
                            Err(error) if keep_damaged => {
                                tracing::error!(%error, "a damaged page is restored as it is");
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
                Ok(())
            },
        )?;
        self.report.pages += pages;
        self.report.corrected_pages += corrected_pages;
        match &database.crc32 {
            Some(listed) if *listed != hex32(crc) && !keep_damaged => {
                let place = match (bad_header, corrected_page) {
                    (Some(copy), _) => format!("; copy {} of the header is damaged", copy + 1),
                    (None, Some(_)) => "; a bit of the page is flipped".to_owned(),
                    (None, None) => String::new(),
                };
                let what = format!("CRC-32 of the copy {crc:08x}, of the backup {listed}{place}");
                let error = Error::new(JetErr::ReadVerifyFailure, what)
                    .at_path(&database.path)
                    .advise("the copy changed after the backup: restore another set");
                Err(match corrected_page.filter(|_| bad_header.is_none()) {
                    Some(pgno) => error.at_page(pgno),
                    None => error,
                })
            }
            _ => Ok(()),
        }
    }

    /// Verifies a log, and copies it. Of several copies each is verified, and the first sound one
    /// is copied.
    pub(super) fn log(
        &mut self,
        env: &Env,
        log: &PlannedLog,
        sink: &mut Sink,
        out: Option<&Output>,
    ) -> Result<()> {
        let own = LogCopy { path: log.path.clone(), crc32: log.crc32.clone() };
        if log.copies.is_empty() {
            return self.log_copy(env, log, &own, sink, out);
        }
        let (before, mut sound) = (self.so_far, None);
        let mut damaged = Vec::new();
        for copy in std::iter::once(&own).chain(&log.copies) {
            // Progress counts each log once.
            self.so_far = before;
            match self.log_copy(env, log, copy, sink, None) {
                Ok(()) => sound = sound.or(Some(copy)),
                Err(error) if is_damage(&error) => damaged.push(error),
                Err(error) => return Err(error),
            }
        }
        let Some(sound) = sound else { return damaged.into_iter().next().map_or(Ok(()), Err) };
        self.report.damaged.append(&mut damaged);
        if out.is_none() {
            return Ok(());
        }
        self.so_far = before;
        self.log_copy(env, log, sound, sink, out)
    }

    fn log_copy(
        &mut self,
        env: &Env,
        log: &PlannedLog,
        copy: &LogCopy,
        sink: &mut Sink,
        out: Option<&Output>,
    ) -> Result<()> {
        let with_code = |code, what: String| {
            Error::new(code, what)
                .at_path(&copy.path)
                .at_generation(log.generation)
                .advise("bring an intact copy of this log, or restore another set")
        };
        let damaged = |what| with_code(JetErr::LogCorruptDuringHardRestore, what);
        let (mut segments, mut bad) = (0, None);
        let out = out.map(|file| (file, log.len));
        let crc = self.pump(env, &copy.path, log.len, sink, out, &mut |bytes, offset| {
            let first = offset / LOG_SEGMENT_LEN as u64;
            for (segment, isec) in bytes.chunks(LOG_SEGMENT_LEN).zip(first..) {
                segments += 1;
                // What follows a damaged segment tells whether it is the end of a torn write.
                if let Some(what) = bad.take() {
                    let is_torn = is_shadow(segment, isec);
                    return Err(if is_torn {
                        with_code(JetErr::LogTornWriteDuringHardRestore, what)
                    } else {
                        damaged(what)
                    });
                }
                // The header was read when the set was examined.
                if isec > 0 && log.framing == Framing::Segments {
                    bad = verify_segment(segment, isec).err();
                }
            }
            Ok(())
        })?;
        if let Some(what) = bad {
            return Err(damaged(what));
        }
        self.report.log_segments += segments;
        match &copy.crc32 {
            Some(listed) if *listed != hex32(crc) => {
                Err(damaged(format!("CRC-32 of the copy {crc:08x}, of the backup {listed}")))
            }
            _ => Ok(()),
        }
    }

    /// Reads a file from end to end, has each piece looked at and changed, and writes it. Gives the
    /// CRC of what was read.
    fn pump(
        &mut self,
        env: &Env,
        path: &Path,
        len: u64,
        sink: &mut Sink,
        out: Option<(&Output, u64)>,
        look: &mut dyn FnMut(&mut [u8], u64) -> Result<()>,
    ) -> Result<u32> {
        let file = env.fs.open(path, OpenMode::Read)?;
        let mut crc = crc32fast::Hasher::new();
        let mut at = 0;
        while at < len {
            self.stop.check()?;
            (self.progress)(&self.so_far);
            let mut buffer = sink.buffer()?;
            let room = buffer.as_slice().len();
            let count = usize::try_from(len - at).unwrap_or(usize::MAX).min(room);
            let bytes = buffer.as_mut_slice().get_mut(..count).unwrap_or_default();
            let looked = file.read_at(bytes, at).and_then(|()| {
                file.will_need(at + count as u64, room as u64);
                crc.update(bytes);
                look(bytes, at).map_err(|error| error.at_path(path))
            });
            if let Err(error) = looked {
                // The next copy of a damaged log needs one.
                sink.give_back(buffer);
                return Err(error);
            }
            match out {
                Some((out, keep)) if at < keep => {
                    let left = usize::try_from(keep - at).unwrap_or(usize::MAX);
                    sink.write(out, buffer, count.min(left), at)?;
                }
                _ => sink.give_back(buffer),
            }
            at += count as u64;
            self.so_far.bytes_done += count as u64;
            self.report.bytes += count as u64;
        }
        (self.progress)(&self.so_far);
        Ok(crc.finalize())
    }
}

fn is_good_header_copy(image: &[u8], index: u64) -> bool {
    let good = verify_header(image);
    if !good {
        // One good copy is enough: the set was examined through it.
        tracing::warn!(copy = index, "a copy of the database header in the set is damaged");
    }
    good
}

fn pgno_at(index: u64) -> Result<Pgno> {
    u32::try_from(index - 1)
        .map(Pgno)
        .map_err(|_| Error::new(JetErr::DatabaseCorrupted, "more pages than a database can have"))
}

/// Checksum with repair of single bits, page number, structure; blank pages are right. True: a bit
/// was put right in `image`.
fn verify_image(image: &mut [u8], pgno: Pgno, size: PageSize) -> Result<bool> {
    let corrected = match checksum::check(image, pgno) {
        Verdict::Good => false,
        Verdict::Blank => return Ok(false),
        Verdict::Correctable { .. } => checksum::repair(image, pgno)?.is_some(),
        verdict @ Verdict::Bad(_) => return Err(checksum::verdict_error(verdict, pgno)),
    };
    validate(PageRef::new(image, size), pgno, Validate::Backup)?;
    Ok(corrected)
}
