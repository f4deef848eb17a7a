"""Motifs from the windows of sequences that make a network's filters fire."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sknn._saved import saved
from sknn.motifs._motif import Motif, sort_by_importance


@saved
@dataclass(frozen=True)
class BestWindows:
    """Window of each sequence at which each filter of the first layer is largest.

    Attributes
    ----------
    activation : ndarray of shape (n_samples, n_filters)
        Largest value after the activation.
    start : ndarray of int of shape (n_samples, n_filters)
        First position of that window.
    reverse : ndarray of bool of shape (n_samples, n_filters)
        Whether the window is on the other strand, where the filter reads it backwards.
    kernel_size : int
        Number of positions of a window.
    """

    activation: np.ndarray
    start: np.ndarray
    reverse: np.ndarray
    kernel_size: int


def motifs_from_windows(
    X: np.ndarray,
    windows: BestWindows,
    *,
    threshold: float = 0.5,
    min_sites: int = 10,
    pseudocount: float = 1.0,
    trim: float = 0.2,
    importance: Sequence[float] | None = None,
    alphabet: str = "ACGT",
) -> list[Motif]:
    """Return a motif for each filter, counted from the windows at which it is largest.

    Of each sequence the window where the filter is largest is taken, as by Alipanahi et al. [1]_,
    if it reaches a share of the largest value over all sequences, as by Kelley et al. [2]_.

    Parameters
    ----------
    X : ndarray of shape (n_samples, length, n_letters)
        Encoded sequences. Positions of zeros are not counted.
    windows : BestWindows
        Windows of the same sequences.
    threshold : float, default=0.5
        Share of a filter's largest value that a window must exceed, in [0, 1).
    min_sites : int, default=10
        Minimum number of windows; filters with fewer are left out.
    pseudocount : float, default=1.0
        Pseudocount of the motifs, see `Motif`.
    trim : float, default=0.2
        Information in bits below which positions at both ends are cut off.
    importance : sequence of float of length n_filters, default=None
        Importance of each filter, by which motifs are sorted, the largest first.
    alphabet : str, default='ACGT'
        Letters of the channels.

    Returns
    -------
    list of Motif
        Motifs with the names ``'filter_0'`` and so on; without importance in the order of filters.

    References
    ----------
    .. [1] B. Alipanahi, A. Delong, M. T. Weirauch and B. J. Frey, "Predicting the sequence
       specificities of DNA- and RNA-binding proteins by deep learning", Nature Biotechnology 33,
       2015, doi:10.1038/nbt.3300.
    .. [2] D. R. Kelley, J. Snoek and J. L. Rinn, "Basset: learning the regulatory code of the
       accessible genome with deep convolutional neural networks", Genome Research 26, 2016,
       doi:10.1101/gr.200535.115.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.motifs import BestWindows, motifs_from_windows
    >>> X = np.eye(4)[np.array([[3, 0, 1, 2], [0, 1, 2, 3]] * 10)]  # TACG and ACGT
    >>> start = np.array([[1], [0]] * 10)  # a filter for ACG
    >>> fires = BestWindows(np.ones((20, 1)), start, np.zeros((20, 1), bool), kernel_size=3)
    >>> motifs_from_windows(X, fires)[0].consensus
    'ACG'
    """
    motifs = []
    for i in range(windows.activation.shape[1]):
        values = windows.activation[:, i]
        # One site a sequence, the best; a share of the best of all keeps weak sites out, which
        # would blur the letters, and leaves the scale of the filter out of the choice.
        rows = np.flatnonzero((values > threshold * values.max()) & (values > 0))
        if len(rows) < max(min_sites, 1):
            continue
        places = windows.start[rows, i, None] + np.arange(windows.kernel_size)
        sites = X[rows[:, None], places].astype(float)
        turned = windows.reverse[rows, i]
        # On the other strand the filter read the complement backwards: turn the site to match it.
        sites[turned] = sites[turned, ::-1, ::-1]
        known = None if importance is None else float(importance[i])
        motif = Motif(f"filter_{i}", sites.sum(axis=0), len(rows), pseudocount, known, alphabet)
        motifs.append(motif.trimmed(trim))
    return sort_by_importance(motifs)
