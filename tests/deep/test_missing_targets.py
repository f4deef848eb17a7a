"""y with values that were not measured: NaN in some of several columns."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.datasets import make_motif_sequences
from sknn.model_selection import (
    BatchedGridSearchCV,
    DeepEnsembleClassifier,
    DeepEnsembleRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(500, 5))
COEF = RNG.normal(size=(5, 4))
#: columns in units of their own, of which half is missing: one sample in sixteen is complete
Y = (X @ COEF) * [1, 10, 100, 1000] + [0, 5, 1000, -1]
LABELS = (X @ COEF > 0).astype(float)
MISSING = RNG.random(Y.shape) < 0.5
MISSING[:10] = True  # samples without any value
Y_NAN, LABELS_NAN = np.where(MISSING, np.nan, Y), np.where(MISSING, np.nan, LABELS)
TRAIN, TEST = slice(None, 350), slice(350, None)
FAST = {"max_iter": 60, "learning_rate_init": 0.01, "random_state": 0}


def test_without_hidden_layers_it_is_least_squares_of_the_measured_samples():
    model = DeepMLPRegressor(
        hidden_layer_sizes=(), solver="lbfgs", alpha=0.0, tol=1e-14, max_iter=5000
    )
    noisy = Y_NAN + RNG.normal(size=Y.shape) * [1, 10, 100, 1000]
    predicted = model.fit(X, noisy).predict(X)
    design = np.column_stack([X, np.ones(len(X))])
    for column in range(4):
        kept = ~MISSING[:, column]
        coef = np.linalg.lstsq(design[kept], noisy[kept, column], rcond=None)[0]
        assert_allclose(
            predicted[:, column], design @ coef, rtol=1e-3, atol=1e-3 * Y.std(0)[column]
        )


REGRESSORS = {
    "adam": DeepMLPRegressor(**FAST),
    "dropout": DeepMLPRegressor(dropout=0.05, **FAST),
    "huber": DeepMLPRegressor(loss="huber", **FAST),
    "quantiles": DeepMLPRegressor(loss="quantile", quantile=[0.1, 0.5, 0.9], **FAST),
    "normal": DeepMLPRegressor(loss="gaussian_nll", **FAST),
    "bins": DeepMLPRegressor(loss="ordered_bins", **FAST),
    "early stopping": DeepMLPRegressor(early_stopping=True, **FAST),
    "float32": DeepMLPRegressor(dtype="float32", **FAST),
    "tabular": TabularMLPRegressor(n_members=2, max_iter=20, random_state=0),
    "tabular quantiles": TabularMLPRegressor(
        loss="quantile", quantile=[0.1, 0.5, 0.9], n_members=2, max_iter=20, random_state=0
    ),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_numbers_are_learned_from_what_was_measured(name):
    model = REGRESSORS[name].fit(X[TRAIN], Y_NAN[TRAIN])
    assert np.isfinite(model.loss_curve_).all()
    assert model.score(X[TEST], Y[TEST]) > 0.9 if "quantile" not in name else 0.7
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X[TEST]), model.predict(X[TEST]))


CLASSIFIERS = {
    "log loss": DeepMLPClassifier(**FAST),
    "focal": DeepMLPClassifier(loss="focal", **FAST),
    "hinge": DeepMLPClassifier(loss="hinge", **FAST),
    "early stopping": DeepMLPClassifier(early_stopping=True, **FAST),
    "smoothed": DeepMLPClassifier(label_smoothing=0.05, **FAST),
    "tabular": TabularMLPClassifier(n_members=2, max_iter=30, random_state=0),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_labels_are_learned_from_what_is_known(name):
    model = CLASSIFIERS[name].fit(X[TRAIN], LABELS_NAN[TRAIN])
    assert (model.predict(X[TEST]) == LABELS[TEST]).mean() > 0.93
    assert model.predict(X[TEST]).dtype.kind in "iu"


def test_more_is_learned_than_from_complete_samples():
    complete = np.flatnonzero(~MISSING[TRAIN].any(axis=1))
    few = DeepMLPClassifier(**FAST).fit(X[complete], LABELS[complete])
    all_of_them = DeepMLPClassifier(**FAST).fit(X[TRAIN], LABELS_NAN[TRAIN])
    assert all_of_them.score(X[TEST], LABELS[TEST]) > few.score(X[TEST], LABELS[TEST]) + 0.1


def test_scores_are_of_what_is_known():
    model = DeepMLPRegressor(**FAST).fit(X, Y_NAN)
    predicted = model.predict(X)
    kept = [~MISSING[:, column] for column in range(4)]
    each = [r2_score(Y[k, i], predicted[k, i]) for i, k in enumerate(kept)]
    assert model.score(X, Y_NAN) == pytest.approx(np.mean(each), rel=1e-12)
    labels = DeepMLPClassifier(**FAST).fit(X, LABELS_NAN)
    right = ((labels.predict(X) == LABELS) | MISSING).all(axis=1)
    assert labels.score(X, LABELS_NAN) == pytest.approx(right.mean())
    weight = RNG.random(len(X))
    weighted = labels.score(X, LABELS_NAN, weight)
    assert weighted == pytest.approx(np.average(right, weights=weight))


def test_ensembles_score_what_is_known_as_their_members_do():
    weight = RNG.random(len(X))
    for member, ensemble, y in (
        (DeepMLPRegressor(**FAST), DeepEnsembleRegressor, Y_NAN),
        (DeepMLPRegressor("quantile", quantile=0.4, **FAST), DeepEnsembleRegressor, Y_NAN),
        (DeepMLPClassifier(**FAST), DeepEnsembleClassifier, LABELS_NAN),
    ):
        alone = ensemble(member, n_members=1, random_state=0).fit(X, y)
        expected = alone.estimators_[0].score(X, y, weight)
        assert alone.score(X, y, weight) == pytest.approx(expected, abs=1e-9)


def test_a_column_known_in_samples_without_weight_alone_is_refused():
    weight = np.where(np.arange(len(X)) < 10, 0.0, 1.0)
    y = Y.copy()
    y[10:, 1] = np.nan
    for model in (DeepMLPRegressor(**FAST), DeepMLPRegressor("poisson", **FAST)):
        with pytest.raises(ValueError, match=r"no value in column 1: all samples of a weight"):
            model.fit(X, np.abs(y), weight)


def test_validation_samples_may_lack_values():
    model = DeepMLPRegressor(early_stopping=True, **FAST)
    model.fit(X[TRAIN], Y_NAN[TRAIN], X_val=X[TEST], y_val=Y_NAN[TEST])
    assert np.isfinite(model.validation_loss_curve_).all()
    assert model.best_validation_score_ == pytest.approx(model.score(X[TEST], Y_NAN[TEST]))


def test_frames_with_missing_values_give_the_same_model():
    expected = DeepMLPRegressor(**FAST).fit(X, Y_NAN).predict(X)
    frame = pd.DataFrame(Y_NAN).astype("Float64")
    assert frame.isna().any(axis=None)
    assert_array_equal(DeepMLPRegressor(**FAST).fit(X, frame).predict(X), expected)


def test_searches_and_cross_validation_take_them():
    grid = {"learning_rate_init": [1e-5, 0.01]}
    model = DeepMLPRegressor(max_iter=20, random_state=0)
    one_by_one = GridSearchCV(model, grid, cv=2).fit(X, Y_NAN)
    batched = BatchedGridSearchCV(model, grid, cv=2).fit(X, Y_NAN)
    assert batched.best_params_ == {"learning_rate_init": 0.01}
    scores = [search.cv_results_["mean_test_score"] for search in (one_by_one, batched)]
    assert_allclose(*scores, rtol=1e-6)
    assert np.isfinite(cross_val_score(DeepMLPClassifier(**FAST), X, LABELS_NAN, cv=KFold(2))).all()


def test_partial_fit_goes_on():
    model = DeepMLPRegressor(**FAST)
    for _ in range(30):
        model.partial_fit(X[TRAIN], Y_NAN[TRAIN])
    assert model.partial_fit(X[TRAIN], Y[TRAIN]).score(X[TEST], Y[TEST]) > 0.9


def test_sequences_of_several_tasks():
    sequences, y, _ = make_motif_sequences(n_samples=600, random_state=0)
    tasks = np.column_stack([y, 1 - y]).astype(float)
    tasks[RNG.random(tasks.shape) < 0.3] = np.nan
    model = SequenceCNNClassifier(kernel_size=12, random_state=0).fit(sequences[:450], tasks[:450])
    expected = np.column_stack([y, 1 - y])[450:]
    assert (model.predict(sequences[450:]) == expected).mean() > 0.95


def user_function(output, target):
    return (output - target).square()


ONE_COLUMN = Y_NAN[:, :1].ravel()
EMPTY_COLUMN = np.where(np.arange(4) == 2, np.nan, Y)
REFUSED = {
    "one column": (DeepMLPRegressor(), ONE_COLUMN, "Input y contains NaN"),
    "one column of labels": (DeepMLPClassifier(), LABELS_NAN[:, 0], "Input y contains NaN"),
    "an empty column": (
        DeepMLPRegressor(),
        EMPTY_COLUMN,
        "y has no value in column 2: all samples lack it. Leave the column out",
    ),
    "a function": (
        DeepMLPRegressor(user_function),
        Y_NAN,
        "y has missing values, but loss=.* is a function, which may not leave them out",
    ),
    "class weights": (
        DeepMLPClassifier(class_weight="balanced"),
        LABELS_NAN,
        "class_weight needs all labels of a sample, but y has missing values",
    ),
    "infinity": (DeepMLPRegressor(), np.where(MISSING, np.inf, Y), "Input y contains infinity"),
    "infinity beside NaN": (
        DeepMLPRegressor(),
        np.where(np.arange(4) == 1, np.inf, Y_NAN),
        "Input y contains NaN",
    ),
    "no labels": (DeepMLPClassifier(), Y_NAN, "Unknown label type"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_learned_is_refused(name):
    model, y, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "net_")


@pytest.mark.parametrize("model", [DeepMLPRegressor(**FAST), DeepMLPClassifier(**FAST)])
def test_the_first_call_says_that_values_may_be_missing(model):
    complete, incomplete = (Y, Y_NAN) if "Reg" in repr(model) else (LABELS, LABELS_NAN)
    first = {} if "Reg" in repr(model) else {"classes": np.arange(4)}
    model.partial_fit(X, complete, **first)
    before = model.coefs_[0].copy()
    with pytest.raises(ValueError, match="first call to fit"):
        model.partial_fit(X, incomplete)
    assert_array_equal(model.coefs_[0], before)
