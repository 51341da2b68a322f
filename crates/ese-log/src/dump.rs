//! A log file as text, for people.

use std::path::Path;

use ese_base::Result;
use ese_os::Env;

use crate::{LogFile, LogHeader, StreamReader};

/// Writes one log file as lines: its header, its attachments, and each record with position and
/// length. A damaged tail ends the records; damage is the returned error, after the lines before
/// it.
///
/// # Errors
/// As [`StreamReader::next`]; whatever `line` answers.
pub fn dump_file(env: &Env, path: &Path, line: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let file = LogFile::read(env, path.to_path_buf())?;
    for text in describe_header(file.header()?) {
        line(&text)?;
    }
    let mut reader = StreamReader::of_file(env, &file);
    while let Some(entry) = reader.next()? {
        let len = entry.record.encoded_len()?;
        line(&format!("{} {len:>6} {}", entry.pos, entry.record.describe()))?;
    }
    line(&format!("{} end", reader.position()))
}

/// A header as lines: the file, then each attached database.
#[must_use]
pub fn describe_header(header: &LogHeader) -> Vec<String> {
    let mut lines = vec![format!(
        "generation {:#x} format {} created {} previous {} stream {} sectors {} of {} pages of {} \
         flags {:#x} checkpoint {} checksum of previous {:016x}",
        header.generation.0,
        header.version,
        header.created,
        header.previous_created,
        header.signature,
        header.sectors,
        header.sector_len,
        header.page_size,
        header.flags.bits(),
        header.checkpoint,
        header.previous_checksum,
    )];
    lines.extend(header.attachments.iter().map(|a| {
        format!(
            "attached dbid {} dbtime {} objid {} attach {} consistent {} signature {} {}",
            a.dbid, a.dbtime, a.objid_last, a.lgpos_attach, a.lgpos_consistent, a.sign_db, a.path
        )
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Log, testing::*};

    #[test]
    fn a_file_is_dumped_line_by_line() {
        let (env, _) = machine(1);
        let log = Log::create(&env, &config(), signature()).unwrap();
        append(&log, 0, 3).unwrap();
        append(&log, 1, 5000).unwrap();
        log.flush_all().unwrap();
        let mut lines = Vec::new();
        dump_file(&env, &config().names.current(), &mut |line| {
            lines.push(line.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[0].starts_with("generation 0x1 format 8.4000.5.16 created 2020-01-01T"));
        assert_eq!(lines[1], "000001,0001,0000      8 Trace procid=1 \"0:a\"");
        assert!(lines[2].starts_with("000001,0001,0030   5005 Trace procid=1 \"1:bbb"));
        assert_eq!(lines[3], "000001,0002,03EF end");
    }
}
