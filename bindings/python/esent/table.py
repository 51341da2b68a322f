"""Tables: their columns and indexes, cursors on them, rows."""

import ctypes
import re
import struct
from ctypes import byref, c_size_t, c_uint32

from . import _header as h
from ._library import narrow
from .errors import call

_FORMATS = {
    h.JET_coltypUnsignedByte: "<B", h.JET_coltypShort: "<h", h.JET_coltypLong: "<i",
    h.JET_coltypCurrency: "<q", h.JET_coltypIEEESingle: "<f", h.JET_coltypIEEEDouble: "<d",
    h.JET_coltypDateTime: "<d", h.JET_coltypUnsignedLong: "<I", h.JET_coltypLongLong: "<q",
    h.JET_coltypUnsignedShort: "<H",
}
_TEXTS = {h.JET_coltypText, h.JET_coltypLongText}
_WIDE = 1200


def column(name, coltyp, grbit=0, size=0, codepage=_WIDE):
    """What a column shall be."""
    return (name, coltyp, grbit, size, codepage)


def index(name, key, grbit=0):
    """What an index shall be; `key` as "+last-first", or a list of columns with their signs."""
    parts = re.findall(r"[+-][^+-]*", key) if isinstance(key, str) else list(key)
    return (name, parts, grbit)


class Column:
    """A column of an open table: how its values are written and read."""

    def __init__(self, columnid, coltyp, codepage):
        self.id, self.coltyp, self.codepage = columnid, coltyp, codepage

    def encode(self, value):
        """The bytes of a value, as rows and keys have them."""
        if self.coltyp == h.JET_coltypBit:
            return b"\xff" if value else b"\0"
        if self.coltyp in _FORMATS:
            return struct.pack(_FORMATS[self.coltyp], value)
        if self.coltyp in _TEXTS and isinstance(value, str):
            return value.encode("utf-16-le" if self.codepage == _WIDE else "cp1252")
        return bytes(value)

    def decode(self, value):
        if self.coltyp == h.JET_coltypBit:
            return value != b"\0"
        if self.coltyp in _FORMATS:
            return struct.unpack(_FORMATS[self.coltyp], value)[0]
        if self.coltyp in _TEXTS:
            return value.decode("utf-16-le" if self.codepage == _WIDE else "cp1252")
        return value


