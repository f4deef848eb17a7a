"""Losses for a target, by name or as a user gives them, and the mean over samples."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import torch
from torch import nn

from sknn._specs import TargetSpec
from sknn.engine.losses._loss import (
    Loss,
    MeanOfTable,
    Predictions,
    TableLoss,
    UserLoss,
    apply_sigmoid,
    apply_softmax,
    compute_weighted_mean,
    keep_raw,
)
from sknn.losses import (
    CLASS_LOSSES,
    RECONSTRUCTION,
    VALUE_LOSSES,
    ClassLoss,
    LossFunction,
    MeasuredLoss,
    ValueLoss,
)
from sknn.losses import find_class_loss as _find_class_loss
from sknn.losses import find_value_loss as _find_value_loss

Tensor = torch.Tensor

#: name of the loss of labels, as 'log_loss' is that of classes
OF_LABELS = "binary_{}"


def _make_value_loss(entry: ValueLoss, **settings: Any) -> TableLoss:
    settings = {**_get_defaults(entry), **settings}
    function = cast("LossFunction", entry.function)
    inverse_link = Predictions(entry.output, settings)
    return TableLoss(entry.name, function, inverse_link, settings, _is_known(entry))


def _make_class_loss(entry: ClassLoss, *, per_label: bool, **settings: Any) -> TableLoss:
    settings = {**_get_defaults(entry), **settings}
    function = cast("LossFunction", entry.per_label if per_label else entry.per_class)
    name = OF_LABELS.format(entry.name) if per_label else entry.name
    inverse_link = INVERSE_LINKS[entry.out_activation(not per_label)]
    return TableLoss(name, function, inverse_link, settings, _is_known(entry))


def _get_defaults(entry: ValueLoss | ClassLoss) -> dict[str, Any]:
    return {name: setting.default for name, setting in entry.settings.items()}


def _is_known(entry: ValueLoss | ClassLoss) -> bool:
    known = VALUE_LOSSES.get(entry.name), CLASS_LOSSES.get(entry.name), RECONSTRUCTION
    return entry in known


#: out_activation_ of classes -> inverse link
INVERSE_LINKS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": keep_raw,
    "softmax": apply_softmax,
    "logistic": apply_sigmoid,
}

#: name -> function of the settings that returns the loss; with a logit per class, or per label
LOSSES: dict[str, Callable[..., TableLoss]] = {
    **{
        name: partial(_make_class_loss, entry, per_label=False)
        for name, entry in CLASS_LOSSES.items()
    },
    **{
        OF_LABELS.format(name): partial(_make_class_loss, entry, per_label=True)
        for name, entry in CLASS_LOSSES.items()
    },
    **{name: partial(_make_value_loss, entry) for name, entry in VALUE_LOSSES.items()},
    RECONSTRUCTION.name: partial(_make_value_loss, RECONSTRUCTION),
}


def make_loss(loss: str | Loss | Callable) -> Loss:
    """Return a loss for a key of `LOSSES`, with its default settings, or a user-defined function.

    A loss is returned as it is.
    """
    if isinstance(loss, TableLoss | UserLoss):
        return loss
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]()
    if isinstance(loss, str) or not callable(loss):
        raise ValueError(
            f"loss must be one of {sorted(LOSSES)}, or a function loss(output, target) of "
            f"tensors; got {loss!r}."
        )
    return UserLoss(loss)


def make_known_loss(name: str, settings: Mapping[str, Any]) -> TableLoss:
    """Return the loss of a key of `LOSSES` with these settings."""
    return LOSSES[name](**settings)


def choose_loss(target: TargetSpec) -> Loss:
    """Return the loss that a target, whose settings are complete and checked, asks for."""
    loss = _choose_complete_loss(target)
    if not target.has_missing or not isinstance(loss, TableLoss):
        return loss
    n_raw = 1
    if target.kind == "values":
        n_raw = _find_value_loss(target.loss).output.n_raw(loss.settings)
    return replace(
        loss,
        name=f"{loss.name} of measured values",
        function=MeasuredLoss(cast("LossFunction", loss.function), n_raw),
        is_named=False,
    )


def _choose_complete_loss(target: TargetSpec) -> Loss:
    if target.kind == "values":
        of_values = _find_value_loss(target.loss)
        if of_values.function is None:
            return UserLoss(target.loss)
        return _make_value_loss(of_values, **target.loss_params)
    several = target.kind == "multiclass"
    of_classes = _find_class_loss(target.loss)
    if of_classes.per_class is None:
        return UserLoss(target.loss, INVERSE_LINKS[of_classes.out_activation(several)])
    return _make_class_loss(of_classes, per_label=not several, **target.loss_params)


def has_formulas(target: TargetSpec) -> bool:
    """Return whether the gradient of the loss that a target asks for is written out."""
    return choose_loss(target).write_gradient is not None


class MeanLoss(nn.Module):
    """The weighted mean over samples of a loss.

    Parameters
    ----------
    loss : str, Loss or callable
        Loss, see `make_loss`.

    Shape
    -----
    - output: ``(samples, outputs)``, or ``(samples, members, outputs)`` of an ensemble whose
      members learn together and whose losses are averaged
    - target: ``(samples,)`` or ``(samples, columns)``, see `sknn._specs.TargetSpec`
    - weight: ``(samples,)`` or None
    - returns a scalar
    """

    def __init__(self, loss: str | Loss | Callable):
        super().__init__()
        self.loss = make_loss(loss)

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the weighted mean of the loss."""
        if isinstance(self.loss, TableLoss):
            return MeanOfTable.apply(output, target, weight, self.loss)
        if output.ndim == 2:
            return compute_weighted_mean(self.loss.per_sample(output, target), weight)
        # Of several members, (n_samples, n_members, n_outputs): each output of a sample has its
        # target, and the mean over members is that of their losses, not the loss of a mean.
        n_samples, n_members, _ = output.shape
        target = target.repeat_interleave(n_members, dim=0)
        losses = self.loss.per_sample(output.flatten(0, 1), target)
        return compute_weighted_mean(losses.view(n_samples, n_members).t(), weight)
