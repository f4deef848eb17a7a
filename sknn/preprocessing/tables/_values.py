"""The values of a table as an autoencoder learns them, and tables made of such values.

Values are an array of the numeric columns, scaled, and behind them the numbers of levels of the
categorical columns, from 0; both are NaN where a value is missing or a level is unknown.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy import sparse

from sknn._saved import from_plain, saved, to_plain
from sknn._validation import MatrixLike
from sknn.preprocessing.tables._columns import WrappedFrame, make_frame, wrap_frame
from sknn.preprocessing.tables._encoder import TabularEncoder
from sknn.preprocessing.tables._reading import SideBySide, split_table
from sknn.preprocessing.tables._times import TimeColumn

if TYPE_CHECKING:
    import pandas as pd


@saved
@dataclass(frozen=True)
class TableKind:
    """Kind of a table in fit.

    Attributes
    ----------
    library : str or None
        Library of a data frame, such as 'pandas'; None of an array.
    names : list
        Names of the columns of a data frame.
    kinds : list of str
        Kinds of its columns, see `sknn.preprocessing.tables._columns.Column`.
    """

    library: str | None
    names: list
    kinds: list[str]

    @classmethod
    def of(cls, X: MatrixLike | WrappedFrame) -> "TableKind":
        """Return the kind of a table."""
        frame = wrap_frame(X)
        if frame is None:
            return cls(None, [], [])
        library = frame.frame.implementation.name.lower()
        return cls(library, frame.names, [column.kind for column in frame.columns])

    def __getstate__(self) -> dict:
        return {name: to_plain(value) for name, value in vars(self).items()}

    def __setstate__(self, state: dict) -> None:
        vars(self).update({name: from_plain(value) for name, value in state.items()})


def find_number_columns(encoder: TabularEncoder) -> np.ndarray:
    """Return for each encoded column whether it holds numbers to scale, and no 0 and 1 or codes.

    `encoder` is fitted, and the result of shape (n_features_out,).
    """
    is_number = np.zeros(encoder.spec_.n_numeric + len(encoder.spec_.cardinalities), bool)
    is_number[: encoder.n_numbers] = encoder._is_scaled
    return is_number


def read_values(
    encoder: TabularEncoder, X: MatrixLike, dtype: DTypeLike
) -> np.ndarray | sparse.csr_matrix:
    """Return the values of X, of shape (n_samples, n_features); `encoder` is fitted.

    Values of a sparse X are a CSR matrix.
    """
    numeric, categories = encoder._numeric, encoder._categories
    table, _ = encoder._read(X, reset=False, names=False)
    columns, numbers, _ = split_table(table, encoder._roles, numeric)
    if sparse.issparse(numbers):
        return numeric.encode_sparse(numbers, str(np.dtype(dtype)))
    matrix = numbers[:] if isinstance(numbers, SideBySide) else numbers
    n_numeric = len(numeric.labels)
    values = np.empty((len(matrix), n_numeric + len(categories)), dtype)
    values[:, :n_numeric] = numeric.encode(matrix, str(np.dtype(dtype)))[:, :n_numeric]
    # The encoder fills missing values; here they become NaN again, which the loss leaves out. A
    # column that was empty in fit has no scale to learn by.
    values[:, :n_numeric][np.isnan(matrix) | numeric.empty] = np.nan
    for i, (category, column) in enumerate(zip(categories, columns, strict=True), n_numeric):
        # Codes are 0 for unknown levels, then the levels, then the missing one.
        codes = category.encode(column)
        is_known = (codes > 0) & (codes <= len(category.levels))
        values[:, i] = np.where(is_known, codes - 1.0, np.nan)
    return values


def make_table(
    encoder: TabularEncoder, kind: TableKind, values: np.ndarray, index: ArrayLike | None = None
) -> ArrayLike:
    """Return a table in the user's units: a frame of the library of `fit`, or an array.

    Times follow from their seconds. In place of a text there are the numbers that it is read as.

    Parameters
    ----------
    encoder : TabularEncoder
        Fitted encoder.
    kind : TableKind
        Kind of X in `fit`.
    values : ndarray of shape (n_samples, n_features)
        Values that `read_values` returns.
    index : pandas.Index or None, default=None
        Index of a frame of pandas.
    """
    n_numeric = len(encoder._numeric.labels)
    numbers = encoder._numeric.decode(values[:, :n_numeric])
    if kind.library is None and not encoder._roles.needs_columns:
        return numbers
    categorical = np.flatnonzero(encoder.is_categorical_).tolist()
    names: Sequence[Hashable] = kind.names or range(encoder.n_features_in_)
    columns = _list_numbers(encoder, names, numbers)
    for i, place in enumerate(categorical):
        column = encoder._categories[i].decode(values[:, n_numeric + i])
        columns.append((place, names[place], column))
    columns.sort(key=lambda column: column[0])  # in the order of the features
    if kind.library is None:
        return _join_columns([column for _, _, column in columns])
    # Columns of bool were learned as 0 and 1; a prediction above one half is True.
    is_flag = {
        place
        for place, of_column in enumerate(kind.kinds)
        if of_column == "bool" and not encoder.is_categorical_[place]
    }
    data = {name: column > 0.5 if place in is_flag else column for place, name, column in columns}
    categories = {
        names[place]: encoder._categories[i].levels
        for i, place in enumerate(categorical)
        if kind.kinds[place] == "category"
    }
    return make_frame(data, kind.library, categories=categories, index=index)


def _list_numbers(
    encoder: TabularEncoder, names: Sequence[Hashable], numbers: np.ndarray
) -> list[tuple[int, Hashable, "np.ndarray | pd.DatetimeIndex"]]:
    """Return place, name and values of columns made of numbers (n_samples, n_numbers).

    A column of text has several columns of numbers, as which it is read.
    """
    roles, columns = encoder._roles, numbers.T
    found: list[tuple] = [
        (place, names[place], column)
        for place, column in zip(roles.numeric.tolist(), columns, strict=False)
    ]
    start = len(found)
    for place, expansion in roles.expansions.items():
        own, start = columns[start : start + expansion.n_outputs], start + expansion.n_outputs
        if isinstance(expansion, TimeColumn) and expansion.kind:
            found.append((place, names[place], expansion.decode(own.T)))
        else:
            ends = expansion.make_names(str(names[place]))
            found.extend((place, name, column) for name, column in zip(ends, own, strict=True))
    return found


def _join_columns(columns: "list[np.ndarray | pd.DatetimeIndex]") -> np.ndarray:
    """Return columns as an array: of numbers or times if all are, else of objects."""
    if len({column.dtype for column in columns}) == 1 and isinstance(columns[0], np.ndarray):
        return np.column_stack(columns)
    joined = np.empty((len(columns[0]), len(columns)), dtype=object)
    for i, column in enumerate(columns):
        joined[:, i] = column
    return joined
