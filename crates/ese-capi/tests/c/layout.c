/* Sizes and offsets of all structures, as callers on 64-bit Linux must have them. */
#include "esent.h"

_Static_assert(sizeof(JET_INDEXID) == 20, "JET_INDEXID");
_Static_assert(offsetof(JET_INDEXID,cbStruct) == 0, "JET_INDEXID.cbStruct");
_Static_assert(offsetof(JET_INDEXID,rgbIndexId) == 4, "JET_INDEXID.rgbIndexId");
_Static_assert(sizeof(JET_RSTMAP_A) == 16, "JET_RSTMAP_A");
_Static_assert(offsetof(JET_RSTMAP_A,szDatabaseName) == 0, "JET_RSTMAP_A.szDatabaseName");
_Static_assert(offsetof(JET_RSTMAP_A,szNewDatabaseName) == 8, "JET_RSTMAP_A.szNewDatabaseName");
_Static_assert(sizeof(JET_RSTMAP_W) == 16, "JET_RSTMAP_W");
_Static_assert(offsetof(JET_RSTMAP_W,szDatabaseName) == 0, "JET_RSTMAP_W.szDatabaseName");
_Static_assert(offsetof(JET_RSTMAP_W,szNewDatabaseName) == 8, "JET_RSTMAP_W.szNewDatabaseName");
_Static_assert(sizeof(JET_CONVERT_A) == 16, "JET_CONVERT_A");
_Static_assert(offsetof(JET_CONVERT_A,szOldDll) == 0, "JET_CONVERT_A.szOldDll");
_Static_assert(offsetof(JET_CONVERT_A,fFlags) == 8, "JET_CONVERT_A.fFlags");
_Static_assert(sizeof(JET_CONVERT_W) == 16, "JET_CONVERT_W");
_Static_assert(offsetof(JET_CONVERT_W,szOldDll) == 0, "JET_CONVERT_W.szOldDll");
_Static_assert(offsetof(JET_CONVERT_W,fFlags) == 8, "JET_CONVERT_W.fFlags");
_Static_assert(sizeof(JET_SNPROG) == 12, "JET_SNPROG");
_Static_assert(offsetof(JET_SNPROG,cbStruct) == 0, "JET_SNPROG.cbStruct");
_Static_assert(offsetof(JET_SNPROG,cunitDone) == 4, "JET_SNPROG.cunitDone");
_Static_assert(offsetof(JET_SNPROG,cunitTotal) == 8, "JET_SNPROG.cunitTotal");
_Static_assert(sizeof(JET_DBINFOUPGRADE) == 28, "JET_DBINFOUPGRADE");
_Static_assert(offsetof(JET_DBINFOUPGRADE,cbStruct) == 0, "JET_DBINFOUPGRADE.cbStruct");
_Static_assert(offsetof(JET_DBINFOUPGRADE,cbFilesizeLow) == 4, "JET_DBINFOUPGRADE.cbFilesizeLow");
_Static_assert(offsetof(JET_DBINFOUPGRADE,cbFilesizeHigh) == 8, "JET_DBINFOUPGRADE.cbFilesizeHigh");
_Static_assert(offsetof(JET_DBINFOUPGRADE,cbFreeSpaceRequiredLow) == 12,
               "JET_DBINFOUPGRADE.cbFreeSpaceRequiredLow");
_Static_assert(offsetof(JET_DBINFOUPGRADE,cbFreeSpaceRequiredHigh) == 16,
               "JET_DBINFOUPGRADE.cbFreeSpaceRequiredHigh");
_Static_assert(offsetof(JET_DBINFOUPGRADE,csecToUpgrade) == 20, "JET_DBINFOUPGRADE.csecToUpgrade");
_Static_assert(offsetof(JET_DBINFOUPGRADE,ulFlags) == 24, "JET_DBINFOUPGRADE.ulFlags");
_Static_assert(sizeof(JET_OBJECTINFO) == 40, "JET_OBJECTINFO");
_Static_assert(offsetof(JET_OBJECTINFO,cbStruct) == 0, "JET_OBJECTINFO.cbStruct");
_Static_assert(offsetof(JET_OBJECTINFO,objtyp) == 4, "JET_OBJECTINFO.objtyp");
_Static_assert(offsetof(JET_OBJECTINFO,dtCreate) == 8, "JET_OBJECTINFO.dtCreate");
_Static_assert(offsetof(JET_OBJECTINFO,dtUpdate) == 16, "JET_OBJECTINFO.dtUpdate");
_Static_assert(offsetof(JET_OBJECTINFO,grbit) == 24, "JET_OBJECTINFO.grbit");
_Static_assert(offsetof(JET_OBJECTINFO,flags) == 28, "JET_OBJECTINFO.flags");
_Static_assert(offsetof(JET_OBJECTINFO,cRecord) == 32, "JET_OBJECTINFO.cRecord");
_Static_assert(offsetof(JET_OBJECTINFO,cPage) == 36, "JET_OBJECTINFO.cPage");
_Static_assert(sizeof(JET_OBJECTLIST) == 56, "JET_OBJECTLIST");
_Static_assert(offsetof(JET_OBJECTLIST,cbStruct) == 0, "JET_OBJECTLIST.cbStruct");
_Static_assert(offsetof(JET_OBJECTLIST,tableid) == 8, "JET_OBJECTLIST.tableid");
_Static_assert(offsetof(JET_OBJECTLIST,cRecord) == 16, "JET_OBJECTLIST.cRecord");
_Static_assert(offsetof(JET_OBJECTLIST,columnidcontainername) == 20,
               "JET_OBJECTLIST.columnidcontainername");
_Static_assert(offsetof(JET_OBJECTLIST,columnidobjectname) == 24,
               "JET_OBJECTLIST.columnidobjectname");
_Static_assert(offsetof(JET_OBJECTLIST,columnidobjtyp) == 28, "JET_OBJECTLIST.columnidobjtyp");
_Static_assert(offsetof(JET_OBJECTLIST,columniddtCreate) == 32, "JET_OBJECTLIST.columniddtCreate");
_Static_assert(offsetof(JET_OBJECTLIST,columniddtUpdate) == 36, "JET_OBJECTLIST.columniddtUpdate");
_Static_assert(offsetof(JET_OBJECTLIST,columnidgrbit) == 40, "JET_OBJECTLIST.columnidgrbit");
_Static_assert(offsetof(JET_OBJECTLIST,columnidflags) == 44, "JET_OBJECTLIST.columnidflags");
_Static_assert(offsetof(JET_OBJECTLIST,columnidcRecord) == 48, "JET_OBJECTLIST.columnidcRecord");
_Static_assert(offsetof(JET_OBJECTLIST,columnidcPage) == 52, "JET_OBJECTLIST.columnidcPage");
_Static_assert(sizeof(JET_COLUMNLIST) == 80, "JET_COLUMNLIST");
_Static_assert(offsetof(JET_COLUMNLIST,cbStruct) == 0, "JET_COLUMNLIST.cbStruct");
_Static_assert(offsetof(JET_COLUMNLIST,tableid) == 8, "JET_COLUMNLIST.tableid");
_Static_assert(offsetof(JET_COLUMNLIST,cRecord) == 16, "JET_COLUMNLIST.cRecord");
_Static_assert(offsetof(JET_COLUMNLIST,columnidPresentationOrder) == 20,
               "JET_COLUMNLIST.columnidPresentationOrder");
_Static_assert(offsetof(JET_COLUMNLIST,columnidcolumnname) == 24,
               "JET_COLUMNLIST.columnidcolumnname");
_Static_assert(offsetof(JET_COLUMNLIST,columnidcolumnid) == 28, "JET_COLUMNLIST.columnidcolumnid");
_Static_assert(offsetof(JET_COLUMNLIST,columnidcoltyp) == 32, "JET_COLUMNLIST.columnidcoltyp");
_Static_assert(offsetof(JET_COLUMNLIST,columnidCountry) == 36, "JET_COLUMNLIST.columnidCountry");
_Static_assert(offsetof(JET_COLUMNLIST,columnidLangid) == 40, "JET_COLUMNLIST.columnidLangid");
_Static_assert(offsetof(JET_COLUMNLIST,columnidCp) == 44, "JET_COLUMNLIST.columnidCp");
_Static_assert(offsetof(JET_COLUMNLIST,columnidCollate) == 48, "JET_COLUMNLIST.columnidCollate");
_Static_assert(offsetof(JET_COLUMNLIST,columnidcbMax) == 52, "JET_COLUMNLIST.columnidcbMax");
_Static_assert(offsetof(JET_COLUMNLIST,columnidgrbit) == 56, "JET_COLUMNLIST.columnidgrbit");
_Static_assert(offsetof(JET_COLUMNLIST,columnidDefault) == 60, "JET_COLUMNLIST.columnidDefault");
_Static_assert(offsetof(JET_COLUMNLIST,columnidBaseTableName) == 64,
               "JET_COLUMNLIST.columnidBaseTableName");
_Static_assert(offsetof(JET_COLUMNLIST,columnidBaseColumnName) == 68,
               "JET_COLUMNLIST.columnidBaseColumnName");
_Static_assert(offsetof(JET_COLUMNLIST,columnidDefinitionName) == 72,
               "JET_COLUMNLIST.columnidDefinitionName");
_Static_assert(sizeof(JET_COLUMNDEF) == 28, "JET_COLUMNDEF");
_Static_assert(offsetof(JET_COLUMNDEF,cbStruct) == 0, "JET_COLUMNDEF.cbStruct");
_Static_assert(offsetof(JET_COLUMNDEF,columnid) == 4, "JET_COLUMNDEF.columnid");
_Static_assert(offsetof(JET_COLUMNDEF,coltyp) == 8, "JET_COLUMNDEF.coltyp");
_Static_assert(offsetof(JET_COLUMNDEF,wCountry) == 12, "JET_COLUMNDEF.wCountry");
_Static_assert(offsetof(JET_COLUMNDEF,langid) == 14, "JET_COLUMNDEF.langid");
_Static_assert(offsetof(JET_COLUMNDEF,cp) == 16, "JET_COLUMNDEF.cp");
_Static_assert(offsetof(JET_COLUMNDEF,wCollate) == 18, "JET_COLUMNDEF.wCollate");
_Static_assert(offsetof(JET_COLUMNDEF,cbMax) == 20, "JET_COLUMNDEF.cbMax");
_Static_assert(offsetof(JET_COLUMNDEF,grbit) == 24, "JET_COLUMNDEF.grbit");
_Static_assert(sizeof(JET_COLUMNBASE_A) == 540, "JET_COLUMNBASE_A");
_Static_assert(offsetof(JET_COLUMNBASE_A,cbStruct) == 0, "JET_COLUMNBASE_A.cbStruct");
_Static_assert(offsetof(JET_COLUMNBASE_A,columnid) == 4, "JET_COLUMNBASE_A.columnid");
_Static_assert(offsetof(JET_COLUMNBASE_A,coltyp) == 8, "JET_COLUMNBASE_A.coltyp");
_Static_assert(offsetof(JET_COLUMNBASE_A,wCountry) == 12, "JET_COLUMNBASE_A.wCountry");
_Static_assert(offsetof(JET_COLUMNBASE_A,langid) == 14, "JET_COLUMNBASE_A.langid");
_Static_assert(offsetof(JET_COLUMNBASE_A,cp) == 16, "JET_COLUMNBASE_A.cp");
_Static_assert(offsetof(JET_COLUMNBASE_A,wFiller) == 18, "JET_COLUMNBASE_A.wFiller");
_Static_assert(offsetof(JET_COLUMNBASE_A,cbMax) == 20, "JET_COLUMNBASE_A.cbMax");
_Static_assert(offsetof(JET_COLUMNBASE_A,grbit) == 24, "JET_COLUMNBASE_A.grbit");
_Static_assert(offsetof(JET_COLUMNBASE_A,szBaseTableName) == 28,
               "JET_COLUMNBASE_A.szBaseTableName");
_Static_assert(offsetof(JET_COLUMNBASE_A,szBaseColumnName) == 284,
               "JET_COLUMNBASE_A.szBaseColumnName");
_Static_assert(sizeof(JET_COLUMNBASE_W) == 1052, "JET_COLUMNBASE_W");
_Static_assert(offsetof(JET_COLUMNBASE_W,cbStruct) == 0, "JET_COLUMNBASE_W.cbStruct");
_Static_assert(offsetof(JET_COLUMNBASE_W,columnid) == 4, "JET_COLUMNBASE_W.columnid");
_Static_assert(offsetof(JET_COLUMNBASE_W,coltyp) == 8, "JET_COLUMNBASE_W.coltyp");
_Static_assert(offsetof(JET_COLUMNBASE_W,wCountry) == 12, "JET_COLUMNBASE_W.wCountry");
_Static_assert(offsetof(JET_COLUMNBASE_W,langid) == 14, "JET_COLUMNBASE_W.langid");
_Static_assert(offsetof(JET_COLUMNBASE_W,cp) == 16, "JET_COLUMNBASE_W.cp");
_Static_assert(offsetof(JET_COLUMNBASE_W,wFiller) == 18, "JET_COLUMNBASE_W.wFiller");
_Static_assert(offsetof(JET_COLUMNBASE_W,cbMax) == 20, "JET_COLUMNBASE_W.cbMax");
_Static_assert(offsetof(JET_COLUMNBASE_W,grbit) == 24, "JET_COLUMNBASE_W.grbit");
_Static_assert(offsetof(JET_COLUMNBASE_W,szBaseTableName) == 28,
               "JET_COLUMNBASE_W.szBaseTableName");
_Static_assert(offsetof(JET_COLUMNBASE_W,szBaseColumnName) == 540,
               "JET_COLUMNBASE_W.szBaseColumnName");
