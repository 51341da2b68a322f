/*
 * Arguments of random calls: a value for each type that a function of esent.h takes. Memory ends
 * where an unmapped page begins, so that a byte read or written too much ends the program. Pointers
 * are good or NULL, as the interface obliges callers; everything else may be anything.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "esent.h"

#define MOST_ARGUMENTS 12
#define AREAS 96
#define AREA 65536
#define PAGE 65536
#define POOL 24

/* A thread that calls: its numbers, its memory for the arguments of one call, what it must free. */
struct caller {
    uint64_t random;
    uint8_t *areas;
    unsigned used;
    int number;
    int busy; /* inside a function that is called back */
    void *memory[4096];
    unsigned memories;
    uint32_t last_cb; /* of the buffer that was made last */
    uint32_t last_count;
    _Atomic(const char *) inside;
    _Atomic uint64_t calls;
    char names[16][40]; /* the last calls */
};

/* Handles that calls gave, of all threads. */
struct pool {
    _Atomic uint64_t handles[POOL];
    _Atomic uint64_t owner[POOL];
};
enum { INSTANCES, SESSIONS, TABLES, DBIDS, COLUMNS, FILES, SNAPSHOTS, CALLBACKS, STORES, POOLS };
static struct pool pools[POOLS];

static uint32_t number(struct caller *c, uint32_t below) {
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return (uint32_t)((c->random * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static int chance(struct caller *c, uint32_t percent) { return number(c, 100) < percent; }

static void prepare(struct caller *c, uint64_t seed, int thread) {
    memset(c, 0, sizeof *c);
    c->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1 + (uint64_t)thread;
    c->number = thread;
    size_t size = (size_t)AREAS * (AREA + PAGE);
    c->areas = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c->areas == MAP_FAILED) abort();
    for (unsigned at = 0; at < AREAS; at++)
        if (mprotect(c->areas + at * (AREA + PAGE) + AREA, PAGE, PROT_NONE)) abort();
}

/* Memory of so many bytes with an unmapped page behind it. */
static void *memory(struct caller *c, size_t size) {
    if (c->used == AREAS || size > AREA) abort();
    uint8_t *end = c->areas + c->used++ * (AREA + PAGE) + AREA;
    memset(end - size, chance(c, 50) ? 0 : (int)number(c, 256), size);
    return end - size;
}

/* ---- Handles -------------------------------------------------------------------------------- */

static void keep(struct caller *c, int kind, uint64_t handle, uint64_t owner) {
    unsigned at = number(c, POOL);
    for (unsigned more = 0; more < POOL; more++) {
        unsigned slot = (at + more) % POOL;
        if (atomic_load(&pools[kind].handles[slot]) == 0) {
            at = slot;
            break;
        }
    }
    uint64_t old = atomic_exchange(&pools[kind].handles[at], handle);
    uint64_t owned = atomic_exchange(&pools[kind].owner[at], owner);
    /* What nobody could name any longer would be open for ever. */
    if (old != 0 && kind == TABLES) JetCloseTable((JET_SESID)owned, (JET_TABLEID)old);
    if (old != 0 && kind == SESSIONS && at >= 4) JetEndSession((JET_SESID)old, 0);
    if (old != 0 && kind == INSTANCES && at >= 1) JetTerm2((JET_INSTANCE)old, JET_bitTermAbrupt);
}

static void forget(int kind, uint64_t handle) {
    for (unsigned at = 0; at < POOL; at++) {
        uint64_t expected = handle;
        atomic_compare_exchange_strong(&pools[kind].handles[at], &expected, 0);
    }
}

/* A handle of the kind, mostly; `at` tells which. */
static uint64_t handle(struct caller *c, int kind, unsigned *at) {
    unsigned how = number(c, 200);
    unsigned slot = number(c, POOL);
    if (how < 4) return 0;
    if (how < 6) return kind == DBIDS || kind == COLUMNS ? UINT32_MAX : UINT64_MAX;
    if (how < 8) return number(c, UINT32_MAX >> 1);
    if (how < 12) kind = (int)number(c, POOLS);
    if (how < 150 && kind == SESSIONS) slot = (unsigned)c->number % 4;
    if (how < 150 && kind == INSTANCES) slot = 0;
    for (unsigned more = 0; more < POOL; more++) {
        unsigned next = (slot + more) % POOL;
        uint64_t found = atomic_load(&pools[kind].handles[next]);
        if (found != 0) {
            if (at) *at = next;
            return found;
        }
    }
    return 0;
}

/* ---- Numbers -------------------------------------------------------------------------------- */

static uint32_t any_u32(struct caller *c) {
    static const uint32_t odd[] = {0, 1, 2, 3, 4, 255, 256, 65535, 65536, INT32_MAX, UINT32_MAX};
    if (chance(c, 60)) return number(c, 16);
    if (chance(c, 80)) return odd[number(c, sizeof odd / sizeof *odd)];
    return number(c, UINT32_MAX >> 1) * 2 + number(c, 2);
}

static uint32_t any_grbit(struct caller *c) {
    if (chance(c, 85)) return 0;
    if (chance(c, 75)) return UINT32_C(1) << number(c, 32);
    if (chance(c, 50)) return number(c, 64);
    return number(c, UINT32_MAX >> 1) * 2 + number(c, 2);
}

/* So many pages: disks are finite. */
static uint32_t any_pages(struct caller *c) { return chance(c, 30) ? 0 : number(c, 1500); }

static int32_t any_row(struct caller *c) {
    static const int32_t odd[] = {1, -1, 1, -1, 0, INT32_MAX, INT32_MIN, INT32_MAX - 1, 2, -3};
    return odd[number(c, sizeof odd / sizeof *odd)];
}

/* Number of things at a pointer that may be NULL, where any number may stand. */
static uint32_t any_count(struct caller *c, void *list, uint32_t count) {
    if (list == NULL) return chance(c, 70) ? 0 : any_u32(c);
    return chance(c, 80) ? count : number(c, count + 1);
}

/* ---- Text ----------------------------------------------------------------------------------- */

static const char *const words[] = {
    "t", "t", "u", "new1", "new2", "new3", "id", "id", "name", "name", "data", "tag", "new column",
    "by name", "by name", "by tag", "primary", "another", "main.edb", "main.edb", "b.edb", "c.edb",
    "b.edb", "sub", "sub/", "sub\\deep\\", "./", "backup", "backup", "backup/", "log/", "en-US",
    "main", "inst", "edb", "on", "off", "MSysObjects", "MSysObjectsShadow", "Tables", "", "",
    " begins with a blank", "has.dot", "has!mark", "has[bracket]", "log/edb.log", "log/edb.chk",
    "a name that is just about as long as a name may be: sixty-four ones", "+name\0", "nosuch",
    "\xc3\xa4\xc3\xb6\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", "\xff\xfe", "a\xc3", "\x01",
    "module!function", "!",
};

static char *narrow_of(struct caller *c, const char *word) {
    size_t length = strlen(word) + 1, size = length < 4 ? 4 : length;
    char *to = memory(c, size);
    memset(to, 0, size);
    memcpy(to, word, length);
    return to;
}

/* UTF-16 of ASCII; of other bytes something, lone surrogates among them. */
static JET_WCHAR *wide_of(struct caller *c, const char *word) {
    size_t length = strlen(word) + 1, size = length < 2 ? 2 : length;
    JET_WCHAR *to = memory(c, size * 2);
    memset(to, 0, size * 2);
    for (size_t at = 0; at + 1 < length; at++) {
        uint8_t byte = (uint8_t)word[at];
        to[at] = (JET_WCHAR)(byte < 128 ? byte : chance(c, 10) ? 0xd800 + byte : 0x3000 + byte);
    }
    return to;
}

static void *text_of(struct caller *c, int wide, const char *word) {
    return wide ? (void *)wide_of(c, word) : (void *)narrow_of(c, word);
}

static void *any_text(struct caller *c, int wide) {
    if (chance(c, 6)) return NULL;
    if (chance(c, 2)) {
        char longer[1200];
        unsigned length = number(c, sizeof longer);
        memset(longer, 'x', length);
        longer[length] = 0;
        return text_of(c, wide, longer);
    }
    return text_of(c, wide, words[number(c, sizeof words / sizeof *words)]);
}

/* The key of an index: names with direction, two NULs at the end; `cb` gets its bytes. */
static void *any_key(struct caller *c, int wide, uint32_t *cb) {
    static const char *const parts[] = {"+id", "-id", "+name", "-name", "+tag", "id",
                                        "+data", "+nosuch", "+", "+new column"};
    char key[128];
    size_t length = 0;
    for (unsigned count = number(c, 4); count > 0; count--) {
        const char *part = parts[number(c, sizeof parts / sizeof *parts)];
        strcpy(key + length, part);
        length += strlen(part) + 1;
    }
    key[length++] = 0;
    if (length == 1) key[length++] = 0;
    unsigned unit = wide ? 2 : 1;
    uint8_t *to = memory(c, length * unit < 4 ? 4 : length * unit);
    memset(to, 0, length * unit < 4 ? 4 : length * unit);
    for (size_t at = 0; at < length; at++) to[at * unit] = (uint8_t)key[at];
    *cb = (uint32_t)(length * unit);
    if (chance(c, 5)) *cb = number(c, *cb + 1);
    return to;
}

/* ---- Bytes ---------------------------------------------------------------------------------- */

static void *any_bytes(struct caller *c, uint32_t *cb) {
    static const uint32_t usual[] = {4, 4, 4, 8, 0, 1, 2, 12, 16, 28, 40, 255, 256, 700, 4096};
    *cb = chance(c, 90) ? usual[number(c, sizeof usual / sizeof *usual)] : number(c, 60000);
    if (chance(c, 6)) {
        if (chance(c, 50)) *cb = number(c, 200000);
        return NULL;
    }
    uint8_t *to = memory(c, *cb);
    if (*cb == 4) {
        uint32_t small = number(c, 40);
        memcpy(to, &small, 4);
    } else if (*cb > 0 && chance(c, 50)) {
        to[0] = (uint8_t)number(c, 256);
        to[number(c, *cb)] = (uint8_t)number(c, 256);
    }
    return to;
}

/* A place for a result, or NULL. */
static void *place(struct caller *c, size_t size) {
    return chance(c, 4) ? NULL : memory(c, size);
}

static void *cell(struct caller *c, size_t size, uint64_t value) {
    if (chance(c, 4)) return NULL;
    void *to = memory(c, size);
    memcpy(to, &value, size < sizeof value ? size : sizeof value);
    return to;
}

/* The size that a structure tells of itself. */
static uint32_t told_size(struct caller *c, size_t size) {
    if (chance(c, 95)) return (uint32_t)size;
    return chance(c, 30) ? 0 : number(c, (uint32_t)size);
}

/* ---- Functions that are called back ---------------------------------------------------------- */

static JET_ERR any_answer(void) {
    static _Atomic unsigned times;
    unsigned now = atomic_fetch_add(&times, 1);
    if (now % 23 == 0) return JET_errCallbackFailed;
    if (now % 31 == 0) return -12345;
    return now % 17 == 0 ? 7 : 0;
}

static JET_ERR status(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv) {
    (void)sesid, (void)snp, (void)snt, (void)pv;
    return any_answer();
}

static JET_ERR init_status(JET_SNP snp, JET_SNT snt, void *pv, void *context) {
    (void)snp, (void)snt, (void)pv, (void)context;
    return any_answer();
}

/* Calls the engine from within, as functions that compute columns do. */
static JET_ERR called(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid, JET_CBTYP cbtyp,
                      void *arg1, void *arg2, void *context, JET_API_PTR unused) {
    static _Atomic unsigned times;
    uint8_t room[64];
    uint32_t actual;
    (void)dbid, (void)cbtyp, (void)arg1, (void)arg2, (void)context, (void)unused;
    switch (atomic_fetch_add(&times, 1) % 16) {
    case 0: JetMove(sesid, tableid, 1, 0); break;
    case 1: JetRetrieveColumn(sesid, tableid, 1, room, sizeof room, &actual, 0, NULL); break;
    case 2: JetGetVersion(sesid, &actual); break;
    case 3: JetCloseTable(sesid, tableid); break;
    case 4: JetPrepareUpdate(sesid, tableid, JET_prepInsert); break;
    default: break;
    }
    return any_answer();
}

static JET_ERR durable(JET_INSTANCE instance, JET_COMMIT_ID *commit, JET_GRBIT grbit) {
    (void)instance, (void)commit, (void)grbit;
    return 0;
}

/* Everything that a call got is freed after it, as if the caller had looked at it. */
static void *give_memory(void *context, void *pv, uint32_t cb) {
    struct caller *c = context;
    if (cb == 0) return NULL;
    if (chance(c, 1) || c->memories == sizeof c->memory / sizeof *c->memory) return NULL;
    void *to = malloc(cb);
    if (pv != NULL) abort();
    if (to != NULL) c->memory[c->memories++] = to;
    return to;
}
