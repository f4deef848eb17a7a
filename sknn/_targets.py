"""y as users give it: an array of labels or of numbers, or an error that says what is wrong."""

import numbers
from collections.abc import Callable
from decimal import Decimal
from typing import SupportsFloat, TypeAlias, TypeGuard, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from sknn._refusals import find_unreadable, find_wrong_container, read_float, show

#: classes of sparse matrices, whatever their format
SPARSE = (sparse.sparray, sparse.spmatrix)
#: y as it was read
TargetMatrix: TypeAlias = np.ndarray | sparse.sparray | sparse.spmatrix
#: types of missing values, by name: pandas need not be there
_MISSING_TYPES = ("NoneType", "NAType", "NaTType")
#: types of labels, none of which can be ordered among those of another
_LABELS = {
    "text": str,
    "bytes": bytes,
    "number": numbers.Real | np.bool_ | Decimal,
    "date": np.datetime64,
    "duration": np.timedelta64,
}


def is_plain_column(y: object) -> TypeGuard[np.ndarray]:
    """Return whether y is an array (n_samples,) of whole numbers, with which nothing is wrong."""
    return type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "iub"


def is_missing(cell: object) -> bool:
    """Return whether a cell of a table or of y is None, NaN or a missing value of pandas."""
    if isinstance(cell, float | np.floating):
        return bool(np.isnan(cell))
    if isinstance(cell, Decimal):
        return cell.is_nan()
    if isinstance(cell, np.datetime64 | np.timedelta64):
        return bool(np.isnat(cell))
    return type(cell).__name__ in _MISSING_TYPES


def _find_kind_of_label(value: object) -> str | None:
    """Return the word for a label's type, None for what is no label."""
    return next((word for word, kind in _LABELS.items() if isinstance(value, kind)), None)


def read_labels(y: ArrayLike) -> TargetMatrix:
    """Return labels, or an indicator matrix, as an array or sparse matrix of a plain dtype.

    Numbers among Python objects become an array of integers or floats; text stays as it is. Raises
    TypeError or ValueError if y is no array, empty, or holds something that is no label, or labels
    of several types.

    >>> read_labels(np.array([2, 1, 2], dtype=object))
    array([2, 1, 2])
    """
    if sparse.issparse(y):
        if len(np.shape(y)) != 2:
            raise ValueError(
                f"y is sparse and of shape {np.shape(y)}, but a sparse y must be an indicator "
                "matrix of shape (n_samples, n_labels). Give y.toarray()."
            )
        return y
    values = _read_array(y, "n_labels")
    if values.dtype.kind == "U" and isinstance(y, list | tuple):
        values = np.array(y, dtype=object)  # numbers among text would be text, unnoticed
        _check_objects(values, _explain_no_label)
        return np.asarray(y)
    if values.dtype.kind == "O":
        _check_objects(values, _explain_no_label)
        kind = _find_kind_of_label(values.flat[0])
        if kind == "number":
            return _make_plain_numbers(values)
        return values if kind in ("text", "bytes") else np.array(values.tolist())
    _check_no_gaps(values)
    return values


def read_labels_of_objects(y: ArrayLike | None) -> TargetMatrix | ArrayLike | None:
    """Return y; numbers among Python objects as an array of them, as metrics take no others.

    >>> read_labels_of_objects(np.array([2, 1, 2], dtype=object))
    array([2, 1, 2])
    """
    # To metrics of scikit-learn an array of objects is of an unknown kind unless it holds text,
    # where a fit has read whole numbers.
    if y is None or sparse.issparse(y) or np.asarray(y).dtype != object:
        return y
    return read_labels(cast("ArrayLike", y))


def read_values(y: ArrayLike) -> np.ndarray:
    """Return a target of numbers, of the shape of y, as an array of a plain dtype.

    What is no array, sparse, empty, text, a date, missing or no number raises TypeError or
    ValueError.
    """
    if sparse.issparse(y):
        raise TypeError(
            "Sparse data was passed for y, but a regressor takes dense targets. Give y.toarray()."
        )
    values = _read_array(y, "n_outputs")
    if values.dtype.kind in "Mm":
        raise ValueError(
            f"y holds dates or durations ({values.dtype}), but a regressor predicts numbers. Make "
            "numbers of them, such as days since a day of your choice."
        )
    if values.dtype.kind in "OUS":
        _check_objects(values, _explain_no_value)
        return values.astype(np.float64)
    _check_no_gaps(values)
    return values


def _read_array(y: object, columns: str) -> np.ndarray:
    """Return y as an array of shape (n_samples,) or (n_samples, `columns`), which is not empty."""
    shape = f"of shape (n_samples,) or (n_samples, {columns})"
    fault = find_wrong_container(y, "y") or find_unreadable(y, "y")
    if fault is not None:
        raise fault
    try:
        values = np.asarray(y)
    except Exception as error:  # libraries raise errors of many kinds
        raise _explain_unreadable(y, error, shape) from error
    if values.dtype.kind == "V":
        fields = f" with the fields {list(values.dtype.names)}" if values.dtype.names else ""
        raise TypeError(
            f"y must be an array of plain labels or numbers, but is a structured array{fields} "
            f"(dtype {values.dtype}). Give one field, or a column for each field."
        )
    if values.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: y holds {show(values.flat[0])}. Give real and imaginary "
            "parts as two columns, or absolute values."
        )
    if values.ndim not in (1, 2):
        what, came = "", f"{show(y)} (of type {type(y).__name__!r}). Give a list"
        if values.ndim:
            what = f"Found array with dim {values.ndim}, while dim <= 2 is required: "
            came = f"of shape {values.shape}. Give y.reshape(len(y), -1)"
        raise ValueError(f"{what}y must be {shape}, but is {came}.")
    if 0 in values.shape:
        what = "sample" if values.shape[0] == 0 else "feature"
        raise ValueError(
            f"Found array with 0 {what}(s) (shape={values.shape}) while a minimum of 1 is "
            f"required: y must be {shape}."
        )
    return values.astype(object) if values.dtype.kind == "T" else values


