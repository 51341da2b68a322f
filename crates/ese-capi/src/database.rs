//! Databases: creating, attaching, opening, sizes and facts.

use ese_api::jet;
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, exports, session, text_exports},
    callback::{defragmented, status},
    calls::{Callback, Status},
    facts::database,
    ptr::{Bytes, Ptr, Str, bytes},
    text::Unit,
    types::{JET_CONVERT, JET_SETDBPARAM},
};

text_exports! {
    fn JetCreateDatabase JetCreateDatabaseA | JetCreateDatabaseW(
        sesid: usize, szFilename: Str<C>, szConnect: Str<C>, pdbid: Ptr<u32>, grbit: u32
    ) about About::Session(sesid) => {
        let (to, _) = (pdbid.required()?, szConnect);
        to.write(jet::JetCreateDatabase(session(sesid), &szFilename.database_path()?, grbit)?);
        Ok(())
    }

    fn JetCreateDatabase2 JetCreateDatabase2A | JetCreateDatabase2W(
        sesid: usize, szFilename: Str<C>, cpgDatabaseSizeMax: u32, pdbid: Ptr<u32>, grbit: u32
    ) about About::Session(sesid) => {
        let (to, path) = (pdbid.required()?, szFilename.database_path()?);
        to.write(jet::JetCreateDatabase2(session(sesid), &path, cpgDatabaseSizeMax, grbit)?);
        Ok(())
    }

    fn JetCreateDatabase3 JetCreateDatabase3A | JetCreateDatabase3W(
        sesid: usize, szFilename: Str<C>, pdbid: Ptr<u32>, rgsetdbparam: Ptr<JET_SETDBPARAM>,
        csetdbparam: u32, grbit: u32
    ) about About::Session(sesid) => {
        let (to, path) = (pdbid.required()?, szFilename.database_path()?);
        let most = pages_max(rgsetdbparam, csetdbparam)?;
        to.write(jet::JetCreateDatabase2(session(sesid), &path, most, grbit)?);
        Ok(())
    }

    fn JetAttachDatabase JetAttachDatabaseA | JetAttachDatabaseW(
        sesid: usize, szFilename: Str<C>, grbit: u32
    ) about About::Session(sesid) => {
        jet::JetAttachDatabase(session(sesid), &szFilename.database_path()?, grbit)
    }

    fn JetAttachDatabase2 JetAttachDatabase2A | JetAttachDatabase2W(
        sesid: usize, szFilename: Str<C>, cpgDatabaseSizeMax: u32, grbit: u32
    ) about About::Session(sesid) => {
        let path = szFilename.database_path()?;
        jet::JetAttachDatabase2(session(sesid), &path, cpgDatabaseSizeMax, grbit)
    }

    fn JetAttachDatabase3 JetAttachDatabase3A | JetAttachDatabase3W(
        sesid: usize, szFilename: Str<C>, rgsetdbparam: Ptr<JET_SETDBPARAM>, csetdbparam: u32,
        grbit: u32
    ) about About::Session(sesid) => {
        let most = pages_max(rgsetdbparam, csetdbparam)?;
        jet::JetAttachDatabase2(session(sesid), &szFilename.database_path()?, most, grbit)
    }

    fn JetDetachDatabase JetDetachDatabaseA | JetDetachDatabaseW(
        sesid: usize, szFilename: Str<C>
    ) about About::Session(sesid) => {
        jet::JetDetachDatabase(session(sesid), &all_if_none(szFilename)?)
    }

    fn JetDetachDatabase2 JetDetachDatabase2A | JetDetachDatabase2W(
        sesid: usize, szFilename: Str<C>, grbit: u32
    ) about About::Session(sesid) => {
        jet::JetDetachDatabase2(session(sesid), &all_if_none(szFilename)?, grbit)
    }

    fn JetOpenDatabase JetOpenDatabaseA | JetOpenDatabaseW(
        sesid: usize, szFilename: Str<C>, szConnect: Str<C>, pdbid: Ptr<u32>, grbit: u32
    ) about About::Session(sesid) => {
        let (to, _) = (pdbid.required()?, szConnect);
        let path = szFilename.database_path()?;
        let (code, dbid) = jet::JetOpenDatabase(session(sesid), &path, grbit)?;
        to.write(dbid);
        Ok(code)
    }

    fn JetSetDatabaseSize JetSetDatabaseSizeA | JetSetDatabaseSizeW(
        sesid: usize, szDatabaseName: Str<C>, cpg: u32, pcpgReal: Ptr<u32>
    ) about About::Session(sesid) => {
        let to = pcpgReal.required()?;
        to.write(jet::JetSetDatabaseSize(session(sesid), &szDatabaseName.database_path()?, cpg)?);
        Ok(())
    }

    fn JetCompact JetCompactA | JetCompactW(
        sesid: usize, szDatabaseSrc: Str<C>, szDatabaseDest: Str<C>, pfnStatus: Status,
        pconvert: Ptr<JET_CONVERT<C>>, grbit: u32
    ) about About::Session(sesid) => {
        let (source, target) = (szDatabaseSrc.path()?, szDatabaseDest.path()?);
        if !pconvert.is_null() {
            return Err(Error::new(JetErr::FeatureNotAvailable, "no database is converted"));
        }
        let mut tell = status(sesid, pfnStatus);
        let tell = pfnStatus.is_some().then_some(&mut tell as jet::JET_PFNSTATUS<'_>);
        jet::JetCompact(session(sesid), &source, &target, tell, grbit)
    }

    fn JetDefragment JetDefragmentA | JetDefragmentW(
        sesid: usize, dbid: u32, szTableName: Str<C>, pcPasses: Ptr<u32>, pcSeconds: Ptr<u32>,
        grbit: u32
    ) about About::Session(sesid) => {
        defragment(sesid, dbid, szTableName, (pcPasses, pcSeconds), None, grbit)
    }

    fn JetDefragment2 JetDefragment2A | JetDefragment2W(
        sesid: usize, dbid: u32, szTableName: Str<C>, pcPasses: Ptr<u32>, pcSeconds: Ptr<u32>,
        callback: Callback, grbit: u32
    ) about About::Session(sesid) => {
        let told = defragmented(callback, Bytes::NULL);
        defragment(sesid, dbid, szTableName, (pcPasses, pcSeconds), told, grbit)
    }

    fn JetDefragment3 JetDefragment3A | JetDefragment3W(
        sesid: usize, szDatabaseName: Str<C>, szTableName: Str<C>, pcPasses: Ptr<u32>,
        pcSeconds: Ptr<u32>, callback: Callback, pvContext: Bytes, grbit: u32
    ) about About::Session(sesid) => {
        let (_, dbid) = jet::JetOpenDatabase(session(sesid), &szDatabaseName.path()?, 0)?;
        let told = defragmented(callback, pvContext);
        let done = defragment(sesid, dbid, szTableName, (pcPasses, pcSeconds), told, grbit);
        jet::JetCloseDatabase(session(sesid), dbid, 0)?;
        done
    }

    fn JetGetDatabaseInfo JetGetDatabaseInfoA | JetGetDatabaseInfoW(
        sesid: usize, dbid: u32, pvResult: Bytes, cbMax: u32, InfoLevel: u32
    ) about About::Session(sesid) => {
        pvResult.cast::<u8>().required()?;
        database::<C>(pvResult, cbMax, InfoLevel, false, |level| {
            jet::JetGetDatabaseInfo(session(sesid), dbid, level)
        })
    }

    fn JetGetDatabaseFileInfo JetGetDatabaseFileInfoA | JetGetDatabaseFileInfoW(
        szDatabaseName: Str<C>, pvResult: Bytes, cbMax: u32, InfoLevel: u32
    ) about About::Process => {
        pvResult.cast::<u8>().required()?;
        let path = szDatabaseName.path()?;
        database::<C>(pvResult, cbMax, InfoLevel, true, |level| {
            jet::JetGetDatabaseFileInfo(&path, level)
        })
    }
}

exports! {
    fn JetCloseDatabase(sesid: usize, dbid: u32, grbit: u32) about About::Session(sesid) => {
        jet::JetCloseDatabase(session(sesid), dbid, grbit)
    }

    fn JetGrowDatabase(sesid: usize, dbid: u32, cpg: u32, pcpgReal: Ptr<u32>)
    about About::Session(sesid) => {
        pcpgReal.write(jet::JetGrowDatabase(session(sesid), dbid, cpg)?);
        Ok(())
    }

    fn JetResizeDatabase(
        sesid: usize, dbid: u32, cpgTarget: u32, pcpgActual: Ptr<u32>, grbit: u32
    ) about About::Session(sesid) => {
        let (code, actual) = jet::JetResizeDatabase(session(sesid), dbid, cpgTarget, grbit)?;
        pcpgActual.write(actual);
        Ok(code)
    }

    fn JetGetMaxDatabaseSize(sesid: usize, dbid: u32, pcpg: Ptr<u32>, grbit: u32)
    about About::Session(sesid) => {
        let to = pcpg.required()?;
        to.write(jet::JetGetMaxDatabaseSize(session(sesid), dbid, grbit)?);
        Ok(())
    }

    fn JetSetMaxDatabaseSize(sesid: usize, dbid: u32, cpg: u32, grbit: u32)
    about About::Session(sesid) => {
        jet::JetSetMaxDatabaseSize(session(sesid), dbid, cpg, grbit)
    }
}

/// A path; none means all databases.
fn all_if_none<C: Unit>(path: Str<C>) -> Result<String> {
    if path.is_null() { Ok(String::new()) } else { path.path() }
}

/// JET_dbparamDbSizeMaxPages, and one past the last parameter of a database.
const DB_SIZE_MAX_PAGES: u32 = 8193;
const DB_PARAMS_END: u32 = 8202;

/// The one parameter of a database that changes something here; the others are accepted.
fn pages_max(params: Ptr<JET_SETDBPARAM>, count: u32) -> Result<u32> {
    let mut most = 0;
    for param in params.list(count)? {
        if !(DB_SIZE_MAX_PAGES..DB_PARAMS_END).contains(&param.dbparamid) {
            let what = format!("{} is no parameter of a database", param.dbparamid);
            return Err(Error::new(JetErr::InvalidDbparamId, what));
        }
        let value = param.pvParam.cast::<u32>();
        if bytes(param.cbParam) != size_of::<u32>() || value.is_null() {
            let what = format!("parameter {} has 4 bytes", param.dbparamid);
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        if param.dbparamid == DB_SIZE_MAX_PAGES {
            most = value.get()?;
        }
    }
    Ok(most)
}

fn defragment<C: Unit>(
    sesid: usize,
    dbid: u32,
    table: Str<C>,
    (passes, seconds): (Ptr<u32>, Ptr<u32>),
    told: Option<jet::JET_PFNDEFRAG>,
    grbit: u32,
) -> Result<JetErr> {
    let (table, sesid) = (table.text()?, session(sesid));
    let (mut passes_now, mut seconds_now) = (passes.read(), seconds.read());
    let (p, s) = (passes_now.as_mut(), seconds_now.as_mut());
    let done = jet::JetDefragment2(sesid, dbid, table.as_deref(), p, s, told, grbit)?;
    passes_now.into_iter().for_each(|now| passes.write(now));
    seconds_now.into_iter().for_each(|now| seconds.write(now));
    Ok(done)
}
