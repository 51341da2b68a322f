//! How an ended backup is remembered in the header of a database (backup-log-recovery 4.10): by the
//! backup itself, and by the replay of its log record.

use ese_base::BkInfo;

use super::DbHeader;

/// What a set is good for; decides which fields of the header remember it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BackupScope {
    /// A full backup that truncated the log: later incremental ones build on it.
    Full = 1,
    /// The logs since the last full or incremental one, truncated.
    Incremental = 2,
    /// A full copy that left the log alone.
    Copy = 5,
    /// The logs since the last full or incremental one, left alone.
    Differential = 6,
}

impl BackupScope {
    /// Which fields a finished backup sets. `truncated`: the logs that the set replaces are gone,
    /// by this backup or by other means.
    #[must_use]
    pub fn of(full: bool, truncated: bool) -> BackupScope {
        match (full, truncated) {
            (true, true) => BackupScope::Full,
            (true, false) => BackupScope::Copy,
            (false, true) => BackupScope::Incremental,
            (false, false) => BackupScope::Differential,
        }
    }

    /// As log records hold it; `None` for what no backup writes.
    #[must_use]
    pub fn from_u8(value: u8) -> Option<BackupScope> {
        use BackupScope::{Copy, Differential, Full, Incremental};
        [Full, Incremental, Copy, Differential].into_iter().find(|scope| *scope as u8 == value)
    }
}

/// The kind of a backup that the engine itself reads.
const NORMAL: u32 = 0;

/// The kind of a backup as the header holds it, of what the log holds: what another program copies
/// is a snapshot to the header.
#[must_use]
pub fn kind_of_header(logged: u32) -> u32 {
    const OS_SNAPSHOT: u32 = 1;
    const SURROGATE: u32 = 3;
    if logged == SURROGATE { OS_SNAPSHOT } else { logged }
}

/// Sets the fields, unless the header remembers this backup, a later one of that scope, or a later
/// one that made it forgotten. `kind` as the log holds it. True: it did not.
pub fn remember_backup(header: &mut DbHeader, scope: BackupScope, kind: u32, info: BkInfo) -> bool {
    let kind = kind_of_header(kind);
    let none = BkInfo::default();
    // Redo meets them again, and then the later one that made them forgotten, which is known.
    let is_after = |later: &BkInfo| later.lgpos_mark.get() >= info.lgpos_mark.get();
    let is_forgotten = match scope {
        BackupScope::Full | BackupScope::Copy => false,
        BackupScope::Incremental => is_after(&header.bkinfo_full_prev),
        BackupScope::Differential => {
            is_after(&header.bkinfo_full_prev) || is_after(&header.bkinfo_inc_prev)
        }
    };
    let (field, kind_field) = match scope {
        BackupScope::Full => (&mut header.bkinfo_full_prev, &mut header.bkinfo_type_full_prev),
        BackupScope::Copy => (&mut header.bkinfo_copy_prev, &mut header.bkinfo_type_copy_prev),
        BackupScope::Incremental => (&mut header.bkinfo_inc_prev, &mut header.bkinfo_type_inc_prev),
        BackupScope::Differential => {
            (&mut header.bkinfo_diff_prev, &mut header.bkinfo_type_diff_prev)
        }
    };
    if field.lgpos_mark.get() >= info.lgpos_mark.get() || is_forgotten {
        return false;
    }
    *field = info;
    *kind_field = kind.into();
    let truncates = matches!(scope, BackupScope::Full | BackupScope::Incremental);
    if truncates && kind == NORMAL {
        header.bkinfo_snapshot_cur = none;
    }
    match scope {
        BackupScope::Full => {
            header.bkinfo_inc_prev = none;
            header.bkinfo_diff_prev = none;
            header.bkinfo_type_inc_prev = 0.into();
            header.bkinfo_type_diff_prev = 0.into();
        }
        BackupScope::Incremental => {
            header.bkinfo_diff_prev = none;
            header.bkinfo_type_diff_prev = 0.into();
        }
        BackupScope::Copy | BackupScope::Differential => {}
    }
    true
}

#[cfg(test)]
mod tests {
    use ese_base::{LgPos, LogTime, PageSize, Signature};

    use super::{super::NewHeader, *};

    fn header() -> DbHeader {
        DbHeader::new(NewHeader {
            page_size: PageSize::K4,
            sign_db: Signature::NULL,
            sign_log: Signature::NULL,
        })
    }