class Table:
    """A cursor on a table."""

    def __init__(self, session, dbid, name, grbit=0):
        self.session, self.name = session, name
        self.handle = c_size_t()
        self._columns = {}
        self._buffer = ctypes.create_string_buffer(4096)
        call("JetOpenTableA", session.handle, dbid, narrow(name), None, 0, grbit,
             byref(self.handle))

    @classmethod
    def create(cls, session, dbid, name, columns, indexes=()):
        made = (h.JET_COLUMNCREATE_A * max(len(columns), 1))()
        keep = []  # the structures point into these

        def text(value):
            keep.append(ctypes.create_string_buffer(value))
            return ctypes.addressof(keep[-1])

        for create, (title, coltyp, grbit, size, codepage) in zip(made, columns):
            create.cbStruct = ctypes.sizeof(create)
            create.szColumnName = text(narrow(title))
            create.coltyp, create.grbit, create.cbMax = coltyp, grbit, size
            create.cp = codepage if coltyp in _TEXTS else 0
        keys = (h.JET_INDEXCREATE_A * max(len(indexes), 1))()
        for create, (title, parts, grbit) in zip(keys, indexes):
            key = b"".join(narrow(part) for part in parts) + b"\0"
            create.cbStruct = ctypes.sizeof(create)
            create.szIndexName, create.szKey = text(narrow(title)), text(key)
            create.cbKey, create.grbit = len(key), grbit
        table = h.JET_TABLECREATE_A()
        table.cbStruct = ctypes.sizeof(table)
        table.szTableName = text(narrow(name))
        table.rgcolumncreate, table.cColumns = ctypes.addressof(made), len(columns)
        table.rgindexcreate, table.cIndexes = ctypes.addressof(keys), len(indexes)
        call("JetCreateTableColumnIndexA", session.handle, dbid, byref(table))
        # Who makes a table has it alone until this cursor is closed.
        call("JetCloseTable", session.handle, table.tableid)
        return cls(session, dbid, name)

    def column(self, name):
        if name not in self._columns:
            found = h.JET_COLUMNDEF()
            call("JetGetTableColumnInfoA", self.session.handle, self.handle, narrow(name),
                 byref(found), ctypes.sizeof(found), h.JET_ColInfo)
            self._columns[name] = Column(found.columnid, found.coltyp, found.cp)
        return self._columns[name]

    def _write(self, prepare, values):
        session, actual = self.session.handle, c_uint32()
        bookmark = ctypes.create_string_buffer(2048)
        call("JetPrepareUpdate", session, self.handle, prepare)
        try:
            for name, value in values.items():
                of = self.column(name)
                data = b"" if value is None else of.encode(value)
                grbit = h.JET_bitSetZeroLength if data == b"" and value is not None else 0
                call("JetSetColumn", session, self.handle, of.id, data, len(data), grbit, None)
            call("JetUpdate", session, self.handle, bookmark, len(bookmark), byref(actual))
        except Exception:
            # A failed update stays prepared.
            call("JetPrepareUpdate", session, self.handle, h.JET_prepCancel)
            raise
        return bookmark.raw[:actual.value]

    def insert(self, **values):
        """Adds a row and gives its bookmark. The cursor stays where it is."""
        return self._write(h.JET_prepInsert, values)

    def replace(self, **values):
        """Changes columns of the row under the cursor."""
        return self._write(h.JET_prepReplace, values)

    def delete(self):
        call("JetDelete", self.session.handle, self.handle)

    def get(self, name, tag=1):
        """A value of the row under the cursor; None is NULL."""
        of, actual = self.column(name), c_uint32()
        info = h.JET_RETINFO(cbStruct=ctypes.sizeof(h.JET_RETINFO), itagSequence=tag)
        while True:
            code = call("JetRetrieveColumn", self.session.handle, self.handle, of.id, self._buffer,
                        len(self._buffer), byref(actual), 0, byref(info))
            if code == h.JET_wrnColumnNull:
                return None
            if code != h.JET_wrnBufferTruncated:
                return of.decode(self._buffer.raw[:actual.value])
            self._buffer = ctypes.create_string_buffer(actual.value)

    def use(self, index=None):
        """Sorts by an index; None is the primary one."""
        call("JetSetCurrentIndexA", self.session.handle, self.handle, narrow(index))

    def move(self, by):
        """Moves; False where no row is."""
        try:
            call("JetMove", self.session.handle, self.handle, by, 0)
        except Exception as error:
            if error.code == h.JET_errNoCurrentRecord:
                return False
            raise
        return True

    def first(self):
        return self.move(h.JET_MoveFirst)

    def next(self):
        return self.move(1)

    def key(self, *values, grbit=0):
        """Makes the key of a search of the index's first columns, each `(name, value)`."""
        for at, (name, value) in enumerate(values):
            of = self.column(name)
            data = b"" if value is None else of.encode(value)
            bits = h.JET_bitNewKey if at == 0 else 0
            bits |= grbit if at + 1 == len(values) else 0
            if data == b"" and value is not None:
                bits |= h.JET_bitKeyDataZeroLength
            call("JetMakeKey", self.session.handle, self.handle, data, len(data), bits)

    def seek(self, *values, grbit=h.JET_bitSeekEQ):
        """Goes to a row by its key; False where there is none."""
        self.key(*values)
        try:
            call("JetSeek", self.session.handle, self.handle, grbit)
        except Exception as error:
            if error.code == h.JET_errRecordNotFound:
                return False
            raise
        return True

    def rows(self, *names):
        """From the first row to the last: the values of columns."""
        there = self.first()
        while there:
            yield tuple(self.get(name) for name in names)
            there = self.next()

    def count(self):
        """How many rows there are from the cursor on."""
        count = c_uint32()
        call("JetIndexRecordCount", self.session.handle, self.handle, byref(count), 0)
        return count.value

    def close(self):
        if self.handle.value:
            handle, self.handle = self.handle, c_size_t()
            call("JetCloseTable", self.session.handle, handle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
