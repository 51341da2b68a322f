//! What is known of indexes, in callers' structures.

use ese_api::jet::{self, JET_INDEXCREATE, JET_INDEXINFO};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, cursor, handle, session, text_exports},
    columns::{kind, room, unknown_level},
    cursor::told_index_id,
    facts::{put_number, wrong_size},
    ptr::{Bytes, Either, Plain, Ptr, Str, bytes, len, size},
    text::{Unit, put, put_whole},
    types::{
        JET_CONDITIONALCOLUMN, JET_INDEXCREATE as Create, JET_INDEXCREATE2 as Create2,
        JET_INDEXCREATE3 as Create3, JET_INDEXID, JET_INDEXLIST, JET_SPACEHINTS, JET_TUPLELIMITS,
        JET_UNICODEINDEX, JET_UNICODEINDEX2,
    },
};

text_exports! {
    fn JetGetTableIndexInfo JetGetTableIndexInfoA | JetGetTableIndexInfoW(
        sesid: usize, tableid: usize, szIndexName: Str<C>, pvResult: Bytes, cbResult: u32,
        InfoLevel: u32
    ) about About::Cursor(sesid, tableid) => {
        pvResult.cast::<u8>().required()?;
        let name = asked(szIndexName, InfoLevel)?;
        let (ses, cur) = (session(sesid), cursor(tableid));
        let found = jet::JetGetTableIndexInfo(ses, cur, name.as_deref())?;
        index_info::<C>(sesid, (found, name), (pvResult, cbResult), InfoLevel, || {
            jet::JetGetTableColumnInfo(ses, cur, jet::JET_COLUMNCHOICE::All)
        })
    }

    fn JetGetIndexInfo JetGetIndexInfoA | JetGetIndexInfoW(
        sesid: usize, dbid: u32, szTableName: Str<C>, szIndexName: Str<C>, pvResult: Bytes,
        cbResult: u32, InfoLevel: u32
    ) about About::Session(sesid) => {
        pvResult.cast::<u8>().required()?;
        let table = szTableName.name()?;
        let name = asked(szIndexName, InfoLevel)?;
        let found = jet::JetGetIndexInfo(session(sesid), dbid, &table, name.as_deref())?;
        index_info::<C>(sesid, (found, name), (pvResult, cbResult), InfoLevel, || {
            jet::JetGetColumnInfo(session(sesid), dbid, &table, jet::JET_COLUMNCHOICE::All)
        })
    }
}

/// JET_IdxInfo...
mod level {
    pub(super) const ONE: u32 = 0;
    pub(super) const LIST: u32 = 1;
    pub(super) const DENSITY: u32 = 5;
    pub(super) const LCID: u32 = 6;
    pub(super) const COUNT: u32 = 7;
    pub(super) const VAR_SEG_MAC: u32 = 8;
    pub(super) const INDEX_ID: u32 = 9;
    pub(super) const KEY_MOST: u32 = 10;
    pub(super) const CREATE: u32 = 11;
    pub(super) const CREATE_2: u32 = 12;
    pub(super) const CREATE_3: u32 = 13;
    pub(super) const LOCALE_NAME: u32 = 14;
    pub(super) const SORT_VERSION: u32 = 15;
    pub(super) const DEFINED_SORT_VERSION: u32 = 16;
    pub(super) const SORT_ID: u32 = 17;
    pub(super) const SPACE_OWNED: u32 = 18;
    pub(super) const SPACE_AVAILABLE: u32 = 19;
}

/// The index that is asked for; none for all of them. Without a name facts are the primary's.
fn asked<C: Unit>(name: Str<C>, info_level: u32) -> Result<Option<String>> {
    Ok(match info_level {
        level::LIST | level::COUNT => None,
        _ => name.text()?.filter(|name| !name.is_empty()),
    })
}

