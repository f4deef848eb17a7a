"""Copies of estimators for prediction alone."""

import pickle

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sknn import AutoencoderTransformer, DeepMLPClassifier, DeepMLPRegressor, TabularMLPClassifier
from sknn.persistence import make_predictor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).randn(80, 5)
Y = (X[:, 0] > 0).astype(int)
QUICK = {"max_iter": 3, "random_state": 0}
PRETRAINED = AutoencoderTransformer(2, (50,), **QUICK)
MODELS = {
    "classifier": DeepMLPClassifier((50,), **QUICK),
    "pretrained": DeepMLPClassifier((50,), pretrained=PRETRAINED, **QUICK),
    "tables": TabularMLPClassifier(n_members=2, hidden_width=8, **QUICK),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_predictor_predicts_the_same_from_a_smaller_file(name):
    model = MODELS[name].fit(X, Y)
    before = pickle.dumps(model)
    slim = pickle.dumps(make_predictor(model))
    np.testing.assert_array_equal(pickle.loads(slim).predict_proba(X), model.predict_proba(X))
    limit = 1.01 if name == "tables" else 0.75  # ensembles never hold the optimizer's state
    assert len(slim) < limit * len(before)
    assert len(pickle.dumps(model)) == len(before)


def test_a_predictor_does_not_train_on_and_its_estimator_does():
    model = DeepMLPRegressor(warm_start=True, **QUICK).fit(X, Y)
    slim = pickle.loads(pickle.dumps(make_predictor(model)))
    for method in ("fit", "partial_fit"):
        with pytest.raises(
            ValueError, match=r"DeepMLPRegressor is for prediction alone: make_pred"
        ):
            getattr(slim, method)(X, Y)
        getattr(model, method)(X, Y)
    fresh = slim.set_params(warm_start=False).fit(X, Y)  # a new fit
    assert fresh.set_params(warm_start=True).fit(X, Y).n_iter_ == 3


def test_what_is_no_fitted_network_is_refused():
    with pytest.raises(TypeError, match=r"takes a fitted network .* got Pipeline"):
        make_predictor(make_pipeline(MODELS["classifier"]))
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        make_predictor(DeepMLPRegressor())
