//! Log records: every type of log-records section 2 as a plain value that borrows its bytes.
//!
//! [`Record::decode`] reads one, [`Record::parts`] prepares one for writing without allocating,
//! [`Record::describe`] prints one. Framing records (padding 0 and 71, fragments 76 and 77, the
//! range checksum 42 of old logs) belong to the segment layer and are no `Record`s.
//!
//! An old and a new form of a record are one struct: what the old form lacks is an `Option`, and
//! `None` is written as the old form. One family of records is one file.

mod database;
pub mod diff;
mod misc;
mod node;
mod space;
mod structure;
mod trx;
pub(crate) mod wire;

#[cfg(test)]
mod tests;

use ese_base::{DbTime, Dbid, Error, JetErr, Pgno, ProcId, Result};

pub use database::{
    AttachDb, Backup2, BackupPhase, CreateDb, CreateDbFinish, DetachDb, Init2, LoggedPath,
    ReAttach, RecoveryQuit2, RecoveryQuitKeepAttachments, RecoveryUndo2, RunEnd, SetDbVersion,
    ShutDownMark, SignalAttachDb, Term2,
};
pub use misc::{CommitCtx, Ignored, Obsolete, PagePatchRequest, ScanCheck, ScanCheck2, Trace};
pub use node::{
    Delete, Delta, Delta64, FlagDelete, FlagInsert, FlagInsertAndReplaceData, Insert, NodeHead,
    Oper, PageHead, RecordFlags, Replace, ReplaceD, Scrub, SetExternalHeader, Undo, UndoInfo,
};
pub use space::{
    ConvertAvailable, ConvertFdp, CreateMultipleExtentFdp, CreateSingleExtentFdp, ExtendDb,
    ExtentFreed, FreeFdp, NewPage, ShrinkDb, TrimDb,
};
pub use structure::{
    EmptyTree, EmptyTreePage, MacroInfo, MacroInfo2, Merge, MergeType, PageImage, PageMove,
    PgnoList, RootPageMove, Split, SplitOper, SplitType,
};
pub use trx::{
    Begin, Begin0, Commit, Commit0, MacroAbort, MacroBegin, MacroCommit, Refresh, Rollback,
    begin_levels,
};
pub use wire::{Parts, Sink};

use wire::{Body, Input};

/// Numbers of the records that frame others; they are not [`Record`]s.
pub mod framing {
    /// Zero bytes up to the end of the segment.
    pub const NOP: u8 = 0;
    /// Range checksum of 7.3704 logs.
    pub const CHECKSUM: u8 = 42;
    /// Padding with a length.
    pub const NOP2: u8 = 71;
    /// First piece of a record that is cut.
    pub const FRAGMENT_BEGIN: u8 = 76;
    /// A further piece.
    pub const FRAGMENT: u8 = 77;
}

/// Declares the enum and the per-record tables: `Variant(Struct) = type numbers it is read from`.
macro_rules! records {
    ($($(#[$doc:meta])* $variant:ident ( $ty:ty ) = $($number:pat_param)|+,)*) => {
        /// One log record. Each variant's struct says what it means and how it is stored.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Record<'a> {
            $($(#[$doc])* $variant($ty),)*
        }

        /// Does a record of this type exist (those that frame others left out)?
        pub(crate) fn is_record(number: u8) -> bool {
            matches!(number, $($($number)|+)|*)
        }

        impl<'a> Record<'a> {
            /// Reads the record at the start of `bytes`; the second value is its length.
            ///
            /// # Errors
            /// `JET_errLogFileCorrupt` (-501): it does not end within `bytes`, its type is
            /// unknown or a framing type, or a field has an impossible value.
            pub fn decode_prefix(bytes: &'a [u8]) -> Result<(Record<'a>, usize)> {
                let mut input = Input::new(bytes)?;
                let record = match input.number() {
                    $($($number)|+ => Record::$variant(Body::decode(&mut input)?),)*
                    other => return Err(misc::unreadable(other)),
                };
                Ok((record, bytes.len() - input.remaining()))
            }

            /// Prepares the record for writing.
            ///
            /// # Errors
            /// `JET_errLogBufferTooSmall` (-517): a variable part is longer than its length
            /// field can say.
            #[inline]
            pub fn parts(&self) -> Result<Parts<'_>> {
                match self {
                    $(Record::$variant(body) => Parts::new(body.head(), body.tail()),)*
                }
            }

            /// The type byte it is written with.
            #[must_use]
            pub fn number(&self) -> u8 {
                match self {
                    $(Record::$variant(body) => body.number(),)*
                }
            }

            /// The record's name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Record::$variant(_) => stringify!($variant),)*
                }
            }

            /// One line for people: name and fields.
            #[must_use]
            pub fn describe(&self) -> String {
                let mut out = String::from(self.name());
                match self {
                    $(Record::$variant(body) => body.show_fields(&mut out),)*
                }
                out
            }
        }
    };
}