fn index_info<C: Unit>(
    sesid: usize,
    (found, name): (Vec<JET_INDEXINFO>, Option<String>),
    (to, cb): (Bytes, u32),
    info_level: u32,
    columns: impl FnOnce() -> Result<Vec<jet::JET_COLUMNBASE>>,
) -> Result<()> {
    if matches!(info_level, level::ONE | level::LIST) {
        room::<JET_INDEXLIST>(cb, JetErr::BufferTooSmall)?;
        let list = jet::JET_INDEXLIST::open_as(kind::<C>(), session(sesid), &found, &columns()?)?;
        to.cast().write(index_list(&list));
        return Ok(());
    }
    let primary = |index: &&JET_INDEXINFO| index.grbit & jet::JET_bitIndexPrimary != 0;
    if info_level == level::COUNT {
        // The order of a table's rows counts as one, whether it has a name or not.
        let nameless = !found.iter().any(|index| primary(&index));
        return put_long(to, cb, found.len() as u64 + u64::from(nameless));
    }
    let one = if name.is_some() { found.first() } else { found.iter().find(primary) };
    let one = one.ok_or_else(|| {
        Error::new(JetErr::IndexNotFound, "the table has no primary index, and none is named")
    })?;
    match info_level {
        level::DENSITY => put_long(to, cb, u64::from(one.ulDensity)),
        // Once it had 16 bits.
        level::LCID if (2..4).contains(&cb) => {
            to.cast().write(u16::try_from(one.lcid & 0xffff).unwrap_or(0));
            Ok(())
        }
        level::LCID => put_long(to, cb, u64::from(one.lcid)),
        level::VAR_SEG_MAC => put_short(to, cb, one.cbVarSegMac),
        level::KEY_MOST => put_short(to, cb, one.cbKeyMost),
        level::SPACE_OWNED => put_long(to, cb, one.cSpaceOwned),
        level::SPACE_AVAILABLE => put_long(to, cb, one.cSpaceAvailable),
        level::INDEX_ID => put_first(to, cb, told_index_id(one.indexid)),
        level::SORT_VERSION | level::DEFINED_SORT_VERSION => {
            // The upper half of the version is the defined one.
            let version = one.qwSortVersion.unwrap_or(0);
            let half = if info_level == level::SORT_VERSION { version } else { version >> 32 };
            put_number(to, cb, half & 0xffff_ffff)
        }
        level::SORT_ID => {
            let mut id = [0_u8; 16];
            id.iter_mut().zip(one.sortid.iter().flatten()).for_each(|(to, from)| *to = *from);
            if bytes(cb) != id.len() {
                return Err(wrong_size(cb, "16"));
            }
            to.fill(cb, &id);
            Ok(())
        }
        level::LOCALE_NAME => {
            put_whole::<u16>(to.cast(), cb, one.szLocaleName.as_deref().unwrap_or_default())
        }
        level::CREATE | level::CREATE_2 | level::CREATE_3 => {
            Maker::<C>::new(to, cb).make(&one.create, info_level)
        }
        2..=4 => {
            let what = format!("level {info_level} of JetGetIndexInfo is not available");
            Err(Error::new(JetErr::FeatureNotAvailable, what))
        }
        other => Err(unknown_level(other)),
    }
}

/// A limit in a number of 16 bits.
fn put_short(to: Bytes, cb: u32, number: u32) -> Result<()> {
    if bytes(cb) == size_of::<u32>() {
        return put_number(to, cb, u64::from(number));
    }
    put_first(to, cb, u16::try_from(number).unwrap_or(u16::MAX))
}

/// A number of 32 bits at the beginning of a buffer, which may be longer.
fn put_long(to: Bytes, cb: u32, number: u64) -> Result<()> {
    put_first(to, cb, u32::try_from(number).unwrap_or(u32::MAX))
}

fn put_first<T: Plain>(to: Bytes, cb: u32, value: T) -> Result<()> {
    room::<T>(cb, JetErr::BufferTooSmall)?;
    to.cast().write(value);
    Ok(())
}

fn index_list(list: &jet::JET_INDEXLIST) -> JET_INDEXLIST {
    JET_INDEXLIST {
        cbStruct: size::<JET_INDEXLIST>(),
        tableid: handle(list.tableid.0),
        cRecord: list.cRecord,
        columnidindexname: list.columnidindexname,
        columnidgrbitIndex: list.columnidgrbitIndex,
        columnidcKey: list.columnidcKey,
        columnidcEntry: list.columnidcEntry,
        columnidcPage: list.columnidcPage,
        columnidcColumn: list.columnidcColumn,
        columnidiColumn: list.columnidiColumn,
        columnidcolumnid: list.columnidcolumnid,
        columnidcoltyp: list.columnidcoltyp,
        columnidCountry: list.columnidCountry,
        columnidLangid: list.columnidLangid,
        columnidCp: list.columnidCp,
        columnidCollate: list.columnidCollate,
        columnidgrbitColumn: list.columnidgrbitColumn,
        columnidcolumnname: list.columnidcolumnname,
        columnidLCMapFlags: list.columnidLCMapFlags,
    }
}

/// Writes a definition of an index into a caller's buffer: the structure, and behind it what its
/// pointers point to.
struct Maker<C> {
    to: Bytes,
    room: u32,
    used: usize,
    unit: std::marker::PhantomData<C>,
}

impl<C: Unit> Maker<C> {
    fn new(to: Bytes, room: u32) -> Maker<C> {
        Maker { to, room, used: 0, unit: std::marker::PhantomData }
    }

    /// A place for so many bytes, at a multiple of 8.
    fn place(&mut self, bytes: usize) -> Result<Ptr<u8>> {
        let at = self.used.next_multiple_of(8);
        self.used = at + bytes;
        if self.used > self::bytes(self.room) {
            let what = format!("a buffer of {} bytes for the definition of an index", self.room);
            return Err(Error::new(JetErr::BufferTooSmall, what));
        }
        Ok(self.to.cast::<u8>().at(at))
    }

