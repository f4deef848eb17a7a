"""Search for the fewest errors: exact line searches, from good starts and disturbed solutions."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from sknn.threshold.zero_one._lines import LineSearch

#: errors of less than this share of all weight are none: samples that class weights make next to
#: nothing beside others would otherwise be fitted as if they mattered
NEGLIGIBLE = 1e-6
#: from scikit-learn's default to almost no penalty, which finds separating planes if there are any
_START_C = (1.0, 1e3, 1e6, 1e9)
#: with more weights than this, Newton's method would take too much memory
_MANY_WEIGHTS = 2000


@dataclass(frozen=True)
class SearchConfig:
    """Limits of the search; see the parameters of `ThresholdLogicClassifier`."""

    max_iter: int
    n_iter_no_change: int
    n_restarts: int


@dataclass(frozen=True)
class SearchResult:
    """The best units found, weights and thresholds in the shape of the problem.

    Attributes
    ----------
    n_epochs : int
        Number of epochs of the longest descent, the search for the first threshold counted as one.
    interrupted : bool
        Whether Ctrl-C ended the search.
    """

    units: np.ndarray
    n_epochs: int
    interrupted: bool = False


def append_threshold(Z: np.ndarray) -> np.ndarray:
    """Return samples with a last input of -1, whose weight is the threshold."""
    return np.column_stack([Z, -np.ones(len(Z))])


class ErrorProblem(ABC):
    """Samples with their classes, and what units are worth that answer for them.

    Attributes
    ----------
    tolerance : float
        Values closer than this are equal.
    best_value : float
        Reached where every sample is given the class with most of its weight.
    lines : LineSearch
        Searches one line after the other.
    """

    tolerance: float
    best_value: float
    lines: LineSearch

    @abstractmethod
    def compute_value(self, units: np.ndarray) -> float:
        """Return a constant less the weight of the errors."""

    @abstractmethod
    def make_starts(self) -> Iterator[np.ndarray]:
        """Yield units to begin with, the best guess first."""

    @abstractmethod
    def improve(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return the units after a line search along every weight and as many random lines."""

    @abstractmethod
    def disturb(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return units somewhere near."""

    @abstractmethod
    def centre(self, units: np.ndarray) -> np.ndarray:
        """Return the units with their best thresholds."""

    def is_solved(self, value: float) -> bool:
        """Return whether nothing can do better than `value`."""
        return value >= self.best_value - self.tolerance


def draw_line(size: int, random_state: np.random.RandomState) -> np.ndarray:
    """Return a random direction of shape (size,) whose norm is about 1."""
    return random_state.standard_normal(size) / np.sqrt(size)


def fit_logistic_units(Z: np.ndarray, of_class: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the units of logistic regressions with less and less penalty.

    `of_class`, of shape (n_samples, n_classes), is the weight of each class at each sample; every
    class has some. Units are of shape (n_units, n_features + 1), one for two classes.
    """
    # A sample that several classes share counts once for each, with that class's weight.
    X = np.vstack([Z] * of_class.shape[1])
    y = np.repeat(np.arange(of_class.shape[1]), len(Z))
    weights = of_class.T.ravel()
    # Weights of mean 1, so that C means the same whatever their size.
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
) -> SearchResult:
    """Look for the units with the least weight of errors."""
    # The errors are constant but for jumps, so that no gradient leads anywhere, and to minimise
    # them is NP-hard. A local search goes from the best logistic regression along lines, each
    # searched exactly, until an epoch of lines brings nothing; then from disturbed copies of the
    # best units.
    search, interrupted = LocalSearch(problem, config), False
    try:
        if search.try_starts():
            return SearchResult(search.best[0], 1)
        search.run(random_state)
    except KeyboardInterrupt:
        if search.best[1] == -np.inf:
            raise
        interrupted = True
    return SearchResult(problem.centre(search.best[0]), search.longest + 1, interrupted)


class LocalSearch:
    """The best units so far, with their value, which is minus infinity before the first start."""

    def __init__(self, problem: ErrorProblem, config: SearchConfig) -> None:
        self.problem, self.config = problem, config
        self.best = np.empty(0), -np.inf
        self.longest = 0

    def try_starts(self) -> bool:
        """Take the best of the starts, and return whether nothing can do better."""
        for start in self.problem.make_starts():
            start = self.problem.centre(start)
            self._offer(start, self.problem.compute_value(start))
            if self.problem.is_solved(self.best[1]):
                return True
        return False

    def run(self, random_state: np.random.RandomState) -> None:
        """Descend from the best start, and then from disturbed copies of the best units."""
        for restart in range(1 + self.config.n_restarts):
            best, value = self.best
            start = self.problem.disturb(best, random_state) if restart else best
            to_beat = value if restart else -np.inf
            self._offer(*self.descend(self.problem.centre(start), to_beat, random_state))
            if self.problem.is_solved(self.best[1]):
                return

    def descend(
        self, units: np.ndarray, to_beat: float, random_state: np.random.RandomState
    ) -> tuple[np.ndarray, float]:
        """Take epochs of line searches until there are no fewer errors."""
        n_epochs, n_stalled, value = 0, 0, self.problem.compute_value(units)
        patience = self.config.n_iter_no_change
        while n_epochs < self.config.max_iter and n_stalled < patience:
            if self.problem.is_solved(value):
                break
            units = self.problem.improve(units, random_state)
            previous, value = value, self.problem.compute_value(units)
            n_epochs += 1
            self.longest = max(self.longest, n_epochs)
            n_stalled = 0 if value > previous + self.problem.tolerance else n_stalled + 1
            # going on as fast as in this epoch would not catch up with an earlier descent
            # Each of at most `patience` epochs without success would have to bring as much as this
            # one.
            if value + patience * (value - previous) < to_beat:
                break
        return units, value

    def _offer(self, units: np.ndarray, value: float) -> None:
        if value > self.best[1] + self.problem.tolerance:
            self.best = units, value
