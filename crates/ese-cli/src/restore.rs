//! `ese restore SET DIR`: from a backup set, an archive or a pipe to clean databases in a
//! directory.

use std::io::IsTerminal as _;

use ese_api::{
    PlannedEnd, PlannedRestore, RestoreOptions, RestoreProgress, RestoreTarget, RestoreUntil,
    Restored, SetInput, plan_restore, restore_set,
};
use serde_json::json;

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome, error_json, with_advice},
    files,
    output::Output,
    recover::{joined, recovery_json},
    text,
};

pub(crate) fn run(context: &Context, args: &args::Restore) -> Outcome {
    if args.dry_run {
        return plan(context, args);
    }
    let mut pipe = std::io::stdin().lock();
    let input = if !files::is_pipe(&args.set) {
        SetInput::Path(&args.set)
    } else if pipe.is_terminal() {
        return Err(files::no_archive_from_a_terminal());
    } else {
        SetInput::Stream(&mut pipe)
    };
    let mut progress = context.progress("restore");
    let mut replaying = context.progress("replay").of_parts();
    let mut report = |so_far: &RestoreProgress| match so_far.replayed {
        None => progress.set(so_far.bytes_done, so_far.bytes_total),
        Some(percent) => replaying.set(percent.into(), 100),
    };
    let target = RestoreTarget {
        until: until(args),
        allow_loss: args.allow_loss,
        ..RestoreTarget::in_dir(&args.dir)
    };
    let left = || "the set is untouched; restore it again".to_owned();
    let restored = context.interrupt().stoppable(left, |stop| {
        let (force, keep_damaged, stop) = (args.force, false, stop.clone());
        let mut options = RestoreOptions { force, keep_damaged, progress: &mut report, stop };
        restore_set(&context.env, input, args.logs.as_deref(), &target, &mut options)
    })?;
    drop((progress, replaying));
    tell(context, args, &restored)
}

fn until(args: &args::Restore) -> Option<RestoreUntil> {
    let position = args.to_position.map(RestoreUntil::Position);
    position.or(args.to_time.map(RestoreUntil::Time))
}

/// `00002A,0012,00A4, 2026-01-31T12:00:00.000Z`.
fn place(end: &PlannedEnd) -> String {
    match end.time {
        Some(time) => format!("{}, {time}", end.position),
        None => end.position.to_string(),
    }
}

/// An end that was asked for, and that lies behind everything.
fn remark_on_end(context: &Context, args: &args::Restore, end: &PlannedEnd) {
    if let Some(until) = until(args).filter(|_| !end.leaves_out) {
        context.remark(&format!("the log ends before {until}: nothing is left out"));
    }
}

fn plan(context: &Context, args: &args::Restore) -> Outcome {
    if files::is_pipe(&args.set) {
        return Err(Failure::Usage(
            "a pipe can be read only once: put the archive into a file".into(),
        ));
    }
    let logs = args.logs.as_deref();
    let plan: PlannedRestore = plan_restore(&context.env, &args.set, logs, until(args))?;
    match &plan.end {
        Some(end) => remark_on_end(context, args, end),
        None if until(args).is_some() => {
            context.remark("where the replay ends shows when the archives are unpacked");
        }
        None => {}
    }
    let mut output = Output::new();
    if context.json {
        output.json(&json!({
            "sets": plan.sets.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
            "databases": plan.databases.iter().map(|(name, bytes)| json!({
                "file": args.dir.join(name).to_string_lossy(), "bytes": bytes,
            })).collect::<Vec<_>>(),
            "gen_low": plan.gen_low.0,
            "gen_high": plan.gen_high.0,
            "bytes": plan.bytes,
            "position": plan.end.map(|end| end.position.to_string()),
            "time": plan.end.and_then(|end| end.time).map(|time| time.to_string()),
        }))?;
        return Ok(output.flush()?);
    }
    for set in &plan.sets {
        output.line(&format!("from {}", set.display()))?;
    }
    for (name, bytes) in &plan.databases {
        let path = args.dir.join(name);
        output.line(&format!("{}: would be restored, {}", path.display(), text::bytes(*bytes)))?;
    }
    output.line(&format!(
        "log generations {:#x} to {:#x} would be replayed, {} read",
        plan.gen_low.0,
        plan.gen_high.0,
        text::bytes(plan.bytes),
    ))?;
    if let Some(end) = &plan.end {
        let all = if end.leaves_out { "" } else { ", the end of the log" };
        output.line(&format!("the replay would end at {}{all}", place(end)))?;
    }
    Ok(output.flush()?)
}

fn tell(context: &Context, args: &args::Restore, restored: &Restored) -> Outcome {
    if let Some(end) = &restored.end {
        remark_on_end(context, args, end);
    }
    if let Some(loss) = &restored.loss {
        context.remark(&format!("with loss of what comes after it: {}", with_advice(loss)));
    }
    for damage in &restored.set.damaged {
        let damage = with_advice(damage);
        context.remark(&format!("DAMAGED {damage}; another set has what is needed"));
    }
    for path in &restored.left_out {
        let what = "the log knows this database, the set does not have it: left out";
        context.remark(&format!("{}: {what}", path.display()));
    }
    let recovery = &restored.recovery;
    let mut output = Output::new();
    if context.json {
        let databases = restored.databases.iter().map(|path| path.to_string_lossy());
        let told = json!({
            "databases": databases.collect::<Vec<_>>(),
            "loss": restored.loss.as_ref().map(error_json),
            "left_out": restored.left_out.iter().map(|it| it.to_string_lossy()).collect::<Vec<_>>(),
            "bytes": restored.set.bytes,
            "pages": restored.set.pages,
            "corrected_pages": restored.set.corrected_pages,
            "damaged": restored.set.damaged.iter().map(error_json).collect::<Vec<_>>(),
            "position": recovery.to.to_string(),
            "time": restored.end.and_then(|end| end.time).map(|time| time.to_string()),
        });
        output.json(&joined(told, recovery_json(recovery)))?;
    } else {
        for database in &restored.databases {
            output.line(&format!("{}: restored", database.display()))?;
        }
        output.line(&format!(
            "{} verified, {} of log replayed, {}, {} taken back",
            text::counted(restored.set.pages, "page"),
            text::counted(recovery.records, "record"),
            text::counted(recovery.applied, "page change"),
            text::counted(recovery.rolled_back, "unfinished transaction"),
        ))?;
        if let Some(end) = restored.end.filter(|end| end.leaves_out) {
            output.line(&format!("up to {}; the next start begins a new log", place(&end)))?;
        }
    }
    Ok(output.flush()?)
}
