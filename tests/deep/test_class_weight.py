"""Weights of classes."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_sample_weight

from sknn import DeepMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def imbalanced():
    X, y = make_classification(
        6000, 20, n_informative=6, weights=[0.98], class_sep=1.0, flip_y=0, random_state=0
    )
    return train_test_split(X, y, stratify=y, random_state=0)


def test_balanced_lifts_balanced_accuracy_as_for_logistic_regression(imbalanced):
    X, X_test, y, y_test = imbalanced

    def lift(model):
        scores = [
            balanced_accuracy_score(
                y_test, model.set_params(class_weight=w).fit(X, y).predict(X_test)
            )
            for w in (None, "balanced")
        ]
        return scores[1] - scores[0]

    of_logistic = lift(LogisticRegression())
    of_network = lift(DeepMLPClassifier((), solver="lbfgs", alpha=1.0, random_state=0))
    assert of_logistic > 0.08
    assert of_network == pytest.approx(of_logistic, abs=0.03)
    deep = DeepMLPClassifier((20,), alpha=1.0, max_iter=60, random_state=0, learning_rate_init=0.01)
    assert lift(deep) > 0.05


@pytest.mark.parametrize("class_weight", ["balanced", {"a": 1.0, "b": 5.0, "c": 0.5}])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_class_weights_are_sample_weights(class_weight, solver, rng):
    X = rng.normal(size=(90, 4))
    y = np.array(["a"] * 60 + ["b"] * 10 + ["c"] * 20)
    own = np.ones(90) if class_weight == "balanced" else rng.uniform(0.5, 2, size=90)
    kwargs = {"solver": solver, "max_iter": 5, "random_state": 0}
    by_class = DeepMLPClassifier(class_weight=class_weight, **kwargs).fit(X, y, own)
    by_row = DeepMLPClassifier(**kwargs).fit(X, y, own * compute_sample_weight(class_weight, y))
    np.testing.assert_array_equal(by_class.coefs_[0], by_row.coefs_[0])


def test_balanced_counts_weights_as_repetitions(rng):
    X = rng.normal(size=(30, 3))
    y = np.array([0] * 20 + [1] * 10)
    weight = rng.integers(1, 4, size=30)
    kwargs = {"class_weight": "balanced", "solver": "lbfgs", "max_iter": 5, "random_state": 0}
    weighted = DeepMLPClassifier((), **kwargs).fit(X, y, sample_weight=weight)
    repeated = DeepMLPClassifier((), **kwargs).fit(X.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=1e-6)


def test_multilabel_takes_a_dict_for_each_label():
    X, y = make_multilabel_classification(80, n_classes=2, random_state=0)
    weights = [{0: 1.0, 1: 3.0}, {0: 2.0, 1: 1.0}]
    by_class = DeepMLPClassifier(class_weight=weights, max_iter=3, random_state=0).fit(X, y)
    rows = compute_sample_weight(weights, y)
    by_row = DeepMLPClassifier(max_iter=3, random_state=0).fit(X, y, rows)
    np.testing.assert_array_equal(by_class.coefs_[0], by_row.coefs_[0])


def test_validation_samples_are_weighted_as_training_samples_are(imbalanced):
    X, X_val, y, y_val = imbalanced
    model = DeepMLPClassifier((5,), max_iter=2, class_weight="balanced", random_state=0)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    score = balanced_accuracy_score(y_val, model.predict(X_val))
    assert model.validation_scores_[-1] == pytest.approx(score)


def test_balanced_is_an_error_in_partial_fit():
    model = DeepMLPClassifier(class_weight="balanced")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as error:
        model.partial_fit([[0.0], [1.0]], [0, 1], classes=[0, 1])
    assert "class_weight='balanced' needs to see all of y" in str(error.value.__cause__)
    model.set_params(class_weight={0: 1.0, 1: 2.0}).partial_fit(
        [[0.0], [1.0]], [0, 1], classes=[0, 1]
    )
    assert model.t_ == 2


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_of_classes_that_are_none_are_named(weight):
    message = rf"class_weight must hold weights >= 0 and finite, got \{{1: {weight}\}}"
    with pytest.raises(ValueError, match=message):
        DeepMLPClassifier(class_weight={1: weight}).fit([[0.0], [1.0]], [0, 1])


def test_unknown_word_is_an_error():
    with pytest.raises(ValueError, match="'class_weight' parameter"):
        DeepMLPClassifier(class_weight="fair").fit([[0.0], [1.0]], [0, 1])
