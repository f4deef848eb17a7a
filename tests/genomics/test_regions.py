"""Regions of a genome against slices of its text."""

import gzip
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sknn import SequenceCNNClassifier
from sknn.genomics import (
    ChromosomeSplit,
    RegionsToSequences,
    SimilarSequencesSplit,
    read_bed,
    read_bigwig,
    read_regions,
)
from sknn.persistence import trusted_types
from sknn.preprocessing import Genome, reverse_complement


def test_bases_are_slices_and_padded_beyond_the_ends(fasta, bases):
    with Genome(fasta) as genome:
        assert genome.lengths == {name: len(text) for name, text in bases.items()}
        assert genome.fetch("chr1", 10, 75) == bases["chr1"][10:75]
        assert genome.fetch("chr1", -3, 4) == "NNN" + bases["chr1"][:4]
        assert genome.fetch("chr1", 4996, 5004) == bases["chr1"][4996:] + "NNNN"
        assert genome.fetch("chr1", 5100, 5104) == genome.fetch("chr1", -9, -5) == "NNNN"
        assert genome.fetch("chr2", 998, 1002) == bases["chr2"][998:1002]  # in its case
        with pytest.raises(ValueError, match=r"no chromosome '1'; .*It has 'chr1': rename"):
            genome.fetch("1", 0, 5)


def test_files_that_are_no_genome_are_named(tmp_path, fasta):
    with pytest.raises(FileNotFoundError, match=r"There is no FASTA file .*nothing\.fa"):
        Genome(tmp_path / "nothing.fa")
    packed = tmp_path / "genome.fa.gz"
    packed.write_bytes(gzip.compress(fasta.read_bytes()))
    with pytest.raises(ValueError, match=r"cannot be read as an indexed FASTA file.*bgzip"):
        Genome(packed)


@pytest.mark.parametrize(
    ("asked", "has"), [("MT", "chrM"), ("chrMT", "chrM"), ("chrM", "MT"), ("chr7", "7")]
)
def test_other_names_of_a_chromosome_are_named(tmp_path, asked, has):
    pytest.importorskip("pyfaidx", reason="genomes need sknn[genome]")
    path = tmp_path / "genome.fa"
    path.write_text(f">{has}\nACGT\n")
    message = f"no chromosome '{asked}'.*It has '{has}': rename"
    with Genome(path) as genome, pytest.raises(ValueError, match=message):
        genome.fetch(asked, 0, 2)


def test_chromosomes_may_be_called_as_lines_that_are_passed_over(tmp_path):
    path = tmp_path / "tracks.bed"
    path.write_text("track name=x\nbrowser\tposition\ntrack1\t5\t9\nbrowser2\t0\t3\n")
    assert read_bed(path)["chrom"].tolist() == ["track1", "browser2"]


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode(), mtime=0)])
def test_bed_files_are_read_with_as_many_columns_as_they_have(tmp_path, pack):
    path = tmp_path / "peaks.bed"
    text = "track name=x\n#comment\nchr1\t5\t9\ta\t1.5\t+\textra\nchr2\t0\t3\tb\t.\t-\tmore\n\n"
    path.write_bytes(pack(text))
    table = read_bed(path)
    assert list(table.columns) == [
        "chrom",
        "start",
        "end",
        "name",
        "score",
        "strand",
        "thick_start",
    ]
    assert table["start"].dtype == "int64"
    assert table["score"].tolist()[0] == 1.5
    assert np.isnan(table["score"][1])


def test_narrow_peaks_have_their_own_columns(tmp_path):
    path = tmp_path / "x.narrowPeak"
    path.write_text("chr1\t5\t9\ta\t0\t.\t7.5\t3\t-1\t2\n")
    row = read_bed(path).iloc[0]
    assert (row["signal_value"], row["q_value"], row["peak"]) == (7.5, -1.0, 2.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr1\t5\n", "Line 1 of .* expected 3 columns"),
        ("chr1\t5\t9\nchr1\tfive\t9\n", "Line 2 of .*'chr1.tfive.t9'"),
        ("chr1\t5\t9\nchr1\t5\t9\tname\n", "Line 2 of .* expected 3 columns"),
        ("# nothing\n", "has no region"),
        ("chr1\t-5\t9\n", "Line 1"),
        ("chrom\tstart\tend\nchr1\t5\t9\n", "Line 1 .*Begin a line of names with '#'"),
    ],
)
def test_damaged_bed_files_are_named_with_the_line(tmp_path, text, message):
    path = tmp_path / "bad.bed"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        read_bed(path)


def test_sequences_are_read_around_the_middle_and_on_their_strand(fasta, bases):
    table = pd.DataFrame(
        {"chrom": ["chr1", "chr1"], "start": [100, 101], "end": [110, 112], "strand": ["+", "-"]}
    )
    regions, sequences = read_regions(fasta, table, width=20)
    assert regions["start"].tolist() == [95, 96]
    assert regions["end"].tolist() == [115, 116]
    assert sequences[0] == bases["chr1"][95:115]
    assert sequences[1] == reverse_complement(bases["chr1"][96:116])
    assert table["start"].tolist() == [100, 101]  # what was given stays
    assert read_regions(fasta, table)[1][0] == bases["chr1"][100:110]


