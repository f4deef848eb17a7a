"""A linear layer whose weights are those of another one, transposed."""

import torch
from torch import nn

from sknn._saved import saved


@saved
class TiedLinear(nn.Module):
    """A linear layer with the transposed weights of another layer, and biases of its own.

    Parameters
    ----------
    partner : torch.nn.Linear
        Layer that owns the weights; it has to be in the same network.

    Attributes
    ----------
    weight : Tensor of shape (out_features, in_features)
        The transposed weights of the other layer.
    bias : torch.nn.Parameter of shape (out_features,)
        Biases.

    Shape
    -----
    - Input: ``(batch, in_features)``, the width that comes out of the other layer
    - Output: ``(batch, out_features)``
    """

    def __init__(self, partner: nn.Linear):
        super().__init__()
        self._partner = (partner,)  # in a tuple, so that its parameters are not listed twice
        self.bias = nn.Parameter(torch.zeros(partner.in_features, dtype=partner.weight.dtype))

    @property
    def weight(self) -> torch.Tensor:
        """The transposed weights of the other layer."""
        return self._partner[0].weight.t()

    @property
    def in_features(self) -> int:
        """Width of the input."""
        return self._partner[0].out_features

    @property
    def out_features(self) -> int:
        """Width of the output."""
        return self._partner[0].in_features

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return ``X W + bias``, with the weights W of the other layer."""
        return nn.functional.linear(X, self.weight, self.bias)
