"""The library in its process: loading, forks, threads, handles of a fresh process, unloading.

What changes a process for good runs in one of its own.
"""

import subprocess
import sys
import threading
import unittest
from ctypes import byref, c_size_t

from support import PACKAGE, Case, h, lib

HEAD = """
import ctypes, os, sys
sys.path.insert(0, "tests")
from support import *
class Here(Case):
    def runTest(self):
        pass
case = Here()
live = Live(case, sys.argv[1], {})
"""


class Processes(Case):
    def program(self, text, head=HEAD):
        done = subprocess.run([sys.executable, "-B", "-X", "faulthandler", "-c", head + text,
                               self.folder()], capture_output=True, text=True, cwd=PACKAGE,
                              timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.split()

    def test_handles_of_a_fresh_process_are_told_apart_by_kind(self):
        self.program("""
code = lib.JetBeginTransaction(live.inst)
assert code == h.JET_errInvalidSesid, f"an instance as session: {code}"
assert lib.JetBeginTransaction(live.table) == h.JET_errInvalidSesid, "a table as session"
assert lib.JetMove(live.ses, live.ses, 0, 0) == h.JET_errInvalidTableId, "a session as table"
code = lib.JetStopBackupInstance(live.ses)
assert code == h.JET_errInvalidParameter, f"a session as instance: {code}"
code = lib.JetTerm(live.ses)
assert code in (h.JET_errInvalidInstance, h.JET_errInvalidParameter), f"ended by session: {code}"
live.end()
""")

    def test_a_child_is_refused_and_the_parent_goes_on(self):
        self.program("""
pid = os.fork()
if pid == 0:
    codes = [lib.JetBeginTransaction(live.ses), lib.JetMove(live.ses, live.table, 1, 0),
             lib.JetTerm(live.inst), lib.JetStopBackupInstance(live.inst),
             lib.JetCreateInstanceA(byref(c_size_t()), b"child\\0")]
    os._exit(0 if set(codes) == {h.JET_errInstanceUnavailable} else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
live.case.ok("JetBeginTransaction", live.ses)
live.insert(99, "after the fork")
live.case.ok("JetCommitTransaction", live.ses, 0)
live.term()
""")

    def test_a_child_of_a_process_that_has_not_used_the_library_may(self):
        self.program("""
sys.path.insert(0, "tests")
import esent
pid = os.fork()
if pid == 0:
    with esent.Instance(sys.argv[1]) as instance, instance.session() as session:
        session.create_database(sys.argv[1] + "/child.edb")
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
""", head="import os, sys\nsys.path.insert(0, '.')\n")

    def test_loading_starts_no_thread_and_unloading_is_harmless(self):
        self.program("""
def threads():
    return len(os.listdir("/proc/self/task"))
before = threads()
libc = ctypes.CDLL(None)
for _ in range(3):
    handle = ctypes.CDLL(sys.argv[2] if len(sys.argv) > 2 else os.environ.get(
        "ESENT_LIBRARY", "libesent.so"))
    assert threads() == before, "a thread without an instance"
    instance = ctypes.c_size_t()
    assert handle.JetCreateInstanceA(ctypes.byref(instance), b"x") == 0
    handle.JetTerm.argtypes = [ctypes.c_size_t]
    assert handle.JetTerm(instance) == 0
    assert threads() == before, "threads after the end"
    libc.dlclose.argtypes = [ctypes.c_void_p]
    assert libc.dlclose(handle._handle) == 0
""", head="import ctypes, os, sys\n")

    def test_a_process_that_ends_without_ending_its_instance_leaves_a_file_that_recovers(self):
        folder = self.folder()
        for text in ("live.insert(77, 'last')\nos._exit(0)",
                     "live.seek(77)\nprint(live.id())\nlive.term()"):
            head = HEAD if "insert" in text else HEAD.replace(
                "live = Live(case, sys.argv[1], {})", """
live = Live.__new__(Live)
live.case, live.folder, live.path = case, sys.argv[1], sys.argv[1] + "/a.edb"
live.ses = c_size_t()
live.start()
case.ok("JetAttachDatabaseA", live.ses, narrow(live.path), 0)
dbid = c_uint32()
case.ok("JetOpenDatabaseA", live.ses, narrow(live.path), None, byref(dbid), 0)
live.table = live.open("t", dbid=dbid.value)
live.ids = {"id": 1}
""")
            done = subprocess.run([sys.executable, "-B", "-c", head + text, folder],
                                  capture_output=True, text=True, cwd=PACKAGE, timeout=120)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.split(), ["77"])


class Threads(Case):
    def on_thread(self, call):
        codes = []
        thread = threading.Thread(target=lambda: codes.append(call()))
        thread.start()
        thread.join()
        return codes[0]

    def test_a_transaction_belongs_to_the_thread_that_began_it(self):
        live = self.live()
        self.ok("JetBeginTransaction", live.ses)
        shared = h.JET_errSessionSharingViolation
        self.assertEqual(self.on_thread(lambda: lib.JetMove(live.ses, live.table, 0, 0)), shared)
        self.assertEqual(self.on_thread(lambda: lib.JetRollback(live.ses, 0)), shared)
        self.ok("JetRollback", live.ses, 0)
        self.assertEqual(self.on_thread(lambda: lib.JetMove(live.ses, live.table, 0, 0)), 0)

    def test_a_context_lets_a_session_go_from_thread_to_thread(self):
        live = self.live()
        for reserved in (0, h.JET_sesidNil):
            self.code(h.JET_errInvalidParameter, "JetSetSessionContext", live.ses, reserved)
        self.ok("JetSetSessionContext", live.ses, 5)
        self.code(h.JET_errSessionContextAlreadySet, "JetSetSessionContext", live.ses, 5)
        found = self.on_thread(lambda: lib.JetResetSessionContext(live.ses))
        self.assertEqual(found, h.JET_errSessionContextNotSetByThisThread)
        self.ok("JetBeginTransaction", live.ses)
        self.ok("JetResetSessionContext", live.ses)

        def elsewhere():
            codes = [lib.JetSetSessionContext(live.ses, 5), lib.JetMove(live.ses, live.table, 0, 0),
                     lib.JetCommitTransaction(live.ses, 0), lib.JetResetSessionContext(live.ses)]
            return codes

        self.assertEqual(self.on_thread(elsewhere), [0, 0, 0, 0])

    def test_sessions_on_many_threads(self):
        live = self.live()
        codes = set()

        def work(number):
            ses, dbid = live.session()
            table = live.open("t", ses, dbid)
            for at in range(20):
                codes.add(lib.JetBeginTransaction(ses))
                codes.add(lib.JetPrepareUpdate(ses, table, h.JET_prepInsert))
                key = (1000 + number * 100 + at).to_bytes(4, "little")
                codes.add(lib.JetSetColumn(ses, table, live.ids["id"], key, 4, 0, None))
                codes.add(lib.JetUpdate(ses, table, None, 0, None))
                codes.add(lib.JetCommitTransaction(ses, h.JET_bitCommitLazyFlush))
            codes.add(lib.JetEndSession(ses, 0))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(codes, {0})
        self.ok("JetMove", live.ses, live.table, h.JET_MoveLast, 0)
        self.assertEqual(live.id(), 1319)
        self.code(h.JET_errInvalidSesid, "JetBeginTransaction", c_size_t())
        self.code(h.JET_errInvalidParameter, "JetBeginSessionA", live.inst, None, None, None)
        self.ok("JetBeginSessionA", live.inst, byref(c_size_t()), None, None)


if __name__ == "__main__":
    unittest.main()
