"""Feature importances of one network: for RFE and SelectFromModel."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_selection import RFE, SelectFromModel

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.deep.parts._importances import permutation_importances

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
    with pytest.raises(AttributeError, match="It has after fit on a dense table with at"):
        _ = model.feature_importances_
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


def test_importances_are_computed_when_they_are_asked_for_and_samples_then_forgotten():
    model = DeepMLPRegressor(**QUICK).fit(X, Y)
    assert len(vars(model)["_kept_for_ranking"].y) == 300
    loaded = pickle.loads(pickle.dumps(model))
    assert not any(name.startswith("_kept") for name in vars(loaded))
    np.testing.assert_array_equal(loaded.feature_importances_, model.feature_importances_)
    assert "_kept_for_ranking" not in vars(model)


def test_few_of_many_samples_are_kept():
    large = RNG.normal(size=(3000, 40))
    model = DeepMLPRegressor(**{**QUICK, "max_iter": 1}).fit(large, large[:, 0])
    assert vars(model)["_kept_for_ranking"].X.shape == (500, 40)


def test_a_pass_for_several_columns_finds_what_one_for_each_does():
    model = DeepMLPRegressor(**QUICK).fit(X, Y)
    sample = vars(model)["_kept_for_ranking"]
    each, together = (
        permutation_importances(
            model._result, sample, np.arange(6), 6, np.random.RandomState(0), max_stacked=stacked
        )
        for stacked in (0, 1000)
    )
    np.testing.assert_allclose(together, each, rtol=1e-9)
