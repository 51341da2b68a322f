/* Functions of the program that the library calls: status, rows, local storage, memory, durable
 * commits. And a forked child, in which every call is refused. */
#define _POSIX_C_SOURCE 200809L
#include "esent.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID dbid;
static JET_TABLEID table;
static JET_COLUMNID number_column, note_column;

static volatile int64_t durable;
static int steps, freed, refused, pieces;

static JET_ERR JET_API told_durable(JET_INSTANCE of, JET_COMMIT_ID *commit, JET_GRBIT grbit)
{
    CHECK(of == instance && grbit == 0);
    __atomic_store_n(&durable, commit->commitId, __ATOMIC_SEQ_CST);
    return JET_errSuccess;
}

static JET_ERR JET_API told_status(JET_SESID of, JET_SNP snp, JET_SNT snt, void *pv)
{
    JET_SNPROG *progress = pv;
    (void)of;
    (void)snt;
    CHECK(snp == JET_snpBackup && progress->cbStruct == sizeof(*progress));
    CHECK(progress->cunitDone <= progress->cunitTotal);
    steps++;
    return JET_errSuccess;
}

static JET_ERR JET_API stops(JET_SESID of, JET_SNP snp, JET_SNT snt, void *pv)
{
    (void)of;
    (void)snp;
    (void)snt;
    (void)pv;
    return JET_errOutOfMemory;
}

static JET_ERR JET_API told_ls(JET_SESID of, JET_DBID db, JET_TABLEID cursor, JET_CBTYP why,
                               void *ls, void *two, void *context, JET_API_PTR unused)
{
    CHECK(of == JET_sesidNil && db == JET_dbidNil && cursor == JET_tableidNil);
    CHECK(why == JET_cbtypFreeCursorLS && !two && !context && unused == 0);
    CHECK(ls == (void *)0x1234);
    freed++;
    return JET_errSuccess;
}

static JET_ERR JET_API no_42(JET_SESID of, JET_DBID db, JET_TABLEID cursor, JET_CBTYP why,
                             void *one, void *two, void *context, JET_API_PTR unused)
{
    int32_t number = 0;
    CHECK(of == session && db == dbid && cursor == table && why == JET_cbtypBeforeInsert);
    CHECK(!one && !two && context == &refused && unused == 0);
    OK(JetRetrieveColumn(of, cursor, number_column, &number, 4, NULL, JET_bitRetrieveCopy, NULL));
    if (number != 42) return JET_errSuccess;
    refused++;
    return JET_errKeyIsMade;
}

static void *JET_API memory(void *context, void *old, uint32_t bytes)
{
    CHECK(context == &pieces);
    if (bytes == 0) {
        pieces--;
        free(old);
        return NULL;
    }
    pieces++;
    return realloc(old, bytes);
}

static void start(void)
{
    JET_SETSYSPARAM_A params[1];
    uint32_t good = 9;
    JET_API_PTR value = 0;
    memset(params, 0, sizeof(params));
    params[0].paramid = JET_paramDatabasePageSize;
    params[0].lParam = 8192;
    OK(JetEnableMultiInstanceA(params, 1, &good));
    CHECK(good == 1 && params[0].err == JET_errSuccess);
    OK(JetCreateInstanceW(&instance, u"callbacks"));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramRuntimeCallback,
                              (JET_API_PTR)told_ls, NULL));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramDurableCommitCallback,
                              (JET_API_PTR)told_durable, NULL));
    OK(JetGetSystemParameterA(instance, JET_sesidNil, JET_paramDurableCommitCallback, &value,
                              NULL, 0));
    CHECK(value == (JET_API_PTR)told_durable);
    OK(JetInit3W(&instance, NULL, 0));
    EXPECT(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramRuntimeCallback, 0, NULL),
           JET_errAlreadyInitialized);
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramRuntimeCallback,
                              (JET_API_PTR)told_ls, NULL));
    OK(JetBeginSessionW(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseW(session, u"callbacks.edb", NULL, &dbid, 0));
    OK(JetCreateTableA(session, dbid, "rows", 0, 0, &table));
}

static void columns(void)
{
    JET_COLUMNDEF def;
    memset(&def, 0, sizeof(def));
    def.cbStruct = sizeof(def);
    def.coltyp = JET_coltypLong;
    OK(JetAddColumnW(session, table, u"number", &def, NULL, 0, &number_column));
    def.coltyp = JET_coltypLongText;
    def.cp = 1252;
    def.grbit = JET_bitColumnMultiValued | JET_bitColumnTagged;
    OK(JetAddColumnA(session, table, "note", &def, NULL, 0, &note_column));
    def.cbStruct = 4;
    EXPECT(JetAddColumnA(session, table, "other", &def, NULL, 0, NULL), JET_errInvalidParameter);
}

