/* The interface in 16-bit text and its later structures: tables, indexes by locale, lists,
 * temporary tables, positions, filters, sizes, snapshots, restoring, the one instance, logs. */
#define _POSIX_C_SOURCE 200809L
#define JET_UNICODE
#include "esent.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID dbid;
static JET_TABLEID table;
static JET_COLUMNID key_column, city_column, size_column;

static void define(void)
{
    JET_COLUMNCREATE columns[3];
    JET_INDEXCREATE3 indexes[3];
    JET_TABLECREATE4 create;
    JET_UNICODEINDEX2 order = {u"sv-SE", 0};
    JET_SPACEHINTS hints;
    memset(columns, 0, sizeof(columns));
    memset(indexes, 0, sizeof(indexes));
    memset(&create, 0, sizeof(create));
    memset(&hints, 0, sizeof(hints));
    hints.cbStruct = sizeof(hints);
    hints.ulInitialDensity = 90;
    columns[0].szColumnName = u"key";
    columns[0].coltyp = JET_coltypLong;
    columns[0].grbit = JET_bitColumnAutoincrement;
    columns[1].szColumnName = u"city";
    columns[1].coltyp = JET_coltypText;
    columns[1].cp = 1200;
    columns[2].szColumnName = u"size";
    columns[2].coltyp = JET_coltypUnsignedLong;
    columns[2].pvDefault = (void *)u"\x7\x0";
    columns[2].cbDefault = 4;
    for (int at = 0; at < 3; at++) {
        columns[at].cbStruct = sizeof(columns[at]);
        indexes[at].cbStruct = sizeof(indexes[at]);
    }
    indexes[0].szIndexName = u"primary";
    indexes[0].szKey = u"+key\0";
    indexes[0].cbKey = 12;
    indexes[0].grbit = JET_bitIndexPrimary;
    indexes[0].pSpacehints = &hints;
    indexes[1].szIndexName = u"city";
    indexes[1].szKey = u"+city\0";
    indexes[1].cbKey = 14;
    indexes[1].grbit = JET_bitIndexUnicode;
    indexes[1].pidxunicode = &order;
    indexes[2].szIndexName = u"size";
    indexes[2].szKey = u"-size\0";
    indexes[2].cbKey = 14;
    create.cbStruct = sizeof(create);
    create.szTableName = u"cities";
    create.rgcolumncreate = columns;
    create.cColumns = 3;
    create.rgindexcreate = indexes;
    create.cIndexes = 3;
    create.pSeqSpacehints = &hints;
    OK(JetCreateDatabase2(session, u"wide\\cities.edb", 0, &dbid, 0));
    OK(JetCreateTableColumnIndex4(session, dbid, &create));
    CHECK(create.cCreated == 7 && indexes[2].err == JET_errSuccess);
    key_column = columns[0].columnid;
    city_column = columns[1].columnid;
    size_column = columns[2].columnid;
    OK(JetCloseTable(session, create.tableid));
    /* The flag and the order that it announces come together. */
    create.szTableName = u"other";
    indexes[1].grbit &= ~JET_bitIndexUnicode;
    EXPECT(JetCreateTableColumnIndex4(session, dbid, &create), JET_errInvalidParameter);
    indexes[1].grbit |= JET_bitIndexUnicode;
    indexes[1].pidxunicode = NULL;
    EXPECT(JetCreateTableColumnIndex4(session, dbid, &create), JET_errInvalidParameter);
    indexes[1].pidxunicode = &order;
    indexes[1].szKey = u"+nothing\0";
    indexes[1].cbKey = 20;
    create.szTableName = u"other";
    EXPECT(JetCreateTableColumnIndex4(session, dbid, &create), JET_errColumnNotFound);
    CHECK(indexes[1].err == JET_errColumnNotFound);
    OK(JetOpenTable(session, dbid, u"cities", NULL, 0, 0, &table));
}

static void insert(const JET_WCHAR *city, uint32_t bytes, uint32_t size)
{
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    OK(JetSetColumn(session, table, city_column, city, bytes, 0, NULL));
    if (size != 0) OK(JetSetColumn(session, table, size_column, &size, 4, 0, NULL));
    OK(JetUpdate2(session, table, NULL, 0, NULL, 0));
}

