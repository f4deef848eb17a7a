"""Columns of dates, times of day and durations, as numbers and as points on circles."""

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sknn._saved import saved
from sknn.preprocessing.tables._columns import Column
from sknn.preprocessing.tables._entries import (
    Times,
    find_moments,
    find_wall_times,
    is_known_zone,
)

if TYPE_CHECKING:
    import pandas as pd

#: microseconds of a second, and seconds of a day
MICRO, DAY = 1_000_000, 86_400
#: what goes round, and how many steps it takes to come back
CYCLES = {"month": 12, "day": 31, "weekday": 7, "hour": 24}
#: what a column of each kind is read as; the first part has the marks of missing values
PARTS = {
    "dates": ("seconds", "year", *CYCLES),
    "times of day": ("seconds", "hour"),
    "durations": ("seconds",),
}
#: microseconds from 1970 to the ends of the years 1 and 9999, between which `datetime` has moments
FIRST, LAST = (
    int(np.datetime64(day, "us").astype(np.int64)) for day in ("0001-01-02", "9999-12-30")
)


@saved
@dataclass(frozen=True)
class TimeColumn:
    """Encoding of a column of dates, times of day or durations.

    Attributes
    ----------
    label : str or int
        Name, or position in an array, for messages.
    kind : {'dates', 'times of day', 'durations', ''}
        Empty where all were missing.
    zone : str or None
        Time zone in which clocks and calendars are read; None for times without a zone.
    origin : int
        Microseconds at which ``seconds`` is 0: the earliest moment.
    parts : tuple of str
        Those of `PARTS` that differ between training samples, and the first.
    is_daily : bool
        Whether they were days of a calendar, which have no time of day.
    """

    label: str | int
    kind: str
    zone: str | None
    origin: int
    parts: tuple[str, ...]
    is_daily: bool = False

    @property
    def is_scaled(self) -> np.ndarray:
        """Whether each output is scaled; those on a circle, from -1 to 1, are not."""
        return np.repeat([part not in CYCLES for part in self.parts], self._count_columns())

    @property
    def n_outputs(self) -> int:
        """Number of columns that `encode` gives."""
        return sum(self._count_columns())

    def _count_columns(self) -> list[int]:
        return [2 if part in CYCLES else 1 for part in self.parts]

    def make_names(self, feature: str) -> list[str]:
        """Return names for the columns that `encode` gives."""
        ends = [("_sin", "_cos") if part in CYCLES else ("",) for part in self.parts]
        return [
            f"{feature}_{part}{end}"
            for part, suffixes in zip(self.parts, ends, strict=True)
            for end in suffixes
        ]

    def encode(self, column: Column) -> list[np.ndarray]:
        """Return arrays of shape (n_samples,), float64 with NaN where a value is missing.

        Raises
        ------
        ValueError
            If the column holds something else than in fit.
        """
        n_samples = len(column.values)
        if column.kind == "empty" or not self.kind:
            return [np.full(n_samples, np.nan)] * self.n_outputs
        if column.kind != "time":
            raise ValueError(
                f"Column {self.label!r} held {self.kind} in fit and is {column.kind} now (first "
                f"value: {column.find_first()!r}). Convert it, such as by pandas.to_datetime, or "
                "refit."
            )
        times = column.read_times()
        if times.kind != self.kind and not times.missing.all():
            raise ValueError(
                f"Column {self.label!r} held {self.kind} in fit and holds {times.kind} now (first "
                f"value: {column.find_first()!r}). Convert it, or refit."
            )
        if (times.zone is None) != (self.zone is None) and not times.missing.all():
            words = [
                "no time zone" if z is None else f"time zone {z!r}" for z in (self.zone, times.zone)
            ]
            raise ValueError(
                f"Column {self.label!r} had {words[0]} in fit and has {words[1]} now. Localize it, "
                "such as by pandas.Series.dt.tz_localize, or refit."
            )
        values = [
            array
            for part in self.parts
            for array in _compute_part(part, times, self.zone, self.origin)
        ]
        for array in values:
            array[times.missing] = np.nan
        return values

    def decode(self, numbers: np.ndarray) -> "np.ndarray | pd.DatetimeIndex":
        """Return times of shape (n_samples,) for numbers (n_samples, n_outputs) as of `encode`.

        They follow from the seconds, the first number; what other parts say is left out.
        """
        seconds = numbers[:, 0].astype(np.float64)
        if self.kind == "times of day":
            return _make_clocks(seconds)
        missing = np.isnan(seconds)
        found = np.where(missing, 0, seconds) * MICRO + self.origin
        moments = np.clip(found, FIRST, LAST).round().astype(np.int64)
        if self.kind == "dates" and "hour" not in self.parts:
            moments = self._find_days(moments)
        unit = "m8[us]" if self.kind == "durations" else "M8[us]"
        times = np.where(missing, np.array("NaT", unit), moments.astype(unit))
        if self.zone is not None:
            import pandas as pd

            return pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(self.zone)
        return times.astype("M8[D]") if self.is_daily else times

    def _find_days(self, moments: np.ndarray) -> np.ndarray:
        """Return the nearest moments (n_samples,) with the clock of the earliest, as all had it."""
        both = np.concatenate([[self.origin], moments])
        clocks = find_wall_times(Times("dates", both, np.zeros(len(both), bool)), self.zone)
        days = np.round((clocks[1:] - clocks[0]) / (DAY * MICRO)).astype(np.int64)
        return find_moments(clocks[0] + days * DAY * MICRO, self.zone)


