//! System parameters (api-semantics 3).
//!
//! This version acts on paths, base name, page size, log file size, log buffers, circular logging,
//! checkpoint depth, cache size, version store, session quota, recovery on/off and what it may
//! remove and where it looks, the order of UTF-16 text and the creation of missing folders.
//! Everything else is checked, kept and given back.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, PageSize, Result};
use ese_engine::{
    instance::{InstanceConfig, ShrinkMode},
    longvalue::chunk_len_of,
    schema::UnicodeIndex,
};

use super::{
    JET_CALLBACK, JET_DURABLECOMMIT, JET_UNICODEINDEX2, JET_bitShrinkDatabaseOn,
    JET_bitShrinkDatabaseRealtime,
    gate::Purpose,
    handles::{JET_INSTANCE, JET_SESID},
    param_list::PARAMS,
    presets,
    process::{Inst, PROCESS, Process},
    session::find_session,
};

/// Folder of the checkpoint file.
pub const JET_paramSystemPath: u32 = 0;
/// Temporary database.
pub const JET_paramTempPath: u32 = 1;
/// Temporary tables that an instance may have open; 0 forbids them.
pub const JET_paramMaxTemporaryTables: u32 = 10;
/// Folder of the log.
pub const JET_paramLogFilePath: u32 = 2;
/// Three characters that the names of log and checkpoint begin with.
pub const JET_paramBaseName: u32 = 3;
/// Sessions that an instance may have.
pub const JET_paramMaxSessions: u32 = 5;
/// Memory for versions, in 64 KiB.
pub const JET_paramMaxVerPages: u32 = 9;
/// Size of a log file, in KiB.
pub const JET_paramLogFileSize: u32 = 11;
/// Memory for log records, in 512 bytes.
pub const JET_paramLogBuffers: u32 = 12;
/// Flags of commits that have none, for sessions that begin from then on.
pub const JET_paramCommitDefault: u32 = 16;
/// Reuse logs that recovery no longer needs.
pub const JET_paramCircularLog: u32 = 17;
/// What files grow by in [`JetResizeDatabase`](super::JetResizeDatabase), in pages.
pub const JET_paramDbExtensionSize: u32 = 18;
/// Memory for pages, in pages.
pub const JET_paramCacheSizeMax: u32 = 23;
/// Least memory for pages, in pages.
pub const JET_paramCacheSizeMin: u32 = 60;
/// How much log a crash may have to replay, in bytes.
pub const JET_paramCheckpointDepthMax: u32 = 24;
/// Milliseconds that a freeze of [`JetOSSnapshotFreeze`](super::JetOSSnapshotFreeze) lasts at most.
pub const JET_paramOSSnapshotTimeout: u32 = 82;
/// `on` or `off`: keep a log.
pub const JET_paramRecovery: u32 = 34;
/// Obsolete; kept, and refused where redo is to stop early.
pub const JET_paramDeleteOldLogs: u32 = 48;
/// Where lost logs may be passed over, remove also those that do not fit behind a gap (bool).
pub const JET_paramDeleteOutOfRangeLogs: u32 = 52;
/// Begin a new log where the files that are there have another size (bool); only with circular
/// logging, and once all databases are clean.
pub const JET_paramCleanupMismatchedLogFiles: u32 = 77;
/// The one folder in which recovery looks for databases, by their names.
pub const JET_paramAlternateDatabaseRecoveryPath: u32 = 113;
/// Open transaction levels of the session that is named; to be read only, and not in the header.
const JET_paramTransactionLevel: u32 = 38;
/// A function of C that prints; only the C interface has it, to be read.
pub const JET_paramPrintFunction: u32 = 37;
/// May databases be defragmented at work? 0: no.
pub const JET_paramEnableOnlineDefrag: u32 = 35;
/// Pages in memory now, and no fewer than [`JET_paramCacheSizeMin`], on which programs wait.
/// Setting it is a wish that this engine does not follow.
pub const JET_paramCacheSize: u32 = 41;
/// Page size of the process, in bytes.
pub const JET_paramDatabasePageSize: u32 = 64;
/// Who is told of local storage that is no longer needed; see [`set_runtime_callback`].
pub const JET_paramRuntimeCallback: u32 = 73;
/// Presets of other parameters: `JET_config...`. What was set before is lost.
pub const JET_paramConfiguration: u32 = 129;
/// Order of UTF-16 text in indexes that ask for none: the name of the locale is the text, the flags
/// of LCMapString are the number (0 = sort key, ignoring case, kana type and width).
pub const JET_paramUnicodeIndexDefault: u32 = 72;
/// Shortest piece of a text in a tuple index that brings no limits.
pub const JET_paramIndexTuplesLengthMin: u32 = 110;
/// Longest piece.
pub const JET_paramIndexTuplesLengthMax: u32 = 111;
/// Most pieces of one text.
pub const JET_paramIndexTuplesToIndexMax: u32 = 112;
/// From one beginning of a piece to the next one's.
pub const JET_paramIndexTupleIncrement: u32 = 132;
/// Where the first piece begins.
pub const JET_paramIndexTupleStart: u32 = 133;
/// Name and text of a code; see [`error_to_string`].
pub const JET_paramErrorToString: u32 = 70;
/// Make missing folders.
pub const JET_paramCreatePathIfNotExist: u32 = 100;
/// Instances that the process may have.
pub const JET_paramMaxInstances: u32 = 104;
/// Without it, settings for experts are ignored.
pub const JET_paramEnableAdvanced: u32 = 130;
/// Look up and call the callbacks that columns name (bool).
pub const JET_paramEnablePersistedCallbacks: u32 = 156;
/// Who is told that commits have become durable; see [`set_durable_commit_callback`].
///
/// [`set_durable_commit_callback`]: super::set_durable_commit_callback
pub const JET_paramDurableCommitCallback: u32 = 187;
/// When free pages at the end of database files are cut off.
pub const JET_paramEnableShrinkDatabase: u32 = 184;
/// One past the last column type.
pub const JET_paramMaxColtyp: u32 = 131;
/// Longest key of the page size.
pub const JET_paramKeyMost: u32 = 134;
/// Chunk of a long value of the page size (edb-format 9.2): 4014, 8110, 4050 or 8150 bytes.
pub const JET_paramLVChunkSizeMost: u32 = 163;

