#!/usr/bin/env python3
"""Prints every row of every table of a database as dissect.esedb sees it, as JSON lines.

usage: dissect_rows.py FILE

For each row     {"table": name, "key": hex digits, "row": {column: value, ...}}
For each table   {"end": name, "rows": count}

System tables are included. Values have the forms of read_all.py; bytes of text that are no
characters appear as \\xNN; a value that dissect cannot decode is {"undecoded": its words}. Nodes
flagged as deleted are left out (dissect itself lists them). Exit status 1 and one line on stderr
on any error.
"""
import json
import sys

from dissect.esedb import EseDB

from read_all import NODE_DELETED, from_value


def value(data, column):
    try:
        return from_value(int(column.type), data.get(column, errors='backslashreplace'))
    except Exception as error:  # one value must not hide the others
        return {'undecoded': f'{type(error).__name__}: {error}'}


def main():
    database = EseDB(open(sys.argv[1], 'rb'))
    out = sys.stdout
    for table in database.tables():
        count = 0
        for record in table.records():
            if record._node.tag.flags & NODE_DELETED:
                continue
            count += 1
            row = {column.name: value(record._data, column) for column in table.columns}
            line = {'table': table.name, 'key': bytes(record._node.key).hex(), 'row': row}
            out.write(json.dumps(line) + '\n')
        out.write(json.dumps({'end': table.name, 'rows': count}) + '\n')


if __name__ == '__main__':
    try:
        main()
    except Exception as error:  # the Rust side wants one line, not a trace
        sys.exit(f'{type(error).__name__}: {error}')
