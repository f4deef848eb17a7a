"""What X may be to be read a chunk at a time, and how such an X is opened."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import ArrayLike

from sknn.preprocessing.sources._arrow import (
    FORMATS,
    ArrowTables,
    find_format,
    list_files,
    open_tables,
)
from sknn.preprocessing.sources._fasta import FastaRecords, is_fasta
from sknn.preprocessing.sources._samples import ByName, Source
from sknn.preprocessing.sources._tables import (
    Calls,
    DaskFrame,
    DaskLike,
    HasCompute,
    LazyFrame,
    Tables,
    get_module,
)

if TYPE_CHECKING:
    import polars
    import pyarrow.dataset

#: files, a function that is called for each pass, or what another package holds outside memory
SourceLike: TypeAlias = (
    "os.PathLike[str] | Sequence[os.PathLike[str]] | Callable[[], Iterable] | "
    "pyarrow.dataset.Dataset | polars.LazyFrame | DaskLike"
)


def is_source(X: object) -> TypeGuard[SourceLike]:
    """Return whether X is read a chunk at a time; see `open_source` for what that may be.

    >>> is_source(Path("samples.parquet")), is_source("samples.parquet"), is_source([[1.0]])
    (True, False, False)
    """
    # A string is not taken for the name of a file: a list of strings may be sequences, and one
    # string a mistake. `os.PathLike` is clear, as nothing else that X may be has this type.
    if isinstance(X, np.ndarray):
        return False
    if isinstance(X, list | tuple):
        return len(X) > 0 and isinstance(X[0], os.PathLike)
    if isinstance(X, os.PathLike):
        return True
    if callable(X):  # but neither a class, given for its instance, nor an array with a method
        return not isinstance(X, type) and not hasattr(X, "shape")
    return _is_dataset(X) or _is_lazy_frame(X) or _is_dask_frame(X)


# Classes of other packages are known by name, so that no package is imported for the question.


def _is_dataset(X: object) -> TypeGuard["pyarrow.dataset.Dataset"]:
    return get_module(X).startswith("pyarrow._dataset") and hasattr(X, "get_fragments")


def _is_lazy_frame(X: object) -> TypeGuard["polars.LazyFrame"]:
    return type(X).__name__ == "LazyFrame" and get_module(X).startswith("polars")


def _is_dask_frame(X: object) -> TypeGuard[DaskLike]:
    return type(X).__name__ == "DataFrame" and get_module(X).startswith("dask")


def open_source(
    X: SourceLike,
    y: ArrayLike | str | None = None,
    sample_weight: ArrayLike | str | None = None,
    *,
    features: list[str] | None = None,
) -> Source:
    """Return the samples of a source.

    Parameters
    ----------
    X : path-like, list of path-like, pyarrow.dataset.Dataset, polars.LazyFrame, dask.DataFrame \
            or callable
        Files of tables or of sequences, whose endings give their format; or another source that
        `is_source` accepts.
    y, sample_weight : str, list of str, array-like or None
        Names of columns of X, or values of all samples.
    features : list of str, default=None
        Names of the columns to read as X; None is all columns but those of y and sample weights.

    Returns
    -------
    Source
        Samples of X, which are read when `Source.read` is called.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.
    OptionalDependencyError
        If files are to be read and pyarrow is not installed.
    ValueError
        If the format of a file is unknown.
    """
    tables = open_any(X)
    names = tables.names
    return Source(tables, _resolve(y, names), _resolve(sample_weight, names), features)


def open_any(X: SourceLike) -> Tables:
    """Return the tables of a source, see `is_source`."""
    if isinstance(X, os.PathLike):
        return _open_files([Path(X)])
    if isinstance(X, list | tuple):
        return _open_files([Path(path) for path in X])
    if callable(X):
        return Calls(X)
    if _is_dataset(X):
        return ArrowTables(X)
    if _is_lazy_frame(X):
        return LazyFrame(X)
    if _is_dask_frame(X):
        return DaskFrame(X)
    raise TypeError(f"X must be a source of samples, see is_source; got {type(X).__name__!r}.")


def _open_files(paths: list[Path]) -> Tables:
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise FileNotFoundError(f"X names the file {str(missing)!r}, which does not exist.")
    if all(map(is_fasta, paths)):
        return FastaRecords(paths)
    kinds = {_find_format(path) for path in paths}
    if len(kinds) > 1:
        raise ValueError(
            f"X names files of several formats: {', '.join(sorted(kinds))}. Give files of one."
        )
    return open_tables(paths, kinds.pop())


def _find_format(path: Path) -> str:
    if path.is_dir() and not any(path.iterdir()):
        raise FileNotFoundError(
            f"X names the folder {str(path)!r}, which is empty. Give one that holds files of "
            "tables or of sequences."
        )
    kinds = {find_format(file) for file in (list_files(path) if path.is_dir() else [path])}
    if len(kinds) > 1:
        raise ValueError(
            f"X names the folder {str(path)!r}, which holds files of several formats: "
            f"{', '.join(sorted(map(str, kinds)))}. Give a list of its files of one format."
        )
    found = kinds.pop() if kinds else None
    if found is None:
        raise ValueError(
            f"The format of {str(path)!r} is unknown: files of tables end with one of "
            f"{', '.join(FORMATS)}, files of sequences with .fa or .fasta. For others give a "
            "pyarrow.dataset.Dataset, a function that returns an iterator of chunks, or, for "
            ".npy, numpy.load(path, mmap_mode='r')."
        )
    return found


def _resolve(values: ArrayLike | HasCompute | str | None, names: list[str] | None) -> ByName:
    """Return y or sample weights as names of columns if they are such, else as an array."""
    if values is None or isinstance(values, str):
        return values
    if isinstance(values, HasCompute):  # a column of Dask
        values = values.compute()
    known = [] if names is None else names
    if isinstance(values, list | tuple) and len(values) > 0:
        names_given = [value for value in values if isinstance(value, str) and value in known]
        if len(names_given) == len(values):
            return names_given

    return np.asarray(values)
