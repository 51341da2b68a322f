//! The header of a log, in callers' structures.

use std::path::Path;

use ese_api::jet::{self, JET_LogInfoMisc, JET_LogInfoMisc2};
use ese_base::{LeLgPos, Result};

use crate::{
    boundary::{About, text_exports},
    facts::wrong_size,
    ptr::{Bytes, Plain, Str, bytes, len},
    types::{JET_LOGINFOMISC2, JET_LOGINFOMISC3},
};

text_exports! {
    fn JetGetLogFileInfo JetGetLogFileInfoA | JetGetLogFileInfoW(
        szLog: Str<C>, pvResult: Bytes, cbMax: u32, InfoLevel: u32
    ) about About::Process => {
        pvResult.cast::<u8>().required()?;
        let path = szLog.path()?;
        let header = jet::JetGetLogFileInfo(Path::new(&path), InfoLevel)?;
        let cbFile = u32::from(header.sectors) * u32::from(header.sector_len);
        let old = JET_LOGINFOMISC2 {
            ulGeneration: header.generation.0,
            signLog: header.signature,
            logtimeCreate: header.created,
            logtimePreviousGeneration: header.previous_created,
            ulFlags: u32::from(header.flags.bits()),
            ulVersionMajor: header.version.major,
            ulVersionMinor: header.version.minor,
            ulVersionUpdate: header.version.update_major,
            cbSectorSize: u32::from(header.sector_len),
            cbHeader: u32::from(header.header_sectors) * u32::from(header.sector_len),
            cbFile,
            cbDatabasePageSize: len(header.page_size.bytes()),
            lgposCheckpoint: LeLgPos::from(header.checkpoint),
        };
        match InfoLevel {
            // The first structure is the beginning of the second.
            JET_LogInfoMisc => put(pvResult, cbMax, 80, old),
            JET_LogInfoMisc2 => put(pvResult, cbMax, 88, old),
            _ => put(pvResult, cbMax, 104, JET_LOGINFOMISC3 {
                ulGeneration: old.ulGeneration,
                signLog: old.signLog,
                logtimeCreate: old.logtimeCreate,
                logtimePreviousGeneration: old.logtimePreviousGeneration,
                ulFlags: old.ulFlags,
                ulVersionMajor: old.ulVersionMajor,
                ulVersionUpdateMajor: header.version.update_major,
                ulVersionUpdateMinor: header.version.update_minor,
                cbSectorSize: old.cbSectorSize,
                cbHeader: old.cbHeader,
                cbFile,
                cbDatabasePageSize: old.cbDatabasePageSize,
                lgposCheckpoint: old.lgposCheckpoint,
                ulVersionMinorDeprecated: header.version.minor,
                checksumPrevLogAllSegments: header.previous_checksum,
            }),
        }
    }
}

fn put<T: Plain>(to: Bytes, cb: u32, wanted: u32, value: T) -> Result<()> {
    if bytes(cb) < bytes(wanted) {
        return Err(wrong_size(cb, &wanted.to_string()));
    }
    to.cast().write_part(value, wanted);
    Ok(())
}
