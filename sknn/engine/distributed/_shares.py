"""The share of a mini-batch that falls to a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

from sknn.architectures import Dropout, draw_into

Item = TypeVar("Item")


def divide(n_samples: int, rank: int, size: int) -> slice:
    """Return the samples of a process; shares differ by one sample at most, and may be empty."""
    return slice(n_samples * rank // size, n_samples * (rank + 1) // size)


class SharedMasks:
    """Dropout masks of whole mini-batches, of which the layers get the samples of one process.

    So units are dropped as one process would drop them.

    Parameters
    ----------
    module : torch.nn.Module
        Whose layers take their masks from here, inside `use`.
    """

    def __init__(self, module: nn.Module):
        self.layers = [part for part in module.modules() if isinstance(part, Dropout)]

    @contextmanager
    def use(self, n_samples: int, share: slice) -> Iterator[None]:
        """Let layers drop what falls to a share of a mini-batch of `n_samples`."""
        self.n_samples, self.share = n_samples, share
        for layer in self.layers:
            layer.masks = self
        try:
            yield
        finally:
            for layer in self.layers:
                del layer.masks

    def take(self, layer: Dropout, X: torch.Tensor) -> torch.Tensor:
        """Return the mask for X, which has the samples of the share on an axis of the layer."""
        axis, shape = layer.sample_axis, list(X.shape)
        shape[axis] = self.n_samples
        # All processes have one seed and count, draw the mask of the whole batch, and take their
        # samples of it: a draw of their own would not be what one process drops.
        mask = draw_into(X.new_empty(shape), layer.state, layer.n_parts)
        return mask.narrow(axis, self.share.start, self.share.stop - self.share.start)
