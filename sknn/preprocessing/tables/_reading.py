"""X as scikit-learn checks it: a matrix where it is numbers alone, else a list of columns."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sknn._refusals import explain_refusal
from sknn._specs import InputSpec
from sknn._validation import (
    MatrixLike,
    check_container,
    is_clean_array,
    note_width,
    read_array_like,
    sum_duplicates,
)
from sknn.preprocessing.tables._categories import CategoryColumn
from sknn.preprocessing.tables._columns import (
    Column,
    WrappedFrame,
    is_plain_numbers,
    read_columns,
    wrap_frame,
)
from sknn.preprocessing.tables._numeric import NumericColumns
from sknn.preprocessing.tables._roles import Roles, order_categories

#: samples that are encoded at a time: no table of intermediate results is as large as X
BLOCK = 4096
FLOATS = (np.float64, np.float32)
#: X as it is checked
Table: TypeAlias = np.ndarray | sparse.csr_matrix | list[Column]


def read_table(
    estimator: BaseEstimator, X: MatrixLike, *, by_column: bool, reset: bool, names: bool
) -> tuple:
    """Check X; return an array, a CSR matrix or a list of Column, and which are categories.

    `estimator` gets or has ``n_features_in_`` and ``feature_names_in_``; `reset` is for `fit`, and
    `names` is whether to look at names. Matrices keep their dtype, and may hold NaN and infinity. A
    frame of numbers alone is one, unless `by_column`: whole numbers above 2**53 that are categories
    are not all floats. Categories by dtype are a list of bool; None for what has no such dtypes.
    """
    if reset and is_clean_array(X):
        note_width(estimator, X)
        return X, None
    check_container(X)
    check_dimensions(estimator, X)
    frame = wrap_frame(X)
    if frame is not None:
        if names:
            _check_names_of_frame(estimator, frame, reset=reset)
        _check_shape(estimator, frame.shape)
        if not by_column and frame.matrix is not None:
            return frame.matrix, None
        columns = frame.columns
        return columns, [column.kind in ("category", "text", "mixed") for column in columns]
    plain = is_plain_numbers(X)
    if not plain:
        X = X if isinstance(X, np.ndarray) else np.array(X, dtype=object)
    options = {"accept_sparse": "csr", "ensure_all_finite": False, "dtype": None}
    explained = explain_refusal(X) if plain else nullcontext()
    with explained, np.errstate(over="ignore"):  # infinity is found later, and its column
        if names:
            X = validate_data(estimator, read_array_like(X), reset=reset, **options)
        else:
            X = check_array(X, estimator=estimator, **options)
            _check_shape(estimator, X.shape)
    return (sum_duplicates(X) if plain else read_columns(X)), None


def check_dimensions(estimator: BaseEstimator, X: MatrixLike) -> None:
    """Raise ValueError for an array of images, or of other samples that are no rows of a table.

    Parameters
    ----------
    estimator : estimator
        Estimator that takes tables; errors name its class.
    X : array-like, sparse matrix or data frame
        Input of a user.
    """
    shape = getattr(X, "shape", ())
    if len(shape) > 2:
        raise ValueError(
            f"Found array with dim {len(shape)}, while dim <= 2 is required by "
            f"{type(estimator).__name__}: X must be of shape (n_samples, n_features), but is of "
            f"shape {shape}. Give X.reshape(len(X), -1), in which each image is a sample."
        )


def _check_names_of_frame(estimator: BaseEstimator, frame: WrappedFrame, *, reset: bool) -> None:
    """Let scikit-learn note the names in fit, and say what is wrong where they differ from it."""
    if reset or list(getattr(estimator, "feature_names_in_", ())) != frame.names:
        validate_data(estimator, frame.make_header(), reset=reset, skip_check_array=True)


def check_names(
    estimator: BaseEstimator, X: MatrixLike | WrappedFrame, *, reset: bool
) -> np.ndarray | WrappedFrame:
    """Check the names and the number of columns of a table, and return it wrapped.

    Parameters
    ----------
    estimator : estimator
        Estimator that gets or has ``n_features_in_`` and ``feature_names_in_``.
    X : WrappedFrame, array or list of samples
        Input of a user.
    reset : bool
        Whether X is that of `fit`.

    Returns
    -------
    WrappedFrame or ndarray
        X; lists become an array of objects.
    """
    if isinstance(X, WrappedFrame):
        _check_names_of_frame(estimator, X, reset=reset)
    else:
        X = X if isinstance(X, np.ndarray) else np.array(X, dtype=object)
        if X.ndim != 2:
            check_array(X, dtype=None, estimator=estimator)  # which says what is wrong
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    _check_shape(estimator, X.shape)
    return X


def _check_shape(estimator: BaseEstimator, shape: tuple[int, int]) -> None:
    name = type(estimator).__name__
    if 0 in shape:
        what = "sample" if shape[0] == 0 else "feature"
        raise ValueError(
            f"Found array with 0 {what}(s) (shape={tuple(shape)}) while a minimum of 1 is "
            f"required by {name}."
        )
    if shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {shape[1]} features, but {name} is expecting {estimator.n_features_in_} "
            "features as input."
        )


def split_table(
    table: Table,
    roles: Roles,
    fitted: NumericColumns | None = None,
) -> tuple[list[Column], "Numbers", np.ndarray]:
    """Return categorical columns, numbers of shape (n_samples, n_numeric), and which to scale.

    Numbers are float32 or float64 with NaN where one is missing: the numeric columns, and behind
    them the expanded ones. Columns of bool are not to be scaled. `fitted` is what `fit` learned of
    the numbers.
    """
    if not isinstance(table, list):
        if not roles.needs_columns:
            is_scaled = np.full(table.shape[1], table.dtype != bool)
            return [], table if table.dtype in FLOATS else table.astype(np.float64), is_scaled
        if sparse.issparse(table):
            raise ValueError(
                "categorical_features must be None or 'from_dtype' where X is sparse. Give "
                "X.toarray(), or encode the categories first."
            )
        table = read_columns(table)
    columns = [column for column, yes in zip(table, roles.is_categorical, strict=True) if yes]
    numeric = [table[place] for place in roles.numeric]
    scaled = [np.array([column.kind != "bool" for column in numeric], dtype=bool)]
    arrays = _read_numbers(numeric, len(table[0].values), fitted)
    for place, expansion in roles.expansions.items():
        table[place].check()
        arrays.extend(expansion.encode(table[place]))
        scaled.append(expansion.is_scaled)
    return columns, SideBySide(tuple(arrays), len(table[0].values)), np.concatenate(scaled)


@dataclass(frozen=True)
class SideBySide:
    """Numeric columns of a table, which become a matrix only where some samples are asked for.

    Attributes
    ----------
    arrays : tuple of ndarray of shape (n_samples,)
        The columns, at best views of what the user gave.
    n_samples : int
        Length of each, also where there are none.
    """

    arrays: tuple
    n_samples: int

    def __len__(self) -> int:
        return self.n_samples

    @property
    def dtype(self) -> np.dtype:
        """float32 if all columns have no more digits than that, else float64."""
        single = all(v.dtype.kind == "f" and v.dtype.itemsize <= 4 for v in self.arrays)
        return np.dtype(np.float32 if single else np.float64)

    def __getitem__(self, samples: slice | np.ndarray) -> np.ndarray:
        """Return some samples as a matrix of shape (n_chosen_samples, n_columns)."""
        parts = [values[samples] for values in self.arrays]
        n_chosen = len(parts[0]) if parts else len(np.empty((self.n_samples, 0))[samples])
        matrix = np.empty((n_chosen, len(parts)), self.dtype)
        for j, values in enumerate(parts):
            matrix[:, j] = values
        return matrix


#: numeric columns, before they are filled and scaled
Numbers: TypeAlias = np.ndarray | sparse.csr_matrix | SideBySide


def put_side_by_side(
    spec: InputSpec,
    numeric: NumericColumns,
    numbers: Numbers,
    categories: Sequence[CategoryColumn],
    codes: Sequence[np.ndarray],
) -> np.ndarray | sparse.csr_matrix:
    """Return numbers and codes encoded, of shape (n_samples, n_outputs), as `InputSpec` has them.

    `codes` are of shape (n_samples,), for each of the categories.
    """
    if sparse.issparse(numbers):
        return numeric.encode_sparse(numbers, spec.dtype)
    if not codes and numeric.changes_nothing:
        matrix = numbers[:] if isinstance(numbers, SideBySide) else numbers
        return numeric.encode(matrix, spec.dtype)
    out = np.zeros((len(numbers), spec.n_numeric + len(spec.cardinalities)), spec.dtype)
    start = numeric.n_outputs
    for first in range(0, len(out), BLOCK):  # a few samples at a time stay in the cache
        block = numbers[first : first + BLOCK]
        out[first : first + BLOCK, :start] = numeric.encode(block, spec.dtype, first)
    for i in order_categories(categories):
        stop = start + categories[i].n_outputs
        categories[i].write(codes[i], out[:, start:stop])
        start = stop
    return out


def put_beside(
    numbers: "Numbers", is_scaled: np.ndarray, means: Sequence[np.ndarray]
) -> tuple["Numbers", np.ndarray]:
    """Return numbers with arrays of shape (n_samples,) behind them, and which columns to scale."""
    if not means or not isinstance(numbers, SideBySide):  # which all tables with categories are
        return numbers, is_scaled
    joined = SideBySide((*numbers.arrays, *means), len(numbers))
    return joined, np.append(is_scaled, np.ones(len(means), bool))


def _read_numbers(
    columns: list[Column], n_samples: int, fitted: NumericColumns | None
) -> list[np.ndarray]:
    """Return each numeric column as an array of real numbers of shape (n_samples,)."""
    arrays = []
    for j, column in enumerate(columns):
        if fitted is not None and fitted.empty[j]:
            arrays.append(np.zeros(n_samples, np.float32))
            continue
        column.check()
        values = column.read_numbers()
        if values is None:
            raise ValueError(
                _explain_non_numbers(column, None if fitted is None else fitted.labels[j])
            )
        arrays.append(values)
    return arrays


def _explain_non_numbers(column: Column, label: str | int | None) -> str:
    value = column.find_first(str)
    what = "text"
    if column.kind == "time":
        what, value = "dates, times or durations", column.find_first()
    elif value is None:
        value = column.find_first()
        what = f"of type {type(value).__name__!r}"
    if label is None:
        return (
            f"Column {column.label!r} is {what} (first value: {value!r}), but not categorical "
            "according to categorical_features. Add it there, or convert it to numbers."
        )
    return (
        f"Column {label!r} was numeric in fit and is {what} now (first value: {value!r}). "
        "Convert it, or refit."
    )
