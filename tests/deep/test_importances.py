"""Feature importances of one network: for RFE and SelectFromModel."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_selection import RFE, SelectFromModel

from sknn import DeepMLPClassifier, DeepMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6))
Y = 2 * X[:, 1] - X[:, 4]
QUICK = {"hidden_layer_sizes": (20,), "max_iter": 60, "learning_rate_init": 0.01, "random_state": 0}


@pytest.mark.parametrize("early_stopping", [False, True])
def test_columns_that_matter_are_found(early_stopping):
    model = DeepMLPRegressor(early_stopping=early_stopping, **QUICK).fit(X, Y)
    importances = model.feature_importances_
    assert importances.shape == (6,)
    assert importances.sum() == pytest.approx(1)
    assert importances.argsort()[::-1][:2].tolist() == [1, 4]
    assert importances[1] > importances[4] > 0.1


def test_columns_of_a_frame_share_what_their_encoded_columns_have():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    frame["kind"] = RNG.choice(["x", "y", "z"], 300)
    frame["town"] = RNG.choice([f"town {i}" for i in range(12)], 300)
    y = (frame["kind"] == "x") ^ (frame["b"] > 0)
    model = DeepMLPClassifier(**QUICK).fit(frame, y)
    best = model.feature_importances_.argsort()[::-1][:2]
    assert set(model.feature_names_in_[best]) == {"kind", "b"}


def test_scikit_learns_selectors_work():
    model = DeepMLPRegressor(**{**QUICK, "max_iter": 30})
    assert RFE(model, n_features_to_select=2).fit(X, Y).get_support(True).tolist() == [1, 4]
    assert SelectFromModel(model, max_features=2).fit(X, Y).get_support(True).tolist() == [1, 4]


def test_sparse_and_wide_tables_and_partial_fit_have_none():
    model = DeepMLPRegressor(**QUICK).fit(X, Y)
    assert hasattr(model, "feature_importances_")
    assert not hasattr(model.partial_fit(X, Y), "feature_importances_")
    model.set_params(max_iter=1)
    assert not hasattr(model.fit(sparse.csr_array(X), Y), "feature_importances_")
    wide = np.hstack([X, np.zeros((300, 1995))])
    assert not hasattr(model.fit(wide, Y), "feature_importances_")


def test_importances_leave_the_users_generator_alone():
    with_draws, without = np.random.RandomState(0), np.random.RandomState(0)
    DeepMLPRegressor(**{**QUICK, "random_state": with_draws, "max_iter": 2}).fit(X, Y)
    model = DeepMLPRegressor(**{**QUICK, "random_state": without, "max_iter": 2})
    model.fit(sparse.csr_array(X), Y)
    assert with_draws.randint(1000) == without.randint(1000)
