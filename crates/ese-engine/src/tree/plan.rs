//! Where to split a page, with which prefix keys, and what separates the halves. Pure functions
//! of page images; any answer is legal for readers, these aim at full pages and short separators.

use ese_base::PageSize;
use ese_log::records::SplitType;
use ese_pages::{Node, PageRef};
use smallvec::SmallVec;

use crate::op::split::common_with;

/// Bytes of a separator.
pub type Separator = SmallVec<[u8; 64]>;

/// Bytes that a line takes besides key and data: its slot.
const SLOT: usize = 4;

/// How one page splits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitPlan {
    /// Kind of split.
    pub split_type: SplitType,
    /// Lines of the page, the inserted one included.
    pub lines: usize,
    /// First line that goes to the new page.
    pub at: usize,
    /// The line whose key becomes the split page's prefix (right splits).
    pub prefix_split: Option<usize>,
    /// The line, counted from `at`, whose key becomes the new page's prefix.
    pub prefix_new: Option<usize>,
    /// Key of the split page's pointer in the parent; empty for vertical splits.
    pub separator: Separator,
}

/// What is to be split.
#[derive(Clone, Copy, Debug)]
pub struct Halves<'a> {
    /// The page's lines after the operation.
    pub lines: &'a [Node<'a>],
    /// The page's prefix key before.
    pub prefix: &'a [u8],
    /// Page size.
    pub size: PageSize,
    /// Extra bytes that a line is going to need, for balance.
    pub growth: Option<(usize, usize)>,
}

/// Bytes for lines, slots and the prefix key on a page that is no root.
#[must_use]
pub fn capacity(size: PageSize) -> usize {
    // Slot 0 is always there.
    size.bytes() - size.header_len() - SLOT
}

/// Bytes of a line with its slot when `common` bytes of its key equal the page's prefix key.
fn line_bytes(node: &Node<'_>, common: usize) -> usize {
    let full = 2 + node.key_len() + node.data.len() + SLOT;
    // The length of the prefix costs two bytes; below three it would not pay.
    if common > 2 { full + 2 - common } else { full }
}

