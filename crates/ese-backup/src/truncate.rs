//! Which generations a backup copies, which of them were copied, and which it may delete
//! (backup-log-recovery 4.7, 4.8; decision D20 of section 9).
//!
//! A generation may be deleted only when no attached database needs it to become consistent and
//! no set of backups needs it to be rolled forward. So everything here takes the smallest of
//! several bounds, and "nothing" whenever a bound is unknown.

use std::collections::BTreeSet;

use ese_base::Generation;

/// Generations `low <= g < end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GenerationRange {
    /// The first.
    pub low: Generation,
    /// The one behind the last.
    pub end: Generation,
}

impl GenerationRange {
    /// `low <= g < end`.
    #[must_use]
    pub fn new(low: Generation, end: Generation) -> GenerationRange {
        GenerationRange { low, end }
    }

    /// Does it hold no generation?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.low >= self.end
    }

    /// Is the generation in it?
    #[must_use]
    pub fn contains(self, generation: Generation) -> bool {
        self.low <= generation && generation < self.end
    }

    /// The generations, ascending.
    pub fn iter(self) -> impl Iterator<Item = Generation> {
        (self.low.0..self.end.0).map(Generation)
    }
}

/// What is known about a database when the log list is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatabaseNeeds {
    /// Its file was delivered to the last byte by this backup.
    pub(crate) copied: bool,
    /// `bkinfoFullPrev.genHigh` of its header; 0: never backed up.
    pub(crate) full_prev_gen_high: Generation,
    /// `genMinRequired` of its header; 0: none.
    pub(crate) gen_min_required: Generation,
}

/// `[DeleteMic, DeleteMac)` of a full backup that copies from `copy_low` on.
///
/// `copy_low` is the checkpoint's generation when the backup began. The checkpoint never moves
/// back, so it is also the smaller of `copy_low` and the checkpoint now. A database that this
/// backup leaves out keeps every log since its own last full backup; without such a backup
/// nothing may go.
pub(crate) fn deletable_by_full(
    lowest_on_disk: Generation,
    copy_low: Generation,
    databases: &[DatabaseNeeds],
) -> GenerationRange {
    let mut end = copy_low;
    for database in databases {
        if !database.copied {
            end = end.min(database.full_prev_gen_high);
        }
        end = below_required(end, database.gen_min_required);
    }
    GenerationRange::new(lowest_on_disk, end.max(lowest_on_disk))
}

/// `[DeleteMic, DeleteMac)` of an incremental backup that copies up to `copy_end`.
pub(crate) fn deletable_by_incremental(
    lowest_on_disk: Generation,
    copy_end: Generation,
    checkpoint: Generation,
    databases: &[DatabaseNeeds],
) -> GenerationRange {
    let mut end = checkpoint.min(copy_end);
    for database in databases {
        end = below_required(end, database.gen_min_required);
    }
    GenerationRange::new(lowest_on_disk, end.max(lowest_on_disk))
}

fn below_required(end: Generation, gen_min_required: Generation) -> Generation {
    if gen_min_required.0 == 0 { end } else { end.min(gen_min_required) }
}

/// The log generations whose file was read to its last byte. The published engine adds up their
/// numbers, so that one log read twice can hide another one not read; a set cannot be fooled.
#[derive(Clone, Debug, Default)]
pub(crate) struct CopiedLogs(BTreeSet<Generation>);

impl CopiedLogs {
    pub(crate) fn insert(&mut self, generation: Generation) {
        self.0.insert(generation);
    }

    /// The first generation of `range` that was not copied.
    pub(crate) fn first_missing(&self, range: GenerationRange) -> Option<Generation> {
        range.iter().find(|generation| !self.0.contains(generation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(copied: bool, full_prev: u32, required: u32) -> DatabaseNeeds {
        DatabaseNeeds {
            copied,
            full_prev_gen_high: Generation(full_prev),
            gen_min_required: Generation(required),
        }
    }

    fn range(low: u32, end: u32) -> GenerationRange {
        GenerationRange::new(Generation(low), Generation(end))
    }

    #[test]
    fn a_complete_full_backup_deletes_what_lies_below_its_first_log() {
        let deleted = deletable_by_full(Generation(2), Generation(7), &[needs(true, 0, 9)]);
        assert_eq!(deleted, range(2, 7));
    }

    #[test]
    fn a_database_left_out_keeps_the_logs_since_its_own_full_backup() {
        let all = [needs(true, 0, 9), needs(false, 5, 9)];
        assert_eq!(deletable_by_full(Generation(2), Generation(7), &all), range(2, 5));
    }

    #[test]
    fn a_database_left_out_that_was_never_backed_up_keeps_everything() {
        let all = [needs(true, 0, 9), needs(false, 0, 9)];
        assert!(deletable_by_full(Generation(2), Generation(7), &all).is_empty());
    }

    #[test]
    fn a_log_that_a_database_requires_is_never_deleted() {
        let full = deletable_by_full(Generation(2), Generation(7), &[needs(true, 0, 4)]);
        assert_eq!(full, range(2, 4));
        let incremental = deletable_by_incremental(
            Generation(2),
            Generation(9),
            Generation(8),
            &[needs(false, 5, 6)],
        );
        assert_eq!(incremental, range(2, 6));
    }

    #[test]
    fn an_incremental_backup_stops_at_the_checkpoint_and_at_its_own_end() {
        let checkpoint_low = deletable_by_incremental(
            Generation(2),
            Generation(9),
            Generation(6),
            &[needs(false, 5, 8)],
        );
        assert_eq!(checkpoint_low, range(2, 6));
        let end_low = deletable_by_incremental(Generation(2), Generation(9), Generation(12), &[]);
        assert_eq!(end_low, range(2, 9));
    }

    #[test]
    fn a_log_read_twice_does_not_stand_for_another() {
        let mut copied = CopiedLogs::default();
        copied.insert(Generation(3));
        copied.insert(Generation(3));
        assert_eq!(copied.first_missing(range(3, 5)), Some(Generation(4)));
        copied.insert(Generation(4));
        assert_eq!(copied.first_missing(range(3, 5)), None);
    }
}
