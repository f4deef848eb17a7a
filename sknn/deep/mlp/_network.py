"""What the two multilayer perceptrons share: parameters, their limits, and the network."""

from numbers import Integral, Real
from typing import Any

import numpy as np

from sknn._sklearn import Interval, StrOptions
from sknn._specs import InputSpec
from sknn._validation import validated_layer_sizes
from sknn.activations import TRAINABLE
from sknn.architectures import INITIALIZERS, MLP, MLPOptions, build_user_module
from sknn.deep._params import training_constraints

CONSTRAINTS: dict[str, list] = {
    **training_constraints(but=("time_limit",)),
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(TRAINABLE)), callable, "array-like"],
    "n_hidden_layers": [Interval(Integral, 0, None, closed="left"), None],
    "hidden_width": [Interval(Integral, 1, None, closed="left"), None],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "normalization": [StrOptions({"batch", "layer"}), None],
    "residual": ["boolean"],
    "initializer": [StrOptions({"auto", *INITIALIZERS}), callable],
    "module": [callable, None],
    "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
    "scale": [StrOptions({"auto", "standard", "robust", "quantile"}), None],
}


#: what shapes the hidden layers, with the default of each
LAYER_PARAMS = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "n_hidden_layers": None,
    "hidden_width": None,
    "dropout": 0.0,
    "normalization": None,
    "residual": False,
    "initializer": "auto",
}


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return the widths of the hidden layers, checked.

    `n_hidden_layers` and `hidden_width` go before `hidden_layer_sizes`, of which they take what
    is not given: its number of layers (at least one), and its first width.
    """
    sizes = validated_layer_sizes(estimator.hidden_layer_sizes)
    n_layers, width = estimator.n_hidden_layers, estimator.hidden_width
    if n_layers is None and width is None:
        return sizes
    n_layers = max(len(sizes), 1) if n_layers is None else n_layers
    width = (sizes or LAYER_PARAMS["hidden_layer_sizes"])[0] if width is None else width
    return (int(width),) * int(n_layers)


def build_network(estimator: Any, inputs: InputSpec, random_state: np.random.RandomState) -> Any:
    """Return the network for an estimator's parameters, with its first weights."""
    target = estimator._codec.spec_
    if estimator.module is not None:
        arguments = estimator._nested_arguments("module")
        return build_user_module(estimator.module, inputs, target, arguments, random_state)
    options = MLPOptions(
        estimator.dropout, estimator.normalization, estimator.residual, estimator.initializer
    )
    mlp = MLP.from_specs(inputs, target, hidden_sizes(estimator), estimator.activation, options)
    mlp.init_weights(random_state)
    return mlp


def shaping_params(estimator: Any) -> dict[str, Any]:
    """Return the parameters that the network of an estimator cannot change, checked."""
    own = {name: _comparable(getattr(estimator, name)) for name in LAYER_PARAMS}
    if estimator.module is None:
        own["hidden_layer_sizes"] = hidden_sizes(estimator)
        del own["n_hidden_layers"], own["hidden_width"]
        arguments = estimator._nested_arguments("module")
        if arguments:
            raise ValueError(
                f"module__{min(arguments)} is given, but module is None. Give the class or "
                "function that it is an argument of."
            )
    else:
        _check_unused(own)
        own = {f"module__{k}": v for k, v in estimator._nested_arguments("module").items()}
    return {**own, "module": estimator.module, "device": estimator.device, "dtype": estimator.dtype}


def _check_unused(own: dict[str, Any]) -> None:
    """Raise ValueError if parameters of the MLP were set beside a module of the user's."""
    changed = [name for name, default in LAYER_PARAMS.items() if own[name] != default]
    if changed:
        raise ValueError(
            f"{', '.join(changed)} shape the layers of an MLP, but a module was given, which has "
            "layers of its own. Leave them at their defaults, or hand what the module needs to it "
            "as module__<argument>."
        )


def _comparable(value: Any) -> Any:
    """Return a value that `==` compares as a whole."""
    return tuple(value) if isinstance(value, list | np.ndarray) and np.ndim(value) else value
