"""What the tests share: a library, an instance with a database and rows, how codes are asked for.

The tests call the functions as a C program does; only the examples use the layer above.
"""

import ctypes
import os
import shutil
import sys
import tempfile
import unittest
from ctypes import byref, c_size_t, c_uint32, sizeof
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PACKAGE))

import esent  # noqa: E402
from esent import _header as h  # noqa: E402
from esent import name_of, narrow, wide  # noqa: E402

lib = esent.library()
NIL = h.JET_instanceNil


def aligned(size):
    """Memory for JetReadFileInstance: what holds it, and the address."""
    memory = ctypes.create_string_buffer(size + 4096)
    address = ctypes.addressof(memory)
    return memory, address + -address % 4096


class Case(unittest.TestCase):
    """Names codes where they differ."""

    def code(self, expected, name, *arguments):
        found = getattr(lib, name)(*arguments)
        if found != expected:
            self.fail(f"{name} gave {name_of(found)}, expected {name_of(expected)}")

    def ok(self, name, *arguments):
        self.code(0, name, *arguments)

    def folder(self):
        folder = tempfile.mkdtemp(prefix="esent-")
        self.addCleanup(shutil.rmtree, folder, True)
        return folder

    def live(self, **settings):
        live = Live(self, self.folder(), settings)
        self.addCleanup(live.end)
        return live


