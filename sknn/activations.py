"""Activation functions, each once: NumPy value and derivative, torch name, range of first weights.

A new activation is one entry in `ACTIVATIONS`.

Examples
--------
>>> import numpy as np
>>> from sknn.activations import ACTIVATIONS
>>> ACTIVATIONS["relu"].value(np.array([-2.0, 0.0, 3.0]))
array([0., 0., 3.])
>>> ACTIVATIONS["logistic"].derivative(np.array([0.0]))
array([0.25])
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

Function = Callable[[np.ndarray], np.ndarray]

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
LEAKY_SLOPE = 0.01


@dataclass(frozen=True)
class Activation:
    """One activation function.

    Attributes
    ----------
    value, derivative : callable
        Functions of an array of floats of any shape, which return a new array of that shape.
    torch_name : str or None
        Class in ``torch.nn`` without arguments; None where gradient descent has nothing to
        follow because the derivative is 0 everywhere.
    init_factor : float
        First weights are uniform in ±sqrt(init_factor / (n_inputs + n_outputs)): 6 is Glorot and
        Bengio's, 2 scikit-learn's for the logistic function.
    description : str
        One line for documentation.
    """

    value: Function
    derivative: Function
    torch_name: str | None
    init_factor: float
    description: str


def heaviside(t: np.ndarray) -> np.ndarray:
    """Return 1 where t >= 0, else 0."""
    return np.where(np.asarray(t) >= 0, 1.0, 0.0)


def _compute_density(t: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * np.square(t)) / np.sqrt(2 * np.pi)


def _make_zeros(t: np.ndarray) -> np.ndarray:
    return np.zeros_like(t, dtype=float)


def _differentiate_gelu(t: np.ndarray) -> np.ndarray:
    return ndtr(t) + t * _compute_density(t)


def _compute_selu(t: np.ndarray) -> np.ndarray:
    return SELU_SCALE * np.where(t > 0, t, SELU_ALPHA * np.expm1(np.minimum(t, 0)))


def _differentiate_selu(t: np.ndarray) -> np.ndarray:
    return SELU_SCALE * np.where(t > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(t, 0)))


def _differentiate_silu(t: np.ndarray) -> np.ndarray:
    return expit(t) * (1 + t * expit(-t))


#: name -> activation; the four first are scikit-learn's
ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(
        lambda t: np.array(t, dtype=float), np.ones_like, "Identity", 6.0, "t: a linear layer"
    ),
    "logistic": Activation(
        expit, lambda t: expit(t) * expit(-t), "Sigmoid", 2.0, "1 / (1 + exp(-t)), in (0, 1)"
    ),
    "tanh": Activation(
        np.tanh, lambda t: 1 - np.square(np.tanh(t)), "Tanh", 6.0, "in (-1, 1), centred on 0"
    ),
    "relu": Activation(
        lambda t: np.maximum(t, 0.0), lambda t: np.where(t > 0, 1.0, 0.0), "ReLU", 6.0, "max(0, t)"
    ),
    "elu": Activation(
        lambda t: np.where(t > 0, t, np.expm1(np.minimum(t, 0))),
        lambda t: np.where(t > 0, 1.0, np.exp(np.minimum(t, 0))),
        "ELU",
        6.0,
        "t above 0, exp(t) - 1 below (Clevert et al. 2016)",
    ),
    "gelu": Activation(
        lambda t: t * ndtr(t), _differentiate_gelu, "GELU", 6.0, "t Φ(t) (Hendrycks & Gimpel 2016)"
    ),
    "leaky_relu": Activation(
        lambda t: np.where(t > 0, t, LEAKY_SLOPE * t),
        lambda t: np.where(t > 0, 1.0, LEAKY_SLOPE),
        "LeakyReLU",
        6.0,
        "t above 0, 0.01 t below (Maas et al. 2013)",
    ),
    "selu": Activation(
        _compute_selu,
        _differentiate_selu,
        "SELU",
        6.0,
        "scaled elu, keeps variance (Klambauer et al. 2017)",
    ),
    "silu": Activation(
        lambda t: t * expit(t),
        _differentiate_silu,
        "SiLU",
        6.0,
        "t σ(t), swish (Elfwing et al. 2018)",
    ),
    "softplus": Activation(
        lambda t: np.logaddexp(0, t), expit, "Softplus", 6.0, "log(1 + exp(t)), a smooth relu"
    ),
    "heaviside": Activation(
        heaviside, _make_zeros, None, 6.0, "1 if t >= 0 else 0 (McCulloch & Pitts)"
    ),
    "sign": Activation(np.sign, _make_zeros, None, 6.0, "-1, 0 or 1"),
}

#: names that gradient descent can train
TRAINABLE = tuple(name for name, entry in ACTIVATIONS.items() if entry.torch_name)
#: further name -> its key in `ACTIVATIONS`
SYNONYMS = {"sigmoid": "logistic"}


def resolve_activation(name: str) -> str:
    """Return the key of `ACTIVATIONS` for a name, and any other name as it is."""
    return SYNONYMS.get(name, name)
