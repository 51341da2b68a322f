//! Recovery: replay what the log says, take back what did not commit, leave every database clean.
//!
//! Redo goes forward through the log. Each record is applied by the functions that made it, page by
//! page: a page whose time is at or past the record's already holds the change. The records of
//! a macro group are collected and applied when its commit is read; a group without one never
//! happened. Then the transactions that are still open are undone with compensation records, as
//! ESE does, so that a crash in the middle of recovery is recovered like any other. At last pages
//! that interrupted work had taken are given back.
//!
//! The order at the end: undo records durable -> pages written -> headers clean -> `RecoveryQuit2`
//! -> checkpoint (written by the run that starts next). Until the last step a rerun finds the same
//! start and skips what is done.

mod databases;
mod places;
mod reclaim;
mod sessions;
mod undo;

use std::{ops::Bound, path::PathBuf, sync::Arc};

use ese_base::{Dbid, Generation, LgPos, Pgno, Result, Signature, StopToken, TrxId, plant};
use ese_log::{
    Attachment, DbmsParam, Log, LogLock, StreamReader,
    records::{PageHead, Record},
};
use ese_os::Env;
use ese_pages::fence::NoLog;

use self::{
    databases::{AttachInfo, RedoDatabases},
    places::Places,
    reclaim::Touched,
    sessions::{MacroGroup, ReplayedChange, ReplayedKind, ReplayedSessions},
};
use crate::{instance::InstanceConfig, redo, version::Addition};

/// What a caller may tell recovery beyond the configuration.
#[derive(Clone, Debug, Default)]
pub struct RecoveryOptions {
    /// Where databases lie now, by signature, when that is neither where the log says nor in the
    /// instance's own directories, where they are found without a word.
    pub moved: Vec<(Signature, PathBuf)>,
    /// The replay of a backup set: its databases are marked as copies.
    pub hard: bool,
    /// The right to use the logs, if the caller has it already.
    pub lock: Option<Arc<LogLock>>,
    /// Ends the redo between two records; another recovery then begins anew.
    pub stop: StopToken,
}

impl RecoveryOptions {
    /// Of an ordinary recovery, with databases that lie elsewhere now.
    #[must_use]
    pub fn with_moved(moved: Vec<(Signature, PathBuf)>) -> RecoveryOptions {
        RecoveryOptions { moved, ..RecoveryOptions::default() }
    }

    /// Of the replay of a backup set, with the places of its databases.
    #[must_use]
    pub fn restoring(moved: Vec<(Signature, PathBuf)>) -> RecoveryOptions {
        RecoveryOptions { moved, hard: true, ..RecoveryOptions::default() }
    }
}

/// What a recovery did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Where redo began.
    pub from: LgPos,
    /// Where the log ended.
    pub to: LgPos,
    /// Records read.
    pub records: u64,
    /// Page changes that were applied.
    pub applied: u64,
    /// Page changes that the page already held.
    pub skipped: u64,
    /// Transactions that were taken back.
    pub rolled_back: u64,
    /// Torn or damaged pages that were put right before redo.
    pub restored_pages: u64,
    /// Pages that work which did not come to its end had taken, given back.
    pub reclaimed_pages: u64,
    /// The highest transaction number of the log.
    pub last_trx: TrxId,
}

/// A replay in progress.
#[derive(Debug)]
struct Replay {
    databases: RedoDatabases,
    sessions: ReplayedSessions,
    places: Places,
    hard: bool,
    /// Deletions of committed transactions, to be removed for good at the end.
    to_remove: Vec<ReplayedChange>,
    /// Trees whose space was being changed.
    touched: Touched,
    shut_down_mark: Option<LgPos>,
    report: RecoveryReport,
}

