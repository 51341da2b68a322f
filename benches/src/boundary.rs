//! What the C boundary costs: every row of a table through `libesent` from a C program, and through
//! the Rust functions of the same names, in turns over the same file.

use std::{env, fs, path::Path, process::Command, time::Instant};

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
    tables::median,
};

const ROUNDS: usize = 5;

pub(crate) fn measure(folder: &Path, scale: Scale) -> Result<Figures> {
    let home = folder.join("db");
    let path = home.join("rows.edb").display().to_string();
    let instance = start(&home)?;
    fill(instance, &path, scale.boundary_rows)?;
    JetTerm(instance)?;
    let program = compile(folder)?;
    let in_c = through_c(&program, &home, &path, scale.boundary_rows)?;
    let instance = start(&home)?;
    let in_rust = through_rust(instance, &path, scale.boundary_rows)?;
    JetTerm(instance)?;
    let (in_c, in_rust) = (median(&in_c), median(&in_rust));
    let (in_c, in_rust) = (in_c.ok_or("no round in C")?, in_rust.ok_or("no round in Rust")?);
    Ok(Figures::from([
        ("boundary_c", in_c),
        ("boundary_rust", in_rust),
        ("boundary_cost", in_c - in_rust),
    ]))
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

fn compile(folder: &Path) -> Result<std::path::PathBuf> {
    let (source, program) = (folder.join("boundary.c"), folder.join("boundary"));
    fs::write(&source, include_str!("boundary.c"))?;
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/ese-capi/include");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-I", include, "-o"]).arg(&program).arg(&source);
    let status = cc.arg("-L").arg(libraries()?).arg("-lesent").status()?;
    if status.success() { Ok(program) } else { Err("the C program does not compile".into()) }
}

/// `cargo xtask bench` builds the library before this program, in the same profile.
fn libraries() -> Result<std::path::PathBuf> {
    let exe = env::current_exe()?;
    let folder = exe.ancestors().skip(1).take(2).find(|dir| dir.join("libesent.so").exists());
    Ok(folder.ok_or("there is no libesent.so beside this program: cargo build -p ese-capi")?.into())
}

/// Nanoseconds of a call, of each round.
fn through_c(program: &Path, home: &Path, path: &str, rows: u32) -> Result<Vec<f64>> {
    let mut command = Command::new(program);
    let out = command.arg(home).arg(path).env("LD_LIBRARY_PATH", libraries()?).output()?;
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned().into());
    }
    let mut rounds = Vec::new();
    for line in String::from_utf8(out.stdout)?.lines() {
        let (time, sum) = line.split_once(' ').ok_or("a line is a time and a sum")?;
        if sum.parse::<u64>()? != sum_of(rows) {
            return Err(format!("the sum of {rows} rows is {sum} in C").into());
        }
        rounds.push(time.parse()?);
    }
    Ok(rounds)
}

fn through_rust(instance: JET_INSTANCE, path: &str, rows: u32) -> Result<Vec<f64>> {
    let session = JetBeginSession(instance)?;
    JetAttachDatabase(session, path, 0)?;
    let database = JetOpenDatabase(session, path, 0)?;
    let table = JetOpenTable(session, database, "rows", 0)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let (sum, calls) = one_round(session, table)?;
        rounds.push(begin.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
        if sum != sum_of(rows) {
            return Err(format!("the sum of {rows} rows is {sum} in Rust").into());
        }
    }
    Ok(rounds)
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
            err: JetErr::Success,
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
