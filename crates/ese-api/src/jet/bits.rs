//! Flags and numbers of the interface (jet-bits, jet-types), as far as this version knows them.
#![allow(missing_docs, reason = "named and described in the public documentation of the interface")]

use super::JET_GRBIT;

pub const JET_bitNil: JET_GRBIT = 0;

pub const JET_bitDbReadOnly: JET_GRBIT = 0x1;
pub const JET_bitDbExclusive: JET_GRBIT = 0x2;
pub const JET_bitDbRecoveryOff: JET_GRBIT = 0x8;
pub const JET_bitDbVersioningOff: JET_GRBIT = 0x40;
pub const JET_bitDbShadowingOff: JET_GRBIT = 0x80;
pub const JET_bitDbUpgrade: JET_GRBIT = 0x200;
pub const JET_bitDbEnableBackgroundMaintenance: JET_GRBIT = 0x800;
pub const JET_bitDbPurgeCacheOnAttach: JET_GRBIT = 0x1000;
pub const JET_bitDbDeleteCorruptIndexes: JET_GRBIT = 0x10;
pub const JET_bitDbDeleteUnicodeIndexes: JET_GRBIT = 0x400;
pub const JET_bitDbOverwriteExisting: JET_GRBIT = 0x200;

pub const JET_bitTransactionReadOnly: JET_GRBIT = 0x1;
pub const JET_bitCommitLazyFlush: JET_GRBIT = 0x1;
pub const JET_bitWaitLastLevel0Commit: JET_GRBIT = 0x2;
pub const JET_bitWaitAllLevel0Commit: JET_GRBIT = 0x8;
pub const JET_bitForceNewLog: JET_GRBIT = 0x10;
pub const JET_bitRollbackAll: JET_GRBIT = 0x1;

pub const JET_bitTableDenyWrite: JET_GRBIT = 0x1;
pub const JET_bitTableDenyRead: JET_GRBIT = 0x2;
pub const JET_bitTableReadOnly: JET_GRBIT = 0x4;
pub const JET_bitTableUpdatable: JET_GRBIT = 0x8;
pub const JET_bitTablePermitDDL: JET_GRBIT = 0x10;
pub const JET_bitTableNoCache: JET_GRBIT = 0x20;
pub const JET_bitTablePreread: JET_GRBIT = 0x40;
pub const JET_bitTableOpportuneRead: JET_GRBIT = 0x80;
pub const JET_bitTableSequential: JET_GRBIT = 0x8000;
pub const JET_bitTableClassMask: JET_GRBIT = 0x1f_0000;

pub const JET_bitColumnFixed: JET_GRBIT = 0x1;
pub const JET_bitColumnTagged: JET_GRBIT = 0x2;
pub const JET_bitColumnNotNULL: JET_GRBIT = 0x4;
pub const JET_bitColumnVersion: JET_GRBIT = 0x8;
pub const JET_bitColumnUpdatable: JET_GRBIT = 0x20;
pub const JET_bitColumnTTKey: JET_GRBIT = 0x40;
pub const JET_bitColumnTTDescending: JET_GRBIT = 0x80;
pub const JET_bitColumnAutoincrement: JET_GRBIT = 0x10;
pub const JET_bitColumnMultiValued: JET_GRBIT = 0x400;
pub const JET_bitColumnEscrowUpdate: JET_GRBIT = 0x800;
pub const JET_bitColumnUnversioned: JET_GRBIT = 0x1000;
pub const JET_bitColumnMaybeNull: JET_GRBIT = 0x2000;
pub const JET_bitColumnFinalize: JET_GRBIT = 0x4000;
pub const JET_bitColumnUserDefinedDefault: JET_GRBIT = 0x8000;
pub const JET_bitColumnDeleteOnZero: JET_GRBIT = 0x20000;
pub const JET_bitColumnCompressed: JET_GRBIT = 0x80000;
pub const JET_bitTableCreateFixedDDL: JET_GRBIT = 0x1;
pub const JET_bitTableCreateTemplateTable: JET_GRBIT = 0x2;
pub const JET_bitTableCreateNoFixedVarColumnsInDerivedTables: JET_GRBIT = 0x4;
pub const JET_bitTableCreateImmutableStructure: JET_GRBIT = 0x8;
pub const JET_bitEscrowNoRollback: JET_GRBIT = 0x1;

