"""The stop of a backup and what is around it: groups A to D of the specification's cases.

Numbers of methods are those of the cases. One process has one mode: the cases of the one-instance
mode run where no instance of another test is alive, as all tests here do.
"""

import ctypes
import os
import shutil
import threading
import unittest
from ctypes import byref, c_size_t, c_uint32, sizeof
from pathlib import Path

from support import NIL, Case, aligned, h, lib, narrow

INVALID = h.JET_errInvalidParameter
ABORTED = h.JET_errBackupAbortByServer
SEQUENCE = h.JET_errInvalidBackupSequence
MISSING = h.JET_errMissingFileToBackup
BAD = 0x7FFF1234


class TheCallItself(Case):
    def test_001_without_a_backup_it_changes_nothing(self):
        live = self.live()
        live.stop()
        live.insert(11, "later")
        dbid = live.create_database(live.folder + "/b.edb")
        self.ok("JetCloseDatabase", live.ses, dbid, 0)
        self.ok("JetDetachDatabaseA", live.ses, narrow(live.folder + "/b.edb"))
        live.back_up()

    def test_002_003_013_064_values_that_are_no_instance(self):
        a, b = self.live(), self.live()
        for live in (a, b):
            live.begin()
        files = [live.open_file(live.path) for live in (a, b)]
        gone = c_size_t()
        self.ok("JetCreateInstanceA", byref(gone), b"gone\0")
        self.ok("JetTerm", gone)
        for bad in (0, NIL, BAD, a.ses, gone):
            self.code(INVALID, "JetStopBackupInstance", bad)
            self.code(INVALID, "JetStopServiceInstance", bad)
            self.code(INVALID, "JetStopServiceInstance2", bad, 0)
        for live, file in zip((a, b), files):
            self.assertEqual(len(live.read(file)), 65536)
            live.end_backup(h.JET_bitBackupEndAbort)

    def test_005_006_without_an_instance(self):
        for value in (0, NIL, BAD):
            self.code(INVALID, "JetStopBackupInstance", value)
        self.code(INVALID, "JetStopBackup")
        self.code(INVALID, "JetStopService")

    def test_008_063_the_call_without_instance_where_there_are_several(self):
        a, b = self.live(), self.live()
        for live in (a, b):
            live.begin()
        files = [live.open_file(live.path) for live in (a, b)]
        self.code(h.JET_errRunningInMultiInstanceMode, "JetStopBackup")
        self.code(h.JET_errRunningInMultiInstanceMode, "JetStopService")
        for live, file in zip((a, b), files):
            live.read(file)

    def one(self):
        folder = self.folder() + "/"
        for parameter in (h.JET_paramSystemPath, h.JET_paramLogFilePath, h.JET_paramTempPath):
            self.ok("JetSetSystemParameterA", None, h.JET_sesidNil, parameter, 0, narrow(folder))
        self.ok("JetInit", None)
        self.addCleanup(lib.JetTerm2, 0, h.JET_bitTermAbrupt)
        return folder

    def test_009_011_the_only_instance_needs_no_name(self):
        self.one()
        self.code(h.JET_errRunningInOneInstanceMode, "JetCreateInstanceA", byref(c_size_t()),
                  b"x\0")
        self.ok("JetStopBackup")
        for value in (0, NIL, BAD):
            self.ok("JetStopBackupInstance", value)
        self.ok("JetBeginExternalBackup", 0)
        self.ok("JetStopBackupInstance", 0)
        actual = c_uint32()
        self.code(ABORTED, "JetGetAttachInfoA", None, 0, byref(actual))
        self.code(ABORTED, "JetGetLogInfoW", None, 0, byref(actual))
        self.code(ABORTED, "JetOpenFileA", None, None, None, None)
        self.code(ABORTED, "JetTruncateLog")
        self.ok("JetEndExternalBackup")
        self.code(h.JET_errNoBackup, "JetEndExternalBackup")
        self.ok("JetStopService")
        self.code(h.JET_errClientRequestToStopJetService, "JetBeginSessionA", 0, byref(c_size_t()),
                  None, None)
        self.ok("JetTerm", 0)
        self.code(INVALID, "JetStopBackup")

    def test_the_only_instance_backs_up_is_stopped_and_backs_up_again(self):
        folder = self.one()
        ses, dbid = c_size_t(), c_uint32()
        self.ok("JetBeginSessionA", 0, byref(ses), None, None)
        self.ok("JetCreateDatabaseW", ses, (folder + "o.edb\0").encode("utf-16-le"), None,
                byref(dbid), 0)
        memory, address = aligned(65536)
        handle, low, high, actual = c_size_t(), c_uint32(), c_uint32(), c_uint32()
        for stopped in (True, False):
            self.ok("JetBeginExternalBackup", 0)
            self.ok("JetOpenFileA", narrow(folder + "o.edb"), byref(handle), byref(low),
                    byref(high))
            self.ok("JetReadFile", handle, address, 65536, byref(actual))
            if stopped:
                self.ok("JetStopBackup")
                self.code(ABORTED, "JetReadFile", handle, address, 65536, byref(actual))
            while not stopped and actual.value:
                self.ok("JetReadFile", handle, address, 65536, byref(actual))
            self.ok("JetCloseFile", handle)
            wanted = ABORTED if stopped else 0
            self.code(wanted, "JetGetLogInfoA", None, 0, byref(actual))
            self.code(ABORTED if stopped else h.JET_errLogFileNotCopied, "JetTruncateLog")
            self.ok("JetEndExternalBackup")
        del memory

    def test_014_066_an_instance_that_was_not_started(self):
        inst = c_size_t()
        self.ok("JetCreateInstanceW", byref(inst), "case 14\0".encode("utf-16-le"))
        self.ok("JetStopBackupInstance", inst)
        self.code(h.JET_errNotInitialized, "JetBeginExternalBackupInstance", inst, 0)
        self.code(h.JET_errNotInitialized, "JetBeginSessionA", inst, byref(c_size_t()), None, None)
        self.ok("JetTerm", inst)
        self.code(h.JET_errInvalidInstance, "JetTerm", inst)

    def test_016_059_after_a_stop_of_the_service(self):
        live = self.live()
        live.begin()
        file = live.open_file(live.path)
        self.ok("JetStopServiceInstance", live.inst)
        self.ok("JetStopServiceInstance", live.inst)
        live.stop()
        stopped = h.JET_errClientRequestToStopJetService
        live.read(file, expected=stopped)
        self.code(stopped, "JetCloseFileInstance", live.inst, file)
        self.code(stopped, "JetEndExternalBackupInstance", live.inst)
        self.code(stopped, "JetBeginTransaction", live.ses)
        self.code(stopped, "JetMove", live.ses, live.table, 0, 0)
        self.ok("JetCloseTable", live.ses, live.table)
        self.ok("JetEndSession", live.ses, 0)
        live.term(h.JET_bitTermStopBackup)

    def test_017_three_stops_are_one(self):
        live = self.live()
        live.begin()
        for _ in range(3):
            live.stop()
        self.code(ABORTED, "JetGetAttachInfoInstanceA", live.inst, None, 0, None)
        live.end_backup()
        live.back_up()


