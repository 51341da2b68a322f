//! Ctrl-C: once asks to stop cleanly, twice ends at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ese_api::{StopReason, StopToken};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use crate::failure::INTERRUPTED;

/// Has somebody pressed Ctrl-C?
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub(crate) fn install() -> Interrupt {
        let pressed = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down and raises it. A signal that
            // cannot be caught keeps its ordinary meaning.
            let code = i32::from(INTERRUPTED);
            if flag::register_conditional_shutdown(signal, code, Arc::clone(&pressed)).is_ok() {
                drop(flag::register(signal, Arc::clone(&pressed)));
            }
        }
        Interrupt(pressed)
    }

    #[cfg(test)]
    pub(crate) fn press(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Tells the engine if it was pressed; to be called from progress calls.
    pub(crate) fn pass_on(&self, stop: &StopToken) {
        if self.pressed() {
            stop.stop(StopReason::Requested);
        }
    }
}
