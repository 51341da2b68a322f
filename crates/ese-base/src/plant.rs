//! Planted bugs: a test of the tests.
//!
//! A place that keeps a promise may carry a way to break it, `if plant!("skip-log-sync") { .. }`.
//! In ordinary builds the macro is the constant `false` and the branch is not compiled. Built with
//! `RUSTFLAGS="--cfg plant"`, a harness chooses one bug by name with `set` and must notice it.
//!
//! The choice is one for the whole process, because the bug must also fire on background threads:
//! harnesses that choose run one after another (`with` sees to that).

/// Is the planted bug of this name chosen? Always `false` without `--cfg plant`.
#[macro_export]
macro_rules! plant {
    ($name:literal) => {{
        const ID: u64 = $crate::plant::id($name);
        $crate::plant::is_on(ID)
    }};
}

/// The number that stands for a name (FNV-1a, 64 bits).
#[must_use]
pub const fn id(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(not(plant))]
#[doc(hidden)]
#[inline(always)]
#[must_use]
pub const fn is_on(_id: u64) -> bool {
    false
}

#[cfg(plant)]
pub use chosen::{hits, is_on, set, with};

#[cfg(plant)]
mod chosen {
    use std::sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    };

    /// The id of the chosen bug; 0 for none (no name that anyone would write hashes to it).
    static CHOSEN: AtomicU64 = AtomicU64::new(0);
    static HITS: AtomicU64 = AtomicU64::new(0);
    static TURN: Mutex<()> = Mutex::new(());

    /// Chooses one planted bug, or none, and sets [`hits`] to 0.
    pub fn set(name: Option<&str>) {
        HITS.store(0, Ordering::SeqCst);
        CHOSEN.store(name.map_or(0, super::id), Ordering::SeqCst);
    }

    /// How often the chosen bug fired since [`set`]. 0 after a run means that the workload never
    /// came by, or that the name is wrong: either way the run proved nothing.
    #[must_use]
    pub fn hits() -> u64 {
        HITS.load(Ordering::SeqCst)
    }

    /// Runs `body` with one bug chosen, alone among all callers of `with`; gives its result and
    /// the hits.
    pub fn with<R>(name: &str, body: impl FnOnce() -> R) -> (R, u64) {
        struct Reset;
        impl Drop for Reset {
            fn drop(&mut self) {
                set(None);
            }
        }
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let _reset = Reset;
        set(Some(name));
        let result = body();
        (result, hits())
    }

    #[doc(hidden)]
    #[must_use]
    pub fn is_on(id: u64) -> bool {
        let on = CHOSEN.load(Ordering::Relaxed) == id;
        if on {
            HITS.fetch_add(1, Ordering::Relaxed);
        }
        on
    }
}

#[cfg(test)]
mod tests {
    #[cfg(not(plant))]
    #[test]
    fn nothing_is_planted_in_ordinary_builds() {
        const { assert!(!plant!("a")) };
    }

    #[cfg(plant)]
    #[test]
    fn exactly_the_chosen_bug_fires() {
        assert!(!plant!("a"));
        let (seen, hits) = super::with("a", || (plant!("a"), plant!("b"), plant!("a")));
        assert_eq!((seen, hits), ((true, false, true), 2));
        assert!(!plant!("a"), "the choice ends with the body");
    }

    #[test]
    fn names_have_different_ids() {
        assert_ne!(super::id("skip-log-sync"), super::id("skip-db-sync"));
        assert_ne!(super::id(""), 0);
    }
}
