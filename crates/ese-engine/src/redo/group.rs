//! Redo of macro groups: splits, merges, and moves of a tree's root pages.
//!
//! Some pages of the group may be newer on disk than others. Each page is judged once, before
//! anything is changed; the new page of a split can be made from the record's image when the page
//! that split is already newer.

use ese_base::{DbTime, Error, JetErr, LgPos, Pgno, Result};
use ese_log::records::{Merge, PageMove, Record, Split};
use smallvec::SmallVec;

use super::{Outcome, Place};
use crate::{
    database::Database,
    op::{
        group::{GroupPages, apply_group},
        merge::apply_merges,
        moves::apply_root_move,
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
    if let Some(moved) = root_move(db, records) {
        return moved;
    }
    for (_, _, record) in records {
        match record {
            Record::Split(split) => splits.push(*split),
            Record::Merge(merge) => merges.push(*merge),
            Record::EmptyTree(_) | Record::PageMove(_) => return Err(second_operation(record)),
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
    let mut judged = Judged::new(at, dbtime, &mut pages);
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
    let outcomes = judged.outcomes();
    match (splits.is_empty(), merges.is_empty(), oper) {
        (_, true, oper) => apply_group(&splits, oper, &mut pages, db.page_size())?,
        (true, false, None) => apply_merges(&merges, &mut pages, db.page_size())?,
        _ => return Err(mixed(dbtime)),
    }
    pages.stamp(dbtime, *pos, *end);
    Ok(outcomes)
}

/// A tree's root and the roots of its space trees get other page numbers: the group begins with a
/// record that says so.
fn root_move(
    db: &Database,
    records: &[(LgPos, LgPos, Record<'_>)],
) -> Option<Result<Vec<Outcome>>> {
    let is_root_move =
        |(_, _, record): &&(LgPos, LgPos, Record<'_>)| matches!(record, Record::RootPageMove(_));
    let (_, _, Record::RootPageMove(group)) = records.iter().find(is_root_move)? else {
        return None;
    };
    let (pos, end) = (records.first()?.0, records.last()?.1);
    Some(redo_root_move(Place { db, pos, end }, group.dbtime, records))
}

fn redo_root_move(
    at: Place<'_>,
    dbtime: DbTime,
    records: &[(LgPos, LgPos, Record<'_>)],
) -> Result<Vec<Outcome>> {
    at.db.advance_dbtime(dbtime);
    let mut pages = GroupPages::new();
    let mut judged = Judged::new(at, dbtime, &mut pages);
    let records: Vec<&Record<'_>> = records.iter().map(|(_, _, record)| record).collect();
    for record in &records {
        match record {
            Record::PageMove(r) => judged.moved(r)?,
            Record::SetExternalHeader(_) | Record::Replace(_) => {
                if let Some(head) = record.page_head() {
                    judged.existing(head.pgno, head.dbtime_before)?;
                }
            }
            Record::RootPageMove(_) | Record::UndoInfo(_) => {}
            other if other.page_head().is_none() => {}
            other => return Err(second_operation(other)),
        }
    }
    let outcomes = judged.outcomes();
    apply_root_move(&records, &mut pages, at.db.page_size())?;
    pages.stamp(dbtime, at.pos, at.end);
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
        format!("a {} record in a macro group that has no place for it", record.name()),
    )
}

/// The pages of a group, each latched once, if it needs the group.
pub(super) struct Judged<'a, 'p> {
    at: Place<'a>,
    dbtime: DbTime,
    pages: &'p mut GroupPages<'a>,
    /// Each page once; does it need the group?
    seen: SmallVec<[(Pgno, bool); 8]>,
}

impl<'a, 'p> Judged<'a, 'p> {
    pub(super) fn new(
        at: Place<'a>,
        dbtime: DbTime,
        pages: &'p mut GroupPages<'a>,
    ) -> Judged<'a, 'p> {
        Judged { at, dbtime, pages, seen: SmallVec::new() }
    }

    /// One for each page.
    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        self.seen.iter().map(|&(_, needed)| Outcome::of(needed)).collect()
    }

    /// The pages of one move. The parent is null where roots move.
    pub(super) fn moved(&mut self, r: &PageMove<'_>) -> Result<()> {
        self.existing(r.page.pgno, r.page.dbtime_before)?;
        self.existing(r.pgno_left, r.dbtime_left_before)?;
        self.existing(r.pgno_right, r.dbtime_right_before)?;
        self.existing(r.pgno_parent, r.dbtime_parent_before)?;
        self.created(r.pgno_dest)
    }

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
