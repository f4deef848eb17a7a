"""reverse_complement of strings and of encoded arrays."""

import re

import numpy as np
import pytest

from sknn.preprocessing import DNAOneHotEncoder, reverse_complement


@pytest.mark.parametrize(
    ("sequence", "other"),
    [("AACGT", "ACGTT"), ("acGT", "ACgt"), ("ACGN", "NCGT"), ("AUG", "CAT"), ("A-C", "G-T")],
)
def test_strand_is_read_from_its_own_end(sequence, other):
    assert reverse_complement(sequence) == other
    assert reverse_complement([sequence, "A"]).tolist() == [other, "T"]


@pytest.mark.parametrize(("code", "complement"), zip("RYSWKMBDHVN", "YRSWMKVHDBN", strict=True))
def test_iupac_codes(code, complement):
    assert reverse_complement(code) == complement
    assert reverse_complement(code.lower()) == complement.lower()


def test_twice_is_the_same_and_encoding_agrees():
    letters = np.random.RandomState(0).choice(list("ACGTRYSWKMBDHVN"), (30, 20))
    sequences = np.array(["".join(s) for s in letters])
    np.testing.assert_array_equal(reverse_complement(reverse_complement(sequences)), sequences)
    encoder = DNAOneHotEncoder(unknown="iupac").fit(sequences)
    np.testing.assert_array_equal(
        reverse_complement(encoder.transform(sequences)),
        encoder.transform(reverse_complement(sequences)),
    )


def test_bytes_and_series_are_taken():
    pd = pytest.importorskip("pandas")
    assert reverse_complement([b"AAC"]).tolist() == ["GTT"]
    assert reverse_complement(pd.Series(["AAC", "G"])).tolist() == ["GTT", "C"]


def test_other_things_are_refused():
    with pytest.raises(ValueError, match=re.escape("got shape (2, 5, 20)")):
        reverse_complement(np.ones((2, 5, 20)))
    with pytest.raises(ValueError, match="Sequence 1 is None"):
        reverse_complement(["A", None])
