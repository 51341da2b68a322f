//! The version store: what rows were before transactions that not everybody can see yet.
//!
//! A node whose `VERSIONED` flag is set may have a chain of versions here, found by tree and
//! bookmark. The page always holds the newest state; a version says what the node was *before* one
//! change. A reader starts with the page and walks the chain from the newest change back, undoing
//! in its mind every change that its snapshot does not contain.
//!
//! Order of locks: a shard is locked under a page latch, never the other way round. A change
//! pushes its version under the write latch of the leaf, before anything is logged; rollback puts
//! the page back first and drops the version afterwards, so a reader sees the same row throughout.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::HashMap,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use ese_base::{Dbid, Error, JetErr, ObjId, Pgno, ProcId, RceId, Result, TrxId};
use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use crate::{session::Proxied, tree::TreeHandle};

const SHARDS: usize = 64;
/// Numbers of changes that a transaction takes at a time, when it needs more than one.
const RCEID_BLOCK: u32 = 64;

/// Bytes of a key or bookmark; short ones need no allocation.
pub type KeyBytes = SmallVec<[u8; 40]>;

/// An outermost transaction, as its versions refer to it.
#[derive(Debug)]
pub struct Trx {
    /// Its session in log records.
    pub procid: ProcId,
    /// Number taken at begin.
    pub begin0: TrxId,
    /// Commits up to and including this one are part of its snapshot.
    pub snapshot: TrxId,
    /// Number taken at commit; 0 while the transaction is open or was rolled back.
    commit0: AtomicU32,
    /// The numbers for its changes that are left, first and end. Only its session, which is used
    /// by one thread at a time, looks at them.
    rceids: (AtomicU32, AtomicU32),
    /// What others have done in its name.
    proxied: Mutex<Proxied>,
}

impl Trx {
    /// An open transaction.
    #[must_use]
    pub fn new(procid: ProcId, begin0: TrxId, snapshot: TrxId) -> Trx {
        let (commit0, rceids) = (AtomicU32::new(0), Default::default());
        Trx { procid, begin0, snapshot, commit0, rceids, proxied: Mutex::default() }
    }

    /// What others have done in its name. Held while one of its changes is taken back, while a
    /// level of it commits, and while it commits: who does something in its name holds it too, and
    /// finds the transaction as it stays meanwhile.
    pub(crate) fn proxied(&self) -> MutexGuard<'_, Proxied> {
        self.proxied.lock()
    }

    /// The number of its last change, if it has made any; for its own session.
    pub(crate) fn last_rceid(&self) -> Option<RceId> {
        let (first, end) = &self.rceids;
        let any = end.load(Ordering::Relaxed) > 0;
        any.then(|| RceId(first.load(Ordering::Relaxed).wrapping_sub(1)))
    }

    /// A number for a change of this transaction. Numbers are taken in blocks, because all that
    /// change something take them from the same place.
    fn rceid(&self, next: &AtomicU32) -> RceId {
        let (first, end) = &self.rceids;
        let (mut number, mut until) = (first.load(Ordering::Relaxed), end.load(Ordering::Relaxed));
        while number >= until {
            let block = if until == 0 { 1 } else { RCEID_BLOCK };
            number = next.fetch_add(block, Ordering::Relaxed);
            // At the end of all numbers, which begin again then, a block is shorter.
            until = number.saturating_add(block);
            end.store(until, Ordering::Relaxed);
        }
        first.store(number + 1, Ordering::Relaxed);
        RceId(number)
    }

    /// The commit number, once there is one.
    #[must_use]
    pub fn committed(&self) -> Option<TrxId> {
        match self.commit0.load(Ordering::Acquire) {
            0 => None,
            number => Some(TrxId(number)),
        }
    }

    /// Makes all its changes visible to later snapshots at once.
    pub(crate) fn publish(&self, commit0: TrxId) {
        self.commit0.store(commit0.0, Ordering::Release);
    }
}

/// Whose eyes a read is made with.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// Commits up to this number are seen.
    pub upto: TrxId,
    /// The reader's own open transaction; its changes are seen too.
    pub own: Option<&'a Arc<Trx>>,
}

impl Snapshot<'_> {
    pub(crate) fn sees(&self, trx: &Arc<Trx>) -> bool {
        self.own.is_some_and(|own| Arc::ptr_eq(own, trx))
            || trx.committed().is_some_and(|commit0| commit0 <= self.upto)
    }
}