def _explain_unreadable(y: object, error: Exception, shape: str) -> Exception:
    """Return the error for what NumPy refuses: ragged lists, tensors, integers of 128 bits."""
    if isinstance(y, list | tuple) and all(isinstance(entry, list | tuple) for entry in y):
        lengths = [len(entry) for entry in y]
        other = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
        if other is not None:
            return ValueError(
                f"All samples of y must have the same number of values, but sample 0 has "
                f"{lengths[0]} and sample {other} has {lengths[other]} (an inhomogeneous shape). "
                "Give label sets as sklearn.preprocessing.MultiLabelBinarizer().fit_transform(y)."
            )
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return TypeError(
        f"y must be an array-like {shape}, but NumPy cannot read this {type(y).__name__} "
        f"({reason}). Convert it to text, or to integers or floats of 64 bits, in the memory of "
        "the CPU."
    )


def _check_objects(values: np.ndarray, explain: Callable[..., Exception | None]) -> None:
    """Raise the first error that `explain` has for an entry, its sample and the first entry."""
    if set(map(type, values.flat)) == {str} and explain is _explain_no_label:
        return
    for place, value in np.ndenumerate(values):
        fault = explain(value, place[0], values.flat[0])
        if fault is not None:
            raise fault


def _explain_no_label(value: object, sample: int, first: object) -> ValueError | None:
    if is_missing(value):
        return ValueError(
            f"y holds {value!r} in sample {sample}, which is no label. Leave out samples without a "
            "label, or give them one."
        )
    if _find_kind_of_label(value) is None:
        return ValueError(
            f"y holds {show(value)} in sample {sample}, but labels are text or whole numbers. "
            "Convert them all to text, for instance with str."
        )
    if _find_kind_of_label(value) != _find_kind_of_label(first):
        return ValueError(
            f"y mixes labels of different types: {first!r} in sample 0, {value!r} in sample "
            f"{sample}. Convert them all to text, or all to numbers."
        )
    return None


def _explain_no_value(value: object, sample: int, first: object) -> Exception | None:
    if is_missing(value):
        return ValueError(
            f"y holds {value!r} in sample {sample}, which is no number. Leave out samples without "
            "a target."
        )
    if isinstance(value, str | bytes):
        return ValueError(
            f"y holds the text {str(value)!r} in sample {sample}, but a regressor predicts "
            "numbers. Convert y, such as by numpy.asarray(y, dtype=float), or take a classifier "
            "if these are labels."
        )
    if _find_kind_of_label(value) != "number":
        return TypeError(
            f"y holds {show(value)} in sample {sample}, of type {type(value).__name__!r}, but a "
            "regressor predicts numbers. Take numbers from it, or leave the sample out."
        )
    return _explain_infinite(read_float(cast("SupportsFloat", value)), value, sample)


def _explain_infinite(number: float, value: object, sample: int) -> ValueError | None:
    if np.isfinite(number):
        return None
    return ValueError(
        "Input y contains infinity or a value too large for dtype('float64'). It holds "
        f"{show(value)} in sample {sample}. Put a finite number in its place, or give its "
        "logarithm."
    )


def _make_plain_numbers(values: np.ndarray) -> np.ndarray:
    """Return labels that are numbers among objects as truth values, integers or floats."""
    kinds = set(map(type, values.flat))
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return values.astype(bool)
    if all(issubclass(kind, numbers.Integral | np.bool_) for kind in kinds):
        try:
            return values.astype(np.int64)
        except OverflowError:
            large = max(values.flat, key=abs)
            raise ValueError(
                f"y holds the label {show(large)}, which is too large for an integer of 64 bits. "
                "Convert the labels to text, for instance with str."
            ) from None
    for place, value in np.ndenumerate(values):
        fault = _explain_infinite(read_float(value), value, place[0])
        if fault is not None:
            raise fault
    return values.astype(np.float64)


def _check_no_gaps(values: np.ndarray) -> None:
    """Refuse missing and infinite values in an array of numbers, dates or text."""
    if values.dtype.kind in "mM":
        is_wrong = np.isnat(values)
    elif values.dtype.kind == "f":
        is_wrong = ~np.isfinite(values)
    else:
        return
    if not is_wrong.any():
        return
    place = tuple(np.argwhere(is_wrong)[0])
    value, sample = values[place], int(place[0])
    if values.dtype.kind == "f" and np.isinf(value):
        raise cast("ValueError", _explain_infinite(np.inf, float(value), sample))
    raise ValueError(
        f"Input y contains NaN. It holds {str(value)!r} in sample {sample}, a missing value. Leave "
        "out samples without a target, or give them one."
    )
