//! `ese info FILE`: what a header says. Works on any database, clean or not, and on logs,
//! checkpoints and flush maps.

use std::path::Path;

use ese_api::Env;
use ese_base::{BkInfo, JetErr};
use ese_os::{LockMode, OpenMode};
use ese_pages::{
    DbHeader,
    checksum::verify_header,
    header::{HeaderCopy, Located, contradiction, read_header},
};
use serde_json::json;

use crate::{
    args, context::Context, failure::Outcome, info_other, info_terms, output::Output, text,
};

pub(crate) fn run(context: &Context, args: &args::Info) -> Outcome {
    let file = context.env.fs.open(&args.file, OpenMode::Read)?;
    let len = file.len()?;
    let mut output = Output::new();
    let located = match read_header(file.as_ref()) {
        Ok(located) => located,
        Err(error) => {
            // A checkpoint whose first copy is torn is known by its name alone.
            let other = match error.code() {
                JetErr::FileInvalidType | JetErr::DatabaseCorrupted => {
                    info_other::describe(&context.env, &args.file)?
                }
                _ => None,
            };
            let Some(other) = other else { return Err(error.at_path(&args.file).into()) };
            other.print(context, &mut output)?;
            return Ok(output.flush()?);
        }
    };
    let copies = [0, located.page_size.bytes_u64()].map(|offset| {
        let mut page = vec![0; located.page_size.bytes()];
        let whole = file.read_at(&mut page, offset).is_ok() && verify_header(&page);
        whole.then(|| DbHeader::from_page(&page).ok()).flatten()
    });
    let contradiction = contradiction(file.as_ref(), &located)?;
    drop(file);
    let in_use = is_in_use(&context.env, &args.file)?;
    if context.json {
        let mut json = as_json(&args.file, len, &located, in_use);
        if let Some(json) = json.as_object_mut() {
            let fields = |header: &DbHeader| -> serde_json::Map<String, serde_json::Value> {
                let terms = info_terms::terms(header).into_iter();
                terms.map(|(name, value)| (name.to_owned(), value.into())).collect()
            };
            let copies = copies.iter().map(|copy| copy.as_ref().map(fields));
            json.insert("headers".to_owned(), json!(copies.collect::<Vec<_>>()));
            json.insert("header_contradiction".to_owned(), json!(contradiction));
        }
        output.json(&json)?;
    } else {
        let mut lines = as_lines(&args.file, len, &located, in_use);
        if let Some(differing) = contradiction {
            lines.retain(|(name, _)| *name != "header");
            let what = format!("PROBLEM: the two copies are of different databases: {differing}");
            lines.push(("header", what));
        }
        for (name, value) in lines {
            output.line(&format!("{name:<20} {value}"))?;
        }
        in_terms(&located, &copies, &mut output)?;
    }
    Ok(output.flush()?)
}

/// Every field by esentutl's names; where the two copies differ, what the other one says.
fn in_terms(
    located: &Located,
    [first, second]: &[Option<DbHeader>; 2],
    output: &mut Output,
) -> Outcome {
    output.line("")?;
    output.line("as esentutl /mh names it:")?;
    let other = match located.copy {
        HeaderCopy::Both => None,
        HeaderCopy::Primary => second.as_ref(),
        HeaderCopy::Shadow => first.as_ref(),
    };
    let others = other.map(info_terms::terms).unwrap_or_default();
    for (at, (name, value)) in info_terms::terms(&located.header).into_iter().enumerate() {
        output.line(&format!("{name:>32}: {value}"))?;
        if let Some((_, other)) = others.get(at)
            && *other != value
        {
            output.line(&format!("{:>32}: {other}", "(other copy)"))?;
        }
    }
    Ok(())
}

/// Does somebody hold the file for writing?
fn is_in_use(env: &Env, path: &Path) -> Outcome<bool> {
    Ok(env.fs.open(path, OpenMode::Read)?.lock(LockMode::Shared).is_err())
}

