"""Samples and labels as users give them: checked, with what is no number named by its column."""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from sknn._refusals import find_fault
from sknn._validation import (
    check_container,
    check_sortable_labels,
    is_missing,
    make_plain_array,
)

#: what users give as X
MatrixLike = ArrayLike | sparse.sparray | sparse.spmatrix
#: checked samples of shape (n_samples, n_features)
Samples = np.ndarray | sparse.csr_array | sparse.csr_matrix
_REMEDY = (
    "Encode the column, for instance with sknn.preprocessing.TabularEncoder or scikit-learn's "
    "OneHotEncoder, or take DeepMLPClassifier, which reads such columns itself."
)


def validate_samples(
    estimator: BaseEstimator,
    X: MatrixLike,
    y: ArrayLike | Literal["no_validation"] = "no_validation",
    **params: bool | str,
) -> Samples | tuple[Samples, np.ndarray]:
    """Return X as finite float64, and y if it is given; `params` are those of `validate_data`."""
    _refuse_dates(estimator, X)
    labels = None if isinstance(y, str) else make_plain_array(y)
    if labels is not None and labels.size:  # before scikit-learn compares them with each other
        check_sortable_labels(labels)
    if isinstance(X, np.ma.MaskedArray):
        check_container(X)
    try:
        return validate_data(estimator, X, y, dtype=np.float64, **params)
    except Exception as error:  # frames and tensors raise errors of many kinds
        if sparse.issparse(X) and not params.get("accept_sparse"):
            raise
        problem = _describe_problem(type(estimator).__name__, X)
        if problem is None:
            fault = find_fault(X, "X")
            if fault is None:
                raise
            raise fault from error
        if isinstance(error, TypeError):
            raise TypeError(f"{problem} ({error})") from error
        raise ValueError(problem) from error


def _refuse_dates(estimator: BaseEstimator, X: MatrixLike) -> None:
    """Refuse dates and durations, which NumPy would take for their number of nanoseconds."""
    if hasattr(X, "collect"):  # a lazy frame knows no dtypes until it is read
        return
    dtypes = getattr(X, "dtypes", getattr(getattr(X, "schema", None), "types", None))
    dtypes = [getattr(X, "dtype", "")] if not np.iterable(dtypes) else list(dtypes)
    for name, dtype in zip(_get_column_names(X, len(dtypes)), dtypes, strict=True):
        # pandas and NumPy say 'datetime64[ns]', polars 'Date' and 'Datetime', pyarrow 'timestamp'
        if str(dtype).lower().startswith(("date", "time", "duration")):
            raise ValueError(
                f"Column {name!r} of X holds dates or durations ({dtype}), and "
                f"{type(estimator).__name__} computes with numbers. Make numbers of them, such as "
                "days since a day of your choice."
            )


def _describe_problem(estimator: str, X: MatrixLike) -> str | None:
    """Return what is wrong with X: its kind, or its first cell that is no finite number."""
    if isinstance(X, str | bytes | Mapping | Set | Iterator):
        return (
            f"{estimator} needs a table of numbers, an array or a data frame with a row for each "
            f"sample; got {type(X).__name__}."
        )
    if isinstance(X, list | tuple) and len(X) and all(isinstance(x, str) for x in X):
        return f"{estimator} computes with numbers, but sample 0 is the text {X[0]!r}. {_REMEDY}"
    if isinstance(X, list | tuple) and all(isinstance(x, list | tuple) for x in X):
        lengths = [len(x) for x in X]
        for i, length in enumerate(lengths):
            if length != lengths[0]:
                return (
                    f"All samples need the same features, but sample 0 has {lengths[0]} and "
                    f"sample {i} has {length}."
                )
    for name, i, cell in _read_cells(X):
        at = f"column {name!r} in sample {i}"
        if is_missing(cell):
            return (
                f"Input X contains NaN: {estimator} takes no missing values, but there is one in "
                f"{at}. Fill them, for instance with sklearn.impute.SimpleImputer."
            )
        if isinstance(cell, complex | np.complexfloating):
            return f"Complex data not supported: {at} is {cell!r}. Give real numbers."
        try:
            number = float(cell)
        except OverflowError:
            return f"{at} of X holds a whole number that is too large for a float. Scale it first."
        except (TypeError, ValueError):
            return f"{estimator} computes with numbers, but {at} is {cell!r}. {_REMEDY}"
        if np.isinf(number):
            return (
                f"Input X contains infinity or a value too large: {at} is {cell!r}. Replace it by "
                "a finite number."
            )
    return None


def _read_cells(X: MatrixLike) -> Iterator[tuple[str | int, int, object]]:
    """Yield column, sample and content of each cell that may be no finite number."""
    if sparse.issparse(X):
        coo = X.tocoo()
        suspects = _find_suspects(coo.data)
        yield from ((int(coo.col[k]), int(coo.row[k]), coo.data[k]) for k in suspects)
        return
    try:
        table = np.asarray(X)
    except Exception:  # what has no way to NumPy
        return
    if table.ndim == 2:
        table = table if table.dtype.kind in "biuf" else np.asarray(X, dtype=object)
        for name, column in zip(_get_column_names(X, table.shape[1]), table.T, strict=True):
            yield from ((name, int(i), column[i]) for i in _find_suspects(column))


def _find_suspects(values: np.ndarray) -> np.ndarray:
    """Return the places of values that have to be looked at one by one."""
    if values.dtype.kind in "biuf":
        return np.flatnonzero(~np.isfinite(values))
    return np.arange(len(values))


def _get_column_names(X: MatrixLike, n: int) -> Sequence[str | int]:
    """Return the names of a data frame's columns, or 0, 1 and so on."""
    names = getattr(X, "column_names", None)  # pyarrow; its ``columns`` are data
    if names is None:
        names = getattr(X, "columns", None)
    return range(n) if names is None or len(names) != n else list(names)
