"""Losses in the engine: formulas of the table on tensors, or a user-defined function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import torch

from sknn._saved import saved
from sknn.engine.losses._namespace import TORCH
from sknn.losses import LossFunction, MeasuredLoss, OutputActivation

Tensor = torch.Tensor


class Loss(Protocol):
    """Loss that a network is trained on.

    Attributes
    ----------
    name : str
        Name for messages.
    settings : mapping or None
        Settings of a loss with formulas; None of a user-defined function.
    write_gradient : callable or None
        ``write_gradient(z, y, out)``, see `TableLoss.write_gradient`. With it networks are trained
        without autograd; None where there is no formula.
    """

    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Any] | None: ...
    @property
    def write_gradient(self) -> Callable[[Tensor, Tensor, Tensor], Any] | None: ...

    def per_sample(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the loss per sample; a function that gives no such thing raises ValueError."""

    def inverse_link(self, output: Tensor) -> Tensor:
        """Return predictions of encoded targets, of the shape of `output`: the inverse link."""


@saved
def keep_raw(output: Tensor) -> Tensor:
    """Return the raw predictions as it is: an inverse link."""
    return output


@saved
def apply_softmax(output: Tensor) -> Tensor:
    """Return the probabilities of classes: an inverse link."""
    return output.softmax(dim=1)


@saved
def apply_sigmoid(output: Tensor) -> Tensor:
    """Return the probabilities of labels: an inverse link."""
    return output.sigmoid()


@saved
@dataclass(frozen=True)
class Predictions:
    """The inverse link of a loss of numbers.

    Attributes
    ----------
    activation : OutputActivation
        Function of the raw predictions, see there.
    settings : mapping
        Settings of the loss.
    """

    activation: OutputActivation
    settings: Mapping[str, Any]

    def __call__(self, output: Tensor) -> Tensor:
        """Return predictions of the shape of the raw ones, (n_samples, n_outputs)."""
        raw = output.t().unflatten(0, (-1, self.activation.n_raw(self.settings)))
        predicted = cast("Tensor", self.activation.predict(TORCH, raw, self.settings))
        return predicted.flatten(0, 1).t()


@saved
@dataclass(frozen=True)
class TableLoss:
    """A loss with formulas.

    Attributes
    ----------
    name : str
        Key of `sknn.engine.losses._table.LOSSES`, or the name of a user's own entry.
    function : LossFunction or MeasuredLoss
        Value and gradient.
    inverse_link : callable
        Inverse link.
    settings : mapping, default={}
        Settings in use.
    is_named : bool, default=True
        Whether `name` and `settings` are enough to make it again.
    """

    name: str
    function: LossFunction | MeasuredLoss
    inverse_link: Callable[[Tensor], Tensor]
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_named: bool = True

    @property
    def key(self) -> tuple:
        """Key that is equal for losses that compute the same."""
        return self.function, tuple(sorted(self.settings.items()))

    def value(self, z: Tensor, y: Tensor) -> Tensor:
        """Return the loss (..., n_samples) of z (..., n_outputs, n_samples) and targets y."""
        compute: Callable[..., object] = self.function.value
        return cast("Tensor", compute(TORCH, z, y, **self.settings))

    def write_gradient(self, z: Tensor, y: Tensor, out: Tensor) -> None:
        """Write the gradient of the summed losses with respect to z into `out`; see `value`."""
        write: Callable[..., object] = self.function.gradient
        write(TORCH, z, y, out, **self.settings)

    def per_sample(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the loss per sample, see `Loss`."""
        return self.value(*move_samples_last(output, target))


def move_samples_last(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits and encoded targets as `TableLoss.value` takes them.

    Output of shape (n_samples, n_outputs) or (n_samples, n_members, n_outputs) becomes
    (n_outputs, n_samples) or (n_members, n_outputs, n_samples), at least of float32; class
    numbers become one-hot.
    """
    z = output.t() if output.ndim == 2 else output.permute(1, 2, 0)
    if z.dtype.itemsize < 4:  # logits of bfloat16; what follows is sensitive
        z = z.float()
    if target.ndim > 1:
        return z, target.t()
    return z, z.new_zeros(z.shape[-2:]).scatter_(0, target[None], 1)


class MeanOfTable(torch.autograd.Function):
    """The weighted mean of a `TableLoss`, whose gradient is that of the table.

    So all ways to train follow the same formula, which keeps digits that a derivative of the
    value's steps would lose: of the log loss of a label 0 autograd makes 1 - sigmoid(-z).
    """

    @staticmethod
    def forward(ctx, output, target, weight, loss):
        """Return the mean over samples, and members if there are some; see `MeanLoss`."""
        z, y = move_samples_last(output, target)
        ctx.loss = loss
        ctx.save_for_backward(z, y, weight)
        return compute_weighted_mean(loss.value(z, y), weight)

    @staticmethod
    def backward(ctx, grad_output):
        """Return the gradient with respect to the output."""
        z, y, weight = ctx.saved_tensors
        gradient = torch.empty_like(z)
        ctx.loss.write_gradient(z, y, gradient)
        if weight is None:
            gradient.mul_(grad_output / z.shape[-1])
        else:
            # The mean is Σ w_i l_i / Σ w: dl/dz of each sample times w_i / Σ w, times what comes
            # from above.
            gradient.mul_(weight * (grad_output / weight.sum()))
        if z.ndim == 2:
            return gradient.t(), None, None, None
        return gradient.div_(len(z)).permute(2, 0, 1), None, None, None


def compute_weighted_mean(losses: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean of losses of shape (n_samples,) or (n_members, n_samples)."""
    losses = losses if losses.ndim == 1 else losses.mean(0)
    return losses.mean() if weight is None else losses.dot(weight) / weight.sum()


@saved
@dataclass(frozen=True)
class UserLoss:
    """A user's ``loss(output, target)``, whose result is checked and summed over outputs.

    Attributes
    ----------
    function : callable
        Function that returns the loss per sample, or per sample and output.
    inverse_link : callable, default=keep_raw
        Inverse link.
    """

    function: Callable[[Tensor, Tensor], Tensor]
    inverse_link: Callable[[Tensor], Tensor] = keep_raw
    settings = None
    write_gradient = None

    @property
    def name(self) -> str:
        """Name of the function, or of its class."""
        return getattr(self.function, "__name__", type(self.function).__name__)

    def per_sample(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the loss per sample; a function that gives no such thing raises ValueError."""
        loss = self.function(output, target)
        self._check(loss, output)
        return loss if loss.ndim == 1 else loss.sum(dim=1)

    def _check(self, loss: object, output: Tensor) -> None:
        n_samples = len(output)
        expected = f"the loss per sample: a tensor of shape ({n_samples},) or {tuple(output.shape)}"
        if not isinstance(loss, Tensor):
            raise ValueError(f"The loss must return {expected}; got {type(loss).__name__!r}.")
        if loss.shape not in ((n_samples,), (n_samples, 1), output.shape):
            raise ValueError(
                f"The loss must return {expected}; got shape {tuple(loss.shape)}. Leave out the "
                "mean over samples, which is taken here with the sample weights; torch's losses "
                "do with reduction='none'."
            )
        if output.requires_grad and not loss.requires_grad:
            raise ValueError(
                "The loss has no gradient. Compute it with differentiable operations of torch, "
                "without detach(), numpy() or no_grad()."
            )
