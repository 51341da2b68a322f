//! What every verb gets: the machine, and how to talk.

use std::io::{IsTerminal as _, Write as _};

use ese_api::Env;

use crate::{args::Common, interrupt::Interrupt, progress::Progress, text};

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) env: Env,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

impl Context {
    pub(crate) fn new(common: Common) -> Context {
        Context { env: Env::real(), json: common.json, quiet: common.quiet }
    }

    /// From now on Ctrl-C asks to stop; the second one ends the program at once.
    pub(crate) fn interrupt(&self) -> Interrupt {
        Interrupt::install(&self.env)
    }

    /// A progress bar on standard error, if that is a terminal; now and then a line otherwise.
    pub(crate) fn progress(&self, label: &str) -> Progress {
        if self.quiet {
            Progress::silent(label, self.env.clone())
        } else if std::io::stderr().is_terminal() {
            Progress::bar(label, self.env.clone())
        } else {
            Progress::lines(label, self.env.clone())
        }
    }

    /// A remark on standard error, on one line.
    pub(crate) fn remark(&self, text: &str) {
        if !self.quiet {
            // Nothing depends on a remark being seen.
            drop(writeln!(std::io::stderr().lock(), "{}", text::printable(text)));
        }
    }
}
