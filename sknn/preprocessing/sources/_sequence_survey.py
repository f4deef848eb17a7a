"""Survey of sequences that are read a chunk at a time: the longest one."""

from collections.abc import Sequence

import numpy as np

from sknn.preprocessing.sequences._bytes import lengths_of
from sknn.preprocessing.sequences._inputs import SequenceInputs


class SequenceSurvey:
    """Reads all chunks of sequences, and keeps each that is longer than those before.

    Attributes
    ----------
    longest : int
        Number of positions of the longest sequence so far.
    """

    def __init__(self, encoder: SequenceInputs):
        self.encoder, self.longest = encoder, 0

    @property
    def n_numbers(self) -> int:
        """Number of float64 that a sample takes in memory."""
        spec = self.encoder.spec_
        return max(1, max(self.longest, spec.n_positions) * spec.n_numeric // 2)

    def add(self, X: np.ndarray, sample_weight: np.ndarray | None, first: int) -> np.ndarray:
        """Add a chunk; return the number of its longest sequence if no earlier one is as long."""
        if X.ndim > 1:
            return np.empty(0, np.int64)
        lengths = lengths_of(X)
        if lengths.max() <= self.longest:
            return np.empty(0, np.int64)
        self.longest = int(lengths.max())
        return np.array([lengths.argmax()])

    def get_notes(self) -> int:
        """Return the number of positions of the longest sequence."""
        return self.longest

    def adopt_notes(self, notes: Sequence[int]) -> None:
        """Join the notes of all processes, each of which has surveyed samples of its own."""
        self.longest = max(notes)

    def finish(self, encoder: SequenceInputs) -> SequenceInputs:
        """Return the encoder, which was fitted on the samples that were kept."""
        return encoder