/// Pages behind the two headers.
fn pages(len: u64, located: &Located) -> u64 {
    (len / located.page_size.bytes_u64()).saturating_sub(2)
}

fn as_lines(path: &Path, len: u64, located: &Located, in_use: bool) -> Vec<(&'static str, String)> {
    let Located { header, page_size, copy } = located;
    let mut lines = vec![
        ("file", path.display().to_string()),
        ("state", header.state().to_string()),
        ("format", format!("{:#x}, update {}", header.version.get(), header.update_major.get())),
        ("page size", text::bytes(page_size.bytes_u64())),
        ("size", format!("{} ({} pages)", text::bytes(len), text::count(pages(len, located)))),
        ("database signature", header.sign_db.to_string()),
        (
            "log signature",
            if header.sign_log.is_null() {
                "none: never attached with a log".to_owned()
            } else {
                header.sign_log.to_string()
            },
        ),
        ("database time", format!("{:#x}", header.dbtime().0)),
        ("last object id", header.last_objid().to_string()),
    ];
    let (first, last) = header.required();
    if first.0 != 0 || last.0 != 0 {
        lines.push(("logs required", format!("{:#x} to {:#x}", first.0, last.0)));
    }
    if header.committed().0 != 0 {
        lines.push(("logs committed", format!("to {:#x}", header.committed().0)));
    }
    lines.push(("last attached", header.logtime_attach.to_string()));
    lines.push(("last detached", header.logtime_detach.to_string()));
    lines.push(("last full backup", backup_line(&header.bkinfo_full_prev)));
    // One that left the logs where they were.
    lines.push(("last copy backup", backup_line(&header.bkinfo_copy_prev)));
    if header.is_backup_copy() {
        lines.push(("backup copy", "yes: restore it together with its logs".to_owned()));
    }
    match copy {
        HeaderCopy::Both => {}
        HeaderCopy::Primary => {
            lines.push(("header", "the second copy is damaged or older".to_owned()));
        }
        HeaderCopy::Shadow => {
            lines.push(("header", "the first copy is damaged; this is the second".to_owned()));
        }
    }
    if in_use {
        lines.push(("in use", "yes: a running instance has the file".to_owned()));
    }
    lines
}

fn backup_line(backup: &BkInfo) -> String {
    match backup.gen_high.get() {
        0 => "never".to_owned(),
        high => format!(
            "{}, log generations {:#x} to {high:#x}",
            backup.logtime_mark,
            backup.gen_low.get()
        ),
    }
}

fn backup_json(backup: &BkInfo) -> serde_json::Value {
    match backup.gen_high.get() {
        0 => serde_json::Value::Null,
        high => json!({
            "time": backup.logtime_mark.to_string(), "gen_low": backup.gen_low.get(),
            "gen_high": high,
        }),
    }
}

fn as_json(path: &Path, len: u64, located: &Located, in_use: bool) -> serde_json::Value {
    let Located { header, page_size, copy } = located;
    let (first, last) = header.required();
    json!({
        "file": path.to_string_lossy(),
        "state": header.state().to_string(),
        "version": header.version.get(),
        "update": header.update_major.get(),
        "page_size": page_size.bytes(),
        "len": len,
        "pages": pages(len, located),
        "database_signature": header.sign_db.to_string(),
        "log_signature": (!header.sign_log.is_null()).then(|| header.sign_log.to_string()),
        "dbtime": header.dbtime().0,
        "last_objid": header.last_objid().0,
        "gen_min_required": first.0,
        "gen_max_required": last.0,
        "gen_max_committed": header.committed().0,
        "attached": header.logtime_attach.to_string(),
        "detached": header.logtime_detach.to_string(),
        "full_backup": backup_json(&header.bkinfo_full_prev),
        "copy_backup": backup_json(&header.bkinfo_copy_prev),
        "backup_copy": header.is_backup_copy(),
        "header_copies": match copy {
            HeaderCopy::Both => "both",
            HeaderCopy::Primary => "first",
            HeaderCopy::Shadow => "second",
        },
        "in_use": in_use,
    })
}
