//! The records of a split group, and carrying it out.

use ese_base::{DbTime, Iline, LgPos, Pgno, RceId, Result};
use ese_log::records::{
    Insert, MacroAbort, MacroBegin, MacroCommit, PageImage, Record, Split, SplitOper, SplitType,
};
use ese_pages::{PageFlags, PageMut, PageRef, cache::WriteGuard};
use smallvec::SmallVec;

use super::{
    Need, Outcome,
    chain::{Chain, Level, Path},
};
use crate::{
    op::group::{GroupPages, apply_group},
    tree::{Position, change::Op, plan::SplitPlan},
};

/// The node operation of the group, ready to be logged.
struct Oper<'a> {
    record: Record<'a>,
    iline: usize,
}

fn insert_record<'a>(
    op: &Op<'_>,
    key: &'a [u8],
    data: &'a [u8],
    leaf: Pgno,
    iline: usize,
    dbtime: DbTime,
    rceid: RceId,
) -> Oper<'a> {
    // Named is the page that splits and the line as if it did not; the key is whole.
    let versioned = op.gate.versioned();
    let page = op.page_head(leaf, iline, dbtime, DbTime::NOT_CHECKED, versioned);
    let node = op.node_head(page, rceid);
    Oper { record: Record::Insert(Insert { node, suffix: key, prefix: &[], data }), iline }
}

pub(super) fn carry_out(
    op: &Op<'_>,
    need: &Need<'_>,
    path: &Path,
    chain: &Chain,
    new: &[Pgno],
    right_pgno: Pgno,
    pages: &mut GroupPages<'_>,
) -> Result<Outcome> {
    let leaf_level = chain.levels.last().filter(|level| level.with_oper);
    let mut rceid = RceId::default();
    if let (Need::Line { key, data, .. }, Some(_)) = (need, leaf_level) {
        rceid = op.gate.insert(op.tree, key, data, None)?.rceid;
    }
    let dbtime = op.db.next_dbtime();
    let key = match need {
        Need::Line { key, .. } => key,
        Need::Growth { .. } | Need::Split { .. } => &[][..],
    };
    let group = Group { path, chain, new, right_pgno, key };
    let levels = describe_levels(&group, pages, dbtime);
    let mut splits: SmallVec<[Split<'_>; 5]> = SmallVec::new();
    let parent = path.get(chain.first - 1).copied().unwrap_or_default();
    splits.push(path_record(op, parent, pages, dbtime));
    let mut above = parent.0;
    for described in &levels {
        splits.push(split_record(op, described, above, pages, dbtime));
        above = described.pgno;
    }
    let oper = match (need, leaf_level, levels.last()) {
        (Need::Line { key, data, .. }, Some(level), Some(leaf)) => {
            Some(insert_record(op, key, data, leaf.pgno, level.iline, dbtime, rceid))
        }
        _ => None,
    };
    log_and_apply(op, &splits, oper.as_ref().map(|oper| &oper.record), pages, dbtime)?;
    Ok(match (oper, levels.last()) {
        (Some(oper), Some(leaf)) => {
            let at = leaf.plan.at;
            let (page, iline) = match oper.iline.checked_sub(at) {
                Some(iline) => (leaf.new, iline),
                None => (leaf.pgno, oper.iline),
            };
            Outcome::Inserted(Position { leaf: page, dbtime, iline })
        }
        _ => Outcome::Again,
    })
}

/// A level with everything its record borrows.
struct Described<'a> {
    plan: &'a SplitPlan,
    with_oper: bool,
    iline: usize,
    pgno: Pgno,
    new: Pgno,
    right: Pgno,
    prefix_old: Vec<u8>,
    prefix_new: Vec<u8>,
    image: Vec<u8>,
}

/// What a group of splits is made of, besides its pages.
struct Group<'a> {
    path: &'a Path,
    chain: &'a Chain,
    /// One page per level.
    new: &'a [Pgno],
    /// Right sibling of the leaf.
    right_pgno: Pgno,
    /// Key of the new entry.
    key: &'a [u8],
}

fn describe_levels<'a>(
    group: &Group<'a>,
    pages: &GroupPages<'_>,
    dbtime: DbTime,
) -> Vec<Described<'a>> {
    let chain = group.chain;
    let last = chain.levels.len() - 1;
    let level = |(index, level): (usize, &'a Level)| {
        let (pgno, _) = group.path.get(chain.first + index).copied().unwrap_or_default();
        // The key of the line that this level inserts.
        let key = chain.levels.get(index + 1).map_or(group.key, |below| &below.plan.separator);
        let page = pages.page(pgno);
        let prefix_old = page.map_or(Vec::new(), |page| page.prefix().to_vec());
        let prefix_new = match (page, level.plan.prefix_split) {
            (Some(page), Some(line)) => prefix_of(page, level, key, line),
            _ => Vec::new(),
        };
        Described {
            plan: &level.plan,
            with_oper: level.with_oper,
            iline: level.iline,
            pgno,
            new: group.new.get(index).copied().unwrap_or_default(),
            right: if index == last { group.right_pgno } else { Pgno::NULL },
            prefix_old,
            prefix_new,
            image: page.map_or(Vec::new(), |page| image_of(page, level, dbtime)),
        }
    };
    chain.levels.iter().enumerate().map(level).collect()
}

