"""Networks for tables: raw frames in, held-out samples, calibration, deviations, importances."""

import copy
import pickle
import time
import warnings

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils._param_validation import InvalidParameterError

from sknn import TabularMLPClassifier, TabularMLPRegressor
from sknn.deep.tabular._folds import leave_out
from sknn.deep.tabular._temperature import best_temperature, log_loss_of

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
QUICK = {"max_iter": 6, "hidden_width": 32, "n_members": 5, "random_state": 0}


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def table():
    random_state = np.random.RandomState(0)
    n = 400
    frame = pd.DataFrame(
        {
            "size": random_state.randn(n),
            "useless": 1e6 * random_state.rand(n),
            "kind": pd.Categorical(random_state.choice(list("xyz"), n)),
            "town": random_state.choice([f"town {i}" for i in range(15)], n),
            "gaps": np.where(random_state.rand(n) < 0.2, np.nan, random_state.randn(n)),
        }
    )
    value = 100 * (frame["size"] + 2 * (frame["kind"] == "x")) + 5 + 10 * random_state.randn(n)
    return frame, value.to_numpy()


@pytest.fixture(scope="module")
def labelled(table):
    frame, value = table
    return frame, np.where(value > 90, "yes", "no")


@pytest.fixture(scope="module")
def usual_probabilities(labelled):
    X, y = labelled
    return classifier(X, y).predict_proba(X)


def classifier(X, y, fit=None, **params):
    return TabularMLPClassifier(**{**QUICK, **params}).fit(X, y, **(fit or {}))


def regressor(X, y, fit=None, **params):
    return TabularMLPRegressor(**{**QUICK, **params}).fit(X, y, **(fit or {}))


# -- what goes in ---------------------------------------------------------------------------------


def test_raw_frames_are_learned(table, labelled):
    X, value = table
    assert regressor(X[:300], value[:300], max_iter=30).score(X[300:], value[300:]) > 0.9
    _, y = labelled
    assert classifier(X[:300], y[:300], max_iter=30).score(X[300:], y[300:]) > 0.9


def test_pandas_and_polars_are_the_same(labelled):
    X, y = labelled
    expected = classifier(X, y).predict_proba(X)
    other = pl.DataFrame(
        {
            name: (column.astype(str) if column.dtype.kind not in "f" else column).to_list()
            for name, column in X.items()
        }
    )
    other = other.with_columns(pl.col("gaps").fill_nan(None))
    np.testing.assert_array_equal(classifier(other, y).predict_proba(other), expected)


def test_categories_alone_and_numbers_alone(labelled):
    X, y = labelled
    for columns in (["kind", "town"], ["size", "useless"], ["kind"]):
        assert classifier(X[columns], y).predict_proba(X[columns]).shape == (400, 2)


@pytest.mark.parametrize("embedding", ["piecewise", "periodic"])
def test_in_wide_tables_the_best_columns_have_embeddings(embedding):
    random_state = np.random.RandomState(0)
    X = random_state.randn(100, 300)
    X[:, 7] = X[:, 7] > 0
    y = np.abs(X[:, 299]) + X[:, 7] > 1
    params = {"max_iter": 1, "n_members": 1, "numerical_embedding": embedding}
    model = classifier(X, y, **params)
    columns = model.module_.embedded_columns
    assert len(columns) == 256
    assert 299 in columns
    assert 7 not in columns  # two values need none
    assert model.feature_importances_.shape == (300,)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(300)])
    for copied, samples in (
        (clone(model).fit(X, y), X),
        (pickle.loads(pickle.dumps(model)), X),
        (classifier(frame, y, **params), frame),
    ):
        assert copied.module_.embedded_columns == columns
        np.testing.assert_array_equal(copied.predict_proba(samples), model.predict_proba(X))


