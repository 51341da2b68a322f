"""Codes of the interface as exceptions."""

import ctypes

from . import _header
from ._library import library

_NAMES = {}
for _name, _value in vars(_header).items():
    if _name.startswith(("JET_err", "JET_wrn")) and isinstance(_value, int):
        if not _name.startswith("JET_errcat"):
            _NAMES.setdefault(_value, _name)
_NAMES[0] = "JET_errSuccess"


def name_of(code):
    """The name of a code in esent.h."""
    return _NAMES.get(code, f"code {code}")


def text_of(code):
    """What the library says of a code: its name and a sentence."""
    number = ctypes.c_size_t(code & 0xFFFFFFFF)
    buffer = ctypes.create_string_buffer(512)
    answer = library().JetGetSystemParameterA(
        _header.JET_instanceNil, _header.JET_sesidNil, _header.JET_paramErrorToString,
        ctypes.byref(number), buffer, len(buffer))
    return buffer.value.decode() if answer >= 0 else name_of(code)


class JetError(Exception):
    """A call failed. `code` is its JET_err..., `name` the name of that, `call` the function."""

    def __init__(self, code, call):
        self.code = code
        self.name = name_of(code)
        self.call = call
        super().__init__(f"{call}: {code}, {text_of(code)}")


class NotFound(JetError):
    """There is no such row, table, column, index or database."""


class KeyDuplicate(JetError):
    """A unique key is there already."""


class WriteConflict(JetError):
    """Another session has changed the row: roll back and try again."""


class BackupStopped(JetError):
    """Somebody has stopped the backup; only closing and ending are left."""


_CLASSES = {
    _header.JET_errRecordNotFound: NotFound,
    _header.JET_errObjectNotFound: NotFound,
    _header.JET_errColumnNotFound: NotFound,
    _header.JET_errIndexNotFound: NotFound,
    _header.JET_errDatabaseNotFound: NotFound,
    _header.JET_errFileNotFound: NotFound,
    _header.JET_errKeyDuplicate: KeyDuplicate,
    _header.JET_errWriteConflict: WriteConflict,
    _header.JET_errBackupAbortByServer: BackupStopped,
}


def check(code, call):
    """The code of a call that succeeded, perhaps with a warning; else the exception."""
    if code < 0:
        raise _CLASSES.get(code, JetError)(code, call)
    return code


def call(name, *arguments):
    """Calls a function of the library; negative codes become exceptions, others come back."""
    return check(getattr(library(), name)(*arguments), name)
