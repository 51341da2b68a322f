"""One good call of every function of the first two phases: what leads up to it, and its arguments.

`GOOD[name](live, form)` gives the arguments in their order; `live` is a running instance with rows,
`form` writes text as the form of the function wants it.
"""

import ctypes
import os
from ctypes import byref, c_int32, c_size_t, c_uint32, c_uint64, sizeof

from support import aligned, h, lib, narrow, wide

GOOD = {}


def good(function):
    GOOD[function.__name__] = function
    return function


class Form:
    """Narrow or wide."""

    def __init__(self, is_wide):
        self.wide = is_wide
        self.keep = []

    def text(self, text):
        return wide(text) if self.wide else narrow(text)

    def name(self, name):
        return name + ("_W" if self.wide else "_A")

    def at(self, thing):
        """An address for a structure: of text, bytes, or another structure."""
        if isinstance(thing, str):
            thing = self.text(thing)
        if isinstance(thing, bytes):
            thing = ctypes.create_string_buffer(thing, len(thing))
        self.keep.append(thing)
        return ctypes.addressof(thing)

    def struct(self, name, **fields):
        kind = getattr(h, self.name(name), None) or getattr(h, name)
        made = kind()
        if hasattr(made, "cbStruct"):
            made.cbStruct = sizeof(kind)
        for field, value in fields.items():
            setattr(made, field, self.at(value) if isinstance(value, (str, bytes)) else value)
        self.keep.append(made)
        return made

    def out(self, kind=c_uint32):
        self.keep.append(kind())
        return byref(self.keep[-1])

    def buffer(self, size=4096):
        self.keep.append(ctypes.create_string_buffer(size))
        return self.keep[-1]

    def byref(self, thing):
        self.keep.append(thing)
        return byref(thing)


def exclusive(live, name="x"):
    """A table of its own, with the columns `a`, which an index has, and `b`, which none has."""
    table, columnid = c_size_t(), c_uint32()
    live.case.ok("JetCreateTableA", live.ses, live.dbid, narrow(name), 0, 0, byref(table))
    live.x = {}
    for column in ("a", "b"):
        define = h.JET_COLUMNDEF(cbStruct=sizeof(h.JET_COLUMNDEF), coltyp=h.JET_coltypLong)
        live.case.ok("JetAddColumnA", live.ses, table, narrow(column), byref(define), None, 0,
                     byref(columnid))
        live.x[column] = columnid.value
    live.case.ok("JetCreateIndexA", live.ses, table, b"by a\0", 0, b"+a\0\0", 4, 0)
    return table


def transaction(live):
    live.case.ok("JetBeginTransaction", live.ses)


def prepared(live, prep=h.JET_prepReplace):
    transaction(live)
    live.case.ok("JetPrepareUpdate", live.ses, live.table, prep)


def other_file(live, name="b.edb", detach=True):
    path = f"{live.folder}/{name}"
    dbid = live.create_database(path)
    live.case.ok("JetCloseDatabase", live.ses, dbid, 0)
    if detach:
        live.case.ok("JetDetachDatabaseA", live.ses, narrow(path))
    return path


def by_name(live):
    live.case.ok("JetSetCurrentIndexA", live.ses, live.table, b"by name\0")


def key(live, number=5):
    live.case.ok("JetMakeKey", live.ses, live.table, number.to_bytes(4, "little"), 4,
                 h.JET_bitNewKey)


# Instances.

def not_started(live, form):
    inst = c_size_t()
    live.case.ok("JetCreateInstanceA", byref(inst), narrow(live.folder + " too"))
    for parameter in (h.JET_paramSystemPath, h.JET_paramLogFilePath, h.JET_paramTempPath):
        live.set(inst, parameter, 0, live.folder + "/too/")
    live.set(inst, h.JET_paramCreatePathIfNotExist, 1)
    live.case.addCleanup(lambda: lib.JetTerm2(inst, h.JET_bitTermAbrupt))
    return form.byref(inst)


def created(live, form):
    inst = c_size_t()
    live.case.addCleanup(lambda: lib.JetTerm(inst))
    return form.byref(inst)


GOOD["JetCreateInstance"] = lambda live, form: [created(live, form), form.text("another")]
GOOD["JetCreateInstance2"] = lambda live, form: [
    created(live, form), form.text("another"), form.text("for a test"), 0]
