/* A backup agent: copies the database and the logs of a running instance into a folder, and stops
 * when it gets SIGINT.
 *
 * A handler of a signal may call next to nothing, and the stop is no exception; so a thread waits
 * for the signal and calls JetStopBackupInstance, which waits for nothing. The next step of the
 * backup is answered with JET_errBackupAbortByServer, and the agent ends what it began.
 *
 *     cc -I../include -pthread backup_agent.c -lesent -o backup_agent && ./backup_agent
 *
 * The program interrupts its first backup itself, completes the second, and reads the copy after it
 * has been restored.
 */
#define _XOPEN_SOURCE 700
#include "example.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 300, PIECE = 64 << 10 };

static JET_INSTANCE instance = JET_instanceNil;

/* Waits for signals; every one stops the backup that runs, if one does. SIGTERM ends the thread. */
static void *stopper(void *unused)
{
    sigset_t set;
    int number = 0;
    (void)unused;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    while (sigwait(&set, &number) == 0 && number == SIGINT) {
        CALL(JetStopBackupInstance(instance));
        puts("stop");
    }
    return NULL;
}

static void fill(JET_SESID session, JET_DBID dbid)
{
    static uint8_t data[3000];
    JET_COLUMNCREATE_A columns[2];
    JET_INDEXCREATE_A index;
    JET_TABLEID table;
    define_column(&columns[0], "id", JET_coltypLong, 0);
    define_column(&columns[1], "data", JET_coltypLongBinary, 0);
    define_index(&index, "by id", "+id\0", 5, JET_bitIndexPrimary);
    table = make_table(session, dbid, "rows", columns, 2, &index, 1);
    CALL(JetBeginTransaction(session));
    for (int32_t id = 0; id < ROWS; id++) {
        memset(data, id, sizeof(data));
        CALL(JetPrepareUpdate(session, table, JET_prepInsert));
        CALL(JetSetColumn(session, table, columns[0].columnid, &id, sizeof(id), 0, NULL));
        CALL(JetSetColumn(session, table, columns[1].columnid, data, sizeof(data), 0, NULL));
        CALL(JetUpdate(session, table, NULL, 0, NULL));
    }
    CALL(JetCommitTransaction(session, 0));
    CALL(JetCloseTable(session, table));
}

/* Gives up unless the code is good. */
#define STEP(call)                                                          \
    do {                                                                    \
        JET_ERR code_ = (call);                                             \
        if (code_ < 0) return code_;                                        \
    } while (0)

/* Copies one file. `interrupted` says that the signal is to come after the first piece. */
static JET_ERR copy_file(const char *path, const char *folder, void *buffer, int interrupted)
{
    char target[1024];
    uint32_t low = 0, high = 0, actual = 0;
    JET_HANDLE file = 0;
    JET_ERR code;
    FILE *out;
    const char *name = strrchr(path, '/');
    snprintf(target, sizeof(target), "%s/%s", folder, name ? name + 1 : path);
    STEP(JetOpenFileInstanceA(instance, path, &file, &low, &high));
    out = fopen(target, "wb");
    if (out == NULL) {
        perror(target);
        exit(1);
    }
    while ((code = JetReadFileInstance(instance, file, buffer, PIECE, &actual)) >= 0 && actual) {
        if (fwrite(buffer, 1, actual, out) != actual) {
            perror(target);
            exit(1);
        }
        if (interrupted) {
            kill(getpid(), SIGINT);
            sleep(1); /* Until the thread has run; an agent would go on. */
            interrupted = 0;
        }
    }
    /* Both are allowed after a stop. */
    CALL(JetCloseFileInstance(instance, file));
    if (fclose(out) != 0) {
        perror(target);
        exit(1);
    }
    return code;
}

/* All files of a double-NUL list. */
static JET_ERR copy_list(const char *list, const char *folder, void *buffer, int interrupted)
{
    for (; *list; list += strlen(list) + 1) STEP(copy_file(list, folder, buffer, interrupted));
    return JET_errSuccess;
}

static JET_ERR copy_all(const char *folder, void *buffer, int interrupted)
{
    static char list[8192];
    uint32_t size = 0;
    STEP(JetGetAttachInfoInstanceA(instance, list, sizeof(list), &size));
    STEP(copy_list(list, folder, buffer, interrupted));
    STEP(JetGetLogInfoInstanceA(instance, list, sizeof(list), &size));
    STEP(copy_list(list, folder, buffer, 0));
    return JetTruncateLogInstance(instance);
}

static JET_ERR back_up(const char *folder, int interrupted)
{
    void *buffer = NULL;
    JET_ERR code;
    /* Buffers of JetReadFileInstance begin at a page of the memory. */
    if (posix_memalign(&buffer, 4096, PIECE) != 0 || mkdir(folder, 0777) != 0) {
        perror(folder);
        exit(1);
    }
    CALL(JetBeginExternalBackupInstance(instance, 0));
    code = copy_all(folder, buffer, interrupted);
    CALL(JetEndExternalBackupInstance2(
        instance, code < 0 ? JET_bitBackupEndAbort : JET_bitBackupEndNormal));
    free(buffer);
    return code;
}

static void restore_and_read(const char *old)
{
    char folder[] = "copy/", old_path[1024], new_path[] = "copy/agent.edb";
    JET_RSTMAP_A map;
    JET_SESID session;
    JET_DBID dbid;
    JET_TABLEID table;
    uint32_t count = 0;
    snprintf(old_path, sizeof(old_path), "%s", old);
    map.szDatabaseName = old_path;
    map.szNewDatabaseName = new_path;
    CALL(JetExternalRestoreA(folder, folder, &map, 1, folder, 0, 0, NULL));
    make_instance(&instance, "agent");
    CALL(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramRecovery, 0, "off"));
    CALL(JetInit(&instance));
    CALL(JetBeginSessionA(instance, &session, NULL, NULL));
    CALL(JetAttachDatabaseA(session, new_path, 0));
    CALL(JetOpenDatabaseA(session, new_path, NULL, &dbid, 0));
    CALL(JetOpenTableA(session, dbid, "rows", NULL, 0, JET_bitTableReadOnly, &table));
    CALL(JetIndexRecordCount(session, table, &count, 0));
    printf("restored %u rows\n", (unsigned)count);
    CALL(JetTerm2(instance, JET_bitTermComplete));
}

int main(void)
{
    JET_SESID session;
    JET_DBID dbid;
    pthread_t thread;
    sigset_t set;
    char path[1024];
    JET_ERR code;
    /* Before any thread is made, so that all leave the signals to the one that waits. */
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    make_instance(&instance, "agent");
    CALL(JetInit(&instance));
    CALL(JetBeginSessionA(instance, &session, NULL, NULL));
    CALL(JetCreateDatabaseA(session, "agent.edb", NULL, &dbid, 0));
    fill(session, dbid);
    if (pthread_create(&thread, NULL, stopper, NULL) != 0) return 1;
    code = back_up("interrupted", 1);
    puts(code == JET_errBackupAbortByServer ? "JET_errBackupAbortByServer" : "not stopped");
    CALL(back_up("copy", 0));
    kill(getpid(), SIGTERM);
    pthread_join(thread, NULL);
    if (realpath("agent.edb", path) == NULL) return 1;
    CALL(JetEndSession(session, 0));
    CALL(JetTerm2(instance, JET_bitTermComplete));
    restore_and_read(path);
    puts("done");
    return 0;
}
