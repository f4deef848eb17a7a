import numpy as np
import pytest

from sknn.threshold.zero_one._binary import BinaryProblem, centre_threshold, find_best_interval
from sknn.threshold.zero_one._local_search import (
    LocalSearch,
    SearchConfig,
    fit_logistic_units,
    minimise_errors,
)
from sknn.threshold.zero_one._multiclass import ClassesProblem


def random_problem(seed, n_rows=30, n_features=3):
    rng = np.random.RandomState(seed)
    weights = rng.randint(0, 3, (n_rows, 2)).astype(float)
    unit, line = rng.randn(2, n_features + 1)
    return (
        BinaryProblem(rng.randn(n_rows, n_features), *weights.T),
        unit / np.linalg.norm(unit),
        line,
    )


@pytest.mark.parametrize("seed", range(10))
def test_line_search_finds_the_best_of_a_fine_grid(seed):
    problem, unit, line = random_problem(seed)
    low, high = find_best_interval(problem, unit, line)
    found = problem.compute_value(unit + np.tan((low + high) / 2) * line)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 4001)[1:-1]
    assert found >= max(problem.compute_value(unit + np.tan(angle) * line) for angle in angles)


@pytest.mark.parametrize("seed", range(10))
def test_line_search_stays_within_two_crossings(seed):
    problem, unit, line = random_problem(seed)
    low, high = find_best_interval(problem, unit, line)
    inside = [
        problem.inputs @ (unit + np.tan(low + share * (high - low)) * line) >= 0
        for share in (1e-6, 0.3, 0.7, 1 - 1e-6)
    ]
    assert all(np.array_equal(inside[0], other) for other in inside)


def test_line_search_takes_the_widest_of_equal_intervals():
    # below all is unwanted, above all wanted; the two between do not mind where the threshold is
    Z = np.array([[-3.0], [-1.0], [2.0], [3.0]])
    problem = BinaryProblem(Z, np.array([0.0, 1.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0]))
    unit = centre_threshold(problem, np.array([1.0, 0.0]))
    assert unit[1] / unit[0] == pytest.approx(0.5)


def test_line_that_no_row_crosses_leaves_the_unit_where_it_is():
    problem = BinaryProblem(np.array([[0.0], [0.0]]), np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    low, high = find_best_interval(problem, np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert (low, high) == (-np.pi / 2, np.pi / 2)


def test_value_is_the_weight_of_errors_avoided():
    problem = BinaryProblem(np.array([[0.0], [1.0]]), np.array([1.0, 5.0]), np.array([4.0, 2.0]))
    assert problem.compute_value(np.array([1.0, 0.5])) == 3.0  # fires on the second row alone
    assert problem.is_solved(3.0)
    assert problem.compute_value(np.array([1.0, -0.5])) == 0.0  # on both
    assert not problem.is_solved(0.0)


def test_threshold_beyond_all_samples_is_found():
    problem = BinaryProblem(np.array([[0.0], [1.0]]), np.zeros(2), np.ones(2))
    unit = centre_threshold(problem, np.array([1.0, 0.0]))
    assert problem.compute_value(unit) == 0.0
    assert unit[1] / unit[0] > 1


# ---------------------------------------------------------------- many classes


def classes_problem(seed, n_rows=40, n_classes=4):
    rng = np.random.RandomState(seed)
    problem = ClassesProblem(rng.randn(n_rows, 3), rng.randint(0, 3, (n_rows, n_classes)) * 1.0)
    return problem, rng.randn(n_classes, 4)


def test_value_of_many_units_is_the_weight_of_samples_given_their_class():
    of_class = np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 4.0]])
    problem = ClassesProblem(np.array([[0.0], [1.0]]), of_class)
    units = np.array([[0.0, 0.5], [-1.0, 0.0], [1.0, 0.5]])  # margins -0.5, -x, x - 0.5
    assert problem.compute_value(units) == 2.0 + 4.0
    assert problem.is_solved(6.0)
    assert not problem.is_solved(5.0)


@pytest.mark.parametrize("seed", range(10))
def test_searching_many_units_never_makes_it_worse(seed):
    problem, units = classes_problem(seed)
    random_state, values = np.random.RandomState(seed), [problem.compute_value(units)]
    for _ in range(4):
        units = problem.improve(units, random_state)
        values.append(problem.compute_value(units))
    assert values == sorted(values)
    assert values[-1] > values[0]
    assert np.mean(np.sum(units**2, axis=1)) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_search_of_two_classes_is_that_of_one_unit(seed):
    single, _, _ = random_problem(seed)
    both = ClassesProblem(single.Z, np.column_stack([single.negative, single.positive]))
    config = SearchConfig(30, 10, 20)
    unit = minimise_errors(single, config, np.random.RandomState(0)).units
    units = minimise_errors(both, config, np.random.RandomState(0)).units
    missed = single.best_value - single.compute_value(unit)
    assert both.best_value - both.compute_value(units) == pytest.approx(missed, abs=1.0)


def test_a_descent_that_falls_short_is_given_up():
    problem, unit, _ = random_problem(3, n_rows=200)
    for to_beat, n_epochs in ((-np.inf, 20), (np.inf, 1)):
        search = LocalSearch(problem, SearchConfig(20, 30, 0))
        found, value = search.descend(unit, to_beat, np.random.RandomState(0))
        assert search.longest == n_epochs
        assert value == problem.compute_value(found)


def test_logistic_units_of_many_weights_use_another_solver():
    rng = np.random.RandomState(0)
    Z, codes = rng.randn(60, 700), np.arange(60) % 3
    first = next(fit_logistic_units(Z, np.eye(3)[codes]))
    assert first.shape == (3, 701)
    assert np.array_equal((Z @ first[:, :-1].T - first[:, -1]).argmax(axis=1), codes)
