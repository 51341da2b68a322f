//! Sessions and transactions.

use ese_api::jet;
use ese_base::{Error, JetErr};

use crate::{
    boundary::{About, exports, handle, instance, session, text_exports},
    ptr::{Bytes, Ptr, Str, len},
    types::JET_COMMIT_ID,
};

exports! {
    fn JetDupSession(sesid: usize, psesid: Ptr<usize>) about About::Session(sesid) => {
        let to = psesid.required()?;
        to.write(handle(jet::JetDupSession(session(sesid))?.0));
        Ok(())
    }

    fn JetEndSession(sesid: usize, grbit: u32) about About::Session(sesid) => {
        jet::JetEndSession(session(sesid), grbit)
    }

    fn JetSetSessionContext(sesid: usize, ulContext: usize) about About::Session(sesid) => {
        jet::JetSetSessionContext(session(sesid), ulContext as u64)
    }

    fn JetResetSessionContext(sesid: usize) about About::Session(sesid) => {
        jet::JetResetSessionContext(session(sesid))
    }

    fn JetGetSessionParameter(
        sesid: usize, sesparamid: u32, pvParam: Bytes, cbParamMax: u32, pcbParamActual: Ptr<u32>
    ) about About::Session(sesid) => {
        let mut pvParam = pvParam;
        if pvParam.is_null() && pcbParamActual.is_null() {
            let what = "neither a parameter nor its size is asked for";
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        let found = jet::session_parameter(session(sesid), sesparamid)?;
        // Also where the buffer has another size.
        pcbParamActual.write(len(found.size()));
        pvParam.buffer(cbParamMax).map_or(Ok(()), |buffer| found.put(buffer))
    }

    fn JetSetSessionParameter(sesid: usize, sesparamid: u32, pvParam: Bytes, cbParam: u32)
    about About::Session(sesid) => {
        let value = pvParam.slice(cbParam).unwrap_or_default();
        jet::JetSetSessionParameter(session(sesid), sesparamid, value)
    }

    fn JetBeginTransaction(sesid: usize) about About::Session(sesid) => {
        jet::JetBeginTransaction(session(sesid))
    }

    fn JetBeginTransaction2(sesid: usize, grbit: u32) about About::Session(sesid) => {
        jet::JetBeginTransaction2(session(sesid), grbit)
    }

    fn JetBeginTransaction3(sesid: usize, trxid: i64, grbit: u32)
    about About::Session(sesid) => {
        jet::JetBeginTransaction3(session(sesid), trxid, grbit)
    }

    fn JetCommitTransaction(sesid: usize, grbit: u32) about About::Session(sesid) => {
        jet::JetCommitTransaction(session(sesid), grbit)
    }

    fn JetCommitTransaction2(
        sesid: usize, grbit: u32, cmsecDurableCommit: u32, pCommitId: Ptr<JET_COMMIT_ID>
    ) about About::Session(sesid) => {
        let commit = jet::JetCommitTransaction2(session(sesid), grbit, cmsecDurableCommit)?;
        let jet::JET_COMMIT_ID { signLog, commitId } = commit;
        pCommitId.write(JET_COMMIT_ID { signLog, reserved: 0, commitId });
        Ok(())
    }

    fn JetRollback(sesid: usize, grbit: u32) about About::Session(sesid) => {
        jet::JetRollback(session(sesid), grbit)
    }

    fn JetIdle(sesid: usize, grbit: u32) about About::Session(sesid) => {
        jet::JetIdle(session(sesid), grbit)
    }
}

text_exports! {
    fn JetBeginSession JetBeginSessionA | JetBeginSessionW(
        instance_: usize, psesid: Ptr<usize>, szUserName: Str<C>, szPassword: Str<C>
    ) about About::Instance(instance_) => {
        // Neither name nor password is looked at.
        let (to, _, _) = (psesid.required()?, szUserName, szPassword);
        to.write(handle(jet::JetBeginSession(instance(instance_))?.0));
        Ok(())
    }
}