/// The key of line `line`, counted with the line that is inserted with `key`.
fn prefix_of(page: PageRef<'_>, level: &Level, key: &[u8], line: usize) -> Vec<u8> {
    if !level.with_oper || line < level.iline {
        page.node(line).key_to_vec()
    } else if line == level.iline {
        key.to_vec()
    } else {
        page.node(line - 1).key_to_vec()
    }
}

/// The image from which redo can rebuild the new page; empty if no line moves.
fn image_of(page: PageRef<'_>, level: &Level, dbtime: DbTime) -> Vec<u8> {
    // The last line of the new page may be an old one although only one line goes there: when the
    // inserted one stays left of the split.
    let SplitPlan { at, lines, .. } = level.plan;
    let only_the_new_line = level.with_oper && level.iline == at && at + 1 == lines;
    if only_the_new_line {
        return Vec::new();
    }
    let mut image = page.bytes().to_vec();
    // As genuine engines have it: old content under the new dbtime.
    PageMut::new(&mut image, page.size()).set_dbtime(dbtime);
    image
}

/// The record of the page that takes the pointer and does not split.
fn path_record(
    op: &Op<'_>,
    (pgno, iline): (Pgno, usize),
    pages: &GroupPages<'_>,
    dbtime: DbTime,
) -> Split<'static> {
    let before = pages.page(pgno).map_or(DbTime::NOT_CHECKED, |page| page.dbtime());
    Split {
        page: op.page_head(pgno, 0, dbtime, before, false),
        pgno_new: Pgno::NULL,
        pgno_right: Pgno::NULL,
        dbtime_right_before: DbTime(0),
        pgno_parent: Pgno::NULL,
        dbtime_parent_before: DbTime(0),
        pgno_fdp: op.view.fdp,
        objid_fdp: op.view.objid,
        split_type: SplitType::Vertical,
        split_oper: SplitOper::None,
        iline_oper: line(iline),
        iline_split: Iline(0),
        lines: 0,
        new_page_flags: 0,
        split_page_flags: 0,
        uncommitted_free_src: 0,
        uncommitted_free_dest: 0,
        iline_prefix_split: 0,
        iline_prefix_new: 0,
        parent_key: &[],
        prefix_old: &[],
        prefix_new: &[],
        image: Some(PageImage { flags: 0, bytes: &[] }),
    }
}

/// A line number; a page has fewer than 4096.
fn line(iline: usize) -> Iline {
    Iline(u16::try_from(iline).unwrap_or(u16::MAX))
}

/// A line that supplies a prefix, or -1.
fn prefix_line(iline: Option<usize>) -> i32 {
    iline.and_then(|iline| i32::try_from(iline).ok()).unwrap_or(-1)
}

fn split_record<'d>(
    op: &Op<'_>,
    level: &'d Described<'_>,
    parent: Pgno,
    pages: &GroupPages<'_>,
    dbtime: DbTime,
) -> Split<'d> {
    let before = |pgno: Pgno| pages.page(pgno).map_or(DbTime(0), |page| page.dbtime());
    let flags = pages.page(level.pgno).map_or(PageFlags::empty(), |page| page.flags());
    let flags = flags - PageFlags::FLUSH_TYPE;
    let (split_flags, new_flags) = match level.plan.split_type {
        SplitType::Vertical => {
            let parent_of_leaf = if flags.contains(PageFlags::LEAF) {
                PageFlags::PARENT_OF_LEAF
            } else {
                PageFlags::empty()
            };
            (
                (flags - PageFlags::LEAF - PageFlags::PARENT_OF_LEAF) | parent_of_leaf,
                flags - PageFlags::ROOT,
            )
        }
        SplitType::Right | SplitType::Append => (flags, flags),
    };
    Split {
        page: op.page_head(level.pgno, 0, dbtime, before(level.pgno), false),
        pgno_new: level.new,
        pgno_right: level.right,
        dbtime_right_before: before(level.right),
        pgno_parent: parent,
        dbtime_parent_before: before(parent),
        pgno_fdp: op.view.fdp,
        objid_fdp: op.view.objid,
        split_type: level.plan.split_type,
        split_oper: if level.with_oper { SplitOper::Insert } else { SplitOper::None },
        iline_oper: if level.with_oper { line(level.iline) } else { Iline(0) },
        iline_split: line(level.plan.at),
        lines: line(level.plan.lines).0,
        new_page_flags: new_flags.bits(),
        split_page_flags: split_flags.bits(),
        uncommitted_free_src: 0,
        uncommitted_free_dest: 0,
        iline_prefix_split: prefix_line(level.plan.prefix_split),
        iline_prefix_new: prefix_line(level.plan.prefix_new),
        parent_key: &level.plan.separator,
        prefix_old: &level.prefix_old,
        prefix_new: &level.prefix_new,
        image: Some(PageImage { flags: 0, bytes: &level.image }),
    }
}

