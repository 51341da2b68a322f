//! Records of runs, databases and backups (log-records 2.7).

use ese_base::{BkInfo, Dbid, Error, JetErr, LgPos, LogTime, ProcId, Result, Signature};
use zerocopy::{FromBytes, IntoBytes};

use super::wire::{Body, Head, Input, Show, Tail, record_struct, text, wire_enum};
use crate::layout::DbmsParam;

/// The engine starts: type 49, or 1 without the time. At such a record no session is open:
/// a run that starts on a crashed stream logs its recovery first.
#[derive(Clone, Copy, Debug)]
pub struct Init2<'a> {
    /// The instance's parameters.
    pub params: &'a DbmsParam,
    /// When; `None` in the old form.
    pub time: Option<LogTime>,
}

impl PartialEq for Init2<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.params.as_bytes() == other.params.as_bytes() && self.time == other.time
    }
}

impl Eq for Init2<'_> {}

impl<'b: 'a, 'a> Body<'b> for Init2<'a> {
    fn number(&self) -> u8 {
        if self.time.is_some() { 49 } else { 1 }
    }
    fn head(&self) -> Head {
        Head::new(Body::number(self))
    }
    fn tail(&self) -> Tail<'_> {
        [self.params.as_bytes(), self.time.as_ref().map_or(&[], |t| t.as_bytes()), &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let params = DbmsParam::ref_from_bytes(input.take(size_of::<DbmsParam>())?)
            .map_err(|_| Error::code_only(JetErr::LogFileCorrupt))?;
        let time = if input.number() == 49 { Some(input.field()?) } else { None };
        Ok(Init2 { params, time })
    }
    fn show_fields(&self, out: &mut String) {
        self.time.show("time", out);
        text(
            out,
            format_args!(
                " system={} log={} sessions={} segments={}",
                self.params.system_path_text(),
                self.params.log_path_text(),
                self.params.sessions,
                self.params.csec_lg_file
            ),
        );
    }
}

/// How a run or a recovery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// Where it began: its Init2, or for a recovery its RecoveryUndo2.
    pub started: LgPos,
    /// Where redo had started (recoveries only; otherwise null).
    pub redo_from: LgPos,
    /// Was it a hard recovery?
    pub hard: u8,
    /// When; `None` in the forms without a time (2 and 18).
    pub time: Option<LogTime>,
}

impl RunEnd {
    fn head(&self, with_time: u8, without_time: u8) -> Head {
        let mut head = Head::new(self.number(with_time, without_time));
        head.field(self.started);
        head.field(self.redo_from);
        head.field(self.hard);
        if let Some(time) = self.time {
            head.field(time);
        }
        head
    }

    fn number(&self, with_time: u8, without_time: u8) -> u8 {
        if self.time.is_some() { with_time } else { without_time }
    }

    fn decode(input: &mut Input<'_>) -> Result<RunEnd> {
        let timed = !matches!(input.number(), 2 | 18);
        Ok(RunEnd {
            started: input.field()?,
            redo_from: input.field()?,
            hard: input.field()?,
            time: if timed { Some(input.field()?) } else { None },
        })
    }

    fn show(&self, out: &mut String) {
        self.started.show("started", out);
        self.redo_from.show("redo_from", out);
        self.hard.show("hard", out);
        self.time.show("time", out);
    }
}

macro_rules! run_end_record {
    ($(#[$doc:meta])* $name:ident = $with:literal, $without:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(
            /// How it ended.
            pub RunEnd,
        );

        impl<'b> Body<'b> for $name {
            fn number(&self) -> u8 {
                self.0.number($with, $without)
            }
            fn head(&self) -> Head {
                self.0.head($with, $without)
            }
            fn tail(&self) -> Tail<'_> {
                [&[]; 4]
            }
            fn decode(input: &mut Input<'b>) -> Result<Self> {
                Ok($name(RunEnd::decode(input)?))
            }
            fn show_fields(&self, out: &mut String) {
                self.0.show(out);
            }
        }
    };
}

