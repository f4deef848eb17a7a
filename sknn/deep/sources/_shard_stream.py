"""The samples of one of several processes, as the network takes them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from sknn._specs import Sample
from sknn._streams import SampleStream
from sknn.deep.parts._preparation import take_samples
from sknn.deep.sources._reservoir import DRAWN_BY

#: samples of a piece of a shard in memory
PIECE = 1024


@dataclass(frozen=True)
class Shard:
    """Place of the samples of this process among all samples, which are numbered by ranks.

    Attributes
    ----------
    rank : int
        Number of this process.
    starts : ndarray of int of shape (n_processes + 1,)
        Number of the first sample of each process, and behind them of all.
    counts : tuple of int
        Samples of a positive weight of each process.
    is_held : bool
        Whether the samples of this process are kept in memory, encoded.
    shuffles : bool
        Whether training shuffles.
    """

    rank: int
    starts: np.ndarray
    counts: tuple[int, ...]
    is_held: bool
    shuffles: bool

    def find_own(self, numbers: np.ndarray) -> np.ndarray:
        """Return the places, among numbers of samples, of those of this process."""
        start, stop = self.starts[self.rank : self.rank + 2]
        return np.flatnonzero((numbers >= start) & (numbers < stop))

    def number_own(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers of samples of this process as its source counts them."""
        return numbers - self.starts[self.rank]

    def count_without(self, left_out: np.ndarray) -> tuple[int, ...]:
        """Return the samples of each process without those of these numbers."""
        owners = np.searchsorted(self.starts, left_out, side="right") - 1
        fewer = np.bincount(owners, minlength=len(self.counts)).tolist()
        return tuple(n - less for n, less in zip(self.counts, fewer, strict=True))

    def make_stream(self, own: SampleStream, counts: tuple[int, ...]) -> "ShardStream":
        """Return the training samples of this process, `counts` of each process, as a stream."""
        stream: SampleStream = hold(own, self.shuffles) if self.is_held else own
        return ShardStream(stream, counts, self.rank)


@dataclass(frozen=True)
class ShardStream:
    """A `sknn._streams.ShardedStream`: a stream of the samples of this process.

    Attributes
    ----------
    own : SampleStream
        Is read.
    counts : tuple of int
        Training samples of each process.
    rank : int
        Number of this one.
    """

    own: SampleStream
    counts: tuple[int, ...]
    rank: int

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of X of all processes."""
        return sum(self.counts), self.own.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """Data type of X."""
        return self.own.dtype

    @property
    def n_pieces(self) -> int:
        """Pieces that can be read in any order."""
        return self.own.n_pieces

    @property
    def kept(self) -> Sample:
        """Some samples of all processes."""
        return self.own.kept

    def read(self, pieces: Iterable[int]) -> Iterator[Sample]:
        """Yield the samples of some pieces, a chunk at a time."""
        return self.own.read(pieces)


@dataclass(frozen=True)
class HeldStream:
    """A `sknn._streams.SampleStream` of encoded samples in memory.

    Attributes
    ----------
    samples : Sample
        All of them, in the order of the pieces.
    shape, kept
        Of the stream that they come from.
    """

    samples: Sample
    shape: tuple[int, int]
    kept: Sample

    @property
    def dtype(self) -> np.dtype:
        """Data type of X."""
        return self.samples.X.dtype

    @property
    def n_pieces(self) -> int:
        """Pieces that can be read in any order."""
        return max(1, -(-len(self.samples.y) // PIECE))

    def read(self, pieces: Iterable[int]) -> Iterator[Sample]:
        """Yield the samples of some pieces."""
        X, y, weight = self.samples.X, self.samples.y, self.samples.sample_weight
        for piece in pieces:
            own = slice(piece * PIECE, (piece + 1) * PIECE)
            yield Sample(X[own], y[own], None if weight is None else weight[own])


def hold(stream: SampleStream, shuffles: bool) -> HeldStream:
    """Return the samples of a stream, read once and held in memory."""
    chunks = list(stream.read(range(stream.n_pieces)))
    weights = [c.sample_weight for c in chunks if c.sample_weight is not None]
    samples = Sample(
        np.concatenate([chunk.X for chunk in chunks]),
        np.concatenate([chunk.y for chunk in chunks]),
        np.concatenate(weights) if weights else None,
    )
    if shuffles:
        # Samples may be sorted by y, and a buffer of pieces, within which an epoch shuffles, would
        # then have a few classes alone.
        order = np.random.RandomState(DRAWN_BY).permutation(len(samples.y))
        samples = take_samples(samples, order)
    return HeldStream(samples, stream.shape, stream.kept)
