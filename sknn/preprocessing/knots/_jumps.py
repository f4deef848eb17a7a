"""In which columns y may jump: steps against lines, judged by held-out samples."""

from collections.abc import Callable, Iterator

import numpy as np
from sklearn.tree import BaseDecisionTree

from sknn._validation import is_above_zero

#: leaves of a tree on all columns, and of one on a column in a node of that
LEAVES, LEAVES_IN_NODE = 16, 8
#: samples that are looked at, half of them to fit and half to judge, each in turn; fewer than the
#: first say too little
MIN_SAMPLES, MAX_SAMPLES = 1_000, 20_000
#: a leaf holds at least so many samples, and one part in so many
SMALLEST, PARTS = 8, 400
#: standard errors by which lines must be ahead. Of electricity's prices two columns of six are
#: smooth by 4, and none of thyroids, whose log loss jumps lower by a third.
EVIDENCE = 4.0

#: fits a tree of so many leaves at most to columns (n, n_columns) of the samples whose numbers (n,)
#: are given; the last is the smallest number of samples in a leaf
Grow = Callable[[np.ndarray, np.ndarray, int, int], BaseDecisionTree]


def find_jumps(
    X: np.ndarray, columns: list[int], y: np.ndarray, weight: np.ndarray, grow: Grow
) -> set[int]:
    """Return columns of X without those in which held-out samples say that y does not jump.

    What jumps may do so only where another column lets it: a hormone matters below some value if
    another one is high. So a small tree on all columns is fitted to half of the samples, and in
    each of its nodes, on the column that it is cut by, steps and lines between the same places are
    compared on the node's samples of the other half.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
    columns : list of int
    y : ndarray of shape (n_samples, n_outputs)
    weight : ndarray of shape (n_samples,)
        Positive.
    grow : callable
        See `Grow`.
    """
    if not columns or len(X) < MIN_SAMPLES:
        return set(columns)
    drawn = np.random.RandomState(0).permutation(len(X))[:MAX_SAMPLES]
    smallest = max(SMALLEST, len(drawn) // PARTS)
    gains: dict[int, list[np.ndarray]] = {}
    for fitted, judged in ((drawn[::2], drawn[1::2]), (drawn[1::2], drawn[::2])):
        chosen = [X[np.ix_(part, np.array(columns))] for part in (fitted, judged)]
        tree = grow(chosen[0], fitted, LEAVES, smallest)
        for place, left, right in _list_nodes(tree, *chosen):
            column, parts = columns[place], (fitted[left], judged[right])
            x = X[parts[0], column], X[parts[1], column]
            cuts = find_cuts(grow(x[0][:, None], parts[0], LEAVES_IN_NODE, smallest))
            if len(cuts) and len(right):
                gain = _compare(x, np.sort(cuts), [(y[i], weight[i]) for i in parts])
                gains.setdefault(column, []).append(gain)
    smooth = {
        column for column, parts in gains.items() if is_above_zero(np.concatenate(parts), EVIDENCE)
    }
    return set(columns) - smooth


def find_cuts(tree: BaseDecisionTree) -> np.ndarray:
    """Return where a tree cuts."""
    # Leaves have children -1; the thresholds of the other nodes are where it cuts.
    return tree.tree_.threshold[tree.tree_.children_left >= 0]


def _list_nodes(
    tree: BaseDecisionTree, X: np.ndarray, X_other: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Return the column that each node is cut by, and the numbers of samples that come by it."""
    paths = [tree.decision_path(part).tocsc() for part in (X, X_other)]
    for node in np.flatnonzero(tree.tree_.children_left >= 0):
        left, right = (path[:, node].indices for path in paths)
        yield int(tree.tree_.feature[node]), left, right


def _compare(
    x: tuple[np.ndarray, np.ndarray],
    cuts: np.ndarray,
    targets: list[tuple[np.ndarray, np.ndarray]],
) -> np.ndarray:
    """Return by how much lines are ahead of steps, for each sample that is judged.

    `x` are numbers of samples to fit and to judge, `targets` their y and weights.
    """
    knots = np.concatenate([[min(map(np.min, x))], cuts, [max(map(np.max, x))]])
    of_lines = _compute_losses(_make_lines(x[0], knots), _make_lines(x[1], knots), targets)
    of_steps = _compute_losses(_make_steps(x[0], cuts), _make_steps(x[1], cuts), targets)
    return of_steps - of_lines


def _compute_losses(
    fitted: np.ndarray, judged: np.ndarray, targets: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Return weighted squared errors of samples that are judged, by least squares on others."""
    (y, weight), (y_judged, weight_judged) = targets
    mean = np.average(y, axis=0, weights=weight)
    # As if each coefficient had one more sample, of the mean: so there is one solution, even where
    # an interval is empty.
    weighed = fitted * (weight / weight.mean())[:, None]
    products = weighed.T @ fitted + np.eye(fitted.shape[1])
    found = np.linalg.solve(products, weighed.T @ (y - mean))
    return weight_judged * np.square(judged @ found - (y_judged - mean)).sum(axis=1)


def _make_steps(x: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return a 1 for the interval between cuts in which a number is: (n, n_cuts + 1)."""
    return np.eye(len(cuts) + 1)[np.searchsorted(cuts, x)]


def _make_lines(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return shares of the knots on both sides of a number, of sum 1: (n, n_knots)."""
    return np.column_stack([np.interp(x, knots, own) for own in np.eye(len(knots))])
