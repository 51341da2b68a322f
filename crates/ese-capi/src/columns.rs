//! What is known of tables, columns and objects, in callers' structures; lists are temporary
//! tables, whose names have the width of the function's text.

use ese_api::jet::{self, JET_COLUMNBASE as Base, JET_COLUMNCHOICE, JET_TBLINFO};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, cursor, handle, session, text_exports},
    facts::{put_number, wrong_size},
    ptr::{Bytes, Str, bytes, size},
    table::told,
    text::{Unit, array, put_whole},
    types::{JET_COLUMNBASE, JET_COLUMNDEF, JET_COLUMNLIST, JET_OBJECTINFO, JET_OBJECTLIST},
};

text_exports! {
    fn JetGetTableColumnInfo JetGetTableColumnInfoA | JetGetTableColumnInfoW(
        sesid: usize, tableid: usize, szColumnName: Str<C>, pvResult: Bytes, cbMax: u32,
        InfoLevel: u32
    ) about About::Cursor(sesid, tableid) => {
        let asked = Asked::of(szColumnName, InfoLevel)?;
        asked.check::<C>(pvResult, cbMax)?;
        let (session, tableid) = (session(sesid), cursor(tableid));
        let columns = jet::JetGetTableColumnInfo(session, tableid, asked.choice())?;
        asked.put::<C>(sesid, columns, pvResult)
    }

    fn JetGetColumnInfo JetGetColumnInfoA | JetGetColumnInfoW(
        sesid: usize, dbid: u32, szTableName: Str<C>, pwColumnNameOrId: Str<C>, pvResult: Bytes,
        cbMax: u32, InfoLevel: u32
    ) about About::Session(sesid) => {
        let asked = Asked::of(pwColumnNameOrId, InfoLevel)?;
        asked.check::<C>(pvResult, cbMax)?;
        let table = szTableName.name()?;
        let columns = jet::JetGetColumnInfo(session(sesid), dbid, &table, asked.choice())?;
        asked.put::<C>(sesid, columns, pvResult)
    }

    fn JetGetTableInfo JetGetTableInfoA | JetGetTableInfoW(
        sesid: usize, tableid: usize, pvResult: Bytes, cbMax: u32, InfoLevel: u32
    ) about About::Cursor(sesid, tableid) => {
        pvResult.cast::<u8>().required()?;
        let told = jet::JetGetTableInfo(session(sesid), cursor(tableid), InfoLevel)?;
        table_info::<C>(told, pvResult, cbMax, InfoLevel)
    }

    fn JetGetObjectInfo JetGetObjectInfoA | JetGetObjectInfoW(
        sesid: usize, dbid: u32, objtyp: u32, szContainerName: Str<C>, szObjectName: Str<C>,
        pvResult: Bytes, cbMax: u32, InfoLevel: u32
    ) about About::Session(sesid) => {
        if !szContainerName.is_null() {
            // There is one container, and its name need not be said.
            szContainerName.text()?;
        }
        object_info(sesid, dbid, objtyp, szObjectName, (pvResult, cbMax), InfoLevel)
    }
}

/// Levels of JetGetColumnInfo: JET_ColInfo...
mod level {
    pub(super) const DEF: u32 = 0;
    pub(super) const LIST: u32 = 1;
    pub(super) const BASE: u32 = 4;
    pub(super) const LIST_COMPACT: u32 = 5;
    pub(super) const DEF_BY_ID: u32 = 6;
    pub(super) const LIST_BY_ID: u32 = 7;
    pub(super) const BASE_BY_ID: u32 = 8;
    /// JET_ColInfoGrbit...: own columns only, few facts, ordered by id.
    pub(super) const OWN: u32 = 0x8000_0000;
    pub(super) const FEW: u32 = 0x4000_0000;
    pub(super) const SORTED: u32 = 0x2000_0000;
    /// JET_ObjInfo...
    pub(super) const OBJECT: u32 = 0;
    pub(super) const OBJECTS_WITHOUT_COUNTS: u32 = 1;
    pub(super) const OBJECTS: u32 = 2;
    pub(super) const OBJECT_WITHOUT_COUNTS: u32 = 5;
}

/// Which columns are asked for, and how they are told.
struct Asked {
    level: u32,
    own: bool,
    name: String,
    id: u32,
}

impl Asked {
    fn of<C: Unit>(name_or_id: Str<C>, info_level: u32) -> Result<Asked> {
        let flags = level::OWN | level::FEW | level::SORTED;
        let mut asked = Asked {
            level: info_level & !flags,
            own: info_level & level::OWN != 0,
            name: String::new(),
            id: 0,
        };
        match asked.level {
            level::DEF | level::BASE => asked.name = name_or_id.name()?,
            level::DEF_BY_ID | level::BASE_BY_ID => asked.id = name_or_id.cast::<u32>().get()?,
            level::LIST | level::LIST_COMPACT | level::LIST_BY_ID => {}
            other => return Err(unknown_level(other)),
        }
        Ok(asked)
    }

