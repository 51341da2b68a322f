//! How a copy leaves the device to those who commit meanwhile.
//!
//! A sync of the log flushes the device, and the flush writes what the copy has just given it, too:
//! the round of the log takes longer than usual, and whoever commits waits for it. What rounds take
//! longer is a debt. It is paid with time, an eighth of it, and the copy rests until it is paid. So
//! rounds take an eighth of the time longer at most, whatever device and file system are, and if
//! nobody makes the log durable there is neither debt nor rest. A rest has a longest time: a copy
//! comes to its end on a device that is busy all the time. It also lasts until the first round is
//! over that began in it: only then it shows what the work before has done to others.
//!
//! What a round usually takes shows in the rests. The first that begins in a rest does not count:
//! it may flush what the copy has written last. Nor does one that began before it. Once a second
//! the copy rests for nothing else.

use std::time::Duration;

use crate::source::{BackupSource, RoundTimes};

/// The debt of one copy, and what it knows of those who commit.
#[derive(Debug, Default)]
pub(crate) struct Rests {
    /// The rounds at the last look, and when it was.
    seen: RoundTimes,
    looked: Duration,
    /// What the round that ran then had taken longer than usual.
    over: Duration,
    /// What a round takes while the copy rests, once that is known.
    usual: Option<Duration>,
    debt: Duration,
    /// Until then somebody counts as committing.
    busy_until: Duration,
    /// From then on a rest is due in which `usual` shows.
    learn_from: Duration,
}

/// This part of the time goes to rounds that take longer.
const SHARE: u32 = 8;
/// Somebody commits until there was no round for so long.
const LINGER: Duration = Duration::from_millis(200);
/// The longest rest after one piece of work. With pieces of 512 KiB that is 10 MB/s at least.
const LONGEST: Duration = Duration::from_millis(50);
/// Between two rests in which the usual time of a round shows, at most.
const LEARN_EVERY: Duration = Duration::from_secs(1);
/// Such a rest ends after so many undisturbed rounds.
const LEARN_ROUNDS: u64 = 4;
/// Between two looks at the rounds, and at whoever may want to stop.
const LOOK_MIN: Duration = Duration::from_micros(100);
const LOOK_MAX: Duration = Duration::from_millis(1);

impl Rests {
    /// The rounds up to now were those of the backup itself.
    pub(crate) fn skip(&mut self, source: &dyn BackupSource) {
        self.seen = source.round_times();
        self.looked = source.env().clock.monotonic();
        self.over = Duration::ZERO;
    }

    /// Does somebody commit? Then a piece of work is to be small, and over before the next begins.
    pub(crate) fn others_commit(&mut self, source: &dyn BackupSource) -> bool {
        let now = source.env().clock.monotonic();
        self.look(source.round_times(), now);
        now < self.busy_until
    }

    /// A piece of work is done: rests until its debt is paid, or `go_on` says no; it is asked again
    /// and again.
    pub(crate) fn rest(&mut self, source: &dyn BackupSource, go_on: &dyn Fn() -> bool) {
        let clock = &source.env().clock;
        let begun = clock.monotonic();
        let rounds = source.round_times();
        self.look(rounds, begun);
        let mut undisturbed = Undisturbed::new(rounds);
        let learn = begun < self.busy_until && begun >= self.learn_from;
        let mut now = begun;
        loop {
            let learns = learn && undisturbed.count() < LEARN_ROUNDS;
            if !learns && self.debt.is_zero() && !undisturbed.is_awaited() {
                break;
            }
            if now - begun >= LONGEST {
                self.debt = Duration::ZERO;
                break;
            }
            if !go_on() {
                break;
            }
            clock.sleep(self.debt.saturating_mul(SHARE).clamp(LOOK_MIN, LOOK_MAX));
            now = clock.monotonic();
            let rounds = source.round_times();
            undisturbed.look(rounds);
            self.look(rounds, now);
        }
        let learnt = undisturbed.mean();
        if learn || learnt.is_some() {
            self.learn(learnt);
            self.learn_from = now + LEARN_EVERY;
        }
    }

    /// Takes in what has happened since the last look.
    fn look(&mut self, rounds: RoundTimes, now: Duration) {
        let ended = rounds.ended.saturating_sub(self.seen.ended);
        if ended > 0 || rounds.running_since.is_some() {
            self.busy_until = now + LINGER;
        }
        if let Some(usual) = self.usual {
            let took = rounds.took.saturating_sub(self.seen.took);
            let runs =
                rounds.running_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
            let over = runs.saturating_sub(usual);
            let expected = usual.saturating_mul(u32::try_from(ended).unwrap_or(u32::MAX));
            let paid = now.saturating_sub(self.looked) / SHARE;
            self.debt = (self.debt + took + over).saturating_sub(self.over + expected + paid);
            self.over = over;
        }
        (self.seen, self.looked) = (rounds, now);
    }

    /// Quick to believe that rounds are short: a usual time that is too long hides the debt. If no
    /// rest shows it, rounds are rare, or so slow that it will show when they have become slower.
    fn learn(&mut self, took: Option<Duration>) {
        self.usual = Some(match (self.usual, took) {
            (None, took) => took.unwrap_or(LONGEST),
            (Some(usual), None) => usual,
            (Some(usual), Some(took)) if took < usual => (usual + took) / 2,
            (Some(usual), Some(took)) => usual + (took - usual) / 8,
        });
    }
}

/// The rounds of a rest that nothing written before it can have delayed.
struct Undisturbed {
    /// They are those behind so many.
    behind: u64,
    first: Option<RoundTimes>,
    last: RoundTimes,
}

impl Undisturbed {
    fn new(rounds: RoundTimes) -> Undisturbed {
        let disturbed = 1 + u64::from(rounds.running_since.is_some());
        Undisturbed { behind: rounds.ended + disturbed, first: None, last: rounds }
    }

    fn look(&mut self, rounds: RoundTimes) {
        if self.first.is_none() && rounds.ended >= self.behind {
            self.first = Some(rounds);
        }
        self.last = rounds;
    }

    /// Is a round running behind which, or as which, the one comes that may be delayed? Until it is
    /// over nobody knows what the work has done.
    fn is_awaited(&self) -> bool {
        self.last.ended < self.behind && self.last.running_since.is_some()
    }

    fn count(&self) -> u64 {
        self.first.map_or(0, |first| self.last.ended - first.ended)
    }

    fn mean(&self) -> Option<Duration> {
        let took = self.last.took.saturating_sub(self.first?.took);
        took.checked_div(u32::try_from(self.count()).ok()?)
    }
}

#[cfg(test)]
mod tests;