class Live:
    """An instance in multi-instance mode, a session, a database `a.edb` and a table `t` with rows
    1 to 10: `id`, `name` (text), `data` (long binary), `count` (escrow), `tags` (several)."""

    COLUMNS = [
        ("id", h.JET_coltypLong, h.JET_bitColumnNotNULL, 0),
        ("name", h.JET_coltypText, 0, 50),
        ("data", h.JET_coltypLongBinary, 0, 0),
        ("count", h.JET_coltypLong, h.JET_bitColumnEscrowUpdate, 0),
        ("tags", h.JET_coltypLong, h.JET_bitColumnTagged | h.JET_bitColumnMultiValued, 0),
    ]

    def __init__(self, case, folder, settings):
        self.case, self.folder = case, folder
        self.path = f"{folder}/a.edb"
        self.inst = c_size_t(NIL)
        self.ses = c_size_t()
        self.start(settings)
        self.make()

    def start(self, settings=None):
        case, inst = self.case, c_size_t()
        case.ok("JetCreateInstance2A", byref(inst), narrow(self.folder), None, 0)
        for parameter in (h.JET_paramSystemPath, h.JET_paramLogFilePath, h.JET_paramTempPath):
            self.set(inst, parameter, 0, self.folder + "/")
        self.set(inst, h.JET_paramLogFileSize, 64)
        for name, value in (settings or {}).items():
            text = value if isinstance(value, str) else None
            self.set(inst, getattr(h, name), 0 if text else value, text)
        case.ok("JetInit2", byref(inst), 0)
        self.inst = inst
        case.ok("JetBeginSessionA", inst, byref(self.ses), None, None)

    def set(self, inst, parameter, number, text=None):
        self.case.ok("JetSetSystemParameterA", byref(inst), h.JET_sesidNil, parameter, number,
                     narrow(text))

    def make(self):
        case = self.case
        self.dbid = self.create_database(self.path)
        table = c_size_t()
        case.ok("JetCreateTableA", self.ses, self.dbid, b"t\0", 0, 0, byref(table))
        self.ids = {}
        for name, coltyp, grbit, size in self.COLUMNS:
            define = h.JET_COLUMNDEF(cbStruct=sizeof(h.JET_COLUMNDEF), coltyp=coltyp, grbit=grbit,
                                     cbMax=size, cp=1252)
            columnid, zero = c_uint32(), c_uint32(0)
            default = (byref(zero), 4) if name == "count" else (None, 0)
            case.ok("JetAddColumnA", self.ses, table, narrow(name), byref(define), *default,
                    byref(columnid))
            self.ids[name] = columnid.value
        for name, key, grbit in [(b"by id\0", b"+id\0\0", h.JET_bitIndexPrimary),
                                 (b"by name\0", b"+name\0\0", 0)]:
            case.ok("JetCreateIndexA", self.ses, table, name, grbit, key, len(key), 0)
        case.ok("JetCloseTable", self.ses, table)
        self.table = self.open("t")
        case.ok("JetBeginTransaction", self.ses)
        for number in range(1, 11):
            self.insert(number, f"row {number:02}")
        case.ok("JetCommitTransaction", self.ses, 0)
        case.ok("JetMove", self.ses, self.table, h.JET_MoveFirst, 0)

    def create_database(self, path):
        dbid = c_uint32()
        self.case.ok("JetCreateDatabaseA", self.ses, narrow(path), None, byref(dbid), 0)
        return dbid.value

    def open(self, name, ses=None, dbid=None, grbit=0):
        table = c_size_t()
        self.case.ok("JetOpenTableA", ses or self.ses, self.dbid if dbid is None else dbid,
                     narrow(name), None, 0, grbit, byref(table))
        return table

    def session(self):
        """Another session, with the database open."""
        ses, dbid = c_size_t(), c_uint32()
        self.case.ok("JetBeginSessionA", self.inst, byref(ses), None, None)
        self.case.ok("JetOpenDatabaseA", ses, narrow(self.path), None, byref(dbid), 0)
        return ses, dbid.value

    def set_column(self, name, value, grbit=0, info=None, table=None, expected=0):
        data = value.to_bytes(4, "little", signed=True) if isinstance(value, int) else value
        self.case.code(expected, "JetSetColumn", self.ses, table or self.table, self.ids[name],
                       data, len(data or b""), grbit, info)

    def insert(self, number, name, table=None):
        case, table = self.case, table or self.table
        case.ok("JetPrepareUpdate", self.ses, table, h.JET_prepInsert)
        self.set_column("id", number, table=table)
        self.set_column("name", name.encode(), table=table)
        case.ok("JetUpdate", self.ses, table, None, 0, None)

    def get(self, name, size=200, grbit=0, info=None, expected=0, ses=None, table=None):
        """The bytes of a value, as many as came, and their full number."""
        buffer, actual = ctypes.create_string_buffer(max(size, 1)), c_uint32(0xAAAA)
        self.case.code(expected, "JetRetrieveColumn", ses or self.ses, table or self.table,
                       self.ids[name], buffer if size else None, size, byref(actual), grbit, info)
        return buffer.raw[:min(size, actual.value)], actual.value

    def id(self, **options):
        return int.from_bytes(self.get("id", **options)[0], "little")

    def seek(self, number, grbit=h.JET_bitSeekEQ, expected=0):
        self.case.ok("JetMakeKey", self.ses, self.table, number.to_bytes(4, "little"), 4,
                     h.JET_bitNewKey)
        self.case.code(expected, "JetSeek", self.ses, self.table, grbit)

    # Backups, a function a step.

    def begin(self, grbit=0):
        self.case.ok("JetBeginExternalBackupInstance", self.inst, grbit)

    def end_backup(self, grbit=h.JET_bitBackupEndNormal, expected=0):
        self.case.code(expected, "JetEndExternalBackupInstance2", self.inst, grbit)

    def stop(self):
        self.case.ok("JetStopBackupInstance", self.inst)

    def open_file(self, path, expected=0):
        handle, low, high = c_size_t(), c_uint32(), c_uint32()
        self.case.code(expected, "JetOpenFileInstanceA", self.inst, narrow(path), byref(handle),
                       byref(low), byref(high))
        self.size = low.value + (high.value << 32)
        return handle

    def read(self, handle, size=65536, expected=0):
        memory, address = aligned(size)
        actual = c_uint32()
        self.case.code(expected, "JetReadFileInstance", self.inst, handle, address, size,
                       byref(actual))
        return ctypes.string_at(address, actual.value) if expected == 0 else b""

    def copy(self, path, target=None):
        handle, content = self.open_file(path), b""
        while piece := self.read(handle):
            content += piece
        self.case.assertEqual(len(content), self.size)
        self.case.ok("JetCloseFileInstance", self.inst, handle)
        if target:
            Path(target, os.path.basename(path)).write_bytes(content)

    def list(self, name):
        actual = c_uint32()
        self.case.ok(name, self.inst, None, 0, byref(actual))
        buffer = ctypes.create_string_buffer(actual.value)
        self.case.ok(name, self.inst, buffer, len(buffer), byref(actual))
        return [text.decode() for text in buffer.raw.split(b"\0") if text]

    def logs(self):
        return self.list("JetGetLogInfoInstanceA")

    def back_up(self, target=None, truncate=True):
        self.begin()
        for path in self.list("JetGetAttachInfoInstanceA"):
            self.copy(path, target)
        for path in self.logs():
            self.copy(path, target)
        if truncate:
            self.case.ok("JetTruncateLogInstance", self.inst)
        self.end_backup()

    def marks(self):
        """The generations that the database header tells of its last full backup."""
        misc = h.JET_DBINFOMISC()
        self.case.ok("JetGetDatabaseInfoA", self.ses, self.dbid, byref(misc), sizeof(misc),
                     h.JET_DbInfoMisc)
        return misc.bkinfoFullPrev.genLow, misc.bkinfoFullPrev.genHigh

    def term(self, grbit=h.JET_bitTermComplete, expected=0):
        self.case.code(expected, "JetTerm2", self.inst, grbit)
        if expected == 0:
            self.inst = c_size_t(NIL)

    def end(self):
        if self.inst.value != NIL:
            lib.JetTerm2(self.inst, h.JET_bitTermAbrupt | h.JET_bitTermStopBackup)
            self.inst = c_size_t(NIL)
