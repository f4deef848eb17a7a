"""Label spreading: probabilities of samples, mixed with those of their neighbours."""

import numpy as np
from scipy import sparse
from sklearn.neighbors import kneighbors_graph

#: share of its neighbours in the probabilities of a sample, and number of times they are mixed
SHARE, N_STEPS = 0.5, 10


def connect_neighbors(Z: np.ndarray | sparse.csr_matrix, n_neighbors: int) -> sparse.csr_array:
    """Return weights (n_samples, n_samples) of the neighbours of each sample, which add up to 1.

    Two samples are neighbours if one of them is among the `n_neighbors` nearest of the other. If
    both are, their weight is twice that of others.
    """
    n_neighbors = min(n_neighbors, Z.shape[0] - 1)
    nearest = sparse.csr_array(kneighbors_graph(Z, n_neighbors, mode="connectivity"))
    either = nearest + nearest.T
    return sparse.diags_array(1 / either.sum(axis=1)) @ either


def smooth_probabilities(weights: sparse.csr_array, proba: np.ndarray) -> np.ndarray:
    """Return probabilities (n_samples, n_classes) mixed with those of neighbours."""
    # The limit of p <- s W p + (1 - s) p0 solves p = s W p + (1 - s) p0: it is (1 - s) (I - s W)^-1
    # p0, label spreading (Zhou et al., 2004) that begins with probabilities. The error is
    # multiplied by s W in each step. As rows of W add up to 1 it falls by s: after ten steps to
    # s^10, a thousandth. For the same reason rows of p go on adding up to 1.
    smooth = proba
    for _ in range(N_STEPS):
        smooth = SHARE * (weights @ smooth) + (1 - SHARE) * proba
    return smooth
