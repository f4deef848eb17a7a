"""What the NumPy classifiers say of samples and labels that they cannot use."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from sknn import PerceptronClassifier, ThresholdLogicClassifier

X, y = np.arange(12.0).reshape(6, 2), [0, 1] * 3
CLASSIFIERS = [PerceptronClassifier(), ThresholdLogicClassifier(max_iter=2)]
numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]

WRONG_X = {
    "text in pandas": (
        pd.DataFrame({"age": numbers, "city": list("xyxyxy")}),
        "the text 'x' in column 'city'",
    ),
    "text in polars": (
        pl.DataFrame({"age": numbers, "city": list("xyxyxy")}),
        "the text 'x' in column 'city'",
    ),
    "categories": (pd.DataFrame({"c": pd.Categorical(list("xyxyxy"))}), "text 'x' in column 'c'"),
    "text in an array": (np.array([["1", "b"]] * 6), "text .*'b'.* in column 1"),
    "dicts": (np.array([[1, {"a": 1}]] * 6, dtype=object), "argument must be .* in column 1"),
    "None": (pd.DataFrame({"a": [*numbers[:5], None]}), "contains NaN.* 'a' .sample 5"),
    "pd.NA": (pd.DataFrame({"a": pd.array([1, None] * 3, dtype="Int64")}), "NaN.* 'a' .sample 1"),
    "null": (pl.DataFrame({"a": [1, None] * 3}), "contains NaN.* 'a' .sample 1"),
    "infinity": (pd.DataFrame({"a": [*numbers[:5], np.inf]}), "infinity.* inf .* 'a' .sample 5"),
    "NaN": (pd.DataFrame({"a": [*numbers[:5], np.nan]}), "NaN.* nan .* 'a' .sample 5"),
    "NaN in an array": (
        np.where(np.arange(12) == 5, np.nan, X.ravel()).reshape(6, 2),
        "1 .sample 2",
    ),
    "dates": (pd.DataFrame({"d": pd.date_range("2020", periods=6)}), "'d' .* a date, time or dur"),
    "dates in polars": (pl.DataFrame({"d": [datetime.date(2020, 1, 1)] * 6}), "'d' .* a date"),
    "dates without samples": (np.empty((0, 2), "M8[D]"), "0 sample"),
    "dates in an array": (
        np.array([["2020-01-01"]] * 6, dtype="datetime64[D]"),
        "column 0 .* a date, time",
    ),
    "durations": (
        pd.DataFrame({"d": pd.to_timedelta(range(6), "D")}),
        "'d' .* time or duration",
    ),
    "complex": (
        pd.DataFrame({"z": [1j] * 6}),
        "Complex data not .* in column 'z'",
    ),
    "a dict": ({"a": numbers}, "got dict, a mapping"),
    "an iterator": (iter(X), "an iterator, which can be read only once"),
    "texts": (["ACGT"] * 6, "the text 'ACGT' at position 0"),
    "ragged lists": ([[1, 2], [3]] * 3, "sample 0 has 2 and sample 1 has 1"),
}
WRONG_Y = {
    "None": (["a", None] * 3, "y holds None in sample 1"),
    "mixed": (np.array(["a", 1] * 3, dtype=object), "'a' in sample 0, 1 in sample 1"),
    "dates": ([datetime.date(2020, 1, 1 + k) for k in y], "labels are text or whole numbers"),
}


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("case", WRONG_X)
def test_what_is_no_number_is_named(classifier, case):
    table, message = WRONG_X[case]
    with pytest.raises((TypeError, ValueError), match=message):
        classifier.fit(table, y)


def test_what_is_no_number_is_named_in_sparse_samples():
    table = sparse.csr_array(np.array([[1.0, 0.0], [0.0, np.nan]] * 3))
    with pytest.raises(ValueError, match=r"NaN.* column 1 .sample 1"):
        PerceptronClassifier().fit(table, y)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        ThresholdLogicClassifier().fit(table, y)


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda c: type(c).__name__)
def test_what_is_no_number_is_named_in_predict(classifier):
    frame = pd.DataFrame({"age": numbers, "height": numbers})
    classifier.fit(frame, y)
    with pytest.raises(ValueError, match="text 'tall' in column 'height'"):
        classifier.predict(frame.assign(height="tall"))


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("case", WRONG_Y)
def test_what_is_no_label_is_named(classifier, case):
    labels, message = WRONG_Y[case]
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, labels)


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_fit_that_fails_leaves_the_classifier_as_it_was(classifier, method):
    if not hasattr(classifier, method):
        pytest.skip("no partial_fit")
    frame = pd.DataFrame(X, columns=["a", "b"])
    classifier.fit(frame, y)
    before = dict(vars(classifier))
    with pytest.raises(ValueError, match=r"[Nn]egative|features"):
        getattr(classifier, method)(np.ones((6, 5)), y, sample_weight=-np.ones(6))
    assert vars(classifier) == before


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_first_fit_that_fails_leaves_nothing(method):
    classifier = PerceptronClassifier()
    kwargs = {"classes": [0, 1]} if method == "partial_fit" else {}
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        getattr(classifier, method)(X, y, sample_weight=-np.ones(6), **kwargs)
    assert not [name for name in vars(classifier) if name.endswith("_")]
