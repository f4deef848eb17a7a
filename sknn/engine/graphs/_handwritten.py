"""Captured steps of handwritten backpropagation."""

from collections.abc import Callable
from typing import cast

import torch

from sknn.engine._run import TrainingRun
from sknn.engine.backprop._epochs import HandwrittenRunner
from sknn.engine.backprop._mlp import UpdateCoefficients
from sknn.engine.graphs._batches import CapturedBatches
from sknn.engine.graphs._cuda_graph import ReplayableGraph
from sknn.engine.graphs._epochs import MAX_BATCHES, ReplayedEpochs
from sknn.engine.graphs._mlp import DevicePass
from sknn.engine.graphs._optimizer_steps import Memory, make_flat_memory
from sknn.engine.optimizers._optimizers import get_learning_rate
from sknn.engine.optimizers._schedules import EpochSchedule

Tensor = torch.Tensor

#: schedules whose rate stays for many epochs, so that it may be a constant of captured steps
RARELY_CHANGING = ("constant", "adaptive", "plateau")


class ReplayedHandwritten(ReplayedEpochs):
    """Steps of a `HandwrittenRunner`, in fewer kernels.

    Plain SGD at a steady rate changes the weights by the products themselves, with the rate among
    the constants; a new rate then means new captures. All else goes by the gradient.
    """

    def __init__(
        self,
        run: TrainingRun,
        new_graph: Callable[[], ReplayableGraph],
        max_batches: int = MAX_BATCHES,
    ):
        self.form = HandwrittenRunner(run)
        super().__init__(run, new_graph, max_batches)

    def close(self) -> None:
        """Let the graphs go, and give the module memory of its own again."""
        super().close()
        self.form.close()

    def make_memory(self) -> Memory:
        """Return the flat vectors; and choose how to follow the gradient."""
        form = self.form
        schedule = self.net.schedule
        steady = schedule is None or (
            isinstance(schedule, EpochSchedule)
            and schedule.config.learning_rate in RARELY_CHANGING
            and not schedule.per_step
        )
        weighted = self.samples.sample_weight is not None
        self.in_place = form.step_optimizer is None and steady and not weighted
        self.rate = get_learning_rate(self.net.optimizer_)
        self.passes = DevicePass(form.mlp, self.in_place)
        return make_flat_memory(form.mlp.flat, form.step_optimizer)

    def begin_epoch(self) -> None:
        """Capture anew where the rate is among the constants and another one now."""
        rate = get_learning_rate(self.net.optimizer_)
        if self.in_place and rate != self.rate:
            self.chunks.clear()
            self.rate = rate

    @torch.no_grad()
    def do_work(self, chunk: CapturedBatches) -> None:
        """Do the steps of a chunk, and add its loss to the total."""
        form = self.form
        mlp, sizes = form.mlp, chunk.sizes
        X, y, weight = self.take(chunk)
        outputs = [mlp.allocate_output(n) for n in sizes]  # each in one piece, as softmax wants
        relative, shares = (None, None) if weight is None else _normalize_weights(weight, sizes)
        weights = [None] * len(sizes) if relative is None else relative.split(sizes)
        norms = outputs[0].new_zeros(2, len(sizes))
        parts = zip(
            X.split(sizes), mlp.encode_targets(y).split(sizes), outputs, weights, strict=True
        )
        for i, (part, targets, out, w) in enumerate(parts):
            if form.alpha:
                self._note_norms(norms[:, i])
            share = 1 / sizes[i] if shares is None else shares[i]
            self.passes.run(part, targets, out.t(), w, self._choose_coefficients(share))
            if not self.in_place:
                self._finish_gradient(share)
                self.steps.step(i)
        chunk.output = output = torch.cat([out.t() for out in outputs], 1).t()
        self.total.add_(self._sum_losses(output, y, relative, sizes))
        if form.alpha:
            # The penalty α / 2 ((1 - ρ) |W|² + 2 ρ |W|₁) as it was before each step, times the
            # share of the batch, and its number of samples as the total is a sum over these;
            # without sample weights both cancel.
            squares = (1 - form.l1_ratio) * norms[0].square() + 2 * form.l1_ratio * norms[1]
            weighed = squares if shares is None else squares * shares * _make_sizes(sizes, shares)
            self.total.add_(weighed.sum(), alpha=0.5 * form.alpha)

    def _note_norms(self, norms: Tensor) -> None:
        form = self.form
        weights = form.mlp.flat.weights
        torch.linalg.vector_norm(weights, out=norms[0])
        if form.l1_ratio:
            torch.linalg.vector_norm(weights, 1, out=norms[1])

    def _choose_coefficients(self, share: float | Tensor) -> UpdateCoefficients:
        """Return what the products are multiplied with; a tensor's share is in the weights."""
        if self.in_place:
            # With the rate r, W <- W - r (g + l2 W) s = (1 - r l2 s) W - r s g for sums g over the
            # samples, of which each has the share s = 1 / n; biases have no penalty.
            part = cast("float", share)  # as there are no weights
            return UpdateCoefficients(1 - self.rate * self.form.l2 * part, 1.0, -self.rate * part)
        return UpdateCoefficients(0.0, 0.0, 1.0 if isinstance(share, Tensor) else share)

    def _finish_gradient(self, share: float | Tensor) -> None:
        """Add the slope of the penalties, and shorten a gradient that is too long."""
        form = self.form
        flat = form.mlp.flat
        gradient = flat.gradient[: len(flat.weights)]
        if form.l2:
            _add(gradient, flat.weights, form.l2 * share)
        if form.l1:
            _add(gradient, flat.weights.sign(), form.l1 * share)
        form.shorten_gradient()

    def _sum_losses(
        self, output: Tensor, y: Tensor, relative: Tensor | None, sizes: list[int]
    ) -> Tensor:
        """Return the sum over batches of mean loss times number of samples."""
        losses = self.form.mlp.per_sample(output, y)
        if relative is None:
            return losses.sum()
        batch_sizes = _make_sizes(sizes, losses)[:, None].expand(-1, sizes[0]).flatten()
        return losses.dot(relative * batch_sizes[: len(losses)])


def _add(into: Tensor, what: Tensor, factor: float | Tensor) -> None:
    if isinstance(factor, Tensor):
        into.addcmul_(what, factor)
    else:
        into.add_(what, alpha=factor)


def _normalize_weights(weight: Tensor, sizes: list[int]) -> tuple[Tensor, Tensor]:
    """Return weights over the sum of their batch, and one over these sums, all on the device."""
    # Weights as a table with a line for each batch, the last filled up with zeros: one sum for all.
    padded = weight.new_zeros(len(sizes), sizes[0])
    padded.view(-1)[: len(weight)] = weight
    totals = padded.sum(1, keepdim=True)
    return (padded / totals).view(-1)[: len(weight)], totals.reciprocal()[:, 0]


def _make_sizes(sizes: list[int], like: Tensor) -> Tensor:
    """Return the numbers of samples of batches, of which only the last may be smaller."""
    column = like.new_full((len(sizes),), float(sizes[0]))
    column[-1:].fill_(float(sizes[-1]))
    return column
