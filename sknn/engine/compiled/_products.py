"""Matrix products of small networks as compiled code, tile by tile.

All three products of a layer have one form: a left factor, which may be turned, times a matrix
whose rows lie one behind the other. With weights W of shape (n_inputs, n_outputs) they are

    Z = A W    for the sums,    G = Aᵀ D    for the gradient,    E = D Wᵀ    for the deltas before.

Bias, ReLU and its slope are taken care of while the sums are still in registers. Of sparse samples
each entry adds a multiple of a row of W to Z, and of a row of D to G.
"""

import numpy as np

from sknn._jit import jit
from sknn._vectors import count_lanes
from sknn.engine.compiled._codes import SparseSamples
from sknn.engine.compiled._tiles import (
    N_VECTORS,
    Finish,
    Left,
    count_half,
    count_rows,
    high_half,
    high_narrow,
    high_wide,
    low_half,
    low_narrow,
    low_wide,
)

Array = np.ndarray


@jit
def multiply(left: Left, right: Array, out: Array, finish: Finish) -> None:
    """Write a product.

    Parameters
    ----------
    left : Left
        Of shape (n_rows, n_sums).
    right : ndarray of shape (n_sums, n_columns)
    out : ndarray of shape (n_rows, n_columns)
        Overwritten; none of the others, but for the gate.
    finish : Finish
    """
    (n_rows, n_columns), factors = out.shape, (left, right)
    lanes, half, rows = count_lanes(out), count_half(out), count_rows(out)
    column = 0
    while column < n_columns:
        is_wide = column + N_VECTORS * lanes <= n_columns
        is_half = n_columns - column <= half
        row = 0
        while row < n_rows:
            place = (row, column)
            is_high = n_rows - row > rows // 2
            if is_wide and is_high:
                high_wide(factors, out, finish, place)
            elif is_wide:
                low_wide(factors, out, finish, place)
            elif is_half and is_high:
                high_half(factors, out, finish, place)
            elif is_half:
                low_half(factors, out, finish, place)
            elif is_high:
                high_narrow(factors, out, finish, place)
            else:
                low_narrow(factors, out, finish, place)
            row += rows if is_high else rows // 2
        column += N_VECTORS * lanes if is_wide else lanes


@jit
def turn(matrix: Array, turned: Array) -> None:
    """Write a matrix of shape (n, m) with rows and columns exchanged, of shape (m, n)."""
    n, m = matrix.shape
    for i in range(m):
        for j in range(n):
            turned[i, j] = matrix[j, i]


@jit
def multiply_sparse(
    left: SparseSamples, order: Array, right: Array, out: Array, finish: Finish
) -> None:
    """Write a product as `multiply` does, without a gate; its left factor are sparse samples."""
    for r in range(len(order)):
        row, i = out[r], order[r]
        for c in range(len(row)):
            row[c] = finish.start[c]
        for k in range(left.starts[i], left.starts[i + 1]):
            x, own = left.values[k], right[left.columns[k]]
            for c in range(len(row)):
                row[c] += x * own[c]
        for c in range(len(row)):
            row[c] = finish.floor if row[c] < finish.floor else row[c]


@jit
def multiply_sparse_turned(left: SparseSamples, order: Array, right: Array, out: Array) -> None:
    """Write the product of sparse samples, turned, and of a matrix with a row for each sample."""
    out[:] = 0
    for r in range(len(order)):
        row, i = right[r], order[r]
        for k in range(left.starts[i], left.starts[i + 1]):
            x, own = left.values[k], out[left.columns[k]]
            for c in range(len(row)):
                own[c] += x * row[c]
