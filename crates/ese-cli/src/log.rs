//! `ese log PATH`: the logs of a directory, what follows what; and what the records say.

use std::io::Write as _;

use ese_api::{
    ChainLink, Error, JetErr, LogChain, LogPicture, PageFilter, each_log_record, is_written_alike,
    look_at_logs,
};
use ese_base::{DbTime, Dbid, Hex, Pgno};
use ese_log::Entry;
use serde_json::{Value, json};

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome, error_json, with_advice},
    info_other,
    output::Output,
    text,
};

pub(crate) fn run(context: &Context, args: &args::Log) -> Outcome {
    let mut output = Output::new();
    let wanted = args.records || args.page.is_some();
    let outcome = if wanted || args.check_roundtrip {
        records(context, args, &mut output)
    } else if context.env.fs.list(&args.path).is_ok() {
        chains(context, args, &look_at_logs(&context.env, &args.path)?, &mut output)
    } else {
        one(context, args, &mut output)
    };
    output.flush()?;
    outcome
}

/// The header of one file.
fn one(context: &Context, args: &args::Log, output: &mut Output) -> Outcome {
    let Some(described) = info_other::describe(&context.env, &args.path)? else {
        return Err(Error::new(JetErr::FileInvalidType, "this is no log")
            .at_path(&args.path)
            .advise("name a log file, or the directory that holds the logs")
            .into());
    };
    described.print(context, output)
}

fn chains(
    context: &Context,
    args: &args::Log,
    picture: &LogPicture,
    output: &mut Output,
) -> Outcome {
    if picture.chains.is_empty() && picture.unreadable.is_empty() {
        return Err(Error::new(JetErr::FileNotFound, "no log is here")
            .at_path(&args.path)
            .advise("name a log file, or the directory that holds the logs")
            .into());
    }
    for chain in &picture.chains {
        if context.json {
            output.json(&chain_json(chain))?;
        } else {
            chain_lines(chain, output)?;
        }
    }
    for error in &picture.unreadable {
        if context.json {
            output.json(&json!({ "unreadable": error_json(error) }))?;
        } else {
            output.line(&format!("PROBLEM {error}"))?;
        }
    }
    let sized = picture.chains.iter().flat_map(|chain| &chain.links).all(has_its_size);
    let whole = picture.chains.iter().all(LogChain::is_whole) && picture.unreadable.is_empty();
    if whole && sized { Ok(()) } else { Err(Failure::Problems) }
}

fn chain_lines(chain: &LogChain, output: &mut Output) -> Outcome {
    output.line(&format!("stream {}", chain.signature))?;
    let widest = chain.links.iter().map(|link| name_of(&link.file).chars().count()).max();
    let width = widest.unwrap_or(0);
    for link in &chain.links {
        let header = &link.header;
        let databases = header.attachments.iter().map(|a| a.path.as_str()).collect::<Vec<_>>();
        output.line(
            format!(
                "  {:>8}  {:<width$}  {:<10}  {:<10}  format {}  begun {}  {}",
                format!("{:#x}", header.generation.0),
                name_of(&link.file),
                link.role.to_string(),
                link.link.to_string(),
                header.version,
                header.created,
                databases.join(", "),
            )
            .trim_end(),
        )?;
        if !has_its_size(link) {
            let what = format!(
                "            PROBLEM: {}, its header says {}",
                text::counted(link.file.len, "byte"),
                text::count(header.file_len())
            );
            output.line(&what)?;
        }
    }
    Ok(())
}

fn has_its_size(link: &ChainLink) -> bool {
    link.header.file_len() == link.file.len
}

