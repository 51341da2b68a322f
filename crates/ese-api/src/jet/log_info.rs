//! What the header of a log says; no instance is needed.

use std::path::Path;

use ese_base::{Error, JetErr, Result};
use ese_log::LogHeader;
use ese_os::{Env, OpenMode};

/// The header, as JET_LOGINFOMISC has it.
pub const JET_LogInfoMisc: u32 = 0;
/// As JET_LOGINFOMISC2.
pub const JET_LogInfoMisc2: u32 = 1;
/// As JET_LOGINFOMISC3.
pub const JET_LogInfoMisc3: u32 = 2;

/// The header of a log. The levels differ in how much of it C structures hold.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for an unknown level; `JET_errFileNotFound` (-1811);
/// `JET_errLogFileCorrupt` (-501), `JET_errFileInvalidType` (-1812), `JET_errBadLogVersion` (-514)
/// for a file that is no log.
pub fn JetGetLogFileInfo(szLog: &Path, InfoLevel: u32) -> Result<LogHeader> {
    if InfoLevel > JET_LogInfoMisc3 {
        let what = format!("{InfoLevel} is no level of information");
        return Err(Error::new(JetErr::InvalidParameter, what));
    }
    let file = Env::real().fs.open(szLog, OpenMode::Read)?;
    LogHeader::read(&*file).map_err(|error| error.at_path(szLog))
}
