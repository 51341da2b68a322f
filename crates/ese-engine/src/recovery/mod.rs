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
//!
//! * `options`: what a caller may ask for; `watch`: who is told and asked;
//! * `limit`: redo that ends before the log does;
//! * [`copy`]: the same on a copy, with a log that is only read; `changes`: what it did to rows;
//! * `databases`, `ranges`, `places`: which file is meant, does it fit the log, where it is;
//! * `preload`: pages brought to memory before their records come;
//! * `sessions`: what undo needs; `undo`, `reclaim`: the second half.

mod changes;
pub mod copy;
mod databases;
mod limit;
mod options;
mod places;
mod preload;
mod ranges;
mod reclaim;
mod report;
mod sessions;
mod undo;
mod watch;

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use ese_base::{Dbid, Error, Generation, JetErr, LgPos, ObjId, Pgno, Result, StopToken, plant};
use ese_log::{
    Attachment, Checkpoint, DbmsParam, Foresight, Log, LogNames, StreamReader,
    records::{PageHead, Record, RecordFlags},
};
use ese_os::Env;
use ese_pages::cache::CacheOptions;

use self::{
    changes::Changes,
    databases::{RedoDatabases, needed_before},
    limit::Announcer,
    places::{AttachInfo, Places},
    preload::Preload,
    reclaim::Touched,
    sessions::{MacroGroup, ReplayedChange, ReplayedKind, ReplayedSessions},
};
pub use self::{
    changes::TreeChanges,
    options::{MappedDatabase, RecoveryFlags, RecoveryOptions, RedoEnd, WhenMissing},
    report::RecoveryReport,
    watch::{Answer, LogPlace, NextAction, OpenReason, RecoveryEvent, Watcher},
};
pub(crate) use self::{
    limit::{Limit, missing_current},
    ranges::Ranges,
    watch::Watch,
};
use crate::{database::Database, instance::InstanceConfig, op::Undone, redo, version::Addition};

