//! The second half of recovery: open transactions are taken back, deleted nodes removed, databases
//! made clean.

use std::sync::Arc;

use ese_base::{Error, ErrorKind, JetErr, LgPos, ProcId, Result, plant};
use ese_log::{
    Log,
    records::{MacroAbort, Record, RecoveryQuit2, RecoveryUndo2, Rollback, RunEnd, ShutDownMark},
};
use ese_os::Env;

use super::{
    Replay, reclaim,
    sessions::{ReplayedChange, ReplayedKind, ReplayedSession},
};
use crate::{
    database::Database,
    longvalue,
    session::is_damage,
    tree::{self, Position, TreeHandle, TreeKind, Undo, UndoOper, Unversioned, Writer},
};

/// Undoes, flushes, and ends the recovery in the log.
pub(super) fn finish(replay: &mut Replay<'_, '_>, env: &Env, log: &Arc<Log>) -> Result<()> {
    replay.databases.remove_unfinished()?;
    replay.databases.connect(log)?;
    let time = Some(env.clock.log_time());
    let started = log.append(&Record::RecoveryUndo2(RecoveryUndo2 { time }))?.start;
    let writing = replay.databases.write_behind(log)?;
    take_back(replay, Some(log))?;
    reclaim::give_back_lost(replay, log)?;
    drop(writing);
    let mark = log.append(&Record::ShutDownMark(ShutDownMark {}))?;
    log.flush(mark.end)?;
    replay.tell_detaching(None)?;
    replay.databases.detach_all(mark.start)?;
    let quit = log.append(&Record::RecoveryQuit2(RecoveryQuit2(RunEnd {
        started,
        redo_from: replay.report.from,
        hard: u8::from(replay.hard),
        time: Some(env.clock.log_time()),
    })))?;
    log.flush(quit.end)
}

/// Undoes without a log: on copies, which are thrown away if this does not come to its end.
pub(super) fn finish_unlogged(replay: &mut Replay<'_, '_>) -> Result<()> {
    replay.databases.remove_unfinished()?;
    take_back(replay, None)?;
    replay.tell_detaching(None)?;
    replay.databases.detach_all(replay.report.to)
}

/// Takes back what did not commit, and removes for good what committed transactions have deleted.
fn take_back(replay: &mut Replay<'_, '_>, log: Option<&Arc<Log>>) -> Result<()> {
    let groups = replay.sessions.take_open_groups();
    for (procid, dbtime) in groups.into_iter().filter(|_| !plant!("engine-keep-open-groups")) {
        append(log, &Record::MacroAbort(MacroAbort { procid, dbtime }))?;
    }
    for (procid, session) in replay.sessions.take_open() {
        replay.report.rolled_back += 1;
        roll_back(replay, log, procid, session)?;
    }
    let mut to_remove = std::mem::take(&mut replay.to_remove);
    // Most were removed when the log was written, and are only looked for: neighbours together.
    to_remove.sort_by(|a, b| a.place().cmp(&b.place()));
    for change in &to_remove {
        match change.kind {
            ReplayedKind::Added(_) => match remove_value(replay, log, change) {
                // A value that stays takes room, and the rest of the database is well.
                Err(error) if is_damage(&error) => {
                    tracing::warn!(%error, "a long value without references stays: it is damaged");
                }
                removed => removed.map_err(|error| located(error, change))?,
            },
            _ => remove_node(replay, log, change).map_err(|error| located(error, change))?,
        }
    }
    Ok(())
}

fn append(log: Option<&Arc<Log>>, record: &Record<'_>) -> Result<()> {
    log.map_or(Ok(()), |log| log.append(record).map(drop))
}

/// Makes room in the page cache before a change.
fn throttle(replay: &Replay<'_, '_>, db: &Database, log: Option<&Arc<Log>>) -> Result<()> {
    match log {
        Some(log) => db.cache.throttle(log.as_ref()),
        None => db.cache.throttle(&replay.databases.fence(db)),
    }
}

fn roll_back(
    replay: &mut Replay<'_, '_>,
    log: Option<&Arc<Log>>,
    procid: ProcId,
    session: ReplayedSession,
) -> Result<()> {
    if let Some((node, (pos, name))) = session.cannot_undo() {
        return Err(Error::new(
            JetErr::FeatureNotAvailable,
            "an open transaction changed a row, and the log does not say what was before",
        )
        .within(&format!("{name} record at {pos}"))
        .at_page(node.page.pgno)
        .at_generation(pos.generation)
        .advise("recover this database with the engine that wrote its log"));
    }
    // The checkpoint does not move before recovery has ended.
    let begin = LgPos::MAX;
    let writer = Writer { procid, trx: session.begin0, level: session.level, begin };
    let (mut inserted, levels) = (Vec::new(), session.level);
    for change in session.changes.into_iter().rev() {
        undo(replay, log, writer, &change).map_err(|error| located(error, &change))?;
        if change.kind == ReplayedKind::Inserted {
            inserted.push(change);
        }
    }
    for _ in 0..levels {
        append(log, &Record::Rollback(Rollback { procid, levels: 1 }))?;
    }
    for change in &inserted {
        remove_node(replay, log, change).map_err(|error| located(error, change))?;
    }
    Ok(())
}

