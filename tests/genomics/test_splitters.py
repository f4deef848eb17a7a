"""Splits that keep like sequences on one side."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold, cross_val_score

from sknn import SequenceCNNClassifier
from sknn.datasets import make_motif_sequences
from sknn.genomics import ChromosomeSplit, SimilarSequencesSplit, group_similar_sequences
from sknn.preprocessing import reverse_complement


def test_chromosomes_are_on_one_side_and_folds_are_of_like_size():
    chroms = np.repeat(["chr1", "chr2", "chr3", "chr4", "chr5"], [50, 40, 30, 20, 10])
    splits = list(ChromosomeSplit(3).split(chroms, groups=chroms))
    assert [len(test) for _, test in splits] == [50, 50, 50]
    for train, test in splits:
        assert not set(chroms[train]) & set(chroms[test])
        assert len(train) + len(test) == len(chroms)
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(150))


def test_named_chromosomes_are_held_out():
    frame = pd.DataFrame({"chrom": ["chr1", "chr8", "chr9", "chr1"], "start": 0, "end": 9})
    splitter = ChromosomeSplit([["chr8", "chr9"]])
    assert splitter.get_n_splits() == 1
    [(train, test)] = splitter.split(frame)
    assert (train.tolist(), test.tolist()) == ([0, 3], [1, 2])
    assert ChromosomeSplit(4).get_n_splits() == 4


@pytest.mark.parametrize(
    ("folds", "X", "groups", "message"),
    [
        (2, ["ACGT"] * 4, None, "needs the chromosomes: as groups, or as the column 'chrom'"),
        (9, ["ACGT"] * 2, ["a", "b"], "folds=9 must be at least 2 and at most .* 2"),
        ([["chrX"]], ["ACGT"] * 2, ["a", "b"], r"No sample is of \['chrX'\]"),
        ("a", ["ACGT"] * 2, ["a", "b"], r"got 'a'\. Write \[\['a'\]\] for one test set"),
        (["a", "b"], ["ACGT"] * 2, ["a", "b"], r"Write \[\['a', 'b'\]\] for one test set"),
    ],
)
def test_impossible_folds_are_named(folds, X, groups, message):
    with pytest.raises(ValueError, match=message):
        next(ChromosomeSplit(folds).split(X, groups=groups))


def mutated(sequence, n, rng):
    letters = list(sequence)
    for place in rng.choice(len(letters), n, replace=False):
        letters[place] = rng.choice([base for base in "ACGT" if base != letters[place]])
    return "".join(letters)


def test_copies_other_strands_and_near_duplicates_are_one_group():
    rng = np.random.RandomState(0)
    whole = "".join(rng.choice(list("ACGT"), 4000))
    X = [whole[i : i + 100] for i in range(0, 4000, 100)]
    others = [
        [s.lower() for s in X],
        reverse_complement(X),
        [mutated(s, 1, rng) for s in X],
        [whole[i + 10 : i + 110] for i in range(0, 3900, 100)],  # windows that overlap
    ]
    groups = group_similar_sequences(X)
    assert len(set(groups)) == 40
    for copies in others:
        found = group_similar_sequences([*X, *copies])
        np.testing.assert_array_equal(found[40:], found[: len(copies)])
        assert len(set(found)) == 40


def test_short_sequences_and_other_lengths_are_grouped():
    X = ["ACGT", "ACGTA", "TTTT", "AAAA", "ACGTACGTACGTACGTACGTAC"]
    groups = group_similar_sequences(X, min_similarity=1.0)
    assert groups[2] == groups[3]
    assert len(set(groups)) == 4
    with pytest.raises(ValueError, match=r"min_similarity must be in \(0, 1\]; got 0"):
        group_similar_sequences(X, 0)


def test_time_grows_with_the_number_of_sequences_not_its_square():
    repeat = "ACGT" * 25  # all sequences share these k-mers, so that one bucket has them all
    rng = np.random.RandomState(0)
    X = [repeat[:40] + "".join(rng.choice(list("ACGT"), 160)) for _ in range(3000)]
    assert len(set(group_similar_sequences(X))) == 3000


@pytest.mark.parametrize("y", [None, "labels", "numbers"])
def test_similar_sequences_are_on_one_side_and_labels_keep_their_shares(y):
    X, labels, _ = make_motif_sequences(200, random_state=0)
    X = [*X, *reverse_complement(X)]
    labels = np.tile(labels, 2)
    y = {None: None, "labels": labels, "numbers": np.random.RandomState(0).normal(size=400)}[y]
    splitter = SimilarSequencesSplit(4, shuffle=True, random_state=0)
    assert splitter.get_n_splits() == 4
    for train, test in splitter.split(X, y):
        assert not set(train % 200) & set(test % 200)
        assert abs(len(test) - 100) <= 6
        if y is labels:
            assert abs(labels[test].mean() - labels.mean()) < 0.02
    with pytest.raises(ValueError, match="1 groups of similar ones, fewer than n_splits=5"):
        next(SimilarSequencesSplit().split(["ACGTACGTACGTAA"] * 9))


def test_labels_at_random_are_not_learned_where_copies_stay_together():
    """A random split of sequences with their other strand leaks every label."""
    X, _, _ = make_motif_sequences(150, random_state=3)
    y = np.tile(np.random.RandomState(0).randint(2, size=150), 2)
    X = np.array([*X, *reverse_complement(X)], dtype=object)
    network = SequenceCNNClassifier(
        32,
        8,
        n_members=1,
        reverse_complement=True,
        early_stopping=False,
        dropout=0.0,
        max_iter=80,
        random_state=0,
    )
    leaky, honest = (
        cross_val_score(network, X, y, cv=[next(splitter.split(X, y))])
        for splitter in (
            KFold(3, shuffle=True, random_state=0),
            SimilarSequencesSplit(3, shuffle=True, random_state=0),
        )
    )
    assert leaky > 0.8
    assert honest < 0.65
