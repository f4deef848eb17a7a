"""make_motif_sequences: the motif is where it says, and the rest is random."""

import numpy as np
import pytest

from sknn.datasets import make_motif_sequences
from sknn.preprocessing import reverse_complement


def test_motif_stands_at_its_position_in_the_positives_alone():
    X, y, positions = make_motif_sequences(random_state=0)
    assert X.shape == y.shape == positions.shape == (2000,)
    assert {len(s) for s in X} == {50}
    assert 0.45 < y.mean() < 0.55
    found = [s.find("CGACCGAACTCC") for s in X]
    np.testing.assert_array_equal(positions, found)  # by chance it comes once in 400,000 times
    assert set(positions[y == 1]) == set(range(39))


def test_iupac_motif_draws_a_base_for_each_sequence():
    X, y, positions = make_motif_sequences(500, 20, "tatawr", fraction=1.0, random_state=1)
    ends = {s[p : p + 6] for s, p in zip(X, positions, strict=True)}
    assert y.all()
    assert ends == {"TATA" + a + b for a in "AT" for b in "AG"}


def test_probabilities_of_a_motif_and_of_the_background():
    shares = np.array([[0.7, 0.1, 0.1, 0.1], [0.0, 0.0, 0.5, 0.5], [0.0, 1.0, 0.0, 0.0]])
    background = [0.1, 0.4, 0.4, 0.1]
    X, y, positions = make_motif_sequences(8000, 12, shares, background=background, random_state=2)
    sites = [s[p : p + 3] for s, p in zip(X[y == 1], positions[y == 1], strict=True)]
    for i, row in enumerate(shares):
        observed = [np.mean([site[i] == base for site in sites]) for base in "ACGT"]
        np.testing.assert_allclose(observed, row, atol=0.03)
    rest = "".join(X[y == 0])
    np.testing.assert_allclose([rest.count(b) / len(rest) for b in "ACGT"], background, atol=0.01)


def test_half_of_the_motifs_are_on_the_other_strand():
    X, y, positions = make_motif_sequences(
        1000, 30, "AACCG", fraction=1.0, both_strands=True, random_state=0
    )
    sites = [s[p : p + 5] for s, p in zip(X, positions, strict=True)]
    assert set(sites) == {"AACCG", reverse_complement("AACCG")}
    assert 0.45 < np.mean([site == "AACCG" for site in sites]) < 0.55
    assert y.all()


def test_seed_gives_the_same_and_the_global_generator_stays():
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - it is this one that must not move
    first, again = (make_motif_sequences(50, random_state=5) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    make_motif_sequences(50)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_motif_as_long_as_the_sequence():
    X, y, positions = make_motif_sequences(20, 4, "ACGT", fraction=1.0, random_state=0)
    assert set(X) == {"ACGT"}
    assert y.all()
    assert not positions.any()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"length": 5}, "length must be at least that of the motif, 12 bases; got 5"),
        ({"n_samples": 0}, "n_samples must be 1 or more; got 0"),
        ({"fraction": 1.5}, r"fraction must be in \[0, 1\]; got 1.5"),
        ({"motif": "ACX"}, "motif must be bases or IUPAC's codes.*'ACX'"),
        ({"motif": ""}, "motif must be bases"),
        ({"motif": [[0.5, 0.5]]}, r"motif must be probabilities.*\(width, 4\)"),
        ({"motif": [0.25] * 4}, r"motif must be probabilities"),
        ({"background": [0.5, 0.5, 0.5, 0.5]}, r"background must be probabilities.*\(4,\)"),
        ({"background": [1.5, -0.5, 0, 0]}, "background must be probabilities"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        make_motif_sequences(**params)
