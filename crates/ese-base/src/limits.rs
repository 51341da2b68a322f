//! Numeric limits, in one place. Where a limit is ESE's its source is named.

/// Databases an instance can attach at a time, besides the temporary one.
pub const DATABASES_MAX: u8 = 6;
/// Deepest user transaction (api-semantics 5.1).
pub const TRANSACTION_LEVEL_MAX: u8 = 7;
/// Deepest B+ tree; a longer descent is a cycle of damaged pages.
pub const TREE_DEPTH_MAX: usize = 16;
/// Longest name of a table, column or index (edb-format 6.1).
pub const NAME_LEN_MAX: usize = 64;
/// Default maximum of a key (edb-format 8.2).
pub const KEY_LEN_DEFAULT: usize = 255;
/// Bytes of a log segment (backup-log-recovery 1A.2).
pub const LOG_SEGMENT_LEN: usize = 4096;