/// Largest row of the page size, all of its overhead counted: as
/// [`JetGetRecordSize`](super::JetGetRecordSize) tells it.
pub const JET_paramRecordSizeMost: u32 = 213;
/// Bytes by which a page says where an entry is.
const TAG_LEN: usize = 4;

/// A row of the list.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) id: u32,
    pub(super) name: &'static str,
    pub(super) default: Setting<'static>,
    pub(super) scope: Scope,
    pub(super) settable: Settable,
    pub(super) advanced: bool,
    /// Smallest and largest value; of a text: bytes.
    pub(super) min: u64,
    pub(super) max: u64,
}

/// A value, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting<'a> {
    Int(u64),
    /// 0 or 1: every other number in the range is kept as 1.
    Flag(u64),
    Text(&'a str),
    /// The default order of UTF-16 text.
    Unicode,
    /// Nobody to be told.
    Callback,
    /// Nobody to be told of durable commits.
    DurableCommit,
}

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The process's.
    Global,
    /// An instance's.
    Instance,
}

/// Until when it may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settable {
    Always,
    BeforeInit,
    BeforeInstances,
    Never,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JET_PARAM {
    /// A number.
    Int(u64),
    /// A text.
    Text(String),
    /// An order of UTF-16 text.
    Unicode(JET_UNICODEINDEX2),
    /// Who is told, if anybody.
    Callback(Option<JET_CALLBACK>),
    /// Who is told of durable commits, if anybody.
    DurableCommit(Option<JET_DURABLECOMMIT>),
}

/// The parameters that somebody has set.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(BTreeMap<u32, JET_PARAM>);

impl Params {
    pub(super) const fn new() -> Params {
        Params(BTreeMap::new())
    }

