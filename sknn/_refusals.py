"""Explanations for users of values that NumPy, SciPy or a frame's library refuse.

No value is looked at before a conversion has failed, so that good values cost nothing.
"""

import datetime
import numbers
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set, Sized
from contextlib import contextmanager
from decimal import Decimal
from typing import SupportsFloat

import numpy as np

_NUMBERS = (numbers.Real, Decimal, np.bool_)
_TIMES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
_NESTED = (list, tuple, dict, set, frozenset, np.ndarray)
#: packages whose errors are in words that scikit-learn's users know
_KNOWN = ("builtins", "sklearn", "sknn")
_ENCODE = (
    "Encode text and categories as numbers first, with sknn.preprocessing.TabularEncoder for "
    "instance."
)
_MISSING = (
    "Input {name} contains NaN: it holds {shown} {where}, a missing value. Fill it, with "
    "sklearn.impute.SimpleImputer for instance, or leave the sample out."
)
#: longest part of a value that a message shows
_SHOWN = 60


@contextmanager
def explain_refusal(values: object, name: str = "X") -> Iterator[None]:
    """Replace a foreign error by one that says what was expected, what came, and what to do.

    `values` is what the block converts to an array of numbers, `name` what messages call it. Where
    no fault is found the error stays: scikit-learn names wrong axes and complex arrays itself.

    >>> ages = [[31.0], ["n/a"]]
    >>> with explain_refusal(ages):
    ...     np.asarray(ages, dtype=float)
    Traceback (most recent call last):
    ...
    ValueError: X holds the text 'n/a' in column 0 (sample 1), but takes numbers alone. ...
    """
    if _has_dates(values) and (fault := find_fault(values, name)) is not None:
        raise fault
    try:
        yield
    except Exception as error:  # libraries raise errors of many kinds
        explained = find_fault(values, name)
        if explained is None and f"Input {name} contains" in str(error):  # scikit-learn's words
            explained = _find_non_finite(values, name)
        if explained is None and type(error).__module__.split(".")[0] not in _KNOWN:
            explained = ValueError(
                f"{name} cannot be read as an array of numbers ({show(error)}). Cast its columns "
                "to floats or integers of 64 bits first."
            )
        if explained is None:
            raise
        raise explained from error


def _has_dates(values: object) -> bool:
    """Return whether dtypes are of dates or durations: NumPy would count their nanoseconds."""
    if hasattr(values, "collect"):  # a lazy frame knows no dtypes until it is read
        return False
    dtypes = getattr(values, "dtypes", getattr(getattr(values, "schema", None), "types", None))
    dtypes = dtypes if np.iterable(dtypes) else [getattr(values, "dtype", "")]
    # pandas and NumPy say 'datetime64[ns]', polars 'Date' and 'Datetime', pyarrow 'timestamp'.
    return any(str(dtype).lower().startswith(("date", "time", "duration")) for dtype in dtypes)


def find_fault(values: object, name: str) -> Exception | None:
    """Return an error that says why values are not an array of numbers, or None if they are."""
    if hasattr(values, "tocsr"):
        return None
    fault = find_wrong_container(values, name) or find_unreadable(values, name)
    if fault is not None or getattr(values, "ndim", None) == 0:
        return fault
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "biufc":
        return None
    try:
        table = np.asarray(values, dtype=object)
    except Exception:  # conversion to NumPy is the other library's code, which may raise anything
        return TypeError(
            f"{name} must be an array-like of numbers, but NumPy cannot read this "
            f"{type(values).__name__}. Convert its columns to floats or integers of 64 bits first."
        )
    labels = _find_labels(values)
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        return ValueError(
            f"Column names of {name} must be unique, but {twice!r} is there {labels.count(twice)} "
            "times. Rename or drop the others."
        )
    if table.ndim == 2 and table.shape[1] == 0:
        return ValueError(
            f"Found array with 0 feature(s) (shape={table.shape}) while a minimum of 1 is "
            f"required: {name} has no columns."
        )
    return _find_ragged(values, table, name) or _find_wrong_value(table, labels, name)


def find_wrong_container(values: object, name: str) -> TypeError | None:
    """Return an error for a container whose samples have no order, or can be read only once."""
    is_plain = type(values) is np.ndarray and values.dtype.names is None
    if is_plain or hasattr(values, "tocsr"):  # matrices of keys are mappings, too
        return None
    fields = getattr(getattr(values, "dtype", None), "names", None)
    if fields and name != "y":  # of which labels may be one field
        return TypeError(
            f"{name} must be an array of plain numbers, but is a structured array with the fields "
            f"{list(fields)}. Give pandas.DataFrame({name}), or an array with a column for each "
            "field."
        )
    if isinstance(values, Mapping):
        advice = f"a mapping of columns. Give pandas.DataFrame({name})"
    elif isinstance(values, list) and values and isinstance(values[0], Mapping):
        advice = f"samples as mappings. Give pandas.DataFrame({name})"
    elif isinstance(values, Iterator):
        advice = f"an iterator, which can be read only once. Give list({name})"
        if name == "X":
            advice += (
                "; or, to DeepMLP, TabularMLP and SequenceCNN estimators, a function that returns "
                "a new iterator of chunks each time"
            )
    elif isinstance(values, os.PathLike):
        advice = (
            "the path of a file. fit, score and predictions of DeepMLP, TabularMLP and SequenceCNN "
            "estimators read files; for all else read it first, by pandas.read_parquet for instance"
        )
    elif isinstance(values, Set):
        advice = "a set, whose samples have no order. Give a list"
    elif isinstance(values, np.ma.MaskedArray) and np.any(np.ma.getmaskarray(values)):
        advice = "whose masked values would be taken for numbers. " + (
            "Leave their samples out"
            if name == "y"
            else f"Give {name}.astype(float).filled(numpy.nan) if they are missing"
        )
    else:
        return None
    return TypeError(
        f"{name} must be an array, a sparse matrix, a data frame or a list; got "
        f"{type(values).__name__}, {advice}."
    )