    fn value<T: Plain>(&mut self, value: T) -> Result<Ptr<T>> {
        let place = self.place(size_of::<T>())?.cast();
        place.write(value);
        Ok(place)
    }

    fn text<D: Unit>(&mut self, text: &str) -> Result<Str<D>> {
        let bytes = (D::encode(text).len() + 1) * size_of::<D>();
        let place = self.place(bytes)?.cast();
        put::<D>(place, len(bytes), text);
        Ok(Str::at(place))
    }

    fn make(mut self, index: &JET_INDEXCREATE, info_level: u32) -> Result<()> {
        let (cb, first) = match info_level {
            level::CREATE => (size::<Create<C>>(), true),
            level::CREATE_2 => (size::<Create2<C>>(), true),
            _ => (size::<Create3<C>>(), false),
        };
        let place = self.place(bytes(cb))?.cast::<Create3<C>>();
        let none = jet::JET_UNICODEINDEX2 { szLocaleName: None, dwMapFlags: 0 };
        let order = index.pidxunicode.clone().unwrap_or(none);
        let pidxunicode = if first {
            let (lcid, dwMapFlags) = (order.lcid(), order.dwMapFlags);
            self.value(JET_UNICODEINDEX { lcid, dwMapFlags })?.cast()
        } else {
            let name = self.text(order.szLocaleName.as_deref().unwrap_or_default())?;
            self.value(JET_UNICODEINDEX2 { szLocaleName: name, dwMapFlags: order.dwMapFlags })?
        };
        let segment = match &index.ptuplelimits {
            Some(limits) => {
                let limits = self.value(JET_TUPLELIMITS {
                    chLengthMin: limits.chLengthMin,
                    chLengthMax: limits.chLengthMax,
                    chToIndexMax: limits.chToIndexMax,
                    cchIncrement: limits.cchIncrement,
                    ichStart: limits.ichStart,
                })?;
                Either::of_pointer(limits)
            }
            None => Either::of_number(u32::from(index.cbVarSegMac)),
        };
        let szIndexName = self.text(&index.szIndexName)?;
        // Columns, each with a NUL behind it, and another NUL: the latter is written with the text.
        let columns = index.szKey.trim_end_matches('\0');
        let key_units = C::encode(columns).len() + 2;
        let szKey = self.text(&format!("{columns}\0"))?;
        let conditions = self.conditions(index)?;
        let pSpacehints = match index.pSpacehints.filter(|_| info_level != level::CREATE) {
            Some(hints) => self.value(space_hints(&hints))?,
            None => Ptr::NULL,
        };
        let told = Create3 {
            cbStruct: cb,
            szIndexName,
            szKey,
            cbKey: len(key_units * size_of::<C>()),
            grbit: index.grbit,
            ulDensity: index.ulDensity,
            pidxunicode,
            cbVarSegMac_or_ptuplelimits: segment,
            rgconditionalcolumn: conditions,
            cConditionalColumn: len(index.rgconditionalcolumn.len()),
            err: 0,
            cbKeyMost: u32::from(index.cbKeyMost),
            pSpacehints,
        };
        place.write_part(told, cb);
        Ok(())
    }

    fn conditions(&mut self, index: &JET_INDEXCREATE) -> Result<Ptr<JET_CONDITIONALCOLUMN<C>>> {
        if index.rgconditionalcolumn.is_empty() {
            return Ok(Ptr::NULL);
        }
        let count = index.rgconditionalcolumn.len();
        let list = self.place(count * size_of::<JET_CONDITIONALCOLUMN<C>>())?;
        let list = list.cast::<JET_CONDITIONALCOLUMN<C>>();
        for (at, condition) in index.rgconditionalcolumn.iter().enumerate() {
            list.at(at).write(JET_CONDITIONALCOLUMN {
                cbStruct: size::<JET_CONDITIONALCOLUMN<C>>(),
                szColumnName: self.text(&condition.szColumnName)?,
                grbit: condition.grbit,
            });
        }
        Ok(list)
    }
}

fn space_hints(hints: &jet::JET_SPACEHINTS) -> JET_SPACEHINTS {
    JET_SPACEHINTS {
        cbStruct: size::<JET_SPACEHINTS>(),
        ulInitialDensity: hints.ulInitialDensity,
        cbInitial: hints.cbInitial,
        grbit: hints.grbit,
        ulMaintDensity: hints.ulMaintDensity,
        ulGrowth: hints.ulGrowth,
        cbMinExtent: hints.cbMinExtent,
        cbMaxExtent: hints.cbMaxExtent,
    }
}

/// The id is as long as the structure that holds it says.
const _: () = assert!(size_of::<JET_INDEXID>() == 20);
