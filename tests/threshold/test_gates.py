import itertools
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from sknn.threshold import (
    AND,
    IMPLIES,
    MAJORITY,
    NAND,
    NOR,
    NOT,
    OR,
    PerceptronClassifier,
    ThresholdLogicClassifier,
    ThresholdNetwork,
    ThresholdUnit,
    at_least,
    truth_table,
)

#: gate -> what it answers, said in Python
MEANINGS = {
    AND: all,
    OR: any,
    NAND: lambda row: not all(row),
    NOR: lambda row: not any(row),
    MAJORITY: lambda row: sum(row) > len(row) / 2,
    IMPLIES: lambda row: row[-1] or not all(row[:-1]),
}


def rows(n):
    return list(itertools.product([0, 1], repeat=n))


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("gate", MEANINGS, ids=lambda gate: gate.__name__)
def test_gate_means_what_it_is_called(gate, n):
    assert gate(n)(rows(n)).tolist() == [int(MEANINGS[gate](row)) for row in rows(n)]


@pytest.mark.parametrize(("k", "n"), [(k, n) for n in (1, 4) for k in range(1, n + 1)])
def test_at_least_counts(k, n):
    assert at_least(k, n)(rows(n)).tolist() == [int(sum(row) >= k) for row in rows(n)]


def test_not_is_one_inhibitory_input():
    assert NOT()([[0], [1]]).tolist() == [1, 0]
    assert NOT().weights.tolist() == [-1]


@pytest.mark.parametrize("gate", MEANINGS, ids=lambda gate: gate.__name__)
@pytest.mark.parametrize("n", [0, -1, 2.0, "2"])
def test_number_of_inputs_is_checked(gate, n):
    with pytest.raises(ValueError, match=r"must be a whole number .*got"):
        gate(n)


@pytest.mark.parametrize("k", [0, 4, 1.5])
def test_k_is_checked(k):
    with pytest.raises(ValueError, match=f"from 1 to n_inputs=3, got {k}"):
        at_least(k, 3)


# ---------------------------------------------------------------- truth tables


def test_truth_table_of_a_unit():
    table = truth_table(AND(2))
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["x1", "x2", "output"]
    assert table.to_numpy().tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1]]


def test_truth_table_of_a_network_has_its_names():
    half_adder = ThresholdNetwork.from_expression({"sum": "a ^ b", "carry": "a and b"})
    table = truth_table(half_adder)
    assert list(table.columns) == ["a", "b", "sum", "carry"]
    assert (2 * table["carry"] + table["sum"]).tolist() == [0, 1, 1, 2]


def test_truth_table_shows_hidden_units():
    table = truth_table(ThresholdNetwork.from_expression("a ^ b"), hidden=True)
    assert list(table.columns) == ["a", "b", "o1", "o2", "o3"]


@pytest.mark.parametrize(
    ("names", "columns"),
    [(["p", "q"], ["p", "q", "output"]), (("p", "q", "r"), ["p", "q", "r"])],
)
def test_truth_table_takes_names_of_inputs_and_outputs(names, columns):
    assert list(truth_table(OR(), names).columns) == columns


@pytest.mark.parametrize("as_frame", [False, True])
def test_truth_table_of_classifiers(as_frame):
    X, y = np.array(rows(2), dtype=float), np.array(["no", "no", "yes", "no"])
    X = pd.DataFrame(X, columns=["a", "b"]) if as_frame else X
    model = ThresholdLogicClassifier(random_state=0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # scikit-learn warns of missing feature names
        table = truth_table(model, names=["p", "q"])
    assert list(table.columns) == ["p", "q", "output"]
    assert table["output"].tolist() == y.tolist()


def test_truth_table_of_a_multilabel_classifier_has_a_column_for_each():
    Y = [[0, 0], [0, 1], [0, 1], [1, 1]]
    table = truth_table(PerceptronClassifier(max_iter=200).fit(rows(2), Y))
    assert list(table.columns) == ["x1", "x2", "output1", "output2"]
    assert table[["output1", "output2"]].to_numpy().tolist() == Y


def test_truth_table_of_a_deep_network():
    deep = pytest.importorskip("sknn.deep")
    model = deep.DeepMLPClassifier((8,), solver="lbfgs", random_state=0, max_iter=200)
    table = truth_table(model.fit(rows(2), [0, 1, 1, 0]))
    assert table["output"].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("AND", {}, "predict and n_features_in_, got 'AND'"),
        (PerceptronClassifier(), {}, "If it is an estimator, fit it first"),
        (AND(21), {}, "at most 20 inputs, which is 1048576 rows; got 21"),
        (AND(2), {"hidden": True}, "units of a ThresholdNetwork, got ThresholdUnit"),
        (AND(2), {"names": ["a"]}, r"the columns \['x1', 'x2'\], got \['a'\]"),
        (AND(2), {"names": list("abcd")}, r"the columns \['output'\], got \['c', 'd'\]"),
    ],
)
def test_truth_table_that_cannot_be_is_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        truth_table(model, **options)


def test_torch_is_not_loaded():
    code = (
        "import sys; from sknn.inspection import forward_pass;"
        "from sknn.threshold import ThresholdNetwork, truth_table;"
        "network = ThresholdNetwork.from_expression('a ^ b'); truth_table(network);"
        "forward_pass(network, [[0, 1]]); print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_twenty_inputs_have_a_truth_table():
    table = truth_table(ThresholdUnit(np.ones(20), 20))
    assert table.shape == (2**20, 21)
    assert table["output"].sum() == 1
    assert table.iloc[-1].eq(1).all()


@pytest.mark.parametrize("gate", [AND, OR, NAND, NOR, IMPLIES, MAJORITY])
def test_gates_called_on_samples_say_how_they_are_called(gate):
    with pytest.raises(ValueError, match=r"n_inputs .* got \[\[0, 1\]\].*AND\(2\)\(\[\[0, 1\]\]\)"):
        gate([[0, 1]])


def test_a_single_sample_has_double_brackets():
    with pytest.raises(ValueError, match=r"got \[0, 1\]. A single sample has double brackets"):
        AND()([0, 1])
