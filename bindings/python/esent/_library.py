"""Finds libesent and calls its functions as they are: a code comes back, nothing is raised.

The library is the one that the environment names in ESENT_LIBRARY, else the one that the loader
knows as libesent.so.
"""

import ctypes
import os
from ctypes import c_int32

from . import _header


class Library:
    """The functions of the library, by name: `library.JetInit(byref(instance))` gives the code.

    Text is bytes here; see `narrow` and `wide`. Names without ending mean those that end in A.
    """

    def __init__(self, path=None):
        self.path = path or os.environ.get("ESENT_LIBRARY") or "libesent.so"
        self._library = ctypes.CDLL(self.path)
        self._functions = {}

    def __getattr__(self, name):
        functions = self.__dict__.get("_functions", {})
        if name not in functions:
            parameters = _header.FUNCTIONS.get(name)
            if parameters is None:
                parameters = _header.FUNCTIONS.get(name + "A")
            if parameters is None:
                raise AttributeError(f"libesent has no function {name}")
            function = getattr(self._library, name)
            function.argtypes = [kind for _, kind in parameters]
            function.restype = c_int32
            functions[name] = function
        return functions[name]


_loaded = None


def library():
    """The library, loaded when it is first needed."""
    global _loaded  # noqa: PLW0603 - a process has one
    if _loaded is None:
        _loaded = Library()
    return _loaded


def narrow(text):
    """Text for the functions that end in A: UTF-8, with its end."""
    return None if text is None else str(text).encode() + b"\0"


def wide(text):
    """Text for the functions that end in W: UTF-16, with its end."""
    return None if text is None else (str(text) + "\0").encode("utf-16-le")
