"""Tables in files and datasets, read by pyarrow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from sknn._memory import reserve_little
from sknn._optional import require
from sknn.preprocessing.sources._number_frame import NumberFrame
from sknn.preprocessing.sources._tables import count_chunk_samples

if TYPE_CHECKING:
    import pandas
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
#: number of bytes of a file that are read at once for each column
BUFFER = 2**16


@dataclass(frozen=True)
class Piece:
    """Some samples of a dataset: a file, or a row group of a parquet file.

    Attributes
    ----------
    fragment : pyarrow.dataset.Fragment or pyarrow.dataset.Dataset
        File, or filtered dataset.
    row_group : int or None
        Number of the row group; None for the whole file.
    """

    fragment: "pyarrow.dataset.Fragment | pyarrow.dataset.Dataset"
    row_group: int | None = None


class ArrowTables:
    """A `sknn.preprocessing.sources._tables.Tables` of a dataset of pyarrow.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
        Dataset of files, or of tables in memory.
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

    def read(self, piece: int, names: list[str] | None) -> Iterator["pyarrow.Table"]:
        """Yield the tables of a file or a row group."""
        if not self.pieces:
            return
        arrow = _load("pyarrow")
        chosen, names = self.pieces[piece], self.names if names is None else names
        size = count_chunk_samples(len(names))
        scan = self._scan if chosen.row_group is None else self._scan_row_group
        for batch in _explain_types(scan(chosen, names, size)):
            if len(batch):
                table = arrow.Table.from_batches([batch])
                for start in range(0, len(table), size):
                    yield table.slice(start, size)

    def _scan(self, piece: Piece, names: list[str], size: int) -> Iterator["pyarrow.RecordBatch"]:
        schema = {} if piece.fragment is self.dataset else {"schema": self.dataset.schema}
        options = {"batch_size": size, "batch_readahead": 1, "fragment_readahead": 1}
        scanner = piece.fragment.scanner(columns=names, use_threads=False, **schema, **options)
        yield from scanner.to_batches()

    def _scan_row_group(
        self, piece: Piece, names: list[str], size: int
    ) -> Iterator["pyarrow.RecordBatch"]:
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
                columns = [_read_column(batch, field, constants) for field in fields]
                yield arrow.record_batch(columns, schema=arrow.schema(fields))


def _read_column(
    batch: "pyarrow.RecordBatch", field: "pyarrow.Field", constants: dict[str, object]
) -> "pyarrow.Array":
    """Return a column of a batch in the type of its field; one that is not there is constant."""
    place = batch.schema.get_field_index(field.name)
    if place < 0:  # a folder's name holds it, or the file lacks it
        arrow = _load("pyarrow")
        return arrow.repeat(arrow.scalar(constants.get(field.name), field.type), len(batch))
    column = batch.column(place)
    return column if column.type == field.type else column.cast(field.type)


def _explain_types(batches: Iterator["pyarrow.RecordBatch"]) -> Iterator["pyarrow.RecordBatch"]:
    """Yield batches; explain the error if a value is not of the type of its column."""
    try:
        yield from batches
    except _load("pyarrow").ArrowInvalid as error:
        raise ValueError(
            f"The files given as X have a value that is not of the type of its column ({error}). "
            "Each column has the type that it has in the first file; in csv files it follows from "
            "the first values. Write the files with one type, or give a pyarrow.dataset.Dataset "
            "with a schema of your own."
        ) from error


def _load(module: str) -> ModuleType:
    """Return a module of pyarrow, and let its allocator reserve little memory."""
    with reserve_little():
        return require(module, PURPOSE)


def _divide(fragment: "pyarrow.dataset.Fragment") -> list[Piece]:
    if not hasattr(fragment, "row_groups"):
        return [Piece(fragment)]
    return [Piece(fragment, group.id) for group in fragment.row_groups]


