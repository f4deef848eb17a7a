"""What a page may ask for, and the estimator and the code that it gets."""

import dataclasses

import pandas as pd
import pytest

from sknn.playground._estimators import make_estimator, make_problem_of, write_code
from sknn.playground._settings import Layer, Settings, read_settings


def test_settings_are_read_with_their_defaults():
    given = {"layers": [{"units": 3, "activation": "relu"}], "noise": 0.25, "features": ["x1"]}
    settings = read_settings(given)
    assert settings == Settings(layers=(Layer(3, "relu"),), noise=0.25, features=("x1",))
    assert read_settings({}) == Settings()


def test_what_settings_write_as_json_is_read_back():
    settings = Settings(solver="lbfgs", layers=(Layer(2, "gelu", 0.5),), inputs=("a", "b"))
    given = dataclasses.asdict(settings)
    given = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}
    assert read_settings(given) == settings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "Settings must be an object"),
        ({"colour": 1}, "There is no setting 'colour'"),
        ({"noise": 2}, "noise must be a number from 0 to 0.5; got 2"),
        ({"noise": True}, "noise must be a number"),
        ({"noise": float("nan")}, "noise must be a number"),
        ({"seed": 1.5}, "seed must be a whole number from 0"),
        ({"solver": "eval"}, "solver must be one of"),
        ({"early_stopping": 1}, "early_stopping must be true or false"),
        ({"target": "x" * 201}, "target must be a text of at most 200 characters"),
        ({"layers": [{"units": 17}]}, "units must be a whole number from 1 to 16; got 17"),
        ({"layers": [{}] * 9}, "layers must be a list of at most 8 items"),
        ({"layers": [{"units": 1, "x": 2}]}, "A layer has .* and nothing else"),
        ({"layers": [{"activation": "heaviside"}]}, "activation must be one of"),
        ({"features": "x1"}, "features must be a list"),
        ({"n_samples": 10**9}, "n_samples must be a whole number from 10 to 2000"),
    ],
)
def test_settings_outside_their_limits_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        read_settings(given)


CASES = [
    {},
    {"data": "four-blobs", "solver": "momentum", "penalty": "L1", "penalty_rate": 0.01},
    {"data": "lecture", "layers": [{"units": 3, "dropout": 0.1}, {"activation": "relu"}]},
    {"data": "multi-gauss", "solver": "adamw", "early_stopping": True},
    {"data": "spiral", "solver": "lbfgs", "layers": []},
    {"data": "gauss", "model": "perceptron"},
]


@pytest.mark.parametrize("given", CASES, ids=str)
def test_the_code_makes_the_very_estimator(given):
    settings = read_settings({**given, "n_samples": 60})
    problem = make_problem_of(settings, None)
    estimator = make_estimator(settings, problem.kind, len(problem.y_train), 3)
    printed = []
    namespace = {"print": lambda *values: printed.append(values)}
    exec(write_code(settings, problem, 3), namespace)
    assert repr(namespace["model"].get_params()) == repr(estimator.get_params())
    assert len(printed) == 2


def test_table_code_names_its_columns():
    table = pd.DataFrame({"a": range(20), "b": range(20), "y": ["u", "v"] * 10})
    settings = read_settings({"data": "table", "target": "y", "inputs": ["b"]})
    code = write_code(settings, make_problem_of(settings, table), 5)
    assert "make_table_problem(table, ['b'], 'y', train_share=0.5, random_state=0)" in code
    compile(code, "code", "exec")
    with pytest.raises(ValueError, match="Choose a CSV file first"):
        make_problem_of(settings, None)


@pytest.mark.parametrize("model", ["gate", "xor"])
def test_code_of_threshold_units_prints_their_truth_table(model, capsys):
    exec(write_code(read_settings({"model": model}), None, 0), {})
    last = capsys.readouterr().out.partition("#")[0].split()[-1]
    assert last == ("1" if model == "gate" else "0")  # the line of two true inputs
