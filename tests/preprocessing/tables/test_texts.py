"""Columns of text that is no category: which they are, what becomes of them, where they end up."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.inspection import permutation_importance

from sknn import DeepMLPClassifier, TabularMLPClassifier
from sknn.preprocessing import TabularEncoder

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

GOOD, BAD = ["great", "lovely", "superb"], ["awful", "poor", "boring"]


def reviews(n=300, seed=0):
    """Return a frame with a column of text that tells y, one of numbers, and y."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.5
    words = [f"word{i}" for i in range(100)]
    texts = [
        " ".join(rng.permutation([*rng.choice(GOOD if good else BAD, 2), *rng.choice(words, 5)]))
        for good in y
    ]
    X = pd.DataFrame({"noise": rng.normal(size=n), "review": texts})
    X.loc[::50, "review"] = None
    return X, y


@pytest.mark.parametrize("kind", [pl.from_pandas, pa.Table.from_pandas, lambda X: X.astype(object)])
def test_text_is_found_and_each_frame_gives_the_same(kind):
    X, _ = reviews()
    encoder = TabularEncoder(scale="standard", dtype="float64").fit(X)
    names = encoder.get_feature_names_out().tolist()
    assert names == ["noise", *(f"review_{i}" for i in range(30)), "review_missing"]
    assert_array_equal(encoder.column_sources(), [0, *[1] * 31])
    assert not encoder.is_categorical_.any()
    encoded = encoder.transform(X)
    assert_array_equal(encoded[:, -1], X["review"].isna())
    assert_allclose(encoded[~X["review"].isna(), 1:-1].var(axis=0).mean(), 1, rtol=0.05)
    other = kind(X)
    assert_allclose(encoder.transform(other), encoded, atol=1e-9)
    again = TabularEncoder(scale="standard", dtype="float64").fit_transform(other)
    assert_allclose(np.abs(again), np.abs(encoded), atol=1e-6)


def test_text_with_the_same_words_is_near_and_order_does_not_matter():
    X, _ = reviews()
    encoder = TabularEncoder().fit(X[["review"]])
    there = X[["review"]].dropna()
    turned = there.map(lambda text: " ".join(text.split()[::-1]))
    assert_allclose(encoder.transform(turned), encoder.transform(there), atol=1e-5)


@pytest.mark.parametrize(
    "values",
    [
        [f"city {i % 20}" for i in range(200)],
        [f"name{i}" for i in range(40)],
        ["a sentence of more than five words"] * 200,
        pd.Categorical([f"a sentence of many words and the number {i}" for i in range(200)]),
    ],
    ids=["few levels", "few samples", "one level", "category dtype"],
)
def test_text_whose_values_recur_is_a_category(values):
    assert TabularEncoder().fit(pd.DataFrame({"c": values})).is_categorical_.all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_what_the_user_says_goes_first():
    X, _ = reviews()
    assert TabularEncoder(text_features=None).fit(X).is_categorical_[1]
    assert TabularEncoder(["review"]).fit(X).is_categorical_[1]
    assert not TabularEncoder(["review"], text_features=[1]).fit(X).is_categorical_[1]
    short = pd.DataFrame({"c": ["old house", "new house", "old barn"] * 5})
    encoder = TabularEncoder(text_features=["c"]).fit(short)
    assert encoder.spec_.n_numeric == 4
    array = np.array([[1.0, "old house"], [2.0, "new house, old roof"]], dtype=object)
    assert TabularEncoder(text_features=[1]).fit(array).spec_.n_numeric == 3
    assert TabularEncoder(text_features=[1]).fit(array[:1]).spec_.n_numeric == 1  # no word twice
    assert TabularEncoder(text_features=[1]).fit(array[[0, 0, 0]]).spec_.n_numeric == 3


@pytest.mark.parametrize("chosen", [["c"], [2], [True], [-1]])
def test_unknown_columns_are_named(chosen):
    with pytest.raises(ValueError, match=r"text_features must be 'auto', None, or a list .* holds"):
        TabularEncoder(text_features=chosen).fit(pd.DataFrame({"a": [1.0], "b": ["x"]}))


def test_unknown_columns_of_numbers_are_named():
    with pytest.raises(ValueError, match=r"it holds 7, but X has 2 columns and no names"):
        TabularEncoder(text_features=[7]).fit(np.zeros((3, 2)))


