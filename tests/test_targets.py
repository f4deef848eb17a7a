"""y of any container and dtype is read rightly, or refused in words that say what to do."""

import datetime
import enum
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    SequenceCNNClassifier,
    SequenceCNNRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
    ThresholdLogicClassifier,
)
from sknn._targets import read_labels, read_values
from sknn.model_selection import DeepEnsembleClassifier, DeepEnsembleRegressor

N = 12
BITS = np.arange(N) % 2
SHARES = np.linspace(0, 1, N)
X = np.arange(2.0 * N).reshape(N, 2)
DNA = np.array(["ACGTACGT", "CCGTACGA", "ACGTTTTT"] * 4)
DAY = datetime.date(2020, 1, 1)


class Kind(enum.Enum):
    """Is neither text nor a number."""

    A = 1


class Level(enum.IntEnum):
    """Is a whole number."""

    LOW = 0
    HIGH = 1


def with_one(value, sample=3):
    """Return labels 0 and 1 as objects, one of them replaced."""
    y = np.array(list(BITS), dtype=object)
    y[sample] = value
    return y


#: y that holds the labels 0 and 1, or False and True, in turn
READ = {
    "list": BITS.tolist(),
    "column": BITS[:, None],
    "objects": BITS.astype(object),
    "Python's integers": with_one(1, 3),
    "truth values": BITS.astype(bool).astype(object),
    "decimals": [Decimal(int(bit)) for bit in BITS],
    "fractions": np.array([Fraction(int(bit)) for bit in BITS]),
    "float32 objects": np.array([np.float32(bit) for bit in BITS], dtype=object),
    "levels": [Level(bit) for bit in BITS],
    "big-endian": BITS.astype(">i4"),
    "negative strides": BITS[::-1][::-1],
    "memoryview": memoryview(BITS),
    "nothing masked": np.ma.masked_array(BITS),
    "pandas Int64": pd.Series(BITS, dtype="Int64"),
    "pandas boolean": pd.Series(BITS.astype(bool), dtype="boolean"),
    "pandas pyarrow": pd.Series(BITS, dtype="int64[pyarrow]"),
    "pandas sparse": pd.Series(pd.arrays.SparseArray(BITS)),
    "pandas category": pd.Series(BITS, dtype="category"),
    "pandas frame": pd.DataFrame({"y": BITS}, dtype=object),
    "polars": pl.Series(BITS).cast(pl.UInt8),
    "polars decimal": pl.Series([Decimal(int(bit)) for bit in BITS]),
    "pyarrow": pa.chunked_array([BITS[:5], BITS[5:]]),
    "torch": torch.tensor(BITS),
}
NO_ARRAY = (TypeError, r"y must be an array-like, but is .* Give a list")
NOT_OBJECT = r"y holds .* in sample 3, (but labels are text or whole numbers|of type)"
#: what is wrong with y for every estimator, and part of the message
REFUSED = {
    "Int128": (pl.Series([2**100, 1] * 6), "64 bits" if hasattr(pl, "Int128") else "too large"),
    "lazy": (pl.LazyFrame({"y": BITS}), r"collect\(\) it first"),
    "gradient": (torch.tensor(SHARES, requires_grad=True), r"Give y\.detach\(\)"),
    "gradients": (list(torch.tensor(SHARES, requires_grad=True)), "NumPy cannot read this list"),
    "bfloat16": (torch.tensor(SHARES).bfloat16(), "NumPy cannot read this Tensor .*64 bits"),
    "sparse tensor": (torch.tensor(BITS).to_sparse(), "NumPy cannot read this Tensor"),
    "complex": (BITS + 1j, "Complex data not supported: y holds .* absolute values"),
    "structured": (np.zeros(N, [("a", float)]), r"with the fields \['a'\].*Give one field"),
    "void": (np.zeros(N, "V8"), "is a structured array"),
    "masked": (np.ma.masked_array(BITS, BITS > 0), "masked values .* Leave their samples out"),
    "no samples": ([], r"0 sample\(s\) \(shape=\(0,\)\) .*: y must be of shape \(n_samples,\)"),
    "no columns": (
        pd.DataFrame(index=range(N)),
        r"0 feature\(s\) \(shape=\(12, 0\)\).*: y must be",
    ),
    "ragged": ([[0], [1, 0]] * 6, "sample 0 has 1 and sample 1 has 2.*MultiLabelBinarizer"),
    "three axes": (BITS[:, None, None], r"is of shape \(12, 1, 1\)\. Give y\.reshape"),
    "number": (3, r"y must be of shape \(n_samples,\) .*is 3 \(of type 'int'\)\. Give a list"),
    "dict values": (dict(enumerate(BITS)).values(), "of type 'dict_values'.* Give a list"),
    "text": (
        "abc",
        r"is 'abc', a str\. Give a list|'abc' is taken for the name of a column, but X",
    ),
    "dict": ({"y": BITS}, r"Give pandas\.DataFrame\(y\)"),
    "iterator": (map(int, BITS), r"Give list\(y\)"),
    "set": ({0, 1}, "whose samples have no order"),
    "function": (len, "y must be an array-like"),
    "sparse with one axis": (sparse.coo_array(BITS), r"[Gg]ive y\.toarray\(\)"),
    "missing": (pd.Series([0, 1] * 5 + [pd.NA, 1], dtype="Int64"), "NaN.* in sample 10"),
    "NaN": (np.where(BITS, np.nan, 0.0), "Input y contains NaN.* in sample 1"),
    "infinity": (np.where(BITS, np.inf, 0.0), "Input y contains infinity.*inf in sample 1"),
    "None": (with_one(None), "y holds None in sample 3, which is no (label|number).* Leave out"),
    "NA": (with_one(pd.NA), "y holds <NA> in sample 3"),
    "missing decimal": (with_one(Decimal("NaN")), r"y holds Decimal\('NaN'\) in sample 3"),
    "infinite object": (with_one(float("inf")), "contains infinity.* inf in sample 3"),
    "large": (with_one(10**400), "which is too large|contains infinity.* in sample 3"),
    "longer": (with_one(10**5000), "a number of very many digits"),
    "list": (with_one([1]), NOT_OBJECT),
    "dict in y": (with_one({}), NOT_OBJECT),
    "day": (with_one(DAY), NOT_OBJECT),
    "complex among objects": (with_one(1j), NOT_OBJECT),
    "interval": (with_one(pd.Interval(0, 1)), NOT_OBJECT),
    "class": (with_one(int), NOT_OBJECT),
    "enum": ([Kind.A] * N, "y holds <Kind.A: 1> in sample 0"),
    "number and text": ([0, "1"] * 6, "mixes labels of different types: 0 in sample 0|the text"),
    "None, text, number": ([None, "a", 0.5] * 4, "y holds None in sample 0"),
    "columns of two types": (
        pd.DataFrame({"a": BITS, "b": ["x"] * N}),
        "mixes labels|the text 'x' in sample 0",
    ),
    "too few": (BITS[:5], r"inconsistent numbers of samples: \[12, 5\]"),
}
SMALL = {"max_iter": 1, "random_state": 0}
MAKERS = {
    DeepMLPClassifier: lambda: DeepMLPClassifier((3,), **SMALL),
    DeepMLPRegressor: lambda: DeepMLPRegressor(hidden_layer_sizes=(3,), **SMALL),
    TabularMLPClassifier: lambda: TabularMLPClassifier(n_members=2, hidden_width=4, **SMALL),
    TabularMLPRegressor: lambda: TabularMLPRegressor(n_members=2, hidden_width=4, **SMALL),
    SequenceCNNClassifier: lambda: SequenceCNNClassifier(n_filters=2, kernel_size=3, **SMALL),
    SequenceCNNRegressor: lambda: SequenceCNNRegressor(n_filters=2, kernel_size=3, **SMALL),
    DeepEnsembleClassifier: lambda: DeepEnsembleClassifier(
        DeepMLPClassifier((3,), max_iter=1), n_members=2, random_state=0
    ),
    DeepEnsembleRegressor: lambda: DeepEnsembleRegressor(
        DeepMLPRegressor(hidden_layer_sizes=(3,), max_iter=1), n_members=2, random_state=0
    ),
    PerceptronClassifier: lambda: PerceptronClassifier(**SMALL),
    ThresholdLogicClassifier: lambda: ThresholdLogicClassifier(**SMALL),
}


