//! Records of transactions and of atomic groups (log-records 2.2).

use ese_base::{DbTime, ProcId, TrxId};

use super::wire::record_struct;

record_struct! {
    /// A transaction begins at level 1 or deeper.
    Begin = 5 {
        /// Session.
        procid: ProcId,
        /// Low nibble: level before; high nibble: number of levels begun.
        levels: u8,
    }
}

record_struct! {
    /// An inner transaction commits.
    Commit = 6 {
        /// Session.
        procid: ProcId,
        /// The level that is left afterwards (1 or more).
        level_to: u8,
    }
}

record_struct! {
    /// Levels are rolled back; the records that undid their operations came before.
    Rollback = 7 {
        /// Session.
        procid: ProcId,
        /// Number of levels.
        levels: u8,
    }
}

record_struct! {
    /// An outermost transaction begins; logged before its first change.
    Begin0 = 8 {
        /// Session.
        procid: ProcId,
        /// Low nibble: level before (0); high nibble: number of levels begun at once.
        levels: u8,
        /// Number of the transaction.
        trx_begin0: TrxId,
    }
}

record_struct! {
    /// An outermost transaction commits.
    Commit0 = 9 {
        /// Session.
        procid: ProcId,
        /// The level that is left: 0.
        level_to: u8,
        /// Number of the commit, from the same counter as `trx_begin0`.
        trx_commit0: TrxId,
    }
}

record_struct! {
    /// A session's transaction got a new number.
    Refresh = 10 {
        /// Session.
        procid: ProcId,
        /// The new number.
        trx_begin0: TrxId,
    }
}

record_struct! {
    /// A group of records that are applied together begins.
    MacroBegin = 11 {
        /// Session.
        procid: ProcId,
        /// The dbtime that all pages of the group get.
        dbtime: DbTime,
    }
}

record_struct! {
    /// The group is complete: everything since its MacroBegin happened.
    MacroCommit = 12 {
        /// Session.
        procid: ProcId,
        /// The dbtime of its MacroBegin.
        dbtime: DbTime,
    }
}

record_struct! {
    /// The group did not happen.
    MacroAbort = 13 {
        /// Session.
        procid: ProcId,
        /// The dbtime of its MacroBegin.
        dbtime: DbTime,
    }
}

/// The byte of [`Begin`] and [`Begin0`] for `count` levels begun at level `before` (both < 16).
#[must_use]
pub fn begin_levels(before: u8, count: u8) -> u8 {
    (before & 0x0f) | (count << 4)
}
