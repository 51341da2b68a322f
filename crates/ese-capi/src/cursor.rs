//! Moving, seeking, ranges, bookmarks, indexes, counting.

use ese_api::jet::{self, JET_INDEXID as IndexId};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, cursor, exports, handle, session, text_exports},
    ptr::{Bytes, Ptr, Str, size},
    rows::put,
    table::wrong_struct,
    types::{
        JET_INDEX_COLUMN, JET_INDEX_RANGE, JET_INDEXID, JET_INDEXRANGE, JET_RECORDLIST, JET_RECPOS,
        JET_RECPOS2,
    },
};

exports! {
    fn JetMove(sesid: usize, tableid: usize, cRow: i32, grbit: u32)
    about About::Cursor(sesid, tableid) => {
        jet::JetMove(session(sesid), cursor(tableid), cRow, grbit)
    }

    fn JetMakeKey(sesid: usize, tableid: usize, pvData: Bytes, cbData: u32, grbit: u32)
    about About::Cursor(sesid, tableid) => {
        let value = pvData.slice(cbData).unwrap_or_default();
        jet::JetMakeKey(session(sesid), cursor(tableid), Some(value), grbit)
    }

    fn JetSeek(sesid: usize, tableid: usize, grbit: u32) about About::Cursor(sesid, tableid) => {
        jet::JetSeek(session(sesid), cursor(tableid), grbit)
    }

    fn JetSetIndexRange(sesid: usize, tableid: usize, grbit: u32)
    about About::Cursor(sesid, tableid) => {
        jet::JetSetIndexRange(session(sesid), cursor(tableid), grbit)
    }

    // The search key is cut without a word, the key of an entry with a warning.
    fn JetRetrieveKey(
        sesid: usize, tableid: usize, pvKey: Bytes, cbMax: u32, pcbActual: Ptr<u32>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let key = jet::JetRetrieveKey(session(sesid), cursor(tableid), grbit)?;
        let cut = match grbit & jet::JET_bitRetrieveCopy {
            0 => JetErr::WrnBufferTruncated,
            _ => JetErr::Success,
        };
        put(&key, pvKey, cbMax, pcbActual, cut)
    }

    fn JetGetBookmark(
        sesid: usize, tableid: usize, pvBookmark: Bytes, cbMax: u32, pcbActual: Ptr<u32>
    ) about About::Cursor(sesid, tableid) => {
        let bookmark = jet::JetGetBookmark(session(sesid), cursor(tableid))?;
        put(&bookmark, pvBookmark, cbMax, pcbActual, JetErr::BufferTooSmall)
    }

    fn JetGotoBookmark(sesid: usize, tableid: usize, pvBookmark: Bytes, cbBookmark: u32)
    about About::Cursor(sesid, tableid) => {
        let bookmark = pvBookmark.slice(cbBookmark).unwrap_or_default();
        jet::JetGotoBookmark(session(sesid), cursor(tableid), bookmark)
    }

    fn JetGetSecondaryIndexBookmark(
        sesid: usize, tableid: usize, pvSecondaryKey: Bytes, cbSecondaryKeyMax: u32,
        pcbSecondaryKeyActual: Ptr<u32>, pvPrimaryBookmark: Bytes, cbPrimaryBookmarkMax: u32,
        pcbPrimaryBookmarkActual: Ptr<u32>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let (key, primary) =
            jet::JetGetSecondaryIndexBookmark(session(sesid), cursor(tableid), grbit)?;
        let small = JetErr::BufferTooSmall;
        let to = (pvPrimaryBookmark, cbPrimaryBookmarkMax, pcbPrimaryBookmarkActual);
        // Both are written, whichever does not fit.
        let key = put(&key, pvSecondaryKey, cbSecondaryKeyMax, pcbSecondaryKeyActual, small);
        put(&primary, to.0, to.1, to.2, small)?;
        key
    }

    fn JetGotoSecondaryIndexBookmark(
        sesid: usize, tableid: usize, pvSecondaryKey: Bytes, cbSecondaryKey: u32,
        pvPrimaryBookmark: Bytes, cbPrimaryBookmark: u32, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let key = pvSecondaryKey.slice(cbSecondaryKey).unwrap_or_default();
        let primary = pvPrimaryBookmark.slice(cbPrimaryBookmark).unwrap_or_default();
        let (sesid, tableid) = (session(sesid), cursor(tableid));
        jet::JetGotoSecondaryIndexBookmark(sesid, tableid, key, primary, grbit)
    }

    fn JetGetRecordPosition(
        sesid: usize, tableid: usize, precpos: Ptr<JET_RECPOS>, cbRecpos: u32
    ) about About::Cursor(sesid, tableid) => {
        let to = precpos.required()?;
        if cbRecpos != size::<JET_RECPOS>() && cbRecpos != size::<JET_RECPOS2>() {
            return Err(wrong_struct("JET_RECPOS", cbRecpos, size::<JET_RECPOS>()));
        }
        let place = jet::JetGetRecordPosition(session(sesid), cursor(tableid), 0)?;
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        if cbRecpos == size::<JET_RECPOS2>() {
            to.cast().write(JET_RECPOS2 {
                cbStruct: cbRecpos,
                centriesLTDeprecated: 0,
                centriesInRangeDeprecated: 0,
                centriesTotalDeprecated: 0,
                centriesLT: place.centriesLT,
                centriesTotal: place.centriesTotal,
            });
        } else {
            to.write(JET_RECPOS {
                cbStruct: cbRecpos,
                centriesLT: narrow(place.centriesLT),
                centriesInRange: narrow(place.centriesInRange),
                centriesTotal: narrow(place.centriesTotal),
            });
        }
        Ok(())
    }

    fn JetGotoPosition(sesid: usize, tableid: usize, precpos: Ptr<JET_RECPOS>)
    about About::Cursor(sesid, tableid) => {
        let place = position(precpos)?;
        jet::JetGotoPosition(session(sesid), cursor(tableid), &place)
    }

    fn JetIndexRecordCount(sesid: usize, tableid: usize, pcrec: Ptr<u32>, crecMax: u32)
    about About::Cursor(sesid, tableid) => {
        let to = pcrec.required()?;
        to.write(jet::JetIndexRecordCount(session(sesid), cursor(tableid), crecMax)?);
        Ok(())
    }

    fn JetIndexRecordCount2(sesid: usize, tableid: usize, pcrec: Ptr<u64>, crecMax: u64)
    about About::Cursor(sesid, tableid) => {
        let to = pcrec.required()?;
        to.write(jet::JetIndexRecordCount2(session(sesid), cursor(tableid), crecMax)?);
        Ok(())
    }

    fn JetGetCursorInfo(
        sesid: usize, tableid: usize, pvResult: Bytes, cbMax: u32, InfoLevel: u32
    ) about About::Cursor(sesid, tableid) => {
        // A buffer of no bytes is none, wherever it is.
        let _ = pvResult;
        if cbMax != 0 || InfoLevel != 0 {
            let what = "JetGetCursorInfo has neither buffer nor level";
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        jet::JetGetCursorInfo(session(sesid), cursor(tableid))
    }

    fn JetSetCursorFilter(
        sesid: usize, tableid: usize, rgColumnFilters: Ptr<JET_INDEX_COLUMN>,
        cColumnFilters: u32, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let filters = index_columns(rgColumnFilters, cColumnFilters)?;
        jet::JetSetCursorFilter(session(sesid), cursor(tableid), &filters, grbit)
    }

    fn JetPrereadKeys(
        sesid: usize, tableid: usize, rgpvKeys: Ptr<Bytes>, rgcbKeys: Ptr<u32>, ckeys: i32,
        pckeysPreread: Ptr<i32>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let count = u32::try_from(ckeys).map_err(|_| {
            Error::new(JetErr::InvalidParameter, format!("{ckeys} keys"))
        })?;
        let (keys, lengths) = (rgpvKeys.list(count)?, rgcbKeys.list(count)?);
        let keys: Vec<&[u8]> = keys
            .iter()
            .zip(lengths)
            .map(|(key, length)| key.slice(length).unwrap_or_default())
            .collect();
        let read = jet::JetPrereadKeys(session(sesid), cursor(tableid), &keys, grbit)?;
        pckeysPreread.write(i32::try_from(read).unwrap_or(i32::MAX));
        Ok(())
    }

    fn JetPrereadIndexRanges(
        sesid: usize, tableid: usize, rgIndexRanges: Ptr<JET_INDEX_RANGE>, cIndexRanges: u32,
        pcRangesPreread: Ptr<u32>, rgcolumnidPreread: Ptr<u32>, ccolumnidPreread: u32,
        grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let mut ranges = Vec::new();
        for range in rgIndexRanges.list(cIndexRanges)? {
            ranges.push(jet::JET_INDEX_RANGE {
                rgStartColumns: index_columns(range.rgStartColumns, range.cStartColumns)?,
                rgEndColumns: index_columns(range.rgEndColumns, range.cEndColumns)?,
            });
        }
        let columns = rgcolumnidPreread.list(ccolumnidPreread)?;
        let (sesid, tableid) = (session(sesid), cursor(tableid));
        // Who wants no count gives the ranges in any order.
        let mut read = 0;
        let told = Some(&mut read).filter(|_| !pcRangesPreread.is_null());
        jet::JetPrereadIndexRanges(sesid, tableid, &ranges, told, &columns, grbit)?;
        pcRangesPreread.write(read);
        Ok(())
    }

    fn JetIntersectIndexes(
        sesid: usize, rgindexrange: Ptr<JET_INDEXRANGE>, cindexrange: u32,
        precordlist: Ptr<JET_RECORDLIST>, grbit: u32
    ) about About::Session(sesid) => {
        let to = precordlist.get()?;
        if to.cbStruct != size::<JET_RECORDLIST>() {
            return Err(wrong_struct("JET_RECORDLIST", to.cbStruct, size::<JET_RECORDLIST>()));
        }
        let mut ranges = Vec::new();
        for range in rgindexrange.list(cindexrange)? {
            if range.cbStruct != size::<JET_INDEXRANGE>() {
                let wanted = size::<JET_INDEXRANGE>();
                return Err(wrong_struct("JET_INDEXRANGE", range.cbStruct, wanted));
            }
            let (tableid, grbit) = (cursor(range.tableid), range.grbit);
            ranges.push(jet::JET_INDEXRANGE { tableid, grbit });
        }
        let found = jet::JetIntersectIndexes(session(sesid), &ranges, grbit)?;
        let list = jet::JET_RECORDLIST::open(session(sesid), &found)?;
        precordlist.write(JET_RECORDLIST {
            tableid: handle(list.tableid.0),
            cRecord: list.cRecord,
            columnidBookmark: list.columnidBookmark,
            ..to
        });
        Ok(())
    }
}

text_exports! {
    fn JetSetCurrentIndex JetSetCurrentIndexA | JetSetCurrentIndexW(
        sesid: usize, tableid: usize, szIndexName: Str<C>
    ) about About::Cursor(sesid, tableid) => {
        let name = szIndexName.text()?;
        jet::JetSetCurrentIndex(session(sesid), cursor(tableid), name.as_deref())
    }

    fn JetSetCurrentIndex2 JetSetCurrentIndex2A | JetSetCurrentIndex2W(
        sesid: usize, tableid: usize, szIndexName: Str<C>, grbit: u32
    ) about About::Cursor(sesid, tableid) => {
        let name = szIndexName.text()?;
        jet::JetSetCurrentIndex2(session(sesid), cursor(tableid), name.as_deref(), grbit)
    }

    fn JetSetCurrentIndex3 JetSetCurrentIndex3A | JetSetCurrentIndex3W(
        sesid: usize, tableid: usize, szIndexName: Str<C>, grbit: u32, itagSequence: u32
    ) about About::Cursor(sesid, tableid) => {
        let (name, sesid, tableid) = (szIndexName.text()?, session(sesid), cursor(tableid));
        jet::JetSetCurrentIndex3(sesid, tableid, name.as_deref(), grbit, itagSequence)
    }

    fn JetSetCurrentIndex4 JetSetCurrentIndex4A | JetSetCurrentIndex4W(
        sesid: usize, tableid: usize, szIndexName: Str<C>, pindexid: Ptr<JET_INDEXID>,
        grbit: u32, itagSequence: u32
    ) about About::Cursor(sesid, tableid) => {
        let id = pindexid.read().map(index_id).transpose()?;
        let (name, sesid, tableid) = (szIndexName.text()?, session(sesid), cursor(tableid));
        let name = name.as_deref();
        jet::JetSetCurrentIndex4(sesid, tableid, name, id.as_ref(), grbit, itagSequence)
    }

    fn JetGetCurrentIndex JetGetCurrentIndexA | JetGetCurrentIndexW(
        sesid: usize, tableid: usize, szIndexName: Ptr<C>, cbIndexName: u32
    ) about About::Cursor(sesid, tableid) => {
        let to = szIndexName.required()?;
        let name = jet::JetGetCurrentIndex(session(sesid), cursor(tableid))?;
        let fits = crate::text::put(to, cbIndexName, &name);
        // Of 8-bit text a part of the name will do.
        let enough = fits || !C::WIDE && cbIndexName > 0;
        Ok(if enough { JetErr::Success } else { JetErr::WrnBufferTruncated })
    }
}

/// A position, in one of the two structures.
fn position(place: Ptr<JET_RECPOS>) -> Result<jet::JET_RECPOS> {
    let cb = place.cast::<u32>().get()?;
    if cb == size::<JET_RECPOS2>() {
        let told = place.cast::<JET_RECPOS2>().get()?;
        let old = [
            told.centriesLTDeprecated,
            told.centriesInRangeDeprecated,
            told.centriesTotalDeprecated,
        ];
        if old.iter().all(|number| *number == 0) {
            return Ok(jet::JET_RECPOS {
                centriesLT: told.centriesLT,
                centriesInRange: 0,
                centriesTotal: told.centriesTotal,
            });
        }
    } else if cb == size::<JET_RECPOS>() {
        let told = place.get()?;
        return Ok(jet::JET_RECPOS {
            centriesLT: u64::from(told.centriesLT),
            centriesInRange: u64::from(told.centriesInRange),
            centriesTotal: u64::from(told.centriesTotal),
        });
    }
    Err(wrong_struct("JET_RECPOS", cb, size::<JET_RECPOS>()))
}

fn index_columns(place: Ptr<JET_INDEX_COLUMN>, count: u32) -> Result<Vec<jet::JET_INDEX_COLUMN>> {
    let column = |told: &JET_INDEX_COLUMN| jet::JET_INDEX_COLUMN {
        columnid: told.columnid,
        relop: told.relop,
        pv: told.pv.slice(told.cb).unwrap_or_default().to_vec(),
        grbit: told.grbit,
    };
    Ok(place.list(count)?.iter().map(column).collect())
}

/// What the 16 bytes of an index id begin with, so that others are recognised.
const INDEX_ID: [u8; 4] = *b"Jidx";

pub(crate) fn index_id(told: JET_INDEXID) -> Result<IndexId> {
    let (mark, rest) = told.rgbIndexId.split_at(INDEX_ID.len());
    let number = rest.first_chunk().map(|number| u32::from_le_bytes(*number));
    if told.cbStruct != size::<JET_INDEXID>() {
        return Err(wrong_struct("JET_INDEXID", told.cbStruct, size::<JET_INDEXID>()));
    }
    match number.filter(|_| mark == INDEX_ID) {
        Some(number) => Ok(IndexId::from_number(number)),
        None => Err(Error::new(JetErr::InvalidIndexId, "this is no id of an index")),
    }
}

pub(crate) fn told_index_id(id: IndexId) -> JET_INDEXID {
    let mut rgbIndexId = [0; 16];
    let number = id.number().to_le_bytes();
    for (to, from) in rgbIndexId.iter_mut().zip(INDEX_ID.iter().chain(&number)) {
        *to = *from;
    }
    JET_INDEXID { cbStruct: size::<JET_INDEXID>(), rgbIndexId }
}
