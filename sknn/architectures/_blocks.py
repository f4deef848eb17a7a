"""Layers that several architectures share, and torch's global generator kept out of the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import batch_norm

from sknn.activations import ACTIVATIONS, TRAINABLE

#: a unit is kept with a probability that is a multiple of one part in so many: 16 random bits
PARTS = 2**16
#: odd, near 2**32 divided by the golden ratio: multiples of it visit all seeds, far apart
WEYL = 0x9E3779B9


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


@contextmanager
def seeded_torch(random_state: np.random.RandomState) -> Iterator[None]:
    """Let torch's global generators run from a seed inside the block, and put them back after it.

    For code that draws from them because it has no other choice, as a user's module does.

    Parameters
    ----------
    random_state : numpy.random.RandomState
        Gives the seed; advanced by one number.
    """
    seed = int(random_state.randint(np.iinfo(np.int32).max))
    has_cuda = torch.cuda.is_initialized()  # if not, seeding would wait for it, and seed it later
    devices = list(range(torch.cuda.device_count())) if has_cuda else []
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if has_cuda:
            torch.cuda.manual_seed_all(seed)
        yield


class UnsetLinear(nn.Linear):
    """A linear layer that draws no weights when it is made.

    torch's draws them from its global generator, which fitting may not move.
    """

    def reset_parameters(self) -> None:
        """Leave the weights unset; see `sknn.architectures._initializers`."""


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
        Advanced by ``(n_inputs + 1) * n_outputs`` numbers, ``n_outputs`` fewer without biases.

    References
    ----------
    .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010.
    """
    n_outputs, n_inputs = layer.weight.shape
    bound = np.sqrt(factor / (n_inputs + n_outputs))
    weight = random_state.uniform(-bound, bound, (n_inputs, n_outputs))
    layer.weight.copy_(torch.from_numpy(weight.T))
    if layer.bias is not None:
        layer.bias.copy_(torch.from_numpy(random_state.uniform(-bound, bound, n_outputs)))


class Dropout(nn.Module):
    """Set units to 0 at random in training, and the others larger by as much [1]_.

    What is dropped depends on the seed and on how many batches there were, on nothing else:
    torch's global generator, which ``torch.nn.Dropout`` uses, is left alone. Seed and count are
    in the ``state_dict``, so that a network that was saved, copied or put back goes on as the
    other would have. Each kind of device draws numbers of its own.

    Parameters
    ----------
    rate : float
        Share of units to drop, in (0, 1); rounded to 1 / 65536.
    seed : int, default=0
        In [0, 2**32).

    Shape
    -----
    - Input: ``(batch, ...)``
    - Output: as the input

    References
    ----------
    .. [1] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: A
       simple way to prevent neural networks from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> import torch
    >>> from sknn.architectures._blocks import Dropout
    >>> dropout = Dropout(0.5, seed=1)
    >>> sorted(set(dropout(torch.ones(100, 10)).ravel().tolist()))
    [0.0, 2.0]
    >>> float(dropout.eval()(torch.ones(100, 10)).mean())
    1.0
    """

    def __init__(self, rate: float, seed: int = 0):
        super().__init__()
        self.rate = rate
        self.n_kept_parts = min(max(round((1 - rate) * PARTS), 1), PARTS - 1)
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Start anew from a seed in [0, 2**32)."""
        self.seed, self.n_batches = seed, 0

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return X with units dropped in training, and X itself in evaluation."""
        if not self.training:
            return X
        generator = torch.Generator(X.device)
        generator.manual_seed((self.seed + self.n_batches * WEYL) % 2**32)
        self.n_batches += 1
        keep = self.n_kept_parts / PARTS
        return X * self._kept(X, keep, generator).mul_(1 / keep)

    def _kept(self, X: torch.Tensor, keep: float, generator: torch.Generator) -> torch.Tensor:
        """Return 1 for the units to keep, 0 for the others."""
        if X.device.type != "cpu":
            return torch.empty_like(X).bernoulli_(keep, generator=generator)
        # 64 bits decide about four units: a third of the time that bernoulli_ takes.
        bits = torch.empty(-(-X.numel() // 4), dtype=torch.int64)
        bits.random_(-(2**63), None, generator=generator)
        numbers = bits.view(torch.int16)[: X.numel()].view(X.shape)
        return (numbers < self.n_kept_parts - PARTS // 2).to(X.dtype)

    def get_extra_state(self) -> torch.Tensor:
        """Return seed and count, for ``state_dict``."""
        return torch.tensor([self.seed, self.n_batches])

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Go on from what `get_extra_state` returned."""
        self.seed, self.n_batches = state.tolist()

    def extra_repr(self) -> str:
        """Return what stands between the brackets of the repr."""
        return f"rate={self.rate}"


class BatchNorm(nn.BatchNorm1d):
    """Batch normalization that bears a batch of one row.

    A single row has no spread to divide by, and torch raises an error. Where it comes in training,
    as the last batch of an epoch, it is normalised by the running statistics, as in evaluation,
    and they stay as they are.

    Parameters
    ----------
    num_features : int
        Units.
    **kwargs : object
        See ``torch.nn.BatchNorm1d``.

    Shape
    -----
    - Input: ``(batch, num_features)``
    - Output: as the input
    """

    def __init__(self, num_features: int, **kwargs: Any):
        super().__init__(num_features, **kwargs)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return each unit with mean 0 and variance 1 in the batch, scaled and shifted."""
        if not self.training or len(X) > 1:
            return super().forward(X)
        statistics = self.running_mean, self.running_var
        return batch_norm(X, *statistics, self.weight, self.bias, training=False, eps=self.eps)
