"""Layers and first weights that several architectures share."""

import numpy as np
import torch
from torch import nn

from sknn.activations import ACTIVATIONS, TRAINABLE


def activation_module(name: str) -> nn.Module:
    """Return a new torch module for a name of the table of activations.

    Parameters
    ----------
    name : str
        Key of `sknn.activations.ACTIVATIONS`.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    ValueError
        If the name is unknown, or its derivative is 0 everywhere.
    """
    if name not in TRAINABLE:
        raise ValueError(f"activation must be one of {sorted(TRAINABLE)}; got {name!r}.")
    return getattr(nn, ACTIVATIONS[name].torch_name)()


class UnsetLinear(nn.Linear):
    """A linear layer that draws no weights when it is made.

    torch's draws them from its global generator, which fitting may not move.
    """

    def reset_parameters(self) -> None:
        """Leave the weights unset; see `init_uniform`."""


@torch.no_grad()
def init_uniform(layer: nn.Linear, factor: float, random_state: np.random.RandomState) -> None:
    """Draw first weights and biases as scikit-learn's MLP does, number for number.

    Uniform in ±sqrt(factor / (n_inputs + n_outputs)) [1]_.

    Parameters
    ----------
    layer : torch.nn.Linear
        Changed in place.
    factor : float
        See `sknn.activations.Activation`.
    random_state : numpy.random.RandomState
        Advanced by ``(n_inputs + 1) * n_outputs`` numbers.

    References
    ----------
    .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.
    """
    n_outputs, n_inputs = layer.weight.shape
    bound = np.sqrt(factor / (n_inputs + n_outputs))
    weight = random_state.uniform(-bound, bound, (n_inputs, n_outputs))
    bias = random_state.uniform(-bound, bound, n_outputs)
    layer.weight.copy_(torch.from_numpy(weight.T))
    layer.bias.copy_(torch.from_numpy(bias))
