"""Tiles of matrix products as vector instructions, which numba makes of no loop.

A tile is a block of a product so small that its sums stay in registers while the factors go by: a
number of the left factor that is read takes part in as many multiplications as the tile is wide,
one of the right factor in as many as it is high. For a tile (n_rows, n_columns) and each k,

    for all rows i:  sums[i, :] += left[i, k] * right[k, :],

where left[i, k] is spread over a vector and right[k, :] are vectors of neighbouring numbers. The
types and operations here are LLVM's, with vectors as wide as the processor's; LLVM knows the
instructions for them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sknn._vectors import (
    PLAIN_LANES,
    InlinedCall,
    Vectors,
    count_lanes_of,
    get_vector_bits,
    make_instructions,
    return_number,
)

if TYPE_CHECKING:
    from llvmlite.ir import Value

    from sknn._jit import CPUContext, Float

#: number of vectors beside each other in a tile
N_VECTORS = 2


class Left(NamedTuple):
    """The left factor of a product, of shape (n_rows, n_sums): a matrix, or a transposed one.

    Attributes
    ----------
    values : ndarray
        Numbers of the matrix.
    row_step, sum_step : int
        Distances from a number to the next one in the same column, and in the same row.
    """

    values: np.ndarray
    row_step: int
    sum_step: int


class Finish(NamedTuple):
    """Operations on the sums of a product before they are written.

    A layer forward has its bias as start and, for ReLU, the floor 0; a layer backward has the
    values of ReLU as gate and the limit 0, which is its slope. No comparison with NaN holds, so
    that NaN switches floor or gate off without a branch.

    Attributes
    ----------
    start : ndarray of shape (n_columns,)
        First values of the sums.
    floor : float
        Least value, to which smaller sums are raised; NaN for none.
    gate : ndarray of shape (n_rows, n_columns)
        Numbers that decide which sums are kept.
    limit : float
        Sums whose gate is not above the limit become 0; NaN for none.
    """

    start: np.ndarray
    floor: float
    gate: np.ndarray
    limit: float


def count_half_of(context: "CPUContext", kind: "Float") -> int:
    """Return the number of lanes of a half vector, for the last few columns of a product."""
    # A processor that splits its widest vectors in two computes half of one in half of the time.
    return max(2, count_lanes_of(context, kind) // 2)


def count_rows_of(context: "CPUContext") -> int:
    """Return how many rows a whole tile has."""
    # With two vectors in a row, the sums take up half of the 32 (AVX-512) or 16 registers. The
    # others hold the factors; with more sums LLVM would keep some of them in memory.
    return 8 if get_vector_bits(context) == 512 else 4


#: lanes of a half vector and rows of a whole tile where functions are Python
PLAIN_HALF, PLAIN_ROWS = 2, 4
count_half = return_number(count_half_of, PLAIN_HALF)
count_rows = return_number(lambda context, kind: count_rows_of(context), PLAIN_ROWS)


def _make_tile(
    *, is_high: bool, is_wide: bool, count: Callable[["CPUContext", "Float"], int] = count_lanes_of
) -> Callable[..., None]:
    """Return a function that computes a tile of a product, in vectors of `count` lanes.

    A high tile has `count_rows` rows, another one half of them. A wide one has two whole vectors in
    a row, another one a vector of which the last lanes may be unused. The arguments are a `Left`
    with the right factor, the product (n_rows, n_columns), a `Finish`, and the row and column at
    which the tile begins. It may reach beyond the last row, which is then computed more than once,
    to the same numbers.
    """

    def write(call: InlinedCall) -> None:
        kind = call.get_dtype(1)
        n_rows = count_rows_of(call.context) // (1 if is_high else 2)
        shape = n_rows, N_VECTORS if is_wide else 1
        _write_tile(call, Vectors(call, kind, count(call.context, kind)), shape)

    n_lanes = PLAIN_LANES if count is count_lanes_of else PLAIN_HALF
    shape = PLAIN_ROWS // (1 if is_high else 2), n_lanes * (N_VECTORS if is_wide else 1)

    def compute(
        factors: tuple[Left, np.ndarray], out: np.ndarray, finish: Finish, place: tuple[int, int]
    ) -> None:
        _compute_tile(factors, out, finish, place, shape)

    return make_instructions(write, compute)


def _compute_tile(
    factors: tuple[Left, np.ndarray],
    out: np.ndarray,
    finish: Finish,
    place: tuple[int, int],
    shape: tuple[int, int],
) -> None:
    """Compute a tile of shape (rows, columns) as `_write_tile`'s instructions do."""
    left, right = factors
    rows = np.minimum(place[0] + np.arange(shape[0]), len(out) - 1)[:, None]
    columns = np.arange(place[1], min(place[1] + shape[1], out.shape[1]))
    sums = finish.start[columns] + np.zeros((shape[0], 1), out.dtype)
    numbers = left.values.reshape(-1)
    for k in range(len(right)):
        sums += numbers[rows * left.row_step + k * left.sum_step] * right[k, columns]
    sums = np.where(sums < finish.floor, finish.floor, sums)
    if not np.isnan(finish.limit):
        sums = np.where(finish.gate[rows, columns] <= finish.limit, 0.0, sums)
    out[rows, columns] = sums


