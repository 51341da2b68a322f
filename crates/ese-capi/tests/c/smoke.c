/* The life of a small program: rows, keys, transactions, both widths of text, facts, a backup, its
 * stop. Ends with an error at the first answer that is not the expected one. */
#define _POSIX_C_SOURCE 200809L
#include "esent.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static JET_INSTANCE instance = JET_instanceNil;
static JET_SESID session = JET_sesidNil;
static JET_DBID dbid = JET_dbidNil;
static JET_TABLEID table = JET_tableidNil;
static JET_COLUMNID id_column, name_column, text_column;

static void start(void)
{
    char path[512];
    OK(JetCreateInstance2A(&instance, "smoke", "a smoke test", 0));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramSystemPath, 0, ".\\sys\\"));
    OK(JetSetSystemParameterW(&instance, JET_sesidNil, JET_paramLogFilePath, 0, u"./log/"));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCreatePathIfNotExist, 1, NULL));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 1024, NULL));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramBaseName, 0, "sml"));
    EXPECT(JetSetSystemParameterA(&instance, JET_sesidNil, 9999, 0, NULL),
           JET_errInvalidParameter);
    OK(JetGetSystemParameterA(instance, JET_sesidNil, JET_paramSystemPath, NULL, path,
                              sizeof(path)));
    CHECK(path[0] == '/' && strcmp(path + strlen(path) - 5, "/sys/") == 0);
    EXPECT(JetGetSystemParameterA(instance, JET_sesidNil, JET_paramSystemPath, NULL, path, 4),
           JET_errBufferTooSmall);
    CHECK(strlen(path) == 3);
    OK(JetInit(&instance));
    EXPECT(JetInit(&instance), JET_errAlreadyInitialized);
    OK(JetBeginSessionA(instance, &session, "", ""));
}

static void define(void)
{
    JET_COLUMNCREATE_A columns[3];
    JET_INDEXCREATE_A indexes[2];
    JET_TABLECREATE_A create;
    memset(columns, 0, sizeof(columns));
    memset(indexes, 0, sizeof(indexes));
    memset(&create, 0, sizeof(create));
    for (int at = 0; at < 3; at++) columns[at].cbStruct = sizeof(columns[at]);
    columns[0].szColumnName = "id";
    columns[0].coltyp = JET_coltypLong;
    columns[0].grbit = JET_bitColumnNotNULL;
    columns[1].szColumnName = "name";
    columns[1].coltyp = JET_coltypText;
    columns[1].cp = 1252;
    columns[2].szColumnName = "text";
    columns[2].coltyp = JET_coltypLongText;
    columns[2].cp = 1200;
    indexes[0].cbStruct = sizeof(indexes[0]);
    indexes[0].szIndexName = "by id";
    indexes[0].szKey = "+id\0";
    indexes[0].cbKey = 5;
    indexes[0].grbit = JET_bitIndexPrimary | JET_bitIndexUnique;
    indexes[1].cbStruct = 72; /* as it was without cbKeyMost */
    indexes[1].szIndexName = "by name";
    indexes[1].szKey = "+name\0";
    indexes[1].cbKey = 7;
    create.cbStruct = sizeof(create);
    create.szTableName = "people";
    create.rgcolumncreate = columns;
    create.cColumns = 3;
    create.rgindexcreate = indexes;
    create.cIndexes = 2;
    OK(JetCreateDatabaseA(session, "people.edb", NULL, &dbid, 0));
    create.cIndexes = 1;
    OK(JetCreateTableColumnIndexA(session, dbid, &create));
    CHECK(create.cCreated == 5);
    table = create.tableid;
    OK(JetCreateIndex2A(session, table, &indexes[1], 1));
    id_column = columns[0].columnid;
    name_column = columns[1].columnid;
    text_column = columns[2].columnid;
    create.cbStruct = 8;
    EXPECT(JetCreateTableColumnIndexA(session, dbid, &create), JET_errInvalidParameter);
    EXPECT(JetOpenTableW(session, dbid, u"nobody", NULL, 0, 0, &table), JET_errObjectNotFound);
    OK(JetCloseTable(session, create.tableid));
    OK(JetOpenTableW(session, dbid, u"people", NULL, 0, 0, &table));
}

