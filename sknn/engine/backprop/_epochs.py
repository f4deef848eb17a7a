"""Training of a plain MLP by handwritten backpropagation, in place of autograd."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import torch
from scipy import sparse

from sknn.engine._run import TrainingRun
from sknn.engine.backprop._mlp import MLPPass, UpdateCoefficients, supports_module
from sknn.engine.data._batches import TargetTensors, split_target
from sknn.engine.data._sparse import SparseBatch
from sknn.engine.optimizers._flat_parameters import make_flat_step, supports_optimizer
from sknn.engine.optimizers._optimizers import get_learning_rate

Tensor = torch.Tensor


class HandwrittenRunner:
    """Trains a plain MLP by handwritten backpropagation, on one flat vector of parameters.

    Parameters
    ----------
    run : TrainingRun
        Run that has begun, and that `supports` accepts. The parameters of its net lie in one flat
        vector until `close`.
    """

    name: ClassVar[str] = "handwritten"
    epochs_at_once = 1

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why this runner cannot compute a run; None if it can."""
        reason = supports_module(run.net, run.compiled, corrupts=not run.samples.is_sparse)
        return reason or supports_steps(run)

    def __init__(self, run: TrainingRun):
        net = run.net
        self.run = run
        self.alpha, self.l1_ratio = net.alpha, net.l1_ratio
        self.l1, self.l2 = net.alpha * net.l1_ratio, net.alpha * (1 - net.l1_ratio)
        self.max_grad_norm = net.max_grad_norm
        self.mlp = MLPPass(net, run.samples.is_sparse)
        self.corruption = getattr(net.module_, "corruption", None)
        needs_gradient = self.l1 > 0 or self.max_grad_norm is not None or is_momentum_set(run)
        self.step_optimizer = make_flat_step(self.mlp.flat, needs_gradient)
        if self.step_optimizer is None:  # plain SGD writes into the parameters themselves
            self.mlp.weight_targets, self.mlp.bias_targets = self.mlp.weights, self.mlp.biases

    def close(self) -> None:
        """Give the module and the optimizer memory of their own again."""
        self.mlp.flat.close()

    @torch.no_grad()
    def run_epoch(self) -> float:
        """Train on the batches that are left of the epoch at hand.

        Returns
        -------
        float
            Mean loss per sample, with the penalty, before the step of each mini-batch.
        """
        run, batches = self.run, self.run.batches
        for X, target in batches.iterate_groups(not self.mlp.is_sparse, run.epoch.n_steps):
            loss, output = self._run_group(X, target, batches.batch_size)
            run.count_steps(loss, -(-len(output) // batches.batch_size), len(output))
            run.keep_outputs(target, output)
            if run.epoch.n_samples < len(run.samples):
                run.pause_if_asked()
        return float(run.epoch.loss_sum) / len(run.samples)

    def _run_group(
        self,
        X: Tensor | sparse.csr_array | sparse.csr_matrix,
        target: TargetTensors,
        batch_size: int,
    ) -> tuple[Tensor, Tensor]:
        """Train on consecutive batches; return summed loss and outputs, still on the device."""
        y, weight = split_target(target)
        output = self.mlp.allocate_output(len(y))
        outputs, targets = (
            output.t().split(batch_size, 1),
            self.mlp.encode_targets(y).split(batch_size),
        )
        sizes = [len(part) for part in targets]
        weights: Sequence[Tensor | None] = [None] * len(sizes)
        totals = [float(size) for size in sizes]
        if weight is not None:
            weights = weight.split(batch_size)
            totals = torch.stack([part.sum() for part in weight.split(batch_size)]).tolist()
        norms, flat = [], self.mlp.flat
        schedule = self.run.net.schedule
        if schedule is not None and not schedule.per_step:
            schedule = None
        parts: Iterable[Tensor | SparseBatch] = self.mlp.split(X, batch_size)
        if self.corruption is not None:  # drawn batch by batch, as by autograd
            parts = map(self.corruption.corrupt, parts)
        for part, want, out, w, total in zip(parts, targets, outputs, weights, totals, strict=True):
            if schedule is not None:
                schedule.begin_step(flat.optimizer)
            if self.alpha:
                norms.append(self._compute_norm())
            self.mlp.run(part, want, out, w, self._choose_coefficients(1 / total))
            if self.step_optimizer is not None:
                self._finish_gradient(1 / total)
                self.step_optimizer()
        factors = [size / total for size, total in zip(sizes, totals, strict=True)]
        shares = None if weight is None else weight.split(batch_size)
        loss = self._sum_losses(output, y, shares, factors)
        if self.alpha:
            loss = loss + 0.5 * self.alpha * torch.stack(norms).dot(loss.new_tensor(factors))
        return loss, output

    def _compute_norm(self) -> Tensor:
        """Return the factor of alpha / 2 in the penalty."""
        weights, ratio = self.mlp.flat.weights, self.l1_ratio
        # alpha ((1 - r) / 2 |w|^2 + r |w|_1) = alpha / 2 ((1 - r) |w|^2 + 2 r |w|_1)
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
            # g <- g * min(1, c / |g|): the direction stays. 1e-6 is torch's guard against |g| = 0.
            gradient = self.mlp.flat.gradient
            factor = self.max_grad_norm / (torch.linalg.vector_norm(gradient) + 1e-6)
            gradient.mul_(factor.clamp_(max=1.0))

    def _choose_coefficients(self, share: float) -> UpdateCoefficients:
        """Return coefficients for the gradient, or for a step of plain SGD on the parameters.

        `share` is 1 / (weight of the mini-batch), by which summed gradients become means.
        """
        if self.step_optimizer is not None:
            return UpdateCoefficients(self.l2 * share, 0.0, share)
        # w <- w - rate * share * (l2 w + summed gradient), in the form (1 - c l2) w - c * gradient
        rate = get_learning_rate(self.mlp.flat.optimizer)
        return UpdateCoefficients(1 - rate * self.l2 * share, 1.0, -rate * share)

    def _sum_losses(
        self, output: Tensor, y: Tensor, weights: Sequence[Tensor] | None, factors: list[float]
    ) -> Tensor:
        """Return Σ (mean loss of a mini-batch) * (its size) over mini-batches."""
        losses = self.mlp.per_sample(output, y)
        if weights is not None:
            losses = losses * torch.cat([w * f for w, f in zip(weights, factors, strict=True)])
        return losses.sum()


def supports_steps(run: TrainingRun) -> str | None:
    """Return why steps on one flat vector cannot compute a run; None if they can."""
    schedule, callbacks = run.net.schedule, run.callbacks
    reason = supports_optimizer(run.net.optimizer_, is_momentum_set(run))
    if reason is not None:
        return reason
    if schedule is not None and not schedule.only_sets_rates:
        return "a user-defined schedule may set more than learning rate and momentum"
    if run.average is not None:
        return "weights are averaged after each step"
    if callbacks.watches_batches:
        return "a callback looks at single batches"
    if callbacks.freezes:
        return "a callback may freeze parameters"
    return None


def is_momentum_set(run: TrainingRun) -> bool:
    """Return whether a schedule or a callback may change the momentum."""
    schedule = run.net.schedule
    return run.callbacks.sets_rates or (schedule is not None and schedule.sets_momentum)
