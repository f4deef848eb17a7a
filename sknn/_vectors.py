"""Vector instructions written for LLVM, where numba makes none of a loop.

A function that writes instructions gets the `InlinedCall` that they are for, see
`make_instructions`. It runs once, when code is compiled: a loop of Python in it is written out as
so many instructions, and a `Value` is the result that an instruction will have.
"""

from collections.abc import Callable, Sequence
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from sknn._jit import import_llvm, make_intrinsic, make_signature

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Type, Value

    from sknn._jit import (
        ArrayType,
        CallSignature,
        CPUContext,
        Float,
        NumbaType,
        Struct,
        TupleType,
        TypingContext,
    )

F = TypeVar("F", bound=Callable[..., Any])


class InlinedCall:
    """A call in compiled code, whose instructions are being written.

    Attributes
    ----------
    context : numba.core.base.BaseContext
        Numba's description of the processor.
    builder : llvmlite.ir.IRBuilder
        Builder that takes the instructions.
    kinds : sequence of numba.types.Type
        Types of the arguments.
    values : sequence of llvmlite.ir.Value
        The arguments. An array is a structure of its address, shape and strides; a tuple is one of
        its items.
    """

    def __init__(
        self,
        context: "CPUContext",
        builder: "IRBuilder",
        kinds: "Sequence[NumbaType]",
        values: "Sequence[Value]",
    ):
        self.context, self.builder, self.kinds, self.values = context, builder, kinds, values

    def get(self, argument: int, *path: int) -> "Value":
        """Return an argument; or an item of it, of an item of it, and so on."""
        value = self.values[argument]
        return self.builder.extract_value(value, path) if path else value

    def get_kind(self, argument: int, *path: int) -> "NumbaType":
        """Return the type of an argument, or of an item of it."""
        kind = self.kinds[argument]
        for i in path:
            kind = cast("TupleType", kind).types[i]
        return kind

    def get_dtype(self, argument: int, *path: int) -> "Float":
        """Return the type of the numbers of an array."""
        return cast("Float", cast("ArrayType", self.get_kind(argument, *path)).dtype)

    def open_array(self, argument: int, *path: int) -> "Struct":
        """Return an argument or an item of it, an array, as numba's structure with its parts."""
        make = self.context.make_array(self.get_kind(argument, *path))
        return make(self.context, self.builder, self.get(argument, *path))


def make_instructions(
    write: "Callable[[InlinedCall], Value | None]",
    plain: F,
    sign: "Callable[..., tuple[str | NumbaType, ...]]" = lambda *kinds: ("void", *kinds),
) -> F:
    """Return a function for compiled ones, whose instructions `write` writes; else `plain`.

    Parameters
    ----------
    write : callable
        Function that writes the instructions of a call, and returns its result, if it has one.
    plain : callable
        Function of the same arguments, which says in Python what the instructions do.
    sign : callable
        Function that returns the types of the result and of the arguments, or their names, from
        the types that are given. Others of these are cast; by default none is, and the result None.
    """

    def define(
        typing: "TypingContext", *given: "NumbaType"
    ) -> "tuple[CallSignature, Callable[..., Value]]":
        def lower(
            context: "CPUContext",
            builder: "IRBuilder",
            found: "CallSignature",
            values: "Sequence[Value]",
        ) -> "Value":
            result = write(InlinedCall(context, builder, found.args, values))
            return context.get_dummy_value() if result is None else result

        return make_signature(*sign(*given)), lower

    # Numba counts the arguments in the signature, which must name each. They are those of `plain`.
    own = signature(plain).parameters.values()
    first = Parameter("typing", Parameter.POSITIONAL_OR_KEYWORD)
    vars(define)["__signature__"] = Signature([first, *own])
    return make_intrinsic(define, plain)