def test_units_do_not_matter(table):
    X, value = table
    small = X.assign(useless=X["useless"] * 1e-6 - 3)
    mean, scaled = regressor(X, value), regressor(small, value * 1e-3)
    np.testing.assert_allclose(scaled.predict(small), mean.predict(X) * 1e-3, rtol=1e-4)


def test_other_columns_in_prediction_are_refused(labelled):
    X, y = labelled
    model = classifier(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X.rename(columns={"size": "length"}))


# -- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {"n_members": 1},
        {"n_members": 7},
        {"n_hidden_layers": 0, "hidden_width": 128},
        {"n_hidden_layers": 3},
        {"numerical_embedding": "periodic"},
        {"numerical_embedding": None},
        {"embedding_width": 3},
        {"dropout": 0.0},
        {"batch_size": 17},
        {"dtype": "float32"},
        {"dtype": "bfloat16"},
        {"class_weight": "balanced"},
        {"class_weight": {"no": 3, "yes": 1}},
    ],
    ids=repr,
)
def test_each_parameter_changes_the_model(labelled, usual_probabilities, params):
    X, y = labelled
    other = classifier(X, y, **params)
    assert other.score(X, y) > 0.5
    assert not np.allclose(usual_probabilities, other.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_members", 0),
        ("n_hidden_layers", -1),
        ("hidden_width", 0),
        ("dropout", 1.0),
        ("numerical_embedding", "quantile"),
        ("embedding_width", 0),
        ("learning_rate_init", 0.0),
        ("weight_decay", -1.0),
        ("batch_size", 0),
        ("max_iter", 0),
        ("n_iter_no_change", 0),
        ("time_limit", 0),
        ("categorical_features", 3),
        ("dtype", "float16"),
        ("callbacks", print),
        ("loss", "tweedie"),
        ("quantile", "median"),
    ],
)
def test_wrong_parameters_are_named(table, name, value):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter"):
        regressor(*table, **{name: value})


def test_a_level_needs_the_loss_that_has_levels(table):
    with pytest.raises(ValueError, match="is for loss='quantile'"):
        regressor(*table, quantile=0.2)


