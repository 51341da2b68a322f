//! The checkpoint: how far the database files hold everything the log says, and the work that
//! moves it on.
//!
//! Order (backup-log-recovery 1.6 and 2.2): pages -> database headers -> checkpoint file ->
//! deletion of generations.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ese_base::{Generation, LgPos, LogTime, Result, plant};
use ese_log::{Attachment, Checkpoint, LogObserver, write_checkpoint};
use ese_pages::{DbState, cache::FlushGoal, header::DbHeader};
use parking_lot::{Mutex, RwLock};

use super::{Attached, Instance};

/// How much log a crash may have to replay while the instance is quiesced (backup-log-recovery
/// 5.7). Not nothing: what has to be changed all the same stays quick.
const QUIESCED_DEPTH: u64 = 16_384;

/// What the log asks of its instance: who is attached, and what may not be deleted.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    pub(super) attached: RwLock<Vec<Arc<Attached>>>,
    /// The database that is being created. A generation that begins meanwhile names it, too: once
    /// it is complete, redo may begin there, behind the record of the creation.
    creating: Mutex<Option<Attachment>>,
    /// The checkpoint as the file last written has it, as a number.
    checkpoint: AtomicU64,
    /// Held while a checkpoint is computed and written.
    pub(super) writing: Mutex<()>,
    /// Positions that the checkpoint must not pass yet, beside those of open transactions.
    held: Mutex<Vec<LgPos>>,
}

/// Keeps the checkpoint before the records of a transaction that has committed, but left work to
/// be done: if that is not done, recovery must still learn of it.
#[derive(Debug)]
pub(crate) struct CheckpointHold {
    bounds: Arc<Bounds>,
    pos: LgPos,
}

impl Drop for CheckpointHold {
    fn drop(&mut self) {
        let mut held = self.bounds.held.lock();
        if let Some(place) = held.iter().position(|pos| *pos == self.pos) {
            held.swap_remove(place);
        }
    }
}

/// Lets the log name a database that is being created.
#[derive(Debug)]
pub(super) struct Creating<'a>(&'a Bounds);

impl Creating<'_> {
    /// The creation is logged there.
    pub(super) fn logged_at(&self, pos: LgPos) {
        if let Some(creating) = &mut *self.0.creating.lock() {
            creating.lgpos_attach = pos;
        }
    }
}

impl Drop for Creating<'_> {
    fn drop(&mut self) {
        *self.0.creating.lock() = None;
    }
}

impl Bounds {
    /// From before its creation is logged until it is among the attached ones, or not to be. There
    /// is one creation at a time: its maker holds `writing`.
    pub(super) fn creating(&self, database: Attachment) -> Creating<'_> {
        *self.creating.lock() = Some(database);
        Creating(self)
    }

    pub(super) fn set_checkpoint(&self, pos: LgPos) {
        self.checkpoint.store(pos.to_u64(), Ordering::SeqCst);
    }

    pub(super) fn checkpoint_pos(&self) -> LgPos {
        LgPos::from_u64(self.checkpoint.load(Ordering::SeqCst))
    }

    pub(super) fn list(&self) -> Vec<Attachment> {
        // Looked at first: what is no longer here is among the attached ones already.
        let creating = self.creating.lock().clone();
        let attached = self.attached.read();
        let logged = attached.iter().filter(|attached| attached.is_logged());
        let mut list: Vec<_> = logged.map(|attached| attached.as_attachment()).collect();
        list.extend(creating.filter(|new| list.iter().all(|other| other.dbid != new.dbid)));
        list
    }
}

impl LogObserver for Bounds {
    fn attachments(&self) -> Vec<Attachment> {
        self.list()
    }

    fn checkpoint(&self) -> LgPos {
        self.checkpoint_pos()
    }

    /// A header that names the new generation is durable before a page that depends on it can be
    /// written: the log reports nothing of the generation as durable before this returns.
    fn rolled(&self, generation: Generation, created: LogTime) -> Result<()> {
        for attached in self.attached.read().iter().filter(|attached| attached.is_logged()) {
            // One that was made clean, perhaps just now, needs no log: it is listed until that is
            // logged. One that becomes dirty asks for the generation itself.
            let is_clean = |header: &DbHeader| header.state() == DbState::CleanShutdown;
            let file = &attached.db.file;
            if is_clean(&file.header()) {
                continue;
            }
            file.update_header(|header| {
                if !is_clean(header) {
                    require_up_to(header, generation, created);
                }
            })?;
        }
        Ok(())
    }
}

/// Recovery of the database now needs the log up to this generation.
pub(super) fn require_up_to(header: &mut DbHeader, generation: Generation, created: LogTime) {
    if header.gen_max_required.get() > generation.0 {
        return;
    }
    header.gen_max_required = generation.0.into();
    header.gen_max_committed = generation.0.into();
    header.logtime_gen_max_required = created;
    header.logtime_gen_max_create = created;
}

