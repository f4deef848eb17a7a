"""Operations on chunks of tables: choosing columns and samples, and joining chunks."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TypeGuard, cast

import numpy as np
from scipy import sparse

from sknn._validation import MatrixLike
from sknn.preprocessing.sources._number_frame import NumberFrame
from sknn.preprocessing.tables._columns import WrappedFrame, join_frames, wrap_frame

if TYPE_CHECKING:
    import pyarrow

#: pyarrow's names of the types that NumPy has, too
PLAIN_TYPES = ("double", "float", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)))


def is_arrow_table(X: object) -> TypeGuard["pyarrow.Table"]:
    """Return whether X is a table of pyarrow."""
    return type(X).__module__.startswith("pyarrow") and hasattr(X, "to_pandas")


def wrap_known_frame(X: MatrixLike | WrappedFrame) -> WrappedFrame:
    """Return a wrapped data frame; raise TypeError for anything else."""
    frame = wrap_frame(X)
    if frame is None:
        raise TypeError(f"X must be a data frame; got {type(X).__name__!r}.")
    return frame


def get_frame_names(X: MatrixLike) -> list[str] | None:
    """Return the names of the columns of a data frame, None for anything else."""
    frame = None if isinstance(X, np.ndarray | list | tuple) else wrap_frame(X)
    return None if frame is None else frame.names


def select_columns(X: MatrixLike, names: list[str]) -> MatrixLike:
    """Return a frame of some columns of a data frame, in this order."""
    if is_arrow_table(X):  # to wrap it by narwhals would take a tenth of the time of reading it
        return X.select(names)
    return wrap_known_frame(X).frame.select(names).to_native()


def read_values(X: MatrixLike, name: str) -> np.ndarray:
    """Return a column of a data frame as an array of shape (n_samples,)."""
    if is_arrow_table(X) and str(X.schema.field(name).type) in PLAIN_TYPES:
        return X.column(name).to_numpy()
    frame = wrap_known_frame(select_columns(X, [name]))  # one column, as all would be converted
    (column,) = frame.columns
    if column.kind != "category":
        return np.asarray(frame.frame[name].to_numpy())
    codes, levels = column.read_levels()
    return np.array([*levels, None], dtype=object)[codes]  # -1, a missing value, finds the last


def join_tables(tables: Sequence[MatrixLike | WrappedFrame]) -> MatrixLike | WrappedFrame:
    """Return tables of the same columns, one below the other, as one table of their type."""
    if all(isinstance(table, NumberFrame) for table in tables):
        frames = cast("Sequence[NumberFrame]", tables)
        return NumberFrame(np.concatenate([f.matrix for f in frames]), frames[0].names)
    if isinstance(tables[0], WrappedFrame):
        return join_frames([wrap_known_frame(table) for table in tables])
    if len(tables) == 1:
        return tables[0]
    if isinstance(tables[0], np.ndarray):
        return np.concatenate(cast("Sequence[np.ndarray]", tables))
    return join_frames([wrap_known_frame(table) for table in tables]).frame.to_native()


def convert_table(table: MatrixLike, like: object) -> MatrixLike:
    """Return a table of pyarrow as a frame of the library that `like` belongs to."""
    if not is_arrow_table(table):
        return table
    library = type(like).__module__.partition(".")[0]
    if library == "polars":
        return import_module("polars").from_arrow(table)
    return table.to_pandas() if library == "pandas" else table


def stack_samples(X: MatrixLike, other: MatrixLike) -> MatrixLike:
    """Return the samples of X, then those of another table of the same columns.

    Parameters
    ----------
    X, other : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
        Samples: two data frames of one library, or two tables of which neither is a data frame.

    Returns
    -------
    {ndarray, sparse matrix, data frame} of shape (n_samples, n_features)
        Samples of both, in memory of their own.

    Raises
    ------
    ValueError
        If the columns differ, or one is a frame and the other is not, or one of another library.
    """
    given = [wrap_frame(table) for table in (X, other)]
    frames = [frame for frame in given if frame is not None]
    if len(frames) == 2:
        libraries = [frame.frame.implementation.name.lower() for frame in frames]
        if libraries[0] != libraries[1]:
            raise ValueError(
                f"X is a data frame of {libraries[0]}, and the samples without labels are one of "
                f"{libraries[1]}. Give two of one library."
            )
        ours, theirs = (frame.names for frame in frames)
        if ours != theirs:
            raise ValueError(
                f"X has the columns {ours}, but the samples without labels have {theirs}. Give the "
                "same columns in the same order."
            )
        return join_tables([X, other])
    if frames:
        kinds = [type(table).__name__ for table in (X, other)]
        raise ValueError(
            f"X is of type {kinds[0]!r}, and the samples without labels are of type {kinds[1]!r}. "
            "Give two data frames, or two arrays."
        )
    if sparse.issparse(X) or sparse.issparse(other):
        return sparse.vstack([X, other], format="csr")
    n_columns = [np.shape(table)[1:] for table in (X, other)]
    if n_columns[0] != n_columns[1]:
        raise ValueError(
            f"X has samples of shape {n_columns[0]}, but those without labels are of shape "
            f"{n_columns[1]}. Give the same columns."
        )
    return join_tables([np.asarray(X), np.asarray(other)])


def copy_samples(
    X: np.ndarray | sparse.csr_matrix | WrappedFrame, numbers: np.ndarray
) -> np.ndarray | sparse.csr_matrix | WrappedFrame:
    """Return some samples of an array or a wrapped frame, in memory of their own."""
    if isinstance(X, NumberFrame):
        return X.copy_samples(numbers)
    if isinstance(X, WrappedFrame):
        return WrappedFrame(X.frame[numbers])
    return X[numbers]
