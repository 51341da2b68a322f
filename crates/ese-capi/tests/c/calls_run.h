/* Making random calls, and looking at what they leave. Only calls.c has this. */

/* One declared argument, "type name" or "type *name". */
static void declare(struct function *f, char *word) {
    struct argument *a = &f->arguments[f->count++];
    char *end = word + strlen(word);
    while (end > word && strchr(" *", end[-1]) == NULL) end--;
    strncpy(a->name, end, sizeof a->name - 1);
    *end = 0;
    for (char *skip; (skip = strstr(word, "const ")) != NULL;) memset(skip, ' ', 6);
    size_t length = 0;
    for (const char *from = word; *from && length + 1 < sizeof a->type; from++)
        if (*from != ' ') a->type[length++] = *from;
    a->wide = f->name[strlen(f->name) - 1] == 'W';
    for (size_t at = 0; at < sizeof makers / sizeof *makers; at++) {
        if (strcmp(makers[at].type, a->type) == 0) {
            a->make = makers[at].make;
            a->form = makers[at].form;
        }
    }
    /* A `char *` with a name of text is text; JetFreeBuffer alone has another. */
    if (strcmp(a->type, "char*") == 0 && strncmp(a->name, "sz", 2) == 0) a->make = text;
    if (strcmp(a->name, "rgcbKeys") == 0) a->make = key_lengths;
    if (a->make == NULL) {
        fprintf(stderr, "%s: nothing makes a %s\n", f->name, a->type);
        exit(2);
    }
    if (f->count > 1 && strncmp(a->name, "cb", 2) == 0) a[-1].buffer = 1;
}

/* How often a function is called beside others: rows are worked on most. */
static int weight_of(const char *name) {
    static const char *const often[] = {
        "JetMove", "JetSeek", "JetMakeKey", "JetRetrieveColumn", "JetRetrieveColumns",
        "JetSetColumn", "JetSetColumns", "JetPrepareUpdate", "JetUpdate", "JetUpdate2",
        "JetBeginTransaction", "JetCommitTransaction", "JetRollback", "JetDelete",
        "JetGotoBookmark", "JetGetBookmark", "JetEscrowUpdate", "JetSetCurrentIndexA",
        "JetEnumerateColumns", "JetSetIndexRange", "JetRetrieveKey"};
    static const char *const seldom[] = {
        "JetInit", "JetCreateInstance", "JetRestore", "JetExternalRestore", "JetCompact",
        "JetBackup", "JetEnableMultiInstance", "JetSetDatabaseSize", "JetCreateDatabase",
        "JetAttachDatabase", "JetDetachDatabase", "JetOSSnapshot", "JetGrowDatabase",
        "JetResizeDatabase", "JetDeleteTable", "JetDefragment", "JetCloseDatabase",
        "JetSetMaxDatabaseSize", "JetRenameTable", "JetSetSystemParameter",
        "JetDeleteColumn", "JetDeleteIndex"};
    static const char *const rarely[] = {"JetTerm", "JetStopService", "JetEndSession",
                                         "JetSetSessionContext"};
    for (size_t at = 0; at < sizeof often / sizeof *often; at++)
        if (strcmp(name, often[at]) == 0) return 400;
    for (size_t at = 0; at < sizeof seldom / sizeof *seldom; at++)
        if (strncmp(name, seldom[at], strlen(seldom[at])) == 0) return 6;
    for (size_t at = 0; at < sizeof rarely / sizeof *rarely; at++)
        if (strncmp(name, rarely[at], strlen(rarely[at])) == 0) return 2;
    return 30;
}

static unsigned all_weights;

static void read_declarations(void) {
    for (struct function *f = functions; f < functions + FUNCTIONS; f++) {
        char text[700];
        snprintf(text, sizeof text, "%s", f->text);
        if (strcmp(text, "void") != 0)
            for (char *word = text, *end; word != NULL; word = end) {
                if ((end = strstr(word, ", ")) != NULL) {
                    *end = 0;
                    end += 2;
                }
                declare(f, word);
            }
        f->weight = weight_of(f->name);
        all_weights += (unsigned)f->weight;
    }
}

static struct function *any_of_them(struct caller *c) {
    unsigned left = number(c, all_weights);
    struct function *f = functions;
    while (left >= (unsigned)f->weight) left -= (unsigned)f++->weight;
    return f;
}

