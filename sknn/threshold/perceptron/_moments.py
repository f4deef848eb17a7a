"""Weighted means, variances and ranges of features, gathered part by part."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis

from sknn._saved import saved
from sknn.threshold._inputs import FeatureMatrix

#: numbers per block of samples, so that a block stays in the processor's cache
_BLOCK = 1 << 15
#: a standard deviation below this share of the mean is a rounding error
_ROUNDING = 1e-12
#: a variance below this share of the mean square is not the difference of the two
_CANCELLED = 1e-3
#: share of the range in the scale of a feature
_RANGE_SHARE = 0.25


@saved
@dataclass(frozen=True)
class Moments:
    """Summed weight of all samples so far, and for each feature four arrays (n_features,)."""

    weight: float
    mean: np.ndarray
    variance: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of_nothing(cls, n_features: int) -> Self:
        """Return those of no samples."""
        zeros, nowhere = np.zeros(n_features), np.full(n_features, np.inf)
        return cls(0.0, zeros, zeros, nowhere, -nowhere)

    @property
    def scale(self) -> np.ndarray:
        """Divisors of the features, 1 for a constant one; of shape (n_features,).

        It is between the standard deviation σ and the largest distance r from the mean, σ^¾ r^¼.
        A feature that is rarely other than 0, such as a word in a text, has a tiny σ: divided by
        it alone, it would outweigh common ones.
        """
        # Of a word in a share p of the texts, σ = sqrt(p (1 - p)) is about sqrt(p) and r is about
        # 1: divided by σ its value is p^-½, by σ^¾ r^¼ only p^-⅜. Of a normal feature r is
        # about alike.
        deviation = np.sqrt(self.variance)
        reach = np.maximum(self.high - self.mean, self.mean - self.low)
        scale = deviation ** (1 - _RANGE_SHARE) * reach**_RANGE_SHARE
        return np.where(deviation > _ROUNDING * np.abs(self.mean), scale, 1.0)

    def add(self, X: FeatureMatrix, weights: np.ndarray) -> "Moments":
        """Return the moments of the samples so far and of these, whose weights are above 0."""
        # With weights W and V, means m and n and variances s and t, and p = V / (W + V), the mean
        # of all is m + p (n - m). The variance is the mean of the variances, (1 - p) s + p t, plus
        # the variance of the means, (1 - p) (p (n - m))² + p ((1 - p) (n - m))² = p (1 - p) (n -
        # m)² (Chan, Golub & LeVeque 1983).
        new = (_compute_sparse if sparse.issparse(X) else _compute_dense)(X, weights)
        weight = self.weight + new.weight
        share, apart = new.weight / weight, new.mean - self.mean
        spread = (1 - share) * self.variance + share * new.variance
        return Moments(
            weight,
            self.mean + share * apart,
            spread + share * (1 - share) * apart**2,
            np.minimum(self.low, new.low),
            np.maximum(self.high, new.high),
        )


def _compute_dense(X: np.ndarray, weights: np.ndarray) -> Moments:
    # Squares are of distances from the mean: the difference of two large squares would cancel.
    share = weights / weights.sum()
    mean = share @ X
    variance, low, high = np.zeros((3, X.shape[1]))
    n_samples = max(1, _BLOCK // X.shape[1])
    for first in range(0, len(X), n_samples):
        block = X[first : first + n_samples] - mean
        low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
        variance += share[first : first + n_samples] @ np.square(block, out=block)
    return Moments(weights.sum(), mean, variance, low + mean, high + mean)


def _compute_sparse(X: sparse.csr_array | sparse.csr_matrix, weights: np.ndarray) -> Moments:
    share = weights / weights.sum()
    # Zeros have no place in memory, so that distances from the mean cannot be squared: E[x²] -
    # E[x]² is used, and where that has cancelled too many digits scikit-learn's two passes.
    squares = type(X)((X.data**2, X.indices, X.indptr), shape=X.shape)
    mean, square = share @ X, share @ squares
    variance = square - mean**2
    if np.any(variance < _CANCELLED * square):
        mean, variance = mean_variance_axis(X, axis=0, weights=weights)
    # A column with a zero somewhere has 0 between its smallest and its largest value.
    full = np.bincount(X.indices, minlength=X.shape[1]) == X.shape[0]
    low, high = np.where(full, np.inf, 0.0), np.where(full, -np.inf, 0.0)
    np.maximum.at(high, X.indices, X.data)
    if full.any() or X.data.min(initial=0.0) < 0:
        np.minimum.at(low, X.indices, X.data)
    return Moments(weights.sum(), mean, variance, low, high)
