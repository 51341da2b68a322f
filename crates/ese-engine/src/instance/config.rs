//! What an instance is told before it starts. Sizes are bytes.

use std::path::{Path, PathBuf};

use ese_base::{Generation, PageSize, Result};
use ese_log::{DbmsParam, LogConfig};
use ese_os::Env;
use ese_pages::cache::CacheMode;

use crate::key::UnicodeIndex;

/// When free pages at the end of database files are cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShrinkMode {
    /// Never: who asks for it with the Jet functions is refused.
    Never,
    /// When somebody asks for it.
    #[default]
    OnRequest,
    /// Also when a database is detached, by itself or at the end of its instance.
    AtDetach,
    /// Also while others work, when an eighth of the file or more could go.
    Always,
}

/// Settings of an instance. The defaults are ESE's where it has one (jet-params); the fields can be
/// changed until the instance starts.
#[derive(Clone, Debug)]
pub struct InstanceConfig {
    /// Directory of the checkpoint file (JET_paramSystemPath).
    pub system_dir: PathBuf,
    /// Directory of the log (JET_paramLogFilePath).
    pub log_dir: PathBuf,
    /// Three characters that every file of the stream begins with (JET_paramBaseName).
    pub base_name: String,
    /// Page size of every database (JET_paramDatabasePageSize).
    pub page_size: PageSize,
    /// Size of a log generation: 64 KiB to 32 MiB, a multiple of 64 KiB (JET_paramLogFileSize).
    pub log_file_size: u64,
    /// Log records kept in memory before a writer has to wait (JET_paramLogBuffers).
    pub log_buffer: usize,
    /// Reuse generations that recovery no longer needs (JET_paramCircularLog).
    pub circular_log: bool,
    /// Write a log at all (JET_paramRecovery). Without it a crash leaves databases unusable.
    pub recovery: bool,
    /// The log files that are there must have `log_file_size`, once all databases are clean.
    /// Without it a log that is there keeps its own size.
    pub log_size_must_match: bool,
    /// Begin a new log where that is not so; only with circular logging
    /// (JET_paramCleanupMismatchedLogFiles).
    pub clean_up_mismatched_logs: bool,
    /// Where lost logs may be passed over, remove also those that do not fit behind a gap
    /// (JET_paramDeleteOutOfRangeLogs).
    pub delete_out_of_range_logs: bool,
    /// The one directory in which recovery looks for databases, by their names
    /// (JET_paramAlternateDatabaseRecoveryPath).
    pub recovery_dir: Option<PathBuf>,
    /// How much log a crash may have to replay (JET_paramCheckpointDepthMax).
    pub checkpoint_depth: u64,
    /// Memory for pages that were changed and not yet written; in copy mode for all pages
    /// (JET_paramCacheSizeMax, there in pages).
    pub cache_size: u64,
    /// How clean pages are read; `None` chooses the map where the file system allows it.
    pub cache_mode: Option<CacheMode>,
    /// Guard pages against torn writes with the double-write file.
    pub double_write: bool,
    /// When free pages at the end of database files are cut off (JET_paramEnableShrinkDatabase).
    pub shrink: ShrinkMode,
    /// Memory for versions (JET_paramMaxVerPages, there in 64 KiB buckets).
    pub version_store_max: u64,
    /// Order of UTF-16 text in indexes that ask for none (JET_paramUnicodeIndexDefault).
    pub unicode: UnicodeIndex,
    /// The temporary database (JET_paramTempPath); a path that ends
    /// with `/` has it as `tmp.edb`. `None`: a file
    /// in the directory of the checkpoint. Files beside it, with longer names, hold sorts.
    pub temp_path: Option<PathBuf>,
    /// Memory for the rows of one sort in bytes; what is more goes to a file. Less than 128 KiB
    /// counts as that.
    pub sort_memory: u64,
    /// Temporary tables that can be open at a time (JET_paramMaxTemporaryTables).
    pub temp_tables_max: u32,
    /// The two directories without links and relative parts, as the log names them.
    resolved: (PathBuf, PathBuf),
    /// The number of the first generation of a new log.
    pub(crate) first_generation: Generation,
}

