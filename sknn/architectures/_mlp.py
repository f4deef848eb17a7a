"""The multilayer perceptron."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn.functional import linear

from sknn._specs import InputSpec, LayerSpec, TargetSpec
from sknn.activations import ACTIVATIONS
from sknn.architectures._blocks import UnsetLinear, activation_module, init_uniform


class MLP(nn.Module):
    """Linear layers with an activation between them; the output is raw, without a link.

    Parameters
    ----------
    layer_sizes : sequence of int
        Widths from the inputs to the outputs, two at least.
    activation : str, default='relu'
        Key of `sknn.activations.ACTIVATIONS` that can be trained.
    dtype : torch.dtype, default=torch.float32
        Of weights and computation.

    Shape
    -----
    - Input: ``(batch, layer_sizes[0])``
    - Output: ``(batch, layer_sizes[-1])``

    Examples
    --------
    >>> import torch
    >>> from sknn.architectures import MLP
    >>> mlp = MLP([784, 300, 100, 10])
    >>> mlp(torch.zeros(32, 784)).shape
    torch.Size([32, 10])
    >>> [layer.n_parameters for layer in mlp.describe()]
    [235500, 30100, 1010]
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        activation: str = "relu",
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        self.layer_sizes = tuple(layer_sizes)
        self.activation = activation
        self.linears = nn.ModuleList(
            UnsetLinear(n_inputs, n_outputs, dtype=dtype)
            for n_inputs, n_outputs in pairwise(layer_sizes)
        )
        self.hidden_activation = activation_module(activation)

    @classmethod
    def from_specs(
        cls, inputs: InputSpec, target: TargetSpec, hidden: Sequence[int], activation: str
    ) -> "MLP":
        """Build the network that leads from an encoded X to an encoded y.

        Parameters
        ----------
        inputs : InputSpec
            Gives the width of the input and the dtype.
        target : TargetSpec
            Gives the width of the output.
        hidden : sequence of int
            Widths of the hidden layers.
        activation : str
            Of the hidden layers.

        Returns
        -------
        MLP
            With unset weights; see `init_weights`.
        """
        sizes = (inputs.n_numeric, *hidden, target.n_outputs)
        return cls(sizes, activation, getattr(torch, inputs.dtype))

    def init_weights(self, random_state: np.random.RandomState) -> None:
        """Draw all weights and biases anew, from the first layer to the last."""
        for layer in self.linears:
            init_uniform(layer, ACTIVATIONS[self.activation].init_factor, random_state)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the raw outputs, of shape (batch, n_outputs)."""
        first = self.linears[0]
        return self.after_first(linear(X, first.weight, first.bias))

    def after_first(self, z: torch.Tensor) -> torch.Tensor:
        """Return the raw outputs for the first layer's values before its activation."""
        for layer in self.linears[1:]:
            z = linear(self.hidden_activation(z), layer.weight, layer.bias)
        return z

    def penalized(self) -> list[nn.Parameter]:
        """Return the parameters under the L2 penalty: the weights, not the biases."""
        return [layer.weight for layer in self.linears]

    def describe(self) -> list[LayerSpec]:
        """Return one `LayerSpec` for each linear layer."""
        last = len(self.linears) - 1
        return [
            LayerSpec(
                name=f"linears.{i}",
                kind="Linear",
                n_inputs=layer.in_features,
                n_outputs=layer.out_features,
                activation="identity" if i == last else self.activation,
                n_parameters=layer.weight.numel() + layer.bias.numel(),
            )
            for i, layer in enumerate(self.linears)
        ]
