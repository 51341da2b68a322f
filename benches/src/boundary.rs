//! What the C boundary costs: every row of a table through `libesent` from a C program, and through
//! the Rust functions of the same names, in turns over two copies of one file. The quickest round
//! of each counts: whatever else the machine does can only add to it.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use ese_api::{
    JetErr,
    jet::{
        JET_COLUMNDEF, JET_INSTANCE, JET_MoveFirst, JET_MoveNext, JET_RETRIEVEINTO, JET_SESID,
        JET_TABLEID, JET_bitCommitLazyFlush, JET_coltypLong, JET_paramCreatePathIfNotExist,
        JET_paramLogFilePath, JET_paramSystemPath, JET_paramTempPath, JET_prepInsert, JetAddColumn,
        JetAttachDatabase, JetBeginSession, JetBeginTransaction, JetCloseTable,
        JetCommitTransaction, JetCreateDatabase, JetCreateInstance, JetCreateTable, JetInit,
        JetMove, JetOpenDatabase, JetOpenTable, JetPrepareUpdate, JetSetColumn,
        JetSetSystemParameter, JetTerm, JetUpdate, retrieve_into,
    },
};

use crate::{
    child::{Figures, Scale},
    store::Result,
};

const ROUNDS: usize = 9;

pub(crate) fn measure(folder: &Path, scale: Scale) -> Result<Figures> {
    let home = folder.join("db");
    let path = home.join("rows.edb").display().to_string();
    let instance = start(&home)?;
    fill(instance, &path, scale.boundary_rows)?;
    JetTerm(instance)?;
    let copy = folder.join("c");
    fs::create_dir(&copy)?;
    fs::copy(&path, copy.join("rows.edb"))?;
    let mut in_c = InC::start(&compile(folder)?, &copy, scale.boundary_rows)?;
    let instance = start(&home)?;
    let mut in_rust = InRust::open(instance, &path, scale.boundary_rows)?;
    let (mut c, mut rust) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        c = c.min(in_c.round()?);
        rust = rust.min(in_rust.round()?);
    }
    in_c.end()?;
    JetTerm(instance)?;
    Ok(Figures::from([("boundary_c", c), ("boundary_rust", rust), ("boundary_cost", c - rust)]))
}

fn start(home: &Path) -> Result<JET_INSTANCE> {
    let mut instance = JetCreateInstance("boundary")?;
    let set = |id, number, text: Option<&str>| {
        JetSetSystemParameter(Some(instance), JET_SESID::NIL, id, number, text)
    };
    let folder = home.display().to_string();
    for path in [JET_paramSystemPath, JET_paramLogFilePath, JET_paramTempPath] {
        set(path, 0, Some(&folder))?;
    }
    set(JET_paramCreatePathIfNotExist, 1, None)?;
    JetInit(Some(&mut instance))?;
    Ok(instance)
}

fn fill(instance: JET_INSTANCE, path: &str, rows: u32) -> Result<()> {
    let session = JetBeginSession(instance)?;
    let database = JetCreateDatabase(session, path, 0)?;
    let table = JetCreateTable(session, database, "rows", 1, 100)?;
    let number = JET_COLUMNDEF { coltyp: JET_coltypLong, ..JET_COLUMNDEF::default() };
    let column = JetAddColumn(session, table, "number", &number, &[])?;
    for begin in (0..rows).step_by(1000) {
        JetBeginTransaction(session)?;
        for row in begin..rows.min(begin + 1000) {
            JetPrepareUpdate(session, table, JET_prepInsert)?;
            JetSetColumn(session, table, column, Some(&row.to_le_bytes()), 0, None)?;
            JetUpdate(session, table)?;
        }
        JetCommitTransaction(session, JET_bitCommitLazyFlush)?;
    }
    JetCloseTable(session, table)?;
    Ok(())
}

/// The sum of the numbers of so many rows.
fn sum_of(rows: u32) -> u64 {
    let rows = u64::from(rows);
    rows * rows.saturating_sub(1) / 2
}

