"""Tiles of matrix products as vector instructions, which numba makes of no loop.

A tile is a block of a product so small that its sums stay in registers while the factors go by: a
number of the left factor that is read takes part in as many multiplications as the tile is wide,
one of the right factor in as many as it is high. For a tile (n_rows, n_columns) and each k,

    for all rows i:  sums[i, :] += left[i, k] * right[k, :],

where left[i, k] is spread over a vector and right[k, :] are vectors of neighbouring numbers. The
types and operations here are LLVM's, with vectors as wide as the processor's; LLVM knows the
instructions for them.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sknn._jit import make_intrinsic, make_signature
from sknn._vectors import PLAIN_LANES, Vectors, count_lanes_of, get_vector_bits, return_number

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value

    from sknn._jit import CPUContext, Float, NumbaType, Signature, TypingContext

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
    is_high: bool, is_wide: bool, count: Callable[["CPUContext", "Float"], int] = count_lanes_of
) -> Callable[..., None]:
    """Return a function that computes a tile of a product.

    Parameters
    ----------
    is_high : bool
        Whether the tile has `count_rows` rows, or half of them.
    is_wide : bool
        Whether it has two whole vectors in a row, or one of which the last lanes may be unused.
    count : callable, default=count_lanes_of
        Function that returns the number of lanes of a vector.

    Returns
    -------
    function
        Function of a `Left` with the right factor, the product (n_rows, n_columns), a `Finish`,
        and the row and column at which the tile begins. A tile may reach beyond the last row,
        which is then computed more than once, to the same numbers.
    """

    def define(
        typing: "TypingContext",
        factors: "NumbaType",
        out: "NumbaType",
        finish: "NumbaType",
        place: "NumbaType",
    ) -> Any:
        def write(
            context: "CPUContext",
            builder: "IRBuilder",
            signature: "Signature",
            values: "Sequence[Value]",
        ) -> "Value":
            kind = signature.args[1].dtype
            vectors = Vectors(context, builder, kind, count(context, kind))
            n_rows = count_rows_of(context) // (1 if is_high else 2)
            shape = n_rows, N_VECTORS if is_wide else 1
            _write_tile(context, vectors, signature.args, values, shape)
            return context.get_dummy_value()

        return make_signature("void", factors, out, finish, place), write

    n_lanes = PLAIN_LANES if count is count_lanes_of else PLAIN_HALF
    shape = PLAIN_ROWS // (1 if is_high else 2), n_lanes * (N_VECTORS if is_wide else 1)

    def compute(
        factors: tuple[Left, np.ndarray], out: np.ndarray, finish: Finish, place: tuple[int, int]
    ) -> None:
        _compute_tile(factors, out, finish, place, shape)

    return make_intrinsic(define, compute)


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


def _write_tile(
    context: "CPUContext",
    vectors: Vectors,
    kinds: tuple[Any, ...],
    values: "Value",
    shape: tuple[int, int],
) -> None:
    """Write the instructions of a tile of shape (rows, vectors)."""
    # The arguments in LLVM's form: `b` writes instructions, B is the right factor, Z the product.
    b, (factors, out, finish, place) = vectors.builder, values
    (of_left, of_right), of_out, of_finish = kinds[0].types, kinds[1], kinds[2]
    left = b.extract_value(factors, 0)
    B = context.make_array(of_right)(context, b, b.extract_value(factors, 1))
    Z = context.make_array(of_out)(context, b, out)
    start, gate = (
        context.make_array(of_finish.types[i])(context, b, b.extract_value(finish, i)).data
        for i in (0, 2)
    )
    numbers = context.make_array(of_left.types[0])(context, b, b.extract_value(left, 0)).data
    row_step, sum_step = (b.extract_value(left, i) for i in (1, 2))
    n_rows, width = (b.extract_value(Z.shape, i) for i in (0, 1))
    first_row, column = (b.extract_value(place, i) for i in (0, 1))
    if shape[1] == 1:
        vectors.keep_first(b.sub(width, column))

    # All sums begin with the start. `keep` gives variables, of which LLVM makes registers.
    rows = vectors.list_rows(first_row, n_rows, shape[0])
    begin = [vectors.load(at) for at in vectors.find(start, column, shape[1])]
    sums = [[vectors.keep(value) for value in begin] for _ in rows]
    lefts = [b.gep(numbers, [b.mul(row, row_step)]) for row in rows]
    # For each k a row of B is read once, and one number of the left factor for each row of sums.
    with vectors.tools.for_range(b, b.extract_value(B.shape, 0)) as loop:
        line = b.add(b.mul(loop.index, width), column)
        wide = [vectors.load(at) for at in vectors.find(B.data, line, shape[1])]
        offset = b.mul(loop.index, sum_step)
        for row, own in zip(lefts, sums, strict=True):
            x = vectors.spread(b.load(b.gep(row, [offset])))
            for w, s in zip(wide, own, strict=True):
                b.store(vectors.multiply_and_add(x, w, b.load(s)), s)

    # Ordered comparisons are false for NaN: without a floor `select` keeps z; and a z that is NaN
    # stays so, with which training is seen to diverge. A limit that is NaN is no limit.
    lines = [b.add(b.mul(row, width), column) for row in rows]
    gates, places = ([vectors.find(base, at, shape[1]) for at in lines] for base in (gate, Z.data))
    number, limit = (b.extract_value(finish, i) for i in (1, 3))
    floor = vectors.spread(number)
    for own in sums:
        for s in own:
            z = b.load(s)
            b.store(b.select(b.fcmp_ordered("<", z, floor), floor, z), s)
    with b.if_then(b.fcmp_ordered("==", limit, limit)):
        highest = vectors.spread(limit)
        for own, at in zip(sums, gates, strict=True):
            for s, open_at in zip(own, at, strict=True):
                is_shut = b.fcmp_ordered("<=", vectors.load(open_at), highest)
                b.store(b.select(is_shut, vectors.fill(0.0), b.load(s)), s)
    for own, at in zip(sums, places, strict=True):
        for s, place in zip(own, at, strict=True):
            vectors.store(b.load(s), place)


high_wide, high_narrow = _make_tile(True, True), _make_tile(True, False)
low_wide, low_narrow = _make_tile(False, True), _make_tile(False, False)
high_half = _make_tile(True, False, count_half_of)
low_half = _make_tile(False, False, count_half_of)
