//! The streaming backup, backups into a folder, restoring, and stopping them.

use std::path::{Path, PathBuf};

use ese_api::jet::{self, JET_HANDLE, JET_LOGINFO as LogInfo, paths_of};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, exports, handle, instance, text_exports},
    callback::status,
    calls::Status,
    ptr::{Bytes, Ptr, Str, len, size},
    recovery::restore_map,
    text::{Unit, array, put_list},
    types::{JET_LOGINFO, JET_RSTMAP},
};

exports! {
    fn JetBeginExternalBackupInstance(instance_: usize, grbit: u32)
    about About::Instance(instance_) => {
        jet::JetBeginExternalBackupInstance(instance(instance_), grbit)
    }

    fn JetBeginExternalBackup(grbit: u32) about About::Process => {
        jet::JetBeginExternalBackup(grbit)
    }

    fn JetBeginSurrogateBackup(instance_: usize, lgenFirst: u32, lgenLast: u32, grbit: u32)
    about About::Instance(instance_) => {
        jet::JetBeginSurrogateBackup(instance(instance_), lgenFirst, lgenLast, grbit)
    }

    fn JetEndSurrogateBackup(instance_: usize, grbit: u32) about About::Instance(instance_) => {
        jet::JetEndSurrogateBackup(instance(instance_), grbit)
    }

    fn JetReadFileInstance(
        instance_: usize, hfFile: usize, pv: Bytes, cb: u32, pcbActual: Ptr<u32>
    ) about About::Instance(instance_) => {
        let mut pv = pv;
        let room = pv.buffer(cb).unwrap_or_default();
        pcbActual.write(len(jet::JetReadFileInstance(instance(instance_), file(hfFile), room)?));
        Ok(())
    }

    fn JetReadFile(hfFile: usize, pv: Bytes, cb: u32, pcbActual: Ptr<u32>)
    about About::Process => {
        let mut pv = pv;
        let room = pv.buffer(cb).unwrap_or_default();
        pcbActual.write(len(jet::JetReadFile(file(hfFile), room)?));
        Ok(())
    }

    fn JetCloseFileInstance(instance_: usize, hfFile: usize) about About::Instance(instance_) => {
        jet::JetCloseFileInstance(instance(instance_), file(hfFile))
    }

    fn JetCloseFile(hfFile: usize) about About::Process => {
        jet::JetCloseFile(file(hfFile))
    }

    fn JetTruncateLogInstance(instance_: usize) about About::Instance(instance_) => {
        jet::JetTruncateLogInstance(instance(instance_))
    }

    fn JetTruncateLog() about About::Process => {
        jet::JetTruncateLog()
    }

    fn JetEndExternalBackupInstance(instance_: usize) about About::Instance(instance_) => {
        jet::JetEndExternalBackupInstance(instance(instance_))
    }

    fn JetEndExternalBackupInstance2(instance_: usize, grbit: u32)
    about About::Instance(instance_) => {
        jet::JetEndExternalBackupInstance2(instance(instance_), grbit)
    }

    fn JetEndExternalBackup() about About::Process => {
        jet::JetEndExternalBackup()
    }

    fn JetStopBackupInstance(instance_: usize) about About::Instance(instance_) => {
        jet::JetStopBackupInstance(instance(instance_))
    }

    fn JetStopBackup() about About::Process => {
        jet::JetStopBackup()
    }
}

