//! Structures about instances, databases, logs, recovery and the process.

use ese_base::{BkInfo, LeLgPos, LogTime, Signature};

use crate::{
    calls::{InitCallback, Status},
    ptr::{Bytes, Ptr, Str},
    types::shared,
};

shared! {
    JET_RSTMAP<C> {
        szDatabaseName: Str<C>,
        szNewDatabaseName: Str<C>,
    }
    JET_CONVERT<C> {
        szOldDll: Str<C>,
        fFlags: u32,
    }
    JET_SNPROG {
        cbStruct: u32,
        cunitDone: u32,
        cunitTotal: u32,
    }
    JET_DBINFOUPGRADE {
        cbStruct: u32,
        cbFilesizeLow: u32,
        cbFilesizeHigh: u32,
        cbFreeSpaceRequiredLow: u32,
        cbFreeSpaceRequiredHigh: u32,
        csecToUpgrade: u32,
        ulFlags: u32,
    }
    JET_RSTINFO<C> {
        cbStruct: u32,
        rgrstmap: Ptr<JET_RSTMAP<C>>,
        crstmap: i32,
        lgposStop: LeLgPos,
        logtimeStop: LogTime,
        pfnStatus: Status,
    }
    JET_ERRINFOBASIC_W {
        cbStruct: u32,
        errValue: i32,
        errcatMostSpecific: u32,
        rgCategoricalHierarchy: [u8; 8],
        lSourceLine: u32,
        rgszSourceFile: [u16; 64],
    }
    JET_COMMIT_ID {
        signLog: Signature,
        reserved: i32,
        commitId: i64,
    }
    JET_OPERATIONCONTEXT {
        ulUserID: u32,
        nOperationID: u8,
        nOperationType: u8,
        nClientType: u8,
        fFlags: u8,
    }
    JET_SETSYSPARAM<C> {
        paramid: u32,
        lParam: usize,
        sz: Str<C>,
        err: i32,
    }
    JET_LOGINFO<C> {
        cbSize: u32,
        ulGenLow: u32,
        ulGenHigh: u32,
        szBaseName: [C; 4],
    }
    JET_INSTANCE_INFO<C> {
        hInstanceId: usize,
        szInstanceName: Str<C>,
        cDatabases: usize,
        szDatabaseFileName: Ptr<Str<C>>,
        szDatabaseDisplayName: Ptr<Str<C>>,
        szDatabaseSLVFileName_Obsolete: Ptr<Str<C>>,
    }
    JET_THREADSTATS {
        cbStruct: u32,
        cPageReferenced: u32,
        cPageRead: u32,
        cPagePreread: u32,
        cPageDirtied: u32,
        cPageRedirtied: u32,
        cLogRecord: u32,
        cbLogRecord: u32,
    }
    JET_THREADSTATS2 {
        cbStruct: u32,
        cPageReferenced: u32,
        cPageRead: u32,
        cPagePreread: u32,
        cPageDirtied: u32,
        cPageRedirtied: u32,
        cLogRecord: u32,
        cbLogRecord: u32,
        cusecPageCacheMiss: u64,
        cPageCacheMiss: u32,
    }
    JET_THREADSTATS3 {
        cbStruct: u32,
        cPageReferenced: u32,
        cPageRead: u32,
        cPagePreread: u32,
        cPageDirtied: u32,
        cPageRedirtied: u32,
        cLogRecord: u32,
        cbLogRecord: u32,
        cusecPageCacheMiss: u64,
        cPageCacheMiss: u32,
        cSeparatedLongValueRead: u32,
        cusecLongValuePageCacheMiss: u64,
        cLongValuePageCacheMiss: u32,
    }
    JET_SETDBPARAM {
        dbparamid: u32,
        pvParam: Bytes,
        cbParam: u32,
    }
    JET_RSTMAP2<C> {
        cbStruct: u32,
        szDatabaseName: Str<C>,
        szNewDatabaseName: Str<C>,
        rgsetdbparam: Ptr<JET_SETDBPARAM>,
        csetdbparam: u32,
        grbit: u32,
    }
    JET_SESSIONINFO {
        ulTrxBegin0: u32,
        ulTrxLevel: u32,
        ulProcid: u32,
        ulFlags: u32,
        ulTrxContext: usize,
    }
    JET_CHECKPOINTINFO {
        genMin: u32,
        genMax: u32,
        logtimeGenMaxCreate: LogTime,
    }
    JET_DBINFOMISC7 {
        ulVersion: u32,
        ulUpdate: u32,
        signDb: Signature,
        dbstate: u32,
        lgposConsistent: LeLgPos,
        logtimeConsistent: LogTime,
        logtimeAttach: LogTime,
        lgposAttach: LeLgPos,
        logtimeDetach: LogTime,
        lgposDetach: LeLgPos,
        signLog: Signature,
        bkinfoFullPrev: BkInfo,
        bkinfoIncPrev: BkInfo,
        bkinfoFullCur: BkInfo,
        fShadowingDisabled: u32,
        fUpgradeDb: u32,
        dwMajorVersion: u32,
        dwMinorVersion: u32,
        dwBuildNumber: u32,
        lSPNumber: i32,
        cbPageSize: u32,
        genMinRequired: u32,
        genMaxRequired: u32,
        logtimeGenMaxCreate: LogTime,
        ulRepairCount: u32,
        logtimeRepair: LogTime,
        ulRepairCountOld: u32,
        ulECCFixSuccess: u32,
        logtimeECCFixSuccess: LogTime,
        ulECCFixSuccessOld: u32,
        ulECCFixFail: u32,
        logtimeECCFixFail: LogTime,
        ulECCFixFailOld: u32,
        ulBadChecksum: u32,
        logtimeBadChecksum: LogTime,
        ulBadChecksumOld: u32,
        genCommitted: u32,
        bkinfoCopyPrev: BkInfo,
        bkinfoDiffPrev: BkInfo,
        ulIncrementalReseedCount: u32,
        logtimeIncrementalReseed: LogTime,
        ulIncrementalReseedCountOld: u32,
        ulPagePatchCount: u32,
        logtimePagePatch: LogTime,
        ulPagePatchCountOld: u32,
        logtimeChecksumPrev: LogTime,
        logtimeChecksumStart: LogTime,
        cpgDatabaseChecked: u32,
        logtimeLastReAttach: LogTime,
        lgposLastReAttach: LeLgPos,
    }
    JET_LOGINFOMISC {
        ulGeneration: u32,
        signLog: Signature,
        logtimeCreate: LogTime,
        logtimePreviousGeneration: LogTime,
        ulFlags: u32,
        ulVersionMajor: u32,
        ulVersionMinor: u32,
        ulVersionUpdate: u32,
        cbSectorSize: u32,
        cbHeader: u32,
        cbFile: u32,
        cbDatabasePageSize: u32,
    }
    JET_LOGINFOMISC2 {
        ulGeneration: u32,
        signLog: Signature,
        logtimeCreate: LogTime,
        logtimePreviousGeneration: LogTime,
        ulFlags: u32,
        ulVersionMajor: u32,
        ulVersionMinor: u32,
        ulVersionUpdate: u32,
        cbSectorSize: u32,
        cbHeader: u32,
        cbFile: u32,
        cbDatabasePageSize: u32,
        lgposCheckpoint: LeLgPos,
    }
    JET_LOGINFOMISC3 {
        ulGeneration: u32,
        signLog: Signature,
        logtimeCreate: LogTime,
        logtimePreviousGeneration: LogTime,
        ulFlags: u32,
        ulVersionMajor: u32,
        ulVersionUpdateMajor: u32,
        ulVersionUpdateMinor: u32,
        cbSectorSize: u32,
        cbHeader: u32,
        cbFile: u32,
        cbDatabasePageSize: u32,
        lgposCheckpoint: LeLgPos,
        ulVersionMinorDeprecated: u32,
        checksumPrevLogAllSegments: u64,
    }
    JET_RSTINFO2<C> {
        cbStruct: u32,
        rgrstmap: Ptr<JET_RSTMAP2<C>>,
        crstmap: i32,
        lgposStop: LeLgPos,
        logtimeStop: LogTime,
        pfnCallback: InitCallback,
        pvCallbackContext: Bytes,
    }
}