GOOD["JetInit"] = lambda live, form: [not_started(live, form)]
GOOD["JetInit2"] = lambda live, form: [not_started(live, form), 0]
GOOD["JetInit3"] = lambda live, form: [not_started(live, form),
                                       form.byref(form.struct("JET_RSTINFO")), 0]
GOOD["JetTerm"] = lambda live, form: [live.inst]
GOOD["JetTerm2"] = lambda live, form: [live.inst, h.JET_bitTermComplete]
GOOD["JetSetSystemParameter"] = lambda live, form: [
    form.byref(c_size_t(live.inst.value)), h.JET_sesidNil, h.JET_paramCheckpointDepthMax, 1 << 20,
    None]
GOOD["JetGetSystemParameter"] = lambda live, form: [
    live.inst, live.ses, h.JET_paramLogFilePath, form.out(c_size_t), form.buffer(), 4096]
GOOD["JetGetInstanceInfo"] = lambda live, form: [form.out(), form.out(c_size_t)]
GOOD["JetGetInstanceMiscInfo"] = lambda live, form: [
    live.inst, form.buffer(sizeof(h.JET_SIGNATURE)), sizeof(h.JET_SIGNATURE),
    h.JET_InstanceMiscInfoLogSignature]
GOOD["JetStopServiceInstance"] = lambda live, form: [live.inst]
GOOD["JetStopServiceInstance2"] = lambda live, form: [live.inst, 0]
GOOD["JetStopBackupInstance"] = lambda live, form: [live.inst]
GOOD["JetConfigureProcessForCrashDump"] = lambda live, form: [0]
GOOD["JetFreeBuffer"] = lambda live, form: [None]
GOOD["JetGetErrorInfoW"] = lambda live, form: [
    form.byref(c_int32(h.JET_errKeyDuplicate)),
    form.byref(h.JET_ERRINFOBASIC_W(cbStruct=sizeof(h.JET_ERRINFOBASIC_W))),
    sizeof(h.JET_ERRINFOBASIC_W), h.JET_ErrorInfoSpecificErr, 0]
GOOD["JetGetThreadStats"] = lambda live, form: [
    form.byref(h.JET_THREADSTATS()), sizeof(h.JET_THREADSTATS)]

# Sessions and transactions.

GOOD["JetBeginSession"] = lambda live, form: [live.inst, form.out(c_size_t), None, None]
GOOD["JetDupSession"] = lambda live, form: [live.ses, form.out(c_size_t)]
GOOD["JetEndSession"] = lambda live, form: [live.ses, 0]
GOOD["JetGetVersion"] = lambda live, form: [live.ses, form.out()]
GOOD["JetIdle"] = lambda live, form: [live.ses, 0]
GOOD["JetSetSessionContext"] = lambda live, form: [live.ses, 4711]
GOOD["JetBeginTransaction"] = lambda live, form: [live.ses]
GOOD["JetBeginTransaction2"] = lambda live, form: [live.ses, h.JET_bitTransactionReadOnly]
GOOD["JetBeginTransaction3"] = lambda live, form: [live.ses, 99, 0]
GOOD["JetGetSessionParameter"] = lambda live, form: [
    live.ses, h.JET_sesparamCommitDefault, form.buffer(4), 4, form.out()]
GOOD["JetSetSessionParameter"] = lambda live, form: [
    live.ses, h.JET_sesparamCommitDefault, form.byref(c_uint32(h.JET_bitCommitLazyFlush)), 4]


@good
def JetResetSessionContext(live, form):
    live.case.ok("JetSetSessionContext", live.ses, 4711)
    return [live.ses]


@good
def JetCommitTransaction(live, form):
    transaction(live)
    return [live.ses, 0]


@good
def JetCommitTransaction2(live, form):
    transaction(live)
    live.insert(50, "for a commit")
    return [live.ses, 0, 0, form.byref(h.JET_COMMIT_ID())]


@good
def JetRollback(live, form):
    transaction(live)
    return [live.ses, 0]


# Databases.

GOOD["JetCreateDatabase"] = lambda live, form: [
    live.ses, form.text(live.folder + "/c.edb"), None, form.out(), 0]
GOOD["JetCreateDatabase2"] = lambda live, form: [
    live.ses, form.text(live.folder + "/c.edb"), 0, form.out(), 0]
GOOD["JetAttachDatabase"] = lambda live, form: [live.ses, form.text(other_file(live)), 0]
GOOD["JetAttachDatabase2"] = lambda live, form: [live.ses, form.text(other_file(live)), 0, 0]
GOOD["JetDetachDatabase"] = lambda live, form: [
    live.ses, form.text(other_file(live, detach=False))]
