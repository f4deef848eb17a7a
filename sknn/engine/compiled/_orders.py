"""Orders of samples and masks of dropout, drawn as NumPy and torch draw them.

Both have the Mersenne Twister MT19937 [1]_. `numpy.random.RandomState`, whose stream is frozen (NEP
19), swaps for ``permutation(n)`` the numbers from the last to the second each with one before it or
itself, whose place is drawn from as many bits as it has; a place beyond is drawn again. torch makes
64 bits of two words, the first of which are the higher ones; see `sknn.architectures.draw_into`.

References
----------
.. [1] M. Matsumoto and T. Nishimura, "Mersenne Twister: A 623-dimensionally equidistributed uniform
   pseudo-random number generator", ACM Transactions on Modeling and Computer Simulation 8, 1998,
   doi:10.1145/272991.272995.
"""

import numpy as np

from sknn._jit import jit
from sknn.architectures import N_PARTS, WEYL
from sknn.engine.compiled._codes import (
    N_BATCHES,
    N_KEPT_PARTS,
    N_WORDS,
    SEED,
    BatchPlace,
    StepMemory,
)

Array = np.ndarray
_MIDDLE, _MATRIX, _START = 397, 0x9908B0DF, 1812433253
_HIGHEST, _LOWER, _WORD = 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF


@jit
def draw_order(generator: Array, before: Array, after: Array) -> None:
    """Write an order, which permutes the one before; the generator goes on."""
    after[:] = before
    for i in range(len(after) - 1, 0, -1):
        mask = i
        for shift in (1, 2, 4, 8, 16):
            mask |= mask >> shift
        j = _draw_word(generator) & mask
        while j > i:
            j = _draw_word(generator) & mask
        after[i], after[j] = after[j], after[i]


@jit
def _draw_word(generator: Array) -> int:
    """Return the next 32 bits."""
    place = generator[N_WORDS]
    if place == N_WORDS:
        _turn_over(generator)
        place = generator[N_WORDS]
    generator[N_WORDS] = place + 1
    return int(_temper(np.int64(generator[place])))


@jit
def _temper(y: np.int64) -> np.int64:
    """Return the bits that a word of the state gives."""
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C5680
    y ^= (y << 15) & 0xEFC60000
    return y ^ (y >> 18)


@jit
def _turn_over(generator: Array) -> None:
    """Make the next words, of which none is used up."""
    # Three loops, so that in each the places that are read are as far from those that are written
    # everywhere.
    for k in range(N_WORDS - _MIDDLE):
        _turn_word(generator, k, k + 1, k + _MIDDLE)
    for k in range(N_WORDS - _MIDDLE, N_WORDS - 1):
        _turn_word(generator, k, k + 1, k + _MIDDLE - N_WORDS)
    _turn_word(generator, N_WORDS - 1, 0, _MIDDLE - 1)
    generator[N_WORDS] = 0


@jit
def _turn_word(generator: Array, k: int, following: int, middle: int) -> None:
    y = (np.int64(generator[k]) & _HIGHEST) | (np.int64(generator[following]) & _LOWER)
    # All bits of the matrix or none, without a branch.
    generator[k] = np.int64(generator[middle]) ^ (y >> 1) ^ (_MATRIX & -(y & 1))


@jit
def draw_masks(space: StepMemory, sizes: Array, batch: BatchPlace) -> None:
    """Write the masks of all hidden layers for a mini-batch, and count it."""
    dropouts, start = space.dropouts, 0
    for i in range(len(dropouts)):
        n = batch.n * sizes[i + 1]
        mask = space.masks[start : start + n]
        if dropouts[i, N_KEPT_PARTS] == N_PARTS:
            mask[:] = 1
        else:
            seed = (dropouts[i, SEED] + dropouts[i, N_BATCHES] * WEYL) & _WORD
            _fill_mask(mask, seed, dropouts[i, N_KEPT_PARTS], space.words)
            dropouts[i, N_BATCHES] += 1
        start += batch.size * sizes[i + 1]


@jit
def _fill_mask(mask: Array, seed: int, n_kept_parts: int, words: Array) -> None:
    """Write a mask; words are memory for a state of the generator."""
    word = seed
    words[0] = word
    for k in range(1, N_WORDS):
        word = (_START * (word ^ (word >> 30)) + k) & _WORD
        words[k] = word
    kept, limit = mask.dtype.type(N_PARTS / n_kept_parts), n_kept_parts - N_PARTS // 2
    dropped = mask.dtype.type(0)
    for start in range(0, len(mask), 2 * N_WORDS):
        _turn_over(words)
        n = min(len(mask) - start, 2 * N_WORDS)
        # Two units share a word, the lower bits first, and of two words the second comes first.
        for k in range(n):
            bits = _temper(np.int64(words[(k >> 1) ^ 1])) >> (16 * (k & 1))
            # As a signed number of 16 bits.
            number = ((bits & 0xFFFF) ^ 0x8000) - 0x8000
            mask[start + k] = kept if number < limit else dropped
