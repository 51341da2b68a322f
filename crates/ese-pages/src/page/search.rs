//! Binary search on one page.
//!
//! What the sought key shares with the page's prefix key is measured once; each step then compares
//! only what comes behind it. On leaves the time goes into waiting for memory, so the lines that
//! the next steps may look at are asked for before they are needed. (Halving without branches and
//! comparing the first 8 bytes alone were both measured, and neither was faster on pages of every
//! size.)

use std::cmp::Ordering;

use ese_base::Pgno;

use super::{
    PageRef,
    node::cmp_concat,
    read::{NodeReader, RawNode, common_len},
};

impl PageRef<'_> {
    /// Searches a leaf. `unique`: by key alone; otherwise by the concatenation of key and data.
    ///
    /// # Errors
    /// Not an error in the engine's sense: `Err(iline)` is where the entry would be inserted.
    pub fn search(&self, key: &[u8], data: &[u8], unique: bool) -> Result<usize, usize> {
        let reader = self.reader();
        let found = if unique {
            let probe = Probe::new(reader, key, &[]);
            probe.first_far_apart(reader.count(), |raw| probe.cmp_key(raw))
        } else {
            let probe = Probe::new(reader, key, data);
            // Suffix and data of a node lie side by side: one string already.
            probe.first_far_apart(reader.count(), |raw| probe.cmp_string(raw, raw.body))
        };
        if found.equal { Ok(found.iline) } else { Err(found.iline) }
    }

    /// Searches an internal page: the first node whose separator is greater than the
    /// concatenation of `key` and `data`. An empty last separator is infinite.
    ///
    /// On a page that is not the rightmost of its level there may be none: the answer is then
    /// [`PageRef::node_count`], and [`PageRef::child`] of that is [`Pgno::NULL`].
    #[must_use]
    pub fn child_index(&self, key: &[u8], data: &[u8]) -> usize {
        let reader = self.reader();
        let mut finite = reader.count();
        if finite > 0 {
            let last = reader.raw(finite - 1);
            // Whatever is sought, it lies below infinity.
            finite -= usize::from(last.cb_prefix + last.cb_suffix == 0);
        }
        let probe = Probe::new(reader, key, data);
        let found = if data.is_empty() {
            probe.first_not_below(finite, |raw| probe.cmp_key(raw))
        } else {
            probe.first_not_below(finite, |raw| probe.cmp_string(raw, suffix_of(raw)))
        };
        // A separator is the lower bound of what lies to its right.
        found.iline + usize::from(found.equal)
    }

    /// The child that node `iline` of an internal page points to; [`Pgno::NULL`] if its data are
    /// not 4 bytes or there is no such node.
    #[inline]
    #[must_use]
    pub fn child(&self, iline: usize) -> Pgno {
        let data = self.node(iline).data;
        <[u8; 4]>::try_from(data).map_or(Pgno::NULL, |pgno| Pgno(u32::from_le_bytes(pgno)))
    }
}

/// Steps of a search of a leaf whose lines are asked for together.
const AHEAD: u32 = 3;

/// Where a search ended: at the first node that is not below what was sought.
#[derive(Clone, Copy)]
struct Found {
    iline: usize,
    equal: bool,
}

/// What is sought: `key` and `data` as one string, on one page.
struct Probe<'a, 'k> {
    reader: NodeReader<'a>,
    key: &'k [u8],
    data: &'k [u8],
    /// Bytes that the key shares with the page's prefix key.
    common: usize,
    /// How nodes that share more with the prefix key than the sought key does compare with it:
    /// they all go on with the same byte. `Equal`: that byte does not decide.
    deeper: Ordering,
}

impl<'a, 'k> Probe<'a, 'k> {
    #[inline]
    fn new(reader: NodeReader<'a>, key: &'k [u8], data: &'k [u8]) -> Probe<'a, 'k> {
        let common = common_len(reader.prefix, key);
        let deeper = match (reader.prefix.get(common), key.get(common)) {
            (Some(theirs), Some(ours)) => theirs.cmp(ours),
            (Some(_), None) if data.is_empty() => Ordering::Greater,
            _ => Ordering::Equal,
        };
        Probe { reader, key, data, common, deeper }
    }