_Static_assert(sizeof(JET_INDEXLIST) == 88, "JET_INDEXLIST");
_Static_assert(offsetof(JET_INDEXLIST,cbStruct) == 0, "JET_INDEXLIST.cbStruct");
_Static_assert(offsetof(JET_INDEXLIST,tableid) == 8, "JET_INDEXLIST.tableid");
_Static_assert(offsetof(JET_INDEXLIST,cRecord) == 16, "JET_INDEXLIST.cRecord");
_Static_assert(offsetof(JET_INDEXLIST,columnidindexname) == 20, "JET_INDEXLIST.columnidindexname");
_Static_assert(offsetof(JET_INDEXLIST,columnidgrbitIndex) == 24,
               "JET_INDEXLIST.columnidgrbitIndex");
_Static_assert(offsetof(JET_INDEXLIST,columnidcKey) == 28, "JET_INDEXLIST.columnidcKey");
_Static_assert(offsetof(JET_INDEXLIST,columnidcEntry) == 32, "JET_INDEXLIST.columnidcEntry");
_Static_assert(offsetof(JET_INDEXLIST,columnidcPage) == 36, "JET_INDEXLIST.columnidcPage");
_Static_assert(offsetof(JET_INDEXLIST,columnidcColumn) == 40, "JET_INDEXLIST.columnidcColumn");
_Static_assert(offsetof(JET_INDEXLIST,columnidiColumn) == 44, "JET_INDEXLIST.columnidiColumn");
_Static_assert(offsetof(JET_INDEXLIST,columnidcolumnid) == 48, "JET_INDEXLIST.columnidcolumnid");
_Static_assert(offsetof(JET_INDEXLIST,columnidcoltyp) == 52, "JET_INDEXLIST.columnidcoltyp");
_Static_assert(offsetof(JET_INDEXLIST,columnidCountry) == 56, "JET_INDEXLIST.columnidCountry");
_Static_assert(offsetof(JET_INDEXLIST,columnidLangid) == 60, "JET_INDEXLIST.columnidLangid");
_Static_assert(offsetof(JET_INDEXLIST,columnidCp) == 64, "JET_INDEXLIST.columnidCp");
_Static_assert(offsetof(JET_INDEXLIST,columnidCollate) == 68, "JET_INDEXLIST.columnidCollate");
_Static_assert(offsetof(JET_INDEXLIST,columnidgrbitColumn) == 72,
               "JET_INDEXLIST.columnidgrbitColumn");
_Static_assert(offsetof(JET_INDEXLIST,columnidcolumnname) == 76,
               "JET_INDEXLIST.columnidcolumnname");
_Static_assert(offsetof(JET_INDEXLIST,columnidLCMapFlags) == 80,
               "JET_INDEXLIST.columnidLCMapFlags");
_Static_assert(sizeof(JET_COLUMNCREATE_A) == 56, "JET_COLUMNCREATE_A");
_Static_assert(offsetof(JET_COLUMNCREATE_A,cbStruct) == 0, "JET_COLUMNCREATE_A.cbStruct");
_Static_assert(offsetof(JET_COLUMNCREATE_A,szColumnName) == 8, "JET_COLUMNCREATE_A.szColumnName");
_Static_assert(offsetof(JET_COLUMNCREATE_A,coltyp) == 16, "JET_COLUMNCREATE_A.coltyp");
_Static_assert(offsetof(JET_COLUMNCREATE_A,cbMax) == 20, "JET_COLUMNCREATE_A.cbMax");
_Static_assert(offsetof(JET_COLUMNCREATE_A,grbit) == 24, "JET_COLUMNCREATE_A.grbit");
_Static_assert(offsetof(JET_COLUMNCREATE_A,pvDefault) == 32, "JET_COLUMNCREATE_A.pvDefault");
_Static_assert(offsetof(JET_COLUMNCREATE_A,cbDefault) == 40, "JET_COLUMNCREATE_A.cbDefault");
_Static_assert(offsetof(JET_COLUMNCREATE_A,cp) == 44, "JET_COLUMNCREATE_A.cp");
_Static_assert(offsetof(JET_COLUMNCREATE_A,columnid) == 48, "JET_COLUMNCREATE_A.columnid");
_Static_assert(offsetof(JET_COLUMNCREATE_A,err) == 52, "JET_COLUMNCREATE_A.err");
_Static_assert(sizeof(JET_COLUMNCREATE_W) == 56, "JET_COLUMNCREATE_W");
_Static_assert(offsetof(JET_COLUMNCREATE_W,cbStruct) == 0, "JET_COLUMNCREATE_W.cbStruct");
_Static_assert(offsetof(JET_COLUMNCREATE_W,szColumnName) == 8, "JET_COLUMNCREATE_W.szColumnName");
_Static_assert(offsetof(JET_COLUMNCREATE_W,coltyp) == 16, "JET_COLUMNCREATE_W.coltyp");
_Static_assert(offsetof(JET_COLUMNCREATE_W,cbMax) == 20, "JET_COLUMNCREATE_W.cbMax");
_Static_assert(offsetof(JET_COLUMNCREATE_W,grbit) == 24, "JET_COLUMNCREATE_W.grbit");
_Static_assert(offsetof(JET_COLUMNCREATE_W,pvDefault) == 32, "JET_COLUMNCREATE_W.pvDefault");
_Static_assert(offsetof(JET_COLUMNCREATE_W,cbDefault) == 40, "JET_COLUMNCREATE_W.cbDefault");
_Static_assert(offsetof(JET_COLUMNCREATE_W,cp) == 44, "JET_COLUMNCREATE_W.cp");
_Static_assert(offsetof(JET_COLUMNCREATE_W,columnid) == 48, "JET_COLUMNCREATE_W.columnid");
_Static_assert(offsetof(JET_COLUMNCREATE_W,err) == 52, "JET_COLUMNCREATE_W.err");
_Static_assert(sizeof(JET_USERDEFINEDDEFAULT_A) == 32, "JET_USERDEFINEDDEFAULT_A");
_Static_assert(offsetof(JET_USERDEFINEDDEFAULT_A,szCallback) == 0,
               "JET_USERDEFINEDDEFAULT_A.szCallback");
_Static_assert(offsetof(JET_USERDEFINEDDEFAULT_A,pbUserData) == 8,
               "JET_USERDEFINEDDEFAULT_A.pbUserData");
_Static_assert(offsetof(JET_USERDEFINEDDEFAULT_A,cbUserData) == 16,
               "JET_USERDEFINEDDEFAULT_A.cbUserData");
_Static_assert(offsetof(JET_USERDEFINEDDEFAULT_A,szDependantColumns) == 24,
               "JET_USERDEFINEDDEFAULT_A.szDependantColumns");
_Static_assert(sizeof(JET_USERDEFINEDDEFAULT_W) == 32, "JET_USERDEFINEDDEFAULT_W");
_Static_assert(offsetof(JET_USERDEFINEDDEFAULT_W,szCallback) == 0,
               "JET_USERDEFINEDDEFAULT_W.szCallback");
_Static_assert(offsetof(JET_USERDEFINEDDEFAULT_W,pbUserData) == 8,
               "JET_USERDEFINEDDEFAULT_W.pbUserData");
_Static_assert(offsetof(JET_USERDEFINEDDEFAULT_W,cbUserData) == 16,
               "JET_USERDEFINEDDEFAULT_W.cbUserData");
_Static_assert(offsetof(JET_USERDEFINEDDEFAULT_W,szDependantColumns) == 24,
               "JET_USERDEFINEDDEFAULT_W.szDependantColumns");
_Static_assert(sizeof(JET_CONDITIONALCOLUMN_A) == 24, "JET_CONDITIONALCOLUMN_A");
_Static_assert(offsetof(JET_CONDITIONALCOLUMN_A,cbStruct) == 0, "JET_CONDITIONALCOLUMN_A.cbStruct");
_Static_assert(offsetof(JET_CONDITIONALCOLUMN_A,szColumnName) == 8,
               "JET_CONDITIONALCOLUMN_A.szColumnName");
_Static_assert(offsetof(JET_CONDITIONALCOLUMN_A,grbit) == 16, "JET_CONDITIONALCOLUMN_A.grbit");
_Static_assert(sizeof(JET_CONDITIONALCOLUMN_W) == 24, "JET_CONDITIONALCOLUMN_W");
_Static_assert(offsetof(JET_CONDITIONALCOLUMN_W,cbStruct) == 0, "JET_CONDITIONALCOLUMN_W.cbStruct");
_Static_assert(offsetof(JET_CONDITIONALCOLUMN_W,szColumnName) == 8,
               "JET_CONDITIONALCOLUMN_W.szColumnName");
_Static_assert(offsetof(JET_CONDITIONALCOLUMN_W,grbit) == 16, "JET_CONDITIONALCOLUMN_W.grbit");
_Static_assert(sizeof(JET_UNICODEINDEX) == 8, "JET_UNICODEINDEX");
_Static_assert(offsetof(JET_UNICODEINDEX,lcid) == 0, "JET_UNICODEINDEX.lcid");
_Static_assert(offsetof(JET_UNICODEINDEX,dwMapFlags) == 4, "JET_UNICODEINDEX.dwMapFlags");
_Static_assert(sizeof(JET_UNICODEINDEX2) == 16, "JET_UNICODEINDEX2");
_Static_assert(offsetof(JET_UNICODEINDEX2,szLocaleName) == 0, "JET_UNICODEINDEX2.szLocaleName");
_Static_assert(offsetof(JET_UNICODEINDEX2,dwMapFlags) == 8, "JET_UNICODEINDEX2.dwMapFlags");
_Static_assert(sizeof(JET_TUPLELIMITS) == 20, "JET_TUPLELIMITS");
_Static_assert(offsetof(JET_TUPLELIMITS,chLengthMin) == 0, "JET_TUPLELIMITS.chLengthMin");
_Static_assert(offsetof(JET_TUPLELIMITS,chLengthMax) == 4, "JET_TUPLELIMITS.chLengthMax");
_Static_assert(offsetof(JET_TUPLELIMITS,chToIndexMax) == 8, "JET_TUPLELIMITS.chToIndexMax");
_Static_assert(offsetof(JET_TUPLELIMITS,cchIncrement) == 12, "JET_TUPLELIMITS.cchIncrement");
_Static_assert(offsetof(JET_TUPLELIMITS,ichStart) == 16, "JET_TUPLELIMITS.ichStart");
_Static_assert(sizeof(JET_SPACEHINTS) == 32, "JET_SPACEHINTS");
_Static_assert(offsetof(JET_SPACEHINTS,cbStruct) == 0, "JET_SPACEHINTS.cbStruct");
_Static_assert(offsetof(JET_SPACEHINTS,ulInitialDensity) == 4, "JET_SPACEHINTS.ulInitialDensity");
_Static_assert(offsetof(JET_SPACEHINTS,cbInitial) == 8, "JET_SPACEHINTS.cbInitial");
_Static_assert(offsetof(JET_SPACEHINTS,grbit) == 12, "JET_SPACEHINTS.grbit");
_Static_assert(offsetof(JET_SPACEHINTS,ulMaintDensity) == 16, "JET_SPACEHINTS.ulMaintDensity");
_Static_assert(offsetof(JET_SPACEHINTS,ulGrowth) == 20, "JET_SPACEHINTS.ulGrowth");
_Static_assert(offsetof(JET_SPACEHINTS,cbMinExtent) == 24, "JET_SPACEHINTS.cbMinExtent");
_Static_assert(offsetof(JET_SPACEHINTS,cbMaxExtent) == 28, "JET_SPACEHINTS.cbMaxExtent");
_Static_assert(sizeof(JET_INDEXCREATE_A) == 80, "JET_INDEXCREATE_A");
_Static_assert(offsetof(JET_INDEXCREATE_A,cbStruct) == 0, "JET_INDEXCREATE_A.cbStruct");
_Static_assert(offsetof(JET_INDEXCREATE_A,szIndexName) == 8, "JET_INDEXCREATE_A.szIndexName");
_Static_assert(offsetof(JET_INDEXCREATE_A,szKey) == 16, "JET_INDEXCREATE_A.szKey");
_Static_assert(offsetof(JET_INDEXCREATE_A,cbKey) == 24, "JET_INDEXCREATE_A.cbKey");
_Static_assert(offsetof(JET_INDEXCREATE_A,grbit) == 28, "JET_INDEXCREATE_A.grbit");
_Static_assert(offsetof(JET_INDEXCREATE_A,ulDensity) == 32, "JET_INDEXCREATE_A.ulDensity");
_Static_assert(offsetof(JET_INDEXCREATE_A,lcid) == 40, "JET_INDEXCREATE_A.lcid");
_Static_assert(offsetof(JET_INDEXCREATE_A,pidxunicode) == 40, "JET_INDEXCREATE_A.pidxunicode");
_Static_assert(offsetof(JET_INDEXCREATE_A,cbVarSegMac) == 48, "JET_INDEXCREATE_A.cbVarSegMac");
_Static_assert(offsetof(JET_INDEXCREATE_A,ptuplelimits) == 48, "JET_INDEXCREATE_A.ptuplelimits");
_Static_assert(offsetof(JET_INDEXCREATE_A,rgconditionalcolumn) == 56,
               "JET_INDEXCREATE_A.rgconditionalcolumn");
_Static_assert(offsetof(JET_INDEXCREATE_A,cConditionalColumn) == 64,
               "JET_INDEXCREATE_A.cConditionalColumn");
