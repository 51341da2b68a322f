//! One open file of the simulated disk.

use std::{path::Path, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_os::{File, LockMode, OpenMode, PageMap};

use crate::{
    disk::{Call, SimDisk, State, simulated},
    fault::{Action, AfterFailedSync, OpKind},
    recording::Effect,
    track::{Change, FileId},
};

/// The longest file, as on Linux.
const FILE_BYTES_MAX: u64 = i64::MAX as u64;

/// A handle. Its lock goes with it.
#[derive(Debug)]
pub(crate) struct SimFile {
    disk: SimDisk,
    path: Arc<Path>,
    file: FileId,
    handle: u64,
    mode: OpenMode,
}

impl SimFile {
    pub(crate) fn new(
        disk: SimDisk,
        path: Arc<Path>,
        file: FileId,
        handle: u64,
        mode: OpenMode,
    ) -> SimFile {
        SimFile { disk, path, file, handle, mode }
    }

    /// A call that changes the file: counted, and refused on a handle for reading.
    #[track_caller]
    fn begin_change(&self, state: &mut State, kind: OpKind) -> Result<Call> {
        let call = state.begin(kind, &self.path)?;
        if self.mode == OpenMode::Read {
            state.end(&call, 0, 0, Effect::None);
            return Err(Error::new(JetErr::DiskIO, "the handle is open for reading only")
                .at_path(&self.path));
        }
        Ok(call)
    }

    fn length(&self, state: &State) -> u64 {
        state.files.get(&self.file).map_or(0, |inode| inode.content.len())
    }

    /// Grows the file to `end`, if there is room for that.
    #[track_caller]
    fn grow(&self, state: &mut State, call: &Call, end: u64, change: Change) -> Result<()> {
        let old = self.length(state);
        let wanted = end.saturating_sub(old);
        if end > FILE_BYTES_MAX {
            state.end(call, 0, end, Effect::None);
            return Err(full(call, wanted, &self.path));
        }
        let granted = state.take_space(wanted);
        if granted < wanted {
            state.give_space(granted);
            state.end(call, 0, end, Effect::None);
            return Err(full(call, wanted, &self.path));
        }
        if let Some(inode) = state.files.get_mut(&self.file) {
            inode.content.grow(end);
        }
        let effect = if wanted == 0 { Effect::None } else { Effect::Change(Arc::new(change)) };
        state.end(call, 0, end, effect);
        Ok(())
    }
}

#[track_caller]
fn full(call: &Call, wanted: u64, path: &Path) -> Error {
    Error::new(JetErr::DiskFull, format!("op {} needs {wanted} more bytes of disk", call.op))
        .at_path(path)
}

impl File for SimFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let mut state = self.disk.lock();
        let call = state.begin(OpKind::Read, &self.path)?;
        state.end(&call, offset, buf.len() as u64, Effect::None);
        let Some(inode) = state.files.get(&self.file) else { return Ok(()) };
        let end = offset.saturating_add(buf.len() as u64);
        if inode.unreadable.iter().any(|(from, to)| offset < *to && *from < end) {
            return Err(simulated(JetErr::DiskIO, &call, "the range is unreadable"));
        }
        if end > inode.content.len() && !buf.is_empty() {
            let message = format!(
                "read of {} bytes at offset {offset}: the file ends at {}",
                buf.len(),
                inode.content.len()
            );
            return Err(Error::new(JetErr::FileIOBeyondEOF, message).at_path(&self.path));
        }
        inode.content.read(offset, buf);
        Ok(())
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        let mut state = self.disk.lock();
        let call = self.begin_change(&mut state, OpKind::Write)?;
        if buf.is_empty() {
            state.end(&call, offset, 0, Effect::None);
            return Ok(());
        }
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > FILE_BYTES_MAX) {
            state.end(&call, offset, 0, Effect::None);
            return Err(full(&call, buf.len() as u64, &self.path));
        }
        let mut done = buf;
        let mut outcome = Ok(());
        if let Some(Action::FailShort(code)) = call.action {
            done = &buf[..buf.len() / 2];
            outcome = Err(simulated(code, &call, "a fault was set, half was written"));
        }
        let old = self.length(&state);
        let wanted = (offset + done.len() as u64).saturating_sub(old);
        let granted = state.take_space(wanted);
        if granted < wanted {
            let missing = crate::index(wanted - granted).min(done.len());
            done = &done[..done.len() - missing];
            outcome = Err(full(&call, wanted, &self.path));
        }
        let end = offset + done.len() as u64;
        if let Some(inode) = state.files.get_mut(&self.file) {
            inode.content.put(offset, done);
            if !done.is_empty() {
                inode.content.grow(end);
            }
            inode.unreadable.retain(|(from, to)| *to <= offset || *from >= end);
        }
        let place = match call.action {
            Some(Action::Lose) => None,
            Some(Action::Misdirect(by)) => offset.checked_add_signed(by),
            _ => Some(offset),
        };
        let effect = match place {
            Some(offset) if !done.is_empty() => {
                let data = Arc::from(done);
                Effect::Change(Arc::new(Change::Write { file: self.file, offset, data }))
            }
            _ => Effect::None,
        };
        state.end(&call, offset, buf.len() as u64, effect);
        outcome
    }

    fn sync(&self) -> Result<()> {
        let mut state = self.disk.lock();
        let call = state.begin(OpKind::Sync, &self.path)?;
        match call.action {
            Some(Action::FailSync(code, after)) => {
                let effect = match after {
                    AfterFailedSync::StaysDirty => Effect::None,
                    AfterFailedSync::CleanAndNew | AfterFailedSync::CleanAndOld => {
                        Effect::ForgetFile(self.file)
                    }
                };
                state.end(&call, 0, 0, effect);
                if after == AfterFailedSync::CleanAndOld {
                    let durable = state.tracker.durable(self.file).cloned().unwrap_or_default();
                    if let Some(inode) = state.files.get_mut(&self.file) {
                        inode.content = (*durable).clone();
                    }
                }
                Err(simulated(code, &call, "a fault was set"))
            }
            Some(Action::Lose) => {
                state.end(&call, 0, 0, Effect::None);
                Ok(())
            }
            _ => {
                state.end(&call, 0, 0, Effect::SyncFile(self.file));
                Ok(())
            }
        }
    }

    fn start_writeback(&self, _offset: u64, _len: u64) {}

    fn will_need(&self, _offset: u64, _len: u64) {}

    /// Bytes that were never written are a hole. No call that can fail.
    fn next_data(&self, offset: u64) -> u64 {
        let state = self.disk.lock();
        let content = state.files.get(&self.file).map(|inode| &inode.content);
        content.map_or(offset, |content| content.next_written(offset))
    }

    fn len(&self) -> Result<u64> {
        let mut state = self.disk.lock();
        let call = state.begin(OpKind::Query, &self.path)?;
        state.end(&call, 0, 0, Effect::None);
        Ok(self.length(&state))
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let mut state = self.disk.lock();
        let call = self.begin_change(&mut state, OpKind::SetLen)?;
        let old = self.length(&state);
        let shortens = len < old;
        let change = Change::SetLen { file: self.file, len, shortens };
        if !shortens {
            return self.grow(&mut state, &call, len, change);
        }
        if let Some(inode) = state.files.get_mut(&self.file) {
            inode.content.set_len(len);
        }
        state.give_space(old - len);
        state.end(&call, 0, len, Effect::Change(Arc::new(change)));
        Ok(())
    }

    fn allocate(&self, offset: u64, len: u64) -> Result<()> {
        let mut state = self.disk.lock();
        let call = self.begin_change(&mut state, OpKind::Allocate)?;
        let end = offset.saturating_add(len);
        self.grow(&mut state, &call, end, Change::Allocate { file: self.file, end })
    }

    fn lock(&self, mode: LockMode) -> Result<()> {
        let mut state = self.disk.lock();
        let call = state.begin(OpKind::Lock, &self.path)?;
        state.end(&call, 0, 0, Effect::None);
        let exclusive = mode == LockMode::Exclusive;
        let denied = |message: &'static str| {
            Error::new(JetErr::FileAccessDenied, message).at_path(&self.path)
        };
        if exclusive && self.mode == OpenMode::Read {
            return Err(denied("an exclusive lock needs a handle for writing"));
        }
        let Some(inode) = state.files.get_mut(&self.file) else { return Ok(()) };
        let foreign = |(handle, held): &(u64, bool)| *handle != self.handle && (exclusive || *held);
        if inode.locks.iter().any(foreign) {
            return Err(denied("another handle holds a lock on this file"));
        }
        inode.locks.retain(|(handle, _)| *handle != self.handle);
        inode.locks.push((self.handle, exclusive));
        Ok(())
    }

    /// Touches no disk, so it is no call that can fail.
    fn unlock(&self) -> Result<()> {
        if let Some(inode) = self.disk.lock().files.get_mut(&self.file) {
            inode.locks.retain(|(handle, _)| *handle != self.handle);
        }
        Ok(())
    }

    /// Like [`File::unlock`] no call that can fail.
    fn is_at(&self, path: &Path) -> Result<bool> {
        Ok(self.disk.lock().file_at(path) == Some(self.file))
    }

    /// Always `None`: pages are read with `read_at`.
    fn map(&self) -> Result<Option<Arc<dyn PageMap>>> {
        Ok(None)
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut state = self.disk.lock();
        if let Some(inode) = state.files.get_mut(&self.file) {
            inode.locks.retain(|(handle, _)| *handle != self.handle);
            inode.handles = inode.handles.saturating_sub(1);
        }
        state.drop_unused(self.file);
    }
}