/* ---- One call ------------------------------------------------------------------------------- */

static uint64_t cell_at(uint64_t at, size_t size) {
    uint64_t value = 0;
    if (at != 0) memcpy(&value, (const void *)(uintptr_t)at, size);
    return value;
}

/* Lists of the information calls are tables, which somebody must close. */
static void keep_list(struct caller *c, uint64_t result, uint32_t size, uint64_t sesid) {
    uint64_t some = atomic_load(&pools[TABLES].handles[0]), told = 0;
    if (result == 0 || size < 16) return;
    memcpy(&told, (const void *)(uintptr_t)(result + 8), sizeof told);
    if (told >> 56 == 3 && (some == 0 || told != some)) keep(c, TABLES, told, sesid);
}

/* What a call that succeeded has given. */
static void keep_results(struct caller *c, const struct function *f, const uint64_t *values) {
    static const struct { const char *type; int kind; size_t size; } given[] = {
        {"JET_SESID*", SESSIONS, 8}, {"JET_TABLEID*", TABLES, 8}, {"JET_OSSNAPID*", SNAPSHOTS, 8},
        {"JET_DBID*", DBIDS, 4}, {"JET_LS*", STORES, 8}, {"JET_HANDLE*", FILES, 8}};
    for (int at = 0; at < f->count; at++) {
        const char *type = f->arguments[at].type, *name = f->arguments[at].name;
        for (size_t one = 0; one < sizeof given / sizeof *given; one++) {
            if (strcmp(given[one].type, type) != 0) continue;
            uint64_t told = cell_at(values[at], given[one].size);
            int kind = strcmp(name, "phCallbackId") == 0 ? CALLBACKS : given[one].kind;
            if (told != 0) keep(c, kind, told, values[0]);
        }
        if (strcmp(name, "pcolumnid") == 0 && values[at] != 0)
            keep(c, COLUMNS, cell_at(values[at], 4), 0);
        if (strcmp(name, "pvResult") == 0)
            keep_list(c, values[at], (uint32_t)values[at + 1], values[0]);
        if (strstr(type, "JET_INSTANCE_INFO") && values[at] != 0)
            JetFreeBuffer((char *)(uintptr_t)cell_at(values[at], 8));
        if (strncmp(type, "JET_TABLECREATE_", 16) == 0)
            keep(c, TABLES, ((JET_TABLECREATE_A *)(uintptr_t)values[at])->tableid, values[0]);
        if (strncmp(type, "JET_TABLECREATE4_", 17) == 0)
            keep(c, TABLES, ((JET_TABLECREATE4_A *)(uintptr_t)values[at])->tableid, values[0]);
        if (strcmp(type, "JET_OPENTEMPORARYTABLE*") == 0 ||
            strcmp(type, "JET_OPENTEMPORARYTABLE2*") == 0)
            keep(c, TABLES, ((JET_OPENTEMPORARYTABLE *)(uintptr_t)values[at])->tableid, values[0]);
        if (strcmp(type, "JET_INSTANCE*") == 0 && values[at] != 0 &&
            strncmp(f->name, "JetSet", 6) != 0) {
            forget(INSTANCES, cell_at(values[at], 8));
            keep(c, INSTANCES, cell_at(values[at], 8), 0);
        }
    }
    if (strncmp(f->name, "JetEnable", 9) == 0 ||
        (strncmp(f->name, "JetSetSystemParameter", 21) == 0 && cell_at(values[0], 8) + 1 < 2))
        atomic_store(&changed, 1);
    if (strncmp(f->name, "JetStopService", 14) == 0 || strncmp(f->name, "JetTerm", 7) == 0)
        atomic_store(&stopped, 1);
    if (chance(c, 5)) return; /* it is used once more */
    if (strcmp(f->name, "JetCloseTable") == 0) forget(TABLES, values[1]);
    if (strcmp(f->name, "JetEndSession") == 0) forget(SESSIONS, values[0]);
    if (strncmp(f->name, "JetTerm", 7) == 0) forget(INSTANCES, values[0]);
    if (strncmp(f->name, "JetCloseFile", 12) == 0) forget(FILES, values[f->count - 1]);
}