class Vectors:
    """Writes instructions for vectors as wide as the processor's.

    Parameters
    ----------
    call : InlinedCall
        Call whose instructions they are.
    kind : numba.types.Float
        Type of the numbers.
    n_lanes : int, default=None
        Numbers in a vector; None is as many as the processor's vectors hold.
    """

    def __init__(self, call: InlinedCall, kind: "Float", n_lanes: int | None = None):
        self.ir, self.tools = import_llvm()
        self.builder, self.kind = call.builder, call.context.get_data_type(kind)
        self.n_lanes = n_lanes or count_lanes_of(call.context, kind)
        self.type = self.ir.VectorType(self.kind, self.n_lanes)
        self.index, self.flag = self.ir.IntType(32), self.ir.IntType(1)
        self.mask: Value | None = None
        # Vectors may begin at any number of an array: to promise more would crash on the others.
        self.align = kind.bitwidth // 8
        # LLVM's functions have the types of their arguments in their names, such as v8f32.
        self.name = f"v{self.n_lanes}f{kind.bitwidth}"
        pointer = self.kind.as_pointer().intrinsic_name  # p0, and before LLVM 17 p0f64
        self.name_in_memory = f"{self.name}.{'p0' if pointer == 'p0' else 'p0' + self.name}"

    def fill(self, number: float) -> "Value":
        """Return a vector of a constant."""
        return self.ir.Constant(self.type, [number] * self.n_lanes)

    def spread(self, value: "Value") -> "Value":
        """Return a vector all of whose lanes have one number."""
        # LLVM's idiom: the number goes into lane 0, and a shuffle reads lane 0 for every lane.
        kind = self.ir.VectorType(value.type, self.n_lanes)
        one = self.builder.insert_element(
            self.ir.Constant(kind, self.ir.Undefined), value, self.ir.Constant(self.index, 0)
        )
        places = self.ir.Constant(self.ir.VectorType(self.index, self.n_lanes), [0] * self.n_lanes)
        return self.builder.shuffle_vector(one, one, places)

    def keep_first(self, n: "Value") -> None:
        """Let all loads and stores from now on read and write only the first n lanes."""
        lanes = self.ir.VectorType(n.type, self.n_lanes)
        numbers = self.ir.Constant(lanes, list(range(self.n_lanes)))
        self.mask = self.builder.icmp_signed("<", numbers, self.spread(n))

    def list_rows(self, first: "Value", n_rows: "Value", n: int) -> list["Value"]:
        """Return the numbers of n rows from the first on; those beyond the last become the last."""
        last = self.builder.sub(n_rows, n_rows.type(1))
        rows = [self.builder.add(first, first.type(i)) for i in range(n)]
        return [
            self.builder.select(self.builder.icmp_signed("<", row, last), row, last) for row in rows
        ]

    def find(self, base: "Value", start: "Value", n: int) -> list["Value"]:
        """Return the addresses of n neighbouring vectors, of which the first begins at `start`."""
        first = self.builder.gep(base, [start])
        return [self.builder.gep(first, [start.type(v * self.n_lanes)]) for v in range(n)]

    def keep(self, value: "Value") -> "Value":
        """Return a variable that begins with a vector; LLVM makes a register of it."""
        return self.tools.alloca_once_value(self.builder, value)

    def load(self, place: "Value") -> "Value":
        """Return the vector at an address; lanes that the mask leaves out are 0 and not read."""
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
        """Write a vector to an address, without the lanes that the mask leaves out."""
        pointer = self.builder.bitcast(place, self.type.as_pointer())
        if self.mask is None:
            self.builder.store(value, pointer).align = self.align
            return
        kinds = [self.type, pointer.type, self.index, self.mask.type]
        align = self.ir.Constant(self.index, self.align)
        name = f"llvm.masked.store.{self.name_in_memory}"
        self._call(name, self.ir.VoidType(), kinds, [value, pointer, align, self.mask])

    def multiply_and_add(self, a: "Value", b: "Value", c: "Value") -> "Value":
        """Return a b + c, rounded once where the processor has such an instruction."""
        return self._call(f"llvm.fmuladd.{self.name}", self.type, [self.type] * 3, [a, b, c])

    def _call(
        self, name: str, result: "Type", kinds: list["Type"], arguments: list["Value"]
    ) -> "Value":
        kind = self.ir.FunctionType(result, kinds)
        return self.builder.call(declare(self.builder, name, kind), arguments)


