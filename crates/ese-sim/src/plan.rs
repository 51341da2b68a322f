//! Which of the pending changes survive a power cut.

use std::fmt;

use crate::{
    random::{Random, mix},
    track::Change,
};

/// What becomes of one pending change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Drop,
    Keep,
    /// Some sectors of a write, and the length that it extends the file to or not.
    Torn {
        sectors: Sectors,
        length: bool,
    },
}

/// What becomes of all of them.
#[derive(Clone, Debug)]
pub(crate) struct Fates {
    pub(crate) each: Vec<Fate>,
    /// Ranges that a file was extended over without their data being written hold stale bytes
    /// made from this seed, not zeros.
    pub(crate) garbage: Option<u64>,
}

/// Which sectors of one write were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sectors {
    /// None (with the length: the file grew, the data did not come).
    Nothing,
    /// All (without the length: the data came, the file did not grow).
    All,
    /// The first so many.
    Head(u64),
    /// The last so many.
    Tail(u64),
    /// All but the first and the last so many.
    Middle(u64),
    /// All but this one.
    Without(u64),
    /// Each or not, by a seed.
    Some(u64),
}

impl Sectors {
    /// Is the sector number `at` of `of` written?
    #[must_use]
    pub fn keeps(self, at: u64, of: u64) -> bool {
        match self {
            Sectors::Nothing => false,
            Sectors::All => true,
            Sectors::Head(count) => at < count,
            Sectors::Tail(count) => at + count >= of,
            Sectors::Middle(edge) => at >= edge && at + edge < of,
            Sectors::Without(one) => at != one,
            Sectors::Some(seed) => mix(seed, at) & 1 == 1,
        }
    }
}

/// The rest of the pending changes when one of them is torn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// All others are kept.
    Kept,
    /// Earlier ones are kept, later ones dropped.
    Before,
    /// All others are dropped.
    Dropped,
}

/// Which pending changes survive a power cut. Numbers count pending changes from 0, in the order
/// of their calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// None survives.
    Nothing,
    /// All survive.
    All,
    /// The first so many survive.
    Prefix(usize),
    /// All but one survive.
    DropOne(usize),
    /// One survives.
    KeepOne(usize),
    /// One write is torn.
    Torn {
        /// Number of the write.
        write: usize,
        /// Its sectors that survive.
        sectors: Sectors,
        /// Does the length that it extends its file to survive?
        length: bool,
        /// The others.
        rest: Rest,
    },
    /// Each change survives, is dropped or torn, by a seed.
    Random(u64),
    /// Files have their new lengths, but nothing that was written; names survive.
    LengthFirst,
    /// Everything that was written is there, but no file grew; names survive.
    DataFirst,
    /// Names survive, bytes and lengths do not.
    NamesOnly,
    /// Bytes and lengths survive, names do not.
    DataOnly,
}

/// Plans of these numbers are asked for in the first passes; later numbers walk through the
/// families.
pub(crate) const FIRST_PLANS: u64 = 8;

impl Plan {
    /// Plan number `number` for these pending changes. Low numbers are the telling ones. `None`
    /// where the number makes no sense for so few changes.
    pub(crate) fn numbered(number: u64, pending: &[impl AsRef<Change>], seed: u64) -> Option<Plan> {
        let count = pending.len();
        if number == 0 {
            return Some(Plan::Nothing);
        }
        let last = count.checked_sub(1)?;
        let mut random = Random::new(mix(seed, number));
        // Families that name one change walk through all of them, from a start that the seed gives.
        let walk = mix(seed, 77).wrapping_add(number / FIRST_PLANS);
        let one = crate::index(walk % count as u64);
        Some(match number % FIRST_PLANS {
            0 => match walk % 4 {
                0 => Plan::LengthFirst,
                1 => Plan::DataFirst,
                2 => Plan::NamesOnly,
                _ => Plan::DataOnly,
            },
            1 if number == 1 => Plan::All,
            // The newest change is the one that earlier points have not torn yet.
            2 => Plan::torn(last, pending, &mut random)?,
            3 => Plan::DropOne(one),
            4 => Plan::KeepOne(one),
            5 => Plan::Prefix(one),
            6 => Plan::torn(one, pending, &mut random)?,
            _ => Plan::Random(random.next_u64()),
        })
    }

