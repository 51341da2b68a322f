//! Definitions of tables and indexes: the structures of several generations, which differ in their
//! length, become one.

use std::cmp::Ordering;

use ese_api::jet::{self, JET_COLUMNCREATE, JET_CONDITIONALCOLUMN, JET_INDEXCREATE};
use ese_base::{Error, JetErr, Result};

use crate::{
    boundary::{About, cursor, handle, session, text_exports},
    ptr::{Bytes, Plain, Ptr, Str, size},
    table::wrong_struct,
    text::Unit,
    types::{
        JET_COLUMNCREATE as ColumnCreate, JET_CONDITIONALCOLUMN as Conditional,
        JET_INDEXCREATE as IndexCreate, JET_INDEXCREATE2 as IndexCreate2,
        JET_INDEXCREATE3 as IndexCreate3, JET_SPACEHINTS, JET_TABLECREATE as TableCreate,
        JET_TABLECREATE2 as TableCreate2, JET_TABLECREATE3 as TableCreate3,
        JET_TABLECREATE4 as TableCreate4, JET_TABLECREATE5 as TableCreate5, JET_UNICODEINDEX,
        JET_USERDEFINEDDEFAULT,
    },
};

text_exports! {
    fn JetCreateIndex JetCreateIndexA | JetCreateIndexW(
        sesid: usize, tableid: usize, szIndexName: Str<C>, grbit: u32, szKey: Str<C>,
        cbKey: u32, lDensity: u32
    ) about About::Cursor(sesid, tableid) => {
        let mut index = JET_INDEXCREATE {
            szIndexName: szIndexName.name()?,
            grbit,
            ulDensity: lDensity,
            // With JET_bitIndexKeyMost, for which the call has no number.
            cbKeyMost: 255,
            ..JET_INDEXCREATE::default()
        };
        let rest = key(&mut index, szKey, cbKey)?;
        // Behind the key there may be the number of a language, and then a limit of segments.
        let number = |at: usize| rest.get(at).copied();
        if let Some(language) = number(0) {
            index.lcid = u32::from(language);
        }
        if let Some(limit) = number(1) {
            index.cbVarSegMac = limit;
        }
        jet::JetCreateIndex2(session(sesid), cursor(tableid), std::slice::from_mut(&mut index))
    }

    fn JetCreateIndex2 JetCreateIndex2A | JetCreateIndex2W(
        sesid: usize, tableid: usize, pindexcreate: Ptr<IndexCreate<C>>, cIndexCreate: u32
    ) about About::Cursor(sesid, tableid) => {
        create_indexes(sesid, tableid, Indexes::First(pindexcreate), cIndexCreate)
    }

    fn JetCreateIndex3A | JetCreateIndex3W(
        sesid: usize, tableid: usize, pindexcreate: Ptr<IndexCreate2<C>>, cIndexCreate: u32
    ) about About::Cursor(sesid, tableid) => {
        create_indexes(sesid, tableid, Indexes::Second(pindexcreate), cIndexCreate)
    }

    fn JetCreateIndex4A | JetCreateIndex4W(
        sesid: usize, tableid: usize, pindexcreate: Ptr<IndexCreate3<C>>, cIndexCreate: u32
    ) about About::Cursor(sesid, tableid) => {
        create_indexes(sesid, tableid, Indexes::Third(pindexcreate), cIndexCreate)
    }

    fn JetCreateTableColumnIndex JetCreateTableColumnIndexA | JetCreateTableColumnIndexW(
        sesid: usize, dbid: u32, ptablecreate: Ptr<TableCreate<C>>
    ) about About::Session(sesid) => {
        create_table(sesid, dbid, ptablecreate)
    }

    fn JetCreateTableColumnIndex2 JetCreateTableColumnIndex2A | JetCreateTableColumnIndex2W(
        sesid: usize, dbid: u32, ptablecreate: Ptr<TableCreate2<C>>
    ) about About::Session(sesid) => {
        create_table(sesid, dbid, ptablecreate)
    }

    fn JetCreateTableColumnIndex3A | JetCreateTableColumnIndex3W(
        sesid: usize, dbid: u32, ptablecreate: Ptr<TableCreate3<C>>
    ) about About::Session(sesid) => {
        create_table(sesid, dbid, ptablecreate)
    }

    fn JetCreateTableColumnIndex4A | JetCreateTableColumnIndex4W(
        sesid: usize, dbid: u32, ptablecreate: Ptr<TableCreate4<C>>
    ) about About::Session(sesid) => {
        create_table(sesid, dbid, ptablecreate)
    }

    // A chunk of long values has the size that the page says, and no other.
    fn JetCreateTableColumnIndex5A | JetCreateTableColumnIndex5W(
        sesid: usize, dbid: u32, ptablecreate: Ptr<TableCreate5<C>>
    ) about About::Session(sesid) => {
        create_table(sesid, dbid, ptablecreate)
    }
}

