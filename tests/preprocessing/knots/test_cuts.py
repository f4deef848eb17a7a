"""Knots lie where y changes."""

import numpy as np
import pytest

from sknn.preprocessing import fit_knots


def test_a_step_is_found():
    x = np.linspace(-1, 1, 400)
    knots = fit_knots(x[:, None], (x > 0.3) * 1.0, is_multiclass=False)
    assert knots[0] == pytest.approx([-1, 0.3, 1], abs=0.01)


def test_a_jump_is_between_two_values_next_to_each_other():
    x = np.linspace(-1, 1, 400)
    (knots,) = fit_knots(x[:, None], (x > 0.3) * 1, is_multiclass=True, jumps=True).values()
    assert knots == pytest.approx([-1, 0.3, 0.3, 1], abs=0.01)
    assert list(np.diff(np.searchsorted(x, knots))) == [259, 1, 139]


def has_twofold_knots(x, knots):
    """Return whether knots are values next to each other somewhere inside."""
    return 1 in np.diff(np.searchsorted(np.sort(x), knots[1:-1]))


def test_each_of_few_values_between_which_y_jumps_is_a_knot(rng):
    days = rng.integers(1, 30, size=1500)
    (knots,) = fit_knots(days[:, None], days % 2, is_multiclass=True, jumps=True).values()
    assert knots.tolist() == list(range(1, 30))


@pytest.mark.parametrize("is_multiclass", [False, True])
def test_columns_in_which_y_is_smooth_have_one_knot_at_a_cut(is_multiclass, rng):
    """One has a step, one a slope, and one a step that shows where the first is high only."""
    X = rng.uniform(-1, 1, size=(4000, 3))
    is_high = X[:, 0] > 0.3
    y = is_high + 2 * X[:, 1] + (is_high & (X[:, 2] < -0.2)) + 0.3 * rng.normal(size=4000)
    if is_multiclass:
        y = np.digitize(y, [0, 1])
    knots = fit_knots(X, y, is_multiclass=is_multiclass, jumps=True)
    assert [has_twofold_knots(X[:, j], knots[j]) for j in range(3)] == [True, False, True]


def test_whether_y_is_smooth_follows_weights(rng):
    """Samples of next to no weight have the step, all others a slope; or the other way round."""
    x = rng.uniform(-1, 1, size=4000)
    is_step = np.arange(4000) % 2 == 0
    y = np.where(is_step, x > 0.1, x) + 0.1 * rng.normal(size=4000)
    for steps in (True, False):
        weight = np.where(is_step == steps, 1.0, 1e-4)
        options = {"is_multiclass": False, "jumps": True, "sample_weight": weight}
        (knots,) = fit_knots(x[:, None], y, **options).values()
        assert has_twofold_knots(x, knots) == steps


@pytest.mark.parametrize(("n", "is_twofold"), [(3, False), (990, True), (1010, False)])
def test_few_samples_are_no_evidence_against_jumps(n, is_twofold, rng):
    x = rng.uniform(size=n)
    (knots,) = fit_knots(x[:, None], x, is_multiclass=False, jumps=True).values()
    assert knots[[0, -1]].tolist() == [x.min(), x.max()]
    assert has_twofold_knots(x, knots) == is_twofold


def test_a_spike_of_few_samples_is_found_where_quantiles_would_miss_it():
    x = np.concatenate([np.zeros(950), np.linspace(1, 100, 50)])
    y = ((x > 50) & (x < 80)) * 1.0
    (knots,) = fit_knots(x[:, None], y, is_multiclass=False).values()
    assert np.abs(knots - 50).min() < 2
    assert np.abs(knots - 80).min() < 2


def test_columns_of_one_or_two_values_have_none():
    X = np.column_stack([np.zeros(100), np.arange(100) % 2, np.arange(100)])
    assert list(fit_knots(X, np.arange(100.0), is_multiclass=False)) == [2]


def test_a_third_value_far_down_counts():
    x = np.zeros(3000)
    x[::2] = 1
    x[-1] = 2
    assert list(fit_knots(x[:, None], x, is_multiclass=False)) == [0]


def test_quantiles_where_y_does_not_depend_on_the_column():
    x = np.arange(101.0)
    (knots,) = fit_knots(x[:, None], np.zeros(101), is_multiclass=False).values()
    np.testing.assert_allclose(knots, [0, 25, 50, 75, 100])


