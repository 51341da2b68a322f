//! A file system whose writes can be held back for a while: what a snapshot of the volume needs.
//!
//! [`WriteGate::over`] wraps the files of an [`Env`]. As long as the gate is frozen, every call
//! that would change a file or a directory waits at it; reading goes on. Who freezes waits until
//! the calls that are under way have come back, so nothing changes on the disk between the return
//! of [`WriteGate::freeze`] and the thaw: a copy that is made meanwhile is the image of one moment.
//!
//! A freeze has a deadline. Nobody has to watch it: the first call that finds it passed opens the
//! gate and goes on, and the thaw says that it came too late.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ese_base::{Error, JetErr, Result};
use parking_lot::{Condvar, Mutex, RwLock, RwLockReadGuard};

use crate::{Clock, DirEntry, Env, File, Fs, LockMode, OpenMode, PageMap};

/// Longest wait without a look at the clock, which may be one that only jumps.
const LOOK: Duration = Duration::from_millis(20);

/// How those who wait at a gate let time pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateWait {
    /// Asleep until the thaw.
    Waiting,
    /// By [`Clock::sleep`], for a simulated clock that nobody else moves.
    Clock,
}

/// Where the writes of one instance pass, or wait.
#[derive(Debug)]
pub struct WriteGate {
    clock: Arc<dyn Clock>,
    wait: GateWait,
    /// Held for reading by a write that is under way; for writing by who freezes.
    passage: RwLock<()>,
    frozen: AtomicBool,
    freeze: Mutex<Freeze>,
    thawed: Condvar,
}

#[derive(Debug, Default)]
struct Freeze {
    /// Until when, by the monotonic clock. `None`: the gate is open.
    until: Option<Duration>,
    /// The last freeze came to its deadline.
    timed_out: bool,
}

impl WriteGate {
    /// The same machine with a gate before everything that it writes.
    #[must_use]
    pub fn over(env: &Env, wait: GateWait) -> (Env, Arc<WriteGate>) {
        let gate = Arc::new(WriteGate {
            clock: Arc::clone(&env.clock),
            wait,
            passage: RwLock::new(()),
            frozen: AtomicBool::new(false),
            freeze: Mutex::default(),
            thawed: Condvar::new(),
        });
        let fs = GatedFs { fs: Arc::clone(&env.fs), gate: Arc::clone(&gate) };
        (Env { fs: Arc::new(fs), ..env.clone() }, gate)
    }

    /// Holds all writes back, for `time` at most. On return none is under way.
    ///
    /// # Errors
    /// `JET_errOSSnapshotNotAllowed` (-2403) if the gate is frozen.
    pub fn freeze(&self, time: Duration) -> Result<()> {
        if self.is_frozen() {
            let what = "writes are held back for another snapshot";
            return Err(Error::new(JetErr::OSSnapshotNotAllowed, what));
        }
        // Waits for those under way; whoever comes next sees the flag.
        let _alone = self.passage.write();
        let mut freeze = self.freeze.lock();
        freeze.until = Some(self.clock.monotonic().saturating_add(time));
        freeze.timed_out = false;
        self.frozen.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Lets writes pass again. False: the deadline had passed, so they may have passed already.
    pub fn thaw(&self) -> bool {
        let mut freeze = self.freeze.lock();
        self.look(&mut freeze);
        self.open(&mut freeze);
        !freeze.timed_out
    }

    /// Are writes held back?
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        if !self.frozen.load(Ordering::SeqCst) {
            return false;
        }
        let mut freeze = self.freeze.lock();
        self.look(&mut freeze);
        freeze.until.is_some()
    }

    /// Did the last freeze end by its deadline?
    #[must_use]
    pub fn has_timed_out(&self) -> bool {
        let mut freeze = self.freeze.lock();
        self.look(&mut freeze);
        freeze.timed_out
    }

    /// Opens the gate if the deadline has passed.
    fn look(&self, freeze: &mut Freeze) {
        if freeze.until.is_some_and(|until| self.clock.monotonic() >= until) {
            freeze.timed_out = true;
            self.open(freeze);
        }
    }

