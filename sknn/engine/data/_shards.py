"""Mini-batches whose samples lie in several processes, each of which has some of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

from sknn._streams import ShardedStream
from sknn.engine.data._batches import Batches, SampleDataset, TargetTensors, split_target
from sknn.engine.data._stream import StreamedBatches, StreamedDataset


@dataclass(frozen=True)
class BatchShare:
    """Samples of a process in a mini-batch.

    Attributes
    ----------
    X : Tensor of shape (n_own, ...)
        Inputs; of a process without any those of one sample that does not count.
    target : Tensor, or tuple of Tensor
        Target of the same samples, as `SampleDataset.take` returns it.
    n_samples : int
        Samples of the mini-batch in all processes.
    place : slice
        Place of this process's samples among those of the mini-batch, by ranks.
    """

    X: torch.Tensor
    target: TargetTensors
    n_samples: int
    place: slice

    @property
    def is_empty(self) -> bool:
        """Whether this process has no sample of the mini-batch."""
        return self.place.start == self.place.stop


class ShardedBatches(StreamedBatches):
    """The samples that this process has of each mini-batch.

    Of the first n of all N samples of an epoch a process with c samples has the first c n / N of
    its own, rounded down: so each of its samples comes once in an epoch, and a mini-batch has up to
    one sample for each process more or fewer than `batch_size`.

    Parameters
    ----------
    dataset : StreamedDataset
        Data set of a `sknn._streams.ShardedStream`.
    batch_size, shuffle, random_state
        As for `Batches`; the generators of all processes are in one state.

    Attributes
    ----------
    order : ndarray of shape (1,)
        Seed of the order of the epoch that runs or ran last.
    """

    def __init__(
        self,
        dataset: StreamedDataset,
        batch_size: int,
        shuffle: bool = False,
        random_state: np.random.RandomState | None = None,
    ):
        super().__init__(dataset, batch_size, shuffle, random_state)
        self.stream = cast("ShardedStream", dataset.stream)
        if batch_size < len(self.stream.counts) and batch_size < len(dataset):
            raise ValueError(
                f"batch_size={batch_size} gives some of {len(self.stream.counts)} processes no "
                "sample of a mini-batch. Set it to their number at least."
            )
        self.order = np.zeros(1, np.int64)

    def begin(self) -> np.ndarray:
        """Return the order of an epoch; a new one, unless an epoch has begun and not ended."""
        if self.random_state is not None and not self.is_open:
            self.order = np.array([self.random_state.randint(2**31)])
        self.is_open = True
        return self.order

    def iterate_shares(self, first: int = 0) -> Iterator[BatchShare]:
        """Go through the mini-batches of the epoch at hand, from the one of this number on."""
        samples = _Samples(self._iterate_own(int(self._count(first)[self.stream.rank])))
        # A process without samples of a mini-batch computes one that does not count, so that its
        # layers count the mini-batch, and it takes part in the message.
        spare = self.dataset.in_memory.take(slice(0, 1))
        for number in range(first, len(self)):
            counts = self._count(number + 1) - self._count(number)
            start = int(counts[: self.stream.rank].sum())
            n = int(counts[self.stream.rank])
            X, target = samples.take(n) if n else spare
            yield BatchShare(X, target, int(counts.sum()), slice(start, start + n))

    def _count(self, number: int) -> np.ndarray:
        """Return how many samples each process has (n_processes,) before a mini-batch."""
        # floor(c n / N) of process with c of all N samples, before n samples of the epoch: it grows
        # by 0 or about c B / N in a mini-batch of B, ends at c, and all processes compute the
        # same numbers without a message. As each is rounded down, a mini-batch may be smaller or
        # larger than B by less than one sample for each process.
        n_samples = len(self.dataset)
        before = min(number * self.batch_size, n_samples)
        return np.array([count * before // n_samples for count in self.stream.counts])

    def _iterate_own(self, skipped: int) -> Iterator[tuple[SampleDataset, np.ndarray]]:
        # The seed of the epoch is equal in all processes, the rank makes the orders independent.
        seeds = [int(self.begin()[0]), self.stream.rank]
        pieces = np.arange(self.stream.n_pieces)
        if self.random_state is not None:
            pieces = np.random.RandomState(seeds).permutation(pieces)
        yield from self.iterate_pieces(pieces.tolist(), seeds, skipped)


class _Samples:
    """Samples that come in parts, taken as many at a time as are asked for."""

    def __init__(self, parts: Iterator[tuple[SampleDataset, np.ndarray]]):
        self.parts = parts
        self.order = np.empty(0, np.int64)

    def take(self, n_samples: int) -> tuple[torch.Tensor, TargetTensors]:
        """Return X and target of the next samples."""
        found = []
        while n_samples:
            if not len(self.order):
                self._begin_part()
            own, self.order = self.order[:n_samples], self.order[n_samples:]
            n_samples -= len(own)
            found.append(self.dataset.take(own))
        if len(found) == 1:
            return found[0]
        targets = [split_target(target) for _, target in found]
        y = torch.cat([y for y, _ in targets])
        weights = [weight for _, weight in targets if weight is not None]
        X = torch.cat([X for X, _ in found])
        return X, (y, torch.cat(weights)) if weights else y

    def _begin_part(self) -> None:
        part = next(self.parts, None)
        if part is None:
            raise ValueError(
                "The samples of this process were fewer in an epoch than before training. A source "
                "must give the same samples each time that it is read."
            )
        self.dataset, self.order = part


def make_batches(
    dataset: SampleDataset,
    batch_size: int,
    shuffle: bool,
    random_state: np.random.RandomState,
) -> Batches:
    """Return the batches of samples in memory, of a stream, or of one of several shards."""
    if not isinstance(dataset, StreamedDataset):
        return Batches(dataset, batch_size, shuffle, random_state)
    kind = ShardedBatches if hasattr(dataset.stream, "counts") else StreamedBatches
    return kind(dataset, batch_size, shuffle, random_state)