def fit(cls, y, **validation):
    samples = DNA if cls.__name__.startswith("Sequence") else X
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MAKERS[cls]().fit(samples, y, **validation), samples


@pytest.mark.parametrize("cls", MAKERS)
def test_targets_are_read_whatever_holds_them(cls):
    expected = fit(cls, BITS)[0].predict(DNA if cls.__name__.startswith("Sequence") else X)
    for name, y in READ.items():
        model, samples = fit(cls, y)
        assert_array_equal(model.predict(samples), expected, err_msg=name)


@pytest.mark.parametrize("cls", MAKERS)
def test_what_is_no_target_is_named_in_every_estimator(cls):
    for y, message in REFUSED.values():
        with pytest.raises((TypeError, ValueError), match=message):
            fit(cls, y)


@pytest.mark.parametrize("cls", [DeepMLPClassifier, TabularMLPRegressor, SequenceCNNRegressor])
@pytest.mark.parametrize("name", ["None", "gradient", "ragged", "too few"])
def test_the_validation_set_is_named_where_it_is_at_fault(cls, name):
    y, message = REFUSED[name]
    samples = DNA if cls.__name__.startswith("Sequence") else X
    with pytest.raises((TypeError, ValueError), match=f"In the validation set.*{message}"):
        fit(cls, BITS, X_val=samples, y_val=y)


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        ([1, 0], int),
        (np.array([True, False], dtype=object), bool),
        (np.array([np.int8(1), 0], dtype=object), int),
        ([Decimal("1.5"), Decimal(2)], float),
        (["a", "b"], "<U1"),
        (np.array(["a", "b"], dtype=np.dtypes.StringDType()), object),
        (np.array([np.datetime64("2020"), np.datetime64("2021")], dtype=object), "M8[Y]"),
        (pd.date_range("2020", periods=2), "M8[us]"),
        (pd.Series([True, False], dtype="boolean"), bool),
    ],
)
def test_labels_become_plain_arrays(y, dtype):
    labels = read_labels(y)
    assert labels.dtype.kind == np.dtype(dtype).kind
    assert labels.tolist() == np.asarray(y).astype(dtype).tolist()


