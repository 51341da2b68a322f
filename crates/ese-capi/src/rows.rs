//! Rows: changing and reading them.

use ese_api::jet::{
    self, JET_RETRIEVEINTO, JET_SESID, JET_SETCOLUMN as SetColumn, JET_SETINFO as SetInfo,
    JET_TABLEID,
};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, cursor, exports, session},
    ptr::{Bytes, Ptr, bytes, len, size},
    table::wrong_struct,
    types::{
        JET_RECSIZE, JET_RECSIZE2, JET_RECSIZE3, JET_RETINFO, JET_RETRIEVECOLUMN, JET_SETCOLUMN,
        JET_SETINFO,
    },
};

/// Calls a function that adds to what its structure says, or sets it, as its flags want.
macro_rules! record_size {
    (
        $function:ident($sesid:ident, $tableid:ident, $place:ident, $grbit:ident),
        $sizes:ident { $($field:ident)* }
    ) => {{
        let old = $place.get()?;
        let mut sizes = jet::$sizes { $($field: old.$field),* };
        jet::$function(session($sesid), cursor($tableid), &mut sizes, $grbit)?;
        $place.write($sizes { $($field: sizes.$field),* });
        Ok(())
    }};
}

exports! {
    fn JetPrepareUpdate(sesid: usize, tableid: usize, prep: u32)
    about About::Cursor(sesid, tableid) => {
        jet::JetPrepareUpdate(session(sesid), cursor(tableid), prep)
    }

    fn JetSetColumn(
        sesid: usize, tableid: usize, columnid: u32, pvData: Bytes, cbData: u32, grbit: u32,
        psetinfo: Ptr<JET_SETINFO>
    ) about About::Cursor(sesid, tableid) => {
        let info = set_info(psetinfo)?;
        let (sesid, tableid) = (session(sesid), cursor(tableid));
        check_length(sesid, tableid, cbData)?;
        // A length alone may be one of gigabytes.
        if pvData.is_null() && grbit & PARTS == jet::JET_bitSetSizeLV {
            let (size, info) = (bytes(cbData), info.as_ref());
            jet::set_column_size(sesid, tableid, columnid, size, grbit, info)
        } else {
            let sized = sized(pvData, cbData, grbit);
            let data = sized.as_deref().or(pvData.slice(cbData).or(NONE));
            jet::JetSetColumn(sesid, tableid, columnid, data, grbit, info.as_ref())
        }
    }

    fn JetSetColumns(
        sesid: usize, tableid: usize, psetcolumn: Ptr<JET_SETCOLUMN>, csetcolumn: u32
    ) about About::Cursor(sesid, tableid) => {
        let told = psetcolumn.list(csetcolumn)?;
        for one in &told {
            check_length(session(sesid), cursor(tableid), one.cbData)?;
        }
        let sized: Vec<_> =
            told.iter().map(|one| sized(one.pvData, one.cbData, one.grbit)).collect();
        let columns = told.iter().zip(&sized).map(|(one, sized)| SetColumn {
            columnid: one.columnid,
            data: sized.as_deref().or(one.pvData.slice(one.cbData).or(NONE)),
            grbit: one.grbit,
            ibLongValue: bytes(one.ibLongValue),
            itagSequence: bytes(one.itagSequence),
            err: JetErr::Success,
        });
        let mut columns: Vec<_> = columns.collect();
        let done = jet::JetSetColumns(session(sesid), cursor(tableid), &mut columns);
        // Nothing was done with the elements behind the one that failed.
        let failed = columns.iter().position(|column| (column.err as i32) < 0);
        let looked_at = match (&done, failed) {
            (Ok(_), _) => columns.len(),
            (Err(_), failed) => failed.map_or(0, |at| at + 1),
        };
        for (at, column) in columns.iter().take(looked_at).enumerate() {
            psetcolumn.at(at).change(|told| told.err = column.err as i32);
        }
        done
    }

    fn JetUpdate(
        sesid: usize, tableid: usize, pvBookmark: Bytes, cbBookmark: u32, pcbActual: Ptr<u32>
    ) about About::Cursor(sesid, tableid) => {
        let bookmark = jet::JetUpdate(session(sesid), cursor(tableid))?;
        put_bookmark(&bookmark, pvBookmark, cbBookmark, pcbActual);
        Ok(())
    }

    fn JetUpdate2(
        sesid: usize, tableid: usize, pvBookmark: Bytes, cbBookmark: u32, pcbActual: Ptr<u32>,
        grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let bookmark = jet::JetUpdate2(session(sesid), cursor(tableid), grbit)?;
        put_bookmark(&bookmark, pvBookmark, cbBookmark, pcbActual);
        Ok(())
    }

    fn JetEscrowUpdate(
        sesid: usize, tableid: usize, columnid: u32, pv: Bytes, cbMax: u32, pvOld: Bytes,
        cbOldMax: u32, pcbOldActual: Ptr<u32>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let addend = pv.slice(cbMax).unwrap_or_default().to_vec();
        let mut old = [0; size_of::<u64>()];
        let room = if pvOld.is_null() { 0 } else { bytes(cbOldMax).min(old.len()) };
        let to = old.get_mut(..room).unwrap_or_default();
        let (sesid, tableid) = (session(sesid), cursor(tableid));
        let written = jet::JetEscrowUpdate(sesid, tableid, columnid, &addend, to, grbit)?;
        pvOld.fill(cbOldMax, old.get(..written).unwrap_or_default());
        pcbOldActual.write(len(written));
        Ok(())
    }

    fn JetDelete(sesid: usize, tableid: usize) about About::Cursor(sesid, tableid) => {
        jet::JetDelete(session(sesid), cursor(tableid))
    }

    fn JetGetLock(sesid: usize, tableid: usize, grbit: u32)
    about About::Cursor(sesid, tableid) => {
        jet::JetGetLock(session(sesid), cursor(tableid), grbit)
    }

    fn JetRetrieveColumn(
        sesid: usize, tableid: usize, columnid: u32, pvData: Bytes, cbData: u32,
        pcbActual: Ptr<u32>, grbit: u32, pretinfo: Ptr<JET_RETINFO>
    ) about About::Cursor(sesid, tableid) => {
        let info = ret_info(pretinfo)?;
        let mut pvData = pvData;
        let mut into = [JET_RETRIEVEINTO {
            columnid,
            grbit,
            ibLongValue: bytes(info.map_or(0, |info| info.ibLongValue)),
            itagSequence: bytes(info.map_or(1, |info| info.itagSequence)),
            columnidNextTagged: 0,
            buffer: pvData.buffer(cbData).unwrap_or_default(),
            actual: 0,
            err: None,
        }];
        jet::retrieve_into(session(sesid), cursor(tableid), &mut into, false)?;
        let [read] = into;
        pcbActual.write(len(read.actual));
        pretinfo.change(|info| {
            info.columnidNextTagged = read.columnidNextTagged;
            info.itagSequence = len(read.itagSequence);
        });
        Ok(read.err.unwrap_or(JetErr::Success))
    }

    fn JetRetrieveColumns(
        sesid: usize, tableid: usize, pretrievecolumn: Ptr<JET_RETRIEVECOLUMN>,
        cretrievecolumn: u32
    ) about About::Cursor(sesid, tableid) => {
        let mut told = pretrievecolumn.list(cretrievecolumn)?;
        let into = told.iter_mut().map(|one| JET_RETRIEVEINTO {
            columnid: one.columnid,
            grbit: one.grbit,
            ibLongValue: bytes(one.ibLongValue),
            itagSequence: bytes(one.itagSequence),
            columnidNextTagged: one.columnidNextTagged,
            buffer: one.pvData.buffer(one.cbData).unwrap_or_default(),
            actual: 0,
            err: None,
        });
        let mut into: Vec<_> = into.collect();
        let done = jet::retrieve_into(session(sesid), cursor(tableid), &mut into, true);
        let mut code = JetErr::Success;
        for (at, read) in into.iter().enumerate() {
            let Some(err) = read.err else { break };
            pretrievecolumn.at(at).change(|told| {
                told.cbActual = len(read.actual);
                told.itagSequence = len(read.itagSequence);
                told.columnidNextTagged = read.columnidNextTagged;
                told.err = err as i32;
            });
            if err == JetErr::WrnBufferTruncated {
                code = err;
            }
        }
        done.map(|()| code)
    }

    fn JetGetRecordSize(
        sesid: usize, tableid: usize, precsize: Ptr<JET_RECSIZE>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        record_size!(JetGetRecordSize(sesid, tableid, precsize, grbit), JET_RECSIZE {
            cbData cbLongValueData cbOverhead cbLongValueOverhead cNonTaggedColumns cTaggedColumns
            cLongValues cMultiValues
        })
    }

    fn JetGetRecordSize2(
        sesid: usize, tableid: usize, precsize: Ptr<JET_RECSIZE2>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        record_size!(JetGetRecordSize2(sesid, tableid, precsize, grbit), JET_RECSIZE2 {
            cbData cbLongValueData cbOverhead cbLongValueOverhead cNonTaggedColumns cTaggedColumns
            cLongValues cMultiValues cCompressedColumns cbDataCompressed cbLongValueDataCompressed
        })
    }

    fn JetGetRecordSize3(
        sesid: usize, tableid: usize, precsize: Ptr<JET_RECSIZE3>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        record_size!(JetGetRecordSize3(sesid, tableid, precsize, grbit), JET_RECSIZE3 {
            cbData cbLongValueData cbOverhead cbLongValueOverhead cNonTaggedColumns cTaggedColumns
            cLongValues cMultiValues cCompressedColumns cbDataCompressed cbLongValueDataCompressed
            cbIntrinsicLongValueData cbIntrinsicLongValueDataCompressed cIntrinsicLongValues cbKey
        })
    }
}

/// JET_cbLVColumnMost: no value is longer.
const LONGEST: u32 = 0x7fff_ffff;

/// Nobody has bytes of such a length: mostly it is -1, and must not be believed.
fn check_length(sesid: JET_SESID, tableid: JET_TABLEID, cb: u32) -> Result<()> {
    if cb <= LONGEST {
        return Ok(());
    }
    jet::check_cursor(sesid, tableid)?;
    Err(Error::new(JetErr::InvalidParameter, format!("a value of {cb} bytes")))
}

/// Flags that write a part of a value.
const PARTS: u32 = jet::JET_bitSetAppendLV | jet::JET_bitSetOverwriteLV | jet::JET_bitSetSizeLV;

/// NULL has no bytes, whatever length is given: that is a NULL value, or one of length 0 with
/// `JET_bitSetZeroLength`.
const NONE: Option<&[u8]> = Some(&[]);

/// Only the length of a long value is set: there need not be bytes, and none of them counts.
fn sized(pv: Bytes, cb: u32, grbit: u32) -> Option<Vec<u8>> {
    let alone = grbit & jet::JET_bitSetSizeLV != 0 && grbit & jet::JET_bitSetOverwriteLV == 0;
    (alone && pv.is_null()).then(|| vec![0; bytes(cb)])
}

