//! Structures about tables, columns, indexes and rows.

use crate::{
    ptr::{Bytes, Either, Ptr, Str},
    types::shared,
};

shared! {
    JET_INDEXID {
        cbStruct: u32,
        rgbIndexId: [u8; 16],
    }
    JET_OBJECTINFO {
        cbStruct: u32,
        objtyp: u32,
        dtCreate: f64,
        dtUpdate: f64,
        grbit: u32,
        flags: u32,
        cRecord: u32,
        cPage: u32,
    }
    JET_OBJECTLIST {
        cbStruct: u32,
        tableid: usize,
        cRecord: u32,
        columnidcontainername: u32,
        columnidobjectname: u32,
        columnidobjtyp: u32,
        columniddtCreate: u32,
        columniddtUpdate: u32,
        columnidgrbit: u32,
        columnidflags: u32,
        columnidcRecord: u32,
        columnidcPage: u32,
    }
    JET_COLUMNLIST {
        cbStruct: u32,
        tableid: usize,
        cRecord: u32,
        columnidPresentationOrder: u32,
        columnidcolumnname: u32,
        columnidcolumnid: u32,
        columnidcoltyp: u32,
        columnidCountry: u32,
        columnidLangid: u32,
        columnidCp: u32,
        columnidCollate: u32,
        columnidcbMax: u32,
        columnidgrbit: u32,
        columnidDefault: u32,
        columnidBaseTableName: u32,
        columnidBaseColumnName: u32,
        columnidDefinitionName: u32,
    }
    JET_COLUMNDEF {
        cbStruct: u32,
        columnid: u32,
        coltyp: u32,
        wCountry: u16,
        langid: u16,
        cp: u16,
        wCollate: u16,
        cbMax: u32,
        grbit: u32,
    }
    JET_COLUMNBASE<C> {
        cbStruct: u32,
        columnid: u32,
        coltyp: u32,
        wCountry: u16,
        langid: u16,
        cp: u16,
        wFiller: u16,
        cbMax: u32,
        grbit: u32,
        szBaseTableName: [C; 256],
        szBaseColumnName: [C; 256],
    }
    JET_INDEXLIST {
        cbStruct: u32,
        tableid: usize,
        cRecord: u32,
        columnidindexname: u32,
        columnidgrbitIndex: u32,
        columnidcKey: u32,
        columnidcEntry: u32,
        columnidcPage: u32,
        columnidcColumn: u32,
        columnidiColumn: u32,
        columnidcolumnid: u32,
        columnidcoltyp: u32,
        columnidCountry: u32,
        columnidLangid: u32,
        columnidCp: u32,
        columnidCollate: u32,
        columnidgrbitColumn: u32,
        columnidcolumnname: u32,
        columnidLCMapFlags: u32,
    }
    JET_COLUMNCREATE<C> {
        cbStruct: u32,
        szColumnName: Str<C>,
        coltyp: u32,
        cbMax: u32,
        grbit: u32,
        pvDefault: Bytes,
        cbDefault: u32,
        cp: u32,
        columnid: u32,
        err: i32,
    }
    JET_USERDEFINEDDEFAULT<C> {
        szCallback: Str<C>,
        pbUserData: Bytes,
        cbUserData: u32,
        szDependantColumns: Str<C>,
    }
    JET_CONDITIONALCOLUMN<C> {
        cbStruct: u32,
        szColumnName: Str<C>,
        grbit: u32,
    }
    JET_UNICODEINDEX {
        lcid: u32,
        dwMapFlags: u32,
    }
    JET_UNICODEINDEX2 {
        szLocaleName: Str<u16>,
        dwMapFlags: u32,
    }
    JET_TUPLELIMITS {
        chLengthMin: u32,
        chLengthMax: u32,
        chToIndexMax: u32,
        cchIncrement: u32,
        ichStart: u32,
    }
    JET_SPACEHINTS {
        cbStruct: u32,
        ulInitialDensity: u32,
        cbInitial: u32,
        grbit: u32,
        ulMaintDensity: u32,
        ulGrowth: u32,
        cbMinExtent: u32,
        cbMaxExtent: u32,
    }
    JET_INDEXCREATE<C> {
        cbStruct: u32,
        szIndexName: Str<C>,
        szKey: Str<C>,
        cbKey: u32,
        grbit: u32,
        ulDensity: u32,
        lcid_or_pidxunicode: Either<JET_UNICODEINDEX>,
        cbVarSegMac_or_ptuplelimits: Either<JET_TUPLELIMITS>,
        rgconditionalcolumn: Ptr<JET_CONDITIONALCOLUMN<C>>,
        cConditionalColumn: u32,
        err: i32,
        cbKeyMost: u32,
    }
    JET_INDEXCREATE2<C> {
        cbStruct: u32,
        szIndexName: Str<C>,
        szKey: Str<C>,
        cbKey: u32,
        grbit: u32,
        ulDensity: u32,
        lcid_or_pidxunicode: Either<JET_UNICODEINDEX>,
        cbVarSegMac_or_ptuplelimits: Either<JET_TUPLELIMITS>,
        rgconditionalcolumn: Ptr<JET_CONDITIONALCOLUMN<C>>,
        cConditionalColumn: u32,
        err: i32,
        cbKeyMost: u32,
        pSpacehints: Ptr<JET_SPACEHINTS>,
    }
    JET_INDEXCREATE3<C> {
        cbStruct: u32,
        szIndexName: Str<C>,
        szKey: Str<C>,
        cbKey: u32,
        grbit: u32,
        ulDensity: u32,
        pidxunicode: Ptr<JET_UNICODEINDEX2>,
        cbVarSegMac_or_ptuplelimits: Either<JET_TUPLELIMITS>,
        rgconditionalcolumn: Ptr<JET_CONDITIONALCOLUMN<C>>,
        cConditionalColumn: u32,
        err: i32,
        cbKeyMost: u32,
        pSpacehints: Ptr<JET_SPACEHINTS>,
    }
    JET_TABLECREATE<C> {
        cbStruct: u32,
        szTableName: Str<C>,
        szTemplateTableName: Str<C>,
        ulPages: u32,
        ulDensity: u32,
        rgcolumncreate: Ptr<JET_COLUMNCREATE<C>>,
        cColumns: u32,
        rgindexcreate: Ptr<JET_INDEXCREATE<C>>,
        cIndexes: u32,
        grbit: u32,
        tableid: usize,
        cCreated: u32,
    }
    JET_TABLECREATE2<C> {
        cbStruct: u32,
        szTableName: Str<C>,
        szTemplateTableName: Str<C>,
        ulPages: u32,
        ulDensity: u32,
        rgcolumncreate: Ptr<JET_COLUMNCREATE<C>>,
        cColumns: u32,
        rgindexcreate: Ptr<JET_INDEXCREATE<C>>,
        cIndexes: u32,
        szCallback: Str<C>,
        cbtyp: u32,
        grbit: u32,
        tableid: usize,
        cCreated: u32,
    }
    JET_TABLECREATE3<C> {
        cbStruct: u32,
        szTableName: Str<C>,
        szTemplateTableName: Str<C>,
        ulPages: u32,
        ulDensity: u32,
        rgcolumncreate: Ptr<JET_COLUMNCREATE<C>>,
        cColumns: u32,
        rgindexcreate: Ptr<JET_INDEXCREATE2<C>>,
        cIndexes: u32,
        szCallback: Str<C>,
        cbtyp: u32,
        grbit: u32,
        pSeqSpacehints: Ptr<JET_SPACEHINTS>,
        pLVSpacehints: Ptr<JET_SPACEHINTS>,
        cbSeparateLV: u32,
        tableid: usize,
        cCreated: u32,
    }
    JET_TABLECREATE4<C> {
        cbStruct: u32,
        szTableName: Str<C>,
        szTemplateTableName: Str<C>,
        ulPages: u32,
        ulDensity: u32,
        rgcolumncreate: Ptr<JET_COLUMNCREATE<C>>,
        cColumns: u32,
        rgindexcreate: Ptr<JET_INDEXCREATE3<C>>,
        cIndexes: u32,
        szCallback: Str<C>,
        cbtyp: u32,
        grbit: u32,
        pSeqSpacehints: Ptr<JET_SPACEHINTS>,
        pLVSpacehints: Ptr<JET_SPACEHINTS>,
        cbSeparateLV: u32,
        tableid: usize,
        cCreated: u32,
    }
    JET_OPENTEMPORARYTABLE {
        cbStruct: u32,
        prgcolumndef: Ptr<JET_COLUMNDEF>,
        ccolumn: u32,
        pidxunicode: Ptr<JET_UNICODEINDEX>,
        grbit: u32,
        prgcolumnid: Ptr<u32>,
        cbKeyMost: u32,
        cbVarSegMac: u32,
        tableid: usize,
    }
    JET_OPENTEMPORARYTABLE2 {
        cbStruct: u32,
        prgcolumndef: Ptr<JET_COLUMNDEF>,
        ccolumn: u32,
        pidxunicode: Ptr<JET_UNICODEINDEX2>,
        grbit: u32,
        prgcolumnid: Ptr<u32>,
        cbKeyMost: u32,
        cbVarSegMac: u32,
        tableid: usize,
    }
    JET_RETINFO {
        cbStruct: u32,
        ibLongValue: u32,
        itagSequence: u32,
        columnidNextTagged: u32,
    }
    JET_SETINFO {
        cbStruct: u32,
        ibLongValue: u32,
        itagSequence: u32,
    }
    JET_RECPOS {
        cbStruct: u32,
        centriesLT: u32,
        centriesInRange: u32,
        centriesTotal: u32,
    }
    JET_RECPOS2 {
        cbStruct: u32,
        centriesLTDeprecated: u32,
        centriesInRangeDeprecated: u32,
        centriesTotalDeprecated: u32,
        centriesLT: u64,
        centriesTotal: u64,
    }
    JET_RECORDLIST {
        cbStruct: u32,
        tableid: usize,
        cRecord: u32,
        columnidBookmark: u32,
    }
    JET_INDEXRANGE {
        cbStruct: u32,
        tableid: usize,
        grbit: u32,
    }
    JET_INDEX_COLUMN {
        columnid: u32,
        relop: u32,
        pv: Bytes,
        cb: u32,
        grbit: u32,
    }
    JET_INDEX_RANGE {
        rgStartColumns: Ptr<JET_INDEX_COLUMN>,
        cStartColumns: u32,
        rgEndColumns: Ptr<JET_INDEX_COLUMN>,
        cEndColumns: u32,
    }
    JET_SETCOLUMN {
        columnid: u32,
        pvData: Bytes,
        cbData: u32,
        grbit: u32,
        ibLongValue: u32,
        itagSequence: u32,
        err: i32,
    }
    JET_RETRIEVECOLUMN {
        columnid: u32,
        pvData: Bytes,
        cbData: u32,
        cbActual: u32,
        grbit: u32,
        ibLongValue: u32,
        itagSequence: u32,
        columnidNextTagged: u32,
        err: i32,
    }
    JET_ENUMCOLUMNID {
        columnid: u32,
        ctagSequence: u32,
        rgtagSequence: Ptr<u32>,
    }
    JET_ENUMCOLUMNVALUE {
        itagSequence: u32,
        err: i32,
        cbData: u32,
        pvData: Bytes,
    }
    JET_ENUMCOLUMN {
        columnid: u32,
        err: i32,
        cEnumColumnValue_or_cbData: u32,
        rgEnumColumnValue_or_pvData: Bytes,
    }
    JET_RECSIZE {
        cbData: u64,
        cbLongValueData: u64,
        cbOverhead: u64,
        cbLongValueOverhead: u64,
        cNonTaggedColumns: u64,
        cTaggedColumns: u64,
        cLongValues: u64,
        cMultiValues: u64,
    }
    JET_RECSIZE2 {
        cbData: u64,
        cbLongValueData: u64,
        cbOverhead: u64,
        cbLongValueOverhead: u64,
        cNonTaggedColumns: u64,
        cTaggedColumns: u64,
        cLongValues: u64,
        cMultiValues: u64,
        cCompressedColumns: u64,
        cbDataCompressed: u64,
        cbLongValueDataCompressed: u64,
    }
    JET_TABLECREATE5<C> {
        cbStruct: u32,
        szTableName: Str<C>,
        szTemplateTableName: Str<C>,
        ulPages: u32,
        ulDensity: u32,
        rgcolumncreate: Ptr<JET_COLUMNCREATE<C>>,
        cColumns: u32,
        rgindexcreate: Ptr<JET_INDEXCREATE3<C>>,
        cIndexes: u32,
        szCallback: Str<C>,
        cbtyp: u32,
        grbit: u32,
        pSeqSpacehints: Ptr<JET_SPACEHINTS>,
        pLVSpacehints: Ptr<JET_SPACEHINTS>,
        cbSeparateLV: u32,
        cbLVChunkMax: u32,
        tableid: usize,
        cCreated: u32,
    }
    JET_RECSIZE3 {
        cbData: u64,
        cbLongValueData: u64,
        cbOverhead: u64,
        cbLongValueOverhead: u64,
        cNonTaggedColumns: u64,
        cTaggedColumns: u64,
        cLongValues: u64,
        cMultiValues: u64,
        cCompressedColumns: u64,
        cbDataCompressed: u64,
        cbLongValueDataCompressed: u64,
        cbIntrinsicLongValueData: u64,
        cbIntrinsicLongValueDataCompressed: u64,
        cIntrinsicLongValues: u64,
        cbKey: u64,
    }
}