/// A replay in progress.
#[derive(Debug)]
struct Replay<'w, 'a> {
    watch: &'w mut Watch<'a>,
    databases: RedoDatabases,
    preload: Arc<Preload>,
    sessions: ReplayedSessions,
    places: Places,
    hard: bool,
    /// The log does not describe how databases begin.
    early: bool,
    /// Deletions of committed transactions, to be removed for good at the end.
    to_remove: Vec<ReplayedChange>,
    /// Trees whose space was being changed.
    touched: Touched,
    /// What redo and undo do to the rows of tables.
    changes: Changes,
    shut_down_mark: Option<LgPos>,
    report: RecoveryReport,
    /// The record that is being replayed.
    at: (LgPos, &'static str),
}

/// Where replay starts and what is attached there.
#[derive(Clone, Debug)]
pub(crate) struct ReplayStart {
    pub(crate) pos: LgPos,
    pub(crate) attachments: Vec<Attachment>,
    /// Of the run that wrote them.
    pub(crate) params: DbmsParam,
    /// What is there of the log, and what may be passed over.
    pub(crate) ranges: Ranges,
    /// How far it goes.
    pub(crate) limit: Limit,
    /// How its files are called.
    pub(crate) names: LogNames,
    /// The generation of the current file, if there is one.
    pub(crate) current: Option<Generation>,
    /// Where there is none, may recovery go on?
    pub(crate) missing_current_allowed: bool,
    /// Segments of a file.
    pub(crate) sectors: u16,
    /// Is the log of format 7.3704, which does not describe how databases begin?
    pub(crate) early: bool,
}

/// Redoes everything from `start`. Undo follows with [`Redone::finish`], once the log can be
/// written.
pub(crate) fn redo_all<'w, 'a>(
    env: &Env,
    config: &InstanceConfig,
    options: RecoveryOptions<'_>,
    watch: &'w mut Watch<'a>,
    start: &ReplayStart,
    reader: &mut StreamReader<'_>,
) -> Result<Redone<'w, 'a>> {
    let databases =
        RedoDatabases::new(env, cache_options(config), config.page_size, start.ranges.clone());
    let mut replay = Replay {
        watch,
        databases,
        preload: Arc::default(),
        sessions: ReplayedSessions::default(),
        places: Places::new(env, config, &options, &start.params),
        hard: options.hard,
        early: start.early,
        to_remove: Vec::new(),
        touched: Touched::default(),
        changes: Changes::default(),
        shut_down_mark: None,
        report: RecoveryReport { from: start.pos, to: start.pos, ..RecoveryReport::default() },
        at: (start.pos, ""),
    };
    for attachment in &start.attachments {
        let info = replay.places.locate(AttachInfo::from(attachment))?;
        replay.databases.attach(&info, start.pos, replay.watch)?;
    }
    reader.read_ahead(Arc::clone(&replay.preload) as Arc<dyn Foresight>);
    replay.preload.begin(replay.databases.all_open());
    let read = replay.read(&options.stop, start, reader);
    replay.preload.end();
    let stopped = read?;
    if let Some(at) = stopped.filter(|_| !start.limit.is_pause()) {
        replay.check_cut(at)?;
    }
    Ok(Redone { replay, stopped })
}

/// The generation from which the databases that a checkpoint has attached need the log, if one of
/// them is in an older state than the checkpoint knows.
///
/// # Errors
/// The file system's, of looking for the files.
pub(crate) fn needed_before_checkpoint(
    env: &Env,
    config: &InstanceConfig,
    options: &RecoveryOptions<'_>,
    checkpoint: &Checkpoint,
    oldest: Generation,
) -> Result<Option<Generation>> {
    let mut places = Places::new(env, config, options, &checkpoint.params);
    let (at, log) = (checkpoint.checkpoint, (checkpoint.signature, oldest));
    let mut first = None;
    for attachment in &checkpoint.attachments {
        let info = places.locate(AttachInfo::from(attachment))?;
        let header = places.header_of(&info.path);
        let needed = header.and_then(|header| needed_before(&header, &info, at, log));
        first = first.into_iter().chain(needed).min();
    }
    Ok(first)
}

/// Recovery writes at its end nearly all that it has changed, and nobody waits for a page of a
/// batch: in larger batches the device is asked less often whether it has everything.
fn cache_options(config: &InstanceConfig) -> CacheOptions {
    let options = crate::instance::cache_options(config);
    let most = (options.dirty_pages_max / 4).max(options.batch_pages);
    CacheOptions { batch_pages: (4 * options.batch_pages).min(most), ..options }
}

/// A replay that has read the log, as far as it was to.
#[derive(Debug)]
pub(crate) struct Redone<'w, 'a> {
    replay: Replay<'w, 'a>,
    stopped: Option<LgPos>,
}

impl Replay<'_, '_> {
    /// Replays the records. The value is the position of the first that is beyond the limit.
    fn read(
        &mut self,
        stop: &StopToken,
        start: &ReplayStart,
        reader: &mut StreamReader<'_>,
    ) -> Result<Option<LgPos>> {
        let mut announcer = Announcer::new(start);
        announcer.first(self.watch, &self.databases)?;
        loop {
            let entry = match reader.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => return Err(self.of_committed_only(error)),
            };
            stop.check()?;
            if start.limit.is_passed(entry.pos, entry.time) {
                self.report.to = entry.pos;
                return Ok(Some(entry.pos));
            }
            announcer.reached(entry.pos, self.watch, &self.databases)?;
            self.report.records += 1;
            self.report.to = entry.end;
            let (pos, end) = (entry.pos, entry.end);
            self.at = (pos, entry.record.name());
            let replayed = self.record(&entry.record, pos, end);
            replayed.map_err(|error| self.located(error))?;
        }
        announcer.end(self.watch, &self.databases)?;
        Ok(None)
    }

    /// Says which record could not be replayed. What a page refuses although the record fits it was
    /// never logged by an engine that is well: that is the log's fault, not ours.
    fn located(&self, error: Error) -> Error {
        let (pos, name) = self.at;
        let error = match error.code() {
            JetErr::InternalError => error.with_code(JetErr::InvalidLoggedOperation),
            _ => error,
        };
        error.within(&format!("{name} record at {pos}")).at_generation(pos.generation)
    }

    /// Where the log is to be cut, no database may hold anything from behind.
    fn check_cut(&self, at: LgPos) -> Result<()> {
        let Some(needed) = self.databases.needs().map(|needs| needs.max_required).max() else {
            return Ok(());
        };
        if needed < at.generation {
            return Ok(());
        }
        let code = match self.hard {
            true => JetErr::EndingRestoreLogTooLow,
            false => JetErr::RequiredLogFilesMissing,
        };
        let what = format!(
            "redo is to end at {at}, and a database holds changes up to generation {:#x}",
            needed.0
        );
        Err(Error::new(code, what).advise("end later, or begin with an older backup"))
    }

