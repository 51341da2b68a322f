//! What JetInit3 and JetInit4 are told, and what recovery tells and asks.

use std::path::{Path, PathBuf};

use ese_api::jet::{
    self, JET_INITSTATUS, JET_PFNINITCALLBACK, JET_RECOVERYLOG, JET_RECOVERYSTEP, JET_RSTMAP,
    JET_RSTMAP2,
};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::handle,
    calls::{Context, InitCallback, Status},
    misc,
    ptr::{Bytes, Ptr, len, size},
    text::Unit,
    types::{JET_RSTINFO, JET_RSTINFO2, JET_RSTMAP as Map, JET_RSTMAP2 as Map2, JET_SNPROG},
};

/// What JetInit3 is told.
pub(crate) type Info<'a> = jet::JET_RSTINFO<'a>;

#[track_caller]
fn wrong_struct(cb: u32, wanted: u32) -> Error {
    let what = format!("a structure of {cb} bytes, expected {wanted}");
    Error::new(JetErr::InvalidParameter, what)
}

fn map<C: Unit>(map: Ptr<Map<C>>, count: i32) -> Result<Vec<JET_RSTMAP>> {
    let count = u32::try_from(count).map_err(|_| wrong_struct(0, 1))?;
    let mut list = Vec::new();
    for entry in map.list(count)? {
        list.push(JET_RSTMAP {
            szDatabaseName: PathBuf::from(entry.szDatabaseName.path()?),
            szNewDatabaseName: PathBuf::from(entry.szNewDatabaseName.path()?),
        });
    }
    Ok(list)
}

/// For JetExternalRestore.
pub(crate) fn restore_map<C: Unit>(place: Ptr<Map<C>>, count: i32) -> Result<Vec<JET_RSTMAP>> {
    map(place, count)
}

pub(crate) fn info<C: Unit>(told: JET_RSTINFO<C>) -> Result<Info<'static>> {
    if told.cbStruct != size::<JET_RSTINFO<C>>() {
        return Err(wrong_struct(told.cbStruct, size::<JET_RSTINFO<C>>()));
    }
    Ok(jet::JET_RSTINFO {
        rgrstmap: map(told.rgrstmap, told.crstmap)?,
        lgposStop: told.lgposStop.get(),
        logtimeStop: told.logtimeStop,
        pfnStatus: Teller::Status(told.pfnStatus).callback(),
    })
}

pub(crate) fn info2<C: Unit>(told: JET_RSTINFO2<C>) -> Result<jet::JET_RSTINFO2<'static>> {
    if told.cbStruct != size::<JET_RSTINFO2<C>>() {
        return Err(wrong_struct(told.cbStruct, size::<JET_RSTINFO2<C>>()));
    }
    let count = u32::try_from(told.crstmap).map_err(|_| wrong_struct(0, 1))?;
    let mut rgrstmap = Vec::new();
    for entry in told.rgrstmap.list(count)? {
        if entry.cbStruct != size::<Map2<C>>() {
            return Err(wrong_struct(entry.cbStruct, size::<Map2<C>>()));
        }
        rgrstmap.push(JET_RSTMAP2 {
            szDatabaseName: PathBuf::from(entry.szDatabaseName.path()?),
            szNewDatabaseName: PathBuf::from(entry.szNewDatabaseName.path()?),
            grbit: entry.grbit,
        });
    }
    let context = Context::new(told.pvCallbackContext);
    Ok(jet::JET_RSTINFO2 {
        rgrstmap,
        lgposStop: told.lgposStop.get(),
        logtimeStop: told.logtimeStop,
        pfnCallback: Teller::Callback(told.pfnCallback, context).callback(),
    })
}

/// Whom recovery tells.
#[derive(Clone, Copy)]
enum Teller {
    Status(Status),
    Callback(InitCallback, Context),
}

