"""Statements of the interface that programs rely on: buffers and lengths, warnings, where a cursor
is, what an update leaves. Numbers in the methods' notes are those of the semantics' chapters.
"""

import ctypes
import os
import unittest
from ctypes import byref, c_int32, c_size_t, c_uint32, sizeof

from support import NIL, Case, h, lib, narrow, wide

NO_RECORD = h.JET_errNoCurrentRecord


class Parameters(Case):
    def read(self, live, letter, parameter, size):
        buffer = ctypes.create_string_buffer(b"\xee" * 600, 600)
        code = getattr(lib, "JetGetSystemParameter" + letter)(
            live.inst, h.JET_sesidNil, parameter, None, buffer, size)
        return code, buffer.raw

    def test_texts_are_truncated_with_their_end_and_an_error(self):
        live = self.live()
        whole = live.folder + "/"
        for letter, encode in (("A", narrow), ("W", wide)):
            text = encode(whole)
            self.assertEqual(self.read(live, letter, h.JET_paramLogFilePath, 600),
                             (0, text + b"\xee" * (600 - len(text))))
            code, short = self.read(live, letter, h.JET_paramLogFilePath, 8)
            width = len(encode(""))
            self.assertEqual(code, h.JET_errBufferTooSmall)
            self.assertEqual(short[:9], text[:8 - width] + encode("") + b"\xee")

    def test_late_changes_are_refused_but_for_what_it_is_already(self):
        live = self.live()
        inst = c_size_t(live.inst.value)
        late = h.JET_errAlreadyInitialized
        self.code(late, "JetSetSystemParameterA", byref(inst), h.JET_sesidNil,
                  h.JET_paramLogFileSize, 128, None)
        self.ok("JetSetSystemParameterA", byref(inst), h.JET_sesidNil, h.JET_paramLogFileSize, 64,
                None)
        self.code(late, "JetSetSystemParameterA", None, h.JET_sesidNil, h.JET_paramDatabasePageSize,
                  8192, None)
        self.code(h.JET_errInvalidParameter, "JetSetSystemParameterA", byref(inst), h.JET_sesidNil,
                  0x7FFF, 1, None)

    def test_the_text_of_an_error_has_its_name_first(self):
        number = c_size_t(h.JET_errWriteConflict & 0xFFFFFFFF)
        buffer = ctypes.create_string_buffer(300)
        self.ok("JetGetSystemParameterA", NIL, h.JET_sesidNil, h.JET_paramErrorToString,
                byref(number), buffer, 300)
        self.assertTrue(buffer.value.startswith(b"JET_errWriteConflict, "))
        self.code(h.JET_errInvalidParameter, "JetGetSystemParameterA", NIL, h.JET_sesidNil,
                  h.JET_paramErrorToString, None, buffer, 300)
        self.code(h.JET_errInvalidParameter, "JetGetSystemParameterA", NIL, h.JET_sesidNil,
                  h.JET_paramErrorToString, byref(number), None, 0)

    def test_names_and_modes_of_instances(self):
        live = self.live()
        self.code(h.JET_errInstanceNameInUse, "JetCreateInstanceA", byref(c_size_t()),
                  narrow(live.folder))
        self.code(h.JET_errRunningInMultiInstanceMode, "JetInit", None)
        live.term()
        self.code(h.JET_errInvalidInstance, "JetTerm", 0x01000001)

    def test_text_that_is_none_is_refused(self):
        live = self.live()
        bad = h.JET_errUnicodeTranslationFail
        table = byref(c_size_t())
        self.code(bad, "JetOpenTableA", live.ses, live.dbid, b"\xff\xfe\0", None, 0, 0, table)
        self.code(bad, "JetOpenTableW", live.ses, live.dbid, b"\x00\xd8\0\0", None, 0, 0, table)

    def test_both_separators_are_understood(self):
        live = self.live()
        dbid = c_uint32()
        self.ok("JetCreateDatabaseA", live.ses, narrow(live.folder + "\\b.edb"), None, byref(dbid),
                0)
        self.code(h.JET_errDatabaseDuplicate, "JetCreateDatabaseW", live.ses,
                  wide(live.folder + "/b.edb"), None, byref(dbid), 0)


