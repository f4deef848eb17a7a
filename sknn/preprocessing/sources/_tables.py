"""The protocol `Tables`, and sources in memory, of functions, of polars and of Dask."""

import inspect
from collections.abc import Callable, Hashable, Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from sknn._targets import SPARSE
from sknn._validation import MatrixLike, Sliceable

if TYPE_CHECKING:
    import pandas
    import polars

#: samples, or their targets or weights, of which a part has the same type
Taken = TypeVar("Taken", bound="MatrixLike | pandas.DataFrame | polars.DataFrame | None")
#: number of values of a chunk: 4 MiB of float64
CHUNK_NUMBERS = 2**19


class Tables(Protocol):
    """Tables of samples that can be read again and again, a chunk at a time.

    Attributes
    ----------
    kind : str
        Name of the kind of source, for messages.
    names : list of str or None
        Names of the columns; None if there are none, or if they are known only after reading.
    n_pieces : int
        Number of pieces, which can be read in any order; 1 if there is only one order.
    """

    @property
    def kind(self) -> str: ...

    @property
    def names(self) -> list[str] | None: ...

    @property
    def n_pieces(self) -> int: ...

    def read(self, piece: int, names: list[str] | None) -> Iterator[MatrixLike | tuple]:
        """Yield the tables of a piece; of named columns only those in `names`, if it is given.

        A table is a data frame or an array; or a pair or triple of X, y and sample weights.
        """


def count_chunk_samples(n_columns: int) -> int:
    """Return the number of samples of a chunk of so many columns."""
    return max(1, CHUNK_NUMBERS // max(n_columns, 1))


class LazyFrame:
    """A `Tables` of a lazy frame of polars, whose query is run anew in each pass."""

    kind, n_pieces = "LazyFrame", 1

    def __init__(self, frame: "polars.LazyFrame"):
        self.frame = frame
        self.names = list(frame.collect_schema().names())

    def read(self, piece: int, names: list[str] | None) -> Iterator[MatrixLike]:
        """Yield the frames of one run of the query."""
        frame = self.frame if names is None else self.frame.select(names)
        size = count_chunk_samples(len(self.names if names is None else names))
        batches: Iterable[polars.DataFrame]
        if hasattr(frame, "collect_batches"):
            batches = frame.collect_batches(chunk_size=size, maintain_order=True)
        else:  # polars < 1.34 knows no batches
            batches = [frame.collect()]
        for batch in batches:
            yield from _cut(batch, size)


@runtime_checkable
class HasCompute(Protocol):
    """A collection of Dask: work that is planned, and done when it is asked for."""

    def compute(self) -> "pandas.DataFrame | pandas.Series":
        """Return the result in memory."""


class DaskPartitions(Protocol):
    """Partitions of a frame of Dask."""

    def __getitem__(self, number: int, /) -> HasCompute: ...


class DaskLike(Protocol):
    """A frame of Dask, as far as it is read: its columns by name, a partition at a time."""

    @property
    def columns(self) -> Iterable[Hashable]: ...

    @property
    def npartitions(self) -> int: ...

    @property
    def partitions(self) -> DaskPartitions: ...

    def __getitem__(self, names: list[str], /) -> "DaskLike": ...


class DaskFrame:
    """A `Tables` of a frame of Dask, whose pieces are its partitions."""

    kind = "Dask frame"

    def __init__(self, frame: DaskLike):
        self.frame, self.n_pieces = frame, frame.npartitions
        self.names = [str(name) for name in frame.columns]

    def read(self, piece: int, names: list[str] | None) -> Iterator[MatrixLike]:
        """Yield the frames of a partition."""
        frame = self.frame if names is None else self.frame[names]
        partition = frame.partitions[piece].compute()
        yield from _cut(partition, count_chunk_samples(partition.shape[1]))


class Calls:
    """A `Tables` of the chunks of a function, which is called once for each pass.

    Parameters
    ----------
    function : callable
        Function without arguments that returns a new iterator of chunks each time.
    kind : str, default='callable'
        Name of the source, for messages.
    """

    names: list[str] | None = None
    n_pieces = 1

    def __init__(self, function: Callable[[], Iterable], kind: str = "callable"):
        self.function, self.kind = function, kind
        _check_takes_no_arguments(function)

    def read(self, piece: int, names: list[str] | None) -> Iterator[MatrixLike | tuple]:
        """Yield the chunks of one call."""
        chunks = self.function()
        if not isinstance(chunks, Iterable) or hasattr(chunks, "shape"):
            raise TypeError(
                "A callable given as X must return an iterator of chunks, each a table, or a pair "
                f"(X, y), or a triple (X, y, sample_weight); it returned {type(chunks).__name__}. "
                "Give a generator function."
            )
        for chunk in chunks:
            if isinstance(chunk, tuple):
                yield (_make_dense(chunk[0]), *chunk[1:])
            else:
                yield _make_dense(chunk)


def _check_takes_no_arguments(function: Callable[[], Iterable]) -> None:
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise TypeError(
            "A callable given as X is called without arguments, once for each pass over the "
            f"samples, but it is {error}. Give a function without arguments, for instance "
            "functools.partial(X, ...)."
        ) from error
    except ValueError:  # some functions written in C have no signature
        return


class HeldTables:
    """A `Tables` of samples in memory, which are cut into chunks."""

    names: list[str] | None = None

    def __init__(self, X: MatrixLike, y: ArrayLike | None, sample_weight: ArrayLike | None):
        self.X, self.y, self.sample_weight = X, y, sample_weight
        self.kind = type(X).__name__
        shape = np.shape(X)
        self.size = count_chunk_samples(int(np.prod(shape[1:])))
        self.n_pieces = max(1, -(-shape[0] // self.size))

    def read(self, piece: int, names: list[str] | None) -> Iterator[tuple]:
        """Yield the samples of a piece."""
        own = slice(piece * self.size, (piece + 1) * self.size)
        X = _take_slice(self.X, own)
        if np.shape(X)[0]:
            yield _make_dense(X), _take_slice(self.y, own), _take_slice(self.sample_weight, own)


def hold_tables(X: ArrayLike, y: ArrayLike | None, sample_weight: ArrayLike | None) -> HeldTables:
    """Return samples in memory as tables; lists become arrays."""
    y, sample_weight = (
        values if values is None or hasattr(values, "shape") else np.asarray(values)
        for values in (y, sample_weight)
    )
    return HeldTables(X if hasattr(X, "shape") else np.asarray(X), y, sample_weight)


def _take_slice(values: Taken, own: slice) -> Taken:
    """Return some samples of X, y or weights; None and numbers are returned as they are."""
    if values is None or not np.shape(cast("ArrayLike", values)):
        return values
    # Frames and series of pandas take samples by `iloc`; polars, Dask's result and arrays do not.
    return cast("Taken", cast("Sliceable", getattr(values, "iloc", values))[own])


def _cut(frame: Taken, size: int) -> Iterator[Taken]:
    """Yield a frame in parts of at most `size` samples."""
    for start in range(0, np.shape(cast("ArrayLike", frame))[0], size):
        yield _take_slice(frame, slice(start, start + size))


def _make_dense(X: MatrixLike) -> MatrixLike:
    """Return a sparse chunk as an array, which is small because chunks are."""
    return X.toarray() if isinstance(X, SPARSE) else X


def get_module(X: object) -> str:
    """Return the name of the module of an object's class."""
    module = type(X).__module__
    return module.__name__ if isinstance(module, ModuleType) else str(module)