static void insert(int32_t id, const char *name)
{
    char bookmark[64];
    uint32_t actual = 0;
    JET_SETCOLUMN columns[2];
    memset(columns, 0, sizeof(columns));
    columns[0].columnid = id_column;
    columns[0].pvData = &id;
    columns[0].cbData = sizeof(id);
    columns[1].columnid = name_column;
    columns[1].pvData = name;
    columns[1].cbData = (uint32_t)strlen(name);
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    OK(JetSetColumns(session, table, columns, 2));
    OK(JetUpdate(session, table, bookmark, sizeof(bookmark), &actual));
    CHECK(actual == 5);
}

static void rows(void)
{
    char name[64];
    int32_t id = 0;
    uint32_t actual = 0, count = 0;
    static uint16_t text[40000], back[40000];
    JET_RETRIEVECOLUMN retrieve[2];
    OK(JetBeginTransaction(session));
    for (int32_t number = 1; number <= 100; number++) {
        snprintf(name, sizeof(name), "person %03d", (int)(number * 7 % 101));
        insert(number, name);
    }
    EXPECT(JetPrepareUpdate(session, table, JET_prepInsert), JET_errSuccess);
    id = 1;
    OK(JetSetColumn(session, table, id_column, &id, sizeof(id), 0, NULL));
    EXPECT(JetUpdate(session, table, NULL, 0, NULL), JET_errKeyDuplicate);
    OK(JetPrepareUpdate(session, table, JET_prepCancel));
    OK(JetCommitTransaction(session, 0));

    OK(JetMove(session, table, JET_MoveFirst, 0));
    OK(JetIndexRecordCount(session, table, &count, 0));
    CHECK(count == 100);
    id = 42;
    OK(JetMakeKey(session, table, &id, sizeof(id), JET_bitNewKey));
    OK(JetSeek(session, table, JET_bitSeekEQ));
    OK(JetRetrieveColumn(session, table, name_column, name, sizeof(name), &actual, 0, NULL));
    CHECK(actual == 10 && memcmp(name, "person 092", 10) == 0);
    EXPECT(JetRetrieveColumn(session, table, name_column, name, 4, &actual, 0, NULL),
           JET_wrnBufferTruncated);
    CHECK(actual == 10);
    EXPECT(JetRetrieveColumn(session, table, text_column, name, 4, &actual, 0, NULL),
           JET_wrnColumnNull);
    CHECK(actual == 0);

    OK(JetBeginTransaction(session));
    for (size_t at = 0; at < 40000; at++) text[at] = (uint16_t)(at * 31);
    OK(JetPrepareUpdate(session, table, JET_prepReplace));
    OK(JetSetColumn(session, table, text_column, text, sizeof(text), 0, NULL));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    OK(JetCommitTransaction(session, JET_bitCommitLazyFlush));
    EXPECT(JetRetrieveColumn(session, table, text_column, NULL, 0, &actual, 0, NULL),
           JET_wrnBufferTruncated);
    CHECK(actual == sizeof(text));
    memset(retrieve, 0, sizeof(retrieve));
    retrieve[0].columnid = id_column;
    retrieve[0].pvData = &id;
    retrieve[0].cbData = sizeof(id);
    retrieve[0].itagSequence = 1;
    retrieve[1].columnid = text_column;
    retrieve[1].pvData = back;
    retrieve[1].cbData = sizeof(back);
    retrieve[1].itagSequence = 1;
    OK(JetRetrieveColumns(session, table, retrieve, 2));
    CHECK(retrieve[1].cbActual == sizeof(text) && memcmp(text, back, sizeof(text)) == 0);
    retrieve[1].ibLongValue = 79998;
    OK(JetRetrieveColumns(session, table, retrieve, 2));
    CHECK(retrieve[1].cbActual == 2 && back[0] == text[39999]);

    OK(JetSetCurrentIndexA(session, table, "by name"));
    OK(JetMakeKey(session, table, "person 050", 10, JET_bitNewKey));
    EXPECT(JetSeek(session, table, JET_bitSeekGE), JET_errSuccess);
    OK(JetMove(session, table, JET_MoveNext, 0));
    OK(JetRetrieveColumn(session, table, name_column, name, sizeof(name), &actual, 0, NULL));
    CHECK(memcmp(name, "person 051", 10) == 0);
    OK(JetMove(session, table, JET_MoveLast, 0));
    EXPECT(JetMove(session, table, JET_MoveNext, 0), JET_errNoCurrentRecord);
    OK(JetSetCurrentIndexA(session, table, NULL));
}

