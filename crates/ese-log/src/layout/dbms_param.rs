//! The instance's parameters as log header, checkpoint and Init records hold them.

use std::fmt;

use zerocopy::{
    FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned, little_endian::U32,
};

/// Bytes of a path, terminator included.
const PATH_LEN: usize = 261;

/// Parameters of an instance: 567 bytes (backup-log-recovery 1A.1, offset 72).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct DbmsParam {
    system_path: [u8; PATH_LEN],
    log_path: [u8; PATH_LEN],
    /// Bit 0: the paths could not be stored.
    pub flags: u8,
    /// Sessions.
    pub sessions: U32,
    /// Open tables.
    pub open_tables: U32,
    /// Version pages.
    pub version_pages: U32,
    /// Cursors.
    pub cursors: U32,
    /// Log buffers, in 512-byte units.
    pub log_buffers: U32,
    /// Segments of a log file.
    pub csec_lg_file: U32,
    /// Largest cache, in pages.
    pub cache_pages_max: U32,
    reserved: [u8; 16],
}

const _: () = assert!(size_of::<DbmsParam>() == 567);

impl DbmsParam {
    /// Parameters with everything zero.
    #[must_use]
    pub fn zeroed() -> DbmsParam {
        DbmsParam::new_zeroed()
    }

    /// Sets the two paths, cut to 260 bytes. Where they differ from where the log lies, its files
    /// were moved or copied.
    pub fn set_paths(&mut self, system: &str, log: &str) {
        self.system_path = path_field(system);
        self.log_path = path_field(log);
    }

    /// The system path (checkpoint and temporary files).
    #[must_use]
    pub fn system_path_text(&self) -> String {
        path_text(&self.system_path)
    }

    /// The log path.
    #[must_use]
    pub fn log_path_text(&self) -> String {
        path_text(&self.log_path)
    }
}

fn path_field(path: &str) -> [u8; PATH_LEN] {
    let mut field = [0; PATH_LEN];
    for (to, from) in field.iter_mut().take(PATH_LEN - 1).zip(path.bytes()) {
        *to = from;
    }
    field
}

fn path_text(field: &[u8]) -> String {
    let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}

impl fmt::Debug for DbmsParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbmsParam")
            .field("system_path", &self.system_path_text())
            .field("log_path", &self.log_path_text())
            .field("sessions", &self.sessions.get())
            .field("csec_lg_file", &self.csec_lg_file.get())
            .finish_non_exhaustive()
    }
}
