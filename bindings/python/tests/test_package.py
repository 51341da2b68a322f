"""The package: what it knows of the header is the header, and its examples run."""

import ctypes
import os
import re
import subprocess
import sys
import unittest

from support import PACKAGE, Case, h

sys.path.insert(0, str(PACKAGE))

import esent  # noqa: E402
import generate  # noqa: E402

LAYOUT = generate.HEADER.parent.parent / "tests/c/layout.c"


class Header(Case):
    def test_the_package_was_made_of_the_header_that_is_there(self):
        self.assertEqual(generate.OUTPUT.read_text(), generate.render(),
                         "run bindings/python/generate.py")

    def test_structures_have_the_sizes_and_offsets_that_c_has(self):
        text = LAYOUT.read_text()
        sizes = re.findall(r"assert\(sizeof\((\w+)\) == (\d+)", text, flags=re.I)
        offsets = re.findall(r"assert\(offsetof\((\w+), ?(\w+)\) == (\d+)", text, flags=re.I)
        self.assertGreater(len(sizes), 70)
        for name, size in sizes:
            self.assertEqual(ctypes.sizeof(getattr(h, name)), int(size), name)
        for name, field, offset in offsets:
            self.assertEqual(getattr(getattr(h, name), field).offset, int(offset),
                             f"{name}.{field}")

    def test_every_function_of_the_header_is_in_the_library(self):
        for name in h.FUNCTIONS:
            getattr(esent.library(), name)


class Examples(Case):
    def example(self, name):
        script = PACKAGE / "examples" / f"{name}.py"
        done = subprocess.run([sys.executable, "-B", script, self.folder() + "/it"],
                              capture_output=True, text=True, timeout=120,
                              env=dict(os.environ, PYTHONIOENCODING="utf-8"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.splitlines()

    def test_the_bookstore_sells_and_refuses(self):
        said = self.example("bookstore")
        self.assertEqual(said[:2], ["Solaris is sold out", "JET_errKeyDuplicate"])
        self.assertEqual(said[-1], "JET_errWriteConflict")

    def test_the_backup_agent_is_stopped_by_a_signal_and_then_copies_all(self):
        said = self.example("backup_agent")
        self.assertEqual(said[0], "stopped: JET_errBackupAbortByServer")
        self.assertEqual(said[-1], "restored: 200 rows")

    def test_the_event_log_finds_the_last_events(self):
        said = self.example("event_log")
        self.assertEqual(said[0], "event 1998: nothing to worry about")
        self.assertEqual(said[-1], "1000 left")


class Layer(Case):
    def test_errors_say_the_code_the_name_and_the_call(self):
        with self.assertRaises(esent.JetError) as caught:
            esent.call("JetBeginTransaction", 0)
        self.assertEqual(caught.exception.code, h.JET_errInvalidSesid)
        self.assertIn("JetBeginTransaction: -1104, JET_errInvalidSesid, ", str(caught.exception))

    def test_values_go_in_and_out_as_they_are(self):
        folder = self.folder()
        kinds = {
            "bit": (h.JET_coltypBit, True), "byte": (h.JET_coltypUnsignedByte, 200),
            "short": (h.JET_coltypShort, -3), "number": (h.JET_coltypLong, -(2 ** 31)),
            "big": (h.JET_coltypLongLong, 2 ** 40), "real": (h.JET_coltypIEEEDouble, 0.125),
            "raw": (h.JET_coltypBinary, b"\0\1"), "text": (h.JET_coltypText, "\u017elu\u0165"),
            "long": (h.JET_coltypLongText, "\u20ac" * 5000),
            "blob": (h.JET_coltypLongBinary, b"x" * 30000), "empty": (h.JET_coltypLongText, ""),
        }
        with esent.Instance(folder) as instance, instance.session() as session:
            dbid = session.create_database(folder + "/v.edb")
            table = session.create_table(
                dbid, "v", [esent.column(name, kind) for name, (kind, _) in kinds.items()],
                [esent.index("p", "+number", h.JET_bitIndexPrimary)])
            with session.transaction():
                table.insert(**{name: value for name, (_, value) in kinds.items()})
                table.insert(number=5)
            self.assertTrue(table.seek(("number", -(2 ** 31))))
            for name, (_, value) in kinds.items():
                self.assertEqual(table.get(name), value, name)
            self.assertTrue(table.seek(("number", 5)))
            self.assertIsNone(table.get("text"))
            self.assertFalse(table.seek(("number", 6)))


if __name__ == "__main__":
    unittest.main()
