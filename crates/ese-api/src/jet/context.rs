//! Contexts and parameters of sessions (api-semantics 4.1, 4.4).

use std::thread;

use ese_base::{Error, JetErr, Result};

use super::{
    JET_bitCommitLazyFlush, JET_bitWaitAllLevel0Commit, JET_bitWaitLastLevel0Commit,
    gate::{Purpose, enter},
    handles::JET_SESID,
    invalid_grbit,
    session::{Own, Ses, find_session},
};

/// Binds a session to a context, so that any thread that binds it to the same one can go on with
/// its transaction.
///
/// # Errors
/// `JET_errInvalidSesid` (-1104), the gate's; `JET_errInvalidParameter` (-1003) for the reserved
/// contexts 0 and all ones; `JET_errSessionContextAlreadySet` (-1912).
pub fn JetSetSessionContext(sesid: JET_SESID, ulContext: u64) -> Result<()> {
    with_own(&*find_session(sesid)?, |own| {
        if ulContext == 0 || ulContext == u64::MAX {
            let what = format!("context {ulContext:#x} is reserved");
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        if own.context.is_some() {
            let what = "the session is bound to a context";
            return Err(Error::new(JetErr::SessionContextAlreadySet, what)
                .advise("call JetResetSessionContext on the thread that bound it"));
        }
        own.context = Some((ulContext, thread::current().id()));
        Ok(())
    })
}

/// Unbinds a session from its context.
///
/// # Errors
/// `JET_errInvalidSesid` (-1104), the gate's; `JET_errSessionContextNotSetByThisThread` (-1913).
pub fn JetResetSessionContext(sesid: JET_SESID) -> Result<()> {
    with_own(&*find_session(sesid)?, |own| match own.context {
        Some((_, thread)) if thread == thread::current().id() => {
            own.context = None;
            Ok(())
        }
        _ => {
            let what = "this thread has not bound the session to a context";
            Err(Error::new(JetErr::SessionContextNotSetByThisThread, what))
        }
    })
}

/// Binding is for threads that cannot use the session yet: their calls would be refused.
fn with_own<T>(session: &Ses, body: impl FnOnce(&mut Own) -> Result<T>) -> Result<T> {
    enter(&session.inst, Purpose::Work)?;
    body(&mut session.own.lock())
}

/// Flags of commits that are called without any: 4 bytes.
pub const JET_sesparamCommitDefault: u32 = 4097;
/// Open transaction levels: 4 bytes, to be read only.
pub const JET_sesparamTransactionLevel: u32 = 4099;
/// A number for traces: 4 bytes.
pub const JET_sesparamCorrelationID: u32 = 4101;

/// Who does what, for traces: 8 bytes (JET_OPERATIONCONTEXT).
pub const JET_sesparamOperationContext: u32 = 4100;

/// The operation context of a session that was told none: a user that does not exist.
const OPERATION_CONTEXT: [u8; 8] = [0, 0, 0, 0x80, 0, 0, 0, 0];

/// Parameters that are kept and given back: id, and bytes of a value, or the most that one of
/// several lengths may have.
const KEPT: &[(u32, Length)] = &[
    (4098, Length::UpTo(1024)),
    (JET_sesparamOperationContext, Length::Exactly(OPERATION_CONTEXT.len())),
    (4102, Length::Exactly(4)),
    (4103, Length::Text(1024)),
    (4104, Length::Text(1024)),
    (4105, Length::Text(1024)),
    // A GUID.
    (4106, Length::Exactly(16)),
    (4107, Length::Exactly(4)),
    (4108, Length::Exactly(4)),
    (4109, Length::Exactly(4)),
    (4110, Length::Exactly(4)),
];

#[derive(Clone, Copy, Debug)]
enum Length {
    Exactly(usize),
    UpTo(usize),
    /// A description of so many bytes: given back with a zero at its end, also if there is none.
    Text(usize),
}

fn kept(id: u32) -> Result<Length> {
    let row = KEPT.iter().find(|(other, _)| *other == id);
    row.map(|(_, length)| *length).ok_or_else(|| unknown(id))
}

/// A parameter of a session as it is now.
#[derive(Clone, Debug)]
pub struct JET_SESPARAM {
    id: u32,
    bytes: Vec<u8>,
    exactly: bool,
}

impl JET_SESPARAM {
    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Writes it into a buffer of at least its size. Commit flags and transaction level want one of
    /// exactly four bytes.
    ///
    /// # Errors
    /// `JET_errInvalidBufferSize` (-1047); `JET_errBufferTooSmall` (-1038) for a parameter that has
    /// no fixed size.
    pub fn put(&self, pvParam: &mut [u8]) -> Result<()> {
        let (size, len) = (self.size(), pvParam.len());
        if len < size || self.exactly && len > size {
            let error = wrong_size(self.id, size, len);
            return Err(match kept(self.id) {
                Ok(Length::UpTo(_) | Length::Text(_)) => error.with_code(JetErr::BufferTooSmall),
                _ => error,
            });
        }
        pvParam.iter_mut().zip(&self.bytes).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

/// A parameter of a session, for who does not know its size.
///
/// # Errors
/// The session's; `JET_errInvalidSesparamId` (-1093).
pub fn session_parameter(sesid: JET_SESID, sesparamid: u32) -> Result<JET_SESPARAM> {
    find_session(sesid)?.call(Purpose::Work, |state, own| {
        let number = |value: u32| value.to_le_bytes().to_vec();
        let (bytes, exactly) = match sesparamid {
            JET_sesparamCommitDefault => (number(own.commit_default), true),
            JET_sesparamTransactionLevel => (number(u32::from(state.engine.level())), true),
            JET_sesparamCorrelationID => (number(own.correlation), false),
            other => {
                let length = kept(other)?;
                let none = match length {
                    _ if other == JET_sesparamOperationContext => OPERATION_CONTEXT.to_vec(),
                    Length::Exactly(bytes) => vec![0; bytes],
                    Length::UpTo(_) => Vec::new(),
                    Length::Text(_) => vec![0],
                };
                (own.kept.get(&other).cloned().unwrap_or(none), false)
            }
        };
        Ok(JET_SESPARAM { id: sesparamid, bytes, exactly })
    })
}

/// Reads a parameter of a session into a buffer of at least its size, gives the size.
///
/// # Errors
/// As [`session_parameter`] and [`JET_SESPARAM::put`].
pub fn JetGetSessionParameter(
    sesid: JET_SESID,
    sesparamid: u32,
    pvParam: &mut [u8],
) -> Result<usize> {
    let found = session_parameter(sesid, sesparamid)?;
    found.put(pvParam)?;
    Ok(found.size())
}

/// Writes a parameter of a session.
///
/// # Errors
/// The session's; `JET_errInvalidSesparamId` (-1093), `JET_errFeatureNotAvailable` (-1001) for one
/// that is only read, `JET_errInvalidBufferSize` (-1047), `JET_errInvalidGrbit` (-900).
pub fn JetSetSessionParameter(sesid: JET_SESID, sesparamid: u32, pvParam: &[u8]) -> Result<()> {
    find_session(sesid)?.call(Purpose::Work, |_, own| {
        let place = match sesparamid {
            JET_sesparamCommitDefault => &mut own.commit_default,
            JET_sesparamCorrelationID => &mut own.correlation,
            JET_sesparamTransactionLevel => {
                let what = "the transaction level follows from the calls";
                return Err(Error::new(JetErr::FeatureNotAvailable, what));
            }
            other => {
                let (fits, wanted) = match kept(other)? {
                    Length::Exactly(wanted) => (pvParam.len() == wanted, wanted),
                    Length::UpTo(most) | Length::Text(most) => (pvParam.len() <= most, most),
                };
                if !fits {
                    return Err(wrong_size(other, wanted, pvParam.len()));
                }
                let mut bytes = pvParam.to_vec();
                if let Length::Text(_) = kept(other)? {
                    bytes.truncate(pvParam.iter().position(|byte| *byte == 0).unwrap_or(wanted));
                    bytes.push(0);
                }
                own.kept.insert(other, bytes);
                return Ok(());
            }
        };
        let bytes = pvParam.try_into().map_err(|_| wrong_size(sesparamid, 4, pvParam.len()))?;
        let value = u32::from_le_bytes(bytes);
        let commits =
            JET_bitCommitLazyFlush | JET_bitWaitLastLevel0Commit | JET_bitWaitAllLevel0Commit;
        if sesparamid == JET_sesparamCommitDefault && value & !commits != 0 {
            return Err(invalid_grbit("JET_sesparamCommitDefault", value));
        }
        *place = value;
        Ok(())
    })
}

#[track_caller]
fn unknown(id: u32) -> Error {
    Error::new(JetErr::InvalidSesparamId, format!("{id} is no parameter of a session"))
}

#[track_caller]
fn wrong_size(id: u32, wanted: usize, len: usize) -> Error {
    let what = format!("parameter {id} has {wanted} bytes, the buffer {len}");
    Error::new(JetErr::InvalidBufferSize, what)
}
