//! On-disk structures of log and checkpoint files (backup-log-recovery 1A). Field names of the
//! raw structures are ESE's; all integers are little-endian, everything is packed.

mod attachment;
mod checkpoint;
mod dbms_param;
mod log_header;
mod segment;
#[cfg(all(test, plant))]
pub(crate) use segment::tests as segment_tests;

pub use attachment::Attachment;
pub use checkpoint::{CHECKPOINT_COPY_LEN, Checkpoint};
pub use dbms_param::DbmsParam;
pub use log_header::{Framing, HeaderFlags, LOG_HEADER_LEN, LogHeader, LogId, LogVersion};
pub(crate) use segment::{
    Found, classify, put_position, seal_as, segment_time, stored_checksum, used_len, zeroed_segment,
};
pub use segment::{SEGMENT_HEADER_LEN, SEGMENT_LEN, SegmentBytes, SegmentHead, Stamp};