_Static_assert(offsetof(JET_INDEXCREATE_A,err) == 68, "JET_INDEXCREATE_A.err");
_Static_assert(offsetof(JET_INDEXCREATE_A,cbKeyMost) == 72, "JET_INDEXCREATE_A.cbKeyMost");
_Static_assert(sizeof(JET_INDEXCREATE_W) == 80, "JET_INDEXCREATE_W");
_Static_assert(offsetof(JET_INDEXCREATE_W,cbStruct) == 0, "JET_INDEXCREATE_W.cbStruct");
_Static_assert(offsetof(JET_INDEXCREATE_W,szIndexName) == 8, "JET_INDEXCREATE_W.szIndexName");
_Static_assert(offsetof(JET_INDEXCREATE_W,szKey) == 16, "JET_INDEXCREATE_W.szKey");
_Static_assert(offsetof(JET_INDEXCREATE_W,cbKey) == 24, "JET_INDEXCREATE_W.cbKey");
_Static_assert(offsetof(JET_INDEXCREATE_W,grbit) == 28, "JET_INDEXCREATE_W.grbit");
_Static_assert(offsetof(JET_INDEXCREATE_W,ulDensity) == 32, "JET_INDEXCREATE_W.ulDensity");
_Static_assert(offsetof(JET_INDEXCREATE_W,lcid) == 40, "JET_INDEXCREATE_W.lcid");
_Static_assert(offsetof(JET_INDEXCREATE_W,pidxunicode) == 40, "JET_INDEXCREATE_W.pidxunicode");
_Static_assert(offsetof(JET_INDEXCREATE_W,cbVarSegMac) == 48, "JET_INDEXCREATE_W.cbVarSegMac");
_Static_assert(offsetof(JET_INDEXCREATE_W,ptuplelimits) == 48, "JET_INDEXCREATE_W.ptuplelimits");
_Static_assert(offsetof(JET_INDEXCREATE_W,rgconditionalcolumn) == 56,
               "JET_INDEXCREATE_W.rgconditionalcolumn");
_Static_assert(offsetof(JET_INDEXCREATE_W,cConditionalColumn) == 64,
               "JET_INDEXCREATE_W.cConditionalColumn");
_Static_assert(offsetof(JET_INDEXCREATE_W,err) == 68, "JET_INDEXCREATE_W.err");
_Static_assert(offsetof(JET_INDEXCREATE_W,cbKeyMost) == 72, "JET_INDEXCREATE_W.cbKeyMost");
_Static_assert(sizeof(JET_INDEXCREATE2_A) == 88, "JET_INDEXCREATE2_A");
_Static_assert(offsetof(JET_INDEXCREATE2_A,cbStruct) == 0, "JET_INDEXCREATE2_A.cbStruct");
_Static_assert(offsetof(JET_INDEXCREATE2_A,szIndexName) == 8, "JET_INDEXCREATE2_A.szIndexName");
_Static_assert(offsetof(JET_INDEXCREATE2_A,szKey) == 16, "JET_INDEXCREATE2_A.szKey");
_Static_assert(offsetof(JET_INDEXCREATE2_A,cbKey) == 24, "JET_INDEXCREATE2_A.cbKey");
_Static_assert(offsetof(JET_INDEXCREATE2_A,grbit) == 28, "JET_INDEXCREATE2_A.grbit");
_Static_assert(offsetof(JET_INDEXCREATE2_A,ulDensity) == 32, "JET_INDEXCREATE2_A.ulDensity");
_Static_assert(offsetof(JET_INDEXCREATE2_A,lcid) == 40, "JET_INDEXCREATE2_A.lcid");
_Static_assert(offsetof(JET_INDEXCREATE2_A,pidxunicode) == 40, "JET_INDEXCREATE2_A.pidxunicode");
_Static_assert(offsetof(JET_INDEXCREATE2_A,cbVarSegMac) == 48, "JET_INDEXCREATE2_A.cbVarSegMac");
_Static_assert(offsetof(JET_INDEXCREATE2_A,ptuplelimits) == 48, "JET_INDEXCREATE2_A.ptuplelimits");
_Static_assert(offsetof(JET_INDEXCREATE2_A,rgconditionalcolumn) == 56,
               "JET_INDEXCREATE2_A.rgconditionalcolumn");
_Static_assert(offsetof(JET_INDEXCREATE2_A,cConditionalColumn) == 64,
               "JET_INDEXCREATE2_A.cConditionalColumn");
_Static_assert(offsetof(JET_INDEXCREATE2_A,err) == 68, "JET_INDEXCREATE2_A.err");
_Static_assert(offsetof(JET_INDEXCREATE2_A,cbKeyMost) == 72, "JET_INDEXCREATE2_A.cbKeyMost");
_Static_assert(offsetof(JET_INDEXCREATE2_A,pSpacehints) == 80, "JET_INDEXCREATE2_A.pSpacehints");
_Static_assert(sizeof(JET_INDEXCREATE2_W) == 88, "JET_INDEXCREATE2_W");
_Static_assert(offsetof(JET_INDEXCREATE2_W,cbStruct) == 0, "JET_INDEXCREATE2_W.cbStruct");
_Static_assert(offsetof(JET_INDEXCREATE2_W,szIndexName) == 8, "JET_INDEXCREATE2_W.szIndexName");
_Static_assert(offsetof(JET_INDEXCREATE2_W,szKey) == 16, "JET_INDEXCREATE2_W.szKey");
_Static_assert(offsetof(JET_INDEXCREATE2_W,cbKey) == 24, "JET_INDEXCREATE2_W.cbKey");
_Static_assert(offsetof(JET_INDEXCREATE2_W,grbit) == 28, "JET_INDEXCREATE2_W.grbit");
_Static_assert(offsetof(JET_INDEXCREATE2_W,ulDensity) == 32, "JET_INDEXCREATE2_W.ulDensity");
_Static_assert(offsetof(JET_INDEXCREATE2_W,lcid) == 40, "JET_INDEXCREATE2_W.lcid");
_Static_assert(offsetof(JET_INDEXCREATE2_W,pidxunicode) == 40, "JET_INDEXCREATE2_W.pidxunicode");
_Static_assert(offsetof(JET_INDEXCREATE2_W,cbVarSegMac) == 48, "JET_INDEXCREATE2_W.cbVarSegMac");
_Static_assert(offsetof(JET_INDEXCREATE2_W,ptuplelimits) == 48, "JET_INDEXCREATE2_W.ptuplelimits");
_Static_assert(offsetof(JET_INDEXCREATE2_W,rgconditionalcolumn) == 56,
               "JET_INDEXCREATE2_W.rgconditionalcolumn");
_Static_assert(offsetof(JET_INDEXCREATE2_W,cConditionalColumn) == 64,
               "JET_INDEXCREATE2_W.cConditionalColumn");
_Static_assert(offsetof(JET_INDEXCREATE2_W,err) == 68, "JET_INDEXCREATE2_W.err");
_Static_assert(offsetof(JET_INDEXCREATE2_W,cbKeyMost) == 72, "JET_INDEXCREATE2_W.cbKeyMost");
_Static_assert(offsetof(JET_INDEXCREATE2_W,pSpacehints) == 80, "JET_INDEXCREATE2_W.pSpacehints");
_Static_assert(sizeof(JET_INDEXCREATE3_A) == 88, "JET_INDEXCREATE3_A");
_Static_assert(offsetof(JET_INDEXCREATE3_A,cbStruct) == 0, "JET_INDEXCREATE3_A.cbStruct");
_Static_assert(offsetof(JET_INDEXCREATE3_A,szIndexName) == 8, "JET_INDEXCREATE3_A.szIndexName");
_Static_assert(offsetof(JET_INDEXCREATE3_A,szKey) == 16, "JET_INDEXCREATE3_A.szKey");
_Static_assert(offsetof(JET_INDEXCREATE3_A,cbKey) == 24, "JET_INDEXCREATE3_A.cbKey");
_Static_assert(offsetof(JET_INDEXCREATE3_A,grbit) == 28, "JET_INDEXCREATE3_A.grbit");
_Static_assert(offsetof(JET_INDEXCREATE3_A,ulDensity) == 32, "JET_INDEXCREATE3_A.ulDensity");
_Static_assert(offsetof(JET_INDEXCREATE3_A,pidxunicode) == 40, "JET_INDEXCREATE3_A.pidxunicode");
_Static_assert(offsetof(JET_INDEXCREATE3_A,cbVarSegMac) == 48, "JET_INDEXCREATE3_A.cbVarSegMac");
_Static_assert(offsetof(JET_INDEXCREATE3_A,ptuplelimits) == 48, "JET_INDEXCREATE3_A.ptuplelimits");
_Static_assert(offsetof(JET_INDEXCREATE3_A,rgconditionalcolumn) == 56,
               "JET_INDEXCREATE3_A.rgconditionalcolumn");
_Static_assert(offsetof(JET_INDEXCREATE3_A,cConditionalColumn) == 64,
               "JET_INDEXCREATE3_A.cConditionalColumn");
_Static_assert(offsetof(JET_INDEXCREATE3_A,err) == 68, "JET_INDEXCREATE3_A.err");
_Static_assert(offsetof(JET_INDEXCREATE3_A,cbKeyMost) == 72, "JET_INDEXCREATE3_A.cbKeyMost");
_Static_assert(offsetof(JET_INDEXCREATE3_A,pSpacehints) == 80, "JET_INDEXCREATE3_A.pSpacehints");
_Static_assert(sizeof(JET_INDEXCREATE3_W) == 88, "JET_INDEXCREATE3_W");
_Static_assert(offsetof(JET_INDEXCREATE3_W,cbStruct) == 0, "JET_INDEXCREATE3_W.cbStruct");
_Static_assert(offsetof(JET_INDEXCREATE3_W,szIndexName) == 8, "JET_INDEXCREATE3_W.szIndexName");
_Static_assert(offsetof(JET_INDEXCREATE3_W,szKey) == 16, "JET_INDEXCREATE3_W.szKey");
_Static_assert(offsetof(JET_INDEXCREATE3_W,cbKey) == 24, "JET_INDEXCREATE3_W.cbKey");
_Static_assert(offsetof(JET_INDEXCREATE3_W,grbit) == 28, "JET_INDEXCREATE3_W.grbit");
_Static_assert(offsetof(JET_INDEXCREATE3_W,ulDensity) == 32, "JET_INDEXCREATE3_W.ulDensity");
_Static_assert(offsetof(JET_INDEXCREATE3_W,pidxunicode) == 40, "JET_INDEXCREATE3_W.pidxunicode");
_Static_assert(offsetof(JET_INDEXCREATE3_W,cbVarSegMac) == 48, "JET_INDEXCREATE3_W.cbVarSegMac");
_Static_assert(offsetof(JET_INDEXCREATE3_W,ptuplelimits) == 48, "JET_INDEXCREATE3_W.ptuplelimits");
_Static_assert(offsetof(JET_INDEXCREATE3_W,rgconditionalcolumn) == 56,
               "JET_INDEXCREATE3_W.rgconditionalcolumn");
_Static_assert(offsetof(JET_INDEXCREATE3_W,cConditionalColumn) == 64,
               "JET_INDEXCREATE3_W.cConditionalColumn");
_Static_assert(offsetof(JET_INDEXCREATE3_W,err) == 68, "JET_INDEXCREATE3_W.err");
_Static_assert(offsetof(JET_INDEXCREATE3_W,cbKeyMost) == 72, "JET_INDEXCREATE3_W.cbKeyMost");
_Static_assert(offsetof(JET_INDEXCREATE3_W,pSpacehints) == 80, "JET_INDEXCREATE3_W.pSpacehints");
_Static_assert(sizeof(JET_TABLECREATE_A) == 80, "JET_TABLECREATE_A");
_Static_assert(offsetof(JET_TABLECREATE_A,cbStruct) == 0, "JET_TABLECREATE_A.cbStruct");
_Static_assert(offsetof(JET_TABLECREATE_A,szTableName) == 8, "JET_TABLECREATE_A.szTableName");
_Static_assert(offsetof(JET_TABLECREATE_A,szTemplateTableName) == 16,
               "JET_TABLECREATE_A.szTemplateTableName");
_Static_assert(offsetof(JET_TABLECREATE_A,ulPages) == 24, "JET_TABLECREATE_A.ulPages");
_Static_assert(offsetof(JET_TABLECREATE_A,ulDensity) == 28, "JET_TABLECREATE_A.ulDensity");
_Static_assert(offsetof(JET_TABLECREATE_A,rgcolumncreate) == 32,
               "JET_TABLECREATE_A.rgcolumncreate");
_Static_assert(offsetof(JET_TABLECREATE_A,cColumns) == 40, "JET_TABLECREATE_A.cColumns");
_Static_assert(offsetof(JET_TABLECREATE_A,rgindexcreate) == 48, "JET_TABLECREATE_A.rgindexcreate");
_Static_assert(offsetof(JET_TABLECREATE_A,cIndexes) == 56, "JET_TABLECREATE_A.cIndexes");
_Static_assert(offsetof(JET_TABLECREATE_A,grbit) == 60, "JET_TABLECREATE_A.grbit");
_Static_assert(offsetof(JET_TABLECREATE_A,tableid) == 64, "JET_TABLECREATE_A.tableid");
_Static_assert(offsetof(JET_TABLECREATE_A,cCreated) == 72, "JET_TABLECREATE_A.cCreated");
_Static_assert(sizeof(JET_TABLECREATE_W) == 80, "JET_TABLECREATE_W");
_Static_assert(offsetof(JET_TABLECREATE_W,cbStruct) == 0, "JET_TABLECREATE_W.cbStruct");
_Static_assert(offsetof(JET_TABLECREATE_W,szTableName) == 8, "JET_TABLECREATE_W.szTableName");
_Static_assert(offsetof(JET_TABLECREATE_W,szTemplateTableName) == 16,
               "JET_TABLECREATE_W.szTemplateTableName");
_Static_assert(offsetof(JET_TABLECREATE_W,ulPages) == 24, "JET_TABLECREATE_W.ulPages");
_Static_assert(offsetof(JET_TABLECREATE_W,ulDensity) == 28, "JET_TABLECREATE_W.ulDensity");
_Static_assert(offsetof(JET_TABLECREATE_W,rgcolumncreate) == 32,
               "JET_TABLECREATE_W.rgcolumncreate");
