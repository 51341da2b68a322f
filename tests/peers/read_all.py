#!/usr/bin/env python3
"""Prints every row of a database as one foreign reader sees it, as JSON lines.

usage: read_all.py FILE --reader {pyesedb,dissect,impacket} [--table TABLE]...

For each row     {"table": name, "row": {column: value, ...}}   every column of the table is named
For each table   {"end": name, "rows": count}                   so that a cut output is noticed

Without --table all tables but those of the system (MSys*) are printed, by name. Values are typed
alike for the three readers, so that one expectation fits them all:

  bit -> true/false     integers, currency -> number      date -> its eight bytes as signed number
  floats -> number, or "nan", "inf", "-inf"                text -> string
  binary, GUID -> hex digits of the stored bytes           NULL or absent -> null
  several values -> list                                   not decoded -> {"undecoded": hex digits}

What they do not know: pyesedb and impacket print the stored bytes (zeros in files of ours) of fixed
columns that are NULL, and do not decode several values; pyesedb misreads fixed UTF-16 text. None
knows unsigned 64-bit numbers: pyesedb reads no row of such a table, for the others the stored bytes
are decoded here.
Nodes flagged as deleted are left out. Exit status 1 and one line on stderr on any error.
"""
import argparse
import json
import math
import struct
import sys
import uuid

BIT, BYTE, SHORT, LONG, CURRENCY, SINGLE, DOUBLE, DATE = range(1, 9)
BINARY, TEXT, LONG_BINARY, LONG_TEXT = 9, 10, 11, 12
UNSIGNED_LONG, LONG_LONG, GUID, UNSIGNED_SHORT, UNSIGNED_LONG_LONG = 14, 15, 16, 17, 18

FORMATS = {
    BIT: '<B', BYTE: '<B', SHORT: '<h', LONG: '<i', CURRENCY: '<q', SINGLE: '<f', DOUBLE: '<d',
    DATE: '<q', UNSIGNED_LONG: '<I', LONG_LONG: '<q', UNSIGNED_SHORT: '<H',
    UNSIGNED_LONG_LONG: '<Q',
}
TEXTS = (TEXT, LONG_TEXT)
NODE_DELETED = 2


