"""Minimise the number of errors of a unit per class, where the largest margin decides.

Along a line in the weights of a single unit, a sample changes between its class and the best of the
others once, so that the exact line search for one unit works here too: the other units stand in
for the threshold.
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


class ClassesProblem(ErrorProblem):
    """Distinct samples, and the weight of each class at each.

    Units are rows of an array of shape (n_classes, n_features + 1), the threshold last; the mean
    of their squared norms is 1.

    Parameters
    ----------
    Z : ndarray of shape (n_samples, n_features)
        Standardised samples, no two alike.
    of_class : ndarray of shape (n_samples, n_classes)
        Every class has some weight; two classes or more.
    """

    def __init__(self, Z: np.ndarray, of_class: np.ndarray) -> None:
        self.Z, self.of_class = Z, of_class
        self.inputs = append_threshold(Z)
        self.columns = np.ascontiguousarray(self.inputs.T)
        self.lines = LineSearch()
        self.tolerance = NEGLIGIBLE * of_class.sum()
        self.best_value = of_class.max(axis=1).sum()

    def compute_value(self, units: np.ndarray) -> float:
        """Return the weight of the samples that are given their class."""
        return float(self._get_weights_of((self.inputs @ units.T).argmax(axis=1)).sum())

    def _get_weights_of(self, classes: np.ndarray) -> np.ndarray:
        return np.take_along_axis(self.of_class, classes[:, None], axis=1).ravel()

    def make_starts(self) -> Iterator[np.ndarray]:
        """Yield the units of logistic regressions."""
        for units in fit_logistic_units(self.Z, self.of_class):
            yield _normalise(np.vstack([-units, units]) if len(units) == 1 else units)

    def improve(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return the units after line searches along each weight and as many random lines."""
        units = units.copy()
        for number in random_state.permutation(len(units)):
            self._improve(units, number, random_state)
            units = _normalise(units)
        return units

    def _improve(self, units: np.ndarray, number: int, random_state: np.random.RandomState) -> None:
        # Moving one unit changes who wins against the best of the others, its rival: a sample is
        # given the class of this unit where z = own - rival is not negative, and is then worth the
        # weight of that class less that of the rival's. So the search along a line is that of two
        # classes.
        margins = self.inputs @ units.T
        own = margins[:, number].copy()
        margins[:, number] = -np.inf
        rival = margins.argmax(axis=1)
        z = own - margins.max(axis=1)
        gain = self.of_class[:, number] - self._get_weights_of(rival)
        size = units.shape[1]
        for coordinate in random_state.permutation(size):
            axis, oblique = np.zeros(size), draw_line(size, random_state)
            axis[coordinate] = 1.0
            slopes = (self.columns[coordinate], self.inputs @ oblique)
            for line, slope in zip((axis, oblique), slopes, strict=True):
                low, high = self.lines.find_widest_interval(z, slope, gain, self.tolerance)
                t = np.tan((low + high) / 2)
                units[number] += t * line
                z += t * slope

    def disturb(self, units: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
        """Return the units with a random line added to each."""
        lines = [draw_line(units.shape[1], random_state) for _ in units]
        return _normalise(units + lines)

    def centre(self, units: np.ndarray) -> np.ndarray:
        """Return the units as they are: no threshold of one is in a gap of its own."""
        return units


def _normalise(units: np.ndarray) -> np.ndarray:
    # The largest of units stays the largest when all are multiplied by one number, but not when
    # each has norm 1: they are compared with each other.
    norm = np.sqrt(np.mean(np.sum(units**2, axis=1)))
    return units / norm if norm > ROUNDING else units
