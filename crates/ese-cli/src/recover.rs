//! `ese recover DIR`: databases that did not end properly. By default copies are recovered and DIR
//! stays as it is; `--in-place` is the only form that changes databases where they lie, and does
//! what the next start of their instance would do.

mod copies;

use std::path::{Path, PathBuf};

use ese_api::{
    Env, Error, JetErr, LgPos, RecoveryFlags, RecoveryOptions, RecoveryReport, RedoEnd,
    look_for_databases,
};
use ese_os::{OpenMode, parent_of};
use ese_pages::{DbState, header::read_header};
use serde_json::{Value, json};

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome, error_json, with_advice},
    files,
    output::Output,
    text,
};

pub(crate) fn run(context: &Context, args: &args::Recover) -> Outcome {
    if args.report.as_deref().is_some_and(files::is_pipe) {
        let what = "--report needs the name of a file; --json prints the same";
        return Err(Failure::Usage(what.to_owned()));
    }
    // Before hours of work, and never over what may be evidence.
    if let Some(path) =
        args.report.as_ref().filter(|path| context.env.fs.exists(path).is_ok_and(|is| is))
    {
        return Err(Error::new(JetErr::FileAlreadyExists, "the report would replace a file")
            .at_path(path)
            .advise("name a file that does not exist")
            .into());
    }
    check_report(context, args)?;
    if args.dry_run {
        copies::plan(context, args)
    } else if args.in_place {
        in_place(context, args)
    } else {
        copies::recover(context, args)
    }
}

/// Where redo is to end.
fn until(args: &args::Recover) -> Option<RedoEnd> {
    let behind = args.to_generation.map(|last| LgPos::new(last.0.saturating_add(1), 0, 0));
    behind.or(args.to_position).map(RedoEnd::CutAt)
}

/// Writes the report, if one was asked for.
fn write_report(context: &Context, args: &args::Recover, report: &Value) -> Outcome {
    let Some(path) = &args.report else { return Ok(()) };
    let file = context.env.fs.open(path, OpenMode::CreateNew)?;
    let written = file.write_at(format!("{report:#}\n").as_bytes(), 0).and_then(|()| file.sync());
    if written.is_err() {
        // Half a report is none; the first error matters.
        drop(context.env.fs.remove_file(path));
    }
    Ok(written?)
}

/// The report must not be called like a copy, or like the directory of the copies.
fn check_report(context: &Context, args: &args::Recover) -> Outcome {
    let (Some(report), Some(out)) = (&args.report, &args.out) else { return Ok(()) };
    let fs = &context.env.fs;
    let whole = |path: &Path| fs.canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let is_beside = parent_of(report) == out.as_path() || whole(parent_of(report)) == whole(out);
    let taken = whole(report) == whole(out)
        || is_beside && copies::targets(context, args)?.iter().any(|it| whole(it) == whole(report));
    if !taken {
        return Ok(());
    }
    Err(Error::new(JetErr::FileAlreadyExists, "the report would have the name of a copy")
        .at_path(report)
        .advise("give the report another name")
        .into())
}

/// What a replay did, for every verb that replays.
pub(crate) fn recovery_json(report: &RecoveryReport) -> Value {
    json!({
        "from": report.from.to_string(),
        "to": report.to.to_string(),
        "records": report.records,
        "applied": report.applied,
        "skipped": report.skipped,
        "rolled_back": report.rolled_back,
        "restored_pages": report.restored_pages,
    })
}

