//! Reading by an index.

use std::{ops::RangeBounds, sync::Arc};

use ese_base::{Error, JetErr, Result};
use ese_engine::{
    schema::Index as IndexSchema,
    table::{IndexHold, SecondaryIndex},
};

use crate::{
    key::{Key, beginning_bytes, order_key_bytes},
    row::Row,
    rows::{Bounds, Rows},
    session::Reader,
    table::{Table, key_bounds},
};

/// An index of a table: the rows in another order. Cheap to clone. While there is a handle, the
/// index cannot be deleted (`JET_errIndexInUse`, -1051); its table can.
#[derive(Clone, Debug)]
pub struct Index {
    table: Table,
    /// `None` is the primary index.
    secondary: Option<Arc<SecondaryIndex>>,
    /// Says to others that it is in use.
    _hold: Option<Arc<IndexHold>>,
}

impl Index {
    pub(crate) fn named(table: &Table, name: &str) -> Result<Index> {
        let primary = table.schema().primary();
        let secondary = match table.inner.index(name) {
            Some(index) => Some(Arc::clone(index)),
            None if primary.is_some_and(|index| index.name.eq_ignore_ascii_case(name)) => None,
            None => {
                return Err(Error::new(
                    JetErr::IndexNotFound,
                    format!("table \"{}\" has no index \"{name}\"", table.name()),
                ));
            }
        };
        let hold = secondary.as_ref().map(|index| Arc::new(table.inner.hold_index(index)));
        Ok(Index { table: table.clone(), secondary, _hold: hold })
    }

    /// What the catalog says of it; every table has the primary index that was found by name.
    fn schema(&self) -> Option<&IndexSchema> {
        self.order().or_else(|| self.table.schema().primary())
    }

    /// In which order of the table the rows come: `None` is its own.
    fn order(&self) -> Option<&IndexSchema> {
        self.secondary.as_ref().map(|index| &index.schema)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.schema().map_or("", |schema| &schema.name)
    }

    /// Are its keys distinct?
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.schema().is_none_or(IndexSchema::is_unique)
    }

    /// The first row with this key.
    ///
    /// # Errors
    /// Those of reading; `JET_errInvalidParameter` (-1003) for a key that does not suit the
    /// columns.
    pub fn get(&self, from: &impl Reader, key: impl Key) -> Result<Option<Row>> {
        self.prefix(from, key)?.next().transpose()
    }

    /// All rows that have an entry in the index, in its order; a row with several entries comes
    /// several times.
    #[must_use]
    pub fn rows<'r, R: Reader>(&self, from: &'r R) -> Rows<'r> {
        Rows::by(&self.table, self.secondary.clone(), from.cell(), Bounds::default())
    }

    /// The rows whose keys lie in a range. A bound with fewer values than key columns takes in, or
    /// leaves out, all rows that begin with them. In a descending column the greater value comes
    /// first.
    ///
    /// # Errors
    /// As [`Index::get`].
    pub fn range<'r, R: Reader, K: Key + Clone>(
        &self,
        from: &'r R,
        keys: impl RangeBounds<K>,
    ) -> Result<Rows<'r>> {
        let bounds = key_bounds(self.table.schema(), self.order(), keys)?;
        Ok(Rows::by(&self.table, self.secondary.clone(), from.cell(), bounds))
    }

    /// The rows whose keys begin with these values.
    ///
    /// # Errors
    /// As [`Index::get`].
    pub fn prefix<'r, R: Reader>(&self, from: &'r R, key: impl Key) -> Result<Rows<'r>> {
        let mut low = Vec::new();
        order_key_bytes(self.table.schema(), self.order(), key, &mut low)?;
        let bounds = Bounds::beginning_with(low);
        Ok(Rows::by(&self.table, self.secondary.clone(), from.cell(), bounds))
    }

    /// The rows whose keys begin with these values, the last of which is the beginning of a text or
    /// of bytes: `starting_with(&session, "co")` finds "coat" and "cow". In a tuple index it finds
    /// what stands inside of texts.
    ///
    /// # Errors
    /// As [`Index::get`]; `JET_errInvalidParameter` (-1003) too for a last value that is a number.
    pub fn starting_with<'r, R: Reader>(&self, from: &'r R, key: impl Key) -> Result<Rows<'r>> {
        let mut low = Vec::new();
        if let Some(index) = self.schema() {
            beginning_bytes(self.table.schema(), index, key, &mut low)?;
        }
        let bounds = Bounds::beginning_with(low);
        Ok(Rows::by(&self.table, self.secondary.clone(), from.cell(), bounds))
    }
}
