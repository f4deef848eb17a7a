"""dinucleotide_shuffle: the counts of pairs, and that every walk is as likely."""

from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
from scipy.stats import chisquare

from sknn.preprocessing import dinucleotide_shuffle
from sknn.preprocessing.sequences._shuffle import CHUNK


def pairs(sequence):
    return Counter(pairwise(sequence))


@pytest.mark.parametrize("letters", ["ACGT", "ACGTN", "ACDEFGHIKLMNPQRSTVWY", "AB"])
def test_pairs_and_ends_stay(letters):
    random = np.random.RandomState(0)
    sequences = ["".join(random.choice(list(letters), random.randint(1, 60))) for _ in range(200)]
    shuffled = dinucleotide_shuffle(sequences, random_state=1)
    for before, after in zip(sequences, shuffled, strict=True):
        assert pairs(before) == pairs(after)
        assert (before[0], before[-1]) == (after[0], after[-1])
    if len(letters) < 20:
        assert np.mean(shuffled != np.array(sequences)) > 0.7


@pytest.mark.parametrize("sequence", ["ACACGAGTCA", "AACCAACCAC", "TGATTACATG"])
def test_every_possible_sequence_comes_as_often(sequence):
    inner = {"".join(p) for p in permutations(sequence[1:-1])}
    possible = {sequence[0] + s + sequence[-1] for s in inner}
    possible = {s for s in possible if pairs(s) == pairs(sequence)}
    counts = Counter(dinucleotide_shuffle([sequence] * 20_000, random_state=0).tolist())
    assert set(counts) == possible
    assert chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize("sequence", ["A", "AC", "AAAA", "ACAC", "CCCA"])
def test_sequences_with_one_walk_stay(sequence):
    assert dinucleotide_shuffle([sequence], random_state=0) == [sequence]


def test_seed_gives_the_same_and_the_global_generator_stays():
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - it is this one that must not move
    sequences = ["ACGTTGCAACGGTTACGATCG"] * 5
    first, again = (dinucleotide_shuffle(sequences, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(set(first)) > 1
    assert (dinucleotide_shuffle(sequences, random_state=4) != first).any()
    dinucleotide_shuffle(sequences)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_a_last_letter_that_comes_once_takes_no_longer():
    """A tree drawn until it happens to fit would need thousands of tries here."""
    sequence = "ACGT" * 2000 + "N"
    assert pairs(dinucleotide_shuffle([sequence], random_state=0)[0]) == pairs(sequence)


def test_more_samples_than_a_chunk():
    sequences = ["ACGATTACCA"[: 4 + i % 7] for i in range(2 * CHUNK + 3)]
    shuffled = dinucleotide_shuffle(sequences, random_state=0)
    assert list(map(pairs, shuffled)) == list(map(pairs, sequences))


def test_empty_sequence_is_refused():
    with pytest.raises(ValueError, match="Sequence 1 is empty"):
        dinucleotide_shuffle(["ACG", ""])