_Static_assert(offsetof(JET_TABLECREATE_W,cColumns) == 40, "JET_TABLECREATE_W.cColumns");
_Static_assert(offsetof(JET_TABLECREATE_W,rgindexcreate) == 48, "JET_TABLECREATE_W.rgindexcreate");
_Static_assert(offsetof(JET_TABLECREATE_W,cIndexes) == 56, "JET_TABLECREATE_W.cIndexes");
_Static_assert(offsetof(JET_TABLECREATE_W,grbit) == 60, "JET_TABLECREATE_W.grbit");
_Static_assert(offsetof(JET_TABLECREATE_W,tableid) == 64, "JET_TABLECREATE_W.tableid");
_Static_assert(offsetof(JET_TABLECREATE_W,cCreated) == 72, "JET_TABLECREATE_W.cCreated");
_Static_assert(sizeof(JET_TABLECREATE2_A) == 96, "JET_TABLECREATE2_A");
_Static_assert(offsetof(JET_TABLECREATE2_A,cbStruct) == 0, "JET_TABLECREATE2_A.cbStruct");
_Static_assert(offsetof(JET_TABLECREATE2_A,szTableName) == 8, "JET_TABLECREATE2_A.szTableName");
_Static_assert(offsetof(JET_TABLECREATE2_A,szTemplateTableName) == 16,
               "JET_TABLECREATE2_A.szTemplateTableName");
_Static_assert(offsetof(JET_TABLECREATE2_A,ulPages) == 24, "JET_TABLECREATE2_A.ulPages");
_Static_assert(offsetof(JET_TABLECREATE2_A,ulDensity) == 28, "JET_TABLECREATE2_A.ulDensity");
_Static_assert(offsetof(JET_TABLECREATE2_A,rgcolumncreate) == 32,
               "JET_TABLECREATE2_A.rgcolumncreate");
_Static_assert(offsetof(JET_TABLECREATE2_A,cColumns) == 40, "JET_TABLECREATE2_A.cColumns");
_Static_assert(offsetof(JET_TABLECREATE2_A,rgindexcreate) == 48,
               "JET_TABLECREATE2_A.rgindexcreate");
_Static_assert(offsetof(JET_TABLECREATE2_A,cIndexes) == 56, "JET_TABLECREATE2_A.cIndexes");
_Static_assert(offsetof(JET_TABLECREATE2_A,szCallback) == 64, "JET_TABLECREATE2_A.szCallback");
_Static_assert(offsetof(JET_TABLECREATE2_A,cbtyp) == 72, "JET_TABLECREATE2_A.cbtyp");
_Static_assert(offsetof(JET_TABLECREATE2_A,grbit) == 76, "JET_TABLECREATE2_A.grbit");
_Static_assert(offsetof(JET_TABLECREATE2_A,tableid) == 80, "JET_TABLECREATE2_A.tableid");
_Static_assert(offsetof(JET_TABLECREATE2_A,cCreated) == 88, "JET_TABLECREATE2_A.cCreated");
_Static_assert(sizeof(JET_TABLECREATE2_W) == 96, "JET_TABLECREATE2_W");
_Static_assert(offsetof(JET_TABLECREATE2_W,cbStruct) == 0, "JET_TABLECREATE2_W.cbStruct");
_Static_assert(offsetof(JET_TABLECREATE2_W,szTableName) == 8, "JET_TABLECREATE2_W.szTableName");
_Static_assert(offsetof(JET_TABLECREATE2_W,szTemplateTableName) == 16,
               "JET_TABLECREATE2_W.szTemplateTableName");
_Static_assert(offsetof(JET_TABLECREATE2_W,ulPages) == 24, "JET_TABLECREATE2_W.ulPages");
_Static_assert(offsetof(JET_TABLECREATE2_W,ulDensity) == 28, "JET_TABLECREATE2_W.ulDensity");
_Static_assert(offsetof(JET_TABLECREATE2_W,rgcolumncreate) == 32,
               "JET_TABLECREATE2_W.rgcolumncreate");
_Static_assert(offsetof(JET_TABLECREATE2_W,cColumns) == 40, "JET_TABLECREATE2_W.cColumns");
_Static_assert(offsetof(JET_TABLECREATE2_W,rgindexcreate) == 48,
               "JET_TABLECREATE2_W.rgindexcreate");
_Static_assert(offsetof(JET_TABLECREATE2_W,cIndexes) == 56, "JET_TABLECREATE2_W.cIndexes");
_Static_assert(offsetof(JET_TABLECREATE2_W,szCallback) == 64, "JET_TABLECREATE2_W.szCallback");
_Static_assert(offsetof(JET_TABLECREATE2_W,cbtyp) == 72, "JET_TABLECREATE2_W.cbtyp");
_Static_assert(offsetof(JET_TABLECREATE2_W,grbit) == 76, "JET_TABLECREATE2_W.grbit");
_Static_assert(offsetof(JET_TABLECREATE2_W,tableid) == 80, "JET_TABLECREATE2_W.tableid");
_Static_assert(offsetof(JET_TABLECREATE2_W,cCreated) == 88, "JET_TABLECREATE2_W.cCreated");
_Static_assert(sizeof(JET_TABLECREATE3_A) == 120, "JET_TABLECREATE3_A");
_Static_assert(offsetof(JET_TABLECREATE3_A,cbStruct) == 0, "JET_TABLECREATE3_A.cbStruct");
_Static_assert(offsetof(JET_TABLECREATE3_A,szTableName) == 8, "JET_TABLECREATE3_A.szTableName");
_Static_assert(offsetof(JET_TABLECREATE3_A,szTemplateTableName) == 16,
               "JET_TABLECREATE3_A.szTemplateTableName");
_Static_assert(offsetof(JET_TABLECREATE3_A,ulPages) == 24, "JET_TABLECREATE3_A.ulPages");
_Static_assert(offsetof(JET_TABLECREATE3_A,ulDensity) == 28, "JET_TABLECREATE3_A.ulDensity");
_Static_assert(offsetof(JET_TABLECREATE3_A,rgcolumncreate) == 32,
               "JET_TABLECREATE3_A.rgcolumncreate");
_Static_assert(offsetof(JET_TABLECREATE3_A,cColumns) == 40, "JET_TABLECREATE3_A.cColumns");
_Static_assert(offsetof(JET_TABLECREATE3_A,rgindexcreate) == 48,
               "JET_TABLECREATE3_A.rgindexcreate");
_Static_assert(offsetof(JET_TABLECREATE3_A,cIndexes) == 56, "JET_TABLECREATE3_A.cIndexes");
_Static_assert(offsetof(JET_TABLECREATE3_A,szCallback) == 64, "JET_TABLECREATE3_A.szCallback");
_Static_assert(offsetof(JET_TABLECREATE3_A,cbtyp) == 72, "JET_TABLECREATE3_A.cbtyp");
_Static_assert(offsetof(JET_TABLECREATE3_A,grbit) == 76, "JET_TABLECREATE3_A.grbit");
_Static_assert(offsetof(JET_TABLECREATE3_A,pSeqSpacehints) == 80,
               "JET_TABLECREATE3_A.pSeqSpacehints");
_Static_assert(offsetof(JET_TABLECREATE3_A,pLVSpacehints) == 88,
               "JET_TABLECREATE3_A.pLVSpacehints");
_Static_assert(offsetof(JET_TABLECREATE3_A,cbSeparateLV) == 96, "JET_TABLECREATE3_A.cbSeparateLV");
_Static_assert(offsetof(JET_TABLECREATE3_A,tableid) == 104, "JET_TABLECREATE3_A.tableid");
_Static_assert(offsetof(JET_TABLECREATE3_A,cCreated) == 112, "JET_TABLECREATE3_A.cCreated");
_Static_assert(sizeof(JET_TABLECREATE3_W) == 120, "JET_TABLECREATE3_W");
_Static_assert(offsetof(JET_TABLECREATE3_W,cbStruct) == 0, "JET_TABLECREATE3_W.cbStruct");
_Static_assert(offsetof(JET_TABLECREATE3_W,szTableName) == 8, "JET_TABLECREATE3_W.szTableName");
_Static_assert(offsetof(JET_TABLECREATE3_W,szTemplateTableName) == 16,
               "JET_TABLECREATE3_W.szTemplateTableName");
_Static_assert(offsetof(JET_TABLECREATE3_W,ulPages) == 24, "JET_TABLECREATE3_W.ulPages");
_Static_assert(offsetof(JET_TABLECREATE3_W,ulDensity) == 28, "JET_TABLECREATE3_W.ulDensity");
_Static_assert(offsetof(JET_TABLECREATE3_W,rgcolumncreate) == 32,
               "JET_TABLECREATE3_W.rgcolumncreate");
_Static_assert(offsetof(JET_TABLECREATE3_W,cColumns) == 40, "JET_TABLECREATE3_W.cColumns");
_Static_assert(offsetof(JET_TABLECREATE3_W,rgindexcreate) == 48,
               "JET_TABLECREATE3_W.rgindexcreate");
_Static_assert(offsetof(JET_TABLECREATE3_W,cIndexes) == 56, "JET_TABLECREATE3_W.cIndexes");
_Static_assert(offsetof(JET_TABLECREATE3_W,szCallback) == 64, "JET_TABLECREATE3_W.szCallback");
_Static_assert(offsetof(JET_TABLECREATE3_W,cbtyp) == 72, "JET_TABLECREATE3_W.cbtyp");
_Static_assert(offsetof(JET_TABLECREATE3_W,grbit) == 76, "JET_TABLECREATE3_W.grbit");
_Static_assert(offsetof(JET_TABLECREATE3_W,pSeqSpacehints) == 80,
               "JET_TABLECREATE3_W.pSeqSpacehints");
_Static_assert(offsetof(JET_TABLECREATE3_W,pLVSpacehints) == 88,
               "JET_TABLECREATE3_W.pLVSpacehints");
_Static_assert(offsetof(JET_TABLECREATE3_W,cbSeparateLV) == 96, "JET_TABLECREATE3_W.cbSeparateLV");
_Static_assert(offsetof(JET_TABLECREATE3_W,tableid) == 104, "JET_TABLECREATE3_W.tableid");
_Static_assert(offsetof(JET_TABLECREATE3_W,cCreated) == 112, "JET_TABLECREATE3_W.cCreated");
_Static_assert(sizeof(JET_TABLECREATE4_A) == 120, "JET_TABLECREATE4_A");
_Static_assert(offsetof(JET_TABLECREATE4_A,cbStruct) == 0, "JET_TABLECREATE4_A.cbStruct");
_Static_assert(offsetof(JET_TABLECREATE4_A,szTableName) == 8, "JET_TABLECREATE4_A.szTableName");
_Static_assert(offsetof(JET_TABLECREATE4_A,szTemplateTableName) == 16,
               "JET_TABLECREATE4_A.szTemplateTableName");
_Static_assert(offsetof(JET_TABLECREATE4_A,ulPages) == 24, "JET_TABLECREATE4_A.ulPages");
_Static_assert(offsetof(JET_TABLECREATE4_A,ulDensity) == 28, "JET_TABLECREATE4_A.ulDensity");
_Static_assert(offsetof(JET_TABLECREATE4_A,rgcolumncreate) == 32,
               "JET_TABLECREATE4_A.rgcolumncreate");
_Static_assert(offsetof(JET_TABLECREATE4_A,cColumns) == 40, "JET_TABLECREATE4_A.cColumns");
_Static_assert(offsetof(JET_TABLECREATE4_A,rgindexcreate) == 48,
               "JET_TABLECREATE4_A.rgindexcreate");
_Static_assert(offsetof(JET_TABLECREATE4_A,cIndexes) == 56, "JET_TABLECREATE4_A.cIndexes");
_Static_assert(offsetof(JET_TABLECREATE4_A,szCallback) == 64, "JET_TABLECREATE4_A.szCallback");
_Static_assert(offsetof(JET_TABLECREATE4_A,cbtyp) == 72, "JET_TABLECREATE4_A.cbtyp");
_Static_assert(offsetof(JET_TABLECREATE4_A,grbit) == 76, "JET_TABLECREATE4_A.grbit");
_Static_assert(offsetof(JET_TABLECREATE4_A,pSeqSpacehints) == 80,
               "JET_TABLECREATE4_A.pSeqSpacehints");
_Static_assert(offsetof(JET_TABLECREATE4_A,pLVSpacehints) == 88,
               "JET_TABLECREATE4_A.pLVSpacehints");
_Static_assert(offsetof(JET_TABLECREATE4_A,cbSeparateLV) == 96, "JET_TABLECREATE4_A.cbSeparateLV");
_Static_assert(offsetof(JET_TABLECREATE4_A,tableid) == 104, "JET_TABLECREATE4_A.tableid");
_Static_assert(offsetof(JET_TABLECREATE4_A,cCreated) == 112, "JET_TABLECREATE4_A.cCreated");
_Static_assert(sizeof(JET_TABLECREATE4_W) == 120, "JET_TABLECREATE4_W");
_Static_assert(offsetof(JET_TABLECREATE4_W,cbStruct) == 0, "JET_TABLECREATE4_W.cbStruct");
_Static_assert(offsetof(JET_TABLECREATE4_W,szTableName) == 8, "JET_TABLECREATE4_W.szTableName");
_Static_assert(offsetof(JET_TABLECREATE4_W,szTemplateTableName) == 16,
               "JET_TABLECREATE4_W.szTemplateTableName");
_Static_assert(offsetof(JET_TABLECREATE4_W,ulPages) == 24, "JET_TABLECREATE4_W.ulPages");
_Static_assert(offsetof(JET_TABLECREATE4_W,ulDensity) == 28, "JET_TABLECREATE4_W.ulDensity");
_Static_assert(offsetof(JET_TABLECREATE4_W,rgcolumncreate) == 32,
               "JET_TABLECREATE4_W.rgcolumncreate");
_Static_assert(offsetof(JET_TABLECREATE4_W,cColumns) == 40, "JET_TABLECREATE4_W.cColumns");
_Static_assert(offsetof(JET_TABLECREATE4_W,rgindexcreate) == 48,
               "JET_TABLECREATE4_W.rgindexcreate");
_Static_assert(offsetof(JET_TABLECREATE4_W,cIndexes) == 56, "JET_TABLECREATE4_W.cIndexes");
_Static_assert(offsetof(JET_TABLECREATE4_W,szCallback) == 64, "JET_TABLECREATE4_W.szCallback");
_Static_assert(offsetof(JET_TABLECREATE4_W,cbtyp) == 72, "JET_TABLECREATE4_W.cbtyp");
_Static_assert(offsetof(JET_TABLECREATE4_W,grbit) == 76, "JET_TABLECREATE4_W.grbit");
_Static_assert(offsetof(JET_TABLECREATE4_W,pSeqSpacehints) == 80,
               "JET_TABLECREATE4_W.pSeqSpacehints");