    fn choice(&self) -> JET_COLUMNCHOICE<'_> {
        match self.level {
            level::DEF | level::BASE => JET_COLUMNCHOICE::Name(&self.name),
            level::DEF_BY_ID | level::BASE_BY_ID => JET_COLUMNCHOICE::Id(self.id),
            _ if self.own => JET_COLUMNCHOICE::Own,
            _ => JET_COLUMNCHOICE::All,
        }
    }

    /// Is there room for the answer?
    fn check<C: Unit>(&self, to: Bytes, cb: u32) -> Result<()> {
        to.cast::<u8>().required()?;
        match self.level {
            level::DEF | level::DEF_BY_ID => room::<JET_COLUMNDEF>(cb, TOO_SHORT),
            level::BASE | level::BASE_BY_ID => room::<JET_COLUMNBASE<C>>(cb, TOO_SHORT),
            _ => room::<JET_COLUMNLIST>(cb, TOO_SHORT),
        }
    }

    fn put<C: Unit>(&self, sesid: usize, columns: Vec<Base>, to: Bytes) -> Result<()> {
        match (self.level, columns.first()) {
            (level::DEF | level::DEF_BY_ID, Some(column)) => to.cast().write(told(column)),
            (level::BASE | level::BASE_BY_ID, Some(column)) => {
                to.cast().write(base::<C>(column));
            }
            _ => {
                let list = jet::JET_COLUMNLIST::open_as(kind::<C>(), session(sesid), &columns)?;
                to.cast().write(column_list(&list));
            }
        }
        Ok(())
    }
}

/// Names in lists have the width of the function's text.
pub(crate) fn kind<C: Unit>() -> jet::JET_LISTTEXT {
    if C::WIDE { jet::JET_LISTTEXT::Utf16 } else { jet::JET_LISTTEXT::Ansi }
}

/// What a buffer is that has no room for what is told of columns: that differs by the call.
const TOO_SHORT: JetErr = JetErr::InvalidParameter;

/// Has a buffer room for a structure? It may be larger.
pub(crate) fn room<T>(cb: u32, otherwise: JetErr) -> Result<()> {
    if bytes(cb) >= size_of::<T>() {
        return Ok(());
    }
    Err(wrong_size(cb, &size_of::<T>().to_string()).with_code(otherwise))
}

#[track_caller]
pub(crate) fn unknown_level(level: u32) -> Error {
    Error::new(JetErr::InvalidParameter, format!("{level} is no level of information"))
}

fn base<C: Unit>(column: &Base) -> JET_COLUMNBASE<C> {
    JET_COLUMNBASE {
        cbStruct: size::<JET_COLUMNBASE<C>>(),
        columnid: column.def.columnid,
        coltyp: column.def.coltyp,
        wCountry: jet::COUNTRY_DEFAULT,
        langid: column.langid,
        cp: column.def.cp,
        wFiller: 0,
        cbMax: column.def.cbMax,
        grbit: column.def.grbit,
        szBaseTableName: array(&column.szBaseTableName),
        szBaseColumnName: array(&column.szBaseColumnName),
    }
}

fn column_list(list: &jet::JET_COLUMNLIST) -> JET_COLUMNLIST {
    JET_COLUMNLIST {
        cbStruct: size::<JET_COLUMNLIST>(),
        tableid: handle(list.tableid.0),
        cRecord: list.cRecord,
        columnidPresentationOrder: list.columnidPresentationOrder,
        columnidcolumnname: list.columnidcolumnname,
        columnidcolumnid: list.columnidcolumnid,
        columnidcoltyp: list.columnidcoltyp,
        columnidCountry: list.columnidCountry,
        columnidLangid: list.columnidLangid,
        columnidCp: list.columnidCp,
        columnidCollate: list.columnidCollate,
        columnidcbMax: list.columnidcbMax,
        columnidgrbit: list.columnidgrbit,
        columnidDefault: list.columnidDefault,
        columnidBaseTableName: list.columnidBaseTableName,
        columnidBaseColumnName: list.columnidBaseColumnName,
        columnidDefinitionName: list.columnidDefinitionName,
    }
}

fn object(info: &jet::JET_OBJECTINFO, counts: bool) -> JET_OBJECTINFO {
    let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    JET_OBJECTINFO {
        cbStruct: size::<JET_OBJECTINFO>(),
        objtyp: info.objtyp,
        dtCreate: 0.0,
        dtUpdate: 0.0,
        grbit: info.grbit,
        flags: info.flags,
        cRecord: if counts { count(info.cRecord) } else { 0 },
        cPage: if counts { count(info.cPage) } else { 0 },
    }
}

