//! Every field of a database header, at its offset, spelt as ESE spells it (edb-format 1.3).

use ese_base::{BkInfo, LeLgPos, LogTime, Signature};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U16, U32, U64},
};

/// A counter of events, when the last one was, and the count before the last repair.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
)]
#[repr(C)]
pub struct EventCount {
    /// Events since the last repair.
    pub count: U32,
    /// When the last one was.
    pub last: LogTime,
    /// Events before the last repair.
    pub count_old: U32,
}

/// A database header: the first 748 bytes of the first two pages of the file.
///
/// Fields are public because this *is* the layout; the methods of this type read and set the ones
/// that the engine works with. Times are wall-clock times to the millisecond.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct DbHeader {
    /// Header XOR over the whole page. Written by [`DbHeader::encode`].
    pub checksum: U32,
    /// [`DbHeader::MAGIC`].
    pub magic: U32,
    /// Format version, [`DbHeader::VERSION`].
    pub version: U32,
    /// 0 for a database.
    pub attrib: U32,
    /// Highest database time ever given out.
    pub dbtime_dirtied: U64,
    /// Identity of the database.
    pub sign_db: Signature,
    /// See [`super::DbState`].
    pub dbstate: U32,
    /// Log position of the clean detach.
    pub lgpos_consistent: LeLgPos,
    /// Time of the clean detach.
    pub logtime_consistent: LogTime,
    /// Time of the last attach.
    pub logtime_attach: LogTime,
    /// Log position of the last attach.
    pub lgpos_attach: LeLgPos,
    /// Time of the last detach.
    pub logtime_detach: LogTime,
    /// Log position of the last detach.
    pub lgpos_detach: LeLgPos,
    /// Number within its instance.
    pub dbid: U32,
    /// The log stream it belongs to; null when never attached with logging on.
    pub sign_log: Signature,
    /// Last full backup.
    pub bkinfo_full_prev: BkInfo,
    /// Last incremental backup; a full one clears it.
    pub bkinfo_inc_prev: BkInfo,
    /// Backup in progress, or this file is a backup copy.
    pub bkinfo_full_cur: BkInfo,
    /// Shadow catalog off, being upgraded, who attached it.
    pub db_flags: U32,
    /// Highest object id given out.
    pub objid_last: U32,
    /// Version of the operating system that wrote it; information only.
    pub os_major: U32,
    /// See `os_major`.
    pub os_minor: U32,
    /// See `os_major`.
    pub os_build: U32,
    /// See `os_major`.
    pub os_service_pack: U32,
    /// Format update, [`DbHeader::UPDATE_MAJOR`].
    pub update_major: U32,
    /// Page size in bytes; 0 means 4096.
    pub cb_page_size: U32,
    /// Repairs.
    pub repair_count: U32,
    /// Time of the last repair.
    pub logtime_repair: LogTime,
    /// Formerly the signature of the streaming file.
    pub reserved_slv: Signature,
    /// Database time when the last scrub began.
    pub dbtime_last_scrub: U64,
    /// Time when the last scrub began.
    pub logtime_scrub: LogTime,
    /// First generation that recovery needs; 0 when clean.
    pub gen_min_required: U32,
    /// Last generation that recovery needs; 0 when clean.
    pub gen_max_required: U32,
    /// Pages converted by three old upgrades.
    pub cpg_upgrades: [U32; 3],
    /// Snapshot backup in progress.
    pub bkinfo_snapshot_cur: BkInfo,
    /// Version the file was created with.
    pub create_version: U32,
    /// Update the file was created with.
    pub create_update_major: U32,
    /// Creation time of generation `gen_max_committed`; not set when clean.
    pub logtime_gen_max_create: LogTime,
    /// Kind of the last full backup: 0 normal, 1 system snapshot, 2 snapshot, 3 surrogate.
    pub bkinfo_type_full_prev: U32,
    /// Kind of the last incremental backup.
    pub bkinfo_type_inc_prev: U32,
    /// Repairs before the last restore.
    pub repair_count_old: U32,
    /// Pages that the checksum could correct.
    pub ecc_fix_success: EventCount,
    /// Pages that it could not.
    pub ecc_fix_fail: EventCount,
    /// Wrong checksums.
    pub bad_checksum: EventCount,
    /// Last generation that may hold changes of this database; 0 when clean.
    pub gen_max_committed: U32,
    /// Last copy backup.
    pub bkinfo_copy_prev: BkInfo,
    /// Last differential backup.
    pub bkinfo_diff_prev: BkInfo,
    /// Kind of the last copy backup.
    pub bkinfo_type_copy_prev: U32,
    /// Kind of the last differential backup.
    pub bkinfo_type_diff_prev: U32,
    /// Incremental reseeds.
    pub incremental_reseed: EventCount,
    /// Pages patched from another copy.
    pub page_patch: EventCount,
    /// All ones: the table of locales is authoritative.
    pub sort_version: U64,
    /// When the last scan of the whole database ended.
    pub logtime_dbscan_prev: LogTime,
    /// When the present scan began.
    pub logtime_dbscan_start: LogTime,
    /// How far it came without a gap.
    pub pgno_dbscan_highest_continuous: U32,
    /// Generation that recovery was in.
    pub gen_recovering: U32,
    /// Extensions of the file.
    pub extend_count: U32,
    /// Time of the last one.
    pub logtime_last_extend: LogTime,
    /// Reductions of the file.
    pub shrink_count: U32,
    /// Time of the last one.
    pub logtime_last_shrink: LogTime,
    /// Time of the last attach to the same log stream.
    pub logtime_last_reattach: LogTime,
    /// Its log position.
    pub lgpos_last_reattach: LeLgPos,
    /// Pages given back to the file system.
    pub trim_count: U32,
    /// Renewed at every write of the header.
    pub sign_db_hdr_flush: Signature,
    /// Pairs the file with its flush map.
    pub sign_flush_map_hdr_flush: Signature,
    /// First generation whose changes may be missing in the file; 0 when clean.
    pub gen_min_consistent: U32,
    /// Small format update; never a reason to refuse.
    pub update_minor: U32,
    /// Engine format version of the last attach; diagnostic.
    pub efv_max_bin_attach_diagnostic: U32,
    /// Highest page that the present scan has seen.
    pub pgno_dbscan_highest: U32,
    /// Log position of the last change of the file's size (update 110 and later).
    pub lgpos_last_resize: LeLgPos,
    /// Zero.
    pub reserved_664: [u8; 3],
    /// 1 for a database. At an odd offset.
    pub filetype: U32,
    /// Zero.
    pub reserved_671: [u8; 1],
    /// Creation time of generation `gen_max_required` (update 150 and later).
    pub logtime_gen_max_required: LogTime,
    /// `gen_min_consistent` before redo.
    pub gen_pre_redo_min_consistent: U32,
    /// `gen_min_required` before redo.
    pub gen_pre_redo_min_required: U32,
    /// Pairs the file with a revert snapshot.
    pub sign_rbs_hdr_flush: Signature,
    /// Reverts to a snapshot.
    pub revert_count: U32,
    /// From where the last one started.
    pub logtime_revert_from: LogTime,
    /// To when it went back.
    pub logtime_revert_to: LogTime,
    /// Pages that it changed.
    pub revert_page_count: U32,
    /// Log position of the last commit before it.
    pub lgpos_commit_before_revert: LeLgPos,
}

