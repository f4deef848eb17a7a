"""A network for sequences whose input has channels before positions, as others take it."""

import torch
from torch import nn

from sknn.architectures._sequence_cnn import SequenceCNN


class ChannelsFirst(nn.Module):
    """A `SequenceCNN` that takes sequences as (n, n_channels, length), as tangermeme gives them.

    Parameters
    ----------
    network : SequenceCNN
        Shared, not copied.

    Shape
    -----
    - Input: ``(batch, n_channels, length)``
    - Output: ``(batch, n_outputs)``

    Examples
    --------
    >>> import numpy as np, torch
    >>> from sknn.architectures import ChannelsFirst, SequenceCNN
    >>> cnn = SequenceCNN(30, 4, 1)
    >>> cnn.initialize_weights(np.random.RandomState(0))
    >>> ChannelsFirst(cnn)(torch.zeros(2, 4, 30)).shape
    torch.Size([2, 1])
    """

    def __init__(self, network: SequenceCNN):
        super().__init__()
        self.network = network

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return the logits, or raw prediction, of shape (batch, n_outputs)."""
        expected = (self.network.n_channels, self.network.length)
        if X.shape[1:] != expected:
            raise ValueError(
                f"Expected sequences of shape (n, {expected[0]}, {expected[1]}), channels first; "
                f"got {tuple(X.shape)}."
            )
        return self.network(X.transpose(1, 2).to(self.network.bank.weight.dtype))