/// Where replay starts and what is attached there.
#[derive(Clone, Debug)]
pub(crate) struct ReplayStart {
    pub(crate) pos: LgPos,
    pub(crate) attachments: Vec<Attachment>,
    /// Of the run that wrote them.
    pub(crate) params: DbmsParam,
    pub(crate) signature: Signature,
    /// First and last generation at hand.
    pub(crate) generations: (Generation, Generation),
}

/// Redoes everything from `start`. Undo follows with [`Redone::finish`], once the log can be
/// written.
pub(crate) fn redo_all(
    env: &Env,
    config: &InstanceConfig,
    options: RecoveryOptions,
    start: &ReplayStart,
    reader: &mut StreamReader,
) -> Result<Redone> {
    let databases = RedoDatabases::new(
        env,
        crate::instance::cache_options(config),
        config.page_size,
        start.signature,
        start.generations,
        options.hard,
    );
    let mut replay = Replay {
        databases,
        sessions: ReplayedSessions::default(),
        places: Places::new(env, config, options.moved, &start.params),
        hard: options.hard,
        to_remove: Vec::new(),
        touched: Touched::default(),
        shut_down_mark: None,
        report: RecoveryReport { from: start.pos, to: start.pos, ..RecoveryReport::default() },
    };
    for attachment in &start.attachments {
        let info = replay.places.locate(AttachInfo::from(attachment))?;
        replay.databases.attach(&info, start.pos)?;
    }
    while let Some(entry) = reader.next()? {
        options.stop.check()?;
        replay.report.records += 1;
        replay.report.to = entry.end;
        let (pos, end) = (entry.pos, entry.end);
        let replayed = replay.record(&entry.record, pos, end);
        replayed.map_err(|error| error.at_generation(pos.generation))?;
    }
    Ok(Redone { replay })
}

/// A replay that has read the whole log.
#[derive(Debug)]
pub(crate) struct Redone {
    replay: Replay,
}

impl Replay {
    fn record(&mut self, record: &Record<'_>, pos: LgPos, end: LgPos) -> Result<()> {
        match record {
            Record::Init2(init) => {
                self.places.run_begins(init.params);
                self.sessions.forget_all();
            }
            // What follows was written by the recovery that found these groups incomplete.
            Record::RecoveryUndo2(_) if plant!("engine-keep-open-groups") => {}
            Record::RecoveryUndo2(_) => drop(self.sessions.take_open_groups()),
            Record::ShutDownMark(_) => self.shut_down_mark = Some(pos),
            Record::Term2(_) | Record::RecoveryQuit2(_) => {
                let at = self.shut_down_mark.take().unwrap_or(pos);
                self.to_remove.clear();
                self.touched = Touched::default();
                self.databases.detach_all(at)?;
            }
            Record::CreateDb(create) => {
                let path = PathBuf::from(create.path.text());
                let counters = Default::default();
                let info =
                    AttachInfo { dbid: create.dbid, sign_db: create.sign_db, path, counters };
                self.databases.create(&self.places.locate(info)?, pos)?;
            }
            Record::CreateDbFinish(finish) => self.databases.creation_finished(finish.dbid, pos)?,
            Record::AttachDb(attach) => {
                let path = PathBuf::from(attach.path.text());
                let counters = Default::default();
                let info =
                    AttachInfo { dbid: attach.dbid, sign_db: attach.sign_db, path, counters };
                self.databases.attach(&self.places.locate(info)?, pos)?;
            }
            Record::DetachDb(detach) => {
                // Its number may be that of another database from now on.
                self.to_remove.retain(|change| change.dbid != detach.dbid);
                self.touched.forget(detach.dbid);
                self.databases.detach(detach.dbid, pos)?;
            }
            _ => match record.page_head() {
                Some(head) => self.page_record(head, record, pos, end)?,
                None => self.other(record, pos, end)?,
            },
        }
        Ok(())
    }