pub const JET_bitTTIndexed: JET_GRBIT = 0x1;
pub const JET_bitTTUnique: JET_GRBIT = 0x2;
pub const JET_bitTTUpdatable: JET_GRBIT = 0x4;
pub const JET_bitTTScrollable: JET_GRBIT = 0x8;
pub const JET_bitTTSortNullsHigh: JET_GRBIT = 0x10;
pub const JET_bitTTForceMaterialization: JET_GRBIT = 0x20;
pub const JET_bitTTErrorOnDuplicateInsertion: JET_GRBIT = JET_bitTTForceMaterialization;
pub const JET_bitTTForwardOnly: JET_GRBIT = 0x40;
pub const JET_bitTTIntrinsicLVsOnly: JET_GRBIT = 0x80;
pub const JET_bitTTDotNetGuid: JET_GRBIT = 0x100;

pub const JET_bitKeyAscending: JET_GRBIT = 0;
pub const JET_bitKeyDescending: JET_GRBIT = 0x1;

pub const JET_bitIndexUnique: JET_GRBIT = 0x1;
pub const JET_bitIndexPrimary: JET_GRBIT = 0x2;
pub const JET_bitIndexDisallowNull: JET_GRBIT = 0x4;
pub const JET_bitIndexIgnoreNull: JET_GRBIT = 0x8;
pub const JET_bitIndexIgnoreAnyNull: JET_GRBIT = 0x20;
pub const JET_bitIndexIgnoreFirstNull: JET_GRBIT = 0x40;
pub const JET_bitIndexLazyFlush: JET_GRBIT = 0x80;
pub const JET_bitIndexEmpty: JET_GRBIT = 0x100;
pub const JET_bitIndexUnversioned: JET_GRBIT = 0x200;
pub const JET_bitIndexUnicode: JET_GRBIT = 0x800;
pub const JET_bitIndexSortNullsHigh: JET_GRBIT = 0x400;
pub const JET_bitIndexDisallowTruncation: JET_GRBIT = 0x1_0000;
pub const JET_bitIndexTuples: JET_GRBIT = 0x1000;
pub const JET_bitIndexTupleLimits: JET_GRBIT = 0x2000;
pub const JET_bitIndexCrossProduct: JET_GRBIT = 0x4000;
pub const JET_bitIndexNestedTable: JET_GRBIT = 0x2_0000;
pub const JET_bitIndexColumnMustBeNull: JET_GRBIT = 0x1;
pub const JET_bitIndexColumnMustBeNonNull: JET_GRBIT = 0x2;
pub const JET_bitIndexKeyMost: JET_GRBIT = 0x8000;
pub const JET_bitIndexDotNetGuid: JET_GRBIT = 0x4_0000;
pub const JET_bitIndexImmutableStructure: JET_GRBIT = 0x8_0000;

pub const JET_bitNewKey: JET_GRBIT = 0x1;
pub const JET_bitStrLimit: JET_GRBIT = 0x2;
pub const JET_bitSubStrLimit: JET_GRBIT = 0x4;
pub const JET_bitNormalizedKey: JET_GRBIT = 0x8;
pub const JET_bitKeyDataZeroLength: JET_GRBIT = 0x10;
pub const JET_bitFullColumnStartLimit: JET_GRBIT = 0x100;
pub const JET_bitFullColumnEndLimit: JET_GRBIT = 0x200;
pub const JET_bitPartialColumnStartLimit: JET_GRBIT = 0x400;
pub const JET_bitPartialColumnEndLimit: JET_GRBIT = 0x800;

pub const JET_bitRangeInclusive: JET_GRBIT = 0x1;
pub const JET_bitRangeUpperLimit: JET_GRBIT = 0x2;
pub const JET_bitRangeInstantDuration: JET_GRBIT = 0x4;
pub const JET_bitRangeRemove: JET_GRBIT = 0x8;

pub const JET_bitMoveFirst: JET_GRBIT = 0x0;
pub const JET_bitMoveBeforeFirst: JET_GRBIT = 0x1;
pub const JET_bitNoMove: JET_GRBIT = 0x2;
pub const JET_bitBookmarkPermitVirtualCurrency: JET_GRBIT = 0x1;
pub const JET_bitRecordInIndex: JET_GRBIT = 0x1;
pub const JET_bitRecordNotInIndex: JET_GRBIT = 0x2;
pub const JET_bitPrereadForward: JET_GRBIT = 0x1;
pub const JET_bitPrereadBackward: JET_GRBIT = 0x2;
pub const JET_bitPrereadFirstPage: JET_GRBIT = 0x4;
pub const JET_bitPrereadNormalizedKey: JET_GRBIT = 0x8;
pub const JET_bitZeroLength: JET_GRBIT = 0x1;

