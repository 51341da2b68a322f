//! The ESE transaction log: records, generations, group commit, reader, checkpoint.
//!
//! A log stream is a row of files of one size ("generations"). The engine appends a record of each
//! change before it makes the change, and a commit waits until its record is durable; after a crash
//! the stream is read from the checkpoint on and the changes are made again. The format is the
//! genuine one (8.4000.5.16): what this crate writes, Windows can replay, and the other way round.
//!
//! * [`records`]: what happened, as values.
//! * [`layout`]: headers, segments and the checkpoint as they lie on disk.
//! * [`Log`]: the writer. [`LogStream`], [`StreamReader`]: the reader.

#![forbid(unsafe_code)]

mod buffer;
mod checkpoint;
mod dump;
pub mod layout;
mod lock;
mod names;
#[cfg(all(test, plant))]
mod planted;
mod reader;
pub mod records;
mod removal;
#[cfg(test)]
mod testing;
mod writer;

pub use checkpoint::{read_checkpoint, write_checkpoint};
pub use dump::{describe_header, dump_file};
pub use layout::{Attachment, Checkpoint, DbmsParam, LogHeader, LogId, LogVersion};
pub use lock::LogLock;
pub use names::{Extension, LogName, LogNames, NameKind};
pub use reader::{
    Entry, Foresight, LeftAside, LogFile, LogPool, LogRole, LogStream, LoggedPlace, Situation,
    StreamEnd, StreamReader, Wanted, check_successor,
};
pub use records::Record;
pub use removal::{make_current, remove_all, remove_from};
pub use writer::{
    Appended, DurableWatcher, GenerationPin, Log, LogConfig, LogObserver, LogStatistics, RoundTimes,
};
