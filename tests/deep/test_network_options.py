"""Layers, solvers, schedules and precision, as parameters of the estimators."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from torch import nn

from sknn import DeepMLPClassifier, DeepMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, random_state=0)


def widths(model):
    return [w.shape[1] for w in model.coefs_[:-1]]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [100]),
        ({"n_hidden_layers": 3}, [100] * 3),
        ({"hidden_width": 7}, [7]),
        ({"n_hidden_layers": 2, "hidden_width": 9}, [9, 9]),
        ({"hidden_layer_sizes": (8, 4), "hidden_width": 5}, [5, 5]),
        ({"hidden_layer_sizes": (8, 4), "n_hidden_layers": 3}, [8] * 3),
        ({"hidden_layer_sizes": (), "hidden_width": 6}, [6]),
        ({"n_hidden_layers": 0}, []),
    ],
)
def test_number_and_width_of_layers_can_be_searched(params, expected):
    X, y = np.eye(4), [0, 1, 0, 1]
    assert widths(DeepMLPClassifier(max_iter=1, **params).fit(X, y)) == expected


@pytest.mark.parametrize(
    "params",
    [
        {"dropout": 0.2},
        {"dropout": [0.0, 0.3], "hidden_layer_sizes": (60, 60)},
        {"normalization": "batch"},
        {"normalization": "layer", "residual": True, "hidden_layer_sizes": (60, 60)},
        {"activation": nn.PReLU},
        {"activation": torch.nn.functional.mish},
        {"activation": ["relu", "tanh"], "hidden_layer_sizes": (60, 60)},
        {"initializer": "he_normal"},
        {"solver": "adamw", "weight_decay": 0.1},
        {"solver": "nadam"},
        {"solver": "rmsprop"},
        {"solver": torch.optim.Adagrad, "solver__lr_decay": 0.001, "learning_rate_init": 0.05},
        {"learning_rate": "cosine", "learning_rate_init": 0.01},
        {"learning_rate": "one_cycle", "learning_rate_init": 0.01},
        {"learning_rate": "plateau", "learning_rate_init": 0.01},
        {"learning_rate": torch.optim.lr_scheduler.ExponentialLR, "learning_rate__gamma": 0.97},
        {"warmup_epochs": 2.5},
        {"l1_ratio": 0.5, "alpha": 0.01},
        {"max_grad_norm": 0.5},
        {"dtype": "bfloat16"},
        {"dtype": "tf32"},
        {"label_smoothing": 0.1},
        {"loss": "focal", "loss__gamma": 1.0},
        {"loss": "hinge"},
    ],
    ids=lambda params: "-".join(f"{k}={getattr(v, '__name__', v)}" for k, v in params.items()),
)
def test_option_learns_is_reproducible_and_survives_clone(digits, params):
    X, X_test, y, y_test = digits
    model = DeepMLPClassifier(**{"max_iter": 30, "learning_rate_init": 0.003, **params})
    model.set_params(random_state=3).fit(X, y)
    again = clone(model).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], again.coefs_[0])
    assert model.score(X_test, y_test) > 0.9
    other = DeepMLPClassifier(max_iter=30, learning_rate_init=0.003, random_state=3).fit(X, y)
    if params != {"dtype": "tf32"}:  # which on the CPU is float32
        assert model.loss_curve_ != other.loss_curve_


def test_learning_rates_are_in_the_history(digits):
    X, _, y, _ = digits
    model = DeepMLPClassifier(max_iter=10, learning_rate="cosine", learning_rate_init=0.01)
    rates = model.fit(X, y).history_["learning_rate"]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 0.009
    assert rates[-1] < 0.001
    warm = DeepMLPClassifier(max_iter=6, warmup_epochs=3).fit(X, y).history_["learning_rate"]
    assert warm[:3] == sorted(warm[:3])
    assert warm[3:] == [0.001] * 3


def two_layers(n_inputs, n_outputs, width=16, drop=0.0):
    return nn.Sequential(
        nn.Linear(n_inputs, width), nn.ReLU(), nn.Dropout(drop), nn.Linear(width, n_outputs)
    )


class Net(nn.Module):
    def __init__(self, n_inputs, n_outputs, width=32):
        super().__init__()
        self.hidden, self.out = nn.Linear(n_inputs, width), nn.Linear(width, n_outputs)

    def forward(self, X):
        return self.out(torch.relu(self.hidden(X)))


@pytest.mark.parametrize("module", [two_layers, Net])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_users_module_trains_like_an_mlp(digits, module, solver):
    X, X_test, y, y_test = digits
    kwargs = {"module__width": 64, "solver": solver, "learning_rate_init": 0.01, "max_iter": 40}
    model = DeepMLPClassifier(module=module, random_state=0, **kwargs).fit(X, y)
    assert model.score(X_test, y_test) > 0.93
    assert [w.shape for w in model.coefs_] == [(64, 64), (64, 10)]
    assert model.n_layers_ == 3
    assert model.summary().n_parameters == 65 * 64 + 65 * 10
    assert clone(model).get_params()["module__width"] == 64


def test_users_dropout_is_seeded_and_moves_no_global_generator(digits):
    X, _, y, _ = digits
    model = DeepMLPClassifier(module=two_layers, module__drop=0.3, max_iter=3, random_state=0)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = model.fit(X, y).coefs_[0]
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    np.testing.assert_array_equal(first, clone(model).fit(X, y).coefs_[0])


def test_arguments_of_the_module_can_be_searched_and_set(digits):
    X, _, y, _ = digits
    model = DeepMLPClassifier(module=two_layers, max_iter=8, random_state=0)
    search = GridSearchCV(model, {"module__width": [2, 64], "alpha": [1e-4]}, cv=2).fit(X, y)
    assert search.best_params_["module__width"] == 64
    assert model.set_params(module__width=5).get_params()["module__width"] == 5
    assert "module__width=5" in repr(model)


def test_users_module_regresses(rng):
    X = rng.normal(size=(200, 3))
    y = 100 + 10 * X[:, 0]
    model = DeepMLPRegressor(module=Net, learning_rate_init=0.01, max_iter=60, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.95


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"module": nn.Linear(2, 2)}, ValueError, "module must be a class or function that makes"),
        ({"module": Net, "activation": "tanh"}, ValueError, "activation shape the layers of an"),
        ({"module": Net, "dropout": 0.1}, ValueError, "dropout shape the layers of an MLP"),
        ({"module__width": 3}, ValueError, "module__width is given, but module is None"),
        ({"module": Net, "module__depth": 3}, ValueError, r"does not take \['depth'\]"),
        ({"solver": "lbfgs", "dropout": 0.1}, ValueError, "the layers 'Dropout' of the network"),
        ({"solver": "lbfgs", "l1_ratio": 0.5}, ValueError, "cannot be used with solver='lbfgs'"),
        ({"solver": torch.optim.LBFGS}, ValueError, "Use solver='lbfgs'"),
        ({"solver": dict}, ValueError, "solver must be one of"),
        ({"solver__lr_decay": 0.1}, ValueError, "'adam' takes its settings"),
        ({"learning_rate__gamma": 0.1}, ValueError, "'constant' takes"),
        ({"learning_rate": dict}, ValueError, "learning_rate must be one of"),
        ({"loss__gamma": 1.0}, ValueError, "gamma"),
        ({"loss": "hinge", "label_smoothing": 0.1}, ValueError, "label_smoothing"),
        ({"dropout": 1.0}, ValueError, "'dropout' parameter"),
        ({"dropout": [0.1, 0.2]}, ValueError, "dropout"),
        ({"normalization": "group"}, ValueError, "'normalization' parameter"),
        ({"residual": True}, ValueError, "residual"),
        ({"initializer": "xavier"}, ValueError, "'initializer' parameter"),
        ({"activation": "swish"}, ValueError, "activation"),
        ({"l1_ratio": 1.5}, ValueError, "'l1_ratio' parameter"),
        ({"max_grad_norm": 0}, ValueError, "'max_grad_norm' parameter"),
        ({"dtype": "float16"}, ValueError, "'dtype' parameter"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_bad_option_is_an_error_before_training(params, error, message):
    model = DeepMLPClassifier(max_iter=2, **params)
    with pytest.raises(error, match=message):
        model.fit(np.eye(6), [0, 1, 0, 1, 0, 1])
    assert not hasattr(model, "classes_")


def test_unknown_argument_is_an_error_of_the_constructor():
    with pytest.raises(TypeError, match="unexpected keyword argument 'hidden_layers'"):
        DeepMLPClassifier(hidden_layers=3)
    with pytest.raises(TypeError, match="Further arguments begin with one of 'module__'"):
        DeepMLPRegressor(modul__width=3)
    with pytest.raises(ValueError, match="Invalid parameter 'hidden_layers'"):
        DeepMLPRegressor().set_params(hidden_layers=3)


@pytest.mark.parametrize("name", ["dropout", "normalization", "activation"])
def test_warm_start_with_other_layers_is_an_error(digits, name):
    X, _, y, _ = digits
    other = {"dropout": [0.2], "normalization": "layer", "activation": nn.Mish}[name]
    model = DeepMLPClassifier(max_iter=1, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=f"{name} was"):
        model.set_params(**{name: other}).fit(X, y)
    model = DeepMLPClassifier(max_iter=1, warm_start=True, **{name: other}).fit(X, y)
    assert len(model.fit(X, y).loss_curve_) == 2
