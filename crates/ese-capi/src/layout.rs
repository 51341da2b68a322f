//! Sizes and offsets of all structures, as a C compiler on a 64-bit machine has them
//! (jet-structs, `structs_check.c`): a difference does not compile.

use std::mem::{offset_of, size_of};

use ese_base::{BkInfo, LeLgPos, LogTime, Signature};

#[allow(clippy::wildcard_imports, reason = "all of them are named below")]
use crate::types::*;

macro_rules! layout {
    ($($name:ty = $size:literal { $($field:ident $offset:literal)* })*) => {
        $(
            assert!(size_of::<$name>() == $size, stringify!($name));
            $(assert!(offset_of!($name, $field) == $offset, stringify!($name.$field));)*
        )*
    };
}

const _: () = {
    layout! {
        JET_INDEXID = 20 { cbStruct 0 rgbIndexId 4 }
        JET_RSTMAP<u8> = 16 { szDatabaseName 0 szNewDatabaseName 8 }
        JET_RSTMAP<u16> = 16 { szDatabaseName 0 szNewDatabaseName 8 }
        JET_CONVERT<u8> = 16 { szOldDll 0 fFlags 8 }
        JET_CONVERT<u16> = 16 { szOldDll 0 fFlags 8 }
        JET_SNPROG = 12 { cbStruct 0 cunitDone 4 cunitTotal 8 }
        JET_DBINFOUPGRADE = 28 { cbStruct 0 cbFilesizeLow 4 cbFilesizeHigh 8
            cbFreeSpaceRequiredLow 12 cbFreeSpaceRequiredHigh 16 csecToUpgrade 20 ulFlags 24 }
        JET_OBJECTINFO = 40 { cbStruct 0 objtyp 4 dtCreate 8 dtUpdate 16 grbit 24 flags 28
            cRecord 32 cPage 36 }
        JET_OBJECTLIST = 56 { cbStruct 0 tableid 8 cRecord 16 columnidcontainername 20
            columnidobjectname 24 columnidobjtyp 28 columniddtCreate 32 columniddtUpdate 36
            columnidgrbit 40 columnidflags 44 columnidcRecord 48 columnidcPage 52 }
        JET_COLUMNLIST = 80 { cbStruct 0 tableid 8 cRecord 16 columnidPresentationOrder 20
            columnidcolumnname 24 columnidcolumnid 28 columnidcoltyp 32 columnidCountry 36
            columnidLangid 40 columnidCp 44 columnidCollate 48 columnidcbMax 52 columnidgrbit 56
            columnidDefault 60 columnidBaseTableName 64 columnidBaseColumnName 68
            columnidDefinitionName 72 }
        JET_COLUMNDEF = 28 { cbStruct 0 columnid 4 coltyp 8 wCountry 12 langid 14 cp 16
            wCollate 18 cbMax 20 grbit 24 }
        JET_COLUMNBASE<u8> = 540 { cbStruct 0 columnid 4 coltyp 8 wCountry 12 langid 14 cp 16
            wFiller 18 cbMax 20 grbit 24 szBaseTableName 28 szBaseColumnName 284 }
        JET_COLUMNBASE<u16> = 1052 { cbStruct 0 columnid 4 coltyp 8 wCountry 12 langid 14 cp 16
            wFiller 18 cbMax 20 grbit 24 szBaseTableName 28 szBaseColumnName 540 }
        JET_INDEXLIST = 88 { cbStruct 0 tableid 8 cRecord 16 columnidindexname 20
            columnidgrbitIndex 24 columnidcKey 28 columnidcEntry 32 columnidcPage 36
            columnidcColumn 40 columnidiColumn 44 columnidcolumnid 48 columnidcoltyp 52
            columnidCountry 56 columnidLangid 60 columnidCp 64 columnidCollate 68
            columnidgrbitColumn 72 columnidcolumnname 76 columnidLCMapFlags 80 }
        JET_COLUMNCREATE<u8> = 56 { cbStruct 0 szColumnName 8 coltyp 16 cbMax 20 grbit 24
            pvDefault 32 cbDefault 40 cp 44 columnid 48 err 52 }
        JET_COLUMNCREATE<u16> = 56 { cbStruct 0 szColumnName 8 coltyp 16 cbMax 20 grbit 24
            pvDefault 32 cbDefault 40 cp 44 columnid 48 err 52 }
        JET_USERDEFINEDDEFAULT<u8> = 32 { szCallback 0 pbUserData 8 cbUserData 16
            szDependantColumns 24 }
        JET_USERDEFINEDDEFAULT<u16> = 32 { szCallback 0 pbUserData 8 cbUserData 16
            szDependantColumns 24 }
        JET_CONDITIONALCOLUMN<u8> = 24 { cbStruct 0 szColumnName 8 grbit 16 }
        JET_CONDITIONALCOLUMN<u16> = 24 { cbStruct 0 szColumnName 8 grbit 16 }
        JET_UNICODEINDEX = 8 { lcid 0 dwMapFlags 4 }
        JET_UNICODEINDEX2 = 16 { szLocaleName 0 dwMapFlags 8 }
        JET_TUPLELIMITS = 20 { chLengthMin 0 chLengthMax 4 chToIndexMax 8 cchIncrement 12
            ichStart 16 }
        JET_SPACEHINTS = 32 { cbStruct 0 ulInitialDensity 4 cbInitial 8 grbit 12
            ulMaintDensity 16 ulGrowth 20 cbMinExtent 24 cbMaxExtent 28 }
        JET_INDEXCREATE<u8> = 80 { cbStruct 0 szIndexName 8 szKey 16 cbKey 24 grbit 28
            ulDensity 32 lcid_or_pidxunicode 40 cbVarSegMac_or_ptuplelimits 48
            rgconditionalcolumn 56 cConditionalColumn 64 err 68 cbKeyMost 72 }
        JET_INDEXCREATE<u16> = 80 { cbStruct 0 szIndexName 8 szKey 16 cbKey 24 grbit 28
            ulDensity 32 lcid_or_pidxunicode 40 cbVarSegMac_or_ptuplelimits 48
            rgconditionalcolumn 56 cConditionalColumn 64 err 68 cbKeyMost 72 }
        JET_INDEXCREATE2<u8> = 88 { cbStruct 0 szIndexName 8 szKey 16 cbKey 24 grbit 28
            ulDensity 32 lcid_or_pidxunicode 40 cbVarSegMac_or_ptuplelimits 48
            rgconditionalcolumn 56 cConditionalColumn 64 err 68 cbKeyMost 72 pSpacehints 80 }
        JET_INDEXCREATE2<u16> = 88 { cbStruct 0 szIndexName 8 szKey 16 cbKey 24 grbit 28
            ulDensity 32 lcid_or_pidxunicode 40 cbVarSegMac_or_ptuplelimits 48
            rgconditionalcolumn 56 cConditionalColumn 64 err 68 cbKeyMost 72 pSpacehints 80 }
        JET_INDEXCREATE3<u8> = 88 { cbStruct 0 szIndexName 8 szKey 16 cbKey 24 grbit 28
            ulDensity 32 pidxunicode 40 cbVarSegMac_or_ptuplelimits 48 rgconditionalcolumn 56
            cConditionalColumn 64 err 68 cbKeyMost 72 pSpacehints 80 }
        JET_INDEXCREATE3<u16> = 88 { cbStruct 0 szIndexName 8 szKey 16 cbKey 24 grbit 28
            ulDensity 32 pidxunicode 40 cbVarSegMac_or_ptuplelimits 48 rgconditionalcolumn 56
            cConditionalColumn 64 err 68 cbKeyMost 72 pSpacehints 80 }
        JET_TABLECREATE<u8> = 80 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56 grbit 60
            tableid 64 cCreated 72 }
        JET_TABLECREATE<u16> = 80 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56 grbit 60
            tableid 64 cCreated 72 }
        JET_TABLECREATE2<u8> = 96 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56
            szCallback 64 cbtyp 72 grbit 76 tableid 80 cCreated 88 }
        JET_TABLECREATE2<u16> = 96 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56
            szCallback 64 cbtyp 72 grbit 76 tableid 80 cCreated 88 }
        JET_TABLECREATE3<u8> = 120 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56
            szCallback 64 cbtyp 72 grbit 76 pSeqSpacehints 80 pLVSpacehints 88 cbSeparateLV 96
            tableid 104 cCreated 112 }
        JET_TABLECREATE3<u16> = 120 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56
            szCallback 64 cbtyp 72 grbit 76 pSeqSpacehints 80 pLVSpacehints 88 cbSeparateLV 96
            tableid 104 cCreated 112 }
        JET_TABLECREATE4<u8> = 120 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56
            szCallback 64 cbtyp 72 grbit 76 pSeqSpacehints 80 pLVSpacehints 88 cbSeparateLV 96
            tableid 104 cCreated 112 }
        JET_TABLECREATE4<u16> = 120 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56
            szCallback 64 cbtyp 72 grbit 76 pSeqSpacehints 80 pLVSpacehints 88 cbSeparateLV 96
            tableid 104 cCreated 112 }
        JET_OPENTEMPORARYTABLE = 64 { cbStruct 0 prgcolumndef 8 ccolumn 16 pidxunicode 24
            grbit 32 prgcolumnid 40 cbKeyMost 48 cbVarSegMac 52 tableid 56 }
        JET_OPENTEMPORARYTABLE2 = 64 { cbStruct 0 prgcolumndef 8 ccolumn 16 pidxunicode 24
            grbit 32 prgcolumnid 40 cbKeyMost 48 cbVarSegMac 52 tableid 56 }
        JET_RETINFO = 16 { cbStruct 0 ibLongValue 4 itagSequence 8 columnidNextTagged 12 }
        JET_SETINFO = 12 { cbStruct 0 ibLongValue 4 itagSequence 8 }
        JET_RECPOS = 16 { cbStruct 0 centriesLT 4 centriesInRange 8 centriesTotal 12 }
        JET_RECPOS2 = 32 { cbStruct 0 centriesLTDeprecated 4 centriesInRangeDeprecated 8
            centriesTotalDeprecated 12 centriesLT 16 centriesTotal 24 }
        JET_RECORDLIST = 24 { cbStruct 0 tableid 8 cRecord 16 columnidBookmark 20 }
        JET_INDEXRANGE = 24 { cbStruct 0 tableid 8 grbit 16 }
        JET_INDEX_COLUMN = 24 { columnid 0 relop 4 pv 8 cb 16 grbit 20 }
        JET_INDEX_RANGE = 32 { rgStartColumns 0 cStartColumns 8 rgEndColumns 16 cEndColumns 24 }
        LogTime = 8 { }
        LogTime = 8 { }
        LeLgPos = 8 { }
        Signature = 28 { }
        BkInfo = 24 { }
        JET_RSTINFO<u8> = 48 { cbStruct 0 rgrstmap 8 crstmap 16 lgposStop 20 logtimeStop 28
            pfnStatus 40 }
        JET_RSTINFO<u16> = 48 { cbStruct 0 rgrstmap 8 crstmap 16 lgposStop 20 logtimeStop 28
            pfnStatus 40 }
        JET_ERRINFOBASIC_W = 152 { cbStruct 0 errValue 4 errcatMostSpecific 8
            rgCategoricalHierarchy 12 lSourceLine 20 rgszSourceFile 24 }
        JET_COMMIT_ID = 40 { signLog 0 reserved 28 commitId 32 }
        JET_OPERATIONCONTEXT = 8 { ulUserID 0 nOperationID 4 nOperationType 5 nClientType 6
            fFlags 7 }
        JET_SETCOLUMN = 40 { columnid 0 pvData 8 cbData 16 grbit 20 ibLongValue 24
            itagSequence 28 err 32 }
        JET_SETSYSPARAM<u8> = 32 { paramid 0 lParam 8 sz 16 err 24 }
        JET_SETSYSPARAM<u16> = 32 { paramid 0 lParam 8 sz 16 err 24 }
        JET_RETRIEVECOLUMN = 48 { columnid 0 pvData 8 cbData 16 cbActual 20 grbit 24
            ibLongValue 28 itagSequence 32 columnidNextTagged 36 err 40 }
        JET_ENUMCOLUMNID = 16 { columnid 0 ctagSequence 4 rgtagSequence 8 }
        JET_ENUMCOLUMNVALUE = 24 { itagSequence 0 err 4 cbData 8 pvData 16 }
        JET_ENUMCOLUMN = 24 { columnid 0 err 4 cEnumColumnValue_or_cbData 8
            rgEnumColumnValue_or_pvData 16 }
        JET_RECSIZE = 64 { cbData 0 cbLongValueData 8 cbOverhead 16 cbLongValueOverhead 24
            cNonTaggedColumns 32 cTaggedColumns 40 cLongValues 48 cMultiValues 56 }
        JET_RECSIZE2 = 88 { cbData 0 cbLongValueData 8 cbOverhead 16 cbLongValueOverhead 24
            cNonTaggedColumns 32 cTaggedColumns 40 cLongValues 48 cMultiValues 56
            cCompressedColumns 64 cbDataCompressed 72 cbLongValueDataCompressed 80 }
        JET_LOGINFO<u8> = 16 { cbSize 0 ulGenLow 4 ulGenHigh 8 szBaseName 12 }
        JET_LOGINFO<u16> = 20 { cbSize 0 ulGenLow 4 ulGenHigh 8 szBaseName 12 }
        JET_INSTANCE_INFO<u8> = 48 { hInstanceId 0 szInstanceName 8 cDatabases 16
            szDatabaseFileName 24 szDatabaseDisplayName 32 szDatabaseSLVFileName_Obsolete 40 }
        JET_INSTANCE_INFO<u16> = 48 { hInstanceId 0 szInstanceName 8 cDatabases 16
            szDatabaseFileName 24 szDatabaseDisplayName 32 szDatabaseSLVFileName_Obsolete 40 }
        JET_THREADSTATS = 32 { cbStruct 0 cPageReferenced 4 cPageRead 8 cPagePreread 12
            cPageDirtied 16 cPageRedirtied 20 cLogRecord 24 cbLogRecord 28 }
        JET_THREADSTATS2 = 48 { cbStruct 0 cPageReferenced 4 cPageRead 8 cPagePreread 12
            cPageDirtied 16 cPageRedirtied 20 cLogRecord 24 cbLogRecord 28 cusecPageCacheMiss 32
            cPageCacheMiss 40 }
        JET_THREADSTATS3 = 64 { cbStruct 0 cPageReferenced 4 cPageRead 8 cPagePreread 12
            cPageDirtied 16 cPageRedirtied 20 cLogRecord 24 cbLogRecord 28 cusecPageCacheMiss 32
            cPageCacheMiss 40 cSeparatedLongValueRead 44 cusecLongValuePageCacheMiss 48
            cLongValuePageCacheMiss 56 }
        // Not among the public ones.
        JET_SETDBPARAM = 24 { dbparamid 0 pvParam 8 cbParam 16 }
        JET_RSTMAP2<u8> = 40 { cbStruct 0 szDatabaseName 8 szNewDatabaseName 16 rgsetdbparam 24
            csetdbparam 32 grbit 36 }
        JET_RSTMAP2<u16> = 40 { cbStruct 0 szDatabaseName 8 szNewDatabaseName 16 rgsetdbparam 24
            csetdbparam 32 grbit 36 }
        JET_SESSIONINFO = 24 { ulTrxBegin0 0 ulTrxLevel 4 ulProcid 8 ulFlags 12 ulTrxContext 16 }
        JET_TABLECREATE5<u8> = 120 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56
            szCallback 64 cbtyp 72 grbit 76 pSeqSpacehints 80 pLVSpacehints 88 cbSeparateLV 96
            cbLVChunkMax 100 tableid 104 cCreated 112 }
        JET_TABLECREATE5<u16> = 120 { cbStruct 0 szTableName 8 szTemplateTableName 16 ulPages 24
            ulDensity 28 rgcolumncreate 32 cColumns 40 rgindexcreate 48 cIndexes 56
            szCallback 64 cbtyp 72 grbit 76 pSeqSpacehints 80 pLVSpacehints 88 cbSeparateLV 96
            cbLVChunkMax 100 tableid 104 cCreated 112 }
        JET_CHECKPOINTINFO = 16 { genMin 0 genMax 4 logtimeGenMaxCreate 8 }
        JET_DBINFOMISC7 = 416 { ulVersion 0 ulUpdate 4 signDb 8 dbstate 36 lgposConsistent 40
            logtimeConsistent 48 logtimeAttach 56 lgposAttach 64 logtimeDetach 72 lgposDetach 80
            signLog 88 bkinfoFullPrev 116 bkinfoIncPrev 140 bkinfoFullCur 164
            fShadowingDisabled 188 fUpgradeDb 192 dwMajorVersion 196 dwMinorVersion 200
            dwBuildNumber 204 lSPNumber 208 cbPageSize 212 genMinRequired 216 genMaxRequired 220
            logtimeGenMaxCreate 224 ulRepairCount 232 logtimeRepair 236 ulRepairCountOld 244
            ulECCFixSuccess 248 logtimeECCFixSuccess 252 ulECCFixSuccessOld 260 ulECCFixFail 264
            logtimeECCFixFail 268 ulECCFixFailOld 276 ulBadChecksum 280 logtimeBadChecksum 284
            ulBadChecksumOld 292 genCommitted 296 bkinfoCopyPrev 300 bkinfoDiffPrev 324
            ulIncrementalReseedCount 348 logtimeIncrementalReseed 352
            ulIncrementalReseedCountOld 360 ulPagePatchCount 364 logtimePagePatch 368
            ulPagePatchCountOld 376 logtimeChecksumPrev 380 logtimeChecksumStart 388
            cpgDatabaseChecked 396 logtimeLastReAttach 400 lgposLastReAttach 408 }
        JET_LOGINFOMISC = 80 { ulGeneration 0 signLog 4 logtimeCreate 32
            logtimePreviousGeneration 40 ulFlags 48 ulVersionMajor 52 ulVersionMinor 56
            ulVersionUpdate 60 cbSectorSize 64 cbHeader 68 cbFile 72 cbDatabasePageSize 76 }
        JET_LOGINFOMISC2 = 88 { ulGeneration 0 signLog 4 logtimeCreate 32
            logtimePreviousGeneration 40 ulFlags 48 ulVersionMajor 52 ulVersionMinor 56
            ulVersionUpdate 60 cbSectorSize 64 cbHeader 68 cbFile 72 cbDatabasePageSize 76
            lgposCheckpoint 80 }
        JET_LOGINFOMISC3 = 104 { ulVersionUpdateMajor 56 ulVersionUpdateMinor 60 cbFile 72
            lgposCheckpoint 80 ulVersionMinorDeprecated 88 checksumPrevLogAllSegments 96 }
        JET_RSTINFO2<u8> = 56 { cbStruct 0 rgrstmap 8 crstmap 16 lgposStop 20 logtimeStop 28
            pfnCallback 40 pvCallbackContext 48 }
        JET_RSTINFO2<u16> = 56 { cbStruct 0 rgrstmap 8 crstmap 16 lgposStop 20 logtimeStop 28
            pfnCallback 40 pvCallbackContext 48 }
        JET_RECSIZE3 = 120 { cbData 0 cbLongValueData 8 cbOverhead 16 cbLongValueOverhead 24
            cNonTaggedColumns 32 cTaggedColumns 40 cLongValues 48 cMultiValues 56
            cCompressedColumns 64 cbDataCompressed 72 cbLongValueDataCompressed 80
            cbIntrinsicLongValueData 88 cbIntrinsicLongValueDataCompressed 96
            cIntrinsicLongValues 104 cbKey 112 }
    }
};
