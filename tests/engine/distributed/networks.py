"""Networks and losses that a process imports by their names."""

import multiprocessing
import os

import torch
import torch.distributed as dist
from torch import nn


class HasUnused(nn.Module):
    """A network with a parameter that no sample uses."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.hidden, self.output = nn.Linear(n_inputs, 6), nn.Linear(6, n_outputs)
        self.unused = nn.Parameter(torch.ones(3))

    def forward(self, X):
        return self.output(torch.tanh(self.hidden(X)))


class FailsOnSecond(HasUnused):
    """A network that fails in the second process, at its fifth mini-batch."""

    n_batches = 0

    def forward(self, X):
        self.n_batches += self.training
        if self.n_batches == 5 and dist.get_rank() == 1:
            self.fail()
        return super().forward(X)

    def fail(self):
        """Raise an error."""
        raise ValueError("no fifth batch")


class EndsSecond(FailsOnSecond):
    """A network that ends the second process, as a lack of memory would."""

    def fail(self):
        """End the process."""
        os._exit(3)


class FailsToLoad(HasUnused):
    """A network that another process cannot load."""

    def __setstate__(self, state):
        """Raise an error in a process that was started."""
        if multiprocessing.parent_process() is not None:
            raise ImportError("no such module here")
        super().__setstate__(state)


class WithDropout(HasUnused):
    """A network with torch's own dropout."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__(n_inputs, n_outputs)
        self.dropout = nn.Dropout(0.5)


class Centered(HasUnused):
    """A network that takes means over the samples of a mini-batch."""

    def forward(self, X):
        return super().forward(X - X.mean(0))


class Draws(HasUnused):
    """A network that draws from torch's generator in a function, not a layer."""

    def forward(self, X):
        return super().forward(nn.functional.dropout(X, training=self.training))


class Counts(HasUnused):
    """A network with a buffer that follows the mini-batches, and is used in evaluation."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__(n_inputs, n_outputs)
        self.register_buffer("mean", torch.zeros(n_inputs))

    def forward(self, X):
        if self.training:
            self.mean.lerp_(X.mean(0).to(self.mean), 0.1)
        return super().forward(X)


def squared(output, target):
    """Return the squared error, summed over outputs."""
    return (output - target).square().sum(dim=1)
