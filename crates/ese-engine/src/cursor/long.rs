//! Writing long values of a prepared update, whole and in parts (api-semantics 9.8).
//!
//! Values that go outside of the row are written at once, so that one that is written piece by
//! piece never lies in memory whole. They belong to the update: when it is dropped, the session
//! releases them before its transaction commits. Small changes of a value that the row has already
//! wait in memory until the row is written (`longvalue::Waiting`).

use std::sync::Arc;

use ese_base::{Error, JetErr, Result};
use parking_lot::Mutex;

use super::{Cursor, Prepare};
use crate::{
    longvalue::{Changed, Packing, Step, Waiting},
    record::{Instance, Lid, LongValues, check_value_len},
    schema::{Column, ColumnId},
    session::Session,
    table::{Composer, MadeLids, SessionLongValues, Stored, Table},
};

/// How a long value is changed.
#[derive(Clone, Copy, Debug)]
pub enum LongEdit<'v> {
    /// These bytes, or NULL, instead of what there is.
    Set(Option<&'v [u8]>),
    /// These bytes behind what there is.
    Append(&'v [u8]),
    /// These bytes over what there is, from `offset` on; with `cut`, nothing behind them.
    Overwrite {
        /// Bytes; at most the length of the value.
        offset: usize,
        /// What is written.
        bytes: &'v [u8],
        /// Does the value end behind them?
        cut: bool,
    },
    /// As many bytes as this: cut, or filled up with zeros.
    Resize(usize),
}

impl LongEdit<'_> {
    /// The length that a value of `had` bytes gets.
    fn new_len(&self, column: &Column, had: Option<usize>) -> Result<usize> {
        let old = had.unwrap_or(0);
        let len = match *self {
            LongEdit::Set(bytes) => bytes.map(<[u8]>::len),
            LongEdit::Append(bytes) => old.checked_add(bytes.len()),
            LongEdit::Resize(len) => Some(len),
            // Nothing over a value that is there changes nothing, wherever.
            LongEdit::Overwrite { bytes: [], cut: false, .. } if had.is_some() => had,
            LongEdit::Overwrite { offset, .. } if offset > old => {
                return Err(Error::new(
                    JetErr::ColumnNoChunk,
                    format!("byte {offset} of a value of {old} bytes"),
                ));
            }
            LongEdit::Overwrite { offset, bytes, cut } => {
                offset.checked_add(bytes.len()).map(|end| if cut { end } else { end.max(old) })
            }
        };
        let len = len.unwrap_or(0);
        let most = match column.max_len {
            0 => crate::longvalue::SIZE_MAX,
            most => most.min(crate::longvalue::SIZE_MAX),
        };
        if u32::try_from(len).is_ok_and(|len| len <= most) {
            return Ok(len);
        }
        let what = format!("column \"{}\" takes {most} bytes, the value has {len}", column.name);
        Err(Error::new(JetErr::ColumnTooBig, what))
    }

    /// What becomes of a value; `None` is none.
    pub(crate) fn on_value(
        &self,
        column: &Column,
        had: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>> {
        if let LongEdit::Set(None) = self {
            return Ok(None);
        }
        let len = self.new_len(column, had.as_ref().map(Vec::len))?;
        let mut value = had.unwrap_or_default();
        self.apply(&mut value, len);
        Ok(Some(value))
    }

    /// The same to a value in memory.
    fn apply(&self, value: &mut Vec<u8>, len: usize) {
        match *self {
            LongEdit::Set(bytes) => {
                value.clear();
                value.extend_from_slice(bytes.unwrap_or_default());
            }
            LongEdit::Append(bytes) => value.extend_from_slice(bytes),
            LongEdit::Resize(_) => value.resize(len, 0),
            LongEdit::Overwrite { offset, bytes, .. } => {
                value.resize(len, 0);
                if let Some(place) = value.get_mut(offset..offset + bytes.len()) {
                    place.copy_from_slice(bytes);
                }
            }
        }
    }
}

/// How a long value is to be stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LongStorage {
    /// Outside of its row, even if it would have room in it.
    pub outside: bool,
    /// In its row, as long as there is room, even if it is longer than values there usually are.
    pub inside: bool,
    /// Compressed, or not; `None`: as its column says.
    pub compressed: Option<bool>,
}

impl LongStorage {
    fn packing(self) -> Option<Packing> {
        self.compressed.map(|on| if on { Packing::Compressed } else { Packing::Plain })
    }
}

/// Values of an update that nobody else refers to yet.
#[derive(Debug)]
pub(super) struct MadeValues {
    table: Arc<Table>,
    pub(super) made: MadeLids,
    /// Changes of values that the row refers to already.
    pub(super) waiting: Waiting,
    /// Where they go when the update is dropped.
    dropped: Arc<Mutex<Vec<DroppedValue>>>,
}

/// A value that no row came to refer to.
#[derive(Debug)]
pub(crate) struct DroppedValue {
    table: Arc<Table>,
    lid: Lid,
}

