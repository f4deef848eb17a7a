"""Knots for piecewise linear functions of numbers: where a decision tree would cut."""

from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sknn.preprocessing.tables._scaling import compute_weighted_quantiles

#: an interval holds at least one part in so many of the samples, and so many samples
PARTS, SMALLEST = 200, 8
#: samples that are looked at: more would move no knot that matters
MAX_SAMPLES = 50_000


def fit_knots(
    X: np.ndarray,
    y: np.ndarray,
    *,
    is_multiclass: bool,
    sample_weight: np.ndarray | None = None,
    max_stretches: int = 32,
    max_samples: int = MAX_SAMPLES,
) -> dict[int, np.ndarray]:
    """Return knots for each column that has more than two values.

    A decision tree on the column alone cuts where y changes most [1]_; its thresholds, with the
    smallest and the largest value, are the knots. Where y does not depend on the column, quantiles
    take the place of thresholds. Of more than `max_samples` samples so many are looked at, drawn at
    random, always the same ones.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Finite numbers.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded targets: class numbers, or numbers.
    is_multiclass : bool
        Whether they are class numbers.
    sample_weight : ndarray of shape (n_samples,), default=None
        Positive.
    max_stretches : int, default=32
        Maximum number of intervals between knots.
    max_samples : int, default=50_000
        Maximum number of samples that trees are fitted to.

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
    >>> from sknn.preprocessing.tables._knots import fit_knots
    >>> x = np.arange(100.0)
    >>> y = np.where(x < 70, 0.0, 1.0)
    >>> fit_knots(x[:, None], y, is_multiclass=False)
    {0: array([ 0. , 69.5, 99. ])}
    """
    lowest, highest = X.min(axis=0), X.max(axis=0)
    if len(X) > max_samples:
        drawn = np.sort(np.random.RandomState(0).permutation(len(X))[:max_samples])
        X, y = X[drawn], y[drawn]
        sample_weight = None if sample_weight is None else sample_weight[drawn]
    tree = DecisionTreeClassifier if is_multiclass else DecisionTreeRegressor
    # Weights are numbers of samples, unless their sum says that they cannot be.
    total = len(X) if sample_weight is None else max(len(X), float(sample_weight.sum()))
    if sample_weight is not None and np.all(sample_weight == sample_weight[0]):
        sample_weight = None  # to the bit what equal weights say, whatever their size
    smallest = max(SMALLEST / total, 1 / PARTS)
    settings: dict[str, Any] = {
        "max_leaf_nodes": max(max_stretches, 2),
        "min_weight_fraction_leaf": min(smallest, 0.5),
        "random_state": 0,
    }
    knots = {}
    for j in range(X.shape[1]):
        column = X[:, j]
        if np.unique(column[:1000]).size <= 2 and np.unique(column).size <= 2:
            continue
        fitted = tree(**settings).fit(column[:, None], y, sample_weight=sample_weight).tree_
        # Leaves have children -1; the thresholds of the other nodes are where the tree cuts.
        cuts = fitted.threshold[fitted.children_left >= 0]
        if not len(cuts):
            cuts = compute_weighted_quantiles(column, [0.25, 0.5, 0.75], sample_weight)
        knots[j] = _keep_apart(np.concatenate([[lowest[j]], cuts[:max_stretches], [highest[j]]]))
    return knots


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
