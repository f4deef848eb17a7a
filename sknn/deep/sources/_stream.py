"""Samples of a source as the network takes them, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sknn._specs import Sample
from sknn.deep.parts._preparation import Parts, encode_samples, take_samples
from sknn.deep.sources._survey import check_chunk, explain_chunk, weigh_samples
from sknn.preprocessing import Source

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from sknn.deep.parts._protocols import Codec, Encoder


@dataclass(frozen=True)
class EncodedStream:
    """A `sknn._streams.SampleStream` of a source.

    Attributes
    ----------
    estimator, parts, encoder, codec
        Check and encode.
    source : Source
        Is read anew in each epoch.
    largest_weight : float
        Largest weight of all samples.
    left_out : ndarray of int
        Rising numbers of the samples that are held out.
    members : ndarray of int or None
        For each of `left_out` the ensemble member that leaves it out, which a column behind X then
        says, -1 for all other samples. None where held-out samples are no training samples.
    n_samples : int
        Training samples.
    kept : Sample
        Some of them, encoded.
    """

    estimator: BaseEstimator
    parts: Parts
    encoder: Encoder
    codec: Codec
    source: Source
    largest_weight: float
    left_out: np.ndarray
    members: np.ndarray | None
    n_samples: int
    kept: Sample

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of X as a whole."""
        return self.n_samples, self.kept.X.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """Data type of X."""
        return self.kept.X.dtype

    @property
    def n_pieces(self) -> int:
        """Pieces that can be read in any order."""
        return self.source.n_pieces

    def read(self, pieces: Iterable[int]) -> Iterator[Sample]:
        """Yield the training samples of some pieces, a chunk at a time."""
        for chunk in self.source.read(pieces):
            with explain_chunk(self.source, chunk):
                samples, numbers = check_chunk(self.estimator, self.parts, chunk, self.encoder)
                if len(numbers) == 0:
                    continue
                samples = weigh_samples(samples, self.parts, self.largest_weight)
                # Both are sorted: where a number would be inserted stands its equal, or it is not
                # held out. -1 stands behind the last, and equals none.
                places = np.searchsorted(self.left_out, numbers)
                is_out = np.append(self.left_out, -1)[places] == numbers
                if self.members is None and is_out.any():
                    samples = take_samples(samples, np.flatnonzero(~is_out))
                samples = encode_samples(self.encoder, self.codec, samples)
            if self.members is not None:
                members = np.where(is_out, np.append(self.members, -1)[places], -1)
                samples = add_members(samples, members)
            yield samples


def add_members(samples: Sample, members: np.ndarray) -> Sample:
    """Return encoded samples with a column of who leaves them out."""
    X = np.column_stack([samples.X, members.astype(samples.X.dtype)])
    return Sample(X, samples.y, samples.sample_weight)
