"""Sparse samples as kernels take them; numba is not loaded here."""

from typing import NamedTuple

import numpy as np


class SparseSamples(NamedTuple):
    """Sparse samples as a CSR matrix.

    Attributes
    ----------
    starts : ndarray of int of shape (n_samples + 1,) or (0,)
        Place where the entries of each sample begin; empty if samples are dense.
    columns, values : ndarray of shape (n_entries,)
        Column and value of each entry.
    """

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray
