//! The story, step by step. A step that answers `false` has found that something did not hold.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use ese_api::{
    Database, Env, Instance, JetErr, PageSize, RestoreOptions, RestoreTarget, Restored,
    VersionInfo, restore_with,
};
use serde_json::json;

use super::{
    backups::{self, Stopped},
    check, dpkg, input,
    load::{self, Gate, Notes},
    records::{Dataset, Sum},
    screen::{
        Line::{Checked, Told},
        Screen,
    },
    tree,
};
use crate::{
    context::Context,
    failure::{Failure, Outcome},
    interrupt::Interrupt,
    text::{bytes, count, counted, time},
};

const LOADERS: usize = 4;
const DATABASE: &str = "demo.edb";
const PAGE_SIZE: PageSize = PageSize::K8;
/// Small, so that a few megabytes of log are many files.
const LOG_FILE_SIZE: u64 = 1 << 20;
/// Shallow, so that there is something to truncate.
const CHECKPOINT_DEPTH: u64 = 4 << 20;
/// Per cent of the rows that are there when the first backup begins, and that may be there when it
/// has ended.
const BEFORE_FIRST: u64 = 35;
const AFTER_FIRST: u64 = 65;

pub(super) struct Story<'a> {
    pub(super) context: &'a Context,
    pub(super) screen: &'a Screen,
    pub(super) interrupt: &'a Interrupt,
    pub(super) dir: &'a Path,
    /// The file that gets the numbers of durable transactions.
    pub(super) notes: Option<&'a Path>,
}

/// What the steps of loading and backing up share.
struct Scene<'a> {
    data: &'a Dataset,
    rows: u64,
    instance: &'a Instance,
    database: &'a Database,
    gate: &'a Gate,
}

