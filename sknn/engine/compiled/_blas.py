"""One thread for the products of compiled code, however many fits run side by side."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_lock = threading.Lock()
_users, _limits = 0, None


@contextmanager
def one_blas_thread(needed: bool = True) -> Iterator[None]:
    """Let NumPy and SciPy compute products with one thread inside the block.

    The number is one of the process. The first of several threads that come in sets it, the last
    that leaves sets it back, so that it is afterwards what it was before.

    Parameters
    ----------
    needed : bool, default=True
        Whether there are products so large that they would be shared among threads.
    """
    if not needed:
        yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _users, _limits  # noqa: PLW0603 - as the number of threads is one of the process
    with _lock:
        if _users == 0:
            _limits = threadpool_limits(1, user_api="blas")
        _users += 1


def _leave() -> None:
    global _users, _limits  # noqa: PLW0603
    with _lock:
        _users -= 1
        if _users == 0:
            _limits.restore_original_limits()
            _limits = None