/// A structure of one of the generations that define a table.
trait Definition<C>: Plain {
    /// The table that it defines, its parts read.
    fn read(&self) -> Result<Table<C>>;

    /// Takes the cursor, and how many things were made.
    fn tell(&mut self, made: (usize, u32));
}

/// The fields are those of the structures; `with`: what a later generation has beyond the first.
macro_rules! definitions {
    ($($name:ident, indexes $indexes:ident, with [$($more:ident)*];)*) => {$(
        impl<C: Unit> Definition<C> for $name<C> {
            fn read(&self) -> Result<Table<C>> {
                let mut table = Table::new(self.szTableName, self.szTemplateTableName)?;
                table.sizes(self.ulPages, self.ulDensity, self.grbit);
                $(definitions!(@$more self, table);)*
                let indexes = (Indexes::$indexes(self.rgindexcreate), self.cIndexes);
                table.parts((self.rgcolumncreate, self.cColumns), indexes)?;
                Ok(table)
            }

            fn tell(&mut self, made: (usize, u32)) {
                (self.tableid, self.cCreated) = made;
            }
        }
    )*};
    (@callback $told:ident, $table:ident) => {
        $table.create.szCallback = $told.szCallback.text()?;
    };
    (@hints $told:ident, $table:ident) => {
        $table.hints($told.pSeqSpacehints, $told.pLVSpacehints, $told.cbSeparateLV)?;
    };
    (@chunk $told:ident, $table:ident) => {
        if $told.cbLVChunkMax != 0 {
            let what = "a size of the chunks of long values is not available in this version";
            return Err(Error::new(JetErr::FeatureNotAvailable, what));
        }
    };
}

definitions! {
    TableCreate, indexes First, with [];
    TableCreate2, indexes First, with [callback];
    TableCreate3, indexes Second, with [callback hints];
    TableCreate4, indexes Third, with [callback hints];
    TableCreate5, indexes Third, with [chunk callback hints];
}

fn create_table<C: Unit, T: Definition<C>>(sesid: usize, dbid: u32, place: Ptr<T>) -> Result<()> {
    let mut table = exact(place)?.read()?;
    let done = table.create(sesid, dbid);
    // Where the structure must stay as it is, it may be in memory that cannot be written.
    if !table.is_immutable() {
        place.change(|told| told.tell(table.made()));
    }
    done
}

/// The structure, if it has its length, which stands first in it.
fn exact<T: Plain>(place: Ptr<T>) -> Result<T> {
    let cb = place.cast::<u32>().get()?;
    if cb != size::<T>() {
        return Err(wrong_struct("a structure", cb, size::<T>()));
    }
    place.get()
}

/// A table that is being made, and where the definitions of its parts are.
struct Table<C> {
    create: jet::JET_TABLECREATE,
    columns: Ptr<ColumnCreate<C>>,
    indexes: Indexes<C>,
    places: Vec<u32>,
}

impl<C: Unit> Table<C> {
    fn new(name: Str<C>, template: Str<C>) -> Result<Table<C>> {
        let create = jet::JET_TABLECREATE {
            szTableName: name.name()?,
            szTemplateTableName: template.text()?.filter(|name| !name.is_empty()),
            ..Default::default()
        };
        let (columns, indexes) = (Ptr::NULL, Indexes::First(Ptr::NULL));
        Ok(Table { create, columns, indexes, places: Vec::new() })
    }

    fn sizes(&mut self, pages: u32, density: u32, grbit: u32) {
        self.create.ulPages = pages;
        self.create.ulDensity = density;
        self.create.grbit = grbit;
    }

    fn hints(
        &mut self,
        table: Ptr<JET_SPACEHINTS>,
        long: Ptr<JET_SPACEHINTS>,
        separate: u32,
    ) -> Result<()> {
        self.create.pSeqSpacehints = space_hints(table)?;
        self.create.pLVSpacehints = space_hints(long)?;
        self.create.cbSeparateLV = separate;
        Ok(())
    }

