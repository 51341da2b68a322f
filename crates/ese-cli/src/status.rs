//! `ese status DIR`: what the instance that has a log directory says of itself, or what one said
//! that is gone.

use std::time::Duration;

use ese_engine::instance::{OldestTransaction, Status, Told, read_status};
use serde_json::{Value, json};

use crate::{args, context::Context, failure::Outcome, output::Output, text};

pub(crate) fn run(context: &Context, args: &args::Status) -> Outcome {
    // A directory that is not there is wrong, not idle.
    context.env.fs.list(&args.dir)?;
    let told = read_status(&context.env, &args.dir, &args.base)?;
    let now = context.env.clock.unix_ms();
    let mut output = Output::new();
    if context.json {
        output.json(&as_json(&told, now))?;
    } else {
        for (name, value) in as_lines(&told, now) {
            output.line(&format!("{name:<20} {value}"))?;
        }
    }
    Ok(output.flush()?)
}

fn age(status: &Status, now: u64) -> Duration {
    Duration::from_millis(now.saturating_sub(status.written_ms))
}

fn as_lines(told: &Told, now: u64) -> Vec<(&'static str, String)> {
    let state = match told {
        Told { running: true, status: Some(status) } => {
            format!("running, process {}", status.process)
        }
        Told { running: true, status: None } => "running, has said nothing yet".to_owned(),
        Told { running: false, status: None } => "no instance is running here".to_owned(),
        Told { running: false, status: Some(status) } => {
            let process = status.process;
            format!("no instance is running here; process {process} ended without an end")
        }
    };
    let mut lines = vec![("instance", state)];
    let Some(status) = &told.status else { return lines };
    lines.push(("said", format!("{} ago", text::time(age(status, now)))));
    let (used, most) = (status.bytes, status.bytes_max);
    let part = text::percent(used, most);
    lines.push(("sessions", text::count(status.sessions)));
    lines.push(("versions", text::count(status.versions)));
    lines.push((
        "version memory",
        format!("{} of {} ({part} %)", text::bytes(used), text::bytes(most)),
    ));
    lines.push(("oldest transaction", status.oldest.as_ref().map_or("none".to_owned(), one_line)));
    lines
}

fn one_line(oldest: &OldestTransaction) -> String {
    let OldestTransaction { session, level, age, log_position, began_at } = oldest;
    let mut line = format!("session {session}, level {level}, open for {}", text::time(*age));
    if let Some(place) = began_at {
        line.push_str(&format!(", begun at {place}"));
    }
    match log_position {
        Some(position) => line.push_str(&format!(", log position {position}")),
        None => line.push_str(", has changed nothing"),
    }
    line
}

fn as_json(told: &Told, now: u64) -> Value {
    let of = |status: &Status| {
        let oldest = status.oldest.as_ref().map(|oldest| {
            json!({
                "session": oldest.session, "level": oldest.level,
                "age_ms": u64::try_from(oldest.age.as_millis()).unwrap_or(u64::MAX),
                "log_position": oldest.log_position, "began_at": oldest.began_at,
            })
        });
        json!({
            "process": status.process,
            "written_ms": status.written_ms,
            "said_ms_ago": now.saturating_sub(status.written_ms),
            "sessions": status.sessions,
            "versions": status.versions,
            "bytes": status.bytes,
            "bytes_max": status.bytes_max,
            "oldest": oldest,
        })
    };
    json!({ "running": told.running, "status": told.status.as_ref().map(of) })
}
