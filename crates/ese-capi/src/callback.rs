//! Functions of callers as the engine wants them: status, rows, local storage, durable commits,
//! and defragmentation.

use ese_api::jet::{self, JET_CALLBACK, JET_CALLBACKINFO, JET_INSTANCE, JET_SESID, JET_SNPROG};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, cursor, exports, handle, session},
    calls::{Callback, Context, DurableCommit, Status, answer},
    ptr::{Bytes, Ptr, size},
    types::{JET_COMMIT_ID, JET_SNPROG as Progress},
};

/// JET_cbtypOnlineDefragCompleted.
const DEFRAGMENTED: u32 = 0x100;
/// JET_dbidNil.
const NO_DATABASE: u32 = u32::MAX;

/// Tells a status function; its error ends the call.
pub(crate) fn status(
    sesid: usize,
    function: Status,
) -> impl FnMut(u32, u32, &JET_SNPROG) -> Result<()> {
    move |snp, snt, told| {
        let JET_SNPROG { cunitDone, cunitTotal } = *told;
        let progress = Progress { cbStruct: size::<Progress>(), cunitDone, cunitTotal };
        answer(function.tell(sesid, snp, snt, Some(progress)))
    }
}

/// No handle, as callers of callbacks name it.
fn nil(handle_: u64) -> usize {
    if handle_ == 0 { usize::MAX } else { handle(handle_) }
}

/// Told of rows that change, or of local storage that is no longer needed.
pub(crate) fn row_callback(function: Callback, context: Bytes) -> JET_CALLBACK {
    let number = function.address() as u64;
    let context = Context::new(context);
    let told = move |info: &JET_CALLBACKINFO| {
        let JET_CALLBACKINFO { sesid, dbid, tableid, cbtyp, ls } = *info;
        let freed = if cbtyp & FREE_LS != 0 { handle(ls) } else { 0 };
        let freed = Ptr::<u8>::at_address(freed).bytes();
        let dbid = if sesid.0 == 0 { NO_DATABASE } else { dbid };
        let (sesid, tableid, pv) = (nil(sesid.0), nil(tableid.0), context.get());
        let code = function.call(sesid, dbid, tableid, cbtyp, freed, Bytes::NULL, pv, 0);
        answer(code.unwrap_or(0))
    };
    JET_CALLBACK::numbered(number, told)
}

/// JET_cbtypFreeCursorLS and JET_cbtypFreeTableLS.
const FREE_LS: u32 = 0x600;

pub(crate) fn runtime_callback(function: Callback) -> JET_CALLBACK {
    row_callback(function, Bytes::NULL)
}

/// Told when a defragmentation has ended, on a thread of the engine.
pub(crate) fn defragmented(function: Callback, context: Bytes) -> Option<jet::JET_PFNDEFRAG> {
    let context = Context::new(context);
    let told = move |sesid: JET_SESID, dbid: u32| {
        let (sesid, none, pv) = (handle(sesid.0), Bytes::NULL, context.get());
        function.call(sesid, dbid, usize::MAX, DEFRAGMENTED, none, none, pv, 0);
    };
    if !function.is_some() {
        return None;
    }
    Some(Box::new(told))
}

/// JET_paramDurableCommitCallback.
pub(crate) fn durable_commit(
    inst: Option<JET_INSTANCE>,
    sesid: JET_SESID,
    function: Bytes,
) -> Result<()> {
    let function = DurableCommit::of(function);
    let number = function.address() as u64;
    let told = move |instance: JET_INSTANCE, commit: &jet::JET_COMMIT_ID| {
        let jet::JET_COMMIT_ID { signLog, commitId } = *commit;
        let mut commit = JET_COMMIT_ID { signLog, reserved: 0, commitId };
        function.call(handle(instance.0), Ptr::to(&mut commit), 0);
    };
    let callback = function.is_some().then(|| jet::JET_DURABLECOMMIT::new(number, told));
    jet::set_durable_commit_callback(inst, sesid, callback)
}

exports! {
    fn JetRegisterCallback(
        sesid: usize, tableid: usize, cbtyp: u32, pCallback: Callback, pvContext: Bytes,
        phCallbackId: Ptr<usize>
    ) about About::Cursor(sesid, tableid) => {
        if !pCallback.is_some() {
            return Err(Error::new(JetErr::InvalidParameter, "no function to be called back"));
        }
        let to = phCallbackId.required()?;
        let callback = row_callback(pCallback, pvContext);
        let (sesid, tableid) = (session(sesid), cursor(tableid));
        to.write(handle(jet::JetRegisterCallback(sesid, tableid, cbtyp, &callback)?.0));
        Ok(())
    }

    fn JetUnregisterCallback(sesid: usize, tableid: usize, cbtyp: u32, hCallbackId: usize)
    about About::Cursor(sesid, tableid) => {
        let id = jet::JET_HANDLE(hCallbackId as u64);
        jet::JetUnregisterCallback(session(sesid), cursor(tableid), cbtyp, id)
    }

    fn JetSetLS(sesid: usize, tableid: usize, ls: usize, grbit: u32)
    about About::Cursor(sesid, tableid) => {
        jet::JetSetLS(session(sesid), cursor(tableid), ls as u64, grbit)
    }

    fn JetGetLS(sesid: usize, tableid: usize, pls: Ptr<usize>, grbit: u32)
    about About::Cursor(sesid, tableid) => {
        let to = pls.required()?;
        to.write(handle(jet::JetGetLS(session(sesid), cursor(tableid), grbit)?));
        Ok(())
    }
}