text_exports! {
    fn JetGetAttachInfoInstance JetGetAttachInfoInstanceA | JetGetAttachInfoInstanceW(
        instance_: usize, szzDatabases: Bytes, cbMax: u32, pcbActual: Ptr<u32>
    ) about About::Instance(instance_) => {
        let list = list(|room| jet::JetGetAttachInfoInstance(instance(instance_), room))?;
        pcbActual.write(put_list::<C>(szzDatabases, cbMax, &list).0);
        Ok(())
    }

    fn JetGetAttachInfo JetGetAttachInfoA | JetGetAttachInfoW(
        szzDatabases: Bytes, cbMax: u32, pcbActual: Ptr<u32>
    ) about About::Process => {
        let list = list(jet::JetGetAttachInfo)?;
        pcbActual.write(put_list::<C>(szzDatabases, cbMax, &list).0);
        Ok(())
    }

    fn JetOpenFileInstance JetOpenFileInstanceA | JetOpenFileInstanceW(
        instance_: usize, szFileName: Str<C>, phfFile: Ptr<usize>, pulFileSizeLow: Ptr<u32>,
        pulFileSizeHigh: Ptr<u32>
    ) about About::Instance(instance_) => {
        // What nobody gets the handle of is not opened; refused with the code, after the states'.
        let path = szFileName.path_if_any()?.filter(|_| !phfFile.is_null());
        let opened = jet::JetOpenFileInstance(instance(instance_), path.as_deref())?;
        tell_opened(opened, phfFile, pulFileSizeLow, pulFileSizeHigh);
        Ok(())
    }

    fn JetOpenFile JetOpenFileA | JetOpenFileW(
        szFileName: Str<C>, phfFile: Ptr<usize>, pulFileSizeLow: Ptr<u32>,
        pulFileSizeHigh: Ptr<u32>
    ) about About::Process => {
        // What nobody gets the handle of is not opened; refused with the code, after the states'.
        let path = szFileName.path_if_any()?.filter(|_| !phfFile.is_null());
        let opened = jet::JetOpenFile(path.as_deref())?;
        tell_opened(opened, phfFile, pulFileSizeLow, pulFileSizeHigh);
        Ok(())
    }

    fn JetGetLogInfoInstance JetGetLogInfoInstanceA | JetGetLogInfoInstanceW(
        instance_: usize, wszzLogs: Bytes, cbMax: u32, pcbActual: Ptr<u32>
    ) about About::Instance(instance_) => {
        let list = list(|room| jet::JetGetLogInfoInstance(instance(instance_), room))?;
        tell_logs::<C>(&list, wszzLogs, cbMax, pcbActual);
        Ok(())
    }

    fn JetGetLogInfoInstance2 JetGetLogInfoInstance2A | JetGetLogInfoInstance2W(
        instance_: usize, wszzLogs: Bytes, cbMax: u32, pcbActual: Ptr<u32>,
        pLogInfo: Ptr<JET_LOGINFO<C>>
    ) about About::Instance(instance_) => {
        let mut info = pLogInfo.read().map(|told| LogInfo {
            // A structure of another length has its turn among the checks.
            cbSize: match told.cbSize == size::<JET_LOGINFO<C>>() {
                true => LogInfo::SIZE,
                false => 0,
            },
            ..LogInfo::new()
        });
        let list = list(|room| {
            jet::JetGetLogInfoInstance2(instance(instance_), room, info.as_mut())
        })?;
        tell_logs::<C>(&list, wszzLogs, cbMax, pcbActual);
        if let Some(info) = info {
            pLogInfo.change(|told| {
                told.ulGenLow = info.ulGenLow;
                told.ulGenHigh = info.ulGenHigh;
                told.szBaseName = array(&info.szBaseName);
            });
        }
        Ok(())
    }

    fn JetGetLogInfo JetGetLogInfoA | JetGetLogInfoW(
        szzLogs: Bytes, cbMax: u32, pcbActual: Ptr<u32>
    ) about About::Process => {
        tell_logs::<C>(&list(jet::JetGetLogInfo)?, szzLogs, cbMax, pcbActual);
        Ok(())
    }

    fn JetGetTruncateLogInfoInstance JetGetTruncateLogInfoInstanceA
        | JetGetTruncateLogInfoInstanceW(
        instance_: usize, wszzLogs: Bytes, cbMax: u32, pcbActual: Ptr<u32>
    ) about About::Instance(instance_) => {
        let list = list(|room| jet::JetGetTruncateLogInfoInstance(instance(instance_), room))?;
        tell_logs::<C>(&list, wszzLogs, cbMax, pcbActual);
        Ok(())
    }

    fn JetBackupInstance JetBackupInstanceA | JetBackupInstanceW(
        instance_: usize, szBackupPath: Str<C>, grbit: u32, pfnStatus: Status
    ) about About::Instance(instance_) => {
        let path = szBackupPath.path_if_any()?.unwrap_or_default();
        let mut tell = status(usize::MAX, pfnStatus);
        let tell = pfnStatus.is_some().then_some(&mut tell as jet::JET_PFNSTATUS<'_>);
        jet::JetBackupInstance(instance(instance_), &path, grbit, tell)
    }

    fn JetBackup JetBackupA | JetBackupW(
        szBackupPath: Str<C>, grbit: u32, pfnStatus: Status
    ) about About::Process => {
        let path = szBackupPath.path_if_any()?.unwrap_or_default();
        let mut tell = status(usize::MAX, pfnStatus);
        let tell = pfnStatus.is_some().then_some(&mut tell as jet::JET_PFNSTATUS<'_>);
        jet::JetBackup(&path, grbit, tell)
    }

    fn JetRestoreInstance JetRestoreInstanceA | JetRestoreInstanceW(
        instance_: usize, sz: Str<C>, szDest: Str<C>, pfn: Status
    ) about About::Instance(instance_) => {
        let (source, target) = (sz.path_if_any()?.unwrap_or_default(), szDest.path_if_any()?);
        let mut tell = status(usize::MAX, pfn);
        let tell = pfn.is_some().then_some(&mut tell as jet::JET_PFNSTATUS<'_>);
        jet::JetRestoreInstance(instance(instance_), &source, target.as_deref(), tell)
    }

    fn JetRestore JetRestoreA | JetRestoreW(szSource: Str<C>, pfn: Status)
    about About::Process => {
        let source = szSource.path_if_any()?.unwrap_or_default();
        let mut tell = status(usize::MAX, pfn);
        let tell = pfn.is_some().then_some(&mut tell as jet::JET_PFNSTATUS<'_>);
        jet::JetRestore(&source, tell)
    }

    fn JetRestore2 JetRestore2A | JetRestore2W(sz: Str<C>, szDest: Str<C>, pfn: Status)
    about About::Process => {
        let (source, target) = (sz.path_if_any()?.unwrap_or_default(), szDest.path_if_any()?);
        let mut tell = status(usize::MAX, pfn);
        let tell = pfn.is_some().then_some(&mut tell as jet::JET_PFNSTATUS<'_>);
        jet::JetRestore2(&source, target.as_deref(), tell)
    }

    fn JetExternalRestore JetExternalRestoreA | JetExternalRestoreW(
        szCheckpointFilePath: Str<C>, szLogPath: Str<C>, rgrstmap: Ptr<JET_RSTMAP<C>>,
        crstfilemap: i32, szBackupLogPath: Str<C>, genLow: i32, genHigh: i32, pfn: Status
    ) about About::Process => {
        let (checkpoint, log) = (szCheckpointFilePath.path_if_any()?, szLogPath.path_if_any()?);
        let map = restore_map(rgrstmap, crstfilemap)?;
        let backup = szBackupLogPath.path_if_any()?.unwrap_or_default();
        let mut tell = status(usize::MAX, pfn);
        let tell = pfn.is_some().then_some(&mut tell as jet::JET_PFNSTATUS<'_>);
        let (checkpoint, log) = (checkpoint.as_deref(), log.as_deref());
        jet::JetExternalRestore(checkpoint, log, &map, &backup, genLow, genHigh, tell)
    }

    fn JetExternalRestore2 JetExternalRestore2A | JetExternalRestore2W(
        szCheckpointFilePath: Str<C>, szLogPath: Str<C>, rgrstmap: Ptr<JET_RSTMAP<C>>,
        crstfilemap: i32, szBackupLogPath: Str<C>, pLogInfo: Ptr<JET_LOGINFO<C>>,
        szTargetInstanceName: Str<C>, szTargetInstanceLogPath: Str<C>,
        szTargetInstanceCheckpointPath: Str<C>, pfn: Status
    ) about About::Process => {
        let map = restore_map(rgrstmap, crstfilemap)?;
        let target = szTargetInstanceName.text()?;
        let paths = Paths {
            checkpoint: szCheckpointFilePath.path_if_any()?,
            log: szLogPath.path_if_any()?,
            backup: szBackupLogPath.path_if_any()?.unwrap_or_default(),
            target_log: szTargetInstanceLogPath.path_if_any()?,
            target_checkpoint: szTargetInstanceCheckpointPath.path_if_any()?,
        };
        let info = log_info(pLogInfo)?;
        let mut tell = status(usize::MAX, pfn);
        let tell = pfn.is_some().then_some(&mut tell as jet::JET_PFNSTATUS<'_>);
        paths.restore(&map, &info, target.as_deref(), tell)
    }
}

/// Where JetExternalRestore2 finds what.
struct Paths {
    checkpoint: Option<PathBuf>,
    log: Option<PathBuf>,
    backup: PathBuf,
    target_log: Option<PathBuf>,
    target_checkpoint: Option<PathBuf>,
}

impl Paths {
    fn restore(
        &self,
        map: &[jet::JET_RSTMAP],
        info: &LogInfo,
        target: Option<&str>,
        tell: Option<jet::JET_PFNSTATUS<'_>>,
    ) -> Result<JetErr> {
        fn path(path: &Option<PathBuf>) -> Option<&Path> {
            path.as_deref()
        }
        jet::JetExternalRestore2(
            path(&self.checkpoint),
            path(&self.log),
            map,
            &self.backup,
            info,
            target,
            path(&self.target_log),
            path(&self.target_checkpoint),
            tell,
        )
    }
}

fn file(number: usize) -> JET_HANDLE {
    JET_HANDLE(number as u64)
}

/// The paths that a call lists; it is asked for their length first.
fn list(mut call: impl FnMut(Option<&mut [u8]>) -> Result<usize>) -> Result<Vec<String>> {
    let mut list = vec![0; call(None)?];
    let written = call(Some(&mut list))?;
    list.truncate(written);
    Ok(paths_of(&list).iter().map(|path| path.to_string_lossy().into_owned()).collect())
}

/// A list of logs: with a buffer its bytes are counted that were written, without one all.
fn tell_logs<C: Unit>(logs: &[String], to: Bytes, cb: u32, actual: Ptr<u32>) {
    let (whole, written) = put_list::<C>(to, cb, logs);
    actual.write(if to.is_null() { whole } else { written });
}

fn tell_opened(opened: jet::JET_OPENEDFILE, file: Ptr<usize>, low: Ptr<u32>, high: Ptr<u32>) {
    file.write(handle(opened.hfFile.0));
    low.write(opened.ulFileSizeLow);
    high.write(opened.ulFileSizeHigh);
}

fn log_info<C: Unit>(place: Ptr<JET_LOGINFO<C>>) -> Result<LogInfo> {
    let told = place.get()?;
    if told.cbSize != size::<JET_LOGINFO<C>>() {
        let what = format!("JET_LOGINFO of {} bytes", told.cbSize);
        return Err(Error::new(JetErr::InvalidParameter, what));
    }
    let name = told.szBaseName.iter().position(|unit| *unit == C::default());
    let name = told.szBaseName.get(..name.unwrap_or(told.szBaseName.len()));
    Ok(LogInfo {
        cbSize: LogInfo::SIZE,
        ulGenLow: told.ulGenLow,
        ulGenHigh: told.ulGenHigh,
        szBaseName: C::decode(name.unwrap_or_default())?,
    })
}
