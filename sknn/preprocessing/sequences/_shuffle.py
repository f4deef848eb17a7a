"""Random sequences that keep the dinucleotides of given ones: the negatives of motif discovery."""

import numpy as np
from numpy.typing import ArrayLike

from sknn._validation import make_local_random_state
from sknn.preprocessing.sequences._bytes import PAD, as_strings, sequence_bytes

#: sequences shuffled at a time, so that memory stays flat
CHUNK = 4096


def dinucleotide_shuffle(
    sequences: ArrayLike, random_state: int | np.random.RandomState | None = None
) -> np.ndarray:
    """Shuffle each sequence so that the count of every pair of neighbours stays the same.

    A sequence is a walk along edges from letter to letter. The result is drawn with equal
    chances from all walks that use each edge once, from the same first to the same last letter
    [1]_: the last edge to leave each letter comes from a random tree that leads to the last
    letter, drawn by a loop-erased walk [2]_, and the edges before it come in random order.

    Parameters
    ----------
    sequences : array-like of str of shape (n_samples,)
        Sequences of any letters and lengths. Lower case becomes upper case.
    random_state : int, RandomState instance or None, default=None
        An int gives the same result each time. NumPy's global generator is never used.

    Returns
    -------
    ndarray of str of shape (n_samples,)
        Sequences with the letters, pairs of neighbours, and both ends of `sequences`.

    Raises
    ------
    ValueError
        If a sequence is empty or not a string.

    References
    ----------
    .. [1] S. F. Altschul and B. W. Erickson, "Significance of nucleotide sequence alignments: a
       method for random sequence permutation that preserves dinucleotide and codon usage",
       Molecular Biology and Evolution 2, 1985, doi:10.1093/oxfordjournals.molbev.a040370.
    .. [2] D. B. Wilson, "Generating random spanning trees more quickly than the cover time",
       STOC 1996, doi:10.1145/237814.237880.

    Examples
    --------
    >>> from sknn.preprocessing import dinucleotide_shuffle
    >>> shuffled = dinucleotide_shuffle(["AACGTTAGGC"], random_state=0)[0]
    >>> pairs = lambda s: sorted(a + b for a, b in zip(s, s[1:]))
    >>> pairs(shuffled) == pairs("AACGTTAGGC")
    True
    """
    random_state = make_local_random_state(random_state)
    codes = sequence_bytes(sequences)
    letters, numbers = np.unique(codes, return_inverse=True)
    numbers = numbers.reshape(codes.shape)
    lengths = (codes != PAD).sum(axis=1)
    parts = []
    for start in range(0, len(codes), CHUNK):
        rows = slice(start, start + CHUNK)
        walks = _shuffle_walks(numbers[rows], lengths[rows], len(letters), random_state)
        parts.append(letters[walks])
    return as_strings(np.concatenate(parts))


def _shuffle_walks(
    numbers: np.ndarray, lengths: np.ndarray, n_letters: int, random_state: np.random.RandomState
) -> np.ndarray:
    """Shuffle letter numbers of shape (n_samples, width), a step of all walks at a time."""
    n_sequences, width = numbers.shape
    each, steps = np.arange(n_sequences), np.arange(width - 1)
    sources = np.where(steps < lengths[:, None] - 1, numbers[:, :-1], n_letters)  # none: at the end
    # A shuffle with the same pairs of letters is another Eulerian walk through the same edges, one
    # for each pair. A walk is settled by the order in which each letter uses its edges: any order
    # will do if the last ones, of all letters but the final one, form a tree that leads to it.
    # Edges grouped by the letter they leave, in random order within the group.
    # A whole number plus a number in [0, 1) sorts by letter, and at random within a letter.
    order = np.argsort(sources + random_state.random_sample(sources.shape), axis=1)
    targets = np.take_along_axis(numbers[:, 1:], order, axis=1)
    counts = np.stack([(sources == letter).sum(axis=1) for letter in range(n_letters)], axis=1)
    starts = np.cumsum(counts, axis=1) - counts
    _put_tree_last(targets, starts, counts, numbers[each, lengths - 1], random_state)
    walks = numbers.copy()  # padding stays
    letter = numbers[:, 0]
    for step in steps:
        going = np.flatnonzero(step < lengths - 1)
        leaving = letter[going]
        # `starts` is where each letter's next unused edge lies.
        edge = starts[going, leaving]
        starts[going, leaving] += 1
        letter[going] = walks[going, step + 1] = targets[going, edge]
    return walks


def _put_tree_last(
    targets: np.ndarray,
    starts: np.ndarray,
    counts: np.ndarray,
    roots: np.ndarray,
    random_state: np.random.RandomState,
) -> None:
    """Swap a random tree's edge to the end of each letter's group, in every sample."""
    # The edges of the tree lead from each letter to the root, so that no walk ends too early.
    n_sequences, n_letters = counts.shape
    # Letters without an edge are in the tree from the start: no walk leaves them.
    in_tree = counts == 0
    in_tree[np.arange(n_sequences), roots] = True
    chosen = np.zeros_like(counts)  # place of an edge in its letter's group
    for first in range(n_letters):
        # Walk at random into the tree. An edge chosen later at a letter replaces the one chosen
        # before, which erases the loops.
        rows = np.flatnonzero(~in_tree[:, first])
        letters = np.full(len(rows), first)
        while len(rows):
            drawn = random_state.random_sample(len(rows))
            chosen[rows, letters] = (drawn * counts[rows, letters]).astype(np.int64)
            letters = targets[rows, starts[rows, letters] + chosen[rows, letters]]
            outside = ~in_tree[rows, letters]
            rows, letters = rows[outside], letters[outside]
        # The second walk follows what is left of the first, its edges now part of the tree. Wilson:
        # trees drawn so are uniform over all trees that lead to the root, each letter choosing
        # among its edges with equal chances.
        rows = np.flatnonzero(~in_tree[:, first])
        letters = np.full(len(rows), first)
        while len(rows):
            in_tree[rows, letters] = True
            letters = targets[rows, starts[rows, letters] + chosen[rows, letters]]
            outside = ~in_tree[rows, letters]
            rows, letters = rows[outside], letters[outside]
    rows, letters = np.nonzero((counts > 0) & (np.arange(n_letters) != roots[:, None]))
    # With the tree's edge last, a letter is left for good towards the root, so that the walk can
    # only end there, and not before all edges are used (BEST theorem). The other edges of each
    # letter are in any order: together all Eulerian walks have the same chance.
    tree = starts[rows, letters] + chosen[rows, letters]
    last = starts[rows, letters] + counts[rows, letters] - 1
    targets[rows, tree], targets[rows, last] = targets[rows, last], targets[rows, tree]