    fn info(generation: u32) -> BkInfo {
        BkInfo {
            lgpos_mark: LgPos::new(generation, 1, 0).into(),
            logtime_mark: LogTime::from_unix_ms(u64::from(generation)),
            gen_low: generation.into(),
            gen_high: (generation + 1).into(),
        }
    }

    fn stamped(scope: BackupScope, generation: u32, header: &mut DbHeader) -> bool {
        remember_backup(header, scope, 0, info(generation))
    }

    #[test]
    fn truncation_decides_between_the_two_scopes_of_each_kind() {
        assert_eq!(BackupScope::of(true, true), BackupScope::Full);
        assert_eq!(BackupScope::of(true, false), BackupScope::Copy);
        assert_eq!(BackupScope::of(false, true), BackupScope::Incremental);
        assert_eq!(BackupScope::of(false, false), BackupScope::Differential);
    }

    #[test]
    fn a_backup_that_truncates_the_log_ends_a_snapshot_unless_it_is_one() {
        let after = |scope, kind| {
            let mut header = header();
            header.bkinfo_snapshot_cur = info(1);
            assert!(remember_backup(&mut header, scope, kind, info(2)));
            header.bkinfo_snapshot_cur == info(1)
        };
        use BackupScope::{Copy, Differential, Full, Incremental};
        let stays = |kind| [Full, Incremental, Copy, Differential].map(|scope| after(scope, kind));
        assert_eq!(stays(0), [false, false, true, true]);
        assert_eq!(stays(1), [true; 4]);
    }

    #[test]
    fn a_full_backup_forgets_the_incremental_and_differential_ones() {
        let mut header = header();
        assert!(stamped(BackupScope::Incremental, 2, &mut header));
        assert!(stamped(BackupScope::Differential, 3, &mut header));
        assert!(stamped(BackupScope::Copy, 4, &mut header));
        assert!(stamped(BackupScope::Full, 5, &mut header));
        assert_eq!(header.bkinfo_full_prev, info(5));
        assert_eq!(header.bkinfo_inc_prev, BkInfo::default());
        assert_eq!(header.bkinfo_diff_prev, BkInfo::default());
        assert_eq!(header.bkinfo_copy_prev, info(4), "a copy is no part of the chain");
    }

    #[test]
    fn an_incremental_backup_forgets_the_differential_one() {
        let mut header = header();
        assert!(stamped(BackupScope::Full, 2, &mut header));
        assert!(stamped(BackupScope::Differential, 3, &mut header));
        assert!(stamped(BackupScope::Incremental, 4, &mut header));
        assert_eq!(header.bkinfo_full_prev, info(2));
        assert_eq!(header.bkinfo_inc_prev, info(4));
        assert_eq!(header.bkinfo_diff_prev, BkInfo::default());
    }

    #[test]
    fn a_later_mark_is_never_replaced_by_an_earlier_one() {
        let mut header = header();
        assert!(stamped(BackupScope::Full, 7, &mut header));
        assert!(!stamped(BackupScope::Full, 6, &mut header));
        assert_eq!(header.bkinfo_full_prev, info(7));
        // Nor is one told twice: what came after it would be forgotten.
        assert!(stamped(BackupScope::Incremental, 8, &mut header));
        assert!(!stamped(BackupScope::Full, 7, &mut header));
        assert_eq!(header.bkinfo_inc_prev, info(8));
        // Redo begins before backups that a later one has made forgotten.
        assert!(stamped(BackupScope::Full, 9, &mut header));
        for (scope, generation) in [(BackupScope::Incremental, 8), (BackupScope::Differential, 8)] {
            assert!(!stamped(scope, generation, &mut header));
        }
        assert_eq!(header.bkinfo_inc_prev, BkInfo::default());
        assert_eq!(header.bkinfo_diff_prev, BkInfo::default());
    }

    #[test]
    fn what_a_log_says_of_scope_and_kind_is_what_the_header_holds() {
        for value in 0..=u8::MAX {
            let scope = BackupScope::from_u8(value).map(|scope| scope as u8);
            assert_eq!(scope, Some(value).filter(|it| [1, 2, 5, 6].contains(it)));
        }
        let mut header = header();
        assert!(remember_backup(&mut header, BackupScope::Full, 3, info(1)));
        assert_eq!(header.bkinfo_type_full_prev.get(), 1);
    }
}
