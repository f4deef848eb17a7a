"""Minimise the number of errors of a threshold unit by exact line searches.

A unit with weights w and threshold θ is one vector v = (w, θ), and fires on a row x where
(x, -1)·v >= 0. Along a line v + t q a row changes sides once, at t = -(x, -1)·v / (x, -1)·q.
Between these crossings the errors stay the same: sort them, add up the weights of the rows, and the
errors are known for every t.
"""

from collections.abc import Iterator

import numpy as np

from sknn.threshold.zero_one._local_search import (
    NEGLIGIBLE,
    ROUNDING,
    ErrorProblem,
    logistic_units,
    random_line,
    widest_interval,
    with_threshold,
)


class Problem(ErrorProblem):
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
        self.rows = with_threshold(Z)
        self.columns = np.ascontiguousarray(self.rows.T)
        self.gain = wanted - unwanted
        self.tolerance = NEGLIGIBLE * (wanted.sum() + unwanted.sum())
        #: reached where every row is on the side where most of its weight is
        self.best_value = self.gain[self.gain > 0].sum()

    def value(self, unit: np.ndarray) -> float:
        """Return the gain of the rows on which a unit fires: the weight of errors it avoids."""
        return float(self.gain[self.rows @ unit >= 0].sum())

    def starts(self) -> Iterator[np.ndarray]:
        """Yield units of logistic regressions, of norm 1."""
        for weights, threshold in ((self.wanted, 1.0), (self.unwanted, -1.0)):
            if not weights.any():  # nothing to tell apart: fires nowhere, or everywhere
                yield np.append(np.zeros(self.Z.shape[1]), threshold)
                return
        for units in logistic_units(self.Z, np.column_stack([self.unwanted, self.wanted])):
            norm = np.linalg.norm(units)
            yield units[0] / norm if norm > 0 else np.append(np.zeros(self.Z.shape[1]), 1.0)

    def improved(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return the unit after a line search along every coordinate and as many random lines."""
        unit, size = units, len(units)
        z = self.rows @ unit
        for coordinate in random_state.permutation(size):
            axis, oblique = np.zeros(size), random_line(size, random_state)
            axis[coordinate] = 1.0
            slopes = (self.columns[coordinate], self.rows @ oblique)
            for line, slope in zip((axis, oblique), slopes, strict=True):
                low, high = widest_interval(z, slope, self.gain, self.tolerance)
                t = np.tan((low + high) / 2)
                moved = unit + t * line
                norm = np.linalg.norm(moved)
                if norm > ROUNDING:
                    unit, z = moved / norm, (z + t * slope) / norm
        return unit

    def disturbed(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return the unit with a random line added, of norm 1."""
        unit = units + random_line(len(units), random_state)
        return unit / np.linalg.norm(unit)

    def centred(self, units: np.ndarray) -> np.ndarray:
        """Return the unit with its best threshold."""
        return centre_threshold(self, units)


def best_interval(problem: Problem, unit: np.ndarray, line: np.ndarray) -> tuple[float, float]:
    """Search the line ``unit + t * line`` for the fewest errors; see `widest_interval`.

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
        Ends of the interval of t as angles, from -π/2 to π/2.
    """
    z, slope = problem.rows @ unit, problem.rows @ line
    return widest_interval(z, slope, problem.gain, problem.tolerance)


def _moved(unit: np.ndarray, line: np.ndarray, t: float) -> np.ndarray:
    moved = unit + t * line
    norm = np.linalg.norm(moved)
    return moved / norm if norm > ROUNDING else unit


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
