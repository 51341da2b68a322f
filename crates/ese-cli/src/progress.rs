//! How far something has come: a bar on a terminal, a line every few seconds elsewhere.

use std::{io::Write as _, time::Duration};

use ese_api::Env;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text;

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(2);
const BYTES: &str =
    "  {prefix:<8}      {bar:30.green} {percent:>3}%  {bytes} of {total_bytes} {msg}";
/// Of something that has no unit.
const PARTS: &str = "  {prefix:<8}      {bar:30.green} {percent:>3}%  {msg}";
const ROWS: &str =
    "  {prefix:<8}      {bar:30.green} {percent:>3}%  {human_pos} of {human_len} {msg}";

#[derive(Debug)]
pub(crate) struct Progress {
    label: String,
    shown: Shown,
    /// The largest part that was shown, in thousandths.
    most: u64,
}

#[derive(Debug)]
enum Shown {
    Nowhere,
    Bar(ProgressBar),
    Lines { env: Env, last: Duration },
}

impl Progress {
    pub(crate) fn silent() -> Progress {
        Progress { label: String::new(), shown: Shown::Nowhere, most: 0 }
    }

    pub(crate) fn bar(label: &str) -> Progress {
        // Nothing is drawn before it is known how much there is: of nothing, all is done.
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        bar.set_prefix(label.to_owned());
        Progress { label: label.to_owned(), shown: Shown::Bar(styled(bar, BYTES)), most: 0 }
    }

    pub(crate) fn lines(label: &str, env: Env) -> Progress {
        let last = env.clock.monotonic();
        Progress { label: label.to_owned(), shown: Shown::Lines { env, last }, most: 0 }
    }

    /// Shows the part alone.
    pub(crate) fn of_parts(mut self) -> Progress {
        if let Shown::Bar(bar) = &self.shown {
            self.shown = Shown::Bar(styled(bar.clone(), PARTS));
        }
        self
    }

    /// Counts rows instead of bytes.
    pub(crate) fn of_rows(mut self) -> Progress {
        if let Shown::Bar(bar) = &self.shown {
            self.shown = Shown::Bar(styled(bar.clone(), ROWS));
        }
        self
    }

    /// So many of so many. When more turns out to be there than was thought, what is shown waits.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        let part = |done: u64| u128::from(done) * 1000 / u128::from(total.max(1));
        self.most = self.most.max(u64::try_from(part(done.min(total))).unwrap_or(0));
        let least = u128::from(self.most) * u128::from(total) / 1000;
        let done = done.max(u64::try_from(least).unwrap_or(0));
        match &mut self.shown {
            Shown::Nowhere => {}
            Shown::Bar(bar) => {
                bar.set_length(total);
                bar.set_position(done);
                if bar.is_hidden() && total > 0 {
                    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(15));
                }
            }
            Shown::Lines { env, last } => {
                let now = env.clock.monotonic();
                if now.saturating_sub(*last) >= LINE_EVERY {
                    *last = now;
                    let line = format!("{}: {} %", self.label, text::percent(done, total));
                    // Nothing depends on progress being seen.
                    drop(writeln!(std::io::stderr().lock(), "{line}"));
                }
            }
        }
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

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    // A template that cannot be read leaves indicatif's own.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