GOOD["JetDetachDatabase2"] = lambda live, form: [
    live.ses, form.text(other_file(live, detach=False)), 0]
GOOD["JetOpenDatabase"] = lambda live, form: [
    live.ses, form.text(live.path), None, form.out(), 0]
GOOD["JetCloseDatabase"] = lambda live, form: [live.ses, live.dbid, 0]
GOOD["JetGetDatabaseFileInfo"] = lambda live, form: [
    form.text(other_file(live)), form.buffer(8), 8, h.JET_DbInfoFilesize]
GOOD["JetGetDatabaseInfo"] = lambda live, form: [
    live.ses, live.dbid, form.buffer(4), 4, h.JET_DbInfoPageSize]
GOOD["JetGrowDatabase"] = lambda live, form: [live.ses, live.dbid, 500, form.out()]
GOOD["JetResizeDatabase"] = lambda live, form: [live.ses, live.dbid, 600, form.out(), 0]
GOOD["JetSetDatabaseSize"] = lambda live, form: [
    live.ses, form.text(other_file(live)), 700, form.out()]
GOOD["JetCompact"] = lambda live, form: [
    live.ses, form.text(other_file(live, detach=False)), form.text(live.folder + "/compact.edb"),
    None, None, 0]
GOOD["JetDefragment"] = lambda live, form: [
    live.ses, live.dbid, None, form.byref(c_uint32(1)), form.byref(c_uint32(1)),
    h.JET_bitDefragmentBatchStart]
GOOD["JetDefragment2"] = lambda live, form: [
    live.ses, live.dbid, None, form.byref(c_uint32(1)), form.byref(c_uint32(1)), None,
    h.JET_bitDefragmentBatchStart]

# Tables, columns, indexes.


def columns(form):
    rows = (getattr(h, form.name("JET_COLUMNCREATE")) * 2)()
    for row, name in zip(rows, ("k", "v")):
        row.cbStruct = sizeof(row)
        row.szColumnName = form.at(name)
        row.coltyp = h.JET_coltypLong
    return rows


def indexes(form, kind, key, name="primary", grbit=h.JET_bitIndexPrimary):
    rows = (getattr(h, form.name(kind)) * 1)()
    rows[0].cbStruct = sizeof(rows[0])
    rows[0].szIndexName = form.at(name)
    rows[0].szKey = form.at(key + "\0")
    rows[0].cbKey = len(form.text(key + "\0"))
    rows[0].grbit = grbit
    return rows


def table_create(number, index):
    def make(live, form):
        made = form.struct("JET_TABLECREATE" + number, szTableName="made", cColumns=2, cIndexes=1)
        made.rgcolumncreate = form.at(columns(form))
        made.rgindexcreate = form.at(indexes(form, index, "+k"))
        return [live.ses, live.dbid, form.byref(made)]
    return make


for _number, _index in (("", "JET_INDEXCREATE"), ("2", "JET_INDEXCREATE"),
                        ("3", "JET_INDEXCREATE2"), ("4", "JET_INDEXCREATE3")):
    GOOD["JetCreateTableColumnIndex" + _number] = table_create(_number, _index)


def index_create(kind):
    def make(live, form):
        rows = indexes(form, kind, "-b", "by b", 0)
        form.keep.append(rows)
        return [live.ses, exclusive(live), rows, 1]
    return make


for _number, _index in (("2", "JET_INDEXCREATE"), ("3", "JET_INDEXCREATE2"),
                        ("4", "JET_INDEXCREATE3")):
    GOOD["JetCreateIndex" + _number] = index_create(_index)


@good
def JetCreateIndex(live, form):
    text = form.text("+b\0")
    return [live.ses, exclusive(live), form.text("by b"), 0, text, len(text), 80]


@good
def JetAddColumn(live, form):
    define = h.JET_COLUMNDEF(cbStruct=sizeof(h.JET_COLUMNDEF), coltyp=h.JET_coltypLong)
    return [live.ses, exclusive(live), form.text("c"), form.byref(define), None, 0, form.out()]


GOOD["JetCreateTable"] = lambda live, form: [
    live.ses, live.dbid, form.text("made"), 1, 80, form.out(c_size_t)]
