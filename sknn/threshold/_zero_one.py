"""Minimise the number of errors of a threshold unit by exact line searches.

A unit with weights w and threshold θ is one vector v = (w, θ), and fires on a row x where
(x, -1)·v >= 0. Along a line v + t q a row changes sides once, at t = -(x, -1)·v / (x, -1)·q.
Between these crossings the errors stay the same: sort them, add up the weights of the rows, and the
errors are known for every t.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

#: differences of summed weights, or of angles, below this are rounding errors
_ROUNDING = 1e-12
#: from scikit-learn's default to almost no penalty, which finds a separating plane if there is one
_START_C = (1.0, 1e3, 1e6, 1e9)


@dataclass(frozen=True)
class SearchConfig:
    """How long to search; see the parameters of `ThresholdLogicClassifier`.

    Attributes
    ----------
    max_iter : int
        Epochs of a descent, each a line search along every coordinate and as many random lines.
    n_iter_no_change : int
        Epochs without a gain before the end of a descent.
    n_restarts : int
        Descents from disturbed copies of the best unit so far.
    """

    max_iter: int
    n_iter_no_change: int
    n_restarts: int


class Problem:
    """Distinct rows, and what each is worth to a unit that fires on it.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_features)
        Standardised rows, no two alike.
    wanted, unwanted : ndarray of shape (n_rows,)
        Weight of the class that the unit stands for, and of the others, at each row.
    """

    def __init__(self, Z: np.ndarray, wanted: np.ndarray, unwanted: np.ndarray) -> None:
        self.Z, self.wanted, self.unwanted = Z, wanted, unwanted
        self.rows = np.column_stack([Z, -np.ones(len(Z))])
        self.gain = wanted - unwanted
        self.tolerance = _ROUNDING * (wanted.sum() + unwanted.sum())
        #: reached where every row is on the side where most of its weight is
        self.best_value = self.gain[self.gain > 0].sum()

    def value(self, unit: np.ndarray) -> float:
        """Return the gain of the rows on which a unit fires: the weight of errors it avoids."""
        return float(self.gain[self.rows @ unit >= 0].sum())

    def is_solved(self, value: float) -> bool:
        """Return whether no unit can do better."""
        return value >= self.best_value - self.tolerance


def best_interval(problem: Problem, unit: np.ndarray, line: np.ndarray) -> tuple[float, float]:
    """Search a line exactly.

    Of the intervals of t with the fewest errors the one that is widest as an angle, arctan t, is
    taken; of equally wide ones the first. Angles give the two outer intervals a width too, and
    do not favour those far away.

    Parameters
    ----------
    problem : Problem
    unit : ndarray of shape (n_features + 1,)
        Of norm 1.
    line : ndarray of shape (n_features + 1,)
        Direction.

    Returns
    -------
    tuple of two floats
        Ends of the interval of t in ``unit + t * line`` as angles, from -π/2 to π/2.
    """
    z, slope = problem.rows @ unit, problem.rows @ line
    moving = slope != 0
    crossings = np.arctan(-z[moving] / slope[moving])
    change = np.sign(slope[moving]) * problem.gain[moving]
    order = np.argsort(crossings, kind="stable")
    # relative to the value at t = -inf, which is the same for all
    values = np.concatenate([[0.0], np.cumsum(change[order])])
    ends = np.concatenate([[-np.pi / 2], crossings[order], [np.pi / 2]])
    widths = np.diff(ends)
    values[widths <= _ROUNDING] = -np.inf
    widths[values < values.max() - problem.tolerance] = 0
    chosen = np.argmax(widths >= widths.max() * (1 - 1e-9))
    return float(ends[chosen]), float(ends[chosen + 1])


def _moved(unit: np.ndarray, line: np.ndarray, t: float) -> np.ndarray:
    moved = unit + t * line
    norm = np.linalg.norm(moved)
    return moved / norm if norm > _ROUNDING else unit


def _search_line(problem: Problem, unit: np.ndarray, line: np.ndarray) -> np.ndarray:
    low, high = best_interval(problem, unit, line)
    return _moved(unit, line, np.tan((low + high) / 2))


def centre_threshold(problem: Problem, unit: np.ndarray) -> np.ndarray:
    """Return the unit with its best threshold, in the middle of a gap between rows.

    Parameters
    ----------
    problem : Problem
    unit : ndarray of shape (n_features + 1,)
        Of norm 1.

    Returns
    -------
    ndarray of shape (n_features + 1,)
        Of norm 1.
    """
    line = np.zeros_like(unit)
    line[-1] = 1.0
    low, high = best_interval(problem, unit, line)
    if low == -np.pi / 2 or high == np.pi / 2:  # beyond all rows
        return _moved(unit, line, np.tan((low + high) / 2))
    return _moved(unit, line, (np.tan(low) + np.tan(high)) / 2)


def _random_line(size: int, random_state: np.random.RandomState) -> np.ndarray:
    return random_state.standard_normal(size) / np.sqrt(size)


def _descend(
    problem: Problem, unit: np.ndarray, config: SearchConfig, random_state: np.random.RandomState
) -> tuple[np.ndarray, float, int]:
    """Return the unit after line searches in random order, its value and the number of epochs."""
    size, stalled = len(unit), 0
    value = problem.value(unit)
    for epoch in range(1, config.max_iter + 1):
        if problem.is_solved(value) or stalled >= config.n_iter_no_change:
            return unit, value, epoch - 1
        for coordinate in random_state.permutation(size):
            line = np.zeros(size)
            line[coordinate] = 1.0
            unit = _search_line(problem, unit, line)
            unit = _search_line(problem, unit, _random_line(size, random_state))
        previous, value = value, problem.value(unit)
        stalled = 0 if value > previous + problem.tolerance else stalled + 1
    return unit, value, config.max_iter


def _logistic_starts(problem: Problem) -> Iterator[np.ndarray]:
    """Yield units of logistic regressions with less and less penalty."""
    X = np.vstack([problem.Z, problem.Z])
    y = np.repeat([1, 0], len(problem.Z))
    weights = np.concatenate([problem.wanted, problem.unwanted])
    used = weights > 0
    for C in _START_C:
        model = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-8, max_iter=200)
        with warnings.catch_warnings():  # a start need not have converged
            warnings.simplefilter("ignore")
            model.fit(X[used], y[used], sample_weight=weights[used] / weights.sum() * len(used))
        unit = np.append(model.coef_, -model.intercept_)
        norm = np.linalg.norm(unit)
        yield unit / norm if norm > 0 else np.append(np.zeros(len(unit) - 1), 1.0)


def minimise_errors(
    problem: Problem, config: SearchConfig, random_state: np.random.RandomState
) -> tuple[np.ndarray, int]:
    """Look for the unit with the least weight of errors.

    Parameters
    ----------
    problem : Problem
    config : SearchConfig
    random_state : numpy.random.RandomState
        Gives the order of the lines and the restarts.

    Returns
    -------
    unit : ndarray of shape (n_features + 1,)
        Weights and threshold, together of norm 1.
    n_epochs : int
        Epochs of the longest descent, the search for the first threshold counted as one.
    """
    for weights, threshold in ((problem.wanted, 1.0), (problem.unwanted, -1.0)):
        if not weights.any():  # nothing to tell apart: fires nowhere, or everywhere
            return np.append(np.zeros(problem.Z.shape[1]), threshold), 1
    best, best_value, longest = np.empty(0), -np.inf, 0

    def consider(unit: np.ndarray, value: float) -> None:
        nonlocal best, best_value
        if value > best_value + problem.tolerance:
            best, best_value = unit, value

    for start in _logistic_starts(problem):
        start = centre_threshold(problem, start)
        consider(start, problem.value(start))
        if problem.is_solved(best_value):
            return best, 1
    for restart in range(1 + config.n_restarts):
        start = best + _random_line(len(best), random_state) if restart else best
        start = centre_threshold(problem, start / np.linalg.norm(start))
        unit, value, n_epochs = _descend(problem, start, config, random_state)
        longest = max(longest, n_epochs)
        consider(unit, value)
        if problem.is_solved(best_value):
            break
    return centre_threshold(problem, best), longest + 1