def test_there_is_no_partial_fit(labelled):
    assert not hasattr(TabularMLPClassifier(), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        TabularMLPClassifier().partial_fit(*labelled)


def test_weights_have_no_matrices_to_show(labelled):
    with pytest.raises(AttributeError, match=r"TabularEnsemble has no torch\.nn\.Linear"):
        _ = classifier(*labelled).coefs_


# -- rows that members leave out -------------------------------------------------------------------


@pytest.mark.parametrize("n_members", [1, 3, 5, 8])
def test_samples_are_dealt_out_evenly(n_members):
    y = np.repeat([0, 1, 2], [600, 60, 12])
    members = leave_out(y, n_members, np.random.RandomState(0))
    n_folds = max(n_members, 5)
    for label in range(3):
        counts = np.bincount(members[y == label] + 1, minlength=n_members + 1)
        share = np.sum(y == label) / n_folds
        assert np.abs(counts[1:] - share).max() <= 2
        assert counts[0] == pytest.approx((n_folds - n_members) * share, abs=2 * n_folds)
    assert members.max() == n_members - 1


def test_regions_of_a_number_are_dealt_out_evenly():
    y = np.random.RandomState(0).randn(800, 1) ** 3
    members = leave_out(y, 8, np.random.RandomState(0))
    means = [y[members == m].mean() for m in range(8)]
    by_chance = [part.mean() for part in np.array_split(y, 8)]
    assert np.std(means) < 0.3 * np.std(by_chance)


def test_of_many_samples_some_are_left_out():
    members = leave_out(np.repeat([0, 1], [900, 100]), 8, np.random.RandomState(0), most=100)
    assert np.count_nonzero(members >= 0) == 100
    assert np.bincount(members[members >= 0], minlength=8).min() >= 4


def test_the_loss_on_samples_left_out_is_that_of_new_samples():
    random_state = np.random.RandomState(0)
    X, y = random_state.randn(3000, 5), random_state.randint(2, size=3000)  # nothing to learn
    settings = {"dropout": 0.0, "weight_decay": 0.0, "learning_rate_init": 0.01}
    model = classifier(X, y, max_iter=40, n_iter_no_change=40, **settings)
    assert min(model.loss_curve_) < 0.62  # but much to learn by heart
    assert min(model.validation_loss_curve_) > 0.69
    assert max(model.validation_loss_curve_) > 0.72
    assert model.best_validation_score_ == pytest.approx(-np.log(2), abs=0.003)


def test_samples_to_validate_on_take_the_place_of_samples_left_out(labelled):
    X, y = labelled
    given = {"X_val": X[300:], "y_val": y[300:]}
    model = classifier(X[:300], y[:300], fit=given)
    best = model.predict_proba(X[300:])
    temperature = float(model.module_.temperature)
    raw = temperature * np.log(best[:, 1] / best[:, 0])
    loss = np.mean(np.logaddexp(0, raw) - (y[300:] == "yes") * raw)
    assert model.validation_loss_curve_[model.best_iter_ - 1] == pytest.approx(loss, rel=1e-5)


def test_on_few_samples_nothing_is_left_out(labelled):
    X, y = labelled
    model = classifier(X[:31], y[:31], max_iter=200)
    assert model.validation_loss_curve_ is None
    assert model.n_iter_ == model.best_iter_ == 60
    assert model.feature_importances_.sum() == pytest.approx(1)


def test_weights_that_sum_to_one_do_not_make_samples_few(labelled):
    X, y = labelled
    weighted = classifier(X, y, fit={"sample_weight": np.full(400, 1 / 400)})
    assert weighted.validation_loss_curve_ is not None
    np.testing.assert_allclose(
        weighted.predict_proba(X), classifier(X, y).predict_proba(X), rtol=1e-6
    )


def test_samples_of_weight_zero_do_not_count(labelled):
    X, y = labelled
    weight = np.repeat([1.0, 0.0], 200)
    expected = classifier(X[:200], y[:200], fit={"sample_weight": weight[:200]})
    model = classifier(X, np.where(weight > 0, y, "no"), fit={"sample_weight": weight})
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), rtol=1e-6)


# -- probabilities ---------------------------------------------------------------------------------


def test_the_temperature_is_the_best_of_all():
    random_state = np.random.RandomState(0)
    z = random_state.randn(5000, 1)
    y = (random_state.rand(5000, 1) < expit(z)) * 1.0
    temperature, loss = best_temperature("binary", y, 3 * z, None)
    assert temperature == pytest.approx(3, rel=0.1)
    assert loss == pytest.approx(log_loss(y.ravel(), expit(3 * z / temperature).ravel()))
    for other in (0.9 * temperature, 1.1 * temperature):
        assert log_loss_of("binary", y, 3 * z / other, None) > loss


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_log_losses_are_those_of_scikit_learn(kind):
    random_state = np.random.RandomState(0)
    output, weight = random_state.randn(30, 3), random_state.rand(30)
    if kind == "multiclass":
        y = random_state.randint(3, size=30)
        proba = np.exp(output) / np.exp(output).sum(1, keepdims=True)
        wanted = log_loss(y, proba, sample_weight=weight)
    else:
        y = random_state.randint(2, size=(30, 3)) * 1.0
        wanted = np.mean(
            [log_loss(y[:, j], expit(output[:, j]), sample_weight=weight) for j in range(3)]
        )
    assert log_loss_of(kind, y, output, weight) == pytest.approx(wanted)


def test_probabilities_are_right_where_labels_are_noise():
    random_state = np.random.RandomState(0)
    X = random_state.randn(2000, 4)
    true = expit(X[:, 0] - X[:, 1])
    y = random_state.rand(2000) < true
    model = classifier(X, y, max_iter=30)
    X_test = random_state.randn(2000, 4)
    proba = model.predict_proba(X_test)[:, 1]
    assert np.abs(proba - expit(X_test[:, 0] - X_test[:, 1])).mean() < 0.06
    sure = np.abs(proba - 0.5) > 0.3
    assert np.maximum(proba, 1 - proba)[sure].mean() < 0.93


