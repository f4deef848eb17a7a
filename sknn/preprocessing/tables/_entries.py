"""Entries of a column, whatever holds them: their kind, numbers, a few levels, and times."""

import datetime
import numbers
import zoneinfo
from collections.abc import Hashable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import DTypeLike

from sknn._refusals import explain_refusal

#: classes of entries that are none of a table, and of those that are numbers
NESTED = (list, tuple, dict, set, np.ndarray)
NUMBERS = (numbers.Real, Decimal, np.bool_)
#: words of ``pandas.api.types.infer_dtype`` -> kind of a column of objects
_KINDS_OF_OBJECTS = {
    **dict.fromkeys(("integer", "floating", "mixed-integer-float", "decimal"), "numeric"),
    "boolean": "bool",
    "string": "text",
    "empty": "empty",
    **dict.fromkeys(("date", "datetime", "datetime64", "time", "period"), "time"),
    **dict.fromkeys(("timedelta", "timedelta64"), "time"),
    "complex": "complex",
}


def is_missing(value: Hashable) -> bool:
    """Return whether a value is None, NaN or one of pandas' missing values."""
    import pandas as pd

    return not isinstance(value, NESTED) and bool(pd.isna(value))


def number_few_levels(values: list) -> tuple[np.ndarray, list]:
    """Return what `Column.read_levels` does, of shape (n_samples,), for a few values."""
    values = [v.item() if isinstance(v, np.generic) else v for v in values]
    place: dict = {}
    codes = [-1 if is_missing(v) else place.setdefault(v, len(place)) for v in values]
    return np.array(codes), list(place)


@dataclass(frozen=True)
class Times:
    """Moments, times of day or durations.

    Attributes
    ----------
    kind : {'dates', 'times of day', 'durations'}
        Kind of the entries; the first is with or without a time of day.
    microseconds : ndarray of int of shape (n_samples,)
        Since 1970 (in UTC where there is a time zone), since midnight, or in all.
    missing : ndarray of bool of shape (n_samples,)
        Whether an entry is missing; its microseconds have no meaning then.
    zone : str or None
        Name of the time zone.
    is_daily : bool
        Whether they are days of a calendar, which have no time of day.
    """

    kind: str
    microseconds: np.ndarray
    missing: np.ndarray
    zone: str | None = None
    is_daily: bool = False


def make_times(values: np.ndarray, zone: str | None = None) -> Times:
    """Return moments or durations of an array of datetime64 or timedelta64."""
    kind = "dates" if values.dtype.kind == "M" else "durations"
    missing, is_daily = np.isnat(values), values.dtype == np.dtype("M8[D]")
    microseconds = values.astype(f"{values.dtype.kind}8[us]").astype(np.int64)
    return Times(kind, microseconds, missing, zone, is_daily)


def read_time_objects(label: str | int, values: np.ndarray) -> Times:
    """Return what an array of objects holds, shape (n_samples,): all of one kind, or missing."""
    import pandas as pd

    missing = np.asarray(pd.isna(values))
    there = [getattr(value, "start_time", value) for value in values[~missing]]  # of periods
    if there and all(isinstance(value, datetime.time) for value in there):
        found = [
            ((v.hour * 60 + v.minute) * 60 + v.second) * 1_000_000 + v.microsecond for v in there
        ]
        return Times("times of day", _spread(found, missing, np.int64), missing)
    is_duration = all(isinstance(v, datetime.timedelta | np.timedelta64) for v in there)
    if there and is_duration:
        return make_times(_spread(there, missing, "m8[us]"))
    zones = {None if (zone := getattr(v, "tzinfo", None)) is None else str(zone) for v in there}
    if None in zones and len(zones) > 1:
        raise ValueError(
            f"Column {label!r} mixes times with a time zone and times without. Give all of them "
            "one, such as by pandas.to_datetime(column, utc=True), or none."
        )
    if zones <= {None}:
        is_daily = bool(there) and all(type(v) is datetime.date for v in there)
        return make_times(_spread(there, missing, "M8[D]" if is_daily else "M8[us]"))
    moments = [v.astimezone(datetime.UTC).replace(tzinfo=None) for v in there]
    zone = zones.pop() if len(zones) == 1 else "UTC"
    return make_times(_spread(moments, missing, "M8[us]"), zone)


def _spread(found: list, missing: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Return values in an array of shape (n_samples,), 0 or not a time where one is missing."""
    values = np.zeros(len(missing), dtype)
    if values.dtype.kind in "mM":
        values[:] = np.array("NaT", dtype)
    values[~missing] = np.array(found, dtype)
    return values


def find_wall_times(times: Times, zone: str | None) -> np.ndarray:
    """Return the microseconds since 1970 that clocks in a time zone show, of shape (n_samples,)."""
    import pandas as pd

    if zone is None or zone == "UTC":
        return times.microseconds
    known = np.where(times.missing, 0, times.microseconds).astype("M8[us]")
    # Hours and weekdays are those of the place: the offset from UTC changes with daylight saving
    # time.
    clocks = pd.DatetimeIndex(known).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return clocks.to_numpy().astype("M8[us]").astype(np.int64)


def find_moments(clocks: np.ndarray, zone: str | None) -> np.ndarray:
    """Return the microseconds since 1970 in UTC, (n_samples,), of what clocks in a zone show."""
    import pandas as pd

    if zone is None or zone == "UTC":
        return clocks
    # An hour that clocks show twice is the first one, and one that they leave out begins later.
    local = pd.DatetimeIndex(clocks.astype("M8[us]")).tz_localize(
        zone, ambiguous=np.ones(len(clocks), bool), nonexistent="shift_forward"
    )
    return local.tz_convert("UTC").tz_localize(None).to_numpy().astype("M8[us]").astype(np.int64)


def is_known_zone(zone: str) -> bool:
    """Return whether a name is that of a time zone, and not of an offset alone."""
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return False
    return True


def find_kind_of_objects(values: np.ndarray) -> str:
    """Return the kind of a column, see `Column`, by the entries of shape (n_samples,)."""
    import pandas as pd

    word = pd.api.types.infer_dtype(values, skipna=True)
    if word in _KINDS_OF_OBJECTS:
        return _KINDS_OF_OBJECTS[word]
    types = set(map(type, values[~pd.isna(values)]))
    if all(issubclass(kind, NUMBERS) for kind in types):
        return "numeric"
    if all(issubclass(kind, datetime.date | np.datetime64) for kind in types):
        return "time"
    if any(issubclass(kind, NESTED) for kind in types):
        return "nested"
    return "other" if len(types) == 1 else "mixed"


def read_objects(label: str | int, values: np.ndarray) -> np.ndarray:
    """Return the numbers of a column of shape (n_samples,), NaN where one is missing."""
    import pandas as pd

    there = ~pd.isna(values)
    result = np.full(len(values), np.nan)
    with explain_refusal(values, f"Column {label!r} of X"):
        result[there] = values[there].astype(np.float64)
    return result
