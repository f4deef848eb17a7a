"""X, y and sample weights of a source, chunk by chunk."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from sknn._validation import MatrixLike
from sknn.preprocessing.sources._arrow import make_frame
from sknn.preprocessing.sources._frames import (
    get_frame_names,
    is_arrow_table,
    join_tables,
    read_values,
    select_columns,
)
from sknn.preprocessing.sources._number_frame import NumberFrame
from sknn.preprocessing.sources._tables import Calls, Tables

#: y, or sample weights: a column's name, names of several, or an array of all samples
ByName = str | list[str] | np.ndarray | None


@dataclass(frozen=True)
class Chunk:
    """Some consecutive samples of a source.

    Attributes
    ----------
    first : int
        Number of the first sample, in the order of the source.
    X, y, sample_weight : array-like
        Samples, and their targets and weights, if these are known.
    """

    first: int
    X: MatrixLike | NumberFrame
    y: ArrayLike | None
    sample_weight: ArrayLike | None


@dataclass
class Source:
    """Samples that are read again and again, a chunk at a time.

    Attributes
    ----------
    tables : Tables
        Tables from which the samples are read.
    y, sample_weight : str, list of str, ndarray or None
        Names of columns, or values of all samples in the order of the source.
    features : list of str or None
        Names of the columns of X; None if there are no names, or before the first pass.
    starts : list of int
        Number of the first sample of each piece, and then the number of samples. It is empty until
        a pass has read all pieces in order.
    wraps : bool, default=False
        Whether X of a chunk may be a `NumberFrame`, which encoders take.
    """

    tables: Tables
    y: ByName = None
    sample_weight: ByName = None
    features: list[str] | None = None
    starts: list[int] = field(default_factory=list)
    wraps: bool = False

    @property
    def n_pieces(self) -> int:
        """Number of pieces, which can be read in any order."""
        return self.tables.n_pieces

    def read(self, pieces: Iterable[int] | None = None) -> Iterator[Chunk]:
        """Yield the chunks of some pieces, by default of all pieces in order.

        Raises
        ------
        ValueError
            If a column is missing, or if the source has no samples, or another number of samples
            than in the pass before.
        """
        if pieces is not None:
            for piece in pieces:
                yield from self._read_piece(int(piece), self.starts[piece])
            return
        # The first pass counts samples; after it the first sample of each piece is known, so that
        # pieces can be read in any order.
        first, starts = 0, []
        for piece in range(self.n_pieces):
            starts.append(first)
            for chunk in self._read_piece(piece, first):
                yield chunk
                first += count_samples(chunk.X)
        starts.append(first)
        # Only a complete pass has counted all samples; one that was broken off changes nothing.
        self._check_count(first)
        self.starts = starts

    def _check_count(self, n_samples: int) -> None:
        if n_samples == 0:
            raise ValueError(
                f"The {self.tables.kind} given as X has no samples. Give at least one."
            )
        if self.starts and self.starts[-1] != n_samples:
            raise ValueError(
                f"The {self.tables.kind} given as X gave {self.starts[-1]} samples at first and "
                f"{n_samples} now. It must give the same samples each time that it is read."
            )
        for name in ("y", "sample_weight"):
            values = getattr(self, name)
            if isinstance(values, np.ndarray) and values.ndim and len(values) != n_samples:
                self._raise_length(name, len(values), str(n_samples))

    def _raise_length(self, name: str, n_values: int, n_samples: str) -> None:
        raise ValueError(
            f"{name} has {n_values} values, but the {self.tables.kind} given as X has {n_samples} "
            "samples. Give one for each, or the name of a column."
        )

    def _read_piece(self, piece: int, first: int) -> Iterator[Chunk]:
        wanted = self._find_columns(self.tables.names)
        for table in self.tables.read(piece, wanted):
            chunk = self._divide(table, first)
            if count_samples(chunk.X) == 0:  # a filter may have left no sample
                continue
            yield chunk
            first += count_samples(chunk.X)

    def _find_columns(self, names: list[str] | None) -> list[str] | None:
        """Return the names of the columns to read, or None without names.

        Raise ValueError if one of them is missing.
        """
        # The names of a function's tables are known with its first chunk, and checked then.
        if names is None:
            if self._list_asked_columns() and not isinstance(self.tables, Calls):
                self._raise_nameless(self._list_asked_columns()[0])
            return None
        asked = self._list_asked_columns()
        missing = [name for name in [*(self.features or ()), *asked] if name not in names]
        if missing:
            is_other_csv = len(names) == 1 and any(mark in names[0] for mark in ";\t|")
            advice = (
                " If another mark than a comma separates them, give pyarrow.dataset.dataset(path, "
                "format=CsvFileFormat(ParseOptions(delimiter=...)))."
            )
            raise ValueError(
                f"The {self.tables.kind} given as X has no column {missing[0]!r}; its columns are "
                f"{', '.join(map(repr, names[:20]))}{', ...' if len(names) > 20 else ''}."
                f"{advice if is_other_csv else ''}"
            )
        if self.features is None:
            self.features = [name for name in names if name not in asked]
        return [*self.features, *asked]

    def _list_asked_columns(self) -> list[str]:
        """Return the names of the columns that are y or sample weights."""
        asked = []
        for name in (self.y, self.sample_weight):
            asked += [name] if isinstance(name, str) else name if isinstance(name, list) else []
        return asked

    def _raise_nameless(self, name: str) -> None:
        raise ValueError(
            f"{name!r} is taken for the name of a column, but the {self.tables.kind} given as X "
            "has no names of columns. Give y and sample_weight as arrays."
        )

    def _divide(self, table: MatrixLike | tuple, first: int) -> Chunk:
        """Return a table as X, y and sample weights."""
        if isinstance(table, tuple):
            return self._divide_tuple(table, first)
        names = self.tables.names  # if there are any, `_read_piece` has checked them
        if names is None:
            names = get_frame_names(table)
            if names is not None:
                self._find_columns(names)
        if names is None:
            if self._list_asked_columns():
                self._raise_nameless(self._list_asked_columns()[0])
            X: MatrixLike | NumberFrame = np.asarray(table)
        else:
            X = select_columns(table, self.features or [])
            X = make_frame(X, wraps=self.wraps) if is_arrow_table(X) else X
        stop = first + count_samples(table)
        y, weight = (self._take(name, table, first, stop) for name in ("y", "sample_weight"))
        return Chunk(first, X, y, weight)

    def _divide_tuple(self, table: tuple, first: int) -> Chunk:
        if not 1 <= len(table) <= 3:
            raise ValueError(
                "A chunk must be a table, a pair (X, y) or a triple (X, y, sample_weight); got a "
                f"tuple of {len(table)}."
            )
        X, y, weight = [*table, None, None][:3]
        twice = [n for n, v in (("y", y), ("sample_weight", weight)) if v is not None]
        twice = [name for name in twice if getattr(self, name) is not None]
        if twice:
            raise ValueError(
                f"{twice[0]} is given beside X, and the chunks of X bring their own. Give it once."
            )
        whole = self._divide(X, first)
        return Chunk(
            first,
            whole.X,
            whole.y if y is None else y,
            whole.sample_weight if weight is None else weight,
        )

    def _take(self, name: str, table: MatrixLike, first: int, stop: int) -> np.ndarray | None:
        """Return y or sample weights of the samples of a table."""
        values: ByName = getattr(self, name)
        if values is None:
            return None
        if isinstance(values, str):
            return read_values(table, values)
        if isinstance(values, list):
            return np.column_stack([read_values(table, name) for name in values])
        # The number of samples is known at the end of a pass; that there are fewer values than
        # samples shows before.
        if values.ndim and len(values) < stop:
            self._raise_length(name, len(values), f"at least {stop}")
        return values[first:stop] if values.ndim else values


def count_samples(X: MatrixLike | NumberFrame) -> int:
    """Return the number of samples of a table."""
    return X.shape[0] if isinstance(X, NumberFrame) else int(np.shape(X)[0])


def read_all(source: Source) -> tuple:
    """Return X, y and sample weights of all samples of a source."""
    return join_chunks(list(source.read()))


def join_chunks(chunks: list[Chunk]) -> tuple:
    """Return X, y and sample weights of all samples of some chunks."""
    y, weight = (
        None if parts[0] is None else np.concatenate(list(map(np.asarray, parts)))
        for parts in ([c.y for c in chunks], [c.sample_weight for c in chunks])
    )
    X = join_tables([chunk.X for chunk in chunks])
    return X.make_native() if isinstance(X, NumberFrame) else X, y, weight


def split_frame(
    X: MatrixLike, y: ArrayLike | str | None, sample_weight: ArrayLike | str | None
) -> tuple:
    """Return X, y and sample weights; y and weights given by a column's name are taken out of X."""
    if not isinstance(y, str) and not isinstance(sample_weight, str):
        return X, y, sample_weight
    names = get_frame_names(X)
    if names is None:
        name = y if isinstance(y, str) else sample_weight
        first = X[0] if isinstance(X, list | tuple) and X else X
        path = " If X names a file, write pathlib.Path(X)." if isinstance(first, str) else ""
        path = " If X gives paths, write list(X)." if isinstance(X, Iterator) else path
        raise ValueError(
            f"{name!r} is taken for the name of a column, but X is a {type(X).__name__}, which has "
            f"no names of columns. Give y and sample_weight as arrays.{path}"
        )
    y, sample_weight = cast("ByName", y), cast("ByName", sample_weight)
    return read_all(Source(Calls(lambda: [X], "data frame"), y, sample_weight))
