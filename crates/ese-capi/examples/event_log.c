/* An event log: several threads write small transactions that nobody waits for, and one wait at the
 * end makes sure that all are on the disk.
 *
 *     cc -I../include -pthread event_log.c -lesent -o event_log && ./event_log
 */
#include "example.h"

#include <pthread.h>

enum { WRITERS = 3, EVENTS = 300 };

static JET_INSTANCE instance = JET_instanceNil;
static JET_COLUMNID writer_column, text_column;

static void *writer(void *argument)
{
    int32_t number = *(const int32_t *)argument;
    JET_SESID session;
    JET_DBID dbid;
    JET_TABLEID table;
    char text[64];
    CALL(JetBeginSessionA(instance, &session, NULL, NULL));
    CALL(JetOpenDatabaseA(session, "events.edb", NULL, &dbid, 0));
    CALL(JetOpenTableA(session, dbid, "events", NULL, 0, 0, &table));
    for (int event = 0; event < EVENTS; event++) {
        int size = snprintf(text, sizeof(text), "event %d of writer %d", event, (int)number);
        CALL(JetBeginTransaction(session));
        CALL(JetPrepareUpdate(session, table, JET_prepInsert));
        CALL(JetSetColumn(session, table, writer_column, &number, sizeof(number), 0, NULL));
        CALL(JetSetColumn(session, table, text_column, text, (uint32_t)size, 0, NULL));
        CALL(JetUpdate(session, table, NULL, 0, NULL));
        CALL(JetCommitTransaction(session, JET_bitCommitLazyFlush));
    }
    CALL(JetEndSession(session, 0));
    return NULL;
}

static void define(JET_SESID session, JET_DBID dbid)
{
    JET_COLUMNCREATE_A columns[3];
    JET_INDEXCREATE_A indexes[2];
    define_column(&columns[0], "number", JET_coltypLong, JET_bitColumnAutoincrement);
    define_column(&columns[1], "writer", JET_coltypLong, 0);
    define_column(&columns[2], "text", JET_coltypLongText, 0);
    define_index(&indexes[0], "by number", "+number\0", 9, JET_bitIndexPrimary);
    define_index(&indexes[1], "by writer", "+writer\0+number\0", 17, 0);
    CALL(JetCloseTable(session, make_table(session, dbid, "events", columns, 3, indexes, 2)));
    writer_column = columns[1].columnid;
    text_column = columns[2].columnid;
}

/* The last events of one writer, backwards from the end of its range. */
static void last_of(JET_SESID session, JET_TABLEID table, int32_t number, int how_many)
{
    char text[64];
    uint32_t size = 0;
    JET_ERR code;
    CALL(JetSetCurrentIndexA(session, table, "by writer"));
    CALL(JetMakeKey(session, table, &number, sizeof(number),
                    JET_bitNewKey | JET_bitFullColumnEndLimit));
    code = JetSeek(session, table, JET_bitSeekLE);
    while (code >= 0 && how_many-- > 0) {
        CALL(JetRetrieveColumn(session, table, text_column, text, sizeof(text), &size, 0, NULL));
        printf("%.*s\n", (int)size, text);
        code = JetMove(session, table, JET_MovePrevious, 0);
    }
}

/* From the first row on. */
static uint32_t count(JET_SESID session, JET_TABLEID table)
{
    uint32_t rows = 0;
    CALL(JetSetCurrentIndexA(session, table, NULL));
    CALL(JetMove(session, table, JET_MoveFirst, 0));
    CALL(JetIndexRecordCount(session, table, &rows, 0));
    return rows;
}

int main(void)
{
    JET_SESID session;
    JET_DBID dbid;
    JET_TABLEID table;
    pthread_t threads[WRITERS];
    int32_t numbers[WRITERS];
    make_instance(&instance, "events");
    CALL(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCircularLog, 1, NULL));
    CALL(JetInit(&instance));
    CALL(JetBeginSessionA(instance, &session, NULL, NULL));
    CALL(JetCreateDatabaseA(session, "events.edb", NULL, &dbid, 0));
    define(session, dbid);
    for (int at = 0; at < WRITERS; at++) {
        numbers[at] = at + 1;
        if (pthread_create(&threads[at], NULL, writer, &numbers[at]) != 0) return 1;
    }
    for (int at = 0; at < WRITERS; at++) pthread_join(threads[at], NULL);
    /* Everything that was committed before is durable after this. */
    CALL(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    CALL(JetOpenTableA(session, dbid, "events", NULL, 0, 0, &table));
    printf("%u events\n", (unsigned)count(session, table));
    last_of(session, table, 2, 2);
    /* What is old goes, a part at a time, so that no transaction becomes large. */
    CALL(JetSetCurrentIndexA(session, table, NULL));
    for (int part = 0; part < 4; part++) {
        CALL(JetBeginTransaction(session));
        CALL(JetMove(session, table, JET_MoveFirst, 0));
        for (int at = 0; at < 100; at++) {
            CALL(JetDelete(session, table));
            CALL(JetMove(session, table, JET_MoveNext, 0));
        }
        CALL(JetCommitTransaction(session, JET_bitCommitLazyFlush));
    }
    printf("%u events\n", (unsigned)count(session, table));
    CALL(JetEndSession(session, 0));
    CALL(JetTerm2(instance, JET_bitTermComplete));
    puts("done");
    return 0;
}
