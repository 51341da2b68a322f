//! Many instances in one process (api-semantics 2.1).

use ese_base::{Error, JetErr, Result};

use super::{
    JetSetSystemParameter,
    handles::JET_SESID,
    process::{Mode, PROCESS},
};

/// A parameter of the process, and what became of it.
#[derive(Clone, Debug)]
pub struct JET_SETSYSPARAM {
    /// Which one.
    pub paramid: u32,
    /// Its value, if that is a number.
    pub lParam: u64,
    /// Its value, if that is a text.
    pub sz: Option<String>,
    /// What setting it gave.
    pub err: JetErr,
}

/// Lets the process have many instances, and sets parameters of the process before any of them is
/// made. Ends at the first that is refused; those before it stay set.
///
/// # Errors
/// `JET_errRunningInOneInstanceMode` (-1080); `JET_errSystemParamsAlreadySet` (-1082) where there
/// are instances and a parameter has another value; as
/// [`JetSetSystemParameter`](super::JetSetSystemParameter).
pub fn JetEnableMultiInstance(psetsysparam: &mut [JET_SETSYSPARAM]) -> Result<()> {
    let exist = {
        let mut process = PROCESS.lock();
        if process.mode == Mode::One {
            let what = "the process uses the one instance that has no name";
            return Err(Error::new(JetErr::RunningInOneInstanceMode, what));
        }
        process.mode = Mode::Multi;
        process.has_instances()
    };
    for param in psetsysparam {
        let text = param.sz.as_deref();
        let set = JetSetSystemParameter(None, JET_SESID::NIL, param.paramid, param.lParam, text);
        let set = set.map_err(|error| match error.code() {
            JetErr::AlreadyInitialized if exist => error.with_code(JetErr::SystemParamsAlreadySet),
            _ => error,
        });
        param.err = set.as_ref().map_or_else(Error::code, |()| JetErr::Success);
        set?;
    }
    Ok(())
}