GOOD["JetOpenTable"] = lambda live, form: [
    live.ses, live.dbid, form.text("t"), None, 0, 0, form.out(c_size_t)]
GOOD["JetCloseTable"] = lambda live, form: [live.ses, live.table]
GOOD["JetDeleteColumn"] = lambda live, form: [live.ses, exclusive(live), form.text("b")]
GOOD["JetDeleteColumn2"] = lambda live, form: [live.ses, exclusive(live), form.text("b"), 0]
GOOD["JetDeleteIndex"] = lambda live, form: [live.ses, exclusive(live), form.text("by a")]
GOOD["JetRenameColumn"] = lambda live, form: [
    live.ses, exclusive(live), form.text("b"), form.text("c"), 0]


def closed(live):
    live.case.ok("JetCloseTable", live.ses, exclusive(live))
    return "x"


GOOD["JetDeleteTable"] = lambda live, form: [live.ses, live.dbid, form.text(closed(live))]
GOOD["JetRenameTable"] = lambda live, form: [
    live.ses, live.dbid, form.text(closed(live)), form.text("y")]
GOOD["JetSetColumnDefaultValue"] = lambda live, form: [
    live.ses, live.dbid, form.text(closed(live)), form.text("b"), b"\5\0\0\0", 4, 0]
GOOD["JetDupCursor"] = lambda live, form: [live.ses, live.table, form.out(c_size_t), 0]
GOOD["JetComputeStats"] = lambda live, form: [live.ses, live.table]
GOOD["JetGetTableInfo"] = lambda live, form: [
    live.ses, live.table, form.buffer(), 4096, h.JET_TblInfoName]
GOOD["JetGetColumnInfo"] = lambda live, form: [
    live.ses, live.dbid, form.text("t"), form.text("id"), form.byref(h.JET_COLUMNDEF()),
    sizeof(h.JET_COLUMNDEF), h.JET_ColInfo]
GOOD["JetGetTableColumnInfo"] = lambda live, form: [
    live.ses, live.table, form.text("id"), form.byref(h.JET_COLUMNDEF()),
    sizeof(h.JET_COLUMNDEF), h.JET_ColInfo]
GOOD["JetGetIndexInfo"] = lambda live, form: [
    live.ses, live.dbid, form.text("t"), form.text("by name"), form.buffer(2), 2,
    h.JET_IdxInfoLangid]
GOOD["JetGetTableIndexInfo"] = lambda live, form: [
    live.ses, live.table, form.text("by name"), form.buffer(2), 2, h.JET_IdxInfoLangid]
GOOD["JetGetObjectInfo"] = lambda live, form: [
    live.ses, live.dbid, h.JET_objtypTable, form.text("Tables"), form.text("t"),
    form.byref(h.JET_OBJECTINFO(cbStruct=sizeof(h.JET_OBJECTINFO))), sizeof(h.JET_OBJECTINFO),
    h.JET_ObjInfo]
GOOD["JetSetTableSequential"] = lambda live, form: [live.ses, live.table, 0]
GOOD["JetResetTableSequential"] = lambda live, form: [live.ses, live.table, 0]


def temp_columns(form):
    rows = (h.JET_COLUMNDEF * 2)()
    for row in rows:
        row.cbStruct, row.coltyp = sizeof(row), h.JET_coltypLong
    rows[0].grbit = h.JET_bitColumnTTKey
    form.keep.append(rows)
    return rows


def temp(*middle):
    return lambda live, form: [
        live.ses, temp_columns(form), 2, *[m(form) for m in middle], h.JET_bitTTUpdatable,
        form.out(c_size_t), form.byref((c_uint32 * 2)())]


GOOD["JetOpenTempTable"] = temp()
GOOD["JetOpenTempTable2"] = temp(lambda form: 1033)
GOOD["JetOpenTempTable3"] = temp(
    lambda form: form.byref(h.JET_UNICODEINDEX(lcid=1033, dwMapFlags=0x30401)))


def temporary(kind):
    def make(live, form):
        made = form.struct(kind, ccolumn=2, grbit=h.JET_bitTTUpdatable)
        made.prgcolumndef = form.at(temp_columns(form))
        made.prgcolumnid = form.at((c_uint32 * 2)())
        return [live.ses, form.byref(made)]
    return make


GOOD["JetOpenTemporaryTable"] = temporary("JET_OPENTEMPORARYTABLE")
GOOD["JetOpenTemporaryTable2"] = temporary("JET_OPENTEMPORARYTABLE2")