    fn parts(
        &mut self,
        (columns, count): (Ptr<ColumnCreate<C>>, u32),
        (indexes, index_count): (Indexes<C>, u32),
    ) -> Result<()> {
        for column in columns.list(count)? {
            self.create.rgcolumncreate.push(column_create(&column)?);
        }
        (self.columns, self.indexes) = (columns, indexes);
        (self.create.rgindexcreate, self.places) = indexes.read(index_count)?;
        let secondary = |index: &JET_INDEXCREATE| index.grbit & jet::JET_bitIndexPrimary == 0;
        indexes.drop_densities(&mut self.create.rgindexcreate, secondary);
        Ok(())
    }

    fn create(&mut self, sesid: usize, dbid: u32) -> Result<()> {
        let done = jet::JetCreateTableColumnIndex4(session(sesid), dbid, &mut self.create);
        if self.is_immutable() {
            return done;
        }
        // The table itself counts, too. Behind the one that is wrong nobody came to try.
        let made = usize::try_from(self.create.cCreated).unwrap_or(usize::MAX);
        let err = |number: usize| match number.cmp(&made) {
            Ordering::Less => Some(JetErr::Success),
            Ordering::Equal => done.as_ref().err().map(Error::code).filter(|_| made > 0),
            Ordering::Greater => None,
        };
        for (at, column) in self.create.rgcolumncreate.iter().enumerate() {
            let Some(err) = err(1 + at) else { break };
            let cut = err == JetErr::Success && column.is_max_truncated();
            let err = if cut { JetErr::WrnColumnMaxTruncated } else { err };
            self.columns.at(at).change(|told| {
                told.columnid = column.columnid;
                told.err = err as i32;
            });
        }
        let columns = self.create.rgcolumncreate.len();
        for (at, index) in self.create.rgindexcreate.iter_mut().enumerate() {
            index.err = err(1 + columns + at);
        }
        self.indexes.tell(&self.create.rgindexcreate, &self.places);
        done
    }

    fn is_immutable(&self) -> bool {
        self.create.grbit & jet::JET_bitTableCreateImmutableStructure != 0
    }

    /// The cursor, and how many things were made.
    fn made(&self) -> (usize, u32) {
        let none = self.create.tableid == jet::JET_TABLEID::NIL;
        let cursor = if none { usize::MAX } else { handle(self.create.tableid.0) };
        (cursor, self.create.cCreated)
    }
}

fn column_create<C: Unit>(told: &ColumnCreate<C>) -> Result<JET_COLUMNCREATE> {
    if told.cbStruct != size::<ColumnCreate<C>>() {
        return Err(wrong_struct("JET_COLUMNCREATE", told.cbStruct, size::<ColumnCreate<C>>()));
    }
    Ok(JET_COLUMNCREATE {
        szColumnName: told.szColumnName.name()?,
        coltyp: told.coltyp,
        cbMax: told.cbMax,
        grbit: told.grbit,
        pvDefault: default_of::<C>(told.grbit, told.pvDefault, told.cbDefault)?,
        cp: u16::try_from(told.cp)
            .map_err(|_| Error::new(JetErr::InvalidCodePage, format!("code page {}", told.cp)))?,
        columnid: 0,
    })
}

/// The bytes of a default, or with `JET_bitColumnUserDefinedDefault` what its structure says.
pub(crate) fn default_of<C: Unit>(grbit: u32, pv: Bytes, cb: u32) -> Result<Vec<u8>> {
    if grbit & jet::JET_bitColumnUserDefinedDefault == 0 {
        return Ok(pv.slice(cb).unwrap_or_default().to_vec());
    }
    if cb != size::<JET_USERDEFINEDDEFAULT<C>>() {
        let wanted = size::<JET_USERDEFINEDDEFAULT<C>>();
        return Err(wrong_struct("JET_USERDEFINEDDEFAULT", cb, wanted));
    }
    let told = pv.cast::<JET_USERDEFINEDDEFAULT<C>>().get()?;
    let default = jet::JET_USERDEFINEDDEFAULT {
        szCallback: told.szCallback.name()?,
        pbUserData: told.pbUserData.slice(told.cbUserData).unwrap_or_default().to_vec(),
        szDependantColumns: None,
    };
    Ok(default.pvDefault())
}

