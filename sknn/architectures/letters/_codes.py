"""What compiled code along letters takes and writes: codes of words, filters, pooled values."""

from typing import NamedTuple

import numpy as np


class Letters(NamedTuple):
    """Sequences of letters as codes of overlapping words.

    Attributes
    ----------
    codes : ndarray of int32 of shape (n_samples, length)
        Code of the word that begins at each position.
    windows : ndarray of int64 of shape (n_samples, 2)
        First valid window, and the one after the last.
    n_letters, n_codes : int
        Number of letters of a word, and number of words.
    """

    codes: np.ndarray
    windows: np.ndarray
    n_letters: int
    n_codes: int


class Scored(NamedTuple):
    """Filters that score windows, or the gradient of their weights and shift.

    Attributes
    ----------
    weights : ndarray of shape (n_strands, n_filters, kernel_size, n_channels)
        Weight of each letter at each position of a filter.
    shift : ndarray of shape (n_strands, n_windows, n_filters)
        Numbers that are added to the value of each window.
    is_mirrored : bool
        Whether rows of `shift` count from the first valid window of a sequence, and on the other
        strand backwards from the last.
    floor : float
        Least value in the mean, to which smaller values are raised.
    """

    weights: np.ndarray
    shift: np.ndarray
    is_mirrored: bool
    floor: float


class Pooled(NamedTuple):
    """Pooled values, or the slopes of the loss by them.

    Attributes
    ----------
    best, place, mean : ndarray of shape (n_samples, n_strands, n_filters)
        Largest values, the numbers of their windows, and means.
    """

    best: np.ndarray
    place: np.ndarray
    mean: np.ndarray
