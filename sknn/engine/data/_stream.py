"""Samples of a stream, a buffer at a time, while a thread fills the next one."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numpy as np

from sknn._specs import Sample
from sknn._streams import SampleStream
from sknn.engine.data._batches import Batches, SampleDataset

#: bytes of X in a buffer, within which samples are shuffled; two of them are in memory
BUFFER_BYTES = 2**23

Item = TypeVar("Item")


class StreamedDataset(SampleDataset):
    """The samples of a stream; those that can be taken at once are the few that it keeps.

    Parameters
    ----------
    stream : SampleStream
        Is read anew in each epoch.
    device : str, default='cpu'
        Device to which batches are copied.
    """

    def __init__(self, stream: SampleStream, device: str = "cpu"):
        kept = stream.kept
        super().__init__(kept.X, kept.y, kept.sample_weight, device)
        self.stream = stream

    @property
    def in_memory(self) -> SampleDataset:
        """Some of the samples, drawn at random."""
        kept = self.stream.kept
        return SampleDataset(kept.X, kept.y, kept.sample_weight, self.device)

    def __len__(self) -> int:
        return self.stream.shape[0]


class StreamedBatches(Batches):
    """All samples of a stream, batch by batch.

    Pieces come in a new order each epoch, and samples are shuffled within a buffer.

    Parameters
    ----------
    dataset : StreamedDataset
        The samples.
    batch_size, shuffle, random_state
        As for `Batches`.

    Attributes
    ----------
    order : ndarray of shape (n_pieces + 1,)
        Pieces in the order of the epoch that runs or ran last, and behind them the seed by which
        its samples are shuffled.
    """

    def __init__(
        self,
        dataset: StreamedDataset,
        batch_size: int,
        shuffle: bool = False,
        random_state: np.random.RandomState | None = None,
        buffer_bytes: int = BUFFER_BYTES,
    ):
        super().__init__(dataset, batch_size, shuffle, random_state)
        stream = dataset.stream
        self.order = np.append(np.arange(stream.n_pieces), 0)
        row_bytes = max(1, stream.kept.X[:1].nbytes)
        n_batches = min(max(1, buffer_bytes // row_bytes // batch_size), len(self))
        self._capacity = n_batches * batch_size

    @property
    def capacity(self) -> int:
        """Most samples that `iterate_parts` gives at a time."""
        return self._capacity

    def begin(self) -> np.ndarray:
        """Return the order of an epoch; a new one, unless an epoch has begun and not ended."""
        if self.random_state is not None and not self.is_open:
            n_pieces = len(self.order) - 1
            pieces, seed = self.random_state.permutation(n_pieces), self.random_state.randint(2**31)
            self.order = np.append(pieces, seed)
        self.is_open = True
        return self.order

    def iterate_parts(self, first: int = 0) -> Iterator[tuple[SampleDataset, np.ndarray]]:
        """Go through the samples a buffer at a time, each with the order of its samples."""
        # X of a part lies in memory that the part after the next one takes.
        *pieces, seed = self.begin().tolist()
        yield from self.iterate_pieces(pieces, [seed], skipped=first * self.batch_size)

    def iterate_pieces(
        self, pieces: Sequence[int], seeds: Sequence[int], skipped: int
    ) -> Iterator[tuple[SampleDataset, np.ndarray]]:
        """Go through the samples of pieces, shuffled by seeds, after those that are skipped."""
        filled = fill_buffers(self.dataset.stream.read(pieces), self._capacity)
        for number, sample in enumerate(prefetch(filled)):
            n_samples = len(sample.y)
            order = np.arange(n_samples)
            if self.random_state is not None:
                order = np.random.RandomState([*seeds, number]).permutation(n_samples)
            order, skipped = order[skipped:], max(0, skipped - n_samples)
            if len(order):
                yield (
                    SampleDataset(sample.X, sample.y, sample.sample_weight, self.dataset.device),
                    order,
                )


def fill_buffers(chunks: Iterator[Sample], capacity: int) -> Iterator[Sample]:
    """Yield samples of chunks put together, `capacity` at a time; the last time what is left.

    X comes in two arrays by turns: one is filled while the other is in use.
    """
    buffer, n_filled = None, 0
    arrays: deque[np.ndarray] = deque(maxlen=2)
    for chunk in chunks:
        start = 0
        while start < len(chunk.y):
            buffer = _allocate(chunk, capacity, arrays) if buffer is None else buffer
            n = min(capacity - n_filled, len(chunk.y) - start)
            _copy(chunk, slice(start, start + n), buffer, slice(n_filled, n_filled + n))
            start, n_filled = start + n, n_filled + n
            if n_filled == capacity:
                yield buffer
                buffer, n_filled = None, 0
    if buffer is not None:
        weight = buffer.sample_weight
        yield Sample(
            buffer.X[:n_filled], buffer.y[:n_filled], None if weight is None else weight[:n_filled]
        )


def _allocate(like: Sample, capacity: int, arrays: deque[np.ndarray]) -> Sample:
    """Return room for samples, that of X in the array that has been out of use for longest."""
    weight, is_full = like.sample_weight, len(arrays) == arrays.maxlen
    arrays.append(arrays[0] if is_full else np.empty((capacity, *like.X.shape[1:]), like.X.dtype))
    return Sample(
        arrays[-1],
        np.empty((capacity, *like.y.shape[1:]), like.y.dtype),
        None if weight is None else np.empty(capacity, weight.dtype),
    )


def _copy(source: Sample, some: slice, target: Sample, places: slice) -> None:
    target.X[places], target.y[places] = source.X[some], source.y[some]
    if target.sample_weight is not None and source.sample_weight is not None:
        target.sample_weight[places] = source.sample_weight[some]


def prefetch(items: Iterator[Item]) -> Iterator[Item]:
    """Yield items, each of which is made by a thread while the one before it is in use."""
    done = object()
    with ThreadPoolExecutor(1, thread_name_prefix="sknn-reader") as pool:
        pending = pool.submit(next, items, done)
        while (item := pending.result()) is not done:
            pending = pool.submit(next, items, done)
            yield cast("Item", item)
            del item
