import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sknn.threshold import AND, OR, ThresholdNetwork, ThresholdUnit

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR = [0, 1, 1, 0]
LAST = ThresholdUnit([-1, 1], 1)

from_truth_table = ThresholdNetwork.from_truth_table


def rows(n):
    return np.array(list(itertools.product([0, 1], repeat=n)))


def sizes(network):
    return [len(layer) for layer in network.layers]


# ---------------------------------------------------------------- written down


def test_layers_written_down_compute_xor():
    network = ThresholdNetwork([[AND(), OR()], [LAST]])
    assert network.predict(ROWS).tolist() == XOR
    assert list(network.feature_names_in_) == ["x1", "x2"]
    assert network.n_features_in_ == 2
    assert network.unit_names == [["o1", "o2"], ["o3"]]


def test_nodes_have_the_names_given():
    network = ThresholdNetwork([[AND(), OR()], [LAST]], ["p", "q"], ["both", "any", "one"])
    assert network.output_names == ["one"]
    nodes = network.activations([[1, 1]])
    assert {name: int(value[0]) for name, value in nodes.items()} == {
        "p": 1, "q": 1, "both": 1, "any": 1, "one": 0,
    }  # fmt: skip


def test_several_outputs_are_columns():
    network = ThresholdNetwork([[AND(), OR()]])
    assert network.predict(ROWS).tolist() == [[0, 0], [0, 1], [0, 1], [1, 1]]


def test_columns_of_a_frame_are_found_by_name():
    network = ThresholdNetwork.from_expression("a and not b")
    frame = pd.DataFrame({"b": [1, 0], "a": [0, 1]})
    assert network.predict(frame).tolist() == [0, 1]
    assert network.predict(frame.astype(bool)).tolist() == [0, 1]


def test_sparse_rows_are_taken():
    network = ThresholdNetwork.from_expression("a ^ b")
    assert network.predict(sparse.csr_array(ROWS)).tolist() == XOR


def test_many_rows_are_computed_in_parts():
    network = ThresholdNetwork.from_expression(" ^ ".join(f"x{i}" for i in range(20)))
    X = np.random.default_rng(0).integers(0, 2, (120_000, 20))
    assert len(list(network._compute_parts(X))) > 1
    assert np.array_equal(network.predict(X), X.sum(axis=1) % 2)
    assert np.array_equal(network.activations(X)["x1"], X[:, 1])


def test_text_of_a_network_is_its_formulas():
    network = ThresholdNetwork([[ThresholdUnit([-2, 0.5, 0], 0.25)]], "abc", ["out"])
    assert repr(network).splitlines()[1:] == ["  out = [-2 a + 0.5 b >= 0.25]"]
    assert "= [a - b >= 1]" in repr(ThresholdNetwork.from_expression("a and not b"))
    parity = ThresholdNetwork.from_expression(" ^ ".join(f"x{i}" for i in range(20)))
    assert repr(parity) == "ThresholdNetwork 20 -> 20 -> 1"


@pytest.mark.parametrize(
    ("layers", "names", "unit_names", "message"),
    [
        ([], None, None, r"needs a layer, and each layer a unit; got \[\] units"),
        ([[AND()], []], None, None, r"got \[1, 0\] units"),
        ([[AND(2), AND(3)]], None, None, "Unit 2 of layer 1 has 3 weights, but there are 2 inputs"),
        ([[AND(), OR()], [AND(3)]], None, None, "Unit 1 of layer 2 has 3 weights.*2 nodes in the"),
        ([[ThresholdUnit([1], 0, step="sign")]], None, None, "Unit 1 of layer 1 has step='sign'"),
        ([[AND()]], ["a"], None, r"Expected 2 names, got 1: \['a'\]"),
        ([[AND()]], None, ["a", "b"], "Expected 1 unit names, got 2"),
        ([[AND()]], ["a", "a"], None, "'a' is there twice"),
        ([[AND()]], ["a", "b"], ["b"], "'b' is there twice"),
    ],
)
def test_wiring_that_does_not_fit_is_refused(layers, names, unit_names, message):
    with pytest.raises(ValueError, match=message):
        ThresholdNetwork(layers, names, unit_names)


