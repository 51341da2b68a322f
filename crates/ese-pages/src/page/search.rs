//! Binary search on one page.
//!
//! The prefix that the sought key shares with the page's prefix key is measured once; each probe
//! then compares only the rest with a node's suffix.

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
        let probe = Probe::new(&reader, key, if unique { &[] } else { data });
        let (mut low, mut high) = (0, reader.count);
        while low < high {
            let middle = low.midpoint(high);
            let raw = reader.raw(middle);
            let order =
                if unique { probe.cmp_key(&reader, raw) } else { probe.cmp_entry(&reader, raw) };
            match order {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// Searches an internal page: the first node whose separator is greater than the
    /// concatenation of `key` and `data`. An empty separator is infinite.
    ///
    /// On a page that is not the rightmost of its level there may be none: the answer is then
    /// [`PageRef::node_count`], and [`PageRef::child`] of that is [`Pgno::NULL`].
    #[must_use]
    pub fn child_index(&self, key: &[u8], data: &[u8]) -> usize {
        let reader = self.reader();
        let probe = Probe::new(&reader, key, data);
        let (mut low, mut high) = (0, reader.count);
        while low < high {
            let middle = low.midpoint(high);
            let raw = reader.raw(middle);
            let infinite = raw.cb_prefix + raw.cb_suffix == 0;
            if infinite || probe.cmp_separator(&reader, raw) == Ordering::Greater {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
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

/// What is sought.
struct Probe<'k> {
    key: &'k [u8],
    data: &'k [u8],
    /// Bytes that the key shares with the page's prefix key.
    common: usize,
}

impl<'k> Probe<'k> {
    #[inline]
    fn new(reader: &NodeReader<'_>, key: &'k [u8], data: &'k [u8]) -> Probe<'k> {
        Probe { key, data, common: common_len(reader.prefix, key) }
    }

    /// Splits node and key where the node's prefix ends, if the key has that prefix too: the
    /// node's body (suffix and data) and the rest of the key.
    #[inline]
    fn rest(&self, raw: RawNode<'_>) -> Option<&'k [u8]> {
        if raw.cb_prefix > self.common { None } else { self.key.get(raw.cb_prefix..) }
    }

    /// Orders the node's key against the key.
    #[inline]
    fn cmp_key(&self, reader: &NodeReader<'_>, raw: RawNode<'_>) -> Ordering {
        let suffix = raw.body.get(..raw.cb_suffix).unwrap_or(&[]);
        match self.rest(raw) {
            Some(rest) => cmp_bytes(suffix, rest),
            // They differ inside the prefix: the suffix does not matter.
            None => reader.prefix.get(..raw.cb_prefix).unwrap_or(&[]).cmp(self.key),
        }
    }

    /// Orders key and data of the node, concatenated, against those sought.
    #[inline]
    fn cmp_entry(&self, reader: &NodeReader<'_>, raw: RawNode<'_>) -> Ordering {
        match self.rest(raw) {
            // Suffix and data of the node are already one string.
            Some(rest) => cmp_split(raw.body, rest, self.data),
            None => {
                let prefix = reader.prefix.get(..raw.cb_prefix).unwrap_or(&[]);
                cmp_concat([prefix, raw.body, &[]], [self.key, self.data, &[]])
            }
        }
    }

    /// Orders the node's key against key and data sought, concatenated.
    #[inline]
    fn cmp_separator(&self, reader: &NodeReader<'_>, raw: RawNode<'_>) -> Ordering {
        let suffix = raw.body.get(..raw.cb_suffix).unwrap_or(&[]);
        match self.rest(raw) {
            Some(rest) => cmp_split(suffix, rest, self.data),
            None => {
                let prefix = reader.prefix.get(..raw.cb_prefix).unwrap_or(&[]);
                cmp_concat([prefix, suffix, &[]], [self.key, self.data, &[]])
            }
        }
    }
}

/// Orders `left` against the concatenation of `head` and `tail`.
#[inline]
fn cmp_split(left: &[u8], head: &[u8], tail: &[u8]) -> Ordering {
    match left.split_at_checked(head.len()) {
        Some((left_head, left_tail)) => {
            cmp_bytes(left_head, head).then_with(|| cmp_bytes(left_tail, tail))
        }
        // `left` ends inside `head`: equal so far means that it is a proper prefix.
        None => cmp_bytes(left, head),
    }
}

/// `left.cmp(right)` without a call for keys that differ in their first 8 bytes.
#[inline]
fn cmp_bytes(left: &[u8], right: &[u8]) -> Ordering {
    if let (Some((l, l_rest)), Some((r, r_rest))) =
        (left.split_first_chunk::<8>(), right.split_first_chunk::<8>())
    {
        return u64::from_be_bytes(*l)
            .cmp(&u64::from_be_bytes(*r))
            .then_with(|| l_rest.cmp(r_rest));
    }
    left.cmp(right)
}
