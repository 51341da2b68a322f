//! Recovery into copies, and what it would need.

use std::path::PathBuf;

use ese_api::{
    Copied, CopiedDatabase, CopiesPlan, CopyProgress, CopyReport, CopyRequest, DatabasePlan,
    DiffCounts, Error, LeftAside, LgPos, RecoveryFlags, RedoEnd, Result, StopToken,
    TableDifference, TreeChanges, VerifyOptions, VerifyProgress, copy_targets, plan_recovery,
    recover_into, verify_database,
};
use ese_pages::DbState;
use serde_json::{Value, json};

use super::{joined, recovery_json, until, write_report};
use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome, error_json, with_advice},
    interrupt::is_stop,
    output::Output,
    text,
};

fn request(args: &args::Recover) -> CopyRequest {
    let mut flags = RecoveryFlags::empty();
    flags.set(RecoveryFlags::IGNORE_LOST_LOGS, args.allow_lost_logs);
    CopyRequest {
        logs: vec![args.dir.clone()],
        databases: args.roll_forward.clone().into_iter().collect(),
        out: args.out.clone().unwrap_or_else(|| args.dir.clone()),
        from_logs: args.from_logs,
        flags,
        until: until(args),
    }
}

/// Where the copies are to lie.
pub(super) fn targets(context: &Context, args: &args::Recover) -> Outcome<Vec<PathBuf>> {
    Ok(copy_targets(&context.env, &request(args), &StopToken::new())?)
}

pub(super) fn recover(context: &Context, args: &args::Recover) -> Outcome {
    let started = context.env.clock.monotonic();
    let mut copying = context.progress("copy");
    let mut replaying = context.progress("replay").of_parts();
    let mut progress = |so_far: &CopyProgress<'_>| {
        let shown = if so_far.replaying { &mut replaying } else { &mut copying };
        shown.set(so_far.done, so_far.total);
    };
    let interrupt = context.interrupt();
    let left = || "nothing was changed; run it again".to_owned();
    let Copied { databases, unreadable } = interrupt
        .stoppable(left, |stop| recover_into(&context.env, &request(args), &mut progress, stop))?;
    drop((copying, replaying));
    // Of one database, its error is that of the verb.
    if let ([CopiedDatabase { outcome: Err(error), .. }], []) = (&databases[..], &unreadable[..]) {
        return Err(error.clone().into());
    }
    let took = context.env.clock.monotonic().saturating_sub(started);
    let left = || "the copies are there; not all of them were verified".to_owned();
    let verified = interrupt.stoppable(left, |stop| verify_copies(context, &databases, stop))?;
    let both = || databases.iter().zip(&verified);
    let told = json!({
        "path": args.dir.to_string_lossy(),
        "databases": both().map(|(copy, verified)| copied_json(copy, verified)).collect::<Vec<_>>(),
        "unreadable": unreadable.iter().map(error_json).collect::<Vec<_>>(),
    });
    write_report(context, args, &told)?;
    let ends = databases.iter().filter_map(|it| Some(it.outcome.as_ref().ok()?.recovery.to));
    // A log has records from its first segment on: here there was none.
    let ends = ends.filter(|end| *end > LgPos::new(1, 0, 0));
    remark_end(context, args, ends.max());
    let mut output = Output::new();
    if context.json {
        output.json(&told)?;
    } else {
        for (database, verified) in both() {
            for line in copied_lines(database, &verified.problems) {
                output.line(&line)?;
            }
        }
        unreadable_lines(&mut output, &unreadable)?;
        output.line(&format!("recovered in {}", text::time(took)))?;
    }
    output.flush()?;
    let is_whole = |(copy, verified): (&CopiedDatabase, &Verified)| {
        copy.outcome.is_ok() && verified.problems.is_empty()
    };
    let whole = both().all(is_whole);
    if whole && unreadable.is_empty() { Ok(()) } else { Err(Failure::Problems) }
}

/// The end that was asked for may lie behind that of the log. Then nothing was left out.
fn remark_end(context: &Context, args: &args::Recover, reached: Option<LgPos>) {
    let (Some(RedoEnd::CutAt(end)), Some(reached)) = (until(args), reached) else { return };
    // The last record of a generation may end where the next one begins.
    if LgPos::new(end.generation.0.saturating_sub(1), 0, 0) > reached {
        context.remark(&format!("the log ends before that, at {reached}: nothing was left out"));
    }
}

