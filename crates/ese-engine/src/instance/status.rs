//! What a running instance tells of itself, in a small text file beside its log.
//!
//! An instance is locked by its process, so nobody else can ask it. Its background thread writes
//! the file anew about once a second while there is something to tell, under another name first, so
//! that a reader finds all of it. Nobody syncs it: it says what is, not what was. It goes with an
//! orderly end. What a killed process leaves is told from what a running one says by the lock of
//! the log directory, which nobody has then.

use std::{fmt, path::Path, time::Duration};

use ese_base::{Error, JetErr, Result};
use ese_log::LogNames;
use ese_os::{Env, LockMode, OpenMode};

use super::{Instance, VersionInfo};
use crate::trx::OpenTransaction;

/// How often the file is written while something changes.
const EVERY: Duration = Duration::from_secs(1);
/// How often it is written otherwise, so that a reader sees that somebody is alive.
const EVERY_IDLE: Duration = Duration::from_secs(10);
/// The first line.
const TITLE: &str = "ese status 1";
/// A file that is longer is none of these.
const LEN_MAX: u64 = 4096;

/// The oldest transaction that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldestTransaction {
    /// Number of its session.
    pub session: u64,
    /// Open levels; 0 for a single read.
    pub level: u8,
    /// How long it was open when this was written.
    pub age: Duration,
    /// Where its first record stands in the log, if it has changed anything.
    pub log_position: Option<String>,
    /// The place in the program that began it.
    pub began_at: Option<String>,
}

/// What an instance says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// When: milliseconds since 1970-01-01 UTC.
    pub written_ms: u64,
    /// The process.
    pub process: u32,
    /// Sessions.
    pub sessions: u64,
    /// Versions that are kept.
    pub versions: u64,
    /// Their memory in bytes, approximately.
    pub bytes: u64,
    /// How much it may become.
    pub bytes_max: u64,
    /// The transaction whose snapshot is oldest; nothing newer than it is let go.
    pub oldest: Option<OldestTransaction>,
}

/// What a log directory tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Does an instance have the directory?
    pub running: bool,
    /// What it says, or what one said that is gone.
    pub status: Option<Status>,
}

impl Status {
    fn of(instance: &Instance) -> Status {
        let VersionInfo { versions, bytes, bytes_max, oldest } = instance.version_info();
        Status {
            written_ms: instance.env.clock.unix_ms(),
            process: std::process::id(),
            sessions: instance.sessions() as u64,
            versions,
            bytes,
            bytes_max,
            oldest: oldest.as_ref().map(OldestTransaction::of),
        }
    }

    /// One fact a line: a name, a blank, a value.
    fn encode(&self) -> String {
        let Status { written_ms, process, sessions, versions, bytes, bytes_max, oldest } = self;
        let mut text = format!(
            "{TITLE}\nwritten_ms {written_ms}\nprocess {process}\nsessions {sessions}\n\
             versions {versions}\nbytes {bytes}\nbytes_max {bytes_max}\n"
        );
        if let Some(oldest) = oldest {
            let age = oldest.age.as_millis();
            let OldestTransaction { session, level, log_position, began_at, .. } = oldest;
            let mut line =
                |name: &str, value: &dyn fmt::Display| text.push_str(&format!("{name} {value}\n"));
            line("oldest_session", session);
            line("oldest_level", level);
            line("oldest_age_ms", &age);
            if let Some(position) = log_position {
                line("oldest_log_position", position);
            }
            if let Some(place) = began_at {
                line("oldest_began_at", place);
            }
        }
        text.push_str("end\n");
        text
    }

    /// `None`: this is no such text, or not all of it.
    fn decode(text: &str) -> Option<Status> {
        let mut lines = text.lines();
        if lines.next()? != TITLE || !text.ends_with("\nend\n") {
            return None;
        }
        let facts: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(' ')).collect();
        let fact = |name: &str| facts.iter().find(|(of, _)| *of == name).map(|(_, value)| *value);
        let number = |name: &str| fact(name)?.parse::<u64>().ok();
        let oldest = number("oldest_session").and_then(|session| {
            Some(OldestTransaction {
                session,
                level: fact("oldest_level")?.parse().ok()?,
                age: Duration::from_millis(number("oldest_age_ms")?),
                log_position: fact("oldest_log_position").map(str::to_owned),
                began_at: fact("oldest_began_at").map(str::to_owned),
            })
        });
        Some(Status {
            written_ms: number("written_ms")?,
            process: fact("process")?.parse().ok()?,
            sessions: number("sessions")?,
            versions: number("versions")?,
            bytes: number("bytes")?,
            bytes_max: number("bytes_max")?,
            oldest,
        })
    }

    /// Is nothing going on, and was nothing when this other one was written?
    fn is_idle_since(&self, last: &Status) -> bool {
        let quiet = |status: &Status| status.oldest.is_none();
        quiet(self)
            && quiet(last)
            && (self.sessions, self.versions) == (last.sessions, last.versions)
    }
}

