/*
 * Random calls of every function that esent.h declares, from several threads that share handles.
 *
 *   calls make SEED CALLS THREADS    in the folder that it stands in; says how many calls it made
 *   calls check                      the database in that folder is recovered, and can be used
 *
 * A finding is an end by a signal, JET_errInternalError, an instance that stopped by itself, or a
 * call that does not return. calls_table.h, made of the header, has a FUNCTION(name, arguments) of
 * each declaration. With one thread a seed gives the same calls again.
 */
#define _GNU_SOURCE
#include "calls_args.h"
#include "calls_structs.h"

#include <signal.h>
#include <sys/stat.h>

typedef JET_ERR (*any_function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

struct argument;
typedef uint64_t (*maker)(struct caller *, const struct argument *);

struct argument {
    char type[40], name[40];
    maker make;
    int wide, form, count;
    int buffer; /* a length follows */
};

struct function {
    const char *name, *text;
    any_function call;
    struct argument arguments[MOST_ARGUMENTS];
    int count, weight;
};

static struct function functions[] = {
#define FUNCTION(function, words)                                                                  \
    {.name = #function, .text = words, .call = (any_function)(void (*)(void))function},
#include "calls_table.h"
#undef FUNCTION
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, THREADS = 8, HANG_S = 100 };

static struct caller callers[THREADS];
static uint64_t most_calls;
static atomic_int over, stopped, changed;
static _Atomic uint64_t succeeded;
static JET_GRBIT column_grbit; /* of the definition made last; a race of it only costs variety */

static void say_calls(void) {
    for (struct caller *c = callers; c < callers + THREADS; c++) {
        uint64_t calls = atomic_load(&c->calls);
        const char *inside = atomic_load(&c->inside);
        if (calls == 0) continue;
        fprintf(stderr, "thread %d, inside %s, after:", c->number, inside ? inside : "nothing");
        for (uint64_t at = calls < 16 ? 0 : calls - 16; at < calls; at++)
            fprintf(stderr, " %s", c->names[at % 16]);
        fprintf(stderr, "\n");
    }
}

static void finding(const char *what) {
    fprintf(stderr, "FINDING: %s\n", what);
    say_calls();
    _exit(3);
}

static void on_signal(int signal) {
    fprintf(stderr, "FINDING: signal %d\n", signal);
    say_calls();
    _exit(3);
}

/* ---- Arguments ------------------------------------------------------------------------------ */

static uint64_t sesid(struct caller *c, const struct argument *a) {
    (void)a;
    return handle(c, SESSIONS, NULL);
}

static uint64_t instance(struct caller *c, const struct argument *a) {
    (void)a;
    return handle(c, INSTANCES, NULL);
}

static uint64_t tableid(struct caller *c, const struct argument *a) {
    (void)a;
    return handle(c, TABLES, NULL);
}

static uint64_t file(struct caller *c, const struct argument *a) {
    return handle(c, strcmp(a->name, "hCallbackId") == 0 ? CALLBACKS : FILES, NULL);
}

static uint64_t store(struct caller *c, const struct argument *a) {
    (void)a;
    return handle(c, STORES, NULL);
}

static uint64_t snapshot(struct caller *c, const struct argument *a) {
    (void)a;
    return handle(c, SNAPSHOTS, NULL);
}

static uint64_t dbid(struct caller *c, const struct argument *a) {
    (void)a;
    return handle(c, DBIDS, NULL);
}

static uint64_t columnid(struct caller *c, const struct argument *a) {
    (void)a;
    return handle(c, COLUMNS, NULL);
}

static uint64_t grbit(struct caller *c, const struct argument *a) {
    (void)a;
    return any_grbit(c);
}

static uint64_t wide_number(struct caller *c, const struct argument *a) {
    (void)a;
    return chance(c, 80) ? any_u32(c) : UINT64_MAX - number(c, 3);
}

static uint64_t small_number(struct caller *c, const struct argument *a) {
    const char *name = a->name;
    if (strncmp(name, "cb", 2) == 0) return c->last_cb;
    if (strncmp(name, "cpg", 3) == 0 || strcmp(name, "lPages") == 0) return any_pages(c);
    if (strcmp(name, "cEnumColumnId") == 0) return number(c, 4);
    if (strcmp(name, "paramid") == 0) return c->last_count = any_paramid(c);
    if (strcmp(name, "sesparamid") == 0) return 4097 + number(c, 15);
    if (strcmp(name, "cmsecDurableCommit") == 0) return number(c, 20);
    if (strcmp(name, "prep") == 0) return chance(c, 95) ? number(c, 7) : any_u32(c);
    if (strcmp(name, "lcid") == 0) return chance(c, 60) ? 1033 : any_u32(c);
    if (strcmp(name, "InfoLevel") == 0) return chance(c, 70) ? number(c, 40) : any_u32(c);
    if (name[0] == 'c') return c->last_count;
    if (name[0] == 'l') return chance(c, 70) ? 80 : any_u32(c);
    return any_u32(c);
}

static uint64_t signed_number(struct caller *c, const struct argument *a) {
    if (strcmp(a->name, "cRow") == 0) return (uint32_t)any_row(c);
    if (a->name[0] == 'c') return c->last_count;
    return any_u32(c);
}

static uint64_t parameter(struct caller *c, const struct argument *a) {
    return strcmp(a->name, "lParam") == 0 ? any_param(c, c->last_count) : number(c, 100000);
}

static uint64_t text(struct caller *c, const struct argument *a) {
    if (a->buffer && strncmp(a->name, "szKey", 5) == 0)
        return (uintptr_t)any_key(c, a->wide, &c->last_cb);
    if (a->buffer) return (uintptr_t)any_bytes(c, &c->last_cb);
    return (uintptr_t)any_text(c, a->wide);
}

/* Of structures that begin with their size, and of what has none. */
static uint64_t result(struct caller *c) {
    static const uint32_t sizes[] = {
        4, 8, 1, 0, 2, 64, 255, 512, 1024, 4096, 65000, sizeof(JET_COLUMNDEF),
        sizeof(JET_COLUMNBASE_A), sizeof(JET_COLUMNBASE_W), sizeof(JET_COLUMNLIST),
        sizeof(JET_INDEXLIST), sizeof(JET_OBJECTLIST), sizeof(JET_OBJECTINFO), sizeof(JET_INDEXID),
        sizeof(JET_DBINFOMISC), sizeof(JET_DBINFOMISC2), sizeof(JET_DBINFOMISC3),
        sizeof(JET_DBINFOMISC4), sizeof(JET_SIGNATURE), sizeof(JET_THREADSTATS),
        sizeof(JET_THREADSTATS2), sizeof(JET_ERRINFOBASIC_W), sizeof(JET_DBINFOUPGRADE),
        sizeof(JET_INDEXCREATE_W), sizeof(JET_INDEXCREATE2_W), sizeof(JET_INDEXCREATE3_W)};
    uint32_t size = c->last_cb = sizes[number(c, sizeof sizes / sizeof *sizes)];
    uint32_t *to = place(c, size);
    if (to == NULL) return 0;
    if (size >= 4) memcpy(to, &size, 4);
    return (uintptr_t)to;
}

static uint64_t bytes(struct caller *c, const struct argument *a) {
    if (strcmp(a->name, "pvReallocContext") == 0) return (uintptr_t)c;
    if (strcmp(a->name, "pvResult") == 0) return result(c);
    if (strcmp(a->name, "pvDefault") == 0 && column_grbit & JET_bitColumnUserDefinedDefault) {
        c->last_cb = sizeof(JET_USERDEFINEDDEFAULT_W);
        return chance(c, 10) ? 0 : (uintptr_t)computed_default(c, a->wide);
    }
    if (a->buffer) return (uintptr_t)any_bytes(c, &c->last_cb);
    return (uintptr_t)cell(c, 64, any_u32(c));
}

/* Variables that hold a number, in and out. */
static uint64_t variable(struct caller *c, const struct argument *a) {
    return (uintptr_t)cell(c, (size_t)a->form, any_u32(c));
}

static uint64_t no_variable(struct caller *c, const struct argument *a) {
    return (uintptr_t)cell(c, (size_t)a->form, 0);
}

static uint64_t instance_variable(struct caller *c, const struct argument *a) {
    (void)a;
    return (uintptr_t)cell(c, sizeof(JET_INSTANCE), handle(c, INSTANCES, NULL));
}

static uint64_t column_ids(struct caller *c, const struct argument *a) {
    uint32_t count = a->name[0] == 'p' && a->name[1] == 'c' ? 1 : 4;
    JET_COLUMNID *to = place(c, count * sizeof *to);
    for (uint32_t at = 0; to && at < count; at++) to[at] = (JET_COLUMNID)handle(c, COLUMNS, NULL);
    if (a->name[0] == 'r') c->last_count = any_count(c, to, count);
    return (uintptr_t)to;
}

static uint64_t keys(struct caller *c, const struct argument *a) {
    (void)a;
    const void **list = memory(c, 3 * sizeof *list);
    for (int at = 0; at < 3; at++) list[at] = memory(c, 8);
    return (uintptr_t)list;
}

static uint64_t key_lengths(struct caller *c, const struct argument *a) {
    (void)a;
    uint32_t *list = memory(c, 3 * sizeof *list);
    for (int at = 0; at < 3; at++) list[at] = number(c, 9);
    c->last_count = number(c, 4);
    return (uintptr_t)list;
}

static uint64_t callback(struct caller *c, const struct argument *a) {
    static void (*const known[])(void) = {
        (void (*)(void))status, (void (*)(void))called, (void (*)(void))give_memory};
    return chance(c, a->form == 2 ? 2 : 20) ? 0 : (uintptr_t)known[a->form];
}

static uint64_t list(struct caller *c, const struct argument *a) {
    uint32_t count = number(c, 4);
    void *to = NULL;
    if (!chance(c, 5)) {
        if (strncmp(a->type, "JET_INDEXCREATE", 15) == 0)
            to = index_creates(c, a->wide, a->form, count);
        if (strncmp(a->type, "JET_SETSYSPARAM", 15) == 0) to = set_params(c, a->wide, count);
        if (strcmp(a->type, "JET_SETDBPARAM*") == 0) to = db_params(c, count);
        if (strcmp(a->type, "JET_ENUMCOLUMNID*") == 0) to = enum_ids(c, c->last_count = count = 3);
        if (strncmp(a->type, "JET_RSTMAP", 10) == 0) to = restore_maps(c, a->wide, count);
        if (strcmp(a->type, "JET_INDEX_RANGE*") == 0) to = index_ranges(c, count);
        if (strcmp(a->type, "JET_INDEXRANGE*") == 0) to = table_ranges(c, count);
        if (strcmp(a->type, "JET_INDEX_COLUMN*") == 0) to = index_columns(c, count);
        if (strcmp(a->type, "JET_SETCOLUMN*") == 0) to = set_columns(c, count);
        if (strcmp(a->type, "JET_RETRIEVECOLUMN*") == 0) to = retrieve_columns(c, count);
    }
    c->last_count = any_count(c, to, count);
    return (uintptr_t)to;
}

static uint64_t definitions(struct caller *c, const struct argument *a) {
    int several = a->name[1] == 'r';
    uint32_t count = several ? number(c, 4) : 1;
    JET_COLUMNDEF *to = chance(c, 4) ? NULL : column_defs(c, count);
    column_grbit = to && count ? to[0].grbit : 0;
    c->last_count = any_count(c, to, count);
    return (uintptr_t)to;
}

static uint64_t structure(struct caller *c, const struct argument *a) {
    if (chance(c, 5)) return 0;
    if (strncmp(a->type, "JET_TABLECREATE", 15) == 0)
        return (uintptr_t)table_create(c, a->wide, a->form);
    if (strncmp(a->type, "JET_RSTINFO", 11) == 0)
        return (uintptr_t)restore_info(c, a->wide, a->form);
    if (strncmp(a->type, "JET_OPENTEMPORARYTABLE", 22) == 0)
        return (uintptr_t)temporary_table(c, a->form);
    return (uintptr_t)unicode_index(c);
}

/* Structures without pointers; most begin with their size. */
static uint64_t flat(struct caller *c, const struct argument *a) {
    uint32_t size = (uint32_t)a->form, told = told_size(c, size);
    void *to = place(c, size);
    if (to == NULL) return 0;
    memcpy(to, &told, sizeof told);
    c->last_cb = told;
    return (uintptr_t)to;
}

static uint64_t conversion(struct caller *c, const struct argument *a) {
    (void)a;
    return chance(c, 90) ? 0 : (uintptr_t)memset(memory(c, sizeof(JET_CONVERT_A)), 0,
                                                 sizeof(JET_CONVERT_A));
}

static uint64_t nothing(struct caller *c, const struct argument *a) {
    (void)c, (void)a;
    return 0;
}

static const struct {
    const char *type;
    maker make;
    int form;
} makers[] = {
    {"JET_SESID", sesid, 0}, {"JET_INSTANCE", instance, 0}, {"JET_TABLEID", tableid, 0},
    {"JET_HANDLE", file, 0}, {"JET_LS", store, 0}, {"JET_OSSNAPID", snapshot, 0},
    {"JET_DBID", dbid, 0}, {"JET_COLUMNID", columnid, 0}, {"JET_GRBIT", grbit, 0},
    {"JET_CBTYP", grbit, 0}, {"JET_OBJTYP", small_number, 0}, {"uint32_t", small_number, 0},
    {"int32_t", signed_number, 0}, {"uint64_t", wide_number, 0}, {"int64_t", wide_number, 0},
    {"JET_API_PTR", parameter, 0}, {"JET_PCSTR", text, 0}, {"JET_PSTR", text, 0},
    {"char*", nothing, 0}, {"JET_PCWSTR", text, 0}, {"JET_PWSTR", text, 0},
    {"JET_WCHAR*", text, 0}, {"void*", bytes, 0}, {"JET_SESID*", no_variable, 8},
    {"JET_TABLEID*", no_variable, 8}, {"JET_HANDLE*", no_variable, 8},
    {"JET_LS*", no_variable, 8}, {"JET_OSSNAPID*", no_variable, 8},
    {"JET_DBID*", no_variable, 4}, {"JET_INSTANCE*", instance_variable, 0},
    {"JET_COLUMNID*", column_ids, 0}, {"uint32_t*", variable, 4}, {"int32_t*", variable, 4},
    {"uint64_t*", variable, 8}, {"JET_API_PTR*", variable, 8}, {"void**", keys, 0},
    {"JET_PFNSTATUS", callback, 0}, {"JET_CALLBACK", callback, 1},
    {"JET_PFNREALLOC", callback, 2}, {"JET_COLUMNDEF*", definitions, 0},
    {"JET_INDEXCREATE_A*", list, 1}, {"JET_INDEXCREATE_W*", list, 1},
    {"JET_INDEXCREATE2_A*", list, 2}, {"JET_INDEXCREATE2_W*", list, 2},
    {"JET_INDEXCREATE3_A*", list, 3}, {"JET_INDEXCREATE3_W*", list, 3},
    {"JET_SETSYSPARAM_A*", list, 0}, {"JET_SETSYSPARAM_W*", list, 0},
    {"JET_SETDBPARAM*", list, 0}, {"JET_ENUMCOLUMNID*", list, 0}, {"JET_RSTMAP_A*", list, 0},
    {"JET_RSTMAP_W*", list, 0}, {"JET_INDEX_RANGE*", list, 0}, {"JET_INDEXRANGE*", list, 0},
    {"JET_INDEX_COLUMN*", list, 0}, {"JET_SETCOLUMN*", list, 0},
    {"JET_RETRIEVECOLUMN*", list, 0}, {"JET_TABLECREATE_A*", structure, 1},
    {"JET_TABLECREATE_W*", structure, 1}, {"JET_TABLECREATE2_A*", structure, 2},
    {"JET_TABLECREATE2_W*", structure, 2}, {"JET_TABLECREATE3_A*", structure, 3},
    {"JET_TABLECREATE3_W*", structure, 3}, {"JET_TABLECREATE4_A*", structure, 4},
    {"JET_TABLECREATE4_W*", structure, 4}, {"JET_TABLECREATE5_A*", structure, 5},
    {"JET_TABLECREATE5_W*", structure, 5}, {"JET_RSTINFO_A*", structure, 1},
    {"JET_RSTINFO_W*", structure, 1}, {"JET_RSTINFO2_A*", structure, 2},
    {"JET_RSTINFO2_W*", structure, 2}, {"JET_OPENTEMPORARYTABLE*", structure, 1},
    {"JET_OPENTEMPORARYTABLE2*", structure, 2}, {"JET_UNICODEINDEX*", structure, 0},
    {"JET_COMMIT_ID*", flat, sizeof(JET_COMMIT_ID)},
    {"JET_LOGINFO_A*", flat, sizeof(JET_LOGINFO_A)},
    {"JET_LOGINFO_W*", flat, sizeof(JET_LOGINFO_W)}, {"JET_RECPOS*", flat, sizeof(JET_RECPOS)},
    {"JET_RECSIZE*", flat, sizeof(JET_RECSIZE)}, {"JET_RECSIZE2*", flat, sizeof(JET_RECSIZE2)},
    {"JET_RECSIZE3*", flat, sizeof(JET_RECSIZE3)},
    {"JET_RECORDLIST*", flat, sizeof(JET_RECORDLIST)},
    {"JET_RETINFO*", flat, sizeof(JET_RETINFO)}, {"JET_SETINFO*", flat, sizeof(JET_SETINFO)},
    {"JET_INDEXID*", flat, sizeof(JET_INDEXID)}, {"JET_CONVERT_A*", conversion, 0},
    {"JET_CONVERT_W*", conversion, 0}, {"JET_ENUMCOLUMN**", no_variable, 8},
    {"JET_INSTANCE_INFO_A**", no_variable, 8}, {"JET_INSTANCE_INFO_W**", no_variable, 8},
};

#include "calls_run.h"
