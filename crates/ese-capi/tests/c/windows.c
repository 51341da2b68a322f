/*
 * How files for Windows use the header: after one with Windows' own types, with a version chosen,
 * under another packing, with the names that follow JET_UNICODE.
 */
#include <stdint.h>

typedef uint32_t ULONG, DWORD;
typedef int32_t LONG, BOOL;
typedef char CHAR;
#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
#include <stddef.h>
typedef wchar_t WCHAR;
#endif
#define WINAPI
#define __cdecl

#define JET_VERSION 0x0501
#pragma pack(push, 1)
#include <esent.h>
#pragma pack(pop)

#ifdef JET_UNICODE
#define TEXT(text) L##text
typedef WCHAR TCHAR;
#else
#define TEXT(text) text
typedef CHAR TCHAR;
#endif

/* The packing around the include has no effect, and ends where it ended before. */
struct after { char one; uint64_t two; };
typedef char as_the_library_has_it[sizeof(JET_INDEXRANGE) == 24 ? 1 : -1];
typedef char as_it_was_before[sizeof(struct after) == 16 ? 1 : -1];

static JET_ERR JET_API progress(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv) {
    const JET_SNPROG *told = (const JET_SNPROG *)pv;
    (void)sesid, (void)snp;
    return snt == JET_sntProgress && told->cunitDone > told->cunitTotal ? JET_errCallbackFailed
                                                                        : JET_errSuccess;
}

JET_ERR start(JET_INSTANCE *instance, JET_SESID *sesid, JET_DBID *dbid, const TCHAR *path);

JET_ERR start(JET_INSTANCE *instance, JET_SESID *sesid, JET_DBID *dbid, const TCHAR *path) {
    ULONG cbActual = 0;
    LONG number = 5;
    JET_TABLEID tableid = JET_tableidNil;
    JET_COLUMNDEF column = {sizeof(column), 0, JET_coltypLong, 0, 0, 0, 0, 0, 0};
    JET_ERR err = JetCreateInstance(instance, TEXT("instance"));
    if (err >= 0)
        err = JetSetSystemParameter(instance, JET_sesidNil, JET_paramSystemPath, 0, path);
    if (err >= 0) err = JetInit(instance);
    if (err >= 0) err = JetBeginSession(*instance, sesid, NULL, NULL);
    if (err >= 0) err = JetCreateDatabase(*sesid, TEXT("main.edb"), NULL, dbid, 0);
    if (err >= 0) err = JetCreateTable(*sesid, *dbid, TEXT("table"), 0, 80, &tableid);
    if (err >= 0)
        err = JetAddColumn(*sesid, tableid, TEXT("c"), &column, NULL, 0, &column.columnid);
    if (err >= 0) err = JetSetColumn(*sesid, tableid, 1, &number, sizeof(number), 0, NULL);
    if (err >= 0)
        err = JetRetrieveColumn(*sesid, tableid, 1, &number, sizeof(number), &cbActual, 0, NULL);
    if (err >= 0) err = JetBackupInstance(*instance, path, JET_bitBackupAtomic, progress);
    return err;
}