static JET_ERR call(struct caller *c, const struct function *f) {
    uint64_t v[MOST_ARGUMENTS] = {0};
    unsigned table = POOL;
    c->used = 0;
    c->memories = 0;
    for (int at = 0; at < f->count; at++) {
        v[at] = f->arguments[at].make(c, &f->arguments[at]);
        /* Mostly a cursor with its own session. */
        if (at == 1 && f->arguments[1].make == tableid && chance(c, 92)) {
            v[1] = handle(c, TABLES, &table);
            if (table < POOL) v[0] = atomic_load(&pools[TABLES].owner[table]);
        }
    }
    uint64_t calls = atomic_load(&c->calls);
    atomic_store(&c->inside, f->name);
    JET_ERR code =
        f->call(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11]);
    atomic_store(&c->inside, NULL);
    snprintf(c->names[calls % 16], sizeof c->names[0], "%s=%d", f->name, (int)code);
    atomic_store(&c->calls, calls + 1);
    /* Old handles are tried a few times, not for ever. */
    if (code == JET_errInvalidSesid && chance(c, 70)) forget(SESSIONS, v[0]);
    if ((code == JET_errInvalidSesid || code == JET_errInvalidTableId) && chance(c, 70))
        forget(TABLES, v[1]);
    if (code == JET_errInternalError) finding("JET_errInternalError");
    if (code == JET_errInstanceUnavailable && !atomic_load(&stopped))
        finding("an instance stopped by itself");
    if (code >= 0) {
        keep_results(c, f, v);
        atomic_fetch_add(&succeeded, 1);
    }
    while (c->memories > 0) free(c->memory[--c->memories]);
    return code;
}

/* ---- Threads -------------------------------------------------------------------------------- */

static int is_refusal(JET_ERR code) {
    return code == JET_errInvalidSesid || code == JET_errInstanceUnavailable ||
           code == JET_errTermInProgress || code == JET_errNotInitialized ||
           code == JET_errClientRequestToStopJetService || code == JET_errInvalidTableId;
}

static void *work(void *argument) {
    struct caller *c = argument;
    /* Without a running instance most calls are refused; that is not what is looked for. */
    for (unsigned refused = 0; refused < 40 && !atomic_load(&over);) {
        JET_ERR code = call(c, any_of_them(c));
        refused = is_refusal(code) ? refused + 1 : refused > 0 ? refused - 1 : 0;
        uint64_t calls = 0;
        for (int at = 0; at < THREADS; at++) calls += atomic_load(&callers[at].calls);
        if (calls >= most_calls) atomic_store(&over, 1);
    }
    return NULL;
}

static void *watch(void *argument) {
    uint64_t seen[THREADS] = {0};
    int still[THREADS] = {0};
    (void)argument;
    for (;;) {
        sleep(1);
        for (int at = 0; at < THREADS; at++) {
            uint64_t calls = atomic_load(&callers[at].calls);
            still[at] = calls == seen[at] && atomic_load(&callers[at].inside) ? still[at] + 1 : 0;
            seen[at] = calls;
            if (still[at] == HANG_S) finding("a call does not return");
        }
    }
    return NULL;
}

static void say_number(uint64_t calls) {
    printf("%llu %llu\n", (unsigned long long)calls, (unsigned long long)atomic_load(&succeeded));
    fflush(stdout);
}

static void good(JET_ERR code, const char *what) {
    if (code >= 0) return;
    /* Programs may choose defaults with which nothing goes. */
    if (atomic_load(&changed)) {
        uint64_t calls = 0;
        for (int at = 0; at < THREADS; at++) calls += atomic_load(&callers[at].calls);
        fprintf(stderr, "not begun again: %s: %d\n", what, (int)code);
        say_number(calls);
        _exit(0);
    }
    fprintf(stderr, "FINDING: %s: %d\n", what, (int)code);
    say_calls();
    _exit(4);
}
#define GOOD(call) good(call, #call)

static void set(JET_INSTANCE *instance, uint32_t id, uint64_t value, const char *text) {
    GOOD(JetSetSystemParameterA(instance, 0, id, (JET_API_PTR)value, text));
}

static JET_INSTANCE start(const char *name) {
    JET_INSTANCE instance = 0;
    GOOD(JetCreateInstanceA(&instance, name));
    set(&instance, JET_paramSystemPath, 0, "log/");
    set(&instance, JET_paramLogFilePath, 0, "log/");
    set(&instance, JET_paramTempPath, 0, "log/");
    set(&instance, JET_paramCreatePathIfNotExist, 1, NULL);
    set(&instance, JET_paramLogFileSize, 128, NULL);
    set(&instance, JET_paramMaxTemporaryTables, 100, NULL);
    GOOD(JetInit(&instance));
    return instance;
}

