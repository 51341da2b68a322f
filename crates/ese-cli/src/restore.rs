//! `ese restore OUT DIR`: from a backup set to clean databases in another directory.

use ese_api::{
    JetErr, RestoreOptions, RestoreProgress, RestoreTarget, Restored, StopToken, restore_with,
};
use serde_json::json;

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome},
    output::Output,
    text,
};

pub(crate) fn run(context: &Context, args: &args::Restore) -> Outcome {
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
    let restored = restore_with(&context.env, &args.set, &target, &mut options);
    drop(progress);
    match restored {
        Err(error) if error.code() == JetErr::ClientRequestToStopJetService => {
            Err(Failure::Stopped("the set is untouched; restore it again".to_owned()))
        }
        restored => tell(context, &restored?),
    }
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