def find_unreadable(values: object, name: str) -> TypeError | None:
    """Return an error for anything but an array, a list or a frame in memory."""
    kind = type(values).__name__
    if hasattr(values, "collect") and hasattr(values, "lazy"):
        return TypeError(
            f"{name} must be a table in memory, but is a lazy one ({kind}). collect() it first."
        )
    if getattr(values, "requires_grad", False):
        return TypeError(
            f"{name} is a torch tensor that requires a gradient, which estimators cannot follow. "
            f"Give {name}.detach()."
        )
    if isinstance(values, numbers.Number):
        return None  # scikit-learn asks for more axes
    readable = isinstance(values, (Sized, Iterable)) or hasattr(values, "__array__")
    if readable and not isinstance(values, (str, bytes, bytearray)):
        return None
    return TypeError(
        f"{name} must be an array-like, but is {show(values)}, a {kind}. Give a list, an array or "
        "a data frame."
    )


def _find_ragged(values: object, table: np.ndarray, name: str) -> Exception | None:
    """Return an error for lists of samples of different lengths."""
    nested = table.ndim == 1 and len(table) and all(isinstance(v, _NESTED[:2]) for v in table)
    if not nested or not isinstance(values, (list, tuple, np.ndarray)):
        return None
    lengths = [len(sample) for sample in table]
    other = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if other is None:
        return None
    return ValueError(
        f"All samples of {name} must have the same number of values, but sample 0 has {lengths[0]} "
        f"and sample {other} has {lengths[other]} (an inhomogeneous shape). Fill up the shorter "
        "ones, or give the same columns for all."
    )


def _find_labels(values: object) -> list:
    """Return the names of the columns of a data frame, empty for anything else."""
    names = getattr(values, "column_names", None)  # pyarrow's, whose `columns` are data
    names = getattr(values, "columns", []) if names is None else names
    return list(names) if isinstance(names, Iterable) else []


def _find_wrong_value(table: np.ndarray, labels: list, name: str) -> Exception | None:
    """Return an error for the first value, column by column, that is not a number."""
    if table.ndim == 0:
        return None
    for place in np.ndindex(table.T.shape):
        place = place[::-1]
        value = table[place]
        if isinstance(value, _NUMBERS) and -1e300 < read_float(value) < 1e300:
            continue
        fault = _explain_value(value, _describe_place(place, labels), name)
        if fault is not None:
            return fault
    return None


def _describe_place(place: Sequence[int], labels: list) -> str:
    """Return where a value is, in words: its column by name or number, and its sample."""
    if len(place) == 1:
        return f"at position {place[0]}"
    column = repr(labels[place[1]]) if len(labels) > place[1] else str(place[1])
    return f"in column {column} (sample {place[0]})"


def _find_non_finite(values: object, name: str) -> ValueError | None:
    """Return an error for the first NaN or infinity in what holds numbers alone."""
    if hasattr(values, "tocoo"):
        stored = values.tocoo()
        table, places = stored.data, np.stack([stored.row, stored.col], axis=1)
    else:
        table, places = np.asarray(values), None
        if table.dtype.kind not in "biuf":
            table = np.asarray(values, dtype=object).astype(np.float64)
    # Transposed, so that columns are searched one after the other.
    wrong = next(iter(np.argwhere(~np.isfinite(table.T))), None)
    if wrong is None:
        return None
    value = float(table.T[tuple(wrong)])
    place = wrong[::-1].tolist() if places is None else places[wrong[0]].tolist()
    where = _describe_place(place, _find_labels(values))
    if np.isnan(value):
        return ValueError(_MISSING.format(name=name, shown=value, where=where))
    return ValueError(
        f"Input {name} contains infinity or a value too large: it holds {value} {where}. Put a "
        "finite number in its place."
    )


def read_float(value: SupportsFloat) -> float:
    """Return a number as a float; infinity where it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _explain_value(value: object, where: str, name: str) -> Exception | None:
    """Return the error for one value, None if it can become a number after all."""
    shown, kind = show(value), type(value).__name__
    if isinstance(value, _NUMBERS):
        if isinstance(value, int) and read_float(value) == np.inf:
            return ValueError(
                f"{name} holds {shown} {where}, which is too large for a float. Scale it, or give "
                "its logarithm."
            )
        return None
    if value is None or kind in ("NAType", "NaTType"):
        return ValueError(_MISSING.format(name=name, shown=shown, where=where))
    if isinstance(value, (str, bytes)):
        try:
            float(value)
        except ValueError:
            return ValueError(
                f"{name} holds the text {shown} {where}, but takes numbers alone. "
                + ("Convert it first." if name != "X" else _ENCODE)
            )
        return None
    if isinstance(value, _TIMES) or kind == "Period":
        return ValueError(
            f"{name} holds {shown} {where}, a date, time or duration ({kind}), but takes numbers "
            "alone. Put numbers in its place, such as year, month, weekday, or seconds since a "
            "fixed day."
        )
    if isinstance(value, numbers.Complex):
        return ValueError(
            f"Complex data not supported: {name} holds {shown} {where}. Give real and imaginary "
            "parts as two columns."
        )
    return TypeError(
        f"Each entry of the {name} argument must be a string that is a number, or a number, but "
        f"{shown} {where} is a {kind}. Take numbers from it, or leave it out."
    )


def show(value: object) -> str:
    """Return a value as text of bounded length on one line."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # more digits than Python writes
        text = "a number of very many digits"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
