"""Windows of filters along letters: the instructions that compute them, and the same in Python.

A `WindowBlock` has the filters that lie beside each other in registers; the formulas are those of
`sknn.architectures.letters._steps`.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sknn._vectors import InlinedCall, Vectors, make_instructions

if TYPE_CHECKING:
    from llvmlite.ir import Value

#: number of vectors of filters beside each other
N_VECTORS = 2


class WindowBlock(NamedTuple):
    """Some filters of a strand, `N_VECTORS` vectors of them, and one sequence.

    Filters beyond the last one are zeros.

    Attributes
    ----------
    table : ndarray of shape (n_words, n_codes, n_filters)
        Summand of each possible word at each place of a window.
    shift : ndarray of shape (n_windows, n_filters)
        Start of the value of each window.
    codes : ndarray of int of shape (length,)
        Codes of the words of the sequence.
    windows : tuple of int
        First valid window, and the one after the last.
    steps : tuple of int
        Number of letters of a word; and the offset between the number of a window and the number
        of its row in `shift`.
    floor : float
        Least value in the mean.
    """

    table: np.ndarray
    shift: np.ndarray
    codes: np.ndarray
    windows: tuple[int, int]
    steps: tuple[int, int]
    floor: float


class WindowWriter:
    """Writes instructions that compute a window of a `WindowBlock`.

    Parameters
    ----------
    call : InlinedCall
        InlinedCall with a `WindowBlock` and a tuple of arrays.
    """

    def __init__(self, call: InlinedCall):
        self.call, self.b = call, call.builder
        table, shift, codes = (call.open_array(0, i) for i in range(3))
        self.table, self.shift, self.codes = table.data, shift.data, codes.data
        self.first, self.last = (call.get(0, 3, i) for i in range(2))
        self.n_letters, self.offset = (call.get(0, 4, i) for i in range(2))
        self.n_words, n_codes, self.width = (self.b.extract_value(table.shape, i) for i in range(3))
        self.size = self.b.mul(n_codes, self.width)
        kind = call.get_dtype(0, 0)

        self.vectors = Vectors(call, kind)
        floor = call.context.cast(self.b, call.get(0, 5), call.get_kind(0, 5), kind)
        self.floor = self.vectors.spread(floor)
        self.sums = self.keep(0.0)

    def keep(self, number: float) -> list["Value"]:
        """Return registers for all filters, which begin with a number."""
        return [self.vectors.keep(self.vectors.fill(number)) for _ in range(N_VECTORS)]

    def find_shift(self, base: "Value", window: "Value") -> list["Value"]:
        """Return the addresses of a window's row of `shift`, or of its gradient, in `base`."""
        row = self.b.add(window, self.offset)
        return self.vectors.find(base, self.b.mul(row, self.width), N_VECTORS)

    def find_word(self, base: "Value", window: "Value", j: "Value") -> list["Value"]:
        """Return the addresses of the row of a window's j-th word in a table `base`."""
        b = self.b
        position = b.add(window, b.mul(j, self.n_letters))
        code = b.sext(b.load(b.gep(self.codes, [position])), window.type)
        row = b.add(b.mul(j, self.size), b.mul(code, self.width))
        return self.vectors.find(base, row, N_VECTORS)

    def score(self, window: "Value") -> list["Value"]:
        """Return the values of the filters at a window."""
        b, vectors = self.b, self.vectors
        for place, register in zip(self.find_shift(self.shift, window), self.sums, strict=True):
            b.store(vectors.load(place), register)
        with vectors.tools.for_range(b, self.n_words) as loop:
            row = self.find_word(self.table, window, loop.index)
            for place, register in zip(row, self.sums, strict=True):
                b.store(b.fadd(b.load(register), vectors.load(place)), register)
        return [b.load(register) for register in self.sums]

    def load(self, i: int) -> list["Value"]:
        """Return the vectors of array i of the tuple of arrays."""
        return [self.vectors.load(place) for place in self.locate(i)]

    def locate(self, i: int) -> list["Value"]:
        """Return the addresses of the vectors of array i of the tuple of arrays."""
        array = self.call.open_array(1, i)
        return self.vectors.find(array.data, self.n_words.type(0), N_VECTORS)


