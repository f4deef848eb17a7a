"""The door to numba: the same function with it and without."""

import numpy as np

from sknn import _jit


def add_squares(values):
    total = 0.0
    for value in values:
        total += value * value
    return total


def test_a_function_does_the_same_compiled_or_not(monkeypatch):
    values = np.linspace(0, 1, 11)
    compiled = _jit.jit(add_squares)
    monkeypatch.setattr(_jit, "HAS_NUMBA", False)
    plain = _jit.jit(add_squares)
    assert plain is add_squares
    assert compiled(values) == plain(values) == sum(values**2)
