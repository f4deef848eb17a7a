"""Exact line searches, in NumPy, and compiled once a search has seen many lines."""

from collections.abc import Callable
from importlib import import_module

import numpy as np

from sknn._jit import explain_not_kept, is_compiled
from sknn.threshold.zero_one._tolerances import NARROWER, ROUNDING

#: lines of one search after which compiled code is loaded (0.2 s, which it saves on so many lines
#: of a thousand samples each), and after which it is made if it is not there (1 s more)
N_BEFORE_LOADING, N_BEFORE_COMPILING = 20_000, 100_000

#: gets ends (n_samples + 2,), the order (n_samples,) of the crossings, slopes and gains
#: (n_samples,), and a tolerance; returns the number of an interval
Choose = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float], int]


def choose_in_numpy(
    ends: np.ndarray, order: np.ndarray, slope: np.ndarray, gain: np.ndarray, tolerance: float
) -> int:
    """Return what `sknn.threshold.zero_one._intervals.choose_interval` does."""
    values, change = np.empty(len(ends) - 1), np.copysign(gain, slope * gain)
    values[0] = 0.0
    change.take(order).cumsum(out=values[1:])
    widths = ends[1:] - ends[:-1]
    values[widths <= ROUNDING] = -np.inf
    best = np.flatnonzero(values >= values.max() - tolerance)
    width = widths[best]
    return int(best[np.argmax(width >= width.max() * (1 - NARROWER))])


class LineSearch:
    """Finds the best interval of one line after the other.

    Parameters
    ----------
    before_loading, before_compiling : int
        Lines before compiled code is loaded, and made.
    """

    def __init__(
        self,
        before_loading: int = N_BEFORE_LOADING,
        before_compiling: int = N_BEFORE_COMPILING,
    ) -> None:
        self.limits = before_loading, before_compiling
        self.n_lines = 0
        self.choose: Choose = choose_in_numpy

    def find_widest_interval(
        self, z: np.ndarray, slope: np.ndarray, gain: np.ndarray, tolerance: float
    ) -> tuple[float, float]:
        """Search a line exactly, in the time of a sort; return the ends as angles arctan t.

        A unit fires on a sample where ``z + t * slope >= 0``, which is worth its gain; all three
        are of shape (n_samples,). Of the intervals with the best value, up to the tolerance, the
        widest is taken, of equally wide ones the first.
        """
        # A sample changes sides once, at t = -z / slope: between two such crossings the value is
        # constant, and from one interval to the next it changes by the gain of the sample that is
        # crossed, with the sign of its slope. So a cumulative sum over the sorted crossings is the
        # value of every t, up to that at t = -inf. Widths are those of angles arctan t, from -π/2
        # to π/2, which give the two outer intervals a width too, and do not favour those far away.
        if self.n_lines in self.limits:
            self._load(may_compile=self.n_lines == self.limits[1])
        self.n_lines += 1
        if not slope.all():  # without a slope a sample never changes sides
            moving = np.flatnonzero(slope)
            z, slope, gain = z[moving], slope[moving], gain[moving]
        # NumPy's arctan and sort are vector code, which compiled loops are not.
        crossings = z / slope
        np.arctan(np.negative(crossings, out=crossings), out=crossings)
        order = crossings.argsort()
        ends = np.empty(len(z) + 2)
        ends[0], ends[-1] = -np.pi / 2, np.pi / 2
        crossings.take(order, out=ends[1:-1])
        chosen = self.choose(ends, order, slope, gain, tolerance)
        return float(ends[chosen]), float(ends[chosen + 1])

    def _load(self, may_compile: bool) -> None:
        """Let compiled code choose, if it is there, or may be made."""
        numbers, places = np.empty(0), np.empty(0, np.intp)
        examples = numbers, places, numbers, numbers, 0.0
        function = import_module("sknn.threshold.zero_one._intervals").choose_interval
        can_compile = may_compile and explain_not_kept(function, *examples) is None
        if can_compile or is_compiled(function, *examples):
            self.choose = function
