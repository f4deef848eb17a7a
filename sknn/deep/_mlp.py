"""What the two multilayer perceptrons share: parameters, their limits, and the network."""

from numbers import Integral, Real
from typing import Any

import numpy as np

from sknn._sklearn import Interval, Options, StrOptions
from sknn._validation import validated_layer_sizes
from sknn.activations import TRAINABLE
from sknn.architectures import MLP

CONSTRAINTS: dict[str, list] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(TRAINABLE))],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "class_weight": [dict, list, StrOptions({"balanced"}), None],
    "scoring": [str, callable, None],
    "callbacks": [list, tuple, None],
    "device": [str],
    "dtype": [StrOptions({"auto", "float32", "float64"})],
}


def build_mlp(estimator: Any, inputs: Any, random_state: np.random.RandomState) -> MLP:
    """Return the network for an estimator's parameters, with its first weights."""
    hidden = validated_layer_sizes(estimator.hidden_layer_sizes)
    mlp = MLP.from_specs(inputs, estimator._codec.spec_, hidden, estimator.activation)
    mlp.init_weights(random_state)
    return mlp


def shaping_params(estimator: Any) -> dict[str, Any]:
    """Return the parameters that the network of an estimator cannot change, checked."""
    return {
        "hidden_layer_sizes": validated_layer_sizes(estimator.hidden_layer_sizes),
        "activation": estimator.activation,
        "device": estimator.device,
        "dtype": estimator.dtype,
    }
