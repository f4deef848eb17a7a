"""Training a plain MLP by steps written out by hand, in place of autograd."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from sknn.engine.backprop._flat_parameters import covers_optimizer, flat_step
from sknn.engine.backprop._mlp import Factors, MLPPass, covers_module
from sknn.engine.callbacks._user import frees_or_freezes
from sknn.engine.data._batches import Batches, Rows, target_and_weight
from sknn.engine.optimizers._optimizers import get_learning_rate

Tensor = torch.Tensor


def covers(net: Any) -> bool:
    """Tell whether a net can be trained by `ClosedForm`.

    Parameters
    ----------
    net : Net
        Initialised.

    Returns
    -------
    bool
        True where `covers_module` and `covers_optimizer` are, with a schedule that sets nothing
        but learning rate and momentum, no average to keep, and nobody watching single batches or
        freezing parameters.
    """
    return (
        covers_module(net)
        and covers_optimizer(net.optimizer_, _sets_momentum(net))
        and (net.schedule is None or net.schedule.only_sets_rates)
        and net.average is None
        and not net.watches_batches()
        and not frees_or_freezes(net)
    )


def _sets_momentum(net: Any) -> bool:
    return net.schedule is not None and net.schedule.sets_momentum


class ClosedForm:
    """Trains the MLP of a net, an epoch at a call; to be closed at the end.

    Parameters
    ----------
    net : Net
        One that `covers` accepts, with its schedule started. Its parameters lie in one flat
        vector until `close`.
    is_sparse : bool
        Whether X is a CSR matrix.
    """

    def __init__(self, net: Any, is_sparse: bool):
        self.alpha, self.l1_ratio = net.alpha, net.l1_ratio
        self.l1, self.l2 = net.alpha * net.l1_ratio, net.alpha * (1 - net.l1_ratio)
        self.max_grad_norm = net.max_grad_norm
        self.schedule = net.schedule
        self.mlp = MLPPass(net, is_sparse)
        needs_gradient = self.l1 > 0 or self.max_grad_norm is not None or _sets_momentum(net)
        self.step_optimizer = flat_step(self.mlp.flat, needs_gradient)
        if self.step_optimizer is None:  # plain SGD writes into the parameters themselves
            self.mlp.weight_targets, self.mlp.bias_targets = self.mlp.weights, self.mlp.biases

    def close(self) -> None:
        """Give the module and the optimizer memory of their own again."""
        self.mlp.flat.close()

    @torch.no_grad()
    def run_epoch(self, batches: Batches, outputs: list | None = None) -> float:
        """Train on all batches once.

        Parameters
        ----------
        batches : Batches
            Of training rows with targets.
        outputs : list, default=None
            Where to append pairs of targets and raw outputs, each before its batch's step.

        Returns
        -------
        float
            Mean loss of a row, with the penalty, as it was before the step of its batch.
        """
        total = 0.0
        for X, target in batches.groups(dense=not self.mlp.is_sparse):
            loss, output = self._run_group(X, target, batches.batch_size)
            total = total + loss
            if outputs is not None:
                outputs.append((target, output))
        return float(total) / len(batches.dataset)

    def _run_group(self, X: Any, target: Any, batch_size: int) -> tuple[Tensor, Tensor]:
        """Train on consecutive batches; return summed loss and outputs, still on the device."""
        y, weight = target_and_weight(target)
        output = self.mlp.new_output(len(y))
        outputs, wanted = output.t().split(batch_size, 1), self.mlp.wanted(y).split(batch_size)
        sizes = [len(part) for part in wanted]
        if weight is None:
            weights, totals = [None] * len(sizes), [float(size) for size in sizes]
        else:
            weights = weight.split(batch_size)
            totals = torch.stack([part.sum() for part in weights]).tolist()
        norms, flat = [], self.mlp.flat
        schedule = self.schedule if self.schedule is not None and self.schedule.per_step else None
        for part, want, out, w, total in zip(
            self.mlp.split(X, batch_size), wanted, outputs, weights, totals, strict=True
        ):
            if schedule is not None:
                schedule.before_step(flat.optimizer)
            if self.alpha:
                norms.append(self._norm())
            self.mlp.run(part, want, out, w, self._factors(1 / total))
            if self.step_optimizer is not None:
                self._finish_gradient(1 / total)
                self.step_optimizer()
        factors = [size / total for size, total in zip(sizes, totals, strict=True)]
        loss = self._summed_loss(output, y, weights, factors)
        if self.alpha:
            loss = loss + 0.5 * self.alpha * torch.stack(norms).dot(loss.new_tensor(factors))
        return loss, output

    def _norm(self) -> Tensor:
        """Return what the penalty multiplies by half of alpha."""
        weights, ratio = self.mlp.flat.weights, self.l1_ratio
        squares = torch.dot(weights, weights)
        if not ratio:
            return squares
        return (1 - ratio) * squares + 2 * ratio * torch.linalg.vector_norm(weights, 1)

    def _finish_gradient(self, share: float) -> None:
        """Add the slope of the L1 penalty, and shorten a gradient that is too long."""
        flat = self.mlp.flat
        if self.l1:
            n_weights = len(flat.weights)
            flat.gradient[:n_weights].add_(flat.weights.sign(), alpha=self.l1 * share)
        self.shorten_gradient()

    def shorten_gradient(self) -> None:
        """Shorten a gradient that is too long, as torch.nn.utils.clip_grad_norm_ does."""
        if self.max_grad_norm is not None:
            gradient = self.mlp.flat.gradient
            factor = self.max_grad_norm / (torch.linalg.vector_norm(gradient) + 1e-6)
            gradient.mul_(factor.clamp_(max=1.0))

    def _factors(self, share: float) -> Factors:
        """Return what a step writes, for a row's share of the batch: gradient or parameters."""
        if self.step_optimizer is not None:
            return Factors(self.l2 * share, 0.0, share)
        rate = get_learning_rate(self.mlp.flat.optimizer)
        return Factors(1 - rate * self.l2 * share, 1.0, -rate * share)

    def _summed_loss(
        self, output: Tensor, y: Tensor, weights: list[Tensor | None], factors: list[float]
    ) -> Tensor:
        """Return the sum over batches of mean loss times number of rows."""
        costs = self.mlp.per_row(output, y)
        if weights[0] is not None:
            costs = costs * torch.cat([w * f for w, f in zip(weights, factors, strict=True)])
        return costs.sum()


@contextmanager
def closed_form(net: Any, rows: Rows) -> Iterator[None]:
    """Let a net train on rows by `ClosedForm` inside the block, if it `covers` the net."""
    if not covers(net):
        yield
        return
    net.closed_form = ClosedForm(net, rows.is_sparse)
    try:
        yield
    finally:
        net.closed_form.close()
        del net.closed_form