    /// Records of transactions and groups, and those that concern a whole database.
    fn other(&mut self, record: &Record<'_>, pos: LgPos, end: LgPos) -> Result<()> {
        match record {
            Record::Begin0(begin) => {
                self.sessions.saw(begin.trx_begin0);
                let session = self.sessions.session(begin.procid);
                session.begin0 = begin.trx_begin0;
                session.begin(begin.levels >> 4);
            }
            Record::Begin(begin) => self.sessions.session(begin.procid).begin(begin.levels >> 4),
            Record::Commit(commit) => {
                self.sessions.session(commit.procid).commit_to(commit.level_to);
            }
            Record::Commit0(commit) => {
                self.sessions.saw(commit.trx_commit0);
                let deleted = self.sessions.session(commit.procid).commit0();
                self.to_remove.extend(deleted);
            }
            Record::Rollback(rollback) => {
                self.sessions.session(rollback.procid).rollback(rollback.levels);
            }
            Record::MacroBegin(group) => {
                self.sessions.session(group.procid).group =
                    Some(MacroGroup { dbtime: group.dbtime, records: Vec::new() });
            }
            Record::MacroAbort(group) => self.sessions.session(group.procid).group = None,
            Record::MacroCommit(group) => {
                if let Some(group) = self.sessions.session(group.procid).group.take() {
                    self.commit_group(&group.records)?;
                }
            }
            Record::ExtendDb(extend) => {
                if let Some(db) = self.databases.open(extend.dbid) {
                    db.file.grow(extend.last)?;
                }
            }
            Record::NewPage(new) => {
                if let Some(db) = self.databases.open(new.dbid) {
                    redo::redo_page_record(db, record, pos, end, None)?;
                }
            }
            // Its pages may be in use elsewhere soon; nothing is left to remove from it.
            Record::FreeFdp(freed) => self
                .to_remove
                .retain(|change| change.dbid != freed.dbid || change.fdp != freed.pgno_fdp),
            // Nothing of what the pages behind were is needed. Those that were there again when the
            // log ended are made again by the records that follow.
            Record::ShrinkDb(shrink) => {
                if let Some(db) = self.databases.open(shrink.dbid) {
                    db.forget_missing((Bound::Excluded(shrink.last), Bound::Unbounded));
                    db.cache.cut_off(shrink.last)?;
                }
            }
            Record::TrimDb(trim) => self.forget_free(trim.dbid, trim.first, trim.pages),
            Record::ExtentFreed(freed) => self.forget_free(freed.dbid, freed.first, freed.pages),
            _ => {}
        }
        Ok(())
    }

    /// Pages are free: the file may have holes there, which is no loss.
    fn forget_free(&self, dbid: Dbid, first: Pgno, pages: u32) {
        if let Some(db) = self.databases.open(dbid) {
            db.forget_missing(first..Pgno(first.0.saturating_add(pages)));
        }
    }

    fn page_record(
        &mut self,
        head: &PageHead,
        record: &Record<'_>,
        pos: LgPos,
        end: LgPos,
    ) -> Result<()> {
        self.touched.see(head, record);
        if let Some(group) = &mut self.sessions.session(head.procid).group {
            let mut bytes = Vec::new();
            record.encode(&mut bytes)?;
            group.records.push((pos, end, bytes));
            return Ok(());
        }
        let Some(db) = self.databases.open(head.dbid).map(Arc::clone) else { return Ok(()) };
        db.cache.throttle(&NoLog)?;
        let before = self.follow(head, record);
        let before = before.as_ref().and_then(|change| match &change.kind {
            ReplayedKind::Replaced { before } => Some(before.as_slice()),
            _ => None,
        });
        let outcome = redo::redo_page_record(&db, record, pos, end, before)?;
        self.count(outcome);
        Ok(())
    }

    fn count(&mut self, outcome: redo::Outcome) {
        match outcome {
            redo::Outcome::Applied => self.report.applied += 1,
            redo::Outcome::Skipped => self.report.skipped += 1,
            redo::Outcome::NoPage => {}
        }
    }