/// Whose change it is, and who makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Author<'a> {
    /// The session of the transaction.
    Own(&'a Arc<Trx>),
    /// Another session, in the name of the transaction, open or not.
    Proxy(&'a Arc<Trx>),
}

impl<'a> Author<'a> {
    fn trx(self) -> &'a Arc<Trx> {
        let (Author::Own(trx) | Author::Proxy(trx)) = self;
        trx
    }
}

/// A change of a node that somebody does not see.
#[derive(Clone, Debug)]
pub(crate) struct UnseenChange {
    /// Who made it.
    pub(crate) trx: Arc<Trx>,
    /// Its number.
    pub(crate) rceid: RceId,
    /// Key of the node.
    pub(crate) key: KeyBytes,
}

/// What the node was before a change.
#[derive(Debug)]
pub(crate) enum Was {
    /// Not there: the change inserted it.
    Absent,
    /// There, with this data: the change replaced it.
    Data(Box<[u8]>),
    /// There, with the data the page still holds: the change flagged it deleted.
    Present,
    /// As it is: nothing was changed, only locked.
    Locked(Lock),
    /// Less by what was added to a number in it (escrow): such changes commute.
    Less(Addition),
}

impl Was {
    /// Is the node another one than it was, but for sums?
    fn is_change(&self) -> bool {
        match self {
            Was::Absent | Was::Data(_) | Was::Present => true,
            Was::Locked(_) | Was::Less(_) => false,
        }
    }
}

/// Something to be added to a number inside a node's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// Where the number stands.
    pub offset: u16,
    /// What is added; sums wrap.
    pub delta: i64,
    /// Has the number 8 bytes instead of 4?
    pub wide: bool,
    /// Does the row end when the number is zero?
    pub ends_row: bool,
}

impl Addition {
    /// What takes it back.
    #[must_use]
    pub fn inverse(self) -> Addition {
        Addition { delta: self.delta.wrapping_neg(), ..self }
    }

    /// The number as it is.
    #[must_use]
    pub fn number_in(self, data: &[u8]) -> Option<i64> {
        let rest = data.get(usize::from(self.offset)..)?;
        if self.wide {
            return rest.first_chunk().copied().map(i64::from_le_bytes);
        }
        rest.first_chunk().copied().map(i32::from_le_bytes).map(i64::from)
    }

    /// Adds in place. `false`: there is no such number.
    #[must_use]
    pub fn add_to(self, data: &mut [u8]) -> bool {
        let Some(rest) = data.get_mut(usize::from(self.offset)..) else { return false };
        if self.wide {
            let Some(number) = rest.first_chunk_mut::<8>() else { return false };
            *number = i64::from_le_bytes(*number).wrapping_add(self.delta).to_le_bytes();
        } else {
            let Some(number) = rest.first_chunk_mut::<4>() else { return false };
            *number = i32::from_le_bytes(*number).wrapping_add(self.narrow()).to_le_bytes();
        }
        true
    }

    /// The low half, which is all that a number of 4 bytes takes.
    pub(crate) fn narrow(self) -> i32 {
        let [a, b, c, d, ..] = self.delta.to_le_bytes();
        i32::from_le_bytes([a, b, c, d])
    }
}

/// What somebody wants to do with a node, as far as others may stand in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// Anything else.
    Change,
    /// Lock it for reading.
    ReadLock,
    /// Add to a number in it.
    Add,
}

/// A lock on a node that a transaction holds until it ends. Nobody waits for one: what it forbids
/// fails at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Others can lock it for reading too, but not change it.
    Read,
    /// Others can neither lock nor change it.
    Write,
}

#[derive(Debug)]
struct Version {
    rceid: RceId,
    trx: Arc<Trx>,
    was: Was,
}

#[derive(Debug)]
struct Chain {
    dbid: Dbid,
    /// Of the tree. Its root may be another tree's while somebody still needs versions of this one.
    objid: ObjId,
    fdp: Pgno,
    /// Key and, in trees whose keys are not unique, data.
    bookmark: KeyBytes,
    key_len: usize,
    /// Oldest change first.
    versions: SmallVec<[Version; 1]>,
}

