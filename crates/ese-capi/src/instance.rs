//! Instances and their parameters.

use ese_api::jet::{self, JET_CALLBACK, JET_INSTANCE, JET_PARAM, JET_SETSYSPARAM};
use ese_base::{Error, JetErr, Result};

use crate::{
    block::instance_infos,
    boundary::{About, exports, handle, instance, session, text_exports},
    callback::{durable_commit, runtime_callback},
    calls::Callback,
    ptr::{Bytes, Ptr, Str, bytes, size},
    recovery::{Info, info, info2},
    text::{Unit, put_whole, with_slashes},
    types::{
        JET_INSTANCE_INFO, JET_RSTINFO, JET_RSTINFO2, JET_SETSYSPARAM as SysParam, JET_UNICODEINDEX,
    },
};

/// A handle that a caller's variable holds; none if there is no variable.
fn variable(place: Ptr<usize>) -> Option<JET_INSTANCE> {
    place.read().map(instance)
}

/// The instance that is to start, if the caller has one already.
fn starting(place: Ptr<usize>) -> About {
    match place.read() {
        None | Some(0 | usize::MAX) => About::Process,
        Some(handle) => About::Instance(handle),
    }
}

/// JetInit and its relatives: the variable may hold no handle, and holds one afterwards.
fn init(
    place: Ptr<usize>,
    init: impl FnOnce(Option<&mut JET_INSTANCE>) -> Result<JetErr>,
) -> Result<JetErr> {
    let Some(mut inst) = variable(place) else { return init(None) };
    if inst == JET_INSTANCE::ALL_ONES {
        inst = JET_INSTANCE::NIL;
    }
    let done = init(Some(&mut inst))?;
    place.write(handle(inst.0));
    Ok(done)
}

exports! {
    fn JetInit(pinstance: Ptr<usize>) about starting(pinstance) => {
        init(pinstance, jet::JetInit)
    }

    fn JetInit2(pinstance: Ptr<usize>, grbit: u32) about starting(pinstance) => {
        init(pinstance, |inst| jet::JetInit2(inst, grbit))
    }

    fn JetTerm(instance_: usize) about About::Instance(instance_) => {
        jet::JetTerm(instance(instance_))
    }

    fn JetTerm2(instance_: usize, grbit: u32) about About::Instance(instance_) => {
        jet::JetTerm2(instance(instance_), grbit)
    }

    fn JetStopServiceInstance(instance_: usize) about About::Instance(instance_) => {
        jet::JetStopServiceInstance(instance(instance_))
    }

    fn JetStopServiceInstance2(instance_: usize, grbit: u32) about About::Instance(instance_) => {
        jet::JetStopServiceInstance2(instance(instance_), grbit)
    }

    fn JetStopService() about About::Process => {
        jet::JetStopService()
    }

    fn JetGetVersion(sesid: usize, pwVersion: Ptr<u32>) about About::Session(sesid) => {
        let to = pwVersion.required()?;
        to.write(jet::JetGetVersion(session(sesid))?);
        Ok(())
    }

    fn JetGetInstanceMiscInfo(instance_: usize, pvResult: Bytes, cbMax: u32, InfoLevel: u32)
    about About::Instance(instance_) => {
        pvResult.cast::<u8>().required()?;
        let signature = jet::JetGetInstanceMiscInfo(instance(instance_), InfoLevel)?;
        let signature = signature.unwrap_or(ese_base::Signature::NULL);
        if cbMax < size::<ese_base::Signature>() {
            let what = format!("a buffer of {cbMax} bytes for a signature");
            return Err(Error::new(JetErr::InvalidBufferSize, what));
        }
        pvResult.cast().write(signature);
        Ok(())
    }

    // Nothing of the engine is worth keeping out of a dump, or has to be brought into one.
    fn JetConfigureProcessForCrashDump(grbit: u32) about About::Process => {
        if grbit & !CRASH_DUMP == 0 {
            return Ok(());
        }
        let what = format!("JetConfigureProcessForCrashDump: flags {grbit:#x}");
        Err(Error::new(JetErr::InvalidGrbit, what))
    }
}

