"""Columns whose single values tell more of y than thresholds have embeddings of these values."""

import numpy as np
import pytest

from sknn import TabularMLPClassifier, TabularMLPRegressor
from sknn.deep.tabular._single_values import fit_single_values


def make_codes(n=2000, n_codes=150, seed=0):
    """Return numbers of things, each of which has an effect of its own, and y with noise."""
    random_state = np.random.RandomState(seed)
    codes = random_state.randint(n_codes, size=n)
    effect = np.random.RandomState(7).permutation(np.arange(n_codes) % 2)
    y = effect[codes] ^ (random_state.uniform(size=n) < 0.1)
    return np.column_stack([1000.0 + 7 * codes, random_state.randn(n)]), y


def test_codes_are_found_and_amounts_are_not():
    X, y = make_codes()
    ages = np.random.RandomState(1).randint(18, 80, size=len(X))
    X = np.column_stack([X, ages])
    y = np.column_stack([y + 1.0 * (ages > 50), ages > 30])
    found = fit_single_values(X, y, range(3))
    assert list(found) == [0]
    assert found[0].shape == (150, 2)


@pytest.mark.parametrize("seed", range(5))
def test_values_that_mean_nothing_are_left_alone(seed):
    random_state = np.random.RandomState(seed)
    X = random_state.randint(100, size=(800, 3)) * 1.0
    assert fit_single_values(X, random_state.randn(800, 1), range(3)) == {}


def test_intervals_end_halfway_to_the_next_number_also_to_one_that_is_left_out():
    X, y = make_codes()
    X, y = np.append(X[:, 0], 1003.0), np.append(y, 0)
    (intervals,) = fit_single_values(X[:, None], y[:, None] * 1.0, [0], max_values=150).values()
    assert len(intervals) == 150
    wanted = [[998.5, 1001.5], [1005, 1010.5], [1010.5, 1017.5]]
    np.testing.assert_array_equal(intervals[:3], wanted)


def test_the_most_frequent_values_are_kept():
    X, y = make_codes()
    often = X[:, 0] < 1070
    X, y = np.vstack([X, *[X[often]] * 4]), np.append(y, [y[often]] * 4)
    (intervals,) = fit_single_values(X, y[:, None] * 1.0, [0], max_values=10).values()
    np.testing.assert_array_equal(intervals.mean(axis=1), 1000 + 7 * np.arange(10))


def test_a_weight_of_two_is_a_sample_given_twice():
    X, y = make_codes()
    weight = np.random.RandomState(0).choice([1.0, 3.0], len(X))
    same = fit_single_values(X, y[:, None] * 1.0, [0], sample_weight=weight)
    scaled = fit_single_values(X, y[:, None] * 1.0, [0], sample_weight=weight * 0.5)
    np.testing.assert_array_equal(same[0], scaled[0])


@pytest.mark.parametrize("kind", [TabularMLPClassifier, TabularMLPRegressor])
def test_networks_learn_what_each_code_means(kind):
    X, y = make_codes()
    other, wanted = make_codes(seed=1)
    model = kind(n_members=2, hidden_width=32, max_iter=30, random_state=0).fit(X, y)
    assert model.module_.valued_columns == [0]
    near = (model.predict(other) > 0.5) == wanted
    assert near.mean() > 0.85  # 90 % is what noise leaves
    plain = kind(n_members=2, hidden_width=32, max_iter=30, random_state=0)
    plain.set_params(numerical_embedding=None).fit(X, y)
    assert plain.module_.values is None


def test_unknown_values_have_a_vector_of_zeros():
    X, y = make_codes()
    model = TabularMLPClassifier(n_members=2, max_iter=3, random_state=0).fit(X, y)
    values, module = model.module_.values, model.module_
    rows = values.find_rows(module.linears[0].weight.new_tensor([[1e9], [-1e9]]))
    assert not rows.any()