@pytest.mark.parametrize("label", [2**70, 10**400])
def test_labels_beyond_64_bits_are_refused(label):
    with pytest.raises(
        ValueError, match=r"too large for an integer of 64 bits.*Convert .* to text"
    ):
        read_labels([label, 1])


def test_a_sparse_target_of_numbers_is_refused():
    with pytest.raises(TypeError, match=r"a regressor takes dense targets\. Give y\.toarray\(\)"):
        read_values(sparse.csr_array(X))


VALUES = [0, 1, -2, 0.5, True, "a", "1", b"x", None, np.nan, pd.NA, pd.NaT, 1j, 10**30, Decimal(2)]
VALUES += [Decimal("NaN"), Fraction(1, 3), DAY, np.datetime64("NaT"), [1], (1, 2), {}, {1}, Kind.A]
VALUES += [np.float32(2), np.int8(1), np.bool_(0), np.inf, torch.tensor(1.0), pd.Timestamp("2020")]
CONTAINERS = [
    list,
    tuple,
    lambda values: np.array([*values, None], dtype=object)[:-1],
    lambda values: pd.Series(values, dtype=object),
    lambda values: pd.DataFrame({"a": pd.Series(values, dtype=object), "b": 0}),
    lambda values: [[value] for value in values],
]


@pytest.mark.parametrize("read", [read_labels, read_values])
def test_mixtures_are_read_or_refused_in_our_words(read):
    """Of each mixture either an array without missing values comes, or an error that names y."""
    rng = np.random.default_rng(0)
    arrays, messages = [], []
    for _ in range(300):
        kinds = rng.choice(len(VALUES), size=rng.integers(1, 4), replace=False)
        values = [VALUES[kinds[i]] for i in rng.integers(len(kinds), size=5)]
        y = CONTAINERS[rng.integers(len(CONTAINERS))](values)
        try:
            arrays.append(read(y))
        except (TypeError, ValueError) as error:
            messages.append(str(error))
    assert len(arrays) > 20
    assert len(messages) > 20
    for array in arrays:
        assert not pd.isna(array).any()
        assert array.dtype.kind in ("biufMmUSO" if read is read_labels else "biuf")
    for message in messages:
        assert "y" in message.split()
        assert message.endswith(".")
