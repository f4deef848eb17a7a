"""Tiles of matrix products as vector instructions, which no loop of numba becomes.

A tile is a block of a product so small that its sums stay in registers, while the factors go by:
each number of the left factor that is read takes part in as many multiplications as the tile is
wide, each one of the right factor in as many as it is high. What LLVM is told here are vectors as
wide as the processor's; it knows the instructions for them.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sknn._jit import import_llvm, make_intrinsic, make_signature

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Type, Value

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


class Vectors:
    """Writes instructions for vectors as wide as the processor's.

    Parameters
    ----------
    context : numba.core.base.BaseContext
        Knows the processor.
    builder : llvmlite.ir.IRBuilder
        Where instructions go.
    kind : numba.types.Float
        Of the numbers.
    """

    def __init__(self, context: "CPUContext", builder: "IRBuilder", kind: "Float"):
        self.ir, self.tools = import_llvm()
        self.builder, self.kind = builder, context.get_data_type(kind)
        self.n_lanes = count_lanes_of(context, kind)
        self.type = self.ir.VectorType(self.kind, self.n_lanes)
        self.index, self.flag = self.ir.IntType(32), self.ir.IntType(1)
        self.mask: Value | None = None
        self.align = kind.bitwidth // 8
        self.name = f"v{self.n_lanes}f{kind.bitwidth}"
        pointer = self.kind.as_pointer().intrinsic_name  # p0, and before LLVM 17 p0f64
        self.name_in_memory = f"{self.name}.{'p0' if pointer == 'p0' else 'p0' + self.name}"

    def fill(self, number: float) -> "Value":
        """Return a vector of a constant."""
        return self.ir.Constant(self.type, [number] * self.n_lanes)

    def spread(self, value: "Value") -> "Value":
        """Return a vector of one number."""
        kind = self.ir.VectorType(value.type, self.n_lanes)
        one = self.builder.insert_element(
            self.ir.Constant(kind, self.ir.Undefined), value, self.ir.Constant(self.index, 0)
        )
        places = self.ir.Constant(self.ir.VectorType(self.index, self.n_lanes), [0] * self.n_lanes)
        return self.builder.shuffle_vector(one, one, places)

    def keep_first(self, n: "Value") -> None:
        """Let all that follows read and write only the first n lanes."""
        lanes = self.ir.VectorType(n.type, self.n_lanes)
        numbers = self.ir.Constant(lanes, list(range(self.n_lanes)))
        self.mask = self.builder.icmp_signed("<", numbers, self.spread(n))

    def list_rows(self, first: "Value", n_rows: "Value", n: int) -> list["Value"]:
        """Return the numbers of n rows, the last one instead of those beyond it."""
        last = self.builder.sub(n_rows, n_rows.type(1))
        rows = [self.builder.add(first, first.type(i)) for i in range(n)]
        return [
            self.builder.select(self.builder.icmp_signed("<", row, last), row, last) for row in rows
        ]

    def find(self, base: "Value", start: "Value", n: int) -> list["Value"]:
        """Return the places of n vectors beside each other."""
        first = self.builder.gep(base, [start])
        return [self.builder.gep(first, [start.type(v * self.n_lanes)]) for v in range(n)]

    def keep(self, value: "Value") -> "Value":
        """Return a place for a vector that changes; LLVM makes a register of it."""
        return self.tools.alloca_once_value(self.builder, value)

    def load(self, place: "Value") -> "Value":
        """Return the vector at a place."""
        pointer = self.builder.bitcast(place, self.type.as_pointer())
        if self.mask is None:
            value = self.builder.load(pointer)
            value.align = self.align
            return value
        kinds = [pointer.type, self.index, self.mask.type, self.type]
        align = self.ir.Constant(self.index, self.align)
        name = f"llvm.masked.load.{self.name_in_memory}"
        return self._call(name, self.type, kinds, [pointer, align, self.mask, self.fill(0.0)])

    def store(self, value: "Value", place: "Value") -> None:
        """Write a vector to a place."""
        pointer = self.builder.bitcast(place, self.type.as_pointer())
        if self.mask is None:
            self.builder.store(value, pointer).align = self.align
            return
        kinds = [self.type, pointer.type, self.index, self.mask.type]
        align = self.ir.Constant(self.index, self.align)
        name = f"llvm.masked.store.{self.name_in_memory}"
        self._call(name, self.ir.VoidType(), kinds, [value, pointer, align, self.mask])

    def multiply_and_add(self, a: "Value", b: "Value", c: "Value") -> "Value":
        """Return a b + c, rounded once where the processor can."""
        return self._call(f"llvm.fmuladd.{self.name}", self.type, [self.type] * 3, [a, b, c])

    def _call(
        self, name: str, result: "Type", kinds: list["Type"], arguments: list["Value"]
    ) -> "Value":
        function = self.builder.module.globals.get(name)
        if function is None:
            kind = self.ir.FunctionType(result, kinds)
            function = self.ir.Function(self.builder.module, kind, name)
        return self.builder.call(function, arguments)


def get_vector_bits(context: "CPUContext") -> int:
    """Return the width of the processor's vectors."""
    features = context.codegen().magic_tuple()[2].split(",")
    return 512 if "+avx512f" in features else 256 if "+avx" in features else 128


def count_lanes_of(context: "CPUContext", kind: "Float") -> int:
    """Return how many numbers a vector holds."""
    return get_vector_bits(context) // kind.bitwidth


def count_rows_of(context: "CPUContext") -> int:
    """Return how many rows a whole tile has; its sums take up half of the registers."""
    return 8 if get_vector_bits(context) == 512 else 4


def _return_number(compute: Callable[["CPUContext", "Float"], int]) -> Callable[..., Any]:
    """Return a function of an array that compiled code sees as a constant."""

    def define(typing: "TypingContext", array: "NumbaType") -> tuple[Any, Callable[..., "Value"]]:
        def write(
            context: "CPUContext",
            builder: "IRBuilder",
            signature: "Signature",
            values: "Sequence[Value]",
        ) -> "Value":
            ir, _ = import_llvm()
            return ir.Constant(ir.IntType(64), compute(context, signature.args[0].dtype))

        return make_signature("int64", array), write

    return make_intrinsic(define)


count_lanes = _return_number(count_lanes_of)
count_rows = _return_number(lambda context, kind: count_rows_of(context))


def _make_tile(is_high: bool, is_wide: bool) -> Callable[..., None]:
    """Return a function that computes a tile of a product.

    Parameters
    ----------
    is_high : bool
        Whether it has `count_rows` rows, or half of them.
    is_wide : bool
        Whether it has two whole vectors in a row, or one of which some lanes may not count.

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
            vectors = Vectors(context, builder, signature.args[1].dtype)
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