    /// Damage in a generation without which all databases can be made whole.
    fn of_committed_only(&self, error: Error) -> Error {
        use JetErr::{LogCorrupted, LogFileCorrupt, LogSequenceChecksumMismatch};
        let damage = [LogCorrupted, LogFileCorrupt, LogSequenceChecksumMismatch];
        let Some(generation) = error.generation().filter(|_| damage.contains(&error.code())) else {
            return error;
        };
        let mut needs = self.databases.needs().peekable();
        if needs.peek().is_none() || needs.any(|needs| needs.max_required >= generation) {
            return error;
        }
        if self.databases.needs().all(|needs| needs.max_committed < generation) {
            return error;
        }
        let wrong = Error::new(
            JetErr::CommittedLogFileCorrupt,
            "only commits need this log, no database does to be whole",
        )
        .at_generation(generation)
        .advise("bring the log back from a copy, or recover without it and lose those commits");
        let wrong = match error.path() {
            Some(path) => wrong.at_path(path),
            None => wrong,
        };
        wrong.caused_by(error)
    }

    fn record(&mut self, record: &Record<'_>, pos: LgPos, end: LgPos) -> Result<()> {
        match record.page_head() {
            Some(head) => self.page_record(head, record, pos, end),
            None if is_about_databases(record) => {
                // Nobody else may hold a database that goes, or a page that is cut off.
                self.preload.end();
                let done = self.database_record(record, pos, end);
                self.preload.begin(self.databases.all_open());
                done
            }
            None => self.other(record, pos, end),
        }
    }

