"""Ensembles for tables whose members begin with the layers of an autoencoder."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sknn import AutoencoderTransformer, TabularMLPClassifier, TabularMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6))
X[:, 3:] = X[:, :3] @ RNG.normal(size=(3, 3)) + 0.1 * X[:, 3:]
Y = (X[:, 0] + X[:, 4] > 0).astype(int)
FRAME = pd.DataFrame(X, columns=list("abcdef")).assign(
    few=np.where(Y, "x", "y"), many=[f"l{i % 20}" for i in range(300)]
)
SMALL = {"n_members": 2, "hidden_width": 16, "max_iter": 3, "random_state": 0}


def make_autoencoder(**params):
    return AutoencoderTransformer(16, (16,), **{"max_iter": 3, "random_state": 0, **params})


def start(model, X, y, **given):
    """Return an ensemble whose weights after fit are those that it began with."""
    model.set_params(learning_rate_init=1e-30, max_iter=1, weight_decay=0.0)
    return model.fit(X, y, **given)


@pytest.mark.parametrize("kind", [TabularMLPClassifier, TabularMLPRegressor])
@pytest.mark.parametrize("table", [X, FRAME], ids=["array", "frame"])
def test_all_members_begin_with_the_layers_of_the_encoder(kind, table):
    autoencoder = make_autoencoder(kind="masked").fit(table)
    model = start(kind(pretrained=autoencoder, **SMALL), table, Y)
    n_known = model._inputs.n_numeric
    for member in range(2):
        first = model.module_.linears[0].weight[member, :n_known].detach().numpy()
        assert_allclose(first, autoencoder.coefs_[0][:n_known], rtol=1e-5, atol=1e-12)
        second = model.module_.linears[1].weight[member].detach().numpy()
        assert_allclose(second, autoencoder.coefs_[1], rtol=1e-5, atol=1e-12)
    bias = model.module_.linears[0].bias[0, 0].detach().numpy()
    assert_allclose(bias, autoencoder.intercepts_[0], rtol=1e-5, atol=1e-12)
    assert model.pretrained_ is autoencoder
    assert_array_equal(model._encoder.encode(table), autoencoder._encoder.encode(table))


def test_one_that_is_not_fitted_is_fitted_on_samples_without_labels_too():
    model = start(TabularMLPClassifier(pretrained=make_autoencoder(), **SMALL), X[:100], Y[:100])
    assert_array_equal(model.pretrained_.coefs_[0], make_autoencoder().fit(X[:100]).coefs_[0])
    model.fit(X[:100], Y[:100], X_unlabelled=X[100:])
    assert_array_equal(model.pretrained_.coefs_[0], make_autoencoder().fit(X).coefs_[0])
    assert not hasattr(model.pretrained, "net_")


def test_a_fitted_one_stays_so_in_clones_and_searches():
    fitted = make_autoencoder().fit(X)
    model = TabularMLPClassifier(pretrained=fitted, **SMALL)
    assert clone(model).pretrained is fitted
    search = GridSearchCV(model, {"pretrained": [None, fitted]}, cv=2).fit(X, Y)
    assert search.best_params_["pretrained"] in (None, fitted)
    before = fitted.coefs_[0].copy()
    model.fit(X, Y)
    assert_array_equal(fitted.coefs_[0], before)


def test_sparse_samples_begin_so_too_and_files_keep_the_model():
    model = TabularMLPClassifier(pretrained=make_autoencoder(), **SMALL)
    model.fit(sparse.csr_matrix(X), Y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    model.fit(FRAME, Y)
    skops = pytest.importorskip("skops.io")
    from sknn.persistence import trusted_types

    again = skops.loads(skops.dumps(model), trusted=trusted_types())
    assert_array_equal(again.predict_proba(FRAME), model.predict_proba(FRAME))


@pytest.mark.parametrize(
    ("params", "given", "message"),
    [
        ({"hidden_width": 8}, {}, r"give \(8, 8\), which begins with another width than the enc"),
        ({"pretrained": None}, {"X_unlabelled": X}, "X_unlabelled is for an autoencoder, but pre"),
        ({"target_encoding": 5}, {}, "target_encoding=5 needs an encoder that knows y"),
    ],
    ids=["width", "nothing to fit", "means of y"],
)
def test_what_cannot_begin_so_is_refused(params, given, message):
    model = TabularMLPClassifier(**{"pretrained": make_autoencoder(), **SMALL, **params})
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, **given)


def test_another_activation_is_told():
    model = TabularMLPClassifier(pretrained=make_autoencoder(activation="tanh"), **SMALL)
    with pytest.warns(UserWarning, match="trained with activation=tanh, and this network has relu"):
        model.fit(X, Y)


def test_other_columns_are_refused():
    model = TabularMLPClassifier(pretrained=make_autoencoder().fit(X), **SMALL)
    with pytest.raises(ValueError, match="pretrained was fitted on 6 features, but X has 5"):
        model.fit(X[:, 1:], Y)