class Retrieval(Case):
    """Chapter 10."""

    def setUp(self):
        self.l = self.live()
        live = self.l
        self.ok("JetBeginTransaction", live.ses)
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepReplace)
        live.set_column("data", bytes(range(256)) * 40)
        for value in (7, 8, 9):
            live.set_column("tags", value, 0, byref(h.JET_SETINFO(
                cbStruct=sizeof(h.JET_SETINFO), itagSequence=0)))
        self.ok("JetUpdate", live.ses, live.table, None, 0, None)
        self.ok("JetCommitTransaction", live.ses, 0)

    def info(self, **fields):
        return byref(h.JET_RETINFO(cbStruct=sizeof(h.JET_RETINFO), **fields))

    def test_short_buffers_get_the_beginning_and_the_whole_size(self):
        live = self.l
        truncated = h.JET_wrnBufferTruncated
        self.assertEqual(live.get("name", 3, expected=truncated), (b"row", 6))
        self.assertEqual(live.get("name", 0, expected=truncated), (b"", 6))
        self.assertEqual(live.get("name", 6), (b"row 01", 6))
        data, actual = live.get("data", 100, expected=truncated)
        self.assertEqual((data, actual), (bytes(range(100)), 10240))
        part = self.info(itagSequence=1, ibLongValue=10000)
        self.assertEqual(live.get("data", 100, info=part, expected=truncated)[1], 240)
        past = self.info(itagSequence=1, ibLongValue=20000)
        self.assertEqual(live.get("data", 100, info=past), (b"", 0))

    def test_the_actual_size_need_not_be_asked_for(self):
        live, buffer = self.l, ctypes.create_string_buffer(8)
        self.ok("JetRetrieveColumn", live.ses, live.table, live.ids["id"], buffer, 8, None, 0, None)
        self.ok("JetGetBookmark", live.ses, live.table, buffer, 8, None)

    def test_a_stored_long_value_is_read_as_the_update_has_it(self):
        live, copy = self.l, h.JET_bitRetrieveCopy
        self.ok("JetBeginTransaction", live.ses)
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepReplace)
        live.set_column("data", b"+" * 500, h.JET_bitSetAppendLV)
        self.assertEqual(live.get("data", 0, copy, expected=h.JET_wrnBufferTruncated)[1], 10740)
        behind = self.info(itagSequence=1, ibLongValue=10200)
        self.assertEqual(live.get("data", 600, copy, behind),
                         (bytes(range(216, 256)) + b"+" * 500, 540))
        self.assertEqual(live.get("data", 20000)[1], 10240)
        self.ok("JetSetColumn", live.ses, live.table, live.ids["data"], None, 9000,
                h.JET_bitSetSizeLV, None)
        self.assertEqual(live.get("data", 20000, copy)[1], 9000)
        self.ok("JetUpdate", live.ses, live.table, None, 0, None)
        self.assertEqual(live.get("data", 20000)[1], 9000)
        self.ok("JetRollback", live.ses, 0)

    def test_null_is_a_warning_and_leaves_the_buffer(self):
        live = self.l
        self.ok("JetMove", live.ses, live.table, 1, 0)
        buffer, actual = ctypes.create_string_buffer(b"\xee" * 8, 8), c_uint32(5)
        self.code(h.JET_wrnColumnNull, "JetRetrieveColumn", live.ses, live.table,
                  live.ids["data"], buffer, 8, byref(actual), 0, None)
        self.assertEqual((actual.value, buffer.raw), (0, b"\xee" * 8))

    def test_values_are_numbered_from_one(self):
        live = self.l
        for tag, value in ((1, 7), (2, 8), (3, 9)):
            data, _ = live.get("tags", info=self.info(itagSequence=tag))
            self.assertEqual(int.from_bytes(data, "little"), value)
        live.get("tags", info=self.info(itagSequence=4), expected=h.JET_wrnColumnNull)
        rows = (h.JET_RETRIEVECOLUMN * 2)()
        rows[0].columnid = live.ids["tags"]
        rows[1].columnid, rows[1].itagSequence = live.ids["name"], 1
        self.code(h.JET_wrnBufferTruncated, "JetRetrieveColumns", live.ses, live.table, rows, 2)
        self.assertEqual(rows[0].itagSequence, 3)
        self.assertEqual((rows[1].err, rows[1].cbActual), (h.JET_wrnBufferTruncated, 6))
        # The element that ends the call is left as it was.
        rows[1].columnid, rows[1].err, rows[1].cbActual = 127, 77, 78
        self.code(h.JET_errColumnNotFound, "JetRetrieveColumns", live.ses, live.table, rows, 2)
        self.assertEqual((rows[1].err, rows[1].cbActual), (77, 78))

    def test_ids_and_structures_that_are_none(self):
        live, buffer = self.l, ctypes.create_string_buffer(8)
        self.code(h.JET_errColumnNotFound, "JetRetrieveColumn", live.ses, live.table, 120, buffer,
                  8, None, 0, None)
        self.code(h.JET_errBadColumnId, "JetRetrieveColumn", live.ses, live.table, 0x7FFFFFFF,
                  buffer, 8, None, 0, None)
        short = h.JET_RETINFO(cbStruct=4, itagSequence=1)
        live.get("id", info=byref(short), expected=h.JET_errInvalidParameter)
        long = h.JET_RETINFO(cbStruct=sizeof(h.JET_RETINFO) + 8, itagSequence=1)
        live.get("id", info=byref(long))

    def test_keys_and_bookmarks_differ_in_what_a_short_buffer_is(self):
        live, buffer, actual = self.l, ctypes.create_string_buffer(b"\xee" * 8, 8), c_uint32()
        self.code(h.JET_errBufferTooSmall, "JetGetBookmark", live.ses, live.table, buffer, 2,
                  byref(actual))
        self.assertEqual((actual.value, buffer.raw[2:]), (5, b"\xee" * 6))
        self.code(h.JET_wrnBufferTruncated, "JetRetrieveKey", live.ses, live.table, buffer, 2,
                  byref(actual), 0)
        self.assertEqual(actual.value, 5)

    def test_what_the_row_has_without_and_with_the_copy(self):
        live = self.l
        self.ok("JetBeginTransaction", live.ses)
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepReplace)
        live.set_column("name", b"new")
        self.assertEqual(live.get("name")[0], b"row 01")
        self.assertEqual(live.get("name", grbit=h.JET_bitRetrieveCopy)[0], b"new")
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepCancel)
        self.assertEqual(live.get("name", grbit=h.JET_bitRetrieveCopy)[0], b"row 01")
        self.ok("JetRollback", live.ses, 0)