def test_several_labels_one_class_and_many_classes():
    random_state = np.random.RandomState(0)
    X = random_state.randn(300, 4)
    Y = (X[:, :3] > 0) * 1
    assert classifier(X, Y, max_iter=30).score(X, Y) > 0.8
    assert classifier(X, ["one"] * 300, max_iter=2).predict_proba(X[:2]).tolist() == [[1], [1]]
    y = np.argmax(X, axis=1)
    model = classifier(X, y, max_iter=30)
    assert model.predict_proba(X).shape == (300, 4)
    assert model.score(X, y) > 0.8


def test_balanced_weights_find_the_rare_class():
    random_state = np.random.RandomState(0)
    X = random_state.randn(2000, 3)
    y = X[:, 0] + random_state.randn(2000) > 2.5
    found = [
        classifier(X, y, class_weight=weight).predict(X)[y].mean() for weight in (None, "balanced")
    ]
    assert found[1] > found[0] + 0.3


# -- numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "gaussian_nll"])
def test_losses_of_numbers(table, loss):
    X, value = table
    model = regressor(X, value, loss=loss, max_iter=30)
    assert model.score(X, value) > 0.9
    assert model.predict(X).dtype == np.float64


def test_positive_numbers(table):
    X, value = table
    positive = np.exp(value / 100)
    model = regressor(X, positive, loss="gamma", max_iter=30)
    assert model.score(X, positive) > 0.7
    assert model.predict(X).min() > 0
    with pytest.raises(ValueError, match="out of the valid range of the loss 'gamma'"):
        regressor(X, value, loss="gamma")


def test_quantiles_hold_what_they_say_on_new_samples():
    random_state = np.random.RandomState(0)
    X = random_state.rand(3000, 3)
    y = 3 * X[:, 0] + (0.2 + X[:, 1]) * random_state.randn(3000)
    model = regressor(X[:2000], y[:2000], loss="quantile", quantile=(0.1, 0.5, 0.9), max_iter=40)
    low, middle, high = model.predict(X[2000:]).T
    assert np.all(low <= middle)
    assert np.all(middle <= high)
    assert np.mean(y[2000:] < low) == pytest.approx(0.1, abs=0.03)
    assert np.mean(y[2000:] > high) == pytest.approx(0.1, abs=0.03)


def test_members_disagree_where_they_know_nothing(table):
    random_state = np.random.RandomState(0)
    X = random_state.uniform(-1, 1, (500, 1))
    X = X[np.abs(X[:, 0] - 0.5) > 0.3]
    model = regressor(X, np.sin(6 * X[:, 0]), max_iter=60)
    mean, std = model.predict(np.array([[-0.5], [0.5]]), return_std=True)
    assert mean.shape == std.shape == (2,)
    assert std[1] > 3 * std[0]
    members = model.module_.eval()
    assert np.array_equal(mean, model.predict(np.array([[-0.5], [0.5]])))
    assert members.n_members == 5


def test_deviations_of_noise_and_of_members_come_together(table):
    random_state = np.random.RandomState(0)
    X = random_state.randn(1500, 2)
    y = X[:, 0] + 0.5 * random_state.randn(1500)
    mean, std = regressor(X, y, loss="gaussian_nll", max_iter=40).predict(X, return_std=True)
    assert np.mean(np.abs(y - mean) < 1.28 * std) == pytest.approx(0.8, abs=0.05)
    X, value = table
    two = regressor(X, np.column_stack([value, -value]), loss="gaussian_nll")
    assert [part.shape for part in two.predict(X, return_std=True)] == [(400, 2), (400, 2)]