/// Takes one change back; it stays as a deleted node where it was an insert.
fn undo(
    replay: &mut Replay<'_, '_>,
    log: Option<&Arc<Log>>,
    writer: Writer,
    change: &ReplayedChange,
) -> Result<()> {
    let Some((db, tree)) = tree_of(replay, change)? else { return Ok(()) };
    throttle(replay, &db, log)?;
    replay.changes.took_back(change);
    let oper = match &change.kind {
        ReplayedKind::Inserted => UndoOper::Insert,
        ReplayedKind::Replaced => UndoOper::Replace { before: change.saved.before() },
        ReplayedKind::Deleted => UndoOper::FlagDelete,
        ReplayedKind::Added(added) => {
            let (at, less) = (&mut Position::default(), added.inverse());
            let undoes = Some(change.rceid);
            let key = change.saved.key();
            tree::add(&db, &tree, writer, &Unversioned, at, key, less, undoes)?;
            return Ok(());
        }
    };
    let (key, bm_data) = (change.saved.key(), change.saved.bm_data());
    let undo = Undo { oper, rceid: change.rceid, key, bm_data };
    tree::undo(&db, &tree, writer, &undo)?;
    Ok(())
}

/// Says which record's change could not be taken back. What does not fit the tree was never logged
/// by an engine that is well: that is the log's fault, and no answer to anybody's question.
fn located(error: Error, change: &ReplayedChange) -> Error {
    let (pos, name) = change.at;
    let error = match (error.code(), error.kind()) {
        (JetErr::InternalError, _) | (_, ErrorKind::Outcome | ErrorKind::Misuse) => {
            error.with_code(JetErr::InvalidLoggedOperation)
        }
        _ => error,
    };
    error
        .within(&format!("taking back the {name} record at {pos}"))
        .at_page(change.fdp)
        .at_generation(pos.generation)
}

/// Removes a flag-deleted node for good. No reader exists during recovery.
fn remove_node(
    replay: &Replay<'_, '_>,
    log: Option<&Arc<Log>>,
    change: &ReplayedChange,
) -> Result<()> {
    let Some((db, tree)) = tree_of(replay, change)? else { return Ok(()) };
    let (key, bm_data) = (change.saved.key(), change.saved.bm_data());
    // Most are gone already. To look for one needs no frame for its page.
    let found = tree::seek(&db.cache, &tree.view(), key, bm_data)?;
    if !found.line.is_ok_and(|iline| found.leaf.page().node(iline).is_deleted()) {
        return Ok(());
    }
    drop(found);
    throttle(replay, &db, log)?;
    let writer = Writer::system(ProcId(0));
    tree::delete_node(&db, &tree, writer, key, bm_data, &|| true)?;
    Ok(())
}

/// Removes a long value that a committed transaction has let go, if that was the last reference.
fn remove_value(
    replay: &Replay<'_, '_>,
    log: Option<&Arc<Log>>,
    change: &ReplayedChange,
) -> Result<()> {
    let Some((db, tree)) = tree_of(replay, change)? else { return Ok(()) };
    if !tree.kind.is_of_long_values() {
        return Ok(());
    }
    let writer = Writer::system(ProcId(0));
    let key = change.saved.key();
    match log {
        Some(log) => longvalue::remove_value(&db, &tree, writer, key, log.as_ref()),
        None => {
            let fence = replay.databases.fence(&db);
            longvalue::remove_value(&db, &tree, writer, key, &fence)
        }
    }
}

/// The database and tree of a change; `None` if the database needs nothing or is gone.
fn tree_of(
    replay: &Replay<'_, '_>,
    change: &ReplayedChange,
) -> Result<Option<(Arc<Database>, Arc<TreeHandle>)>> {
    let Some(db) = replay.databases.open(change.dbid) else { return Ok(None) };
    let flags = db.cache.read(change.fdp)?.page().flags();
    let kind = TreeKind::of_flags(flags, TreeKind::TABLE.density_pct);
    if kind.unique != change.unique {
        let what = "the root page and the record disagree on whether the tree's keys are unique";
        return Err(Error::new(JetErr::InvalidLoggedOperation, what).at_page(change.fdp));
    }
    Ok(Some((Arc::clone(db), db.tree(change.fdp, change.objid, kind))))
}