fn set_info(place: Ptr<JET_SETINFO>) -> Result<Option<SetInfo>> {
    let Some(told) = place.read() else { return Ok(None) };
    if told.cbStruct < size::<JET_SETINFO>() {
        return Err(wrong_struct("JET_SETINFO", told.cbStruct, size::<JET_SETINFO>()));
    }
    let (ibLongValue, itagSequence) = (bytes(told.ibLongValue), bytes(told.itagSequence));
    Ok(Some(SetInfo { ibLongValue, itagSequence }))
}

fn ret_info(place: Ptr<JET_RETINFO>) -> Result<Option<JET_RETINFO>> {
    let Some(told) = place.read() else { return Ok(None) };
    if told.cbStruct < size::<JET_RETINFO>() {
        return Err(wrong_struct("JET_RETINFO", told.cbStruct, size::<JET_RETINFO>()));
    }
    Ok(Some(told))
}

/// The bookmark of a row that was written: what fits, without a word about the rest.
fn put_bookmark(bookmark: &[u8], to: Bytes, cb: u32, actual: Ptr<u32>) {
    if cb == 0 || to.is_null() {
        return;
    }
    to.fill(cb, bookmark);
    actual.write(len(bookmark.len()));
}

/// Bytes for a caller: what fits, and how many there are.
///
/// # Errors
/// `code`, if it is one, where they do not fit; else it is the answer.
pub(crate) fn put(
    from: &[u8],
    to: Bytes,
    cb: u32,
    actual: Ptr<u32>,
    code: JetErr,
) -> Result<JetErr> {
    to.fill(cb, from);
    actual.write(len(from.len()));
    if from.len() <= bytes(cb) && (!to.is_null() || from.is_empty()) {
        return Ok(JetErr::Success);
    }
    if code as i32 >= 0 {
        return Ok(code);
    }
    let what = format!("a buffer of {cb} bytes for {} bytes", from.len());
    Err(Error::new(code, what))
}