    /// One way to tear a change; `None` if it is not a write of several sectors or an extension.
    fn torn(write: usize, pending: &[impl AsRef<Change>], random: &mut Random) -> Option<Plan> {
        let Change::Write { offset, data, .. } = pending.get(write)?.as_ref() else { return None };
        let end = offset + data.len() as u64;
        let count = end.div_ceil(crate::SECTOR) - offset / crate::SECTOR;
        let sectors = match random.below(12) {
            0 => Sectors::Nothing,
            1 => Sectors::All,
            2..=3 => Sectors::Head(random.below(count.max(1))),
            4..=5 => Sectors::Tail(random.below(count.max(1))),
            6 => Sectors::Middle(1 + random.below(count.div_ceil(2))),
            7..=8 => Sectors::Without(random.below(count.max(1))),
            _ => Sectors::Some(random.next_u64()),
        };
        let length = match sectors {
            Sectors::Nothing => true,
            Sectors::All => false,
            _ => random.chance(7, 8),
        };
        let rest = match random.below(8) {
            0 => Rest::Dropped,
            1..4 => Rest::Before,
            _ => Rest::Kept,
        };
        Some(Plan::Torn { write, sectors, length, rest })
    }

    /// What the plan says for each pending change.
    pub(crate) fn fates(self, pending: &[impl AsRef<Change>], garbage: Option<u64>) -> Fates {
        let each =
            pending.iter().enumerate().map(|(at, change)| self.fate(at, change.as_ref())).collect();
        Fates { each, garbage }
    }

    fn fate(self, at: usize, change: &Change) -> Fate {
        let keep_if = |kept| if kept { Fate::Keep } else { Fate::Drop };
        match self {
            Plan::Nothing => Fate::Drop,
            Plan::All => Fate::Keep,
            Plan::Prefix(count) => keep_if(at < count),
            Plan::DropOne(one) => keep_if(at != one),
            Plan::KeepOne(one) => keep_if(at == one),
            Plan::Torn { write, sectors, length, .. } if at == write => {
                Fate::Torn { sectors, length }
            }
            Plan::Torn { write, rest, .. } => keep_if(match rest {
                Rest::Kept => true,
                Rest::Before => at < write,
                Rest::Dropped => false,
            }),
            Plan::Random(seed) => random_fate(mix(seed, at as u64), mix(seed, 99) % 4, change),
            Plan::NamesOnly => keep_if(change.is_name()),
            Plan::DataOnly => keep_if(!change.is_name()),
            Plan::LengthFirst => match change {
                Change::Write { .. } => Fate::Torn { sectors: Sectors::Nothing, length: true },
                _ => Fate::Keep,
            },
            Plan::DataFirst => match change {
                Change::Write { .. } => Fate::Torn { sectors: Sectors::All, length: false },
                Change::Allocate { .. } => Fate::Drop,
                Change::SetLen { shortens, .. } => keep_if(*shortens),
                _ => Fate::Keep,
            },
        }
    }
}

/// A fate by dice: `mood` is one for all changes of a plan, so that mostly kept, mostly dropped and
/// mixed states all occur.
fn random_fate(dice: u64, mood: u64, change: &Change) -> Fate {
    let keep_of_16 = [8, 13, 3, 15][crate::index(mood % 4)];
    let low = dice % 16;
    if low < keep_of_16 {
        return Fate::Keep;
    }
    let tear = matches!(change, Change::Write { .. }) && (dice >> 8).is_multiple_of(3);
    if !tear {
        return Fate::Drop;
    }
    Fate::Torn { sectors: Sectors::Some(mix(dice, 5)), length: !(dice >> 16).is_multiple_of(4) }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Plan::Nothing => write!(f, "nothing survives"),
            Plan::All => write!(f, "all survive"),
            Plan::Prefix(count) => write!(f, "the first {count} survive"),
            Plan::DropOne(one) => write!(f, "all but number {one} survive"),
            Plan::KeepOne(one) => write!(f, "only number {one} survives"),
            Plan::Torn { write, sectors, length, rest } => {
                let grown = if *length { "with" } else { "without" };
                write!(f, "write {write} torn ({sectors:?}, {grown} its length), ")?;
                f.write_str(match rest {
                    Rest::Kept => "the others survive",
                    Rest::Before => "those before survive",
                    Rest::Dropped => "the others do not survive",
                })
            }
            Plan::Random(seed) => write!(f, "chosen by {seed:#x}"),
            Plan::LengthFirst => write!(f, "lengths without data"),
            Plan::DataFirst => write!(f, "data without lengths"),
            Plan::NamesOnly => write!(f, "names only"),
            Plan::DataOnly => write!(f, "data only"),
        }
    }
}

#[cfg(test)]
mod tests;
