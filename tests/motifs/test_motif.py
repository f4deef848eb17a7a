"""Motif: counts, information, consensus, and other packages' formats."""

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sknn.motifs import Motif

COUNTS = np.array([[8, 0, 0, 0], [4, 4, 0, 0], [2, 2, 2, 2], [0, 0, 1, 7]], dtype=float)


def motif(counts=COUNTS, **params):
    return Motif("m", counts, 8, **{"pseudocount": 0.0, **params})


def test_probabilities_and_information_of_a_worked_example():
    np.testing.assert_allclose(motif().ppm, COUNTS / 8)
    entropy = -(1 / 8 * np.log2(1 / 8) + 7 / 8 * np.log2(7 / 8))
    np.testing.assert_allclose(motif().information, [2, 1, 0, 2 - entropy])
    np.testing.assert_allclose(motif().information_content, 5 - entropy)


def test_pseudocount_is_added_to_each_letter():
    np.testing.assert_allclose(motif(pseudocount=1.0).ppm[0], [9 / 12, 1 / 12, 1 / 12, 1 / 12])
    np.testing.assert_allclose(motif(np.zeros((1, 4))).ppm, [[0.25] * 4])


def test_pwm_is_log_odds_over_the_background():
    background = [0.1, 0.2, 0.3, 0.4]
    pwm = motif(pseudocount=1.0).to_pwm(background)
    np.testing.assert_allclose(2**pwm * background, motif(pseudocount=1.0).ppm)
    np.testing.assert_allclose(motif().to_pwm()[1], [1, 1, -np.inf, -np.inf])


@pytest.mark.parametrize(
    ("shares", "letter"),
    [
        ([1, 0, 0, 0], "A"),
        ([0.51, 0.24, 0.15, 0.1], "A"),
        ([0.51, 0.27, 0.12, 0.1], "M"),
        ([0.1, 0.4, 0.1, 0.4], "Y"),
        ([0.4, 0.1, 0.4, 0.1], "R"),
        ([0.45, 0.05, 0.05, 0.45], "W"),
        ([0, 0.5, 0.5, 0], "S"),
        ([0, 0, 0.5, 0.5], "K"),
        ([0.4, 0.3, 0.2, 0.1], "N"),
    ],
)
def test_consensus_by_cavener(shares, letter):
    assert motif(np.array([shares]) * 100).consensus == letter


def test_consensus_of_other_alphabets():
    assert Motif("r", np.eye(4), 1, 0.0, alphabet="ACGU").consensus == "ACGU"
    assert Motif("p", np.array([[5, 1, 1], [2, 2, 2]]), 7, alphabet="KLM").consensus == "KX"


def test_trimmed_ends_but_not_gaps():
    counts = np.vstack([np.full((2, 4), 2), COUNTS, np.full((1, 4), 2)])
    np.testing.assert_array_equal(motif(counts).trimmed(0.5).pfm, COUNTS)
    np.testing.assert_array_equal(motif(np.full((3, 4), 2)).trimmed(0.5).pfm, np.full((3, 4), 2))


def test_other_strand():
    other = motif(importance=0.5).reverse_complement()
    np.testing.assert_array_equal(other.pfm, COUNTS[::-1, ::-1])
    np.testing.assert_array_equal(other.reverse_complement().pfm, COUNTS)
    assert (other.name, other.n_sites, other.importance) == ("m", 8, 0.5)
    with pytest.raises(ValueError, match=r"Only motifs over 'ACGT'.*got 'KLM'"):
        Motif("p", np.ones((1, 3)), 3, alphabet="KLM").reverse_complement()


def test_biopython_agrees_on_consensus_and_pwm():
    bio = pytest.importorskip("Bio.motifs")
    theirs = motif(pseudocount=1.0).to_biopython()
    assert isinstance(theirs, bio.Motif)
    assert theirs.name == "m"
    ours = motif(pseudocount=1.0).to_pwm()
    np.testing.assert_allclose([theirs.pssm[base] for base in "ACGT"], ours.T)


def test_biopython_gets_the_counts(monkeypatch):
    made = {}
    module = SimpleNamespace(Motif=lambda **given: SimpleNamespace(**made.setdefault("m", given)))
    monkeypatch.setitem(sys.modules, "Bio", SimpleNamespace(motifs=module))
    monkeypatch.setitem(sys.modules, "Bio.motifs", module)
    result = motif().to_biopython()
    assert (result.name, result.pseudocounts) == ("m", 0.0)
    assert made["m"]["counts"]["T"] == [0, 0, 2, 7]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.ones((3, 5)), re.escape("shape (width, 4)") + ".*" + re.escape("(3, 5)")),
        (np.ones(4), "pfm must have shape"),
        (np.ones((0, 4)), "pfm must have shape"),
        (np.full((2, 4), -1.0), "counts, 0 or more"),
        (np.full((2, 4), np.nan), "counts, 0 or more"),
    ],
)
def test_bad_counts_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        Motif("m", counts, 1)


@pytest.mark.parametrize("background", [[0.5, 0.5], [0.5, 0.5, 0.5, 0.5], [1.0, 0, 0, 0]])
def test_bad_background_is_refused(background):
    with pytest.raises(ValueError, match="background must be 4 positive numbers"):
        motif().to_pwm(background)