static void rows(void)
{
    JET_RECPOS position = {sizeof(position), 0, 0, 0};
    JET_INDEX_COLUMN filter;
    JET_WCHAR city[32];
    uint32_t actual = 0, count = 0, size = 0;
    uint64_t many = 0;
    char bookmark[16], key[64], primary[16];
    uint32_t key_bytes = 0, primary_bytes = 0;
    JET_RECSIZE2 sizes;
    JET_RECSIZE3 more;
    OK(JetBeginTransaction2(session, 0));
    insert(u"Zurich", 12, 0);
    insert(u"\u00c4ngelholm", 20, 5);
    insert(u"Arboga", 12, 3);
    insert(u"Z\u00fclpich", 14, 9);
    OK(JetCommitTransaction(session, JET_bitCommitLazyFlush));
    OK(JetSetCurrentIndex2(session, table, u"city", JET_bitMoveFirst));
    OK(JetMove(session, table, JET_MoveLast, 0));
    OK(JetRetrieveColumn(session, table, city_column, city, sizeof(city), &actual, 0, NULL));
    CHECK(actual == 20 && city[0] == 0xc4); /* a letter behind z in Swedish */
    OK(JetGetRecordPosition(session, table, &position, sizeof(position)));
    CHECK(position.centriesTotal >= 1);
    OK(JetGotoPosition(session, table, &position));
    OK(JetGetSecondaryIndexBookmark(session, table, key, sizeof(key), &key_bytes, primary,
                                    sizeof(primary), &primary_bytes, 0));
    OK(JetGotoSecondaryIndexBookmark(session, table, key, key_bytes, primary, primary_bytes, 0));
    OK(JetGetBookmark(session, table, bookmark, sizeof(bookmark), &actual));
    EXPECT(JetGetBookmark(session, table, bookmark, 2, &actual), JET_errBufferTooSmall);
    CHECK(actual == 5);
    OK(JetGotoBookmark(session, table, bookmark, 5));
    OK(JetSetCurrentIndex(session, table, NULL));
    OK(JetMove(session, table, JET_MoveFirst, 0));
    OK(JetIndexRecordCount2(session, table, &many, 0));
    CHECK(many == 4);
    OK(JetRetrieveColumn(session, table, size_column, &size, 4, &actual, 0, NULL));
    CHECK(size == 7); /* its default */
    memset(&filter, 0, sizeof(filter));
    filter.columnid = size_column;
    filter.relop = JET_relopGreaterThan;
    size = 6;
    filter.pv = &size;
    filter.cb = 4;
    OK(JetSetCursorFilter(session, table, &filter, 1, 0));
    OK(JetMove(session, table, JET_MoveFirst, 0));
    OK(JetMove(session, table, JET_MoveNext, 0));
    EXPECT(JetMove(session, table, JET_MoveNext, 0), JET_errNoCurrentRecord);
    OK(JetSetCursorFilter(session, table, NULL, 0, 0));
    OK(JetSetCurrentIndex(session, table, u"size"));
    OK(JetMakeKey(session, table, &size, 4, JET_bitNewKey));
    EXPECT(JetSeek(session, table, JET_bitSeekGE), JET_wrnSeekNotEqual);
    OK(JetRetrieveKey(session, table, key, sizeof(key), &actual, 0));
    OK(JetIndexRecordCount(session, table, &count, 0));
    CHECK(count == 2);
    memset(&sizes, 0, sizeof(sizes));
    OK(JetGetRecordSize2(session, table, &sizes, 0));
    CHECK(sizes.cbData == 20 + 4 + 4);
    memset(&more, 0xff, sizeof(more));
    OK(JetGetRecordSize3(session, table, &more, 0));
    CHECK(more.cbData == sizes.cbData && more.cbOverhead == sizes.cbOverhead);
    CHECK(more.cbKey == 5 && more.cIntrinsicLongValues == 0);
    more.cbKey = 7;
    OK(JetGetRecordSize3(session, table, &more, JET_bitRecordSizeRunningTotal));
    CHECK(more.cbKey == 12 && more.cbData == 2 * sizes.cbData);
    EXPECT(JetGetCursorInfo(session, table, &size, 4, 0), JET_errInvalidParameter);
    OK(JetGetCursorInfo(session, table, &size, 0, 0)); /* a buffer of no bytes is none */
    OK(JetGetCursorInfo(session, table, NULL, 0, 0));
}

