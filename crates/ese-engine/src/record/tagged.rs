//! The tagged part: a sorted array of TAGFLD entries, then their data (edb-format 7.4, 7.5).
//!
//! Small and large pages differ: on small ones the offset has 13 bits and two flag bits say "has an
//! extended byte" and "is NULL"; on large ones the offset has 15 bits, every entry has the extended
//! byte, and NULL is a bit of it.

use ese_base::{PageSize, Result};
use smallvec::SmallVec;

use super::{
    u16_at,
    view::{ColumnData, Instance, Instances, Lid, damaged, damaged_column},
};
use crate::schema::{Column, ColumnId};

/// Bits of the extended byte.
pub(super) mod ext {
    pub(in super::super) const LONG: u8 = 0x01;
    pub(in super::super) const COMPRESSED: u8 = 0x02;
    pub(in super::super) const SEPARATED: u8 = 0x04;
    pub(in super::super) const MULTI: u8 = 0x08;
    pub(in super::super) const TWO: u8 = 0x10;
    pub(in super::super) const NULL: u8 = 0x20;
    pub(in super::super) const ENCRYPTED: u8 = 0x40;
}

/// Bits of a TAGFLD's offset word.
pub(super) mod ib {
    pub(in super::super) const DERIVED: u16 = 0x8000;
    pub(in super::super) const SMALL_EXTENDED: u16 = 0x4000;
    pub(in super::super) const SMALL_NULL: u16 = 0x2000;
    pub(in super::super) const SMALL_MASK: u16 = 0x1fff;
    pub(in super::super) const LARGE_MASK: u16 = 0x7fff;
}

/// Bytes of a TAGFLD.
pub(super) const TAGFLD_LEN: usize = 4;

/// The tagged part of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaggedPart<'a> {
    bytes: &'a [u8],
    /// The TAGFLD array at their beginning.
    fields: &'a [[u8; TAGFLD_LEN]],
    small: bool,
}

/// One entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) id: ColumnId,
    /// Column of the template table.
    pub(super) derived: bool,
    /// Is there a byte of flags before the data?
    pub(super) has_ext: bool,
    /// Extended byte; 0 where there is none.
    pub(super) ext: u8,
    /// Explicit NULL.
    pub(super) null: bool,
    /// Data behind the extended byte.
    pub(super) data: &'a [u8],
}

impl<'a> TaggedPart<'a> {
    pub(super) fn new(bytes: &'a [u8], page_size: PageSize) -> Result<TaggedPart<'a>> {
        let small = page_size.is_small();
        if bytes.is_empty() {
            return Ok(TaggedPart { bytes, fields: &[], small });
        }
        // The data of the first column begins where the array ends.
        let mask = if small { ib::SMALL_MASK } else { ib::LARGE_MASK };
        let array_len = u16_at(bytes, 2).map_or(0, |ib| usize::from(ib & mask));
        match bytes.get(..array_len).map(<[u8]>::as_chunks) {
            Some((fields, [])) if !fields.is_empty() => Ok(TaggedPart { bytes, fields, small }),
            _ => Err(damaged(format!(
                "a record's array of tagged columns is {array_len} bytes long, of {} bytes left",
                bytes.len()
            ))),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The entry of a column.
    pub(super) fn find(&self, column: &Column) -> Result<Option<Entry<'a>>> {
        let place = (!column.origin.inherited, column.stored_id().0);
        match self.fields.binary_search_by_key(&place, order) {
            Ok(at) => self.entry(at).map(Some),
            Err(_) => Ok(None),
        }
    }

    pub(super) fn entry(&self, at: usize) -> Result<Entry<'a>> {
        self.parse(at).ok_or_else(|| {
            damaged(format!("tagged column {at} of {} of a record is malformed", self.len()))
        })
    }

    fn offset(&self, ib: u16) -> usize {
        usize::from(ib & if self.small { ib::SMALL_MASK } else { ib::LARGE_MASK })
    }

    fn parse(&self, at: usize) -> Option<Entry<'a>> {
        let (id, word) = parts(self.fields.get(at)?);
        let begin = self.offset(word);
        let next = self.fields.get(at + 1);
        let end = next.map_or(self.bytes.len(), |next| self.offset(parts(next).1));
        if begin < self.fields.len() * TAGFLD_LEN {
            return None;
        }
        let stored = self.bytes.get(begin..end)?;
        let has_ext = if self.small { word & ib::SMALL_EXTENDED != 0 } else { !stored.is_empty() };
        let (ext, data) = if has_ext {
            let (first, rest) = stored.split_first()?;
            (*first, rest)
        } else {
            (0, stored)
        };
        let null = if self.small { word & ib::SMALL_NULL != 0 } else { ext & ext::NULL != 0 };
        Some(Entry { id: ColumnId(id), derived: word & ib::DERIVED != 0, has_ext, ext, null, data })
    }
}

