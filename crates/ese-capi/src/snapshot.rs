//! Snapshots of volumes, led by whoever makes them.

use ese_api::jet::{self, JET_OSSNAPID};

use crate::{
    block::instance_infos,
    boundary::{About, exports, handle, instance, text_exports},
    ptr::Ptr,
    types::JET_INSTANCE_INFO,
};

fn id(number: usize) -> JET_OSSNAPID {
    JET_OSSNAPID(number as u64)
}

exports! {
    fn JetOSSnapshotPrepare(psnapId: Ptr<usize>, grbit: u32) about About::Process => {
        let to = psnapId.required()?;
        to.write(handle(jet::JetOSSnapshotPrepare(grbit)?.0));
        Ok(())
    }

    fn JetOSSnapshotPrepareInstance(snapId: usize, instance_: usize, grbit: u32)
    about About::Instance(instance_) => {
        jet::JetOSSnapshotPrepareInstance(id(snapId), instance(instance_), grbit)
    }

    fn JetOSSnapshotThaw(snapId: usize, grbit: u32) about About::Process => {
        jet::JetOSSnapshotThaw(id(snapId), grbit)
    }

    fn JetOSSnapshotAbort(snapId: usize, grbit: u32) about About::Process => {
        jet::JetOSSnapshotAbort(id(snapId), grbit)
    }

    fn JetOSSnapshotEnd(snapId: usize, grbit: u32) about About::Process => {
        jet::JetOSSnapshotEnd(id(snapId), grbit)
    }

    fn JetOSSnapshotTruncateLog(snapId: usize, grbit: u32) about About::Process => {
        jet::JetOSSnapshotTruncateLog(id(snapId), grbit)
    }

    fn JetOSSnapshotTruncateLogInstance(snapId: usize, instance_: usize, grbit: u32)
    about About::Instance(instance_) => {
        jet::JetOSSnapshotTruncateLogInstance(id(snapId), instance(instance_), grbit)
    }
}

text_exports! {
    fn JetOSSnapshotFreeze JetOSSnapshotFreezeA | JetOSSnapshotFreezeW(
        snapId: usize, pcInstanceInfo: Ptr<u32>, paInstanceInfo: Ptr<Ptr<JET_INSTANCE_INFO<C>>>,
        grbit: u32
    ) about About::Process => {
        let (count, to) = (pcInstanceInfo.required()?, paInstanceInfo.required()?);
        instance_infos(&jet::JetOSSnapshotFreeze(id(snapId), grbit)?, count, to)
    }

    fn JetOSSnapshotGetFreezeInfo JetOSSnapshotGetFreezeInfoA | JetOSSnapshotGetFreezeInfoW(
        snapId: usize, pcInstanceInfo: Ptr<u32>, paInstanceInfo: Ptr<Ptr<JET_INSTANCE_INFO<C>>>,
        grbit: u32
    ) about About::Process => {
        let (count, to) = (pcInstanceInfo.required()?, paInstanceInfo.required()?);
        instance_infos(&jet::JetOSSnapshotGetFreezeInfo(id(snapId), grbit)?, count, to)
    }
}