/// Bytes of all lines under a prefix key.
fn bytes_under(lines: &[Node<'_>], prefix: &[u8]) -> usize {
    let sum: usize = lines.iter().map(|line| line_bytes(line, common_with(line, prefix))).sum();
    prefix.len() + sum
}

/// The prefix key that makes these lines smallest: the line that supplies it and all bytes with it.
///
/// One candidate is the line that shares most with the old prefix: under it every line shares at
/// least what it shared before, so lines that fitted on one page fit again.
///
/// A prefix stays when the lines that gained by it are gone, so none is chosen that would leave no
/// room for the longest line alone, if the `most` bytes of the page suffice without one.
#[must_use]
pub fn best_prefix(lines: &[Node<'_>], old: &[u8], most: usize) -> (Option<usize>, usize) {
    let mut best = (None, bytes_under(lines, &[]));
    let longest = lines.iter().map(|line| line_bytes(line, 0)).max().unwrap_or(0);
    let plain_fits = best.1 <= most;
    let nearest =
        (0..lines.len()).max_by_key(|&i| lines.get(i).map_or(0, |line| common_with(line, old)));
    let candidates = [Some(lines.len() / 2), Some(0), nearest];
    let mut key = Separator::new();
    for candidate in candidates.into_iter().flatten() {
        let Some(line) = lines.get(candidate) else { continue };
        let leaves_room = line.key_len() + longest + 2 <= most;
        if line.key_len() <= 2 || plain_fits && !leaves_room {
            continue;
        }
        key_of(line, &mut key);
        let bytes = bytes_under(lines, &key);
        if bytes < best.1 {
            best = (Some(candidate), bytes);
        }
    }
    best
}

fn key_of(line: &Node<'_>, to: &mut Separator) {
    to.clear();
    to.extend_from_slice(line.prefix);
    to.extend_from_slice(line.suffix);
}

/// The shortest string that is greater than the last entry on the left and not greater than the
/// first one on the right (edb-format 4.6). In trees whose keys are not unique it may run into the
/// data.
#[must_use]
pub fn separator(left: &Node<'_>, right: &Node<'_>, unique: bool) -> Separator {
    let (mut low, mut high) = (Separator::new(), Separator::new());
    key_of(left, &mut low);
    key_of(right, &mut high);
    if !unique {
        low.extend_from_slice(left.data);
        high.extend_from_slice(right.data);
    }
    let common = low.iter().zip(&high).take_while(|(l, h)| l == h).count();
    high.truncate(common + 1);
    high
}

impl Halves<'_> {
    fn left(&self, at: usize) -> &[Node<'_>] {
        self.lines.get(..at).unwrap_or(self.lines)
    }

    fn right(&self, at: usize) -> &[Node<'_>] {
        self.lines.get(at..).unwrap_or(&[])
    }

    /// Splits here, if both halves fit and neither is empty.
    fn right_split(&self, at: usize, unique: Option<bool>) -> Option<SplitPlan> {
        if at == 0 || at >= self.lines.len() {
            return None;
        }
        let most = capacity(self.size);
        let (prefix_split, left) = best_prefix(self.left(at), self.prefix, most);
        let (prefix_new, right) = best_prefix(self.right(at), self.prefix, most);
        if left > most || right > most {
            return None;
        }
        Some(SplitPlan {
            split_type: SplitType::Right,
            lines: self.lines.len(),
            at,
            prefix_split,
            prefix_new,
            separator: self.separator(at, unique)?,
        })
    }

    /// `unique` is `None` on internal pages: their separator is the last key on the left.
    fn separator(&self, at: usize, unique: Option<bool>) -> Option<Separator> {
        let last = self.lines.get(at.checked_sub(1)?)?;
        match unique {
            Some(unique) => Some(separator(last, self.lines.get(at)?, unique)),
            None => {
                let mut key = Separator::new();
                key_of(last, &mut key);
                Some(key)
            }
        }
    }

    /// Splits where the halves are most equal in bytes; `None` if they fit nowhere.
    #[must_use]
    pub fn even(&self, unique: Option<bool>) -> Option<SplitPlan> {
        let mut sizes: Vec<usize> = self
            .lines
            .iter()
            .map(|line| line_bytes(line, common_with(line, self.prefix)))
            .collect();
        if let Some((line, extra)) = self.growth
            && let Some(size) = sizes.get_mut(line)
        {
            *size += extra;
        }
        let total: usize = sizes.iter().sum();
        // Imbalance when splitting before each line, best places first.
        let mut left = 0_usize;
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(sizes.len());
        for (at, size) in sizes.iter().enumerate() {
            if at > 0 {
                places.push(((2 * left).abs_diff(total), at));
            }
            left += size;
        }
        places.sort_unstable();
        places.into_iter().find_map(|(_, at)| self.right_split(at, unique))
    }
}

/// Splits the last leaf of a tree for an entry behind all others: the page keeps all it has, the
/// new entry begins the next one. Looks at no other line than the last, because rows that come in
/// order split a page again and again. `None`: the entry fits on no page.
#[must_use]
pub fn leaf_append(page: PageRef<'_>, new: Node<'_>, unique: bool) -> Option<SplitPlan> {
    let iline = page.node_count();
    let last = page.node(iline.checked_sub(1)?);
    let (most, alone) = (capacity(page.size()), std::slice::from_ref(&new));
    let key = new.key_to_vec();
    // Two bytes more with its own key as the prefix, which then serves those that follow.
    let prefix_new = (key.len() > 2 && bytes_under(alone, &key) <= most).then_some(0);
    (bytes_under(alone, &[]) <= most).then(|| SplitPlan {
        split_type: SplitType::Append,
        lines: iline + 1,
        at: iline,
        prefix_split: None,
        prefix_new,
        separator: separator(&last, &new, unique),
    })
}

/// As [`leaf_append`], but the last entry goes with the new one, the last of `lines`. `None`: they
/// do not fit on one page, or nothing would stay.
#[must_use]
pub fn leaf_append_with_last(
    page: PageRef<'_>,
    lines: &[Node<'_>],
    unique: bool,
) -> Option<SplitPlan> {
    let halves = Halves { lines, prefix: page.prefix(), size: page.size(), growth: None };
    halves.right_split(lines.len().checked_sub(2)?, Some(unique))
}

/// Splits a leaf for a new entry at `iline`; `lines` contain it. At the end of the last leaf
/// [`leaf_append`] does it. `hot`: the last entry went right before it, so that more can be
/// expected to go right behind it.
///
/// `None`: no split with the entry leaves two pages that fit (a large entry in the middle of a full
/// page); the page must be split without it first.
#[must_use]
pub fn leaf_insert(
    page: PageRef<'_>,
    lines: &[Node<'_>],
    iline: usize,
    hot: bool,
    unique: bool,
) -> Option<SplitPlan> {
    let halves = Halves { lines, prefix: page.prefix(), size: page.size(), growth: None };
    let last = iline + 1 == lines.len();
    // An entry behind the last one of an inner leaf, or before the first one of all, goes alone;
    // from one that continues a run what lies behind it is moved away. Entries that arrive in order
    // then fill pages instead of halving them.
    let alone = if last {
        halves.right_split(iline, Some(unique))
    } else if hot {
        let before_rest = halves.right_split(iline + 1, Some(unique));
        before_rest.or_else(|| halves.right_split(iline, Some(unique)))
    } else if iline == 0 && page.prev().is_null() {
        halves.right_split(1, Some(unique))
    } else {
        None
    };
    alone.or_else(|| halves.even(Some(unique)))
}

/// Splits a leaf without an operation, because the line `grows` needs that many more bytes, or
/// because a large entry is to be inserted before that line.
#[must_use]
pub fn leaf_room(
    page: PageRef<'_>,
    lines: &[Node<'_>],
    grows: (usize, usize),
    unique: bool,
) -> Option<SplitPlan> {
    let halves = Halves { lines, prefix: page.prefix(), size: page.size(), growth: Some(grows) };
    halves.even(Some(unique))
}

/// Splits a leaf before line `at`, without an operation.
#[must_use]
pub fn leaf_at(
    page: PageRef<'_>,
    lines: &[Node<'_>],
    at: usize,
    unique: bool,
) -> Option<SplitPlan> {
    let halves = Halves { lines, prefix: page.prefix(), size: page.size(), growth: None };
    halves.right_split(at, Some(unique))
}

/// Splits an internal page for a new pointer; `lines` contain it at `iline`.
#[must_use]
pub fn internal(page: PageRef<'_>, lines: &[Node<'_>], iline: usize) -> Option<SplitPlan> {
    let halves = Halves { lines, prefix: page.prefix(), size: page.size(), growth: None };
    let rightmost = lines.last().is_some_and(|line| line.key_len() == 0);
    if rightmost && iline + 2 == lines.len() {
        // Loading in order: the left page stays full, the new one begins with the last child.
        if let Some(plan) = halves.right_split(iline + 1, None) {
            return Some(plan);
        }
    }
    halves.even(None)
}

/// The new page of a vertical split takes all lines of the root; `None` if they do not fit.
#[must_use]
pub fn vertical(lines: &[Node<'_>], size: PageSize) -> Option<SplitPlan> {
    let (prefix_new, bytes) = best_prefix(lines, &[], capacity(size));
    (bytes <= capacity(size)).then_some(SplitPlan {
        split_type: SplitType::Vertical,
        lines: lines.len(),
        at: 0,
        prefix_split: None,
        prefix_new,
        separator: Separator::new(),
    })
}

#[cfg(test)]
mod tests {
    use ese_pages::NodeFlags;

    use super::*;

    fn node<'a>(key: &'a [u8], data: &'a [u8]) -> Node<'a> {
        Node { prefix: &[], suffix: key, data, flags: NodeFlags::empty() }
    }

    #[test]
    fn a_separator_is_the_shortest_string_between_two_entries() {
        let check = |low: &[u8], high: &[u8], expected: &[u8]| {
            let found = separator(&node(low, b"x"), &node(high, b"x"), true);
            assert_eq!(&found[..], expected, "{low:?} {high:?}");
            assert!(low < &found[..] && &found[..] <= high);
        };
        check(b"apple", b"apricot", b"apr");
        check(b"a", b"b", b"b");
        check(b"a", b"ab", b"ab");
        check(b"abc", b"abcd\0\0", b"abcd");
    }

    #[test]
    fn the_separator_of_equal_keys_runs_into_the_data() {
        let found = separator(&node(b"k", b"aaa"), &node(b"k", b"abc"), false);
        assert_eq!(&found[..], b"kab");
    }

    #[test]
    fn the_best_prefix_saves_what_the_lines_share() {
        let lines: Vec<_> =
            [&b"customer/0001"[..], b"customer/0002", b"customer/0017", b"customer/9999"]
                .into_iter()
                .map(|key| node(key, b"v"))
                .collect();
        let (prefix, bytes) = best_prefix(&lines, &[], 4000);
        assert!(prefix.is_some());
        assert!(bytes < bytes_under(&lines, &[]));
        // Lines that share nothing are left alone.
        let lines: Vec<_> = [&b"abcd"[..], b"efgh", b"ijkl"].map(|k| node(k, b"v")).to_vec();
        assert_eq!(best_prefix(&lines, &[], 4000).0, None);
    }

    #[test]
    fn an_even_split_balances_bytes_not_lines() {
        let big = vec![7; 1500];
        let lines = [node(b"a", b"v"), node(b"b", b"v"), node(b"c", &big), node(b"d", &big)];
        let halves = Halves { lines: &lines, prefix: &[], size: PageSize::K4, growth: None };
        assert_eq!(halves.even(Some(true)).unwrap().at, 3);
        // With 1500 more bytes to come on the last line, it stands alone all the more.
        let grown = Halves { growth: Some((0, 2000)), ..halves };
        assert_eq!(grown.even(Some(true)).unwrap().at, 2);
    }
}
