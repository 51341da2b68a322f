"""A backup by streaming: the caller reads the files and puts them where it likes."""

import ctypes
import os
from ctypes import byref, c_size_t, c_uint32

from . import _header as h
from ._library import narrow
from .errors import call

# Buffers of JetReadFileInstance begin at a page of the memory.
_PAGE = 4096


def _aligned(size):
    """The memory, which somebody must hold, and the address in it."""
    memory = ctypes.create_string_buffer(size + _PAGE)
    address = ctypes.addressof(memory)
    return memory, address + -address % _PAGE


class Backup:
    """A backup that runs, from its beginning to `end` or the end of its `with`."""

    def __init__(self, instance, grbit=0):
        self.instance = instance
        call("JetBeginExternalBackupInstance", instance.handle, grbit)
        self.running = True

    def _list(self, name):
        actual = c_uint32()
        call(name, self.instance.handle, None, 0, byref(actual))
        buffer = ctypes.create_string_buffer(max(actual.value, 2))
        call(name, self.instance.handle, buffer, len(buffer), byref(actual))
        return [text.decode() for text in buffer.raw[:actual.value].split(b"\0") if text]

    def databases(self):
        return self._list("JetGetAttachInfoInstanceA")

    def logs(self):
        """Rolls the log; databases cannot be read after that."""
        return self._list("JetGetLogInfoInstanceA")

    def read(self, path, size=1 << 20):
        """The content of a file, in pieces."""
        handle, low, high = c_size_t(), c_uint32(), c_uint32()
        call("JetOpenFileInstanceA", self.instance.handle, narrow(path), byref(handle), byref(low),
             byref(high))
        memory, address = _aligned(size)
        actual = c_uint32()
        try:
            while True:
                call("JetReadFileInstance", self.instance.handle, handle, address, size,
                     byref(actual))
                if actual.value == 0:
                    return
                yield ctypes.string_at(address, actual.value)
        finally:
            del memory
            call("JetCloseFileInstance", self.instance.handle, handle)

    def copy(self, path, folder):
        """Copies a file of the backup into a folder, and gives the path there."""
        target = os.path.join(folder, os.path.basename(path))
        with open(target, "xb") as file:
            for piece in self.read(path):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        return target

    def truncate(self):
        """Deletes logs that only recovery from older backups would need."""
        call("JetTruncateLogInstance", self.instance.handle)

    def end(self, normal=True):
        if self.running:
            self.running = False
            call("JetEndExternalBackupInstance2", self.instance.handle,
                 h.JET_bitBackupEndNormal if normal else h.JET_bitBackupEndAbort)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.end(kind is None)


def restore(folder, databases):
    """Makes copied databases whole with the copied logs in the same folder.

    `databases` says where each was (as `Backup.databases` had it) and where its copy is. No
    instance may run in this process. The folder is that of the instance afterwards.
    """
    rows = (h.JET_RSTMAP_A * max(len(databases), 1))()
    keep = []
    for row, (old, new) in zip(rows, databases.items()):
        texts = [ctypes.create_string_buffer(narrow(text)) for text in (old, new)]
        keep.append(texts)
        row.szDatabaseName, row.szNewDatabaseName = (ctypes.addressof(text) for text in texts)
    path = narrow(f"{folder}/")
    call("JetExternalRestoreA", path, path, rows, len(databases), path, 0, 0, None)