pub const JET_relopEquals: u32 = 0;
pub const JET_relopPrefixEquals: u32 = 1;
pub const JET_relopNotEquals: u32 = 2;
pub const JET_relopLessThanOrEqual: u32 = 3;
pub const JET_relopLessThan: u32 = 4;
pub const JET_relopGreaterThanOrEqual: u32 = 5;
pub const JET_relopGreaterThan: u32 = 6;
pub const JET_relopBitmaskEqualsZero: u32 = 7;
pub const JET_relopBitmaskNotEqualsZero: u32 = 8;

pub const JET_bitDefragmentBatchStart: JET_GRBIT = 0x1;
pub const JET_bitDefragmentBatchStop: JET_GRBIT = 0x2;
pub const JET_bitDefragmentAvailSpaceTreesOnly: JET_GRBIT = 0x40;
pub const JET_bitDefragmentNoPartialMerges: JET_GRBIT = 0x80;
pub const JET_bitDefragmentBTree: JET_GRBIT = 0x100;
pub const JET_bitDefragmentBTreeBatch: JET_GRBIT = 0x200;

/// Of JetDeleteColumn2.
pub const JET_bitDeleteColumnIgnoreTemplateColumns: JET_GRBIT = 0x1;

pub const JET_bitResizeDatabaseOnlyGrow: JET_GRBIT = 0x1;
pub const JET_bitResizeDatabaseOnlyShrink: JET_GRBIT = 0x2;
pub const JET_bitShrinkDatabaseOff: JET_GRBIT = 0x0;
pub const JET_bitShrinkDatabaseOn: JET_GRBIT = 0x1;
pub const JET_bitShrinkDatabaseRealtime: JET_GRBIT = 0x2;

pub const JET_bitCompactStats: JET_GRBIT = 0x20;
pub const JET_bitCompactRepair: JET_GRBIT = 0x40;

pub const JET_bitReadLock: JET_GRBIT = 0x1;
pub const JET_bitWriteLock: JET_GRBIT = 0x2;
pub const JET_bitUpdateCheckESE97Compatibility: JET_GRBIT = 0x1;

pub const JET_bitSeekEQ: JET_GRBIT = 0x1;
pub const JET_bitSeekLT: JET_GRBIT = 0x2;
pub const JET_bitSeekLE: JET_GRBIT = 0x4;
pub const JET_bitSeekGE: JET_GRBIT = 0x8;
pub const JET_bitSeekGT: JET_GRBIT = 0x10;
pub const JET_bitSetIndexRange: JET_GRBIT = 0x20;
pub const JET_bitCheckUniqueness: JET_GRBIT = 0x40;

pub const JET_bitMoveKeyNE: JET_GRBIT = 0x1;
pub const JET_MoveFirst: i32 = i32::MIN;
pub const JET_MovePrevious: i32 = -1;
pub const JET_MoveNext: i32 = 1;
pub const JET_MoveLast: i32 = i32::MAX;

pub const JET_prepInsert: u32 = 0;
pub const JET_prepReplace: u32 = 2;
pub const JET_prepCancel: u32 = 3;
pub const JET_prepReplaceNoLock: u32 = 4;
pub const JET_prepInsertCopy: u32 = 5;
pub const JET_prepInsertCopyDeleteOriginal: u32 = 7;
pub const JET_prepInsertCopyReplaceOriginal: u32 = 9;

pub const JET_bitSetAppendLV: JET_GRBIT = 0x1;
pub const JET_bitSetOverwriteLV: JET_GRBIT = 0x4;
pub const JET_bitSetSizeLV: JET_GRBIT = 0x8;
pub const JET_bitSetZeroLength: JET_GRBIT = 0x20;
pub const JET_bitSetSeparateLV: JET_GRBIT = 0x40;
pub const JET_bitSetUniqueMultiValues: JET_GRBIT = 0x80;
pub const JET_bitSetUniqueNormalizedMultiValues: JET_GRBIT = 0x100;
pub const JET_bitSetRevertToDefaultValue: JET_GRBIT = 0x200;
pub const JET_bitSetIntrinsicLV: JET_GRBIT = 0x400;
pub const JET_bitSetUncompressed: JET_GRBIT = 0x1_0000;
pub const JET_bitSetCompressed: JET_GRBIT = 0x2_0000;
pub const JET_bitSetContiguousLV: JET_GRBIT = 0x4_0000;

