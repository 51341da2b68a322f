//! `ese restore SET DIR`: from a backup set, an archive or a pipe to clean databases in a
//! directory.

use std::io::IsTerminal as _;

use ese_api::{
    JetErr, PlannedRestore, RestoreOptions, RestoreProgress, RestoreTarget, Restored, SetInput,
    StopToken, plan_restore, restore_set,
};
use serde_json::json;

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome},
    files,
    output::Output,
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
        return Err(Failure::Usage("an archive is expected on standard input".into()));
    } else {
        SetInput::Stream(&mut pipe)
    };
    let interrupt = context.interrupt();
    let mut progress = context.progress("restore");
    let stop = StopToken::new();
    let token = stop.clone();
    let mut report = |so_far: &RestoreProgress| {
        progress.set(so_far.bytes_done, so_far.bytes_total);
        interrupt.pass_on(&token);
    };
    let mut options =
        RestoreOptions { force: args.force, keep_damaged: false, progress: &mut report, stop };
    let target = RestoreTarget::in_dir(&args.dir);
    let restored = restore_set(&context.env, input, args.logs.as_deref(), &target, &mut options);
    drop(progress);
    match restored {
        Err(error) if error.code() == JetErr::ClientRequestToStopJetService => {
            Err(Failure::Stopped("the set is untouched; restore it again".to_owned()))
        }
        restored => tell(context, &restored?),
    }
}

fn plan(context: &Context, args: &args::Restore) -> Outcome {
    if files::is_pipe(&args.set) {
        return Err(Failure::Usage(
            "a pipe can be read only once: put the archive into a file".into(),
        ));
    }
    let plan: PlannedRestore = plan_restore(&context.env, &args.set, args.logs.as_deref())?;
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
    Ok(output.flush()?)
}

fn tell(context: &Context, restored: &Restored) -> Outcome {
    let recovery = &restored.recovery;
    let mut output = Output::new();
    if context.json {
        let databases = restored.databases.iter().map(|path| path.to_string_lossy());
        output.json(&json!({
            "databases": databases.collect::<Vec<_>>(),
            "bytes": restored.set.bytes,
            "pages": restored.set.pages,
            "corrected_pages": restored.set.corrected_pages,
            "records": recovery.records,
            "applied": recovery.applied,
            "rolled_back": recovery.rolled_back,
        }))?;
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
    }
    Ok(output.flush()?)
}