/// JET_bitDump...: minimum, maximum, cache variants, unrelated memory and what goes with them.
const CRASH_DUMP: u32 = 0xff;

text_exports! {
    fn JetCreateInstance JetCreateInstanceA | JetCreateInstanceW(
        pinstance: Ptr<usize>, szInstanceName: Str<C>
    ) about About::Process => {
        let to = pinstance.required()?;
        to.write(handle(jet::JetCreateInstance(&szInstanceName.or_empty()?)?.0));
        Ok(())
    }

    fn JetCreateInstance2 JetCreateInstance2A | JetCreateInstance2W(
        pinstance: Ptr<usize>, szInstanceName: Str<C>, szDisplayName: Str<C>, grbit: u32
    ) about About::Process => {
        let to = pinstance.required()?;
        let (name, display) = (szInstanceName.or_empty()?, szDisplayName.or_empty()?);
        to.write(handle(jet::JetCreateInstance2(&name, &display, grbit)?.0));
        Ok(())
    }

    fn JetInit3 JetInit3A | JetInit3W(
        pinstance: Ptr<usize>, prstInfo: Ptr<JET_RSTINFO<C>>, grbit: u32
    ) about starting(pinstance) => {
        let told: Option<Info<'_>> = prstInfo.read().map(info).transpose()?;
        init(pinstance, |inst| jet::JetInit3(inst, told, grbit))
    }

    fn JetInit4 JetInit4A | JetInit4W(
        pinstance: Ptr<usize>, prstInfo: Ptr<JET_RSTINFO2<C>>, grbit: u32
    ) about starting(pinstance) => {
        let told = prstInfo.read().map(info2).transpose()?;
        init(pinstance, |inst| jet::JetInit4(inst, told, grbit))
    }

    fn JetGetInstanceInfo JetGetInstanceInfoA | JetGetInstanceInfoW(
        pcInstanceInfo: Ptr<u32>, paInstanceInfo: Ptr<Ptr<JET_INSTANCE_INFO<C>>>
    ) about About::Process => {
        let (count, to) = (pcInstanceInfo.required()?, paInstanceInfo.required()?);
        instance_infos(&jet::JetGetInstanceInfo()?, count, to)
    }

    fn JetSetSystemParameter JetSetSystemParameterA | JetSetSystemParameterW(
        pinstance: Ptr<usize>, sesid: usize, paramid: u32, lParam: Bytes, szParam: Str<C>
    ) about About::Process => {
        set(variable(pinstance), sesid, paramid, lParam, szParam)
    }

    fn JetGetSystemParameter JetGetSystemParameterA | JetGetSystemParameterW(
        instance_: usize, sesid: usize, paramid: u32, plParam: Ptr<usize>, szParam: Ptr<C>,
        cbMax: u32
    ) about About::Process => {
        get(instance_, sesid, paramid, plParam, szParam, cbMax)
    }

    fn JetEnableMultiInstance JetEnableMultiInstanceA | JetEnableMultiInstanceW(
        psetsysparam: Ptr<SysParam<C>>, csetsysparam: u32, pcsetsucceed: Ptr<u32>
    ) about About::Process => {
        let mut params = Vec::new();
        for param in psetsysparam.list(csetsysparam)? {
            params.push(JET_SETSYSPARAM {
                paramid: param.paramid,
                lParam: param.lParam as u64,
                sz: param.sz.text()?.map(|text| stored(param.paramid, text)),
                err: JetErr::Success,
            });
        }
        let done = jet::JetEnableMultiInstance(&mut params);
        for (at, param) in params.iter().enumerate() {
            psetsysparam.at(at).change(|to| to.err = param.err as i32);
        }
        let good = params.iter().take_while(|param| param.err == JetErr::Success).count();
        pcsetsucceed.write(u32::try_from(good).unwrap_or(u32::MAX));
        done
    }
}

