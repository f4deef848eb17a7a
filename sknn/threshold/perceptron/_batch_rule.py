"""Rosenblatt's learning rule over all samples at once."""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import safe_sparse_dot

from sknn.threshold._inputs import FeatureMatrix
from sknn.threshold.perceptron._moments import Moments
from sknn.threshold.perceptron._monitor import ROUNDING, ErrorMonitor
from sknn.threshold.perceptron._state import (
    LearningConfig,
    LinearUnits,
    PerceptronState,
    compute_margins,
)

#: where fewer than this share of the samples change sides, only they are summed again
_FEW_SAMPLES = 0.1
#: means of dense features more standard deviations than this from 0 are subtracted beforehand
_FAR = 1e4


class _StandardizedSamples:
    """Samples with mean 0 and scale 1, without writing them out.

    With z = (x - m) / s a unit of weights v and bias c computes

        v·z + c = (v / s)·x + c - (v / s)·m,

    so that dividing and subtracting is made up for in the products, and sparse X stays sparse. Only
    means far from 0 are subtracted, as x·v and m·v would cancel there.
    """

    def __init__(self, X: FeatureMatrix, moments: Moments, centred: bool) -> None:
        self.scale = moments.scale
        self.mean = moments.mean if centred else np.zeros_like(moments.mean)
        far = not sparse.issparse(X) and np.any(np.abs(self.mean) > _FAR * self.scale)
        self.X = X - self.mean if far else X
        self.shift = np.zeros_like(self.mean) if far else self.mean
        self._factors: np.ndarray | None = None

    def encode(self, units: LinearUnits) -> LinearUnits:
        """Return units of x as units of z."""
        return LinearUnits(units.coef * self.scale, units.intercept + units.coef @ self.mean)

    def decode(self, units: LinearUnits) -> LinearUnits:
        """Return units of z as units of x."""
        coef = units.coef / self.scale
        return LinearUnits(coef, units.intercept - coef @ self.mean)

    def compute_margins(self, units: LinearUnits) -> np.ndarray:
        """Return the margins of units of z, of shape (n_samples, n_units)."""
        coef = units.coef / self.scale
        return compute_margins(self.X, LinearUnits(coef, units.intercept - coef @ self.shift))

    def sum_weighted(self, factors: np.ndarray) -> np.ndarray:
        """Return the sum of factor times z for each unit, of shape (n_units, n_features)."""
        if self._factors is None:
            self._total = safe_sparse_dot(self.X.T, factors, dense_output=True)
        else:
            self._add(factors - self._factors)
        self._factors = factors
        # Σ f z = Σ f (x - m) / s = (Σ f x - (Σ f) m) / s, with one product of X as it is.
        return (self._total.T - np.outer(factors.sum(axis=0), self.shift)) / self.scale

    def _add(self, change: np.ndarray) -> None:
        # Σ f x is linear in f: where few samples change sides between two steps, their change of f
        # is summed and added. A product with few samples costs as little as they are.
        changed = np.flatnonzero(change.any(axis=1))
        X = self.X
        if len(changed) < _FEW_SAMPLES * len(change):
            X, change = X[changed], change[changed]
        self._total = self._total + safe_sparse_dot(X.T, change, dense_output=True)


def learn_batch(
    monitor: ErrorMonitor, state: PerceptronState, moments: Moments, config: LearningConfig
) -> PerceptronState:
    """Follow the subgradient of the perceptron criterion over all samples, one step an epoch."""
    # The criterion of a unit is Σ w_i max(0, -t_i (v·z_i + c)) / Σ w_i with targets t_i = ±1 and
    # weights w_i. Its subgradient by v is -Σ w_i t_i z_i / Σ w_i over the misclassified samples: a
    # step of length eta0 against it adds their weighted mean, target times sample. Steps are taken
    # in coordinates in which `moments` are 0 and 1.
    training = monitor.training
    table = _StandardizedSamples(training.X, moments, centred=config.fit_intercept)
    units, total = table.encode(state.units), table.encode(state.total)
    n_steps, n_updates = state.n_steps, state.n_updates
    # Targets times shares of the weight: what a misclassified sample adds to a step.
    pull = training.signs * (training.weights / training.weights.sum())[:, None]
    # Units that are 0 have margins of 0, so that all samples are misclassified at first.
    cold = not (np.any(units.coef) or np.any(units.intercept))
    margins = np.zeros_like(pull) if cold else table.compute_margins(units)
    margins_total = table.compute_margins(total) if config.average else margins
    monitor.begin(state.units)
    with monitor.catch_interrupt():
        for _ in range(config.max_iter):
            # A margin that is 0 but for rounding counts as misclassified, as one of 0 does.
            wrong = margins * training.signs <= ROUNDING * np.max(np.abs(margins))
            units = _take_step(units, table, wrong * pull, config)
            margins = table.compute_margins(units)
            n_updates = n_updates + wrong.any(axis=0)
            if config.average:
                # Margins are linear in the weights: those of the summed weights are the summed
                # margins, which saves a product an epoch.
                total, n_steps = total.plus(units), n_steps + 1
                margins_total = margins_total + margins
            state = PerceptronState(units, total, n_steps, n_updates)
            last = table.decode(units)
            answer = table.decode(state.get_answer(config)) if config.average else last
            averaged = margins_total / n_steps if config.average else margins
            stop = monitor.end_epoch(state, last, answer, averaged)
            separated = config.tol is not None and np.all(margins * training.signs > 0)
            if monitor.has_stalled() or separated or stop:
                monitor.converged = True
                break
    state = monitor.outcome.state
    return PerceptronState(
        table.decode(state.units), table.decode(state.total), state.n_steps, state.n_updates
    )


def _take_step(
    units: LinearUnits, table: _StandardizedSamples, factors: np.ndarray, config: LearningConfig
) -> LinearUnits:
    """Step along the mean of sign times sample over misclassified samples, then shrink."""
    coef = units.coef * max(0.0, 1 - config.eta0 * config.l2)
    coef = coef + config.eta0 * table.sum_weighted(factors)
    # The L1 penalty is a proximal step: it moves weights towards 0, and never across it.
    coef = np.sign(coef) * np.maximum(np.abs(coef) - config.eta0 * config.l1, 0)
    step = config.eta0 * factors.sum(axis=0) if config.fit_intercept else 0.0
    return LinearUnits(coef, units.intercept + step)
