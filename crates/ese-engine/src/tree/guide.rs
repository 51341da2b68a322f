//! A map of a tree's leaves, by which a search goes to its leaf without passing the pages above it.
//!
//! Every search of a large tree would otherwise latch the same few pages, and two processors that
//! do so take their cache lines from each other; and each page above the leaf is a page more to be
//! brought into the processor's cache.
//!
//! # Never wrong, at most useless
//!
//! The map is drawn from the internal pages, one after the other, and is not kept up when the tree
//! changes. So what it says is a guess, which is believed only if the leaf itself, under its latch,
//! proves it: it is a leaf of this tree now, and the entry stands on it or between two that do
//! (`descend::is_certain`, for changes `descend::place_on`). A page that left the tree says so by
//! its flags or its object id. Who is led astray searches from the root; when that has happened to
//! readers often, the map is drawn anew.
//!
//! # Who looks
//!
//! The map hangs in several places (*seats*), each behind a lock in a cache line of its own.
//! Sessions are spread over them, so looking takes nothing from another processor, and a lock that
//! is held is not waited for.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use ese_base::{Pgno, Result, limits::TREE_DEPTH_MAX};
use ese_pages::{PageFlags, cache::PageCache};
use parking_lot::Mutex;

use super::TreeView;

/// Places where the map hangs.
const SEATS: usize = 16;
/// Leaves of the largest tree that gets a map: 20 bytes each.
const LEAVES_MAX: usize = 1 << 17;
/// Searches from the root before a map is drawn for the first time. Later it takes as many as there
/// are leaves to four, too, so that drawing is paid by what it saves.
const PATIENCE: u32 = if cfg!(test) { 100 } else { 1000 };

/// The map of one tree, once it has one.
#[derive(Default)]
pub(crate) struct Guide {
    seats: OnceLock<Box<[Seat]>>,
    /// Searches from the root since the map was drawn.
    lost: AtomicU32,
    /// How many of them are borne; 0: as at the beginning.
    patience: AtomicU32,
    drawing: Mutex<()>,
}

/// Alone in what processors fetch at a time.
#[derive(Default)]
#[repr(align(128))]
struct Seat(Mutex<Option<Arc<Map>>>);

impl fmt::Debug for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guide({})", if self.seats.get().is_some() { "drawn" } else { "none" })
    }
}

impl Guide {
    /// The leaf that an entry belonged to when the map was drawn. `seat` tells sessions apart.
    #[inline]
    pub(super) fn leaf(&self, seat: usize, key: &[u8], data: &[u8]) -> Option<Pgno> {
        let seat = self.seats.get()?.get(seat % SEATS)?.0.try_lock()?;
        seat.as_ref()?.leaf(key, data)
    }

    /// Notes a search from the root of a tree with internal pages. Says whether the map should be
    /// drawn, because that has happened too often.
    #[inline]
    pub(super) fn note_lost(&self) -> bool {
        let patience = self.patience.load(Ordering::Relaxed);
        // No map is drawn of this tree: nothing to be counted by all who search.
        patience != u32::MAX && self.lost.fetch_add(1, Ordering::Relaxed) >= patience.max(PATIENCE)
    }

    /// Draws the map, unless somebody else does. The caller holds no latch.
    #[cold]
    pub(super) fn draw(&self, cache: &PageCache, view: &TreeView) {
        let Some(_drawing) = self.drawing.try_lock() else { return };
        // Trouble with a page shows on the way from the root.
        let map = Map::draw(cache, view).unwrap_or_default();
        let patience = match &map {
            Drawn::Map(map) => u32::try_from(map.leaves.len() / 4).unwrap_or(0) + PATIENCE,
            Drawn::Unsteady => PATIENCE,
            Drawn::TooLarge => u32::MAX,
        };
        let map = if let Drawn::Map(map) = map { Some(Arc::new(map)) } else { None };
        let seats =
            self.seats.get_or_init(|| std::iter::repeat_with(Seat::default).take(SEATS).collect());
        for seat in seats {
            seat.0.lock().clone_from(&map);
        }
        self.patience.store(patience, Ordering::Relaxed);
        self.lost.store(0, Ordering::Relaxed);
    }
}

/// What came of drawing.
#[derive(Default)]
enum Drawn {
    Map(Map),
    /// The tree changed meanwhile, or a page could not be read.
    #[default]
    Unsteady,
    /// The tree has too many leaves.
    TooLarge,
}

/// The leaves in order, with the first bytes of the bound above each: what lies in a leaf is below
/// its bound and not below the one before.
struct Map {
    /// What all bounds begin with; it is left out of the words.
    common: Vec<u8>,
    /// The eight bytes after that.
    heads: Vec<u64>,
    /// The next eight: looked at only where the heads are equal.
    seconds: Vec<u64>,
    leaves: Vec<Pgno>,
}

