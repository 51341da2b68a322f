//! A toy store with a write-ahead log and a snapshot, and ways to break it. It exists to show that
//! the check finds each way, and nothing in the store that is right.
//!
//! Files: `snap` (the content at some commit, and the number of the log that goes on from it),
//! `log.<number>` (records: length, hash, changes of one commit). A checkpoint writes `snap.tmp`,
//! creates the next log, renames the snapshot and removes the old log.

use std::{
    cell::Cell,
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use ese_base::{Error, JetErr, Result};
use ese_os::{Env, File, OpenMode};

use super::{Store, wrong_read};
use crate::{
    model::{Model, RowOp},
    random::hash_bytes,
    workload::Step,
};

/// One way to break the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    /// Durable commits do not wait for the log's sync.
    SkipLogSync,
    /// Recovery trusts the lengths of records.
    SkipRecordHash,
    /// Recovery goes on behind a bad record's end instead of cutting it off.
    KeepTornTail,
    /// The snapshot is renamed before it is synced.
    SkipSnapSync,
    /// A new log's name is not synced.
    SkipDirSync,
    /// The old log is gone before the new snapshot counts.
    RemoveLogEarly,
    /// A left-over `snap.tmp` is taken for a finished one.
    TrustStaleTmp,
    /// A failed sync of the log is not reported.
    IgnoreSyncError,
    /// A failed sync is repeated, and the second answer believed.
    RetrySync,
    /// A commit is logged in two records.
    SplitCommit,
    /// Transactions go on after a failed write.
    GoOn,
}

thread_local! {
    /// The bug of the stores of this thread.
    pub(super) static BUG: Cell<Bug> = const { Cell::new(Bug::None) };
}

/// The store.
pub(super) struct Toy {
    env: Env,
    committed: Model,
    number: u64,
    log: Arc<dyn File>,
    end: u64,
    /// Open transactions: per session its levels, each with its changes.
    open: HashMap<usize, Vec<Vec<RowOp>>>,
    bug: Bug,
}

fn path(name: &str) -> PathBuf {
    Path::new(Toy::DIR).join(name)
}

fn log_name(number: u64) -> PathBuf {
    path(&format!("log.{number}"))
}

fn read_all(file: &dyn File) -> Result<Vec<u8>> {
    let mut bytes = vec![0; crate::index(file.len()?)];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn corrupt(what: &str) -> Error {
    Error::new(JetErr::DatabaseCorrupted, what.to_owned())
}

impl Store for Toy {
    type Settings = ();

    fn open(env: &Env, (): &()) -> Result<Toy> {
        let bug = BUG.get();
        let fs = &env.fs;
        fs.create_dir_all(Path::new(Toy::DIR))?;
        if bug != Bug::TrustStaleTmp && fs.exists(&path("snap.tmp"))? {
            fs.remove_file(&path("snap.tmp"))?;
        }
        fs.sync_dir(Path::new(Toy::DIR))?;
        let (number, mut committed) = match fs.open(&path("snap"), OpenMode::Read) {
            Ok(snap) => decode_snap(&read_all(&*snap)?)?,
            Err(error) if error.code() == JetErr::FileNotFound => (0, Model::default()),
            Err(error) => return Err(error),
        };
        let log = match fs.open(&log_name(number), OpenMode::ReadWrite) {
            Ok(log) => log,
            // The store was never finished: its first log is created behind.
            Err(error) if error.code() == JetErr::FileNotFound && number == 0 => {
                create_log(env, number, bug)?
            }
            Err(error) => return Err(error),
        };
        let bytes = read_all(&*log)?;
        let end = replay(&bytes, &mut committed, bug)? as u64;
        if bug != Bug::KeepTornTail && end < bytes.len() as u64 {
            log.set_len(end)?;
            log.sync()?;
        }
        let end = if bug == Bug::KeepTornTail { bytes.len() as u64 } else { end };
        let open = HashMap::new();
        let mut toy = Toy { env: env.clone(), committed, number, log, end, open, bug };
        toy.remove_other_logs()?;
        Ok(toy)
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::CreateTable { table, durable } => {
                self.commit(&[RowOp::CreateTable { table: table.clone() }], *durable)
            }
            Step::Begin { session } => {
                self.open.entry(*session).or_default().push(Vec::new());
                Ok(())
            }
            Step::Row { session, op } => {
                self.open.get_mut(session).unwrap().last_mut().unwrap().push(op.clone());
                Ok(())
            }
            Step::Read { session, table, key, value } => {
                let mut view = self.committed.clone();
                self.open[session].iter().flatten().for_each(|op| assert!(view.apply(op)));
                let found = view.tables.get(table).and_then(|rows| rows.get(key));
                if found == value.as_ref() {
                    Ok(())
                } else {
                    Err(wrong_read(step, found.map(Vec::as_slice)))
                }
            }
            Step::Commit { session, durable } => {
                let levels = self.open.get_mut(session).unwrap();
                let ops = levels.pop().unwrap();
                match levels.last_mut() {
                    Some(outer) => {
                        outer.extend(ops);
                        Ok(())
                    }
                    None => self.commit(&ops, *durable),
                }
            }
            Step::Rollback { session } => {
                self.open.get_mut(session).unwrap().pop();
                Ok(())
            }
            Step::Checkpoint | Step::RollLog => self.checkpoint(),
            Step::Flush | Step::Backup | Step::Defragment | Step::Shrink | Step::Restart => Ok(()),
        }
    }

    fn content(&mut self) -> Result<Model> {
        Ok(self.committed.clone())
    }

    fn refuses(&mut self) -> bool {
        self.bug != Bug::GoOn
    }

    fn close(mut self) -> Result<()> {
        self.checkpoint()
    }
}

