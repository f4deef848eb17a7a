"""Sequences that come a chunk at a time: what an encoder has to know of all of them."""

from collections.abc import Sequence

import numpy as np

from sknn.preprocessing.sequences._bytes import lengths_of
from sknn.preprocessing.sequences._inputs import SequenceInputs


class SequenceSurvey:
    """Looks at all chunks of sequences, and keeps the longest ones.

    Attributes
    ----------
    longest : int
        Positions of the longest so far.
    """

    def __init__(self, encoder: SequenceInputs):
        self.encoder, self.longest = encoder, 0

    @property
    def n_numbers(self) -> int:
        """How many numbers of 8 bytes a sample holds in memory."""
        spec = self.encoder.spec_
        return max(1, max(self.longest, spec.n_positions) * spec.n_numeric // 2)

    def add(self, X: np.ndarray, sample_weight: np.ndarray | None, first: int) -> np.ndarray:
        """Take note of a chunk; return the number of a sequence that is longer than all so far."""
        if X.ndim > 1:
            return np.empty(0, np.int64)
        lengths = lengths_of(X)
        if lengths.max() <= self.longest:
            return np.empty(0, np.int64)
        self.longest = int(lengths.max())
        return np.array([lengths.argmax()])

    def get_notes(self) -> int:
        """Return the positions of the longest sequence."""
        return self.longest

    def adopt_notes(self, notes: Sequence[int]) -> None:
        """Take over the notes of all processes that look at samples of their own."""
        self.longest = max(notes)

    def finish(self, encoder: SequenceInputs) -> SequenceInputs:
        """Return an encoder, fitted on samples that were kept."""
        return encoder
