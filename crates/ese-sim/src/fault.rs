//! Faults that a disk is told to show.

use ese_base::JetErr;

/// The kinds of call that are counted and can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpKind {
    /// `File::read_at`.
    Read,
    /// `File::write_at`.
    Write,
    /// `File::sync`.
    Sync,
    /// `File::set_len`.
    SetLen,
    /// `File::allocate`.
    Allocate,
    /// `File::lock`.
    Lock,
    /// `Fs::open` of an existing file (also one that is cut to length 0).
    Open,
    /// `Fs::open` that creates the file.
    Create,
    /// `Fs::create_dir_all`, once for each directory that is missing.
    CreateDir,
    /// `Fs::remove_file` and `Fs::remove_dir`.
    Remove,
    /// `Fs::rename`.
    Rename,
    /// `Fs::sync_dir`, also those inside `create_dir_all`.
    SyncDir,
    /// `exists`, `list`, `canonicalize`, `len`: they look at names and lengths.
    Query,
}

impl OpKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [OpKind; 13] = [
        OpKind::Read,
        OpKind::Write,
        OpKind::Sync,
        OpKind::SetLen,
        OpKind::Allocate,
        OpKind::Lock,
        OpKind::Open,
        OpKind::Create,
        OpKind::CreateDir,
        OpKind::Remove,
        OpKind::Rename,
        OpKind::SyncDir,
        OpKind::Query,
    ];
}

/// How often each kind of call was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub(crate) [u64; OpKind::ALL.len()]);

impl Counts {
    /// Calls of one kind.
    #[must_use]
    pub fn of(&self, kind: OpKind) -> u64 {
        self.0[kind as usize]
    }

    /// All calls.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// What a system does with the data of a sync that failed. File systems differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailedSync {
    /// The data is still to be written; a later sync may succeed and is honest.
    StaysDirty,
    /// The data counts as written, is read back, and is gone at the next boot. A later sync
    /// succeeds.
    CleanAndNew,
    /// The data is gone at once: reads see what was durable before. A later sync succeeds.
    CleanAndOld,
}

/// What happens instead of the call's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The call fails and does nothing.
    Fail(JetErr),
    /// A write does its first half, then fails. Other calls fail.
    FailShort(JetErr),
    /// A sync fails.
    FailSync(JetErr, AfterFailedSync),
    /// The call succeeds and is read back, but never reaches the medium: a lost write, a sync that
    /// lies. Only for `Write`, `Sync` and `SyncDir`; other calls do their work.
    Lose,
    /// A write succeeds and is read back, but reaches the medium so many bytes away from its place
    /// (or not at all, when that is before the file's start). Other calls do their work.
    Misdirect(i64),
}

impl Action {
    /// Is the caller told?
    pub(crate) fn fails(self) -> bool {
        matches!(self, Action::Fail(_) | Action::FailShort(_) | Action::FailSync(..))
    }
}

/// When something goes wrong, and what. Made by [`Fault::nth`] and refined by the methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: Option<OpKind>,
    path_part: Option<String>,
    skip: u64,
    forever: bool,
    action: Action,
    spent: bool,
}

impl Fault {
    /// Call number `n` of this kind fails, counted from 0 when the fault is set.
    #[must_use]
    pub fn nth(kind: OpKind, n: u64, code: JetErr) -> Fault {
        Fault {
            kind: Some(kind),
            path_part: None,
            skip: n,
            forever: false,
            action: Action::Fail(code),
            spent: false,
        }
    }

    /// Call number `n` of any kind fails.
    #[must_use]
    pub fn nth_of_all(n: u64, code: JetErr) -> Fault {
        Fault { kind: None, ..Fault::nth(OpKind::Query, n, code) }
    }

    /// Only calls whose path contains this are counted and hit.
    #[must_use]
    pub fn on(self, path_part: impl Into<String>) -> Fault {
        Fault { path_part: Some(path_part.into()), ..self }
    }

    /// All later calls that match are hit as well.
    #[must_use]
    pub fn forever(self) -> Fault {
        Fault { forever: true, ..self }
    }

    /// Something else than a plain failure happens.
    #[must_use]
    pub fn act(self, action: Action) -> Fault {
        Fault { action, ..self }
    }

    /// Counts a call; gives the action if it is hit.
    pub(crate) fn strike(&mut self, kind: OpKind, path: &str) -> Option<Action> {
        if self.spent
            || self.kind.is_some_and(|wanted| wanted != kind)
            || self.path_part.as_ref().is_some_and(|part| !path.contains(part))
        {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.spent = !self.forever;
        Some(self.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_the_named_call_once() {
        let mut fault = Fault::nth(OpKind::Write, 1, JetErr::DiskIO).on("log");
        let mut hits = Vec::new();
        for (kind, path) in [
            (OpKind::Write, "/db/edb.log"),
            (OpKind::Write, "/db/a.edb"),
            (OpKind::Sync, "/db/edb.log"),
            (OpKind::Write, "/db/edb.log"),
            (OpKind::Write, "/db/edb.log"),
        ] {
            hits.push(fault.strike(kind, path).is_some());
        }
        assert_eq!(hits, [false, false, false, true, false]);
    }

    #[test]
    fn a_lasting_fault_hits_all_that_follow() {
        let mut fault = Fault::nth_of_all(2, JetErr::DiskIO).forever();
        let hits = (0..5).filter(|_| fault.strike(OpKind::Read, "/").is_some()).count();
        assert_eq!(hits, 3);
    }

    #[test]
    fn kinds_are_numbered_as_listed() {
        for (at, kind) in OpKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
        }
    }
}