impl Map {
    fn draw(cache: &PageCache, view: &TreeView) -> Result<Drawn> {
        let mut level = vec![(Vec::new(), view.root)];
        for _ in 0..TREE_DEPTH_MAX {
            let (mut below, mut last) = (Vec::new(), false);
            for (_, pgno) in &level {
                let guard = cache.read(*pgno)?;
                let page = guard.page();
                view.expect_own(page, *pgno)?;
                if page.is_leaf() {
                    return Ok(Drawn::Unsteady);
                }
                last = page.flags().contains(PageFlags::PARENT_OF_LEAF);
                for (iline, node) in page.nodes().enumerate() {
                    below.push((node.key_to_vec(), page.child(iline)));
                }
                if below.len() > LEAVES_MAX {
                    return Ok(Drawn::TooLarge);
                }
            }
            if last {
                return Ok(Map::of_bounds(&below).map_or(Drawn::Unsteady, Drawn::Map));
            }
            level = below;
        }
        Ok(Drawn::Unsteady)
    }

    /// The last bound is infinite.
    fn of_bounds(bounds: &[(Vec<u8>, Pgno)]) -> Option<Map> {
        let (_, finite) = bounds.split_last()?;
        let (least, greatest) = (&finite.first()?.0, &finite.last()?.0);
        let shared = least.iter().zip(greatest).take_while(|(a, b)| a == b).count();
        let common = least.get(..shared)?.to_vec();
        let mut words: Vec<(u64, u64)> = finite
            .iter()
            .map(|(bound, _)| bound.starts_with(&common).then(|| words_behind(bound, &[], shared)))
            .collect::<Option<_>>()?;
        words.push((u64::MAX, u64::MAX));
        if !words.is_sorted() {
            return None;
        }
        let (heads, seconds) = words.into_iter().unzip();
        Some(Map { common, heads, seconds, leaves: bounds.iter().map(|(_, leaf)| *leaf).collect() })
    }

    /// The first leaf whose bound is greater than the entry; `None` where the words do not tell.
    fn leaf(&self, key: &[u8], data: &[u8]) -> Option<Pgno> {
        if !key.starts_with(&self.common) {
            return None;
        }
        let (head, second) = words_behind(key, data, self.common.len());
        let mut at = self.heads.partition_point(|&bound| bound < head);
        if self.heads.get(at) == Some(&head) {
            let equal = self.heads.get(at..)?.partition_point(|&bound| bound == head);
            let ties = self.seconds.get(at..at + equal)?;
            let place = ties.partition_point(|&bound| bound < second);
            if ties.get(place) == Some(&second) {
                return None;
            }
            at += place;
        }
        self.leaves.get(at).copied()
    }
}

/// The sixteen bytes behind the first `skip` ones of a string, as two numbers that order like them.
/// Zeros stand for what is missing, so strings with equal words may differ.
#[inline]
fn words_behind(key: &[u8], data: &[u8], skip: usize) -> (u64, u64) {
    let rest = key.get(skip..).unwrap_or(&[]);
    if let Some((head, [second])) =
        rest.first_chunk::<16>().map(|both| both.as_chunks::<8>().0).and_then(<[_]>::split_first)
    {
        return (u64::from_be_bytes(*head), u64::from_be_bytes(*second));
    }
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(rest.iter().chain(data)) {
        *to = *from;
    }
    let both = u128::from_be_bytes(bytes);
    let low = |word: u128| u64::try_from(word & u128::from(u64::MAX)).unwrap_or(0);
    (low(both >> 64), low(both))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_tells_the_leaf_or_nothing() {
        let mut state = 7_u64;
        let mut next = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let (mut told, mut silent) = (0, 0);
        for round in 0..200 {
            let (longest, letters) = (2 + round % 30, 2 + round % 7);
            let mut string = || -> Vec<u8> {
                let len = 1 + next(longest);
                // Zeros are among them, which look like what is missing.
                (0..len).map(|_| u8::try_from(next(letters)).unwrap()).collect()
            };
            let mut bounds: Vec<Vec<u8>> = (0..50).map(|_| string()).collect();
            bounds.sort_unstable();
            bounds.dedup();
            let mut pages: Vec<(Vec<u8>, Pgno)> =
                bounds.iter().cloned().zip((1..).map(Pgno)).collect();
            pages.push((Vec::new(), Pgno(1000)));
            let map = Map::of_bounds(&pages).unwrap();
            for _ in 0..200 {
                let (key, data) = (string(), string());
                for data in [&data[..], &[]] {
                    let whole = [&key, data].concat();
                    let right = bounds.partition_point(|bound| *bound <= whole);
                    match map.leaf(&key, data) {
                        Some(leaf) => {
                            assert_eq!(leaf, pages[right].1, "{bounds:?} {key:?} {data:?}");
                            told += 1;
                        }
                        None => silent += 1,
                    }
                }
            }
        }
        assert!(told > 5 * silent, "{told} {silent}");
    }

    #[test]
    fn bounds_that_do_not_ascend_make_no_map() {
        let pages = |bounds: &[&[u8]]| -> Vec<(Vec<u8>, Pgno)> {
            bounds.iter().map(|bound| (bound.to_vec(), Pgno(9))).collect()
        };
        assert!(Map::of_bounds(&pages(&[b"ab", b"ac", b""])).is_some());
        assert!(Map::of_bounds(&pages(&[b"ac", b"ab", b""])).is_none());
        assert!(Map::of_bounds(&pages(&[b"ab", b"xb", b"ac", b""])).is_none());
        assert!(Map::of_bounds(&pages(&[b""])).is_none(), "a tree of one leaf needs none");
        assert!(Map::of_bounds(&[]).is_none());
    }
}
