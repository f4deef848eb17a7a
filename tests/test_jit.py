"""The door to numba: the same function with it and without."""

import numpy as np
import pytest

from sknn import _jit


def add_squares(values):
    total = 0.0
    for value in values:
        total += value * value
    return total


def test_a_function_does_the_same_compiled_or_not(monkeypatch):
    pytest.importorskip("numba", reason="numba is not installed")
    values = np.linspace(0, 1, 11)
    compiled = _jit.jit(add_squares)
    monkeypatch.setattr(_jit, "HAS_NUMBA", False)
    plain = _jit.jit(add_squares)
    assert plain is add_squares
    assert compiled(values) == plain(values) == sum(values**2)
    assert not _jit.is_kept(plain)
    assert _jit.is_kept(compiled)
    assert _jit.is_compiled(compiled)


def test_a_function_that_cannot_be_kept_is_compiled_all_the_same(tmp_path):
    pytest.importorskip("numba", reason="numba is not installed")
    space = {}
    exec("def double(x):\n    return 2 * x\n", space)  # code without a file has no place to stay
    compiled = _jit.jit(space["double"])
    assert compiled(3) == 6
    assert not _jit.is_kept(compiled)
