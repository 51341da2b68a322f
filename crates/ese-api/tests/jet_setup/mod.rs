//! What the tests of the Jet functions share: an instance with a database and rows, a disk that can
//! be held up, and the mode of the process, which tests must not change under each other.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use ese_api::{
    Env, JetErr, PauseBy, Result,
    jet::{self, *},
};
use ese_backup::AlignedBuffer;
use ese_os::{DirEntry, File, Fs, LockMode, OpenMode, PageMap};
use ese_pages::DbHeader;

static MODE: RwLock<()> = RwLock::new(());

/// The process is in multi-instance mode, or in none, as long as the guard lives.
pub fn multi() -> RwLockReadGuard<'static, ()> {
    let guard = MODE.read().unwrap_or_else(|poisoned| poisoned.into_inner());
    // Refused where another test's instance exists; then somebody has set it before.
    if let Err(error) =
        JetSetSystemParameter(None, JET_SESID::NIL, JET_paramMaxInstances, 1000, None)
    {
        assert_eq!(error.code(), JetErr::AlreadyInitialized);
    }
    guard
}

/// No other test uses the process as long as the guard lives.
pub fn alone() -> RwLockWriteGuard<'static, ()> {
    MODE.write().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The code of a failed call.
pub fn code<T: std::fmt::Debug>(result: Result<T>) -> JetErr {
    result.unwrap_err().code()
}

/// How long a call takes.
pub fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let answer = call();
    (answer, begin.elapsed())
}

pub fn set_path(instance: JET_INSTANCE, id: u32, path: &Path) {
    JetSetSystemParameter(Some(instance), JET_SESID::NIL, id, 0, path.to_str()).unwrap();
}

pub fn set(instance: JET_INSTANCE, id: u32, value: u64) {
    JetSetSystemParameter(Some(instance), JET_SESID::NIL, id, value, None).unwrap();
}

/// An initialised instance with an attached database `a.edb` and a table `t`.
pub struct Live {
    pub inst: JET_INSTANCE,
    pub sesid: JET_SESID,
    pub dbid: JET_DBID,
    pub tableid: JET_TABLEID,
    pub dir: Arc<tempfile::TempDir>,
    pub disk: Arc<Disk>,
    /// The instance is there until this value goes.
    pub ended: bool,
    pub key: u32,
    pub value: u32,
}

impl Live {
    pub fn new() -> Live {
        Live::with(|_| ())
    }

    /// `configure` may set parameters before JetInit.
    pub fn with(configure: impl FnOnce(JET_INSTANCE)) -> Live {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let mut live = Live::start(&dir, configure);
        live.dbid = JetCreateDatabase(live.sesid, live.path().to_str().unwrap(), 0).unwrap();
        let column = |name: &str, coltyp| JET_COLUMNCREATE {
            szColumnName: name.into(),
            coltyp,
            ..JET_COLUMNCREATE::default()
        };
        let mut table = JET_TABLECREATE {
            szTableName: "t".into(),
            rgcolumncreate: vec![
                column("id", JET_coltypLong),
                column("value", JET_coltypLongBinary),
            ],
            rgindexcreate: vec![JET_INDEXCREATE {
                szIndexName: "primary".into(),
                szKey: "+id\0\0".into(),
                grbit: JET_bitIndexPrimary,
                ..JET_INDEXCREATE::default()
            }],
            ..JET_TABLECREATE::default()
        };
        JetCreateTableColumnIndex(live.sesid, live.dbid, &mut table).unwrap();
        assert_eq!(table.cCreated, 4);
        // Who made the table has it alone until this cursor is closed.
        JetCloseTable(live.sesid, table.tableid).unwrap();
        live.tableid = JetOpenTable(live.sesid, live.dbid, "t", 0).unwrap();
        live.key = table.rgcolumncreate[0].columnid;
        live.value = table.rgcolumncreate[1].columnid;
        live
    }

