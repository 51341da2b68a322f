//! Logs that are at the target already: do they go on where the set ends? (backup-log-recovery 6.2)

use std::{collections::BTreeMap, path::PathBuf};

use ese_base::{Error, Generation, JetErr, Result};
use ese_log::{LogFile, LogHeader, LogNames, LogStream, Situation};
use ese_os::Env;

use super::{
    plan::{PlannedLog, RestorePlan},
    target::RestoreTarget,
};

/// The logs of the set's instance that are at the target.
#[derive(Debug, Default)]
pub(super) struct Existing {
    /// How the set's logs are to be called among them.
    names: Option<LogNames>,
    archives: BTreeMap<Generation, PathBuf>,
}

impl Existing {
    /// Where a generation of the set goes.
    pub(super) fn path_of(&self, generation: Generation) -> Option<PathBuf> {
        let own = self.archives.get(&generation).cloned();
        own.or_else(|| self.names.as_ref().map(|names| names.archive(generation)))
    }

    /// Looks at the logs of the target.
    ///
    /// # Errors
    /// `JET_errExistingLogFileHasBadSignature` (-610), `JET_errExistingLogFileIsNotContiguous`
    /// (-611), `JET_errMissingCurrentLogFiles` (-565), `JET_errLogCorruptDuringHardRecovery`
    /// (-574) for a header that cannot be read.
    pub(super) fn check(env: &Env, plan: &RestorePlan, target: &RestoreTarget) -> Result<Existing> {
        let stream = LogStream::scan(env, &LogNames::new(&target.log_dir, &plan.log_base))?;
        if stream.situation() == Situation::Empty {
            return Ok(Existing::default());
        }
        let mut headers = Vec::new();
        for (_, file) in stream.archives() {
            headers.push((file, header_of(file)?));
        }
        let archived = headers.len();
        if let Some(file) = stream.current() {
            headers.push((file, header_of(file)?));
        }
        if let Some((file, header)) =
            headers.iter().find(|(_, header)| header.signature != plan.log_signature)
        {
            return Err(Error::new(
                JetErr::ExistingLogFileHasBadSignature,
                format!("log signature {}, of the set {}", header.signature, plan.log_signature),
            )
            .at_path(&file.path)
            .at_generation(header.generation)
            .advise("move the logs of the other instance elsewhere"));
        }
        check_sequence(plan, &headers)?;
        let newest = headers.get(..archived).and_then(|archives| archives.last());
        if let Some((_, header)) = newest
            && stream.situation() == Situation::CurrentMissing
            && header.generation > plan.gen_high
        {
            let what = "the current log is missing while later logs than the set's are there";
            return Err(Error::new(JetErr::MissingCurrentLogFiles, what)
                .at_path(stream.names().current())
                .advise("bring it back, or move the logs behind the set's last one elsewhere"));
        }
        let archives = stream.archives().map(|(generation, file)| (generation, file.path.clone()));
        Ok(Existing { archives: archives.collect(), names: Some(stream.names().clone()) })
    }
}

fn header_of(file: &LogFile) -> Result<&LogHeader> {
    file.header().map_err(|error| {
        Error::new(
            JetErr::LogCorruptDuringHardRecovery,
            "the header of a log at the target cannot be read",
        )
        .at_path(&file.path)
        .advise("move the damaged log and those behind it elsewhere")
        .caused_by(error)
    })
}

/// From the set's first generation on they are the same logs, and go on without a hole.
fn check_sequence(plan: &RestorePlan, headers: &[(&LogFile, &LogHeader)]) -> Result<()> {
    let refuse = |file: &LogFile, header: &LogHeader, what: String| {
        Err(Error::new(JetErr::ExistingLogFileIsNotContiguous, what)
            .at_path(&file.path)
            .at_generation(header.generation)
            .advise("move the logs at the target elsewhere, or restore another set"))
    };
    let mut before = plan.logs.last().map(PlannedLog::id);
    for (file, header) in headers {
        let generation = header.generation;
        if generation < plan.gen_low {
            continue;
        }
        if let Some(log) = plan.logs.iter().find(|log| log.generation == generation) {
            let archived = file.path.file_stem().is_some_and(|stem| stem.len() > 3);
            if log.created != header.created || !archived {
                let what = format!("it is not the log of the set created at {}", log.created);
                return refuse(file, header, what);
            }
            continue;
        }
        match before {
            Some(before) if !header.follows(before) => {
                let last = before.generation.0;
                let what = format!("expected the log that follows generation {last:#x}");
                return refuse(file, header, what);
            }
            _ => {}
        }
        before = Some(header.id());
    }
    Ok(())
}
