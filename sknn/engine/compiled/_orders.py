"""Orders of samples as NumPy draws them, and masks of dropout as its layers draw them.

NumPy uses the Mersenne Twister MT19937 [1]_, whose state is 624 words of 32 bits. The stream of
`numpy.random.RandomState` is frozen (NEP 19): its ``permutation(n)`` is Fisher and Yates's shuffle.
For i from n - 1 down to 1 it swaps number i with number j, where 0 <= j <= i is drawn by rejection:
the lowest bits of a word, as many as i has, until they are at most i. Masks are those of
`sknn.architectures.draw_into`.

References
----------
.. [1] M. Matsumoto and T. Nishimura, "Mersenne Twister: A 623-dimensionally equidistributed uniform
   pseudo-random number generator", ACM Transactions on Modeling and Computer Simulation 8, 1998,
   doi:10.1145/272991.272995.
"""

import numpy as np

from sknn._jit import jit
from sknn.architectures import APART, FACTORS, GAMMA, N_PARTS
from sknn.architectures import fill_words as fill_words_by_arrays
from sknn.engine.compiled._codes import (
    N_BATCHES,
    N_KEPT_PARTS,
    N_WORDS,
    SEED,
    BatchPlace,
    StepMemory,
)

Array = np.ndarray
# The constants m and a of MT19937, and masks: the highest bit, and the lower 31.
_MIDDLE, _MATRIX = 397, 0x9908B0DF
_HIGHEST, _LOWER = 0x80000000, 0x7FFFFFFF


@jit
def draw_order(generator: Array, before: Array, after: Array) -> None:
    """Write a permutation of the order before; the generator advances as NumPy's would."""
    after[:] = before
    i, place = len(after) - 1, generator[N_WORDS]
    while i > 0:
        mask = i  # then all bits below its highest one are set
        for shift in (1, 2, 4, 8, 16):
            mask |= mask >> shift
        lowest = (mask >> 1) + 1  # from there up the mask is the same
        while i >= lowest:
            if place == N_WORDS:
                _turn_over(generator)
                place = 0
            j: int | np.int64 = _temper(np.int64(generator[place])) & mask
            place += 1
            # A quarter of the places lie beyond, and which ones cannot be foreseen. Without a
            # branch: the number is swapped for itself, and is still the last.
            is_beyond = j > i
            j = i if is_beyond else j
            after[i], after[j] = after[j], after[i]
            i -= 0 if is_beyond else 1
    generator[N_WORDS] = place


@jit
def _temper(y: np.int64) -> np.int64:
    """Return the output of a word of the state, by the four shifts of MT19937's tempering."""
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C5680
    y ^= (y << 15) & 0xEFC60000
    return y ^ (y >> 18)


@jit
def _turn_over(generator: Array) -> None:
    """Overwrite the state by the next 624 words, of which none is used up."""
    # Word k becomes a function of words k, k + 1 and k + 397, counted around. Split where an index
    # wraps, each loop reads at constant distances from where it writes, without a remainder.
    for k in range(N_WORDS - _MIDDLE):
        _turn_word(generator, k, k + 1, k + _MIDDLE)
    for k in range(N_WORDS - _MIDDLE, N_WORDS - 1):
        _turn_word(generator, k, k + 1, k + _MIDDLE - N_WORDS)
    _turn_word(generator, N_WORDS - 1, 0, _MIDDLE - 1)
    generator[N_WORDS] = 0


@jit
def _turn_word(generator: Array, k: int, following: int, middle: int) -> None:
    y = (np.int64(generator[k]) & _HIGHEST) | (np.int64(generator[following]) & _LOWER)
    # A product with MT19937's matrix: y >> 1, and the constant where the lowest bit of y is set.
    # -(y & 1) has all bits or none, so that there is no branch.
    generator[k] = np.int64(generator[middle]) ^ (y >> 1) ^ (_MATRIX & -(y & 1))


@jit
def draw_masks(space: StepMemory, sizes: Array, batch: BatchPlace) -> None:
    """Write the masks of all hidden layers for a mini-batch, and count the mini-batch."""
    dropouts, start = space.dropouts, 0
    for i in range(len(dropouts)):
        n = batch.n * sizes[i + 1]
        mask = space.masks[start : start + n]
        if dropouts[i, N_KEPT_PARTS] == N_PARTS:
            mask[:] = 1
        else:
            words = space.words[: (n + 3) // 4]
            fill_words(words, dropouts[i, SEED], dropouts[i, N_BATCHES])
            _fill_mask(mask, dropouts[i, N_KEPT_PARTS], words.view(np.int16))
            dropouts[i, N_BATCHES] += 1
        start += batch.size * sizes[i + 1]


@jit
def _fill_words(words: Array, seed: int, n_batches: int) -> None:
    """Overwrite words as `fill_words_by_arrays` does, in one pass instead of eleven."""
    start = np.uint64(n_batches * 2**32 + seed) * np.uint64(APART)
    for k in range(len(words)):
        z = start + np.uint64(k + 1) * np.uint64(GAMMA)
        z ^= z >> np.uint64(30)
        z *= np.uint64(FACTORS[0])
        z ^= z >> np.uint64(27)
        z *= np.uint64(FACTORS[1])
        words[k] = z ^ (z >> np.uint64(31))


# Numbers of NumPy, unlike compiled ones, warn of what is beyond 2**64.
fill_words = (
    fill_words_by_arrays if jit(fill_words_by_arrays) is fill_words_by_arrays else _fill_words
)


@jit
def _fill_mask(mask: Array, n_kept_parts: int, numbers: Array) -> None:
    """Write a mask: units are kept whose numbers of 16 bits are among the lowest."""
    kind = mask.dtype.type
    kept, dropped, limit = kind(N_PARTS / n_kept_parts), kind(0), n_kept_parts - N_PARTS // 2
    for k in range(len(mask)):
        mask[k] = kept if numbers[k] < limit else dropped