fn space_hints(place: Ptr<JET_SPACEHINTS>) -> Result<Option<jet::JET_SPACEHINTS>> {
    let Some(told) = place.read() else { return Ok(None) };
    if told.cbStruct != size::<JET_SPACEHINTS>() {
        return Err(wrong_struct("JET_SPACEHINTS", told.cbStruct, size::<JET_SPACEHINTS>()));
    }
    Ok(Some(jet::JET_SPACEHINTS {
        ulInitialDensity: told.ulInitialDensity,
        cbInitial: told.cbInitial,
        grbit: told.grbit,
        ulMaintDensity: told.ulMaintDensity,
        ulGrowth: told.ulGrowth,
        cbMinExtent: told.cbMinExtent,
        cbMaxExtent: told.cbMaxExtent,
    }))
}

/// Definitions of indexes of one generation, one behind the other.
#[derive(Clone, Copy)]
enum Indexes<C> {
    First(Ptr<IndexCreate<C>>),
    Second(Ptr<IndexCreate2<C>>),
    Third(Ptr<IndexCreate3<C>>),
}

/// Bytes of JET_INDEXCREATE before it had a limit of keys, and now; of the later ones.
const OLD: u32 = 72;
const FIRST: u32 = size::<IndexCreate<u8>>();
const LATER: u32 = size::<IndexCreate2<u8>>();

impl<C: Unit> Indexes<C> {
    fn is_null(self) -> bool {
        match self {
            Indexes::First(place) => place.is_null(),
            Indexes::Second(place) => place.is_null(),
            Indexes::Third(place) => place.is_null(),
        }
    }

    /// The definition so many bytes further on, as the widest of the three, and its length.
    fn get(self, offset: u32) -> Result<(IndexCreate3<C>, u32)> {
        let place = match self {
            Indexes::First(place) => place.cast::<IndexCreate3<C>>(),
            Indexes::Second(place) => place.cast(),
            Indexes::Third(place) => place,
        };
        let place = place.after(offset);
        let cb = place.cast::<u32>().get()?;
        let known = match self {
            Indexes::First(_) => cb == OLD || cb == FIRST,
            Indexes::Second(_) | Indexes::Third(_) => cb == LATER,
        };
        if !known {
            return Err(wrong_struct("JET_INDEXCREATE", cb, FIRST));
        }
        Ok((place.get_part(cb)?, cb))
    }

    /// All of them, and where each begins.
    fn read(self, count: u32) -> Result<(Vec<JET_INDEXCREATE>, Vec<u32>)> {
        let (mut indexes, mut places, mut offset) = (Vec::new(), Vec::new(), 0_u32);
        for _ in 0..count {
            let (told, cb) = self.get(offset)?;
            indexes.push(self.index(&told)?);
            places.push(offset);
            offset = offset.saturating_add(cb);
        }
        Ok((indexes, places))
    }

    fn index(self, told: &IndexCreate3<C>) -> Result<JET_INDEXCREATE> {
        let mut index = JET_INDEXCREATE {
            szIndexName: told.szIndexName.name()?,
            grbit: told.grbit,
            ulDensity: told.ulDensity,
            ..JET_INDEXCREATE::default()
        };
        key(&mut index, told.szKey, told.cbKey)?;
        match self {
            Indexes::Third(_) => {
                if let Some(order) = told.pidxunicode.read() {
                    if told.grbit & jet::JET_bitIndexUnicode == 0 {
                        let what = "an order of UTF-16 text goes with JET_bitIndexUnicode";
                        return Err(Error::new(JetErr::InvalidParameter, what));
                    }
                    index.pidxunicode = Some(jet::JET_UNICODEINDEX2 {
                        szLocaleName: order.szLocaleName.text()?,
                        dwMapFlags: order.dwMapFlags,
                    });
                }
            }
            _ => {
                let either = told.pidxunicode.either::<JET_UNICODEINDEX>();
                if told.grbit & jet::JET_bitIndexUnicode != 0 {
                    let order = either.pointer().get()?;
                    let (lcid, dwMapFlags) = (order.lcid, order.dwMapFlags);
                    index.pidxunicode = Some(jet::JET_UNICODEINDEX { lcid, dwMapFlags }.named()?);
                } else {
                    index.lcid = either.number();
                }
            }
        }
        if told.grbit & jet::JET_bitIndexTupleLimits != 0 {
            let limits = told.cbVarSegMac_or_ptuplelimits.pointer().read();
            index.ptuplelimits = limits.map(|limits| jet::JET_TUPLELIMITS {
                chLengthMin: limits.chLengthMin,
                chLengthMax: limits.chLengthMax,
                chToIndexMax: limits.chToIndexMax,
                cchIncrement: limits.cchIncrement,
                ichStart: limits.ichStart,
            });
        } else {
            index.cbVarSegMac = limit(told.cbVarSegMac_or_ptuplelimits.number())?;
        }
        for column in told.rgconditionalcolumn.list(told.cConditionalColumn)? {
            if column.cbStruct != size::<Conditional<C>>() {
                let wanted = size::<Conditional<C>>();
                let error = wrong_struct("JET_CONDITIONALCOLUMN", column.cbStruct, wanted);
                return Err(error.with_code(JetErr::IndexInvalidDef));
            }
            index.rgconditionalcolumn.push(JET_CONDITIONALCOLUMN {
                szColumnName: column.szColumnName.name()?,
                grbit: column.grbit,
            });
        }
        if told.grbit & jet::JET_bitIndexKeyMost != 0 {
            index.cbKeyMost = limit(told.cbKeyMost)?;
        }
        index.pSpacehints = space_hints(told.pSpacehints)?;
        Ok(index)
    }