impl Chain {
    fn is_of(&self, tree: &TreeHandle, key: &[u8], data: &[u8]) -> bool {
        if !self.is_in(tree) || self.key_len != key.len() {
            return false;
        }
        match self.bookmark.split_at_checked(key.len()) {
            // Trees with unique keys have no data here: one comparison is enough.
            Some((own_key, own_data)) if own_data.len() == data.len() => {
                own_key == key && (data.is_empty() || own_data == data)
            }
            _ => false,
        }
    }

    /// Does the node belong to this tree?
    fn is_in(&self, tree: &TreeHandle) -> bool {
        (self.fdp, self.objid, self.dbid) == (tree.fdp, tree.objid, tree.dbid)
    }

    /// Has somebody else changed or locked the node, so that the owner of the snapshot cannot do
    /// what it wants?
    ///
    /// Whoever pushed a change saw all changes before it, and no other read lock was held then:
    /// the newest change tells everything, with the read locks and additions behind it. Additions
    /// are pushed over others that are not seen.
    fn is_in_the_way(&self, snapshot: Snapshot<'_>, aim: Aim) -> bool {
        for version in self.versions.iter().rev() {
            let seen = snapshot.sees(&version.trx);
            match version.was {
                Was::Less(_) if seen || aim == Aim::Add => {}
                Was::Less(_) => return true,
                Was::Locked(Lock::Read)
                    if seen || aim == Aim::ReadLock || version.trx.committed().is_some() => {}
                Was::Locked(Lock::Read) => return true,
                _ => return !seen,
            }
        }
        false
    }
}

/// What a reader sees of a node.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing.
    Absent,
    /// The data that the page holds.
    AsOnPage,
    /// Data from before changes that the reader does not see.
    Before(Vec<u8>),
}

/// The chains whose bookmarks have certain hashes. What a change has to count is counted here as
/// far as possible: under the lock it costs nothing, while a counter that all share makes a
/// processor wait for everything that it has written before.
#[derive(Debug, Default)]
struct Shard {
    chains: HashTable<Chain>,
    versions: u64,
}

/// All versions of an instance.
#[derive(Debug)]
pub struct VersionStore {
    shards: Vec<Mutex<Shard>>,
    hasher: DefaultHashBuilder,
    next_rceid: AtomicU32,
    bytes: AtomicU64,
    bytes_max: u64,
}

impl VersionStore {
    /// An empty store that refuses to grow beyond `bytes_max`.
    #[must_use]
    pub fn new(bytes_max: u64) -> VersionStore {
        VersionStore {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: DefaultHashBuilder::default(),
            next_rceid: AtomicU32::new(1),
            bytes: AtomicU64::new(0),
            bytes_max,
        }
    }