def _write_tile(call: InlinedCall, vectors: Vectors, shape: tuple[int, int]) -> None:
    """Write the instructions of a tile of shape (rows, vectors)."""
    # Arguments: 0 (left, right), 1 the product Z, 2 the `Finish`, 3 (first row, first column).
    b, Z = call.builder, call.open_array(1)
    n_rows, width = (b.extract_value(Z.shape, i) for i in (0, 1))
    first_row, column = (call.get(3, i) for i in (0, 1))
    if shape[1] == 1:
        vectors.keep_first(b.sub(width, column))
    rows = vectors.list_rows(first_row, n_rows, shape[0])
    sums = _write_sums(call, vectors, rows, shape[1])
    # Places of the sums in matrices of Z's shape, one address for each vector of a row.
    lines = [b.add(b.mul(row, width), column) for row in rows]
    gates, places = (
        [at for line in lines for at in vectors.find(base, line, shape[1])]
        for base in (call.open_array(2, 2).data, Z.data)
    )
    _write_finish(call, vectors, sums, gates)
    for s, place in zip(sums, places, strict=True):
        vectors.store(b.load(s), place)


def _write_sums(
    call: InlinedCall, vectors: Vectors, rows: list["Value"], n_wide: int
) -> list["Value"]:
    """Write the sums of products; return their variables, `n_wide` for each row."""
    b, B = call.builder, call.open_array(0, 1)
    numbers = call.open_array(0, 0, 0).data
    row_step, sum_step = (call.get(0, 0, i) for i in (1, 2))
    width, column = b.extract_value(call.open_array(1).shape, 1), call.get(3, 1)
    # All sums begin with the start. `keep` gives variables, of which LLVM makes registers.
    start = call.open_array(2, 0).data
    begin = [vectors.load(at) for at in vectors.find(start, column, n_wide)]
    sums = [[vectors.keep(value) for value in begin] for _ in rows]
    lefts = [b.gep(numbers, [b.mul(row, row_step)]) for row in rows]
    # For each k a row of B is read once, and one number of the left factor for each row of sums.
    with vectors.tools.for_range(b, b.extract_value(B.shape, 0)) as loop:
        line = b.add(b.mul(loop.index, width), column)
        wide = [vectors.load(at) for at in vectors.find(B.data, line, n_wide)]
        offset = b.mul(loop.index, sum_step)
        for row, own in zip(lefts, sums, strict=True):
            x = vectors.spread(b.load(b.gep(row, [offset])))
            for w, s in zip(wide, own, strict=True):
                b.store(vectors.multiply_and_add(x, w, b.load(s)), s)
    return [s for own in sums for s in own]


def _write_finish(
    call: InlinedCall, vectors: Vectors, sums: list["Value"], gates: list["Value"]
) -> None:
    """Write what a `Finish` does with sums; `gates` are the addresses of their gates."""
    # Ordered comparisons are false for NaN: without a floor `select` keeps z; and a z that is NaN
    # stays so, with which training is seen to diverge. A limit that is NaN is no limit.
    b, limit = call.builder, call.get(2, 3)
    floor = vectors.spread(call.get(2, 1))
    for s in sums:
        z = b.load(s)
        b.store(b.select(b.fcmp_ordered("<", z, floor), floor, z), s)
    with b.if_then(b.fcmp_ordered("==", limit, limit)):
        highest = vectors.spread(limit)
        for s, gate in zip(sums, gates, strict=True):
            is_shut = b.fcmp_ordered("<=", vectors.load(gate), highest)
            b.store(b.select(is_shut, vectors.fill(0.0), b.load(s)), s)


high_wide, high_narrow = (_make_tile(is_high=True, is_wide=wide) for wide in (True, False))
low_wide, low_narrow = (_make_tile(is_high=False, is_wide=wide) for wide in (True, False))
high_half, low_half = (
    _make_tile(is_high=high, is_wide=False, count=count_half_of) for high in (True, False)
)
