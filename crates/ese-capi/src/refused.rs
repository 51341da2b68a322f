//! Functions that are there so that programs which name them are loaded, and that do nothing: what
//! they are for does not exist here. The arguments are not looked at.

use ese_api::jet;
use ese_base::{Error, JetErr};

use crate::{
    boundary::{About, session, text_exports},
    ptr::{Ptr, Str},
};

macro_rules! refused {
    ($code:ident: $($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> i32 {
            JetErr::$code as i32
        }
    )*};
}

// Of other engines: private, obsolete, or about replicas, revert snapshots and streaming files.
refused! {
    FeatureNotAvailable:
        JetBeginDatabaseIncrementalReseed JetBeginDatabaseIncrementalReseedA
        JetBeginDatabaseIncrementalReseedW JetConsumeLogData JetConvertDDL JetConvertDDLA
        JetConvertDDLW JetCreateEncryptionKey JetDBUtilities JetDBUtilitiesA JetDBUtilitiesW
        JetEndDatabaseIncrementalReseed JetEndDatabaseIncrementalReseedA
        JetEndDatabaseIncrementalReseedW JetGetCounter JetGetDatabasePages JetGetPageInfo
        JetGetPageInfo2 JetGetRBSFileInfoA JetGetRBSFileInfoW JetGetResourceParam
        JetOnlinePatchDatabasePage JetOpenFileSectionInstance JetOpenFileSectionInstanceA
        JetOpenFileSectionInstanceW JetPatchDatabasePages JetPatchDatabasePagesA
        JetPatchDatabasePagesW JetPrepareToCommitTransaction JetPrereadColumnsByReference
        JetPrereadIndexRange JetPrereadTablesW JetRBSCancelRevert JetRBSExecuteRevert
        JetRBSPrepareRevert JetRemoveLogfileA JetRemoveLogfileW JetResetCounter
        JetRetrieveColumnByReference JetRetrieveColumnFromRecordStream JetRetrieveTaggedColumnList
        JetSetResourceParam JetSetTableInfo JetSetTableInfoA JetSetTableInfoW JetSnapshotStart
        JetSnapshotStartA JetSnapshotStartW JetSnapshotStop JetStreamRecords JetTracing
        JetUpgradeDatabase JetUpgradeDatabaseA JetUpgradeDatabaseW
}

// What this version has not.
refused! {
    FeatureNotAvailable:
        JetDatabaseScan JetGetSessionInfo
}

// Faults are injected by a simulation here, not from outside.
refused! {
    TestInjectionNotSupported:
        JetTestHook
}

text_exports! {
    // As JetCreateDatabase2; a streaming file is refused.
    fn JetCreateDatabaseWithStreaming JetCreateDatabaseWithStreamingA
        | JetCreateDatabaseWithStreamingW(
        sesid: usize, szDbFileName: Str<C>, szSLVFileName: Str<C>, szSLVRootName: Str<C>,
        cpgDatabaseSizeMax: u32, pdbid: Ptr<u32>, grbit: u32
    ) about About::Session(sesid) => {
        no_streaming(&[szSLVFileName.or_empty()?, szSLVRootName.or_empty()?])?;
        let (to, path) = (pdbid.required()?, szDbFileName.path()?);
        to.write(jet::JetCreateDatabase2(session(sesid), &path, cpgDatabaseSizeMax, grbit)?);
        Ok(())
    }

    // As JetAttachDatabase2; a streaming file is refused.
    fn JetAttachDatabaseWithStreaming JetAttachDatabaseWithStreamingA
        | JetAttachDatabaseWithStreamingW(
        sesid: usize, szDbFileName: Str<C>, szSLVFileName: Str<C>, szSLVRootName: Str<C>,
        cpgDatabaseSizeMax: u32, grbit: u32
    ) about About::Session(sesid) => {
        no_streaming(&[szSLVFileName.or_empty()?, szSLVRootName.or_empty()?])?;
        let path = szDbFileName.path()?;
        jet::JetAttachDatabase2(session(sesid), &path, cpgDatabaseSizeMax, grbit)
    }
}

fn no_streaming(names: &[String]) -> ese_base::Result<()> {
    if names.iter().all(String::is_empty) {
        return Ok(());
    }
    Err(Error::new(JetErr::FeatureNotAvailable, "streaming files do not exist any more"))
}