/// Files that are called like databases and are none any more.
fn unreadable_lines(output: &mut Output, unreadable: &[Error]) -> Outcome {
    for error in unreadable {
        output.line(&format!("PROBLEM {}", with_advice(error)))?;
    }
    Ok(())
}

/// What a look at a copy found.
#[derive(Default)]
struct Verified {
    /// What its header says; `None`: it could not be read, or there is no copy.
    state: Option<DbState>,
    problems: Vec<Error>,
}

/// What is wrong with each copy. A log makes whole what was being written, not what was damaged in
/// the file before: whoever goes on with a copy must know.
fn verify_copies(
    context: &Context,
    recovered: &[CopiedDatabase],
    stop: &StopToken,
) -> Result<Vec<Verified>> {
    let mut progress = context.progress("verify");
    let mut report = |so_far: &VerifyProgress| progress.set(so_far.bytes_done, so_far.bytes_total);
    let mut found = Vec::with_capacity(recovered.len());
    for database in recovered {
        let mut options = VerifyOptions::new(&mut report, stop.clone());
        found.push(match database.outcome {
            Err(_) => Verified::default(),
            Ok(_) => match verify_database(&context.env, &database.target, &mut options) {
                Ok(found) => {
                    Verified { state: Some(found.header.state()), problems: found.problems }
                }
                Err(error) if is_stop(&error) => return Err(error),
                Err(error) => Verified { state: None, problems: vec![error] },
            },
        });
    }
    Ok(found)
}

fn copied_json(database: &CopiedDatabase, verified: &Verified) -> Value {
    let told = json!({
        "source": database.source.as_ref().map(|path| path.to_string_lossy()),
        "file": database.target.to_string_lossy(),
        "signature": database.sign_db.to_string(),
        "state_before": database.state.map(|state| state.to_string()),
        "unknown_to_logs": database.unknown,
        "left_aside": aside_json(&database.aside),
    });
    match &database.outcome {
        Err(error) => joined(told, json!({ "error": error_json(error) })),
        Ok(report) => {
            let differences = database.differences.as_deref();
            let told = joined(told, report_json(report, differences));
            joined(
                told,
                json!({
                    "state": verified.state.map(|state| state.to_string()),
                    "problems": verified.problems.iter().map(error_json).collect::<Vec<_>>(),
                }),
            )
        }
    }
}

fn report_json(report: &CopyReport, differences: Option<&[TableDifference]>) -> Value {
    let recovery = &report.recovery;
    let mut replay = recovery_json(recovery);
    if needed_no_log(report) {
        replay = joined(replay, json!({ "from": null, "to": null }));
    }
    let told = json!({
        // As they were called here before.
        "replayed": recovery.applied,
        "undone": recovery.rolled_back,
        "lost_from": lost_from(report),
        "lost_reason": report.lost.as_ref().map(|(_, why)| why),
        "tables": tables(report, differences).map(|(name, rows, operations)| json!({
            "name": name,
            "rows_added": rows.map(|rows| rows.added),
            "rows_changed": rows.map(|rows| rows.changed),
            "rows_removed": rows.map(|rows| rows.removed),
            "operations": {
                "added": operations.added,
                "changed": operations.changed,
                "removed": operations.removed,
            },
        })).collect::<Vec<_>>(),
    });
    joined(replay, told)
}

/// Was it copied as it is, because the log holds nothing that it does not? Replay would have begun
/// with a generation that is not there.
fn needed_no_log(report: &CopyReport) -> bool {
    let recovery = &report.recovery;
    recovery.records == 0 && recovery.from == recovery.to && recovery.from.isec == 0
}