/// System, temporary, log and alternate paths, and that of revert snapshots.
const PATHS: [u32; 5] = [0, 1, 2, 113, 216];

fn stored(paramid: u32, text: String) -> String {
    if PATHS.contains(&paramid) { with_slashes(text) } else { text }
}

fn set<C: Unit>(
    inst: Option<JET_INSTANCE>,
    sesid: usize,
    paramid: u32,
    lParam: Bytes,
    szParam: Str<C>,
) -> Result<()> {
    let number = lParam.cast::<u8>().address();
    match paramid {
        jet::JET_paramRuntimeCallback if number != 0 => {
            let callback: JET_CALLBACK = runtime_callback(Callback::of(lParam));
            jet::set_runtime_callback(inst, Some(&callback))
        }
        jet::JET_paramDurableCommitCallback => durable_commit(inst, session(sesid), lParam),
        jet::JET_paramUnicodeIndexDefault => {
            let asked = lParam.cast::<JET_UNICODEINDEX>().get()?;
            let order = jet::JET_UNICODEINDEX { lcid: asked.lcid, dwMapFlags: asked.dwMapFlags };
            let order = order.named()?;
            let (flags, name) = (u64::from(order.dwMapFlags), order.szLocaleName.as_deref());
            jet::JetSetSystemParameter(inst, session(sesid), paramid, flags, name)
        }
        _ => {
            let text = szParam.text()?.map(|text| stored(paramid, text));
            let sesid = session(sesid);
            jet::JetSetSystemParameter(inst, sesid, paramid, number as u64, text.as_deref())
        }
    }
}

fn get<C: Unit>(
    inst: usize,
    sesid: usize,
    paramid: u32,
    plParam: Ptr<usize>,
    szParam: Ptr<C>,
    cbMax: u32,
) -> Result<()> {
    if paramid == jet::JET_paramErrorToString {
        let code = plParam.get()? & 0xffff_ffff;
        let code = u32::try_from(code).unwrap_or(0).cast_signed();
        let text = jet::error_to_string(code);
        room(szParam, cbMax)?;
        return put_whole(
            szParam,
            cbMax,
            text.as_deref().unwrap_or("Unknown Error, Unknown Error"),
        );
    }
    match jet::JetGetSystemParameter(Some(instance(inst)), session(sesid), paramid)? {
        JET_PARAM::Int(_) if paramid == jet::JET_paramPrintFunction => {
            // What takes a format and its arguments.
            plParam.required()?.write(libc::printf as *const () as usize);
        }
        JET_PARAM::Int(number) => plParam.required()?.write(handle(number)),
        JET_PARAM::Text(text) => {
            room(szParam, cbMax)?;
            return put_whole(szParam, cbMax, &text);
        }
        JET_PARAM::Unicode(order) => {
            let to = plParam.required()?.cast::<JET_UNICODEINDEX>();
            if bytes(cbMax) < size_of::<JET_UNICODEINDEX>() {
                return Err(Error::new(JetErr::BufferTooSmall, "no room for an order of text"));
            }
            to.write(JET_UNICODEINDEX { lcid: order.lcid(), dwMapFlags: order.dwMapFlags });
        }
        JET_PARAM::Callback(callback) => {
            let number = callback.map_or(0, |callback| callback.number());
            plParam.required()?.write(handle(number));
        }
        JET_PARAM::DurableCommit(callback) => {
            let number = callback.map_or(0, |callback| callback.number());
            plParam.required()?.write(handle(number));
        }
    }
    Ok(())
}

fn room<C: Unit>(szParam: Ptr<C>, cbMax: u32) -> Result<()> {
    if szParam.is_null() || bytes(cbMax) < size_of::<C>() {
        return Err(Error::new(JetErr::InvalidParameter, "no buffer for a parameter that is text"));
    }
    Ok(())
}
