//! Functions of callers that the engine calls back. None of them may unwind; no lock of the engine
//! is held while one runs, except where the reference page of the call says so.

use ese_base::{Error, JetErr, Result};

use crate::{
    ptr::{Bytes, Plain, Ptr},
    types::{JET_COMMIT_ID, JET_SNPROG},
};

/// What a function of a caller answered.
///
/// # Errors
/// The error that it answered; `JET_errCallbackFailed` (-2101) for a number that is none.
pub(crate) fn answer(code: i32) -> Result<()> {
    match JetErr::from_code(code) {
        _ if code >= 0 => Ok(()),
        Some(code) => Err(Error::new(code, "a function of the caller answered so")),
        None => Err(Error::new(
            JetErr::CallbackFailed,
            format!("a function of the caller answered {code}, which is no error"),
        )),
    }
}

macro_rules! function {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $answer:ty) => {
        $(#[$doc])*
        // SAFETY: calling it is unsafe: callers promise what it does with its arguments.
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub(crate) struct $name(Option<unsafe extern "C" fn($($ty),*) -> $answer>);

        // SAFETY: `None` is NULL, and any other address is a function (head of `ptr`).
        unsafe impl Plain for $name {}

        impl $name {
            pub(crate) fn is_some(self) -> bool {
                self.0.is_some()
            }

            /// `None`: there is no such function.
            #[allow(clippy::too_many_arguments, reason = "as many as the interface says")]
            pub(crate) fn call(self, $($arg: $ty),*) -> Option<$answer> {
                // SAFETY: the caller gave the function for these arguments, which outlive the call.
                self.0.map(|function| unsafe { function($($arg),*) })
            }
        }
    };
}

/// For functions that are values of parameters, and told apart by their addresses.
macro_rules! value_of_parameter {
    ($($name:ident)*) => {$(
        impl $name {
            pub(crate) fn of(pointer: Bytes) -> $name {
                // SAFETY: two words of one size; the caller gave the pointer as this function.
                unsafe { std::mem::transmute::<Bytes, $name>(pointer) }
            }

            /// The address of the function; 0 for none.
            pub(crate) fn address(self) -> usize {
                self.0.map_or(0, |function| function as *const () as usize)
            }
        }
    )*};
}

function! {
    /// JET_PFNSTATUS: session, what it is about, which step, and what that step tells.
    Status(sesid: usize, snp: u32, snt: u32, pv: Bytes) -> i32
}

function! {
    /// JET_PFNINITCALLBACK: what it is about, which step, what that tells, and the caller's own.
    InitCallback(snp: u32, snt: u32, pv: Bytes, context: Bytes) -> i32
}

function! {
    /// JET_CALLBACK: session, database, cursor, reason, two arguments, the caller's own, unused.
    Callback(
        sesid: usize, dbid: u32, tableid: usize, cbtyp: u32, arg1: Bytes, arg2: Bytes,
        context: Bytes, unused: usize
    ) -> i32
}

function! {
    /// JET_PFNREALLOC: the caller's own, memory or NULL, bytes wanted or 0.
    Realloc(context: Bytes, memory: Bytes, cb: u32) -> Bytes
}

function! {
    /// JET_PFNDURABLECOMMITCALLBACK: instance, the last commit that is durable, flags.
    DurableCommit(instance: usize, commit: Ptr<JET_COMMIT_ID>, grbit: u32) -> i32
}

value_of_parameter! { Callback DurableCommit }

/// A pointer of the caller's own, which is only ever given back to the caller.
#[derive(Clone, Copy)]
pub(crate) struct Context(Bytes);

// SAFETY: nobody here follows the pointer; whoever gave it says with the function it is for from
// which threads that may be called.
unsafe impl Send for Context {}

// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    pub(crate) fn new(pv: Bytes) -> Context {
        Context(pv)
    }

    pub(crate) fn get(self) -> Bytes {
        self.0
    }
}

impl Status {
    /// Tells a step; progress has numbers.
    pub(crate) fn tell(
        self,
        sesid: usize,
        snp: u32,
        snt: u32,
        progress: Option<JET_SNPROG>,
    ) -> i32 {
        let mut progress = progress;
        let pv = progress.as_mut().map_or(Bytes::NULL, |told| Ptr::to(told).bytes());
        self.call(sesid, snp, snt, pv).unwrap_or(0)
    }
}