impl Toy {
    fn commit(&mut self, ops: &[RowOp], durable: bool) -> Result<()> {
        let parts: Vec<&[RowOp]> = match self.bug {
            Bug::SplitCommit if ops.len() > 1 => vec![&ops[..1], &ops[1..]],
            _ => vec![ops],
        };
        for ops in parts {
            let record = encode_record(ops);
            self.log.write_at(&record, self.end)?;
            self.end += record.len() as u64;
        }
        if durable && self.bug != Bug::SkipLogSync {
            self.sync_log()?;
        }
        ops.iter().for_each(|op| assert!(self.committed.apply(op)));
        Ok(())
    }

    fn sync_log(&self) -> Result<()> {
        match (self.log.sync(), self.bug) {
            (Err(_), Bug::IgnoreSyncError) => Ok(()),
            (Err(_), Bug::RetrySync) => self.log.sync(),
            (result, _) => result,
        }
    }

    fn checkpoint(&mut self) -> Result<()> {
        let fs = Arc::clone(&self.env.fs);
        let next = self.number + 1;
        let (dir, tmp) = (Path::new(Toy::DIR), path("snap.tmp"));
        // The snapshot must not hold what the log could still lose.
        self.sync_log()?;
        if self.bug != Bug::TrustStaleTmp || !fs.exists(&tmp)? {
            let snap = fs.open(&tmp, OpenMode::CreateOrTruncate)?;
            let bytes = encode_snap(next, &self.committed);
            for (at, part) in bytes.chunks(1500).enumerate() {
                snap.write_at(part, at as u64 * 1500)?;
            }
            if self.bug != Bug::SkipSnapSync {
                snap.sync()?;
            }
        }
        let log = create_log(&self.env, next, self.bug)?;
        if self.bug == Bug::RemoveLogEarly {
            fs.remove_file(&log_name(self.number))?;
            fs.sync_dir(dir)?;
        }
        fs.rename(&tmp, &path("snap"))?;
        fs.sync_dir(dir)?;
        (self.number, self.log, self.end) = (next, log, 0);
        self.remove_other_logs()
    }

    fn remove_other_logs(&mut self) -> Result<()> {
        let own = format!("log.{}", self.number);
        for entry in self.env.fs.list(Path::new(Toy::DIR))? {
            if entry.name.starts_with("log.") && entry.name != own {
                self.env.fs.remove_file(&path(&entry.name))?;
            }
        }
        Ok(())
    }
}

/// A new, empty log whose name is durable. One of the same name is left over from a checkpoint that
/// was not finished.
fn create_log(env: &Env, number: u64, bug: Bug) -> Result<Arc<dyn File>> {
    let log = env.fs.open(&log_name(number), OpenMode::CreateOrTruncate)?;
    log.sync()?;
    if bug != Bug::SkipDirSync {
        env.fs.sync_dir(Path::new(Toy::DIR))?;
    }
    Ok(log)
}

