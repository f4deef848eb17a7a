"""Motifs that are one, and motifs that are not."""

import numpy as np
import pytest

from sknn.motifs import Motif, merge_motifs
from sknn.motifs._merge import align_motifs


def motif(consensus, name=None, n_sites=30, **options):
    counts = np.eye(4)[["ACGT".index(letter) for letter in consensus]] * (n_sites - 3) + 0.75
    return Motif(name or consensus, counts, n_sites, **options)


@pytest.mark.parametrize(
    ("second", "shift", "is_reverse"),
    [("CGACCGAA", 0, False), ("ACCGAATT", 2, False), ("GGCGACCG", -2, False)],
)
@pytest.mark.parametrize("turned", [False, True])
def test_alignments_are_found_on_both_strands(second, shift, is_reverse, turned):
    first, second = motif("CGACCGAA"), motif(second)
    found = align_motifs(first, second.reverse_complement() if turned else second)
    assert (found.shift, found.is_reverse) == (shift, turned)
    assert found.similarity > 0.7
    assert align_motifs(first, first).similarity == pytest.approx(1.0)


def test_one_motif_in_four_forms_becomes_one_and_others_stay():
    forms = [
        motif("CGACCGAACT", "a", importance=0.5),
        motif("TTTGACGTCA", "other", importance=0.6),
        motif("AGTTCGGTCG", "b", importance=0.2),  # the other strand
        motif("CCGACCGAAC", "c", importance=0.1),  # shifted to the left
        motif("ACCGAACTCC", "d", n_sites=10, importance=0.1),  # shifted to the right
    ]
    merged = merge_motifs(forms)
    assert [m.name for m in merged] == ["a", "other"]
    assert merged[0].importance == pytest.approx(0.9)
    assert merged[0].n_sites == 100
    assert merged[0].consensus == "CCGACCGAACT"  # what most of them have
    at_first_base = [forms[0].pfm[1], forms[1 + 1].pfm[::-1, ::-1][1], forms[3].pfm[2]]
    np.testing.assert_allclose(merged[0].pfm[2], np.sum(at_first_base, axis=0))
    np.testing.assert_array_equal(merged[1].pfm, forms[1].pfm)


def test_vague_motifs_are_not_smeared_into_their_one_clear_letter():
    rng = np.random.RandomState(1)
    vague = []
    for i in range(10):
        counts = rng.multinomial(30, [0.4, 0.3, 0.2, 0.1], size=9) + rng.dirichlet([0.3] * 4, 9) * 9
        counts[rng.randint(9)] = [0, 0, 30, 0]
        vague.append(Motif(f"v{i}", counts, 30))
    merged = merge_motifs(vague)
    weakest = min(m.information_content for m in vague)
    assert min(m.information_content for m in merged) >= 0.75 * weakest


def test_random_motifs_are_not_merged():
    rng = np.random.RandomState(0)
    motifs = [motif("".join(rng.choice(list("ACGT"), 11)), f"m{i}") for i in range(40)]
    assert len(merge_motifs(motifs)) == 40


def test_proteins_have_no_other_strand_and_bad_arguments_are_named():
    forward = Motif("f", np.eye(5)[[0, 0, 1, 1, 2]] * 9, 9, alphabet="ACGTN")
    backward = Motif("b", forward.pfm[::-1, ::-1], 9, alphabet="ACGTN")
    assert len(merge_motifs([forward, backward])) == 2
    with pytest.raises(ValueError, match=r"Motifs are merged over one alphabet; got \['ACGT', "):
        merge_motifs([forward, motif("ACGT")])
    with pytest.raises(ValueError, match=r"min_similarity must be in \(0, 1\]; got 0"):
        merge_motifs([], 0)