class Databases(Case):
    """Chapter 14: ways to attach and to open."""

    def reattached(self, grbit):
        live = self.live()
        self.ok("JetCloseDatabase", live.ses, live.dbid, 0)
        self.ok("JetDetachDatabaseA", live.ses, narrow(live.path))
        self.ok("JetAttachDatabaseW", live.ses, wide(live.path), grbit)
        return live

    def open(self, live, grbit, expected=0, ses=None):
        dbid = c_uint32(77)
        self.code(expected, "JetOpenDatabaseA", ses or live.ses, narrow(live.path), None,
                  byref(dbid), grbit)
        return dbid.value

    def test_what_is_attached_for_reading_only_is_read_and_not_changed(self):
        live = self.reattached(h.JET_bitDbReadOnly)
        with open(live.path, "rb") as file:
            before = file.read()
        dbid = self.open(live, 0, h.JET_wrnFileOpenReadOnly)
        self.assertEqual(self.open(live, h.JET_bitDbReadOnly), dbid)
        live.table = live.open("t", dbid=dbid)
        live.seek(5)
        self.assertEqual(live.get("name")[0], b"row 05")
        denied = h.JET_errPermissionDenied
        self.code(denied, "JetPrepareUpdate", live.ses, live.table, h.JET_prepInsert)
        self.code(denied, "JetDelete", live.ses, live.table)
        self.code(denied, "JetCreateTableA", live.ses, dbid, b"new\0", 0, 0, byref(c_size_t()))
        self.code(h.JET_errDatabaseFileReadOnly, "JetGrowDatabase", live.ses, dbid, 9999,
                  byref(c_uint32()))
        read_only = h.JET_errDatabaseFileReadOnly
        self.code(read_only, "JetAttachDatabaseA", live.ses, narrow(live.path), 0)
        self.ok("JetCloseDatabase", live.ses, dbid, 0)
        self.ok("JetCloseDatabase", live.ses, dbid, 0)
        self.ok("JetDetachDatabaseA", live.ses, narrow(live.path))
        with open(live.path, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_a_file_that_cannot_be_written_is_attached_for_reading_only(self):
        live = self.reattached(0)
        self.ok("JetDetachDatabaseA", live.ses, narrow(live.path))
        os.chmod(live.path, 0o444)
        read_only = h.JET_errDatabaseFileReadOnly
        self.code(read_only, "JetAttachDatabaseA", live.ses, narrow(live.path), 0)
        self.ok("JetAttachDatabase2A", live.ses, narrow(live.path), 0, h.JET_bitDbReadOnly)
        live.table = live.open("t", dbid=self.open(live, h.JET_bitDbReadOnly))
        self.assertEqual(live.id(), 1)

    def test_who_has_a_database_alone(self):
        live = self.reattached(0)
        other = c_size_t()
        self.ok("JetBeginSessionA", live.inst, byref(other), None, None)
        dbid = self.open(live, h.JET_bitDbExclusive)
        options = c_uint32()
        self.ok("JetGetDatabaseInfoA", live.ses, dbid, byref(options), 4, h.JET_DbInfoOptions)
        self.assertEqual(options.value, h.JET_bitDbExclusive)
        self.open(live, 0, h.JET_errDatabaseLocked, other)
        self.open(live, h.JET_bitDbExclusive, h.JET_errDatabaseInUse)
        self.ok("JetCloseDatabase", live.ses, dbid, 0)
        self.open(live, 0, ses=other)
        self.open(live, h.JET_bitDbExclusive, h.JET_errDatabaseInUse)

    def test_a_database_without_a_log(self):
        live = self.live()
        path, dbid = narrow(live.folder + "/b.edb"), c_uint32()
        self.ok("JetCreateDatabaseA", live.ses, path, None, byref(dbid), h.JET_bitDbRecoveryOff)
        self.ok("JetCloseDatabase", live.ses, dbid, 0)
        self.ok("JetDetachDatabaseA", live.ses, path)
        self.ok("JetAttachDatabaseA", live.ses, path, h.JET_bitDbRecoveryOff)
        self.code(h.JET_wrnDatabaseAttached, "JetAttachDatabaseA", live.ses, path, 0)


class NamelessOrder(Case):
    """Chapter 13: the order of rows of a table without a primary index."""

    def test_it_counts_as_an_index_and_is_none(self):
        live, table, number = self.live(), c_size_t(), c_uint32(99)
        self.ok("JetCreateTableA", live.ses, live.dbid, b"plain\0", 0, 0, byref(table))
        define = h.JET_COLUMNDEF(cbStruct=sizeof(h.JET_COLUMNDEF), coltyp=h.JET_coltypLong)
        self.ok("JetAddColumnA", live.ses, table, b"a\0", byref(define), None, 0,
                byref(c_uint32()))
        count = ("JetGetTableIndexInfoA", live.ses, table, None, byref(number), 4,
                 h.JET_IdxInfoCount)
        self.ok(*count)
        self.assertEqual(number.value, 1)
        self.ok("JetCreateIndexA", live.ses, table, b"i1\0", 0, b"+a\0\0", 4, 0)
        self.ok(*count)
        self.assertEqual(number.value, 2)
        limit = h.JET_IdxInfoVarSegMac
        self.code(h.JET_errIndexNotFound, "JetGetTableIndexInfoA", live.ses, table, None,
                  byref(number), 4, limit)
        self.ok("JetGetTableIndexInfoA", live.ses, table, b"i1\0", byref(number), 4, limit)


class Currency(Case):
    """Chapters 6 and 7."""

    def move(self, live, by, expected=0):
        self.code(expected, "JetMove", live.ses, live.table, by, 0)

    def test_past_the_ends_and_back(self):
        live = self.live()
        self.move(live, h.JET_MoveLast)
        for _ in range(2):
            self.move(live, 1, NO_RECORD)
        live.get("id", expected=NO_RECORD)
        self.move(live, -1)
        self.assertEqual(live.id(), 10)
        self.move(live, -50, NO_RECORD)
        self.move(live, 1)
        self.assertEqual(live.id(), 1)

    def test_a_new_cursor_is_on_the_first_row(self):
        live = self.live()
        table = live.open("t")
        self.ok("JetMove", live.ses, table, 1, 0)
        self.assertEqual(live.id(table=table), 2)

    def test_a_deleted_row_stays_under_the_cursor(self):
        live = self.live()
        live.seek(5)
        self.ok("JetDelete", live.ses, live.table)
        deleted = h.JET_errRecordDeleted
        live.get("id", expected=deleted)
        self.code(deleted, "JetDelete", live.ses, live.table)
        self.move(live, 0, deleted)
        self.move(live, 1)
        self.assertEqual(live.id(), 6)
        self.move(live, -1)
        self.assertEqual(live.id(), 4)

    def test_an_insert_does_not_move_and_gives_the_bookmark(self):
        live = self.live()
        live.seek(3)
        buffer, actual = ctypes.create_string_buffer(20), c_uint32()
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepInsert)
        live.set_column("id", 40)
        self.ok("JetUpdate", live.ses, live.table, buffer, 20, byref(actual))
        self.assertEqual(live.id(), 3)
        self.ok("JetGotoBookmark", live.ses, live.table, buffer, actual.value)
        self.assertEqual(live.id(), 40)
        self.code(h.JET_errRecordDeleted, "JetGotoBookmark", live.ses, live.table,
                  b"\x7f\x80\0\0\x77", 5)

    def test_what_seeks_answer(self):
        live = self.live()
        live.seek(5)
        self.ok("JetDelete", live.ses, live.table)
        for grbit, expected, found in (
                (h.JET_bitSeekGE, h.JET_wrnSeekNotEqual, 6),
                (h.JET_bitSeekLE, h.JET_wrnSeekNotEqual, 4),
                (h.JET_bitSeekGT, 0, 6), (h.JET_bitSeekLT, 0, 4)):
            live.seek(5, grbit, expected)
            self.assertEqual(live.id(), found)
        live.seek(6, h.JET_bitSeekGE)
        live.seek(11, h.JET_bitSeekGE, h.JET_errRecordNotFound)
        live.seek(5, h.JET_bitSeekEQ, h.JET_errRecordNotFound)
        live.get("id", expected=NO_RECORD)
        self.move(live, 1)
        self.assertEqual(live.id(), 6)
        self.code(h.JET_errKeyNotMade, "JetSeek", live.ses, live.table, h.JET_bitSeekEQ)
        self.code(h.JET_errInvalidParameter, "JetSeek", live.ses, live.table, 0)

    def test_how_keys_are_made(self):
        live = self.live()
        self.code(h.JET_errKeyNotMade, "JetMakeKey", live.ses, live.table, b"\1\0\0\0", 4, 0)
        self.code(h.JET_errInvalidBufferSize, "JetMakeKey", live.ses, live.table, b"\1\0", 2,
                  h.JET_bitNewKey)
        self.ok("JetMakeKey", live.ses, live.table, b"\1\0\0\0", 4, h.JET_bitNewKey)
        self.code(h.JET_errKeyIsMade, "JetMakeKey", live.ses, live.table, b"\1\0\0\0", 4, 0)
        both = h.JET_bitNewKey | h.JET_bitFullColumnStartLimit | h.JET_bitFullColumnEndLimit
        self.code(h.JET_errInvalidGrbit, "JetMakeKey", live.ses, live.table, b"\1\0\0\0", 4, both)

    def test_ranges_end_where_they_were_set(self):
        live = self.live()
        upper = h.JET_bitRangeUpperLimit
        for inclusive, last in ((h.JET_bitRangeInclusive, 7), (0, 6)):
            live.seek(4)
            self.ok("JetMakeKey", live.ses, live.table, b"\7\0\0\0", 4, h.JET_bitNewKey)
            self.ok("JetSetIndexRange", live.ses, live.table, upper | inclusive)
            count = c_uint32()
            self.ok("JetIndexRecordCount", live.ses, live.table, byref(count), 0)
            self.assertEqual(count.value, last - 3)
            self.move(live, last - 4)
            self.move(live, 1, NO_RECORD)
        self.code(h.JET_errKeyNotMade, "JetSetIndexRange", live.ses, live.table, upper)

    def test_the_index_in_use_and_rows_that_stay(self):
        live = self.live()
        live.seek(4)
        self.ok("JetSetCurrentIndex2A", live.ses, live.table, b"by name\0", h.JET_bitNoMove)
        self.assertEqual(live.id(), 4)
        self.code(h.JET_errIndexNotFound, "JetSetCurrentIndexW", live.ses, live.table, wide("x"))
        self.code(h.JET_errInvalidGrbit, "JetSetCurrentIndex2A", live.ses, live.table, None, 0x800)
        self.ok("JetSetCurrentIndexA", live.ses, live.table, b"\0")
        self.assertEqual(live.id(), 1)