# Cursors.

GOOD["JetMove"] = lambda live, form: [live.ses, live.table, 1, 0]
GOOD["JetMakeKey"] = lambda live, form: [
    live.ses, live.table, b"\5\0\0\0", 4, h.JET_bitNewKey]
GOOD["JetRetrieveKey"] = lambda live, form: [
    live.ses, live.table, form.buffer(), 4096, form.out(), 0]
GOOD["JetGetBookmark"] = lambda live, form: [
    live.ses, live.table, form.buffer(), 4096, form.out()]
GOOD["JetIndexRecordCount"] = lambda live, form: [live.ses, live.table, form.out(), 0]
GOOD["JetIndexRecordCount2"] = lambda live, form: [live.ses, live.table, form.out(c_uint64), 0]
GOOD["JetGetCursorInfo"] = lambda live, form: [live.ses, live.table, None, 0, 0]
GOOD["JetSetCurrentIndex"] = lambda live, form: [live.ses, live.table, form.text("by name")]
GOOD["JetSetCurrentIndex2"] = lambda live, form: [
    live.ses, live.table, form.text("by name"), h.JET_bitNoMove]
GOOD["JetSetCurrentIndex3"] = lambda live, form: [
    live.ses, live.table, form.text("by name"), 0, 1]
GOOD["JetSetCurrentIndex4"] = lambda live, form: [
    live.ses, live.table, form.text("by name"), None, 0, 1]
GOOD["JetGetRecordPosition"] = lambda live, form: [
    live.ses, live.table, form.byref(form.struct("JET_RECPOS")), sizeof(h.JET_RECPOS)]
GOOD["JetGotoPosition"] = lambda live, form: [
    live.ses, live.table,
    form.byref(form.struct("JET_RECPOS", centriesLT=1, centriesTotal=10))]
GOOD["JetSetCursorFilter"] = lambda live, form: [
    live.ses, live.table, form.byref(h.JET_INDEX_COLUMN(
        columnid=live.ids["data"], relop=h.JET_relopEquals, pv=form.at(b"x"), cb=1)), 1, 0]


@good
def JetSeek(live, form):
    key(live)
    return [live.ses, live.table, h.JET_bitSeekEQ]


@good
def JetSetIndexRange(live, form):
    key(live)
    return [live.ses, live.table, h.JET_bitRangeUpperLimit | h.JET_bitRangeInclusive]


@good
def JetGotoBookmark(live, form):
    buffer, actual = form.buffer(), c_uint32()
    live.case.ok("JetGetBookmark", live.ses, live.table, buffer, 4096, byref(actual))
    return [live.ses, live.table, buffer, actual.value]


@good
def JetGetCurrentIndex(live, form):
    by_name(live)
    return [live.ses, live.table, form.buffer(), 4096]


@good
def JetGetSecondaryIndexBookmark(live, form):
    by_name(live)
    return [live.ses, live.table, form.buffer(), 4096, form.out(), form.buffer(), 4096, form.out(),
            0]


@good
def JetGotoSecondaryIndexBookmark(live, form):
    first, second, sizes = form.buffer(), form.buffer(), (c_uint32(), c_uint32())
    by_name(live)
    live.case.ok("JetGetSecondaryIndexBookmark", live.ses, live.table, first, 4096,
                 byref(sizes[0]), second, 4096, byref(sizes[1]), 0)
    return [live.ses, live.table, first, sizes[0].value, second, sizes[1].value, 0]


@good
def JetIntersectIndexes(live, form):
    by_name(live)
    ranges = (h.JET_INDEXRANGE * 1)()
    ranges[0].cbStruct, ranges[0].tableid = sizeof(ranges[0]), live.table.value
    ranges[0].grbit = h.JET_bitRecordInIndex
    return [live.ses, form.byref(ranges), 1, form.byref(form.struct("JET_RECORDLIST")), 0]


@good
def JetPrereadKeys(live, form):
    keys = (ctypes.c_void_p * 2)(*[form.at(b"\x7f\x80\0\0" + bytes([n])) for n in (1, 2)])
    return [live.ses, live.table, form.byref(keys), form.byref((c_uint32 * 2)(5, 5)), 2,
            form.out(), h.JET_bitPrereadForward]


