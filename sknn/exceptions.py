"""Errors of our own, and warnings that point at the user's line; else scikit-learn's classes."""

import sys
import warnings
from types import FrameType

#: packages whose frames stand between the line that a user wrote and ours
BETWEEN = frozenset(
    (
        *("sknn", "sklearn", "skorch", "skops", "scipy", "numpy", "torch"),
        *("joblib", "contextlib", "copy", "functools", "pickle"),
    )
)


class NonFiniteLossError(ValueError):
    """Training ran into a loss or weights that are infinite or not a number."""


class PeerError(RuntimeError):
    """Another process that trains the same network (`n_processes`) failed, or was lost."""


class OptionalDependencyError(ImportError):
    """A feature was used whose optional package is not installed."""


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside of sknn and the packages below it that led here.

    Parameters
    ----------
    message : str
        Text of the error: its cause, and what to do.
    category : type, default=UserWarning
        Class of the warning.

    Warns
    -----
    Warning
        Of `category`. Where no frame is the user's, as in a thread of a pool, it points at the
        outermost one.

    Examples
    --------
    >>> import warnings
    >>> from sknn.exceptions import warn_user
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_user("X is not scaled.")
    >>> str(caught[0].message)
    'X is not scaled.'
    """
    warnings.warn(message, category, stacklevel=get_user_level())


def get_user_level() -> int:
    """Return the ``stacklevel`` at which the caller's ``warnings.warn`` shows the user's line."""
    level = 1
    frame: FrameType | None = sys._getframe(2)  # of the caller's caller, as stacklevel=2
    while frame is not None:
        level += 1
        if frame.f_globals.get("__name__", "").partition(".")[0] not in BETWEEN:
            return level
        frame = frame.f_back
    return level