impl DroppedValue {
    /// Takes the value away; one that was taken back with the level it was made in is gone already.
    pub(crate) fn release(&self, session: &mut Session) -> Result<()> {
        let Some(tree) = self.table.long_tree() else { return Ok(()) };
        let released = tree.has(session, self.lid).and_then(|there| match there {
            true => tree.release(session, self.lid),
            false => Ok(()),
        });
        match released {
            // Its table may have failed, which is no reason not to commit what is durable.
            Err(error) if tree.db.is_temporary() => {
                tracing::debug!(%error, "a long value of a temporary table stays until that goes");
                Ok(())
            }
            released => released,
        }
    }
}

impl MadeValues {
    pub(super) fn new(table: &Arc<Table>, session: &Session) -> MadeValues {
        let (table, dropped) = (Arc::clone(table), session.dropped_values());
        let (made, waiting) = (MadeLids::default(), Waiting::default());
        MadeValues { table, made, waiting, dropped }
    }

    /// Hands the values over.
    pub(super) fn take(&mut self) -> Vec<DroppedValue> {
        let lids = self.made.take().into_iter();
        lids.map(|lid| DroppedValue { table: Arc::clone(&self.table), lid }).collect()
    }
}

impl Drop for MadeValues {
    fn drop(&mut self) {
        let values = self.take();
        self.dropped.lock().extend(values);
    }
}

impl Cursor {
    /// Changes value `itag` of a long column of the prepared update; 0 or a number above the count
    /// means a new one.
    ///
    /// # Errors
    /// `JET_errUpdateNotPrepared` (-1609), `JET_errNotInTransaction` (-1054),
    /// `JET_errColumnNoChunk` (-1502) for an offset behind the end, `JET_errColumnTooBig` (-1506),
    /// `JET_errRecordTooBig` (-1026), and as [`crate::record::RecordBuilder::set_instance`].
    pub fn set_long(
        &mut self,
        session: &mut Session,
        id: ColumnId,
        itag: usize,
        edit: LongEdit<'_>,
        storage: LongStorage,
    ) -> Result<()> {
        let table = Arc::clone(&self.table);
        let update = self.update.as_mut().ok_or_else(super::update::not_prepared)?;
        let super::update::Update { record, values, kind, .. } = update;
        // A failed change must not show in the row.
        let before = record.clone();
        let (made, packing) = (&mut values.made, storage.packing());
        // A row that is copied or moved does not have the values for itself.
        let in_place = matches!(kind, Prepare::Replace | Prepare::ReplaceNoLock);
        let waiting = in_place.then_some(&mut values.waiting);
        let mut row = Composer { table: &table, session, record, made, waiting, packing };
        let done = row.change(table.schema.columns.require(id)?, itag, edit, storage);
        if done.is_err() {
            *record = before;
        }
        done
    }
}

/// What a column has where a change begins.
enum Old {
    Missing,
    Inside(Vec<u8>),
    Outside(Lid, u32),
}

