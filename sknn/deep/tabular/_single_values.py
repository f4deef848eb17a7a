"""Numbers that stand for things: columns of which single values tell more than thresholds."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

from sknn.preprocessing import average_by_code

#: samples that are looked at
MAX_SAMPLES = 50_000
#: samples for each value of a column on average, at least
SAMPLES_PER_VALUE = 4
#: folds of the comparison, and leaves of its trees
N_FOLDS, N_LEAVES = 5, 33
#: share of the variance of y that values explain beyond a tree, at least, and in standard errors
LEAST_GAIN, LEAST_ERRORS = 0.002, 4.0


def fit_single_values(
    X: np.ndarray,
    y: np.ndarray,
    columns: Iterable[int],
    *,
    sample_weight: np.ndarray | None = None,
    max_values: int = 1024,
) -> dict[int, np.ndarray]:
    """Return intervals around single values, of columns whose values tell more than thresholds.

    An amount such as an age tells by how large it is, and values near each other tell the same. A
    number of a shop, or a gain for which a form has fixed sums, tells by which value it is. A
    column is of this kind if, in other folds, means of y for each of its values are nearer to y
    than a decision tree on the column is.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Finite numbers.
    y : ndarray of shape (n_samples, n_targets)
        Numbers, for classes a column of 0 and 1 for each.
    columns : iterable of int
        Numbers of the columns to look at.
    sample_weight : ndarray of shape (n_samples,), default=None
        Positive.
    max_values : int, default=1024
        Maximum number of values of a column, those that most samples share.

    Returns
    -------
    dict of int to ndarray of shape (n_values, 2)
        Number of a column, and the rising, disjoint intervals of its values: they end halfway to
        the next number of the column, so that rounding takes no value out of its own.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.deep.tabular._single_values import fit_single_values
    >>> X = np.column_stack([np.arange(600) % 60, np.arange(600)]) * 1.0
    >>> y = (X[:, :1] % 2) + 0.1 * (X[:, 1:] > 300)
    >>> {column: len(of_column) for column, of_column in fit_single_values(X, y, [0, 1]).items()}
    {0: 60}
    """
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
    """Means of y for each value of a column against a tree on it, in folds that have not seen y.

    Attributes
    ----------
    numbers, codes : ndarray of shape (n_samples,)
        The column, and which of its values each sample has, from 0.
    y : ndarray of shape (n_samples, n_targets)
        Targets.
    weight : ndarray of shape (n_samples,)
        Positive.
    """

    numbers: np.ndarray
    codes: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def prefers_values(self) -> bool:
        """Return whether means of y for single values are better, by more than chance."""
        center = np.average(self.y, axis=0, weights=self.weight)
        of_values, of_trees = np.empty((2, *self.y.shape))
        folds = KFold(N_FOLDS, shuffle=True, random_state=0)
        for others, fold in folds.split(self.codes):
            of_values[fold] = self._average(others)[self.codes[fold]]
            of_trees[fold] = self._cut(others, fold)
        variance = self._score(center)
        errors = [self._score(prediction) for prediction in (of_values, of_trees)]
        # A tree that is worse than the mean is no reason to look at single values.
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
        """Return means of y (n_values, n_targets) of other folds, shrunken by how few there are."""
        n_codes = int(self.codes.max()) + 1
        return average_by_code(self.codes[others], self.y[others], self.weight[others], n_codes)

    def _cut(self, others: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Return what a tree says of a fold."""
        tree = DecisionTreeRegressor(
            max_leaf_nodes=N_LEAVES, min_weight_fraction_leaf=0.005, random_state=0
        )
        X = self.numbers[:, None]
        tree.fit(X[others], self.y[others], sample_weight=self.weight[others])
        return tree.predict(X[fold]).reshape(len(fold), -1)


def _surround(numbers: np.ndarray) -> np.ndarray:
    """Return intervals (n_numbers, 2) around rising numbers that end halfway to the next ones."""
    numbers = numbers.astype(np.float64)
    halves = np.diff(numbers) / 2
    below, above = np.append(halves[:1], halves), np.append(halves, halves[-1:])
    return np.column_stack([numbers - below, numbers + above])