def make_frame(
    table: "pyarrow.Table", *, wraps: bool = False
) -> "pandas.DataFrame | pyarrow.Table | NumberFrame":
    """Return a table of numbers, or of one column, as a frame of pandas; others as they are.

    With `wraps`, numbers are returned as a `NumberFrame`, for encoders.
    """
    types, arrow = table.schema.types, _load("pyarrow")
    kinds = {arrow.types.is_floating(t) or arrow.types.is_integer(t) for t in types}
    if kinds != {True}:
        # One column may hold sequences; scikit-learn finds its name in frames of pandas alone.
        return table.to_pandas() if len(types) == 1 else table
    if any(arrow.types.is_integer(t) and t.bit_width > 32 for t in types):
        return table.to_pandas()  # a float cannot hold them all, and they may be categories
    dtype = np.float32 if set(types) == {arrow.float32()} else np.float64
    matrix = np.empty(table.shape, dtype)
    # The matrix lies sample by sample, as mini-batches are taken. A part of a column is read
    # without a copy; a column of several parts would first be joined.
    for j, column in enumerate(table.columns):
        start = 0
        for part in column.chunks:
            stop = start + len(part)
            matrix[start:stop, j] = part.to_numpy(zero_copy_only=False)
            start = stop
    frame = NumberFrame(matrix, table.column_names)
    return frame if wraps else frame.make_native()


def find_format(path: Path) -> str | None:
    """Return pyarrow's name of the format of a file, or None if its ending is unknown."""
    name = path.name.lower()
    return next((FORMATS[ending] for ending in FORMATS if name.endswith(ending)), None)


def list_files(folder: Path) -> list[Path]:
    """Return the files of tables in a folder, sorted, without hidden ones (``.`` or ``_``)."""
    inside = sorted(path for path in folder.rglob("*") if find_format(path) is not None)
    return [
        path
        for path in inside
        if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]


def open_tables(paths: Sequence[Path], kind: str) -> ArrowTables:
    """Return the tables of files of one format, or of folders of such files."""
    dataset = _load("pyarrow.dataset")
    layout = _make_csv_format(kind) if kind in ("csv", "tsv") else kind
    try:
        if any(path.is_dir() for path in paths):
            whole = _open_folders(paths, layout)
        else:
            names = [str(path) for path in paths]
            whole = dataset.dataset(names[0] if len(names) == 1 else names, format=layout)
        if layout is not kind:
            _check_encoding(whole.schema)
    except (_load("pyarrow").ArrowInvalid, _load("pyarrow").ArrowTypeError, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        given = str(paths[0]) if len(paths) == 1 else [str(path) for path in paths]
        raise ValueError(
            f"X names {given!r}, which cannot be read as {kind}: {error}. Give a file of that "
            "format, or rename it so that its ending is that of its format."
        ) from error
    return ArrowTables(whole)


def _check_encoding(schema: "pyarrow.Schema") -> None:
    """Raise ValueError for a column of csv files that pyarrow takes for bytes."""
    binary = _load("pyarrow").binary()
    name = next((field.name for field in schema if field.type == binary), None)
    if name is not None:
        raise ValueError(
            f"Column {name!r} of X holds text that is not in UTF-8. Write the file in UTF-8, or "
            "give pyarrow.dataset.dataset(path, format=CsvFileFormat(read_options=ReadOptions("
            "encoding='latin-1')))."
        )


def _open_folders(
    paths: Sequence[Path], layout: "str | pyarrow.dataset.FileFormat"
) -> "pyarrow.dataset.Dataset":
    """Return files and folders as one dataset, whose types can hold the values of all files."""
    parts = [_open_part(path, layout) for path in paths]
    if len(parts) == 1:
        return parts[0]
    schemas = [part.schema for part in parts]
    schema = _load("pyarrow").unify_schemas(schemas, promote_options="permissive")
    parts = [_open_part(path, layout, schema) for path in paths]
    return _load("pyarrow.dataset").dataset(parts)


def _open_part(
    path: Path,
    layout: "str | pyarrow.dataset.FileFormat",
    schema: "pyarrow.Schema | None" = None,
) -> "pyarrow.dataset.Dataset":
    """Return the dataset of a file, or of a folder, in which names such as ``year=2024`` count."""
    dataset, base = _load("pyarrow.dataset"), str(path)
    if not path.is_dir():
        return dataset.dataset(base, format=layout, schema=schema)
    files = [str(file) for file in list_files(path)]
    options = {"partitioning": "hive", "partition_base_dir": base}
    return dataset.dataset(files, format=layout, schema=schema, **options)


def _make_csv_format(kind: str) -> "pyarrow.dataset.CsvFileFormat":
    csv = _load("pyarrow.csv")
    return _load("pyarrow.dataset").CsvFileFormat(
        # Text in quotes may have several lines; an empty entry is a missing value, also of text.
        parse_options=csv.ParseOptions(
            delimiter="\t" if kind == "tsv" else ",", newlines_in_values=True
        ),
        convert_options=csv.ConvertOptions(strings_can_be_null=True),
    )