impl Composer<'_> {
    fn change(
        &mut self,
        column: &Column,
        itag: usize,
        edit: LongEdit<'_>,
        storage: LongStorage,
    ) -> Result<()> {
        let old = self.old(column, itag)?;
        let had = match &old {
            Old::Missing => None,
            Old::Inside(bytes) => Some(bytes.len()),
            Old::Outside(_, size) => usize::try_from(*size).ok(),
        };
        let len = edit.new_len(column, had)?;
        let own = match old {
            Old::Outside(lid, _) if self.made.contains(lid) => Some(lid),
            _ => None,
        };
        if matches!(edit, LongEdit::Set(None)) {
            return self.put(column, itag, None);
        }
        let in_row_max = match storage.inside {
            true => self.table.schema.record_len_max(),
            false => self.table.in_row_max(),
        };
        let is_outside = len > in_row_max || storage.outside && len > size_of::<Lid>();
        if !is_outside {
            let mut value = self.bytes(&old, len)?;
            edit.apply(&mut value, len);
            check_value_len(column, &value)?;
            let stored = self.in_row(column, &value, self.is_first(column, itag)?);
            match self.put(column, itag, Some(&stored)) {
                // No room, whatever else goes outside: then this value.
                Err(error) if error.code() == JetErr::RecordTooBig && len > size_of::<Lid>() => {}
                other => return other,
            }
        }
        let had = had.unwrap_or(0);
        if let Some(lid) = own {
            return self.change_outside(column, lid, had, edit, len);
        }
        if let Old::Outside(lid, _) = old
            && self.lets_wait(column, lid, (had, edit, len))?
        {
            return Ok(());
        }
        let lid = self.outside_copy(column, &old, &edit, len)?;
        self.change_outside(column, lid, had, edit, len)?;
        self.put(column, itag, Some(&Stored::Outside(lid)))?;
        if let (Old::Outside(old, _), Some(waiting)) = (old, self.waiting.as_deref_mut()) {
            waiting.forget(old);
        }
        Ok(())
    }

    /// Notes a change of a value that the row refers to already, if it is one of a part, and the
    /// row may come to have the value for itself. False: it is not to be changed in place.
    fn lets_wait(
        &mut self,
        column: &Column,
        lid: Lid,
        (had, edit, len): (usize, LongEdit<'_>, usize),
    ) -> Result<bool> {
        let (packing, tree) = (self.packing(column), self.table.require_long_tree()?);
        let Some(waiting) = self.waiting.as_deref_mut().filter(|_| self.session.level() > 0) else {
            return Ok(false);
        };
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (offset, bytes) = match edit {
            LongEdit::Set(_) => return Ok(false),
            LongEdit::Append(bytes) => (had, bytes),
            LongEdit::Overwrite { offset, bytes, .. } => (offset, bytes),
            LongEdit::Resize(_) => (had.min(len), &[][..]),
        };
        let step = Step { offset: to_u32(offset), bytes, size: to_u32(len) };
        let waits = waiting.change(&tree.seen(self.session), (lid, tree.chunk, packing), &step)?;
        if waits {
            waiting.level = waiting.level.max(self.session.level());
        }
        Ok(waits)
    }

    /// Does value `itag` become the first one of its column? No other can be compressed.
    fn is_first(&self, column: &Column, itag: usize) -> Result<bool> {
        let data = self.record.view(&self.table.schema)?.data(column)?;
        Ok(itag == 1 || data.is_default() || data.is_empty())
    }

    /// Values as the update has them.
    fn long_values(&self) -> SessionLongValues<'_> {
        match self.waiting.as_deref() {
            Some(waiting) => self.table.long_values_with(self.session, waiting),
            None => self.table.long_values(self.session),
        }
    }

    fn old(&self, column: &Column, itag: usize) -> Result<Old> {
        let long_values = self.long_values();
        let view = self.record.view(&self.table.schema)?;
        let data = view.data(column)?;
        if column.is_computed() && data.is_default() {
            return Ok(Old::Missing);
        }
        Ok(match data.nth(itag)? {
            None => Old::Missing,
            Some(Instance::Separated(lid)) => Old::Outside(lid, long_values.size(lid)?),
            Some(instance) => {
                Old::Inside(view.bytes_of(column, instance, usize::MAX)?.into_owned())
            }
        })
    }

    /// The first `most` bytes of what there is.
    fn bytes(&self, old: &Old, most: usize) -> Result<Vec<u8>> {
        match old {
            Old::Missing => Ok(Vec::new()),
            Old::Inside(bytes) => Ok(bytes.clone()),
            Old::Outside(lid, _) => self.long_values().read_at(*lid, 0, most),
        }
    }

    /// A value of this update outside of the row that begins as what there is, or as nothing if all
    /// of it is replaced.
    fn outside_copy(
        &mut self,
        column: &Column,
        old: &Old,
        edit: &LongEdit<'_>,
        len: usize,
    ) -> Result<Lid> {
        let packing = self.packing(column);
        let whole = matches!(edit, LongEdit::Set(_));
        match old {
            Old::Outside(from, size) if !whole => {
                // What is cut off need not be copied.
                let size = u32::try_from(len).map_or(*size, |len| len.min(*size));
                let (table, waiting) = (self.table, self.waiting.as_deref());
                let changed: Option<&Changed> = waiting.and_then(|waiting| waiting.of(*from));
                let copy = self.session.all_or_nothing(|session| {
                    let (tree, to) = table.new_lid(session)?;
                    tree.copy(session, (*from, to), (size, changed), packing)?;
                    Ok(to)
                })?;
                self.note_made(copy);
                Ok(copy)
            }
            Old::Inside(bytes) if !whole => self.create(bytes, packing),
            _ => self.create(&[], packing),
        }
    }

    /// Changes a value that this update has made.
    fn change_outside(
        &mut self,
        column: &Column,
        lid: Lid,
        had: usize,
        edit: LongEdit<'_>,
        len: usize,
    ) -> Result<()> {
        self.note_level();
        let (packing, tree) = (self.packing(column), self.table.require_long_tree()?);
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.session.all_or_nothing(|session| match edit {
            LongEdit::Set(bytes) => {
                tree.write(session, lid, 0, bytes.unwrap_or_default(), packing)?;
                tree.resize(session, lid, to_u32(len), packing)
            }
            LongEdit::Append(bytes) => tree.write(session, lid, to_u32(had), bytes, packing),
            LongEdit::Overwrite { offset, bytes, .. } => {
                tree.write(session, lid, to_u32(offset), bytes, packing)?;
                tree.resize(session, lid, to_u32(len), packing)
            }
            LongEdit::Resize(_) => tree.resize(session, lid, to_u32(len), packing),
        })
    }

    fn put(&mut self, column: &Column, itag: usize, value: Option<&Stored<'_>>) -> Result<()> {
        let schema = &self.table.schema;
        self.with_room(|record| {
            record.put_instance(schema, column.id, itag, value.map(Stored::instance))
        })
    }
}