impl Instance {
    /// The databases of which the log knows.
    fn logged_databases(&self) -> impl Iterator<Item = Arc<Attached>> {
        self.databases().into_iter().filter(|attached| attached.is_logged())
    }

    /// Writes pages while writers need not wait for it yet.
    pub(super) fn flush_ahead(&self) -> Result<()> {
        for attached in self.databases().iter().filter(|attached| !attached.is_read_only()) {
            attached.db.cache.flush_ahead(self.fence(&attached.db))?;
        }
        Ok(())
    }

    /// Writes pages whose oldest change is further back than the checkpoint may stay.
    pub(super) fn flush_behind(&self) -> Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        let tip = log.tip();
        let segment = ese_base::limits::LOG_SEGMENT_LEN as u64;
        let position = |pos: LgPos| {
            u64::from(pos.generation.0) * (self.config.log_file_size / segment)
                + u64::from(pos.isec)
        };
        let depth = match self.quiesced.load(Ordering::SeqCst) {
            true => self.config.checkpoint_depth.min(QUIESCED_DEPTH),
            false => self.config.checkpoint_depth,
        } / segment;
        for attached in self.logged_databases() {
            let db = &attached.db;
            let Some(oldest) = db.cache.oldest_dirty() else { continue };
            if position(tip).saturating_sub(position(oldest)) > depth {
                // Half of the depth at once, so that flushing happens in large, rare batches.
                let behind = position(tip).saturating_sub(depth / 2);
                let per_file = self.config.log_file_size / segment;
                let generation = u32::try_from(behind / per_file).unwrap_or(u32::MAX);
                let isec = u16::try_from(behind % per_file).unwrap_or(u16::MAX);
                let goal = FlushGoal::OlderThan(LgPos::new(generation, isec, 0));
                db.cache.flush(goal, self.fence(db))?;
            }
        }
        Ok(())
    }

    /// Everything before this position is in the database files.
    fn checkpoint_now(&self) -> Option<LgPos> {
        let log = self.log.as_ref()?;
        // The tip is read first: a change logged after this line is not before the checkpoint, and
        // one logged before it is either in a dirty page already or covered by its session's slot.
        let mut pos = log.tip();
        if let Some(begin0) = self.clock.oldest_begin0()
            && !plant!("engine-checkpoint-past-transactions")
        {
            pos = pos.min(begin0);
        }
        // Behind the slots: a hold begins before its transaction leaves its slot.
        let held = self.bounds.held.lock().iter().min().copied();
        pos = pos.min(held.unwrap_or(pos));
        for attached in self.logged_databases() {
            if let Some(dirty) = attached.db.cache.oldest_dirty() {
                pos = pos.min(dirty);
            }
        }
        Some(pos)
    }

    /// Keeps the checkpoint at or before `pos` until the hold is dropped.
    pub(crate) fn hold_checkpoint(&self, pos: LgPos) -> CheckpointHold {
        self.bounds.held.lock().push(pos);
        CheckpointHold { bounds: Arc::clone(&self.bounds), pos }
    }

    /// Moves the checkpoint as far as the written pages allow, when that is worth a write.
    ///
    /// # Errors
    /// Those of writing headers and the checkpoint file.
    pub fn advance_checkpoint(&self) -> Result<()> {
        let _one = self.bounds.writing.lock();
        let old = self.bounds.checkpoint_pos();
        let Some(now) = self.checkpoint_now() else { return Ok(()) };
        let worth_it = now.generation > old.generation
            || (now.generation == old.generation && now.isec > old.isec.saturating_add(64));
        if worth_it { self.write_checkpoint(now) } else { Ok(()) }
    }

    /// Headers first, then the checkpoint file. The caller holds `bounds.writing`.
    pub(super) fn write_checkpoint(&self, pos: LgPos) -> Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        // A transaction that no longer held the checkpoint back when `pos` was found has ended with
        // a record that is appended, not always durable: were it lost, undo would need the records
        // that the checkpoint has passed.
        if !plant!("engine-checkpoint-before-log") {
            log.flush_all()?;
        }
        for attached in self.logged_databases() {
            let file = &attached.db.file;
            if file.header().gen_min_required.get() < pos.generation.0 {
                file.update_header(|header| {
                    header.gen_min_required = pos.generation.0.into();
                    header.gen_min_consistent = pos.generation.0.into();
                    header.dbtime_dirtied = attached.db.dbtime().0.into();
                    header.objid_last = attached.db.objid_last().0.into();
                })?;
            }
        }
        let mut checkpoint = Checkpoint::new(log.signature(), pos, self.config.log_params());
        checkpoint.attachments = self.bounds.list();
        write_checkpoint(&self.env, &self.config.checkpoint_path(), &checkpoint)?;
        self.bounds.set_checkpoint(pos);
        Ok(())
    }
}
