//! `ese compact SRC DST`: a clean database, rebuilt in a new file. The source is only read; the new
//! file is compared with it before it gets its name.

use ese_api::{CompactProgress, Compacted, compact};
use serde_json::json;

use crate::{args, context::Context, failure::Outcome, output::Output, text};

pub(crate) fn run(context: &Context, args: &args::Compact) -> Outcome {
    let mut progress = context.progress("compact");
    let mut report = |so_far: CompactProgress| progress.set(so_far.bytes_done, so_far.bytes_total);
    let left = || format!("nothing of {} is left, the source is as it was", args.target.display());
    let done = context.interrupt().stoppable(left, |stop| {
        compact(&context.env, &args.source, &args.target, &mut report, stop)
    })?;
    drop(progress);
    tell(context, args, &done)
}

fn tell(context: &Context, args: &args::Compact, done: &Compacted) -> Outcome {
    let Compacted { tables, trees, entries, pages_before, pages } = done;
    let mut output = Output::new();
    if context.json {
        output.json(&json!({
            "source": args.source.to_string_lossy(),
            "target": args.target.to_string_lossy(),
            "tables": tables,
            "trees": trees,
            "entries": entries,
            "pages_before": pages_before,
            "pages": pages,
        }))?;
    } else {
        output.line(&format!(
            "{}: {} with {}, {}; {} has {}",
            args.target.display(),
            text::counted(u64::from(*pages), "page"),
            text::counted(*tables, "table"),
            text::counted(*entries, "entry"),
            args.source.display(),
            text::counted(u64::from(*pages_before), "page"),
        ))?;
    }
    Ok(output.flush()?)
}
