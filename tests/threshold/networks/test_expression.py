import itertools

import numpy as np
import pytest

from sknn.threshold import ThresholdNetwork

from_expression = ThresholdNetwork.from_expression


def evaluated(text, names):
    """Python's own answers, on all rows."""
    rows = list(itertools.product([False, True], repeat=len(names)))
    return [int(eval(text, {}, dict(zip(names, row, strict=True)))) for row in rows]


def all_outputs(network):
    return network.predict(list(itertools.product([0, 1], repeat=network.n_features_in_))).tolist()


PROPOSITIONS = [
    "(a or b) and not (a and b)",
    "a ^ b",
    "a",
    "not a",
    "not not a and a",
    "not (a and b)",
    "a or b and c",
    "a and (b or c and (d or e))",
    "not a ^ b",
    "a ^ b and c",
    "a and b ^ c or d",
    "a ^ b ^ c ^ d ^ a",
    "a ^ (not (b ^ True))",
    "a ^ a",
    "a and not a",
    "a or not a or b",
    "a and True or False",
    "a and a and b",
    "(a and b) ^ (a or b) ^ (not a and c)",
    "not (a or b) and not (c or not d)",
    "(a ^ b) and (c ^ d) or not (a ^ b)",
    "True and a ^ True",
]


@pytest.mark.parametrize("text", PROPOSITIONS)
def test_network_answers_as_python_does(text):
    network = from_expression(text)
    assert all_outputs(network) == evaluated(text, network.feature_names_in_)


@pytest.mark.parametrize(
    "text", ["(a or b) and not (a and b)", "not (a and b) and (b or a)", "a^b"]
)
def test_xor_is_the_lectures_network(text):
    network = from_expression(text, names=["a", "b"])
    assert [coef.tolist() for coef in network.coefs_] == [[[1, 1], [1, 1]], [[-1], [1]]]
    assert [intercept.tolist() for intercept in network.intercepts_] == [[-2, -1], [-1]]
    assert network.unit_names == [["o1", "o2"], ["o3"]]
    nodes = network.activations([[1, 0], [0, 1], [0, 0], [1, 1]])
    assert {name: values.tolist() for name, values in nodes.items()} == {
        "a": [1, 0, 0, 1],
        "b": [0, 1, 0, 1],
        "o1": [0, 0, 0, 1],
        "o2": [1, 1, 0, 1],
        "o3": [1, 1, 0, 0],
    }


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("a", [1]),
        ("not (a and not b and c)", [1]),
        ("not (not a or b) and not (c or d)", [1]),  # De Morgan: one conjunction
        ("a and b or a and b", [1]),
        ("a and b ^ c", [3, 1]),  # a, b and c, b or c
        ("a ^ b ^ c ^ d ^ e", [5, 1]),
        ("(a and b) ^ c or (b and a) and d", [3, 3, 1]),  # a and b is one unit
        ("(a and b) ^ (not a or not b)", [1]),  # a function and its NOT
        ("a or True", [1]),
    ],
)
def test_equal_units_are_one(text, sizes):
    assert [len(layer) for layer in from_expression(text).layers] == sizes


@pytest.mark.parametrize(("text", "value"), [("True", 1), ("not True", 0), ("x or True", 1)])
def test_constants_need_named_inputs(text, value):
    network = from_expression(text, names=["x", "y"])
    assert all_outputs(network) == [value] * 4
    assert repr(network).endswith(f"o1 = [0 >= {1 - value}]")


def test_inputs_come_in_the_order_of_the_text_or_of_names():
    assert list(from_expression("(c or b) and a or b").feature_names_in_) == ["c", "b", "a"]
    assert list(from_expression("b and a", names="abc").feature_names_in_) == ["a", "b", "c"]


def test_several_outputs_share_units():
    texts = {"total": "a ^ b ^ c", "carry": "a and b or a and c or b and c", "none": "not (a or b)"}
    adder = from_expression(texts)
    assert adder.output_names == ["total", "carry", "none"]
    rows = np.array(list(itertools.product([0, 1], repeat=3)))
    total, carry, none = adder.predict(rows).T
    assert (total + 2 * carry).tolist() == rows.sum(axis=1).tolist()
    assert none.tolist() == [1, 1, 0, 0, 0, 0, 0, 0]


def test_names_of_nodes_do_not_clash_with_inputs():
    network = from_expression("o1 ^ o2")
    assert network.unit_names == [["o3", "o4"], ["o5"]]
    assert all_outputs(network) == [0, 1, 1, 0]