fn compile(folder: &Path) -> Result<PathBuf> {
    let (source, program) = (folder.join("boundary.c"), folder.join("boundary"));
    fs::write(&source, include_str!("boundary.c"))?;
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/ese-capi/include");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-I", include, "-o"]).arg(&program).arg(&source);
    let status = cc.arg("-L").arg(libraries()?).arg("-lesent").status()?;
    if status.success() { Ok(program) } else { Err("the C program does not compile".into()) }
}

/// `cargo xtask bench` builds the library before this program, in the same profile.
fn libraries() -> Result<PathBuf> {
    let exe = env::current_exe()?;
    let folder = exe.ancestors().skip(1).take(2).find(|dir| dir.join("libesent.so").exists());
    Ok(folder.ok_or("there is no libesent.so beside this program: cargo build -p ese-capi")?.into())
}

/// The C program, which waits for a line before each round.
struct InC {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    rows: u32,
}

impl InC {
    fn start(program: &Path, home: &Path, rows: u32) -> Result<InC> {
        let mut command = Command::new(program);
        command.arg(home).arg(home.join("rows.edb")).env("LD_LIBRARY_PATH", libraries()?);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (ask, answers) = (child.stdin.take(), child.stdout.take());
        let (ask, answers) = (ask.ok_or("no pipe")?, answers.ok_or("no pipe")?);
        Ok(InC { child, ask, answers: BufReader::new(answers), rows })
    }

    /// Nanoseconds of a call.
    fn round(&mut self) -> Result<f64> {
        self.ask.write_all(b"\n")?;
        self.ask.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (time, sum) = line.trim().split_once(' ').ok_or("the C program has ended")?;
        if sum.parse::<u64>()? != sum_of(self.rows) {
            return Err(format!("the sum of {} rows is {sum} in C", self.rows).into());
        }
        Ok(time.parse()?)
    }

    fn end(mut self) -> Result<()> {
        drop(self.ask);
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the C program: {status}").into()) }
    }
}

/// The Rust functions of these names.
struct InRust {
    session: JET_SESID,
    table: JET_TABLEID,
    rows: u32,
}

impl InRust {
    fn open(instance: JET_INSTANCE, path: &str, rows: u32) -> Result<InRust> {
        let session = JetBeginSession(instance)?;
        JetAttachDatabase(session, path, 0)?;
        let (_, database) = JetOpenDatabase(session, path, 0)?;
        Ok(InRust { session, table: JetOpenTable(session, database, "rows", 0)?, rows })
    }

    /// Nanoseconds of a call.
    fn round(&mut self) -> Result<f64> {
        let begin = Instant::now();
        let (sum, calls) = one_round(self.session, self.table)?;
        let time = begin.elapsed().as_secs_f64() * 1e9 / f64::from(calls);
        if sum != sum_of(self.rows) {
            return Err(format!("the sum of {} rows is {sum} in Rust", self.rows).into());
        }
        Ok(time)
    }
}

/// The sum of the column, and how many calls it took.
fn one_round(session: JET_SESID, table: JET_TABLEID) -> Result<(u64, u32)> {
    let (mut sum, mut calls) = (0, 0);
    let mut moved = JetMove(session, table, JET_MoveFirst, 0);
    while moved.is_ok() {
        let mut number = [0; 4];
        let mut into = [JET_RETRIEVEINTO {
            columnid: 1,
            grbit: 0,
            ibLongValue: 0,
            itagSequence: 1,
            columnidNextTagged: 0,
            buffer: &mut number,
            actual: 0,
            err: None,
        }];
        retrieve_into(session, table, &mut into, false)?;
        sum += u64::from(u32::from_le_bytes(number));
        calls += 2;
        moved = JetMove(session, table, JET_MoveNext, 0);
    }
    match moved {
        Err(error) if error.code() != JetErr::NoCurrentRecord => Err(error.into()),
        _ => Ok((sum, calls)),
    }
}
