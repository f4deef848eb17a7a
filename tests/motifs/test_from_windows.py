"""motifs_from_windows: sites on both strands, thresholds, gates."""

import numpy as np
import pytest

from sknn.datasets import make_motif_sequences
from sknn.motifs import BestWindows, motifs_from_windows
from sknn.preprocessing import DNAOneHotEncoder


def planted(both_strands=False, n=300):
    X, y, positions = make_motif_sequences(
        n, 30, "AACGTCCA", both_strands=both_strands, random_state=0
    )
    encoded = DNAOneHotEncoder().fit_transform(X)
    other = np.array(
        [p >= 0 and s[p : p + 8] != "AACGTCCA" for s, p in zip(X, positions, strict=True)]
    )
    return encoded, y, np.maximum(positions, 0), other


def best(y, start, other, kernel_size=8):
    """Return the windows of a filter that fires at the motif, and of one that never does."""
    activation = np.stack([np.where(y == 1, 2.0, 0.5), np.zeros(len(y))], axis=1)
    both = np.stack([start, start], axis=1), np.stack([other, other], axis=1)
    return BestWindows(activation, *both, kernel_size)


@pytest.mark.parametrize("both_strands", [False, True])
def test_planted_motif_is_read_exactly(both_strands):
    X, y, start, other = planted(both_strands)
    assert bool(other.any()) is both_strands
    motifs = motifs_from_windows(X, best(y, start, other))
    assert [(m.name, m.consensus, m.n_sites) for m in motifs] == [
        ("filter_0", "AACGTCCA", int(y.sum()))
    ]
    np.testing.assert_array_equal(motifs[0].pfm.sum(axis=1), y.sum())


def test_flanks_without_information_are_cut():
    X, y, start, other = planted()
    inside = (start >= 2) & (start <= 18)
    windows = best(y * inside, np.where(inside, start - 2, 0), other, kernel_size=12)
    assert motifs_from_windows(X, windows)[0].consensus == "AACGTCCA"
    assert len(motifs_from_windows(X, windows, trim=0.0)[0].pfm) == 12


def test_threshold_is_a_share_of_the_largest_value():
    X, y, start, other = planted()
    windows = best(y, start, other)
    assert motifs_from_windows(X, windows, threshold=0.5)[0].n_sites == y.sum()
    assert motifs_from_windows(X, windows, threshold=0.2)[0].n_sites == len(y)


def test_filters_with_few_sites_are_left_out():
    X, y, start, other = planted()
    windows = best(y, start, other)
    assert motifs_from_windows(X, windows, min_sites=int(y.sum()) + 1) == []


def test_padding_is_not_counted():
    X, y, start, other = planted()
    X = np.concatenate([X, np.zeros_like(X[:, :8])], axis=1)
    windows = best(np.ones_like(y), np.full_like(start, 26), other & False)
    motif = motifs_from_windows(X, windows, trim=0.0)[0]
    np.testing.assert_array_equal(motif.pfm.sum(axis=1), [len(y)] * 4 + [0] * 4)


def test_importance_sorts():
    X, y, start, other = planted()
    activation = np.repeat(y[:, None] * 2.0, 3, axis=1)
    windows = BestWindows(activation, np.stack([start] * 3, 1), np.stack([other] * 3, 1), 8)
    motifs = motifs_from_windows(X, windows, importance=[0.1, 3.0, 0.5])
    assert [(m.name, m.importance) for m in motifs] == [
        ("filter_1", 3.0),
        ("filter_2", 0.5),
        ("filter_0", 0.1),
    ]
