"""Epochs on a CUDA device as replays of captured steps.

An epoch is cut into chunks of some batches. A chunk gathers its samples, does its steps and adds up
its loss, all on memory that stays where it is: so it can be captured once and replayed. Before
each replay the numbers of its samples, and what else changes, are written to where it will look.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import cast

import torch

from sknn.engine._run import TrainingRun
from sknn.engine.graphs._batches import CapturedBatches
from sknn.engine.graphs._cuda_graph import ReplayableGraph
from sknn.engine.graphs._optimizer_steps import KINDS, DeviceSteps, Memory

Tensor = torch.Tensor

#: maximum number of batches of a chunk: starting one costs some 20 µs, a step less than one of it
MAX_BATCHES = 64
#: maximum size of X in a chunk, 64 MiB in float32
MAX_NUMBERS = 2**24


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