def _make_clocks(seconds: np.ndarray) -> np.ndarray:
    """Return times of day (n_samples,), None where the seconds since midnight are NaN."""
    clocks, known = np.full(len(seconds), None, dtype=object), ~np.isnan(seconds)
    since = np.clip(seconds[known], 0, DAY - 1 / MICRO).tolist()
    clocks[known] = [(datetime.datetime.min + datetime.timedelta(seconds=s)).time() for s in since]
    return clocks


def fit_time_column(column: Column, kept: np.ndarray | None) -> TimeColumn:
    """Learn what differs between the times of a column; `kept` are the samples to learn from."""
    times = column.read_times()
    there = ~times.missing
    if kept is not None:
        of_weight = np.zeros(len(there), dtype=bool)
        of_weight[kept] = True
        there &= of_weight
    if not there.any():
        return TimeColumn(column.label, "", None, 0, ("seconds",))
    zone = times.zone if times.zone is None or is_known_zone(times.zone) else "UTC"
    origin = 0 if times.kind != "dates" else int(times.microseconds[there].min())
    seen = Times(times.kind, times.microseconds[there], times.missing[there], times.zone)
    first, *others = PARTS[times.kind]
    varying = [part for part in others if _has_variation(_compute_part(part, seen, zone, origin))]
    parts = (first, *varying)
    return TimeColumn(column.label, times.kind, zone, origin, parts, times.is_daily)


def _has_variation(arrays: list[np.ndarray]) -> bool:
    return any(np.any(array != array[0]) for array in arrays)


def _compute_part(part: str, times: Times, zone: str | None, origin: int) -> list[np.ndarray]:
    """Return a part as one array of shape (n_samples,), or as sine and cosine of an angle."""
    if part == "seconds":
        return [(times.microseconds - origin) / MICRO]
    clocks = find_wall_times(times, zone)
    if part == "hour":
        return _turn(clocks % (DAY * MICRO) / (DAY * MICRO))
    days = np.where(times.missing, 0, clocks // (DAY * MICRO)).astype("M8[D]")
    months, years = days.astype("M8[M]"), days.astype("M8[Y]")
    if part == "year":
        return [years.astype(np.int64) + 1970.0]
    counts = {
        "month": lambda: (months - years.astype("M8[M]")).astype(np.int64),
        "day": lambda: (days - months.astype("M8[D]")).astype(np.int64),
        "weekday": lambda: (days.astype(np.int64) + 3) % 7,  # 1970 began on a Thursday
    }
    return _turn(counts[part]() / CYCLES[part])


def _turn(share: np.ndarray) -> list[np.ndarray]:
    """Return points on a circle, for shares of a whole turn of shape (n_samples,)."""
    # December is as near to January as to November: on a circle steps of a cycle are equally far
    # apart, and the end meets the beginning.
    return [np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)]