    fn open(&self, freeze: &mut Freeze) {
        freeze.until = None;
        self.frozen.store(false, Ordering::SeqCst);
        self.thawed.notify_all();
    }

    /// Lets one write through; it is under way as long as the value lives.
    fn pass(&self) -> RwLockReadGuard<'_, ()> {
        loop {
            let passage = self.passage.read();
            if !self.frozen.load(Ordering::SeqCst) {
                return passage;
            }
            drop(passage);
            self.wait_for_thaw();
        }
    }

    fn wait_for_thaw(&self) {
        let mut freeze = self.freeze.lock();
        loop {
            self.look(&mut freeze);
            let Some(until) = freeze.until else { return };
            let time = until.saturating_sub(self.clock.monotonic()).min(LOOK);
            match self.wait {
                GateWait::Waiting => {
                    self.thawed.wait_for(&mut freeze, time);
                }
                GateWait::Clock => {
                    drop(freeze);
                    self.clock.sleep(time);
                    freeze = self.freeze.lock();
                }
            }
        }
    }
}

#[derive(Debug)]
struct GatedFs {
    fs: Arc<dyn Fs>,
    gate: Arc<WriteGate>,
}

impl Fs for GatedFs {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>> {
        let makes =
            !matches!(mode, OpenMode::Read | OpenMode::ReadWrite | OpenMode::ReadWriteDirect);
        let _pass = makes.then(|| self.gate.pass());
        let file = self.fs.open(path, mode)?;
        Ok(match mode {
            OpenMode::Read => file,
            _ => Arc::new(GatedFile { file, gate: Arc::clone(&self.gate) }),
        })
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        self.fs.exists(path)
    }

