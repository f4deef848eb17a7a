"""The door to numba: functions are compiled where it is installed, and plain where it is not."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

#: whether numba is installed; it is loaded with the first function that is compiled
HAS_NUMBA = find_spec("numba") is not None


def jit(function: F) -> F:
    """Return a function compiled by numba at its first call, and kept on disk.

    It runs without the interpreter lock, and with the arithmetic of IEEE 754: numbers that are not
    finite stay so, sums are in the order that is written.

    Parameters
    ----------
    function : callable
        Function of numbers and arrays, in the part of Python that numba compiles.

    Returns
    -------
    callable
        The same function where numba is not installed.
    """
    if not HAS_NUMBA:
        return function
    from numba import njit

    options: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # there is no folder to keep it in, neither here nor of the user
        return njit(**options)(function)


def is_kept(function: Callable[..., Any]) -> bool:
    """Return whether what is compiled of a function of `jit` is kept on disk."""
    stats = getattr(function, "stats", None)
    return stats is not None and stats.cache_path is not None


def is_compiled(function: Callable[..., Any]) -> bool:
    """Return whether a kept function of `jit` was compiled before, for some types of arguments."""
    name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}-*.nbi"
    stats = getattr(function, "stats", None)
    return stats is not None and any(Path(stats.cache_path).glob(name))