static void add_column(JET_SESID ses, JET_TABLEID table, const char *name, uint32_t type,
                       JET_GRBIT grbit) {
    JET_COLUMNDEF def = {.cbStruct = sizeof def, .coltyp = type, .cp = 1200, .grbit = grbit};
    JET_COLUMNID id = 0;
    uint32_t none = grbit & JET_bitColumnEscrowUpdate ? sizeof none : 0;
    GOOD(JetAddColumnA(ses, table, name, &def, &(uint32_t){0}, none, &id));
    atomic_store(&pools[COLUMNS].handles[id % POOL], id);
}

/* A database with a table that has a column of most kinds, indexes, and some rows. */
static void fill(JET_SESID ses, JET_DBID dbid) {
    JET_TABLEID table = 0;
    GOOD(JetCreateTableA(ses, dbid, "t", 1, 80, &table));
    add_column(ses, table, "id", JET_coltypLong, JET_bitColumnAutoincrement);
    add_column(ses, table, "name", JET_coltypText, 0);
    add_column(ses, table, "data", JET_coltypLongBinary, 0);
    JET_GRBIT several = JET_bitColumnTagged | JET_bitColumnMultiValued;
    add_column(ses, table, "tag", JET_coltypLongText, several);
    add_column(ses, table, "count", JET_coltypLong, JET_bitColumnEscrowUpdate | JET_bitColumnFixed);
    GOOD(JetCreateIndexA(ses, table, "primary", JET_bitIndexPrimary, "+id\0", 5, 80));
    GOOD(JetCreateIndexA(ses, table, "by name", 0, "+name\0", 7, 80));
    GOOD(JetCreateIndexA(ses, table, "by tag", 0, "+tag\0", 6, 80));
    for (int row = 0; row < 50; row++) {
        GOOD(JetBeginTransaction(ses));
        GOOD(JetPrepareUpdate(ses, table, JET_prepInsert));
        for (uint32_t column = 0; column < POOL; column++) {
            JET_COLUMNID id = (JET_COLUMNID)atomic_load(&pools[COLUMNS].handles[column]);
            if (id != 0) (void)JetSetColumn(ses, table, id, u"some text", 18, 0, NULL);
        }
        GOOD(JetUpdate(ses, table, NULL, 0, NULL));
        GOOD(JetCommitTransaction(ses, JET_bitCommitLazyFlush));
    }
    GOOD(JetCloseTable(ses, table));
}

/* Instance, sessions and cursors to begin with; the database is made the first time. */
static void open_all(int round) {
    JET_SESID ses = 0;
    JET_DBID dbid = 0;
    char name[16];
    snprintf(name, sizeof name, "main%d", round);
    set(NULL, JET_paramOSSnapshotTimeout, 200, NULL);
    JET_INSTANCE inst = start(name);
    atomic_store(&pools[INSTANCES].handles[0], inst);
    for (int at = 0; at < 4; at++) {
        GOOD(JetBeginSessionA(inst, &ses, NULL, NULL));
        atomic_store(&pools[SESSIONS].handles[at], ses);
        if (at == 0 && round == 0) {
            GOOD(JetCreateDatabaseA(ses, "main.edb", NULL, &dbid, 0));
            fill(ses, dbid);
        } else {
            if (at == 0) GOOD(JetAttachDatabaseA(ses, "main.edb", 0));
            GOOD(JetOpenDatabaseA(ses, "main.edb", NULL, &dbid, 0));
        }
        atomic_store(&pools[DBIDS].handles[at], dbid);
        for (int more = 0; more < 2; more++) {
            JET_TABLEID table = 0;
            JET_ERR code = JetOpenTableA(ses, dbid, "t", NULL, 0, 0, &table);
            /* Some call may have deleted or renamed it. */
            if (code == JET_errObjectNotFound) {
                fill(ses, dbid);
                code = JetOpenTableA(ses, dbid, "t", NULL, 0, 0, &table);
            }
            good(code, "JetOpenTable");
            atomic_store(&pools[TABLES].handles[at * 2 + more], table);
            atomic_store(&pools[TABLES].owner[at * 2 + more], ses);
        }
    }
}