    fn int_if_set(&self, id: u32) -> Option<u64> {
        match self.0.get(&id) {
            Some(JET_PARAM::Int(value)) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn int(&self, id: u32) -> u64 {
        self.int_if_set(id).unwrap_or_else(|| match find(id).map(|param| param.default) {
            Ok(Setting::Int(value) | Setting::Flag(value)) => value,
            _ => 0,
        })
    }

    pub(super) fn text(&self, id: u32) -> String {
        match self.0.get(&id) {
            Some(JET_PARAM::Text(text)) => text.clone(),
            _ => match find(id).map(|param| param.default) {
                Ok(Setting::Text(text)) => text.to_owned(),
                _ => String::new(),
            },
        }
    }

    fn value(&self, param: &Param) -> JET_PARAM {
        match param.default {
            Setting::Int(_) | Setting::Flag(_) => JET_PARAM::Int(self.int(param.id)),
            Setting::Text(_) => JET_PARAM::Text(self.text(param.id)),
            Setting::Unicode => JET_PARAM::Unicode(JET_UNICODEINDEX2::of(&self.unicode())),
            Setting::Callback => JET_PARAM::Callback(self.runtime_callback()),
            Setting::DurableCommit => JET_PARAM::DurableCommit(self.durable_commit()),
        }
    }

    pub(super) fn runtime_callback(&self) -> Option<JET_CALLBACK> {
        match self.0.get(&JET_paramRuntimeCallback) {
            Some(JET_PARAM::Callback(callback)) => callback.clone(),
            _ => None,
        }
    }

    pub(super) fn durable_commit(&self) -> Option<JET_DURABLECOMMIT> {
        match self.0.get(&JET_paramDurableCommitCallback) {
            Some(JET_PARAM::DurableCommit(callback)) => callback.clone(),
            _ => None,
        }
    }

    pub(super) fn put(&mut self, id: u32, value: JET_PARAM) {
        self.0.insert(id, value);
    }

    /// Sets a text that was checked.
    pub(super) fn set_text(&mut self, id: u32, text: &str) {
        self.0.insert(id, JET_PARAM::Text(text.to_owned()));
    }

    /// All defaults again.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn unicode(&self) -> UnicodeIndex {
        match self.0.get(&JET_paramUnicodeIndexDefault) {
            Some(JET_PARAM::Unicode(unicode)) => unicode.engine(),
            _ => UnicodeIndex::default(),
        }
    }

    /// Has the instance a log, by which it recovers?
    pub(super) fn is_logged(&self) -> bool {
        !self.text(JET_paramRecovery).eq_ignore_ascii_case("off")
    }

    pub(super) fn has_temporary_tables(&self) -> bool {
        self.int(JET_paramMaxTemporaryTables) > 0
    }

    /// The temporary database, where somebody has said its place.
    pub(super) fn temp_path(&self, system_dir: &Path) -> Option<PathBuf> {
        match self.0.get(&JET_paramTempPath) {
            Some(JET_PARAM::Text(path)) => temp_path(path, system_dir),
            _ => None,
        }
    }

    /// What an instance with these parameters is started with. `global` has the process's own.
    pub(super) fn to_config(&self, global: &Params) -> Result<InstanceConfig> {
        let mut config = InstanceConfig::new(PathBuf::from(self.text(JET_paramSystemPath)));
        config.log_dir = PathBuf::from(self.text(JET_paramLogFilePath));
        config.base_name = self.text(JET_paramBaseName);
        config.page_size = page_size(global)?;
        config.log_file_size = self.int(JET_paramLogFileSize) * 1024;
        config.circular_log = self.int(JET_paramCircularLog) != 0;
        config.log_size_must_match = true;
        config.clean_up_mismatched_logs = self.int(JET_paramCleanupMismatchedLogFiles) != 0;
        config.delete_out_of_range_logs = self.int(JET_paramDeleteOutOfRangeLogs) != 0;
        let alternate = self.text(JET_paramAlternateDatabaseRecoveryPath);
        config.recovery_dir = (!alternate.is_empty()).then(|| PathBuf::from(alternate));
        config.recovery = self.is_logged();
        config.checkpoint_depth = self.int(JET_paramCheckpointDepthMax);
        let shrink = u32::try_from(self.int(JET_paramEnableShrinkDatabase)).unwrap_or(0);
        config.shrink = if shrink & JET_bitShrinkDatabaseRealtime != 0 {
            ShrinkMode::Always
        } else if shrink & JET_bitShrinkDatabaseOn != 0 {
            ShrinkMode::AtDetach
        } else {
            ShrinkMode::Never
        };
        config.unicode = self.unicode();
        // The interface's defaults of these are from another age; they count when somebody sets
        // them.
        if let Some(sectors) = self.int_if_set(JET_paramLogBuffers) {
            config.log_buffer = usize::try_from(sectors * 512).unwrap_or(usize::MAX).max(64 << 10);
        }
        if let Some(pages) = global.int_if_set(JET_paramCacheSizeMax) {
            config.cache_size = pages.saturating_mul(config.page_size.bytes_u64());
        }
        let tables = self.int(JET_paramMaxTemporaryTables);
        config.temp_tables_max = u32::try_from(tables).unwrap_or(u32::MAX);
        // The default would be a file in the current directory, one for all instances.
        config.temp_path = self.temp_path(&config.system_dir);
        if let Some(buckets) = self.int_if_set(JET_paramMaxVerPages) {
            config.version_store_max = buckets.saturating_mul(64 << 10);
        }
        Ok(config)
    }
}

fn page_size(global: &Params) -> Result<PageSize> {
    let bytes = u32::try_from(global.int(JET_paramDatabasePageSize)).unwrap_or(u32::MAX);
    PageSize::from_bytes(bytes)
}

pub(super) fn find(id: u32) -> Result<&'static Param> {
    let at = PARAMS.binary_search_by_key(&id, |param| param.id);
    at.ok().and_then(|at| PARAMS.get(at)).ok_or_else(|| {
        Error::new(JetErr::InvalidParameter, format!("there is no system parameter {id}"))
    })
}