/// Each table with how its rows differ now, where that could be told, and what the log did.
fn tables<'r>(
    report: &'r CopyReport,
    differences: Option<&'r [TableDifference]>,
) -> impl Iterator<Item = (&'r str, Option<DiffCounts>, TreeChanges)> {
    let rows_of = move |name: &str| {
        let all = differences.unwrap_or_default();
        all.iter().find(|table| table.name == name).map(|table| table.rows)
    };
    let touched = report.tables.iter();
    let touched = touched.map(move |table| (table.name.as_str(), rows_of(&table.name), table.rows));
    // A table may be there, or be gone, without any change of its rows.
    let is_new = |name: &str| report.tables.iter().all(|table| table.name != name);
    let others = differences.unwrap_or_default().iter().filter(move |table| is_new(&table.name));
    let none = TreeChanges::default();
    touched.chain(others.map(move |table| (table.name.as_str(), Some(table.rows), none)))
}

fn lost_from(report: &CopyReport) -> Option<u32> {
    let passed_over = report.lost.as_ref().map(|(generation, _)| *generation);
    passed_over.or(report.recovery.lost_from).map(|generation| generation.0)
}

fn aside_json(aside: &[LeftAside]) -> Value {
    let files = aside.iter().map(|file| {
        json!({
            "file": file.path.to_string_lossy(),
            "generation": file.generation.0,
            "reason": file.why,
        })
    });
    Value::Array(files.collect())
}

fn copied_lines(database: &CopiedDatabase, problems: &[Error]) -> Vec<String> {
    let target = database.target.display();
    let report = match &database.outcome {
        Err(error) => {
            // There is no copy to be named.
            let path = database.source.as_ref().unwrap_or(&database.target);
            let what = with_advice(error);
            return vec![match error.path() == Some(path) {
                true => format!("PROBLEM {what}"),
                false => format!("PROBLEM {}: {what}", path.display()),
            }];
        }
        Ok(report) => report,
    };
    let recovery = &report.recovery;
    let log = match needed_no_log(report) {
        true => "it needed no log".to_owned(),
        false => {
            let records = text::counted(recovery.records, "record");
            format!("log {} to {}, {records}", recovery.from, recovery.to)
        }
    };
    let mut lines = vec![format!(
        "{target}: clean{}, {}; {log}",
        if problems.is_empty() { "" } else { " and damaged" },
        match (&database.source, database.state) {
            (Some(source), Some(state)) => format!("out of {} ({state})", source.display()),
            _ => "built from its log".to_owned(),
        },
    )];
    if database.unknown {
        lines.push("  the logs here know nothing of it: they are another database's".to_owned());
    }
    lines.push(format!(
        "  {} made again, {} were there already, {} taken back",
        text::counted(recovery.applied, "page change"),
        text::count(recovery.skipped),
        text::counted(recovery.rolled_back, "unfinished transaction"),
    ));
    for (name, rows, operations) in tables(report, database.differences.as_deref()) {
        lines.extend(table_line(name, rows, operations));
    }
    if let Some(first) = lost_from(report) {
        let why = report.lost.as_ref().map_or("it is not there", |(_, why)| why);
        lines.push(format!("  LOST: what was logged from generation {first:#x} on: {why}"));
    }
    lines.extend(problems.iter().map(|error| format!("  PROBLEM {}", with_advice(error))));
    lines.extend(aside_lines(&database.aside));
    lines
}

/// What became of a table; nothing where nothing did.
fn table_line(name: &str, rows: Option<DiffCounts>, operations: TreeChanges) -> Option<String> {
    let TreeChanges { added, changed, removed } = operations;
    let operations = added + changed + removed;
    let by = text::counted(operations, "operation");
    match rows {
        Some(rows) if operations + rows.added + rows.changed + rows.removed == 0 => None,
        Some(rows) => Some(format!(
            "  {name}: {} added, {} changed, {} removed ({by} of the log)",
            text::counted(rows.added, "row"),
            text::count(rows.changed),
            text::count(rows.removed),
        )),
        None => Some(format!("  {name}: {by} of the log; the rows before cannot be read")),
    }
}

fn aside_lines(aside: &[LeftAside]) -> Vec<String> {
    let line = |file: &LeftAside| {
        let (path, generation) = (file.path.display(), file.generation.0);
        format!("  left aside: {path} (generation {generation:#x}): {}", file.why)
    };
    aside.iter().map(line).collect()
}

