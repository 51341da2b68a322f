//! Do the logs at hand reach as far as a database needs, and does redo end where it may? A plan and
//! the recovery itself ask here, so that the one says what the other does.

use ese_base::{Error, JetErr, LgPos, Result};
use ese_engine::recovery::{RecoveryFlags, RedoEnd, copy::CopyPlan};

use super::{CopyRequest, flags_of};

/// Are the generations at hand that the header asks for, and does redo end where it is to?
pub(super) fn check_reach(
    needs: &CopyPlan,
    request: &CopyRequest,
    cut_short: Option<Error>,
) -> Result<()> {
    let (min, max) = needs.required;
    if let Some(RedoEnd::CutAt(end)) = request.until
        && end < needs.from
        && needs.from.generation <= needs.last
    {
        let what = format!("redo is to end at {end}, and the database was whole at {}", needs.from);
        return Err(Error::new(JetErr::RequiredLogFilesMissing, what)
            .at_generation(end.generation)
            .advise("end later, or build the database from all of its logs (--from-logs)"));
    }
    if let Some(RedoEnd::CutAt(end)) = request.until
        && max.0 > 0
        && end <= (LgPos { generation: max, isec: 0, ib: 0 })
        && needs.from.generation <= needs.last
    {
        let what = format!(
            "redo is to end at {end}, and the database needs generations {:#x} to {:#x}",
            min.0, max.0
        );
        return Err(Error::new(JetErr::RequiredLogFilesMissing, what)
            .at_generation(max)
            .advise("end later, behind the last of them"));
    }
    if max > needs.last {
        let what = format!(
            "the database needs generations {:#x} to {:#x}; the last at hand is {:#x}",
            min.0, max.0, needs.last.0
        );
        return Err(Error::new(JetErr::RequiredLogFilesMissing, what)
            .at_generation(needs.last.next())
            .advise("bring the missing log files"));
    }
    let lost = flags_of(request).contains(RecoveryFlags::IGNORE_LOST_LOGS);
    if needs.committed > needs.last && !lost {
        let what = format!(
            "commits reach to generation {:#x}; the last at hand is {:#x}",
            needs.committed.0, needs.last.0
        );
        return Err(Error::new(JetErr::CommittedLogFilesMissing, what)
            .at_generation(needs.last.next())
            .advise(
                "bring the missing log files, or recover without them and lose those commits",
            ));
    }
    match cut_short {
        Some(error) if needs.from.generation <= needs.last && !lost => Err(error),
        _ => Ok(()),
    }
}
