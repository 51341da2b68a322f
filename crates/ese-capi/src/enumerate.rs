//! JetEnumerateColumns: the answer lies in memory of the caller's own allocator, a piece for the
//! columns, one for the values of each, one for the bytes of each value. Callers free each.

use ese_api::jet::{self, JET_ENUMCOLUMN as Column, JET_ENUMCOLUMNID as ColumnId};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, cursor, exports, session},
    calls::Realloc,
    ptr::{Bytes, Plain, Ptr, len},
    types::{JET_ENUMCOLUMN, JET_ENUMCOLUMNID, JET_ENUMCOLUMNVALUE},
};

exports! {
    fn JetEnumerateColumns(
        sesid: usize, tableid: usize, cEnumColumnId: u32, rgEnumColumnId: Ptr<JET_ENUMCOLUMNID>,
        pcEnumColumn: Ptr<u32>, prgEnumColumn: Ptr<Ptr<JET_ENUMCOLUMN>>, pfnRealloc: Realloc,
        pvReallocContext: Bytes, cbDataMost: u32, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let (count, to) = (pcEnumColumn.required()?, prgEnumColumn.required()?);
        if !pfnRealloc.is_some() {
            return Err(Error::new(JetErr::InvalidParameter, "no function that gives memory"));
        }
        count.write(0);
        to.write(Ptr::NULL);
        let mut asked = Vec::new();
        if !rgEnumColumnId.is_null() {
            for id in rgEnumColumnId.list(cEnumColumnId)? {
                let rgtagSequence = id.rgtagSequence.list(id.ctagSequence)?;
                asked.push(ColumnId { columnid: id.columnid, rgtagSequence });
            }
        }
        let mut columns = Vec::new();
        let (sesid, tableid) = (session(sesid), cursor(tableid));
        let done =
            jet::JetEnumerateColumns(sesid, tableid, &asked, &mut columns, cbDataMost, grbit);
        // An unknown column is said in the answer, too.
        if done.is_err() && columns.is_empty() {
            return done;
        }
        let mut memory = Memory::new(pfnRealloc, pvReallocContext);
        match memory.columns(&columns) {
            Ok(list) => {
                count.write(len(columns.len()));
                to.write(list);
                done
            }
            Err(error) => {
                memory.give_back();
                Err(error)
            }
        }
    }
}

/// What the caller's allocator has given.
struct Memory {
    function: Realloc,
    context: Bytes,
    given: Vec<Bytes>,
}

impl Memory {
    fn new(function: Realloc, context: Bytes) -> Memory {
        Memory { function, context, given: Vec::new() }
    }

    /// Memory for so many bytes; NULL for none.
    fn get(&mut self, bytes: usize) -> Result<Bytes> {
        if bytes == 0 {
            return Ok(Bytes::NULL);
        }
        let given = self.function.call(self.context, Bytes::NULL, len(bytes));
        match given.filter(|given| !given.is_null()) {
            Some(given) => {
                self.given.push(given);
                Ok(given)
            }
            None => {
                let what = format!("the caller's allocator has no {bytes} bytes");
                Err(Error::new(JetErr::OutOfMemory, what))
            }
        }
    }

    fn list<T: Plain>(&mut self, count: usize) -> Result<Ptr<T>> {
        Ok(self.get(count * size_of::<T>())?.cast())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Bytes> {
        let place = self.get(bytes.len())?;
        place.fill(len(bytes.len()), bytes);
        Ok(place)
    }

    /// Nothing of it is the caller's.
    fn give_back(&mut self) {
        for given in self.given.drain(..) {
            self.function.call(self.context, given, 0);
        }
    }

    fn columns(&mut self, columns: &[Column]) -> Result<Ptr<JET_ENUMCOLUMN>> {
        let list = self.list(columns.len())?;
        for (at, column) in columns.iter().enumerate() {
            let single = column.err == JetErr::WrnColumnSingleValue;
            let (count, pointer) = if single {
                (column.pvData.len(), self.bytes(&column.pvData)?)
            } else {
                let values = self.values(column)?;
                (column.rgEnumColumnValue.len(), values.bytes())
            };
            list.at(at).write(JET_ENUMCOLUMN {
                columnid: column.columnid,
                err: column.err as i32,
                cEnumColumnValue_or_cbData: len(count),
                rgEnumColumnValue_or_pvData: pointer,
            });
        }
        Ok(list)
    }

    fn values(&mut self, column: &Column) -> Result<Ptr<JET_ENUMCOLUMNVALUE>> {
        let list = self.list(column.rgEnumColumnValue.len())?;
        for (at, value) in column.rgEnumColumnValue.iter().enumerate() {
            let pvData = self.bytes(&value.pvData)?;
            list.at(at).write(JET_ENUMCOLUMNVALUE {
                itagSequence: value.itagSequence,
                err: value.err as i32,
                cbData: len(value.pvData.len()),
                pvData,
            });
        }
        Ok(list)
    }
}