    /// The first of the first `count` nodes that is not below what is sought.
    #[inline(always)]
    fn first_not_below(&self, count: usize, order: impl Fn(RawNode<'a>) -> Ordering) -> Found {
        let (mut low, mut high) = (0, count);
        while low < high {
            let iline = low.midpoint(high);
            match order(self.reader.raw(iline)) {
                Ordering::Less => low = iline + 1,
                Ordering::Greater => high = iline,
                Ordering::Equal => return Found { iline, equal: true },
            }
        }
        Found { iline: low, equal: false }
    }

    /// As [`Probe::first_not_below`], for lines that are longer than what the processor fetches at
    /// a time and are rarely in its cache. The lines that the next steps may want are asked for
    /// together, so that few steps wait for memory.
    #[inline(always)]
    fn first_far_apart(&self, count: usize, order: impl Fn(RawNode<'a>) -> Ordering) -> Found {
        let (mut low, mut high) = (0, count);
        let mut step = 0_u32;
        while low < high {
            let iline = low.midpoint(high);
            if step.is_multiple_of(AHEAD) {
                self.ask_for(low, high);
            }
            step += 1;
            match order(self.reader.raw(iline)) {
                Ordering::Less => low = iline + 1,
                Ordering::Greater => high = iline,
                Ordering::Equal => return Found { iline, equal: true },
            }
        }
        Found { iline: low, equal: false }
    }

    /// Asks for the lines that [`AHEAD`] steps of a search may look at.
    #[inline(always)]
    fn ask_for(&self, low: usize, high: usize) {
        let middle = low.midpoint(high);
        self.reader.prefetch(middle);
        for (low, high) in [(low, middle), (middle + 1, high)] {
            let middle = low.midpoint(high);
            self.reader.prefetch(middle);
            self.reader.prefetch(low.midpoint(middle));
            self.reader.prefetch((middle + 1).midpoint(high));
        }
    }

    /// Orders the key of a node against the key sought.
    #[inline(always)]
    fn cmp_key(&self, raw: RawNode<'_>) -> Ordering {
        if raw.cb_prefix > self.common {
            // There are no data, so the byte decides.
            return self.deeper;
        }
        cmp_bytes(suffix_of(raw), self.key.get(raw.cb_prefix..).unwrap_or(&[]))
    }

    /// Orders a node against key and data sought; `string` is what counts of the node behind its
    /// prefix.
    #[inline(always)]
    fn cmp_string(&self, raw: RawNode<'_>, string: &[u8]) -> Ordering {
        if raw.cb_prefix <= self.common {
            let rest = self.key.get(raw.cb_prefix..).unwrap_or(&[]);
            return cmp_split(string, rest, self.data);
        }
        self.deeper.then_with(|| {
            let prefix = self.reader.prefix.get(..raw.cb_prefix).unwrap_or(&[]);
            cmp_concat([prefix, string, &[]], [self.key, self.data, &[]])
        })
    }
}

#[inline]
fn suffix_of(raw: RawNode<'_>) -> &[u8] {
    raw.body.get(..raw.cb_suffix).unwrap_or(raw.body)
}

/// Orders `left` against the concatenation of `head` and `tail`.
#[inline]
fn cmp_split(left: &[u8], head: &[u8], tail: &[u8]) -> Ordering {
    match left.split_at_checked(head.len()) {
        Some((left_head, left_tail)) => {
            cmp_bytes(left_head, head).then_with(|| left_tail.cmp(tail))
        }
        // `left` ends inside `head`: equal so far means that it is a proper prefix.
        None => cmp_bytes(left, head),
    }
}

/// `left.cmp(right)` without a call for strings that differ in their first 8 bytes.
#[inline]
pub(super) fn cmp_bytes(left: &[u8], right: &[u8]) -> Ordering {
    if let (Some((l, l_rest)), Some((r, r_rest))) =
        (left.split_first_chunk::<8>(), right.split_first_chunk::<8>())
    {
        let (l, r) = (u64::from_be_bytes(*l), u64::from_be_bytes(*r));
        return if l == r { l_rest.cmp(r_rest) } else { l.cmp(&r) };
    }
    left.cmp(right)
}
