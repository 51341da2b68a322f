//! What kind an error is, and what a thread has done.

use std::time::Duration;

use ese_base::{ErrCat, Error, JetErr, Result, activity::Activity};

use super::{JET_GRBIT, JET_bitNil};

/// About one error: the only level of [`JetGetErrorInfoW`].
pub const JET_ErrorInfoSpecificErr: u32 = 1;

/// Kinds of errors.
pub type JET_ERRCAT = u32;

/// Nothing is known of the error.
pub const JET_errcatUnknown: JET_ERRCAT = 0;
/// Any error.
pub const JET_errcatError: JET_ERRCAT = 1;
/// Something that the program cannot help happened at work.
pub const JET_errcatOperation: JET_ERRCAT = 2;
/// It does not end before the instance does.
pub const JET_errcatFatal: JET_ERRCAT = 3;
/// Input or output failed.
pub const JET_errcatIO: JET_ERRCAT = 4;
/// Something is used up.
pub const JET_errcatResource: JET_ERRCAT = 5;
/// Memory is.
pub const JET_errcatMemory: JET_ERRCAT = 6;
/// A limit was reached.
pub const JET_errcatQuota: JET_ERRCAT = 7;
/// The disk is full.
pub const JET_errcatDisk: JET_ERRCAT = 8;
/// Files are not as they should be.
pub const JET_errcatData: JET_ERRCAT = 9;
/// They are damaged.
pub const JET_errcatCorruption: JET_ERRCAT = 10;
/// They do not belong together.
pub const JET_errcatInconsistent: JET_ERRCAT = 11;
/// They have become unfit for their use.
pub const JET_errcatFragmentation: JET_ERRCAT = 12;
/// The program uses the interface in a wrong way.
pub const JET_errcatApi: JET_ERRCAT = 13;
/// The call is wrong.
pub const JET_errcatUsage: JET_ERRCAT = 14;
/// The call is right at another time, or in another place.
pub const JET_errcatState: JET_ERRCAT = 15;
/// The function or the error is not in use any more.
pub const JET_errcatObsolete: JET_ERRCAT = 16;

/// What is known of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JET_ERRINFOBASIC {
    /// The error.
    pub errValue: i32,
    /// Its kind.
    pub errcatMostSpecific: JET_ERRCAT,
    /// The kinds that it belongs to, the widest first; the rest is [`JET_errcatUnknown`].
    pub rgCategoricalHierarchy: [JET_ERRCAT; 8],
}

fn number(category: ErrCat) -> JET_ERRCAT {
    match category {
        ErrCat::Operation => JET_errcatOperation,
        ErrCat::Fatal => JET_errcatFatal,
        ErrCat::IO => JET_errcatIO,
        ErrCat::Resource => JET_errcatResource,
        ErrCat::Memory => JET_errcatMemory,
        ErrCat::Quota => JET_errcatQuota,
        ErrCat::Disk => JET_errcatDisk,
        ErrCat::Corruption => JET_errcatCorruption,
        ErrCat::Inconsistent => JET_errcatInconsistent,
        ErrCat::Fragmentation => JET_errcatFragmentation,
        ErrCat::Usage => JET_errcatUsage,
        ErrCat::State => JET_errcatState,
        _ => JET_errcatUnknown,
    }
}

/// The kind that a kind is one of.
fn wider(category: JET_ERRCAT) -> Option<JET_ERRCAT> {
    match category {
        JET_errcatMemory | JET_errcatQuota | JET_errcatDisk => Some(JET_errcatResource),
        JET_errcatFatal | JET_errcatIO | JET_errcatResource => Some(JET_errcatOperation),
        JET_errcatCorruption | JET_errcatInconsistent | JET_errcatFragmentation => {
            Some(JET_errcatData)
        }
        JET_errcatUsage | JET_errcatState | JET_errcatObsolete => Some(JET_errcatApi),
        JET_errcatOperation | JET_errcatData | JET_errcatApi => Some(JET_errcatError),
        _ => None,
    }
}

/// Says what kind of error `pvContext` is.
///
/// # Errors
/// `JET_errInvalidParameter` (-1003) for no error, a number that is none, another level than
/// [`JET_ErrorInfoSpecificErr`], and any flag.
pub fn JetGetErrorInfoW(
    pvContext: Option<i32>,
    InfoLevel: u32,
    grbit: JET_GRBIT,
) -> Result<JET_ERRINFOBASIC> {
    let invalid = |what: String| Error::new(JetErr::InvalidParameter, what);
    let errValue = match pvContext {
        Some(error) if InfoLevel == JET_ErrorInfoSpecificErr => error,
        context => return Err(invalid(format!("level {InfoLevel} about {context:?}"))),
    };
    if grbit != JET_bitNil {
        return Err(invalid(format!("JetGetErrorInfoW: flags {grbit:#x}")));
    }
    let code = JetErr::from_code(errValue);
    let code = code.ok_or_else(|| invalid(format!("{errValue} is no error")))?;
    let errcatMostSpecific = number(code.info().category);
    let mut path = vec![errcatMostSpecific];
    while let Some(above) = path.last().and_then(|last| wider(*last)) {
        path.push(above);
    }
    let mut rgCategoricalHierarchy = [JET_errcatUnknown; 8];
    for (to, from) in rgCategoricalHierarchy.iter_mut().zip(path.iter().rev()) {
        *to = *from;
    }
    Ok(JET_ERRINFOBASIC { errValue, errcatMostSpecific, rgCategoricalHierarchy })
}

/// What a thread has made the engine do since it began, JET_THREADSTATS to JET_THREADSTATS3.
/// Numbers that pass their limit begin again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JET_THREADSTATS {
    /// Pages that were latched.
    pub cPageReferenced: u32,
    /// Pages that were read from disk.
    pub cPageRead: u32,
    /// Pages that were announced to the system for reading.
    pub cPagePreread: u32,
    /// Clean pages that were changed.
    pub cPageDirtied: u32,
    /// Dirty pages that were changed.
    pub cPageRedirtied: u32,
    /// Log records.
    pub cLogRecord: u32,
    /// Bytes of log records.
    pub cbLogRecord: u32,
    /// Microseconds that the thread waited for pages that were not in memory.
    pub cusecPageCacheMiss: u64,
    /// Pages that it waited for.
    pub cPageCacheMiss: u32,
    /// Long values that were read outside of their rows.
    pub cSeparatedLongValueRead: u32,
    /// Microseconds of them for pages of long values.
    pub cusecLongValuePageCacheMiss: u64,
    /// Pages of them that hold long values.
    pub cLongValuePageCacheMiss: u32,
}

/// What the calling thread has done, in all instances. Work of the engine's own threads is theirs.
#[must_use]
pub fn JetGetThreadStats() -> JET_THREADSTATS {
    let activity = Activity::of_this_thread();
    let micros = |waited: Duration| u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
    JET_THREADSTATS {
        cPageReferenced: activity.pages_referenced,
        cPageRead: activity.pages_read,
        cPagePreread: activity.pages_preread,
        cPageDirtied: activity.pages_dirtied,
        cPageRedirtied: activity.pages_redirtied,
        cLogRecord: activity.log_records,
        cbLogRecord: activity.log_bytes,
        cusecPageCacheMiss: micros(activity.misses.waited),
        cPageCacheMiss: activity.misses.pages,
        cSeparatedLongValueRead: activity.long_values_read,
        cusecLongValuePageCacheMiss: micros(activity.long_value_misses.waited),
        cLongValuePageCacheMiss: activity.long_value_misses.pages,
    }
}
