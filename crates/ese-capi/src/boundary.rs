//! The way into the engine and out of it: every exported function is declared with one of the two
//! macros below, and runs its body inside [`enter`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use ese_api::jet::{self, JET_INSTANCE, JET_SESID, JET_TABLEID};
use ese_base::{JetErr, Result};

/// Whom a call is about: whose handle is looked at first, and which instance is stopped if the
/// engine breaks in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About {
    /// A session.
    Session(usize),
    /// A cursor of a session.
    Cursor(usize, usize),
    /// An instance.
    Instance(usize),
    /// No instance, or the only one.
    Process,
}

impl About {
    /// Handles that are none, whatever there is.
    fn refused(self) -> Option<JetErr> {
        let none = |handle: usize| handle == 0 || handle == usize::MAX;
        match self {
            About::Session(sesid) | About::Cursor(sesid, _) if none(sesid) => {
                Some(JetErr::InvalidSesid)
            }
            About::Cursor(_, tableid) if none(tableid) => Some(JetErr::InvalidTableId),
            _ => None,
        }
    }

    /// The engine broke: nothing that it did last can be relied on.
    #[cold]
    fn stop(self) -> JetErr {
        let (instance, sesid) = match self {
            About::Instance(handle) => (instance(handle), JET_SESID::NIL),
            About::Session(handle) | About::Cursor(handle, _) => {
                (JET_INSTANCE::NIL, session(handle))
            }
            About::Process => (JET_INSTANCE::NIL, JET_SESID::NIL),
        };
        let stop = || jet::stop_after_panic(instance, sesid);
        if catch_unwind(AssertUnwindSafe(stop)).is_err() {
            tracing::error!("an instance that broke could not be stopped");
        }
        JetErr::InternalError
    }
}

/// What the body of a call gives when it succeeds.
pub(crate) trait Code {
    fn code(self) -> JetErr;
}

impl Code for () {
    fn code(self) -> JetErr {
        JetErr::Success
    }
}

impl Code for JetErr {
    fn code(self) -> JetErr {
        self
    }
}

/// Runs a call. Nothing unwinds out of it. In a process that was forked off one that used the
/// engine nothing is touched: locks may be held there by threads that do not exist.
#[inline]
pub(crate) fn enter<T: Code>(about: About, body: impl FnOnce() -> Result<T>) -> i32 {
    if ese_os::forked() {
        return JetErr::InstanceUnavailable as i32;
    }
    if let Some(refused) = about.refused() {
        return refused as i32;
    }
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(done)) => done.code() as i32,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a call is refused");
            error.jet_code()
        }
        Err(_) => about.stop() as i32,
    }
}

/// A number of 64 bits; handles have as many here.
fn wide(handle: usize) -> u64 {
    handle as u64
}

pub(crate) fn session(handle: usize) -> JET_SESID {
    JET_SESID(wide(handle))
}

pub(crate) fn cursor(handle: usize) -> JET_TABLEID {
    JET_TABLEID(wide(handle))
}

pub(crate) fn instance(handle: usize) -> JET_INSTANCE {
    JET_INSTANCE(wide(handle))
}

/// A handle for a caller.
pub(crate) fn handle(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Declares functions without text: name, arguments, whom the call is about, and its body.
macro_rules! exports {
    ($(fn $name:ident($($arg:ident: $ty:ty),* $(,)?) about $about:expr => $body:block)*) => {$(
        #[unsafe(no_mangle)]
        #[allow(clippy::too_many_arguments, reason = "as many as the interface says")]
        extern "C" fn $name($($arg: $ty),*) -> i32 {
            $crate::boundary::enter($about, move || $body)
        }
    )*};
}

/// Declares functions with text: their names with 8-bit text, with 16-bit text, and where there is
/// one without ending, which means 8-bit text; `C` is the unit of text in arguments and body.
macro_rules! text_exports {
    ($(
        fn $($narrow:ident)+ | $wide:ident ($($arg:ident: $ty:ty),* $(,)?)
        about $about:expr => $body:block
    )*) => {$(
        const _: () = {
            #[allow(clippy::too_many_arguments, reason = "as many as the interface says")]
            fn body<C: $crate::text::Unit>(
                $($arg: $ty),*
            ) -> ese_base::Result<impl $crate::boundary::Code> $body

            $crate::boundary::text_exports!(@each u8, [$($narrow)+], ($($arg: $ty),*), $about);
            $crate::boundary::text_exports!(@each u16, [$wide], ($($arg: $ty),*), $about);
        };
    )*};
    (@each $unit:ty, [$($name:ident)+], $args:tt, $about:expr) => {
        const _: () = {
            type C = $unit;
            $($crate::boundary::text_exports!(@one $name, $args, $about);)+
        };
    };
    (@one $name:ident, ($($arg:ident: $ty:ty),*), $about:expr) => {
        #[unsafe(no_mangle)]
        #[allow(clippy::too_many_arguments, reason = "as many as the interface says")]
        extern "C" fn $name($($arg: $ty),*) -> i32 {
            $crate::boundary::enter($about, move || body::<C>($($arg),*))
        }
    };
}

pub(crate) use {exports, text_exports};