    /// The structures that have space hints have the density there, and another one beside them
    /// that counts for nothing but the primary index of a new table.
    fn drop_densities(
        self,
        indexes: &mut [JET_INDEXCREATE],
        of: impl Fn(&JET_INDEXCREATE) -> bool,
    ) {
        if !matches!(self, Indexes::First(_)) {
            indexes.iter_mut().filter(|index| of(index)).for_each(|index| index.ulDensity = 0);
        }
    }

    /// Says of each what became of it, where somebody came to try.
    fn tell(self, indexes: &[JET_INDEXCREATE], places: &[u32]) {
        for (index, offset) in indexes.iter().zip(places) {
            let Some(err) = index.err else { continue };
            if index.grbit & jet::JET_bitIndexImmutableStructure != 0 {
                continue;
            }
            let err = err as i32;
            // The field has one place in all of them.
            match self {
                Indexes::First(place) => place.after(*offset).tell(err),
                Indexes::Second(place) => place.cast::<IndexCreate<C>>().after(*offset).tell(err),
                Indexes::Third(place) => place.cast::<IndexCreate<C>>().after(*offset).tell(err),
            }
        }
    }
}

impl<C: Unit> Ptr<IndexCreate<C>> {
    /// Writes the field of the answer alone: an older structure ends behind it.
    fn tell(self, err: i32) {
        let offset = std::mem::offset_of!(IndexCreate<C>, err);
        self.cast::<u8>().at(offset).cast::<i32>().write(err);
    }
}

/// A length that has 16 bits in the engine.
fn limit(number: u32) -> Result<u16> {
    u16::try_from(number).map_err(|_| {
        Error::new(JetErr::IndexInvalidDef, format!("a limit of {number} bytes in a key"))
    })
}

/// Reads a key: `+column` or `-column`, each with a NUL behind it, and another NUL at the end.
/// Gives the numbers of 16 bits behind that.
fn key<C: Unit>(index: &mut JET_INDEXCREATE, key: Str<C>, cb: u32) -> Result<Vec<u16>> {
    let missing = || Error::new(JetErr::InvalidParameter, "the key of an index is NULL");
    let units = key.units_of(cb).ok_or_else(missing)?;
    let nul = C::default();
    let end = units.windows(2).position(|two| two.iter().all(|unit| *unit == nul));
    let end = end.map_or(units.len(), |at| at + 2);
    let (columns, rest) = units.split_at(end);
    index.szKey = C::decode(columns)?;
    let mut bytes = Vec::new();
    rest.iter().for_each(|unit| unit.append(&mut bytes));
    let pairs = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    Ok(pairs.collect())
}

fn create_indexes<C: Unit>(
    sesid: usize,
    tableid: usize,
    indexes: Indexes<C>,
    count: u32,
) -> Result<()> {
    if indexes.is_null() {
        return Err(Error::new(JetErr::InvalidParameter, "no definitions of indexes"));
    }
    let (mut list, places) = indexes.read(count)?;
    indexes.drop_densities(&mut list, |_| true);
    let done = jet::JetCreateIndex2(session(sesid), cursor(tableid), &mut list);
    indexes.tell(&list, &places);
    done
}
