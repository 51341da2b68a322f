//! The reader of a log stream.
//!
//! * [`stream`]: which files there are, and what that means;
//! * [`segments`]: the segments of one file, and where its data ends;
//! * [`ranges`]: the same for the older format, which has no segments;
//! * [`records`]: records out of both, over all files; [`ahead`]: with a thread that reads ahead;
//! * [`pool`]: which files belong together, whatever they are called;
//! * [`trouble`]: what is there of a stream that has lost something;
//! * [`end`]: where the stream ends, for a writer that goes on there.
//!
//! Nothing here writes. The rules for the end of the data are backup-log-recovery 1.8, sharpened
//! by what our own writer stamps into segments (see [`crate::layout`]): a tail that a power cut
//! tore is dropped silently; damage that no power cut can have made is an error.

mod ahead;
mod end;
mod pool;
mod ranges;
mod records;
mod segments;
mod stream;
mod trouble;

#[cfg(test)]
pub(crate) mod tests;

pub use ahead::{Foresight, LoggedPlace};
pub use end::StreamEnd;
pub use pool::{LeftAside, LogPool, LogRole, Wanted, check_successor};
pub use records::{Entry, StreamReader};
pub use stream::{LogFile, LogStream, Situation};

/// The tail protocol is proved against the reader's own rules.
#[cfg(test)]
pub(crate) mod segments_for_tests {
    pub(crate) use super::segments::{Role, Segments};
    pub(crate) use crate::layout::used_len;
}
