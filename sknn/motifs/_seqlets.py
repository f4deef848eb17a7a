"""Seqlets: stretches of a sequence on which an output depends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sknn._saved import saved
from sknn._validation import make_local_random_state


@saved
@dataclass(frozen=True)
class Seqlet:
    """A stretch of one sequence with exceptionally large attributions.

    Attributes
    ----------
    sample : int
        Number of the sequence.
    start, end : int
        First position, and the one after the last.
    attribution : float
        Sum over the stretch; negative if the stretch lowers the output.
    """

    sample: int
    start: int
    end: int
    attribution: float


def find_seqlets(
    attributions: ArrayLike,
    width: int = 11,
    *,
    false_discovery_rate: float = 0.05,
    random_state: int | np.random.RandomState | None = None,
) -> list[Seqlet]:
    """Find the stretches whose attributions are larger than those of shuffled positions.

    As in TF-MoDISco [1]_: the attributions are summed over windows, the largest windows are taken
    one after the other so that none overlap, as long as so large a sum is rare among windows of
    the same sequences with their positions shuffled.

    Parameters
    ----------
    attributions : array-like of shape (n_samples, length, n_letters)
        Attributions, such as ``SequenceCNNClassifier.saliency`` returns.
    width : int, default=11
        Number of positions of a seqlet.
    false_discovery_rate : float, default=0.05
        Maximum number of windows of shuffled positions for each window found, in (0, 1).
    random_state : int, RandomState instance or None, default=None
        Source of the shuffles. An int gives the same seqlets each time.

    Returns
    -------
    list of Seqlet
        Seqlets, the largest absolute attribution first.

    Raises
    ------
    ValueError
        If the attributions have another shape, are shorter than `width`, or the rate is out of
        range.

    References
    ----------
    .. [1] A. Shrikumar et al., "Technical note on transcription factor motif discovery from
       importance scores (TF-MoDISco)", 2018, arXiv:1811.00416.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.motifs import find_seqlets
    >>> attributions = np.random.RandomState(0).normal(size=(50, 40, 4)) / 10
    >>> attributions[7, 20:31] += 1.0
    >>> best = find_seqlets(attributions, random_state=0)[0]
    >>> best.sample, best.start, best.end
    (7, 20, 31)
    """
    attributions = np.asarray(attributions, dtype=float)
    if attributions.ndim != 3 or attributions.shape[1] < width:
        raise ValueError(
            f"attributions must have shape (n_samples, length, n_letters) with {width} positions, "
            f"the width, or more; got {attributions.shape}."
        )
    if not 0 < false_discovery_rate < 1:
        raise ValueError(f"false_discovery_rate must be in (0, 1); got {false_discovery_rate!r}.")
    random_state = make_local_random_state(random_state)
    # Shuffled positions keep the distribution of single attributions and lose their neighbourhood:
    # a window of chance. Where large ones stand together, windows are larger than that.
    scores = attributions.sum(axis=2)
    order = np.argsort(random_state.random_sample(scores.shape), axis=1)
    shuffled = np.take_along_axis(scores, order, axis=1)
    sums, null = sum_windows(scores, width), sum_windows(shuffled, width)
    limit = choose_limit(np.abs(sums).ravel(), np.abs(null).ravel(), false_discovery_rate)
    seqlets = [
        Seqlet(i, start, start + width, float(sums[i, start]))
        for i in range(len(sums))
        for start in pick_apart(np.abs(sums[i]), width, limit)
    ]
    return sorted(seqlets, key=lambda seqlet: -abs(seqlet.attribution))


def sum_windows(scores: np.ndarray, width: int) -> np.ndarray:
    """Return sums over windows: (n_samples, length) to (n_samples, length - width + 1)."""
    # With c_i the sum of the first i scores, the sum of a window from i on is c_{i + width} - c_i.
    total = np.cumsum(np.pad(scores, ((0, 0), (1, 0))), axis=1)
    return total[:, width:] - total[:, :-width]


def choose_limit(sums: np.ndarray, null: np.ndarray, rate: float) -> float:
    """Return the smallest limit above which there are so few null windows for those found.

    Both are flat and not negative. The estimated rate at a limit is the number of null windows
    above it over the number of windows found; infinity if it is nowhere small enough.
    """
    # At the limit sums[k] of the sorted sums, n - k of them are found.
    sums, null = np.sort(sums), np.sort(null)
    # The number of null windows at or above a limit estimates how many of those found are chance.
    n_found = len(sums) - np.arange(len(sums))
    n_null = len(null) - np.searchsorted(null, sums, side="left")
    good = np.flatnonzero(n_null <= rate * n_found)
    return float(sums[good[0]]) if len(good) else np.inf


def pick_apart(sums: np.ndarray, width: int, limit: float) -> list[int]:
    """Return starts of windows of at least `limit`, the largest first, that do not overlap."""
    left, starts = sums.copy(), []
    while (best := int(left.argmax())) >= 0 and left[best] >= max(limit, 1e-300):
        starts.append(best)
        # Starts less than a width before or behind overlap with it.
        left[max(best - width + 1, 0) : best + width] = -np.inf
    return starts
