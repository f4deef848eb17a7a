"""Epochs on a CUDA device as replays of captured steps.

An epoch is cut into chunks of some batches. A chunk gathers its samples, does its steps and adds up
its loss, all on memory that stays where it is: so it can be captured once and replayed. Before
each replay the numbers of its samples, and what else changes, are written to where it will look.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, cast

import torch

from sknn.architectures import is_replayable
from sknn.engine._run import TrainingRun
from sknn.engine.backprop._epochs import HandwrittenRunner
from sknn.engine.backprop._mlp import UpdateCoefficients
from sknn.engine.data._batches import TargetTensors, split_target
from sknn.engine.graphs._batches import CapturedBatches
from sknn.engine.graphs._cuda_graph import ReplayableGraph, choose_graph_maker
from sknn.engine.graphs._mlp import DevicePass
from sknn.engine.graphs._optimizer_steps import (
    KINDS,
    DeviceSteps,
    Memory,
    make_flat_memory,
    make_module_memory,
)
from sknn.engine.optimizers._optimizers import get_learning_rate
from sknn.engine.optimizers._schedules import EpochSchedule

Tensor = torch.Tensor

#: maximum number of batches of a chunk: starting one costs some 20 µs, a step less than one of it
MAX_BATCHES = 64
#: maximum size of X in a chunk, 64 MiB in float32
MAX_NUMBERS = 2**24
#: rates that stay for many epochs; a step of plain SGD may then have it among its constants
STEADY = ("constant", "adaptive", "plateau")


def count_chunk_batches(n_batches: int, batch_numbers: int, max_batches: int) -> int:
    """Return the number of batches of a chunk, so that the chunks of an epoch are about equal."""
    most = max(1, min(max_batches, MAX_NUMBERS // batch_numbers))
    n_chunks = -(-n_batches // most)
    return -(-n_batches // n_chunks)


class ReplayedEpochs(ABC):
    """Trains the net of a run by replays; to be closed at the end.

    Parameters
    ----------
    run : TrainingRun
        Run that `CudaGraphRunner` supports.
    new_graph : callable
        Returns a `ReplayableGraph`.
    max_batches : int, default=64
        Maximum number of batches of a chunk.
    """

    def __init__(
        self,
        run: TrainingRun,
        new_graph: Callable[[], ReplayableGraph],
        max_batches: int = MAX_BATCHES,
    ):
        self.run, self.net, self.samples, self.new_graph = run, run.net, run.samples, new_graph
        net, samples = self.net, self.samples
        batch_numbers = net.batch_size * samples.X[0].numel()
        self.n_steps = count_chunk_batches(run.n_batches, batch_numbers, max_batches)
        self.chunks: dict[int, CapturedBatches] = {}
        self.total = torch.zeros((), dtype=net.dtype_, device=samples.X.device)
        self.steps = self.make_steps()

    def make_steps(self) -> DeviceSteps:
        """Return the optimizer's steps."""
        return KINDS[type(self.net.optimizer_)](
            self.net.optimizer_, self.net.schedule, self.make_memory(), self.n_steps
        )

    @abstractmethod
    def make_memory(self) -> Memory:
        """Return where parameters, gradients and state lie."""

    @abstractmethod
    def do_work(self, chunk: CapturedBatches) -> None:
        """Do the steps of a chunk, and add its loss to the total."""

    @abstractmethod
    def begin_epoch(self) -> None:
        """Forget chunks that were captured from other memory, or with other constants."""

    def close(self) -> None:
        """Let the graphs go."""
        self.chunks.clear()

    def run_epoch(self) -> float:
        """Train on the remaining mini-batches of the current epoch; return the mean loss."""
        run, batches = self.run, self.run.batches
        self.begin_epoch()
        self.total.fill_(run.epoch.loss_sum)
        order = torch.from_numpy(batches.begin()).to(self.total.device)
        left = order[run.epoch.n_steps * batches.batch_size :]
        try:
            for chosen in left.split(self.n_steps * batches.batch_size):
                chunk = self._get_chunk(len(chosen), batches.batch_size)
                self.steps.prepare(len(chunk.sizes))
                chunk.run(chosen)
                if run.keeps_outputs:
                    run.keep_outputs(*chunk.copy_outcome())
                # the loss adds up on the device; reading it here would wait for the steps
                run.count_steps(0.0, len(chunk.sizes), len(chosen))
                if run.epoch.n_samples < len(order) and run.interrupt.is_set:
                    run.epoch.loss_sum = self.total.clone()
                    run.pause_if_asked()
        finally:
            self.steps.finish()
        return float(self.total) / len(order)

    def _get_chunk(self, n_samples: int, batch_size: int) -> CapturedBatches:
        if n_samples not in self.chunks:
            sizes = [min(batch_size, n_samples - i) for i in range(0, n_samples, batch_size)]
            graph, device = self.new_graph(), self.total.device
            self.chunks[n_samples] = CapturedBatches(sizes, self.do_work, graph, device)
        return self.chunks[n_samples]

    def take(self, chunk: CapturedBatches) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return X, y and weights of the chosen samples."""
        samples, chosen = self.samples, chunk.chosen
        X = samples.X.index_select(0, chosen)
        y = cast("Tensor", samples.y).index_select(0, chosen)
        weight = samples.sample_weight
        weight = None if weight is None else weight.index_select(0, chosen)
        chunk.target = y if weight is None else (y, weight)
        return X, y, weight


class ReplayedModule(ReplayedEpochs):
    """Steps by autograd, as `Net.train_step` does them, but for the penalty."""

    def make_memory(self) -> Memory:
        """Return the memory of the module's parameters and the optimizer's state."""
        memory = make_module_memory(self.net.optimizer_)
        self.addresses = self._get_addresses()
        return memory

    def _get_addresses(self) -> list[int]:
        state = self.net.optimizer_.state
        tensors = [*self.net.module_.parameters(), *self.net.module_.buffers()]
        tensors += [v for s in state.values() for v in s.values() if isinstance(v, Tensor)]
        return [t.data_ptr() for t in tensors]

    def begin_epoch(self) -> None:
        """Begin anew where a callback has put other tensors in the place of those captured."""
        if self.addresses != self._get_addresses():
            self.chunks.clear()
            self.steps = self.make_steps()

    def close(self) -> None:
        """Let the graphs go, and the gradients, which lie in their memory."""
        super().close()
        for p in self.net.module_.parameters():
            p.grad = None

    def do_work(self, chunk: CapturedBatches) -> None:
        """Do the steps of a chunk, and add its loss to the total."""
        X, y, weight = self.take(chunk)
        weights = [None] * len(chunk.sizes) if weight is None else weight.split(chunk.sizes)
        parts = zip(X.split(chunk.sizes), y.split(chunk.sizes), weights, strict=True)
        outputs = []
        with chunk.masks.give_to(self.net.module_):
            for i, (part, target, w) in enumerate(parts):
                outputs.append(self._step(i, part, target if w is None else (target, w)))
        chunk.output = torch.cat(outputs)

    def _step(self, i: int, X: Tensor, target: TargetTensors) -> Tensor:
        net = self.net
        parameters = list(net.module_.parameters())
        for p in parameters:
            p.grad = None
        net.module_.train()
        output = net.infer(X)
        loss = net.get_loss(output, target, X=X, training=False) + net.compute_fixed_penalty()
        loss.backward()
        self.total.add_(loss.detach(), alpha=len(X))
        if net.alpha:
            _, weight = split_target(target)
            self._penalize(len(X), 1 / len(X) if weight is None else weight.sum().reciprocal())
        if net.max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, net.max_grad_norm)
        self.steps.step(i)
        return output.detach()

    @torch.no_grad()
    def _penalize(self, n_samples: int, share: float | Tensor) -> None:
        """Add the penalty and its slope, which autograd would do in many times as many kernels."""
        net = self.net
        weights: list[Tensor] = [*net.get_penalized_parameters()]
        if not weights:
            return
        gradients = [cast("Tensor", p.grad) for p in weights]
        l1, l2 = net.alpha * net.l1_ratio, net.alpha * (1 - net.l1_ratio)
        # d/dw alpha (l2/2 |w|² + l1 |w|_1) = l2 w + l1 sign(w), times the share of the batch.
        norms = torch.stack(torch._foreach_norm(weights))
        penalty = norms.square().sum().mul_(0.5 * l2)
        torch._foreach_add_(gradients, torch._foreach_mul(weights, l2 * share))
        if l1:
            signs = torch._foreach_sign(weights)
            torch._foreach_add_(gradients, torch._foreach_mul(signs, l1 * share))
            penalty.add_(torch.stack(torch._foreach_norm(weights, 1)).sum(), alpha=l1)
        self.total.add_(penalty.mul_(share), alpha=n_samples)


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
            and schedule.config.learning_rate in STEADY
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


class CudaGraphRunner:
    """Trains by steps that are captured once and replayed, handwritten ones where it can.

    Parameters
    ----------
    run : TrainingRun
        Run that has begun, and that `supports` accepts.
    """

    name: ClassVar[str] = "cuda_graph"
    epochs_at_once = 1
    max_batches: ClassVar[int] = MAX_BATCHES
    choose_graph_maker = staticmethod(choose_graph_maker)

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why a run cannot be computed so; None if it can."""
        net, samples = run.net, run.samples
        if cls.choose_graph_maker(net.device) is None:
            return f"device {net.device!r} has no CUDA graphs"
        if samples.is_sparse or run.plan.is_streamed:
            return "X is sparse" if samples.is_sparse else "X is read from a source"
        if samples.y is None or samples.X.device.type != torch.device(net.device).type:
            return "the samples do not fit on the device"
        if type(net.optimizer_) not in KINDS:
            return f"solver={type(net.optimizer_).__name__} is not captured"
        schedule = net.schedule
        if schedule is not None and (not schedule.only_sets_rates or schedule.sets_momentum):
            return "the schedule sets more than the learning rate"
        if run.callbacks.sets_rates:
            return "a callback sets the learning rate"
        if run.callbacks.watches_batches:
            return "a callback looks at single batches"
        if run.average is not None:  # which would have to follow within the recording
            return "weights are averaged after each step"
        if HandwrittenRunner.supports(run) is None:
            return None
        return cls._supports_module(run)

    @staticmethod
    def _supports_module(run: TrainingRun) -> str | None:
        """Return why autograd's steps of a run cannot be captured; None if they can."""
        if run.compiled is not None:
            return "compile=True"
        if run.net.loss.settings is None:
            return "the loss is a user-defined function"
        if not is_replayable(run.net.module_):
            return "the network has layers that may do other things from call to call"
        if run.callbacks.freezes or not run.callbacks.are_skorchs_own:
            return "a callback may change the network"
        return None

    def __init__(self, run: TrainingRun):
        kind = ReplayedModule if HandwrittenRunner.supports(run) else ReplayedHandwritten
        new_graph = self.choose_graph_maker(run.net.device)
        self.epochs: ReplayedEpochs = kind(
            run, cast("Callable[[], ReplayableGraph]", new_graph), self.max_batches
        )

    def run_epoch(self) -> float:
        """Train on the remaining mini-batches of the current epoch; return the mean loss."""
        return self.epochs.run_epoch()

    def close(self) -> None:
        """Give module and optimizer memory of their own again."""
        self.epochs.close()