class Updates(Case):
    """Chapters 5, 8, 9 and 11."""

    def test_the_machine_of_an_update(self):
        live = self.live()
        none = h.JET_errUpdateNotPrepared
        self.code(none, "JetUpdate", live.ses, live.table, None, 0, None)
        self.code(none, "JetPrepareUpdate", live.ses, live.table, h.JET_prepCancel)
        live.set_column("name", b"x", expected=none)
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepInsert)
        self.code(h.JET_errAlreadyPrepared, "JetPrepareUpdate", live.ses, live.table,
                  h.JET_prepReplace)
        self.code(h.JET_errNullInvalid, "JetUpdate", live.ses, live.table, None, 0, None)
        live.set_column("id", 3)
        self.code(h.JET_errKeyDuplicate, "JetUpdate", live.ses, live.table, None, 0, None)
        live.set_column("id", 30)
        self.ok("JetUpdate", live.ses, live.table, None, 0, None)
        self.code(none, "JetUpdate", live.ses, live.table, None, 0, None)

    def test_lengths_of_values(self):
        live = self.live()
        self.ok("JetBeginTransaction", live.ses)
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepReplace)
        live.set_column("id", b"\1\0", expected=h.JET_errInvalidBufferSize)
        live.set_column("id", None, expected=h.JET_errNullInvalid)
        live.set_column("name", b"y" * 60, expected=h.JET_wrnColumnMaxTruncated)
        self.assertEqual(live.get("name", grbit=h.JET_bitRetrieveCopy)[0], b"y" * 50)
        live.set_column("name", b"", grbit=h.JET_bitSetZeroLength)
        self.assertEqual(live.get("name", grbit=h.JET_bitRetrieveCopy), (b"", 0))
        live.set_column("name", None)
        live.get("name", grbit=h.JET_bitRetrieveCopy, expected=h.JET_wrnColumnNull)
        live.set_column("data", b"abc", grbit=h.JET_bitSetOverwriteLV, info=byref(
            h.JET_SETINFO(cbStruct=sizeof(h.JET_SETINFO), ibLongValue=9, itagSequence=1)),
            expected=h.JET_errColumnNoChunk)
        live.set_column("data", b"abc", info=byref(h.JET_SETINFO(cbStruct=1)),
                        expected=h.JET_errInvalidParameter)
        self.ok("JetRollback", live.ses, 0)

    def test_long_values_want_a_transaction(self):
        live = self.live()
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepReplace)
        live.set_column("data", b"abc", expected=h.JET_errNotInTransaction)

    def test_conflicts_come_at_once(self):
        live = self.live()
        ses, dbid = live.session()
        table = live.open("t", ses, dbid)
        self.ok("JetBeginTransaction", live.ses)
        self.ok("JetBeginTransaction", ses)
        self.ok("JetMove", ses, table, h.JET_MoveFirst, 0)
        self.ok("JetDelete", live.ses, live.table)
        conflict = h.JET_errWriteConflict
        self.code(conflict, "JetPrepareUpdate", ses, table, h.JET_prepReplace)
        self.code(conflict, "JetDelete", ses, table)
        self.assertEqual(live.id(ses=ses, table=table), 1)
        self.ok("JetCommitTransaction", live.ses, 0)
        self.code(conflict, "JetDelete", ses, table)
        self.ok("JetRollback", ses, 0)

    def test_levels_of_transactions(self):
        live = self.live()
        none = h.JET_errNotInTransaction
        self.code(none, "JetCommitTransaction", live.ses, 0)
        self.code(none, "JetRollback", live.ses, 0)
        self.ok("JetCommitTransaction", live.ses, h.JET_bitWaitLastLevel0Commit)
        for _ in range(7):
            self.ok("JetBeginTransaction", live.ses)
        self.code(h.JET_errTransTooDeep, "JetBeginTransaction", live.ses)
        live.insert(60, "gone")
        self.ok("JetRollback", live.ses, h.JET_bitRollbackAll)
        self.code(none, "JetRollback", live.ses, 0)
        live.seek(60, expected=h.JET_errRecordNotFound)
        self.ok("JetBeginTransaction2", live.ses, h.JET_bitTransactionReadOnly)
        self.code(h.JET_errTransReadOnly, "JetPrepareUpdate", live.ses, live.table,
                  h.JET_prepInsert)
        self.ok("JetCommitTransaction", live.ses, 0)

    def test_escrow_columns_add_up(self):
        live = self.live()
        five, old, actual = c_int32(5), c_int32(-1), c_uint32()
        arguments = (live.ses, live.table, live.ids["count"], byref(five), 4, byref(old), 4,
                     byref(actual), 0)
        self.code(h.JET_errNotInTransaction, "JetEscrowUpdate", *arguments)
        self.ok("JetBeginTransaction", live.ses)
        self.ok("JetEscrowUpdate", *arguments)
        self.ok("JetEscrowUpdate", *arguments)
        self.assertEqual((old.value, actual.value), (5, 4))
        self.code(h.JET_errInvalidBufferSize, "JetEscrowUpdate", live.ses, live.table,
                  live.ids["count"], byref(five), 3, None, 0, None, 0)
        self.code(h.JET_errInvalidOperation, "JetEscrowUpdate", live.ses, live.table,
                  live.ids["id"], byref(five), 4, None, 0, None, 0)
        self.ok("JetCommitTransaction", live.ses, 0)
        self.assertEqual(live.get("count")[0], b"\x0a\0\0\0")

    def test_commits_that_are_numbered(self):
        live = self.live()
        numbers = []
        for at in range(3):
            self.ok("JetBeginTransaction", live.ses)
            live.insert(70 + at, "numbered")
            found = h.JET_COMMIT_ID()
            self.ok("JetCommitTransaction2", live.ses, h.JET_bitCommitLazyFlush, 1000,
                    byref(found))
            numbers.append(found.commitId)
        self.assertEqual(numbers, sorted(set(numbers)))