_Static_assert(offsetof(JET_TABLECREATE4_W,pLVSpacehints) == 88,
               "JET_TABLECREATE4_W.pLVSpacehints");
_Static_assert(offsetof(JET_TABLECREATE4_W,cbSeparateLV) == 96, "JET_TABLECREATE4_W.cbSeparateLV");
_Static_assert(offsetof(JET_TABLECREATE4_W,tableid) == 104, "JET_TABLECREATE4_W.tableid");
_Static_assert(offsetof(JET_TABLECREATE4_W,cCreated) == 112, "JET_TABLECREATE4_W.cCreated");
_Static_assert(sizeof(JET_OPENTEMPORARYTABLE) == 64, "JET_OPENTEMPORARYTABLE");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE,cbStruct) == 0, "JET_OPENTEMPORARYTABLE.cbStruct");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE,prgcolumndef) == 8,
               "JET_OPENTEMPORARYTABLE.prgcolumndef");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE,ccolumn) == 16, "JET_OPENTEMPORARYTABLE.ccolumn");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE,pidxunicode) == 24,
               "JET_OPENTEMPORARYTABLE.pidxunicode");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE,grbit) == 32, "JET_OPENTEMPORARYTABLE.grbit");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE,prgcolumnid) == 40,
               "JET_OPENTEMPORARYTABLE.prgcolumnid");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE,cbKeyMost) == 48,
               "JET_OPENTEMPORARYTABLE.cbKeyMost");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE,cbVarSegMac) == 52,
               "JET_OPENTEMPORARYTABLE.cbVarSegMac");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE,tableid) == 56, "JET_OPENTEMPORARYTABLE.tableid");
_Static_assert(sizeof(JET_OPENTEMPORARYTABLE2) == 64, "JET_OPENTEMPORARYTABLE2");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE2,cbStruct) == 0, "JET_OPENTEMPORARYTABLE2.cbStruct");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE2,prgcolumndef) == 8,
               "JET_OPENTEMPORARYTABLE2.prgcolumndef");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE2,ccolumn) == 16, "JET_OPENTEMPORARYTABLE2.ccolumn");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE2,pidxunicode) == 24,
               "JET_OPENTEMPORARYTABLE2.pidxunicode");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE2,grbit) == 32, "JET_OPENTEMPORARYTABLE2.grbit");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE2,prgcolumnid) == 40,
               "JET_OPENTEMPORARYTABLE2.prgcolumnid");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE2,cbKeyMost) == 48,
               "JET_OPENTEMPORARYTABLE2.cbKeyMost");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE2,cbVarSegMac) == 52,
               "JET_OPENTEMPORARYTABLE2.cbVarSegMac");
_Static_assert(offsetof(JET_OPENTEMPORARYTABLE2,tableid) == 56, "JET_OPENTEMPORARYTABLE2.tableid");
_Static_assert(sizeof(JET_RETINFO) == 16, "JET_RETINFO");
_Static_assert(offsetof(JET_RETINFO,cbStruct) == 0, "JET_RETINFO.cbStruct");
_Static_assert(offsetof(JET_RETINFO,ibLongValue) == 4, "JET_RETINFO.ibLongValue");
_Static_assert(offsetof(JET_RETINFO,itagSequence) == 8, "JET_RETINFO.itagSequence");
_Static_assert(offsetof(JET_RETINFO,columnidNextTagged) == 12, "JET_RETINFO.columnidNextTagged");
_Static_assert(sizeof(JET_SETINFO) == 12, "JET_SETINFO");
_Static_assert(offsetof(JET_SETINFO,cbStruct) == 0, "JET_SETINFO.cbStruct");
_Static_assert(offsetof(JET_SETINFO,ibLongValue) == 4, "JET_SETINFO.ibLongValue");
_Static_assert(offsetof(JET_SETINFO,itagSequence) == 8, "JET_SETINFO.itagSequence");
_Static_assert(sizeof(JET_RECPOS) == 16, "JET_RECPOS");
_Static_assert(offsetof(JET_RECPOS,cbStruct) == 0, "JET_RECPOS.cbStruct");
_Static_assert(offsetof(JET_RECPOS,centriesLT) == 4, "JET_RECPOS.centriesLT");
_Static_assert(offsetof(JET_RECPOS,centriesInRange) == 8, "JET_RECPOS.centriesInRange");
_Static_assert(offsetof(JET_RECPOS,centriesTotal) == 12, "JET_RECPOS.centriesTotal");
_Static_assert(sizeof(JET_RECPOS2) == 32, "JET_RECPOS2");
_Static_assert(offsetof(JET_RECPOS2,cbStruct) == 0, "JET_RECPOS2.cbStruct");
_Static_assert(offsetof(JET_RECPOS2,centriesLTDeprecated) == 4, "JET_RECPOS2.centriesLTDeprecated");
_Static_assert(offsetof(JET_RECPOS2,centriesInRangeDeprecated) == 8,
               "JET_RECPOS2.centriesInRangeDeprecated");
_Static_assert(offsetof(JET_RECPOS2,centriesTotalDeprecated) == 12,
               "JET_RECPOS2.centriesTotalDeprecated");
_Static_assert(offsetof(JET_RECPOS2,centriesLT) == 16, "JET_RECPOS2.centriesLT");
_Static_assert(offsetof(JET_RECPOS2,centriesTotal) == 24, "JET_RECPOS2.centriesTotal");
_Static_assert(sizeof(JET_RECORDLIST) == 24, "JET_RECORDLIST");
_Static_assert(offsetof(JET_RECORDLIST,cbStruct) == 0, "JET_RECORDLIST.cbStruct");
_Static_assert(offsetof(JET_RECORDLIST,tableid) == 8, "JET_RECORDLIST.tableid");
_Static_assert(offsetof(JET_RECORDLIST,cRecord) == 16, "JET_RECORDLIST.cRecord");
_Static_assert(offsetof(JET_RECORDLIST,columnidBookmark) == 20, "JET_RECORDLIST.columnidBookmark");
_Static_assert(sizeof(JET_INDEXRANGE) == 24, "JET_INDEXRANGE");
_Static_assert(offsetof(JET_INDEXRANGE,cbStruct) == 0, "JET_INDEXRANGE.cbStruct");
_Static_assert(offsetof(JET_INDEXRANGE,tableid) == 8, "JET_INDEXRANGE.tableid");
_Static_assert(offsetof(JET_INDEXRANGE,grbit) == 16, "JET_INDEXRANGE.grbit");
_Static_assert(sizeof(JET_INDEX_COLUMN) == 24, "JET_INDEX_COLUMN");
_Static_assert(offsetof(JET_INDEX_COLUMN,columnid) == 0, "JET_INDEX_COLUMN.columnid");
_Static_assert(offsetof(JET_INDEX_COLUMN,relop) == 4, "JET_INDEX_COLUMN.relop");
_Static_assert(offsetof(JET_INDEX_COLUMN,pv) == 8, "JET_INDEX_COLUMN.pv");
_Static_assert(offsetof(JET_INDEX_COLUMN,cb) == 16, "JET_INDEX_COLUMN.cb");
_Static_assert(offsetof(JET_INDEX_COLUMN,grbit) == 20, "JET_INDEX_COLUMN.grbit");
_Static_assert(sizeof(JET_INDEX_RANGE) == 32, "JET_INDEX_RANGE");
_Static_assert(offsetof(JET_INDEX_RANGE,rgStartColumns) == 0, "JET_INDEX_RANGE.rgStartColumns");
_Static_assert(offsetof(JET_INDEX_RANGE,cStartColumns) == 8, "JET_INDEX_RANGE.cStartColumns");
_Static_assert(offsetof(JET_INDEX_RANGE,rgEndColumns) == 16, "JET_INDEX_RANGE.rgEndColumns");
_Static_assert(offsetof(JET_INDEX_RANGE,cEndColumns) == 24, "JET_INDEX_RANGE.cEndColumns");
_Static_assert(sizeof(JET_LOGTIME) == 8, "JET_LOGTIME");
_Static_assert(offsetof(JET_LOGTIME,bSeconds) == 0, "JET_LOGTIME.bSeconds");
_Static_assert(offsetof(JET_LOGTIME,bMinutes) == 1, "JET_LOGTIME.bMinutes");
_Static_assert(offsetof(JET_LOGTIME,bHours) == 2, "JET_LOGTIME.bHours");
_Static_assert(offsetof(JET_LOGTIME,bDay) == 3, "JET_LOGTIME.bDay");
_Static_assert(offsetof(JET_LOGTIME,bMonth) == 4, "JET_LOGTIME.bMonth");
_Static_assert(offsetof(JET_LOGTIME,bYear) == 5, "JET_LOGTIME.bYear");
_Static_assert(offsetof(JET_LOGTIME,bFiller1) == 6, "JET_LOGTIME.bFiller1");
_Static_assert(offsetof(JET_LOGTIME,bFiller2) == 7, "JET_LOGTIME.bFiller2");
_Static_assert(sizeof(JET_BKLOGTIME) == 8, "JET_BKLOGTIME");
_Static_assert(offsetof(JET_BKLOGTIME,bSeconds) == 0, "JET_BKLOGTIME.bSeconds");
_Static_assert(offsetof(JET_BKLOGTIME,bMinutes) == 1, "JET_BKLOGTIME.bMinutes");
_Static_assert(offsetof(JET_BKLOGTIME,bHours) == 2, "JET_BKLOGTIME.bHours");
_Static_assert(offsetof(JET_BKLOGTIME,bDay) == 3, "JET_BKLOGTIME.bDay");
_Static_assert(offsetof(JET_BKLOGTIME,bMonth) == 4, "JET_BKLOGTIME.bMonth");
_Static_assert(offsetof(JET_BKLOGTIME,bYear) == 5, "JET_BKLOGTIME.bYear");
_Static_assert(offsetof(JET_BKLOGTIME,bFiller1) == 6, "JET_BKLOGTIME.bFiller1");
_Static_assert(offsetof(JET_BKLOGTIME,bFiller2) == 7, "JET_BKLOGTIME.bFiller2");
_Static_assert(sizeof(JET_LGPOS) == 8, "JET_LGPOS");
_Static_assert(offsetof(JET_LGPOS,ib) == 0, "JET_LGPOS.ib");
_Static_assert(offsetof(JET_LGPOS,isec) == 2, "JET_LGPOS.isec");
_Static_assert(offsetof(JET_LGPOS,lGeneration) == 4, "JET_LGPOS.lGeneration");
_Static_assert(sizeof(JET_SIGNATURE) == 28, "JET_SIGNATURE");
_Static_assert(offsetof(JET_SIGNATURE,ulRandom) == 0, "JET_SIGNATURE.ulRandom");
_Static_assert(offsetof(JET_SIGNATURE,logtimeCreate) == 4, "JET_SIGNATURE.logtimeCreate");
_Static_assert(offsetof(JET_SIGNATURE,szComputerName) == 12, "JET_SIGNATURE.szComputerName");
_Static_assert(sizeof(JET_BKINFO) == 24, "JET_BKINFO");
_Static_assert(offsetof(JET_BKINFO,lgposMark) == 0, "JET_BKINFO.lgposMark");
_Static_assert(offsetof(JET_BKINFO,logtimeMark) == 8, "JET_BKINFO.logtimeMark");
_Static_assert(offsetof(JET_BKINFO,bklogtimeMark) == 8, "JET_BKINFO.bklogtimeMark");
_Static_assert(offsetof(JET_BKINFO,genLow) == 16, "JET_BKINFO.genLow");
_Static_assert(offsetof(JET_BKINFO,genHigh) == 20, "JET_BKINFO.genHigh");
_Static_assert(sizeof(JET_DBINFOMISC) == 216, "JET_DBINFOMISC");
_Static_assert(offsetof(JET_DBINFOMISC,ulVersion) == 0, "JET_DBINFOMISC.ulVersion");
_Static_assert(offsetof(JET_DBINFOMISC,ulUpdate) == 4, "JET_DBINFOMISC.ulUpdate");
_Static_assert(offsetof(JET_DBINFOMISC,signDb) == 8, "JET_DBINFOMISC.signDb");
_Static_assert(offsetof(JET_DBINFOMISC,dbstate) == 36, "JET_DBINFOMISC.dbstate");
_Static_assert(offsetof(JET_DBINFOMISC,lgposConsistent) == 40, "JET_DBINFOMISC.lgposConsistent");
_Static_assert(offsetof(JET_DBINFOMISC,logtimeConsistent) == 48,
               "JET_DBINFOMISC.logtimeConsistent");
_Static_assert(offsetof(JET_DBINFOMISC,logtimeAttach) == 56, "JET_DBINFOMISC.logtimeAttach");
_Static_assert(offsetof(JET_DBINFOMISC,lgposAttach) == 64, "JET_DBINFOMISC.lgposAttach");
_Static_assert(offsetof(JET_DBINFOMISC,logtimeDetach) == 72, "JET_DBINFOMISC.logtimeDetach");
_Static_assert(offsetof(JET_DBINFOMISC,lgposDetach) == 80, "JET_DBINFOMISC.lgposDetach");
_Static_assert(offsetof(JET_DBINFOMISC,signLog) == 88, "JET_DBINFOMISC.signLog");
_Static_assert(offsetof(JET_DBINFOMISC,bkinfoFullPrev) == 116, "JET_DBINFOMISC.bkinfoFullPrev");
_Static_assert(offsetof(JET_DBINFOMISC,bkinfoIncPrev) == 140, "JET_DBINFOMISC.bkinfoIncPrev");
_Static_assert(offsetof(JET_DBINFOMISC,bkinfoFullCur) == 164, "JET_DBINFOMISC.bkinfoFullCur");
_Static_assert(offsetof(JET_DBINFOMISC,fShadowingDisabled) == 188,
               "JET_DBINFOMISC.fShadowingDisabled");
