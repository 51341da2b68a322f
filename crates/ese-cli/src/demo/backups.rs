//! The two backups of the demo: one that is stopped half way, one that completes while loading goes
//! on.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use ese_api::{BackupReport, BackupStopper, CopyOptions, Database, Env, Instance, JetErr, Result};
use ese_backup::AlignedBuffer;
use ese_log::LogName;

use super::load::Gate;
use crate::{interrupt::Interrupt, progress::Progress};

/// Bytes that the reader of the first backup asks for at a time, at most.
const PIECE_MAX: u64 = 256 << 10;
/// How far the second backup may run ahead of the loading.
const AHEAD: u64 = 2 << 20;

/// What became of the first backup.
#[derive(Debug)]
pub(super) struct Stopped {
    /// Bytes of the database, and those that the reader got.
    pub(super) total: u64,
    pub(super) got: u64,
    /// What the read after the stop answered.
    pub(super) answer: Option<JetErr>,
    /// How long the call to stop took.
    pub(super) call: Duration,
    /// Rows that were committed between begin and end.
    pub(super) rows_meanwhile: u64,
    /// Log files before, and how many of them are missing afterwards.
    pub(super) logs: usize,
    pub(super) logs_missing: usize,
    /// Does the header of the database say anything of a backup?
    pub(super) header_marked: bool,
}

/// Streams the database while units up to `limit` are loaded, has another thread stop it half way,
/// and looks at what is left.
pub(super) fn stopped_half_way(
    env: &Env,
    (instance, database): (&Instance, &Database),
    gate: &Gate,
    limit: usize,
    progress: &mut Progress,
) -> Result<Stopped> {
    let rows_before = gate.rows_done();
    let begun = || gate.open_up_to(limit);
    let logs = log_files(env, instance.dir())?;
    let (ask, asked) = mpsc::channel();
    let done = AtomicBool::new(false);
    let stopper = instance.backup_stopper();
    let (read, call) = thread::scope(|scope| {
        let (stopper, done) = (&stopper, &done);
        let other = scope.spawn(move || stop_when_asked(env, stopper, &asked, done));
        let read = read_half(instance, database, gate, begun, &ask, done, progress);
        drop(ask);
        (read, other.join().unwrap_or_default())
    });
    let (got, total, answer) = read?;
    let logs_after = log_files(env, instance.dir())?;
    let header = database.header();
    Ok(Stopped {
        total,
        got,
        answer,
        call,
        rows_meanwhile: gate.rows_done() - rows_before,
        logs: logs.len(),
        logs_missing: logs.difference(&logs_after).count(),
        header_marked: header.bkinfo_full_prev.gen_high.get() != 0
            || header.bkinfo_full_cur.gen_low.get() != 0,
    })
}

/// The other thread.
fn stop_when_asked(
    env: &Env,
    stopper: &BackupStopper,
    asked: &mpsc::Receiver<()>,
    done: &AtomicBool,
) -> Duration {
    // An error means that the reader ended early and nobody asks any more.
    if asked.recv().is_err() {
        return Duration::ZERO;
    }
    let begun = env.clock.monotonic();
    stopper.stop();
    let took = env.clock.monotonic().saturating_sub(begun);
    done.store(true, Ordering::Release);
    took
}

/// Reads until the stop shows. Gives bytes read, bytes there are, and the code that ended it.
fn read_half(
    instance: &Instance,
    database: &Database,
    gate: &Gate,
    begun: impl FnOnce(),
    ask: &mpsc::Sender<()>,
    done: &AtomicBool,
    progress: &mut Progress,
) -> Result<(u64, u64, Option<JetErr>)> {
    let page = database.page_size().bytes_u64();
    let rows_before = gate.rows_done();
    let mut backup = instance.begin_backup()?;
    begun();
    let path = backup.databases()?.into_iter().next().unwrap_or_default();
    let mut file = backup.open(&path)?;
    let (total, mut got, mut has_asked) = (file.len(), 0, false);
    let piece = (total / 16 / page * page).clamp(4 * page, PIECE_MAX.max(4 * page));
    let mut buffer = AlignedBuffer::new(usize::try_from(piece).unwrap_or(0))?;
    loop {
        if !has_asked && got >= total / 2 {
            // The point is that others write meanwhile: wait until somebody has.
            gate.wait_for_rows(rows_before + 1, |_| true);
            // The receiver lives as long as this thread does.
            has_asked = ask.send(()).is_ok();
        }
        // Do not come much further before the other thread has had its turn.
        while has_asked && got >= total / 2 + piece && !done.load(Ordering::Acquire) {
            thread::yield_now();
        }
        match file.read_aligned(buffer.as_mut_slice()) {
            Ok(0) => return Ok((got, total, None)),
            Ok(count) => got += u64::try_from(count).unwrap_or(0),
            Err(error) => return Ok((got, total, Some(error.code()))),
        }
        progress.set(got, total);
    }
}

/// The second backup: a set in a directory. It reads at the pace of the loading, so that the rest
/// of the rows is committed while it runs.
pub(super) fn completed(
    instance: &Instance,
    set: &Path,
    gate: &Gate,
    rows: u64,
    interrupt: &Interrupt,
    progress: &mut Progress,
) -> Result<BackupReport> {
    let rows_before = gate.rows_done();
    let mut paced = |so_far: &ese_api::BackupProgress| {
        // From here on the backup has begun.
        gate.open_up_to(usize::MAX);
        let ahead = (so_far.bytes_done + AHEAD).min(so_far.bytes_total);
        let share = u128::from(rows - rows_before) * u128::from(ahead);
        let share = share / u128::from(so_far.bytes_total.max(1));
        let wanted = rows_before + u64::try_from(share).unwrap_or(0);
        gate.wait_for_rows(wanted, |_| !interrupt.pressed());
        progress.set(so_far.bytes_done, so_far.bytes_total);
    };
    interrupt.during(|stop| {
        instance.backup_to_dir_with(set, CopyOptions { truncate: true }, &mut paced, stop)
    })
}

/// The names of the finished log files. The temporary one comes and goes as the log rolls.
pub(super) fn log_files(env: &Env, dir: &Path) -> Result<BTreeSet<String>> {
    let names = env.fs.list(dir)?.into_iter().map(|entry| entry.name);
    Ok(names.filter(|name| LogName::archive(name).is_some()).collect())
}
