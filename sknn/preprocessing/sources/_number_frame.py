"""A chunk of numbers with names, which becomes a data frame only if one is needed."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

import numpy as np

from sknn.preprocessing.tables._columns import Frame, WrappedFrame, wrap_frame

if TYPE_CHECKING:
    import pandas


class NumberFrame(WrappedFrame):
    """A wrapped frame of pandas whose numbers lie in one matrix.

    Making a frame of each chunk, wrapping it and reading the numbers out again would add half of
    the time that the chunk takes to be read from its file.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_columns)
        Numbers of all columns.
    names : sequence of str
        Unique names of the columns.
    """

    def __init__(self, matrix: np.ndarray, names: Sequence[str]):
        self._whole, self._samples = None, None
        self.names, self.shape = list(names), matrix.shape
        self.matrix = matrix

    def __getattr__(self, name: str) -> Frame:
        """Return the frame that narwhals wraps, and make it when it is first asked for."""
        if name != "_frame":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._frame = cast("WrappedFrame", wrap_frame(self.make_native())).frame
        return self._frame

    def make_native(self) -> "pandas.DataFrame":
        """Return a frame of pandas, which shares the memory of the matrix."""
        pandas = import_module("pandas")
        return pandas.DataFrame(self.matrix, columns=self.names, copy=False)

    def copy_samples(self, numbers: np.ndarray) -> "NumberFrame":
        """Return the samples of these numbers, in memory of their own."""
        return NumberFrame(cast("np.ndarray", self.matrix)[numbers], self.names)
