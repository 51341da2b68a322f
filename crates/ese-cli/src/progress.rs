//! How far something has come: a bar on a terminal, a line every few seconds elsewhere, and a line
//! whenever SIGUSR1 asks for one.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ese_api::Env;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::{consts::SIGUSR1, flag};

use crate::text;

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(2);
const BYTES: &str = "  {prefix:<8}      {bar:30.green} {percent:>3}%  {bytes} of {total_bytes}, \
                     {bytes_per_sec}, {eta} left  {msg}";
/// Of something that has no unit.
const PARTS: &str = "  {prefix:<8}      {bar:30.green} {percent:>3}%  {msg}";
const ROWS: &str =
    "  {prefix:<8}      {bar:30.green} {percent:>3}%  {human_pos} of {human_len} {msg}";

#[derive(Debug)]
pub(crate) struct Progress {
    label: String,
    shown: Shown,
    unit: Unit,
    env: Env,
    begun: Duration,
    /// Has SIGUSR1 asked for a line?
    asked: Arc<AtomicBool>,
    /// The largest part that was shown, in thousandths.
    most: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bytes,
    Rows,
    Nothing,
}

#[derive(Debug)]
enum Shown {
    Nowhere,
    Bar(ProgressBar),
    Lines { last: Duration },
}

impl Progress {
    pub(crate) fn silent(label: &str, env: Env) -> Progress {
        Progress::new(label, env, Shown::Nowhere)
    }

    pub(crate) fn bar(label: &str, env: Env) -> Progress {
        // Nothing is drawn before it is known how much there is: of nothing, all is done.
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        bar.set_prefix(label.to_owned());
        Progress::new(label, env, Shown::Bar(styled(bar, BYTES)))
    }

    pub(crate) fn lines(label: &str, env: Env) -> Progress {
        let last = env.clock.monotonic();
        Progress::new(label, env, Shown::Lines { last })
    }

    fn new(label: &str, env: Env, shown: Shown) -> Progress {
        let asked = Arc::new(AtomicBool::new(false));
        // Without the handler the signal keeps its meaning, which is to end the program.
        drop(flag::register(SIGUSR1, Arc::clone(&asked)));
        let (label, unit, begun) = (label.to_owned(), Unit::Bytes, env.clock.monotonic());
        Progress { label, shown, unit, env, begun, asked, most: 0 }
    }

    /// Shows the part alone.
    pub(crate) fn of_parts(mut self) -> Progress {
        if let Shown::Bar(bar) = &self.shown {
            self.shown = Shown::Bar(styled(bar.clone(), PARTS));
        }
        self.unit = Unit::Nothing;
        self
    }

    /// Counts rows instead of bytes.
    pub(crate) fn of_rows(mut self) -> Progress {
        if let Shown::Bar(bar) = &self.shown {
            self.shown = Shown::Bar(styled(bar.clone(), ROWS));
        }
        self.unit = Unit::Rows;
        self
    }

    /// So many of so many. When more turns out to be there than was thought, what is shown waits.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        let part = |done: u64| u128::from(done) * 1000 / u128::from(total.max(1));
        self.most = self.most.max(u64::try_from(part(done.min(total))).unwrap_or(0));
        let least = u128::from(self.most) * u128::from(total) / 1000;
        let done = done.max(u64::try_from(least).unwrap_or(0));
        let now = self.env.clock.monotonic();
        let mut wanted = self.asked.swap(false, Ordering::Relaxed);
        match &mut self.shown {
            Shown::Nowhere => {}
            Shown::Bar(bar) => {
                bar.set_length(total);
                bar.set_position(done);
                if bar.is_hidden() && total > 0 {
                    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(15));
                }
            }
            Shown::Lines { last } => {
                if now.saturating_sub(*last) >= LINE_EVERY {
                    *last = now;
                    wanted = true;
                }
            }
        }
        if wanted {
            let line = self.line(done, total, now);
            match &self.shown {
                Shown::Bar(bar) => bar.suspend(|| tell(&line)),
                _ => tell(&line),
            }
        }
    }

    /// `backup: 41 %, 1.2 GiB of 3 GiB, 110 MiB a second, 16.2 s left`.
    fn line(&self, done: u64, total: u64, now: Duration) -> String {
        let part = format!("{}: {} %", self.label, text::percent(done, total));
        let took = now.saturating_sub(self.begun);
        let of = match self.unit {
            Unit::Bytes => format!("{} of {}", text::bytes(done), text::bytes(total)),
            Unit::Rows => format!("{} of {} rows", text::count(done), text::count(total)),
            Unit::Nothing => return part,
        };
        let Some((rate, rest)) = pace(done, total, took) else { return format!("{part}, {of}") };
        let rate = match self.unit {
            Unit::Bytes => text::bytes(rate),
            _ => text::counted(rate, "row"),
        };
        format!("{part}, {of}, {rate} a second, {} left", text::time(rest))
    }

    /// A word behind the bar.
    pub(crate) fn say(&self, what: &str) {
        if let Shown::Bar(bar) = &self.shown {
            bar.set_message(what.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

fn tell(line: &str) {
    // Nothing depends on progress being seen.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// How much a second, and how long the rest takes at that pace; `None` as long as nobody can tell.
fn pace(done: u64, total: u64, took: Duration) -> Option<(u64, Duration)> {
    let millis = took.as_millis().max(1);
    let rate = u128::from(done) * 1000 / millis;
    let rest = (u128::from(total.saturating_sub(done)) * 1000).checked_div(rate)?;
    let rest = Duration::from_millis(u64::try_from(rest).ok()?);
    Some((u64::try_from(rate).ok()?, rest))
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    // A template that cannot be read leaves indicatif's own.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_tells_the_rest() {
        let second = Duration::from_secs(1);
        assert_eq!(pace(100, 300, 2 * second), Some((50, 4 * second)));
        assert_eq!(pace(300, 300, second), Some((300, Duration::ZERO)));
        assert_eq!(pace(0, 300, second), None);
    }
}