def test_numbers_are_no_text():
    with pytest.raises(ValueError, match=r"'a' is in text_features, but is numeric now \(first"):
        TabularEncoder(text_features=["a"]).fit(pd.DataFrame({"a": [1.0], "b": ["x"]}))
    numbers = pd.DataFrame({"a": [1.0, 2.0]})
    for X, chosen, label in ((numbers, ["a"], "'a'"), (numbers.to_numpy(), [0], "0")):
        with pytest.raises(ValueError, match=rf"Column {label} is in text_features, but X holds"):
            TabularEncoder(text_features=chosen).fit(X)
    levels = pd.DataFrame({"a": pd.Categorical([1, 2])})
    with pytest.raises(ValueError, match="'a' is in text_features, but is of levels such as 1"):
        TabularEncoder(text_features=["a"]).fit(levels)


def test_a_column_that_is_no_text_any_more_is_named():
    X, _ = reviews()
    encoder = TabularEncoder().fit(X)
    with pytest.raises(ValueError, match=r"'review' was text in fit and is numeric now \(first"):
        encoder.transform(X.assign(review=1.0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [f"{i / 8}" for i in range(30)],
            r"'a' is text .*its values are numbers, and as text they",
        ),
        ([f" {i},5" for i in range(30)], r"its values are numbers, and .*by pandas\.to_numeric"),
        ([*map(str, range(29)), "?"], r"numbers but for such as '\?', and .*make it a category"),
        ([f"2024-01-{i + 1:02d}" for i in range(30)], r"values are dates.* by pandas\.to_datetime"),
        ([f"{i + 1}/3/2024 14:05" for i in range(30)], r"its values are dates"),
    ],
)
def test_numbers_and_dates_that_came_as_text_are_named_in_a_warning(values, message):
    X = pd.DataFrame({"a": values * 3, "n": 1.0})
    with pytest.warns(UserWarning, match=message):
        TabularEncoder().fit(X)


@pytest.mark.parametrize(
    "values",
    [
        [f"{10115 + i}" for i in range(30)],  # codes of towns
        [f"{i}.5" for i in range(9)],  # few enough to be grades
        [*(f"{i}.5" for i in range(20)), *(f"type {i}" for i in range(10))],
        [f"{i}-3" for i in range(30)],
    ],
)
def test_codes_that_are_text_go_without_a_warning(values, recwarn):
    TabularEncoder().fit(pd.DataFrame({"a": values * 3, "n": 1.0}))
    TabularEncoder().fit(pd.DataFrame({"a": pd.Categorical([f"{i}.5" for i in range(30)] * 3)}))
    assert not recwarn


def test_a_column_distinct_in_every_sample_is_named_in_a_warning():
    X = pd.DataFrame({"id": [f"user{i}" for i in range(100)], "n": 1.0})
    with pytest.warns(UserWarning, match=r"'id' is text that is distinct in every sample .*an id"):
        encoder = TabularEncoder().fit(X)
    assert_array_equal(encoder.get_feature_names_out(), ["n"])
    assert_array_equal(encoder.transform(X), np.ones((100, 1)))


def test_missing_and_unknown_words_do_no_harm():
    X, _ = reviews()
    encoder = TabularEncoder().fit(X)
    for value in (None, "", "unheard of"):
        assert np.isfinite(encoder.transform(X[:3].assign(review=value))).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model",
    [
        TabularMLPClassifier(n_members=2, max_iter=15, random_state=0),
        DeepMLPClassifier((20,), learning_rate_init=0.01, max_iter=40, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_networks_learn_from_text_and_files_keep_it(model):
    sio = pytest.importorskip("skops.io")
    pytest.importorskip("onnx")
    from sknn.export import export_onnx
    from sknn.persistence import trusted_types

    X, y = reviews()
    model = clone(model).fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    assert model.score(X[200:], y[200:]) > 0.9
    importances = permutation_importance(model, X[200:], y[200:], n_repeats=2, random_state=0)
    assert importances.importances_mean[1] > 0.3 > abs(importances.importances_mean[0])
    expected = model.predict_proba(X)
    copies = pickle.loads(pickle.dumps(model)), sio.loads(sio.dumps(model), trusted_types())
    for again in copies:
        assert_array_equal(again.predict_proba(X), expected)
    with pytest.raises(ValueError, match="'review' cannot be exported: it holds text, which"):
        export_onnx(model)
    without = clone(model).set_params(text_features=None).fit(X[:200], y[:200])
    assert without.score(X[200:], y[200:]) < 0.8