/* A number has room in a longer buffer, too. */
static void buffers(void)
{
    static const uint32_t of_index[] = {
        JET_IdxInfoSpaceAlloc, JET_IdxInfoLCID, JET_IdxInfoCount, JET_IdxInfoVarSegMac,
        JET_IdxInfoKeyMost, JET_IdxInfoSpaceOwned, JET_IdxInfoSpaceAvailable,
    };
    static const uint32_t of_table[] = {
        JET_TblInfoSpaceOwned, JET_TblInfoSpaceOwnedLV, JET_TblInfoSpaceAvailableLV,
    };
    char buffer[64];
    size_t at;
    for (at = 0; at < sizeof(of_index) / sizeof(of_index[0]); at++) {
        OK(JetGetTableIndexInfo(session, table, u"city", buffer, sizeof(buffer), of_index[at]));
        OK(JetGetIndexInfo(session, dbid, u"cities", u"city", buffer, sizeof(buffer),
                           of_index[at]));
        EXPECT(JetGetTableIndexInfo(session, table, u"city", buffer, 1, of_index[at]),
               JET_errBufferTooSmall);
    }
    OK(JetGetTableIndexInfo(session, table, u"city", buffer, sizeof(buffer), JET_IdxInfoIndexId));
    EXPECT(JetGetTableIndexInfo(session, table, u"city", buffer, 8, JET_IdxInfo),
           JET_errBufferTooSmall);
    for (at = 0; at < sizeof(of_table) / sizeof(of_table[0]); at++)
        OK(JetGetTableInfo(session, table, buffer, sizeof(buffer), of_table[at]));
    EXPECT(JetGetTableInfo(session, table, buffer, sizeof(buffer), 99),
           JET_errFeatureNotAvailable);
    EXPECT(JetGetObjectInfo(session, dbid, JET_objtypTable, NULL, u"cities", buffer, 8,
                            JET_ObjInfoNoStats),
           JET_errBufferTooSmall);
    EXPECT(JetGetObjectInfo(session, dbid, JET_objtypTable, NULL, NULL, buffer, 8,
                            JET_ObjInfoList),
           JET_errBufferTooSmall);
    EXPECT(JetGetDatabaseInfo(session, dbid, buffer, 8, JET_DbInfoPageSize),
           JET_errBufferTooSmall);
    OK(JetGetDatabaseInfo(session, dbid, buffer, 4, JET_DbInfoPageSize));
    OK(JetSetCurrentIndex(session, table, u"city"));
    memset(buffer, 'x', sizeof(buffer));
    OK(JetGetCurrentIndexA(session, table, buffer, 3)); /* what there is room for */
    CHECK(memcmp(buffer, "ci\0x", 4) == 0);
    EXPECT(JetGetCurrentIndexA(session, table, buffer, 0), JET_wrnBufferTruncated);
    EXPECT(JetGetCurrentIndexW(session, table, (JET_WCHAR *)buffer, 4), JET_wrnBufferTruncated);
    OK(JetSetCurrentIndex(session, table, NULL));
}

/* Of a thread and of a file. */
static void facts(void)
{
    union {
        JET_THREADSTATS first;
        JET_THREADSTATS2 second;
        JET_THREADSTATS3 third;
        char bytes[72];
    } stats;
    JET_DBINFOUPGRADE upgrade;
    JET_WCHAR path[300];
    uint64_t length;
    uint32_t size;
    for (size = 32; size <= sizeof(stats); size += 8) {
        memset(&stats, 0xcc, sizeof(stats));
        OK(JetGetThreadStats(&stats, size));
        CHECK(stats.first.cbStruct == (size < 64 ? size : 64));
        CHECK(stats.first.cPageReferenced > 0);
        CHECK(size == 72 || stats.bytes[size] == (char)0xcc);
    }
    EXPECT(JetGetThreadStats(&stats, 31), JET_errBufferTooSmall);

    OK(JetGetDatabaseInfo(session, dbid, path, sizeof(path), JET_DbInfoFilename));
    OK(JetGetDatabaseFileInfo(path, &length, sizeof(length), JET_DbInfoFilesize));
    memset(&upgrade, 0xcc, sizeof(upgrade));
    EXPECT(JetGetDatabaseFileInfo(path, &upgrade, sizeof(upgrade), JET_DbInfoUpgrade),
           JET_errInvalidParameter);
    upgrade.cbStruct = sizeof(upgrade);
    EXPECT(JetGetDatabaseFileInfo(path, &upgrade, 4, JET_DbInfoUpgrade),
           JET_errInvalidBufferSize);
    OK(JetGetDatabaseFileInfo(path, &upgrade, sizeof(upgrade), JET_DbInfoUpgrade));
    CHECK(upgrade.cbStruct == sizeof(upgrade));
    CHECK(upgrade.cbFilesizeLow == length && upgrade.cbFilesizeHigh == 0);
    CHECK(upgrade.cbFreeSpaceRequiredLow == length * 10 / 64);
    CHECK(upgrade.cbFreeSpaceRequiredHigh == 0 && upgrade.csecToUpgrade == length * 3600 >> 30);
    CHECK(upgrade.ulFlags == 2); /* there is nothing to be done */
}

