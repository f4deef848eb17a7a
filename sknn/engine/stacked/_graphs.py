"""Stacks of networks on a CUDA device: their steps captured once and replayed.

As for one network, see `sknn.engine.graphs._epochs`: what a chunk of batches reads is copied to
where it was captured, and the learning rates of its steps are written to a table on the device.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch

from sknn.engine.graphs._cuda_graph import ReplayableGraph, Replayed
from sknn.engine.graphs._optimizer_steps import split_into_pieces
from sknn.engine.optimizers._fused import compute_corrected_rate, step_adam, step_sgd
from sknn.engine.stacked._batches import StackedBatches
from sknn.engine.stacked._optimizer import StackedOptimizer

Tensor = torch.Tensor


class DeviceRuns:
    """Steps of a `StackedOptimizer`, with the rates of all its runs in a table on the device.

    See `sknn.engine.graphs._optimizer_steps.DeviceAdam` for why Adam's kernel gets another rate
    and is told that there were infinitely many steps.

    Parameters
    ----------
    optimizer : StackedOptimizer
        Optimizer in an epoch.
    n_steps : int
        Maximum number of steps that `prepare` is asked for at once.
    """

    def __init__(self, optimizer: StackedOptimizer, n_steps: int):
        self.optimizer = optimizer
        self.signature = get_signature(optimizer)
        first = optimizer.parameters[0]
        dtype = torch.float32 if first.is_cuda else first.dtype
        shape = n_steps, len(optimizer.runs)
        self.rates = torch.zeros(shape, dtype=dtype, device=first.device)
        self.forever = torch.full((), math.inf, device=first.device)
        self.pieces = [
            [split_into_pieces(kind) for kind in slices] for _, slices, _ in optimizer.runs
        ]
        self.n_done = 0

    def prepare(self, n_steps: int) -> None:
        """Write the rates of the coming steps, and count those steps."""
        groups = [group for group, _, _ in self.optimizer.runs]
        table = np.array([[self._advance_rate(group) for group in groups] for _ in range(n_steps)])
        self.rates[:n_steps].copy_(torch.from_numpy(table).to(self.rates.dtype), non_blocking=True)

    def _advance_rate(self, group: dict[str, Any]) -> float:
        if not self.optimizer.is_adam:
            return group["lr"]
        group["n_steps"] += 1
        return compute_corrected_rate(group, group["lr"])

    def follow(self) -> None:
        """Follow the gradients once, by the next of the rates."""
        for (group, _, _), pieces, rate in zip(
            self.optimizer.runs, self.pieces, self.rates[self.n_done].unbind(), strict=True
        ):
            if self.optimizer.is_adam:
                counts = [self.forever] * len(pieces[0])
                step_adam(pieces, counts, group, rate=rate, epsilon=group["epsilon"])
            else:
                step_sgd(pieces, group, rate=rate)
        self.n_done += 1


def get_signature(optimizer: StackedOptimizer) -> tuple:
    """Return what is captured of the runs of an epoch: all but rates and numbers of steps."""
    # A captured step has settings and addresses built in: where one of them changes, it would go on
    # with the old setting, or write into memory that was freed.
    names = ("betas", "epsilon") if optimizer.is_adam else ("momentum", "nesterov")
    return tuple(
        (*(group[name] for name in names), *((t.data_ptr(), t.numel()) for t in slices[0]))
        for group, slices, _ in optimizer.runs
    )


@dataclass
class Captured:
    """Memory of chunks of one shape, and the replay of the work on them."""

    chunk: StackedBatches
    replayed: Replayed = field(init=False)
    outcome: tuple[Tensor, Tensor] = field(init=False)


class ReplayedStack:
    """Does the work of a stack on chunks of batches by replays.

    Parameters
    ----------
    train_on : callable
        ``train_on(chunk, follow)`` does the steps of a chunk, and lets `follow` follow the
        gradients; it returns tensors: the losses of the networks, and their outputs.
    optimizer : StackedOptimizer
        Optimizer of the stack.
    n_steps : int
        Steps of the longest chunk.
    new_graph : callable
        Returns a `ReplayableGraph`.
    """

    steps: DeviceRuns

    def __init__(
        self,
        train_on: Callable[..., tuple[Tensor, Tensor]],
        optimizer: StackedOptimizer,
        n_steps: int,
        new_graph: Callable[[], ReplayableGraph],
    ):
        self.train_on, self.optimizer, self.n_steps = train_on, optimizer, n_steps
        self.new_graph = new_graph
        self.captured: dict[tuple, Captured] = {}

    def begin_epoch(self) -> None:
        """Capture anew where networks have other settings now, their rates excepted."""
        if not hasattr(self, "steps") or self.steps.signature != get_signature(self.optimizer):
            self.captured.clear()
            self.steps = DeviceRuns(self.optimizer, self.n_steps)

    def run(self, chunk: StackedBatches) -> tuple[Tensor, Tensor]:
        """Train on a chunk; return what `train_on` does, in memory of the next chunk, too."""
        key = tuple(chunk.X.shape)
        if key not in self.captured:
            self.captured[key] = self._make_entry(chunk)
        entry = self.captured[key]
        for item in fields(StackedBatches):
            new, fixed = getattr(chunk, item.name), getattr(entry.chunk, item.name)
            if new.data_ptr() != fixed.data_ptr():  # the inputs may lie there already
                fixed.copy_(new)
        self.steps.prepare(len(chunk.X))
        entry.replayed()
        return entry.outcome

    def _make_entry(self, chunk: StackedBatches) -> Captured:
        own = [getattr(chunk, item.name).contiguous() for item in fields(StackedBatches)]
        entry = Captured(StackedBatches(*own))

        def work() -> None:
            self.steps.n_done = 0
            entry.outcome = self.train_on(entry.chunk, self.steps.follow)

        entry.replayed = Replayed(work, self.new_graph())
        return entry
