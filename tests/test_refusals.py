"""What NumPy, SciPy or polars refuse is refused in words that say what to do."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    SequenceCNNClassifier,
    TabularMLPRegressor,
    ThresholdLogicClassifier,
)
from sknn._refusals import explain_refusal, find_fault
from sknn.preprocessing import TabularEncoder

NAMES = ["age", "b"]
ROWS = np.arange(8.0).reshape(4, 2)


def table(value):
    """Return a frame of four samples with one value in place of a number."""
    frame = pd.DataFrame(ROWS, columns=NAMES, dtype=object)
    frame.iloc[2, 1] = value
    return frame


class Thing:
    """Is no number."""


IN_ITS_PLACE = r"in column 'b' \(sample 2\)"
FAULTS = {
    "str": ("abc", TypeError, r"X must be an array-like, but is 'abc', a str\. Give a list"),
    "object": (Thing(), TypeError, "array-like, but is .*Thing"),
    "dict": ({"a": [1]}, TypeError, r"got dict, a mapping .* Give pandas\.DataFrame\(X\)"),
    "set": ({1, 2}, TypeError, r"whose samples have no order\. Give a list"),
    "iterator": (iter([1]), TypeError, r"got list_iterator, an iterator, .* Give list\(X\)"),
    "lazy": (pl.LazyFrame({"a": [1]}), TypeError, r"is a lazy one \(LazyFrame\)\. collect\(\) it"),
    "gradient": (torch.ones(2, 2, requires_grad=True), TypeError, r"Give X\.detach\(\)"),
    "fields": (np.zeros(2, [("a", float)]), TypeError, r"structured array with the fields \['a'\]"),
    "unreadable": (pl.DataFrame({"a": [2**100]}), TypeError, "integers of 64 bits first"),
    "ragged": ([[1, 2], [3]], ValueError, "sample 0 has 2 and sample 1 has 1"),
    "twins": (pd.DataFrame(ROWS, columns=["a", "a"]), ValueError, "'a' is there 2 times"),
    "no column": (pd.DataFrame(index=range(3)), ValueError, r"0 feature\(s\) \(shape=\(3, 0\)\)"),
    "text": (table("n/a"), ValueError, f"the text 'n/a' {IN_ITS_PLACE}, but takes numbers alone"),
    "bytes": (table(b"x"), ValueError, f"the text b'x' {IN_ITS_PLACE}"),
    "text in a list": (["x", "y"], ValueError, "the text 'x' at position 0"),
    "date": (table(datetime.date(2020, 1, 1)), ValueError, r"a date, time or duration \(date\)"),
    "dates": (
        pd.DataFrame({"b": pd.date_range("2020", periods=2)}),
        ValueError,
        r"Timestamp.* in column 'b' \(sample 0\).*Put numbers in its place, such as year",
    ),
    "period": (table(pd.Period("2020")), ValueError, r"a date, time or duration \(Period\)"),
    "None": (table(None), ValueError, f"contains NaN: it holds None {IN_ITS_PLACE}"),
    "NA": (table(pd.NA), ValueError, f"contains NaN: it holds <NA> {IN_ITS_PLACE}"),
    "complex": (table(1j), ValueError, f"Complex data not supported: X holds 1j {IN_ITS_PLACE}"),
    "large": (table(10**400), ValueError, f"{IN_ITS_PLACE}, which is too large for a float"),
    "longer": (table(10**5000), ValueError, f"very many digits {IN_ITS_PLACE}"),
    "list": (table([1, 2]), TypeError, rf"must be .* but \[1, 2\] {IN_ITS_PLACE} is a list"),
    "interval": (table(pd.Interval(0, 1)), TypeError, f"{IN_ITS_PLACE} is a Interval"),
    "struct": (pl.DataFrame({"a": [{"x": 1}]}), TypeError, r"in column 'a' \(sample 0\)"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_are_named_with_their_place_and_what_to_do(kind):
    values, error, message = FAULTS[kind]
    with pytest.raises(error, match=message), explain_refusal(values):
        raise TypeError("float() argument must be something else")


@pytest.mark.parametrize(
    "values",
    [
        ROWS,
        ROWS.astype("float32").tolist(),
        ROWS.astype(str),
        pd.DataFrame(ROWS),
        pd.DataFrame(ROWS).astype("Int64"),
        pl.DataFrame(ROWS),
        table(Decimal("1.5")),
        table(np.float32(3)),
        table(True),
        table("2.5"),
        sparse.dok_matrix(ROWS),
        np.where(ROWS > 3, np.inf, np.nan),
        ROWS + 1j,
        np.float64(3),
        3,
        float("nan"),
        range(3),
        (1, 2),
        [],
    ],
    ids=lambda values: type(values).__name__,
)
def test_an_error_about_what_is_a_number_stays_as_it_is(values):
    assert find_fault(values, "X") is None
    with pytest.raises(ValueError, match="scikit-learn says why"), explain_refusal(values):
        raise ValueError("scikit-learn says why")


def test_an_error_of_another_library_is_never_all_that_is_said():
    with (
        pytest.raises(ValueError, match=r"y cannot be read as .*\(.*no way.*Cast its columns"),
        explain_refusal([1.0], "y"),
    ):
        raise pl.exceptions.InvalidOperationError("no way")


TARGET = [0, 1, 0, 1]
SMALL = {"max_iter": 1, "random_state": 0}
FITS = {
    "weight": lambda v: DeepMLPClassifier(**SMALL).fit(ROWS, TARGET, sample_weight=v),
    "weight of sequences": lambda v: SequenceCNNClassifier(**SMALL).fit(
        ["ACGT"] * 4, TARGET, sample_weight=v
    ),
    "weight of an encoder": lambda v: TabularEncoder().fit(ROWS, sample_weight=v),
}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (
            "heavy",
            (TypeError, ValueError),
            "must be an array-like, but is 'heavy'|'heavy' is taken for the name of a column, but",
        ),
        ({0: 1.0}, TypeError, r"Give pandas\.DataFrame\(sample_weight\)"),
        (iter(TARGET), TypeError, r"Give list\(sample_weight\)"),
        (["1", "x", "1", "1"], ValueError, r"the text 'x' at position 1, .* Convert it first"),
        ([1, None, 1, 1], ValueError, "Input sample_weight contains NaN"),
        ([[1], [1, 2], [1], [1]], ValueError, "sample 0 has 1 and sample 1 has 2"),
        (pl.Series([datetime.date(2020, 1, 1)] * 4), ValueError, "a date, time or duration"),
        ([10**400, 1, 1, 1], ValueError, "too large for a float"),
    ],
)
def test_sample_weights_that_are_no_numbers_are_named(fit, weights, error, message):
    with pytest.raises(error, match=message):
        FITS[fit](weights)


@pytest.mark.parametrize(
    "make",
    [DeepMLPRegressor, TabularMLPRegressor, TabularEncoder],
)
@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[1, 2], [3]] * 2, ValueError, "All samples of X must have the same number of values"),
        (torch.ones(4, 2, requires_grad=True), TypeError, r"Give X\.detach\(\)"),
        (table(10**400), ValueError, "Column 'b' of X holds .* too large for a float"),
        (pd.DataFrame(index=range(4)), ValueError, r"Found array with 0 feature\(s\)"),
    ],
)
def test_tables_that_cannot_be_read_are_named(make, X, error, message):
    with pytest.raises(error, match=message):
        make().fit(X, [0.0, 1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    "make", [DeepMLPClassifier, TabularEncoder, PerceptronClassifier, ThresholdLogicClassifier]
)
def test_masked_values_are_never_taken_for_numbers(make):
    masked = np.ma.masked_array(ROWS, ROWS > 5)
    with pytest.raises(TypeError, match=r"Give X\.astype\(float\)\.filled\(numpy\.nan\)"):
        make().fit(masked, TARGET)
    make().fit(np.ma.masked_array(ROWS), TARGET)  # nothing is masked


def test_masked_weights_are_refused():
    with pytest.raises(TypeError, match=r"sample_weight must be .* whose masked values"):
        TabularEncoder().fit(ROWS, sample_weight=np.ma.masked_array([1.0] * 4, [0, 0, 0, 1]))


@pytest.mark.parametrize("chosen", [[[0], [0, 1]], [[True, False]], np.zeros((1, 1))])
def test_categorical_features_of_two_axes_are_refused(chosen):
    with pytest.raises(ValueError, match=r"of shape \(n_categorical_features,\) or \(n_features,"):
        TabularEncoder(chosen).fit(ROWS)


@pytest.mark.parametrize(
    "classes",
    [
        [0, "a"],
        [None, 1],
        [[0], [0, 1]],
        table("x"),
        pl.DataFrame({"a": [2**100]}),
        torch.ones(2, requires_grad=True),
        [datetime.date(2020, 1, 1), 1],
        3,
        {0, 1},
        [],
        [{"a": 1}, {"b": 1}],
    ],
    ids=lambda classes: type(classes).__name__,
)
@pytest.mark.parametrize("make", [DeepMLPClassifier, PerceptronClassifier])
def test_classes_that_are_no_labels_are_named(make, classes):
    message = r"classes must be an array-like of shape \(n_classes,\).* Give np\.unique\(y\)"
    with pytest.raises(ValueError, match=message):
        make().partial_fit(ROWS, TARGET, classes=classes)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pl.LazyFrame({"a": [1.0] * 4}), "is a lazy one"),
        (np.array([[1, 10**400]] * 4, dtype=object), "too large"),
        ([{"a": 1}] * 4, r"got list, samples as mappings\. Give pandas\.DataFrame"),
        ([sparse.csr_matrix(ROWS)] * 4, "is a csr_matrix"),
        (torch.ones(4, 2, requires_grad=True), r"Give X\.detach\(\)"),
        (pl.DataFrame({"a": [2**100] * 4}), "integers of 64 bits first"),
    ],
)
def test_estimators_in_numpy_name_them_too(X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        PerceptronClassifier().fit(X, TARGET)