@pytest.mark.parametrize("layers", [[AND()], [[AND]], AND()], ids=["units", "gates", "unit"])
def test_layers_are_lists_of_units(layers):
    with pytest.raises(TypeError, match=r"layers must be lists of units, such as .*; got"):
        ThresholdNetwork(layers)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[0, 1], [1, 2]], "input must be 0 or 1, got 2 for 'b' in row 1, counted from 0"),
        ([[0.5, 1]], "got 0.5 for 'a' in row 0"),
        ([[-1, 1]], "got -1 for 'a' in row 0"),
        ([[0, np.nan]], "got nan for 'b' in row 0"),
        ([["0", "1"]], "got '0' for 'a' in row 0"),
        ([[0, None]], "got None for 'b' in row 0"),
        ([0, 1], "row for each example is expected, got 1 dimensions"),
        ([[0, 1, 1]], r"Expected 2 columns, one for each input \(a, b\), got 3"),
        (pd.DataFrame({"a": [1], "c": [1]}), r"columns are named \['a', 'c'\].*\['a', 'b'\]"),
    ],
)
@pytest.mark.parametrize("method", ["predict", "activations"])
def test_rows_other_than_zeros_and_ones_are_refused(method, X, message):
    network = ThresholdNetwork.from_expression("a ^ b")
    with pytest.raises(ValueError, match=message):
        getattr(network, method)(X)


# ---------------------------------------------------------------- from truth tables


def test_xor_from_its_table_is_the_lectures_network():
    network = from_truth_table(ROWS, XOR)
    assert repr(network).splitlines()[1:] == [
        "  o1 = [x1 + x2 >= 2]",
        "  o2 = [x1 + x2 >= 1]",
        "  o3 = [-o1 + o2 >= 1]",
    ]


@pytest.mark.parametrize(("n", "n_threshold_functions"), [(1, 4), (2, 14), (3, 104)])
def test_every_function_comes_back_and_exactly_threshold_functions_are_one_unit(
    n, n_threshold_functions
):
    """The numbers of threshold functions are known: OEIS A000609."""
    X, n_single = rows(n), 0
    for values in itertools.product([0, 1], repeat=2**n):
        network = from_truth_table(X, values)
        assert tuple(network.predict(X)) == values
        assert sum(sizes(network)) <= 3 * 2 ** (n / 2)
        n_single += sizes(network) == [1]
    assert n_single == n_threshold_functions


@pytest.mark.parametrize("n", [5, 8, 11])
def test_random_functions_come_back_and_keep_the_bound(n):
    rng = np.random.RandomState(n)
    for share in (0.5, 0.9, 0.02):
        values = (rng.rand(2**n) < share).astype(int)
        network = from_truth_table(rows(n), values)
        assert np.array_equal(network.predict(rows(n)), values)
        assert len(network.layers) <= 3
        assert sum(sizes(network)) <= 3 * 2 ** (n / 2)


def test_random_unit_is_found_again():
    rng = np.random.RandomState(0)
    for _ in range(20):
        values = ThresholdUnit(rng.randn(7), rng.randn())(rows(7))
        network = from_truth_table(rows(7), values)
        assert sizes(network) == [1]
        assert np.array_equal(network.predict(rows(7)), values)


FUNCTIONS = {
    "parity": (lambda X: X.sum(axis=1) % 2, [20, 1]),
    "at least half": (lambda X: X.sum(axis=1) >= 10, [1]),
    "exactly three": (lambda X: X.sum(axis=1) == 3, [2, 1]),
    "less than": (lambda X: X[:, :10] @ 2 ** np.arange(10) < X[:, 10:] @ 2 ** np.arange(10), [1]),
    "selection": (lambda X: np.where(X[:, 3], X[:, 9], X[:, 17]), [2, 1]),
    "five rows": (lambda X: np.isin(np.arange(len(X)), [5, 90, 777, 4000, 10**6]), [5, 1]),
    "random": (lambda X: np.random.RandomState(0).rand(len(X)) < 0.5, [2046, 1024, 1]),
}


@pytest.fixture(scope="module")
def million_rows():
    return (np.arange(2**20)[:, None] >> np.arange(20)[::-1]) & 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_twenty_inputs(name, million_rows):
    function, wanted = FUNCTIONS[name]
    values = function(million_rows).astype(int)
    network = from_truth_table(million_rows, values)
    assert sizes(network) == wanted
    assert sum(wanted) <= 3 * 2**10
    some = np.random.RandomState(1).randint(2**20, size=1000 if name == "random" else 20000)
    some = np.r_[some, np.flatnonzero(values)[:100]]
    assert np.array_equal(network.predict(million_rows[some]), values[some])


def test_several_outputs_of_different_depth_share_units():
    outputs = np.c_[ROWS.sum(axis=1) % 2, ROWS.all(axis=1), [1, 1, 1, 1]]
    network = from_truth_table(ROWS, outputs, output_names=["one", "both", "always"])
    assert network.predict(ROWS).tolist() == outputs.tolist()
    assert network.output_names == ["one", "both", "always"]
    assert sizes(network) == [2, 3]  # the unit of "both" is one of "one"


