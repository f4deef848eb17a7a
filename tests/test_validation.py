import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sknn import DeepMLPRegressor
from sknn._validation import (
    copy_random_state,
    is_clean_array,
    make_local_random_state,
    rescale_weights,
    restore_on_error,
)
from sknn.preprocessing import TabularEncoder

X = np.arange(6.0).reshape(3, 2)


def test_a_plain_finite_array_is_clean():
    assert is_clean_array(X, 2)
    assert is_clean_array(X.astype("float32")[::-1], 2)
    assert is_clean_array(X.astype(int), 2)


@pytest.mark.parametrize(
    "other",
    [
        X.tolist(),
        pd.DataFrame(X),
        sparse.csr_array(X),
        np.ma.masked_array(X),
        X.astype(bool),
        X.astype(complex),
        X.astype(object),
        X[:, :1],
        X[0],
        X[None],
        X[:0],
        X[:, :0],
        np.where(X > 4, np.nan, X),
        np.where(X > 4, -np.inf, X),
        np.array([[np.inf, -np.inf]]),
    ],
    ids=lambda other: f"{type(other).__name__}{np.shape(other)}",
)
def test_whatever_else_has_to_be_looked_at(other):
    assert not is_clean_array(other, 2)


def test_a_sum_that_overflows_is_looked_at_and_then_accepted():
    huge = np.full((2, 2), 1.7e308)
    assert not is_clean_array(huge, 2)
    model = DeepMLPRegressor(max_iter=2, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model.fit(X, [0.0, 1.0, 2.0])
    assert model.predict(1e-3 * huge).shape == (2,)


def test_names_of_columns_are_checked_for_clean_arrays_too():
    model = DeepMLPRegressor(max_iter=2, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model.fit(pd.DataFrame(X, columns=["a", "b"]), [0.0, 1.0, 2.0])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)


def test_random_state_is_never_the_global_one():
    assert make_local_random_state(None) is not np.random.mtrand._rand
    assert make_local_random_state(0).randint(100) == np.random.RandomState(0).randint(100)
    own = np.random.RandomState(0)
    assert make_local_random_state(own) is own


@pytest.mark.parametrize("seed", [0, np.int64(7), 2**32 - 1])
def test_a_generator_of_a_seed_is_that_of_numpy_and_so_are_its_copies(seed):
    made, expected = make_local_random_state(seed), np.random.RandomState(seed)
    for other in (made, copy_random_state(made), pickle.loads(pickle.dumps(made))):
        copied = np.random.RandomState(seed)
        assert other.standard_normal(3).tolist() == copied.standard_normal(3).tolist()
        assert other.permutation(9).tolist() == copied.permutation(9).tolist()
    assert b"sknn" not in pickle.dumps(expected) + pickle.dumps(made)


@pytest.mark.parametrize("kind", [DeepMLPRegressor, TabularEncoder])
def test_the_last_fit_says_whether_columns_have_names(kind):
    model, y = kind().set_params(**{"max_iter": 2} if kind is DeepMLPRegressor else {}), [0.0, 1, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(pd.DataFrame(X, columns=["a", "b"]), y)
        assert list(model.feature_names_in_) == ["a", "b"]
        model.fit(X[:, :1], y)
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 1


def fit_partly(model, error):
    with restore_on_error(model):
        model.coef_, model.new_ = [2.0], 3
        del model.gone_
        if error is not None:
            raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_attributes_are_restored_when_a_block_fails(error):
    model = SimpleNamespace(alpha=1.0, coef_=[1.0], gone_=2)
    with pytest.raises(error):
        fit_partly(model, error)
    assert vars(model) == {"alpha": 1.0, "coef_": [1.0], "gone_": 2}


def test_attributes_set_in_a_block_that_succeeds_stay():
    model = SimpleNamespace(alpha=1.0, coef_=[1.0], gone_=2)
    fit_partly(model, None)
    assert vars(model) == {"alpha": 1.0, "coef_": [2.0], "new_": 3}


def test_weights_of_ordinary_size_stay_as_they_are():
    weights = np.array([0.0, 1e-20, 3.0])
    assert rescale_weights(weights) is weights


@pytest.mark.parametrize("size", [1e-300, 1e-40, 1e40, 1e300])
def test_weights_out_of_range_keep_their_ratios(size):
    balanced = rescale_weights(np.array([0.0, 1.0, 3.0]) * size)
    np.testing.assert_allclose(balanced / balanced[1], [0.0, 1.0, 3.0])
    assert 0.5 <= balanced.max() < 1


def test_weights_far_below_the_largest_are_0():
    balanced = rescale_weights(np.array([1e-40, 1e-29, 1.0], dtype=np.float32))
    np.testing.assert_array_equal(balanced, np.array([0, 1e-29, 1], dtype=np.float32))
    assert balanced.dtype == np.float32
