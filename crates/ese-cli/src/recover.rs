//! `ese recover DIR`: the only verb that changes databases where they lie. It does what the next
//! start of their instance would do.

use std::path::{Path, PathBuf};

use ese_api::{Env, databases_in};
use ese_os::OpenMode;
use ese_pages::{DbState, header::read_header};
use serde_json::json;

use crate::{args, context::Context, failure::Outcome, files, output::Output, text};

pub(crate) fn run(context: &Context, args: &args::Recover) -> Outcome {
    files::refuse_backup_set(&context.env, &args.dir)?;
    let started = context.env.clock.monotonic();
    let report = ese_api::recover_with(&context.env, &args.dir)?;
    let took = context.env.clock.monotonic().saturating_sub(started);
    let databases = states(&context.env, &args.dir)?;
    let mut output = Output::new();
    if context.json {
        output.json(&json!({
            "path": args.dir.to_string_lossy(),
            "from": report.from.to_string(),
            "to": report.to.to_string(),
            "records": report.records,
            "applied": report.applied,
            "skipped": report.skipped,
            "rolled_back": report.rolled_back,
            "restored_pages": report.restored_pages,
            "reclaimed_pages": report.reclaimed_pages,
            "databases": databases.iter().map(|(path, state)| {
                json!({ "file": path.to_string_lossy(), "state": state.to_string() })
            }).collect::<Vec<_>>(),
        }))?;
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
        for (path, state) in databases {
            output.line(&format!("{}: {state}", path.display()))?;
        }
    }
    Ok(output.flush()?)
}

/// The databases of the directory as they are now.
fn states(env: &Env, dir: &Path) -> Outcome<Vec<(PathBuf, DbState)>> {
    let mut states = Vec::new();
    for path in databases_in(env, dir)? {
        let file = env.fs.open(&path, OpenMode::Read)?;
        states.push((path, read_header(file.as_ref())?.header.state()));
    }
    Ok(states)
}
