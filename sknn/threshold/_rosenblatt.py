"""Rosenblatt's learning rule, row by row, and its batch form."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils.extmath import safe_sparse_dot

from sknn.exceptions import NonFiniteLossError
from sknn.threshold._one_unit_per_class import Rows, class_numbers

#: margins closer to 0 than this share of the largest are rounding errors of 0
_ROUNDING = 1e-12
#: scikit-learn moves the intercept this much more slowly on sparse rows
_SPARSE_INTERCEPT_RATE = 0.01


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
    verbose: int


@dataclass
class Units:
    """Units with their history.

    Attributes
    ----------
    coef : ndarray of shape (n_units, n_features)
    intercept : ndarray of shape (n_units,)
    errors : list of float
        Weight of the misclassified rows after each epoch.
    converged : bool
        Whether learning ended before ``max_iter``, or was not asked to look.
    last : Units or None
        Where `coef` and `intercept` are the best on the way, those of the last step, from which
        to go on.
    """

    coef: np.ndarray
    intercept: np.ndarray
    errors: list[float] = field(default_factory=list)
    converged: bool = False
    last: "Units | None" = None


def decide(X: Any, units: Units) -> np.ndarray:
    """Return margins of shape (n_rows,) for one unit, else (n_rows, n_units)."""
    margins = safe_sparse_dot(X, units.coef.T, dense_output=True) + units.intercept
    return margins.ravel() if len(units.coef) == 1 else margins


def fires(decision: np.ndarray) -> np.ndarray:
    """Return where the margin of a single unit is above 0."""
    return decision > 0


def _errors(rows: Rows, margins: np.ndarray) -> float:
    decision = margins.ravel() if margins.shape[1] == 1 else margins
    return float(rows.weights[class_numbers(decision, fires) != rows.codes].sum())


def _check_finite(units: Units, epoch: int) -> None:
    if not (np.all(np.isfinite(units.coef)) and np.all(np.isfinite(units.intercept))):
        raise NonFiniteLossError(
            f"The weights became infinite or not a number in epoch {epoch}. Scale X (with "
            "StandardScaler, for instance), or use a smaller eta0."
        )


def _report(units: Units, config: LearningConfig) -> None:
    if config.verbose:
        print(f"epoch {len(units.errors)}: {units.errors[-1]:g} misclassified")  # noqa: T201


class _Standardized:
    """Rows with mean 0 and variance 1, sparse ones without writing out their zeros.

    A sparse row is only divided by the standard deviations; what subtracting the means would
    have changed is put right in the products.
    """

    def __init__(self, X: Any, scaler: StandardScaler, centred: bool) -> None:
        self.scale = scaler.scale_
        self.mean = scaler.mean_ if centred else np.zeros_like(scaler.mean_)
        if sparse.issparse(X):
            self.Z, self.offset = X @ sparse.diags(1 / self.scale), self.mean / self.scale
        else:
            self.Z, self.offset = (X - self.mean) / self.scale, np.zeros_like(self.mean)

    def encode(self, units: Units) -> Units:
        return Units(units.coef * self.scale, units.intercept + units.coef @ self.mean)

    def decode(self, units: Units) -> Units:
        coef = units.coef / self.scale
        return Units(coef, units.intercept - coef @ self.mean, units.errors, units.converged)

    def margins(self, units: Units) -> np.ndarray:
        shift = units.intercept - units.coef @ self.offset
        return safe_sparse_dot(self.Z, units.coef.T, dense_output=True) + shift

    def weighted_sum(self, factors: np.ndarray) -> np.ndarray:
        """Return ``factors.T @ rows`` of shape (n_units, n_features)."""
        total = safe_sparse_dot(self.Z.T, factors, dense_output=True)
        return total.T - np.outer(factors.sum(axis=0), self.offset)


def learn_batch(
    rows: Rows, start: Units, scaler: StandardScaler, config: LearningConfig, pocket: bool = True
) -> Units:
    """Follow the subgradient of the perceptron criterion over all rows, one step an epoch.

    Parameters
    ----------
    rows : Rows
    start : Units
        Weights to begin with.
    scaler : StandardScaler
        Fitted; steps are taken in its coordinates.
    config : LearningConfig
    pocket : bool, default=True
        Return the weights with the fewest errors on the way (Gallant 1990), not the last.

    Returns
    -------
    Units
    """
    table = _Standardized(rows.X, scaler, centred=config.fit_intercept)
    units, best, signs = table.encode(start.last or start), table.encode(start), rows.signs
    margins = table.margins(units)
    cold = not (pocket and np.any(start.coef))
    least = reference = np.inf if cold else _errors(rows, table.margins(best))
    total, stalled = rows.weights.sum(), 0
    for epoch in range(1, config.max_iter + 1):
        wrong = margins * signs <= _ROUNDING * np.max(np.abs(margins))
        units = _batch_step(units, table, wrong * signs * (rows.weights / total)[:, None], config)
        _check_finite(units, epoch)
        margins = table.margins(units)
        units.errors.append(_errors(rows, margins))
        _report(units, config)
        if units.errors[-1] < least - _ROUNDING * total or not pocket:
            best, least = units, units.errors[-1]
        if config.tol is None:
            continue
        progress = least < reference - config.tol * total
        reference, stalled = (least, 0) if progress else (reference, stalled + 1)
        if stalled >= config.patience or np.all(margins * signs > 0):
            units.converged = True
            break
    units.converged |= config.tol is None
    kept = table.decode(Units(best.coef, best.intercept, units.errors, units.converged))
    kept.last = table.decode(units) if pocket else None
    return kept


def _batch_step(
    units: Units, table: _Standardized, factors: np.ndarray, config: LearningConfig
) -> Units:
    """Step along the mean of sign times row over misclassified rows, then shrink."""
    coef = units.coef * max(0.0, 1 - config.eta0 * config.l2)
    coef = coef + config.eta0 * table.weighted_sum(factors)
    coef = np.sign(coef) * np.maximum(np.abs(coef) - config.eta0 * config.l1, 0)
    step = config.eta0 * factors.sum(axis=0) if config.fit_intercept else 0.0
    return Units(coef, units.intercept + step, units.errors)


def learn_online(
    rows: Rows, start: Units, config: LearningConfig, random_state: np.random.RandomState
) -> Units:
    """Update on each misclassified row in turn, as `sklearn.linear_model.Perceptron` does.

    Parameters
    ----------
    rows : Rows
    start : Units
        Weights to begin with.
    config : LearningConfig
    random_state : numpy.random.RandomState
        Gives the order of the rows.

    Returns
    -------
    Units
    """
    course = _OnlineCourse(rows, start, config)
    units, tol, n_rows = course.units, config.tol, len(rows.codes)
    best, stalled = np.full(len(units.coef), np.inf), np.zeros(len(units.coef), dtype=int)
    for epoch in range(1, config.max_iter + 1):
        order = random_state.permutation(n_rows) if config.shuffle else np.arange(n_rows)
        loss = course.epoch(order) / n_rows
        _check_finite(units, epoch)
        units.errors.append(_errors(rows, decide(rows.X, units).reshape(n_rows, -1)))
        _report(units, config)
        if tol is not None:
            stalled = np.where(loss > best - tol, stalled + 1, 0)
            best = np.minimum(best, loss)
            course.active &= stalled < config.patience
        if not course.active.any():
            break
    units.converged = tol is None or not course.active.any()
    return units


class _OnlineCourse:
    """All units going over the rows together, each until its own end."""

    def __init__(self, rows: Rows, start: Units, config: LearningConfig) -> None:
        self.rows, self.config, self.signs = rows, config, rows.signs
        self.units = Units(start.coef.copy(), start.intercept.copy())
        self.active = np.ones(len(start.coef), dtype=bool)
        rate = _SPARSE_INTERCEPT_RATE if sparse.issparse(rows.X) else 1.0
        self.intercept_rate = rate if config.fit_intercept else 0.0
        # cumulative L1 penalty (Tsuruoka et al. 2009): owed by each weight, and paid already
        self.owed, self.paid = 0.0, np.zeros_like(start.coef)

    def epoch(self, order: np.ndarray) -> np.ndarray:
        """Return the perceptron criterion of each unit, summed along the way."""
        loss = np.zeros(len(self.active))
        coef, intercept = self.units.coef, self.units.intercept
        steps = self.config.eta0 * self.rows.weights[:, None] * self.signs
        shrink = max(0.0, 1 - self.config.eta0 * self.config.l2)
        for row, (columns, values) in zip(order, self._visited(order), strict=True):
            margin = (coef[:, columns] @ values + intercept) * self.signs[row]
            wrong = (margin <= 0) & self.active
            if shrink < 1:
                coef[self.active] *= shrink
            if wrong.any():
                loss -= np.where(wrong, margin, 0.0)
                step = np.where(wrong, steps[row], 0.0)
                coef[:, columns] += np.outer(step, values)
                intercept += step * self.intercept_rate
            if self.config.l1:
                self._pay_l1(columns)
        return loss

    def _visited(self, order: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
        """Yield the columns and values of each row."""
        X = self.rows.X
        if not sparse.issparse(X):
            for row in order:
                yield slice(None), X[row]
            return
        for row in order:
            stored = slice(X.indptr[row], X.indptr[row + 1])
            yield X.indices[stored], X.data[stored]

    def _pay_l1(self, columns: Any) -> None:
        self.owed += self.config.eta0 * self.config.l1
        at = np.ix_(self.active, np.arange(self.paid.shape[1])[columns])
        before, paid = self.units.coef[at], self.paid[at]
        lowered = np.maximum(0.0, before - (self.owed + paid))
        raised = np.minimum(0.0, before + (self.owed - paid))
        after = np.select([before > 0, before < 0], [lowered, raised], before)
        self.units.coef[at] = after
        self.paid[at] = paid + after - before