_Static_assert(offsetof(JET_DBINFOMISC,fUpgradeDb) == 192, "JET_DBINFOMISC.fUpgradeDb");
_Static_assert(offsetof(JET_DBINFOMISC,dwMajorVersion) == 196, "JET_DBINFOMISC.dwMajorVersion");
_Static_assert(offsetof(JET_DBINFOMISC,dwMinorVersion) == 200, "JET_DBINFOMISC.dwMinorVersion");
_Static_assert(offsetof(JET_DBINFOMISC,dwBuildNumber) == 204, "JET_DBINFOMISC.dwBuildNumber");
_Static_assert(offsetof(JET_DBINFOMISC,lSPNumber) == 208, "JET_DBINFOMISC.lSPNumber");
_Static_assert(offsetof(JET_DBINFOMISC,cbPageSize) == 212, "JET_DBINFOMISC.cbPageSize");
_Static_assert(sizeof(JET_DBINFOMISC2) == 296, "JET_DBINFOMISC2");
_Static_assert(offsetof(JET_DBINFOMISC2,ulVersion) == 0, "JET_DBINFOMISC2.ulVersion");
_Static_assert(offsetof(JET_DBINFOMISC2,ulUpdate) == 4, "JET_DBINFOMISC2.ulUpdate");
_Static_assert(offsetof(JET_DBINFOMISC2,signDb) == 8, "JET_DBINFOMISC2.signDb");
_Static_assert(offsetof(JET_DBINFOMISC2,dbstate) == 36, "JET_DBINFOMISC2.dbstate");
_Static_assert(offsetof(JET_DBINFOMISC2,lgposConsistent) == 40, "JET_DBINFOMISC2.lgposConsistent");
_Static_assert(offsetof(JET_DBINFOMISC2,logtimeConsistent) == 48,
               "JET_DBINFOMISC2.logtimeConsistent");
_Static_assert(offsetof(JET_DBINFOMISC2,logtimeAttach) == 56, "JET_DBINFOMISC2.logtimeAttach");
_Static_assert(offsetof(JET_DBINFOMISC2,lgposAttach) == 64, "JET_DBINFOMISC2.lgposAttach");
_Static_assert(offsetof(JET_DBINFOMISC2,logtimeDetach) == 72, "JET_DBINFOMISC2.logtimeDetach");
_Static_assert(offsetof(JET_DBINFOMISC2,lgposDetach) == 80, "JET_DBINFOMISC2.lgposDetach");
_Static_assert(offsetof(JET_DBINFOMISC2,signLog) == 88, "JET_DBINFOMISC2.signLog");
_Static_assert(offsetof(JET_DBINFOMISC2,bkinfoFullPrev) == 116, "JET_DBINFOMISC2.bkinfoFullPrev");
_Static_assert(offsetof(JET_DBINFOMISC2,bkinfoIncPrev) == 140, "JET_DBINFOMISC2.bkinfoIncPrev");
_Static_assert(offsetof(JET_DBINFOMISC2,bkinfoFullCur) == 164, "JET_DBINFOMISC2.bkinfoFullCur");
_Static_assert(offsetof(JET_DBINFOMISC2,fShadowingDisabled) == 188,
               "JET_DBINFOMISC2.fShadowingDisabled");
_Static_assert(offsetof(JET_DBINFOMISC2,fUpgradeDb) == 192, "JET_DBINFOMISC2.fUpgradeDb");
_Static_assert(offsetof(JET_DBINFOMISC2,dwMajorVersion) == 196, "JET_DBINFOMISC2.dwMajorVersion");
_Static_assert(offsetof(JET_DBINFOMISC2,dwMinorVersion) == 200, "JET_DBINFOMISC2.dwMinorVersion");
_Static_assert(offsetof(JET_DBINFOMISC2,dwBuildNumber) == 204, "JET_DBINFOMISC2.dwBuildNumber");
_Static_assert(offsetof(JET_DBINFOMISC2,lSPNumber) == 208, "JET_DBINFOMISC2.lSPNumber");
_Static_assert(offsetof(JET_DBINFOMISC2,cbPageSize) == 212, "JET_DBINFOMISC2.cbPageSize");
_Static_assert(offsetof(JET_DBINFOMISC2,genMinRequired) == 216, "JET_DBINFOMISC2.genMinRequired");
_Static_assert(offsetof(JET_DBINFOMISC2,genMaxRequired) == 220, "JET_DBINFOMISC2.genMaxRequired");
_Static_assert(offsetof(JET_DBINFOMISC2,logtimeGenMaxCreate) == 224,
               "JET_DBINFOMISC2.logtimeGenMaxCreate");
_Static_assert(offsetof(JET_DBINFOMISC2,ulRepairCount) == 232, "JET_DBINFOMISC2.ulRepairCount");
_Static_assert(offsetof(JET_DBINFOMISC2,logtimeRepair) == 236, "JET_DBINFOMISC2.logtimeRepair");
_Static_assert(offsetof(JET_DBINFOMISC2,ulRepairCountOld) == 244,
               "JET_DBINFOMISC2.ulRepairCountOld");
_Static_assert(offsetof(JET_DBINFOMISC2,ulECCFixSuccess) == 248, "JET_DBINFOMISC2.ulECCFixSuccess");
_Static_assert(offsetof(JET_DBINFOMISC2,logtimeECCFixSuccess) == 252,
               "JET_DBINFOMISC2.logtimeECCFixSuccess");
_Static_assert(offsetof(JET_DBINFOMISC2,ulECCFixSuccessOld) == 260,
               "JET_DBINFOMISC2.ulECCFixSuccessOld");
_Static_assert(offsetof(JET_DBINFOMISC2,ulECCFixFail) == 264, "JET_DBINFOMISC2.ulECCFixFail");
_Static_assert(offsetof(JET_DBINFOMISC2,logtimeECCFixFail) == 268,
               "JET_DBINFOMISC2.logtimeECCFixFail");
_Static_assert(offsetof(JET_DBINFOMISC2,ulECCFixFailOld) == 276, "JET_DBINFOMISC2.ulECCFixFailOld");
_Static_assert(offsetof(JET_DBINFOMISC2,ulBadChecksum) == 280, "JET_DBINFOMISC2.ulBadChecksum");
_Static_assert(offsetof(JET_DBINFOMISC2,logtimeBadChecksum) == 284,
               "JET_DBINFOMISC2.logtimeBadChecksum");
_Static_assert(offsetof(JET_DBINFOMISC2,ulBadChecksumOld) == 292,
               "JET_DBINFOMISC2.ulBadChecksumOld");
_Static_assert(sizeof(JET_DBINFOMISC3) == 300, "JET_DBINFOMISC3");
_Static_assert(offsetof(JET_DBINFOMISC3,ulVersion) == 0, "JET_DBINFOMISC3.ulVersion");
_Static_assert(offsetof(JET_DBINFOMISC3,ulUpdate) == 4, "JET_DBINFOMISC3.ulUpdate");
_Static_assert(offsetof(JET_DBINFOMISC3,signDb) == 8, "JET_DBINFOMISC3.signDb");
_Static_assert(offsetof(JET_DBINFOMISC3,dbstate) == 36, "JET_DBINFOMISC3.dbstate");
_Static_assert(offsetof(JET_DBINFOMISC3,lgposConsistent) == 40, "JET_DBINFOMISC3.lgposConsistent");
_Static_assert(offsetof(JET_DBINFOMISC3,logtimeConsistent) == 48,
               "JET_DBINFOMISC3.logtimeConsistent");
_Static_assert(offsetof(JET_DBINFOMISC3,logtimeAttach) == 56, "JET_DBINFOMISC3.logtimeAttach");
_Static_assert(offsetof(JET_DBINFOMISC3,lgposAttach) == 64, "JET_DBINFOMISC3.lgposAttach");
_Static_assert(offsetof(JET_DBINFOMISC3,logtimeDetach) == 72, "JET_DBINFOMISC3.logtimeDetach");
_Static_assert(offsetof(JET_DBINFOMISC3,lgposDetach) == 80, "JET_DBINFOMISC3.lgposDetach");
_Static_assert(offsetof(JET_DBINFOMISC3,signLog) == 88, "JET_DBINFOMISC3.signLog");
_Static_assert(offsetof(JET_DBINFOMISC3,bkinfoFullPrev) == 116, "JET_DBINFOMISC3.bkinfoFullPrev");
_Static_assert(offsetof(JET_DBINFOMISC3,bkinfoIncPrev) == 140, "JET_DBINFOMISC3.bkinfoIncPrev");
_Static_assert(offsetof(JET_DBINFOMISC3,bkinfoFullCur) == 164, "JET_DBINFOMISC3.bkinfoFullCur");
_Static_assert(offsetof(JET_DBINFOMISC3,fShadowingDisabled) == 188,
               "JET_DBINFOMISC3.fShadowingDisabled");
_Static_assert(offsetof(JET_DBINFOMISC3,fUpgradeDb) == 192, "JET_DBINFOMISC3.fUpgradeDb");
_Static_assert(offsetof(JET_DBINFOMISC3,dwMajorVersion) == 196, "JET_DBINFOMISC3.dwMajorVersion");
_Static_assert(offsetof(JET_DBINFOMISC3,dwMinorVersion) == 200, "JET_DBINFOMISC3.dwMinorVersion");
_Static_assert(offsetof(JET_DBINFOMISC3,dwBuildNumber) == 204, "JET_DBINFOMISC3.dwBuildNumber");
_Static_assert(offsetof(JET_DBINFOMISC3,lSPNumber) == 208, "JET_DBINFOMISC3.lSPNumber");
_Static_assert(offsetof(JET_DBINFOMISC3,cbPageSize) == 212, "JET_DBINFOMISC3.cbPageSize");
_Static_assert(offsetof(JET_DBINFOMISC3,genMinRequired) == 216, "JET_DBINFOMISC3.genMinRequired");
_Static_assert(offsetof(JET_DBINFOMISC3,genMaxRequired) == 220, "JET_DBINFOMISC3.genMaxRequired");
_Static_assert(offsetof(JET_DBINFOMISC3,logtimeGenMaxCreate) == 224,
               "JET_DBINFOMISC3.logtimeGenMaxCreate");
_Static_assert(offsetof(JET_DBINFOMISC3,ulRepairCount) == 232, "JET_DBINFOMISC3.ulRepairCount");
_Static_assert(offsetof(JET_DBINFOMISC3,logtimeRepair) == 236, "JET_DBINFOMISC3.logtimeRepair");
_Static_assert(offsetof(JET_DBINFOMISC3,ulRepairCountOld) == 244,
               "JET_DBINFOMISC3.ulRepairCountOld");
_Static_assert(offsetof(JET_DBINFOMISC3,ulECCFixSuccess) == 248, "JET_DBINFOMISC3.ulECCFixSuccess");
_Static_assert(offsetof(JET_DBINFOMISC3,logtimeECCFixSuccess) == 252,
               "JET_DBINFOMISC3.logtimeECCFixSuccess");
_Static_assert(offsetof(JET_DBINFOMISC3,ulECCFixSuccessOld) == 260,
               "JET_DBINFOMISC3.ulECCFixSuccessOld");
_Static_assert(offsetof(JET_DBINFOMISC3,ulECCFixFail) == 264, "JET_DBINFOMISC3.ulECCFixFail");
_Static_assert(offsetof(JET_DBINFOMISC3,logtimeECCFixFail) == 268,
               "JET_DBINFOMISC3.logtimeECCFixFail");
_Static_assert(offsetof(JET_DBINFOMISC3,ulECCFixFailOld) == 276, "JET_DBINFOMISC3.ulECCFixFailOld");
_Static_assert(offsetof(JET_DBINFOMISC3,ulBadChecksum) == 280, "JET_DBINFOMISC3.ulBadChecksum");
_Static_assert(offsetof(JET_DBINFOMISC3,logtimeBadChecksum) == 284,
               "JET_DBINFOMISC3.logtimeBadChecksum");
_Static_assert(offsetof(JET_DBINFOMISC3,ulBadChecksumOld) == 292,
               "JET_DBINFOMISC3.ulBadChecksumOld");
_Static_assert(offsetof(JET_DBINFOMISC3,genCommitted) == 296, "JET_DBINFOMISC3.genCommitted");
_Static_assert(sizeof(JET_DBINFOMISC4) == 348, "JET_DBINFOMISC4");
_Static_assert(offsetof(JET_DBINFOMISC4,ulVersion) == 0, "JET_DBINFOMISC4.ulVersion");
_Static_assert(offsetof(JET_DBINFOMISC4,ulUpdate) == 4, "JET_DBINFOMISC4.ulUpdate");
_Static_assert(offsetof(JET_DBINFOMISC4,signDb) == 8, "JET_DBINFOMISC4.signDb");
_Static_assert(offsetof(JET_DBINFOMISC4,dbstate) == 36, "JET_DBINFOMISC4.dbstate");
_Static_assert(offsetof(JET_DBINFOMISC4,lgposConsistent) == 40, "JET_DBINFOMISC4.lgposConsistent");
_Static_assert(offsetof(JET_DBINFOMISC4,logtimeConsistent) == 48,
               "JET_DBINFOMISC4.logtimeConsistent");
_Static_assert(offsetof(JET_DBINFOMISC4,logtimeAttach) == 56, "JET_DBINFOMISC4.logtimeAttach");
_Static_assert(offsetof(JET_DBINFOMISC4,lgposAttach) == 64, "JET_DBINFOMISC4.lgposAttach");
_Static_assert(offsetof(JET_DBINFOMISC4,logtimeDetach) == 72, "JET_DBINFOMISC4.logtimeDetach");
_Static_assert(offsetof(JET_DBINFOMISC4,lgposDetach) == 80, "JET_DBINFOMISC4.lgposDetach");
_Static_assert(offsetof(JET_DBINFOMISC4,signLog) == 88, "JET_DBINFOMISC4.signLog");
_Static_assert(offsetof(JET_DBINFOMISC4,bkinfoFullPrev) == 116, "JET_DBINFOMISC4.bkinfoFullPrev");
_Static_assert(offsetof(JET_DBINFOMISC4,bkinfoIncPrev) == 140, "JET_DBINFOMISC4.bkinfoIncPrev");
_Static_assert(offsetof(JET_DBINFOMISC4,bkinfoFullCur) == 164, "JET_DBINFOMISC4.bkinfoFullCur");
_Static_assert(offsetof(JET_DBINFOMISC4,fShadowingDisabled) == 188,
               "JET_DBINFOMISC4.fShadowingDisabled");
