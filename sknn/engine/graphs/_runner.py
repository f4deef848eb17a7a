"""The runner of CUDA graphs: which runs it takes, and by which steps."""

from collections.abc import Callable
from typing import ClassVar, cast

import torch

from sknn.architectures import is_replayable
from sknn.engine._run import TrainingRun
from sknn.engine.backprop._epochs import HandwrittenRunner
from sknn.engine.graphs._cuda_graph import ReplayableGraph, choose_graph_maker
from sknn.engine.graphs._epochs import MAX_BATCHES, ReplayedEpochs
from sknn.engine.graphs._handwritten import ReplayedHandwritten
from sknn.engine.graphs._module import ReplayedModule
from sknn.engine.graphs._optimizer_steps import KINDS


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
