//! What a record is made of, in bytes and counts (JET_RECSIZE's reference page).

use ese_base::Result;

use super::{
    tagged::{Entry, ext},
    view::{Instance, Lid, RecordView},
};
use crate::{
    compress,
    schema::{ColumnId, RECORD_HEADER_LEN},
};

/// Bytes and counts of one record. Values outside of it only count with their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordSize {
    /// Bytes of values in the record, as callers see them.
    pub data: u64,
    /// The same as they are stored: less where they are compressed.
    pub stored: u64,
    /// All other bytes of the record.
    pub overhead: u64,
    /// Fixed and variable columns up to the last ones that the record has room for, NULL or not.
    pub plain_columns: u64,
    /// Tagged columns that the record mentions.
    pub tagged_columns: u64,
    /// Values beyond the first of their column.
    pub more_values: u64,
    /// Values that are compressed.
    pub compressed: u64,
    /// Of `data`, that of long columns.
    pub long_data: u64,
    /// `long_data` as it is stored.
    pub long_stored: u64,
    /// Values of long columns that are in the record.
    pub long_values: u64,
    /// Values outside of the record.
    pub lids: Vec<Lid>,
}

impl RecordView<'_> {
    /// What the record is made of. Without `expand` compressed values count as they are stored, and
    /// nothing is expanded.
    ///
    /// # Errors
    /// `JET_errDatabaseCorrupted`, `JET_errDecompressionFailed` (-1620).
    pub fn size(&self, expand: bool) -> Result<RecordSize> {
        let mut size = RecordSize::default();
        // The room of fixed columns is data whether they are NULL or not.
        let fixed = self.bitmap.saturating_sub(usize::from(RECORD_HEADER_LEN));
        let variable = self.tagged.saturating_sub(self.variable);
        size.stored = (fixed + variable) as u64;
        size.data = size.stored;
        let before = u16::from(self.last_variable).saturating_sub(ColumnId::VARIABLE_FIRST.0 - 1);
        size.plain_columns = u64::from(self.last_fixed) + u64::from(before);
        let part = self.tagged_part()?;
        let mut uncounted = 0;
        for at in 0..part.len() {
            let entry = part.entry(at)?;
            // As ESE counts: without the flags that a single short value has in large pages.
            let single = !entry.null && entry.ext & (ext::MULTI | ext::TWO) == 0;
            let flagless = single && entry.ext & ext::LONG == 0;
            uncounted += u64::from(flagless && entry.has_ext);
            size.add_tagged(entry, expand)?;
        }
        let counted = size.stored + uncounted;
        size.overhead = (self.bytes().len() as u64).saturating_sub(counted);
        Ok(size)
    }
}

impl RecordSize {
    fn add_tagged(&mut self, entry: Entry<'_>, expand: bool) -> Result<()> {
        self.tagged_columns += 1;
        let instances = entry.instances()?;
        self.more_values += (instances.len() as u64).saturating_sub(1);
        for instance in instances {
            let (data, stored) = match instance {
                Instance::Plain(bytes) | Instance::Encrypted(bytes) => (bytes.len(), bytes.len()),
                Instance::Compressed(bytes) => {
                    self.compressed += 1;
                    let most = usize::from(u16::MAX);
                    let stored = bytes.len();
                    let whole = if expand { compress::expand(bytes, most)?.len() } else { stored };
                    (whole, stored)
                }
                Instance::Separated(lid) => {
                    self.lids.push(lid);
                    continue;
                }
            };
            let (data, stored) = (data as u64, stored as u64);
            self.data += data;
            self.stored += stored;
            if entry.ext & ext::LONG != 0 {
                self.long_data += data;
                self.long_stored += stored;
                self.long_values += 1;
            }
        }
        Ok(())
    }
}
