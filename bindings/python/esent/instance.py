"""Instances, sessions and transactions."""

import ctypes
from ctypes import byref, c_size_t, c_uint32

from . import _header as h
from ._library import narrow
from .backup import Backup
from .errors import call
from .table import Table

_FOLDERS = {h.JET_paramSystemPath, h.JET_paramLogFilePath, h.JET_paramTempPath}


class Instance:
    """An instance of the engine, with its log in a folder. Ends with `close`, or its `with`."""

    def __init__(self, folder, name=None, parameters=None):
        """`parameters` are numbers or texts by JET_param..., set before the start."""
        self.handle = c_size_t(h.JET_instanceNil)
        handle = c_size_t()
        call("JetCreateInstance2A", byref(handle), narrow(name or folder), None, 0)
        try:
            settings = {parameter: f"{folder}/" for parameter in _FOLDERS}
            settings[h.JET_paramCreatePathIfNotExist] = 1
            settings.update(parameters or {})
            for parameter, value in settings.items():
                number, text = (0, narrow(value)) if isinstance(value, str) else (value, None)
                call("JetSetSystemParameterA", byref(handle), h.JET_sesidNil, parameter, number,
                     text)
        except Exception:
            call("JetTerm", handle)
            raise
        # A start that fails takes the handle with it.
        call("JetInit2", byref(handle), 0)
        self.handle = handle

    def session(self):
        return Session(self)

    def parameter(self, parameter):
        """A number; of the parameters that are texts, the text."""
        number, buffer = c_size_t(), ctypes.create_string_buffer(1024)
        call("JetGetSystemParameterA", self.handle, h.JET_sesidNil, parameter, byref(number),
             buffer, len(buffer))
        return buffer.value.decode() or number.value

    def backup(self, grbit=0):
        """Begins a backup by streaming."""
        return Backup(self, grbit)

    def stop_backup(self):
        """Makes the backup that runs fail at its next step. Waits for nothing; from any thread."""
        call("JetStopBackupInstance", self.handle)

    def close(self, grbit=h.JET_bitTermComplete):
        if self.handle.value != h.JET_instanceNil:
            handle, self.handle = self.handle, c_size_t(h.JET_instanceNil)
            try:
                call("JetTerm2", handle, grbit)
            except Exception as error:
                if error.code in (h.JET_errTooManyActiveUsers, h.JET_errBackupInProgress):
                    self.handle = handle  # still runs
                raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        # After an exception sessions may be in transactions, and backups open: end those too.
        self.close(h.JET_bitTermComplete if kind is None
                   else h.JET_bitTermAbrupt | h.JET_bitTermStopBackup)


class Session:
    """A session. One thread at a time uses it; inside a transaction, the one that began it."""

    def __init__(self, instance):
        self.instance = instance
        self.handle = c_size_t()
        call("JetBeginSessionA", instance.handle, byref(self.handle), None, None)

    def create_database(self, path, grbit=0):
        dbid = c_uint32()
        call("JetCreateDatabase2A", self.handle, narrow(path), 0, byref(dbid), grbit)
        return dbid.value

    def open_database(self, path, grbit=0):
        """Attaches the file if nobody has, and opens it."""
        call("JetAttachDatabaseA", self.handle, narrow(path), grbit & h.JET_bitDbReadOnly)
        dbid = c_uint32()
        call("JetOpenDatabaseA", self.handle, narrow(path), None, byref(dbid), grbit)
        return dbid.value

    def close_database(self, dbid):
        call("JetCloseDatabase", self.handle, dbid, 0)

    def detach_database(self, path=None):
        call("JetDetachDatabaseA", self.handle, narrow(path))

    def create_table(self, dbid, name, columns, indexes=()):
        """Makes a table of `column(...)` and `index(...)`, and opens it for everybody."""
        return Table.create(self, dbid, name, columns, indexes)

    def open_table(self, dbid, name, grbit=0):
        return Table(self, dbid, name, grbit)

    def transaction(self, commit=0, begin=0):
        """`with session.transaction():` commits at the end, or rolls back what raised."""
        return Transaction(self, commit, begin)

    def wait_until_durable(self):
        """What lazy commits of any session have left is on the disk after this."""
        call("JetCommitTransaction", self.handle, h.JET_bitWaitAllLevel0Commit)

    def close(self):
        if self.handle.value:
            handle, self.handle = self.handle, c_size_t()
            call("JetEndSession", handle, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Transaction:
    """A level of a transaction, from entering a `with` to leaving it."""

    def __init__(self, session, commit, begin):
        self.session, self.commit, self.begin = session, commit, begin

    def __enter__(self):
        call("JetBeginTransaction2", self.session.handle, self.begin)
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            call("JetRollback", self.session.handle, 0)
            return
        try:
            call("JetCommitTransaction", self.session.handle, self.commit)
        except Exception:
            # The transaction is there as before.
            call("JetRollback", self.session.handle, 0)
            raise