impl Teller {
    fn callback(self) -> Option<JET_PFNINITCALLBACK<'static>> {
        let is_some = match self {
            Teller::Status(function) => function.is_some(),
            Teller::Callback(function, _) => function.is_some(),
        };
        if !is_some {
            return None;
        }
        Some(Box::new(move |snp, snt, told: &JET_INITSTATUS<'_>| {
            let code = match told {
                JET_INITSTATUS::None => self.call(snp, snt, Bytes::NULL),
                JET_INITSTATUS::Progress(told) => {
                    let (cunitDone, cunitTotal) = (told.cunitDone, told.cunitTotal);
                    let cbStruct = size::<JET_SNPROG>();
                    let mut told = JET_SNPROG { cbStruct, cunitDone, cunitTotal };
                    self.call(snp, snt, Ptr::to(&mut told).bytes())
                }
                JET_INITSTATUS::Control(control) => {
                    with_control(snt, control, |told| self.call(snp, snt, told))
                }
            };
            JetErr::from_code(code).unwrap_or(JetErr::CallbackFailed)
        }))
    }

    fn call(self, snp: u32, snt: u32, pv: Bytes) -> i32 {
        let code = match self {
            Teller::Status(function) => function.call(usize::MAX, snp, snt, pv),
            Teller::Callback(function, context) => function.call(snp, snt, pv, context.get()),
        };
        code.unwrap_or(0)
    }
}

/// Bytes of a JET_RECOVERYCONTROL, and where in it the structure of the step begins.
const CONTROL: u32 = 64;
const STEP: usize = 24;

/// A JET_RECOVERYCONTROL that is being written, at the start of memory of its own.
struct Control(Ptr<u8>);

impl Control {
    /// A number of the step, at its offset in the whole.
    fn put<T: crate::ptr::Plain>(&self, offset: usize, value: T) {
        self.0.at(offset).cast().write(value);
    }

    /// The step's structure has so many bytes, and this number behind that.
    fn begin(&self, bytes: u32, number: u32) {
        self.put(STEP, bytes);
        if bytes > 4 {
            self.put(STEP + 4, number);
        }
    }
}

/// Text as callers of callbacks read it, UTF-16 with a NUL.
fn wide(path: &Path) -> Vec<u16> {
    path.to_string_lossy().encode_utf16().chain([0]).collect()
}

/// Shows the step to `tell` as a JET_RECOVERYCONTROL.
fn with_control(
    snt: u32,
    control: &jet::JET_RECOVERYCONTROL<'_>,
    tell: impl FnOnce(Bytes) -> i32,
) -> i32 {
    let mut memory = [0_u64; CONTROL as usize / 8];
    let to = Control(Ptr::to(&mut memory).cast());
    to.put(0, CONTROL);
    to.put(4, control.errDefault as i32);
    to.put(8, handle(control.instance.0));
    to.put(16, snt);
    let mut text = Vec::new();
    let mut headers = Vec::new();
    match &control.step {
        JET_RECOVERYSTEP::OpenLog(log) | JET_RECOVERYSTEP::MissingLog(log) => {
            let JET_RECOVERYLOG { lGen, fCurrentLog, eReason, szLogFile, rgdbinfomisc } = log;
            to.begin(40, *lGen);
            to.put(32, u8::from(*fCurrentLog));
            to.put(33, *eReason);
            text = wide(szLogFile);
            to.put(40, Ptr::of_list(&mut text));
            headers.extend(rgdbinfomisc.iter().map(misc::of));
            to.put(48, len(headers.len()));
            to.put(56, Ptr::of_list(&mut headers));
        }
        JET_RECOVERYSTEP::OpenCheckpoint(path)
        | JET_RECOVERYSTEP::AttachedDb(path)
        | JET_RECOVERYSTEP::DetachingDb(path) => {
            to.begin(16, 0);
            text = wide(path);
            to.put(32, Ptr::of_list(&mut text));
        }
        JET_RECOVERYSTEP::BeginUndo(list) => {
            to.begin(16, len(list.len()));
            headers.extend(list.iter().map(misc::of));
            to.put(32, Ptr::of_list(&mut headers));
        }
        JET_RECOVERYSTEP::NotificationEvent(number) => to.begin(8, *number),
        JET_RECOVERYSTEP::SignalErrorCondition => to.begin(4, 0),
        JET_RECOVERYSTEP::CommitCtx(bytes) => {
            let mut bytes = bytes.to_vec();
            to.begin(24, 0);
            to.put(32, Ptr::of_list(&mut bytes));
            to.put(40, len(bytes.len()));
            let code = tell(to.0.bytes());
            drop(bytes);
            return code;
        }
    }
    let code = tell(to.0.bytes());
    drop((text, headers));
    code
}
