//! Forks. A child has one thread and a copy of all memory: locks that other threads held are held
//! for ever there, and files are locked by the parent. So it must not use what the parent used.

use std::sync::atomic::{AtomicBool, Ordering};

static WATCHED: AtomicBool = AtomicBool::new(false);
static FORKED: AtomicBool = AtomicBool::new(false);

/// Is this process a child of one that has called this function? The first call begins to watch;
/// a process that was forked before may use the engine.
#[must_use]
pub fn forked() -> bool {
    if !WATCHED.load(Ordering::Relaxed) && !WATCHED.swap(true, Ordering::Relaxed) {
        // Should there be no memory for it, forks are not noticed; nothing else changes.
        // SAFETY: the function only stores a flag, which may be done in any child.
        unsafe { libc::pthread_atfork(None, None, Some(note)) };
    }
    FORKED.load(Ordering::Relaxed)
}

extern "C" fn note() {
    FORKED.store(true, Ordering::Relaxed);
}