/// The instance that a call about parameters means; `None` is the process's own array.
fn target(
    process: &Process,
    instance: Option<JET_INSTANCE>,
    sesid: JET_SESID,
) -> Result<Option<Arc<Inst>>> {
    if sesid != JET_SESID::NIL && sesid != JET_SESID::ALL_ONES {
        return find_session(sesid).map(|session| Some(Arc::clone(&session.inst)));
    }
    match instance {
        None | Some(JET_INSTANCE::NIL | JET_INSTANCE::ALL_ONES) => Ok(process.single()),
        Some(handle) => process.instance(handle).map(Some),
    }
}

/// Sets a system parameter: `lParam` if it is a number, `szParam` if it is a text. What is either
/// on or off is on with any number but 0 that is in its range, and reads as 1. Without instance and
/// session it is the default of instances made later; in one-instance mode the one instance's.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for an unknown id, a value out of range, a missing text;
/// `JET_errInvalidLanguageId` (-1062) and `JET_errInvalidLCMapStringFlags` (-1064) for an order of
/// UTF-16 text that there is not; `JET_errAlreadyInitialized` (-1030) too late;
/// `JET_errInvalidInstance` (-1115). The value that it already has may always be set.
pub fn JetSetSystemParameter(
    instance: Option<JET_INSTANCE>,
    sesid: JET_SESID,
    paramid: u32,
    lParam: u64,
    szParam: Option<&str>,
) -> Result<()> {
    let param = find(paramid)?;
    let new = match param.default {
        Setting::Int(_) | Setting::Flag(_) => JET_PARAM::Int(lParam),
        Setting::Text(_) => JET_PARAM::Text(stored_text(paramid, szParam.unwrap_or_default())?),
        Setting::Unicode => JET_PARAM::Unicode(unicode_default(lParam, szParam)?),
        Setting::Callback if lParam == 0 => JET_PARAM::Callback(None),
        Setting::DurableCommit if lParam == 0 => JET_PARAM::DurableCommit(None),
        Setting::Callback | Setting::DurableCommit => {
            let what = "a callback is no number";
            return Err(Error::new(JetErr::InvalidParameter, what)
                .advise("call set_runtime_callback or set_durable_commit_callback"));
        }
    };
    set(instance, sesid, param, new)
}

/// Whom an instance tells of local storage that is no longer needed: JetSetSystemParameter with
/// `JET_paramRuntimeCallback`, which has no number in Rust. Not a Jet function.
///
/// # Errors
/// `JET_errAlreadyInitialized` (-1030) after JetInit, `JET_errInvalidInstance` (-1115).
pub fn set_runtime_callback(
    instance: Option<JET_INSTANCE>,
    callback: Option<&JET_CALLBACK>,
) -> Result<()> {
    let new = JET_PARAM::Callback(callback.cloned());
    set(instance, JET_SESID::NIL, find(JET_paramRuntimeCallback)?, new)
}

