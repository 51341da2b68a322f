//! `ese demo`: the main job from beginning to end, on real records.
//!
//! Records are loaded by several threads, one durable transaction per unit. A backup streams out of
//! the database meanwhile and is stopped half way by another thread; a second one completes while
//! the rest is loaded. The set is restored next door, its logs are replayed, every page of both
//! databases is verified, and every row is compared with what was loaded.
//!
//! Nothing is slowed down for show: threads wait for each other only where the story says
//! "meanwhile".

mod backups;
mod check;
mod dpkg;
mod input;
mod load;
mod records;
mod screen;
mod story;
mod tree;

use std::path::{Path, PathBuf};

use ese_api::{Env, Error, JetErr};
use ese_os::remove_tree;
use serde_json::json;

use self::{screen::Screen, story::Story};
use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome},
    text,
};

pub(crate) fn run(context: &Context, args: &args::Demo) -> Outcome {
    let interrupt = context.interrupt();
    let place = Place::new(&context.env, args.dir.as_deref())?;
    let screen = Screen::new(context.json, context.quiet);
    let begun = context.env.clock.monotonic();
    let notes = args.acknowledge.as_deref();
    let story = Story { context, screen: &screen, interrupt: &interrupt, dir: &place.dir, notes };
    let held = story.tell(args.input.as_deref())?;
    let took = context.env.clock.monotonic().saturating_sub(begun);
    screen.json(&json!({
        "step": "end", "held": held, "ms": u64::try_from(took.as_millis()).ok(),
    }))?;
    let verdict = if held { "Everything held" } else { "Something did not hold: see !! above" };
    let next = if place.temporary {
        "The files are gone again; ese demo --dir DIR keeps them.".to_owned()
    } else {
        format!("Look around: ese tables {}", story.restored().display())
    };
    screen.end(held, &[format!("{verdict}, after {}.", text::time(took)), next])?;
    if held { Ok(()) } else { Err(Failure::Problems) }
}

/// Where the demo works.
struct Place<'a> {
    env: &'a Env,
    dir: PathBuf,
    temporary: bool,
}

impl<'a> Place<'a> {
    fn new(env: &'a Env, wanted: Option<&Path>) -> Outcome<Place<'a>> {
        let dir = match wanted {
            Some(dir) => dir.to_path_buf(),
            None => {
                let parent = std::env::temp_dir();
                if env.fs.list(&parent).is_err() {
                    return Err(Error::new(
                        JetErr::InvalidPath,
                        "no directory for temporary files",
                    )
                    .at_path(&parent)
                    .advise("set TMPDIR to a directory that exists, or name one with --dir")
                    .into());
                }
                parent.join(format!("ese-demo-{}", std::process::id()))
            }
        };
        if env.fs.exists(&dir)? && !env.fs.list(&dir)?.is_empty() {
            return Err(Failure::Usage(format!(
                "{}: the demo needs a new or an empty directory",
                dir.display()
            )));
        }
        env.fs.create_dir_all(&dir)?;
        Ok(Place { env, dir, temporary: wanted.is_none() })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.temporary {
            // What cannot be removed lies in the system's directory for such things.
            drop(remove_tree(&*self.env.fs, &self.dir));
        }
    }
}
