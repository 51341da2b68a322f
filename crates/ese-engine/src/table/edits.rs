//! Writing a row together with changes of its long values that have waited for it.

use ese_base::Result;

use super::{Table, live::Live};
use crate::{
    longvalue::{Changed, Waiting},
    record::{Instance, Lid, RecordBuilder},
    schema::{Column, ColumnId, Index},
    session::Session,
    tree::Position,
};

impl Table {
    /// As [`Table::replace`], with changes of values that the row refers to. A value is changed in
    /// place if that is nobody else's business, else the row gets a changed copy of it.
    ///
    /// # Errors
    /// As [`Table::replace`], and those of reading values.
    pub(crate) fn replace_with_values(
        &self,
        session: &mut Session,
        hint: &mut Position,
        (key, record): (&[u8], &RecordBuilder),
        waiting: &Waiting,
    ) -> Result<()> {
        if waiting.is_empty() {
            return self.replace(session, hint, key, record.bytes());
        }
        self.check_changeable(session)?;
        // An index that is made now would not notice that values change in place.
        let live = self.core.live.read();
        session.all_or_nothing(|session| {
            let mut changed: Option<RecordBuilder> = None;
            for value in waiting.iter() {
                let record = changed.as_ref().unwrap_or(record);
                let Some((column, itag)) = self.place_of(record, value.lid())? else { continue };
                if !self.is_in_keys(&live, column.id)
                    && self.require_long_tree()?.change_in_place(session, value)?
                {
                    continue;
                }
                let mut other = record.clone();
                let copy = Some(Instance::Separated(self.changed_copy(session, value)?));
                other.put_instance(&self.schema, column.id, itag, copy)?;
                changed = Some(other);
            }
            let record = changed.as_ref().unwrap_or(record);
            self.replace_under(&live, session, hint, key, record.bytes())
        })
    }

    fn changed_copy(&self, session: &mut Session, value: &Changed) -> Result<Lid> {
        let (tree, to) = self.new_lid(session)?;
        let size = (value.size(), Some(value));
        tree.copy(session, (value.lid(), to), size, value.packing())?;
        Ok(to)
    }

    /// The column and the number in it under which a row refers to a value.
    fn place_of(&self, record: &RecordBuilder, lid: Lid) -> Result<Option<(&Column, usize)>> {
        let view = record.view(&self.schema)?;
        for column in self.schema.columns.iter().filter(|column| column.ty.is_long()) {
            let data = view.data(column)?;
            for itag in 1..=data.len() {
                if data.nth(itag)? == Some(Instance::Separated(lid)) {
                    return Ok(Some((column, itag)));
                }
            }
        }
        Ok(None)
    }

    /// Is a key made of the column? Then it must be seen to change.
    fn is_in_keys(&self, live: &Live, column: ColumnId) -> bool {
        let has = |index: &Index| index.columns().any(|id| id == column);
        self.schema.indexes.iter().any(has)
            || live.indexes.iter().any(|live| has(&live.index.schema))
    }
}
