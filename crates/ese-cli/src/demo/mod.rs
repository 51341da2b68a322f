//! `ese demo`: the main job from beginning to end, on real records.
//!
//! Records are loaded by several threads, one durable transaction per unit. A backup streams out of the
//! database meanwhile and is stopped half way by another thread; a second one completes while the
//! rest is loaded. The set is restored next door, its logs are replayed, every page of both databases
//! is verified, and every row is compared with what was loaded.
//!
//! No pause is for show: threads wait for each other only where the story says "meanwhile".

mod backups;
mod check;
mod dpkg;
mod load;
mod records;
mod screen;
mod tree;

use std::{
    path::{Path, PathBuf},
    thread,
};

use ese_api::{
    Database, Env, Instance, PageSize, RestoreOptions, RestoreTarget, Restored, StopToken,
    restore_with,
};
use serde_json::json;

use self::{
    load::Gate,
    records::{Dataset, Sum},
    screen::Screen,
};
use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome},
    files,
    interrupt::Interrupt,
    text,
};

const LOADERS: usize = 4;
const DATABASE: &str = "demo.edb";
/// Small, so that a few megabytes of log are many files.
const LOG_FILE_SIZE: u64 = 1 << 20;
/// Per cent of the rows that are there when the first backup begins, and that may be there before
/// the second one does.
const BEFORE_FIRST: u64 = 40;
const BEFORE_SECOND: u64 = 70;

pub(crate) fn run(context: &Context, args: &args::Demo) -> Outcome {
    let interrupt = context.interrupt();
    let place = Place::new(&context.env, args.dir.as_deref())?;
    let demo = Demo {
        context,
        env: &context.env,
        screen: Screen::new(context.json),
        interrupt,
        dir: &place.dir,
    };
    let begun = context.env.clock.monotonic();
    let held = demo.all(args.input.as_deref())?;
    let took = text::time(context.env.clock.monotonic().saturating_sub(begun));
    demo.screen.json(&json!({ "step": "end", "held": held, "time": took }))?;
    let mut last = vec![if held {
        format!("Everything held, in {took}.")
    } else {
        format!("Something did not hold; see WRONG above. {took}.")
    }];
    if place.temporary {
        last.push("The files are gone again; `ese demo --dir DIR` keeps them.".to_owned());
    } else {
        let live = place.dir.join("restored").join(DATABASE);
        last.push(format!("Look around: ese tables {}", live.display()));
    }
    demo.screen.end(held, &last)?;
    if held { Ok(()) } else { Err(Failure::Problems) }
}

/// Where the demo works.
struct Place<'a> {
    env: &'a Env,
    dir: PathBuf,
    temporary: bool,
}

impl<'a> Place<'a> {
    fn new(env: &'a Env, wanted: Option<&Path>) -> Outcome<Place<'a>> {
        let dir = match wanted {
            Some(dir) => dir.to_path_buf(),
            None => std::env::temp_dir().join(format!("ese-demo-{}", std::process::id())),
        };
        if env.fs.exists(&dir)? && !env.fs.list(&dir)?.is_empty() {
            return Err(Failure::Usage(format!(
                "{}: the demo needs a new or an empty directory",
                dir.display()
            )));
        }
        env.fs.create_dir_all(&dir)?;
        Ok(Place { env, dir, temporary: wanted.is_none() })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.temporary {
            // What cannot be removed lies in the system's directory for such things.
            drop(files::remove_tree(self.env, &self.dir));
        }
    }
}

struct Demo<'a> {
    context: &'a Context,
    env: &'a Env,
    screen: Screen,
    interrupt: Interrupt,
    dir: &'a Path,
}

