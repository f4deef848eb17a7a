"""Some batches of an epoch, whose steps are captured once and replayed for other samples."""

from collections.abc import Callable

import torch

from sknn.architectures import DrawnMasks
from sknn.engine.data._batches import TargetTensors, split_target
from sknn.engine.graphs._cuda_graph import ReplayableGraph, Replayed

Tensor = torch.Tensor


class CapturedBatches:
    """Some batches of an epoch at a fixed place, and the replay of the work on them.

    Parameters
    ----------
    sizes : list of int
        Samples in each batch.
    work : callable
        ``work(chunk)`` does the steps; it sets `target` and `output`.
    graph : ReplayableGraph
        New.
    device : torch.device
        Device of the samples.
    """

    target: TargetTensors
    output: Tensor

    def __init__(
        self,
        sizes: list[int],
        work: Callable[["CapturedBatches"], None],
        graph: ReplayableGraph,
        device: torch.device,
    ):
        self.sizes = sizes
        self.chosen = torch.zeros(sum(sizes), dtype=torch.int64, device=device)
        self.masks = DrawnMasks()
        self.replayed = Replayed(lambda: work(self), graph)

    def run(self, chosen: Tensor) -> None:
        """Train on the samples of these numbers."""
        self.chosen.copy_(chosen)
        self.masks.draw_again()
        self.replayed()

    def copy_outcome(self) -> tuple[TargetTensors, Tensor]:
        """Return a copy of the targets and raw predictions of the last run."""
        y, weight = split_target(self.target)
        target = y.clone() if weight is None else (y.clone(), weight.clone())
        return target, self.output.clone()