/// Applies the records; gives the end of the last good one.
fn replay(bytes: &[u8], model: &mut Model, bug: Bug) -> Result<usize> {
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 12) {
        let len = u32::from_le_bytes(head[..4].try_into().unwrap()) as usize;
        let hash = u64::from_le_bytes(head[4..].try_into().unwrap());
        let Some(body) = bytes.get(at + 12..at + 12 + len) else { break };
        if len == 0 || (bug != Bug::SkipRecordHash && hash != hash_bytes(body)) {
            break;
        }
        let Some(ops) = decode_ops(body) else { break };
        if !ops.iter().all(|op| model.apply(op)) && bug != Bug::SkipRecordHash {
            return Err(corrupt("a record does not fit"));
        }
        at += 12 + len;
    }
    Ok(at)
}

fn encode_record(ops: &[RowOp]) -> Vec<u8> {
    let mut body = vec![0xee];
    ops.iter().for_each(|op| encode_op(op, &mut body));
    let mut record = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    record.extend(hash_bytes(&body).to_le_bytes());
    record.extend(body);
    record
}

fn encode_snap(number: u64, model: &Model) -> Vec<u8> {
    let mut body = number.to_le_bytes().to_vec();
    for (table, rows) in &model.tables {
        encode_op(&RowOp::CreateTable { table: table.clone() }, &mut body);
        for (key, value) in rows {
            let (table, key, value) = (table.clone(), key.clone(), value.clone());
            encode_op(&RowOp::Insert { table, key, value }, &mut body);
        }
    }
    let mut snap = hash_bytes(&body).to_le_bytes().to_vec();
    snap.extend(body);
    snap
}

fn decode_snap(bytes: &[u8]) -> Result<(u64, Model)> {
    let (hash, body) = bytes.split_at_checked(8).ok_or_else(|| corrupt("short snapshot"))?;
    if hash != hash_bytes(body).to_le_bytes() {
        return Err(corrupt("the snapshot is damaged"));
    }

    let (number, ops) = body.split_at_checked(8).ok_or_else(|| corrupt("short snapshot"))?;
    let mut model = Model::default();
    let mut with_mark = vec![0xee];
    with_mark.extend(ops);
    for op in decode_ops(&with_mark).ok_or_else(|| corrupt("bad snapshot"))? {
        model.apply(&op);
    }
    Ok((u64::from_le_bytes(number.try_into().unwrap()), model))
}

fn encode_op(op: &RowOp, to: &mut Vec<u8>) {
    let (kind, parts): (u8, [&[u8]; 3]) = match op {
        RowOp::CreateTable { table } => (1, [table.as_bytes(), b"", b""]),
        RowOp::Insert { table, key, value } => (2, [table.as_bytes(), key, value]),
        RowOp::Replace { table, key, value } => (3, [table.as_bytes(), key, value]),
        RowOp::Delete { table, key } => (4, [table.as_bytes(), key, b""]),
    };
    to.push(kind);
    for part in parts {
        to.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
        to.extend(part);
    }
}

fn decode_ops(mut bytes: &[u8]) -> Option<Vec<RowOp>> {
    let mut ops = Vec::new();
    bytes = bytes.strip_prefix(&[0xee])?;
    while let Some((kind, mut rest)) = bytes.split_first() {
        let mut parts = Vec::new();
        for _ in 0..3 {
            let (len, tail) = rest.split_at_checked(4)?;
            let len = u32::from_le_bytes(len.try_into().ok()?) as usize;
            let (part, tail) = tail.split_at_checked(len)?;
            parts.push(part.to_vec());
            rest = tail;
        }
        let value = parts.pop()?;
        let key = parts.pop()?;
        let table = String::from_utf8(parts.pop()?).ok()?;
        ops.push(match kind {
            1 => RowOp::CreateTable { table },
            2 => RowOp::Insert { table, key, value },
            3 => RowOp::Replace { table, key, value },
            4 => RowOp::Delete { table, key },
            _ => return None,
        });
        bytes = rest;
    }
    Some(ops)
}
