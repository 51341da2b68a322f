#!/usr/bin/env python3
"""Writes the first rows of a table as CSV with a foreign reader, for some seconds.

usage: export.py FILE TABLE OUT SECONDS {pyesedb,dissect}

Prints {"rows": rows written, "seconds": what they took}. Opening the file and finding the table are
not counted.
"""
import json
import sys
import time

BINARY, TEXT, LONG_BINARY, LONG_TEXT = 9, 10, 11, 12


def pyesedb_rows(path, name):
    import pyesedb
    file = pyesedb.file()
    file.open(path)
    table = file.get_table_by_name(name)
    types = [table.get_column(i).get_type() for i in range(table.get_number_of_columns())]

    def value(record, entry, coltyp):
        if record.get_value_data(entry) is None:
            return ''
        if coltyp in (TEXT, LONG_TEXT):
            return record.get_value_data_as_string(entry)
        if coltyp in (BINARY, LONG_BINARY):
            return record.get_value_data(entry).hex()
        if coltyp in (6, 7):
            return str(record.get_value_data_as_floating_point(entry))
        return str(record.get_value_data_as_integer(entry))

    count = table.get_number_of_records()
    yield None
    for number in range(count):
        record = table.get_record(number)
        yield [value(record, entry, coltyp) for entry, coltyp in enumerate(types)]


def dissect_rows(path, name):
    from dissect.esedb import EseDB
    table = EseDB(open(path, 'rb')).table(name)
    names = [column.name for column in table.columns]

    def text(value):
        if value is None:
            return ''
        return value.hex() if isinstance(value, bytes) else str(value)

    yield None
    for record in table.records():
        yield [text(record.get(name)) for name in names]


def main():
    path, name, out, seconds, reader = sys.argv[1:]
    rows = {'pyesedb': pyesedb_rows, 'dissect': dissect_rows}[reader](path, name)
    next(rows)
    count, elapsed, begin = 0, 0.0, time.monotonic()
    with open(out, 'w', encoding='utf-8', newline='') as file:
        for row in rows:
            file.write(','.join(row) + '\r\n')
            count += 1
            elapsed = time.monotonic() - begin
            if elapsed > float(seconds):
                break
    print(json.dumps({'rows': count, 'seconds': elapsed}))


if __name__ == '__main__':
    main()
