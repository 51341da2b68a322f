//! A restore that does not replay everything: where it ends.
//!
//! The copies of a set are of many moments, and only the log up to the last of these makes them
//! one. So there is a first moment that can be restored, which is the end of the last generation
//! that a trailer names; every record behind it can be the first that is left out.
//!
//! Of time a log knows when each segment was begun, nothing else (backup-log-recovery 1A.2). What
//! was committed up to a moment lies in segments that were begun before it or then; the first that
//! was begun later, and all behind it, are left out.

use ese_base::{Error, Generation, JetErr, LgPos, LogTime, Result};
use ese_log::layout::{Framing, SEGMENT_LEN, SegmentBytes, SegmentHead};
use ese_os::{Env, File, OpenMode};

use super::plan::{PlannedLog, RestorePlan};

/// Up to where a restore replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreUntil {
    /// Records before this position.
    Position(LgPos),
    /// What was committed up to this time (UTC), and what stands in the same segment of the log. A
    /// log of this engine holds half a second in a segment.
    Time(LogTime),
}

impl std::fmt::Display for RestoreUntil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RestoreUntil::Position(position) => position.fmt(f),
            RestoreUntil::Time(time) => time.fmt(f),
        }
    }
}

/// Where a replay will end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedEnd {
    /// The first position that is left out; the end of the log if nothing is.
    pub position: LgPos,
    /// When the last segment that is replayed was begun.
    pub time: Option<LogTime>,
    /// Is there anything behind it?
    pub leaves_out: bool,
}

impl RestorePlan {
    /// Where a replay of this plan ends that is to go so far. Of logs the heads of the segments are
    /// read.
    ///
    /// # Errors
    /// `JET_errEndingRestoreLogTooLow` (-553) where the copies hold later changes, and for a
    /// position behind all logs; `JET_errInvalidParameter` (-1003) for a position without a
    /// generation; `JET_errFeatureNotAvailable` (-1001) for logs of 512-byte sectors; the file
    /// system's.
    pub fn end(&self, env: &Env, until: Option<RestoreUntil>) -> Result<PlannedEnd> {
        if let Some(old) = self.logs.iter().find(|log| log.framing != Framing::Segments)
            && until.is_some()
        {
            let what = "a log of this old format does not tell when its records were written";
            return Err(Error::new(JetErr::FeatureNotAvailable, what)
                .at_path(&old.path)
                .at_generation(old.generation)
                .advise("restore everything"));
        }
        let first = self.first_restorable();
        let end = match until {
            None => return Ok(PlannedEnd { leaves_out: self.cut, ..self.whole(env)? }),
            Some(RestoreUntil::Position(position)) => self.end_at(env, position)?,
            Some(RestoreUntil::Time(time)) => self.end_after(env, time)?,
        };
        let everything = end.position == self.whole(env)?.position;
        if !end.leaves_out || end.position >= first || everything {
            return Ok(end);
        }
        let asked = until.map(|until| until.to_string()).unwrap_or_default();
        let begun = self.logs.iter().find(|log| log.generation == first.generation);
        let begun = begun.map_or_else(String::new, |log| format!(", begun at {}", log.created));
        Err(Error::new(
            JetErr::EndingRestoreLogTooLow,
            format!(
                "the end {asked} lies at {}, and the copies of the set hold changes up to {first}\
                 {begun}",
                end.position
            ),
        )
        .at_path(&self.dir)
        .advise("name a later end, or restore an older set"))
    }

    /// The first position that can be an end.
    fn first_restorable(&self) -> LgPos {
        let highs = self.databases.iter().map(|it| it.trailer.bkinfo.gen_high.get());
        LgPos::new(highs.max().unwrap_or(0).saturating_add(1), 0, 0)
    }

