"""Shares of a mini-batch: the samples of a process, and their dropout masks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

from sknn.architectures import Dropout, draw_into

Item = TypeVar("Item")


def divide(n_samples: int, rank: int, size: int) -> slice:
    """Return the samples of a process; sizes of shares differ by at most one, and may be 0."""
    return slice(n_samples * rank // size, n_samples * (rank + 1) // size)


class SharedMasks:
    """Dropout masks of whole mini-batches, of which layers get the part of one process.

    All processes together drop the units that one process would drop.

    Parameters
    ----------
    module : torch.nn.Module
        Module whose dropout layers take their masks from here, inside `use`.
    """

    def __init__(self, module: nn.Module):
        self.layers = [part for part in module.modules() if isinstance(part, Dropout)]

    @contextmanager
    def use(self, n_samples: int, share: slice) -> Iterator[None]:
        """Return a context in which layers get masks for a share of `n_samples` samples."""
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
        # All processes have the same seed and count: they draw the same mask of the whole batch,
        # and take their samples of it.
        mask = draw_into(X.new_empty(shape), layer.state, layer.n_parts)
        return mask.narrow(axis, self.share.start, self.share.stop - self.share.start)
