//! Rows that end when an escrow column of theirs reaches zero (JET_bitColumnDeleteOnZero, and
//! JET_bitColumnFinalize, which has come to mean the same): api-semantics 11.3.
//!
//! That is looked at when nobody needs the versions of an addition any more. The row goes in a
//! transaction of the engine's own, if the number is still zero and nobody else is at work on the
//! row. What a crash or the end of the instance cuts short is not made up for: the row stays.

use std::sync::Arc;

use ese_base::{Dbid, Error, JetErr, ObjId, Result};

use super::{Change, ChangeKind, Durability, Session};
use crate::{
    instance::{Attached, Instance},
    tree::Position,
    version::{Addition, KeyBytes},
};

/// A row whose number may have become zero.
#[derive(Debug)]
pub(crate) struct AtZero {
    dbid: Dbid,
    table: ObjId,
    key: KeyBytes,
    addition: Addition,
}

/// Notes the rows that the additions among these changes may end.
pub(super) fn note(instance: &Instance, changes: &[Change]) {
    let may_end = changes.iter().filter_map(|change| match change.kind {
        ChangeKind::Added(addition) if addition.ends_row => Some(AtZero {
            dbid: change.db.dbid,
            table: change.tree.objid,
            key: change.key.clone(),
            addition,
        }),
        _ => None,
    });
    let mut may_end = may_end.peekable();
    if may_end.peek().is_some() {
        instance.at_zero.lock().extend(may_end);
    }
}

/// Deletes the rows that were noted and are at zero. A row that somebody is at work on is looked at
/// again the next time.
pub(crate) fn end_rows_at_zero(instance: &Arc<Instance>) -> Result<()> {
    let noted = std::mem::take(&mut *instance.at_zero.lock());
    if noted.is_empty() {
        return Ok(());
    }
    let mut session = Session::begin_system(instance)?;
    for row in noted {
        match end_row(&mut session, &row) {
            Err(error) if error.code() == JetErr::WriteConflict => {
                instance.at_zero.lock().push(row);
            }
            other => other?,
        }
    }
    Ok(())
}

fn end_row(session: &mut Session, row: &AtZero) -> Result<()> {
    // The database or the table may be gone.
    let Ok(attached) = session.instance().database(row.dbid) else { return Ok(()) };
    session.begin()?;
    let done = delete_at_zero(session, &attached, row);
    match done {
        Ok(()) => session.commit(Durability::Lazy),
        Err(error) => {
            session.rollback()?;
            Err(error)
        }
    }
}

fn delete_at_zero(session: &mut Session, attached: &Attached, row: &AtZero) -> Result<()> {
    let found = session.read(|snapshot| Ok(attached.tables.version(row.table, snapshot)))?;
    let Some(table) = found else { return Ok(()) };
    // Somebody may still see another number, or take a change back.
    if session.instance().versions.has_versions(&table.tree, &row.key, &[]) {
        return Err(Error::code_only(JetErr::WriteConflict));
    }
    let number = table.get(session, &row.key, |record| row.addition.number_in(record))?;
    match number.flatten() {
        Some(0) => table.delete(session, &mut Position::default(), &row.key),
        _ => Ok(()),
    }
}
