"""Estimators for the settings of a page, and code that makes the same estimators."""

from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from sknn.deep import DeepMLPClassifier, DeepMLPRegressor
from sknn.playground._problems import Problem, make_problem, make_table_problem
from sknn.playground._settings import GATES, Settings
from sknn.threshold import PerceptronClassifier

#: epochs, or iterations of L-BFGS, after which training ends by itself
MAX_EPOCHS = 100_000
#: epochs without an improvement of the test score before early stopping
PATIENCE = 10


def make_problem_of(settings: Settings, table: pd.DataFrame | None) -> Problem:
    """Return the samples that settings ask for; `table` is the one handed over, or None."""
    if settings.data == "table":
        if table is None:
            raise ValueError("Choose a CSV file first; its table stays in this process.")
        return make_table_problem(table, *_columns(settings, table), **_split_params(settings))
    return make_problem(settings.data, **_data_params(settings))


def make_estimator(settings: Settings, kind: str, n_train: int, max_iter: int) -> BaseEstimator:
    """Return the unfitted estimator that settings describe for so many samples and epochs."""
    if settings.model == "perceptron":
        return PerceptronClassifier(**_perceptron_params(settings))
    cls = DeepMLPClassifier if kind == "classification" else DeepMLPRegressor
    return cls(**_network_params(settings, n_train, max_iter))


def write_code(settings: Settings, problem: Problem | None, n_epochs: int) -> str:
    """Return Python code that computes what is on the page.

    Parameters
    ----------
    settings : Settings
    problem : Problem or None
        Problem; None for threshold units, which have no samples.
    n_epochs : int
        Epochs that were trained; for a perceptron the samples it has seen.

    Returns
    -------
    str
    """
    if problem is None:
        return _gate_code(settings)
    lines = [_write_problem_call(settings, problem), ""]
    if settings.model == "perceptron":
        call = _call("PerceptronClassifier", _perceptron_params(settings))
        return "\n".join(
            [
                "from sknn import PerceptronClassifier",
                *lines,
                f"classes = {list(range(len(problem.classes)))}",
                f"model = {call}",
                f"for step in range({n_epochs}):",
                "    i = [step % len(problem.X_train)]",
                "    model.partial_fit(problem.X_train[i], problem.y_train[i], classes=classes)",
                "print(model.coef_, model.intercept_)",
                "print(model.score(problem.X_test, problem.y_test))",
                "",
            ]
        )
    name = f"DeepMLP{'Classifier' if problem.kind == 'classification' else 'Regressor'}"
    params = _network_params(settings, len(problem.y_train), max(n_epochs, 1))
    return "\n".join(
        [
            f"from sknn import {name}",
            *lines,
            f"model = {_call(name, params)}",
            "model.fit(",
            "    problem.X_train, problem.y_train, X_val=problem.X_test, y_val=problem.y_test",
            ")",
            "print(model.loss_curve_)",
            "print(model.score(problem.X_test, problem.y_test))",
            "",
        ]
    )


def _columns(settings: Settings, table: pd.DataFrame) -> tuple[list[str], str]:
    """Return the chosen columns; at first two columns of numbers and the last column."""
    target = settings.target or str(table.columns[-1])
    numbers = table.drop(columns=target, errors="ignore").select_dtypes("number")
    return list(settings.inputs) or [str(name) for name in numbers.columns[:2]], target


def _split_params(settings: Settings) -> dict[str, Any]:
    return {"train_share": settings.train_share, "random_state": settings.data_seed}


def _data_params(settings: Settings) -> dict[str, Any]:
    return {
        "n_samples": settings.n_samples,
        "noise": settings.noise,
        "features": settings.features,
        **_split_params(settings),
    }


def _perceptron_params(settings: Settings) -> dict[str, Any]:
    return {"update": "online", "eta0": settings.learning_rate, "shuffle": False}


def _network_params(settings: Settings, n_train: int, max_iter: int) -> dict[str, Any]:
    layers = settings.layers
    activations = [layer.activation for layer in layers]
    rates = [layer.dropout for layer in layers]
    params: dict[str, Any] = {
        "hidden_layer_sizes": tuple(layer.units for layer in layers),
        "activation": activations[0] if len(set(activations)) == 1 else activations,
        "solver": "sgd" if settings.solver == "momentum" else settings.solver,
        "alpha": 0.0 if settings.penalty == "none" else settings.penalty_rate,
        "learning_rate_init": settings.learning_rate,
        "max_iter": max_iter,
        "tol": 0.0,
        "n_iter_no_change": MAX_EPOCHS,
        "random_state": settings.seed,
    }
    if not layers:
        params["activation"] = "relu"
    if settings.solver != "lbfgs":
        params["batch_size"] = min(settings.batch_size, n_train)
    if settings.solver in ("sgd", "momentum"):
        params["momentum"] = 0.9 if settings.solver == "momentum" else 0.0
    if settings.penalty == "L1":
        params["l1_ratio"] = 1.0
    if any(rates):
        params["dropout"] = rates[0] if len(set(rates)) == 1 else rates
    if settings.early_stopping and settings.solver != "lbfgs":
        params.update(early_stopping=True, n_iter_no_change=PATIENCE, tol=1e-4)
    return params


def _write_problem_call(settings: Settings, problem: Problem) -> str:
    """Return the lines of code that make the samples."""
    if settings.data != "table":
        arguments = _write_args({"data": settings.data, **_data_params(settings)}, positional=1)
        return f"from sknn.playground import make_problem\n\nproblem = make_problem({arguments})"
    inputs, split = list(problem.feature_names), _write_args(_split_params(settings))
    return (
        "import pandas as pd\n"
        "from sknn.playground import make_table_problem\n\n"
        'table = pd.read_csv("table.csv")  # the file that was chosen on the page\n'
        f"problem = make_table_problem(table, {inputs!r}, {settings.target!r}, {split})"
    )


def _gate_code(settings: Settings) -> str:
    if settings.model == "xor":
        return (
            "from sknn.threshold import ThresholdNetwork, truth_table\n\n"
            'network = ThresholdNetwork.from_expression("(a or b) and not (a and b)")\n'
            "print(truth_table(network, hidden=True))\n"
        )
    outputs = GATES[settings.gate]
    return (
        "from sknn.threshold import ThresholdUnit, truth_table\n\n"
        "unit = ThresholdUnit([1, 1], threshold=2)  # write the weights of the page here\n"
        "print(truth_table(unit))\n"
        f"# {settings.gate.upper()} has the outputs {', '.join(map(str, outputs))}\n"
    )


def _call(name: str, params: dict[str, Any]) -> str:
    lines = "".join(f"    {key}={value!r},\n" for key, value in params.items())
    return f"{name}(\n{lines})"


def _write_args(params: dict[str, Any], positional: int = 0) -> str:
    items = list(params.items())
    first = [repr(value) for _, value in items[:positional]]
    return ", ".join([*first, *(f"{key}={value!r}" for key, value in items[positional:])])
