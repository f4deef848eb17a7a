"""Rows of the user's own to validate on, scoring, and the history of the epochs."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import log_loss, make_scorer, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier, DeepMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COLUMNS = {"loss", "score", "validation_loss", "validation_score", "learning_rate", "time"}


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return train_test_split(StandardScaler().fit_transform(X), y, random_state=0)


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return train_test_split(StandardScaler().fit_transform(X), y, random_state=0)


classifier = partial(DeepMLPClassifier, (10,), max_iter=8, random_state=0, learning_rate_init=0.01)


def test_history_has_the_four_curves_of_the_lecture(iris):
    X, X_val, y, y_val = iris
    model = classifier().fit(X, y, X_val=X_val, y_val=y_val)
    frame = pd.DataFrame(model.history_)
    assert set(frame) == COLUMNS
    assert len(frame) == model.n_iter_ == 8
    assert frame.notna().all(axis=None)
    assert frame["loss"].tolist() == model.loss_curve_
    assert frame["validation_loss"].tolist() == model.validation_loss_curve_
    assert frame["validation_score"].tolist() == model.validation_scores_
    assert frame["validation_score"].iloc[-1] == model.score(X_val, y_val)
    expected = log_loss(y_val, model.predict_proba(X_val))
    assert frame["validation_loss"].iloc[-1] == pytest.approx(expected, rel=1e-9)


def test_training_score_is_that_of_the_outputs_before_each_step(iris):
    X, X_val, y, y_val = iris
    kwargs = {"batch_size": len(X), "shuffle": False}
    one = classifier(max_iter=1, **kwargs).fit(X, y)
    two = classifier(max_iter=2, **kwargs).fit(X, y, X_val=X_val, y_val=y_val)
    assert two.history_["score"][1] == one.score(X, y)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_validation_samples_do_not_change_training(iris, dtype):
    X, X_val, y, y_val = iris
    with_rows = classifier(dtype=dtype).fit(X, y, X_val=X_val, y_val=y_val)
    without = classifier(dtype=dtype).fit(X, y)
    np.testing.assert_array_equal(with_rows.coefs_[0], without.coefs_[0])
    assert with_rows.loss_curve_ == without.loss_curve_
    assert without.validation_scores_ is without.validation_loss_curve_ is None
    assert set(without.history_) == {"loss", "learning_rate", "time"}


def test_early_stopping_looks_at_the_users_samples_and_keeps_all_others(iris):
    X, X_val, y, y_val = iris
    model = classifier(max_iter=300, early_stopping=True, n_iter_no_change=4, solver="sgd")
    model.set_params(learning_rate_init=0.2).fit(X, y, X_val=X_val, y_val=y_val)
    assert model.n_iter_ < 300
    assert model.t_ == model.n_iter_ * len(X)  # no row was held out
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.score(X_val, y_val) == model.best_validation_score_  # best weights


def test_weights_of_validation_samples_count(iris):
    X, X_val, y, y_val = iris
    weight = np.where(y_val == 1, 5.0, 0.5)
    model = classifier().fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight)
    assert model.validation_scores_[-1] == model.score(X_val, y_val, weight)
    expected = log_loss(y_val, model.predict_proba(X_val), sample_weight=weight)
    assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-9)


def test_regressor_records_r2_and_the_loss_of_standardised_targets(diabetes):
    X, X_val, y, y_val = diabetes
    model = DeepMLPRegressor(hidden_layer_sizes=(5,), max_iter=5, random_state=0).fit(
        X, y, X_val=X_val, y_val=y_val
    )
    predicted = model.predict(X_val)
    assert model.validation_scores_[-1] == pytest.approx(r2_score(y_val, predicted), rel=1e-9)
    loss = 0.5 * np.mean(np.square((y_val - predicted) / model.target_scale_))
    assert model.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-9)


def test_targets_are_standardised_by_the_training_samples_alone(diabetes):
    X, X_val, y, y_val = diabetes
    far = y_val + 1e4
    model = DeepMLPRegressor(max_iter=1).fit(X, y, X_val=X_val, y_val=far)
    assert model.target_mean_ == pytest.approx(y.mean())
    y[:30], before = y[:30] + 1e4, y.copy()
    held_out = DeepMLPRegressor(max_iter=1, early_stopping=True, random_state=0).fit(X, y)
    assert abs(held_out.target_mean_ - y.mean()) > 1e-3
    y[:] = before


def loss_scorer(estimator, X, y):
    return -log_loss(y, estimator.predict_proba(X))


@pytest.mark.parametrize(
    ("scoring", "expected"),
    [
        ("roc_auc_ovr", lambda m, X, y: roc_auc_score(y, m.predict_proba(X), multi_class="ovr")),
        ("accuracy", lambda m, X, y: m.score(X, y)),
        ("neg_log_loss", lambda m, X, y: -log_loss(y, m.predict_proba(X))),
        (loss_scorer, loss_scorer),
        (make_scorer(lambda y, p: np.mean(y == p)), lambda m, X, y: m.score(X, y)),
        ("loss", lambda m, X, y: -log_loss(y, m.predict_proba(X))),
    ],
    ids=["roc_auc", "accuracy", "neg_log_loss", "callable", "make_scorer", "loss"],
)
def test_scoring_by_name_callable_or_loss(iris, scoring, expected):
    X, X_val, y, y_val = iris
    names = np.array(["setosa", "versicolor", "virginica"])
    model = classifier(scoring=scoring, early_stopping=True, max_iter=5)
    model.fit(X, names[y], X_val=X_val, y_val=names[y_val])
    score = expected(model, X_val, names[y_val])
    assert model.best_validation_score_ == pytest.approx(score, rel=1e-9)


def test_scoring_uses_weights_and_decodes_targets(diabetes):
    X, X_val, y, y_val = diabetes
    weight = np.linspace(0.1, 2, len(y_val))
    model = DeepMLPRegressor(max_iter=3, random_state=0, scoring="neg_mean_absolute_error")
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight)
    error = np.average(np.abs(model.predict(X_val) - y_val), weights=weight)
    assert model.validation_scores_[-1] == pytest.approx(-error, rel=1e-9)


def test_partial_fit_scores_validation_samples_epoch_by_epoch(iris):
    X, X_val, y, y_val = iris
    model = classifier()
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1, 2], X_val=X_val, y_val=y_val)
    assert len(model.validation_scores_) == len(model.history_["loss"]) == 3
    assert model.validation_scores_[-1] == model.score(X_val, y_val)
    model.partial_fit(X, y)
    frame = pd.DataFrame(model.history_)
    assert len(frame) == 4
    assert frame["validation_loss"].isna().tolist() == [False, False, False, True]


def test_lbfgs_records_validation_samples_but_does_not_stop_by_them(iris):
    X, X_val, y, y_val = iris
    model = DeepMLPClassifier(solver="lbfgs", max_iter=6, early_stopping=True, random_state=0)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    plain = DeepMLPClassifier(solver="lbfgs", max_iter=6, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    assert len(model.validation_loss_curve_) == model.n_iter_ == 6
    assert model.validation_scores_[-1] == model.score(X_val, y_val)
    assert len(model.net_.history) == 6


def test_pipeline_transforms_validation_samples_as_it_does_x(iris):
    X, X_val, y, y_val = iris
    X, X_val = 1000 * X + 500, 1000 * X_val + 500
    with config_context(enable_metadata_routing=True):
        mlp = classifier().set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline([("scale", StandardScaler()), ("mlp", mlp)], transform_input=["X_val"])
        pipeline.fit(X, y, X_val=X_val, y_val=y_val)
    assert pipeline[-1].validation_scores_[-1] == pipeline.score(X_val, y_val)
    np.testing.assert_allclose(pipeline[0].mean_, X.mean(axis=0))  # of the training rows alone
    by_hand = StandardScaler().fit(X)
    expected = classifier().fit(
        by_hand.transform(X), y, X_val=by_hand.transform(X_val), y_val=y_val
    )
    assert pipeline[-1].validation_loss_curve_ == expected.validation_loss_curve_


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (lambda X, y: {"X_val": X}, "X_val is provided, but y_val was not provided"),
        (lambda X, y: {"y_val": y}, "y_val is provided, but X_val was not provided"),
        (lambda X, y: {"sample_weight_val": y}, "sample_weight_val is provided, but X_val and"),
        (lambda X, y: {"X_val": X[:, :2], "y_val": y}, "X has 2 features, but .* is expecting 4"),
        (lambda X, y: {"X_val": X, "y_val": y[:-1]}, "inconsistent numbers of samples"),
        (lambda X, y: {"X_val": X, "y_val": y + 1}, "In the validation set.*classes not in"),
        (
            lambda X, y: {"X_val": X, "y_val": y, "sample_weight_val": -np.ones(len(y))},
            "Negative values in data passed to `sample_weight`",
        ),
    ],
)
def test_bad_validation_samples_are_errors_and_nothing_is_half_fitted(iris, rows, message):
    X, X_val, y, y_val = iris
    model = classifier()
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, **rows(X_val, y_val))
    assert not hasattr(model, "classes_")
    assert not model.__sklearn_is_fitted__()


def test_validation_frame_with_other_columns_is_an_error(iris):
    X, X_val, y, y_val = iris
    frame, other = pd.DataFrame(X, columns=list("abcd")), pd.DataFrame(X_val, columns=list("abcx"))
    with pytest.raises(ValueError, match="feature names should match"):
        classifier().fit(frame, y, X_val=other, y_val=y_val)


def test_scoring_that_returns_no_number_is_an_error(iris):
    X, X_val, y, y_val = iris
    model = classifier(scoring=lambda estimator, X, y: {"a": 1.0})
    with pytest.raises(ValueError, match="scoring must return a number"):
        model.fit(X, y, X_val=X_val, y_val=y_val)
    with pytest.raises(ValueError, match=r"'no_such_score' is not a valid .* value\. Names are"):
        classifier(scoring="no_such_score").fit(X, y, X_val=X_val, y_val=y_val)
    with pytest.raises(ValueError, match=r"'AUC' is not a valid scoring value\. Write 'roc_auc'\."):
        classifier(scoring="AUC").fit(X, y, X_val=X_val, y_val=y_val)


def test_a_score_for_other_targets_is_named(iris):
    X, X_val, _, _ = iris
    model = DeepMLPRegressor(scoring="accuracy", max_iter=1)
    with pytest.raises(ValueError, match=r"scoring='accuracy' cannot score .*Choose a score for"):
        model.fit(X, X[:, 0], X_val=X_val, y_val=X_val[:, 0])


def test_a_scorer_that_looks_at_x_is_told_that_it_is_none(iris):
    X, X_val, y, y_val = iris
    model = classifier(scoring=lambda estimator, X, y: X.sum())
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute") as caught:
        model.fit(X, y, X_val=X_val, y_val=y_val)
    assert "called as scorer(estimator, X, y) with X=None" in caught.value.__notes__[0]
