"""Matrix products of small networks as compiled code, tile by tile.

All three products of a layer have one form: a left factor, which may be transposed, times a matrix
whose rows lie one behind the other. With weights W (n_inputs, n_outputs), inputs A (n_samples,
n_inputs) and deltas D (n_samples, n_outputs) they are

    Z = A W    for the sums,    G = Aᵀ D    for the gradient,    E = D Wᵀ    for the deltas before.

A turns into Aᵀ by exchanging the steps from number to number, at no cost; Wᵀ is the right factor,
whose rows vectors read, so that `turn` copies it. The bias, ReLU and its slope are applied while
the sums are still in registers. With sparse samples, each entry adds a multiple of a row of W to
Z, and of a row of D to G.
"""

import numpy as np

from sknn._jit import jit, jit_inlined
from sknn._vectors import count_lanes, view_matrix
from sknn.engine.kernels._sparse import SparseSamples
from sknn.engine.kernels._tiles import (
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
    """Write the product of two factors, changed by `finish`.

    Parameters
    ----------
    left : Left
        Left factor, of shape (n_rows, n_sums).
    right : ndarray of shape (n_sums, n_columns)
        Right factor.
    out : ndarray of shape (n_rows, n_columns)
        Product, overwritten. It may be the gate of `finish`, but no other argument.
    finish : Finish
        Start, floor and gate of the sums.
    """
    (n_rows, n_columns), factors = out.shape, (left, right)
    lanes, half, rows = count_lanes(out), count_half(out), count_rows(out)
    # Tiles go down strips of columns, in which the part of `right` stays in the nearest cache.
    # Where less than a whole tile is left, a smaller kind wastes fewer of its numbers.
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


@jit_inlined
def multiply_over_samples(
    left: Array, right: Array, out: Array, turned: Array, zeros: Array
) -> None:
    """Write leftᵀ right (n_rows, n_columns), a sum over samples.

    `left` is of shape (n_samples, n_rows), `right` (n_samples, n_columns). `turned` is space, which
    is not used where it is smaller than `out`; `zeros` are as many as there are rows or columns.
    """
    (n_rows, n_columns), none = out.shape, out.dtype.type(np.nan)
    if n_columns <= count_lanes(out) and n_columns < n_rows and out.size <= len(turned):
        # Few columns leave most of a vector empty, and rightᵀ left has them as rows. Each sum is
        # the same, number by number.
        across = view_matrix(turned, 0, n_columns, n_rows)
        finish = Finish(zeros, none, across, none)
        multiply(Left(right, 1, n_columns), left, across, finish)
        turn(across, out)
    else:
        multiply(Left(left, 1, n_rows), right, out, Finish(zeros, none, out, none))


@jit
def turn(matrix: Array, turned: Array) -> None:
    """Write the transpose (m, n) of a matrix (n, m)."""
    n, m = matrix.shape
    for i in range(m):
        for j in range(n):
            turned[i, j] = matrix[j, i]


@jit
def multiply_sparse(
    left: SparseSamples, order: Array, right: Array, out: Array, finish: Finish
) -> None:
    """Write the product of sparse samples and a matrix, as `multiply` does but without a gate."""
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
    """Write the product Xᵀ D of sparse samples X and a matrix `right` with a row per sample."""
    out[:] = 0
    for r in range(len(order)):
        row, i = right[r], order[r]
        for k in range(left.starts[i], left.starts[i + 1]):
            x, own = left.values[k], out[left.columns[k]]
            for c in range(len(row)):
                own[c] += x * row[c]
