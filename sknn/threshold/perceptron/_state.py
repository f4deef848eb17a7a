"""Rosenblatt's learning rule over all rows at once, and what both of its forms share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import safe_sparse_dot

from sknn.exceptions import NonFiniteLossError
from sknn.threshold._linear_base import Rows
from sknn.threshold.perceptron._moments import Moments

#: margins closer to 0 than this share of the largest are rounding errors of 0
_ROUNDING = 1e-12
#: where fewer than this share of the rows change sides, only they are summed again
_FEW_ROWS = 0.1
#: means of dense features more standard deviations than this from 0 are subtracted beforehand
_FAR = 1e4


@dataclass(frozen=True)
class LearningConfig:
    """How to learn; see the parameters of `PerceptronClassifier`.

    Attributes
    ----------
    eta0 : float
        Step size.
    l2, l1 : float
        Strength of each penalty, ``alpha`` shared out by ``l1_ratio``.
    fit_intercept : bool
    max_iter : int
        Epochs.
    tol : float or None
    patience : int
        Epochs without progress before the end.
    shuffle : bool
    average, pocket : bool
        Which weights to answer with.
    n_jobs : int
        Teams of units that learn side by side.
    verbose : int
    """

    eta0: float
    l2: float
    l1: float
    fit_intercept: bool
    max_iter: int
    tol: float | None
    patience: int
    shuffle: bool
    average: bool
    pocket: bool
    n_jobs: int
    verbose: int


@dataclass
class Units:
    """Weights and intercepts.

    Attributes
    ----------
    coef : ndarray of shape (n_units, n_features)
    intercept : ndarray of shape (n_units,)
    """

    coef: np.ndarray
    intercept: np.ndarray

    def part(self, units: np.ndarray) -> "Units":
        """Return some of the units, by their numbers."""
        return Units(self.coef[units], self.intercept[units])

    @classmethod
    def joined(cls, parts: list["Units"]) -> "Units":
        """Return the units of several sets in one."""
        return cls(
            np.concatenate([part.coef for part in parts]),
            np.concatenate([part.intercept for part in parts]),
        )

    def plus(self, other: "Units", factor: float = 1.0) -> "Units":
        """Return ``self + factor * other``.

        Parameters
        ----------
        other : Units
        factor : float, default=1.0

        Returns
        -------
        Units
        """
        coef, intercept = factor * other.coef, factor * other.intercept
        return Units(self.coef + coef, self.intercept + intercept)


@dataclass
class Course:
    """Where learning stands, and can go on from.

    Attributes
    ----------
    units : Units
        After the last step.
    total : Units
        Summed over steps (epochs of the batch rule, rows of the online rule) if averages are
        wanted.
    n_steps : ndarray of int of shape (n_units,)
    n_updates : ndarray of int of shape (n_units,)
        Steps that changed a unit because of an error.
    """

    units: Units
    total: Units
    n_steps: np.ndarray
    n_updates: np.ndarray

    @classmethod
    def beginning(cls, n_units: int, n_features: int) -> "Course":
        """Return a course whose weights are all 0.

        Parameters
        ----------
        n_units, n_features : int

        Returns
        -------
        Course
        """
        zeros = Units(np.zeros((n_units, n_features)), np.zeros(n_units))
        none = np.zeros(n_units, dtype=int)
        return cls(zeros, zeros, none, none)

    def part(self, units: np.ndarray) -> "Course":
        """Return the course of some units, by their numbers."""
        return Course(
            self.units.part(units),
            self.total.part(units),
            self.n_steps[units],
            self.n_updates[units],
        )

    @classmethod
    def joined(cls, parts: list["Course"]) -> "Course":
        """Return the course of all units of several courses."""
        return cls(
            Units.joined([part.units for part in parts]),
            Units.joined([part.total for part in parts]),
            np.concatenate([part.n_steps for part in parts]),
            np.concatenate([part.n_updates for part in parts]),
        )

    def answer(self, config: LearningConfig) -> Units:
        """Return the units to answer with: those of the last step, or the mean over all steps.

        Parameters
        ----------
        config : LearningConfig

        Returns
        -------
        Units
        """
        if not config.average:
            return self.units
        n_steps = np.maximum(self.n_steps, 1)
        return Units(self.total.coef / n_steps[:, None], self.total.intercept / n_steps)


def decide(X: Any, units: Units) -> np.ndarray:
    """Return margins of shape (n_rows, n_units)."""
    return safe_sparse_dot(X, units.coef.T, dense_output=True) + units.intercept


def fires(decision: np.ndarray) -> np.ndarray:
    """Return where the margin of a single unit is above 0."""
    return decision > 0


def errors(rows: Rows, margins: np.ndarray) -> float:
    """Return the weight of the rows that are misclassified, or of the labels that are."""
    if rows.codes is None or margins.shape[1] == 1:
        wrong = np.sum(fires(margins) != (rows.signs > 0), axis=1)
    else:
        wrong = margins.argmax(axis=1) != rows.codes
    return float(rows.weights @ wrong)


class Watch:
    """Count errors after each epoch, say when progress ends, and keep the units to answer with.

    Parameters
    ----------
    rows : Rows
        To learn from.
    held : Rows or None
        Held out: the errors on these tell progress, if there are any.
    config : LearningConfig
    before : Units or None
        The answer of the fit before; the pocket begins with it.
    """

    def __init__(
        self, rows: Rows, held: Rows | None, config: LearningConfig, before: Units | None
    ) -> None:
        self.rows, self.held, self.config = rows, held, config
        self.errors: list[float] = []
        self.total = (rows if held is None else held).weights.sum()
        self.least = self.reference = np.inf
        self.stalled, self.converged = 0, config.tol is None
        if before is not None and config.pocket:
            self._keep(before, decide(rows.X, before))
            self.reference = self.least

    def see(self, units: Units, margins: np.ndarray) -> None:
        """Take note of the end of an epoch.

        Parameters
        ----------
        units : Units
        margins : ndarray of shape (n_rows, n_units)
            On the rows to learn from.

        Raises
        ------
        NonFiniteLossError
            If the weights are not finite.
        """
        if not (np.all(np.isfinite(units.coef)) and np.all(np.isfinite(units.intercept))):
            raise NonFiniteLossError(
                f"The weights became infinite or not a number in epoch {len(self.errors) + 1}. "
                "Scale X (with StandardScaler, for instance), or use a smaller eta0."
            )
        self.errors.append(errors(self.rows, margins))
        if self.config.verbose:
            print(f"epoch {len(self.errors)}: {self.errors[-1]:g} misclassified")  # noqa: T201
        self._keep(units, margins, self.errors[-1])

    def _keep(self, units: Units, margins: np.ndarray, on_rows: float | None = None) -> None:
        if self.held is not None:
            wrong = errors(self.held, decide(self.held.X, units))
        else:
            wrong = errors(self.rows, margins) if on_rows is None else on_rows
        better = wrong < self.least - _ROUNDING * self.total
        if better or not self.config.pocket:
            self.units, self.margins = units, margins
        self.least = wrong if better else self.least

    def has_stalled(self) -> bool:
        """Return whether the errors have not fallen by ``tol`` for too many epochs."""
        if self.config.tol is None:
            return False
        progress = self.least < self.reference - self.config.tol * self.total
        self.reference = self.least if progress else self.reference
        self.stalled = 0 if progress else self.stalled + 1
        return self.stalled >= self.config.patience


class _Standardized:
    """Rows with mean 0 and variance 1, without writing them out.

    What dividing by the standard deviations and subtracting the means would have changed is put
    right in the products. Only means far from 0 are subtracted, for the sake of precision.
    """

    def __init__(self, X: Any, moments: Moments, centred: bool) -> None:
        self.scale = moments.scale
        self.mean = moments.mean if centred else np.zeros_like(moments.mean)
        far = not sparse.issparse(X) and np.any(np.abs(self.mean) > _FAR * self.scale)
        self.X = X - self.mean if far else X
        self.shift = np.zeros_like(self.mean) if far else self.mean
        self._factors: np.ndarray | None = None

    def encode(self, units: Units) -> Units:
        return Units(units.coef * self.scale, units.intercept + units.coef @ self.mean)

    def decode(self, units: Units) -> Units:
        coef = units.coef / self.scale
        return Units(coef, units.intercept - coef @ self.mean)

    def margins(self, units: Units) -> np.ndarray:
        coef = units.coef / self.scale
        return decide(self.X, Units(coef, units.intercept - coef @ self.shift))

    def weighted_sum(self, factors: np.ndarray) -> np.ndarray:
        """Return the sum of factor times row for each unit, of shape (n_units, n_features)."""
        if self._factors is None:
            self._total = safe_sparse_dot(self.X.T, factors, dense_output=True)
        else:
            self._add(factors - self._factors)
        self._factors = factors
        return (self._total.T - np.outer(factors.sum(axis=0), self.shift)) / self.scale

    def _add(self, change: np.ndarray) -> None:
        changed = np.flatnonzero(change.any(axis=1))
        X = self.X
        if len(changed) < _FEW_ROWS * len(change):
            X, change = X[changed], change[changed]
        self._total = self._total + safe_sparse_dot(X.T, change, dense_output=True)


def learn_batch(watch: Watch, course: Course, moments: Moments, config: LearningConfig) -> Course:
    """Follow the subgradient of the perceptron criterion over all rows, one step an epoch.

    Parameters
    ----------
    watch : Watch
        With the rows; keeps the units to answer with.
    course : Course
        To go on from.
    moments : Moments
        Steps are taken in coordinates with these means and variances made 0 and 1.
    config : LearningConfig

    Returns
    -------
    Course
    """
    rows = watch.rows
    table = _Standardized(rows.X, moments, centred=config.fit_intercept)
    units, total = table.encode(course.units), table.encode(course.total)
    n_steps, n_updates = course.n_steps, course.n_updates
    pull = rows.signs * (rows.weights / rows.weights.sum())[:, None]
    cold = not (np.any(units.coef) or np.any(units.intercept))
    margins = np.zeros_like(pull) if cold else table.margins(units)
    margins_total = table.margins(total) if config.average else margins
    for _ in range(config.max_iter):
        wrong = margins * rows.signs <= _ROUNDING * np.max(np.abs(margins))
        units = _batch_step(units, table, wrong * pull, config)
        margins = table.margins(units)
        n_updates = n_updates + wrong.any(axis=0)
        if config.average:
            total, n_steps = total.plus(units), n_steps + 1
            margins_total = margins_total + margins
            answer = Course(units, total, n_steps, n_updates).answer(config)
            watch.see(table.decode(answer), margins_total / n_steps)
        else:
            watch.see(table.decode(units), margins)
        if watch.has_stalled() or (config.tol is not None and np.all(margins * rows.signs > 0)):
            watch.converged = True
            break
    return Course(table.decode(units), table.decode(total), n_steps, n_updates)


def _batch_step(
    units: Units, table: _Standardized, factors: np.ndarray, config: LearningConfig
) -> Units:
    """Step along the mean of sign times row over misclassified rows, then shrink."""
    coef = units.coef * max(0.0, 1 - config.eta0 * config.l2)
    coef = coef + config.eta0 * table.weighted_sum(factors)
    coef = np.sign(coef) * np.maximum(np.abs(coef) - config.eta0 * config.l1, 0)
    step = config.eta0 * factors.sum(axis=0) if config.fit_intercept else 0.0
    return Units(coef, units.intercept + step)