impl OldestTransaction {
    fn of(open: &OpenTransaction) -> OldestTransaction {
        OldestTransaction {
            session: u64::from(open.session.0),
            level: open.level,
            age: open.age,
            log_position: open.log_position.map(|position| position.to_string()),
            began_at: open.began_at.map(|place| format!("{}:{}", place.file(), place.line())),
        }
    }
}

/// What the instance of these logs tells, or what the last one told that did not end in order.
/// Whether somebody has the directory is asked by taking its lock for a moment, which an instance
/// that starts in that moment would find taken.
///
/// # Errors
/// Those of reading. Missing files are no error: nobody tells anything then.
pub fn read_status(env: &Env, dir: &Path, base: &str) -> Result<Told> {
    let names = LogNames::new(dir, base);
    let running = match env.fs.open(&names.lock(), OpenMode::Read) {
        Ok(file) => file.lock(LockMode::Shared).is_err(),
        Err(error) if error.code() == JetErr::FileNotFound => false,
        Err(error) => return Err(error),
    };
    let status = match env.fs.open(&names.status(), OpenMode::Read) {
        Ok(file) => {
            let len = file.len()?;
            let mut bytes = vec![0; usize::try_from(len.min(LEN_MAX)).unwrap_or(0)];
            file.read_at(&mut bytes, 0)?;
            let told = std::str::from_utf8(&bytes).ok().and_then(Status::decode);
            Some(told.ok_or_else(|| {
                Error::new(JetErr::FileInvalidType, "this is no status of an instance")
                    .at_path(names.status())
            })?)
        }
        Err(error) if error.code() == JetErr::FileNotFound => None,
        Err(error) => return Err(error),
    };
    Ok(Told { running, status })
}

/// What has been published, by the background thread alone.
#[derive(Debug, Default)]
pub(super) struct Publisher {
    /// What was written last, and when, by the clock that never goes back.
    last: Option<(Status, Duration)>,
}

impl Publisher {
    /// Writes the file if it is time. Without a log nobody else could tell whose it is.
    pub(super) fn publish(&mut self, instance: &Instance) {
        let Some(names) = names_of(instance) else { return };
        let now = instance.env.clock.monotonic();
        if self.last.as_ref().is_some_and(|(_, then)| now.saturating_sub(*then) < EVERY) {
            return;
        }
        let status = Status::of(instance);
        if let Some((last, then)) = &self.last
            && status.is_idle_since(last)
            && now.saturating_sub(*then) < EVERY_IDLE
        {
            return;
        }
        if let Err(error) = write(&instance.env, &names, &status.encode()) {
            // Nobody's work depends on it.
            tracing::debug!(%error, "the status could not be written");
        }
        self.last = Some((status, now));
    }
}

/// The instance ends in order: there is nothing to tell any more.
pub(super) fn withdraw(instance: &Instance) {
    let Some(names) = names_of(instance) else { return };
    match instance.env.fs.remove_file(&names.status()) {
        Err(error) if error.code() != JetErr::FileNotFound => {
            tracing::debug!(%error, "the status could not be removed");
        }
        _ => {}
    }
}

fn names_of(instance: &Instance) -> Option<LogNames> {
    instance.log.as_ref()?;
    Some(LogNames::new(instance.config.log_dir.clone(), instance.config.base_name.clone()))
}

fn write(env: &Env, names: &LogNames, text: &str) -> Result<()> {
    let (path, new) = (names.status(), names.new_status());
    let file = match env.fs.open(&new, OpenMode::CreateNew) {
        Err(error) if error.code() == JetErr::FileAlreadyExists => {
            // A process that was killed in between.
            env.fs.remove_file(&new)?;
            env.fs.open(&new, OpenMode::CreateNew)?
        }
        other => other?,
    };
    file.write_at(text.as_bytes(), 0)?;
    env.fs.rename(&new, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        Status {
            written_ms: 1_700_000_000_123,
            process: 77,
            sessions: 3,
            versions: 12,
            bytes: 3456,
            bytes_max: 8 << 20,
            oldest: Some(OldestTransaction {
                session: 5,
                level: 2,
                age: Duration::from_millis(4321),
                log_position: Some("1:2:3".to_owned()),
                began_at: Some("a dir/with blanks.rs:17".to_owned()),
            }),
        }
    }

    #[test]
    fn a_status_comes_back_as_it_was() {
        let idle = Status { oldest: None, ..status() };
        let reader = OldestTransaction { log_position: None, began_at: None, ..oldest() };
        let reading = Status { oldest: Some(reader), ..status() };
        for status in [status(), idle, reading] {
            assert_eq!(Status::decode(&status.encode()), Some(status));
        }
    }

    fn oldest() -> OldestTransaction {
        status().oldest.unwrap()
    }

    #[test]
    fn half_a_status_or_another_text_is_none() {
        let text = status().encode();
        for end in 0..text.len() {
            assert_eq!(Status::decode(&text[..end]), None, "{end}");
        }
        assert_eq!(Status::decode("ese status 2\nend\n"), None);
    }
}
