"""Products by tiles are NumPy's, at all shapes and on processors without wide vectors, too."""

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is not installed")

from sknn._jit import IS_PLAIN, jit, list_parts
from sknn.engine.kernels._products import multiply, multiply_over_samples, turn
from sknn.engine.kernels._tiles import PLAIN_LANES, PLAIN_ROWS, Finish, Left, _compute_tile

SHAPES = [(1, 1, 1), (5, 3, 7), (9, 0, 20), (8, 4, 16), (33, 20, 49), (12, 150, 3), (4, 7, 100)]


@jit
def work_out(A, is_turned, B, out, finish):
    width = A.shape[1]
    left = Left(A.reshape(A.size), 1, width) if is_turned else Left(A.reshape(A.size), width, 1)
    multiply(left, B, out, finish)


def draw(shape, dtype):
    rng = np.random.default_rng(0)
    n, k, m = shape
    sizes = (n, k), (k, m), (n, m), (m,)
    return [rng.normal(size=size).astype(dtype) for size in sizes]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_product_is_numpys(shape, dtype):
    A, B, gate, start = draw(shape, dtype)
    scale, nan = np.abs(A) @ np.abs(B) + np.abs(start), B.dtype.type(np.nan)
    zero, zeros = B.dtype.type(0), np.zeros_like(start)
    wanted = {
        "plain": (Finish(zeros, nan, gate, nan), A @ B),
        "raised": (Finish(start, zero, gate, nan), np.maximum(A @ B + start, 0)),
        "gated": (Finish(start, nan, gate, zero), np.where(gate > 0, A @ B + start, 0)),
    }
    for finish, right in wanted.values():
        for left, is_turned in ((A, False), (np.ascontiguousarray(A.T), True)):
            around = np.full((shape[0] + 2, shape[2]), 7, dtype)
            work_out(left, is_turned, B, around[1:-1], finish)
            assert (np.abs(around[1:-1] - right) <= 4 * np.finfo(dtype).eps * scale).all()
            assert (around[[0, -1]] == 7).all()


@jit
def sum_over_samples(left, right, out, turned, zeros):
    multiply_over_samples(left, right, out, turned, zeros)


@pytest.mark.parametrize("n_columns", [1, 3, 40])
def test_a_sum_over_samples_is_the_same_to_the_bit_whichever_factor_comes_first(n_columns):
    A, B, out, _ = draw((20, 60, n_columns), "float64")
    A, other = np.ascontiguousarray(A.T), np.empty_like(out)
    sum_over_samples(A, B, out, np.full(20 * n_columns, np.nan), np.zeros(60))
    sum_over_samples(A, B, other, np.empty(0), np.zeros(60))
    np.testing.assert_allclose(out, A.T @ B, rtol=1e-12)
    np.testing.assert_array_equal(out, other)


@pytest.mark.parametrize("shape", [(5, 3, 7), (33, 20, 49)])
def test_what_instructions_do_is_written_beside_them(shape):
    """Tile by tile, with the lanes and rows that Python has."""
    A, B, gate, start = draw(shape, "float64")
    out, left = np.full_like(gate, np.nan), Left(A, A.shape[1], 1)
    rows, lanes = PLAIN_ROWS, PLAIN_LANES
    finish = Finish(start, -1.0, gate, 0.0)
    for place in product(range(0, shape[0], rows), range(0, shape[2], lanes)):
        _compute_tile((left, B), out, finish, place, (rows, lanes))
    np.testing.assert_allclose(out, np.where(gate > 0, np.maximum(A @ B + start, -1), 0))


def test_nan_stays_nan():
    A, B, gate, start = draw((9, 3, 5), "float64")
    A[2, 1] = np.nan
    out = np.empty_like(gate)
    work_out(A, False, B, out, Finish(start, 0.0, np.full_like(gate, np.nan), 0.0))
    np.testing.assert_array_equal(np.isnan(out), np.isnan(A).any(1)[:, None] & np.ones(5, bool))


def test_a_matrix_is_turned():
    matrix, turned = np.arange(6.0).reshape(2, 3), np.empty((3, 2))
    turn(matrix, turned)
    np.testing.assert_array_equal(turned, matrix.T)


def test_products_are_numpys_on_a_processor_without_wide_vectors():
    settings = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    command += ["-k", "numpys and 33 and float32 or nan"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **settings}, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.skipif(IS_PLAIN, reason="no instructions are written")
def test_how_instructions_are_written_is_part_of_what_code_is_kept_for():
    """What writes them is no function of numba's; tests/test_jit.py has a change of such a one."""
    assert {"sknn._vectors.Vectors.fill", "sknn._vectors.Vectors.spread"} <= {*list_parts(multiply)}