run_end_record! {
    /// A run ended cleanly: type 50, or 2 without the time.
    Term2 = 50, 2
}
run_end_record! {
    /// A recovery ended: type 52, or 18 without the time.
    RecoveryQuit2 = 52, 18
}
run_end_record! {
    /// A recovery ended and kept its databases attached (always with a time).
    RecoveryQuitKeepAttachments = 80, 80
}

/// A recovery begins to undo: type 51, or 17 without the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryUndo2 {
    /// When.
    pub time: Option<LogTime>,
}

impl<'b> Body<'b> for RecoveryUndo2 {
    fn number(&self) -> u8 {
        if self.time.is_some() { 51 } else { 17 }
    }
    fn head(&self) -> Head {
        let mut head = Head::new(Body::number(self));
        if let Some(time) = self.time {
            head.field(time);
        }
        head
    }
    fn tail(&self) -> Tail<'_> {
        [&[]; 4]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let time = if input.number() == 51 { Some(input.field()?) } else { None };
        Ok(RecoveryUndo2 { time })
    }
    fn show_fields(&self, out: &mut String) {
        self.time.show("time", out);
    }
}

record_struct! {
    /// The databases were made clean: they take this record's position as their last consistent
    /// one.
    ShutDownMark = 23 {}
}

/// Flag of a database record: version words stand before the path.
const HAS_VERSION: u8 = 4;
/// Flag of create and attach records: the path is UTF-16.
const UTF16_PATH: u8 = 8;
/// Flag of detach records: the path is UTF-16.
const UTF16_PATH_DETACH: u8 = 0x10;

/// A path as a record holds it: bytes with their terminator, 8-bit or UTF-16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedPath<'a> {
    /// The stored bytes, terminator included.
    pub bytes: &'a [u8],
    /// UTF-16 (else 8-bit characters).
    pub wide: bool,
}

impl<'a> LoggedPath<'a> {
    /// The path that `bytes`, made by [`LoggedPath::encode`], hold.
    #[must_use]
    pub fn wide(bytes: &'a [u8]) -> LoggedPath<'a> {
        LoggedPath { bytes, wide: true }
    }

    /// The bytes of a path for a record that the engine writes: UTF-16 with terminator.
    #[must_use]
    pub fn encode(path: &str) -> Vec<u8> {
        path.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    /// The path up to its terminator. What is no text is replaced by U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        if self.wide {
            let (units, _) = self.bytes.as_chunks::<2>();
            let units = units.iter().map(|u| u16::from_le_bytes(*u)).take_while(|&u| u != 0);
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        } else {
            self.bytes.iter().take_while(|&&b| b != 0).map(|&b| char::from(b)).collect()
        }
    }
}

impl Show for LoggedPath<'_> {
    fn show(&self, name: &str, out: &mut String) {
        text(out, format_args!(" {name}={}", self.text()));
    }
}

fn path_flags(path: &LoggedPath<'_>, other: u8, wide: u8) -> u8 {
    if path.wide { other | wide } else { other }
}

/// A database is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateDb<'a> {
    /// Session.
    pub procid: ProcId,
    /// Number that the database gets.
    pub dbid: Dbid,
    /// Bits of the creating call.
    pub grbit: u32,
    /// Largest number of pages; 0 is no limit.
    pub pages_max: u32,
    /// Its signature.
    pub sign_db: Signature,
    /// Flags without those that say how path and version are stored (0x10 sparse).
    pub flags: u8,
    /// Two version words: 2 and 0 in 8.4000 logs. Not the database format.
    pub version: Option<(u16, u16)>,
    /// Its file.
    pub path: LoggedPath<'a>,
}

