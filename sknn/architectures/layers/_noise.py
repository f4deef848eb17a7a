"""Layers that add noise while a network trains, drawn from seeds of their own."""

from collections.abc import Sequence

import torch
from torch import nn

from sknn._saved import saved
from sknn.architectures.layers._dropout import WEYL


def draw_numbers(like: torch.Tensor, state: torch.Tensor, is_normal: bool) -> torch.Tensor:
    """Return standard normal numbers, or uniform ones in [0, 1), of the shape of a tensor.

    `state` holds the seed and the number of batches before, which is counted up, on the CPU.
    """
    seed, n_batches = state.tolist()
    state[1] += 1
    generator = torch.Generator(like.device)
    generator.manual_seed((seed + n_batches * WEYL) % 2**32)
    drawn = torch.empty_like(like)
    return drawn.normal_(generator=generator) if is_normal else drawn.uniform_(generator=generator)


# For torch.compile, as `sknn.architectures.layers._dropout.draw_compiled_mask`.
draw_compiled_numbers = torch.library.custom_op(
    "sknn::draw_numbers", draw_numbers, mutates_args=("state",)
)
draw_compiled_numbers.register_fake(lambda like, state, is_normal: torch.empty_like(like))


class SeededNoise(nn.Module):
    """A layer whose draws depend on a seed and on how many batches there were alone.

    Seed and count are in the ``state_dict``, as those of
    `sknn.architectures.layers._dropout.Dropout`.
    """

    def set_seed(self, seed: int) -> None:
        """Start anew from a seed in [0, 2**32)."""
        self.state = torch.tensor([seed, 0])  # no buffer, as it stays on the CPU

    def draw_normal(self, like: torch.Tensor) -> torch.Tensor:
        """Return standard normal numbers for the next batch, see `draw_numbers`."""
        return self._draw(like, is_normal=True)

    def draw_uniform(self, like: torch.Tensor) -> torch.Tensor:
        """Return uniform numbers in [0, 1) for the next batch, see `draw_numbers`."""
        return self._draw(like, is_normal=False)

    def _draw(self, like: torch.Tensor, *, is_normal: bool) -> torch.Tensor:
        draw = draw_compiled_numbers if torch.compiler.is_compiling() else draw_numbers
        return draw(like, self.state, is_normal)

    def get_extra_state(self) -> torch.Tensor:
        """Return seed and count, for ``state_dict``."""
        return self.state

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Go on from what `get_extra_state` returned."""
        self.state = state.to("cpu", copy=True)


@saved
class Corruption(SeededNoise):
    """Add noise to numbers, and hide features, at random in training [1]_.

    Parameters
    ----------
    noise : float
        Standard deviation of the normal noise on numbers, 0 for none.
    hidden : float
        Probability that a feature is hidden, in [0, 1): all of its columns become 0.
    is_noisy : sequence of bool of shape (n_columns,)
        Columns that noise is added to.
    features : sequence of int of shape (n_columns,)
        Number of the feature that a column belongs to, which is hidden as a whole; -1 for columns
        that are never hidden.

    Shape
    -----
    - Input: ``(batch, n_columns)``
    - Output: as the input

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and composing robust
       features with denoising autoencoders", ICML 2008, doi:10.1145/1390156.1390294.

    Examples
    --------
    >>> import torch
    >>> from sknn.architectures.layers._noise import Corruption
    >>> hide = Corruption(0.0, 0.5, [False] * 3, [0, 0, 1])
    >>> hide(torch.ones(2, 3)).unique().tolist()
    [0.0, 1.0]
    >>> hide.eval()(torch.ones(1, 3)).tolist()
    [[1.0, 1.0, 1.0]]
    """

    is_noisy: torch.Tensor
    features: torch.Tensor
    is_kept: torch.Tensor

    def __init__(
        self, noise: float, hidden: float, is_noisy: Sequence[bool], features: Sequence[int]
    ):
        super().__init__()
        self.noise, self.hidden = noise, hidden
        places = torch.tensor(features, dtype=torch.long)
        self.register_buffer("is_noisy", torch.tensor(is_noisy, dtype=torch.bool), persistent=False)
        self.register_buffer("features", places.clamp(min=0), persistent=False)
        self.register_buffer("is_kept", places < 0, persistent=False)
        self.n_features = int(places.max()) + 1 if len(places) else 0
        self.set_seed(0)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return X with noise and hidden features in training, and X itself in evaluation."""
        return self.corrupt(X) if self.training else X

    def corrupt(self, X: torch.Tensor) -> torch.Tensor:
        """Return X with the noise and the hidden features of the next batch."""
        if self.noise:
            X = X + self.draw_normal(X) * self.noise * self.is_noisy
        if self.hidden and self.n_features:
            # One draw a feature: all columns of a category, and its numbers, are hidden together,
            # or the others would tell what the hidden one was. Hidden is 0, the mean of scaled
            # numbers.
            shares = self.draw_uniform(X.new_empty(len(X), self.n_features))
            X = X * ((shares >= self.hidden)[:, self.features] | self.is_kept)
        return X

    def extra_repr(self) -> str:
        """Return what stands between the brackets of the repr."""
        return f"noise={self.noise}, hidden={self.hidden}"


@saved
class NormalDraw(SeededNoise):
    """Draw from a normal distribution in training, and return its mean in evaluation.

    Shape
    -----
    - mean, log_variance: ``(batch, n_components)``
    - Output: as these

    Examples
    --------
    >>> import torch
    >>> from sknn.architectures.layers._noise import NormalDraw
    >>> NormalDraw().eval()(torch.ones(1, 2), torch.zeros(1, 2))
    tensor([[1., 1.]])
    """

    def __init__(self) -> None:
        super().__init__()
        self.set_seed(0)

    def forward(self, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
        """Return a draw for each mean."""
        if not self.training:
            return mean
        # m + exp(log v / 2) e with e standard normal has the distribution N(m, v), and a gradient
        # by m and v, which a drawn number has not (reparametrization).
        return mean + self.draw_normal(mean) * torch.exp(0.5 * log_variance)