    /// Live versions.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.shards.iter().map(|shard| shard.lock().versions).sum()
    }

    /// Approximate memory of all versions.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Would so many bytes more leave others half of the store?
    pub(crate) fn has_room_for(&self, bytes: u64) -> bool {
        self.bytes().saturating_add(bytes) <= self.bytes_max / 2
    }

    fn hash(&self, tree: &TreeHandle, key: &[u8], data: &[u8]) -> u64 {
        // Key and data are hashed as one string; a chain knows where it divides.
        let seed = u64::from(tree.fdp.0) << 8 | u64::from(tree.dbid.0);
        if data.is_empty() {
            self.hasher.hash_one((seed, key))
        } else {
            let mut joined = KeyBytes::from_slice(key);
            joined.extend_from_slice(data);
            self.hasher.hash_one((seed, joined.as_slice()))
        }
    }

    fn shard(&self, hash: u64) -> &Mutex<Shard> {
        let index = usize::try_from(hash >> 32).unwrap_or(0) % SHARDS;
        &self.shards[index]
    }

    /// Did this open transaction insert the node, which nobody has seen before?
    pub(crate) fn is_new(&self, tree: &TreeHandle, key: &[u8], trx: &Arc<Trx>) -> bool {
        self.with_chain(tree, key, |chain| {
            let first = chain.versions.first();
            first.is_some_and(|v| matches!(v.was, Was::Absent) && Arc::ptr_eq(&v.trx, trx))
        })
        .unwrap_or(false)
    }

    /// A number for a change.
    pub(crate) fn rceid(&self) -> RceId {
        RceId(self.next_rceid.fetch_add(1, Ordering::Relaxed))
    }

    /// Records one change of a node, after the check that no change stands in the way that the
    /// author's transaction does not see. `changes` lists what the node was before each step,
    /// oldest first.
    ///
    /// Returns the number of each step.
    ///
    /// # Errors
    /// `conflict` when another transaction changed the node and this one cannot see it;
    /// `JET_errVersionStoreOutOfMemory` (-1069) when the store is full.
    pub(crate) fn record<const N: usize>(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        data: &[u8],
        author: Author<'_>,
        conflict: JetErr,
        changes: [Was; N],
    ) -> Result<[RceId; N]> {
        let trx = author.trx();
        let size = entry_size(key, data, &changes);
        let bytes = self.bytes.load(Ordering::Relaxed);
        if bytes + size > self.bytes_max {
            return Err(Error::new(
                JetErr::VersionStoreOutOfMemory,
                format!("the version store holds {bytes} of {} bytes", self.bytes_max),
            )
            .advise("end the oldest transaction, or commit in smaller steps"));
        }
        let hash = self.hash(tree, key, data);
        let mut shard = self.shard(hash).lock();
        let shard = &mut *shard;
        let chain = shard
            .chains
            .entry(hash, |chain| chain.is_of(tree, key, data), |chain| self.hash_of(chain))
            .or_insert_with(|| {
                let mut bookmark = KeyBytes::from_slice(key);
                bookmark.extend_from_slice(data);
                let &TreeHandle { dbid, objid, fdp, .. } = tree;
                let (key_len, versions) = (key.len(), SmallVec::new());
                Chain { dbid, objid, fdp, bookmark, key_len, versions }
            })
            .into_mut();
        let aim = match changes.as_slice() {
            [Was::Locked(Lock::Read)] => Aim::ReadLock,
            [Was::Less(_)] => Aim::Add,
            _ => Aim::Change,
        };
        if chain.is_in_the_way(Snapshot { upto: trx.snapshot, own: Some(trx) }, aim) {
            return Err(Error::code_only(conflict));
        }
        let rceids = changes.map(|was| {
            let rceid = match author {
                Author::Own(trx) => trx.rceid(&self.next_rceid),
                Author::Proxy(_) => self.rceid(),
            };
            chain.versions.push(Version { rceid, trx: Arc::clone(trx), was });
            rceid
        });
        shard.versions += N as u64;
        self.bytes.fetch_add(size, Ordering::Relaxed);
        tree.versions.fetch_add(N as u64, Ordering::AcqRel);
        Ok(rceids)
    }

    /// Locks a node for a transaction. `None`: it has changed or locked the node that way before.
    ///
    /// # Errors
    /// As [`VersionStore::record`], with `JET_errWriteConflict`.
    pub(crate) fn lock(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        trx: &Arc<Trx>,
        lock: Lock,
    ) -> Result<Option<RceId>> {
        let held = self.with_chain(tree, key, |chain| {
            chain.versions.iter().rev().take_while(|version| Arc::ptr_eq(&version.trx, trx)).any(
                |version| match version.was {
                    // Others can add, too.
                    Was::Less(_) => false,
                    Was::Locked(Lock::Read) => lock == Lock::Read,
                    _ => true,
                },
            )
        });
        if held == Some(true) {
            return Ok(None);
        }
        let conflict = JetErr::WriteConflict;
        let was = [Was::Locked(lock)];
        let [rceid] = self.record(tree, key, &[], Author::Own(trx), conflict, was)?;
        Ok(Some(rceid))
    }

    /// Could the owner of this snapshot change the node?
    pub(crate) fn could_change(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        snapshot: Snapshot<'_>,
    ) -> bool {
        self.with_chain(tree, key, |chain| !chain.is_in_the_way(snapshot, Aim::Change))
            .unwrap_or(true)
    }

    /// Could a transaction with this snapshot add to a number of the node?
    pub(crate) fn could_add(&self, tree: &TreeHandle, key: &[u8], snapshot: Snapshot<'_>) -> bool {
        self.with_chain(tree, key, |chain| !chain.is_in_the_way(snapshot, Aim::Add)).unwrap_or(true)
    }

    fn with_chain<T>(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        look: impl FnOnce(&Chain) -> T,
    ) -> Option<T> {
        let hash = self.hash(tree, key, &[]);
        let shard = self.shard(hash).lock();
        shard.chains.find(hash, |chain| chain.is_of(tree, key, &[])).map(look)
    }

    fn hash_of(&self, chain: &Chain) -> u64 {
        let seed = u64::from(chain.fdp.0) << 8 | u64::from(chain.dbid.0);
        self.hasher.hash_one((seed, chain.bookmark.as_slice()))
    }

    /// What a snapshot sees of a node that the page shows with data `shown`, `deleted` or not. To
    /// be called under the latch of its page.
    pub(crate) fn resolve(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        data: &[u8],
        (shown, deleted): (&[u8], bool),
        snapshot: Snapshot<'_>,
    ) -> Seen {
        let on_page = if deleted { Seen::Absent } else { Seen::AsOnPage };
        if tree.versions.load(Ordering::Acquire) == 0 {
            return on_page;
        }
        let hash = self.hash(tree, key, data);
        let shard = self.shard(hash).lock();
        let Some(chain) = shard.chains.find(hash, |chain| chain.is_of(tree, key, data)) else {
            return on_page;
        };
        let (mut present, mut before): (_, Option<Cow<'_, [u8]>>) = (!deleted, None);
        for version in chain.versions.iter().rev() {
            let seen = snapshot.sees(&version.trx);
            match &version.was {
                // Behind an addition that is seen there may be others that are not.
                Was::Less(_) if seen => {}
                _ if seen => break,
                Was::Absent => present = false,
                Was::Present => present = true,
                Was::Data(data) => before = Some(Cow::Borrowed(data)),
                Was::Locked(_) => {}
                Was::Less(added) => {
                    let mut less = before.take().unwrap_or(Cow::Borrowed(shown));
                    let found = added.inverse().add_to(less.to_mut());
                    debug_assert!(found, "the number was there when it was added to");
                    before = Some(less);
                }
            }
        }
        match (present, before) {
            (false, _) => Seen::Absent,
            (true, None) => Seen::AsOnPage,
            (true, Some(data)) => Seen::Before(data.into_owned()),
        }
    }

    /// The data from before a change, for its undo.
    pub(crate) fn before(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        data: &[u8],
        rceid: RceId,
    ) -> Option<Vec<u8>> {
        let hash = self.hash(tree, key, data);
        let shard = self.shard(hash).lock();
        let chain = shard.chains.find(hash, |chain| chain.is_of(tree, key, data))?;
        chain.versions.iter().find(|version| version.rceid == rceid).and_then(|version| {
            match &version.was {
                Was::Data(data) => Some(data.to_vec()),
                _ => None,
            }
        })
    }

    /// Drops one version: its transaction was rolled back, or everybody can see its commit.
    pub(crate) fn drop_version(&self, tree: &TreeHandle, key: &[u8], data: &[u8], rceid: RceId) {
        Dropping::new(self).drop_version(tree, key, data, rceid);
    }

    /// Drops one version, which is not counted less yet, and gives its size.
    fn remove(&self, tree: &TreeHandle, key: &[u8], data: &[u8], rceid: RceId) -> Option<u64> {
        let hash = self.hash(tree, key, data);
        let mut shard = self.shard(hash).lock();
        let shard = &mut *shard;
        let found = shard.chains.find_entry(hash, |chain| chain.is_of(tree, key, data));
        let mut entry = found.ok()?;
        let chain = entry.get_mut();
        let place = chain.versions.iter().position(|v| v.rceid == rceid)?;
        let version = chain.versions.remove(place);
        if chain.versions.is_empty() {
            entry.remove();
        }
        shard.versions -= 1;
        Some(entry_size(key, data, &[version.was]))
    }

    /// Has a transaction that `own` does not see changed nodes of the tree, and not ended, or ended
    /// with a commit?
    pub(crate) fn others_at_work(&self, tree: &TreeHandle, own: &Arc<Trx>) -> bool {
        if tree.versions.load(Ordering::Acquire) == 0 {
            return false;
        }
        let of_tree = |chain: &&Chain| chain.is_in(tree);
        let unseen = |version: &Version| {
            let newer = version.trx.committed().is_none_or(|commit0| commit0 > own.snapshot);
            newer && !Arc::ptr_eq(&version.trx, own)
        };
        self.shards.iter().any(|shard| {
            let shard = shard.lock();
            shard.chains.iter().filter(of_tree).any(|chain| chain.versions.iter().any(unseen))
        })
    }

    /// The changes of nodes of a tree with unique keys that an open transaction does not see, in an
    /// order in which they could be made again: those of committed transactions come first, one
    /// commit after the other. Locks and additions are left out.
    pub(crate) fn unseen(&self, tree: &TreeHandle, own: &Arc<Trx>) -> Vec<UnseenChange> {
        if tree.versions.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let snapshot = Snapshot { upto: own.snapshot, own: Some(own) };
        let mut unseen = Vec::new();
        // Asked once of each, since one may commit in the midst of this.
        let mut ends: HashMap<TrxId, TrxId> = HashMap::new();
        for shard in &self.shards {
            let shard = shard.lock();
            let of_tree = |chain: &&Chain| chain.is_in(tree);
            for chain in shard.chains.iter().filter(of_tree) {
                let changes = chain.versions.iter().rev().filter(|version| version.was.is_change());
                for version in changes.take_while(|version| !snapshot.sees(&version.trx)) {
                    let trx = Arc::clone(&version.trx);
                    let end = || trx.committed().unwrap_or(TrxId(u32::MAX));
                    ends.entry(trx.begin0).or_insert_with(end);
                    let key = chain.bookmark.clone();
                    unseen.push(UnseenChange { trx, rceid: version.rceid, key });
                }
            }
        }
        let next = self.next_rceid.load(Ordering::Relaxed);
        unseen.sort_by_cached_key(|UnseenChange { trx, rceid, .. }| {
            let age = next.wrapping_sub(rceid.0);
            (ends.get(&trx.begin0).copied(), trx.begin0, Reverse(age))
        });
        unseen
    }

    /// Is a change of a node, of a tree with unique keys, there, and not taken back?
    pub(crate) fn has_change(&self, tree: &TreeHandle, key: &[u8], rceid: RceId) -> bool {
        let is = |chain: &Chain| chain.versions.iter().any(|version| version.rceid == rceid);
        self.with_chain(tree, key, is).unwrap_or(false)
    }

    /// Was the change with the first number made after the one with the second?
    pub(crate) fn is_newer(&self, one: RceId, other: RceId) -> bool {
        let next = self.next_rceid.load(Ordering::Relaxed);
        next.wrapping_sub(one.0) < next.wrapping_sub(other.0)
    }

    /// What a change made of a node, of a tree with unique keys, that the page shows with data
    /// `shown`, `deleted` or not: what was there before, and after. `None`: the change was taken
    /// back. Additions are not looked at. To be called under the latch of the page.
    pub(crate) fn images(
        &self,
        tree: &TreeHandle,
        key: &[u8],
        rceid: RceId,
        (shown, deleted): (&[u8], bool),
    ) -> Option<[Option<Vec<u8>>; 2]> {
        self.with_chain(tree, key, |chain| {
            let (mut present, mut data) = (!deleted, shown);
            for version in chain.versions.iter().rev() {
                let after = (present, data);
                match &version.was {
                    Was::Absent => present = false,
                    Was::Present => present = true,
                    Was::Data(before) => data = before,
                    Was::Locked(_) | Was::Less(_) => {}
                }
                if version.rceid == rceid {
                    let image = |(present, data): (bool, &[u8])| present.then(|| data.to_vec());
                    return Some([image((present, data)), image(after)]);
                }
            }
            None
        })
        .flatten()
    }

    /// Does any version of the node exist?
    pub(crate) fn has_versions(&self, tree: &TreeHandle, key: &[u8], data: &[u8]) -> bool {
        if tree.versions.load(Ordering::Acquire) == 0 {
            return false;
        }
        let hash = self.hash(tree, key, data);
        let shard = self.shard(hash).lock();
        shard.chains.find(hash, |chain| chain.is_of(tree, key, data)).is_some()
    }
}

