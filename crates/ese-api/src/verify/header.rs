//! What the header of a database says, and cannot be.

use ese_base::{Error, Generation, JetErr, LgPos, ObjId};
use ese_engine::reader::{CatalogSource, OfflineDatabase};
use ese_pages::{DbHeader, DbState};

use super::Severity;

/// What is wrong with a header by itself, the state of a database that is not clean included.
pub(super) fn findings(header: &DbHeader) -> Vec<(Severity, Error)> {
    let mut found = Vec::new();
    found.extend(header.check_clock().err().map(|error| (Severity::Error, error)));
    if header.state() == DbState::CleanShutdown {
        found.extend(contradictions(header).map(|what| {
            let advice = "the header is damaged: restore the file from a backup, or compact it";
            let error = Error::new(JetErr::DatabaseCorrupted, format!("the header says {what}"));
            (Severity::Error, error.advise(advice))
        }));
    } else {
        let error = not_clean(header);
        let healed = matches!(
            error.code(),
            JetErr::DatabaseDirtyShutdown | JetErr::SoftRecoveryOnBackupDatabase
        );
        found.push((if healed { Severity::Warning } else { Severity::Error }, error));
    }
    found
}

/// What no clean database says.
fn contradictions(header: &DbHeader) -> impl Iterator<Item = String> {
    let (first, last) = header.required();
    let required = (first.0, last.0) != (0, 0);
    let required = required.then(|| {
        let what = "that the database is clean, and needs log generations";
        format!("{what} {:#x} to {:#x}", first.0, last.0)
    });
    let at = header.lgpos_consistent.get();
    // A negative generation reads as none; all zero is a database that no log knows.
    let none = at.generation == Generation(0) && at > LgPos::MIN;
    let nowhere = at.generation > Generation::LAST_OF_ALL || none;
    let nowhere =
        nowhere.then(|| format!("that the database was closed at {at}, where no log comes to"));
    required.into_iter().chain(nowhere)
}

/// Why a database is not clean, and what helps.
fn not_clean(header: &DbHeader) -> Error {
    let state = header.state();
    let (first, last) = header.required();
    let needs = match (first.0, last.0) {
        (0, 0) => format!("{state}: it does not say which log generations it needs"),
        (first, last) => format!("{state}: it needs log generations {first:#x} to {last:#x}"),
    };
    if header.is_backup_copy() {
        return Error::new(JetErr::SoftRecoveryOnBackupDatabase, needs)
            .advise("restore the backup set");
    }
    let dirty = |what: String| Error::new(JetErr::DatabaseDirtyShutdown, what);
    match state {
        DbState::JustCreated => dirty(format!("{state}: its creation was not finished"))
            .advise("build it from its logs (`ese recover --from-logs`)"),
        DbState::DirtyShutdown
        | DbState::ForceDetach
        | DbState::DirtyAndPatched
        | DbState::CleanShutdown => dirty(needs).advise("recover it from its logs"),
        DbState::BeingConverted
        | DbState::IncrementalReseed
        | DbState::RevertInProgress
        | DbState::Unknown(_) => {
            let what = format!("{state}: in this state no log makes the database whole");
            Error::new(JetErr::DatabaseCorrupted, what)
                .advise("restore it from a backup; --as-is reads what is there")
        }
    }
}

/// Each table, index and tree of long values has an object id that was given out: the next one must
/// not be another's.
pub(super) fn check_objid(header: &DbHeader, database: &OfflineDatabase) -> Option<Error> {
    let last = header.last_objid();
    if last == ObjId(u32::MAX) {
        let what = "the header says that every object id of the database is used";
        return Some(Error::new(JetErr::OutOfObjectIDs, what).advise("compact the database"));
    }
    if database.catalog_source() == CatalogSource::Pieces {
        return None;
    }
    let ids = database.tables().iter().flat_map(|table| {
        let indexes = table.secondary().map(|index| index.objid);
        std::iter::once(table.objid).chain(indexes).chain(table.lv.iter().map(|lv| lv.objid))
    });
    let greatest = ids.max().filter(|greatest| *greatest > last)?;
    let what = format!(
        "the header says that object ids were given out up to {last}, the catalog has {greatest}"
    );
    Some(
        Error::new(JetErr::DatabaseCorrupted, what)
            .advise("the header is damaged: restore the file from a backup, or compact it"),
    )
}
