//! `ese prune DIR --keep N`: old backup sets go, by whole chains.

use std::path::Path;

use ese_api::{BackupSet, PrunePlan, PruneReason, Shelf, find_base};
use ese_backup::stream::{INCOMPLETE_NAME, MANIFEST_NAME};
use serde_json::{Value, json};

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome},
    output::Output,
    text,
};

pub(crate) fn run(context: &Context, args: &args::Prune) -> Outcome {
    let keep = usize::try_from(args.keep).unwrap_or(usize::MAX);
    let shelf = Shelf::look(&context.env, &args.dir)?;
    refuse_no_shelf(context, &args.dir, &shelf)?;
    let plan = PrunePlan::new(&context.env, shelf, keep)?;
    plan.check_kept(&context.env)?;
    for path in &plan.unfinished {
        context.remark(&format!("{}: not complete, stays as it is", path.display()));
    }
    if !args.dry_run {
        plan.run(&context.env, &mut |_| ())?;
    }
    let mut output = Output::new();
    if context.json {
        output.json(&json!({
            "dry_run": args.dry_run,
            "kept": plan.kept.iter().map(as_json).collect::<Vec<_>>(),
            "removed": plan.removed.iter().map(as_json).collect::<Vec<_>>(),
            "half_removed": plan.half_removed.iter().map(|it| it.to_string_lossy()).collect::<Vec<_>>(),
            "unfinished": plan.unfinished.iter().map(|it| it.to_string_lossy()).collect::<Vec<_>>(),
        }))?;
        return Ok(output.flush()?);
    }
    for (set, reason) in &plan.kept {
        output.line(&line("kept", set, *reason))?;
    }
    let removed = if args.dry_run { "would be removed" } else { "removed" };
    for (set, reason) in &plan.removed {
        output.line(&line(removed, set, *reason))?;
    }
    for path in &plan.half_removed {
        output.line(&format!("{}: {removed} (what an earlier pruning left)", path.display()))?;
    }
    let bytes: u64 = plan.removed.iter().map(|(set, _)| set.bytes()).sum();
    let free = if args.dry_run { "would be free" } else { "free" };
    output.line(&format!(
        "{} kept, {} {removed}, {} {free}",
        text::counted(len(plan.kept.len()), "set"),
        text::count(len(plan.removed.len())),
        text::bytes(bytes),
    ))?;
    Ok(output.flush()?)
}

/// What lies in the place of a directory of sets is told, and that there is none.
fn refuse_no_shelf(context: &Context, dir: &Path, shelf: &Shelf) -> Outcome {
    let env = &context.env;
    let is = |name: &str| env.fs.exists(&dir.join(name));
    let what = if is(MANIFEST_NAME)? || is(INCOMPLETE_NAME)? {
        "this is a backup set itself"
    } else if shelf.is_empty() && find_base(env, dir)?.is_some() {
        "there are logs here, and no backup set"
    } else {
        if shelf.is_empty() {
            context.remark(&format!("{}: no backup set is here", dir.display()));
        }
        return Ok(());
    };
    let dir = dir.display();
    Err(Failure::Usage(format!("{dir}: {what}; name the directory that holds the sets")))
}

fn len(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn line(what: &str, set: &BackupSet, reason: PruneReason) -> String {
    let kind = &set.manifest.kind;
    let created = &set.manifest.created;
    format!("{}: {what} ({kind} set of {created}, {})", set.path.display(), words(reason))
}

fn words(reason: PruneReason) -> &'static str {
    match reason {
        PruneReason::Newest => "one of the newest",
        PruneReason::BuildsOnKept => "builds on one that stays",
        PruneReason::Superseded => "newer ones stay",
        PruneReason::BuildsOnRemoved => "builds on one that goes",
    }
}

fn as_json((set, reason): &(BackupSet, PruneReason)) -> Value {
    json!({
        "set": set.path.to_string_lossy(),
        "kind": set.manifest.kind,
        "created": set.manifest.created,
        "bytes": set.bytes(),
        "gen_low": set.manifest.gen_low,
        "gen_high": set.manifest.gen_high,
        "reason": words(*reason),
    })
}
