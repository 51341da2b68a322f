"""The Jet API for Python: databases of the Extensible Storage Engine through libesent.

Two layers. `Instance`, `Session`, `Table` and `Backup` hold handles, close them and raise
exceptions. Below, `library()` has every function of esent.h under its own name and gives codes;
values and structures are here under their names in the header.
"""

from ._header import *  # noqa: F403 - the names of esent.h
from ._header import FUNCTIONS
from ._library import Library, library, narrow, wide
from .backup import Backup, restore
from .errors import (BackupStopped, JetError, KeyDuplicate, NotFound, WriteConflict, call, check,
                     name_of, text_of)
from .instance import Instance, Session, Transaction
from .table import Column, Table, column, index

__version__ = "0.1.0"