    pub fn start(dir: &Arc<tempfile::TempDir>, configure: impl FnOnce(JET_INSTANCE)) -> Live {
        let inst = JetCreateInstance(&format!("{}", dir.path().display())).unwrap();
        set_path(inst, JET_paramSystemPath, dir.path());
        set_path(inst, JET_paramLogFilePath, dir.path());
        set(inst, JET_paramLogFileSize, 64);
        let disk = Disk::new();
        jet::use_machine(inst, disk.env(), PauseBy::Waiting).unwrap();
        configure(inst);
        let mut handle = inst;
        JetInit(Some(&mut handle)).unwrap();
        let sesid = JetBeginSession(inst).unwrap();
        Live {
            inst,
            sesid,
            dbid: 0,
            tableid: JET_TABLEID::NIL,
            dir: Arc::clone(dir),
            disk,
            ended: false,
            key: 0,
            value: 0,
        }
    }

    /// An instance with these rows, started anew after them: its checkpoint is behind all of it, so
    /// that there are logs to be truncated.
    pub fn with_old_logs(ids: std::ops::Range<i32>) -> Live {
        let live = Live::new();
        live.load(ids);
        let dir = Arc::clone(&live.dir);
        live.term(JET_bitTermAbrupt).unwrap();
        Live::again(&dir)
    }

    /// Starts an instance where an earlier one, or a restore, left its files.
    pub fn again(dir: &Arc<tempfile::TempDir>) -> Live {
        let mut live = Live::start(dir, |_| ());
        JetAttachDatabase(live.sesid, live.path().to_str().unwrap(), 0).unwrap();
        live.dbid = JetOpenDatabase(live.sesid, live.path().to_str().unwrap(), 0).unwrap().1;
        live.tableid = JetOpenTable(live.sesid, live.dbid, "T", 0).unwrap();
        let columns = JetGetTableColumnInfo(live.sesid, live.tableid, None).unwrap();
        live.key = columns.iter().find(|c| c.szColumnName == "id").unwrap().def.columnid;
        live.value = columns.iter().find(|c| c.szColumnName == "value").unwrap().def.columnid;
        live
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("a.edb")
    }

    pub fn log(&self, generation: u32) -> PathBuf {
        self.dir.path().join(format!("edb{generation:05X}.log"))
    }