fn object_info<C: Unit>(
    sesid: usize,
    dbid: u32,
    objtyp: u32,
    name: Str<C>,
    (to, cb): (Bytes, u32),
    info_level: u32,
) -> Result<()> {
    to.cast::<u8>().required()?;
    // JET_objtypNil stands for any kind; tables are the only one.
    if objtyp > jet::JET_objtypTable {
        let what = format!("objects of type {objtyp}");
        return Err(Error::new(JetErr::InvalidParameter, what));
    }
    let counts = matches!(info_level, level::OBJECT | level::OBJECTS);
    match info_level {
        level::OBJECT | level::OBJECT_WITHOUT_COUNTS => {
            room::<JET_OBJECTINFO>(cb, JetErr::BufferTooSmall)?;
            let found = jet::JetGetObjectInfo(session(sesid), dbid, Some(&name.name()?))?;
            found.first().into_iter().for_each(|info| to.cast().write(object(info, counts)));
            Ok(())
        }
        level::OBJECTS | level::OBJECTS_WITHOUT_COUNTS => {
            room::<JET_OBJECTLIST>(cb, JetErr::BufferTooSmall)?;
            let mut found = jet::JetGetObjectInfo(session(sesid), dbid, None)?;
            if !counts {
                found.iter_mut().for_each(|info| (info.cRecord, info.cPage) = (0, 0));
            }
            let list = jet::JET_OBJECTLIST::open_as(kind::<C>(), session(sesid), &found)?;
            to.cast().write(JET_OBJECTLIST {
                cbStruct: size::<JET_OBJECTLIST>(),
                tableid: handle(list.tableid.0),
                cRecord: list.cRecord,
                columnidcontainername: list.columnidcontainername,
                columnidobjectname: list.columnidobjectname,
                columnidobjtyp: list.columnidobjtyp,
                columniddtCreate: list.columniddtCreate,
                columniddtUpdate: list.columniddtUpdate,
                columnidgrbit: list.columnidgrbit,
                columnidflags: list.columnidflags,
                columnidcRecord: list.columnidcRecord,
                columnidcPage: list.columnidcPage,
            });
            Ok(())
        }
        3..=8 => {
            let what = format!("level {info_level} of JetGetObjectInfo is not available");
            Err(Error::new(JetErr::FeatureNotAvailable, what))
        }
        other => Err(unknown_level(other)),
    }
}

fn table_info<C: Unit>(told: JET_TBLINFO, to: Bytes, cb: u32, info_level: u32) -> Result<()> {
    // Pages that are free in all trees want a buffer of their length, other numbers one that is not
    // shorter.
    let number = |number: u64| match info_level {
        jet::JET_TblInfoDbid | jet::JET_TblInfoLVChunkMax | jet::JET_TblInfoObjectId => {
            room::<u32>(cb, JetErr::BufferTooSmall)?;
            put_number(to, size::<u32>(), number)
        }
        jet::JET_TblInfoSpaceOwned
        | jet::JET_TblInfoSpaceOwnedLV
        | jet::JET_TblInfoSpaceAvailableLV => {
            room::<u32>(cb, JetErr::InvalidBufferSize)?;
            put_number(to, size::<u32>(), number)
        }
        _ => put_number(to, cb, number),
    };
    match told {
        JET_TBLINFO::Object(info) => {
            room::<JET_OBJECTINFO>(cb, JetErr::BufferTooSmall)?;
            to.cast().write(object(&info, true));
            Ok(())
        }
        JET_TBLINFO::Name(name) => put_whole::<C>(to.cast(), cb, &name),
        JET_TBLINFO::Dbid(dbid) => number(u64::from(dbid)),
        JET_TBLINFO::SpaceAlloc(pages, density) => {
            room::<[u32; 2]>(cb, JetErr::BufferTooSmall)?;
            put_numbers(to, cb, &[pages, density]);
            Ok(())
        }
        JET_TBLINFO::Number(count) => number(count),
        JET_TBLINFO::SpaceUsage(owned, free, extents) => {
            room::<[u32; 2]>(cb, JetErr::InvalidBufferSize)?;
            let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            let mut numbers = vec![narrow(owned), narrow(free)];
            numbers.extend(extents.iter().flat_map(|(first, pages)| [*first, *pages]));
            put_numbers(to, cb, &numbers);
            Ok(())
        }
    }
}

/// Numbers of 32 bits, as many as fit.
fn put_numbers(to: Bytes, cb: u32, numbers: &[u32]) {
    let fit = bytes(cb) / size_of::<u32>();
    for (at, number) in numbers.iter().take(fit).enumerate() {
        to.cast::<u32>().at(at).write(*number);
    }
}
