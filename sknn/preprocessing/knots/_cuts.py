"""Knots for piecewise linear functions of numbers: where a decision tree would cut."""

from dataclasses import dataclass

import numpy as np
from sklearn.tree import BaseDecisionTree, DecisionTreeClassifier, DecisionTreeRegressor

from sknn.preprocessing.knots._jumps import find_cuts, find_jumps
from sknn.preprocessing.tables._scaling import compute_weighted_quantiles

#: an interval holds at least one part in so many of the samples, and so many samples
PARTS, SMALLEST = 200, 8
#: samples that are looked at: more would move no knot that matters
MAX_SAMPLES = 50_000
#: leaves of the trees that rank columns: enough for a hump, too few to fit noise
RANKING_LEAVES = 4


def fit_knots(
    X: np.ndarray,
    y: np.ndarray,
    *,
    is_multiclass: bool,
    jumps: bool = False,
    sample_weight: np.ndarray | None = None,
    max_stretches: int = 32,
    max_samples: int = MAX_SAMPLES,
    max_columns: int | None = None,
) -> dict[int, np.ndarray]:
    """Return knots for each column that has more than two values, or for the best of many.

    A decision tree on the column alone cuts where y changes most [1]_. Its thresholds, with the
    smallest and the largest value, are the knots. With `jumps` the values on both sides of each
    take its place in columns in which y may jump, see `find_jumps`, so that a function that is
    linear between knots can do so. Where y does not depend on the column, quantiles are the knots.
    Of more than `max_samples` samples so many are looked at, drawn at random, always the same ones.

    Of more than `max_columns` such columns the best get knots, those which alone explain most of y:
    a tree of four leaves on the column lowers the impurity most.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Finite numbers.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded targets: class numbers, or numbers.
    is_multiclass : bool
        Whether they are class numbers.
    jumps : bool, default=False
        Whether a knot lies on each side of a cut where y may jump; a tree then cuts half as often,
        unless a knot at each value is within the maximum.
    sample_weight : ndarray of shape (n_samples,), default=None
        Positive.
    max_stretches : int, default=32
        Maximum number of intervals between knots, 3 at least.
    max_samples : int, default=50_000
        Maximum number of samples that trees are fitted to.
    max_columns : int, default=None
        Maximum number of columns that get knots; None is no limit.

    Returns
    -------
    dict of int to ndarray
        Number of a column, and its rising knots, two at least.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in
       tabular deep learning", NeurIPS 2022, arXiv:2203.05556.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.preprocessing.knots._cuts import fit_knots
    >>> x = np.arange(100.0)
    >>> y = np.where(x < 70, 0.0, 1.0)
    >>> fit_knots(x[:, None], y, is_multiclass=False)
    {0: array([ 0. , 69.5, 99. ])}
    >>> fit_knots(x[:, None], y, is_multiclass=False, jumps=True)
    {0: array([ 0., 69., 70., 99.])}
    """
    lowest, highest = X.min(axis=0), X.max(axis=0)
    if len(X) > max_samples:
        drawn = np.sort(np.random.RandomState(0).permutation(len(X))[:max_samples])
        X, y = X[drawn], y[drawn]
        sample_weight = None if sample_weight is None else sample_weight[drawn]
    # Weights are numbers of samples, unless their sum says that they cannot be.
    total = len(X) if sample_weight is None else max(len(X), float(sample_weight.sum()))
    if sample_weight is not None and np.all(sample_weight == sample_weight[0]):
        sample_weight = None  # to the bit what equal weights say, whatever their size
    # A leaf holds 8 samples at least, so that a knot does not follow single ones, and .5 % of a
    # large table; at most a half, with which a tree can still cut once.
    smallest = min(max(SMALLEST / total, 1 / PARTS), 0.5)
    trees = _ColumnTrees(y, sample_weight, is_multiclass, smallest)
    columns = _choose_columns(trees, X, max_columns)
    jumping = trees.find_jumps(X, columns) if jumps else set()
    knots = {}
    for j in columns:
        values = np.unique(X[:, j].astype(np.float64)) if j in jumping else None
        # Cuts between values that follow each other share knots: a knot at each of few values.
        is_halved = values is not None and len(values) > max_stretches + 1
        n_leaves = max(max_stretches // 2 if is_halved else max_stretches, 2)
        cuts = find_cuts(trees.fit(X[:, j], n_leaves))
        if len(cuts):
            inner = cuts[:max_stretches] if values is None else _find_neighbours(values, cuts)
        else:
            inner = compute_weighted_quantiles(X[:, j], [0.25, 0.5, 0.75], sample_weight)
        # Between knots t_0 < ... < t_k the embedding is linear in x: entry i is (x - t_i) /
        # (t_{i+1} - t_i), clipped to [0, 1], 1 in all intervals below x and 0 in those above. A
        # linear layer on it is a piecewise linear function whose slope may change at each knot, and
        # knots where a tree cuts put these changes where y changes. Two knots at a cut let it be
        # steep there, from one value to the next.
        knots[j] = _keep_apart(np.concatenate([[lowest[j]], inner, [highest[j]]]))
    return knots


@dataclass(frozen=True)
class _ColumnTrees:
    """Decision trees on one column at a time, for targets `y` and their weights.

    `smallest` is the share of the weight that a leaf holds at least.
    """

    y: np.ndarray
    sample_weight: np.ndarray | None
    is_multiclass: bool
    smallest: float

    def fit(self, column: np.ndarray, n_leaves: int) -> BaseDecisionTree:
        """Return a tree of at most `n_leaves` on a column (n_samples,)."""
        tree = self._make(n_leaves, min_weight_fraction_leaf=self.smallest)
        return tree.fit(column[:, None], self.y, sample_weight=self.sample_weight)

    def find_jumps(self, X: np.ndarray, columns: list[int]) -> set[int]:
        """Return those among columns of X in which y may jump."""
        y = np.eye(int(self.y.max()) + 1)[self.y] if self.is_multiclass else self.y
        weight = np.ones(len(y)) if self.sample_weight is None else self.sample_weight

        def grow(
            X: np.ndarray, samples: np.ndarray, n_leaves: int, smallest: int
        ) -> BaseDecisionTree:
            tree = self._make(n_leaves, min_samples_leaf=smallest)
            return tree.fit(X, self.y[samples], sample_weight=weight[samples])

        return find_jumps(X, columns, y.reshape(len(y), -1), weight, grow)

    def _make(self, n_leaves: int, **params: float) -> BaseDecisionTree:
        kind = DecisionTreeClassifier if self.is_multiclass else DecisionTreeRegressor
        return kind(max_leaf_nodes=n_leaves, random_state=0, **params)


def _choose_columns(trees: _ColumnTrees, X: np.ndarray, max_columns: int | None) -> list[int]:
    """Return the columns of more than two values, the best where there are too many."""
    columns = [j for j in range(X.shape[1]) if _has_more_than_two(X[:, j])]
    if max_columns is None or len(columns) <= max_columns:
        return columns
    # Of a numeric y impurity is the variance, so that the gain is what a function with four steps
    # explains of it: a hump too, to which a correlation would be blind.
    gains = [_compute_gain(trees.fit(X[:, j], RANKING_LEAVES)) for j in columns]
    best = np.argsort(np.negative(gains), kind="stable")[:max_columns]
    return [columns[i] for i in np.sort(best)]


def _find_neighbours(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return those of a column's different values, which rise, next to each cut."""
    above = np.searchsorted(values, cuts).clip(1, len(values) - 1)
    return np.concatenate([values[above - 1], values[above]])


def _has_more_than_two(column: np.ndarray) -> bool:
    """Return whether a column (n_samples,) has more than two values; most show it early."""
    return np.unique(column[:1000]).size > 2 or np.unique(column).size > 2


def _compute_gain(fitted: BaseDecisionTree) -> float:
    """Return by how much the impurity falls from the root to the leaves."""
    tree = fitted.tree_
    # Mean impurity of the leaves, weighted by what falls into them, against the root's.
    leaves, share = tree.children_left < 0, tree.weighted_n_node_samples
    return float(tree.impurity[0] - np.sum(tree.impurity * share, where=leaves) / share[0])


def _keep_apart(values: np.ndarray) -> np.ndarray:
    """Return rising values, none so near the one before that a slope would be out of bounds."""
    values = np.unique(values.astype(np.float64))
    # The slope between knots is 1 / distance, so that it is at most 1e6 over the whole range.
    nearest = 1e-6 * max(values[-1] - values[0], np.finfo(np.float32).tiny)
    kept = [values[0]]
    for value in values[1:-1]:
        if value - kept[-1] > nearest and values[-1] - value > nearest:
            kept.append(value)
    return np.array([*kept, values[-1]])
