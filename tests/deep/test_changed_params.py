"""After `set_params`, warm_start and partial_fit follow a change of a parameter or refuse it."""

import re
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris

from sknn import (
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    SequenceCNNRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn.model_selection import DeepEnsembleClassifier, DeepEnsembleRegressor

pytestmark = pytest.mark.filterwarnings("ignore")

X, LABELS = load_iris(return_X_y=True)
X, LABELS = X[::2], LABELS[::2]
NUMBERS = X @ [1.0, 2.0, 3.0, 4.0]
SGD = {"solver": "sgd", "learning_rate_init": 0.05}
HELD_OUT = {"early_stopping": True}
CLASS = {"solver": torch.optim.SGD, "solver__momentum": 0.1, "learning_rate": "constant"}


def score_nothing(estimator, X, y):
    return 0.0


#: parameter -> the value to change to, and what else must be set for it to matter
CHANGES = {
    "activation": ("tanh", {}),
    "alpha": (1.0, {}),
    "alphabet": ("TGCA", {}),
    "batch_norm": (True, {}),
    "batch_size": (10, {}),
    "beta_1": (0.1, {}),
    "beta_2": (0.5, {}),
    "categorical_features": ([0], {}),
    "class_weight": ({0: 5.0, 1: 1.0, 2: 1.0}, {}),
    "device": ("cpu:0", {}),
    "dropout": (0.5, {}),
    "dtype": ("float32", {}),
    "early_stopping": (True, {"max_iter": 12}),
    "epsilon": (0.1, {}),
    "first_activation": ("exp", {}),
    "handle_unknown": ("error", {}),
    "hidden_layer_sizes": ((5,), {}),
    "hidden_width": (5, {}),
    "initializer": ("he_normal", {}),
    "kernel_size": (2, {}),
    "l1_ratio": (1.0, {"alpha": 1.0}),
    "label_smoothing": (0.3, {}),
    "learning_rate": ("cosine", {}),
    "learning_rate_init": (0.1, {}),
    "length": (2, {}),
    "loss": (None, {}),  # depends on the task
    "max_fun": (1, {"solver": "lbfgs"}),
    "max_grad_norm": (1e-3, {}),
    "max_iter": (1, {}),
    "module": (torch.nn.Linear, {"hidden_layer_sizes": (100,)}),
    "momentum": (0.1, SGD),
    "n_conv_layers": (2, {}),
    "n_filters": (3, {}),
    "n_hidden_layers": (2, {}),
    "n_members": (2, {"n_filters": 4, "n_members": 1}),
    "n_iter_no_change": (
        1,
        {"tol": 10.0, "n_iter_no_change": 50, "early_stopping": False, "max_iter": 9},
    ),
    "nesterovs_momentum": (False, SGD),
    "normalization": ("layer", {}),
    "pooling": ("max", {}),
    "position_bias": (False, {}),
    "power_t": (2.0, {**SGD, "learning_rate": "invscaling"}),
    "quantile": (0.9, {"loss": "quantile", "quantile": 0.5}),
    "random_state": (1, {}),
    "residual": (True, {}),
    "reverse_complement": (True, {}),
    "freeze_epochs": (2, {}),
    "pretrained": (AutoencoderTransformer(), {}),
    "scale": ("quantile", {}),
    "scoring": (score_nothing, {**HELD_OUT, "max_iter": 12}),
    "shuffle": (False, {}),
    "solver": ("sgd", {}),
    "standardize_target": (False, {}),
    "target_encoding": (5, {}),
    "text_features": (None, {}),
    "tol": (
        10.0,
        {
            "tol": 0.0,
            "n_iter_no_change": 5,
            "early_stopping": False,
            "max_iter": 12,
            "learning_rate_init": 0.005,
            "dropout": 0.0,
        },
    ),
    "unknown": ("uniform", {}),
    "validation_fraction": (0.4, {**HELD_OUT, "max_iter": 12}),
    "warmup_epochs": (20, {}),
    "weight_decay": (1.0, {"solver": "adamw"}),
    "loss__gamma": (5.0, {"loss": "focal", "loss__gamma": 1.0}),
    "loss__delta": (0.01, {"loss": "huber", "loss__delta": 1.0}),
    "solver__momentum": (0.9, CLASS),
}
#: parameters that say what is shown or told, or how, and leave the model alone
WITHOUT_EFFECT = {
    *("verbose", "callbacks", "compile", "warm_start"),
    *("checkpoint", "checkpoint_every", "n_processes"),
}
#: parameters of a whole fit, which an epoch of partial_fit does not ask for
OF_WHOLE_FITS = {
    "early_stopping",
    "learning_rate",
    "max_fun",
    "max_iter",
    "n_iter_no_change",
    "power_t",
    "scoring",
    "target_encoding",
    "tol",
    "validation_fraction",
}
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0, "learning_rate_init": 0.02}
ESTIMATORS = {
    DeepMLPClassifier: {},
    DeepMLPRegressor: {},
    SequenceCNNClassifier: {"n_filters": 2, "kernel_size": 3},
    SequenceCNNRegressor: {"n_filters": 2, "kernel_size": 3},
}
NESTED = {"loss__gamma": "Classifier", "loss__delta": "Regressor", "solver__momentum": ""}


