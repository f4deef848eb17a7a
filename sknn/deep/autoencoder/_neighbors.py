"""Distances of samples to known samples, without most anomalies among these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from sknn._saved import saved

#: most samples that are kept, and samples whose distances are computed at a time
MOST_REFERENCES, BLOCK = 5000, 512
#: neighbours by which samples are trimmed, as many as 80 or a fifth of all: more than a small
#: cluster of anomalies has members
TRIMMING_NEIGHBORS, TRIMMING_SHARE = 80, 0.2
#: added to variances before whitening; share of the median distance that is added to distances
RIDGE, FLOOR = 0.03, 1e-3


@saved
@dataclass(frozen=True)
class References:
    """Known samples, to compare others with.

    Attributes
    ----------
    points : ndarray of shape (n_references, n_columns)
        Encoded samples.
    whitening : ndarray of shape (n_columns, n_columns)
        Matrix that makes columns uncorrelated, and of equal variance.
    n_neighbors : int
        Nearest references whose distances are averaged.
    floors : tuple of float
        Smallest distances that are told apart, of both kinds.
    """

    points: np.ndarray
    whitening: np.ndarray
    n_neighbors: int
    floors: tuple[float, float] = (0.0, 0.0)

    def measure(self, Z: np.ndarray) -> np.ndarray:
        """Return both mean log distances of samples (n_samples, n_columns), (n_samples, 2).

        The first is the sum of absolute differences, the second Euclidean between whitened samples.
        A reference at distance 0 is taken for the sample itself, once.
        """
        whitened = self.points @ self.whitening
        parts = []
        for start in range(0, len(Z), BLOCK):
            block = Z[start : start + BLOCK]
            city = cdist(block, self.points, "cityblock")
            straight = cdist(block @ self.whitening, whitened)
            # A sample that is a reference is not its own neighbour: its distance of 0 would hide
            # how far the others are.
            itself = city.argmin(axis=1), np.arange(len(block))
            is_known = city[itself[1], itself[0]] == 0
            for distances in (city, straight) if city.shape[1] > 1 else ():
                distances[itself[1][is_known], itself[0][is_known]] = np.inf
            nearest = [_take_nearest(d, self.n_neighbors) for d in (city, straight)]
            # The mean of logarithms is that of a geometric mean: a single far neighbour counts by
            # how many times as far it is. The floor makes ties and copies equal, where log 0 would
            # be all.
            logs = [np.log(d + f).mean(axis=1) for d, f in zip(nearest, self.floors, strict=True)]
            parts.append(np.column_stack(logs))
        return np.concatenate(parts)


def _take_nearest(distances: np.ndarray, k: int) -> np.ndarray:
    """Return the k smallest distances of each line that are finite."""
    k = max(1, min(k, distances.shape[1] - 1))
    return np.partition(distances, k - 1, axis=1)[:, :k]


def fit_references(Z: np.ndarray, n_neighbors: int, trim_fraction: float) -> References:
    """Return references among samples of shape (n_samples, n_columns), evenly chosen.

    Of them `trim_fraction`, those farthest from their neighbours, are left out.
    """
    if len(Z) > MOST_REFERENCES:
        Z = Z[np.linspace(0, len(Z) - 1, MOST_REFERENCES).astype(int)]
    points = np.asarray(Z, dtype=np.float64)
    n_columns = points.shape[1]
    # One sample has no variance, of which NumPy would warn.
    covariance = np.cov(points, rowvar=False) if len(points) > 1 else np.zeros((n_columns,) * 2)
    variances, vectors = np.linalg.eigh(np.nan_to_num(covariance.reshape(n_columns, -1)))
    # With the covariance C = V diag(v) V^T, W = V diag((v + r)^-1/2) V^T is symmetric and W C W
    # nearly the identity: a distance between z W is Mahalanobis's between z. The ridge r keeps
    # directions in which nothing varies from becoming all that counts.
    whitening = (vectors / np.sqrt(np.maximum(variances, 0.0) + RIDGE)) @ vectors.T
    n_others = int(np.clip(TRIMMING_SHARE * len(points), 1, TRIMMING_NEIGHBORS))
    whole = References(points, whitening, n_others)
    whole = _set_floors(whole)
    # Anomalies among the samples would be near to each other, and to anomalies to come. Left out
    # are those far from more neighbours than a small cluster of them has.
    order = np.argsort(whole.measure(points)[:, 0], kind="stable")
    kept = np.sort(order[: max(n_neighbors + 1, int(np.ceil((1 - trim_fraction) * len(points))))])
    return _set_floors(References(points[kept], whitening, n_neighbors))


def _set_floors(references: References) -> References:
    """Return references that tell no distances apart far below the median of theirs."""
    few = references.points[:: max(1, len(references.points) // BLOCK)]
    others = few @ references.whitening
    floors = []
    for distances in (cdist(few, few, "cityblock"), cdist(others, others)):
        np.fill_diagonal(distances, np.inf)
        nearest = distances.min(axis=1)
        middle = np.median(nearest[np.isfinite(nearest)]) if len(few) > 1 else 0.0
        floors.append(float(FLOOR * middle) or 1e-12)
    return References(
        references.points, references.whitening, references.n_neighbors, (floors[0], floors[1])
    )