    fn is_read_only(&self, path: &Path) -> Result<bool> {
        self.fs.is_read_only(path)
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>> {
        self.fs.list(dir)
    }

    fn oddly_named(&self, dir: &Path) -> Result<Vec<PathBuf>> {
        self.fs.oddly_named(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> Result<()> {
        let _pass = self.gate.pass();
        self.fs.create_dir_all(dir)
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        let _pass = self.gate.pass();
        self.fs.remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> Result<()> {
        let _pass = self.gate.pass();
        self.fs.remove_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let _pass = self.gate.pass();
        self.fs.rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        let _pass = self.gate.pass();
        self.fs.sync_dir(dir)
    }

    fn canonicalize(&self, path: &Path) -> Result<PathBuf> {
        self.fs.canonicalize(path)
    }
}

#[derive(Debug)]
struct GatedFile {
    file: Arc<dyn File>,
    gate: Arc<WriteGate>,
}

impl File for GatedFile {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        let _pass = self.gate.pass();
        self.file.write_at(buf, offset)
    }

    fn sync(&self) -> Result<()> {
        let _pass = self.gate.pass();
        self.file.sync()
    }

    fn start_writeback(&self, offset: u64, len: u64) {
        self.file.start_writeback(offset, len);
    }

    fn will_need(&self, offset: u64, len: u64) {
        self.file.will_need(offset, len);
    }

    fn next_data(&self, offset: u64) -> u64 {
        self.file.next_data(offset)
    }

    fn disk_bytes(&self) -> Result<u64> {
        self.file.disk_bytes()
    }

    fn len(&self) -> Result<u64> {
        self.file.len()
    }

    fn is_empty(&self) -> Result<bool> {
        self.file.is_empty()
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let _pass = self.gate.pass();
        self.file.set_len(len)
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let _pass = self.gate.pass();
        self.file.allocate(offset, len)
    }

    fn lock(&self, mode: LockMode) -> Result<()> {
        self.file.lock(mode)
    }

    fn unlock(&self) -> Result<()> {
        self.file.unlock()
    }

    fn is_at(&self, path: &Path) -> Result<bool> {
        self.file.is_at(path)
    }

    fn map(&self) -> Result<Option<Arc<dyn PageMap>>> {
        self.file.map()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc::channel, thread};

    use super::*;

    fn gated() -> (tempfile::TempDir, Env, Arc<WriteGate>) {
        let (env, gate) = WriteGate::over(&Env::real(), GateWait::Waiting);
        (tempfile::tempdir().unwrap(), env, gate)
    }

    #[test]
    fn writes_wait_for_the_thaw_and_reads_do_not() {
        let (dir, env, gate) = gated();
        let path = dir.path().join("file");
        let file = env.fs.open(&path, OpenMode::CreateNew).unwrap();
        file.write_at(b"before", 0).unwrap();
        gate.freeze(Duration::from_secs(60)).unwrap();
        assert!(gate.freeze(Duration::from_secs(60)).is_err(), "one freeze at a time");
        let (sender, written) = channel();
        let mut bytes = [0; 6];
        thread::scope(|scope| {
            let file = &file;
            scope.spawn(move || {
                file.write_at(b"behind", 0).unwrap();
                sender.send(()).unwrap();
            });
            assert!(written.recv_timeout(Duration::from_millis(100)).is_err());
            file.read_at(&mut bytes, 0).unwrap();
            assert_eq!(&bytes, b"before");
            assert!(env.fs.exists(&path).unwrap());
            assert!(gate.thaw());
            written.recv_timeout(Duration::from_secs(30)).unwrap();
        });
        file.read_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"behind");
        assert!(!gate.has_timed_out());
    }

    #[test]
    fn every_call_that_changes_something_waits() {
        let (dir, env, gate) = gated();
        let at = |name: &str| dir.path().join(name);
        let file = env.fs.open(&at("file"), OpenMode::CreateNew).unwrap();
        env.fs.create_dir_all(&at("empty")).unwrap();
        type Change<'a> = Box<dyn Fn() -> Result<()> + Send + Sync + 'a>;
        let changes: Vec<(&str, Change<'_>)> = vec![
            ("open", Box::new(|| env.fs.open(&at("new"), OpenMode::CreateNew).map(drop))),
            ("create_dir_all", Box::new(|| env.fs.create_dir_all(&at("dir")))),
            ("write_at", Box::new(|| file.write_at(b"x", 0))),
            ("set_len", Box::new(|| file.set_len(10))),
            ("allocate", Box::new(|| file.allocate(0, 4096))),
            ("sync", Box::new(|| file.sync())),
            ("sync_dir", Box::new(|| env.fs.sync_dir(dir.path()))),
            ("rename", Box::new(|| env.fs.rename(&at("new"), &at("newer")))),
            ("remove_file", Box::new(|| env.fs.remove_file(&at("newer")))),
            ("remove_dir", Box::new(|| env.fs.remove_dir(&at("empty")))),
        ];
        for (name, change) in &changes {
            gate.freeze(Duration::from_secs(60)).unwrap();
            thread::scope(|scope| {
                let changing = scope.spawn(change);
                env.clock.sleep(Duration::from_millis(15));
                assert!(!changing.is_finished(), "{name}");
                assert!(gate.thaw());
                changing.join().unwrap().unwrap();
            });
        }
    }

    #[test]
    fn a_freeze_ends_by_itself_and_the_thaw_says_so() {
        let (dir, env, gate) = gated();
        let file = env.fs.open(&dir.path().join("file"), OpenMode::CreateNew).unwrap();
        gate.freeze(Duration::from_millis(30)).unwrap();
        file.write_at(b"later", 0).unwrap();
        assert!(gate.has_timed_out() && !gate.is_frozen());
        assert!(!gate.thaw());
        gate.freeze(Duration::from_secs(60)).unwrap();
        assert!(gate.thaw(), "the next one begins anew");
    }

    #[test]
    fn who_freezes_waits_for_writes_under_way() {
        let (_dir, env, gate) = gated();
        let under_way = gate.pass();
        thread::scope(|scope| {
            let freezing = scope.spawn(|| gate.freeze(Duration::from_secs(60)));
            env.clock.sleep(Duration::from_millis(30));
            assert!(!freezing.is_finished());
            drop(under_way);
            freezing.join().unwrap().unwrap();
        });
        assert!(gate.thaw());
    }
}