/// `--dry-run`.
pub(super) fn plan(context: &Context, args: &args::Recover) -> Outcome {
    let left = || "nothing was changed".to_owned();
    let CopiesPlan { databases, unreadable } = context
        .interrupt()
        .stoppable(left, |stop| plan_recovery(&context.env, &request(args), stop))?;
    let told = json!({
        "path": args.dir.to_string_lossy(),
        "databases": databases.iter().map(plan_json).collect::<Vec<_>>(),
        "unreadable": unreadable.iter().map(error_json).collect::<Vec<_>>(),
    });
    write_report(context, args, &told)?;
    let ends = databases.iter().filter_map(|plan| Some(plan.needs?.last));
    remark_end(context, args, ends.max().map(|last| LgPos::new(last.0, u16::MAX, u16::MAX)));
    let mut output = Output::new();
    if context.json {
        output.json(&told)?;
    } else {
        for plan in &databases {
            for line in plan_lines(plan) {
                output.line(&line)?;
            }
        }
        unreadable_lines(&mut output, &unreadable)?;
    }
    output.flush()?;
    let possible = databases.iter().all(|plan| plan.refused.is_none());
    if possible && unreadable.is_empty() { Ok(()) } else { Err(Failure::Problems) }
}

fn plan_json(plan: &DatabasePlan) -> Value {
    let first = plan.needs.map(|needs| needs.from.generation.0);
    let last = plan.needs.map(|needs| needs.last.0);
    json!({
        "source": plan.source.as_ref().map(|path| path.to_string_lossy()),
        "signature": plan.sign_db.to_string(),
        "log_signature": plan.sign_log.to_string(),
        "state": plan.state.map(|state| state.to_string()),
        "from": plan.needs.map(|needs| needs.from.to_string()),
        "gen_low": first,
        "gen_high": last,
        // As they were called here before.
        "first_generation": first,
        "last_generation": last,
        "required": plan.needs.map(|needs| needs.required).filter(|(_, last)| last.0 > 0)
            .map(|(first, last)| [first.0, last.0]),
        "files": plan.files.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
        "missing": plan.missing.iter().map(|generation| generation.0).collect::<Vec<_>>(),
        "log_bytes": plan.log_bytes,
        "left_aside": aside_json(&plan.aside),
        "possible": plan.refused.is_none(),
        "error": plan.refused.as_ref().map(error_json),
    })
}

fn plan_lines(plan: &DatabasePlan) -> Vec<String> {
    let name = match (&plan.source, plan.state) {
        (Some(source), Some(state)) => format!("{} ({state})", source.display()),
        _ => format!("database {}, out of its log", plan.sign_db),
    };
    let mut lines = Vec::new();
    if let Some(needs) = plan.needs.filter(|needs| needs.from.generation > needs.last) {
        lines.push(match needs.last.0 {
            0 => format!("{name}: needs no log, and there is none"),
            last => format!("{name}: needs no log; those here end with generation {last:#x}"),
        });
    } else if let Some(needs) = plan.needs {
        // What it must have, and what else was logged since.
        let must = needs.required.1.0.max(needs.committed.0);
        let last = if must > 0 { must } else { needs.last.0 };
        let more = match needs.last.0 > last {
            true => format!(", the log goes on to {:#x}", needs.last.0),
            false => String::new(),
        };
        let present = match plan.missing.len() {
            0 => format!("all present{more}, {} to replay", text::bytes(plan.log_bytes)),
            _ => format!("missing: {}{more}", generations(plan)),
        };
        let first = needs.from.generation.0;
        lines.push(format!("{name}: needs generations {first:#x}..{last:#x}, {present}"));
    } else {
        lines.push(format!("{name}: cannot be recovered"));
    }
    if let Some(error) = &plan.refused {
        lines.push(format!("PROBLEM {}", with_advice(error)));
    }
    lines.extend(aside_lines(&plan.aside));
    lines
}

fn generations(plan: &DatabasePlan) -> String {
    const SHOWN_MAX: usize = 8;
    let shown =
        plan.missing.iter().take(SHOWN_MAX).map(|generation| format!("{:#x}", generation.0));
    let mut shown = shown.collect::<Vec<_>>().join(", ");
    if plan.missing.len() > SHOWN_MAX {
        shown.push_str(", ...");
    }
    shown
}