/// An object with the members of another one.
pub(crate) fn joined(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

fn in_place(context: &Context, args: &args::Recover) -> Outcome {
    files::refuse_backup_set(&context.env, &args.dir)?;
    let started = context.env.clock.monotonic();
    let left = || "run it again; it begins anew".to_owned();
    let report = context.interrupt().stoppable(left, |stop| {
        let (stop, flags, until) = (stop.clone(), flags_of(args), until(args));
        let options = RecoveryOptions { stop, flags, until, ..RecoveryOptions::default() };
        ese_api::recover_by(&context.env, &args.dir, options)
    })?;
    let took = context.env.clock.monotonic().saturating_sub(started);
    let (databases, problems) = states(&context.env, &args.dir, report.without_undo)?;
    let mut output = Output::new();
    let told = json!({
        "path": args.dir.to_string_lossy(),
        "reclaimed_pages": report.reclaimed_pages,
        "redo_only": report.without_undo,
        "lost_from": report.lost_from.map(|generation| generation.0),
        "removed_logs": report.removed_logs,
        "ignored_databases": report.ignored_databases,
        "databases": databases.iter().map(|(path, state)| {
            json!({ "file": path.to_string_lossy(), "state": state.to_string() })
        }).collect::<Vec<_>>(),
        "problems": problems.iter().map(error_json).collect::<Vec<_>>(),
    });
    let told = joined(told, recovery_json(&report));
    write_report(context, args, &told)?;
    if context.json {
        output.json(&told)?;
    } else {
        output.line(&format!(
            "{}: recovered in {}; log {} to {}, {}",
            args.dir.display(),
            text::time(took),
            report.from,
            report.to,
            text::counted(report.records, "record"),
        ))?;
        let nothing = report.applied + report.rolled_back + report.restored_pages == 0;
        output.line(&if nothing {
            "nothing had to be redone or taken back".to_owned()
        } else {
            format!(
                "{} made again, {} were there already, {} taken back, {} put right",
                text::counted(report.applied, "page change"),
                text::count(report.skipped),
                text::counted(report.rolled_back, "unfinished transaction"),
                text::counted(report.restored_pages, "torn page"),
            )
        })?;
        for line in losses(&report) {
            output.line(&line)?;
        }
        for (path, state) in databases {
            output.line(&format!("{}: {state}", path.display()))?;
        }
        for problem in &problems {
            output.line(&format!("PROBLEM {}", with_advice(problem)))?;
        }
    }
    output.flush()?;
    if problems.is_empty() { Ok(()) } else { Err(Failure::Problems) }
}

fn flags_of(args: &args::Recover) -> RecoveryFlags {
    let mut flags = RecoveryFlags::empty();
    flags.set(RecoveryFlags::WITHOUT_UNDO, args.redo_only);
    flags.set(RecoveryFlags::IGNORE_MISSING_DATABASES, args.ignore_missing);
    flags.set(RecoveryFlags::IGNORE_LOST_LOGS, args.allow_lost_logs);
    flags
}

/// What was left undone or left out, because that was asked for.
fn losses(report: &RecoveryReport) -> Vec<String> {
    let mut lines = Vec::new();
    if report.without_undo {
        lines.push("nothing was undone, as was asked for".to_owned());
    }
    if let Some(first) = report.lost_from {
        lines.push(format!("LOST: commits in the logs from generation {:#x} on", first.0));
    }
    if report.removed_logs > 0 {
        let removed = text::counted(u64::from(report.removed_logs), "log");
        lines.push(format!("REMOVED: {removed} that did not fit or were damaged"));
    }
    if report.ignored_databases > 0 {
        let left_out = text::counted(u64::from(report.ignored_databases), "database");
        lines.push(format!("LEFT OUT: {left_out} that the log needs"));
    }
    lines
}

type States = Vec<(PathBuf, DbState)>;

/// The databases of the directory as they are now, and what is still wrong with some.
fn states(env: &Env, dir: &Path, may_be_dirty: bool) -> Outcome<(States, Vec<Error>)> {
    let found = look_for_databases(env, dir)?;
    let (mut states, mut problems) = (Vec::new(), found.unreadable);
    for path in found.databases {
        let file = env.fs.open(&path, OpenMode::Read)?;
        let header = read_header(file.as_ref())?.header;
        let state = header.state();
        if state != DbState::CleanShutdown && !may_be_dirty {
            problems.push(not_recovered(header.is_backup_copy()).at_path(&path));
        }
        states.push((path, state));
    }
    Ok((states, problems))
}

fn not_recovered(is_backup_copy: bool) -> Error {
    if is_backup_copy {
        Error::new(JetErr::SoftRecoveryOnBackupDatabase, "it is a copy out of a backup")
            .advise("restore the set it belongs to (ese restore)")
    } else {
        Error::new(JetErr::DatabaseDirtyShutdown, "this log is not the one that it needs")
            .advise("bring it together with its own log, or restore it from a backup")
    }
}
