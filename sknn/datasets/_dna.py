"""Random DNA with a motif planted in some of the sequences."""

import numpy as np
from numpy.typing import ArrayLike

from sknn._validation import RandomStateLike, make_local_random_state

BASES = "ACGT"
#: codes of the IUPAC for several bases, as in `sknn.preprocessing`, which is an island of its own
CODES = {
    **{base: base for base in BASES},
    **{"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"},
    **{"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"},
}


def make_motif_sequences(
    n_samples: int = 2000,
    length: int = 50,
    motif: str | ArrayLike = "CGACCGAACTCC",
    *,
    fraction: float = 0.5,
    background: ArrayLike | None = None,
    both_strands: bool = False,
    random_state: RandomStateLike = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make random DNA sequences, and plant a motif in about half of them.

    The recipe of the primer of Zou et al. [1]_: bases are drawn at random, and a sequence is
    positive if a motif was written over some of them, anywhere.

    Parameters
    ----------
    n_samples : int, default=2000
        Number of sequences.
    length : int, default=50
        Number of bases in each sequence.
    motif : str or array-like of shape (width, 4), default='CGACCGAACTCC'
        Bases, or IUPAC's codes, of which one base is drawn for each sequence; or probabilities of
        A, C, G and T at each position, as ``Motif.ppm``.
    fraction : float, default=0.5
        Probability that a sequence is positive, in [0, 1].
    background : array-like of shape (4,), default=None
        Probabilities of A, C, G and T outside the motif; None makes them equal.
    both_strands : bool, default=False
        Whether half of the motifs are on the other strand, as their reverse complement.
    random_state : int, RandomState instance or None, default=None
        An int gives the same sequences each time. NumPy's global generator is never used.

    Returns
    -------
    X : ndarray of str of shape (n_samples,)
        Sequences.
    y : ndarray of int of shape (n_samples,)
        1 if the motif was planted, else 0. A motif that occurs by chance does not count.
    positions : ndarray of int of shape (n_samples,)
        First position of the motif, counted from 0; -1 without a motif.

    Raises
    ------
    ValueError
        If the motif is longer than the sequences or not as described, or another parameter is out
        of range.

    References
    ----------
    .. [1] J. Zou, M. Huss, A. Abid, P. Mohammadi, A. Torkamani and A. Telenti, "A primer on deep
       learning in genomics", Nature Genetics 51, 2019, doi:10.1038/s41588-018-0295-5.

    Examples
    --------
    >>> from sknn.datasets import make_motif_sequences
    >>> X, y, positions = make_motif_sequences(n_samples=3, length=20, random_state=1)
    >>> print(X[y == 1][0][positions[y == 1][0] :][:12])
    CGACCGAACTCC
    """
    shares = _read_motif_shares(motif)
    width = len(shares)
    _check_sizes(n_samples, length, width, fraction)
    random_state = make_local_random_state(random_state)
    outside = _check_shares(
        np.full(4, 0.25) if background is None else background, "background", (4,)
    )
    bases = _draw(random_state, np.broadcast_to(outside, (length, 4)), n_samples)
    y = (random_state.random_sample(n_samples) < fraction).astype(np.int64)
    positions = random_state.randint(0, length - width + 1, n_samples)
    planted = _draw(random_state, shares, n_samples)
    if both_strands:
        turned = random_state.random_sample(n_samples) < 0.5
        # A, C, G, T are 0 to 3, so that 3 minus a base is its complement.
        planted[turned] = 3 - planted[turned, ::-1]
    positive = np.flatnonzero(y)
    places = positions[positive, None] + np.arange(width)
    bases[positive[:, None], places] = planted[positive]
    letters = np.frombuffer(BASES.encode(), np.uint8)[bases]
    X = letters.view(f"S{length}").ravel().astype(f"U{length}")
    return X, y, np.where(y == 1, positions, -1)


def _draw(random_state: np.random.RandomState, shares: np.ndarray, n_samples: int) -> np.ndarray:
    """Draw a base for each position, of shape (n_samples, width)."""
    # The inverse of the distribution function: a uniform number passes as many of the three limits
    # as the number of its base says.
    limits = np.cumsum(shares, axis=1)[:, :3]
    drawn = random_state.random_sample((n_samples, len(shares)))
    return (drawn[:, :, None] >= limits).sum(axis=2)


def _read_motif_shares(motif: str | ArrayLike) -> np.ndarray:
    if not isinstance(motif, str):
        return _check_shares(motif, "motif", (np.shape(motif)[0] if np.ndim(motif) == 2 else 1, 4))
    wrong = set(motif.upper()) - set(CODES)
    if wrong or not motif:
        raise ValueError(
            f"motif must be bases or IUPAC's codes of bases, such as 'TATAWAWR'; got {motif!r}."
        )
    sets = [CODES[letter] for letter in motif.upper()]
    return np.array([[(base in bases) / len(bases) for base in BASES] for bases in sets])


def _check_shares(values: ArrayLike, name: str, shape: tuple[int, ...]) -> np.ndarray:
    shares = np.asarray(values, dtype=float)
    if shares.shape != shape or not (shares >= 0).all() or not np.allclose(shares.sum(-1), 1):
        expected = "(4,)" if len(shape) == 1 else "(width, 4)"
        raise ValueError(
            f"{name} must be probabilities of A, C, G and T, of shape {expected} and summing to 1; "
            f"got {values!r}."
        )
    return shares


def _check_sizes(n_samples: int, length: int, width: int, fraction: float) -> None:
    if n_samples < 1:
        raise ValueError(f"n_samples must be 1 or more; got {n_samples!r}.")
    if length < width:
        raise ValueError(
            f"length must be at least that of the motif, {width} bases; got {length!r}."
        )
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be in [0, 1]; got {fraction!r}.")
