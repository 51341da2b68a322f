//! What a crash has left, and trying to recover it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_api::{DbHeader, Env, JetErr, PauseBy, Result, jet::*};
use ese_log::LogHeader;
use ese_pages::db_file::{Access, DbFile};

use crate::jet_setup::{Live, set_path};

/// A directory in which an instance was killed: `a.edb` is dirty, its rows are in the logs.
pub(crate) struct Left {
    pub(crate) dir: Arc<tempfile::TempDir>,
    /// Rows that were committed, from 0 on.
    pub(crate) rows: i32,
}

/// Parameters, flags and what JetInit3 is told besides.
#[derive(Default)]
pub(crate) struct Try<'a> {
    pub(crate) numbers: Vec<(u32, u64)>,
    pub(crate) texts: Vec<(u32, String)>,
    pub(crate) grbit: JET_GRBIT,
    pub(crate) info: Option<JET_RSTINFO<'a>>,
}

impl Try<'_> {
    pub(crate) fn flags(grbit: JET_GRBIT) -> Self {
        Try { grbit, ..Try::default() }
    }

    pub(crate) fn with(mut self, id: u32, value: u64) -> Self {
        self.numbers.push((id, value));
        self
    }

    /// Initialises an instance in the directory.
    pub(crate) fn init(self, dir: &Path) -> Result<(JET_INSTANCE, JetErr)> {
        let mut inst = JetCreateInstance(&format!("recovery of {}", dir.display())).unwrap();
        set_path(inst, JET_paramSystemPath, dir);
        set_path(inst, JET_paramLogFilePath, dir);
        let numbers = [(JET_paramLogFileSize, 64)].into_iter().chain(self.numbers);
        let set = |id, number, text: Option<&str>| {
            JetSetSystemParameter(Some(inst), JET_SESID::NIL, id, number, text).unwrap();
        };
        numbers.for_each(|(id, number)| set(id, number, None));
        self.texts.iter().for_each(|(id, text)| set(*id, 0, Some(text)));
        use_machine(inst, Env::real(), PauseBy::Waiting).unwrap();
        let warning = JetInit3(Some(&mut inst), self.info, self.grbit)?;
        Ok((inst, warning))
    }

    /// As [`Try::init`], and ends it again.
    pub(crate) fn run(self, dir: &Path) -> Result<JetErr> {
        let (inst, warning) = self.init(dir)?;
        JetTerm(inst).unwrap();
        Ok(warning)
    }

    /// The code of the refusal; the instance is gone.
    pub(crate) fn refused(self, dir: &Path) -> JetErr {
        self.run(dir).unwrap_err().code()
    }
}

impl Left {
    /// Rows in transactions of ten; each takes a segment of the log or more, of which a log of 64
    /// KiB has 14. The database was created by an earlier run.
    pub(crate) fn with_rows(rows: i32) -> Left {
        let live = Live::new();
        let dir = Arc::clone(&live.dir);
        live.term(JET_bitTermComplete).unwrap();
        let live = Live::again(&dir);
        (0..rows / 10).for_each(|ten| live.load(ten * 10..ten * 10 + 10));
        Left::by(live, rows)
    }

    /// Ends an instance that has so many rows, without cleaning anything.
    pub(crate) fn by(live: Live, rows: i32) -> Left {
        let dir = Arc::clone(&live.dir);
        let ended = live.term(JET_bitTermDirty).unwrap_err();
        assert_eq!(ended.code(), JetErr::DirtyShutdown);
        Left { dir, rows }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn archive(&self, generation: u32) -> PathBuf {
        self.file(&format!("edb{generation:05X}.log"))
    }

    /// The generation of `edb.log`.
    pub(crate) fn current(&self) -> u32 {
        log_header(&self.file("edb.log")).generation.0
    }

    /// A copy of everything, for another way to go on.
    pub(crate) fn fork(&self) -> Left {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        for entry in fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap()) {
            fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
        Left { dir, rows: self.rows }
    }

    pub(crate) fn edit_header(&self, change: impl FnOnce(&mut DbHeader)) {
        let file = DbFile::open(&Env::real(), &self.file("a.edb"), Access::ReadWrite).unwrap();
        file.update_header(change).unwrap();
    }

    pub(crate) fn header(&self) -> DbHeader {
        DbFile::open(&Env::real(), &self.file("a.edb"), Access::ReadOnly).unwrap().header()
    }

    /// As if only generations up to `required` were needed for a whole database, and the others
    /// held nothing but commits.
    pub(crate) fn require_only(&self, required: u32) {
        let header = self.header();
        assert!(header.gen_min_required.get() <= required, "{}", header.gen_min_required);
        self.edit_header(|header| {
            header.gen_max_required = required.into();
            header.logtime_gen_max_required = ese_base::LogTime::NULL;
        });
    }

    /// The rows as an ordinary start finds them.
    pub(crate) fn rows_now(&self) -> Vec<i32> {
        let live = Live::again(&self.dir);
        let rows = live.rows().into_keys().collect();
        live.term(JET_bitTermComplete).unwrap();
        rows
    }

    /// An ordinary start finds all rows.
    pub(crate) fn is_complete(&self) {
        assert_eq!(self.rows_now(), (0..self.rows).collect::<Vec<_>>());
    }

    /// An ordinary start finds the first transactions, and not all.
    pub(crate) fn is_a_prefix(&self) {
        let rows = self.rows_now();
        let count = i32::try_from(rows.len()).unwrap();
        assert_eq!(rows, (0..count).collect::<Vec<_>>());
        assert!(count % 10 == 0 && count < self.rows, "{count}");
    }
}

pub(crate) fn log_header(path: &Path) -> LogHeader {
    let bytes = fs::read(path).unwrap();
    LogHeader::decode(bytes.first_chunk().unwrap()).unwrap()
}

/// Changes the header of a log; its checksum is right afterwards.
pub(crate) fn edit_log(path: &Path, change: impl FnOnce(&mut LogHeader)) {
    let mut header = log_header(path);
    change(&mut header);
    let mut bytes = fs::read(path).unwrap();
    bytes[..4096].copy_from_slice(header.encode().unwrap().as_slice());
    fs::write(path, bytes).unwrap();
}

/// Flips bits in the middle of a place of 4 KiB.
pub(crate) fn damage(path: &Path, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[place * 4096 + 1000..place * 4096 + 1100].iter_mut().for_each(|byte| *byte ^= 0x5a);
    fs::write(path, bytes).unwrap();
}
