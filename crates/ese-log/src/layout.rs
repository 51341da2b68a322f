//! On-disk structures of log and checkpoint files (backup-log-recovery 1A). Field names are
//! ESE's; all integers little-endian, packed.

mod dbms_param;

pub use dbms_param::DbmsParam;
