"""Layers that several architectures share, and torch's global generator kept out of the way."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import batch_norm

from sknn._saved import saved
from sknn._validation import draw_seed
from sknn.activations import ACTIVATIONS, TRAINABLE, resolve_activation
from sknn.architectures.layers._members import MemberLinear


class _GlobalGenerator:
    """A lock that a thread may take several times; free again in a forked child."""

    def __init__(self) -> None:
        self._make_lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._make_lock)

    def _make_lock(self) -> None:
        self._lock = RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


#: held by the thread that draws from torch's global generators
GLOBAL_GENERATOR = _GlobalGenerator()


def get_torch_name(name: str) -> str:
    """Return the class in torch of a name in `TRAINABLE`, or a synonym of one."""
    entry = ACTIVATIONS.get(resolve_activation(name))
    if entry is None or entry.torch_name is None:
        raise ValueError(f"activation must be one of {sorted(TRAINABLE)}; got {name!r}.")
    return entry.torch_name


def make_activation(name: str) -> nn.Module:
    """Return a new torch module for a name in `TRAINABLE`, or a synonym of one."""
    return getattr(nn, get_torch_name(name))()


@contextmanager
def seed_torch(random_state: np.random.RandomState) -> Iterator[None]:
    """Let torch's global generators run from a seed inside the block, and restore them after it."""
    # For a user's module, which draws from them. All threads share them, so that one is let in.
    seed = draw_seed(random_state)
    has_cuda = torch.cuda.is_initialized()  # if not, seeding would wait for it, and seed it later
    devices = list(range(torch.cuda.device_count())) if has_cuda else []
    with GLOBAL_GENERATOR, torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if has_cuda:
            torch.cuda.manual_seed_all(seed)
        yield


@saved
class UnsetLinear(nn.Linear):
    """A linear layer that draws no weights when it is made.

    torch's draws them from its global generator, which fitting may not move.
    """

    weight: nn.Parameter

    def reset_parameters(self) -> None:
        """Leave the weights unset; see `sknn.architectures.options._initializers`."""


def initialize_uniform(
    layer: nn.Linear | MemberLinear, factor: float, random_state: np.random.RandomState
) -> None:
    """Draw weights, then biases, as scikit-learn's MLP does, number for number.

    Uniform in ±sqrt(factor / (n_inputs + n_outputs)), see `sknn.activations.Activation`; those of
    several members one after the other.
    """
    # Uniform in ±b has variance b² / 3: with a factor of 6 that of X. Glorot and Y. Bengio,
    # "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010,
    # 2 / (n_inputs + n_outputs).
    if isinstance(layer, MemberLinear):
        _, n_inputs, n_outputs = layer.weight.shape
        bound = np.sqrt(factor / (n_inputs + n_outputs))
        for weight, bias in zip(layer.weight, layer.bias, strict=True):
            for part in (weight.detach(), bias.detach()):
                part.copy_(torch.from_numpy(random_state.uniform(-bound, bound, part.shape)))
        return
    n_outputs, n_inputs = layer.weight.shape
    bound = np.sqrt(factor / (n_inputs + n_outputs))
    weight = random_state.uniform(-bound, bound, (n_inputs, n_outputs))
    layer.weight.detach().copy_(torch.from_numpy(weight.T))
    if layer.bias is not None:
        bias = torch.from_numpy(random_state.uniform(-bound, bound, n_outputs))
        layer.bias.detach().copy_(bias)


@saved
class BatchNorm(nn.BatchNorm1d):
    """Batch normalization that bears a batch of one sample.

    A single sample has no spread to divide by, and torch raises an error. Where it comes in
    training, as the last batch of an epoch, it is normalised by the running statistics, as in
    evaluation, and they stay as they are.

    Parameters
    ----------
    num_features : int
        Units.
    **kwargs : object
        Arguments, see ``torch.nn.BatchNorm1d``.

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
        # One sample has no variance: a last mini-batch of one is normalized by the running
        # statistics.
        statistics = self.running_mean, self.running_var
        return batch_norm(X, *statistics, self.weight, self.bias, training=False, eps=self.eps)