static void lists(void)
{
    JET_OBJECTLIST objects;
    JET_INDEXLIST indexes;
    JET_OBJECTINFO info;
    JET_WCHAR name[64];
    union {
        JET_INDEXCREATE3 create;
        char bytes[1024];
    } index;
    uint32_t actual = 0, count = 0;
    OK(JetGetObjectInfo(session, dbid, JET_objtypTable, NULL, NULL, &objects, sizeof(objects),
                        JET_ObjInfoListNoStats));
    CHECK(objects.cRecord >= 1);
    OK(JetMove(session, objects.tableid, JET_MoveFirst, 0));
    OK(JetRetrieveColumn(session, objects.tableid, objects.columnidobjectname, name, sizeof(name),
                         &actual, 0, NULL));
    CHECK(actual >= 12);
    OK(JetCloseTable(session, objects.tableid));
    OK(JetGetObjectInfo(session, dbid, JET_objtypTable, NULL, u"cities", &info, sizeof(info),
                        JET_ObjInfoNoStats));
    CHECK(info.cbStruct == sizeof(info) && info.objtyp == JET_objtypTable);
    OK(JetGetIndexInfo(session, dbid, u"cities", u"", &indexes, sizeof(indexes),
                       JET_IdxInfoList));
    CHECK(indexes.cRecord == 3);
    OK(JetCloseTable(session, indexes.tableid));
    OK(JetGetTableIndexInfo(session, table, NULL, &count, sizeof(count), JET_IdxInfoCount));
    buffers();
    CHECK(count == 3);
    OK(JetGetTableIndexInfo(session, table, u"city", &index, sizeof(index),
                            JET_IdxInfoCreateIndex3));
    CHECK(memcmp(index.create.szKey, u"+city\0", 14) == 0 && index.create.cbKey == 14);
    CHECK(memcmp(index.create.pidxunicode->szLocaleName, u"sv-SE", 12) == 0);
    OK(JetGetTableIndexInfo(session, table, u"city", name, sizeof(name), JET_IdxInfoLocaleName));
    CHECK(memcmp(name, u"sv-SE", 12) == 0);
}

static void temporary(void)
{
    JET_COLUMNDEF columns[2];
    JET_COLUMNID ids[2];
    JET_OPENTEMPORARYTABLE2 open;
    uint32_t value = 0, actual = 0;
    memset(columns, 0, sizeof(columns));
    memset(&open, 0, sizeof(open));
    for (int at = 0; at < 2; at++) {
        columns[at].cbStruct = sizeof(columns[at]);
        columns[at].coltyp = JET_coltypUnsignedLong;
    }
    columns[1].cbStruct = 4; /* nobody looks at it */
    columns[0].grbit = JET_bitColumnTTKey | JET_bitColumnTTDescending;
    open.cbStruct = sizeof(open);
    open.prgcolumndef = columns;
    open.ccolumn = 2;
    open.prgcolumnid = ids;
    open.grbit = JET_bitTTScrollable;
    OK(JetOpenTemporaryTable2(session, &open));
    for (value = 1; value <= 3; value++) {
        OK(JetPrepareUpdate(session, open.tableid, JET_prepInsert));
        OK(JetSetColumn(session, open.tableid, ids[0], &value, 4, 0, NULL));
        OK(JetUpdate(session, open.tableid, NULL, 0, NULL));
    }
    OK(JetMove(session, open.tableid, JET_MoveFirst, 0));
    OK(JetRetrieveColumn(session, open.tableid, ids[0], &value, 4, &actual, 0, NULL));
    CHECK(value == 3);
    OK(JetCloseTable(session, open.tableid));
}

