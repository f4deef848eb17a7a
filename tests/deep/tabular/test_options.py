"""Networks for tables: scores of one's own, ranges, counts, sparse X, order of columns."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import get_scorer, log_loss
from sklearn.utils._param_validation import InvalidParameterError

from sknn import DeepMLPRegressor, TabularMLPClassifier, TabularMLPRegressor
from sknn.deep.parts._preparation import Circumstances
from sknn.deep.tabular._ensemble import EnsembleTraining, choose_stretches

pl = pytest.importorskip("polars")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(500, 3))
Y = X[:, 0] + 0.5 * RNG.normal(size=500)
QUICK = {"n_members": 2, "max_iter": 8, "hidden_width": 16, "random_state": 0}


def negative_log_loss(estimator, X, y):
    return -log_loss(y, estimator.predict_proba(X))


@pytest.mark.parametrize("scoring", ["roc_auc", "f1", "neg_brier_score", negative_log_loss])
def test_the_epoch_is_chosen_by_any_score_of_classes(scoring):
    model = TabularMLPClassifier(scoring=scoring, **QUICK)
    model.fit(X[:300], Y[:300] > 0, X_val=X[300:], y_val=Y[300:] > 0)
    scores = model.validation_scores_
    assert model.best_iter_ == np.argmax(scores) + 1
    assert model.best_validation_score_ == max(scores)
    if scoring == "roc_auc":  # which a temperature leaves alone
        found = get_scorer(scoring)(model, X[300:], Y[300:] > 0)
        assert found == pytest.approx(max(scores))


@pytest.mark.parametrize("scoring", ["neg_mean_absolute_error", "r2", "loss"])
def test_the_epoch_is_chosen_by_any_score_of_numbers(scoring):
    model = TabularMLPRegressor(scoring=scoring, **QUICK)
    model.fit(X[:300], Y[:300], X_val=X[300:], y_val=Y[300:])
    assert model.best_iter_ == np.argmax(model.validation_scores_) + 1
    if scoring == "loss":
        assert_allclose(model.validation_scores_, -np.array(model.validation_loss_curve_))
    else:
        expected = get_scorer(scoring)(model, X[300:], Y[300:])
        assert model.best_validation_score_ == pytest.approx(expected, rel=1e-4)


def test_the_score_is_printed_under_its_name(capsys):
    TabularMLPRegressor(scoring="neg_mean_absolute_error", verbose=2, **QUICK).fit(X, Y)
    assert "Validation neg_mean_absolute_error: -0." in capsys.readouterr().out
    TabularMLPClassifier(scoring=negative_log_loss, verbose=2, **QUICK).fit(X, Y > 0)
    assert "Validation negative_log_loss: -0." in capsys.readouterr().out
    TabularMLPClassifier(verbose=2, **QUICK).fit(X, Y > 0)
    assert "Validation score: -0." in capsys.readouterr().out


def test_counts_of_any_size_are_learned():
    mean = np.exp(X[:, 0])
    for size in (0.5, 5000):
        y = RNG.poisson(size * mean)
        model = TabularMLPRegressor(loss="poisson", **{**QUICK, "max_iter": 40}).fit(X, y)
        assert np.corrcoef(model.predict(X), size * mean)[0, 1] > 0.9
        assert model.predict(X).mean() == pytest.approx(y.mean(), rel=0.1)
    with pytest.raises(ValueError, match="out of the valid range of the loss 'poisson'"):
        TabularMLPRegressor(loss="poisson", **QUICK).fit(X, Y)


def test_predictions_stay_in_a_range():
    y = (3 + 3 * X[:, 0]).clip(1, 5)
    model = TabularMLPRegressor(y_range=(1, 5), **{**QUICK, "max_iter": 40}).fit(X, y)
    predicted = model.predict(5 * X)
    assert predicted.min() >= 1
    assert predicted.max() <= 5
    assert model.score(X, y) > 0.9
    assert model.out_activation_ == "logistic"
    assert_allclose([model.target_mean_, model.target_scale_], [[1], [4]])
    with pytest.raises(ValueError, match=r"y must lie in y_range, 1.0 to 5.0, but holds 7.0"):
        model.fit(X, np.where(y > 4, 7.0, y))
    with pytest.raises(ValueError, match=r"'y_range' of loss 'bounded' must be two numbers"):
        model.set_params(y_range=(5, 1)).fit(X, y)
    with pytest.raises(ValueError, match=r"y_range=\(1, 5\) is for losses of y in a range"):
        model.set_params(y_range=(1, 5), loss="huber").fit(X, y)


def test_a_bounded_network_has_the_range_of_its_training_samples_unless_it_is_given():
    y = np.column_stack([X[:, 0], 100 + X[:, 1]])
    params = {"learning_rate_init": 0.01, "max_iter": 30, "tol": 0, "random_state": 0}
    model = DeepMLPRegressor("bounded", hidden_layer_sizes=(10,), **params).fit(X, y)
    predicted = model.predict(9 * X)
    assert np.all(predicted >= y.min(axis=0) - 1e-9)
    assert np.all(predicted <= y.max(axis=0) + 1e-9)
    model.set_params(loss__y_range=(-200, 200)).fit(X, y)
    assert_allclose(model.target_scale_, [400, 400])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"early_stopping": True}, "'early_stopping'. Training always stops early.*n_iter_no_ch"),
        ({"validation_fraction": 0.2}, "members holds out its own share .* X_val and y_val"),
        ({"warm_start": True}, "Each fit is a new one.*take a DeepMLP estimator"),
        ({"hidden_layer_sizes": (9,)}, "Write n_hidden_layers=... and hidden_width="),
        ({"nonsense": 1}, "unexpected keyword argument 'nonsense'"),
    ],
)
@pytest.mark.parametrize("cls", [TabularMLPClassifier, TabularMLPRegressor])
def test_parameters_of_other_estimators_are_explained(cls, params, message):
    with pytest.raises(TypeError, match=message):
        cls(**params)


def test_wrong_values_are_named():
    for params in ({"scoring": 3}, {"y_range": 3}, {"text_features": "all"}):
        with pytest.raises(InvalidParameterError, match=f"The '{next(iter(params))}' parameter"):
            TabularMLPRegressor(**params).fit(X, Y)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.coo_matrix, sparse.csc_matrix])
def test_sparse_tables_are_those_of_their_arrays(kind):
    dense = np.where(RNG.random((300, 10)) < 0.3, RNG.normal(size=(300, 10)), 0)
    y = dense[:, 0] > 0
    expected = TabularMLPClassifier(**QUICK).fit(dense, y).predict_proba(dense)
    model = TabularMLPClassifier(**QUICK).fit(kind(dense), y)
    assert_array_equal(model.predict_proba(kind(dense)), expected)
    assert_array_equal(model.predict_proba(dense), expected)


def test_sparse_tables_that_no_memory_holds_are_refused():
    class Huge(sparse.csr_matrix):
        def toarray(self):
            raise MemoryError

    from sknn.deep.parts._table_reader import make_dense

    with pytest.raises(MemoryError, match=r"TabularMLPClassifier makes sparse X dense.*TruncatedS"):
        make_dense(Huge((3, 2)), "TabularMLPClassifier")


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_columns_in_another_order_are_put_in_order_by_name(kind):
    data = {"a": X[:, 0], "b": X[:, 1], "c": RNG.choice(["x", "y"], 500)}
    model = TabularMLPRegressor(**QUICK).fit(kind(data), Y)
    turned = kind({name: data[name] for name in ("c", "b", "a")})
    assert_array_equal(model.predict(turned), model.predict(kind(data)))
    assert model.score(turned, Y) == model.score(kind(data), Y)
    assert_array_equal(model.feature_names_in_, ["a", "b", "c"])
    model.fit(kind(data), Y, X_val=turned, y_val=Y)
    for others in (("a", "b"), ("a", "b", "c", "d")):
        with pytest.raises(ValueError, match="The feature names should match"):
            model.predict(kind({name: data.get(name, Y) for name in others}))


def test_skrubs_table_vectorizer_stands_in_front():
    skrub = pytest.importorskip("skrub", reason="skrub is not installed")
    from sklearn.pipeline import make_pipeline

    days = pd.Timestamp("2021-01-01") + pd.to_timedelta(np.arange(500), "D")
    frame = pd.DataFrame({"a": X[:, 0], "c": RNG.choice(["x", "y"], 500), "t": days})
    model = make_pipeline(skrub.TableVectorizer(), TabularMLPRegressor(**QUICK)).fit(frame, Y)
    assert model.predict(frame).shape == (500,)
    assert model.score(frame, Y) > 0.3


@pytest.mark.parametrize(
    ("n_samples", "size", "ratio"),
    [
        (20, 256, 1),
        (700, 32, 1),
        (3_000, 64, 1),
        (79_999, 256, 1),
        (80_000, 512, 2**0.5),
        (160_000, 1024, 2),
    ],
)
def test_large_mini_batches_of_many_samples_have_longer_steps(n_samples, size, ratio):
    many = Circumstances(n_samples, float(n_samples), is_incremental=False, has_validation=False)
    model = TabularMLPRegressor(learning_rate_init=0.01)
    config = EnsembleTraining.of(model, scores_loss=True).make_config(many)
    assert config.auto_batch_size == size
    assert config.learning_rate_init == pytest.approx(0.01 * ratio)
    model.set_params(batch_size=4096)  # who says the size says the rate
    config = EnsembleTraining.of(model, scores_loss=True).make_config(many)
    assert (config.batch_size, config.learning_rate_init) == (4096, 0.01)


def test_many_samples_of_classes_let_a_function_bend_more_often():
    stretches = [choose_stretches(n) for n in (100, 15_999, 16_000, 1_000_000)]
    assert stretches == [32, 32, 64, 64]