    /// Bytes of log that are in use.
    pub fn log_bytes(&self) -> u64 {
        let logs = std::fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap());
        let logs = logs.filter(|entry| entry.path().extension().is_some_and(|ext| ext == "log"));
        let used = logs.map(|log| {
            let bytes = std::fs::read(log.path()).unwrap();
            bytes.chunks(4096).filter(|segment| segment.iter().any(|byte| *byte != 0)).count()
        });
        used.sum::<usize>() as u64
    }

    /// Inserts rows in one transaction.
    pub fn load(&self, ids: std::ops::Range<i32>) {
        JetBeginTransaction(self.sesid).unwrap();
        for id in ids {
            JetPrepareUpdate(self.sesid, self.tableid, JET_prepInsert).unwrap();
            let set = |column, bytes: &[u8]| {
                let (sesid, tableid) = (self.sesid, self.tableid);
                JetSetColumn(sesid, tableid, column, Some(bytes), 0, None).unwrap();
            };
            set(self.key, &id.to_le_bytes());
            set(self.value, &[u8::try_from(id & 0x7f).unwrap(); 200]);
            JetUpdate(self.sesid, self.tableid).unwrap();
        }
        JetCommitTransaction(self.sesid, 0).unwrap();
    }

    pub fn rows(&self) -> BTreeMap<i32, Vec<u8>> {
        let mut rows = BTreeMap::new();
        let mut moved = JetMove(self.sesid, self.tableid, JET_MoveFirst, 0);
        while moved.is_ok() {
            let read = |column| {
                JetRetrieveColumn(self.sesid, self.tableid, column, 0, None).unwrap().unwrap()
            };
            rows.insert(i32::from_le_bytes(read(self.key).try_into().unwrap()), read(self.value));
            moved = JetMove(self.sesid, self.tableid, JET_MoveNext, 0);
        }
        assert_eq!(code(moved), JetErr::NoCurrentRecord);
        rows
    }

    pub fn header(&self) -> DbHeader {
        match JetGetDatabaseInfo(self.sesid, self.dbid, JET_DbInfoMisc).unwrap() {
            JET_DBINFO::Misc(header) => *header,
            other => panic!("{other:?}"),
        }
    }

    /// What the header remembers of backups: last generations of full, copy, incremental and
    /// differential ones.
    pub fn marks(&self) -> [u32; 4] {
        let header = self.header();
        [
            header.bkinfo_full_prev,
            header.bkinfo_copy_prev,
            header.bkinfo_inc_prev,
            header.bkinfo_diff_prev,
        ]
        .map(|mark| mark.gen_high.get())
    }

    pub fn begin(&self) {
        JetBeginExternalBackupInstance(self.inst, 0).unwrap();
    }

    pub fn stop(&self) {
        JetStopBackupInstance(self.inst).unwrap();
    }

    pub fn open(&self, path: &Path) -> JET_HANDLE {
        JetOpenFileInstance(self.inst, Some(path)).unwrap().hfFile
    }

    pub fn end(&self, grbit: JET_GRBIT) {
        JetEndExternalBackupInstance2(self.inst, grbit).unwrap();
    }

    pub fn log_list(&self) -> Vec<PathBuf> {
        let mut list = vec![0; JetGetLogInfoInstance(self.inst, None).unwrap()];
        JetGetLogInfoInstance(self.inst, Some(&mut list)).unwrap();
        jet::paths_of(&list)
    }

    /// Reads a file of the backup to its end.
    pub fn copy(&self, path: &Path) -> Vec<u8> {
        let file = JetOpenFileInstance(self.inst, Some(path)).unwrap();
        let mut bytes = Vec::new();
        let mut buffer = AlignedBuffer::new(64 << 10).unwrap();
        loop {
            let count = JetReadFileInstance(self.inst, file.hfFile, buffer.as_mut_slice()).unwrap();
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&buffer.as_slice()[..count]);
        }
        let announced = u64::from(file.ulFileSizeHigh) << 32 | u64::from(file.ulFileSizeLow);
        assert_eq!(bytes.len() as u64, announced);
        JetCloseFileInstance(self.inst, file.hfFile).unwrap();
        bytes
    }

    /// The rest of a full backup that has begun: files to `set`.
    pub fn copy_all(&self, set: &Path) -> Vec<PathBuf> {
        std::fs::create_dir_all(set).unwrap();
        let name = |path: &Path| set.join(path.file_name().unwrap());
        std::fs::write(name(&self.path()), self.copy(&self.path())).unwrap();
        let logs = self.log_list();
        for log in &logs {
            std::fs::write(name(log), self.copy(log)).unwrap();
        }
        logs
    }

    /// A whole full backup with truncation; restores it and compares the rows.
    pub fn back_up_and_compare(&self) {
        let dirs = tempfile::tempdir().unwrap();
        let set = dirs.path().join("set");
        self.begin();
        self.copy_all(&set);
        JetTruncateLogInstance(self.inst).unwrap();
        JetEndExternalBackupInstance(self.inst).unwrap();
        assert!(self.marks()[0] > 0, "the header remembers the backup");
        let there = Arc::new(tempfile::tempdir().unwrap());
        ese_api::restore(&set, there.path()).unwrap();
        let restored = Live::again(&there);
        assert_eq!(restored.rows(), self.rows());
    }

    pub fn term(mut self, grbit: JET_GRBIT) -> Result<()> {
        self.ended = true;
        JetTerm2(self.inst, grbit)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if !self.ended {
            let ended = JetTerm(self.inst);
            assert!(std::thread::panicking() || ended.is_ok(), "{ended:?}");
        }
    }
}

/// What can be held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Open,
    Read,
    Write,
    Sync,
    Rename,
    Remove,
    Allocate,
}

/// The two ends of a hold: it was reached; let it go on.
pub struct Held {
    pub reached: Receiver<()>,
    pub go_on: Sender<()>,
}

#[derive(Debug)]
struct Hold {
    op: Op,
    name: String,
    reached: Sender<()>,
    go_on: Receiver<()>,
}

/// The real disk, slow on demand: the next operation of a kind on a file of a name waits for the
/// test.
#[derive(Debug, Default)]
pub struct Disk {
    hold: Mutex<Option<Hold>>,
    operations: AtomicU64,
    failing: Mutex<Option<(Op, String, JetErr)>>,
}