def _write_pooling(call: InlinedCall) -> None:
    """Write largest values, their windows, and sums of values raised to the floor."""
    # One pass over the windows w of a sequence, with v = value[w]:
    #     best, place  <-  v, w where v > best, so that of equal windows the first one counts
    #     total        <-  total + max(v, floor)
    b, writer = call.builder, WindowWriter(call)
    vectors, floor = writer.vectors, writer.floor
    best, place, total = (writer.keep(number) for number in (float("-inf"), 0.0, 0.0))
    with vectors.tools.for_range(b, writer.last, start=writer.first) as loop:
        number = vectors.spread(b.sitofp(loop.index, vectors.kind))
        scored = zip(writer.score(loop.index), best, place, total, strict=True)
        for value, of_best, of_place, of_total in scored:
            is_better = b.fcmp_ordered(">", value, b.load(of_best))
            b.store(b.select(is_better, value, b.load(of_best)), of_best)
            b.store(b.select(is_better, number, b.load(of_place)), of_place)
            # An unordered comparison is true for NaN, so that the sum takes it up.
            raised = b.select(b.fcmp_unordered(">", value, floor), value, floor)
            b.store(b.fadd(b.load(of_total), raised), of_total)
    # NaN is never larger, so that `best` has missed it, but the sum has taken it up: then the
    # largest value becomes NaN, as torch's would be.
    for of_best, of_total in zip(best, total, strict=True):
        sums = b.load(of_total)
        is_nan = b.fcmp_unordered("uno", sums, sums)
        b.store(b.select(is_nan, sums, b.load(of_best)), of_best)
    for i, registers in enumerate((best, place, total)):
        for register, at in zip(registers, writer.locate(i), strict=True):
            vectors.store(b.load(register), at)


def _write_way_back(call: InlinedCall) -> None:
    """Write what windows add to the gradients of table and shift."""
    b, writer = call.builder, WindowWriter(call)
    vectors, zero = writer.vectors, writer.vectors.fill(0.0)
    place, of_best, of_mean = (writer.load(i) for i in range(3))
    table, shift = (writer.locate(i)[0] for i in (3, 4))
    with vectors.tools.for_range(b, writer.last, start=writer.first) as loop:
        number, slopes = vectors.spread(b.sitofp(loop.index, vectors.kind)), []
        for i, value in enumerate(writer.score(loop.index)):
            # d(mean)/d(value) where the value is above the floor, and d(max)/d(value) at the best.
            rises = b.fcmp_unordered(">", value, writer.floor)
            is_best = b.fcmp_ordered("==", place[i], number)
            slopes.append(
                b.fadd(b.select(rises, of_mean[i], zero), b.select(is_best, of_best[i], zero))
            )
        for at, slope in zip(writer.find_shift(shift, loop.index), slopes, strict=True):
            vectors.store(b.fadd(vectors.load(at), slope), at)
        with vectors.tools.for_range(b, writer.n_words) as words:
            row = writer.find_word(table, loop.index, words.index)
            for at, slope in zip(row, slopes, strict=True):
                vectors.store(b.fadd(vectors.load(at), slope), at)


def _score_window(
    block: WindowBlock, window: int
) -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
    """Return the values of the filters at a window, the row of its shift, its words, their codes.

    Shapes: values (n_filters,), words and codes (n_words,).
    """
    words = np.arange(len(block.table))
    codes = block.codes[window + words * block.steps[0]]
    row = window + block.steps[1]
    return block.shift[row] + block.table[words, codes].sum(0), row, words, codes


def _pool_windows(block: WindowBlock, arrays: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Compute what `_write_pooling` writes instructions for."""
    best, place, total = arrays
    best[:], place[:], total[:] = -np.inf, 0.0, 0.0
    for window in range(*block.windows):
        value = _score_window(block, window)[0]
        place[value > best] = window
        best[:] = np.where(value > best, value, best)
        total += np.where(value <= block.floor, block.floor, value)
    best[np.isnan(total)] = np.nan


def _trace_windows(block: WindowBlock, arrays: tuple[np.ndarray, ...]) -> None:
    """Compute what `_write_way_back` writes instructions for."""
    place, of_best, of_mean, table, shift = arrays
    for window in range(*block.windows):
        value, row, words, codes = _score_window(block, window)
        slope = np.where(value <= block.floor, 0.0, of_mean)
        slope = slope + np.where(place == window, of_best, 0.0)
        shift[row] += slope
        table[words, codes] += slope


#: function of a block and of largest values, their windows and sums, each (n_filters,), which are
#: overwritten
visit_forward = make_instructions(_write_pooling, _pool_windows)
#: function of a block; of the windows of the largest values, and the slopes of largest value and
#: sum, each (n_filters,); and of gradients of table and shift, which are added to
visit_backward = make_instructions(_write_way_back, _trace_windows)