def number(value):
    """A number as JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


def from_bytes(coltyp, data):
    """The canonical value of a fixed-size type from its stored bytes; hex for the others."""
    layout = FORMATS.get(coltyp)
    if layout is None:
        return data.hex()
    value = struct.unpack(layout, data)[0]
    return bool(value) if coltyp == BIT else number(value)


def from_value(coltyp, value):
    """The canonical value of what a reader has decoded itself."""
    if isinstance(value, (list, tuple)):
        return [from_value(coltyp, v) for v in value]
    if value is None or isinstance(value, bool):
        return value
    if coltyp == GUID and isinstance(value, str):
        return uuid.UUID(value).bytes_le.hex()
    if coltyp == BIT:
        return bool(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return from_bytes(coltyp, bytes(value))
    return number(value)


def is_system(name):
    return name.startswith('MSys')


class Pyesedb:
    """libesedb through its Python module."""

    def __init__(self, path):
        import pyesedb
        self.flags = pyesedb.value_flags
        self.file = pyesedb.file()
        self.file.open(path)
        count = self.file.get_number_of_tables()
        tables = [self.file.get_table(i) for i in range(count)]
        self.tables = {t.get_name(): t for t in tables}

    def names(self):
        return list(self.tables)

    def rows(self, name):
        table = self.tables[name]
        columns = [table.get_column(i) for i in range(table.get_number_of_columns())]
        names = [(c.get_name(), c.get_type()) for c in columns]
        for number_of_row in range(table.get_number_of_records()):
            record = table.get_record(number_of_row)
            yield {n: self.value(record, i, t) for i, (n, t) in enumerate(names)}

    def value(self, record, entry, coltyp):
        if record.is_multi_value(entry):
            # The module has a type for several values and no call that gives one.
            return {'undecoded': record.get_value_data(entry).hex()}
        if record.is_long_value(entry):
            long_value = record.get_value_data_as_long_value(entry)
            if coltyp in TEXTS:
                return long_value.get_data_as_string()
            data = long_value.get_data()
            return None if data is None else from_bytes(coltyp, data)
        data = record.get_value_data(entry)
        if data is None:
            return None
        if coltyp in TEXTS:
            return record.get_value_data_as_string(entry) or ''
        return from_bytes(coltyp, data)


class Dissect:
    """dissect.esedb."""

    def __init__(self, path):
        from dissect.esedb import EseDB
        self.database = EseDB(open(path, 'rb'))
        self.tables = {t.name: t for t in self.database.tables()}

    def names(self):
        return list(self.tables)

    def rows(self, name):
        table = self.tables[name]
        columns = [(c, c.name, int(c.type)) for c in table.columns]
        for record in table.records():
            if record._node.tag.flags & NODE_DELETED:
                continue
            data = record._data
            yield {n: from_value(t, data.get(c, errors='strict')) for c, n, t in columns}


def remember_last(method):
    """A method of one argument that keeps its last answer."""
    def remembering(self, argument):
        last = getattr(self, '_last', None)
        if last is None or last[0] != argument:
            self._last = last = argument, method(self, argument)
        return last[1]
    return remembering


class Impacket:
    """impacket.ese. It hands out rows one by one; the flags of a node are read beside it."""

    def __init__(self, path):
        from impacket.ese import ESENT_DB, ESENT_PAGE
        # It is asked for each node twice, and slow.
        ESENT_PAGE.getTag = remember_last(ESENT_PAGE.getTag)
        self.database = ESENT_DB(path)
        # The catalog as impacket has parsed it; there is no public list of it.
        self.catalog = self.database._ESENT_DB__tables

    def names(self):
        return [n.decode('latin-1') for n in self.catalog]

    def rows(self, name):
        key = name.encode('latin-1')
        coltyps = {c: entry['Record']['ColumnType']
                   for c, entry in self.catalog[key]['Columns'].items()}
        cursor = self.database.openTable(key)
        if cursor is None:
            raise KeyError(name)
        while True:
            row = self.database.getNextRow(cursor)
            if row is None:
                return
            flags, _ = cursor['CurrentPageData'].getTag(cursor['CurrentTag'])
            if flags & NODE_DELETED:
                continue
            yield {c.decode('latin-1'): self.value(coltyps[c], v) for c, v in row.items()}

    @staticmethod
    def value(coltyp, value):
        if isinstance(value, bytes):
            if coltyp == GUID and len(value) == 16:
                return value.hex()
            # hexlify()'d by impacket: binary types, and several values of any type
            text = value.decode('ascii')
            if coltyp == UNSIGNED_LONG_LONG and len(text) == 16:
                return from_bytes(coltyp, bytes.fromhex(text))
            return text if coltyp in (BINARY, LONG_BINARY) else {'undecoded': text}
        if coltyp in (DATE, CURRENCY, LONG_LONG) and isinstance(value, int) and value >= 1 << 63:
            return value - (1 << 64)
        return from_value(coltyp, value)


READERS = {'pyesedb': Pyesedb, 'dissect': Dissect, 'impacket': Impacket}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file')
    parser.add_argument('--reader', choices=sorted(READERS), required=True)
    parser.add_argument('--table', action='append', default=[])
    args = parser.parse_args()
    reader = READERS[args.reader](args.file)
    out = sys.stdout
    for name in args.table or sorted(n for n in reader.names() if not is_system(n)):
        count = 0
        for row in reader.rows(name):
            count += 1
            out.write(json.dumps({'table': name, 'row': row}))
            out.write('\n')
        out.write(json.dumps({'end': name, 'rows': count}) + '\n')


if __name__ == '__main__':
    try:
        main()
    except Exception as error:  # the Rust side wants one line, not a trace
        sys.exit(f'{type(error).__name__}: {error}')
