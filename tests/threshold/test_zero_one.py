import numpy as np
import pytest

from sknn.threshold._zero_one import Problem, best_interval, centre_threshold


def random_problem(seed, n_rows=30, n_features=3):
    rng = np.random.RandomState(seed)
    weights = rng.randint(0, 3, (n_rows, 2)).astype(float)
    unit, line = rng.randn(2, n_features + 1)
    return Problem(rng.randn(n_rows, n_features), *weights.T), unit / np.linalg.norm(unit), line


@pytest.mark.parametrize("seed", range(10))
def test_line_search_finds_the_best_of_a_fine_grid(seed):
    problem, unit, line = random_problem(seed)
    low, high = best_interval(problem, unit, line)
    found = problem.value(unit + np.tan((low + high) / 2) * line)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 4001)[1:-1]
    assert found >= max(problem.value(unit + np.tan(angle) * line) for angle in angles)


@pytest.mark.parametrize("seed", range(10))
def test_line_search_stays_within_two_crossings(seed):
    problem, unit, line = random_problem(seed)
    low, high = best_interval(problem, unit, line)
    inside = [
        problem.rows @ (unit + np.tan(low + share * (high - low)) * line) >= 0
        for share in (1e-6, 0.3, 0.7, 1 - 1e-6)
    ]
    assert all(np.array_equal(inside[0], other) for other in inside)


def test_line_search_takes_the_widest_of_equal_intervals():
    # below all is unwanted, above all wanted; the two between do not mind where the threshold is
    Z = np.array([[-3.0], [-1.0], [2.0], [3.0]])
    problem = Problem(Z, np.array([0.0, 1.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0]))
    unit = centre_threshold(problem, np.array([1.0, 0.0]))
    assert unit[1] / unit[0] == pytest.approx(0.5)


def test_line_that_no_row_crosses_leaves_the_unit_where_it_is():
    problem = Problem(np.array([[0.0], [0.0]]), np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    low, high = best_interval(problem, np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert (low, high) == (-np.pi / 2, np.pi / 2)


def test_value_is_the_weight_of_errors_avoided():
    problem = Problem(np.array([[0.0], [1.0]]), np.array([1.0, 5.0]), np.array([4.0, 2.0]))
    assert problem.value(np.array([1.0, 0.5])) == 3.0  # fires on the second row alone
    assert problem.is_solved(3.0)
    assert problem.value(np.array([1.0, -0.5])) == 0.0  # on both
    assert not problem.is_solved(0.0)


def test_threshold_beyond_all_rows_is_found():
    problem = Problem(np.array([[0.0], [1.0]]), np.zeros(2), np.ones(2))
    unit = centre_threshold(problem, np.array([1.0, 0.0]))
    assert problem.value(unit) == 0.0
    assert unit[1] / unit[0] > 1
