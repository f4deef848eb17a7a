"""Tables in files and datasets, read by pyarrow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._memory import reserve_little
from sknn._optional import require
from sknn.preprocessing.sources._number_frame import NumberFrame
from sknn.preprocessing.sources._tables import count_chunk_samples

if TYPE_CHECKING:
    import pyarrow.dataset

PURPOSE = "Reading tables from files"
#: ending of a file -> pyarrow's name of the format
FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "ipc",
    ".ipc": "ipc",
    ".feather": "feather",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "tsv",
    ".tsv.gz": "tsv",
}
#: bytes of a file that are read at once for each column
BUFFER = 2**16


@dataclass(frozen=True)
class Piece:
    """Some samples of a dataset: a file, or a row group of a parquet file.

    Attributes
    ----------
    fragment : pyarrow.dataset.Fragment or pyarrow.dataset.Dataset
        The file, or a filtered dataset.
    row_group : int or None
        None for the whole file.
    """

    fragment: Any
    row_group: int | None = None


class ArrowTables:
    """A `sknn.preprocessing.sources._tables.Tables` of a dataset of pyarrow.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
        Files, or tables in memory.
    """

    kind = "pyarrow dataset"

    def __init__(self, dataset: "pyarrow.dataset.Dataset"):
        self.dataset, self.names = dataset, list(dataset.schema.names)
        try:
            fragments = list(dataset.get_fragments())
        except ValueError:  # of a filtered dataset only the whole can be scanned
            self.pieces = [Piece(dataset)]
        else:
            self.pieces = [piece for f in fragments for piece in _divide(f)]
        self.n_pieces = max(1, len(self.pieces))

    def read(self, piece: int, names: list[str] | None) -> Iterator[Any]:
        """Yield the tables of a file or a row group."""
        if not self.pieces:
            return
        arrow = _load("pyarrow")
        chosen, names = self.pieces[piece], self.names if names is None else names
        size = count_chunk_samples(len(names))
        scan = self._scan if chosen.row_group is None else self._scan_row_group
        for batch in scan(chosen, names, size):
            if len(batch):
                table = arrow.Table.from_batches([batch])
                for start in range(0, len(table), size):
                    yield table.slice(start, size)

    def _scan(self, piece: Piece, names: list[str], size: int) -> Iterator[Any]:
        schema = {} if piece.fragment is self.dataset else {"schema": self.dataset.schema}
        options = {"batch_size": size, "batch_readahead": 1, "fragment_readahead": 1}
        scanner = piece.fragment.scanner(columns=names, use_threads=False, **schema, **options)
        yield from scanner.to_batches()

    def _scan_row_group(self, piece: Piece, names: list[str], size: int) -> Iterator[Any]:
        """Yield batches of a row group, of which no more than one is in memory."""
        # A dataset's scanner would read the whole group, half a gigabyte in files of default size.
        arrow = _load("pyarrow")
        parquet, dataset = _load("pyarrow.parquet"), _load("pyarrow.dataset")
        constants = dataset.get_partition_keys(piece.fragment.partition_expression)
        fields = [self.dataset.schema.field(name) for name in names]
        with parquet.ParquetFile(
            piece.fragment.open(), buffer_size=BUFFER, pre_buffer=False
        ) as file:
            own = set(file.schema_arrow.names)
            inside = [name for name in names if name in own]
            for batch in file.iter_batches(
                batch_size=size, row_groups=[piece.row_group], columns=inside, use_threads=False
            ):
                columns = []
                for field in fields:
                    if field.name in own:
                        column = batch.column(batch.schema.get_field_index(field.name))
                    else:  # a folder's name holds it, or the file lacks it
                        value = arrow.scalar(constants.get(field.name), field.type)
                        column = arrow.repeat(value, len(batch))
                    columns.append(column if column.type == field.type else column.cast(field.type))
                yield arrow.record_batch(columns, schema=arrow.schema(fields))


def _load(module: str) -> ModuleType:
    """Return a module of pyarrow, whose allocator is to reserve little."""
    with reserve_little():
        return require(module, PURPOSE)


def _divide(fragment: "pyarrow.dataset.Fragment") -> list[Piece]:
    if not hasattr(fragment, "row_groups"):
        return [Piece(fragment)]
    return [Piece(fragment, group.id) for group in fragment.row_groups]


def make_frame(table: "pyarrow.Table", *, wraps: bool = False) -> Any:
    """Return a table of numbers, or of one column, as a frame of pandas, read in one go.

    With `wraps` numbers come as a `NumberFrame`, for encoders.
    """
    types, arrow = table.schema.types, _load("pyarrow")
    kinds = {arrow.types.is_floating(t) or arrow.types.is_integer(t) for t in types}
    if kinds != {True}:  # of a column of sequences scikit-learn sees the name in pandas alone
        return table.to_pandas() if len(types) == 1 else table
    if any(arrow.types.is_integer(t) and t.bit_width > 32 for t in types):
        return table.to_pandas()  # a float cannot hold them all, and they may be categories
    dtype = np.float32 if set(types) == {arrow.float32()} else np.float64
    matrix = np.empty(table.shape, dtype)
    for j, column in enumerate(table.columns):  # sample by sample, as batches are taken
        start = 0
        for part in column.chunks:  # one of which is not copied, as a column of them would be
            stop = start + len(part)
            matrix[start:stop, j] = part.to_numpy(zero_copy_only=False)
            start = stop
    frame = NumberFrame(matrix, table.column_names)
    return frame if wraps else frame.make_native()


def find_format(path: Path) -> str | None:
    """Return pyarrow's name of the format of a file, or None if its ending is unknown."""
    name = path.name.lower()
    return next((FORMATS[ending] for ending in FORMATS if name.endswith(ending)), None)


def open_tables(paths: Sequence[Path], kind: str) -> ArrowTables:
    """Return the tables of files of one format, or of a folder of such files."""
    dataset = _load("pyarrow.dataset")
    layout: Any = kind
    if kind == "tsv":
        options = _load("pyarrow.csv").ParseOptions(delimiter="\t")
        layout = dataset.CsvFileFormat(parse_options=options)
    names = [str(path) for path in paths]
    given = names[0] if len(names) == 1 else names
    partitioning = "hive" if paths[0].is_dir() else None
    try:
        return ArrowTables(dataset.dataset(given, format=layout, partitioning=partitioning))
    except (_load("pyarrow").ArrowInvalid, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise ValueError(
            f"X names {given!r}, which cannot be read as {kind}: {error}. Give a file of that "
            "format, or one whose ending says what it is."
        ) from error