    fn end_at(&self, env: &Env, position: LgPos) -> Result<PlannedEnd> {
        if position.generation == Generation(0) {
            let what = format!("{position} is no position: generations are counted from 1");
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        let whole = self.whole(env)?;
        if position >= whole.position {
            let behind = LgPos::new(self.gen_high.0.saturating_add(1), 1, 0);
            if position <= behind {
                return Ok(PlannedEnd { leaves_out: self.cut, ..whole });
            }
            return Err(Error::new(
                JetErr::EndingRestoreLogTooLow,
                format!("the end {position} lies behind the last log, which ends at {behind}"),
            )
            .at_path(&self.dir)
            .at_generation(self.gen_high)
            .advise("add the logs that lead to it (--logs), or name an earlier end"));
        }
        let before = self.logs.iter().rev().filter(|log| log.generation <= position.generation);
        let time = before.map(|log| last_time(env, log, position)).find_map(Result::transpose);
        Ok(PlannedEnd { position, time: time.transpose()?, leaves_out: true })
    }

    /// The first segment that was begun later; where a clock went back, by the order of the log.
    fn end_after(&self, env: &Env, time: LogTime) -> Result<PlannedEnd> {
        let mut before = None;
        for log in &self.logs {
            let mut later = None;
            each_segment(env, log, |head| {
                if head.begun.is_after(time) {
                    later = Some(LgPos { generation: log.generation, isec: head.isec, ib: 0 });
                    return false;
                }
                before = Some(head.begun);
                true
            })?;
            if let Some(position) = later {
                return Ok(PlannedEnd { position, time: before, leaves_out: true });
            }
        }
        Ok(PlannedEnd { leaves_out: self.cut, ..self.whole(env)? })
    }

    /// The end of the last log that holds anything.
    fn whole(&self, env: &Env) -> Result<PlannedEnd> {
        let mut end = PlannedEnd { position: LgPos::MIN, time: None, leaves_out: false };
        for log in self.logs.iter().rev().filter(|log| log.framing == Framing::Segments) {
            let mut last = None;
            each_segment(env, log, |head| {
                last = Some(head);
                true
            })?;
            let Some(SegmentHead { isec, begun, end: used }) = last else { continue };
            let position = match u16::try_from(used) {
                Ok(ib) if used < SEGMENT_LEN => LgPos { generation: log.generation, isec, ib },
                _ => LgPos { generation: log.generation, isec: isec.saturating_add(1), ib: 0 },
            };
            (end.position, end.time) = (position, Some(begun));
            break;
        }
        Ok(end)
    }
}

/// When the last segment of a log before a position was begun.
fn last_time(env: &Env, log: &PlannedLog, before: LgPos) -> Result<Option<LogTime>> {
    let mut last = None;
    each_segment(env, log, |head| {
        let earlier = LgPos { generation: log.generation, isec: head.isec, ib: 0 } < before;
        last = if earlier { Some(head.begun) } else { last };
        earlier
    })?;
    Ok(last)
}

/// Looks at the segments of a log in their order, until the answer is false.
fn each_segment(
    env: &Env,
    log: &PlannedLog,
    mut look: impl FnMut(SegmentHead) -> bool,
) -> Result<()> {
    let file = env.fs.open(&log.path, OpenMode::Read)?;
    let mut last = 0;
    for_each_place(&*file, log.len, |place, bytes| {
        let Some(head) = SegmentHead::of(bytes, log.generation) else { return true };
        // A shadow counts where the segment itself is not whole.
        let here = place == head.isec || place == head.isec.saturating_add(1);
        if !here || head.isec <= last {
            return true;
        }
        last = head.isec;
        look(head)
    })
    .map_err(|error| error.at_path(&log.path).at_generation(log.generation))
}

fn for_each_place(
    file: &dyn File,
    len: u64,
    mut look: impl FnMut(u16, &SegmentBytes) -> bool,
) -> Result<()> {
    const PLACES: usize = 64;
    let places = u16::try_from(len / SEGMENT_LEN as u64).unwrap_or(u16::MAX);
    let mut buffer = vec![0; PLACES * SEGMENT_LEN];
    let mut first = 1;
    while first < places {
        let count = usize::from(places - first).min(PLACES);
        let bytes = buffer.get_mut(..count * SEGMENT_LEN).unwrap_or_default();
        file.read_at(bytes, u64::from(first) * SEGMENT_LEN as u64)?;
        let (segments, _) = bytes.as_chunks::<SEGMENT_LEN>();
        for (isec, segment) in (first..).zip(segments) {
            if !look(isec, segment) {
                return Ok(());
            }
        }
        first += u16::try_from(count).unwrap_or(u16::MAX);
    }
    Ok(())
}
