"""Fits are the same in each process if class, parameters and data are, and only then."""

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from skorch.callbacks import EarlyStopping

from sknn.engine.checkpoints._identity import Identity, describe, hash_data
from sknn.losses import ValueLoss

CODE = """
import numpy as np, pandas as pd, polars as pl, torch
from functools import partial
from scipy import sparse
from skorch.callbacks import EarlyStopping
from sknn.engine.checkpoints._identity import Identity
class Net(torch.nn.Module):
    def forward(self, X):
        return X + 1
def loss(output, target, a={1, 2, "three"}):
    return output in {"a", "b", "c"}
params = {
    "a": 0.1, "b": Net, "c": loss, "d": partial(loss, a=2), "e": {"x": {3, 4}, "w": [None, "s"]},
    "f": np.arange(3), "g": np.random.RandomState(0), "callbacks": [EarlyStopping(), print],
    "h": torch.nn.ReLU, "i": lambda x: x * 2,
}
text = np.array(["ACGT", "GGCC"], dtype=object)
frame = pd.DataFrame({"a": [1.5, 2.5], "b": pd.Categorical(["x", "y"]), "c": ["some", "text"]})
data = [text, frame, pl.from_pandas(frame), sparse.csr_array(np.eye(3)), np.arange(3.0), None]
print(Identity.of(Net, params, data).digest)
"""


def test_a_digest_is_the_same_in_each_process(capsys):
    pytest.importorskip("polars")
    exec(CODE, {"__name__": "__main__"})
    own = capsys.readouterr().out
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    other = subprocess.check_output(
        [sys.executable, "-c", CODE], env={**os.environ, "PYTHONHASHSEED": seed}, text=True
    )
    assert own == other


def make_function(factor, other=1):
    def function(x):
        return factor * x + other

    return function


class Own:
    """Has a method, and attributes."""

    def __init__(self, value):
        self.value = value

    def __call__(self, x):
        return x


PAIRS = [
    (1, 1.0), ("1", 1), (None, "None"), ([1], [1, 1]), ({"a": 1}, {"a": 2}),
    (np.arange(3), np.arange(4)), (np.arange(3), np.arange(3.0)), (np.float32(0.1), 0.1),
    (np.random.RandomState(0), np.random.RandomState(1)), (torch.nn.ReLU, torch.nn.GELU),
    (make_function(1), make_function(2)), (lambda x: x, lambda x: x + 1), (len, max),
    (partial(len, 1), partial(len, 2)), (Own(1), Own(2)),
    (EarlyStopping(), EarlyStopping(patience=2)),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_different_things_have_different_words(one, other):
    assert describe(one) == describe(one)
    assert describe(one) != describe(other)
    assert " at 0x" not in describe(one)


def test_equal_things_have_equal_words():
    assert describe(make_function(2)) == describe(make_function(2))
    assert describe(Own([1, {"a": None}])) == describe(Own([1, {"a": None}]))
    assert describe({"b": 1, "a": 2}) == describe({"a": 2, "b": 1})
    endless = []
    endless.append(endless)
    assert describe(endless) == describe(endless)
    assert describe(ValueLoss) == describe(ValueLoss)


def test_data_count_by_their_values():
    X = np.arange(6.0).reshape(2, 3)
    assert hash_data(X) == hash_data(X.copy()) != hash_data(X + 1)
    assert hash_data(sparse.csr_array(X)) == hash_data(sparse.csr_array(X)) != hash_data(X)
    frame = pd.DataFrame(X)
    assert hash_data(frame) == hash_data(frame.copy()) != hash_data(frame.rename(columns=str))


def test_a_memory_map_is_its_array(tmp_path):
    X = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "X.npy", X)
    assert hash_data([np.load(tmp_path / "X.npy", mmap_mode="r")]) == hash_data([X])


def test_differences_are_named():
    one = Identity.of(Own, {"a": 1, "long": "x" * 200, "gone": 0}, [1])
    other = Identity.of(Own, {"a": 2, "long": "y" * 200}, [2], "begun")
    found = "; ".join(other.list_differences(one))
    assert found.startswith("a was 1 and is 2 now; ")
    assert "long was 'xxx" in found
    assert "gone was 0 and is not set now" in found
    assert found.endswith("the data were others; it began with another network")
    assert "x" * 100 not in found
