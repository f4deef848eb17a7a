"""Tiles of matrix products as vector instructions, which no loop of numba becomes.

A tile is a block of a product so small that its sums stay in registers, while the factors go by:
each number of the left factor that is read takes part in as many multiplications as the tile is
wide, each one of the right factor in as many as it is high. What LLVM is told here are vectors as
wide as the processor's; it knows the instructions for them.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sknn._jit import make_intrinsic, make_signature
from sknn._vectors import Vectors, count_lanes_of, get_vector_bits, return_number

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value

    from sknn._jit import CPUContext, Float, NumbaType, Signature, TypingContext

#: vectors beside each other in a tile
N_VECTORS = 2


class Left(NamedTuple):
    """The left factor of a product, of shape (n_rows, n_sums): a matrix, or one turned.

    Attributes
    ----------
    values : ndarray of shape (n,)
    row_step, sum_step : int
        From a number to the next one in the same column, and in the same row.
    """

    values: np.ndarray
    row_step: int
    sum_step: int


class Finish(NamedTuple):
    """What is done with sums of products before they are written, and where.

    Attributes
    ----------
    start : ndarray of shape (n_columns,)
        What they begin with.
    floor : float
        They are raised to it; NaN for none.
    gate : ndarray of shape (n_rows, n_columns)
    limit : float
        They are 0 where the gate is not above the limit; NaN for none.
    """

    start: np.ndarray
    floor: float
    gate: np.ndarray
    limit: float


def count_half_of(context: "CPUContext", kind: "Float") -> int:
    """Return how many numbers of a vector are computed where few columns are left.

    A processor that splits its widest vectors in two does half of them in half of the time.
    """
    return max(2, count_lanes_of(context, kind) // 2)


def count_rows_of(context: "CPUContext") -> int:
    """Return how many rows a whole tile has; its sums take up half of the registers."""
    return 8 if get_vector_bits(context) == 512 else 4


count_half = return_number(count_half_of)
count_rows = return_number(lambda context, kind: count_rows_of(context))


def _make_tile(
    is_high: bool, is_wide: bool, count: Callable[["CPUContext", "Float"], int] = count_lanes_of
) -> Callable[..., None]:
    """Return a function that computes a tile of a product.

    Parameters
    ----------
    is_high : bool
        Whether it has `count_rows` rows, or half of them.
    is_wide : bool
        Whether it has two whole vectors in a row, or one of which some lanes may not count.
    count : callable, default=count_lanes_of
        How many numbers a vector has.

    Returns
    -------
    function
        Of a `Left` with the right factor, the product, of shape (n_rows, n_columns), a `Finish`,
        and the row and the column at which the tile begins. It may reach beyond the last row,
        which is then computed more than once.
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

    return make_intrinsic(define)


def _write_tile(
    context: "CPUContext",
    vectors: Vectors,
    kinds: tuple[Any, ...],
    values: "Value",
    shape: tuple[int, int],
) -> None:
    """Write the instructions of a tile of so many rows and vectors."""
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

    rows = vectors.list_rows(first_row, n_rows, shape[0])
    begin = [vectors.load(at) for at in vectors.find(start, column, shape[1])]
    sums = [[vectors.keep(value) for value in begin] for _ in rows]
    lefts = [b.gep(numbers, [b.mul(row, row_step)]) for row in rows]
    with vectors.tools.for_range(b, b.extract_value(B.shape, 0)) as loop:
        line = b.add(b.mul(loop.index, width), column)
        wide = [vectors.load(at) for at in vectors.find(B.data, line, shape[1])]
        offset = b.mul(loop.index, sum_step)
        for row, own in zip(lefts, sums, strict=True):
            x = vectors.spread(b.load(b.gep(row, [offset])))
            for w, s in zip(wide, own, strict=True):
                b.store(vectors.multiply_and_add(x, w, b.load(s)), s)

    floor, limit = (vectors.spread(b.extract_value(finish, i)) for i in (1, 3))
    for row, own in zip(rows, sums, strict=True):
        line = b.add(b.mul(row, width), column)
        gates, places = (vectors.find(base, line, shape[1]) for base in (gate, Z.data))
        for s, open_at, at in zip(own, gates, places, strict=True):
            z = b.load(s)
            z = b.select(b.fcmp_ordered("<", z, floor), floor, z)
            is_shut = b.fcmp_ordered("<=", vectors.load(open_at), limit)
            vectors.store(b.select(is_shut, vectors.fill(0.0), z), at)


high_wide, high_narrow = _make_tile(True, True), _make_tile(True, False)
low_wide, low_narrow = _make_tile(False, True), _make_tile(False, False)
high_half = _make_tile(True, False, count_half_of)
low_half = _make_tile(False, False, count_half_of)