/// The group of a vertical split: one record, perhaps with the insertion.
pub(super) fn carry_out_vertical<'c>(
    op: &Op<'_>,
    level: &Level,
    oper: Option<(usize, &[u8], &[u8])>,
    root: WriteGuard<'c>,
    new: WriteGuard<'c>,
) -> Result<Outcome> {
    let new_pgno = new.pgno();
    let mut rceid = RceId::default();
    if let Some((_, key, data)) = oper {
        rceid = op.gate.insert(op.tree, key, data, None)?.rceid;
    }
    let dbtime = op.db.next_dbtime();
    let image = image_of(root.page(), level, dbtime);
    let mut pages = GroupPages::new();
    pages.push(root, true);
    pages.push(new, true);
    let described = Described {
        plan: &level.plan,
        with_oper: level.with_oper,
        iline: level.iline,
        pgno: op.view.root,
        new: new_pgno,
        right: Pgno::NULL,
        prefix_old: Vec::new(),
        prefix_new: Vec::new(),
        image,
    };
    let splits = [split_record(op, &described, Pgno::NULL, &pages, dbtime)];
    let oper = oper
        .map(|(iline, key, data)| insert_record(op, key, data, op.view.root, iline, dbtime, rceid));
    log_and_apply(op, &splits, oper.as_ref().map(|oper| &oper.record), &mut pages, dbtime)?;
    Ok(match oper {
        Some(oper) => Outcome::Inserted(Position { leaf: new_pgno, dbtime, iline: oper.iline }),
        None => Outcome::Again,
    })
}

/// Appends the records of a group; gives where the first starts and the last ends.
fn append_group(
    op: &Op<'_>,
    splits: &[Split<'_>],
    oper: Option<&Record<'_>>,
    dbtime: DbTime,
) -> Result<(LgPos, LgPos)> {
    let procid = op.writer.procid;
    let (start, _) = op.db.append(&Record::MacroBegin(MacroBegin { procid, dbtime }))?;
    for split in splits {
        op.db.append(&Record::Split(*split))?;
    }
    if let Some(oper) = oper {
        op.db.append(oper)?;
    }
    let (_, end) = op.db.append(&Record::MacroCommit(MacroCommit { procid, dbtime }))?;
    Ok((start, end))
}

/// Appends the whole group, then changes the pages: a group of which only a part is in the log is
/// dropped by redo, so nothing may be applied before the last record is in.
fn log_and_apply(
    op: &Op<'_>,
    splits: &[Split<'_>],
    oper: Option<&Record<'_>>,
    pages: &mut GroupPages<'_>,
    dbtime: DbTime,
) -> Result<()> {
    let (start, end) = append_group(op, splits, oper, dbtime).inspect_err(|_| {
        // Should the log live on, the session's next records must not fall into this group.
        let procid = op.writer.procid;
        drop(op.db.append(&Record::MacroAbort(MacroAbort { procid, dbtime })));
    })?;
    if let Err(error) = apply_group(splits, oper, pages, op.db.page_size()) {
        return Err(op.db.broken(error));
    }
    pages.stamp(dbtime, start, end);
    Ok(())
}

#[cfg(test)]
mod tests {
    use ese_base::{ObjId, PageSize, Pgno};

    use super::*;

    #[test]
    fn a_single_old_line_that_moves_needs_the_image_too() {
        let mut bytes = vec![0; 4096];
        let mut page = PageMut::new(&mut bytes, PageSize::K4);
        page.init(Pgno(7), ObjId(8), PageFlags::LEAF, DbTime(1));
        let image = |iline| {
            let plan = SplitPlan {
                split_type: SplitType::Right,
                lines: 10,
                at: 9,
                prefix_split: None,
                prefix_new: None,
                separator: SmallVec::new(),
            };
            let level = Level { plan, with_oper: true, iline };
            image_of(PageRef::new(&bytes, PageSize::K4), &level, DbTime(2))
        };
        assert!(!image(3).is_empty(), "the inserted line stays left, an old one moves");
        assert!(image(9).is_empty(), "only the inserted line is on the new page");
    }
}
