"""Sequences in files, read a chunk at a time."""

import numpy as np
import pandas as pd
import pytest

from sknn import SequenceCNNClassifier

pa = pytest.importorskip("pyarrow", reason="sknn[data] is not installed")

PARAMS = {
    **{"max_iter": 1, "random_state": 0, "n_filters": 4, "kernel_size": 6},
    **{"hidden_layer_sizes": (8,), "early_stopping": False},
}


def make_sequences(n_samples, length):
    rng = np.random.RandomState(0)
    letters = np.array(list("ACGT"))[rng.randint(0, 4, (n_samples, length))]
    y = rng.randint(0, 2, n_samples)
    letters[y == 1, 4:10] = list("GATTAC")
    sequences = ["".join(row) for row in letters]
    sequences[-1] += "ACGT"  # the longest comes last
    return sequences, y


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_samples", [200, 8000])
def test_sequences_of_files_give_the_network_of_a_list(n_samples, tmp_path):
    import pyarrow.parquet

    sequences, y = make_sequences(n_samples, 140)
    fasta, parquet = tmp_path / "s.fa", tmp_path / "s.parquet"
    fasta.write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(sequences)))
    table = pa.table({"sequence": sequences, "y": y})
    pyarrow.parquet.write_table(table, parquet, row_group_size=1000)
    expected = SequenceCNNClassifier(**PARAMS).fit(sequences, y)
    score = expected.score(sequences, y)
    assert n_samples == 200 or score > 0.85
    for path, target in ((fasta, y), (parquet, "y")):
        model = SequenceCNNClassifier(**PARAMS).fit(path, target)
        assert model._inputs == expected._inputs
        assert model.score(path, target) == pytest.approx(score, abs=0.12)
        if n_samples == 200:
            found, of_list = model.predict_proba(path), expected.predict_proba(sequences)
            np.testing.assert_array_equal(found, of_list)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_numbers_of_a_file_give_the_network_of_a_frame(tmp_path):
    rng = np.random.RandomState(0)
    table = pd.DataFrame(rng.rand(80, 12), columns=[f"x{i}" for i in range(12)])
    y = (table["x3"] > 0.5).astype(int)
    path = tmp_path / "numbers.parquet"
    table.assign(y=y).to_parquet(path)
    expected = SequenceCNNClassifier(**PARAMS).fit(table, y)
    model = SequenceCNNClassifier(**PARAMS).fit(path, "y")
    assert list(model.feature_names_in_) == list(table.columns)
    np.testing.assert_array_equal(model.predict_proba(path), expected.predict_proba(table))