/* Everything ends: by hand, all at once, or abruptly. */
static void close_all(JET_GRBIT grbit) {
    for (int at = 0; at < POOL; at++) {
        JET_INSTANCE one = (JET_INSTANCE)atomic_load(&pools[INSTANCES].handles[at]);
        if (one == 0) continue;
        atomic_store(&callers[0].inside, "the last JetTerm2");
        /* Sessions that are in use refuse an end that is not abrupt; stale handles any. */
        JET_ERR code = JetTerm2(one, grbit);
        if (code == JET_errTooManyActiveUsers || code == JET_errBackupInProgress)
            code = JetTerm2(one, JET_bitTermAbrupt | JET_bitTermStopBackup);
        if (code < 0) fprintf(stderr, "JetTerm2 of %d: %d\n", at, (int)code);
        atomic_store(&callers[0].inside, NULL);
    }
    for (int kind = 0; kind < POOLS; kind++)
        if (kind != COLUMNS) memset(&pools[kind], 0, sizeof pools[kind]);
}

static int make(uint64_t seed, int threads) {
    pthread_t thread[THREADS], watcher;
    uint64_t calls = 0;
    for (int at = 0; at < THREADS; at++) prepare(&callers[at], seed, at);
    if (pthread_create(&watcher, NULL, watch, NULL)) return 2;
    for (int round = 0; !atomic_load(&over); round++) {
        open_all(round);
        atomic_store(&stopped, 0);
        for (int at = 0; at < threads; at++)
            if (pthread_create(&thread[at], NULL, work, &callers[at])) return 2;
        for (int at = 0; at < threads; at++) pthread_join(thread[at], NULL);
        calls = 0;
        for (int at = 0; at < threads; at++) calls += atomic_load(&callers[at].calls);
        /* The last instance of some processes ends with them. */
        if (seed % 3 == 0 && atomic_load(&over)) break;
        close_all(seed % 3 == 1 ? JET_bitTermComplete : JET_bitTermAbrupt);
    }
    say_number(calls);
    _exit(0);
}

/* What the calls left can be worked with. */
static int check(void) {
    JET_SESID ses = 0;
    JET_DBID dbid = 0;
    JET_TABLEID table = 0;
    JET_INSTANCE inst = start("main");
    GOOD(JetBeginSessionA(inst, &ses, NULL, NULL));
    JET_ERR code = JetAttachDatabaseA(ses, "main.edb", 0);
    if (code == JET_errFileNotFound) {
        GOOD(JetCreateDatabaseA(ses, "main.edb", NULL, &dbid, 0));
    } else {
        good(code, "JetAttachDatabase");
        GOOD(JetOpenDatabaseA(ses, "main.edb", NULL, &dbid, 0));
    }
    code = JetOpenTableA(ses, dbid, "t", NULL, 0, 0, &table);
    if (code >= 0) {
        long rows = 0;
        for (code = JetMove(ses, table, JET_MoveFirst, 0); code >= 0; rows++)
            code = JetMove(ses, table, JET_MoveNext, 0);
        if (code != JET_errNoCurrentRecord) good(code, "JetMove");
        printf("%ld rows\n", rows);
    }
    memset(pools, 0, sizeof pools);
    GOOD(JetCreateTableA(ses, dbid, "of the check", 1, 80, &table));
    add_column(ses, table, "id", JET_coltypLong, 0);
    GOOD(JetBeginTransaction(ses));
    GOOD(JetPrepareUpdate(ses, table, JET_prepInsert));
    GOOD(JetUpdate(ses, table, NULL, 0, NULL));
    GOOD(JetCommitTransaction(ses, 0));
    GOOD(JetCloseTable(ses, table));
    GOOD(JetTerm2(inst, JET_bitTermComplete));
    printf("done\n");
    return 0;
}

int main(int count, char **words) {
    read_declarations();
    if (count == 2 && strcmp(words[1], "check") == 0) return check();
    if (count != 5 || strcmp(words[1], "make") != 0) return 2;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    signal(SIGSEGV, on_signal);
    signal(SIGBUS, on_signal);
    signal(SIGABRT, on_signal);
#else
    (void)on_signal;
#endif
    most_calls = strtoull(words[3], NULL, 10);
    return make(strtoull(words[2], NULL, 10), atoi(words[4]));
}
