"""One thread for the products of compiled code, however many fits run side by side."""

import threading
from typing import ClassVar

from threadpoolctl import threadpool_limits


class OneBLASThread:
    """Lets NumPy and SciPy compute products with one thread until it is closed.

    The number is one of the process. The first of several that are open at once sets it, the last
    to be closed sets it back, so that it is afterwards what it was before.

    Parameters
    ----------
    is_needed : bool
        Whether there are products so large that they would be shared among threads.
    """

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _n_open: ClassVar[int] = 0
    _limits: ClassVar[threadpool_limits | None] = None

    def __init__(self, is_needed: bool):
        self.is_open = is_needed
        if is_needed:
            cls = type(self)
            with cls._lock:
                if cls._n_open == 0:
                    cls._limits = threadpool_limits(1, user_api="blas")
                cls._n_open += 1

    def close(self) -> None:
        """Set the number back if nobody else wants one thread."""
        cls = type(self)
        if not self.is_open:
            return
        self.is_open = False
        with cls._lock:
            cls._n_open -= 1
            if cls._n_open == 0 and cls._limits is not None:
                cls._limits.restore_original_limits()
                cls._limits = None
