//! Running `ese`, making databases for it, and proving that it wrote nothing.

#![allow(dead_code, reason = "each test program uses another part of this")]

pub(crate) mod demo;

use std::{
    collections::BTreeMap,
    fmt, fs,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use ese_api::{CacheMode, ColType, Database, Instance, PageSize, TableBuilder, row};

/// What a run of `ese` gave.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stdout: String = self.stdout.chars().take(400).collect();
        write!(f, "exit code {:?}\n{stdout}\n{}", self.code, self.stderr)
    }
}

impl Ran {
    fn new(output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ran {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Fine, with nothing but remarks on standard error.
    pub(crate) fn fine(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// One line on standard error with these words, this exit code, and no data. What the engine
    /// says comes with what to do.
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.starts_with("ese: "), "{self:?}");
        let (coded, advised) = (self.stderr.contains("(JET_err"), self.stderr.contains("); "));
        assert!(!coded || advised || code == 4, "what to do? {self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing: {self:?}");
        }
    }
}

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ese"))
}

/// Runs `ese` with these arguments in a directory.
pub(crate) fn ese(dir: &Path, args: &[&str]) -> Ran {
    run(program().args(args).current_dir(dir))
}

/// Runs `ese` as somebody who owns nothing. Files of root stay closed to them even where tests run
/// as root; without root the test cannot become somebody else.
pub(crate) fn as_nobody(dir: &Path, args: &[&str]) -> Option<Ran> {
    const NOBODY: u32 = 65534;
    let copy = dir.join("ese");
    if !copy.exists() {
        // The program may lie where nobody else can look.
        fs::copy(env!("CARGO_BIN_EXE_ese"), &copy).unwrap();
    }
    let mut command = Command::new(&copy);
    command.args(args).current_dir(dir).uid(NOBODY).gid(NOBODY);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        return Some(run(&mut command));
    }
    None
}

/// Starts a prepared command, its output to be read by us.
pub(crate) fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Sends a running program a signal (`-INT`).
pub(crate) fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

/// Waits for a program that was started.
pub(crate) fn finish(child: Child) -> Ran {
    Ran::new(&child.wait_with_output().unwrap())
}

/// Runs a prepared command.
pub(crate) fn run(command: &mut Command) -> Ran {
    finish(spawn(command))
}

/// Names and contents of everything in a directory.
pub(crate) fn contents(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
            all.insert(path, None);
        } else {
            // A link may lead nowhere.
            let bytes = if path.exists() { Some(fs::read(&path).unwrap()) } else { None };
            all.insert(path, bytes);
        }
    }
    all
}

/// Runs something and proves that it left a directory as it was, byte for byte.
pub(crate) fn untouched<T>(dir: &Path, action: impl FnOnce() -> T) -> T {
    let before = contents(dir);
    let result = action();
    let after = contents(dir);
    let names = |all: &BTreeMap<PathBuf, Option<Vec<u8>>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    for (path, bytes) in &before {
        assert!(after[path] == *bytes, "{} was written", path.display());
    }
    result
}

pub(crate) fn start(dir: &Path, page_size: PageSize) -> Instance {
    Instance::builder(dir)
        .configure(|config| config.page_size = page_size)
        .log_file_size(256 << 10)
        .cache_mode(CacheMode::Mapped)
        .start()
        .unwrap()
}

/// A table `t` with so many rows in `a.edb`.
pub(crate) fn fill(instance: &Instance, rows: i32) -> Database {
    let database = instance.open_or_create_database("a.edb").unwrap();
    let mut session = instance.session().unwrap();
    let mut transaction = session.begin().unwrap();
    let table = TableBuilder::new("t")
        .column("id", ColType::Long)
        .column("value", ColType::Binary)
        .text("name")
        .primary(&["id"]);
    let table = database.create_table(&mut transaction, table).unwrap();
    for id in 0..rows {
        let value = vec![u8::try_from(id % 251).unwrap(); 120];
        let row = row! { "id" => id, "value" => value, "name" => format!("row {id}") };
        table.insert(&mut transaction, &row).unwrap();
    }
    transaction.commit().unwrap();
    database
}

/// A clean database `a.edb` with its log.
pub(crate) fn clean(dir: &Path, page_size: PageSize, rows: i32) {
    let instance = start(dir, page_size);
    drop(fill(&instance, rows));
    instance.stop().unwrap();
}

/// What a killed process leaves: a dirty database, of which pages are missing, and its log.
pub(crate) fn dirty(dir: &Path, rows: i32) {
    let instance = start(dir, PageSize::K4);
    drop(fill(&instance, rows));
    instance.abandon();
}

/// Copies of these files of a directory.
pub(crate) fn copies(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        if wanted(name.to_str().unwrap()) {
            fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    }
}

/// A backup set of a directory with a database in it.
pub(crate) fn set_of(dir: &Path, set: &Path) {
    let args = ["backup", dir.to_str().unwrap(), set.to_str().unwrap()];
    ese(dir, &args).fine();
}

/// Turns some bits of a file over, without a pattern that a checksum of exclusive ors would miss.
pub(crate) fn damage(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).unwrap();
    for (byte, bits) in bytes[offset..offset + 5].iter_mut().zip([0xa5, 0x13, 0xff, 0x08, 0x71]) {
        *byte ^= bits;
    }
    fs::write(path, bytes).unwrap();
}

/// Offset of a leaf page of the largest table, by the page's own word.
pub(crate) fn a_leaf(database: &Path, page_size: usize) -> usize {
    const LEAF: u32 = 2;
    let bytes = fs::read(database).unwrap();
    let root = bytes
        .chunks(page_size)
        .enumerate()
        .skip(2)
        .filter(|(_, page)| {
            let word = |at: usize| u32::from_le_bytes(page[at..at + 4].try_into().unwrap());
            // Flags of the page, and its neighbours: a page between two others.
            word(36) & LEAF != 0 && word(16) != 0 && word(20) != 0
        })
        .map(|(at, _)| at)
        .next_back();
    root.expect("a table of several leaves") * page_size
}
