"""Input of TF-MoDISco: one-hot sequences and the contributions of every letter."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from sknn.deep import SequenceCNNClassifier, SequenceCNNRegressor


def modisco_arrays(
    model: "SequenceCNNClassifier | SequenceCNNRegressor",
    X: ArrayLike,
    target: ArrayLike | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the two arrays that TF-MoDISco-lite [1]_ reads, channels before positions.

    Write each with ``numpy.savez(path, array)``, and run
    ``modisco motifs -s one_hot.npz -a contributions.npz``.

    Parameters
    ----------
    model : SequenceCNNClassifier or SequenceCNNRegressor
        Model that was fitted on DNA.
    X : array-like of str of shape (n_samples,)
        Sequences.
    target : object or array-like of shape (n_samples,), default=None
        Class or output, see ``SequenceCNNClassifier.saliency``.

    Returns
    -------
    one_hot : ndarray of shape (n_samples, 4, length)
        Encoded sequences.
    contributions : ndarray of shape (n_samples, 4, length)
        Hypothetical contributions: gradients minus their mean over the letters.

    Raises
    ------
    ValueError
        If X has no letters, or there is no such class or output.

    References
    ----------
    .. [1] A. Shrikumar et al., "Technical note on transcription factor motif discovery from
       importance scores (TF-MoDISco)", 2018, arXiv:1811.00416.

    Examples
    --------
    >>> from sknn import SequenceCNNClassifier
    >>> from sknn.datasets import make_motif_sequences
    >>> from sknn.genomics import modisco_arrays
    >>> X, y, _ = make_motif_sequences(100, random_state=0)
    >>> cnn = SequenceCNNClassifier(n_filters=4, max_iter=1, random_state=0).fit(X, y)
    >>> one_hot, contributions = modisco_arrays(cnn, X[:3])
    >>> one_hot.shape, contributions.shape
    ((3, 4, 50), (3, 4, 50))
    """
    one_hot = model.encode(X)
    contributions = model.saliency(X, target, hypothetical=True)
    # Channels before positions, as TF-MoDISco's file has them.
    one_hot, contributions = one_hot.transpose(0, 2, 1), contributions.transpose(0, 2, 1)
    return np.ascontiguousarray(one_hot), np.ascontiguousarray(contributions)