def test_names_may_be_in_any_alphabet_and_text_on_several_lines():
    network = from_expression("  (größe and\n β)")
    assert list(network.feature_names_in_) == ["größe", "β"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(a or b", r"column 1, '\(' was never closed"),
        ("a and (b or (c and d)", r"column 7, '\(' was never closed"),
        ("  (a or b", r"column 3, '\('"),
        ("a or b)", r"column 7, unmatched '\)'"),
        ("a and", "column 6, a name or a truth value is missing"),
        ("", "column 1, a name or a truth value is missing"),
        ("a b", "column 3, 'b' is no operator, and one is needed between names"),
        ("a implies b", "column 3, 'implies' is no operator.*; write '->'"),
        ("a but b", "column 3, 'but' is no operator.*; write 'and'"),
        ("a == b", "column 3, '==' is no operator.*; write '<->'"),
        ("a = b", "column 3, '=' is no operator.*; write '<->'"),
        ("if a then b", "column 1, 'if' is not allowed; write '->' between two names"),
        ("é and (b + c)", r"column 10, '\+' is no operator.*; write 'or'"),
        ("(a and\n  b + c)", r"line 2, column 5, '\+' is no operator"),
        ("a and or b", "column 7, 'or' has nothing in front of it that it could join"),
        ("or a", "column 1, 'or' has nothing in front"),
        ("()", r"column 2, '\)' has nothing in front"),
        ("a and 2", "column 7, '2' is no truth value, which are 0 and 1"),
        ("a or None", "column 6, 'None' is not allowed"),
        ("f(a)", r"column 2, '\(' is no operator"),
        ("a.b", r"column 2, '\.' is no operator"),
        ("a if b else c", "column 3, 'if' is no operator.*; write '->'"),
        ("(a := b)", "column 4, ':' is no operator"),
        ("[a]", r"column 1, '\[' is not allowed.*may consist of names, and, or, not"),
        ("a nand b nand c", "column 10, 'nand' and 'nand' need parentheses"),
        ("a and b nand c", "column 9, 'and' and 'nand' need parentheses"),
        ("a or b nor c", "column 8, 'or' and 'nor' need parentheses"),
        ("a and " * 100 + "%", r"proposition '\.\.\.[^.]{,90}': at column 601, '%' is not"),
        (7, "A proposition is text, got 7"),
    ],
)
def test_anything_else_is_refused_with_its_place(text, message):
    with pytest.raises(ValueError, match=message):
        from_expression(text)


def test_text_is_never_run(tmp_path):
    target = tmp_path / "made"
    with pytest.raises(ValueError, match="is no operator"):
        from_expression(f"a and open({str(target)!r}, 'w')")
    assert not target.exists()


def test_unknown_name_is_refused_with_its_place():
    message = r"column 7, name 'c' is not among the inputs \['a', 'b'\]"
    with pytest.raises(ValueError, match=message):
        from_expression("a and c", names=["a", "b"])


@pytest.mark.parametrize("expression", ["True", {}])
def test_network_needs_an_input_and_an_output(expression):
    with pytest.raises(ValueError, match="needs a proposition and an input"):
        from_expression(expression)
    with pytest.raises(ValueError, match="needs a proposition and an input"):
        from_expression({}, names=["a"])


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a & b | c ^ d", "a & b | c ^ d"),
        ("~a & b", "(not a) and b"),
        ("!a && b || c", "(not a) and b or c"),
        ("¬a ∧ b ∨ c ⊕ d", "(not a) & b | c ^ d"),
        ("a AND NOT b Or c", "a and not b or c"),
        ("a xor b", "a ^ b"),
        ("a nand b", "not (a and b)"),
        ("a nor b", "not (a or b)"),
        ("a -> b", "not a or b"),
        ("a → b -> c", "not a or (not b or c)"),
        ("(a -> b) -> c", "not (not a or b) or c"),
        ("a <-> b", "not (a ^ b)"),
        ("a ↔ b <-> c", "a ^ b ^ c"),
        ("a <-> b -> c", "not (a ^ (not b or c))"),
        ("a and b -> b or a", "True or a or b"),
        ("not (a <-> b) and ~(a ^ not b)", "(a ^ b) and not (a ^ (not b))"),
        ("a and true or b and FALSE", "a or b and False"),
        ("a and 1 or b and 0", "a or b and False"),
        ("a ^ ⊤ or b ∧ ⊥", "a ^ True or b and False"),
    ],
)
def test_other_spellings_mean_the_same(text, same):
    names = [name for name in "abcd" if name in text]
    network = from_expression(text, names=names)
    assert all_outputs(network) == [int(x) for x in evaluated(same, names)]


@pytest.mark.parametrize("constant", ["true", "True", "TRUE", "false", "1", "0"])
def test_truth_values_are_no_new_inputs(constant):
    assert list(from_expression(f"a and {constant}").feature_names_in_) == ["a"]


@pytest.mark.parametrize(
    ("text", "n_inputs", "n_layers"),
    [
        (" and ".join(f"a{i}" for i in range(30_000)), 30_000, 1),
        ("not " * 30_001 + "a", 1, 1),
        ("(" * 30_000 + "a" + ")" * 30_000, 1, 1),
        (" and (".join(f"a{i}" for i in range(5_000)) + ")" * 4_999, 5_000, 1),
        (
            "(" * 500 + "a" + "".join(f" {('and', 'or')[i % 2]} b{i % 3})" for i in range(500)),
            4,
            500,
        ),
        (" ^ ".join(["a", "b"] * 10_001), 2, 2),
        (" -> ".join(f"a{i}" for i in range(5_000)), 5_000, 1),
    ],
)
def test_long_and_deep_propositions_are_read(text, n_inputs, n_layers):
    network = from_expression(text)
    assert network.n_features_in_ == n_inputs
    assert len(network.layers) == n_layers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" ^ ".join(f"a{i}" for i in range(6_000)), "36,000,000 weights or more, but at most 33,5"),
        (" or ".join(f"a{i} and b{i}" for i in range(5_000)), "50,000,000 weights or more"),
        ("".join(f"a{i} {('and', 'or')[i % 2]} (" for i in range(600)) + "z" + ")" * 600, "units"),
    ],
)
def test_networks_too_large_for_memory_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        from_expression(text)