/// Drops versions one after the other and counts them off together: the counters that all share
/// say more until then, which only makes others look for versions that are gone.
pub(crate) struct Dropping<'a> {
    store: &'a VersionStore,
    bytes: u64,
    /// The tree of the last versions, and how many there were.
    tree: Option<(&'a TreeHandle, u64)>,
}

impl<'a> Dropping<'a> {
    pub(crate) fn new(store: &'a VersionStore) -> Dropping<'a> {
        Dropping { store, bytes: 0, tree: None }
    }

    /// As [`VersionStore::drop_version`].
    pub(crate) fn drop_version(
        &mut self,
        tree: &'a TreeHandle,
        key: &[u8],
        data: &[u8],
        rceid: RceId,
    ) {
        let Some(size) = self.store.remove(tree, key, data, rceid) else { return };
        self.bytes += size;
        match &mut self.tree {
            Some((last, count)) if std::ptr::eq(*last, tree) => *count += 1,
            _ => {
                self.count_tree_off();
                self.tree = Some((tree, 1));
            }
        }
    }

    fn count_tree_off(&mut self) {
        if let Some((tree, count)) = self.tree.take() {
            tree.versions.fetch_sub(count, Ordering::AcqRel);
        }
    }
}

impl Drop for Dropping<'_> {
    fn drop(&mut self) {
        self.count_tree_off();
        if self.bytes > 0 {
            self.store.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// What one call of `record` accounts for. Each step of it is dropped alone, so the size is the
/// sum over the steps.
fn entry_size(key: &[u8], data: &[u8], changes: &[Was]) -> u64 {
    let per_step = size_of::<Chain>() + key.len() + data.len();
    let images: usize = changes
        .iter()
        .map(|was| match was {
            Was::Data(data) => data.len(),
            _ => 0,
        })
        .sum();
    (per_step * changes.len() + images) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ese_base::ObjId;

    use super::*;
    use crate::tree::TreeKind;

    fn tree(fdp: u32) -> TreeHandle {
        TreeHandle::new(Dbid(1), Pgno(fdp), ObjId(fdp), TreeKind::TABLE)
    }

    fn key(number: u32) -> [u8; 4] {
        number.to_be_bytes()
    }

    fn insert(store: &VersionStore, tree: &TreeHandle, trx: &Arc<Trx>, number: u32) -> RceId {
        let (conflict, was) = (JetErr::KeyDuplicate, [Was::Absent]);
        let author = Author::Own(trx);
        let [rceid] = store.record(tree, &key(number), &[], author, conflict, was).unwrap();
        rceid
    }

    #[test]
    fn no_two_changes_have_the_same_number() {
        let (store, tree) = (VersionStore::new(1 << 30), tree(7));
        let mut seen = HashSet::new();
        // Two that change rows in turn, and one after the other that changes one row each.
        let both =
            [Trx::new(ProcId(1), TrxId(2), TrxId(1)), Trx::new(ProcId(1), TrxId(3), TrxId(1))]
                .map(Arc::new);
        for number in 0..1000 {
            let trx = &both[usize::from(number % 3 == 0)];
            assert!(seen.insert(insert(&store, &tree, trx, number)));
            assert!(seen.insert(store.rceid()));
        }
        for number in 1000..1100 {
            let single = Arc::new(Trx::new(ProcId(1), TrxId(number), TrxId(1)));
            assert!(seen.insert(insert(&store, &tree, &single, number)));
        }
    }

    #[test]
    fn a_transaction_goes_on_where_the_numbers_begin_again() {
        let next = AtomicU32::new(u32::MAX - 100);
        let trx = Trx::new(ProcId(1), TrxId(2), TrxId(1));
        let numbers: HashSet<u32> = (0..500).map(|_| trx.rceid(&next).0).collect();
        assert_eq!(numbers.len(), 500);
        assert!(numbers.contains(&(u32::MAX - 100)) && numbers.iter().any(|number| *number < 500));
    }

    #[test]
    fn what_is_dropped_together_is_counted_off_for_each_tree_once() {
        let (store, trees) = (VersionStore::new(1 << 30), [tree(7), tree(8)]);
        let trx = Arc::new(Trx::new(ProcId(1), TrxId(2), TrxId(1)));
        let mut made = Vec::new();
        for number in 0..300 {
            let tree = &trees[usize::from(number % 7 < 3)];
            made.push((tree, number, insert(&store, tree, &trx, number)));
        }
        let counts = || trees.each_ref().map(|tree| tree.versions.load(Ordering::Relaxed));
        let [one, two] = counts();
        assert_eq!((store.entries(), one + two), (300, 300));
        assert!(store.bytes() > 0 && one > 0 && two > 0);
        let last = made.split_off(299);
        let mut dropping = Dropping::new(&store);
        for (tree, number, rceid) in made {
            dropping.drop_version(tree, &key(number), &[], rceid);
            assert!(!store.has_versions(tree, &key(number), &[]), "gone at once");
            // Again, or another number: there is no such version.
            dropping.drop_version(tree, &key(number), &[], rceid);
        }
        drop(dropping);
        let [one, two] = counts();
        assert_eq!((store.entries(), one + two), (1, 1));
        for (tree, number, rceid) in last {
            store.drop_version(tree, &key(number), &[], rceid);
        }
        assert_eq!((store.entries(), store.bytes(), counts()), (0, 0, [0, 0]));
    }
}
