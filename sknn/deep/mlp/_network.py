"""Common parts of both multilayer perceptrons: parameters, their limits, and the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._sklearn import Interval, StrOptions
from sknn._specs import Sample, TargetSpec
from sknn._validation import check_layer_sizes
from sknn.activations import SYNONYMS, TRAINABLE
from sknn.architectures import INITIALIZERS, MLP, MLPOptions, build_user_module
from sknn.deep._params import (
    TABLE_CONSTRAINTS,
    TARGET_ENCODING,
    make_comparable,
    nested_arguments,
    training_constraints,
)
from sknn.deep.autoencoder import AutoencoderTransformer
from sknn.deep.parts._protocols import Encoder, Network

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

CONSTRAINTS: dict[str, list] = {
    **training_constraints(but=("time_limit",)),
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions({*TRAINABLE, *SYNONYMS}), callable, "array-like"],
    "n_hidden_layers": [Interval(Integral, 0, None, closed="left"), None],
    "hidden_width": [Interval(Integral, 1, None, closed="left"), None],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "normalization": [StrOptions({"batch", "layer"}), None],
    "residual": ["boolean"],
    "initializer": [StrOptions({"auto", *INITIALIZERS}), callable],
    "module": [callable, None],
    **TABLE_CONSTRAINTS,
    **TARGET_ENCODING,
    "scale": [StrOptions({"auto", "standard", "robust", "quantile"}), None],
    "pretrained": [AutoencoderTransformer, None],
    "freeze_epochs": [Interval(Integral, 0, None, closed="left")],
}


#: what shapes the hidden layers, with the default of each
LAYER_PARAMS: dict[str, Any] = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "n_hidden_layers": None,
    "hidden_width": None,
    "dropout": 0.0,
    "normalization": None,
    "residual": False,
    "initializer": "auto",
}


@dataclass(frozen=True)
class MLPBuilder:
    """A `NetworkBuilder` of multilayer perceptrons, or of a user-defined module.

    Attributes
    ----------
    layers : mapping
        The parameters named in `LAYER_PARAMS`.
    module : callable or None
        The user's network, in place of the layers.
    module_params : mapping
        Its arguments.
    """

    layers: Mapping[str, Any]
    module: Callable | None
    module_params: Mapping[str, Any]

    @classmethod
    def of(cls, estimator: BaseEstimator) -> MLPBuilder:
        """Return the builder for an estimator's parameters."""
        layers = {name: getattr(estimator, name) for name in LAYER_PARAMS}
        return cls(layers, estimator.module, nested_arguments(estimator, "module"))

    def fixed_params(self) -> dict[str, Any]:
        """Return the parameters that shape the network, checked, in a form that can be compared."""
        if self.module is not None:
            self._check_unused()
            return {}
        if self.module_params:
            raise ValueError(
                f"module__{min(self.module_params)} is given, but module is None. Give the class "
                "or function that it is an argument of."
            )
        sizes = hidden_sizes(self.layers)
        # Two ways to write the same layers are one network: what is compared is what they mean.
        width = sizes[0] if len(set(sizes)) == 1 else None
        return {
            "hidden_layer_sizes": sizes,
            "n_hidden_layers": len(sizes),
            "hidden_width": width,
        }

    def build(
        self,
        encoder: Encoder,
        target: TargetSpec,
        random_state: np.random.RandomState,
        samples: Sample | None,
    ) -> Network:
        """Return the network with its first weights."""
        if self.module is None:
            return self.build_layers(encoder, target, random_state)
        inputs = encoder.spec_
        return build_user_module(self.module, inputs, target, self.module_params, random_state)

    def build_layers(
        self, encoder: Encoder, target: TargetSpec, random_state: np.random.RandomState
    ) -> MLP:
        """Return the layers that the parameters describe."""
        inputs, of = encoder.spec_, self.layers
        options = MLPOptions(of["dropout"], of["normalization"], of["residual"], of["initializer"])
        mlp = MLP.from_specs(inputs, target, hidden_sizes(of), of["activation"], options)
        mlp.initialize_weights(random_state)
        return mlp

    def _check_unused(self) -> None:
        """Raise ValueError if parameters of the MLP were set beside a user-defined module."""
        changed = [
            name
            for name, default in LAYER_PARAMS.items()
            if make_comparable(self.layers[name]) != default
        ]
        if changed:
            raise ValueError(
                f"{', '.join(changed)} shape the layers of an MLP, but a module was given, which "
                "has layers of its own. Leave them at their defaults, or hand what the module "
                "needs to it as module__<argument>."
            )


def hidden_sizes(layers: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the widths of the hidden layers, checked.

    `n_hidden_layers` and `hidden_width` go before `hidden_layer_sizes`, of which they take what
    is not given: its number of layers (at least one), and its first width.
    """
    sizes = check_layer_sizes(layers["hidden_layer_sizes"])
    n_layers, width = layers["n_hidden_layers"], layers["hidden_width"]
    if n_layers is None and width is None:
        return sizes
    n_layers = max(len(sizes), 1) if n_layers is None else n_layers
    width = (sizes or LAYER_PARAMS["hidden_layer_sizes"])[0] if width is None else width
    return (int(width),) * int(n_layers)
