"""Line searches find the widest of the best intervals, compiled or not, to the same bits."""

from itertools import pairwise

import numpy as np
import pytest

from sknn._jit import HAS_NUMBA
from sknn.threshold.zero_one._intervals import choose_interval
from sknn.threshold.zero_one._lines import LineSearch, choose_in_numpy

CASES = ["plain", "ties", "standing still", "weighted", "one sample", "none"]


def draw(case):
    """Return values, slopes and gains of samples."""
    rng = np.random.default_rng(CASES.index(case))
    n = {"one sample": 1, "none": 0}.get(case, 50)
    z, slope, gain = rng.normal(size=n), rng.normal(size=n), rng.choice([-1.0, 1.0], n)
    if case == "ties":
        z, slope = rng.integers(-3, 4, n) / 2.0, rng.choice([-1.0, 0.5, 1.0], n)
    if case == "standing still":
        slope[::3] = 0.0
    if case == "weighted":
        gain *= rng.random(n)
    return z, slope, gain


@pytest.mark.parametrize("case", CASES)
def test_the_interval_is_the_widest_with_the_best_value(case):
    z, slope, gain = draw(case)
    low, high = LineSearch().find_widest_interval(z, slope, gain, 1e-9)
    moving = slope != 0
    ends = np.sort(np.r_[-np.pi / 2, np.arctan(-z[moving] / slope[moving]), np.pi / 2])
    places = [(a, b) for a, b in pairwise(ends) if b - a > 1e-9]
    values = [gain[z + np.tan((a + b) / 2) * slope >= 0].sum() for a, b in places]
    widths = [b - a for (a, b), v in zip(places, values, strict=True) if v >= max(values) - 1e-9]
    assert (low, high) in places
    assert values[places.index((low, high))] >= max(values) - 1e-9
    assert high - low == pytest.approx(max(widths))


@pytest.mark.parametrize("case", CASES)
def test_compiled_code_takes_the_same_interval(case):
    z, slope, gain = draw(case)
    by_numpy = LineSearch()
    compiled = LineSearch(before_loading=0, before_compiling=1)
    for _ in range(3):
        found = compiled.find_widest_interval(z, slope, gain, 1e-9)
        assert found == by_numpy.find_widest_interval(z, slope, gain, 1e-9)
    assert by_numpy.choose is choose_in_numpy
    assert compiled.choose is (choose_interval if HAS_NUMBA else choose_in_numpy)