# -- training --------------------------------------------------------------------------------------


def test_noise_ends_training_early_and_the_absence_of_it_does_not():
    random_state = np.random.RandomState(0)
    X = random_state.randn(600, 4)
    clean = np.sin(2 * X[:, 0]) * X[:, 1]
    noisy = clean + 3 * random_state.randn(600)
    params = {"max_iter": 40, "n_members": 2}
    assert regressor(X, noisy, **params).n_iter_ < regressor(X, clean, **params).n_iter_ == 40


class SlowTable:
    """A table that takes its time to be read."""

    def __init__(self, X):
        self.X, self.shape = X, X.shape

    def __len__(self):
        return len(self.X)

    def __array__(self, dtype=None, copy=None):
        time.sleep(0.1)
        return np.asarray(self.X, dtype=dtype)


def test_time_is_limited_from_the_first_line_of_fit(table):
    X = table[0][["size", "useless", "gaps"]].to_numpy()
    model = regressor(SlowTable(X), table[1], time_limit=0.1, max_iter=100)
    assert model.n_iter_ == model.net_.history[-1, "train_batch_count"] == 1
    assert model.t_ < len(X)
    assert np.isfinite(model.predict(X)).all()


def test_callbacks_see_epochs_and_stop(table):
    rows = []
    model = regressor(*table, callbacks=[lambda row: rows.append(row) or len(rows) == 3])
    assert model.n_iter_ == len(rows) == 3
    wanted = {"loss", "validation_loss", "validation_score", "learning_rate", "time"}
    assert set(rows[0]) >= wanted
    assert set(model.history_) == wanted


def test_the_score_of_an_epoch_is_what_a_temperature_leaves(labelled):
    model = classifier(*labelled)
    history = model.history_
    assert all(
        -score <= loss + 1e-6
        for score, loss in zip(history["validation_score"], history["validation_loss"], strict=True)
    )
    assert model.best_iter_ == 1 + int(np.argmax(history["validation_score"]))


def test_lines_of_progress(table, capsys):
    regressor(*table, verbose=2, max_iter=2)
    assert "Iteration 2, loss = " in capsys.readouterr().out


def test_the_same_seed_gives_the_same_model_and_global_generators_stay(labelled):
    X, y = labelled
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    one = classifier(X, y).predict_proba(X)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])
    np.testing.assert_array_equal(classifier(X, y).predict_proba(X), one)
    assert not np.array_equal(classifier(X, y, random_state=1).predict_proba(X), one)


# -- afterwards ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit", [classifier, regressor])
def test_importances_find_the_columns_that_matter(table, labelled, fit):
    X, y = labelled if fit is classifier else table
    model = fit(X, y, max_iter=20)
    importances = pd.Series(model.feature_importances_, X.columns)
    assert importances.sum() == pytest.approx(1)
    assert (importances >= 0).all()
    assert set(importances.nlargest(2).index) == {"size", "kind"}
    assert importances[["size", "kind"]].sum() > 0.8


@pytest.mark.parametrize("way", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_copies_predict_the_same(labelled, way):
    X, y = labelled
    model = classifier(X, y)
    np.testing.assert_array_equal(way(model).predict_proba(X), model.predict_proba(X))


def test_a_failed_fit_leaves_the_model_as_it_was(labelled):
    X, y = labelled
    model = classifier(X, y)
    expected = model.predict_proba(X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y[:-1])
    np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_it_can_be_searched_and_cross_validated(labelled):
    X, y = labelled
    search = GridSearchCV(TabularMLPClassifier(**QUICK), {"dropout": [0.0, 0.3]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.8
    model = clone(search.best_estimator_)
    assert not hasattr(model, "classes_")
    assert cross_val_score(model, X, y, cv=2).mean() > 0.8


def test_layers_in_a_summary(labelled):
    text = str(classifier(*labelled).summary())
    assert "PiecewiseLinear" in text
    assert "Embedding" in text