static void files(void)
{
    JET_OSSNAPID snapshot = 0;
    JET_INSTANCE_INFO *infos = NULL;
    JET_THREADSTATS2 stats;
    JET_LOGINFO logs = {sizeof(logs), 0, 0, {0}};
    uint32_t pages = 0, count = 0, actual = 0;
    JET_TABLEID none;
    static JET_WCHAR list[2048];
    OK(JetGrowDatabase(session, dbid, 512, &pages));
    CHECK(pages >= 512);
    OK(JetResizeDatabase(session, dbid, 600, NULL, 0));
    EXPECT(JetAttachDatabase(session, NULL, 0), JET_errDatabaseInvalidPath);
    EXPECT(JetOpenDatabase(session, NULL, NULL, &count, 0), JET_errDatabaseInvalidPath);
    EXPECT(JetCreateDatabase(session, NULL, NULL, &count, 0), JET_errDatabaseInvalidPath);
    EXPECT(JetSetDatabaseSize(session, NULL, 100, &pages), JET_errDatabaseInvalidPath);
    none = 4711;
    EXPECT(JetOpenTable(session, dbid, u"no table", NULL, 0, 0, &none), JET_errObjectNotFound);
    CHECK(none == JET_tableidNil);
    EXPECT(JetDefragment(session, dbid, NULL, NULL, NULL, JET_bitDefragmentBatchStop),
           JET_wrnDefragNotRunning);
    OK(JetOSSnapshotPrepare(&snapshot, 0));
    OK(JetOSSnapshotFreeze(snapshot, &count, &infos, 0));
    CHECK(count == 1 && infos[0].cDatabases == 1);
    OK(JetOSSnapshotThaw(snapshot, 0));
    OK(JetFreeBuffer((char *)infos));
    EXPECT(JetOSSnapshotEnd(snapshot, 0), JET_errOSSnapshotInvalidSnapId);
    OK(JetGetThreadStats(&stats, sizeof(stats)));
    CHECK(stats.cbStruct == sizeof(stats) && stats.cPageReferenced > 0);
    OK(JetBeginExternalBackup(0));
    OK(JetGetAttachInfo(list, sizeof(list), &actual));
    CHECK(list[actual / 2 - 1] == 0 && list[actual / 2 - 2] == 0 && list[actual / 2 - 3] == 'b');
    logs.cbSize = 3;
    EXPECT(JetGetLogInfoInstance2(instance, NULL, 0, &actual, &logs), JET_errInvalidParameter);
    OK(JetEndExternalBackup());
    CHECK(mkdir("set", 0700) == 0);
    OK(JetBackup(u".\\set", 0, NULL));
}

int main(void)
{
    JET_LOGINFOMISC log;
    JET_OPERATIONCONTEXT operation = {1, 2, 3, 4, 5}, back;
    uint32_t size = 0;
    CHECK(mkdir("wide", 0700) == 0);
    instance = JET_instanceNil;
    OK(JetSetSystemParameter(NULL, JET_sesidNil, JET_paramBaseName, 0, u"wid"));
    OK(JetInit2(&instance, 0));
    EXPECT(JetCreateInstance(&instance, u"another"), JET_errRunningInOneInstanceMode);
    OK(JetBeginSession(instance, &session, NULL, NULL));
    OK(JetSetSessionParameter(session, JET_sesparamOperationContext, &operation,
                              sizeof(operation)));
    OK(JetGetSessionParameter(session, JET_sesparamOperationContext, &back, sizeof(back),
                              &size));
    CHECK(size == sizeof(back) && memcmp(&operation, &back, sizeof(back)) == 0);
    EXPECT(JetGetSessionParameter(session, JET_sesparamCommitDefault, &back, 3, &size),
           JET_errInvalidBufferSize);
    CHECK(size == 4); /* said also of a buffer that it does not fit */
    OK(JetGetSessionParameter(session, JET_sesparamOperationContext, NULL, 0, &size));
    CHECK(size == sizeof(back));
    OK(JetGetSessionParameter(session, JET_sesparamOperationContext, &back, sizeof(back), NULL));
    EXPECT(JetGetSessionParameter(session, JET_sesparamOperationContext, NULL, 0, NULL),
           JET_errInvalidParameter);
    /* What a client does, of the engine alone: no fixed size. */
    OK(JetSetSessionParameter(session, 4104, "action", 7));
    EXPECT(JetGetSessionParameter(session, 4104, &back, 6, &size), JET_errBufferTooSmall);
    CHECK(size == 7);
    define();
    rows();
    facts();
    lists();
    temporary();
    files();
    OK(JetEndSession(session, 0));
    OK(JetTerm(instance));
    EXPECT(JetGetInstanceMiscInfo(instance, &size, sizeof(size), 0), JET_errInvalidInstance);
    CHECK(remove("wide/cities.edb") == 0);
    OK(JetRestore(u"set", NULL));
    OK(JetGetLogFileInfo(u"wid.log", &log, sizeof(log), JET_LogInfoMisc));
    CHECK(log.ulVersionMajor == 8 && log.cbDatabasePageSize == 4096 && log.cbFile > 0);
    OK(JetGetDatabaseFileInfo(u"wide/cities.edb", &size, sizeof(size), JET_DbInfoPageSize));
    CHECK(size == 4096);
    EXPECT(JetGetDatabaseFileInfo(u"nowhere.edb", &size, sizeof(size), JET_DbInfoPageSize),
           JET_errFileNotFound);
    puts("done");
    return 0;
}
