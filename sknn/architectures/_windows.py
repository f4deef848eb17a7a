"""Filters that slide along sequences: the first layer of `SequenceCNN`, and what it sees."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

Tensor = torch.Tensor


def windows(X: Tensor, kernel_size: int) -> Tensor:
    """Return all windows of sequences, as a view.

    Shape
    -----
    - X: ``(batch, length, channels)``
    - returns ``(batch, length - kernel_size + 1, kernel_size, channels)``
    """
    return X.unfold(1, kernel_size, 1).transpose(2, 3)


def valid_windows(X: Tensor, kernel_size: int) -> Tensor | None:
    """Tell which windows see no padding; None if there is no padding.

    Padding is the run of positions with zeros alone at an end of a sequence. Of a sequence
    shorter than the kernel those windows are valid that see all of it, and of one with nothing
    but zeros all are.

    Shape
    -----
    - X: ``(batch, length, channels)``
    - returns ``(batch, length - kernel_size + 1)``, of bool
    """
    ends = X[:, :: X.shape[1] - 1] if X.shape[1] > 1 else X
    if not X.is_cuda and bool((ends != 0).any(dim=2).all()):  # the usual case, told cheaply
        return None
    real = (X != 0).any(dim=2)
    seen = (real.cumsum(1) > 0) & (real.flip(1).cumsum(1).flip(1) > 0)  # with gaps inside
    seen = seen.to(X.dtype)
    inside = functional.avg_pool1d(seen[:, None], kernel_size, 1)[:, 0] * kernel_size
    most = seen.sum(1, keepdim=True).clamp(max=kernel_size)
    return inside > most - 0.5


class BestWindow(torch.autograd.Function):
    """The largest product of each filter with any window of a sequence.

    Its gradient needs the one best window of each filter and sequence, and so does not pass
    over all windows again: forward and back take about half the time of ``torch.conv1d`` and
    ``amax``. There is no gradient for X.
    """

    @staticmethod
    def forward(ctx: Any, X: Tensor, filters: Tensor, valid: Tensor | None) -> Tensor:
        """Return the largest products.

        Shape
        -----
        - X: ``(batch, length, channels)``
        - filters: ``(n_filters, kernel_size, channels)``
        - valid: ``(batch, length - kernel_size + 1)`` of bool, or None
        - returns ``(batch, n_filters)``
        """
        n_filters, kernel_size, n_channels = filters.shape
        seen = windows(X, kernel_size).reshape(-1, kernel_size * n_channels)
        products = torch.mm(seen, filters.reshape(n_filters, -1).t()).view(len(X), -1, n_filters)
        if valid is not None:
            products.masked_fill_(~valid[:, :, None], -torch.inf)
        best = products.amax(1)
        ctx.save_for_backward(seen, products, best, filters)
        return best

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, None]:
        """Return the gradient of the filters."""
        seen, products, best, filters = ctx.saved_tensors
        n_rows, n_windows, n_filters = products.shape
        # argmax takes four times as long as comparing with the maximum once more.
        numbers = torch.arange(n_windows, dtype=torch.float32, device=seen.device)[:, None]
        place = ((products == best[:, None]) * numbers).amax(1).long()
        rows = place + n_windows * torch.arange(n_rows, device=seen.device)[:, None]
        chosen = seen[rows.reshape(-1)].view(n_rows, n_filters, -1)
        return None, torch.einsum("nf,nfk->fk", gradient, chosen).view_as(filters), None


class FilterBank(nn.Module):
    """Filters and biases of the first layer; the weights are unset.

    Parameters
    ----------
    n_filters, kernel_size, n_channels : int
        Filters, positions that a filter covers, and numbers at a position.
    dtype : torch.dtype
        Of the weights.

    Shape
    -----
    - Input: ``(batch, length, n_channels)``
    - Output: ``(batch, length - kernel_size + 1, n_filters)``
    """

    def __init__(self, n_filters: int, kernel_size: int, n_channels: int, dtype: torch.dtype):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_filters, kernel_size, n_channels, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(n_filters, dtype=dtype))

    def forward(self, X: Tensor) -> Tensor:
        """Return the product of each window with each filter, plus the bias."""
        n_filters, kernel_size, _ = self.weight.shape
        seen = windows(X, kernel_size).flatten(2)
        return functional.linear(seen, self.weight.view(n_filters, -1), self.bias)

    def best(self, X: Tensor, valid: Tensor | None, both_strands: bool) -> Tensor:
        """Return each filter's largest value along each sequence, of shape (batch, n_filters).

        The other strand's windows are the same ones read backwards with the complement's
        channels, so that the filters are turned in place of the sequences.
        """
        filters = self.weight
        if both_strands:
            filters = torch.cat([filters, filters.flip(1, 2)])
        best = BestWindow.apply(X, filters, valid)
        if both_strands:
            best = torch.maximum(*best.chunk(2, dim=1))
        return best + self.bias
