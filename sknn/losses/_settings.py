"""Settings of a loss: what a user may give as ``loss__<name>``, read and checked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from typing import cast

import numpy as np

from sknn._saved import saved


@saved
@dataclass(frozen=True)
class Setting:
    """Setting of a loss, which users give as ``loss__<name>``.

    Attributes
    ----------
    default : float, tuple of float or None
        Value where the user gives none.
    read : callable
        Function from what the user gave to the value in use, which raises TypeError or
        ValueError.
    expected : str
        Description of accepted values, for the error.
    """

    default: float | tuple[float, ...] | None
    read: Callable[[object], float | tuple[float, ...] | None]
    expected: str


@saved
@dataclass(frozen=True)
class NumberIn:
    """Reader of a finite number from an interval whose upper end is open.

    Attributes
    ----------
    low : float
        Lower end.
    high : float, default=inf
        Upper end, which is excluded.
    includes_low : bool, default=False
        Whether the lower end is included.

    Examples
    --------
    >>> from sknn.losses import NumberIn
    >>> NumberIn(0, 1, includes_low=True)(0)
    0.0
    """

    low: float
    high: float = np.inf
    includes_low: bool = False

    def __call__(self, value: object) -> float:
        """Return a float; raise ValueError unless it is a number within the interval."""
        if isinstance(value, bool) or not isinstance(value, Real):
            raise ValueError
        number = float(value)
        if not (self.low < number < self.high or (self.includes_low and number == self.low)):
            raise ValueError
        return number


@saved
@dataclass(frozen=True)
class CountFrom:
    """Reader of a whole number.

    Attributes
    ----------
    low : int
        Smallest number.

    Examples
    --------
    >>> from sknn.losses import CountFrom
    >>> CountFrom(6)(32)
    32
    """

    low: int

    def __call__(self, value: object) -> int:
        """Return an int; raise ValueError unless it is a whole number, and large enough."""
        if isinstance(value, bool) or not isinstance(value, Integral) or value < self.low:
            raise ValueError
        return int(value)


def read_levels(value: object) -> tuple[float, ...]:
    """Return levels of quantiles; raise ValueError unless they increase within (0, 1)."""
    levels = tuple(
        float(v) for v in ([value] if isinstance(value, Real) else cast("Sequence[float]", value))
    )
    if not levels or not all(0 < level < 1 for level in levels):
        raise ValueError
    if any(high <= low for low, high in pairwise(levels)):
        raise ValueError
    return levels


def read_range(value: object) -> tuple[float, ...] | None:
    """Return the ends of a range; raise ValueError unless they are finite and increase."""
    if value is None:
        return None
    low, high = (float(v) for v in cast("Iterable[float]", value))
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError
    return low, high


def read_settings(
    loss: object, settings: Mapping[str, Setting], given: Mapping[str, object] | None
) -> dict[str, float | tuple[float, ...] | None]:
    """Return the settings of a loss, checked and complete.

    Parameters
    ----------
    loss : str, ValueLoss, ClassLoss or callable
        Loss as a user gives it, for the errors.
    settings : mapping of str to Setting
        Settings that it takes.
    given : mapping or None
        Values of ``loss__<name>``; None is an empty mapping.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a name is unknown, or a value not as expected.
    """
    given = dict(given or {})
    named = getattr(loss, "name", loss)
    if given and not isinstance(named, str):
        raise ValueError(
            "Settings loss__<name> are for the losses that have a name; for a function bind them "
            f"with functools.partial. Got {given!r}."
        )
    unknown = sorted(set(given) - set(settings))
    if unknown:
        names = f"takes {sorted(settings)}" if settings else "takes none"
        raise ValueError(f"loss__<name> gives {unknown}, but loss {named!r} {names}.")
    return {name: _read(named, name, setting, given) for name, setting in settings.items()}


def _read(
    loss: object, name: str, setting: Setting, given: Mapping[str, object]
) -> float | tuple[float, ...] | None:
    if name not in given:
        return setting.default
    try:
        return setting.read(given[name])
    except (TypeError, ValueError):
        raise ValueError(
            f"{name!r} of loss {loss!r} must be {setting.expected}; got {given[name]!r}."
        ) from None