def names_of(cls):
    nested = [name for name, kind in NESTED.items() if kind in cls.__name__]
    return [*cls()._shown, *nested]


PAIRS = [(cls, name) for cls in ESTIMATORS for name in names_of(cls) if name not in WITHOUT_EFFECT]


def make(cls, name):
    value, base = CHANGES[name]
    if name == "loss":
        value = "focal" if "Classifier" in cls.__name__ else "absolute_error"
    if name == "pretrained" and cls.__name__.startswith("Sequence"):
        value = "masked"
    return cls(**{**SMALL, **ESTIMATORS[cls], **base}), value


def weights_after(estimator, name, value, call):
    y = LABELS if "Classifier" in type(estimator).__name__ else NUMBERS
    estimator = clone(estimator).set_params(warm_start=call == "fit")
    options = {"classes": [0, 1, 2]} if call == "partial_fit" and y is LABELS else {}
    getattr(estimator, call)(X, y, **options)
    if name is not None:
        estimator.set_params(**{name: value})
    getattr(estimator, call)(X, y, **options)
    state = estimator.module_.state_dict()
    return estimator.n_iter_, np.concatenate([v.double().numpy().ravel() for v in state.values()])


@pytest.fixture(scope="module")
def weights_of_equal_calls():
    """Return a function that makes two calls without a change, once for each set of parameters."""
    known = {}

    def find(cls, name, call):
        key = cls, repr(CHANGES[name][1]), call
        if key not in known:
            known[key] = weights_after(make(cls, name)[0], None, None, call)
        return known[key]

    return find


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize(("cls", "name"), PAIRS, ids=lambda v: getattr(v, "__name__", v))
def test_a_changed_parameter_is_followed_or_refused_by_name(
    cls, name, call, weights_of_equal_calls
):
    estimator, value = make(cls, name)
    if call == "partial_fit" and name in OF_WHOLE_FITS:
        pytest.skip("a parameter of a whole fit")
    before = weights_of_equal_calls(cls, name, call)
    after, refusal = None, ""
    try:
        after = weights_after(estimator, name, value, call)
    except ValueError as error:
        refusal = str(error)
    if after is None:
        words = "go on training the network of the earlier call, but"
        assert re.search(rf"{words} .*\b{name} was .* and is .* now", refusal), refusal
    else:
        assert before[0] != after[0] or not np.array_equal(before[1], after[1])


def test_every_parameter_is_looked_at():
    known = {name for cls in ESTIMATORS for name in names_of(cls)}
    assert known == set(CHANGES) | WITHOUT_EFFECT


@pytest.mark.parametrize(
    "cls",
    [TabularMLPClassifier, TabularMLPRegressor, DeepEnsembleClassifier, DeepEnsembleRegressor],
)
def test_estimators_whose_fits_are_new_ones_follow_every_parameter(cls):
    assert "warm_start" not in cls().get_params(deep=False)
    assert not hasattr(cls(), "partial_fit")


def test_parameters_that_are_set_back_are_no_change():
    estimator = DeepMLPClassifier(**SMALL, warm_start=True).fit(X, LABELS)
    estimator.set_params(scale="quantile", hidden_layer_sizes=[9]).set_params(
        scale="auto", hidden_layer_sizes=[4]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert estimator.fit(X, LABELS).n_iter_ == 3