_Static_assert(offsetof(JET_DBINFOMISC4,fUpgradeDb) == 192, "JET_DBINFOMISC4.fUpgradeDb");
_Static_assert(offsetof(JET_DBINFOMISC4,dwMajorVersion) == 196, "JET_DBINFOMISC4.dwMajorVersion");
_Static_assert(offsetof(JET_DBINFOMISC4,dwMinorVersion) == 200, "JET_DBINFOMISC4.dwMinorVersion");
_Static_assert(offsetof(JET_DBINFOMISC4,dwBuildNumber) == 204, "JET_DBINFOMISC4.dwBuildNumber");
_Static_assert(offsetof(JET_DBINFOMISC4,lSPNumber) == 208, "JET_DBINFOMISC4.lSPNumber");
_Static_assert(offsetof(JET_DBINFOMISC4,cbPageSize) == 212, "JET_DBINFOMISC4.cbPageSize");
_Static_assert(offsetof(JET_DBINFOMISC4,genMinRequired) == 216, "JET_DBINFOMISC4.genMinRequired");
_Static_assert(offsetof(JET_DBINFOMISC4,genMaxRequired) == 220, "JET_DBINFOMISC4.genMaxRequired");
_Static_assert(offsetof(JET_DBINFOMISC4,logtimeGenMaxCreate) == 224,
               "JET_DBINFOMISC4.logtimeGenMaxCreate");
_Static_assert(offsetof(JET_DBINFOMISC4,ulRepairCount) == 232, "JET_DBINFOMISC4.ulRepairCount");
_Static_assert(offsetof(JET_DBINFOMISC4,logtimeRepair) == 236, "JET_DBINFOMISC4.logtimeRepair");
_Static_assert(offsetof(JET_DBINFOMISC4,ulRepairCountOld) == 244,
               "JET_DBINFOMISC4.ulRepairCountOld");
_Static_assert(offsetof(JET_DBINFOMISC4,ulECCFixSuccess) == 248, "JET_DBINFOMISC4.ulECCFixSuccess");
_Static_assert(offsetof(JET_DBINFOMISC4,logtimeECCFixSuccess) == 252,
               "JET_DBINFOMISC4.logtimeECCFixSuccess");
_Static_assert(offsetof(JET_DBINFOMISC4,ulECCFixSuccessOld) == 260,
               "JET_DBINFOMISC4.ulECCFixSuccessOld");
_Static_assert(offsetof(JET_DBINFOMISC4,ulECCFixFail) == 264, "JET_DBINFOMISC4.ulECCFixFail");
_Static_assert(offsetof(JET_DBINFOMISC4,logtimeECCFixFail) == 268,
               "JET_DBINFOMISC4.logtimeECCFixFail");
_Static_assert(offsetof(JET_DBINFOMISC4,ulECCFixFailOld) == 276, "JET_DBINFOMISC4.ulECCFixFailOld");
_Static_assert(offsetof(JET_DBINFOMISC4,ulBadChecksum) == 280, "JET_DBINFOMISC4.ulBadChecksum");
_Static_assert(offsetof(JET_DBINFOMISC4,logtimeBadChecksum) == 284,
               "JET_DBINFOMISC4.logtimeBadChecksum");
_Static_assert(offsetof(JET_DBINFOMISC4,ulBadChecksumOld) == 292,
               "JET_DBINFOMISC4.ulBadChecksumOld");
_Static_assert(offsetof(JET_DBINFOMISC4,genCommitted) == 296, "JET_DBINFOMISC4.genCommitted");
_Static_assert(offsetof(JET_DBINFOMISC4,bkinfoCopyPrev) == 300, "JET_DBINFOMISC4.bkinfoCopyPrev");
_Static_assert(offsetof(JET_DBINFOMISC4,bkinfoDiffPrev) == 324, "JET_DBINFOMISC4.bkinfoDiffPrev");
_Static_assert(sizeof(JET_RSTINFO_A) == 48, "JET_RSTINFO_A");
_Static_assert(offsetof(JET_RSTINFO_A,cbStruct) == 0, "JET_RSTINFO_A.cbStruct");
_Static_assert(offsetof(JET_RSTINFO_A,rgrstmap) == 8, "JET_RSTINFO_A.rgrstmap");
_Static_assert(offsetof(JET_RSTINFO_A,crstmap) == 16, "JET_RSTINFO_A.crstmap");
_Static_assert(offsetof(JET_RSTINFO_A,lgposStop) == 20, "JET_RSTINFO_A.lgposStop");
_Static_assert(offsetof(JET_RSTINFO_A,logtimeStop) == 28, "JET_RSTINFO_A.logtimeStop");
_Static_assert(offsetof(JET_RSTINFO_A,pfnStatus) == 40, "JET_RSTINFO_A.pfnStatus");
_Static_assert(sizeof(JET_RSTINFO_W) == 48, "JET_RSTINFO_W");
_Static_assert(offsetof(JET_RSTINFO_W,cbStruct) == 0, "JET_RSTINFO_W.cbStruct");
_Static_assert(offsetof(JET_RSTINFO_W,rgrstmap) == 8, "JET_RSTINFO_W.rgrstmap");
_Static_assert(offsetof(JET_RSTINFO_W,crstmap) == 16, "JET_RSTINFO_W.crstmap");
_Static_assert(offsetof(JET_RSTINFO_W,lgposStop) == 20, "JET_RSTINFO_W.lgposStop");
_Static_assert(offsetof(JET_RSTINFO_W,logtimeStop) == 28, "JET_RSTINFO_W.logtimeStop");
_Static_assert(offsetof(JET_RSTINFO_W,pfnStatus) == 40, "JET_RSTINFO_W.pfnStatus");
_Static_assert(sizeof(JET_ERRINFOBASIC_W) == 152, "JET_ERRINFOBASIC_W");
_Static_assert(offsetof(JET_ERRINFOBASIC_W,cbStruct) == 0, "JET_ERRINFOBASIC_W.cbStruct");
_Static_assert(offsetof(JET_ERRINFOBASIC_W,errValue) == 4, "JET_ERRINFOBASIC_W.errValue");
_Static_assert(offsetof(JET_ERRINFOBASIC_W,errcatMostSpecific) == 8,
               "JET_ERRINFOBASIC_W.errcatMostSpecific");
_Static_assert(offsetof(JET_ERRINFOBASIC_W,rgCategoricalHierarchy) == 12,
               "JET_ERRINFOBASIC_W.rgCategoricalHierarchy");
_Static_assert(offsetof(JET_ERRINFOBASIC_W,lSourceLine) == 20, "JET_ERRINFOBASIC_W.lSourceLine");
_Static_assert(offsetof(JET_ERRINFOBASIC_W,rgszSourceFile) == 24,
               "JET_ERRINFOBASIC_W.rgszSourceFile");
_Static_assert(sizeof(JET_COMMIT_ID) == 40, "JET_COMMIT_ID");
_Static_assert(offsetof(JET_COMMIT_ID,signLog) == 0, "JET_COMMIT_ID.signLog");
_Static_assert(offsetof(JET_COMMIT_ID,reserved) == 28, "JET_COMMIT_ID.reserved");
_Static_assert(offsetof(JET_COMMIT_ID,commitId) == 32, "JET_COMMIT_ID.commitId");
_Static_assert(sizeof(JET_OPERATIONCONTEXT) == 8, "JET_OPERATIONCONTEXT");
_Static_assert(offsetof(JET_OPERATIONCONTEXT,ulUserID) == 0, "JET_OPERATIONCONTEXT.ulUserID");
_Static_assert(offsetof(JET_OPERATIONCONTEXT,nOperationID) == 4,
               "JET_OPERATIONCONTEXT.nOperationID");
_Static_assert(offsetof(JET_OPERATIONCONTEXT,nOperationType) == 5,
               "JET_OPERATIONCONTEXT.nOperationType");
_Static_assert(offsetof(JET_OPERATIONCONTEXT,nClientType) == 6, "JET_OPERATIONCONTEXT.nClientType");
_Static_assert(offsetof(JET_OPERATIONCONTEXT,fFlags) == 7, "JET_OPERATIONCONTEXT.fFlags");
_Static_assert(sizeof(JET_SETCOLUMN) == 40, "JET_SETCOLUMN");
_Static_assert(offsetof(JET_SETCOLUMN,columnid) == 0, "JET_SETCOLUMN.columnid");
_Static_assert(offsetof(JET_SETCOLUMN,pvData) == 8, "JET_SETCOLUMN.pvData");
_Static_assert(offsetof(JET_SETCOLUMN,cbData) == 16, "JET_SETCOLUMN.cbData");
_Static_assert(offsetof(JET_SETCOLUMN,grbit) == 20, "JET_SETCOLUMN.grbit");
_Static_assert(offsetof(JET_SETCOLUMN,ibLongValue) == 24, "JET_SETCOLUMN.ibLongValue");
_Static_assert(offsetof(JET_SETCOLUMN,itagSequence) == 28, "JET_SETCOLUMN.itagSequence");
_Static_assert(offsetof(JET_SETCOLUMN,err) == 32, "JET_SETCOLUMN.err");
_Static_assert(sizeof(JET_SETSYSPARAM_A) == 32, "JET_SETSYSPARAM_A");
_Static_assert(offsetof(JET_SETSYSPARAM_A,paramid) == 0, "JET_SETSYSPARAM_A.paramid");
_Static_assert(offsetof(JET_SETSYSPARAM_A,lParam) == 8, "JET_SETSYSPARAM_A.lParam");
_Static_assert(offsetof(JET_SETSYSPARAM_A,sz) == 16, "JET_SETSYSPARAM_A.sz");
_Static_assert(offsetof(JET_SETSYSPARAM_A,err) == 24, "JET_SETSYSPARAM_A.err");
_Static_assert(sizeof(JET_SETSYSPARAM_W) == 32, "JET_SETSYSPARAM_W");
_Static_assert(offsetof(JET_SETSYSPARAM_W,paramid) == 0, "JET_SETSYSPARAM_W.paramid");
_Static_assert(offsetof(JET_SETSYSPARAM_W,lParam) == 8, "JET_SETSYSPARAM_W.lParam");
_Static_assert(offsetof(JET_SETSYSPARAM_W,sz) == 16, "JET_SETSYSPARAM_W.sz");
_Static_assert(offsetof(JET_SETSYSPARAM_W,err) == 24, "JET_SETSYSPARAM_W.err");
_Static_assert(sizeof(JET_RETRIEVECOLUMN) == 48, "JET_RETRIEVECOLUMN");
_Static_assert(offsetof(JET_RETRIEVECOLUMN,columnid) == 0, "JET_RETRIEVECOLUMN.columnid");
_Static_assert(offsetof(JET_RETRIEVECOLUMN,pvData) == 8, "JET_RETRIEVECOLUMN.pvData");
_Static_assert(offsetof(JET_RETRIEVECOLUMN,cbData) == 16, "JET_RETRIEVECOLUMN.cbData");
_Static_assert(offsetof(JET_RETRIEVECOLUMN,cbActual) == 20, "JET_RETRIEVECOLUMN.cbActual");
_Static_assert(offsetof(JET_RETRIEVECOLUMN,grbit) == 24, "JET_RETRIEVECOLUMN.grbit");
_Static_assert(offsetof(JET_RETRIEVECOLUMN,ibLongValue) == 28, "JET_RETRIEVECOLUMN.ibLongValue");
_Static_assert(offsetof(JET_RETRIEVECOLUMN,itagSequence) == 32, "JET_RETRIEVECOLUMN.itagSequence");
_Static_assert(offsetof(JET_RETRIEVECOLUMN,columnidNextTagged) == 36,
               "JET_RETRIEVECOLUMN.columnidNextTagged");
_Static_assert(offsetof(JET_RETRIEVECOLUMN,err) == 40, "JET_RETRIEVECOLUMN.err");
_Static_assert(sizeof(JET_ENUMCOLUMNID) == 16, "JET_ENUMCOLUMNID");
_Static_assert(offsetof(JET_ENUMCOLUMNID,columnid) == 0, "JET_ENUMCOLUMNID.columnid");
_Static_assert(offsetof(JET_ENUMCOLUMNID,ctagSequence) == 4, "JET_ENUMCOLUMNID.ctagSequence");
_Static_assert(offsetof(JET_ENUMCOLUMNID,rgtagSequence) == 8, "JET_ENUMCOLUMNID.rgtagSequence");
_Static_assert(sizeof(JET_ENUMCOLUMNVALUE) == 24, "JET_ENUMCOLUMNVALUE");
_Static_assert(offsetof(JET_ENUMCOLUMNVALUE,itagSequence) == 0, "JET_ENUMCOLUMNVALUE.itagSequence");
_Static_assert(offsetof(JET_ENUMCOLUMNVALUE,err) == 4, "JET_ENUMCOLUMNVALUE.err");
_Static_assert(offsetof(JET_ENUMCOLUMNVALUE,cbData) == 8, "JET_ENUMCOLUMNVALUE.cbData");
_Static_assert(offsetof(JET_ENUMCOLUMNVALUE,pvData) == 16, "JET_ENUMCOLUMNVALUE.pvData");
_Static_assert(sizeof(JET_ENUMCOLUMN) == 24, "JET_ENUMCOLUMN");
_Static_assert(offsetof(JET_ENUMCOLUMN,columnid) == 0, "JET_ENUMCOLUMN.columnid");
_Static_assert(offsetof(JET_ENUMCOLUMN,err) == 4, "JET_ENUMCOLUMN.err");
_Static_assert(offsetof(JET_ENUMCOLUMN,cEnumColumnValue) == 8, "JET_ENUMCOLUMN.cEnumColumnValue");
_Static_assert(offsetof(JET_ENUMCOLUMN,rgEnumColumnValue) == 16,
               "JET_ENUMCOLUMN.rgEnumColumnValue");
