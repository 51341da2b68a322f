//! Ends and starts of the store, and what must hold after them.

use std::{path::Path, sync::Arc};

use ese_base::Result;
use ese_engine::{catalog, session::Session};
use ese_sim::{Image, Plan, SimDisk, SimEnv, StateOptions};

use super::{
    machine::{Checked, Machine, in_words},
    rows::content_of,
    state::{Contents, contents},
};
use crate::sim::verify;

const DIR: &str = "/store";

impl Machine {
    /// Starts the store on the disk as it is.
    pub(super) fn start(&mut self) -> Checked {
        self.open_store().map_err(|error| format!("starting: {error}"))?;
        self.history = vec![(self.commits, self.latest.clone())];
        self.disk.mark(self.commits);
        self.begin_sessions()
    }

    fn open_store(&mut self) -> Result<()> {
        let instance = self.settings.start(&self.env, DIR)?;
        drop(instance.open_or_create_database(Path::new(DIR).join("a.edb"))?);
        self.attached = instance.engine().databases().pop();
        self.instance = Some(instance);
        Ok(())
    }

    /// Closes the store, kills it, or cuts the power; then starts it and checks everything.
    pub(super) fn point(&mut self) -> Checked {
        let marked = self.marked();
        let (image, acknowledged) = match self.random.below(3) {
            0 => (self.close()?, self.commits),
            1 => (self.kill(), marked),
            _ => self.cut_power(),
        };
        self.disk = Arc::new(SimDisk::from_image(&image));
        self.env = SimEnv::on(&self.disk, self.seed ^ self.tally.steps);
        self.open_store().map_err(|error| format!("starting again: {error}"))?;
        self.check(acknowledged)?;
        self.history = vec![(self.commits, self.latest.clone())];
        self.disk.mark(self.commits);
        self.begin_sessions()
    }

    /// The last commit that is acknowledged as durable.
    fn marked(&self) -> u64 {
        self.disk.recording().last_mark()
    }

    fn close(&mut self) -> Checked<Image> {
        self.note("the store is closed".to_owned());
        self.tally.restarts += 1;
        self.actors.clear();
        self.attached = None;
        if let Some(instance) = self.instance.take() {
            instance.stop().map_err(|error| format!("closing: {error}"))?;
        }
        // What was synced: an orderly end leaves nothing to the system.
        Ok(self.disk.recording().image_at_end(Plan::Nothing))
    }

    /// The program dies; the system lives and writes what it has.
    fn kill(&mut self) -> Image {
        self.note("the store is killed".to_owned());
        self.tally.kills += 1;
        let image = self.disk.recording().image_at_end(Plan::All);
        self.abandon();
        image
    }

    fn cut_power(&mut self) -> (Image, u64) {
        self.tally.power_cuts += 1;
        let (from, nth) = (1 + self.random.below(16), self.random.index(24));
        let recording = self.disk.recording();
        let from_op = self.disk.next_op().saturating_sub(from);
        let options =
            StateOptions { seed: self.random.next_u64(), budget: nth + 1, garbage: true, from_op };
        let state = recording.states(options).last();
        let cut = state.map_or_else(
            || (recording.image_at_end(Plan::Nothing), recording.last_mark(), String::new()),
            |state| (state.image, state.mark, state.description),
        );
        self.note(format!("the power is cut: {}", cut.2));
        self.abandon();
        (cut.0, cut.1)
    }

    fn abandon(&mut self) {
        let instance = self.instance.take();
        if let Some(instance) = instance {
            instance.abandon();
        }
        self.actors.clear();
        self.attached = None;
    }

    /// The files are sound, and hold what one of the commits left that are not promised to be
    /// followed.
    fn check(&mut self, acknowledged: u64) -> Checked {
        let attached = self.attached()?;
        let session = Session::begin_session(self.running()?.engine()).map_err(in_words)?;
        verify(&self.env, &session, &attached).map_err(in_words)?;
        let mut found = Contents::new();
        for table in catalog::tables(&session, &attached).map_err(in_words)? {
            if !table.schema.name.starts_with("MSys") {
                let content = content_of(&session, &table).map_err(in_words)?;
                found.insert(table.schema.name.clone(), content);
            }
        }
        let possible = self.history.iter().rev().take_while(|(number, _)| *number >= acknowledged);
        let matching = possible.into_iter().find(|(_, state)| contents(state) == found).cloned();
        let Some((number, state)) = matching else {
            return Err(self.describe_loss(acknowledged, &found));
        };
        (self.commits, self.latest) = (number, state);
        Ok(())
    }

    fn describe_loss(&self, acknowledged: u64, found: &Contents) -> String {
        let expected = contents(&self.latest);
        let mut lines = Vec::new();
        let names: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        for name in names {
            let (Some(old), Some(new)) = (expected.get(name), found.get(name)) else {
                lines.push(format!("table {name} is in one only"));
                continue;
            };
            if (&old.columns, &old.indexes) != (&new.columns, &new.indexes) {
                lines.push(format!("the definition of {name}"));
            }
            let keys: std::collections::BTreeSet<_> =
                old.rows.keys().chain(new.rows.keys()).collect();
            for key in keys {
                let (was, is) = (old.rows.get(key), new.rows.get(key));
                if was != is {
                    lines.push(format!("{name} {key:?}: {is:?}, last committed {was:?}"));
                }
            }
        }
        lines.truncate(6);
        let last = self.commits;
        format!(
            "what is there is no state from commit {acknowledged} (acknowledged) to {last}; beside \
             the last: {}",
            lines.join("; ")
        )
    }
}
