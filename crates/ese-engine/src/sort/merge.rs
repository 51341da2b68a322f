//! Reading several sorted sources as one.
//!
//! The sources stand in a heap by their current rows, equal ones by the order in which the sources
//! came: rows of one key keep the order of their coming.

use std::{cmp::Ordering, sync::Arc};

use ese_base::{Error, Result};

use super::{
    RowRef,
    pile::SortedPile,
    run::{Run, RunFile, RunReader},
};

#[derive(Debug)]
enum Source {
    Run(RunReader),
    /// What never left memory; the number of its next row, which is one behind its current one.
    Pile(Arc<SortedPile>, usize),
}

impl Source {
    #[inline]
    fn row(&self) -> Option<RowRef<'_>> {
        match self {
            Source::Run(reader) => reader.row(),
            Source::Pile(pile, next) => pile.row(next.checked_sub(1)?),
        }
    }

    fn step(&mut self) -> Result<bool> {
        match self {
            Source::Run(reader) => reader.step(),
            Source::Pile(pile, next) => {
                *next += 1;
                Ok(*next <= pile.len())
            }
        }
    }
}

/// A source at its current row.
#[derive(Debug)]
struct Head {
    /// The first eight bytes of the key.
    prefix: u64,
    source: Source,
    /// The place of the source among all.
    rank: usize,
}

impl Head {
    fn look(&mut self) {
        self.prefix = prefix_of(self.key());
    }

    fn key(&self) -> &[u8] {
        self.source.row().unwrap_or_default().key
    }

    fn cmp(&self, other: &Head) -> Ordering {
        let by_key = || self.key().cmp(other.key());
        self.prefix.cmp(&other.prefix).then_with(by_key).then(self.rank.cmp(&other.rank))
    }
}

fn prefix_of(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (byte, from) in bytes.iter_mut().zip(key) {
        *byte = *from;
    }
    u64::from_be_bytes(bytes)
}

/// Several sources, read as one from the beginning to the end.
#[derive(Debug)]
pub(super) struct Merge {
    /// A heap: the smallest row first.
    heads: Vec<Head>,
    /// Of the rows of one key only the first is shown.
    distinct: bool,
    /// The key that was shown last, where that matters.
    last: Option<Vec<u8>>,
    /// The first head's row has been shown.
    shown: bool,
    /// Why a source could not be read on; without its rows the others are not what was sorted.
    failed: Option<Error>,
}

impl Merge {
    pub(super) fn new(
        runs: Option<&Arc<RunFile>>,
        list: &[Run],
        pile: Option<&Arc<SortedPile>>,
        distinct: bool,
    ) -> Result<Merge> {
        let readers = runs
            .into_iter()
            .flat_map(|file| list.iter().map(move |run| Source::Run(RunReader::new(file, *run))));
        let pile = pile.into_iter().map(|pile| Source::Pile(Arc::clone(pile), 0));
        let mut heads = Vec::new();
        for (rank, mut source) in readers.chain(pile).enumerate() {
            if source.step()? {
                let mut head = Head { prefix: 0, source, rank };
                head.look();
                heads.push(head);
            }
        }
        let mut merge = Merge { heads, distinct, last: None, shown: false, failed: None };
        for at in (0..merge.heads.len() / 2).rev() {
            merge.sink(at);
        }
        Ok(merge)
    }

    /// The current row.
    pub(super) fn row(&self) -> Option<RowRef<'_>> {
        if self.shown { self.heads.first()?.source.row() } else { None }
    }

    /// Goes to the next row. False: there is none. Once that has failed it fails again.
    pub(super) fn step(&mut self) -> Result<bool> {
        if let Some(error) = &self.failed {
            return Err(error.clone().advise("read the rows from the first on"));
        }
        let stepped = self.next();
        if let Err(error) = &stepped {
            self.failed = Some(error.clone().within("a row could not be read"));
        }
        stepped
    }

    fn next(&mut self) -> Result<bool> {
        loop {
            if self.shown {
                if self.distinct
                    && let Some(row) = self.heads.first().and_then(|head| head.source.row())
                {
                    let last = self.last.get_or_insert_default();
                    last.clear();
                    last.extend_from_slice(row.key);
                }
                self.shown = false;
                self.pass()?;
            }
            let Some(row) = self.heads.first().and_then(|head| head.source.row()) else {
                return Ok(false);
            };
            if self.distinct && self.last.as_deref() == Some(row.key) {
                self.pass()?;
                continue;
            }
            self.shown = true;
            return Ok(true);
        }
    }

    /// Goes on in the source with the smallest row.
    fn pass(&mut self) -> Result<()> {
        let Some(head) = self.heads.first_mut() else { return Ok(()) };
        if head.source.step()? {
            head.look();
        } else {
            self.heads.swap_remove(0);
        }
        self.sink(0);
        Ok(())
    }

    /// Puts a head where it belongs among those below it.
    fn sink(&mut self, mut at: usize) {
        loop {
            let left = 2 * at + 1;
            let less = |a: usize, b: usize| match (self.heads.get(a), self.heads.get(b)) {
                (Some(a), Some(b)) => a.cmp(b).is_lt(),
                _ => false,
            };
            let smaller = if less(left + 1, left) { left + 1 } else { left };
            if !less(smaller, at) {
                return;
            }
            self.heads.swap(at, smaller);
            at = smaller;
        }
    }
}
