"""Training samples that are read anew in each epoch, a chunk at a time."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from sknn._specs import Sample


class SampleStream(Protocol):
    """Encoded training samples that are read anew in each epoch, a chunk at a time.

    Attributes
    ----------
    shape : tuple of int
        Shape of X as a whole, (n_samples, n_features).
    dtype : numpy.dtype
        Dtype of X.
    n_pieces : int
        Pieces that can be read in any order.
    kept : Sample
        Some of the samples, drawn at random, in memory: for what looks at a few.
    """

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def n_pieces(self) -> int: ...

    @property
    def kept(self) -> Sample: ...

    def read(self, pieces: Iterable[int]) -> Iterator[Sample]:
        """Yield the samples of some pieces in this order, a chunk at a time."""


class ShardedStream(SampleStream, Protocol):
    """A `SampleStream` of which each process reads samples of its own; `shape` counts those of all.

    Attributes
    ----------
    counts : tuple of int
        Training samples of each process.
    rank : int
        Number of this one.
    """

    @property
    def counts(self) -> tuple[int, ...]: ...

    @property
    def rank(self) -> int: ...
