"""The only door to data frames: what X is, and each of its columns as numbers or as levels.

Frames come in through narwhals: pandas, polars, pyarrow and what else it knows. A column of an
array of objects is read the same way, so that nothing above has to ask where a column came from.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sknn._optional import require
from sknn._validation import MatrixLike, NamedColumns
from sknn.preprocessing.tables._entries import (
    NESTED,
    NUMBERS,
    Times,
    find_kind_of_objects,
    is_missing,
    make_times,
    number_few_levels,
    read_objects,
    read_time_objects,
)

if TYPE_CHECKING:
    import pandas as pd

#: a data frame of any library, as narwhals wraps it
Frame: TypeAlias = nw.DataFrame
#: NumPy's letters of dtypes -> kind of a column
_KINDS_OF_DTYPES = {
    **dict.fromkeys("iuf", "numeric"),
    "b": "bool",
    **dict.fromkeys("UT", "text"),
    **dict.fromkeys("mM", "time"),
    "c": "complex",
}
#: for so few samples a loop over them is faster than the libraries' own ways to number levels
_FEW = 32
#: type of a level -> dtype of a column of such levels
_DTYPES: dict[type, type[nw.Boolean | nw.Int64 | nw.Float64 | nw.String]] = {
    bool: nw.Boolean,
    int: nw.Int64,
    float: nw.Float64,
}


def is_plain_numbers(X: MatrixLike) -> bool:
    """Return whether scikit-learn's ``validate_data`` should check X, which is no data frame.

    True for sparse matrices, numeric arrays and what becomes one, and for what no table can be
    (``validate_data`` knows how to say so). False for arrays and lists with text, None or other
    objects in them: those are for a `TabularEncoder`.
    """
    if not isinstance(X, np.ndarray):
        if sparse.issparse(X):
            return True
        try:
            X = np.asarray(X)
        except Exception:  # samples of different lengths, for instance
            return True
    return X.dtype.kind in "biufc"


def _check_unique_names(X: MatrixLike) -> None:
    """Raise ValueError for a frame of pandas that has a name twice."""
    names = list(X.columns) if isinstance(X, NamedColumns) and hasattr(X, "iloc") else []
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"Column names must be unique, but {twice!r} is there {names.count(twice)} times. "
            "Rename or drop the others."
        )


def wrap_frame(X: "MatrixLike | WrappedFrame") -> "WrappedFrame | None":
    """Return X wrapped, or None if it is no data frame; lazy ones raise TypeError."""
    if isinstance(X, np.ndarray):
        return None
    if isinstance(X, WrappedFrame):
        return X
    _check_unique_names(X)
    frame = nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        kind = type(X).__name__
        raise TypeError(f"X must be in memory, but is a lazy one ({kind}). collect() it first.")
    if not isinstance(frame, nw.DataFrame):
        return None
    return WrappedFrame(_copy_views(frame) if frame.implementation.is_pyarrow() else frame)


def _copy_views(frame: Frame) -> Frame:
    """Return a frame of pyarrow whose text is no views, for which pyarrow has few functions."""
    table = frame.to_native()
    for place, field in enumerate(table.schema):
        is_dictionary = hasattr(field.type, "value_type") and hasattr(field.type, "index_type")
        kind = str(field.type.value_type if is_dictionary else field.type)
        if kind not in ("string_view", "binary_view"):  # polars writes views into files of arrow
            continue
        column = table.column(place)
        if is_dictionary:
            texts = [
                part.dictionary.cast("large_string").take(part.indices) for part in column.chunks
            ]
            arrow = require("pyarrow", "A table of pyarrow")
            copied = arrow.chunked_array(texts, "large_string").dictionary_encode()
        else:
            copied = column.cast("large_" + kind.removesuffix("_view"))
        table = table.set_column(place, field.name, copied)
    return nw.from_native(table, eager_only=True)


def join_frames(frames: "Sequence[WrappedFrame]") -> "WrappedFrame":
    """Return data frames of the same columns as one, one below the other, numbered from 0."""
    return WrappedFrame(nw.maybe_reset_index(nw.concat([wrapped.frame for wrapped in frames])))


def make_frame(
    columns: "dict[Hashable, np.ndarray | pd.DatetimeIndex]",
    library: str,
    *,
    categories: dict[Hashable, tuple],
    index: "pd.Index | None" = None,
) -> MatrixLike:
    """Return a frame of a library, such as 'polars', with columns of shape (n_samples,).

    Columns of pandas that are named in `categories` are of its category dtype, with these levels;
    `index` is for pandas, too.
    """
    if library != "pandas":
        arrays = [v if isinstance(v, np.ndarray) else v.to_pydatetime() for v in columns.values()]
        lists = {str(name): v.tolist() for name, v in zip(columns, arrays, strict=True)}
        make: Callable[..., nw.DataFrame] = nw.from_dict  # of any library that narwhals knows
        return make(lists, backend=library).to_native()
    import pandas as pd

    typed = {
        name: pd.Categorical(values, categories=list(categories[name]))
        if name in categories
        else values
        for name, values in columns.items()
    }
    return pd.DataFrame(typed, index=index)


class WrappedFrame:
    """A data frame that narwhals wraps once, and whose columns are read once.

    Wrapping a frame takes as long as a prediction of a small network. Estimators therefore pass the
    wrapped frame from the check of X to their encoder, which reads it to fit and to encode.

    Parameters
    ----------
    frame : narwhals.DataFrame
        Data frame whose columns have unique names.
    whole : WrappedFrame, default=None
        Frame from which samples are taken: from its matrix if it has one, else from its columns.
    samples : ndarray of int of shape (n_samples,), default=None
        Numbers of the samples; None for all samples of `frame`.
    """

    def __init__(
        self,
        frame: Frame,
        whole: "WrappedFrame | None" = None,
        samples: np.ndarray | None = None,
    ):
        self._whole, self._samples, self._frame = whole, samples, frame
        self.names = list(frame.columns)
        self.shape = frame.shape if samples is None else (len(samples), frame.shape[1])

    @cached_property
    def frame(self) -> Frame:
        """The samples, as narwhals wraps them."""
        return self._frame if self._samples is None else self._frame[self._samples]

    def order_by(self, names: Sequence[str]) -> "WrappedFrame":
        """Return the frame in the order of `names`; one with other names as it is."""
        known = list(names)
        if known == self.names or sorted(known) != sorted(map(str, self.names)):
            return self
        return WrappedFrame(self.frame.select(known))

    @cached_property
    def columns(self) -> "list[Column]":
        """The columns, each of one kind."""
        return read_columns(self)

    @cached_property
    def matrix(self) -> np.ndarray | sparse.csr_matrix | None:
        """A frame of pandas with numbers alone as scikit-learn would take it, else None."""
        if self._whole is not None:
            whole = self._whole.matrix
            return None if whole is None else whole[self._samples]
        if not self.frame.implementation.is_pandas():
            return None
        native = self.frame.to_native()
        dtypes = list(native.dtypes)
        if not all(dtype.kind in "iuf" for dtype in dtypes):
            return None
        if all(isinstance(dtype, np.dtype) for dtype in dtypes):
            # A frame of pandas lies column by column, while batches are taken row by row.
            return np.ascontiguousarray(native.to_numpy())
        if all(getattr(dtype, "fill_value", None) == 0 for dtype in dtypes):  # pandas' sparse
            return check_array(native, accept_sparse="csr", dtype=None, ensure_all_finite=False)
        return None

    def make_dense(self) -> "WrappedFrame":
        """Return the frame with dense columns where all are sparse, else as it is."""
        if not sparse.issparse(self.matrix):
            return self
        native = self.frame.to_native()
        return WrappedFrame(nw.from_native(native.sparse.to_dense(), eager_only=True))

    def take_samples(self, samples: np.ndarray) -> "WrappedFrame":
        """Return the samples of these numbers, which are copied when they are read."""
        numbers = samples if self._samples is None else self._samples[samples]
        return WrappedFrame(self._frame, self if self._whole is None else self._whole, numbers)

    def make_header(self) -> "pd.DataFrame":
        """Return a frame of pandas: all releases of scikit-learn see the names of these."""
        import pandas as pd

        native = self._frame.to_native()
        return native if isinstance(native, pd.DataFrame) else pd.DataFrame(columns=self.names)


@dataclass(frozen=True)
class Column:
    """A column of a table, read as numbers or as levels.

    Attributes
    ----------
    label : str or int
        Name, or position in an array, for messages.
    values : ndarray, pandas.Series or narwhals.Series of shape (n_samples,)
        Values as they came.
    kind : str
        'numeric', 'bool', 'text', 'category', 'empty' (all missing), 'time', 'nested', 'complex',
        'mixed', or 'other': things such as bytes or intervals, which can be levels.
    """

    label: str | int
    values: "np.ndarray | pd.Series | nw.Series"
    kind: str

    def check(self) -> None:
        """Raise if the column can be neither numbers nor levels, whatever is asked for."""
        if self.kind == "nested":
            value = self.find_first(NESTED)
            raise TypeError(
                f"Column {self.label!r} holds {value!r}, a {type(value).__name__}, but each entry "
                "of the X argument must be a string or a number. Spread it over several columns, "
                "or drop it."
            )
        if self.kind == "complex":
            raise ValueError(
                f"Complex data not supported: column {self.label!r} holds {self.find_first()!r}. "
                "Give real and imaginary parts as two columns."
            )

    def read_numbers(self) -> np.ndarray | None:
        """Return the column as real numbers of shape (n_samples,), NaN where one is missing.

        Returns
        -------
        ndarray or None
            None if the column is something else than numbers.
        """
        values = self.values
        if self.kind == "category":
            return self._read_category_numbers()
        if self.kind == "empty":
            return np.full(len(values), np.nan)
        if self.kind not in ("numeric", "bool"):
            return None
        if isinstance(values, np.ndarray):
            return read_objects(self.label, values) if values.dtype == object else values
        if isinstance(values, nw.Series):
            if self.kind == "numeric" and values.dtype in (nw.Float32, nw.Float64):
                return values.to_numpy()
            # pyarrow casts no integers that a float would round.
            if values.dtype.is_integer() and values.implementation.is_pyarrow():
                return values.to_numpy().astype(np.float64)
            return values.cast(nw.Float64).to_numpy()
        single = str(values.dtype).startswith(("Float32", "float[", "float32["))
        return values.to_numpy(dtype="float32" if single else "float64", na_value=np.nan)

    def _read_category_numbers(self) -> np.ndarray | None:
        codes, levels = self.read_levels()
        if not all(isinstance(level, NUMBERS) for level in levels):
            return None
        return np.array([*map(float, levels), np.nan])[codes]

    def read_levels(self) -> tuple[np.ndarray, list]:
        """Return numbers of levels (n_samples,), -1 for missing, and the levels, in any order."""
        return self._levels

    @cached_property
    def _levels(self) -> tuple[np.ndarray, list]:
        """Result of `read_levels`, computed once for fit and for the encoding after it."""
        import pandas as pd

        values = self.values
        if self.kind == "empty":
            return np.full(len(values), -1), []
        few = len(values) <= _FEW
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes, levels = pd.Categorical(values).codes, values.dtype.categories
            if few:
                return number_few_levels([None if code < 0 else levels[code] for code in codes])
            return codes, levels.tolist()
        if few:
            return number_few_levels(
                values.tolist() if hasattr(values, "tolist") else values.to_list()
            )
        if isinstance(values, nw.Series):
            if values.dtype not in (nw.Float32, nw.Float64, nw.Decimal):
                return _number_series_levels(values)
            values = self.read_numbers()  # polars tells NaN from null
        codes, levels = pd.factorize(values)
        return codes, levels.tolist()

    def read_times(self) -> Times:
        """Return a column of kind 'time' as microseconds."""
        values = self.values
        if isinstance(values, np.ndarray):
            has_objects = values.dtype == object
            return read_time_objects(self.label, values) if has_objects else make_times(values)
        if not isinstance(values, nw.Series):
            values = nw.from_native(values, series_only=True)
        dtype, zone = values.dtype, None
        if isinstance(dtype, nw.Datetime):
            zone = dtype.time_zone
            if zone is not None:
                values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        elif dtype == nw.Date:
            days = values.cast(nw.Datetime("us")).to_numpy()
            return make_times(days.astype("M8[D]"))
        elif dtype == nw.Time:
            return read_time_objects(self.label, np.array(values.to_list(), dtype=object))
        return make_times(values.to_numpy(), zone)

    def find_first(self, expected: type | tuple[type, ...] = object) -> Any:
        """Return the first value of a certain type that is not missing, or None."""
        values = self.values
        if isinstance(values, nw.Series):
            values = values.drop_nulls().head(1).to_list()
        elif isinstance(values, np.ndarray) and values.dtype != object:
            values = values[~np.isnat(values)] if values.dtype.kind in "mM" else values[:1].tolist()
        return next((v for v in values if isinstance(v, expected) and not is_missing(v)), None)


def read_columns(X: np.ndarray | WrappedFrame) -> list[Column]:
    """Return the columns of a frame, or of an array of two axes."""
    if isinstance(X, np.ndarray):
        return [_read_array_column(label, X[:, label]) for label in range(X.shape[1])]
    frame = X.frame
    if frame.implementation.is_pandas():
        return [_read_pandas_column(label, values) for label, values in frame.to_native().items()]
    return [_read_series_column(series, series) for series in map(frame.get_column, frame.columns)]


def _read_array_column(label: str | int, values: np.ndarray) -> Column:
    if values.dtype == object:
        return Column(label, values, find_kind_of_objects(values))
    return Column(label, values, _KINDS_OF_DTYPES.get(values.dtype.kind, "other"))


def _read_pandas_column(label: str | int, values: "pd.Series") -> Column:
    if isinstance(values.dtype, np.dtype):
        return _read_array_column(label, values.to_numpy())
    if values.dtype.name == "category":  # narwhals would take its time to say so
        return Column(label, values, "category")
    return _read_series_column(nw.from_native(values, series_only=True), values)


def _read_series_column(series: nw.Series, values: "np.ndarray | pd.Series | nw.Series") -> Column:
    dtype = series.dtype
    if dtype.is_numeric():
        kind = "numeric"
    elif dtype in (nw.Categorical, nw.Enum):
        kind = "category"
    elif dtype == nw.Boolean:
        kind = "bool"
    elif dtype == nw.String:
        kind = "text"
    elif dtype.is_temporal():
        kind = "time"
    elif dtype.is_nested():
        kind = "nested"
    elif series.null_count() == len(series):
        kind = "empty"
    else:  # pandas' sparse, period and interval columns; bytes and objects of polars
        return _read_array_column(series.name, np.asarray(series.to_numpy()))
    return Column(series.name, values, kind)


def _number_series_levels(series: nw.Series) -> tuple[np.ndarray, list]:
    """Return what `Column.levels` does, of a column that is neither pandas' nor of floats."""
    there = series.drop_nulls()
    if series.dtype in (nw.Categorical, nw.Enum):  # dictionaries of pyarrow hold numbers, too
        dtype = next((_DTYPES.get(type(v), nw.String) for v in there.head(1).to_list()), nw.String)
        series, there = series.cast(dtype), there.cast(dtype)
    levels = there.unique().to_list()
    codes = np.full(len(series), -1)
    if levels:
        numbers = list(range(len(levels)))
        numbered = there.replace_strict(levels, numbers, return_dtype=nw.Int64).to_numpy()
        codes[~np.asarray(series.is_null().to_numpy(), dtype=bool)] = numbered
    return codes, levels
