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

import numpy as np

from sknn._jit import jit, jit_kept
from sknn._vectors import count_lanes
from sknn.architectures.letters._codes import Letters, Pooled, Scored
from sknn.architectures.letters._windows import (
    N_VECTORS,
    WindowBlock,
    visit_backward,
    visit_forward,
)


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
def take_sequence(
    letters: Letters, scored: Scored, place: tuple[int, int], space: tuple
) -> WindowBlock:
    """Return the block of the filters in `space` for a sequence; `place` is strand and sequence."""
    (strand, i), (table, shift) = place, space
    first, last = letters.windows[i, 0], letters.windows[i, 1]
    offset = 0
    if scored.is_mirrored:
        # Places count from the first valid window, on the other strand from the last one backwards;
        # there the rows of `shift` lie in the opposite order.
        offset = scored.shift.shape[1] - last if strand else -first
    steps = letters.n_letters, offset
    return WindowBlock(table, shift, letters.codes[i], (first, last), steps, scored.floor)


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