def test_regions_come_as_rows_and_frames_with_missing_strands(fasta, bases):
    expected = [bases["chr1"][5:50], reverse_complement(bases["chr2"][0:9])]
    rows = [("chr1", 5, 50, "+"), ("chr2", 0, 9, "-")]
    regions, sequences = read_regions(fasta, rows)
    assert regions.columns.tolist() == ["chrom", "start", "end", "strand"]
    assert sequences.tolist() == expected
    frame = pd.DataFrame(rows, columns=["chrom", "start", "end", "strand"])
    polars = pytest.importorskip("polars").DataFrame(frame.to_dict("list"))
    assert read_regions(fasta, polars)[1].tolist() == expected
    frame["strand"] = [None, np.nan]
    assert read_regions(fasta, frame)[1].tolist() == [expected[0], bases["chr2"][0:9]]


def test_soft_masked_bases_can_be_hidden_and_unknown_regions_are_left_out(fasta, bases):
    table = pd.DataFrame(
        {
            "chrom": ["chr2", "chrN", "chr1"],
            "start": [990, 10, 0],
            "end": [1010, 40, 9],
            "n": [1, 2, 3],
        }
    )
    with pytest.warns(UserWarning, match="1 of 3 regions are left out, as more than 50%"):
        regions, sequences = read_regions(fasta, table, mask_lower=True)
    assert regions["n"].tolist() == [1, 3]
    assert regions.index.tolist() == [0, 1]
    assert sequences[0] == bases["chr2"][990:1000] + "N" * 10
    assert len(read_regions(fasta, table, max_unknown=1)[1]) == 3


def test_a_pipeline_from_regions_learns_and_is_pickled(fasta, bases):
    starts = np.arange(0, 4900, 49)
    frame = pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + 50})
    y = [int(bases["chr1"][s : s + 50].count("G") > 12) for s in starts]
    network = SequenceCNNClassifier(n_filters=8, kernel_size=3, max_iter=30, random_state=0)
    model = make_pipeline(RegionsToSequences(fasta, width=50), network).fit(frame, y)
    sequences = [bases["chr1"][s : s + 50] for s in starts]
    np.testing.assert_array_equal(
        model.decision_function(frame), network.decision_function(sequences)
    )
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(frame), model.predict(frame))
    assert clone(model[0]).fit_transform(frame.to_numpy())[3] == sequences[3]
    polars = pytest.importorskip("polars").DataFrame(frame.to_dict("list"))
    np.testing.assert_array_equal(again.predict(polars), model.predict(frame))


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ([("chr1", 5, 5)], "Region 0 ends at 5, not after its start 5"),
        ([("chr1", 5, 9, "x")], "Region 0 has the strand 'x'"),
        ([("chr1", 5.5, 9)], "'start' of region 0 is 5.5; expected a whole number"),
        ([("chr1", 5)], "Regions are a data frame with columns"),
        (np.array("genome.fa"), "Regions are a data frame with columns .* got .*genome.fa"),
        (["chr1", "chr2"], "Regions are a data frame with columns"),
        ([("chr1", 1, 9), None], "Regions are a data frame with columns"),
        ([("chr1", 1, 9), ("chr2", 1, 9, "+")], "Regions are a data frame with columns"),
        ([("chr1", 6000, 6010)], r"Region 0 \(chr1:6000-6010\) lies outside"),
        ([("chr7", 0, 9)], "no chromosome 'chr7'"),
        (pd.DataFrame({"chrom": ["chr1"], "begin": [3], "end": [4]}), r"\['start'\] are missing"),
    ],
)
def test_impossible_regions_are_named(fasta, regions, message):
    with pytest.raises(ValueError, match=message):
        RegionsToSequences(fasta).fit_transform(regions)


@pytest.mark.parametrize("statistic", ["mean", "max", "min", "sum"])
def test_bigwig_gives_a_number_for_each_region(tmp_path, statistic):
    pybigtools = pytest.importorskip("pybigtools", reason="bigWig needs sknn[genome]")
    path = str(tmp_path / "signal.bw")
    signal = np.zeros(100)
    signal[10:20], signal[25:30] = 2.0, 5.0
    pybigtools.open(path, "w").write({"chr1": 100}, [("chr1", 10, 20, 2.0), ("chr1", 25, 30, 5.0)])
    regions = [("chr1", 15, 30), ("chr1", 40, 50), ("chr1", 25, 29)]
    expected = [getattr(np, statistic)(signal[start:end]) for _, start, end in regions]
    np.testing.assert_allclose(read_bigwig(path, regions, statistic=statistic), expected)
    beyond = read_bigwig(path, [("chr1", 98, 100)], width=10, statistic="sum", missing=1.0)
    assert beyond.tolist() == [10.0]
    with pytest.raises(ValueError, match=r"statistic must be one of.*got 'mode'"):
        read_bigwig(path, regions, statistic="mode")
    with pytest.raises(ValueError, match=r"no chromosome 'chr2'; it has \['chr1'\]"):
        read_bigwig(path, [("chr2", 0, 5)])


def test_skops_loads_the_step_and_the_splitters_without_more_trust(fasta):
    skops = pytest.importorskip("skops.io")
    step = RegionsToSequences(str(fasta), width=8).fit([("chr1", 5, 9)])
    for value in (step, ChromosomeSplit([["chr1"]]), SimilarSequencesSplit(3)):
        again = skops.loads(skops.dumps(value), trusted=trusted_types())
        assert type(again) is type(value)
    assert skops.loads(skops.dumps(step), trusted=trusted_types()).width == 8