    /// Keeps the session's list of changes; for a compensation record, gives the change that it
    /// takes back.
    fn follow(&mut self, head: &PageHead, record: &Record<'_>) -> Option<ReplayedChange> {
        use ese_log::records::{Delta, Delta64, RecordFlags};
        let session = self.sessions.session(head.procid);
        let versioned = head.flags.contains(RecordFlags::VERSIONED);
        match record {
            Record::UndoInfo(info) => session.announce(info),
            Record::Undo(undo) => return session.undone(undo.node.rceid),
            Record::Insert(insert) if versioned => {
                let key = [insert.prefix, insert.suffix].concat();
                session.inserted(&insert.node, key, insert.data);
            }
            Record::FlagInsert(insert) if versioned => {
                session.inserted(&insert.node, insert.key.to_vec(), insert.data);
            }
            Record::FlagInsertAndReplaceData(insert) if versioned => {
                session.replaced(&insert.node, insert.rceid_replace);
                session.inserted(&insert.node, insert.key.to_vec(), insert.data);
            }
            Record::Replace(replace) if versioned => {
                session.replaced(&replace.node, replace.node.rceid);
            }
            Record::ReplaceD(replace) if versioned => {
                session.replaced(&replace.node, replace.node.rceid);
            }
            Record::FlagDelete(delete) if versioned => session.deleted(&delete.node),
            Record::Delta(Delta { node, key, delta, offset, .. }) => {
                let added = Addition {
                    offset: *offset,
                    delta: i64::from(*delta),
                    wide: false,
                    ends_row: false,
                };
                session.added(node, key, added);
            }
            Record::Delta64(Delta64 { node, key, delta, offset, .. }) => {
                let added =
                    Addition { offset: *offset, delta: *delta, wide: true, ends_row: false };
                session.added(node, key, added);
            }
            _ => {}
        }
        None
    }

    fn commit_group(&mut self, group: &[(LgPos, LgPos, Vec<u8>)]) -> Result<()> {
        let mut records = Vec::with_capacity(group.len());
        for (pos, end, bytes) in group {
            records.push((*pos, *end, Record::decode(bytes)?));
        }
        let Some(dbid) = records.iter().find_map(|(_, _, r)| r.page_head().map(|h| h.dbid)) else {
            return Ok(());
        };
        let Some(db) = self.databases.open(dbid).map(Arc::clone) else { return Ok(()) };
        db.cache.throttle(&NoLog)?;
        for (_, _, record) in &records {
            if let Some(head) = record.page_head() {
                self.follow(head, record);
            }
        }
        for outcome in redo::redo_macro(&db, &records)? {
            self.count(outcome);
        }
        Ok(())
    }
}

impl Redone {
    /// Refuses to go on where a database or a page is missing that the log needs. To be called
    /// before anything of the log is changed.
    pub(crate) fn check_complete(&mut self) -> Result<()> {
        self.replay.databases.check_complete()
    }

    /// Must anything be taken back or written before the databases are clean?
    pub(crate) fn needs_undo(&self) -> bool {
        !self.replay.databases.all_open().is_empty()
    }

    /// The databases that are open, for the observer of the log.
    pub(crate) fn open_databases(&self) -> Vec<Arc<crate::database::Database>> {
        self.replay.databases.all_open()
    }

    /// Takes open transactions back and leaves every database clean.
    pub(crate) fn finish(mut self, env: &Env, log: &Arc<Log>) -> Result<RecoveryReport> {
        undo::finish(&mut self.replay, env, log)?;
        self.replay.report.last_trx = self.replay.sessions.last_trx;
        Ok(self.replay.report)
    }

    /// The report of a replay that found nothing to undo.
    pub(crate) fn report(mut self) -> Result<RecoveryReport> {
        self.replay.report.last_trx = self.replay.sessions.last_trx;
        Ok(self.replay.report)
    }
}
