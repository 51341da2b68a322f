//! Ctrl-C, a termination, a closed terminal: once asks to stop cleanly, twice ends at once.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use ese_api::{Env, Error, JetErr, StopReason, StopToken};
use ese_os::OpenMode;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ},
    flag,
};

use crate::failure::{Failure, INTERRUPTED, Outcome};

/// Between two looks while the engine is at work.
const LOOK: Duration = Duration::from_millis(20);

/// Has somebody pressed Ctrl-C?
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// A write beyond the limit of file sizes is an error as on a full disk, and no end by a signal
/// that leaves half a file.
pub(crate) fn survive_file_limits() {
    // One that cannot be caught keeps its ordinary meaning.
    drop(flag::register(SIGXFSZ, Arc::default()));
}

impl Interrupt {
    pub(crate) fn install(env: &Env) -> Interrupt {
        let pressed = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            // `nohup` ignores it so that the program goes on.
            if signal == SIGHUP && is_ignored(env, signal) {
                continue;
            }
            // In this order: the first signal finds the flag down and raises it. A signal that
            // cannot be caught keeps its ordinary meaning.
            let code = i32::from(INTERRUPTED);
            if flag::register_conditional_shutdown(signal, code, Arc::clone(&pressed)).is_ok() {
                drop(flag::register(signal, Arc::clone(&pressed)));
            }
        }
        // Who asks for progress before there is any must not end the program.
        drop(flag::register(SIGUSR1, Arc::default()));
        Interrupt(pressed)
    }

    #[cfg(test)]
    pub(crate) fn press(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Runs something of the engine that can be stopped. If it was, the failure says what is left
    /// of it.
    pub(crate) fn stoppable<T, E: Into<Failure>>(
        &self,
        left: impl FnOnce() -> String,
        run: impl FnOnce(&StopToken) -> Result<T, E>,
    ) -> Outcome<T> {
        self.during(run).map_err(|error| match error.into() {
            Failure::Engine(error) if is_stop(&error) => Failure::Stopped(left()),
            failure => failure,
        })
    }

    /// Runs something with a token that is stopped as soon as somebody presses. A thread looks, so
    /// that the engine may wait for long without a progress call.
    pub(crate) fn during<T>(&self, run: impl FnOnce(&StopToken) -> T) -> T {
        let token = &StopToken::new();
        // Its end is dropped when all is done, also by a panic.
        let (over, is_over) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while is_over.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if self.pressed() {
                        token.stop(StopReason::Requested);
                    }
                }
            });
            let _over = over;
            run(token)
        })
    }
}

/// Is this what the engine answers when a token was stopped?
pub(crate) fn is_stop(error: &Error) -> bool {
    matches!(error.code(), JetErr::ClientRequestToStopJetService | JetErr::BackupAbortByServer)
}

/// Was the program started with this signal ignored? Linux says so in the status of the process, as
/// a line `SigIgn:` with a bit for every signal.
fn is_ignored(env: &Env, signal: i32) -> bool {
    const STATUS_MAX: u64 = 16 << 10;
    let Ok(file) = env.fs.open(Path::new("/proc/self/status"), OpenMode::Read) else {
        return false;
    };
    // It has no length that could be asked for.
    let mut byte = [0; 1];
    let bytes = (0..STATUS_MAX).map_while(|at| file.read_at(&mut byte, at).ok().map(|()| byte[0]));
    let status: Vec<u8> = bytes.collect();
    ignores(&String::from_utf8_lossy(&status), signal)
}

fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_ignored_if_its_bit_is_set() {
        let status = "Name:\tese\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001002\n";
        assert!(ignores(status, SIGINT) && !ignores(status, SIGHUP));
        assert!(!ignores("", SIGHUP));
        assert!(!is_ignored(&Env::real(), SIGTERM));
    }
}