impl<'b: 'a, 'a> Body<'b> for CreateDb<'a> {
    fn number(&self) -> u8 {
        14
    }
    fn head(&self) -> Head {
        let mut head = Head::new(14);
        head.field(self.procid);
        head.field(self.dbid);
        head.field(self.grbit);
        head.field(self.pages_max);
        head.field(self.sign_db);
        head.len_of::<u16>(self.path.bytes);
        let flags = path_flags(&self.path, self.flags & !(HAS_VERSION | UTF16_PATH), UTF16_PATH);
        match self.version {
            Some((version, update)) => {
                // The four bytes before the path are not counted in its length.
                head.field(flags | HAS_VERSION);
                head.field(version);
                head.field(update);
            }
            None => head.field(flags),
        }
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.path.bytes, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let procid = input.field()?;
        let dbid = input.field()?;
        let grbit = input.field()?;
        let pages_max = input.field()?;
        let sign_db = input.field()?;
        let path = input.len_of::<u16>()?;
        let flags: u8 = input.field()?;
        let version =
            if flags & HAS_VERSION != 0 { Some((input.field()?, input.field()?)) } else { None };
        Ok(CreateDb {
            procid,
            dbid,
            grbit,
            pages_max,
            sign_db,
            flags: flags & !(HAS_VERSION | UTF16_PATH),
            version,
            path: LoggedPath { bytes: input.take(path)?, wide: flags & UTF16_PATH != 0 },
        })
    }
    fn show_fields(&self, out: &mut String) {
        self.procid.show("procid", out);
        self.dbid.show("dbid", out);
        self.grbit.show("grbit", out);
        self.pages_max.show("pages_max", out);
        self.sign_db.show("sign_db", out);
        self.flags.show("flags", out);
        self.path.show("path", out);
    }
}

record_struct! {
    /// The creation of a database is complete.
    CreateDbFinish = 79 {
        /// Session.
        procid: ProcId,
        /// Database.
        dbid: Dbid,
    }
}

/// A database is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachDb<'a> {
    /// Session.
    pub procid: ProcId,
    /// Number that the database gets.
    pub dbid: Dbid,
    /// Largest number of pages; 0 is no limit.
    pub pages_max: u32,
    /// Its last consistent position: ties this record to one state of the file.
    pub lgpos_consistent: LgPos,
    /// Its signature.
    pub sign_db: Signature,
    /// Signature of the log stream it was last attached to.
    pub sign_log: Signature,
    /// Flags without the one that says how the path is stored (0x10 sparse).
    pub flags: u8,
    /// Its file.
    pub path: LoggedPath<'a>,
}

impl<'b: 'a, 'a> Body<'b> for AttachDb<'a> {
    fn number(&self) -> u8 {
        15
    }
    fn head(&self) -> Head {
        let mut head = Head::new(15);
        head.field(self.procid);
        head.field(self.dbid);
        head.field(self.pages_max);
        head.field(self.lgpos_consistent);
        head.field(self.sign_db);
        head.field(self.sign_log);
        head.len_of::<u16>(self.path.bytes);
        head.field(path_flags(&self.path, self.flags & !UTF16_PATH, UTF16_PATH));
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.path.bytes, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let procid = input.field()?;
        let dbid = input.field()?;
        let pages_max = input.field()?;
        let lgpos_consistent = input.field()?;
        let sign_db = input.field()?;
        let sign_log = input.field()?;
        let path = input.len_of::<u16>()?;
        let flags: u8 = input.field()?;
        Ok(AttachDb {
            procid,
            dbid,
            pages_max,
            lgpos_consistent,
            sign_db,
            sign_log,
            flags: flags & !UTF16_PATH,
            path: LoggedPath { bytes: input.take(path)?, wide: flags & UTF16_PATH != 0 },
        })
    }
    fn show_fields(&self, out: &mut String) {
        self.procid.show("procid", out);
        self.dbid.show("dbid", out);
        self.pages_max.show("pages_max", out);
        self.lgpos_consistent.show("consistent", out);
        self.sign_db.show("sign_db", out);
        self.sign_log.show("sign_log", out);
        self.flags.show("flags", out);
        self.path.show("path", out);
    }
}

/// A database is detached while the instance goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetachDb<'a> {
    /// Session.
    pub procid: ProcId,
    /// Database.
    pub dbid: Dbid,
    /// Flags without the one that says how the path is stored.
    pub flags: u8,
    /// Its file.
    pub path: LoggedPath<'a>,
}

