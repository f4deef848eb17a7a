"""The samples of the playground, and the tables that a user brings."""

import numpy as np
import pandas as pd
import pytest

from sknn.playground import make_problem, make_table_problem
from sknn.playground._shapes import SHAPES, lecture_polynomial


@pytest.mark.parametrize("data", SHAPES)
def test_samples_are_split_and_drawn_again_alike(data):
    one, two = (make_problem(data, n_samples=200, noise=0.1, random_state=3) for _ in "ab")
    np.testing.assert_array_equal(one.X_train, two.X_train)
    np.testing.assert_array_equal(one.y_test, two.y_test)
    other = make_problem(data, n_samples=200, noise=0.1, random_state=4)
    assert not np.array_equal(one.X_train, other.X_train)
    assert len(one.y_train) == len(one.y_test) == 100
    assert one.X_train.shape[1] == len(one.feature_names)
    np.testing.assert_array_equal(one.to_features(one.points_train), one.X_train)
    if one.kind == "classification":
        shares = np.bincount(one.y_train) / len(one.y_train)
        assert shares.min() > 0.5 / len(one.classes)


def test_features_are_what_their_names_say():
    names = ["sin_x2", "x1_x2", "x1", "x2_squared"]
    problem = make_problem("xor", features=names)
    x1, x2 = problem.points_train.T
    wanted = np.column_stack([x1, x2**2, x1 * x2, np.sin(x2)])
    np.testing.assert_allclose(problem.X_train, wanted)
    assert problem.feature_names == ("x₁", "x₂²", "x₁x₂", "sin x₂")


def test_the_lectures_function_is_on_its_interval():
    problem = make_problem("lecture", n_samples=1000)
    x = problem.points_train[:, 0]
    assert -4 <= x.min() < -3.9
    assert 1.9 < x.max() < 2
    np.testing.assert_allclose(problem.y_train, lecture_polynomial(x))
    assert lecture_polynomial(np.array([1.0])) == 2


def test_the_grid_runs_as_the_lines_of_a_picture():
    grid = make_problem("circle").make_grid(2)
    assert grid.tolist() == [[-3, 3], [3, 3], [-3, -3], [3, -3]]
    assert make_problem("sine").make_grid(3).tolist() == [[-4], [0], [4]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": "square"}, r"data must be one of \['circle'.*got 'square'"),
        ({"features": ["x3"]}, r"features must be of .*got 'x3'"),
        ({"data": "sine", "features": ["x2"]}, "No feature is left for 'sine'"),
    ],
)
def test_a_problem_that_is_not_there_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make_problem(**options)


TABLE = pd.DataFrame(
    {
        "a": np.arange(40.0),
        "b": np.tile([1.0, np.nan, 3.0, 4.0], 10),
        "text": ["red", "blue"] * 20,
        "number": np.linspace(0, 1, 40),
    }
)


def test_a_table_is_standardised_by_its_training_samples():
    problem = make_table_problem(TABLE, ["a", "b"], "text", random_state=1)
    assert problem.classes == ("blue", "red")
    assert len(problem.y_train) + len(problem.y_test) == 30  # lines with missing values are out
    np.testing.assert_allclose(problem.X_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(problem.X_train.std(axis=0), 1)
    np.testing.assert_allclose(problem.to_features(problem.points_test), problem.X_test)


def test_a_target_of_many_numbers_is_a_regression():
    problem = make_table_problem(TABLE, ["a"], "number")
    assert problem.kind == "regression"
    assert problem.classes == ()
    assert problem.bounds.shape == (1, 2)


def test_inputs_that_are_not_drawn_are_held_at_their_means():
    table = TABLE.assign(c=TABLE["a"] ** 2)
    problem = make_table_problem(table, ["a", "number", "c"], "text")
    features = problem.to_features(problem.points_train)
    np.testing.assert_allclose(features[:, :2], problem.X_train[:, :2])
    assert not features[:, 2].any()


@pytest.mark.parametrize(
    ("inputs", "target", "message"),
    [
        (["z"], "text", "The table has no column 'z'"),
        (["a"], "a", "Column 'a' cannot be the target and an input"),
        (["text"], "a", "Column 'text' is not of numbers"),
        ([], "text", "Choose 1 to 20 different input columns"),
        (["a"], "name", "The target has 40 different values; 2 to 10 can be classes"),
    ],
)
def test_columns_that_do_not_fit_are_named(inputs, target, message):
    table = TABLE.assign(name=[f"n{i}" for i in range(40)])
    with pytest.raises(ValueError, match=message):
        make_table_problem(table, inputs, target)


def test_a_table_of_too_few_lines_is_refused():
    with pytest.raises(ValueError, match="tables of 4 to 10,000 complete lines; got 3"):
        make_table_problem(TABLE[:3].fillna(0), ["a"], "text")