records! {
    /// See [`Init2`].
    Init2(Init2<'a>) = 1 | 49,
    /// See [`Term2`].
    Term2(Term2) = 2 | 50,
    /// See [`Begin`].
    Begin(Begin) = 5,
    /// See [`Commit`].
    Commit(Commit) = 6,
    /// See [`Rollback`].
    Rollback(Rollback) = 7,
    /// See [`Begin0`].
    Begin0(Begin0) = 8,
    /// See [`Commit0`].
    Commit0(Commit0) = 9,
    /// See [`Refresh`].
    Refresh(Refresh) = 10,
    /// See [`MacroBegin`].
    MacroBegin(MacroBegin) = 11,
    /// See [`MacroCommit`].
    MacroCommit(MacroCommit) = 12,
    /// See [`MacroAbort`].
    MacroAbort(MacroAbort) = 13,
    /// See [`CreateDb`].
    CreateDb(CreateDb<'a>) = 14,
    /// See [`AttachDb`].
    AttachDb(AttachDb<'a>) = 15,
    /// See [`DetachDb`].
    DetachDb(DetachDb<'a>) = 16,
    /// See [`RecoveryUndo2`].
    RecoveryUndo2(RecoveryUndo2) = 17 | 51,
    /// See [`RecoveryQuit2`].
    RecoveryQuit2(RecoveryQuit2) = 18 | 52,
    /// See [`Trace`].
    Trace(Trace<'a>) = 22 | 61,
    /// See [`ShutDownMark`].
    ShutDownMark(ShutDownMark) = 23,
    /// See [`CreateMultipleExtentFdp`].
    CreateMultipleExtentFdp(CreateMultipleExtentFdp) = 24,
    /// See [`CreateSingleExtentFdp`].
    CreateSingleExtentFdp(CreateSingleExtentFdp) = 25,
    /// See [`ConvertFdp`].
    ConvertFdp(ConvertFdp) = 26 | 58,
    /// See [`Split`].
    Split(Split<'a>) = 27 | 62,
    /// See [`Merge`].
    Merge(Merge<'a>) = 28 | 63,
    /// See [`Insert`].
    Insert(Insert<'a>) = 29,
    /// See [`FlagInsert`].
    FlagInsert(FlagInsert<'a>) = 30,
    /// See [`FlagInsertAndReplaceData`].
    FlagInsertAndReplaceData(FlagInsertAndReplaceData<'a>) = 31,
    /// See [`FlagDelete`].
    FlagDelete(FlagDelete) = 32,
    /// See [`Replace`].
    Replace(Replace<'a>) = 33,
    /// See [`ReplaceD`].
    ReplaceD(ReplaceD<'a>) = 34,
    /// See [`Delete`].
    Delete(Delete) = 35,
    /// See [`UndoInfo`].
    UndoInfo(UndoInfo<'a>) = 36,
    /// See [`Delta`].
    Delta(Delta<'a>) = 37,
    /// See [`SetExternalHeader`].
    SetExternalHeader(SetExternalHeader<'a>) = 38,
    /// See [`Undo`].
    Undo(Undo<'a>) = 39,
    /// See [`EmptyTree`].
    EmptyTree(EmptyTree<'a>) = 48,
    /// See [`Backup2`].
    Backup2(Backup2<'a>) = 60,
    /// See [`Scrub`].
    Scrub(Scrub<'a>) = 64,
    /// See [`PageMove`].
    PageMove(PageMove<'a>) = 65,
    /// See [`PagePatchRequest`].
    PagePatchRequest(PagePatchRequest) = 66,
    /// See [`MacroInfo`].
    MacroInfo(MacroInfo<'a>) = 67,
    /// See [`ExtendDb`].
    ExtendDb(ExtendDb<'a>) = 68,
    /// See [`CommitCtx`].
    CommitCtx(CommitCtx<'a>) = 69,
    /// See [`ScanCheck`].
    ScanCheck(ScanCheck<'a>) = 70,
    /// See [`ReAttach`].
    ReAttach(ReAttach<'a>) = 72,
    /// See [`MacroInfo2`].
    MacroInfo2(MacroInfo2<'a>) = 73,
    /// See [`FreeFdp`].
    FreeFdp(FreeFdp<'a>) = 74,
    /// See [`ShrinkDb`].
    ShrinkDb(ShrinkDb) = 78 | 94 | 99,
    /// See [`CreateDbFinish`].
    CreateDbFinish(CreateDbFinish) = 79,
    /// See [`RecoveryQuitKeepAttachments`].
    RecoveryQuitKeepAttachments(RecoveryQuitKeepAttachments) = 80,
    /// See [`TrimDb`].
    TrimDb(TrimDb) = 81,
    /// See [`SetDbVersion`].
    SetDbVersion(SetDbVersion) = 92,
    /// See [`Delta64`].
    Delta64(Delta64<'a>) = 93,
    /// See [`NewPage`].
    NewPage(NewPage) = 95,
    /// See [`RootPageMove`].
    RootPageMove(RootPageMove) = 96,
    /// See [`SignalAttachDb`].
    SignalAttachDb(SignalAttachDb) = 97,
    /// See [`ScanCheck2`].
    ScanCheck2(ScanCheck2) = 98,
    /// See [`ExtentFreed`].
    ExtentFreed(ExtentFreed) = 100 | 101,
    /// See [`Ignored`].
    Ignored(Ignored<'a>) = 75 | 82..=91,
    /// See [`Obsolete`].
    Obsolete(Obsolete<'a>) = 3 | 4 | 19 | 20 | 21 | 45 | 46 | 53 | 54 | 55 | 57 | 59,
}

impl<'a> Record<'a> {
    /// Reads a record that is exactly `bytes`.
    ///
    /// # Errors
    /// As [`Record::decode_prefix`]; also when bytes are left over.
    pub fn decode(bytes: &'a [u8]) -> Result<Record<'a>> {
        let (record, len) = Record::decode_prefix(bytes)?;
        if len != bytes.len() {
            return Err(Error::new(
                JetErr::LogFileCorrupt,
                format!("a {} record of {len} bytes in {} bytes", record.name(), bytes.len()),
            ));
        }
        Ok(record)
    }

    /// Length of the record at the start of `bytes`.
    ///
    /// # Errors
    /// As [`Record::decode_prefix`].
    pub fn record_len(bytes: &[u8]) -> Result<usize> {
        Record::decode_prefix(bytes).map(|(_, len)| len)
    }

    /// Bytes that [`Record::encode`] makes.
    ///
    /// # Errors
    /// As [`Record::parts`].
    pub fn encoded_len(&self) -> Result<usize> {
        self.parts().map(|parts| parts.encoded_len())
    }

    /// Writes the record.
    ///
    /// # Errors
    /// As [`Record::parts`]; nothing has been written then.
    pub fn encode(&self, sink: &mut (impl Sink + ?Sized)) -> Result<()> {
        self.parts()?.write(sink);
        Ok(())
    }

    /// The page part, for the records that change a page and start with one.
    #[must_use]
    pub fn page_head(&self) -> Option<&PageHead> {
        match self {
            Record::CreateMultipleExtentFdp(r) => Some(&r.page),
            Record::CreateSingleExtentFdp(r) => Some(&r.page),
            Record::ConvertFdp(r) => Some(&r.page),
            Record::Split(r) => Some(&r.page),
            Record::Merge(r) => Some(&r.page),
            Record::PageMove(r) => Some(&r.page),
            other => other.node_head().map(|node| &node.page),
        }
    }

    /// The node part, for the records that have one.
    #[must_use]
    pub fn node_head(&self) -> Option<&NodeHead> {
        match self {
            Record::Insert(r) => Some(&r.node),
            Record::FlagInsert(r) => Some(&r.node),
            Record::FlagInsertAndReplaceData(r) => Some(&r.node),
            Record::FlagDelete(r) => Some(&r.node),
            Record::Replace(r) => Some(&r.node),
            Record::ReplaceD(r) => Some(&r.node),
            Record::Delete(r) => Some(&r.node),
            Record::UndoInfo(r) => Some(&r.node),
            Record::Delta(r) => Some(&r.node),
            Record::Delta64(r) => Some(&r.node),
            Record::SetExternalHeader(r) => Some(&r.node),
            Record::Undo(r) => Some(&r.node),
            Record::EmptyTree(r) => Some(&r.node),
            Record::Scrub(r) => Some(&r.node),
            _ => None,
        }
    }

    /// The session, for the records that belong to one.
    #[must_use]
    pub fn procid(&self) -> Option<ProcId> {
        match self {
            Record::Begin(r) => Some(r.procid),
            Record::Commit(r) => Some(r.procid),
            Record::Rollback(r) => Some(r.procid),
            Record::Begin0(r) => Some(r.procid),
            Record::Commit0(r) => Some(r.procid),
            Record::Refresh(r) => Some(r.procid),
            Record::MacroBegin(r) => Some(r.procid),
            Record::MacroCommit(r) => Some(r.procid),
            Record::MacroAbort(r) => Some(r.procid),
            Record::CreateDb(r) => Some(r.procid),
            Record::CreateDbFinish(r) => Some(r.procid),
            Record::AttachDb(r) => Some(r.procid),
            Record::DetachDb(r) => Some(r.procid),
            Record::Trace(r) => Some(r.procid),
            Record::CommitCtx(r) => Some(r.procid),
            Record::NewPage(r) => Some(r.procid),
            Record::RootPageMove(r) => Some(r.procid),
            other => other.page_head().map(|page| page.procid),
        }
    }

    /// The pages that redo of this record changes, each with the dbtime before and after it.
    /// Before is [`DbTime::NOT_CHECKED`] where the old content does not matter.
    /// Empty for records that change no page ([`UndoInfo`] among them). The pages that an
    /// [`EmptyTree`] frees are listed by [`EmptyTree::pages`] alone.
    pub fn pages(&self) -> impl Iterator<Item = (Dbid, Pgno, DbTime, DbTime)> + use<> {
        let mut pages = [(Dbid(0), Pgno::NULL, DbTime(0), DbTime(0)); 5];
        let fresh = DbTime::NOT_CHECKED;
        let mut set = |dbid: Dbid, list: &[(Pgno, DbTime)], after: DbTime| {
            for (to, &(pgno, before)) in pages.iter_mut().zip(list) {
                *to = (dbid, pgno, before, after);
            }
        };
        match self {
            Record::UndoInfo(_) => {}
            Record::NewPage(r) => set(r.dbid, &[(r.pgno, fresh)], r.dbtime),
            Record::Split(r) => set(
                r.page.dbid,
                &[
                    (r.page.pgno, r.page.dbtime_before),
                    (r.pgno_new, fresh),
                    (r.pgno_right, r.dbtime_right_before),
                    (r.pgno_parent, r.dbtime_parent_before),
                ],
                r.page.dbtime,
            ),
            Record::Merge(r) => set(
                r.page.dbid,
                &[
                    (r.page.pgno, r.page.dbtime_before),
                    (r.pgno_right, r.dbtime_right_before),
                    (r.pgno_left, r.dbtime_left_before),
                    (r.pgno_parent, r.dbtime_parent_before),
                ],
                r.page.dbtime,
            ),
            Record::CreateMultipleExtentFdp(r) => set(
                r.page.dbid,
                &[(r.page.pgno, fresh), (r.pgno_oe, fresh), (r.pgno_ae, fresh)],
                r.page.dbtime,
            ),
            Record::CreateSingleExtentFdp(r) => {
                set(r.page.dbid, &[(r.page.pgno, fresh)], r.page.dbtime);
            }
            Record::ConvertFdp(r) => set(
                r.page.dbid,
                &[(r.page.pgno, r.page.dbtime_before), (r.pgno_oe, fresh), (r.pgno_ae, fresh)],
                r.page.dbtime,
            ),
            Record::PageMove(r) => set(
                r.page.dbid,
                &[
                    (r.page.pgno, r.page.dbtime_before),
                    (r.pgno_dest, fresh),
                    (r.pgno_left, r.dbtime_left_before),
                    (r.pgno_right, r.dbtime_right_before),
                    (r.pgno_parent, r.dbtime_parent_before),
                ],
                r.page.dbtime,
            ),
            other => {
                if let Some(page) = other.page_head() {
                    set(page.dbid, &[(page.pgno, page.dbtime_before)], page.dbtime);
                }
            }
        }
        pages.into_iter().filter(|(_, pgno, _, _)| !pgno.is_null())
    }
}
