"""Probabilities of samples, made alike where samples are."""

import numpy as np
from scipy import sparse
from sklearn.neighbors import kneighbors_graph

#: share of its neighbours in the probabilities of a sample, and how often they are passed on
SHARE, N_STEPS = 0.5, 10


def connect_neighbors(Z: np.ndarray | sparse.csr_matrix, n_neighbors: int) -> sparse.csr_array:
    """Return weights (n_samples, n_samples), equal and adding up to 1, of the nearest samples.

    Two samples are neighbours if one of them is among the `n_neighbors` nearest of the other.
    """
    n_neighbors = min(n_neighbors, Z.shape[0] - 1)
    nearest = sparse.csr_array(kneighbors_graph(Z, n_neighbors, mode="connectivity"))
    either = nearest + nearest.T
    return sparse.diags_array(1 / either.sum(axis=1)) @ either


def smooth_probabilities(weights: sparse.csr_array, proba: np.ndarray) -> np.ndarray:
    """Return probabilities (n_samples, n_classes) mixed with those of neighbours."""
    # The limit of p <- s W p + (1 - s) p0 is (1 - s) (1 - s W)^-1 p0: label spreading that begins
    # with probabilities. After ten steps s^10, a thousandth, is missing.
    smooth = proba
    for _ in range(N_STEPS):
        smooth = SHARE * (weights @ smooth) + (1 - SHARE) * proba
    return smooth
