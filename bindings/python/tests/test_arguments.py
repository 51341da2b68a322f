"""Every function of the first two phases, with good arguments and with each kind of bad one.

Of each function there is one good call. From it come the bad ones: handles that are none, that were
closed, that belong to somebody else or are of another kind; NULL for each pointer in turn; and the
same in the narrow and the wide form. A bad call is refused with the code of its kind and changes
nothing, so that the good call after all of them succeeds.
"""

import ctypes
import unittest
from ctypes import byref, c_size_t, c_uint32, sizeof

from arguments import GOOD, Form
from support import NIL, PACKAGE, Case, Live, h, lib, name_of

# Pointers that may be NULL, by function (without its ending) or for all.
OPTIONAL = {
    "*": {"szConnect", "szUserName", "szPassword", "pfnStatus", "pfn", "psetinfo", "pretinfo",
          "pvReallocContext", "pvContext", "pcbActual", "callback"},
    "JetAddColumn": {"pvDefault", "pcolumnid"},
    "JetBackupInstance": {"szBackupPath"},  # then only logs are truncated
    "JetBeginSession": set(),
    "JetCommitTransaction2": {"pCommitId"},
    "JetCompact": {"pconvert"},
    "JetCreateInstance": {"szInstanceName"},
    "JetCreateInstance2": {"szInstanceName", "szDisplayName"},
    "JetDefragment": {"szTableName", "pcPasses", "pcSeconds"},
    "JetDefragment2": {"szTableName", "pcPasses", "pcSeconds"},
    "JetDetachDatabase": {"szFilename"},
    "JetDetachDatabase2": {"szFilename"},
    "JetEnumerateColumns": {"rgEnumColumnId"},
    "JetEscrowUpdate": {"pvOld", "pcbOldActual"},
    "JetFreeBuffer": {"pbBuf"},
    "JetGetAttachInfoInstance": {"szzDatabases"},
    "JetGetColumnInfo": {"pwColumnNameOrId"},
    "JetGetErrorInfo": set(),
    "JetGetIndexInfo": {"szIndexName"},
    "JetGetLogInfoInstance": {"szzLogs", "wszzLogs"},
    "JetGetObjectInfo": {"szContainerName", "szObjectName"},
    "JetGetSystemParameter": {"plParam", "szParam"},
    "JetGetTableIndexInfo": {"szIndexName"},
    "JetGetTruncateLogInfoInstance": {"szzLogs", "wszzLogs"},
    "JetGrowDatabase": {"pcpgReal"},
    "JetInit3": {"prstInfo"},
    "JetMakeKey": {"pvData"},
    "JetOpenFileInstance": {"pulFileSizeLow", "pulFileSizeHigh"},
    "JetOpenTable": {"pvParameters"},
    "JetPrereadIndexRanges": {"pcRangesPreread", "rgcolumnidPreread"},
    "JetPrereadKeys": {"pckeysPreread"},
    "JetRetrieveColumn": {"pvData"},  # asks for the size
    "JetRetrieveKey": {"pvKey"},
    "JetRegisterCallback": set(),
    "JetResizeDatabase": {"pcpgActual"},
    "JetRestoreInstance": {"szDest"},
    "JetGetSecondaryIndexBookmark": {"pcbSecondaryKeyActual", "pcbPrimaryBookmarkActual"},
    "JetSetColumn": {"pvData"},
    "JetSetCurrentIndex": {"szIndexName"},
    "JetSetCurrentIndex2": {"szIndexName"},
    "JetSetCurrentIndex3": {"szIndexName"},
    "JetSetCurrentIndex4": {"szIndexName", "pindexid"},
    "JetSetDatabaseSize": {"pcpgReal"},
    "JetSetSystemParameter": {"pinstance", "szParam"},
    "JetGetSessionParameter": {"pcbParamActual", "pvParam"},
    "JetOpenTempTable3": {"pidxunicode"},
    "JetUpdate": {"pvBookmark"},
    "JetUpdate2": {"pvBookmark"},
}

# What a pointer that is missing is answered with, where it is no invalid parameter.
NULLS = {
    ("JetEscrowUpdate", "pv"): h.JET_errInvalidBufferSize,
    ("JetGetBookmark", "pvBookmark"): h.JET_errBufferTooSmall,
    ("JetGetSecondaryIndexBookmark", "pvSecondaryKey"): h.JET_errBufferTooSmall,
    ("JetGetSecondaryIndexBookmark", "pvPrimaryBookmark"): h.JET_errBufferTooSmall,
    ("JetInit", "pinstance"): h.JET_errRunningInMultiInstanceMode,
    ("JetInit2", "pinstance"): h.JET_errRunningInMultiInstanceMode,
    ("JetInit3", "pinstance"): h.JET_errRunningInMultiInstanceMode,
    ("JetSetColumnDefaultValue", "pvData"): h.JET_errNullInvalid,
    ("JetSetSessionParameter", "pvParam"): h.JET_errInvalidBufferSize,
    ("JetGotoSecondaryIndexBookmark", "pvPrimaryBookmark"): h.JET_errInvalidBookmark,
    ("JetGotoBookmark", "pvBookmark"): h.JET_errInvalidBookmark,
    ("JetGotoSecondaryIndexBookmark", "pvSecondaryKey"): h.JET_errInvalidBookmark,
}

# Sets of calls which begin by themselves with what others must have begun.
INSTANCE_FREE = {"JetStopBackupInstance", "JetStopServiceInstance", "JetStopServiceInstance2"}


def base(name):
    """The name without the ending of its form."""
    return name[:-1] if name[-1] in "AW" and name[:-1] + "A" in h.FUNCTIONS or (
        name[-1] == "W" and name[:-1] in GOOD) else name


class Arguments(Case):
    """One method for each function and form; made below."""

    def refused(self, codes, name, arguments, why):
        found = getattr(lib, name)(*arguments)
        if found not in codes:
            wanted = " or ".join(map(name_of, codes))
            self.wrong.append(f"{name}, {why}: {name_of(found)} ({found}), expected {wanted}")

    def run_function(self, name):
        self.wrong = []
        live = self.live()
        form = Form(name[-1] == "W")  # holds what the arguments point to
        arguments = GOOD[base(name)](live, form)
        parameters = [parameter for parameter, _ in h.FUNCTIONS[name]]
        self.assertEqual(len(arguments), len(parameters), name)
        for at, parameter in enumerate(parameters):
            bad = list(arguments)
            for why, value, codes in self.bad_values(name, parameter, arguments[at], live):
                bad[at] = value
                self.refused(codes, name, bad, why)
        found = getattr(lib, name)(*arguments)
        if found < 0:
            self.wrong.append(f"{name}, good: {name_of(found)} ({found})")
        form.keep.clear()
        self.assertEqual(self.wrong, [], "\n" + "\n".join(self.wrong))

    def bad_values(self, name, parameter, value, live):
        """Why it is bad, the value, and the codes that may come."""
        invalid = h.JET_errInvalidParameter
        if parameter == "sesid" and not name.startswith(("JetSetSystem", "JetGetSystem")):
            for why, bad in (("no session", 0), ("nil session", NIL), ("some number", 0x5A5A5A5A),
                             ("a closed session", self.closed_session(live))):
                yield why, bad, {h.JET_errInvalidSesid}
        elif parameter in ("tableid", "tableidSrc"):
            for why, bad in (("no table", 0), ("nil table", NIL), ("some number", 0x5A5A5A5A),
                             ("a closed table", self.closed_table(live))):
                yield why, bad, {h.JET_errInvalidTableId}
            other, dbid = live.session()
            yield "another's table", live.open("t", other, dbid), {h.JET_errSesidTableIdMismatch}
        elif parameter == "instance" and not name.startswith("JetGetSystem"):
            codes = {h.JET_errInvalidInstance, invalid}
            if name in INSTANCE_FREE:
                codes = {invalid}
            for why, bad in (("no instance", 0), ("nil instance", NIL), ("a number", 0x5A5A5A5A)):
                yield why, bad, codes
        elif parameter == "dbid":
            for why, bad in (("nil database", 0xFFFFFFFF), ("some number", 77)):
                yield why, bad, {h.JET_errInvalidDatabaseId}
        elif self.is_pointer(name, parameter) and value is not None:
            optional = OPTIONAL["*"] | OPTIONAL.get(base(name), set())
            if parameter not in optional:
                yield (f"{parameter} NULL", None,
                       {NULLS.get((base(name), parameter), invalid)} | self.by_state(name))

    @staticmethod
    def is_pointer(name, parameter):
        return dict(h.FUNCTIONS[name])[parameter] is ctypes.c_void_p

    @staticmethod
    def by_state(name):
        """Names that are missing are also told as names that are wrong."""
        return {h.JET_errInvalidName, h.JET_errInvalidPath, h.JET_errDatabaseInvalidPath,
                h.JET_errDatabaseInvalidName} if not name.startswith("JetRetrieve") else set()

    def closed_session(self, live):
        ses = c_size_t()
        self.ok("JetBeginSessionA", live.inst, byref(ses), None, None)
        self.ok("JetEndSession", ses, 0)
        return ses.value

    def closed_table(self, live):
        table = live.open("t")
        self.ok("JetCloseTable", live.ses, table)
        return table.value


def covered(name):
    def test(self):
        self.run_function(name)
    return test


for _name in h.FUNCTIONS:
    if base(_name) in GOOD:
        setattr(Arguments, f"test_{_name}", covered(_name))


class Inventory(Case):
    def test_every_function_of_the_first_two_phases_has_a_good_call(self):
        table = PACKAGE / "tests/functions.txt"
        names = [line.split()[0] for line in table.read_text().splitlines() if line]
        self.assertEqual([name for name in names if name not in GOOD], [])

    def test_kinds_of_handles_are_told_apart(self):
        live = self.live()
        self.code(h.JET_errInvalidSesid, "JetBeginTransaction", live.inst)
        self.code(h.JET_errInvalidSesid, "JetBeginTransaction", live.table)
        self.code(h.JET_errInvalidTableId, "JetMove", live.ses, live.ses, 0, 0)
        self.code(h.JET_errInvalidTableId, "JetMove", live.ses, live.inst, 0, 0)
        found = lib.JetBeginSessionA(live.ses, byref(c_size_t()), None, None)
        self.assertIn(found, (h.JET_errInvalidInstance, h.JET_errInvalidParameter))


if __name__ == "__main__":
    unittest.main()