class WhichCallsFail(Case):
    def test_019_020_035_opening_and_asking(self):
        live = self.live()
        live.begin()
        live.stop()
        self.assertEqual(live.open_file(live.path, ABORTED).value, 0)
        actual = c_uint32()
        for name in ("JetGetAttachInfoInstanceA", "JetGetAttachInfoInstanceW"):
            self.code(ABORTED, name, live.inst, None, 0, byref(actual))
        self.code(ABORTED, "JetOpenFileInstanceA", live.inst, None, None, None, None)
        live.read(0x100, expected=ABORTED)
        live.end_backup()
        self.code(h.JET_errNoBackup, "JetOpenFileInstanceA", live.inst, None, None, None, None)

    def test_021_023_024_the_logs(self):
        live = self.live()
        live.begin()
        live.copy(live.path)
        logs = live.logs()
        live.stop()
        live.open_file(logs[0], ABORTED)
        info = h.JET_LOGINFO_A(cbSize=1)
        actual = c_uint32()
        self.code(ABORTED, "JetGetLogInfoInstanceW", live.inst, None, 0, byref(actual))
        self.code(ABORTED, "JetGetLogInfoInstance2A", live.inst, None, 0, byref(actual),
                  byref(info))
        self.code(ABORTED, "JetGetTruncateLogInfoInstanceA", live.inst, None, 0, byref(actual))
        self.code(ABORTED, "JetTruncateLogInstance", live.inst)
        self.assertTrue(all(os.path.exists(log) for log in logs))
        live.end_backup()
        self.assertEqual(live.marks(), (0, 0))

    def test_026_027_closing(self):
        live = self.live()
        live.begin()
        file = live.open_file(live.path)
        live.stop()
        self.ok("JetCloseFileInstance", live.inst, file)
        live.end_backup(h.JET_bitBackupEndAbort)
        live.begin()
        live.copy(live.path)
        log = live.open_file(live.logs()[0])
        live.stop()
        self.ok("JetCloseFileInstance", live.inst, log)
        self.code(INVALID, "JetCloseFileInstance", live.inst, log)
        live.end_backup(h.JET_bitBackupEndAbort)

    def test_029_030_031_ending(self):
        live = self.live()
        for grbit in (h.JET_bitBackupEndNormal, h.JET_bitBackupEndAbort):
            live.begin()
            live.stop()
            live.end_backup(0, INVALID)
            live.end_backup(3, INVALID)
            self.code(h.JET_errBackupInProgress, "JetBeginExternalBackupInstance", live.inst, 0)
            live.end_backup(grbit)
            live.end_backup(grbit, h.JET_errNoBackup)
            self.assertEqual(live.marks(), (0, 0))

    def test_033_the_built_in_backup_during_a_stopped_one(self):
        live, target = self.live(), self.folder()
        live.begin()
        live.stop()
        self.code(h.JET_errBackupInProgress, "JetBackupInstanceA", live.inst, narrow(target), 0,
                  None)
        self.assertEqual(os.listdir(target), [])

    def test_037_038_incremental_backups(self):
        live = self.live()
        live.back_up()
        marks = live.marks()
        self.assertNotEqual(marks, (0, 0))
        live.begin(h.JET_bitBackupIncremental)
        live.stop()
        for name in ("JetGetLogInfoInstanceA", "JetGetAttachInfoInstanceA"):
            self.code(ABORTED, name, live.inst, None, 0, None)
        live.end_backup()
        live.begin(h.JET_bitBackupIncremental)
        logs = live.logs()
        live.stop()
        self.code(ABORTED, "JetTruncateLogInstance", live.inst)
        self.assertTrue(all(os.path.exists(log) for log in logs))
        live.end_backup()
        self.assertEqual(live.marks(), marks)

    def test_040_041_what_goes_on_and_what_waits(self):
        live = self.live()
        other = live.folder + "/b.edb"
        dbid = live.create_database(other)
        self.ok("JetCloseDatabase", live.ses, dbid, 0)
        self.ok("JetDetachDatabaseA", live.ses, narrow(other))
        live.begin()
        live.stop()
        self.code(h.JET_errBackupInProgress, "JetAttachDatabaseA", live.ses, narrow(other), 0)
        self.ok("JetBeginTransaction", live.ses)
        live.insert(20, "during")
        self.ok("JetCommitTransaction", live.ses, 0)
        live.end_backup()
        self.ok("JetAttachDatabaseA", live.ses, narrow(other), 0)