impl InstanceConfig {
    /// The defaults, with all files in one directory.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> InstanceConfig {
        let dir = dir.into();
        InstanceConfig {
            system_dir: dir.clone(),
            log_dir: dir,
            base_name: "edb".to_owned(),
            page_size: PageSize::K4,
            log_file_size: 5 << 20,
            log_buffer: 1 << 20,
            circular_log: false,
            log_size_must_match: false,
            clean_up_mismatched_logs: false,
            delete_out_of_range_logs: false,
            recovery_dir: None,
            recovery: true,
            checkpoint_depth: 20 << 20,
            cache_size: 64 << 20,
            cache_mode: None,
            double_write: true,
            shrink: ShrinkMode::OnRequest,
            version_store_max: 64 << 20,
            unicode: UnicodeIndex::default(),
            temp_path: None,
            sort_memory: 16 << 20,
            temp_tables_max: u32::MAX,
            resolved: <(PathBuf, PathBuf)>::default(),
            first_generation: Generation(1),
        }
    }

    /// Finds out what the log is to call the directories, and where temporary files are to lie
    /// whatever becomes of the process's current directory.
    ///
    /// # Errors
    /// `JET_errInvalidPath` (-1023) if one of them does not exist.
    pub(crate) fn resolve(&mut self, env: &Env) -> Result<()> {
        if self.recovery {
            let of = |dir| env.fs.canonicalize(dir);
            self.resolved = (of(&self.system_dir)?, of(&self.log_dir)?);
        }
        self.temp_path = Some(lasting(env, self.temp_path()));
        Ok(())
    }

    /// System and log directory without links and relative parts.
    pub(crate) fn resolved_dirs(&self) -> (&Path, &Path) {
        (&self.resolved.0, &self.resolved.1)
    }

    /// The memory for pages, in pages.
    pub(crate) fn cache_pages(&self) -> usize {
        let pages = self.cache_size / self.page_size.bytes_u64();
        usize::try_from(pages).unwrap_or(usize::MAX).max(64)
    }

    /// The parameters as log headers and the checkpoint file hold them, for people to read.
    pub(crate) fn log_params(&self) -> DbmsParam {
        let mut params = DbmsParam::zeroed();
        let (system, log) = &self.resolved;
        params.set_paths(&system.to_string_lossy(), &log.to_string_lossy());
        params.csec_lg_file = u32::try_from(self.log_file_size / 4096).unwrap_or(0).into();
        params.log_buffers = u32::try_from(self.log_buffer / 512).unwrap_or(u32::MAX).into();
        let pages = u32::try_from(self.cache_pages()).unwrap_or(u32::MAX);
        params.cache_pages_max = pages.into();
        params
    }

    /// The log's part of the settings.
    pub(crate) fn log_config(&self) -> LogConfig {
        let mut config = LogConfig::new(&self.log_dir, &self.base_name);
        config.file_len = u32::try_from(self.log_file_size).unwrap_or(u32::MAX);
        config.page_size = self.page_size;
        config.circular = self.circular_log;
        config.first_generation = self.first_generation;
        config.buffer_len = self.log_buffer;
        config.params = self.log_params();
        config
    }

    /// Path of the temporary database.
    pub(crate) fn temp_path(&self) -> PathBuf {
        match &self.temp_path {
            // Not "edb": whoever looks through a directory for databases must not find one.
            None => self.system_dir.join(format!("{}.tmp", self.base_name)),
            Some(path) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                path.join("tmp.edb")
            }
            Some(path) => path.clone(),
        }
    }

    /// Path of the checkpoint file.
    pub(crate) fn checkpoint_path(&self) -> PathBuf {
        self.system_dir.join(format!("{}.chk", self.base_name))
    }
}

/// The same place, whatever the current directory will be. A directory that does not exist yet
/// keeps its name; whoever needs it will be told.
pub(crate) fn lasting(env: &Env, path: PathBuf) -> PathBuf {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return path };
    let current = Path::new(".");
    let dir = if dir.as_os_str().is_empty() { current } else { dir };
    match env.fs.canonicalize(dir) {
        Ok(dir) => dir.join(name),
        Err(_) if path.is_absolute() => path,
        Err(_) => env.fs.canonicalize(current).map_or(path.clone(), |dir| dir.join(path)),
    }
}
