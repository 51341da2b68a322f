//! Values of a multi-valued column that must differ from each other (api-semantics 9.8).

use ese_base::{Error, JetErr, Result};

use super::Cursor;
use crate::{
    key::{Collation, KeyRules, normalise},
    schema::{Column, UnicodeIndex},
    session::Session,
};

/// When two values of a column count as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// With the same bytes.
    Bytes,
    /// With the same beginning of a key: case does not matter then, nor what is behind the cut.
    Normalized,
}

/// As long as keys were in all versions of ESE.
const KEY_LEN_MAX: usize = 255;

impl Cursor {
    /// Refuses a value that the prepared row has already in this column, other than as value
    /// `itag`.
    ///
    /// # Errors
    /// `JET_errUpdateNotPrepared` (-1609), `JET_errMultiValuedDuplicate` (-1525),
    /// `JET_errMultiValuedDuplicateAfterTruncation` (-1528) where only the beginnings are the same,
    /// those of reading.
    pub fn check_unique_value(
        &self,
        session: &Session,
        column: &Column,
        (itag, value): (usize, &[u8]),
        same: Sameness,
    ) -> Result<()> {
        let record = self.prepared().ok_or_else(super::update::not_prepared)?;
        let values = self.long_values(session);
        let view = record.view(&self.table.schema)?.with_long_values(&values);
        let data = view.data(column)?;
        if data.is_default() && column.is_computed() {
            // What a callback would say is no value of the row.
            return Ok(());
        }
        let collation = Collation::new(&UnicodeIndex::default())?;
        let rules = KeyRules { collation: Some(&collation), ..KeyRules::plain(KEY_LEN_MAX) };
        let key = |value: &[u8]| -> Result<(Vec<u8>, bool)> {
            let mut key = Vec::new();
            let cut = normalise(&rules, column, false, Some(value), &mut key)?;
            Ok((key, cut))
        };
        for other in (1..=data.len()).filter(|other| *other != itag) {
            let Some(instance) = data.nth(other)? else { continue };
            let bytes = view.bytes_of(column, instance, usize::MAX)?;
            let code = match same {
                _ if *bytes == *value => JetErr::MultiValuedDuplicate,
                Sameness::Bytes => continue,
                Sameness::Normalized => match (key(value)?, key(&bytes)?) {
                    (new, old) if new.0 != old.0 => continue,
                    ((_, true), (_, true)) => JetErr::MultiValuedDuplicateAfterTruncation,
                    _ => JetErr::MultiValuedDuplicate,
                },
            };
            let what = format!("column \"{}\" has this value, as number {other}", column.name);
            return Err(Error::new(code, what));
        }
        Ok(())
    }
}
