"""Which things are sources of samples, and what their chunks hold."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sknn.preprocessing import (
    WrappedFrame,
    copy_samples,
    is_source,
    join_tables,
    open_source,
    read_fasta,
)
from sknn.preprocessing.sources._fasta import FastaRecords
from sknn.preprocessing.sources._frames import select_columns

pa = pytest.importorskip("pyarrow", reason="sknn[data] is not installed")


def test_paths_datasets_and_functions_are_sources_and_arrays_are_none(tmp_path):
    import pyarrow.dataset
    import pyarrow.parquet

    table = pa.table({"x": [1.0, 2.0]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    dataset = pyarrow.dataset.dataset(tmp_path / "a.parquet")
    for source in (Path("a.parquet"), [Path("a.csv"), Path("b.csv")], dataset, lambda: []):
        assert is_source(source)
    others = (np.zeros(3), [[1.0]], "a.parquet", ["a.parquet"], table, pd.DataFrame(), None)
    for other in (*others, dataset.scanner()):
        assert not is_source(other)


def write_many(path, groups):
    import pyarrow.parquet

    table = pa.table({"x": np.arange(100.0), "n": np.arange(100), "y": np.arange(100) % 3})
    pyarrow.parquet.write_table(table, path, row_group_size=100 // groups)


def test_row_groups_are_read_in_any_order_with_the_numbers_of_their_samples(tmp_path):
    write_many(tmp_path / "a.parquet", 4)
    source = open_source(tmp_path / "a.parquet", "y")
    assert source.n_pieces == 4
    assert sum(len(chunk.X) for chunk in source.read()) == source.starts[-1] == 100
    for chunk in source.read([2, 0, 3]):
        np.testing.assert_array_equal(chunk.X["x"], chunk.first + np.arange(len(chunk.X)))
        np.testing.assert_array_equal(chunk.y, (chunk.first + np.arange(len(chunk.X))) % 3)


def test_columns_of_folders_and_missing_columns_are_filled(tmp_path):
    import pyarrow.parquet

    for year in (2020, 2021):
        (tmp_path / f"year={year}").mkdir()
        pyarrow.parquet.write_table(
            pa.table({"x": [1.0, 2.0]}), tmp_path / f"year={year}" / "part.parquet"
        )
    chunks = list(open_source(tmp_path).read())
    years = np.concatenate([chunk.X["year"] for chunk in chunks])
    assert years.tolist() == [2020, 2020, 2021, 2021]


def test_folders_hold_other_files_too_and_may_be_several(tmp_path):
    import pyarrow.parquet

    for i, name in enumerate(("first/k=1", "first/k=2", "second")):
        (tmp_path / name).mkdir(parents=True)
        table = pa.table({"x": [float(i)]} | ({"k": [3]} if name == "second" else {}))
        pyarrow.parquet.write_table(table, tmp_path / name / "part.parquet")
    for name in ("README.md", "_SUCCESS", ".part.parquet", "_old.parquet"):
        (tmp_path / "first" / name).write_text("no table")
    (chunk_1, chunk_2), (*chunks,) = (
        list(open_source(paths).read())
        for paths in (tmp_path / "first", [tmp_path / "first", tmp_path / "second"])
    )
    assert [chunk_1.X["x"].tolist(), chunk_2.X["k"].tolist()] == [[0.0], [2]]
    assert [(*c.X["x"], *c.X["k"]) for c in chunks] == [(0.0, 1), (1.0, 2), (2.0, 3)]
    pd.DataFrame({"x": [1]}).to_csv(tmp_path / "first" / "other.csv")
    with pytest.raises(ValueError, match=r"first', which holds files of several formats: csv, par"):
        open_source(tmp_path / "first")


def test_text_of_csv_files_may_be_missing_or_have_several_lines(tmp_path):
    table = pd.DataFrame(
        {"t": ['a "quoted", word\nin two lines', None, "NA", "b"], "n": [1, 2, 3, 4]}
    )
    table.to_csv(tmp_path / "a.csv", index=False)
    (chunk,) = open_source(tmp_path / "a.csv").read()
    assert chunk.X["t"].to_pylist() == [table["t"][0], None, None, "b"]


def test_values_of_another_type_and_other_delimiters_are_explained(tmp_path):
    (tmp_path / "a.csv").write_text("x\n" + "1\n" * 2**20 + "1.5\n")
    with pytest.raises(ValueError, match=r"type of its column .*'1\.5'.* in csv files it follows"):
        list(open_source(tmp_path / "a.csv").read())
    (tmp_path / "b.csv").write_text("x;y\n1;2\n")
    with pytest.raises(ValueError, match=r"no column 'y'.*x;y'\. If another mark than a comma"):
        list(open_source(tmp_path / "b.csv", "y").read())


def test_csv_files_of_another_encoding_are_named(tmp_path):
    (tmp_path / "a.csv").write_text("x,town\n1,K\u00f6ln\n", encoding="latin-1")
    with pytest.raises(ValueError, match=r"Column 'town' of X .* not in UTF-8\. Write .*latin-1"):
        open_source(tmp_path / "a.csv")


def test_chunks_without_samples_are_skipped():
    chunks = [np.ones((n, 2)) * n for n in (0, 2, 0, 1, 0)]
    found = list(open_source(lambda: chunks).read())
    assert [(chunk.first, len(chunk.X)) for chunk in found] == [(0, 2), (2, 1)]


def test_chunks_of_numbers_for_encoders_become_frames_where_that_is_asked_for(tmp_path):
    import pyarrow.parquet

    table = pa.table({"x": np.arange(100.0), "n": np.arange(100, dtype=np.int32), "y": [1] * 100})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=25)
    (frame, _), *_ = [
        (chunk.X, chunk.y) for chunk in open_source(tmp_path / "a.parquet", "y").read()
    ]
    source = open_source(tmp_path / "a.parquet", "y")
    source.wraps = True
    first, *others = (chunk.X for chunk in source.read())
    assert first.names == ["x", "n"]
    pd.testing.assert_frame_equal(first.frame.to_native(), frame)
    few = copy_samples(first, np.array([3, 0]))
    np.testing.assert_array_equal(few.matrix, frame.to_numpy()[[3, 0]])
    assert join_tables([first, *others]).matrix[:, 0].tolist() == list(range(100))
    assert join_tables([first, WrappedFrame(others[0].frame)]).shape == (50, 2)
    with pytest.raises(AttributeError, match="'NumberFrame' object has no attribute 'other'"):
        first.other  # noqa: B018


def test_only_the_columns_that_are_asked_for_are_read(tmp_path):
    write_many(tmp_path / "a.parquet", 1)
    (chunk,) = open_source(tmp_path / "a.parquet", features=["n"]).read()
    assert list(chunk.X.columns) == ["n"]
    assert chunk.y is None


def test_large_whole_numbers_keep_their_digits():
    import pyarrow.dataset

    table = pa.table({"id": [2**60 + 1, 2**60 + 3], "x": [0.5, 1.5]})
    (chunk,) = open_source(pyarrow.dataset.dataset(table)).read()
    assert chunk.X["id"].tolist() == [2**60 + 1, 2**60 + 3]


@pytest.mark.parametrize("is_packed", [False, True])
def test_records_of_fasta_files_are_read_in_any_order(is_packed, tmp_path):
    rng = np.random.RandomState(0)
    records = ["".join(rng.choice(list("ACGT"), rng.randint(5, 90))) for _ in range(1000)]
    text = "".join(f">{i}\n{s[:40]}\n{s[40:]}\n" for i, s in enumerate(records))
    path = tmp_path / ("a.fasta.gz" if is_packed else "a.fa")
    path.write_bytes(gzip.compress(text.encode()) if is_packed else text.encode())
    source = open_source(path, np.arange(1000))
    assert source.n_pieces == (1 if is_packed else 4)
    found = np.concatenate([chunk.X for chunk in source.read()])
    assert found.tolist() == read_fasta(path)[1] == records
    for chunk in source.read(range(source.n_pieces)[::-1]):
        assert [records[i] for i in chunk.y] == chunk.X.tolist()


def test_fasta_files_of_several_paths_and_damaged_ones(tmp_path):
    for name in ("a.fa", "b.fa"):
        (tmp_path / name).write_text(">1\nACGT\r\n>2\nAC\n", newline="")
    records = FastaRecords([tmp_path / "a.fa", tmp_path / "b.fa"])
    found = [s for piece in range(records.n_pieces) for c in records.read(piece, None) for s in c]
    assert found == ["ACGT", "AC"] * 2
    (tmp_path / "c.fa").write_text(">1\n>2\nAC\n")
    with pytest.raises(ValueError, match=r"Header '1' in line 1 .* has no sequence after it"):
        list(open_source(tmp_path / "c.fa").read())


def test_a_source_that_gives_another_number_of_samples_is_named():
    chunks = [np.ones((5, 2))]
    source = open_source(lambda: iter(chunks))
    list(source.read())
    chunks.append(np.ones((1, 2)))
    with pytest.raises(ValueError, match="gave 5 samples at first and 6 now"):
        list(source.read())


def test_weights_and_targets_as_lists_of_names_or_of_labels():
    import pyarrow.dataset

    dataset = pyarrow.dataset.dataset(pa.table({"a": [1.0, 2.0], "b": [3.0, 4.0], "x": [0.0, 1.0]}))
    (named,) = open_source(dataset, ["a", "b"]).read()
    assert named.y.tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert list(named.X.columns) == ["x"]
    (labels,) = open_source(dataset, ["yes", "no"]).read()
    assert labels.y.tolist() == ["yes", "no"]


def test_what_is_no_source_and_no_data_frame_is_named():
    with pytest.raises(TypeError, match="X must be a source of samples, see is_source; got 'int'"):
        open_source(3)
    with pytest.raises(TypeError, match="X must be a data frame; got 'ndarray'"):
        select_columns(np.ones((2, 1)), ["a"])