static void facts(void)
{
    JET_COLUMNDEF def;
    JET_COLUMNLIST list;
    JET_COLUMNBASE_W base;
    JET_DBINFOMISC4 misc;
    JET_INSTANCE_INFO_W *infos = NULL;
    JET_ERRINFOBASIC_W error;
    JET_INDEXID index_id;
    uint32_t count = 0, version = 0, size = 0;
    JET_ERR code = JET_errKeyDuplicate;
    JET_API_PTR number = (JET_API_PTR)(uint32_t)JET_errKeyDuplicate;
    char text[256], index[1024];
    JET_WCHAR wide[64];
    OK(JetGetTableColumnInfoA(session, table, "name", &def, sizeof(def), JET_ColInfo));
    CHECK(def.columnid == name_column && def.coltyp == JET_coltypText && def.cp == 1252);
    OK(JetGetTableColumnInfoW(session, table, (JET_PCWSTR)&id_column, &base, sizeof(base),
                              JET_ColInfoBaseByColid));
    CHECK(base.szBaseColumnName[0] == u'i' && base.szBaseColumnName[2] == 0);
    list.cbStruct = sizeof(list);
    OK(JetGetColumnInfoA(session, dbid, "people", NULL, &list, sizeof(list), JET_ColInfoList));
    CHECK(list.cRecord == 3);
    OK(JetMove(session, list.tableid, JET_MoveFirst, 0));
    OK(JetRetrieveColumn(session, list.tableid, list.columnidcolumnname, text, sizeof(text),
                         &count, 0, NULL));
    CHECK(count == 2 && memcmp(text, "id", 2) == 0);
    OK(JetCloseTable(session, list.tableid));
    OK(JetGetTableInfoW(session, table, wide, sizeof(wide), JET_TblInfoName));
    CHECK(wide[0] == u'p' && wide[6] == 0);
    OK(JetGetTableIndexInfoA(session, table, "by name", &index_id, sizeof(index_id),
                             JET_IdxInfoIndexId));
    OK(JetSetCurrentIndex4A(session, table, NULL, &index_id, 0, 1));
    OK(JetGetCurrentIndexA(session, table, text, sizeof(text)));
    CHECK(strcmp(text, "by name") == 0);
    OK(JetGetTableIndexInfoA(session, table, "by name", index, sizeof(index),
                             JET_IdxInfoCreateIndex));
    CHECK(strcmp(((JET_INDEXCREATE_A *)index)->szIndexName, "by name") == 0);
    CHECK(memcmp(((JET_INDEXCREATE_A *)index)->szKey, "+name\0", 7) == 0);
    CHECK(((JET_INDEXCREATE_A *)index)->cbKey == 7);
    OK(JetSetCurrentIndexA(session, table, ""));
    OK(JetGetDatabaseInfoA(session, dbid, &misc, sizeof(misc), JET_DbInfoMisc));
    CHECK(misc.ulVersion == 0x620 && misc.dbstate == JET_dbstateDirtyShutdown);
    OK(JetGetDatabaseInfoA(session, dbid, &size, sizeof(size), JET_DbInfoPageSize));
    CHECK(size == 4096);
    EXPECT(JetGetDatabaseInfoA(session, dbid, &size, 3, JET_DbInfoPageSize),
           JET_errBufferTooSmall);
    OK(JetGetInstanceInfoW(&count, &infos));
    CHECK(count == 1 && infos[0].hInstanceId == instance && infos[0].cDatabases == 1);
    CHECK(infos[0].szInstanceName[0] == u's' && infos[0].szDatabaseFileName[0][0] == u'/');
    OK(JetFreeBuffer((char *)infos));
    OK(JetFreeBuffer(NULL));
    OK(JetGetVersion(session, &version));
    CHECK((version & 0xffffff) >> 8 >= 9900);
    memset(&error, 0, sizeof(error));
    error.cbStruct = sizeof(error);
    OK(JetGetErrorInfoW(&code, &error, sizeof(error), JET_ErrorInfoSpecificErr, 0));
    CHECK(error.errcatMostSpecific == JET_errcatState);
    OK(JetGetSystemParameterA(instance, session, JET_paramErrorToString, &number, text,
                              sizeof(text)));
    CHECK(strncmp(text, "JET_errKeyDuplicate, ", 21) == 0);
}