impl<'b: 'a, 'a> Body<'b> for DetachDb<'a> {
    fn number(&self) -> u8 {
        16
    }
    fn head(&self) -> Head {
        let mut head = Head::new(16);
        head.field(self.procid);
        head.field(self.dbid);
        head.len_of::<u16>(self.path.bytes);
        head.field(path_flags(&self.path, self.flags & !UTF16_PATH_DETACH, UTF16_PATH_DETACH));
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.path.bytes, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let procid = input.field()?;
        let dbid = input.field()?;
        let path = input.len_of::<u16>()?;
        let flags: u8 = input.field()?;
        Ok(DetachDb {
            procid,
            dbid,
            flags: flags & !UTF16_PATH_DETACH,
            path: LoggedPath { bytes: input.take(path)?, wide: flags & UTF16_PATH_DETACH != 0 },
        })
    }
    fn show_fields(&self, out: &mut String) {
        self.procid.show("procid", out);
        self.dbid.show("dbid", out);
        self.flags.show("flags", out);
        self.path.show("path", out);
    }
}

record_struct! {
    /// The format version of a database is raised.
    SetDbVersion = 92 {
        /// Database.
        dbid: Dbid,
        /// 0x620.
        major: u32,
        /// Update-major.
        update_major: u32,
        /// Update-minor.
        update_minor: u32,
    }
}

record_struct! {
    /// A database will be attached by the next records.
    SignalAttachDb = 97 {
        /// Database.
        dbid: Dbid,
    }
}

super::space::sized_record! {
    /// A database stays attached after a restart.
    ReAttach = 72, 45 {
        /// Database.
        dbid: Dbid,
        /// Its attachment.
        lgpos_attach: LgPos,
        /// Its last consistent position.
        lgpos_consistent: LgPos,
        /// Its signature.
        sign_db: Signature,
    }
}

wire_enum! {
    /// How far a backup is.
    BackupPhase: u8 {
        /// It begins.
        Begin = 1,
        /// The databases are copied, the logs follow.
        PrepareLogs = 2,
        /// Logs are truncated.
        Truncate = 3,
        /// A database's header takes the mark.
        Update = 4,
        /// It ended without success.
        Abort = 5,
        /// It ended.
        Stop = 6,
    }
}

/// A backup's progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup2<'a> {
    /// How far it is.
    pub phase: BackupPhase,
    /// 0 streaming, 1 OS snapshot, 2 snapshot, 3 surrogate.
    pub kind: u32,
    /// 1 full, 2 incremental, 5 copy, 6 differential.
    pub scope: u8,
    /// The database whose header is updated (phase 4); else 0.
    pub dbid: Dbid,
    /// Where it began and the generations it needs.
    pub mark: BkInfo,
    /// Reserved byte.
    pub reserved: u8,
    /// Path, as stored.
    pub path: &'a [u8],
}

impl<'b: 'a, 'a> Body<'b> for Backup2<'a> {
    fn number(&self) -> u8 {
        60
    }
    fn head(&self) -> Head {
        let mut head = Head::new(60);
        head.field(self.phase);
        head.field(self.kind);
        head.field(self.scope);
        head.field(self.dbid);
        head.field(self.mark);
        head.field(self.reserved);
        head.len_of::<u16>(self.path);
        head
    }
    fn tail(&self) -> Tail<'_> {
        [self.path, &[], &[], &[]]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let phase = input.field()?;
        let kind = input.field()?;
        let scope = input.field()?;
        let dbid = input.field()?;
        let mark = input.field()?;
        let reserved = input.field()?;
        let path = input.len_of::<u16>()?;
        Ok(Backup2 { phase, kind, scope, dbid, mark, reserved, path: input.take(path)? })
    }
    fn show_fields(&self, out: &mut String) {
        self.phase.show("phase", out);
        self.kind.show("kind", out);
        self.scope.show("scope", out);
        self.dbid.show("dbid", out);
        self.mark.show("mark", out);
        if !self.path.is_empty() {
            self.path.show("path", out);
        }
    }
}
