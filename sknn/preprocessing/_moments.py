"""Means and standard deviations of columns that come a few samples at a time."""

from collections.abc import Iterable

import numpy as np

#: number of samples that are added at a time
BLOCK = 2048


class RunningMoments:
    """Weighted mean and deviation of columns, missing values left out.

    Attributes
    ----------
    weight : ndarray of shape (n_columns,)
        Sum of the weights of the values so far.
    mean : ndarray of shape (n_columns,)
        Mean of the values so far; 0 without values.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise algorithm
       for computing sample variances", COMPSTAT 1982, doi:10.1007/978-3-642-51461-6_3.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.preprocessing._moments import RunningMoments
    >>> moments = RunningMoments(1)
    >>> for part in ([[1.0], [2.0]], [[np.nan], [6.0]]):
    ...     moments.add(np.array(part))
    >>> moments.mean, moments.deviation
    (array([3.]), array([2.16...]))
    """

    def __init__(self, n_columns: int):
        self.weight, self.mean = np.zeros(n_columns), np.zeros(n_columns)
        self._squares = np.zeros(n_columns)

    def add(self, X: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Add samples of shape (n_samples, n_columns), with NaN for missing values."""
        for start in range(0, len(X), BLOCK):  # which stays in the processor's cache
            own = slice(start, start + BLOCK)
            self._add(X[own], None if sample_weight is None else sample_weight[own])

    def _add(self, X: np.ndarray, sample_weight: np.ndarray | None) -> None:
        X = X.astype(np.float64, copy=False)
        w = np.ones(len(X)) if sample_weight is None else sample_weight.astype(np.float64)
        missing = np.isnan(X)
        if missing.any():
            X = np.where(missing, 0.0, X)
            weight = w @ ~missing
        else:
            missing, weight = None, np.full(X.shape[1], w.sum())
        with np.errstate(over="ignore", invalid="ignore"):
            share = 1 / np.where(weight > 0, weight, 1.0)
            # Two passes over a block, the mean first: E[x²] - E[x]² would cancel where the mean is
            # large beside the deviation. The block is in the cache still, so that the second costs
            # little.
            mean = (w @ X) * share
            centred = X - mean
            if missing is not None:
                centred[missing] = 0.0
            self._join(weight, mean, w @ np.square(centred))

    def join(self, other: "RunningMoments") -> None:
        """Add the values of other moments of the same number of columns."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._join(other.weight, other.mean, other._squares)

    def _join(self, weight: np.ndarray, mean: np.ndarray, squares: np.ndarray) -> None:
        # Chan: with d the distance of the means of two parts A and B, of weights a and b, the sum
        # of squares of both is S_A + S_B + d² a b / (a + b).
        total = self.weight + weight
        safe = np.where(total > 0, total, 1.0)
        distance = mean - self.mean
        self._squares += squares + distance**2 * self.weight * weight / safe
        self.mean += distance * weight / safe
        self.weight = total

    @classmethod
    def joined(cls, parts: Iterable["RunningMoments"]) -> "RunningMoments":
        """Return the moments of the values of several moments together."""
        parts = list(parts)
        whole = cls(len(parts[0].mean))
        for part in parts:
            whole.join(part)
        return whole

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation of each column, of shape (n_columns,): that of the values at hand."""
        with np.errstate(over="ignore", invalid="ignore"):
            # By the sum of weights, not one less: a weight of 2 is then a sample given twice.
            return np.sqrt(self._squares / np.where(self.weight > 0, self.weight, 1.0))

    @property
    def are_finite(self) -> bool:
        """Whether no sum was too large for float64."""
        return bool(np.isfinite(self.mean).all() and np.isfinite(self._squares).all())
