//! How an ended backup is remembered in the header of a database (backup-log-recovery 4.10).

use ese_base::BkInfo;
use ese_pages::DbHeader;

use crate::source::{BackupKind, BackupScope};

/// Which fields a finished backup sets. `truncated`: the logs that the set replaces are gone, by
/// this backup or by other means.
pub(crate) fn scope(full: bool, truncated: bool) -> BackupScope {
    match (full, truncated) {
        (true, true) => BackupScope::Full,
        (true, false) => BackupScope::Copy,
        (false, true) => BackupScope::Incremental,
        (false, false) => BackupScope::Differential,
    }
}

/// Sets the fields, unless the header remembers a later backup of that scope. True: it did not.
pub(crate) fn stamp(
    header: &mut DbHeader,
    scope: BackupScope,
    kind: BackupKind,
    info: BkInfo,
) -> bool {
    let kind = (kind as u32).into();
    let none = BkInfo::default();
    let (field, kind_field) = match scope {
        BackupScope::Full => (&mut header.bkinfo_full_prev, &mut header.bkinfo_type_full_prev),
        BackupScope::Copy => (&mut header.bkinfo_copy_prev, &mut header.bkinfo_type_copy_prev),
        BackupScope::Incremental => (&mut header.bkinfo_inc_prev, &mut header.bkinfo_type_inc_prev),
        BackupScope::Differential => {
            (&mut header.bkinfo_diff_prev, &mut header.bkinfo_type_diff_prev)
        }
    };
    if field.lgpos_mark.get() > info.lgpos_mark.get() {
        return false;
    }
    *field = info;
    *kind_field = kind;
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
    use ese_pages::header::NewHeader;

    use super::*;

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
        stamp(header, scope, BackupKind::Normal, info(generation))
    }

    #[test]
    fn truncation_decides_between_the_two_scopes_of_each_kind() {
        assert_eq!(scope(true, true), BackupScope::Full);
        assert_eq!(scope(true, false), BackupScope::Copy);
        assert_eq!(scope(false, true), BackupScope::Incremental);
        assert_eq!(scope(false, false), BackupScope::Differential);
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
    }
}
