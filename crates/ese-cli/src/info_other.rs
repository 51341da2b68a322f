//! `ese info` of the other files of the engine: logs, checkpoints, flush maps.

use std::path::Path;

use ese_api::{Env, FileKind, kind_of_file, verify_flush_map};
use ese_log::{Attachment, Checkpoint, LogFile, LogHeader, read_checkpoint};
use ese_os::OpenMode;
use serde_json::{Value, json};

use crate::{context::Context, failure::Outcome, output::Output, text};

/// A file that is no database: its lines, and the same for programs.
pub(crate) struct Described {
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) json: Value,
}

impl Described {
    pub(crate) fn print(&self, context: &Context, output: &mut Output) -> Outcome {
        if context.json {
            return Ok(output.json(&self.json)?);
        }
        for (name, value) in &self.lines {
            output.line(format!("{name:<20} {value}").trim_end())?;
        }
        Ok(())
    }
}

/// Describes a file of another type; `None` if it is none of them.
pub(crate) fn describe(env: &Env, path: &Path) -> Outcome<Option<Described>> {
    let len = env.fs.open(path, OpenMode::Read)?.len()?;
    Ok(match kind_of_file(env, path)? {
        // The first copy of a checkpoint may be torn; the second one may be good.
        Some(FileKind::Checkpoint) => Some(checkpoint(path, &read_checkpoint(env, path, None)?)),
        Some(FileKind::Log) => Some(log(&LogFile::read(env, path.to_path_buf())?)?),
        Some(FileKind::FlushMap) => {
            verify_flush_map(env, path)?;
            let remark =
                "belongs to the database beside it; nobody needs it, the engine makes it anew";
            Some(without_data(path, FileKind::FlushMap, len, remark))
        }
        Some(FileKind::Reserve) => {
            let remark = "room for a log, should the disk be full; what is in it means nothing";
            Some(without_data(path, FileKind::Reserve, len, remark))
        }
        Some(FileKind::Prepared) => {
            let remark = "the next log, made in advance; nothing is in it";
            Some(without_data(path, FileKind::Prepared, len, remark))
        }
        Some(FileKind::Lock) => {
            let remark = "a running instance holds it; nothing is in it";
            Some(without_data(path, FileKind::Lock, len, remark))
        }
        Some(FileKind::Archive) => {
            let remark = "`ese verify-backup` says whether it can be restored";
            Some(without_data(path, FileKind::Archive, len, remark))
        }
        None => None,
    })
}

fn log(file: &LogFile) -> Outcome<Described> {
    let header = file.header()?;
    let expected = header.file_len();
    let mut lines = vec![
        line("file", file.path.display()),
        line("kind", "log"),
        line("generation", format!("{0} ({0:#x})", header.generation.0)),
        line("format", header.version),
        line("created", header.created),
        line("previous created", header.previous_created),
        line("log signature", header.signature),
        line("page size", text::bytes(header.page_size.bytes_u64())),
        line(
            "size",
            format!(
                "{} ({} sectors of {})",
                text::bytes(file.len),
                header.sectors,
                header.sector_len
            ),
        ),
        line("flags", format!("{:#x} ({})", header.flags.bits(), flags(header))),
        line("checkpoint", header.checkpoint),
        line("checksum of previous", format!("{:016x}", header.previous_checksum)),
        line("engine format", header.engine_format),
        line("system path", header.params.system_path_text()),
        line("log path", header.params.log_path_text()),
    ];
    if expected != file.len {
        lines.push(line("wrong size", format!("the header says {expected} bytes")));
    }
    lines.extend(header.attachments.iter().map(attached));
    let json = log_json(file, header);
    Ok(Described { lines, json })
}

fn flags(header: &LogHeader) -> String {
    let names =
        [(1, "from a reserve log"), (2, "circular logging"), (4, "circular logging before")];
    let set = names.iter().filter(|(bit, _)| header.flags.bits() & bit != 0);
    let set: Vec<&str> = set.map(|(_, name)| *name).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(", ") }
}

/// A log's header for programs.
pub(crate) fn log_json(file: &LogFile, header: &LogHeader) -> Value {
    json!({
        "file": file.path.to_string_lossy(), "kind": "log",
        "generation": header.generation.0, "version": header.version.to_string(),
        "created": header.created.to_string(),
        "previous_created": header.previous_created.to_string(),
        "log_signature": header.signature.to_string(),
        "page_size": header.page_size.bytes(), "len": file.len,
        "expected_len": header.file_len(), "sector_size": header.sector_len,
        "sectors": header.sectors, "flags": header.flags.bits(),
        "checkpoint": header.checkpoint.to_string(),
        "previous_checksum": format!("{:016x}", header.previous_checksum),
        "engine_format": header.engine_format,
        "attachments": header.attachments.iter().map(attachment_json).collect::<Vec<_>>(),
    })
}

fn checkpoint(path: &Path, checkpoint: &Checkpoint) -> Described {
    let Checkpoint { full_backup, incremental_backup, .. } = checkpoint;
    let mut lines = vec![
        line("file", path.display()),
        line("kind", "checkpoint"),
        line("checkpoint", checkpoint.checkpoint),
        line("consistent from", checkpoint.db_consistency),
        line("log signature", checkpoint.signature),
        line("checkpoint of last full backup", checkpoint.last_full_backup_checkpoint),
        line("last full backup", format!("{} {}", full_backup.0, full_backup.1)),
        line(
            "last incremental backup",
            format!("{} {}", incremental_backup.0, incremental_backup.1),
        ),
        line("system path", checkpoint.params.system_path_text()),
        line("log path", checkpoint.params.log_path_text()),
    ];
    lines.extend(checkpoint.attachments.iter().map(attached));
    let json = json!({
        "file": path.to_string_lossy(), "kind": "checkpoint",
        "checkpoint": checkpoint.checkpoint.to_string(),
        "consistent_from": checkpoint.db_consistency.to_string(),
        "log_signature": checkpoint.signature.to_string(),
        "attachments": checkpoint.attachments.iter().map(attachment_json).collect::<Vec<_>>(),
    });
    Described { lines, json }
}

/// A file in which nothing stands that anybody needs.
fn without_data(path: &Path, kind: FileKind, len: u64, remark: &str) -> Described {
    let lines = vec![
        line("file", path.display()),
        line("kind", kind),
        line("size", text::bytes(len)),
        line("remark", remark),
    ];
    let json = json!({ "file": path.to_string_lossy(), "kind": kind.to_string(), "len": len });
    Described { lines, json }
}

fn line(name: &str, value: impl std::fmt::Display) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn attached(attachment: &Attachment) -> (String, String) {
    let Attachment {
        dbid, dbtime, objid_last, lgpos_attach, lgpos_consistent, sign_db, path, ..
    } = attachment;
    let what = format!(
        "{path}, signature {sign_db}, dbtime {dbtime}, last object {objid_last}, attached \
         {lgpos_attach}, consistent {lgpos_consistent}"
    );
    (format!("database {dbid}"), what)
}

fn attachment_json(attachment: &Attachment) -> Value {
    json!({
        "dbid": attachment.dbid.0, "path": attachment.path,
        "database_signature": attachment.sign_db.to_string(),
        "dbtime": attachment.dbtime.0, "last_objid": attachment.objid_last.0,
        "attached": attachment.lgpos_attach.to_string(),
        "consistent": attachment.lgpos_consistent.to_string(),
    })
}
