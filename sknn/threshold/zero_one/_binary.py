"""Minimise the number of errors of a threshold unit by exact line searches.

A unit with weights w and threshold θ is one vector v = (w, θ), and fires on a sample x where
(x, -1)·v >= 0. Along a line v + t q a sample changes sides once, at t = -(x, -1)·v / (x, -1)·q.
Between these crossings the errors stay the same: sort them, add up the weights of the samples, and
the errors are known for every t.
"""

from collections.abc import Iterator

import numpy as np

from sknn.threshold.zero_one._lines import LineSearch
from sknn.threshold.zero_one._local_search import (
    NEGLIGIBLE,
    ErrorProblem,
    append_threshold,
    draw_line,
    fit_logistic_units,
)
from sknn.threshold.zero_one._tolerances import ROUNDING


class BinaryProblem(ErrorProblem):
    """Distinct samples, and what each is worth to a unit that fires on it.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
        Standardised samples, no two alike.
    positive, negative : ndarray of shape (n_samples,)
        Weight of the class that the unit stands for, and of the other, at each sample.
    """

    def __init__(self, Z: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> None:
        self.Z, self.positive, self.negative = Z, positive, negative
        self.inputs = append_threshold(Z)
        self.columns = np.ascontiguousarray(self.inputs.T)
        # Firing on a sample is right for `positive` and wrong for `negative`; not firing is the
        # other way round. So the weight of errors is the sum of `positive` less the gain of all
        # samples fired on.
        self.gain = positive - negative
        self.lines = LineSearch()
        self.tolerance = NEGLIGIBLE * (positive.sum() + negative.sum())
        #: reached where every sample is on the side where most of its weight is
        self.best_value = self.gain[self.gain > 0].sum()

    def compute_value(self, unit: np.ndarray) -> float:
        """Return the gain of the samples on which a unit fires: the weight of errors it avoids."""
        return float(self.gain[self.inputs @ unit >= 0].sum())

    def make_starts(self) -> Iterator[np.ndarray]:
        """Yield units of logistic regressions, of norm 1."""
        for weights, threshold in ((self.positive, 1.0), (self.negative, -1.0)):
            if not weights.any():  # nothing to tell apart: fires nowhere, or everywhere
                yield np.append(np.zeros(self.Z.shape[1]), threshold)
                return
        for units in fit_logistic_units(self.Z, np.column_stack([self.negative, self.positive])):
            norm = np.linalg.norm(units)
            yield units[0] / norm if norm > 0 else np.append(np.zeros(self.Z.shape[1]), 1.0)

    def improve(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return the unit after a line search along every coordinate and as many random lines."""
        unit, size = units, len(units)
        z = self.inputs @ unit
        for coordinate in random_state.permutation(size):
            axis, oblique = np.zeros(size), draw_line(size, random_state)
            axis[coordinate] = 1.0
            slopes = (self.columns[coordinate], self.inputs @ oblique)
            for line, slope in zip((axis, oblique), slopes, strict=True):
                low, high = self.lines.find_widest_interval(z, slope, self.gain, self.tolerance)
                # The middle as an angle: both ends may be infinite as numbers, but never as angles.
                t = np.tan((low + high) / 2)
                moved = unit + t * line
                # A unit times a positive number fires on the same samples: norm 1 keeps lines
                # comparable.
                norm = np.linalg.norm(moved)
                if norm > ROUNDING:
                    unit, z = moved / norm, (z + t * slope) / norm
        return unit

    def disturb(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return the unit with a random line added, of norm 1."""
        unit = units + draw_line(len(units), random_state)
        return unit / np.linalg.norm(unit)

    def centre(self, units: np.ndarray) -> np.ndarray:
        """Return the unit with its best threshold."""
        return centre_threshold(self, units)


def find_best_interval(
    problem: BinaryProblem, unit: np.ndarray, line: np.ndarray
) -> tuple[float, float]:
    """Search the line ``unit + t * line`` for the fewest errors; see `LineSearch`."""
    z, slope = problem.inputs @ unit, problem.inputs @ line
    return problem.lines.find_widest_interval(z, slope, problem.gain, problem.tolerance)


def _move(unit: np.ndarray, line: np.ndarray, t: float) -> np.ndarray:
    moved = unit + t * line
    norm = np.linalg.norm(moved)
    return moved / norm if norm > ROUNDING else unit


def centre_threshold(problem: BinaryProblem, unit: np.ndarray) -> np.ndarray:
    """Return the unit, of norm 1, with its best threshold, amid a gap between samples."""
    line = np.zeros_like(unit)
    line[-1] = 1.0
    low, high = find_best_interval(problem, unit, line)
    # Between two samples the threshold is in the middle of them as numbers, which is the largest
    # margin; beyond all samples there is no middle, and the angle's is taken.
    if low == -np.pi / 2 or high == np.pi / 2:  # beyond all samples
        return _move(unit, line, np.tan((low + high) / 2))
    return _move(unit, line, (np.tan(low) + np.tan(high)) / 2)
