//! Redo of macro groups: splits and merges.
//!
//! Some pages of the group may be newer on disk than others. Each page is judged once, before
//! anything is changed; the new page of a split can be made from the record's image when the page
//! that split is already newer.

use ese_base::{DbTime, Error, JetErr, LgPos, Pgno, Result};
use ese_log::records::{Merge, Record, Split};
use smallvec::SmallVec;

use super::{Outcome, Place, unsupported};
use crate::{
    database::Database,
    op::{
        group::{GroupPages, apply_group},
        merge::apply_merges,
    },
};

/// Redoes a group whose MacroCommit was found: its records with where each starts and ends, framing
/// records left out. Gives one outcome per page.
///
/// # Errors
/// As [`super::redo_page_record`].
pub fn redo_macro(db: &Database, records: &[(LgPos, LgPos, Record<'_>)]) -> Result<Vec<Outcome>> {
    let mut splits: SmallVec<[Split<'_>; 5]> = SmallVec::new();
    let mut merges: SmallVec<[Merge<'_>; 5]> = SmallVec::new();
    let mut oper: Option<&Record<'_>> = None;
    for (_, _, record) in records {
        match record {
            Record::Split(split) => splits.push(*split),
            Record::Merge(merge) => merges.push(*merge),
            Record::EmptyTree(_) | Record::PageMove(_) => return Err(unsupported(record)),
            // Undo information changes no page.
            Record::UndoInfo(_) => {}
            other if other.node_head().is_none() => {}
            other if oper.is_none() => oper = Some(other),
            other => return Err(second_operation(other)),
        }
    }
    let (Some((pos, ..)), Some((_, end, _))) = (records.first(), records.last()) else {
        return Ok(Vec::new());
    };
    let heads = splits.iter().map(|r| &r.page).chain(merges.iter().map(|r| &r.page));
    let Some(dbtime) = heads.map(|page| page.dbtime).next() else { return Ok(Vec::new()) };
    db.advance_dbtime(dbtime);
    let at = Place { db, pos: *pos, end: *end };
    let mut pages = GroupPages::new();
    let mut judged = Judged { at, dbtime, pages: &mut pages, seen: SmallVec::new() };
    for split in &splits {
        judged.existing(split.page.pgno, split.page.dbtime_before)?;
        judged.existing(split.pgno_right, split.dbtime_right_before)?;
        judged.existing(split.pgno_parent, split.dbtime_parent_before)?;
        judged.created(split.pgno_new)?;
    }
    for merge in &merges {
        judged.existing(merge.page.pgno, merge.page.dbtime_before)?;
        judged.existing(merge.pgno_left, merge.dbtime_left_before)?;
        judged.existing(merge.pgno_right, merge.dbtime_right_before)?;
        judged.existing(merge.pgno_parent, merge.dbtime_parent_before)?;
    }
    let outcomes = judged.seen.iter().map(|&(_, needed)| Outcome::of(needed)).collect();
    match (splits.is_empty(), merges.is_empty(), oper) {
        (_, true, oper) => apply_group(&splits, oper, &mut pages, db.page_size())?,
        (true, false, None) => apply_merges(&merges, &mut pages, db.page_size())?,
        _ => return Err(mixed(dbtime)),
    }
    pages.stamp(dbtime, *pos, *end);
    Ok(outcomes)
}

#[cold]
fn mixed(dbtime: DbTime) -> Error {
    let what = format!("the macro group of dbtime {dbtime} merges and does something else as well");
    Error::new(JetErr::InvalidLoggedOperation, what)
}

#[cold]
fn second_operation(record: &Record<'_>) -> Error {
    Error::new(
        JetErr::InvalidLoggedOperation,
        format!("a second node operation ({}) in one macro group", record.name()),
    )
}

struct Judged<'a, 'p> {
    at: Place<'a>,
    dbtime: DbTime,
    pages: &'p mut GroupPages<'a>,
    /// Each page once; does it need the group?
    seen: SmallVec<[(Pgno, bool); 8]>,
}

impl Judged<'_, '_> {
    fn is_new(&mut self, pgno: Pgno) -> bool {
        !pgno.is_null() && self.seen.iter().all(|&(seen, _)| seen != pgno)
    }

    fn existing(&mut self, pgno: Pgno, before: DbTime) -> Result<()> {
        if self.is_new(pgno) {
            let guard = self.at.existing(pgno, self.dbtime, before)?;
            self.seen.push((pgno, guard.is_some()));
            if let Some(guard) = guard {
                self.pages.push(guard, true);
            }
        }
        Ok(())
    }

    fn created(&mut self, pgno: Pgno) -> Result<()> {
        if self.is_new(pgno) {
            let guard = self.at.created(pgno, self.dbtime)?;
            self.seen.push((pgno, guard.is_some()));
            if let Some(guard) = guard {
                self.pages.push(guard, true);
            }
        }
        Ok(())
    }
}
