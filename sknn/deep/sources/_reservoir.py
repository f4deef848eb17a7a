"""Samples drawn at random from a stream of unknown length, and some that must not be missed."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from sknn._specs import Sample
from sknn._validation import MatrixLike
from sknn.preprocessing import copy_samples, join_tables

#: how samples are drawn from a source: always the same ones, whatever `random_state` is
DRAWN_BY = 0


@dataclass(frozen=True)
class Part:
    """Samples of one chunk.

    Attributes
    ----------
    X, y, sample_weight : array-like
        Inputs, targets and weights of these samples.
    numbers : ndarray of int of shape (n_samples,)
        Their numbers in the source.
    keys : ndarray of shape (n_samples,)
        Random numbers: samples of the smallest ones are drawn.
    is_kept : ndarray of bool of shape (n_samples,)
        Whether a sample must be kept.
    """

    X: MatrixLike
    y: MatrixLike
    sample_weight: np.ndarray | None
    numbers: np.ndarray
    keys: np.ndarray
    is_kept: np.ndarray

    def take(self, places: np.ndarray) -> "Part":
        """Return some of the samples."""
        weight = None if self.sample_weight is None else self.sample_weight[places]
        return Part(
            copy_samples(self.X, places),
            copy_samples(self.y, places),
            weight,
            self.numbers[places],
            self.keys[places],
            self.is_kept[places],
        )


@dataclass(frozen=True)
class Drawn:
    """Samples of a reservoir at the end, in the order of the source.

    Attributes
    ----------
    samples : Sample
        X, y and sample weights.
    numbers : ndarray of int of shape (n_samples,)
        Their numbers in the source.
    is_random : ndarray of bool of shape (n_samples,)
        Whether a sample was drawn at random, and not only because it must not be missed.
    """

    samples: Sample
    numbers: np.ndarray
    is_random: np.ndarray


class Reservoir:
    """Keeps `size` samples drawn at random, each with the same probability.

    Each sample gets a random key, and those of the smallest keys are kept.
    """

    def __init__(self, random_state: np.random.RandomState):
        self.random_state = random_state
        self.parts: list[Part] = []
        self.highest, self.n_held = np.inf, 0

    def add(self, samples: Sample, numbers: np.ndarray, must_keep: np.ndarray, size: int) -> None:
        """Look at samples of these numbers, of which those at `must_keep` stay in any case."""
        # Of n samples with independent uniform keys, the k smallest keys belong to each set of k
        # samples with the same probability, whatever n is: so n need not be known. A key above the
        # k-th smallest so far can never come in, and its sample need not be held.
        keys = self.random_state.uniform(size=len(numbers))
        is_kept = np.zeros(len(numbers), bool)
        is_kept[must_keep] = True
        part = Part(samples.X, samples.y, samples.sample_weight, numbers, keys, is_kept)
        chosen = np.flatnonzero((keys < self.highest) | is_kept)
        if len(chosen):
            self.parts.append(part.take(chosen))
            self.n_held += len(chosen)
        # Sorting out at each chunk would copy what is kept again and again: half as many more may
        # gather first.
        if self.n_held > 1.5 * size:
            self._shrink(size)

    def _shrink(self, size: int) -> None:
        keys = np.concatenate([part.keys for part in self.parts])
        if len(keys) > size:
            self.highest = np.partition(keys, size)[size]
        for number, part in enumerate(self.parts):  # one after the other, each in place of its own
            kept = np.flatnonzero((part.keys < self.highest) | part.is_kept)
            if len(kept) < len(part.keys):
                self.parts[number] = part.take(kept)
        self.parts = [part for part in self.parts if len(part.keys)]
        self.n_held = sum(len(part.keys) for part in self.parts)

    def get_parts(self, size: int) -> list[Part]:
        """Return what is held of `size` samples."""
        self._shrink(size)
        return self.parts

    def set_parts(self, parts: list[Part]) -> None:
        """Go on from what several reservoirs hold, each of other samples."""
        self.parts, self.highest = parts, np.inf
        self.n_held = sum(len(part.keys) for part in parts)

    def finish(self, size: int) -> Drawn:
        """Return the samples that were drawn, and those that must be kept."""
        self._shrink(size)
        parts, self.parts = self.parts, []
        weights = [part.sample_weight for part in parts if part.sample_weight is not None]
        return Drawn(
            Sample(
                join_tables([part.X for part in parts]),
                cast("np.ndarray", join_tables([part.y for part in parts])),
                np.concatenate(weights) if weights else None,
            ),
            np.concatenate([part.numbers for part in parts]),
            np.concatenate([part.keys < self.highest for part in parts]),
        )