def declare(builder: "IRBuilder", name: str, kind: "Type") -> "Value":
    """Return a function of LLVM, which a module may name once."""
    function = builder.module.globals.get(name)
    if function is None:
        function = import_llvm()[0].Function(builder.module, kind, name)
    return function


def get_vector_bits(context: "CPUContext") -> int:
    """Return the number of bits of the processor's vectors."""
    features = context.codegen().magic_tuple()[2].split(",")
    return 512 if "+avx512f" in features else 256 if "+avx" in features else 128


def count_lanes_of(context: "CPUContext", kind: "Float") -> int:
    """Return how many numbers of a type a vector of the processor holds."""
    return get_vector_bits(context) // kind.bitwidth


def return_number(
    compute: Callable[["CPUContext", "Float"], int], plain: int
) -> Callable[..., Any]:
    """Return a function of an array whose result is a constant of the compiled code."""

    def write(call: InlinedCall) -> "Value":
        ir, _ = import_llvm()
        return ir.Constant(ir.IntType(64), compute(call.context, call.get_dtype(0)))

    return make_instructions(write, lambda array: plain, lambda array: ("int64", array))


#: lanes of a vector where functions are Python
PLAIN_LANES = 4
count_lanes = return_number(count_lanes_of, PLAIN_LANES)


def _sign_view(memory: "ArrayType", *numbers: "NumbaType") -> tuple["str | NumbaType", ...]:
    return memory.copy(ndim=2), memory, "int64", "int64", "int64"


def _write_view(call: InlinedCall) -> "Value":
    context, builder = call.context, call.builder
    source = call.open_array(0)
    matrix, *_ = _sign_view(cast("ArrayType", call.get_kind(0)))
    view = context.make_array(matrix)(context, builder)
    first, height, width = call.values[1:]
    kind, (_, tools) = first.type, import_llvm()
    view.data = builder.gep(source.data, [first])
    view.itemsize, view.nitems = source.itemsize, builder.mul(height, width)
    line = builder.mul(width, source.itemsize)
    view.shape = tools.pack_array(builder, [height, width], kind)
    view.strides = tools.pack_array(builder, [line, source.itemsize], kind)
    # An owner would be counted up and down each time, by all cores one after the other.
    view.meminfo, view.parent = (p.type(None) for p in (source.meminfo, source.parent))
    return view._getvalue()


def _view_part(memory: np.ndarray, start: int, n_rows: int, n_columns: int) -> np.ndarray:
    """Return a part of a vector as a matrix."""
    return memory[start : start + n_rows * n_columns].reshape(n_rows, n_columns)


#: function of a vector, of the place where a matrix begins in it, and of the matrix's numbers of
#: rows and columns, which returns a view; the vector must outlive it
view_matrix = make_instructions(_write_view, _view_part, _sign_view)


def _write_prefetch(call: InlinedCall) -> None:
    ir, _ = import_llvm()
    b, number = call.builder, ir.IntType(32)
    at = b.bitcast(b.gep(call.open_array(0).data, [call.get(1)]), ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [at.type, number, number, number])
    function = declare(b, f"llvm.prefetch.{at.type.intrinsic_name}", kind)
    # To be read, into all caches, as data.
    b.call(function, [at, number(0), number(3), number(1)])


def _fetch_nothing(array: np.ndarray, place: int) -> None:
    """Do nothing, without numba."""


#: of an array and the number of an entry, whose line of memory is wanted soon
prefetch = make_instructions(
    _write_prefetch, _fetch_nothing, lambda array, place: ("void", array, "int64")
)
