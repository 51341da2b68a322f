//! The header of a database as JET_DBINFOMISC to JET_DBINFOMISC7: each is a beginning of the next.

use ese_pages::DbHeader;

use crate::{
    ptr::{len, size},
    types::JET_DBINFOMISC7,
};

/// Their lengths.
pub(crate) const SIZES: [u32; 7] = [216, 296, 300, 348, 380, 400, size::<JET_DBINFOMISC7>()];

/// Flag of the header: being upgraded.
const UPGRADE: u32 = 0x2;

pub(crate) fn of(header: &DbHeader) -> JET_DBINFOMISC7 {
    let flag = |flag: u32| u32::from(header.db_flags.get() & flag != 0);
    JET_DBINFOMISC7 {
        ulVersion: header.version.get(),
        ulUpdate: header.update_major.get(),
        signDb: header.sign_db,
        dbstate: header.dbstate.get(),
        lgposConsistent: header.lgpos_consistent,
        logtimeConsistent: header.logtime_consistent,
        logtimeAttach: header.logtime_attach,
        lgposAttach: header.lgpos_attach,
        logtimeDetach: header.logtime_detach,
        lgposDetach: header.lgpos_detach,
        signLog: header.sign_log,
        bkinfoFullPrev: header.bkinfo_full_prev,
        bkinfoIncPrev: header.bkinfo_inc_prev,
        bkinfoFullCur: header.bkinfo_full_cur,
        fShadowingDisabled: u32::from(!header.has_shadow_catalog()),
        fUpgradeDb: flag(UPGRADE),
        dwMajorVersion: header.os_major.get(),
        dwMinorVersion: header.os_minor.get(),
        dwBuildNumber: header.os_build.get(),
        lSPNumber: header.os_service_pack.get().cast_signed(),
        cbPageSize: header.page_size().map_or(0, |size| len(size.bytes())),
        genMinRequired: header.gen_min_required.get(),
        genMaxRequired: header.gen_max_required.get(),
        logtimeGenMaxCreate: header.logtime_gen_max_create,
        ulRepairCount: header.repair_count.get(),
        logtimeRepair: header.logtime_repair,
        ulRepairCountOld: header.repair_count_old.get(),
        ulECCFixSuccess: header.ecc_fix_success.count.get(),
        logtimeECCFixSuccess: header.ecc_fix_success.last,
        ulECCFixSuccessOld: header.ecc_fix_success.count_old.get(),
        ulECCFixFail: header.ecc_fix_fail.count.get(),
        logtimeECCFixFail: header.ecc_fix_fail.last,
        ulECCFixFailOld: header.ecc_fix_fail.count_old.get(),
        ulBadChecksum: header.bad_checksum.count.get(),
        logtimeBadChecksum: header.bad_checksum.last,
        ulBadChecksumOld: header.bad_checksum.count_old.get(),
        genCommitted: header.gen_max_committed.get(),
        bkinfoCopyPrev: header.bkinfo_copy_prev,
        bkinfoDiffPrev: header.bkinfo_diff_prev,
        ulIncrementalReseedCount: header.incremental_reseed.count.get(),
        logtimeIncrementalReseed: header.incremental_reseed.last,
        ulIncrementalReseedCountOld: header.incremental_reseed.count_old.get(),
        ulPagePatchCount: header.page_patch.count.get(),
        logtimePagePatch: header.page_patch.last,
        ulPagePatchCountOld: header.page_patch.count_old.get(),
        logtimeChecksumPrev: header.logtime_dbscan_prev,
        logtimeChecksumStart: header.logtime_dbscan_start,
        cpgDatabaseChecked: header.pgno_dbscan_highest_continuous.get(),
        logtimeLastReAttach: header.logtime_last_reattach,
        lgposLastReAttach: header.lgpos_last_reattach,
    }
}