impl Story<'_> {
    pub(super) fn tell(&self, input: Option<&Path>) -> Outcome<bool> {
        let heading =
            "Fill a database from four threads, stop one backup, restore another, compare";
        self.screen.heading(heading)?;
        let data = self.read_records(input)?;
        let live = self.dir.join("live");
        let instance = Instance::builder(&live)
            .page_size(PAGE_SIZE)
            .log_file_size(LOG_FILE_SIZE)
            .checkpoint_depth(CHECKPOINT_DEPTH)
            .start()?;
        let database = instance.create_database(DATABASE)?;
        load::create_tables(&instance, &database, &data)?;
        let where_it_is = format!(
            "{}, pages of {}, log files of {}",
            live.display(),
            bytes(PAGE_SIZE.bytes_u64()),
            bytes(LOG_FILE_SIZE)
        );
        self.screen.step("Database", &[Told(where_it_is)])?;
        let mut held = self.load_and_back_up(&data, &instance, &database)?;
        drop(database);
        instance.stop()?;
        let restored = self.restore()?;
        let pair = [live.join(DATABASE), restored];
        held &= self.verify(&pair)?;
        held &= self.compare(&data, &pair)?;
        Ok(held)
    }

    /// The restored database.
    pub(super) fn restored(&self) -> PathBuf {
        self.dir.join("restored").join(DATABASE)
    }

    fn env(&self) -> &Env {
        &self.context.env
    }

    fn now(&self) -> Duration {
        self.env().clock.monotonic()
    }

    /// Ctrl-C, or a loader that failed, ends the story before anything else is judged.
    fn go_on(&self, gate: Option<&Gate>) -> Outcome {
        if self.interrupt.pressed() {
            return Err(Failure::Stopped("the demo is over, nothing else was touched".to_owned()));
        }
        match gate.and_then(Gate::failure) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    fn read_records(&self, input: Option<&Path>) -> Outcome<Dataset> {
        let mut progress = self.context.progress("Records").of_parts();
        let data = match input {
            Some(path) => input::read(self.env(), path, PAGE_SIZE, self.interrupt, &mut progress)?,
            None => match dpkg::read(self.env())? {
                Some(data) => data,
                None => tree::read(self.env(), Path::new("."), self.interrupt, &mut progress)?,
            },
        };
        drop(progress);
        self.go_on(None)?;
        if data.rows() == 0 {
            return Err(Failure::Usage(format!("{}: there are no records", data.origin)));
        }
        let sums = data.sums();
        let counts = data.tables.iter().zip(&sums);
        let counts = counts.map(|(spec, sum)| counted(sum.rows, spec.row_name));
        let mut lines = vec![
            Told(counts.collect::<Vec<String>>().join(", ")),
            Told(format!("from {}", data.origin)),
        ];
        lines.extend(data.remark.clone().map(Told));
        self.screen.step("Records", &lines)?;
        self.screen.json(&json!({
            "step": "records", "origin": data.origin, "rows": data.rows(),
            "transactions": data.units.len(),
        }))?;
        Ok(data)
    }

    /// Loads everything; both backups happen meanwhile.
    fn load_and_back_up(
        &self,
        data: &Dataset,
        instance: &Instance,
        database: &Database,
    ) -> Outcome<bool> {
        let notes = self.notes.map(|path| Notes::create(self.env(), path)).transpose()?;
        let gate = &Gate::new(data.units.len(), notes);
        let scene = Scene { data, rows: data.rows(), instance, database, gate };
        thread::scope(|scope| {
            for _ in 0..LOADERS {
                scope.spawn(|| load::load(instance, database, data, gate));
            }
            let told = self.load_first_part(&scene).and_then(|()| {
                let first = self.first_backup(&scene)?;
                let second = self.second_backup(&scene)?;
                Ok(first && second)
            });
            // Whatever happened, no loader may wait for ever.
            gate.stop();
            told
        })
    }

    fn load_first_part(&self, scene: &Scene<'_>) -> Outcome {
        let Scene { data, rows, gate, instance, .. } = *scene;
        let begun = self.now();
        let mut progress = self.context.progress("Load").of_rows();
        progress.say("rows");
        let (units, wanted) = data.units_with(rows * BEFORE_FIRST / 100);
        gate.open_up_to(units);
        gate.wait_for_rows(wanted, |done| {
            progress.set(done, rows);
            !self.interrupt.pressed()
        });
        drop(progress);
        self.go_on(Some(gate))?;
        let took = self.now().saturating_sub(begun);
        self.screen.step(
            "Load",
            &[
                Told(format!("{LOADERS} threads, a durable transaction per {}", data.unit_name)),
                Told(format!(
                    "{} and {} so far, in {}",
                    counted(gate.rows_done(), "row"),
                    counted(u64::try_from(units).unwrap_or(0), "transaction"),
                    time(took)
                )),
                Told(versions(&instance.version_info())),
            ],
        )?;
        Ok(())
    }

    fn first_backup(&self, scene: &Scene<'_>) -> Outcome<bool> {
        let Scene { data, rows, instance, database, gate } = *scene;
        let (limit, _) = data.units_with(rows * AFTER_FIRST / 100);
        let mut progress = self.context.progress("Backup 1");
        let read = (instance, database);
        let stopped = backups::stopped_half_way(self.env(), read, gate, limit, &mut progress);
        drop(progress);
        self.go_on(Some(gate))?;
        self.judge_first(&stopped?)
    }

    fn judge_first(&self, stopped: &Stopped) -> Outcome<bool> {
        let answered = stopped.answer == Some(JetErr::BackupAbortByServer);
        let answer = match stopped.answer {
            Some(code) => format!("its next read answers {} ({})", code.info().name, code as i32),
            None => "then the end of the file".to_owned(),
        };
        let untouched = stopped.logs_missing == 0 && !stopped.header_marked;
        self.screen.step(
            "Backup 1",
            &[
                Told("streams the database while loading goes on".to_owned()),
                Told(format!(
                    "another thread stops it half way: that call took {}",
                    time(stopped.call)
                )),
                Told(format!("the reader got {} of {}", bytes(stopped.got), bytes(stopped.total))),
                Checked(answered, answer),
                Checked(
                    untouched,
                    format!(
                        "no log truncated ({} of {} log files missing), header {}",
                        stopped.logs_missing,
                        stopped.logs,
                        if stopped.header_marked { "marked" } else { "not marked" }
                    ),
                ),
                Told(format!("{} committed meanwhile", counted(stopped.rows_meanwhile, "row"))),
            ],
        )?;
        self.screen.json(&json!({
            "step": "backup_1", "bytes_read": stopped.got, "bytes_total": stopped.total,
            "answer": stopped.answer.map(|code| code as i32),
            "rows_meanwhile": stopped.rows_meanwhile,
            "stop_us": u64::try_from(stopped.call.as_micros()).ok(),
            "logs_missing": stopped.logs_missing, "header_marked": stopped.header_marked,
        }))?;
        Ok(answered && untouched)
    }

    fn second_backup(&self, scene: &Scene<'_>) -> Outcome<bool> {
        let Scene { rows, instance, database, gate, .. } = *scene;
        let before = gate.rows_done();
        let logs = backups::log_files(self.env(), instance.dir())?;
        let begun = self.now();
        let mut progress = self.context.progress("Backup 2");
        let set = self.dir.join("backup");
        let done = backups::completed(instance, &set, gate, rows, self.interrupt, &mut progress);
        drop(progress);
        self.go_on(Some(gate))?;
        let report = done?;
        let took = self.now().saturating_sub(begun);
        let left = backups::log_files(self.env(), instance.dir())?;
        let truncated = logs.difference(&left).count();
        let recorded = report.recorded == 1
            && report.truncation.is_none()
            && database.header().bkinfo_full_prev.gen_high.get() == report.manifest.gen_high;
        let meanwhile = gate.rows_done() - before;
        self.screen.step(
            "Backup 2",
            &[
                Told(format!("all of it, in {}: {}", time(took), bytes(report.bytes))),
                Checked(recorded, format!("header marked, {}", truncation(truncated))),
                Told(format!(
                    "{} committed meanwhile: their changes are in its logs",
                    counted(meanwhile, "row")
                )),
            ],
        )?;
        self.screen.json(&json!({
            "step": "backup_2", "bytes": report.bytes, "rows_meanwhile": meanwhile,
            "gen_low": report.manifest.gen_low, "gen_high": report.manifest.gen_high,
            "recorded": recorded, "logs_truncated": truncated,
        }))?;
        Ok(recorded && gate.rows_done() == rows)
    }

    /// Gives the restored database.
    fn restore(&self) -> Outcome<PathBuf> {
        let begun = self.now();
        let mut progress = self.context.progress("Restore");
        let mut report = |so_far: &ese_api::RestoreProgress| {
            progress.set(so_far.bytes_done, so_far.bytes_total);
        };
        let target = RestoreTarget::in_dir(&self.dir.join("restored"));
        let restored = self.interrupt.during(|stop| {
            let (force, keep_damaged, stop) = (false, false, stop.clone());
            let mut options = RestoreOptions { force, keep_damaged, progress: &mut report, stop };
            restore_with(self.env(), &self.dir.join("backup"), &target, &mut options)
        });
        drop(progress);
        self.go_on(None)?;
        let Restored { recovery, databases, .. } = restored?;
        self.screen.step(
            "Restore",
            &[
                Told(format!(
                    "next door, in {}: verified, copied, recovered from its logs",
                    time(self.now().saturating_sub(begun))
                )),
                Told(format!(
                    "{}, {} made again",
                    counted(recovery.records, "log record"),
                    counted(recovery.applied, "page change"),
                )),
            ],
        )?;
        self.screen.json(&json!({
            "step": "restore", "records": recovery.records, "applied": recovery.applied,
            "rolled_back": recovery.rolled_back,
        }))?;
        Ok(databases.into_iter().next().unwrap_or_default())
    }

    /// Every page of the original and of the restored database.
    fn verify(&self, pair: &[PathBuf; 2]) -> Outcome<bool> {
        let mut progress = self.context.progress("Verify");
        let (mut pages, mut problems) = (0, Vec::new());
        for path in pair {
            let verified = check::verify(self.env(), path, self.interrupt, &mut progress);
            self.go_on(None)?;
            let verified = verified?;
            pages += verified.pages;
            problems.extend(verified.problems);
        }
        drop(progress);
        let good = problems.is_empty();
        let what = format!("{} of both databases, their trees and space", counted(pages, "page"));
        let mut lines = vec![Checked(good, what)];
        lines.extend(problems.iter().take(5).cloned().map(Told));
        self.screen.step("Verify", &lines)?;
        self.screen.json(&json!({ "step": "verify", "pages": pages, "problems": problems }))?;
        Ok(good)
    }

    /// Every row, by count and hash: what was loaded, the original, the restored database.
    fn compare(&self, data: &Dataset, pair: &[PathBuf; 2]) -> Outcome<bool> {
        let [original, restored] = pair.each_ref().map(|path| check::sums(self.env(), path, data));
        let (loaded, original, restored) = (data.sums(), original?, restored?);
        let name_len = data.tables.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
        let mut lines =
            vec![Told("every row of records, original and restored, by count and hash".to_owned())];
        let sums = loaded.iter().zip(&original).zip(&restored);
        for (spec, ((a, b), c)) in data.tables.iter().zip(sums) {
            let name = format!("{:<name_len$}  ", spec.name);
            lines.push(Checked(a == b && b == c, name + &three(a, b, c)));
        }
        let good = loaded == original && original == restored;
        self.screen.step("Compare", &lines)?;
        let tables = data.tables.iter().zip(&loaded).zip(&restored).map(|((spec, a), c)| {
            json!({
                "name": spec.name, "rows": a.rows, "hash": format!("{:016x}", a.hash),
                "restored_rows": c.rows, "restored_hash": format!("{:016x}", c.hash),
            })
        });
        self.screen.json(&json!({
            "step": "compare", "equal": good, "tables": tables.collect::<Vec<_>>(),
        }))?;
        Ok(good)
    }
}

/// What the version store holds, and for whom.
fn versions(info: &VersionInfo) -> String {
    let kept = format!(
        "{} kept for open transactions, {} of {}",
        counted(info.versions, "version"),
        bytes(info.bytes),
        bytes(info.bytes_max)
    );
    match &info.oldest {
        Some(oldest) => format!("{kept}; the oldest: {oldest}"),
        None => kept,
    }
}

/// What became of the logs that the second backup made superfluous.
fn truncation(files: usize) -> String {
    match files {
        0 => "no log file is old enough to be truncated".to_owned(),
        1 => "1 log file truncated that nobody needs now".to_owned(),
        _ => format!("{files} log files truncated that nobody needs now"),
    }
}

/// Once, if all three are equal.
fn three(loaded: &Sum, original: &Sum, restored: &Sum) -> String {
    let one = |sum: &Sum| format!("{:>9} {:016x}", count(sum.rows), sum.hash);
    if loaded == original && original == restored {
        one(loaded)
    } else {
        format!("{} / {} / {}", one(loaded), one(original), one(restored))
    }
}