/// The extra page behind the last page of a streaming backup (edb-format 1.6), "patch page".
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
)]
#[repr(C)]
pub struct BackupTrailer {
    /// Header XOR over the whole page. Written by [`BackupTrailer::encode`].
    pub checksum: U32,
    /// Zero: a page header without page number and flags.
    pub zero: [U16; 18],
    /// The backup, `gen_high` included.
    pub bkinfo: BkInfo,
    /// Identity of the database.
    pub sign_db: Signature,
    /// Identity of the log stream.
    pub sign_log: Signature,
    /// First generation needed.
    pub gen_min_required: U32,
    /// Last generation needed.
    pub gen_max_required: U32,
    /// Last generation that may hold changes.
    pub gen_max_committed: U32,
    /// Creation time of the last generation needed.
    pub logtime_gen_max_required: LogTime,
    /// Creation time of the last committed generation.
    pub logtime_gen_max_committed: LogTime,
}

macro_rules! offsets {
    ($type:ident: $($field:ident = $offset:literal),* $(,)?) => {
        const _: () = {
            $(assert!(std::mem::offset_of!($type, $field) == $offset);)*
        };
    };
}

offsets! { DbHeader:
    checksum = 0, magic = 4, version = 8, attrib = 12, dbtime_dirtied = 16, sign_db = 24,
    dbstate = 52, lgpos_consistent = 56, logtime_consistent = 64, logtime_attach = 72,
    lgpos_attach = 80, logtime_detach = 88, lgpos_detach = 96, dbid = 104, sign_log = 108,
    bkinfo_full_prev = 136, bkinfo_inc_prev = 160, bkinfo_full_cur = 184, db_flags = 208,
    objid_last = 212, os_major = 216, os_minor = 220, os_build = 224, os_service_pack = 228,
    update_major = 232, cb_page_size = 236, repair_count = 240, logtime_repair = 244,
    reserved_slv = 252, dbtime_last_scrub = 280, logtime_scrub = 288, gen_min_required = 296,
    gen_max_required = 300, cpg_upgrades = 304, bkinfo_snapshot_cur = 316, create_version = 340,
    create_update_major = 344, logtime_gen_max_create = 348, bkinfo_type_full_prev = 356,
    bkinfo_type_inc_prev = 360, repair_count_old = 364, ecc_fix_success = 368,
    ecc_fix_fail = 384, bad_checksum = 400, gen_max_committed = 416, bkinfo_copy_prev = 420,
    bkinfo_diff_prev = 444, bkinfo_type_copy_prev = 468, bkinfo_type_diff_prev = 472,
    incremental_reseed = 476, page_patch = 492, sort_version = 508, logtime_dbscan_prev = 516,
    logtime_dbscan_start = 524, pgno_dbscan_highest_continuous = 532, gen_recovering = 536,
    extend_count = 540, logtime_last_extend = 544, shrink_count = 552, logtime_last_shrink = 556,
    logtime_last_reattach = 564, lgpos_last_reattach = 572, trim_count = 580,
    sign_db_hdr_flush = 584, sign_flush_map_hdr_flush = 612, gen_min_consistent = 640,
    update_minor = 644, efv_max_bin_attach_diagnostic = 648, pgno_dbscan_highest = 652,
    lgpos_last_resize = 656, reserved_664 = 664, filetype = 667, reserved_671 = 671,
    logtime_gen_max_required = 672, gen_pre_redo_min_consistent = 680,
    gen_pre_redo_min_required = 684, sign_rbs_hdr_flush = 688, revert_count = 716,
    logtime_revert_from = 720, logtime_revert_to = 728, revert_page_count = 736,
    lgpos_commit_before_revert = 740,
}

offsets! { BackupTrailer:
    checksum = 0, zero = 4, bkinfo = 40, sign_db = 64, sign_log = 92, gen_min_required = 120,
    gen_max_required = 124, gen_max_committed = 128, logtime_gen_max_required = 132,
    logtime_gen_max_committed = 140,
}

const _: () = {
    assert!(size_of::<EventCount>() == 16);
    assert!(size_of::<DbHeader>() == 748);
    assert!(size_of::<BackupTrailer>() == 148);
};