@good
def JetPrereadIndexRanges(live, form):
    column = h.JET_INDEX_COLUMN(columnid=live.ids["id"], relop=h.JET_relopEquals,
                                pv=form.at(b"\5\0\0\0"), cb=4)
    span = h.JET_INDEX_RANGE(rgStartColumns=form.at(column), cStartColumns=1)
    return [live.ses, live.table, form.byref(span), 1, form.out(), None, 0,
            h.JET_bitPrereadForward]


# Rows.

GOOD["JetPrepareUpdate"] = lambda live, form: [live.ses, live.table, h.JET_prepInsert]
GOOD["JetDelete"] = lambda live, form: [live.ses, live.table]
GOOD["JetRetrieveColumn"] = lambda live, form: [
    live.ses, live.table, live.ids["id"], form.buffer(), 4096, form.out(), 0,
    form.byref(form.struct("JET_RETINFO", itagSequence=1))]
GOOD["JetGetRecordSize"] = lambda live, form: [
    live.ses, live.table, form.byref(h.JET_RECSIZE()), 0]
GOOD["JetGetRecordSize2"] = lambda live, form: [
    live.ses, live.table, form.byref(h.JET_RECSIZE2()), 0]
GOOD["JetGetRecordSize3"] = lambda live, form: [
    live.ses, live.table, form.byref(h.JET_RECSIZE3()), 0]


@good
def JetRetrieveColumns(live, form):
    rows = (h.JET_RETRIEVECOLUMN * 1)()
    rows[0].columnid, rows[0].itagSequence = live.ids["id"], 1
    rows[0].pvData, rows[0].cbData = form.at(b"\0" * 8), 8
    return [live.ses, live.table, form.byref(rows), 1]


@good
def JetEnumerateColumns(live, form):
    libc = ctypes.CDLL(None)
    libc.realloc.restype = ctypes.c_void_p
    libc.realloc.argtypes = [ctypes.c_void_p, c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]

    @h.JET_PFNREALLOC
    def realloc(_context, memory, size):
        if size == 0:
            libc.free(memory)
            return None
        return libc.realloc(memory, size)

    form.keep.append(realloc)
    return [live.ses, live.table, 0, None, form.out(), form.out(c_size_t), realloc, None, 1 << 20,
            0]


@good
def JetGetLock(live, form):
    transaction(live)
    return [live.ses, live.table, h.JET_bitReadLock]


@good
def JetSetColumn(live, form):
    prepared(live)
    return [live.ses, live.table, live.ids["name"], b"new", 3, 0,
            form.byref(form.struct("JET_SETINFO", itagSequence=1))]


@good
def JetSetColumns(live, form):
    prepared(live)
    rows = (h.JET_SETCOLUMN * 1)()
    rows[0].columnid, rows[0].pvData, rows[0].cbData = live.ids["name"], form.at(b"new"), 3
    return [live.ses, live.table, form.byref(rows), 1]


@good
def JetUpdate(live, form):
    prepared(live)
    return [live.ses, live.table, form.buffer(), 4096, form.out()]


@good
def JetUpdate2(live, form):
    return JetUpdate(live, form) + [0]


@good
def JetEscrowUpdate(live, form):
    transaction(live)
    return [live.ses, live.table, live.ids["count"], form.byref(c_int32(3)), 4, form.buffer(4), 4,
            form.out(), 0]


# Callbacks and local storage.

@h.JET_CALLBACK
def quiet(*_):
    return 0


@good
def JetRegisterCallback(live, form):
    return [live.ses, live.table, h.JET_cbtypAfterInsert, quiet, None, form.out(c_size_t)]


@good
def JetUnregisterCallback(live, form):
    handle = c_size_t()
    live.case.ok("JetRegisterCallback", live.ses, live.table, h.JET_cbtypAfterInsert, quiet, None,
                 byref(handle))
    return [live.ses, live.table, h.JET_cbtypAfterInsert, handle]


def with_storage(live):
    """An instance whose local storage has somebody who frees it."""
    live.term()
    live.start({"JET_paramRuntimeCallback": ctypes.cast(quiet, ctypes.c_void_p).value})
    live.case.ok("JetAttachDatabaseA", live.ses, narrow(live.path), 0)
    live.case.ok("JetOpenDatabaseA", live.ses, narrow(live.path), None, byref(c_uint32()), 0)
    live.table = live.open("t", dbid=live.dbid)


@good
def JetSetLS(live, form):
    with_storage(live)
    return [live.ses, live.table, 77, h.JET_bitLSCursor]


