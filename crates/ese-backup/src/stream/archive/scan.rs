//! Finding the manifest of an archive that is a file, without reading its data.

use std::path::Path;

use ese_base::{Error, JetErr, Result};
use ese_os::{Env, OpenMode};

use super::{FrameHead, HEAD_LEN, Kind, MANIFEST_LEN_MAX};
use crate::stream::Manifest;

/// The manifest of an archive. Only the heads of its frames are looked at, so this tells that the
/// archive is complete, not that it is sound.
///
/// # Errors
/// `JET_errFileInvalidType` (-1812) if the file is no archive; `JET_errFileIOBeyondEOF` (-4001) if
/// it ends before its manifest; `JET_errReadVerifyFailure` (-1018) for a damaged frame; the file
/// system's.
pub fn read_archive_manifest(env: &Env, path: &Path) -> Result<Manifest> {
    let file = env.fs.open(path, OpenMode::Read)?;
    let len = file.len()?;
    let (mut at, mut number) = (0, 0);
    loop {
        let cut_off = || {
            Error::new(JetErr::FileIOBeyondEOF, format!("the archive ends in frame {number}"))
                .at_path(path)
                .advise("the backup did not finish, or the archive was cut off")
        };
        let damaged = |what: &str| {
            let code =
                if number == 0 { JetErr::FileInvalidType } else { JetErr::ReadVerifyFailure };
            Error::new(code, format!("frame {number}: {what}"))
                .at_path(path)
                .advise("this is no archive of a backup, or a damaged one")
        };
        if at + HEAD_LEN as u64 > len {
            return Err(cut_off());
        }
        let mut head = [0; HEAD_LEN];
        file.read_at(&mut head, at)?;
        let head = FrameHead::decode(&head).map_err(damaged)?;
        if head.number != number || (head.kind == Kind::Start) != (number == 0) {
            return Err(damaged("out of order"));
        }
        at += HEAD_LEN as u64;
        let end = at + u64::from(head.len);
        if end > len {
            return Err(cut_off());
        }
        if head.kind == Kind::Manifest {
            if end != len || head.len > MANIFEST_LEN_MAX {
                return Err(damaged("something follows the manifest, or it is too long"));
            }
            let mut text = vec![0; usize::try_from(head.len).unwrap_or(0)];
            file.read_at(&mut text, at)?;
            return Manifest::from_text(&text).map_err(|what| damaged(&what));
        }
        (at, number) = (end, number + 1);
    }
}
