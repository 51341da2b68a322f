//! Making rows. In a sort a row can only be new; a tree has the cursor's own rules.

use ese_base::{Error, JetErr, Result};

use super::{Phase, TempTable, Update, sorted::illegal};
use crate::{
    cursor::{LongEdit, Prepare},
    key,
    record::{ColumnValue, RecordBuilder, RecordView, encode_row},
    schema::ColumnId,
    session::Session,
};

impl TempTable {
    /// Prepares a row.
    ///
    /// # Errors
    /// `JET_errIllegalOperation` (-1312) for anything but a new row in a sort, and when that is
    /// read; `JET_errAlreadyPrepared` (-1607); of a tree as
    /// [`Cursor::prepare`](crate::cursor::Cursor::prepare).
    pub fn prepare(&mut self, session: &mut Session, kind: Prepare) -> Result<()> {
        match &mut self.phase {
            Phase::Tree(tree) => return tree.checked()?.prepare(session, kind),
            Phase::Inserting(_) => {}
            other => return Err(other.refuse("changing a row")),
        }
        if kind != Prepare::Insert {
            return Err(illegal("a sort takes new rows only"));
        }
        if self.update.is_some() {
            let what = "an update is prepared already";
            return Err(Error::new(JetErr::AlreadyPrepared, what));
        }
        let mut record = RecordBuilder::new();
        record.insert(&self.schema)?;
        self.update = Some(Update { record, level: session.level() });
        Ok(())
    }

    /// Drops what was prepared. False: nothing was.
    ///
    /// # Errors
    /// `JET_errIllegalOperation` (-1312) when a sort is read.
    pub fn cancel(&mut self) -> Result<bool> {
        match &mut self.phase {
            Phase::Tree(tree) => Ok(tree.checked()?.cancel()),
            Phase::Inserting(_) => Ok(self.update.take().is_some()),
            other => Err(other.refuse("changing a row")),
        }
    }

    /// The prepared row of a sort.
    ///
    /// # Errors
    /// `JET_errUpdateNotPrepared` (-1609); `JET_errIllegalOperation` (-1312) when it is read.
    pub fn copy(&mut self) -> Result<&mut RecordBuilder> {
        match &self.phase {
            Phase::Inserting(_) => {}
            other => return Err(other.refuse("changing a row")),
        }
        self.update.as_mut().map(|update| &mut update.record).ok_or_else(not_prepared)
    }

    /// Changes a long value of the prepared row of a sort. It stays in the row.
    ///
    /// # Errors
    /// As [`TempTable::copy`]; `JET_errCannotSeparateIntrinsicLV` (-416) for one that does not fit,
    /// `JET_errColumnNoChunk` (-1502), `JET_errColumnTooBig` (-1506).
    pub fn set_long(&mut self, id: ColumnId, itag: usize, edit: LongEdit<'_>) -> Result<()> {
        let schema = std::sync::Arc::clone(&self.schema);
        let column = schema.columns.require(id)?;
        let record = self.copy()?;
        if matches!(edit, LongEdit::Resize(len) if len > schema.record_len_max()) {
            return Err(inseparable(&column.name));
        }
        let view = record.view(&schema)?;
        let old = match view.data(column)?.nth(itag.max(1))? {
            Some(instance) if itag > 0 => {
                Some(view.bytes_of(column, instance, usize::MAX)?.into_owned())
            }
            _ => None,
        };
        let new = edit.on_value(column, old)?;
        match record.set_instance(&schema, id, itag, new.as_deref()) {
            Err(error) if error.code() == JetErr::RecordTooBig => {
                Err(inseparable(&column.name).caused_by(error))
            }
            other => other,
        }
    }

    /// Writes the prepared row; gives its bookmark, which rows of a sort do not have.
    ///
    /// # Errors
    /// `JET_errUpdateNotPrepared` (-1609), `JET_errIllegalOperation` (-1312) when a sort is read;
    /// `JET_errDiskFull` (-1808) and others of writing to the temporary file: the row is still
    /// prepared. Of a tree as [`Cursor::update`](crate::cursor::Cursor::update).
    pub fn update(&mut self, session: &mut Session) -> Result<Vec<u8>> {
        if let Phase::Tree(tree) = &mut self.phase {
            return tree.checked()?.update(session);
        }
        self.copy()?;
        let update = self.update.take().ok_or_else(not_prepared)?;
        match update.record.check(&self.schema).and_then(|()| self.take(update.record.bytes())) {
            Ok(()) => Ok(Vec::new()),
            Err(error) => {
                self.update = Some(update);
                Err(error)
            }
        }
    }

    /// Takes a record into the sort.
    fn take(&mut self, record: &[u8]) -> Result<()> {
        let Phase::Inserting(sorter) = &mut self.phase else {
            return Err(self.phase.refuse("inserting a row"));
        };
        let view = RecordView::new(record, self.schema.page_size)?;
        key::primary_key(&self.schema, &view, &mut self.key)?;
        sorter.insert(&self.key, record)
    }

    /// Inserts a row of these values at once; `record` is room for it.
    ///
    /// # Errors
    /// As [`crate::record::encode_row`] and [`TempTable::update`].
    pub fn insert(
        &mut self,
        session: &mut Session,
        values: &[ColumnValue<'_>],
        record: &mut Vec<u8>,
    ) -> Result<()> {
        if let Phase::Tree(tree) = &mut self.phase {
            tree.checked()?;
            let (table, at, key) = (&tree.tree.table, &mut tree.position, &mut self.key);
            return session
                .statement(|session| table.insert_values(session, at, values, record, key));
        }
        encode_row(&self.schema, values, record)?;
        self.take(record)
    }

    /// A transaction level commits: what is prepared in it belongs to the one below.
    pub fn level_committed(&mut self, level: u8) {
        if let Phase::Tree(tree) = &mut self.phase {
            tree.cursor.level_committed(level);
        }
        if let Some(update) = &mut self.update {
            update.level = update.level.min(level.saturating_sub(1));
        }
    }

    /// The levels above `keep` are taken back, and what was prepared in them.
    pub fn levels_rolled_back(&mut self, keep: u8) {
        if let Phase::Tree(tree) = &mut self.phase {
            tree.cursor.levels_rolled_back(keep);
        }
        if self.update.as_ref().is_some_and(|update| update.level > keep) {
            self.update = None;
        }
    }
}

#[track_caller]
/// Where long values stay in the row there is no other place for one that does not fit.
fn inseparable(column: &str) -> Error {
    let what = format!("column \"{column}\": the row has no room, and its long values stay in it");
    Error::new(JetErr::CannotSeparateIntrinsicLV, what)
        .advise("open the temporary table without JET_bitTTIntrinsicLVsOnly")
}

fn not_prepared() -> Error {
    Error::new(JetErr::UpdateNotPrepared, "no update is prepared")
        .advise("call JetPrepareUpdate first")
}
