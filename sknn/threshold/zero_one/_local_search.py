"""Search for the fewest errors: exact line searches, from good starts and disturbed solutions."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

#: differences of angles below this are rounding errors
ROUNDING = 1e-12
#: errors of less than this share of all weight are none: rows that class weights make next to
#: nothing beside others would otherwise be fitted as if they mattered
NEGLIGIBLE = 1e-6
#: from scikit-learn's default to almost no penalty, which finds separating planes if there are any
_START_C = (1.0, 1e3, 1e6, 1e9)
#: with more weights than this, Newton's method would take too much memory
_MANY_WEIGHTS = 2000


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


def with_threshold(Z: np.ndarray) -> np.ndarray:
    """Return rows with a last input of -1, whose weight is the threshold.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_features)

    Returns
    -------
    ndarray of shape (n_rows, n_features + 1)
    """
    return np.column_stack([Z, -np.ones(len(Z))])


class ErrorProblem(ABC):
    """Rows with their classes, and what units are worth that answer for them.

    Attributes
    ----------
    tolerance : float
        Values closer than this are equal.
    best_value : float
        Reached where every row is given the class with most of its weight.
    """

    tolerance: float
    best_value: float

    @abstractmethod
    def value(self, units: np.ndarray) -> float:
        """Return a constant less the weight of the errors."""

    @abstractmethod
    def starts(self) -> Iterator[np.ndarray]:
        """Yield units to begin with, the best guess first."""

    @abstractmethod
    def improved(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return the units after a line search along every weight and as many random lines."""

    @abstractmethod
    def disturbed(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return units somewhere near."""

    @abstractmethod
    def centred(self, units: np.ndarray) -> np.ndarray:
        """Return the units with their best thresholds."""

    def is_solved(self, value: float) -> bool:
        """Return whether nothing can do better than `value`."""
        return value >= self.best_value - self.tolerance


def widest_interval(
    z: np.ndarray, slope: np.ndarray, gain: np.ndarray, tolerance: float
) -> tuple[float, float]:
    """Search a line exactly, in the time of a sort.

    Of the intervals of t with the fewest errors the one that is widest as an angle, arctan t, is
    taken; of equally wide ones the first. Angles give the two outer intervals a width too, and
    do not favour those far away.

    Parameters
    ----------
    z, slope : ndarray of shape (n_rows,)
        The unit fires on a row where ``z + t * slope >= 0``.
    gain : ndarray of shape (n_rows,)
        What it is worth to fire on a row.
    tolerance : float
        Sums of gains closer than this are equal.

    Returns
    -------
    tuple of two floats
        Ends of the interval of t as angles, from -π/2 to π/2.
    """
    moving = np.flatnonzero(slope)
    slope = slope[moving]
    crossings = np.arctan(-z[moving] / slope)
    order = np.argsort(crossings)
    crossings, change = crossings[order], (np.sign(slope) * gain[moving])[order]
    # relative to the value at t = -inf, which is the same for all
    values = np.concatenate([[0.0], np.cumsum(change)])
    ends = np.concatenate([[-np.pi / 2], crossings, [np.pi / 2]])
    widths = np.diff(ends)
    values[widths <= ROUNDING] = -np.inf
    widths[values < values.max() - tolerance] = 0
    chosen = np.argmax(widths >= widths.max() * (1 - 1e-9))
    return float(ends[chosen]), float(ends[chosen + 1])


def random_line(size: int, random_state: np.random.RandomState) -> np.ndarray:
    """Return a direction whose norm is about 1.

    Parameters
    ----------
    size : int
    random_state : numpy.random.RandomState

    Returns
    -------
    ndarray of shape (size,)
    """
    return random_state.standard_normal(size) / np.sqrt(size)


def logistic_units(Z: np.ndarray, of_class: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the units of logistic regressions with less and less penalty.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_features)
    of_class : ndarray of shape (n_rows, n_classes)
        Weight of each class at each row; every class has some.

    Yields
    ------
    ndarray of shape (n_units, n_features + 1)
        One unit for two classes, else one per class.
    """
    X = np.vstack([Z] * of_class.shape[1])
    y = np.repeat(np.arange(of_class.shape[1]), len(Z))
    weights = of_class.T.ravel()
    used = weights > 0
    X, y, weights = X[used], y[used], weights[used] / weights.sum() * used.sum()
    many = of_class.shape[1] * (Z.shape[1] + 1) > _MANY_WEIGHTS
    for C in _START_C:
        solver = "lbfgs" if many else "newton-cholesky"
        model = LogisticRegression(C=C, solver=solver, tol=1e-8, max_iter=200)
        with warnings.catch_warnings():  # a start need not have converged
            warnings.simplefilter("ignore")
            model.fit(X, y, sample_weight=weights)
        yield np.column_stack([model.coef_, -model.intercept_])


def minimise_errors(
    problem: ErrorProblem, config: SearchConfig, random_state: np.random.RandomState
) -> tuple[np.ndarray, int]:
    """Look for the units with the least weight of errors.

    Parameters
    ----------
    problem : ErrorProblem
    config : SearchConfig
    random_state : numpy.random.RandomState
        Gives the order of the lines and the restarts.

    Returns
    -------
    units : ndarray
        Weights and thresholds, as the problem has them.
    n_epochs : int
        Epochs of the longest descent, the search for the first threshold counted as one.
    """
    best, best_value, longest = np.empty(0), -np.inf, 0
    for start in problem.starts():
        start = problem.centred(start)
        value = problem.value(start)
        if value > best_value + problem.tolerance:
            best, best_value = start, value
        if problem.is_solved(best_value):
            return best, 1
    for restart in range(1 + config.n_restarts):
        start = problem.disturbed(best, random_state) if restart else best
        to_beat = best_value if restart else -np.inf
        descent = _Descent(problem, config, to_beat)
        units, value = descent.run(problem.centred(start), random_state)
        longest = max(longest, descent.n_epochs)
        if value > best_value + problem.tolerance:
            best, best_value = units, value
        if problem.is_solved(best_value):
            break
    return problem.centred(best), longest + 1


class _Descent:
    """Epochs of line searches until there are no fewer errors."""

    def __init__(self, problem: ErrorProblem, config: SearchConfig, to_beat: float) -> None:
        self.problem, self.config, self.to_beat = problem, config, to_beat
        self.n_epochs = 0

    def run(
        self, units: np.ndarray, random_state: np.random.RandomState
    ) -> tuple[np.ndarray, float]:
        stalled, value = 0, self.problem.value(units)
        while self.n_epochs < self.config.max_iter and stalled < self.config.n_iter_no_change:
            if self.problem.is_solved(value):
                break
            units = self.problem.improved(units, random_state)
            previous, value = value, self.problem.value(units)
            self.n_epochs += 1
            stalled = 0 if value > previous + self.problem.tolerance else stalled + 1
            # going on as fast as in this epoch would not catch up with an earlier descent
            if value + self.config.n_iter_no_change * (value - previous) < self.to_beat:
                break
        return units, value
