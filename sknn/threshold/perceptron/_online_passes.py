"""Passes of the online rule as compiled functions, without the interpreter lock.

All numbers are float64. A function does the same where numba is not installed, far more slowly.
"""

from typing import NamedTuple

import numpy as np

from sknn._jit import jit, jit_kept
from sknn._vectors import prefetch

#: samples of a pass by which memory is asked for before its turn
AHEAD = 2


class Visits(NamedTuple):
    """Samples to visit.

    Attributes
    ----------
    order : ndarray of int of shape (n_samples,)
    signs, steps : ndarray of shape (n_samples, n_units)
        Targets, 1 or -1, and what is added to the intercept at an error.
    """

    order: np.ndarray
    signs: np.ndarray
    steps: np.ndarray


class Learners(NamedTuple):
    """Units that learn; all but `active`, `n_steps` and `rates` is changed in place.

    Attributes
    ----------
    coef, late_coef : ndarray of shape (n_units, n_features)
        Weights; and updates times the steps before them.
    intercept, late_intercept : ndarray of shape (n_units,)
    n_steps, n_updates : ndarray of int of shape (n_units,)
        Steps before the pass, and updates.
    active : ndarray of bool of shape (n_units,)
    loss : ndarray of shape (n_units,)
        The perceptron criterion is added to it.
    rates : ndarray of shape (2,)
        Step size of intercepts, and of the late sums: 1 if they are kept, else 0.
    """

    coef: np.ndarray
    late_coef: np.ndarray
    intercept: np.ndarray
    late_intercept: np.ndarray
    n_steps: np.ndarray
    n_updates: np.ndarray
    active: np.ndarray
    loss: np.ndarray
    rates: np.ndarray


@jit_kept
def visit_dense(X: np.ndarray, visits: Visits, units: Learners) -> None:
    """Go over samples of shape (n_samples, n_features) once."""
    # The perceptron criterion of a sample is max(0, -s (w·x + b)); where the margin s (w·x + b) is
    # not positive its slope is -s x, so that a step along it adds η s x, here `step` times x. A
    # margin of 0 is an error, too: from weights of 0 nothing would ever move.
    for place in range(len(visits.order)):
        i = visits.order[place]
        x = X[i]
        for u in range(len(units.intercept)):
            if units.active[u]:
                coef = units.coef[u]
                margin = (np.dot(x, coef) + units.intercept[u]) * visits.signs[i, u]
                if margin <= 0:
                    step = _learn(place, i, u, visits, units)
                    for j in range(len(x)):
                        coef[j] += step * x[j]
                    # For averages: an update after n steps is missing in n of the weights that are
                    # averaged; see `PlainEpochs`.
                    if units.rates[1] > 0:
                        late, coef = step * (units.n_steps[u] + place), units.late_coef[u]
                        for j in range(len(x)):
                            coef[j] += late * x[j]
                    units.loss[u] -= margin


@jit_kept
def visit_sparse(
    data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, visits: Visits, units: Learners
) -> None:
    """Go over the samples of a CSR matrix once; indices that are unsigned need no check."""
    last = len(visits.order) - 1
    for place in range(len(visits.order)):
        _fetch(visits.order[min(place + AHEAD, last)], data, indices, indptr)
        i = visits.order[place]
        columns, x = indices[indptr[i] : indptr[i + 1]], data[indptr[i] : indptr[i + 1]]
        for u in range(len(units.intercept)):
            if units.active[u]:
                coef = units.coef[u]
                margin = (_multiply(x, columns, coef) + units.intercept[u]) * visits.signs[i, u]
                if margin <= 0:
                    step = _learn(place, i, u, visits, units)
                    for k in range(len(x)):
                        coef[columns[k]] += step * x[k]
                    if units.rates[1] > 0:
                        late, coef = step * (units.n_steps[u] + place), units.late_coef[u]
                        for k in range(len(x)):
                            coef[columns[k]] += late * x[k]
                    units.loss[u] -= margin


@jit
def _fetch(i: int, data: np.ndarray, indices: np.ndarray, indptr: np.ndarray) -> None:
    """Bring a sample into the cache before its turn: in a random order nothing else foresees it."""
    for k in range(indptr[i], indptr[i + 1], 8):
        prefetch(data, k)
        prefetch(indices, k)


@jit
def _multiply(x: np.ndarray, columns: np.ndarray, coef: np.ndarray) -> float:
    """Return the product of a sparse sample and weights, in four independent sums."""
    # An addition waits for the one before it in the same sum, so that one sum leaves a processor
    # idle. The order is written out, as the compiler may not change it: the result is the same
    # with numba and without.
    n = len(x) // 4 * 4
    a = b = c = d = 0.0
    for k in range(0, n, 4):
        a += x[k] * coef[columns[k]]
        b += x[k + 1] * coef[columns[k + 1]]
        c += x[k + 2] * coef[columns[k + 2]]
        d += x[k + 3] * coef[columns[k + 3]]
    for k in range(n, len(x)):
        a += x[k] * coef[columns[k]]
    return (a + b) + (c + d)


@jit
def _learn(place: int, i: int, u: int, visits: Visits, units: Learners) -> float:
    """Move the intercept of a unit, count the update, and return the step along the sample."""
    step = visits.steps[i, u]
    units.intercept[u] += units.rates[0] * step
    units.late_intercept[u] += units.rates[0] * units.rates[1] * step * (units.n_steps[u] + place)
    units.n_updates[u] += 1
    return step
