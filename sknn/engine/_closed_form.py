"""Training steps of a plain MLP written out by hand: no autograd, no allocation per step.

The same mathematics as the autograd path, which tests hold equal to it. With a_0 = X, hidden
layers a_i = f(a_{i-1} W_i^T + b_i), raw output z and a loss whose link is canonical,

    d_L = share * (link(z) - y),    d_{i-1} = (d_i W_i) * f'(a_{i-1}),
    dW_i = d_i^T a_{i-1} + alpha / total * W_i,    db_i = sum of the rows of d_i,

where share is a row's weight over the total weight of the batch.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from sknn.activations import LEAKY_SLOPE, SELU_ALPHA, SELU_SCALE
from sknn.architectures import MLP
from sknn.engine._data import Batches, target_and_weight
from sknn.engine._flat import Flat, flat_step
from sknn.engine._losses import LOSSES
from sknn.engine._optimizers import SGD, Adam, get_learning_rate

Tensor = torch.Tensor
aten = torch.ops.aten


@dataclass(frozen=True)
class InPlace:
    """An activation that overwrites z by a = f(z), and d by d * f'(z), computed from a.

    Attributes
    ----------
    value : callable
        ``value(z)``.
    backward : callable
        ``backward(d, a)``.
    """

    value: Callable[[Tensor], Any]
    backward: Callable[[Tensor, Tensor], Any]


def _elu(alpha: float, scale: float) -> InPlace:
    def backward(d: Tensor, a: Tensor) -> Tensor:
        return aten.elu_backward.grad_input(d, alpha, scale, 1, True, a, grad_input=d)

    return InPlace(lambda z: aten.elu_(z, alpha, scale, 1), backward)


#: those whose slope can be told from their value; the others go through autograd
IN_PLACE: dict[str, InPlace] = {
    "identity": InPlace(lambda z: z, lambda d, a: d),
    "relu": InPlace(
        torch.relu_, lambda d, a: aten.threshold_backward.grad_input(d, a, 0, grad_input=d)
    ),
    "tanh": InPlace(torch.tanh_, lambda d, a: aten.tanh_backward.grad_input(d, a, grad_input=d)),
    "logistic": InPlace(
        torch.sigmoid_, lambda d, a: aten.sigmoid_backward.grad_input(d, a, grad_input=d)
    ),
    "leaky_relu": InPlace(
        lambda z: aten.leaky_relu_(z, LEAKY_SLOPE),
        lambda d, a: aten.leaky_relu_backward.grad_input(d, a, LEAKY_SLOPE, True, grad_input=d),
    ),
    "elu": _elu(1.0, 1.0),
    "selu": _elu(SELU_ALPHA, SELU_SCALE),
}

#: loss -> its canonical link, from z into a buffer
LINKS_INTO: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "log_loss": lambda z, out: torch.softmax(z, 1, out=out),
    "binary_log_loss": lambda z, out: torch.sigmoid(z, out=out),
    "squared_error": lambda z, out: out.copy_(z),
    "poisson": lambda z, out: torch.exp(z, out=out),
}


def covers(net: Any) -> bool:
    """Tell whether a net can be trained by `ClosedForm`.

    Parameters
    ----------
    net : Net
        Initialised.

    Returns
    -------
    bool
        True for an MLP with an activation of `IN_PLACE`, a loss of `LINKS_INTO`, Adam or SGD with
        one group of parameters, and nobody watching single batches.
    """
    module, optimizer = net.module_, net.optimizer_
    return (
        type(module) is MLP
        and module.activation in IN_PLACE
        and net.loss in LINKS_INTO
        and type(optimizer) in (Adam, SGD)
        and len(optimizer.param_groups) == 1
        and all(p.requires_grad for p in module.parameters())
        and not net.watches_batches()
    )


@dataclass(frozen=True)
class Buffers:
    """Space for one batch: values of the hidden layers, and the deltas of all layers."""

    values: list[Tensor]
    deltas: list[Tensor]
    transposed: list[Tensor]
    ones: Tensor

    @classmethod
    def allocate(cls, n_rows: int, widths: list[int], like: Tensor) -> "Buffers":
        """Return buffers for layers of these widths, the outputs last."""
        values = [like.new_empty(n_rows, width) for width in widths[:-1]]
        deltas = [like.new_empty(n_rows, width) for width in widths]
        return cls(values, deltas, [delta.t() for delta in deltas], like.new_ones(n_rows))


class ClosedForm:
    """Trains the MLP of a net, an epoch at a call; to be closed at the end.

    Parameters
    ----------
    net : Net
        One that `covers` accepts. Its parameters lie in one flat vector until `close`.
    """

    def __init__(self, net: Any):
        self.loss = LOSSES[net.loss]
        self.link_into = LINKS_INTO[net.loss]
        self.is_multiclass = net.loss == "log_loss"
        self.alpha = net.alpha
        self.activation = IN_PLACE[net.module_.activation]
        self.flat = Flat(list(net.module_.parameters()), net.optimizer_)
        self.step_optimizer = flat_step(self.flat)
        layers = list(net.module_.linears)
        self.widths = [layer.out_features for layer in layers]
        self.weights = [layer.weight.data for layer in layers]
        self.biases = [layer.bias.data for layer in layers]
        self.weights_t = [weight.t() for weight in self.weights]
        self.weight_gradients = [self.flat.gradient_of(layer.weight) for layer in layers]
        self.bias_gradients = [self.flat.gradient_of(layer.bias) for layer in layers]
        self.buffers: dict[int, Buffers] = {}

    def close(self) -> None:
        """Give the module and the optimizer memory of their own again."""
        self.flat.close()

    @torch.no_grad()
    def run_epoch(self, batches: Batches) -> float:
        """Train on all batches once.

        Parameters
        ----------
        batches : Batches
            Of training rows with targets.

        Returns
        -------
        float
            Mean loss of a row, with the penalty, as it was before the step of its batch.
        """
        total = sum(
            self._run_group(X, target, batches.batch_size) for X, target in batches.groups()
        )
        return float(total) / len(batches.dataset)

    def _run_group(self, X: Tensor, target: Any, batch_size: int) -> Tensor:
        """Train on consecutive batches; return their summed loss, still on the device."""
        y, weight = target_and_weight(target)
        output = X.new_empty(len(X), self.widths[-1])
        wanted = torch.zeros_like(output).scatter_(1, y[:, None], 1) if self.is_multiclass else y
        parts = [tensor.split(batch_size) for tensor in (X, wanted, output)]
        sizes = [len(part) for part in parts[0]]
        if weight is None:
            weights, totals = [None] * len(sizes), [float(size) for size in sizes]
        else:
            weights = weight.split(batch_size)
            totals = torch.stack([part.sum() for part in weights]).tolist()
        norms = [
            self._step(*part, total)
            for part, total in zip(zip(*parts, weights, strict=True), totals, strict=True)
        ]
        factors = [size / total for size, total in zip(sizes, totals, strict=True)]
        loss = self._summed_loss(output, y, weights, factors)
        if self.alpha:
            loss = loss + 0.5 * self.alpha * torch.stack(norms).dot(loss.new_tensor(factors))
        return loss

    def _summed_loss(
        self, output: Tensor, y: Tensor, weights: list[Tensor | None], factors: list[float]
    ) -> Tensor:
        """Return the sum over batches of mean loss times number of rows."""
        costs = self.loss.per_row(output, y)
        if weights[0] is not None:
            costs = costs * torch.cat([w * f for w, f in zip(weights, factors, strict=True)])
        return costs.sum()

    def _step(
        self, X: Tensor, y: Tensor, output: Tensor, weight: Tensor | None, total: float
    ) -> Tensor | None:
        """Do one step; write the raw output, return the squared norm of the weights before."""
        buffers = self.buffers.get(len(X))
        if buffers is None:
            buffers = self.buffers[len(X)] = Buffers.allocate(len(X), self.widths, output)
        norm = torch.dot(self.flat.weights, self.flat.weights) if self.alpha else None
        last = len(self.weights) - 1
        a = X
        for i, z in enumerate(buffers.values):
            torch.addmm(self.biases[i], a, self.weights_t[i], out=z)
            self.activation.value(z)
            a = z
        torch.addmm(self.biases[last], a, self.weights_t[last], out=output)
        delta = buffers.deltas[last]
        self.link_into(output, delta)
        delta.sub_(y)
        if weight is not None:
            delta.mul_(weight[:, None])
        self._propagate_back(buffers, X, 1 / total)
        return norm

    def _propagate_back(self, buffers: Buffers, X: Tensor, share: float) -> None:
        deltas, values = buffers.deltas, buffers.values
        for i in range(len(deltas) - 1, 0, -1):
            a = values[i - 1]
            torch.mm(deltas[i], self.weights[i], out=deltas[i - 1])
            self.activation.backward(deltas[i - 1], a)
            self._follow(i, buffers.transposed[i], a, buffers.ones, share)
        self._follow(0, buffers.transposed[0], X, buffers.ones, share)
        if self.step_optimizer is not None:
            self.step_optimizer()

    def _follow(self, i: int, delta_t: Tensor, a: Tensor, ones: Tensor, share: float) -> None:
        """Write the gradient of a layer, or follow it at once where the optimizer is plain SGD."""
        decay = self.alpha * share
        if self.step_optimizer is None:
            rate = get_learning_rate(self.flat.optimizer)
            self.weights[i].addmm_(delta_t, a, beta=1 - rate * decay, alpha=-rate * share)
            self.biases[i].addmv_(delta_t, ones, alpha=-rate * share)
            return
        torch.addmm(
            self.weights[i], delta_t, a, beta=decay, alpha=share, out=self.weight_gradients[i]
        )
        bias = self.bias_gradients[i]
        torch.addmv(bias, delta_t, ones, beta=0, alpha=share, out=bias)


@contextmanager
def closed_form(net: Any) -> Iterator[None]:
    """Let a net train by `ClosedForm` inside the block, if it `covers` the net."""
    if not covers(net):
        yield
        return
    net.closed_form = ClosedForm(net)
    try:
        yield
    finally:
        net.closed_form.close()
        del net.closed_form
