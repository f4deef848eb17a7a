"""The choice of an interval of a line as compiled code."""

import numpy as np

from sknn._jit import jit_kept
from sknn.threshold.zero_one._tolerances import NARROWER, ROUNDING


@jit_kept
def choose_interval(
    ends: np.ndarray, order: np.ndarray, slope: np.ndarray, gain: np.ndarray, tolerance: float
) -> int:
    """Return the number of the widest of the best intervals, the first of equal ones.

    Parameters
    ----------
    ends : ndarray of shape (n_samples + 2,)
        Sorted angles between which the intervals lie.
    order : ndarray of int of shape (n_samples,)
        Number of the sample that is crossed at each end but the outer ones.
    slope, gain : ndarray of shape (n_samples,)
        A sample is crossed upwards, and its gain added, where its slope is positive.
    tolerance : float
        Values closer than this are equal.
    """
    values = np.empty(len(order) + 1)
    value, best = 0.0, -np.inf
    for k in range(len(values)):
        if k > 0:
            i = order[k - 1]
            value += gain[i] if slope[i] > 0 else -gain[i]
        # An interval without a width lies between samples that are crossed at one place.
        values[k] = value if ends[k + 1] - ends[k] > ROUNDING else -np.inf
        best = max(best, values[k])
    widest, chosen = 0.0, 0
    for k in range(len(values)):
        if values[k] >= best - tolerance:
            widest = max(widest, ends[k + 1] - ends[k])
    while values[chosen] < best - tolerance or (
        ends[chosen + 1] - ends[chosen] < widest * (1 - NARROWER)
    ):
        chosen += 1
    return chosen