impl Disk {
    pub fn new() -> Arc<Disk> {
        Arc::new(Disk::default())
    }

    /// Every `op` on a file whose name ends so fails, until that is taken back.
    pub fn fail(&self, what: Option<(Op, &str, JetErr)>) {
        *self.failing.lock().unwrap() = what.map(|(op, name, code)| (op, name.to_owned(), code));
    }

    fn check(&self, op: Op, path: &Path) -> Result<()> {
        self.at(op, path);
        match &*self.failing.lock().unwrap() {
            Some((failing, name, code))
                if *failing == op && path.to_string_lossy().ends_with(name) =>
            {
                Err(ese_api::Error::code_only(*code))
            }
            _ => Ok(()),
        }
    }

    pub fn env(self: &Arc<Disk>) -> Env {
        let real = Env::real();
        Env { fs: Arc::new(SlowFs { fs: Arc::clone(&real.fs), disk: Arc::clone(self) }), ..real }
    }

    /// The next `op` on a file whose name ends so.
    pub fn hold(&self, op: Op, name: &str) -> Held {
        let (reached, reached_end) = channel();
        let (go_on, go_on_end) = channel();
        let hold = Hold { op, name: name.into(), reached, go_on: go_on_end };
        *self.hold.lock().unwrap() = Some(hold);
        Held { reached: reached_end, go_on }
    }

    /// Waits until the threads of the engine have left the disk alone for a while, so that the next
    /// operation is one that the test causes.
    pub fn quiet(&self) {
        let count = || self.operations.load(Ordering::Relaxed);
        let mut before = count();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let now = count();
            if now == before {
                return;
            }
            before = now;
        }
    }

    fn at(&self, op: Op, path: &Path) {
        self.operations.fetch_add(1, Ordering::Relaxed);
        let held = {
            let mut hold = self.hold.lock().unwrap();
            let meant = hold
                .as_ref()
                .is_some_and(|hold| hold.op == op && path.to_string_lossy().ends_with(&hold.name));
            if meant { hold.take() } else { None }
        };
        if let Some(hold) = held {
            hold.reached.send(()).unwrap();
            // The test may have gone.
            hold.go_on.recv().ok();
        }
    }
}

#[derive(Debug)]
struct SlowFs {
    fs: Arc<dyn Fs>,
    disk: Arc<Disk>,
}

impl Fs for SlowFs {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>> {
        self.disk.check(Op::Open, path)?;
        let file = self.fs.open(path, mode)?;
        Ok(Arc::new(SlowFile { file, disk: Arc::clone(&self.disk) }))
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
    fn create_dir_all(&self, dir: &Path) -> Result<()> {
        self.fs.create_dir_all(dir)
    }
    fn remove_file(&self, path: &Path) -> Result<()> {
        self.disk.check(Op::Remove, path)?;
        self.fs.remove_file(path)
    }
    fn remove_dir(&self, dir: &Path) -> Result<()> {
        self.fs.remove_dir(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.disk.check(Op::Rename, to)?;
        self.fs.rename(from, to)
    }
    fn sync_dir(&self, dir: &Path) -> Result<()> {
        self.fs.sync_dir(dir)
    }
    fn canonicalize(&self, path: &Path) -> Result<PathBuf> {
        self.fs.canonicalize(path)
    }
}

#[derive(Debug)]
struct SlowFile {
    file: Arc<dyn File>,
    disk: Arc<Disk>,
}

impl File for SlowFile {
    fn path(&self) -> &Path {
        self.file.path()
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        self.disk.check(Op::Read, self.path())?;
        self.file.read_at(buf, offset)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.disk.check(Op::Write, self.path())?;
        self.file.write_at(buf, offset)
    }
    fn sync(&self) -> Result<()> {
        self.disk.check(Op::Sync, self.path())?;
        self.file.sync()
    }
    fn start_writeback(&self, offset: u64, len: u64) {
        self.file.start_writeback(offset, len);
    }
    fn will_need(&self, offset: u64, len: u64) {
        self.file.will_need(offset, len);
    }
    fn len(&self) -> Result<u64> {
        self.file.len()
    }
    fn set_len(&self, len: u64) -> Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        self.disk.check(Op::Allocate, self.path())?;
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