def test_rows_may_come_in_any_order_and_several_times():
    order = [3, 0, 0, 1, 2, 3]
    network = from_truth_table(ROWS[order], np.array(XOR)[order])
    assert network.predict(ROWS).tolist() == XOR


@pytest.mark.parametrize("default", [0, 1])
def test_missing_rows_take_the_default(default):
    network = from_truth_table(ROWS[:1], [1 - default], default=default)
    assert network.predict(ROWS).tolist() == [1 - default, default, default, default]


def test_names_come_from_frames_and_arguments():
    frame = pd.DataFrame(np.c_[ROWS, XOR], columns=["a", "b", "either"])
    network = from_truth_table(frame[["a", "b"]], frame["either"])
    assert list(network.feature_names_in_) == ["a", "b"]
    assert network.output_names == ["either"]
    assert from_truth_table(frame[["a", "b"]], frame[["either"]]).output_names == ["either"]
    numbered = from_truth_table(pd.DataFrame(ROWS), pd.Series(XOR))
    assert [*numbered.feature_names_in_, *numbered.output_names] == ["0", "1", "o3"]
    named = from_truth_table(ROWS, XOR, names=["p", "q"], output_names=["r"])
    assert [*named.feature_names_in_, *named.output_names] == ["p", "q", "r"]


def test_polars_frames_are_taken():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": ROWS[:, 0], "b": ROWS[:, 1], "either": XOR})
    network = from_truth_table(frame[["a", "b"]], frame["either"])
    assert [*network.feature_names_in_, *network.output_names] == ["a", "b", "either"]
    assert network.predict(frame[["b", "a"]]).tolist() == XOR
    assert from_truth_table(frame[["a", "b"]], polars.Series(XOR)).output_names == ["o3"]


@pytest.mark.parametrize(
    ("inputs", "outputs", "options", "message"),
    [
        (np.zeros((2, 21)), [0, 0], {}, "1 to 20 inputs, got 21"),
        (np.zeros((2, 0)), [0, 0], {}, "1 to 20 inputs, got 0"),
        (
            [[0, 0], [0, 1], [1, 0], [1, 1], [0, 1]],
            [0, 1, 1, 0, 0],
            {"names": ["a", "b"]},
            r"Rows 1 and 4, counted from 0, contradict.*a=0, b=1 the outputs are \[1\] and \[0\]",
        ),
        (ROWS[[0, 3]], [0, 1], {}, "2 of the 4 rows are missing, the first is x1=0, x2=1"),
        (ROWS, [0, 1, 2, 1], {}, "output must be 0 or 1, got 2 for 'output 1' in row 2"),
        (ROWS * 2, XOR, {}, "input must be 0 or 1, got 2 for 'x2' in row 1"),
        (ROWS, XOR[:3], {}, "4 rows of inputs and 3 of outputs"),
        (ROWS, np.zeros((4, 0)), {}, "needs an output"),
        (ROWS, 1, {}, "row for each example is expected, got 0 dimensions"),
        (ROWS, XOR, {"default": 2}, "default must be 0, 1 or None, got 2"),
        (ROWS, XOR, {"names": ["a"]}, r"Expected 1 columns, one for each input \(a\), got 2"),
        (ROWS, XOR, {"output_names": ["o", "p"]}, "Expected 1 output names, got 2"),
        (ROWS, XOR, {"names": ["a", "b"], "output_names": ["a"]}, "'a' is there twice"),
        ([0, 1], [0, 1], {}, "row for each example is expected, got 1 dimensions"),
    ],
)
def test_table_that_is_none_is_refused(inputs, outputs, options, message):
    with pytest.raises(ValueError, match=message):
        from_truth_table(inputs, outputs, **options)


def test_a_network_can_be_called():
    network = ThresholdNetwork.from_expression("a -> b")
    assert network([[1, 0], [1, 1]]).tolist() == [0, 1]


def test_notebooks_show_units_as_a_table():
    network = ThresholdNetwork.from_expression({"<out>": "a ^ b"})
    html = network._repr_html_()
    assert html.count("<tr>") == 4  # a head, two hidden units, an output
    assert "<td>hidden 1</td><td>o1</td><td>a + b ≥ 2</td>" in html
    assert "<td>output</td><td>&lt;out&gt;</td><td>-o1 + o2 ≥ 1</td>" in html


def test_a_table_for_notebooks_stays_short():
    text = " or ".join(f"a{i} and b{i}" for i in range(100))
    html = ThresholdNetwork.from_expression(text)._repr_html_()
    assert "70 more units" in html
    assert len(html) < 5000
