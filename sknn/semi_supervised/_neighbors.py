"""Probabilities of samples, made alike where samples are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.neighbors import kneighbors_graph

#: share of the limit of a spread that may be missing
REST = 1e-3


@dataclass(frozen=True)
class Spread:
    """How far probabilities spread to neighbours.

    Attributes
    ----------
    share : float
        Share of its neighbours in the probabilities of a sample, in [0, 1).
    teacher_weight : float
        Weight of what teachers say of a sample beside that of a label, in [0, 1].
    """

    share: float
    teacher_weight: float


def connect_neighbors(Z: np.ndarray | sparse.csr_matrix, n_neighbors: int) -> sparse.csr_array:
    """Return weights (n_samples, n_samples), adding up to 1, of the nearest samples."""
    # Two samples are neighbours if one of them is among the nearest of the other, and count twice
    # as much if both are.
    n_neighbors = min(n_neighbors, Z.shape[0] - 1)
    nearest = sparse.csr_array(kneighbors_graph(Z, n_neighbors, mode="connectivity"))
    either = nearest + nearest.T
    return sparse.diags_array(1 / either.sum(axis=1)) @ either


def spread_probabilities(
    weights: sparse.csr_array, proba: np.ndarray, codes: np.ndarray, spread: Spread
) -> np.ndarray:
    """Return probabilities (n_samples, n_classes) mixed with those of neighbours.

    `proba` is of the teachers, and `codes` of shape (n_samples,) are known classes or -1.
    """
    start, known = spread.teacher_weight * proba, codes >= 0
    start[known] = np.eye(proba.shape[1])[codes[known]]
    if not spread.share:
        return np.where(start.any(axis=1, keepdims=True), start, proba)
    # The limit of p <- s W p + (1 - s) p0 is (1 - s) (1 - s W)^-1 p0: label spreading that begins
    # with probabilities. After n steps s^n of it is missing.
    share, smooth = spread.share, start
    for _ in range(int(np.ceil(np.log(REST) / np.log(share)))):
        smooth = share * (weights @ smooth) + (1 - share) * start
    # Without teachers, nothing comes to samples that no path leads to from one with a label.
    sums = smooth.sum(axis=1, keepdims=True)
    return np.where(sums > 0, smooth / np.maximum(sums, np.finfo(float).tiny), proba)
