//! `ese ship DIR DEST`: the log of a running instance is copied as it grows.

use std::{path::Path, time::Duration};

use ese_api::{DirDestination, Error, JetErr, Shipped, Shipper, find_base};
use serde_json::json;

use crate::{
    args,
    context::Context,
    failure::{Outcome, with_advice},
    output::Output,
    text,
};

/// Between two looks whether somebody wants to end it.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) fn run(context: &Context, args: &args::Ship) -> Outcome {
    let env = &context.env;
    let interrupt = context.interrupt();
    let base = find_base(env, &args.dir)?.ok_or_else(|| {
        Error::new(JetErr::MissingLogFile, "there is no log to be shipped")
            .at_path(&args.dir)
            .advise("name the directory that holds the log files")
    })?;
    let to = DirDestination::open(env, &args.dest)?;
    let mut shipper = Shipper::new(env, &args.dir, &base, Box::new(to))?;
    // What was said of a failure last.
    let mut said = None;
    loop {
        // What was written until the interrupt is shipped after it.
        let last = args.once || interrupt.pressed();
        match shipper.step() {
            Ok(shipped) => {
                said = None;
                tell(context, &args.dest, &shipper, &shipped)?;
            }
            // The destination may have room again, or be there again, at the next interval.
            Err(error) if !last && may_pass(&error, &args.dest) => {
                let what = with_advice(&error);
                if said.as_ref() != Some(&what) {
                    context.remark(&format!("shipping goes on at the next interval: {what}"));
                }
                said = Some(what);
            }
            Err(error) => return Err(error.into()),
        }
        if last {
            return Ok(());
        }
        let next = env.clock.monotonic().saturating_add(args.interval);
        while env.clock.monotonic() < next && !interrupt.pressed() {
            env.clock.sleep(LOOK);
        }
    }
}

/// Is it the state of a disk, and nothing that the log or the destination are?
fn may_pass(error: &Error, dest: &Path) -> bool {
    match error.code() {
        JetErr::DiskFull | JetErr::DiskIO | JetErr::FileAccessDenied => true,
        // The destination is gone: its disk may be mounted again.
        JetErr::FileNotFound | JetErr::InvalidPath => {
            error.path().is_some_and(|path| path.starts_with(dest))
        }
        _ => false,
    }
}

/// A line for each step that has done something.
fn tell(context: &Context, dest: &Path, shipper: &Shipper, shipped: &Shipped) -> Outcome {
    if let Some(begins) = shipped.begins {
        let what = "of what was shipped, the generations before it are gone";
        context.remark(&format!("{}: begins with {:#x}: {what}", dest.display(), begins.0));
    }
    for generation in &shipped.again {
        let what = "it was lost or damaged there, and is shipped again";
        context.remark(&format!("{}: generation {:#x}: {what}", dest.display(), generation.0));
    }
    let Some(state) = shipper.state().filter(|_| shipped.bytes > 0) else { return Ok(()) };
    let mut output = Output::new();
    if context.json {
        output.json(&json!({
            "shipped": state.shipped,
            "bytes": shipped.bytes,
            "finished": shipped.finished.iter().map(|generation| generation.0).collect::<Vec<_>>(),
            "again": shipped.again.iter().map(|generation| generation.0).collect::<Vec<_>>(),
            "gen_low": state.gen_low,
            "gen_finished": state.gen_finished,
            "gen_open": state.gen_open,
        }))?;
    } else if !context.quiet {
        let open = match shipped.open {
            Some(generation) => format!("{:#x} as far as it is", generation.0),
            None => "nothing unfinished".to_owned(),
        };
        output.line(&format!(
            "{}: {}, {} finished, {open}",
            state.shipped,
            text::bytes(shipped.bytes),
            text::counted(u64::try_from(shipped.finished.len()).unwrap_or(0), "generation"),
        ))?;
    }
    Ok(output.flush()?)
}