_Static_assert(offsetof(JET_ENUMCOLUMN,cbData) == 8, "JET_ENUMCOLUMN.cbData");
_Static_assert(offsetof(JET_ENUMCOLUMN,pvData) == 16, "JET_ENUMCOLUMN.pvData");
_Static_assert(sizeof(JET_RECSIZE) == 64, "JET_RECSIZE");
_Static_assert(offsetof(JET_RECSIZE,cbData) == 0, "JET_RECSIZE.cbData");
_Static_assert(offsetof(JET_RECSIZE,cbLongValueData) == 8, "JET_RECSIZE.cbLongValueData");
_Static_assert(offsetof(JET_RECSIZE,cbOverhead) == 16, "JET_RECSIZE.cbOverhead");
_Static_assert(offsetof(JET_RECSIZE,cbLongValueOverhead) == 24, "JET_RECSIZE.cbLongValueOverhead");
_Static_assert(offsetof(JET_RECSIZE,cNonTaggedColumns) == 32, "JET_RECSIZE.cNonTaggedColumns");
_Static_assert(offsetof(JET_RECSIZE,cTaggedColumns) == 40, "JET_RECSIZE.cTaggedColumns");
_Static_assert(offsetof(JET_RECSIZE,cLongValues) == 48, "JET_RECSIZE.cLongValues");
_Static_assert(offsetof(JET_RECSIZE,cMultiValues) == 56, "JET_RECSIZE.cMultiValues");
_Static_assert(sizeof(JET_RECSIZE2) == 88, "JET_RECSIZE2");
_Static_assert(offsetof(JET_RECSIZE2,cbData) == 0, "JET_RECSIZE2.cbData");
_Static_assert(offsetof(JET_RECSIZE2,cbLongValueData) == 8, "JET_RECSIZE2.cbLongValueData");
_Static_assert(offsetof(JET_RECSIZE2,cbOverhead) == 16, "JET_RECSIZE2.cbOverhead");
_Static_assert(offsetof(JET_RECSIZE2,cbLongValueOverhead) == 24,
               "JET_RECSIZE2.cbLongValueOverhead");
_Static_assert(offsetof(JET_RECSIZE2,cNonTaggedColumns) == 32, "JET_RECSIZE2.cNonTaggedColumns");
_Static_assert(offsetof(JET_RECSIZE2,cTaggedColumns) == 40, "JET_RECSIZE2.cTaggedColumns");
_Static_assert(offsetof(JET_RECSIZE2,cLongValues) == 48, "JET_RECSIZE2.cLongValues");
_Static_assert(offsetof(JET_RECSIZE2,cMultiValues) == 56, "JET_RECSIZE2.cMultiValues");
_Static_assert(offsetof(JET_RECSIZE2,cCompressedColumns) == 64, "JET_RECSIZE2.cCompressedColumns");
_Static_assert(offsetof(JET_RECSIZE2,cbDataCompressed) == 72, "JET_RECSIZE2.cbDataCompressed");
_Static_assert(offsetof(JET_RECSIZE2,cbLongValueDataCompressed) == 80,
               "JET_RECSIZE2.cbLongValueDataCompressed");
_Static_assert(sizeof(JET_RECSIZE3) == 120, "JET_RECSIZE3");
_Static_assert(offsetof(JET_RECSIZE3,cbData) == 0, "JET_RECSIZE3.cbData");
_Static_assert(offsetof(JET_RECSIZE3,cbLongValueData) == 8, "JET_RECSIZE3.cbLongValueData");
_Static_assert(offsetof(JET_RECSIZE3,cbOverhead) == 16, "JET_RECSIZE3.cbOverhead");
_Static_assert(offsetof(JET_RECSIZE3,cbLongValueOverhead) == 24,
               "JET_RECSIZE3.cbLongValueOverhead");
_Static_assert(offsetof(JET_RECSIZE3,cNonTaggedColumns) == 32, "JET_RECSIZE3.cNonTaggedColumns");
_Static_assert(offsetof(JET_RECSIZE3,cTaggedColumns) == 40, "JET_RECSIZE3.cTaggedColumns");
_Static_assert(offsetof(JET_RECSIZE3,cLongValues) == 48, "JET_RECSIZE3.cLongValues");
_Static_assert(offsetof(JET_RECSIZE3,cMultiValues) == 56, "JET_RECSIZE3.cMultiValues");
_Static_assert(offsetof(JET_RECSIZE3,cCompressedColumns) == 64, "JET_RECSIZE3.cCompressedColumns");
_Static_assert(offsetof(JET_RECSIZE3,cbDataCompressed) == 72, "JET_RECSIZE3.cbDataCompressed");
_Static_assert(offsetof(JET_RECSIZE3,cbLongValueDataCompressed) == 80,
               "JET_RECSIZE3.cbLongValueDataCompressed");
_Static_assert(offsetof(JET_RECSIZE3,cbIntrinsicLongValueData) == 88,
               "JET_RECSIZE3.cbIntrinsicLongValueData");
_Static_assert(offsetof(JET_RECSIZE3,cbIntrinsicLongValueDataCompressed) == 96,
               "JET_RECSIZE3.cbIntrinsicLongValueDataCompressed");
_Static_assert(offsetof(JET_RECSIZE3,cIntrinsicLongValues) == 104,
               "JET_RECSIZE3.cIntrinsicLongValues");
_Static_assert(offsetof(JET_RECSIZE3,cbKey) == 112, "JET_RECSIZE3.cbKey");
_Static_assert(sizeof(JET_LOGINFO_A) == 16, "JET_LOGINFO_A");
_Static_assert(offsetof(JET_LOGINFO_A,cbSize) == 0, "JET_LOGINFO_A.cbSize");
_Static_assert(offsetof(JET_LOGINFO_A,ulGenLow) == 4, "JET_LOGINFO_A.ulGenLow");
_Static_assert(offsetof(JET_LOGINFO_A,ulGenHigh) == 8, "JET_LOGINFO_A.ulGenHigh");
_Static_assert(offsetof(JET_LOGINFO_A,szBaseName) == 12, "JET_LOGINFO_A.szBaseName");
_Static_assert(sizeof(JET_LOGINFO_W) == 20, "JET_LOGINFO_W");
_Static_assert(offsetof(JET_LOGINFO_W,cbSize) == 0, "JET_LOGINFO_W.cbSize");
_Static_assert(offsetof(JET_LOGINFO_W,ulGenLow) == 4, "JET_LOGINFO_W.ulGenLow");
_Static_assert(offsetof(JET_LOGINFO_W,ulGenHigh) == 8, "JET_LOGINFO_W.ulGenHigh");
_Static_assert(offsetof(JET_LOGINFO_W,szBaseName) == 12, "JET_LOGINFO_W.szBaseName");
_Static_assert(sizeof(JET_INSTANCE_INFO_A) == 48, "JET_INSTANCE_INFO_A");
_Static_assert(offsetof(JET_INSTANCE_INFO_A,hInstanceId) == 0, "JET_INSTANCE_INFO_A.hInstanceId");
_Static_assert(offsetof(JET_INSTANCE_INFO_A,szInstanceName) == 8,
               "JET_INSTANCE_INFO_A.szInstanceName");
_Static_assert(offsetof(JET_INSTANCE_INFO_A,cDatabases) == 16, "JET_INSTANCE_INFO_A.cDatabases");
_Static_assert(offsetof(JET_INSTANCE_INFO_A,szDatabaseFileName) == 24,
               "JET_INSTANCE_INFO_A.szDatabaseFileName");
_Static_assert(offsetof(JET_INSTANCE_INFO_A,szDatabaseDisplayName) == 32,
               "JET_INSTANCE_INFO_A.szDatabaseDisplayName");
_Static_assert(offsetof(JET_INSTANCE_INFO_A,szDatabaseSLVFileName_Obsolete) == 40,
               "JET_INSTANCE_INFO_A.szDatabaseSLVFileName_Obsolete");
_Static_assert(sizeof(JET_INSTANCE_INFO_W) == 48, "JET_INSTANCE_INFO_W");
_Static_assert(offsetof(JET_INSTANCE_INFO_W,hInstanceId) == 0, "JET_INSTANCE_INFO_W.hInstanceId");
_Static_assert(offsetof(JET_INSTANCE_INFO_W,szInstanceName) == 8,
               "JET_INSTANCE_INFO_W.szInstanceName");
_Static_assert(offsetof(JET_INSTANCE_INFO_W,cDatabases) == 16, "JET_INSTANCE_INFO_W.cDatabases");
_Static_assert(offsetof(JET_INSTANCE_INFO_W,szDatabaseFileName) == 24,
               "JET_INSTANCE_INFO_W.szDatabaseFileName");
_Static_assert(offsetof(JET_INSTANCE_INFO_W,szDatabaseDisplayName) == 32,
               "JET_INSTANCE_INFO_W.szDatabaseDisplayName");
_Static_assert(offsetof(JET_INSTANCE_INFO_W,szDatabaseSLVFileName_Obsolete) == 40,
               "JET_INSTANCE_INFO_W.szDatabaseSLVFileName_Obsolete");
_Static_assert(sizeof(JET_THREADSTATS) == 32, "JET_THREADSTATS");
_Static_assert(offsetof(JET_THREADSTATS,cbStruct) == 0, "JET_THREADSTATS.cbStruct");
_Static_assert(offsetof(JET_THREADSTATS,cPageReferenced) == 4, "JET_THREADSTATS.cPageReferenced");
_Static_assert(offsetof(JET_THREADSTATS,cPageRead) == 8, "JET_THREADSTATS.cPageRead");
_Static_assert(offsetof(JET_THREADSTATS,cPagePreread) == 12, "JET_THREADSTATS.cPagePreread");
_Static_assert(offsetof(JET_THREADSTATS,cPageDirtied) == 16, "JET_THREADSTATS.cPageDirtied");
_Static_assert(offsetof(JET_THREADSTATS,cPageRedirtied) == 20, "JET_THREADSTATS.cPageRedirtied");
_Static_assert(offsetof(JET_THREADSTATS,cLogRecord) == 24, "JET_THREADSTATS.cLogRecord");
_Static_assert(offsetof(JET_THREADSTATS,cbLogRecord) == 28, "JET_THREADSTATS.cbLogRecord");
_Static_assert(sizeof(JET_THREADSTATS2) == 48, "JET_THREADSTATS2");
_Static_assert(offsetof(JET_THREADSTATS2,cbStruct) == 0, "JET_THREADSTATS2.cbStruct");
_Static_assert(offsetof(JET_THREADSTATS2,cPageReferenced) == 4, "JET_THREADSTATS2.cPageReferenced");
_Static_assert(offsetof(JET_THREADSTATS2,cPageRead) == 8, "JET_THREADSTATS2.cPageRead");
_Static_assert(offsetof(JET_THREADSTATS2,cPagePreread) == 12, "JET_THREADSTATS2.cPagePreread");
_Static_assert(offsetof(JET_THREADSTATS2,cPageDirtied) == 16, "JET_THREADSTATS2.cPageDirtied");
_Static_assert(offsetof(JET_THREADSTATS2,cPageRedirtied) == 20, "JET_THREADSTATS2.cPageRedirtied");
_Static_assert(offsetof(JET_THREADSTATS2,cLogRecord) == 24, "JET_THREADSTATS2.cLogRecord");
_Static_assert(offsetof(JET_THREADSTATS2,cbLogRecord) == 28, "JET_THREADSTATS2.cbLogRecord");
_Static_assert(offsetof(JET_THREADSTATS2,cusecPageCacheMiss) == 32,
               "JET_THREADSTATS2.cusecPageCacheMiss");
_Static_assert(offsetof(JET_THREADSTATS2,cPageCacheMiss) == 40, "JET_THREADSTATS2.cPageCacheMiss");
_Static_assert(sizeof(JET_THREADSTATS3) == 64, "JET_THREADSTATS3");
_Static_assert(offsetof(JET_THREADSTATS3,cbStruct) == 0, "JET_THREADSTATS3.cbStruct");
_Static_assert(offsetof(JET_THREADSTATS3,cPageReferenced) == 4, "JET_THREADSTATS3.cPageReferenced");
_Static_assert(offsetof(JET_THREADSTATS3,cPageRead) == 8, "JET_THREADSTATS3.cPageRead");
_Static_assert(offsetof(JET_THREADSTATS3,cPagePreread) == 12, "JET_THREADSTATS3.cPagePreread");
_Static_assert(offsetof(JET_THREADSTATS3,cPageDirtied) == 16, "JET_THREADSTATS3.cPageDirtied");
_Static_assert(offsetof(JET_THREADSTATS3,cPageRedirtied) == 20, "JET_THREADSTATS3.cPageRedirtied");
_Static_assert(offsetof(JET_THREADSTATS3,cLogRecord) == 24, "JET_THREADSTATS3.cLogRecord");
_Static_assert(offsetof(JET_THREADSTATS3,cbLogRecord) == 28, "JET_THREADSTATS3.cbLogRecord");
_Static_assert(offsetof(JET_THREADSTATS3,cusecPageCacheMiss) == 32,
               "JET_THREADSTATS3.cusecPageCacheMiss");
_Static_assert(offsetof(JET_THREADSTATS3,cPageCacheMiss) == 40, "JET_THREADSTATS3.cPageCacheMiss");
_Static_assert(offsetof(JET_THREADSTATS3,cSeparatedLongValueRead) == 44,
               "JET_THREADSTATS3.cSeparatedLongValueRead");
_Static_assert(offsetof(JET_THREADSTATS3,cusecLongValuePageCacheMiss) == 48,
               "JET_THREADSTATS3.cusecLongValuePageCacheMiss");
_Static_assert(offsetof(JET_THREADSTATS3,cLongValuePageCacheMiss) == 56,
               "JET_THREADSTATS3.cLongValuePageCacheMiss");

int main(void)
{
    return 0;
}