@good
def JetGetLS(live, form):
    with_storage(live)
    live.case.ok("JetSetLS", live.ses, live.table, 77, h.JET_bitLSCursor)
    return [live.ses, live.table, form.out(c_size_t), h.JET_bitLSCursor]


# Backups, restores, snapshots.

def during(live, logs=False):
    live.begin()
    if logs:
        live.copy(live.path)
        for log in live.logs():
            live.copy(log)


GOOD["JetBeginExternalBackupInstance"] = lambda live, form: [live.inst, 0]
GOOD["JetBackupInstance"] = lambda live, form: [
    live.inst, form.text(live.case.folder()), h.JET_bitBackupAtomic, None]


@good
def JetGetAttachInfoInstance(live, form):
    during(live)
    return [live.inst, form.buffer(), 4096, form.out()]


@good
def JetGetLogInfoInstance(live, form):
    return JetGetAttachInfoInstance(live, form)


@good
def JetGetTruncateLogInfoInstance(live, form):
    during(live, True)
    return [live.inst, form.buffer(), 4096, form.out()]


@good
def JetOpenFileInstance(live, form):
    during(live)
    return [live.inst, form.text(live.path), form.out(c_size_t), form.out(), form.out()]


@good
def JetReadFileInstance(live, form):
    during(live)
    memory, address = aligned(65536)
    form.keep.append(memory)
    return [live.inst, live.open_file(live.path), address, 65536, form.out()]


@good
def JetCloseFileInstance(live, form):
    during(live)
    return [live.inst, live.open_file(live.path)]


@good
def JetTruncateLogInstance(live, form):
    during(live, True)
    return [live.inst]


@good
def JetEndExternalBackupInstance(live, form):
    during(live)
    return [live.inst]


@good
def JetEndExternalBackupInstance2(live, form):
    during(live)
    return [live.inst, h.JET_bitBackupEndAbort]


@good
def JetRestoreInstance(live, form):
    os.mkdir(live.folder + "/set")
    live.case.ok("JetBackupInstanceA", live.inst, narrow(live.folder + "/set"), 0, None)
    live.term()
    inst = c_size_t()
    live.case.ok("JetCreateInstanceA", byref(inst), b"restored\0")
    live.case.addCleanup(lambda: lib.JetTerm(inst))
    os.mkdir(live.folder + "/there")
    for parameter in (h.JET_paramSystemPath, h.JET_paramLogFilePath, h.JET_paramTempPath):
        live.set(inst, parameter, 0, live.folder + "/there/")
    return [inst, form.text(live.folder + "/set"), form.text(live.folder + "/there"), None]


def snapshot(live, frozen=False):
    snap = c_size_t()
    live.case.ok("JetOSSnapshotPrepare", byref(snap), h.JET_bitContinueAfterThaw)
    live.case.addCleanup(lambda: lib.JetOSSnapshotAbort(snap, 0))
    if frozen:
        live.case.ok("JetOSSnapshotFreezeA", snap, byref(c_uint32()), byref(c_size_t()), 0)
    return snap


def thawed(live):
    snap = snapshot(live, True)
    live.case.ok("JetOSSnapshotThaw", snap, 0)
    return snap


GOOD["JetOSSnapshotPrepare"] = lambda live, form: [form.out(c_size_t), 0]
GOOD["JetOSSnapshotFreeze"] = lambda live, form: [
    snapshot(live), form.out(), form.out(c_size_t), 0]
GOOD["JetOSSnapshotGetFreezeInfo"] = lambda live, form: [
    snapshot(live, True), form.out(), form.out(c_size_t), 0]
GOOD["JetOSSnapshotThaw"] = lambda live, form: [snapshot(live, True), 0]
GOOD["JetOSSnapshotAbort"] = lambda live, form: [snapshot(live, True), 0]
GOOD["JetOSSnapshotEnd"] = lambda live, form: [thawed(live), 0]
GOOD["JetOSSnapshotTruncateLog"] = lambda live, form: [thawed(live), 0]
GOOD["JetOSSnapshotTruncateLogInstance"] = lambda live, form: [thawed(live), live.inst, 0]


@good
def JetOSSnapshotPrepareInstance(live, form):
    snap = c_size_t()
    live.case.ok("JetOSSnapshotPrepare", byref(snap), h.JET_bitExplicitPrepare)
    live.case.addCleanup(lambda: lib.JetOSSnapshotAbort(snap, 0))
    return [snap, live.inst, 0]