pub const JET_bitRetrieveCopy: JET_GRBIT = 0x1;
pub const JET_bitRetrieveFromIndex: JET_GRBIT = 0x2;
pub const JET_bitRetrieveFromPrimaryBookmark: JET_GRBIT = 0x4;
pub const JET_bitRetrieveTag: JET_GRBIT = 0x8;
pub const JET_bitRetrieveNull: JET_GRBIT = 0x10;
pub const JET_bitRetrieveIgnoreDefault: JET_GRBIT = 0x20;
pub const JET_bitRetrieveTuple: JET_GRBIT = 0x800;

pub const JET_bitEnumerateCopy: JET_GRBIT = 0x1;
pub const JET_bitEnumerateIgnoreDefault: JET_GRBIT = 0x20;
pub const JET_bitEnumeratePresenceOnly: JET_GRBIT = 0x2_0000;
pub const JET_bitEnumerateTaggedOnly: JET_GRBIT = 0x4_0000;
pub const JET_bitEnumerateCompressOutput: JET_GRBIT = 0x8_0000;
pub const JET_bitEnumerateIgnoreUserDefinedDefault: JET_GRBIT = 0x10_0000;
pub const JET_bitEnumerateInRecordOnly: JET_GRBIT = 0x20_0000;

pub const JET_bitRecordSizeInCopyBuffer: JET_GRBIT = 0x1;
pub const JET_bitRecordSizeRunningTotal: JET_GRBIT = 0x2;
pub const JET_bitRecordSizeLocal: JET_GRBIT = 0x4;
pub const JET_bitRecordSizeIntrinsicPhysicalOnly: JET_GRBIT = 0x20;
pub const JET_bitRecordSizeExtrinsicLogicalOnly: JET_GRBIT = 0x40;

pub const JET_coltypBit: u32 = 1;
pub const JET_coltypUnsignedByte: u32 = 2;
pub const JET_coltypShort: u32 = 3;
pub const JET_coltypLong: u32 = 4;
pub const JET_coltypCurrency: u32 = 5;
pub const JET_coltypIEEESingle: u32 = 6;
pub const JET_coltypIEEEDouble: u32 = 7;
pub const JET_coltypDateTime: u32 = 8;
pub const JET_coltypBinary: u32 = 9;
pub const JET_coltypText: u32 = 10;
pub const JET_coltypLongBinary: u32 = 11;
pub const JET_coltypLongText: u32 = 12;
pub const JET_coltypUnsignedLong: u32 = 14;
pub const JET_coltypLongLong: u32 = 15;
pub const JET_coltypGUID: u32 = 16;
pub const JET_coltypUnsignedShort: u32 = 17;
pub const JET_coltypUnsignedLongLong: u32 = 18;

pub const JET_bitLSReset: JET_GRBIT = 0x1;
pub const JET_bitLSCursor: JET_GRBIT = 0x2;
pub const JET_bitLSTable: JET_GRBIT = 0x4;

pub const JET_cbtypFinalize: u32 = 0x1;
pub const JET_cbtypBeforeInsert: u32 = 0x2;
pub const JET_cbtypAfterInsert: u32 = 0x4;
pub const JET_cbtypBeforeReplace: u32 = 0x8;
pub const JET_cbtypAfterReplace: u32 = 0x10;
pub const JET_cbtypBeforeDelete: u32 = 0x20;
pub const JET_cbtypAfterDelete: u32 = 0x40;
pub const JET_cbtypFreeCursorLS: u32 = 0x200;
pub const JET_cbtypFreeTableLS: u32 = 0x400;

pub const JET_bitForceDetach: JET_GRBIT = 0x1;
pub const JET_bitForceCloseAndDetach: JET_GRBIT = 0x3;

pub const JET_bitIdleFlushBuffers: JET_GRBIT = 0x1;
pub const JET_bitIdleCompact: JET_GRBIT = 0x2;
pub const JET_bitIdleStatus: JET_GRBIT = 0x4;
