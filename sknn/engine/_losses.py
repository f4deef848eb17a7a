"""Losses: what the network's raw output costs, and the link that makes a prediction of it.

A new loss is one entry in `LOSSES`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

Tensor = torch.Tensor


@dataclass(frozen=True)
class Loss:
    """One loss.

    Attributes
    ----------
    per_row : callable
        ``per_row(output, target)``: from raw output of shape (n_rows, n_outputs) and encoded
        targets (see `sknn._specs.TargetSpec`) to costs of shape (n_rows,), summed over outputs.
    link : callable
        From raw output to a prediction on the scale of the targets.
    """

    per_row: Callable[[Tensor, Tensor], Tensor]
    link: Callable[[Tensor], Tensor]


def _log_loss(output: Tensor, target: Tensor) -> Tensor:
    # As if rows were the pixels of one image: over few classes many times faster than row by row.
    return functional.cross_entropy(output.t()[None], target[None], reduction="none")[0]


def _binary_log_loss(output: Tensor, target: Tensor) -> Tensor:
    cost = functional.binary_cross_entropy_with_logits(output, target, reduction="none")
    return cost.sum(dim=1)


def _squared_error(output: Tensor, target: Tensor) -> Tensor:
    return 0.5 * (output - target).square().sum(dim=1)


def _poisson(output: Tensor, target: Tensor) -> Tensor:
    # Half the deviance: y log(y / exp(z)) - y + exp(z), 0 for a perfect prediction.
    constant = torch.xlogy(target, target) - target
    return (output.exp() - target * output + constant).sum(dim=1)


def _identity(output: Tensor) -> Tensor:
    return output


def _softmax(output: Tensor) -> Tensor:
    return output.softmax(dim=1)


LOSSES: dict[str, Loss] = {
    "log_loss": Loss(_log_loss, _softmax),
    "binary_log_loss": Loss(_binary_log_loss, torch.sigmoid),
    "squared_error": Loss(_squared_error, _identity),
    "poisson": Loss(_poisson, torch.exp),
}


class MeanLoss(nn.Module):
    """The weighted mean over rows of an entry of `LOSSES`.

    Parameters
    ----------
    loss : str
        Key of `LOSSES`.

    Shape
    -----
    - output: ``(rows, outputs)``
    - target: ``(rows,)`` or ``(rows, outputs)``, see `sknn._specs.TargetSpec`
    - weight: ``(rows,)`` or None
    - returns a scalar
    """

    def __init__(self, loss: str):
        super().__init__()
        self.loss = loss

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the weighted mean cost of the rows."""
        rows = LOSSES[self.loss].per_row(output, target)
        return rows.mean() if weight is None else rows.dot(weight) / weight.sum()