@pytest.mark.parametrize("multiclass", [False, True])
def test_a_weight_of_two_is_a_row_given_twice(multiclass):
    random_state = np.random.RandomState(0)
    X, weight = random_state.randn(60, 2), random_state.randint(1, 4, size=60)
    y = random_state.randint(3, size=60) if multiclass else X[:, 0] ** 2
    weighted = fit_knots(X, y, is_multiclass=multiclass, sample_weight=weight * 1.0)
    repeated = fit_knots(X.repeat(weight, axis=0), y.repeat(weight), is_multiclass=multiclass)
    assert weighted.keys() == repeated.keys() == {0, 1}
    for j, knots in weighted.items():
        np.testing.assert_allclose(knots, repeated[j])


def test_weights_that_sum_to_one_do_not_make_stretches_wide():
    x = np.linspace(0, 1, 1000)
    y = np.sin(20 * x)
    (knots,) = fit_knots(
        x[:, None], y, is_multiclass=False, sample_weight=np.full(1000, 1e-3)
    ).values()
    assert len(knots) > 15


def test_there_are_no_more_stretches_than_asked_for():
    x = np.linspace(0, 1, 5000)
    y = np.sin(50 * x)
    for n in (3, 4, 7):
        for jumps in (False, True):
            options = {"max_stretches": n, "jumps": jumps}
            (knots,) = fit_knots(x[:, None], y, is_multiclass=False, **options).values()
            assert 2 <= len(knots) <= n + 1


def test_knots_are_far_enough_apart_for_a_slope():
    x = np.repeat([0.0, 1.0, 1.0 + 1e-7, 2.0], 20)
    y = np.repeat([0.0, 1.0, 5.0, 2.0], 20)
    (knots,) = fit_knots(x[:, None], y, is_multiclass=False).values()
    assert np.diff(knots).min() > 1e-6


def test_several_columns_of_y_are_looked_at_together():
    x = np.linspace(0, 1, 500)
    Y = np.column_stack([x > 0.2, x > 0.7]) * 1.0
    (knots,) = fit_knots(x[:, None], Y, is_multiclass=False).values()
    assert knots == pytest.approx([0, 0.2, 0.7, 1], abs=0.01)


def test_of_many_samples_some_are_looked_at_but_the_ends_are_those_of_all():
    x = np.linspace(-1, 1, 4001)
    y, weight = (x > 0.3) * 1.0, np.ones(4001)
    whole = fit_knots(x[:, None], y, is_multiclass=False)
    some = fit_knots(x[:, None], y, is_multiclass=False, sample_weight=weight, max_samples=400)
    assert some[0][[0, -1]].tolist() == [-1, 1]
    assert some[0] == pytest.approx(whole[0], abs=0.02)
    assert some[0][1] != whole[0][1]


@pytest.mark.parametrize("multiclass", [False, True])
def test_of_many_columns_those_get_knots_that_explain_most_of_y(multiclass):
    random_state = np.random.RandomState(0)
    X = random_state.randn(400, 30)
    X[:, 4] = np.arange(400) % 2  # two values need no knots, however much they explain
    y = np.digitize(X[:, 7], [-1, 1]) % 2 + np.digitize(X[:, 2], [0]) + X[:, 4]
    every = fit_knots(X, y, is_multiclass=multiclass)
    best = fit_knots(X, y, is_multiclass=multiclass, max_columns=2)
    assert set(every) == set(range(30)) - {4}
    assert list(best) == [2, 7]  # in a hump y is not correlated with the column
    for j, knots in best.items():
        np.testing.assert_array_equal(knots, every[j])
    all_but_two = fit_knots(X, y, is_multiclass=multiclass, max_columns=29)
    assert list(all_but_two) == list(every)


def test_the_best_columns_follow_weights():
    random_state = np.random.RandomState(0)
    X, weight = random_state.randn(80, 12), random_state.randint(1, 4, size=80)
    y = np.abs(X[:, 3]) + random_state.randn(80)
    weighted = fit_knots(X, y, is_multiclass=False, sample_weight=weight * 1.0, max_columns=5)
    X, y = X.repeat(weight, axis=0), y.repeat(weight)
    assert list(weighted) == list(fit_knots(X, y, is_multiclass=False, max_columns=5))


def test_columns_that_explain_equally_much_come_in_their_order():
    X = np.tile(np.linspace(0, 1, 50)[:, None], 6)
    assert list(fit_knots(X, np.zeros(50), is_multiclass=False, max_columns=2)) == [0, 1]
