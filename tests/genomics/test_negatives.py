"""Negatives that match positives in length and in their share of G and C."""

import numpy as np
import pandas as pd
import pytest

from sknn.genomics import matched_negatives
from sknn.genomics._negatives import Occupied, choose_nearest
from sknn.preprocessing import Regions


def gc_of(bases, row):
    text = bases[row.chrom][row.start : row.end].upper()
    return sum(map(text.count, "GC")) / len(text)


@pytest.fixture(scope="module")
def rich(bases):
    """Return the regions of chr1 that are richest in G and C, of two lengths."""
    starts = np.arange(0, 4900, 60)
    shares = [sum(map(bases["chr1"][s : s + 40].count, "GC")) for s in starts]
    chosen = np.sort(starts[np.argsort(shares)[-12:]])
    return pd.DataFrame(
        {"chrom": "chr1", "start": chosen, "end": chosen + np.tile([40, 30], 6), "strand": "-"}
    )


def test_negatives_are_as_long_and_as_rich_and_overlap_nothing(fasta, bases, rich):
    away = pd.DataFrame({"chrom": ["chr2"], "start": [0], "end": [500]})
    found = matched_negatives(rich, fasta, n_per_region=2, exclude=away, random_state=0)
    assert len(found) == 24
    twice = rich.loc[rich.index.repeat(2)].reset_index(drop=True)
    np.testing.assert_array_equal(found["end"] - found["start"], twice["end"] - twice["start"])
    assert set(found["strand"]) == {"-"}
    wanted = np.array([gc_of(bases, row) for row in twice.itertuples()])
    got = np.array([gc_of(bases, row) for row in found.itertuples()])
    np.testing.assert_allclose(got, found["gc"])
    assert np.abs(got - wanted).mean() < 0.04
    assert wanted.mean() > 0.55
    everything = pd.concat([rich, found, away]).sort_values(["chrom", "start"])
    for before, after in zip(
        everything[:-1].itertuples(), everything[1:].itertuples(), strict=True
    ):
        assert before.chrom != after.chrom or before.end <= after.start
    assert "chrN" not in set(found["chrom"])
    same = matched_negatives(rich, fasta, n_per_region=2, exclude=away, random_state=0)
    pd.testing.assert_frame_equal(found, same)


def test_regions_may_be_a_bed_file(fasta, tmp_path):
    bed = tmp_path / "peaks.bed"
    bed.write_text("chr1\t100\t200\nchr2\t50\t150\n")
    expected = matched_negatives([("chr1", 100, 200), ("chr2", 50, 150)], fasta, random_state=0)
    pd.testing.assert_frame_equal(matched_negatives(bed, fasta, random_state=0), expected)
    pd.testing.assert_frame_equal(matched_negatives(str(bed), fasta, random_state=0), expected)


def test_there_is_one_negative_for_each_region_at_least(fasta):
    with pytest.raises(ValueError, match="n_per_region must be 1 or more; got 0"):
        matched_negatives([("chr1", 10, 60)], fasta, n_per_region=0)


def test_the_nearest_free_place_is_chosen():
    places = [("chr1", 1000 * i, share) for i, share in enumerate([0.2, 0.7, 0.5, 0.4, 0.4])]
    taken = Occupied(Regions.of([("chr1", 3000, 3050)]))  # the first one of 0.4
    chosen = choose_nearest(np.array([0.41, 0.41, 0.9, 0.0]), places, 50, taken)
    assert [share for *_, share in chosen] == [0.4, 0.5, 0.7, 0.2]
    assert chosen[0][1] == 4000


def test_a_genome_that_is_too_small_is_named(fasta):
    with pytest.raises(ValueError, match="no chromosome of 6000 bases"):
        matched_negatives([("chr1", 0, 6000)], fasta, random_state=0)
    most = [("chr1", 0, 4990), ("chr2", 0, 1990), ("chrN", 0, 490)]
    with pytest.raises(ValueError, match=r"free places for \d of 1 regions of 4990 bases"):
        matched_negatives(most[:1], fasta, exclude=most, random_state=0)
