//! What redo remembers of the sessions it replays: which transactions are open, which changes they
//! made, and the macro groups that are not complete yet.
//!
//! Bookmarks and before images come from `UndoInfo` records, or from the page. In our own logs such
//! a record stands before every versioned replace and delete (decision 0002), so they are known
//! even when the page on disk is already newer and the change itself is skipped. Other engines log
//! it only before they write the page while the transaction is open, which may be later in the log:
//! where none has come, the page that still needs the change shows what was before.

use std::collections::{BTreeMap, HashMap};

use ese_base::{DbTime, Dbid, LgPos, ObjId, Pgno, ProcId, RceId, Result, TrxId};
use ese_log::records::{NodeHead, Record, RecordFlags, UndoInfo};

use crate::{longvalue::lid_of_root, version::Addition};

/// A change that has to be taken back if its transaction does not commit.
#[derive(Debug)]
pub(super) struct ReplayedChange {
    pub(super) dbid: Dbid,
    pub(super) fdp: Pgno,
    pub(super) objid: ObjId,
    pub(super) unique: bool,
    pub(super) rceid: RceId,
    pub(super) saved: Saved,
    pub(super) kind: ReplayedKind,
    /// The record that made it.
    pub(super) at: Origin,
    /// Level it belongs to now; a nested commit lowers it. What is done in the name of the
    /// transaction may belong to an outer level than is open.
    level: u8,
}