class LastingAndConcurrent(Case):
    def test_043_the_next_backup_is_complete(self):
        live = self.live()
        live.begin()
        live.stop()
        live.end_backup()
        live.back_up()
        low, high = live.marks()
        self.assertTrue(1 <= low <= high)

    def test_045_a_stop_after_the_truncation(self):
        live = self.live()
        live.begin()
        live.copy(live.path)
        for log in live.logs():
            live.copy(log)
        self.ok("JetTruncateLogInstance", live.inst)
        before = sorted(os.listdir(live.folder))
        live.stop()
        live.end_backup()
        self.assertEqual(live.marks(), (0, 0))
        self.assertEqual(sorted(os.listdir(live.folder)), before)

    def test_046_047_what_incremental_backups_build_on(self):
        live = self.live()
        live.begin()
        live.stop()
        live.end_backup()
        self.code(h.JET_errMissingFullBackup, "JetBeginExternalBackupInstance", live.inst,
                  h.JET_bitBackupIncremental)
        live.back_up()
        high = live.marks()[1]
        live.begin()
        live.stop()
        live.end_backup()
        live.begin(h.JET_bitBackupIncremental)
        first = os.path.basename(live.logs()[0])
        self.assertLessEqual(int(first[3:8], 16), high + 1)
        live.end_backup()

    def test_051_052_the_built_in_backup_is_stopped_from_its_callback(self):
        for grbit in (h.JET_bitBackupAtomic, 0):
            live, target = self.live(), self.folder()
            # With a set that exists before, where that is possible.
            if grbit:
                self.ok("JetBackupInstanceA", live.inst, narrow(target), grbit, None)
            before = {p.name: p.stat().st_size for p in Path(target).rglob("*") if p.is_file()}
            stops = []

            @h.JET_PFNSTATUS
            def told(_ses, _snp, snt, _pv):
                if snt != h.JET_sntComplete:
                    stops.append(lib.JetStopBackupInstance(live.inst))
                return 0

            self.code(ABORTED, "JetBackupInstanceA", live.inst, narrow(target), grbit, told)
            self.assertEqual(set(stops), {0})
            # The set of before is there, under the name that a next one gives it.
            left = {p.name: p.stat().st_size for p in Path(target).rglob("*") if p.is_file()}
            self.assertEqual(left, before)
            self.assertEqual(os.listdir(target), ["old"] if grbit else [])
            self.ok("JetBackupInstanceA", live.inst, narrow(target), grbit, None)
            live.term(h.JET_bitTermAbrupt)

    def test_053_a_stop_that_races_with_everything(self):
        live = self.live()
        allowed = {0, h.JET_errBackupInProgress, h.JET_errNoBackup, ABORTED}
        found = set()

        def run(step):
            for at in range(250):
                found.add(step(at))

        def asks(_):
            return lib.JetGetAttachInfoInstanceA(live.inst, None, 0, None)

        threads = [threading.Thread(target=run, args=(step,)) for step in (
            lambda _: lib.JetBeginExternalBackupInstance(live.inst, 0),
            lambda _: lib.JetStopBackupInstance(live.inst),
            lambda at: lib.JetEndExternalBackupInstance2(live.inst, 1 + at % 2),
            asks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(found, allowed)
        self.assertIn(0, found)

    def test_055_056_a_stop_and_the_end_of_the_instance(self):
        for grbit in (h.JET_bitTermComplete | h.JET_bitTermStopBackup, h.JET_bitTermAbrupt):
            live = self.live()
            live.begin()
            live.open_file(live.path)
            live.stop()
            self.ok("JetBeginTransaction", live.ses)
            live.insert(21, "committed")
            self.ok("JetCommitTransaction", live.ses, 0)
            live.term(grbit)
            misc = h.JET_DBINFOMISC()
            self.ok("JetGetDatabaseFileInfoA", narrow(live.path), byref(misc), sizeof(misc),
                    h.JET_DbInfoMisc)
            self.assertEqual(misc.dbstate, h.JET_dbstateCleanShutdown)
            live.start()
            dbid = c_uint32()
            self.ok("JetAttachDatabaseA", live.ses, narrow(live.path), 0)
            self.ok("JetOpenDatabaseA", live.ses, narrow(live.path), None, byref(dbid), 0)
            live.table = live.open("t", dbid=dbid.value)
            live.seek(21)
            live.term()

    def test_060_061_062_single_services(self):
        live = self.live()
        live.begin()
        file = live.open_file(live.path)
        self.ok("JetStopServiceInstance2", live.inst, h.JET_bitStopServiceQuiesceCaches)
        live.read(file)
        self.code(h.JET_errInvalidGrbit, "JetStopServiceInstance2", live.inst, 0x10)
        live.end_backup()
        self.ok("JetStopServiceInstance2", live.inst, h.JET_bitStopServiceAll)
        self.code(h.JET_errClientRequestToStopJetService, "JetStopServiceInstance2", live.inst,
                  h.JET_bitStopServiceResume)

    def test_a_stop_from_another_thread_while_files_are_read(self):
        live = self.live()
        live.begin()
        file = live.open_file(live.path)
        memory, address = aligned(16384)
        actual, codes = c_uint32(), []
        stopper = threading.Timer(0.02, live.stop)
        stopper.start()
        while not codes or codes[-1] == 0:
            codes.append(lib.JetReadFileInstance(live.inst, file, address, 16384, byref(actual)))
        stopper.join()
        self.assertEqual(codes[-1], ABORTED)
        live.end_backup()
        del memory


class SequenceAndStates(Case):
    def test_067_no_recovery_no_backup(self):
        live = self.live(JET_paramRecovery="off")
        self.code(h.JET_errLoggingDisabled, "JetBeginExternalBackupInstance", live.inst, 0)

    def test_068_071_072_how_a_backup_begins(self):
        live = self.live()
        self.code(h.JET_errInvalidGrbit, "JetBeginExternalBackupInstance", live.inst,
                  h.JET_bitBackupAtomic)
        self.code(h.JET_errMissingFullBackup, "JetBeginExternalBackupInstance", live.inst,
                  h.JET_bitBackupIncremental)
        live.end_backup(expected=h.JET_errNoBackup)
        live.begin()
        self.code(h.JET_errBackupInProgress, "JetBeginExternalBackupInstance", live.inst, 0)

    def test_069_070_circular_logging(self):
        live = self.live(JET_paramCircularLog=1)
        self.code(h.JET_errInvalidBackup, "JetBeginExternalBackupInstance", live.inst,
                  h.JET_bitBackupIncremental)
        live.back_up()

    def test_073_databases_stay_as_they_are(self):
        live = self.live()
        live.begin()
        busy = h.JET_errBackupInProgress
        self.code(busy, "JetAttachDatabaseA", live.ses, narrow(live.folder + "/x.edb"), 0)
        self.code(busy, "JetDetachDatabaseA", live.ses, narrow(live.path))
        self.code(busy, "JetCreateDatabaseA", live.ses, narrow(live.folder + "/x.edb"), None,
                  byref(c_uint32()), 0)

    def test_074_076_078_which_files_are_opened(self):
        live = self.live()
        live.begin()
        file = live.open_file(live.path)
        live.open_file(live.path, h.JET_errOutOfMemory)
        live.read(file)
        self.ok("JetCloseFileInstance", live.inst, file)
        live.open_file(live.folder + "/edb00001.log", h.JET_errDatabaseNotFound)
        live.copy(live.path)
        live.logs()
        live.open_file(live.folder + "/edb00099.log", MISSING)
        live.end_backup(expected=h.JET_errNoBackup)

    def test_080_081_082_steps_out_of_order(self):
        live = self.live()
        live.begin()
        self.code(SEQUENCE, "JetTruncateLogInstance", live.inst)
        log = live.open_file(live.logs()[0])
        self.code(SEQUENCE, "JetTruncateLogInstance", live.inst)
        self.ok("JetCloseFileInstance", live.inst, log)
        live.end_backup(h.JET_bitBackupEndAbort)
        live.back_up()
        live.begin(h.JET_bitBackupIncremental)
        self.code(SEQUENCE, "JetGetAttachInfoInstanceA", live.inst, None, 0, None)

    def test_084_085_093_every_log_is_read_before_truncation(self):
        live = self.live()
        self.ok("JetBeginTransaction", live.ses)
        for number in range(100, 1500):
            live.insert(number, "many")
        self.ok("JetCommitTransaction", live.ses, 0)
        live.begin()
        live.copy(live.path)
        logs = live.logs()
        self.assertGreater(len(logs), 2)
        for log in logs[:-2] + [logs[0], logs[0]]:
            live.copy(log)
        partly = live.open_file(logs[-1])
        live.read(partly, 8192)
        self.ok("JetCloseFileInstance", live.inst, partly)
        self.code(h.JET_errLogFileNotCopied, "JetTruncateLogInstance", live.inst)
        for log in logs[-2:]:
            live.copy(log)
        self.ok("JetTruncateLogInstance", live.inst)
        self.ok("JetTruncateLogInstance", live.inst)
        live.end_backup()

    def test_088_089_090_what_the_header_tells(self):
        for truncate, grbit, told in ((True, 1, True), (False, 1, False), (False, 0x101, True)):
            live = self.live()
            live.begin()
            live.copy(live.path)
            logs = live.logs()
            for log in logs:
                live.copy(log)
            if truncate:
                self.ok("JetTruncateLogInstance", live.inst)
            live.end_backup(grbit)
            span = tuple(int(os.path.basename(log)[3:8], 16) for log in (logs[0], logs[-1]))
            self.assertEqual(live.marks(), span if told else (0, 0))
            live.term()

    def test_094_095_096_097_099_handles_lengths_and_ends(self):
        live = self.live()
        live.begin()
        for bad in (1, NIL):
            self.code(INVALID, "JetCloseFileInstance", live.inst, bad)
        buffer, actual = ctypes.create_string_buffer(b"\xee" * 8, 8), c_uint32()
        self.ok("JetGetAttachInfoInstanceA", live.inst, buffer, 2, byref(actual))
        self.assertEqual(actual.value, len(live.path) + 2)
        self.assertEqual(buffer.raw, live.path[:2].encode() + b"\xee" * 6)
        self.ok("JetGetAttachInfoInstanceW", live.inst, None, 0, byref(actual))
        self.assertEqual(actual.value, 2 * (len(live.path) + 2))
        file = live.open_file(live.path)
        memory, address = aligned(65536)
        for at, size in ((address, 2 * 4096), (address, 3 * 4096 + 1), (address + 8, 65536)):
            self.code(INVALID, "JetReadFileInstance", live.inst, file, at, size, byref(actual))
        self.code(INVALID, "JetReadFileInstance", live.inst, file, None, 65536, byref(actual))
        self.assertEqual(len(live.read(file, 3 * 4096)), 3 * 4096)
        total = 3 * 4096
        while piece := live.read(file):
            total += len(piece)
        self.assertEqual(total, live.size)
        self.assertEqual((live.read(file), live.read(file)), (b"", b""))
        del memory

    def test_103_104_the_span_of_the_logs(self):
        live = self.live()
        live.begin()
        info, actual = h.JET_LOGINFO_A(cbSize=3), c_uint32()
        self.code(INVALID, "JetGetLogInfoInstance2A", live.inst, None, 0, byref(actual),
                  byref(info))
        for kind, letter in ((h.JET_LOGINFO_A, "A"), (h.JET_LOGINFO_W, "W")):
            info = kind(cbSize=sizeof(kind))
            self.ok(f"JetGetLogInfoInstance2{letter}", live.inst, None, 0, byref(actual),
                    byref(info))
            logs = live.logs()
            span = [int(os.path.basename(log)[3:8], 16) for log in (logs[0], logs[-1])]
            self.assertEqual([info.ulGenLow, info.ulGenHigh], span)
            self.assertEqual(bytes(info.szBaseName)[:3].replace(b"\0", b"")[:3], b"edb"[:3]
                             if letter == "A" else b"ed")

    def test_105_steps_on_three_threads(self):
        live = self.live()
        errors = []

        def step(*calls):
            def run():
                try:
                    for call in calls:
                        call()
                except AssertionError as error:
                    errors.append(error)
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()

        step(live.begin)
        step(lambda: live.copy(live.path))
        step(lambda: [live.copy(log) for log in live.logs()],
             lambda: self.ok("JetTruncateLogInstance", live.inst), live.end_backup)
        self.assertEqual(errors, [])

    def test_106_107_the_end_of_the_instance_during_a_backup(self):
        live = self.live()
        live.begin()
        file = live.open_file(live.path)
        live.term(expected=h.JET_errBackupInProgress)
        live.read(file)
        live.end_backup()
        self.code(h.JET_errBackupNotAllowedYet, "JetBeginExternalBackupInstance", live.inst, 0)
        live.term()
        live = self.live()
        live.begin()
        self.ok("JetTerm", live.inst)
        self.code(h.JET_errInvalidInstance, "JetTerm", live.inst)

    def test_a_copied_set_is_restored_through_the_interface(self):
        live, target = self.live(), self.folder()
        live.back_up(target)
        live.term()
        shutil.rmtree(live.folder)
        rows = (h.JET_RSTMAP_W * 1)()
        texts = [ctypes.create_string_buffer((text + "\0").encode("utf-16-le"))
                 for text in (live.path, target + "/a.edb")]
        rows[0].szDatabaseName, rows[0].szNewDatabaseName = map(ctypes.addressof, texts)
        folder = (target + "/\0").encode("utf-16-le")
        self.ok("JetExternalRestoreW", folder, folder, rows, 1, folder, 0, 0, None)
        misc = h.JET_DBINFOMISC()
        self.ok("JetGetDatabaseFileInfoA", narrow(target + "/a.edb"), byref(misc), sizeof(misc),
                h.JET_DbInfoMisc)
        self.assertEqual(misc.dbstate, h.JET_dbstateCleanShutdown)


if __name__ == "__main__":
    unittest.main()