static void misuse(void)
{
    JET_COLUMNID column = 0;
    JET_SESID other = 0;
    EXPECT(JetBeginTransaction(0), JET_errInvalidSesid);
    EXPECT(JetBeginTransaction(JET_sesidNil), JET_errInvalidSesid);
    EXPECT(JetBeginTransaction(12345), JET_errInvalidSesid);
    EXPECT(JetMove(session, 0, 1, 0), JET_errInvalidTableId);
    EXPECT(JetMove(session, 0x7777, 1, 0), JET_errInvalidTableId);
    OK(JetBeginSessionA(instance, &other, NULL, NULL));
    EXPECT(JetMove(other, table, JET_MoveFirst, 0), JET_errSesidTableIdMismatch);
    OK(JetEndSession(other, 0));
    EXPECT(JetMove(other, table, JET_MoveFirst, 0), JET_errInvalidSesid);
    EXPECT(JetBeginSessionA(instance, NULL, NULL, NULL), JET_errInvalidParameter);
    EXPECT(JetAddColumnA(session, table, "x", NULL, NULL, 0, &column), JET_errInvalidParameter);
    EXPECT(JetOpenTableA(session, dbid, "\xff\xfe", NULL, 0, 0, &table),
           JET_errUnicodeTranslationFail);
    EXPECT(JetStopBackupInstance(4711), JET_errInvalidParameter);
}

static void backup(void)
{
    static char list[4096];
    uint32_t actual = 0, low = 0, high = 0;
    JET_HANDLE file = 0;
    void *buffer = NULL;
    CHECK(posix_memalign(&buffer, 4096, 65536) == 0);
    OK(JetBeginExternalBackupInstance(instance, 0));
    EXPECT(JetBeginExternalBackupInstance(instance, 0), JET_errBackupInProgress);
    OK(JetGetAttachInfoInstanceA(instance, NULL, 0, &actual));
    CHECK(actual > 10 && actual < sizeof(list));
    OK(JetGetAttachInfoInstanceA(instance, list, sizeof(list), &actual));
    CHECK(strstr(list, "people.edb") != NULL && list[actual - 2] == 0);
    OK(JetOpenFileInstanceA(instance, list, &file, &low, &high));
    OK(JetReadFileInstance(instance, file, buffer, 65536, &actual));
    CHECK(actual == 65536 && high == 0 && low > 65536);
    OK(JetStopBackupInstance(instance));
    EXPECT(JetReadFileInstance(instance, file, buffer, 65536, &actual),
           JET_errBackupAbortByServer);
    OK(JetCloseFileInstance(instance, file));
    EXPECT(JetGetLogInfoInstanceA(instance, NULL, 0, &actual), JET_errBackupAbortByServer);
    OK(JetEndExternalBackupInstance(instance));
    EXPECT(JetEndExternalBackupInstance(instance), JET_errNoBackup);
    OK(JetBackupInstanceA(instance, "backup", JET_bitBackupAtomic, NULL));
    free(buffer);
}

int main(void)
{
    uint32_t state = 0;
    JET_DBINFOMISC misc;
    start();
    define();
    rows();
    facts();
    misuse();
    backup();
    OK(JetCloseTable(session, table));
    OK(JetCloseDatabase(session, dbid, 0));
    OK(JetEndSession(session, 0));
    OK(JetTerm2(instance, JET_bitTermComplete));
    EXPECT(JetTerm2(instance, JET_bitTermComplete), JET_errInvalidInstance);
    OK(JetGetDatabaseFileInfoA("people.edb", &misc, sizeof(misc), JET_DbInfoMisc));
    CHECK(misc.dbstate == JET_dbstateCleanShutdown && misc.cbPageSize == 4096);
    OK(JetGetDatabaseFileInfoW(u"people.edb", &state, sizeof(state), JET_DbInfoDBInUse));
    CHECK(state == 0);
    puts("done");
    return 0;
}