/// A record: where it lies, and the name of its type.
pub(super) type Origin = (LgPos, &'static str);

impl ReplayedChange {
    /// Where its node is: database, tree, bookmark.
    pub(super) fn place(&self) -> (Dbid, Pgno, &[u8], &[u8]) {
        (self.dbid, self.fdp, self.saved.key(), self.saved.bm_data())
    }

    /// Does it leave something to be removed when it has committed? Of long values only that it
    /// looks as if it gave up a reference to one.
    fn is_to_remove(&self) -> bool {
        match &self.kind {
            ReplayedKind::Deleted => true,
            ReplayedKind::Added(Addition { offset: 0, wide: false, delta, .. }) => {
                *delta < 0 && lid_of_root(self.saved.key()).is_some()
            }
            _ => false,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReplayedKind {
    Inserted,
    /// [`Saved::before`] is what was replaced.
    Replaced,
    Deleted,
    Added(Addition),
}

/// What a change may be taken back by: the bookmark, and the data from before. In one piece, for
/// there is one for nearly every record.
#[derive(Debug)]
pub(super) struct Saved {
    bytes: Vec<u8>,
    /// Where the second half of the bookmark begins, and where it ends.
    bm_data: (usize, usize),
}

impl Saved {
    /// `bytes` is where they are put; what it holds is forgotten.
    fn new(mut bytes: Vec<u8>, key: [&[u8]; 2], bm_data: &[u8], before: &[u8]) -> Saved {
        let begin = key[0].len() + key[1].len();
        let end = begin + bm_data.len();
        bytes.clear();
        bytes.reserve(end + before.len());
        for part in [key[0], key[1], bm_data, before] {
            bytes.extend_from_slice(part);
        }
        Saved { bytes, bm_data: (begin, end) }
    }

    /// The key of the node.
    pub(super) fn key(&self) -> &[u8] {
        self.bytes.get(..self.bm_data.0).unwrap_or_default()
    }

    /// In trees whose keys are not unique, the data of the node; else empty.
    pub(super) fn bm_data(&self) -> &[u8] {
        self.bytes.get(self.bm_data.0..self.bm_data.1).unwrap_or_default()
    }

    /// The data from before the change.
    pub(super) fn before(&self) -> &[u8] {
        self.bytes.get(self.bm_data.1..).unwrap_or_default()
    }
}

/// An open macro group.
#[derive(Debug)]
pub(super) struct MacroGroup {
    /// Its name in the records that begin and end it.
    pub(super) dbtime: DbTime,
    /// Its records so far, as the log holds them, with where each begins and ends.
    pub(super) records: Vec<(LgPos, LgPos, Vec<u8>)>,
}

impl MacroGroup {
    /// Takes a record of the group.
    pub(super) fn push(&mut self, record: &Record<'_>, pos: LgPos, end: LgPos) -> Result<()> {
        let mut bytes = Vec::new();
        record.encode(&mut bytes)?;
        self.records.push((pos, end, bytes));
        Ok(())
    }
}

/// What was before changes that were announced and have not come. In our own logs that is the next
/// record, so the last one is looked at first.
#[derive(Debug, Default)]
struct Announced {
    last: Option<(RceId, Saved)>,
    others: HashMap<RceId, Saved>,
}

impl Announced {
    fn insert(&mut self, rceid: RceId, saved: Saved) {
        drop(self.remove(rceid));
        if let Some((before, saved)) = self.last.replace((rceid, saved)) {
            self.others.insert(before, saved);
        }
    }

    fn contains(&self, rceid: RceId) -> bool {
        let is_last = self.last.as_ref().is_some_and(|(last, _)| *last == rceid);
        is_last || self.others.contains_key(&rceid)
    }

    fn remove(&mut self, rceid: RceId) -> Option<Saved> {
        match self.last.take_if(|(last, _)| *last == rceid) {
            Some((_, saved)) => Some(saved),
            None if self.others.is_empty() => None,
            None => self.others.remove(&rceid),
        }
    }

    fn clear(&mut self) {
        self.last = None;
        self.others.clear();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unannounced {
    Replaced,
    Deleted,
}

/// One replayed session.
#[derive(Debug, Default)]
pub(super) struct ReplayedSession {
    pub(super) begin0: TrxId,
    pub(super) level: u8,
    pub(super) changes: Vec<ReplayedChange>,
    announced: Announced,
    /// The record that is being followed.
    at: Origin,
    /// Changes whose undo information has not been seen: it may follow, in logs of other engines.
    unannounced: Vec<(NodeHead, RceId, Unannounced, Origin)>,
    /// Open macro groups; a session of another engine may have several.
    pub(super) groups: Vec<MacroGroup>,
    /// Memory of changes that nobody will take back, for those to come. At most [`SPARE_MAX`].
    spare: Vec<Vec<u8>>,
}

/// Changes whose memory a session keeps when they are forgotten, and bytes of one of them.
const SPARE_MAX: usize = 1 << 10;
const SPARE_LEN_MAX: usize = 512;

/// All replayed sessions.
#[derive(Debug, Default)]
pub(super) struct ReplayedSessions {
    /// By number: they are few, and every record asks for one.
    open: BTreeMap<ProcId, ReplayedSession>,
    /// The highest transaction number seen; the next run counts on from it.
    pub(super) last_trx: TrxId,
}

impl ReplayedSessions {
    pub(super) fn session(&mut self, procid: ProcId) -> &mut ReplayedSession {
        self.open.entry(procid).or_default()
    }

    pub(super) fn saw(&mut self, trx: TrxId) {
        self.last_trx = self.last_trx.max(trx);
    }

    /// A new run began: nothing of the old one is open.
    pub(super) fn forget_all(&mut self) {
        self.open.clear();
    }

    /// Ends all groups that no record will complete: recovery stopped to read here.
    pub(super) fn take_open_groups(&mut self) -> Vec<(ProcId, DbTime)> {
        let groups = self.open.iter_mut().flat_map(|(procid, session)| {
            session.groups.drain(..).map(|group| (*procid, group.dbtime))
        });
        let mut groups: Vec<_> = groups.collect();
        groups.sort_unstable();
        groups
    }

    /// The sessions in which something is left to take back, in the order of their numbers.
    pub(super) fn take_open(&mut self) -> Vec<(ProcId, ReplayedSession)> {
        let open = std::mem::take(&mut self.open).into_iter();
        open.filter(|(_, session)| session.level > 0).collect()
    }
}

impl ReplayedSession {
    /// The outermost begin: what an earlier transaction of the session left was begun before
    /// replay did.
    pub(super) fn begin0(&mut self, number: TrxId, levels: u8) {
        self.begin0 = number;
        self.changes.clear();
        self.forget_announced();
        self.begin(levels);
    }

    /// The byte of a begin: the level before, and how many levels begin.
    pub(super) fn begin(&mut self, levels: u8) {
        self.level = (levels & 0x0f) + (levels >> 4);
    }

    /// The open group with this dbtime.
    pub(super) fn group(&mut self, dbtime: DbTime) -> Option<&mut MacroGroup> {
        self.groups.iter_mut().find(|group| group.dbtime == dbtime)
    }

    /// Ends the group with this dbtime.
    pub(super) fn take_group(&mut self, dbtime: DbTime) -> Option<MacroGroup> {
        let place = self.groups.iter().position(|group| group.dbtime == dbtime)?;
        Some(self.groups.remove(place))
    }

    fn forget_announced(&mut self) {
        self.announced.clear();
        self.unannounced.clear();
    }

    /// Commit to a level above 0.
    pub(super) fn commit_to(&mut self, level: u8) {
        self.level = level;
        for change in &mut self.changes {
            change.level = change.level.min(level);
        }
    }

    /// The outermost commit: its deletions may now be removed for good, and long values that it
    /// has let go.
    pub(super) fn commit0(&mut self) -> Vec<ReplayedChange> {
        self.level = 0;
        self.forget_announced();
        let mut to_remove = Vec::new();
        for change in self.changes.drain(..) {
            if change.is_to_remove() {
                to_remove.push(change);
            } else if self.spare.len() < SPARE_MAX && change.saved.bytes.capacity() <= SPARE_LEN_MAX
            {
                self.spare.push(change.saved.bytes);
            }
        }
        self.changes.shrink_to(SPARE_MAX);
        to_remove
    }

    /// See [`Saved::new`].
    fn save(&mut self, key: [&[u8]; 2], bm_data: &[u8], before: &[u8]) -> Saved {
        Saved::new(self.spare.pop().unwrap_or_default(), key, bm_data, before)
    }

    /// Levels that were rolled back: their compensation records took the changes out before.
    pub(super) fn rollback(&mut self, levels: u8) {
        self.level = self.level.saturating_sub(levels);
        let level = self.level;
        self.changes.retain(|change| change.level <= level);
        if level == 0 {
            self.forget_announced();
        }
    }

    /// An `UndoInfo` record: bookmark and before image of the change with its number.
    pub(super) fn announce(&mut self, info: &UndoInfo<'_>) {
        let rceid = info.node.rceid;
        let saved = self.save([info.key, &[]], info.bm_data, info.data);
        self.announced.insert(rceid, saved);
        let waiting = self.unannounced.iter().position(|(_, waiting, ..)| *waiting == rceid);
        let Some((node, rceid, what, at)) = waiting.map(|at| self.unannounced.remove(at)) else {
            return;
        };
        self.at = at;
        match what {
            Unannounced::Replaced => self.replaced(&node, rceid),
            Unannounced::Deleted => self.deleted(&node),
        }
    }

    /// The record that is followed next.
    pub(super) fn reached(&mut self, at: Origin) {
        self.at = at;
    }

    /// Does the log say already what was before the change with this number?
    pub(super) fn knows(&self, rceid: RceId) -> bool {
        self.announced.contains(rceid)
    }

    /// What the page says that was before the change with this number.
    pub(super) fn seen_before(&mut self, node: &NodeHead, rceid: RceId, key: &[u8], data: &[u8]) {
        let saved = self.save([key, &[]], second_half(node, data), data);
        self.announced.insert(rceid, saved);
    }

    /// A versioned insert, or the revival of a deleted node.
    pub(super) fn inserted(&mut self, node: &NodeHead, key: [&[u8]; 2], data: &[u8]) {
        let saved = self.save(key, second_half(node, data), &[]);
        self.push(node, node.rceid, saved, ReplayedKind::Inserted);
    }

    /// A versioned replace. A revival counts as one too, under its second number.
    pub(super) fn replaced(&mut self, node: &NodeHead, rceid: RceId) {
        if let Some(saved) = self.announced.remove(rceid) {
            self.push(node, rceid, saved, ReplayedKind::Replaced);
        } else {
            self.unannounced.push((*node, rceid, Unannounced::Replaced, self.at));
        }
    }

    /// A versioned delete.
    pub(super) fn deleted(&mut self, node: &NodeHead) {
        if let Some(saved) = self.announced.remove(node.rceid) {
            self.push(node, node.rceid, saved, ReplayedKind::Deleted);
        } else {
            self.unannounced.push((*node, node.rceid, Unannounced::Deleted, self.at));
        }
    }

    /// An addition to a number, or one that takes another back: that carries the other's number and
    /// is not versioned.
    pub(super) fn added(&mut self, node: &NodeHead, key: &[u8], added: Addition) {
        if node.page.flags.contains(RecordFlags::VERSIONED) {
            let saved = self.save([key, &[]], &[], &[]);
            self.push(node, node.rceid, saved, ReplayedKind::Added(added));
        } else {
            self.undone(node.rceid);
        }
    }

    fn push(&mut self, node: &NodeHead, rceid: RceId, saved: Saved, kind: ReplayedKind) {
        self.changes.push(ReplayedChange {
            dbid: node.page.dbid,
            fdp: node.pgno_fdp,
            objid: node.objid_fdp,
            unique: node.page.flags.contains(RecordFlags::UNIQUE),
            rceid,
            saved,
            kind,
            at: self.at,
            level: node.page.level.clamp(1, self.level.max(1)),
        });
    }

    /// Is there a change that could not be taken back, because nothing says what was before it?
    pub(super) fn cannot_undo(&self) -> Option<(&NodeHead, Origin)> {
        self.unannounced.first().map(|(node, _, _, at)| (node, *at))
    }

    /// A compensation record: the change it takes back, with the data it puts back.
    pub(super) fn undone(&mut self, rceid: RceId) -> Option<ReplayedChange> {
        self.unannounced.retain(|(_, waiting, ..)| *waiting != rceid);
        let place = self.changes.iter().rposition(|change| change.rceid == rceid)?;
        Some(self.changes.remove(place))
    }
}

/// The second half of a bookmark: the data, where keys alone do not tell nodes apart.
fn second_half<'d>(node: &NodeHead, data: &'d [u8]) -> &'d [u8] {
    if node.page.flags.contains(RecordFlags::UNIQUE) { &[] } else { data }
}
