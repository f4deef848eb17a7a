"""Columns of numbers whose single values say more about y than thresholds, such as codes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

from sknn.preprocessing import average_by_code

#: maximum number of samples that are used
MAX_SAMPLES = 50_000
#: minimum number of samples for each value of a column, on average
SAMPLES_PER_VALUE = 4
#: number of folds of the comparison, and of leaves of its trees
N_FOLDS, N_LEAVES = 5, 33
#: least gain of values over a tree: as a share of the variance of y, and in standard errors
LEAST_GAIN, LEAST_ERRORS = 0.002, 4.0


def fit_single_values(
    X: np.ndarray,
    y: np.ndarray,
    columns: Iterable[int],
    *,
    sample_weight: np.ndarray | None = None,
    max_values: int = 1024,
) -> dict[int, np.ndarray]:
    """Return intervals around single values, of columns whose values say more than thresholds.

    X (n_samples, n_columns) is finite, y (n_samples, n_targets) has numbers, or 0 and 1 for each
    class. Of a column the `max_values` most frequent values are taken. The intervals (n_values, 2)
    end halfway to the next number, so that rounding moves no value out of its interval.
    """
    # What an amount such as an age says about y depends on how large it is, and neighbouring values
    # say nearly the same. The number of a shop, or a gain for which a form has fixed sums, is
    # different: there each value says something of its own. A column is of this kind if means of y
    # for each of its values predict y in other folds better than a decision tree on the column.
    if len(X) > MAX_SAMPLES:
        drawn = np.sort(np.random.RandomState(0).permutation(len(X))[:MAX_SAMPLES])
        X, y = X[drawn], y[drawn]
        sample_weight = None if sample_weight is None else sample_weight[drawn]
    weight = np.ones(len(X)) if sample_weight is None else sample_weight.astype(np.float64)
    intervals = {}
    for j in columns:
        numbers, codes, counts = np.unique(X[:, j], return_inverse=True, return_counts=True)
        if not 2 < len(numbers) <= len(X) / SAMPLES_PER_VALUE:
            continue
        if _Comparison(X[:, j], codes, y, weight).prefers_values():
            often = np.argsort(-counts, kind="stable")[:max_values]
            intervals[j] = _surround(numbers)[np.sort(often)]
    return intervals


@dataclass(frozen=True)
class _Comparison:
    """Means of y for each value of a column against a tree on it, compared on held-out folds.

    Attributes
    ----------
    numbers, codes : ndarray of shape (n_samples,)
        The column, and which of its values each sample has, from 0.
    y : ndarray of shape (n_samples, n_targets)
        Targets.
    weight : ndarray of shape (n_samples,)
        Positive weights of the samples.
    """

    numbers: np.ndarray
    codes: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def prefers_values(self) -> bool:
        """Return whether means of y for single values are better, by more than chance."""
        # A paired comparison: with the squared errors e_i of both methods on sample i, the mean of
        # the differences d_i = e_i(tree) - e_i(values) must be at least four of its standard errors
        # sqrt(Σ w_i (d_i - mean)² / Σ w_i / n), and worth a five hundredth of the variance of y.
        center = np.average(self.y, axis=0, weights=self.weight)
        of_values, of_trees = np.empty((2, *self.y.shape))
        folds = KFold(N_FOLDS, shuffle=True, random_state=0)
        for others, fold in folds.split(self.codes):
            of_values[fold] = self._average(others)[self.codes[fold]]
            of_trees[fold] = self._cut(others, fold)
        variance = self._score(center)
        errors = [self._score(prediction) for prediction in (of_values, of_trees)]
        # Where the tree is worse than the constant mean of y, the mean is the one to beat.
        total, weight = self.weight.sum(), self.weight
        lowest = min(weight @ errors[1], weight @ variance)
        gain = (lowest - weight @ errors[0]) / (weight @ variance)
        difference = errors[1] - errors[0]
        mean = weight @ difference / total
        deviation = np.sqrt(weight @ (difference - mean) ** 2 / total / len(self.y))
        return bool(gain >= LEAST_GAIN and mean >= LEAST_ERRORS * deviation)

    def _score(self, prediction: np.ndarray) -> np.ndarray:
        return np.square(self.y - prediction).sum(axis=1)

    def _average(self, others: np.ndarray) -> np.ndarray:
        """Return means of y (n_values, n_targets) in other folds, shrunk where samples are few."""
        n_codes = int(self.codes.max()) + 1
        return average_by_code(self.codes[others], self.y[others], self.weight[others], n_codes)

    def _cut(self, others: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Return the predictions (n_fold, n_targets) of a tree for a fold."""
        tree = DecisionTreeRegressor(
            max_leaf_nodes=N_LEAVES, min_weight_fraction_leaf=0.005, random_state=0
        )
        X = self.numbers[:, None]
        tree.fit(X[others], self.y[others], sample_weight=self.weight[others])
        return tree.predict(X[fold]).reshape(len(fold), -1)


def _surround(numbers: np.ndarray) -> np.ndarray:
    """Return intervals (n_numbers, 2) around rising numbers, which end halfway to the next."""
    numbers = numbers.astype(np.float64)
    halves = np.diff(numbers) / 2
    below, above = np.append(halves[:1], halves), np.append(halves, halves[-1:])
    return np.column_stack([numbers - below, numbers + above])