pub(super) fn set(
    instance: Option<JET_INSTANCE>,
    sesid: JET_SESID,
    param: &Param,
    new: JET_PARAM,
) -> Result<()> {
    let mut process = PROCESS.lock();
    let inst = target(&process, instance, sesid)?.filter(|_| param.scope == Scope::Instance);
    let current = match &inst {
        Some(inst) => inst.params.lock().value(param),
        None => process.params.value(param),
    };
    let late = match param.settable {
        // It sets parameters of the process that are too late once there are instances.
        _ if param.id == JET_paramConfiguration && inst.is_none() => process.has_instances(),
        Settable::Always => false,
        Settable::BeforeInit => inst.as_ref().is_some_and(|inst| inst.is_past_creation()),
        Settable::BeforeInstances => process.has_instances(),
        Settable::Never => true,
    };
    // A configuration discards what was set since it was set, unless it is too late for that.
    if current == new && (late || param.id != JET_paramConfiguration) {
        return Ok(());
    }
    if late {
        let code = match param.settable {
            Settable::Never => JetErr::InvalidParameter,
            _ => JetErr::AlreadyInitialized,
        };
        let what = format!("JET_param{} cannot be set any more", param.name);
        return Err(Error::new(code, what).advise("set it before JetInit"));
    }
    if param.advanced && process.params.int(JET_paramEnableAdvanced) == 0 {
        return Ok(());
    }
    check_range(param, &new)?;
    let page = page_size(&process.params)?.bytes_u64();
    let global = inst.is_none();
    let put = |params: &mut Params| match (param.id, new) {
        (JET_paramConfiguration, JET_PARAM::Int(config)) => {
            let now = presets::apply(params, config, global, page);
            params.put(JET_paramConfiguration, JET_PARAM::Int(now));
        }
        // Its range was checked before.
        (id, JET_PARAM::Int(value)) if matches!(param.default, Setting::Flag(_)) => {
            params.put(id, JET_PARAM::Int(value.min(1)));
        }
        (id, new) => params.put(id, new),
    };
    match &inst {
        Some(inst) => put(&mut inst.params.lock()),
        None => put(&mut process.params),
    }
    Ok(())
}

fn check_range(param: &Param, value: &JET_PARAM) -> Result<()> {
    let size = match value {
        JET_PARAM::Int(value) => *value,
        JET_PARAM::Text(text) => text.len() as u64,
        // It was checked when it was made.
        JET_PARAM::Unicode(_) | JET_PARAM::Callback(_) | JET_PARAM::DurableCommit(_) => {
            return Ok(());
        }
    };
    let legal = (param.min..=param.max).contains(&size)
        && (param.id != JET_paramDatabasePageSize
            || PageSize::ALL.iter().any(|page_size| page_size.bytes_u64() == size));
    if legal {
        return Ok(());
    }
    Err(Error::new(
        JetErr::InvalidParameter,
        format!(
            "JET_param{}: {size}, expected {} to {}{}",
            param.name,
            param.min,
            param.max,
            if matches!(value, JET_PARAM::Text(_)) { " bytes of text" } else { "" }
        ),
    ))
}

fn unicode_default(flags: u64, locale: Option<&str>) -> Result<JET_UNICODEINDEX2> {
    let default = UnicodeIndex::default();
    let map_flags = match flags {
        0 => default.map_flags,
        flags => u32::try_from(flags).unwrap_or(u32::MAX),
    };
    let locale = locale.map_or(default.locale, str::to_owned);
    let checked = UnicodeIndex { locale, map_flags }.checked()?;
    Ok(JET_UNICODEINDEX2::of(&checked))
}

/// The temporary database of an instance whose parameter is this: a bare name lies beside the
/// checkpoint, and in a folder the file has its default name. `None` is the default.
fn temp_path(text: &str, system_dir: &Path) -> Option<PathBuf> {
    let path = system_dir.join(text);
    match text {
        "" => None,
        folder if folder.ends_with('/') => Some(path.join("tmp.edb")),
        // A bare name is one of a file, whatever lies there.
        named if named.contains('/') && path.is_dir() => Some(path.join("tmp.edb")),
        _ => Some(path),
    }
}

/// Folders are kept absolute with a separator at the end, and so is the path of the temporary
/// database unless it is a bare name. No folder is the current one.
fn stored_text(id: u32, text: &str) -> Result<String> {
    let folder = matches!(id, JET_paramSystemPath | JET_paramLogFilePath);
    if id == JET_paramTempPath && text.contains('/') {
        return Ok(absolute_of(text)?.to_string_lossy().into_owned());
    }
    if !folder {
        return Ok(text.to_owned());
    }
    let mut absolute = absolute_of(if text.is_empty() { "." } else { text })?;
    // A separator at the end, and one only.
    absolute.push("");
    Ok(absolute.to_string_lossy().into_owned())
}