fn name_of(file: &ese_log::LogFile) -> String {
    file.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn chain_json(chain: &LogChain) -> Value {
    let links = chain.links.iter().map(|link| {
        let mut log = info_other::log_json(&link.file, &link.header);
        if let Some(log) = log.as_object_mut() {
            log.insert("role".to_owned(), link.role.to_string().into());
            log.insert("link".to_owned(), link.link.to_string().into());
        }
        log
    });
    json!({ "stream": chain.signature, "whole": chain.is_whole(), "logs": links.collect::<Vec<_>>() })
}

/// What is said of the records at the end.
#[derive(Default)]
struct Tally {
    records: u64,
    shown: u64,
    differing: u64,
}

fn records(context: &Context, args: &args::Log, output: &mut Output) -> Outcome {
    let filter = args.page.map(|page| PageFilter { pgno: Pgno(page), dbid: args.dbid.map(Dbid) });
    let (mut tally, mut bytes, mut broken) = (Tally::default(), Vec::new(), None);
    let mut visit = |entry: &Entry<'_>| {
        tally.records += 1;
        let alike = !args.check_roundtrip || is_written_alike(entry, &mut bytes)?;
        tally.differing += u64::from(!alike);
        let shown = if alike {
            (args.records || filter.is_some()) && filter.is_none_or(|filter| filter.takes(entry))
        } else {
            true
        };
        if !shown {
            return Ok(());
        }
        tally.shown += 1;
        let otherwise = (!alike).then_some(bytes.as_slice());
        print(context, filter, entry, otherwise, output).map_err(|failure| {
            broken = Some(failure);
            Error::new(JetErr::DiskIO, "standard output cannot be written")
        })
    };
    let left = || "not all records were read".to_owned();
    let visited = context
        .interrupt()
        .stoppable(left, |stop| each_log_record(&context.env, &args.path, stop, &mut visit));
    if let Some(failure) = broken {
        return Err(failure);
    }
    let problems = visited?;
    if args.check_roundtrip {
        let Tally { records, differing, .. } = tally;
        if context.json {
            output.json(&json!({ "records": records, "differing": differing }))?;
        } else {
            let records = text::counted(records, "record");
            output.line(&match differing {
                0 => format!("{records}: each would be written byte for byte as it is"),
                _ => format!("{records}: {} would be written otherwise", text::count(differing)),
            })?;
        }
    }
    output.flush()?;
    tell_problems(context, &problems);
    if tally.differing == 0 && problems.is_empty() { Ok(()) } else { Err(Failure::Problems) }
}

/// What was gone around. Beside the records, of which somebody may make something else.
fn tell_problems(context: &Context, problems: &[Error]) {
    let mut stderr = std::io::stderr().lock();
    for error in problems {
        let line = match context.json {
            true => json!({ "problem": error_json(error) }).to_string(),
            false => format!("PROBLEM {}", text::printable(&with_advice(error))),
        };
        // Nothing depends on it being seen; the exit code says it, too.
        drop(writeln!(stderr, "{line}"));
    }
}

/// One record; `otherwise`: how we would write it, where that differs.
fn print(
    context: &Context,
    filter: Option<PageFilter>,
    entry: &Entry<'_>,
    otherwise: Option<&[u8]>,
    output: &mut Output,
) -> Outcome {
    let record = &entry.record;
    let mine = |pgno: Pgno| filter.is_none_or(|filter| filter.pgno == pgno);
    let pages: Vec<_> = record.pages().filter(|(_, pgno, _, _)| mine(*pgno)).collect();
    if context.json {
        let page = |(dbid, pgno, before, after): &(Dbid, Pgno, DbTime, DbTime)| {
            let before = (*before != DbTime::NOT_CHECKED).then_some(before.0);
            json!({ "dbid": dbid.0, "page": pgno.0, "before": before, "after": after.0 })
        };
        output.json(&json!({
            "pos": entry.pos.to_string(), "len": entry.bytes.len(), "type": record.number(),
            "name": record.name(), "session": record.procid().map(|procid| procid.0),
            "time": entry.time.to_string(), "pages": pages.iter().map(page).collect::<Vec<_>>(),
            "text": record.describe(), "otherwise": otherwise.map(|it| Hex(it).to_string()),
        }))?;
        return Ok(());
    }
    let mut line = format!("{} {:>6} {}", entry.pos, entry.bytes.len(), record.describe());
    if filter.is_some() {
        for (_, pgno, before, after) in pages {
            line += &if before == DbTime::NOT_CHECKED {
                format!("  [page {pgno} new at {after}]")
            } else {
                format!("  [page {pgno} from {before} to {after}]")
            };
        }
    }
    output.line(&line)?;
    if let Some(bytes) = otherwise {
        output.line(&format!("  stored    {}", Hex(entry.bytes)))?;
        output.line(&format!("  otherwise {}", Hex(bytes)))?;
    }
    Ok(())
}