static JET_ERR insert(int32_t number)
{
    JET_SETINFO info = {sizeof(info), 0, 0};
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    OK(JetSetColumn(session, table, number_column, &number, sizeof(number), 0, NULL));
    OK(JetSetColumn(session, table, note_column, "first", 5, 0, NULL));
    OK(JetSetColumn(session, table, note_column, "second", 6, 0, &info));
    return JetUpdate(session, table, NULL, 0, NULL);
}

static void rows(void)
{
    JET_HANDLE callback = 0;
    JET_COMMIT_ID commit;
    JET_ENUMCOLUMN *found = NULL;
    uint32_t count = 0;
    const struct timespec pause = {0, 10000000};
    int tries = 0;
    OK(JetRegisterCallback(session, table, JET_cbtypBeforeInsert, no_42, &refused, &callback));
    EXPECT(JetRegisterCallback(session, table, JET_cbtypBeforeInsert, NULL, NULL, &callback),
           JET_errInvalidParameter);
    OK(JetBeginTransaction(session));
    OK(insert(1));
    EXPECT(insert(42), JET_errKeyIsMade);
    CHECK(refused == 1);
    OK(JetPrepareUpdate(session, table, JET_prepCancel));
    OK(JetCommitTransaction2(session, 0, 0, &commit));
    while (__atomic_load_n(&durable, __ATOMIC_SEQ_CST) < commit.commitId && tries++ < 1000)
        nanosleep(&pause, NULL);
    CHECK(durable >= commit.commitId);
    OK(JetUnregisterCallback(session, table, JET_cbtypBeforeInsert, callback));

    OK(JetMove(session, table, JET_MoveFirst, 0));
    OK(JetEnumerateColumns(session, table, 0, NULL, &count, &found, memory, &pieces, 1000,
                           JET_bitEnumerateCompressOutput));
    CHECK(count == 2 && pieces > 2);
    for (uint32_t at = 0; at < count; at++) {
        if (found[at].err == JET_wrnColumnSingleValue) {
            CHECK(found[at].columnid == number_column && found[at].cbData == 4);
            memory(&pieces, found[at].pvData, 0);
            continue;
        }
        CHECK(found[at].columnid == note_column && found[at].cEnumColumnValue == 2);
        CHECK(memcmp(found[at].rgEnumColumnValue[1].pvData, "second", 6) == 0);
        for (uint32_t value = 0; value < found[at].cEnumColumnValue; value++)
            memory(&pieces, found[at].rgEnumColumnValue[value].pvData, 0);
        memory(&pieces, found[at].rgEnumColumnValue, 0);
    }
    memory(&pieces, found, 0);
    CHECK(pieces == 0);
}

static void storage(void)
{
    JET_TABLEID second = 0;
    JET_LS ls = 0;
    OK(JetDupCursor(session, table, &second, 0));
    EXPECT(JetGetLS(session, second, &ls, 0), JET_errLSNotSet);
    OK(JetSetLS(session, second, 0x1234, 0));
    EXPECT(JetSetLS(session, second, 0x5678, 0), JET_errLSAlreadySet);
    OK(JetGetLS(session, second, &ls, 0));
    CHECK(ls == 0x1234 && freed == 0);
    OK(JetCloseTable(session, second));
    CHECK(freed == 1);
}

static void forked(void)
{
    int status = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        uint32_t version = 0;
        int good = JetGetVersion(session, &version) == JET_errInstanceUnavailable;
        good = good && JetTerm(instance) == JET_errInstanceUnavailable;
        good = good && JetStopBackupInstance(instance) == JET_errInstanceUnavailable;
        _exit(good ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    start();
    columns();
    rows();
    storage();
    CHECK(mkdir("copy", 0700) == 0);
    OK(JetBackupInstanceA(instance, "copy", JET_bitBackupAtomic, told_status));
    CHECK(steps > 2);
    EXPECT(JetBackupInstanceA(instance, "copy", JET_bitBackupAtomic, stops), JET_errOutOfMemory);
    forked();
    OK(JetEndSession(session, 0));
    OK(JetTerm(instance));
    puts("done");
    return 0;
}
