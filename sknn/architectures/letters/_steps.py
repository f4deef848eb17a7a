"""Filters along sequences of letters, compiled: rows of tables are added, nothing is multiplied.

The product of a filter with a window is a sum of one weight for each letter. A table has these
sums for words of a few letters, with many filters in a row, so that a window costs one row for
each word,

    value[w, f] = shift[w, f] + sum over j of table[j, code[w + j n], f],

where code[p] is the number of the word of n letters that begins at position p, and f is a filter.
For two letters of four and a filter of 19 that is 10 additions in place of 19 * 4 products.

Largest values, their windows and means are kept in registers, and values of windows are never
written: there are as many as windows times filters. The backward pass computes them again. With
the slope d[w, f] of the loss by value[w, f], the formula above gives

    dshift[w, f] = d[w, f],    dtable[j, c, f] = Σ d[w, f] over windows w with code[w + j n] = c:

each window adds its slope to the rows that it has read. As a table is a sum of weights, the
gradient of a weight is the sum of those rows whose word has its letter (`add_up_table`).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sknn._jit import jit, jit_kept, make_intrinsic, make_signature
from sknn._vectors import Vectors, count_lanes
from sknn.architectures.letters._pooling import Letters, Pooled, Scored

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value

    from sknn._jit import CPUContext, NumbaType, Signature, TypingContext

#: number of vectors of filters beside each other
N_VECTORS = 2


class Block(NamedTuple):
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
    """Writes instructions that compute a window of a `Block`.

    Parameters
    ----------
    context, builder
        Context and builder of numba.
    kind : numba type
        Type of a `Block`.
    block : llvmlite.ir.Value
        The `Block`.
    """

    def __init__(self, context: "CPUContext", builder: "IRBuilder", kind: Any, block: "Value"):
        self.b = b = builder
        table, shift, codes = (
            context.make_array(kind.types[i])(context, b, b.extract_value(block, i))
            for i in range(3)
        )
        self.table, self.shift, self.codes = table.data, shift.data, codes.data
        self.first, self.last = (b.extract_value(block, [3, i]) for i in range(2))
        self.n_letters, self.offset = (b.extract_value(block, [4, i]) for i in range(2))
        self.n_words, n_codes, self.width = (b.extract_value(table.shape, i) for i in range(3))
        self.size = b.mul(n_codes, self.width)
        self.vectors = Vectors(context, b, kind.types[0].dtype)
        floor = context.cast(b, b.extract_value(block, 5), kind.types[5], kind.types[0].dtype)
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

    def load(self, values: "Value", i: int, of: Any) -> list["Value"]:
        """Return the vectors of array i of a tuple of arrays; `of` is its type and the context."""
        return [self.vectors.load(place) for place in self.locate(values, i, of)]

    def locate(self, values: "Value", i: int, of: Any) -> list["Value"]:
        """Return the addresses of the vectors of array i of a tuple of arrays, see `load`."""
        kind, context = of
        array = context.make_array(kind.types[i])(context, self.b, self.b.extract_value(values, i))
        return self.vectors.find(array.data, self.n_words.type(0), N_VECTORS)


def _write_pooling(
    context: "CPUContext", builder: "IRBuilder", kinds: Sequence[Any], values: "Sequence[Value]"
) -> None:
    """Write largest values, their windows, and sums of values raised to the floor."""
    # One pass over the windows w of a sequence, with v = value[w]:
    #     best, place  <-  v, w where v > best, so that of equal windows the first one counts
    #     total        <-  total + max(v, floor)
    b, of = builder, (kinds[1], context)
    writer = WindowWriter(context, b, kinds[0], values[0])
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
        for register, at in zip(registers, writer.locate(values[1], i, of), strict=True):
            vectors.store(b.load(register), at)


def _write_way_back(
    context: "CPUContext", builder: "IRBuilder", kinds: Sequence[Any], values: "Sequence[Value]"
) -> None:
    """Write what windows add to the gradients of table and shift."""
    b, of = builder, (kinds[1], context)
    writer = WindowWriter(context, b, kinds[0], values[0])
    vectors, zero = writer.vectors, writer.vectors.fill(0.0)
    place, of_best, of_mean = (writer.load(values[1], i, of) for i in range(3))
    table, shift = (writer.locate(values[1], i, of)[0] for i in (3, 4))
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


def _score_window(block: Block, window: int) -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
    """Return the values of the filters at a window, the row of its shift, its words, their codes.

    Shapes: values (n_filters,), words and codes (n_words,).
    """
    words = np.arange(len(block.table))
    codes = block.codes[window + words * block.steps[0]]
    row = window + block.steps[1]
    return block.shift[row] + block.table[words, codes].sum(0), row, words, codes


def _pool_windows(block: Block, arrays: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Compute what `_write_pooling` writes instructions for."""
    best, place, total = arrays
    best[:], place[:], total[:] = -np.inf, 0.0, 0.0
    for window in range(*block.windows):
        value = _score_window(block, window)[0]
        place[value > best] = window
        best[:] = np.where(value > best, value, best)
        total += np.where(value <= block.floor, block.floor, value)
    best[np.isnan(total)] = np.nan