impl Demo<'_> {
    /// The whole story. False: something that was promised did not hold.
    fn all(&self, input: Option<&Path>) -> Outcome<bool> {
        self.screen.heading(
            "Fill a database from several threads, stop one backup half way, restore another",
        )?;
        let data = self.read_records(input)?;
        let live = self.dir.join("live");
        let set = self.dir.join("backup");
        let instance = Instance::builder(&live)
            .page_size(PageSize::K8)
            .log_file_size(LOG_FILE_SIZE)
            .start()?;
        let database = instance.create_database(DATABASE)?;
        load::create_tables(&instance, &database, &data)?;
        self.screen.step(
            "Database",
            &[format!("{}, pages of 8 KiB, log files of 1 MiB", database.path().display())],
        )?;
        let mut held = self.load_and_back_up(&data, &instance, &database, &set)?;
        drop(database);
        instance.stop()?;
        let restored = self.restore(&set)?;
        held &= self.verify(&live, &restored)?;
        held &= self.compare(&data, &live, &restored)?;
        Ok(held)
    }

    fn read_records(&self, input: Option<&Path>) -> Outcome<Dataset> {
        let data = match input {
            Some(path) => tree::read(self.env, path)?,
            None => match dpkg::read(self.env)? {
                Some(data) => data,
                None => tree::read(self.env, &self.env.fs.canonicalize(Path::new("."))?)?,
            },
        };
        self.check_interrupt()?;
        if data.rows() == 0 {
            return Err(Failure::Usage(format!("{}: there are no records", data.origin)));
        }
        let sums = data.sums();
        let counts: Vec<String> = data
            .tables
            .iter()
            .zip(&sums)
            .map(|(spec, sum)| text::counted(sum.rows, spec.row_name))
            .collect();
        let mut lines = vec![counts.join(", "), format!("from {}", data.origin)];
        lines.extend(data.remark.clone());
        self.screen.step("Records", &lines)?;
        self.screen.json(&json!({
            "step": "records", "origin": data.origin, "rows": data.rows(),
            "transactions": data.units.len(),
        }))?;
        Ok(data)
    }

    fn check_interrupt(&self) -> Outcome {
        if self.interrupt.pressed() {
            return Err(Failure::Stopped("the demo ended before its end".to_owned()));
        }
        Ok(())
    }

    /// Loads everything; both backups happen meanwhile.
    fn load_and_back_up(
        &self,
        data: &Dataset,
        instance: &Instance,
        database: &Database,
        set: &Path,
    ) -> Outcome<bool> {
        let gate = Gate::new(data.units.len());
        thread::scope(|scope| {
            for _ in 0..LOADERS {
                scope.spawn(|| load::load(instance, database, data, &gate));
            }
            let told = self.backups(data, instance, database, set, &gate);
            // Whatever happened, no loader may wait for ever.
            gate.stop();
            told
        })
    }

    fn backups(
        &self,
        data: &Dataset,
        instance: &Instance,
        database: &Database,
        set: &Path,
        gate: &Gate,
    ) -> Outcome<bool> {
        let rows = data.rows();
        self.load_first_part(data, gate)?;
        let mut held = self.first_backup(instance, database, gate)?;
        self.check_interrupt()?;
        held &= self.second_backup(instance, database, set, gate, rows)?;
        held &= gate.rows_done() == rows;
        Ok(held)
    }

    fn load_first_part(&self, data: &Dataset, gate: &Gate) -> Outcome {
        let rows = data.rows();
        let begun = self.env.clock.monotonic();
        let mut progress = self.context.progress("Load").of_rows();
        progress.say("rows");
        gate.open_up_to(units_up_to(data, rows * BEFORE_SECOND / 100));
        gate.wait_for_rows(rows * BEFORE_FIRST / 100, |done| {
            progress.set(done, rows);
            if self.interrupt.pressed() {
                gate.stop();
            }
        });
        drop(progress);
        self.check_interrupt()?;
        if let Some(error) = gate.failure() {
            return Err(error.into());
        }
        let took = self.env.clock.monotonic().saturating_sub(begun);
        self.screen.step(
            "Load",
            &[
                format!("{LOADERS} threads, one durable transaction per {}", data.unit_name),
                format!(
                    "{} after {}, and on it goes",
                    text::counted(gate.rows_done(), "row"),
                    text::time(took)
                ),
            ],
        )?;
        Ok(())
    }

    fn first_backup(&self, instance: &Instance, database: &Database, gate: &Gate) -> Outcome<bool> {
        let mut progress = self.context.progress("Backup 1");
        let stopped = backups::stopped_half_way(self.env, instance, database, gate, &mut progress)?;
        drop(progress);
        if let Some(error) = gate.failure() {
            return Err(error.into());
        }
        let answered = stopped.answer == Some(ese_api::JetErr::BackupAbortByServer);
        let answer = stopped.answer.map_or_else(
            || "the end of the file".to_owned(),
            |code| format!("{} ({})", code.info().name, code as i32),
        );
        let untouched = stopped.logs_missing == 0 && !stopped.header_marked;
        self.screen.step(
            "Backup 1",
            &[
                format!(
                    "streams while loading goes on, is stopped half way by another thread; {} committed meanwhile",
                    text::counted(stopped.rows_meanwhile, "row")
                ),
                format!(
                    "the stop returned after {}; the reader got {} of {}, then {answer}  {}",
                    text::time(stopped.call),
                    text::bytes(stopped.got),
                    text::bytes(stopped.total),
                    self.screen.verdict(answered)
                ),
                format!(
                    "no log was truncated ({} before, {} missing), no header marked  {}",
                    text::counted(u64::try_from(stopped.logs).unwrap_or(0), "file"),
                    stopped.logs_missing,
                    self.screen.verdict(untouched)
                ),
            ],
        )?;
        self.screen.json(&json!({
            "step": "backup_1", "bytes_read": stopped.got, "bytes_total": stopped.total,
            "answer": stopped.answer.map(|code| code as i32), "rows_meanwhile": stopped.rows_meanwhile,
            "stop_us": u64::try_from(stopped.call.as_micros()).ok(),
            "logs_missing": stopped.logs_missing, "header_marked": stopped.header_marked,
        }))?;
        Ok(answered && untouched)
    }

    fn second_backup(
        &self,
        instance: &Instance,
        database: &Database,
        set: &Path,
        gate: &Gate,
        rows: u64,
    ) -> Outcome<bool> {
        let before = gate.rows_done();
        let logs = backups::log_files(self.env, instance.dir())?;
        let begun = self.env.clock.monotonic();
        let mut progress = self.context.progress("Backup 2");
        let done = backups::completed(instance, set, gate, rows, &self.interrupt, &mut progress);
        drop(progress);
        self.check_interrupt()?;
        if let Some(error) = gate.failure() {
            return Err(error.into());
        }
        let report = done?;
        let took = self.env.clock.monotonic().saturating_sub(begun);
        let left = backups::log_files(self.env, instance.dir())?;
        let truncated = logs.difference(&left).count();
        let recorded = report.recorded == 1
            && database.header().bkinfo_full_prev.gen_high.get() == report.manifest.gen_high;
        let good = recorded && report.truncation.is_none();
        self.screen.step(
            "Backup 2",
            &[
                format!(
                    "completes in {}: {} of pages and logs; {} committed meanwhile",
                    text::time(took),
                    text::bytes(report.bytes),
                    text::counted(gate.rows_done() - before, "row")
                ),
                format!(
                    "the header remembers it, {} no longer needed are truncated  {}",
                    text::counted(u64::try_from(truncated).unwrap_or(0), "log file"),
                    self.screen.verdict(good)
                ),
            ],
        )?;
        self.screen.json(&json!({
            "step": "backup_2", "bytes": report.bytes, "rows_meanwhile": gate.rows_done() - before,
            "gen_low": report.manifest.gen_low, "gen_high": report.manifest.gen_high,
            "recorded": recorded, "logs_truncated": truncated,
        }))?;
        Ok(good)
    }

    fn restore(&self, set: &Path) -> Outcome<Restored> {
        let target = self.dir.join("restored");
        let mut progress = self.context.progress("Restore");
        let stop = StopToken::new();
        let token = stop.clone();
        let mut report = |so_far: &ese_api::RestoreProgress| {
            progress.set(so_far.bytes_done, so_far.bytes_total);
            self.interrupt.pass_on(&token);
        };
        let mut options =
            RestoreOptions { force: false, keep_damaged: false, progress: &mut report, stop };
        let restored = restore_with(self.env, set, &RestoreTarget::in_dir(&target), &mut options);
        drop(progress);
        self.check_interrupt()?;
        let restored = restored?;
        let recovery = &restored.recovery;
        self.screen.step(
            "Restore",
            &[format!(
                "into {}, log replayed: {}, {}",
                target.display(),
                text::counted(recovery.records, "record"),
                text::counted(recovery.applied, "page change"),
            )],
        )?;
        self.screen.json(&json!({
            "step": "restore", "records": recovery.records, "applied": recovery.applied,
            "rolled_back": recovery.rolled_back,
        }))?;
        Ok(restored)
    }

    /// Every page of the original and of the restored database.
    fn verify(&self, live: &Path, restored: &Restored) -> Outcome<bool> {
        let mut progress = self.context.progress("Verify");
        let (mut pages, mut problems) = (0, Vec::new());
        for path in std::iter::once(&live.join(DATABASE)).chain(&restored.databases) {
            let verified = check::verify(self.env, path, &self.interrupt, &mut progress);
            self.check_interrupt()?;
            let verified = verified?;
            pages += verified.pages;
            problems.extend(verified.problems);
        }
        drop(progress);
        let good = problems.is_empty();
        let mut lines = vec![format!(
            "{} of both databases, header, trees and space  {}",
            text::counted(pages, "page"),
            self.screen.verdict(good)
        )];
        lines.extend(problems.iter().take(5).cloned());
        self.screen.step("Verify", &lines)?;
        self.screen.json(&json!({ "step": "verify", "pages": pages, "problems": problems }))?;
        Ok(good)
    }

    /// Every row, by count and hash: what was loaded, the original, the restored database.
    fn compare(&self, data: &Dataset, live: &Path, restored: &Restored) -> Outcome<bool> {
        let loaded = data.sums();
        let original = check::sums(self.env, &live.join(DATABASE), data)?;
        let path = restored.databases.first().cloned().unwrap_or_default();
        let copy = check::sums(self.env, &path, data)?;
        let widest = data.tables.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
        let mut lines =
            vec!["all rows of records, original and restored, by count and hash".to_owned()];
        for (((spec, a), b), c) in data.tables.iter().zip(&loaded).zip(&original).zip(&copy) {
            lines.push(format!(
                "{:<widest$}  {}  {}",
                spec.name,
                three(a, b, c),
                self.screen.verdict(a == b && b == c)
            ));
        }
        let good = loaded == original && original == copy;
        self.screen.step("Compare", &lines)?;
        self.screen.json(&json!({
            "step": "compare", "equal": good,
            "tables": data.tables.iter().zip(&loaded).zip(&copy).map(|((spec, a), c)| json!({
                "name": spec.name, "rows": a.rows, "hash": format!("{:016x}", a.hash),
                "restored_rows": c.rows, "restored_hash": format!("{:016x}", c.hash),
            })).collect::<Vec<_>>(),
        }))?;
        Ok(good)
    }
}

/// One line if all three are equal.
fn three(loaded: &Sum, original: &Sum, copy: &Sum) -> String {
    let one = |sum: &Sum| format!("{:>9} {:016x}", text::count(sum.rows), sum.hash);
    if loaded == original && original == copy {
        one(loaded)
    } else {
        format!("{} / {} / {}", one(loaded), one(original), one(copy))
    }
}

/// How many of the first units have at least so many rows.
fn units_up_to(data: &Dataset, rows: u64) -> usize {
    let mut sum = 0;
    let enough = data.units.iter().position(|unit| {
        sum += unit.len();
        sum >= rows
    });
    enough.map_or(data.units.len(), |at| at + 1)
}