class Definitions(Case):
    """Chapters 12 to 14."""

    def test_a_new_table_belongs_to_its_maker(self):
        live = self.live()
        ses, dbid = live.session()
        title = ctypes.create_string_buffer(wide("new"))
        create = h.JET_TABLECREATE_W(cbStruct=sizeof(h.JET_TABLECREATE_W),
                                     szTableName=ctypes.addressof(title))
        self.ok("JetCreateTableColumnIndexW", live.ses, live.dbid, byref(create))
        table = create.tableid
        self.code(h.JET_errTableLocked, "JetOpenTableA", ses, dbid, b"new\0", None, 0, 0,
                  byref(c_size_t()))
        self.code(h.JET_errTableDuplicate, "JetCreateTableA", live.ses, live.dbid, b"NEW\0", 0, 0,
                  byref(c_size_t()))
        self.code(h.JET_errInvalidName, "JetCreateTableA", live.ses, live.dbid, b"a!b\0", 0, 0,
                  byref(c_size_t()))
        self.ok("JetCloseTable", live.ses, table)
        self.ok("JetOpenTableA", ses, dbid, b"new\0", None, 0, 0, byref(c_size_t()))

    def test_ids_of_columns_say_their_kind(self):
        live = self.live()
        self.assertEqual(live.ids, {"id": 1, "name": 128, "data": 256, "count": 2, "tags": 257})

    def test_failed_creations_name_the_culprit_and_leave_nothing(self):
        live = self.live()
        columns = (h.JET_COLUMNCREATE_A * 2)()
        name = ctypes.create_string_buffer(b"same")
        for column in columns:
            column.cbStruct, column.coltyp = sizeof(column), h.JET_coltypLong
            column.szColumnName = ctypes.addressof(name)
        title = ctypes.create_string_buffer(b"broken")
        create = h.JET_TABLECREATE_A(
            cbStruct=sizeof(h.JET_TABLECREATE_A), szTableName=ctypes.addressof(title),
            rgcolumncreate=ctypes.addressof(columns), cColumns=2)
        self.code(h.JET_errColumnDuplicate, "JetCreateTableColumnIndexA", live.ses, live.dbid,
                  byref(create))
        self.assertEqual(columns[1].err, h.JET_errColumnDuplicate)
        # The table and the first column were right.
        self.assertEqual((columns[0].err, create.cCreated), (h.JET_errSuccess, 2))
        self.code(h.JET_errObjectNotFound, "JetOpenTableA", live.ses, live.dbid, b"broken\0", None,
                  0, 0, byref(c_size_t()))

    def test_columns_of_short_types_are_cut_to_what_they_can_hold(self):
        live = self.live()
        columnid, found = c_uint32(), h.JET_COLUMNDEF(cbStruct=sizeof(h.JET_COLUMNDEF))
        for at, (coltyp, grbit) in enumerate([(h.JET_coltypText, 0), (h.JET_coltypBinary, 0),
                                              (h.JET_coltypText, h.JET_bitColumnTagged),
                                              (h.JET_coltypBinary, h.JET_bitColumnFixed)]):
            column = h.JET_COLUMNDEF(cbStruct=sizeof(h.JET_COLUMNDEF), coltyp=coltyp, cp=1252,
                                     cbMax=256, grbit=grbit)
            name = b"long%d\0" % at
            self.code(h.JET_wrnColumnMaxTruncated, "JetAddColumnA", live.ses, live.table, name,
                      byref(column), None, 0, byref(columnid))
            self.ok("JetGetTableColumnInfoA", live.ses, live.table, name, byref(found),
                    sizeof(found), h.JET_ColInfo)
            self.assertEqual((found.columnid, found.cbMax), (columnid.value, 255))
        columns = (h.JET_COLUMNCREATE_A * 2)()
        names = [ctypes.create_string_buffer(name) for name in (b"short", b"long")]
        for column, name, most in zip(columns, names, (255, 512)):
            column.cbStruct, column.coltyp = sizeof(column), h.JET_coltypText
            column.szColumnName, column.cbMax = ctypes.addressof(name), most
        title = ctypes.create_string_buffer(b"cut")
        create = h.JET_TABLECREATE_A(
            cbStruct=sizeof(h.JET_TABLECREATE_A), szTableName=ctypes.addressof(title),
            rgcolumncreate=ctypes.addressof(columns), cColumns=2)
        self.ok("JetCreateTableColumnIndexA", live.ses, live.dbid, byref(create))
        self.assertEqual([column.err for column in columns],
                         [h.JET_errSuccess, h.JET_wrnColumnMaxTruncated])

    def test_databases_are_attached_once(self):
        live = self.live()
        self.code(h.JET_wrnDatabaseAttached, "JetAttachDatabaseA", live.ses, narrow(live.path), 0)
        self.code(h.JET_errDatabaseInUse, "JetDetachDatabaseA", live.ses, narrow(live.path))
        self.code(h.JET_errDatabaseDuplicate, "JetCreateDatabaseA", live.ses, narrow(live.path),
                  None, byref(c_uint32()), 0)
        self.code(h.JET_errFileNotFound, "JetAttachDatabaseA", live.ses,
                  narrow(live.folder + "/none.edb"), 0)
        self.ok("JetBeginTransaction", live.ses)
        self.code(h.JET_errInTransaction, "JetCreateDatabaseA", live.ses,
                  narrow(live.folder + "/c.edb"), None, byref(c_uint32()), 0)
        self.ok("JetRollback", live.ses, 0)

    def test_sizes_of_results_are_asked_for_exactly(self):
        live = self.live()
        number = c_uint32()
        self.code(h.JET_errBufferTooSmall, "JetGetDatabaseInfoA", live.ses, live.dbid,
                  byref(number), 3, h.JET_DbInfoPageSize)
        for size in (0, 1, sizeof(h.JET_COLUMNDEF) - 1):
            self.code(h.JET_errInvalidParameter, "JetGetTableColumnInfoA", live.ses, live.table,
                      b"id\0", byref(h.JET_COLUMNDEF()), size, h.JET_ColInfo)
        self.code(h.JET_errColumnNotFound, "JetGetTableColumnInfoW", live.ses, live.table,
                  wide("none"), byref(h.JET_COLUMNDEF()), sizeof(h.JET_COLUMNDEF), h.JET_ColInfo)

    def test_some_facts_of_a_table_fit_into_more_than_they_need(self):
        live = self.live()
        sized, buffer = h.JET_errInvalidBufferSize, (c_uint32 * 20)()
        info = lambda size, level: ("JetGetTableInfoA", live.ses, live.table, buffer, size, level)
        for level, size in ((h.JET_TblInfo, sizeof(h.JET_OBJECTINFO)), (h.JET_TblInfoDbid, 4),
                            (h.JET_TblInfoSpaceAlloc, 8), (h.JET_TblInfoLVChunkMax, 4),
                            (h.JET_TblInfoSpaceOwned, 4)):
            small = sized if level == h.JET_TblInfoSpaceOwned else h.JET_errBufferTooSmall
            self.code(small, *info(size - 1, level))
            for size in (size, size + 8, sizeof(buffer)):
                buffer[:] = [0xEEEEEEEE] * 20
                self.ok(*info(size, level))
                self.assertNotEqual(buffer[0], 0xEEEEEEEE)
                self.assertEqual(buffer[19], 0xEEEEEEEE)
        self.code(sized, *info(8, h.JET_TblInfoSpaceAvailable))

    def test_obsolete_levels_of_databases(self):
        live = self.live()
        number = c_uint32()
        level = h.JET_DbInfoPageSize | 0x40000000
        self.ok("JetGetDatabaseInfoA", live.ses, live.dbid, byref(number), 4, level)
        self.assertEqual(number.value, 4096)
        self.code(h.JET_errFeatureNotAvailable, "JetGetDatabaseInfoA", live.ses, live.dbid,
                  byref(number), 4, 9)

    def test_a_length_that_no_value_has_is_refused_before_anything_is_read(self):
        live = self.live()
        self.ok("JetBeginTransaction", live.ses)
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepInsert)
        for length in (0x80000000, 0xFFFFFFFF):
            for name in ("name", "data"):
                self.code(h.JET_errInvalidParameter, "JetSetColumn", live.ses, live.table,
                          live.ids[name], b"short", length, 0, None)
                one = h.JET_SETCOLUMN(columnid=live.ids[name], cbData=length)
                self.code(h.JET_errInvalidParameter, "JetSetColumns", live.ses, live.table,
                          byref(one), 1)
            self.code(h.JET_errInvalidTableId, "JetSetColumn", live.ses, h.JET_tableidNil, 1,
                      b"short", length, 0, None)
        self.ok("JetRollback", live.ses, 0)

    def test_elements_behind_the_one_that_failed_are_not_touched(self):
        live = self.live()
        rows = (h.JET_SETCOLUMN * 3)()
        text = ctypes.addressof(self.kept(b"new"))
        for row, name in zip(rows, ("name", "id", "name")):
            row.columnid, row.pvData, row.cbData, row.err = live.ids[name], text, 3, 555
        self.code(h.JET_errUpdateNotPrepared, "JetSetColumns", live.ses, live.table, rows, 3)
        self.ok("JetBeginTransaction", live.ses)
        self.ok("JetPrepareUpdate", live.ses, live.table, h.JET_prepInsert)
        self.code(h.JET_errInvalidBufferSize, "JetSetColumns", live.ses, live.table, rows, 3)
        self.assertEqual([row.err for row in rows], [0, h.JET_errInvalidBufferSize, 555])
        self.ok("JetRollback", live.ses, 0)

    def test_a_structure_that_must_stay_as_it_is_stays(self):
        live = self.live()
        column = h.JET_COLUMNCREATE_A(cbStruct=sizeof(h.JET_COLUMNCREATE_A), err=5, columnid=6,
                                      szColumnName=ctypes.addressof(self.kept(b"c\0")),
                                      coltyp=h.JET_coltypLong)
        index = h.JET_INDEXCREATE_A(cbStruct=sizeof(h.JET_INDEXCREATE_A), err=7, cbKey=4,
                                    szIndexName=ctypes.addressof(self.kept(b"i\0")),
                                    szKey=ctypes.addressof(self.kept(b"+c\0\0")),
                                    grbit=h.JET_bitIndexImmutableStructure)
        made = h.JET_TABLECREATE_A(cbStruct=sizeof(h.JET_TABLECREATE_A), cColumns=1, cIndexes=1,
                                   szTableName=ctypes.addressof(self.kept(b"const\0")),
                                   rgcolumncreate=ctypes.addressof(column),
                                   rgindexcreate=ctypes.addressof(index), tableid=8, cCreated=9,
                                   grbit=h.JET_bitTableCreateImmutableStructure)
        self.ok("JetCreateTableColumnIndexA", live.ses, live.dbid, byref(made))
        self.assertEqual((column.err, column.columnid, index.err, made.tableid, made.cCreated),
                         (5, 6, 7, 8, 9))
        table = c_size_t()
        self.ok("JetOpenTableA", live.ses, live.dbid, b"const\0", None, 0, 0, byref(table))
        index.szIndexName = ctypes.addressof(self.kept(b"j\0"))
        self.ok("JetCreateIndex2A", live.ses, table, byref(index), 1)
        self.assertEqual(index.err, 7)

    def kept(self, text):
        self.keep = getattr(self, "keep", []) + [ctypes.create_string_buffer(text, len(text))]
        return self.keep[-1]

    def test_a_cursor_for_reading_changes_no_schema(self):
        live, table = self.live(), c_size_t()
        self.ok("JetOpenTableA", live.ses, live.dbid, b"t\0", None, 0, h.JET_bitTableReadOnly,
                byref(table))
        define = h.JET_COLUMNDEF(cbStruct=sizeof(h.JET_COLUMNDEF), coltyp=h.JET_coltypLong)
        refused = h.JET_errPermissionDenied
        self.code(refused, "JetAddColumnA", live.ses, table, b"z\0", byref(define), None, 0,
                  byref(c_uint32()))
        self.code(refused, "JetCreateIndexA", live.ses, table, b"z\0", 0, b"+id\0\0", 5, 80)
        self.code(refused, "JetDeleteIndexA", live.ses, table, b"by name\0")
        self.code(refused, "JetDeleteColumnA", live.ses, table, b"data\0")

    def test_lists_are_tables_in_the_width_of_the_call(self):
        live = self.live()
        for letter, encoding in (("A", "ascii"), ("W", "utf-16-le")):
            found = h.JET_COLUMNLIST(cbStruct=sizeof(h.JET_COLUMNLIST))
            self.ok("JetGetTableColumnInfo" + letter, live.ses, live.table, None, byref(found),
                    sizeof(found), h.JET_ColInfoList)
            self.assertEqual(found.cRecord, 5)
            names, code = [], lib.JetMove(live.ses, found.tableid, h.JET_MoveFirst, 0)
            while code == 0:
                buffer, actual = ctypes.create_string_buffer(100), c_uint32()
                self.ok("JetRetrieveColumn", live.ses, found.tableid, found.columnidcolumnname,
                        buffer, 100, byref(actual), 0, None)
                names.append(buffer.raw[:actual.value].decode(encoding))
                code = lib.JetMove(live.ses, found.tableid, 1, 0)
            self.assertEqual(sorted(names), ["count", "data", "id", "name", "tags"])
            self.ok("JetCloseTable", live.ses, found.tableid)


if __name__ == "__main__":
    unittest.main()
