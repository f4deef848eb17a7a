"""Targets that are none are named; weights mean shares, whatever their size."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

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
from sknn.model_selection import DeepEnsembleClassifier
from sknn.semi_supervised import PseudoLabelClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 4))
Y = 50 * X[:, 0] + 10 * rng.normal(size=80) + 300
LABELS = (Y > 300).astype(int)
REGRESSORS = {
    "mlp": DeepMLPRegressor(hidden_layer_sizes=(6,), alpha=0, max_iter=4, random_state=0),
    "float32": DeepMLPRegressor(
        hidden_layer_sizes=(6,), alpha=0, dtype="float32", max_iter=4, random_state=0
    ),
    "autograd": DeepMLPRegressor(
        hidden_layer_sizes=(6,), alpha=0, normalization="layer", max_iter=4, random_state=0
    ),
    "lbfgs": DeepMLPRegressor(
        hidden_layer_sizes=(6,), alpha=0, solver="lbfgs", max_iter=4, random_state=0
    ),
    "sequences": SequenceCNNRegressor(n_filters=4, alpha=0, max_iter=2, random_state=0),
    "tabular": TabularMLPRegressor(n_members=2, hidden_width=8, max_iter=3, random_state=0),
}
CLASSIFIERS = {
    "mlp": DeepMLPClassifier((6,), alpha=0, max_iter=4, random_state=0),
    "sequences": SequenceCNNClassifier(n_filters=4, alpha=0, max_iter=2, random_state=0),
    "tabular": TabularMLPClassifier(n_members=2, hidden_width=8, max_iter=3, random_state=0),
}
NAMED = {
    **CLASSIFIERS,
    "perceptron": PerceptronClassifier(),
    "zero-one": ThresholdLogicClassifier(),
}


@pytest.mark.parametrize("size", [1 / 80, 0.5, 3.0, 1e-40, 1e300], ids="{:.0e}".format)
@pytest.mark.parametrize("name", [*REGRESSORS, *(f"{n} of classes" for n in CLASSIFIERS)])
def test_equal_weights_do_what_none_do(name, size):
    is_regressor = name in REGRESSORS
    if "tabular" in name and size == 3:
        pytest.skip("there a weight of 3 is a sample given three times, which allows more knots")
    model = REGRESSORS[name] if is_regressor else CLASSIFIERS[name.partition(" of")[0]]
    y = Y if is_regressor else LABELS
    weight = np.full(80, size)
    of_model = "predict" if is_regressor else "predict_proba"
    expected = getattr(model.fit(X, y), of_model)(X)
    if is_regressor:
        assert_allclose(model.target_scale_, Y.std())
    got = getattr(model.fit(X, y, sample_weight=weight), of_model)(X)
    assert_allclose(got, expected, rtol=1e-3 if name == "float32" else 1e-6)
    if is_regressor:
        assert_allclose(model.target_scale_, Y.std())


@pytest.mark.parametrize("size", [1e-40, 1e-300])
@pytest.mark.parametrize("name", REGRESSORS)
def test_weights_far_below_the_largest_count_for_nothing(name, size):
    model, weight = REGRESSORS[name], np.where(np.arange(80) < 60, 1.0, size)
    got = model.fit(X, Y, sample_weight=weight).predict(X)
    assert_allclose(got, model.fit(X, Y, sample_weight=np.round(weight)).predict(X))


def test_class_weights_are_shares_too():
    model = CLASSIFIERS["mlp"]
    proba = [
        model.set_params(class_weight=weights).fit(X, LABELS).predict_proba(X)
        for weights in ({0: 1, 1: 2}, {0: 1e-3, 1: 2e-3}, {0: 1e-40, 1: 2e-40}, None)
    ]
    assert_allclose(proba[1], proba[0])
    assert_allclose(proba[2], proba[0])
    assert not np.allclose(proba[3], proba[0], rtol=1e-3)


def test_classes_without_weight_are_an_error():
    with pytest.raises(ValueError, match="All samples have weight 0: the product of sample_weight"):
        DeepMLPClassifier(class_weight={0: 0, 1: 0}).fit(X, LABELS)


@pytest.mark.parametrize("name", ["mlp", "sequences", "tabular"])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y.astype(str), r"y holds the text '3.*' in sample 0, but a regressor.*dtype=float"),
        (np.array([*Y[:79], "?"], dtype=object), r"y holds the text '\?' in sample 79"),
        (pd.date_range("2020", periods=80), r"y holds dates or durations \(datetime64.*days since"),
        (pd.to_timedelta(Y, "h"), r"y holds dates or durations \(timedelta64"),
        (np.array([None, *Y[:79]], dtype=object), "y holds None in sample 0.*Leave out samples"),
        (
            pd.Series([*Y[:79], pd.NA], dtype="Float64"),
            "y holds <NA> in sample 79.*no number|y contains NaN",
        ),
    ],
    ids=["text", "some text", "dates", "durations", "None", "NA"],
)
def test_a_target_that_is_no_number_is_named(name, y, message):
    with pytest.raises(ValueError, match=message):
        REGRESSORS[name].fit(X, y)
    with pytest.raises(ValueError, match=message):  # validation samples are asked the same
        REGRESSORS[name].fit(X, Y, X_val=X, y_val=y)


def test_numbers_in_an_array_of_objects_are_numbers():
    model = REGRESSORS["mlp"]
    assert_allclose(model.fit(X, Y.astype(object)).predict(X), model.fit(X, Y).predict(X))


@pytest.mark.parametrize(
    "model",
    [
        DeepMLPClassifier((4,), max_iter=2, random_state=0),
        PerceptronClassifier(max_iter=2),
        DeepEnsembleClassifier(DeepMLPClassifier((4,), max_iter=2), n_members=2, random_state=0),
        PseudoLabelClassifier(DeepMLPClassifier((4,), max_iter=2), random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("labels", [np.arange(80) % 2, np.eye(2, dtype=int)[np.arange(80) % 2]])
def test_scores_read_labels_among_objects_as_fits_do(model, labels):
    expected = model.fit(X, labels).score(X, labels)
    assert model.fit(X, labels.astype(object)).score(X, labels.astype(object)) == expected
    assert model.score(X, pd.DataFrame(labels.astype(object)).squeeze()) == expected


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b", None, "a"] * 20, "y holds None in sample 2, which is no label"),
        (pd.Series(["a", pd.NA] * 40, dtype="string"), "y holds <NA> in sample 1"),
        (
            np.array(["a", 1] * 40, dtype=object),
            "y mixes labels of different types: 'a' in sample 0",
        ),
        (
            np.array([pd.Timestamp(2020, 1, 1)] * 80, dtype=object),
            "labels are text or whole numbers",
        ),
    ],
    ids=["None", "NA", "mixed", "objects"],
)
def test_a_label_that_is_none_is_named(name, y, message):
    with pytest.raises(ValueError, match=message):
        NAMED[name].fit(X, y)


@pytest.mark.parametrize("name", ["mlp", "sequences"])
def test_a_first_call_that_cannot_know_the_scale_of_y_says_so(name):
    model = type(REGRESSORS[name])(random_state=0)
    with pytest.warns(UserWarning, match="nothing is known of its scale.*standardize_target=False"):
        model.partial_fit(X[:1], Y[:1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X[1:2], Y[1:2])
        type(model)(random_state=0).partial_fit(X, Y)
        type(model)(random_state=0, standardize_target=False).partial_fit(X[:1], Y[:1])
