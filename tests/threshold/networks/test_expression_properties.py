"""Any proposition and any truth table, against Python's own evaluation."""

import itertools

import numpy as np
import pytest

from sknn.threshold import ThresholdNetwork

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

NAMES = "abcdef"
ROWS = {n: np.array(list(itertools.product([0, 1], repeat=n))) for n in range(1, 7)}


def combined(parts):
    binary = st.tuples(parts, st.sampled_from(["and", "or", "^"]), parts)
    chain = st.tuples(st.sampled_from([" and ", " or ", " ^ "]), st.lists(parts, min_size=2))
    return st.one_of(
        parts.map("not ({})".format),
        parts.map("(not {})".format),
        binary.map(" ".join),  # no parentheses: Python's precedence decides
        binary.map(lambda parts: f"({' '.join(parts)})"),
        chain.map(lambda chain: f"({chain[0].join(chain[1])})"),
    ).filter(lambda text: "^ not" not in text)  # Python has no such operand


LEAVES = st.sampled_from([*NAMES, *NAMES, "True", "False"])
PROPOSITIONS = st.recursive(LEAVES, combined, max_leaves=25)


@hypothesis.settings(max_examples=400, deadline=None, derandomize=True)
@hypothesis.given(PROPOSITIONS)
def test_any_proposition_is_what_python_says(text):
    network = ThresholdNetwork.from_expression(text, names=NAMES)
    code = compile(text, "proposition", "eval")
    rows = (dict(zip(NAMES, map(bool, row), strict=True)) for row in ROWS[6])
    assert network.predict(ROWS[6]).tolist() == [int(eval(code, {}, row)) for row in rows]
    n_operators = sum(text.count(word) for word in ("and", "or", "^"))
    assert max(len(layer) for layer in network.layers) <= len(NAMES) + 2 * n_operators + 1


@hypothesis.settings(max_examples=150, deadline=None, derandomize=True)
@hypothesis.given(st.data())
def test_any_truth_table_comes_back(data):
    n_inputs, n_outputs = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    column = st.lists(st.integers(0, 1), min_size=2**n_inputs, max_size=2**n_inputs)
    table = np.array([data.draw(column) for _ in range(n_outputs)]).T
    order = np.array(data.draw(st.permutations(range(2**n_inputs))))
    network = ThresholdNetwork.from_truth_table(ROWS[n_inputs][order], table[order])
    predicted = network.predict(ROWS[n_inputs]).reshape(-1, n_outputs)
    assert predicted.tolist() == table.tolist()
    assert sum(map(len, network.layers)) <= n_outputs * 3 * 2 ** (n_inputs / 2)
    for layer in network.layers[:-1]:
        units = {(tuple(unit.weights), unit.threshold) for unit in layer}
        assert len(units) == len(layer)