    /// Records with which databases come and go, or lose pages.
    fn database_record(&mut self, record: &Record<'_>, pos: LgPos, end: LgPos) -> Result<()> {
        match record {
            Record::Init2(init) => {
                self.places.run_begins(init.params);
                self.sessions.forget_all();
            }
            Record::Term2(_) | Record::RecoveryQuit2(_) => {
                let at = self.shut_down_mark.take().unwrap_or(pos);
                self.to_remove.clear();
                self.touched = Touched::default();
                self.tell_detaching(None)?;
                self.databases.carry_missing(None);
                self.databases.detach_all(at)?;
            }
            Record::CreateDb(create) => {
                let (path, at) = (create.path.text(), [LgPos::MIN, pos]);
                let info = AttachInfo::of_record(create.dbid, create.sign_db, &path, at);
                self.databases.create(&self.places.locate(info)?, pos, self.watch)?;
                if self.early {
                    self.databases.create_early(create.dbid, pos, end)?;
                }
            }
            Record::CreateDbFinish(finish) => self.databases.creation_finished(finish.dbid, pos)?,
            Record::AttachDb(attach) => {
                let (path, at) = (attach.path.text(), [attach.lgpos_consistent, pos]);
                let info = AttachInfo::of_record(attach.dbid, attach.sign_db, &path, at);
                self.databases.attach(&self.places.locate(info)?, pos, self.watch)?;
            }
            Record::DetachDb(detach) => {
                // Its number may be that of another database from now on.
                self.to_remove.retain(|change| change.dbid != detach.dbid);
                self.touched.forget(detach.dbid);
                self.tell_detaching(Some(detach.dbid))?;
                self.databases.carry_missing(Some(detach.dbid));
                self.databases.detach(detach.dbid, pos)?;
            }
            // Nothing of what the pages behind were is needed. Those that were there again when the
            // log ended are made again by the records that follow.
            Record::ShrinkDb(shrink) => {
                if let Some(db) = self.databases.open(shrink.dbid) {
                    db.forget_missing((Bound::Excluded(shrink.last), Bound::Unbounded));
                    db.cache.cut_off(shrink.last)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Records of transactions and groups, and those that concern a whole database.
    fn other(&mut self, record: &Record<'_>, pos: LgPos, end: LgPos) -> Result<()> {
        match record {
            // What follows was written by the recovery that found these groups incomplete.
            Record::RecoveryUndo2(_) if plant!("engine-keep-open-groups") => {}
            Record::RecoveryUndo2(_) => drop(self.sessions.take_open_groups()),
            Record::ShutDownMark(_) => self.shut_down_mark = Some(pos),
            Record::Begin0(begin) => {
                self.sessions.saw(begin.trx_begin0);
                self.sessions.session(begin.procid).begin0(begin.trx_begin0, begin.levels);
            }
            Record::Begin(begin) => self.sessions.session(begin.procid).begin(begin.levels),
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
                let groups = &mut self.sessions.session(group.procid).groups;
                groups.retain(|open| open.dbtime != group.dbtime);
                groups.push(MacroGroup { dbtime: group.dbtime, records: Vec::new() });
            }
            Record::MacroAbort(group) => {
                self.sessions.session(group.procid).take_group(group.dbtime);
            }
            Record::MacroCommit(group) => {
                if let Some(group) = self.sessions.session(group.procid).take_group(group.dbtime) {
                    self.commit_group(&group.records)?;
                }
            }
            Record::RootPageMove(moved) => {
                if let Some(group) = self.sessions.session(moved.procid).group(moved.dbtime) {
                    group.push(record, pos, end)?;
                }
            }
            Record::Backup2(backup) => self.databases.remember_backup(backup)?,
            Record::SetDbVersion(version) => self.databases.set_version(version)?,
            Record::ExtendDb(extend) => {
                if let Some(db) = self.databases.open(extend.dbid) {
                    db.file.grow(extend.last)?;
                }
            }
            Record::NewPage(new) => {
                if let Some(db) = self.databases.open(new.dbid) {
                    redo::redo_page_record(db, record, pos, end, Undone::Nothing)?;
                }
            }
            // Its pages may be in use elsewhere soon; nothing is left to remove from it.
            Record::FreeFdp(freed) => self
                .to_remove
                .retain(|change| change.dbid != freed.dbid || change.fdp != freed.pgno_fdp),
            Record::CommitCtx(context) => {
                self.watch.tell(&RecoveryEvent::CommitContext { context: context.context })?;
            }
            Record::TrimDb(trim) => self.forget_free(trim.dbid, trim.first, trim.pages),
            Record::ExtentFreed(freed) => self.forget_free(freed.dbid, freed.first, freed.pages),
            _ => {}
        }
        Ok(())
    }

    /// A database is about to be let go, or all.
    fn tell_detaching(&mut self, dbid: Option<Dbid>) -> Result<()> {
        let dbids = match dbid {
            Some(dbid) => vec![dbid],
            None => self.databases.all_open().iter().map(|db| db.dbid).collect(),
        };
        for dbid in dbids {
            if let Some(path) = self.databases.path_of(dbid) {
                self.watch.tell(&RecoveryEvent::Detaching { path })?;
            }
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
        if let Some(group) = self.sessions.session(head.procid).group(head.dbtime) {
            return group.push(record, pos, end);
        }
        let Some(db) = self.databases.open(head.dbid).map(Arc::clone) else { return Ok(()) };
        db.cache.throttle(&self.databases.fence(&db))?;
        self.see_before(&db, head, record)?;
        let taken_back = self.follow(head, record, pos);
        let undone = taken_back.as_ref().map_or(Undone::Nothing, |change| match change.kind {
            ReplayedKind::Replaced => Undone::Before(change.saved.before()),
            ReplayedKind::Added(added) => Undone::Added(added),
            _ => Undone::Nothing,
        });
        if self.databases.is_before_required(head.dbid, pos) {
            self.report.skipped += 1;
            return Ok(());
        }
        let outcome = redo::redo_page_record(&db, record, pos, end, undone)?;
        self.changes.saw(record, outcome);
        self.count(outcome);
        Ok(())
    }

    /// Where the log does not say (yet) what was before a change that may have to be taken back,
    /// the page does, if it still needs the change.
    fn see_before(&mut self, db: &Database, head: &PageHead, record: &Record<'_>) -> Result<()> {
        let (node, rceid) = match record {
            _ if !head.flags.contains(RecordFlags::VERSIONED) => return Ok(()),
            Record::Replace(r) => (&r.node, r.node.rceid),
            Record::ReplaceD(r) => (&r.node, r.node.rceid),
            Record::FlagDelete(r) => (&r.node, r.node.rceid),
            Record::FlagInsertAndReplaceData(r) => (&r.node, r.rceid_replace),
            _ => return Ok(()),
        };
        if self.sessions.session(head.procid).knows(rceid) {
            return Ok(());
        }
        if let Some((key, data)) = redo::node_before(db, head)? {
            self.sessions.session(head.procid).seen_before(node, rceid, &key, &data);
        }
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
    fn follow(
        &mut self,
        head: &PageHead,
        record: &Record<'_>,
        pos: LgPos,
    ) -> Option<ReplayedChange> {
        use ese_log::records::{Delta, Delta64};
        let session = self.sessions.session(head.procid);
        session.reached((pos, record.name()));
        let versioned = head.flags.contains(RecordFlags::VERSIONED);
        match record {
            Record::UndoInfo(info) => session.announce(info),
            Record::Undo(undo) => return session.undone(undo.node.rceid),
            Record::Insert(insert) if versioned => {
                session.inserted(&insert.node, [insert.prefix, insert.suffix], insert.data);
            }
            Record::FlagInsert(insert) if versioned => {
                session.inserted(&insert.node, [insert.key, &[]], insert.data);
            }
            Record::FlagInsertAndReplaceData(insert) if versioned => {
                session.replaced(&insert.node, insert.rceid_replace);
                session.inserted(&insert.node, [insert.key, &[]], insert.data);
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
        db.cache.throttle(&self.databases.fence(&db))?;
        let mut applied = Vec::new();
        for (pos, _, record) in &records {
            if let Some(head) = record.page_head() {
                self.see_before(&db, head, record)?;
                self.follow(head, record, *pos);
                if record.node_head().is_some() {
                    applied.push((record, redo::needs(&db, head)));
                }
            }
        }
        let end = records.last().map_or(LgPos::MAX, |(pos, ..)| *pos);
        if self.databases.is_before_required(dbid, end) {
            self.report.skipped += records.len() as u64;
            return Ok(());
        }
        // Of a group, what changes pages is meant, not the record that completes it.
        let changes = records.iter().find(|(_, _, record)| record.page_head().is_some());
        if let Some((pos, _, record)) = changes {
            self.at = (*pos, record.name());
        }
        for outcome in redo::redo_macro(&db, &records)? {
            self.count(outcome);
        }
        for (record, outcome) in applied {
            self.changes.saw(record, outcome);
        }
        Ok(())
    }
}

/// Does a record let databases come or go, or cut off the pages of one?
fn is_about_databases(record: &Record<'_>) -> bool {
    matches!(
        record,
        Record::Init2(_)
            | Record::Term2(_)
            | Record::RecoveryQuit2(_)
            | Record::CreateDb(_)
            | Record::CreateDbFinish(_)
            | Record::AttachDb(_)
            | Record::DetachDb(_)
            | Record::ShrinkDb(_)
    )
}

impl Redone<'_, '_> {
    /// Where redo ended before the log did.
    pub(crate) fn stopped(&self) -> Option<LgPos> {
        self.stopped
    }

    /// A step that the log's side of recovery takes.
    pub(crate) fn ask(&mut self, event: &RecoveryEvent<'_>, default: Result<()>) -> Result<()> {
        self.replay.watch.ask(event, default)
    }

    /// So many files of the log were removed, because they do not fit or are damaged.
    pub(crate) fn removed(&mut self, files: u32) {
        self.replay.report.removed_logs = files;
    }

    /// Asks whether undo may begin.
    pub(crate) fn ask_undo(&mut self, default: Result<()>) -> Result<()> {
        let headers = self.replay.databases.headers();
        self.replay.watch.ask(&RecoveryEvent::BeginUndo { headers: &headers }, default)
    }

    /// Writes what redo has changed; the databases stay dirty, the log is as it was.
    pub(crate) fn leave(mut self) -> Result<RecoveryReport> {
        self.replay.report.attached = self.replay.databases.paths();
        self.replay.tell_detaching(None)?;
        self.replay.databases.leave_dirty()?;
        self.replay.report.without_undo = true;
        self.report()
    }

    /// Refuses to go on where a database or a page is missing that the log needs. To be called
    /// before anything of the log is changed.
    pub(crate) fn check_complete(&mut self) -> Result<()> {
        self.replay.report.ignored_databases = self.replay.databases.check_complete()?;
        Ok(())
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
        self.replay.report.attached = self.replay.databases.paths();
        undo::finish(&mut self.replay, env, log)?;
        self.report()
    }

    /// As [`Redone::finish`] on copies, whose changes no log has to describe.
    pub(crate) fn finish_unlogged(
        mut self,
    ) -> Result<(RecoveryReport, BTreeMap<ObjId, TreeChanges>)> {
        self.replay.report.attached = self.replay.databases.paths();
        undo::finish_unlogged(&mut self.replay)?;
        let changes = std::mem::take(&mut self.replay.changes).into_trees();
        Ok((self.report()?, changes))
    }

    /// The report of a replay that found nothing to undo.
    pub(crate) fn report(mut self) -> Result<RecoveryReport> {
        self.replay.report.last_trx = self.replay.sessions.last_trx;
        self.replay.report.lost_from = self.replay.databases.lost_from();
        Ok(self.replay.report)
    }
}
