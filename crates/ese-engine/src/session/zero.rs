//! Rows that end when an escrow column of theirs reaches zero (JET_bitColumnDeleteOnZero, and
//! JET_bitColumnFinalize, which has come to mean the same): api-semantics 11.3.
//!
//! That is looked at when nobody needs the versions of an addition any more. The row goes in a
//! transaction of the engine's own, if the number is still zero and nobody else is at work on the
//! row. What a crash or the end of the instance cuts short is not made up for: the row stays.

use std::sync::Arc;

use ese_base::{Dbid, Error, ErrorKind, JetErr, ObjId, Result};

use super::{Change, ChangeKind, Durability, Session};
use crate::{
    instance::{Attached, Instance},
    tree::Position,
    version::{Addition, KeyBytes},
};

/// A row whose number may have become zero: noted once, however often it is added to.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct AtZero {
    pub(crate) dbid: Dbid,
    table: ObjId,
    key: KeyBytes,
    /// Where the number stands, and how wide it is.
    offset: u16,
    wide: bool,
}

/// Notes the rows that the additions among these changes may end. What references to long values
/// are given up is for [`super::unreferenced`].
pub(super) fn note(instance: &Instance, changes: &[Change]) {
    let rows = changes.iter().filter(|change| !change.tree.kind.is_of_long_values());
    let may_end = rows.filter_map(|change| match change.kind {
        ChangeKind::Added(Addition { offset, wide, ends_row: true, .. }) => Some(AtZero {
            dbid: change.db.dbid,
            table: change.tree.objid,
            key: change.key.clone(),
            offset,
            wide,
        }),
        _ => None,
    });
    let mut may_end = may_end.peekable();
    if may_end.peek().is_some() {
        instance.at_zero.lock().extend(may_end);
    }
}

/// Deletes the rows that were noted and are at zero. A row that somebody is at work on, or for
/// whose versions there is no room, is looked at again the next time; one that cannot be deleted
/// for another reason of its own stays.
pub(crate) fn end_rows_at_zero(instance: &Arc<Instance>) -> Result<()> {
    let noted = std::mem::take(&mut *instance.at_zero.lock());
    if noted.is_empty() {
        return Ok(());
    }
    let mut session = Session::begin_system(instance)?;
    for row in noted {
        let Err(error) = end_row(&mut session, &row) else { continue };
        instance.check()?;
        match (error.code(), error.kind()) {
            (JetErr::WriteConflict | JetErr::VersionStoreOutOfMemory, _) => {
                instance.at_zero.lock().insert(row);
            }
            (_, ErrorKind::Misuse | ErrorKind::Outcome | ErrorKind::Inconsistent) => {
                tracing::warn!(%error, "a row at zero could not be deleted; it stays");
            }
            _ => return Err(error),
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
    let number = table.get(session, &row.key, |record| number_at(row, record))?;
    match number.flatten() {
        Some(0) => table.delete(session, &mut Position::default(), &row.key),
        _ => Ok(()),
    }
}

fn number_at(row: &AtZero, record: &[u8]) -> Option<i64> {
    Addition { offset: row.offset, wide: row.wide, delta: 0, ends_row: true }.number_in(record)
}
