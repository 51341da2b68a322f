//! One node, as it lies on its page.

use std::cmp::Ordering;

use super::{NodeFlags, search::cmp_bytes};

/// A node: its key is `prefix` followed by `suffix`.
///
/// The slices point into the page. A node of a damaged page may be empty altogether; a sound one
/// has data, and a key unless it is the last of an internal page (where none means infinity).
#[derive(Clone, Copy, Debug, Default)]
pub struct Node<'a> {
    /// The part of the key that the page's prefix key supplies.
    pub prefix: &'a [u8],
    /// The rest of the key.
    pub suffix: &'a [u8],
    /// The record, the child's page number, the extent's length ...
    pub data: &'a [u8],
    /// State.
    pub flags: NodeFlags,
}

impl Node<'_> {
    /// Bytes of the key.
    #[must_use]
    pub fn key_len(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }

    /// The key, copied together.
    #[must_use]
    pub fn key_to_vec(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.key_len());
        self.append_key(&mut key);
        key
    }

    /// Appends the key.
    pub fn append_key(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self.prefix);
        to.extend_from_slice(self.suffix);
    }

    /// Is the node logically absent?
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.flags.contains(NodeFlags::DELETED)
    }

    /// Orders the node's key against `key`, as unsigned bytes (edb-format 4.4).
    #[must_use]
    pub fn cmp_key(&self, key: &[u8]) -> Ordering {
        match key.split_at_checked(self.prefix.len()) {
            Some(([], key)) => cmp_bytes(self.suffix, key),
            Some((head, tail)) => self.prefix.cmp(head).then_with(|| cmp_bytes(self.suffix, tail)),
            // The key is shorter than the prefix, so the prefix alone decides.
            None => self.prefix.cmp(key),
        }
    }

    /// Orders the concatenation of the node's key and data against that of `key` and `data`, as
    /// trees with the non-unique property do (edb-format 4.4).
    #[must_use]
    pub fn cmp_key_data(&self, key: &[u8], data: &[u8]) -> Ordering {
        cmp_concat([self.prefix, self.suffix, self.data], [key, data, &[]])
    }

    /// Orders the node's key alone against the concatenation of `key` and `data`, as a search in
    /// an internal page does.
    #[must_use]
    pub fn cmp_separator(&self, key: &[u8], data: &[u8]) -> Ordering {
        cmp_concat([self.prefix, self.suffix, &[]], [key, data, &[]])
    }
}

/// Orders two strings that are given in three pieces each.
pub(super) fn cmp_concat(left: [&[u8]; 3], right: [&[u8]; 3]) -> Ordering {
    let (mut left_rest, mut right_rest) = (left.into_iter(), right.into_iter());
    let (mut l, mut r): (&[u8], &[u8]) = (&[], &[]);
    loop {
        while l.is_empty() {
            match left_rest.next() {
                Some(piece) => l = piece,
                None if r.is_empty() && right_rest.all(<[u8]>::is_empty) => return Ordering::Equal,
                None => return Ordering::Less,
            }
        }
        while r.is_empty() {
            match right_rest.next() {
                Some(piece) => r = piece,
                None => return Ordering::Greater,
            }
        }
        let both = l.len().min(r.len());
        let (l_head, l_tail) = l.split_at(both);
        let (r_head, r_tail) = r.split_at(both);
        match l_head.cmp(r_head) {
            Ordering::Equal => (l, r) = (l_tail, r_tail),
            decided => return decided,
        }
    }
}