def _trace_windows(block: Block, arrays: tuple[np.ndarray, ...]) -> None:
    """Compute what `_write_way_back` writes instructions for."""
    place, of_best, of_mean, table, shift = arrays
    for window in range(*block.windows):
        value, row, words, codes = _score_window(block, window)
        slope = np.where(value <= block.floor, 0.0, of_mean)
        slope = slope + np.where(place == window, of_best, 0.0)
        shift[row] += slope
        table[words, codes] += slope


def _make_visit(write_body: Callable[..., None], plain: Callable[..., None]) -> Callable[..., None]:
    """Return a function of a `Block` and a tuple of arrays, whose body `write_body` writes.

    `plain` does the same in Python.
    """

    def define(typing: "TypingContext", block: "NumbaType", arrays: "NumbaType") -> Any:
        def write(
            context: "CPUContext",
            builder: "IRBuilder",
            signature: "Signature",
            values: "Sequence[Value]",
        ) -> "Value":
            write_body(context, builder, signature.args, values)
            return context.get_dummy_value()

        return make_signature("void", block, arrays), write

    return make_intrinsic(define, plain)


#: function of a block and of largest values, their windows and sums, each (n_filters,), which are
#: overwritten
visit_forward = _make_visit(_write_pooling, _pool_windows)
#: function of a block; of the windows of the largest values, and the slopes of largest value and
#: sum, each (n_filters,); and of gradients of table and shift, which are added to
visit_backward = _make_visit(_write_way_back, _trace_windows)


@jit
def fill_table(weights: np.ndarray, n_letters: int, table: np.ndarray) -> None:
    """Write the table (n_words, n_codes, >= n_filters) of filters.

    `weights` is of shape (n_filters, kernel_size, n_channels). The code of a word has its letters
    as digits to the base n_channels + 1, the first one highest; the digit n_channels is no letter.
    """
    n_filters, kernel_size, n_channels = weights.shape
    # table[j, code, f] = Σ_i weights[f, j n + i, letter i of code]: the digits are taken off from
    # the lowest one, the last letter. Letters beyond the kernel, and no letter, add nothing.
    table[:] = 0.0
    for j in range(len(table)):
        for code in range(table.shape[1]):
            rest = code
            for i in range(n_letters - 1, -1, -1):
                letter, rest = rest % (n_channels + 1), rest // (n_channels + 1)
                k = j * n_letters + i
                if letter < n_channels and k < kernel_size:
                    for f in range(n_filters):
                        table[j, code, f] += weights[f, k, letter]


@jit
def add_up_table(table: np.ndarray, n_letters: int, weights: np.ndarray) -> None:
    """Write the gradient of filters, given that of their table: the transpose of `fill_table`."""
    n_filters, kernel_size, n_channels = weights.shape
    weights[:] = 0.0
    for j in range(len(table)):
        for code in range(table.shape[1]):
            rest = code
            for i in range(n_letters - 1, -1, -1):
                letter, rest = rest % (n_channels + 1), rest // (n_channels + 1)
                k = j * n_letters + i
                if letter < n_channels and k < kernel_size:
                    for f in range(n_filters):
                        weights[f, k, letter] += table[j, code, f]


