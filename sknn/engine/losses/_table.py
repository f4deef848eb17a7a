"""Losses: what the network's raw output costs, and the link that makes a prediction of it.

A new loss is one entry in `LOSSES`, and one in ``sknn.preprocessing``'s tables, which say what
it needs of y.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from sknn._specs import TargetSpec
from sknn.engine.losses import _classification as classification
from sknn.engine.losses import _regression as regression
from sknn.engine.losses._loss import Loss, identity, logistic, softmax

Tensor = torch.Tensor

#: name -> function of the settings in ``loss_params`` that returns the loss
LOSSES: dict[str, Callable[..., Loss]] = {
    "log_loss": classification.log_loss,
    "binary_log_loss": classification.binary_log_loss,
    "focal": classification.focal,
    "binary_focal": classification.binary_focal,
    "hinge": classification.hinge,
    "binary_hinge": classification.binary_hinge,
    "squared_error": regression.squared_error,
    "absolute_error": regression.absolute_error,
    "huber": regression.huber,
    "poisson": regression.poisson,
    "gamma": regression.gamma,
    "quantile": regression.quantile,
    "gaussian_nll": regression.gaussian_nll,
}


@dataclass(frozen=True)
class CostOfUser:
    """A user's ``loss(output, target)``, whose result is checked and summed over outputs.

    Attributes
    ----------
    function : callable
        Returns a cost for each row, or for each row and output.
    """

    function: Callable[[Tensor, Tensor], Tensor]

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """Return costs of shape (n_rows,).

        Raises
        ------
        ValueError
            If the function returns something else.
        """
        cost = self.function(output, target)
        self._check(cost, output)
        return cost if cost.ndim == 1 else cost.sum(dim=1)

    def _check(self, cost: Any, output: Tensor) -> None:
        n_rows = len(output)
        expected = f"a cost for each row: a tensor of shape ({n_rows},) or {tuple(output.shape)}"
        if not isinstance(cost, Tensor):
            raise ValueError(f"The loss must return {expected}; got {type(cost).__name__!r}.")
        if cost.shape not in ((n_rows,), (n_rows, 1), output.shape):
            raise ValueError(
                f"The loss must return {expected}; got shape {tuple(cost.shape)}. Leave out the "
                "mean over rows, which is taken here with the sample weights; torch's losses do "
                "with reduction='none'."
            )
        if output.requires_grad and not cost.requires_grad:
            raise ValueError(
                "The loss has no gradient. Compute it with differentiable operations of torch, "
                "without detach(), numpy() or no_grad()."
            )


def as_loss(loss: Any, link: Callable[[Tensor], Tensor] = identity) -> Loss:
    """Return a loss for a name or a function.

    Parameters
    ----------
    loss : str, Loss or callable
        A key of `LOSSES`, with its default settings; a loss, returned as it is; or
        ``loss(output, target)`` of tensors that returns a cost for each row.
    link : callable, default=identity
        Of a function.

    Returns
    -------
    Loss

    Raises
    ------
    ValueError
        If it is none of them.
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str) and loss in LOSSES:
        return known_loss(loss, {})
    if isinstance(loss, str) or not callable(loss):
        raise ValueError(
            f"loss must be one of {sorted(LOSSES)}, or a function loss(output, target) of "
            f"tensors; got {loss!r}."
        )
    name = getattr(loss, "__name__", type(loss).__name__)
    return Loss(name, CostOfUser(loss), link)


def known_loss(name: str, settings: Mapping[str, Any]) -> Loss:
    """Return a loss of the table, which remembers its settings.

    Parameters
    ----------
    name : str
        Key of `LOSSES`.
    settings : mapping
        Arguments of its function.

    Returns
    -------
    Loss
    """
    return replace(LOSSES[name](**settings), settings=dict(settings))


def loss_for(target: TargetSpec) -> Loss:
    """Return the loss that a target asks for.

    Parameters
    ----------
    target : TargetSpec
        Its `loss_params` are complete and checked, see ``sknn.preprocessing``.

    Returns
    -------
    Loss
    """
    if isinstance(target.loss, str) and target.loss in LOSSES:
        return known_loss(target.loss, target.loss_params)
    links = {"values": identity, "multiclass": softmax}
    return as_loss(target.loss, links.get(target.kind, logistic))


class MeanLoss(nn.Module):
    """The weighted mean over rows of a loss.

    Parameters
    ----------
    loss : str or Loss
        See `as_loss`.

    Shape
    -----
    - output: ``(rows, outputs)``, or ``(rows, members, outputs)`` of several networks that learn
      side by side, whose costs are averaged
    - target: ``(rows,)`` or ``(rows, columns)``, see `sknn._specs.TargetSpec`
    - weight: ``(rows,)`` or None
    - returns a scalar
    """

    def __init__(self, loss: str | Loss):
        super().__init__()
        self.loss = as_loss(loss)

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the weighted mean cost of the rows."""
        rows = self._per_row(output, target)
        return rows.mean() if weight is None else rows.dot(weight) / weight.sum()

    def _per_row(self, output: Tensor, target: Tensor) -> Tensor:
        if output.ndim == 2:
            return self.loss.per_row(output, target)
        n_rows, n_members, _ = output.shape
        target = target.repeat_interleave(n_members, dim=0)
        return self.loss.per_row(output.flatten(0, 1), target).view(n_rows, n_members).mean(1)