fn absolute_of(text: &str) -> Result<PathBuf> {
    std::path::absolute(Path::new(text)).map_err(|error| {
        Error::new(JetErr::InvalidPath, "the path cannot be made absolute")
            .at_path(text)
            .caused_by(error)
    })
}

/// The value of a system parameter.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for an unknown id, `JET_errInvalidInstance` (-1115).
pub fn JetGetSystemParameter(
    instance: Option<JET_INSTANCE>,
    sesid: JET_SESID,
    paramid: u32,
) -> Result<JET_PARAM> {
    let param = find(paramid)?;
    if paramid == JET_paramTransactionLevel {
        let level =
            find_session(sesid)?.call(Purpose::Work, |state, _| Ok(state.engine.level()))?;
        return Ok(JET_PARAM::Int(level.into()));
    }
    let process = PROCESS.lock();
    let page = page_size(&process.params)?;
    match paramid {
        JET_paramKeyMost => {
            return Ok(JET_PARAM::Int(if page.bytes() == 4096 { 1000 } else { 2000 }));
        }
        JET_paramLVChunkSizeMost => {
            return Ok(JET_PARAM::Int(chunk_len_of(page).into()));
        }
        JET_paramRecordSizeMost => {
            // As large as JetGetRecordSize can say that a row is: its overhead and the row's tag
            // count, the first tag of the page does not.
            let room = page.bytes() - page.header_len() - TAG_LEN;
            return Ok(JET_PARAM::Int(room as u64));
        }
        JET_paramCacheSize => {
            let all = process.instances().filter_map(|inst| inst.shared());
            let frames = all.flat_map(|shared| shared.attached_databases());
            let used = frames.map(|database| database.attached.db.cache.stats().frames).sum();
            // In ESE the cache has its least size from the moment on at which that is set.
            let least = process.params.int_if_set(JET_paramCacheSizeMin).unwrap_or(0);
            return Ok(JET_PARAM::Int(least.max(used)));
        }
        _ => {}
    }
    match target(&process, instance, sesid)?.filter(|_| param.scope == Scope::Instance) {
        Some(inst) => Ok(inst.params.lock().value(param)),
        None => Ok(process.params.value(param)),
    }
}

/// Name and text of a code, as `JET_paramErrorToString` gives them.
#[must_use]
pub fn error_to_string(code: i32) -> Option<String> {
    let info = JetErr::from_code(code)?.info();
    Some(format!("{}, {}", info.name, info.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_temporary_database_lies_beside_the_checkpoint_unless_a_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().to_str().unwrap();
        let system = Path::new("/system");
        for (text, expected) in [
            ("", None),
            ("Basic", Some("/system/Basic".to_owned())),
            ("/other/t.edb", Some("/other/t.edb".to_owned())),
            ("/other/", Some("/other/tmp.edb".to_owned())),
            (there, Some(format!("{there}/tmp.edb"))),
        ] {
            assert_eq!(temp_path(text, system), expected.map(PathBuf::from), "{text:?}");
        }
        let here = std::env::current_dir().unwrap();
        let stored = |id, text| stored_text(id, text).unwrap();
        assert_eq!(stored(JET_paramTempPath, "bare"), "bare");
        assert_eq!(stored(JET_paramTempPath, "./sub/t"), here.join("sub/t").to_str().unwrap());
        for (text, folder) in [("", here.clone()), ("sub", here.join("sub"))] {
            let folder = format!("{}/", folder.to_str().unwrap());
            assert_eq!(stored(JET_paramSystemPath, text), folder);
        }
    }

    #[test]
    fn the_list_is_sorted_and_its_defaults_are_legal() {
        assert!(PARAMS.is_sorted_by_key(|param| param.id));
        for param in PARAMS {
            let default = Params::new().value(param);
            let computed =
                matches!(&default, JET_PARAM::Int(0)) || param.settable == Settable::Never;
            let empty = matches!(&default, JET_PARAM::Text(text) if text.is_empty());
            assert!(computed || empty || check_range(param, &default).is_ok(), "{param:?}");
        }
    }
}