/// Column id and offset word of a TAGFLD.
fn parts(&[id_low, id_high, ib_low, ib_high]: &[u8; TAGFLD_LEN]) -> (u16, u16) {
    (u16::from_le_bytes([id_low, id_high]), u16::from_le_bytes([ib_low, ib_high]))
}

/// Order of entries: derived ones first, then by column id.
fn order(field: &[u8; TAGFLD_LEN]) -> (bool, u16) {
    let (id, word) = parts(field);
    (word & ib::DERIVED == 0, id)
}

impl<'a> Entry<'a> {
    /// What the entry says of its column.
    pub(super) fn data(self, column: &Column) -> Result<ColumnData<'a>> {
        if self.null {
            return Ok(ColumnData::Null);
        }
        if self.ext & (ext::MULTI | ext::TWO) == 0 {
            return self
                .single()
                .map(ColumnData::One)
                .ok_or_else(|| damaged_column(column, "has an id of a long value of odd length"));
        }
        if self.instance_count() == 0 {
            return Err(damaged_column(column, "has a malformed list of values"));
        }
        Ok(ColumnData::Many(Instances(self)))
    }

    /// Its values; none if it is NULL.
    pub(super) fn instances(self) -> Result<SmallVec<[Instance<'a>; 4]>> {
        if self.null {
            return Ok(SmallVec::new());
        }
        if self.ext & (ext::MULTI | ext::TWO) == 0 {
            return Ok(self.single().into_iter().collect());
        }
        (0..self.instance_count()).map(|at| self.instance(at)).collect()
    }

    /// Appends the ids of the values that lie outside of the record.
    pub(super) fn append_lids(self, out: &mut Vec<Lid>) -> Result<()> {
        for instance in self.instances()? {
            if let Instance::Separated(lid) = instance {
                out.push(lid);
            }
        }
        Ok(())
    }

    /// An entry that is not a list.
    pub(super) fn single(self) -> Option<Instance<'a>> {
        if self.ext & ext::SEPARATED != 0 {
            Lid::from_record(self.data).map(Instance::Separated)
        } else if self.ext & ext::ENCRYPTED != 0 {
            Some(Instance::Encrypted(self.data))
        } else if self.ext & ext::COMPRESSED != 0 {
            Some(Instance::Compressed(self.data))
        } else {
            Some(Instance::Plain(self.data))
        }
    }

    /// How many values a list holds; 0 for a malformed one.
    pub(super) fn instance_count(self) -> usize {
        if self.ext & ext::TWO != 0 {
            return if self.data.is_empty() { 0 } else { 2 };
        }
        usize::from(u16_at(self.data, 0).unwrap_or(0) & 0x7fff) / 2
    }

    /// Value `at` (from 0) of a list.
    pub(super) fn instance(self, at: usize) -> Result<Instance<'a>> {
        let found = if self.ext & ext::TWO != 0 { self.of_two(at) } else { self.of_many(at) };
        found.ok_or_else(|| {
            damaged(format!("value {} of column {} of a record is malformed", at + 1, self.id))
        })
    }

    fn of_two(self, at: usize) -> Option<Instance<'a>> {
        let (first_len, rest) = self.data.split_first()?;
        let (first, second) = rest.split_at_checked(usize::from(*first_len))?;
        Some(Instance::Plain(if at == 0 { first } else { second }))
    }

    fn of_many(self, at: usize) -> Option<Instance<'a>> {
        let count = self.instance_count();
        let word = u16_at(self.data, 2 * at)?;
        let begin = usize::from(word & 0x7fff);
        let end = match at + 1 {
            next if next < count => usize::from(u16_at(self.data, 2 * next)? & 0x7fff),
            _ => self.data.len(),
        };
        if begin < 2 * count {
            return None;
        }
        let bytes = self.data.get(begin..end)?;
        if word & 0x8000 != 0 {
            Lid::from_record(bytes).map(Instance::Separated)
        } else if at == 0 && self.ext & ext::COMPRESSED != 0 {
            Some(Instance::Compressed(bytes))
        } else {
            Some(Instance::Plain(bytes))
        }
    }
}
