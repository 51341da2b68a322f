//! `ese verify-backup SET...`: can it be restored, and up to when? Answered by doing it.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use ese_api::{
    BackupCheck, Error, Restorable, SetInput, VerifyOptions, VerifyProgress, check_backup,
};
use serde_json::{Value, json};

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome, PROBLEM, error_json, finding_json, with_advice},
    files,
    interrupt::Interrupt,
    output::Output,
    text,
};

pub(crate) fn run(context: &Context, args: &args::VerifyBackup) -> Outcome {
    if args.sets.iter().filter(|set| files::is_pipe(set)).count() > 1 {
        return Err(Failure::Usage("a pipe can be read only once".into()));
    }
    let interrupt = context.interrupt();
    let mut code = 0;
    for set in &args.sets {
        match check(context, args, set, &interrupt) {
            Ok(true) => {}
            Ok(false) => code = code.max(PROBLEM),
            Err(failure @ (Failure::Stopped(_) | Failure::Output(_))) => return Err(failure),
            // No answer for this one; the others get theirs.
            Err(failure) => {
                failure.tell(context);
                code = code.max(failure.exit_code());
            }
        }
    }
    if code == 0 { Ok(()) } else { Err(Failure::Told(code)) }
}

/// Says what a set is; true if nothing is wrong with it.
fn check(
    context: &Context,
    args: &args::VerifyBackup,
    set: &Path,
    interrupt: &Interrupt,
) -> Outcome<bool> {
    let mut pipe = std::io::stdin().lock();
    let input = match files::is_pipe(set) {
        false => SetInput::Path(set),
        true if pipe.is_terminal() => return Err(files::no_archive_from_a_terminal()),
        true => SetInput::Stream(&mut pipe),
    };
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let mut progress = context.progress("verify");
    let mut replaying = context.progress("replay").of_parts();
    let mut report = |so_far: &VerifyProgress| match so_far.replayed {
        None => progress.set(so_far.bytes_done, so_far.bytes_total),
        Some(percent) => replaying.set(percent.into(), 100),
    };
    let left = || "not everything has been looked at; nothing is left of it".to_owned();
    let found = interrupt.stoppable(left, |stop| {
        let mut options = VerifyOptions::new(&mut report, stop.clone());
        check_backup(&context.env, input, args.logs.as_deref(), &scratch, &mut options)
    })?;
    drop((progress, replaying));
    let mut output = Output::new();
    if context.json {
        output.json(&as_json(set, &found))?;
    } else {
        for line in lines(set, &found) {
            output.line(&line)?;
        }
    }
    output.flush()?;
    let damaged = found.set.as_ref().is_some_and(|set| !set.damaged.is_empty());
    Ok(matches!(found.answer, Restorable::Yes) && !damaged && found.problems.is_empty())
}

fn lines(set: &Path, found: &BackupCheck) -> Vec<String> {
    let set = set.display();
    let mut lines = Vec::new();
    if found.chain.len() > 1 {
        let names = found.chain.iter().map(|path| path.display().to_string());
        lines.push(format!("{set}: builds on {}", names.collect::<Vec<_>>().join(", ")));
    }
    let until = until(found);
    match &found.answer {
        Restorable::Yes => lines.push(format!("{set}: restorable to {until}")),
        Restorable::WithLoss(why) => lines.push(format!(
            "{set}: restorable to {until}, with loss of {}: {}",
            loss(found),
            one_line(why)
        )),
        Restorable::No(why) => lines.push(format!("{set}: not restorable: {}", one_line(why))),
    }
    if let Some(report) = &found.set {
        let pages = text::counted(report.pages, "page");
        let segments = text::counted(report.log_segments, "log segment");
        lines.push(match report.corrected_pages {
            0 => format!("{pages} and {segments} verified"),
            count => format!("{pages} ({count} corrected) and {segments} verified"),
        });
        let serves =
            |error: &Error| format!("DAMAGED {}; another set has what is needed", one_line(error));
        lines.extend(report.damaged.iter().map(serves));
    }
    lines.extend(found.problems.iter().map(|(severity, problem)| {
        let problem = problem.to_string();
        let problem = text::printable(&problem);
        format!("PROBLEM {problem} [{severity}]; it was backed up like that")
    }));
    lines
}

fn one_line(error: &Error) -> String {
    with_advice(error).replace(['\n', '\r'], " ")
}

/// `0x9:0012:00a4, 2026-01-31T12:00:00.000Z`.
fn until(found: &BackupCheck) -> String {
    let Some(position) = found.reached else { return "nowhere".to_owned() };
    match found.reached_time {
        Some(time) => format!("{position}, {time}"),
        None => position.to_string(),
    }
}

fn loss(found: &BackupCheck) -> String {
    let reached = found.recovery.as_ref().map_or(0, |recovery| recovery.to.generation.0);
    match found.last {
        Some(last) if last.0 > reached => {
            format!("log generations {:#x} to {:#x}", reached + 1, last.0)
        }
        _ => "what comes after it".to_owned(),
    }
}

fn as_json(set: &Path, found: &BackupCheck) -> Value {
    let (answer, reason) = match &found.answer {
        Restorable::Yes => ("restorable", None),
        Restorable::WithLoss(why) => ("restorable_with_loss", Some(why)),
        Restorable::No(why) => ("not_restorable", Some(why)),
    };
    let problems = found.problems.iter().map(|(severity, error)| finding_json(*severity, error));
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    json!({
        "set": set.to_string_lossy(),
        "answer": answer,
        "reason": reason.map(error_json),
        "chain": found.chain.iter().map(text).collect::<Vec<_>>(),
        "position": found.reached.map(|position| position.to_string()),
        "time": found.reached_time.map(|time| time.to_string()),
        "generation": found.reached.map(|position| position.generation.0),
        "gen_high": found.last.map(|generation| generation.0),
        // As it was called before.
        "last_generation": found.last.map(|generation| generation.0),
        "pages": found.set.as_ref().map(|set| set.pages),
        "corrected_pages": found.set.as_ref().map(|set| set.corrected_pages),
        "log_segments": found.set.as_ref().map(|set| set.log_segments),
        "damaged": found.set.iter().flat_map(|set| &set.damaged).map(error_json).collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
        "bytes": found.set.as_ref().map(|set| set.bytes),
        "records": found.recovery.as_ref().map(|recovery| recovery.records),
    })
}
