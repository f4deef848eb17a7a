"""What a loss is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Loss:
    """One loss, with its settings.

    Attributes
    ----------
    name : str
        For messages.
    per_row : callable
        ``per_row(output, target)``: from raw output of shape (n_rows, n_outputs) and encoded
        targets (see `sknn._specs.TargetSpec`) to costs of shape (n_rows,), summed over outputs.
    link : callable
        From raw output to a prediction on the scale of the targets, of the same shape.
    gradient_into : callable or None, default=None
        ``gradient_into(z, y, out)`` writes the gradient of the summed costs by the raw output z
        into `out`, both of shape (n_outputs, n_rows); y are the targets with rows last, class
        numbers one-hot. With it networks are trained without autograd; None where there is no
        formula.
    settings : mapping or None, default=None
        Arguments that make this loss from the table of losses; None where it is not from there.
    """

    name: str
    per_row: Callable[[Tensor, Tensor], Tensor]
    link: Callable[[Tensor], Tensor]
    gradient_into: Callable[[Tensor, Tensor, Tensor], Any] | None = None
    settings: Mapping[str, Any] | None = None


def identity(output: Tensor) -> Tensor:
    """Return the raw output as it is: a link."""
    return output


def softmax(output: Tensor) -> Tensor:
    """Return the probabilities of classes: a link."""
    return output.softmax(dim=1)


def logistic(output: Tensor) -> Tensor:
    """Return the probabilities of labels: a link."""
    return output.sigmoid()
