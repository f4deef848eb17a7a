"""Contents of files of estimators: known classes, plain values, and versions of the writer."""

import datetime
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeVar

import numpy as np
from sklearn.exceptions import InconsistentVersionWarning

from sknn._version import __version__
from sknn.exceptions import get_user_level

Kind = TypeVar("Kind", bound=Callable[..., Any])
#: resolutions that pandas has
TimeUnit = Literal["s", "ms", "us", "ns"]

#: dotted names of the classes marked by `saved`, as far as their modules are loaded
SAVED: set[str] = set()
#: key of the state of an estimator
VERSIONS = "_sknn_versions"


def saved(kind: Kind) -> Kind:
    """Mark a class that fitted estimators hold, so that `sknn.persistence` lets skops load it."""
    # A file may then call the class with any plain arguments and set any attributes, so it must do
    # no more than arithmetic. Estimators derive from `SavedState` and need no mark.
    SAVED.add(f"{kind.__module__}.{kind.__qualname__}")
    return kind


class SavedState:
    """State of an estimator in files and copies: plain dicts and levels, and versions.

    Attributes
    ----------
    _packages : tuple of str
        Packages whose versions are noted, beside sknn's.
    """

    _packages: tuple[str, ...] = ("sklearn",)

    # `super` is a BaseEstimator here, which mypy cannot know of a mixin.
    def __getstate__(self) -> dict[str, Any]:
        return make_saved_state(super().__getstate__(), self._packages)  # type: ignore[arg-type]

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = read_saved_state(type(self).__name__, state, self._packages)
        super().__setstate__(state)  # type: ignore[misc]


def make_saved_state(state: dict[str, Any], packages: tuple[str, ...]) -> dict[str, Any]:
    """Return the state of an estimator in plain values, with the versions of packages."""
    plain = {name: to_plain(value) for name, value in state.items()}
    return {**plain, VERSIONS: dict(find_versions(*packages))}


def read_saved_state(name: str, state: dict[str, Any], packages: tuple[str, ...]) -> dict[str, Any]:
    """Return the state that `make_saved_state` was given; warn if other versions wrote it."""
    state = dict(state)
    _warn_of_other_versions(name, state.pop(VERSIONS, {}), packages)
    return {key: from_plain(value) for key, value in state.items()}


def find_versions(*packages: str) -> Iterator[tuple[str, str]]:
    """Yield name and version of sknn and of packages that are loaded, without local suffixes."""
    yield "sknn", __version__
    names = {"sklearn": "scikit-learn"}
    for package in packages:
        version = sys.modules[package].__version__
        yield names.get(package, package), version.partition("+")[0]  # +cpu reads +cu130


def _warn_of_other_versions(name: str, written: dict[str, str], packages: tuple[str, ...]) -> None:
    """Warn as scikit-learn does if other versions than those here wrote an estimator."""
    here = dict(find_versions(*packages))
    other = [package for package in here if written.get(package) != here[package]]
    if other:
        warnings.warn(
            InconsistentVersionWarning(
                estimator_name=name,
                current_sklearn_version=", ".join(f"{p} {here[p]}" for p in other),
                original_sklearn_version=", ".join(f"{p} {written.get(p, '?')}" for p in other),
            ),
            stacklevel=get_user_level(),
        )


@saved
@dataclass
class PlainValue:
    """A value that skops does not know, by a word for its kind and its parts."""

    kind: str
    parts: tuple


def to_plain(value: Any) -> Any:
    """Return a value in which dicts with other keys than text and whole numbers are lists.

    Levels such as intervals, dates and periods become `PlainValue`. A container in which there is
    nothing to change is returned itself.
    """
    kind = type(value)
    if kind is dict:
        if not all(type(key) in (str, int) for key in value):
            pairs = tuple(map(to_plain, value)), tuple(map(to_plain, value.values()))
            return PlainValue("dict", pairs)
        plain = {key: to_plain(item) for key, item in value.items()}
        return plain if any(plain[key] is not value[key] for key in value) else value
    if kind in (list, tuple):
        plain = kind(map(to_plain, value))
        return plain if any(a is not b for a, b in zip(plain, value, strict=True)) else value
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    return PlainValue(name, _TAKE_APART[name](value)) if name in _TAKE_APART else value


def from_plain(value: Any) -> Any:
    """Return what `to_plain` was given."""
    kind = type(value)
    if kind is PlainValue:
        if value.kind == "dict":
            keys, items = map(from_plain, value.parts)
            return dict(zip(keys, items, strict=True))
        if value.kind not in _PUT_TOGETHER:
            raise ValueError(
                f"A saved estimator holds a value of the unknown kind {value.kind!r}; expected one "
                f"of {sorted(_PUT_TOGETHER)}. The file is damaged, or was made by another version "
                "of sknn."
            )
        return _PUT_TOGETHER[value.kind](*value.parts)
    if kind is dict:
        whole = {key: from_plain(item) for key, item in value.items()}
        return whole if any(whole[key] is not value[key] for key in value) else value
    if kind in (list, tuple):
        whole = kind(map(from_plain, value))
        return whole if any(a is not b for a, b in zip(whole, value, strict=True)) else value
    return value


#: package and class -> function that returns the parts
_TAKE_APART = {
    "datetime.date": lambda v: (v.isoformat(),),
    "datetime.datetime": lambda v: (v.isoformat(),),
    "datetime.time": lambda v: (v.isoformat(),),
    "datetime.timedelta": lambda v: (v.days, v.seconds, v.microseconds),
    "decimal.Decimal": lambda v: (str(v),),
    "pandas.Interval": lambda v: (to_plain(v.left), to_plain(v.right), v.closed),
    "pandas.Period": lambda v: (v.ordinal, v.freqstr),
    "pandas.Timedelta": lambda v: (v.asm8.astype(np.int64).item(), v.unit),
    "pandas.Timestamp": lambda v: (
        v.asm8.astype(np.int64).item(),
        v.unit,
        None if v.tz is None else str(v.tz),
    ),
}


def _make_interval(left: Any, right: Any, closed: str) -> Any:
    import pandas as pd

    return pd.Interval(from_plain(left), from_plain(right), closed)


def _make_period(ordinal: int, frequency: str) -> Any:
    import pandas as pd

    return pd.Period(ordinal=ordinal, freq=frequency)


def _make_timedelta(count: int, unit: TimeUnit) -> Any:
    import pandas as pd

    return pd.Timedelta(np.timedelta64(count, unit))


def _make_timestamp(count: int, unit: TimeUnit, zone: str | None) -> Any:
    import pandas as pd

    stamp = pd.Timestamp(np.datetime64(count, unit))
    return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(zone)


#: package and class -> function that makes one of its parts
_PUT_TOGETHER: dict[str, Callable[..., Any]] = {
    "datetime.date": datetime.date.fromisoformat,
    "datetime.datetime": datetime.datetime.fromisoformat,
    "datetime.time": datetime.time.fromisoformat,
    "datetime.timedelta": datetime.timedelta,
    "decimal.Decimal": Decimal,
    "pandas.Interval": _make_interval,
    "pandas.Period": _make_period,
    "pandas.Timedelta": _make_timedelta,
    "pandas.Timestamp": _make_timestamp,
}
