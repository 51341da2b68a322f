//! Rows that lie in several index ranges (api-semantics 7.13).

use std::{collections::BTreeSet, ops::ControlFlow};

use ese_base::{Error, JetErr, Result};

use super::{Cursor, Place, no_current_record};
use crate::{
    session::Session,
    tree::{Direction, Start},
};

/// Most ranges of one call.
const RANGES_MAX: usize = 64;

/// The bookmarks, in the table's own order, of the rows that all the cursors' ranges have: each
/// from the current entry of its cursor to the end of the cursor's range. The cursors end up behind
/// their ranges.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) unless there are 1 to 64 cursors, on one table, each in
/// another secondary index; `JET_errNoCurrentRecord` (-1603) for a cursor off an entry; those of
/// reading.
pub fn intersect(session: &Session, cursors: &mut [&mut Cursor]) -> Result<Vec<Vec<u8>>> {
    let invalid = |what: &'static str| Error::new(JetErr::InvalidParameter, what);
    if cursors.is_empty() || cursors.len() > RANGES_MAX {
        return Err(invalid("1 to 64 ranges are intersected"));
    }
    for (at, cursor) in cursors.iter().enumerate() {
        if cursor.order.is_primary() {
            return Err(invalid("a cursor is in the table's own order"));
        }
        for other in cursors.iter().skip(at + 1) {
            if !cursor.shares_table(other) {
                return Err(invalid("the cursors are on different tables"));
            }
            if cursor.current_index().eq_ignore_ascii_case(other.current_index()) {
                return Err(invalid("two cursors are in the same index"));
            }
        }
    }
    let mut common: Option<BTreeSet<Vec<u8>>> = None;
    for cursor in cursors {
        let rows = cursor.rest_of_range(session)?;
        common = Some(match common {
            None => rows,
            Some(mut common) => {
                common.retain(|row| rows.contains(row));
                common
            }
        });
    }
    Ok(common.into_iter().flatten().collect())
}

impl Cursor {
    /// The rows of the entries from the current one to the end of the range.
    fn rest_of_range(&mut self, session: &Session) -> Result<BTreeSet<Vec<u8>>> {
        self.update = None;
        self.resolve(session)?;
        if self.place != Place::Row {
            return Err(no_current_record());
        }
        let Cursor { table, order, here, range, position, .. } = self;
        let range = range.as_ref().filter(|range| range.limits(Direction::Forward));
        let start = Start::At { key: &here.key, data: &here.row };
        let (mut rows, mut key) = (BTreeSet::new(), Vec::new());
        order.scan(table, session, start, Direction::Forward, position, |entry| {
            key.clear();
            entry.append_key(&mut key);
            if range.is_some_and(|range| range.excludes(&key)) {
                return ControlFlow::Break(());
            }
            rows.insert(entry.data().to_vec());
            ControlFlow::Continue(())
        })?;
        self.place = Place::After;
        Ok(rows)
    }
}
