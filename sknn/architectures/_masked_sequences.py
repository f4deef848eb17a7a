"""Training of the filters of a network for sequences without labels: hidden letters."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sknn._validation import draw_seed
from sknn.architectures._sequence_cnn import SequenceCNN
from sknn.architectures.layers._noise import SeededNoise
from sknn.architectures.layers._windows import FIRST_ACTIVATIONS

Tensor = torch.Tensor

#: share of the positions that are hidden, as in BERT (Devlin et al. 2019, arXiv:1810.04805)
MASK_FRACTION = 0.15


class MaskedSequences(SeededNoise):
    """Predict the hidden positions of sequences from what filters find around them.

    Each filter adds a pattern of its own at every window, on both strands where there are two.

    Parameters
    ----------
    network : SequenceCNN
        Network whose filters are copied at first, and which stays as it is; see `copy_filters`.

    Shape
    -----
    - Input: ``(batch, length * n_channels)``
    - Output: as the input, with predictions in place of what is hidden, so that an error says
      nothing of positions that were seen
    """

    def __init__(self, network: SequenceCNN):
        super().__init__()
        self.length, self.n_channels = network.length, network.n_channels
        self.activation = network.options.first_activation
        self.bank = copy.deepcopy(network.bank)
        self.bank.position_bias = None
        self.patterns = nn.Parameter(torch.empty_like(self.bank.weight))
        self.levels = nn.Parameter(self.bank.weight.new_zeros(self.n_channels))

    @property
    def products_per_sample(self) -> int:
        """Multiplications that a sample takes."""
        n_windows = self.length - self.bank.weight.shape[1] + 1
        return 2 * n_windows * self.bank.n_strands * self.bank.weight.numel()

    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw patterns and the seed of what is hidden."""
        bound = np.sqrt(1 / self.patterns[:, :, 0].numel())
        drawn = random_state.uniform(-bound, bound, tuple(self.patterns.shape))
        with torch.no_grad():
            self.patterns.copy_(torch.from_numpy(drawn))
        self.set_seed(draw_seed(random_state))

    def forward(self, X: Tensor) -> Tensor:
        """Return X, with predictions of positions that are hidden in training."""
        if not self.training:
            return X
        X = X.reshape(len(X), self.length, self.n_channels)
        # Positions that are not hidden are returned as they are, so that their loss is 0 and the
        # loss is that of the hidden ones.
        is_hidden = self.draw_uniform(X.new_empty(len(X), self.length, 1)) < MASK_FRACTION
        return torch.where(is_hidden, self.predict(X * ~is_hidden), X).flatten(1)

    def predict(self, X: Tensor) -> Tensor:
        """Return what windows of X (batch, length, n_channels) say of all its positions."""
        # Each filter lays its pattern, times its value there, onto the positions of its window (a
        # transposed convolution): what it has seen around a hidden position says what stands in it.
        # So a filter has to know letters by the others of its motif.
        total: Tensor = self.levels
        for i in range(self.bank.n_strands):
            values = FIRST_ACTIVATIONS[self.activation](self.bank(X, i)).transpose(1, 2)
            patterns = self.patterns.flip(1, 2) if i else self.patterns
            added = functional.conv_transpose1d(values, patterns.transpose(1, 2))
            total = total + added.transpose(1, 2)
        return total

    @torch.no_grad()
    def copy_filters(self, network: SequenceCNN) -> None:
        """Let a network have the filters; biases stay, as they belong to the first epochs."""
        network.bank.weight.copy_(self.bank.weight)


@torch.no_grad()
def copy_first_filters(trained: SequenceCNN, network: SequenceCNN) -> None:
    """Copy filters and biases of the first layer to a network whose filters have the same shape."""
    network.bank.weight.copy_(trained.bank.weight)
    network.bank.bias.copy_(trained.bank.bias)
