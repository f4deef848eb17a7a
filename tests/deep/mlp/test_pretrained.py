"""Networks that begin with the layers of an autoencoder."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sknn import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    TabularMLPClassifier,
)
from sknn.model_selection import BatchedGridSearchCV

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X, Y = X[:600] / 16, Y[:600]
LABELLED = slice(0, 60)
WIDTHS = {"hidden_layer_sizes": (24, 12), "random_state": 0}


def make_autoencoder(**params):
    return AutoencoderTransformer(12, (24,), **{"max_iter": 10, "random_state": 0, **params})


@pytest.fixture(scope="module")
def fitted():
    return make_autoencoder().fit(X)


def weights_of_encoder(autoencoder):
    return autoencoder.coefs_[: autoencoder.module_.n_encoder_layers]


def untrained(**params):
    """Return a classifier whose weights after fit are those that it began with."""
    params = {"solver": "sgd", "learning_rate_init": 1e-30, "max_iter": 1, **WIDTHS, **params}
    return DeepMLPClassifier(momentum=0.0, alpha=0.0, **params)


def test_the_network_begins_with_the_encoder(fitted):
    model = untrained(pretrained=fitted).fit(X[LABELLED], Y[LABELLED])
    for ours, theirs in zip(model.coefs_[:2], weights_of_encoder(fitted), strict=True):
        assert_allclose(ours, theirs, rtol=0, atol=1e-20)  # 0 moves by the learning rate, too
    assert model.pretrained_ is fitted
    # standardised as the autoencoder learned it, and not by the few samples with labels
    assert_array_equal(model._encoder.encode(X[:5]), fitted._encoder.encode(X[:5]))


def test_layers_are_copied_as_far_as_widths_agree(fitted):
    model = untrained(pretrained=fitted, hidden_layer_sizes=(24, 7)).fit(X[LABELLED], Y[LABELLED])
    assert_allclose(model.coefs_[0], weights_of_encoder(fitted)[0], rtol=0, atol=1e-20)
    plain = untrained(hidden_layer_sizes=(24, 7)).fit(X[LABELLED], Y[LABELLED])
    assert_array_equal(model.coefs_[2], plain.coefs_[2])


def test_training_changes_neither_the_autoencoder_nor_its_clones_model(fitted):
    before = [array.copy() for array in fitted.coefs_]
    model = DeepMLPClassifier(pretrained=fitted, max_iter=5, **WIDTHS)
    first = model.fit(X[LABELLED], Y[LABELLED]).predict_proba(X)
    again = clone(model)
    assert again.pretrained is fitted
    assert_array_equal(again.fit(X[LABELLED], Y[LABELLED]).predict_proba(X), first)
    for array, value in zip(fitted.coefs_, before, strict=True):
        assert_array_equal(array, value)
    assert (model.coefs_[0] != before[0]).any()


def test_a_search_keeps_the_fitted_autoencoder(fitted):
    model = make_pipeline(
        StandardScaler(with_std=False, with_mean=False),
        DeepMLPClassifier(pretrained=fitted, max_iter=3, **WIDTHS),
    )
    search = GridSearchCV(model, {"deepmlpclassifier__alpha": [1e-4, 1e-2]}, cv=2)
    search.fit(X[LABELLED], Y[LABELLED])
    assert search.best_estimator_[-1].pretrained_ is fitted


def test_a_search_fits_autoencoders_that_are_not_fitted():
    model = DeepMLPClassifier(pretrained=make_autoencoder(), max_iter=3, **WIDTHS)
    search = GridSearchCV(model, {"pretrained__max_iter": [1, 2]}, cv=2, refit=True)
    search.fit(X[LABELLED], Y[LABELLED])
    best = search.best_estimator_
    assert best.pretrained_.n_iter_ == search.best_params_["pretrained__max_iter"]
    assert not hasattr(best.pretrained, "net_")


def test_a_batched_search_gives_autoencoders_the_samples_without_labels():
    model = DeepMLPClassifier(pretrained=make_autoencoder(max_iter=2), max_iter=3, **WIDTHS)
    searches = [
        kind(model, {"alpha": [1e-4, 1.0]}, cv=2).fit(X[LABELLED], Y[LABELLED], X_unlabelled=X[60:])
        for kind in (GridSearchCV, BatchedGridSearchCV)
    ]
    weights = [search.best_estimator_.pretrained_.coefs_[0] for search in searches]
    assert_array_equal(*weights)
    assert_array_equal(*(search.cv_results_["mean_test_score"] for search in searches))


@pytest.mark.parametrize("kind", [AutoencoderTransformer, AutoencoderOutlierDetector])
def test_a_batched_search_validates_autoencoders_on_given_samples(kind):
    model = kind(hidden_layer_sizes=(24,), n_components=12, max_iter=3, random_state=0)
    scoring = {"scoring": lambda model, X, y=None: model.score_samples(X).mean()}
    searches = [
        search(model, {"alpha": [1e-4, 1.0]}, cv=2, **scoring).fit(X[:200], X_val=X[200:])
        for search in (GridSearchCV, BatchedGridSearchCV)
    ]
    assert_array_equal(*(s.best_estimator_.history_["validation_score"] for s in searches))


def test_an_autoencoder_that_is_not_fitted_is_fitted_on_all_samples():
    model = untrained(pretrained=make_autoencoder())
    model.fit(X[LABELLED], Y[LABELLED], X_unlabelled=X[60:])
    expected = make_autoencoder().fit(X)
    assert_array_equal(model.coefs_[0], expected.coefs_[0])
    alone = untrained(pretrained=make_autoencoder()).fit(X[LABELLED], Y[LABELLED])
    assert_array_equal(alone.coefs_[0], make_autoencoder().fit(X[LABELLED]).coefs_[0])


def test_the_random_state_is_the_estimators_where_the_autoencoder_has_none():
    models = [
        untrained(pretrained=make_autoencoder(random_state=None, initializer="auto"))
        for _ in range(2)
    ]
    first, second = (model.fit(X[LABELLED], Y[LABELLED]).coefs_[0] for model in models)
    assert_array_equal(first, second)


CONTAINERS = {
    "pandas": pd.DataFrame,
    "polars": lambda rows: pl.DataFrame(rows, schema=[f"x{i}" for i in range(64)]),
    "sparse": sparse.csr_matrix,
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_samples_without_labels_come_in_the_same_container(name):
    wrap = CONTAINERS[name]
    X_, rest = wrap(X[:60]), wrap(X[60:])
    if name == "pandas":
        X_, rest = X_.rename(columns=str), rest.rename(columns=str)
    model = untrained(pretrained=make_autoencoder(initializer="auto"))
    model.fit(X_, Y[LABELLED], X_unlabelled=rest)
    expected = make_autoencoder(initializer="auto").fit(wrap(X)).coefs_[0]
    np.testing.assert_allclose(model.coefs_[0], expected, rtol=1e-6, atol=1e-9)


def test_frozen_layers_do_not_train_for_so_many_epochs(fitted):
    params = {"pretrained": fitted, "freeze_epochs": 4, "n_iter_no_change": 100, **WIDTHS}
    kept = DeepMLPClassifier(max_iter=4, **params).fit(X[LABELLED], Y[LABELLED])
    assert_array_equal(kept.coefs_[0], fitted.coefs_[0])
    assert_array_equal(kept.coefs_[1], fitted.coefs_[1])
    moved = DeepMLPClassifier(max_iter=5, **params).fit(X[LABELLED], Y[LABELLED])
    assert (moved.coefs_[0] != fitted.coefs_[0]).any()
    assert moved.loss_curve_[:4] == kept.loss_curve_


def test_frozen_layers_train_from_the_same_epoch_on_in_later_fits(fitted):
    params = {"pretrained": fitted, "freeze_epochs": 4, "warm_start": True, **WIDTHS}
    model = DeepMLPClassifier(max_iter=3, n_iter_no_change=100, **params)
    first = weights_of_encoder(fitted)[0]
    changed = [(model.fit(X, Y).coefs_[0] != first).any() for _ in range(3)]
    assert changed == [False, True, True]
    cut = DeepMLPClassifier(max_iter=3, **params).fit(X, Y)
    for _ in range(2):
        cut.partial_fit(X, Y)
    assert (cut.coefs_[0] != first).any()


def test_the_autoencoder_is_fitted_without_samples_of_weight_0():
    weight = np.where(np.arange(len(X)) % 3, 1.0, 0.0)
    kept = np.flatnonzero(weight)
    model = DeepMLPClassifier(pretrained=make_autoencoder(max_iter=2), max_iter=2, **WIDTHS)
    for part in (X, pd.DataFrame(X), sparse.csr_array(X)):
        few = part.iloc[kept] if hasattr(part, "iloc") else part[kept]
        expected = clone(model).fit(few, Y[kept]).pretrained_.coefs_[0]
        assert_array_equal(clone(model).fit(part, Y, weight).pretrained_.coefs_[0], expected)
    given = np.where(np.arange(len(X)) % 3, 1, 0).tolist()
    assert_array_equal(clone(model).fit(X.tolist(), Y, given).pretrained_.coefs_[0].shape, (64, 24))


def test_a_regressor_begins_so_too(fitted):
    model = DeepMLPRegressor(pretrained=fitted, max_iter=200, **WIDTHS)
    model.fit(X, Y.astype(float))
    assert model.score(X, Y) > 0.8


def test_frames_with_categories_begin_with_their_embeddings():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=300), "c": rng.integers(0, 30, 300).astype(str)})
    y = (frame["c"].astype(int) % 2).to_numpy()
    autoencoder = AutoencoderTransformer(4, (16,), max_iter=3, random_state=0).fit(frame)
    model = untrained(pretrained=autoencoder, hidden_layer_sizes=(16,)).fit(frame[:50], y[:50])
    ours, theirs = (e.module_.embeddings.state_dict() for e in (model, autoencoder))
    assert all((ours[name] == theirs[name]).all() for name in theirs)
    assert model.predict(frame).shape == (300,)


def test_files_keep_the_model(fitted):
    model = DeepMLPClassifier(pretrained=fitted, max_iter=3, freeze_epochs=1, **WIDTHS)
    model.fit(X[LABELLED], Y[LABELLED])
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    skops = pytest.importorskip("skops.io")
    from sknn.persistence import trusted_types

    again = skops.loads(skops.dumps(model), trusted=trusted_types())
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


class Module:
    pass


REFUSED = {
    "other widths": ({"hidden_layer_sizes": (10,)}, {}, r"begins with another width than the enc"),
    "module": ({"module": Module}, {}, "a module was given, which has layers of its own"),
    "already fitted": ({}, {"X_unlabelled": X}, "X_unlabelled is for an autoencoder that is not"),
    "no autoencoder": ({"pretrained": None}, {"X_unlabelled": X}, "but pretrained is None"),
    "nothing to freeze": ({"pretrained": None, "freeze_epochs": 2}, {}, "freeze_epochs=2 is for"),
    "lbfgs": ({"freeze_epochs": 2, "solver": "lbfgs"}, {}, "but this is L-BFGS. Leave it at 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_begin_so_is_refused(name, fitted):
    params, given, message = REFUSED[name]
    params = {"pretrained": fitted, **WIDTHS, **params}
    if name == "module":
        params.pop("hidden_layer_sizes")
    model = DeepMLPClassifier(**params)
    with pytest.raises(ValueError, match=message):
        model.fit(X[LABELLED], Y[LABELLED], **given)
    assert not hasattr(model, "pretrained_")


def test_other_columns_are_refused(fitted):
    model = DeepMLPClassifier(pretrained=fitted, **WIDTHS)
    with pytest.raises(ValueError, match="pretrained was fitted on 64 features, but X has 63 feat"):
        model.fit(X[LABELLED, 1:], Y[LABELLED])
    unfitted = DeepMLPClassifier(pretrained=make_autoencoder(), **WIDTHS)
    for rest, message in (
        (X[:, 1:], r"those without labels are of shape \(63,\)"),
        (pd.DataFrame(X), "'ndarray', and the samples without labels are of type 'DataFrame'"),
    ):
        with pytest.raises(ValueError, match=message):
            unfitted.fit(X[LABELLED], Y[LABELLED], X_unlabelled=rest)
    names = [f"x{i}" for i in range(64)]
    frame = pd.DataFrame(X, columns=names)
    with pytest.raises(ValueError, match=r"X has the columns .* Give the same columns in the same"):
        unfitted.fit(frame[:60], Y[LABELLED], X_unlabelled=frame[names[::-1]])


def test_partial_fit_freezes_nothing(fitted):
    model = DeepMLPClassifier(pretrained=fitted, freeze_epochs=1, **WIDTHS)
    with pytest.raises(ValueError, match=r"but this is partial_fit. Leave it at 0"):
        model.partial_fit(X, Y, classes=np.arange(10))
    model.set_params(freeze_epochs=0).partial_fit(X, Y, classes=np.arange(10))
    model.partial_fit(X, Y)


@pytest.mark.parametrize(
    "model",
    [
        DeepMLPClassifier(max_iter=60, learning_rate_init=0.01, random_state=0),
        TabularMLPClassifier(n_members=2, hidden_width=32, max_iter=20, random_state=0),
        PerceptronClassifier(random_state=0),
    ],
)
def test_labels_of_minus_one_are_for_self_training(model):
    labels = np.where(np.arange(600) < 200, Y, -1)
    own = SelfTrainingClassifier(model, max_iter=2).fit(X, labels)
    assert set(own.classes_) == set(range(10))
    assert (own.transduction_[200:] >= 0).any()
    assert own.score(X[200:], Y[200:]) > 0.7


def test_a_checkpoint_knows_from_which_layers_training_began(fitted, tmp_path):
    params = {"max_iter": 6, "checkpoint": tmp_path, "checkpoint_every": 1, **WIDTHS}
    first = DeepMLPClassifier(pretrained=fitted, **params).fit(X, Y)
    again = DeepMLPClassifier(pretrained=fitted, **params).fit(X, Y)
    assert_array_equal(again.coefs_[0], first.coefs_[0])
    other = DeepMLPClassifier(pretrained=make_autoencoder(max_iter=2), **params).fit(X, Y)
    assert (other.coefs_[0] != first.coefs_[0]).any()


def test_layers_that_never_train_are_told(fitted):
    model = DeepMLPClassifier(pretrained=fitted, freeze_epochs=3, max_iter=3, **WIDTHS)
    with pytest.warns(UserWarning, match=r"freeze_epochs=3 is not below max_iter=3"):
        model.fit(X, Y)


def test_another_activation_than_that_of_the_autoencoder_is_told(fitted):
    model = DeepMLPClassifier(pretrained=fitted, activation="tanh", max_iter=3, **WIDTHS)
    with pytest.warns(UserWarning, match=r"trained with activation=relu, and .* has tanh"):
        model.fit(X, Y)
