//! `ese verify FILE|DIR`: is everything sound? Nothing is written.

use ese_api::{
    DatabaseReport, DirReport, ErrorKind, FileKind, FileReport, LogReport, Severity, VerifyOptions,
    verify_dir, verify_file,
};
use ese_pages::DbState;
use serde_json::{Value, json};

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome, error_json, finding_json},
    output::Output,
    text,
};

pub(crate) fn run(context: &Context, args: &args::Verify) -> Outcome {
    let mut progress = context.progress("verify");
    let mut report = |so_far: &ese_api::VerifyProgress| {
        progress.set(so_far.bytes_done, so_far.bytes_total);
    };
    let left = || "not everything has been looked at; nothing was written".to_owned();
    let report = context.interrupt().stoppable(left, |stop| {
        let mut options = VerifyOptions::new(&mut report, stop.clone());
        options.as_is = args.as_is.as_is;
        // Only a directory can be listed.
        if context.env.fs.list(&args.path).is_ok() {
            verify_dir(&context.env, &args.path, &mut options)
        } else {
            verify_file(&context.env, &args.path, &mut options)
        }
    })?;
    drop(progress);
    let mut output = Output::new();
    if context.json {
        output.json(&as_json(&report))?;
    } else {
        as_lines(&report, &mut output)?;
    }
    output.flush()?;
    if report.is_sound() { Ok(()) } else { Err(Failure::Problems) }
}

fn as_lines(report: &DirReport, output: &mut Output) -> Outcome {
    for database in &report.databases {
        let trees = if database.header.state() == DbState::CleanShutdown || database.trees > 0 {
            format!(
                "{}, {}, {}",
                text::counted(len(database.tables), "table"),
                text::counted(len(database.trees), "tree"),
                text::counted(database.entries, "entry"),
            )
        } else if database.header.is_temporary() {
            "a temporary database, which nobody needs: not looked at".to_owned()
        } else {
            "trees not looked at".to_owned()
        };
        output.line(&format!(
            "{}: {}, {} pages of {} ({} unused), {trees}",
            database.path.display(),
            database.header.state(),
            text::count(u64::from(database.pages)),
            database
                .header
                .page_size()
                .map_or_else(|_| "?".to_owned(), |size| text::bytes(size.bytes_u64())),
            text::count(u64::from(database.blank_pages)),
        ))?;
        if database.stray_bytes > 0 {
            output.line(&format!(
                "  behind the last page, wasted but not wrong: {}",
                text::counted(database.stray_bytes, "byte")
            ))?;
        }
        if database.leaked_pages > 0 {
            output.line(&format!(
                "  owned by no tree, wasted but not wrong: {}",
                text::counted(u64::from(database.leaked_pages), "page")
            ))?;
        }
        for orphan in &database.orphans {
            output.line(&format!("  wasted but not wrong: {orphan}"))?;
        }
    }
    if let Some(log) = &report.log {
        output.line(&log_line(log))?;
    }
    if let Some(file) = &report.file {
        output.line(&format!("{}: {}", report.path.display(), file_line(file)))?;
    }
    if let Some(set) = &report.set {
        output.line(&format!(
            "{}: backup set, {}, {} in {} and {}",
            report.path.display(),
            text::bytes(set.bytes),
            if set.corrected_pages == 0 {
                "every bit right".to_owned()
            } else {
                format!("{} corrected", text::counted(set.corrected_pages, "page"))
            },
            text::counted(set.pages, "page"),
            text::counted(set.log_segments, "log segment"),
        ))?;
    }
    let (mut problems, mut damaged) = (0, false);
    for (severity, problem) in report.findings() {
        output.line(&format!("PROBLEM {problem} [{severity}]"))?;
        problems += 1;
        damaged |= problem.kind() == ErrorKind::Corruption && problem.advice().is_none();
    }
    output.line(&match (problems, damaged) {
        (0, _) => "sound".to_owned(),
        (_, false) => format!("{} ({})", text::counted(problems, "problem"), worst(report)),
        (_, true) => format!(
            "{} ({}); restore what is damaged from a backup",
            text::counted(problems, "problem"),
            worst(report)
        ),
    })?;
    Ok(())
}

fn log_line(log: &LogReport) -> String {
    let (first, last) = log.generations;
    if last.0 == 0 {
        return format!("log {}: no generation of it can be read", log.base);
    }
    format!(
        "log {}: generations {:#x} to {:#x}, {}, {}",
        log.base,
        first.0,
        last.0,
        text::counted(log.records, "record"),
        if log.ended_cleanly { "ended properly" } else { "not ended properly" },
    )
}

/// A file that is no database.
fn file_line(file: &FileReport) -> String {
    match (file.kind, file.generation) {
        (FileKind::Log, Some(generation)) => {
            let records = text::counted(file.records, "record");
            format!("{}, generation {:#x}, {records}", file.kind, generation.0)
        }
        (FileKind::Reserve | FileKind::Prepared | FileKind::Lock, _) => {
            format!("{}, which holds no data", file.kind)
        }
        (kind, _) => kind.to_string(),
    }
}

/// `2 errors, 1 warning`, the worst first.
fn worst(report: &DirReport) -> String {
    let words = Severity::ALL.into_iter().filter_map(|severity| {
        let count = report.findings().filter(|(of, _)| *of == severity).count();
        let word = match severity {
            Severity::Fatal => return (count > 0).then(|| format!("{count} fatal")),
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "remark",
        };
        (count > 0).then(|| text::counted(len(count), word))
    });
    words.collect::<Vec<String>>().join(", ")
}

fn len(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn as_json(report: &DirReport) -> Value {
    json!({
        "path": report.path.to_string_lossy(),
        "sound": report.is_sound(),
        "databases": report.databases.iter().map(database_json).collect::<Vec<_>>(),
        "log": report.log.as_ref().map(log_json),
        "file": report.file.as_ref().map(|file| json!({
            "kind": file.kind.to_string(), "records": file.records,
            "generation": file.generation.map(|generation| generation.0),
        })),
        "set": report.set.as_ref().map(|set| json!({
            "pages": set.pages, "corrected_pages": set.corrected_pages,
            "log_segments": set.log_segments, "bytes": set.bytes,
        })),
        "worst": report.findings().map(|(severity, _)| severity).max().map(|s| s.to_string()),
        "problems": report.findings().map(|(of, error)| finding_json(of, error)).collect::<Vec<_>>(),
    })
}

fn database_json(database: &DatabaseReport) -> Value {
    json!({
        "file": database.path.to_string_lossy(),
        "state": database.header.state().to_string(),
        "pages": database.pages,
        "blank_pages": database.blank_pages,
        "stray_bytes": database.stray_bytes,
        "leaked_pages": database.leaked_pages,
        "long_values": database.long_values,
        "orphans": database.orphans.iter().map(error_json).collect::<Vec<_>>(),
        "tables": database.tables,
        "trees": database.trees,
        "entries": database.entries,
    })
}

fn log_json(log: &LogReport) -> Value {
    json!({
        "base": log.base,
        "gen_low": log.generations.0.0,
        "gen_high": log.generations.1.0,
        "records": log.records,
        "ended_cleanly": log.ended_cleanly,
    })
}
