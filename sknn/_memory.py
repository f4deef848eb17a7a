"""Address space that pyarrow's allocator reserves, and memory that is given back.

pyarrow reserves 64 MiB at a time in place of 1 GiB.

What is reserved counts against a limit of memory (``ulimit -d``) though nothing is written there,
and would leave too little for training on files. The allocator reads its setting once, when pyarrow
is loaded: by scikit-learn, which loads pandas, so that a later time would be too late. The
environment is then as it was before.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

#: what mimalloc reads, and what it is to find there, in KiB
SETTING, RESERVED = "MIMALLOC_ARENA_RESERVE", str(64 * 1024)


@contextmanager
def reserve_little() -> Iterator[None]:
    """Let pyarrow, if it is loaded in this context, reserve little, unless the user says more."""
    if SETTING in os.environ:
        yield
        return
    os.environ[SETTING] = RESERVED
    try:
        yield
    finally:
        os.environ.pop(SETTING, None)


def give_back_memory() -> None:
    """Let the operating system have what was freed, as far as the C library can do that."""
    # The library keeps small gaps for later: tens of megabytes after a pass over a large table.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


with reserve_little():
    import_module("sklearn.base")