@jit
def make_space(letters: Letters, scored: Scored) -> tuple[np.ndarray, np.ndarray]:
    """Return memory for the table and the shift of one block of filters."""
    weights = scored.weights
    size = N_VECTORS * count_lanes(weights)
    n_words = -(-weights.shape[2] // letters.n_letters)
    table = np.empty((n_words, letters.n_codes, size), weights.dtype)
    return table, np.zeros((scored.shift.shape[1], size), weights.dtype)


@jit
def fill_space(letters: Letters, scored: Scored, part: tuple[int, int, int], space: tuple) -> None:
    """Write table and shift of some filters; `part` is their strand, the first, and the stop."""
    strand, start, stop = part
    table, shift = space
    fill_table(scored.weights[strand, start:stop], letters.n_letters, table)
    shift[:, : stop - start] = scored.shift[strand, :, start:stop]


@jit
def take_sequence(letters: Letters, scored: Scored, place: tuple[int, int], space: tuple) -> Block:
    """Return the block of the filters in `space` for a sequence; `place` is strand and sequence."""
    (strand, i), (table, shift) = place, space
    first, last = letters.windows[i, 0], letters.windows[i, 1]
    offset = 0
    if scored.is_mirrored:
        # Places count from the first valid window, on the other strand from the last one backwards;
        # there the rows of `shift` lie in the opposite order.
        offset = scored.shift.shape[1] - last if strand else -first
    steps = letters.n_letters, offset
    return Block(table, shift, letters.codes[i], (first, last), steps, scored.floor)


@jit_kept
def pool_letters(letters: Letters, scored: Scored, pooled: Pooled) -> None:
    """Write largest values, their windows and means, see `PooledLetters`."""
    # Blocks of filters outside, sequences inside: the table of a block stays in the nearest cache.
    n_strands, n_filters = scored.weights.shape[:2]
    space = make_space(letters, scored)
    size, dtype = space[1].shape[1], scored.weights.dtype
    best, place, total = np.empty(size, dtype), np.empty(size, dtype), np.empty(size, dtype)
    for strand in range(n_strands):
        for start in range(0, n_filters, size):
            stop = min(start + size, n_filters)
            fill_space(letters, scored, (strand, start, stop), space)
            for i in range(len(letters.codes)):
                block = take_sequence(letters, scored, (strand, i), space)
                visit_forward(block, (best, place, total))
                n_windows = block.windows[1] - block.windows[0]
                for f in range(stop - start):
                    pooled.best[i, strand, start + f] = best[f]
                    pooled.place[i, strand, start + f] = place[f]
                    pooled.mean[i, strand, start + f] = total[f] / n_windows


@jit_kept
def trace_letters(letters: Letters, scored: Scored, slopes: Pooled, gradient: Scored) -> None:
    """Write the gradients of weights and shift, given those of largest values and means.

    `slopes` has the windows of the largest values, too.
    """
    n_strands, n_filters = scored.weights.shape[:2]
    space, traced = make_space(letters, scored), make_space(letters, scored)
    size, dtype = space[1].shape[1], scored.weights.dtype
    place, of_best, of_mean = np.zeros(size, dtype), np.zeros(size, dtype), np.zeros(size, dtype)
    for strand in range(n_strands):
        for start in range(0, n_filters, size):
            stop = min(start + size, n_filters)
            fill_space(letters, scored, (strand, start, stop), space)
            traced[0][:] = 0.0
            traced[1][:] = 0.0
            for i in range(len(letters.codes)):
                block = take_sequence(letters, scored, (strand, i), space)
                n_windows = block.windows[1] - block.windows[0]
                for f in range(stop - start):
                    place[f] = slopes.place[i, strand, start + f]
                    of_best[f] = slopes.best[i, strand, start + f]
                    of_mean[f] = slopes.mean[i, strand, start + f] / n_windows
                visit_backward(block, (place, of_best, of_mean, traced[0], traced[1]))
            weights = gradient.weights[strand, start:stop]
            add_up_table(traced[0], letters.n_letters, weights)
            gradient.shift[strand, :, start:stop] = traced[1][:, : stop - start]


@jit
def encode_sequence(X: np.ndarray, letters: np.ndarray) -> tuple[int, int]:
    """Write the letter of each position of a sequence (length, n_channels); n_channels is none.

    Returns
    -------
    tuple of int
        Position of the first letter, and the one after the last; (length, 0) without letters, and
        (-1, -1) if a position holds anything but one 1 and zeros, or zeros alone.
    """
    length, n_channels = X.shape
    first, last = length, 0
    for p in range(length):
        letter, n_found = n_channels, 0
        for c in range(n_channels):
            if X[p, c] == 1.0:
                letter, n_found = c, n_found + 1
            elif X[p, c] != 0.0:
                return -1, -1
        if n_found > 1:
            return -1, -1
        letters[p] = letter
        if n_found:
            first, last = min(first, p), p + 1
    return first, last


@jit_kept
def encode_letters(X: np.ndarray, kernel_size: int, letters: Letters) -> bool:
    """Write codes of words and valid windows of sequences (n_samples, length, n_channels).

    Return whether each position has one letter or none, in one-hot form. `find_valid_windows` says
    which windows are valid.
    """
    n_samples, length, n_channels = X.shape
    own = np.full(length + letters.n_letters, n_channels, np.int32)  # the last words end outside
    for i in range(n_samples):
        first, last = encode_sequence(X[i], own)
        if last < 0:
            return False
        for p in range(length):
            code = own[p]
            for j in range(1, letters.n_letters):
                code = code * (n_channels + 1) + own[p + j]
            letters.codes[i, p] = code
        if last <= first:  # nothing but padding
            first, last = 0, length
        if last - first >= kernel_size:
            letters.windows[i, 0], letters.windows[i, 1] = first, last - kernel_size + 1
        else:  # a sequence shorter than the kernel: all windows that contain the whole of it
            letters.windows[i, 0] = max(last - kernel_size, 0)
            letters.windows[i, 1] = min(first, length - kernel_size) + 1
    return True
